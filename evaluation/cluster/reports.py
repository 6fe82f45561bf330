"""Every county x outcome x specification: reports of a grid on this machine or on many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.cluster.dask_workers import DaskWorkers
from evaluation.cluster.grid import Point, read_grid
from evaluation.cluster.storage import Storage
from evaluation.cluster.sweep import Planned, Progress, make_reports, plan_reports
from evaluation.cluster.sweep_cost import count_workers, tell_cost
from evaluation.cluster.swept import SweptReports, count, list_reports, write_index_page
from evaluation.cluster.tasks import CHAPTERS, Sweep
from evaluation.cluster.workers import LocalWorkers, Workers
from evaluation.display import ShowsSummary
from evaluation.errors import ReportError
from evaluation.language import Language, speaking
from evaluation.report.files.documents import Format, check_extras
from evaluation.report.job import declared_parameters, load_study
from evaluation.report.parameters import Value
from evaluation.report.reuse import past_records, past_seconds
from evaluation.report.warm import KernelKind

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweepPlan(ShowsSummary):
    """The reports of a grid, before they are made.

    Attributes
    ----------
    sweep
        What all have in common.
    reports
        Each of them, those that are there already with the state "unchanged".
    name, out
        The study's, and where runs are put, as it was given.
    whole
        Whether it is the whole grid, not a part of it.
    n_bytes
        Of the study's files.
    took
        The seconds of chapters when they were last run.
    """

    sweep: Sweep
    reports: Sequence[Planned]
    name: str
    out: str
    whole: bool
    n_bytes: int
    took: Mapping[str, float]

    @property
    def waiting(self) -> list[Planned]:
        """The reports that are to be made."""
        return [report for report in self.reports if report.state == "waiting"]

    def summary(self) -> str:
        """Say how many reports there are to make, and of how many chapters."""
        chapters = [key for report in self.waiting for key in report.keys.values()]
        n_there, n_chapters = len(self.reports) - len(self.waiting), len({*chapters})
        shared = len(chapters) - n_chapters
        same = len(self.sweep.points) - len(self.reports)
        told = f"{count(len(self.reports), 'report')}: {n_there} unchanged, "
        told += f"{len(self.waiting)} to make"
        if chapters:
            told += f", of {count(n_chapters, 'chapter')}; {shared} more are shared"
        if same:
            told += f". {count(same, 'point')} of the grid: the same as others"
        return told


def plan_sweep(
    study: str | Path,
    *,
    over: str | Collection[str] = (),
    grid: str | Path | None = None,
    parameters: Mapping[str, Value] | None = None,
    language: Language | None = None,
    formats: Collection[Format] = (),
    out: str | Path = "reports",
    data: str | Path | None = None,
    key: str | Path | None = None,
    force: bool = False,
    timeout: int | None = None,
    author: str = "",
    kernels: KernelKind | None = None,
    part: tuple[int, int] | None = None,
) -> SweepPlan:
    """Plan the reports of a grid, and see which of them are there already.

    Parameters
    ----------
    study
        The study's folder.
    over
        What varies: "county" (all that there are), "outcome=income,operating".
    grid
        A grid.yml, with ``over`` and ``specifications``: see docs/sweeps.md.
    parameters
        Values for the notebooks' parameters that all reports have.
    language, formats, data, key, force, timeout, author, kernels
        As for `run_report`.
    out
        Where runs are put: a folder, or an address that fsspec knows ("s3://bucket/reports").
    part
        (k, n): only the k-th of n parts of the grid.

    Raises
    ------
    DataError
        If the study does not load.
    ReportError
        If the grid is none, or a parameter is not known or ill-typed.

    Examples
    --------
    >>> plan = plan_sweep("data/jining_2021", over=["county", "reading=strict,loose"])
    >>> [len(plan.reports), plan.reports[0].point]
    [8, {'county': 'Sishui', 'reading': 'strict'}]
    """
    check_extras(formats)
    storage = Storage(str(out))
    study, data, key = Path(study), Path(data) if data else None, Path(key) if key else None
    loaded = load_study(study, data=data, key=key, out=storage.folder or Path())
    _, declared = declared_parameters(loaded)
    names = [over] if isinstance(over, str) else [*over]
    points = read_grid(names, Path(grid) if grid else None, declared, loaded)
    held = {**(parameters or {}), **({"language": language} if language else {})}
    if varied := sorted({name for point in points for name in point} & {*held}):
        raise ReportError(
            f"{varied[0]}: the grid varies it, and it is given for all; leave it in one."
        )
    sweep = Sweep(
        study=study.resolve(),
        points=points if part is None else take_part(points, *part),
        out=storage.address if storage.folder is None else str(storage.folder.resolve()),
        data=data and data.resolve(),
        key=key and key.resolve(),
        parameters=parameters or {},
        language=language,
        formats=tuple(formats),
        author=author,
        timeout=timeout,
        kernels=kernels,
        force=force,
    )
    return SweepPlan(
        sweep=sweep,
        reports=plan_reports(sweep),
        name=loaded.name,
        out=str(out),
        whole=part is None,
        n_bytes=sum(loaded.path(name).stat().st_size for name in loaded.file_names()),
        took=_past_seconds(storage, loaded.name),
    )


def run_sweep(
    plan: SweepPlan,
    *,
    workers: int | None = None,
    client: Client | None = None,
    retries: int = 2,
    tell: Callable[[str], None] = lambda line: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> SweptReports:
    """Make the reports that a plan has waiting, then the index and the list of all.

    Parameters
    ----------
    workers
        How many processes of this machine do the work; one more than it has processors, if
        memory allows.
    client
        A client of Dask, whose workers do it instead.
    retries
        How often what a worker did is done again, if the worker was killed.
    tell
        Called with what the work will take.
    on_progress
        Called as chapters and reports are done.

    Returns
    -------
    SweptReports. A report that fails is listed with its error, and stops no other.

    Raises
    ------
    ReportError
        If nothing can be written to the folder, or Dask's workers differ from this process.
    """
    sweep, reports = plan.sweep, plan.reports
    storage = Storage(sweep.out)
    if plan.waiting:
        storage.check()
        crew: Workers
        if workers is not None and workers < 1:
            raise ReportError(f"workers is {workers}; give a number from 1 on.")
        if client is None:
            n = workers or count_workers(plan.n_bytes)
            tell(tell_cost(plan.waiting, plan.took, n_bytes=plan.n_bytes, n_workers=n))
            crew = LocalWorkers(n)
        else:
            crew = DaskWorkers(client, sweep, retries=retries)
        reports = make_reports(sweep, reports, crew, retries=retries, on_progress=on_progress)
    if not plan.whole:
        return SweptReports(reports=reports, listed=None, index=None)
    storage.remove(CHAPTERS)
    listed = f"{plan.name}-sweep.csv"
    storage.write(listed, list_reports(reports))
    with speaking(sweep.language or "en"):
        index = write_index_page(storage, reports, sweep.study.parent)
    return SweptReports(
        reports=reports,
        listed=Storage(plan.out).name(listed),
        index=Storage(plan.out).name(index) if index else None,
    )


def take_part(points: Sequence[Point], k: int, n: int) -> tuple[Point, ...]:
    """Give the k-th of n parts of a grid: neighbours, which share most chapters.

    Raises
    ------
    ReportError
        If there is no such part.

    Examples
    --------
    >>> [take_part("abcde", k, 2) for k in (1, 2)]
    [('a', 'b'), ('c', 'd', 'e')]
    """
    if not 1 <= k <= n:
        raise ReportError(f"--part {k}/{n}: give k/n with k from 1 to n.")
    return tuple(points[(k - 1) * len(points) // n : k * len(points) // n])


def _past_seconds(storage: Storage, study: str) -> Mapping[str, float]:
    if (folder := storage.folder) is None:
        return {}
    return past_seconds(past_records(folder, study).values())
