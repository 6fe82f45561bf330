"""A report as a Word document: headings, contents, captions and three-line tables."""

from __future__ import annotations

import json
import struct
import tempfile
from copy import deepcopy
from pathlib import Path
from typing import Any

from evaluation.language import say
from evaluation.report.files.document_parts import Parts, Piece, run_pandoc
from evaluation.report.files.grid_layout import lay_out
from evaluation.report.files.word_tables import (
    package_parts,
    style_document,
    word_caption,
    word_note,
    word_table,
    write_package,
)

_LEVELS = {"Heading 1": 1, "Heading 2": 2}
_UPRIGHT = (11906, 16838)  # A4, in twentieths of a point
_MARGIN = 1417
_WIDEST, _TALLEST, _DOTS = 16.0, 18.5, 150  # cm, cm, dots an inch
_PICTURE = "picture of "


def write_word(parts: Parts, run: Path, target: Path) -> None:
    """Write report.docx."""
    from docx import Document

    with tempfile.TemporaryDirectory() as folder:
        reference, drafted = Path(folder, "reference.docx"), Path(folder, "draft.docx")
        _write_reference(reference)
        options = (f"--reference-doc={reference}", f"--resource-path={run}")
        run_pandoc(_fill(parts, run), to="docx", output=drafted, options=options)
        document = Document(str(drafted))
    _finish(document, parts)
    write_package(package_parts(document), target)


def _fill(parts: Parts, run: Path) -> str:
    """Give the report for pandoc, which puts the pictures in."""
    filled = json.loads(parts.fill("openxml", _start, _end))
    pictures = {f"{_PICTURE}{p.name}": p for p in parts.pieces if p.kind == "figure"}
    for number, block in enumerate(filled["blocks"]):
        if block["t"] == "RawBlock" and block["c"][1] in pictures:
            filled["blocks"][number] = _picture(pictures[block["c"][1]], run)
    return json.dumps(filled, ensure_ascii=False)


def _picture(piece: Piece, run: Path) -> dict[str, Any]:
    """Give a picture for pandoc, as large as a page allows, and no larger than drawn."""
    name = f"figures/{piece.name}.png"
    width, height = struct.unpack(">II", (run / name).read_bytes()[16:24])
    cm = min(_WIDEST, width / _DOTS * 2.54, _TALLEST * width / height)
    image = [["", [], [["width", f"{cm:.2f}cm"]]], [{"t": "Str", "c": piece.alt}], [name, ""]]
    return {"t": "Para", "c": [{"t": "Image", "c": image}]}


def _start(piece: Piece) -> str:
    if piece.kind == "figure":
        return f"{_PICTURE}{piece.name}"
    caption = word_caption(say("Table"), piece.number, piece.caption) if piece.number else ""
    if piece.table is None:
        return caption
    drawn = caption + word_table(piece.table)
    if not lay_out(piece.table).landscape:
        return drawn
    return _section(landscape=False) + drawn + _section(landscape=True)


def _end(piece: Piece) -> str:
    if piece.kind == "figure":
        return word_caption(say("Figure"), piece.number, piece.caption) + word_note(piece.note)
    return word_note(piece.note) if piece.kind == "text" and piece.note else ""


def _section(*, landscape: bool) -> str:
    """End a section, whose pages lie or stand."""
    width, height = reversed(_UPRIGHT) if landscape else _UPRIGHT
    turned = ' w:orient="landscape"' if landscape else ""
    sides = " ".join(f'w:{side}="{_MARGIN}"' for side in ("top", "right", "bottom", "left"))
    return (
        f'<w:p><w:pPr><w:spacing w:before="0" w:after="0"/><w:sectPr><w:pgSz w:w="{width}" '
        f'w:h="{height}"{turned}/><w:pgMar {sides} w:header="709" w:footer="709" w:gutter="0"/>'
        "</w:sectPr></w:pPr></w:p>"
    )


