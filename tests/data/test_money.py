"""Money by hand: units, the shipped index, deflators, and units that drift."""

import numpy as np
import pandas as pd
import pytest

from evaluation.data.money import MoneyUnit, parse_money
from evaluation.data.prices import deflators, find_unit_drift, read_price_index
from evaluation.errors import DataError
from tests.data.typed_studies import read_typed, type_csv

EXACT = 1e-12  # the same arithmetic, in another order
NAN = np.nan


@pytest.mark.parametrize(
    ("unit", "currency", "factor"),
    [
        ("元", "CNY", 1),
        ("千元", "CNY", 1_000),
        ("万元", "CNY", 10_000),
        ("百万元", "CNY", 100 * 10_000),
        ("亿元", "CNY", 100_000_000),
        ("人民币", "CNY", 1),
        ("yuan", "CNY", 1),
        ("RMB", "CNY", 1),
        ("RMB/人", "CNY", 1),
        ("元/人", "CNY", 1),
        ("10,000 yuan", "CNY", 10_000),
        ("1000 yuan", "CNY", 1_000),
        ("USD", "USD", 1),
        ("thousand USD", "USD", 1_000),
        ("million IDR", "IDR", 1_000_000),
        ("billion IDR", "IDR", 1_000_000_000),
        (" 万元 ", "CNY", 10_000),
    ],
)
def test_units_of_money(unit, currency, factor):
    assert parse_money(unit) == MoneyUnit(currency, factor)


@pytest.mark.parametrize("unit", ["", "户", "亩", "%", "persons", "log", "ton", "days/year"])
def test_units_of_other_things(unit):
    assert parse_money(unit) is None


@pytest.mark.parametrize(
    "unit",
    [
        "万 元",
        "5000 yuan",
        "US dollars",
        "块钱",
        "usd",
        "mio IDR",
        "元人民币",
        "thousands of USD",
        "YUAN",
    ],
)
def test_money_that_is_not_read_is_an_error(unit):
    with pytest.raises(DataError, match="write 元, 千元, 万元, 亿元, or a currency's code"):
        parse_money(unit)


def test_the_shipped_index_by_hand():
    levels = read_price_index("china")
    assert (min(levels), max(levels)) == (1986, 2024)  # 1987 is the first year of inflation
    assert levels[1986] == 1
    assert levels[1987] / levels[1986] == pytest.approx(1.0723383553065609, rel=EXACT)
    # prices rose by 0.981015135544882 % in 2021 and by 1.97357555739051 % in 2022
    assert levels[2022] / levels[2020] == pytest.approx(
        1.00981015135544882 * 1.0197357555739051, rel=EXACT
    )


@pytest.mark.parametrize(
    "text",
    [
        "year index\n2018 100\n2019 110\n2020 121",
        "year index\n2020 121\n2018 100\n2019 110",  # in any order
        "year inflation_percent\n2019 10\n2020 10",  # the level of 2018 is where it starts
    ],
)
def test_an_index_of_levels_or_of_inflation(tmp_path, text):
    (tmp_path / "prices.csv").write_text(type_csv(text), encoding="utf-8")
    levels = read_price_index(tmp_path / "prices.csv")
    assert sorted(levels) == [2018, 2019, 2020]
    assert levels[2020] / levels[2018] == pytest.approx(1.1 * 1.1, rel=EXACT)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("year index\n2018 100\n2020 121", "years are not 2018 to 2020, each once"),
        ("year index\n2018 100\n2018 121", "years are not 2018 to 2018, each once"),
        ("year index\n2018 100\n2019 0", "prices must be positive"),
        ("year index\n2018 100\n2019 -", "give plain numbers"),
        ("year inflation_percent\n2018 -100", "prices must be positive"),
        ("year prices\n2018 100", "it has year, prices"),
    ],
)
def test_an_index_that_is_none_is_an_error(tmp_path, text, says):
    (tmp_path / "prices.csv").write_text(type_csv(text), encoding="utf-8")
    with pytest.raises(DataError, match=says):
        read_price_index(tmp_path / "prices.csv")


