"""A study's average effect as exhibits share it, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.data.load import StudyData
from evaluation.display import ShowsSummary
from evaluation.effects.check import Amounts
from evaluation.effects.estimate import ESTIMATORS, estimate_effects
from evaluation.effects.result import EffectsTable
from evaluation.effects.setup import Estimator, Matching
from evaluation.errors import DesignError, ReportError
from evaluation.gains.options import Cluster, YearEffects
from evaluation.language import listing, say
from evaluation.report.gains.study import StudyGains
from evaluation.report.village_words import Shown


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyEffects(ShowsSummary):
    """A study's average effect by several estimators.

    Attributes
    ----------
    gains
        The study's gains, whose options the effects were estimated with.
    main
        The effects; None with the ``reason``.
    within
        The same with year effects by county, where with common ones no estimator has an
        interval; None with ``why_not_within``, '' where nobody asks.
    why_not_common
        Why ``main`` has year effects by county although the study asked for common ones.
    """

    gains: StudyGains
    main: EffectsTable | None = None
    within: EffectsTable | None = None
    reason: str = ""
    why_not_within: str = ""
    why_not_common: str = ""

    def summary(self) -> str:
        """Say what the effects are, or why there are none."""
        return self.judged.summary() if self.main else self.reason

    @property
    def found(self) -> EffectsTable:
        """The effects, which an exhibit needs."""
        if self.main is None:
            raise ReportError(self.reason)
        return self.main

    @property
    def judged(self) -> EffectsTable:
        """The effects that have intervals: within counties where only they do."""
        return self.within or self.found

    @property
    def tables(self) -> list[EffectsTable]:
        """What there is: the effects, and those within counties where they are needed."""
        return [table for table in (self.main, self.within) if table is not None]

    @property
    def study_data(self) -> StudyData:
        """The study."""
        return self.gains.study_data

    @property
    def simulated(self) -> bool:
        """Whether the study's data are."""
        return self.study_data.study.simulated

    @property
    def shown(self) -> Shown:
        """How effects are shown."""
        return self.gains.shown

    @property
    def amounts(self) -> Amounts:
        """The same for sentences and figures of `evaluation.effects`."""
        return Amounts(divisor=self.shown.divisor, unit=self.shown.brief)

    @property
    def level(self) -> str:
        """The nominal coverage of intervals: "95%"."""
        return self.gains.level

    @property
    def differs(self) -> str:
        """Say how the gains were estimated otherwise; '' if they were not."""
        options = self.gains.found.options
        told = (
            [say("weigh villages by {name}", name=options.weights)] if options.weights else []
        )
        told += [say("give each village a trend of its own")] if options.trends else []
        if not told:
            return ""
        return say("The gains {differ}; the effects here do not.", differ=listing(told))


def estimate_study_effects(
    gains: StudyGains,
    *,
    cluster: Cluster | Literal[""] = "",
    matching: Matching = "entropy",
    estimators: Sequence[Estimator] = ESTIMATORS,
) -> StudyEffects:
    """Estimate a study's average effect with the options of its gains, by all estimators.

    Parameters
    ----------
    gains
        The study's gains.
    cluster
        The level at which villages were assigned; '' takes that of the gains.
    matching, estimators
        As in `estimate_effects`.

    Returns
    -------
    StudyEffects, which has the reason where the study has no comparison villages or its design
    leaves no effect to be estimated.
    """
    if gains.main is None:
        return StudyEffects(gains=gains, reason=gains.reason)
    options, panel = gains.main.options, gains.panel

    def estimate(effects: YearEffects) -> EffectsTable:
        return estimate_effects(
            panel, estimators=estimators, comparison=options.comparison,
            covariates=options.covariates, anticipation=options.anticipation,
            alpha=options.alpha, year_effects=effects, matching=matching,
            cluster=cluster or options.cluster or None,
        )  # fmt: skip

    may_part = options.year_effects == "common" and panel.villages["county"].nunique() > 1
    main, reason = _attempt(estimate, options.year_effects)
    if main is None:
        within = _attempt(estimate, "county")[0] if may_part else None
        if within is None:
            return StudyEffects(gains=gains, reason=reason)
        return StudyEffects(gains=gains, main=within, why_not_common=reason)
    if not may_part or main.overall["conf_low"].notna().any():
        return StudyEffects(gains=gains, main=main)
    within, why_not = _attempt(estimate, "county")
    return StudyEffects(gains=gains, main=main, within=within, why_not_within=why_not)


def _attempt(
    estimate: Callable[[YearEffects], EffectsTable], effects: YearEffects
) -> tuple[EffectsTable | None, str]:
    """Estimate, or give the reason why that cannot be done."""
    try:
        return estimate(effects), ""
    except DesignError as error:
        reason = str(error)
        return None, f"{reason[0].upper()}{reason[1:]}"
