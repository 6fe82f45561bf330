"""Projects and indicators, typed out."""

import numpy as np
import pytest

from evaluation.errors import DataError
from tests.data.typed_studies import find_problems, read_typed

NAN = np.nan
VILLAGES = "vill county name year y\na East 东村 2018 1\nb East 西村 2018 2"


def said(part, body):
    return f"""
        prices: {{basis: real, base_year: 2018}}
        panel:
          file: villages.csv
          village: {{id: vill, county: county, name: name}}
          year: year
          outcomes: {{y: y}}
        {part}:
          file: {part}.csv
          village: {{county: county, name: name}}
          {body}
        """


PROJECTS = """
          project: project
          type: type
          start: start
          jobs: jobs
          expected_return: {column: gain, unit: 万元}
    """


def test_projects(tmp_path):
    text = """
        county name       project type start     jobs gain
        East   西村       大棚    种植 2019年3月 12   1.5
        East   东村村委会 光伏    -    -         -    12万
        East   南村       冷库    仓储 2020      3    1
        """
    data = read_typed(tmp_path, said("projects", PROJECTS), villages=VILLAGES, projects=text)
    frame = data.projects
    columns = ["village", "county", "project", "type", "start", "jobs", "expected_return"]
    assert list(frame.columns) == columns
    assert frame[columns[:4]].to_numpy().tolist() == [
        ["b", "East", "大棚", "种植"],
        ["a", "East", "光伏", ""],
    ]
    # 1.5 万元, and 12万 in a column of 万元
    np.testing.assert_array_equal(
        frame[columns[4:]].to_numpy(float), [[2019, 12, 15_000], [NAN, NAN, 120_000]]
    )
    (lost,) = [p for p in data.problems if "the panel does not have" in p.message]
    assert lost.places[0][1].startswith("East/南村")


def test_projects_with_their_names_alone(tmp_path):
    text = "county name project\nEast 东村 大棚\nEast 东村 光伏"
    body = "project: project"
    frame = read_typed(
        tmp_path, said("projects", body), villages=VILLAGES, projects=text
    ).projects
    assert frame["project"].tolist() == ["大棚", "光伏"]
    assert frame[["start", "jobs", "expected_return"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("East 东村 大棚 种植 2019 -3 1", "negative numbers of jobs"),
        ("East 东村 大棚 种植 去年 3 1", "no dates"),
        ("East 东村 大棚 种植 2019 三个 1", "not numbers"),
        ("East -    大棚 种植 2019 3 1", "rows without a village"),
    ],
)
def test_what_is_wrong_with_a_project_is_named(tmp_path, row, says):
    text = f"county name project type start jobs gain\nEast 西村 大棚 种植 2019 1 1\n{row}"
    if says == "not numbers":  # 三个 counts three; 三家 does not say of what
        text = text.replace("三个", "三家店")
    found = find_problems(
        tmp_path, said("projects", PROJECTS), villages=VILLAGES, projects=text
    )
    (problem,) = [p for p in found if p.level == "error"]
    assert problem.message == says
    assert [place for place, _ in problem.places] == [3]


INDICATORS = """
          year: year
          pillar: pillar
          indicator: indicator
          value: value
          unit: unit
    """


def test_indicators_and_the_words_of_their_pillars(tmp_path):
    text = """
        county name year   pillar     indicator value unit
        East   东村 2018   抓党建     党员      32    人
        East   东村 2019年 兴产业     大棚      两千  平米
        East   西村 2018   民生       路灯      1,200 盏
        East   西村 2018   队伍       后备干部  -     人
        East   西村 2018   livelihood 道路      3.5   公里
        """
    data = read_typed(
        tmp_path, said("indicators", INDICATORS), villages=VILLAGES, indicators=text
    )
    frame = data.indicators
    assert frame["pillar"].tolist() == [
        "party_building",
        "industry",
        "livelihood",
        "secretary_team",
        "livelihood",
    ]
    assert frame["village"].tolist() == ["a", "a", "b", "b", "b"]
    assert frame["year"].tolist() == [2018, 2019, 2018, 2018, 2018]
    np.testing.assert_array_equal(frame["value"], [32, 2_000, 1_200, NAN, 3.5])
    assert frame["unit"].tolist() == ["人", "平米", "盏", "人", "公里"]


def test_a_pillar_of_the_study(tmp_path):
    text = "county name year pillar indicator value unit\nEast 东村 2018 强组织 党员 32 人"
    body = INDICATORS + "      pillars: {强组织: party_building}\n"
    data = read_typed(tmp_path, said("indicators", body), villages=VILLAGES, indicators=text)
    assert data.indicators["pillar"].tolist() == ["party_building"]
    with pytest.raises(DataError, match=r"'强组织'\. Say what a word means under indicators"):
        read_typed(tmp_path, said("indicators", INDICATORS), villages=VILLAGES, indicators=text)


def test_an_indicator_given_twice_is_an_error(tmp_path):
    text = """
        county name year pillar indicator value unit
        East   东村 2018 党建   党员      32    人
        East   东村 2019 党建   党员      33    人
        East   东村 2018 党建   党员      31    人
        """
    found = find_problems(
        tmp_path, said("indicators", INDICATORS), villages=VILLAGES, indicators=text
    )
    (problem,) = [p for p in found if p.level == "error"]
    assert problem.message == "several values of one indicator for a village and year"
    assert [place for place, _ in problem.places] == [2, 4]
