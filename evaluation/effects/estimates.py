"""What an estimator gives, and the errors and intervals that follow from its clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np
import pandas as pd
from scipy import stats

from evaluation.effects.setup import Setup
from evaluation.errors import DesignError
from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    fewest_clusters,
    takes_part,
    too_few,
    wild_interval,
)
from evaluation.gains.moments import Floats
from evaluation.language import say

TERMS = ["period", "event_time", "estimate", "n_villages", "n_cells"]
COLUMNS = [
    "period", "event_time", "estimate", "se", "conf_low", "conf_high", "p_value", "band_low",
    "band_high", "n_villages", "n_cells", "n_clusters", "method", "reason",
]  # fmt: skip
_DRAWS = 999
_BLOCK = 2_000_000  # random signs held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """An average effect, its event study, and what each cluster adds to their errors.

    Attributes
    ----------
    terms
        K rows: period ("overall", then "before" and "after"), event_time (NaN for overall),
        estimate, n_villages (treated ones that it rests on), n_cells (their treated, or before
        treatment their untreated, village-years). The event time that effects are measured
        from has no row.
    parts
        C x K: what each cluster adds to the errors, so that parts' parts is the covariance;
        zero for clusters that take no part.
    note
        What a reader should know of this estimate, in sentences; '' for nothing.
    event_note
        The same of its event study alone.
    left_out
        The estimates without each of the clusters that take part, where `judge` made them anew
        as there are fewer than 30; NaN where one is then not identified.
    """

    terms: pd.DataFrame
    parts: Floats = field(repr=False)
    note: str = ""
    event_note: str = ""
    left_out: Floats | None = field(default=None, repr=False)

    @property
    def covariance(self) -> Floats:
        """K x K."""
        return np.asarray(self.parts.T @ self.parts)


Estimate = Callable[[Setup], Estimates]


@dataclass(frozen=True, slots=True, kw_only=True)
class Average:
    """A mean effect at an event time, or overall where that is NaN; as in `Estimates`."""

    event_time: float
    estimate: float
    n_villages: int
    n_cells: int
    parts: Floats = field(repr=False)


def collect(averages: Sequence[Average], note: str = "", event_note: str = "") -> Estimates:
    """Lay averages out as an estimator's `Estimates`."""
    terms = pd.DataFrame([{name: getattr(a, name) for name in TERMS[1:]} for a in averages])
    time = terms["event_time"]
    period = np.where(time.isna(), "overall", np.where(time < 0, "before", "after"))
    terms.insert(0, "period", period)
    parts = np.stack([a.parts for a in averages], axis=1)
    return Estimates(terms=terms, parts=parts, note=note, event_note=event_note)


def effective_clusters(setup: Setup) -> float:
    """Give as how many equal clusters those of a panel count.

    Notes
    -----
    (sum_c k_c)^2 / sum_c k_c^2 with k_c = w_c^2 + u_c^2, the cluster's shares of treated
    village-years and of the untreated ones in the same years (after Carter, Schnepel,
    Steigerwald 2017, doi:10.1162/REST_a_00639): four treated counties among forty count as
    five. But no more than those with untreated ones count by themselves: where all is compared
    with five villages, many treated ones make the comparison no surer.
    """
    known = np.isfinite(setup.outcome)
    with np.errstate(invalid="ignore"):
        treated = known & (setup.years >= setup.cohort[:, None])
    untreated = known & ~treated & treated.any(axis=0)
    if setup.options.comparison == "never_treated":
        untreated &= ~setup.treated[:, None]
    squares = []
    for cells in (treated, untreated):
        counts = np.bincount(setup.clusters, cells.sum(axis=1), setup.n_clusters)
        squares.append((counts / max(counts.sum(), 1)) ** 2)
    size, compared = squares[0] + squares[1], float(squares[1].sum())
    together = float(size.sum() ** 2 / (size**2).sum())
    return min(together, 1 / compared) if compared else together


