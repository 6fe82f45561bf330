"""Gain per yuan: sums of gains over sums of money."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import pandas as pd

from evaluation.claims.table import ClaimTable
from evaluation.data.ledger import FundingLedger
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.efficiency.claimed import ClaimedEfficiency, claimed_efficiency
from evaluation.efficiency.fieller import add_sets
from evaluation.efficiency.funding import FundingEfficiency, Horizon
from evaluation.efficiency.spending import NO_GAIN, match_spending, why_not_counted
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import commas, mark, say, sentences

_NOT_EXACT = mark(
    "single villages have an interval for mean gains in levels alone, not discounted ones"
)


@overload
def funding_efficiency(gains: ClaimTable) -> ClaimedEfficiency: ...
@overload
def funding_efficiency(
    gains: IncomeGains,
    ledger: FundingLedger,
    *,
    sources: Sequence[FundSource] = ...,
    stage: Stage = ...,
    role: Role = ...,
    horizon: Horizon = ...,
    discount_rate: float = ...,
    money_error: float = ...,
) -> FundingEfficiency: ...
def funding_efficiency(
    gains: IncomeGains | ClaimTable,
    ledger: FundingLedger | None = None,
    *,
    sources: Sequence[FundSource] = (),
    stage: Stage = "spent",
    role: Role = "source",
    horizon: Horizon = "annual",
    discount_rate: float = 0.0,
    money_error: float = 0.0,
) -> FundingEfficiency | ClaimedEfficiency:
    """Say how much income was gained for each yuan of the programme's money.

    Parameters
    ----------
    gains
        Estimated gains; or a table of published claims, whose ratios are then bounds.
    ledger
        The money that goes with estimated gains; claims hold their own.
    sources, stage, role
        Whose money counts (all sources by default), how far it got, and whether sources or
        uses of money are taken; stages and roles may be the same money and are never added.
    horizon
        "annual": a village's mean gain a year over all its money; "cumulative": the sum of its
        yearly gains in the years observed over the same money.
    discount_rate
        A year, of gains and money, from the first cohort's year on; with "cumulative" alone.
    money_error
        The relative standard deviation with which a village's money is measured, such as 0.1,
        independently between villages; 0 takes money as known.

    Returns
    -------
    FundingEfficiency; ClaimedEfficiency for claims.

    Raises
    ------
    DesignError
        If the ledger has no such money or is in prices of another year, no village has both
        a gain and money, or an option is not one.

    Notes
    -----
    The ratio is of sums, sum_i G_i / sum_i M_i: what the average yuan bought. It is the mean
    of villages' G_i / M_i weighted by their money; the unweighted mean is what the average
    village got for a yuan, and has no bound where a village got next to none. With money
    known, the set of the ratio is the interval of the sum of gains over the money; with errors
    of money it is Fieller's (see `fieller_set`), the sum of gains being taken as normal with
    an interval of the same width. Villages without money, whose gains would cost nothing, are
    in no ratio but in a group of their own, and so is money without a gain. Not identified by
    a ratio: what one more yuan would bring (see `estimate_dose_response`).

    Examples
    --------
    >>> from evaluation import Study, estimate_gains, load_data
    >>> data = load_data(Study.load("data/jining_simulated"))
    >>> found = funding_efficiency(estimate_gains(data.panel), data.ledger)
    >>> print(round(found.by("county").loc["鱼台县", "per_yuan"], 4))
    0.0161
    """
    if isinstance(gains, ClaimTable):
        if ledger is not None:
            raise DesignError("claims state their own money; leave the ledger out.")
        return claimed_efficiency(gains)
    if not isinstance(gains, IncomeGains):
        raise DesignError(
            f"gains are a {type(gains).__name__}; give those of estimate_gains, or claims."
        )
    if not isinstance(ledger, FundingLedger):
        raise DesignError("gains need a ledger; give the study's, load_data(study).ledger.")
    if gains.panel.variables[gains.panel.outcome].per_head:
        raise DesignError(
            say(
                "{outcome} is per head, money of whole villages: their ratio is no return. "
                "Give the villages' total, or take the dose (estimate_dose_response).",
                outcome=gains.panel.outcome,
            )
        )
    check_options(horizon, discount_rate, money_error)
    panel = gains.panel
    if not np.isfinite(gains.yuan).any():
        raise DesignError(
            say(
                "gains in {unit} cannot be brought back to a level: there is no gain per yuan. "
                "Name the unit of the outcome's level (panel.outcomes in study.yml).",
                unit=gains.unit,
            )
        )
    spending = match_spending(
        panel, ledger, stage=stage, role=role, sources=sources, discount_rate=discount_rate
    )
    weights = _cell_weights(gains, horizon, discount_rate, spending.first_year)
    rows = panel.villages.index[gains.cells.rows]
    totals = pd.Series((weights * np.nan_to_num(gains.yuan)).sum(axis=1), index=rows)
    frame = gains.villages[["county", "town", "cohort"]].copy()
    frame["gain"] = totals.reindex(frame.index)
    frame["money"] = spending.villages["money"].reindex(frame.index)
    group = why_not_counted(spending).reindex(frame.index)
    frame["group"] = group.mask((group == "") & frame["gain"].isna(), NO_GAIN)
    counted = frame["group"] == ""
    if not counted.any():
        left_out = spending.left_out.itertuples()
        parts = commas(f"{row.money:,.0f} {say(str(row.reason))}" for row in left_out)
        raise DesignError(
            sentences(
                say(
                    "{file}: no village with a gain has money {stage}; look at the keys of "
                    "villages and at the years, or take another stage.",
                    file=ledger.source, stage=say(stage),
                ),
                say("Left out: {parts}.", parts=parts) if parts else "",
            )
        )  # fmt: skip
    exact = panel.analysis.form == "level" and discount_rate == 0
    times = gains.villages["n_treated"] if horizon == "cumulative" else 1
    for end in ("conf_low", "conf_high"):
        frame[end] = gains.villages[end] * times if exact else np.nan
    reason = gains.villages["reason"].astype("str")
    reason = reason if exact else reason.mask(reason == "", say(_NOT_EXACT))
    frame["reason"] = frame["group"].where(~counted, reason)
    frame["money_sd"] = _money_sd(frame["money"], money_error)
    return FundingEfficiency(
        gains=gains,
        spending=spending,
        villages=add_sets(frame, counted=counted, alpha=gains.options.alpha),
        weights=weights,
        horizon=horizon,
        discount_rate=discount_rate,
        money_error=money_error,
    )


def check_options(horizon: str, discount_rate: float, money_error: float) -> None:
    """Raise a DesignError if an option of `funding_efficiency` is not one."""
    if horizon not in ("annual", "cumulative"):
        raise DesignError(f"horizon is {horizon!r}; give annual or cumulative.")
    if discount_rate and horizon == "annual":
        raise DesignError(
            "discount_rate goes with horizon='cumulative': a mean gain a year has no date to "
            "discount it from."
        )
    if not 0 <= money_error < 1:
        raise DesignError(
            f"money_error is {money_error}; give a relative standard deviation from 0 to 1, "
            "such as 0.1."
        )


def _cell_weights(
    gains: IncomeGains, horizon: Horizon, discount_rate: float, first_year: int
) -> Floats:
    """Say how often each treated cell's gain counts in its village's sum, n x T."""
    counted = gains.cells.counted
    if horizon == "annual":
        return np.asarray(counted / counted.sum(axis=1, keepdims=True))
    present = (1 + discount_rate) ** -(gains.panel.years - first_year).astype(float)
    return np.where(counted, present, 0.0)


def _money_sd(money: pd.Series[float], error: float) -> pd.Series[float]:
    """Give the sd of amounts measured with a relative error; E M^2 = (1 + error^2) m^2."""
    sd: pd.Series[float] = money * error / np.sqrt(1 + error**2)
    return sd
