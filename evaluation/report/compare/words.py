"""A comparison in words: the verdict, the counts, the causes; for a page and a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.data.text_files import shorten
from evaluation.language import commas, listing, mark, say, say_count, sentences
from evaluation.report.compare.levels import LEVEL_NAMES, LEVELS, Level
from evaluation.report.compare.numbers import show_change, show_pair
from evaluation.report.compare.parts import (
    Cause,
    CellDifference,
    ExhibitDifference,
    Move,
    RowDifference,
)

if TYPE_CHECKING:
    from evaluation.report.compare.result import Comparison

_CAUSES = 6  # that a terminal names
_WORST = 5
_EACH = 2  # of an exhibit
_DETAILS = 4  # of a cause
_WIDTH = 48  # characters of one
_FILES = 8  # of a module
_PARTS = {
    "tables": mark("tables"),
    "figures": mark("figures"),
    "cells": mark("numbers and texts in them"),
    "sentences": mark("sentences"),
    "files": mark("files"),
}
_KINDS = {
    "study": mark("Study"),
    "language": mark("Language"),
    "input": mark("Input"),
    "parameter": mark("Parameter"),
    "notebook": mark("Notebook"),
    "code": mark("Code"),
    "package": mark("Package"),
    "python": mark("Python"),
    "font": mark("Chinese font"),
    "codes": mark("Names or codes"),
    "machine": mark("Machine"),
    "altered": mark("Altered since it was written"),
}


def tell_verdict(comparison: Comparison) -> str:
    """Say whether the runs are the same; first, what they have not in common."""
    languages = (
        ""
        if comparison.one_language
        else say(
            "The runs are in two languages: numbers are compared, texts and pictures are not."
        )
    )
    studies = [str(side.record["study"]) for side in (comparison.before, comparison.after)]
    names = (
        ""
        if studies[0] == studies[1]
        else say(
            "The runs are of two studies, {before} and {after}.",
            before=studies[0],
            after=studies[1],
        )
    )
    return sentences(names, languages, _tell_level(comparison))


def _tell_level(comparison: Comparison) -> str:
    match comparison.level:
        case "identical":
            return say("The same: all that both runs hold is identical, byte by byte.")
        case "canonical":
            return say("The same: nothing differs but names, hashes, versions or form.")
        case "close":
            return say(
                "The same within the tolerance: no number differs by more than {tolerance:g} "
                "of its size, or than rounding explains.",
                tolerance=comparison.tolerance,
            )
    counts = comparison.count()
    differ = [
        say("{k:,} of {n:,} {what}", k=k, n=sum(levels.values()), what=say(_PARTS[part]))
        for part, levels in counts.items()
        if part != "cells" and (k := levels.get("different", 0))
    ]
    differ = differ[:-1] if len(differ) > 1 and counts["files"].get("different") else differ
    return say("Different: {what} differ.", what=listing(differ))


def tell_tolerance(comparison: Comparison) -> str:
    """Say when two numbers count as the same."""
    return say(
        "Numbers count as the same if they differ by at most {tolerance:g} of the larger "
        "one, or are both below 1e-12 of the largest in their column.",
        tolerance=comparison.tolerance,
    )


def tell_causes(comparison: Comparison) -> str:
    """Say how the causes and the verdict go together; '' where nothing needs saying."""
    kinds = {cause.kind for cause in comparison.causes}
    if not comparison.same:
        if not kinds:
            return say(
                "Nothing that the runs record differs. What remains is chance without a seed, "
                "or something of the machine that is not recorded."
            )
        if kinds <= {"machine"}:
            return say("Nothing differs but the machine that the runs were made on.")
        return ""
    if "altered" in kinds:
        return say(
            "A file was altered since its run wrote it; no number differs beyond the tolerance."
        )
    return say("What differs between the runs changes no result.") if kinds else ""


def tell_counts(levels: Mapping[Level, int]) -> str:
    """Say how many there are of which level: "40 identical, 2 different"."""
    return commas(
        say("{n:,} {level}", n=levels[level], level=say(LEVEL_NAMES[level]))
        for level in LEVELS
        if levels.get(level)
    )


def name_parts() -> dict[str, str]:
    """Give what is counted, in words."""
    return {part: say(name) for part, name in _PARTS.items()}


def name_cause(cause: Cause, chapters: Mapping[str, str] | None = None) -> str:
    """Name a cause: "Parameter alpha"."""
    names = chapters or {}
    name = names.get(cause.name, cause.name)
    kind = say(_KINDS[cause.kind])
    return say("{kind}: {name}", kind=kind, name=name) if name and name != kind else kind


def detail_cause(cause: Cause, chapters: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Give what is more to say of a cause: rows, chapters, files."""
    if cause.kind == "parameter":
        names = [(chapters or {}).get(name, name) for name in cause.details]
        return (say("in {chapters}", chapters=commas(names)),)
    if cause.kind == "code" and len(cause.details) > _FILES:
        more = say("{n:,} more", n=len(cause.details) - _FILES)
        return (*cause.details[:_FILES], more)
    return cause.details


