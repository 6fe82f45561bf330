"""What the years before treatment say: whether paths were parallel, whether there was a dip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.gains.clusters import ENOUGH_CLUSTERS
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.gains.study import StudyGains
from evaluation.report.gains.words import (
    effects_words,
    interval_words,
    reason_words,
    show_p,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """An event study by one set of year effects, as shown."""

    found: IncomeGains
    frame: pd.DataFrame

    @property
    def since(self) -> pd.DataFrame:
        """Event times from treatment on."""
        return self.frame[self.frame["period"] == "after"]

    @property
    def before(self) -> pd.DataFrame:
        """Event times before treatment."""
        return self.frame[self.frame["period"] == "before"]


def before_words(events: list[EventStudy], gains: StudyGains) -> str:
    """Say what the coefficients before treatment tell of parallel paths."""
    with_some = [event for event in events if event.before["conf_low"].notna().any()]
    event = with_some[0] if with_some else events[0]
    before, found = event.before, event.found
    known = before.dropna(subset="estimate")
    if known.empty:
        return say(
            "Whether paths were parallel before treatment cannot be looked at: {why}.",
            why=_why(event),
        )
    largest = known.iloc[int(known["estimate"].abs().argmax())]
    ends = event.frame[["estimate", "conf_low", "conf_high"]] / gains.shown.divisor
    decimals = shared_decimals(np.ravel(ends))  # as the table has
    [size] = show_alike([largest["estimate"] / gains.shown.divisor], decimals=decimals)
    told = say(
        "the largest coefficient{how} is {size}, at {time:+d}",
        how=say(" with {effects}", effects=effects_words(found)) if len(events) > 1 else "",
        size=size, time=largest.name,
    )  # fmt: skip
    n, away = int(known["conf_low"].notna().sum()), int(_leave_out_zero(known).sum())
    if n:
        some = {"away": away, "n": n}
        told = say("{told}, and {away} of {n} intervals leave out zero", told=told, **some)
    joint_p = float(event.frame.attrs["joint_p"])
    if np.isnan(joint_p):
        few = say("no joint test with fewer than {n} clusters", n=ENOUGH_CLUSTERS)
        few = reason_words(few, found.cluster)
        return say("Before treatment {told}; {why}.", told=told, why=few)
    verdict = mark(
        "Before treatment no parting of paths was found (joint test: p {p}): {told}. That is "
        "no proof of there being none."
    )
    if joint_p < found.options.alpha:
        verdict = mark(
            "Before treatment the paths of treated and comparison villages part (joint test: p "
            "{p}): {told}. Gains that rest on parallel paths are then in doubt."
        )
    return say(verdict, p=_p_words(joint_p), told=told)


def _why(event: EventStudy) -> str:
    """Say why no coefficient before treatment has an estimate."""
    if len(event.before):
        return str(event.before["reason"].iloc[0])
    return _why_no_leads(event.found)


def _why_no_leads(found: IncomeGains) -> str:
    if found.options.comparison == "never_treated":
        return say(
            "with comparison never_treated treated villages' untreated years are not fitted"
        )
    return say("too few untreated years")


def _leave_out_zero(frame: pd.DataFrame) -> pd.Series[bool]:
    return (frame["conf_low"] > 0) | (frame["conf_high"] < 0)


def _p_words(p: float) -> str:
    shown = show_p(p)
    return shown if shown.startswith("<") else f"= {shown}"


def dip_words(gains: StudyGains) -> str:
    """Say whether treated villages' income was low in the last year before treatment."""
    main = gains.found
    looked = say(
        "Selection on a low income in the year before was looked for: the last untreated year "
        "against all those before it"
    )
    last, found = _last_lead(main), main
    if last is not None and np.isnan(last["conf_low"]) and gains.within is not None:
        last, found = _last_lead(gains.within), gains.within
    if last is None or np.isnan(last["estimate"]):
        why = last["reason"] if last is not None else _why_no_leads(main)
        return say("{looked}. It cannot be told: {why}.", looked=looked, why=why)
    divisor, below = gains.shown.divisor, last["estimate"] < 0
    ends = last[["conf_low", "conf_high"]].astype(float) / divisor
    [size] = show_alike(
        [abs(float(last["estimate"])) / divisor],
        decimals=shared_decimals(ends) if ends.notna().all() else None,
    )
    interval = interval_words(last, divisor, gains.level, found.cluster)
    if np.isnan(last["conf_low"]):
        there = mark("{looked}: {size} above, with {interval}.")
        there = mark("{looked}: {size} below, with {interval}.") if below else there
        return say(there, looked=looked, size=size, interval=interval)
    if found is not main:
        words = {"interval": interval, "effects": effects_words(found)}
        interval = say("{interval}, {effects}", **words)
    were = mark("{size} above what the years before lead to expect ({interval})")
    if below:
        were = mark("{size} below what the years before lead to expect ({interval})")
    told = say(were, size=size, interval=interval)
    if last["conf_high"] < 0:
        return say(
            "In the last year before treatment treated villages were {told}. Villages chosen "
            "for a low income regress to the mean: part of their later rise would have come "
            "without the programme, so that gains are biased upwards, which no interval "
            "covers. Compare with anticipation = 1.",
            told=told,
        )
    return say(
        "{looked}. It was not found: treated villages were {told}. A dip of up to {dip} is not "
        "ruled out; what there is of one would regress to the mean and pass for a gain.",
        looked=looked, told=told,
        dip=show_alike([max(0.0, -ends["conf_low"])], decimals=shared_decimals(ends))[0],
    )  # fmt: skip


def _last_lead(main: IncomeGains) -> pd.Series[float] | None:
    frame = main.event_study(leads=1)
    before = frame[frame["period"] == "before"]
    return before.iloc[-1] if len(before) else None
