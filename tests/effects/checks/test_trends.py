"""Tests of paths before treatment, and of what they would miss."""

import numpy as np
import pytest
from scipy import stats

from evaluation.effects.checks.coefficients import find_event_study
from evaluation.effects.checks.trends import (
    _flip_p,
    _hotelling_p,
    _pre_tests,
    _trend_missed,
    check_pre_trend,
    check_pre_trend_power,
)
from evaluation.errors import DesignError
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    study_of,
    subject_of,
    world_panel,
)

EXACT = 1e-12
SAME = 1e-9  # the same arithmetic in another order
DRAWN = 0.01  # three sampling errors of a power from 20,000 draws
SLOPE = 0.02  # relative: what such an error of the power makes of a slope, and R's own
MONEY = 100.0

# What R's pretrends 0.1.0 gives (referencePeriod = -1, alpha = 0.05) for these errors with
# correlation 0.5^|i - j|: power of two slopes, and the slopes that two powers take. The joint
# power is the tail of a noncentral chi-squared.
TIMES = np.array([-4, -3, -2, 0, 1, 2])
SE = np.array([0.050, 0.045, 0.040, 0.100, 0.110, 0.120])
COVARIANCE = 0.5 ** np.abs(np.subtract.outer(range(6), range(6))) * np.outer(SE, SE)
POWER = {0.02: 0.331636386010325, 0.05: 0.901493717618343}
SLOPES = {0.5: 0.027901593818477, 0.8: 0.0424249541097126}
JOINT_POWER = {0.02: 0.157183}
STUDY = study_of([0.012, -0.008, 0.021, 0.18, 0.24, 0.31], COVARIANCE, TIMES)


def test_a_planted_trend_is_found_and_its_absence_is_not():
    found = check_pre_trend(subject_of(world_panel(drift=0.25)))
    assert found.verdict == "failed" and found.statistic < 0.001
    quiet = check_pre_trend(subject_of(world_panel()))
    assert quiet.verdict == "passed" and quiet.statistic > 0.05
    assert "no proof" in quiet.sentence
    assert quiet.table["event_time"].tolist() == [-5, -4, -3, -2]


def test_few_clusters_are_tested_by_flipping_their_signs():
    few = {"counties": 12, "treated": 8, "comparison": 12}
    found = check_pre_trend(subject_of(world_panel(drift=0.3, **few)))
    assert found.verdict == "failed" and 1 / 2**12 <= found.statistic < 0.05
    subject = subject_of(world_panel(**few))
    quiet = check_pre_trend(subject)
    assert quiet.verdict == "passed"
    shown = subject.effects.event_study("callaway_santanna").set_index("event_time")
    for name in ("estimate", "conf_low", "conf_high", "p_value"):
        assert quiet.table[name].tolist() == shown.loc[quiet.table["event_time"], name].tolist()


def test_leads_beyond_the_nearest_are_counted():
    check = check_pre_trend(subject_of(world_panel(n_untreated=13)))
    assert "the 8 nearest of 12 before treatment" in check.sentence


def test_without_another_event_study_the_imputation_s_leads_are_tested():
    check = check_pre_trend(subject_of(world_panel(), estimators=["imputation"]))
    leads = subject_of(world_panel(), estimators=["imputation"]).gains.event_study()
    assert check.statistic == leads.attrs["joint_p"]
    assert "imputation" in check.sentence


def test_clusters_that_are_too_few_are_not_judged():
    subject = subject_of(world_panel(counties=4, treated=8))
    assert "needs 6" in check_pre_trend_power(subject).sentence
    assert check_pre_trend(subject).verdict == "informational"
    with pytest.raises(DesignError, match="equal ones"):
        find_event_study(subject)


def test_signs_by_hand():
    # Pseudo-values 1, 2, 4: of 8 sums +-1 +-2 +-4 only 7 and -7 are as large as 7.
    pseudo = np.array([[1.0], [2.0], [4.0]])
    study = study_of([7 / 3], [[1.0]], [-2], pseudo=pseudo)
    assert _flip_p(study, seed=0) == 2 / 8


def test_hotelling_by_hand():
    # k = 2 uncorrelated coefficients, t = 3 and 4: W = 25. G = 10: F = 25 (10 - 2) / (2 x 10).
    study = study_of([3.0, 8.0], [[1.0, 0.0], [0.0, 4.0]], [-3, -2], freedom=9)
    assert _hotelling_p(study) == pytest.approx(stats.f.sf(10, 2, 8), rel=EXACT)


