"""How the installed code stands, told from files and folders without reading them."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

import evaluation


def code_state() -> tuple[object, ...]:
    """Tell one state of the code from another: what was imported of before is then not used."""
    states: list[object] = [os.stat(sysconfig.get_path("purelib")).st_mtime_ns]
    for folder, _, files in os.walk(Path(evaluation.__file__).parent):
        for name in sorted(files):
            if name.endswith(".py"):
                file = os.stat(os.path.join(folder, name))
                states.append((folder, name, file.st_mtime_ns, file.st_size))
    return tuple(states)


def packages_state() -> tuple[tuple[str, int], ...]:
    """Tell one state of the installed packages from another: to install alters a folder."""
    places = [place or "." for place in sys.path]
    return tuple((p, os.stat(p).st_mtime_ns) for p in places if os.path.isdir(p))
