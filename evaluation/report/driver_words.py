"""How drivers of gains are told: rows as shown, and what they do and do not show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

import numpy as np
import pandas as pd

from evaluation.effects.driver_models import ALL
from evaluation.gains.result import IncomeGains
from evaluation.report.driver_study import StudyDrivers
from evaluation.report.gain_study import StudyGains, name_counties
from evaluation.report.gain_words import bars_words, few_words, given_words, reason_words
from evaluation.report.village_words import Shown, show_number

MOST_GROUPS = 6
"""Groups of a trait, beyond the one compared with, that are shown one by one."""

MODELS: dict[Hashable, str] = {
    ("alone", "equal"): "Alone",
    ("alone", "precision"): "Alone, by precision",
    ("together", "equal"): "All together",
    ("comparison", "equal"): "In comparison villages",
}
"""The regressions that are shown."""

_MOST_REASONS = 3
_MONEY = ["estimate", "se", "conf_low", "conf_high"]
_NO_CAUSE = (
    "Which villages gained is not why they did: villages that differ in one thing differ in "
    "others too."
)


def scale_rows(study: StudyDrivers, gains: StudyGains) -> pd.DataFrame:
    """Give the coefficients as they are shown.

    Returns
    -------
    The columns of `Drivers.frame`, amounts of numbers for one standard deviation and divided as
    shown, and label (of the trait), what (is compared), n_groups (of the trait).
    """
    frame = study.drivers.frame.copy()
    scale = frame["sd"].fillna(1) / gains.shown.divisor
    frame[_MONEY] = frame[_MONEY].astype(float).mul(scale, axis=0)
    county = frame["trait"] == "county"
    for name in ("level", "reference"):
        words = pd.Index(frame.loc[county, name])
        frame.loc[county, name] = name_counties(gains.study_data.study, words)
    frame.insert(0, "label", frame["trait"].map(lambda trait: study.labels.get(trait, trait)))
    more = [
        _one_more(float(sd), study.units.get(trait))
        for trait, sd in zip(frame["trait"], frame["sd"], strict=True)
    ]
    against = frame["level"] + " against " + frame["reference"]
    frame.insert(1, "what", against.where(frame["level"] != "", more))
    sizes = frame.groupby("trait")["level"].nunique()
    return frame.assign(n_groups=frame["trait"].map(sizes))


def _one_more(sd: float, shown: Shown | None) -> str:
    """Say how much a standard deviation is: "1 sd more (3.81 万元)"."""
    if shown is None:
        return f"1 sd more ({show_number(sd)})"
    return f"1 sd more ({show_number(sd / shown.divisor)} {shown.brief}".rstrip() + ")"


def driver_words(study: StudyDrivers, gains: StudyGains, data: pd.DataFrame) -> str:
    """Say what the rows show of which villages gained, and what they don't."""
    return (
        f"{_reading(study)} {_variance_words(study)} {_NO_CAUSE} Differences in gain a year: "
        "of numbers for one standard deviation more (in brackets), of groups against the one "
        f"named. {_comparison_words(data)} {_trait_words(study)} "
        f"{_interval_words(study, gains, data)}"
    )


def _reading(study: StudyDrivers) -> str:
    tests, alpha = study.drivers.tests, study.found.options.alpha
    alone = tests[tests["model"] == "alone"]
    known = alone[alone["p_value"].notna()]
    n = f"{len(alone)} traits" if len(alone) > 1 else "one trait"
    if known.empty:
        reason = reason_words(alone["reason"].iloc[0], study.found.cluster)
        return f"Whether any of {n} goes with more than chance cannot be told: {reason}."
    held = [study.labels[t] for t in known.loc[known["p_holm"] <= alpha, "trait"]]
    plain = int((known["p_value"] <= alpha).sum())
    chance = f"{alpha * len(known):.1f}".rstrip("0").rstrip(".")
    if held:
        go = "one goes" if len(held) == 1 else f"{len(held)} go"
        shared = _shared_words(study, known.loc[known["p_holm"] <= alpha, "trait"])
        return (
            f"Of {n} {go} with a difference in gain beyond chance (p, Holm): "
            f"{', '.join(held)}. {shared}"
        )
    if len(known) == 1:
        return "That the trait goes with a difference in gain beyond chance is not shown."
    return (
        f"None of {n} is shown to go with a difference in gain, once as many are looked at (p, "
        f"Holm): {plain or 'none'} would be by itself, where chance alone gives {chance}."
    )


