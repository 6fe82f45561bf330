"""Village panels and ledgers of a programme like Jining's, with the truth kept beside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.prices import deflators, read_price_index
from evaluation.data.simulated_ledger import (
    Floats,
    simulate_funding,
    simulate_indicators,
)
from evaluation.data.simulated_villages import draw_units, make_villages
from evaluation.data.simulation_options import KINDS, SOURCES, SimulationOptions
from evaluation.errors import DesignError

_TARGETS = (50_000.0, 100_000.0)  # nominal yuan of income that villages were to reach
_SHORT = 0.8  # a village rounds up from this share of a target on
_SPREAD = 30.0  # of villages' income by kind around the mean shares (Dirichlet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """A simulated programme: what a study would see, and what is true.

    Attributes
    ----------
    villages
        One row a village and year: village (12-digit code), county, town, name, year, cohort
        (NaN: never treated), dispatching_unit, dispatch_level (empty: never treated; gains do
        not depend on them), longitude, latitude (degrees), households, poor_households,
        population, income_operating, ..., income_other, income_total (nominal yuan, as
        reported).
    ledger, projects
        See `Funding`; nominal yuan.
    indicators
        See `simulate_indicators`.
    truth
        One row a treated village and treated year; yuan of base_year: village, county,
        cohort, year, event_time, gain (effect on own income, which leaves out subsidies),
        counterfactual (own income without the programme), subsidy (subsidy income),
        subsidy_gain (what the programme added to it), rounded_up (reported but never
        earned), and by source money_fiscal, ... (received in that year, with the share in
        pooled money) and gain_fiscal, ... (its part of the gain).
    options, seed
        How it was made.
    """

    villages: pd.DataFrame
    ledger: pd.DataFrame
    projects: pd.DataFrame
    indicators: pd.DataFrame
    truth: pd.DataFrame
    options: SimulationOptions
    seed: int


def simulate_programme(options: SimulationOptions | None = None, *, seed: int) -> Simulation:
    """Make a village panel, a funding ledger, projects and indicators, and their truth.

    Parameters
    ----------
    options
        Features of the programme; by default like what was published on Jining.
    seed
        The same seed and options give the same numbers.

    Raises
    ------
    DesignError
        If the seed is no whole number from 0 on.
    DataError
        If the price index lacks a year.

    Notes
    -----
    Own income, without subsidies, of village i in county c, town w and year t, in yuan of
    base_year, is

        y_it = max(0, a_i + trend (t - first_year) + v_t + v_ct + v_wt + e_it) + g_it

    with ln a_i and all v normal, e_it an AR(1) with sd proportional to a_i, and for treated
    villages from their cohort on

        g_it = gain_scale (M_i / 10^6)^elasticity h_i phase(t - cohort) (1 - decay)^d_t

    where M_i is the sum over sources of source_weight times money received in all years,
    h_i is lognormal with mean 1, and d_t the years since exit_year. The gain's part from
    source s is g_it w_s m_is / M_i (its Aumann-Shapley value, which adds up to g_it).
    Without `selection_on` "last_year" trends are parallel. Estimands: g_it, and its means.
    """
    if type(seed) is not int or seed < 0:
        raise DesignError(f"seed is {seed!r}; give a whole number from 0 on.")
    options = options or SimulationOptions()
    levels = read_price_index("china")
    to_real = deflators(levels, options.years, base_year=options.base_year)
    # A stream for each part, so that changing one feature leaves the others' draws alone.
    places, incomes, choice, money, effects, reports, units = np.random.default_rng(seed).spawn(
        7
    )
    villages, log_baseline = make_villages(options, places)
    y0, baseline = _counterfactual(villages, log_baseline, options, incomes)
    cohort = _choose(villages, log_baseline, y0, options, choice)
    villages["cohort"] = cohort
    chosen = np.flatnonzero(np.isfinite(cohort))
    sent = draw_units(len(chosen), units).set_index(chosen)
    villages = villages.join(sent.reindex(villages.index, fill_value=""))
    treated = villages.take(chosen).reset_index(drop=True)
    funding = simulate_funding(treated, options, money)
    received = np.zeros((len(treated), len(options.years), len(SOURCES)))
    start = funding.years[0] - options.first_year
    received[:, start : start + len(funding.years)] = funding.received
    received *= to_real[:, None]
    gain, by_source = _gains(treated["cohort"].to_numpy(), received, options, effects)
    own = y0.copy()
    own[chosen] += gain
    base = options.income_shares["subsidy"]
    subsidy = baseline[:, None] * base / (1 - base) * reports.lognormal(-0.02, 0.2, y0.shape)
    subsidy_gain = options.subsidy_rate * received.sum(axis=2)
    subsidy[chosen] += subsidy_gain
    income, rounded_up = _report(own, subsidy, to_real, options, reports)
    truth = _truth(
        treated,
        options,
        {
            "gain": gain,
            "counterfactual": y0[chosen],
            "subsidy": subsidy[chosen],
            "subsidy_gain": subsidy_gain,
            "rounded_up": rounded_up[chosen],
            **{f"money_{name}": received[:, :, s] for s, name in enumerate(SOURCES)},
            **{f"gain_{name}": by_source[:, :, s] for s, name in enumerate(SOURCES)},
        },
    )
    return Simulation(
        villages=_panel(villages, income, options, reports),
        ledger=funding.ledger,
        projects=funding.projects,
        indicators=simulate_indicators(treated, options, money),
        truth=truth,
        options=options,
        seed=seed,
    )


def _counterfactual(
    villages: pd.DataFrame, z: Floats, options: SimulationOptions, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Make own income without the programme, village x year, and the lasting baseline."""
    n, years = len(villages), len(options.years)
    sd = options.baseline_sd
    baseline = options.baseline_mean * np.exp(sd * z - sd**2 / 2)
    common = options.trend * np.arange(years) + rng.normal(0, options.year_sd, years)
    y0 = baseline[:, None] + common
    for by, size in (("county", options.county_sd), (["county", "town"], options.town_sd)):
        place = villages.groupby(by, sort=False).ngroup().to_numpy()
        y0 += rng.normal(0, size, (place.max() + 1, years))[place]
    spread = options.noise_spread
    scale = options.noise_sd * baseline * rng.lognormal(-(spread**2) / 2, spread, n)
    noise = rng.standard_normal(n)
    for t in range(years):
        if t:
            fresh = rng.standard_normal(n) * np.sqrt(1 - options.rho**2)
            noise = options.rho * noise + fresh
        y0[:, t] += scale * noise
    return np.maximum(y0, 0), baseline


