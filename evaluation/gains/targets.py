"""Sums of gains as functions of year effects and slopes, and how many clusters they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from evaluation.gains.imputation import Counterfactual, Design, Positions, blocks
from evaluation.gains.moments import Bools, Floats

Codes = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class TreatedCells:
    """The treated cells that have a gain.

    Attributes
    ----------
    rows
        n: positions of the villages that have any.
    counted
        n x T: their cells with a gain.
    gains
        n x T: tau_it, zero where none is counted.
    weights
        n x T: the village's weight in counted cells, else zero.
    cohort
        n: first treated years.
    """

    rows: Positions
    counted: Bools
    gains: Floats
    weights: Floats
    cohort: Floats

    def take(self, some: Bools) -> TreatedCells:
        """Give the cells of some of the villages."""
        return TreatedCells(
            **{item.name: getattr(self, item.name)[some] for item in fields(self)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Averages as sums over cells: theta_q = (sums_q - loads_q . values) / totals_q.

    Attributes
    ----------
    totals
        Q: weights.
    loads
        G x P x Q: how each group's year effects and slopes enter.
    """

    totals: Floats
    loads: Floats


def find_targets(fit: Counterfactual, cells: TreatedCells, codes: Codes, n: int) -> Targets:
    """Say how sums of the cells' gains depend on year effects and slopes.

    Parameters
    ----------
    codes
        n x T: the average that a cell belongs to, from 0 to n - 1, or -1.
    """
    return sum_targets(fit.design, cells, codes, n, n_groups=len(fit.system.values))


def sum_targets(
    design: Design, cells: TreatedCells, codes: Codes, n: int, *, n_groups: int
) -> Targets:
    """Give what `find_targets` does, which needs no year effect to be solved for."""
    n_years = len(design.years)
    weights = np.where(codes >= 0, cells.weights, 0)
    totals = np.bincount(codes[codes >= 0], weights[codes >= 0], n).astype(np.float64)
    loads = np.zeros((n_years + design.n_slopes, n_groups * n))
    first = codes.max(axis=1, initial=-1)
    alike = ((codes == first[:, None]) | (weights == 0)).all()
    layers: Sequence[int | slice] = [slice(None)] if alike else range(n_years)
    for part in blocks(np.arange(len(cells.rows))):
        block = design.block(cells.rows[part], fitted=design.own)
        group = design.group[cells.rows[part]]
        for layer in layers:
            code = first[part] if isinstance(layer, slice) else codes[part, layer]
            target = np.zeros(block.fitted.shape)
            target[:, layer] = weights[part][:, layer]
            used = (code >= 0) & target.any(axis=1)
            own = block.spread(target)[used]
            slopes = np.einsum("it,itk->ik", own, block.covariates[used])
            at = group[used] * n + code[used]
            for row, column in enumerate([*own.T, *slopes.T]):
                loads[row] += np.bincount(at, column, n_groups * n)
    return Targets(
        totals=totals, loads=loads.reshape(len(loads), n_groups, n).transpose(1, 0, 2)
    )


def effective_clusters(
    fit: Counterfactual, cells: TreatedCells, codes: Codes, n: int, clusters: Codes
) -> Floats:
    """Give as how many equal clusters those of each average count.

    Notes
    -----
    (sum_c k_c)^2 / sum_c k_c^2 with k_c = w_c^2 + u_c^2, where w_c is the cluster's share of
    the treated cells' weight and u_c its share of the untreated cells' in the same years (after
    Carter, Schnepel, Steigerwald 2017, doi:10.1162/REST_a_00639). Four treated counties among
    forty count as five.
    """
    design, n_clusters = fit.design, int(clusters.max()) + 1
    n_groups = len(fit.system.values)
    group = np.zeros(n_clusters, dtype=np.intp)
    group[clusters] = design.group
    untreated = np.empty((n_clusters, len(design.years)))
    for t, fitted in enumerate(design.fitted.T):
        untreated[:, t] = np.bincount(clusters, fitted * design.weights, n_clusters)
    totals = _sum_by(group, untreated, n_groups)
    shares = untreated / np.where(totals > 0, totals, 1)[group]
    found, own = np.zeros(n), clusters[cells.rows]
    for q in range(n):
        weights = np.where(codes == q, cells.weights, 0)
        if (total := weights.sum()) > 0:
            treated = np.bincount(own, weights.sum(axis=1), n_clusters) / total
            by_year = _sum_by(design.group[cells.rows], weights / total, n_groups)
            untreated_share = (shares * by_year[group]).sum(axis=1)
            sums, squares = sum_sizes(treated, untreated_share)
            found[q] = sums**2 / squares
    return found


def sum_sizes(treated: Floats, untreated: Floats) -> tuple[Floats, Floats]:
    """Sum k_c and k_c^2 over clusters (rows), given w_c and u_c; see `effective_clusters`."""
    size = treated**2 + untreated**2
    return np.asarray(size.sum(axis=0)), np.asarray((size**2).sum(axis=0))


def _sum_by(codes: Codes, values: Floats, n: int) -> Floats:
    """Sum rows by code, n x T."""
    if n == 1:
        return np.asarray(values.sum(axis=0, keepdims=True))
    return np.stack([np.bincount(codes, column, n) for column in values.T], axis=1)
