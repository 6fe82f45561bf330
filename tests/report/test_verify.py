"""A run that was altered after it was made: what is said of it; a whole one is whole."""

import json
import os
import random
import re
import shutil

import pytest

from evaluation.errors import ReportError
from evaluation.report.intact import check_files
from evaluation.report.numbers.page import read_page
from evaluation.report.numbers.tables import check_tables
from evaluation.report.record.describe import sha256
from evaluation.report.record.store import NAME, read_record, write_record
from evaluation.report.run import run_report
from evaluation.report.verify import verify_run
from tests.conftest import JINING

PAGE = "report.html"
FEWEST_CAUGHT = 0.9  # of digits changed in tables, by results.json alone


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return run_report(JINING, out=tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def other(made):
    """A run of the same study in Chinese, under the other reading of hedges."""
    return run_report(JINING, out=made.parent, language="zh", parameters={"reading": "loose"})


@pytest.fixture
def run(made, tmp_path):
    """A copy of a run, to alter."""
    return shutil.copytree(made, tmp_path / made.name)


def alter(path, old, new, *, count=1):
    """Replace a text that stands in a file of a run."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, count), encoding="utf-8")


def mend(run):
    """Fix the sha256 of all files in the record, as a forger would."""
    record = read_record(run)
    outputs = {name: sha256(run / name) for name in record["outputs"]}
    write_record(run, {**record, "outputs": outputs})


def told(run):
    found = verify_run(run)
    assert found.ok is (not found.findings)
    return [str(finding) for finding in found.findings]


def test_a_run_as_it_was_made_is_whole(made):
    found = verify_run(made)
    assert found.ok, found.lines
    assert found.n_files == len(read_record(made)["outputs"])
    assert found.agreement.n_numbers > 1_000 and found.agreement.n_points > 5
    assert found.lines[0].endswith(": whole")
    assert found.data["whole"] and json.dumps(found.data)


def test_so_is_one_in_chinese_under_the_other_reading(other):
    assert told(other) == []


def test_a_digit_in_a_table_is_told_by_sha256_and_by_where_it_stands(run):
    alter(
        run / PAGE,
        '<strong><span class="number">[15.675, 15.685)',
        '<strong><span class="number">[15.675, 15.695)',
    )
    changed, *where = told(run)
    assert "report.html: it was changed after the run was made" in changed
    (cell,) = [line for line in where if "table income_by_county" in line]
    assert "Liangshan" in cell and "15.695" in cell and "15.685" in cell


def test_a_digit_in_a_table_is_told_though_the_record_is_mended(run):
    alter(run / PAGE, ">2360</span></strong>", ">2460</span></strong>")
    mend(run)
    (line,) = told(run)
    assert "2460" in line and "2360" in line


def test_digits_in_tables_are_told_by_results_json_alone(run):
    """Most of them: a number that is changed into that of a claim beside it is not."""
    page, draw = (run / PAGE).read_text(encoding="utf-8"), random.Random(3)
    results = json.loads((run / "results.json").read_text(encoding="utf-8"))
    exhibits = {exhibit["name"]: exhibit for exhibit in results["exhibits"]}
    bodies = [*re.finditer(r"<tbody>.*?</tbody>", page.split('id="appendix"')[0], re.DOTALL)]
    places = [
        body.start() + text.start() + digit.start()
        for body in bodies
        for text in re.finditer(r"(?<=>)[^<&]+(?=<)", body[0])
        for digit in re.finditer(r"\d", text[0])
    ]
    caught, n = 0, 30
    for place in draw.sample(places, n):
        digit = draw.choice([d for d in "0123456789" if d != page[place]])
        (run / PAGE).write_text(page[:place] + digit + page[place + 1 :], encoding="utf-8")
        name = re.findall(r'<figure class="exhibit[^>]* id="([^"]+)"', page[:place])[-1]
        shown = read_page(run / PAGE).exhibits[name]
        caught += bool(check_tables(PAGE, shown, exhibits[name]).findings)
    assert caught / n >= FEWEST_CAUGHT


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("tables/hedged_figures.csv", "3300", "3310", "results.json has 3300"),
        ("tables/hedged_figures.tex", "3300", "3310", "displays 3300"),
        ("results.json", '"lower": 3300', '"lower": 3310', "3300"),
        (PAGE, ">Table 3.<", ">Table 4.<", "numbered Table 4"),
        (PAGE, "The text makes 90 claims", "The text makes 91 claims", "results.json gives 90"),
        (PAGE, "3300余: below 3400", "3300余: below 3500", "has 3400"),
    ],
)  # fmt: skip
def test_what_is_altered_with_the_record_mended_disagrees_with_another_file(
    run, file, old, new, expected
):
    alter(run / file, old, new)
    mend(run)
    lines = told(run)
    assert lines and all(line.startswith(file) for line in lines if "csv" not in line)
    assert any(expected in line for line in lines)


def test_a_figure_that_is_replaced_is_told(run):
    shutil.copy(run / "figures" / "funds.svg", run / "figures" / "income.svg")
    mend(run)
    lines = told(run)
    assert any("figures/income.svg: it is not the one" in line for line in lines)
    assert any(
        "figure income: its picture is not that of figures/income.svg" in x for x in lines
    )


def test_files_that_are_put_in_taken_out_and_linked_are_told(run):
    (run / "tables" / "more.csv").write_text("a\n1\n", encoding="utf-8")
    (run / "tables" / "claims.docx").unlink()
    (run / "figures" / "funds.png").unlink()
    os.symlink(run / "figures" / "income.png", run / "figures" / "funds.png")
    found = check_files(run, read_record(run))
    assert sorted(map(str, found.findings)) == [
        "figures/funds.png: it is a link: what it shows may change elsewhere.",
        "tables/claims.docx: it is missing.",
        "tables/more.csv: it is not the run's: someone put it here.",
    ]
    assert found.n_files == len(read_record(run)["outputs"]) - 2


def test_what_programs_leave_does_no_harm_and_is_named(run):
    for name in (".DS_Store", "tables/Thumbs.db", "__pycache__/workflow.pyc", "compare.html"):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_bytes(b"x")
    found = check_files(run, read_record(run))
    assert not found.findings and len(found.remarks) == 4
    assert any("compare.html" in remark and "no harm" in remark for remark in found.remarks)


def test_line_ends_that_were_changed_are_told_as_such(run):
    content = (run / "tables" / "claims.csv").read_bytes()
    (run / "tables" / "claims.csv").write_bytes(content.replace(b"\n", b"\r\n"))
    (line,) = map(str, check_files(run, read_record(run)).findings)
    assert line.startswith("tables/claims.csv: its line ends were changed")


def test_a_truncated_record_is_told_and_the_numbers_are_still_compared(run):
    content = (run / NAME).read_bytes()
    (run / NAME).write_bytes(content[: len(content) // 2])
    found = verify_run(run)
    (finding,) = found.findings
    assert NAME in str(finding) and found.agreement.n_numbers > 1_000


def test_an_edited_parameter_is_told_by_the_records_own_hash(run):
    alter(
        run / NAME, '"name": "reading", "value": "study"', '"name": "reading", "value": "loose"'
    )
    assert any(NAME in line for line in told(run))


def test_another_runs_record_is_told_by_the_folder_and_by_the_page(run, other):
    shutil.copy(other / NAME, run / NAME)
    lines = told(run)
    assert any(f"is that of {other.name}" in line for line in lines)
    assert any(f"not the page of the run {other.name}" in line for line in lines)


def test_a_folder_may_be_renamed(run):
    renamed = run.rename(run.with_name("annex_b"))
    found = check_files(renamed, read_record(renamed))
    (remark,) = found.remarks
    assert not found.findings and f"renamed to annex_b: it was written as {run.name}" in remark


def test_a_run_that_failed_is_not_whole(run):
    write_record(run, {**read_record(run), "error": "a cell failed."})
    failed = run.rename(run.with_name(f"{run.name}.failed"))
    assert "the run failed: a cell failed." in told(failed)


@pytest.mark.parametrize("name", ["nothing", "x.partial-1", "empty"])
def test_what_is_no_run_is_refused(tmp_path, name):
    if name != "nothing":
        (tmp_path / name).mkdir()
    with pytest.raises(ReportError, match=name):
        verify_run(tmp_path / name)
