"""The verbs on runs that are there: rerun, compare, verify and package them."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from evaluation.cli.done import (
    Done,
    Verbs,
    add_folder,
    add_kernels,
    add_language,
    add_timeout,
    tell,
)
from evaluation.errors import ReportError


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs to the command."""
    rerun = verbs.add_parser(
        "rerun",
        help="run a report again, and say whether it is the same",
        description="Run a run's study again with the parameters that it records, and compare "
        "every table's cells, figure and sentence. Exit status: 0 if the same, 1 if different, "
        "2 if it could not be run.",
    )
    _add_run(rerun)
    _add_study(rerun)
    add_folder(rerun, "--out", metavar="DIR", help="where the new run goes (RUN.rerun)")
    _add_key(rerun)
    _add_tolerance(rerun)
    add_timeout(rerun)
    add_kernels(rerun)
    add_language(rerun)
    rerun.set_defaults(run=_rerun)

    compare = verbs.add_parser(
        "compare",
        help="say what differs between two runs, and why",
        description="Compare two runs, of other inputs or parameters too: what moved, by how "
        "much, and what differs between what they were made from. Exit status: 0 if the same, "
        "1 if different.",
    )
    add_folder(compare, "before", metavar="A", help="a run's folder")
    add_folder(compare, "after", metavar="B", help="another run's")
    for side in ("before", "after"):
        add_folder(
            compare,
            f"--study-{side}",
            metavar="DIR",
            help="the study of that run, to name the cells of inputs that changed",
        )
    add_language(compare)
    compare.add_argument(
        "-o", dest="page", type=Path, metavar="FILE", help="the page (compare.html beside B)"
    )
    _add_tolerance(compare)
    compare.set_defaults(run=_compare)

    verify = verbs.add_parser(
        "verify",
        help="say whether a run's files are as they were written",
        description="Hold every file of a run against its record, and every number of "
        "report.html against results.json. Exit status: 0 if whole, 1 if altered.",
    )
    _add_run(verify)
    verify.set_defaults(run=_verify)

    package = verbs.add_parser(
        "package",
        help="make a replication package of a run",
        description="Write a zip with the run, its code, the data that may be shared, a README "
        "as data editors ask for, and one command that reruns it.",
    )
    _add_run(package)
    _add_study(package)
    package.add_argument(
        "-o", dest="out", type=Path, metavar="FILE", help="the zip (RUN-replication.zip)"
    )
    _add_key(package)
    package.add_argument(
        "--wheels",
        action="store_true",
        help="add the installed packages as wheels, for this platform: no registry is needed",
    )
    package.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="FILE:COLUMN",
        help="let pass what the scan for names, phone and identity numbers found there",
    )
    package.set_defaults(run=_package)


def _add_run(verb: argparse.ArgumentParser) -> None:
    add_folder(verb, "folder", metavar="RUN", help="a run's folder, as in reports/")


def _add_study(verb: argparse.ArgumentParser) -> None:
    add_folder(verb, "--study", metavar="DIR", help="the run's study (found by its files)")
    add_folder(verb, "--data", metavar="DIR", help="where the study's files are")


def _add_key(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--key", type=Path, metavar="FILE", help="the codes of its villages (STUDY/key.csv)"
    )


def _add_tolerance(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--tolerance",
        type=float,
        default=1e-8,
        metavar="X",
        help="up to which numbers are the same, relative to the larger one (1e-8)",
    )


def _rerun(options: argparse.Namespace) -> Done:
    from evaluation.cli.progress import show_progress
    from evaluation.language import speaking
    from evaluation.report.rerun import rerun_report

    clock = time.monotonic()
    with speaking(options.lang or "en"):
        with show_progress() as on_step:
            again, page, comparison = rerun_report(
                options.folder,
                study=options.study,
                data=options.data,
                key=options.key,
                out=options.out,
                tolerance=options.tolerance,
                timeout=options.timeout,
                kernels=options.kernels,
                tell=tell,
                on_step=on_step,
            )
        return Done(
            lines=[*comparison.lines(), str(again / "report.html"), str(page)],
            data={
                "run": str(again),
                "comparison": str(page),
                "seconds": round(time.monotonic() - clock, 2),
                **comparison.data(),
            },
            status=0 if comparison.same else 1,
        )


def _compare(options: argparse.Namespace) -> Done:
    from evaluation.language import speaking
    from evaluation.report.compare.page import write_comparison
    from evaluation.report.compare.run import compare_runs

    page = options.page or options.after.parent / "compare.html"
    with speaking(options.lang or "en"):
        comparison = compare_runs(
            options.before,
            options.after,
            tolerance=options.tolerance,
            study_before=options.study_before,
            study_after=options.study_after,
        )
        write_comparison(comparison, page)
        return Done(
            lines=[*comparison.lines(), str(page)],
            data={"comparison": str(page), **comparison.data()},
            status=0 if comparison.same else 1,
        )


def _verify(options: argparse.Namespace) -> Done:
    from evaluation.report.verify import verify_run

    verification = verify_run(options.folder)
    return Done(
        lines=verification.lines, data=verification.data, status=0 if verification.ok else 1
    )


def _package(options: argparse.Namespace) -> Done:
    from evaluation.report.replication.package import make_package
    from evaluation.report.run_folder import name_beside

    run: Path = options.folder
    out: Path = options.out or name_beside(run, "-replication.zip")
    if out.suffix != ".zip":
        raise ReportError(f"-o {out}: name a file that ends in .zip.")
    path = make_package(
        run,
        study=options.study,
        data=options.data,
        out=out,
        key=options.key,
        wheels=options.wheels,
        allow=options.allow,
        tell=tell,
    )
    return Done(lines=[str(path)], data={"package": str(path)})
