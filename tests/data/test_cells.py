"""Cells as numbers, years, dates and truths: read exactly, or named by their row."""

import numpy as np
import pytest

from evaluation.data.cells import read_dates, read_numbers, read_truths, read_years
from evaluation.data.problems import Problems
from tests.data.test_coded import type_column

NAN = np.nan


def errors(problems):
    return [problem for problem in problems if problem.level == "error"]


def read_one(cell, **options):
    problems = Problems()
    numbers = read_numbers(type_column([cell]), "x", problems, **options)
    assert not errors(problems), [str(problem) for problem in problems]
    return numbers.values[0]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12),
        ("-3.50", -3.5),
        ("+7", 7),
        (".5", 0.5),
        ("5.", 5),
        ("1e3", 1_000),
        ("1,234.5", 1_234.5),
        ("12,345,678", 12_345_678),
        ("１２．５", 12.5),
        ("１，２３４", 1_234),
        ("　３　", 3),
        ("一百二十", 100 + 20),
        ("两千", 2 * 1_000),
        ("三千零五", 3 * 1_000 + 5),
        ("十二", 12),
    ],
)
def test_numbers(cell, value):
    assert read_one(cell) == value


@pytest.mark.parametrize(
    ("cell", "unit", "value"),
    [
        ("12万", "元", 12 * 10_000),
        ("12万", "万元", 12),
        ("12万元", "万元", 12),
        ("1.5亿元", "万元", 1.5 * 10_000),
        ("3千元", "千元", 3),
        ("一百二十", "万元", 120),  # no scale printed: in the column's own
        ("两千元", "万元", 0.2),  # 2,000 / 10,000
        ("12万", "RMB", 120_000),
        ("12万", "万RMB", 12),
        ("12万", "10,000 yuan", 12),
        ("12万", "thousand yuan", 120),  # 120,000 / 1,000
        ("12万", "USD", 120_000),
        ("12万", "thousand USD", 120),
        ("12万", "million IDR", 0.12),  # 120,000 / 1,000,000
        ("12万", "亩", 120_000),
        ("12万", "万亩", 12),
        ("12万亩", "万亩", 12),
        ("一百二十", "万亩", 120),
        ("120户", "户", 120),
        ("12万", "元/人", 120_000),
        ("十二", "degrees", 12),
    ],
)
def test_printed_figures_are_given_in_the_columns_unit(cell, unit, value):
    assert read_one(cell, unit=unit) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    "cell",
    [
        "abc",
        "1 2",
        "12,34",
        "1,2345",
        "--",
        "5-6x",
        "N/A",
        "1.2.3",
        "12%",
        "½",
        "一百二",
        "inf",
    ],
)
def test_what_is_no_number_is_named(cell):
    problems = Problems()
    values = read_numbers(type_column(["1", cell]), "x", problems).values
    (problem,) = errors(problems)
    assert (problem.message, problem.column, problem.row_word) == ("not numbers", "x", "line")
    assert problem.places == ((3, cell),)
    np.testing.assert_array_equal(values, [1, NAN])


@pytest.mark.parametrize(
    ("cell", "unit"), [("12万户", "元"), ("12万元", "USD"), ("12万元", "户"), ("3户", "")]
)
def test_a_figure_of_another_unit_is_no_number_of_this_one(cell, unit):
    problems = Problems()
    read_numbers(type_column([cell]), "x", problems, unit=unit)
    assert len(errors(problems)) == 1


@pytest.mark.parametrize(
    ("cell", "unit", "lower", "upper"),
    [
        ("10余万", "万元", 10, 20),  # below one 十 more
        ("10万余", "万元", 10, 11),  # below one 万 more
        ("超过5万元", "元", 50_000, np.inf),
        ("不足3万", "万元", 0, 3),
        ("20至25", "万元", 20, 25),
        ("几十", "", 20, 100),
        ("10余万", "thousand USD", 100, 200),  # 100,000 / 1,000
    ],
)
def test_a_hedged_figure_is_bounds(cell, unit, lower, upper):
    problems = Problems()
    numbers = read_numbers(type_column(["1", cell]), "x", problems, unit=unit, keep_hedged=True)
    assert not errors(problems)
    np.testing.assert_array_equal(numbers.values, [1, NAN])
    (place,) = numbers.hedged
    assert place == 1
    bounds = numbers.hedged[1]
    assert (float(bounds.lower), float(bounds.upper)) == (lower, upper)


def test_a_hedged_figure_is_an_error_where_bounds_are_not_wanted():
    problems = Problems()
    read_numbers(type_column(["10余万"]), "x", problems, unit="元")
    assert errors(problems)[0].places == ((2, "10余万"),)


