"""HonestDiD's intervals: departures bounded by those before treatment, and smooth ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from evaluation.gains.moments import Bools, Floats

_FIRST_STAGE = 0.1  # of alpha goes to the first of the hybrid's two tests
_DRAWS = 10_000  # of the first test's critical value
_GRID = 401  # values at a time
_WIDTH = 20  # standard errors beyond the identified set: where ends are first looked for
_FINER = 21
_ROUNDS = 4  # of a finer grid at each end
_ROUNDING = 1e-10


def relative_interval(
    estimates: Floats,
    covariance: Floats,
    n_before: int,
    weights: Floats,
    m_bar: float,
    *,
    alpha: float = 0.05,
    hybrid: bool = True,
    seed: int = 0,
) -> tuple[float, float]:
    """Give the interval of a mean effect under a bound on departures, relative to the past.

    Parameters
    ----------
    estimates, covariance
        K coefficients in the order of time, without the reference, and K x K.
    n_before
        How many of them lie before the reference, at least two.
    weights
        Those of the K - n_before coefficients after it in the effect theta.
    m_bar
        Mbar, from 0 on.
    hybrid
        Whether to test by HonestDiD's "C-LF" (its default) or "Conditional".
    seed
        Of the hybrid's critical value.

    Returns
    -------
    The ends; NaN if every value is rejected.

    Notes
    -----
    With d_t the difference in trends, zero at the reference, |d_t - d_(t-1)| <= Mbar max_s
    |d_s - d_(s-1)|, t after the reference, s up to it. For each s and sign of its change v the
    set is a cone; theta is in the interval if one of them does not reject it. The test takes
    the largest of normal statistics g_j = gamma_j'(A b - a theta) / gamma_j'sd, gamma_j the
    vertices of {gamma >= 0, gamma'X = 0, gamma'sd = 1} (Andrews, Roth, Pakes 2023,
    doi:10.1093/restud/rdad004), and compares it with a truncated normal, given the others.
    Here A's rows are +-(d_t - d_(t-1)) - Mbar v, so that the vertices are known: theta's upper
    and lower bound, with tail sums of the weights on the rows of one sign each, and for every
    t the pair of both signs, which tests v >= 0. Linear programmes are not needed. Results are
    those of R's HonestDiD 0.2.8 to the digit ("Conditional") or up to the simulation of its
    critical value ("C-LF"); with a single coefficient after the reference HonestDiD adds
    moments of the years before. Rambachan, Roth (2023, doi:10.1093/restud/rdad018).

    Examples
    --------
    >>> low, high = relative_interval(np.array([0.1, 0.0, 2.0]), 0.01 * np.eye(3), 2,
    ...                               np.array([1.0]), 1.0)
    >>> bool(low < 1.8 < 2.2 < high)
    True
    """
    before, after = _steps(len(estimates), n_before)
    tails = _tails(weights)
    cones = [
        _build_cone(sign * change, after, tails, m_bar, estimates, covariance)
        for change in before
        for sign in (1, -1)
    ]
    kappa = _FIRST_STAGE * alpha if hybrid else 0.0
    normal = np.random.default_rng(seed).standard_normal((_DRAWS, len(after) + 2))
    most = [_first_critical(cone, normal, kappa) if hybrid else np.inf for cone in cones]
    size = (alpha - kappa) / (1 - kappa)

    def accepted(values: Floats) -> Bools:
        found = [_accepts(c, values, size, first) for c, first in zip(cones, most, strict=True)]
        return np.asarray(np.any(found, axis=0))

    effect = float(weights @ estimates[n_before:])
    se = float(np.sqrt(weights @ covariance[n_before:, n_before:] @ weights))
    reach = m_bar * np.abs(tails).sum() * np.abs(before @ estimates).max() + _WIDTH * se
    grid = effect + reach * np.linspace(-1, 1, _GRID)
    while (inside := accepted(grid))[[0, -1]].any():
        grid = effect + 2 * (grid - effect)
    if not inside.any():
        return np.nan, np.nan
    ends = []
    for side, k in zip((-1, 1), np.flatnonzero(inside)[[0, -1]], strict=True):
        inner, outer = grid[k], grid[k + side]
        for _ in range(_ROUNDS):
            finer = np.linspace(inner, outer, _FINER)
            last = int(np.flatnonzero(accepted(finer[:-1])).max(initial=0))
            inner, outer = finer[last], finer[last + 1]
        ends.append(float(inner))
    return ends[0], ends[1]


def smooth_interval(
    estimates: Floats,
    covariance: Floats,
    n_before: int,
    weights: Floats,
    m: float,
    *,
    alpha: float = 0.05,
) -> tuple[float, float]:
    """Give the shortest interval of a mean effect of fixed length under bounded bends.

    Parameters
    ----------
    estimates, covariance, n_before, weights
        As in `relative_interval`.
    m
        M, from 0 on, in the unit of the estimates.

    Notes
    -----
    |d_(t+1) - 2 d_t + d_(t-1)| <= M. The effect less the last step before the reference,
    carried on, is theta-hat_0 = base'b; with S the second differences before the reference,
    theta-hat = (base + S'c)'b has bias of at most M (sum |k| + sum |c|), k the second tail
    sums of the weights, and c is chosen for the least half length: the 1 - alpha quantile of
    |N(bias, variance)|. For every price on |c| the best c follows from its dual, least squares
    in a box. HonestDiD's "FLCI" (whose search is coarser). Rambachan, Roth (2023,
    doi:10.1093/restud/rdad018, section 4).

    Examples
    --------
    >>> low, high = smooth_interval(np.array([0.1, 0.0, 2.0]), 0.01 * np.eye(3), 2,
    ...                             np.array([1.0]), 0.0)
    >>> bool(low < 2.0 < high)
    True
    """
    before, _ = _steps(len(estimates), n_before)
    bends = _tails(_tails(weights))
    base = np.concatenate([np.zeros(n_before), weights]) - bends[0] * before[-1]
    second = np.diff(before, axis=0)
    root = np.linalg.cholesky(second @ covariance @ second.T).T
    target = np.linalg.solve(root.T, second @ covariance @ base)
    unpriced = -np.linalg.solve(root, target)

    def choose(price: float) -> Floats:
        if not price > 0:
            return unpriced
        box = optimize.lsq_linear(
            np.linalg.inv(root.T), -target, (-price, price), method="bvls", tol=1e-14
        )
        return -np.linalg.solve(root, target + np.linalg.solve(root.T, box.x))

    def half_length(price: float) -> float:
        c = choose(price)
        load = base + c @ second
        bias = m * (np.abs(bends).sum() + np.abs(c).sum())
        return _folded_quantile(bias, float(np.sqrt(load @ covariance @ load)), alpha)

    highest = float(np.abs(root.T @ target).max())
    price = 0.0
    if m > 0 and highest > 0:
        found = optimize.minimize_scalar(
            half_length, bounds=(0, highest), method="bounded",
            options={"xatol": 1e-7 * highest},
        )  # fmt: skip
        price = min((0.0, highest, float(found.x)), key=half_length)
    centre = float((base + choose(price) @ second) @ estimates)
    return centre - half_length(price), centre + half_length(price)


def _folded_quantile(bias: float, sd: float, alpha: float) -> float:
    """Give the 1 - alpha quantile of the size of a normal variable with this mean."""

    def excess(size: float) -> float:
        inside = special.ndtr((size - bias) / sd) - special.ndtr((-size - bias) / sd)
        return float(inside) - (1 - alpha)

    low, high = (bias + sd * z for z in special.ndtri([1 - alpha, 1 - alpha / 2]))
    room = 1e-9 * sd  # either end may be the root but for rounding
    return float(optimize.brentq(excess, low - room, high + room, xtol=1e-12 * sd))


def _steps(n: int, n_before: int) -> tuple[Floats, Floats]:
    """Give the changes from one event time to the next, up to the reference and after it."""
    steps = np.diff(np.insert(np.eye(n), n_before, 0, axis=0), axis=0)
    return steps[:n_before], steps[n_before:]


def _tails(weights: Floats) -> Floats:
    return np.asarray(np.cumsum(weights[::-1])[::-1])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cone:
    """The normal statistics of one cone: their means at theta = 0, slopes, and covariance."""

    at_zero: Floats
    slopes: Floats
    covariance: Floats


def _build_cone(
    change: Floats, after: Floats, tails: Floats, m_bar: float, estimates: Floats, cov: Floats
) -> _Cone:
    """Build the cone of departures of at most Mbar times one change, which is not below 0."""
    rows = np.concatenate([after, -after]) - m_bar * change
    sd = np.sqrt(np.einsum("ij,jk,ik->i", rows, cov, rows))
    up, down = np.maximum(tails, 0), np.maximum(-tails, 0)
    pairs = np.tile(np.eye(len(after)), 2)
    vertices = np.concatenate([[[*up, *down]], [[*down, *up]], pairs])
    scale = vertices @ sd
    slopes = np.array([1.0, -1.0, *np.zeros(len(after))])
    loads = vertices @ rows / scale[:, None]
    return _Cone(
        at_zero=loads @ estimates, slopes=slopes / scale, covariance=loads @ cov @ loads.T
    )


def _first_critical(cone: _Cone, normal: Floats, kappa: float) -> float:
    """Give what the largest statistic exceeds with probability kappa if all means are zero."""
    values, vectors = np.linalg.eigh(cone.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    return float(np.quantile((normal @ root.T).max(axis=1), 1 - kappa))


def _accepts(cone: _Cone, values: Floats, size: float, most: float) -> Bools:
    """Say which values of theta the conditional test does not reject."""
    statistics = cone.at_zero - values[:, None] * cone.slopes
    largest, at = statistics.max(axis=1), statistics.argmax(axis=1)
    variance = np.diag(cone.covariance)[at]
    scale = np.where(variance > 0, variance, 1)
    moves = cone.covariance[at] / scale[:, None]  # of all statistics with the largest one
    rest = statistics - moves * largest[:, None]
    room = 1 - moves
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = rest / room
    low = np.where(room > _ROUNDING, crossing, -np.inf).max(axis=1)
    high = np.where(room < -_ROUNDING, crossing, np.inf).min(axis=1)
    sd = np.sqrt(scale)
    ends = [low / sd, largest / sd, np.minimum(high, most) / sd]
    with np.errstate(all="ignore"):  # where the first test has rejected already
        total, beyond = (_log_between(end, ends[2]) for end in ends[:2])
        rejected = (beyond - total < np.log(size)) | (largest > most)
    return np.asarray(~(rejected & (largest > 0)))


def _log_between(low: Floats, high: Floats) -> Floats:
    """Give the logarithm of a standard normal's probability from low to high."""
    above = special.log_ndtr(-low)
    return np.asarray(above + np.log1p(-np.exp(special.log_ndtr(-high) - above)))
