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
from evaluation.report.absent import absent
from evaluation.report.exhibits import LEGEND, Exhibit, html_bounds, html_table
from evaluation.report.gain_study import name_counties
from evaluation.report.ledger_plots import SOURCES, ledger_of, role_of
from evaluation.report.village_words import money_note, name_prices, needs, show_number

Heads = dict[str, tuple[str, Callable[[Any], str | Markup]]]
"""By column of the data: its head in the table, and how its values are shown."""

_LEVERAGE = "Other money recorded beside fiscal money"
_EXECUTION = "How far money got, by county"
_JOBS = "Money per job"
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
        return absent(study_data, "leverage", _LEVERAGE, str(error))
    if not table[["social", "dispatching_unit"]].to_numpy().any():
        reason = f"No money of society or dispatching units is recorded as {stage}."
        return absent(study_data, "leverage", _LEVERAGE, reason)
    if table["both_per_fiscal"].iloc[-1] is None:
        reason = f"No fiscal money is recorded as {stage}: there is nothing to divide by."
        return absent(study_data, "leverage", _LEVERAGE, reason)
    table[list(SOURCES)] /= shown.divisor
    unit = shown.currency
    heads: Heads = {name: (" ".join(SOURCES[name]), show_number) for name in _COMPARED}
    for name in _COMPARED[1:]:
        heads[f"{name}_per_fiscal"] = (f"{SOURCES[name][0]} per fiscal {unit}", show_number)
    heads["both_per_fiscal"] = (f"Both per fiscal {unit}", html_bounds)
    both = table["both_per_fiscal"].iloc[-1]
    ratios = [
        f"{show_number(ratio.iloc[-1])} of {whose} money{_span(study_data, ratio, show_number)}"
        for whose, ratio in (
            ("social", table["social_per_fiscal"]),
            ("dispatching units'", table["dispatching_unit_per_fiscal"]),
        )
    ]
    reading = (
        f"For each {unit} of fiscal money {stage} there is {' and '.join(ratios)}; together "
        f"they are {both}: the larger alone, if the other is part of it, up to their sum, if "
        "nothing is booked twice."
    )
    note = (
        f"{reading} This is arithmetic on what is recorded: it does not say that fiscal money "
        f"drew the other in. {'Uses of money (投入).' if role == 'use' else ''} {LEGEND}"
    )
    order = table[list(SOURCES)].sum(axis=1)
    data = table.assign(stage=stage, role=role, unit=shown.unit)
    caption = f"{_LEVERAGE}: money {stage}"
    return _exhibit(study_data, "leverage", caption, data, order, heads, note)


