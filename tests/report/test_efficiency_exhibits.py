"""What each yuan bought, as shown: worked by hand, words that follow, what may be missing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from evaluation.claims.measures import assess_counties
from evaluation.data.panel import OutcomeScale
from evaluation.errors import DesignError
from evaluation.report.data.ledger_plots import choose_stage
from evaluation.report.efficiency.bought_tables import (
    bought_table,
    change_per_yuan_table,
    claimed_bought_table,
)
from evaluation.report.efficiency.dose_exhibits import (
    attribution_table,
    marginal_table,
    plot_dose_response,
)
from evaluation.report.efficiency.plots import plot_efficiency
from evaluation.report.efficiency.study import estimate_study_efficiency
from evaluation.report.efficiency.sustainability_table import sustainability_table
from evaluation.report.efficiency.tables import (
    efficiency_groups_table,
    efficiency_table,
    household_table,
    set_cell,
)
from evaluation.report.gains.study import estimate_study_gains
from tests.report.test_costbenefit_exhibits import (
    drawn_panel,
    efficiency_of,
    exact_panel,
)
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

EXACT = 1e-9  # sums of few numbers of size 1 to 100, through a least-squares solve
EXHIBITS = [
    bought_table, plot_efficiency, efficiency_table,
    lambda efficiency: efficiency_table(efficiency, by="source"),
    lambda efficiency: efficiency_table(efficiency, by="type"),
    household_table, efficiency_groups_table, plot_dose_response, marginal_table,
    attribution_table, sustainability_table,
]  # fmt: skip


def hand(money=None, *, gains=((7, 9), (3, 1)), **options):
    """Gains of 8 and 2 a year, by default for 40 and 10 万元."""
    money = money or {"v0": {"fiscal": 30, "social": 10}, "v1": {"fiscal": 10}}
    return efficiency_of(exact_panel(list(gains)), money, **options)


def doses(*, panel=None, amounts=None):
    """Sixty villages in thirty counties whose gain rises with money, from 1 to 3 万元."""
    amounts = np.linspace(1, 3, 60) if amounts is None else amounts
    panel = panel or drawn_panel()
    panel.matrices["income"][:60, 8:] += 2e4 * amounts[:, None]
    money = {f"v{i}": {"fiscal": amount} for i, amount in enumerate(amounts)}
    return efficiency_of(panel, money, year=2020)


# -- gain per yuan -------------------------------------------------------------------------


def test_ratios_are_worked_by_hand():
    exhibit = efficiency_table(hand())
    rows = exhibit.data.set_index("county")
    assert rows.loc["all", ["gain", "money"]].to_list() == pytest.approx([8 + 2, 50], rel=EXACT)
    assert rows.loc["all", "per_yuan"] == pytest.approx(10 / 50, rel=EXACT)
    assert "the 2 villages had an estimated 0.200 yuan more income a year" in exhibit.note
    assert "Money and gains in 万元, prices of 2020" in exhibit.note


def test_the_mean_of_ratios_is_explained():
    gained = hand({"v0": {"fiscal": 40}, "v1": {"fiscal": 2}})  # 8/40 and 2/2
    assert "The mean of villages' own ratios is 0.600" in efficiency_table(gained).note
    assert "villages with less money gained more per yuan" in efficiency_table(gained).note
    assert "is the same to within 2%" in efficiency_table(hand()).note  # 8/40 and 2/10


def test_each_source_has_the_whole_gain():
    exhibit = efficiency_table(hand(), by="source")
    rows = exhibit.data.set_index("source")
    assert rows["per_yuan"].to_list() == pytest.approx([10 / 40, 10 / 10], rel=EXACT)
    assert "attributes no gain to a source" in exhibit.note


def test_villages_stand_under_the_type_of_most_of_their_money():
    projects = pd.DataFrame(
        {"county": "East", "project": ["p"], "type": "farms", "jobs": 5.0, "village": "v0"}
    )
    exhibit = efficiency_table(hand(projects=projects), by="type")
    assert exhibit.data["type"].to_list() == ["farms", "all"]
    assert text(efficiency_table(hand(), by="type")).count("projects.type") == 1


def test_what_is_in_no_ratio_is_counted():
    exhibit = efficiency_groups_table(hand({"v0": {"fiscal": 40}, "v5": {"fiscal": 3}}))
    rows = exhibit.data.set_index("group")
    assert rows.loc["in the ratio", ["n_villages", "gain", "money"]].to_list() == [1, 8, 40]
    assert rows.loc["no money in the ledger", "gain"] == pytest.approx(2, rel=EXACT)
    assert rows.loc["money of villages that are never treated", "money"] == 3
    assert "1 treated villages have both a gain and money and are in the ratios; 1 are not" in (
        exhibit.note
    )


def test_households_are_counted_at_first():
    panel = exact_panel([[7, 9], [3, 1]], households=np.full((22, 5), 100.0))
    exhibit = household_table(efficiency_of(panel, {"v0": {"own": 40}, "v1": {"own": 10}}))
    rows = exhibit.data.set_index("per")
    assert rows.loc["household", "money"] == pytest.approx(500_000 / 200, rel=EXACT)
    assert rows.loc["village", "gain"] == pytest.approx(50_000, rel=EXACT)
    assert "neither households nor poor_households" in text(household_table(hand()))


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"kind": "bounded", "low": 1.0, "high": 2.0}, "1 to 2"),
        (
            {"kind": "unbounded", "low": 3.0, "high": -1.5},
            "unbounded: up to -1.50 and from 3 on",
        ),
        ({"kind": "unbounded", "low": 3.0, "high": -np.inf}, "unbounded: from 3 on"),
        ({"kind": "whole line", "low": -np.inf, "high": np.inf}, "any value (unbounded)"),
        ({"kind": "none", "reason": "few <clusters>"}, "none: few &lt;clusters&gt;"),
    ],
)
def test_sets_are_printed_as_what_they_are(row, shown):
    assert f">{shown}<" in set_cell(row)


def test_a_set_without_an_end_is_drawn_and_said():
    # A gain of about nothing over money that is hardly known.
    money = {f"v{i}": {"fiscal": 3.0} for i in range(3)}
    panel = drawn_panel(gain=0.0)
    panel.villages.loc[[f"v{i}" for i in range(3, 60)], "cohort"] = np.nan
    gains = efficiency_of(panel, money, year=2020).gains
    found = estimate_study_efficiency(gains, money_error=0.99)
    assert found.found.villages["kind"].isin(["unbounded", "whole line"]).any()
    assert "one without an end is printed as unbounded" in plot_efficiency(found).note


def test_money_in_another_currency_is_called_by_it():
    prices = {"basis": "real", "base_year": 2020, "currency": "USD"}
    found = hand(prices=prices)
    exhibit = efficiency_table(found)
    assert exhibit.caption == "Gain per USD by county" and "Per USD" in text(exhibit)
    assert "yuan" not in exhibit.note


def test_an_outcome_that_is_no_money_is_not_called_income():
    panel = exact_panel([[7, 9], [3, 1]], unit="kg")
    found = efficiency_of(panel, {"v0": {"own": 40}, "v1": {"own": 10}})
    note = efficiency_table(found).note
    assert "estimated 2.00e-05 more income a year" in note  # 10 kg for 500,000 yuan
    assert "gains in kg" in note and "its return" not in text(bought_table(found))


# -- what it bought ------------------------------------------------------------------------


def test_what_one_wan_bought_is_worked_by_hand():
    exhibit = bought_table(hand())
    rows = exhibit.data.set_index("what")
    assert rows.loc["income", "value"] == pytest.approx(2_000, rel=EXACT)
    assert rows.loc["its return", "value"] == pytest.approx(5, rel=EXACT)
    assert rows.loc["social money, for 10,000 of fiscal money", "value"] == pytest.approx(
        10_000 * 10 / 40, rel=EXACT
    )
    assert "2,000 yuan more income a year" in text(exhibit)


def test_a_loss_is_called_less_and_never_returns():
    exhibit = bought_table(hand(gains=[[-7, -9], [-3, -1]]))
    assert "-2,000 yuan of income a year, a loss" in text(exhibit)
    assert "its return" not in set(exhibit.data["what"])


def test_before_and_after_is_worked_by_hand():
    panel = panel_of([2021, 2021], [2020, 2021], [[1, 5], [2, 3]])  # changes of 4 and 1
    ledger = hand({"v0": {"fiscal": 40}, "v1": {"fiscal": 10}}).ledger
    exhibit = change_per_yuan_table(data_of(panel=panel, ledger=ledger), trend_max=10_000)
    whole = exhibit.data.set_index("county").loc["all"]
    assert (whole["lower_per_yuan"], whole["upper_per_yuan"]) == pytest.approx(
        ((4 + 1 - 2 * 1) / 50, 5 / 50), rel=EXACT
    )
    assert "No effect: the change is compared with that of no other village." in exhibit.note


def test_claims_are_those_of_their_chapter_times_ten_thousand(jining):
    exhibit = claimed_bought_table(jining)
    assessed = {
        (a.county, a.definition): a.read("strict")
        for a in assess_counties(jining)
        if a.measure.name == "gain_per_yuan"
    }
    rows = exhibit.data[exhibit.data["what"] == "Income a year"]
    for row in rows.to_dict("records"):
        found = assessed[row["county"], row["definition"]]
        assert row["strict"] == (None if found is None else found * 10_000)
    assert "3277 yuan" in text(exhibit) and "[534.5, 638.7] yuan" in text(exhibit)
    assert "counties are not to be ranked" in exhibit.note
    assert "&lt;a" not in exhibit.body


# -- more money, and what lasts ------------------------------------------------------------


def test_the_slope_is_found_and_its_assumption_said():
    exhibit = marginal_table(doses())
    rows = exhibit.data.set_index(["form", "at"])["estimate"]
    assert rows["linear", "mean"] == pytest.approx(2, abs=0.5)  # noise of sd 1 over 60 doses
    figure = plot_dose_response(doses())
    assert "strong parallel trends" in figure.note and "Grey: villages, 60" in figure.note
    assert figure.data["dose"].between(1e4, 3e4).all()


def test_gains_in_logarithms_are_for_more_money_and_not_added_up():
    panel = dataclasses.replace(drawn_panel(), analysis=OutcomeScale(form="log"))
    panel.matrices["income"] = 1e4 * np.exp(panel.matrices["income"] / 1e5)
    money = {f"v{i}": {"fiscal": 1 + i / 60} for i in range(60)}
    found = efficiency_of(panel, money, year=2020)
    exhibit = marginal_table(found)
    assert "Gain a year for 10,000 yuan more" in text(exhibit)
    assert "Gains are in log of yuan" in exhibit.note
    assert "cannot be added up over villages" in text(attribution_table(found))
    table = efficiency_table(found)
    assert table.note.count("gains brought back to money from logarithms") == 2
    assert "none: gains" not in text(table)


def test_sources_that_are_one_have_ranges_alone():
    exhibit = attribution_table(doses())
    assert "Marginal returns by source are not given: there is one source alone" in exhibit.note
    (row,) = exhibit.data.to_dict("records")
    assert row["first_in"] == pytest.approx(row["last_in"], rel=EXACT)


def test_what_lasts_is_the_later_gain_over_the_earlier():
    exhibit = sustainability_table(hand(gains=[[7, 14], [3, 6]]), term=1)
    row = exhibit.data.iloc[0]
    assert row["ratio"] == pytest.approx(2, rel=EXACT) and row["kind"] == "none"
    assert "an estimated 2 times that during it" in exhibit.note
    assert "not seen yet" in text(sustainability_table(hand(), term=5))


def test_losses_have_no_ratio_of_what_lasts():
    exhibit = sustainability_table(hand(gains=[[-7, -14], [-3, -6]]), term=1)
    assert "the ratio says nothing of what lasts" in exhibit.note


def test_with_too_few_villages_for_a_curve_the_line_stands_alone():
    money = {f"v{i}": {"fiscal": 1 + i / 25} for i in range(25)}
    panel = drawn_panel()
    panel.villages.loc[[f"v{i}" for i in range(25, 60)], "cohort"] = np.nan
    assert set(marginal_table(efficiency_of(panel, money, year=2020)).data["form"]) == {
        "linear"
    }


# -- what may be missing -------------------------------------------------------------------


@pytest.mark.parametrize("make", EXHIBITS)
def test_without_money_or_gains_the_reason_stands_instead(make):
    panel = exact_panel([[7, 9], [3, 1]])
    for study_data, reason in (
        (data_of(panel=panel), "no funding ledger"),
        (
            dataclasses.replace(hand().study_data, panel=panel_of([NEVER], [2020], [[1.0]])),
            "No village of the panel is treated",
        ),
    ):
        found = estimate_study_efficiency(estimate_study_gains(study_data))
        assert reason in text(make(found))


def test_exhibits_that_lack_the_same_have_names_of_their_own():
    found = estimate_study_efficiency(
        estimate_study_gains(data_of(panel=exact_panel([[7, 9], [3, 1]])))
    )
    names = [make(found).name for make in EXHIBITS]
    assert len(set(names)) == len(names)


def test_a_persons_income_is_not_set_against_a_villages_money():
    panel = exact_panel([[7, 9], [3, 1]])
    panel.variables["income"] = dataclasses.replace(panel.variables["income"], per_head=True)
    found = efficiency_of(panel, {"v0": {"fiscal": 40}})
    assert "income is per head, money of whole villages" in text(bought_table(found))


def test_money_pooled_for_a_place_is_told_under_every_table():
    found = hand({"v0": {"fiscal": 40}, "v1": {"fiscal": 10}, "": {"fiscal": 25}})
    for make in (efficiency_table, bought_table, plot_efficiency):
        assert "25 (万元, prices of 2020) are pooled" in make(found).note
        assert "the money would be 50% more" in make(found).note
    rows = efficiency_groups_table(found).data.set_index("group")
    assert rows.loc["money pooled for a place, and not shared out", "n_villages"] == 0


def test_money_from_before_treatment_is_called_so():
    found = hand({"v0": {"fiscal": 40}})
    entries = found.ledger.entries
    early = entries.assign(village="v1", year=2019)
    ledger = dataclasses.replace(found.ledger, entries=pd.concat([entries, early]))
    study_data = dataclasses.replace(found.study_data, ledger=ledger)
    again = estimate_study_efficiency(estimate_study_gains(study_data))
    groups = efficiency_groups_table(again).data["group"]
    assert "its money is from before it was treated" in set(groups)


def test_a_village_treated_earlier_without_money_moves_no_year():
    panel = exact_panel([[7, 9], [3, 1]])
    panel.villages.loc["v1", "cohort"] = 2019
    assert efficiency_of(panel, {"v0": {"fiscal": 40}}).found.yearly().index[0] == 2021


def test_a_year_without_a_known_gain_has_that_of_the_year_before():
    panel = exact_panel([[7, 9], [3, 1]])
    panel.matrices["income"][:2, -1] = np.nan
    yearly = efficiency_of(panel, {"v0": {"own": 40}, "v1": {"own": 10}}).found.yearly()
    assert yearly["gain"].to_list() == pytest.approx([100_000, 100_000], rel=EXACT)


def test_an_option_that_is_none_stops():
    with pytest.raises(DesignError, match="money_error is 3"):
        estimate_study_efficiency(hand().gains, money_error=3)


def test_the_furthest_stage_is_that_with_money():
    study_data = hand().study_data
    assert choose_stage(study_data, "furthest") == "spent"
    assert choose_stage(study_data, "committed") == "committed"
    entries = study_data.ledger.entries.assign(stage="committed")
    ledger = dataclasses.replace(study_data.ledger, entries=entries)
    assert choose_stage(dataclasses.replace(study_data, ledger=ledger), "furthest") == (
        "committed"
    )
