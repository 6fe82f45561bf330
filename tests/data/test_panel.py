"""Village panels, typed out: what is placed where, in which prices, and what stays missing."""

from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from evaluation.data.load import load_data
from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.errors import DataError, DesignError
from tests.data.typed_studies import find_problems, read_typed, type_study

EXACT = 1e-12  # the same arithmetic, in another order
NAN = np.nan


def read_panel(folder: Path, said: str, villages: str) -> VillagePanel:
    panel = read_typed(folder, said, villages=villages).panel
    assert panel is not None
    return panel


PLAIN = "panel: {file: villages.csv, village: vill, year: year, outcomes: {y: y}}"
INDEX = """
    year index
    2018   100
    2019   110
    2020   121
    """


def money(unit: str, *, basis: str = "nominal", base_year: int = 2020) -> str:
    return f"""
        prices: {{basis: {basis}, base_year: {base_year}, index: prices.csv}}
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {{y: {{column: y, unit: {unit}}}}}
        """


def test_an_unbalanced_panel_stays_missing(tmp_path):
    panel = read_panel(
        tmp_path,
        PLAIN,
        """
        vill year y
        b    2018 5
        a    2018 1
        a    2020 3
        b    2019 -
        """,
    )
    assert list(panel.villages.index) == ["a", "b"]
    assert panel.years.tolist() == [2018, 2019, 2020]
    np.testing.assert_array_equal(panel.matrix(), [[1, NAN, 3], [5, NAN, NAN]])
    # b has a row for 2019 although its cell is empty; a has none.
    np.testing.assert_array_equal(panel.rows, [[True, False, True], [True, True, False]])


def test_years_that_no_village_has_are_told(tmp_path):
    found = find_problems(tmp_path, PLAIN, villages="vill year y\na 2015 1\na 2018 2")
    assert [str(problem) for problem in found] == [
        "villages.csv: years that no village has: '2016', '2017'."
    ]


def test_a_zero_between_years_above_zero_is_told_and_kept(tmp_path):
    rows = "vill year y\na 2018 4\na 2019 0\na 2020 5\nb 2018 0\nb 2019 0\nb 2020 1"
    data = read_typed(tmp_path, PLAIN, villages=rows)
    assert data.panel.matrix()[0].tolist() == [4, 0, 5]
    (problem,) = data.problems
    assert problem.message.startswith("zeros of y between years above zero")
    assert problem.places == (("", "a 2019"),)  # b's come before its first year above zero


def test_two_rows_for_a_village_and_year_are_an_error(tmp_path):
    rows = "vill year y\na 2018 1\na 2018 2\nb 2018 2"
    (problem,) = find_problems(tmp_path, PLAIN, villages=rows)
    assert (problem.level, problem.message) == (
        "error",
        "several rows for one village and year",
    )
    assert problem.places == ((2, "a 2018"), (3, "a 2018"))


LONG = """
    vill cohort year income hh
    a    2019   2018 3.5    40
    a    2019   2019 4.5    41
    b    -      2018 -      52
    b    -      2019 2.0    53
    """
WIDE = """
    vill cohort 2018年income 2019年income hh2018 hh2019
    a    2019   3.5          4.5          40     41
    b    -      -            2.0          52     53
    """
SAID_LONG = """
    panel:
      file: villages.csv
      village: vill
      year: year
      outcomes: {y: income}
      covariates: {households: hh}
      treatment: {first_year: cohort}
    """
SAID_WIDE = """
    panel:
      file: villages.csv
      village: vill
      outcomes: {y: "{year}年income"}
      covariates: {households: "hh{year}"}
      treatment: {first_year: cohort}
    """


def test_a_wide_file_gives_the_same_panel(tmp_path):
    long = read_panel(tmp_path / "long", SAID_LONG, LONG)
    wide = read_panel(tmp_path / "wide", SAID_WIDE, WIDE)
    np.testing.assert_array_equal(wide.matrix("y"), [[3.5, 4.5], [NAN, 2.0]])
    for name in ("y", "households"):
        np.testing.assert_array_equal(wide.matrix(name), long.matrix(name))
    np.testing.assert_array_equal(wide.cohort, long.cohort)
    np.testing.assert_array_equal(wide.cohort, [2019, NAN])


