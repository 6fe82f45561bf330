"""What is a person's is found in every format, and what only looks so is let pass."""

import hashlib
import json
import zipfile

import docx
import openpyxl
import pandas as pd
import pytest

from evaluation.data.pseudonyms import Pseudonyms
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.replication.patterns import find_values, is_identity_number
from evaluation.report.replication.persons import judge_names
from evaluation.report.replication.scan import refuse_findings, scan_files
from evaluation.report.replication.words import known_words, word_columns
from tests.conftest import REPO, SHARED

# Numbers of nobody: made up, with check digits that are right.
IDENTITY, OLD_IDENTITY = "370831199003071233", "370831900307123"
MOBILE, BANK = "13853712345", "6222021234567890128"
NAMES = ["王建国", "李秀英", "张伟", "刘洋洋"]


def with_check_digit(digits):
    return next(digits + d for d in "0123456789X" if is_identity_number(digits + d))


PERSONS = {
    "identity number": with_check_digit(IDENTITY[:17]),
    "identity number of 15 digits": OLD_IDENTITY,
    "mobile number": MOBILE,
    "telephone number": "0537-2345678",
    "e-mail address": "wang.jianguo@example.org",
    "bank card": BANK,
}


def as_csv(path, text):
    path.write_bytes(f"村,备注\n甲村,{text}\n乙村,无\n".encode("gb18030"))


def as_xlsx(path, text):
    book = openpyxl.Workbook()
    for row in (["某县台账"], ["村", "备注"], ["甲村", text]):
        book.active.append(row)
    book.save(path)


def as_dta(path, text):
    pd.DataFrame({"village": ["a", "b"], "remark": [text, ""]}).to_stata(path, version=118)


def as_parquet(path, text):
    pd.DataFrame({"village": ["a", "b"], "remark": [text, ""]}).to_parquet(path)


def as_notebook(path, text):
    output = {"output_type": "stream", "text": ["one\n", f"{text}\n"]}
    path.write_text(json.dumps({"cells": [{"source": ["x"], "outputs": [output]}]}))


def as_html(path, text):
    path.write_text(f'<p>one</p>\n<p title="{text}">two</p>', encoding="utf-8")


def as_json(path, text):
    path.write_text(json.dumps({"rows": [{"remark": text}]}, ensure_ascii=False))


def as_docx(path, text):
    document = docx.Document()
    document.add_table(1, 1).cell(0, 0).text = text
    document.save(path)


WRITERS = {
    ".csv": as_csv, ".xlsx": as_xlsx, ".dta": as_dta, ".parquet": as_parquet,
    ".ipynb": as_notebook, ".html": as_html, ".json": as_json, ".docx": as_docx,
}  # fmt: skip


def scan(path, **options):
    return scan_files({path.name: path}, **options)


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("kind", PERSONS)
def test_numbers_and_addresses_are_found_in_every_format(tmp_path, suffix, kind):
    path = tmp_path / f"file{suffix}"
    WRITERS[suffix](path, PERSONS[kind])
    found = scan(path)
    assert [one.kind for one in found] == [kind]
    assert PERSONS[kind] not in found[0].masked and found[0].masked.endswith("***")


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_file_without_persons_is_let_pass(tmp_path, suffix):
    path = tmp_path / f"file{suffix}"
    WRITERS[suffix](path, "大棚已建成")
    assert scan(path) == []


@pytest.mark.parametrize("suffix", WRITERS)
def test_a_person_named_as_such_in_a_text_is_found(tmp_path, suffix):
    path = tmp_path / f"file{suffix}"
    WRITERS[suffix](path, "已通知，联系人：王建国")
    assert {one.kind for one in scan(path)} == {"personal name"}


@pytest.mark.parametrize(
    "text",
    [
        "370831100201",  # a village's division code
        "3708311002011234",  # a household's code: no bank card's first digits
        hashlib.sha256(b"x").hexdigest(),
        "0.13853712345", "13853712345.67", "1.3853712345e10", "-13853712345",
        "0.370831199003071233", "370831199013071233", "370831199003071230",
        "2021-07-08", "10.1257/0002828041464551", "x13853712345", "data:0537-23456",
    ],
)  # fmt: skip
def test_other_numbers_are_let_pass(text):
    assert [kind.name for kind, _ in find_values(text)] == []


