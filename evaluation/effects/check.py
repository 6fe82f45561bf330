"""A check of an effect: a question, what was found, and what that means for the claim."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.effects.result import EffectsTable
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.result import IncomeGains

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Verdict = Literal["passed", "failed", "informational", "not possible"]


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
            return "unknown"
        digits = 0 if scaled == 0 else max(0, 2 - int(np.floor(np.log10(abs(scaled)))))
        return f"{scaled:{'+' if sign else ''},.{min(digits, 6)}f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a check found.

    Attributes
    ----------
    name
        Its key: "pre_trend".
    title
        What a reader calls it.
    question
        What it asks, as a question.
    verdict
        passed or failed where there is a rule, which ``sentence`` names; informational where
        there is none; not possible where the data do not allow it, with the reason.
    statistic, statistic_name
        The number that it turns on, and what that is; NaN where there is none.
    table
        What was found, a row a finding; columns named in ``money`` are amounts of the outcome.
    sentence
        What was found and what it means for the claim, in plain words and numbers.
    money
        Columns of ``table`` (and the statistic, if named "statistic") in the outcome's unit.
    draw
        Draws the finding on axes, amounts divided by the `Amounts` given; None without figure.
    """

    name: str
    title: str
    question: str
    verdict: Verdict
    sentence: str
    statistic: float = np.nan
    statistic_name: str = ""
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    money: tuple[str, ...] = ()
    draw: Callable[[Axes, Amounts], None] | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool | None:
        """Whether it passed; None where there is no rule or no answer."""
        return {"passed": True, "failed": False}.get(self.verdict)

    def to_frame(self) -> pd.DataFrame:
        """Give the findings, one row each."""
        return self.table.copy()

    def summary(self) -> str:
        """Say the question, the verdict and what was found."""
        return f"{self.title} ({self.verdict}): {self.question}\n{self.sentence}"

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

    @property
    def panel(self) -> VillagePanel:
        """The panel."""
        return self.effects.panel

    @property
    def gains(self) -> IncomeGains:
        """The imputation estimate that checks start from."""
        return self.effects.gains

    def reestimate(self, panel: VillagePanel | None = None, **changes: Any) -> IncomeGains:
        """Estimate gains anew with the same options, but for those named.

        Raises
        ------
        DesignError
            If that leaves nothing to estimate.
        """
        options = self.gains.options
        same: dict[str, Any] = {
            name: getattr(options, name)
            for name in (
                "comparison", "covariates", "anticipation", "weights", "alpha", "year_effects",
                "trends",
            )
        }  # fmt: skip
        same["cluster"] = options.cluster or None
        return estimate_gains(panel or self.panel, **(same | changes))


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


def not_possible(name: str, title: str, question: str, reason: str) -> Check:
    """Give the check that says why it has no answer."""
    sentence = f"Not possible: {reason}"
    return Check(
        name=name, title=title, question=question, verdict="not possible", sentence=sentence
    )
