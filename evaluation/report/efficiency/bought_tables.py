"""What 1 万元 bought, in plain words: from gains, from before and after, or from claims."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.claims.table import ClaimTable
from evaluation.data.load import StudyData
from evaluation.data.money import parse_money
from evaluation.data.study_files import Stage
from evaluation.efficiency.bounded import bound_efficiency
from evaluation.efficiency.claimed import claimed_efficiency
from evaluation.efficiency.composition import measure_cost_per_job, measure_leverage
from evaluation.errors import DesignError
from evaluation.language import mark, say, sentences
from evaluation.report.absent import NeedsFound, absent
from evaluation.report.cells import html_bounds, html_claims, html_lines, html_table
from evaluation.report.claims.tables import name_area, relabel, say_otherwise
from evaluation.report.data.ledger_plots import ledger_of, role_of
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.efficiency.tables import set_words
from evaluation.report.exhibits import LEGEND, Exhibit
from evaluation.report.gains.study import name_with_all
from evaluation.report.gains.words import show_interval
from evaluation.report.village_words import money_note, needs, panel_of, show_number
from evaluation.report.words import LADDER

Row = tuple[str, float, str, str]
"""What the money went with, how much, that in words, and how sure it is."""

_WAN = 10_000
_FEW = 20  # villages
_BOUGHT = mark("What 1 万元 went with")
_CHANGES = mark("Before-after change per yuan, and what a trend leaves of it")
_CLAIMED = mark("What 1 万元 went with, if the published figures are true")
_PER_WAN: dict[str, tuple[str, str, Callable[[Bounds], Bounds]]] = {
    "gain_per_yuan": (mark("Income a year"), mark("yuan"), lambda ratio: ratio * _WAN),
    "cost_per_job": (mark("Jobs (gross, head count)"), mark("jobs"), lambda cost: 1 / cost),
    "leverage": (mark("Other money"), mark("yuan"), lambda ratio: ratio * _WAN),
}


@NeedsFound("bought", _BOUGHT)
def bought_table(efficiency: StudyEfficiency) -> Exhibit:
    """Say in plain words what 1 万元 of the programme's money went with."""
    found, total = efficiency.found, efficiency.found.total
    word, unit = efficiency.currency, efficiency.ten_thousand
    annual = found.horizon == "annual"
    span = say("a year") if annual else say("over the years observed")
    scaled = total.copy()
    scaled[["low", "high"]] = total[["low", "high"]].astype(float) * _WAN
    per = float(total["per_yuan"])
    rows: list[Row] = [
        (say("income"), per * _WAN, efficiency.say_gain(per * _WAN, span),
         set_words(efficiency, scaled)),
    ]  # fmt: skip
    in_money = efficiency.gain_shown.unit == efficiency.money.unit
    known = total["kind"] == "bounded"
    if in_money and annual and per > 0 and (not known or total["low"] > 0):
        years, least, most = (
            f"{1 / float(x):,.0f}" for x in (per, total["high"], total["low"])
        )
        sure = (
            say(
                "if the mean gain lasted that long, undiscounted; set {least} to {most} years",
                least=least,
                most=most,
            )
            if known
            else say("if the mean gain lasted that long, undiscounted")
        )
        told = say("after {years} years", years=years)
        rows.append((say("its return"), 1 / per, told, sure))
    rows += _job_rows(efficiency) + _fiscal_rows(efficiency, word)
    data = pd.DataFrame(rows, columns=["what", "value", "words", "how sure"])
    cells = pd.DataFrame(
        {
            say("{sum} went with", sum=unit): [row[0] for row in rows],
            "": [row[2] for row in rows],
            say("How sure"): [row[3] for row in rows],
        },
        dtype=object,
    )
    n, few = total["n_villages"], say(" (few, which no method mends)")
    note = sentences(
        _rung(2),
        say(
            "Averages over {n:,.0f} villages{few} and all their money {stage}, not what the "
            "next {sum} would buy (marginal return). The first row is an effect if trends "
            "without the programme would have been parallel; jobs and other money are as "
            "recorded.",
            n=n,
            few=few if n < _FEW else "",
            stage=say(found.spending.stage),
            sum=unit,
        ),
    )
    caption = say("What {sum} went with", sum=unit)
    return efficiency.table("bought", caption, data=data, cells=cells, note=note)


@needs("ledger", "change_per_yuan", _CHANGES)
def change_per_yuan_table(
    study_data: StudyData, *, trend_max: float, stage: Stage = "spent"
) -> Exhibit:
    """Show treated villages' before-after change per yuan, where nothing is compared with."""
    panel, (ledger, shown) = panel_of(study_data), ledger_of(study_data)
    outcome = panel.variables[panel.outcome]
    if not parse_money(outcome.unit):
        reason = say(
            "The outcome, {outcome}, is not money: there is no change per yuan.",
            outcome=outcome.label,
        )
        return absent(study_data, "change_per_yuan", say(_CHANGES), reason)
    try:
        frame = bound_efficiency(
            panel, ledger, trend_max=trend_max, stage=stage, role=role_of(ledger)
        )
    except DesignError as error:
        return absent(study_data, "change_per_yuan", say(_CHANGES), str(error))
    if not frame.loc["all", "n_villages"]:
        reason = say("No treated village has both money and an outcome before and after.")
        return absent(study_data, "change_per_yuan", say(_CHANGES), reason)
    labels, rows = name_with_all(study_data.study, frame.index[:-1])
    frame = frame.iloc[rows]
    cells = pd.DataFrame(
        {
            say("County"): labels,
            say("Villages"): [f"{n:,.0f}" for n in frame["n_villages"]],
            say("Money {stage}", stage=say(stage)): [
                show_number(x / shown.divisor) for x in frame["money"]
            ],
            say("Change per yuan, less a trend"): [
                Markup('<span class="number">{}</span>').format(show_interval(low, high))
                if np.isfinite(low)
                else Markup('<span class="gap">{}</span>').format(
                    say("no village with a change and money")
                )
                for low, high in zip(
                    frame["lower_per_yuan"], frame["upper_per_yuan"], strict=True
                )
            ],
        },
        dtype=object,
    )
    whole = frame.loc["all"]
    note = sentences(
        _rung(1),
        say(
            "Bounds: the change a village and year from before to after, less a rise on its "
            "own between 0 and {trend} {unit} a year (an assumption), over the money. No "
            "effect: the change is compared with that of no other village. {n:,.0f} treated "
            "villages lack a change or money. In {shown}.",
            trend=show_number(trend_max),
            unit=say(outcome.unit),
            n=whole["n_without"],
            shown=shown.unit,
        ),
        money_note(shown),
    )
    return Exhibit(
        name="change_per_yuan",
        kind="table",
        caption=say(_CHANGES),
        data=frame.reset_index(),
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=note,
    )


