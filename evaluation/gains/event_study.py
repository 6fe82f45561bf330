"""Gains by years since treatment, and the same contrast before it, where it should be zero."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    clustered_interval,
    fewest_clusters,
    takes_part,
    wild_interval,
)
from evaluation.gains.imputation import Counterfactual, Design, fit_counterfactual
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.system import System
from evaluation.language import say

Codes = npt.NDArray[np.intp]

_MOST_LEADS = 5
_WITH_REFERENCE = 0.9  # of villages: one cohort with a short past does not rule over all others
_SILENT = 1e-7


def choose_leads(design: Design, leads: int | None) -> tuple[int, ...]:
    """Choose the event times before treatment that get a coefficient, the last ones.

    The others are the reference, from which, with villages' levels, coefficients are measured:
    at least the earliest event time. By default there are up to five leads, but no more than
    leave half of the event times as reference, and a year of it (two with trends) to nine in
    ten of the villages that have a year to spare.
    """
    known = _times_before(design)
    ordered = sorted({time for times, _ in known for time in times})
    if leads is not None:
        return tuple(ordered[max(len(ordered) - leads, 1) :])
    n_levels = 2 if design.trends else 1
    most = min(_MOST_LEADS, len(ordered) // 2, len(ordered) - n_levels)
    able = sum(n for times, n in known if len(times) > n_levels)
    for n_leads in range(most, 0, -1):
        kept = ordered[:-n_leads]
        referred = sum(
            n
            for times, n in known
            if n_levels <= len(times & {*kept}) and len(times) > n_levels
        )
        if referred >= _WITH_REFERENCE * able:
            return tuple(ordered[-n_leads:])
    return ()


def find_reference(design: Design, leads: tuple[int, ...]) -> tuple[list[int], int]:
    """Give the event times that leads are measured from, and how many villages have one."""
    first = min(leads)
    known = [
        ({time for time in times if time < first}, n) for times, n in _times_before(design)
    ]
    return sorted(set().union(*(times for times, _ in known))), sum(n for t, n in known if t)


def _times_before(design: Design) -> list[tuple[set[int], int]]:
    """List each cohort's untreated event times with a known outcome, and its villages."""
    found = []
    for cohort in np.unique(design.cohort[np.isfinite(design.cohort)]):
        cells = design.fitted[design.cohort == cohort]
        times = {int(year - cohort) for year in design.years[cells.any(axis=0)]}
        found.append((times, int(cells.any(axis=1).sum())))
    return found


def estimate_leads(
    design: Design, leads: tuple[int, ...], *, clusters: Codes, alpha: float
) -> pd.DataFrame:
    """Estimate coefficients of event times before treatment, on untreated cells alone.

    Returns
    -------
    DataFrame with a row a lead: event_time, estimate, se, conf_low, conf_high, p_value,
    n_villages, n_cells, n_clusters, method, reason. Its ``attrs["joint_p"]`` is the p-value of
    all of them being zero (F test with C - 1 degrees of freedom), NaN below 30 clusters.

    Notes
    -----
    The separate regression of Borusyak, Jaravel, Spiess (2024, doi:10.1093/restud/rdae007,
    section 4.4): y_it = a_i + l_t + sum_h b_h 1(event_time = h) on untreated cells; the b_h
    are common to all counties where year effects are by county.
    """
    if not leads:
        return pd.DataFrame()
    fit = fit_counterfactual(replace(design, leads=leads))
    at = len(design.years) + design.n_slopes + np.arange(len(leads))
    estimates = fit.system.values[0, at]
    silent = _find_silent(fit.system)[-len(leads) :]
    why_silent = _why_silent(fit.design, silent)
    loads = np.zeros((*fit.system.values.shape, len(leads)))
    loads[0, at, np.arange(len(leads))] = 1
    parts = fit.error_parts(loads, clusters, int(clusters.max()) + 1)
    taking_part = np.flatnonzero(takes_part(parts))
    left_out = None
    if len(taking_part) < ENOUGH_CLUSTERS:
        left_out = _leave_out(fit, at, clusters, taking_part)
    found = []
    treated = np.isfinite(design.cohort)
    event_time = design.years - design.cohort[treated, None]
    event_time[~design.fitted[treated]] = np.nan
    for k, lead in enumerate(leads):
        cells = event_time == lead
        if silent[k]:
            interval = Interval(reason=say("not identified: {why}", why=why_silent[k]))
        elif len(taking_part) < fewest_clusters(alpha):
            n = len(taking_part)
            reason = say(
                "{n} clusters; {level:.0%} needs {needed}",
                n=n, level=1 - alpha, needed=fewest_clusters(alpha),
            )  # fmt: skip
            interval = Interval(n_clusters=n, reason=reason)
        elif left_out is not None:
            interval = wild_interval(float(estimates[k]), left_out[:, k], alpha=alpha)
        else:
            interval = clustered_interval(float(estimates[k]), parts[:, k], alpha=alpha)
        found.append(
            {
                "event_time": lead,
                "estimate": np.nan if silent[k] else float(estimates[k]),
                **asdict(interval),
                "n_villages": int(cells.any(axis=1).sum()),
                "n_cells": int(cells.sum()),
            }
        )
    frame = pd.DataFrame(found)
    frame.attrs["joint_p"] = (
        _joint_p(estimates[~silent], parts[:, ~silent]) if left_out is None else np.nan
    )
    return frame


def _find_silent(system: System) -> Bools:
    """Say which slopes the data do not identify."""
    return np.asarray(np.abs(system.slopes_silent).max(axis=1, initial=0) > _SILENT)


def _why_silent(design: Design, silent: Bools) -> list[str]:
    """Say of each lead that the data do not identify what takes it up."""
    alone = silent
    if design.trends and silent.any():
        without = fit_counterfactual(replace(design, trends=False))
        alone = _find_silent(without.system)[-len(silent) :]
    return [
        say("no village known then to compare with")
        if still
        else say("villages' own trends take it up")
        for still in alone
    ]


def _leave_out(fit: Counterfactual, at: Codes, clusters: Codes, taking_part: Codes) -> Floats:
    found = np.full((len(taking_part), len(at)), np.nan)
    for row, cluster in enumerate(taking_part):
        system = fit.without(clusters == cluster)
        known = ~_find_silent(system)[-len(at) :]
        found[row, known] = system.values[0, at[known]]
    return found


def _joint_p(estimates: Floats, parts: Floats) -> float:
    """Test that all coefficients are zero: a Wald statistic with clusters' covariance."""
    parts = parts[takes_part(parts)]
    n, k = parts.shape
    if k == 0 or n <= k + 1:
        return np.nan
    covariance = parts.T @ parts * n / (n - 1)
    wald = float(estimates @ np.linalg.pinv(covariance) @ estimates)
    return float(stats.f.sf(wald / k, k, n - 1))
