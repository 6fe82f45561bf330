"""How drivers of gains are told: rows as shown, and what they do and do not show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from evaluation.effects.driver_models import ALL
from evaluation.effects.regressors import OTHER
from evaluation.efficiency.spending import NO_TYPE
from evaluation.gains.result import IncomeGains
from evaluation.language import commas, mark, say, say_count, sentences
from evaluation.report.effects.driver_study import StudyDrivers
from evaluation.report.gains.study import StudyGains, name_counties
from evaluation.report.gains.words import (
    bars_words,
    effects_words,
    few_words,
    given_words,
    reason_words,
    show_p,
)
from evaluation.report.village_words import Shown, show_number

MOST_GROUPS = 6
"""Groups of a trait, beyond the one compared with, that are shown one by one."""

MODELS: dict[Hashable, str] = {
    ("alone", "equal"): mark("Alone"),
    ("alone", "precision"): mark("Alone, by precision"),
    ("together", "equal"): mark("All together"),
    ("comparison", "equal"): mark("In comparison villages"),
}
"""The regressions that are shown; said where they are."""

_MOST_REASONS = 3
_MONEY = ["estimate", "se", "conf_low", "conf_high"]
_NO_CAUSE = mark(
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
    against = [
        say("{level} against {reference}", level=name_group(level), reference=name_group(other))
        for level, other in zip(frame["level"], frame["reference"], strict=True)
    ]
    frame.insert(1, "what", np.where(frame["level"] != "", against, more))
    sizes = frame.groupby("trait")["level"].nunique()
    return frame.assign(n_groups=frame["trait"].map(sizes))


def name_group(name: str) -> str:
    """Name a group of villages, by the data's word but for those that have none."""
    return say(name) if name in (OTHER, NO_TYPE) else name


def _one_more(sd: float, shown: Shown | None) -> str:
    """Say how much a standard deviation is: "1 sd more (3.81 万元)"."""
    amount = show_number(sd)
    if shown is not None:
        amount = f"{show_number(sd / shown.divisor)} {shown.brief}".rstrip()
    return say("1 sd more ({amount})", amount=amount)


def driver_words(study: StudyDrivers, gains: StudyGains, data: pd.DataFrame) -> str:
    """Say what the rows show of which villages gained, and what they don't."""
    return sentences(
        *_reading(study),
        _variance_words(study),
        say(_NO_CAUSE),
        say(
            "Differences in gain a year: of numbers for one standard deviation more (in "
            "brackets), of groups against the one named."
        ),
        _comparison_words(data),
        *_trait_words(study),
        *_interval_words(study, gains, data),
    )


def figure_words(study: StudyDrivers, gains: StudyGains, data: pd.DataFrame) -> str:
    """Say what the figure shows; the rest is below the table of the same differences."""
    rows = data[(data["model"] == "alone") & (data["weighting"] == "equal")]
    return sentences(
        *_reading(study),
        say(_NO_CAUSE),
        say("{told}.", told=_capital(bars_words(rows, gains.level, study.found.cluster))),
        say("How to read the rows: below the table of the same differences."),
    )


def _capital(told: str) -> str:
    return f"{told[0].upper()}{told[1:]}"


def _reading(study: StudyDrivers) -> list[str]:
    tests, alpha = study.drivers.tests, study.found.options.alpha
    alone = tests[tests["model"] == "alone"]
    known = alone[alone["p_value"].notna()]
    traits = say_count("one trait", "{n} traits", len(alone))
    if known.empty:
        reason = reason_words(alone["reason"].iloc[0], study.found.cluster)
        told = mark("Whether any of {traits} goes with more than chance cannot be told: {why}.")
        return [say(told, traits=traits, why=reason)]
    held = known.loc[known["p_holm"] <= alpha, "trait"]
    if len(held):
        told = say_count(
            "Of {traits} one goes with a difference in gain beyond chance (p, Holm): {names}.",
            "Of {traits} {n} go with a difference in gain beyond chance (p, Holm): {names}.",
            len(held), traits=traits, names=commas(study.labels[trait] for trait in held),
        )  # fmt: skip
        return [told, _shared_words(study, held)]
    if len(known) == 1:
        return [
            say("That the trait goes with a difference in gain beyond chance is not shown.")
        ]
    plain = int((known["p_value"] <= alpha).sum())
    told = mark(
        "None of {traits} is shown to go with a difference in gain, once as many are looked at "
        "(p, Holm): none would be by itself, where chance alone gives {chance}."
    )
    if plain:
        told = mark(
            "None of {traits} is shown to go with a difference in gain, once as many are "
            "looked at (p, Holm): {n} would be by itself, where chance alone gives {chance}."
        )
    chance = f"{alpha * len(known):.1f}".rstrip("0").rstrip(".")
    return [say(told, traits=traits, n=plain, chance=chance)]


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
    return say(
        "Never treated villages, which gained nothing, differ in the same direction, with an "
        "interval without zero, by {names}: that difference is not, or not all, the "
        "programme's.",
        names=commas(named),
    )


