import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.tables import read_table
from evaluation.data.text_files import is_plausible_chinese, why_aside
from evaluation.errors import DataError

TEXT = "village,name\n007,泗水\n1.50,\n"


@pytest.fixture
def write(tmp_path):
    """Write a file and give its path."""

    def to(text, *, encoding="utf-8", name="villages.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return to


@pytest.mark.parametrize(
    ("encoding", "used", "notes"),
    [
        ("utf-8", "utf-8", ()),
        ("utf-8-sig", "utf-8", ()),
        ("utf-16", "utf-16", ()),
        ("gb18030", "gb18030", ("read as gb18030, not UTF-8",)),
    ],
)
def test_cells_stay_text_in_every_encoding(write, encoding, used, notes):
    table = read_table(write(TEXT, encoding=encoding))
    assert table.frame.to_dict("list") == {"village": ["007", "1.50"], "name": ["泗水", ""]}
    assert (table.encoding, table.notes) == (used, notes)
    assert set(table.frame.dtypes.astype(str)) == {"str"}


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(write, encoding):
    table = read_table(write("村,收入\n汶上县杨店镇,12.5\n" * 3, encoding=encoding))
    assert table.encoding == encoding
    assert list(table.frame.columns) == ["村", "收入"]


@pytest.mark.parametrize(
    ("text", "encoding", "says"),
    [
        (
            "村,收入\n汶上縣臺灣體育學校,12.5\n" * 5,
            "big5",
            "; it may be big5. Set its encoding",
        ),
        (
            "name,x\nJosé,1\nPeña,2\n",
            "latin-1",
            "(panel.encoding), or save it as UTF-8.",
        ),
        (
            "村,収入\n東京都のまち,12.5\n" * 5,
            "shift_jis",
            "; it may be cp932. Set its encoding",
        ),
    ],
)
def test_other_encodings_are_named_and_told_how_to_be_read(write, text, encoding, says):
    path = write(text, encoding=encoding)
    with pytest.raises(DataError, match=r"^villages.csv: not UTF-8 \(line \d\) and") as error:
        read_table(path)
    assert says in str(error.value)
    frame = read_table(path, encoding=encoding).frame
    assert frame.iloc[0, 0] == text.splitlines()[1].split(",")[0]


def test_text_is_chinese_where_nine_characters_in_ten_are_common():
    assert is_plausible_chinese("汶上县杨店镇泗水县圣村" + "臺")  # 11 of 12
    assert not is_plausible_chinese("汶上县杨店镇" + "臺")  # 6 of 7


@pytest.mark.parametrize(
    ("encoding", "says"),
    [
        ("utf-8", "villages.csv: line 2 is not utf-8; mend encoding in study.yml"),
        ("gbk2", "villages.csv: encoding 'gbk2' is not known; write utf-8"),
        ("hex", "villages.csv: encoding 'hex' is not known"),
    ],
)
def test_an_encoding_given_is_used_strictly(write, encoding, says):
    with pytest.raises(DataError, match="^" + re.escape(says)):
        read_table(write(TEXT, encoding="gb18030"), encoding=encoding)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04\x14\x00", "not text but a workbook (.xlsx or .ods) or another zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "not text but an old or password-protected workbook"),
        (b"<stata_dta><header>", "not text but a Stata file (.dta); give it its own suffix"),
        (b"PAR1\x15\x04", "not text but a Parquet file"),
        (b"\x00\x01\x02\xff" * 9, "binary, not text; save the table as CSV (UTF-8)."),
    ],
)
def test_what_is_not_text_is_named(write, content, says):
    with pytest.raises(DataError, match="^villages.csv: " + re.escape(says)):
        read_table(write(content))


@pytest.mark.parametrize(
    ("name", "text", "notes"),
    [
        ("a.csv", "a;b\n1;2,5\n", ("cells separated by semicolons, not commas",)),
        ("a.csv", "a\tb\n1\t2,5\n", ("cells separated by tabs, not commas",)),
        ("a.tsv", "a\tb\n1\t2,5\n", ()),
        ("a.tab", "a\tb\n1\t2,5\n", ()),
        ("a.txt", "a\tb\n1\t2,5\n", ()),
        ("a.txt", 'a,b\n1,"2,5"\n', ()),
    ],
)
def test_what_separates_cells_follows_from_suffix_and_header(write, name, text, notes):
    table = read_table(write(text, name=name))
    assert table.frame.to_dict("list") == {"a": ["1"], "b": ["2,5"]}
    assert table.notes == notes


def test_windows_line_ends_quoted_commas_and_line_breaks(write):
    frame = read_table(write('village,note\r\n1,"a, b"\r\n2,"c\nd"\r\n3,"e ""f"""\r\n')).frame
    assert list(frame["note"]) == ["a, b", "c\nd", 'e "f"']
    assert list(frame.index) == [2, 4, 5]  # the line that each record ends on


def test_blank_lines_are_passed_over_but_counted(write):
    frame = read_table(write("village,note\n\n1,x\n,\n2,y\n")).frame
    assert frame["village"].to_dict() == {3: "1", 5: "2"}


def test_totals_and_notes_are_left_out_and_named(write):
    table = read_table(write("village,income\n注沟镇,1\n合 计,3\nSubTotal,3\n注：单位为万元\n"))
    assert table.frame["village"].to_dict() == {2: "注沟镇"}
    assert table.left_out == (
        "line 3: totals row '合 计'",
        "line 4: totals row 'SubTotal'",
        "line 5: note '注：单位为万元'",
    )


@pytest.mark.parametrize("word", ["合计", "总计", "小计", "共计", "total", "SUM", "Subtotal"])
def test_every_totals_word_after_a_number_too(word):
    assert why_aside(["12", word, "3"]) == f"totals row {word!r}"
    assert why_aside(["汶上县", word, "3"]) == f"totals row {word!r}"
    assert why_aside(["370831100201", "一村", word, "3"]) == ""
    assert why_aside(["汶上县", "一村", word], ["县", "村", "资金来源"]) == ""


@pytest.mark.parametrize(
    "word", ["注", "备注", "说明", "来源", "资料来源", "单位", "Note", "Source"]
)
def test_every_note_word_with_its_colon(word):
    assert why_aside([f"{word}：万元", ""]) == f"note '{word}：万元'"
    assert why_aside([f"{word}村", "3"]) == ""


@given(st.binary(max_size=300) | st.text(max_size=99).map(str.encode))
def test_any_bytes_are_read_or_a_data_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(content)
    try:
        assert len(read_table(path).frame)
    except DataError as error:
        assert str(error).startswith("any.csv: ")
