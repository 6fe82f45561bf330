"""What a document is made of: a finished report's prose as pandoc has it, and its exhibits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.language import Language, say
from evaluation.report.files.grids import Table, plain_text, read_exhibit, read_grid

MOST_ROWS = 100
_SHOWN_ROWS = 40
_DROPPED = (
    "self::nav or self::script or self::style or self::button or self::input or self::select "
    "or self::form or self::details or @hidden or @aria-hidden='true'"
)
_SCREEN_CLASSES = ("search", "skip", "anchor-link", "label")
_READER = "html-native_divs-native_spans-auto_identifiers+tex_math_dollars"
_MARK = re.compile(r"^exhibit(\d+)(start|end)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A table or figure of a document.

    Attributes
    ----------
    kind
        "table", or "figure", or "text": what stands in a table's place is in the prose.
    number
        Among tables or among figures; 0 for a table that isn't an exhibit.
    table
        The table, shortened if it is long; of a figure or text, its name, caption and note.
    alt
        What a figure shows, for those who don't see it.
    shortened
        Whether rows were left out.
    """

    kind: str
    number: int
    name: str
    caption: str
    note: str
    table: Table | None = None
    alt: str = ""
    shortened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A report's title and language, its prose as pandoc's blocks, and its exhibits."""

    title: str
    language: Language
    front: tuple[str, ...]
    blocks: Any
    pieces: tuple[Piece, ...]

    def fill(
        self, form: str, start: Callable[[Piece], str], end: Callable[[Piece], str]
    ) -> str:
        """Put exhibits, written in a raw format of pandoc's, where they belong."""
        filled = []
        for block in self.blocks["blocks"]:
            if match := _marked(block):
                piece = self.pieces[int(match[1])]
                raw = start(piece) if match[2] == "start" else end(piece)
                filled += [{"t": "RawBlock", "c": [form, raw]}] if raw else []
            else:
                filled.append(block)
        return json.dumps({**self.blocks, "meta": {}, "blocks": filled}, ensure_ascii=False)


def read_report(run: Path) -> Parts:
    """Read a finished run's page, without what is only for a screen.

    Raises
    ------
    ReportError
        If the run has no page.
    """
    import lxml.html

    page = run / "report.html"
    try:
        root = lxml.html.document_fromstring(
            page.read_bytes(), parser=lxml.html.HTMLParser(encoding="utf-8")
        )
    except (OSError, ValueError) as error:
        raise ReportError(f"{page}: cannot be read; run the report again.") from error
    main = root.find(".//main")
    if main is None:
        raise ReportError(f"{page}: no report is in it; run it again.")
    _drop_screen_parts(main)
    title, front = _read_front(root, main)
    pieces = [*_take_exhibits(main)]
    pieces += _take_tables(main, len(pieces))
    html = lxml.html.tostring(main, encoding="unicode")
    return Parts(
        title=title,
        language="zh" if (root.get("lang") or "").startswith("zh") else "en",
        front=front,
        blocks=_raise_headings(json.loads(run_pandoc(html, to="json", reader=_READER))),
        pieces=tuple(pieces),
    )


def run_pandoc(
    text: str,
    *,
    to: str,
    reader: str = "json",
    output: Path | None = None,
    options: tuple[str, ...] = (),
) -> str:
    """Have pandoc turn a text into another format; into a file, if it is named."""
    import pypandoc

    try:
        return str(
            pypandoc.convert_text(
                text,
                to,
                reader,
                extra_args=["--quiet", *options],
                outputfile=str(output) if output else None,
            )
        )
    except RuntimeError as error:
        raise ReportError(f"pandoc could not write {to}: {error}") from error


def shorten(table: Table) -> Table:
    """Leave out most rows of a table that nobody would read on paper, and say so."""
    rows = len(table.grid.body)
    if rows <= MOST_ROWS:
        return table
    told = say(
        "The first {n} of {rows:,} rows; all of them are in {file}.",
        n=_SHOWN_ROWS, rows=rows, file=f"tables/{table.name}.csv",
    )  # fmt: skip
    note = f"{told} {table.note}".strip()
    return replace(table, grid=table.grid.first(_SHOWN_ROWS), note=note)


