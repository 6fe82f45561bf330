"""Efficiency against the best observed as shown: worked by hand, and what is left out."""

import numpy as np
import pandas as pd
import pytest

from evaluation.efficiency import amounts
from evaluation.report.efficiency import frontier_exhibits
from evaluation.report.efficiency.frontier_exhibits import frontier_table, plot_frontier
from evaluation.report.efficiency.frontier_units import frontier_units
from evaluation.report.efficiency.study import estimate_study_efficiency
from evaluation.report.gains.study import estimate_study_gains
from tests.report.test_costbenefit_exhibits import drawn_panel, efficiency_of, exact_panel
from tests.report.test_panel_exhibits import data_of, text

EXACT = 1e-8  # of a linear programme whose tolerances are 1e-10
EXHIBITS = [frontier_table, plot_frontier]


def efficiency(gains=(2, 6, 3), money=(2, 4, 4), *, towns=None, projects=None, **options):
    """v0 and v1 make the frontier; v2 has 3 for the money that brings v1 6 and reaches 1/2."""
    counties = ["East", "West", "East", "West", "East"][: len(gains)] + ["East"] * 20
    simulated = options.pop("simulated", False)
    panel = exact_panel([[gain] for gain in gains], county=counties, **options)
    if towns:
        panel.villages["town"] = towns + ["Elsewhere"] * 20
    spent = {f"v{i}": {"fiscal": amount} for i, amount in enumerate(money)}
    return efficiency_of(panel, spent, projects=projects, simulated=simulated)


def drawn_efficiency():
    rng = np.random.default_rng(1)
    money = {f"v{i}": {"fiscal": amount} for i, amount in enumerate(rng.uniform(1, 5, 60))}
    return efficiency_of(drawn_panel(), money, year=2020)


def projects_of(*rows):
    frame = pd.DataFrame(rows, columns=["village", "start", "jobs"])
    return frame.assign(county="East", project="p", type="t", expected_return=np.nan)


# -- shares --------------------------------------------------------------------------------


def test_shares_reached_are_worked_by_hand():
    exhibit = frontier_table(efficiency(), n_draws=0)
    rows = exhibit.data.set_index("county")
    assert rows["reached"].to_list() == pytest.approx([3 / 4, 1, 5 / 6], rel=EXACT)
    assert rows["n_units"].to_list() == rows["n_villages"].to_list() == [2, 1, 3]
    assert rows["n_frontier"].to_list() == [1, 1, 2]
    assert rows.loc["East", ["quarter", "three_quarters"]].to_list() == pytest.approx(
        [5 / 8, 7 / 8], rel=EXACT
    )
    assert "Villages reach on average 0.83 of what the best observed have" in exhibit.note
    assert "2 of 3 are on the frontier" in exhibit.note
    assert "Peers: v1 (West) of 1 of the other 2 villages." in exhibit.note
    assert "No intervals: no draws were asked for." in exhibit.note


def test_the_table_has_a_row_a_county_and_names_no_village():
    exhibit = frontier_table(drawn_efficiency(), n_draws=0)
    assert exhibit.body.count("<tr>") == 1 + 30 + 1
    assert not any(f">v{i}<" in exhibit.body for i in range(60))
    assert len(exhibit.data) == 30 + 1


def test_intervals_lie_below_the_share_observed():
    exhibit = frontier_table(drawn_efficiency(), n_draws=200)
    whole = exhibit.data.set_index("county").loc["all"]
    assert whole["corrected"] < whole["reached"]
    assert 0 < whole["conf_low"] < whole["conf_high"] < 1
    assert f"({whole['corrected']:.2f} corrected for bias)" in exhibit.note
    assert "200 draws" in exhibit.note and "not for errors in gains" in exhibit.note


def test_the_noise_of_the_frontier_is_said_in_numbers():
    found = drawn_efficiency()
    data = plot_frontier(found).data.set_index("unit")
    best = found.found.villages.loc[data.index[data["best"]]]
    reach = ((best["conf_high"] - best["conf_low"]) / 2).mean() / best["gain"].mean()
    note = frontier_table(found, n_draws=0).note
    assert f"intervals that reach {reach:.0%} of the gain" in note
    assert "made of the luckiest as well as of the best" in note
    # without noise before treatment there are no intervals
    assert "intervals that reach" not in frontier_table(efficiency(), n_draws=0).note


# -- what is measured ----------------------------------------------------------------------


def test_villages_without_a_gain_above_zero_are_left_out_and_counted():
    exhibit = frontier_table(efficiency((2, 6, 3, -1), (2, 4, 4, 1)), n_draws=0)
    assert exhibit.data["n_units"].iloc[-1] == 3
    assert exhibit.data["reached"].iloc[-1] == pytest.approx(5 / 6, rel=EXACT)
    assert "Left out: 1 of 4 villages, whose gain is not above zero" in exhibit.note


def test_villages_without_money_are_counted():
    exhibit = frontier_table(efficiency((2, 6, 3, 5), (2, 4, 4)), n_draws=0)
    assert exhibit.data["n_units"].iloc[-1] == 3
    assert "Left out: 1 treated villages without money or without a gain." in exhibit.note


