"""Whether paths part before treatment, and which trends such a test would miss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import stats

from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by, tell_p
from evaluation.effects.checks.coefficients import EventStudy, find_event_study
from evaluation.effects.checks.side_by_side import (
    MONEY,
    NOTHING_THERE,
    draw_points,
    excludes_zero,
)
from evaluation.effects.result import LABELS
from evaluation.errors import DesignError
from evaluation.gains.clusters import draw_signs
from evaluation.gains.moments import Bools, Floats
from evaluation.language import mark, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POWERS = (0.5, 0.8)
_DRAWS = 20_000  # of coefficients: a power has a sampling error of a third of a point
_PRE_TESTS = {
    mark("joint"): mark("A joint test of the coefficients before treatment"),
    mark("any"): mark("Asking whether any coefficient before treatment is significant"),
}

PreTest = Callable[[Floats], Bools]


@asks(
    mark("Paths before treatment"),
    mark("Did treated and comparison villages move alike before treatment?"),
    theme="trends",
    if_failed=mark(
        "treated villages moved apart before they were treated, so that some or all of the "
        "effect may be a difference that was there anyway"
    ),
)
def check_pre_trend(subject: Subject) -> Check:
    """Test that all effects before treatment are zero.

    Notes
    -----
    With at least 30 clusters Hotelling's T^2 of the k coefficients, W = b' V^-1 b with V the
    sum of the G clusters' parts: W (G - k) / (k G) is taken as F(k, G - k), G the number of
    equal clusters that they count as. With fewer, the largest |t| of the jackknife's
    pseudo-values against the same with the clusters' signs flipped (wild bootstrap, see
    `wild_interval`). Without an event study of Callaway-Sant'Anna, Sun-Abraham or two-way
    fixed effects, the imputation's own leads (`estimate_leads`). Passed if p is not below
    alpha. Roth (2022, doi:10.1257/aeri.20210236): passing is weak evidence.
    """
    frame, p, how, looked_at = _test_leads(subject)
    alpha = subject.gains.options.alpha
    worst = frame.iloc[int(frame["estimate"].abs().argmax())]
    passed = None if np.isnan(p) else bool(p >= alpha)
    known = {"p": tell_p(p), "alpha": alpha}
    tested = {
        None: say("No joint test: the clusters are too few, or coefficients not identified."),
        True: say(
            "Joint test that these are zero: {p}, not below {alpha:g}. That is no proof that "
            "paths would have stayed alike: a trend may hide in the errors (see the next "
            "check).", **known,
        ),
        False: say(
            "Joint test that these are zero: {p}, below {alpha:g}: paths parted before "
            "treatment, and what parted them may go on afterwards, so that part of the effect "
            "may be no effect.", **known,
        ),
    }[passed]  # fmt: skip
    seen = say(
        "{coefficients}; {n} before treatment, the largest {largest} at {time:.0f}.",
        coefficients=how, n=looked_at, time=worst["event_time"],
        largest=subject.amounts.tell(worst["estimate"], sign=True),
    )  # fmt: skip
    return Check(
        verdict=judge_by(passed), sentence=sentences(seen, tested), statistic=p,
        statistic_name="p-value of all coefficients before treatment being zero",
        table=frame.reset_index(drop=True), money=MONEY,
        draw=partial(_draw_study, frame=frame),
    )  # fmt: skip


@asks(
    mark("What the test before treatment would miss"),
    mark("How steep a trend would go unnoticed, and what would it do to the effect?"),
    theme="trends",
    if_failed=mark("a trend that these years would hardly show could explain the effect"),
)
def check_pre_trend_power(subject: Subject) -> Check:
    """Say which linear trends a test of paths before treatment would miss, and their bias.

    Notes
    -----
    A trend of slope s puts s (h - r) into the coefficient of event time h, r the one that they
    are measured from. For two pre-tests - that of `check_pre_trend` ("joint", from 30 clusters
    on), and that any coefficient is significant, as in R's pretrends - s is found that is
    detected with probability 0.5 and 0.8, coefficients being normal with the estimated
    covariance; bias is s sum_h w_h (h - r) with the average effect's weights w, and
    bias_if_passed its mean where the test does not reject, both by simulation. Passed if the
    average effect exceeds both for the trend caught with 0.8; informational if its interval
    holds zero. Roth (2022,
    doi:10.1257/aeri.20210236).
    """
    study = find_event_study(subject)
    tests, effect, amounts = _pre_tests(study), study.average, subject.amounts
    found = [
        _trend_missed(study, label, test, power, subject.seed)
        for label, test in tests.items()
        for power in _POWERS
    ]
    table = pd.DataFrame(found)
    bias = table[["bias", "bias_if_passed"]].abs().max(axis=1)
    table["share_of_effect"] = bias / abs(effect) if effect else np.inf
    half, steep = table.iloc[0], table.iloc[1]
    test_used = _PRE_TESTS[half["pre_test"]]
    exceeds = bool(steep["share_of_effect"] < 1)
    absent = excludes_zero(subject.effects.overall.loc[study.estimator]) is False  # type: ignore[arg-type]
    sentence = sentences(
        say(
            "{test} catches a steady drift of {half} a year half the time, and one of {steep} "
            "four times in five.", test=say(test_used),
            half=amounts.tell(half["slope"]), steep=amounts.tell(steep["slope"]),
        ),
        say(
            "The latter would put {bias} into the average effect, and {passed} on average "
            "where the test is passed, against an effect of {effect}, the mean over {years} "
            "({estimator}).",
            bias=amounts.tell(steep["bias"]), passed=amounts.tell(steep["bias_if_passed"]),
            effect=amounts.tell(effect), years=study.averaged,
            estimator=say(LABELS[study.estimator]),
        ),
        say(
            "The effect exceeds both: a straight trend that such a test misses one time in "
            "five is too small to explain all of it. Trends that bend only after treatment no "
            "test of earlier years can see."
        )
        if exceeds
        else say(
            "The effect does not exceed both: a straight trend that the test may well miss "
            "could explain all of it, whatever the test says."
        ),
        say(NOTHING_THERE) if absent else "",
    )  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        _draw_study(axes, amounts, _frame(subject, study, study.times))
        ends = np.array([study.times.min(), study.times.max()])
        for trend, style in ((half, ":"), (steep, "--")):
            path = np.copysign(trend["slope"], effect) * (ends - study.reference)
            label = say("trend caught with {share:.0%}", share=trend["power"])
            axes.plot(ends, path / amounts.divisor, style, color="C3", label=label)
        axes.legend(frameon=False)

    return Check(
        verdict=judge_by(None if absent else exceeds), sentence=sentence,
        statistic=float(steep["share_of_effect"]),
        statistic_name="bias of the trend caught with 0.8, as a share of the effect",
        table=table, money=("slope", "bias", "bias_if_passed"), draw=draw,
    )  # fmt: skip


def _test_leads(subject: Subject) -> tuple[pd.DataFrame, float, str, str]:
    """Give coefficients before treatment, the joint p-value, whose they are, how many."""
    try:
        study = find_event_study(subject)
    except DesignError as error:
        frame = subject.gains.event_study()
        joint = frame.attrs["joint_p"]
        frame = frame[frame["period"] == "before"].rename_axis("event_time").reset_index()
        frame = frame[["event_time", "estimate", "se", "conf_low", "conf_high", "p_value"]]
        frame = frame[frame["estimate"].notna()]
        if frame.empty:
            raise error
        n = subject.gains.att["n_clusters"]
        how = say("Coefficients of the imputation, {n} clusters", n=n)
        return frame, float(joint), how, str(len(frame))
    joint = _flip_p(study, subject.seed) if study.pseudo is not None else _hotelling_p(study)
    how = say("Coefficients of {estimator}, {n} clusters", n=study.n_clusters,
              estimator=say(LABELS[study.estimator]))  # fmt: skip
    return _frame(subject, study, study.times[study.before]), joint, how, study.looked_at


def _frame(subject: Subject, study: EventStudy, times: Iterable[int]) -> pd.DataFrame:
    """Give coefficients with the intervals of the table of effects."""
    rows = subject.effects.event_study(study.estimator).set_index("event_time").loc[[*times]]
    return rows[[*MONEY, "p_value"]].reset_index()


def _hotelling_p(study: EventStudy) -> float:
    k, n = int(study.before.sum()), study.freedom + 1
    if n - k < 1:
        return np.nan
    wald = float(_wald(study, study.estimates[None, study.before])[0])
    return float(stats.f.sf(wald * (n - k) / (k * n), k, n - k))


def _flip_p(study: EventStudy, seed: int) -> float:
    """Compare the largest |t| with that of the pseudo-values' clusters with signs flipped."""
    assert study.pseudo is not None
    pseudo = study.pseudo[:, study.before]
    n = len(pseudo)
    signs = draw_signs(n, seed)
    squares = (pseudo**2).mean(axis=0)

    def largest(means: Floats) -> Floats:
        return np.asarray((means**2 / np.maximum(squares - means**2, 1e-300)).max(axis=-1))

    above = largest(signs @ pseudo / n) >= largest(pseudo.mean(axis=0)) * (1 - 1e-12)
    return float(above.mean() if len(signs) == 2**n else (1 + above.sum()) / (1 + len(above)))