def list_worst(
    comparison: Comparison,
) -> list[tuple[ExhibitDifference, RowDifference, CellDifference]]:
    """Give the cells that differ, the largest change relative to their column first."""
    found = [
        (exhibit, row, cell)
        for exhibit in comparison.exhibits
        for row in exhibit.rows
        for cell in row.cells
        if cell.level == "different"
    ]
    found.sort(key=lambda one: -one[2].size)
    return found


def write_lines(comparison: Comparison) -> list[str]:
    """Give a few lines for a terminal: verdict, counts, causes, the worst differences."""
    before, after = comparison.before.name, comparison.after.name
    lines = [f"{before} -> {after}", tell_verdict(comparison)]
    for part, levels in comparison.count().items():
        if levels and sum(levels.values()):
            lines.append(f"  {say(_PARTS[part])}: {tell_counts(levels)}")
    lines.append(tell_tolerance(comparison))
    for cause in comparison.causes[:_CAUSES]:
        lines.append(f"  {_line_of(cause)}")
    if (more := len(comparison.causes) - _CAUSES) > 0:
        lines.append("  " + say_count("{n} more cause", "{n:,} more causes", more))
    lines += [text] if (text := tell_causes(comparison)) else []
    return [*lines, *(f"  {line}" for line in _worst_lines(comparison))]


def _line_of(cause: Cause) -> str:
    details = [*detail_cause(cause)]
    sides = [cause.before, cause.after]
    told = f"{cause.before} -> {cause.after}" if sides[0] != sides[1] else ""
    if cause.kind == "input" and details:
        told = ""
    return " ".join(filter(None, [name_cause(cause), told, _bracket(details)]))


def _bracket(details: Sequence[str]) -> str:
    told = "; ".join(shorten(text, _WIDTH) for text in details[:_DETAILS])
    return f"({told}{'; …' if len(details) > _DETAILS else ''})" if details else ""


def _worst_lines(comparison: Comparison) -> Iterator[str]:
    seen: Counter[str] = Counter()
    # What changed its meaning first: a verdict, a sign, an interval that now holds zero.
    for move in sorted(
        comparison.moves, key=lambda m: not (m.remark or isinstance(m.after, str))
    ):
        if seen[move.exhibit] < _EACH and seen.total() < _WORST:
            seen[move.exhibit] += 1
            yield _line(move.exhibit, move.row, move.column, move)
    if comparison.moves:
        return
    cells = list_worst(comparison)
    for exhibit, row, cell in cells[:_WORST]:
        yield _line(exhibit.name, row.label, cell.column, cell)
    if not cells:
        others = [e.name for e in comparison.exhibits if e.level == "different"]
        files = [f.name for f in comparison.files if f.level == "different" and f.counts]
        if others or files:
            yield commas([*others, *files][:_WORST])


def _line(exhibit: str, row: str, column: str, values: Move | CellDifference) -> str:
    old, new = show_pair(values.before, values.after)
    change = ", ".join(filter(None, show_change(values.before, values.after)))
    remark = say(values.remark) if isinstance(values, Move) and values.remark else ""
    told = f"{exhibit}, {row}, {column}: {old} -> {new}"
    return told + (f" ({change})" if change else "") + (f"; {remark}" if remark else "")
