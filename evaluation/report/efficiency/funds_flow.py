"""Money as bands from its source over types of project to counties."""

from __future__ import annotations

from typing import get_args

import pandas as pd

from evaluation.data.load import StudyData
from evaluation.data.study import Study
from evaluation.data.study_files import FundSource, Stage
from evaluation.efficiency.spending import name_types
from evaluation.errors import DesignError
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.data.ledger_plots import SOURCES, ledger_of, role_of
from evaluation.report.efficiency.funds_bands import SMALL, Labels, draw_bands, show_part
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    label_counties,
    money_note,
    name_prices,
    needs,
    show_number,
)

UNKNOWN = "type not known"
_CAPTION = mark("Funds from source to county")
_MOST = {"type": 8, "county": 12}  # drawn one by one, those with most money
_REST = {"type": mark("other types"), "county": mark("other counties")}
_JOINED = {
    ("type", UNKNOWN): mark("not known"),
    ("type", _REST["type"]): mark("other"),
    ("county", _REST["county"]): _REST["county"],
}
"""What is no single type or county, by column and name, and how it is labelled."""
_HEADS = {
    "source": mark("Source"),
    "type": mark("Project type"),
    "county": mark("County"),
}
_BARS, _LABEL = 3.6, 0.2  # inches: all money in a column, and the gap that a label needs


@needs("ledger", "funds_flow", _CAPTION)
def plot_funds_flow(study_data: StudyData, *, stage: Stage = "received") -> Exhibit:
    """Draw one stage's money as bands from source to type of project to county.

    A project is known by its name and county. Money of no known project or type is a band of
    its own; where no type is known there are sources and counties alone.
    """
    ledger, shown = ledger_of(study_data)
    role = role_of(ledger)
    try:
        rows = ledger.select(stage=stage, role=role)
    except DesignError as error:
        return absent(study_data, "funds_flow", say(_CAPTION), str(error))
    rows = rows[rows["amount"] > 0]
    if rows.empty:
        reason = say("All amounts {stage} are zero.", stage=say(stage))
        return absent(study_data, "funds_flow", say(_CAPTION), reason)
    rows = rows.assign(
        type=[name or UNKNOWN for name in name_types(rows, study_data.projects)],
        amount=rows["amount"] / shown.divisor,
    )
    typed = bool((rows["type"] != UNKNOWN).any())
    columns = ["source", "type", "county"] if typed else ["source", "county"]
    flows = rows.groupby(columns, sort=True)[["amount"]].sum().reset_index()
    drawn = group_flows(flows)
    labels, key = _label_nodes(study_data.study, drawn)
    most = max(drawn[name].nunique() for name in columns)
    figure = plots.new_figure(8.4, 0.8 + _BARS + _LABEL * most)
    total = float(flows["amount"].sum())
    with plots.in_style():
        figure.supxlabel(
            plots.inscribe(
                "100% = {total} ({unit})", total=show_number(round(total, 2)), unit=shown.axis
            ),
            fontsize=SMALL,
        )
        draw_bands(
            figure.subplots(), drawn, {name: plots.inscribe(_HEADS[name]) for name in columns},
            labels, plots.palette(list(get_args(FundSource))),
            gaps=_LABEL * (most - 1) / _BARS,
        )  # fmt: skip
    is_use = role == "use"
    note = sentences(
        say(
            "{stage}, {role}: {total} in all ({unit}).",
            stage=say(stage).capitalize(), unit=shown.unit, total=show_number(round(total, 2)),
            role=say("uses of money (投入)") if is_use else say("sources of money (争取)"),
        ),
        _reading(drawn, labels),
        say("Widths are proportional to money, and colours are whose it was."),
        _type_words(flows, study_data.projects), _rest_words(flows), _pooled_words(rows),
        name_prices(study_data.study, brief=True), money_note(shown), key,
    )  # fmt: skip
    path = say("source to project type to county") if typed else say("source to county")
    return plots.figure_exhibit(
        figure,
        name="funds_flow",
        caption=say("Funds from {path}: money {stage}", path=path, stage=say(stage)),
        alt=sentences(say("Bands of money from {path}.", path=path), note),
        data=flows.assign(stage=stage, role=role, unit=shown.unit),
        simulated=study_data.study.simulated,
        note=note,
    )


