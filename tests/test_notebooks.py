"""The notebooks are anybody's: papermill and nbconvert run them without our command."""

import json
import subprocess
import sys

import nbformat
import pytest

from evaluation.report.lab import fill_parameters
from tests.conftest import JINING, REPO

NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))
USUAL = {"kernelspec", "language_info"}
TAGS = {"parameters"}  # papermill's own; the others say which part of a study a cell needs


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def run(*command, folder):
    done = subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


def shown(path):
    """Give what an executed notebook shows, as text; nothing failed in it."""
    notebook = nbformat.read(path, 4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert not [output for output in outputs if output.output_type == "error"]
    return " ".join(str(output) for output in outputs)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """Give a folder for what is written; kernels of this test read no user's settings."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    return tmp_path


def test_papermill_runs_a_notebook_from_the_root(beside):
    out, study = beside / "out.ipynb", JINING.relative_to(REPO)
    run("papermill", "notebooks/1_data.ipynb", out, "-p", "study", study, folder=REPO)
    assert "Qilu Evening News" in shown(out)


def test_nbconvert_runs_a_notebook_as_it_is_in_its_own_folder(beside):
    out = beside / "out.ipynb"
    options = ("--to", "notebook", "--execute", "--output", out)
    run("nbconvert", *options, "1_data.ipynb", folder=REPO / "notebooks")
    assert "Qilu Evening News" in shown(out)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_ties_a_notebook_to_the_command(path):
    notebook = read(path)
    assert set(notebook) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert set(notebook["metadata"]) <= USUAL
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        assert set(cell) <= {
            "cell_type", "id", "metadata", "source", "outputs", "execution_count",
        }  # fmt: skip
        assert set(cell["metadata"]) <= {"tags"}
        tags = set(cell["metadata"].get("tags", ()))
        assert all(tag in TAGS or tag.startswith("needs-") for tag in tags)
        source = "".join(cell["source"])
        assert not [word for word in ("evaluation report", "run_report") if word in source]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_default_study_is_there(path):
    notebook = nbformat.read(path, 4)
    (cell,) = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())]
    found = {}
    exec(f"from typing import Literal\n{cell.source}", found)
    assert (path.parent / found["study"] / "study.yml").is_file()
    before = cell.source
    fill_parameters(notebook, {name: found[name] for name in ("study", "language")})
    assert cell.source == before
