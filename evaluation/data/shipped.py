"""Where the files are that come with the package."""

from __future__ import annotations

from pathlib import Path

import evaluation


def shipped_index() -> Path:
    """Find the index of consumer prices: in the installed package, or beside it in a clone."""
    package = Path(evaluation.__file__).parent
    inside = package / "data" / "cpi_china.csv"
    return inside if inside.is_file() else package.parent / "data" / "cpi_china.csv"
