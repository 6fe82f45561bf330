"""Read files that know their columns' types: Stata, SPSS, Parquet and Feather."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather
import pyarrow.parquet
import pyreadstat

from evaluation.data.text_files import is_plausible_chinese, name_content, shorten
from evaluation.errors import DataError, raise_problems, suggest
from evaluation.language import commas, mark, say

_FORMATS = {
    ".dta": ("Stata", re.compile(rb"<stata_dta>|[\x66-\x73][\x01\x02]\x01")),
    ".sav": ("SPSS", re.compile(rb"\$FL[23]")),
    ".parquet": ("Parquet", re.compile(rb"PAR1")),
    ".feather": ("Feather", re.compile(rb"ARROW1|FEA1")),
}
TYPED_SUFFIXES = tuple(_FORMATS)

_Unit = Literal["D", "M", "s", "ms"]

# A format's name -> the day or month that its numbers count from, and their unit.
_STATA_DATES: dict[str, tuple[str, _Unit]] = {
    "td": ("1960-01-01", "D"),
    "d": ("1960-01-01", "D"),
    "tm": ("1960-01", "M"),
    "tc": ("1960-01-01", "ms"),
}
_SPSS_DATES: dict[str, tuple[str, _Unit]] = {
    name: ("1582-10-14", "s")
    for name in ("DATETIME", "YMDHMS", "DATE", "ADATE", "EDATE", "SDATE", "JDATE")
}
_YEARS = (np.datetime64("0001-01-01"), np.datetime64("9999-12-31"))
_FAR = 1e15  # beyond these years in every unit, and within 64 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedColumns:
    """The columns of a typed file; the attributes are those of ``tables.Table``."""

    frame: pd.DataFrame
    encoding: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_typed_file(
    path: Path, *, encoding: str | None = None, columns: Sequence[str] | None = None
) -> TypedColumns:
    """Read a typed file; numbers stay numbers, dates become ISO text.

    Raises
    ------
    DataError
        If the file is damaged, lacks a column asked for, or one holds neither numbers nor
        text nor dates.
    """
    suffix = path.suffix.lower()
    kind, magic = _FORMATS[suffix]
    with path.open("rb") as file:
        head = file.read(16)
    if not magic.match(head):
        known = name_content(head)
        raise _damaged(path.name, kind, f"it is {known}" if known else "it begins otherwise")
    if suffix in (".dta", ".sav"):
        return _read_statistical(path, encoding, columns)
    with _one_error(path.name, kind):
        if suffix == ".feather":
            table = pyarrow.feather.read_table(path, memory_map=True)
            check_columns(path.name, table.column_names, columns)
            tables = iter([table.select(columns or table.column_names)])
        else:
            names = pyarrow.parquet.read_schema(path).names
            check_columns(path.name, names, columns)
            # Column by column: Arrow's copy of all is never held beside pandas'. A folder named
            # year=2015 is no column; a file at hand needs no buffer of its own.
            tables = (
                pyarrow.parquet.read_table(
                    path, columns=[column], partitioning=None, pre_buffer=False
                )
                for column in columns or names
            )
        return TypedColumns(frame=_to_frame(path.name, tables))


def check_columns(name: str, known: Sequence[str], asked: Sequence[str] | None) -> None:
    """Raise a DataError for the columns asked for that a file hasn't, and for doubled ones."""
    doubled = sorted(column for column, count in Counter(known).items() if count > 1)
    problems = [f"two columns are named {column!r}." for column in doubled]
    problems += [
        f"no column {column!r}; {suggest(column, known)}"
        for column in asked or ()
        if column not in known
    ]
    raise_problems(name, problems)


def _damaged(name: str, kind: str, why: str) -> DataError:
    article = "an" if kind == "SPSS" else "a"
    return DataError(f"{name}: damaged or not {article} {kind} file: {why}; copy it again.")


@contextmanager
def _one_error(name: str, kind: str) -> Iterator[None]:
    """Turn whatever a reader raises on a damaged file into one DataError."""
    try:
        yield
    except DataError:
        raise
    except Exception as error:
        raise _damaged(name, kind, shorten(str(error), 80).rstrip(".")) from error


