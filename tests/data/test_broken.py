"""Broken inputs: each says what is wrong, where, and how to mend it; none is read in silence.

A folder of broken/ holds the files that differ from broken/base, and expected.txt: one line a
problem, its level and how its message begins. There are no other errors and warnings.
"""

import io
import shutil
import struct
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from evaluation.data.load import check_data
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import edit

BROKEN = Path(__file__).parent / "broken"
BASE = BROKEN / "base"
CASES = sorted(path.name for path in BROKEN.iterdir() if path != BASE)
CODE, HOUSEHOLDS, OPERATING = 0, 6, 9  # columns of villages.csv


def find_problems(folder):
    """Give what is said of a study as (level, message), and whether it loads."""
    try:
        data, problems = check_data(Study.load(folder))
    except DataError as error:
        return [("error", line) for line in str(error).splitlines()], False
    return [(p.level, str(p)) for p in problems], data is not None


def check(folder, expected):
    """Hold what is said of a study to the lines expected; notes need not be."""
    found, loads = find_problems(folder)
    wanted = [tuple(line.split(": ", 1)) for line in expected]
    assert wanted, "a broken input is not read in silence"
    for level, message in wanted:
        assert any((lv, m[: len(message)]) == (level, message) for lv, m in found), found
    for level, message in found:
        named = any(lv == level and message.startswith(m) for lv, m in wanted)
        assert named or level == "note", f"not expected: {level}: {message}"
    assert loads == all(level != "error" for level, _ in wanted)


@pytest.fixture
def base(tmp_path):
    """A copy of the good study, to break."""
    return Path(shutil.copytree(BASE, tmp_path / "study"))


def test_the_base_is_good():
    assert find_problems(BASE) == ([], True)


@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_says_what_to_mend(base, name):
    shutil.copytree(BROKEN / name, base, dirs_exist_ok=True)
    check(base, (BROKEN / name / "expected.txt").read_text(encoding="utf-8").splitlines())


def rows_of_villages():
    """Give the cells of villages.csv, numbers as numbers."""
    lines = (BASE / "villages.csv").read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split(",") for line in lines]
    return [header, *([to_number(cell) for cell in row] for row in rows)]


def to_number(cell):
    try:
        return float(cell) if cell else None
    except ValueError:
        return cell


