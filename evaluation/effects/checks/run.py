"""All checks by name and theme, and a run of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from evaluation.effects.check import Check, Subject
from evaluation.effects.checks.alternatives import check_comparison_groups, check_deflators
from evaluation.effects.checks.attrition import check_attrition
from evaluation.effects.checks.families import check_outcome_families
from evaluation.effects.checks.few_clusters import check_few_clusters
from evaluation.effects.checks.honest import check_relative_magnitudes, check_smoothness
from evaluation.effects.checks.leave_out import check_influence, check_leave_one_out
from evaluation.effects.checks.measures import check_outcomes, check_subsidies
from evaluation.effects.checks.placebo import (
    check_anticipation,
    check_placebo_dates,
    check_placebo_outcomes,
)
from evaluation.effects.checks.randomisation import check_randomisation
from evaluation.effects.checks.spillovers import check_spillovers
from evaluation.effects.checks.trends import check_pre_trend, check_pre_trend_power
from evaluation.errors import DesignError, suggest
from evaluation.language import mark

THEMES = {
    "trends": mark("Would villages have changed alike without the programme?"),
    "chance": mark("Is it more than chance?"),
    "few": mark("Does it rest on a few?"),
    "data": mark("Does the outcome measure what it should?"),
    "neighbours": mark("Are the comparison villages untouched?"),
    "choices": mark("Do other choices give another answer?"),
}
"""What checks are about, in the order in which a referee asks."""

CHECKS: Mapping[str, Callable[[Subject], Check]] = {
    "pre_trend": check_pre_trend,
    "pre_trend_power": check_pre_trend_power,
    "relative_magnitudes": check_relative_magnitudes,
    "smoothness": check_smoothness,
    "placebo_dates": check_placebo_dates,
    "placebo_outcomes": check_placebo_outcomes,
    "anticipation": check_anticipation,
    "randomisation": check_randomisation,
    "few_clusters": check_few_clusters,
    "outcome_families": check_outcome_families,
    "leave_one_out": check_leave_one_out,
    "influence": check_influence,
    "attrition": check_attrition,
    "subsidies": check_subsidies,
    "deflators": check_deflators,
    "outcomes": check_outcomes,
    "spillovers": check_spillovers,
    "comparison_groups": check_comparison_groups,
}
"""All of them, theme by theme."""


def run_checks(
    subject: Subject,
    *,
    names: Sequence[str] = tuple(CHECKS),
    tell: Callable[[str], None] = lambda name: None,
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
        found[name] = CHECKS[name](subject)
    return found
