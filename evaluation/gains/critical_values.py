"""Critical values that hold for every distribution of the bias with given moments.

With Z standard normal and b the bias in standard errors, the non-coverage given t = b^2 is
r(t) = Phi(sqrt(t) - chi) + Phi(-sqrt(t) - chi). Its worst mean over the distributions of t
with E t = m2 and E t^2 <= kappa m2^2 is reached on two points x0 <= m2 <= x1
(Armstrong, Kolesar, Plagborg-Moller 2022): one follows from the other, as either the kurtosis
binds, x0 = m2 - (kappa - 1) m2^2 / (x1 - m2), or x0 = 0. So one number, x1, is searched for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Floats = npt.NDArray[np.float64]

# Below this, m2 moves the critical value by less than a double can tell, at any kurtosis.
_SMALLEST_M2 = 1e-12
# A kurtosis of 1 (x0 = x1) and of infinity are limits; at these they differ by < 1e-10.
_SMALLEST_KURTOSIS, _LARGEST_KURTOSIS = 1 + 1e-12, 1e100
# Where the search starts: this many values of m2, and sqrt(x1) - chi up to 7 by steps of .1
# (the best grows as sqrt(2 log chi), so that 7 is enough for any chi below 1e9).
_STARTS, _FURTHEST, _STEP = 400, 7.0, 0.1
_BISECTIONS = 8
_MOST_ITERATIONS = 60
_PRECISION = 1e-11


class _Chance(NamedTuple):
    """The chance of |Z + b| > chi at b^2 = t, with its derivatives."""

    value: Floats
    by_chi: Floats
    by_t: Floats
    by_t_twice: Floats


class _Step(NamedTuple):
    """The chance before a step and its derivative, x1 after it, and what the step gains."""

    x1: Floats
    chance: Floats
    by_chi: Floats
    gain: Floats


def robust_critical_value(
    m2: npt.ArrayLike, kappa: float, *, alpha: float = 0.05
) -> npt.NDArray[np.float64]:
    """Find chi with P(|Z + b| > chi) <= alpha, whatever b with these moments.

    Parameters
    ----------
    m2
        E b^2: the second moment of the bias in standard errors; any shape, NaN gives NaN.
    kappa
        E b^4 / (E b^2)^2, at least 1; infinite where nothing is known of it.
    alpha
        One less the coverage, in (0, .5).

    Returns
    -------
    numpy.ndarray
        The smallest such chi, in the shape of m2, exact to about 1e-10.

    References
    ----------
    Armstrong, Kolesar, Plagborg-Moller (2022), Econometrica, doi:10.3982/ECTA18597.

    Examples
    --------
    >>> robust_critical_value([0, 1, 4], 3, alpha=0.05).round(3)
    array([1.96 , 2.812, 4.62 ])
    """
    _check(m2, kappa, alpha)
    values = np.asarray(m2, np.float64)
    chi = np.full(values.shape, np.nan)
    known = np.isfinite(values)
    if known.any():
        m = np.maximum(values[known], _SMALLEST_M2)
        k = min(max(kappa, _SMALLEST_KURTOSIS), _LARGEST_KURTOSIS)
        chi[known] = _solve(m, k, alpha)
    return chi


def worst_noncoverage(
    m2: npt.ArrayLike, kappa: float, critical_value: npt.ArrayLike
) -> npt.NDArray[np.float64]:
    """Find the largest P(|Z + b| > chi) over the distributions of b with these moments.

    Parameters
    ----------
    m2, kappa
        As in `robust_critical_value`.
    critical_value
        chi, as many as m2 or one.

    Returns
    -------
    numpy.ndarray
        The chance, in the shape of m2 and chi together; NaN where either is missing.

    References
    ----------
    Armstrong, Kolesar, Plagborg-Moller (2022), Econometrica, doi:10.3982/ECTA18597.

    Examples
    --------
    >>> worst_noncoverage([0, 1], 3, 1.96).round(3)
    array([0.05 , 0.171])
    """
    _check(m2, kappa, 0.05)
    m, chi = np.broadcast_arrays(np.asarray(m2, float), np.asarray(critical_value, float))
    chance = np.full(m.shape, np.nan)
    known = np.isfinite(m) & np.isfinite(chi)
    if not known.any():
        return chance
    m, chi = np.maximum(m[known], _SMALLEST_M2), chi[known]
    k = min(max(kappa, _SMALLEST_KURTOSIS), _LARGEST_KURTOSIS)
    x1 = np.empty_like(m)
    for block in range(0, len(m), _STARTS):
        part = slice(block, block + _STARTS)
        x1[part] = _scan(m[part], k, chi[part], _FURTHEST)[1]
    for _ in range(_MOST_ITERATIONS):
        step = _step(m, k, chi, x1)
        x1 = step.x1
        if np.all(step.gain <= _PRECISION):
            break
    chance[known] = step.chance
    return chance


def _check(m2: npt.ArrayLike, kappa: float, alpha: float) -> None:
    if np.any(np.asarray(m2, np.float64) < 0) or not kappa >= 1 or not 0 < alpha < 0.5:
        raise ValueError(
            "a second moment is at least 0, a kurtosis at least 1, alpha between 0 and .5; "
            f"given were kappa = {kappa}, alpha = {alpha}"
        )


def _solve(m: Floats, kappa: float, alpha: float) -> Floats:
    """Start on a grid of m2 and improve every village's chi and x1 together.

    Where x1 is the worst, moving it does not change the chance at first order, so each step
    of Newton's for chi takes x1 as it is.
    """
    ends = np.log(m.min()), np.log(m.max())
    starts = m if m.size <= _STARTS else np.exp(np.linspace(*ends, _STARTS))
    chi, x1 = _start(starts, kappa, alpha)
    if starts is not m:
        chi, x1 = _improve(starts, kappa, alpha, chi, x1)
        at, grid = np.log(m), np.log(starts)
        distance = np.interp(at, grid, np.sqrt(x1) - chi)
        chi = np.interp(at, grid, chi)
        x1 = (chi + distance) ** 2
    return _improve(m, kappa, alpha, chi, x1)[0]


def _improve(
    m: Floats, kappa: float, alpha: float, chi: Floats, x1: Floats
) -> tuple[Floats, Floats]:
    chi, x1 = chi.copy(), x1.copy()
    left = np.arange(len(m))
    for _ in range(_MOST_ITERATIONS):
        old = chi[left]
        step = _step(m[left], kappa, old, x1[left])
        furthest = np.maximum(0.25, old / 100)
        newton = -np.log(step.chance / alpha) * step.chance / np.minimum(step.by_chi, -1e-300)
        change = np.clip(newton, -furthest, furthest)
        chi[left] = old + change
        # The worst bias keeps its distance to chi, unless the kurtosis or m2 holds it in place.
        held = (step.x1 == kappa * m[left]) | (step.x1 <= m[left])
        x1[left] = np.where(held, step.x1, (np.sqrt(step.x1) + change) ** 2)
        left = left[(abs(change) > _PRECISION * old) | (step.gain > _PRECISION * alpha)]
        if not left.size:
            break
    return chi, x1


def _start(m: Floats, kappa: float, alpha: float) -> tuple[Floats, Floats]:
    """Bisect for chi between what a constant bias needs and Chebyshev's bound."""
    lower = np.maximum(-ndtri(alpha / 2), np.sqrt(m) - ndtri(alpha))
    upper = np.sqrt((1 + m) / alpha)
    for _ in range(_BISECTIONS):
        chi = np.sqrt(lower * upper)
        chance, x1 = _scan(m, kappa, chi, -ndtri(alpha / 2))
        lower = np.where(chance > alpha, chi, lower)
        upper = np.where(chance > alpha, upper, chi)
    return chi, x1


