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
from evaluation.language import mark, say, sentences
from evaluation.report.absent import absent
from evaluation.report.cells import html_lines, html_table
from evaluation.report.data.ledger_plots import SOURCES
from evaluation.report.efficiency.costbenefit_study import StudyCostBenefit
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import show_interval, show_share
from evaluation.report.village_words import show_number

_CAPTION = mark("Who pays and who gains, and the marginal value of public funds")
_NAMES = {
    "government": mark("Government"),
    "village": mark("Village"),
    "society": mark("Society"),
}
_PERSPECTIVES = (GOVERNMENT, VILLAGE, SOCIETY)
_PAYS, _GAINS, _NET = mark("Who pays"), mark("Who gains"), mark("Gains less costs")
_MVPF, _BOUGHT = mark("Marginal value of public funds (MVPF)"), mark("Cost-effectiveness")
_VALUE = mark("MVPF: willingness to pay over net cost")
_PER_1000 = mark("Gain per 1,000 yuan")
_CONVENTION = mark(
    "MVPF: what those who gain would pay for it, per yuan of net cost to the government. "
    "Willingness to pay is the collective's gain, yuan for yuan, less the village's own money "
    "and loans. Net cost is the money of the budget and of dispatching units, taken as public "
    "bodies, less what comes back to the budget. Gifts (social money) are in neither, though "
    "the gain is theirs too, nor is what it costs to raise taxes: compare an MVPF with that of "
    "other policies rather than with 1."
)
_NOT_COUNTED = mark(
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
        return absent(study_data, "public_value", say(_CAPTION), found.reason)
    if not found.efficiency.money.in_yuan:
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
        return absent(study_data, "public_value", say(_CAPTION), str(error))
    data = pd.concat(parts, ignore_index=True)
    columns = {
        say("{n} years", n=span): [_cell(row) for row in part.to_dict("records")]
        for span, part in zip(spans, parts, strict=True)
    }
    first, reword, money = parts[0], found.efficiency.reword, found.efficiency.money
    units = [  # prices are in the note
        money.brief if unit == money.unit else reword(say(unit)) for unit in first["unit"]
    ]
    cells = pd.DataFrame(
        {
            "group": [say(group) for group in first["group"]],
            "": [reword(say(item)) for item in first["item"]], **columns, say("Unit"): units,
        },
        dtype=object,
    )  # fmt: skip
    since = max(found.flows.exit_year, int(found.flows.money.index[-1]))
    note = sentences(
        _reading(found, data), say(_CONVENTION), say(_NOT_COUNTED),
        say(
            "Columns are horizons. Discount rate {rate}; the gain falls by {decay} a year "
            "after {year}. In brackets: at the ends of the gains' {level} interval.",
            rate=show_share(discount_rate), decay=show_share(decay), year=since,
            level=found.level,
        ),
        say("{rate:g} yuan to the dollar.", rate=yuan_per_usd) if yuan_per_usd else "",
        found.units, found.efficiency.basis,
    )  # fmt: skip
    return Exhibit(
        name="public_value",
        kind="table",
        caption=say(_CAPTION),
        data=data.assign(discount_rate=discount_rate, decay=decay),
        body=html_table(cells, group="group"),
        simulated=study_data.study.simulated,
        note=reword(note),
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
    paid = {SOURCES[name]: flows.money[name].to_numpy() for name in payers}
    flow_rows = [
        *((_PAYS, name, yearly) for name, yearly in paid.items()),
        (_PAYS, mark("All"), flows.costs(SOCIETY)),
        (_GAINS, mark("Village collectives"), flows.gains["collective"].to_numpy()),
        *((_NET, _NAMES[whose.name], flows.net(whose)) for whose in _PERSPECTIVES),
    ]
    none = mark("no public money")
    rows = [
        (group, item, net_present_value(yearly, rate=rate) / divisor, unit, "")
        for group, item, yearly in flow_rows
    ]
    place = len(payers) + 2
    rows[place:place] = [
        (_GAINS, name, np.nan, unit, mark("not counted"))
        for name in (mark("Households"), mark("Government: taxes"))
    ]
    rows += [
        (_MVPF, mark("Willingness to pay"), public.willingness_to_pay / divisor, unit, ""),
        (_MVPF, mark("Programme cost"), public.programme_cost / divisor, unit, ""),
        (
            _MVPF,
            mark("Share that comes back (taxes not counted)"),
            public.offset_share,
            "",
            none,
        ),
        (_MVPF, _VALUE, public.value, mark("yuan per yuan"), none),
        (_BOUGHT, _PER_1000, bought.per_1000_yuan, "yuan", ""),
    ]
    if yuan_per_usd:
        rows.append((_BOUGHT, mark("Gain per 1,000 USD"), bought.per_1000_usd, "yuan", ""))
    frame = pd.DataFrame(rows, columns=["group", "item", "value", "unit", "gap"])
    return frame.assign(gap=frame["gap"].where(~np.isfinite(frame["value"]), ""))


def _cell(row: dict[Any, Any]) -> Markup:
    if not np.isfinite(row["value"]):
        gap = str(row["gap"])
        return Markup('<span class="gap">{}</span>').format(say(gap))
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
        return say("No money is public: there is no marginal value of public funds.")
    interval, sure = show_interval(row["conf_low"], row["conf_high"]), say("no interval")
    if interval:
        sure = say("{level} interval {interval}", level=found.level, interval=interval)
    return say(
        "Over {years} years a yuan of the budget and of dispatching units is worth {value} "
        "yuan to the villages ({sure}), as if social money had brought nothing alone; 1,000 "
        "yuan of all payers' bring {bought} yuan, at present value.",
        years=span, value=show_number(row["value"]), sure=sure,
        bought=show_number(rows.loc[_PER_1000, "value"]),
    )  # fmt: skip
