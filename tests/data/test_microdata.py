"""Households and persons as village-years, by hand and against the definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.microdata import take_statistic
from evaluation.data.study_panel import Statistic
from tests.data.test_panel import read_panel
from tests.data.typed_studies import find_problems, read_typed

EXACT = 1e-12  # the same arithmetic, in another order
GINI_TOLERANCE = 1e-9  # the double sum adds n^2 terms
NAN = np.nan


def take(statistic, values, weights=None, line=None):
    """Take a statistic of one group."""
    x = np.array(values, float)
    w = np.ones(len(x)) if weights is None else np.array(weights, float)
    spec = Statistic(column="x", statistic=statistic, line=line)
    return take_statistic(x, np.zeros(len(x), int), 1, spec, w)[0]


@pytest.mark.parametrize(
    ("statistic", "values", "weights", "expected"),
    [
        ("mean", [1, 2, 6], None, (1 + 2 + 6) / 3),
        ("mean", [1, 2, 6], [1, 1, 2], (1 + 2 + 2 * 6) / 4),
        ("total", [1, 2, 6], None, 1 + 2 + 6),
        ("total", [1, 2, 6], [1, 1, 2], 1 + 2 + 2 * 6),
        ("median", [6, 1, 2], None, 2),
        ("median", [4, 1, 2, 3], None, (2 + 3) / 2),  # half of 4 is reached at 2
        ("median", [1, 2, 6], [1, 1, 2], (2 + 6) / 2),  # half of 4 is reached at 2
        ("median", [1, 2, 6], [1, 1, 3], 6),  # half of 5 is passed at 6
        ("median", [1, 2, 6], [0.1, 0.2, 0.3], (2 + 6) / 2),  # 0.1 + 0.2 is half of 0.6
        ("median", [2, 2, 2, 9], None, 2),
        ("median", [5], None, 5),
        # |1-3| twice / (2 * 2^2 * mean 2) = 4 / 16
        ("gini", [1, 3], None, 0.25),
        ("gini", [3, 3, 3], None, 0),
        # one has all of it: (n - 1) / n
        ("gini", [0, 0, 0, 8], None, 0.75),
        # |1-2| + |1-6| + |2-6| = 10, twice / (2 * 3^2 * mean 3)
        ("gini", [6, 1, 2], None, 20 / 54),
        # 6 twice: |1-2| + 2 * 5 + 2 * 4 = 19, twice / (2 * 4^2 * mean 15/4)
        ("gini", [6, 1, 2], [2, 1, 1], 38 / 120),
    ],
)
def test_statistics(statistic, values, weights, expected):
    assert take(statistic, values, weights) == pytest.approx(expected, rel=EXACT, abs=EXACT)


@pytest.mark.parametrize(
    ("line", "weights", "share"),
    [(2, None, 1 / 3), (2.5, None, 2 / 3), (2.5, [1, 1, 2], 2 / 4), (0, None, 0)],
)
def test_the_share_below_a_line_leaves_the_line_out(line, weights, share):
    assert take("share_below", [1, 2, 6], weights, line) == pytest.approx(share, rel=EXACT)


INCOMES = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(1, 20)), min_size=1, max_size=25
).filter(lambda rows: any(x for x, _ in rows))


@given(INCOMES)
def test_the_gini_is_the_mean_difference_over_twice_the_mean(rows):
    x, w = np.array(rows, float).T
    differences = np.abs(x[:, None] - x[None, :]) * w[:, None] * w[None, :]
    mean = (w * x).sum() / w.sum()
    expected = differences.sum() / w.sum() ** 2 / (2 * mean)
    assert take("gini", x, w) == pytest.approx(expected, rel=GINI_TOLERANCE, abs=GINI_TOLERANCE)


@given(INCOMES)
def test_a_weight_is_as_many_rows(rows):
    x, w = np.array(rows, int).T
    for statistic in ("mean", "median", "total", "gini"):
        assert take(statistic, x, w) == pytest.approx(
            take(statistic, np.repeat(x, w)), rel=GINI_TOLERANCE, abs=GINI_TOLERANCE
        )


def test_groups_are_kept_apart_and_an_empty_one_is_missing():
    x, group = np.array([1.0, 9.0, 3.0, 5.0]), np.array([2, 0, 2, 0])
    for statistic, expected in {
        "mean": [7, NAN, 2],
        "median": [7, NAN, 2],
        "total": [14, NAN, 4],
        # |9-5| twice / (2 * 4 * 7), |3-1| twice / (2 * 4 * 2)
        "gini": [8 / 56, NAN, 4 / 16],
    }.items():
        spec = Statistic(column="x", statistic=statistic)
        result = take_statistic(x, group, 3, spec, np.ones(4))
        np.testing.assert_allclose(result, expected, rtol=EXACT)


HOUSEHOLDS = """
    vill year hh since pc   wgt lon
    a    2018 1  2019  1000 1   116.0
    a    2018 2  2019  2000 1   116.2
    a    2018 3  2019  6000 2   116.1
    a    2019 1  2019  3000 1   116.1
    b    2018 4  -     500  1   117
    b    2018 5  -     -    1   117
    b    2018 6  -     700  -   117
    b    2019 4  -     900  1   117
    b    2019 5  -     1100 1   117
    """


def said(aggregate, more=""):
    return f"""
        prices: {{basis: real, base_year: 2019}}
        panel:
          file: villages.csv
          village: vill
          year: year
          treatment: {{first_year: since}}
          aggregate: {aggregate}
          {more}
        """


def test_households_become_village_years(tmp_path):
    text = said(
        """{weights: wgt, minimum: 1, outcomes: {
             pc: {column: pc, statistic: mean, unit: 元},
             poor: {column: pc, statistic: share_below, line: 2300}}}""",
        "covariates: {lon: lon}",
    )
    data = read_typed(tmp_path, text, villages=HOUSEHOLDS)
    panel = data.panel
    assert list(panel.villages.index) == ["a", "b"]
    # (1000 + 2000 + 2 * 6000) / 4; of b in 2018 the value of 5 and the weight of 6 are missing
    np.testing.assert_allclose(panel.matrix("pc"), [[3_750, 3_000], [500, 1_000]], rtol=EXACT)
    np.testing.assert_allclose(panel.matrix("poor"), [[2 / 4, 0], [1, 1]], rtol=EXACT)
    np.testing.assert_allclose(panel.matrix("lon"), [[116.1, 116.1], [117, 117]], rtol=EXACT)
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])
    assert panel.outcome == "pc"


def test_small_village_years_are_missing_and_told(tmp_path):
    text = said("{minimum: 2, outcomes: {pc: {column: pc, statistic: median}}}")
    data = read_typed(tmp_path, text, villages=HOUSEHOLDS)
    # a in 2019 has one household; b in 2018 two with a value: (500 + 700) / 2
    np.testing.assert_array_equal(data.panel.matrix(), [[2_000, NAN], [600, 1_000]])
    (problem,) = [p for p in data.problems if "fewer than 2 rows" in p.message]
    assert problem.places == (("", "a 2019"),)


def test_the_minimum_is_five_unless_said(tmp_path):
    rows = "vill year since pc\n" + "a 2018 - 10\n" * 5 + "b 2018 - 10\n" * 4
    text = said("{outcomes: {pc: {column: pc, statistic: mean}}}")
    np.testing.assert_array_equal(read_panel(tmp_path, text, rows).matrix(), [[10], [NAN]])


@pytest.mark.parametrize("weight", ["0", "-1"])
def test_weights_are_positive(tmp_path, weight):
    rows = f"vill year since pc wgt\na 2018 - 1 1\na 2018 - 2 {weight}"
    text = said("{weights: wgt, minimum: 1, outcomes: {pc: {column: pc, statistic: mean}}}")
    (problem,) = [p for p in find_problems(tmp_path, text, villages=rows) if p.level == "error"]
    assert (problem.message, problem.places) == (
        "weights that are not positive",
        ((3, weight),),
    )


def test_negative_values_have_no_gini(tmp_path):
    rows = "vill year since pc\na 2018 - 1\na 2018 - -2"
    text = said("{minimum: 1, outcomes: {pc: {column: pc, statistic: gini}}}")
    (problem,) = [p for p in find_problems(tmp_path, text, villages=rows) if p.level == "error"]
    assert problem.message == "negative values have no Gini"


def test_one_household_treated_makes_the_village_treated(tmp_path):
    rows = "vill year d pc\na 2018 0 1\na 2018 0 1\na 2019 0 2\na 2019 1 2\nb 2018 0 1"
    text = said("{minimum: 1, outcomes: {pc: {column: pc, statistic: mean}}}").replace(
        "{first_year: since}", "{treated: d}"
    )
    panel = read_panel(tmp_path, text, rows)
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])


@pytest.mark.parametrize("other", ["-", "2020"])
def test_households_of_one_village_with_two_first_years_are_an_error(tmp_path, other):
    rows = f"vill year since pc\na 2018 2019 1\na 2018 {other} 1\nb 2018 - 1"
    text = said("{minimum: 1, outcomes: {pc: {column: pc, statistic: mean}}}")
    found = [p for p in find_problems(tmp_path, text, villages=rows) if p.level == "error"]
    assert [p.message for p in found] == [
        "the first treated year differs between the rows of a village and year"
    ]


def test_the_earliest_date_of_a_village_counts(tmp_path):
    rows = "vill year since pc\na 2018 03/05/2019 1\na 2018 12/01/2018 1\na 2018 - 1"
    text = said("{minimum: 1, outcomes: {pc: {column: pc, statistic: mean}}}").replace(
        "first_year", "date"
    )
    assert read_panel(tmp_path, text, rows).cohort.tolist() == [2018]


def test_shares_and_ginis_are_not_money(tmp_path):
    said = """
        prices: {basis: nominal, base_year: 2020, index: china}
        panel:
          file: villages.csv
          village: vill
          year: year
          aggregate:
            minimum: 1
            outcomes:
              gini: {column: x, statistic: gini, unit: 元}
              poor: {column: x, statistic: share_below, line: 2.5, unit: 元}
        """
    panel = read_panel(tmp_path, said, "vill year x\na 2010 1\na 2010 3")
    # Gini of (1, 3) is 1/4; one of two is below 2.5; neither is deflated.
    assert (panel.matrix("gini")[0, 0], panel.matrix("poor")[0, 0]) == (0.25, 0.5)
    assert panel.variables["gini"].unit == ""


def test_one_column_may_be_outcome_treatment_and_covariate(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: year
          aggregate: {minimum: 1, outcomes: {d: {column: d, statistic: total}}}
          treatment: {treated: d}
          covariates: {share: d}
        """
    panel = read_panel(tmp_path, said, "vill year d\na 2010 0\na 2010 0\na 2011 1\na 2011 0")
    assert panel.matrix("d").tolist() == [[0, 1]]
    assert panel.matrix("share").tolist() == [[0, 0.5]]
    assert panel.cohort.tolist() == [2011]


def test_covariates_are_weighted_as_outcomes_are(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: year
          aggregate:
            weights: w
            minimum: 1
            outcomes: {x: {column: x, statistic: mean}}
          covariates: {age: age}
        """
    panel = read_panel(tmp_path, said, "vill year x age w\na 2010 1 20 1\na 2010 2 40 3")
    # (20 x 1 + 40 x 3) / 4
    assert panel.matrix("age")[0, 0] == 35
