"""Exhibits carry their numbers at full precision and escape what users typed."""

import base64
import math
import re
from fractions import Fraction

import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.report.exhibits import (
    MIME,
    Exhibit,
    flatten_bounds,
    html_claims,
    html_table,
    save_exhibit,
    to_json,
)


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
    data = pd.DataFrame({"x": [1]})
    return Exhibit(
        name="t", kind="table", caption="A & B", data=data, body=Markup(""), **options
    )


def test_simulated_data_are_said_to_be():
    assert "SIMULATED data. Note" in table(simulated=True, note="Note").to_html()
    assert "SIMULATED" not in table(simulated=False).to_html()


def test_an_exhibit_shows_itself_and_carries_its_data():
    bundle = table(simulated=False)._repr_mimebundle_()
    assert "A &amp; B" in bundle["text/html"]
    assert bundle[MIME]["columns"] == ["x"]
    assert bundle[MIME]["rows"] == [[1]]


def test_an_exhibits_files_can_be_downloaded_from_the_page_and_are_written(tmp_path):
    (tmp_path / "tables").mkdir()
    exhibit = table(simulated=False, files={".tex": b"\\toprule", "_zh.docx": b"PK\x00\xff"})
    bundle = exhibit._repr_mimebundle_()
    links = re.findall(r'<a download="([^"]+)" href="data:[^,]+,([^"]+)">', bundle["text/html"])
    assert [(name, base64.b64decode(file)) for name, file in links] == [
        ("t.tex", b"\\toprule"), ("t_zh.docx", b"PK\x00\xff"),
    ]  # fmt: skip
    saved = save_exhibit(bundle, tmp_path)
    assert saved["rows"] == [{"x": 1}] and "files" not in saved
    written = {path.name: path.read_bytes() for path in (tmp_path / "tables").iterdir()}
    assert written.pop("t.csv") == b"\xef\xbb\xbfx\n1\n"
    assert written == {"t.tex": b"\\toprule", "t_zh.docx": b"PK\x00\xff"}


def test_an_exhibit_without_files_says_nothing_of_them(tmp_path):
    bundle = table(simulated=False)._repr_mimebundle_()
    assert "download" not in bundle["text/html"]
    assert "files" not in bundle[MIME]
    assert save_exhibit({"text/plain": "1"}, tmp_path) is None
