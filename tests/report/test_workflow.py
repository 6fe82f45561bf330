"""workflow.py, which a run holds, makes the run again."""

import ast
import runpy
import shutil
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.report import chapters
from evaluation.report.record.store import hash_outputs, read_record
from evaluation.report.record.workflow import shared_parameters, workflow_text
from evaluation.report.run import run_report
from tests.conftest import JINING
from tests.report.crates import NAMES, RECORD, VALUES


def call_of(text):
    """Read the arguments of run_report in a workflow."""
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    (call,) = [c for c in calls if getattr(c.func, "id", "") == "run_report"]
    return {
        word.arg: ast.literal_eval(word.value)
        for word in call.keywords
        if not isinstance(word.value, ast.Attribute)
    }


def test_a_workflow_gives_what_notebooks_share_and_leaves_defaults_that_differ():
    call = call_of(workflow_text(RECORD))
    assert call["language"] == "en"
    assert "village" not in call["parameters"]  # "007" in one chapter, "" in another
    assert call["parameters"] == {
        "alpha": 1e-300, "least": 2.0, "place": '山 "7"\n', "reading": "strict", "seed": 0,
        "share": -0.5, "trends": False, "years": 5,
    }  # fmt: skip
    assert "--key" not in workflow_text(RECORD)
    assert "--key" in workflow_text({**RECORD, "pseudonyms": "0" * 64})


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, VALUES, max_size=4), max_size=3))
def test_a_workflow_is_python_whatever_the_values(parameters):
    record = {**RECORD, "parameters": parameters}
    call = call_of(workflow_text(record))
    shared = {n: v for n, v in shared_parameters(parameters).items() if n != "language"}
    assert repr(call["parameters"]) == repr(shared)


DECLARED = 'study: str = "x"\nlanguage: str = "en"\nshare: float = 0.5\nvillage: str = "1"'


@pytest.fixture
def short_notebooks(tmp_path, monkeypatch):
    """Two chapters that say what they were given; one has another default than the other."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, declared in (("1_a", DECLARED), ("2_b", DECLARED.replace("0.5", "0.25"))):
        cells = [
            new_code_cell(text, id=f"cell-{n}") for n, text in enumerate([declared, SHOWN])
        ]
        cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(new_notebook(cells=cells), folder / f"{name}.ipynb")
    monkeypatch.setattr(chapters, "notebook_folder", lambda: folder)
    monkeypatch.setattr(chapters, "CHAPTERS", {"1_a": ("claims",), "2_b": ("claims",)})


SHOWN = "(study, language, share, village)"


@pytest.mark.parametrize("given", [{}, {"share": 1e-3, "village": '山 "7"'}])
@pytest.mark.usefixtures("short_notebooks")
def test_a_workflow_makes_the_run_again(tmp_path, monkeypatch, capsys, given):
    study = shutil.copytree(JINING, tmp_path / "jining_2021")
    run = run_report(study, parameters=given, language="zh", out=tmp_path / "reports")
    (tmp_path / "workflow.py").write_bytes((run / "workflow.py").read_bytes())
    monkeypatch.chdir(tmp_path)  # the study lies beside: nothing need be said
    monkeypatch.setattr(sys, "argv", ["workflow.py", "--out", "again"])
    runpy.run_path("workflow.py", run_name="__main__")
    again = tmp_path / "again" / run.name
    assert capsys.readouterr().out.endswith(f"{again.relative_to(tmp_path)}\n")
    assert hash_outputs(again) == hash_outputs(run)
    same = [read_record(folder) for folder in (run, again)]
    for record in same:
        for part in ("start", "end", "seconds"):
            record.pop(part)
    assert same[0] == same[1]
