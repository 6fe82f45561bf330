"""Exhibits on village data: numbers worked by hand, and what a study may lack."""

import dataclasses
import json
import re

import numpy as np
import pandas as pd
import pytest

from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.data.load import StudyData
from evaluation.data.panel import Variable, VillagePanel
from evaluation.data.problems import Problem
from evaluation.data.study import Study
from evaluation.report import plots, village_words
from evaluation.report.data.income_plots import bunching_table, plot_bunching, plot_subsidies
from evaluation.report.data.ledger_plots import funds_table, plot_funds
from evaluation.report.data.panel_plots import plot_income_paths, plot_map
from evaluation.report.data.panel_tables import (
    panel_summary_table,
    problem_table,
    summary_table,
)
from evaluation.report.data.rollout_plots import (
    plot_balance,
    plot_rollout,
    years_observed_table,
)
from evaluation.report.data.study_tables import evidence_ladder
from evaluation.report.gains.arm_tables import balance_table, indicator_table
from evaluation.report.village_words import show_number
from tests.conftest import minimal_study

EXHIBITS = [
    panel_summary_table, problem_table, summary_table, balance_table, indicator_table, plot_map,
    plot_income_paths, plot_rollout, plot_balance, years_observed_table, plot_subsidies,
    plot_bunching, bunching_table, plot_funds, funds_table,
]  # fmt: skip
NEVER = np.nan


def data_of(*, panel=None, ledger=None, indicators=None, problems=(), panel_file=None, **study):
    content = minimal_study() | study | ({"panel": panel_file} if panel_file else {})
    content["source"] = {"publisher": {"en": "Typed"}}
    return StudyData(
        study=Study.model_validate(content),
        panel=panel,
        ledger=ledger,
        projects=None,
        indicators=indicators,
        problems=tuple(problems),
    )


def panel_of(cohort, years, outcome, *, unit="yuan", county=None, places=False, **matrices):
    """Build a panel; money is typed in 万元, and other matrices are covariates or income_."""
    n, factor = len(cohort), 10_000 if unit == "yuan" else 1
    villages = pd.DataFrame(
        {
            "county": county or ["East"] * n,
            "town": "Town",
            "name": [f"v{i}" for i in range(n)],
            "cohort": np.array(cohort, dtype=float),
        },
        index=pd.Index([f"v{i}" for i in range(n)], name="village"),
    )
    if places:
        villages["longitude"] = 116 + np.arange(n) / n
        villages["latitude"] = 35 + np.arange(n) / n
    roles = {"income": "outcome"} | {
        name: "income" if name.startswith("income_") else "covariate" for name in matrices
    }
    values = {"income": outcome, **matrices}
    return VillagePanel(
        villages=villages,
        years=np.array(years),
        matrices={
            name: np.array(values[name], dtype=float) * (1 if role == "covariate" else factor)
            for name, role in roles.items()
        },
        variables={
            name: Variable(
                name=name, role=role, label=name, unit="" if role == "covariate" else unit,
                scale="level", column=name,
            )
            for name, role in roles.items()
        },
        outcome="income",
        rows=np.ones((n, len(years)), dtype=bool),
        hedged=pd.DataFrame(columns=["village", "year", "variable", "lower", "upper"]),
        price_year=2020,
        source="v.csv",
    )  # fmt: skip


def small_panel(**options):
    """Give two treated and three never treated villages over three years."""
    return panel_of(
        [2020, 2020, NEVER, NEVER, NEVER],
        [2018, 2019, 2020],
        [[1, 2, 9], [3, 6, 9], [4, 4, 4], [6, 6, 6], [8, 8, np.nan]],
        **options,
    )


