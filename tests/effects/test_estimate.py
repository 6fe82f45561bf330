"""The entry: which estimators run, what is refused, and that chapter 3's gain comes out."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.effects.check import Subject
from evaluation.effects.estimate import ESTIMATORS, estimate_effects
from evaluation.effects.power import simulate_power
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.gains.panels import random_cells, to_panel, typed_panel

EXACT = 1e-9  # sums in another order


@pytest.fixture(scope="module")
def panel():
    cells = random_cells(2, n=240, n_counties=40, missing=0.0, never=0.6)
    return to_panel(cells, covariates=("x", "z"))


@pytest.fixture(scope="module")
def table(panel):
    return estimate_effects(panel, covariates=["z"])


def test_all_estimators_stand_in_one_frame(table):
    assert table.reasons == {}
    assert tuple(table.overall.index) == ESTIMATORS
    assert table.overall[["estimate", "se", "conf_low"]].notna().all(axis=None)
    events = table.event_study()
    assert set(events["estimator"]) == set(ESTIMATORS)
    # The others are measured from all years before, in one way or another.
    from_last = ~events["estimator"].isin(["imputation", "synthetic_did"])
    assert not (events["event_time"] == -1)[from_last].any()
    assert set(table.frame["period"]) == {"overall", "before", "after"}


def test_imputation_is_the_mean_gain_of_the_chapter_on_gains(panel, table):
    gains = estimate_gains(panel, covariates=["z"])
    att, row = gains.att, table.overall.loc["imputation"]
    for name in ("estimate", "se", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(att[name], rel=EXACT)
    parts = table.found["imputation"].parts[:, 0]
    assert np.sqrt((parts**2).sum()) == pytest.approx(att["se"], rel=EXACT)


def test_effects_do_not_depend_on_the_order_of_villages(panel, table):
    order = np.random.default_rng(0).permutation(panel.n_villages)
    mixed = replace(
        panel,
        villages=panel.villages.iloc[order],
        matrices={name: values[order] for name, values in panel.matrices.items()},
        rows=panel.rows[order],
    )
    found = estimate_effects(mixed, covariates=["z"])
    for name in ("estimate", "se", "conf_low", "conf_high"):
        np.testing.assert_allclose(found.overall[name], table.overall[name], rtol=1e-7)


def test_effects_scale_with_the_money_unit(panel, table):
    scaled = replace(panel, matrices={**panel.matrices, "y": panel.matrix() * 10_000})
    found = estimate_effects(scaled, covariates=["z"])
    for name in ("estimate", "se", "conf_low", "conf_high"):
        np.testing.assert_allclose(found.overall[name], table.overall[name] * 10_000, rtol=1e-7)


def test_summary_names_every_estimator_with_its_interval(table):
    lines = table.summary().splitlines()
    assert len(lines) == len(ESTIMATORS)
    assert all("95% interval" in line and "40 clusters" in line for line in lines)


def test_matching_without_covariates_has_its_reason(panel):
    table = estimate_effects(panel, estimators=["imputation", "matched_did"])
    assert "covariates" in table.reasons["matched_did"]
    assert "matched" in table.summary().lower()


# -- refusals ------------------------------------------------------------------------------


def test_no_comparison_village():
    panel = typed_panel("""
        village cohort 2001 2002 2003
        a       2003      1    2    5
        b       2003      2    3    7
    """)
    with pytest.raises(DesignError, match="no village is known untreated in a year in which"):
        estimate_effects(panel)


def test_all_treated_at_once_with_no_earlier_year():
    panel = typed_panel("""
        village cohort 2001 2002
        a       2001      1    2
        b       2001      2    3
        c       -         2    3
    """)
    with pytest.raises(DesignError, match="no treated village is known in a year before"):
        estimate_effects(panel)


def test_one_treated_cluster():
    cells = random_cells(3, n=60, n_counties=5, missing=0)
    cells.loc[cells["county"] != "c2", "cohort"] = np.nan
    panel = to_panel(cells)
    with pytest.raises(DesignError, match=r"all treated villages lie in one county \(c2\)"):
        estimate_effects(panel)
    assert estimate_effects(panel, estimators=["imputation"], cluster="village").reasons == {}


def test_nobody_is_treated():
    panel = typed_panel("""
        village cohort 2001 2002
        a       -         1    2
        b       2009      2    3
    """)
    with pytest.raises(DesignError, match="no village is treated and known from 2001 to 2002"):
        estimate_effects(panel)


def test_an_unknown_estimator_is_named(panel):
    with pytest.raises(DesignError, match="imputation"):
        estimate_effects(panel, estimators=["imputaton"])
    with pytest.raises(DesignError, match="at least one"):
        estimate_effects(panel, estimators=[])


@pytest.mark.parametrize("option", ["matching", "fixed_effects"])
def test_an_unknown_choice_is_refused(panel, option):
    with pytest.raises(DesignError, match=f"{option} is 'all'; give one of"):
        estimate_effects(panel, **{option: "all"})


@pytest.mark.parametrize("seed", [-1, 1.5, "a"])
def test_what_is_no_seed_is_refused(panel, table, seed):
    with pytest.raises(DesignError, match=r"seed is .*; give a whole number from 0 on"):
        estimate_effects(panel, seed=seed)
    with pytest.raises(DesignError, match="seed is"):
        Subject(effects=table, seed=seed)
    with pytest.raises(DesignError, match="seed is"):
        simulate_power(table.gains, seed=seed)


def test_more_treated_years_than_the_panel_has_cannot_be_planned(table):
    with pytest.raises(DesignError, match="more than the 8 years of the panel"):
        simulate_power(table.gains, n_after=20)
