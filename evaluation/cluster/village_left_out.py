"""Averages without each of a few villages, where errors are clustered by village."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evaluation.cluster.applied import Solved
from evaluation.cluster.averages import Errors, LeftOut, leave_places_out
from evaluation.cluster.gain_sums import GainSums
from evaluation.cluster.kinds import KindSums
from evaluation.cluster.panel_parts import take_villages
from evaluation.cluster.passes import Passes
from evaluation.cluster.pieces import Piece
from evaluation.cluster.sums import CellSums, sum_cells
from evaluation.cluster.village_parts import VillageAverages, VillageParts, find_parts
from evaluation.gains.moments import Bools, Floats, Moments
from evaluation.gains.villages import find_cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The averages that few villages take part in, and the least power of two of a part."""

    solved: Solved
    averages: VillageAverages
    least: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoneVillages:
    """Villages of a piece that take part in such an average.

    Attributes
    ----------
    groups, moments
        By village: the number of its group, and its part of the normal equations.
    cells
        Their treated cells, each village being a place of its own.
    taking_part
        By average, which of them take part.
    """

    groups: npt.NDArray[np.intp]
    moments: list[Moments]
    cells: CellSums
    taking_part: dict[int, Bools]


def errors_by_village(parts: VillageParts, n_villages: npt.NDArray[np.int64]) -> Errors:
    """Gather what errors clustered by village rest on; n_villages have a cell in an average."""
    n_parts, not_treated = parts.count_parts()
    return Errors(
        n=n_villages + not_treated,
        n_parts=n_parts,
        squares=parts.squares,
        effective=parts.sizes**2 / parts.squared_sizes,
        taking_part={},
    )


def find_lone(wanted: Wanted, piece: Piece) -> LoneVillages:
    """Find a piece's villages that take part in an average that few do."""
    solved = wanted.solved
    panel = solved.setup.read(piece)
    fit = solved.fit(panel)
    cells = find_cells(fit.design, np.isfinite(fit.excess), fit.excess)
    groups = solved.numbers(panel)
    parts, shares = find_parts(fit, cells, groups, wanted.averages)
    power = np.where(parts == 0, -(10**6), np.frexp(parts)[1])
    taking = {q: (power[:, q] >= p) | (shares[:, q] > 0) for q, p in wanted.least.items()}
    some = np.flatnonzero(np.any(list(taking.values()), axis=0))
    design = solved.setup.design(take_villages(panel, some))
    known = np.isfinite(fit.excess[some])
    return LoneVillages(
        groups=groups[fit.design.group[some]],
        moments=[fit.design.moments(np.array([row])) for row in some],
        cells=sum_cells(design, known, np.arange(len(some)), len(some)),
        taking_part={q: there[some] for q, there in taking.items()},
    )


def leave_villages_out(
    passes: Passes,
    solved: Solved,
    kinds: KindSums,
    sums: GainSums,
    few: Sequence[int],
    pieces: Sequence[Piece],
) -> dict[int, Floats]:
    """Give each of some averages without each of the few villages that take part in it."""
    assert sums.villages is not None  # errors are clustered by village
    least = {q: sums.villages.least_power(q) for q in few}
    wanted = Wanted(solved=solved, averages=kinds.for_villages(), least=least)
    groups, moments, start = [], [], 0
    place, kind, values = [], [], []
    taking: dict[int, list[Bools]] = {q: [] for q in few}
    for found in passes.run(find_lone, wanted, pieces):
        groups.append(found.groups)
        moments += found.moments
        place.append(found.cells.place + start)
        kind.append(found.cells.kind)
        values.append(found.cells.values)
        for q in few:
            taking[q].append(found.taking_part[q])
        start += len(found.groups)
    group, columns = np.concatenate(groups), np.concatenate(values)
    size = kinds.loads.shape[1]
    alone = replace(
        kinds,
        place=np.concatenate(place),
        kind=np.searchsorted(kinds.kinds, np.concatenate(kind)),
        weight=columns[:, 0],
        level=columns[:, 1],
        loads=columns[:, 2 : 2 + size],
        group=group,
    )
    own: LeftOut = {i: (int(group[i]), moments[i]) for i in range(start)}
    return {
        q: leave_places_out(
            alone, solved.system, q, np.flatnonzero(np.concatenate(taking[q])), own
        )
        for q in few
    }
