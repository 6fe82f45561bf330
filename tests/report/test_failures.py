"""However a run ends, it says so, leaves no kernel, and claims nothing that was not done."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.errors import ReportError
from evaluation.report import chapters, outputs, run
from evaluation.report.files import documents
from evaluation.report.record.store import read_record
from evaluation.report.run_folder import name_process
from tests.conftest import JINING
from tests.report.one_chapter import COMMAND

POSIX = pytest.mark.skipif(os.name == "nt", reason="signals are not so on Windows")
SOON = 60  # seconds, on a busy machine; what sleeps sleeps for longer
SLEEP = "import time; time.sleep(200)"


@pytest.fixture
def study(tmp_path):
    return shutil.copytree(JINING, tmp_path / "studies" / "jining_2021")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def write_chapters(tmp_path):
    """Write notebooks of the cells given for each."""
    folder = tmp_path / "notebooks"
    folder.mkdir()

    def write(**cells):
        for name, sources in cells.items():
            node = new_notebook(
                cells=[new_code_cell(s) for s in ('study: str = "x"', *sources)]
            )
            node.cells[0].metadata["tags"] = ["parameters"]
            for number, cell in enumerate(node.cells):
                cell["id"] = f"cell-{number}"
            nbformat.write(node, folder / f"{name}.ipynb")
        return folder

    return write


@pytest.fixture
def run_cells(write_chapters, monkeypatch, study, out):
    """Run a report whose one chapter holds the cells given."""
    monkeypatch.setattr(chapters, "CHAPTERS", {"1_data": ("claims",)})

    def call(*cells, **options):
        folder = write_chapters(**{"1_data": cells})
        monkeypatch.setattr(chapters, "notebook_folder", lambda: folder)
        return run.run_report(study, **{"out": out, **options})

    return call


@pytest.fixture
def start_command(write_chapters, study, out):
    """Start the command in a process of its own, and end it and its kernels at the end."""
    started = []

    def start(cells, *options, **popen):
        folder = write_chapters(**cells)
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, folder, "report", study, "--out", out,
             "--kernels", "plain", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def failed_run(out):
    """Read what a run that failed left: its record, its notebooks and their text."""
    (folder,) = out.iterdir()
    assert folder.suffix == ".failed"
    texts = {p.stem: p.read_text(encoding="utf-8") for p in folder.rglob("*.ipynb")}
    return read_record(folder), texts


def claims(notebook):
    """Give a notebook's text, and what it says of itself."""
    return json.loads(notebook)["metadata"].get("evaluation")


def of(process):
    """Name a process of this machine as folders are named after it."""
    return f"{name_process().rpartition('-')[0]}-{process}"


def pids_in(file):
    """Wait until a cell has told its processes."""
    for _ in range(SOON * 10):
        if file.is_file() and file.read_text().endswith("\n"):
            return [int(word) for word in file.read_text().split()]
        time.sleep(0.1)
    raise TimeoutError(file)


def all_ended(pids):
    gone = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, alive = psutil.wait_procs(gone, timeout=SOON)
    return not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


# -- a cell, or its kernel, comes to nothing -------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        pytest.param(
            "import os; os.kill(os.getpid(), 9)",
            r"the kernel was killed \(SIGKILL\), most likely for want of memory: use a machine",
            marks=POSIX,
        ),
        pytest.param(
            "import os; os.abort()", "the kernel was ended by SIGABRT: a package", marks=POSIX
        ),
        ("import os; os._exit(3)", "the kernel ended by itself with status 3: a cell must not"),
        ("x = 1; bytes(1 << 60)", "MemoryError; use a machine with more memory, or close"),
        ("import time; time.sleep(90)", "ran longer than the 2 seconds that --timeout allows"),
    ],
)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cell_that_comes_to_no_end_is_named_and_nothing_after_it_claimed(
    run_cells, out, cell, told
):
    first = cell.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(ReportError, match=rf"1_data, cell \[4\], `{first}`: {told}") as error:
        run_cells("print('so', 'far')", cell, "print('never')", timeout=2)
    record, texts = failed_run(out)
    assert record["error"] == str(error.value)
    assert claims(texts["1_data"]) == {"status": "failed", "error": str(error.value)}
    assert "so far" in texts["1_data"]
    assert "completed" not in texts["1_data"] and '"papermill":' not in texts["1_data"]
    cells = json.loads(texts["1_data"])["cells"]
    last = next(c for c in cells if "never" in "".join(c["source"]))
    assert last["execution_count"] is None and last["outputs"] == []
    stopped = next(c for c in cells if "".join(c["source"]) == cell)
    assert [o["output_type"] for o in stopped["outputs"]] == ["error"]


