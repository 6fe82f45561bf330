"""Power: how often effects are found, and the smallest that is found often enough."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.display import ShowsSummary
from evaluation.effects.planned import Plan
from evaluation.gains.moments import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ASSUMES = (
    "The effect is the same in all treated villages and years; where it differs, intervals are "
    "wider and the minimum is larger.",
    "Without the programme all villages vary like the study's never treated ones: by as much, "
    "with the same correlation between years and among villages of a cluster.",
    "Clusters' shocks are independent, and drawn from few where the study has few clusters.",
    "Parallel trends hold: this is about chance alone.",
)
_PLANNED = (
    "Planned villages are spread over places as large as the study's, as the study's are: with "
    "twice as many villages there are twice as many counties."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Power(ShowsSummary):
    """How often effects are found, and the smallest that is found often enough.

    Attributes
    ----------
    minimum_detectable_effect
        The smallest positive effect found with probability ``power``, in ``unit``; NaN with
        ``reason`` where none is.
    minimum_detectable_share
        The same as a share of ``comparison_mean``; of a logarithm, exp(effect) - 1.
    from_standard_error
        The same by formula, (t + t) x the standard error that the study's own estimate has, in
        which it counts that effects differ; NaN for a planned panel, or where there is none.
    comparison_mean
        The mean outcome of never treated villages over the treated years; NaN of a logarithm,
        or where it is not above zero.
    curve
        A row an effect, up to twice the minimum: effect, share (of the mean), power, power_se
        (of the simulation); `find_power` gives others.
    size, size_se
        How often an effect is found where there is none, and the simulation's error of it;
        should be alpha.
    power, alpha, n_draws, seed
        As asked for, or fewer draws.
    unit
        Of effects.
    plan
        The design: numbers of villages and years.
    n_clusters
        That intervals rest on.
    how
        How the effect is estimated, and its interval found, in each draw.
    reason
        Why the analysis as it is has no interval, so that another is simulated, or why there is
        no minimum; '' if neither.
    draws
        The interval of each draw without effect: conf_low, conf_high.
    """

    minimum_detectable_effect: float
    minimum_detectable_share: float
    from_standard_error: float
    comparison_mean: float
    curve: pd.DataFrame
    size: float
    size_se: float
    power: float
    alpha: float
    unit: str
    plan: Plan
    n_clusters: int
    n_draws: int
    seed: int
    how: str
    reason: str = ""
    draws: Floats = field(repr=False)

    @property
    def assumes(self) -> tuple[str, ...]:
        """What the numbers rest on, a sentence each."""
        return _ASSUMES if self.plan.own else (*_ASSUMES, _PLANNED)

    def to_frame(self) -> pd.DataFrame:
        """Give the power curve."""
        return self.curve.copy()

    def summary(self) -> str:
        """Say the minimum detectable effect, of what design, and how it was found."""
        lines = [
            f"{self.plan.describe()}: {self.power:.0%} of samples find an effect of "
            f"{self.minimum_detectable_effect:,.4g} {self.unit} "
            f"({self.minimum_detectable_share:.1%} of the comparison mean)",
            f"without effect {self.size:.1%} (± {1.96 * self.size_se:.1%}) do; nominal "
            f"{self.alpha:.0%}",
            self.how,
            self.reason,
        ]
        return "\n".join(filter(None, lines))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the power curve."""
        import matplotlib.pyplot as plt

        axes = ax if ax is not None else plt.subplots()[1]
        axes.errorbar(
            self.curve["effect"], self.curve["power"], yerr=1.96 * self.curve["power_se"]
        )
        axes.axhline(self.power, color="0.5", linewidth=1)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(f"effect, {self.unit}")
        axes.set_ylabel("share of samples that find it")
        return axes