@pytest.mark.parametrize(
    ("base_year", "factors"),
    [
        (2018, [100 / 100, 100 / 110, 100 / 121]),
        (2019, [110 / 100, 110 / 110, 110 / 121]),
        (2020, [121 / 100, 121 / 110, 121 / 121]),
    ],
)
def test_deflators(base_year, factors):
    levels = {2018: 100.0, 2019: 110.0, 2020: 121.0}
    got = deflators(levels, [2018, 2019, 2020], base_year=base_year)
    np.testing.assert_allclose(got, factors, rtol=EXACT)


@pytest.mark.parametrize(("years", "base_year"), [([2017, 2018], 2018), ([2018], 2025)])
def test_a_year_that_the_index_lacks_is_an_error(years, base_year):
    with pytest.raises(DataError, match=r"the price index has 2018 to 2019, not 20(17|25);"):
        deflators({2018: 1.0, 2019: 1.1}, years, base_year=base_year)


def test_an_index_with_a_hole_stops_the_study(tmp_path):
    said = """
        prices: {basis: nominal, base_year: 2020, index: prices.csv}
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {y: {column: y, unit: 元}}
        """
    with pytest.raises(DataError, match=r"prices\.csv: its years are not 2018 to 2020"):
        read_typed(
            tmp_path,
            said,
            villages="vill year y\na 2018 1\na 2020 1",
            prices="year index\n2018 100\n2020 121",
        )


COUNTY = pd.Series(["汶上县"] * 2 + ["泗水县"] * 2 + ["金乡县"] * 2, dtype="str")
YEARS = np.array([2018, 2019, 2020])


def amounts():
    """Six villages in three counties, three years: between 2 and 7."""
    return np.array([[2.0, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7], [2, 4, 6], [3, 5, 7]])


def test_a_county_in_another_unit_is_named():
    drifted = amounts()
    drifted[2:4] *= 10_000
    assert [text.partition(":")[0] for text in find_unit_drift(drifted, YEARS, COUNTY)] == [
        "county 泗水县"
    ]
    (text,) = find_unit_drift(drifted, YEARS, COUNTY)
    # means of logs: sqrt[6]-like geometric means, 5.42 of 泗水县 beside 3.36 and 4.09
    assert text.endswith("(元 beside 万元?)")


def test_a_year_in_another_unit_is_named():
    drifted = amounts()
    drifted[:, 1] *= 1_000
    (text,) = find_unit_drift(drifted, YEARS, COUNTY)
    assert text.startswith("year 2019: ")
    assert text.endswith("times the others (元 beside 千元?)")


def test_a_smaller_unit_is_named_as_a_part():
    drifted = amounts()
    drifted[:, 0] /= 10_000
    (text,) = find_unit_drift(drifted, YEARS, COUNTY)
    assert text.startswith("year 2018: 1/")


@pytest.mark.parametrize("factor", [1_000, 10_000])
def test_one_year_of_one_county_is_named(factor):
    drifted = amounts()
    drifted[4:, 2] *= factor
    (text,) = find_unit_drift(drifted, YEARS, COUNTY)
    assert text.startswith("county 金乡县, 2020: ")


@pytest.mark.parametrize("rows", [slice(2, 4), slice(None)])
def test_a_hundred_times_is_no_other_unit(rows):
    drifted = amounts()
    drifted[rows, 1] *= 100
    assert find_unit_drift(drifted, YEARS, COUNTY) == []


def test_zeros_and_gaps_are_no_drift():
    drifted = amounts()
    drifted[0, 0], drifted[3, :] = 0, NAN
    assert find_unit_drift(drifted, YEARS, COUNTY) == []
    assert find_unit_drift(np.full((6, 3), NAN), YEARS, COUNTY) == []


def test_drift_in_a_file_is_a_warning_and_changes_nothing(tmp_path):
    said = """
        prices: {basis: real, base_year: 2020}
        panel:
          file: villages.csv
          village: {id: vill, county: county}
          year: year
          outcomes: {y: {column: y, unit: 万元}}
        """
    rows = """
        vill county year y
        a    East   2019 5
        b    East   2019 6
        c    West   2019 50000
        d    West   2019 60000
        e    North  2019 5
        """
    data = read_typed(tmp_path, said, villages=rows)
    (problem,) = [p for p in data.problems if "another order" in p.message]
    assert (problem.level, problem.count) == ("warning", 1)
    assert problem.places[0][1].startswith("county West: ")
    assert data.panel.matrix()[2, 0] == pytest.approx(50_000 * 10_000)
