"""Tables of whose money it was and how far it got: leverage, execution, cost per job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.study_files import Stage
from evaluation.efficiency.composition import (
    measure_cost_per_job,
    measure_execution,
    measure_leverage,
)
from evaluation.errors import DesignError
from evaluation.language import commas, listing, mark, say, sentences
from evaluation.report.absent import absent
from evaluation.report.cells import html_bounds, html_table
from evaluation.report.data.ledger_plots import SOURCES, ledger_of, role_of
from evaluation.report.exhibits import LEGEND, Exhibit
from evaluation.report.gains.study import name_counties, name_with_all
from evaluation.report.village_words import money_note, name_prices, needs, show_number

Heads = dict[str, tuple[str, Callable[[Any], str | Markup]]]
"""By column of the data: its head in the table, and how its values are shown."""

_LEVERAGE = mark("Other money recorded beside fiscal money")
_EXECUTION = mark("How far money got, by county")
_JOBS = mark("Money per job")
_COMPARED = ("fiscal", "social", "dispatching_unit")
_MOST_ROWS = 60


@needs("ledger", "leverage", _LEVERAGE)
def leverage_table(study_data: StudyData, *, stage: Stage = "received") -> Exhibit:
    """Show social and dispatching units' money over fiscal money, by county and in all."""
    ledger, shown = ledger_of(study_data)
    role = role_of(ledger)
    try:
        table = measure_leverage(ledger, stage=stage, role=role)
    except DesignError as error:
        return absent(study_data, "leverage", say(_LEVERAGE), str(error))
    told = say(stage)
    if not table[["social", "dispatching_unit"]].to_numpy().any():
        reason = say(
            "No money of society or dispatching units is recorded as {stage}.", stage=told
        )
        return absent(study_data, "leverage", say(_LEVERAGE), reason)
    if table["both_per_fiscal"].iloc[-1] is None:
        reason = say(
            "No fiscal money is recorded as {stage}: there is nothing to divide by.", stage=told
        )
        return absent(study_data, "leverage", say(_LEVERAGE), reason)
    table[list(SOURCES)] /= shown.divisor
    unit = shown.currency
    heads: Heads = {name: (say(SOURCES[name]), show_number) for name in _COMPARED}
    for name in _COMPARED[1:]:
        head = say("{source} per fiscal {unit}", source=say(SOURCES[name]), unit=unit)
        heads[f"{name}_per_fiscal"] = (head, show_number)
    heads["both_per_fiscal"] = (say("Both per fiscal {unit}", unit=unit), html_bounds)
    both = table["both_per_fiscal"].iloc[-1]
    ratios = [
        say(
            whose, ratio=show_number(table[name].iloc[-1]),
            span=_span(study_data, table[name], show_number),
        )
        for whose, name in (
            (mark("{ratio} of social money{span}"), "social_per_fiscal"),
            (mark("{ratio} of dispatching units' money{span}"), "dispatching_unit_per_fiscal"),
        )
    ]  # fmt: skip
    note = sentences(
        say(
            "For each {unit} of fiscal money {stage} there is {ratios}; together they are "
            "{both}: the larger alone, if the other is part of it, up to their sum, if nothing "
            "is booked twice.",
            unit=unit, stage=told, ratios=listing(ratios), both=both,
        ),
        say(
            "This is arithmetic on what is recorded: it does not say that fiscal money drew "
            "the other in."
        ),
        say("Uses of money (投入).") if role == "use" else "",
        say(LEGEND),
    )  # fmt: skip
    order = table[list(SOURCES)].sum(axis=1)
    data = table.assign(stage=stage, role=role, unit=shown.unit)
    caption = say("Other money recorded beside fiscal money: money {stage}", stage=told)
    return _exhibit(study_data, "leverage", caption, data, order, heads, note)


@needs("ledger", "execution", _EXECUTION)
def execution_table(study_data: StudyData) -> Exhibit:
    """Show what was committed, received and spent by county, and one as a share of another."""
    ledger, shown = ledger_of(study_data)
    role = role_of(ledger)
    table = measure_execution(ledger, role=role)
    stages = [stage for stage in get_args(Stage) if table[stage].notna().any()]
    if len(stages) < 2:
        reason = say(
            "The ledger has one stage alone ({stage}): nothing to compare.",
            stage=commas(map(say, stages)),
        )
        return absent(study_data, "execution", say(_EXECUTION), reason)
    table[stages] /= shown.divisor
    heads: Heads = {stage: (say(stage).capitalize(), show_number) for stage in stages}
    told = []
    for later, earlier in (("received", "committed"), ("spent", "received")):
        share = table[f"{later}_share"]
        if later not in stages or earlier not in stages or share.isna().all():
            continue
        head = say("{later} of {earlier}", later=say(later).capitalize(), earlier=say(earlier))
        heads[f"{later}_share"] = (head, _show_percent)
        over = int((share.drop("all") > 1).sum())
        told.append(
            say(
                "{share} of the money {earlier} is {later}{span}{over}",
                share=_show_percent(share.iloc[-1]), earlier=say(earlier), later=say(later),
                span=_span(study_data, share, _show_percent),
                over=say(", above 100% in {n}", n=over) if over else "",
            )
        )  # fmt: skip
    none = say("No stage follows on the one before it: there is no share")
    note = sentences(
        say("{text}.", text=say("; ").join(told) or none),
        say(
            "Stages are how far the same money got, and are not added up. A share below 100% "
            "may be money still on its way when the ledger ends, one above it money of earlier "
            "years."
        ),
    )
    data = table.assign(role=role, unit=shown.unit)
    caption, order = say(_EXECUTION), table[stages[0]]
    return _exhibit(study_data, "execution", caption, data, order, heads, note)


