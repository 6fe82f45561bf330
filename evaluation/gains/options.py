"""How gains are estimated: the choices that a report names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evaluation.errors import DesignError

Comparison = Literal["not_yet_treated", "never_treated"]
YearEffects = Literal["common", "county"]
Cluster = Literal["county", "town", "village"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GainOptions:
    """Choices of an estimate of gains.

    Attributes
    ----------
    comparison
        Which villages' untreated years the year effects are fitted on: all that are not yet
        treated, or those of never treated villages alone.
    covariates
        Names in the panel, each once. Those that never change in a village have a slope in
        each year.
    anticipation
        How many years before the first treated one may be affected already: these are
        neither untreated nor treated.
    weights
        A covariate to weigh villages by (its mean over the years); none by default.
    alpha
        1 less the coverage of intervals, in (0, .5).
    year_effects
        "common", or "county": villages are then compared within their county alone.
    trends
        Whether each village has a linear trend of its own.
    cluster
        The level at which errors may be correlated; "" takes the county where there are
        several, else the village.
    """

    comparison: Comparison = "not_yet_treated"
    covariates: tuple[str, ...] = ()
    anticipation: int = 0
    weights: str | None = None
    alpha: float = 0.05
    year_effects: YearEffects = "common"
    trends: bool = False
    cluster: Cluster | Literal[""] = ""

    def __post_init__(self) -> None:
        choices = {
            "comparison": ("not_yet_treated", "never_treated"),
            "year_effects": ("common", "county"),
            "cluster": ("county", "town", "village", ""),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise DesignError(
                    f"{name} is {getattr(self, name)!r}; give one of "
                    f"{', '.join(filter(None, known))}."
                )
        if type(self.anticipation) is not int or self.anticipation < 0:
            raise DesignError(
                f"anticipation is {self.anticipation!r}; give a number of years from 0 on."
            )
        for name in self.covariates:
            if self.covariates.count(name) > 1:
                raise DesignError(f"covariates: {name} is named twice; name it once.")
        if not 0 < self.alpha < 0.5:
            raise DesignError(f"alpha is {self.alpha!r}; give 0 < alpha < 0.5, such as 0.05.")
