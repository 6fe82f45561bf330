"""The second pass: gains and intervals of a piece's villages, and what averages need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pyarrow import feather

from evaluation.cluster.keyed_sums import KindCodes, Place, local_places
from evaluation.cluster.panel_parts import Setup
from evaluation.cluster.pieces import Piece
from evaluation.cluster.sums import CellSums, sum_cells
from evaluation.cluster.village_parts import VillageAverages, VillageParts
from evaluation.data.panel import VillagePanel
from evaluation.gains.imputation import Counterfactual, group_rows, predict_outcomes
from evaluation.gains.inference import judge_gains
from evaluation.gains.moments import Floats, Moments
from evaluation.gains.placebos import Patterns, Placebos, find_patterns
from evaluation.gains.shocks import sum_shocks
from evaluation.gains.system import System
from evaluation.gains.targets import TreatedCells
from evaluation.gains.villages import find_cells, gain_frame, mean_gains

Codes = npt.NDArray[np.int64]

COLUMNS = [
    "village", "county", "town", "cohort", "gain", "conf_low", "conf_high", "p_value", "spread",
    "variance", "n_untreated", "n_treated", "n_placebos", "untreated_years", "treated_years",
    "reason",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Solved:
    """What the first pass was solved to.

    Attributes
    ----------
    system, groups
        Year effects and slopes, and the numbers of groups by name.
    """

    setup: Setup
    system: System
    groups: Mapping[str, int]

    def fit(self, panel: VillagePanel) -> Counterfactual:
        """Predict the outcomes of some villages."""
        design = self.setup.design(panel)
        return predict_outcomes(design, self.system.take(self.numbers(panel)))

    def numbers(self, panel: VillagePanel) -> npt.NDArray[np.intp]:
        """Give the numbers of the groups of some villages, in their order there."""
        names = self.setup.group_names(panel)
        return np.array([self.groups[name] for name in names], dtype=np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the second pass goes by.

    Attributes
    ----------
    table
        The placebos.
    folder
        Where a piece's villages are written.
    averages
        What averages need, if errors are clustered by village.
    shocks
        Whether averages may need how comparison villages of a place move.
    """

    solved: Solved
    table: Placebos
    folder: Path
    averages: VillageAverages | None
    shocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceGains:
    """What a piece adds to averages, and what was written of it.

    Attributes
    ----------
    places, place, kind
        As in `CellSums`, of the treated cells with a gain.
    cells
        r x 6, by place and kind: cells, weight x gain, squared weight, squared weight x gain;
        and of villages with such a cell the sum of all their weights, and of its square.
    cohort_place, cohort, cohorts
        By place and cohort: villages, and the two last sums.
    scores
        By place: what residuals add to the normal equations.
    shocks
        By place, T x 3T: what `ShockSums` holds.
    villages
        Sums by village, if errors are clustered so.
    counts
        Treated villages, those with a gain, those with an interval, cells with a gain.
    reasons
        How many villages have each reason.
    precision
        Of villages with a variance: how many, sums of log se and of gains, the smallest and
        largest variance.
    """

    number: int
    places: list[Place]
    place: Codes
    kind: Codes
    cells: Floats
    cohort_place: Codes
    cohort: Codes
    cohorts: Floats
    scores: Floats
    shocks: Floats | None
    villages: VillageParts | None
    counts: Codes
    reasons: dict[str, int]
    precision: Floats


def part_name(number: int) -> str:
    """Name the file of a piece's villages before they are shrunken."""
    return f"part-{number:05}.arrow"


def resum_piece(solved: Solved, piece: Piece) -> tuple[CellSums, list[Place]]:
    """Sum over a piece's treated cells again, now that it is known which have a gain."""
    panel = solved.setup.read(piece)
    fit = solved.fit(panel)
    places, names = local_places(panel, solved.setup.level)
    return sum_cells(fit.design, np.isfinite(fit.excess), places, len(names)), names


