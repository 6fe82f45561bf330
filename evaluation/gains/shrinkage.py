"""Empirical Bayes: gains drawn towards what like villages gain, and the variances for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.gains.critical_values import robust_critical_value
from evaluation.gains.moments import Floats

SPARE_VILLAGES = 10
"""Villages needed beyond the prior mean's coefficients, to tell how true gains spread."""

_ALIKE = 1e-6  # standard errors that differ by less, relatively, differ by rounding
_LEAST_D0, _MOST_D0 = 0.05, 1e4  # at the upper end spreads can't be told from equal ones


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ShrunkenGains(ShowsSummary):
    """Gains after shrinkage, with how they were made.

    Attributes
    ----------
    villages
        One row a village, in the order given, NaN where gain, variance or covariate is missing:
        gain, variance, prior_mean, weight (of the gain against the prior mean), posterior_mean,
        posterior_sd, conf_low and conf_high (robust), parametric_half_width (of the interval
        that holds for normal true gains only). Money in the unit of the gains.
    coefficients
        Of the prior mean, by term: constant, the covariates, log_se (left out where all
        villages are measured alike).
    mu2, kappa
        Variance of true gains around the prior mean, and their kurtosis.
    alpha
        One less the coverage of the intervals.
    n
        How many villages have a posterior.
    """

    villages: pd.DataFrame
    coefficients: pd.Series[float]
    mu2: float
    kappa: float
    alpha: float
    n: int

    def to_frame(self) -> pd.DataFrame:
        """Give the villages, one row each."""
        return self.villages.copy()

    def summary(self) -> str:
        """Say in a line or two what was found, and how."""
        terms = ", ".join(f"{name} {value:,.4g}" for name, value in self.coefficients.items())
        return (
            f"{self.n:,} of {len(self.villages):,} villages shrunken towards a prior mean "
            f"({terms}); sd of true gains around it {np.sqrt(self.mu2):,.4g}, kurtosis "
            f"{self.kappa:,.4g}; mean weight of a village's own gain "
            f"{self.villages['weight'].mean():.2f}; robust {1 - self.alpha:.0%} intervals."
        )