def _to_frame(name: str, tables: Iterator[pa.Table]) -> pd.DataFrame:
    problems: list[str] = []
    parts, n_rows = [], 0
    # Arrow's own strings, because pandas' would be a copy with longer offsets.
    text = {pa.string(): pd.ArrowDtype(pa.string())}.get
    how: Any = {"split_blocks": True, "self_destruct": True, "ignore_metadata": True}
    for table in tables:
        n_rows, plain = table.num_rows, {}
        for column in table.column_names:
            try:
                plain[column] = _to_plain(table[column])
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                said = f"{column!r} ({table[column].type}): {shorten(str(error), 80)}"
                problems.append(f"column {said}; save it as numbers or text.")
        del table  # or its own columns would be kept beside pandas'
        parts.append(pa.table(plain).to_pandas(types_mapper=text, **how))
        plain.clear()
    raise_problems(name, problems)
    return _count_from_one(pd.concat(parts, axis=1) if parts else pd.DataFrame(), n_rows)


def _count_from_one(frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
    return frame.set_axis(pd.RangeIndex(1, n_rows + 1, name="observation"), axis="index")


def _to_plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Give numbers or text; what is such already is not copied."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    kind = column.type
    if pa.types.is_timestamp(kind):
        days = column.cast(pa.date32(), safe=False)
        whole = pc.all(pc.equal(days.cast(kind), column)).as_py() is not False
        seconds = pc.cast(column, pa.timestamp("s", kind.tz), safe=False)
        text = days.cast(pa.string()) if whole else seconds.cast(pa.string())
        return pc.fill_null(pc.replace_substring(text, " ", "T"), "")
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_null(kind):
        return pc.fill_null(column.cast(pa.string()), "")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.fill_null(column, "") if column.null_count else column
    if pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.float64()) if column.null_count else column
    if pa.types.is_integer(kind):
        return column.cast(pa.float64()) if column.null_count else column
    if pa.types.is_floating(kind):
        return column
    raise pa.ArrowNotImplementedError("neither numbers nor text nor dates")


def _read_statistical(
    path: Path, encoding: str | None, columns: Sequence[str] | None
) -> TypedColumns:
    """Read a Stata or SPSS file in the first encoding that its text can be in."""
    is_stata = path.suffix.lower() == ".dta"
    kind = "Stata" if is_stata else "SPSS"
    # An SPSS file says its encoding; a Stata file never does, but is UTF-8 from version 14.
    own = "UTF-8" if is_stata else None
    for candidate in [encoding] if encoding else [own, "GB18030", "WINDOWS-1252"]:
        with _one_error(path.name, kind):
            try:
                typed = _read_as(path, candidate, columns)
            except (pyreadstat.ReadstatError, UnicodeDecodeError, TypeError) as error:
                if not _is_about_encoding(error):
                    raise
                continue
        if encoding or candidate != "GB18030" or is_plausible_chinese(_all_text(typed)):
            noted = not encoding and candidate != own
            told = say("text read as {encoding}, not UTF-8", encoding=typed.encoding)
            notes = (told,) if noted else ()
            return replace(typed, notes=(*notes, *typed.notes))
    told = f"text is not {encoding}" if encoding else "text is in no encoding that is known"
    raise DataError(f"{path.name}: {told}; set its encoding in study.yml (panel.encoding).")


def _is_about_encoding(error: Exception) -> bool:
    # A column's name that does not decode is None, on which the reader stumbles.
    return isinstance(error, UnicodeDecodeError) or bool(
        re.search("convert string|character set|NoneType", str(error))
    )


