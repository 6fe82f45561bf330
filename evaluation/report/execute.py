"""One notebook, run through papermill in a kernel of its own."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import evaluation
from evaluation.errors import ReportError
from evaluation.report.kernels import Kernels
from evaluation.report.notebook_words import translate_notebook
from evaluation.report.parameters import Value

_PLACES = re.compile(r"^(data|pseudonyms) = .*\n?", re.MULTILINE)

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
        Where the executed notebook is written; as far as it came, if a cell fails.
    working_folder
        The kernel's working folder.
    parts
        The parts that the study has; cells tagged ``needs-`` another one are left out.
    timeout
        The seconds that a cell may take; None for no limit.

    Raises
    ------
    ReportError
        If a cell fails or stops the notebook, or the kernel dies.
    """
    import nbformat
    import papermill
    from papermill.parameterize import parameterize_notebook
    from traitlets.config import Config

    name = source.stem
    path = folder.resolve() / source.name
    notebook = papermill.iorw.load_notebook_node(str(source))
    keep_parts(notebook, parts)
    translate_notebook(notebook)
    try:
        papermill.execute_notebook(
            parameterize_notebook(
                notebook, dict(values), kernel_name="python3", language="python"
            ),
            str(path).replace("{", "{{").replace("}", "}}"),  # papermill formats paths
            kernel_name="python3",
            # papermill's cwd would be this process's too, and chapters run side by side.
            resources={"metadata": {"path": str(working_folder.resolve())}},
            progress_bar=False,
            execution_timeout=timeout,
            kernel_manager_class=kernels.manager,
            shutdown_kernel="immediate",  # all that its cells gave is here
            config=Config(KernelManager={"transport_encryption": "auto"}),
            extra_arguments=[
                # No module that happens to lie beside the study.
                "--InteractiveShellApp.ignore_cwd=True",
                # That it is interrupted at its end is nothing to tell.
                "--IPKernelApp.log_level=50",
            ],
        )
    except papermill.PapermillExecutionError as error:
        cell = _quote(error.source, error.exec_count)
        raise ReportError(f"{name}, {cell}: {error.ename}: {error.evalue}") from None
    except Exception as error:
        raise ReportError(f"{name}: the kernel failed: {error}") from error
    notebook = nbformat.read(path, as_version=4)
    _check_all_ran(name, notebook)
    _tidy(notebook)
    nbformat.write(notebook, path)
    return notebook


def keep_parts(notebook: Notebook, parts: Collection[str]) -> None:
    """Leave out a notebook's cells on parts that a study does not have."""
    notebook.cells = [cell for cell in notebook.cells if _needs(cell) <= {*parts}]


def _needs(cell: Any) -> set[str]:
    """Give the parts of a study that a cell is about."""
    tags = cell.metadata.get("tags", ())
    return {tag.removeprefix("needs-") for tag in tags if tag.startswith("needs-")}


def _quote(source: str, number: int | None) -> str:
    """Name a cell by its number and its first line."""
    line, *more = source.strip().splitlines()
    return f"cell [{number}], `{line}{' ...' if more else ''}`"


def _check_all_ran(name: str, notebook: Notebook) -> None:
    """Refuse a notebook that stopped midway: papermill takes sys.exit() for success."""
    for cell in notebook.cells:
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        stopped = [o for o in cell.outputs if o.output_type == "error"]
        if stopped or cell.execution_count is None:
            reason = stopped[0].ename if stopped else "it never ran"
            raise ReportError(f"{name}, {_quote(cell.source, cell.execution_count)}: {reason}")


def _tidy(notebook: Notebook) -> None:
    """Take out times, paths and random ids, so that equal runs give equal notebooks."""
    notebook.metadata.pop("papermill", None)
    here = [
        f"{Path(place)}{os.sep}" for place in (sys.prefix, Path(evaluation.__file__).parents[1])
    ]
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.source = _PLACES.sub("", cell.source)
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        for output in cell.get("outputs", ()):
            for place in here if output.output_type == "stream" else ():
                output.text = output.text.replace(place, "")
