import datetime
import re
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.tables import read_table
from evaluation.errors import DataError

FILES = Path(__file__).parent / "files"


@pytest.fixture
def write(tmp_path):
    """Write sheets of rows, with merged cells, and give the workbook's path."""

    def to(*sheets, merged=(), name="账.xlsx", hidden=()):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for number, rows in enumerate(sheets, 1):
            sheet = book.create_sheet(f"表{number}")
            for row in rows:
                sheet.append(row)
            for cells in merged:
                sheet.merge_cells(cells)
            if number in hidden:
                sheet.sheet_state = "hidden"
        book.save(tmp_path / name)
        return tmp_path / name

    return to


PLAIN = [["村", "收入", "户"], ["一村", 10.5, 3], ["二村", 12, 4]]


def records(table):
    return [tuple(row) for row in table.frame.itertuples()]


def test_a_sheet_is_read_as_text_with_its_rows(write):
    table = read_table(write(PLAIN))
    assert (table.name, table.row_word) == ("账.xlsx [表1]", "row")
    assert records(table) == [(2, "一村", "10.5", "3"), (3, "二村", "12", "4")]
    assert (table.left_out, table.notes) == ((), ())
    assert set(table.frame.dtypes.astype(str)) == {"str"}


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (370831100201.0, "370831100201"),
        (0.1, "0.1"),
        (-3.0, "-3"),
        (True, "TRUE"),
        (" 泗水 ", "泗水"),
        ("007", "007"),
        (None, ""),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (datetime.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
        (datetime.time(3, 4), "03:04:00"),
    ],
)
def test_a_cell_becomes_its_shortest_text(write, cell, text):
    frame = read_table(write([["a", "b"], ["x", cell]])).frame
    assert (frame.at[2, "b"] if "b" in frame else "") == text


@pytest.mark.parametrize("name", ["a.xlsx", "a.xlsm", "a.xls"])  # the content decides
def test_suffixes(write, name):
    assert len(read_table(write(PLAIN, name=name)).frame) == 2


def test_titles_are_left_out_and_named(write):
    rows = [["汶上县村集体收入"], [], ["填报单位：县乡村振兴局", None, "单位：万元"], *PLAIN]
    for merged in ([], ["A1:C1"]):
        table = read_table(write(rows, merged=merged))
        assert list(table.frame.index) == [5, 6]
        assert table.left_out == (
            "row 1: title '汶上县村集体收入'",
            "row 3: title '填报单位：县乡村振兴局单位：万元'",
        )


def test_a_sheet_of_one_column_has_no_title(write):
    assert records(read_table(write([["村"], ["一村"]]))) == [(2, "一村")]


STACKED = [
    ["表"],
    ["县", "村", "经营收入", None, "收入"],
    [None, None, 2019, 2020, "万元"],
    ["汶上县", "一村", 1, 2, 3],
    [None, "二村", 4, 5, 9],
    [None, "小计", 5, 7, 12],
    ["合 计", None, 5, 7, 12],
    ["注：单位为万元"],
    ["经办人 张三"],
]
MERGED = ["A1:E1", "A2:A3", "B2:B3", "C2:D2", "A4:A6", "A7:B7"]


def test_stacked_headers_merged_counties_totals_and_notes(write):
    table = read_table(write(STACKED, merged=MERGED))
    assert list(table.frame) == ["县", "村", "经营收入_2019", "经营收入_2020", "收入_万元"]
    assert records(table) == [
        (4, "汶上县", "一村", "1", "2", "3"),
        (5, "汶上县", "二村", "4", "5", "9"),
    ]
    assert table.left_out == (
        "row 1: title '表'",
        "row 6: totals row '小计'",
        "row 7: totals row '合 计'",
        "row 8: note '注：单位为万元'",
        "row 9: note '经办人 张三'",
    )
    assert table.notes == ("header rows 2 to 3 stacked", "merged cells filled down: 县 1")
    assert len(table.select()) == 6


def test_a_group_without_other_names_beside_it_is_no_title(write):
    rows = [[None, "收入"], ["村", 2019, 2020], ["一村", 1, 2]]
    table = read_table(write(rows, merged=["B1:C1"]))
    assert list(table.frame) == ["村", "收入_2019", "收入_2020"]


def test_header_rows_are_taken_as_said(write):
    rows = [["村", "收入", "户"], ["村", "万元", None], ["一村", 1, 2]]
    assert list(read_table(write(rows), header_rows=2).frame) == ["村", "收入_万元", "户"]
    table = read_table(write(rows))
    assert (list(table.frame), len(table.frame)) == (["村", "收入", "户"], 2)


