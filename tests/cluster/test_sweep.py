"""Sweeps of reports whose chapters are the tests' own: quick, and known to the last cell."""

import csv
import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from evaluation.cli import main
from evaluation.cluster import sweep as sweeps
from evaluation.cluster.reports import plan_sweep, run_sweep
from evaluation.errors import ReportError
from evaluation.report.record.store import NAME, is_whole, read_record
from tests.cluster.swept import runs_in, states, tree
from tests.conftest import edit
from tests.report.one_chapter import COMMAND

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the tests' chapters reach forks alone")

SOON = 60  # seconds, on a busy machine


@pytest.fixture
def start(notebooks, study, out):
    """Start the command in a process of its own, and end it at the end."""
    started = []

    def call(*options, **popen):
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, notebooks, "sweep", study, "--out", out,
             "--jobs", "2", "--kernels", "plain", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen,
        )  # fmt: skip
        started.append(process)
        return process

    yield call
    for process in started:
        process.kill()
        process.communicate()


def wait_for(condition, seconds=SOON):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise TimeoutError


def test_all_reports_are_made_listed_and_shown(sweep, out):
    seen = []
    swept = sweep("n=1,2", "m=1,2", on_progress=seen.append)
    assert states(swept) == ["made"] * 4
    assert runs_in(out) == {report.run for report in swept.reports}
    for report in swept.reports:
        assert is_whole(out / report.run, read_record(out / report.run)["hash"])
        second = nbformat.read(out / report.run / "notebooks" / "2_second.ipynb", 4)
        total = int(report.point["n"]) + int(report.point["m"])
        assert second.cells[-1].outputs[0].text == f"{total}\n"
    with (out / "jining_2021-sweep.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [(row["n"], row["m"], row["state"]) for row in rows] == [
        (n, m, "made") for n in "12" for m in "12"
    ]
    page = Path(swept.index).read_text(encoding="utf-8")
    assert all(report.run in page for report in swept.reports)
    assert swept.summary() == "4 reports: 4 made, 0 unchanged, 0 failed"
    assert [one.reports[0] for one in seen] == [0, 1, 2, 3, 4]
    assert seen[-1].chapters == (6, 6)


def test_a_chapter_that_reports_share_is_run_once(sweep, out, notebooks):
    mark = out.parent / "marks"
    nb = nbformat.read(notebooks / "1_first.ipynb", 4)
    nb.cells[1].source = f"with open({str(mark)!r}, 'a') as file: print(n, file=file)"
    nbformat.write(nb, notebooks / "1_first.ipynb")
    sweep("n=1,2", "m=1,2,3", kernels="warm")
    assert sorted(mark.read_text().split()) == ["1", "2"]
    records = [read_record(out / run) for run in runs_in(out)]
    assert [record["reused"] for record in records] == [[]] * 6
    assert all(record["seconds"]["1_first"] > 0 for record in records)


def test_a_swept_report_is_the_one_that_report_makes(sweep, study, out, tmp_path):
    from evaluation.report.run import run_report

    (report,) = sweep("m=3").reports
    alone = run_report(study, parameters={"m": 3}, out=tmp_path / "alone")
    assert alone.name == report.run
    mine, other = tree(out / report.run), tree(alone)
    for record in (mine, other):
        del record[Path(NAME)]  # has when it was made
    assert mine == other


def test_what_is_there_is_left_and_the_rest_is_made(sweep, out):
    first = sweep("m=1,2")
    before = {run: tree(out / run) for run in runs_in(out)}
    second = sweep("m=1,2,3")
    assert states(second) == ["unchanged", "unchanged", "made"]
    assert {run: tree(out / run) for run in before} == before
    assert {report.run for report in first.reports} < runs_in(out)
    again = sweep("m=1,2,3", force=True)
    assert states(again) == ["made"] * 3