def ledger_of(*entries):
    rows = [
        {
            "village": village, "town": "", "county": county, "year": 2020, "project": "p",
            "source": source, "stage": stage, "role": role, "amount": amount * 10_000,
            "shared": shared, "row": 2,
        }
        for village, county, source, stage, role, amount, shared in entries
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return FundingLedger(entries=frame, shared_by="equal", price_year=2020, source="l.csv")


SMALL_LEDGER = ledger_of(
    ("v0", "East", "fiscal", "received", "source", 30, False),
    ("v1", "East", "fiscal", "received", "source", 10, True),
    ("", "West", "social", "received", "source", 60, False),
    ("v0", "East", "fiscal", "committed", "source", 50, False),
    ("v0", "East", "fiscal", "received", "use", 99, False),
)


def text(exhibit):
    return re.sub(r"<[^>]+>", " ", exhibit.to_html())


def rung(study_data):
    frame = evidence_ladder(study_data).data
    return [int(number) for number in frame.loc[frame["reached"].astype(bool), "rung"]]


def test_the_ladder_marks_the_rung_that_the_data_reach():
    both = small_panel()
    alone = panel_of([2020, 2020], [2019, 2020], [[1, 2], [3, 4]])
    nobody = panel_of([NEVER, NEVER], [2019, 2020], [[1, 2], [3, 4]])
    assert rung(data_of(claims={})) == [1]
    assert rung(data_of(panel=alone)) == [2]
    assert rung(data_of(panel=both, claims={})) == [3]
    assert rung(data_of(panel=nobody)) == []
    note = evidence_ladder(data_of(panel=both, claims={})).note
    assert "stay on the first rung" in note
    assert note.startswith("2 of 2 treated villages have an outcome both before and after")
    assert "3 villages are never treated" in note
    assert "needs 19 comparison villages: 1/(n+1) <= .05" in note  # 3 are fewer than 19


def test_a_comparison_needs_changes_on_both_sides():
    years, once, twice = [2018, 2019, 2020], [np.nan, np.nan, 4], [np.nan, 4, 4]
    treated = [[1, 2, 9], [1, 2, np.nan], [3, 4, 5]]  # the second unknown after, third before
    panel = panel_of([2020, 2020, 2018, NEVER], years, [*treated, once])
    assert panel.has_before_after.tolist() == [True, False, False, False]
    assert panel.treated_from_start.tolist() == [False, False, True, False]
    assert not panel.has_comparison and rung(data_of(panel=panel)) == [2]
    note = evidence_ladder(data_of(panel=panel)).note
    assert note.startswith("1 of 3 treated villages") and "1 villages are never" in note
    panel = panel_of([2020, 2020, 2018, NEVER], years, [*treated, twice])
    assert panel.has_comparison and rung(data_of(panel=panel)) == [3]


def test_without_an_outcome_before_and_after_a_panel_only_describes():
    panel = panel_of([2020, 2018, NEVER], [2019, 2020], [[1, np.nan], [2, 3], [4, 4]])
    assert rung(data_of(panel=panel)) == [] and rung(data_of(panel=panel, claims={})) == [1]
    note = evidence_ladder(data_of(panel=panel)).note
    assert "No treated village has an outcome both before and after" in note


@pytest.mark.parametrize("make", [panel_summary_table, plot_rollout, plot_income_paths])
def test_villages_treated_in_their_first_row_are_counted(make):
    panel = panel_of([2020, 2019, NEVER], [2019, 2020], [[1, 2], [3, 4], [5, 6]])
    words = "1 of the treated villages are treated in their first row"
    assert words in make(data_of(panel=panel)).note
    panel = panel_of([2020, 2020, NEVER], [2019, 2020], [[1, 2], [3, 4], [5, 6]])
    assert "first row" not in make(data_of(panel=panel)).note


def test_many_cohorts_are_grouped_into_bands_of_about_equal_size():
    # 5 + 6 villages: middles 2.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5 of 11; times 4/11, cut:
    # 0, 2, 2, 2, 3, 3, 3
    cohort = [2011] * 5 + list(range(2012, 2018)) + [NEVER]
    panel = panel_of(cohort, [2010, 2018], np.ones((12, 2)))
    code, names = village_words.group_cohorts(panel, most=6)
    assert names == ["2011", "2012-2014", "2015-2017", "never treated"]
    assert np.bincount(code).tolist() == [5, 3, 3, 1]
    assert len(village_words.group_cohorts(panel, most=7)[1]) == 8


def test_paths_of_bands_are_means_with_every_line_in_the_note():
    outcome = np.arange(1.0, 10)[:, None] * [1, 2]
    panel = panel_of([*range(2011, 2019), NEVER], [2010, 2018], outcome)
    exhibit = plot_income_paths(data_of(panel=panel))
    means = exhibit.data.set_index(["cohort", "year"])["mean"]
    # (1 + 2) / 2, (3 + 4) / 2, ...; twice that in 2018
    assert means.xs(2010, level="year").tolist() == [1.5, 3.5, 5.5, 7.5, 9]
    for line in ("2011-2012 by 1.50 (2 and 2 villages)", "2017-2018 by 7.50 (2 and",
                 "never treated by 9.00 (1 and 1 villages)"):  # fmt: skip
        assert line in exhibit.note
    rollout = plot_rollout(data_of(panel=panel))
    assert len(rollout.data) == 9 and len(exhibit.svg) > 0


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        ({"basis": "nominal", "index": "cpi.csv"}, "real yuan of 2020, by cpi.csv"),
        ({"basis": "nominal"}, "China's national consumer prices (urban and rural"),
        ({"basis": "nominal", "index": None}, "nominal, not deflated"),
        ({"basis": "real"}, "as in the file: already prices of 2020"),
    ],
)
def test_the_deflator_is_named(prices, said):
    study_data = data_of(panel=small_panel(), prices={"base_year": 2020, **prices})
    table = panel_summary_table(study_data).data.set_index("item")
    assert said in table.loc["Prices", "what"]
    note = plot_income_paths(study_data).note
    assert "eflated" in note


