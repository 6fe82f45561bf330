"""Tables of a report for LaTeX and Word: as displayed, three rules, nothing cut or misread."""

import io
import re
import shutil
import subprocess
import zipfile

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st

from evaluation.language import speaking
from evaluation.report.cells import html_formula
from evaluation.report.files import latex_tables
from evaluation.report.files.grid_layout import lay_out
from evaluation.report.files.grids import Cell, Grid, Table
from evaluation.report.files.latex_tables import escape, latex_table
from evaluation.report.files.table_files import MOST_WORD_ROWS, table_files
from evaluation.report.files.word_tables import word_document
from tests.report.tex import check_tex

TABLE = """
<figure class="exhibit table" id="gains"><figcaption>Gains, 5% &amp; more</figcaption>
<div class="scroll"><table>
<thead><tr><th scope="col">County</th><th scope="col">Gain</th><th>Set</th></tr></thead>
<tbody><tr class="group"><th colspan="3" scope="rowgroup">By county</th></tr>
<tr><th scope="row">鱼台县</th><td>1.5</td><td><span class="number">[1, 2)</span></td></tr>
<tr><th scope="row">A_B</th><td><strong>-2</strong></td><td>a<br>b</td></tr></tbody>
</table></div><p class="note">SIMULATED data. In 万元.</p></figure>
"""
TEX = r"""% Packages: booktabs, makecell, ctex. Compile with xelatex.
\begin{table}
\centering
\caption{Gains, 5\% \& more}
\label{tab:gains}
\fontsize{9}{10.8}\selectfont
\setlength{\tabcolsep}{4pt}
\begin{tabular}{@{}lrl@{}}
\toprule
County & Gain & Set \\
\midrule
\multicolumn{3}{@{}l@{}}{\textbf{By county}} \\
鱼台县 & 1.5 & {[}1,~2) \\
A\_B & \textbf{$-$2} & \makecell[tl]{a\\b} \\
\bottomrule
\end{tabular}
\par\smallskip\begin{minipage}{\linewidth}\fontsize{8}{9.6}\selectfont
SIMULATED data. In 万元.
\end{minipage}
\end{table}
"""


def cell(text, **options):
    return Cell(lines=(((text, False),),), **options)


def grid(*rows, head=()):
    return Grid(
        head=tuple(tuple(map(cell, row)) for row in head),
        body=tuple(tuple(map(cell, row)) for row in rows),
    )


def table(*rows, head=(), **options):
    given = {"name": "t", "caption": "A table", "note": ""} | options
    return Table(grid=grid(*rows, head=head), **given)


def cells_of(tex):
    """Count the columns that each row of a tabular fills, by the cells it names."""
    body = tex.split(r"\toprule", 1)[1].rsplit(r"\end{", 1)[0]
    for line in body.splitlines():
        if line.endswith(r" \\") and "continued" not in line:
            spans = re.findall(r"\\multicolumn\{(\d+)\}", line)
            cells = len(re.split(r"(?<!\\)&", line))
            yield cells + sum(int(span) - 1 for span in spans)


def test_a_table_in_latex_is_the_one_displayed():
    assert table_files(TABLE)[".tex"].decode() == TEX


def test_a_table_in_word_is_the_one_displayed():
    document = Document(io.BytesIO(table_files(TABLE)[".docx"]))
    (read,) = document.tables
    assert [[c.text for c in row.cells] for row in read.rows] == [
        ["County", "Gain", "Set"],
        ["By county"] * 3,
        ["鱼台县", "1.5", "[1,\u00a02)"],
        ["A_B", "−2", "a\nb"],
    ]
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[0] == "Table 1. Gains, 5% & more"
    assert "SIMULATED data. In 万元." in texts
    rules = re.findall(r"<w:(top|bottom) w:val=\"single\"", read._tbl.xml)
    assert rules == ["top", "bottom", *["bottom"] * 3]  # the table's, and below each head cell


def test_where_a_formula_may_be_broken_nothing_of_it_is_lost():
    formula = html_formula("income_level_total / n_villages")
    html = f"<figure id='t'><table><tr><td>{formula}</td></tr></table></figure>"
    (line,) = re.findall(r".*total.*", table_files(html)[".tex"].decode())
    assert line.replace(r"\allowbreak{}", "") == r"income\_level\_total / n\_villages \\"
    (read,) = Document(io.BytesIO(table_files(html)[".docx"])).tables
    assert read.cell(0, 0).text.replace("\u200b", "") == "income_level_total / n_villages"


def test_in_chinese_a_table_is_called_so():
    with speaking("zh"):
        document = Document(io.BytesIO(table_files(TABLE)[".docx"]))
    assert document.paragraphs[0].text == "表 1　Gains, 5% & more"


def test_equal_tables_are_equal_bytes():
    assert table_files(TABLE) == table_files(TABLE)


def test_a_word_file_is_packed_as_if_all_of_it_were_packed_anew():
    document = word_document(table(["Weishan 微山县", "12"]))
    with zipfile.ZipFile(io.BytesIO(document)) as found:
        assert found.testzip() is None
        parts = [(part, found.read(part)) for part in found.infolist()]
    anew = io.BytesIO()
    with zipfile.ZipFile(anew, "w") as target:
        for part, content in parts:
            named = zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0))
            target.writestr(named, content, compress_type=zipfile.ZIP_DEFLATED)
    assert document == anew.getvalue()


