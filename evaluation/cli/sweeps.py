"""The verb on many reports: a sweep over a grid of parameters."""

from __future__ import annotations

import argparse
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cli.done import (
    Done,
    Verbs,
    add_author,
    add_formats,
    add_kernels,
    add_key,
    add_language,
    add_parameters,
    add_study,
    add_timeout,
    find_key,
    split_formats,
    tell,
)
from evaluation.errors import ReportError

if TYPE_CHECKING:
    from distributed import Client

    from evaluation.cluster.sweep import Planned

_REPORTS_A_PART = 5


def add_verbs(verbs: Verbs) -> None:
    """Add the verb to the command."""
    sweep = verbs.add_parser(
        "sweep",
        help="make the reports of a grid: every county x outcome x specification",
        description="Make a report for every combination, those that are there already apart; "
        "then OUT/index.html, and OUT/STUDY-sweep.csv, which lists them.",
    )
    add_study(sweep)
    sweep.add_argument(
        "--over",
        action="append",
        default=[],
        metavar="NAME[=A,B]",
        help="a parameter that varies, and its values (all that there are)",
    )
    sweep.add_argument("--grid", type=Path, metavar="FILE", help="a grid.yml with more of them")
    add_parameters(sweep, "a parameter that all reports have")
    add_language(sweep)
    add_formats(sweep)
    sweep.add_argument(
        "--out", default="reports", metavar="DIR",
        help="where runs go: a folder, or an address such as s3://bucket/reports (reports)",
    )  # fmt: skip
    add_key(sweep)
    add_timeout(sweep)
    add_author(sweep)
    add_kernels(sweep)
    sweep.add_argument("--force", action="store_true", help="run again what is there")
    sweep.add_argument(
        "--jobs", type=int, metavar="N",
        help="processes on this machine (one more than it has processors)",
    )  # fmt: skip
    sweep.add_argument(
        "--local-cluster", type=int, metavar="N", help="workers of Dask on this machine instead"
    )
    sweep.add_argument(
        "--scheduler", metavar="ADDRESS", help="the workers of this scheduler of Dask instead"
    )
    sweep.add_argument(
        "--retries", type=int, default=2, metavar="N",
        help="how often to do again what a worker did that was killed (2)",
    )  # fmt: skip
    sweep.add_argument("--part", metavar="K/N", help="only the K-th of N parts of the grid")
    sweep.add_argument(
        "--slurm-script", type=Path, metavar="FILE",
        help="write a job array for Slurm that makes the parts, and stop",
    )  # fmt: skip
    sweep.add_argument(
        "--parts", type=int, metavar="N", help="tasks of that array (one for five reports)"
    )
    sweep.add_argument("--dry-run", action="store_true", help="list the reports, and stop")
    sweep.set_defaults(run=_sweep)


def _sweep(options: argparse.Namespace) -> Done:
    from evaluation.cli.progress import show_reports
    from evaluation.cluster.grid import tell_point
    from evaluation.cluster.reports import plan_sweep, run_sweep
    from evaluation.report.parameters import split_assignments

    _refuse_two(options, ("jobs", "local_cluster", "scheduler", "slurm_script", "dry_run"))
    _refuse_two(options, ("part", "slurm_script"))
    if options.parts and not options.slurm_script:
        raise ReportError("--parts: only with --slurm-script.")
    plan = plan_sweep(
        options.study,
        over=options.over,
        grid=options.grid,
        parameters=split_assignments(options.parameters),
        language=options.lang,
        formats=split_formats(options.to),
        out=options.out,
        data=options.data,
        key=find_key(options),
        force=options.force,
        timeout=options.timeout,
        author=options.author,
        kernels=options.kernels,
        part=_read_part(options.part) if options.part else None,
    )
    tell(plan.summary())
    if options.dry_run:
        lines = [f"{one.run}  {one.state}  {tell_point(one.point)}" for one in plan.reports]
        return Done(lines=lines, data={"reports": [*map(_row, plan.reports)]})
    if options.slurm_script:
        return _write_script(options, len(plan.reports))
    with _client(options) as client, show_reports() as on_progress:
        swept = run_sweep(
            plan, workers=options.jobs, client=client, retries=options.retries,
            tell=tell, on_progress=on_progress,
        )  # fmt: skip
    places = [place for place in (swept.listed, swept.index) if place]
    return Done(
        lines=[*swept.summary().split("\n"), *places],
        data={
            "reports": [*map(_row, swept.reports)],
            "list": swept.listed,
            "index": swept.index,
        },
        status=1 if swept.failed else 0,
    )


def _refuse_two(options: argparse.Namespace, names: tuple[str, ...]) -> None:
    given = [f"--{name.replace('_', '-')}" for name in names if getattr(options, name)]
    if len(given) > 1:
        raise ReportError(f"{' and '.join(given)}: give one of them.")
    for name in ("jobs", "local_cluster", "parts"):
        n = getattr(options, name)
        if n is not None and n < 1:
            raise ReportError(f"--{name.replace('_', '-')} {n}: give a number from 1 on.")
    if options.retries < 0:
        raise ReportError(f"--retries {options.retries}: give a number from 0 on.")


def _read_part(text: str) -> tuple[int, int]:
    k, _, n = text.partition("/")
    if not (k.isdecimal() and n.isdecimal()):
        raise ReportError(f"--part {text}: write K/N, as in 2/8.")
    return int(k), int(n)


def _client(options: argparse.Namespace) -> AbstractContextManager[Client | None]:
    if not (options.scheduler or options.local_cluster):
        return nullcontext()
    from evaluation.cluster.dask_workers import open_client

    return open_client(scheduler=options.scheduler or "", local=options.local_cluster or 0)


def _write_script(options: argparse.Namespace, n_reports: int) -> Done:
    from evaluation.cluster.slurm import write_slurm_script

    parts = min(options.parts or -(-n_reports // _REPORTS_A_PART), n_reports)
    write_slurm_script(options.slurm_script, _arguments(options), parts=parts)
    told = (
        f"{n_reports} reports in {parts} parts; submit it with: sbatch {options.slurm_script}"
    )
    return Done(lines=[told], data={"script": str(options.slurm_script), "parts": parts})


def _arguments(options: argparse.Namespace) -> list[str]:
    """Give the arguments by which a task of the array makes the same reports."""
    given = [str(options.study.resolve())]
    for flag, values in (("--over", options.over), ("-p", options.parameters)):
        given += [word for value in values for word in (flag, value)]
    named = {
        "--grid": options.grid, "--data": options.data, "--key": options.key,
        "--lang": options.lang, "--to": options.to, "--out": options.out,
        "--timeout": options.timeout, "--author": options.author,
        "--kernels": options.kernels,
        "--retries": str(options.retries),
    }  # fmt: skip
    for flag, value in named.items():
        if value:
            given += [flag, str(value.resolve() if isinstance(value, Path) else value)]
    flags = {"--pseudonymise": options.pseudonymise, "--force": options.force}
    return given + [flag for flag, is_given in flags.items() if is_given]


def _row(report: Planned) -> dict[str, Any]:
    named = {"run": report.run, "state": report.state, "error": report.error}
    return {"parameters": dict(report.point), **named}
