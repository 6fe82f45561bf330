"""Intervals of single villages' gains, from the same contrast in comparison villages."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from evaluation.gains.moments import Bools, Floats
from evaluation.gains.placebos import Patterns, Placebos, find_patterns, order_statistic

__all__ = ["VillageIntervals", "judge_gains", "order_statistic", "placebo_intervals"]

Codes = npt.NDArray[np.intp]


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
    code, patterns_own, patterns_used = find_patterns(own, used)
    patterns = Patterns.of(patterns_own, patterns_used, times=times)
    table = Placebos.of(placebos, untreated, patterns, alpha=alpha, rounding=rounding)
    return judge_gains(gains, excess, own, code, patterns, table)


def judge_gains(
    gains: Floats, excess: Floats, own: Bools, code: Codes, patterns: Patterns, table: Placebos
) -> VillageIntervals:
    """Give `placebo_intervals` of villages whose patterns of years are numbered.

    Parameters
    ----------
    code
        n: which of the patterns a village has.
    table
        Made for all patterns of a panel, of which these may be some.
    """
    n = len(gains)
    half, p_value, variance = np.full((3, n), np.nan)
    counts = np.zeros(n, dtype=np.int64)
    residuals = np.where(own, excess, 0)
    for basis in patterns.bases:
        vector = basis[code]
        residuals = residuals - (residuals * vector).sum(axis=1, keepdims=True) * vector
    freedom = patterns.freedom[code]
    spread = np.sqrt((residuals**2).sum(axis=1) / np.maximum(freedom, 1))
    spread = np.where(spread > table.rounding, spread, 0.0)
    spread[freedom < 1] = np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.abs(gains) / spread * (1 - 1e-12)
    order = np.argsort(code, kind="stable")
    ends = np.cumsum(np.bincount(code, minlength=len(patterns.keys)))
    for p, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
        rows, found = order[start:end], table.look_up(patterns, p)
        counts[rows] = found.n
        if not len(found.ratios):
            continue
        variance[rows] = found.line[0] + found.line[1] * spread[rows] ** 2
        rows = rows[spread[rows] > 0]
        half[rows] = found.ratios[order_statistic(found.n, table.alpha) - 1] * spread[rows]
        above = found.n - np.searchsorted(found.ratios, ratio[rows])
        p_value[rows] = (1 + above) / (1 + found.n)
    return VillageIntervals(
        spread=spread, half_width=half, p_value=p_value, variance=variance, n_placebos=counts,
        pattern=code, own=patterns.own, used=patterns.used,
    )  # fmt: skip
