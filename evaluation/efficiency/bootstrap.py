"""Simar and Wilson's bootstrap: how far units are from a frontier that is itself estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.gains.moments import Floats

ON_FRONTIER = 1e-6
"""Distances this near to 1 are those of units on the estimated frontier."""

_MEDIAN_OF_NORMAL = 0.6745  # the median of |z|


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedDistances:
    """Distances corrected for bias, with intervals; n each.

    Attributes
    ----------
    corrected
        The distance less its bias.
    conf_low, conf_high
        Percentile interval.
    bias_ratio
        bias^2 / (3 variance): the correction adds less noise than it takes out above 1.
    """

    corrected: Floats
    conf_low: Floats
    conf_high: Floats
    bias_ratio: Floats


def find_bandwidth(distances: Floats) -> float:
    """Give the bandwidth of the distances' density.

    Parameters
    ----------
    distances
        n, at least 1, and not all on the frontier.

    Notes
    -----
    Silverman's rule .9 min(sd, IQR / 1.349) (2m)^(-1/5) on the m distances off the frontier and
    their reflections in 1, times (2m/n)^(1/5) s_n / s_2m for the number and spread of all n
    (Daraio and Simar 2007, section 3.4). The many distances of 1 are left out since they come
    from the estimation: the true density has no mass there.

    Examples
    --------
    >>> round(find_bandwidth(np.array([1.0, 1.1, 1.2, 1.4])), 6)
    0.116486
    """
    off = distances[distances > 1 + ON_FRONTIER] - 1
    shape = min(1.0, float(np.median(off) / _MEDIAN_OF_NORMAL / np.sqrt((off**2).mean())))
    return float(0.9 * shape * distances.std(ddof=1) * len(distances) ** -0.2)


def draw_distances(distances: Floats, *, bandwidth: float, n_draws: int, seed: int) -> Floats:
    """Draw distances from their smoothed density; n_draws x n.

    Notes
    -----
    d* = 1 + |d_J - 1 + h e| / sqrt(1 + h^2 / mean((d - 1)^2)), J uniform, e normal: a draw from
    the density of the distances and their reflections, folded back at 1, with the root mean
    square of the distances' own.
    """
    generator = np.random.default_rng(seed)
    shape = (n_draws, len(distances))
    off = generator.choice(distances, shape) - 1
    off = np.abs(off + bandwidth * generator.standard_normal(shape))
    drawn: Floats = 1 + off / np.sqrt(1 + bandwidth**2 / ((distances - 1) ** 2).mean())
    return drawn


def correct_distances(distances: Floats, drawn: Floats, *, alpha: float) -> CorrectedDistances:
    """Correct distances for bias, and give their intervals.

    Parameters
    ----------
    distances
        n.
    drawn
        B x n: the same units' distances from the frontiers of the draws.

    Notes
    -----
    d* - d stands for d - (true distance). bias = mean d* - d; the interval is
    [2 d - q(1 - alpha/2), 2 d - q(alpha/2)] with q the quantiles of d*.

    Examples
    --------
    >>> found = correct_distances(np.array([2.0]), np.array([[1.7], [1.8], [1.9]]), alpha=0.5)
    >>> found.corrected.round(9), found.conf_low.round(9), found.conf_high.round(9)
    (array([2.2]), array([2.15]), array([2.25]))
    >>> found.bias_ratio.round(9)  # .2^2 / (3 x .1^2)
    array([1.33333333])
    """
    bias = drawn.mean(axis=0) - distances
    low, high = np.quantile(drawn, [alpha / 2, 1 - alpha / 2], axis=0)
    return CorrectedDistances(
        corrected=distances - bias,
        conf_low=2 * distances - high,
        conf_high=2 * distances - low,
        bias_ratio=bias**2 / (3 * drawn.var(axis=0, ddof=1)),
    )
