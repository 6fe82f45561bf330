"""Whose money it was and how far it got: leverage, execution, cost per job."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd

from evaluation.bounds import Bounds
from evaluation.data.ledger import FundingLedger
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.errors import DesignError
from evaluation.language import mark, say

_JOBS = {
    (False, False): mark("gross, head count"), (False, True): mark("gross, full time"),
    (True, False): mark("net, head count"), (True, True): mark("net, full time"),
}  # fmt: skip
"""How jobs are counted, by whether some are taken off, and whether heads are full time."""


def measure_leverage(
    ledger: FundingLedger, *, stage: Stage = "received", role: Role = "source"
) -> pd.DataFrame:
    """Give other money per fiscal yuan, by county and in all.

    Returns
    -------
    DataFrame indexed by county, "all" last: the money of each source; social and
    dispatching_unit per fiscal yuan; both, as Bounds: from the larger of the two, if one is
    part of the other, to their sum, if nothing is booked twice. NaN and None where there is no
    fiscal money.

    Notes
    -----
    Recorded leverage is arithmetic: it does not say that fiscal money drew the other in.
    """
    rows = ledger.select(stage=stage, role=role)
    table = rows.pivot_table(index="county", columns="source", values="amount", aggfunc="sum")
    table = table.reindex(columns=list(get_args(FundSource))).fillna(0.0)
    table.columns.name = None
    larger = table[["social", "dispatching_unit"]].max(axis=1)
    table.loc["all"] = table.sum()
    larger["all"] = larger.sum()  # one can be part of the other within a county alone
    fiscal = table["fiscal"].where(table["fiscal"] > 0)
    for name in ("social", "dispatching_unit"):
        table[f"{name}_per_fiscal"] = table[name] / fiscal
    most = table["social"] + table["dispatching_unit"]
    least = np.minimum(larger, most)  # but for rounding it is no more
    both = [
        None if np.isnan(f) else Bounds(a, b) / Bounds.exactly(float(f))
        for f, a, b in zip(fiscal, least, most, strict=True)
    ]
    table["both_per_fiscal"] = pd.Series(both, index=table.index, dtype=object)
    return table


def measure_execution(
    ledger: FundingLedger, *, role: Role = "source", by: Literal["county", "source"] = "county"
) -> pd.DataFrame:
    """Give how far money got, by county or source and in all.

    Returns
    -------
    DataFrame: committed, received and spent, as far as the ledger has them; received_share (of
    the committed), spent_share (of the received). NaN where the ledger lacks a stage or it is
    zero.
    """
    rows = ledger.entries[ledger.entries["role"] == role]
    if rows.empty:
        raise DesignError(f"{ledger.source}: no money with the role {role}.")
    table = rows.pivot_table(index=by, columns="stage", values="amount", aggfunc="sum")
    recorded = table.notna().any()
    table = table.reindex(columns=list(get_args(Stage)))
    table.columns.name = None
    table.loc["all"] = table.sum(min_count=1)
    for name in recorded.index[recorded]:
        table[name] = table[name].fillna(0.0)
    for later, earlier in (("received", "committed"), ("spent", "received")):
        table[f"{later}_share"] = table[later] / table[earlier].where(table[earlier] > 0)
    return table


def measure_cost_per_job(
    ledger: FundingLedger,
    projects: pd.DataFrame,
    *,
    stage: Stage = "spent",
    role: Role = "source",
    displaced: float = 0.0,
    full_time: float = 1.0,
) -> pd.DataFrame:
    """Give money per job of the projects whose jobs are known, by county and in all.

    Parameters
    ----------
    projects
        As `StudyData.projects` has them: village, county, project, jobs.
    displaced
        The share of jobs that would be there anyway, or are lost elsewhere: 0 counts gross
        jobs.
    full_time
        Full-time jobs that one counted head stands for: 1 counts heads.

    Returns
    -------
    DataFrame indexed by county, "all" last: n_projects, jobs, money (of these projects alone),
    per_job; money_without_jobs (of projects whose jobs are not known, and of none); and
    ``attrs["jobs"]``, such as "gross, head count".

    Raises
    ------
    DesignError
        If shares are out of range, or no project with jobs has money under its name.

    Notes
    -----
    A project is known by its name and county, as pooled money names no village; its jobs are
    known if they are in all of its rows.
    """
    if not (0 <= displaced < 1 and 0 < full_time <= 1):
        raise DesignError(
            say(
                "displaced is {displaced}, full_time {full_time}; give shares, displaced below "
                "1, full_time above 0.",
                displaced=displaced, full_time=full_time,
            )
        )  # fmt: skip
    rows = ledger.select(stage=stage, role=role)
    groups = projects[projects["project"] != ""].groupby(["county", "project"])
    known = groups["jobs"].agg(lambda jobs: jobs.sum(skipna=False)).dropna()
    key = pd.MultiIndex.from_frame(rows[["county", "project"]])
    has_jobs = key.isin(known.index)
    if not has_jobs.any():
        raise DesignError(
            say(
                "{file}: no project with jobs has money {stage} under its name; name projects "
                "alike in both files (ledger.project, projects.project).",
                file=ledger.source, stage=say(stage),
            )
        )  # fmt: skip
    paid = known[known.index.isin(key)]
    table = pd.DataFrame(
        {
            "n_projects": paid.groupby("county").size(),
            "jobs": paid.groupby("county").sum() * (1 - displaced) * full_time,
            "money": rows[has_jobs].groupby("county")["amount"].sum(),
            "money_without_jobs": rows[~has_jobs].groupby("county")["amount"].sum(),
        }
    ).fillna(0.0)
    table.loc["all"] = table.sum()
    table["per_job"] = table["money"] / table["jobs"].where(table["jobs"] > 0)
    table.attrs["jobs"] = say(_JOBS[displaced > 0, full_time < 1])
    return table
