"""Empirical Bayes: gains drawn towards what like villages gain, and the variances for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
from scipy import special

from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.gains.critical_values import robust_critical_value
from evaluation.gains.moments import Floats
from evaluation.gains.spreads import SpreadPrior, fit_spreads, mean_unbiased_variances

__all__ = [
    "SPARE_VILLAGES", "ShrunkenGains", "SpreadPrior", "fit_spreads", "mean_unbiased_variances",
    "shrink_gains",
]  # fmt: skip

SPARE_VILLAGES = 10
"""Villages needed beyond the prior mean's coefficients, to tell how true gains spread."""

ALIKE = 1e-6  # standard errors that differ by less, relatively, differ by rounding


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
    gain = np.asarray(gains, np.float64)
    variance = np.asarray(variances, np.float64)
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
    if precision and known.any() and np.nanmax(se) > np.nanmin(se) * (1 + ALIKE):
        columns["log_se"] = np.log(se)
    if known.sum() < len(columns) + SPARE_VILLAGES:
        raise too_few_to_shrink(int(known.sum()), list(columns))
    x = np.column_stack(list(columns.values()))
    coefficients = _regress(gain[known], x[known], weight[known], list(columns))
    prior_mean = np.where(known, x @ coefficients, np.nan)
    mu2, kappa = TrueMoments.of(
        (gain - prior_mean)[known], variance[known], weight[known]
    ).solve()
    villages = {
        "gain": gain,
        "variance": variance,
        **find_posteriors(gain, variance, prior_mean, mu2, kappa, alpha=alpha),
    }
    return ShrunkenGains(
        villages=pd.DataFrame(villages, index=gains.index),
        coefficients=pd.Series(coefficients, index=list(columns)),
        mu2=mu2, kappa=kappa, alpha=alpha, n=int(known.sum()),
    )  # fmt: skip


def find_posteriors(
    gain: Floats,
    variance: Floats,
    prior_mean: Floats,
    mu2: float,
    kappa: float,
    *,
    alpha: float,
) -> dict[str, Floats]:
    """Give villages' posteriors, as the columns of `ShrunkenGains` from prior_mean on."""
    se = np.sqrt(np.where(np.isfinite(prior_mean), variance, np.nan))
    own = mu2 / (mu2 + se**2)
    mean, sd = prior_mean + own * (gain - prior_mean), np.sqrt(own) * se
    half = robust_critical_value(se**2 / mu2, kappa, alpha=alpha) * own * se
    return {
        "prior_mean": prior_mean, "weight": own, "posterior_mean": mean, "posterior_sd": sd,
        "conf_low": mean - half, "conf_high": mean + half,
        "parametric_half_width": -special.ndtri(alpha / 2) * sd,
    }  # fmt: skip


def too_few_to_shrink(n: int, terms: Sequence[str]) -> DesignError:
    """Say that few villages have a gain with its variance."""
    return DesignError(
        f"{n} villages have a gain with its variance; to shrink them takes "
        f"{len(terms) + SPARE_VILLAGES} with the terms {', '.join(terms)}. Use fewer "
        "terms, or show the raw gains."
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueMoments:
    """Sums over villages from which the moments of true gains follow: w, e = g - x'd, s^2.

    Attributes
    ----------
    weight, square, fourth, noise, noise_square
        Sums of w, w (e^2 - s^2), w (e^4 - 6 s^2 e^2 + 3 s^4), w s^2, w s^4.
    lone_square, lone_eighth
        Sums of w^2 s^4, w^2 s^8.
    """

    weight: float
    square: float
    fourth: float
    noise: float
    noise_square: float
    lone_square: float
    lone_eighth: float

    @classmethod
    def of(cls, error: Floats, variance: Floats, weight: Floats) -> TrueMoments:
        """Sum over some villages."""
        w, e2 = weight, error**2
        return cls(
            weight=float(w.sum()),
            square=float(w @ (e2 - variance)),
            fourth=float(w @ (e2**2 - 6 * variance * e2 + 3 * variance**2)),
            noise=float(w @ variance),
            noise_square=float(w @ variance**2),
            lone_square=float(w**2 @ variance**2),
            lone_eighth=float(w**2 @ variance**4),
        )

    def __add__(self, other: TrueMoments) -> TrueMoments:
        return TrueMoments(
            **{item.name: getattr(self, item.name) + getattr(other, item.name)
               for item in fields(self)}
        )  # fmt: skip

    def solve(self) -> tuple[float, float]:
        """Estimate the variance and kurtosis of true gains around the prior mean."""
        w = self.weight
        mu2 = max(self.square / w, 2 * (self.lone_square / w**2) / (self.noise / w))
        least = 1 + 32 * (self.lone_eighth / w**2) / (mu2**2 * (self.noise_square / w))
        return mu2, max(self.fourth / w / mu2**2, least)
