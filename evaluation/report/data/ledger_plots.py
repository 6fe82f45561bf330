"""What a funding ledger holds: whose money, for which county, and how far it got."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from evaluation.data.ledger import FundingLedger
from evaluation.data.load import StudyData
from evaluation.data.study_files import FundSource, Role, Stage
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    Shown,
    label_counties,
    money_note,
    name_prices,
    needs,
    show_money,
    show_number,
)

SOURCES = {
    "fiscal": mark("Fiscal"),
    "dispatching_unit": mark("Dispatching unit"),
    "social": mark("Social"),
    "credit": mark("Credit"),
    "own": mark("Village's own"),
}
"""Whose money it is; said where it is shown."""
MONEY_STAGES = (mark("committed"), mark("received"), mark("spent"))
"""How far money got; said where it is shown."""
_MANY_COUNTIES = 20
_FUNDS, _BY_STAGE = mark("Funds by county and source"), mark("Funds by source and stage")


@needs("ledger", "ledger_funds", _FUNDS)
def plot_funds(study_data: StudyData, *, stage: Stage = "received") -> Exhibit:
    """Stack the funds of one stage by county and source; pooled money is hatched.

    Uses and sources may be the same money: sources are drawn, or uses where the ledger has
    nothing else.
    """
    ledger, shown = ledger_of(study_data)
    role, told = role_of(ledger), say(stage)
    entries = ledger.entries
    rows = entries[(entries["stage"] == stage) & (entries["role"] == role)]
    if rows.empty:
        reason = say("The ledger has no money {stage}.", stage=told)
        return absent(study_data, "ledger_funds", say(_FUNDS), reason)
    pooled = rows["shared"].astype(bool) | (rows["village"] == "")
    data = rows.assign(pooled=pooled, amount=rows["amount"] / shown.divisor)
    data = (
        data.groupby(["county", "source", "pooled"], sort=True)[["amount"]].sum().reset_index()
    )
    data = data.assign(stage=stage, role=role, unit=shown.unit)
    totals = data.groupby("county")["amount"].sum().sort_values(ascending=False)
    counties = [str(name) for name in totals.index[:_MANY_COUNTIES]]
    labels, key = label_counties(study_data.study, counties)
    sources = [name for name in get_args(FundSource) if (data["source"] == name).any()]
    colors = plots.palette(list(get_args(FundSource)))
    figure = plots.new_figure(7.2, 1.7 + 0.42 * len(counties))
    with plots.in_style():
        axes = figure.subplots()
        left = pd.Series(0.0, index=counties)
        for source in sources:
            for is_pooled in (False, True):
                part = data[(data["source"] == source) & (data["pooled"] == is_pooled)]
                widths = part.set_index("county")["amount"].reindex(counties, fill_value=0.0)
                axes.barh(
                    list(labels.values()), widths, left=left, color=colors[source],
                    hatch="////" if is_pooled else "", edgecolor="white", linewidth=0.5,
                )  # fmt: skip
                left = left + widths
        axes.invert_yaxis()
        axes.grid(visible=False, axis="y")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.set_xlabel(shown.axis)
        axes.margins(x=0.03)
        handles = [Patch(color=colors[s], label=plots.inscribe(SOURCES[s])) for s in sources]
        if data["pooled"].any():
            label = plots.inscribe("pooled for town or county")
            handles.append(Patch(fc="0.6", ec="white", hatch="////", label=label))
        figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False)
    total = float(totals.sum())
    rest = len(totals) - len(counties)
    note = sentences(
        say(
            "{stage}, {role}: {total} in all ({unit}){pooled}.",
            stage=told.capitalize(),
            role=_role_words(ledger),
            total=show_number(round(total)),
            unit=shown.unit,
            pooled=_pooled_words(data, study_data),
        ),
        _split(data),
        say("{n} counties with less are not drawn.", n=rest) if rest else "",
        name_prices(study_data.study, brief=True),
        key,
    )
    return plots.figure_exhibit(
        figure,
        name="ledger_funds",
        caption=say("Funds by county and source: money {stage}", stage=told),
        alt=sentences(say("Stacked bars of funds by county and source."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


@needs("ledger", "ledger_stages", _BY_STAGE)
def funds_table(study_data: StudyData) -> Exhibit:
    """Show each source's money by stage, side by side: stages are never added up."""
    ledger, shown = ledger_of(study_data)
    role = role_of(ledger)
    entries = ledger.entries[ledger.entries["role"] == role]
    sums = entries.groupby(["source", "stage"], sort=True)["amount"].sum() / shown.divisor
    data = sums.reset_index().assign(role=role, unit=shown.unit)
    wide = sums.unstack("stage")
    wide = wide.reindex([name for name in get_args(FundSource) if name in wide.index])
    stages = [stage for stage in get_args(Stage) if stage in wide]
    if len(stages) < 2:
        reason = say(
            "The ledger has one stage alone ({stage}): nothing to compare.",
            stage=commas(map(say, stages)),
        )
        return absent(study_data, "ledger_stages", say(_BY_STAGE), reason)
    total = entries.groupby("stage")["amount"].sum() / shown.divisor
    wide.loc["all"] = total
    totals = total.reset_index().assign(source="all", role=role, unit=shown.unit)
    cells = pd.DataFrame(
        {
            say("Source"): [
                say(SOURCES[name]) if name in SOURCES else say("All sources")
                for name in wide.index
            ]
        },
        dtype=object,
    )
    for stage in stages:
        cells[say(stage).capitalize()] = [show_number(np.round(x, 6)) for x in wide[stage]]
    last = wide.loc["all"]
    steps = [
        say("{share:.0%} of the money {a} is {b}", share=last[b] / last[a], a=say(a), b=say(b))
        for a, b in pairwise(stages)
        if last[a] > 0
    ]
    return Exhibit(
        name="ledger_stages",
        kind="table",
        caption=say("Funds by source and stage, {unit}", unit=shown.unit),
        data=pd.concat([data, totals[list(data)]], ignore_index=True),
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(
            say("{role}.", role=_role_words(ledger).capitalize()),
            say(
                "Stages are how far the same money got and are not added up: {steps}.",
                steps=say("; ").join(steps),
            )
            if steps
            else say("Stages are how far the same money got and are not added up."),
            money_note(shown),
        ),
    )


