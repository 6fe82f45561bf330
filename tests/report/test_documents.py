"""Documents of a finished run: whole, in both languages, the same bytes every time."""

import hashlib
import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pypdf
import pytest
from docx import Document
from docx.oxml.ns import qn
from markupsafe import Markup

from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report import plots
from evaluation.report.cells import html_table
from evaluation.report.exhibits import Exhibit, save_exhibit
from evaluation.report.files import document_pdf, documents
from evaluation.report.files.document_parts import MOST_ROWS, read_report
from evaluation.report.files.documents import check_extras, write_documents
from evaluation.report.record.store import hash_outputs, is_whole, read_record, write_record
from tests.report.records import make_record
from tests.report.tex import check_tex

PAGE = """<!DOCTYPE html><html lang="{lang}"><head><title>x</title></head><body>
<nav><a href="#a">Screen only</a></nav><main><header><p class="kind">Evaluation report</p>
<h1>{title}</h1><dl class="facts"><div><dt>Run</dt><dd>tiny-1</dd></div></dl></header>
<section><h2>Summary</h2><p>See <a href="#t">Table 1</a> &amp; $5; x_1 ≥ 50%.</p></section>
<section><h2>Gains</h2><details class="code"><pre><code>secret()</code></pre></details>
{exhibits}</section>
<section><h2>Appendix</h2><table><tr><th>File</th><td>{sha}</td></tr></table>
<pre class="command"><code class="language-sh">evaluation report x</code></pre></section>
</main><script>alert(1)</script></body></html>"""
TITLE = {"en": "What the villages gained", "zh": "各村增收评估报告"}
ALT = "Income rises from 1 to 2."


def exhibits(lang):
    frame = pd.DataFrame({"County": ["鱼台县", "A & B"], "Gain": ["1.5", "-2"]})
    many = pd.DataFrame({"Village": [f"v{n}" for n in range(MOST_ROWS + 1)], "Gain": "1"})
    wide = pd.DataFrame({f"internationally{n}": ["1"] for n in range(12)})
    figure = plots.new_figure(3, 2)
    figure.subplots().plot([1, 2])
    shared = {"kind": "table", "simulated": lang == "en", "data": frame}
    return [
        Exhibit(
            name="t", caption="Gains: 5%", body=html_table(frame), note="In 万元.", **shared
        ),
        plots.figure_exhibit(
            figure,
            name="f",
            caption="Income",
            alt=ALT,
            data=frame,
            simulated=False,
            note="A note.",
        ),
        Exhibit(name="many", caption="Villages", body=html_table(many), **shared),
        Exhibit(name="wide", caption="Wide", body=html_table(wide), **shared),
        Exhibit(name="none", caption="Ranks", body=Markup("<p>No panel here.</p>"), **shared),
    ]


def make_run(folder, lang):
    for name in ("tables", "figures"):
        (folder / name).mkdir(parents=True)
    with speaking(lang):
        shown = exhibits(lang)
        for exhibit in shown:
            save_exhibit(exhibit._repr_mimebundle_(), folder)
        html = "\n".join(
            f"<h3>About {exhibit.name}</h3>{exhibit.to_html()}" for exhibit in shown
        )
    sha = hashlib.sha256(b"").hexdigest()
    page = PAGE.format(lang=lang, title=TITLE[lang], exhibits=html, sha=sha)
    (folder / "report.html").write_text(page, encoding="utf-8")
    write_record(folder, make_record(folder, outputs=hash_outputs(folder)))
    return folder


@pytest.fixture(scope="module", params=["en", "zh"])
def run(request, tmp_path_factory):
    """A finished run with all its documents, and its language."""
    folder = make_run(tmp_path_factory.mktemp("runs") / "tiny-1", request.param)
    written = write_documents(folder, ["docx", "pdf", "latex"])
    assert [path.name for path in written] == ["report.docx", "report.pdf", "latex"]
    return folder, request.param


@pytest.fixture(scope="module")
def docx(run):
    return Document(str(run[0] / "report.docx"))


def test_documents_are_outputs_of_the_run_and_it_stays_whole(run):
    folder, _ = run
    outputs = read_record(folder)["outputs"]
    assert {"report.docx", "report.pdf", "latex/report.tex", "latex/tables/t.tex"} <= set(
        outputs
    )
    assert outputs == hash_outputs(folder)
    assert is_whole(folder, read_record(folder)["hash"])
    assert [path.name for path in folder.parent.iterdir()] == ["tiny-1"]


