"""The packages that a lock pins, as wheels for this platform, so that no index is needed."""

from __future__ import annotations

import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluation.errors import ReportError

_LINES = 5  # of what pip says that are shown


def fetch_wheels(lock: str, folder: Path) -> list[Path]:
    """Download exactly what a lock pins for this platform and Python, its hashes checked.

    Raises
    ------
    ReportError
        If there is no pip, or one of them is not to be had as a wheel.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(lock)
        file.flush()
        command = [
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes",
            "--only-binary", ":all:", "--disable-pip-version-check", "-r", file.name,
            "-d", str(folder),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        said = " ".join(done.stderr.strip().splitlines()[-_LINES:])
        raise ReportError(
            f"the wheels could not be downloaded with pip: {said} Without --wheels they are "
            "installed from the index when the package is used."
        )
    return sorted(folder.glob("*.whl"))


def say_platform() -> str:
    """Say what the wheels are for."""
    minor = platform.python_version().rpartition(".")[0]
    return f"{platform.system()} on {platform.machine()}, Python {minor}"