@pytest.mark.parametrize("body", ["<p>This study has no panel.</p>", "<ul><li>a</li></ul>"])
def test_a_reason_in_a_tables_place_has_no_files(body):
    assert table_files(f'<figure class="exhibit table" id="t">{body}</figure>') == {}


def test_a_table_of_thousands_of_rows_is_not_written_for_word():
    row = "<tr><th>a</th><td>1</td></tr>"
    html = "<figure id='t'><table><tbody>{}</tbody></table></figure>"
    assert ".docx" in table_files(html.format(row * MOST_WORD_ROWS))
    assert set(table_files(html.format(row * (MOST_WORD_ROWS + 1)))) == {".tex"}


# -- LaTeX ---------------------------------------------------------------------------------


@given(st.text(alphabet="\\{}$&#_%~^<>|\"'`[]*-ab 鱼≥∞✓", max_size=12))
def test_escaped_text_says_what_it_said_and_has_nothing_special(text):
    tex = escape(text)
    back = {tex: sign for sign, tex in latex_tables._SPECIAL.items() if tex != "~"}
    back |= {f"${tex}$": sign for sign, tex in latex_tables.SYMBOLS.items() if sign in "≥∞✓"}
    known = "|".join(map(re.escape, sorted(back, key=len, reverse=True)))
    rest = re.sub(known, "", tex).replace("-{}", "-")
    assert not re.search(r"[\\{}$&#_%^~<>|\"`\[\]*]", rest.replace("''", "'"))
    said = re.sub(known, lambda m: back[m[0]], re.sub(r"-\{\}(?=-)", "-", tex))
    assert said.replace("''", '"') == text.replace("''", '"')
    assert "--" not in tex


def test_a_bracket_that_begins_a_row_is_no_option_of_the_line_before():
    tex = latex_table(table(["a", "1"], ["[1, 2]", "*"]))
    assert "\n{[}1, 2{]} & {*} \\\\\n" in tex


def test_a_head_over_several_columns_has_a_rule_of_its_own():
    head = ((cell(""), cell("Effect", span=2)), (cell("x"), cell("a"), cell("b")))
    body = ((cell("1"), cell("2"), cell("3")),)
    tex = latex_table(Table(name="t", caption="", note="", grid=Grid(head=head, body=body)))
    assert r"\multicolumn{2}{c}{Effect} \\" in tex
    assert tex.index(r"\cmidrule(lr){2-3}") < tex.index("x & a & b")


@pytest.mark.parametrize("n_rows", [3, 300])
@pytest.mark.parametrize("words", ["few", "many words " * 12])
@pytest.mark.parametrize("n_columns", [2, 7, 16])
def test_every_row_fills_the_columns_and_what_is_begun_is_ended(n_rows, words, n_columns):
    tex = latex_table(table(*[[words] * n_columns] * n_rows, head=[["Head"] * n_columns]))
    assert set(cells_of(tex)) == {n_columns}
    open_ones = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", tex):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    assert (r"\begin{longtable}" in tex) == (
        n_rows == 300 or (n_columns == 16 and words != "few")
    )


def test_a_short_row_is_filled_up():
    assert set(cells_of(latex_table(table(["a", "b", "c"], ["a", "b"])))) == {3}


# -- layout --------------------------------------------------------------------------------


def test_a_table_that_fits_is_as_wide_as_its_content():
    layout = lay_out(table(["a", "1.5"], ["b", "-2"]))
    assert not layout.wrapped and layout.right == (False, True) and layout.size == 9


def test_short_columns_keep_their_words_together_beside_long_ones():
    layout = lay_out(table(["Weishan 微山县", "12", "long text " * 40], head=[["a", "b", "c"]]))
    line = 453 / (9 * 0.3 + 2)
    assert layout.wrapped and not layout.landscape
    assert layout.widths[0] * line >= len("Weishan ") + 2 * len("微山县")
    assert sum(layout.widths) == pytest.approx(1)


def test_a_table_of_many_long_words_lies_on_its_side():
    layout = lay_out(table(["internationalisation"[:14]] * 9))
    assert layout.landscape
    assert r"\begin{sidewaystable}" in latex_table(table(["internationalisation"[:14]] * 9))


def test_words_too_long_for_any_page_may_be_broken():
    html = f"<figure id='t'><table><tr><td>{'0123456789abcdef' * 4}</td></tr></table></figure>"
    tex = table_files(html)[".tex"].decode()
    assert tex.count(r"0123456789abcdef\allowbreak{}") == 3


def test_latex_could_set_the_tables_and_does_where_it_is(tmp_path):
    tables = [
        table_files(TABLE)[".tex"].decode(),
        latex_table(table(*[["many words " * 9] * 7] * 80, head=[["Head"] * 7], name="long")),
        latex_table(table(["internationalis"] * 9, name="wide", note="[ or ]: 100% ≥ _x_")),
    ]
    packages = "booktabs,array,makecell,longtable,pdflscape,rotating,graphicx,amssymb,ctex"
    tex = "\n".join(
        [rf"\documentclass{{article}}\usepackage{{{packages}}}\begin{{document}}", *tables,
         r"\end{document}"]
    )  # fmt: skip
    check_tex(tex)
    if not (xelatex := shutil.which("xelatex")):
        return
    (tmp_path / "a.tex").write_text(tex, encoding="utf-8")
    done = subprocess.run(
        [xelatex, "-interaction=nonstopmode", "-halt-on-error", "a.tex"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