def choose_stage(study_data: StudyData, stage: Stage | Literal["furthest"]) -> Stage:
    """Give the stage asked for; "furthest" is the furthest that the ledger has money of."""
    if stage != "furthest":
        return stage
    ledger = study_data.ledger
    if ledger is None:
        return "spent"
    entries = ledger.entries[ledger.entries["role"] == role_of(ledger)]
    reached = set(entries.loc[entries["amount"] > 0, "stage"])
    return next((name for name in reversed(get_args(Stage)) if name in reached), "spent")


def ledger_of(study_data: StudyData) -> tuple[FundingLedger, Shown]:
    """Give a study's ledger, and how its money is shown."""
    ledger, prices = study_data.ledger, study_data.study.prices
    assert ledger is not None
    currency = prices.currency if prices else "CNY"
    return ledger, show_money(currency, ledger.price_year)


def role_of(ledger: FundingLedger) -> Role:
    """Choose the role that is shown: sources, or uses where the ledger has nothing else."""
    return "source" if (ledger.entries["role"] == "source").any() else "use"


def _role_words(ledger: FundingLedger) -> str:
    if role_of(ledger) == "use":
        return say("uses of money (投入), the only amounts that the ledger has")
    if (ledger.entries["role"] == "use").any():
        return say("sources of money (争取) alone, as uses may be the same money")
    return say("sources of money (争取)")


def _pooled_words(data: pd.DataFrame, study_data: StudyData) -> str:
    """Say how much of the money was pooled, if any, and how it was shared out."""
    if not data["pooled"].any():
        return ""
    share = data.loc[data["pooled"], "amount"].sum() / data["amount"].sum()
    by = (study_data.ledger and study_data.ledger.shared_by) or ""
    known = study_data.panel.variables if study_data.panel else {}
    label = known[by].label if by in known else by
    if not by:
        told = mark("; {share:.0%} of it pooled for a town or county and not shared out")
    elif by == "equal":
        told = mark("; {share:.0%} of it pooled for a town or county, shared out equally")
    else:
        told = mark("; {share:.0%} of it pooled for a town or county, shared out by {by}")
    return say(told, share=share, by=label.replace("_", " "))


def _split(data: pd.DataFrame) -> str:
    """Say what share of the money each source is."""
    sums = data.groupby("source")["amount"].sum().sort_values(ascending=False)
    parts = [f"{say(SOURCES[str(s)]).lower()} {x / sums.sum():.0%}" for s, x in sums.items()]
    return say("By source: {parts}.", parts=commas(parts))
