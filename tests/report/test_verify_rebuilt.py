"""A run whose files were altered, and their sha256 in the record with them."""

import json
import shutil
import zipfile

import pytest

from evaluation.cli import main
from evaluation.report.compare import files
from evaluation.report.compare.run import compare_runs
from evaluation.report.exhibits import MIME
from evaluation.report.numbers import documents
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.rebuilt import _no_files_elsewhere
from evaluation.report.record.describe import sha256
from evaluation.report.record.store import NAME, read_record, write_record
from evaluation.report.run import run_report
from evaluation.report.verify import verify_run
from tests.conftest import JINING

PAGE = "report.html"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run_report(JINING, out=tmp_path_factory.mktemp("reports"))


@pytest.fixture
def run(made, tmp_path):
    return shutil.copytree(made, tmp_path / made.name)


def told(run):
    """Fix the sha256 of all files in the record, as a forger would, and verify."""
    record = read_record(run)
    outputs = {name: sha256(run / name) for name in record["outputs"]}
    write_record(run, {**record, "outputs": outputs})
    return [str(finding) for finding in verify_run(run).findings]


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (PAGE, "</body>", "<script>forge()</script></body>", "it has a script"),
        (PAGE, "</head>", "<style>td{font-size:0}</style></head>", "it has styles"),
        (PAGE, "<body", '<body onload="forge()"', "its body has a script, onload"),
        ("tables/findings.tex", "\\caption{", "\\caption{4242 ", "it is not the one that"),
        ("tables/findings.tex", "\\begin", "\\catcode`1=13\n\\begin", "it is not the one that"),
        ("workflow.py", "parameters={", 'parameters={"alpha": 0.5,', "it is not the one that"),
        ("results.json", '".tex"', '".bib"', "it is not what the notebooks give"),
    ],
)
def test_what_no_number_shows_is_told(run, file, old, new, what):
    text = (run / file).read_text(encoding="utf-8")
    assert old in text
    (run / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert any(line.startswith(f"{file}: {what}") for line in told(run))


def test_a_sentence_of_a_chapter_is_held_to_its_notebook(run):
    text = (run / PAGE).read_text(encoding="utf-8")
    at = text.index("<p>", text.index('class="chapter"'))
    (run / PAGE).write_text(f"{text[:at]}<p>Nothing is sure.</p>{text[at:]}", encoding="utf-8")
    assert told(run) == [
        f"{PAGE}: chapter 1_data: it is not as notebooks/1_data.ipynb gives it, byte by byte."
    ]


@pytest.mark.parametrize("key", ["columns", "kind", "notebook", "caption", "note", "files"])
@pytest.mark.parametrize("value", [None, 5, [[1]], "gone"])
def test_results_of_another_shape_are_told(run, key, value):
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    exhibit = results["exhibits"][0]
    exhibit.pop(key) if value == "gone" else exhibit.update({key: value})
    (run / "results.json").write_text(json.dumps(results), encoding="utf-8")
    assert told(run)


@pytest.mark.parametrize("file", [PAGE, "results.json", "notebooks/1_data.ipynb"])
@pytest.mark.parametrize("content", ["", "[" * 100_000, '{"cells": [{"outputs": [5]}]}'])
def test_files_that_hold_something_else_are_told(run, file, content):
    (run / file).write_text(content, encoding="utf-8")
    assert told(run)


def test_no_escape_reaches_a_terminal(run):
    (run / "tables" / "\x1b[2J\nreport: whole").write_text("x", encoding="utf-8")
    lines = verify_run(run).lines
    assert all(line.isprintable() for line in lines)
    assert any("\\x1b[2J\\nreport: whole" in line for line in lines)
    assert "\u202e" not in str(Finding(file="a\u202e", what="b"))


def test_a_record_with_no_number_or_no_time_is_refused(run):
    text = (run / NAME).read_text(encoding="utf-8")
    end = read_record(run)["end"]
    for new in (f"{end}\\u001b[2J", "yesterday"):
        (run / NAME).write_text(text.replace(end, new), encoding="utf-8")
        assert "not as a run was recorded: end" in str(verify_run(run).findings[0])


def test_a_word_file_that_would_fill_the_memory_is_not_unpacked(made, run, monkeypatch):
    for module in (documents, files):
        monkeypatch.setattr(module, "_LARGEST", 1_000)
    with zipfile.ZipFile(run / "tables" / "findings.docx", "w") as file:
        file.writestr("word/document.xml", "<a>" + " " * 2_000 + "</a>")
    assert documents.read_word(run / "tables" / "findings.docx") == []
    found = {one.name: one.why for one in compare_runs(made, run).files}
    assert found["tables/findings.docx"] == "it is no Word file in one of the runs"


def test_the_command_prints_no_escape(run, capsys):
    (run / "\x1b[2J").write_text("x", encoding="utf-8")
    text = (run / NAME).read_text(encoding="utf-8")
    assert main(["verify", str(run)]) == 1
    (run / NAME).write_text(text.replace('"#study"', '"#\\u001b[2J"', 1), encoding="utf-8")
    assert main(["compare", str(run), str(run)]) == 2
    told = capsys.readouterr()
    assert "\x1b" not in told.out + told.err and "\\x1b[2J" in told.out and told.err


def test_chapters_of_an_earlier_run_are_named(made, run):
    assert not verify_run(made).remarks
    write_record(run, {**read_record(run), "reused": ["1_data"]})
    (remark,) = verify_run(run).remarks
    assert remark.startswith("1_data: taken out of an earlier run")


def test_an_exhibits_own_files_are_written_anew_but_none_elsewhere():
    files = {".tex": "", "_zh.docx": "", "/../../x.tex": "", "x": ""}
    kept = _no_files_elsewhere({MIME: {"name": "effects", "files": files}})
    assert [*kept[MIME]["files"]] == [".tex", "_zh.docx"]
