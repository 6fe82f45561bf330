"""Why two runs may differ: what is not the same in what they were made from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.language import say
from evaluation.report.compare.inputs import Files, changed_inputs, tell_rows
from evaluation.report.compare.parts import Cause, Side
from evaluation.report.record.describe import differing

_MACHINE = ("system", "machine", "processors", "blas")
_PLACES = ("study", "language")  # parameters that are told as causes of their own


def find_causes(
    before: Side, after: Side, studies: tuple[Files, Files], altered: Mapping[str, list[str]]
) -> list[Cause]:
    """Name all that differs between what two runs record, what matters most first.

    Parameters
    ----------
    before, after
        The runs.
    studies
        Where their studies lie, to tell the rows and cells of files that changed.
    altered
        By the run's side, "before" and "after": its files that are not as it wrote them.
    """
    return [
        *_altered(before, after, altered),
        *_one("study", "", before.record, after.record, "study"),
        *_language(before, after),
        *_inputs(before, after, studies),
        *_codes(before.record, after.record),
        *_parameters(before.record["parameters"], after.record["parameters"]),
        *_notebooks(before.record, after.record),
        *_code(before.record, after.record),
        *_packages(before.record["packages"], after.record["packages"]),
        *_one("python", "Python", before.record, after.record, "python"),
        *_one("font", "", before.record, after.record, "chinese_font"),
        *_machine(before.record.get("machine") or {}, after.record.get("machine") or {}),
    ]


def _altered(before: Side, after: Side, altered: Mapping[str, list[str]]) -> Iterator[Cause]:
    for side, run in (("before", before), ("after", after)):
        for name in altered.get(side, ()):
            yield Cause(kind="altered", name=name, details=(run.name,))


def _one(
    kind: Any, name: str, before: Mapping[str, Any], after: Mapping[str, Any], key: str
) -> Iterator[Cause]:
    old, new = (str(record.get(key) or "") for record in (before, after))
    if old != new:
        yield Cause(kind=kind, name=name, before=old, after=new)


def _language(before: Side, after: Side) -> Iterator[Cause]:
    if before.language != after.language:
        yield Cause(kind="language", name="", before=before.language, after=after.language)


def _inputs(before: Side, after: Side, studies: tuple[Files, Files]) -> Iterator[Cause]:
    old, new = before.record["inputs"], after.record["inputs"]
    for name in changed_inputs(old, new):
        sizes = [
            say("{n:,} bytes", n=side[name]["bytes"]) if name in side else say("not there")
            for side in (old, new)
        ]
        both = name in old and name in new
        details = tell_rows(name, (before, after), studies) if both else ()
        yield Cause(kind="input", name=name, before=sizes[0], after=sizes[1], details=details)


def _codes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cause]:
    keys = [record.get("pseudonyms") for record in (before, after)]
    if keys[0] != keys[1]:
        told = [say("codes") if key else say("names") for key in keys]
        name = say("key of the codes") if all(keys) else ""
        yield Cause(kind="codes", name=name, before=told[0], after=told[1])


def _parameters(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cause]:
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for chapter in dict.fromkeys([*before, *after]):
        old, new = before.get(chapter), after.get(chapter)
        if old is None or new is None:
            yield Cause(
                kind="notebook",
                name=chapter,
                before=say("not there") if old is None else "",
                after=say("not there") if new is None else "",
            )
            continue
        for name in differing(old, new):
            if name not in _PLACES:
                told = [repr(side[name]) if name in side else "" for side in (old, new)]
                found[name, told[0], told[1]].append(chapter)
    for (name, one, other), chapters in found.items():
        yield Cause(
            kind="parameter", name=name, before=one, after=other, details=tuple(chapters)
        )


def _notebooks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cause]:
    old, new = before["notebooks"], after["notebooks"]
    for name in differing(old, new):
        if name in old and name in new:
            yield Cause(kind="notebook", name=name)


def _code(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cause]:
    """Gather the changed files of the package by the module that they are in."""
    old, new = before["code"], after["code"]
    modules: defaultdict[str, list[str]] = defaultdict(list)
    for name in differing(old, new):
        parts = name.split("/")
        depth = 2 if parts[0] == "report" else 1
        folder = "/".join(parts[:-1][:depth])
        modules[f"evaluation/{folder}/" if folder else f"evaluation/{name}"].append(name)
    commits = [_commit(record) for record in (before, after)]
    for module, names in modules.items():
        yield Cause(
            kind="code", name=module, before=commits[0], after=commits[1], details=tuple(names)
        )


def _commit(record: Mapping[str, Any]) -> str:
    git = record.get("git") or {}
    if not git.get("commit"):
        return str(record.get("package") or "")
    commit = str(git["commit"])[:10]
    return (
        commit if git.get("clean") else say("{commit} and uncommitted changes", commit=commit)
    )


def _packages(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Cause]:
    for name in differing(before, after):
        yield Cause(
            kind="package",
            name=name,
            before=before.get(name) or say("not there"),
            after=after.get(name) or say("not there"),
        )


def _machine(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Cause]:
    for name in dict.fromkeys([*_MACHINE, *before, *after]):
        old, new = before.get(name), after.get(name)
        if old != new:
            yield Cause(kind="machine", name=name, before=_tell(old), after=_tell(new))


def _tell(value: Any) -> str:
    """Tell what a record says of a machine: "openblas 0.3.29, 2 threads"."""
    if value is None or value == "":
        return say("not recorded")
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_tell(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return "; ".join(map(_tell, value))
    return str(value)
