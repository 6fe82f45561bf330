"""Bounds on an average effect where outcomes are known more often in one of two groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from evaluation.effects.checks.side_by_side import average_error
from evaluation.errors import DesignError
from evaluation.gains.clusters import takes_part
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.gains.targets import Codes
from evaluation.language import say


@dataclass(frozen=True, slots=True, kw_only=True)
class LeeBounds:
    """Bounds on the average effect among village-years known with and without treatment.

    Attributes
    ----------
    low, high
        The bounds, on the scale of the analysis.
    conf_low, conf_high
        The interval that covers the average effect; NaN where the average itself has none.
    trimmed
        The share that is trimmed.
    group
        treated or comparison: whose outcomes are known more often, and are trimmed.
    """

    low: float
    high: float
    conf_low: float
    conf_high: float
    trimmed: float
    group: str


_Pool = tuple[Floats, Floats, Codes]
"""Changes that are trimmed: n values, their shares and their clusters."""


def lee_bounds(gains: IncomeGains, observed: IncomeGains) -> LeeBounds:
    """Bound the average effect by trimming the group whose outcomes are known more often.

    Parameters
    ----------
    gains
        Of the outcome.
    observed
        Of whether it is known (0 or 1; NaN for villages that are not looked at), for the same
        villages and years.

    Raises
    ------
    DesignError
        If the comparison is to be trimmed and no village is never treated, or the shares that
        are known leave nothing.

    Notes
    -----
    Lee (2009, doi:10.1111/j.1467-937X.2009.00536.x) for a panel. Estimand: the mean effect
    over treated village-years whose outcome is known with and without treatment. Assumed:
    treatment moves what is known in one direction only, and those village-years would have
    changed like the comparison's. s1 is the share of treated village-years known, and s0 = s1
    less the difference in differences of that share. What is trimmed is the distribution of
    changes. With s1 > s0 these are tau_it = y_it - a_i - l_t of treated village-years, of
    which the highest, or lowest, 1 - s0/s1 are left out. With s1 < s0 they are the changes of
    never treated villages, y_jt - l_t less its mean before a treated cohort's start, weighed
    over cohorts and years as the treated; without 1 - s1/s0 of them their mean moves, and the
    effect by as much in the other direction. The interval is Imbens and Manski's (2004,
    doi:10.1111/j.1468-0262.2004.00555.x), from the clusters' parts in the average, the trimmed
    mean, its quantile and the share trimmed; the year effects' error is the average's.
    """
    average, parts = average_error(gains)
    kept, kept_parts, more_treated = _share_kept(gains, observed)
    values, shares, clusters = _treated_pool(gains) if more_treated else _comparison_pool(gains)
    whole = float(shares @ values)
    sign = 1 if more_treated else -1
    ends, errors = [], []
    for lowest in (more_treated, not more_treated):
        mean, quantile, used = trim(values, shares, kept, lowest=lowest)
        moved = used * (values - mean) + (mean - quantile) * (used - shares)
        moved -= shares * (values - whole)
        cut = (quantile - mean) / kept * kept_parts
        error = np.bincount(clusters, moved, len(parts)) + cut
        ends.append(average + sign * (mean - whole))
        errors.append(parts + sign * error)
    low, high = _interval(ends, errors, gains)
    return LeeBounds(
        low=ends[0], high=ends[1], conf_low=low, conf_high=high, trimmed=1 - kept,
        group="treated" if more_treated else "comparison",
    )  # fmt: skip


def trim(
    values: Floats, shares: Floats, kept: float, *, lowest: bool
) -> tuple[float, float, Floats]:
    """Keep the lowest, or highest, share of values.

    Parameters
    ----------
    shares
        n: what each value counts; they add up to 1.

    Returns
    -------
    Their mean, the value at which they are cut, and what each counts in the mean (n); the value
    that is cut counts in part, so that exactly that share is kept.

    Examples
    --------
    >>> mean, cut, _ = trim(np.arange(1.0, 6), np.full(5, 0.2), 0.8, lowest=True)
    >>> print(f"{mean:.3f} {cut:.0f}")
    2.500 4
    """
    order = np.argsort(values if lowest else -values, kind="stable")
    ends = shares[order].cumsum()
    part = np.clip(kept - (ends - shares[order]), 0, shares[order])
    used = np.empty_like(shares)
    used[order] = part / part.sum()
    at = min(int(np.searchsorted(ends, kept - 1e-12)), len(order) - 1)
    return float(used @ values), float(values[order[at]]), used


def _share_kept(gains: IncomeGains, observed: IncomeGains) -> tuple[float, Floats, bool]:
    """Give the share that trimming keeps, the clusters' parts in its error, and whose it is."""
    difference, parts = average_error(observed)
    cells, clusters = observed.cells, place_codes(observed.panel, observed.cluster)
    known = np.isfinite(gains.fit.design.outcome)[cells.rows]
    share = float((cells.weights * known).sum() / cells.weights.sum())
    other = share - difference
    if not (share > 0 and other > 0):
        raise DesignError(say("the shares of outcomes known leave none known either way."))
    own = (cells.weights * (known - share)).sum(axis=1) / cells.weights.sum()
    share_parts = np.bincount(clusters[cells.rows], own, len(parts))
    change = share_parts / share - (share_parts - parts) / other  # of log(share / other)
    more = share >= other
    kept = other / share if more else share / other
    return kept, kept * (-change if more else change), more