def test_words_for_missing_are_missing_and_counted():
    problems = Problems()
    table = type_column(["3", "-", "缺失", "", "-"])
    values = read_numbers(table, "x", problems, missing=["-", "缺失"]).values
    np.testing.assert_array_equal(values, [3, NAN, NAN, NAN, NAN])
    (note,) = problems
    assert (note.level, note.count) == ("note", 3)  # the empty cell needs no telling


def test_figures_in_words_are_told():
    problems = Problems()
    read_numbers(type_column(["3", "两千"]), "x", problems)
    (note,) = problems
    assert (note.level, note.places) == ("note", ((3, "两千"),))


def test_numbers_of_a_typed_file_stay_and_infinite_ones_are_named():
    problems = Problems()
    numbers = read_numbers(type_column([1.5, NAN, np.inf]), "x", problems)
    np.testing.assert_array_equal(numbers.values[:2], [1.5, NAN])
    (problem,) = errors(problems)
    assert (problem.message, problem.places) == ("infinite numbers", ((4, "inf"),))


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("2015", 2015),
        ("2015年", 2015),
        ("2015.0", 2015),
        ("２０１５", 2015),
        ("2015年度", 2015),
    ],
)
def test_years(cell, year):
    problems = Problems()
    assert read_years(type_column([cell]), "x", problems).to_array().tolist() == [year]
    assert not problems.found


@pytest.mark.parametrize(
    "cell", ["15", "1899", "2101", "2015-03-01", "20150301", "2015.5", "二〇一五", "year"]
)
def test_what_is_no_year_is_named(cell):
    problems = Problems()
    years = read_years(type_column(["2014", cell]), "x", problems).to_array()
    np.testing.assert_array_equal(years, [2014, NAN])
    (problem,) = problems
    assert (problem.level, problem.message, problem.places) == (
        "error",
        "not years",
        ((3, cell),),
    )


def test_years_of_a_typed_file():
    problems = Problems()
    years = read_years(type_column([2015.0, 2016.0, NAN]), "x", problems, required=False)
    np.testing.assert_array_equal(years.to_array(), [2015, 2016, NAN])
    assert not problems.found


def test_an_empty_year_is_an_error_where_each_row_needs_one():
    problems = Problems()
    read_years(type_column(["2015", ""]), "x", problems)
    assert [(p.message, p.places) for p in problems] == [("empty cells", ((3, ""),))]
    problems = Problems()
    read_years(type_column(["2015", ""]), "x", problems, required=False)
    assert not problems.found


def test_codes_of_years():
    problems = Problems()
    codes = {"0": 1991, "1": 1998}
    years = read_years(type_column(["1", "0", "2"]), "x", problems, values=codes).to_array()
    np.testing.assert_array_equal(years, [1998, 1991, NAN])
    assert errors(problems)[0].message == "none of 0, 1"


@pytest.mark.parametrize(
    ("cell", "year"),
    [
        ("2019/3/5", 2019),
        ("2019-03-05", 2019),
        ("2019年3月", 2019),
        ("2019.3", 2019),
        ("20190315", 2019),
        ("201903", 2019),
        ("03/05/2019", 2019),
        ("5 March 2019", 2019),
        ("2019-03-05 00:00:00", 2019),
        ("2019", 2019),
    ],
)
def test_dates_are_read_as_their_years(cell, year):
    problems = Problems()
    assert read_dates(type_column([cell]), "x", problems).to_array().tolist() == [year]
    assert not problems.found


@pytest.mark.parametrize("cell", ["2019-2020", "2019年至2021年", "3/5/19", "43529", "201913"])
def test_what_has_no_one_year_is_no_date(cell):
    problems = Problems()
    dates = read_dates(type_column(["", cell]), "x", problems).to_array()
    np.testing.assert_array_equal(dates, [NAN, NAN])
    assert [(p.message, p.places) for p in problems] == [("no dates", ((3, cell),))]


@pytest.mark.parametrize(
    ("cell", "truth"),
    [("是", 1), ("否", 0), ("yes", 1), ("No", 0), ("1.0", 1), ("0", 0), ("TRUE", 1), ("１", 1)],
)
def test_truths(cell, truth):
    problems = Problems()
    assert read_truths(type_column([cell]), "x", problems).to_array().tolist() == [truth]
    assert not problems.found


def test_what_is_neither_is_named():
    problems = Problems()
    truths = read_truths(type_column(["", "2", "maybe"]), "x", problems).to_array()
    np.testing.assert_array_equal(truths, [NAN, NAN, NAN])
    (problem,) = problems
    assert (problem.message, problem.places) == ("neither 1 nor 0", ((3, "2"), (4, "maybe")))
