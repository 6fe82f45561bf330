"""The command: quick to answer, and one clear error and exit code 2 for a mistake."""

import shutil
import subprocess
import sys

import pytest

from evaluation.cli import main
from tests.conftest import JINING, REPO


@pytest.fixture
def study(tmp_path):
    return shutil.copytree(JINING, tmp_path / "jining_2021")


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_help_needs_none_of_the_heavy_imports():
    heavy = "{'pandas', 'numpy', 'matplotlib', 'pydantic', 'nbformat', 'papermill'}"
    code = (
        "import sys\nfrom evaluation.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"sys.exit(bool({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "report" in done.stdout


MISTAKES = {
    "a misspelt key": (
        "study.yml",
        "publisher:",
        "publsher:",
        "study.yml: source.publsher: unknown key; did you mean 'publisher'?",
    ),
    "a missing column": (
        "claims.csv",
        ",scope,",
        ",scop,",
        "claims.csv: no column scope; it has claim, county,",
    ),
    "a lower bound above its upper": (
        "claims.csv",
        ",2360,2360,",
        ",2361,2360,",
        "claims.csv: line 19 (C019): the lower bound 2361 is above the upper bound 2360.",
    ),
    "an unknown unit": (
        "claims.csv",
        ",48,次,",
        ",48,回,",
        "claims.csv: line 22 (C022): unit: unknown unit '回'; use one of",
    ),
    "a hedge that is not known": (
        "claims.csv",
        "3300余万元,3300",
        "3300挂零万元,3300",
        "claims.csv: line 28 (C028): cannot read the figure '3300挂零万元': the hedge or unit",
    ),
    "a figure without its bounds' digits": (
        "claims.csv",
        ",371,371,1,1,",
        ",371,372,1,1,",
        "claims.csv: line 55 (C055): bounds [371, 372] are not those of the printed '371万元'",
    ),
    "an unknown indicator in a check": (
        "crosschecks.yml",
        "n_workshops + ",
        "n_workshop + ",
        "crosschecks.yml: X05: no indicator or claim 'n_workshop'; did you mean 'n_workshops'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_file_is_one_error_that_mends_it(study, tmp_path, capsys, mistake):
    name, old, new, message = MISTAKES[mistake]
    replace(study / name, old, new)
    assert main(["report", str(study), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"DataError: {message}")
    assert not (tmp_path / "out").exists()


def test_a_missing_study_is_named_with_those_near(study, capsys):
    assert main(["report", str(study.with_name("jining_2012"))]) == 2
    said = capsys.readouterr().err
    assert "no study at" in said
    assert f"Studies near: {study}" in said


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("readin=loose", "-p readin: no notebook has this parameter; did you mean 'reading'?"),
        ("reading=lose", "-p reading: 'lose' is not one of study, strict, loose."),
        ("reading", "-p reading: write name=value."),
    ],
)
def test_a_wrong_parameter_stops_before_a_kernel_starts(tmp_path, capsys, given, message):
    arguments = ["report", str(JINING), "-p", given, "--out", str(tmp_path / "out")]
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"ReportError: {message}\n"
    assert not (tmp_path / "out").exists()


def test_power_prints_the_smallest_effect_that_is_found(capsys):
    study = str(REPO / "data" / "jining_simulated")
    planned = ["--treated", "40", "--comparison", "160", "--before", "3", "--after", "2"]
    assert main(["power", study, *planned, "--alpha", "0.1", "-p", "cluster=village"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("jining_simulated (SIMULATED data)\n40 treated and 160 comparison")
    assert "smallest effect found in 80% of samples: " in said and "万元" in said
    assert "should be 10%" in said and "the last 2 treated" in said
    assert "- Planned villages are spread over places as large as the study's" in said


def test_power_without_a_panel_says_why(capsys):
    assert main(["power", str(JINING)]) == 2
    assert capsys.readouterr().err == "DesignError: power: This study has no panel.\n"