def _treated_pool(gains: IncomeGains) -> _Pool:
    cells = gains.cells
    village, _ = np.nonzero(cells.counted)
    weights = cells.weights[cells.counted]
    clusters = place_codes(gains.panel, gains.cluster)[cells.rows[village]]
    return cells.gains[cells.counted], weights / weights.sum(), clusters


def _comparison_pool(gains: IncomeGains) -> _Pool:
    """Give never treated villages' changes since before each cohort's start."""
    design, cells = gains.fit.design, gains.cells
    never = np.flatnonzero(np.isnan(design.cohort))
    excess, weights = gains.fit.excess[never], design.weights[never]
    clusters = place_codes(gains.panel, gains.cluster)[never]
    found = []
    for cohort in np.unique(cells.cohort):
        before = design.years < cohort - gains.options.anticipation
        known = np.isfinite(excess)
        able = known[:, before].any(axis=1)
        start = np.where(known, excess, 0)[:, before].sum(axis=1) / np.maximum(
            known[:, before].sum(axis=1), 1
        )
        for t in np.flatnonzero(design.years >= cohort):
            some = able & known[:, t]
            total = cells.weights[cells.cohort == cohort, t].sum()
            if some.any() and total > 0:
                shares = total * weights[some] / weights[some].sum()
                found.append((excess[some, t] - start[some], shares, clusters[some]))
    if not found:
        raise DesignError(
            say(
                "outcomes are known less often among treated villages, and no never treated "
                "one is known before and after to trim instead."
            )
        )
    values, shares, codes = (np.concatenate(part) for part in zip(*found, strict=True))
    return values, shares / shares.sum(), codes


def _interval(
    ends: list[float], errors: list[Floats], gains: IncomeGains
) -> tuple[float, float]:
    if np.isnan(gains.att["conf_low"]):
        return np.nan, np.nan
    ses = [float(np.sqrt((error**2).sum())) for error in errors]
    freedom = int(takes_part(errors[0]).sum()) - 1
    width, alpha = (ends[1] - ends[0]) / max(ses), gains.options.alpha

    def excess(c: float) -> float:
        return float(stats.t.cdf(c + width, freedom) - stats.t.cdf(-c, freedom) - 1 + alpha)

    most = float(stats.t.ppf(1 - alpha / 2, freedom)) + 1e-6
    c = float(optimize.brentq(excess, 0, most))
    return ends[0] - c * ses[0], ends[1] + c * ses[1]
