"""How far paths may depart from parallel before the effect is gone: HonestDiD's bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by
from evaluation.effects.checks.coefficients import EventStudy, find_event_study
from evaluation.effects.checks.honest_intervals import relative_interval, smooth_interval
from evaluation.effects.result import LABELS
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.language import mark, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_M_BARS = (0.5, 1.0, 1.5, 2.0)
_MOST_M_BAR = 10.0
_SHARES = (0.0, 0.25, 0.5, 1.0)  # of the largest second difference seen before treatment
_MOST_SHARE = 4.0
_SINGULAR = 1e-10
_PARALLEL, _BOUNDED = mark("parallel"), mark("bounded")
_PRECISION = 0.01  # of breakdown values, told with two decimals

Bounds = Callable[[Floats, float], tuple[float, float]]


@asks(
    mark("Departures as large as before treatment"),
    mark("Would the effect survive departures from parallel paths like those before it?"),
    theme="trends",
    if_failed=mark(
        "departures from parallel paths no larger than those seen before treatment could "
        "explain the effect"
    ),
)
def check_relative_magnitudes(subject: Subject, *, m_bars: Sequence[float] = _M_BARS) -> Check:
    """Bound the effect if paths depart after treatment up to Mbar times as before it.

    Parameters
    ----------
    m_bars
        Values of Mbar for the table and the figure.

    Notes
    -----
    The difference in trends from one year to the next after treatment is at most Mbar times
    the largest one before it; see `relative_interval`. The breakdown value is the largest Mbar
    whose interval for the average effect leaves zero out. Passed if it is 1 or more;
    informational if the interval holds zero already with parallel paths. The covariance is
    taken as known. Rambachan, Roth (2023, doi:10.1093/restud/rdad018).
    """
    study = _find_study(subject)

    def bounds(weights: Floats, m_bar: float) -> tuple[float, float]:
        return relative_interval(
            study.estimates, study.covariance, int(study.before.sum()), weights, m_bar,
            alpha=study.alpha, seed=subject.seed,
        )  # fmt: skip

    table, broken = _tabulate(study, bounds, m_bars, "m_bar", _MOST_M_BAR)
    alone, first = broken["average"], broken["first year"]
    largest = float(np.abs(np.diff([*study.estimates[study.before], 0.0])).max())
    passed, ruled = _judge(
        alone, say("Mbar = {value}", value=_tell_break(alone, _MOST_M_BAR)),
        _tell_break(first, _MOST_M_BAR),
        say("departures no larger than those before treatment"), say("larger ones"),
        say(
            "With no departure at all (Mbar = 0) the interval that these bounds take holds zero"
        ),
    )  # fmt: skip
    sentence = sentences(
        _tell_study(study),
        say(
            "The largest change from year to year before treatment is {change}.",
            change=subject.amounts.tell(largest),
        ),
        say(
            "Mbar = 1 allows departures after treatment up to as large as that, every year "
            "anew."
        ),
        ruled,
    )
    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=alone,
        statistic_name="largest Mbar at which the effect differs from zero",
        table=table, money=("conf_low", "conf_high"),
        draw=_drawer(
            table, "m_bar", mark("Mbar: departures, as a multiple of the largest before")
        ),
    )  # fmt: skip


@asks(
    mark("Trends that go on and bend"),
    mark("Would the effect survive a trend from before treatment that goes on and bends?"),
    theme="trends",
    if_failed=mark(
        "a trend that bends no more than it did before treatment could explain the effect"
    ),
)
def check_smoothness(subject: Subject) -> Check:
    """Bound the effect if the difference in trends goes on, bending by at most M a year.

    Notes
    -----
    |d_(t+1) - 2 d_t + d_(t-1)| <= M in all years, see `smooth_interval`; M = 0 takes out the
    linear trend of the years before. Passed if the breakdown value is the largest second
    difference seen before treatment or more; informational if the interval holds zero already
    with parallel paths. Rambachan, Roth (2023, doi:10.1093/restud/rdad018).
    """
    study = _find_study(subject)
    largest = float(np.abs(np.diff([*study.estimates[study.before], 0.0], 2)).max())

    def bounds(weights: Floats, m: float) -> tuple[float, float]:
        return smooth_interval(
            study.estimates, study.covariance, int(study.before.sum()), weights, m,
            alpha=study.alpha,
        )  # fmt: skip

    most = _MOST_SHARE * largest
    table, broken = _tabulate(study, bounds, [s * largest for s in _SHARES], "m", most)
    alone, first = broken["average"] / largest, broken["first year"] / largest
    limit = _tell_break(alone, _MOST_SHARE)
    passed, ruled = _judge(
        alone, say("a bend of {value} times that a year", value=limit),
        _tell_break(first, _MOST_SHARE),
        say("a trend that goes on and bends as it did before treatment"),
        say("one that turns more sharply"),
        say("A straight trend carried on (M = 0) already explains the average effect"),
    )  # fmt: skip
    sentence = sentences(
        _tell_study(study),
        say(
            "Before treatment the trend bends from one year to the next by at most {bend}, "
            "chance included.", bend=subject.amounts.tell(largest),
        ),
        ruled,
    )  # fmt: skip
    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=broken["average"],
        table=table,
        statistic_name="largest bend at which the effect differs from zero",
        money=("m", "conf_low", "conf_high", "breakdown", "statistic"),
        draw=_drawer(table, "m", mark("M: largest bend of the trend from year to year")),
    )  # fmt: skip


def _find_study(subject: Subject) -> EventStudy:
    study = find_event_study(subject, invertible=True)
    if study.before.sum() < 2:
        raise DesignError(
            say(
                "it takes two coefficients before treatment besides the reference year, and "
                "{n} clusters or the years give {given}.",
                n=study.n_clusters, given=study.before.sum(),
            )
        )  # fmt: skip
    sizes = np.linalg.eigvalsh(study.covariance / np.outer(study.se, study.se))
    if not sizes[0] > _SINGULAR:
        raise DesignError(say("the covariance of the event study's coefficients is singular."))
    return study


def _judge(
    broken: float, limit: str, first: str, held: str, more: str, at_once: str
) -> tuple[bool | None, str]:
    """Judge a breakdown value, relative to what was seen before treatment."""
    if np.isnan(broken):
        return None, say(
            "Already with parallel paths the interval of the average effect holds zero: there "
            "is nothing to break."
        )
    if broken == 0:
        if first == "0":
            return False, say("{finding} (and the first year's).", finding=at_once)
        return False, say(
            "{finding} (the first year's up to {first}).", finding=at_once, first=first
        )
    told = say(
        "The average effect differs from zero up to {limit} (the first year's up to {first}).",
        limit=limit, first=first,
    )  # fmt: skip
    if broken >= 1:
        rule = say("That is 1 or more: {held} cannot explain it; {more} could.", held=held,
                   more=more)  # fmt: skip
        return True, sentences(told, rule)
    rule = say("That is below 1: {held}, chance included, could explain it.", held=held)
    return False, sentences(told, rule)


def _tabulate(
    study: EventStudy, bounds: Bounds, values: Sequence[float], label: str, most: float
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Give the intervals of both targets, and the values at which they first hold zero."""
    rows: list[tuple[str, float, float, float]] = []
    broken = {}
    targets: dict[str, Floats] = {
        mark("average"): study.weights[~study.before],
        mark("first year"): (study.times[~study.before] == 0).astype(float),
    }
    for target, weights in targets.items():
        load = np.where(study.before, 0, 1.0)
        load[~study.before] = weights
        estimate = float(load @ study.estimates)
        se = float(np.sqrt(load @ study.covariance @ load))
        half = study.critical * se
        rows.append((target, np.nan, estimate - half, estimate + half))
        rows += [(target, value, *bounds(weights, value)) for value in values]
        clear = abs(estimate) > half
        broken[target] = _find_break(bounds, weights, most) if clear else np.nan
    table = pd.DataFrame(rows, columns=["target", label, "conf_low", "conf_high"])
    table.insert(1, "paths", np.where(table[label].isna(), _PARALLEL, _BOUNDED))
    table["breakdown"] = table["target"].map(broken)
    return table, broken


