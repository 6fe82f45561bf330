"""The verbs on studies: make, check, invent, export them, and ask for their power."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from evaluation.cli.done import Done, Verbs, add_folder, add_parameters, add_study


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs to the command."""
    _add_new(verbs)
    _add_check(verbs)
    _add_simulate(verbs)
    _add_template(verbs)
    _add_export(verbs)
    _add_power(verbs)


def _add_new(verbs: Verbs) -> None:
    new = verbs.add_parser(
        "new",
        help="make a study of some files, guessing what their columns are",
        description="Copy the files into DIR and write a first study.yml, every guess with a "
        "comment; then check it. Nothing is asked.",
    )
    add_folder(new, "folder", metavar="DIR", help="the study's folder")
    new.add_argument("files", type=Path, nargs="+", metavar="FILE", help="its files")
    new.set_defaults(run=_new)


def _add_check(verbs: Verbs) -> None:
    check = verbs.add_parser(
        "check",
        help="list all that is wrong with a study's files",
        description="Read all of a study's files and list every problem; the rows are in "
        "problems.csv. Exit status 0 if the study loads, 2 if not.",
    )
    add_study(check)
    check.add_argument(
        "--problems",
        type=Path,
        metavar="FILE",
        help="where the rows are listed (problems.csv beside study.yml)",
    )
    check.set_defaults(run=_check)


def _add_simulate(verbs: Verbs) -> None:
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


def _add_template(verbs: Verbs) -> None:
    template = verbs.add_parser(
        "template",
        help="write an empty workbook for a county office to fill in",
        description="Write DIR/数据.xlsx, a data request in Chinese and English, and "
        "DIR/study.yml, which reads it once it is filled in.",
    )
    template.add_argument("folder", type=Path, metavar="DIR", help="where the two files go")
    template.set_defaults(run=_template)


def _add_export(verbs: Verbs) -> None:
    export = verbs.add_parser(
        "export",
        help="write a study's clean data for Stata, R or Python",
        description="Write the village panel, in real money, and the ledger, projects and "
        "indicators if there are any, with a codebook.",
    )
    add_study(export)
    export.add_argument("--to", choices=("dta", "parquet", "csv"), required=True)
    export.add_argument("--out", type=Path, metavar="DIR", help="a folder (exports/STUDY)")
    export.set_defaults(run=_export)


def _add_power(verbs: Verbs) -> None:
    power = verbs.add_parser(
        "power",
        help="say how large an effect a study, or a planned one like it, would find",
        description="Simulate the study's panel, or a planned one of the villages and years "
        "given, from what its never treated villages do, and print the smallest effect that is "
        "found with the probability asked for.",
    )
    add_study(power)
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
    add_parameters(power, "an option of the estimate, such as year_effects=county")
    power.set_defaults(run=_power)


def _new(options: argparse.Namespace) -> Done:
    from evaluation.data.guess import write_new_study

    written = write_new_study(options.folder, options.files)
    checked = _check(argparse.Namespace(study=options.folder, data=None, problems=None))
    study = options.folder / "study.yml"
    return Done(
        lines=[
            str(written),
            *checked.lines,
            f"next: mend {study}, then: evaluation check {options.folder}",
        ],
        data={"study": str(written), **checked.data},
        status=checked.status,
    )


def _check(options: argparse.Namespace) -> Done:
    from evaluation.data.study import Study
    from evaluation.report.check_study import check_study

    study = Study.load(options.study, data=options.data)
    lines: list[str] = []
    listing = options.problems or study.folder / "problems.csv"
    data = check_study(study, listing, tell=lines.append)
    return Done(
        lines=lines,
        data={"loads": data is not None, "problems": str(listing), "lines": lines},
        status=0 if data else 2,
    )


def _simulate(options: argparse.Namespace) -> Done:
    from evaluation.data.simulate import simulate_programme
    from evaluation.data.simulated_study import write_simulated_study
    from evaluation.data.simulation_options import read_options

    features = dict(text.partition("=")[::2] for text in options.features)
    if options.comparison is not None:
        features["comparison"] = options.comparison
    simulation = simulate_programme(read_options(features), seed=options.seed)
    name = options.name or options.folder.resolve().name
    folder = write_simulated_study(simulation, options.folder, name=name)
    following = f"next: evaluation report {shlex.quote(str(folder))}"
    return Done(lines=[str(folder), following], data={"study": str(folder)})


def _template(options: argparse.Namespace) -> Done:
    from evaluation.data.template import RUNGS, write_template_study

    paths = [str(path) for path in write_template_study(options.folder)]
    rungs = [
        "filled in, the workbook reaches one of three rungs of evidence:",
        *(f"  {english}" for _, english in RUNGS),
    ]
    return Done(lines=[*paths, *rungs], data={"files": paths})


def _export(options: argparse.Namespace) -> Done:
    from evaluation.data.export import export_panel
    from evaluation.data.load import load_data
    from evaluation.data.study import Study

    study = Study.load(options.study, data=options.data)
    data = load_data(study)
    for problem in data.problems:
        if problem.level == "warning":
            print(f"warning: {problem}", file=sys.stderr)
    out = options.out or Path("exports") / study.name
    paths = [str(path) for path in export_panel(data, out, to=options.to)]
    return Done(lines=paths, data={"files": paths})


def _power(options: argparse.Namespace) -> Done:
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
    return Done(lines=[told], data={"lines": told.splitlines()})
