"""A check of an effect: a question, what was found, and what that means for the claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.effects.imputation import reestimate_gains
from evaluation.effects.result import EffectsTable
from evaluation.effects.setup import check_seed
from evaluation.errors import DesignError
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Options = ParamSpec("Options")
Verdict = Literal["passed", "failed", "informational", "not possible"]
VERDICTS: Mapping[Verdict, str] = {
    "passed": mark("passed"),
    "failed": mark("failed"),
    "informational": mark("informational"),
    "not possible": mark("not possible"),
}
"""How verdicts are said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """How amounts of the outcome are told: divided by ``divisor``, in ``unit``."""

    divisor: float = 1.0
    unit: str = ""

    def tell(self, value: float, *, sign: bool = False) -> str:
        """Tell an amount with its unit: "4.31 万元".

        Examples
        --------
        >>> Amounts(divisor=10_000, unit="万元").tell(43_120)
        '4.31 万元'
        """
        return f"{self.number(value, sign=sign)} {self.unit}".strip()

    def number(self, value: float, *, sign: bool = False) -> str:
        """Tell an amount without its unit, with three digits or to the unit."""
        scaled = value / self.divisor
        if np.isnan(scaled):
            return say("unknown")
        digits = 0 if scaled == 0 else max(0, 2 - int(np.floor(np.log10(abs(scaled)))))
        return f"{scaled:{'+' if sign else ''}z,.{min(digits, 6)}f}"  # z: no -0.00

    def label(self, what: str) -> str:
        """Label an axis: "average effect, 万元"."""
        return say("{what}, {unit}", what=what, unit=self.unit) if self.unit else what


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Check(ShowsSummary):
    """What a check found.

    Attributes
    ----------
    verdict
        passed or failed where there is a rule, which ``sentence`` names; informational where
        there is none; not possible where the data do not allow it, with the reason.
    sentence
        What was found and what it means for the claim, in plain words and numbers.
    statistic, statistic_name
        The number that it turns on, and what that is; NaN where there is none.
    table
        What was found, a row a finding; columns named in ``money`` are amounts of the outcome.
        Words in it are said where they are shown.
    money
        Columns of ``table`` (and the statistic, if named "statistic") in the outcome's unit.
    draw
        Draws the finding on axes, amounts divided by the `Amounts` given, in the language then
        spoken; None without figure.
    name, title, question, theme, if_failed
        Its key ("pre_trend") and what else `asks` is given: texts to be said where shown.
    """

    verdict: Verdict
    sentence: str
    statistic: float = np.nan
    statistic_name: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    money: tuple[str, ...] = ()
    draw: Callable[[Axes, Amounts], None] | None = field(default=None, repr=False)
    name: str = ""
    title: str = ""
    question: str = ""
    theme: str = ""
    if_failed: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether it passed; None where there is no rule or no answer."""
        return {"passed": True, "failed": False}.get(self.verdict)

    def to_frame(self) -> pd.DataFrame:
        """Give the findings, one row each."""
        return self.table.copy()

    def summary(self) -> str:
        """Say the question, the verdict and what was found."""
        told = say(
            "{title} ({verdict}): {question}",
            title=say(self.title),
            verdict=say(VERDICTS[self.verdict]),
            question=say(self.question),
        )
        return f"{told}\n{self.sentence}"

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the finding, in the outcome's unit.

        Raises
        ------
        DesignError
            If the check has no figure.
        """
        import matplotlib.pyplot as plt

        if self.draw is None:
            raise DesignError(f"the check {self.name!r} has no figure; see its table.")
        axes = ax if ax is not None else plt.subplots()[1]
        self.draw(axes, Amounts())
        return axes


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the checks look at.

    Attributes
    ----------
    effects
        The estimates, whose imputation is the one that checks make anew.
    amounts
        How sentences tell amounts.
    seed
        Of everything that is drawn.
    """

    effects: EffectsTable
    amounts: Amounts = Amounts()
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)

    @property
    def panel(self) -> VillagePanel:
        """The panel."""
        return self.effects.panel

    @property
    def gains(self) -> IncomeGains:
        """The imputation estimate that checks start from."""
        return self.effects.gains

    def reestimate(self, panel: VillagePanel | None = None, **changes: Any) -> IncomeGains:
        """Estimate gains anew with the same options, but for those named."""
        return reestimate_gains(self.gains, panel or self.panel, **changes)


def select_villages(panel: VillagePanel, kept: Any) -> VillagePanel:
    """Keep some villages of a panel.

    Parameters
    ----------
    kept
        N, whether each village is kept.
    """
    names = panel.villages.index[np.asarray(kept)]
    hedged = panel.hedged
    if "village" in hedged:
        hedged = hedged[hedged["village"].isin(names)]
    return replace(
        panel,
        villages=panel.villages[np.asarray(kept)],
        matrices={name: values[np.asarray(kept)] for name, values in panel.matrices.items()},
        rows=panel.rows[np.asarray(kept)],
        hedged=hedged,
    )


def asks(
    title: str, question: str, *, theme: str, if_failed: str
) -> Callable[
    [Callable[Concatenate[Subject, Options], Check]],
    Callable[Concatenate[Subject, Options], Check],
]:
    """Make a function ``check_NAME`` the check that asks a question.

    Where it raises a DesignError, the check is not possible, for that reason.

    Parameters
    ----------
    title
        What a reader calls it.
    question
        What it asks, as a question.
    theme
        One of `evaluation.effects.checks.run.THEMES`.
    if_failed
        What its failing means for the claim that the programme had the effect.
    """

    def decorate(
        look: Callable[Concatenate[Subject, Options], Check],
    ) -> Callable[Concatenate[Subject, Options], Check]:
        @wraps(look)
        def check(subject: Subject, /, *args: Options.args, **options: Options.kwargs) -> Check:
            try:
                found = look(subject, *args, **options)
            except DesignError as error:
                told = say("Not possible: {reason}", reason=error)
                found = Check(verdict="not possible", sentence=told)
            return replace(
                found, name=look.__name__.removeprefix("check_"), title=title,
                question=question, theme=theme, if_failed=if_failed,
            )  # fmt: skip

        return check

    return decorate


def judge_by(passed: bool | None) -> Verdict:
    """Give the verdict of a rule; informational where it has no answer."""
    return "informational" if passed is None else "passed" if passed else "failed"


def tell_p(p: float) -> str:
    """Tell a p-value.

    Examples
    --------
    >>> tell_p(0.0432), tell_p(0.0001)
    ('p = 0.043', 'p < 0.001')
    """
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
