"""Collective income from its kinds: what it is made of, and when its parts do not add up."""

import numpy as np
import pytest

from evaluation.errors import DataError
from tests.data.typed_studies import read_typed

EXACT = 1e-12  # the same arithmetic, in another order
NAN = np.nan
ROWS = """
    vill year op  con sub all
    a    2018 3.5 1.2 2.0 6.7
    a    2019 4   1   0   5
    b    2018 -   1   1   -
    b    2019 2   0   0.5 2.5
    """
COLUMNS = {"operating": "op", "contracted": "con", "subsidy": "sub", "total": "all"}
INDEX = "year index\n2018 100\n2019 125"


def said(*kinds, more="", basis="real", unit="万元"):
    income = ", ".join(f"{k}: {{column: {COLUMNS[k]}, unit: {unit}}}" for k in kinds)
    return f"""
        prices: {{basis: {basis}, base_year: 2019, index: prices.csv}}
        panel:
          file: villages.csv
          village: vill
          year: year
          income: {{{income}}}
          {more}
        """


def read(folder, text, rows=ROWS):
    return read_typed(folder, text, villages=rows, prices=INDEX)


def told(data):
    return [p.message for p in data.problems if p.level == "warning"]


def test_subsidies_are_left_out(tmp_path):
    data = read(tmp_path, said("operating", "contracted", "subsidy", "total"))
    # 3.5 + 1.2 and 4 + 1; b's operating income of 2018 is not known; 2 + 0
    np.testing.assert_allclose(
        data.panel.matrix("income"),
        [[47_000, 50_000], [NAN, 20_000]],
        rtol=EXACT,
    )
    assert data.panel.variables["income"].column == "op + con"
    assert data.panel.variables["income"].label == "collective income without subsidies"
    assert data.panel.outcome == "income"
    assert told(data) == [
        "village-years without an income because a kind of it is missing or hedged",
    ]


def test_subsidies_may_be_included_and_then_a_warning_says_what_that_means(tmp_path):
    kinds = ("operating", "contracted", "subsidy")
    data = read(tmp_path, said(*kinds, more="subsidies: included"))
    # 3.5 + 1.2 + 2 and 4 + 1 + 0; 2 + 0 + 0.5
    np.testing.assert_allclose(
        data.panel.matrix("income"),
        [[67_000, 50_000], [NAN, 25_000]],
        rtol=EXACT,
    )
    assert data.panel.variables["income"].label == "collective income"
    assert any("the outcome may hold subsidies" in message for message in told(data))


def test_a_total_less_subsidies(tmp_path):
    data = read(tmp_path, said("total", "subsidy"))
    # 6.7 - 2 and 5 - 0; 2.5 - 0.5
    np.testing.assert_allclose(
        data.panel.matrix("income"),
        [[47_000, 50_000], [NAN, 20_000]],
        rtol=EXACT,
    )
    assert data.panel.variables["income"].column == "all - sub"
    assert not any("may hold subsidies" in message for message in told(data))


def test_a_total_alone_warns(tmp_path):
    data = read(tmp_path, said("total"))
    np.testing.assert_allclose(
        data.panel.matrix("income"), [[67_000, 50_000], [NAN, 25_000]], rtol=EXACT
    )
    assert any("the outcome may hold subsidies" in message for message in told(data))


def test_kinds_without_subsidies_need_no_warning(tmp_path):
    data = read(tmp_path, said("operating", "contracted"))
    assert not any("may hold subsidies" in message for message in told(data))


def test_income_in_prices_of_the_base_year(tmp_path):
    data = read(tmp_path, said("operating", "contracted", basis="nominal"))
    # (3.5 + 1.2) * 10,000 * 125 / 100
    assert data.panel.matrix("income")[0, 0] == pytest.approx(58_750, rel=EXACT)


def test_kinds_may_be_in_different_units(tmp_path):
    text = said("operating", "contracted").replace(
        "{column: con, unit: 万元}", "{column: con, unit: 元}"
    )
    data = read(tmp_path, text, "vill year op con\na 2018 3.5 1200")
    assert data.panel.matrix("income").tolist() == [[36_200]]


@pytest.mark.parametrize("basis", ["real", "nominal"])
@pytest.mark.parametrize(
    ("op", "con", "total", "adds_up"),
    [
        ("3.5", "1.2", "4.7", True),
        # Printed to 0.1: 3.5 may be 3.45, 1.2 may be 1.15, 4.7 may be 4.75: 0.15 in all.
        ("3.5", "1.2", "4.8", True),
        ("3.5", "1.2", "4.6", True),
        ("3.5", "1.2", "4.9", False),
        ("3.5", "1.2", "4.5", False),
        # Printed to 0.01: 0.015 in all.
        ("3.51", "1.25", "4.77", True),
        ("3.51", "1.25", "4.80", False),
        # Printed to 1: 1.5 in all.
        ("3", "1", "5", True),
        ("3", "1", "6", False),
    ],
)
def test_parts_add_up_but_for_rounding(tmp_path, op, con, total, adds_up, basis):
    # Other cells of each column have as many decimals as the one in question.
    decimals = len(op.partition(".")[2])
    one, none, two = f"{1 + 10**-decimals:.{decimals}f}", f"{10**-decimals:.{decimals}f}", ""
    two = f"{float(one) + float(none):.{decimals}f}"
    rows = f"vill year op con all\nb 2018 {one} {none} {two}\na 2018 {op} {con} {total}"
    text = said("operating", "contracted", "total", basis=basis)
    if adds_up:
        assert told(read(tmp_path, text, rows)) == []
    else:
        with pytest.raises(DataError, match=r"op \+ con is not all: 'a 2018'"):
            read(tmp_path, text, rows)


def test_a_missing_part_agrees_with_any_total(tmp_path):
    rows = "vill year op con all\na 2018 - 1.2 9.9\na 2019 1 2 3"
    data = read(tmp_path, said("operating", "contracted", "total"), rows)
    np.testing.assert_array_equal(np.isnan(data.panel.matrix("income")), [[True, False]])


def test_logs_of_kinds_are_added_as_levels(tmp_path):
    text = said("operating", "contracted").replace("万元}", "元, scale: log1p}")
    rows = f"vill year op con\na 2018 {np.log(101)} {np.log(51)}"
    data = read(tmp_path, text, rows)
    np.testing.assert_allclose(data.panel.matrix("income"), [[100 + 50]], rtol=EXACT)
