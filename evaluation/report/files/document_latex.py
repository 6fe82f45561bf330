"""A report as LaTeX: report.tex, and the tables and figures that a paper can input."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from evaluation.language import say
from evaluation.report.files.document_parts import Parts, Piece, run_pandoc
from evaluation.report.files.document_pdf import write_figure_pdf
from evaluation.report.files.latex_tables import SYMBOLS, escape, latex_figure, latex_table
from evaluation.report.template_files import fill_template

_ADVICE = """\
% For a paper: copy the folders tables/ and figures/ beside it, and put into the preamble
%   \\usepackage{booktabs,array,makecell,tabularx,threeparttable,longtable,pdflscape,rotating}
%   \\usepackage{graphicx,amssymb}
%   \\graphicspath{{figures/}}
% and, for Chinese, \\usepackage{ctex}, with xelatex. Then
%   \\input{tables/NAME}    \\ref{tab:NAME}
%   \\input{figures/NAME}   \\ref{fig:NAME}
% The first line of each file names the packages that it takes.
"""


def write_latex(parts: Parts, run: Path, target: Path) -> None:
    """Write the folder latex/."""
    for name in ("tables", "figures"):
        (target / name).mkdir(parents=True)
    for path in sorted((run / "tables").glob("*.tex")):
        shutil.copyfile(path, target / "tables" / path.name)
    for piece in parts.pieces:
        if piece.kind == "figure":
            stem = target / "figures" / piece.name
            write_figure_pdf(run / "figures" / f"{piece.name}.svg", stem.with_suffix(".pdf"))
            figure = latex_figure(piece.name, piece.caption, piece.note)
            stem.with_suffix(".tex").write_text(figure, encoding="utf-8")
        elif piece.table is not None and piece.shortened:
            path = target / "tables" / f"{piece.name}.tex"
            path.write_text(latex_table(piece.table), encoding="utf-8")
    body = run_pandoc(parts.fill("latex", _writer(parts, target), _end), to="latex")
    signs = "\n".join(
        rf"\newunicodechar{{{sign}}}{{\ensuremath{{{tex}}}}}" for sign, tex in SYMBOLS.items()
    )
    front = "\\\\\n".join(escape(line) for line in parts.front if line != parts.title)
    values = {
        "advice": _ADVICE,
        "scheme": "chinese" if parts.language == "zh" else "plain",
        "title": escape(parts.title), "front": front, "contents": escape(say("Contents")),
        "signs": signs, "body": body,
    }  # fmt: skip
    (target / "report.tex").write_text(fill_template("report.tex", values), encoding="utf-8")


def _writer(parts: Parts, target: Path) -> Callable[[Piece], str]:
    def start(piece: Piece) -> str:
        if piece.kind == "figure":
            return rf"\input{{figures/{piece.name}}}"
        if piece.kind == "text":
            return (
                rf"\begin{{table}}\caption{{{escape(piece.caption)}}}"
                rf"\label{{tab:{piece.name}}}"
            )
        if piece.name:
            chinese = target / "tables" / f"{piece.name}_zh.tex"
            own = parts.language == "zh" and chinese.exists()
            return rf"\input{{tables/{piece.name}{'_zh' if own else ''}}}"
        return latex_table(piece.table) if piece.table is not None else ""

    return start


def _end(piece: Piece) -> str:
    if piece.kind != "text":
        return ""
    note = rf"\par{{\small {escape(piece.note)}\par}}" if piece.note else ""
    return rf"{note}\end{{table}}"
