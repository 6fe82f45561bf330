"""What the workers of a sweep do: run a chapter, make a report. Both may be done twice."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evaluation.cluster.grid import Point
from evaluation.cluster.storage import Storage
from evaluation.errors import EvaluationError
from evaluation.language import Language
from evaluation.report.files.documents import Format
from evaluation.report.fonts import find_chinese_font
from evaluation.report.job import (
    Job,
    declared_parameters,
    load_study,
    with_places,
    without_places,
)
from evaluation.report.parameters import Value, choose_values
from evaluation.report.record.describe import describe_run
from evaluation.report.record.machine import parse_author
from evaluation.report.reuse import CHANGED, Ready, chapter_keys
from evaluation.report.stopped import KernelKilledError
from evaluation.report.study_parts import check_data
from evaluation.report.warm import KernelKind

CHAPTERS = ".chapters"
"""The folder, among the runs, of the chapters of a sweep that is not at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Reports that are to be made of one study: what workers are told once for all of them.

    Attributes
    ----------
    study, data, key
        The study's folder; that of its files, if elsewhere; the file of codes, if any.
    points
        Each report's own parameters.
    parameters, language
        Those that all have.
    out
        Where runs are put: a folder, or an address that fsspec knows.
    formats, author, timeout, kernels, force
        As for `run_report`.
    """

    study: Path
    points: tuple[Point, ...]
    out: str
    data: Path | None = None
    key: Path | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    language: Language | None = None
    formats: tuple[Format, ...] = ()
    author: str = ""
    timeout: int | None = None
    kernels: KernelKind | None = None
    force: bool = False

    def job(self, point: Point, *, out: Path, ready: Mapping[str, Ready] | None = None) -> Job:
        """Give the job of one report, whose folder is put into ``out``.

        Raises
        ------
        DataError, ReportError
            If the study does not load, or a parameter is not known or ill-typed.
        """
        study = load_study(self.study, data=self.data, key=self.key, out=out)
        notebooks, declared = declared_parameters(study)
        return Job(
            study=study,
            notebooks=notebooks,
            values=choose_values(declared, {**self.parameters, **point}, self.language),
            out=out,
            force=self.force,
            timeout=self.timeout,
            author=parse_author(self.author) if self.author else None,
            kernels=self.kernels,
            ready=ready or {},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What came of a task.

    Attributes
    ----------
    seconds
        How long it took.
    error
        Why it failed; '' if it did not.
    """

    seconds: float
    error: str = ""


def run_chapter(sweep: Sweep, point: Point, name: str, key: str) -> Done:
    """Run one chapter of a report, and keep it where the reports that share it find it.

    That a chapter fails is no error of this task: its notebook is kept as far as it came.

    Raises
    ------
    KernelKilledError
        If its kernel was killed: it may be tried again.
    """
    from evaluation.report.chapters import execute_chapters

    clock, error = time.monotonic(), ""
    storage = Storage(sweep.out)
    with storage.scratch(CHAPTERS) as folder:
        job = sweep.job(point, out=folder)
        try:
            execute_chapters(
                job.study,
                {name: job.notebooks[name]},
                with_places(job, without_places(job.study, job.values)),
                folder=folder,
                parts=check_data(job.study),
                timeout=job.timeout,
                kernels=job.kernels,
                expected={},
                on_step=lambda step: None,
            )
        except KernelKilledError:
            raise
        except EvaluationError as raised:
            error = str(raised)
        if chapter_keys(describe_job(job))[name] != key:
            error = CHANGED
        path = folder / f"{name}.ipynb"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
    done = Done(seconds=round(time.monotonic() - clock, 2), error=error)
    kept = json.dumps({**asdict(done), "notebook": text}).encode()
    storage.write(chapter_file(key, failed=bool(error)), kept)
    return done


def make_report(sweep: Sweep, point: Point, keys: Mapping[str, str]) -> Done:
    """Make a report of the chapters that were run; those that are not there it runs.

    Parameters
    ----------
    keys
        By name, the key of each chapter that was run.
    """
    from evaluation.report.run import make_run

    clock, error = time.monotonic(), ""
    storage = Storage(sweep.out)
    with storage.scratch(CHAPTERS) as scratch:
        ready = {}
        for name, key in keys.items():
            whole, failed = chapter_file(key), chapter_file(key, failed=True)
            if kept := storage.read(whole) or storage.read(failed):  # or somebody cleared it
                found = json.loads(kept)
                path = scratch / f"{name}.ipynb"
                path.write_text(found["notebook"], encoding="utf-8", newline="\n")
                ready[name] = Ready(
                    path=path, key=key, seconds=found["seconds"], error=found["error"]
                )
        out = storage.folder or scratch / "runs"
        try:
            run = make_run(sweep.job(point, out=out, ready=ready), sweep.formats)
            if storage.folder is None:
                storage.put_run(run)
        except EvaluationError as raised:
            error = str(raised)
    return Done(seconds=round(time.monotonic() - clock, 2), error=error)


def describe_job(job: Job) -> dict[str, Any]:
    """Describe all that a report depends on, as this process sees it."""
    values = without_places(job.study, job.values)
    return describe_run(job.study, job.notebooks, values, font=find_chinese_font())


def chapter_file(key: str, *, failed: bool = False) -> str:
    """Name the file, among the runs, of a chapter that reports of a sweep share."""
    return f"{CHAPTERS}/{key}{'.failed' if failed else ''}.json"
