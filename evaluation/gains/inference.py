"""Intervals of single villages' gains, from the same contrast in comparison villages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.gains.moments import Bools, Floats
from evaluation.gains.shrinkage import SpreadPrior, fit_spreads, mean_unbiased_variances

Codes = npt.NDArray[np.intp]

MOST_PLACEBOS = 10_000
"""More comparison villages than these are not drawn on: every k-th one serves."""

_CHUNK = 64  # patterns at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageIntervals:
    """Intervals of single villages; n each, NaN where there is none.

    Attributes
    ----------
    spread
        s_i, the sd over the untreated years.
    half_width
        Of the interval around the gain.
    p_value
        Of a gain of zero, from the placebos.
    variance
        Mean-unbiased variance of the gain, for shrinkage.
    n_placebos
        Comparison villages known in all of the village's years.
    pattern
        Which of the patterns of years the village has.
    own, used
        P x T: each pattern's untreated and treated years.
    """

    spread: Floats
    half_width: Floats
    p_value: Floats
    variance: Floats
    n_placebos: npt.NDArray[np.int64]
    pattern: Codes
    own: Bools
    used: Bools


def n_needed(alpha: float) -> int:
    """Give how many placebos an interval needs.

    Examples
    --------
    >>> n_needed(0.05), n_needed(0.1)
    (19, 9)
    """
    return int(np.ceil(round(1 / alpha, 9))) - 1


def order_statistic(n: int, alpha: float) -> int:
    """Give the rank, from 1 on, of the placebo that the interval's quantile is."""
    return int(np.ceil(round((n + 1) * (1 - alpha), 9)))


def placebo_intervals(
    gains: Floats,
    excess: Floats,
    own: Bools,
    used: Bools,
    placebos: Floats,
    untreated: Bools,
    *,
    times: Floats | None,
    alpha: float,
    rounding: float = 0.0,
) -> VillageIntervals:
    """Give intervals of villages' gains from comparison villages' placebo gains.

    Parameters
    ----------
    gains
        n.
    excess
        n x T: the same villages' outcomes less counterfactual.
    own, used
        n x T: the untreated years that a village's level rests on; the treated ones that its
        gain is the mean of.
    placebos
        J x T: the comparison villages' outcomes less counterfactual.
    untreated
        J x T: where these are known and untreated.
    times
        The T years if villages have trends of their own.
    rounding
        Spreads up to this are none: such villages never varied, or are fitted exactly. They
        have no interval and are no placebos.

    Notes
    -----
    For each pattern of years, p_j = c'(y_j - l) with c = 1/T1 in treated and -1/T0 in untreated
    years, s_j the sd over the T0 untreated years (T0 - 1 degrees of freedom); the interval is
    g_i +- q s_i with q the ceil((J + 1)(1 - alpha))-th smallest |p_j|/s_j. It covers on
    average over villages if those compared would have changed alike without the programme,
    up to each village's own scale.
    """
    n = len(gains)
    code, first = _find_patterns(own, used)
    patterns_own, patterns_used = own[first], used[first]
    n_levels = 1 if times is None else 2
    contrasts, bases = _contrasts(patterns_own, patterns_used, times)
    spread, half, p_value, variance = np.full((4, n), np.nan)
    counts = np.zeros(n, dtype=np.int64)
    freedom = patterns_own.sum(axis=1) - n_levels
    members = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
    priors: dict[int, SpreadPrior] = {}
    known = np.where(untreated, placebos, 0)
    for p, shifts, spreads in _placebos(
        known, ~untreated, patterns_own, patterns_used, contrasts, bases, freedom
    ):
        rows, df = members[p], int(freedom[p])
        if df >= 1:
            varied = spreads > rounding
            shifts, spreads = shifts[varied], spreads[varied]
        counts[rows] = len(shifts)
        if df < 1:
            continue
        basis = bases[:, p]
        residuals = np.where(own[rows], excess[rows], 0)
        s = np.sqrt(_squares(residuals, basis) / df)
        s = np.where(s > rounding, s, 0.0)
        spread[rows] = s
        if len(shifts) < n_needed(alpha):
            continue
        if df not in priors:
            priors[df] = fit_spreads(spreads, df)
        variance[rows] = mean_unbiased_variances(s, spreads, shifts, df, prior=priors[df])
        ratios = np.sort(np.abs(shifts) / spreads)
        rows, s = rows[s > 0], s[s > 0]
        half[rows] = ratios[order_statistic(len(ratios), alpha) - 1] * s
        own_ratio = np.abs(gains[rows]) / s * (1 - 1e-12)
        above = len(ratios) - np.searchsorted(ratios, own_ratio)
        p_value[rows] = (1 + above) / (1 + len(ratios))
    return VillageIntervals(
        spread=spread, half_width=half, p_value=p_value, variance=variance, n_placebos=counts,
        pattern=code, own=patterns_own, used=patterns_used,
    )  # fmt: skip


