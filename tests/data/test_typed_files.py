import datetime
import decimal
import math
import re
import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.tables import read_table
from evaluation.errors import DataError


def write_columnar(path, table):
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        pyarrow.feather.write_feather(table, path)
    return path


def as_gb18030(text):
    """Give the text that pandas writes as the GB18030 bytes of another."""
    return text.encode("gb18030").decode("latin-1")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_columns_keep_their_types(tmp_path, suffix):
    day = datetime.date(2020, 1, 2)
    table = pa.table(
        {
            "code": ["007", "", None],
            "year": [2019, 2020, 2021],
            "jobs": pa.array([1, None, 3], pa.int32()),
            "income": [0.5, None, 2.0],
            "kind": pa.array(["甲", None, "甲"]).dictionary_encode(),
            "money": pa.array([decimal.Decimal("1.25"), None, None]),
            "poor": [True, None, False],
            "day": [day, None, day],
            "stamp": pa.array([day, None, day]).cast(pa.timestamp("us")),
            "at": pa.array([datetime.datetime(2020, 1, 2, 3, 4, 5), None, None]),
            "none": pa.nulls(3),
        }
    )
    read = read_table(write_columnar(tmp_path / f"a.{suffix}", table))
    frame = read.frame
    assert isinstance(frame.index, pd.RangeIndex)
    assert (frame.index[0], frame.index.name, read.row_word) == (
        1,
        "observation",
        "observation",
    )
    assert list(frame["code"]) == ["007", "", ""]
    assert frame["year"].dtype == "int64"
    assert list(frame["jobs"])[::2] == [1.0, 3.0] and math.isnan(frame.at[2, "jobs"])
    assert math.isnan(frame.at[2, "income"])
    assert list(frame["kind"]) == ["甲", "", "甲"]
    assert frame.at[1, "money"] == 1.25 and math.isnan(frame.at[2, "money"])
    assert list(frame["poor"])[::2] == [1.0, 0.0]
    assert list(frame["day"]) == ["2020-01-02", "", "2020-01-02"]
    assert list(frame["stamp"]) == ["2020-01-02", "", "2020-01-02"]
    assert list(frame["at"]) == ["2020-01-02T03:04:05", "", ""]
    assert list(frame["none"]) == ["", "", ""]
    # Arrow's own strings: pandas' would be a copy.
    assert {str(t) for t in frame.dtypes} == {"string[pyarrow]", "int64", "float64"}