@needs("ledger", "cost_per_job", _JOBS)
@needs("projects", "cost_per_job", _JOBS)
def cost_per_job_table(
    study_data: StudyData,
    *,
    stage: Stage = "spent",
    displaced: float = 0.0,
    full_time: float = 1.0,
) -> Exhibit:
    """Show money per job by county; see `measure_cost_per_job` for the options."""
    (ledger, shown), projects = ledger_of(study_data), study_data.projects
    assert projects is not None
    try:
        table = measure_cost_per_job(
            ledger, projects, stage=stage, role=role_of(ledger), displaced=displaced,
            full_time=full_time,
        )  # fmt: skip
    except DesignError as error:
        return absent(study_data, "cost_per_job", say(_JOBS), str(error))
    jobs = str(table.attrs["jobs"])
    table[["money", "money_without_jobs", "per_job"]] /= shown.divisor
    heads: Heads = {
        "n_projects": (say("Projects with jobs"), show_number),
        "jobs": (say("Jobs, {kind}", kind=jobs), show_number),
        "money": (say("Their money {stage}", stage=say(stage)), show_number),
        "per_job": (say("Money per job"), show_number),
        "money_without_jobs": (say("Money not tied to jobs"), show_number),
    }
    total = table.iloc[-1].to_dict()
    if not total["per_job"] > 0:
        reason = say(
            "Projects with jobs have no jobs above zero, or no money {stage}.", stage=say(stage)
        )
        return absent(study_data, "cost_per_job", say(_JOBS), reason)
    rest = total["money_without_jobs"] / (total["money"] + total["money_without_jobs"])
    known = projects[projects["jobs"].notna()].groupby(["county", "project"]).ngroups
    unpaid = known - int(total["n_projects"])
    left = (
        say(
            "{share} of all the money is not tied to jobs: it is of projects whose jobs are "
            "not known, or of none.",
            share=_show_percent(rest),
        )
        if rest
        else say("All the money is of these projects.")
    )
    note = sentences(
        say(
            "{money} {unit} {stage} per job ({kind}) over the {n:,.0f} projects that have jobs "
            "and money{span}.",
            money=show_number(total["per_job"]), unit=shown.brief, stage=say(stage), kind=jobs,
            n=total["n_projects"], span=_span(study_data, table["per_job"], show_number),
        ),
        left,
        say("{n:,} projects with jobs have no money under their name.", n=unpaid)
        if unpaid
        else "",
        _job_words(displaced, full_time),
        say(
            "A project's money is set against its jobs alone, whatever else it bought; it is "
            "an average, and not what one more job costs."
        ),
    )  # fmt: skip
    data = table.assign(
        kind=jobs, displaced=displaced, full_time=full_time, stage=stage, unit=shown.unit
    )
    order = table["money"] + table["money_without_jobs"]
    caption = say("Money per job, {kind}", kind=jobs)
    return _exhibit(study_data, "cost_per_job", caption, data, order, heads, note)


def _exhibit(
    study_data: StudyData,
    name: str,
    caption: str,
    table: pd.DataFrame,
    order: pd.Series[float],
    heads: Heads,
    note: str,
) -> Exhibit:
    """Make the exhibit: counties by money, the total last, and so many rows as are read."""
    shown, study = ledger_of(study_data)[1], study_data.study
    counties = order.drop("all").sort_values(ascending=False, kind="stable").index
    labels, shown_rows = name_with_all(study, counties)
    data = table.loc[[*counties, "all"]].iloc[shown_rows].reset_index(drop=True)
    data.insert(0, "county", labels)
    rows = data.drop(index=range(_MOST_ROWS, len(counties)))
    cells = {
        head: [show(value) for value in rows[column]] for column, (head, show) in heads.items()
    }
    cut = say(
        "The {most} of {n:,} counties with most money; all are in the table's file.",
        most=_MOST_ROWS, n=len(counties),
    )  # fmt: skip
    note = sentences(
        note,
        cut if len(rows) < len(data) else "",
        name_prices(study, brief=True),
        money_note(shown),
    )
    return Exhibit(
        name=name,
        kind="table",
        caption=say("{what}, {unit}", what=caption, unit=shown.unit),
        data=data,
        body=html_table(pd.DataFrame({say("County"): rows["county"], **cells}, dtype=object)),
        simulated=study.simulated,
        note=note,
    )


def _span(study_data: StudyData, values: pd.Series[float], show: Callable[[float], str]) -> str:
    """Say which counties have least and most; '' where fewer than two have any."""
    known = values.drop("all").dropna().astype(float).sort_values(kind="stable")
    if len(known) < 2:
        return ""
    names = name_counties(study_data.study, known.index[[0, -1]])
    least, most = show(float(known.iloc[0])), show(float(known.iloc[-1]))
    return say(
        " (from {least} in {first} to {most} in {last})",
        least=least, first=names[0], most=most, last=names[1],
    )  # fmt: skip


def _show_percent(share: float) -> str:
    return "" if pd.isna(share) else f"{share:.1%}"


def _job_words(displaced: float, full_time: float) -> str:
    """Say what a job is."""
    net = mark(
        "Net: {displaced:.0%} of jobs are taken to be there anyway or lost elsewhere, as "
        "assumed."
    )
    gross = mark(
        "Gross: jobs as reported, some of which may be there anyway or be lost elsewhere."
    )
    full = mark("Full time: a head counts as {full_time:g} full-time jobs, as assumed.")
    heads = mark("Head count: a seasonal job counts like any other.")
    return sentences(
        say(net if displaced else gross, displaced=displaced),
        say(full if full_time < 1 else heads, full_time=full_time),
    )