def test_money_that_is_not_deflated_is_called_nominal():
    panel = dataclasses.replace(small_panel(), price_year=None)
    study_data = data_of(panel=panel, ledger=dataclasses.replace(SMALL_LEDGER, price_year=None))
    assert set(plot_income_paths(study_data).data["unit"]) == {"万元, nominal"}
    assert set(plot_funds(study_data).data["unit"]) == {"万元, nominal"}
    assert "nominal" in panel.summary() and "None" not in panel.summary()


def test_the_summary_shows_the_declared_unit_and_many_zeros():
    panel = panel_of([2020, NEVER], [2019, 2020], [[0, 1], [2, 3]], households=np.ones((2, 2)))
    part = {
        "file": "v.csv", "village": "v", "year": "t", "covariates": {"households": "hh"},
        "outcomes": {"income": {"column": "income", "unit": "千元", "scale": "log1p"}},
    }  # fmt: skip
    prices = {"basis": "real", "base_year": 2020}
    table = summary_table(data_of(panel=panel, panel_file=part, prices=prices))
    assert table.data["declared_unit"].tolist() == ["log1p of 千元", ""]
    assert table.data["zero_share"].tolist() == [0.25, 0]
    assert '<td class="n">25%</td>' in table.body and ">0%</td>" not in table.body


def test_what_the_file_does_not_have_has_no_row():
    panel = small_panel(county=[""] * 5)
    items = set(panel_summary_table(data_of(panel=panel)).data["item"])
    assert {"Towns", "Village-years in the file"} <= items
    assert not {"Counties", "Prices", "Hedged figures kept as bounds"} & items


@pytest.mark.parametrize("make", EXHIBITS, ids=lambda make: make.__name__)
def test_what_a_study_lacks_is_said(make):
    shown = text(make(data_of(claims={})))
    assert "This study has no " in shown or make is problem_table


def test_the_balance_table_is_as_worked_by_hand():
    households = np.tile([[100], [200], [100], [200], [300]], 3)
    table = balance_table(data_of(panel=small_panel(households=households)))
    rows = table.data.set_index("variable")
    # 2019: treated 2, 6: mean 4, variance (4 + 4) / 1 = 8; never 4, 6, 8: mean 6, variance 4
    level = rows.loc["income"]
    assert level["year"] == 2019
    assert (level["mean_treated"], level["mean_never"], level["difference"]) == (4, 6, -2)
    assert level["standardised"] == pytest.approx(-2 / np.sqrt((8 + 4) / 2), rel=1e-12)
    # change 2018 to 2019: treated 1, 3: mean 2; never 0: no spread, so sqrt((2 + 0) / 2) = 1
    change = rows.loc["change in income, 2018 to 2019"]
    assert change["standardised"] == pytest.approx(2.0, rel=1e-12)
    # households: 150 against 200; variances 5,000 and 10,000
    assert rows.loc["households", "standardised"] == pytest.approx(-50 / np.sqrt(7_500))
    assert rows["large"].all() and "3 of 3" in table.note
    assert "<strong>-0.82 !</strong>" in table.body


