"""Sweeps of a study whose chapters are the tests' own."""

import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.cluster import workers
from evaluation.cluster.reports import plan_sweep, run_sweep
from evaluation.report import chapters
from tests.conftest import JINING

CHAPTERS = {
    "1_first": ("n: int = 0", ["print('first', n)"]),
    "2_second": ("n: int = 0; m: int = 0; wait: float = 0.0", [
        "import time; time.sleep(wait)", "assert m < 9, 'm is too large'", "print(n + m)",
    ]),
}  # fmt: skip


@pytest.fixture
def study(tmp_path):
    return shutil.copytree(JINING, tmp_path / "studies" / "jining_2021")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def notebooks(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name, (declared, cells) in CHAPTERS.items():
        first = f'study: str = "x"; language: str = "en"; {declared}'
        node = new_notebook(cells=[new_code_cell(text) for text in (first, *cells)])
        node.cells[0].metadata["tags"] = ["parameters"]
        for number, cell in enumerate(node.cells):
            cell["id"] = f"cell-{number}"
        nbformat.write(node, folder / f"{name}.ipynb")
    monkeypatch.setattr(chapters, "notebook_folder", lambda: folder)
    monkeypatch.setattr(chapters, "CHAPTERS", dict.fromkeys(CHAPTERS, ("claims",)))
    monkeypatch.setattr(workers, "_forks", lambda: True)  # a fork has these chapters
    return folder


@pytest.fixture
def sweep(notebooks, study, out):
    """Plan and run a sweep, with two workers."""

    def call(*over, n_workers=2, retries=2, client=None, on_progress=None, **options):
        plan = plan_sweep(study, over=over, **{"out": out, "kernels": "plain", **options})
        more = {"on_progress": on_progress} if on_progress else {}
        return run_sweep(plan, workers=n_workers, client=client, retries=retries, **more)

    return call
