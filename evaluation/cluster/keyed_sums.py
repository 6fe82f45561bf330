"""Sums by place, and by place and kind of treated cell, that add up piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from evaluation.data.panel import VillagePanel
from evaluation.gains.design import place_codes
from evaluation.gains.options import Cluster
from evaluation.gains.targets import TreatedCells

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Place = tuple[str, str]

KINDS = 10_000_000
"""A key is the place's number times this, plus the kind's."""

_FEW = 100_000


def kind_of(cohort: Codes, year: Codes) -> Codes:
    """Give kinds of treated cells a number: 1,000 x cohort + the year's position."""
    return cohort * 1_000 + year


class KeyedSums:
    """Rows of sums by key; those of equal keys are added in the order in which they come."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Codes, Floats]] = []
        self._rows = self._compact_rows = 0

    def add(self, keys: Codes, values: Floats) -> None:
        """Add n rows, n x m or n x more."""
        self._waiting.append((keys, values.reshape(len(keys), prod(values.shape[1:]))))
        self._rows += len(keys)
        if self._rows > 2 * self._compact_rows + _FEW:
            self.read()

    def read(self) -> tuple[Codes, Floats]:
        """Give the keys, ascending, and their sums, n x m."""
        if len(self._waiting) != 1 or self._rows != self._compact_rows:
            keys = np.concatenate([keys for keys, _ in self._waiting])
            values = np.concatenate([values for _, values in self._waiting])
            distinct, code = np.unique(keys, return_inverse=True)
            sums = np.empty((len(distinct), values.shape[1]))
            for m, column in enumerate(values.T):
                sums[:, m] = np.bincount(code, column, len(distinct))
            self._waiting = [(distinct, sums)]
            self._rows = self._compact_rows = len(distinct)
        return self._waiting[0]


class Places:
    """Numbers places in the order in which they first come up."""

    def __init__(self) -> None:
        self.numbers: dict[Place, int] = {}

    def number(self, names: Sequence[Place]) -> Codes:
        """Give the numbers of places, new ones for those that are new."""
        found = [self.numbers.setdefault(name, len(self.numbers)) for name in names]
        return np.array(found, dtype=np.int64)

    @property
    def names(self) -> list[Place]:
        """All places, by number."""
        return list(self.numbers)


def local_places(
    panel: VillagePanel, level: Cluster
) -> tuple[npt.NDArray[np.intp], list[Place]]:
    """Give villages the numbers of their places, as they come up, and the places' names."""
    codes = place_codes(panel, level)
    first = np.sort(np.unique(codes, return_index=True)[1])
    found = panel.villages.iloc[first]
    towns = found["town"] if level == "town" else [""] * len(first)
    names = [
        (str(county), str(town)) for county, town in zip(found["county"], towns, strict=True)
    ]
    return codes, names


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCodes:
    """Treated cells by place and kind, as dense codes.

    Attributes
    ----------
    codes
        n x T: each cell's code, -1 for those that have no gain.
    n
        How many codes there are.
    place, cohort
        n: the villages' places, and which of the cohorts they are of.
    cohorts
        The cohorts.
    n_years
        T.
    """

    codes: npt.NDArray[np.intp]
    n: int
    place: npt.NDArray[np.intp]
    cohort: npt.NDArray[np.intp]
    cohorts: Codes
    n_years: int

    @classmethod
    def of(cls, cells: TreatedCells, places: npt.NDArray[np.intp], n_places: int) -> KindCodes:
        """Code treated cells; places are of all villages."""
        cohorts, cohort = np.unique(cells.cohort.astype(np.int64), return_inverse=True)
        n_years = cells.counted.shape[1]
        place = places[cells.rows]
        codes = ((place * len(cohorts) + cohort) * n_years)[:, None] + np.arange(n_years)
        return cls(
            codes=np.where(cells.counted, codes, -1),
            n=n_places * len(cohorts) * n_years,
            place=place,
            cohort=cohort,
            cohorts=cohorts,
            n_years=n_years,
        )

    def keys(self, codes: npt.NDArray[np.intp]) -> tuple[Codes, Codes]:
        """Give the place and the kind of some codes."""
        pair, year = np.divmod(codes, self.n_years)
        place, cohort = np.divmod(pair, max(len(self.cohorts), 1))
        return place, kind_of(self.cohorts[cohort], year)

    def sum(self, values: Floats) -> Floats:
        """Sum n x T values by code."""
        used = self.codes >= 0
        return np.bincount(self.codes[used], values[used], self.n).astype(np.float64)

    def by_cohort(self, columns: Sequence[Floats]) -> tuple[Codes, Codes, Floats]:
        """Sum villages' values by place and cohort: the places, the cohorts, the sums."""
        n = max(len(self.cohorts), 1)
        pairs, code = np.unique(self.place * n + self.cohort, return_inverse=True)
        sums = [np.bincount(code, column, len(pairs)) for column in columns]
        place, cohort = np.divmod(pairs, n)
        return place, self.cohorts[cohort], np.stack(sums, axis=1)
