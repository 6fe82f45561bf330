"""What report.html tells outside of its exhibits, and what it shows in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from hashlib import sha256
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.compare.levels import Judge, Level
from evaluation.report.compare.parts import TextDifference

_BLOCKS = {"p", "li", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "tr", "pre", "summary"}
_RUN = "run"  # of the appendix: from this heading on it describes the run itself
# "et al. (2024)" is not the end of a sentence; what is cut wrongly is so in both runs.
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z\u201c])|(?<=[。！？])")
_BLANKS = re.compile(r"\s+")
_LIKE = 0.5  # from which on a sentence is taken for another's new wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report's page, as it is read.

    Attributes
    ----------
    sentences
        Those outside of exhibits, each with the section that it is in; without the part of
        the appendix that describes the run.
    shown
        What is displayed in each exhibit: a text a cell, and pictures by their hash.
    titles
        The sections' titles.
    """

    sentences: Sequence[tuple[str, str]]
    shown: Mapping[str, Sequence[str]]
    titles: Mapping[str, str]


def read_page(path: Path) -> Page:
    """Read a report's page.

    Raises
    ------
    ReportError
        If it cannot be read, or is none.
    """
    from lxml import etree, html

    try:
        content = path.read_bytes()
        root = html.fromstring(content, parser=html.HTMLParser(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: cannot be read: {error.strerror}.") from error
    except (etree.ParserError, ValueError) as error:
        raise ReportError(f"{path}: is no page of a report; run the report again.") from error
    sentences: list[tuple[str, str]] = []
    shown: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for main in root.iter("main"):
        _walk(main, "", sentences, shown, titles)
    return Page(sentences=sentences, shown=shown, titles=titles)


def compare_sentences(before: Page, after: Page, judge: Judge) -> list[TextDifference]:
    """Compare what two pages say, in its order; give the sentences that are not identical."""
    found = []
    for section, old, new in _align(before.sentences, after.sentences, judge):
        level: Level = "different"
        if old is not None and new is not None:
            level = judge.phrases(old, new)
        if level != "identical":
            found.append(TextDifference(place=section, before=old, after=new, level=level))
    return found


def compare_shown(before: Page, after: Page, name: str, judge: Judge) -> list[TextDifference]:
    """Compare what two pages display of an exhibit; give what is not identical."""
    if name not in before.shown or name not in after.shown:
        return []
    sides = [[("shown", text) for text in page.shown[name]] for page in (before, after)]
    return compare_sentences(
        Page(sentences=sides[0], shown={}, titles={}),
        Page(sentences=sides[1], shown={}, titles={}),
        judge,
    )


def _walk(
    element: Any,
    section: str,
    sentences: list[tuple[str, str]],
    shown: dict[str, list[str]],
    titles: dict[str, str],
) -> bool:
    """Read an element and what is in it; False from where the run is described."""
    for child in element:
        if not isinstance(child.tag, str) or child.tag in ("script", "style", "nav"):
            continue
        classes = str(child.get("class") or "").split()
        name = str(child.get("id") or "")
        if child.tag == "figure" and "exhibit" in classes:
            shown[name] = list(_display(child))
        elif child.tag == "details" and "code" in classes:
            continue  # a notebook's: notebooks are compared themselves
        elif child.tag == "h3" and name == _RUN:
            return False
        elif child.tag in _BLOCKS and not any(
            inner.tag in _BLOCKS for inner in child.iter() if inner is not child
        ):
            text = _text(child)
            if child.tag == "h2":
                titles.setdefault(section, text)
            sentences += [(section, part) for part in _ENDS.split(text) if part.strip()]
        else:
            inside = name if child.tag == "section" and name else section
            if not _walk(child, inside, sentences, shown, titles):
                return False
    return True


def _text(element: Any) -> str:
    if element.tag == "tr":
        return " | ".join(_text(cell) for cell in element)
    return _BLANKS.sub(" ", element.text_content()).strip()


def _display(figure: Any) -> Iterator[str]:
    for part in figure.iter("th", "td", "img"):
        if part.tag == "img":
            yield f"picture {sha256(str(part.get('src')).encode()).hexdigest()[:12]}"
        else:
            yield _text(part)


def _align(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]], judge: Judge
) -> Iterator[tuple[str, str | None, str | None]]:
    """Align sentences in their order; give section, before and after of those not equal."""
    plain = [
        [(place, judge.canonical(text)) for place, text in side] for side in (before, after)
    ]
    matcher: SequenceMatcher[tuple[str, str]] = SequenceMatcher(
        None, plain[0], plain[1], autojunk=False
    )
    for kind, i0, i1, j0, j1 in matcher.get_opcodes():
        if kind == "equal":
            pairs = zip(before[i0:i1], after[j0:j1], strict=True)
            yield from ((place, old, new) for (place, old), (_, new) in pairs if old != new)
        else:
            yield from _pair(before[i0:i1], after[j0:j1])


def _pair(
    before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str | None, str | None]]:
    """Pair the sentences of a stretch that differs, each with the next that is like it."""
    place = 0
    for section, text in before:
        found = next(
            (n for n in range(place, min(len(after), place + 5)) if _like(text, after[n][1])),
            None,
        )
        if found is None:
            yield section, text, None
            continue
        yield from ((s, None, new) for s, new in after[place:found])
        yield after[found][0], text, after[found][1]
        place = found + 1
    yield from ((s, None, new) for s, new in after[place:])


def _like(before: str, after: str) -> bool:
    old, new = (text.split() if " " in text else list(text) for text in (before, after))
    matcher: SequenceMatcher[str] = SequenceMatcher(None, old, new, autojunk=False)
    return matcher.quick_ratio() > _LIKE and matcher.ratio() > _LIKE
