"""Tables of the average effect: by every estimator, and by years since treatment."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.effects.decomposition import decompose_twfe
from evaluation.effects.journal_table import compared_with
from evaluation.effects.journal_words import WORDS
from evaluation.effects.result import LABELS, EffectsTable
from evaluation.report.absent import NeedsFound
from evaluation.report.effects_study import StudyEffects
from evaluation.report.effects_words import (
    NAMES,
    agreement_words,
    chinese_prices,
    chinese_unit,
    difference_words,
    english_unit,
    estimator_notes,
    headline,
)
from evaluation.report.exhibits import Exhibit, html_lines, html_table
from evaluation.report.gain_words import (
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

_CAPTION = "The programme's average effect, by estimator"
_EVENTS = "Effects by years since treatment, by estimator"
_TWFE = "What two-way fixed effects compare, and how they weigh effects"
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
    note = (
        f"{headline(effects)} {agreement_words(judged, shown)} {difference_words(judged)} "
        f"{' '.join(notes)} {estimator_notes(judged)} {ONE_AT_A_TIME} {effects.why_not_common} "
        f"{effects.why_not_within} {effects.differs} The files have the effects with "
        f"{effects_words(judged.gains)}, as journals print them, in English and in Chinese. "
        f"In {shown.unit}. {effects.gains.prices} {money_note(shown)}"
    )
    return Exhibit(
        name="effects",
        kind="table",
        caption=_CAPTION,
        data=data.assign(unit=shown.unit),
        body=html_table(pd.concat(cells), group="group"),
        simulated=effects.simulated,
        note=" ".join(note.split()),
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
        note=[getattr(table.found.get(name), "note", "") for name in names],
    )  # fmt: skip


def _cells(table: EffectsTable, effects: StudyEffects) -> tuple[pd.DataFrame, str]:
    """Give a table's cells, and how their intervals were made."""
    cluster, options = table.options.cluster, table.options
    frame = effect_rows(table, effects.shown.divisor)
    words = effects_words(table.gains)
    with_effect = frame[frame["estimator"].isin(list(table.found))]
    intervals, shared = interval_cells(with_effect, 1, cluster)
    intervals += [
        Markup('<span class="gap">not estimated: {}</span>').format(reason)
        for reason in table.reasons.values()
    ]
    cells = pd.DataFrame(
        {
            "group": f"{words[0].upper()}{words[1:]}",
            "Estimator": [LABELS[name] for name in frame["estimator"]],
            "Effect": [show_number(value) for value in frame["estimate"]],
            "Standard error": [show_number(value) for value in frame["se"]],
            "Interval": intervals,
            "p": [
                Markup('<span class="number">{}</span>').format(show_p(p))
                for p in frame["p_value"]
            ],
            "Compared with": [WORDS["en"][word] for word in frame["comparison"]],
            "Treated villages": _count(frame["n_villages"]),
            "Their village-years": _count(frame["n_cells"]),
            "Clusters": _count(frame["n_clusters"]),
        },
        dtype=object,
    )
    bars = bars_words(with_effect, effects.level, cluster)
    told = [f"{words[0].upper()}{words[1:]}: {bars}."]
    told += [f"No interval: {shared}."] if shared and "no intervals" not in bars else []
    told.append(few_words(with_effect["reason"], options.alpha, cluster))
    return cells, " ".join(told)


def _count(column: pd.Series) -> list[str]:
    return [f"{n:,.0f}" if np.isfinite(n) else "" for n in column.astype(float)]


def _journal_files(table: EffectsTable, effects: StudyEffects) -> dict[str, bytes]:
    """Give the table as journals print it, in both languages."""
    shown, study = effects.shown, effects.study_data.study
    prices = chinese_prices(study) if effects.gains.prices else ""
    english = {"unit": english_unit(shown), "note": effects.gains.prices}
    chinese = {"unit": chinese_unit(shown, effects.gains.panel.price_year), "note": prices}
    files = {}
    for ending, words in (("", english), ("_zh", {"language": "zh", **chinese})):
        style = {"divisor": shown.divisor, "simulated": effects.simulated, **words}
        files[f"{ending}.tex"] = table.to_latex(**style).encode()
        files[f"{ending}.docx"] = table.to_docx(**style)
    return files


