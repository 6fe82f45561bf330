"""A study's checks: the effect that they look at, what was found, and what that means."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from evaluation.data.load import StudyData
from evaluation.display import ShowsSummary
from evaluation.effects.check import VERDICTS, Check, Subject
from evaluation.effects.checks.curve import SpecificationCurve, specification_curve
from evaluation.effects.checks.run import run_checks
from evaluation.language import say
from evaluation.report.effects.study import StudyEffects
from evaluation.report.village_words import Shown


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyRobustness(ShowsSummary):
    """What checks of a study's effect found.

    Attributes
    ----------
    effects
        The study's effects, of which those that have intervals were checked.
    checks
        What each check found, by name, in the order in which a referee asks.
    curve
        The effect under all other choices; None where there is no effect.
    """

    effects: StudyEffects
    checks: Mapping[str, Check]
    curve: SpecificationCurve | None = None

    def summary(self) -> str:
        """Say the verdict of each check."""
        told = [f"{say(c.title)}: {say(VERDICTS[c.verdict])}" for c in self.checks.values()]
        return "\n".join(told) or self.reason

    @property
    def study_data(self) -> StudyData:
        """The study."""
        return self.effects.study_data

    @property
    def reason(self) -> str:
        """Why there is no effect to check; '' where there is."""
        return self.effects.reason

    @property
    def shown(self) -> Shown:
        """How amounts are shown."""
        return self.effects.shown


def check_effects(effects: StudyEffects, *, seed: int = 0) -> StudyRobustness:
    """Run all checks of a study's effect, and the specification curve, with progress.

    Parameters
    ----------
    effects
        The study's effects.
    seed
        Of all that is drawn.
    """
    if effects.reason:
        return StudyRobustness(effects=effects, checks={})
    subject = Subject(effects=effects.judged, amounts=effects.amounts, seed=seed)
    with _show_progress() as tell:
        checks = run_checks(subject, tell=tell)
        curve = specification_curve(
            subject,
            progress=lambda done, total: tell(
                say("specification {done} of {total}", done=done, total=total)
            ),
        )
    return StudyRobustness(effects=effects, checks=checks, curve=curve)


@contextmanager
def _show_progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done on one line of the cell's output, and take it away at the end.

    A report must not depend on how long anything took, so that nothing is left of it.
    """
    from IPython.display import clear_output

    def tell(what: str) -> None:
        clear_output(wait=True)
        print(f"{what} ...", flush=True)

    try:
        yield tell
    finally:
        clear_output()
