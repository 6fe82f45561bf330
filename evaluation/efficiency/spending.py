"""The programme's money by treated village, and what of the ledger is left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.money import parse_money
from evaluation.data.panel import Bools, VillagePanel
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.errors import DesignError
from evaluation.language import commas, mark, say

NO_TYPE = mark("no type over half")
"""What villages are called whose money no type of project took most of."""

POOLED = mark("pooled for a place, and not shared out")
"""Why money is left out that may have been the villages' all the same."""
_EARLY = mark("before the village's first treated year")

_SAID = (
    *(mark("fiscal"), mark("dispatching_unit"), mark("social"), mark("credit"), mark("own")),
)
"""The names of sources, said in reasons."""

NO_GAIN = mark("money, but no gain")
"""Why a village with money is in no ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Money of one stage and role, by treated village.

    Attributes
    ----------
    villages
        One row a treated village, index "village": money (real units of the currency, as a
        present value if ``discount_rate`` is above zero), a column for each source, n_entries,
        0 where the ledger has none, and n_before, of entries from before it was treated.
    entries
        The ledger's rows that make them up, with ``present``, their present value.
    left_out
        Money of the same stage and role that is in no village's: reason, n_entries,
        n_villages, money.
    stage, role, sources
        What was selected; no sources: all.
    first_year
        The year that is discounted to: the earliest cohort's.
    """

    villages: pd.DataFrame
    entries: pd.DataFrame
    left_out: pd.DataFrame
    stage: Stage
    role: Role
    sources: tuple[FundSource, ...]
    first_year: int


def match_spending(
    panel: VillagePanel,
    ledger: FundingLedger,
    *,
    stage: Stage = "spent",
    role: Role = "source",
    sources: Sequence[FundSource] = (),
    discount_rate: float = 0.0,
) -> Spending:
    """Sum a ledger's money by treated village, from its first treated year on.

    Parameters
    ----------
    panel, ledger
        Their money must be in the same currency's prices of the same year.
    stage, role, sources
        One stage and one role, since stages and roles may be the same money.
    discount_rate
        A year, from the earliest cohort's year on.

    Returns
    -------
    Spending. Money before a village's first treated year, after the panel's last year, of
    villages that are never treated or not in the panel, or pooled and not shared out is in no
    village's, and is counted with its reason.

    Raises
    ------
    DesignError
        If the ledger has no such money, an amount of it is negative or missing, the panel and
        the ledger are in other units, or no village is treated.
    """
    check_money(panel, ledger)
    if not -1 < discount_rate < np.inf:
        raise DesignError(
            f"discount_rate is {discount_rate}; give a rate a year, such as 0.05."
        )
    treated = panel.villages.index[panel.cohort <= panel.years[-1]]
    if treated.empty:
        raise DesignError(say("no village of the panel is treated: nobody's money to look at."))
    rows = ledger.select(stage=stage, role=role, sources=sources).reset_index(drop=True)
    _check_amounts(rows, ledger.source)
    cohort = panel.villages["cohort"].reindex(pd.Index(rows["village"])).to_numpy(float)
    pooled = (rows["village"] == "").to_numpy()
    unknown = ~rows["village"].isin(panel.villages.index).to_numpy()
    year = rows["year"].to_numpy()
    first_year = int(np.nanmin(panel.cohort))
    with np.errstate(invalid="ignore"):
        cases: dict[str, Bools] = {
            POOLED: pooled,
            mark("of villages that the panel does not have"): unknown,
            mark("of villages that are never treated"): np.isnan(cohort),
            mark("of years after the panel's last"): year > panel.years[-1],
            mark("of villages treated after the panel's last year"): (cohort > panel.years[-1]),
            _EARLY: year < cohort,
        }
    names = np.array(["", *cases])
    reason = names[np.select(list(cases.values()), range(1, len(cases) + 1), default=0)]
    rows["present"] = rows["amount"] * (1 + discount_rate) ** -(year - first_year)
    kept, rest = rows.loc[reason == ""], rows.assign(reason=reason).loc[reason != ""]
    by_source = kept.pivot_table(
        index="village", columns="source", values="present", aggfunc="sum", fill_value=0.0
    )
    villages = by_source.reindex(treated).fillna(0.0)
    villages.columns.name = None
    villages.insert(0, "money", villages.sum(axis=1))
    villages["n_entries"] = (
        kept.groupby("village").size().reindex(treated).fillna(0).astype(int)
    )
    early = rest.loc[rest["reason"] == _EARLY].groupby("village").size()
    villages["n_before"] = early.reindex(treated).fillna(0).astype(int)
    villages.index.name = "village"
    return Spending(
        villages=villages,
        entries=kept,
        left_out=_count_left_out(rest),
        stage=stage,
        role=role,
        sources=tuple(sources),
        first_year=first_year,
    )