def _choose(
    villages: pd.DataFrame,
    z: Floats,
    y0: Floats,
    options: SimulationOptions,
    rng: np.random.Generator,
) -> Floats:
    """Choose each county's treated villages, and give every village's cohort (NaN: never).

    The largest of -selection x + Gumbel noise are chosen: successive draws with odds
    proportional to exp(-selection x). Cohorts are dealt out at random by their shares.
    """
    if options.selection_on == "last_year":
        before = np.log(np.maximum(y0[:, min(options.cohorts) - 1 - options.first_year], 1))
        z = (before - before.mean()) / before.std()
    score = -options.selection * z + rng.gumbel(size=len(z))
    cohort = np.full(len(z), np.nan)
    starts, shares = np.array(sorted(options.cohorts.items())).T
    for county, n in options.treated.items():
        inside = np.flatnonzero(villages["county"] == county)
        chosen = rng.permutation(inside[np.argsort(-score[inside], kind="stable")[:n]])
        place = np.searchsorted(np.cumsum(shares)[:-1], (np.arange(n) + 0.5) / n)
        cohort[chosen] = starts[place]
    return cohort


def _gains(
    cohort: Floats, received: Floats, options: SimulationOptions, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Give true gains, village x year, and their parts by source (a third axis)."""
    years = np.array(options.years)
    event_time = (years - cohort[:, None]).astype(int)
    phase = np.array(options.phase_in)[np.clip(event_time, 0, len(options.phase_in) - 1)]
    left = (1 - options.decay) ** np.maximum(years - options.exit_year, 0)
    effective = received.sum(axis=1) * [options.source_weights[name] for name in SOURCES]
    total = effective.sum(axis=1)
    luck = rng.lognormal(-(options.gain_sd**2) / 2, options.gain_sd, len(cohort))
    long_run = options.gain_scale * (total / 1e6) ** options.elasticity * luck
    gain = np.where(event_time >= 0, long_run[:, None] * phase * left, 0.0)
    share = effective / np.where(total > 0, total, 1)[:, None]
    return gain, gain[:, :, None] * share[:, None, :]


def _report(
    own: Floats,
    subsidy: Floats,
    to_real: Floats,
    options: SimulationOptions,
    rng: np.random.Generator,
) -> tuple[dict[str, Floats], Floats]:
    """Give nominal income by kind as villages report it, and what they rounded up (real)."""
    kinds = [kind for kind in KINDS if kind != "subsidy"]
    mean = np.array([options.income_shares[kind] for kind in kinds])
    shares = rng.standard_gamma(_SPREAD * mean / mean.sum(), (len(own), len(kinds)))
    shares /= shares.sum(axis=1, keepdims=True)
    income = {kind: own * shares[:, [k]] / to_real for k, kind in enumerate(kinds)}
    income["subsidy"] = subsidy / to_real
    total = (own + subsidy) / to_real
    added = np.zeros_like(total)
    rounds_up = rng.random((len(own), 1)) < options.rounding_up
    for target in _TARGETS:
        near = rounds_up & (total >= _SHORT * target) & (total < target)
        above = target * (1 + 0.02 * rng.random(total.shape))
        added = np.where(near, above - total, added)
    income["other"] = income["other"] + added
    reported = {f"income_{kind}": income[kind] for kind in KINDS}
    return reported | {"income_total": total + added}, added * to_real


def _panel(
    villages: pd.DataFrame,
    income: dict[str, Floats],
    options: SimulationOptions,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Lay the panel out, one row a village and year; some years have no incomes."""
    n, years = len(villages), np.array(options.years)
    repeated = np.repeat(np.arange(n), len(years))
    columns: dict[str, object] = {
        "village": pd.Categorical(villages["village"], villages["village"])[repeated]
    }
    for name in ("county", "town", "name", "dispatching_unit", "dispatch_level"):
        columns[name] = pd.Categorical(villages[name])[repeated]
    columns["year"] = np.tile(years, n)
    for name in ("cohort", "longitude", "latitude", "households", "poor_households"):
        columns[name] = villages[name].to_numpy()[repeated]
    size = rng.uniform(2.6, 3.4, n)[:, None] * 0.99 ** np.arange(len(years))
    people = villages["households"].to_numpy()[:, None] * size
    columns["population"] = np.rint(people).astype(int).ravel()
    missing = rng.random((n, len(years))) < options.missing
    for name, values in income.items():
        columns[name] = np.where(missing, np.nan, values).ravel()
    return pd.DataFrame(columns, copy=False)


def _truth(
    treated: pd.DataFrame, options: SimulationOptions, matrices: dict[str, Floats]
) -> pd.DataFrame:
    """Lay village x year matrices out, one row a treated village and treated year."""
    years = np.array(options.years)
    repeated = np.repeat(np.arange(len(treated)), len(years))
    truth = treated[["village", "county", "cohort"]].take(repeated).reset_index(drop=True)
    truth = truth.astype({"cohort": int}).assign(year=np.tile(years, len(treated)))
    truth["event_time"] = truth["year"] - truth["cohort"]
    values = pd.DataFrame({name: values.ravel() for name, values in matrices.items()})
    truth = pd.concat([truth, values], axis=1)
    return truth[truth["event_time"] >= 0].reset_index(drop=True)