def test_a_wide_file_may_have_other_years_for_each_variable(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          outcomes: {y: "y{year}", z: "z{year}"}
        """
    panel = read_panel(tmp_path, said, "vill y2018 y2019 z2019\na 1 2 7")
    np.testing.assert_array_equal(panel.matrix("y"), [[1, 2]])
    np.testing.assert_array_equal(panel.matrix("z"), [[NAN, 7]])


def test_a_cross_section_has_one_year(tmp_path):
    said = "panel: {file: villages.csv, village: vill, year: 2015, outcomes: {y: y}}"
    panel = read_panel(tmp_path, said, "vill y\nb 2\na 1")
    assert panel.years.tolist() == [2015]
    assert panel.matrix().tolist() == [[1], [2]]


def test_codes_of_years_stand_for_years(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: {column: wave, values: {"0": 1991, "1": 1998}}
          outcomes: {y: y}
        """
    panel = read_panel(tmp_path, said, "vill wave y\na 0 1\na 1 2")
    assert panel.years.tolist() == [1991, 1998]


def test_money_is_in_yuan_of_the_base_year(tmp_path):
    rows = "vill year y\na 2018 3.0\na 2019 3.0\na 2020 3.0"
    panel = read_typed(tmp_path, money("万元"), villages=rows, prices=INDEX).panel
    # 3 * 10,000 * 121 / 100, * 121 / 110, * 121 / 121
    np.testing.assert_allclose(panel.matrix(), [[36_300, 33_000, 30_000]], rtol=EXACT)
    assert panel.variables["y"].unit == "yuan"
    assert panel.price_year == 2020


def test_real_money_is_not_deflated_again(tmp_path):
    rows = "vill year y\na 2018 3\na 2020 3"
    said = money("千元", basis="real")
    panel = read_typed(tmp_path, said, villages=rows, prices=INDEX).panel
    np.testing.assert_allclose(panel.matrix(), [[3_000, 3_000]], rtol=EXACT)


def test_the_base_year_may_be_another_than_the_last(tmp_path):
    rows = "vill year y\na 2018 1\na 2020 1"
    said = money("元", base_year=2019)
    panel = read_typed(tmp_path, said, villages=rows, prices=INDEX).panel
    np.testing.assert_allclose(panel.matrix(), [[110 / 100, 110 / 121]], rtol=EXACT)


def test_the_unit_of_money_makes_no_difference(tmp_path):
    in_wan = "vill year y\na 2018 1.25\nb 2018 0.5\na 2019 2\nb 2019 -"
    in_yuan = "vill year y\na 2018 12500\nb 2018 5000\na 2019 20000\nb 2019 -"
    one = read_typed(tmp_path / "one", money("万元"), villages=in_wan, prices=INDEX).panel
    two = read_typed(tmp_path / "two", money("元"), villages=in_yuan, prices=INDEX).panel
    np.testing.assert_allclose(one.matrix(), two.matrix(), rtol=EXACT)


@pytest.mark.parametrize(
    ("scale", "cell", "level"),
    [("log", "0", 1.0), ("log", "6.907755278982137", 1_000.0), ("log1p", "0", 0.0)],
)
def test_logs_of_money_become_levels(tmp_path, scale, cell, level):
    said = f"""
        prices: {{basis: real, base_year: 2020}}
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {{y: {{column: y, unit: 千元, scale: {scale}}}}}
        """
    panel = read_panel(tmp_path, said, f"vill year y\na 2020 {cell}")
    np.testing.assert_allclose(panel.matrix(), [[1_000 * level]], rtol=EXACT)


def test_logs_without_a_unit_of_money_stay(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {y: {column: y, scale: log}}
        """
    panel = read_panel(tmp_path, said, "vill year y\na 2020 3.5")
    assert panel.matrix().tolist() == [[3.5]]
    assert panel.variables["y"].scale == "log"


HEDGED = """
    vill year y
    a    2018 10余万
    a    2019 12万
    a    2020 12万元
    b    2018 3
    b    2019 一百二十
    b    2020 超过5万元
    """


def test_hedged_figures_are_bounds_in_real_yuan(tmp_path):
    said = dedent(money("万元")) + "  hedged: bounds"
    data = read_typed(tmp_path, said, villages=HEDGED, prices=INDEX)
    panel = data.panel
    np.testing.assert_allclose(
        panel.matrix(),
        # 12万 in a column of 万元 is 12; 120 is 120万元; 121 / 110 from 2019.
        [[NAN, 120_000 * 1.1, 120_000], [30_000 * 1.21, 1_200_000 * 1.1, NAN]],
        rtol=EXACT,
    )
    rows = panel.hedged.set_index(["village", "year"])
    assert rows["printed"].to_dict() == {("a", 2018): "10余万", ("b", 2020): "超过5万元"}
    # 10余万 is [10, 20) 万 with the remainder below one 十: 100,000 * 1.21 and 200,000 * 1.21
    assert rows.loc[("a", 2018), "lower"] == pytest.approx(121_000, rel=EXACT)
    assert rows.loc[("a", 2018), "upper"] == pytest.approx(242_000, rel=EXACT)
    assert rows.loc[("b", 2020), "lower"] == pytest.approx(50_000, rel=EXACT)
    assert rows.loc[("b", 2020), "upper"] == np.inf
    assert "hedged figures are kept as bounds" in " ".join(map(str, data.problems))


def test_hedged_figures_are_an_error_unless_they_are_wanted(tmp_path):
    found = find_problems(tmp_path, money("万元"), villages=HEDGED, prices=INDEX)
    (problem,) = [problem for problem in found if problem.level == "error"]
    assert problem.places == ((2, "10余万"), (7, "超过5万元"))
    assert "bounds" in problem.remedy


def test_hedged_figures_of_villages_left_out_are_left_out(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {y: y}
          treatment: {treated: d, reversals: drop}
          hedged: bounds
        """
    rows = """
        vill year d y
        a    2018 1 20余
        a    2019 0 3
        b    2018 0 30余
        b    2019 0 3
        """
    panel = read_panel(tmp_path, said, rows)
    assert list(panel.villages.index) == ["b"]
    assert list(panel.hedged["village"]) == ["b"]


FULL = """
    vill cohort year y  hh
    a    2019   2018 3  40
    a    2019   2019 -  41
    b    -      2019 2  53
    """


def test_the_frame_has_a_row_for_every_row_of_the_file(tmp_path):
    said = SAID_LONG.replace("income", "y")
    frame = read_panel(tmp_path, said, FULL).to_frame()
    assert list(frame.columns) == [
        *("village", "year", "county", "town", "name", "cohort", "event_time"),
        *("y", "households"),
    ]
    assert list(zip(frame["village"], frame["year"], strict=True)) == [
        ("a", 2018),
        ("a", 2019),
        ("b", 2019),
    ]
    np.testing.assert_array_equal(frame["event_time"], [2018 - 2019, 0, NAN])
    np.testing.assert_array_equal(frame["y"], [3, NAN, 2])


def test_the_frame_reads_back_as_the_same_panel(tmp_path):
    said = SAID_LONG.replace("income", "y")
    panel = read_panel(tmp_path / "one", said, FULL)
    frame = panel.to_frame()
    again = tmp_path / "two"
    again.mkdir()
    frame.to_csv(again / "villages.csv", index=False)
    said = said.replace("vill\n", "village\n").replace("hh", "households")
    second = load_data(type_study(again, said, {})).panel
    np.testing.assert_array_equal(second.cohort, panel.cohort)
    np.testing.assert_array_equal(second.rows, panel.rows)
    for name, matrix in panel.matrices.items():
        np.testing.assert_array_equal(second.matrix(name), matrix)


def test_an_unknown_variable_is_named_with_the_nearest(tmp_path):
    panel = read_panel(tmp_path, SAID_LONG, LONG)
    with pytest.raises(
        DesignError, match=r"no variable 'housholds'; did you mean 'households'"
    ):
        panel.matrix("housholds")


def test_the_summary(tmp_path):
    panel = read_panel(tmp_path, SAID_LONG, LONG)
    assert panel.summary() == (
        "2 villages, 2018-2019, 4 rows\n"
        "outcome y (income): 3 values\n"
        "1 treated villages, 1 never treated"
    )


def test_weights_name_a_covariate(tmp_path):
    said = dedent(SAID_LONG) + "  weights: households"
    panel = read_panel(tmp_path, said, LONG)
    assert panel.weights == "households"
    assert panel.matrix(panel.weights).tolist() == [[40, 41], [52, 53]]


def test_who_is_treated_when(tmp_path):
    panel = read_panel(tmp_path, SAID_LONG, LONG)
    assert panel.is_treated.tolist() == [True, False]
    assert panel.treated_cells.tolist() == [[False, True], [False, False]]
    assert not panel.has_comparison  # b has no income in 2018


def test_a_village_without_a_row_in_the_treated_years_is_no_comparison(tmp_path):
    rows = "vill cohort year income hh\na 2019 2018 1 1\na 2019 2019 2 1\nb - 2018 1 1"
    assert not read_panel(tmp_path, SAID_LONG, rows).has_comparison


def test_coordinates_are_of_the_village(tmp_path):
    said = """
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {y: y}
          coordinates: {longitude: lon, latitude: lat}
        """
    rows = "vill year y lon lat\na 2018 1 - -\na 2019 1 116.5 35.7\nb 2018 1 - -"
    villages = read_panel(tmp_path, said, rows).villages
    np.testing.assert_array_equal(villages["longitude"], [116.5, NAN])
    np.testing.assert_array_equal(villages["latitude"], [35.7, NAN])


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ("", OutcomeScale()),
        ("analysis: {scale: log}", OutcomeScale(form="log")),
        ("analysis: {scale: log, zeros: add_one}", OutcomeScale(form="log", zeros="add_one")),
        (
            "analysis: {scale: per_capita, per: households}",
            OutcomeScale(form="per_capita", per="households"),
        ),
    ],
)
def test_the_scale_of_the_analysis_is_kept_beside_the_levels(tmp_path, said, scale):
    panel = read_panel(tmp_path, f"{dedent(SAID_LONG)}  {said}", LONG)
    assert panel.analysis == scale
    np.testing.assert_array_equal(panel.matrix(), [[3.5, 4.5], [NAN, 2.0]])


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("{scale: per_capita}", "per goes with scale: per_capita"),
        ("{scale: log, per: households}", "per goes with scale: per_capita"),
        ("{scale: per_capita, per: people}", "analysis.per: 'people' is not among the cov"),
        ("{zeros: missing}", "zeros goes with scale: log"),
        ("{zeros: error}", "zeros goes with scale: log"),
        ("{scale: log, zeros: drop}", "panel.analysis.zeros: Input should be 'error', 'mi"),
        ("{scale: logs}", "panel.analysis.scale: Input should be 'level', 'log' or 'per_c"),
        ("{zero: error}", "panel.analysis.zero: unknown key; did you mean 'zeros'?"),
    ],
)
def test_a_scale_that_is_none_says_what_to_mend(tmp_path, said, says):
    with pytest.raises(DataError) as error:
        read_panel(tmp_path, f"{dedent(SAID_LONG)}  analysis: {said}", LONG)
    assert says in str(error.value)