def test_few_units_are_said_to_be_few():
    assert "by the rule of thumb" in frontier_table(efficiency(), n_draws=0).note
    assert "by the rule of thumb" not in frontier_table(drawn_efficiency(), n_draws=0).note


@pytest.mark.parametrize("make", EXHIBITS)
def test_too_many_villages_are_summed_to_towns_and_that_is_told(make, monkeypatch):
    monkeypatch.setattr(amounts, "MOST_UNITS", 4)
    found = efficiency((2, 6, 1, 2, -1), (2, 4, 1, 3, 1), towns=["A", "B", "A", "B", "C"])
    exhibit = make(found, level="village", **({"n_draws": 0} if make is frontier_table else {}))
    # the fifth has no share: four are few enough
    assert set(exhibit.data["level"]) == {"village"}
    monkeypatch.setattr(amounts, "MOST_UNITS", 3)
    exhibit = make(found, **({"n_draws": 0} if make is frontier_table else {}))
    assert set(exhibit.data["level"]) == {"town"}
    assert "4 villages are more than can be measured." in exhibit.note
    assert "owns" in exhibit.caption and "1 of 3 towns, whose gain" in exhibit.note


def test_towns_are_sums_of_villages_and_counties_of_towns():
    found = efficiency((2, 6, 1, 2), (2, 4, 1, 3), towns=["A", "B", "A", "A"])
    towns = frontier_units(found, "town", 0).frame
    assert towns.index.to_list() == ["East A", "West A", "West B"]
    assert towns["gain"].to_list() == pytest.approx([30_000, 20_000, 60_000], rel=EXACT)
    counties = frontier_units(found, "county", 0).frame
    assert counties["money"].to_list() == pytest.approx([30_000, 70_000], rel=EXACT)


def test_households_are_an_input_where_all_are_known():
    households = np.full((23, 4), 100.0)
    households[1] = 200
    units = frontier_units(efficiency(households=households), "village", 0)
    assert units.inputs == ["money", "households"]
    assert units.frame["households"].to_list() == [100, 200, 100]
    households[2] = np.nan
    units = frontier_units(efficiency(households=households), "village", 0)
    assert units.inputs == ["money"]
    assert "Households are not used: not known for every village." in units.left_out


def test_jobs_of_projects_since_treatment_are_an_output_where_all_are_known():
    rows = [("v0", 2021, 5), ("v0", np.nan, 2), ("v1", 2015, 50), ("v3", 2021, 9)]
    units = frontier_units(efficiency(projects=projects_of(*rows)), "village", 0)
    assert units.outputs == ["gain", "jobs"]
    assert units.frame["jobs"].to_list() == [7, 0, 0]
    unknown = projects_of(*rows, ("v2", 2021, np.nan))
    units = frontier_units(efficiency(projects=unknown), "village", 0)
    assert units.outputs == ["gain"]
    assert "Jobs are not used: not known for every village." in units.left_out


# -- luck ----------------------------------------------------------------------------------


def test_shrunken_gains_are_drawn_beside_raw_ones():
    found = drawn_efficiency()
    exhibit = plot_frontier(found)
    data = exhibit.data.set_index("unit")
    raw, shrunken = data["reached"], data["reached_shrunken"]
    gains = found.found.gains.shrink(precision=True).villages["posterior_mean"]
    best = gains.loc[data.index[data["best_shrunken"]]]
    assert shrunken.max() == pytest.approx(1, rel=EXACT) and gains.max() in best.to_list()
    assert f"{raw.mean():.2f} of the best observed" in exhibit.note
    assert f"and {shrunken.mean():.2f} where gains are shrunken" in exhibit.note
    stay = int((data["best"] & data["best_shrunken"]).sum())
    assert f"{stay} of {data['best'].sum()} on the frontier stay on it" in exhibit.note


def test_villages_whose_gains_cannot_be_shrunken_are_drawn_raw():
    exhibit = plot_frontier(efficiency())
    assert "reached_shrunken" not in exhibit.data
    assert "Shrunken gains are not drawn" in exhibit.note


def test_counties_beyond_the_most_are_counted(monkeypatch):
    monkeypatch.setattr(frontier_exhibits, "_MOST", 1)
    exhibit = plot_frontier(efficiency())
    assert "1 counties with fewer are not drawn." in exhibit.note
    assert set(exhibit.data["county"]) == {"East", "West"}


# -- what may be missing -------------------------------------------------------------------


@pytest.mark.parametrize("make", EXHIBITS)
def test_what_cannot_be_measured_says_why(make):
    gains = estimate_study_gains(data_of(panel=exact_panel([[7]])))
    assert "no funding ledger" in text(make(estimate_study_efficiency(gains)))
    assert "give two rows or more" in text(make(efficiency((2,), (2,))))
    assert "did you mean &#39;town&#39;?" in text(make(efficiency(), level="towns"))


def test_too_few_draws_are_refused_at_every_level():
    assert "n_draws is 10" in text(frontier_table(efficiency(), n_draws=10))


@pytest.mark.parametrize("make", EXHIBITS)
def test_simulated_is_said(make):
    options = {"n_draws": 0} if make is frontier_table else {}
    exhibit = make(efficiency(simulated=True), **options)
    assert "SIMULATED" in text(exhibit)
