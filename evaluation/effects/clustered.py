"""Least squares on villages with clustered errors, and a test of several contrasts at once.

Year effects are taken as known: in differences between villages their error cancels out, but
for villages treated in other years. `regress_gains` has it too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import pandas as pd

from evaluation.effects.setup import Codes
from evaluation.effects.within import sum_by
from evaluation.gains.clusters import ENOUGH_CLUSTERS, Interval, fewest_clusters, too_few
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.regression import (
    FEWEST_EFFECTIVE,
    SINGULAR,
    find_shares,
    is_regular,
    judge_coefficient,
)
from evaluation.language import say

_DRAWS = 999
_MOST_CLUSTERS = 1_000
_MOST_ENUMERATED = 10  # clusters: all 2^10 vectors of signs instead of draws
_BLOCK = 2_000_000  # clusters' parts held at once
_TIED, _ROUNDING = 1 - 1e-9, 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class JointTest:
    """Whether K contrasts may all be zero.

    Attributes
    ----------
    p_value
        Of all being zero; NaN with the ``reason``.
    adjusted
        K p-values with the rate of any false rejection among them held.
    n_clusters
        Clusters that take part.
    """

    p_value: float
    adjusted: Floats
    n_clusters: int
    reason: str = ""


def regress_clustered(
    matrix: Floats,
    values: Floats,
    *,
    clusters: Codes,
    weights: Floats | None = None,
    alpha: float,
) -> pd.DataFrame:
    """Regress values on regressors by weighted least squares, with clustered intervals.

    Parameters
    ----------
    matrix
        n x K of full rank, with a column of ones if there is to be a constant.
    values, clusters, weights
        n each; clusters as numbers, weights above zero and by default all alike.
    alpha
        1 less the coverage.

    Returns
    -------
    DataFrame, a row a regressor: estimate, se, conf_low, conf_high, p_value, n_clusters,
    method, reason.

    Notes
    -----
    b = (X'WX)^-1 X'Wy, so b_k = sum_i w_ik y_i; a cluster's part in its error is
    sum_i w_ik (y_i - x_i b). The intervals are those of `regress_gains`; with fewer than 30
    clusters there is none where they count as too few equal ones for their signs to be flipped.

    Examples
    --------
    >>> matrix = np.column_stack([np.ones(12), np.tile([0, 1], 6)])
    >>> values = np.array([1.0, 3, 1.2, 3.4, 0.8, 2.9, 1.1, 3.1, 0.9, 2.8, 1, 2.8])
    >>> found = regress_clustered(matrix, values, clusters=np.arange(12), alpha=0.05)
    >>> found["estimate"].round(2).tolist(), found["method"].tolist()[1]
    ([1.0, 2.0], 'wild bootstrap')
    """
    weights = np.ones(len(values)) if weights is None else weights
    clusters = np.unique(clusters, return_inverse=True)[1]
    shares, collect = find_shares(matrix, weights), sum_by(clusters)
    estimates = shares @ values
    parts = collect @ (shares * (values - matrix @ estimates)).T
    sizes = _cluster_sizes(clusters, shares)
    left_out = np.full_like(parts, np.nan)
    few = len(parts) < ENOUGH_CLUSTERS
    for cluster in range(len(parts)) if few else ():
        kept = clusters != cluster
        if is_regular(matrix[kept]):
            left_out[cluster] = find_shares(matrix[kept], weights[kept]) @ values[kept]
    rows = []
    for k, estimate in enumerate(estimates.tolist()):
        without = left_out[:, k] if few else None
        found = judge_coefficient(estimate, parts[:, k], sizes[:, k], without, alpha=alpha)
        effective = float(sizes[:, k].sum() ** 2 / (sizes[:, k] ** 2).sum())
        if few and found.method and effective < fewest_clusters(alpha):
            n = found.n_clusters
            found = Interval(n_clusters=n, reason=too_few(n, effective, alpha))
        rows.append({"estimate": estimate, **asdict(found)})
    return pd.DataFrame(rows)


def joint_test(
    matrix: Floats,
    loads: Floats,
    values: Floats,
    *,
    null: Floats,
    clusters: Codes,
    weights: Floats | None = None,
    alpha: float,
    seed: int,
) -> JointTest:
    """Test whether several contrasts of a regression's coefficients may all be zero.

    Parameters
    ----------
    matrix
        n x K of full rank, with its constant.
    loads
        Q x K: the contrasts.
    values, clusters, weights
        As in `regress_clustered`.
    null
        The regressors that are left where all contrasts are zero.
    alpha
        With too few clusters to reject at it there is no test.
    seed
        Of the signs.

    Notes
    -----
    The wild cluster bootstrap with the null imposed: the residuals that are left under it have
    their signs flipped, a cluster's all at once, the full model is fitted anew, and each
    contrast is divided by its clustered standard error (Cameron, Gelbach, Miller 2008,
    doi:10.1162/rest.90.3.414). The joint p-value is that of the largest statistic, the adjusted
    ones those of the largest left after each step (Romano, Wolf 2005,
    doi:10.1198/016214504000000539). A contrast that one cluster decides has no part in it. More
    than a thousand clusters are merged at random into a thousand, which are as independent.
    """
    clusters = np.unique(clusters, return_inverse=True)[1]
    if (n := int(clusters.max()) + 1) > _MOST_CLUSTERS:
        clusters = np.random.default_rng(seed).permutation(n)[clusters] % _MOST_CLUSTERS
    shares = find_shares(matrix, weights)
    own, rest = loads @ shares, values - null @ (find_shares(null, weights) @ values)
    sizes = _cluster_sizes(clusters, own)
    n, effective = len(sizes), sizes.sum(axis=0) ** 2 / (sizes**2).sum(axis=0)
    decided = decided_by_one(matrix, loads, clusters=clusters)
    kept = np.flatnonzero((effective >= FEWEST_EFFECTIVE) & ~decided)
    adjusted, reason = np.full(len(own), np.nan), ""
    if n < (needed := fewest_clusters(alpha)):
        reason = say(
            "villages of {n} clusters; {level:.0%} needs {needed}",
            n=n, level=1 - alpha, needed=needed,
        )  # fmt: skip
    elif not len(kept):
        reason = say("{n} clusters, of which one decides", n=n)
    if reason:
        return JointTest(p_value=np.nan, adjusted=adjusted, n_clusters=n, reason=reason)
    own, collect = own[kept], sum_by(clusters)
    scores, moves = collect @ (own * rest).T, collect @ (shares * rest).T
    fits = np.stack([collect @ (matrix * row[:, None]) for row in own], axis=1)
    seen = _flip(np.ones((1, n)), scores, moves, fits)[0]
    order, signs = np.argsort(-seen, kind="stable"), _signs(n, seed)
    exceeded = np.zeros(len(kept))
    for block in np.array_split(signs, 1 + signs.size * len(kept) // _BLOCK):
        flipped = _flip(block, scores, moves, fits)[:, order]
        largest_left = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
        exceeded += (largest_left >= seen[order] * _TIED).sum(axis=0)
    drawn = n > _MOST_ENUMERATED
    adjusted[kept[order]] = np.maximum.accumulate((exceeded + drawn) / (len(signs) + drawn))
    return JointTest(p_value=float(np.nanmin(adjusted)), adjusted=adjusted, n_clusters=n)


def decided_by_one(matrix: Floats, loads: Floats, *, clusters: Codes) -> Bools:
    """Whether contrasts of coefficients (Q x K) cannot be told without one of the clusters."""
    clusters = np.unique(clusters, return_inverse=True)[1]
    leverage = np.bincount(clusters, (find_shares(matrix).T * matrix).sum(axis=1))
    decided = np.zeros(len(loads), dtype=bool)
    size = np.sqrt((matrix**2).sum(axis=0))
    for cluster in np.flatnonzero(leverage > _TIED):  # the others leave every coefficient told
        kept = matrix[clusters != cluster] / size
        _, values, directions = np.linalg.svd(kept.T @ kept)
        silent = directions[values <= SINGULAR * values[0]] / size
        moved = np.abs(silent @ loads.T).max(axis=0, initial=0.0)
        decided |= moved > SINGULAR * np.abs(loads / size).max(axis=1)
    return decided


def adjust_holm(p_values: pd.Series[float]) -> pd.Series[float]:
    """Hold the rate of any false rejection among the p-values that are known (Holm)."""
    # statsmodels' multipletests gives the same, and collects all garbage, which takes longer
    # than the regressions.
    known = p_values.dropna().sort_values(kind="stable")
    stepped = np.maximum.accumulate(known.to_numpy() * np.arange(len(known), 0, -1))
    return pd.Series(np.minimum(stepped, 1), index=known.index).reindex(p_values.index)


def _flip(signs: Floats, scores: Floats, moves: Floats, fits: Floats) -> Floats:
    """Give |contrast| / se for B rows of signs v, by which C clusters' residuals are flipped.

    ``scores`` (C x Q) and ``moves`` (C x K) are what clusters add to contrasts and to
    coefficients b, ``fits`` (C x Q x K) what coefficients take out of the clusters' parts in
    the contrasts' errors: v_c scores_c - fits_c b.
    """
    moved = np.tensordot(signs @ moves, fits, axes=(1, 2))
    variance = ((signs[:, :, None] * scores - moved) ** 2).sum(axis=1)
    floor = np.maximum(_ROUNDING * (scores**2).sum(axis=0), np.finfo(float).tiny)
    return np.asarray(np.abs(signs @ scores) / np.sqrt(np.maximum(variance, floor)))


def _cluster_sizes(clusters: Codes, shares: Floats) -> Floats:
    """Give by cluster and coefficient the k_c of `regress_gains`, C x K."""
    collect = sum_by(clusters)
    return np.asarray(collect @ (shares**2).T + (collect @ shares.T) ** 2)


def _signs(n: int, seed: int) -> Floats:
    if n <= _MOST_ENUMERATED:
        return np.array(list(product((-1.0, 1.0), repeat=n)))
    signs = np.random.default_rng(seed).integers(0, 2, (_DRAWS, n))
    return signs.astype(np.float64) * 2 - 1
