"""Intervals of counties' and towns' average gains, from how comparison villages move there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.gains.clusters import ENOUGH_CLUSTERS, Interval
from evaluation.gains.imputation import Counterfactual
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.options import Cluster
from evaluation.gains.placebos import n_needed, order_statistic
from evaluation.gains.shocks import PlaceShocks, find_shocks
from evaluation.gains.targets import Codes, TreatedCells, find_targets
from evaluation.language import mark, say

__all__ = [
    "PLURALS", "PlaceShocks", "draw_interval", "drawn_interval", "find_shocks", "judge_places",
    "place_intervals", "squared_shares", "sum_squares",
]  # fmt: skip

PLURALS: dict[Cluster, str] = {"county": mark("counties"), "town": mark("towns")}

_DRAWS = 9_999


def place_intervals(
    cells: TreatedCells,
    codes: Codes,
    estimates: Floats,
    contrasts: Floats,
    shocks: PlaceShocks,
    *,
    alpha: float,
    level: Cluster,
) -> list[Interval]:
    """Give the interval of each place's average gain.

    Parameters
    ----------
    codes
        n: each treated village's place, or -1.
    estimates
        Q: the places' average gains.
    contrasts
        T x Q: the weights of each year's outcome in the average (`Targets.loads` / totals).
    level
        What a place is.

    Notes
    -----
    A place's error is a shock that all its villages share and the mean of their own. Its
    contrast d is applied to every place's mean of comparison villages, p_j = d'm_j, whose
    variance is s2 + v/n_j: s2 of shocks, by moments, and v = d'Wd of villages. The interval is
    the estimate +- q (s2 + v sum of squared shares)^(1/2) ((J + 1)/(J - 1))^(1/2), q the
    (J + 1)(1 - alpha)-th smallest |p_j| (s2 + v/n_j)^(-1/2), between two of them by
    interpolation, as the next larger of few would cover too often; the last factor is for the
    year effects' own error, which is in both. The p-value is the alpha at which the interval
    ends at zero, at least 1/(J + 1).
    """
    shares = squared_shares(*sum_squares(cells, codes, len(estimates)))
    return judge_places(estimates, contrasts, shares, shocks, alpha=alpha, level=level)


def judge_places(
    estimates: Floats,
    contrasts: Floats,
    shares: Floats,
    shocks: PlaceShocks,
    *,
    alpha: float,
    level: Cluster,
) -> list[Interval]:
    """Give `place_intervals` from the sums of villages' squared shares in each place."""
    found = []
    known: dict[bytes, tuple[Floats, Floats]] = {}
    for q, estimate in enumerate(estimates):
        scale, ratios = _placebos(contrasts[:, q], shares[q], shocks, known=known)
        sizes = np.sort(np.abs(ratios))
        n = len(sizes)
        if np.isnan(estimate):
            found.append(Interval(reason=say("no gain to average")))
        elif n < n_needed(alpha):
            found.append(Interval(n_clusters=n, reason=_too_few(n, alpha, level)))
        else:
            ranks, ends = np.arange(n + 1), np.append(0.0, sizes) * scale
            half = float(np.interp((n + 1) * (1 - alpha), ranks, ends))
            p_value = 1 - float(np.interp(abs(estimate), ends, ranks)) / (n + 1)
            found.append(
                Interval(
                    se=scale, conf_low=estimate - half, conf_high=estimate + half,
                    p_value=p_value, n_clusters=n, method=f"{level} placebos",
                )
            )  # fmt: skip
    return found


def drawn_interval(
    fit: Counterfactual,
    cells: TreatedCells,
    counted: Bools,
    estimate: float,
    places: Codes,
    shocks: PlaceShocks,
    *,
    alpha: float,
    level: Cluster,
    seed: int = 0,
) -> Interval:
    """Give the interval of an average over a few treated places, many others being untreated.

    Parameters
    ----------
    counted
        n x T: the cells averaged over.
    places
        N: each village's place.

    Notes
    -----
    Conley and Taber (2011, doi:10.1162/REST_a_00049): each treated place's error is drawn from
    the comparison places' placebos, at least 30, scaled as in `place_intervals`. The year
    effects' error, which the k treated places share, is in it by (J + k)/(J - 1), k being
    |sum of their contrasts|^2 / sum of |contrast|^2.
    """
    codes, names = pd.factorize(places[cells.rows])
    at = np.where(counted, codes[:, None], -1)
    targets = find_targets(fit, cells, at, len(names))
    contrasts = targets.loads[0, : counted.shape[1]] / targets.totals.sum()
    own = np.where(counted.any(axis=1), codes, -1)
    shares = squared_shares(*sum_squares(cells, own, len(names)))
    some = targets.totals > 0
    return draw_interval(
        estimate, contrasts[:, some], shares[some], shocks, alpha=alpha, level=level, seed=seed
    )


