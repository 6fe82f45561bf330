"""Whose money went where: numbers worked by hand, bands that add up, what may be missing."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from evaluation.bounds import Bounds
from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.efficiency.spending import name_types
from evaluation.report import plots
from evaluation.report.efficiency import funds_spread, funds_tables
from evaluation.report.efficiency.funds_bands import draw_bands, place_bands, place_nodes
from evaluation.report.efficiency.funds_flow import UNKNOWN, group_flows, plot_funds_flow
from evaluation.report.efficiency.funds_spread import plot_funds_spread
from evaluation.report.efficiency.funds_tables import (
    cost_per_job_table,
    execution_table,
    leverage_table,
)
from evaluation.report.efficiency.study import (
    StudyEfficiency,
    estimate_study_efficiency,
)
from evaluation.report.gains.study import estimate_study_gains
from tests.conftest import REPO
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

EXACT = 1e-12  # sums and ratios of a few numbers
MANY = 1e-9  # sums of thousands of amounts, in another order
COLUMN = {"source": "Source", "type": "Type", "county": "County"}


def ledger(*entries, **options):
    """Type a ledger: village, county, project, source, stage, amount in 万元."""
    rows = [
        {
            "village": village, "town": "", "county": county, "year": 2020, "project": project,
            "source": source, "stage": stage, "role": "source", "amount": amount * 10_000,
            "shared": False, "row": 2,
        }
        for village, county, project, source, stage, amount in entries
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return FundingLedger(
        entries=frame, shared_by=None, price_year=2020, source="l.csv", **options
    )


def projects(*rows):
    """Type projects: county, project, type, jobs."""
    frame = pd.DataFrame(rows, columns=["county", "project", "type", "jobs"])
    return frame.assign(village="v0", start=np.nan, expected_return=np.nan)


def study(ledger, projects=None, **options):
    return dataclasses.replace(data_of(ledger=ledger, **options), projects=projects)


def drawn_panel(*, counties=1, **options):
    """60 villages treated in 2020 and 120 never: noise, and a gain of 3 from then on."""
    rng = np.random.default_rng(3)
    years, cohort = np.arange(2012, 2023), np.where(np.arange(180) < 60, 2020.0, NEVER)
    outcome = 8 + rng.normal(0, 0.5, (180, len(years))) + 3 * (years >= cohort[:, None])
    county = [f"C{i % counties:02d}" for i in range(180)]
    return panel_of(cohort, years, outcome, county=county, **options)


FUNDS = ledger(
    ("v0", "East", "road", "fiscal", "received", 30),
    ("v1", "East", "road", "fiscal", "received", 7),
    ("v1", "East", "shed", "social", "received", 20),
    ("", "East", "", "dispatching_unit", "received", 3),
    ("v5", "West", "road", "fiscal", "received", 25),
    ("", "West", "shed", "social", "received", 15),
    ("v0", "East", "road", "fiscal", "committed", 50),
    ("v5", "West", "road", "fiscal", "committed", 20),
    ("v0", "East", "road", "fiscal", "spent", 21),
)
PROJECTS = projects(
    ("East", "road", "roads", np.nan),
    ("East", "shed", "farms", 10),
    ("West", "shed", "farms", 5),
    ("West", "mill", "plants", 40),
)
STUDY = study(FUNDS, PROJECTS)


# -- from source to county -----------------------------------------------------------------


def test_each_flow_is_worked_by_hand():
    exhibit = plot_funds_flow(STUDY)
    assert exhibit.data.set_index(["source", "type", "county"])["amount"].to_dict() == {
        ("fiscal", "roads", "East"): 37, ("social", "farms", "East"): 20,
        ("dispatching_unit", UNKNOWN, "East"): 3, ("fiscal", UNKNOWN, "West"): 25,
        ("social", "farms", "West"): 15,
    }  # fmt: skip
    note = exhibit.note
    assert "100 in all (万元, prices of 2020)" in note
    assert re.search(r"largest source is Fiscal.*? \(62%\)", note)
    assert "largest project type is roads (37%)" in note
    assert re.search(r"goes from Fiscal.*? to roads to East: 37% of all", note)
    assert "not known for 28% of the money" in note  # 3 + 25
    assert "18% is pooled" in note  # 3 + 15


def many_flows():
    """Eleven types over fourteen counties, the later ones with more money."""
    rows = [
        (source, f"t{t:02d}" if t else UNKNOWN, f"c{c:02d}", (t + 1) * (c + 1) * (s + 1.5))
        for s, source in enumerate(("fiscal", "social", "own"))
        for t in range(12)
        for c in range(14)
        if (s + t + c) % 4
    ]
    return pd.DataFrame(rows, columns=["source", "type", "county", "amount"])


@pytest.mark.parametrize("between", [("source", "type"), ("type", "county")])
def test_bands_fill_their_nodes_and_add_up_to_all_money(between):
    flows = many_flows()
    drawn = group_flows(flows)
    bands = place_bands(drawn, *between, color="source", gaps=0.3)
    assert bands["amount"].sum() == pytest.approx(flows["amount"].sum(), rel=EXACT)
    for side, column in zip(("left", "right"), between, strict=True):
        nodes = place_nodes(drawn, column, gaps=0.3)
        for node, own in bands.sort_values(f"{side}_start").groupby(column, observed=True):
            start, amount = nodes.loc[node]
            ends = own[f"{side}_start"] + own["amount"]
            edges = np.append(own[f"{side}_start"], start + amount)
            assert edges == pytest.approx(np.append(start, ends), rel=EXACT)


@pytest.mark.parametrize("column", ["source", "type", "county"])
def test_columns_are_equally_high_and_their_nodes_apart(column):
    drawn = group_flows(many_flows())
    nodes = place_nodes(drawn, column, gaps=0.3)
    ends = nodes["start"] + nodes["amount"]
    assert (nodes["start"].iloc[0], ends.iloc[-1]) == pytest.approx(
        (0, 1.3 * drawn["amount"].sum()), rel=EXACT
    )
    gaps = nodes["start"].to_numpy()[1:] - ends.to_numpy()[:-1]
    assert gaps == pytest.approx(gaps[0], rel=MANY) and gaps[0] > 0


def test_what_is_drawn_is_as_wide_as_all_money_at_both_ends():
    drawn = group_flows(many_flows())
    axes = Figure().subplots()
    labels = {(column, n): n for column in COLUMN for n in drawn[column].cat.categories}
    labels["type", "t11"] = "sanitation and drinking water"
    labels["county", "c13"] = "a long name at the margin"
    colors = dict.fromkeys(drawn["source"].cat.categories, "0.5")
    draw_bands(axes, drawn, COLUMN, labels, colors, gaps=0.3)
    total = drawn["amount"].sum()
    corners = np.array([p.get_path().vertices for p in axes.patches if type(p) is PathPatch])
    widths = corners[:, [7, 4], 1] - corners[:, [0, 3], 1]  # at the left and the right end
    assert widths.sum(axis=0) == pytest.approx([2 * total] * 2, rel=EXACT)  # two gaps crossed
    low, high = axes.get_ylim()[::-1]
    assert (low, high) == pytest.approx((0, 1.3 * total), rel=EXACT)
    said = " ".join(label.get_text() for label in axes.texts)
    assert "sanitation and … " in said and "a long name at the margin " in said


def test_bands_of_the_same_two_nodes_lie_side_by_side():
    bands = place_bands(group_flows(many_flows()), "type", "county", color="source", gaps=0.3)
    for _, pair in bands.groupby(["type", "county"], observed=True):
        for side in ("left_start", "right_start"):
            width = (pair[side] + pair["amount"]).max() - pair[side].min()
            assert width == pytest.approx(pair["amount"].sum(), rel=MANY)


def test_small_types_and_counties_are_joined_in_the_figure_alone():
    drawn = group_flows(many_flows())
    assert list(drawn["type"].cat.categories) == [
        *(f"t{t:02d}" for t in range(11, 3, -1)), "other types", UNKNOWN,
    ]  # fmt: skip
    assert list(drawn["county"].cat.categories) == [
        *(f"c{c:02d}" for c in range(13, 1, -1)), "other counties",
    ]  # fmt: skip
    flows = list(many_flows().itertuples(index=False))
    entries = [("v", c, f"p{t}", s, "received", amount) for s, t, c, amount in flows]
    named = {(c, f"p{t}", t, np.nan) for _, t, c, _ in flows if t != UNKNOWN}
    exhibit = plot_funds_flow(study(ledger(*entries), projects(*sorted(named))))
    assert exhibit.data["type"].nunique() == 12 and exhibit.data["county"].nunique() == 14
    assert "3 as other types, 2 as other counties" in exhibit.note


def test_a_project_of_two_types_in_a_county_is_of_no_known_one():
    twice = projects(("East", "road", "roads", 1), ("East", "road", "farms", 1))
    same = projects(("East", "road", "roads", 1), ("East", "road", "roads", 2))
    rows = FUNDS.entries.iloc[[0, 4]]  # East and West
    assert name_types(rows, twice) == ["", ""]
    assert name_types(rows, same) == ["roads", ""]


def test_money_without_a_project_is_not_of_one_without_a_name():
    pooled = FUNDS.entries.iloc[[3]]
    assert name_types(pooled, projects(("East", "", "roads", 1))) == [""]


@pytest.mark.parametrize(
    ("named", "says"),
    [
        (None, "The study has no projects"),
        (projects(("East", "lane", "roads", 1)), "name projects alike in both files"),
        (projects(("East", "road", "", 1)), "give projects.type"),
    ],
)
def test_without_types_money_goes_from_source_to_county(named, says):
    exhibit = plot_funds_flow(study(FUNDS, named))
    assert "type" not in exhibit.data and exhibit.data["amount"].sum() == 100
    assert "Funds from source to county" in exhibit.caption
    assert says in exhibit.note
    assert re.search("goes from Fiscal.*? to East: 37%", exhibit.note)


def test_money_of_zero_is_no_flow():
    nothing = ledger(("v0", "East", "road", "fiscal", "received", 0))
    assert "All amounts received are zero" in text(plot_funds_flow(study(nothing, PROJECTS)))
    both = ledger(
        ("v0", "East", "road", "fiscal", "received", 0),
        ("v0", "East", "lane", "social", "received", 1),
    )
    assert list(plot_funds_flow(study(both, PROJECTS)).data["source"]) == ["social"]


def test_names_are_kept_in_full_and_chinese_ones_keyed_without_a_font(monkeypatch):
    long = "sanitation and drinking water"
    named = projects(("East", "road", long, 1), ("East", "shed", "大棚种植", 1))
    exhibit = plot_funds_flow(study(FUNDS, named))
    assert long in set(exhibit.data["type"]) and long in exhibit.note
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    note = plot_funds_flow(study(FUNDS, named)).note
    assert "type 2: 大棚种植." in note and "Install one" in note


# -- leverage, execution, jobs -------------------------------------------------------------


def test_leverage_is_worked_by_hand_with_the_overlap_as_bounds():
    entries = [
        ("v0", "East", "", "fiscal", "received", 30),
        ("v0", "East", "", "social", "received", 20),
        ("v0", "East", "", "dispatching_unit", "received", 5),
        ("v5", "West", "", "social", "received", 10),
    ]
    exhibit = leverage_table(study(ledger(*entries)))
    rows = exhibit.data.set_index("county")
    assert list(rows.index) == ["East", "West", "all"]
    assert rows.loc["East", ["fiscal", "social", "dispatching_unit"]].to_list() == [30, 20, 5]
    assert rows["social_per_fiscal"].to_list() == pytest.approx(
        [20 / 30, np.nan, 30 / 30], rel=EXACT, nan_ok=True
    )
    assert rows.loc["East", "both_per_fiscal"] == Bounds(20, 25) / Bounds.exactly(30)
    assert rows.loc["West", "both_per_fiscal"] is None
    assert "[0.666, 0.834]" in exhibit.body  # 2/3 down, 5/6 up
    assert "For each yuan of fiscal money received there is 1 of social money and 0.167 of" in (
        exhibit.note
    )
    assert "together they are [1.00, 1.17]" in exhibit.note
    assert "does not say that fiscal money drew the other in" in exhibit.note


def test_leverage_names_the_counties_between_which_it_lies():
    note = leverage_table(STUDY).note
    assert "(from 0.541 in East to 0.600 in West)" in note  # 20 / 37, 15 / 25


def test_without_fiscal_money_there_is_no_leverage():
    exhibit = leverage_table(study(ledger(("v0", "East", "", "social", "received", 1))))
    (reason,) = exhibit.data["absent"]
    assert "No fiscal money is recorded as received" in reason


def test_fiscal_money_alone_has_nothing_beside_it():
    exhibit = leverage_table(study(ledger(("v0", "East", "", "fiscal", "received", 1))))
    (reason,) = exhibit.data["absent"]
    assert reason == "No money of society or dispatching units is recorded as received."


def test_ratios_of_other_currencies_name_them():
    prices = {"basis": "real", "base_year": 2020, "currency": "USD"}
    exhibit = leverage_table(study(FUNDS, prices=prices))
    assert "For each USD of fiscal money" in exhibit.note and "yuan" not in text(exhibit)
    assert exhibit.data["fiscal"].iloc[-1] == 620_000


def test_execution_is_worked_by_hand():
    exhibit = execution_table(STUDY)
    rows = exhibit.data.set_index("county")
    assert rows.loc["East", ["committed", "received", "spent"]].to_list() == [50, 60, 21]
    assert rows.loc["West", ["committed", "received", "spent"]].to_list() == [20, 40, 0]
    shares = rows[["received_share", "spent_share"]].to_numpy().ravel()
    assert shares == pytest.approx(
        [60 / 50, 21 / 60, 40 / 20, 0, 100 / 70, 21 / 100], rel=EXACT
    )
    assert "142.9% of the money committed is received" in exhibit.note
    assert "(from 120.0% in East to 200.0% in West), above 100% in 2;" in exhibit.note
    assert "21.0% of the money received is spent" in exhibit.note


def test_stages_apart_have_no_share_and_one_stage_no_table():
    apart = ledger(
        ("v0", "East", "", "fiscal", "committed", 4), ("v0", "East", "", "fiscal", "spent", 2)
    )
    exhibit = execution_table(study(apart))
    assert "there is no share" in exhibit.note and "Received" not in exhibit.body
    one = study(ledger(("v0", "East", "", "fiscal", "spent", 2)))
    assert "one stage alone (spent)" in text(execution_table(one))


def test_cost_per_job_is_worked_by_hand():
    exhibit = cost_per_job_table(STUDY, stage="received")
    rows = exhibit.data.set_index("county")
    assert rows["per_job"].to_list() == pytest.approx([20 / 10, 15 / 5, 35 / 15], rel=EXACT)
    assert rows["money_without_jobs"].to_list() == [40, 25, 65]
    assert exhibit.caption == "Money per job, gross, head count, 万元, prices of 2020"
    assert "2.33 万元 received per job (gross, head count) over the 2 projects" in exhibit.note
    assert "(from 2 in East to 3 in West)" in exhibit.note
    assert "65.0% of all the money is not tied to jobs" in exhibit.note
    assert "1 projects with jobs have no money under their name" in exhibit.note  # West's mill


def test_net_and_full_time_jobs_are_fewer_and_named():
    exhibit = cost_per_job_table(STUDY, stage="received", displaced=0.2, full_time=0.5)
    total = exhibit.data.iloc[-1]
    assert total["jobs"] == pytest.approx(15 * 0.8 * 0.5, rel=EXACT)
    assert total["per_job"] == pytest.approx(35 / 6, rel=EXACT)
    assert "net, full time" in exhibit.caption and "Jobs, net, full time" in exhibit.body
    assert "Net: 20% of jobs" in exhibit.note and "counts as 0.5 full-time" in exhibit.note


@pytest.mark.parametrize(
    ("study_data", "options", "says"),
    [
        (study(FUNDS), {}, "no projects"),
        (study(FUNDS, projects(("East", "road", "", np.nan))), {}, "no project with jobs has"),
        (STUDY, {}, "no project with jobs has money spent"),
        (STUDY, {"displaced": 1.0}, "give shares"),
        (study(FUNDS, projects(("East", "road", "", 0))), {}, "no jobs above zero"),
        (
            study(ledger(("v0", "East", "shed", "own", "spent", 0)), PROJECTS),
            {},
            "or no money spent",
        ),
    ],
)
def test_without_jobs_it_is_said_why(study_data, options, says):
    assert says in text(cost_per_job_table(study_data, **options))


def test_many_counties_are_cut_in_the_table_and_not_in_the_data(monkeypatch):
    monkeypatch.setattr(funds_tables, "_MOST_ROWS", 3)
    entries = [("v", f"c{i}", "", "fiscal", "received", i + 1) for i in range(5)]
    exhibit = leverage_table(
        study(ledger(*entries, ("v", "c0", "", "social", "received", 0.5)))
    )
    assert list(exhibit.data["county"]) == ["c4", "c3", "c2", "c1", "c0", "all"]
    assert re.findall(r'<th scope="row">(\w+)', exhibit.body) == ["c4", "c3", "c2", "all"]
    assert "The 3 of 5 counties with most money" in exhibit.note


# -- how money is spread -------------------------------------------------------------------


def spread_of(amounts, panel, *more):
    """Give the efficiency of a panel whose treated villages v0, v1, ... spent amounts."""
    entries = [(f"v{i}", "", "", "fiscal", "spent", x) for i, x in enumerate(amounts) if x]
    study_data = data_of(panel=panel, ledger=ledger(*entries, *more))
    return estimate_study_efficiency(estimate_study_gains(study_data))


def curve(exhibit, name):
    return exhibit.data[exhibit.data["curve"] == name]


def test_villages_without_money_count_as_zero():
    # 30 of 60 with 2 each: half of the villages have nothing, the others the same
    exhibit = plot_funds_spread(spread_of([0, 2] * 30, drawn_panel()))
    lorenz = curve(exhibit, "per village")
    assert lorenz["index"].iloc[0] == pytest.approx(0.5, rel=EXACT)
    assert lorenz["population"].to_list() == pytest.approx([0, 0.5, 1], rel=EXACT)
    assert "60 万元, prices of 2020, spent for 60 treated villages" in exhibit.note
    assert "30 of them got none. The Gini is 0.500 per village" in exhibit.note
    assert "the 25% of villages with most money got half" in exhibit.note
    assert "household" not in text(exhibit)


def test_per_household_money_is_weighed_by_households():
    households = np.ones((180, 11))
    households[:60:2] = 3  # 2 for 3 households against 2 for 1
    panel = drawn_panel(households=households)
    exhibit = plot_funds_spread(spread_of([2] * 60, panel))
    assert curve(exhibit, "per village")["index"].iloc[0] == pytest.approx(0, abs=EXACT)
    found = curve(exhibit, "per household")
    # three quarters of households have half of the money: 0.75 - 0.5
    assert found["index"].iloc[0] == pytest.approx(0.25, rel=EXACT)
    assert "0.000 per village and 0.250 per household (0," in exhibit.note
    households[:2] = np.nan  # one with 3, one with 1
    exhibit = plot_funds_spread(spread_of([2] * 60, drawn_panel(households=households)))
    assert "0.250 per household (2 without them left out)" in exhibit.note


def targeted(slope, **options):
    """Let money fall or rise with income before, plus noise."""
    panel = drawn_panel(**options)
    before = panel.matrix()[:60, :8].mean(axis=1) / 10_000  # 2012 to 2019
    noise = np.random.default_rng(1).normal(0, 0.1, 60)
    amounts = 50 + slope * (before - 8) + noise
    return before, amounts, plot_funds_spread(spread_of(amounts, panel))


@pytest.mark.parametrize(("slope", "word"), [(-3, "less"), (3, "more")])
def test_the_slope_is_that_of_least_squares_in_words(slope, word):
    before, amounts, exhibit = targeted(slope)
    row = curve(exhibit, "by income before").iloc[0]
    expected = np.polyfit(before, amounts, 1)[0]
    assert row["slope"] == pytest.approx(expected, rel=MANY)
    assert row["conf_low"] < row["slope"] < row["conf_high"]
    assert np.sign(row["index"]) == np.sign(slope)
    ends = f"{row['conf_low']:.2f} to {row['conf_high']:.2f}"
    assert (
        f"Villages with 1 万元 more income before got {abs(expected):.2f} 万元 {word} "
        f"(95% interval {ends}, p < .001; errors clustered by village)"
    ) in exhibit.note


def test_a_slope_that_may_be_zero_is_not_told_from_it():
    exhibit = targeted(0)[-1]
    row = curve(exhibit, "by income before").iloc[0]
    assert row["conf_low"] < 0 < row["conf_high"]
    assert "less cannot be told from more" in exhibit.note


def test_few_clusters_take_villages_as_independent_and_say_so():
    note = targeted(-3, counties=3)[-1].note
    assert "HC3, villages taken as independent: 3 " in note and "too few to cluster by" in note


def test_the_poorest_fifth_and_the_money_left_out_are_said():
    panel = drawn_panel()
    before = panel.matrix()[:60, :8].mean(axis=1)
    amounts = np.where(before.argsort().argsort() < 12, 4, 1)  # 12 x 4 of 96
    pooled = ("", "C00", "", "fiscal", "spent", 7)
    note = plot_funds_spread(spread_of(amounts, panel, pooled)).note
    assert "lowest income before treatment got 50% of the money" in note
    assert "Money in no village's: 7 pooled for a place" in note


def test_too_few_villages_have_a_curve_and_no_slope():
    outcome = np.vstack([[[1, 2, 9], [3, 6, 9]], np.full((20, 3), 4) + np.arange(3)])
    panel = panel_of([2020, 2020, *[NEVER] * 20], [2018, 2019, 2020], outcome)
    exhibit = plot_funds_spread(spread_of([1, 3], panel))
    found = curve(exhibit, "by income before")
    assert found["money"].to_list() == pytest.approx([0, 0.25, 1], rel=EXACT)
    assert found["slope"].isna().all()
    assert "No slope: 2 villages have money" in exhibit.note


def test_long_curves_are_thinned_and_keep_their_index(monkeypatch):
    whole = targeted(-3)[-1]
    monkeypatch.setattr(funds_spread, "_MOST_POINTS", 7)
    thin = targeted(-3)[-1]
    ends = curve(thin, "per village")["money"].iloc[[0, -1]].to_list()
    assert len(curve(thin, "per village")) == 7 and ends == pytest.approx([0, 1], rel=EXACT)
    assert (
        curve(thin, "per village")["index"].iloc[0]
        == (curve(whole, "per village")["index"].iloc[0])
    )


# -- all of them ---------------------------------------------------------------------------

MAKERS = [plot_funds_flow, leverage_table, execution_table, cost_per_job_table]


@pytest.mark.parametrize("make", MAKERS)
def test_without_a_ledger_every_exhibit_says_so(make):
    assert "no funding ledger" in text(make(data_of(claims={})))


@pytest.mark.parametrize("make", [plot_funds_flow, leverage_table])
def test_a_stage_that_the_ledger_lacks_is_said(make):
    received = ledger(("v0", "East", "", "fiscal", "received", 1))
    assert "no money spent" in text(make(study(received), stage="spent"))


def test_without_efficiency_the_spread_says_why():
    gains = estimate_study_gains(data_of(panel=drawn_panel()))
    assert "no funding ledger" in text(plot_funds_spread(estimate_study_efficiency(gains)))
    none = StudyEfficiency(gains=gains, reason="No money spent.")
    assert "No money spent." in text(plot_funds_spread(none))


def test_the_simulated_study_has_all_five_and_they_add_up():
    data = load_data(Study.load(REPO / "data" / "jining_simulated"))
    efficiency = estimate_study_efficiency(estimate_study_gains(data))
    made = [*(make(data) for make in MAKERS), plot_funds_spread(efficiency)]
    assert [exhibit.name for exhibit in made] == [
        "funds_flow", "leverage", "execution", "cost_per_job", "funds_spread",
    ]  # fmt: skip
    assert all("SIMULATED" in text(exhibit) for exhibit in made)
    assert all("万元, prices of 2022" in text(exhibit) for exhibit in made)
    flow, leverage, execution, jobs, _ = (exhibit.data for exhibit in made)
    sums = data.ledger.entries.groupby("stage")["amount"].sum() / 10_000
    sources = ["fiscal", "dispatching_unit", "social", "credit", "own"]
    assert flow["amount"].sum() == pytest.approx(sums["received"], rel=MANY)
    assert leverage[sources].iloc[-1].sum() == pytest.approx(sums["received"], rel=MANY)
    assert execution["committed"].iloc[-1] == pytest.approx(sums["committed"], rel=MANY)
    spent = jobs[["money", "money_without_jobs"]].iloc[-1].sum()
    assert spent == pytest.approx(sums["spent"], rel=MANY)


def test_figures_are_drawn_without_a_chinese_font(monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    made = [plot_funds_flow(STUDY), targeted(-3)[-1]]
    assert all(exhibit.kind == "figure" and "Install one" in exhibit.note for exhibit in made)
