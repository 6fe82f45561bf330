"""Average gains of a panel in pieces, with their intervals, from the pieces' sums."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.cluster.gain_sums import GainSums
from evaluation.cluster.kinds import KindSums
from evaluation.cluster.sums import Totals
from evaluation.gains.averages import ROUNDING, finish_averages, judge_average, leave_each_out
from evaluation.gains.clusters import ENOUGH_CLUSTERS, Interval, fewest_clusters, takes_part
from evaluation.gains.moments import Floats, Moments
from evaluation.gains.options import Cluster
from evaluation.gains.places import (
    PLURALS,
    draw_interval,
    judge_places,
    squared_shares,
)
from evaluation.gains.shocks import PlaceShocks
from evaluation.gains.system import System
from evaluation.gains.targets import Targets, sum_sizes

MOST_COUNTIES = 5_000
"""Of more counties averages are not compared one by one: it takes time as their square."""

Positions = npt.NDArray[np.intp]
LeftOut = Mapping[int, tuple[int, Moments]]  # by cluster: its group, and its equations


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """What the error of each of Q averages rests on, clustered at one level.

    Attributes
    ----------
    n, n_parts, squares, effective
        Q: as `judge_average` takes them.
    taking_part
        By average: the clusters, where they are few.
    """

    n: npt.NDArray[np.int64]
    n_parts: npt.NDArray[np.int64]
    squares: Floats
    effective: Floats
    taking_part: Mapping[int, Positions]

    def few(self, alpha: float) -> list[int]:
        """List the averages that need the estimate without each of their clusters."""
        enough = self.effective >= fewest_clusters(alpha) * (1 - ROUNDING)
        lacking = (self.n < ENOUGH_CLUSTERS) & enough
        return [int(q) for q in np.flatnonzero(lacking)]


def find_errors(kinds: KindSums, sums: GainSums) -> Errors:
    """Gather what errors clustered by place rest on."""
    gains, scores = sums.cells.read()[1], sums.scores.read()[1]
    own = gains[:, 1] - kinds.centres[kinds.kind] * kinds.weight
    n_places = len(kinds.group)
    parts = kinds.sum_over(own, kinds.place, n_places) / kinds.totals
    for q in range(kinds.n):
        parts[:, q] -= (scores * kinds.solved[kinds.group, :, q]).sum(axis=1)
    treated = kinds.sum_over(kinds.weight, kinds.place, n_places) / kinds.totals
    untreated, by_year = kinds.shares()
    share = kinds.untreated / np.where(untreated > 0, untreated, 1)[kinds.group]
    passive = np.stack(
        [(share * by_year[kinds.group, :, q]).sum(axis=1) for q in range(kinds.n)], axis=1
    )
    sizes, squared = sum_sizes(treated, passive)
    there = np.stack([takes_part(column) for column in parts.T], axis=1)
    both = there | (treated > 0)
    n = both.sum(axis=0)
    return Errors(
        n=n,
        n_parts=there.sum(axis=0),
        squares=np.where(there, parts**2, 0).sum(axis=0),
        effective=sizes**2 / squared,
        taking_part={
            int(q): np.flatnonzero(both[:, q]) for q in np.flatnonzero(n < ENOUGH_CLUSTERS)
        },
    )


def tabulate_averages(
    kinds: KindSums,
    sums: GainSums,
    totals: Totals,
    errors: Errors,
    leave_out: Callable[[int], Floats],
    *,
    level: Cluster,
    common: bool,
    alpha: float,
    rounding: float,
) -> dict[str, pd.DataFrame]:
    """Give the averages by programme, cohort, year and event time, as `IncomeGains.by` does.

    Parameters
    ----------
    leave_out
        Gives the q-th average without each of its few clusters.
    level
        What errors are clustered by.
    common
        Whether year effects are.
    """
    cells = sums.cells.read()[1]
    estimates = kinds.sum_over(cells[:, 1], np.zeros(len(cells), np.intp), 1)[0] / kinds.totals
    shocks = sums.solve_shocks() if level in PLURALS and common else None
    found: list[Interval] = []
    for q in range(kinds.n):
        interval = judge_average(
            float(estimates[q]), int(errors.n[q]), int(errors.n_parts[q]),
            float(errors.squares[q]), float(errors.effective[q]), partial(leave_out, q),
            alpha=alpha,
        )  # fmt: skip
        if shocks is not None and np.isnan(interval.conf_low):
            drawn = _draw(kinds, sums, totals, shocks, q, estimates[q], level, alpha)
            interval = interval if drawn.reason else drawn
        found.append(interval)
    n_cells = kinds.sum_over(cells[:, 0], np.zeros(len(cells), np.intp), 1)[0].astype(int)
    n_villages = sums.count_villages(kinds)
    frames, start = {}, 0
    for by, index in kinds.indices.items():
        part = slice(start, start + len(index))
        frame = pd.DataFrame([asdict(interval) for interval in found[part]]).assign(
            estimate=estimates[part],
            n_villages=n_villages[part],
            n_cells=n_cells[part],
        )
        frames[str(by)] = finish_averages(frame, index, rounding=rounding)
        start += len(index)
    return frames


def tabulate_counties(
    kinds: KindSums, sums: GainSums, totals: Totals, *, alpha: float, rounding: float
) -> pd.DataFrame:
    """Give the averages by county, as `IncomeGains.by` does where year effects are common."""
    counties = [county for county, _ in totals.places.names]
    names, code = np.unique(
        np.array([counties[place] for place in kinds.place], dtype=object), return_inverse=True
    )
    cells, n = sums.cells.read()[1], len(names)
    weights = np.bincount(code, kinds.weight, n)
    estimates = np.bincount(code, cells[:, 1], n) / weights
    n_years = kinds.untreated.shape[1]
    loads = np.stack([np.bincount(code, column, n) for column in kinds.loads.T[:n_years]])
    place, _, cohorts = sums.read_cohorts()
    of = np.searchsorted(names, np.array([counties[one] for one in place], dtype=object))
    villages, whole, squares = (
        np.bincount(of, column, n).astype(float) for column in cohorts.T
    )
    intervals = judge_places(
        estimates, loads / weights, squared_shares(whole, squares),
        sums.solve_shocks(by_county=counties), alpha=alpha, level="county",
    )  # fmt: skip
    frame = pd.DataFrame([*map(asdict, intervals)]).assign(
        estimate=estimates,
        n_villages=villages.astype(int),
        n_cells=np.bincount(code, cells[:, 0], n).astype(int),
    )
    return finish_averages(frame, pd.Index(names, name="county"), rounding=rounding)


def leave_places_out(
    kinds: KindSums, system: System, q: int, taking_part: Positions, moments: LeftOut
) -> Floats:
    """Give an average without each of the few places that take part in it."""
    number = np.full(len(kinds.group), -1)
    number[taking_part] = np.arange(len(taking_part))
    inside = np.flatnonzero((kinds.of[:, kinds.kind] == q).any(axis=0))
    at, group = number[kinds.place[inside]], kinds.group[kinds.place[inside]]
    n, n_groups = len(taking_part), len(kinds.solved)
    loads = np.zeros((n_groups, kinds.loads.shape[1], n))
    for p, column in enumerate(kinds.loads[inside].T):
        sums = np.bincount(group * n + at, column, n_groups * n)
        loads[:, p] = sums.reshape(n_groups, n)
    targets = Targets(
        totals=np.bincount(at, kinds.weight[inside], n).astype(float), loads=loads
    )
    systems = (system.without(dict([moments[int(place)]])) for place in taking_part)
    levels = np.bincount(at, kinds.level[inside], n).astype(float)
    return leave_each_out(systems, targets, levels)


def _draw(
    kinds: KindSums,
    sums: GainSums,
    totals: Totals,
    shocks: PlaceShocks,
    q: int,
    estimate: float,
    level: Cluster,
    alpha: float,
) -> Interval:
    """Judge an average by other places' placebos: see `draw_interval`."""
    rows = (kinds.of[:, kinds.kind] == q).any(axis=0)
    there = {int(place) for place in kinds.place[rows]}
    order = [place for place in totals.treated if place in there]
    number = np.full(len(kinds.group), -1)
    number[order] = np.arange(len(order))
    at, n, n_years = number[kinds.place[rows]], len(order), kinds.untreated.shape[1]
    loads = [np.bincount(at, column, n) for column in kinds.loads[rows].T[:n_years]]
    whole, squares = _sum_squares(kinds, sums, q, rows, number, n)
    return draw_interval(
        estimate, np.stack(loads) / kinds.totals[q], squared_shares(whole, squares), shocks,
        alpha=alpha, level=level,
    )  # fmt: skip


def _sum_squares(
    kinds: KindSums, sums: GainSums, q: int, rows: Any, number: Positions, n: int
) -> tuple[Floats, Floats]:
    """Sum the weights of an average's villages, and their squares, by place."""
    n_cohorts = len(kinds.indices["cohort"])
    if q > n_cohorts:  # by year or event time: a village has one cell in it
        values, at = sums.cells.read()[1][rows, 4:6], number[kinds.place[rows]]
    else:
        place, cohort, cohorts = sums.read_cohorts()
        own = np.full(len(cohort), True)
        if q:
            own = cohort == kinds.indices["cohort"][q - 1]
        values, at = cohorts[own, 1:3], number[place[own]]
    whole, squares = (np.bincount(at, column, n).astype(float) for column in values.T)
    return whole, squares
