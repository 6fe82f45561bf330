"""The workbook for a county office: empty, guarded by rules, and a study once filled in."""

import numpy as np
import pytest
from openpyxl import load_workbook

from evaluation.cli import main
from evaluation.data.load import check_data
from evaluation.data.study import Study
from evaluation.data.tables import read_table
from evaluation.data.template import RUNGS, WORKBOOK, write_template, write_template_study
from evaluation.errors import DataError
from evaluation.report.words import LADDER
from tests.conftest import edit

SHEETS = ["收入 income", "资金 ledger", "项目 projects", "指标 indicators"]
EAST = ["370831100201", "泗水县", "泉林镇", "东村"]
WEST = ["370831100202", "泗水县", "泉林镇", "西村"]
SENT = ["省农业农村厅", "省派"]
PLACE = [117.25, 35.66]
ROWS = {
    "收入 income": [
        [*EAST, 2019, 2020, *SENT, 300, 20, 900, *PLACE, 1, 2, 0, 5, 0.5, 8.5],
        [*EAST, 2020, 2020, *SENT, 300, 20, 890, *PLACE, 3, 2, 0, 9, 0.5, 14.5],
        [*WEST, 2019, None, None, None, 200, 10, 600, *PLACE, 1, 1, 1, 0, 0, 3],
        [*WEST, 2020, None, None, None, 200, 10, 610, *PLACE, 1, 1, None, 0, 0, None],
    ],
    "资金 ledger": [
        [*EAST, 2020, "大棚", "财政资金", "到位", 20],
        [*EAST, 2020, "大棚", "派出单位", "支出", 1.5],
    ],
    "项目 projects": [[*EAST, "大棚", "种植", 2020, 12, 3]],
    "指标 indicators": [[*EAST, 2020, "惠民生", "硬化道路里程", 2.5, "公里"]],
}


@pytest.fixture
def folder(tmp_path):
    write_template_study(tmp_path / "request")
    return tmp_path / "request"


def fill(folder, sheets=SHEETS):
    book = load_workbook(folder / WORKBOOK)
    for sheet in sheets:
        for row in ROWS[sheet]:
            book[sheet].append(row)
    book.save(folder / WORKBOOK)


def rules(sheet):
    """Map each column's name to its rule."""
    names = {cell.column_letter: cell.value for cell in sheet[1]}
    found = sheet.data_validations.dataValidation
    return {names[str(rule.sqref).partition("2")[0]]: rule for rule in found}


def test_a_filled_workbook_is_a_study_with_its_numbers(folder):
    fill(folder)
    data, problems = check_data(Study.load(folder))
    assert not problems.errors, list(map(str, problems.errors))
    # 2020 is the base year; without subsidies: 3 + 2 + 0 + 0.5 = 5.5 万元.
    assert data.panel.matrix()[0, 1] == pytest.approx(55_000, rel=1e-12)
    assert np.isnan(data.panel.matrix()[1, 1])  # investment is not known
    assert data.panel.villages["cohort"].tolist() == pytest.approx([2020, np.nan], nan_ok=True)
    assert data.panel.villages["dispatch_level"].tolist() == ["省派", ""]
    assert not data.panel.has_comparison  # the other village's income of 2020 is not known
    assert data.panel.matrix("population").tolist() == [[900, 890], [600, 610]]
    assert data.ledger.totals()["amount"].tolist() == [200_000]
    assert data.ledger.entries["stage"].tolist() == ["received", "spent"]
    assert data.projects["expected_return"].tolist() == [30_000]
    assert data.indicators["pillar"].tolist() == ["livelihood"]


def test_an_empty_workbook_is_one_error(folder):
    _, problems = check_data(Study.load(folder))
    (error,) = problems.errors
    assert "[收入 income]: no rows" in str(error)


def test_parts_that_stay_empty_are_taken_out_of_the_study(folder):
    fill(folder, SHEETS[:1])
    text = (folder / "study.yml").read_text(encoding="utf-8")
    cut = text.index("# Take out each of the parts below")
    (folder / "study.yml").write_text(text[:cut], encoding="utf-8")
    data, problems = check_data(Study.load(folder))
    assert not problems.errors
    assert data.ledger is None


