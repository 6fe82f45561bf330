"""Exhibits for Word: three-line tables, as a part of a document or as one of their own.

Tables are written as text: through python-docx's cells, a table of a thousand rows takes
minutes.
"""

from __future__ import annotations

from copy import copy
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from evaluation.language import say
from evaluation.report.files.grid_layout import KEPT_WHOLE, Layout, lay_out
from evaluation.report.files.grids import Cell, Table

LATIN_FONT, CHINESE_FONT, CHINESE_HEADINGS = "Times New Roman", "SimSun", "SimHei"
CAPTION, TABLE_TEXT, TABLE_NOTE = "Caption", "TableText", "TableNote"

_LINE = {
    False: 9070,
    True: 13990,
}  # of an A4 page with margins of 2.5 cm, in twentieths of a point
_BODY = "<w:body>"
_MOST_FITTED = 200  # rows
_EPOCH = (1980, 1, 1, 0, 0, 0)


def word_document(table: Table) -> bytes:
    """Write a table as a Word document; the same table always gives the same bytes."""
    landscape = lay_out(table).landscape
    body = word_caption(say("Table"), 1, table.caption) + word_table(table)
    buffer = BytesIO()
    with ZipFile(buffer, "w") as target:
        for part, content, packed in _template(landscape):
            if part.filename == "word/document.xml":
                content = content.replace(b"<!--body-->", body.encode())
                _pack(target, part.filename, content)
            else:
                _add_packed(target, part, packed)
    return buffer.getvalue()


def word_caption(label: str, number: int, caption: str) -> str:
    """Write a caption, its number a field, so that Word can list tables and figures."""
    kind = "Table" if label == say("Table") else "Figure"
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{CAPTION}"/><w:keepNext/></w:pPr>'
        f"{_text(f'{label} ')}"
        + _field(rf" SEQ {kind} \* ARABIC ", str(number))
        + _text(f". {caption}" if label.isascii() else f"　{caption}")
        + "</w:p>"
    )


def word_table(table: Table) -> str:
    """Write a table with its note in Office Open XML, without its caption."""
    layout = lay_out(table)
    n_columns = table.grid.n_columns
    # Where Word may, it gives a column more so that no word is broken, whatever the font.
    set_by = "fixed" if len(table.grid.body) > _MOST_FITTED else "autofit"
    widths = [round(width * _LINE[layout.landscape]) for width in layout.widths]
    whole = layout.height < KEPT_WHOLE
    rows = [
        _row(row, n_columns, layout, widths, head=True, last=row is table.grid.head[-1])
        for row in table.grid.head
    ] + [_row(row, n_columns, layout, widths, kept=whole) for row in table.grid.body]
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:jc w:val="left"/>'
        '<w:tblBorders><w:top w:val="single" w:sz="12"/><w:bottom w:val="single" w:sz="12"/>'
        f'</w:tblBorders><w:tblLayout w:type="{set_by}"/><w:tblCellMar><w:left w:w="60" '
        'w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
        f'<w:tblLook w:firstRow="{int(bool(table.grid.head))}"/></w:tblPr><w:tblGrid>'
        + "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
        + f"</w:tblGrid>{''.join(rows)}</w:tbl>{word_note(table.note)}"
    )


def word_note(note: str) -> str:
    """Write the note below a table or figure; it also parts two tables."""
    return f'<w:p><w:pPr><w:pStyle w:val="{TABLE_NOTE}"/></w:pPr>{_text(note)}</w:p>'


def _field(instruction: str, shown: str) -> str:
    start, middle, end = (
        f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'
        for kind in ("begin", "separate", "end")
    )
    return (
        f"{start}<w:r><w:instrText>{instruction}</w:instrText></w:r>{middle}{_text(shown)}{end}"
    )


def _row(
    row: tuple[Cell, ...],
    n_columns: int,
    layout: Layout,
    widths: list[int],
    *,
    head: bool = False,
    last: bool = False,
    kept: bool = False,
) -> str:
    cells, at = [], 0
    group = len(row) == 1 and n_columns > 1
    filler = [Cell(lines=((),))] * (n_columns - sum(cell.span for cell in row))
    for cell in (*row, *filler):
        spanned = 1 < cell.span < n_columns
        place = "center" if spanned else "right" if layout.right[at] and not group else "left"
        rule = last or (head and spanned)
        cells.append(
            f'<w:tc><w:tcPr><w:tcW w:w="{sum(widths[at : at + cell.span])}" w:type="dxa"/>'
            + (f'<w:gridSpan w:val="{cell.span}"/>' if cell.span > 1 else "")
            + ('<w:tcBorders><w:bottom w:val="single" w:sz="6"/></w:tcBorders>' if rule else "")
            + ('<w:vAlign w:val="bottom"/>' if head else "")
            + f'</w:tcPr><w:p><w:pPr><w:pStyle w:val="{TABLE_TEXT}"/>'
            + ("<w:keepNext/>" if head or group or kept else "")
            + f'<w:jc w:val="{place}"/></w:pPr>'
            + f"{_lines(cell, layout.size, bold=group)}</w:p></w:tc>"
        )
        at += cell.span
    repeated = "<w:tblHeader/>" if head else ""
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{''.join(cells)}</w:tr>"


