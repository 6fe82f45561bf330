"""What a report's page shows: tables, captions, notes, pictures, and text between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree, html

from evaluation.report.files.grids import Grid, plain_text, read_grid

_UNREAD = {"script", "style", "button", "svg"}


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An exhibit as it is displayed."""

    element: Any

    @cached_property
    def grids(self) -> list[Grid]:
        """Its tables that have rows."""
        found = (read_grid(table) for table in self.element.iter("table"))
        return [grid for grid in found if grid]

    @property
    def kind(self) -> str:
        """Whether it is a table or a figure."""
        return "table" if "table" in self.element.get("class", "").split() else "figure"

    @property
    def label(self) -> str:
        """How it is numbered: "Table 3."; "" if it is not."""
        found = self.element.find("figcaption/span[@class='label']")
        return plain_text(found) if found is not None else ""

    @property
    def caption(self) -> str:
        """What stands above it, without its number."""
        texts = (plain_text(caption) for caption in self.element.iterfind("figcaption"))
        return " ".join(texts).removeprefix(self.label).strip()

    @property
    def note(self) -> str:
        """What stands below it."""
        return " ".join(plain_text(p) for p in self.element.iterfind("p[@class='note']"))

    @property
    def pictures(self) -> list[str]:
        """Its pictures, as addresses that hold them."""
        return [image.get("src", "") for image in self.element.iter("img")]


@dataclass(frozen=True, kw_only=True)
class Page:
    """A report's page, parsed."""

    root: Any

    @cached_property
    def exhibits(self) -> dict[str, Shown]:
        """Its exhibits, by name."""
        return read_shown(self.root)

    @property
    def points(self) -> list[tuple[str, list[str]]]:
        """The summary's points: the text, and the names of the exhibits that they rest on."""
        found = []
        for item in self.root.iterfind(".//section[@id='summary']//li"):
            names = [link.get("href", "#")[1:] for link in item.iterfind("span/a")]
            text = "".join(_texts(item, skip=item.find("span[@class='see']")))
            found.append((text, names))
        return found

    @property
    def references(self) -> list[tuple[str, str]]:
        """Where the page refers to a place in it, and what it calls that."""
        links = self.root.iterfind(".//main//a[@href]")
        places = ((link.get("href"), plain_text(link)) for link in links)
        return [(place[1:], text) for place, text in places if place.startswith("#")]

    @property
    def facts(self) -> str:
        """What stands under the title."""
        return self._text_of(".//dl[@class='facts']")

    @property
    def appendix(self) -> str:
        """The text of the appendix."""
        return self._text_of(".//section[@id='appendix']")

    def prose(self, chapter: str) -> str:
        """Give a chapter's text between its exhibits, without the code."""
        for section in self.root.iterfind(".//section[@class='chapter']"):
            if section.get("id") == chapter:
                return "".join(_texts(section))
        return ""

    def _text_of(self, path: str) -> str:
        parts = self.root.iterfind(path)
        return " ".join(text.strip() for part in parts for text in part.itertext())


def read_page(path: Path) -> Page:
    """Read a report's page; ValueError if there is nothing in it."""
    try:
        return Page(root=_parse(path.read_bytes()))
    except etree.ParserError as error:
        raise ValueError(f"{error}") from None


def read_shown(root: Any) -> dict[str, Shown]:
    """Give the exhibits of a page or a part of one, by name."""
    figures = (figure for figure in root.iter("figure") if figure.get("id"))
    return {figure.get("id"): Shown(element=figure) for figure in figures}


def parse_part(text: str) -> Any:
    """Parse HTML that a notebook shows."""
    return _parse(f"<html><body>{text}</body></html>".encode())


def _parse(content: bytes) -> Any:
    return html.document_fromstring(
        content, parser=html.HTMLParser(encoding="utf-8", huge_tree=True)
    )


def _texts(element: Any, *, skip: Any = None) -> Iterator[str]:
    """Walk through text, past exhibits and code."""
    yield element.text or ""
    for child in element:
        classes = (child.get("class") or "").split() if isinstance(child.tag, str) else ()
        unread = child is skip or child.tag in _UNREAD or {"exhibit", "code"} & {*classes}
        if isinstance(child.tag, str) and not unread:
            yield from _texts(child)
        yield f" {child.tail or ''}"
