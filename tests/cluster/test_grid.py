import shutil

import pytest
import yaml

from evaluation.cluster.grid import read_grid, tell_point
from evaluation.cluster.reports import take_part
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.job import declared_parameters
from tests.conftest import JINING, REPO, write_yaml

SIMULATED = REPO / "data" / "jining_simulated"


def read(*over, grid=None, study=SIMULATED):
    loaded = Study.load(study)
    return read_grid(over, grid, declared_parameters(loaded)[1], loaded)


def write(tmp_path, text):
    path = tmp_path / "grid.yml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_combination_is_a_report_the_last_named_varying_quickest():
    points = read("county=Sishui,Yutai", "anticipation=0,1")
    assert [tell_point(point) for point in points] == [
        "county=Sishui, anticipation=0",
        "county=Sishui, anticipation=1",
        "county=Yutai, anticipation=0",
        "county=Yutai, anticipation=1",
    ]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("county", ["Sishui", "Weishan", "Yutai", "Liangshan"]),
        ("comparison", ["not_yet_treated", "never_treated"]),
        ("trends", [False, True]),
        (
            "outcome",
            ["income", "operating", "contracted", "investment", "subsidy", "other", "total"],
        ),
    ],
)
@pytest.mark.parametrize("form", ["{}", "{}=all"])
def test_all_values_that_can_be_listed_are_meant_where_none_is_given(name, values, form):
    assert [point[name] for point in read(form.format(name))] == values


def test_counties_that_only_a_file_names_are_listed(tmp_path):
    folder = shutil.copytree(SIMULATED, tmp_path / "study")
    content = yaml.safe_load((folder / "study.yml").read_text(encoding="utf-8"))
    del content["counties"]
    write_yaml(folder / "study.yml", content)
    found = {point["county"] for point in read("county", study=folder)}
    assert found == {"泗水县", "微山县", "鱼台县", "梁山县"}


def test_each_specification_is_combined_with_all_the_others(tmp_path):
    grid = write(
        tmp_path,
        "over: {county: [Sishui, Yutai]}\n"
        "specifications: [{}, {covariates: 'households, population', alpha: 0.1}]\n",
    )
    assert read("trends", grid=grid)[:3] == (
        {"trends": False, "county": "Sishui"},
        {"trends": False, "county": "Sishui", "covariates": "households, population",
         "alpha": 0.1},
        {"trends": False, "county": "Yutai"},
    )  # fmt: skip
    assert len(read("trends", grid=grid)) == 8


def test_a_point_that_is_there_twice_is_one():
    assert len(read("anticipation=0,0,1")) == 2


@pytest.mark.parametrize(
    ("over", "text", "told"),
    [
        (
            ["countty"],
            None,
            "--over countty: no notebook has 'countty'; did you mean 'county'?",
        ),
        (["county", "county=Yutai"], None, "county is named twice"),
        (["county=Yutai,"], None, "a value is missing"),
        (["alpha"], None, "the values of alpha cannot be listed; give them, as in alpha=A,B"),
        ([], None, "nothing to vary"),
        ([], "{}", "nothing to vary"),
        ([], "specifications: [{}]", "nothing to vary"),
        ([], "ovr: {county: all}", "'ovr'; did you mean 'over'?"),
        ([], "over: [county]", "over: give parameters with their values"),
        ([], "over: {county: []}", "county: give a list of its values, or all"),
        ([], "over: {alpha: 0.1}", "alpha: give a list of its values, or all"),
        ([], "specifications: {trends: true}", "specifications: give a list of parameters"),
        ([], "specifications: [{trends: [true]}]", "specifications: give a list of parameters"),
        ([], "specifications: []", "specifications: give a list of parameters"),
        ([], "specifications: [{tends: true}]", "no notebook has 'tends'"),
        (["trends"], "specifications: [{trends: true}]", "trends is under over and in a spec"),
        ([], "over: {county: all", "not YAML in UTF-8"),
        ([], "over: {county: all, county: [Yutai]}", "the key 'county' is given twice"),
        ([], "over: {1: [a]}", "the key 1 is not a word"),
        ([], "- county", "give over, specifications or both"),
    ],
)
def test_a_grid_that_is_none_says_what_is_wrong(tmp_path, over, text, told):
    grid = write(tmp_path, text) if text is not None else None
    with pytest.raises(ReportError) as raised:
        read(*over, grid=grid)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_grid_file_that_is_not_there_or_not_text_is_told(tmp_path):
    with pytest.raises(ReportError, match=r"gone\.yml: cannot be read: No such file"):
        read(grid=tmp_path / "gone.yml")
    (tmp_path / "b.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ReportError, match="not YAML in UTF-8"):
        read(grid=tmp_path / "b.yml")


def test_a_study_without_counties_has_none_to_list():
    with pytest.raises(ReportError, match="cannot be listed"):
        read("outcome", study=JINING)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_parts_have_each_point_once(n):
    points = tuple({"n": k} for k in range(7))
    assert sum((take_part(points, k, n) for k in range(1, n + 1)), ()) == points


@pytest.mark.parametrize("part", [(0, 3), (4, 3), (1, 0)])
def test_a_part_that_is_none_is_refused(part):
    with pytest.raises(ReportError, match="give k/n with k from 1 to n"):
        take_part((), *part)
