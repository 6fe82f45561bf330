"""Which villages gained, as shown: numbers by hand, words that follow, what may be missing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.report.effects import driver_exhibits
from evaluation.report.effects.driver_exhibits import (
    drivers_table,
    heterogeneity_table,
    plot_drivers,
    show_drivers,
)
from evaluation.report.effects.driver_study import choose_gains, estimate_study_drivers
from evaluation.report.gains.study import estimate_study_gains
from tests.conftest import REPO
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

EXACT = 1e-9  # sums of few numbers of size 1 to 10, through a least-squares solve
CHANCE = 0.15  # of a gain of 1: four standard errors over 60 villages


def drawn_panel(*, slope=0.0, n_years=8, counties=40, units=("甲", "乙"), seed=3, **options):
    """80 villages treated in 2020 that gain 3 + slope x land, and 160 others; in 万元."""
    rng = np.random.default_rng(seed)
    years = np.arange(2022 - n_years + 1, 2023)
    cohort = np.where(np.arange(240) < 80, 2020.0, NEVER)
    land = rng.normal(10, 2, 240)
    outcome = 8 + rng.normal(0, 0.5, (240, n_years))
    outcome += (3 + slope * (land - 10))[:, None] * (years >= cohort[:, None])
    county = [f"C{i % counties:02d}" for i in range(240)]
    panel = panel_of(
        cohort, years, outcome, county=county,
        land=np.repeat(land[:, None], n_years, axis=1), **options,
    )  # fmt: skip
    unit = rng.choice(units, 240)
    panel.villages["dispatching_unit"] = np.where(np.arange(240) < 80, unit, "")
    return dataclasses.replace(panel, traits=("dispatching_unit",))


def drawn(**options):
    return estimate_study_gains(data_of(panel=drawn_panel(**options)))


def rows_of(exhibit, trait, model="alone", weighting="equal"):
    data = exhibit.data
    some = (data["trait"] == trait) & (data["model"] == model)
    return data[some & (data["weighting"] == weighting)]


# -- differences by trait ------------------------------------------------------------------


def test_differences_are_for_one_standard_deviation_in_the_unit_shown():
    gains = drawn(slope=0.5)
    exhibit = drivers_table(gains)
    (row,) = rows_of(exhibit, "land").to_dict("records")
    land = gains.panel.matrix("land")[:80, 0]
    assert row["sd"] == pytest.approx(land.std(ddof=1), rel=EXACT)
    assert row["estimate"] == pytest.approx(0.5 * row["sd"], abs=CHANCE)
    raw = estimate_study_drivers(gains).drivers.frame
    (own,) = raw[(raw["trait"] == "land") & (raw["model"] == "alone")][:1].to_dict("records")
    assert row["estimate"] == pytest.approx(own["estimate"] * own["sd"] / 10_000, rel=EXACT)
    assert row["what"].startswith("1 sd more (")
    assert set(exhibit.data["unit"]) == {"万元, prices of 2020"}
    assert "one goes with a difference in gain beyond chance (p, Holm): Land." in exhibit.note
    assert "&lt; .001" in text(exhibit)


def test_without_a_difference_none_is_shown():
    note = drivers_table(drawn(slope=0.0)).note
    assert "None of 3 traits is shown to go with a difference in gain" in note
    assert "where chance alone gives 0.2" in note  # 5% of 3 traits, rounded
    assert "is not why they did" in note


def test_the_share_that_is_true_is_told():
    # All gain alike: all that differs is error; with a slope of 0.5, an sd of 1 against .5.
    alike, differ = drivers_table(drawn(slope=0.0)).note, drivers_table(drawn(slope=0.5)).note
    assert "Of the variance of villages' gains" in differ and "is true" in differ
    found = estimate_study_drivers(drawn(slope=0.5)).drivers
    assert 0.7 < found.true_share < 1
    assert f"{found.true_share:.0%} is true" in differ
    whole = found.tests.set_index(["model", "trait"]).loc[("together", "all")]
    assert whole["explained_true"] == pytest.approx(1, abs=CHANCE)
    assert f"account for {whole['explained_true']:.0%} of the true part" in differ
    share = estimate_study_drivers(drawn(slope=0.0)).drivers.true_share
    assert abs(share) < 0.5
    assert ("nothing is explained" in alike) == (share <= 0)


def test_the_outcome_of_a_year_held_out_is_a_trait():
    exhibit = drivers_table(drawn())
    (row,) = rows_of(exhibit, "income 2015").to_dict("records")
    assert row["label"] == "Income in 2015" and "万元" in row["what"]
    assert "The outcome of 2015 counts as a trait" in exhibit.note
    short = drivers_table(drawn(n_years=5))  # 2018 and 2019 are untreated
    assert "income 2018" not in set(short.data["trait"])
    assert "with fewer than 3 years before, it is in the gains' own error" in short.note


def test_comparison_villages_stand_beside_where_the_trait_is_known_of_them():
    exhibit = drivers_table(drawn(slope=0.5))
    (row,) = rows_of(exhibit, "land", "comparison").to_dict("records")
    assert row["estimate"] == pytest.approx(0, abs=CHANCE)
    assert row["n_villages"] == 160
    assert rows_of(exhibit, "dispatching_unit", "comparison").empty
    assert "what is there as well is not the programme's" in exhibit.note


def test_a_trait_by_which_never_treated_villages_differ_too_is_said_to():
    assert "differ in the same direction" not in drivers_table(drawn(slope=0.5)).note
    panel = drawn_panel(slope=0.5)
    land = panel.matrix("land")[:, 0] - 10
    since = ~panel.is_treated[:, None] & (panel.years >= 2020)
    panel.matrices["income"][:] += np.where(since, 1e4 * land[:, None], 0)
    note = drivers_table(estimate_study_gains(data_of(panel=panel))).note
    assert "with an interval without zero, by Land: that difference is not, or not all" in note


def test_traits_of_many_groups_are_one_row():
    exhibit = drivers_table(drawn(units=tuple("甲乙丙丁戊己庚辛")))
    assert rows_of(exhibit, "dispatching_unit")["level"].nunique() == 7
    assert "8 groups" in text(exhibit) and "乙 against" not in text(exhibit)
    figure = plot_drivers(drawn(units=tuple("甲乙丙丁戊己庚辛")))
    assert "Not drawn, as it has many groups: Dispatching unit." in figure.note
    assert "dispatching_unit" not in set(figure.data["trait"])


def test_indicators_count_as_they_were_before():
    panel = drawn_panel()
    early = [("v0", 2018.0, 5.0), ("v0", 2017.0, 4.0), ("v0", 2021.0, 99.0)]
    early += [(f"v{i}", 2019.0, float(i % 7)) for i in range(1, 80)]
    indicators = pd.DataFrame(early, columns=["village", "year", "value"]).assign(
        county="East", pillar="industry", indicator="farms", unit="mu"
    )
    study = estimate_study_drivers(
        estimate_study_gains(data_of(panel=panel, indicators=indicators))
    )
    name = "farms (industry)"
    assert study.labels[name] == name
    values = [4.0, *(i % 7 for i in range(1, 80))]
    row = study.drivers.frame.query("trait == @name and model == 'alone'").iloc[0]
    assert row["sd"] == pytest.approx(np.std(values, ddof=1), rel=EXACT)


def with_projects(panel):
    """Half of the treated villages with a project of greenhouses, half with workshops."""
    kinds = ["greenhouses" if i % 2 else "workshops" for i in range(80)]
    rows = [
        {
            "village": f"v{i}", "town": "", "county": "East", "year": 2020, "project": kind,
            "source": "fiscal", "stage": "spent", "role": "source", "amount": 1e5,
            "shared": False, "row": 2,
        }
        for i, kind in enumerate(kinds)
    ]  # fmt: skip
    ledger = FundingLedger(
        entries=pd.DataFrame(rows, columns=list(COLUMNS)), shared_by="equal",
        price_year=panel.price_year, source="l.csv",
    )  # fmt: skip
    projects = pd.DataFrame(
        {"county": "East", "project": ["greenhouses", "workshops"], "type": ["green", "work"],
         "village": "v0", "jobs": 1.0}
    )  # fmt: skip
    return dataclasses.replace(data_of(panel=panel, ledger=ledger), projects=projects)


def test_the_type_of_project_is_no_baseline():
    gains = estimate_study_gains(with_projects(drawn_panel()))
    exhibit = drivers_table(gains)
    (row,) = rows_of(exhibit, "project_type").to_dict("records")
    assert row["what"] in ("green against work", "work against green")
    assert "No baseline but part of the programme: Main type of project." in exhibit.note
    table = heterogeneity_table(gains, "project_type")
    assert sorted(table.data["project_type"]) == ["green", "work"]


def test_few_counties_leave_no_interval_and_say_why():
    exhibit = drivers_table(drawn(slope=0.5, counties=4))
    alone = exhibit.data[exhibit.data["model"] == "alone"]
    assert alone["conf_low"].isna().all() and alone["estimate"].notna().all()
    assert "cannot be told" in exhibit.note and "of 4 counties; 95% needs 6" in exhibit.note
    assert "no interval" in text(exhibit)
    figure = plot_drivers(drawn(slope=0.5, counties=4))
    assert figure.kind == "figure"


def test_gains_by_county_are_taken_where_they_alone_have_intervals():
    study_data = load_data(Study.load(REPO / "data" / "jining_simulated"))
    gains = estimate_study_gains(study_data)
    assert choose_gains(gains) is gains.within
    study = estimate_study_drivers(gains)
    table = drivers_table(gains, study=study)
    assert "year effects by county" in table.note and table.simulated
    counties = rows_of(table, "county")["what"]
    assert counties.str.contains("against Weishan 微山县").all()
    figure = plot_drivers(gains, study=study)
    assert figure.png and "SIMULATED" in figure.svg
    assert len(figure.data) < len(table.data)


# -- gains by group ------------------------------------------------------------------------


def test_groups_stand_beside_the_rest():
    gains = drawn(units=tuple("甲乙丙"))
    exhibit = heterogeneity_table(gains, "dispatching_unit")
    data = exhibit.data.set_index("dispatching_unit")
    assert list(data.index) == sorted("甲乙丙")
    assert data["n_villages"].sum() == 80
    own, n = data["estimate"], data["n_villages"]
    rest = (own["乙"] * n["乙"] + own["丙"] * n["丙"]) / (n["乙"] + n["丙"])
    assert data.loc["甲", "difference"] == pytest.approx(own["甲"] - rest, rel=1e-6)
    assert (data["p_holm"] >= data["p_value"]).all()
    assert "is not shown, nor that they are alike" in exhibit.note
    assert "the highest is so in part by chance" in exhibit.note
    assert "p, Romano-Wolf" in text(exhibit)


def test_a_group_that_differs_is_named():
    panel = drawn_panel(units=tuple("甲乙丙"))
    more = (panel.villages["dispatching_unit"] == "乙").to_numpy()[:, None]
    panel.matrices["income"][:] += np.where(more & panel.treated_cells, 2e4, 0)
    gains = estimate_study_gains(data_of(panel=panel))
    note = heterogeneity_table(gains, "dispatching_unit").note
    assert "Groups differ by more than chance" in note and "乙" in note
    assert "乙 has the highest mean" in note


def test_a_trait_with_a_name_that_no_file_can_have_has_a_table_of_its_own():
    panel = drawn_panel()
    villages = panel.villages.rename(columns={"dispatching_unit": "单位/级别 (2020)"})
    panel = dataclasses.replace(panel, villages=villages, traits=("单位/级别 (2020)",))
    exhibit = heterogeneity_table(estimate_study_gains(data_of(panel=panel)))
    assert exhibit.name == "gains_of_单位_级别_2020_"
    assert "单位/级别 (2020)" in exhibit.data


def test_without_a_name_groups_are_of_the_first_trait_or_of_places_or_cohorts():
    gains = drawn()
    assert heterogeneity_table(gains).name == "gains_of_dispatching_unit"
    for counties, by, says in (
        (4, "county", "By county, as"),
        (1, "cohort", "By first treated"),
    ):
        panel = dataclasses.replace(drawn_panel(counties=counties), traits=())
        if by == "cohort":
            cohort = panel.villages["cohort"].where(np.arange(240) >= 40, 2021.0)
            panel = dataclasses.replace(panel, villages=panel.villages.assign(cohort=cohort))
        exhibit = heterogeneity_table(estimate_study_gains(data_of(panel=panel)))
        assert exhibit.name == f"gains_of_{by}" and len(exhibit.data) > 1
        assert exhibit.note.startswith(says)


def test_table_and_figure_are_of_one_regression(monkeypatch):
    shown, count = [], []
    fit = driver_exhibits.estimate_study_drivers
    monkeypatch.setattr("IPython.display.display", lambda exhibit: shown.append(exhibit.kind))
    monkeypatch.setattr(
        driver_exhibits, "estimate_study_drivers", lambda gains: count.append(1) or fit(gains)
    )
    show_drivers(drawn())
    assert shown == ["table", "figure"] and len(count) == 1
    show_drivers(estimate_study_gains(data_of(claims={})))
    assert shown[2:] == ["table", "table"]  # which say why there are none


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("project_type", "this study has no funding ledger"),
        ("land_type", "did you mean &#39;land&#39;?"),
        ("town", "fewer than two groups of five villages"),
    ],
)
def test_groups_that_are_not_known_say_so(by, says):
    exhibit = heterogeneity_table(drawn(), by)
    assert exhibit.kind == "table" and says in text(exhibit)


@pytest.mark.parametrize(
    "make", [drivers_table, plot_drivers, lambda gains: heterogeneity_table(gains, "county")]
)
def test_without_gains_there_is_a_reason(make):
    alone = panel_of([2020, 2020], [2019, 2020], [[1, 2], [3, 4]])
    exhibit = make(estimate_study_gains(data_of(panel=alone)))
    assert "absent" in exhibit.data and "no gains to estimate" in text(exhibit)
    nothing = make(estimate_study_gains(data_of(claims={})))
    assert "This study has no panel." in text(nothing)


def test_a_study_that_knows_nothing_of_its_villages_says_so():
    panel = panel_of(
        [2021] * 12 + [NEVER] * 20, [2018, 2019, 2020, 2021],
        np.random.default_rng(0).normal(5, 1, (32, 4)),
    )  # fmt: skip
    short = dataclasses.replace(
        panel, years=panel.years[2:], matrices={"income": panel.matrix()[:, 2:]},
        rows=panel.rows[:, 2:],
    )  # fmt: skip
    for make in (drivers_table, plot_drivers):
        exhibit = make(estimate_study_gains(data_of(panel=short)))
        assert "knows of no trait by which its villages differ" in text(exhibit)
