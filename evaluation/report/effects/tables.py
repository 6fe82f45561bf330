"""Tables of the average effect: by every estimator, and by years since treatment."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.decomposition import decompose_twfe
from evaluation.effects.estimate import tell_again
from evaluation.effects.journal_table import COMPARED, compared_with
from evaluation.effects.result import LABELS, NAMES, EffectsTable
from evaluation.language import Language, mark, say, sentences, speaking
from evaluation.report.absent import NeedsFound
from evaluation.report.cells import html_lines, html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.effects.study import StudyEffects
from evaluation.report.effects.words import (
    agreement_words,
    difference_words,
    estimator_notes,
    headline,
    journal_unit,
)
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import (
    ONE_AT_A_TIME,
    bars_words,
    effects_words,
    few_words,
    interval_cells,
    reason_words,
    show_interval,
    show_p,
)
from evaluation.report.village_words import money_note, show_number

_CAPTION = mark("The programme's average effect, by estimator")
_EVENTS = mark("Effects by years since treatment, by estimator")
_TWFE = mark("What two-way fixed effects compare, and how they weigh effects")
_MONEY = ["estimate", "se", "conf_low", "conf_high"]
_BANDS = ["band_low", "band_high"]


@NeedsFound("effects", _CAPTION)
def effects_table(effects: StudyEffects) -> Exhibit:
    """Show the average effect by every estimator, how far they agree, and which to prefer.

    Its files are the same table as journals print it, of the effects that have intervals.
    """
    judged, shown = effects.judged, effects.shown
    data = pd.concat([effect_rows(table, shown.divisor) for table in effects.tables])
    cells, notes = [], []
    for table in effects.tables:
        rows, told = _cells(table, effects)
        cells.append(rows if table is effects.main else rows[: len(table.found)])
        notes.append(told)
    files = say(
        "The files have the effects with {effects}, as journals print them, in English and in "
        "Chinese.",
        effects=effects_words(judged.gains),
    )
    note = sentences(
        headline(effects), agreement_words(judged, shown), difference_words(judged), *notes,
        estimator_notes(judged), say(ONE_AT_A_TIME), effects.why_not_common,
        effects.why_not_within, effects.differs, files, say("In {unit}.", unit=shown.unit),
        effects.gains.prices, money_note(shown),
    )  # fmt: skip
    return Exhibit(
        name="effects",
        kind="table",
        caption=say(_CAPTION),
        data=data.assign(
            name=[say(LABELS[name]) for name in data["estimator"]], unit=shown.unit
        ),
        body=html_table(pd.concat(cells), group="group"),
        simulated=effects.simulated,
        note=note,
        files=_journal_files(judged, effects),
    )


def effect_rows(table: EffectsTable, divisor: float) -> pd.DataFrame:
    """Give the average effects with how they were made, and estimators without one."""
    options, names = table.options, [*table.found, *table.reasons]
    frame = table.overall.reindex(names).drop(columns=_BANDS)
    frame["reason"] = frame["reason"].fillna(pd.Series(dict(table.reasons), dtype=object))
    frame[_MONEY] /= divisor
    frame.insert(0, "year_effects", options.year_effects)
    return frame.rename_axis("estimator").reset_index().assign(
        comparison=[compared_with(table, name) for name in names], cluster=options.cluster,
        note=[
            sentences(found.event_note, found.note) if (found := table.found.get(name)) else ""
            for name in names
        ],
    )  # fmt: skip


def _cells(table: EffectsTable, effects: StudyEffects) -> tuple[pd.DataFrame, str]:
    """Give a table's cells, and how their intervals were made."""
    cluster, options = table.options.cluster, table.options
    frame = effect_rows(table, effects.shown.divisor)
    words = effects_words(table.gains)
    with_effect = frame[frame["estimator"].isin(list(table.found))]
    decimals = shared_decimals(frame[_MONEY].drop(columns="se").to_numpy(float).ravel())
    intervals, shared = interval_cells(with_effect, 1, cluster, decimals=decimals)
    intervals += [
        Markup('<span class="gap">{}</span>').format(say("not estimated: {why}", why=reason))
        for reason in table.reasons.values()
    ]
    cells = pd.DataFrame(
        {
            "group": f"{words[0].upper()}{words[1:]}",
            say("Estimator"): [say(LABELS[name]) for name in frame["estimator"]],
            say("Effect"): show_alike(frame["estimate"], decimals=decimals),
            say("Standard error"): show_alike(frame["se"], decimals=decimals),
            say("Interval"): intervals,
            "p": [
                Markup('<span class="number">{}</span>').format(show_p(p))
                for p in frame["p_value"]
            ],
            say("Compared with"): [say(COMPARED[word]) for word in frame["comparison"]],
            say("Treated villages"): _count(frame["n_villages"]),
            say("Their village-years"): _count(frame["n_cells"]),
            say("Clusters"): _count(frame["n_clusters"]),
        },
        dtype=object,
    )
    bars = bars_words(with_effect, effects.level, cluster)
    told = [say("{name}: {told}.", name=f"{words[0].upper()}{words[1:]}", told=bars)]
    if shared and with_effect["conf_low"].notna().any():
        told.append(say("No interval: {why}.", why=shared))
    told.append(few_words(with_effect["reason"], options.alpha, cluster))
    return cells, sentences(*told)