def draw_interval(
    estimate: float,
    contrasts: Floats,
    shares: Floats,
    shocks: PlaceShocks,
    *,
    alpha: float,
    level: Cluster,
    seed: int = 0,
) -> Interval:
    """Give `drawn_interval` from the treated places' contrasts (T x k) and squared shares."""
    shared = float((contrasts.sum(axis=1) ** 2).sum() / (contrasts**2).sum())
    generator, errors, fewest = np.random.default_rng(seed), np.zeros(_DRAWS), np.inf
    variance = 0.0
    for q in range(len(shares)):
        scale, ratios = _placebos(contrasts[:, q], shares[q], shocks, shared)
        fewest = min(fewest, len(ratios))
        if fewest < ENOUGH_CLUSTERS:
            return Interval(
                n_clusters=int(fewest),
                reason=_too_few(int(fewest), alpha, level, ENOUGH_CLUSTERS),
            )
        errors += scale * generator.choice(ratios, _DRAWS)
        variance += scale**2
    sizes = np.sort(np.abs(errors))
    half = float(sizes[order_statistic(_DRAWS, alpha) - 1])
    return Interval(
        se=float(np.sqrt(variance)), conf_low=estimate - half, conf_high=estimate + half,
        p_value=(1 + int((sizes >= abs(estimate)).sum())) / (1 + _DRAWS),
        n_clusters=int(fewest), method=f"{level} placebos",
    )  # fmt: skip


def _placebos(
    contrast: Floats,
    share: float,
    shocks: PlaceShocks,
    shared: float = 1.0,
    *,
    known: dict[bytes, tuple[Floats, Floats]] | None = None,
) -> tuple[float, Floats]:
    """Give the sd of a place's error and the comparison places' placebos over their own sd.

    ``known`` keeps, by a contrast's years, the places that are known in them.
    """
    years = np.abs(contrast) > 1e-12 * np.abs(contrast).max()
    known = {} if known is None else known
    if (key := years.tobytes()) not in known:
        there = (shocks.counts[:, years] > 0).all(axis=1)
        villages = shocks.counts[there][:, years].mean(axis=1)
        known[key] = np.nan_to_num(shocks.means[there]), villages
    means, villages = known[key]
    n = len(villages)
    if n < 2:
        return np.nan, np.zeros(n)
    placebos = means @ contrast
    own = max(0.0, float(contrast @ shocks.within @ contrast))
    shock = max(0.0, float((placebos**2 - own / villages).mean()))
    sd = np.sqrt(np.maximum(shock + own / villages, np.finfo(float).tiny))
    scale = np.sqrt((shock + own * share) * (n + shared) / (n - 1))
    return float(scale), placebos / sd


def sum_squares(cells: TreatedCells, codes: Codes, n: int) -> tuple[Floats, Floats]:
    """Sum villages' weights, and their squares, by place."""
    weights, some = cells.weights.sum(axis=1), codes >= 0
    sums = np.bincount(codes[some], weights[some], n)
    squares = np.bincount(codes[some], weights[some] ** 2, n)
    return sums.astype(np.float64), squares.astype(np.float64)


def squared_shares(sums: Floats, squares: Floats) -> Floats:
    """Give by place the sum of its villages' squared shares of its weight."""
    return np.divide(squares, sums**2, out=np.ones(len(sums)), where=sums > 0)


def _too_few(n: int, alpha: float, level: Cluster, needed: int = 0) -> str:
    return say(
        "comparison villages of {n} {places} known in its years; {level:.0%} needs {needed}",
        n=n, places=say(PLURALS[level]), level=1 - alpha, needed=needed or n_needed(alpha),
    )  # fmt: skip