def test_without_both_arms_or_years_before_there_is_no_balance_table():
    everyone = panel_of([2020, 2020], [2019, 2020], [[1, 2], [3, 4]])
    always = panel_of([2019, NEVER], [2019, 2020], [[1, 2], [3, 4]])
    assert "both treated and never" in text(balance_table(data_of(panel=everyone)))
    assert "first year on" in text(balance_table(data_of(panel=always)))


def test_heaps_above_a_target_are_counted_in_reported_money(tmp_path):
    # Prices double from 2019 to 2020, the base year: 5 万元 of 2019 are 10 in the panel.
    (tmp_path / "prices.csv").write_text("year,index\n2019,100\n2020,200\n", encoding="utf-8")
    reported = [[4.2, 5.0], [5.0, 5.2], [5.4, 5.5], [4.99, 14.99], [15.0, 9.9]]
    reported = np.tile(reported, (20, 1))
    households = np.ones((100, 2))
    panel = panel_of([NEVER] * 100, [2019, 2020], reported * [2, 1], income_other=reported,
                     households=households)  # fmt: skip
    panel = dataclasses.replace(panel, outcome="households")  # never taken for income
    prices = {"basis": "nominal", "base_year": 2020, "index": "prices.csv"}
    study_data = data_of(panel=panel, prices=prices)
    study_data.study._file = tmp_path / "study.yml"
    table = bunching_table(study_data)
    row = table.data.set_index("target").loc[5]
    # 20 times: [5, 5.5): 5.0, 5.0, 5.2, 5.4 = 4; [4, 4.5): 4.2 = 1, and 4.99 in neither;
    # [5.5, 6): 5.5 = 1
    assert (row["n_above"], row["n_below"], row["n_beyond"]) == (80, 20, 20)
    assert row["excess_share"] == pytest.approx(80 / 20 - 1, rel=1e-12)
    assert table.body.count("too few") == 1  # at 10
    assert "Income (income) as reported (nominal)" in table.note
    bins = plot_bunching(study_data).data.set_index("lower")["n"]
    assert (bins.loc[5.0], bins.loc[14.75], bins.sum()) == (60, 20, 180)  # 15.0 is not drawn


def test_fewer_than_twenty_expected_give_no_excess():
    outcome = np.repeat([[4.2], [5.0], [5.7]], 19, axis=0)  # 19 in each bin
    panel = panel_of([NEVER] * 57, [2020], outcome, income_other=outcome)
    table = bunching_table(data_of(panel=panel))
    assert table.data["expected"].tolist() == [19, 0]
    assert table.data["excess_share"].isna().all() and table.body.count("too few") == 2
    assert "Fewer than 20" in table.note


def test_real_money_has_no_nominal_targets():
    income = [[1, 2], [3, 4]]
    panel = panel_of([2020, NEVER], [2019, 2020], income, income_other=income)
    study_data = data_of(panel=panel, prices={"basis": "real", "base_year": 2020})
    for make in (plot_bunching, bunching_table):
        assert "already in prices of 2020" in text(make(study_data))


def test_money_that_is_not_yuan_has_no_targets_in_yuan():
    income = [[1, 2], [3, 4]]
    panel = panel_of([2020, NEVER], [2019, 2020], income, unit="USD", income_other=income)
    study_data = data_of(panel=panel)
    assert "not in yuan" in text(plot_bunching(study_data))
    assert "not in yuan" in text(bunching_table(study_data))
    assert "USD, prices of 2020" in summary_table(study_data).body


def test_funds_are_by_source_with_pooled_money_apart():
    study_data = data_of(panel=small_panel(), ledger=SMALL_LEDGER)
    exhibit = plot_funds(study_data)
    rows = exhibit.data.set_index(["county", "source", "pooled"])["amount"].to_dict()
    assert rows == {
        ("East", "fiscal", False): 30, ("East", "fiscal", True): 10,
        ("West", "social", True): 60,
    }  # fmt: skip
    assert (
        "100 in all" in exhibit.note and "70% of it pooled" in exhibit.note
    )  # (10 + 60) / 100
    assert "alone, as uses may be the same money" in exhibit.note
    assert "no money spent" in text(plot_funds(study_data, stage="spent"))


