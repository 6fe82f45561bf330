"""Cells of few villages are not told, nor names that have a code."""

import json

import docx
import nbformat
import pandas as pd
import pytest
from markupsafe import Markup
from nbformat.v4 import new_code_cell, new_notebook, new_output

from evaluation.data.pseudonyms import COLUMNS, Pseudonyms
from evaluation.errors import ReportError
from evaluation.report import disclosure
from evaluation.report.cells import html_table
from evaluation.report.exhibits import MIME, Exhibit
from evaluation.report.plots import figure_exhibit, new_figure

ROWS = pd.DataFrame(
    {
        "county": ["a", "b", "c", "all"],
        "n_villages": [3, 9, 30, 42],
        "gain": [11.25, 22.25, 33.25, 30.25],
    }
)


def show(exhibit):
    output = new_output("display_data", data=exhibit._repr_mimebundle_())
    return new_notebook(cells=[new_code_cell("x", outputs=[output])])


def table(data=ROWS, body=None):
    return Exhibit(
        name="by_county", kind="table", caption="By county", data=data, simulated=False,
        body=html_table(data) if body is None else body,
    )  # fmt: skip


def bundle(notebook):
    return notebook.cells[0].outputs[0]["data"]


@pytest.mark.parametrize(
    ("sizes", "hidden"),
    [
        ([5, 9, 30, 44], []),
        ([3, 9, 30, 42], [0, 1]),  # 42 - 30 - 9 would tell 3
        ([1, 2, 30, 33], [0, 1, 2]),  # and 33 - 30 would tell 1 + 2, below 5
        ([3, 4, 30, 37], [0, 1]),
        ([0, 9, 30, 39], []),  # none is no village's
        ([None, 9, 30, 39], []),
    ],
)
def test_small_rows_and_those_that_would_tell_them(sizes, hidden):
    rows = [[name, size] for name, size in zip("abcd", sizes, strict=True)]
    assert disclosure.find_small(["county", "n_villages"], rows, 5) == hidden


def test_a_row_of_one_village_under_its_code_is_no_cell():
    rows = [["V-1", 1], ["V-2", 1], ["", 2], ["", 9]]
    assert disclosure.find_small(["village", "n_villages"], rows, 5) == [2, 3]


def test_an_average_without_a_few_villages_tells_theirs_unless_they_are_named():
    rows = [["", 1], ["", 2], ["", 9], ["V-1", 1]]
    assert disclosure.find_small(["villages", "n_left_out"], rows, 5) == [0, 1, 2]


def test_a_table_loses_the_numbers_of_small_rows():
    notebook = show(table())
    disclosure.protect_notebook(notebook, 5)
    shown = bundle(notebook)
    nbformat.validate(notebook)
    assert shown[MIME]["rows"] == [
        ["a", None, None], ["b", None, None], ["c", 30, 33.25], ["all", 42, 30.25],
    ]  # fmt: skip
    for text in ("11.25", "22.25", ">3<", ">9<"):
        assert text not in json.dumps(shown)
    assert "33.25" in shown["text/html"]
    assert "fewer than 5 villages" in shown["text/html"]
    assert "fewer than 5 villages" in shown[MIME]["note"]


def test_a_small_row_keeps_the_year_that_heads_it():
    data = pd.DataFrame(
        {"event_time": [0, 1, 2], "n_villages": [30, 4, 3], "gain": [1.0, 2.0, 3.0]}
    )
    notebook = show(table(data=data))
    disclosure.protect_notebook(notebook, 5)
    assert bundle(notebook)[MIME]["rows"] == [[0, 30, 1.0], [1, None, None], [2, None, None]]


def test_a_table_that_hides_nothing_stays_as_it_is():
    notebook = show(table())
    before = json.dumps(bundle(notebook))
    disclosure.protect_notebook(notebook, 3)
    assert json.dumps(bundle(notebook)) == before


def test_a_table_whose_rows_cannot_be_told_apart_is_left_out():
    notebook = show(table(body=Markup("<table><tbody><tr><td>11.25</td></tr></tbody></table>")))
    disclosure.protect_notebook(notebook, 5)
    text = json.dumps(bundle(notebook))
    assert "11.25" not in text
    assert "Not shown: it has cells of fewer than 5" in text
    assert "By county" in text


def test_a_figure_of_a_small_cell_is_left_out():
    figure = new_figure(2, 2)
    figure.subplots().plot([1, 2], [1, 2])
    exhibit = figure_exhibit(
        figure, name="f", caption="F", alt="from 11.25", data=ROWS, simulated=False
    )
    notebook = show(exhibit)
    disclosure.protect_notebook(notebook, 5)
    assert set(bundle(notebook)) == {"text/html", "text/plain", MIME}
    assert "11.25" not in json.dumps(bundle(notebook))


def test_a_name_that_has_a_code_is_found_in_any_file(tmp_path):
    row = ("V-22222", "village", "", "370831100201", "王家庄")
    pseudonyms = Pseudonyms(pd.DataFrame([row], columns=list(COLUMNS)))
    (tmp_path / "tables").mkdir()
    (tmp_path / "report.html").write_text("V-22222", encoding="utf-8")
    disclosure.check_names(tmp_path, pseudonyms)
    (tmp_path / "tables" / "x.csv").write_text("王家庄,1", encoding="utf-8")
    with pytest.raises(ReportError, match=r"tables/x.csv names the village, .* V-22222"):
        disclosure.check_names(tmp_path, pseudonyms)


def test_a_name_is_found_in_a_word_file_however_it_is_parted(tmp_path):
    row = ("V-22222", "village", "", "370831100201", "王家庄")
    pseudonyms = Pseudonyms(pd.DataFrame([row], columns=list(COLUMNS)))
    document = docx.Document()
    document.add_paragraph("V-22222")
    document.save(tmp_path / "x.docx")
    disclosure.check_names(tmp_path, pseudonyms)
    paragraph = document.add_paragraph("in 王")
    paragraph.add_run("家庄").bold = True
    document.save(tmp_path / "x.docx")
    with pytest.raises(ReportError, match=r"x\.docx names the village"):
        disclosure.check_names(tmp_path, pseudonyms)


def test_a_name_is_found_as_html_writes_it_and_not_in_other_words(tmp_path):
    row = ("V-22222", "village", "", "370831", "St. John's")
    pseudonyms = Pseudonyms(pd.DataFrame([row], columns=list(COLUMNS)))
    page = tmp_path / "report.html"
    page.write_text("0.370831 370831.5 a370831f 1370831 St. Johns's", encoding="utf-8")
    disclosure.check_names(tmp_path, pseudonyms)
    for text in ("<b>St. John&#39;s</b>", "<td>370831</td>", "to 370831."):
        page.write_text(text, encoding="utf-8")
        with pytest.raises(ReportError, match=r"report\.html names the village"):
            disclosure.check_names(tmp_path, pseudonyms)
