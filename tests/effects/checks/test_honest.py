"""Tests of HonestDiD's bounds: its own numbers, hand-worked ones, and planted departures."""

import numpy as np
import pytest

from evaluation.effects.checks.honest import check_relative_magnitudes, check_smoothness
from evaluation.effects.checks.honest_intervals import relative_interval, smooth_interval
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)

# The event study of Benzarti, Carloni (2019) that R's HonestDiD comes with
# (BCdata_EventStudy): four coefficients before, four after.
ESTIMATES = np.array(
    [0.006696351803839207, 0.02934503369033337, -0.006472972221672535, 0.0730149894952774,
     0.1959611177444458, 0.3120639026165009, 0.2395415455102921, 0.1260425001382828]
)  # fmt: skip
COVARIANCE = 1e-4 * np.array(
    [[8.428358123637736, 4.768686776515096, 2.618051075842232, 2.35422034165822,
      1.676371466601267, 1.128707663156092, 0.1992816214624327, -1.368265366181731],
     [4.768686776515096, 6.425420287996531, 3.98742500692606, 2.4355151981581,
      2.201960305683315, 1.804591156542301, 0.3843765080091543, -0.2960421988973394],
     [2.618051075842232, 3.98742500692606, 5.22994960192591, 2.117686090059578,
      1.840722252381966, 1.458527840441093, 0.7005197403486818, 0.5952994979452342],
     [2.35422034165822, 2.4355151981581, 2.117686090059578, 3.089595411438495,
      1.197866076836362, 1.334081316599622, 1.01633500889875, 1.079051726264879],
     [1.676371466601267, 2.201960305683315, 1.840722252381966, 1.197866076836362,
      3.599704359658062, 2.478818641975522, 1.749579241732135, 1.654256921028718],
     [1.128707663156092, 1.804591156542301, 1.458527840441093, 1.334081316599622,
      2.478818641975522, 4.263949813321233, 2.171437809010968, 2.892747870646417],
     [0.1992816214624327, 0.3843765080091543, 0.7005197403486818, 1.01633500889875,
      1.749579241732135, 2.171437809010968, 4.886697861365974, 3.805322048719972],
     [-1.368265366181731, -0.2960421988973394, 0.5952994979452342, 1.079051726264879,
      1.654256921028718, 2.892747870646417, 3.805322048719972, 7.617394439876080]]
)  # fmt: skip
FIRST, MEAN = np.array([1.0, 0, 0, 0]), np.full(4, 0.25)

# R 4.5.2, HonestDiD 0.2.8. Its ends are the last accepted points of a grid over 40 standard
# errors in 999 steps; the upper ends of the mean are left out where they are the grid's own.
CONDITIONAL = [
    (FIRST, 0.0, 0.159151943866762, 0.232840433389798),
    (FIRST, 0.5, 0.118889160931495, 0.270824190875899),
    (FIRST, 1.0, 0.0672312507503984, 0.317924050158664),
    (MEAN, 0.0, 0.184149669339541, 0.252719795734687),
    (MEAN, 0.5, 0.0689235806549147, None),
    (MEAN, 1.0, -0.0682166721353771, None),
]
HYBRID = [  # over 80 standard errors in 9,999 steps
    (0.5, 0.06775439808538886, 0.3691913893670205),
    (1.0, -0.06968617947647976, 0.506631966928889),
]
FIXED_LENGTH = [
    (FIRST, 0.0, 0.131411315937022, 0.216169648182799),
    (FIRST, 0.01, 0.154965267080773, 0.27038453032652),
    (FIRST, 0.02, 0.177301087900198, 0.315956468194821),
    (MEAN, 0.0, 0.133193369303247, 0.230362614090703),
    (MEAN, 0.01, 0.124138265521726, 0.368035364887987),
    (MEAN, 0.02, 0.113901858858792, 0.476743542104818),
]
SIMULATED = 5e-4  # HonestDiD's critical value is a quantile of 1,000 draws, ours of 10,000
COARSE = 1e-3  # HonestDiD's search for the shortest interval is coarse, and its quantile drawn
TINY = 1e-6  # of coefficients known nearly for sure: three standard errors
SAME = 1e-6
MONEY = 100.0


def step(weights):
    """R's grid: 40 standard errors of the effect in 999 steps."""
    return 40 * np.sqrt(weights @ COVARIANCE[4:, 4:] @ weights) / 999


@pytest.mark.parametrize(("weights", "m_bar", "low", "high"), CONDITIONAL)
def test_the_conditional_interval_is_r_s(weights, m_bar, low, high):
    found = relative_interval(ESTIMATES, COVARIANCE, 4, weights, m_bar, hybrid=False)
    assert low - step(weights) <= found[0] <= low + SAME
    if high is not None:
        assert high - SAME <= found[1] <= high + step(weights)


@pytest.mark.parametrize(("m_bar", "low", "high"), HYBRID)
def test_the_hybrid_interval_is_r_s(m_bar, low, high):
    found = relative_interval(ESTIMATES, COVARIANCE, 4, MEAN, m_bar)
    np.testing.assert_allclose(found, (low, high), atol=SIMULATED)