@pytest.mark.parametrize("flips", [False, True])
def test_a_true_null_is_rejected_as_often_as_said(flips):
    rng = np.random.default_rng(5)
    n, k, worlds = (9, 3, 600) if flips else (30, 5, 3000)
    mixing = np.tril(np.ones((k, k)))
    rejected = 0
    for _ in range(worlds):
        pseudo = rng.standard_normal((n, k)) @ mixing.T
        parts = (pseudo - pseudo.mean(axis=0)) / n
        study = study_of(
            pseudo.mean(axis=0),
            parts.T @ parts,
            range(-k - 1, -1),
            pseudo=pseudo,
            freedom=n - 1,
        )
        rejected += (_flip_p(study, 0) if flips else _hotelling_p(study)) < 0.05
    # Three sampling errors of 0.05; with 2^9 signs p can be just below 0.05.
    assert rejected / worlds == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / worlds))


@pytest.mark.parametrize("power", [0.5, 0.8])
def test_slopes_are_those_of_pretrends(power):
    found = _trend_missed(STUDY, "any", _pre_tests(STUDY)["any"], power, seed=0)
    assert found["slope"] == pytest.approx(SLOPES[power], rel=SLOPE)
    # The mean of 1, 2, 3 years since the reference.
    assert found["bias"] == pytest.approx(2 * found["slope"], rel=EXACT)


@pytest.mark.parametrize(("test", "reference"), [("any", POWER), ("joint", JOINT_POWER)])
def test_powers_are_those_of_pretrends(test, reference):
    reject = _pre_tests(STUDY)[test]
    before = STUDY.before
    rng = np.random.default_rng(2)
    errors = rng.multivariate_normal(np.zeros(3), COVARIANCE[np.ix_(before, before)], 100_000)
    for slope, power in reference.items():
        found = reject(errors + slope * (TIMES[before] + 1)).mean()
        assert found == pytest.approx(power, abs=DRAWN)


def test_the_bias_that_passing_leaves_is_the_one_of_a_truncated_normal():
    """For the joint test it has a closed form: E[z | z'z <= c], z ~ N(m, I), is m times the
    ratio of chi-squared probabilities with k + 2 and k degrees of freedom.
    """
    found = _trend_missed(STUDY, "joint", _pre_tests(STUDY)["joint"], 0.8, seed=0)
    before = STUDY.before
    inner, cross = COVARIANCE[np.ix_(before, before)], COVARIANCE[np.ix_(~before, before)]
    trend = found["slope"] * (TIMES + 1)
    load = np.linalg.solve(inner, trend[before])
    size, most = float(trend[before] @ load), float(stats.chi2.ppf(0.95, 3))
    kept = stats.ncx2.cdf(most, 5, size) / stats.ncx2.cdf(most, 3, size)
    expected = (trend[~before] + cross @ load * (kept - 1)).mean()
    assert stats.ncx2.sf(most, 3, size) == pytest.approx(0.8, abs=DRAWN)
    assert found["bias_if_passed"] == pytest.approx(expected, rel=SLOPE)


def test_an_effect_below_the_bias_of_a_missed_trend_fails():
    large = check_pre_trend_power(subject_of(world_panel(gain=2.0)))
    assert large.verdict == "passed" and large.statistic < 1
    small = check_pre_trend_power(subject_of(world_panel(gain=0.4)))
    assert small.verdict == "failed" and small.statistic > 1
    none = check_pre_trend_power(subject_of(world_panel(gain=0.0)))
    assert none.verdict == "informational" and "nothing to explain away" in none.sentence
    assert "the mean over all treated years (Group-time averages" in none.sentence
    assert large.table["pre_test"].unique().tolist() == ["joint", "any"]
    slopes = large.table.pivot(index="pre_test", columns="power", values="slope")
    assert (slopes[0.8] > slopes[0.5]).all()


@pytest.mark.parametrize("check", [check_pre_trend, check_pre_trend_power])
def test_neither_order_nor_unit_of_money_matters(check):
    panel = world_panel(missing=0.05)
    one = check(subject_of(panel))
    same_tables(one, check(subject_of(in_other_order(panel))), rtol=1e-6)
    same_tables(one, check(subject_of(in_other_money(panel, MONEY))), rtol=1e-6, factor=MONEY)
    assert_drawn(one)
