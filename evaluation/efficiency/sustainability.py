"""What stays of the gains after the secretaries leave, and how much of them is subsidy."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from evaluation.display import ShowsSummary
from evaluation.efficiency.fieller import RatioSet, fieller_set, no_set
from evaluation.errors import DesignError
from evaluation.gains.averages import average_covariance, average_points
from evaluation.gains.clusters import fewest_clusters, too_few
from evaluation.gains.design import place_codes
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.gains.targets import Codes, TreatedCells, effective_clusters
from evaluation.language import say


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class GainRatio(ShowsSummary):
    """The ratio of one average of gains to another, of the same villages.

    Attributes
    ----------
    numerator, denominator
        Averages over village-years, in the gains' unit.
    found
        Their ratio with Fieller's set.
    n_villages
        How many villages are in both.
    n_clusters
        How many clusters the variances rest on.
    left_out
        Treated villages with a gain that are in neither.
    """

    numerator: float
    denominator: float
    found: RatioSet
    n_villages: int
    n_clusters: int
    left_out: int

    def to_frame(self) -> pd.DataFrame:
        """Give one row."""
        return pd.DataFrame([{**asdict(self), **asdict(self.found)}]).drop(columns="found")

    def summary(self) -> str:
        """Say the ratio and its set."""
        return (
            f"{self.numerator:,.4g} / {self.denominator:,.4g} = {self.found.ratio:.3g} "
            f"({self.found}; {self.n_villages:,} villages, {self.n_clusters} clusters)"
        )


def measure_retention(gains: IncomeGains, *, term: int) -> GainRatio:
    """Give the mean gain after the secretaries left over that while they were there.

    Parameters
    ----------
    gains
        Estimated gains.
    term
        How many years a secretary stays, from the first treated year on.

    Returns
    -------
    GainRatio over the villages that have gains in both times.

    Raises
    ------
    DesignError
        If ``term`` is no number of years, or no village has gains in both times.

    Notes
    -----
    Fieller's set (see `fieller_set`) from the joint covariance of the two averages, clustered,
    with Student's t of one degree of freedom less than the clusters, or the equal ones that
    they count as (see `effective_clusters`). A gain that fades is told from one that had
    not yet come while the secretary was there only by the event study. Estimand: average gain
    after over average gain during, if trends without the programme would have stayed parallel
    for all that time.
    """
    if type(term) is not int or term < 1:
        raise DesignError(
            say("term is {term}; give how many years a secretary stays, such as 2.", term=term)
        )
    cells = gains.cells
    since = gains.panel.years - cells.cohort[:, None]
    during, after = cells.counted & (since < term), cells.counted & (since >= term)
    both = np.asarray(during.any(axis=1) & after.any(axis=1))
    if not both.any():
        raise DesignError(
            say(
                "no village has gains both within {term} years from its first treated year and "
                "later: what stays of them is not seen yet.",
                term=term,
            )
        )
    codes = np.where(after, 0, np.where(during, 1, -1))[both]
    kept = cells.take(both)
    covariance, n_clusters = average_covariance(
        gains.fit, kept, codes, 2, clusters=place_codes(gains.panel, gains.cluster)
    )
    effective = _count_effective(gains, kept, codes, 2)
    means = average_points(kept, codes, 2)
    return GainRatio(
        numerator=float(means[0]),
        denominator=float(means[1]),
        found=_joint_set(means, covariance, n_clusters, effective, gains.options.alpha),
        n_villages=int(both.sum()),
        n_clusters=n_clusters,
        left_out=int((~both).sum()),
    )


def measure_subsidy_share(gains: IncomeGains, *, subsidy: str = "income_subsidy") -> RatioSet:
    """Give the share of subsidies in the gain of income with subsidies.

    Parameters
    ----------
    gains
        Estimated gains of income without subsidies, in levels.
    subsidy
        The panel's variable of subsidies.

    Returns
    -------
    RatioSet: the programme's mean gain in subsidies over that in income and subsidies, with
    Fieller's set; "none" where averages have no interval.

    Raises
    ------
    DesignError
        If the panel has no such variable or gains are not in levels.

    Notes
    -----
    With D the gain in income and S that in subsidies, the share is S / (D + S). Their
    covariance is (V(D + S) - V(D) - V(S)) / 2, each from an estimate of its own on the
    village-years where both are known.
    """
    panel = gains.panel
    if panel.analysis.form != "level":
        raise DesignError(
            say("the share of subsidies needs gains in levels, not {unit}", unit=gains.unit)
        )
    own, extra = panel.matrix(), panel.matrix(subsidy)
    own, extra = np.where(np.isnan(extra), np.nan, own), np.where(np.isnan(own), np.nan, extra)
    results = [_estimate_like(gains, matrix) for matrix in (own, extra, own + extra)]
    found = [result.att for result in results]
    point, whole = float(found[1]["estimate"]), float(found[2]["estimate"])
    variances = [float(row["se"]) ** 2 for row in found]
    ratio = point / whole if whole else np.nan
    if not np.isfinite(variances).all() or found[0]["reason"]:
        return no_set(str(found[0]["reason"]) or say("no standard errors"), ratio=ratio)
    n_clusters = float(found[0]["n_clusters"])
    if found[0]["method"] == "clustered":
        cells = results[0].cells
        codes = np.where(cells.counted, 0, -1)
        n_clusters = min(n_clusters, _count_effective(results[0], cells, codes, 1))
    limit = np.sqrt(variances[1] * variances[2])  # which placebos' variances may overstep
    covariance = (variances[2] + variances[1] - variances[0]) / 2
    return fieller_set(
        point,
        whole,
        var_numerator=variances[1],
        var_denominator=variances[2],
        covariance=float(np.clip(covariance, -limit, limit)),
        alpha=gains.options.alpha,
        freedom=n_clusters - 1,
    )


def _count_effective(gains: IncomeGains, cells: TreatedCells, codes: Codes, n: int) -> float:
    """Give as how many equal clusters those of n averages count, in the one with the fewest."""
    clusters = place_codes(gains.panel, gains.cluster)
    return float(effective_clusters(gains.fit, cells, codes, n, clusters).min())


def _joint_set(
    means: Floats, covariance: Floats, n_clusters: int, effective: float, alpha: float
) -> RatioSet:
    """Give the ratio of the first mean to the second with its set."""
    needed = fewest_clusters(alpha)
    if effective < needed or not np.isfinite(covariance).all():
        reason = say("without one of the clusters an average is not identified")
        if effective < needed:
            reason = too_few(n_clusters, effective, alpha)
        return no_set(reason, ratio=float(means[0] / means[1]) if means[1] else np.nan)
    return fieller_set(
        float(means[0]),
        float(means[1]),
        var_numerator=float(covariance[0, 0]),
        var_denominator=float(covariance[1, 1]),
        covariance=float(covariance[0, 1]),
        alpha=alpha,
        freedom=min(n_clusters, effective) - 1,
    )


def _estimate_like(gains: IncomeGains, outcome: Floats) -> IncomeGains:
    """Estimate the gains of another outcome in the same way."""
    panel = gains.panel
    matrices = {**panel.matrices, panel.outcome: outcome}
    options = asdict(gains.options)
    options["cluster"] = options["cluster"] or None
    return estimate_gains(replace(panel, matrices=matrices), **options)