def check_money(panel: VillagePanel, ledger: FundingLedger) -> None:
    """Raise a DesignError unless prices of the panel and the ledger are of the same year.

    A panel whose outcome is no money has no prices to differ.
    """
    is_money = parse_money(panel.variables[panel.outcome].unit) is not None
    if (is_money or panel.price_year is not None) and panel.price_year != ledger.price_year:
        income, money = (
            say("prices of {year}", year=year) if year else say("nominal money")
            for year in (panel.price_year, ledger.price_year)
        )
        raise DesignError(
            say(
                "incomes are in {income}, {file} in {money}; deflate both to one year "
                "(prices.base_year in study.yml).",
                income=income, file=ledger.source, money=money,
            )
        )  # fmt: skip


def why_not_counted(spending: Spending) -> pd.Series[str]:
    """Say of each treated village why it is in no ratio; '' for those with money."""
    frame = spending.villages
    reasons = np.array(
        [
            "",
            mark("its money is zero"),
            mark("its money is from before it was treated"),
            mark("no money in the ledger"),
        ]
    )
    cases = [frame["money"] > 0, frame["n_entries"] > 0, frame["n_before"] > 0]
    reason = reasons[np.select(cases, [0, 1, 2], default=3)]
    return pd.Series(reason, index=frame.index, dtype="str")


def main_types(spending: Spending, projects: pd.DataFrame | None) -> pd.Series[str]:
    """Name the type of project that took over half of each village's money.

    Parameters
    ----------
    projects
        As `StudyData.projects` has them.

    Returns
    -------
    Series by village with money; `NO_TYPE` for the others.

    Raises
    ------
    DesignError
        If no money is under the name of a project whose type is known.
    """
    entries = spending.entries
    found = entries.assign(type=name_types(entries, projects))
    found = found[found["type"] != ""]
    if found.empty:
        raise DesignError(
            say(
                "no money is under the name of a project whose type is known; name projects "
                "alike in the ledger and in projects, and give projects.type."
            )
        )
    shares = found.pivot_table(index="village", columns="type", values="present", aggfunc="sum")
    money = entries.groupby("village")["present"].sum()
    shares = shares.reindex(money.index).div(money, axis=0).fillna(0.0)
    names = shares.idxmax(axis=1).where(shares.max(axis=1) > 0.5, NO_TYPE)
    return names.astype("str").rename("type")


def name_types(entries: pd.DataFrame, projects: pd.DataFrame | None) -> list[str]:
    """Give each ledger row's type of project, '' where there is none, or several.

    A project is known by its name and county, as pooled money names no village.
    """
    if projects is None:
        return [""] * len(entries)
    named = projects[(projects["type"] != "") & (projects["project"] != "")]
    types = named[["county", "project", "type"]].drop_duplicates()
    types = types.drop_duplicates(["county", "project"], keep=False)
    of = types.set_index(["county", "project"])["type"].to_dict()
    return [of.get(key, "") for key in zip(entries["county"], entries["project"], strict=True)]


def _check_amounts(rows: pd.DataFrame, source: str) -> None:
    wrong = rows[~((rows["amount"] >= 0) & (rows["amount"] < np.inf))]
    if len(wrong):
        named = commas(
            say("row {row} ({amount})", row=row.row, amount=row.amount)
            for row in wrong[:5].itertuples()
        )
        raise DesignError(
            say(
                "{file}: {n:,} amounts are negative or missing: {rows}; book a refund against "
                "the entry that it corrects, and leave out what is not known.",
                file=source, n=len(wrong), rows=named,
            )
        )  # fmt: skip


def _count_left_out(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby("reason", sort=False)
    return pd.DataFrame(
        {
            "n_entries": groups.size(),
            "n_villages": groups["village"].agg(lambda names: names[names != ""].nunique()),
            "money": groups["amount"].sum(),
        }
    ).reset_index()
