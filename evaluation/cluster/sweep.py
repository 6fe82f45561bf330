"""The reports of a grid, made side by side: each chapter once, and none stops the others."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from evaluation.cluster.grid import Point
from evaluation.cluster.storage import Storage
from evaluation.cluster.tasks import (
    CHAPTERS,
    Done,
    Sweep,
    chapter_file,
    describe_job,
    make_report,
    run_chapter,
)
from evaluation.cluster.workers import Workers
from evaluation.report.job import without_places
from evaluation.report.record.describe import hash_description, name_run
from evaluation.report.reuse import chapter_keys
from evaluation.report.stopped import KernelKilledError

State = Literal["waiting", "unchanged", "made", "failed"]

_AHEAD = 2  # tasks that a worker has, so that none waits for its next
_PAUSE = 1.0  # seconds after which workers are counted anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A report of a sweep.

    Attributes
    ----------
    point
        Its own parameters.
    run
        What its folder is called.
    keys
        The key of each of its chapters: reports that share a chapter have the same. None where
        names are hidden in it, as its chapters are then kept nowhere else.
    state
        What became of it.
    seconds, error
        How long it took to make, its chapters apart; why it failed.
    """

    point: Point
    run: str
    keys: Mapping[str, str]
    state: State = "waiting"
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a sweep has come.

    Attributes
    ----------
    reports, chapters
        How many are done, and of how many.
    seconds_left
        As the chapters took so far; NaN before any was done.
    last
        The report that was done last, if that is what is told.
    """

    reports: tuple[int, int]
    chapters: tuple[int, int]
    seconds_left: float
    last: Planned | None = None


def plan_reports(sweep: Sweep) -> list[Planned]:
    """Say which reports a sweep has, and which of them are there already.

    Points that come to the same report are one.

    Raises
    ------
    DataError, ReportError
        If the study does not load, or a point's parameters are not such as notebooks take.
    """
    storage = Storage(sweep.out)
    planned: dict[str, Planned] = {}
    base: dict[str, Any] = {}
    for point in sweep.points:
        job = sweep.job(point, out=storage.folder or Path())
        base = base or describe_job(job)
        description = {**base, "parameters": without_places(job.study, job.values)}
        description["hash"] = hash_description(description)
        run = name_run(description)
        if run not in planned:
            there = not sweep.force and storage.has_run(run, description["hash"])
            keys: Mapping[str, str] = {} if job.hides else chapter_keys(description)
            planned[run] = Planned(
                point=point, run=run, keys=keys, state="unchanged" if there else "waiting"
            )
    return list(planned.values())


def make_reports(
    sweep: Sweep,
    planned: Sequence[Planned],
    workers: Workers,
    *,
    retries: int = 2,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> list[Planned]:
    """Make the reports that are waiting, and give all with what became of them.

    Parameters
    ----------
    workers
        Who does the tasks. A chapter that reports share is run once; a report is made when
        its chapters are there, before other chapters are begun.
    retries
        How often a task is done again whose worker, or its kernel, was killed.
    """
    run = _Run(sweep, planned, retries)
    at_once = True
    try:
        on_progress(run.progress())
        while run.waiting:
            run.hand_out(workers)
            for report in run.take_in(workers):
                on_progress(run.progress(report))
        at_once = False
    finally:
        workers.close(at_once=at_once)
    return list(run.reports.values())


class _Run:
    """A sweep under way."""

    def __init__(self, sweep: Sweep, planned: Sequence[Planned], retries: int) -> None:
        self.sweep, self.retries = sweep, retries
        self.reports = {report.run: report for report in planned}
        self.waiting = {r.run for r in planned if r.state == "waiting"}
        self.ready: deque[str] = deque()  # reports whose chapters are there
        self.chapters: dict[str, tuple[Planned, str]] = {}
        self.wanted: dict[str, list[str]] = {}  # by which reports
        self.missing: Counter[str] = Counter()  # how many chapters of a report
        self.under_way: dict[Future[Done], str] = {}
        self.suspects: deque[str] = deque()  # tasks that were lost
        self.lost: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.n_workers = 1
        for report in planned:
            if report.state == "waiting":
                self._enlist(report)
        self.todo = deque(self.chapters)
        self._take_kept()

    def hand_out(self, workers: Workers) -> None:
        """Give workers as many tasks as keep them busy: reports that can be made come first.

        When a worker is killed all tasks under way may be lost: each of them is then done by
        itself, so that one which kills its worker again takes no other along.
        """
        self.n_workers = max(1, workers.count())
        most = 1 if self.suspects else _AHEAD * self.n_workers
        while len(self.under_way) < most:
            if self.suspects:
                task = self.suspects.popleft()
            elif self.ready:
                task = self.ready.popleft()
            elif self.todo:
                task = self.todo.popleft()
            else:
                return
            self.under_way[self._submit(task, workers)] = task

    def take_in(self, workers: Workers) -> list[Planned]:
        """Wait for tasks that end, and give the reports among them."""
        alone = len(self.under_way) == 1
        done, _ = wait(self.under_way, timeout=_PAUSE, return_when=FIRST_COMPLETED)
        ended = []
        for future in done:
            task = self.under_way.pop(future)
            try:
                result = future.result()
            except Exception as error:
                kernel = isinstance(error, KernelKilledError)
                if kernel or workers.lost(error):
                    self.lost[task] += alone or kernel
                    if self.lost[task] <= self.retries:
                        self.suspects.append(task)
                        continue
                result = Done(seconds=0.0, error=_tell_lost(error, workers, self.retries))
            if task in self.reports:
                ended.append(self._end(task, result))
            else:
                self.seconds.append(result.seconds)
                self._count(task)
        return ended

    def _submit(self, task: str, workers: Workers) -> Future[Done]:
        if task in self.reports:
            report = self.reports[task]
            return workers.submit(make_report, self.sweep, report.point, report.keys)
        report, name = self.chapters[task]
        return workers.submit(run_chapter, self.sweep, report.point, name, task)

    def progress(self, last: Planned | None = None) -> Progress:
        """Say how far it has come."""
        begun = (*self.suspects, *self.under_way.values())
        left = len(self.todo) + sum(task in self.chapters for task in begun)
        mean = sum(self.seconds) / len(self.seconds) if self.seconds else math.nan
        n, n_chapters = len(self.reports), len(self.chapters)
        return Progress(
            reports=(n - len(self.waiting), n),
            chapters=(n_chapters - left, n_chapters),
            seconds_left=left * mean / self.n_workers if left else 0.0,
            last=last,
        )

    def _enlist(self, report: Planned) -> None:
        self.missing[report.run] = len(report.keys)
        # The last chapters take longest: begun first, they leave no worker idle at the end.
        for name, key in reversed([*report.keys.items()]):
            self.chapters.setdefault(key, (report, name))
            self.wanted.setdefault(key, []).append(report.run)
        if not report.keys:
            self.ready.append(report.run)

    def _take_kept(self) -> None:
        """Count the chapters that a sweep which was killed has left."""
        storage = Storage(self.sweep.out)
        kept = storage.names(CHAPTERS)
        for key in [*self.todo] if kept else ():
            failed, whole = chapter_file(key, failed=True), chapter_file(key)
            if Path(failed).name in kept:
                storage.remove(failed)
            if Path(whole).name not in kept:
                continue
            if self.sweep.force:
                storage.remove(whole)
            else:
                self.todo.remove(key)
                self._count(key)

    def _count(self, key: str) -> None:
        """Count a chapter that was run: reports that have all of theirs can be made."""
        for run in self.wanted[key]:
            self.missing[run] -= 1
            if not self.missing[run]:
                self.ready.append(run)

    def _end(self, run: str, result: Done) -> Planned:
        self.waiting.discard(run)
        self.reports[run] = replace(
            self.reports[run],
            state="failed" if result.error else "made",
            seconds=result.seconds,
            error=result.error,
        )
        return self.reports[run]


def _tell_lost(error: Exception, workers: Workers, retries: int) -> str:
    if workers.lost(error):
        return f"its worker was killed {retries + 1} times, most likely for want of memory"
    return f"{type(error).__name__}: {error}"
