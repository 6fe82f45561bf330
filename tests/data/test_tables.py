import re

import pytest

from evaluation.data.tables import raise_problems, read_table
from evaluation.errors import DataError


@pytest.fixture
def write(tmp_path):
    """Write a file and give its path."""

    def to(text, *, encoding="utf-8", name="villages.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return to


TEXT = "village,name\n007,泗水\n1.50,\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_cells_stay_text_in_every_encoding(write, encoding):
    frame = read_table(write(TEXT, encoding=encoding))
    assert frame.to_dict("list") == {"village": ["007", "1.50"], "name": ["泗水", ""]}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(TEXT, "utf-16"), (TEXT, "utf-16-le"), ("a,b\n1,2\n", "utf-16-le")],
)
def test_other_encodings_are_an_error(write, text, encoding):
    with pytest.raises(DataError, match=r"^villages.csv: neither UTF-8 nor GB18030; save it"):
        read_table(write(text, encoding=encoding))


def test_windows_line_ends_quoted_commas_and_line_breaks(write):
    frame = read_table(write('village,note\r\n1,"a, b"\r\n2,"c\nd"\r\n3,"e ""f"""\r\n'))
    assert list(frame["note"]) == ["a, b", "c\nd", 'e "f"']
    assert list(frame.index) == [2, 4, 5]  # the line that each record ends on


def test_blank_lines_are_passed_over_but_counted(write):
    frame = read_table(write("village,note\n\n1,x\n,\n2,y\n"))
    assert frame["village"].to_dict() == {3: "1", 5: "2"}


def test_optional_columns_are_filled(write):
    frame = read_table(write("village\n1\n"), required=["village"], optional=["note"])
    assert frame.to_dict("records") == [{"village": "1", "note": ""}]


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
        ('village,year\n1,"2015\n', "villages.csv: line 2: unexpected end of data."),
        ('village,year\n1,"20"15\n', "villages.csv: line 2: ',' expected after '\"'."),
    ],
)
def test_what_does_not_fit_is_an_error(write, text, says):
    with pytest.raises(DataError, match="^" + re.escape(says)):
        read_table(write(text), required=["village", "year"], optional=["cohort"])


def test_all_problems_are_listed_at_once(write):
    with pytest.raises(DataError) as error:
        read_table(write("village,xyz\n1\n2,3\n4,5,6\n"), required=["village", "year"])
    assert str(error.value).splitlines() == [
        "villages.csv: no column year; it has village, xyz.",
        "villages.csv: unknown column 'xyz'; known: village, year.",
        "villages.csv: line 2: 1 cells under 2 columns; quote a cell that holds a comma.",
        "villages.csv: line 4: 3 cells under 2 columns; quote a cell that holds a comma.",
    ]


def test_ten_problems_are_shown_and_the_rest_counted(tmp_path):
    with pytest.raises(DataError) as error:
        raise_problems(tmp_path / "a.csv", [f"problem {n}" for n in range(12)])
    lines = str(error.value).splitlines()
    assert (len(lines), lines[-1]) == (11, "... and 2 more.")


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"none\.csv: cannot be read: No such file"):
        read_table(tmp_path / "none.csv")


def test_another_format_is_an_error(write):
    with pytest.raises(DataError, match=r"^villages.xlsx: only .csv is read; save the table"):
        read_table(write(TEXT, name="villages.xlsx"))
