"""What every estimator of the average effect takes: a panel laid out, and the choices made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from evaluation.data.panel import VillagePanel
from evaluation.errors import DesignError
from evaluation.gains.design import cluster_level, place_codes
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.options import Cluster, Comparison, YearEffects
from evaluation.gains.scale import to_analysis_scale
from evaluation.language import say

Codes = npt.NDArray[np.intp]
Estimator = Literal[
    "imputation", "callaway_santanna", "sun_abraham", "twfe", "synthetic_did", "matched_did"
]
Matching = Literal["entropy", "propensity"]
FixedEffectsCounted = Literal["nested", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectOptions:
    """Choices of an estimate of the average effect.

    Attributes
    ----------
    comparison, anticipation, alpha, year_effects, cluster
        As in `GainOptions`.
    covariates
        Names in the panel. Estimators that weigh or adjust by baseline take the value of the
        year that they compare with; regressions take those that vary as they are, and those
        that do not with a slope a year.
    matching
        How `matched_did` weighs comparison villages: "entropy" balances the covariates' means
        exactly, "propensity" weighs by the odds of treatment.
    fixed_effects
        Whether village effects count in the regressions' degrees of freedom: "nested" leaves
        out those that lie within a cluster, as Stata's reghdfe and R's fixest do; "full"
        counts all, N + T + K - 1 in all, as Stata's areg and xtreg with dfadj do, which makes
        errors larger by the root of about T / (T - 1).
    seed
        Of the multiplier bootstrap for uniform bands.
    """

    comparison: Comparison = "not_yet_treated"
    covariates: tuple[str, ...] = ()
    anticipation: int = 0
    alpha: float = 0.05
    year_effects: YearEffects = "common"
    cluster: Cluster = "county"
    matching: Matching = "entropy"
    fixed_effects: FixedEffectsCounted = "nested"
    seed: int = 0

    def __post_init__(self) -> None:
        check_choice("matching", self.matching, Matching)
        check_choice("fixed_effects", self.fixed_effects, FixedEffectsCounted)
        check_seed(self.seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """N villages x T years as the estimators take them.

    Attributes
    ----------
    outcome
        N x T, on the scale of the analysis; NaN where missing.
    years
        T, ascending.
    cohort
        N: first treated year; NaN for villages that are not treated within the years.
    covariates
        N x T by name.
    clusters
        N: the cluster of each village's errors.
    group
        N: the county, where villages are compared within theirs; else 0.
    options
        The choices.
    """

    outcome: Floats
    years: npt.NDArray[np.int64]
    cohort: Floats
    covariates: Mapping[str, Floats]
    clusters: Codes
    group: Codes
    options: EffectOptions

    @property
    def treated(self) -> Bools:
        """N: whether a village is treated within the years."""
        return np.isfinite(self.cohort)

    @property
    def event_time(self) -> Floats:
        """N x T: years since the first treated one; NaN for the never treated."""
        return np.asarray(self.years - self.cohort[:, None])

    @property
    def reference(self) -> int:
        """The event time that effects are measured from: the last one not affected."""
        return -1 - self.options.anticipation

    @property
    def n_clusters(self) -> int:
        """How many clusters are numbered, with and without a village left."""
        return int(self.clusters.max(initial=-1)) + 1

    def compared_by(self, estimator: Estimator) -> Setup:
        """Give the setup with whom an estimator compares, where that is not for it to choose.

        Sun-Abraham and synthetic DiD compare with never treated villages alone, where there
        are any.
        """
        if estimator not in ("sun_abraham", "synthetic_did") or self.treated.all():
            return self
        return replace(self, options=replace(self.options, comparison="never_treated"))

    def take(self, kept: Bools) -> Setup:
        """Keep some villages; clusters and groups keep their numbers."""
        return replace(
            self,
            outcome=self.outcome[kept],
            cohort=self.cohort[kept],
            covariates={name: values[kept] for name, values in self.covariates.items()},
            clusters=self.clusters[kept],
            group=self.group[kept],
        )


def check_seed(seed: int) -> None:
    """Refuse what is no seed of random numbers."""
    if type(seed) is not int or seed < 0:
        raise DesignError(f"seed is {seed!r}; give a whole number from 0 on.")


def check_choice(name: str, value: object, choices: Any) -> None:
    """Refuse an option that is none of the words of a Literal."""
    if value not in get_args(choices):
        raise DesignError(f"{name} is {value!r}; give one of {', '.join(get_args(choices))}.")


def build_setup(panel: VillagePanel, options: EffectOptions) -> Setup:
    """Lay a panel out for the estimators.

    Raises
    ------
    DesignError
        If a covariate is the outcome itself, or the panel has none of that name.
    """
    if panel.outcome in options.covariates:
        told = say(
            "covariate {name!r} is the outcome itself; leave it out.", name=panel.outcome
        )
        raise DesignError(told)
    cohort, county = panel.cohort, place_codes(panel, "county")
    outcome = to_analysis_scale(panel).matrix
    # Villages treated just after the panel may be affected in its last years already.
    anticipating = (cohort > panel.years[-1])[:, None] & (
        panel.years >= cohort[:, None] - options.anticipation
    )
    return Setup(
        outcome=np.where(anticipating, np.nan, outcome),
        years=panel.years,
        cohort=np.where(cohort <= panel.years[-1], cohort, np.nan),
        covariates={name: panel.matrix(name) for name in options.covariates},
        clusters=place_codes(panel, cluster_level(panel, options.cluster)),
        group=county if options.year_effects == "county" else np.zeros_like(county),
        options=options,
    )
