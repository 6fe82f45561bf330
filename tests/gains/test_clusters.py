"""Intervals of averages from clusters: by hand, by enumeration, and against statsmodels."""

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    clustered_interval,
    fewest_clusters,
    takes_part,
    wild_interval,
)

EXACT = 1e-12  # the same arithmetic, in another order
BISECTED = 1e-9  # ends are bisected until their distance is lost in rounding
DRAWN = 0.01  # four sd of a share of .05 to .1 in 9,999 draws


def pseudo_values(estimate, left_out):
    n = len(left_out)
    return estimate + (n - 1) * (left_out.mean() - left_out)


def by_enumeration(estimate, left_out, value):
    """Give the share of vectors of signs whose |t| is at least as large as the data's."""
    around = pseudo_values(estimate, left_out) - value
    n = len(around)

    def size(values):
        return abs(values.mean()) / np.sqrt((values**2).mean() - values.mean() ** 2)

    own = size(around)
    flipped = [size(np.array(signs) * around) for signs in product((-1, 1), repeat=n)]
    return np.mean([other >= own * (1 - EXACT) for other in flipped])


def ends_by_solving(estimate, left_out, alpha):
    """Give the ends without bisection.

    With the sum of squares the same under all signs, s is as extreme as the data at v where
    |sum s_c (J_c - v)| >= |sum (J_c - v)|: for v from the mean out to a point that can be
    solved for. The end is the point up to which more than a share alpha of all s are.
    """
    pseudo, ends = pseudo_values(estimate, left_out), []
    n, mean = len(pseudo), pseudo.mean()
    for side in (-1, 1):
        reach = []
        for signs in np.array([*product((-1, 1), repeat=n)]):
            total, slope = signs @ (pseudo - mean), signs.sum()
            # side (v - mean) = x >= 0: n x <= |total - slope side x|
            steps = [side * slope * sign + n for sign in (-1, 1)]
            with np.errstate(divide="ignore", invalid="ignore"):
                found = [total / steps[1], -total / steps[0]]
            reach.append(np.inf if 0 in steps else max(found))
        ordered = np.sort(reach)[::-1]
        ends.append(mean + side * ordered[int(alpha * 2**n)])
    return ends


def draw(seed, n):
    rng = np.random.default_rng(seed)
    left_out = rng.normal(size=n) + rng.exponential(size=n)
    return left_out.mean() + 0.05, left_out


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("n", "alpha"), [(6, 0.05), (6, 0.125), (5, 0.1), (8, 0.05), (9, 0.2)])
def test_wild_interval_ends_where_enumeration_ends(seed, n, alpha):
    estimate, left_out = draw(seed, n)
    found = wild_interval(estimate, left_out, alpha=alpha)
    expected = ends_by_solving(estimate, left_out, alpha)
    np.testing.assert_allclose([found.conf_low, found.conf_high], expected, rtol=BISECTED)
    assert found.p_value == by_enumeration(estimate, left_out, 0)
    step = 1e-6 * found.se
    for end, side in ((found.conf_low, -1), (found.conf_high, 1)):
        assert by_enumeration(estimate, left_out, end - side * step) > alpha
        assert by_enumeration(estimate, left_out, end + side * step) <= alpha


def test_wild_interval_holds_its_estimate_or_is_none():
    estimate, left_out = draw(7, 10)
    found = wild_interval(estimate, left_out, alpha=0.05)
    assert found.conf_low < estimate < found.conf_high
    # The same differences around it: the interval moves with the estimate.
    near = wild_interval(estimate + 0.01, left_out, alpha=0.05)
    assert near.conf_low == pytest.approx(found.conf_low + 0.01, rel=BISECTED)
    far = wild_interval(left_out.mean() + 2 * found.se / 9, left_out, alpha=0.05)
    assert np.isnan(far.conf_low) and "on one side" in far.reason


def test_wild_interval_by_hand():
    # Pseudo-values 6 x 3.5 - 5 theta_(c) = 1, 2, 3, 4, 5, 6: mean 3.5, variance 17.5 / 5.
    found = wild_interval(3.5, (6 * 3.5 - np.arange(1, 7)) / 5, alpha=0.05)
    assert found.se == pytest.approx(np.sqrt(17.5 / 5 / 6), rel=EXACT)
    # All are above zero: of 64 vectors of signs the data's own and its mirror are as extreme.
    assert found.p_value == 2 / 64
    # Any v below 1 leaves all above it: 2/64. From 1 on flipping the first alone makes the sum
    # larger, and so does its mirror: 4/64 > .05. So the interval is the values' range.
    assert (found.conf_low, found.conf_high) == pytest.approx((1, 6), rel=BISECTED)
    assert (found.n_clusters, found.method, found.reason) == (6, "wild bootstrap", "")


def test_se_of_the_wild_interval_is_the_jackknifes():
    estimate, left_out = draw(4, 12)
    found = wild_interval(estimate, left_out, alpha=0.05)
    jackknife = np.sqrt(11 / 12 * ((left_out - left_out.mean()) ** 2).sum())
    assert found.se == pytest.approx(jackknife, rel=EXACT)


