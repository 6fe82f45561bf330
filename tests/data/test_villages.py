"""Which village a row is on, and what becomes of villages over the years."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.data.villages import clean_name
from tests.data.test_panel import read_panel
from tests.data.typed_studies import find_problems, type_csv

ROWS = """
    code         vill county town   name   year cohort y  hh
    370830100201 11   汶上县 南站镇 东村   2018 2019   1  40
    370830100201 11   汶上县 南站镇 东村   2019 2019   2  40
    370830100202 12   汶上县 南站镇 西村   2018 -      3  52
    370830100202 12   汶上县 南站镇 西村   2019 -      4  52
    370831101203 21   泗水县 泉林镇 东村   2018 2018   5  61
    370831101203 21   泗水县 泉林镇 东村   2019 2018   -  61
    """
KEYS = {
    "code": "{code: code, county: county, town: town, name: name}",
    "id": "{id: vill, county: county, town: town, name: name}",
    "names": "{county: county, town: town, name: name}",
}


def said(key="{id: vill}", more=""):
    return f"""
        panel:
          file: villages.csv
          village: {key}
          year: year
          outcomes: {{y: y}}
          covariates: {{households: hh}}
          treatment: {{first_year: cohort}}
          {more}
        """


@pytest.mark.parametrize(
    ("key", "keys"),
    [
        ("code", ["370830100201", "370830100202", "370831101203"]),
        ("id", ["11", "12", "21"]),
        ("names", ["汶上县/南站镇/东村", "汶上县/南站镇/西村", "泗水县/泉林镇/东村"]),
    ],
)
def test_a_village_is_known_by_code_id_or_names(tmp_path, key, keys):
    panel = read_panel(tmp_path, said(KEYS[key]), ROWS)
    assert list(panel.villages.index) == keys
    assert list(panel.villages["name"]) == ["东村", "西村", "东村"]
    assert list(panel.villages["county"]) == ["汶上县", "汶上县", "泗水县"]
    np.testing.assert_array_equal(panel.matrix(), [[1, 2], [3, 4], [5, np.nan]])
    np.testing.assert_array_equal(panel.cohort, [2019, np.nan, 2018])


LINES = [line.split(",") for line in type_csv(ROWS).splitlines()]


@settings(max_examples=15)  # each reads two studies from files
@given(
    rows=st.permutations(range(1, len(LINES))),
    columns=st.permutations(range(len(LINES[0]))),
    key=st.sampled_from(sorted(KEYS)),
)
def test_the_order_of_rows_and_columns_makes_no_difference(
    tmp_path_factory, rows, columns, key
):
    first = read_panel(tmp_path_factory.mktemp("one"), said(KEYS[key]), ROWS)
    shuffled = "\n".join(" ".join(LINES[r][c] or "-" for c in columns) for r in (0, *rows))
    second = read_panel(tmp_path_factory.mktemp("two"), said(KEYS[key]), shuffled)
    assert second.villages.equals(first.villages)
    assert second.years.tolist() == first.years.tolist()
    for name, matrix in first.matrices.items():
        np.testing.assert_array_equal(second.matrix(name), matrix)


@pytest.mark.parametrize(
    ("printed", "clean"),
    [
        ("东村", "东村"),
        ("东 村", "东村"),
        ("东村村委会", "东村"),
        ("东村村民委员会", "东村"),
        ("东村民委员会", "东村"),
        ("文明社区居委会", "文明社区"),
        ("文明居委会", "文明村"),
        ("东村[已撤销]", "东村"),
        ("东村（并入西村）", "东村"),
        ("San Juan", "San Juan"),
        ("Village 3 ", "Village 3"),
        ("", ""),
    ],
)
def test_names_are_written_one_way(printed, clean):
    assert clean_name(printed) == clean
    assert clean_name(clean) == clean


def test_two_spellings_of_a_name_are_one_village(tmp_path):
    rows = """
        county town name       year cohort y hh
        汶上县 南站 东村       2018 -      1 1
        汶上县 南站 东村村委会 2019 -      2 1
        """
    panel = read_panel(tmp_path, said(KEYS["names"]), rows)
    assert list(panel.villages.index) == ["汶上县/南站/东村"]
    assert panel.matrix().tolist() == [[1, 2]]


RENAMED = """
    county town name year cohort y hh
    汶上县 南站 东村 2018 -      1 1
    汶上县 南站 西村 2018 -      5 1
    汶上县 南站 西村 2019 -      6 1
    汶上县 南站 新村 2019 -      2 1
    """


def test_villages_that_end_where_others_begin_are_told_and_kept_apart(tmp_path):
    found = find_problems(tmp_path, said(KEYS["names"]), villages=RENAMED)
    (problem,) = [p for p in found if "renamed or merged?" in p.message]
    assert problem.places[0][1] == "南站 2018/2019: 汶上县/南站/东村 -> 汶上县/南站/新村"
    panel = read_panel(tmp_path, said(KEYS["names"]), RENAMED)
    assert panel.n_villages == 3


def test_a_former_name_joins_the_two(tmp_path):
    panel = read_panel(tmp_path, said(KEYS["names"], "renamed: {东村: 新村}"), RENAMED)
    assert list(panel.villages.index) == ["汶上县/南站/新村", "汶上县/南站/西村"]
    assert panel.matrix().tolist() == [[1, 2], [5, 6]]


def test_a_code_whose_name_changes_is_one_village_with_its_last_name(tmp_path):
    rows = """
        vill county name year cohort y hh
        11   汶上县 东村 2018 -      1 1
        11   汶上县 新村 2019 -      2 1
        12   汶上县 西村 2018 -      3 1
        12   汶上县 西村 2019 -      3 1
        """
    key = "{id: vill, county: county, name: name}"
    panel = read_panel(tmp_path, said(key), rows)
    assert list(panel.villages["name"]) == ["新村", "西村"]
    (problem,) = [p for p in panel.problems if "changes over the years" in p.message]
    assert [cell for _, cell in problem.places] == ["11: 东村 2018-2018", "11: 新村 2019-2019"]


def test_two_names_for_one_code_in_one_year_are_an_error(tmp_path):
    rows = """
        vill county name year cohort y hh
        11   汶上县 东村 2018 -      1 1
        11   汶上县 西村 2018 -      2 1
        """
    found = find_problems(
        tmp_path, said("{id: vill, county: county, name: name}"), villages=rows
    )
    messages = [p.message for p in found if p.level == "error"]
    assert any("name" in m and "for one village, in overlapping years" in m for m in messages)


def test_a_repealed_village_keeps_its_rows_and_stays_missing(tmp_path):
    rows = """
        vill county town name         year cohort y hh
        11   汶上县 南站 东村[已撤销] 2018 -      1 1
        12   汶上县 南站 西村         2018 -      3 1
        12   汶上县 南站 西村         2019 -      4 1
        """
    panel = read_panel(tmp_path, said(KEYS["id"]), rows)
    np.testing.assert_array_equal(panel.matrix(), [[1, np.nan], [3, 4]])
    (problem,) = [p for p in panel.problems if "marked as repealed" in p.message]
    assert [cell for _, cell in problem.places] == ["东村"]


def test_a_row_without_a_village_is_an_error(tmp_path):
    rows = "vill year cohort y hh\n- 2018 - 1 1\n11 2018 - 1 1"
    (problem,) = [
        p for p in find_problems(tmp_path, said(), villages=rows) if p.level == "error"
    ]
    assert (problem.message, problem.places) == ("rows without a village", ((2, ""),))


@pytest.mark.parametrize("code", ["37083010020", "3708301002011", "37083010020X", "1041"])
def test_a_code_that_is_none_is_an_error(tmp_path, code):
    rows = f"code year cohort y hh\n{code} 2018 - 1 1\n370830100201 2018 - 1 1"
    found = find_problems(tmp_path, said("{code: code}"), villages=rows)
    (problem,) = [p for p in found if p.level == "error"]
    assert (problem.message, problem.places) == ("not codes of 12 digits", ((2, code),))


def test_one_name_under_two_codes_in_one_town_is_told(tmp_path):
    rows = """
        vill county town name year cohort y hh
        11   汶上县 南站 东村 2018 -      1 1
        13   汶上县 南站 东村 2018 -      1 1
        21   泗水县 泉林 东村 2018 -      1 1
        """
    found = find_problems(tmp_path, said(KEYS["id"]), villages=rows)
    (problem,) = [p for p in found if "under two codes" in p.message]
    assert problem.places == (("", "东村: 11, 13"),)
