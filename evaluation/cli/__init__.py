"""The command line: ``evaluation VERB``. Heavy imports happen inside the verbs."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version

import shtab

from evaluation.cli import reports, studies
from evaluation.cli.done import Done
from evaluation.errors import EvaluationError

_EPILOG = """\
examples:
  evaluation new mystudy villages.xlsx ledger.csv
  evaluation check mystudy
  evaluation report data/jining_2021
  evaluation report data/jining_2021 --lang zh --to docx,pdf --out ~/reports
  evaluation power data/jining_simulated --treated 40 --comparison 160
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 if done; 2 if not, with one error that says why; 130 if interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that has no Chinese
            stream.reconfigure(errors="backslashreplace")
    options = build_parser().parse_args(arguments)
    try:
        done: Done = options.run(options)
    except (EvaluationError, OSError) as error:
        kind = type(error).__name__
        print(f"{kind}: {error}", file=sys.stderr)
        if options.json:
            print(json.dumps({"error": kind, "message": str(error)}, ensure_ascii=False))
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps(done.data, ensure_ascii=False, indent=1))
    else:
        for line in done.lines:
            print(line)
    return done.status


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all verbs."""
    parser = argparse.ArgumentParser(
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
    studies.add_verbs(verbs)
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print JSON, for a program")
    return parser
