"""Exhibits carry their numbers at full precision and escape what users typed."""

import math
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
