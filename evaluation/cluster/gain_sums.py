"""The second pass's sums of all pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evaluation.cluster.applied import PieceGains
from evaluation.cluster.keyed_sums import KINDS, Codes, KeyedSums, Places
from evaluation.cluster.kinds import KindSums
from evaluation.cluster.village_parts import VillageParts
from evaluation.gains.moments import Floats
from evaluation.gains.shocks import PlaceShocks, ShockSums


@dataclass(slots=True, kw_only=True)
class GainSums:
    """What the pieces add, in their order; see `PieceGains`.

    Attributes
    ----------
    parts
        The pieces that have treated villages.
    """

    places: Places
    n_years: int
    cells: KeyedSums = field(default_factory=KeyedSums)
    cohorts: KeyedSums = field(default_factory=KeyedSums)
    scores: KeyedSums = field(default_factory=KeyedSums)
    shocks: KeyedSums = field(default_factory=KeyedSums)
    villages: VillageParts | None = None
    counts: Codes = field(default_factory=lambda: np.zeros(4, dtype=np.int64))
    reasons: Counter[str] = field(default_factory=Counter)
    precision: Floats = field(
        default_factory=lambda: np.array([0, 0, 0, np.inf, -np.inf], dtype=np.float64)
    )
    parts: list[int] = field(default_factory=list)

    def add(self, piece: PieceGains) -> None:
        """Add the next piece."""
        number = self.places.number(piece.places)
        self.cells.add(number[piece.place] * KINDS + piece.kind, piece.cells)
        self.cohorts.add(number[piece.cohort_place] * KINDS + piece.cohort, piece.cohorts)
        self.scores.add(number, piece.scores)
        if piece.shocks is not None:
            self.shocks.add(number, piece.shocks)
        if piece.villages is not None:
            known = self.villages
            self.villages = piece.villages if known is None else known + piece.villages
        self.counts = self.counts + piece.counts
        self.reasons.update(piece.reasons)
        self.precision[:3] += piece.precision[:3]
        self.precision[3] = min(self.precision[3], piece.precision[3])
        self.precision[4] = max(self.precision[4], piece.precision[4])
        if piece.counts[0]:
            self.parts.append(piece.number)

    def read_cohorts(self) -> tuple[Codes, Codes, Floats]:
        """Give places, cohorts, and villages, weights, squared weights by both."""
        keys, values = self.cohorts.read()
        place, cohort = np.divmod(keys, KINDS)
        return place, cohort, values

    def count_villages(self, kinds: KindSums) -> Codes:
        """Count the villages with a cell in each average."""
        cells = self.cells.read()[1]
        n = kinds.sum_over(cells[:, 0], np.zeros(len(cells), np.intp), 1)[0].astype(np.int64)
        _, cohort, cohorts = self.read_cohorts()
        by_cohort = np.bincount(np.unique(cohort, return_inverse=True)[1], cohorts[:, 0])
        n[0] = cohorts[:, 0].sum()
        n[1 : 1 + len(by_cohort)] = by_cohort
        return np.asarray(n)

    def solve_shocks(self, *, by_county: Sequence[str] | None = None) -> PlaceShocks:
        """Give how comparison villages move by place, or by the counties that places are in."""
        _, values = self.shocks.read()
        if by_county is not None:
            code, names = pd.factorize(np.array(by_county, dtype=object))
            if len(names) < len(values):
                columns = [np.bincount(code, column, len(names)) for column in values.T]
                values = np.stack(columns, axis=1)
        shaped = values.reshape(len(values), self.n_years, 3 * self.n_years)
        pairs, sums, products = np.split(shaped, 3, axis=2)
        return ShockSums(pairs=pairs, sums=sums, products=products).solve()
