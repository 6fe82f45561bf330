"""How large the greatest of many standardised differences between groups is by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats
from scipy.optimize import elementwise

from evaluation.gains.moments import Bools, Floats

Positions = npt.NDArray[np.intp]

_DRAWS = 20_000
_CELLS = 4_000_000  # numbers held at a time
_TOGETHER = 100_000  # pairs of several draws: as many as stay in the processor's cache
_NODES = 64  # standard errors that integrals tell apart; more are shared out among so many
_NOISE = np.linspace(-6, 6, 121)  # one group's standardised error, and what each value weighs
_WEIGHTS = stats.norm.pdf(_NOISE) * (_NOISE[1] - _NOISE[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """The normal errors of G groups' estimates.

    Attributes
    ----------
    sd
        G, positive.
    covariance
        G x G; None where the groups are independent.
    """

    sd: Floats
    covariance: Floats | None = None

    def difference_sd(self) -> Floats:
        """Give the sd of each difference of two groups, G x G; infinite on the diagonal."""
        shared = 0.0 if self.covariance is None else 2 * self.covariance
        variance = self.sd[:, None] ** 2 + self.sd**2 - shared
        np.fill_diagonal(variance, np.inf)
        return np.asarray(np.sqrt(np.maximum(variance, 0)))

    def closest(self) -> float:
        """Give the largest correlation of two groups, whatever its sign."""
        if self.covariance is None:
            return 0.0
        size = np.abs(self.covariance) / (self.sd[:, None] * self.sd)
        np.fill_diagonal(size, 0)
        return float(size.max())

    def sampler(self, generator: np.random.Generator) -> Callable[[int], Floats]:
        """Give a function that draws n x G errors."""
        n_groups = len(self.sd)
        if self.covariance is None:
            return lambda n: np.asarray(generator.standard_normal((n, n_groups)) * self.sd)
        values, vectors = np.linalg.eigh(self.covariance)
        root = np.sqrt(np.maximum(values, 0))[:, None] * vectors.T
        return lambda n: np.asarray(generator.standard_normal((n, n_groups)) @ root)

    def add(self, errors: Floats, i: Positions, j: Positions, size: Floats) -> None:
        """Add to each draw what its pair's difference, being larger by size var, entails."""
        if self.covariance is None:
            draw = np.arange(len(i))
            errors[draw, i] += size * self.sd[i] ** 2
            errors[draw, j] -= size * self.sd[j] ** 2
        else:
            errors += size[:, None] * (self.covariance[i] - self.covariance[j])


def joint_value(errors: Errors, pairs: Bools, *, alpha: float, seed: int) -> float:
    """Give what the greatest standardised difference of all pairs exceeds with chance alpha.

    Parameters
    ----------
    pairs
        G x G: whether the difference, row less column, counts.

    Notes
    -----
    Only the tail is drawn (Adler, Blanchet, Liu 2012, doi:10.1214/11-AAP792). Of the K pairs,
    whose differences T are standard normal, one is chosen at random, and errors are drawn given
    that its T exceeds c0. A draw with n pairs above c0 weighs K P(T > c0) / n; the mean weight
    of draws whose maximum exceeds c, with a zero for the others, is then P(maximum > c), for
    all c >= c0. c0 is lowered until this is more than alpha at c0.
    """
    n_pairs = int(pairs.sum())
    tail = 4 * alpha / n_pairs
    while True:
        tail = min(tail, 1.0)
        largest, n_above = _draw_tail(errors, pairs, tail, np.random.default_rng(seed))
        order = np.argsort(-largest)
        chance = np.cumsum(n_pairs * tail / n_above[order]) / _DRAWS
        if chance[-1] > alpha:
            return float(largest[order[np.searchsorted(chance, alpha)]])
        tail *= 4


