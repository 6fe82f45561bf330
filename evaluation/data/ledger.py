"""FundingLedger: whose money reached which village, when, for what, and how far it got."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from evaluation.data.panel import Floats, VillagePanel
from evaluation.data.problems import Problem
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.display import ShowsSummary
from evaluation.errors import DesignError, suggest
from evaluation.language import commas, say

COLUMNS = (
    "village", "town", "county", "year", "project", "source", "stage", "role", "amount",
    "shared", "row",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FundingLedger(ShowsSummary):
    """Money by village (or town or county, where it is pooled), year, project, source, stage.

    Attributes
    ----------
    entries
        One row an amount: village (the panel's key, '' where the money is pooled and was not
        shared out), town, county, year, project, source (fiscal, dispatching_unit, social,
        credit, own), stage (committed, received, spent), role (source or use), amount in real
        units of the currency, shared (whether it is a share of pooled money, by the declared
        rule), row (of the file).
    shared_by
        The rule by which pooled money was shared out, if any.
    price_year
        Whose prices amounts are in; None where they are nominal.
    source
        The name of the file.
    problems
        What was found on reading, errors apart.

    Notes
    -----
    Uses (投入) and sources (争取) may be the same money: methods take one role and never add
    the two. Stages are how far the same money got: methods take one stage.
    """

    entries: pd.DataFrame
    shared_by: str | None
    price_year: int | None
    source: str
    problems: tuple[Problem, ...] = ()

    def summary(self) -> str:
        """Say in a line what the ledger holds."""
        entries, shares = self.entries, int(self.entries["shared"].sum())
        return (
            f"{len(entries):,} amounts, sources "
            f"{', '.join(sorted(entries['source'].unique()))}; stages "
            f"{', '.join(sorted(entries['stage'].unique()))}; "
            f"{int((entries['village'] == '').sum()):,} of them pooled"
            + (f"; {shares:,} shares of pooled money, by {self.shared_by}" if shares else "")
        )

    def select(
        self,
        *,
        stage: Stage = "received",
        role: Role = "source",
        sources: Sequence[FundSource] = (),
    ) -> pd.DataFrame:
        """Give the entries of one stage and role, of all sources or of those named.

        Raises
        ------
        DesignError
            If the ledger has no entry of that stage and role, or a source is not known.
        """
        for name in sources:
            if name not in get_args(FundSource):
                raise DesignError(f"no source {name!r}; {suggest(name, get_args(FundSource))}")
        rows = self.entries[(self.entries["stage"] == stage) & (self.entries["role"] == role)]
        if rows.empty:
            has = self.entries[["stage", "role"]].drop_duplicates().itertuples(index=False)
            listed = commas(f"{say(str(row.stage))} ({say(str(row.role))})" for row in has)
            raise DesignError(
                say(
                    "{file}: no money {stage} with the role {role}; it has {listed}.",
                    file=self.source,
                    stage=say(stage),
                    role=say(role),
                    listed=listed,
                )
            )
        return rows[rows["source"].isin(sources)] if sources else rows

    def to_matrix(
        self,
        panel: VillagePanel,
        *,
        stage: Stage = "received",
        role: Role = "source",
        sources: Sequence[FundSource] = (),
    ) -> Floats:
        """Give money by village and year of a panel (N x T, real units).

        A village and year without an entry has 0: a ledger lists money, not its absence.
        Money that is pooled and not shared out, or of other years, is in no cell.
        """
        rows = self.select(stage=stage, role=role, sources=sources)
        village = panel.villages.index.get_indexer(pd.Index(rows["village"]))
        year = pd.Index(panel.years).get_indexer(pd.Index(rows["year"]))
        inside = (village >= 0) & (year >= 0)
        matrix = np.zeros((panel.n_villages, len(panel.years)))
        amounts = rows["amount"].to_numpy(np.float64)
        np.add.at(matrix, (village[inside], year[inside]), amounts[inside])
        return matrix

    def totals(
        self,
        by: Sequence[str] = ("county", "source"),
        *,
        stage: Stage = "received",
        role: Role = "source",
    ) -> pd.DataFrame:
        """Sum the money of one stage and role by columns of the entries; pooled money too."""
        rows = self.select(stage=stage, role=role)
        return rows.groupby(list(by), sort=True)[["amount"]].sum().reset_index()
