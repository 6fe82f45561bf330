"""The summary of a panel: effect, checks, money, single villages; or changes, or neither."""

from __future__ import annotations

from collections import Counter

from evaluation.language import listing, say, say_count, sentences
from evaluation.report.page.summary_effect import (
    main_effect,
    side_of_zero,
    tell_effect,
    tell_method,
    tell_range,
    title_of,
)
from evaluation.report.page.summary_parts import (
    Evidence,
    Point,
    is_known,
    tell_numbers,
    tell_share,
)

_CAUGHT = 0.8  # the power that the check of what a test would miss is told at


def find_effect(evidence: Evidence) -> list[Point]:
    """Say the average effect, what estimators agree on, gain per yuan, single villages."""
    main = main_effect(evidence)
    if main is None:
        reason = evidence.reason("effects")
        told = say("No effect can be estimated: {reason}", reason=reason) if reason else ""
        return evidence.point(told, "effects")
    return [
        *evidence.point(tell_effect(evidence, main), "effects", "robustness"),
        *evidence.point(tell_range(evidence, main), "effects_plot", "effects"),
        *evidence.point(_tell_per_yuan(evidence), "gain_per_yuan_by_county"),
        *evidence.point(_tell_villages(evidence), "village_gains"),
    ]


def doubt_effect(evidence: Evidence) -> list[Point]:
    """Say how sure one can be of the effect."""
    main = main_effect(evidence)
    if main is None:
        return []
    return [
        *evidence.point(_tell_checks(evidence), "robustness"),
        *evidence.point(tell_method(evidence, main), "effects"),
        *evidence.point(_tell_missed_trend(evidence), "check_pre_trend_power"),
        *evidence.point(_tell_known(evidence), "coverage"),
    ]


def warn_of_effect(evidence: Evidence) -> list[Point]:
    """Say what is not to be concluded from the effect."""
    main = main_effect(evidence)
    if main is None:
        return []
    cause = say(
        "Not that the programme is proved to be the cause: it is if villages would have "
        "changed alike without it, and if what is done in one does not reach another. No check "
        "can show that."
    )
    none = say(
        "Not that there is no effect: all that the interval holds is compatible with the data."
    )
    ranks = say(
        "Not that the villages with the largest gains are the best: part of such a gain is "
        "luck, and a village's place in a list is uncertain."
    )
    average = say(
        "Not that the next yuan would gain as much: the gain per yuan is an average over all "
        "money, and villages with more money differ in more than money."
    )
    lasting = say(
        "Not that a gain lasts: costs and benefits rest on assumed horizons, discount rates "
        "and losses of the gain."
    )
    why = say(
        "Not why some villages gained more: those that differ in one trait differ in others."
    )
    has_zero, rows = side_of_zero(main) == 0, evidence.rows
    return [
        *evidence.point(cause, "check_pre_trend", "robustness"),
        *evidence.point(none if has_zero else "", "effects"),
        *evidence.point(ranks if rows("village_gains") else "", "selected_villages"),
        *evidence.point(average if rows("marginal_returns") else "", "marginal_returns"),
        *evidence.point(lasting if rows("cost_benefit_grid") else "", "cost_benefit_grid"),
        *evidence.point(why if rows("drivers") else "", "drivers"),
    ]


def _tell_per_yuan(evidence: Evidence) -> str:
    rows = evidence.rows("gain_per_yuan_by_county")
    all_ = evidence.first("gain_per_yuan_by_county", county="all")
    row = all_ or (rows[0] if len(rows) == 1 else None)  # all is one county in a report on it
    if row is None or not is_known(row, "per_yuan"):
        return ""
    kind = row["kind"]
    if kind == "none":
        interval = say("no interval: {why}", why=row["reason"])
    elif kind == "bounded":
        low, high = tell_numbers([row["low"], row["high"]], row["low"], row["high"])
        interval = say("{level} set {low} to {high}", level=evidence.level, low=low, high=high)
    else:
        interval = say("its {level} set has no end: it is not known", level=evidence.level)
    ends = (row["low"], row["high"]) if kind == "bounded" else ()
    return say(
        "For each yuan of recorded money, {n:,} treated villages had an estimated {size} yuan "
        "a year of gain ({interval}), on average over all money.",
        n=int(row["n_villages"]),
        size=tell_numbers([row["per_yuan"]], *ends)[0],
        interval=interval,
    )