def judge_piece(judged: Judged, piece: Piece) -> PieceGains:
    """Give a piece's villages their gains and intervals, and write them."""
    solved, table = judged.solved, judged.table
    panel = solved.setup.read(piece)
    fit = solved.fit(panel)
    design = fit.design
    cells = find_cells(design, np.isfinite(fit.excess), fit.excess)
    code, own, used = find_patterns(design.own[cells.rows], cells.counted)
    patterns = Patterns.of(own, used, times=design.times)
    found = judge_gains(
        mean_gains(cells), fit.excess[cells.rows], design.own[cells.rows], code, patterns, table
    )
    frame = gain_frame(panel.villages, design, cells, found, solved.setup.options)
    if len(frame):
        _write_part(frame, judged.folder / part_name(piece.number))
    places, names = local_places(panel, solved.setup.level)
    kinds = KindCodes.of(cells, places, len(names))
    there, values = _sum_kinds(cells, kinds)
    place, kind = kinds.keys(there)
    all_weights = cells.weights.sum(axis=1)
    by_cohort = kinds.by_cohort([np.ones(len(all_weights)), all_weights, all_weights**2])
    reasons = frame["reason"].astype(str).value_counts(sort=False)
    return PieceGains(
        number=piece.number,
        places=names,
        place=place.astype(np.int64),
        kind=kind,
        cells=values,
        cohort_place=by_cohort[0].astype(np.int64),
        cohort=by_cohort[1],
        cohorts=by_cohort[2],
        scores=_sum_scores(fit, places, len(names)),
        shocks=_sum_shocks(fit, places, len(names)) if judged.shocks else None,
        villages=(
            VillageParts.of(fit, cells, solved.numbers(panel), judged.averages)
            if judged.averages is not None
            else None
        ),
        counts=np.array(
            [len(frame), frame["gain"].count(), frame["conf_low"].count(), cells.counted.sum()]
        ),
        reasons={str(reason): int(n) for reason, n in reasons.items() if n},
        precision=_sum_precision(frame),
    )


def sum_left_out(
    given: tuple[Setup, frozenset[Place]], piece: Piece
) -> list[tuple[Place, str, Moments]]:
    """Sum the normal equations of a few places' villages: by place, with its group's name."""
    setup, wanted = given
    panel = setup.read(piece)
    design = setup.design(panel)
    places, names = local_places(panel, setup.level)
    groups = setup.group_names(panel)
    found = []
    for code, name in enumerate(names):
        if name in wanted:
            rows = np.flatnonzero(places == code)
            group = groups[int(design.group[rows[0]])]
            found.append((name, group, design.moments(rows)))
    return found


def _sum_kinds(cells: TreatedCells, kinds: KindCodes) -> tuple[npt.NDArray[np.intp], Floats]:
    ones = np.ones(cells.counted.shape)
    squares = cells.weights**2
    whole = cells.weights.sum(axis=1, keepdims=True) * ones
    columns = [
        kinds.sum(column)
        for column in (
            ones, cells.weights * cells.gains, squares, squares * cells.gains, whole, whole**2
        )
    ]  # fmt: skip
    there = np.flatnonzero(columns[0] > 0)
    return there, np.stack(columns, axis=1)[there]


def _sum_scores(fit: Counterfactual, places: npt.NDArray[np.intp], n: int) -> Floats:
    scores = np.zeros((n, fit.system.values.shape[1]))
    for rows in group_rows(fit.design.group):
        own, inner = np.unique(places[rows], return_inverse=True)
        number = np.empty(len(places), dtype=np.intp)
        number[rows] = inner
        scores[own] += fit.sum_scores(rows, number, len(own))
    return scores


def _sum_shocks(fit: Counterfactual, places: npt.NDArray[np.intp], n: int) -> Floats:
    never = np.flatnonzero(np.isnan(fit.design.cohort))
    sums = sum_shocks(fit.excess[never], fit.design.own[never], places[never], n)
    return np.concatenate([sums.pairs, sums.sums, sums.products], axis=2)


def _sum_precision(frame: pd.DataFrame) -> Floats:
    variance = frame["variance"].to_numpy(np.float64)
    known = np.isfinite(variance)
    own = variance[known]
    with np.errstate(divide="ignore"):
        logs = np.log(np.sqrt(own))
    gains = frame["gain"].to_numpy(np.float64)[known]
    return np.array(
        [
            known.sum(), logs.sum(), gains.sum(),
            own.min(initial=np.inf), own.max(initial=-np.inf),
        ]
    )  # fmt: skip


def _write_part(frame: pd.DataFrame, path: Path) -> None:
    frame = frame.reset_index()[COLUMNS].astype({"cohort": np.int64})
    table = pa.Table.from_pandas(frame, preserve_index=False)
    # Beside, then moved: a task that is done twice writes the same file.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    feather.write_feather(table, str(beside), compression="lz4")
    beside.replace(path)
