"""The table of effects as a journal prints it, in LaTeX, Word or HTML, by maketables."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pandas as pd

from evaluation.effects.journal_notes import JournalStyle
from evaluation.effects.journal_table import DASH, MINUS, JournalTable, lay_out
from evaluation.effects.result import EffectsTable
from evaluation.language import has_chinese, say, spoken

_TEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
        "_": r"\_", "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
        DASH: "---", MINUS: "$-$", "∞": r"$\infty$",
    }
)  # fmt: skip
_PACKAGES = "% Packages: booktabs, tabularx, array, makecell, threeparttable"
_CHINESE_PACKAGES = "; ctex for the Chinese. Compile with xelatex."
_CHINESE_FONT = "SimSun"
_TEX_STYLE = {"group_intro": r"\footnotesize", "data_addlinespace": None}
_DOCX_STYLE = {"font_size_pt": 9, "notes_font_size_pt": 8, "first_col_width": "3.6cm"}


def write_latex(effects: EffectsTable, style: JournalStyle) -> str:
    """Write the table in LaTeX, as a float with three rules; a comment names its packages."""
    table = lay_out(effects, style)
    cells = table.cells.map(_escape).rename(columns=_escape)
    cells.index = pd.MultiIndex.from_tuples([tuple(map(_escape, at)) for at in cells.index])
    escaped = JournalTable(
        cells=cells, caption=_escape(table.caption), notes=_escape(table.notes)
    )
    tex = str(_draw(escaped, "tex", tex_style=_TEX_STYLE))
    return f"{_PACKAGES}{_CHINESE_PACKAGES if has_chinese(tex) else '.'}\n{tex}\n"


def write_docx(effects: EffectsTable, style: JournalStyle) -> bytes:
    """Write the table as a Word document; the same table always gives the same bytes."""
    from docx.opc.pkgwriter import PackageWriter
    from docx.oxml.ns import qn

    document = _draw(lay_out(effects, style), "docx", docx_style=_DOCX_STYLE)
    document.paragraphs[0].runs[0].text = say("Table ")
    _number_caption(document.paragraphs[0])
    for fonts in document.element.body.iter(qn("w:rFonts")):
        fonts.set(qn("w:eastAsia"), _CHINESE_FONT)
    written, dated = BytesIO(), BytesIO()
    package = document.part.package
    PackageWriter.write(written, package.rels, package.parts)  # type: ignore[no-untyped-call]
    with ZipFile(written) as source, ZipFile(dated, "w") as target:
        for name in source.namelist():  # ZipInfo has a date of its own, 1980
            target.writestr(ZipInfo(name), source.read(name), compress_type=ZIP_DEFLATED)
    return dated.getvalue()


def _number_caption(paragraph: Any) -> None:
    """Give the field that numbers the table its first number, which Word shows as it opens."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    for end in list(paragraph._p.iter(qn("w:fldChar"))):
        if end.get(qn("w:fldCharType")) == "end":
            separate, number = OxmlElement("w:fldChar"), OxmlElement("w:t")
            separate.set(qn("w:fldCharType"), "separate")
            number.text = "1"
            end.addprevious(separate)
            end.addprevious(number)


def write_html(effects: EffectsTable, style: JournalStyle) -> str:
    """Write the table as an HTML fragment; the same table always gives the same text."""
    html = str(_draw(lay_out(effects, style), "html"))
    drawn = re.search(r'<div id="(\w+)"', html)
    return html.replace(drawn[1], "effects_journal") if drawn else html


def _draw(table: JournalTable, form: str, **options: Any) -> Any:
    from maketables import MTable

    made = MTable(
        table.cells, notes=table.notes, caption=table.caption, tab_label="tab:effects",
        rgroup_sep="" if spoken() == "zh" else "t",
    )  # fmt: skip
    return made.make(form, **options)


def _escape(text: str) -> str:
    return text.translate(_TEX)
