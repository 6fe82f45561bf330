"""How money is spread: by hand, against the pairwise formula, and against statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st

from evaluation.efficiency.inequality import (
    measure_concentration,
    measure_inequality,
    measure_targeting,
)
from evaluation.errors import DesignError

EXACT = 1e-12  # the same arithmetic, in another order
PAIRWISE = 1e-9  # sums of products of up to 1e12
COVERED = 0.03  # three sampling errors of a share of .95 in 500 draws

AMOUNTS = st.lists(st.floats(0, 1e6), min_size=1, max_size=30).filter(lambda x: sum(x) > 1)


def by_pairs(money, weights):
    """Give sum_ij w_i w_j |x_i - x_j| / (2 W^2 mean), x being money for one of a weight."""
    money, weights = np.array(money), np.array(weights)
    x = money / weights
    mean = money.sum() / weights.sum()
    pairs = weights[:, None] * weights * np.abs(x[:, None] - x)
    return pairs.sum() / (2 * weights.sum() ** 2 * mean)


# -- Gini ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "gini"),
    [
        ([1, 1, 1, 1], 0),
        # 1 - sum (p_i - p_(i-1)) (L_i + L_(i-1)) = 1 - (1/4 + 1/2 + 1/2 + 1)/3 with 1/4, 1/2, 1
        ([1, 1, 2], 1 - (1 / 4 + (1 / 4 + 1 / 2) + (1 / 2 + 1)) / 3),
        ([0, 0, 0, 8], 1 - 1 / 4),
        ([5], 0),
        ([1, 2, 3, 4, 5], 2 * (1 + 4 + 9 + 16 + 25) / (5 * 15) - 6 / 5),
    ],
    ids=str,
)
def test_gini_by_hand(money, gini):
    found = measure_inequality(pd.Series(money, dtype=float))
    assert found.index == pytest.approx(gini, abs=EXACT)
    assert (found.n_villages, found.n_left_out) == (len(money), 0)


def test_the_lorenz_curve_by_hand():
    found = measure_inequality(pd.Series([6.0, 1, 3]))
    np.testing.assert_allclose(found.curve["population"], [0, 1 / 3, 2 / 3, 1], rtol=EXACT)
    np.testing.assert_allclose(found.curve["money"], [0, 0.1, 0.4, 1], rtol=EXACT)


def test_households_by_hand():
    # 10 yuan for 1 household, 10 for 4: half of the money for a fifth of them.
    money, households = pd.Series([10.0, 10.0]), pd.Series([1.0, 4.0])
    found = measure_inequality(money, weights=households)
    np.testing.assert_allclose(found.curve["population"], [0, 4 / 5, 1], rtol=EXACT)
    np.testing.assert_allclose(found.curve["money"], [0, 1 / 2, 1], rtol=EXACT)
    assert found.index == pytest.approx(4 / 5 - 1 / 2, rel=EXACT)
    assert measure_inequality(money).index == pytest.approx(0, abs=EXACT)


@given(AMOUNTS)
def test_gini_is_the_mean_difference_of_pairs(money):
    found = measure_inequality(pd.Series(money))
    assert found.index == pytest.approx(by_pairs(money, np.ones(len(money))), abs=PAIRWISE)
    assert -EXACT <= found.index < 1


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.1, 1e3)), min_size=1, max_size=20))
def test_weighted_gini_is_the_mean_difference_of_pairs(rows):
    money, weights = np.array(rows).T
    assume(money.sum() > 1)
    found = measure_inequality(pd.Series(money), weights=pd.Series(weights))
    assert found.index == pytest.approx(by_pairs(money, weights), abs=PAIRWISE)


@given(AMOUNTS, st.integers(2, 4))
def test_copies_and_units_do_not_matter(money, times):
    own = measure_inequality(pd.Series(money)).index
    copies = pd.Series(np.repeat(money, times))
    assert measure_inequality(copies).index == pytest.approx(own, abs=PAIRWISE)
    wan = pd.Series(money) / 1e4
    assert measure_inequality(wan).index == pytest.approx(own, abs=PAIRWISE)
    # A weight is what so many villages of the same money would be.
    weights = pd.Series(float(times), index=wan.index)
    weighed = measure_inequality(wan * times, weights=weights).index
    assert weighed == pytest.approx(own, abs=PAIRWISE)


# -- concentration ---------------------------------------------------------------------------


def test_concentration_by_hand():
    # From the poorest on 6, 3 and 1 of 10: the curve lies above equality.
    income = pd.Series({"a": 300.0, "b": 100.0, "c": 200.0})
    money = pd.Series({"a": 1.0, "b": 6.0, "c": 3.0})
    found = measure_concentration(money, rank_by=income)
    np.testing.assert_allclose(found.curve["money"], [0, 0.6, 0.9, 1], rtol=EXACT)
    assert found.index == pytest.approx(1 - (0.6 + 1.5 + 1.9) / 3, rel=EXACT)
    # Richest first the same money is as concentrated the other way.
    other = measure_concentration(money, rank_by=-income)
    assert other.index == pytest.approx(-found.index, rel=EXACT)


@given(AMOUNTS, st.randoms(use_true_random=False))
def test_concentration_is_a_covariance_and_within_the_gini(money, random):
    """C = 2 cov(x, rank) / mean, with fractional ranks (Kakwani, Wagstaff, van Doorslaer)."""
    n, order = len(money), list(range(len(money)))
    random.shuffle(order)
    found = measure_concentration(pd.Series(money), rank_by=pd.Series(order, dtype=float))
    ranks = (np.array(order) + 0.5) / n
    x = np.array(money)
    expected = 2 * ((x - x.mean()) * (ranks - 0.5)).mean() / x.mean()
    assert found.index == pytest.approx(expected, abs=PAIRWISE)
    assert abs(found.index) <= measure_inequality(pd.Series(money)).index + PAIRWISE


def test_equal_ranks_are_joined():
    money, income = pd.Series([1.0, 5, 4]), pd.Series([10.0, 10, 20])
    found = measure_concentration(money, rank_by=income)
    np.testing.assert_allclose(found.curve["population"], [0, 2 / 3, 1], rtol=EXACT)
    np.testing.assert_allclose(found.curve["money"], [0, 0.6, 1], rtol=EXACT)
    turned = measure_concentration(money[[1, 0, 2]], rank_by=income)
    assert turned.index == pytest.approx(found.index, rel=EXACT)
    same = measure_concentration(money, rank_by=income * 0)
    assert same.index == pytest.approx(0, abs=EXACT)


def test_what_is_not_known_is_left_out_and_counted():
    money = pd.Series({"a": 1.0, "b": np.nan, "c": 3.0, "d": 2.0})
    income = pd.Series({"a": 5.0, "b": 6.0, "d": np.nan, "z": 1.0, "c": 7.0})
    found = measure_concentration(money, rank_by=income)
    assert (found.n_villages, found.n_left_out) == (2, 2)
    assert found.index == pytest.approx(1 - (1 / 4 + 5 / 4) / 2, rel=EXACT)
    households = pd.Series({"a": 2.0, "b": 2.0, "c": 2.0, "d": 0.0})
    found = measure_inequality(money, weights=households)
    assert (found.n_villages, found.n_left_out) == (2, 2)


@pytest.mark.parametrize(
    ("money", "weights", "says"),
    [
        ([1, -2, 3], None, "negative or infinite money of 1: its shares have no meaning"),
        ([1, 2, 3], [1, 1, -1], "negative or infinite weight of 2"),
        ([0, 0, 0], None, "no village has money above zero"),
        ([np.nan] * 3, None, "no village has money above zero"),
        ([], None, "no village has money above zero"),
        ([1, np.inf, 1], None, "negative or infinite money of 1"),
    ],
    ids=str,
)
def test_amounts_that_cannot_be_shared(money, weights, says):
    series = pd.Series(money, dtype=float)
    with pytest.raises(DesignError, match=says):
        measure_inequality(series, weights=None if weights is None else pd.Series(weights))


# -- targeting -------------------------------------------------------------------------------


def drawn(n=60, slope=-2.0, seed=0):
    generator = np.random.default_rng(seed)
    income = pd.Series(generator.lognormal(9, 0.5, n), index=[f"v{i}" for i in range(n)])
    money = 200_000 + slope * income + 3_000 * generator.normal(size=n)
    return money, income


def peer(money, income, **options):
    return sm.OLS(money.to_numpy(), sm.add_constant(income.to_numpy())).fit(
        use_t=True, **options
    )


def check(found, fitted):
    low, high = fitted.conf_int()[1]
    expected = [fitted.params[1], fitted.bse[1], low, high, fitted.pvalues[1]]
    ours = [found.slope, found.se, found.conf_low, found.conf_high, found.p_value]
    np.testing.assert_allclose(ours, expected, rtol=PAIRWISE)


def test_a_line_by_hand():
    money = pd.Series(100 - 3 * np.arange(12.0))
    found = measure_targeting(money, pd.Series(np.arange(12.0)))
    assert found.slope == pytest.approx(-3, rel=PAIRWISE)
    assert found.concentration.index < 0  # the poorer got more


def test_slope_is_that_of_statsmodels():
    money, income = drawn()
    found = measure_targeting(money, income)
    assert found.variance == "HC3"
    check(found, peer(money, income, cov_type="HC3"))
    assert found.concentration.index == measure_concentration(money, rank_by=income).index


@pytest.mark.parametrize(("n_clusters", "variance"), [(29, "HC3"), (30, "clustered")])
def test_errors_are_clustered_from_thirty_on(n_clusters, variance):
    money, income = drawn(n=90)
    groups = [f"c{i % n_clusters}" for i in range(90)]
    found = measure_targeting(money, income, clusters=groups)
    assert found.variance == variance
    options = {"cov_type": "HC3"}
    if variance == "clustered":
        options = {
            "cov_type": "cluster",
            "cov_kwds": {"groups": pd.factorize(np.array(groups))[0]},
        }
    check(found, peer(money, income, **options))


def test_clusters_go_with_money_whatever_the_order_of_incomes():
    money, income = drawn(n=90)
    groups = np.array([f"c{i % 30}" for i in range(90)])
    own = measure_targeting(money, income, clusters=groups)
    money.iloc[:3] = np.nan
    lacking = measure_targeting(money, income[::-1], clusters=groups)
    kept = measure_targeting(money.iloc[3:], income, clusters=groups[3:])
    assert lacking.se == pytest.approx(kept.se, rel=EXACT) and lacking.se != own.se
    assert lacking.concentration.n_left_out == 3


def test_units_of_money_and_income_do_not_matter():
    money, income = drawn()
    own = measure_targeting(money, income)
    other = measure_targeting(money * 1e-8, income * 1e8)
    for name in ("slope", "se", "conf_low", "conf_high"):
        assert getattr(other, name) == pytest.approx(getattr(own, name) * 1e-16, rel=PAIRWISE)
    assert other.p_value == pytest.approx(own.p_value, rel=PAIRWISE)


def test_the_slope_is_in_its_interval_as_often_as_it_says():
    covered = []
    for seed in range(500):
        found = measure_targeting(*drawn(slope=-2.0, seed=seed), alpha=0.05)
        covered.append(found.conf_low <= -2 <= found.conf_high)
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERED)


def test_alpha_is_one_less_the_coverage():
    money, income = drawn()
    wide, narrow = (measure_targeting(money, income, alpha=a) for a in (0.01, 0.2))
    assert wide.conf_low < narrow.conf_low < narrow.conf_high < wide.conf_high


@pytest.mark.parametrize(
    ("n", "income", "says"),
    [
        (9, np.arange(9.0), "9 villages have money and a known income before"),
        (12, np.full(12, 5.0), "1 different ones; a slope needs 10 villages that differ"),
        (12, np.append(np.arange(9.0), [np.nan] * 3), "9 villages have money"),
    ],
)
def test_too_few_villages_for_a_slope(n, income, says):
    with pytest.raises(DesignError, match=says):
        measure_targeting(pd.Series(np.arange(1.0, n + 1)), pd.Series(income))