@needs("ledger", "execution", _EXECUTION)
def execution_table(study_data: StudyData) -> Exhibit:
    """Show what was committed, received and spent by county, and one as a share of another."""
    ledger, shown = ledger_of(study_data)
    role = role_of(ledger)
    table = measure_execution(ledger, role=role)
    stages = [stage for stage in get_args(Stage) if table[stage].notna().any()]
    if len(stages) < 2:
        reason = f"The ledger has one stage alone ({', '.join(stages)}): nothing to compare."
        return absent(study_data, "execution", _EXECUTION, reason)
    table[stages] /= shown.divisor
    heads: Heads = {stage: (stage.capitalize(), show_number) for stage in stages}
    told = []
    for later, earlier in (("received", "committed"), ("spent", "received")):
        share = table[f"{later}_share"]
        if later not in stages or earlier not in stages or share.isna().all():
            continue
        heads[f"{later}_share"] = (f"{later.capitalize()} of {earlier}", _show_percent)
        over = int((share.drop("all") > 1).sum())
        told.append(
            f"{_show_percent(share.iloc[-1])} of the money {earlier} is {later}"
            f"{_span(study_data, share, _show_percent)}"
            f"{f', above 100% in {over}' if over else ''}"
        )
    note = (
        f"{'; '.join(told) or 'No stage follows on the one before it: there is no share'}. "
        "Stages are how far the same money got, and are not added up. A share below 100% may "
        "be money still on its way when the ledger ends, one above it money of earlier years."
    )
    data = table.assign(role=role, unit=shown.unit)
    return _exhibit(study_data, "execution", _EXECUTION, data, table[stages[0]], heads, note)


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
        return absent(study_data, "cost_per_job", _JOBS, str(error))
    jobs = str(table.attrs["jobs"])
    table[["money", "money_without_jobs", "per_job"]] /= shown.divisor
    heads: Heads = {
        "n_projects": ("Projects with jobs", show_number),
        "jobs": (f"Jobs, {jobs}", show_number),
        "money": (f"Their money {stage}", show_number),
        "per_job": ("Money per job", show_number),
        "money_without_jobs": ("Money not tied to jobs", show_number),
    }
    total = table.iloc[-1].to_dict()
    if not total["per_job"] > 0:
        reason = f"Projects with jobs have no jobs above zero, or no money {stage}."
        return absent(study_data, "cost_per_job", _JOBS, reason)
    rest = total["money_without_jobs"] / (total["money"] + total["money_without_jobs"])
    known = projects[projects["jobs"].notna()].groupby(["county", "project"]).ngroups
    unpaid = known - int(total["n_projects"])
    left = (
        f"{_show_percent(rest)} of all the money is not tied to jobs: it is of projects whose "
        "jobs are not known, or of none."
        if rest
        else "All the money is of these projects."
    )
    unit = shown.brief
    note = (
        f"{show_number(total['per_job'])} {unit} {stage} per job ({jobs}) over the "
        f"{total['n_projects']:,.0f} projects that have jobs and money"
        f"{_span(study_data, table['per_job'], show_number)}. {left} "
        f"{f'{unpaid:,} projects with jobs have no money under their name.' if unpaid else ''} "
        f"{_job_words(displaced, full_time)} A project's money is set against its jobs alone, "
        "whatever else it bought; it is an average, and not what one more job costs."
    )
    data = table.assign(
        kind=jobs, displaced=displaced, full_time=full_time, stage=stage, unit=shown.unit
    )
    order = table["money"] + table["money_without_jobs"]
    return _exhibit(study_data, "cost_per_job", f"{_JOBS}, {jobs}", data, order, heads, note)


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
    table = table.loc[[*counties, "all"]]
    data = table.reset_index(drop=True)
    data.insert(0, "county", [*name_counties(study, counties), "all"])
    rows = data.drop(index=range(_MOST_ROWS, len(counties)))
    cells = {
        head: [show(value) for value in rows[column]] for column, (head, show) in heads.items()
    }
    cut = (
        f"The {_MOST_ROWS} of {len(counties):,} counties with most money; all are in the "
        "table's file."
        if len(rows) < len(data)
        else ""
    )
    note = f"{note} {cut} {name_prices(study, brief=True)} {money_note(shown)}"
    return Exhibit(
        name=name,
        kind="table",
        caption=f"{caption}, {shown.unit}",
        data=data,
        body=html_table(pd.DataFrame({"County": rows["county"], **cells}, dtype=object)),
        simulated=study.simulated,
        note=" ".join(note.split()),
    )


def _span(study_data: StudyData, values: pd.Series[float], show: Callable[[float], str]) -> str:
    """Say which counties have least and most; '' where fewer than two have any."""
    known = values.drop("all").dropna().astype(float).sort_values(kind="stable")
    if len(known) < 2:
        return ""
    names = name_counties(study_data.study, known.index[[0, -1]])
    least, most = show(float(known.iloc[0])), show(float(known.iloc[-1]))
    return f" (from {least} in {names[0]} to {most} in {names[1]})"


def _show_percent(share: float) -> str:
    return "" if pd.isna(share) else f"{share:.1%}"


def _job_words(displaced: float, full_time: float) -> str:
    """Say what a job is."""
    net = (
        f"Net: {displaced:.0%} of jobs are taken to be there anyway or lost elsewhere, as "
        "assumed."
        if displaced
        else "Gross: jobs as reported, some of which may be there anyway or be lost elsewhere."
    )
    return net + (
        f" Full time: a head counts as {full_time:g} full-time jobs, as assumed."
        if full_time < 1
        else " Head count: a seasonal job counts like any other."
    )