def _write_reference(path: Path) -> None:
    """Write the document that pandoc takes its styles from."""
    from docx import Document
    from docx.shared import Pt

    default = run_pandoc_data("reference.docx")
    path.write_bytes(default)
    document = Document(str(path))
    style_document(document)
    for name, size in {"Title": 22, "Subtitle": 13, "Heading 1": 16, "Heading 2": 13}.items():
        document.styles[name].font.size = Pt(size)
        document.styles[name].font.bold = name != "Subtitle"
    document.styles["Heading 1"].paragraph_format.page_break_before = True
    document.save(str(path))


def run_pandoc_data(name: str) -> bytes:
    """Give a file that pandoc carries."""
    import subprocess

    import pypandoc

    command = [pypandoc.get_pandoc_path(), f"--print-default-data-file={name}"]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _finish(document: Any, parts: Parts) -> None:
    """Put the title page and the contents in front, and page numbers below."""
    from docx.oxml.ns import qn

    properties = document.core_properties
    properties.title = parts.title
    properties.language = {"en": "en-GB", "zh": "zh-CN"}[parts.language]
    for fonts in document.styles.element.iter(qn("w:lang")):
        fonts.set(qn("w:val"), "en-GB")
        fonts.set(qn("w:eastAsia"), "zh-CN")
    first = document.paragraphs[0]
    first.insert_paragraph_before(parts.title, style="Title")
    for line in parts.front:
        if line != parts.title:
            first.insert_paragraph_before(line, style="Subtitle")
    for paragraph in document.paragraphs:
        if paragraph._p.find(f".//{qn('w:drawing')}") is not None:
            paragraph.paragraph_format.keep_with_next = True
    headings = [p for p in document.paragraphs if p.style.name in _LEVELS]
    first.insert_paragraph_before(say("Contents"), style="TOC Heading")
    for number, heading in enumerate(headings):
        _bookmark(heading, number)
        entry = first.insert_paragraph_before("", style="Body Text")
        entry.paragraph_format.left_indent = (_LEVELS[heading.style.name] - 1) * 300_000
        entry.paragraph_format.space_before = entry.paragraph_format.space_after = 0
        _link(entry, heading.text, number)
    if headings:
        _wrap_in_field(first, len(headings))
    _number_pages(document)


def _bookmark(paragraph: Any, number: int) -> None:
    start = _element("bookmarkStart", id=str(10_000 + number), name=f"_Toc{number:08d}")
    paragraph._p.insert(1, start)
    paragraph._p.append(_element("bookmarkEnd", id=str(10_000 + number)))


def _link(paragraph: Any, text: str, number: int) -> None:
    link = _element("hyperlink", anchor=f"_Toc{number:08d}", history="1")
    paragraph.add_run(text)
    link.append(paragraph.runs[0]._r)
    paragraph._p.append(link)


def _wrap_in_field(behind: Any, n_entries: int) -> None:
    """Make the entries before a paragraph the result of a field, which Word can renew."""
    entries = behind._p.itersiblings(preceding=True)
    paragraphs = [next(entries) for _ in range(n_entries)]
    last, first = paragraphs[0], paragraphs[-1]
    at = 1 if first.pPr is not None else 0
    for offset, run in enumerate(_field_start(' TOC \\o "1-2" \\h \\z \\u ')):
        first.insert(at + offset, run)
    last.append(_field_run("end"))


def _number_pages(document: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    footer = document.sections[0].footer
    footer.is_linked_to_previous = False
    paragraph = footer.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for run in (*_field_start(" PAGE "), deepcopy(_element("r")), _field_run("end")):
        paragraph._p.append(run)


def _field_start(instruction: str) -> list[Any]:
    code = _element("r")
    text = _element("instrText")
    text.text = instruction
    code.append(text)
    return [_field_run("begin"), code, _field_run("separate")]


def _field_run(kind: str) -> Any:
    run = _element("r")
    run.append(_element("fldChar", fldCharType=kind))
    return run


def _element(tag: str, **attributes: str) -> Any:
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(f"w:{tag}")
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element
