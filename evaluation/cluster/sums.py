"""The first pass: what each piece of a panel adds to the sums that an estimate follows from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.cluster.keyed_sums import (
    KINDS,
    KeyedSums,
    KindCodes,
    Place,
    Places,
    local_places,
)
from evaluation.cluster.panel_parts import Sample, Setup, join_samples, take_villages
from evaluation.cluster.piece_reader import read_piece
from evaluation.cluster.pieces import Piece
from evaluation.data.panel import VillagePanel
from evaluation.gains.design import never_changes
from evaluation.gains.imputation import Design, group_rows
from evaluation.gains.moments import Bools, Floats, Moments
from evaluation.gains.placebos import (
    MOST_PLACEBOS,
    Keys,
    find_patterns,
    hash_villages,
    n_needed,
    smallest_hashes,
    to_keys,
)
from evaluation.gains.targets import sum_targets
from evaluation.gains.villages import find_cells

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSums:
    """Sums over a piece's treated cells that a gain is expected of, by place and kind.

    Attributes
    ----------
    place, kind
        r: the place, as the piece numbers it, and the kind.
    values
        r x 2 (2 + P): with villages' weights, then with their squares, the sum of weights, of
        outcomes less levels, and the loads of year effects and slopes.
    treated
        Places with such cells, in the order in which these come up.
    patterns
        The patterns of years there are.
    """

    place: Codes
    kind: Codes
    values: Floats
    treated: Codes
    patterns: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceSums:
    """What one piece adds.

    Attributes
    ----------
    counts
        Villages, rows, villages treated within the years, cells fitted, and cells left out as
        a covariate is unknown.
    largest
        The largest outcome, whatever its sign.
    years
        T: whether a village has a row.
    moments
        By group.
    places, untreated
        The piece's places, and by place and year the weight of fitted cells.
    cells
        Those that a gain is expected of if the data connect all years.
    never, any
        Samples of villages never treated, and of all: with an untreated year.
    """

    counts: npt.NDArray[np.int64]
    largest: float
    years: Bools
    moments: dict[str, Moments]
    places: list[Place]
    untreated: Floats
    cells: CellSums
    never: Sample
    any: Sample
    has_towns: bool


def find_changing(setup: Setup, piece: Piece) -> set[str]:
    """Name the covariates that change in some village of a piece."""
    read = read_piece(setup.plan, piece, only=setup.options.covariates, use_threads=False)
    return {name for name, matrix in read.matrices.items() if not never_changes(matrix)}


def sum_piece(setup: Setup, piece: Piece) -> PieceSums:
    """Sum over the villages of one piece."""
    panel = setup.read(piece)
    design = setup.design(panel)
    places, names = local_places(panel, setup.level)
    weighted = design.fitted * design.weights[:, None]
    known = np.isfinite(panel.matrix())
    outcome = design.outcome
    never, any_untreated = _draw_samples(panel, design, setup)
    counts = [
        len(outcome), panel.rows.sum(), (design.cohort <= design.years[-1]).sum(),
        design.fitted.sum(), known.sum() - np.isfinite(outcome).sum(),
    ]  # fmt: skip
    return PieceSums(
        counts=np.array(counts, dtype=np.int64),
        largest=float(np.nanmax(np.abs(outcome), initial=0.0)),
        years=np.asarray(panel.rows.any(axis=0)),
        moments={
            name: design.moments(rows)
            for name, rows in zip(
                setup.group_names(panel), group_rows(design.group), strict=True
            )
        },
        places=names,
        untreated=np.stack(
            [np.bincount(places, column, len(names)) for column in weighted.T], axis=1
        ),
        cells=sum_cells(design, expect_gains(design), places, len(names)),
        never=never,
        any=any_untreated,
        has_towns=bool((panel.villages["town"] != "").any()),
    )


def expect_gains(design: Design) -> Bools:
    """Say which cells have a counterfactual if the data connect all years."""
    enough = design.own.sum(axis=1) >= (2 if design.trends else 1)
    return np.asarray(np.isfinite(design.outcome) & enough[:, None])


def sum_cells(
    design: Design, known: Bools, places: npt.NDArray[np.intp], n_places: int
) -> CellSums:
    """Sum over the treated cells of some villages; ``known`` as in `find_cells`."""
    cells = find_cells(design, known)
    kinds = KindCodes.of(cells, places, n_places)
    together = replace(design, group=np.zeros_like(design.group))
    block = design.block(cells.rows, fitted=design.own)
    level = block.absorb(np.where(np.isfinite(block.outcome), block.outcome, 0))
    columns = []
    squared = replace(cells, weights=cells.weights * design.weights[cells.rows, None])
    alike = bool((design.weights == design.weights[:1]).all())
    for weighted in (cells,) if alike else (cells, squared):
        targets = sum_targets(together, weighted, kinds.codes, kinds.n, n_groups=1)
        columns += [targets.totals, kinds.sum(weighted.weights * level), *targets.loads[0]]
    if alike:
        weight = float(design.weights[0]) if len(design.weights) else 1.0
        columns += [column * weight for column in columns]
    there = np.flatnonzero(columns[0] > 0)
    place, kind = kinds.keys(there)
    _, own, used = find_patterns(design.own[cells.rows], cells.counted)
    return CellSums(
        place=place.astype(np.int64),
        kind=kind,
        values=np.stack(columns, axis=1)[there],
        treated=_order_of(kinds.place),
        patterns=to_keys(own, used),
    )


def _order_of(codes: npt.NDArray[np.intp]) -> Codes:
    return np.asarray(pd.unique(codes), dtype=np.int64)


def _draw_samples(panel: VillagePanel, design: Design, setup: Setup) -> tuple[Sample, Sample]:
    """Draw never treated villages and, where they are few, of all with an untreated year."""
    known = design.own.any(axis=1)
    rows = np.flatnonzero(known & np.isnan(design.cohort))
    never = _draw_sample(panel, rows)
    if len(rows) >= n_needed(setup.options.alpha):
        return never, Sample()
    return never, _draw_sample(panel, np.flatnonzero(known))


def _draw_sample(panel: VillagePanel, rows: npt.NDArray[np.intp]) -> Sample:
    if not len(rows):
        return Sample()
    hashes = hash_villages(panel.villages.index[rows].to_numpy(dtype=object))
    kept = smallest_hashes(hashes, MOST_PLACEBOS)
    kept = kept[np.argsort(hashes[kept], kind="stable")]
    return Sample(hashes=hashes[kept], panel=take_villages(panel, rows[kept]))


@dataclass(slots=True, kw_only=True)
class Totals:
    """The sums of all pieces, added in their order.

    Attributes
    ----------
    counts, largest, years, moments
        As of `PieceSums`.
    places
        All places, numbered as they come up.
    untreated, cells
        By place; by place and kind.
    treated
        Places with treated cells, in the order in which these come up.
    patterns
        All patterns of years.
    """

    alpha: float
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(5, dtype=np.int64))
    largest: float = 0.0
    years: Bools | None = None
    moments: dict[str, Moments] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    untreated: KeyedSums = field(default_factory=KeyedSums)
    cells: KeyedSums = field(default_factory=KeyedSums)
    treated: dict[int, None] = field(default_factory=dict)
    patterns: set[bytes] = field(default_factory=set)
    never: Sample = field(default_factory=Sample)
    any: Sample = field(default_factory=Sample)
    has_towns: bool = False

    def add(self, sums: PieceSums) -> None:
        """Add the next piece."""
        self.counts = self.counts + sums.counts
        self.largest = max(self.largest, sums.largest)
        self.years = sums.years if self.years is None else self.years | sums.years
        for name, moments in sums.moments.items():
            known = self.moments.get(name)
            self.moments[name] = moments if known is None else known + moments
        self.untreated.add(self.places.number(sums.places), sums.untreated)
        self.has_towns |= sums.has_towns
        self.never = join_samples([self.never, sums.never], MOST_PLACEBOS)
        if len(self.never) < n_needed(self.alpha):
            self.any = join_samples([self.any, sums.any], MOST_PLACEBOS)
        else:
            self.any = Sample()
        self.add_cells(sums.cells, sums.places)

    def add_cells(self, cells: CellSums, names: list[Place]) -> None:
        """Add the next piece's treated cells."""
        number = self.places.number(names)
        self.cells.add(number[cells.place] * KINDS + cells.kind, cells.values)
        self.treated |= dict.fromkeys(number[cells.treated].tolist())
        self.patterns.update(key.tobytes() for key in cells.patterns)

    def without_cells(self) -> None:
        """Forget the treated cells, to sum them again."""
        self.cells, self.treated, self.patterns = KeyedSums(), {}, set()

    @property
    def sample(self) -> Sample:
        """The villages that serve as placebos."""
        return self.never if len(self.never) >= n_needed(self.alpha) else self.any
