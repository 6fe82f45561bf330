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
  evaluation new mystudy villages.xlsx ledger.csv
  evaluation check mystudy
  evaluation report data/jining_2021
  evaluation report data/jining_2021 -p reading=loose --out ~/reports
  evaluation power data/jining_simulated --treated 40 --comparison 160
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
    _add_study(report)
    _add_parameters(
        report, "a parameter of the notebooks (in each, the cell tagged 'parameters')"
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
    _add_new(verbs)
    _add_check(verbs)
    _add_simulate(verbs)
    _add_template(verbs)
    _add_export(verbs)
    _add_power(verbs)
    return parser


def _add_study(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("study", type=Path, metavar="STUDY", help="folder with a study.yml")
    verb.add_argument("--data", type=Path, metavar="DIR", help="where the study's files are")


def _add_new(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    new = verbs.add_parser(
        "new",
        help="make a study of some files, guessing what their columns are",
        description="Copy the files into DIR and write a first study.yml, every guess with a "
        "comment; then check it. Nothing is asked.",
    )
    new.add_argument("folder", type=Path, metavar="DIR", help="the study's folder")
    new.add_argument("files", type=Path, nargs="+", metavar="FILE", help="its files")
    new.set_defaults(run=_new)


def _add_check(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = verbs.add_parser(
        "check",
        help="list all that is wrong with a study's files",
        description="Read all of a study's files and list every problem; the rows are in "
        "problems.csv. Exit status 0 if the study loads, 2 if not.",
    )
    _add_study(check)
    check.add_argument(
        "--problems",
        type=Path,
        metavar="FILE",
        help="where the rows are listed (problems.csv beside study.yml)",
    )
    check.set_defaults(run=_check)


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


def _add_template(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    template = verbs.add_parser(
        "template",
        help="write an empty workbook for a county office to fill in",
        description="Write DIR/数据.xlsx, a data request in Chinese and English, and "
        "DIR/study.yml, which reads it once it is filled in.",
    )
    template.add_argument("folder", type=Path, metavar="DIR", help="where the two files go")
    template.set_defaults(run=_template)


def _add_export(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = verbs.add_parser(
        "export",
        help="write a study's clean data for Stata, R or Python",
        description="Write the village panel, in real money, and the ledger, projects and "
        "indicators if there are any, with a codebook.",
    )
    _add_study(export)
    export.add_argument("--to", choices=("dta", "parquet", "csv"), required=True)
    export.add_argument("--out", type=Path, metavar="DIR", help="a folder (exports/STUDY)")
    export.set_defaults(run=_export)


def _add_power(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    power = verbs.add_parser(
        "power",
        help="say how large an effect a study, or a planned one like it, would find",
        description="Simulate the study's panel, or a planned one of the villages and years "
        "given, from what its never treated villages do, and print the smallest effect that is "
        "found with the probability asked for.",
    )
    _add_study(power)
    for name, what in (
        ("treated", "treated villages of a planned panel (as in the study)"),
        ("comparison", "comparison villages (as in the study)"),
        ("before", "years before treatment (as in the study)"),
        ("after", "treated years (as in the study)"),
    ):
        power.add_argument(f"--{name}", type=int, metavar="N", help=what)
    power.add_argument("--power", type=float, default=0.8, help="the probability (0.8)")
    power.add_argument("--alpha", type=float, help="1 less the coverage of intervals (0.05)")
    power.add_argument("--seed", type=int, default=0, help="of the random numbers (0)")
    _add_parameters(power, "an option of the estimate, such as year_effects=county")
    power.set_defaults(run=_power)


def _add_parameters(verb: argparse.ArgumentParser, what: str) -> None:
    verb.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help=what
    )


def _report(options: argparse.Namespace) -> int:
    from evaluation.report.parameters import split_assignments
    from evaluation.report.run import run_report

    folder = run_report(
        options.study,
        parameters=split_assignments(options.parameters),
        out=options.out,
        data=options.data,
        force=options.force,
        tell=lambda line: print(line, file=sys.stderr, flush=True),
    )
    print(folder / "report.html")
    return 0


def _new(options: argparse.Namespace) -> int:
    from evaluation.data.guess import write_new_study

    print(write_new_study(options.folder, options.files))
    status = _check(argparse.Namespace(study=options.folder, data=None, problems=None))
    print(f"next: mend {options.folder / 'study.yml'}, then: evaluation check {options.folder}")
    return status


def _check(options: argparse.Namespace) -> int:
    from evaluation.data.study import Study
    from evaluation.report.check_study import check_study

    study = Study.load(options.study, data=options.data)
    data = check_study(study, options.problems or study.folder / "problems.csv")
    return 0 if data else 2


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


def _template(options: argparse.Namespace) -> int:
    from evaluation.data.template import RUNGS, write_template_study

    for path in write_template_study(options.folder):
        print(path)
    print("filled in, the workbook reaches one of three rungs of evidence:")
    for _, english in RUNGS:
        print(f"  {english}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from evaluation.data.export import export_panel
    from evaluation.data.load import load_data
    from evaluation.data.study import Study

    study = Study.load(options.study, data=options.data)
    data = load_data(study)
    for problem in data.problems:
        if problem.level == "warning":
            print(f"warning: {problem}", file=sys.stderr)
    for path in export_panel(data, options.out or Path("exports") / study.name, to=options.to):
        print(path)
    return 0


def _power(options: argparse.Namespace) -> int:
    from evaluation.data.study import Study
    from evaluation.report.parameters import split_assignments
    from evaluation.report.power_text import tell_power

    told = tell_power(
        Study.load(options.study, data=options.data),
        parameters=split_assignments(options.parameters),
        n_treated=options.treated,
        n_comparison=options.comparison,
        n_before=options.before,
        n_after=options.after,
        alpha=options.alpha,
        power=options.power,
        seed=options.seed,
    )
    print(told)
    return 0
