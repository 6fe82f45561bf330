"""Average gains by cohort, year, event time or place, with intervals that hold for averages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    fewest_clusters,
    interval_of_squares,
    takes_part,
    too_few,
    wild_interval,
)
from evaluation.gains.imputation import Counterfactual, Positions
from evaluation.gains.moments import Floats
from evaluation.gains.system import System
from evaluation.gains.targets import (
    Codes,
    Targets,
    TreatedCells,
    effective_clusters,
    find_targets,
)
from evaluation.language import mark, say

_COLUMNS = [
    "estimate", "se", "conf_low", "conf_high", "p_value", "n_villages", "n_cells", "n_clusters",
    "method", "reason",
]  # fmt: skip

_JUDGED = ["se", "conf_low", "conf_high", "p_value"]
_EXACT = mark("fitted exactly: there is no error to judge by")
ROUNDING = 1e-9  # equal clusters count as many as they are
_CHUNK = 16  # averages whose clusters' parts are held at once


def average_gains(
    fit: Counterfactual,
    cells: TreatedCells,
    codes: Codes,
    names: Sequence[object],
    *,
    clusters: Codes,
    nested: bool,
    alpha: float,
) -> pd.DataFrame:
    """Average gains over cells, each counting by its village's weight.

    Parameters
    ----------
    codes
        n x T: which of the Q averages a cell belongs to, or -1.
    names
        The Q averages' names.
    clusters
        N: each village's cluster.
    nested
        Whether all treated cells of a cohort and year belong to one average. Their gains are
        then compared with their own mean for the variance, else with the average's mean.

    Returns
    -------
    DataFrame with a row an average: name, estimate, se, conf_low, conf_high, p_value,
    n_villages, n_cells, n_clusters, method, reason.

    Notes
    -----
    theta = sum_it w_it tau_it = sum_it v_it y_it; a cluster's part in its error is
    sum v_it e_it, e the residuals in untreated cells and tau_it less a mean of tau in treated
    ones, which makes the variance an upper bound where gains differ (Borusyak, Jaravel, Spiess
    2024, doi:10.1093/restud/rdae007, section 4.3). It has the year effects' error in it, which
    all villages share.
    """
    frames = []
    for start in range(0, len(names), _CHUNK):
        chunk = names[start : start + _CHUNK]
        inside = (codes >= start) & (codes < start + len(chunk))
        some = np.asarray(inside.any(axis=1))
        part = cells.take(some)
        inner = np.where(inside, codes - start, -1)[some]
        frames.append(
            _average_chunk(
                fit, part, inner, chunk, clusters=clusters, nested=nested, alpha=alpha
            )
        )
    return pd.concat(frames, ignore_index=True)


def average_covariance(
    fit: Counterfactual, cells: TreatedCells, codes: Codes, n: int, *, clusters: Codes
) -> tuple[Floats, int]:
    """Give the covariance of n averages, and how many clusters it rests on.

    From the clusters' parts in the averages' errors; with fewer than 30 clusters, from the
    averages without each of them (jackknife). NaN where one is not identified.
    """
    estimates = average_points(cells, codes, n)
    parts = average_parts(fit, cells, codes, estimates, clusters=clusters, nested=False)
    taking_part = np.union1d(np.flatnonzero(takes_part(parts)), clusters[cells.rows])
    count = len(taking_part)
    if count < ENOUGH_CLUSTERS:
        left_out = [
            _leave_out(fit, cells, np.where(codes == q, 0, -1), clusters, taking_part)
            for q in range(n)
        ]
        around = np.array(left_out).T - np.mean(left_out, axis=1)
        return np.asarray(around.T @ around * (count - 1) / count), count
    return np.asarray(parts.T @ parts * count / (count - 1)), count


def count_averaged(codes: Codes, n: int) -> tuple[Codes, Codes]:
    """Count the villages and the cells in each of n averages."""
    village, year = np.nonzero(codes >= 0)
    flat = codes[village, year]
    key = village * n + flat
    first = np.append(True, key[1:] != key[:-1])  # a village's cells of an average adjoin
    return np.bincount(flat[first[: len(flat)]], minlength=n), np.bincount(flat, minlength=n)


def finish_averages(
    frame: pd.DataFrame, index: pd.Index[Any], *, rounding: float
) -> pd.DataFrame:
    """Order the columns, name the rows, and take back errors that are rounding's."""
    exact = frame["se"] < rounding
    if exact.any():
        frame.loc[exact, _JUDGED] = np.nan
        frame.loc[exact, ["method", "reason"]] = ["", say(_EXACT)]
    frame = frame[_COLUMNS]
    frame.index = index
    return frame


def average_points(cells: TreatedCells, codes: Codes, n: int) -> Floats:
    """Average gains over the cells of each of n averages; NaN where there is no cell."""
    used = codes >= 0
    totals = np.bincount(codes[used], cells.weights[used], n)
    sums = np.bincount(codes[used], (cells.weights * cells.gains)[used], n)
    means: Floats = np.divide(sums, totals, out=np.full(n, np.nan), where=totals > 0)
    return means


