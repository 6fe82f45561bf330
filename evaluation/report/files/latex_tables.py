"""Exhibits for LaTeX: three-line tables and figures, as floats that a paper can input."""

from __future__ import annotations

import re

from evaluation.language import has_chinese, say
from evaluation.report.files.grid_layout import Layout, lay_out
from evaluation.report.files.grids import Cell, Run, Table

SYMBOLS = {
    "∞": r"\infty", "−": "-", "≥": r"\geq", "≤": r"\leq", "≈": r"\approx", "≠": r"\neq",
    "×": r"\times", "÷": r"\div", "±": r"\pm", "·": r"\cdot", "²": "^2", "³": "^3",
    "→": r"\to", "←": r"\leftarrow", "✓": r"\checkmark", "✗": r"\times",
    "◀": r"\blacktriangleleft", "▶": r"\blacktriangleright", "α": r"\alpha", "β": r"\beta",
    "γ": r"\gamma", "δ": r"\delta", "λ": r"\lambda", "μ": r"\mu", "ρ": r"\rho",
    "σ": r"\sigma", "τ": r"\tau", "φ": r"\varphi", "Δ": r"\Delta", "Σ": r"\Sigma",
}  # fmt: skip
"""Signs that few text fonts have, and what they are in mathematics."""

_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "`": r"\textasciigrave{}",
    # Behind a line's end both would be read as what \\ takes.
    "[": "{[}", "]": "{]}", "*": "{*}",
    "\u200b": r"\allowbreak{}", "\u00a0": "~",
}  # fmt: skip
_ESCAPES = str.maketrans(_SPECIAL | {sign: f"${tex}$" for sign, tex in SYMBOLS.items()})
_DASHES = re.compile(r"(?<=-)(?=-)")
_LEADING = 1.2  # of type, to the distance of its lines
# A longtable's caption is in the table's type unless the package caption is there.
_CAPTION_SIZE = r"\ifdefined\captionsetup\captionsetup{font=normalsize}\fi"
_NOTE = r"\fontsize{8}{9.6}\selectfont"


def escape(text: str) -> str:
    """Write plain text so that LaTeX prints it as it stands."""
    return _DASHES.sub("{}", text.translate(_ESCAPES))


def latex_table(table: Table) -> str:
    """Write a table in LaTeX: three rules, caption, label and notes.

    A table of more than a page is a longtable; one too wide for an upright page lies on its
    side. A comment in the first line names the packages that it takes.
    """
    layout = lay_out(table)
    body = _long(table, layout) if layout.long or not table.name else _float(table, layout)
    return f"{_head_comment(body)}\n{body}"


def latex_figure(name: str, caption: str, note: str) -> str:
    """Write a figure's float; LaTeX must be told where NAME.pdf lies, by graphicspath."""
    body = "\n".join(
        filter(None, (
            r"\begin{figure}", r"\centering",
            rf"\includegraphics[width=\linewidth,height=.75\textheight,keepaspectratio]{{{name}}}",
            rf"\caption{{{escape(caption)}}}", rf"\label{{fig:{name}}}", _minipage(note),
            r"\end{figure}",
        ))
    )  # fmt: skip
    return f"{_head_comment(body)}\n{body}\n"


def _head_comment(body: str) -> str:
    needed = {
        "booktabs": "toprule", "array": "arraybackslash", "makecell": r"\makecell",
        "longtable": "{longtable}", "pdflscape": "{landscape}", "rotating": "{sidewaystable}",
        "graphicx": "includegraphics", "amssymb": r"\checkmark|\blacktriangle",
    }  # fmt: skip
    packages = [
        name for name, signs in needed.items() if any(sign in body for sign in signs.split("|"))
    ]
    chinese = has_chinese(body)
    return (
        f"% Packages: {', '.join(packages)}{', ctex' if chinese else ''}."
        f"{' Compile with xelatex.' if chinese else ''}"
    )


def _float(table: Table, layout: Layout) -> str:
    environment = "sidewaystable" if layout.landscape else "table"
    return "\n".join(
        filter(None, (
            rf"\begin{{{environment}}}", r"\centering", rf"\caption{{{escape(table.caption)}}}",
            rf"\label{{tab:{table.name}}}", *_start(layout),
            rf"\begin{{tabular}}{{{_columns(layout)}}}", r"\toprule", *_head(table, layout),
            *_body(table, layout), r"\bottomrule", r"\end{tabular}", _minipage(table.note),
            rf"\end{{{environment}}}", "",
        ))
    ) + "\n"  # fmt: skip