def test_one_that_fails_stops_no_other_and_is_listed_with_its_error(sweep, out, study, capsys):
    swept = sweep("m=1,9,2")
    assert states(swept) == ["made", "failed", "made"]
    (failed,) = swept.failed
    assert failed.error == "2_second, cell [4], `assert m < 9, 'm is too large'`: " \
        "AssertionError: m is too large"  # fmt: skip
    kept = out / f"{failed.run}.failed"
    node = nbformat.read(kept / "notebooks" / "2_second.ipynb", 4)
    assert node.metadata["evaluation"]["status"] == "failed"
    assert (kept / "notebooks" / "1_first.ipynb").is_file()
    assert read_record(kept)["error"] == failed.error
    assert runs_in(out) == {kept.name, *(r.run for r in swept.reports if r.state == "made")}
    assert main(["sweep", str(study), "--over", "m=1,9,2", "--out", str(out)]) == 1
    told = capsys.readouterr().out
    assert "3 reports: 0 made, 2 unchanged, 1 failed\nfailed: m=9: 2_second, cell [4]" in told


def test_a_report_that_never_ends_is_stopped_and_told_in_a_line(sweep):
    swept = sweep("wait=0,500", timeout=2)
    assert states(swept) == ["made", "failed"]
    assert "ran longer than the 2 seconds that --timeout allows" in swept.failed[0].error
    assert "\n" not in swept.failed[0].error


def test_points_that_come_to_the_same_are_one_report(sweep, out):
    swept = sweep("m=1,01,2")
    assert [report.point["m"] for report in swept.reports] == ["1", "2"]
    assert len(runs_in(out)) == 2


def test_workers_that_are_killed_lose_nothing(sweep, out, tmp_path):
    quiet = sweep("n=1,2,3", "m=1,2", "wait=0.3", out=tmp_path / "quiet")
    killed = []

    def kill(progress):
        if not killed and progress.reports[0] >= 1:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    swept = sweep("n=1,2,3", "m=1,2", "wait=0.3", on_progress=kill)
    assert killed
    assert states(swept) == ["made"] * 6
    assert runs_in(out) == {report.run for report in quiet.reports}
    for run in runs_in(out):
        mine, other = tree(out / run), tree(tmp_path / "quiet" / run)
        assert {k: v for k, v in mine.items() if k.name != NAME} == {
            k: v for k, v in other.items() if k.name != NAME
        }


def test_a_file_that_changes_meanwhile_fails_the_reports_of_it(sweep, study, out):
    def change(progress):
        if progress.reports[0] == 1:
            edit(study / "study.yml", "version: 1", "version: 1 # more")

    swept = sweep("m=1,2", "wait=0.5", n_workers=1, on_progress=change)
    assert states(swept) == ["made", "failed"]
    assert "changed in the meantime; run it again" in swept.failed[0].error
    made = swept.reports[0].run
    assert [path.parent.name for path in out.glob(f"jining_2021-????????/{NAME}")] == [made]
    again = sweep("m=1,2", "wait=0.5")
    assert states(again) == ["made", "made"]
    assert runs_in(out) == {made, *(report.run for report in again.reports)}


def test_a_chapter_of_other_files_is_not_taken(sweep, study, out):
    plan = plan_sweep(study, over=["m=1"], out=out, kernels="plain")
    (report,) = plan.reports
    for name, key in report.keys.items():
        assert not sweeps.run_chapter(plan.sweep, report.point, name, key).error
    edit(study / "study.yml", "version: 1", "version: 1 # more")
    done = sweeps.make_report(plan.sweep, report.point, report.keys)
    assert "changed in the meantime" in done.error
    late = sweeps.run_chapter(plan.sweep, report.point, "1_first", report.keys["1_first"])
    assert "changed in the meantime" in late.error