def _lines(cell: Cell, size: int, *, bold: bool) -> str:
    lines = [
        "".join(_text(t, size=size, bold=b or bold) for t, b in line) for line in cell.lines
    ]
    return "<w:r><w:br/></w:r>".join(lines)


def _text(text: str, *, size: int = 0, bold: bool = False) -> str:
    if not text:
        return ""
    style = ("<w:b/>" if bold else "") + (f'<w:sz w:val="{2 * size}"/>' if size else "")
    style = f"<w:rPr>{style}</w:rPr>" if style else ""
    return f'<w:r>{style}<w:t xml:space="preserve">{escape(text, quote=False)}</w:t></w:r>'


@cache
def _template(landscape: bool) -> list[tuple[ZipInfo, bytes, bytes]]:
    """Give the parts of an empty document, the place of its body marked, and each packed."""
    from docx import Document
    from docx.enum.section import WD_ORIENT

    document = Document()
    style_document(document)
    section = document.sections[0]
    if landscape:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = section.page_height, section.page_width
    parts = []
    for name, content in package_parts(document):
        if name == "word/document.xml":
            content = content.replace(_BODY.encode(), f"{_BODY}<!--body-->".encode(), 1)
        alone = BytesIO()
        with ZipFile(alone, "w") as target:
            _pack(target, name, content)
            packed = alone.getvalue()
        parts.append((target.infolist()[0], content, packed))
    return parts


def _pack(target: ZipFile, name: str, content: bytes) -> None:
    target.writestr(ZipInfo(name, _EPOCH), content, compress_type=ZIP_DEFLATED)


def _add_packed(target: ZipFile, part: ZipInfo, packed: bytes) -> None:
    """Add a part as it was packed before: to pack a document's styles takes longest."""
    assert target.fp is not None  # it is open
    part = copy(part)
    part.header_offset = target.start_dir
    target.fp.seek(target.start_dir)
    target.fp.write(packed)
    target.start_dir = target.fp.tell()
    target.filelist.append(part)
    target.NameToInfo[part.filename] = part


def style_document(document: Any) -> None:
    """Give a document A4 pages, black headings and captions, and fonts for Chinese."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.shared import Cm, Pt, RGBColor

    styles = document.styles
    for name, size in ((TABLE_TEXT, 9), (TABLE_NOTE, 8)):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        style.font.size = Pt(size)
        style.paragraph_format.space_before = Pt(1 if name == TABLE_TEXT else 3)
        style.paragraph_format.space_after = Pt(1 if name == TABLE_TEXT else 12)
        style.paragraph_format.line_spacing = 1.0
    caption = next(style for style in styles if style.style_id == CAPTION)
    caption.font.size, caption.font.bold, caption.font.italic = Pt(10), True, False
    caption.paragraph_format.space_before, caption.paragraph_format.space_after = Pt(12), Pt(4)
    caption.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.LEFT
    for style in styles:
        if style.type != WD_STYLE_TYPE.PARAGRAPH:
            continue
        heading = style.name.startswith(("Heading", "Title", "Subtitle", "TOC"))
        _set_fonts(style, CHINESE_HEADINGS if heading else CHINESE_FONT)
        if heading or style.style_id == CAPTION:
            style.font.color.rgb = RGBColor(0, 0, 0)
    for section in document.sections:
        section.page_width, section.page_height = Cm(21), Cm(29.7)
        section.left_margin = section.right_margin = Cm(2.5)
        section.top_margin = section.bottom_margin = Cm(2.5)


def _set_fonts(style: Any, chinese: str) -> None:
    from docx.oxml.ns import qn

    style.font.name = LATIN_FONT
    fonts = style.element.rPr.rFonts
    for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{theme}"), None)
    fonts.set(qn("w:eastAsia"), chinese)


def package_parts(document: Any) -> list[tuple[str, bytes]]:
    """Give the parts of a document that python-docx has, its dates fixed."""
    from datetime import datetime

    document.core_properties.created = document.core_properties.modified = datetime(*_EPOCH)
    document.core_properties.author = document.core_properties.last_modified_by = ""
    document.core_properties.comments = ""
    written = BytesIO()
    document.save(written)
    with ZipFile(written) as source:
        return [(name, source.read(name)) for name in source.namelist()]


def write_package(parts: list[tuple[str, bytes]], path: Path) -> None:
    """Write a document's parts; the same parts always give the same bytes."""
    with ZipFile(path, "w") as target:
        for name, content in parts:
            _pack(target, name, content)
