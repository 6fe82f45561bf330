"""Least squares on villages with clustered errors, and a test of several contrasts at once.

Year effects are taken as known: in differences between villages their error cancels out, but
for villages treated in other years. `regress_gains` has it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    clustered_interval,
    fewest_clusters,
    takes_part,
    wild_interval,
)
from evaluation.gains.moments import Bools, Floats

Codes = npt.NDArray[np.intp]

_DRAWS = 999
_MOST_CLUSTERS = 1_000
_MOST_ENUMERATED = 10  # clusters: all 2^10 vectors of signs instead of draws
_BLOCK = 2_000_000  # random signs held at once
_SINGULAR = 1e-10  # of the largest singular value, columns scaled alike
_FEWEST_EFFECTIVE = 2.0  # below, Student's t has less than one degree of freedom
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
    sum_i w_ik (y_i - x_i b). The intervals are those of `regress_gains`: Student's t with one
    degree of freedom less than the clusters count as equal ones, with fewer than 30 the wild
    bootstrap.

    Examples
    --------
    >>> matrix = np.column_stack([np.ones(6), [0, 1, 2, 3, 4, 5]])
    >>> values = np.array([1.0, 3, 5, 7, 9, 12])
    >>> found = regress_clustered(matrix, values, clusters=np.arange(6), alpha=0.05)
    >>> found["estimate"].round(2).tolist(), found["method"].tolist()[1]
    ([0.81, 2.14], 'wild bootstrap')
    """
    clusters = np.unique(clusters, return_inverse=True)[1]
    shares = find_shares(matrix, weights)
    estimates = shares @ values
    errors = shares * (values - matrix @ estimates)
    n = int(clusters.max()) + 1
    parts = _sum_by(clusters, errors, n)
    sizes = _sum_by(clusters, shares**2, n) + _sum_by(clusters, shares, n) ** 2
    left_out = None
    if n < ENOUGH_CLUSTERS:
        left_out = np.array(
            [_without(matrix, values, weights, clusters != c) for c in range(n)]
        )
    rows = []
    for k, estimate in enumerate(estimates):
        some, size = takes_part(parts[:, k]), sizes[:, k]
        effective, count = float(size.sum() ** 2 / (size**2).sum()), int(takes_part(size).sum())
        if count < (needed := fewest_clusters(alpha)):
            reason = f"villages of {count} clusters; {1 - alpha:.0%} needs {needed}"
            found = Interval(n_clusters=count, reason=reason)
        elif left_out is not None:
            found = wild_interval(float(estimate), left_out[some, k], alpha=alpha)
        elif effective < _FEWEST_EFFECTIVE:
            reason = f"{count} clusters, which count as {effective:.1f} equal ones: one decides"
            found = Interval(n_clusters=count, reason=reason)
        else:
            found = clustered_interval(
                float(estimate), parts[:, k], alpha=alpha, effective=effective
            )
        rows.append({"estimate": float(estimate), **asdict(found)})
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
    n = int(clusters.max()) + 1
    sizes = _sum_by(clusters, own**2, n) + _sum_by(clusters, own, n) ** 2
    effective = sizes.sum(axis=0) ** 2 / (sizes**2).sum(axis=0)
    decided = decided_by_one(matrix, loads, clusters=clusters)
    kept = np.flatnonzero((effective >= _FEWEST_EFFECTIVE) & ~decided)
    adjusted, reason = np.full(len(own), np.nan), ""
    if n < (needed := fewest_clusters(alpha)):
        reason = f"villages of {n} clusters; {1 - alpha:.0%} needs {needed}"
    elif not len(kept):
        reason = f"{n} clusters, of which one decides"
    if reason:
        return JointTest(p_value=np.nan, adjusted=adjusted, n_clusters=n, reason=reason)
    own = own[kept]
    scores = _sum_by(clusters, own * rest, n)
    moves = _sum_by(clusters, shares * rest, n)
    fits = np.stack([_sum_by(clusters, row * matrix.T, n) for row in own], axis=1)
    judge = _Judge(scores=scores, moves=moves, fits=fits)
    seen = judge.statistics(np.ones((1, n)))[0]
    order = np.argsort(-seen, kind="stable")
    counts, total = np.zeros(len(kept)), 0
    for signs in _signs(n, seed):
        flipped = judge.statistics(signs)[:, order]
        largest_left = np.maximum.accumulate(flipped[:, ::-1], axis=1)[:, ::-1]
        counts += (largest_left >= seen[order] * _TIED).sum(axis=0)
        total += len(signs)
    drawn = n > _MOST_ENUMERATED
    adjusted[kept[order]] = np.maximum.accumulate((counts + drawn) / (total + drawn))
    return JointTest(p_value=float(np.nanmin(adjusted)), adjusted=adjusted, n_clusters=n)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Statistics of Q contrasts when clusters' residuals change their signs."""

    scores: Floats  # C x Q: what each cluster adds to the contrasts
    moves: Floats  # C x K: and to the coefficients
    fits: Floats  # C x Q x K: what coefficients take out of the clusters' parts in errors

    def statistics(self, signs: Floats) -> Floats:
        """Give |contrast| / se for each row of signs: its parts are v_c scores_c - fits_c b."""
        b, total = signs @ self.moves, (self.scores**2).sum(axis=0)
        crossed = (self.scores[:, :, None] * self.fits).reshape(len(self.scores), -1)
        cross = (signs @ crossed).reshape(len(signs), *self.fits.shape[1:])
        squares = np.einsum("cqk,cql->qkl", self.fits, self.fits)
        variance = total - 2 * np.einsum("bqk,bk->bq", cross, b)
        variance += np.einsum("bk,qkl,bl->bq", b, squares, b, optimize=True)
        floor = np.maximum(_ROUNDING * total, np.finfo(float).tiny)
        return np.asarray(np.abs(signs @ self.scores) / np.sqrt(np.maximum(variance, floor)))


