import re

import pytest

from evaluation.data.tables import read_table
from evaluation.errors import DataError, raise_problems


@pytest.fixture
def write(tmp_path):
    """Write a CSV file and give its path."""

    def to(text, name="villages.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return to


def test_a_table_says_what_its_index_counts(write):
    table = read_table(write("village,year\n1,2015\n"))
    assert (table.name, table.row_word, table.frame.index.name) == (
        "villages.csv",
        "line",
        "line",
    )


def test_columns_are_taken_in_the_order_asked(write):
    table = read_table(write("a,b,c\n1,2,3\n"), columns=["c", "a"])
    assert table.frame.to_dict("records") == [{"c": "3", "a": "1"}]


def test_optional_columns_are_filled(write):
    frame = read_table(write("village\n1\n")).select(required=["village"], optional=["note"])
    assert frame.to_dict("records") == [{"village": "1", "note": ""}]


def test_select_leaves_no_row_out(write):
    table = read_table(write("indicator,label\nincome,Income\ntotal,All\n"))
    assert list(table.frame["indicator"]) == ["income"]
    assert list(table.select()["indicator"]) == ["income", "total"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "villages.csv: no rows; the first row names the columns."),
        ("village,year\n", "villages.csv: no rows; the first row names the columns."),
        (
            "village,year\n1,2015\n2,2015,x\n",
            "villages.csv: line 3: 3 cells under 2 columns; quote a cell that holds a comma.",
        ),
        ("village,year\n1\n", "villages.csv: line 2: 1 cells under 2 columns; quote"),
        ("village,year,year\n1,2,3\n", "villages.csv: two columns are named 'year'."),
        ("village\n1\n", "villages.csv: no column year; it has village."),
        (
            "village,year,cohrt\n1,2,3\n",
            "villages.csv: unknown column 'cohrt'; did you mean 'cohort'?",
        ),
        (
            "village,year,xyz\n1,2,3\n",
            "villages.csv: unknown column 'xyz'; known: cohort, village, year.",
        ),
        (
            'village,year\n1,"2015\n',
            "villages.csv: line 2: a quotation mark opened here or below is never closed",
        ),
        ('village,year\n1,"20"15\n', "villages.csv: line 2: ',' expected after '\"'."),
        (
            "village,year,\n1,2,x\n",
            "villages.csv: column C has no name but holds data (line 2: 'x'); name it",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(write, text, says):
    with pytest.raises(DataError, match="^" + re.escape(says)):
        read_table(write(text)).select(required=["village", "year"], optional=["cohort"])


def test_columns_are_named_by_letter_beyond_z(write):
    text = ",".join(f"c{n}" for n in range(27)) + ",\n" + "1," * 27 + "x\n"
    with pytest.raises(DataError, match="column AB has no name"):
        read_table(write(text))


def test_a_column_without_name_and_data_is_dropped(write):
    assert list(read_table(write("a,,b,\n1,,2,\n")).frame.columns) == ["a", "b"]


def test_the_nearest_column_is_named(write):
    with pytest.raises(
        DataError, match=r"^villages.csv: no column 'incme'; did you mean 'inco"
    ):
        read_table(write("village,income\n1,2\n"), columns=["incme"])


def test_all_problems_are_listed_at_once(write):
    with pytest.raises(DataError) as error:
        read_table(write("village,year\n1\n2,3\n4,5,6\n"))
    assert str(error.value).splitlines() == [
        "villages.csv: line 2: 1 cells under 2 columns; quote a cell that holds a comma.",
        "villages.csv: line 4: 3 cells under 2 columns; quote a cell that holds a comma.",
    ]


def test_ten_problems_are_shown_and_the_rest_counted():
    with pytest.raises(DataError) as error:
        raise_problems("a.csv", [f"problem {n}" for n in range(12)])
    lines = str(error.value).splitlines()
    assert (len(lines), lines[-1]) == (11, "... and 2 more.")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "dta", "parquet"])
def test_a_file_that_is_not_there_is_an_error(tmp_path, suffix):
    with pytest.raises(DataError, match=rf"none\.{suffix}: cannot be read: No such file"):
        read_table(tmp_path / f"none.{suffix}")


def test_another_format_is_an_error_that_lists_those_read(write):
    with pytest.raises(DataError, match=r"^a.doc: the suffix '.doc' is not read; .*\.csv, "):
        read_table(write("a,b\n1,2\n", "a.doc"))


@pytest.mark.parametrize(
    ("name", "option", "says"),
    [
        ("a.csv", {"sheet": "x"}, "sheet and header_rows are for workbooks"),
        ("a.dta", {"header_rows": 2}, "sheet and header_rows are for workbooks"),
        ("a.xlsx", {"encoding": "gb18030"}, "says its encoding itself"),
        ("a.xlsx", {"header_rows": 0}, "header_rows is 0; give 1 or more"),
    ],
)
def test_an_option_that_does_not_apply_is_an_error(write, name, option, says):
    with pytest.raises(DataError, match=f"^{name}: {says}"):
        read_table(write("a,b\n1,2\n", name), **option)
