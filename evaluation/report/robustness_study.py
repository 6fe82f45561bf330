"""A study's checks: the effect that they look at, what was found, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from evaluation.effects.check import Amounts, Check, Subject
from evaluation.effects.checks.curve import SpecificationCurve, specification_curve
from evaluation.effects.checks.run import run_checks
from evaluation.effects.result import EffectsTable
from evaluation.errors import ReportError
from evaluation.report.effects_study import StudyEffects
from evaluation.report.exhibits import Exhibit
from evaluation.report.progress import show_progress
from evaluation.report.village_words import Shown, absent

Options = ParamSpec("Options")


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRobustness:
    """What checks of a study's effect found.

    Attributes
    ----------
    effects
        The study's effects.
    table
        Those that were checked: with year effects by county where only they have intervals;
        None with the reason that ``effects`` has.
    checks
        What each check found, by name, in the order in which a referee asks.
    curve
        The effect under all other choices.
    """

    effects: StudyEffects
    table: EffectsTable | None = None
    checks: Mapping[str, Check]
    curve: SpecificationCurve | None = None

    @property
    def found(self) -> EffectsTable:
        """The effects that were checked."""
        if self.table is None:
            raise ReportError(self.effects.reason)
        return self.table

    @property
    def shown(self) -> Shown:
        """How amounts are shown."""
        return self.effects.gains.shown

    @property
    def amounts(self) -> Amounts:
        """The same for sentences and figures of checks."""
        return Amounts(divisor=self.shown.divisor, unit=self.shown.brief)


def check_effects(effects: StudyEffects, *, seed: int = 0) -> StudyRobustness:
    """Run all checks of a study's effect, and the specification curve, with progress.

    Parameters
    ----------
    effects
        The study's effects.
    seed
        Of all that is drawn.
    """
    table = effects.judged
    if table is None:
        return StudyRobustness(effects=effects, checks={})
    shown = effects.gains.shown
    subject = Subject(
        effects=table,
        amounts=Amounts(divisor=shown.divisor, unit=shown.brief),
        seed=seed,
    )
    with show_progress() as tell:
        checks = run_checks(subject, tell=tell)
        curve = specification_curve(
            subject, progress=lambda done, total: tell(f"specification {done} of {total}")
        )
    return StudyRobustness(effects=effects, table=table, checks=checks, curve=curve)


def needs_checks(
    name: str, caption: str
) -> Callable[
    [Callable[Concatenate[StudyRobustness, Options], Exhibit]],
    Callable[Concatenate[StudyRobustness, Options], Exhibit],
]:
    """Make an exhibit say why there is no effect to check, where there is none."""

    def decorate(
        make: Callable[Concatenate[StudyRobustness, Options], Exhibit],
    ) -> Callable[Concatenate[StudyRobustness, Options], Exhibit]:
        @wraps(make)
        def exhibit(
            robustness: StudyRobustness, /, *args: Options.args, **options: Options.kwargs
        ) -> Exhibit:
            if robustness.table is None:
                effects = robustness.effects
                return absent(effects.gains.study_data, name, caption, effects.reason)
            return make(robustness, *args, **options)

        return exhibit

    return decorate