def group_flows(flows: pd.DataFrame) -> pd.DataFrame:
    """Join small types and counties, and put each column's names in the order drawn.

    Returns
    -------
    One row a source, type and county drawn, each an ordered categorical; and amount.
    """
    drawn, order = flows.copy(), {"source": list(get_args(FundSource))}
    for name, most in _MOST.items():
        if name not in flows:
            continue
        known = flows[flows[name] != UNKNOWN]
        sums = known.groupby(name)["amount"].sum().sort_values(ascending=False, kind="stable")
        kept = list(sums.index[:most])
        drawn[name] = drawn[name].where(drawn[name].isin([*kept, UNKNOWN]), _REST[name])
        order[name] = [*kept, _REST[name], UNKNOWN]
    for name, names in order.items():
        present = [one for one in names if (drawn[name] == one).any()]
        drawn[name] = pd.Categorical(drawn[name], present, ordered=True)
    return drawn.groupby(list(order), observed=True)[["amount"]].sum().reset_index()


def _label_nodes(study: Study, drawn: pd.DataFrame) -> tuple[Labels, str]:
    """Label all nodes, and give a note on names that no font has."""
    words = _JOINED | {("source", name): said for name, said in SOURCES.items()}
    labels = {node: plots.inscribe(said) for node, said in words.items()}
    keys = []
    for name in _MOST:
        nodes = list(drawn[name].cat.categories) if name in drawn else []
        own = [str(node) for node in nodes if (name, node) not in labels]
        found, key = label_counties(study, own, word=name)
        labels |= {(name, node): text for node, text in found.items()}
        keys.append(key)
    return labels, sentences(*keys)


def _reading(drawn: pd.DataFrame, labels: Labels) -> str:
    """Name each column's largest node, and the widest band through all columns."""
    total, columns = drawn["amount"].sum(), [name for name in _HEADS if name in drawn]
    told = []
    for name in columns:
        sums = drawn.groupby(name, observed=True)["amount"].sum()
        sums = sums[[node for node in sums.index if (name, node) not in _JOINED]]
        if len(sums) > 1:
            told.append(
                say(
                    "the largest {what} is {which} ({share})",
                    what=say(_HEADS[name]).lower(), which=labels[name, str(sums.idxmax())],
                    share=show_part(sums.max() / total),
                )
            )  # fmt: skip
    single = drawn[~drawn[columns].isin([node for _, node in _JOINED]).any(axis=1)]
    widest = (single if len(single) else drawn).nlargest(1, "amount").iloc[0]
    band = say(
        "the widest band goes from {path}: {share} of all",
        path=say(" to ").join(labels[name, str(widest[name])] for name in columns),
        share=show_part(widest["amount"] / total),
    )
    words = say("; ").join([*told, band])
    return say("{text}.", text=words[0].upper() + words[1:])


def _type_words(flows: pd.DataFrame, projects: pd.DataFrame | None) -> str:
    """Say how much money is of no known type, or why there are no types."""
    if projects is None:
        return say("The study has no projects, and so no types of them.")
    if "type" not in flows:
        return say(
            "No money is under the name of a project whose type is known: name projects alike "
            "in both files (ledger.project, projects.project) and give projects.type."
        )
    share = flows.loc[flows["type"] == UNKNOWN, "amount"].sum() / flows["amount"].sum()
    told = say("The type is not known for {share} of the money.", share=show_part(share))
    return told if share else ""


def _rest_words(flows: pd.DataFrame) -> str:
    """Say how many types and counties are drawn as one."""
    joined = {
        name: int(flows.loc[flows[name] != UNKNOWN, name].nunique()) - most
        for name, most in _MOST.items()
        if name in flows
    }
    told = [
        say("{n} as {rest}", n=n, rest=say(_REST[name])) for name, n in joined.items() if n > 0
    ]
    if not told:
        return ""
    return say("Drawn as one, those with least money: {which}.", which=commas(told))


def _pooled_words(rows: pd.DataFrame) -> str:
    """Say how much money no village has."""
    share = rows.loc[rows["village"] == "", "amount"].sum() / rows["amount"].sum()
    told = say(
        "{share} is pooled for a county or town, and in no village.", share=show_part(share)
    )
    return told if share else ""
