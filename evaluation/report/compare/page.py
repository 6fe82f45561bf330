"""The page on two runs: the verdict, the causes, and what differs side by side."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from evaluation.errors import ReportError
from evaluation.language import choose, say
from evaluation.report.compare.exhibit_tables import PLACES, lay_out
from evaluation.report.compare.levels import LEVEL_NAMES, LEVELS
from evaluation.report.compare.moves import find_unmoved
from evaluation.report.compare.numbers import show_change, show_pair
from evaluation.report.compare.parts import Ends, ExhibitDifference, Move, Side, TextDifference
from evaluation.report.compare.result import Comparison
from evaluation.report.compare.words import (
    detail_cause,
    name_cause,
    name_parts,
    tell_causes,
    tell_tolerance,
    tell_verdict,
)
from evaluation.report.files.pictures import slim_pictures
from evaluation.report.record.rows import FILE as ROWS
from evaluation.report.template_files import read_template, render_page

_TEXTS = 40  # sentences of a chapter that are shown
_SHOWN_LEVELS = ("different", "close")
_WORD = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]|\s+|[^\s\u2e80-\u9fff\uff00-\uffef]+")


def write_comparison(comparison: Comparison, path: str | Path) -> Path:
    """Write a page that holds two runs side by side, in the language spoken.

    Raises
    ------
    ReportError
        If it cannot be written.
    """
    beside = Path(f"{path}.new")
    page = _build(comparison)
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        told = f"{path}: cannot be written: {error.strerror}. Name another place with -o."
        raise ReportError(told) from error
    return Path(path)


def _build(comparison: Comparison) -> str:
    counts = comparison.count()
    levels = [level for level in LEVELS if any(level in found for found in counts.values())]
    return render_page(
        "compare.html.j2",
        title=_title(comparison.after),
        same=comparison.same,
        verdict=tell_verdict(comparison),
        tolerance=tell_tolerance(comparison),
        runs=_runs(comparison.before, comparison.after),
        levels=[say(LEVEL_NAMES[level]) for level in levels],
        counts=[
            (name, [counts[part].get(level, 0) for level in levels])
            for part, name in name_parts().items()
            if any(counts[part].values())
        ],
        form="canonical" in levels,
        conclusion=tell_causes(comparison),
        causes=[
            {
                "what": name_cause(cause, comparison.chapters),
                "before": cause.before,
                "after": cause.after,
                "details": detail_cause(cause, comparison.chapters),
            }
            for cause in comparison.causes
        ],
        moves=_moves(comparison.moves),
        unmoved=_unmoved(comparison),
        chapters=_chapters(comparison),
        files=[
            (file.name, file.why)
            for file in comparison.files
            if file.level == "different" and not _is_told(file.name, comparison)
        ],
        same_exhibits=_same(comparison),
        css=read_template("page.css"),
    )


def _is_told(name: str, comparison: Comparison) -> bool:
    """Whether what differs in a file is shown already, with the exhibit that it is of."""
    stem = Path(name).stem
    shown = {e.name for e in comparison.exhibits if e.level == "different"}
    return name in ("results.json", "report.html", ROWS) or (
        name.split("/")[0] != "notebooks" and stem.removesuffix("_zh") in shown
    )


def _title(side: Side) -> str:
    titles = side.titles
    title = choose(titles.get("en", ""), titles.get("zh", "")) or side.name
    banner = say("SIMULATED: ") if side.simulated else ""
    return title if title.startswith(banner) else banner + title


def _runs(before: Side, after: Side) -> list[tuple[str, str, str]]:
    """Give what tells the two runs apart: a label, and what it is of either."""
    languages = {"en": "English", "zh": "中文"}
    rows: list[tuple[str, str, str]] = [(say("Run"), before.name, after.name)]
    if (old := _title(before)) != (new := _title(after)):
        rows.append((say("Title"), old, new))
    for label, key in (
        (say("Made (UTC)"), "end"),
        (say("Version"), "package"),
        ("Python", "python"),
    ):
        old, new = (str(side.record.get(key) or "") for side in (before, after))
        if key == "end":
            old, new = (text[:16].replace("T", " ") for text in (old, new))
        if old or new:
            rows.append((label, old, new))
    old, new = (languages.get(side.language, side.language) for side in (before, after))
    return [*rows, (say("Language"), old, new)]


def _moves(moves: Sequence[Move]) -> list[dict[str, Any]]:
    """Gather the main numbers that moved by their exhibit."""
    groups: dict[str, dict[str, Any]] = {}
    for move in moves:
        group = groups.setdefault(
            move.exhibit, {"name": move.exhibit, "caption": move.caption, "rows": []}
        )
        old, new = show_pair(move.before, move.after)
        change, share = show_change(move.before, move.after)
        group["rows"].append(
            {
                "row": move.row,
                "column": move.column,
                "unit": move.unit,
                "before": old,
                "after": new,
                "intervals": [_interval(move, end) for end in move.ends],
                "change": change,
                "share": share,
                "remark": say(move.remark) if move.remark else "",
            }
        )
    return list(groups.values())


def _unmoved(comparison: Comparison) -> list[str]:
    """Name the exhibits of both runs whose main numbers are what they were."""
    both = [exhibit for exhibit in comparison.exhibits if None not in exhibit.captions]
    return [] if comparison.same else find_unmoved(both)


def _interval(move: Move, ends: Ends) -> str:
    """Print an interval as finely as its number."""
    if ends is None:
        return ""
    low, high = (show_pair(end, move.after)[0] for end in ends)
    return f"[{low}, {high}]"


def _chapters(comparison: Comparison) -> list[dict[str, Any]]:
    """Gather what differs by the chapter that it is in, in the order of the report."""
    names = dict.fromkeys(
        [
            "summary",
            *sorted(exhibit.notebook for exhibit in comparison.exhibits),
            *(text.place for text in comparison.sentences),
        ]
    )
    chapters = []
    for name in names:
        exhibits = [
            _exhibit(exhibit, comparison)
            for exhibit in comparison.exhibits
            if exhibit.notebook == name and exhibit.level in _SHOWN_LEVELS
        ]
        texts = [
            text
            for text in comparison.sentences
            if text.place == name and text.level in _SHOWN_LEVELS
        ]
        if exhibits or texts:
            chapters.append(
                {
                    "id": f"chapter-{name or 'title'}",
                    "title": comparison.chapters.get(name) or name or say("Title"),
                    "exhibits": exhibits,
                    "texts": [_text(text) for text in texts[:_TEXTS]],
                    "more": max(0, len(texts) - _TEXTS),
                }
            )
    return chapters


def _exhibit(exhibit: ExhibitDifference, comparison: Comparison) -> dict[str, Any]:
    kind = say("Table") if exhibit.kind == "table" else say("Figure")
    return {
        "id": exhibit.name,
        "kind": kind,
        "is_figure": exhibit.kind == "figure",
        "caption": exhibit.caption,
        "level": say(LEVEL_NAMES[exhibit.level]),
        "only": _only(exhibit),
        "layout": lay_out(exhibit, exhibit.level) if exhibit.rows else None,
        "keys": ", ".join(exhibit.keys),
        "texts": [
            {**_text(text), "what": say(PLACES[text.place])}
            for text in exhibit.texts
            if text.level in _SHOWN_LEVELS
        ],
        "pictures": _pictures(exhibit, comparison),
        "pixels": ""
        if exhibit.pixels is None
        else say("{share:.2%} of the pixels differ.", share=exhibit.pixels),
    }


def _only(exhibit: ExhibitDifference) -> str:
    before, after = exhibit.captions
    if before is None:
        return say("It is only in the second run.")
    return say("It is only in the first run.") if after is None else ""


def _text(text: TextDifference) -> dict[str, Any]:
    before, after = mark_words(text.before or "", text.after or "")
    return {"what": "", "before": before, "after": after}


def mark_words(before: str, after: str) -> tuple[Markup, Markup]:
    """Mark the words of two texts that the other has not; all is escaped.

    Examples
    --------
    >>> mark_words("a rise of 5", "a fall of 5")
    (Markup('a <del>rise</del> of 5'), Markup('a <ins>fall</ins> of 5'))
    """
    old, new = _WORD.findall(before), _WORD.findall(after)
    if not old or not new:
        return escape(before), escape(after)
    sides: tuple[list[Markup], list[Markup]] = ([], [])
    matcher: SequenceMatcher[str] = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i0, i1, j0, j1 in matcher.get_opcodes():
        for side, words, tag in ((0, old[i0:i1], "del"), (1, new[j0:j1], "ins")):
            text = escape("".join(words))
            if kind != "equal" and text.strip():
                text = Markup("<{0}>{1}</{0}>").format(Markup(tag), text)
            sides[side].append(text)
    return Markup("").join(sides[0]), Markup("").join(sides[1])


def _pictures(exhibit: ExhibitDifference, comparison: Comparison) -> list[dict[str, Any]]:
    """Give a figure's two pictures, if they differ as they are seen."""
    if exhibit.kind != "figure" or exhibit.picture != "different":
        return []
    return [
        {"label": label, "source": _picture(side.folder / "figures", exhibit.name)}
        for label, side in (
            (say("First run"), comparison.before),
            (say("Second run"), comparison.after),
        )
    ]


def _picture(folder: Path, name: str) -> Markup:
    """Give a picture as the source of an image, where no script of it can run."""
    for end, kind in ((".svg", "svg+xml"), (".png", "png")):
        path = folder / f"{name}{end}"
        if path.is_file():
            code = base64.b64encode(path.read_bytes()).decode()
            try:
                return Markup(slim_pictures(f"data:image/{kind};base64,{code}"))
            except ValueError:  # a drawing that was altered into none
                continue
    return Markup("")


def _same(comparison: Comparison) -> list[tuple[str, list[str]]]:
    """List the exhibits that are the same by their level, the best first."""
    return [
        (
            say(LEVEL_NAMES[level]),
            [e.caption for e in comparison.exhibits if e.level == level],
        )
        for level in LEVELS[:2]
        if any(e.level == level for e in comparison.exhibits)
    ]