def _read_as(path: Path, encoding: str | None, columns: Sequence[str] | None) -> TypedColumns:
    is_stata = path.suffix.lower() == ".dta"
    read = partial(
        pyreadstat.read_dta if is_stata else pyreadstat.read_sav,
        path,
        encoding=encoding,
        user_missing=True,
        disable_datetime_conversion=True,
    )
    _, meta = read(metadataonly=True)
    check_columns(path.name, meta.column_names, columns)
    # A damaged count may ask for more rows than there is memory; a row has a byte at least.
    if is_stata and (meta.number_rows or 0) > path.stat().st_size:
        raise _damaged(path.name, "Stata", "it ends before its rows do")
    frame, meta = read(usecols=columns)
    frame = frame[list(columns)] if columns else frame
    notes = _drop_missing_codes(frame, meta)
    for column, shown_as in meta.original_variable_types.items():
        date = _date_format(str(shown_as), is_stata=is_stata)
        if date:
            frame[column] = _to_iso(path.name, frame[column], *date)
        elif re.match("%-?t[hqwC]", str(shown_as)):
            told = mark("column {column}: left as Stata's number ({form})")
            notes.append(say(told, column=column, form=shown_as))
    texts = frame.select_dtypes(["object", "str"]).columns
    frame[texts] = frame[texts].fillna("").astype("str")
    return TypedColumns(
        frame=_count_from_one(frame, len(frame)),
        encoding=encoding.lower() if encoding else meta.file_encoding or "",
        labels={c: label for c, label in meta.column_names_to_labels.items() if label},
        value_labels=meta.variable_value_labels,
        notes=tuple(notes),
    )


def _drop_missing_codes(frame: pd.DataFrame, meta: Any) -> list[str]:
    """Make Stata's .a to .z and what SPSS declares missing empty; give notes with counts."""
    letters: Counter[str] = Counter()
    for column, codes in meta.missing_user_values.items():
        is_code = frame[column].isin(codes)
        letters.update(frame.loc[is_code, column])
        frame[column] = frame[column].mask(is_code).astype("float64")
    notes = []
    if letters:
        counts = commas(f".{letter} {count}" for letter, count in sorted(letters.items()))
        notes.append(say("extended missing values made empty: {counts}", counts=counts))
    for column, ranges in meta.missing_ranges.items():
        is_code = np.zeros(len(frame), dtype=bool)
        for span in ranges:
            is_code |= frame[column].between(span["lo"], span["hi"]).to_numpy(dtype=bool)
        if is_code.any():
            frame[column] = frame[column].mask(is_code)
            told = mark("column {column}: {n} declared missing made empty")
            notes.append(say(told, column=column, n=is_code.sum()))
    return notes


def _date_format(shown_as: str, *, is_stata: bool) -> tuple[str, _Unit] | None:
    if not is_stata:
        return _SPSS_DATES.get(re.sub(r"[\d.]+$", "", shown_as))
    match = re.match("%-?(td|tm|tc|d)", shown_as)
    return _STATA_DATES[match[1]] if match else None


def _to_iso(name: str, values: pd.Series, origin: str, unit: _Unit) -> pd.Series:
    numbers = values.to_numpy(dtype=float)
    known = np.isfinite(numbers)
    counts = np.clip(np.where(known, numbers, 0), -_FAR, _FAR).astype("int64")
    dates = np.datetime64(origin, unit) + counts.astype(f"timedelta64[{unit}]")
    n_wrong = int((known & ((dates < _YEARS[0]) | (dates > _YEARS[1]))).sum())
    if n_wrong:
        raise DataError(
            f"{name}: column {values.name!r}: {n_wrong} numbers are no dates; mend them, or "
            "the column's format."
        )
    if unit not in "DM":
        days = dates.astype("datetime64[D]")
        dates = days if (days == dates).all() else dates.astype("datetime64[s]")
    text = np.where(known, np.datetime_as_string(dates), "")
    return pd.Series(text, index=values.index, dtype="str")


def _all_text(typed: TypedColumns) -> str:
    texts: pd.DataFrame = typed.frame.select_dtypes("str")
    return "".join(
        [
            *typed.labels.values(),
            *(label for labels in typed.value_labels.values() for label in labels.values()),
            *(text for column in texts for text in texts[column].unique()),
        ]
    )
