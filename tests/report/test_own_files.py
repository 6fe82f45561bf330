"""What chapters of a study's own read besides is named, so that a report is not stale."""

import os
import shutil
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evaluation.errors import ReportError
from evaluation.report import chapters, run
from evaluation.report.record.store import read_record
from evaluation.report.run_folder import replace_folder, start_folder
from tests.conftest import REPO, edit

READS = """\
import sys
from pathlib import Path
sys.path.insert(0, str(Path(study).parent))
import helper
print("told", helper.WORD, (Path(study).parent / "deep" / "extra.txt").read_text())
"""


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setattr(chapters, "CHAPTERS", {})
    folder = shutil.copytree(REPO / "data" / "jining_2021", tmp_path / "jining")
    parameters = new_code_cell('study: str = "."\nlanguage: str = "en"')
    parameters.metadata["tags"] = ["parameters"]
    node = new_notebook(cells=[new_markdown_cell("# Own"), parameters, new_code_cell(READS)])
    nbformat.write(node, folder / "7_own.ipynb")
    (folder / "helper.py").write_text("WORD = 'one'", encoding="utf-8")
    (folder / "deep").mkdir()
    (folder / "deep" / "extra.txt").write_text("five", encoding="utf-8")
    return folder


def name(study, reads):
    more = f"\nchapters: [7_own.ipynb]\nreads: [{reads}]\nprogramme:"
    edit(study / "study.yml", "\nprogramme:", more)


def test_a_report_is_made_anew_when_what_its_own_chapter_reads_changed(study, tmp_path):
    name(study, "helper.py, deep/extra.txt")
    first = run.run_report(study, out=tmp_path / "out")
    assert {"helper.py", "deep/extra.txt"} <= {*read_record(first)["inputs"]}
    (study / "helper.py").write_text("WORD = 'two'", encoding="utf-8")
    later = time.time() + 10  # Python tells sources of one size apart by the second
    os.utime(study / "helper.py", (later, later))
    second = run.run_report(study, out=tmp_path / "out")
    assert "told two five" in (second / "report.html").read_text(encoding="utf-8")
    assert "told one five" in (first / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("reads", "left"), [("helper.py", "deep/extra.txt"), ("deep/extra.txt", "helper.py")]
)
def test_a_file_that_is_not_named_cannot_be_read(study, tmp_path, reads, left):
    name(study, reads)
    with pytest.raises(ReportError, match=f"ReportError: {left}: study.yml does not name it"):
        run.run_report(study, out=tmp_path / "out")


def test_what_is_no_run_is_never_replaced(tmp_path):
    made, mine = tmp_path / "a-1.partial-7", tmp_path / "a-1"
    made.mkdir()
    mine.mkdir()
    (mine / "thesis.txt").write_text("mine", encoding="utf-8")
    for put in (lambda: replace_folder(made, mine), lambda: start_folder(mine, print)):
        with pytest.raises(ReportError, match="is there, and is no run: it is not replaced"):
            put()
    assert (mine / "thesis.txt").read_text(encoding="utf-8") == "mine" and made.is_dir()


def test_what_is_called_like_an_old_run_stays(tmp_path):
    made, target, kept = (tmp_path / name for name in ("a-1.partial-7", "a-1", "a-1.old"))
    for folder in (made, target, kept):
        folder.mkdir()
        (folder / "workflow.py").write_text(folder.name, encoding="utf-8")
    replace_folder(made, target)
    assert (target / "workflow.py").read_text(encoding="utf-8") == "a-1.partial-7"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-1", "a-1.old"]
