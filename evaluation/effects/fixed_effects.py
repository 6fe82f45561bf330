"""Two-way fixed effects, static and by event time, and Sun and Abraham's way to mend them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from evaluation.effects.estimates import Average, Estimates, collect
from evaluation.effects.setup import Setup
from evaluation.effects.within import WithinFit, find_cells, fit_within, without_singletons
from evaluation.errors import DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import commas, mark, say, say_count, sentences

NOTHING_TO_COMPARE = mark(
    "whether a village is treated follows from the village and the year (and the covariates): "
    "there is nothing to compare. Add earlier years or other villages."
)


def estimate_twfe(setup: Setup) -> Estimates:
    """Regress the outcome on treatment with village and year effects, and on event time.

    Returns
    -------
    Estimates. Event times that the data do not identify are NaN.

    Raises
    ------
    DesignError
        If treatment follows from the village and the year (and the covariates).

    Notes
    -----
    overall is b of y_it = a_i + l_t + b D_it + x_it g + e_it, D_it = year >= cohort; years that
    may be anticipated are left out. Event times are the b_k of y_it = a_i + l_t + sum_k b_k
    1(event_time = k) + x_it g + e_it, from which the reference, the last event time that is
    not affected, is left out. Where no village is never treated, event times follow from
    villages and years but for a slope, and the earliest is left out too. l_t is of a county
    with year_effects="county"; covariates that stay as they are have a slope a year. All
    villages compare with all, those treated already among them, whatever options.comparison:
    where effects differ between cohorts or grow, b may be no mean of them (`decompose_twfe`),
    nor b_k of those at k (Sun, Abraham 2021, doi:10.1016/j.jeconom.2020.09.006). Errors:
    `fit_within`.
    """
    cells, controls = find_cells(setup)
    treated, used = static_cells(setup, cells)
    fit = fit_within(setup, setup.outcome, [treated, *controls], used)
    if np.isnan(fit.coefficients[0]):
        raise DesignError(say(NOTHING_TO_COMPARE))
    overall = _average(fit, [treated & used], [0], np.nan)
    used = _kept(setup, cells)
    time = np.where(used, setup.event_time, np.nan)
    times = np.unique(time[np.isfinite(time)])
    left_out = times[times <= setup.reference][-1:]
    second = ""
    if not used[~setup.treated].any():
        left_out = np.union1d(times[:1], left_out)
        second = say(
            "No village is never treated: the earliest event time is a second reference."
        )
    times = np.setdiff1d(times, left_out)
    dummies = [time == k for k in times]
    fit = fit_within(setup, setup.outcome, [*dummies, *controls], used)
    events = [_average(fit, dummies, [at], k) for at, k in enumerate(times)]
    return collect(
        [overall, *events],
        _tell_left_out(setup, cells, cells, used),
        sentences(second, _tell_references(setup, left_out), _tell_unknown(fit, dummies)),
    )


def estimate_sun_abraham(setup: Setup) -> Estimates:
    """Estimate each cohort's effects by event time and average them by cohorts' shares.

    Returns
    -------
    Estimates.

    Raises
    ------
    DesignError
        If no cohort has an effect that can be told from years.

    Notes
    -----
    y_it = a_i + l_t + sum_c sum_k b_ck 1(cohort = c, event_time = k) + x_it g + e_it over the
    treated cohorts c and all event times k but the cohort's reference: the last that is not
    affected. b_ck is the mean effect on cohort c at k if villages would have changed alike.
    overall averages those from 0 on by their village-years, an event time its cohorts' b_ck
    likewise; weights are taken as given. Compared are the never treated; where there are none,
    the last cohort, and years from its treatment on are left out. Villages of cohorts without
    a reference year are left out. Sun, Abraham (2021, doi:10.1016/j.jeconom.2020.09.006), as
    R's fixest::sunab does. Errors: `fit_within`.
    """
    cells, controls = find_cells(setup)
    cohort, used, compared = _compare(setup, cells)
    past = used & (setup.years - cohort[:, None] <= setup.reference)
    lost = np.isfinite(cohort) & ~np.isin(cohort, cohort[past.any(axis=1)])
    offered = used & ~lost[:, None]
    used = _kept(setup, offered)
    dummies, times, references = _saturate(setup, cohort, used)
    fit = fit_within(setup, setup.outcome, [*dummies, *controls], used)
    known = np.isfinite(fit.coefficients[: len(times)])
    if not (known & (times >= 0)).any():
        raise DesignError(
            say(
                "no treated cohort has an earlier year and, in its treated years, villages to "
                "compare with. Add earlier years or comparison villages."
            )
        )
    n_lost = int(cells[lost].any(axis=1).sum())
    note = sentences(
        _tell_left_out(setup, cells, offered, used),
        compared,
        say("{n:,} villages of cohorts without an earlier year left out.", n=n_lost)
        if n_lost
        else "",
        _tell_references(setup, references),
        _tell_unknown(fit, dummies),
    )
    overall = _average(fit, dummies, np.flatnonzero(times >= 0), np.nan)
    events = [_average(fit, dummies, np.flatnonzero(times == k), k) for k in np.unique(times)]
    return collect([overall, *events], note)


def static_cells(setup: Setup, cells: Bools) -> tuple[Bools, Bools]:
    """Give which cells are treated, and which of those known the static regression takes."""
    time = setup.event_time
    return time >= 0, _kept(setup, cells & ~((time > setup.reference) & (time < 0)))


def _kept(setup: Setup, cells: Bools) -> Bools:
    """Leave out single cells, as reghdfe and pyfixest do; areg counts them."""
    if setup.options.fixed_effects == "full":
        return cells
    return without_singletons(cells, setup.group)


def _compare(setup: Setup, cells: Bools) -> tuple[Floats, Bools, str]:
    """Give the treated cohorts, with NaN for villages to compare with, and the cells."""
    cohort = setup.cohort
    if cells[~setup.treated].any():
        return cohort, cells, ""
    last = cohort[cells.any(axis=1)].max(initial=-np.inf)
    note = say(
        "No village is never treated: compared with those treated in {last:.0f}, the last, in "
        "the years before.",
        last=last,
    )
    before = setup.years < last - setup.options.anticipation
    return np.where(cohort == last, np.nan, cohort), cells & before, note


def _saturate(setup: Setup, cohort: Floats, used: Bools) -> tuple[list[Bools], Floats, Floats]:
    """Give the cells of each cohort and year but its reference, and both event times."""
    dummies: list[Bools] = []
    times: list[float] = []
    references: list[float] = []
    for first in np.unique(cohort[np.isfinite(cohort)]):
        own = used & (cohort == first)[:, None]
        known = setup.years[own.any(axis=0)]
        reference = known[known - first <= setup.reference][-1:]
        references += list(reference - first)
        for year in np.setdiff1d(known, reference):
            dummies.append(own & (setup.years == year))
            times.append(float(year - first))
    return dummies, np.array(times), np.unique(references)


def _average(
    fit: WithinFit, dummies: Sequence[Bools], chosen: Iterable[int], event_time: float
) -> Average:
    """Average coefficients by the cells that they are of."""
    chosen = [at for at in chosen if np.isfinite(fit.coefficients[at])]
    cells = np.array([dummies[at].sum() for at in chosen], dtype=float)
    weights = cells / max(cells.sum(), 1)
    villages = np.any([dummies[at].any(axis=1) for at in chosen], axis=0)
    return Average(
        event_time=float(event_time),
        estimate=float(fit.coefficients[chosen] @ weights) if chosen else np.nan,
        n_villages=int(villages.sum()),
        n_cells=int(cells.sum()),
        parts=fit.parts[:, chosen] @ weights,
    )


def _tell_left_out(setup: Setup, cells: Bools, offered: Bools, used: Bools) -> str:
    lacking = np.isfinite(setup.outcome).sum() - cells.sum()
    alone = offered.sum() - used.sum()
    return sentences(
        say("{n:,} village-years without a covariate left out.", n=lacking) if lacking else "",
        say_count(
            "{n} village-year alone in its village or year left out.",
            "{n:,} village-years alone in their village or year left out.",
            alone,
        )
        if alone
        else "",
    )


def _tell_references(setup: Setup, references: Floats) -> str:
    """Say from which event times effects are measured, where it is not the usual one."""
    if set(references) <= {setup.reference}:
        return ""
    return say(
        "Measured from event times {times}.", times=commas(f"{k:.0f}" for k in references)
    )


def _tell_unknown(fit: WithinFit, dummies: Sequence[Bools]) -> str:
    unknown = [k for k, b in zip(dummies, fit.coefficients, strict=False) if np.isnan(b)]
    n = sum(int(cells.sum()) for cells in unknown)
    return say("Effects in {n:,} village-years are not identified.", n=n) if n else ""