def use_workbook(folder, rows, *, merged=(), name="villages.xlsx"):
    """Write the panel as a workbook and let the study name it."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "表1"
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    book.save(folder / "book.xlsx")
    (folder / "book.xlsx").rename(folder / name)
    edit(folder / "study.yml", "villages.csv", name)
    return folder / name


BOOK = "villages.xlsx [表1]: "


def test_a_good_workbook(base):
    use_workbook(base, rows_of_villages())
    assert find_problems(base) == ([], True)


def test_titles_totals_and_notes_of_a_workbook_are_named(base):
    header, *rows = rows_of_villages()
    subtotal = [None, "汶上县", "小计", *[None] * 6, 49.9, 11.7, 3.7, 65.3]
    total = ["合 计", *[None] * 8, 90, 20, 6, 116]
    rows = [
        ["汶上县等村集体收入表"],
        header,
        *rows[:10],
        subtotal,
        *rows[10:],
        total,
        ["注：万元"],
    ]
    use_workbook(base, rows, merged=["A1:M1"])
    lefts = (
        "row 1: title '汶上县等村集体收入表'",
        "row 13: totals row '小计'",
        "row 24: totals row '合 计'",
        "row 25: note '注：万元'",
    )
    check(base, [f"warning: {BOOK}left out: {text}." for text in lefts])


def test_a_merged_header_names_the_columns_that_it_makes(base):
    header, *rows = rows_of_villages()
    upper = [*header[:9], "收入", None, None, None]
    lower = [*[None] * 9, *header[9:]]
    use_workbook(
        base, [upper, lower, *rows], merged=["J1:M1", *(f"{c}1:{c}2" for c in "ABCDEFGHI")]
    )
    says = [
        f"error: {BOOK}no column {name!r}; did you mean '收入_{name}'?"
        for name in ("经营收入", "发包收入", "补助收入")
    ]
    check(base, [*says, f"error: {BOOK}no column '总收入'; did you mean '收入_"])


def test_merged_counties_and_codes_are_filled_down(base):
    rows = rows_of_villages()
    for first in (2, 7, 12, 17):
        for row in rows[first : first + 4]:
            row[:4] = [None] * 4
    merged = [f"{c}{r}:{c}{r + 4}" for r in (2, 7, 12, 17) for c in "ABCD"]
    use_workbook(base, rows, merged=merged)
    found, loads = find_problems(base)
    assert ([level for level, _ in found], loads) == (["note"], True)


def test_a_merged_amount_is_not_counted_for_every_row(base):
    rows = rows_of_villages()
    rows[2][OPERATING] = rows[3][OPERATING] = None
    use_workbook(base, rows, merged=["J2:J4"])
    says = (
        "cells J2 to J4 (经营收入) are merged over the number '3.5'; unmerge them and say what"
    )
    check(base, [f"error: {BOOK}{says}"])


def test_a_merged_number_in_a_column_that_is_not_used(base):
    header, *rows = rows_of_villages()
    rows = [["序号", *header], *([1, *row] for row in rows)]
    for row in rows[2:6]:
        row[0] = None
    use_workbook(base, rows, merged=["A2:A6"])
    assert find_problems(base) == ([], True)


@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        ("#DIV/0!", "e", "#DIV/0!"),
        ("#N/A", "e", "#N/A"),
        ("=K3*2", "f", "formula never calculated"),
    ],
)
def test_errors_and_formulas_without_a_value_are_no_empty_cells(base, value, kind, says):
    path = use_workbook(base, rows_of_villages())
    book = openpyxl.load_workbook(path)
    book["表1"]["J3"].value = value
    book["表1"]["J3"].data_type = kind
    book.save(path)
    check(base, [f"error: {BOOK}cell J3 (经营收入): {says}; calculate it, write its value, or"])


def test_an_error_where_nothing_is_read_is_no_matter(base):
    header, *rows = rows_of_villages()
    path = use_workbook(base, [[*header, "增长率"], *([*row, 0.1] for row in rows)])
    book = openpyxl.load_workbook(path)
    book["表1"]["N3"].value = "#DIV/0!"
    book.save(path)
    assert find_problems(base) == ([], True)


def test_codes_that_excel_rounded(base):
    rows = rows_of_villages()
    for row in rows[1:]:
        row[CODE] = f"{row[CODE]:.4E}"
    use_workbook(base, rows)
    says = "column 行政区划代码: codes that lost digits, as Excel shortens long numbers: row 2"
    check(base, [f"error: {BOOK}{says} '3.7083E+11'"])


def test_a_web_page_under_the_suffix_of_a_workbook(base):
    use_workbook(base, [["村"]], name="villages.xls").write_bytes(
        "<html><table><tr><td>村</td></tr></table></html>".encode("gb18030")
    )
    check(base, ["error: villages.xls: not a workbook but a web page or text under its suffix"])


def test_a_workbook_under_the_suffix_of_text(base):
    use_workbook(base, rows_of_villages(), name="book.csv")
    check(
        base, ["error: book.csv: not text but a workbook (.xlsx or .ods) or another zip file"]
    )


def test_a_workbook_with_a_password(base):
    path = use_workbook(base, rows_of_villages())
    path.write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 508 + "EncryptedPackage".encode("utf-16-le"))
    check(base, ["error: villages.xlsx: protected by a password; save it without one."])


def test_two_sheets_with_data(base):
    path = use_workbook(base, rows_of_villages())
    book = openpyxl.load_workbook(path)
    book.copy_worksheet(book["表1"]).title = "表2"
    book.save(path)
    check(base, ["error: villages.xlsx: 2 sheets hold data: 表1, 表2; name one in study.yml"])


def test_a_workbook_cut_short(base):
    path = use_workbook(base, rows_of_villages())
    path.write_bytes(path.read_bytes()[:3000])
    check(base, ["error: villages.xlsx: damaged or not a workbook: "])


def test_a_workbook_whose_sheet_is_damaged(base):
    path = use_workbook(base, rows_of_villages())
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, text[: len(text) // 2] if "sheet1" in name else text)
    path.write_bytes(content.getvalue())
    check(base, ["error: villages.xlsx: damaged or not a workbook: "])


def use_typed(folder, suffix):
    """Write the panel as a typed file and let the study name it."""
    frame = pd.read_csv(folder / "villages.csv", dtype={"行政区划代码": "str"})
    path = folder / f"villages{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    else:
        names = {name: f"v{number}" for number, name in enumerate(frame)}
        frame.rename(columns=names).to_stata(path, version=118, write_index=False)
        for name, plain in sorted(names.items(), key=lambda pair: -len(pair[0])):
            text = (folder / "study.yml").read_text(encoding="utf-8").partition("ledger:")
            panel = text[0].replace(f": {name}", f": {plain}")
            (folder / "study.yml").write_text(panel + text[1] + text[2], encoding="utf-8")
    edit(folder / "study.yml", "villages.csv", path.name)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".dta"])
def test_a_good_typed_file(base, suffix):
    use_typed(base, suffix)
    found, loads = find_problems(base)
    assert (found, loads) == ([], True)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
@pytest.mark.parametrize(("suffix", "kind"), [(".parquet", "Parquet"), (".dta", "Stata")])
def test_a_typed_file_cut_short(base, suffix, kind, share):
    path = use_typed(base, suffix)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    check(base, [f"error: {path.name}: damaged or not a {kind} file: "])


def test_a_stata_file_under_the_suffix_of_spss(base):
    use_typed(base, ".dta").rename(base / "villages.sav")
    edit(base / "study.yml", "villages.dta", "villages.sav")
    check(base, ["error: villages.sav: damaged or not an SPSS file: it is a Stata file (.dta)"])


def old_stata(names, rows):
    """Write a Stata 11 file (format 114) of texts, which says no encoding."""
    n_bytes = 40
    head = struct.pack("<bbbbhi", 114, 2, 1, 0, len(names), len(rows))
    head += b"\0" * 81 + b"01 Jan 2012 00:00".ljust(18, b"\0")
    head += bytes([n_bytes] * len(names))
    head += b"".join(name.encode("gbk").ljust(33, b"\0") for name in names)
    head += b"\0" * (2 * (len(names) + 1))
    head += b"".join(f"%{n_bytes}s".encode().ljust(49, b"\0") for _ in names)
    head += b"\0" * (33 * len(names)) + b"\0" * (81 * len(names)) + b"\0" * 5
    return head + b"".join(c.encode("gbk").ljust(n_bytes, b"\0") for row in rows for c in row)


def test_an_old_stata_file_in_gbk_is_read_and_said(base):
    lines = (base / "villages.csv").read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split(",") for line in lines]
    (base / "villages.dta").write_bytes(old_stata(header, rows))
    edit(base / "study.yml", "villages.csv", "villages.dta")
    data, problems = check_data(Study.load(base))
    assert [str(p) for p in problems] == ["villages.dta: text read as gb18030, not UTF-8."]
    assert list(data.panel.villages["name"]) == ["东村", "西村", "北村", "泉村"]


def test_an_old_stata_file_told_a_wrong_encoding(base):
    (base / "villages.dta").write_bytes(old_stata(["村"], [["东村"]]))
    edit(base / "study.yml", "villages.csv", "villages.dta\n  encoding: utf-8")
    check(base, ["error: villages.dta: text is not utf-8; set its encoding in study.yml"])


def test_an_error_in_an_open_document(base):
    sheet = zipfile.ZipFile(Path(__file__).parent / "files" / "plain.ods")
    number = b'office:value-type="float" office:value="0.1"><text:p>0.1<'
    error = b'office:value-type="string" calcext:value-type="error"><text:p>#DIV/0!<'
    with zipfile.ZipFile(base / "villages.ods", "w") as new:
        for name in sheet.namelist():
            assert name != "content.xml" or number in sheet.read(name)
            new.writestr(name, sheet.read(name).replace(number, error))
    edit(base / "study.yml", "villages.csv", "villages.ods")
    check(
        base, ["error: villages.ods: some cells hold an error (#N/A, #DIV/0!); mend or empty"]
    )