def _count(column: pd.Series) -> list[str]:
    return [f"{n:,.0f}" if np.isfinite(n) else "" for n in column.astype(float)]


def _journal_files(table: EffectsTable, effects: StudyEffects) -> dict[str, bytes]:
    """Give the table as journals print it, in both languages."""
    files = {}
    for language in get_args(Language):
        with speaking(language):
            told, shown = tell_again(table), effects.shown
            style = {
                "divisor": shown.divisor, "unit": journal_unit(shown),
                "simulated": effects.simulated, "note": effects.gains.prices,
            }  # fmt: skip
            ending = "" if language == "en" else f"_{language}"
            files[f"{ending}.tex"] = told.to_latex(**style).encode()
            files[f"{ending}.docx"] = told.to_docx(**style)
    return files


@NeedsFound("effects_by_event_time", _EVENTS)
def effects_event_table(effects: StudyEffects) -> Exhibit:
    """Show effects by years since treatment by every estimator, with the years before."""
    table, shown = effects.judged, effects.shown
    events = event_rows(table, shown.divisor)
    times = sorted(events["event_time"].unique())
    cells = {
        "group": [
            say("Before treatment: should be zero") if h < 0 else say("Since treatment")
            for h in times
        ],
        say("Years since treatment"): [f"{h:+d}" if h else "0" for h in times],
    }
    decimals = shared_decimals(events[_MONEY].drop(columns="se").to_numpy(float).ravel())
    for name, rows in events.groupby("estimator", sort=False):
        rows = rows.set_index("event_time").reindex(times)
        head = say(NAMES[name])  # type: ignore[index]
        cells[head] = [_event_cell(row, decimals) for row in rows.to_dict("records")]
    reasons = events.loc[events["conf_low"].isna(), "reason"]
    why = {reason_words(reason, table.options.cluster) for reason in reasons if reason}
    bars = bars_words(events, effects.level, table.options.cluster)
    lacking = say("; ").join(sorted(why))
    note = sentences(
        say("{told}.", told=effects_words(table.gains).capitalize()),
        say("{told}.", told=bars.capitalize()),
        say("Where there is none: {reasons}.", reasons=lacking) if why else "",
        say(
            "An empty cell: the year that an estimator measures from, or one that it has "
            "nothing for."
        ),
        say(ONE_AT_A_TIME),
        say(
            "Bands that hold for all years of an estimator at once are in the table's file."
        ),
        say("In {unit}.", unit=shown.unit), effects.gains.prices, money_note(shown),
    )  # fmt: skip
    return Exhibit(
        name="effects_by_event_time",
        kind="table",
        caption=say(_EVENTS),
        data=events.assign(unit=shown.unit),
        body=html_table(pd.DataFrame(cells, dtype=object), group="group"),
        simulated=effects.simulated,
        note=note,
    )