def _long(table: Table, layout: Layout) -> str:
    head = _head(table, layout)
    title = []
    if table.name:
        title = [rf"\caption{{{escape(table.caption)}}}\label{{tab:{table.name}}}\\"]
    more = rf"\multicolumn{{{table.grid.n_columns}}}{{r@{{}}}}{{{escape(say('continued'))}}}\\"
    lines = [
        r"\begingroup", r"\setlength{\LTcapwidth}{\linewidth}", _CAPTION_SIZE, *_start(layout),
        rf"\begin{{longtable}}{{{_columns(layout)}}}",
        *title, r"\toprule", *head, r"\endfirsthead", more, r"\toprule", *head, r"\endhead",
        r"\bottomrule", r"\endfoot", *_body(table, layout), r"\end{longtable}", r"\endgroup",
    ]  # fmt: skip
    if table.note:
        lines.append(rf"\noindent{{{_NOTE} {escape(table.note)}\par}}\medskip")
    if layout.landscape:
        lines = [r"\begin{landscape}", *lines, r"\end{landscape}"]
    return "\n".join(lines) + "\n"


def _start(layout: Layout) -> list[str]:
    size = layout.size
    return [
        rf"\fontsize{{{size}}}{{{size * _LEADING:.4g}}}\selectfont",
        r"\setlength{\tabcolsep}{4pt}",
    ]


def _minipage(note: str) -> str:
    if not note:
        return ""
    return (
        rf"\par\smallskip\begin{{minipage}}{{\linewidth}}{_NOTE}"
        f"\n{escape(note)}\n" + r"\end{minipage}"
    )


def _columns(layout: Layout) -> str:
    if not layout.wrapped:
        return f"@{{}}{''.join('r' if right else 'l' for right in layout.right)}@{{}}"
    columns = "".join(
        rf">{{\ragged{'left' if right else 'right'}\arraybackslash}}"
        rf"p{{\dimexpr{width:.3f}\linewidth-2\tabcolsep\relax}}"
        for width, right in zip(layout.widths, layout.right, strict=True)
    )
    return f"@{{}}{columns}@{{}}"


def _head(table: Table, layout: Layout) -> list[str]:
    """Write the head: cells over several columns are centred over a rule of their own."""
    lines = []
    for row in table.grid.head:
        lines.append(_row(row, table.grid.n_columns, layout, bold=False))
        at = 1
        for cell in row:
            if 1 < cell.span < table.grid.n_columns:
                lines.append(rf"\cmidrule(lr){{{at}-{at + cell.span - 1}}}")
            at += cell.span
    return [*lines, r"\midrule"] if lines else []


def _body(table: Table, layout: Layout) -> list[str]:
    lines: list[str] = []
    for row in table.grid.body:
        group = len(row) == 1 and table.grid.n_columns > 1
        if lines and (group or layout.wrapped):
            lines.append(r"\addlinespace[3pt]" if group else r"\addlinespace[1.5pt]")
        lines.append(_row(row, table.grid.n_columns, layout, bold=group))
    return lines


def _row(row: tuple[Cell, ...], n_columns: int, layout: Layout, *, bold: bool) -> str:
    cells, at = [], 0
    for cell in row:
        right = layout.right[at]
        if cell.span == 1:
            cells.append(_cell(cell, layout, right=right))
        elif cell.span == n_columns:
            column = r"p{\linewidth}" if layout.wrapped else "l"
            text = rf"\textbf{{{_join(cell, ' ')}}}" if bold else _join(cell, " ")
            cells.append(rf"\multicolumn{{{cell.span}}}{{@{{}}{column}@{{}}}}{{{text}}}")
        else:
            cells.append(rf"\multicolumn{{{cell.span}}}{{c}}{{{_join(cell, ' ')}}}")
        at += cell.span
    cells += [""] * (n_columns - at)
    return " & ".join(cells) + r" \\"


def _cell(cell: Cell, layout: Layout, *, right: bool) -> str:
    if len(cell.lines) == 1:
        return _join(cell, "")
    if layout.wrapped:
        return _join(cell, r"\newline ")
    lines = _join(cell, r"\\")
    return rf"\makecell[t{'r' if right else 'l'}]{{{lines}}}"


def _join(cell: Cell, between: str) -> str:
    return between.join("".join(map(_run, line)) for line in cell.lines)


def _run(run: Run) -> str:
    text, bold = run
    return rf"\textbf{{{escape(text)}}}" if bold else escape(text)
