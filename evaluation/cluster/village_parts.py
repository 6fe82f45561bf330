"""Errors of averages that are clustered by village: each village is in one piece alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.cluster.keyed_sums import Codes, kind_of
from evaluation.gains.clusters import ROUNDING
from evaluation.gains.imputation import Counterfactual, group_rows
from evaluation.gains.moments import Floats
from evaluation.gains.targets import TreatedCells, sum_sizes

_LOWEST, _BINS = -1_100, 2_200  # powers of two that a double may be near to


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageAverages:
    """What Q averages over kinds of treated cells are, known before gains are.

    Attributes
    ----------
    kinds
        K, ascending.
    of
        One row of K for each way of averaging: the average that a kind is in.
    totals
        Q: weights.
    centres
        K: the mean gain that gains of a kind are compared with.
    solved
        G x P x Q: how an average's error depends on scores.
    untreated
        G x T: the weight of fitted cells.
    by_year
        G x T x Q: each year's share of an average's weight.
    """

    kinds: Codes
    of: npt.NDArray[np.intp]
    totals: Floats
    centres: Floats
    solved: Floats
    untreated: Floats
    by_year: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class VillageParts:
    """Sums over villages, for Q averages.

    Attributes
    ----------
    squares
        Q: of villages' parts in the error.
    sizes, squared_sizes
        Q: see `effective_clusters`.
    counts
        2 x Q x bins: how many villages' parts are of each power of two, of all villages and of
        those without a treated cell in the average.
    """

    squares: Floats
    sizes: Floats
    squared_sizes: Floats
    counts: Codes

    @classmethod
    def of(
        cls,
        fit: Counterfactual,
        cells: TreatedCells,
        groups: npt.NDArray[np.intp],
        averages: VillageAverages,
    ) -> VillageParts:
        """Sum over some villages; groups are the numbers of the fit's."""
        parts, shares = find_parts(fit, cells, groups, averages)
        design, n_averages = fit.design, len(averages.totals)
        untreated = np.empty(parts.shape)
        for group, rows in enumerate(group_rows(design.group)):
            number = groups[group]
            totals = averages.untreated[number]
            own = design.fitted[rows] * design.weights[rows, None]
            own = own / np.where(totals > 0, totals, 1)
            untreated[rows] = own @ averages.by_year[number]
        sizes, squared = sum_sizes(shares, untreated)
        counts = np.zeros((2, n_averages, _BINS), dtype=np.int64)
        exponent = np.where(parts == 0, 0, np.frexp(parts)[1] - _LOWEST)
        for q in range(n_averages):
            counts[0, q] = np.bincount(exponent[:, q], minlength=_BINS)
            counts[1, q] = np.bincount(exponent[shares[:, q] == 0, q], minlength=_BINS)
        return cls(
            squares=(parts**2).sum(axis=0), sizes=sizes, squared_sizes=squared, counts=counts
        )

    def __add__(self, other: VillageParts) -> VillageParts:
        return VillageParts(
            squares=self.squares + other.squares,
            sizes=self.sizes + other.sizes,
            squared_sizes=self.squared_sizes + other.squared_sizes,
            counts=self.counts + other.counts,
        )

    def count_parts(self) -> Codes:
        """Count villages that have a part but for rounding, 2 x Q: see `takes_part`."""
        found = np.zeros(self.counts.shape[:2], dtype=np.int64)
        for q in range(len(self.squares)):
            least = max(self.least_power(q) - _LOWEST, 1)
            found[:, q] = self.counts[:, q, least:].sum(axis=1)
        return found

    def least_power(self, q: int) -> int:
        """Give the power of two from which on a part in the q-th average is one."""
        filled = np.flatnonzero(self.counts[0, q, 1:])
        if not len(filled):
            return _BINS + _LOWEST
        return int(filled[-1]) + 1 + _LOWEST + int(np.floor(np.log2(ROUNDING)))


def find_parts(
    fit: Counterfactual,
    cells: TreatedCells,
    groups: npt.NDArray[np.intp],
    averages: VillageAverages,
) -> tuple[Floats, Floats]:
    """Give villages' parts in the averages' errors and in their weight, n x Q each."""
    design, n = fit.design, len(averages.totals)
    parts, shares = np.zeros((2, len(design.outcome), n))
    n_years = cells.counted.shape[1]
    kind = kind_of(cells.cohort.astype(np.int64)[:, None], np.arange(n_years))
    at = np.minimum(np.searchsorted(averages.kinds, kind), len(averages.kinds) - 1)
    errors = np.where(cells.counted, cells.weights * (cells.gains - averages.centres[at]), 0)
    for of in averages.of:
        code = of[at]
        for t in range(n_years):
            some = cells.counted[:, t]
            rows, own = cells.rows[some], code[some, t]
            total = averages.totals[own]
            parts[rows, own] += errors[some, t] / total
            shares[rows, own] += cells.weights[some, t] / total
    for group, rows in enumerate(group_rows(design.group)):
        solved = averages.solved[groups[group]]
        for part in design.parts(rows):
            parts[part] -= fit.scores(part) @ solved
    return parts, shares
