"""Numbers as they are printed, and the rows of results.json that they come from."""

import pandas as pd
import pytest

from evaluation.bounds import Bounds
from evaluation.report.cells import html_table
from evaluation.report.exhibits import Exhibit, to_json
from evaluation.report.numbers.page import parse_part, read_shown
from evaluation.report.numbers.tables import check_tables
from evaluation.report.numbers.tokens import read_tokens

YEARS = [2018, 2019, 2020, 2021, 2022]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1,234.5 万元", [("1234.5", 1234.5)]),
        ("-0.3 to 0.2", [("0.3", -0.3), ("0.2", 0.2)]),
        ("\u22125", [("5", -5)]),
        ("857-861", [("857", 857), ("861", 861)]),
        ("（３５）％", [("35", 35)]),
        ("p < .001", [("0.001", 0.001)]),
        ("1.23e-07", [("1.23e-07", 1.23e-7)]),
        ("9.8万余元", [("9.8", 9.8)]),
    ],
)
def test_numbers_are_read_as_they_are_printed(text, numbers):
    _, tokens = read_tokens(text)
    assert [(token.plain, token.value) for token in tokens] == numbers


def test_a_code_is_a_word():
    (token,) = read_tokens("claim C048")[1]
    assert token.is_word and token.plain == "C048"


def show(cells, data, *, note=""):
    """Give an exhibit as the page has it, and as results.json has it."""
    exhibit = Exhibit(
        name="x", kind="table", caption="A table", note=note, data=data,
        body=html_table(cells), simulated=False,
    )  # fmt: skip
    rows = [{k: to_json(v) for k, v in row.items()} for row in data.to_dict("records")]
    saved = {"name": "x", "caption": "A table", "note": note, "rows": rows}
    return read_shown(parse_part(exhibit.to_html()))["x"], saved


def wrong(cells, data, *, note=""):
    found = check_tables("report.html", *show(cells, data, note=note))
    return [(f.row, f.column, f.printed, f.expected) for f in found.findings]


@pytest.fixture
def data():
    return pd.DataFrame(
        {
            "year": YEARS,
            "n": [1200, 1310, 1422, 15, 16],
            "share": [0.123, 0.455, 0.5, 0.987, 1.0],
            "gain": [-0.126, 2.5, 13.04, 0.004, -7.0],
            "yuan": [15_675.0, 20_611.0, 9_000.0, 120_400.0, 33.0],
            "p": [0.0004, 0.0213, 0.5, 0.9, 0.00001],
            "within": [Bounds(x / 7, x / 3, upper_closed=False) for x in (1, 2, 5, 11, 13)],
            "note": [f"{n} of {n + 3} villages known" for n in range(5)],
        }
    )


@pytest.fixture
def cells(data):
    return pd.DataFrame(
        {
            "Year": data["year"].astype(str),
            "Villages": [f"{n:,}" for n in data["n"]],
            "Share": [f"{share:.0%}" for share in data["share"]],
            "Gain": [f"{gain:z.2f}" for gain in data["gain"]],
            "In 万": [f"{yuan / 10_000:.3f}" for yuan in data["yuan"]],
            "p": ["< .001" if p < 0.001 else f"{p:.3f}"[1:] for p in data["p"]],
            "Within": [f"{bounds:2} 万元" for bounds in data["within"]],
            "Known": data["note"],
        },
        dtype=object,
    )


def test_numbers_rounded_scaled_and_in_words_are_their_rows(cells, data):
    assert wrong(cells, data) == []


@pytest.mark.parametrize(
    ("column", "row", "text", "expected"),
    [
        ("Villages", 0, "1,300", "1200"),
        ("Share", 1, "55%", "45.5"),
        ("Gain", 0, "0.13", "-0.126"),  # its sign is gone
        ("Gain", 2, "13.05", "13.04"),
        ("In 万", 3, "12.041", "12.04"),
        ("p", 1, ".031", "0.0213"),
        ("p", 0, "< .002", "0.0004"),
        ("Within", 1, "[0.29, 0.67) 万元", "0.2857142857"),  # rounded inwards
        ("Known", 4, "4 of 8 villages known", "7"),
    ],
)
def test_a_number_that_is_another_is_told_with_what_it_should_be(
    cells, data, column, row, text, expected
):
    cells.loc[row, column] = text
    ((_, told_column, printed, told),) = wrong(cells, data)
    assert told_column == column and printed in text
    assert told == expected


def test_a_number_of_another_column_is_told(cells, data):
    cells.loc[3, "Villages"] = "2,021"
    assert [found[:3] for found in wrong(cells, data)] == [("2021", "Villages", "2,021")]


def test_rows_may_be_left_out_and_grouped(cells, data):
    assert wrong(cells.iloc[[0, 2, 3, 4]], data) == []


def test_counties_side_by_side_are_told_apart(data):
    long = pd.DataFrame(
        [
            {"county": county, "year": year, "gain": 100 * i + j + 0.25}
            for i, county in enumerate(("East", "West", "North"), 1)
            for j, year in enumerate(YEARS)
        ]
    )
    wide = long.pivot(index="year", columns="county", values="gain").reset_index()
    cells = wide.map(str).astype(object)
    cells["year"] = [str(year) for year in YEARS]
    assert wrong(cells, long) == []
    cells.loc[2, "East"] = "202.25"  # which is West's of that year
    assert [found[:3] for found in wrong(cells, long)] == [("2020", "East", "202.25")]


def test_what_the_note_says_may_stand_in_words_and_not_as_a_number(cells, data):
    cells["Known"] = [f"{text}, per 7 of them" for text in cells["Known"]]
    assert len(wrong(cells, data)) == len(data) - 1  # one of them has 7 villages
    assert wrong(cells, data, note="Per 7 of them.") == []
    cells.loc[0, "Villages"] = "7"
    assert [found[:3] for found in wrong(cells, data, note="Per 7.")] == [
        ("2018", "Villages", "7")
    ]