def test_a_kernel_that_is_killed_is_started_again(sweep, out, notebooks):
    nb = nbformat.read(notebooks / "1_first.ipynb", 4)
    mark = out.parent / "mark"
    nb.cells[1].source = (
        f"import os, pathlib; mark = pathlib.Path({str(mark)!r})\n"
        "if not mark.exists(): mark.touch(); os.kill(os.getpid(), 9)"
    )
    nbformat.write(nb, notebooks / "1_first.ipynb")
    assert states(sweep("m=1,2")) == ["made", "made"]
    nb.cells[1].source = "import os; os.kill(os.getpid(), 9)"
    nbformat.write(nb, notebooks / "1_first.ipynb")
    swept = sweep("m=1,2", retries=1)
    assert states(swept) == ["failed", "failed"]
    assert "the kernel was killed (SIGKILL), most likely for want of memory" in swept.summary()


def test_a_task_whose_worker_is_killed_again_and_again_is_given_up(sweep, notebooks):
    nb = nbformat.read(notebooks / "1_first.ipynb", 4)
    # The kernel's server, its worker.
    nb.cells[1].source = (
        "import os, psutil, signal\n"
        "if n == 2:\n"
        "    for one in psutil.Process().parents():\n"
        "        if 'pytest' in ' '.join(one.cmdline()) and one.ppid() != 1:\n"
        "            os.kill(one.pid, signal.SIGKILL); break\n"
        "import time; time.sleep(5 * (n == 2))"
    )
    nbformat.write(nb, notebooks / "1_first.ipynb")
    swept = sweep("n=1,2", retries=1)
    assert states(swept) == ["made", "failed"]
    assert "its worker was killed 2 times" in swept.failed[0].error


def test_a_sweep_that_is_killed_and_begun_again_makes_what_is_missing(start, out, sweep):
    process = start("--over", "n=1,2,3,4", "--over", "wait=0.5")
    wait_for(lambda: len([*out.glob(f"jining_2021-????????/{NAME}")]) >= 1)
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=SOON)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]
    there = {path.parent.name for path in out.glob(f"jining_2021-????????/{NAME}")}
    times = {run: (out / run / NAME).stat().st_mtime_ns for run in there}
    assert 1 <= len(there) < 4
    swept = sweep("n=1,2,3,4", "wait=0.5")
    assert states(swept).count("unchanged") == len(there)
    assert states(swept).count("made") == 4 - len(there)
    assert {run: (out / run / NAME).stat().st_mtime_ns for run in there} == times
    assert runs_in(out) == {report.run for report in swept.reports}


def test_chapters_that_a_killed_sweep_left_are_not_run_again(sweep, out, monkeypatch, study):
    plan = plan_sweep(study, over=["n=1", "m=1"], out=out)
    first = next(iter(plan.reports))
    sweeps.run_chapter(plan.sweep, first.point, "1_first", first.keys["1_first"])
    begun = []
    real = sweeps.run_chapter
    monkeypatch.setattr(sweeps, "run_chapter", lambda *a: begun.append(a[2]) or real(*a))
    monkeypatch.setattr(
        "evaluation.cluster.workers.LocalWorkers.submit", lambda self, task, *a: _now(task, *a)
    )
    assert states(run_sweep(plan, workers=1)) == ["made"]
    assert begun == ["2_second"]


def _now(task, *given):
    from concurrent.futures import Future

    future = Future()
    future.set_result(task(*given))
    return future


def test_ctrl_c_ends_all_and_leaves_what_was_made(start, out):
    process = start("--over", "n=1,2,3,4", "--over", "wait=0.6", start_new_session=True)
    wait_for(lambda: len([*out.glob(f"jining_2021-????????/{NAME}")]) >= 1)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=SOON)
    assert process.returncode == 130
    assert errors.endswith("interrupted\n")
    assert "Traceback" not in errors
    _, alive = psutil.wait_procs(children, timeout=SOON)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_a_folder_that_is_read_only_is_told_in_one_line(sweep, out, monkeypatch):
    def refuse(path, content):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(ReportError) as raised:
        sweep("m=1")
    assert str(raised.value) == (
        f"cannot write to {out}: Read-only file system. Name another folder with --out."
    )


