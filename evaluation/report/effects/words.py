"""How effects are told: by which estimators, how far these agree, which to prefer and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluation.effects.result import NAMES, EffectsTable
from evaluation.effects.setup import Estimator
from evaluation.language import listing, mark, say, say_count, sentences, spoken
from evaluation.report.digits import show_alike
from evaluation.report.effects.study import StudyEffects
from evaluation.report.gains.words import effects_words, given_words, tell_gain, zero_words
from evaluation.report.village_words import Shown

WHY = mark(
    "Estimators differ in the years that they measure from, in whom they compare with, and in "
    "how they weigh villages and years."
)
_PREFER: dict[Estimator, str] = {
    "imputation": mark(
        "imputation where paths before treatment are parallel, as it counts every treated "
        "village-year alike and averages the gains of the chapter before"
    ),
    "callaway_santanna": mark(
        "Callaway, Sant'Anna, who measure from the last year before treatment alone, where "
        "only the last paths were parallel, but not after a bad year"
    ),
    "synthetic_did": mark(
        "synthetic DiD where its weighted villages follow the treated ones in the years before "
        "(the gaps left of the line are near zero)"
    ),
    "matched_did": mark("matched DiD where villages with other covariates move in another way"),
}
_STAGGERED = mark(
    "TWFE also compares with villages already treated and may weigh effects negatively "
    "(Goodman-Bacon 2021, doi:10.1016/j.jeconom.2021.03.014): do not rely on it where it "
    "stands apart."
)
_ONE_COHORT = mark(
    "As all treated villages start in one year, TWFE compares with untreated ones alone."
)


def headline(effects: StudyEffects) -> str:
    """Say the effect, by imputation if it was asked for, and what its interval leaves open."""
    table = effects.judged
    name = _lead(table)
    row: dict[str, Any] = dict(table.overall.loc[name])
    told = mark(
        "By {name} {villages} had {gain} than they would have had without the programme."
    )
    if effects.within:
        told = mark(
            "By {name}, with {effects}, {villages} had {gain} than they would have had without "
            "the programme."
        )
    gain = tell_gain(row, table.gains, effects.shown, effects.level)
    return sentences(
        say(
            told, name=_tell(name), effects=effects_words(table.gains),
            villages=_whose(row, table), gain=gain,
        ),
        zero_words(row),
        given_words(table.gains),
    )  # fmt: skip


def _whose(row: dict[str, Any], table: EffectsTable) -> str:
    """Say of which villages an effect is, where it is not of all treated ones."""
    treated, known = table.setup.event_time >= 0, np.isfinite(table.setup.outcome)
    n = int(table.setup.treated.sum())
    if row["n_villages"] >= n:
        return say("treated villages")
    return say(
        "for {n:,} of {n_all:,} treated villages, in {cells:,} of their {cells_all:,} treated "
        "village-years (it says nothing of the others), these",
        n=row["n_villages"], n_all=n, cells=row["n_cells"],
        cells_all=int((treated & known).sum()),
    )  # fmt: skip


def agreement_words(table: EffectsTable, shown: Shown) -> str:
    """Say how far estimators agree, and whether their intervals overlap imputation's."""
    overall = table.overall.dropna(subset="estimate")
    if len(overall) < 2:
        return ""
    order = overall["estimate"].sort_values(kind="stable") / shown.divisor
    ends = order.iloc[[0, -1]]
    least, most = (
        say("{what} ({name})", what=what, name=_tell(name))
        for what, name in zip(show_alike(ends), ends.index, strict=True)
    )
    told = mark("The {n} estimates go from {least} to {most}.")
    if order.iloc[0] < 0 < order.iloc[-1]:
        told = mark(
            "The {n} estimates go from {least} to {most}: they do not agree on the sign."
        )
    return sentences(say(told, n=len(order), least=least, most=most), *_overlap(overall))


def _overlap(overall: pd.DataFrame) -> list[str]:
    known = overall[overall["conf_low"].notna()]
    if "imputation" not in known.index or len(known) < 2:
        return []
    base, others = known.loc["imputation"], known.drop(index="imputation")
    apart = others[
        (others["conf_low"] > base["conf_high"]) | (others["conf_high"] < base["conf_low"])
    ]
    gap = (others["estimate"] - base["estimate"]).abs()
    n, n_apart = len(others), len(apart)
    if n == n_apart:
        told = say("No other interval overlaps that of imputation.")
    elif n_apart:
        told = say_count(
            "{n} of the other {n_all} intervals overlaps that of imputation; not that of "
            "{names}.",
            "{n} of the other {n_all} intervals overlap that of imputation; not that of "
            "{names}.",
            n - n_apart, n_all=n, names=listing(map(_tell, apart.index)),
        )  # fmt: skip
    elif n < 3:
        told = say_count(
            "The other interval overlaps that of imputation.",
            "Both other intervals overlap that of imputation.",
            n,
        )
    else:
        told = say("All {n} other intervals overlap that of imputation.", n=n)
    return [
        told,
        say(
            "The furthest estimate ({name}) is {n} standard errors of imputation away.",
            name=_tell(gap.idxmax()), n=f"{gap.max() / base['se']:.1f}",
        ),
        _rest_on(overall),
    ]  # fmt: skip


def _rest_on(overall: pd.DataFrame) -> str:
    """Say on how many treated villages estimates rest."""
    fewest, most = (int(n) for n in overall["n_villages"].agg(["min", "max"]))
    if fewest == most:
        return say(
            "Each rests on {n:,} treated villages of one panel, so that overlap is no test of "
            "whether they agree.",
            n=most,
        )
    return say(
        "They rest on {fewest:,} to {most:,} treated villages of one panel, so that overlap is "
        "no test of whether they agree.",
        fewest=fewest, most=most,
    )  # fmt: skip


def difference_words(table: EffectsTable) -> str:
    """Say why estimators differ, and which to prefer where."""
    found = table.found
    if len(found) < 2:
        return ""
    cohorts = np.unique(table.setup.cohort[table.setup.treated])
    wheres = say("; ").join(say(words) for name, words in _PREFER.items() if name in found)
    return sentences(
        say(WHY),
        say("Prefer {wheres}.", wheres=wheres) if wheres else "",
        say(_STAGGERED if len(cohorts) > 1 else _ONE_COHORT) if "twfe" in found else "",
    )


def estimator_notes(table: EffectsTable) -> str:
    """Give what there is to know of each estimate."""
    told: dict[str, list[str]] = {}
    for name, found in table.found.items():
        if note := sentences(found.event_note, found.note):
            told.setdefault(note, []).append(say(NAMES[name]))
    return sentences(
        *(say("{name}: {told}", name=listing(names), told=note) for note, names in told.items())
    )


def journal_unit(shown: Shown) -> str:
    """Give a unit as a journal's table has it: in English without Chinese characters."""
    return shown.unit.replace("万元", "10,000 yuan") if spoken() == "en" else shown.unit


def _lead(table: EffectsTable) -> Estimator:
    """Name the estimator that the headline is of."""
    return "imputation" if "imputation" in table.found else next(iter(table.found))


def _tell(name: Any) -> str:
    return say("imputation") if name == "imputation" else say(NAMES[name])
