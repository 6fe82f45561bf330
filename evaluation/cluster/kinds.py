"""Averages of gains as sums over kinds of treated cells: those of a cohort in a year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.cluster.keyed_sums import KINDS, Codes
from evaluation.cluster.sums import Totals
from evaluation.cluster.village_parts import VillageAverages
from evaluation.gains.moments import Floats
from evaluation.gains.system import System

By = Literal["programme", "cohort", "year", "event_time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSums:
    """What is known of Q averages before gains are.

    Attributes
    ----------
    indices
        By way of averaging, the names of its averages; these come one after another.
    place, kind
        r: the rows of sums, by place and kind.
    kinds, of
        K; see `VillageAverages`.
    year
        K: the years' positions.
    weight, level, loads
        r, r, r x P: see `CellSums`.
    totals, group_loads, solved
        Q, G x P x Q, and G x P x Q: weights; how year effects and slopes enter the averages;
        how errors depend on scores.
    centres
        K.
    group
        By place, its group.
    untreated
        By place and year, the weight of fitted cells.
    """

    indices: Mapping[By, pd.Index[Any]]
    place: Codes
    kind: npt.NDArray[np.intp]
    kinds: Codes
    of: npt.NDArray[np.intp]
    year: Codes
    weight: Floats
    level: Floats
    loads: Floats
    totals: Floats
    group_loads: Floats
    solved: Floats
    centres: Floats
    group: npt.NDArray[np.intp]
    untreated: Floats

    @classmethod
    def of_totals(
        cls,
        totals: Totals,
        system: System,
        groups: Mapping[str, int],
        years: npt.NDArray[np.int64],
    ) -> KindSums:
        """Gather them from the sums of the first pass and what these were solved to."""
        keys, values = totals.cells.read()
        place, code = np.divmod(keys, KINDS)
        kinds, kind = np.unique(code, return_inverse=True)
        cohort, year = np.divmod(kinds, 1_000)
        own: dict[By, Codes] = {
            "programme": np.zeros(len(kinds), dtype=np.int64),
            "cohort": cohort,
            "year": years[year],
            "event_time": years[year] - cohort,
        }
        indices: dict[By, pd.Index[Any]] = {}
        rows, start = [], 0
        for by, labels in own.items():
            names, number = np.unique(labels, return_inverse=True)
            found = pd.Index(["all"] if by == "programme" else names, name=by)
            rows.append(number + start)
            indices[by] = found
            start += len(found)
        of = np.stack(rows)
        if len(groups) > 1 or "" not in groups:
            names_of = totals.places.names
            group = np.array([groups[county] for county, _ in names_of], dtype=np.intp)
        else:
            group = np.zeros(len(totals.places.names), dtype=np.intp)
        size = (values.shape[1] - 4) // 2
        first, second = values[:, : 2 + size], values[:, 2 + size :]
        weights = np.bincount(of.ravel(), np.tile(np.bincount(kind, first[:, 0]), len(of)))
        loads = np.zeros((len(groups), size, start))
        for row in of:
            at = group[place] * start + row[kind]
            for p in range(size):
                sums = np.bincount(at, first[:, 2 + p], len(groups) * start)
                loads[:, p] += sums.reshape(len(groups), start)
        explained = (second[:, 2:] * system.values[group[place]]).sum(axis=1)
        squares = np.bincount(kind, second[:, 0])
        return cls(
            indices=indices,
            place=place,
            kind=kind,
            kinds=kinds,
            of=of,
            year=year,
            weight=first[:, 0],
            level=first[:, 1],
            loads=first[:, 2:],
            totals=weights.astype(float),
            group_loads=loads,
            solved=system.invert(loads / weights),
            centres=np.bincount(kind, second[:, 1] - explained) / squares,
            group=group,
            untreated=totals.untreated.read()[1],
        )

    @property
    def n(self) -> int:
        """Q."""
        return len(self.totals)

    def shares(self) -> tuple[Floats, Floats]:
        """Give each group's untreated weight by year, and each year's share of averages."""
        n_groups, n_years = len(self.solved), self.untreated.shape[1]
        untreated = np.zeros((n_groups, n_years))
        np.add.at(untreated, self.group, self.untreated)
        by_year = np.zeros((n_groups, n_years, self.n))
        for row in self.of:
            code = row[self.kind]
            at = self.group[self.place], self.year[self.kind], code
            np.add.at(by_year, at, self.weight / self.totals[code])
        return untreated, by_year

    def for_villages(self) -> VillageAverages:
        """Give what is needed where errors are clustered by village."""
        untreated, by_year = self.shares()
        return VillageAverages(
            kinds=self.kinds, of=self.of, totals=self.totals, centres=self.centres,
            solved=self.solved, untreated=untreated, by_year=by_year,
        )  # fmt: skip

    def sum_over(self, values: Floats, places: npt.NDArray[np.intp], n: int) -> Floats:
        """Sum a row's value by place (numbered anew, n of them) and average, n x Q."""
        sums = np.zeros((n, self.n))
        for row in self.of:
            np.add.at(sums, (places, row[self.kind]), values)
        return sums