def _wald(study: EventStudy, coefficients: Floats) -> Floats:
    """Give b' V^-1 b of rows of coefficients before treatment."""
    se = study.se[study.before]
    correlation = study.covariance[np.ix_(study.before, study.before)] / np.outer(se, se)
    t = coefficients / se
    return np.asarray(((t @ np.linalg.pinv(correlation, hermitian=True)) * t).sum(axis=1))


def _pre_tests(study: EventStudy) -> dict[str, PreTest]:
    """Give tests that take rows of coefficients before treatment and say which they reject."""
    tests: dict[str, PreTest] = {}
    k, n = int(study.before.sum()), study.freedom + 1
    if study.pseudo is None and n - k >= 1:
        most = k * n / (n - k) * float(stats.f.ppf(1 - study.alpha, k, n - k))
        tests["joint"] = lambda rows: _wald(study, rows) > most
    se = study.se[study.before]
    tests["any"] = lambda rows: np.asarray((np.abs(rows) > study.critical * se).any(axis=1))
    return tests


def _trend_missed(
    study: EventStudy, label: str, test: PreTest, power: float, seed: int
) -> dict[str, Any]:
    """Find by bisection the slope that a test rejects with the power given, and its bias."""
    before, reach = study.before, study.times - study.reference
    rng = np.random.default_rng(seed)
    values, vectors = np.linalg.eigh(study.covariance[np.ix_(before, before)])
    root = vectors * np.sqrt(np.maximum(values, 0))
    errors = rng.standard_normal((_DRAWS, int(before.sum()))) @ root.T

    def rejected(slope: float) -> Bools:
        return test(errors + slope * reach[before])

    low, high = 0.0, float((study.se[before] / np.abs(reach[before])).max())
    while rejected(high).mean() < power:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if rejected(middle).mean() < power else (low, middle)
    bias = high * float(study.weights @ reach)
    shift = errors[~rejected(high)].mean(axis=0)  # of coefficients before, where it passes
    load = np.linalg.pinv(study.covariance[np.ix_(before, before)], hermitian=True) @ shift
    moved = float(study.weights @ study.covariance[:, before] @ load)
    return {
        "pre_test": label, "power": power, "slope": high, "bias": bias,
        "bias_if_passed": bias + moved,
    }  # fmt: skip


def _draw_study(axes: Axes, amounts: Amounts, frame: pd.DataFrame) -> None:
    from matplotlib.ticker import MaxNLocator

    draw_points(axes, amounts, frame["event_time"], frame, what=say("effect"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel(say("years since treatment"))