def _find_patterns(own: Bools, used: Bools) -> tuple[Codes, Codes]:
    """Give each village's pattern of years as a number, and each pattern's first village."""
    bits = np.packbits(np.concatenate([own, used], axis=1), axis=1)
    keys = np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1]))).ravel()
    _, first, code = np.unique(keys, return_index=True, return_inverse=True)
    return code, first


def _contrasts(own: Bools, used: Bools, times: Floats | None) -> tuple[Floats, Floats]:
    """Give each pattern's contrast (T x P), and what levels and trends are made of (R x P x T).

    The latter are orthonormal on the pattern's untreated years, and zero in others.
    """
    columns = [np.ones(own.shape[1])] + ([times] if times is not None else [])
    bases = np.zeros((len(columns), *own.shape))
    contrasts = used / np.maximum(used.sum(axis=1, keepdims=True), 1)
    extrapolated = contrasts.copy()
    for r, column in enumerate(columns):
        raw = np.broadcast_to(column, own.shape).copy()
        for before in range(r):
            basis = bases[before]
            # The earlier bases at all years are constants; see above.
            level = (basis * raw).sum(axis=1, keepdims=True) * basis.max(axis=1, keepdims=True)
            raw -= level
        size = np.sqrt(np.where(own, raw**2, 0).sum(axis=1, keepdims=True))
        raw = np.divide(raw, size, out=np.zeros_like(raw), where=size > 0)
        bases[r] = np.where(own, raw, 0)
        contrasts = contrasts - bases[r] * (extrapolated * raw).sum(axis=1, keepdims=True)
    return contrasts.T, bases


def _placebos(
    known: Floats,
    unknown: Bools,
    own: Bools,
    used: Bools,
    contrasts: Floats,
    bases: Floats,
    freedom: npt.NDArray[np.int64],
) -> Iterator[tuple[int, Floats, Floats]]:
    """Give by pattern the placebo gains and spreads of villages known in all of its years."""
    absent, squares = unknown.astype(float), known**2
    for start in range(0, len(own), _CHUNK):
        part = slice(start, start + _CHUNK)
        complete = absent @ (own[part] | used[part]).T.astype(float) == 0
        shifts = known @ contrasts[:, part]
        sums = squares @ own[part].T.astype(float)
        for basis in bases[:, part]:
            sums -= (known @ basis.T) ** 2
        spreads = np.sqrt(np.maximum(sums, 0) / np.maximum(freedom[part], 1))
        for p in range(complete.shape[1]):
            rows = complete[:, p]
            yield start + p, shifts[rows, p], spreads[rows, p]


def _squares(residuals: Floats, basis: Floats) -> Floats:
    """Give the sums of squares left when levels (and trends) are taken out."""
    for vector in basis:
        residuals = residuals - np.outer(residuals @ vector, vector)
    sums: Floats = (residuals**2).sum(axis=1)
    return sums
