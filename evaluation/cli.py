"""The command line: ``evaluation VERB``. Heavy imports happen inside the verbs."""

import argparse
import io
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from evaluation.errors import EvaluationError

_EPILOG = """\
examples:
  evaluation report data/jining_2021
  evaluation report data/jining_2021 -p reading=loose --out ~/reports
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb; 0 if done; 2 if not, with one error that says why; 130 if interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console that has no Chinese
            stream.reconfigure(errors="backslashreplace")
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (EvaluationError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
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
    verbs = parser.add_subparsers(title="verbs", required=True, metavar="VERB")
    report = verbs.add_parser(
        "report",
        help="run a study's notebooks into a report",
        description="Run the notebooks for which a study has data, and write "
        "OUT/STUDY-HASH/report.html with its tables, figures and numbers.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("study", type=Path, metavar="STUDY", help="folder with a study.yml")
    report.add_argument(
        "-p",
        dest="parameters",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the notebooks (in each, the cell tagged 'parameters')",
    )
    report.add_argument(
        "--out",
        type=Path,
        default=Path("reports"),
        help="where the run's folder goes (reports)",
    )
    report.add_argument(
        "--force", action="store_true", help="run again although nothing has changed"
    )
    report.set_defaults(run=_report)
    return parser


def _report(options: argparse.Namespace) -> int:
    from evaluation.report.parameters import split_assignments
    from evaluation.report.run import run_report

    folder = run_report(
        options.study,
        parameters=split_assignments(options.parameters),
        out=options.out,
        force=options.force,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(folder / "report.html")
    return 0
