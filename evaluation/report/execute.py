"""One notebook, run through papermill in a kernel of its own."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.kernels import Kernel, Kernels
from evaluation.report.notebook_words import translate_notebook
from evaluation.report.parameters import Value
from evaluation.report.stopped import (
    KernelKilledError,
    explain_stop,
    keep_stopped,
    quote_cell,
    unwritable,
    was_killed,
)
from evaluation.report.tidy import tidy_notebook

_START = 180  # seconds that a kernel may take to start, on a busy machine
_OUTPUT = 120  # seconds that a cell's last output may take to arrive

Notebook = Any  # nbformat's NotebookNode: a dict whose keys are attributes too


def execute_notebook(
    source: Path,
    values: Mapping[str, Value],
    *,
    kernels: Kernels,
    folder: Path,
    working_folder: Path,
    parts: Collection[str] = (),
    timeout: int | None = None,
) -> Notebook:
    """Run one notebook in a kernel of its own.

    Parameters
    ----------
    source
        The notebook.
    values
        Its parameters, checked.
    kernels
        Where its kernel is started.
    folder
        Where the executed notebook is written; as far as it came, if a cell fails. Its
        metadata then has ``evaluation: {status: failed, error: ...}``.
    working_folder
        The kernel's working folder.
    parts
        The parts that the study has; cells tagged ``needs-`` another one are left out.
    timeout
        The seconds that a cell may take; None for no limit.

    Raises
    ------
    ReportError
        If a cell fails, stops the notebook or takes too long, the kernel dies, or the folder
        cannot be written; KernelKilledError if the kernel was killed, but not from here.
    """
    import nbformat
    import papermill

    path = folder.resolve() / source.name
    notebook = papermill.iorw.load_notebook_node(str(source))
    keep_parts(notebook, parts)
    translate_notebook(notebook)
    kernel = kernels.new()
    try:
        try:
            _run_papermill(notebook, values, path, kernel, working_folder, timeout)
        except Exception as error:
            raise ReportError(explain_stop(error, path, kernel, timeout)) from error
        notebook = nbformat.read(path, as_version=4)
        _check_all_ran(source.stem, notebook)
        tidy_notebook(notebook, working_folder)
        nbformat.write(notebook, path)
    except (OSError, ReportError) as error:
        told = str(error) if isinstance(error, ReportError) else unwritable(path, error)
        with suppress(OSError):
            keep_stopped(path, working_folder, told)
        raise (KernelKilledError if was_killed(error) else ReportError)(told) from error
    return notebook


def keep_parts(notebook: Notebook, parts: Collection[str]) -> None:
    """Leave out a notebook's cells on parts that a study does not have."""
    notebook.cells = [cell for cell in notebook.cells if _needs(cell) <= {*parts}]


def _needs(cell: Any) -> set[str]:
    """Give the parts of a study that a cell is about."""
    tags = cell.metadata.get("tags", ())
    return {tag.removeprefix("needs-") for tag in tags if tag.startswith("needs-")}


def _run_papermill(
    notebook: Notebook,
    values: Mapping[str, Value],
    path: Path,
    kernel: Kernel,
    working_folder: Path,
    timeout: int | None,
) -> None:
    import papermill
    from papermill.parameterize import parameterize_notebook
    from traitlets.config import Config

    from evaluation.report.chapter_engine import ChapterEngine

    papermill.execute_notebook(
        parameterize_notebook(notebook, dict(values), kernel_name="python3", language="python"),
        str(path).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
        engine_name=ChapterEngine.name,
        kernel_name="python3",
        # papermill's cwd would be this process's too, and chapters run side by side.
        resources={"metadata": {"path": str(working_folder.resolve())}},
        progress_bar=False,
        start_timeout=_START,
        execution_timeout=timeout,
        iopub_timeout=_OUTPUT,
        kernel_manager_class=kernel.manager,
        shutdown_kernel="immediate",  # all that its cells gave is here
        config=Config(KernelManager={"transport_encryption": "auto"}),
        extra_arguments=[
            # No module that happens to lie beside the study.
            "--InteractiveShellApp.ignore_cwd=True",
            "--InteractiveShellApp.extra_extensions=evaluation.report.kernel_start",
            "--InteractiveShellApp.reraise_ipython_extension_failures=True",
            # That it is interrupted at its end is nothing to tell.
            "--IPKernelApp.log_level=50",
            # It ends with this process by that extension, which takes its workers along.
            *(["--IPKernelApp.parent_handle=0"] if os.name != "nt" else []),
        ],
    )


def _check_all_ran(name: str, notebook: Notebook) -> None:
    """Refuse a notebook that stopped midway: papermill takes sys.exit() for success."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        stopped = [o for o in cell.outputs if o.output_type == "error"]
        if stopped or cell.execution_count is None:
            reason = stopped[0].ename if stopped else "it never ran"
            where = quote_cell(cell.source, cell.execution_count)
            raise ReportError(f"{name}, {where}: {reason}")