LOGS = "{column: income, scale: log}"


@pytest.mark.parametrize(
    ("old", "new", "analysis", "says"),
    [
        ("y: income", f"y: {LOGS}", "{scale: log}", "the outcome 'y' is a logarithm already"),
        (
            "y: income",
            f"y: {LOGS}",
            "{scale: per_capita, per: households}",
            "the outcome 'y' is a logarithm already",
        ),
        (
            "households: hh",
            "households: {column: hh, scale: log}",
            "{scale: per_capita, per: households}",
            "analysis.per: 'households' is a logarithm; give a column of levels",
        ),
    ],
)
def test_logarithms_are_not_scaled_again(tmp_path, old, new, analysis, says):
    said = f"{dedent(SAID_LONG)}  analysis: {analysis}".replace(old, new)
    with pytest.raises(DataError, match=says):
        read_panel(tmp_path, said, LONG)


def test_a_logarithm_of_money_or_of_another_outcome_is_no_matter(tmp_path):
    outcomes = f"{{z: {LOGS}, y: {{column: income, scale: log, unit: 元}}}}, outcome: y"
    said = f"""
        prices: {{basis: real, base_year: 2020}}
        panel:
          {{file: villages.csv, village: vill, year: year, analysis: {{scale: log}},
          outcomes: {outcomes}}}
        """
    assert read_panel(tmp_path, said, LONG).analysis.form == "log"
