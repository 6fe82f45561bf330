"""Chapters run side by side, a study's own among them, and stop when one of them fails."""

import asyncio
import json
import math
import shutil
import time

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.iorw import papermill_io

import evaluation
from evaluation.errors import ReportError
from evaluation.report import chapters, run
from evaluation.report.chapters import choose_chapters
from evaluation.report.kernels import Kernels
from evaluation.report.parameters import read_parameters
from evaluation.report.record.describe import describe_run
from evaluation.report.record.store import NAME, is_whole, read_record
from tests.conftest import JINING, edit

DECLARED = 'study: str = "x"\nshare: float = 0.5\nlanguage: str = "en"'
SOON = 40  # seconds, on a busy machine; what sleeps sleeps for longer
SLEEP = "import time; time.sleep(90)"


def notebook(*cells, declared=DECLARED):
    node = new_notebook(cells=[new_code_cell(declared), *map(new_code_cell, cells)])
    node.cells[0].metadata["tags"] = ["parameters"]
    for number, cell in enumerate(node.cells):  # else drawn, so that equal ones would differ
        cell["id"] = f"cell-{number}"
    return node


def kernels_left():
    """List the kernels that this process has started and that still run."""
    children = psutil.Process().children(recursive=True)
    return [
        child.pid
        for child in children
        if child.status() != psutil.STATUS_ZOMBIE and "ipykernel" in " ".join(child.cmdline())
    ]


