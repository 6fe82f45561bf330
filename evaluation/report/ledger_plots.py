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
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.exhibits import Exhibit, html_table
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
    "fiscal": ("Fiscal", "财政"),
    "dispatching_unit": ("Dispatching unit", "派出单位"),
    "social": ("Social", "社会"),
    "credit": ("Credit", "信贷"),
    "own": ("Village's own", "自筹"),
}
"""Whose money it is, in both languages."""
_MANY_COUNTIES = 20


@needs("ledger", "ledger_funds", "Funds by county and source")
def plot_funds(study_data: StudyData, *, stage: Stage = "received") -> Exhibit:
    """Stack the funds of one stage by county and source; pooled money is hatched.

    Uses and sources may be the same money: sources are drawn, or uses where the ledger has
    nothing else.
    """
    ledger, shown = ledger_of(study_data)
    role, caption = role_of(ledger), "Funds by county and source"
    entries = ledger.entries
    rows = entries[(entries["stage"] == stage) & (entries["role"] == role)]
    if rows.empty:
        return absent(study_data, "ledger_funds", caption, f"The ledger has no money {stage}.")
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
        handles = [Patch(color=colors[s], label=plots.label(*SOURCES[s])) for s in sources]
        if data["pooled"].any():
            label = "pooled for town or county"
            handles.append(Patch(fc="0.6", ec="white", hatch="////", label=label))
        figure.legend(handles=handles, loc="outside lower left", ncols=3, frameon=False)
    total = float(totals.sum())
    rest = len(totals) - len(counties)
    note = (
        f"{stage.capitalize()}, {_role_words(ledger)}: {show_number(round(total))} in all "
        f"({shown.unit}){_pooled_words(data, ledger)}. {_split(data)} "
        f"{f'{rest} counties with less are not drawn.' if rest else ''} "
        f"{name_prices(study_data.study, brief=True)} {key}"
    )
    note = " ".join(note.split())
    return plots.figure_exhibit(
        figure,
        name="ledger_funds",
        caption=f"{caption}: money {stage}",
        alt=f"Stacked bars of funds by county and source. {note}",
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


@needs("ledger", "ledger_stages", "Funds by source and stage")
def funds_table(study_data: StudyData) -> Exhibit:
    """Show each source's money by stage, side by side: stages are never added up."""
    ledger, shown = ledger_of(study_data)
    role, caption = role_of(ledger), "Funds by source and stage"
    entries = ledger.entries[ledger.entries["role"] == role]
    sums = entries.groupby(["source", "stage"], sort=True)["amount"].sum() / shown.divisor
    data = sums.reset_index().assign(role=role, unit=shown.unit)
    wide = sums.unstack("stage")
    wide = wide.reindex([name for name in get_args(FundSource) if name in wide.index])
    stages = [stage for stage in get_args(Stage) if stage in wide]
    if len(stages) < 2:
        reason = f"The ledger has one stage alone ({', '.join(stages)}): nothing to compare."
        return absent(study_data, "ledger_stages", caption, reason)
    wide.loc["all"] = wide.sum()
    cells = pd.DataFrame(
        {"Source": [" ".join(SOURCES.get(name, ("All sources", ""))) for name in wide.index]},
        dtype=object,
    )
    for stage in stages:
        cells[stage.capitalize()] = [show_number(np.round(x, 1)) for x in wide[stage]]
    last = wide.loc["all"]
    steps = [
        f"{last[b] / last[a]:.0%} of the money {a} is {b}"
        for a, b in pairwise(stages)
        if last[a] > 0
    ]
    return Exhibit(
        name="ledger_stages",
        kind="table",
        caption=f"{caption}, {shown.unit}",
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=(
            f"{_role_words(ledger).capitalize()}. Stages are how far the same money got and "
            f"are not added up{': ' if steps else ''}{'; '.join(steps)}. {money_note(shown)}"
        ).strip(),
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
        return "uses of money (投入), the only amounts that the ledger has"
    has_uses = (ledger.entries["role"] == "use").any()
    words = "sources of money (争取)"
    return f"{words} alone, as uses may be the same money" if has_uses else words


def _pooled_words(data: pd.DataFrame, ledger: FundingLedger) -> str:
    """Say how much of the money was pooled, if any, and how it was shared out."""
    if not data["pooled"].any():
        return ""
    share = data.loc[data["pooled"], "amount"].sum() / data["amount"].sum()
    by = ledger.shared_by
    rule = f", shared out {'equally' if by == 'equal' else f'by {by}'.replace('_', ' ')}"
    return (
        f"; {share:.0%} of it pooled for a town or county"
        f"{rule if by else ' and not shared out'}"
    )


def _split(data: pd.DataFrame) -> str:
    """Say what share of the money each source is."""
    sums = data.groupby("source")["amount"].sum().sort_values(ascending=False)
    parts = [f"{SOURCES[str(s)][0].lower()} {x / sums.sum():.0%}" for s, x in sums.items()]
    return f"By source: {', '.join(parts)}."