def test_without_codes_villages_are_known_by_their_names(folder):
    fill(folder)
    book = load_workbook(folder / WORKBOOK)
    for sheet in SHEETS:
        for row in range(2, 2 + len(ROWS[sheet])):
            book[sheet].cell(row, 1).value = None
    book.save(folder / WORKBOOK)
    for _ in SHEETS:
        edit(folder / "study.yml", "{code: 行政区划代码, ", "{")
    data, problems = check_data(Study.load(folder))
    assert not problems.errors
    assert data.panel.villages.index.tolist() == ["泗水县/泉林镇/东村", "泗水县/泉林镇/西村"]
    assert len(data.ledger.entries) == 2


@pytest.mark.parametrize("name", SHEETS)
def test_each_sheet_has_one_header_row_that_explains_itself(folder, name):
    sheet = load_workbook(folder / WORKBOOK)[name]
    assert sheet.max_row == 1
    assert sheet.freeze_panes == "E2"
    assert all(cell.comment and cell.comment.text for cell in sheet[1])
    assert not sheet.merged_cells.ranges
    assert sheet.column_dimensions["A"].number_format == "@"
    study = (folder / "study.yml").read_text(encoding="utf-8")
    assert all(cell.value in study for cell in sheet[1])


def test_cells_are_guarded_by_rules(folder):
    book = load_workbook(folder / WORKBOOK)
    income, ledger = rules(book[SHEETS[0]]), rules(book[SHEETS[1]])
    code, year, amount = ledger["行政区划代码"], ledger["年份"], ledger["金额"]
    assert (code.type, code.operator, code.formula1) == ("textLength", "equal", "12")
    assert (year.type, year.formula1, year.formula2) == ("whole", "1990", "2100")
    assert (amount.type, amount.operator, amount.formula1) == (
        "decimal", "greaterThanOrEqual", "0",
    )  # fmt: skip
    assert income["派驻年份"].type == "whole"
    assert income["经营收入"].formula1 == "-1000000000"  # a loss is an income below 0
    assert all(rule.allow_blank and rule.showErrorMessage for rule in ledger.values())
    assert rules(book["指标 indicators"])["方面"].type == "list"


@pytest.mark.parametrize(
    ("sheet", "column", "row"),
    [
        ("资金 ledger", "资金来源", 6),
        ("资金 ledger", "阶段", 7),
        ("指标 indicators", "方面", 5),
    ],
)
def test_every_word_of_a_list_is_known_to_the_study(folder, sheet, column, row):
    fill(folder)
    book = load_workbook(folder / WORKBOOK)
    words = rules(book[sheet])[column].formula1.strip('"').split(",")
    for number, word in enumerate(words):
        line = list(ROWS[sheet][0])
        line[row], line[4] = word, 2010 + number
        book[sheet].append(line)
    book.save(folder / WORKBOOK)
    _, problems = check_data(Study.load(folder))
    assert not problems.errors


def test_the_read_me_names_the_rungs_of_the_ladder(folder):
    sheet = load_workbook(folder / WORKBOOK)["说明 Read me"]
    texts = [cell.value for row in sheet for cell in row]
    for number, ((name, _, _), (zh, en)) in enumerate(zip(LADDER, RUNGS, strict=True), 1):
        assert en.startswith(f"Rung {number}, {name}")
        assert zh in texts and en in texts


def test_a_header_alone_is_readable_without_settings(folder):
    with pytest.raises(DataError, match="no rows; the first row names the columns"):
        read_table(folder / WORKBOOK, sheet="资金 ledger")


def test_nothing_is_overwritten(folder, capsys):
    before = (folder / WORKBOOK).read_bytes()
    with pytest.raises(DataError, match="is there already"):
        write_template(folder / WORKBOOK)
    assert main(["template", str(folder)]) == 2
    assert f"has {WORKBOOK}, study.yml already" in capsys.readouterr().err
    assert (folder / WORKBOOK).read_bytes() == before


def test_the_verb_says_what_it_wrote_and_what_that_reaches(tmp_path, capsys):
    assert main(["template", str(tmp_path / "new" / "request")]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == [str(tmp_path / "new" / "request" / n) for n in (WORKBOOK, "study.yml")]
    assert "Rung 3, panel with comparison villages" in said[-1]
