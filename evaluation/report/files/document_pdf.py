"""A report as PDF, set by typst; and single figures, for LaTeX."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from evaluation.errors import ReportError
from evaluation.language import has_chinese, say
from evaluation.report.files.document_parts import Parts, Piece, run_pandoc
from evaluation.report.files.typst_tables import typst_figure, typst_table, typst_text
from evaluation.report.fonts import FONT_ADVICE, find_chinese_font
from evaluation.report.template_files import fill_template

_SERIF = ("Source Han Serif SC", "Noto Serif CJK SC", "Noto Serif SC", "Songti SC", "SimSun")
_LARGE = 3_000_000  # bytes of an svg; beyond, the png is taken


def write_pdf(parts: Parts, run: Path, target: Path) -> None:
    """Write report.pdf.

    Raises
    ------
    ReportError
        If there is Chinese in the report and no font for it.
    """
    body = run_pandoc(parts.fill("typst", _writer(run), _end), to="typst")
    chinese = find_chinese_font()
    if not chinese and has_chinese(body + parts.title):
        raise ReportError(f"--to pdf: no font for the report's Chinese. {FONT_ADVICE}")
    values = {
        "title": typst_text(parts.title),
        "lang": typst_text(parts.language),
        "fonts": ", ".join(map(typst_text, (*_SERIF, *([chinese] if chinese else [])))),
        "front": ", ".join(typst_text(line) for line in parts.front if line != parts.title),
        "contents": typst_text(say("Contents")),
    }
    source = fill_template("report.typ", values)
    with tempfile.TemporaryDirectory() as folder:
        for piece in parts.pieces:
            if piece.kind == "figure":
                picture = _picture(run, piece.name)
                shutil.copy(picture, Path(folder, picture.name))
        _compile(f"{source}\n{body}", Path(folder), target)


def write_figure_pdf(svg: Path, target: Path) -> None:
    """Write a figure as a PDF of its own, its lines still lines."""
    picture = _picture(svg.parent.parent, svg.stem)
    source = "#set page(width: auto, height: auto, margin: 0pt)\n#set document(date: none)\n"
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(picture, Path(folder, picture.name))
        _compile(f"{source}#image({typst_text(picture.name)})", Path(folder), target)


def _compile(source: str, folder: Path, target: Path) -> None:
    import typst

    main = folder / "main.typ"
    main.write_text(source, encoding="utf-8")
    try:
        typst.compile(main, output=target, root=folder, timestamp=0)
    except (RuntimeError, typst.TypstError) as error:
        raise ReportError(f"typst could not set {target.name}: {error}") from error


def _writer(run: Path) -> Callable[[Piece], str]:
    def start(piece: Piece) -> str:
        if piece.kind == "figure":
            picture = _picture(run, piece.name).name
            return typst_figure(picture, piece.alt, piece.caption, piece.note)
        if piece.table is not None:
            return typst_table(piece.table)
        return f"#exhibit(table, {typst_text(piece.caption)}, {typst_text(piece.note)})["

    return start


def _end(piece: Piece) -> str:
    return "]" if piece.kind == "text" else ""


def _picture(run: Path, name: str) -> Path:
    svg = run / "figures" / f"{name}.svg"
    return svg if svg.stat().st_size <= _LARGE else svg.with_suffix(".png")
