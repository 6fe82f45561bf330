"""The command line: ``evaluation VERB``. Heavy imports happen inside the verbs."""

import argparse
import io
import shlex
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
    _add_simulate(verbs)
    return parser


def _add_simulate(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    simulate = verbs.add_parser(
        "simulate",
        help="make a study with invented villages and known effects",
        description="Write a study of a programme like Jining's whose true effects are known, "
        "labelled SIMULATED, to try methods on.",
    )
    simulate.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    simulate.add_argument("--seed", type=int, default=1, help="of the random numbers (1)")
    simulate.add_argument("--name", help="the study's name (the folder's)")
    simulate.add_argument(
        "--comparison", metavar="N", help="villages never treated for each treated one (10)"
    )
    simulate.add_argument(
        "--set",
        dest="features",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="a field of SimulationOptions, such as rho=0.3 or 'cohorts={2019: 1}'",
    )
    simulate.set_defaults(run=_simulate)


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


def _simulate(options: argparse.Namespace) -> int:
    from evaluation.data.simulate import simulate_programme
    from evaluation.data.simulated_study import write_simulated_study
    from evaluation.data.simulation_options import read_options

    features = dict(text.partition("=")[::2] for text in options.features)
    if options.comparison is not None:
        features["comparison"] = options.comparison
    simulation = simulate_programme(read_options(features), seed=options.seed)
    name = options.name or options.folder.resolve().name
    folder = write_simulated_study(simulation, options.folder, name=name)
    print(folder)
    print(f"next: evaluation report {shlex.quote(str(folder))}")
    return 0