def test_equal_runs_have_equal_documents(run):
    folder, _ = run
    before = hash_outputs(folder)
    (folder / "latex" / "old.tex").write_text("left by another version")
    write_documents(folder, ["latex", "docx", "pdf"])
    assert hash_outputs(folder) == before


def test_word_has_headings_contents_and_numbered_captions(run, docx):
    _, lang = run
    styles = [(p.style.name, p.text) for p in docx.paragraphs]
    assert styles[0] == ("Title", TITLE[lang])
    heads = [text for style, text in styles if style == "Heading 1"]
    assert heads == ["Summary", "Gains", "Appendix"]
    assert ("Heading 2", "About many") in styles
    xml = docx.element.xml
    assert 'TOC \\o "1-2"' in xml
    assert set(re.findall(r'w:anchor="(_Toc\d+)"', xml)) == set(
        re.findall(r'w:bookmarkStart [^>]*w:name="(_Toc\d+)"', xml)
    )
    captions = [p.text for p in docx.paragraphs if p.style.style_id == "Caption"]
    expected = {
        "en": ["Table 1. Gains: 5%", "Figure 1. Income", "Table 2. Villages", "Table 3. Wide",
               "Table 4. Ranks"],
        "zh": ["表 1　Gains: 5%", "图 1　Income", "表 2　Villages", "表 3　Wide",
               "表 4　Ranks"],
    }  # fmt: skip
    assert captions == expected[lang]
    assert docx.core_properties.title == TITLE[lang]


def test_word_has_the_tables_the_picture_and_nothing_of_the_screen(run, docx):
    _, lang = run
    first, many, wide, appendix = docx.tables
    assert [cell.text for cell in first.rows[2].cells] == ["A & B", "−2"]
    assert len(many.rows) == 1 + 40
    assert len(wide.columns) == 12
    assert appendix.rows[0].cells[0].text == "File"
    (picture,) = docx.element.body.iter(qn("wp:docPr"))
    assert picture.get("descr") == ALT
    text = "\n".join(paragraph.text for paragraph in docx.paragraphs)
    assert "Screen only" not in text and "secret" not in text and "alert" not in text
    assert "See Table 1 & $5; x_1 ≥ 50%." in text and "No panel here." in text
    assert ("SIMULATED data." in text) == (lang == "en")
    assert "tables/many.csv" in text and "101" in text


def test_wide_tables_of_word_lie_on_a_page_on_its_side(docx):
    turned = [section.page_width > section.page_height for section in docx.sections]
    assert turned == [False, True, False]
    assert all(section.footer._element.xml.count("PAGE") == 1 for section in docx.sections)
    room = docx.sections[1].page_width - docx.sections[1].left_margin * 2
    widths = [column.width for column in docx.tables[2].columns]
    assert sum(widths) <= room * 1.001


def test_word_has_fonts_for_chinese(docx):
    for name in ("Normal", "Heading 1", "Title"):
        fonts = docx.styles[name].element.rPr.rFonts
        assert fonts.get(qn("w:eastAsia")) in ("SimSun", "SimHei")
        assert fonts.get(qn("w:eastAsiaTheme")) is None


def test_the_pdf_has_its_title_and_all_of_the_text(run):
    folder, lang = run
    pdf = pypdf.PdfReader(folder / "report.pdf")
    assert pdf.metadata.title == TITLE[lang]
    assert pdf.root_object["/Lang"] == lang
    heads = [item.title for item in pdf.outline if not isinstance(item, list)]
    assert heads == ["Summary", "Gains", "Appendix"]
    text = re.sub(r"\s+", "", "".join(page.extract_text() for page in pdf.pages))
    for told in (TITLE[lang], "鱼台县", "Nopanelhere.", "A&B", "$5;x_1≥50%."):
        assert re.sub(r"\s+", "", told) in text
    assert {"en": "Table1:Gains:5%", "zh": "表1Gains:5%"}[lang] in text
    assert "Screenonly" not in text and "secret" not in text
    sizes = {tuple(map(float, page.mediabox[2:])) for page in pdf.pages}
    assert len(sizes) == 2  # the wide table's page lies on its side