@pytest.fixture
def study(tmp_path):
    return shutil.copytree(JINING, tmp_path / "studies" / "jining_2021")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def run_chapters(tmp_path, monkeypatch, study, out):
    """Run a report whose chapters hold the cell given for each, on two processors."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(chapters, "notebook_folder", lambda: folder)
    monkeypatch.setattr(chapters, "processors", lambda: 2)

    def call(cells, **options):
        monkeypatch.setattr(chapters, "CHAPTERS", dict.fromkeys(cells, ("claims",)))
        for name, cell in cells.items():
            nbformat.write(notebook(cell), folder / f"{name}.ipynb")
        return run.run_report(study, out=out, **options)

    return call


def own_chapter(study, node, name="7_own.ipynb"):
    nbformat.write(node, study / name)
    edit(study / "study.yml", "\nprogramme:", f"\nchapters: [{name}]\nprogramme:")


def read(folder, name=NAME):
    if name == NAME:
        return read_record(folder)
    return json.loads((folder / name).read_text(encoding="utf-8"))


def test_chapters_meet_and_come_out_in_order(run_chapters, tmp_path):
    def meet(mine, other):
        return (
            "import pathlib, time\n"
            f"pathlib.Path({str(tmp_path / mine)!r}).touch()\n"
            f"for _ in range({SOON * 10}):\n"
            f"    if pathlib.Path({str(tmp_path / other)!r}).exists(): break\n"
            "    time.sleep(.1)\n"
            "else:\n    raise TimeoutError\n"
            f"print({mine!r})"
        )

    steps = []
    cells = {"1_first": meet("met one", "met two"), "2_second": meet("met two", "met one")}
    folder = run_chapters(cells, on_step=steps.append)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert 0 < page.rindex("met one") < page.rindex("met two")
    seconds = read(folder)["seconds"]
    assert sorted(seconds) == ["1_first", "2_second"]
    assert all(0 < value < 2 * SOON for value in seconds.values())
    for name in cells:
        told = [step for step in steps if step.chapter == name]
        assert [step.state for step in told] == ["waiting", "running", "done"]
        assert [math.isnan(step.seconds) for step in told] == [True, True, False]
        assert told[2].seconds == seconds[name]

    # papermill, which changes to a folder to read and write, is left with none of this run's.
    assert papermill_io.get_handler("local")._cwd is None

    # The next run says how long this one took; it is stopped before a kernel starts.
    told = []

    def stop(step):
        told.append(step)
        if step.state == "running":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chapters(cells, force=True, on_step=stop)
    waiting = {step.chapter: step.seconds for step in told if step.state == "waiting"}
    assert waiting == seconds
    assert is_whole(folder, read(folder)["hash"])
    assert folder.with_name(f"{folder.name}.failed").is_dir()


def test_a_chapter_that_fails_stops_the_others(run_chapters, out, capfd):
    start = time.monotonic()
    with pytest.raises(ReportError, match=r"3_fails, cell \[3\].*ZeroDivisionError"):
        run_chapters({"1_sleeps": SLEEP, "2_sleeps": SLEEP, "3_fails": "1 / 0"})
    assert time.monotonic() - start < SOON
    assert not kernels_left()
    assert capfd.readouterr().err == ""
    (failed,) = out.iterdir()
    assert failed.suffix == ".failed" and (failed / "notebooks" / "3_fails.ipynb").is_file()


@pytest.fixture
def count(tmp_path):
    """Give a cell that notes in a file that it ran, and the names of those that did."""
    log = tmp_path / "ran"

    def cell(name, end=""):
        return f"with open({str(log)!r}, 'a') as log: log.write({f'{name} '!r})\n{end}"

    def ran():
        names = log.read_text().split() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted(names)

    return cell, ran


def test_a_chapter_that_did_not_change_is_taken_from_the_run_before(run_chapters, count):
    cell, ran = count
    first = run_chapters({"1_same": cell("one", "print(1)"), "2_edited": cell("two")})
    assert ran() == ["one", "two"]
    told, cells = [], {"1_same": cell("one", "print(1)"), "2_edited": cell("TWO")}
    second = run_chapters(cells, tell=told.append)
    assert second != first and ran() == ["TWO"]
    assert told == ["unchanged chapters: 1_same; --force runs them again"]
    record, before = read(second), read(first)
    assert record["reused"] == ["1_same"] and before["reused"] == []
    assert record["seconds"]["1_same"] == before["seconds"]["1_same"]
    name = "notebooks/1_same.ipynb"
    assert record["outputs"][name] == before["outputs"][name]
    page = (second / "report.html").read_bytes()

    again = run_chapters(cells, force=True)
    assert again == second and ran() == ["TWO", "one"]
    assert (again / "report.html").read_bytes() == page
    assert read(again)["reused"] == []


def test_a_chapter_is_run_again_if_an_input_or_its_notebook_of_before_was_altered(
    run_chapters, count, study
):
    cell, ran = count
    cells = {"1_same": cell("one"), "2_edited": cell("two")}
    folder = run_chapters(cells)
    ran()
    with (folder / "notebooks" / "1_same.ipynb").open("a") as file:
        file.write("\n")
    run_chapters({**cells, "2_edited": cell("TWO")})
    assert ran() == ["TWO", "one"]
    edit(study / "study.yml", "version: 1", "version: 1 # as before")
    run_chapters(cells)
    assert ran() == ["one", "two"]


def test_what_was_done_of_a_run_that_failed_is_not_done_again(run_chapters, count):
    cell, ran = count
    wait = "import time; time.sleep(3)"  # until the other one is done
    with pytest.raises(ReportError, match="ZeroDivisionError"):
        run_chapters({"1_good": cell("one"), "2_fails": cell("two", f"{wait}; 1 / 0")})
    assert ran() == ["one", "two"]
    run_chapters({"1_good": cell("one"), "2_fails": cell("two", "1 / 1")})
    assert ran() == ["two"]


def test_an_interrupted_run_leaves_no_kernel_and_says_what_was_done(run_chapters, out):
    def interrupt(step):
        if step.state == "done":
            raise KeyboardInterrupt

    told, start = [], time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run_chapters({"1_done": "1", "2_sleeps": SLEEP}, on_step=interrupt, tell=told.append)
    assert time.monotonic() - start < SOON
    assert not kernels_left()
    (failed,) = out.iterdir()
    assert failed.suffix == ".failed" and read(failed)["error"] == "interrupted"
    assert [*read(failed)["seconds"]] == ["1_done"]
    assert told == [f"failed: what was done so far is in {failed}"]


def test_a_kernel_that_starts_late_is_stopped_too():
    kernels = Kernels()
    manager = kernels.new().manager()
    kernels.kill()

    async def start():
        with pytest.raises(ReportError, match="another chapter failed"):
            await manager.start_kernel()

    asyncio.run(start())
    assert not kernels_left()


# -- a chapter of the study's own ----------------------------------------------------------


def test_a_chapter_of_ones_own_comes_after_the_others(run_chapters, study):
    node = notebook("print(study, share, 'by my own chapter')")
    node.cells.insert(0, new_markdown_cell("# What we asked\n\nOur own words."))
    own_chapter(study, node)
    folder = run_chapters({"1_data": "print('data')"}, parameters={"share": "0.25"})
    page = (folder / "report.html").read_text(encoding="utf-8")
    said = "jining_2021/study.yml 0.25 by my own chapter"
    assert page.index("What we asked") < page.index(said)
    assert page.rindex("data") > 0 and (folder / "notebooks" / "7_own.ipynb").is_file()
    told = read(folder)
    assert list(told["notebooks"]) == ["1_data", "7_own"]
    assert told["parameters"]["7_own"]["share"] == 0.25
    assert read(folder, "results.json")["exhibits"] == []


def test_a_changed_chapter_makes_another_run(study):
    def hashed():
        loaded = evaluation.Study.load(study)
        return describe_run(loaded, choose_chapters(loaded), {}, font="")["hash"]

    own_chapter(study, notebook("1"))
    first = hashed()
    assert hashed() == first
    nbformat.write(notebook("2"), study / "7_own.ipynb")
    assert hashed() != first


@pytest.mark.parametrize(
    ("name", "node", "message"),
    [
        ("1_data.ipynb", notebook(), "there is a chapter 1_data already; rename the file"),
        ("6_robustness.ipynb", notebook(), "there is a chapter 6_robustness already"),
        ("7_own.ipynb", new_notebook(cells=[]), "7_own: 0 cells are tagged 'parameters'"),
        ("7_own.ipynb", notebook(declared="share = 1"), "7_own: .* holds 'share = 1'; each"),
    ],
)
def test_a_chapter_that_cannot_be_one_is_told_before_a_kernel_starts(
    study, out, name, node, message
):
    own_chapter(study, node, name)
    with pytest.raises(ReportError, match=message):
        run.run_report(study, out=out)
    assert not out.exists()


def test_a_chapter_that_is_not_there_is_named(study, out):
    own_chapter(study, notebook())
    (study / "7_own.ipynb").unlink()
    with pytest.raises(ReportError, match=r"7_own.ipynb: not a notebook: .*No such file"):
        run.run_report(study, out=out)
    assert not out.exists()


# -- what the run is asked for -------------------------------------------------------------


def test_two_languages_are_one_too_many(out):
    with pytest.raises(ReportError, match="--lang zh: -p language=en says another; give one"):
        run.run_report(JINING, out=out, language="zh", parameters={"language": "en"})
    assert not out.exists()


def test_the_language_reaches_every_chapter():
    chosen = choose_chapters(evaluation.Study.load(JINING))
    declared = {name: read_parameters(path) for name, path in chosen.items()}
    for given, language in (({}, "zh"), ({"language": "zh"}, None), ({"language": "zh"}, "zh")):
        values = run.choose_values(declared, given, language)
        assert {notebook["language"] for notebook in values.values()} == {"zh"}


def test_formats_are_written_into_the_finished_run(run_chapters, monkeypatch):
    asked = []
    monkeypatch.setattr(run, "write_documents", lambda *given: asked.append(given))
    folder = run_chapters({"1_data": "1"}, formats=["docx", "latex"])
    assert asked == [(folder, ["docx", "latex"])]


def test_a_format_that_nobody_writes_is_told_before_anything_is_read(out):
    with pytest.raises(ReportError, match="--to odt: give docx, pdf or latex"):
        run.run_report("no study", out=out, formats=["odt"])


def test_running_a_report_is_public():
    assert evaluation.run_report is run.run_report