def find_shares(matrix: Floats, weights: Floats | None = None) -> Floats:
    """Give the weights of villages' values in the K coefficients of a regression, K x n."""
    root = np.ones(len(matrix)) if weights is None else np.sqrt(weights)
    weighted = matrix * root[:, None]
    size = np.sqrt((weighted**2).sum(axis=0))
    size = np.where(size > 0, size, 1)
    return np.asarray(np.linalg.pinv(weighted / size) / size[:, None] * root)


def decided_by_one(matrix: Floats, loads: Floats, *, clusters: Codes) -> Bools:
    """Whether contrasts of coefficients (Q x K) cannot be told without one of the clusters."""
    clusters = np.unique(clusters, return_inverse=True)[1]
    leverage = np.bincount(clusters, (find_shares(matrix).T * matrix).sum(axis=1))
    decided = np.zeros(len(loads), dtype=bool)
    size = np.sqrt((matrix**2).sum(axis=0))
    for cluster in np.flatnonzero(leverage > _TIED):  # the others leave every coefficient told
        kept = matrix[clusters != cluster] / size
        _, values, directions = np.linalg.svd(kept.T @ kept)
        silent = directions[values <= _SINGULAR * values[0]] / size
        moved = np.abs(silent @ loads.T).max(axis=0, initial=0.0)
        decided |= moved > _SINGULAR * np.abs(loads / size).max(axis=1)
    return decided


def is_regular(matrix: Floats) -> bool:
    """Whether no column follows from the others, and there are as many rows."""
    if len(matrix) < matrix.shape[1]:
        return False
    size = np.sqrt((matrix**2).sum(axis=0))
    if not (size > 0).all():
        return False
    values = np.linalg.svd(matrix / size, compute_uv=False)
    return bool(values[-1] > _SINGULAR * values[0])


def _without(matrix: Floats, values: Floats, weights: Floats | None, kept: Bools) -> Floats:
    if not is_regular(matrix[kept]):
        return np.full(matrix.shape[1], np.nan)
    shares = find_shares(matrix[kept], None if weights is None else weights[kept])
    return np.asarray(shares @ values[kept])


def _sum_by(clusters: Codes, values: Floats, n: int) -> Floats:
    """Sum K x n values by cluster, n clusters x K."""
    return np.stack([np.bincount(clusters, row, n) for row in values], axis=1)


def _signs(n: int, seed: int) -> Iterator[Floats]:
    if n <= _MOST_ENUMERATED:
        yield np.array(list(product((-1.0, 1.0), repeat=n)))
        return
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // n)
    for start in range(0, _DRAWS, step):
        size = (min(step, _DRAWS - start), n)
        yield rng.integers(0, 2, size).astype(np.float64) * 2 - 1
