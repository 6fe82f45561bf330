"""The verbs on reports: what a program and a person get, and what shells complete."""

import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.cli import main
from evaluation.cli.progress import show_progress
from evaluation.errors import ReportError
from evaluation.language import spoken
from evaluation.report import run
from evaluation.report.chapters import Step
from evaluation.report.index import write as index
from tests.conftest import JINING
from tests.data.typed_studies import type_study

VERBS = {
    "report", "open", "index", "lab", "rerun", "compare", "verify", "package",
    "new", "check", "simulate", "template", "export", "power",
}  # fmt: skip
STUDY = "panel: {file: villages.csv, village: vill, year: year, outcomes: {y: y}}"


@pytest.fixture
def asked(monkeypatch):
    """What a report is asked for; nothing is run."""
    calls = []

    def run_report(study, **options):
        calls.append({"study": study, **options})
        options["tell"]("unchanged: x")
        return Path("reports/x-1")

    monkeypatch.setattr(run, "run_report", run_report)
    return calls


def make_run(folder, name, *, age):
    page = folder / name / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("page", encoding="utf-8")
    os.utime(page, (1_700_000_000 - age,) * 2)
    return page


# -- a program reads JSON ------------------------------------------------------------------


def test_a_report_is_told_to_a_program(asked, capsys):
    arguments = ["report", "s", "--json", "--to", "docx, latex", "-p", "a=1", "--lang", "zh"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert told.err == "unchanged: x\n"
    data = json.loads(told.out)
    assert data.pop("seconds") >= 0
    assert data == {
        "run": "reports/x-1",
        "report": "reports/x-1/report.html",
        "documents": ["reports/x-1/report.docx", "reports/x-1/latex"],
        "results": "reports/x-1/results.json",
    }
    (call,) = asked
    assert (call["study"], call["parameters"]) == (Path("s"), {"a": "1"})
    assert (call["language"], call["formats"]) == ("zh", ["docx", "latex"])
    assert call["key"] is None and not call["force"] and call["out"] == Path("reports")


def test_a_report_is_told_to_a_person(asked, capsys):
    assert main(["report", "s", "--to", "pdf"]) == 0
    assert capsys.readouterr().out == "reports/x-1/report.html\nreports/x-1/report.pdf\n"


def test_the_codes_are_kept_beside_the_study_or_where_one_says(asked):
    main(["report", "s", "--pseudonymise"])
    main(["report", "s", "--pseudonymise", "--key", "safe/k.csv"])
    assert [call["key"] for call in asked] == [Path("s/key.csv"), Path("safe/k.csv")]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--to", "odt"], "--to odt: give docx, pdf or latex."),
        (["--key", "k.csv"], "--key: only with --pseudonymise."),
        (
            ["--pseudonymise", "--key", "out/k.csv", "--out", "out"],
            "--key out/k.csv: not among the runs in out: it tells names.",
        ),
        (
            ["--lang", "zh", "-p", "language=en"],
            "--lang zh: -p language=en says another; give one.",
        ),
    ],
)
def test_a_mistake_is_one_error_for_a_person_and_a_program(
    tmp_path, monkeypatch, capsys, arguments, message
):
    monkeypatch.chdir(tmp_path)
    assert main(["report", str(JINING), *arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert told.err == f"ReportError: {message}\n"
    assert json.loads(told.out) == {"error": "ReportError", "message": message}
    assert not list(tmp_path.iterdir())


def test_an_interrupted_verb_says_so(monkeypatch, capsys):
    def interrupt(*given, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_report", interrupt)
    assert main(["report", "s", "--json"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")


@pytest.mark.skipif(os.name == "nt", reason="Windows ends a process without a signal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_verb_that_is_told_to_end_clears_up_as_if_interrupted(monkeypatch, capsys, name):
    def end(*given, **options):
        os.kill(os.getpid(), getattr(signal, name))

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    monkeypatch.setattr(run, "run_report", end)
    assert main(["report", "s"]) == 130
    assert capsys.readouterr() == ("", "interrupted\n")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "evaluation report: error: the following arguments are required: STUDY"),
        (["report", "s", "--lang", "fr"], "argument --lang: invalid choice: 'fr'"),
        (["frob"], "evaluation: error: argument VERB: invalid choice: 'frob'"),
    ],
)
def test_arguments_that_are_none_are_one_error_for_a_program_too(capsys, arguments, message):
    assert main([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert message in json.loads(told.out)["message"]
    assert main(arguments) == 2
    assert not capsys.readouterr().out


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is full")
def test_output_that_nobody_reads_or_holds_is_no_traceback(tmp_path):
    command = [sys.executable, "-m", "evaluation", "template", tmp_path / "t"]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (
        2, b"standard output: No space left on device\n",
    )  # fmt: skip
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*command[:-1], tmp_path / "u"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (2, b"")


def test_an_index_is_told_to_a_program(monkeypatch, capsys):
    def write_index(folder, *, studies):
        assert (folder, studies, spoken()) == (Path("runs"), Path("d"), "zh")
        return folder / "index.html"

    monkeypatch.setattr(index, "write_index", write_index)
    assert main(["index", "runs", "--studies", "d", "--lang", "zh", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"index": "runs/index.html"}
    assert spoken() == "en"


def test_an_index_of_no_run_is_an_error_to_a_program(tmp_path, capsys):
    assert main(["index", str(tmp_path), "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["error"] == "ReportError" and "no run in it" in told["message"]


@pytest.mark.parametrize(("cell", "loads"), [("2", True), ("x", False)])
def test_a_check_is_told_to_a_program(tmp_path, capsys, cell, loads):
    table = f"vill year y\na 2018 1\na 2019 {cell}\nb 2018 3\nb 2019 4"
    type_study(tmp_path, STUDY, {"villages.csv": table})
    assert main(["check", str(tmp_path), "--json"]) == (0 if loads else 2)
    told = json.loads(capsys.readouterr().out)
    assert told["loads"] is loads
    assert told["problems"] == str(tmp_path / "problems.csv")
    assert any("villages.csv" in line for line in told["lines"])


# -- open ----------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    pages = []
    monkeypatch.setattr("webbrowser.open", pages.append)
    return pages


def test_the_newest_whole_run_is_opened(tmp_path, opened, capsys):
    make_run(tmp_path, "x-1", age=20)
    newest = make_run(tmp_path, "x-2", age=10)
    for name in ("x-3.failed", "x-3.partial-77", "x-2.old"):
        make_run(tmp_path, name, age=0)
    assert main(["open", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"report": str(newest)}
    assert opened == [newest.resolve().as_uri()]


def test_a_run_that_is_named_is_opened(tmp_path, opened, capsys):
    page = make_run(tmp_path, "x-1.failed", age=0)
    assert main(["open", str(page.parent)]) == 0
    assert capsys.readouterr().out == f"{page}\n"


def test_where_nothing_is_to_open_it_says_so(tmp_path, opened, capsys):
    make_run(tmp_path, "x-1.failed", age=0)
    assert main(["open", str(tmp_path)]) == 2
    message = f"ReportError: {tmp_path}: no report.html in it, nor in a folder of it.\n"
    assert capsys.readouterr().err == message
    assert not opened


# -- completion ----------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_learns_the_verbs(capsys, shell):
    with pytest.raises(SystemExit) as left:
        main(["--print-completion", shell])
    assert left.value.code == 0
    script = capsys.readouterr().out
    assert not [verb for verb in VERBS if verb not in script]
    assert "--pseudonymise" in script


def test_bash_completes_what_it_learned(capsys, tmp_path):
    with pytest.raises(SystemExit):
        main(["--print-completion", "bash"])
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out, encoding="utf-8")
    ask = f"source {script}; complete -p evaluation"
    done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "evaluation" in done.stdout, done.stderr


# -- progress ------------------------------------------------------------------------------

STEPS = [
    Step(chapter="1_data", state="waiting", seconds=12.3),
    Step(chapter="2_claims", state="waiting", seconds=math.nan),
    Step(chapter="1_data", state="running", seconds=12.3),
    Step(chapter="2_claims", state="running", seconds=math.nan),
    Step(chapter="1_data", state="done", seconds=10.0),
]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with monkeypatch.context() as patch:  # pytest's own capture is put there before a test
        shown = Terminal()

        def begin():
            patch.setattr(sys, "stderr", shown)
            return shown

        yield begin


def test_nothing_is_shown_where_there_is_no_terminal(capsys):
    with show_progress() as on_step:
        for step in STEPS:
            on_step(step)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_shows_the_chapters(terminal):
    shown = terminal()
    with show_progress() as on_step:
        for step in STEPS:
            on_step(step)
    *_, last = shown.getvalue().split("1_data")
    assert "✓" in shown.getvalue() and "2_claims" in last
    assert "took 12 s the last time" in shown.getvalue()
    assert "took 12 s" not in last and "nan" not in shown.getvalue()


def test_a_line_told_on_the_way_and_an_error_leave_the_terminal_as_it_was(terminal):
    shown = terminal()
    with pytest.raises(ReportError), show_progress() as on_step:
        on_step(STEPS[0])
        print("cleared: x", file=sys.stderr)
        raise ReportError("it fails")
    assert sys.stderr is shown
    assert "cleared: x" in shown.getvalue()
    assert shown.getvalue().rstrip().endswith("\x1b[?25h")  # the cursor is back