def test_what_a_ledger_does_not_have_is_not_spoken_of():
    ledger = ledger_of(("v0", "East", "fiscal", "received", "source", 30, False))
    study_data = data_of(panel=small_panel(), ledger=ledger)
    note = plot_funds(study_data).note
    assert "pooled" not in note and "uses" not in note
    assert "one stage alone (received)" in text(funds_table(study_data))


def test_stages_stand_beside_one_another_and_uses_are_left_out():
    study_data = data_of(panel=small_panel(), ledger=SMALL_LEDGER)
    rows = funds_table(study_data).data.set_index(["source", "stage"])["amount"].to_dict()
    assert rows == {
        ("fiscal", "committed"): 50, ("fiscal", "received"): 40, ("social", "received"): 60,
        ("all", "committed"): 50, ("all", "received"): 100,
    }  # fmt: skip
    uses = ledger_of(("v0", "East", "fiscal", "received", "use", 99, False))
    assert "uses of money" in plot_funds(data_of(panel=small_panel(), ledger=uses)).note.lower()


def test_paths_are_means_over_the_villages_known():
    data = plot_income_paths(data_of(panel=small_panel())).data
    never = data[data["cohort"] == "never treated"].set_index("year")
    assert never.loc[2018, "mean"] == 6  # (4 + 6 + 8) / 3
    assert never.loc[2020, ["mean", "n_villages"]].tolist() == [5, 2]  # (4 + 6) / 2
    assert set(data["unit"]) == {"万元, prices of 2020"}


def test_subsidies_are_a_share_of_all_income():
    subsidy = [[1, 1, 3], [1, 1, 5], [2, 2, 2], [2, 2, 2], [2, 2, 2]]
    total = [[3, 3, 12], [3, 3, 20], [4, 4, 8], [4, 4, 8], [4, 4, 8]]
    exhibit = plot_subsidies(
        data_of(panel=small_panel(income_subsidy=subsidy, income_total=total))
    )
    rows = exhibit.data.set_index(["villages", "year"])
    last = rows.loc[("treated villages", 2020)]
    assert last["share_of_subsidies"] == 0.25  # (3 + 5) / (12 + 20)
    assert "changed by 3, those of never treated ones by 0" in exhibit.note  # 4 - 1, 2 - 2


def test_cohorts_gaps_and_years_are_counted():
    study_data = data_of(panel=small_panel())
    cohorts = plot_rollout(study_data).data.set_index("cohort")["n_villages"].to_dict()
    assert cohorts == {"2020": 2, "never treated": 3}
    known = plot_balance(study_data).data.set_index("year")["share"].to_dict()
    assert known == {2018: 1.0, 2019: 1.0, 2020: 0.8}  # 4 of 5
    years = years_observed_table(study_data).data
    assert years.to_numpy().tolist() == [[3, 2, 2], [2, 0, 1]]


