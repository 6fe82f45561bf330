"""A notebook that did not come to its end: where, why, what to do, and what is kept of it."""

from __future__ import annotations

import errno
import signal
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.kernels import Kernel
from evaluation.report.tidy import tidy_notebook

_MEMORY = (
    "use a machine with more memory, or close what else runs on it; "
    "`taskset -c 0` before the command has fewer chapters run at once"
)
_NOT_OF_A_DISK = (None, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)


class KernelKilledError(ReportError):
    """A kernel was killed while its cells ran, and not from here: it may be tried again."""


def was_killed(error: BaseException) -> bool:
    """Whether a notebook stopped because its kernel was killed, which papermill finds out."""
    from nbclient.exceptions import DeadKernelError

    return isinstance(error.__cause__, DeadKernelError)


def explain_stop(error: Exception, path: Path, kernel: Kernel, timeout: int | None) -> str:
    """Say in which cell a notebook stopped, why, and how to mend it.

    Parameters
    ----------
    error
        What papermill raised.
    path
        The executed notebook, as far as it came.
    kernel
        Its kernel.
    timeout
        The seconds that a cell may take.
    """
    from papermill import PapermillExecutionError

    name = path.stem
    if _is_of_a_disk(error):
        return unwritable(path, error)
    if isinstance(error, PapermillExecutionError):
        where = quote_cell(error.source, error.exec_count)
        advice = f"; {_MEMORY}" if error.ename.endswith("MemoryError") else ""
        told = ": ".join(filter(None, (error.ename, error.evalue)))
        return f"{name}, {where}: {told}{advice}"
    begun = _begun(_read(path))
    where = f"{name}, {quote_cell(begun[-1].source, len(begun))}" if begun else name
    return f"{where}: {_why(error, kernel, timeout)}"


def quote_cell(source: str, number: int | None) -> str:
    """Name a cell by its number and its first line."""
    line, *more = source.strip().splitlines() or [""]
    place = "a cell" if number is None else f"cell [{number}]"
    return f"{place}, `{line}{' ...' if more else ''}`"


def unwritable(path: Path, error: Exception) -> str:
    """Say that a notebook cannot be written."""
    reason = getattr(error, "strerror", None) or str(error)
    return (
        f"{path.stem}: cannot write {path}: {reason}. Make room, or name another folder with "
        "--out, and run again."
    )


def keep_stopped(path: Path, working_folder: Path, told: str) -> None:
    """Mark a notebook as one that failed; one that could not be written whole goes."""
    import nbformat

    notebook = _read(path)
    if notebook is None:
        path.unlink(missing_ok=True)
        return
    begun = _begun(notebook)
    if begun and not any(o.output_type == "error" for o in begun[-1].outputs):
        begun[-1].outputs.append(
            nbformat.v4.new_output("error", ename="Stopped", evalue=told, traceback=[told])
        )
    notebook.metadata["evaluation"] = {"status": "failed", "error": told}
    tidy_notebook(notebook, working_folder)
    beside = path.with_suffix(".new")
    nbformat.write(notebook, beside)
    beside.replace(path)


def _is_of_a_disk(error: Exception) -> bool:
    return (
        isinstance(error, OSError)
        and not isinstance(error, TimeoutError)
        and (error.errno not in _NOT_OF_A_DISK or isinstance(error, FileNotFoundError))
    )


def _why(error: Exception, kernel: Kernel, timeout: int | None) -> str:
    """Say why a kernel gave no answer."""
    if kernel.stopped.is_set():
        return "stopped, as the run was"
    if isinstance(error, TimeoutError) and timeout and "IOPub" not in str(error):
        return (
            f"ran longer than the {timeout} seconds that --timeout allows; allow more, or "
            "have the cell do less"
        )
    status = kernel.status
    if status is None:
        return f"the kernel failed: {error}"
    if status >= 0:
        return f"the kernel ended by itself with status {status}: a cell must not end it"
    if -status == getattr(signal, "SIGKILL", 9):
        return f"the kernel was killed (SIGKILL), most likely for want of memory: {_MEMORY}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    return f"the kernel was ended by {name}: a package that the cell uses crashed, or somebody"


def _read(path: Path) -> Any:
    """Read a notebook, None if it is not there or not whole."""
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError):
        return None


def _begun(notebook: Any) -> list[Any]:
    """Give the cells of code that began, by papermill's times."""
    return [
        cell
        for cell in (notebook.cells if notebook is not None else ())
        if cell.cell_type == "code"
        and cell.source.strip()
        and cell.metadata.get("papermill", {}).get("start_time")
    ]