def shrink_gains(
    gains: pd.Series[float],
    variances: pd.Series[float],
    *,
    covariates: pd.DataFrame | None = None,
    weights: pd.Series[float] | None = None,
    alpha: float = 0.05,
    precision: bool,
) -> ShrunkenGains:
    """Shrink villages' gains towards their prior mean, with robust intervals.

    Parameters
    ----------
    gains
        Estimated gains g_i; NaN gives NaN.
    variances
        Their variances, in the gains' unit squared and right on average: see
        `mean_unbiased_variances`.
    covariates
        What else the prior mean depends on, one column each, indexed as the gains.
    weights
        Of villages in the prior mean and in the moments; by default all count alike, so that
        the intervals cover on average over villages even where true gains vary more in
        villages that are measured worse.
    alpha
        One less the coverage.
    precision
        Whether the prior mean depends on the log standard error too.

    Raises
    ------
    DesignError
        With too few villages, a variance that is not positive, or collinear covariates.

    Notes
    -----
    g_i ~ (theta_i, s_i^2), theta_i ~ (x_i'd, mu2) with kurtosis kappa. d by weighted least
    squares; with e_i = g_i - x_i'd, mu2 is the weighted mean of e^2 - s^2 and kappa mu2^2 that
    of e^4 - 6 s^2 e^2 + 3 s^4, each kept from zero as if its posterior with a flat prior were
    truncated. The posterior mean is x_i'd + w_i e_i, w_i = mu2 / (mu2 + s_i^2), the interval
    +- cva(s_i^2 / mu2, kappa) w_i s_i: on average over villages it covers whatever the
    distribution of theta_i, if s_i says nothing of theta_i beyond x_i'd. With s_i^2 well above
    mu2 even 20,000 villages leave kappa rough: one study's 95% may then cover .90.

    References
    ----------
    Armstrong, Kolesar, Plagborg-Moller (2022), Econometrica, doi:10.3982/ECTA18597.
    The prior mean's dependence on precision: Chen (2023), arXiv:2212.14444.

    Examples
    --------
    >>> gains = pd.Series([9.0, 1, 2, 3, 4, 5, 6, 7, 8, 0, -5, 15, 5])
    >>> shrunken = shrink_gains(gains, gains * 0 + 4, precision=False)
    >>> shrunken.villages.loc[:1, ["gain", "weight", "posterior_mean"]].round(2)
       gain  weight  posterior_mean
    0   9.0    0.82            8.19
    1   1.0    0.82            1.66
    """
    gain, variance = gains.to_numpy(np.float64), variances.to_numpy(np.float64)
    columns = {"constant": np.ones(len(gain))}
    if covariates is not None:
        columns |= {str(name): covariates[name].to_numpy(np.float64) for name in covariates}
    weight = np.ones(len(gain)) if weights is None else weights.to_numpy(np.float64)
    known = np.isfinite(np.column_stack([gain, variance, weight, *columns.values()])).all(1)
    if np.any(variance[known] <= 0):
        raise DesignError(
            f"{int((variance[known] <= 0).sum())} villages' variances are not positive; make "
            "them NaN, or estimate them otherwise."
        )
    se = np.sqrt(np.where(known, variance, np.nan))
    if precision and known.any() and np.nanmax(se) > np.nanmin(se) * (1 + _ALIKE):
        columns["log_se"] = np.log(se)
    if known.sum() < len(columns) + SPARE_VILLAGES:
        raise DesignError(
            f"{int(known.sum())} villages have a gain with its variance; to shrink them takes "
            f"{len(columns) + SPARE_VILLAGES} with the terms {', '.join(columns)}. Use fewer "
            "terms, or show the raw gains."
        )
    x = np.column_stack(list(columns.values()))
    coefficients = _regress(gain[known], x[known], weight[known], list(columns))
    prior_mean = np.where(known, x @ coefficients, np.nan)
    error = gain - prior_mean
    mu2, kappa = _find_moments(error[known], variance[known], weight[known])
    own = mu2 / (mu2 + se**2)
    mean, sd = prior_mean + own * error, np.sqrt(own) * se
    half = robust_critical_value(se**2 / mu2, kappa, alpha=alpha) * own * se
    villages = {
        "gain": gain, "variance": variance, "prior_mean": prior_mean, "weight": own,
        "posterior_mean": mean, "posterior_sd": sd, "conf_low": mean - half,
        "conf_high": mean + half, "parametric_half_width": -special.ndtri(alpha / 2) * sd,
    }  # fmt: skip
    return ShrunkenGains(
        villages=pd.DataFrame(villages, index=gains.index),
        coefficients=pd.Series(coefficients, index=list(columns)),
        mu2=mu2, kappa=kappa, alpha=alpha, n=int(known.sum()),
    )  # fmt: skip


def _regress(y: Floats, x: Floats, weight: Floats, terms: list[str]) -> Floats:
    root = np.sqrt(weight)[:, None]
    size = np.sqrt(((x * root) ** 2).sum(axis=0))
    size[size == 0] = 1
    found, _, rank, _ = np.linalg.lstsq(x * root / size, y * root[:, 0], rcond=1e-10)
    if rank < len(terms):
        raise DesignError(
            f"the prior mean's terms are collinear ({', '.join(terms)}); leave one out."
        )
    return np.asarray(found / size)


def _find_moments(error: Floats, variance: Floats, weight: Floats) -> tuple[float, float]:
    """Estimate the variance and kurtosis of true gains around the prior mean."""
    w = weight / weight.sum()
    mu2 = max(w @ (error**2 - variance), 2 * (w**2 @ variance**2) / (w @ variance))
    mu4 = w @ (error**4 - 6 * variance * error**2 + 3 * variance**2)
    least = 1 + 32 * (w**2 @ variance**4) / (mu2**2 * (w @ variance**2))
    return float(mu2), float(max(mu4 / mu2**2, least))


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadPrior:
    """How villages' variances differ: s_j^2 ~ s2bar F(df, d0).

    Attributes
    ----------
    d0
        Degrees of freedom that the others are worth to a village; infinite if all are alike.
    s2bar
        The variance that villages are drawn to, in the outcome's unit squared.
    """

    d0: float
    s2bar: float


