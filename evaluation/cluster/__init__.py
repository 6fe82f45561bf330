"""Panels larger than memory: read in bounded pieces, on one machine or on many.

The names below are loaded when they are first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "estimate_gains": "evaluation.cluster.gains",
    "StreamedGains": "evaluation.cluster.streamed",
    "PanelColumns": "evaluation.cluster.pieces",
    "plan_pieces": "evaluation.cluster.pieces",
    "read_piece": "evaluation.cluster.piece_reader",
    "sort_panel": "evaluation.cluster.sort",
    "aggregate_households": "evaluation.cluster.households",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evaluation.cluster' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
