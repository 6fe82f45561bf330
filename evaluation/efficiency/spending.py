"""The programme's money by treated village, and what of the ledger is left out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.panel import Bools, VillagePanel
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.errors import DesignError

_SMALL = 1e-9  # of a village's money: what rounding leaves of zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """Money of one stage and role, by treated village.

    Attributes
    ----------
    villages
        One row a treated village, index "village": money (real units of the currency, as a
        present value if ``discount_rate`` is above zero), a column for each source, and
        n_entries, 0 where the ledger has none.
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
    villages that are never treated or pooled and not shared out is in no village's, and is
    counted with its reason.

    Raises
    ------
    DesignError
        If the ledger has no such money, the panel and the ledger are in other units, or no
        village is treated.
    """
    check_money(panel, ledger)
    if discount_rate <= -1:
        raise DesignError(
            f"discount_rate is {discount_rate}; give a rate a year, such as 0.05."
        )
    treated = panel.villages.index[panel.cohort <= panel.years[-1]]
    if treated.empty:
        raise DesignError("no village of the panel is treated: nobody's money to look at.")
    rows = ledger.select(stage=stage, role=role, sources=sources).reset_index(drop=True)
    cohort = panel.villages["cohort"].reindex(pd.Index(rows["village"])).to_numpy(float)
    pooled = (rows["village"] == "").to_numpy()
    year = rows["year"].to_numpy()
    first_year = int(np.nanmin(panel.cohort))
    with np.errstate(invalid="ignore"):
        cases: dict[str, Bools] = {
            "pooled for a place, and not shared out": pooled,
            "of villages that are never treated": np.isnan(cohort),
            "of years after the panel's last": year > panel.years[-1],
            "of villages treated after the panel's last year": cohort > panel.years[-1],
            "before the village's first treated year": year < cohort,
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
    """Raise a DesignError unless prices of the panel and the ledger are of the same year."""
    if panel.price_year is not None and panel.price_year != ledger.price_year:
        raise DesignError(
            f"incomes are in prices of {panel.price_year}, {ledger.source} in "
            f"{f'prices of {ledger.price_year}' if ledger.price_year else 'nominal money'}; "
            "deflate both to one year (prices.base_year in study.yml)."
        )


def why_not_counted(spending: Spending) -> pd.Series[str]:
    """Say of each treated village why it is in no ratio; '' for those with money."""
    frame = spending.villages
    some = frame["money"] > _SMALL * frame["money"].max()
    reason = np.where(
        some,
        "",
        np.where(frame["n_entries"] > 0, "its money is zero", "no money in the ledger"),
    )
    return pd.Series(reason, index=frame.index, dtype="str")


def _count_left_out(rows: pd.DataFrame) -> pd.DataFrame:
    groups = rows.groupby("reason", sort=False)
    return pd.DataFrame(
        {
            "n_entries": groups.size(),
            "n_villages": groups["village"].nunique(),
            "money": groups["amount"].sum(),
        }
    ).reset_index()
