"""Synthetic difference-in-differences: comparison villages weighted to move as treated ones."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from evaluation.effects.estimates import Average, Estimates, collect
from evaluation.effects.setup import Codes, Setup
from evaluation.effects.simplex import weigh_few, weigh_many
from evaluation.effects.within import sum_by
from evaluation.errors import DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import commas, mark, say, sentences

_NONE_LEFT = 1e-9  # of the comparison's weight: what rounding leaves of none
_SERVE = mark("{n:,} treated villages that serve as comparison")
_ALONE = mark("{n:,} treated villages with nothing to compare with")
_HOLES = mark("{n:,} villages without an outcome in every year used")
_OF_THESE = mark("{n:,} of these treated")
_GAPS = mark("Gaps before treatment are what the weights leave: no test of trends.")


def estimate_synthetic_did(setup: Setup) -> Estimates:
    """Compare each cohort with comparison villages and years weighted to be like it.

    Where villages are compared within their county, each county's cohorts are apart.

    Returns
    -------
    Estimates. There is a row for every year before treatment that is used, as no single one is
    the reference, and none for years of anticipation. ``note`` counts the villages left out.

    Raises
    ------
    DesignError
        If for no cohort there are complete treated and comparison villages and an earlier year.

    Notes
    -----
    Of a cohort's N_1 villages with T_1 treated and T_0 earlier years, and comparison villages j

        tau = sum_t g_t / T_1 - sum_s v_s g_s,   g_t = mean y_it - sum_j w_j y_jt

    over treated years t and earlier years s (Arkhangelsky, Athey, Hirshberg, Imbens, Wager
    2021, doi:10.1257/aer.20190159). Unit weights w and time weights v are from zero on, add up
    to one, and minimise

        sum_s (w0 + sum_j w_j y_js - mean y_is)^2 + z^2 T_0 |w|^2
        sum_j (v0 + sum_s v_s y_js - sum_t y_jt / T_1)^2 + (1e-6 d)^2 N_0 |v|^2

    with d the sd of comparison villages' yearly changes before treatment, common shocks among
    them, and z = (N_1 T_1)^(1/4) d. Both are solved exactly (`weigh_many`, `weigh_few`); the
    authors' R package and diff-diff stop a Frank-Wolfe search near. With one earlier year w is
    equal: plain DiD.

    Comparison villages are the never treated ones; where there are none, and `comparison` is
    not_yet_treated, the last cohort, up to its own treatment. Cohorts are averaged by treated
    village-years (Clarke, Pailanir, Athey, Imbens 2023, arXiv:2301.11859). Villages that lack
    a year used are left out.

    Event study: g_t less sum_s v_s g_s, in each year t since and before treatment, averaged
    over villages (Ciccia 2024, arXiv:2407.09565). Before treatment v makes their weighted mean
    zero, and w was chosen to make them small: no evidence that weights fit afterwards too.

    Estimand: the mean effect on treated village-years, if without the programme the treated
    villages' mean had moved on like that of the weighted comparison villages.

    Errors: jackknife over clusters with weights held, those of the rest scaled up to one (their
    algorithm 3), variance (C - 1) / C sum_c (tau_(c) - tau)^2 over the C clusters with a
    village used; R's package takes deviations from the mean of tau_(c) instead. A cohort all of
    whose treated or weighted comparison villages lie in cluster c is not in tau_(c): its error
    is then judged by how it differs from other cohorts. Where that leaves no cohort, parts are
    zero, so that there is no standard error, and ``note`` says so; a placebo variance would
    stand on treated villages varying like comparison ones.
    """
    left_out: Counter[str] = Counter()
    cohorts = _weigh_cohorts(setup, left_out)
    told = say("; ").join(say(reason, n=n) for reason, n in left_out.items() if n)
    if not cohorts:
        raise DesignError(
            say(
                "{told}: no comparison village, or no earlier year, known in every year used. "
                "Leave out years in which few are known, or use imputation, which takes holes.",
                told=told or say("no village is treated"),
            )
        )
    times = sorted({time for cohort in cohorts for time in cohort.event_times})
    averages = []
    for time in (np.nan, *times):
        # Without each cluster, and with all: a cohort's sum, other where it has the cluster.
        (cells, sums), villages = np.zeros((2, setup.n_clusters + 1)), 0
        for cohort in cohorts:
            value, cell = cohort.average(time)
            whole = value * cell
            cells += cell[-1]
            sums += whole[-1]
            cells[cohort.clusters] += cell[:-1] - cell[-1]
            sums[cohort.clusters] += whole[:-1] - whole[-1]
            villages += int(cohort.treated[-1]) if cell[-1] else 0
        values = np.divide(sums, cells, out=np.full(len(cells), np.nan), where=cells > 0)
        averages.append(
            Average(
                event_time=time, estimate=values[-1], n_villages=villages,
                n_cells=int(cells[-1]), parts=values[:-1] - values[-1],
            )
        )  # fmt: skip
    found = collect(averages)
    undefined = np.asarray(np.isnan(found.parts).any(axis=0))
    taking_part = len(np.unique(np.concatenate([cohort.clusters for cohort in cohorts])))
    notes = [say("Left out: {told}.", told=told) if told else ""]
    event_notes = [say(_GAPS)]
    if setup.options.covariates:
        notes.append(say("Covariates are not used."))
    if undefined[0]:
        notes.append(say("No standard errors: all rests on one cluster."))
    elif undefined.any():
        named = commas(f"{time:.0f}" for time in found.terms["event_time"][undefined])
        event_notes.append(
            say(
                "No standard error where all rests on one cluster: event time {times}.",
                times=named,
            )
        )
    parts = np.where(undefined, 0, found.parts) * np.sqrt((taking_part - 1) / taking_part)
    return replace(
        found, parts=parts, note=sentences(*notes), event_note=sentences(*event_notes)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cohort:
    """A cohort beside its weighted comparison.

    Attributes
    ----------
    event_times
        U: of the years used.
    gaps
        (C + 1) x U: without each of its C clusters, and with all, g_t less its time-weighted
        mean; zero where it is not defined.
    treated
        C + 1: treated villages without each cluster, and all; 0 where the gap is not defined.
    clusters
        C: which have a village used.
    """

    event_times: Codes
    gaps: Floats
    treated: Floats
    clusters: Codes

    def average(self, time: float) -> tuple[Floats, Floats]:
        """Give the mean gap at an event time (NaN: after treatment) and its village-years."""
        some = self.event_times >= 0 if np.isnan(time) else self.event_times == time
        return self.gaps[:, some].sum(axis=1) / max(some.sum(), 1), self.treated * some.sum()


def _weigh_cohorts(setup: Setup, left_out: Counter[str]) -> list[_Cohort]:
    """Weigh the comparison of each cohort of each group; count villages left out by reason."""
    known, lead = np.isfinite(setup.outcome), setup.options.anticipation
    cohorts, holes = [], np.zeros(len(known), dtype=bool)
    for group in np.unique(setup.group):
        here = setup.group == group
        comparison, end = here & ~setup.treated, np.inf
        firsts = np.unique(setup.cohort[here & setup.treated])
        not_yet = setup.options.comparison == "not_yet_treated"
        if not_yet and len(firsts) and not comparison.any():
            comparison, end = here & (setup.cohort == firsts[-1]), firsts[-1] - lead
            left_out[_SERVE] += int(comparison.sum())
            firsts = firsts[:-1]
        for first in firsts:
            own = here & (setup.cohort == first)
            both = known[own].any(axis=0) & known[comparison].any(axis=0) & (setup.years < end)
            before = both & (setup.years < first - lead)
            after = both & (setup.years >= first)
            complete = known[:, before | after].all(axis=1)
            some, others = own & complete, comparison & complete
            if before.any() and after.any() and some.any() and others.any():
                holes |= (own | comparison) & ~complete
                cohorts.append(_weigh(setup, some, others, before, after, first))
            else:
                left_out[_ALONE] += int(own.sum())
    left_out[_HOLES] = int(holes.sum())
    left_out[_OF_THESE] = int((holes & setup.treated).sum())
    return cohorts


def _weigh(
    setup: Setup, treated: Bools, comparison: Bools, before: Bools, after: Bools, first: float
) -> _Cohort:
    years = np.flatnonzero(before | after)
    earlier, later = before[years], after[years]
    own, other = setup.outcome[np.ix_(treated, years)], setup.outcome[np.ix_(comparison, years)]
    changes = np.diff(other[:, earlier], axis=1)
    spread = float(changes.std(ddof=1)) if changes.size > 1 else 0.0
    spread = spread or 1.0  # where none moves apart, weights are equal whatever the ridge
    zeta = (len(own) * later.sum()) ** 0.25 * spread
    paths = other[:, earlier] - own[:, earlier].mean(axis=0)
    weights = weigh_many(
        paths - paths.mean(axis=1, keepdims=True), float(zeta**2 * earlier.sum())
    )
    rises = other[:, earlier] - other[:, later].mean(axis=1, keepdims=True)
    time_weights = weigh_few(rises - rises.mean(axis=0), len(other) * (1e-6 * spread) ** 2)
    clusters = np.unique(setup.clusters[treated | comparison])
    n, at = len(clusters), np.searchsorted(clusters, setup.clusters)
    n_left, own_left = _leave_out(own, np.ones(len(own)), at[treated], n)
    w_left, other_left = _leave_out(other, weights, at[comparison], n)
    defined = (n_left > 0) & (w_left > _NONE_LEFT)
    gaps = np.zeros((n + 1, len(years)))
    gaps[defined] = own_left[defined] / n_left[defined, None]
    gaps[defined] -= other_left[defined] / w_left[defined, None]
    gaps -= (gaps[:, earlier] @ time_weights)[:, None]
    return _Cohort(
        event_times=(setup.years[years] - first).astype(np.intp),
        gaps=gaps,
        treated=np.where(defined, n_left, 0),
        clusters=clusters,
    )


def _leave_out(
    values: Floats, weights: Floats, clusters: Codes, n: int
) -> tuple[Floats, Floats]:
    """Sum weights, and weighted values by year, without each of n clusters and over all."""
    columns = np.column_stack([np.ones(len(values)), values]) * weights[:, None]
    left = columns.sum(axis=0) - sum_by(clusters, n + 1) @ columns
    return left[:, 0], left[:, 1:]