@NeedsFound("effects_by_event_time", _EVENTS)
def effects_event_table(effects: StudyEffects) -> Exhibit:
    """Show effects by years since treatment by every estimator, with the years before."""
    table, shown = effects.judged, effects.shown
    events = event_rows(table, shown.divisor)
    times = sorted(events["event_time"].unique())
    cells = {
        "group": ["Before treatment: should be zero" if h < 0 else "Since" for h in times],
        "Years since treatment": [f"{h:+d}" if h else "0" for h in times],
    }
    for name, rows in events.groupby("estimator", sort=False):
        rows = rows.set_index("event_time").reindex(times)
        cells[NAMES[name]] = [_event_cell(row) for row in rows.to_dict("records")]  # type: ignore[index]
    reasons = events.loc[events["conf_low"].isna(), "reason"]
    why = {reason_words(reason, table.options.cluster) for reason in reasons if reason}
    note = (
        f"{effects_words(table.gains).capitalize()}. "
        f"{bars_words(events, effects.level, table.options.cluster).capitalize()}. "
        f"{'Where there is none: ' + '; '.join(sorted(why)) + '.' if why else ''} "
        f"An empty cell: the year that an estimator measures from, or one that it has nothing "
        f"for. {ONE_AT_A_TIME} Bands that hold for all years of an estimator at once are in "
        f"the table's file. In {shown.unit}. {effects.gains.prices} {money_note(shown)}"
    )
    return Exhibit(
        name="effects_by_event_time",
        kind="table",
        caption=_EVENTS,
        data=events.assign(unit=shown.unit),
        body=html_table(pd.DataFrame(cells, dtype=object), group="group"),
        simulated=effects.simulated,
        note=" ".join(note.split()),
    )


def event_rows(table: EffectsTable, divisor: float) -> pd.DataFrame:
    """Give the event studies of all estimators, amounts as they are shown."""
    events = table.event_study()
    events[[*_MONEY, *_BANDS]] /= divisor
    return events


def _event_cell(row: dict[Any, Any]) -> Markup:
    interval = show_interval(row["conf_low"], row["conf_high"])
    detail = Markup('<span class="detail number">{}</span>').format(interval)
    return html_lines(show_number(row["estimate"]), detail if interval else "")


@NeedsFound("twfe_decomposition", _TWFE)
def decomposition_table(effects: StudyEffects) -> Exhibit:
    """Show the comparisons of cohorts in the TWFE coefficient, and its weights of effects."""
    table, shown = effects.judged, effects.shown
    found = decompose_twfe(table.setup)
    comparisons = found.comparisons.assign(part="comparison")
    comparisons["estimate"] /= shown.divisor
    weights = found.weights.assign(part="weight")
    kinds, times = found.by_kind, weights.groupby("event_time").sum(numeric_only=True)
    alike = times["n_cells"] / times["n_cells"].sum()
    counts = times[["n_negative", "n_cells"]].to_numpy()
    cells = [
        pd.DataFrame(
            {
                "group": "Comparisons of cohorts",
                "": kinds.index,
                "Weight": [f"{weight:.1%}" for weight in kinds["weight"]],
                "Estimate": [show_number(x / shown.divisor) for x in kinds["estimate"]],
            }
        ),
        pd.DataFrame(
            {
                "group": "Effects by years since treatment",
                "": [f"{time:+d}" if time else "0" for time in times.index],
                "Weight": [f"{weight:.1%}" for weight in times["weight"]],
                "Weight if all counted alike": [f"{share:.1%}" for share in alike],
                "Negative weights": [f"{n:,} of {n_all:,}" for n, n_all in counts],
            }
        ),
    ]
    told = found.summary(effects.amounts)
    note = (
        f"With {effects_words(table.gains)}. {told} Comparisons: Goodman-Bacon (2021, "
        "doi:10.1016/j.jeconom.2021.03.014); weights of village-years: de Chaisemartin, "
        f"D'Haultfoeuille (2020, doi:10.1257/aer.20181169). Every pair of cohorts and every "
        f"cohort's weights are in the table's file. Estimates in {shown.unit}. "
        f"{effects.gains.prices} {money_note(shown)}"
    )
    return Exhibit(
        name="twfe_decomposition",
        kind="table",
        caption=_TWFE,
        data=pd.concat([comparisons, weights]).assign(unit=shown.unit),
        body=html_table(pd.concat(cells).fillna(""), group="group"),
        simulated=effects.simulated,
        note=" ".join(note.split()),
    )
