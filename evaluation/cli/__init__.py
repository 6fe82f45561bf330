"""The command line: ``evaluation VERB``. Heavy imports happen inside the verbs."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, NoReturn, TextIO

import shtab

from evaluation.cli import reports, reruns, studies, sweeps
from evaluation.cli.done import Done
from evaluation.errors import EvaluationError, plain_line

_EPILOG = """\
examples:
  evaluation new mystudy villages.xlsx ledger.csv
  evaluation check mystudy
  evaluation report data/jining_2021
  evaluation report data/jining_2021 --lang zh --to docx,pdf --out ~/reports
  evaluation sweep data/jining_simulated --over county --over comparison
  evaluation rerun reports/jining_2021-3f9a2c61
  evaluation power data/jining_simulated --treated 40 --comparison 160
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 if done; 2 if not, with one error that says why; 130 if interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that has no Chinese
            stream.reconfigure(errors="backslashreplace")
    given = [*(sys.argv[1:] if arguments is None else arguments)]
    try:
        status = _run(given)
        sys.stdout.flush()
    except OSError as error:  # of what is printed to: a full disk; a pipe that `head` closed
        # What is left to print would be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            print(f"standard output: {error.strerror}", file=sys.stderr)
        return 2
    return status


def _run(arguments: Sequence[str]) -> int:
    try:
        options = build_parser().parse_args(arguments)
    except _UsageError as error:
        print(error, file=sys.stderr)
        if "--json" in arguments:
            _print_json({"error": "UsageError", "message": str(error)})
        return 2
    try:
        with _ended_as_interrupted():
            done: Done = options.run(options)
    except (EvaluationError, OSError) as error:
        kind = type(error).__name__
        _print_plain(f"{kind}: {error}", file=sys.stderr)
        if options.json:
            _print_json({"error": kind, "message": str(error)})
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if options.json:
        _print_json(done.data, indent=1)
    else:
        for line in done.lines:
            _print_plain(line)
    return done.status


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all verbs."""
    parser: argparse.ArgumentParser = _Parser(
        prog="evaluation",
        description="Evaluation reports on village programmes that anyone can rerun.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"village-evaluation {version('village-evaluation')}",
    )
    shtab.add_argument_to(parser, "--print-completion", help="for a shell to source")
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    reports.add_verbs(verbs)
    sweeps.add_verbs(verbs)
    reruns.add_verbs(verbs)
    studies.add_verbs(verbs)
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print JSON, for a program")
    return parser


class _UsageError(Exception):
    """The arguments are not such as the command takes."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors `main` tells, to a program too."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise _UsageError(f"{self.prog}: error: {message}")


@contextmanager
def _ended_as_interrupted() -> Iterator[None]:
    """Have a verb that is told to end, or whose terminal is closed, clear up as for Ctrl-C."""

    def interrupt(*_: Any) -> NoReturn:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # where signals never come
        yield
        return
    signals = [getattr(signal, name, None) for name in ("SIGTERM", "SIGHUP")]
    before = {
        one: signal.signal(one, interrupt)
        for one in filter(None, signals)
        if signal.getsignal(one) == signal.SIG_DFL  # not where nohup has it ignored
    }
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _print_plain(text: str, file: TextIO | None = None) -> None:
    """Print lines that may have in them what a file says: none of it steers the terminal."""
    for line in text.split("\n"):
        print(plain_line(line), file=file)


def _print_json(content: Any, *, indent: int | None = None) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=indent))
