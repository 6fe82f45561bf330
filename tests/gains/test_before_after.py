"""Before-after changes under a trend: worked by hand, and held against every possible trend."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.bounds import Bounds
from evaluation.errors import DesignError
from evaluation.gains.before_after import ENDS, bound_change, bound_gains
from tests.data.typed_studies import read_typed

EXACT = 1e-12  # the same arithmetic, in another order
NAN, INF = np.nan, np.inf
SAID = """
    prices: {basis: real, base_year: 2020}
    panel:
      file: villages.csv
      village: {id: vill, county: county}
      year: year
      outcomes: {income: {column: y, unit: 元}}
      treatment: {first_year: cohort}
      hedged: bounds
    """
# a: before (10 + 20) / 2 = 15, after (40 + 70) / 2 = 55, years 2020.5 - 2018.5 = 2
# b: before 30, after 60, years 2021 - 2018 = 3 (nothing known in 2019 and 2020)
# c: no year before; d: no year after; e: never treated; f: in neither
ROWS = """
    vill county cohort year y
    a    East   2020   2018 10
    a    East   2020   2019 20
    a    East   2020   2020 40
    a    East   2020   2021 70
    b    East   2020   2018 30
    b    East   2020   2019 -
    b    East   2020   2021 60
    c    West   2018   2018 50
    c    West   2018   2019 80
    d    West   2021   2019 50
    d    West   2021   2020 80
    e    West   -      2018 10
    e    West   -      2021 90
    f    West   2021   2018 -
    """


@pytest.fixture
def panel_of(tmp_path):
    def read(rows=ROWS):
        return read_typed(tmp_path, SAID, villages=rows).panel

    return read


def row(frame, village):
    return frame.loc[village].to_dict()


def test_each_village_by_hand(panel_of):
    villages = bound_gains(panel_of(), trend_max=5).villages
    assert list(villages.index) == ["a", "b", "c", "d", "f"]  # e is never treated
    expected = {
        "a": {"before": 15, "after": 55, "change": 40, "break_even": 40 / 2},
        "b": {"before": 30, "after": 60, "change": 30, "break_even": 30 / 3},
    }
    for village, values in expected.items():
        for name, value in values.items():
            for end in ("lower", "upper"):
                assert villages.loc[village, f"{name}_{end}"] == pytest.approx(value, rel=EXACT)
    a, b = row(villages, "a"), row(villages, "b")
    assert (a["years_between"], a["lower"], a["upper"]) == (2, 40 - 5 * 2, 40)
    assert (b["years_between"], b["lower"], b["upper"]) == (3, 30 - 5 * 3, 30)
    assert (b["n_before"], b["n_after"]) == (1, 1)


def test_a_village_without_a_change_says_why(panel_of):
    villages = bound_gains(panel_of(), trend_max=5).villages
    assert villages["reason"].to_dict() == {
        "a": "",
        "b": "",
        "c": "no untreated year with an outcome",
        "d": "no treated year with an outcome",
        "f": "no year with an outcome",
    }
    without = villages.loc[["c", "d", "f"], ["change_lower", "lower", "upper", "years_between"]]
    assert without.isna().all(axis=None)
    assert villages.loc["d", "before_lower"] == 65  # what is known stays


def test_counties_and_the_programme_by_hand(panel_of):
    bounds = bound_gains(panel_of(), trend_max=5)
    counties = bounds.by("county")
    assert counties[["n_villages", "n_without"]].to_numpy().tolist() == [[2, 0], [0, 3]]
    for average in (counties.loc["East"], bounds.programme()):
        assert average["change_lower"] == average["change_upper"] == (40 + 30) / 2
        assert average["years_between"] == (2 + 3) / 2
        assert average["lower"] == (30 + 15) / 2 == 35 - 5 * 2.5
        # the one trend that explains the mean change, not the mean of the villages' own
        assert average["break_even_upper"] == pytest.approx(35 / 2.5, rel=EXACT)
        assert average["after_lower"] - average["before_upper"] == 35
    assert counties.loc["West", list(ENDS)].isna().all()
    assert (bounds.programme()["n_villages"], bounds.programme()["n_without"]) == (2, 3)


def test_averages_may_be_of_towns_or_cohorts_too(panel_of):
    cohorts = bound_gains(panel_of(), trend_max=5).by("county", "cohort")
    assert cohorts.loc[("East", 2020), "n_villages"] == 2
    assert cohorts.loc[("West", 2021), "n_without"] == 2


def test_at_the_break_even_trend_nothing_is_left(panel_of):
    first = bound_gains(panel_of(), trend_max=0).programme()
    assert first["lower"] == first["upper"]
    again = bound_gains(panel_of(), trend_max=first["break_even_lower"]).programme()
    assert again["lower"] == pytest.approx(0, abs=EXACT)


def test_a_hedged_figure_counts_with_both_ends(panel_of):
    # a's 20 becomes 20余, [20, 30): before (10 + [20, 30]) / 2; b's 60 more than 60
    rows = ROWS.replace("2019 20\n", "2019 20余\n").replace("2021 60", "2021 超过60")
    villages = bound_gains(panel_of(rows), trend_max=5).villages
    a, b = row(villages, "a"), row(villages, "b")
    assert (a["before_lower"], a["before_upper"]) == (15, 20)
    assert (a["change_lower"], a["change_upper"]) == (55 - 20, 55 - 15)
    assert (a["lower"], a["upper"]) == (35 - 5 * 2, 40)
    assert (a["break_even_lower"], a["break_even_upper"]) == (35 / 2, 40 / 2)
    assert (b["after_lower"], b["after_upper"]) == (60, INF)
    assert (b["lower"], b["upper"], b["years_between"]) == (30 - 5 * 3, INF, 3)
    assert bound_gains(panel_of(rows), trend_max=5).by("county").loc["East", "upper"] == INF


@pytest.mark.parametrize("trend_max", [-1, NAN, INF])
def test_a_trend_that_is_none_is_refused(panel_of, trend_max):
    with pytest.raises(DesignError, match="give a number from 0 on"):
        bound_gains(panel_of(), trend_max=trend_max)
    with pytest.raises(DesignError, match="give a number from 0 on"):
        bound_change(Bounds(1, 2), 2, trend_max=trend_max)


def test_nobody_treated_is_an_error(panel_of):
    with pytest.raises(DesignError, match="no village of the panel is treated"):
        bound_gains(panel_of("vill county cohort year y\ne West - 2018 1"), trend_max=1)


# -- invariances -----------------------------------------------------------------------------


def shuffled(rows):
    header, *lines = rows.strip().splitlines()
    return "\n".join([header, *reversed(lines)])


def test_the_order_of_rows_makes_no_difference(panel_of):
    one = bound_gains(panel_of(), trend_max=5)
    two = bound_gains(panel_of(shuffled(ROWS)), trend_max=5)
    pd.testing.assert_frame_equal(one.villages, two.villages)


def test_comparison_villages_make_no_difference(panel_of):
    with_e = bound_gains(panel_of(), trend_max=5).villages
    rows = "\n".join(line for line in ROWS.splitlines() if " e " not in line)
    pd.testing.assert_frame_equal(with_e, bound_gains(panel_of(rows), trend_max=5).villages)


def test_the_unit_of_money_makes_no_difference(panel_of):
    panel = panel_of()
    scaled = replace(panel, matrices={"income": panel.matrix() * 1e4})
    one = bound_gains(panel, trend_max=5).villages
    two = bound_gains(scaled, trend_max=5e4).villages
    np.testing.assert_allclose(two[list(ENDS)], one[list(ENDS)] * 1e4, rtol=EXACT)


def test_a_level_and_a_date_make_no_difference(panel_of):
    panel = panel_of()
    later = panel.villages.assign(cohort=panel.cohort + 7)
    moved = replace(
        panel, matrices={"income": panel.matrix() + 1e3}, years=panel.years + 7, villages=later
    )
    names = ["change_lower", "years_between", "lower", "upper", "break_even_upper"]
    one, two = (bound_gains(p, trend_max=5).villages for p in (panel, moved))
    np.testing.assert_allclose(two[names], one[names], rtol=1e-9)  # 1e3 is taken off again


def test_a_trend_that_differs_from_year_to_year_stays_in_bounds(panel_of):
    """Where the truth is known: each village gains 12, over any yearly rises from 0 to 5."""
    panel = panel_of()
    rng = np.random.default_rng(3)
    for _ in range(200):
        rises = rng.choice([0.0, 5.0], size=(panel.n_villages, len(panel.years)))
        own = rises.cumsum(axis=1) + 12 * panel.treated_cells
        values = np.where(np.isnan(panel.matrix()), NAN, own)
        found = bound_gains(replace(panel, matrices={"income": values}), trend_max=5).villages
        found = found[found["reason"] == ""]
        assert len(found) == 2
        assert (found["lower"] <= 12).all() and (found["upper"] >= 12).all()


# -- claims ----------------------------------------------------------------------------------


def test_a_claim_by_hand():
    rise, years = Bounds(10, 11, upper_closed=False), Bounds(1, 2)
    left, break_even = bound_change(rise, years, trend_max=2)
    assert left == Bounds(10 - 2 * 2, 11, upper_closed=False)
    assert break_even == Bounds(Fraction(10, 2), 11, upper_closed=False)


def test_a_claim_of_at_least_has_no_upper_end():
    left, break_even = bound_change(Bounds.at_least(10, strict=True), 2, trend_max=3)
    assert left == Bounds.at_least(10 - 3 * 2, strict=True)
    assert break_even == Bounds.at_least(5, strict=True)


def test_ends_are_open_where_the_years_are():
    left, break_even = bound_change(
        Bounds.exactly(10), Bounds(1, 2, lower_closed=False, upper_closed=False), trend_max=3
    )
    assert left == Bounds(10 - 3 * 2, 10, lower_closed=False)  # no trend: 10 itself
    assert break_even == Bounds(5, 10, lower_closed=False, upper_closed=False)


def test_a_loss_has_a_falling_break_even_trend():
    left, break_even = bound_change(Bounds.exactly(-4), Fraction(2), trend_max=1)
    assert (left, break_even) == (Bounds(-4 - 2, -4), Bounds.exactly(-2))


@pytest.mark.parametrize("years", [0, Bounds(0, 2), Bounds(-1, 2)])
def test_without_time_between_there_is_no_trend(years):
    with pytest.raises(DesignError, match="there must be time between"):
        bound_change(Bounds(1, 2), years, trend_max=1)


eighths = st.integers(0, 8).map(lambda n: Fraction(n, 8))
intervals = st.builds(
    lambda low, width, left, right: Bounds(
        low, low + width, left or width == 0, right or width == 0
    ),
    *(st.integers(-20, 20), st.integers(0, 5), st.booleans(), st.booleans()),
)


@given(
    change=intervals,
    years=intervals.filter(lambda b: b.lower > 0),
    trend_max=st.integers(0, 6),
    shares=st.tuples(eighths, eighths, eighths),
)
def test_every_possible_change_is_in_the_bounds_and_their_ends_are_reached(
    change, years, trend_max, shares
):
    left, break_even = bound_change(change, years, trend_max=trend_max)
    rise, span, trend = (
        b.lower + share * (b.upper - b.lower)
        for b, share in zip((change, years, Bounds(0, trend_max)), shares, strict=True)
    )
    if rise in change and span in years:
        assert rise - trend * span in left
        assert rise / span in break_even
    steepest = change.lower - trend_max * years.upper
    closed = change.lower_closed and (years.upper_closed or trend_max == 0)
    assert (left.lower, left.lower_closed) == (steepest, closed)
    assert (left.upper, left.upper_closed) == (change.upper, change.upper_closed)
    ends = [rise / span for rise in (change.lower, change.upper)
            for span in (years.lower, years.upper)]  # fmt: skip
    assert (break_even.lower, break_even.upper) == (min(ends), max(ends))