def test_drawn_signs_are_near_all_signs():
    estimate, left_out = draw(5, 14)  # 16,384 vectors, more than are enumerated
    estimate, left_out = 0.0, left_out - estimate
    found = wild_interval(estimate, left_out, alpha=0.05)
    for end in (found.conf_low, found.conf_high):
        assert by_enumeration(estimate, left_out, end) == pytest.approx(0.05, abs=DRAWN)
    again = wild_interval(estimate, left_out, alpha=0.05)
    other = wild_interval(estimate, left_out, alpha=0.05, seed=1)
    assert found == again and found.conf_low != other.conf_low


def test_wild_interval_moves_with_its_values():
    estimate, left_out = draw(6, 7)
    found = wild_interval(estimate, left_out, alpha=0.05)
    moved = wild_interval(10 - 3 * estimate, 10 - 3 * left_out, alpha=0.05)
    ends = [10 - 3 * found.conf_high, 10 - 3 * found.conf_low]
    np.testing.assert_allclose([moved.conf_low, moved.conf_high], ends, rtol=BISECTED)
    assert moved.se == pytest.approx(3 * found.se, rel=EXACT)


@pytest.mark.parametrize(
    ("left_out", "words"),
    [
        ([1, 2, 3, 4, 5, np.nan, 7], "not identified"),
        ([1, 2, 3, 4, 5], "5 clusters; 95% needs 6"),
        ([2, 2, 2, 2, 2, 2], "do not differ"),
    ],
)
def test_why_there_is_no_wild_interval(left_out, words):
    found = wild_interval(2.0, np.array(left_out, float), alpha=0.05)
    assert words in found.reason and found.n_clusters == len(left_out)
    assert np.isnan([found.se, found.conf_low, found.conf_high, found.p_value]).all()
    assert found.method == ""


@pytest.mark.parametrize(
    ("alpha", "needed"),
    # 2 of 2^C vectors must be no more than alpha: 2/32 > .05 >= 2/64; 2/4 = .5; 2/128 > .01.
    [(0.05, 6), (0.1, 5), (0.01, 8), (0.5, 2), (2 / 64, 6), (2 / 64 - 1e-6, 7)],
)
def test_fewest_clusters(alpha, needed):
    assert fewest_clusters(alpha) == needed
    estimate, left_out = draw(7, needed)
    assert np.isfinite(wild_interval(estimate, left_out, alpha=alpha).conf_low)
    assert wild_interval(estimate, left_out[1:], alpha=alpha).reason != ""
    assert 2 / 2**needed <= alpha < 2 / 2 ** (needed - 1)


def test_clustered_interval_by_hand():
    # 36 parts of .5 and 20 clusters without one: se^2 = 36/35 x 36 x .25
    parts = np.concatenate([np.full(36, -0.5), np.zeros(20)])
    found = clustered_interval(7.0, parts, alpha=0.1)
    se = np.sqrt(36 / 35 * 36 * 0.25)
    half = stats.t(35).ppf(0.95) * se
    assert found.se == pytest.approx(se, rel=EXACT)
    assert (found.conf_low, found.conf_high) == pytest.approx((7 - half, 7 + half), rel=EXACT)
    assert found.p_value == pytest.approx(2 * stats.t(35).cdf(-7 / se), rel=EXACT)
    assert (found.n_clusters, found.method, found.reason) == (36, "clustered", "")


def test_fewer_effective_clusters_leave_fewer_degrees_of_freedom():
    parts = np.random.default_rng(1).normal(size=40)
    all_count, few = (
        clustered_interval(1.0, parts, alpha=0.05, effective=e) for e in (99, 7.5)
    )
    assert few.se == all_count.se and few.n_clusters == 40
    assert (all_count.conf_high - 1) / all_count.se == pytest.approx(stats.t(39).ppf(0.975))
    assert (few.conf_high - 1) / few.se == pytest.approx(stats.t(6.5).ppf(0.975))


def test_mean_equals_statsmodels():
    rng = np.random.default_rng(2)
    group = rng.integers(ENOUGH_CLUSTERS + 5, size=400)
    y = rng.normal(size=400) + rng.normal(size=group.max() + 1)[group] + 0.2
    peer = sm.OLS(y, np.ones(400)).fit(
        cov_type="cluster", cov_kwds={"groups": group}, use_t=True
    )
    parts = np.bincount(group, (y - y.mean()) / 400)
    found = clustered_interval(y.mean(), parts, alpha=0.05)
    ours = [found.se, found.conf_low, found.conf_high, found.p_value]
    theirs = [peer.bse[0], *peer.conf_int()[0], peer.pvalues[0]]
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)  # statsmodels inverts a matrix


def test_takes_part_but_for_rounding():
    assert takes_part(np.array([3.0, -1e-9, 1e-13, 0])).tolist() == [True, True, False, False]
    assert takes_part(np.array([[0.0, 2], [0, 0], [1e-5, 0]])).tolist() == [True, False, True]
    assert not takes_part(np.zeros(3)).any()