def fit_spreads(placebo_spreads: npt.ArrayLike, df: int) -> SpreadPrior:
    """Fit how villages' variances differ, by likelihood.

    Parameters
    ----------
    placebo_spreads, df
        s_j of the placebo villages, NaN is left out; degrees of freedom of each.

    Raises
    ------
    DesignError
        Where no spread is known.

    References
    ----------
    Smyth (2004), doi:10.2202/1544-6115.1027; his moments of log s_j^2 are where it starts.

    Examples
    --------
    >>> fit_spreads([1.0, 1.0, 1.0, 1.0], df=4)
    SpreadPrior(d0=inf, s2bar=1.0)
    """
    squares = np.asarray(placebo_spreads, np.float64) ** 2
    if not (squares := squares[np.isfinite(squares)]).size:
        raise DesignError("no placebo village has a spread; add never treated villages.")
    scale = float(squares.mean())
    if scale == 0:
        return SpreadPrior(d0=np.inf, s2bar=0.0)
    x = squares / scale
    log_x = np.log(df * np.maximum(x, 1e-300))
    # A start need not be exact: zeros' logarithms are cut, trigamma(y) is near 1/y + 1/(2 y^2).
    excess = np.log(np.maximum(x, 1e-5)).var() - special.polygamma(1, df / 2)
    d0 = (1 + np.sqrt(1 + 2 * excess)) / excess if excess > 1e-3 else _MOST_D0
    start = np.log(np.clip([d0, np.median(x)], [2 * _LEAST_D0, 1e-6], [_MOST_D0 / 2, 1]))

    def loss(parameters: Floats) -> tuple[float, Floats]:
        d0, log_scale = float(np.exp(parameters[0])), float(parameters.sum())
        log_z = log_x - log_scale  # in logarithms: with many zeros s2bar runs to its bound
        total, mean_log = df + d0, float(np.logaddexp(0, log_z).mean())
        pull = total / 2 * float(special.expit(log_z).mean())
        value = special.betaln(df / 2, d0 / 2) - df / 2 * (np.log(df) - log_scale)
        by_d0 = d0 / 2 * (special.digamma(d0 / 2) - special.digamma(total / 2) + mean_log)
        slopes = np.array([by_d0 + df / 2 - pull, df / 2 - pull])
        return float(value + total / 2 * mean_log), slopes

    bounds = [(np.log(_LEAST_D0), np.log(_MOST_D0)), (-500, 5)]
    found = np.exp(optimize.minimize(loss, start, jac=True, bounds=bounds, tol=1e-12).x)
    if found[0] > _MOST_D0 / 2:
        return SpreadPrior(d0=np.inf, s2bar=scale)
    return SpreadPrior(d0=float(found[0]), s2bar=float(found[1]) * scale)


def mean_unbiased_variances(
    spreads: npt.ArrayLike,
    placebo_spreads: npt.ArrayLike,
    placebo_gains: npt.ArrayLike,
    df: int,
    *,
    prior: SpreadPrior | None = None,
) -> Floats:
    """Give variances of gains that are right on average, for one pattern of years.

    Parameters
    ----------
    spreads
        n: s_i of the treated villages, the sd over their untreated years; NaN gives NaN.
    placebo_spreads, placebo_gains
        J: s_j and p_j of the placebo villages, of the same years; NaN is left out.
    df, prior
        Degrees of freedom of each spread; from `fit_spreads`, if fitted once for many patterns.

    Returns
    -------
    numpy.ndarray
        n: sigma_i^2, in the gains' unit squared; NaN where no placebo varies.

    Notes
    -----
    sigma_i^2 = k m(s_i), m(s) = (d0 s2bar + df s^2) / (d0 + df), k such that the placebos' mean
    sigma_j^2 is their mean p_j^2. It is right on average if treated villages are as noisy as
    placebos; noise that is serially correlated is taken care of by k.

    Examples
    --------
    >>> mean_unbiased_variances([1, 3], [1, 1, 1], [2, -2, 2], 4)
    array([4., 4.])
    """
    own, s_j, p_j = (np.asarray(x, float) for x in (spreads, placebo_spreads, placebo_gains))
    known = np.isfinite(s_j) & np.isfinite(p_j)
    prior = prior or fit_spreads(s_j[known], df)
    share = df / (prior.d0 + df)
    moderated = prior.s2bar + share * (own**2 - prior.s2bar)
    mean_moderated = prior.s2bar + share * ((s_j[known] ** 2).mean() - prior.s2bar)
    mean_square = float((p_j[known] ** 2).mean())
    if mean_square == 0 or mean_moderated <= 0:
        return np.full(own.shape, np.nan)
    return np.asarray(mean_square / mean_moderated * moderated)