def _tell_villages(evidence: Evidence) -> str:
    rows = evidence.rows("village_gains")
    gains = [row for row in rows if is_known(row, "gain")]
    judged = [row for row in gains if is_known(row, "conf_low", "conf_high")]
    if not rows:
        return ""
    told = say(
        "Of {n:,} treated villages {gains:,} have a gain of their own, {judged:,} of them with "
        "an interval.",
        n=len(rows),
        gains=len(gains),
        judged=len(judged),
    )
    if not judged:
        why = Counter(str(row["reason"]) for row in gains if row.get("reason")).most_common(1)
        return sentences(
            told, say("The most frequent reason: {why}.", why=why[0][0]) if why else ""
        )
    sides = [side_of_zero(row) for row in judged]
    return sentences(
        told,
        say(
            "{above:,} of these intervals lie above zero and {below:,} below; each holds by "
            "itself, and without any effect about {alpha} of them would exclude zero.",
            above=sides.count(1),
            below=sides.count(-1),
            alpha=tell_share(evidence.alpha),
        ),
    )


def _tell_checks(evidence: Evidence) -> str:
    rows = evidence.rows("robustness")
    if not rows:
        return ""
    by = {
        verdict: [row for row in rows if row["verdict"] == verdict]
        for verdict in ("passed", "failed", "informational", "not possible")
    }
    titles = {verdict: listing(map(title_of, some)) for verdict, some in by.items()}
    told = [
        say(
            "Of {n} checks {passed} passed and {failed} failed.",
            n=len(rows),
            passed=len(by["passed"]),
            failed=len(by["failed"]),
        )
    ]
    for row in by["failed"]:
        meaning = str(row["if_failed"])
        told.append(
            say("{check} has failed: {meaning}.", check=title_of(row), meaning=say(meaning))
        )
    if not by["failed"]:
        told.append(say("A check sees only what it looks for."))
    if by["informational"]:
        told.append(
            say(
                "{n} without a verdict, left to you to judge: {checks}.",
                n=len(by["informational"]),
                checks=titles["informational"],
            )
        )
    if by["not possible"]:
        told.append(
            say(
                "{n} not possible with these data: {checks}.",
                n=len(by["not possible"]),
                checks=titles["not possible"],
            )
        )
    return sentences(*told)


def _tell_missed_trend(evidence: Evidence) -> str:
    row = evidence.first("check_pre_trend_power", power=_CAUGHT)
    if row is None or not is_known(row, "share_of_effect"):
        return ""
    return say(
        "Had treated villages been on a trend of their own, just steep enough for the test of "
        "the years before treatment to miss it one time in five, it would by itself look like "
        "{share} of the effect.",
        share=tell_share(abs(row["share_of_effect"])),
    )


def _tell_known(evidence: Evidence) -> str:
    rows = evidence.rows("coverage")
    if not rows:
        return ""
    share = sum(row["n_known"] for row in rows) / sum(row["n_villages"] for row in rows)
    return say(
        "The outcome is known in {share} of villages and years.", share=tell_share(share)
    )


def find_change(evidence: Evidence) -> list[Point]:
    """Say how incomes of treated villages changed, where there are none to compare with."""
    row = evidence.first("trend_bounds", level="programme")
    if row is None or not is_known(row, "change_lower", "change_upper", "years_between"):
        return []
    change = _tell_span(row["change_lower"], row["change_upper"])
    told = say_count(
        "From before to after, the outcome of {n} treated village changed by {change} "
        "({unit}), over {years} years on average.",
        "From before to after, the outcome of {n:,} treated villages changed by {change} "
        "({unit}) on average, over {years} years.",
        int(row["n_villages"]),
        change=change,
        unit=row["unit"],
        years=tell_numbers([row["years_between"]])[0],
    )
    return evidence.point(told, "trend_bounds")


def doubt_change(evidence: Evidence) -> list[Point]:
    """Say what a trend leaves of a change, and which trend would explain all of it."""
    row = evidence.first("trend_bounds", level="programme")
    if row is None or not is_known(row, "lower", "upper", "break_even_lower"):
        return []
    told = say(
        "Had incomes risen anyway by up to {trend} yuan a village and year, which is assumed, "
        "{left} of the change would be left ({unit}). A rise of {even} a year without the "
        "programme would explain all of it.",
        trend=f"{evidence.trend_max:,.0f}",
        left=_tell_span(row["lower"], row["upper"]),
        unit=row["unit"],
        even=_tell_span(row["break_even_lower"], row["break_even_upper"]),
    )
    return evidence.point(told, "trend_bounds")


def warn_of_change(evidence: Evidence) -> list[Point]:
    """Say that a change is no effect."""
    told = say(
        "Not that the programme made this change: no village without it is there to compare "
        "with, and the data do not say how incomes would have moved."
    )
    return evidence.point(told, "trend_bounds", "evidence_ladder")


def _tell_span(low: float, high: float) -> str:
    """Tell a number known exactly, or between two ends."""
    told = list(dict.fromkeys(tell_numbers([low, high], digits=3)))
    return say("{low} to {high}", low=told[0], high=told[1]) if told[1:] else told[0]
