"""How effects are told: by which estimators, how far these agree, which to prefer and why."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.study import Study
from evaluation.effects.journal_words import HEADS, tell
from evaluation.effects.result import EffectsTable
from evaluation.effects.setup import Estimator
from evaluation.report.effects_study import StudyEffects
from evaluation.report.gain_words import effects_words, given_words, tell_gain, zero_words
from evaluation.report.village_words import Shown, show_number

NAMES: dict[Estimator, str] = {
    name: " ".join(head.split()) for name, head in HEADS["en"].items()
}
"""Estimators as tables and figures name them."""

WHY = (
    "Estimators differ in the years that they measure from, in whom they compare with, and in "
    "how they weigh villages and years."
)
_PREFER: dict[Estimator, str] = {
    "imputation": "imputation where paths before treatment are parallel, as it counts every "
    "treated village-year alike and averages the gains of the chapter before",
    "callaway_santanna": "Callaway, Sant'Anna, who measure from the last year before treatment "
    "alone, where only the last paths were parallel, but not after a bad year",
    "synthetic_did": "synthetic DiD where its weighted villages follow the treated ones in the "
    "years before (the gaps left of the line are near zero)",
    "matched_did": "matched DiD where villages with other covariates move in another way",
}
_STAGGERED = (
    "TWFE also compares with villages already treated and may weigh effects negatively "
    "(Goodman-Bacon 2021, doi:10.1016/j.jeconom.2021.03.014): do not rely on it where it "
    "stands apart."
)
_ONE_COHORT = (
    "As all treated villages start in one year, TWFE compares with untreated ones alone."
)


def headline(effects: StudyEffects) -> str:
    """Say the effect, by imputation if it was asked for, and what its interval leaves open."""
    table = effects.judged
    name = _lead(table)
    row: dict[str, Any] = dict(table.overall.loc[name])
    told = tell_gain(row, table.gains, effects.shown, effects.level)
    how = f", with {effects_words(table.gains)}," if effects.within else ""
    return (
        f"By {_tell(name)}{how} {_whose(row, table)} had {told} than they would have had "
        f"without the programme. {zero_words(row)} {given_words(table.gains)}"
    )


def _whose(row: dict[str, Any], table: EffectsTable) -> str:
    """Say of which villages an effect is, where it is not of all treated ones."""
    treated, known = table.setup.event_time >= 0, np.isfinite(table.setup.outcome)
    n, n_cells = int(table.setup.treated.sum()), int((treated & known).sum())
    if row["n_villages"] >= n:
        return "treated villages"
    return (
        f"for {row['n_villages']:,} of {n:,} treated villages, in {row['n_cells']:,} of their "
        f"{n_cells:,} treated village-years (it says nothing of the others), these"
    )


def agreement_words(table: EffectsTable, shown: Shown) -> str:
    """Say how far estimators agree, and whether their intervals overlap imputation's."""
    overall = table.overall.dropna(subset="estimate")
    if len(overall) < 2:
        return ""
    order = overall["estimate"].sort_values(kind="stable") / shown.divisor
    least, most = (
        f"{show_number(float(order.iloc[k]))} ({_tell(order.index[k])})" for k in (0, -1)
    )
    sign = ": they do not agree on the sign" if order.iloc[0] < 0 < order.iloc[-1] else ""
    return f"The {len(order)} estimates go from {least} to {most}{sign}. {_overlap(overall)}"


def _overlap(overall: pd.DataFrame) -> str:
    known = overall[overall["conf_low"].notna()]
    if "imputation" not in known.index or len(known) < 2:
        return ""
    base, others = known.loc["imputation"], known.drop(index="imputation")
    apart = others[
        (others["conf_low"] > base["conf_high"]) | (others["conf_high"] < base["conf_low"])
    ]
    gap = (others["estimate"] - base["estimate"]).abs()
    furthest = show_number(float(gap.max() / base["se"]))
    n, n_apart = len(others), len(apart)
    which = f"; not that of {_join(_tell(name) for name in apart.index)}" if n_apart else ""
    count = f"{n - n_apart} of the other {n} intervals" if n > 1 else "The other interval"
    if n > 1 and not n_apart:
        count = f"All {n} other intervals" if n > 2 else "Both other intervals"
    if n == n_apart:
        count, which = "No other interval", ""
    verb = "overlaps" if n - n_apart < 2 else "overlap"
    return (
        f"{count} {verb} that of imputation{which}. The furthest estimate "
        f"({_tell(gap.idxmax())}) is {furthest} standard errors of imputation away. "
        f"{_rest_on(overall)} of one panel, so that overlap is no test of whether they agree."
    )


def _rest_on(overall: pd.DataFrame) -> str:
    """Say on how many treated villages estimates rest."""
    fewest, most = (int(n) for n in overall["n_villages"].agg(["min", "max"]))
    if fewest == most:
        return f"Each rests on {most:,} treated villages"
    return f"They rest on {fewest:,} to {most:,} treated villages"


def difference_words(table: EffectsTable) -> str:
    """Say why estimators differ, and which to prefer where."""
    found = table.found
    if len(found) < 2:
        return ""
    cohorts = np.unique(table.setup.cohort[table.setup.treated])
    wheres = [words for name, words in _PREFER.items() if name in found]
    told = [WHY, f"Prefer {'; '.join(wheres)}."] if wheres else [WHY]
    told += [_STAGGERED if len(cohorts) > 1 else _ONE_COHORT] if "twfe" in found else []
    return " ".join(told)


def estimator_notes(table: EffectsTable) -> str:
    """Give what there is to know of each estimate."""
    told: dict[str, list[str]] = {}
    for name, found in table.found.items():
        if found.note:
            told.setdefault(tell(found.note, "en"), []).append(NAMES[name])
    return " ".join(f"{_join(names)}: {note}." for note, names in told.items())


def english_unit(shown: Shown) -> str:
    """Give a unit without Chinese, which LaTeX needs a package for."""
    return shown.unit.replace("万元", "10,000 yuan")


def chinese_unit(shown: Shown, price_year: int | None) -> str:
    """Give a unit in Chinese: "万元（2020 年价格）", "元的对数"."""
    unit = re.sub(r"^(log\w*) of (.+)", r"\2的对数", shown.brief).replace("yuan", "元")
    return f"{unit}（{price_year} 年价格）" if price_year else unit


def chinese_prices(study: Study) -> str:
    """Say in Chinese how money was brought to one year's prices; '' without money."""
    if study.prices is None:
        return ""
    if study.prices.basis == "real":
        return "金额在原始数据中已平减。"
    if study.prices.index is None:
        return "金额未平减。"
    china = study.prices.index == "china"
    return f"金额以{'全国居民消费价格指数' if china else study.prices.index}平减。"


def _lead(table: EffectsTable) -> Estimator:
    """Name the estimator that the headline is of."""
    return "imputation" if "imputation" in table.found else next(iter(table.found))


def _tell(name: Any) -> str:
    return "imputation" if name == "imputation" else NAMES[name]


def _join(names: Iterable[str]) -> str:
    *some, last = names
    return f"{', '.join(some)} and {last}" if some else last
