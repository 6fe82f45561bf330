"""Shrinkage: critical values, arithmetic, coverage, and the variances that it rests on."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy import optimize, stats

from evaluation.errors import DesignError
from evaluation.gains.critical_values import robust_critical_value, worst_noncoverage
from evaluation.gains.shrinkage import (
    ShrunkenGains,
    SpreadPrior,
    fit_spreads,
    mean_unbiased_variances,
    shrink_gains,
)

Floats = npt.NDArray[np.float64]

EXACT = 1e-12  # the same sums in floating point
# Two ways to the same root, each stopped when a step is below 1e-11 of it.
SAME_ROOT = 1e-9
# The linear programme knows b on a grid of .002 only: half a step squared, times the curvature.
GRID = 1e-6
# What estimated moments may cost, on average over 20 studies of 4,000 villages.
COVERAGE = 0.015
# Mean squares of 20,000 villages whose variances differ: a standard error of 2%, in both arms.
MEAN_SQUARE = 0.08


def shrink(gains: Floats, variances: Floats, **options: object) -> ShrunkenGains:
    options = {"precision": False} | options
    return shrink_gains(pd.Series(gains), pd.Series(variances), **options)  # type: ignore[arg-type]


# Critical values


@pytest.mark.parametrize("kappa", [1.2, 3.0, 40.0, np.inf])
@pytest.mark.parametrize(("m2", "alpha"), [(0.01, 0.1), (0.3, 0.05), (1.0, 0.3), (30.0, 0.05)])
def test_worst_noncoverage_is_what_linear_programming_finds(
    m2: float, alpha: float, kappa: float
) -> None:
    chi = robust_critical_value(m2, kappa, alpha=alpha)
    t = np.append(np.linspace(0, float(chi) + 8, 8_001) ** 2, m2)
    chance = _normal_beyond(float(chi), np.sqrt(t))
    bound = {} if np.isinf(kappa) else {"A_ub": [(t / m2) ** 2 / kappa], "b_ub": [1]}
    found = optimize.linprog(-chance, A_eq=[np.ones_like(t), t / m2], b_eq=[1, 1], **bound)
    assert -found.fun == pytest.approx(alpha, abs=GRID)
    assert worst_noncoverage(m2, kappa, chi) == pytest.approx(alpha, abs=SAME_ROOT)


def _normal_beyond(chi: float, b: Floats) -> Floats:
    return np.asarray(stats.norm.sf(chi - b) + stats.norm.cdf(-chi - b))


@pytest.mark.parametrize("kappa", [1.0, 1.5, 3.0, 800.0, np.inf])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_many_critical_values_are_those_found_one_by_one(kappa: float, alpha: float) -> None:
    m2 = np.exp(np.random.default_rng(1).uniform(-14, 12, 3_000))
    together = robust_critical_value(m2, kappa, alpha=alpha)
    alone = [robust_critical_value(m, kappa, alpha=alpha) for m in m2[:60]]
    np.testing.assert_allclose(together[:60], alone, rtol=SAME_ROOT)
    np.testing.assert_allclose(
        worst_noncoverage(m2[:500], kappa, together[:500]), alpha, rtol=SAME_ROOT
    )


def test_critical_values_rise_with_bias_and_kurtosis_and_keep_missing_ones() -> None:
    m2 = np.array([[0.0, 0.1, 1.0], [4.0, 100.0, np.nan]])
    by_kappa = [robust_critical_value(m2, kappa, alpha=0.05) for kappa in (1, 2, 5, np.inf)]
    for found in by_kappa:
        assert found.shape == m2.shape
        assert np.isnan(found[1, 2])
        assert np.all(np.diff(found.ravel()[:5]) > 0)
    # Under Chebyshev's bound, and without bias the normal quantile.
    assert np.all(by_kappa[-1].ravel()[:5] < np.sqrt((1 + m2.ravel()[:5]) / 0.05))
    assert all(found[0, 0] == pytest.approx(1.959963984540054) for found in by_kappa)
    for less, more in pairwise(by_kappa):
        assert np.all((more - less).ravel()[:5] >= -SAME_ROOT)


@pytest.mark.parametrize(("m2", "kappa", "alpha"), [(-1, 3, 0.05), (1, 0.9, 0.05), (1, 3, 0.7)])
def test_impossible_moments_are_refused(m2: float, kappa: float, alpha: float) -> None:
    with pytest.raises(ValueError, match="kurtosis at least 1"):
        robust_critical_value(m2, kappa, alpha=alpha)


# Shrinkage


def test_a_case_worked_by_hand() -> None:
    """Six gains of 3 and six of -3, all with variance 1.

    mu2 = 9 - 1 = 8; the fourth moment 81 - 6 * 9 + 3 = 30 is less than 8^2, so kappa is at
    its least, 1 + 32 / (12 * 8^2); the weight is 8/9.
    """
    found = shrink(np.repeat([3.0, -3.0], 6), np.ones(12), precision=True)
    assert found.mu2 == pytest.approx(8, rel=EXACT)
    assert found.kappa == pytest.approx(1 + 1 / 24, rel=EXACT)
    assert list(found.coefficients.index) == ["constant"]  # all are measured alike
    first = found.villages.iloc[0]
    assert first["weight"] == pytest.approx(8 / 9, rel=EXACT)
    assert first["posterior_mean"] == pytest.approx(8 / 3, rel=EXACT)
    assert first["posterior_sd"] == pytest.approx(np.sqrt(8 / 9), rel=EXACT)
    half = robust_critical_value(1 / 8, 1 + 1 / 24, alpha=0.05) * 8 / 9
    assert first["conf_high"] - 8 / 3 == pytest.approx(half, rel=SAME_ROOT)
    assert found.summary().startswith("12 of 12 villages shrunken towards a prior mean")


def test_noise_alone_is_shrunken_nearly_all_the_way_but_not_quite() -> None:
    """Gains of +-.5 with variance 1: mu2 is at its least, 2/12."""
    found = shrink(np.repeat([0.5, -0.5], 6), np.ones(12))
    assert found.mu2 == pytest.approx(2 / 12, rel=EXACT)


PRIORS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "skewed": lambda rng, n: rng.exponential(size=n),
    "two points": lambda rng, n: np.where(rng.random(n) < 0.05, 4.0, 0.0),
}


@pytest.mark.parametrize("prior", PRIORS)
@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_robust_intervals_cover_on_average(prior: str, noise: float) -> None:
    """Over studies as over villages: in one with much noise, kappa is a rough estimate."""
    rng, n = np.random.default_rng(5), 4_000
    covered, error, variance = [], [], []
    for _ in range(20):
        true = PRIORS[prior](rng, n)
        se = noise * rng.uniform(0.5, 1.5, n)
        found = shrink(true + se * rng.normal(size=n), se**2, alpha=0.1).villages
        covered.append(((found["conf_low"] <= true) & (true <= found["conf_high"])).mean())
        error.append(((found["posterior_mean"] - true) ** 2).mean())
        variance.append((se**2).mean())
    assert np.mean(covered) >= 0.9 - COVERAGE
    # Shrinkage also pays: nearer to the truth than the raw gains are.
    assert np.mean(error) < 0.95 * np.mean(variance)


def test_precision_helps_where_bigger_villages_gain_more_and_are_measured_better() -> None:
    rng = np.random.default_rng(7)
    size = rng.normal(size=5_000)
    true = 0.6 * size + 0.4 * rng.normal(size=5_000)
    se = np.exp(-0.5 * size) * 0.7
    gains = true + se * rng.normal(size=5_000)
    raw = np.mean((gains - true) ** 2)
    without, with_precision = (
        ((shrink(gains, se**2, precision=p).villages["posterior_mean"] - true) ** 2).mean()
        for p in (False, True)
    )
    assert with_precision < 0.75 * without
    assert without < raw


def test_the_prior_mean_is_found_again_from_covariates_and_precision() -> None:
    """theta = 1 + 2 x - 3 log s exactly, so hardly anything is left to the noise."""
    rng = np.random.default_rng(2)
    x, se = rng.normal(size=50), np.exp(rng.normal(size=50)) * 1e-6
    gains = 1 + 2 * x - 3 * np.log(se)
    found = shrink(gains, se**2, covariates=pd.DataFrame({"x": x}), precision=True)
    expected = pd.Series({"constant": 1.0, "x": 2.0, "log_se": -3.0})
    pd.testing.assert_series_equal(found.coefficients, expected, rtol=1e-9)


def test_weights_count_villages_as_often() -> None:
    gains, se = _noisy(40)
    twice = shrink(np.append(gains, gains[:10]), np.append(se, se[:10]) ** 2)
    weighted = shrink(gains, se**2, weights=pd.Series(np.r_[np.full(10, 2.0), np.ones(30)]))
    np.testing.assert_allclose(twice.coefficients, weighted.coefficients, rtol=1e-10)
    assert twice.mu2 == pytest.approx(weighted.mu2, rel=1e-10)


def test_results_do_not_depend_on_order_unit_or_level() -> None:
    gains, se = _noisy(60)
    columns = ["posterior_mean", "posterior_sd", "conf_low", "conf_high"]
    base = shrink(gains, se**2, precision=True).villages[columns].to_numpy()
    order = np.random.default_rng(0).permutation(60)
    shuffled = shrink(gains[order], se[order] ** 2, precision=True).villages[columns]
    np.testing.assert_allclose(shuffled, base[order], rtol=1e-8)
    scaled = shrink(1e4 * gains, 1e8 * se**2, precision=True).villages[columns]
    np.testing.assert_allclose(scaled, 1e4 * base, rtol=1e-8)
    raised = shrink(gains + 100, se**2, precision=True).villages[columns]
    np.testing.assert_allclose(raised, base + np.array([100, 0, 100, 100]), rtol=1e-8)


def test_missing_numbers_stay_missing_and_move_no_other() -> None:
    gains, se = _noisy(30)
    index = pd.Index([f"v{i}" for i in range(33)])
    gaps = pd.Series(np.append(gains, [np.nan, 1.0, 2.0]), index=index)
    variances = pd.Series(np.append(se**2, [1.0, np.nan, 1.0]), index=index)
    covariate = pd.DataFrame({"x": np.append(np.arange(30.0), [0, 0, np.nan])}, index=index)
    found = shrink_gains(gaps, variances, covariates=covariate, precision=True)
    alone = shrink(
        gains, se**2, covariates=covariate[:30].reset_index(drop=True), precision=True
    )
    posterior = ["prior_mean", "posterior_mean", "conf_low"]
    np.testing.assert_allclose(found.villages[posterior][:30], alone.villages[posterior])
    assert found.villages[posterior][30:].isna().all(axis=None)
    assert list(found.to_frame().index) == list(index)
    assert found.n == 30


def test_what_cannot_be_shrunken_is_said() -> None:
    gains, se = _noisy(30)
    with pytest.raises(DesignError, match=r"10 villages .* takes 11 with the terms constant"):
        shrink(gains[:10], se[:10] ** 2)
    with pytest.raises(DesignError, match="0 villages"):
        shrink(gains * np.nan, se**2, precision=True)
    with pytest.raises(DesignError, match="1 villages' variances are not positive"):
        shrink(gains, np.append(se[1:] ** 2, 0))
    with pytest.raises(DesignError, match=r"collinear \(constant, x\)"):
        shrink(gains, se**2, covariates=pd.DataFrame({"x": np.full(30, 2.0)}))


def _noisy(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(11)
    se = rng.uniform(0.5, 2, n)
    return rng.normal(5, 2, n) + se * rng.normal(size=n), se


# Variances


def test_variances_worked_by_hand() -> None:
    """d0 = 6, s2bar = 2, df = 4: m(s) = (12 + 4 s^2) / 10.

    Placebos of s^2 = 2 and 7 have m = 2 and 4, 3 on average; their p^2 are 4 and 8, so k = 2.
    A village with s^2 = 12 has m = 6 and a variance of 12.
    """
    found = mean_unbiased_variances(
        np.sqrt([12.0, 2.0, np.nan]),
        np.sqrt([2.0, 7.0, np.nan]),
        np.sqrt([4.0, 8.0, 1.0]),
        4,
        prior=SpreadPrior(d0=6, s2bar=2),
    )
    np.testing.assert_allclose(found, [12, 4, np.nan], rtol=EXACT)


def test_variances_do_not_exist_where_no_placebo_varies() -> None:
    nothing = np.zeros(20)
    assert fit_spreads(nothing, 3) == SpreadPrior(d0=np.inf, s2bar=0.0)
    assert np.isnan(mean_unbiased_variances([1.0, 2.0], nothing, nothing + 1, 3)).all()
    assert np.isnan(mean_unbiased_variances([1.0, 2.0], nothing + 1, nothing, 3)).all()
    with pytest.raises(DesignError, match="no placebo village has a spread"):
        fit_spreads([np.nan], 3)


@pytest.mark.parametrize("df", [1, 4, 11])
@pytest.mark.parametrize("d0", [0.8, 3.0, 12.0])
def test_the_spreads_prior_is_found_again(d0: float, df: int) -> None:
    rng = np.random.default_rng(3)
    variances = 9 * d0 / rng.chisquare(d0, 40_000)
    found = fit_spreads(np.sqrt(variances * rng.chisquare(df, 40_000) / df), df)
    # Three standard errors or more of d0, the hardest where df is 1 and d0 large.
    assert found.d0 == pytest.approx(d0, rel=0.15)
    assert found.s2bar == pytest.approx(9, rel=0.05)


def test_equal_variances_are_told_by_a_large_d0_and_drawn_together() -> None:
    rng = np.random.default_rng(3)
    spreads = np.sqrt(rng.chisquare(4, 5_000) / 4)
    assert fit_spreads(spreads, 4).d0 > 50
    found = mean_unbiased_variances(spreads, spreads, rng.normal(size=5_000), 4)
    assert found.std() < 0.05


@pytest.mark.parametrize("df", [1, 4])
def test_spreads_of_zero_are_fitted_without_a_warning(df: int) -> None:
    """So many zeros make the likelihood rise without end as s2bar goes to zero."""
    found = fit_spreads([0, 0, 0, 0, 0, 0, 1.0, 1e-160], df)
    assert 0 < found.d0 < 1 and 0 <= found.s2bar < 1e-6


def test_the_likelihood_is_highest_at_the_prior_found() -> None:
    rng = np.random.default_rng(9)
    squares = rng.f(5, 3, 500) * 2

    def log_likelihood(d0: float, s2bar: float) -> float:
        return float(
            stats.f.logpdf(squares / s2bar, 5, d0).sum() - len(squares) * np.log(s2bar)
        )

    found = fit_spreads(np.sqrt(squares), 5)
    best = log_likelihood(found.d0, found.s2bar)
    for factor in (0.99, 1.01):
        assert log_likelihood(found.d0 * factor, found.s2bar) < best
        assert log_likelihood(found.d0, found.s2bar * factor) < best


def test_variances_scale_with_the_money_unit() -> None:
    rng = np.random.default_rng(4)
    s, p = rng.gamma(2, size=300), rng.normal(size=300)
    in_yuan = mean_unbiased_variances(s[:50], s, p, 5)
    in_wan = mean_unbiased_variances(s[:50] / 1e4, s / 1e4, p / 1e4, 5)
    # The likelihood is searched to 1e-12, which leaves 1e-6 of d0.
    np.testing.assert_allclose(in_wan * 1e8, in_yuan, rtol=1e-5)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_variances_are_right_on_average(rho: float) -> None:
    """Villages differ in their noise, which is AR(1); five untreated years, three treated."""
    n, n_before = 20_000, 5
    rng = np.random.default_rng(8)
    years = np.arange(8)
    correlation = rho ** abs(years[:, None] - years)
    sd = np.exp(0.4 * rng.normal(size=2 * n))
    noise = sd[:, None] * (rng.normal(size=(2 * n, 8)) @ np.linalg.cholesky(correlation).T)
    before, after = noise[:, :n_before], noise[:, n_before:]
    spreads = before.std(axis=1, ddof=1)
    shifts = after.mean(axis=1) - before.mean(axis=1)
    found = mean_unbiased_variances(spreads[:n], spreads[n:], shifts[n:], n_before - 1)

    contrast = np.repeat([-1 / 5, 1 / 3], [5, 3])
    true = sd[:n] ** 2 * (contrast @ correlation @ contrast)
    assert found.mean() == pytest.approx(true.mean(), rel=MEAN_SQUARE)
    assert np.corrcoef(found, true)[0, 1] > 0.5
    naive = (spreads[:n] ** 2).mean() * (1 / 5 + 1 / 3)
    assert (naive < 0.7 * true.mean()) == (rho > 0)