def _variance_words(study: StudyDrivers) -> str:
    drivers = study.drivers
    share = drivers.true_share
    if not np.isfinite(share):
        return say("How much of the gains' differences is error is not known.")
    if share <= 0:
        return say("Villages' gains differ no more than their errors do: nothing is explained.")
    whole = drivers.tests.loc[drivers.tests["trait"] == ALL, "explained_true"]
    told = mark("Of the variance of villages' gains {share:.0%} is true, the rest error.")
    if whole.empty or np.isnan(whole.iloc[0]):
        return say(told, share=share)
    told = mark(
        "Of the variance of villages' gains {share:.0%} is true, the rest error; the traits "
        "taken together account for nothing of the true part."
    )
    if whole.iloc[0] > 0:
        told = mark(
            "Of the variance of villages' gains {share:.0%} is true, the rest error; the "
            "traits taken together account for {explained:.0%} of the true part."
        )
    return say(told, share=share, explained=whole.iloc[0])


def _comparison_words(data: pd.DataFrame) -> str:
    if not (data["model"] == "comparison").any():
        return ""
    return say(
        "In comparison villages: the same difference in what never treated villages gained in "
        "the years of treatment, where the truth is zero; what is there as well is not the "
        "programme's."
    )


def _trait_words(study: StudyDrivers) -> list[str]:
    """Say which traits are held out, are no baseline, or are left out."""
    held, words = study.drivers.held_out, [study.why_not_held_out]
    if held:
        words.append(
            say(
                "The outcome of {year} counts as a trait and gains are measured without that "
                "year, as chance in it would lower them; where errors last, some of that is "
                "left.",
                year=held[0],
            )
        )
    if study.during:
        names = commas(study.labels[name] for name in study.during)
        words.append(say("No baseline but part of the programme: {names}.", names=names))
    left: dict[str, list[str]] = {}
    for name, reason in study.drivers.reasons.items():
        told = reason_words(reason, study.found.cluster)
        left.setdefault(told, []).append(study.labels.get(name, name))
    words += [
        say("{name}: {told}.", name=commas(names), told=reason)
        for reason, names in left.items()
    ]
    return words


def _interval_words(
    study: StudyDrivers, gains: StudyGains, data: pd.DataFrame
) -> tuple[str, str]:
    rows = data[(data["model"] == "alone") & (data["weighting"] == "equal")]
    lacking = data[data["estimate"].notna() & data["conf_low"].isna()]
    reasons = [reason for reason in lacking["reason"].unique() if reason][:_MOST_REASONS]
    if rows["conf_low"].isna().all():
        reasons = []  # which are told already
    told = say("; ").join(reason_words(reason, study.found.cluster) for reason in reasons)
    none = say("Where there is no interval: {reasons}.", reasons=told) if told else ""
    return interval_note(rows, gains, study.found), none


def interval_note(rows: pd.DataFrame, gains: StudyGains, found: IncomeGains) -> str:
    """Say how intervals were made, or why there are none, and what they take as given."""
    told = bars_words(rows, gains.level, found.cluster)
    few = few_words(rows["reason"], found.options.alpha, found.cluster)
    return sentences(say("{told}.", told=_capital(told)), few, given_words(found))


def amount_words(gains: StudyGains, found: IncomeGains) -> tuple[str, str]:
    """Say what amounts are in, and which year effects gains were estimated with."""
    effects = effects_words(found)
    told = say("In {unit}, {effects}.", unit=gains.shown.unit, effects=effects)
    return told, gains.prices


def groups_words(
    data: pd.DataFrame, about: dict[Any, Any], found: IncomeGains
) -> tuple[str, ...]:
    """Say whether groups differ by more than chance, and which."""
    by, alpha, p = str(data.columns[0]), found.options.alpha, about["joint_p"]
    left = about["n_left_out"]
    rest = say("{n:,} villages with a gain have no group.", n=left) if left else ""
    if np.isnan(p):
        why = reason_words(about["joint_reason"], found.cluster)
        told = mark("Whether groups differ by more than chance cannot be told: {why}.")
        return say(told, why=why), rest
    differ = data.loc[data["p_romano_wolf"] <= alpha, by]
    told = mark("That groups differ by more than chance is not shown, nor that they are alike")
    if p <= alpha:
        told = mark("Groups differ by more than chance (none alone)")
        if len(differ):
            told = mark("Groups differ by more than chance ({names} from the rest)")
    many = len(data) > 2
    alike = mark("{told}: p {p} of all {n} gaining alike.")
    top = data.to_dict("records")[int(data["estimate"].to_numpy().argmax())]
    highest = mark("{name} has the highest mean, {mean}.")
    if many:
        highest = mark(
            "{name} has the highest mean, {mean}; of many groups the highest is so in part by "
            "chance."
        )
    return (
        say(
            alike if many else mark("{told}: p {p} of both gaining alike."),
            told=say(told, names=commas(map(name_group, differ))), p=show_p(p), n=len(data),
        ),
        say(highest, name=name_group(top[by]), mean=show_number(top["estimate"])),
        rest,
    )  # fmt: skip
