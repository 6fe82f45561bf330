"""The summary's sentences on the average effect: its size, its interval, who agrees."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from evaluation.effects.result import LABELS
from evaluation.language import listing, say, say_count, sentences, spoken
from evaluation.report.gains.words import method_words, reason_words
from evaluation.report.page.summary_parts import Evidence, Row, is_known, tell_numbers


def main_effect(evidence: Evidence) -> Row | None:
    """Give the imputation estimate that the checks are about: with an interval if one has."""
    rows = [
        row
        for row in evidence.rows("effects")
        if row["estimator"] == "imputation" and is_known(row, "estimate")
    ]
    with_interval = [row for row in rows if is_known(row, "conf_low", "conf_high")]
    return next(iter([*with_interval, *rows]), None)


def tell_effect(evidence: Evidence, main: Row) -> str:
    """Say the average effect with its interval, and all that speaks against it."""
    checks = evidence.rows("robustness")
    failed = [title_of(row) for row in checks if row["verdict"] == "failed"]
    n, n_treated = int(main["n_villages"]), len(evidence.rows("village_gains"))
    outcome = evidence.first("summary_statistics", role="outcome")
    return sentences(
        say(
            "The average effect on {outcome} is estimated at {size} a village and treated year "
            "({unit}; {interval}; imputation, {n:,} treated villages).",
            outcome=outcome["label"] if outcome else say("the outcome"),
            size=_tell([main["estimate"]], main)[0],
            unit=main["unit"],
            interval=_tell_interval(main, evidence.level),
            n=n,
        ),
        "万元: 10,000 yuan." if "万元" in main["unit"] and spoken() == "en" else "",
        _tell_zero(main),
        say_count(
            "It says nothing of {n} other treated village.",
            "It says nothing of {n:,} other treated villages.",
            n_treated - n,
        )
        if n_treated > n
        else "",
        say_count(
            "{n} check failed, which puts it in doubt: {checks}.",
            "{n} checks failed, which puts it in doubt: {checks}.",
            len(failed),
            checks=listing(failed),
        )
        if failed
        else "",
    )


def tell_range(evidence: Evidence, main: Row) -> str:
    """Say how far the estimators agree."""
    rows = [
        row
        for row in evidence.rows("effects")
        if row["year_effects"] == main["year_effects"] and is_known(row, "estimate")
    ]
    if len(rows) == 1:
        return ""
    rows.sort(key=lambda row: float(row["estimate"]))
    low, high = _tell([row["estimate"] for row in (rows[0], rows[-1])], main)
    sides = Counter(side_of_zero(row) for row in rows)
    villages = [int(row["n_villages"]) for row in rows]
    first, last = rows[0]["estimator"], rows[-1]["estimator"]
    return sentences(
        say(
            "The {n} estimators that these data allow go from {low} to {high}; lowest: "
            "{least}; highest: {most}.",
            n=len(rows),
            low=low,
            least=say(LABELS[first]),
            high=high,
            most=say(LABELS[last]),
        ),
        say(
            "Intervals that exclude zero: {k} of {n}. They rest on {fewest:,} to {most:,} "
            "treated villages of one panel: that they agree is no independent evidence.",
            fewest=min(villages),
            most=max(villages),
            k=sides[1] + sides[-1],
            n=len(rows) - sides[None],
        ),
    )


def tell_method(evidence: Evidence, main: Row) -> str:
    """Say how the interval was made, and with which year effects there is none."""
    if side_of_zero(main) is None:
        return say("The average effect has no interval: {why}.", why=_why_none(main))
    how = method_words(dict(main), str(main["cluster"]))
    told = say("How the interval of the average effect was made: {how}.", how=how)
    if main["year_effects"] != "county":
        return told
    common = evidence.first("effects", estimator="imputation", year_effects="common")
    return sentences(
        told,
        say("It compares villages within their county alone, and takes the counties as given."),
        say(
            "With year effects common to all counties there is none: {why}.",
            why=_why_none(common),
        )
        if common and side_of_zero(common) is None
        else "",
    )


def side_of_zero(row: Row) -> int | None:
    """Say whether an interval is above zero (1), below (-1), holds it (0), or is not there."""
    if not is_known(row, "conf_low", "conf_high"):
        return None
    return 1 if row["conf_low"] > 0 else -1 if row["conf_high"] < 0 else 0


def title_of(check: Row) -> str:
    """Give a check's title in quotes."""
    title = str(check["check"])
    return say("“{title}”", title=say(title))


def is_log(unit: str) -> bool:
    """Whether a unit is that of logarithms to which no one was added."""
    before, _, after = say("log of {unit}").partition("{unit}")
    return unit.startswith(before) and after in unit


def _tell(numbers: Iterable[float], main: Row) -> list[str]:
    """Tell numbers as finely as an estimate's interval allows; of logarithms in per cent."""
    ends = [main["conf_low"], main["conf_high"]] if side_of_zero(main) is not None else []
    if not is_log(str(main["unit"])):
        return tell_numbers(numbers, *ends, sign=True)
    shares = [100 * math.expm1(number) for number in numbers]
    told = tell_numbers(shares, *(100 * math.expm1(end) for end in ends), sign=True)
    return [f"{share}%" for share in told]


def _tell_interval(main: Row, level: str) -> str:
    if side_of_zero(main) is None:
        return say("no interval: {why}", why=_why_none(main))
    low, high = _tell([main["conf_low"], main["conf_high"]], main)
    return say("{level} interval {low} to {high}", level=level, low=low, high=high)


def _tell_zero(main: Row) -> str:
    return {
        None: say("Without an interval it is not known whether this differs from chance."),
        0: say("The interval includes zero: no effect is shown."),
    }.get(side_of_zero(main), say("The interval excludes zero."))


def _why_none(row: Row) -> str:
    return reason_words(row.get("reason") or say("not known"), str(row.get("cluster", "")))
