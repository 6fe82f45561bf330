"""Two runs compared: every level, found by faults put into one of two equal runs."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.image import imsave

from evaluation.errors import ReportError
from evaluation.report.compare.files import compare_file
from evaluation.report.compare.levels import TOLERANCE, Judge
from evaluation.report.compare.moves import (
    HOLDS_ZERO,
    NO_INTERVAL,
    OTHER_SIGN,
    OTHER_UNIT,
)
from evaluation.report.compare.run import compare_runs
from evaluation.report.exhibits import MIME
from evaluation.report.run import run_report
from tests.conftest import JINING, edit
from tests.report.compared import DRAWING, copy_run, edit_results, make_run, seal


@pytest.fixture
def runs(tmp_path):
    """Two runs that are equal in every byte."""
    before = make_run(tmp_path / "hills-00000000")
    return before, copy_run(before, "hills-copy")


def exhibit_of(comparison, name):
    return next(exhibit for exhibit in comparison.exhibits if exhibit.name == name)


def set_cell(name, row, column, value):
    def change(exhibits, results):
        exhibits[name]["rows"][row][column] = value

    return change


def test_of_equal_runs_only_the_numbers_of_one_are_read(runs, monkeypatch):
    for place in ("run.read_page", "run.compare_pictures", "files.compare_file"):
        monkeypatch.setattr(f"evaluation.report.compare.{place}", None)
    monkeypatch.setattr("evaluation.report.compare.tables.compare_rows", None)
    comparison = compare_runs(*runs)
    assert (comparison.level, comparison.same, comparison.causes) == ("identical", True, [])


def test_a_run_is_identical_to_its_copy(runs):
    comparison = compare_runs(*runs)
    assert comparison.level == "identical"
    assert comparison.count()["cells"] == {"identical": 3 * 6 + 2 * 3 + 2 * 2}
    assert comparison.lines()[1].startswith("The same")


@pytest.mark.parametrize(
    ("value", "level"),
    [
        (5.4585773 * (1 + 5e-9), "close"),
        (5.4585773 * (1 + 5e-8), "different"),
        (5.46, "different"),
        (None, "different"),
        ("5.4585773", "different"),
    ],
)
def test_a_number_of_a_table(runs, value, level):
    before, after = runs
    edit_results(after, set_cell("effects", 0, "estimate", value))
    comparison = compare_runs(before, after)
    [row] = exhibit_of(comparison, "effects").rows
    [cell] = row.cells
    assert comparison.level == level == exhibit_of(comparison, "effects").level
    assert (row.label, cell.column) == ("imputation · 2019", "estimate")
    assert (cell.before, cell.after) == (5.4585773, value)
    assert exhibit_of(comparison, "findings").level == "identical"


def test_the_tolerance_is_what_it_is_said_to_be(runs):
    before, after = runs
    edit_results(after, set_cell("effects", 0, "estimate", 5.5))
    assert compare_runs(before, after, tolerance=0.01).level == "close"
    with pytest.raises(ReportError, match="tolerance is 2"):
        compare_runs(before, after, tolerance=2)


def test_numbers_that_are_nothing_beside_their_column_count_as_equal(runs):
    before, after = runs
    edit_results(before, set_cell("effects", 1, "conf_low", 1e-16))
    edit_results(after, set_cell("effects", 1, "conf_low", -3e-16))
    assert exhibit_of(compare_runs(before, after), "effects").level == "close"


def test_the_end_of_bounds_is_named(runs):
    before, after = runs
    bounds = {"lower": 10, "lower_closed": True, "upper": 12.5, "upper_closed": False}
    edit_results(after, set_cell("findings", 0, "strict", bounds))
    [row] = exhibit_of(compare_runs(before, after), "findings").rows
    assert [(c.column, c.before, c.after) for c in row.cells] == [("strict: upper", None, 12.5)]


def test_one_inserted_row_is_one_row(runs):
    before, after = runs

    def insert(exhibits, results):
        rows = exhibits["effects"]["rows"]
        rows.insert(1, {**rows[0], "cohort": "2018", "estimate": 1.0})

    edit_results(after, insert)
    exhibit = exhibit_of(compare_runs(before, after), "effects")
    [row] = exhibit.rows
    assert (row.label, row.sides[0], exhibit.level) == ("imputation · 2018", None, "different")
    assert exhibit.n_cells == {"identical": 18, "different": 6}


def test_a_caption_a_note_and_a_column(runs):
    before, after = runs

    def change(exhibits, results):
        exhibits["effects"]["caption"] = "The effects"
        exhibits["findings"]["columns"].remove("claims")

    edit_results(after, change)
    comparison = compare_runs(before, after)
    assert [t.place for t in exhibit_of(comparison, "effects").texts] == ["caption"]
    [column] = exhibit_of(comparison, "findings").texts
    assert (column.place, column.before, column.after) == ("column", "claims", None)


def test_an_exhibit_that_only_one_run_has_or_shows(runs):
    before, after = runs

    def change(exhibits, results):
        exhibits["effects"] |= {"columns": ["absent"], "rows": [{"absent": "No panel."}]}
        results["exhibits"].remove(exhibits["findings"])

    edit_results(after, change)
    comparison = compare_runs(before, after)
    [reason] = exhibit_of(comparison, "effects").texts
    assert (reason.place, reason.after) == ("absent", "No panel.")
    assert exhibit_of(comparison, "findings").captions == ("Findings", None)
    assert comparison.count()["tables"] == {"different": 2}


def test_names_hashes_and_versions_are_no_difference(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    packages = {"village-evaluation": "0.1.0", "pandas": "3.0.1", "numpy": "2.3.0"}
    after = make_run(tmp_path / "hills-11111111", packages=packages, python="3.12.1")
    edit(after / "report.html", "pandas 3.0.0", "pandas 3.0.1")
    (after / "figures" / "paths.svg").write_text(
        DRAWING.replace("v3.10.7", "v3.11.0").replace("m1a2b", "m9f8e"), encoding="utf-8"
    )
    comparison = compare_runs(before, seal(after))
    assert comparison.level == "canonical"
    assert exhibit_of(comparison, "paths").level == "canonical"
    assert {s.level for s in comparison.sentences} == {"canonical"}
    assert "What differs between the runs changes no result." in comparison.lines()
    assert any("pandas 3.0.0 -> 3.0.1" in line for line in comparison.lines())


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("5.46", "5.47", "close"),
        ("5.46", "5.48", "different"),
        ("5.46", "5.460", "different"),
        ("82 villages", "83 villages", "different"),
        ("simulated", "invented", "different"),
        ("<p>All of it is simulated.</p>", "", "different"),
        ("By Python", "With Python", "canonical"),  # the part that describes the run
    ],
)
def test_a_sentence(runs, old, new, level):
    before, after = runs
    edit(after / "report.html", old, new)
    comparison = compare_runs(before, seal(after))
    assert comparison.level == level
    assert len(comparison.sentences) == (level != "canonical")
    assert exhibit_of(comparison, "effects").level == "identical"


def test_a_sentence_is_told_with_its_chapter_and_both_wordings(runs):
    before, after = runs
    edit(after / "report.html", "It holds in 82", "It no longer holds in 82")
    [text] = compare_runs(before, seal(after)).sentences
    assert text.place == "summary"
    assert text.before == "It holds in 82 villages."
    assert text.after == "It no longer holds in 82 villages."


def test_what_a_table_displays_counts_though_its_numbers_are_the_same(runs):
    before, after = runs
    edit(after / "report.html", "<td>5.46</td>", "<td>5.96</td>")
    exhibit = exhibit_of(compare_runs(before, seal(after)), "effects")
    [text] = exhibit.texts
    assert (text.place, text.before, text.after) == ("shown", "5.46", "5.96")
    assert exhibit.level == "different"


def test_a_figure_is_judged_by_what_it_plots_then_drawn_then_by_its_pixels(runs):
    before, after = runs
    svg, png = (after / "figures" / f"paths{end}" for end in (".svg", ".png"))

    svg.write_text(DRAWING.replace("1.250000", "1.250001"), encoding="utf-8")
    assert exhibit_of(compare_runs(before, seal(after)), "paths").picture == "close"

    svg.write_text(DRAWING.replace("<defs>", "<g/><defs>"), encoding="utf-8")
    figure = exhibit_of(compare_runs(before, seal(after)), "paths")
    assert (figure.level, figure.pixels) == (
        "canonical",
        0.0,
    )  # drawn otherwise, looks the same

    pixels = np.zeros((4, 5, 3))
    pixels[0, :2] = 1
    imsave(png, pixels)
    figure = exhibit_of(compare_runs(before, seal(after)), "paths")
    assert (figure.level, figure.pixels) == ("different", pytest.approx(0.1))

    edit_results(after, set_cell("paths", 0, "mean", 9.0))
    figure = exhibit_of(compare_runs(before, after), "paths")
    assert [row.label for row in figure.rows] == ["year 2019"]
    assert (figure.level, figure.pixels) == ("different", None)


def test_a_picture_that_was_replaced_is_different_though_the_other_is_as_it_was(runs):
    before, after = runs
    (after / "figures" / "paths.svg").write_text("<svg><g/></svg>", encoding="utf-8")
    comparison = compare_runs(before, after)
    assert exhibit_of(comparison, "paths").level == "different"
    assert [(c.kind, c.name) for c in comparison.causes] == [("altered", "figures/paths.svg")]


def test_a_table_file_alone(runs):
    before, after = runs
    edit(after / "tables" / "effects.csv", "5.4585773", "5.9585773")
    comparison = compare_runs(before, after)
    [file] = comparison.files
    assert (file.name, file.level) == ("tables/effects.csv", "different")
    assert file.why == "line 2: estimate: 5.4585773 → 5.9585773"
    assert all(exhibit.level == "identical" for exhibit in comparison.exhibits)


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ('"took": 1.0', '"took": 2.0', "canonical"),
        ('"x = 1"', '"x = 2"', "canonical"),
        ("1.25 of all", "1.26 of all", "close"),
        ("1.25 of all", "7.25 of all", "different"),
    ],
)
def test_a_notebook_counts_by_what_it_shows(runs, old, new, level):
    before, after = runs
    edit(after / "notebooks" / "4_effect.ipynb", old, new)
    [file] = compare_runs(before, seal(after)).files
    assert file.level == level


@pytest.mark.parametrize(
    ("number", "level"), [(25, "canonical"), (25.0 + 1e-9, "close"), (25.1, "different")]
)
def test_an_exhibit_in_a_notebook_counts_by_its_numbers(tmp_path, number, level):
    paths = []
    for n, value in enumerate((25.0, number)):
        carried = {"name": "jobs", "rows": [["East", value, None]]}
        data = {MIME: carried, "text/plain": f"   jobs {value!r}"}
        output = {"output_type": "display_data", "data": data}
        paths.append(tmp_path / f"{n}.ipynb")
        paths[-1].write_text(json.dumps({"cells": [{"source": "x", "outputs": [output]}]}))
    assert compare_file(*paths, Judge())[0] == level


def test_a_figure_drawn_from_close_numbers_is_close_in_the_page_too(runs):
    before, after = runs
    for run, code in ((before, "AAAA"), (after, "BBBB")):
        picture = (
            f'<figure class="exhibit figure" id="paths"><img src="data:x,{code}"></figure>'
        )
        edit(run / "report.html", "<p>All of it", f"{picture}<p>All of it")
    edit_results(after, set_cell("paths", 0, "mean", 1.5 + 1e-10))
    drawn = DRAWING.replace("1.250000", "1.250001")
    (after / "figures" / "paths.svg").write_text(drawn, encoding="utf-8")
    assert exhibit_of(compare_runs(seal(before), seal(after)), "paths").level == "close"


def test_a_word_file_counts_by_its_text(tmp_path):
    files = []
    for n, text in enumerate(("A rise of 5.46.", "A rise of 5.46.", "A fall.")):
        document = Document()
        document.add_paragraph(text)
        document.core_properties.comments = "made"
        files.append(tmp_path / f"{n}.docx")
        document.save(files[-1])
    with zipfile.ZipFile(files[1], "a") as file:
        file.writestr("docProps/custom.xml", "<made>2026-01-01T00:00:00Z</made>")
    with zipfile.ZipFile(files[0], "a") as file:
        file.writestr("docProps/custom.xml", "<made>2027-01-01T00:00:00Z</made>")
    assert compare_file(files[0], files[1], Judge())[0] == "canonical"
    level, why = compare_file(files[0], files[2], Judge())
    assert level == "different"
    assert "docProps/custom.xml" in why or "A rise" in why


def test_what_was_asked_for_in_one_run_alone_does_not_count(runs):
    before, after = runs
    (after / "latex" / "tables").mkdir(parents=True)
    (after / "latex" / "report.tex").write_text("x", encoding="utf-8")
    (after / "latex" / "tables" / "effects.tex").write_text("x", encoding="utf-8")
    comparison = compare_runs(before, seal(after))
    assert [(f.name, f.counts) for f in comparison.files] == [("latex/", False)]
    assert comparison.level == "identical"
    (after / "tables" / "findings.csv").unlink()
    assert compare_runs(before, seal(after)).level == "different"


def test_runs_in_two_languages_are_compared_by_their_numbers(runs):
    before, after = runs

    def translate(exhibits, results):
        results["language"] = "zh"
        for row in exhibits["effects"]["rows"]:
            row["estimator"] = {"imputation": "插补", "twfe": "双向固定效应"}[row["estimator"]]
            row["unit"] = "万元，2022 年价格"
        exhibits["effects"]["caption"] = "效应"

    edit_results(after, translate)
    edit(after / "report.html", "All of it is simulated.", "全部为模拟数据。")
    comparison = compare_runs(before, seal(after))
    assert comparison.level == "canonical"  # results.json is not the same bytes
    assert [(c.before, c.after) for c in comparison.causes if c.kind == "language"] == [
        ("en", "zh")
    ]
    assert any("two languages" in line for line in comparison.lines())
    edit_results(after, set_cell("effects", 2, "estimate", 5.5))
    assert (
        exhibit_of(compare_runs(before, after), "effects").rows[0].label
        == "双向固定效应 · 2019"
    )


def test_a_damaged_run_is_refused_with_what_is_wrong(runs, tmp_path):
    before, after = runs
    with pytest.raises(ReportError, match="no such folder"):
        compare_runs(before, tmp_path / "nowhere")
    (after / "results.json").write_text("{", encoding="utf-8")
    with pytest.raises(ReportError, match=r"results\.json: cannot be read"):
        compare_runs(before, after)


def test_the_data_for_a_program(runs):
    before, after = runs
    edit_results(after, set_cell("effects", 0, "estimate", 6.0))
    data = json.loads(json.dumps(compare_runs(before, after).data()))
    assert (data["verdict"], data["same"]) == ("different", False)
    assert data["moves"][0]["before"] == 5.4585773
    assert data["different"]["exhibits"] == ["effects"]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        ({"conf_low": -0.5}, HOLDS_ZERO),
        ({"conf_low": None, "conf_high": None}, NO_INTERVAL),
        ({"estimate": -2.0, "conf_low": -3.0, "conf_high": -1.0}, OTHER_SIGN),
        ({"unit": "元"}, OTHER_UNIT),
        ({}, ""),
    ],
)
def test_what_a_change_of_an_estimate_means_is_said(runs, change, remark):
    before, after = runs
    edit_results(
        after,
        lambda exhibits, _: exhibits["effects"]["rows"][0].update({"estimate": 6.0} | change),
    )
    [move] = compare_runs(before, after).moves
    assert (move.row, move.remark) == ("imputation · 2019", remark)
    assert move.ends[0] == (4.9, 6.0)


def test_a_failed_run_is_not_compared(runs, monkeypatch):
    record = {"error": "a cell failed"}
    monkeypatch.setattr("evaluation.report.compare.run.read_record", lambda run: record)
    with pytest.raises(ReportError, match="a run that failed"):
        compare_runs(*runs)


NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(NUMBERS, NUMBERS)
def test_the_tolerance_is_symmetric_and_holds_its_definition(a, b):
    judge = Judge()
    assert judge.numbers(a, b) == judge.numbers(b, a)
    same = judge.numbers(a, b) != "different"
    assert same == (a == b or abs(a - b) <= TOLERANCE * max(abs(a), abs(b)))


@given(st.floats(1e-3, 1e9), st.floats(-0.9, 0.9))
def test_a_change_within_the_tolerance_is_close_at_every_scale(value, share):
    assert Judge().numbers(value, value * (1 + share * TOLERANCE)) in ("identical", "close")


@given(st.integers(0, 10**6), st.integers(2, 9))
def test_printed_numbers_a_unit_apart_are_close_and_two_units_are_not(n, step):
    a, b, c = (f"{value / 100:.2f}" for value in (n, n + 1, n + step))
    judge = Judge()
    assert judge.phrases(f"of {a} a year", f"of {b} a year") == "close"
    assert judge.phrases(f"of {a} a year", f"of {c} a year") == "different"


# A whole run, as it is made.


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return run_report(JINING, out=tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("results.json", '"lower": 15.675', '"lower": 15.685', "hedged_figures"),
        ("tables/income_by_county.csv", "15.675", "15.685", ""),
        ("tables/income_by_county.tex", "15.675", "15.685", ""),
        (
            "report.html",
            '<strong><span class="number">[15.675',
            '<strong><span class="number">[15.676',
            "income_by_county",
        ),
        ("figures/income.svg", "<path ", '<path opacity="0" ', "income"),
    ],
)
def test_one_digit_of_a_whole_run_is_found_where_it_stands(
    real, tmp_path, file, old, new, found
):
    copy = shutil.copytree(real, tmp_path / real.name)
    assert compare_runs(real, copy).level == "identical"
    edit(copy / file, old, new)
    comparison = compare_runs(real, copy)
    assert comparison.level != "identical"
    assert [(c.kind, c.name) for c in comparison.causes] == [("altered", file)]
    assert file in [f.name for f in comparison.files]
    if found:
        assert found in [e.name for e in comparison.exhibits if e.level != "identical"]


def test_every_sentence_and_exhibit_of_a_whole_run_is_compared(real, tmp_path):
    copy = shutil.copytree(real, tmp_path / "jining_2021-00000000")
    page = copy / "report.html"
    page.write_text(page.read_text("utf-8").replace(real.name, copy.name) + "\n", "utf-8")
    comparison = compare_runs(real, copy)
    assert comparison.level == "canonical"
    assert comparison.n_sentences > 100
    results = json.loads((real / "results.json").read_text("utf-8"))
    assert len(comparison.exhibits) == len(results["exhibits"])
    assert comparison.count()["cells"]["identical"] > 5000
