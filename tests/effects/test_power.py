"""Power: the estimate it repeats, theory, fresh data at the minimum, planned panels."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.data.panel import OutcomeScale
from evaluation.effects.planned import Plan, find_residuals, plan_panel
from evaluation.effects.power import find_power, judge_draw, simulate_power
from evaluation.errors import DesignError
from evaluation.gains.design import place_codes
from evaluation.gains.estimate import estimate_gains
from tests.gains.panels import random_cells, to_panel
from tests.recovery.worlds import SD, World, make_panel

EXACT = 1e-9  # the same arithmetic by another way
SHIFTED = ["estimate", "conf_low", "conf_high"]  # by a constant effect
# The 80% quantile of n draws of a normal has an sd of .064 (500 / n)^(1/2) of its sd, 2.3% of a
# minimum of 2.8 sds at 500; and variances come from a few hundred villages' residuals.
SIMULATED = 0.08


def small_world(**changes):
    usual = World(
        counties=60, treated=2, comparison=8, n_untreated=1, n_treated=1, rho=0.0, spread=0.0,
        county_share=0.0, gain=1.0, gain_sd=0.0,
    )  # fmt: skip
    return replace(usual, **changes)


def gains_of(world, *, seed=1, **options):
    panel, _, _ = make_panel(world, np.random.default_rng(seed))
    return estimate_gains(panel, **options)


@pytest.fixture(scope="module")
def iid():
    return gains_of(small_world(), cluster="village")


@pytest.fixture(scope="module")
def iid_power(iid):
    return simulate_power(iid, n_draws=1_000)


@pytest.fixture(scope="module")
def four_counties():
    cells = random_cells(3, n=200, n_counties=4, missing=0.02)
    return estimate_gains(to_panel(cells.assign(town=cells["village"].str[-1])))


@pytest.mark.parametrize(
    "options",
    [
        {"cluster": "village"},
        {"year_effects": "county", "cluster": "town"},
        {"comparison": "never_treated", "anticipation": 1, "cluster": "village"},
        {"cluster": "village", "trends": True},
    ],
)
def test_a_draw_is_estimated_as_a_panel_is(four_counties, options):
    """Holes, cohorts and options as in the study; a constant effect shifts the interval."""
    panel, effect = four_counties.panel, 3.7
    gains = estimate_gains(panel, **options)
    residuals = find_residuals(gains, np.ones(len(panel.years), dtype=bool))
    found = judge_draw(gains, residuals, np.random.default_rng(5))
    drawn = residuals.draw(place_codes(panel, gains.cluster), np.random.default_rng(5))
    outcome = np.where(np.isnan(panel.matrix()), np.nan, drawn + effect * panel.treated_cells)
    expected = estimate_gains(replace(panel, matrices={"y": outcome}), **options).att
    for name in SHIFTED:
        assert found[name] + effect == pytest.approx(expected[name], abs=EXACT)
    assert found["se"] == pytest.approx(expected["se"], abs=EXACT)


def test_theory_without_clusters(iid_power):
    """Two years, independent errors: MDE = (t + t) sd (2 / N_1 + 2 / N_0)^(1/2)."""
    found = iid_power
    n_treated, n_comparison = found.plan.n_treated, found.plan.n_comparison
    assert (n_treated, n_comparison) == (120, 480)
    se = SD * np.sqrt(2 / n_treated + 2 / n_comparison)
    expected = stats.t.ppf([0.975, 0.8], n_treated).sum() * se
    assert found.minimum_detectable_effect == pytest.approx(expected, rel=SIMULATED)
    assert abs(found.size - 0.05) < 3.5 * found.size_se


def test_theory_with_clusters():
    """Whole counties treated: (t + t) (2 (s + v / m) (1 / C_1 + 1 / C_0))^(1/2)."""
    world = small_world(treated_counties=30, treated=0, comparison=10, county_share=0.3)
    found = simulate_power(gains_of(world, cluster="county"), n_draws=500)
    se = SD * np.sqrt(2 * (0.3 + 0.7 / 10) * (1 / 30 + 1 / 30))
    expected = stats.t.ppf([0.975, 0.8], 58).sum() * se
    # 30 counties' shocks give their sd to 13%
    assert found.minimum_detectable_effect == pytest.approx(expected, rel=0.3)


def test_variances_of_residuals_are_right_on_average():
    """Clusters' shocks and villages' errors of two years: .3 and .7 of the variance."""
    years, shocks, own = np.ones(2, dtype=bool), [], []
    for seed in range(60):
        world = small_world(counties=12, comparison=5, county_share=0.3)
        found = find_residuals(gains_of(world, seed=seed, cluster="county"), years)
        shocks.append(np.diff(found.shocks).var() / 2 / SD**2)
        own.append(np.diff(found.own).var() / 2 / SD**2)
    assert np.mean(shocks) == pytest.approx(0.3, rel=0.15)  # sd of the mean: 6%
    assert np.mean(own) == pytest.approx(0.7, rel=0.1)  # 3%


def test_fresh_data_at_the_minimum_have_the_power(iid_power):
    """New panels with the minimum as their effect: four in five find it."""
    world = small_world(gain=iid_power.minimum_detectable_effect / SD)
    found = [gains_of(world, seed=100 + i, cluster="village").att for i in range(200)]
    share = np.mean([row["conf_low"] > 0 for row in found])
    assert abs(share - 0.8) < 0.1  # sd of the share 2.8%, of the minimum in it 3%


def test_correlation_over_years_is_kept():
    """With rho .9 between all years averages gain nothing from more of them."""
    power = {}
    for rho in (0.0, 0.9):
        world = small_world(n_untreated=4, n_treated=4, rho=rho)
        gains = gains_of(world, cluster="village")
        power[rho] = simulate_power(gains, n_draws=300).minimum_detectable_effect / SD
    # Var of the mean of 4 less that of 4: 2 (1/4) at rho 0; at .9 by summing rho^|s - t|
    lags = np.abs(np.subtract.outer(np.arange(8), np.arange(8)))
    signs = np.repeat([-0.25, 0.25], 4)
    expected = np.sqrt(signs @ 0.9**lags @ signs / (signs @ signs))
    assert power[0.9] / power[0.0] == pytest.approx(expected, rel=0.15)


def test_four_counties_give_way_to_towns(four_counties):
    found = simulate_power(four_counties, n_draws=100)
    assert found.reason.startswith("no interval with villages compared across counties and")
    assert "95% needs 6" in found.reason
    assert "within county and errors by town" in found.how and found.n_clusters > 20
    assert np.isfinite(found.minimum_detectable_effect)


def test_no_clustering_at_all():
    cells = random_cells(3, n=60, n_counties=1, missing=0, never=0.97)
    gains = estimate_gains(to_panel(cells), cluster="county")
    with pytest.raises(DesignError, match="Plan more villages"):
        simulate_power(gains, n_draws=100)


def test_curve_and_result(iid):
    found = simulate_power(iid, n_draws=100)
    curve = found.to_frame()
    assert (curve["effect"] / found.minimum_detectable_effect).tolist() == pytest.approx(
        [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2]
    )
    assert curve["power"].is_monotonic_increasing and curve["power"].iloc[0] == found.size
    share = curve["power"].clip(0.01, 0.99)
    np.testing.assert_allclose(curve["power_se"], np.sqrt(share * (1 - share) / 100))
    outcome = iid.panel.matrix()[~iid.panel.is_treated, -1]
    assert found.comparison_mean == pytest.approx(outcome.mean())
    share = found.minimum_detectable_effect / outcome.mean()
    assert found.minimum_detectable_share == pytest.approx(share)
    at = find_power(found.draws, np.array([1, 0.99]) * found.minimum_detectable_effect)
    assert at[0] >= 0.8 > at[1]
    assert "120 treated and 480 comparison villages, 2010-2011" in found.summary()
    att = iid.att
    assert found.from_standard_error == pytest.approx(
        stats.t.ppf([0.975, 0.8], att["n_clusters"] - 1).sum() * att["se"]
    )
    assert len(found.plot().lines) > 0


def test_power_and_alpha_are_those_asked_for(iid, iid_power):
    more = simulate_power(iid, n_draws=200, power=0.95)
    narrow = simulate_power(iid, n_draws=200, alpha=0.2)
    assert more.minimum_detectable_effect > iid_power.minimum_detectable_effect
    assert narrow.minimum_detectable_effect < iid_power.minimum_detectable_effect
    assert abs(narrow.size - 0.2) < 3.5 * narrow.size_se and narrow.alpha == 0.2


def test_seed_and_unit_of_money(iid):
    found = simulate_power(iid, n_draws=100)
    pd.testing.assert_frame_equal(found.curve, simulate_power(iid, n_draws=100).curve)
    other = simulate_power(iid, n_draws=100, seed=1)
    assert other.minimum_detectable_effect != found.minimum_detectable_effect
    panel = replace(iid.panel, matrices={"income": iid.panel.matrix() / 1e4})
    scaled = simulate_power(estimate_gains(panel, cluster="village"), n_draws=100)
    for name, scale in (("minimum_detectable_effect", 1e4), ("minimum_detectable_share", 1)):
        assert getattr(scaled, name) * scale == pytest.approx(getattr(found, name), rel=EXACT)


def test_a_logarithm_is_told_as_a_share():
    cells = random_cells(5, n=120, missing=0).assign(y=lambda c: np.exp(c["y"] / 10))
    panel = to_panel(cells, analysis=OutcomeScale(form="log"))
    found = simulate_power(estimate_gains(panel, cluster="village"), n_draws=100)
    minimum = found.minimum_detectable_effect
    assert found.minimum_detectable_share == pytest.approx(np.expm1(minimum))
    assert found.unit.startswith("log of") and np.isnan(found.comparison_mean)


def test_a_planned_panel_is_like_the_study(four_counties):
    gains = four_counties
    plan = Plan.of(gains, 40, 160, 3, 2)
    panel = plan_panel(gains, plan)
    assert panel.years.tolist() == [2004, 2005, 2006, 2007, 2008]
    assert panel.is_treated.sum() == 40 and panel.n_villages == 200
    assert set(panel.cohort[:40]) == {2007}
    study = gains.panel.villages
    some = study.index[gains.cells.rows]
    for county, n in study.loc[some, "county"].value_counts().items():
        planned = panel.villages.iloc[:40]["county"].eq(f"{county} #0").sum()
        assert abs(planned - 40 * n / len(some)) <= 1
    assert plan_panel(gains, Plan.of(gains, 80, 320, 3, 2)).villages["county"].nunique() == 8


def test_a_planned_panel_of_four_times_the_villages_halves_the_minimum(iid, iid_power):
    more = simulate_power(iid, n_treated=480, n_comparison=1_920, n_draws=400)
    ratio = more.minimum_detectable_effect / iid_power.minimum_detectable_effect
    assert ratio == pytest.approx(0.5, rel=SIMULATED)
    assert more.plan.describe() == "480 treated and 1,920 comparison villages, 2010-2011, " \
        "the last 1 treated"  # fmt: skip
    assert (
        np.isnan(more.from_standard_error) and len(more.assumes) == len(iid_power.assumes) + 1
    )


def test_a_planned_panel_is_clustered_as_the_study_is():
    """One county by village: twice the villages are two counties, still by village."""
    cells = random_cells(3, n=60, n_counties=1, missing=0)
    found = simulate_power(
        estimate_gains(to_panel(cells)), n_treated=60, n_comparison=60, n_draws=100
    )
    assert "errors by village" in found.how and found.n_clusters == 120 and not found.reason


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"power": 80}, "power is 80; give a share"),
        ({"alpha": 0}, "alpha is 0; give a share"),
        ({"n_draws": 5}, "n_draws is 5; give at least 100"),
        ({"n_treated": 0}, "n_treated is 0; give a number from 1 on"),
        ({"n_before": 2}, "more than the 2 years of the panel"),
    ],
)
def test_options_out_of_range(iid, options, message):
    with pytest.raises(DesignError, match=message):
        simulate_power(iid, **options)


def test_too_few_villages_to_draw_from():
    cells = random_cells(3, n=40, missing=0.4)
    with pytest.raises(DesignError, match="or fewer years"):
        simulate_power(estimate_gains(to_panel(cells), cluster="village"))