def claimed_bought_table(table: ClaimTable) -> Exhibit:
    """Say what 1 万元 went with in each county, as bounds from published figures."""
    frame = claimed_efficiency(table).to_frame()
    frame = frame[frame["measure"].isin(_PER_WAN)]
    rows = []
    for row in frame.to_dict("records"):
        label, unit, convert = _PER_WAN[row["measure"]]
        stated = row["strict"] is not None
        rows.append(
            {
                "county": row["county"], "what": label, "definition": row["definition"],
                "strict": convert(row["strict"]) if stated else None,
                "loose": convert(row["loose"]) if stated else None,
                "unit": unit, "claims": row["claims"], "missing": row["missing"],
            }
        )  # fmt: skip
    data = pd.DataFrame(rows, dtype=object)
    shown = []
    for area in table.study.counties:
        own = data[data["county"] == area.name]
        known = own[own["strict"].notna()]
        gaps = own[~own["what"].isin(known["what"])].drop_duplicates("what")
        shown.append(
            {
                say("County"): html_lines(*name_area(area)),
                say("{sum} went with", sum="1 万元"): html_lines(
                    *map(_line, known.to_dict("records"))
                ),
                say("Not identified"): html_lines(
                    *(
                        Markup(say("{what}: {why}")).format(
                            what=say(what), why=relabel(why, table)
                        )
                        for what, why in zip(gaps["what"], gaps["missing"], strict=True)
                    )
                ),
            }
        )
    return Exhibit(
        name="claimed_bought",
        kind="table",
        caption=say(_CLAIMED),
        data=data,
        body=html_table(pd.DataFrame(shown, dtype=object)),
        simulated=table.study.simulated,
        note=sentences(
            _rung(0),
            say(
                "Per 1 万元 of the money that each definition names: the same ratios as in the "
                "chapter on published figures, times 10,000. Income as the text gives it, of "
                "unlike definitions: counties are not to be ranked by it. Nothing says that "
                "the money made the income, or that a job is a new one. Strict reading, loose "
                "where it differs."
            ),
            say(LEGEND),
        ),
    )


def _rung(number: int) -> str:
    """Name the rung of evidence that a table stands on."""
    return say("Rung {n}: {evidence}.", n=number + 1, evidence=say(LADDER[number][0]))


def _line(row: dict[Any, Any]) -> Markup:
    what, definition, unit = row["what"], row["definition"], row["unit"]
    value = html_bounds(row["strict"], say(unit))
    if row["loose"] != row["strict"]:
        value += say_otherwise("loose", html_bounds(row["loose"]))
    rule = say(definition).replace(say("per yuan"), say("per 1 万元"))
    rule = rule.replace(say("per fiscal yuan"), say("per 1 万元 of fiscal money"))
    return Markup(say("{what}, {definition}: {value} {claims}")).format(
        what=say(what), definition=rule, value=value, claims=html_claims(row["claims"])
    )


def _job_rows(efficiency: StudyEfficiency) -> list[Row]:
    projects, ledger = efficiency.study_data.projects, efficiency.ledger
    if projects is None:
        return []
    spending = efficiency.found.spending
    try:
        table = measure_cost_per_job(ledger, projects, stage=spending.stage, role=spending.role)
    except DesignError:
        return []
    jobs, money = map(float, table.loc["all", ["jobs", "money"]].to_numpy(float))
    if money <= 0:
        return []
    sure = say("{kind}, as recorded: {n:,.0f} jobs", kind=table.attrs["jobs"], n=jobs)
    per = _WAN * jobs / money
    return [(say("jobs"), per, say("{n} jobs", n=show_number(per)), sure)]


def _fiscal_rows(efficiency: StudyEfficiency, word: str) -> list[Row]:
    spending = efficiency.found.spending
    if spending.role != "source":
        return []
    whole = measure_leverage(efficiency.ledger, stage=spending.stage).loc["all"].to_dict()
    if not isinstance(both := whole["both_per_fiscal"], Bounds):
        return []
    sure = say(
        "of the whole ledger; with that of dispatching units {low:,.0f} to {high:,.0f}",
        low=float(both.lower) * _WAN, high=float(both.upper) * _WAN,
    )  # fmt: skip
    if both.upper == 0:
        return []
    per = float(whole["social_per_fiscal"]) * _WAN
    what = say("social money, for 10,000 of fiscal money")
    return [(what, per, f"{show_number(per)} {word}", sure)]