def judge(estimate: Estimate, setup: Setup) -> tuple[Estimates, pd.DataFrame]:
    """Estimate, with standard errors, intervals and uniform bands.

    Parameters
    ----------
    estimate
        The estimator, which is asked again without each cluster where they are few.

    Returns
    -------
    What it gave, and a DataFrame: the terms with se, conf_low, conf_high, p_value, band_low,
    band_high (which hold all event times at once), n_clusters, method, reason.

    Raises
    ------
    DesignError
        If the estimator does.

    Notes
    -----
    With 30 clusters or more se^2 is the sum of the clusters' squared parts, and Student's t has
    one degree of freedom less than they count as equal ones. With fewer, `wild_interval`. With
    so few that signs cannot be flipped often enough, no interval, with the reason.
    """
    found = estimate(setup)
    alpha, parts = setup.options.alpha, found.parts
    some, effective = takes_part(parts), effective_clusters(setup)
    n, values = int(some.sum()), found.terms["estimate"].to_numpy(float)
    frame = found.terms.copy()
    if effective < fewest_clusters(alpha):
        intervals = [Interval(n_clusters=n, reason=too_few(n, effective, alpha))] * len(frame)
    elif not n:
        exact = Interval(reason=say("it is fitted exactly: no error to judge by"))
        intervals = [exact] * len(frame)
    elif n >= ENOUGH_CLUSTERS:
        freedom = min(n, effective) - 1
        intervals = [
            _clustered(value, column, alpha, freedom)
            for value, column in zip(values, parts.T, strict=True)
        ]
    else:
        left_out = np.array(
            [_leave_out(found, setup, estimate, int(c)) for c in np.flatnonzero(some)]
        )
        found = replace(found, left_out=left_out)
        intervals = [
            wild_interval(value, column, alpha=alpha)
            for value, column in zip(values, left_out.T, strict=True)
        ]
    for name in asdict(Interval()):
        frame[name] = [getattr(interval, name) for interval in intervals]
    events = frame["period"].ne("overall").to_numpy()
    reach = np.full(len(frame), np.nan)
    if n >= ENOUGH_CLUSTERS and events.any() and effective >= fewest_clusters(alpha):
        crit = uniform_critical(parts[:, events], alpha=alpha, seed=setup.options.seed)
        alone = (frame["conf_high"] - frame["estimate"]).to_numpy(float)
        reach[events] = np.maximum(crit * frame["se"].to_numpy(float), alone)[events]
    frame["band_low"], frame["band_high"] = values - reach, values + reach
    return found, frame[COLUMNS]


def uniform_critical(parts: Floats, *, alpha: float, seed: int) -> float:
    """Give the critical value at which the intervals of K estimates hold all at once.

    Notes
    -----
    The 1 - alpha quantile over draws of max_k |sum_c v_c parts_ck| / se_k, v_c Rademacher
    (multiplier bootstrap of Callaway, Sant'Anna 2021, doi:10.1016/j.jeconom.2020.12.001,
    algorithm 1, over clusters).
    """
    parts = parts[takes_part(parts)]
    se = np.sqrt((parts**2).sum(axis=0))
    standard = parts[:, se > 0] / se[se > 0]
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // max(len(parts), 1))
    largest = []
    for start in range(0, _DRAWS, step):
        size = (min(step, _DRAWS - start), len(parts))
        signs = rng.integers(0, 2, size, dtype=np.int8).astype(np.float32) * 2 - 1
        largest.append(np.abs(signs @ standard.astype(np.float32)).max(axis=1, initial=0))
    return float(np.quantile(np.concatenate(largest), 1 - alpha))


def _clustered(value: float, parts: Floats, alpha: float, freedom: float) -> Interval:
    se = float(np.sqrt((parts**2).sum()))
    if np.isnan(value):
        return Interval(reason=say("not identified"))
    if not se > 0:
        alone = say("one cluster holds all its treated or all its comparison villages")
        return Interval(reason=alone)
    half = float(stats.t.ppf(1 - alpha / 2, freedom)) * se
    return Interval(
        se=se, conf_low=value - half, conf_high=value + half,
        p_value=float(2 * stats.t.sf(abs(value) / se, freedom)),
        n_clusters=int(takes_part(parts).sum()), method="clustered",
    )  # fmt: skip


def _leave_out(found: Estimates, setup: Setup, estimate: Estimate, cluster: int) -> Floats:
    """Give the estimates without one cluster, NaN where they are not identified."""
    try:
        terms = estimate(setup.take(setup.clusters != cluster)).terms
    except DesignError:
        return np.full(len(found.terms), np.nan)
    times = pd.Index(terms["event_time"].fillna(-np.inf))
    values = pd.Series(terms["estimate"].to_numpy(float), index=times)
    return values.reindex(found.terms["event_time"].fillna(-np.inf)).to_numpy(float)