@pytest.mark.parametrize(("weights", "m", "low", "high"), FIXED_LENGTH)
def test_the_fixed_length_interval_is_r_s(weights, m, low, high):
    found = smooth_interval(ESTIMATES, COVARIANCE, 4, weights, m)
    np.testing.assert_allclose(found, (low, high), atol=COARSE)


def test_bounds_of_coefficients_known_for_sure_by_hand():
    """Before: 1, 3, then 0 at the reference; after: 10 and 20, averaged.

    The largest change before is 3. With Mbar = 1 the difference is within 3 of zero in the
    first year after and within 6 in the second: the mean of 15 is off by at most 4.5.
    """
    estimates = np.array([1.0, 3.0, 10.0, 20.0])
    covariance = TINY**2 * np.eye(4) / 25
    found = relative_interval(estimates, covariance, 2, np.array([0.5, 0.5]), 1.0)
    np.testing.assert_allclose(found, (15 - 4.5, 15 + 4.5), atol=5 * TINY)


def test_smooth_bounds_of_coefficients_known_for_sure_by_hand():
    """The last change before is -3. Going on it gives -3 and -6, a mean of -4.5.

    A bend of M at the reference and in the year after adds M, and 2M + M: 2M on average.
    """
    estimates = np.array([1.0, 3.0, 10.0, 20.0])
    covariance = TINY**2 * np.eye(4) / 25
    found = smooth_interval(estimates, covariance, 2, np.array([0.5, 0.5]), 0.25)
    np.testing.assert_allclose(found, (19.5 - 0.5, 19.5 + 0.5), atol=5 * TINY)


def test_intervals_grow_with_what_is_allowed():
    relative = [relative_interval(ESTIMATES, COVARIANCE, 4, MEAN, m) for m in (0.0, 0.5, 2.0)]
    smooth = [smooth_interval(ESTIMATES, COVARIANCE, 4, MEAN, m) for m in (0.0, 0.01, 0.1)]
    for found in (relative, smooth):
        assert (np.diff([high - low for low, high in found]) > 0).all()


@pytest.mark.parametrize("check", [check_relative_magnitudes, check_smoothness])
def test_an_effect_that_stands_out_survives_and_a_trend_does_not(check):
    good = check(subject_of(world_panel(gain=3.0)))
    assert good.verdict == "passed"
    drifting = check(subject_of(world_panel(drift=0.5, gain=0.0)))
    assert drifting.verdict == "failed"
    assert "explain" in drifting.sentence
    table = good.table[good.table["target"] == "average"]
    parallel, *bounded = (table["conf_high"] - table["conf_low"]).tolist()
    assert bounded[-1] > parallel and table["paths"].tolist()[0] == "parallel"


def test_the_breakdown_value_is_where_the_interval_reaches_zero():
    subject = subject_of(world_panel(gain=1.0))
    check = check_relative_magnitudes(subject, m_bars=[])
    at = check.statistic
    table = check_relative_magnitudes(subject, m_bars=[at, at + 0.02]).table
    inside, outside = table.loc[table["target"].eq("average"), "conf_low"].iloc[1:]
    assert inside > 0 >= outside


@pytest.mark.parametrize("check", [check_relative_magnitudes, check_smoothness])
def test_without_an_effect_there_is_nothing_to_break(check):
    found = check(subject_of(world_panel(gain=0.0)))
    assert found.verdict == "informational" and "nothing to break" in found.sentence


def test_an_effect_that_a_straight_trend_explains_is_said_to_be_so():
    found = check_smoothness(subject_of(world_panel(drift=0.5, gain=0.0)))
    assert found.verdict == "failed" and found.statistic == 0
    assert "A straight trend carried on (M = 0) already explains" in found.sentence
    assert "0.00" not in found.sentence.partition("(M = 0)")[2]


def test_an_average_over_some_years_is_called_so():
    found = check_smoothness(subject_of(world_panel(n_treated=10, counties=40, gain=3.0)))
    assert "over the first 8 of 10 treated years" in found.sentence


@pytest.mark.parametrize("check", [check_relative_magnitudes, check_smoothness])
def test_too_few_years_or_clusters_are_told(check):
    short = check(subject_of(world_panel(n_untreated=2)))
    assert short.verdict == "not possible" and "two coefficients" in short.sentence
    few = check(subject_of(world_panel(counties=10, treated=8, comparison=12, gain=3.0)))
    assert "imprecise" in few.sentence and "not looked at" not in short.sentence
    assert check(subject_of(world_panel(), estimators=["imputation"])).verdict == "not possible"


@pytest.mark.parametrize("check", [check_relative_magnitudes, check_smoothness])
def test_neither_order_nor_unit_of_money_matters(check):
    panel = world_panel(missing=0.05)
    one = check(subject_of(panel))
    same_tables(one, check(subject_of(in_other_order(panel))), rtol=1e-5)
    same_tables(one, check(subject_of(in_other_money(panel, MONEY))), rtol=1e-5, factor=MONEY)
    assert_drawn(one)