def test_a_record_with_gaps_is_no_note_unless_last_and_first_cell_only(write):
    rows = [["县", "村", "收入"], ["汶上", None, None], ["汶上", "二村", 1], [None, "三村"]]
    assert list(read_table(write(rows)).frame.index) == [2, 3, 4]
    assert list(read_table(write([["村", "收入"], ["一村", 1], ["二村"]])).frame.index) == [
        2,
        3,
    ]


def test_a_sheet_that_starts_elsewhere_keeps_its_row_numbers(write):
    rows = [[], [], [None, "村", "收入"], [None, "一村", 1], [None, "二村", 2]]
    table = read_table(write(rows, merged=["B4:B5"]))
    assert records(table) == [(4, "一村", "1"), (5, "一村", "2")]


def test_the_only_sheet_with_data_is_taken_others_are_named(write):
    assert read_table(write([], PLAIN)).name == "账.xlsx [表2]"
    table = read_table(write(PLAIN, PLAIN, hidden=[1]))
    assert (table.name, table.notes) == ("账.xlsx [表2]", ("hidden sheets not read: 表1",))
    two = write(PLAIN, PLAIN)
    with pytest.raises(DataError, match=r"^账.xlsx: 2 sheets hold data: 表1, 表2; name one in"):
        read_table(two)
    assert read_table(two, sheet="表2").name == "账.xlsx [表2]"
    with pytest.raises(DataError, match=r"^账.xlsx: no sheet '表9'; known: 表1, 表2\."):
        read_table(two, sheet="表9")


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([], "账.xlsx: no sheet holds data."),
        ([["村", "收入"]], "账.xlsx [表1]: no rows; the first row names the columns."),
        ([["村", "村"], [1, 2]], "账.xlsx [表1]: two columns are named '村'."),
        (
            [["村", None, "户"], [1, 2, 3]],
            "账.xlsx [表1]: column B has no name but holds data (row 2: '2'); name it in the",
        ),
    ],
)
def test_a_sheet_without_clear_columns_is_an_error(write, rows, says):
    with pytest.raises(DataError, match="^" + re.escape(says)):
        read_table(write(rows))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<html><table><tr><td>1</td></tr></table>", "not a workbook but a web page or text"),
        ("村\t收入\n".encode("gb18030"), "not a workbook but a web page or text"),
        (b"", "damaged or not a workbook; copy it again."),
        (b"PK\x03\x04junk\x00", "damaged or not a workbook: "),
        (b"\xd0\xcf\x11\xe0junk\x00", "damaged or not a workbook: "),
        (
            b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
            "protected by a password; save it without one.",
        ),
    ],
)
def test_what_is_no_workbook_is_named(tmp_path, content, says):
    (tmp_path / "a.xls").write_bytes(content)
    with pytest.raises(DataError, match="^a.xls: " + says):
        read_table(tmp_path / "a.xls")


def test_an_old_workbook():
    table = read_table(FILES / "ledger.xls")
    assert list(table.frame) == ["县", "村", "经营收入_2019", "经营收入_2020"]
    assert records(table) == [
        (4, "汶上县", "一村", "10.5", "12"),
        (5, "汶上县", "二村", "0.1", "370831100201"),
    ]
    assert len(table.left_out) == 3


def test_open_documents():
    table = read_table(FILES / "plain.ods")
    assert records(table) == [(2, "一村", "10.5"), (3, "二村", "0.1")]
    with pytest.raises(DataError, match="merged cells are not read from ods; save it as xlsx"):
        read_table(FILES / "ledger.ods")


@pytest.mark.parametrize("name", ["ledger.xls", "ledger.ods", "plain.ods"])
@given(cut=st.integers(0, 6000), at=st.integers(0, 6000), byte=st.integers(0, 255))
def test_any_damage_is_read_or_a_data_error(tmp_path_factory, name, cut, at, byte):
    content = bytearray((FILES / name).read_bytes())
    content[at % len(content)] = byte
    check_any(tmp_path_factory.getbasetemp() / name, content[: cut or None])


@pytest.mark.parametrize("suffix", ["xlsx", "xls", "ods"])
@given(
    content=st.binary(max_size=200),
    magic=st.sampled_from([b"", b"PK\3\4", b"\xd0\xcf\x11\xe0"]),
)
def test_any_bytes_are_a_data_error(tmp_path_factory, suffix, content, magic):
    check_any(tmp_path_factory.getbasetemp() / f"any.{suffix}", magic + content)


def check_any(path, content):
    path.write_bytes(content)
    try:
        assert len(read_table(path).frame)
    except DataError as error:
        assert str(error).startswith(path.name)
