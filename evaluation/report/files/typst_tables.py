"""Exhibits for typst, which sets the PDF: three-line tables and figures."""

from __future__ import annotations

import json

from evaluation.report.files.grid_layout import KEPT_WHOLE, Layout, lay_out
from evaluation.report.files.grids import Cell, Table

_THICK, _THIN = "0.9pt", "0.5pt"


def typst_table(table: Table) -> str:
    """Write a table with caption and note; its head is repeated on every page."""
    layout = lay_out(table)
    columns = ", ".join(f"{width:.4f} * 100%" for width in layout.widths)
    places = ", ".join("right" if right else "left" for right in layout.right)
    head = [line for row in table.grid.head for line in _head(row, table.grid.n_columns)]
    body = [_row(row, table.grid.n_columns, layout) for row in table.grid.body]
    drawn = "\n".join(
        (
            f"table(columns: ({columns},), align: ({places},), stroke: none,",
            f"table.hline(stroke: {_THICK}),",
            *(["table.header(", *head, f"table.hline(stroke: {_THIN})),"] if head else []),
            *body,
            f"table.hline(stroke: {_THICK}))",
        )
    )
    drawn = f"text(size: {layout.size}pt, {drawn})"
    texts = f"{typst_text(table.caption)}, {typst_text(table.note)}"
    whole = str(layout.height < KEPT_WHOLE).lower()
    shown = f"#exhibit(table, {texts}, whole: {whole}, {drawn})"
    if not table.name:
        shown = f"#{drawn}"
    return f"#page(flipped: true)[\n{shown}\n]" if layout.landscape else shown


def typst_figure(file: str, alt: str, caption: str, note: str) -> str:
    """Write a figure with caption and note."""
    picture = f"fitted(image.with({typst_text(file)}, alt: {typst_text(alt)}))"
    texts = f"{typst_text(caption)}, {typst_text(note)}"
    return f"#exhibit(image, {texts}, whole: true, {picture})"


def typst_text(text: str) -> str:
    """Write text as a literal, in which nothing is markup."""
    return json.dumps(text, ensure_ascii=False)


def _head(row: tuple[Cell, ...], n_columns: int) -> list[str]:
    cells, rules, at = [], [], 0
    for cell in row:
        spanned = 1 < cell.span < n_columns
        place = "center + bottom" if spanned else "bottom"
        cells.append(f"table.cell(colspan: {cell.span}, align: {place}, {_content(cell)}),")
        if spanned:
            rules.append(f"table.hline(start: {at}, end: {at + cell.span}, stroke: {_THIN}),")
        at += cell.span
    return [*cells, *rules]


def _row(row: tuple[Cell, ...], n_columns: int, layout: Layout) -> str:
    if len(row) == 1 and n_columns > 1:
        title = f"table.cell(colspan: {n_columns}, align: left, strong({_content(row[0])}))"
        # Not the last line of a page, as heads are not.
        return f"table.header(level: 2, repeat: false, {title}),"
    filler = n_columns - sum(cell.span for cell in row)
    cells = [
        _content(cell) if cell.span == 1
        else f"table.cell(colspan: {cell.span}, {_content(cell)})"
        for cell in row
    ]  # fmt: skip
    return ", ".join([*cells, *["[]"] * filler]) + ","


def _content(cell: Cell) -> str:
    lines = [
        " + ".join(
            f"strong({typst_text(t)})" if bold else f"[#{typst_text(t)}]" for t, bold in line
        )
        for line in cell.lines
        if line
    ]
    return " + linebreak() + ".join(lines) or "[]"