def event_rows(table: EffectsTable, divisor: float) -> pd.DataFrame:
    """Give the event studies of all estimators, amounts as they are shown."""
    events = table.event_study()
    events[[*_MONEY, *_BANDS]] /= divisor
    return events


def _event_cell(row: dict[Any, Any], decimals: int) -> Markup:
    interval = show_interval(row["conf_low"], row["conf_high"], decimals=decimals)
    detail = Markup('<span class="detail number">{}</span>').format(interval)
    (effect,) = show_alike([row["estimate"]], decimals=decimals)
    return html_lines(effect, detail if interval else "")


@NeedsFound("twfe_decomposition", _TWFE)
def decomposition_table(effects: StudyEffects) -> Exhibit:
    """Show the comparisons of cohorts in the TWFE coefficient, and its weights of effects.

    Its data have both, and behind them what the table shows: their sums, named in ``part``.
    """
    table, shown = effects.judged, effects.shown
    found = decompose_twfe(table.setup)
    comparisons = found.comparisons.assign(part="comparison")
    comparisons["estimate"] /= shown.divisor
    weights = found.weights.assign(part="weight")
    kinds, times = found.by_kind, weights.groupby("event_time").sum(numeric_only=True)
    alike = times["n_cells"] / times["n_cells"].sum()
    counts = times[["n_negative", "n_cells"]].to_numpy()
    sums = [
        kinds.rename_axis("kind").reset_index().assign(part="comparisons of a kind"),
        times[["weight", "n_cells", "n_negative"]]
        .reset_index()
        .assign(part="weights of a year", share=alike.to_numpy()),
    ]
    sums[0]["estimate"] /= shown.divisor
    cells = [
        pd.DataFrame(
            {
                "group": say("Comparisons of cohorts"),
                "": list(map(say, kinds.index)),
                say("Weight"): [f"{weight:.1%}" for weight in kinds["weight"]],
                say("Estimate"): [show_number(x / shown.divisor) for x in kinds["estimate"]],
            },
            dtype=object,
        ),
        pd.DataFrame(
            {
                "group": say("Effects by years since treatment"),
                "": [f"{time:+d}" if time else "0" for time in times.index],
                say("Weight"): [f"{weight:.1%}" for weight in times["weight"]],
                say("Weight if all counted alike"): [f"{share:.1%}" for share in alike],
                say("Negative weights"): [
                    say("{n:,} of {n_all:,}", n=n, n_all=n_all) for n, n_all in counts
                ],
            },
            dtype=object,
        ),
    ]
    note = sentences(
        say("With {effects}.", effects=effects_words(table.gains)),
        *found.summary(effects.amounts).splitlines(),
        say(
            "Comparisons: Goodman-Bacon (2021, doi:10.1016/j.jeconom.2021.03.014); weights of "
            "village-years: de Chaisemartin, D'Haultfoeuille (2020, doi:10.1257/aer.20181169)."
        ),
        say("Every pair of cohorts and every cohort's weights are in the table's file."),
        say("Estimates in {unit}.", unit=shown.unit), effects.gains.prices, money_note(shown),
    )  # fmt: skip
    return Exhibit(
        name="twfe_decomposition",
        kind="table",
        caption=say(_TWFE),
        data=pd.concat([comparisons, weights, *sums]).assign(unit=shown.unit),
        body=html_table(pd.concat(cells[kinds.empty :]).fillna(""), group="group"),
        simulated=effects.simulated,
        note=note,
    )
