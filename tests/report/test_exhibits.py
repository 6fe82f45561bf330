"""Exhibits carry their numbers at full precision and escape what users typed."""

import math
from fractions import Fraction

import pandas as pd
import pytest
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.errors import ReportError
from evaluation.report.cells import html_claims, html_table
from evaluation.report.exhibits import MIME, Exhibit, flatten_bounds, save_exhibit, to_json
from evaluation.report.files.table_files import MOST_WORD_ROWS


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "../x"}, r"exhibit '\.\./x': name it in letters, digits, _ and -"),
        ({"name": ""}, "exhibit '': name it"),
        ({"kind": "picture"}, "its kind is 'picture'; give table or figure"),
        ({"kind": "figure"}, "make a figure by figure_exhibit"),
        ({"data": pd.DataFrame([[1, 2]], columns=["a", "a"])}, "two columns .* one name"),
    ],
)
def test_an_exhibit_that_no_run_could_write_is_refused(given, message):
    fine = {"name": "调查-1", "kind": "table", "data": pd.DataFrame({"a": [1]})}
    rest = {"caption": "x", "body": Markup("x"), "simulated": False}
    Exhibit(**fine, **rest)
    with pytest.raises(ReportError, match=message):
        Exhibit(**fine | given, **rest)


def test_bounds_become_their_ends():
    assert to_json(Bounds(1, math.inf, lower_closed=False)) == {
        "lower": 1,
        "upper": None,
        "lower_closed": False,
        "upper_closed": False,
    }
    assert to_json(Fraction(371, 18)) == 371 / 18
    assert [to_json(x) for x in (None, math.nan, pd.NA, "a", True)] == [
        None,
        None,
        None,
        "a",
        True,
    ]


def test_bounds_are_four_columns_in_a_csv():
    half_open = to_json(Bounds(Fraction("15.675"), Fraction("15.685"), upper_closed=False))
    endless = to_json(Bounds.at_least(10))
    table = flatten_bounds(["county", "level"], [["a", half_open], ["b", endless], ["c", None]])
    assert table.to_csv(index=False) == (
        "county,level_lower,level_upper,level_lower_closed,level_upper_closed\n"
        "a,15.675,15.685,1,0\n"
        "b,10,inf,1,0\n"
        "c,,,,\n"
    )


def test_what_a_user_typed_is_escaped():
    frame = pd.DataFrame({"<b>": ["<script>", Markup("<em>ours</em>")]}, dtype=object)
    html = html_table(frame)
    assert "&lt;b&gt;" in html
    assert "&lt;script&gt;" in html
    assert "<em>ours</em>" in html


def test_groups_become_headings():
    frame = pd.DataFrame({"g": ["x", "x", "y"], "a": [1, 2, 3]})
    html = html_table(frame, group="g")
    assert html.count('class="group"') == 2
    assert html.count('scope="row"') == 3


def test_claims_are_linked():
    assert html_claims("C048 C055").count('href="#C0') == 2


def table(**options):
    given = {"data": pd.DataFrame({"x": [1]}), "body": Markup("")} | options
    return Exhibit(name="t", kind="table", caption="A & B", **given)


def test_simulated_data_are_said_to_be():
    assert "SIMULATED data. Note" in table(simulated=True, note="Note").to_html()
    assert "SIMULATED" not in table(simulated=False).to_html()


def test_an_exhibit_shows_itself_and_carries_its_data():
    bundle = table(simulated=False)._repr_mimebundle_()
    assert "A &amp; B" in bundle["text/html"]
    assert bundle[MIME]["columns"] == ["x"]
    assert bundle[MIME]["rows"] == [[1]]


def test_an_exhibits_own_files_are_written_in_place_of_the_table_displayed(tmp_path):
    (tmp_path / "tables").mkdir()
    exhibit = table(
        simulated=False,
        body=html_table(pd.DataFrame({"a": ["1"], "b": ["2"]})),
        files={".tex": b"\\toprule", "_zh.docx": b"PK\x00\xff"},
    )
    bundle = exhibit._repr_mimebundle_()
    assert "base64" not in bundle["text/html"]
    saved = save_exhibit(bundle, tmp_path)
    assert saved["rows"] == [{"x": 1}]
    assert saved["files"] == [".csv", ".tex", ".docx", "_zh.docx"]
    written = {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir()}
    assert {f"t{end}" for end in saved["files"]} == set(written)
    assert written["t.csv"] == b"\xef\xbb\xbfx\n1\n"
    assert written["t.tex"] == b"\\toprule" and written["t_zh.docx"] == b"PK\x00\xff"
    assert written["t.docx"].startswith(b"PK\x03\x04")


def test_a_table_too_long_for_word_says_so(tmp_path):
    (tmp_path / "tables").mkdir()
    many = pd.DataFrame({"a": ["1"] * (MOST_WORD_ROWS + 1)})
    exhibit = table(simulated=False, body=html_table(many))
    saved = save_exhibit(exhibit._repr_mimebundle_(), tmp_path)
    assert saved["files"] == [".csv", ".tex"]
    assert saved["left_out"] == "No Word file: the table is too long for one."


def test_a_notebook_shows_an_exhibit_in_its_own_theme():
    bundle = table(simulated=False)._repr_mimebundle_()
    assert bundle["text/html"].startswith("<style>")
    rules = bundle["text/html"].split("</style>")[0].removeprefix("<style>")
    selectors = [rule.split("{")[0] for rule in rules.split("}") if rule]
    assert all(
        part.startswith(".jp-RenderedHTMLCommon .exhibit")
        for rule in selectors
        for part in rule.split(",.")[:1]
    )
    assert "<style>" not in table(simulated=False).to_html()


def test_an_exhibit_without_files_says_nothing_of_them(tmp_path):
    bundle = table(simulated=False)._repr_mimebundle_()
    assert "files" not in bundle[MIME]
    assert save_exhibit({"text/plain": "1"}, tmp_path) is None
