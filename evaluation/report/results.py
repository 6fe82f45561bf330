"""What results.json says of a run's exhibits, read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evaluation.bounds import Bounds

Exhibits = Mapping[str, Mapping[str, Any]]
"""Exhibits as in results.json, by name."""


def name_exhibits(results: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Give a run's exhibits by name, in their order."""
    return {exhibit["name"]: exhibit for exhibit in results["exhibits"]}


def is_absent(exhibit: Mapping[str, Any]) -> bool:
    """Whether an exhibit only says why there is nothing to show."""
    return "absent" in exhibit["columns"]


def rows_of(exhibits: Exhibits, name: str) -> list[Mapping[str, Any]]:
    """Give an exhibit's rows; none if it is not there, or only says why it is not."""
    exhibit = exhibits.get(name)
    return [] if exhibit is None or is_absent(exhibit) else list(exhibit["rows"])


def reason_of(exhibits: Exhibits, name: str) -> str:
    """Give the reason for which an exhibit has nothing to show; '' if it has."""
    exhibit = exhibits.get(name)
    absent = exhibit is not None and is_absent(exhibit)
    return str(exhibit["rows"][0]["absent"]) if exhibit and absent else ""


def to_bounds(value: Mapping[str, Any]) -> Bounds:
    """Give bounds as results.json has them, null for no end."""
    lower, upper = value["lower"], value["upper"]
    return Bounds(
        -math.inf if lower is None else lower,
        math.inf if upper is None else upper,
        lower_closed=bool(value["lower_closed"]),
        upper_closed=bool(value["upper_closed"]),
    )