def _drop_screen_parts(main: Any) -> None:
    for element in main.xpath(f".//*[{_DROPPED}]"):
        element.drop_tree()
    for name in _SCREEN_CLASSES:
        for element in main.find_class(name):
            element.drop_tree()
    for code in main.iter("pre", "code"):
        code.attrib.clear()  # a language's name would have pandoc colour it
    for link in main.iter("a"):
        # To a place on the page, or to a file beside it: neither is there on paper.
        if "://" not in link.get("href", ""):
            link.attrib.pop("href", None)
    for picture in main.xpath(".//img[not(starts-with(@src, 'data:'))]"):
        # Of an own chapter; pandoc would read whatever file of this machine it names.
        picture.text = picture.get("alt", "")
        picture.drop_tag()


def _read_front(root: Any, main: Any) -> tuple[str, tuple[str, ...]]:
    """Take out the page's header: its title, and what else it says."""
    header = main.find(".//header")
    heading = main.find(".//h1")
    title = plain_text(heading if heading is not None else root.find(".//title"))
    if header is None:
        if heading is not None:
            heading.drop_tree()
        return title, ()
    lines = []
    for part in header.iterdescendants("p", "dd"):
        label = part.getprevious() if part.tag == "dd" else None
        told = plain_text(part)
        lines.append(told if label is None else f"{plain_text(label)}: {told}")
    header.drop_tree()
    return title, tuple(filter(None, lines))


def _take_exhibits(main: Any) -> list[Piece]:
    """Replace exhibits by marks; of those that show text, that stays between two."""
    pieces: list[Piece] = []
    numbers = {"table": 0, "figure": 0}
    for figure in [f for f in main.iter("figure") if "exhibit" in f.get("class", "").split()]:
        kind = "figure" if "figure" in figure.get("class", "").split() else "table"
        numbers[kind] += 1
        piece = _read_piece(figure, kind, numbers[kind])
        _replace(figure, len(pieces), [] if piece.kind != "text" else _text_of(figure))
        pieces.append(piece)
    return pieces


def _read_piece(figure: Any, kind: str, number: int) -> Piece:
    name = figure.get("id", "")
    caption = " ".join(plain_text(part) for part in figure.iter("figcaption"))
    note = " ".join(plain_text(part) for part in figure.find_class("note"))
    image = figure.find(".//img")
    if kind == "figure" and image is not None:
        return Piece(
            kind="figure", number=number, name=name, caption=caption, note=note,
            alt=image.get("alt", ""),
        )  # fmt: skip
    if (table := read_exhibit(figure)) is None:
        return Piece(kind="text", number=number, name=name, caption=caption, note=note)
    short = shorten(table)
    return Piece(
        kind="table", number=number, name=name, caption=caption, note=short.note, table=short,
        shortened=short is not table,
    )  # fmt: skip


def _take_tables(main: Any, n_before: int) -> list[Piece]:
    """Replace tables outside exhibits by marks."""
    pieces: list[Piece] = []
    for element in list(main.iter("table")):
        grid = read_grid(element)
        if grid is None:
            element.drop_tree()
            continue
        table = Table(name="", caption="", note="", grid=grid)
        _replace(element, n_before + len(pieces), [])
        pieces.append(Piece(kind="table", number=0, name="", caption="", note="", table=table))
    return pieces


def _text_of(figure: Any) -> list[Any]:
    for part in [*figure.iter("figcaption"), *figure.find_class("note")]:
        part.drop_tree()
    return list(figure)


def _replace(element: Any, number: int, content: list[Any]) -> None:
    from lxml.html.builder import DIV, P

    marked = DIV(P(f"exhibit{number}start"), *content, P(f"exhibit{number}end"))
    marked.tail = element.tail
    element.getparent().replace(element, marked)


def _raise_headings(blocks: Any) -> Any:
    """Make chapters the first level: on the page, that is the title's."""
    headings = [block for block in blocks["blocks"] if block["t"] == "Header"]
    top = min((heading["c"][0] for heading in headings), default=1)
    for heading in headings:
        heading["c"][0] -= top - 1
    return blocks


def _marked(block: Any) -> re.Match[str] | None:
    inlines = block["c"] if block["t"] in ("Para", "Plain") else []
    if len(inlines) != 1 or inlines[0]["t"] != "Str":
        return None
    return _MARK.match(inlines[0]["c"])
