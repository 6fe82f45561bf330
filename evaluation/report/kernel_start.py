"""What a kernel does before its first cell, as an extension of IPython."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from contextlib import chdir
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_SEED = 0
_PAUSE = 0.5  # seconds


def load_ipython_extension(shell: Any) -> None:
    """Have cells give the same every time, and end with the process that started them."""

    def seed(_: Any) -> None:
        shell.events.unregister("pre_run_cell", seed)
        _seed()

    # At the first cell: until then IPython draws, for the tips that it gives.
    shell.events.register("pre_run_cell", seed)
    _import_matplotlib()
    if os.name != "nt":  # there, ipykernel waits for the parent
        parent = int(os.environ["JPY_PARENT_PID"])
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _seed() -> None:
    """Fix the random numbers of cells that give no seed.

    Names of temporary files, uuids and secrets stay random: kernels run side by side.
    """
    import numpy as np

    random.seed(_SEED)
    np.random.seed(_SEED)  # noqa: NPY002 - the one that forgotten seeds are about
    # Where default_rng() without a seed, which seaborn's bands use too, takes one from.
    np.random.bit_generator.randbits = random.Random(_SEED).getrandbits  # type: ignore[attr-defined]


def _import_matplotlib() -> None:
    """Import matplotlib where its own matplotlibrc lies: that one, and no user's, is read."""
    found = find_spec("matplotlib")
    assert found is not None and found.submodule_search_locations
    with chdir(Path(found.submodule_search_locations[0], "mpl-data")):
        import matplotlib as mpl
    mpl.rcParams["svg.hashsalt"] = "evaluation"  # else ids in drawings are random


def _end_with(parent: int) -> None:
    """End with a process, however that ends, and take along what cells have started."""
    while os.getppid() == parent:
        time.sleep(_PAUSE)
    os.killpg(0, signal.SIGKILL)  # a kernel leads a group of processes