def test_cells_that_take_less_than_allowed_together_may_take_more(run_cells):
    half = "import time; time.sleep(2)"
    assert (run_cells(half, half, half, timeout=5) / "report.html").is_file()


# -- the command is stopped ------------------------------------------------------------------


def tells_and_sleeps(file):
    return (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(200)'])\n"
        f"open({str(file)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}\\n')\n{SLEEP}"
    )


@POSIX
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_leaves_a_failed_run_and_no_process(
    start_command, tmp_path, out, sent
):
    process = start_command(
        {"1_data": ["print('so', 'far')", tells_and_sleeps(tmp_path / "p")]}
    )
    pids = pids_in(tmp_path / "p")
    process.send_signal(sent)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 130
    failed, interrupted = told.splitlines()
    assert failed.startswith("failed: what was done so far is in ")
    assert interrupted == "interrupted"
    record, texts = failed_run(out)
    assert record["error"] == "interrupted"
    assert claims(texts["1_data"])["status"] == "failed"
    assert (
        "cell [4], `import os, subprocess, sys ...`: stopped, as the run was"
        in (claims(texts["1_data"])["error"])
    )
    assert "so far" in texts["1_data"] and "completed" not in texts["1_data"]
    assert all_ended(pids)


@POSIX
def test_a_killed_command_takes_its_kernels_along_and_the_next_clears_up(
    start_command, tmp_path, out
):
    process = start_command({"1_data": [tells_and_sleeps(tmp_path / "p")]})
    pids = pids_in(tmp_path / "p")
    process.kill()
    process.communicate(timeout=SOON)
    assert all_ended(pids)
    (left,) = out.iterdir()
    assert left.name.endswith(f".partial-{of(process.pid)}")
    documents_left = left.with_name(f"{left.stem}.documents-{of(process.pid)}")
    documents_left.mkdir()  # where it was killed while it wrote documents

    again = start_command({"1_data": ["1"]})
    page, told = again.communicate(timeout=SOON)
    assert again.returncode == 0, told
    assert told.splitlines() == [
        f"cleared: {folder}, left by a run that was killed" for folder in (left, documents_left)
    ]
    assert [*out.iterdir()] == [Path(page.strip()).parent]


# -- what is written cannot be ---------------------------------------------------------------


@POSIX
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_full_disk_is_said_to_be_full(start_command, out):
    import resource

    def no_large_file():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))

    process = start_command({"1_data": ["print('x' * 3_000_000)"]}, preexec_fn=no_large_file)
    _, told = process.communicate(timeout=SOON)
    assert process.returncode == 2
    error = told.splitlines()[-1]
    assert error.startswith("ReportError: 1_data: cannot write ")
    assert "1_data.ipynb: File too large. Make room, or name another folder" in error
    record, texts = failed_run(out)
    assert "cannot write" in record["error"]
    assert not texts, "half a notebook is none"


def test_a_disk_that_is_full_at_the_end_fails_the_run(run_cells, out, monkeypatch):
    def write_json(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(outputs, "write_json", write_json)
    with pytest.raises(ReportError, match=r"cannot write .*\.json: No space left .*Make room"):
        run_cells("1")
    record, texts = failed_run(out)
    assert "No space left" in record["error"]
    assert claims(texts["1_data"]) is None  # the chapter itself is whole


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_folder_that_is_removed_midway_is_named(run_cells, out):
    with pytest.raises(ReportError, match=r"1_data: cannot write .*1_data\.ipynb: "):
        run_cells(f"import shutil; shutil.rmtree({str(out)!r})", "2")
    assert not [*out.glob("*")]


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /sys")
def test_a_folder_that_may_not_be_written_is_told_before_a_kernel_starts(run_cells):
    place = Path("/sys/reports")  # where a superuser may not write either
    with pytest.raises(ReportError, match=r"cannot write to /sys/reports: .*Name another"):
        run_cells("1", out=place)


def test_documents_that_cannot_be_written_leave_the_run_whole(run_cells, out, monkeypatch):
    def full(run, written):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(documents, "read_report", lambda run: full(run, ()))
    with pytest.raises(ReportError, match=r"No space left .*The report itself is whole"):
        run_cells("1", formats=["docx"])
    (folder,) = out.iterdir()
    assert (folder / "report.html").is_file() and "error" not in read_record(folder)
