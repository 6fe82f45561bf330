"""A run is whole or absent, and says which cell failed."""

import os
import re
import shutil
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.errors import ReportError
from evaluation.report import chapters, run
from evaluation.report.record.describe import tell_changes
from evaluation.report.record.store import NAME, read_record
from evaluation.report.run_folder import name_process
from tests.conftest import JINING, REPO

PARAMETERS = 'study: str = "x"\nshare: float = 0.5\nvillage: str = "1"'


def notebook(*cells):
    node = new_notebook(cells=[new_code_cell(PARAMETERS), *map(new_code_cell, cells)])
    node.cells[0].metadata["tags"] = ["parameters"]
    for number, cell in enumerate(node.cells):
        cell["id"] = f"cell-{number}"
    return node


MACHINE = name_process().rpartition("-")[0]


@pytest.fixture
def study(tmp_path):
    """A copy of the real study, so that a run can be told from one on the original."""
    return shutil.copytree(JINING, tmp_path / "studies" / "jining_2021")


@pytest.fixture
def run_cells(tmp_path, monkeypatch, study):
    """Run a report whose one chapter holds the cells given."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(chapters, "notebook_folder", lambda: folder)
    monkeypatch.setattr(chapters, "CHAPTERS", {"1_data": ("claims",)})

    def call(*cells, **options):
        nbformat.write(notebook(*cells), folder / "1_data.ipynb")
        return run.run_report(study, out=tmp_path / "out {1}", **options)

    return call


def test_parameters_reach_the_notebook_as_typed(run_cells, study):
    folder = run_cells(
        "assert (share, village, study) == (0.25, '007', 'jining_2021/study.yml')",
        "from evaluation import Study; assert Study.load(study).name == 'jining_2021'",
        parameters={"share": "0.25", "village": "007"},
    )
    record = read_record(folder)
    assert record["parameters"]["1_data"]["village"] == "007"


def test_an_unchanged_run_is_not_repeated_and_a_changed_one_has_another_name(run_cells, study):
    told = []
    first = run_cells("1")
    written = (first / "report.html").stat().st_mtime_ns
    assert run_cells("1", tell=told.append) == first
    assert (first / "report.html").stat().st_mtime_ns == written
    assert told[0].startswith("unchanged: ")
    assert run_cells("1", force=True) == first
    assert (first / "report.html").stat().st_mtime_ns > written
    with (study / "claims.csv").open("a", encoding="utf-8") as file:
        file.write("\n")
    assert run_cells("1") != first


def test_equal_runs_are_equal_but_for_the_times_in_the_record(run_cells):
    def files(folder):
        paths = [p for p in folder.rglob("*") if p.is_file() and p.name != NAME]
        return {p.relative_to(folder): p.read_bytes() for p in paths}

    cell = "from evaluation import Study, source_table; source_table(Study.load(study))"
    before = files(run_cells(cell))
    assert {path.as_posix() for path in before} == {
        "report.html", "results.json", "workflow.py", "input-rows.json",
        "notebooks/1_data.ipynb",
        "tables/source.csv", "tables/source.tex", "tables/source.docx",
    }  # fmt: skip
    assert files(run_cells(cell, force=True)) == before


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "x = 1\nx / 0",
            r"1_data, cell \[3\], `x = 1 \.\.\.`: ZeroDivisionError: division by zero",
        ),
        (
            "import sys; sys.exit()",
            r"1_data, cell \[3\], `import sys; sys.exit\(\)`: SystemExit",
        ),
        ("import sys; sys.exit(0)", r"cell \[3\].*: SystemExit"),
        (
            "import os; os._exit(1)",
            r"1_data, cell \[3\].*: the kernel ended by itself with status 1",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cell_that_fails_leaves_the_good_run_and_a_folder_named_so(
    run_cells, tmp_path, cell, message
):
    good = run_cells("1")
    with pytest.raises(ReportError, match=message):
        run_cells(cell, "2")
    folders = sorted(path.name for path in (tmp_path / "out {1}").iterdir())
    assert len(folders) == 2
    assert good.name in folders
    (failed,) = (tmp_path / "out {1}").glob("*.failed")
    assert (failed / "notebooks" / "1_data.ipynb").is_file()
    assert re.search(message, read_record(failed)["error"])
    assert run_cells("1", force=True) == good


def test_a_file_that_changes_midway_fails_the_run(run_cells, study):
    touch = f"open({str(study / 'claims.csv')!r}, 'a').write(chr(10))"
    with pytest.raises(
        ReportError, match=r"a file changed while the report ran: claims.csv \(of the study\)"
    ):
        run_cells(touch)


def test_a_change_of_the_package_is_not_blamed_on_the_study():
    before = {
        "inputs": {"claims.csv": 1}, "notebooks": {"1_data": 1}, "packages": {"numpy": "2"},
        "code": {"cli.py": 1, "a.py": 1, "b.py": 1, "c.py": 1},
    }  # fmt: skip
    after = before | {"code": {"cli.py": 1, "a.py": 2, "b.py": 2, "d.py": 1, "e.py": 1}}
    told = tell_changes(before, after)
    assert told == "a.py, b.py, c.py and 2 more (of this package)"
    assert tell_changes(before, before | {"packages": {}}) == "numpy (an installed package)"


def test_what_a_killed_run_left_is_cleared_and_named(run_cells):
    folder = run_cells("1")
    gone = subprocess.check_output(
        [sys.executable, "-c", "import os; print(os.getpid(), end='')"], text=True
    )
    leftover = folder.with_name(f"{folder.name}.partial-{MACHINE}-{gone}")
    folder.rename(leftover)
    told = []
    assert run_cells("1", tell=told.append) == folder
    assert not leftover.exists()
    assert told[0].startswith("cleared: ")


def test_a_run_that_is_still_going_is_let_be(run_cells):
    folder = run_cells("1")
    other = folder.with_name(f"{folder.name}.partial-{MACHINE}-{os.getppid()}")
    folder.rename(other)
    assert run_cells("1") == folder
    assert other.is_dir()


def test_a_note_that_someone_put_beside_a_report_stays(run_cells):
    note = run_cells("1") / "notes.txt"
    note.write_text("mine", encoding="utf-8")
    run_cells("1")
    assert note.is_file()


@pytest.mark.parametrize("name", ["report.html", "results.json"])
def test_a_run_that_lost_or_changed_a_file_is_made_again(run_cells, name):
    file = run_cells("1") / name
    file.write_text("changed", encoding="utf-8")
    run_cells("1")
    assert file.read_text(encoding="utf-8") != "changed"
    file.unlink()
    run_cells("1")
    assert file.is_file()


def test_what_lies_beside_the_study_is_not_imported(run_cells, study):
    for name in ("evaluation", "pandas", "matplotlib"):
        (study.parent / f"{name}.py").write_text("raise SystemExit(1)", encoding="utf-8")
    (study.parent / "matplotlibrc").write_text("savefig.facecolor: red", encoding="utf-8")
    run_cells("import pandas; from evaluation import Study; Study.load(study)")


def test_a_warning_tells_no_path_of_this_machine(run_cells):
    folder = run_cells("import sys, evaluation; print(sys.prefix + '/x', evaluation.__file__)")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert sys.prefix not in page
    assert str(REPO) not in page


def test_two_exhibits_of_one_name_are_refused(run_cells):
    show = "from evaluation import Study, source_table; source_table(Study.load(study))"
    with pytest.raises(ReportError, match="two exhibits are named 'source'"):
        run_cells(show, show)


def test_files_of_an_exhibit_stand_beside_its_table(run_cells):
    show = (
        "from dataclasses import replace; from evaluation import Study, source_table\n"
        "replace(source_table(Study.load(study)), files={'_zh.tex': b'three rules'})"
    )
    folder = run_cells(show)
    assert (folder / "tables" / "source_zh.tex").read_bytes() == b"three rules"
    assert (folder / "tables" / "source.csv").is_file()
    record = read_record(folder)
    assert "tables/source_zh.tex" in record["outputs"]


def test_a_folder_that_cannot_be_written_is_named_before_a_kernel_starts(study, tmp_path):
    (tmp_path / "out").write_text("a file", encoding="utf-8")
    with pytest.raises(ReportError, match=r"cannot write to .*out.* Name another folder"):
        run.run_report(study, out=tmp_path / "out")
