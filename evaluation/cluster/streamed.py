"""StreamedGains: what an estimate on a panel larger than memory gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.cluster.posteriors import Shrinkage
from evaluation.display import ShowsSummary
from evaluation.errors import DesignError, suggest
from evaluation.gains.options import Cluster, GainOptions


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StreamedGains(ShowsSummary):
    """Gains of treated villages, written in parts, and their averages.

    Attributes
    ----------
    folder
        Where the parts are: part-*.parquet, a row a treated village, in order.
    options, cluster
        How gains were estimated, and the level that errors of averages are clustered at.
    averages
        By what was averaged over; see `by`.
    shrinkage
        How gains were shrunken.
    n_rows, n_villages, n_pieces
        Of the panel.
    n_treated, n_gains, n_intervals
        Treated villages, and those with a gain, with an interval.
    n_cells_left_out
        Village-years with an outcome that were left out as a covariate is unknown.
    n_placebos
        Comparison villages that serve as placebos.
    reasons
        How many villages have no gain or no interval, by the reason.
    """

    folder: Path
    options: GainOptions
    cluster: Cluster
    averages: Mapping[str, pd.DataFrame] = field(repr=False)
    shrinkage: Shrinkage
    n_rows: int
    n_villages: int
    n_pieces: int
    n_treated: int
    n_gains: int
    n_intervals: int
    n_cells_left_out: int
    n_placebos: int
    reasons: Mapping[str, int]

    @property
    def att(self) -> pd.Series[Any]:
        """The mean gain over all treated village-years, as a row of `by`."""
        return self.by("programme").iloc[0]

    def by(self, by: str = "programme") -> pd.DataFrame:
        """Give average gains by programme, cohort, year, event_time or county.

        Counties are compared where they are known, no more than 5,000, and year effects are
        common.

        Returns
        -------
        DataFrame as `IncomeGains.by` gives it.

        Raises
        ------
        DesignError
            If there are no such averages.
        """
        if by not in self.averages:
            raise DesignError(f"no averages by {by!r}; {suggest(by, self.averages)}")
        return self.averages[by].copy()

    def event_study(self) -> pd.DataFrame:
        """Give mean gains by years since treatment; nothing before it."""
        return self.by("event_time").assign(period="after")

    def read(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Read the villages, or some of their columns, as far as memory allows."""
        parts = sorted(self.folder.glob("part-*.parquet"))
        frame = pd.concat(
            [
                pd.read_parquet(part, columns=list(columns) if columns else None)
                for part in parts
            ],
            ignore_index=True,
        )
        return frame

    def summary(self) -> str:
        """Say in a few lines what was found, and how."""
        att, options = self.att, self.options
        interval = (
            f"{1 - options.alpha:.0%} interval {att['conf_low']:,.4g} to "
            f"{att['conf_high']:,.4g}, {att['method']}, {att['n_clusters']} clusters"
            if np.isfinite(att["conf_low"])
            else f"no interval: {att['reason']}"
        )
        effects = {"common": "common year effects", "county": "year effects by county"}
        return "\n".join(
            [
                f"{self.n_treated:,} treated villages of {self.n_villages:,}: "
                f"{self.n_gains:,} with a gain, {self.n_intervals:,} with an interval, in "
                f"{self.folder}",
                f"mean gain over {att['n_cells']:,} village-years: {att['estimate']:,.4g} "
                f"({interval})",
                f"imputation from {options.comparison.replace('_', ' ')} villages, "
                f"{effects[options.year_effects]}; {self.n_rows:,} rows in {self.n_pieces:,} "
                "pieces",
                *(f"{n:,} villages: {reason}" for reason, n in self.reasons.items() if reason),
            ]
        )
