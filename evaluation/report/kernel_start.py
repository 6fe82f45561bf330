"""What a kernel does before its first cell, as an extension of IPython."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import chdir
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from evaluation.data.study import Study
from evaluation.errors import ReportError

NAMED_FILES = "EVALUATION_NAMED_FILES"
"""The variable by which a kernel is told which of a study's files its cells may read."""

_SEED = 0
_PAUSE = 0.5  # seconds


def name_files(study: Study) -> str:
    """Say which files a study's chapters may read of its folders: those that it names.

    Else a report would pass for unchanged although one that its own chapter reads has changed.
    '' for a study without chapters of its own.
    """
    if not study.chapters:
        return ""
    files = [study.file, *(study.path(name) for name in study.file_names())]
    files += [study.folder / name for name in study.chapters]
    files += [study.pseudonyms] if study.pseudonyms else []
    folders = [study.folder, *([study.data_folder] if study.data_folder else [])]
    told = {"folders": folders, "files": files}
    return json.dumps({key: [str(p.resolve()) for p in told[key]] for key in told})


def load_ipython_extension(shell: Any) -> None:
    """Have cells give the same every time, and end with the process that started them."""

    def seed(_: Any) -> None:
        shell.events.unregister("pre_run_cell", seed)
        _seed()

    # At the first cell: until then IPython draws, for the tips that it gives.
    shell.events.register("pre_run_cell", seed)
    import_matplotlib()
    if told := os.environ.get(NAMED_FILES):
        sys.addaudithook(partial(_refuse_unnamed, **json.loads(told)))
    if os.name != "nt":  # there, ipykernel waits for the parent
        parent = int(os.environ["JPY_PARENT_PID"])
        threading.Thread(target=end_with, args=(parent, _end_group), daemon=True).start()


def _seed() -> None:
    """Fix the random numbers of cells that give no seed.

    Names of temporary files, uuids and secrets stay random: kernels run side by side.
    """
    import numpy as np

    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 - the one that forgotten seeds are about
    # Where default_rng() without a seed, which seaborn's bands use too, takes one from.
    np.random.bit_generator.randbits = partial(  # type: ignore[attr-defined]
        _give_bits, random.Random(_SEED).getrandbits
    )


def _give_bits(draw: Callable[[int], int], count: int) -> int:
    """Draw bits for a cell; a module that draws while it is imported gets others.

    Else what a cell draws would hang on which modules were imported before.
    """
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return secrets.randbits(count)
        frame = frame.f_back
    return draw(count)


def _refuse_unnamed(
    event: str, arguments: tuple[Any, ...], *, folders: Sequence[str], files: Sequence[str]
) -> None:
    """Refuse to read a file of the study's folders that study.yml does not name."""
    if event != "open" or isinstance(arguments[0], int) or not _reads(*arguments[1:3]):
        return
    path = os.path.abspath(os.fsdecode(arguments[0]))
    folder = next((one for one in folders if path.startswith(f"{one}{os.sep}")), None)
    if folder is None or path in files or path.startswith(f"{sys.prefix}{os.sep}"):
        return
    parts = Path(path).relative_to(folder).parts
    if any(part[0] == "." or part == "__pycache__" for part in parts):
        return
    name = "/".join(parts)
    raise ReportError(
        f"{name}: study.yml does not name it; add it under reads, as in reads: [{name}], so "
        "that the report is made anew when it changes."
    )


def _reads(mode: str | None, flags: int) -> bool:
    if mode is None:
        return flags & (os.O_WRONLY | os.O_RDWR) == 0
    return "r" in mode


def import_matplotlib() -> None:
    """Import matplotlib where its own matplotlibrc lies: that one, and no user's, is read."""
    found = find_spec("matplotlib")
    assert found is not None and found.submodule_search_locations
    with chdir(Path(found.submodule_search_locations[0], "mpl-data")):
        import matplotlib as mpl
    mpl.rcParams["svg.hashsalt"] = "evaluation"  # else ids in drawings are random


def end_with(parent: int, end: Callable[[], object]) -> None:
    """Wait until the process that started this one has ended, however that was, and end."""
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    end()


def _end_group() -> None:
    """End what cells have started, too: a kernel leads a group of processes."""
    os.killpg(0, signal.SIGKILL)