def _shared_words(study: StudyDrivers, traits: Iterable[str]) -> str:
    """Say of which traits never treated villages show the same difference, beyond chance."""
    frame = study.drivers.frame
    frame = frame[frame["weighting"] == "equal"].set_index(["trait", "level"])
    alone, beside = (frame[frame["model"] == model] for model in ("alone", "comparison"))
    away = (beside["conf_low"] > 0) | (beside["conf_high"] < 0)
    same = np.sign(beside["estimate"]) == np.sign(alone["estimate"].reindex(beside.index))
    shared = set(beside.index[away & same].get_level_values("trait"))
    named = [study.labels[trait] for trait in traits if trait in shared]
    if not named:
        return ""
    return (
        f"Never treated villages, which gained nothing, differ in the same direction, with an "
        f"interval without zero, by {', '.join(named)}: that difference is not, or not all, "
        "the programme's."
    )


def _variance_words(study: StudyDrivers) -> str:
    drivers = study.drivers
    share = drivers.true_share
    if not np.isfinite(share):
        return "How much of the gains' differences is error is not known."
    if share <= 0:
        return "Villages' gains differ no more than their errors do: nothing is explained."
    words = f"Of the variance of villages' gains {share:.0%} is true, the rest error"
    whole = drivers.tests.loc[drivers.tests["trait"] == ALL, "explained_true"]
    if whole.empty or np.isnan(whole.iloc[0]):
        return f"{words}."
    told = f"{whole.iloc[0]:.0%}" if whole.iloc[0] > 0 else "nothing"
    return f"{words}; the traits taken together account for {told} of the true part."


def _comparison_words(data: pd.DataFrame) -> str:
    if not (data["model"] == "comparison").any():
        return ""
    return (
        "In comparison villages: the same difference in what never treated villages gained in "
        "the years of treatment, where the truth is zero; what is there as well is not the "
        "programme's."
    )


def _trait_words(study: StudyDrivers) -> str:
    """Say which traits are held out, are no baseline, or are left out."""
    held, words = study.drivers.held_out, [study.why_not_held_out]
    if held:
        words.append(
            f"The outcome of {held[0]} counts as a trait and gains are measured without that "
            "year, as chance in it would lower them; where errors last, some of that is left."
        )
    if study.during:
        names = ", ".join(study.labels[name] for name in study.during)
        words.append(f"No baseline but part of the programme: {names}.")
    left: dict[str, list[str]] = {}
    few = "not among all together, as villages are too few"
    for name, reason in study.drivers.reasons.items():
        told = few if "too few" in reason else reason_words(reason, study.found.cluster)
        left.setdefault(told, []).append(study.labels.get(name, name))
    words += [f"{', '.join(names)}: {reason}." for reason, names in left.items()]
    return " ".join(filter(None, words))


def _interval_words(study: StudyDrivers, gains: StudyGains, data: pd.DataFrame) -> str:
    rows = data[(data["model"] == "alone") & (data["weighting"] == "equal")]
    lacking = data[data["estimate"].notna() & data["conf_low"].isna()]
    reasons = [reason for reason in lacking["reason"].unique() if reason][:_MOST_REASONS]
    if rows["conf_low"].isna().all():
        reasons = []  # which are told already
    told = [reason_words(reason, study.found.cluster) for reason in reasons]
    none = f"Where there is no interval: {'; '.join(told)}." if told else ""
    return f"{interval_note(rows, gains, study.found)} {none}"


def interval_note(rows: pd.DataFrame, gains: StudyGains, found: IncomeGains) -> str:
    """Say how intervals were made, or why there are none, and what they take as given."""
    told = bars_words(rows, gains.level, found.cluster)
    few = few_words(rows["reason"], found.options.alpha, found.cluster)
    return f"{told[0].upper()}{told[1:]}. {few} {given_words(found)}"
