"""The chapters of a report: which a study has, and their notebooks run side by side."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import evaluation
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.execute import Notebook, execute_notebook
from evaluation.report.kernel_start import NAMED_FILES, name_files
from evaluation.report.kernels import Kernels, kernel_environment, thread_loop
from evaluation.report.parameters import Value
from evaluation.report.warm import KernelKind, shared_kernels

# A chapter, and what a study must have one of for it.
CHAPTERS = {
    "1_data": ("claims", "panel"),
    "2_published_claims": ("claims",),
    "3_income_gains": ("claims", "panel"),
    "4_programme_effect": ("panel",),
    "5_funding_efficiency": ("claims", "ledger"),
    "6_robustness": ("panel",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A chapter that waits, begins, or is done.

    Attributes
    ----------
    chapter, state
        Which, and what it does.
    seconds
        How long it took; before it is done, how long it took the last time, NaN if never.
    """

    chapter: str
    state: Literal["waiting", "running", "done"]
    seconds: float


def choose_chapters(study: Study) -> dict[str, Path]:
    """Give the notebooks for which a study has data, and its own after them, by name.

    Raises
    ------
    ReportError
        If a chapter of the study's own has the name of another.
    """
    chosen = {
        name: notebook_folder() / f"{name}.ipynb"
        for name, needs in CHAPTERS.items()
        if any(getattr(study, need) for need in needs)
    }
    for file in study.chapters:
        path = study.folder / file
        if path.stem in {*chosen, *CHAPTERS}:
            raise ReportError(
                f"study.yml: chapters: {file}: there is a chapter {path.stem} already; rename "
                "the file."
            )
        chosen[path.stem] = path
    return chosen


def notebook_folder() -> Path:
    """Find the notebooks: in the installed package, or beside it in a clone."""
    package = Path(evaluation.__file__).parent
    inside, beside = package / "notebooks", package.parent / "notebooks"
    return inside if inside.is_dir() else beside


def execute_chapters(
    study: Study,
    notebooks: Mapping[str, Path],
    values: Mapping[str, Mapping[str, Value]],
    *,
    folder: Path,
    parts: frozenset[str],
    timeout: int | None = None,
    kernels: KernelKind | None = None,
    expected: Mapping[str, float],
    on_step: Callable[[Step], None],
) -> dict[str, Notebook]:
    """Run notebooks side by side, one more than there are processors.

    Parameters
    ----------
    study
        The study that they report on.
    notebooks, values
        Each chapter's notebook and its parameters, checked.
    folder
        Where executed notebooks are written.
    parts
        The parts that the study has; cells that need another are left out.
    timeout
        The seconds that a cell may take; None for no limit.
    kernels
        "warm", "plain", or None for warm ones where the system has them.
    expected
        The seconds that chapters took the last time.
    on_step
        Called as each chapter begins and ends.

    Returns
    -------
    The executed notebooks, in the order given.

    Raises
    ------
    ReportError
        If a cell fails: the other kernels are then stopped.
    """
    from papermill.iorw import local_file_io_cwd

    started = Kernels(warm=shared_kernels(kernels))
    # papermill keeps a folder that it changes to; threads would leave it one another's.
    with (
        kernel_environment(**{NAMED_FILES: name_files(study)}),
        local_file_io_cwd(),
        # One more than processors: kernels wait while they start and stop.
        ThreadPoolExecutor(processors() + 1) as pool,
    ):
        run = partial(
            execute_notebook,
            kernels=started,
            folder=folder.resolve(),
            working_folder=study.folder.resolve().parent,
            parts=parts,
            timeout=timeout,
        )

        def execute(name: str) -> Notebook:
            clock = time.monotonic()
            step(name, "running")
            with thread_loop():
                notebook = run(notebooks[name].resolve(), values[name])
            seconds[name] = round(time.monotonic() - clock, 2)
            step(name, "done")
            return notebook

        def step(name: str, state: Literal["waiting", "running", "done"]) -> None:
            took = seconds.get(name, expected.get(name, math.nan))
            on_step(Step(chapter=name, state=state, seconds=took))

        seconds: dict[str, float] = {}
        for name in notebooks:
            step(name, "waiting")
        # The last chapters take longest: begun first, they leave no processor idle at the end.
        waiting = {name: pool.submit(execute, name) for name in reversed([*notebooks])}
        try:
            done, _ = wait(waiting.values(), return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            started.kill()
            raise
        return {name: waiting[name].result() for name in notebooks}


def processors() -> int:
    """Count the processors that this process may use: `taskset` or Slurm may leave it few."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