def test_latex_is_one_folder_that_stands_by_itself(run):
    folder, lang = run
    latex = folder / "latex"
    tex = (latex / "report.tex").read_text(encoding="utf-8")
    inputs = re.findall(r"\\input\{(.*?)\}", tex.split(r"\begin{document}")[1])
    assert inputs == ["tables/t", "figures/f", "tables/many", "tables/wide"]
    assert all((latex / f"{name}.tex").exists() for name in inputs)
    assert (latex / "figures" / "f.pdf").read_bytes().startswith(b"%PDF")
    figure = (latex / "figures" / "f.tex").read_text()
    assert r"\label{fig:f}" in figure and r"\caption{Income}" in figure and "{f}" in figure
    shown = (latex / "tables" / "many.tex").read_text()
    whole = (folder / "tables" / "many.tex").read_text()
    assert (shown.count("v"), whole.count("\nv")) > (40, MOST_ROWS) and "\nv40 " not in shown
    assert f"scheme={'chinese' if lang == 'zh' else 'plain'}" in tex
    assert "<<" not in tex and r"\$5; x\_1" in tex


def test_latex_could_be_set_and_compiles_where_it_is(run, tmp_path):
    folder, _ = run
    for path in (folder / "latex").rglob("*.tex"):
        check_tex(path.read_text(encoding="utf-8"))
    if not (xelatex := shutil.which("xelatex")):
        return
    shutil.copytree(folder / "latex", tmp_path / "latex")
    done = subprocess.run(
        [xelatex, "-interaction=nonstopmode", "report.tex"],
        cwd=tmp_path / "latex", capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    errors = [line for line in done.stdout.splitlines() if line.startswith("!")]
    assert [line for line in errors if "pzdr" not in line] == []  # of a partial TeX
    assert "Missing character" not in (tmp_path / "latex" / "report.log").read_text(
        "utf-8", "replace"
    )


def test_libreoffice_opens_the_word_document(run, tmp_path):
    folder, lang = run
    soffice = shutil.which("soffice")
    if not soffice and not os.environ.get("CI"):
        pytest.skip("no LibreOffice here")
    assert soffice, "CI installs LibreOffice: see .ci/run"
    subprocess.run(
        [soffice, f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless",
         "--convert-to", "pdf", "--outdir", tmp_path, folder / "report.docx"],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    pdf = pypdf.PdfReader(tmp_path / "report.pdf")
    text = re.sub(r"\s+", "", "".join(page.extract_text() for page in pdf.pages))
    assert re.sub(r"\s+", "", TITLE[lang]) in text and "Nopanelhere." in text


# -- what can go wrong ---------------------------------------------------------------------


def test_a_missing_extra_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(documents, "find_spec", lambda name: None)
    with pytest.raises(
        ReportError, match="--to pdf needs pypandoc-binary and typst: pip install"
    ):
        check_extras(["pdf"])
    with pytest.raises(ReportError, match=r"--to docx needs pypandoc-binary: pip install"):
        check_extras(["docx"])


def test_an_unknown_format_is_refused():
    with pytest.raises(ReportError, match="odt: give docx, pdf or latex"):
        check_extras(["odt"])


def test_a_run_without_a_page_gets_no_documents(tmp_path):
    folder = tmp_path / "tiny-2"
    folder.mkdir()
    with pytest.raises(ReportError, match=r"report\.html: cannot be read"):
        write_documents(folder, ["docx"])
    assert [*tmp_path.rglob("*")] == [folder]


def test_a_picture_that_is_not_in_the_page_is_its_description(tmp_path):
    secret = tmp_path / "secret.png"
    secret.write_bytes(b"x")
    told = f'<p>Before <img src="{secret}" alt="our survey"> after</p><img src="gone.png">'
    (tmp_path / "report.html").write_text(
        f"<html><body><main><h1>Title</h1>{told}</main></body></html>", encoding="utf-8"
    )
    assert "secret" not in json.dumps(blocks := read_report(tmp_path).blocks)
    assert "Image" not in json.dumps(blocks) and "survey" in json.dumps(blocks)


def test_without_a_chinese_font_there_is_no_pdf_of_boxes(run, monkeypatch):
    folder, _ = run
    before = (folder / "report.pdf").read_bytes()
    monkeypatch.setattr(document_pdf, "find_chinese_font", lambda: "")
    with pytest.raises(ReportError, match="no font for the report's Chinese"):
        write_documents(folder, ["pdf"])
    assert (folder / "report.pdf").read_bytes() == before
    assert [path.name for path in folder.parent.iterdir()] == ["tiny-1"]


def test_dates_of_other_programs_are_left_alone(run, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "7")
    write_documents(run[0], ["docx"])
    assert os.environ["SOURCE_DATE_EPOCH"] == "7"
