"""``papermill --engine warm``: kernels of a loop are forked from one process."""

import logging
import os
import subprocess
import sys

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.report import warm as module
from evaluation.report.warm import can_fork, process_kernels
from tests.report.test_warm import COLD

LINUX = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux alone")
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
DRAWS = """
import random, numpy as np, tempfile
print(random.random(), np.random.rand(), np.random.default_rng().random())
print(next(tempfile._get_candidate_names()))
"""
PARENT = "import os; print(os.getppid())"


@pytest.fixture
def run_cells(tmp_path, monkeypatch):
    """Run a notebook of the cells given by papermill's engine, and give what it printed."""
    code = module._CODE.replace("from evaluation", f"{COLD}from evaluation")
    monkeypatch.setattr(module, "_CODE", code)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYDEVD_DISABLE_FILE_VALIDATION", "1")

    def run(*sources, **options):
        node = new_notebook(cells=[new_code_cell(source) for source in sources])
        node.metadata["kernelspec"] = KERNEL
        nbformat.write(node, tmp_path / "in.ipynb")
        done = papermill.execute_notebook(
            str(tmp_path / "in.ipynb"), str(tmp_path / "out.ipynb"), engine_name="warm",
            progress_bar=False, **options,
        )  # fmt: skip
        return [o.text.strip() for cell in done.cells for o in cell.outputs]

    yield run
    process_kernels(own_matplotlibrc=False).close()


@LINUX
def test_kernels_of_a_loop_have_one_parent_and_draw_apart(run_cells, caplog):
    first, second = run_cells(PARENT, DRAWS), run_cells(PARENT, DRAWS)
    assert first[0] == second[0] != str(os.getpid())
    assert not {*first[1].split()} & {*second[1].split()}
    assert "plain" not in caplog.text


@LINUX
def test_kernels_have_the_environment_and_the_folder_that_they_are_given(
    run_cells, tmp_path, monkeypatch
):
    cell = (
        "import os\n"
        "print(os.environ['VILLAGE'], os.getcwd(), os.environ['OPENBLAS_NUM_THREADS'])"
    )
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.setenv("VILLAGE", "李村")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    assert run_cells(cell, cwd=str(folder)) == [f"李村 {folder} 2"]


@LINUX
def test_blas_has_the_threads_that_the_environment_says(run_cells, monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    cell = (
        "import threadpoolctl, numpy\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    assert run_cells(cell) == ["{2}"]


@LINUX
def test_a_folder_with_settings_of_its_own_has_a_plain_kernel(run_cells, tmp_path, caplog):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\n")
    with caplog.at_level(logging.WARNING, logger="papermill"):
        assert run_cells(PARENT, cwd=str(tmp_path)) == [str(os.getpid())]
    assert "A plain kernel, not a warm one: its folder has a matplotlibrc" in caplog.text


def test_where_there_is_no_fork_kernels_are_plain_and_it_is_said(
    run_cells, caplog, monkeypatch
):
    monkeypatch.setattr("evaluation.report.warm_engine.can_fork", lambda: False)
    with caplog.at_level(logging.WARNING, logger="papermill"):
        assert run_cells("print(1)") == ["1"]
    assert caplog.text.count("A plain kernel, not a warm one: this system does not") == 1


def test_the_engine_can_be_imported_before_papermill_or_after():
    for first in (
        "papermill",
        "evaluation.report.warm_engine",
        "evaluation.report.chapter_engine",
    ):
        code = (
            f"import {first}\nfrom papermill.engines import papermill_engines\n"
            "print(papermill_engines.get_engine('warm'))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert "WarmEngine" in done.stdout