def _scan(m: Floats, kappa: float, chi: Floats, nearest: float) -> tuple[Floats, Floats]:
    """Give the worst chance on a grid of x1, and that x1."""
    bias = np.maximum(chi[:, None] + np.arange(-nearest, _FURTHEST, _STEP), 0)
    grid = np.maximum(np.column_stack([bias**2, kappa * m]), m[:, None])
    x0, share = _other(m[:, None], kappa, grid)
    chance = (1 - share) * _noncoverage(x0, chi[:, None])
    chance += share * _noncoverage(grid, chi[:, None])
    best = chance.argmax(axis=1)
    rows = np.arange(len(m))
    return chance[rows, best], grid[rows, best]


def _other(m: Floats, kappa: float, x1: Floats) -> tuple[Floats, Floats]:
    """Give the lower point of two with mean m, and the upper's probability."""
    with np.errstate(divide="ignore", over="ignore"):
        x0 = np.maximum(m - (kappa - 1) * m**2 / (x1 - m), 0)
    return x0, np.divide(m - x0, x1 - x0, out=np.ones_like(x1), where=x1 > x0)


def _step(m: Floats, kappa: float, chi: Floats, x1: Floats) -> _Step:
    """Move x1 by one step of Newton's towards the worst."""
    kink = kappa * m  # above, the kurtosis binds; below, x0 = 0; the worst may lie right on it
    x1 = np.maximum(x1, m * (1 + 1e-9))
    x0, share = _other(m, kappa, x1)
    low, high = _moments(x0, chi), _moments(x1, chi)
    chance = (1 - share) * low.value + share * high.value
    by_chi = (1 - share) * low.by_chi + share * high.by_chi
    width = x1 - x0
    chord = (high.value - low.value) / width
    tangent = high.by_t - chord
    tangents = low.by_t + high.by_t - 2 * chord
    bound = (x1 > kink) | ((x1 == kink) & (tangents > 0))
    moved = np.where(bound, (m - x0) / np.maximum(x1 - m, 1e-300), 0)  # d x0 / d x1
    chord_moved = (high.by_t - low.by_t * moved - chord * (1 - moved)) / width
    first = np.where(bound, tangents, tangent)
    second = high.by_t_twice - chord_moved
    second += np.where(bound, low.by_t_twice * moved - chord_moved, 0)
    # Never further than a quarter in b, and uphill where the curve is not yet concave.
    furthest = np.sqrt(x1) / 2
    newton = np.divide(first, -second, out=np.sign(first) * furthest, where=second < 0)
    x1_new = x1 + np.clip(newton, -furthest, furthest)
    x1_new = np.where(bound, np.maximum(x1_new, kink), np.minimum(x1_new, kink))
    x1_new = np.maximum(x1_new, m)
    return _Step(x1_new, chance, by_chi, share * abs(first * (x1_new - x1)))


def _noncoverage(t: Floats, chi: Floats) -> Floats:
    b = np.sqrt(t)
    return np.asarray(ndtr(b - chi) + ndtr(-b - chi))


def _moments(t: Floats, chi: Floats) -> _Chance:
    """Evaluate the chance and its derivatives; near b = 0 from their series."""
    b = np.maximum(np.sqrt(t), 1e-150)
    near = np.exp(-((b - chi) ** 2) / 2) / np.sqrt(2 * np.pi)
    ratio = np.exp(-2 * b * chi)  # the density at b + chi over that at b - chi
    difference, total = -near * np.expm1(-2 * b * chi), near * (1 + ratio)
    by_t = difference / (2 * b)
    with np.errstate(divide="ignore", over="ignore"):
        twice = (chi * total - b * difference - difference / b) / (4 * b**2)
    at_zero = near * chi * (chi**2 - 3) / 6
    return _Chance(_noncoverage(t, chi), -total, by_t, np.where(b < 1e-3, at_zero, twice))
