"""Tests of spillovers to untreated villages, near by distance or in the same town."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.data.load import load_data
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import SimulationOptions
from evaluation.data.study import Study
from evaluation.effects.check import select_villages
from evaluation.effects.checks.spillovers import (
    _list_exposures,
    _nearest,
    check_spillovers,
)
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)
from tests.gains.panels import typed_panel
from tests.recovery.worlds import SD

EXACT = 1e-12
SAME = 1e-8  # sums over villages in another order
RADIUS = 6_371.0  # km
DEGREE = RADIUS * np.pi / 180  # km of a degree along the equator
MONEY = 100.0
SPILL = 15_000.0  # yuan

TYPED = """
village cohort 2001 2002 2003 2004
a       2002   1    1    1    1
b       2004   1    1    1    1
near    -      1    1    1    1
nearer  -      1    1    1    1
later   -      1    1    1    1
far     -      1    1    1    1
"""


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def place(panel, longitude, latitude):
    return replace(
        panel, villages=panel.villages.assign(longitude=longitude, latitude=latitude)
    )


def placed(seed=1, *, spill=0.0, counties_in_all=40, **changes):
    """Give a world of counties 200 km apart; every second untreated village is 1 km away.

    The others are 30 km away; what spills over to those near is told in sds.
    """
    panel = world_panel(seed, counties=counties_in_all, treated=2, comparison=12, **changes)
    order = panel.villages.groupby("county").cumcount().to_numpy()
    treated = panel.is_treated
    near = ~treated & (order % 2 == 0)
    km = np.where(treated, 0.0, np.where(near, 1.0 + 0.01 * order, 30 + order))
    county = panel.villages["county"].str[-3:].astype(int).to_numpy()
    after = panel.years >= np.nanmin(panel.cohort)
    panel.matrices["income"][:] += spill * SD * (near[:, None] & after)
    return place(panel, 2 * county + km / DEGREE, np.zeros(panel.n_villages))


def test_distance_is_along_the_great_circle():
    panel = place(typed_panel(TYPED), [0, 90, 1, 0.5, 91, 0], [0, 0, 0, 0, 0, 90])
    distance = _nearest(panel)
    assert np.isinf(distance[:, 0]).all()
    np.testing.assert_allclose(distance[2:, 1], np.array([1, 0.5, 91, 90]) * DEGREE, rtol=EXACT)
    np.testing.assert_allclose(distance[4, 3], DEGREE, rtol=EXACT)  # b is treated by then


def test_distance_is_the_haversine_formulas_across_the_date_line():
    panel = place(
        typed_panel(TYPED), [179.9, 0, -179.8, 116.4, np.nan, 10], [52, 0, 51.7, 39.9, 0, -33]
    )
    distance = _nearest(panel)[:, 1]
    assert np.isnan(distance[4])
    here = np.radians([179.9, 52])
    for at in (2, 3, 5):
        east, north = np.radians(panel.villages[["longitude", "latitude"]].to_numpy()[at])
        h = (
            np.sin((north - here[1]) / 2) ** 2
            + np.cos(north) * np.cos(here[1]) * np.sin((east - here[0]) / 2) ** 2
        )
        np.testing.assert_allclose(distance[at], 2 * RADIUS * np.arcsin(h**0.5), rtol=SAME)


def test_a_village_is_exposed_from_the_first_year_with_a_treated_one_in_the_band():
    east = np.array([0, 1, 4 / DEGREE, 0.5 / DEGREE, 1 + 4 / DEGREE, 0.5])
    panel = place(typed_panel(TYPED), east, np.zeros(6))
    (since, ring, km), narrow = _list_exposures(panel, [1.0, 5.0])
    np.testing.assert_array_equal(since[2:], [2002, 2002, 2004, np.nan])
    assert ring[2:].tolist() == ["1 to 5 km", "0 to 1 km", "1 to 5 km", "far"]
    assert km == 5
    np.testing.assert_array_equal(narrow.since[2:], [np.nan, 2002, np.nan, np.nan])
    assert narrow.ring[2:].tolist() == ["far", "0 to 1 km", "far", "far"]
    assert narrow.km == 1


def test_a_planted_spillover_fails_and_hides_part_of_the_effect():
    check = check_spillovers(imputed(placed(spill=0.8)))
    assert check.verdict == "failed"
    table = check.table.set_index("group")
    near = table.loc["untreated villages within 10 km of a treated one"]
    assert near["conf_low"] < 0.8 * SD < near["conf_high"]
    with_them, without = table["estimate"].iloc[-2:]
    truth = 0.5 * SD
    assert with_them < truth - 0.2 * SD
    assert abs(without - truth) < 0.15 * SD
    assert "positive spillover hides part of the effect" in check.sentence
    assert_drawn(check)


def test_income_that_only_moves_over_fails_with_the_other_sign():
    check = check_spillovers(imputed(placed(spill=-0.8)))
    assert check.verdict == "failed"
    assert "passes for part of the effect" in check.sentence


def test_no_spillover_passes_and_says_what_it_cannot_rule_out():
    check = check_spillovers(imputed(placed()))
    assert check.verdict == "passed"
    assert "no proof" in check.sentence


def test_a_spillover_over_a_short_way_is_found_where_wide_bands_leave_no_interval(tmp_path):
    programme = simulate_programme(SimulationOptions(comparison=3), seed=3)
    folder = write_simulated_study(programme, tmp_path / "s", name="near")
    panel = load_data(Study.load(folder)).panel
    near = ~panel.is_treated[:, None] & (_nearest(panel) <= 1)
    panel.matrices["income"][:] += SPILL * near
    check = check_spillovers(imputed(panel, year_effects="county"))
    assert check.verdict == "failed"
    assert check.table["group"].iloc[0] == "untreated villages within 1 km of a treated one"
    row = check.table.iloc[0]
    assert row["conf_low"] < SPILL < row["conf_high"]
    assert "it leaves no interval" in check.sentence


def test_across_few_counties_there_is_no_interval_and_no_rule():
    """Near and far villages in counties of their own: within counties nothing is compared."""
    panel = placed(counties_in_all=4)
    county = panel.villages["county"].str[-3:].astype(int).to_numpy()
    near = (_nearest(panel)[:, -1] <= 10) & ~panel.is_treated
    kept = panel.is_treated | (near == (county % 2 == 1))
    check = check_spillovers(imputed(select_villages(panel, kept), year_effects="county"))
    assert "compared across counties" in check.sentence
    assert check.verdict == "informational"
    assert "no rule: " in check.sentence
    assert check.table["conf_low"].isna().iloc[0]


def test_without_coordinates_a_village_of_the_same_town_is_near():
    panel = world_panel(3, counties=40, treated=2, comparison=12)
    order = panel.villages.groupby("county").cumcount().to_numpy()
    towns = np.where(panel.is_treated | (order % 2 == 0), "near", "far")
    panel = replace(panel, villages=panel.villages.assign(town=towns))
    near = ~panel.is_treated & (towns == "near")
    after = panel.years >= np.nanmin(panel.cohort)
    assert check_spillovers(imputed(panel)).verdict == "passed"
    panel.matrices["income"][:] += 0.8 * SD * (near[:, None] & after)
    check = check_spillovers(imputed(panel))
    assert check.verdict == "failed"
    assert "in the town of a treated one" in check.sentence


def test_without_coordinates_and_towns_there_is_no_answer():
    check = check_spillovers(imputed(world_panel(1)))
    assert check.verdict == "not possible"
    assert "neither coordinates nor towns" in check.sentence


@pytest.mark.parametrize("change", [in_other_order, lambda panel: in_other_money(panel, MONEY)])
def test_order_and_money_change_nothing(change):
    panel = placed(spill=0.3)
    one, other = check_spillovers(imputed(panel)), check_spillovers(imputed(change(panel)))
    factor = other.statistic / one.statistic
    assert min(abs(factor - 1), abs(factor - MONEY)) < SAME * MONEY
    same_tables(one, other, rtol=SAME, factor=round(factor))
