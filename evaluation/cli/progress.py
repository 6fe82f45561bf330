"""What runs, and how long it may take, on a terminal; nothing where there is none."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from evaluation.cli.done import tell
from evaluation.report.chapters import Step

if TYPE_CHECKING:
    from evaluation.cluster.sweep import Planned, Progress


class Steps(Protocol):
    """What is called as chapters begin and end."""

    def __call__(self, step: Step, /) -> None: ...  # noqa: D102


class Reports(Protocol):
    """What is called as a sweep goes on."""

    def __call__(self, progress: Progress, /) -> None: ...  # noqa: D102


@contextmanager
def show_progress() -> Iterator[Steps]:
    """Show chapters that wait, run and are done, on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[expected]}"),
    )
    tasks = {}
    with Progress(*columns, console=Console(stderr=True)) as progress:

        def show(step: Step) -> None:
            if step.state == "waiting":
                tasks[step.chapter] = progress.add_task(
                    step.chapter, total=1, start=False, expected=_expect(step.seconds)
                )
            elif step.state == "running":
                progress.start_task(tasks[step.chapter])
            else:
                progress.update(tasks[step.chapter], completed=1, expected="")

        yield show


@contextmanager
def show_reports() -> Iterator[Reports]:
    """Show how far a sweep has come: a bar on a terminal, else a line a report."""
    from evaluation.cluster.grid import tell_point

    def name(report: Planned) -> str:
        why = f": {report.error}" if report.error else ""
        return f"{report.state}: {report.run}  {tell_point(report.point)}{why}"

    if not sys.stderr.isatty():

        def tell_last(progress: Progress) -> None:
            if progress.last:
                done, n = progress.reports
                left = _tell_left(progress.seconds_left)
                tell(f"{done} of {n}{left and f', {left}'}: {name(progress.last)}")

        yield tell_last
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed} of {task.total}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[left]}"),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        tasks = {what: bars.add_task(what, left="") for what in ("chapters", "reports")}

        def show(progress: Progress) -> None:
            left = _tell_left(progress.seconds_left)
            for what, (done, n) in zip(
                ("chapters", "reports"), (progress.chapters, progress.reports), strict=True
            ):
                shown = left if what == "reports" else ""
                bars.update(tasks[what], completed=done, total=n, left=shown)
            if progress.last and progress.last.error:
                bars.console.print(name(progress.last), markup=False, highlight=False)

        yield show


def _tell_left(seconds: float) -> str:
    """Say how long it may still take.

    Examples
    --------
    >>> _tell_left(50), _tell_left(300), _tell_left(9000)
    ('about 50 s left', 'about 5 min left', 'about 2.5 h left')
    """
    if math.isnan(seconds) or seconds < 1:
        return ""
    if seconds < 100:
        return f"about {seconds:.0f} s left"
    minutes = seconds / 60
    return (
        f"about {minutes:.0f} min left" if minutes < 100 else f"about {minutes / 60:.1f} h left"
    )


def _expect(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"took {seconds:.0f} s the last time"
