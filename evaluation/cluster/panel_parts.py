"""Some villages of a panel as the estimation takes them: a piece of it, or a sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.cluster.piece_reader import PieceOfPanel, read_piece
from evaluation.cluster.pieces import PanelPlan, Piece
from evaluation.data.panel import VillagePanel
from evaluation.gains.design import build_design
from evaluation.gains.imputation import Design
from evaluation.gains.options import Cluster, GainOptions

Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What every pass over the pieces goes by.

    Attributes
    ----------
    plan, options
        The pieces, and how gains are estimated.
    years
        The T years in which some village has a row.
    fixed
        The covariates that never change in a village.
    level
        The level that sums are kept by: county, or town within its county.
    """

    plan: PanelPlan
    options: GainOptions
    years: npt.NDArray[np.int64]
    fixed: frozenset[str] = frozenset()
    level: Cluster = "county"

    def read(self, piece: Piece) -> VillagePanel:
        """Read a piece as a panel of its villages."""
        return as_panel(read_piece(self.plan, piece, use_threads=False), self)

    def design(self, panel: VillagePanel) -> Design:
        """Give the design of some villages; groups are numbered as they come up here."""
        return build_design(panel, panel.matrix(), self.options, fixed_names=self.fixed)

    def group_names(self, panel: VillagePanel) -> list[str]:
        """Name the design's groups, in order: counties, or "" for all villages."""
        if self.options.year_effects == "county":
            return [str(name) for name in panel.villages["county"].unique()]
        return [""]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Villages with the smallest hashes of their keys, and the hashes, ascending."""

    hashes: npt.NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    panel: VillagePanel | None = None

    def __len__(self) -> int:
        return len(self.hashes)


def join_samples(samples: Sequence[Sample], most: int) -> Sample:
    """Give the smallest hashes of several samples."""
    some = [sample for sample in samples if sample.panel is not None]
    if not some:
        return Sample()
    hashes = np.concatenate([sample.hashes for sample in some])
    order = np.argsort(hashes, kind="stable")[:most]
    panel = join_villages([sample.panel for sample in some if sample.panel is not None])
    return Sample(hashes=hashes[order], panel=take_villages(panel, order))


def as_panel(piece: PieceOfPanel, setup: Setup) -> VillagePanel:
    """Make a panel of a piece: its villages, in the years that some village has a row in."""
    n = piece.n_villages
    places = {
        name: pd.array(values, dtype="str") if len(values) else np.full(n, "", dtype=object)
        for name, values in (("county", piece.county), ("town", piece.town))
    }
    villages = pd.DataFrame(
        {name: pd.Series(values, dtype="str") for name, values in places.items()}
        | {"cohort": piece.cohort}
    )
    villages.index = pd.Index(pd.array(piece.village, dtype="str"), name="village")
    matrices, rows = dict(piece.matrices), piece.rows
    if len(setup.years) < len(piece.years):
        at = np.searchsorted(piece.years, setup.years)
        matrices = {name: values[:, at] for name, values in matrices.items()}
        rows = rows[:, at]
    return VillagePanel(
        villages=villages,
        years=setup.years,
        matrices=matrices,
        variables={},
        outcome=setup.plan.columns.outcome,
        rows=rows,
        hedged=pd.DataFrame(),
        weights=setup.options.weights,
    )


def take_villages(panel: VillagePanel, rows: Positions) -> VillagePanel:
    """Give some of a panel's villages."""
    return replace(
        panel,
        villages=panel.villages.iloc[rows],
        matrices={name: values[rows] for name, values in panel.matrices.items()},
        rows=panel.rows[rows],
    )


def join_villages(panels: Sequence[VillagePanel]) -> VillagePanel:
    """Put panels of different villages together."""
    first = panels[0]
    return replace(
        first,
        villages=pd.concat([panel.villages for panel in panels]),
        matrices={
            name: np.concatenate([panel.matrices[name] for panel in panels])
            for name in first.matrices
        },
        rows=np.concatenate([panel.rows for panel in panels]),
    )
