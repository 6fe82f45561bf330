"""Invented panels whose true gains are known, to see how often intervals cover them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.panel import Variable, VillagePanel

Y = Variable(
    name="income", role="outcome", label="income", unit="yuan", scale="level", column="y"
)
SD = 10_000.0  # yuan: of a typical village's error


@dataclass(frozen=True, kw_only=True)
class World:
    """What a panel is like. Shares of variance and sds are relative to a village's error."""

    counties: int = 40
    treated: int = 4  # villages a county
    comparison: int = 12
    n_untreated: int = 5
    n_treated: int = 3
    rho: float = 0.5
    spread: float = 0.5  # of villages' log sd
    county_share: float = 0.08  # of the variance: shocks that a county's villages share
    gain: float = 0.5
    gain_sd: float = 0.3
    staggered: bool = False
    treated_counties: int = 0  # if any, these are treated whole and no others
    selection: float = 0.0  # on a low income in the year before
    level_sd: float = 2.0
    missing: float = 0.0


def make_panel(world, generator):
    """Give a panel, its true gains (n x T, NaN where untreated) and the villages' true sds."""
    per = world.treated + world.comparison
    n, years = world.counties * per, world.n_untreated + world.n_treated
    county = np.repeat(np.arange(world.counties), per)
    sd = np.exp(generator.normal(-(world.spread**2) / 2, world.spread, n))
    own, shared = np.sqrt(1 - world.county_share), np.sqrt(world.county_share)
    errors = own * sd[:, None] * _ar1(n, years, world.rho, generator)
    errors += shared * _ar1(world.counties, years, world.rho, generator)[county]
    levels = generator.normal(5, world.level_sd, n)
    common = np.cumsum(generator.normal(0.2, 0.3, years))
    outcome = levels[:, None] + common + errors
    if world.treated_counties:
        treated = county < world.treated_counties
    else:
        odds = generator.gumbel(size=n)
        if world.selection:
            before = outcome[:, world.n_untreated - 1]
            odds -= world.selection * (before - before.mean()) / before.std()
        order = np.lexsort((-odds, county)).reshape(world.counties, per)
        treated = np.zeros(n, dtype=bool)
        treated[order[:, : world.treated]] = True
    cohort = np.full(n, np.nan)
    late = generator.integers(0, 2 if world.staggered else 1, n)
    cohort[treated] = (2010 + world.n_untreated + late)[treated]
    span = np.arange(2010, 2010 + years)
    event_time = span - cohort[:, None]
    gains = generator.normal(world.gain, world.gain_sd, n)[:, None] * np.ones(years)
    gains = np.where(event_time >= 0, gains, np.nan)
    outcome = (outcome + np.nan_to_num(gains)) * SD
    outcome[generator.random(outcome.shape) < world.missing] = np.nan
    villages = pd.DataFrame(
        {
            "county": [f"county {c:03}" for c in county],
            "town": "",
            "name": "",
            "cohort": cohort,
        },
        index=pd.Index([f"v{i:05}" for i in range(n)], name="village"),
    )
    panel = VillagePanel(
        villages=villages,
        years=span,
        matrices={"income": outcome},
        variables={"income": Y},
        outcome="income",
        rows=np.isfinite(outcome),
        hedged=pd.DataFrame(),
    )
    return panel, gains * SD, sd * SD


def _ar1(n, years, rho, generator):
    errors = np.empty((n, years))
    errors[:, 0] = generator.standard_normal(n)
    for t in range(1, years):
        fresh = generator.standard_normal(n) * np.sqrt(1 - rho**2)
        errors[:, t] = rho * errors[:, t - 1] + fresh
    return errors
