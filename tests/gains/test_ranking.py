"""Rank sets: worked by hand, against known quantiles, covering, and invariant."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.errors import DesignError
from evaluation.gains.maxima import Errors, joint_value, own_values
from evaluation.gains.ranking import rank_groups

INTEGRAL = 2e-4  # of a critical value: 121 nodes, and the root to 1e-6
DRAWN = 0.015  # of a critical value: 20,000 draws place it within .003 (one sd)
SHARED_OUT = 0.002  # of a critical value: standard errors shared out among 64 values
ALPHA = 0.05


def bounds(ranks):
    frame = ranks.to_frame()
    return list(zip(frame["rank_low"], frame["rank_high"], strict=True))


def every_pair(n):
    return ~np.eye(n, dtype=bool)


def groups(n, seed, spread=2.0):
    """Give estimates and standard errors of independent groups, and the true values."""
    generator = np.random.default_rng(seed)
    truth = spread * generator.standard_normal(n)
    se = generator.uniform(0.3, 1.5, n)
    names = [f"g{k}" for k in range(n)]
    return pd.Series(truth + se * generator.standard_normal(n), index=names), se, truth


def test_two_groups_by_hand():
    estimates = pd.Series({"a": 0.0, "b": 5.0})
    # The difference is 5, its se hypot(1.5, 2) = 2.5; 5 / 2.5 = 2 > 1.96.
    told = rank_groups(estimates, standard_errors=np.array([1.5, 2.0]), kind="marginal")
    assert bounds(told) == [(2, 2), (1, 1)]
    # 5 / hypot(1.8, 2) = 1.86 < 1.96.
    not_told = rank_groups(estimates, standard_errors=np.array([1.8, 2.0]), kind="marginal")
    assert bounds(not_told) == [(1, 2), (1, 2)]


@pytest.mark.parametrize("n", [2, 3, 38])
def test_the_joint_value_of_equal_errors_is_the_studentised_range(n):
    value = joint_value(Errors(sd=np.ones(n)), every_pair(n), alpha=ALPHA, seed=0)
    # The range of n normals over the sd of a difference, sqrt(2).
    known = stats.studentized_range.ppf(1 - ALPHA, n, np.inf) / np.sqrt(2)
    assert value == pytest.approx(known, abs=DRAWN)


def test_the_joint_value_is_that_of_plain_draws():
    sd = np.random.default_rng(1).uniform(0.2, 2, 12)
    pairs = every_pair(12) & (np.random.default_rng(2).random((12, 12)) < 0.7)
    errors = np.random.default_rng(3).standard_normal((200_000, 12)) * sd
    first, second = np.nonzero(pairs)
    largest = ((errors[:, first] - errors[:, second]) / np.hypot(sd[first], sd[second])).max(1)
    value = joint_value(Errors(sd=sd), pairs, alpha=ALPHA, seed=0)
    assert value == pytest.approx(np.quantile(largest, 1 - ALPHA), abs=DRAWN)


def test_a_common_error_does_not_matter():
    sd = np.array([0.5, 1.0, 1.5, 1.0])
    common = Errors(sd=np.sqrt(sd**2 + 3), covariance=np.diag(sd**2) + 3)
    alone = Errors(sd=sd)
    one, other = (joint_value(e, every_pair(4), alpha=ALPHA, seed=0) for e in (alone, common))
    assert other == pytest.approx(one, abs=DRAWN)
    every = (np.arange(4), every_pair(4), every_pair(4))
    one, other = (own_values(e, *every, alpha=ALPHA, seed=0) for e in (alone, common))
    np.testing.assert_allclose(other, one, atol=2 * DRAWN)  # plain draws, of the middle


def test_the_own_value_of_a_group_known_exactly_is_sidak():
    # Errors of the others alone are independent: P(|e| < c)^5 = .95; below them all, one side.
    errors = Errors(sd=np.array([1e-6, 1, 1, 1, 1, 1]))
    group, others = np.array([0]), every_pair(6)[:1]
    both = own_values(errors, group, others, others, alpha=ALPHA, seed=0)
    over = own_values(errors, group, others, np.zeros_like(others), alpha=ALPHA, seed=0)
    kept = (1 - ALPHA) ** (1 / 5)
    assert both[0] == pytest.approx(stats.norm.isf((1 - kept) / 2), abs=INTEGRAL)
    assert over[0] == pytest.approx(stats.norm.isf(1 - kept), abs=INTEGRAL)


def test_many_standard_errors_are_shared_out():
    sd = np.random.default_rng(0).uniform(0.5, 2, 100)
    shared = own_values(
        Errors(sd=sd),
        np.arange(3),
        every_pair(100)[:3],
        every_pair(100)[:3],
        alpha=ALPHA,
        seed=0,
    )
    noise = np.linspace(-8, 8, 2001)
    for k in range(3):
        other = np.delete(sd, k)
        middle = sd[k] * noise[:, None] / other
        width = shared[k] * np.hypot(sd[k], other) / other
        inside = stats.norm.cdf(middle + width) - stats.norm.cdf(middle - width)
        kept = np.trapezoid(stats.norm.pdf(noise) * inside.prod(axis=1), noise)
        # The slope of the chance at the quantile is about -3.3 ALPHA.
        assert 1 - kept == pytest.approx(ALPHA, abs=3.3 * ALPHA * SHARED_OUT)


@pytest.mark.parametrize("kind", ["marginal", "simultaneous"])
def test_stepdown_only_narrows(kind):
    estimates, se, _ = groups(30, seed=4, spread=6.0)
    one = rank_groups(estimates, standard_errors=se, kind=kind, stepdown=False).to_frame()
    more = rank_groups(estimates, standard_errors=se, kind=kind).to_frame()
    assert (more["rank_low"] >= one["rank_low"]).all()
    assert (more["rank_high"] <= one["rank_high"]).all()
    width = [(f["rank_high"] - f["rank_low"]).sum() for f in (one, more)]
    assert width[1] < width[0]


REPETITIONS = 150
SLACK = 3 * np.sqrt(0.05 * 0.95 / REPETITIONS)  # three sd of the share covered


@pytest.mark.parametrize("stepdown", [False, True])
def test_marginal_sets_cover_the_true_rank(stepdown):
    covered = []
    for seed in range(REPETITIONS):
        estimates, se, truth = groups(8, seed, spread=0.5)
        ranks = rank_groups(estimates, standard_errors=se, kind="marginal", stepdown=stepdown)
        frame = ranks.to_frame()
        true_rank = pd.Series(truth).rank(ascending=False)
        covered.append(true_rank.between(frame["rank_low"], frame["rank_high"]))
    assert np.mean(covered) >= 1 - ALPHA - SLACK


def test_joint_values_cover_all_differences_at_the_nominal_rate():
    # All ranks are covered if no true order is contradicted, and among equals any verdict is
    # wrong: the worst case, in which the chance of one is alpha itself.
    sd = np.array([0.3, 0.5, 1.0, 1.0, 2.0, 4.0])
    value = joint_value(Errors(sd=sd), every_pair(6), alpha=ALPHA, seed=0)
    errors = np.random.default_rng(9).standard_normal((20_000, 6)) * sd
    apart = (errors[:, :, None] - errors[:, None]) / np.hypot(sd[:, None], sd)
    wrong = (apart > value).any(axis=(1, 2)).mean()
    assert wrong == pytest.approx(ALPHA, abs=4 * np.sqrt(ALPHA / 20_000))


@pytest.mark.parametrize("kind", ["marginal", "simultaneous"])
@pytest.mark.parametrize("correlated", [False, True])
def test_order_unit_and_origin_make_no_difference(kind, correlated):
    estimates, se, _ = groups(12, seed=5, spread=5.0)
    covariance = np.diag(se**2) + (np.outer(se, se) / 4 if correlated else 0)

    def rank(values, factor=1.0, order=slice(None)):
        frame = rank_groups(
            values.iloc[order], covariance=(factor**2 * covariance)[order][:, order], kind=kind
        ).to_frame()
        return frame.set_index("group")[["rank", "rank_low", "rank_high"]].sort_index()

    usual = rank(estimates)
    pd.testing.assert_frame_equal(rank(estimates + 1_000), usual)
    pd.testing.assert_frame_equal(rank(1e4 * estimates, factor=1e4), usual)
    order = np.random.default_rng(6).permutation(12)
    pd.testing.assert_frame_equal(rank(estimates, order=order), usual)


def test_groups_that_cannot_be_ranked_are_named_with_the_reason():
    estimates = pd.Series({"a": 1.0, "b": np.nan, "c": 3.0, "d": 2.0, "e": 9.0})
    se = pd.Series({"e": 0.0, "c": 0.1, "b": 1.0, "a": 0.1})  # another order, and none of d
    ranks = rank_groups(estimates, standard_errors=se)
    frame = ranks.to_frame().set_index("group")
    assert frame["reason"].to_dict() == {
        "a": "", "b": "no estimate", "c": "", "d": "no standard error",
        "e": "standard error of zero",
    }  # fmt: skip
    assert frame["rank"].dropna().to_dict() == {"a": 2, "c": 1}
    assert ranks.tau_best(1) == ["c"]
    assert ranks.summary() == (
        "Ranks of 2 groups, 95% sure all at once: a typical group may have 1 of the 2 ranks, "
        "1 may be first, and c is certainly among the first 1; 3 could not be ranked."
    )


def test_equal_estimates_share_the_better_rank_and_nothing_is_certain():
    estimates = pd.Series({"a": 1.0, "b": 1.0, "c": 0.0})
    ranks = rank_groups(estimates, standard_errors=np.ones(3), kind="marginal")
    assert ranks.to_frame()["rank"].to_list() == [1, 1, 3]
    assert bounds(ranks) == [(1, 3)] * 3
    assert "none is certainly ahead of the last" in ranks.summary()


A_SERIES = pd.Series({"a": 1.0, "b": 2.0})


@pytest.mark.parametrize(
    ("estimates", "options", "words"),
    [
        (A_SERIES, {}, "either standard_errors or covariance"),
        (A_SERIES, {"standard_errors": np.ones(3)}, "shape"),
        (A_SERIES, {"standard_errors": np.array([1, np.nan])}, "1 of 2 groups"),
        (A_SERIES, {"standard_errors": np.ones(2), "alpha": 5}, "alpha is 5"),
        (A_SERIES, {"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "not symmetric"),
        (A_SERIES, {"covariance": np.ones((2, 2))}, "'a' and 'b' are the same"),
        (pd.Series([1.0, 2.0], index=["a", "a"]), {"standard_errors": np.ones(2)}, "two est"),
    ],
)
def test_what_cannot_be_ranked_is_an_error(estimates, options, words):
    with pytest.raises(DesignError, match=words):
        rank_groups(estimates, **options)
