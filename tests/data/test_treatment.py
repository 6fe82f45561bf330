"""First treated years, from a year, a date or an indicator, typed out."""

import numpy as np
import pytest

from evaluation.errors import DataError
from tests.data.test_panel import read_panel
from tests.data.typed_studies import find_problems, read_typed

NAN = np.nan


def said(treatment):
    return f"""
        panel:
          file: villages.csv
          village: vill
          year: year
          outcomes: {{y: y}}
          treatment: {treatment}
        """


def messages(problems, level="error"):
    return {p.message: [cell for _, cell in p.places] for p in problems if p.level == level}


def test_the_first_year_of_a_column(tmp_path):
    rows = """
        vill year since y
        a    2018 2019  1
        a    2019 2019  2
        b    2018 2015  1
        c    2018 -     1
        d    2018 2030  1
        """
    panel = read_panel(tmp_path, said("{first_year: since}"), rows)
    # also years before and after those observed
    np.testing.assert_array_equal(panel.cohort, [2019, 2015, NAN, 2030])
    assert messages(panel.problems, "warning") == {
        "treated villages without an untreated year: no gain can be worked out for them": ["b"]
    }


@pytest.mark.parametrize("other", ["2020", "-"])
def test_a_first_year_that_differs_between_rows_is_an_error(tmp_path, other):
    rows = f"vill year since y\na 2018 2019 1\na 2019 {other} 2\nb 2018 2019 1\nb 2019 2019 1"
    found = messages(find_problems(tmp_path, said("{first_year: since}"), villages=rows))
    assert found == {"villages whose first treated year differs between rows": ["a"]}


def test_a_date_in_the_panel(tmp_path):
    rows = "vill year since y\na 2018 2019年3月 1\na 2019 20190315 2\nb 2018 - 1"
    panel = read_panel(tmp_path, said("{date: since}"), rows)
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])


REVERSALS = """
    vill year d y
    a    2017 0 1
    a    2018 1 2
    a    2019 1 3
    b    2017 0 1
    b    2018 1 2
    b    2019 0 3
    c    2017 0 1
    c    2018 0 2
    c    2019 0 3
    d    2017 1 1
    d    2018 0 2
    d    2019 1 3
    """


def test_a_treatment_that_ends_is_an_error(tmp_path):
    found = find_problems(tmp_path, said("{treated: d}"), villages=REVERSALS)
    assert messages(found) == {"villages whose treatment ends": ["b", "d"]}


def test_villages_whose_treatment_ends_may_be_left_out(tmp_path):
    panel = read_panel(tmp_path, said("{treated: d, reversals: drop}"), REVERSALS)
    assert list(panel.villages.index) == ["a", "c"]
    np.testing.assert_array_equal(panel.cohort, [2018, NAN])
    assert panel.matrix().tolist() == [[1, 2, 3], [1, 2, 3]]
    assert panel.rows.shape == (2, 3)
    told = "villages whose treatment ends or comes twice, left out"
    assert messages(panel.problems, "warning")[told] == ["b", "d"]


def test_or_stay_treated_from_the_first_year_on(tmp_path):
    panel = read_panel(tmp_path, said("{treated: d, reversals: first_on}"), REVERSALS)
    np.testing.assert_array_equal(panel.cohort, [2018, 2018, NAN, 2017])
    told = (
        "villages whose treatment ends or comes twice, kept, as treated from the first year on"
    )
    assert messages(panel.problems, "warning")[told] == ["b", "d"]


def test_an_indicator_that_is_empty_is_an_error(tmp_path):
    rows = "vill year d y\na 2018 0 1\na 2019 - 2\nb 2018 是 1\nb 2019 1 1"
    found = find_problems(tmp_path, said("{treated: d}"), villages=rows)
    (problem,) = [p for p in found if p.level == "error"]
    assert problem.message == "rows that do not say whether the village was treated"
    assert [row for row, _ in problem.places] == [3]


