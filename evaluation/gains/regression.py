"""Regressions of villages' gains, with the year effects' own error in their variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.errors import DesignError
from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    clustered_interval,
    fewest_clusters,
    takes_part,
    wild_interval,
)
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.options import Cluster
from evaluation.gains.result import IncomeGains
from evaluation.gains.targets import Codes, TreatedCells, find_targets
from evaluation.language import commas, mark, say

_SHOWN = 5
SINGULAR = 1e-10  # of the largest singular value, columns scaled alike
FEWEST_EFFECTIVE = 2.0  # below, Student's t has less than one degree of freedom
_MOST_LEFT_OUT = 200  # clusters: each is a fit anew
_ROUNDING = 1e-12  # of the villages' weights: what it leaves of zero


@dataclass(frozen=True, slots=True, kw_only=True)
class GainRegression:
    """Least squares of gains on what is known of villages.

    Attributes
    ----------
    names
        The K regressors.
    coefficients
        K, in the gains' unit.
    residuals
        n: by village with a gain and all regressors, index "village".
    cluster
        The level that errors are clustered at.
    alpha
        1 less the coverage.
    """

    names: tuple[str, ...]
    coefficients: Floats
    residuals: pd.Series[float]
    cluster: Cluster
    alpha: float
    parts: Floats = field(repr=False)
    sizes: Floats = field(repr=False)
    left_out: Floats | None = field(repr=False)

    @property
    def n_clusters(self) -> int:
        """How many clusters the coefficients rest on."""
        return len(self.parts)

    @property
    def covariance(self) -> Floats:
        """K x K: of the coefficients, from the clusters' parts."""
        n = self.n_clusters
        scale = n / (n - 1) if n > 1 else np.nan
        return np.asarray(self.parts.T @ self.parts * scale)

    def combine(self, loads: npt.ArrayLike, names: Sequence[Any]) -> pd.DataFrame:
        """Give linear combinations of the coefficients with their intervals.

        Parameters
        ----------
        loads
            Q x K.
        names
            Q: the rows' index.

        Returns
        -------
        DataFrame: estimate, se, conf_low, conf_high, p_value, n_clusters, method, reason.
        """
        rows = []
        for load in np.atleast_2d(np.asarray(loads, float)):
            estimate = float(load @ self.coefficients)
            rows.append({"estimate": estimate, **asdict(self._interval(estimate, load))})
        return pd.DataFrame(rows, index=pd.Index(names))

    def to_frame(self) -> pd.DataFrame:
        """Give the coefficients, one row each; see `combine`."""
        return self.combine(np.eye(len(self.names)), self.names)

    def _interval(self, estimate: float, load: Floats) -> Interval:
        return judge_coefficient(
            estimate, self.parts @ load, np.einsum("k,ckl,l->c", load, self.sizes, load),
            None if self.left_out is None else self.left_out @ load, alpha=self.alpha,
            whose=mark("treated villages"),
        )  # fmt: skip


def regress_gains(gains: IncomeGains, regressors: pd.DataFrame) -> GainRegression:
    """Regress villages' mean gains on what is known of them, each village counting once.

    Parameters
    ----------
    gains
        Estimated gains, in their own unit.
    regressors
        n x K, index "village"; with a column of ones if there is to be a constant. Villages
        without a gain are left out.

    Returns
    -------
    GainRegression.

    Raises
    ------
    DesignError
        If a regressor is missing for a village with a gain, there are fewer villages than
        regressors, or one regressor follows from the others.

    Notes
    -----
    b = (X'X)^-1 X'g is linear in outcomes, b_k = sum_i w_ik g_i. A cluster's part in its error
    is sum_i w_ik (g_i - x_i b) over its treated villages and what its untreated cells add to
    the year effects' error in all g_i (Borusyak, Jaravel, Spiess 2024,
    doi:10.1093/restud/rdae007, section 4.3); with 30 clusters or more that have a part their
    squares add up to the variance. With fewer, the regression and the year effects are fitted
    again without each, for `wild_interval`. Few clusters may matter among many, as where one
    county got most of the money: with 30 or more Student's t has the degrees of freedom of
    (sum_c k_c)^2 / sum_c k_c^2 equal clusters, k_c = sum_i w_ik^2 + (sum_i w_ik)^2 over a
    cluster's treated villages (after Carter, Schnepel, Steigerwald 2017,
    doi:10.1162/REST_a_00639).
    """
    named = gains.panel.villages.index[gains.cells.rows]
    inside = named.isin(regressors.index)
    matrix = regressors.reindex(named[inside]).to_numpy(float)
    names = tuple(map(str, regressors.columns))
    _check(matrix, names, named[inside])
    counted = gains.cells.counted[inside]
    cells = replace(gains.cells.take(inside), weights=counted / counted.sum(1, keepdims=True))
    mean = (cells.weights * cells.gains).sum(axis=1)
    weights = find_shares(matrix)
    coefficients = np.asarray(weights @ mean)
    residuals = mean - matrix @ coefficients
    fit, clusters = gains.fit, place_codes(gains.panel, gains.cluster)
    loads = np.stack([_load(gains, cells, w) for w in weights], axis=-1)
    n_clusters = int(clusters.max()) + 1
    own = clusters[cells.rows]
    sums = [np.bincount(own, w * residuals, n_clusters) for w in weights]
    parts = np.stack(sums, axis=1) - fit.error_parts(loads, clusters, n_clusters)
    taking_part = np.union1d(np.flatnonzero(takes_part(parts)), own)
    left_out, n_treated = None, len(np.unique(own))
    few = fewest_clusters(gains.options.alpha) <= n_treated < ENOUGH_CLUSTERS
    if few and len(taking_part) <= _MOST_LEFT_OUT:
        left_out = np.array(
            [
                _without(
                    gains, cells.take(own != c), matrix[own != c], mean[own != c], clusters == c
                )
                for c in taking_part
            ]
        )
    return GainRegression(
        names=names, coefficients=coefficients, cluster=gains.cluster,
        residuals=pd.Series(residuals, index=named[inside]), alpha=gains.options.alpha,
        parts=parts[taking_part], left_out=left_out,
        sizes=_cluster_sizes(weights, own, n_clusters)[taking_part],
    )  # fmt: skip


