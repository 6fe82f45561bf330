"""Quantile regressions of gains: against a brute-force fit, and what noise does to them."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from evaluation.effects.quantiles import regress_quantiles
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.effects.worlds import driven_panel
from tests.gains.panels import random_cells, to_panel
from tests.recovery.worlds import SD, World

ITERATED = 1e-3  # of the slope: QuantReg iterates to 1e-6 of the coefficients


def solve_exactly(x, y, q):
    """Minimise q u+ + (1 - q) u- as a linear programme, and give the slope."""
    n = len(y)
    cost = np.r_[0, 0, 0, 0, np.full(n, q), np.full(n, 1 - q)]
    design = np.column_stack([np.ones(n), -np.ones(n), x, -x, np.eye(n), -np.eye(n)])
    found = linprog(cost, A_eq=design, b_eq=y, method="highs").x
    return found[2] - found[3]


def test_slopes_are_those_of_the_linear_programme():
    panel, x, _ = driven_panel(3)
    gains = estimate_gains(panel)
    found = regress_quantiles(gains, x, draws=5)
    known = gains.villages
    for q, row in found.iterrows():
        expected = solve_exactly(x[known.index].to_numpy(), known["gain"].to_numpy() / SD, q)
        assert row["estimate"] / SD == pytest.approx(expected, abs=ITERATED)


def test_a_slope_that_rises_over_quantiles_is_found_and_noise_that_grows_looks_like_one():
    world = World(rho=0.0, county_share=0.0, treated=8, spread=0.0)
    panel, x, _ = driven_panel(4, slope=0.0, rest=0.0, world=world)
    still = regress_quantiles(estimate_gains(panel), x, draws=60)
    assert (still["conf_low"] < 0).all() and (still["conf_high"] > 0).all()
    rng = np.random.default_rng(4)
    # Errors alone, larger by a half of |x|: in every year anew, with nothing true about it.
    more = np.clip(x.to_numpy(), 0, None)[:, None] * rng.normal(size=panel.matrix().shape)
    panel.matrices["income"][:] += 1.5 * SD * more
    fan = regress_quantiles(estimate_gains(panel), x, draws=60)
    assert fan.loc[0.9, "conf_low"] > 0 > fan.loc[0.1, "conf_high"]


def test_clusters_are_drawn_whole():
    panel, _, _ = driven_panel(5, slope=0.0)
    county = pd.factorize(panel.villages["county"])[0]
    shared = np.random.default_rng(0).normal(size=county.max() + 1)[county]
    panel.matrices["income"][:] += np.where(panel.treated_cells, 2 * shared[:, None] * SD, 0)
    trait = pd.Series((county % 2).astype(float), index=panel.villages.index)
    by_county = regress_quantiles(estimate_gains(panel), trait, quantiles=[0.5], draws=99)
    alone = regress_quantiles(
        estimate_gains(panel, cluster="village"), trait, quantiles=[0.5], draws=99
    )
    assert by_county["n_clusters"].item() == 40 and alone["n_clusters"].item() == 160
    assert by_county["se"].item() > 1.3 * alone["se"].item()


def test_what_cannot_be_told_says_why():
    panel = to_panel(random_cells(1, n=80, n_counties=4))
    gains = estimate_gains(panel)
    x = pd.Series(np.arange(80.0), index=panel.villages.index)
    found = regress_quantiles(gains, x, quantiles=[0.05, 0.5])
    assert found.loc[0.05, "reason"] == "fewer than 5 villages beyond it"
    assert np.isnan(found.loc[0.05, "estimate"])
    assert found.loc[0.5, "reason"] == "villages of 4 clusters; 95% needs 6"
    assert np.isfinite(found.loc[0.5, "estimate"]) and np.isnan(found.loc[0.5, "se"])
    with pytest.raises(DesignError, match="the same in all"):
        regress_quantiles(gains, x * 0)
    with pytest.raises(DesignError, match="known of 10 villages"):
        known = gains.villages.index[gains.villages["gain"].notna()]
        regress_quantiles(gains, x[known[:10]])
    with pytest.raises(DesignError, match=r"quantile 1\.5 is none"):
        regress_quantiles(gains, x, quantiles=[0.5, 1.5])


def test_seed_order_and_units():
    panel, x, _ = driven_panel(6)
    gains = estimate_gains(panel)
    own = regress_quantiles(gains, x, quantiles=[0.25, 0.5], draws=10, seed=1)
    pd.testing.assert_frame_equal(
        own, regress_quantiles(gains, x.sample(frac=1), quantiles=[0.25, 0.5], draws=10, seed=1)
    )
    other = regress_quantiles(gains, x * 1e6, quantiles=[0.25, 0.5], draws=10, seed=1)
    np.testing.assert_allclose(other["estimate"] * 1e6, own["estimate"], rtol=1e-6)
    np.testing.assert_allclose(other["se"] * 1e6, own["se"], rtol=1e-6)
