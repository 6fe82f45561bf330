"""What a crate says in one way and its reader reads in the same: names, facts, identifiers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

# The newest profiles that fit together; none is compatible with RO-Crate 1.2.
RO_CRATE = "1.3"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.6": ("Process Run Crate", "0.6"),
    "https://w3id.org/ro/wfrun/workflow/0.6": ("Workflow Run Crate", "0.6"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.1": ("Workflow RO-Crate", "1.1"),
}
PACKAGE = "village-evaluation"
CODE = "#code/"
STATUS = "http://schema.org/{}ActionStatus"

FACTS = ("hash", "chinese_font", "pseudonyms", "machine", "chapters", "reused", "seconds")
"""The parts of a record for which neither the profiles nor schema.org have a term."""

NO_LICENCE = "No licence is stated: ask those who made the report before you pass it on."


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Give nested values as one level, each under its path: ``machine/blas/0/version``."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        path = prefix + name.replace("~", "~0").replace("/", "~1")
        if isinstance(value, list):
            value = {str(place): entry for place, entry in enumerate(value)}
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{path}/")
        else:
            flat[path] = value
    return flat


def nest(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Undo `flatten`; ValueError if a path leads through a value."""
    nested: dict[str, Any] = {}
    for path, value in flat.items():
        *outer, last = (part.replace("~1", "/").replace("~0", "~") for part in path.split("/"))
        place = nested
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ValueError(f"{path} is in what is no group")
        if last in place:
            raise ValueError(f"{path} is there twice")
        place[last] = value
    return nested


def iri(name: str) -> str:
    """Write a name so that it can be part of an identifier; Chinese stays as it is."""
    return re.sub(r"[^\w.~/-]", lambda found: quote(found[0]), name)