@pytest.mark.parametrize(
    "text",
    [
        f"电话{MOBILE}。", f"{MOBILE}/{MOBILE[:-1]}0", f"王建国-{MOBILE}", f"+86 {MOBILE}",
        "138-5371-2345", "(0537)2345678", "010-62345678", "6222 0212 3456 7890 128",
    ],
)  # fmt: skip
def test_numbers_are_found_however_they_are_written(text):
    assert list(find_values(text))


def test_codes_that_pass_a_check_digit_by_chance_are_no_bank_cards(tmp_path):
    path = tmp_path / "households.csv"
    codes = [f"62010210020{n:05}" for n in range(200)]  # of Gansu: cards begin with 62 too
    path.write_text("household\n" + "\n".join(codes))
    assert scan(path) == []
    path.write_text("household\n" + "\n".join([*codes[:3], BANK]))
    assert [one.kind for one in scan(path)] == ["bank card"]


@pytest.mark.parametrize(
    "head",
    ["姓名", "户主姓名", "负责人", "第一书记", "联系人", "secretary name", "Name of head"],
)
def test_names_are_found_by_what_heads_them(tmp_path, head):
    path = tmp_path / "ledger.csv"
    path.write_text(f"村,{head}\n甲村,欧阳修文\n乙村,Wang Jianguo\n", encoding="utf-8")
    (found,) = scan(path)
    assert (found.name, found.place, found.n) == (f"ledger.csv:{head}", "line 2", 2)


@pytest.mark.parametrize(
    ("head", "cells"),
    [
        ("负责人数", ["12", "7"]),
        ("负责人单位", ["市财政局", "县农业农村局"]),
        ("负责人", ["P001", "P002"]),
        ("第一书记", ["是", "否", "有"]),
        ("负责人职务", ["主任", "科长"]),
        ("head", ["王建国"]),
    ],
)
def test_columns_about_persons_without_names_are_let_pass(head, cells):
    assert judge_names(head, cells, known=(), by_cells=False) == []


def test_names_are_found_by_how_they_look_under_any_head(tmp_path):
    path = tmp_path / "ledger.xlsx"
    book = openpyxl.Workbook()
    for row in [["村", "乙方"], *zip("甲乙丙丁", NAMES, strict=True)]:
        book.active.append(row)
    book.save(path)
    (found,) = scan(path)
    assert (found.kind, found.column, found.n) == ("personal name", "乙方", 4)
    assert scan(path, word_columns={path.name: {"乙方"}}) == []
    assert scan(path, known=NAMES) == []


@pytest.mark.parametrize(
    "cells",
    [
        ["王家村", "李集", "张庄", "刘楼"],
        ["财政资金", "社会资金", "金融贷款"],
        ["黄桃", "石榴", "白菜", "大棚"],
        ["万元", "金额", "年份", "高山"],
    ],
)
def test_places_goods_and_money_are_no_names(cells):
    assert judge_names("乙方", cells, known=(), by_cells=True) == []