def test_many_villages_are_added_up_and_not_drawn_one_by_one():
    n = 6_000
    panel = panel_of(
        [2020, NEVER] * (n // 2), [2019, 2020], np.ones((n, 2)),
        county=["East", "East", "West"] * (n // 3), places=True,
    )  # fmt: skip
    study_data = data_of(panel=panel)
    assert plot_map(study_data).data["n_villages"].sum() == n
    assert len(plot_rollout(study_data).data) == 4
    assert len(plot_map(study_data).svg) < 2_000_000


def test_the_map_draws_boundaries_and_says_what_it_takes(tmp_path, monkeypatch):
    ring = [[115, 34], [118, 34], [118, 37], [115, 37], [115, 34]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {}, "geometry": shape}
    collection = {"type": "FeatureCollection", "features": [feature]}
    (tmp_path / "area.json").write_text(json.dumps(collection), encoding="utf-8")
    part = {
        "file": "v.csv",
        "village": "v",
        "year": "t",
        "outcomes": {"y": "y"},
        "boundaries": "area.json",
    }
    study_data = data_of(panel=small_panel(places=True))
    study = Study.model_validate(minimal_study() | {"panel": part})
    study._file = tmp_path / "study.yml"
    study_data = dataclasses.replace(study_data, study=study)
    pytest.importorskip("geopandas")
    assert "Boundaries: area.json." in plot_map(study_data).note
    monkeypatch.setitem(__import__("sys").modules, "geopandas", None)
    assert 'pip install "village-evaluation[map]"' in plot_map(study_data).note


def test_counties_that_no_font_has_are_numbered_with_a_key(monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    panel = small_panel(county=["泗水县", "泗水县", "微山县", "微山县", "微山县"])
    counties = [{"name": "Sishui", "zh": "泗水县"}]
    exhibit = plot_balance(data_of(panel=panel, counties=counties))
    assert "county 2: 微山县." in exhibit.note
    labels, key = village_words.label_counties(
        data_of(counties=counties).study, ["泗水县", "微山县"]
    )
    assert labels == {"泗水县": "Sishui", "微山县": "county 2"} and key in exhibit.note


def test_warnings_come_before_notes_with_their_first_places():
    found = [
        Problem(level="note", file="v.csv", message="read as gb18030"),
        Problem(
            level="warning", file="v.csv", message="left out: totals", column="x",
            places=tuple((row, "9") for row in range(2, 7)), count=5, left_out=True,
        ),
    ]  # fmt: skip
    panel = dataclasses.replace(small_panel(), problems=tuple(found))
    table = problem_table(data_of(panel=panel, problems=found))
    assert list(table.data["level"]) == ["warning", "note"]
    assert table.data["first_places"].iloc[0] == "row 2 9; row 3 9; row 4 9"
    summary = panel_summary_table(data_of(panel=panel)).data.set_index("item")
    assert summary.loc["Left out"].tolist() == [1, "totals"]
    assert summary.loc["Values of the outcome", "count"] == 14  # 5 x 3, one missing


def test_an_indicator_changes_over_the_same_villages():
    frame = pd.DataFrame(
        [("v0", 2018, 1.0), ("v0", 2021, 5.0), ("v1", 2021, 7.0)],
        columns=["village", "year", "value"],
    ).assign(county="East", pillar="industry", indicator="jobs", unit="")
    row = indicator_table(data_of(panel=small_panel(), indicators=frame)).data.iloc[0]
    assert (row["first_mean"], row["last_mean"], row["change"]) == (1, 5, 4)
    assert (row["first_years"], row["last_years"]) == ("2018", "2021")
    assert (row["n_villages"], row["n_seen_once"]) == (1, 1)


def test_an_indicator_changes_between_each_villages_own_years():
    frame = pd.DataFrame(
        [("v0", 2018, 1.0), ("v0", 2021, 5.0), ("v1", 2019, 3.0), ("v1", 2021, 7.0)],
        columns=["village", "year", "value"],
    ).assign(county="East", pillar="industry", indicator="jobs", unit="")
    row = indicator_table(data_of(panel=small_panel(), indicators=frame)).data.iloc[0]
    # (1 + 3) / 2 and (5 + 7) / 2
    assert (row["first_mean"], row["last_mean"], row["first_years"]) == (2, 6, "2018-2019")


def test_indicators_without_a_value_show_nothing():
    columns = ["village", "year", "value", "county", "pillar", "indicator", "unit"]
    frame = pd.DataFrame(
        [("v0", 2018, np.nan, "East", "industry", "jobs", "")], columns=columns
    )
    exhibit = indicator_table(data_of(panel=small_panel(), indicators=frame))
    assert exhibit.data.empty and "Nothing to show" in exhibit.to_html()


def test_simulated_data_is_marked_in_every_exhibit():
    panel = small_panel(places=True, income_other=np.ones((5, 3)))
    study_data = data_of(panel=panel, ledger=SMALL_LEDGER, simulated=True)
    assert all("SIMULATED" in text(make(study_data)) for make in EXHIBITS)


@pytest.mark.parametrize(
    ("value", "shown"), [(1e6, "1,000,000"), (0.5, "0.500"), (-12.345, "-12.3"), (0, "0")]
)
def test_numbers_have_three_digits(value, shown):
    assert show_number(value) == shown
