"""A simulated study loads like one that was sent, and can be made again byte for byte."""

import re
import shlex

import numpy as np
import pandas as pd
import pytest

from evaluation.cli import main
from evaluation.data.load import load_data
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import COUNTIES, SOURCES, SimulationOptions
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import REPO

SHIPPED = REPO / "data" / "jining_simulated"
FILES = [
    "README.md", "indicators.csv", "ledger.csv", "projects.csv", "study.yml", "truth.csv",
    "villages.csv",
]  # fmt: skip
LARGEST = 400_000  # bytes: a folder for trying things out
PRINTED = 250.0  # yuan: four incomes printed in 0.01 万元, each 50 off at most, in 2014 prices
TRUTH = 0.01  # yuan: what truth.csv prints


def command_of(folder):
    (command,) = re.findall(
        r"```sh\nevaluation (.*)\n```", (folder / "README.md").read_text("utf-8")
    )
    return shlex.split(command)


@pytest.fixture(scope="module")
def simulation():
    return simulate_programme(SimulationOptions(comparison=2, rounding_up=0.0), seed=5)


@pytest.fixture
def folder(simulation, tmp_path):
    return write_simulated_study(simulation, tmp_path / "made", name="made_up")


def test_the_shipped_study_is_what_its_command_makes(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command_of(SHIPPED)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "jining_simulated", "next: evaluation report jining_simulated",
    ]  # fmt: skip
    assert sorted(path.name for path in SHIPPED.iterdir()) == FILES
    for name in FILES:
        made = (tmp_path / "jining_simulated" / name).read_bytes()
        assert made == (SHIPPED / name).read_bytes(), f"{name}: make it anew, see its README.md"
        assert len(made) < LARGEST


def test_features_set_on_the_command_line_are_in_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    features = ["cohorts={2018: 0.5, 2020: 0.5}", "phase_in=[0.5, 1.0]", "treated={Yutai: 4}"]
    given = ["simulate", "one", "--seed", "3", "--name", "two", "--comparison", "2"]
    for feature in [*features, "selection_on=last_year", "rho=0.25"]:
        given += ["--set", feature]
    assert main(given) == 0
    again = command_of(tmp_path / "one")
    assert set(given) == set(again)
    (tmp_path / "one").rename(tmp_path / "before")
    assert main(again) == 0
    for name in FILES:
        before = (tmp_path / "before" / name).read_bytes()
        assert (tmp_path / "one" / name).read_bytes() == before
    assert [area.zh for area in Study.load("one").counties] == ["鱼台县"]


def test_it_says_that_it_is_simulated(folder):
    study = Study.load(folder)
    assert study.simulated and study.name == "made_up"
    for name in ("README.md", "study.yml"):
        assert "SIMULATED" in (folder / name).read_text("utf-8").splitlines()[0]


def test_it_loads_without_a_warning_and_gives_back_what_was_made(folder, simulation):
    data = load_data(Study.load(folder))
    assert {problem.level for problem in data.problems} == {"note"}  # of the encoding
    panel, truth = data.panel, simulation.truth
    income = pd.DataFrame(panel.matrices["income"], panel.villages.index, panel.years).stack()
    at = pd.MultiIndex.from_frame(truth[["village", "year"]])
    made = (truth["counterfactual"] + truth["gain"]).to_numpy()
    reported = income.reindex(at).to_numpy()
    gaps = np.isnan(reported)
    assert 0 < gaps.mean() < 0.1
    np.testing.assert_allclose(reported[~gaps], made[~gaps], atol=PRINTED, rtol=0)
    for source in SOURCES:
        money = pd.DataFrame(
            data.ledger.to_matrix(panel, sources=[source]), panel.villages.index, panel.years
        ).stack()
        np.testing.assert_allclose(money[at], truth[f"money_{source}"], rtol=1e-9, atol=1e-6)
    assert panel.traits == ("dispatching_unit", "dispatch_level")
    made = simulation.villages.drop_duplicates("village").set_index("village")
    for name in panel.traits:
        assert panel.villages[name].tolist() == made.loc[panel.villages.index, name].tolist()
    assert len(data.projects) == len(simulation.projects)
    assert set(data.indicators["pillar"]) == set(simulation.indicators["pillar"])


def test_the_truth_is_printed_to_the_cent(folder, simulation):
    truth = pd.read_csv(folder / "truth.csv", dtype={"village": str})
    assert list(truth) == list(simulation.truth)
    numbers = truth.select_dtypes("number").columns
    np.testing.assert_allclose(
        truth[numbers], simulation.truth[numbers].astype(float), atol=TRUTH, rtol=0
    )


def test_files_are_as_a_county_office_sends_them(folder):
    text = (folder / "villages.csv").read_bytes().decode("gb18030")
    header, first, *_ = text.split("\n")
    assert header == (
        "行政区划代码,县,乡镇,村,年份,派驻年份,派出单位,派出层级,经度,纬度,户数,脱贫户数,常住人口,"
        "经营收入,发包收入,投资收益,补助收入,其他收入,年集体经济收入"
    )
    assert first.startswith("370831700001,泗水县,示例一镇,示例一村,2014,")
    frame = pd.read_csv(folder / "villages.csv", encoding="gb18030", dtype=str)
    kinds = ["经营收入", "发包收入", "投资收益", "补助收入", "其他收入"]
    cents = (frame[[*kinds, "年集体经济收入"]].astype(float) * 100).round()
    whole = cents.dropna()
    assert (whole[kinds].sum(axis=1) == whole["年集体经济收入"]).all()
    for county in COUNTIES.values():
        inside = frame[frame["县"] == county.zh]
        assert inside["行政区划代码"].str.startswith(county.code).all()
        assert inside["经度"].astype(float).between(county.west, county.east).all()
        assert inside["纬度"].astype(float).between(county.south, county.north).all()


def test_the_readme_names_every_column(folder):
    readme = (folder / "README.md").read_text("utf-8")
    for name in FILES:
        if name.endswith(".csv"):
            encoding = "utf-8" if name == "truth.csv" else "gb18030"
            header = (folder / name).read_text(encoding).split("\n")[0]
            part = readme.partition(f"## {name}")[2].partition("\n## ")[0]
            for column in header.split(","):
                assert column.removeprefix("money").removeprefix("gain") in part, column


def test_a_folder_that_holds_anything_is_left_alone(simulation, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is there already; name a folder that is new or empty"):
        write_simulated_study(simulation, tmp_path, name="x")
    with pytest.raises(DataError, match="is there already"):
        write_simulated_study(simulation, tmp_path / "mine.txt", name="x")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(simulation, tmp_path):
    (tmp_path / "empty").mkdir()
    write_simulated_study(simulation, tmp_path / "empty", name="x")
    assert sorted(path.name for path in (tmp_path / "empty").iterdir()) == FILES


def test_nothing_is_left_of_what_fails(simulation, tmp_path):
    with pytest.raises(DataError, match="name: "):
        write_simulated_study(simulation, tmp_path / "new", name="not a name")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--set", "rh=1"], "simulation: no option 'rh'; did you mean 'rho'?"),
        (["--comparison", "x"], "simulation: comparison: Input should be a valid integer"),
        (["--seed", "-1"], "seed is -1; give a whole number from 0 on."),
    ],
)
def test_mistakes_on_the_command_line(tmp_path, capsys, given, message):
    assert main(["simulate", str(tmp_path / "new"), *given]) == 2
    assert capsys.readouterr().err.startswith(f"DesignError: {message}")
    assert not (tmp_path / "new").exists()
