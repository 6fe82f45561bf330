"""A run's record, read back from the crate that it was written as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import Annotated, Any
from urllib.parse import unquote

from pydantic import BaseModel, StringConstraints, ValidationError

from evaluation.errors import ReportError
from evaluation.report.record.facts import CODE, NO_LICENCE, PACKAGE, PROFILES, STATUS, nest

_DESCRIPTOR = "ro-crate-metadata.json"
_ORCID = "https://orcid.org/"
_FAILED, _COMPLETED = STATUS.format("Failed"), STATUS.format("Completed")

Entity = Mapping[str, Any]
Sha = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)?$"
Time = Annotated[str, StringConstraints(pattern=_TIME)]


def from_crate(document: Any) -> dict[str, Any]:
    """Read a run's record out of a crate: what `to_crate` was given.

    Raises
    ------
    ReportError
        If the crate is another's, or does not hold all that one of a run does.
    """
    graph = _Graph(document)
    root = graph.get(graph.find(_DESCRIPTOR), "about")
    if not {*PROFILES} <= {_target(root, ref) for ref in _list(root, "conformsTo")}:
        raise ReportError("a crate, but not of a run of this package: its profiles are others.")
    workflow, action = graph.get(root, "mainEntity"), graph.get(root, "mentions")
    study, *_ = graph.all(action, "object") or [{"@id": "no study"}]
    software = graph.get(workflow, "softwareRequirements")
    notebooks = graph.all(workflow, "hasPart")
    try:
        facts, git = nest(graph.values(action)), nest(graph.values(software)).get("git")
    except ValueError as error:
        raise ReportError(f"not as a run was recorded: {error}.") from None
    machine = _group(facts, "machine")
    record = {
        **facts,
        "study": _text(study, "name"),
        "inputs": {
            _text(file, "name"): {"sha256": file.get("sha256"), "bytes": _size(file)}
            for file in graph.all(study, "hasPart")
        },
        "parameters": {_text(entity, "name"): graph.values(entity) for entity in notebooks},
        "notebooks": _hashes(notebooks),
        "code": {
            unquote(file["@id"].removeprefix(CODE)): file.get("sha256")
            for file in graph.all(software, "hasPart")
        },
        "python": _text(graph.get(workflow, "programmingLanguage"), "version"),
        "packages": {
            PACKAGE: _text(software, "version"),
            **{
                _text(package, "name"): _text(package, "version")
                for package in graph.all(software, "softwareRequirements")
            },
        },
        "package": _text(software, "version"),
        "git": git,
        "lock": next(iter(_hashes(graph.all(software, "isBasedOn")).values()), None),
        "machine": {
            **machine,
            "blas": [*_group(machine, "blas").values()],
            "environment": graph.values(action, "environment"),
        },
        "chapters": _group(facts, "chapters"),
        "reused": [*_group(facts, "reused").values()],
        "seconds": _group(facts, "seconds"),
        "start": action.get("startTime"),
        "end": action.get("endTime"),
        "author": _author(graph.all(action, "agent")),
        "outputs": {_place(file): file.get("sha256") for file in graph.all(root, "hasPart")},
    }
    if "headline" in root:
        record["title"] = root["headline"]
    if root.get("license") != NO_LICENCE:
        record["licence"] = root.get("license")
    if action.get("actionStatus") == _FAILED:
        record["error"] = action.get("error")
    elif action.get("actionStatus") != _COMPLETED:
        raise ReportError("not as a run was recorded: it neither failed nor was completed.")
    try:
        _Record.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ReportError(f"not as a run was recorded: {place}: {first['msg']}.") from None
    return record


class _Graph:
    """The entities of a crate, which refer to one another."""

    def __init__(self, document: Any) -> None:
        entities = document.get("@graph") if isinstance(document, dict) else None
        if not isinstance(entities, list):
            raise ReportError("not an RO-Crate: it has no @graph.")
        self._entities: dict[str, Entity] = {}
        for entity in entities:
            name = entity.get("@id") if isinstance(entity, dict) else None
            if not isinstance(name, str):
                raise ReportError("not an RO-Crate: an entity in its @graph has no @id.")
            if name in self._entities:
                raise ReportError(f"not an RO-Crate: two entities are called {name}.")
            self._entities[name] = entity

    def find(self, name: str) -> Entity:
        """Give the entity of that identifier."""
        if name not in self._entities:
            raise ReportError(f"not as a run was recorded: {name} is not in it.")
        return self._entities[name]

    def all(self, entity: Entity, name: str) -> list[Entity]:
        """Give the entities that one refers to."""
        return [self.find(_target(entity, ref)) for ref in _list(entity, name)]

    def get(self, entity: Entity, name: str) -> Entity:
        """Give the one entity that one refers to."""
        found = self.all(entity, name)
        if len(found) != 1:
            raise ReportError(
                f"not as a run was recorded: {entity['@id']} has {len(found)} {name}, not one."
            )
        return found[0]

    def values(self, entity: Entity, name: str = "additionalProperty") -> dict[str, Any]:
        """Give the values that an entity refers to, by name."""
        return {_text(value, "name"): value.get("value") for value in self.all(entity, name)}


def _list(entity: Entity, name: str) -> list[Any]:
    given = entity.get(name, [])
    return given if isinstance(given, list) else [given]


def _target(entity: Entity, reference: Any) -> str:
    name = reference.get("@id") if isinstance(reference, dict) else None
    if not isinstance(name, str):
        raise ReportError(f"not an RO-Crate: {entity['@id']} refers to {reference!r:.60}.")
    return name


def _text(entity: Entity, name: str) -> str:
    text = entity.get(name)
    if not isinstance(text, str):
        raise ReportError(f"not as a run was recorded: {entity['@id']} has no {name}.")
    return text


def _place(file: Entity) -> str:
    """Give where a file of the run lies in it."""
    name = unquote(file["@id"])
    path = PureWindowsPath(name)  # which knows the separators of both systems
    if path.anchor or ".." in path.parts:
        raise ReportError(f"not as a run was recorded: {name} is no place in it.")
    return name


def _size(entity: Entity) -> int:
    text = _text(entity, "contentSize")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise ReportError(f"not as a run was recorded: {entity['@id']} has no contentSize.")
    return int(text)


def _hashes(files: list[Entity]) -> dict[str, Any]:
    return {_text(file, "name"): file.get("sha256") for file in files}


def _group(facts: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Give the facts under a name; nothing was written of a group that has none."""
    group = facts.get(name, {})
    if not isinstance(group, dict):
        raise ReportError(f"not as a run was recorded: {name} is no group.")
    return group


