"""The folder of a run: begun beside its place, and moved there when whole."""

from __future__ import annotations

import errno
import os
import re
import shutil
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from evaluation.errors import ReportError

_A_DAY = 86_400  # seconds
_OF_A_RUN = {"ro-crate-metadata.json", "manifest.json", "workflow.py"}


def start_folder(target: Path, tell: Callable[[str], None]) -> Path:
    """Begin a run's folder beside its place; what killed runs of its study left is cleared."""
    _refuse_others(target)
    partial = target.with_name(f"{target.name}.partial-{name_process()}")
    try:
        study = target.name.rpartition("-")[0]
        for kind in ("partial", "documents"):
            for left in target.parent.glob(f"{study}-*.{kind}-*"):
                if is_abandoned(left):
                    tell(f"cleared: {left}, left by a run that was killed")
                    shutil.rmtree(left, ignore_errors=True)  # another run may clear it, too
        for folder in ("notebooks", "tables", "figures"):
            (partial / folder).mkdir(parents=True)
    except OSError as error:
        raise ReportError(
            f"cannot write to {target.parent}: {error.strerror}. Name another folder with "
            "--out."
        ) from error
    return partial


def replace_folder(source: Path, target: Path) -> None:
    """Move a run's folder into another's place; that one goes once this one is there.

    Raises
    ------
    ReportError
        If what is there is no run, or it cannot be moved.
    """
    _refuse_others(target)
    old = target.with_name(f"{target.name}.{name_process()}.old")
    try:
        remove(old)
        if os.path.lexists(target):
            target.rename(old)
        try:
            source.rename(target)
        except OSError:
            if os.path.lexists(old):
                old.rename(target)
            raise
    except OSError as error:
        raise ReportError(
            f"cannot put the run in {target}: {error.strerror}; close what has it open and run "
            "again."
        ) from error
    remove(old)


def name_beside(run: Path, end: str) -> Path:
    """Give a place beside a run's folder: its name with an end; of "." too."""
    run = run.resolve() if run.name in ("", "..") else run
    return run.with_name(f"{run.name}{end}")


def remove(path: Path) -> None:
    """Remove a folder or a file, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _refuse_others(target: Path) -> None:
    """Refuse to put a run where something is that is neither a run nor an empty folder.

    Raises
    ------
    ReportError
        Then.
    """
    if not os.path.lexists(target):
        return
    if target.is_dir() and not target.is_symlink():
        names = {entry.name for entry in target.iterdir()}
        if not names or names & _OF_A_RUN:
            return
    raise ReportError(
        f"{target} is there, and is no run: it is not replaced. Move it away, or name another "
        "folder with --out."
    )


def is_abandoned(partial: Path) -> bool:
    """Whether the process that a partial folder is named after has gone."""
    machine, _, number = partial.name.rpartition(".")[2].partition("-")[2].rpartition("-")
    if not number.isdecimal():
        return False
    if machine == _machine() and int(number) == os.getpid():
        return True
    # Processes of others cannot be asked for; on Windows a signal of 0 would end them.
    if machine != _machine() or os.name == "nt":
        with suppress(OSError):
            return time.time() - partial.stat().st_mtime > _A_DAY
        return False
    try:
        os.kill(int(number), 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def name_process() -> str:
    """Name this process, among those of machines that share a folder."""
    return f"{_machine()}-{os.getpid()}"


def _machine() -> str:
    return re.sub(r"\W", "", socket.gethostname()) or "here"
