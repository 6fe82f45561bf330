"""All checks by name: what each is about, what its failing means, and a run of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from evaluation.effects.check import Check, Subject, not_possible
from evaluation.errors import DesignError, suggest

THEMES = {
    "trends": "Would villages have changed alike without the programme?",
    "chance": "Is it more than chance?",
    "few": "Does it rest on a few?",
    "data": "Does the outcome measure what it should?",
    "neighbours": "Are the comparison villages untouched?",
    "choices": "Do other choices give another answer?",
}
"""What checks are about, in the order in which a referee asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A check as the run knows it.

    Attributes
    ----------
    module
        Where ``check_NAME`` is, below evaluation.effects.checks.
    theme
        One of `THEMES`.
    if_failed
        What its failing means for the claim that the programme had the effect.
    """

    module: str
    theme: str
    if_failed: str


CHECKS: Mapping[str, Entry] = {
    "pre_trend": Entry(
        module="trends", theme="trends",
        if_failed="treated villages moved apart before they were treated, so that some or all "
        "of the effect may be a difference that was there anyway",
    ),
    "pre_trend_power": Entry(
        module="trends", theme="trends",
        if_failed="a trend that these years would hardly show could explain the effect",
    ),
    "relative_magnitudes": Entry(
        module="honest", theme="trends",
        if_failed="departures from parallel paths no larger than those seen before treatment "
        "could explain the effect",
    ),
    "smoothness": Entry(
        module="honest", theme="trends",
        if_failed="a trend that bends no more than it did before treatment could explain the "
        "effect",
    ),
    "placebo_dates": Entry(
        module="placebo", theme="trends",
        if_failed="an effect shows in years in which there was no treatment",
    ),
    "placebo_outcomes": Entry(
        module="placebo", theme="trends",
        if_failed="what the programme should not move moved with it: treated villages changed "
        "for other reasons too",
    ),
    "anticipation": Entry(
        module="placebo", theme="trends",
        if_failed="the effect depends on whether the last years before treatment count as "
        "untreated",
    ),
    "randomisation": Entry(
        module="randomisation", theme="chance",
        if_failed="an effect of this size often comes about when villages are drawn at random",
    ),
    "few_clusters": Entry(
        module="few_clusters", theme="chance",
        if_failed="whether the effect differs from zero depends on how errors are clustered",
    ),
    "outcome_families": Entry(
        module="families", theme="chance",
        if_failed="with all outcomes that were looked at taken together, the effect may be the "
        "luckiest of them",
    ),
    "leave_one_out": Entry(
        module="leave_out", theme="few", if_failed="one place decides over the effect"
    ),
    "influence": Entry(
        module="leave_out", theme="few", if_failed="a handful of villages make the effect"
    ),
    "attrition": Entry(
        module="attrition", theme="data",
        if_failed="outcomes are missing in another way among treated villages, which can make "
        "an effect by itself",
    ),
    "subsidies": Entry(
        module="alternatives", theme="data",
        if_failed="part of what counts as income is the programme's own money",
    ),
    "deflators": Entry(
        module="alternatives", theme="data", if_failed="the effect depends on the deflator"
    ),
    "outcomes": Entry(
        module="alternatives", theme="data",
        if_failed="the effect depends on how the outcome is measured",
    ),
    "spillovers": Entry(
        module="spillovers", theme="neighbours",
        if_failed="villages near treated ones changed too, so that they are no untouched "
        "comparison",
    ),
    "comparison_groups": Entry(
        module="alternatives", theme="choices",
        if_failed="the effect depends on whom treated villages are compared with",
    ),
}  # fmt: skip


def run_checks(
    subject: Subject,
    *,
    names: Sequence[str] = tuple(CHECKS),
    tell: Callable[[str], None] = lambda title: None,
) -> dict[str, Check]:
    """Run checks, each on its own; one that the data do not allow says why.

    Parameters
    ----------
    subject
        What they look at.
    names
        Which, of `CHECKS`; all by default.
    tell
        Called with each check's name before it is run.

    Raises
    ------
    DesignError
        If a name is not known.
    """
    found = {}
    for name in names:
        if name not in CHECKS:
            raise DesignError(f"checks: no check {name!r}; {suggest(name, CHECKS)}")
        tell(name)
        module = import_module(f"evaluation.effects.checks.{CHECKS[name].module}")
        try:
            found[name] = getattr(module, f"check_{name}")(subject)
        except DesignError as error:
            title = name.replace("_", " ").capitalize()
            found[name] = not_possible(name, title, f"{title}?", str(error))
    return found
