"""Villages of another file, found among the panel's."""

import numpy as np
import pandas as pd
import pytest

from evaluation.data.load import load_data
from evaluation.data.matching import match_villages
from evaluation.data.problems import Problems
from evaluation.data.study import Study
from evaluation.data.study_files import VillageKey
from evaluation.data.tables import Table
from tests.data.typed_studies import read_typed

PANEL = pd.DataFrame(
    {
        "county": ["汶上县", "汶上县", "泗水县"],
        "town": ["南站镇", "南站镇", "泉林镇"],
        "name": ["东村", "西村", "东村"],
    },
    index=pd.Index(["370830100201", "370830100202", "370831101203"], name="village"),
)


def match(rows, key, *, pooled=False, villages=PANEL):
    frame = pd.DataFrame(rows, dtype="str")
    frame.index = pd.RangeIndex(2, len(frame) + 2)
    table = Table(name="ledger.csv", frame=frame, every_row=frame, row_word="line")
    problems = Problems()
    places = match_villages(table, VillageKey(**key), villages, problems, pooled=pooled)
    return places.tolist(), list(problems)


def test_by_code():
    places, problems = match({"c": ["370831101203", "370830100201"]}, {"code": "c"})
    assert (places, problems) == ([2, 0], [])


def test_by_county_town_and_name():
    rows = {"x": ["泗水县", "汶上县"], "t": ["泉林镇", "南站镇"], "v": ["东村", "西村村委会"]}
    places, problems = match(rows, {"county": "x", "town": "t", "name": "v"})
    assert (places, problems) == ([2, 1], [])


def test_by_a_name_that_only_one_village_has():
    assert match({"v": ["西村"]}, {"name": "v"}) == ([1], [])


def test_a_name_that_two_villages_have_is_an_error():
    places, (problem,) = match({"v": ["西村", "东村"]}, {"name": "v"})
    assert places == [1, -1]
    assert (problem.level, problem.message, problem.places) == (
        "error",
        "names that several villages have",
        ((3, "东村"),),
    )


def test_the_county_tells_them_apart():
    rows = {"x": ["泗水县", "汶上县"], "v": ["东村", "东村"]}
    assert match(rows, {"county": "x", "name": "v"}) == ([2, 0], [])


def test_towns_count_only_where_the_panel_has_them():
    villages = PANEL.assign(town="").iloc[1:]
    rows = {"x": ["泗水县"], "t": ["泉林镇"], "v": ["东村"]}
    key = {"county": "x", "town": "t", "name": "v"}
    assert match(rows, key, villages=villages) == ([1], [])


def test_a_village_that_the_panel_lacks_is_told_with_the_nearest_name():
    rows = {"x": ["汶上县"] * 3, "v": ["东庄村", "东村", "东庄村"]}
    villages = PANEL.assign(name=["东庄子村", "东村", "北村"])
    places, (problem,) = match(rows, {"county": "x", "name": "v"}, villages=villages)
    assert places == [-1, 1, -1]
    assert problem.level == "warning"
    assert problem.message.startswith("1 villages that the panel does not have")
    assert "(2)" in problem.message  # rows left out
    assert problem.places == (("", "汶上县/东庄村 (did you mean '汶上县/东庄子村'?)"),)


def test_codes_are_never_matched_to_near_ones():
    places, (problem,) = match({"c": ["370830100203", "370830100202"]}, {"code": "c"})
    assert places == [-1, 1]
    assert problem.places == (("", "370830100203"),)


@pytest.mark.parametrize(("pooled", "errors"), [(True, 0), (False, 1)])
def test_a_row_without_a_village_may_be_pooled_money(pooled, errors):
    places, problems = match({"c": ["370830100201", ""]}, {"code": "c"}, pooled=pooled)
    assert places == [0, -1]
    assert [p.message for p in problems] == ["rows without a village"] * errors


@pytest.mark.parametrize("county", ["汶上县", "汶·上县"])
def test_a_file_matches_itself_however_its_names_are_spaced(tmp_path, county):
    # Print layouts put blanks into names; the panel and the other file both have them.
    said = """
        panel:
          file: villages.csv
          village: {county: county, town: town, name: name}
          year: year
          outcomes: {y: y}
          treatment:
            first_year: since
            file: {file: teams.csv}
            village: {county: county, town: town, name: name}
        """
    rows = f"county town name year y\n{county} 南·站 东村 2018 1\n{county} 南·站 西村 2018 1"
    teams = f"county town name since\n{county} 南·站 西村 2019"
    spaced = {"villages": rows, "teams": teams}
    folder = tmp_path / "study"
    panel = read_typed(folder, said, **spaced).panel
    np.testing.assert_array_equal(panel.cohort, [np.nan, 2019])
    for name in spaced:
        file = folder / f"{name}.csv"
        file.write_text(file.read_text(encoding="utf-8").replace("·", " "), encoding="utf-8")
    panel = load_data(Study.load(folder)).panel
    np.testing.assert_array_equal(panel.cohort, [np.nan, 2019])


def test_a_name_without_its_code_is_not_pooled_money():
    rows = {"c": ["", "370830100201", ""], "v": ["西村", "东村", ""]}
    places, (problem,) = match(rows, {"code": "c", "name": "v"}, pooled=True)
    assert places == [-1, 0, -1]
    assert problem.places == ((2, "西村"),) and "without its code" in problem.message
