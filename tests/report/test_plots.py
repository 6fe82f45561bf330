"""Figures: closed and open ends, and Chinese only where a font has it."""

import dataclasses
import io
import os

import pandas as pd
import pytest
from matplotlib.figure import Figure

from evaluation.bounds import Bounds
from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report import fonts, plots
from evaluation.report.claims import plots as claim_plots


@pytest.fixture
def no_chinese_font(monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")


def draw(bounds):
    axes = Figure().subplots()
    axes.set_xlim(0, 20)
    plots.draw_bounds(axes, 1, bounds, color="#000000")
    return axes.lines


def test_an_open_end_is_hollow_and_a_closed_one_full():
    line, lower, upper = draw(Bounds(10, 11, upper_closed=False))
    assert list(line.get_xdata()) == [10, 11]
    assert lower.get_markerfacecolor() == "#000000"
    assert upper.get_markerfacecolor() == "white"


def test_no_upper_bound_is_an_arrow_at_the_edge():
    line, lower, arrow = draw(Bounds.at_least(10, strict=True))
    assert list(line.get_xdata()) == [10, 20]
    assert arrow.get_marker() == ">"
    assert lower.get_markerfacecolor() == "white"


def test_one_value_is_a_diamond():
    (point,) = draw(Bounds.exactly(15))
    assert point.get_marker() == "D"


def test_without_a_chinese_font_labels_are_english_and_the_note_says_what_to_install(
    jining, no_chinese_font
):
    exhibit = claim_plots.plot_claim_counts(jining)
    assert "Install one" in exhibit.note
    with speaking("zh"):
        assert plots.inscribe("year") == "year"


def test_a_box_instead_of_a_character_is_an_error(no_chinese_font):
    figure = plots.new_figure(2, 2)
    figure.text(0, 0, "鱼台县")
    with pytest.raises(ReportError, match=r"Glyph .* missing"):
        plots.figure_exhibit(
            figure, name="x", caption="", alt="", data=pd.DataFrame(), simulated=False
        )


def crowded_figure():
    figure = plots.new_figure(4, 3)
    with plots.in_style():
        left, right = figure.subplots(1, 2)
        left.plot([0, 10_000], [0, 1], label="a line")
        left.set(title="A title", ylabel="a label")
        figure.colorbar(right.imshow([[0, 1], [2, 3]]), ax=right)
        figure.legend(loc="outside lower center")
    return figure


def test_pictures_laid_out_once_are_as_matplotlib_draws_them():
    exhibit = plots.figure_exhibit(
        crowded_figure(), name="x", caption="", alt="", data=pd.DataFrame(), simulated=False
    )
    figure, pictures = crowded_figure(), []
    with plots.in_style():
        for form, metadata in (("svg", {"Date": None}), ("png", {"Software": None})):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=form, dpi=150, metadata=metadata)
            pictures.append(buffer.getvalue())
            figure.set_layout_engine("none")
    assert [exhibit.svg.encode(), exhibit.png] == pictures


def test_with_a_chinese_font_labels_are_in_the_language_spoken(jining):
    if not fonts.find_chinese_font() and not os.environ.get("CI"):
        pytest.skip("no Chinese font here")
    assert fonts.find_chinese_font(), "CI installs a Chinese font: see .ci/run"
    assert plots.inscribe("year") == "year"
    with speaking("zh"):
        assert plots.inscribe("year") == "年份"
    assert "Install" not in claim_plots.plot_claim_counts(jining).note


def test_the_alternative_text_holds_the_numbers(jining):
    exhibit = claim_plots.plot_measures(jining, ["gain_per_village"], name="x", caption="")
    assert "Weishan" in exhibit.body
    assert "[10, 11) 万元" in exhibit.body


def test_equal_figures_are_equal_bytes(jining):
    first, second = (claim_plots.plot_claim_counts(jining) for _ in range(2))
    assert first.svg == second.svg
    assert first.png == second.png


def test_a_figure_of_simulated_data_says_so(jining):
    study = jining.study.model_copy(update={"simulated": True})
    exhibit = claim_plots.plot_claim_counts(dataclasses.replace(jining, study=study))
    assert "<!-- SIMULATED -->" in exhibit.svg
    assert "SIMULATED data." in exhibit.to_html()
