"""What runs, and how long it may take, on a terminal; nothing where there is none."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from evaluation.report.chapters import Step


class Steps(Protocol):
    """What is called as chapters begin and end."""

    def __call__(self, step: Step, /) -> None: ...  # noqa: D102


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


def _expect(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"took {seconds:.0f} s the last time"