def test_a_column_headed_as_one_of_numbers_is_found_though_they_are_ill_formed(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("村,身份证号\n甲村,37083119900307\n", encoding="utf-8")
    assert [one.column for one in scan(path)] == ["身份证号"]


def test_who_made_a_workbook_or_word_file_is_found(tmp_path):
    book = openpyxl.Workbook()
    book.properties.creator = "王建国"
    book.save(tmp_path / "a.xlsx")
    assert [one.kind for one in scan(tmp_path / "a.xlsx")] == ["author"]


def test_names_of_a_key_are_found_by_their_code(tmp_path):
    table = pd.DataFrame(
        [["V-23456", "village", "", "370831100201", "泉林村"]],
        columns=["code", "kind", "county", "key", "name"],
    )
    path = tmp_path / "villages.csv"
    path.write_text("村,收入\n泉林村,3\n", encoding="utf-8")
    (found,) = scan(path, pseudonyms=Pseudonyms(table))
    assert found.column == "村" and "V-23456" in found.kind
    assert "泉林" not in found.masked + found.kind


def test_pictures_and_hashes_in_a_page_are_not_read_as_numbers(tmp_path):
    path = tmp_path / "page.html"
    drawn = "M 3559 1806 3559 1356 Q 3559 1806 3559 1356 3559 1804"
    path.write_text(
        f'<path d="{drawn}"/><img src="data:image/png;base64,AAAA/{MOBILE}/AAAA">',
        encoding="utf-8",
    )
    assert scan(path) == []


def test_the_error_lists_all_masked_and_says_how_to_go_on(tmp_path):
    path = tmp_path / "ledger.csv"
    path.write_text(f"负责人,电话\n王建国,{MOBILE}\n李秀英,\n", encoding="utf-8")
    found = scan(path)
    with pytest.raises(ReportError) as error:
        refuse_findings(found, allow=())
    told = str(error.value)
    assert "ledger.csv:负责人 (line 2): personal name 王**, and 1 more" in told
    assert "ledger.csv:电话 (line 2): mobile number 138********" in told
    assert "confidential" in told and "--allow 'ledger.csv:负责人'" in told
    assert "王建国" not in told and MOBILE not in told
    refuse_findings(found, allow=["ledger.csv:负责人", "ledger.csv:电话"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("jining_2021", None),
        ("jining_simulated", None),
        pytest.param("xu_yao_2015", SHARED / "data/xu_yao_2015", marks=pytest.mark.shared),
    ],
)
def test_the_shipped_studies_raise_no_alarm(name, data):
    study = Study.load(REPO / "data" / name, data=data)
    files = {file: study.path(file) for file in study.file_names()}
    files |= {path.name: path for path in (REPO / "data" / name).glob("*.*")}
    known, columns = known_words(study), word_columns(study)
    assert scan_files(files, known=known, word_columns=columns) == []
    assert scan_files(files) == []


def test_what_a_workbook_says_of_who_made_it_and_keeps_of_others_is_found(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["x"])
    book.properties.creator = "openpyxl"
    book.save(tmp_path / "a.xlsx")
    parts = {
        "xl/workbook.xml": '<a:absPath url="C:\\Users\\wangjianguo\\Desktop\\"/>',
        "docProps/app.xml": "<Company>Sishui office</Company>",
        "xl/persons/person.xml": '<person displayName="Li Xiuying" id="1"/>',
        "xl/pivotCache/pivotCacheDefinition1.xml": f'<c><s v="{MOBILE}"/></c>',
        "xl/drawings/drawing1.xml": f"<d><t>{PERSONS['identity number']}</t></d>",
    }
    with zipfile.ZipFile(tmp_path / "a.xlsx") as file:
        held = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as file:
        for name, content in held.items():
            if name == "xl/workbook.xml":
                content = content.replace(b"</workbook>", parts[name].encode() + b"</workbook>")
            if name not in parts or name == "xl/workbook.xml":
                file.writestr(name, content)
        for name in {*parts} - {"xl/workbook.xml"}:
            file.writestr(name, parts[name])
    found = scan(tmp_path / "a.xlsx")
    assert [(one.kind, one.n) for one in found if one.kind == "author"] == [("author", 1)] * 3
    assert {"mobile number", "identity number"} <= {one.kind for one in found}


def test_the_users_folder_in_what_a_cell_printed_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/wangjianguo")
    monkeypatch.setenv("USERPROFILE", "/home/wangjianguo")
    (tmp_path / "a.txt").write_text("read /home/wangjianguo/data/x.csv", encoding="utf-8")
    (tmp_path / "b.txt").write_text("see example.org/home/wangjianguo/", encoding="utf-8")
    assert [one.kind for one in scan(tmp_path / "a.txt")] == ["folder of this machine"]
    assert not scan(tmp_path / "b.txt")
