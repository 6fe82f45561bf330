"""Who pays for a programme and who gains: the marginal value of public funds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.efficiency.cashflows import GOVERNMENT, SOCIETY, VILLAGE, CashFlows
from evaluation.efficiency.mvpf import value_flows
from evaluation.efficiency.returns import cost_effectiveness, net_present_value
from evaluation.errors import DesignError
from evaluation.report.absent import absent
from evaluation.report.costbenefit_study import StudyCostBenefit
from evaluation.report.exhibits import Exhibit, html_lines, html_table
from evaluation.report.gain_words import show_interval, show_share
from evaluation.report.ledger_plots import SOURCES
from evaluation.report.village_words import show_number

_CAPTION = "Who pays and who gains, and the marginal value of public funds"
_NAMES = {"government": "Government 政府", "village": "Village 村", "society": "Society 社会"}
_PERSPECTIVES = (GOVERNMENT, VILLAGE, SOCIETY)
_PAYS, _GAINS, _NET = "Who pays", "Who gains", "Gains less costs"
_MVPF, _BOUGHT = "Marginal value of public funds (MVPF)", "Cost-effectiveness"
_VALUE = "MVPF: willingness to pay over net cost"
_CONVENTION = (
    "MVPF: what those who gain would pay for it, per yuan of net cost to the government. "
    "Willingness to pay is the collective's gain, yuan for yuan, less the village's own money "
    "and loans. Net cost is the money of the budget and of dispatching units, taken as public "
    "bodies, less what comes back to the budget. Gifts (social money) are in neither, though "
    "the gain is theirs too, nor is what it costs to raise taxes: compare an MVPF with that of "
    "other policies rather than with 1."
)
_NOT_COUNTED = (
    "Households' incomes and taxes are not counted, as the study has no such figures: no share "
    "of the cost is seen to come back. Where they rose, the MVPF is higher than this."
)


def value_table(
    found: StudyCostBenefit,
    *,
    discount_rate: float = 0.05,
    decay: float = 0.1,
    yuan_per_usd: float = 0.0,
) -> Exhibit:
    """Show who pays and who gains, apart, and what public money is worth, by horizon.

    Parameters
    ----------
    found
        As `cost_benefit` gives it, with its horizons.
    discount_rate, decay
        Shares a year; they need not be among the grid's.
    yuan_per_usd
        The market exchange rate of the year whose prices money is in; with 0, or where money is
        not in yuan, nothing is shown per dollar.
    """
    study_data = found.efficiency.study_data
    if found.grid is None:
        return absent(study_data, "public_value", _CAPTION, found.reason)
    if found.efficiency.currency != "yuan":
        yuan_per_usd = 0.0
    spans = [int(span) for span in sorted(found.grid.grid["horizon"].unique())]
    try:
        parts = [
            _values(
                found, found.flows.project(horizon=span, decay=decay),
                rate=discount_rate, yuan_per_usd=yuan_per_usd,
            ).assign(horizon=span)
            for span in spans
        ]  # fmt: skip
    except DesignError as error:
        return absent(study_data, "public_value", _CAPTION, str(error))
    data = pd.concat(parts, ignore_index=True)
    columns = {
        f"{span} years": [_cell(row) for row in part.to_dict("records")]
        for span, part in zip(spans, parts, strict=True)
    }
    first, reword = parts[0], found.efficiency.reword
    units = [unit.split(",")[0] for unit in first["unit"]]  # prices are in the note
    cells = pd.DataFrame(
        {
            "group": first["group"], "": map(reword, first["item"]), **columns,
            "Unit": map(reword, units),
        },
        dtype=object,
    )  # fmt: skip
    since = max(found.flows.exit_year, int(found.flows.money.index[-1]))
    dollar = f"{yuan_per_usd:g} yuan to the dollar." if yuan_per_usd else ""
    note = (
        f"{_reading(found, data)} {_CONVENTION} {_NOT_COUNTED} Columns are horizons. Discount "
        f"rate {show_share(discount_rate)}; the gain falls by {show_share(decay)} a year after "
        f"{since}. In brackets: at the ends of the gains' {found.level} interval. {dollar} "
        f"{found.units} {found.efficiency.basis}"
    )
    return Exhibit(
        name="public_value",
        kind="table",
        caption=_CAPTION,
        data=data.assign(discount_rate=discount_rate, decay=decay),
        body=html_table(cells, group="group"),
        simulated=study_data.study.simulated,
        note=reword(" ".join(note.split())),
    )


def _values(found: StudyCostBenefit, flows: CashFlows, **rates: float) -> pd.DataFrame:
    """Give what is shown of one horizon, with the ends that the gains' interval leads to."""
    frame = _work_out(found, flows, **rates).assign(conf_low=np.nan, conf_high=np.nan)
    if flows.has_interval:
        # All of it rises with the gains, and nothing else is uncertain.
        low, high = (
            _work_out(found, replace(flows, gains=gains), **rates)["value"]
            for gains in (flows.gains_low, flows.gains_high)
        )
        frame["conf_low"], frame["conf_high"] = low.where(low < high), high.where(low < high)
    return frame


