"""How villages' spreads differ, and variances of their gains that are right on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from evaluation.errors import DesignError
from evaluation.gains.moments import Floats

_NEAR = 1e-4  # of the least, where its slopes are solved
_LEAST_D0, _MOST_D0 = 0.05, 1e4  # at the upper end spreads can't be told from equal ones


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
    near = optimize.minimize(loss, start, jac=True, bounds=bounds, tol=1e-12).x
    # The loss is too flat at its least to tell more than half of the digits; its slopes do.
    exact = optimize.root(lambda parameters: loss(parameters)[1], near, tol=1e-14).x
    found = np.exp(exact if np.abs(exact - near).max() < _NEAR else near)
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
    s_j, p_j = (np.asarray(x, float) for x in (placebo_spreads, placebo_gains))
    known = np.isfinite(s_j) & np.isfinite(p_j)
    prior = prior or fit_spreads(s_j[known], df)
    constant, slope = variance_line(s_j[known], p_j[known], df, prior)
    return np.asarray(constant + slope * np.asarray(spreads, float) ** 2)


def variance_line(
    spreads: Floats, shifts: Floats, df: int, prior: SpreadPrior
) -> tuple[float, float]:
    """Give c0 and c1: variances of gains are c0 + c1 s_i^2; see `mean_unbiased_variances`."""
    share = df / (prior.d0 + df)
    mean_moderated = prior.s2bar + share * ((spreads**2).mean() - prior.s2bar)
    mean_square = float((shifts**2).mean())
    if mean_square == 0 or mean_moderated <= 0:
        return np.nan, np.nan
    k = float(mean_square / mean_moderated)
    return k * (1 - share) * prior.s2bar, k * share