def _draw_tail(
    errors: Errors, pairs: Bools, tail: float, generator: np.random.Generator
) -> tuple[Floats, Floats]:
    """Draw the maximum, and how many pairs are in the tail, given that one is."""
    start = float(stats.norm.isf(tail))
    sd = errors.difference_sd()
    # With positive parts e+ and e-, T^2 <= (e_i+^2 + e_j-^2) / (1 - the largest correlation),
    # so that few groups can be part of a pair above c0, whatever the others' errors.
    least = start**2 * (1 - errors.closest()) * (1 - 1e-9) if start > 0 else -1.0
    chosen = generator.choice(np.flatnonzero(pairs), _DRAWS)
    largest, n_above = np.empty(_DRAWS), np.empty(_DRAWS)
    draw_errors = errors.sampler(generator)
    step = max(1, _TOGETHER // pairs.size)
    for at in range(0, _DRAWS, step):
        i, j = np.divmod(chosen[at : at + step], len(pairs))
        draw = np.arange(len(i))
        drawn = draw_errors(len(i))
        goal = stats.norm.isf(tail * (1 - generator.random(len(i)))) * sd[i, j]
        errors.add(drawn, i, j, (goal - drawn[draw, i] + drawn[draw, j]) / sd[i, j] ** 2)
        up, down = _active(drawn / errors.sd, least)
        between = (up[:, :, None], down[:, None, :])
        found = np.take_along_axis(drawn, up, 1)[:, :, None] / sd[between]
        found -= np.take_along_axis(drawn, down, 1)[:, None, :] / sd[between]
        found[~pairs[between]] = -np.inf
        largest[at : at + step] = found.max(axis=(1, 2))
        n_above[at : at + step] = np.maximum((found > start).sum(axis=(1, 2)), 1)
    return largest, n_above


def _active(noise: Floats, least: float) -> tuple[Positions, Positions]:
    """List each draw's groups that may have a large difference, as the upper and the lower."""
    above, below = np.maximum(noise, 0) ** 2, np.maximum(-noise, 0) ** 2

    def largest(size: Floats, other: Floats) -> Positions:
        may_be = size + other.max(axis=1, keepdims=True) > least
        n = max(1, int(may_be.sum(axis=1).max()))
        return np.argpartition(-size, n - 1, axis=1)[:, :n]

    return largest(above, below), largest(below, above)


def own_values(
    errors: Errors, groups: Positions, above: Bools, below: Bools, *, alpha: float, seed: int
) -> Floats:
    """Give, for each of some groups, the critical value of its differences from the others.

    Parameters
    ----------
    groups
        n positions.
    above, below
        n x G: whether the group's difference from another counts, and the other's from it.
    """
    if errors.covariance is not None:
        return _own_by_draws(errors, groups, above, below, alpha, seed)
    nodes, shares = _share_out(errors.sd)
    sides = [above & below, above & ~below, below & ~above]
    counts = np.stack([side @ shares for side in sides], axis=1)
    values = np.empty(len(groups))
    step = max(1, _CELLS // (len(nodes) * len(_NOISE)))
    for at in range(0, len(groups), step):
        part = slice(at, at + step)
        values[part] = _own_by_integral(errors.sd[groups[part]], counts[part], nodes, alpha)
    return values


def _own_by_integral(sd: Floats, counts: Floats, nodes: Floats, alpha: float) -> Floats:
    """Solve P(no difference above c) = 1 - alpha: given the group's error, a product.

    counts is n x 3 x the number of nodes: how many others of that sd are compared both ways,
    from above only, and from below only.
    """

    def miss(value: Floats, row: Positions) -> Floats:
        own = sd[row, None, None]
        middle = own * _NOISE[:, None] / nodes
        width = value[:, None, None] * np.hypot(own, nodes) / nodes
        lower, upper = special.ndtr(middle - width), special.ndtr(-middle - width)
        both, over, under = counts[row].transpose(1, 0, 2)[..., None]
        kept = _log(1 - lower - upper) @ both + _log(1 - lower) @ over + _log(1 - upper) @ under
        return np.asarray(alpha - 1 + np.exp(kept[..., 0]) @ _WEIGHTS)

    most = counts.sum(axis=(1, 2)) + counts[:, 0].sum(axis=1)
    bracket = (
        np.full(len(sd), stats.norm.isf(alpha) - 0.1),
        stats.norm.isf(alpha / most) + 0.1,
    )
    found = elementwise.find_root(
        miss, bracket, args=(np.arange(len(sd)),), tolerances={"xatol": 1e-6}
    )
    return np.asarray(found.x)


def _log(chance: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(chance, np.finfo(float).tiny)))


def _share_out(sd: Floats) -> tuple[Floats, Floats]:
    """Give up to 64 standard deviations and each group's shares in them, G x their number."""
    nodes, place = np.unique(sd, return_inverse=True)
    if len(nodes) <= _NODES:
        return nodes, np.eye(len(nodes))[place]
    nodes = np.geomspace(nodes[0], nodes[-1], _NODES)
    at = np.interp(np.log(sd), np.log(nodes), np.arange(_NODES))
    return nodes, np.maximum(1 - np.abs(at[:, None] - np.arange(_NODES)), 0)


def _own_by_draws(
    errors: Errors, groups: Positions, above: Bools, below: Bools, alpha: float, seed: int
) -> Floats:
    draw_errors = errors.sampler(np.random.default_rng(seed))
    # What does not count is zero, below the quantile: of the greatest the median is positive.
    up, down = above / errors.difference_sd()[groups], below / errors.difference_sd()[groups]
    largest = np.empty((_DRAWS, len(groups)))
    step = max(1, _TOGETHER // len(errors.sd))
    for at in range(0, _DRAWS, step):
        drawn = draw_errors(min(step, _DRAWS - at))
        for k, group in enumerate(groups):
            apart = drawn[:, [group]] - drawn
            largest[at : at + step, k] = np.maximum(apart * up[k], apart * -down[k]).max(axis=1)
    return np.asarray(np.quantile(largest, 1 - alpha, axis=0))
