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

Codes = npt.NDArray[np.intp]

_MOST_LEADS = 5
_SILENT = 1e-7


def choose_leads(design: Design, leads: int | None) -> tuple[int, ...]:
    """Choose the event times before treatment that get a coefficient.

    The earliest observed one gets none: with villages' levels the others are measured from it
    and from all before them. By default the last five years.
    """
    cohorts = pd.unique(design.cohort[np.isfinite(design.cohort)])
    known = {
        int(year - cohort)
        for cohort in cohorts
        for year in design.years[design.fitted[design.cohort == cohort].any(axis=0)]
    }
    ordered = sorted(known)
    n_leads = min(len(ordered) - 1, _MOST_LEADS if leads is None else leads)
    return tuple(ordered[max(len(ordered) - n_leads, 1) :])


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
            interval = Interval(reason="not identified: no village known then to compare with")
        elif len(taking_part) < fewest_clusters(alpha):
            interval = Interval(n_clusters=len(taking_part), reason="too few clusters")
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