def test_a_gap_before_the_first_treated_year_is_told(tmp_path):
    rows = """
        vill year d y
        a    2015 0 1
        a    2016 1 1
        b    2015 0 1
        b    2018 1 1
        c    2015 0 1
        c    2018 0 1
        """
    panel = read_panel(tmp_path, said("{treated: d}"), rows)
    np.testing.assert_array_equal(panel.cohort, [2016, 2018, NAN])
    (cells,) = [
        cells
        for message, cells in messages(panel.problems, "warning").items()
        if "just before the first treated" in message
    ]
    assert cells == ["b"]  # between 2015 and 2018, a without a gap


def test_waves_three_years_apart_are_no_gap(tmp_path):
    rows = "vill year d y\na 2015 0 1\na 2018 1 1\nb 2015 0 1\nb 2018 0 1"
    panel = read_panel(tmp_path, said("{treated: d}"), rows)
    assert not any("just before" in message for message in messages(panel.problems, "warning"))


VILLAGES = "vill year y\na 2018 1\na 2019 2\nb 2018 1\nb 2019 1\nc 2018 1\nc 2019 1"


def test_dates_of_several_projects_in_another_file(tmp_path):
    treatment = "{date: done, file: {file: projects.csv}, village: vill}"
    projects = """
        project vill done
        p1      b    2020-05-01
        p2      b    03/05/2019
        p3      a    -
        p4      a    2019年12月
        p5      z    2018
        """
    data = read_typed(tmp_path, said(treatment), villages=VILLAGES, projects=projects)
    # b: the earlier of 2020 and 2019; p5 is on a village that the panel lacks
    np.testing.assert_array_equal(data.panel.cohort, [2019, 2019, NAN])
    lost = [p for p in data.problems if "the panel does not have" in p.message]
    assert [cell for _, cell in lost[0].places] == ["z"]


def test_first_years_in_another_file(tmp_path):
    treatment = "{first_year: since, file: {file: teams.csv}, village: vill}"
    teams = "vill since\nc 2021\na 2019年"
    data = read_typed(tmp_path, said(treatment), villages=VILLAGES, teams=teams)
    np.testing.assert_array_equal(data.panel.cohort, [2019, NAN, 2021])


@pytest.mark.parametrize(
    ("since", "told"),
    [("2019", "no village is never treated: "), ("-", "no village is ever treated")],
)
def test_a_panel_without_a_comparison_is_told(tmp_path, since, told):
    rows = f"vill year since y\na 2018 {since} 1\na 2019 {since} 2\nb 2018 {since} 1"
    found = find_problems(tmp_path, said("{first_year: since}"), villages=rows)
    assert any(p.message.startswith(told) and p.level == "warning" for p in found)


def test_one_year_written_two_ways_is_one_year(tmp_path):
    rows = "vill cohort year y\na 2019 2018 1\na 2019年 2019 2\nb - 2018 1\nb - 2019 1"
    panel = read_panel(tmp_path, said("{first_year: cohort}"), rows)
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])


@pytest.mark.parametrize("by", ["date", "first_year"])
def test_two_first_years_of_one_village_are_an_error(tmp_path, by):
    rows = "vill cohort year y\na 2018 2018 1\na 2019 2019 2"
    with pytest.raises(DataError, match="first treated year differs between rows: 'a'"):
        read_panel(tmp_path, said(f"{{{by}: cohort}}"), rows)


def test_a_date_may_stand_in_one_row_of_a_village(tmp_path):
    rows = "vill cohort year y\na - 2018 1\na 2019-03-01 2019 2"
    panel = read_panel(tmp_path, said("{date: cohort}"), rows)
    assert panel.cohort.tolist() == [2019]


def test_words_for_missing_hold_for_dates_too(tmp_path):
    rows = "vill cohort year y\na 2019-03-01 2019 2\nb 无 2019 2"
    study = said("{date: cohort}\n          missing: [无]")
    panel = read_panel(tmp_path, study, rows)
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])