def test_an_out_that_is_a_file_is_told_in_one_line(sweep, out):
    out.write_text("x")
    with pytest.raises(ReportError, match=r"cannot write to .*out: .*Name another folder"):
        sweep("m=1")


def test_a_full_disk_is_told_once_for_all_reports(start, notebooks):
    import resource

    def no_large_file():
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))

    nb = nbformat.read(notebooks / "2_second.ipynb", 4)
    nb.cells[-1].source = "print('x' * 500_000)"
    nbformat.write(nb, notebooks / "2_second.ipynb")
    process = start("--over", "m=1,2,3", preexec_fn=no_large_file)
    out, errors = process.communicate(timeout=SOON)
    assert process.returncode == 1, errors
    counts, failed, listed = out.splitlines()
    assert counts == "3 reports: 0 made, 0 unchanged, 3 failed"
    assert failed.startswith("failed: m=1 and 2 more: 2_second: cannot write ")
    assert "File too large. Make room, or name another folder with --out" in failed
    assert listed.endswith("jining_2021-sweep.csv")


def test_parts_make_their_share_and_the_whole_then_only_lists(sweep, out):
    for k in (1, 2):
        part = sweep("m=1,2,3", part=(k, 2))
        assert part.index is None and {*states(part)} == {"made"}
    assert not (out / "index.html").exists()
    swept = sweep("m=1,2,3")
    assert states(swept) == ["unchanged"] * 3
    assert (out / "index.html").is_file()


def test_a_dry_run_lists_the_reports_and_writes_nothing(study, notebooks, out, capsys):
    given = ["sweep", str(study), "--over", "m=1,2", "--out", str(out), "--dry-run"]
    assert main(given) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[1:] for line in lines] == [["waiting", "m=1"], ["waiting", "m=2"]]
    assert not out.exists()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--jobs", "0"], "--jobs 0: give a number from 1 on."),
        (["--jobs", "2", "--scheduler", "tcp://x:1"], "--jobs and --scheduler: give one"),
        (["--part", "2"], "--part 2: write K/N, as in 2/8."),
        (["--part", "3/2"], "--part 3/2: give k/n with k from 1 to n."),
        (["-p", "m=2"], "m: the grid varies it, and it is given for all; leave it in one."),
        (["--retries", "-1"], "--retries -1: give a number from 0 on."),
        (["--parts", "2"], "--parts: only with --slurm-script."),
        (["--part", "1/2", "--slurm-script", "x"], "--part and --slurm-script: give one of"),
        (["--key", "k.csv"], "--key: only with --pseudonymise."),
        (["-p", "q=1"], "-p q: no notebook has this parameter"),
        (["--over", "m=x"], "-p m: 'x' is not int."),
    ],
)
def test_options_that_do_not_go_together_are_told_in_one_line(
    study, notebooks, out, capsys, options, told
):
    over = [] if "--over" in options else ["--over", "m"]
    over = ["--over", "m=1"] if over else []
    assert main(["sweep", str(study), "--out", str(out), *over, *options]) == 2
    assert told in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()


def test_a_slurm_script_has_an_array_of_parts(study, notebooks, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grid.yml").write_text("over: {m: [1, 2, 3]}", encoding="utf-8")
    given = ["sweep", str(study), "--grid", "grid.yml", "--over", "n=1,2", "--lang", "zh"]
    assert main([*given, "--out", "my runs", "--slurm-script", "s.sh", "--parts", "4"]) == 0
    text = (tmp_path / "s.sh").read_text(encoding="utf-8")
    assert "#SBATCH --array=1-4\n" in text
    subprocess.run(["bash", "-n", "s.sh"], check=True)
    last = text.splitlines()[-1]
    assert last.endswith('--part "${SLURM_ARRAY_TASK_ID}/4"')
    assert f"--over n=1,2 --grid {tmp_path}/grid.yml --lang zh --out 'my runs'" in last
    assert "--retries 2" in last
    assert "6 reports in 4 parts; submit it with: sbatch s.sh" in capsys.readouterr().out
