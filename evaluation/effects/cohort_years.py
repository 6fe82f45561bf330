"""Every cohort in every year against its comparison villages, and averages over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evaluation.effects.estimates import Average
from evaluation.effects.setup import Codes, Setup
from evaluation.effects.weights import Method, contrast_changes
from evaluation.errors import DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import say


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortYear:
    """The effect on a cohort in a year, within one group of villages.

    Attributes
    ----------
    treated
        The rows of its treated villages.
    n_comparison, n_effective
        Comparison villages with a weight, and as how many equal ones they count.
    att, reason
        NaN where there is a reason why.
    clusters, parts
        Those with a village in it, and what each adds to its error.
    """

    cohort: int
    year: int
    treated: Codes = field(repr=False)
    n_comparison: int = 0
    n_effective: float = np.nan
    att: float = np.nan
    clusters: Codes = field(default_factory=lambda: np.zeros(0, dtype=np.intp), repr=False)
    parts: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    reason: str = ""

    @property
    def event_time(self) -> int:
        """Years since the first treated one."""
        return self.year - self.cohort


def compare_cohort_years(setup: Setup, *, method: Method) -> list[CohortYear]:
    """Compare each cohort's change since its base year, year by year, within each group.

    Returns
    -------
    list: also cohort-years for which there is no effect, with the reason. Cohorts without an
    earlier year have none.

    Notes
    -----
    The base year is the last one before the first that may be affected. Villages are those
    known in both years, and with covariates those whose covariates are known in the base year.
    """
    cells = []
    for group in np.unique(setup.group[setup.treated]):
        own = setup.group == group
        for cohort in np.unique(setup.cohort[own & setup.treated]).astype(int).tolist():
            before = np.flatnonzero(setup.years < cohort - setup.options.anticipation)
            if len(before):
                cells += _follow_cohort(setup, own, cohort, int(before[-1]), method)
    return cells


def average_cohort_years(
    cells: Sequence[CohortYear], setup: Setup, key: Callable[[CohortYear], int]
) -> list[Average]:
    """Average the effects that share a key, by their treated villages, in the key's order.

    The key stands as their event time.

    Notes
    -----
    With n_k treated villages in cohort-year k and D_ik whether i is one of them, village i's
    part in the mean is sum_k [n_k part_ik + D_ik (ATT_k - mean)] / sum_k n_k: the numbers of
    villages count as estimated, as in R did's aggte. Parts of clusters that are not single
    villages are enlarged by the root of C/(C - 1), C the clusters among which villages are
    compared (of a county, where that is within it).
    """
    sharing: dict[int, list[CohortYear]] = {}
    for cell in cells:
        if not cell.reason:
            sharing.setdefault(key(cell), []).append(cell)
    return [_average(sharing[value], setup, value) for value in sorted(sharing)]


def _average(cells: Sequence[CohortYear], setup: Setup, event_time: float) -> Average:
    n_cells = sum(len(cell.treated) for cell in cells)
    mean = sum(len(cell.treated) * cell.att for cell in cells) / n_cells
    parts, taken = np.zeros(setup.n_clusters), np.zeros(len(setup.cohort), dtype=bool)
    for cell in cells:
        parts[cell.clusters] += len(cell.treated) * cell.parts
        np.add.at(parts, setup.clusters[cell.treated], cell.att - mean)
        taken[cell.treated] = True
    parts *= _small_sample(setup) / n_cells
    return Average(
        event_time=event_time, estimate=mean, parts=parts, n_villages=int(taken.sum()),
        n_cells=n_cells,
    )  # fmt: skip


def _small_sample(setup: Setup) -> Floats:
    """Give by cluster what its parts are enlarged by."""
    if setup.options.cluster == "village":
        return np.ones(setup.n_clusters)
    group = np.full(setup.n_clusters, -1)
    group[setup.clusters] = setup.group
    counts = np.bincount(group[group >= 0])[group]
    return np.asarray(np.sqrt(counts / np.maximum(counts - 1, 1)))


def _follow_cohort(
    setup: Setup, own: Bools, cohort: int, base: int, method: Method
) -> list[CohortYear]:
    start = setup.outcome[:, base]
    baseline = [start, *(values[:, base] for values in setup.covariates.values())]
    rows = np.flatnonzero(own & np.isfinite(baseline).all(axis=0))
    first, covariates = setup.cohort[rows], np.column_stack(baseline)[rows, 1:]
    later = setup.options.comparison == "not_yet_treated"
    cells = []
    for t in np.delete(np.arange(len(setup.years)), base):
        change = setup.outcome[rows, t] - start[rows]
        last = max(setup.years[t], setup.years[base]) + setup.options.anticipation
        compared = np.isnan(first) | (later & (first > last) & (first != cohort))
        kept = np.isfinite(change) & (compared | (first == cohort))
        treated, where = first[kept] == cohort, rows[kept]
        cell = CohortYear(cohort=cohort, year=int(setup.years[t]), treated=where[treated])
        try:
            if not treated.any():
                raise DesignError(say("no treated village is known in both years"))
            if treated.all():
                raise DesignError(say("no comparison village is known in both years"))
            found = contrast_changes(change[kept], treated, covariates[kept], method=method)
        except DesignError as error:
            cells.append(replace(cell, reason=str(error)))
            continue
        weights = found.weights[~treated]
        clusters, at = np.unique(setup.clusters[where], return_inverse=True)
        cells.append(
            replace(
                cell, n_comparison=int(np.count_nonzero(weights)),
                n_effective=float(1 / (weights**2).sum()), att=found.att, clusters=clusters,
                parts=np.bincount(at, found.parts).astype(np.float64),
            )
        )  # fmt: skip
    return cells
