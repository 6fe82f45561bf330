"""Words that villages have whatever the year: read, checked, exported, guessed, simulated."""

import pandas as pd
import pytest

from evaluation.data.export import export_panel
from evaluation.data.guess import write_new_study
from evaluation.data.load import load_data
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulation_options import SimulationOptions
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.data.test_panel import read_panel
from tests.data.typed_studies import find_problems, read_typed, type_csv

SAID = """
    panel:
      file: villages.csv
      village: vill
      year: year
      outcomes: {y: y}
      treatment: {first_year: since}
      traits: {dispatching_unit: unit, dispatch_level: level}
      missing: [不详]
    """
ROWS = """
    vill year since unit level y
    b    2018 2019  -    -     1
    b    2019 2019  甲   市派  2
    a    2018 -     -    -     3
    a    2019 -     -    不详  4
    c    2018 2019  乙   1     5
    c    2019 2019  乙   1     6
    """


def test_an_empty_cell_says_nothing(tmp_path):
    panel = read_panel(tmp_path, SAID, ROWS)
    assert panel.traits == ("dispatching_unit", "dispatch_level")
    villages = panel.villages
    assert villages["dispatching_unit"].to_dict() == {"a": "", "b": "甲", "c": "乙"}
    assert villages["dispatch_level"].to_dict() == {"a": "", "b": "市派", "c": "1"}
    assert villages["dispatch_level"].dtype == "str"
    assert set(panel.traits) <= set(panel.to_frame())
    assert panel.problems == () or all(p.level == "note" for p in panel.problems)


def test_the_first_of_words_that_change_is_taken_with_a_warning(tmp_path):
    rows = ROWS.replace("b    2018 2019  -    -", "b    2018 2019  丙   市派")
    data = read_typed(tmp_path, SAID, villages=rows)
    assert data.panel.villages.loc["b", "dispatching_unit"] == "丙"
    (problem,) = [p for p in data.problems if p.level == "warning"]
    assert problem.message == "the dispatching_unit changes over the years: the first is taken"
    assert (problem.column, problem.places) == (
        "unit", (("", "b: 丙 2018-2018"), ("", "b: 甲 2019-2019")),
    )  # fmt: skip


def test_two_words_in_overlapping_years_are_an_error(tmp_path):
    rows = ROWS + "    b 2020 2019 丙 市派 2\n    b 2021 2019 甲 市派 2\n"
    (problem,) = [p for p in find_problems(tmp_path, SAID, villages=rows) if p.level == "error"]
    assert problem.message == (
        "more than one dispatching_unit for one village, in overlapping years"
    )
    assert problem.remedy.startswith("Write one dispatching_unit per village")


def test_a_wide_file_has_traits_too(tmp_path):
    said = SAID.replace("      year: year\n", "").replace("{y: y}", '{y: "y{year}"}')
    rows = "vill since unit level y2018 y2019\na 2019 甲 - 1 2\nb - - - 1 2"
    villages = read_panel(tmp_path, said, rows).villages
    assert villages["dispatching_unit"].to_dict() == {"a": "甲", "b": ""}


HOUSEHOLDS = """
    vill year since unit level pc
    a    2018 2019  甲   市派  1
    a    2018 2019  -    市派  3
    a    2019 2019  甲   -     5
    b    2018 -     -    -     4
    """
AGGREGATED = SAID.replace(
    "outcomes: {y: y}",
    "aggregate: {minimum: 1, outcomes: {pc: {column: pc, statistic: mean}}}",
)


def test_households_of_a_village_have_its_traits(tmp_path):
    villages = read_panel(tmp_path, AGGREGATED, HOUSEHOLDS).villages
    assert villages["dispatching_unit"].to_dict() == {"a": "甲", "b": ""}
    assert villages["dispatch_level"].to_dict() == {"a": "市派", "b": ""}


def test_households_of_a_village_and_year_that_differ_are_an_error(tmp_path):
    rows = HOUSEHOLDS.replace("a    2018 2019  -  ", "a    2018 2019  乙 ")
    (problem,) = [
        p for p in find_problems(tmp_path, AGGREGATED, villages=rows) if p.level == "error"
    ]
    assert problem.message == "differs between the rows of a village and year"
    assert (problem.column, problem.places) == ("unit", ((3, "乙"),))


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ("{cohort: unit}", "traits: 'cohort' has another meaning; name it differently"),
        ("{reason: unit}", "traits: 'reason' has another meaning; name it differently"),
        ("{y: unit}", "two variables are called 'y'"),
        ("{sent_by: units}", "no column 'units'"),
    ],
)
def test_traits_that_cannot_be(tmp_path, traits, message):
    said = SAID.replace("{dispatching_unit: unit, dispatch_level: level}", traits)
    with pytest.raises(DataError, match=message):
        read_panel(tmp_path, said, ROWS)


@pytest.mark.parametrize("to", ["dta", "csv"])
def test_traits_are_exported_with_their_column(tmp_path, to):
    # "source" is a word of the ledger: in a panel it is a trait like others.
    said = SAID.replace("dispatching_unit: unit", "source: unit")
    data = read_typed(tmp_path / "study", said, villages=ROWS)
    export_panel(data, tmp_path / "out", to=to)
    path = tmp_path / "out" / f"panel.{to}"
    frame = pd.read_stata(path) if to == "dta" else pd.read_csv(path, keep_default_na=False)
    assert frame["source"].tolist() == ["", "", "甲", "甲", "乙", "乙"]
    book = pd.read_csv(tmp_path / "out" / "codebook.csv", keep_default_na=False)
    columns = book.set_index("name")["column"]
    assert (columns["source"], columns["dispatch_level"]) == ("unit", "level")


@pytest.mark.parametrize("header", ["派出单位", "派驻单位", "dispatching_unit"])
def test_a_new_study_knows_the_dispatching_unit(tmp_path, header):
    rows = f"""
        村代码 村 年份 派驻年份 {header} 派出层级 经营收入（万元）
        370830100201 东村 2018 2019 省直单位甲 省派 3.5
        370830100201 东村 2019 2019 省直单位甲 省派 5
        370830100202 西村 2018 - - - 2
        """
    source = tmp_path / "villages.csv"
    source.write_text(type_csv(rows), encoding="utf-8")
    panel = load_data(Study.load(write_new_study(tmp_path / "new", [source]).parent)).panel
    assert panel.villages["dispatching_unit"].tolist() == ["省直单位甲", ""]
    assert panel.villages["dispatch_level"].tolist() == ["省派", ""]


def test_a_column_of_amounts_is_no_dispatching_unit(tmp_path):
    rows = (
        "村代码 年份 派出单位 经营收入（万元）\n370830100201 2018 3 3.5\n370830100201 2019 4 5"
    )
    source = tmp_path / "villages.csv"
    source.write_text(type_csv(rows), encoding="utf-8")
    target = write_new_study(tmp_path / "new", [source])
    assert Study.load(target.parent).panel.traits == {}


def test_simulated_units_are_of_treated_villages_and_leave_the_rest_alone():
    made = simulate_programme(SimulationOptions(comparison=2), seed=4)
    first = made.villages.drop_duplicates("village")
    treated = first["cohort"].notna()
    assert ((first["dispatching_unit"] != "") == treated).all()
    levels = first.loc[treated].astype({"dispatching_unit": str, "dispatch_level": str})
    expected = levels["dispatching_unit"].str[0] + "派"
    assert (levels["dispatch_level"] == expected).all()
    assert levels["dispatching_unit"].nunique() == 12
