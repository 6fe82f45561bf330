"""Panels whose true gains follow a trait, to see whether it is found."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.data.panel import Variable
from tests.recovery.worlds import SD, World, make_panel


def driven_panel(seed, *, slope=1.0, rest=0.5, world=None):
    """Give a panel, a trait x, and true gains: slope x + a rest with sd, times SD.

    x is known of all villages and varies by village and by county.
    """
    rng = np.random.default_rng(seed)
    world = replace(world or World(), gain_sd=0.0)
    panel, _, _ = make_panel(world, rng)
    county = pd.factorize(panel.villages["county"])[0]
    x = rng.normal(size=len(county)) + 0.5 * rng.normal(size=county.max() + 1)[county]
    more = (slope * x + rest * rng.normal(size=len(x))) * SD
    panel.matrices["income"][:] += np.where(panel.treated_cells, more[:, None], 0)
    trait = pd.Series(x, index=panel.villages.index, name="x")
    return panel, trait, pd.Series(more + world.gain * SD, index=trait.index)


def with_covariate(panel, name, values):
    """Give the panel with one more covariate, N x T."""
    variable = Variable(
        name=name, role="covariate", label=name, unit="", scale="level", column=name
    )
    return replace(
        panel,
        matrices={**panel.matrices, name: np.asarray(values, float)},
        variables={**panel.variables, name: variable},
    )