def judge_coefficient(
    estimate: float,
    parts: Floats,
    sizes: Floats,
    left_out: Floats | None,
    *,
    alpha: float,
    whose: str = "villages",
) -> Interval:
    """Give a coefficient's interval, as `regress_gains` has it, or why there is none.

    Parameters
    ----------
    parts, sizes
        C: what each cluster adds to the error, and the k_c of `regress_gains`.
    left_out
        C: the coefficient without each cluster; None where they are too many for that.
    whose
        Of what the clusters consist, for the reason.
    """
    some, needed = takes_part(parts), fewest_clusters(alpha)
    n_sized = int(takes_part(sizes).sum())
    n = max(int(some.sum()), n_sized)  # parts may be zero where a regressor is of one cluster
    if n_sized < needed:
        reason = say(
            "{whose} of {n} clusters; {level:.0%} needs {needed}",
            whose=say(whose), n=n_sized, level=1 - alpha, needed=needed,
        )  # fmt: skip
        return Interval(n_clusters=n, reason=reason)
    if n < ENOUGH_CLUSTERS and left_out is not None:
        return wild_interval(estimate, left_out[some], alpha=alpha)
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    if effective < FEWEST_EFFECTIVE:
        reason = say(
            "{n} clusters, which count as {effective:.1f} equal ones: one decides",
            n=n, effective=effective,
        )  # fmt: skip
        return Interval(n_clusters=n, reason=reason)
    return clustered_interval(estimate, parts, alpha=alpha, effective=effective)


def find_shares(matrix: Floats, weights: Floats | None = None) -> Floats:
    """Give the weights of villages' values in the K coefficients of a regression, K x n."""
    root = np.ones(len(matrix)) if weights is None else np.sqrt(weights)
    weighted = matrix * root[:, None]
    size = _sizes(weighted)
    return np.asarray(np.linalg.pinv(weighted / size) / size[:, None] * root)


def is_regular(matrix: Floats) -> bool:
    """Whether no column follows from the others, and there are as many rows."""
    if len(matrix) < matrix.shape[1]:
        return False
    values = np.linalg.svd(matrix / _sizes(matrix), compute_uv=False)
    return bool(values[-1] > SINGULAR * values[0])


def _check(matrix: Floats, names: tuple[str, ...], villages: pd.Index[str]) -> None:
    unknown = ~np.isfinite(matrix)
    if unknown.any():
        cells = np.argwhere(unknown)[:_SHOWN]
        named = ", ".join(f"{villages[row]} ({names[column]})" for row, column in cells)
        told = say(
            "{n:,} villages with a gain lack a regressor: {named}; leave them or it out.",
            n=int(unknown.any(axis=1).sum()), named=named,
        )  # fmt: skip
        raise DesignError(told)
    if len(matrix) <= len(names):
        told = say(
            "{n} villages with a gain cannot tell {k} coefficients apart; take fewer "
            "regressors.",
            n=len(matrix), k=len(names),
        )  # fmt: skip
        raise DesignError(told)
    if not is_regular(matrix):
        told = say(
            "of {names} one follows from the others in the villages with a gain; leave one "
            "out.",
            names=commas(names),
        )
        raise DesignError(told)


def _sizes(matrix: Floats) -> Floats:
    size = np.sqrt((matrix**2).sum(axis=0))
    return np.where(size > 0, size, 1)


def _cluster_sizes(weights: Floats, clusters: Codes, n: int) -> Floats:
    """Give by cluster, as quadratic forms (n x K x K), the k_c of `regress_gains`."""
    products = (weights[:, None] * weights[None, :]).reshape(-1, weights.shape[1])
    squares = np.stack([np.bincount(clusters, values, n) for values in products], axis=1)
    sums = np.stack([np.bincount(clusters, values, n) for values in weights], axis=1)
    k = len(weights)
    return np.asarray(squares.reshape(n, k, k) + sums[:, :, None] * sums[:, None])


def _load(gains: IncomeGains, cells: TreatedCells, weights: Floats) -> Floats:
    """Say how year effects and slopes enter a weighted sum of villages' mean gains, G x P."""
    weighted = replace(cells, weights=cells.weights * weights[:, None])
    codes: Codes = np.where(cells.counted, 0, -1)
    loads = find_targets(gains.fit, weighted, codes, 1).loads[:, :, 0]
    # What rounding leaves where weights add up to zero is no sum that data may not identify.
    return np.where(np.abs(loads) > _ROUNDING * np.abs(weights).sum(), loads, 0.0)


def _without(
    gains: IncomeGains, cells: TreatedCells, matrix: Floats, mean: Floats, dropped: Bools
) -> Floats:
    """Give the coefficients when some villages (N) are in neither step."""
    if not is_regular(matrix):
        return np.full(matrix.shape[1], np.nan)
    old, system = gains.fit.system, gains.fit.without(dropped)
    found = []
    for weights in find_shares(matrix):
        load = _load(gains, cells, weights)
        moved = float((load * (old.values - system.values)).sum())
        found.append(weights @ mean + moved if system.identifies(load) else np.nan)
    return np.array(found)