def _average_chunk(
    fit: Counterfactual,
    cells: TreatedCells,
    codes: Codes,
    names: Sequence[object],
    *,
    clusters: Codes,
    nested: bool,
    alpha: float,
) -> pd.DataFrame:
    n = len(names)
    estimates = average_points(cells, codes, n)
    parts = average_parts(fit, cells, codes, estimates, clusters=clusters, nested=nested)
    effective = effective_clusters(fit, cells, codes, n, clusters)
    intervals = [
        _interval(fit, cells, np.where(codes == q, 0, -1), float(estimates[q]), parts[:, q],
                  float(effective[q]), clusters, alpha)
        for q in range(n)
    ]  # fmt: skip
    villages, counts = count_averaged(codes, n)
    return pd.DataFrame(
        {
            "name": list(names),
            "estimate": estimates,
            **pd.DataFrame([asdict(interval) for interval in intervals]),
            "n_villages": villages,
            "n_cells": counts,
        }
    )


def _interval(
    fit: Counterfactual,
    cells: TreatedCells,
    codes: Codes,
    estimate: float,
    parts: Floats,
    effective: float,
    clusters: Codes,
    alpha: float,
) -> Interval:
    treated = clusters[cells.rows][(codes >= 0).any(axis=1)]
    there = takes_part(parts)
    taking_part = np.union1d(np.flatnonzero(there), treated)
    return judge_average(
        estimate, len(taking_part), int(there.sum()), float((parts[there] ** 2).sum()),
        effective, lambda: _leave_out(fit, cells, codes, clusters, taking_part), alpha=alpha,
    )  # fmt: skip


def judge_average(
    estimate: float,
    n: int,
    n_parts: int,
    squares: float,
    effective: float,
    leave_out: Callable[[], Floats],
    *,
    alpha: float,
) -> Interval:
    """Give an average's interval by as many clusters as there are.

    Parameters
    ----------
    n
        Clusters that have a part in the error or a treated village.
    n_parts, squares
        Clusters that have a part, and the sum of their parts' squares.
    effective
        See `effective_clusters`.
    leave_out
        Gives the average without each of the n clusters, where they are few.
    """
    if np.isnan(estimate):
        return Interval(reason=say("no gain to average"))
    if effective < fewest_clusters(alpha) * (1 - ROUNDING):
        return Interval(n_clusters=n, reason=too_few(n, effective, alpha))
    if n >= ENOUGH_CLUSTERS:
        return interval_of_squares(estimate, n_parts, squares, alpha=alpha, effective=effective)
    return wild_interval(estimate, leave_out(), alpha=alpha)


def average_parts(
    fit: Counterfactual,
    cells: TreatedCells,
    codes: Codes,
    estimates: Floats,
    *,
    clusters: Codes,
    nested: bool,
) -> Floats:
    """Give the clusters' parts in the averages' errors, C x Q."""
    n, n_clusters = len(estimates), int(clusters.max()) + 1
    targets = find_targets(fit, cells, codes, n)
    used, totals = codes >= 0, np.where(targets.totals > 0, targets.totals, 1)
    weights = np.where(used, cells.weights / totals[codes], 0)
    centre = estimates[codes]
    if nested:
        n_years = codes.shape[1]
        cohort = (cells.cohort - fit.design.years[0]).astype(np.intp)
        kind = cohort[:, None] * n_years + np.arange(n_years)
        size = int(kind.max()) + 1
        squares = np.bincount(kind[used], weights[used] ** 2, size)
        sums = np.bincount(kind[used], weights[used] ** 2 * cells.gains[used], size)
        centre = (sums / np.where(squares > 0, squares, 1))[kind]
    errors = np.where(used, weights * (cells.gains - centre), 0)
    at = clusters[cells.rows][:, None] * n + codes
    parts = np.bincount(at[used], errors[used], n_clusters * n).astype(np.float64)
    parts = parts.reshape(n_clusters, n)
    return parts - fit.error_parts(targets.loads / totals, clusters, n_clusters)


def _leave_out(
    fit: Counterfactual,
    cells: TreatedCells,
    codes: Codes,
    clusters: Codes,
    taking_part: Positions,
) -> Floats:
    """Give the average without each of a few clusters; NaN where it is not identified."""
    n = len(taking_part)
    number = np.full(int(clusters.max()) + 1, -1)
    number[taking_part] = np.arange(n)
    own = number[clusters[cells.rows]]
    by_cluster = np.where(codes >= 0, own[:, None], -1)
    targets = find_targets(fit, cells, by_cluster, n)
    # The sums of outcomes less levels: gains with year effects and slopes added back.
    used = by_cluster >= 0
    sums = np.bincount(by_cluster[used], (cells.weights * cells.gains)[used], n).astype(float)
    sums += np.einsum("gpq,gp->q", targets.loads, fit.system.values)
    systems = (fit.without(clusters == cluster) for cluster in taking_part)
    return leave_each_out(systems, targets, sums)


def leave_each_out(systems: Iterable[System], targets: Targets, sums: Floats) -> Floats:
    """Give the average without each of n clusters; NaN where it is not identified.

    Parameters
    ----------
    systems
        n: solved without the cluster.
    targets, sums
        By cluster, and the n sums of outcomes less levels.
    """
    found, n = np.full(len(sums), np.nan), len(sums)
    for left, system in enumerate(systems):
        kept = np.arange(n) != left
        total, load = targets.totals[kept].sum(), targets.loads[:, :, kept].sum(axis=2)
        if total > 0 and system.identifies(load):
            found[left] = (sums[kept].sum() - (load * system.values).sum()) / total
    return found