def _work_out(
    found: StudyCostBenefit, flows: CashFlows, *, rate: float, yuan_per_usd: float
) -> pd.DataFrame:
    """Work out the values, money as shown, and the gap that is told where there is none."""
    unit, divisor = found.efficiency.money.unit, found.efficiency.money.divisor
    public = value_flows(flows, rate=rate)
    bought = cost_effectiveness(
        flows.costs(SOCIETY), flows.benefits(SOCIETY), rate=rate, yuan_per_usd=yuan_per_usd or 1
    )
    payers = [name for name in SOURCES if name in flows.money]
    paid = {" ".join(SOURCES[name]): flows.money[name].to_numpy() for name in payers}
    flow_rows = [
        *((_PAYS, name, yearly) for name, yearly in paid.items()),
        (_PAYS, "All 合计", flows.costs(SOCIETY)),
        (_GAINS, "Village collectives 村集体", flows.gains["collective"].to_numpy()),
        *((_NET, _NAMES[whose.name], flows.net(whose)) for whose in _PERSPECTIVES),
    ]
    none = "no public money"
    rows = [
        (group, item, net_present_value(yearly, rate=rate) / divisor, unit, "")
        for group, item, yearly in flow_rows
    ]
    place = len(payers) + 2
    rows[place:place] = [
        (_GAINS, name, np.nan, unit, "not counted")
        for name in ("Households 农户", "Government: taxes 税收")
    ]
    rows += [
        (_MVPF, "Willingness to pay", public.willingness_to_pay / divisor, unit, ""),
        (_MVPF, "Programme cost", public.programme_cost / divisor, unit, ""),
        (
            _MVPF,
            "Share that comes back (taxes not counted)",
            public.offset_share,
            "",
            none,
        ),
        (_MVPF, _VALUE, public.value, "yuan per yuan", none),
        (_BOUGHT, "Gain per 1,000 yuan", bought.per_1000_yuan, "yuan", ""),
    ]
    if yuan_per_usd:
        rows.append((_BOUGHT, "Gain per 1,000 USD", bought.per_1000_usd, "yuan", ""))
    frame = pd.DataFrame(rows, columns=["group", "item", "value", "unit", "gap"])
    return frame.assign(gap=frame["gap"].where(~np.isfinite(frame["value"]), ""))


def _cell(row: dict[Any, Any]) -> Markup:
    if not np.isfinite(row["value"]):
        return Markup('<span class="gap">{}</span>').format(row["gap"])
    interval = show_interval(row["conf_low"], row["conf_high"])
    lines = html_lines(show_number(row["value"]), f"({interval})" if interval else "")
    return Markup('<span class="number">{}</span>').format(lines)


def _reading(found: StudyCostBenefit, data: pd.DataFrame) -> str:
    """Say the marginal value of public funds at the middle horizon in one sentence."""
    spans = sorted(data["horizon"].unique())
    span = spans[len(spans) // 2]
    rows = data[data["horizon"] == span].set_index("item")
    row = rows.loc[_VALUE]
    if not np.isfinite(row["value"]):
        return "No money is public: there is no marginal value of public funds."
    interval = show_interval(row["conf_low"], row["conf_high"])
    sure = f"{found.level} interval {interval}" if interval else "no interval"
    return (
        f"Over {span} years a yuan of the budget and of dispatching units is worth "
        f"{show_number(row['value'])} yuan to the villages ({sure}), as if social money had "
        "brought nothing alone; 1,000 yuan of all payers' "
        f"bring {show_number(rows.loc['Gain per 1,000 yuan', 'value'])} yuan, at present "
        "value."
    )