def _author(people: list[Entity]) -> dict[str, str] | None:
    if not people:
        return None
    name, where = _text(people[0], "name"), people[0]["@id"]
    return {"name": name, **({"orcid": where} if where.startswith(_ORCID) else {})}


class _Part(BaseModel, strict=True, extra="forbid", allow_inf_nan=False):
    """What of a record is checked: that all is there, and is what its users take it for."""


class _Input(_Part):
    sha256: Sha
    bytes: int


class _Git(_Part):
    commit: str
    clean: bool


class _Library(_Part):
    name: str
    version: str
    threads: int
    architecture: str


class _Machine(_Part):
    system: str
    libc: str = ""
    machine: str
    processors: int
    blas: list[_Library]
    environment: dict[str, str]


class _Record(_Part):
    study: str
    title: str = ""
    licence: str = ""
    inputs: dict[str, _Input]
    parameters: dict[str, dict[str, str | int | float | bool]]
    notebooks: dict[str, Sha]
    code: dict[str, Sha]
    python: str
    packages: dict[str, str]
    chinese_font: str
    pseudonyms: Sha = "0" * 64
    hash: Sha
    package: str
    git: _Git | None
    lock: Sha | None
    machine: _Machine
    chapters: dict[str, str]
    reused: list[str]
    seconds: dict[str, float]
    start: Time
    end: Time
    author: dict[str, str] | None
    outputs: dict[str, Sha]
    error: str = ""