@pytest.mark.parametrize("suffix", ["parquet", "feather", "dta"])
def test_only_the_columns_asked_for_are_read(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    frame = pd.DataFrame({"a": [1.0], "income": [2.0], "c": ["x"]})
    if suffix == "dta":
        frame.to_stata(path, write_index=False)
    else:
        write_columnar(path, pa.Table.from_pandas(frame))
    assert read_table(path, columns=["c", "a"]).frame.to_dict("records") == [{"c": "x", "a": 1}]
    with pytest.raises(
        DataError, match=rf"^a.{suffix}: no column 'incme'; did you mean 'income'"
    ):
        read_table(path, columns=["a", "incme"])


def test_a_folder_named_as_a_partition_is_no_column(tmp_path):
    (tmp_path / "year=2019").mkdir()
    path = write_columnar(tmp_path / "year=2019" / "a.parquet", pa.table({"a": [1]}))
    assert list(read_table(path).frame) == ["a"]


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_columns_that_cannot_be_read_are_an_error(tmp_path, suffix):
    table = pa.table({"a": [{"x": 1}], "b": [1], "c": [b"\xff"]})
    with pytest.raises(DataError) as error:
        read_table(write_columnar(tmp_path / f"a.{suffix}", table))
    mend = "neither numbers nor text nor dates; save it as numbers or text."
    assert str(error.value).splitlines() == [
        f"a.{suffix}: column 'a' (struct<x: int64>): {mend}",
        f"a.{suffix}: column 'c' (binary): {mend}",
    ]


@pytest.mark.parametrize("version", [114, 117, 118])
def test_stata_files_of_every_version(tmp_path, version):
    encode = str if version == 118 else as_gb18030
    frame = pd.DataFrame(
        {
            "village": [encode("汶上"), encode("泗水县"), ""],
            "income": [1.5, np.nan, 3],
            "day": pd.to_datetime(["2020-01-02", None, "1959-12-31"]),
            "month": pd.to_datetime(["2020-01-01", None, "1959-12-01"]),
            "kind": pd.Categorical([encode("甲"), encode("乙"), encode("甲")]),
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on letters that the old versions lack
        frame.to_stata(
            tmp_path / "a.dta",
            write_index=False,
            version=version,
            convert_dates={"day": "td", "month": "tm"},
            variable_labels={"village": encode("村名")},
        )
    table = read_table(tmp_path / "a.dta")
    assert list(table.frame["village"]) == ["汶上", "泗水县", ""]
    assert list(table.frame["income"])[::2] == [1.5, 3]
    assert list(table.frame["day"]) == ["2020-01-02", "", "1959-12-31"]
    assert list(table.frame["month"]) == ["2020-01", "", "1959-12"]
    assert table.labels == {"village": "村名"}
    labels = table.value_labels["kind"]
    assert [labels[code] for code in table.frame["kind"]] == ["甲", "乙", "甲"]
    old = version < 118
    assert table.encoding == ("gb18030" if old else "utf-8")
    assert table.notes == (("text read as gb18030, not UTF-8",) if old else ())


def test_stata_text_that_is_not_chinese(tmp_path):
    path = tmp_path / "a.dta"
    pd.DataFrame({"v": ["Peña", "José"]}).to_stata(path, write_index=False, version=114)
    table = read_table(path)
    assert list(table.frame["v"]) == ["Peña", "José"]
    assert table.notes == ("text read as windows-1252, not UTF-8",)
    for encoding in ("utf-8", "nonsense"):
        with pytest.raises(
            DataError, match=f"^a.dta: text is not {encoding}; set its encoding"
        ):
            read_table(path, encoding=encoding)
    assert list(read_table(path, encoding="latin1").frame["v"]) == ["Peña", "José"]


def test_extended_missing_values_are_counted(tmp_path):
    frame = pd.DataFrame({"x": [1.0, "a", np.nan], "y": ["b", 2.0, "a"], "s": ["a", "b", ""]})
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(frame, path, missing_user_values={"x": ["a"], "y": ["a", "b"]})
    table = read_table(path)
    assert table.frame["x"].isna().tolist() == [False, True, True]
    assert table.frame["y"].isna().tolist() == [True, False, True]
    assert list(table.frame["s"]) == ["a", "b", ""]
    assert table.notes == ("extended missing values made empty: .a 2, .b 1",)


def test_stata_counts_of_quarters_are_left_and_noted(tmp_path):
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(pd.DataFrame({"q": [240.0]}), path, variable_format={"q": "%tq"})
    table = read_table(path)
    assert (list(table.frame["q"]), table.notes) == (
        [240.0],
        ("column q: left as Stata's number (%tq)",),
    )


def test_a_number_that_is_no_date_is_an_error(tmp_path):
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(pd.DataFrame({"d": [1e9, 1.0]}), path, variable_format={"d": "%td"})
    with pytest.raises(DataError, match=r"^a.dta: column 'd': 1 numbers are no dates"):
        read_table(path)


def test_spss_files(tmp_path):
    frame = pd.DataFrame(
        {
            "s": ["甲", None, "乙"],
            "k": [1.0, 9.0, 2.0],
            "d": [datetime.date(2020, 1, 1), None, datetime.date(1900, 1, 1)],
            "t": [datetime.datetime(2020, 1, 1, 3, 4), None, None],
        }
    )
    path = tmp_path / "a.sav"
    pyreadstat.write_sav(
        frame,
        path,
        column_labels={"k": "码"},
        variable_value_labels={"k": {1.0: "是"}},
        missing_ranges={"k": [9]},
    )
    table = read_table(path)
    assert list(table.frame["s"]) == ["甲", "", "乙"]
    assert table.frame["k"].isna().tolist() == [False, True, False]
    assert list(table.frame["d"]) == ["2020-01-01", "", "1900-01-01"]
    assert list(table.frame["t"]) == ["2020-01-01T03:04:00", "", ""]
    assert table.labels == {"k": "码"}
    assert table.value_labels == {"k": {1.0: "是"}}
    assert table.notes == ("column k: 1 declared missing made empty",)


def write_one(path):
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["甲", "乙"]})
    if path.suffix == ".dta":
        frame.to_stata(path, write_index=False, version=118)
    elif path.suffix == ".sav":
        pyreadstat.write_sav(frame, path)
    else:
        write_columnar(path, pa.Table.from_pandas(frame))
    return path


KINDS = {"dta": "a Stata", "sav": "an SPSS", "parquet": "a Parquet", "feather": "a Feather"}


@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("length", [0, 3, 0.5, 0.9])
def test_a_cut_file_is_one_error(tmp_path, suffix, length):
    path = write_one(tmp_path / f"cities.{suffix}")
    content = path.read_bytes()
    path.write_bytes(content[: length if length in (0, 3) else int(length * len(content))])
    says = rf"^cities.{suffix}: damaged or not {KINDS[suffix]} file: .*; copy it again\.$"
    with pytest.raises(DataError, match=says):
        read_table(path)


@pytest.mark.parametrize("suffix", KINDS)
def test_a_file_of_another_kind_is_named(tmp_path, suffix):
    path = tmp_path / f"cities.{suffix}"
    path.write_bytes(b"PK\x03\x04")
    says = f"cities.{suffix}: damaged or not {KINDS[suffix]} file: it is a workbook (.xlsx"
    with pytest.raises(DataError, match="^" + re.escape(says)):
        read_table(path)


def test_a_file_without_observations_is_an_error(tmp_path):
    path = write_columnar(tmp_path / "a.parquet", pa.table({"a": pa.array([], pa.int64())}))
    with pytest.raises(DataError, match=r"^a.parquet: no observations\.$"):
        read_table(path)


MAGICS = [b"", b"PAR1", b"ARROW1\0\0", b"$FL2", b"<stata_dta>", b"\x72\x02\x01\x00"]


@pytest.mark.parametrize("suffix", KINDS)
@given(content=st.binary(max_size=300), magic=st.sampled_from(MAGICS))
def test_any_bytes_are_a_data_error(tmp_path_factory, suffix, content, magic):
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(magic + content)
    with pytest.raises(DataError, match=rf"^any\.{suffix}: "):
        read_table(path)


@pytest.mark.parametrize("suffix", ["dta", "parquet", "feather"])
@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_any_damage_is_read_or_a_data_error(tmp_path_factory, suffix, at, byte):
    path = write_one(tmp_path_factory.getbasetemp() / f"damaged.{suffix}")
    content = bytearray(path.read_bytes())
    content[at % len(content)] = byte
    path.write_bytes(content)
    try:
        assert len(read_table(path).frame)
    except DataError as error:
        assert str(error).startswith(path.name)
