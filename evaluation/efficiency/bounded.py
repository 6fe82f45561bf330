"""Gain per yuan where there are no villages to compare with: bounds under a secular trend."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.panel import VillagePanel
from evaluation.data.study_files import Role, Stage
from evaluation.efficiency.spending import match_spending, why_not_counted
from evaluation.gains.before_after import bound_gains


def bound_efficiency(
    panel: VillagePanel,
    ledger: FundingLedger,
    *,
    trend_max: float,
    stage: Stage = "spent",
    role: Role = "source",
) -> pd.DataFrame:
    """Bound treated villages' before-after change per yuan, by county and in all.

    Parameters
    ----------
    panel, ledger
        Of one study, in prices of the same year.
    trend_max
        How much income may at most have risen on its own, yuan a village and year.
    stage, role
        As in `funding_efficiency`.

    Returns
    -------
    DataFrame indexed by county, "all" last: n_villages with a change and money, n_without,
    money, change_lower and change_upper (sums), lower and upper (what the trend leaves of
    them), and lower_per_yuan, upper_per_yuan.

    Raises
    ------
    DesignError
        As `bound_gains` and `match_spending`.

    Notes
    -----
    A ratio of sums, as in `funding_efficiency`; its numerator is a change, in
    [sum_i (a_i - b_i - trend_max d_i), sum_i (a_i - b_i)], and no effect: see `bound_gains`.
    """
    bounds = bound_gains(panel, trend_max=trend_max).villages
    spending = match_spending(panel, ledger, stage=stage, role=role)
    counted = (why_not_counted(spending) == "").reindex(bounds.index, fill_value=False)
    some = (bounds["reason"] == "") & counted
    ends = ["change_lower", "change_upper", "lower", "upper"]
    frame = (
        bounds[["county", *ends]]
        .where(some)
        .assign(
            county=bounds["county"],
            n_villages=some.astype(int),
            n_without=(~some).astype(int),
            money=spending.villages["money"].reindex(bounds.index).where(some),
        )
    )
    table = frame.groupby("county").sum()
    table.loc["all"] = table.sum()
    per = table["money"].where(table["money"] > 0)
    for end in ("lower", "upper"):
        table[f"{end}_per_yuan"] = np.asarray(table[end] / per)
    return table[
        ["n_villages", "n_without", "money", *ends, "lower_per_yuan", "upper_per_yuan"]
    ]