def _find_break(bounds: Bounds, weights: Floats, most: float) -> float:
    """Find by bisection the largest value at which the interval leaves zero out."""

    def clear(value: float) -> bool:
        low, high = bounds(weights, value)
        return low > 0 or high < 0

    if clear(most):
        return most
    low, high = 0.0, most
    if not clear(low):
        return low
    while high - low > _PRECISION * most / _MOST_M_BAR:
        middle = (low + high) / 2
        low, high = (middle, high) if clear(middle) else (low, middle)
    return low


def _tell_study(study: EventStudy) -> str:
    n_before, further = int(study.before.sum()), sum(study.left_out)
    told = say(
        "{estimator}, {before} years before treatment and {after} after, {n} clusters.",
        estimator=say(LABELS[study.estimator]), before=n_before,
        after=len(study.times) - n_before, n=study.n_clusters,
    )  # fmt: skip
    more = few = ""
    if study.left_out[1]:
        more = say(
            "{n} years further off are not looked at: the average effect is that over {years}.",
            n=further, years=study.averaged,
        )  # fmt: skip
    elif further:
        more = say("{n} years further off are not looked at.", n=further)
    if study.pseudo is not None:
        few = say("With so few clusters the covariance is imprecise, and with it these bounds.")
    return sentences(told, more, few)


def _tell_break(value: float, most: float) -> str:
    if np.isnan(value):
        return say("no value")
    if value >= most:
        return say("{most:g} or more", most=most)
    return f"{value:.2f}" if value else "0"


def _drawer(table: pd.DataFrame, label: str, words: str) -> Callable[[Axes, Amounts], None]:
    def draw(axes: Axes, amounts: Amounts) -> None:
        rows = table[table["target"] == "average"]
        scale = amounts.divisor if label == "m" else 1
        low, high = rows["conf_low"] / amounts.divisor, rows["conf_high"] / amounts.divisor
        places = np.arange(len(rows))
        colours = np.where(rows["paths"] == _PARALLEL, "C1", "C0")
        axes.vlines(places, low, high, colors=colours.tolist(), linewidth=3)
        axes.axhline(0, color="0.3", linewidth=0.8)
        told = [
            say(_PARALLEL) if np.isnan(v) else f"{v / scale:.2g}"
            for v in rows[label].to_numpy()
        ]
        axes.set_xticks(places, told)
        axes.set_xlim(-0.5, len(rows) - 0.5)
        axes.set_xlabel(amounts.label(say(words)) if label == "m" else say(words))
        axes.set_ylabel(amounts.label(say("average effect")))

    return draw
