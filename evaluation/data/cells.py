"""Cells as numbers, years and dates: read exactly, or named; never guessed, never dropped."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.bounds import Bounds
from evaluation.data.coded import Coded, Floats, as_integer, distinct_cells, half_width
from evaluation.data.hedges import read_figure
from evaluation.data.money import parse_money
from evaluation.data.problems import Level, Problems, report_rows
from evaluation.data.study_files import YearColumn
from evaluation.data.tables import Table
from evaluation.data.units import parse_unit
from evaluation.errors import DataError
from evaluation.language import mark, say

_AS_MISSING = mark("cells read as missing")
_PLAIN = re.compile(
    r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][+-]?\d{1,2})?|[+-]?\.\d+"
)
_YEAR = re.compile(r"(\d{4})(?:\.0*)?年?度?")
_DAY = re.compile(r"((?:19|20)\d\d)(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])?")
_ANY_YEAR = re.compile(r"(?<!\d)((?:19|20)\d\d)(?!\d)")
_TRUTH = {"1": 1.0, "0": 0.0, "是": 1.0, "否": 0.0, "yes": 1.0, "no": 0.0}
_TRUTH |= {"true": 1.0, "false": 0.0}
FIRST_YEAR, LAST_YEAR = 1900, 2100
_LONGEST = 30  # digits of a number; longer ones are cells run together


@dataclass(frozen=True, slots=True)
class Numbers:
    """A column read: values in its own unit, and the hedged cells by their position."""

    values: Floats
    hedged: Mapping[int, Bounds]


def read_numbers(
    table: Table,
    column: str,
    problems: Problems,
    *,
    unit: str = "",
    missing: Sequence[str] = (),
    keep_hedged: bool = False,
    may_hedge: bool = False,
) -> Numbers:
    """Read a column as numbers.

    Parameters
    ----------
    table
        The file. Empty cells, and those that ``missing`` names, are missing.
    column
        Its column.
    problems
        Takes an error that lists the cells which are no numbers.
    unit
        The column's unit, in which printed figures (12万, 一百二十) are given back.
    keep_hedged
        Whether a hedged figure (10余万) is kept as bounds, and not an error. Its value
        is missing.
    may_hedge
        Whether the error says that the study may allow them.
    """
    series = table.frame[column]
    if pd.api.types.is_numeric_dtype(series):
        values = series.to_numpy(np.float64, na_value=np.nan)
        report_rows(table, problems, column, np.isinf(values), "infinite numbers")
        gaps = [float(word) for word in missing if _PLAIN.fullmatch(word)]
        if gaps and len(rows := np.flatnonzero(np.isin(values, gaps))):
            values = values.copy()
            values[rows] = np.nan
            report_rows(table, problems, column, rows, say(_AS_MISSING), level="note")
        return Numbers(values, {})
    distinct, codes = distinct_cells(series)
    parsed = np.full(len(distinct), np.nan)
    bounds: dict[int, Bounds] = {}
    refused: list[int] = []
    worded: list[int] = []
    allowed = ""
    for place, text in enumerate(distinct):
        clean = half_width(text)
        if clean in ("", *missing):
            continue
        if _PLAIN.fullmatch(clean) and len(clean) < _LONGEST:
            parsed[place] = float(clean.replace(",", ""))
            continue
        read = _read_printed(clean, unit)
        if read is None:
            refused.append(place)
        elif isinstance(read, Bounds):
            if keep_hedged:
                bounds[place] = read
                continue
            refused.append(place)
            if may_hedge:
                allowed = " Hedged figures: set panel.hedged to bounds to keep them as bounds."
        else:
            parsed[place] = read
            worded.append(place)
    remedy = (
        "Write the number, leave the cell empty where it is not known, or list what such cells "
        f"say under missing.{allowed}"
    )
    gone = [i for i, text in enumerate(distinct) if missing and text
            and half_width(text) in missing]  # fmt: skip
    kinds: tuple[tuple[Level, list[int], str, str], ...] = (
        ("error", refused, "not numbers", remedy),
        ("note", worded, say("figures in words, read as numbers"), ""),
        ("note", gone, say(_AS_MISSING), ""),
    )
    for level, found, told, mend in kinds:
        report_rows(table, problems, column, _where(codes, found), told, mend, level=level)
    at = {int(i): bounds[int(codes[i])] for i in _where(codes, [*bounds])}
    return Numbers(parsed[codes], at)


def read_years(
    table: Table,
    column: str,
    problems: Problems,
    *,
    values: Mapping[str, int] | None = None,
    required: bool = True,
    missing: Sequence[str] = (),
) -> Coded:
    """Read a column as years (2015, 2015年); NaN where a cell is empty or is none.

    ``values`` says which year a code stands for. Dates are an error, for a row of a panel is
    on a year; so is an empty cell, if ``required``.
    """
    known = values or {}

    def read(text: str) -> float | None:
        if known:
            return known.get(as_integer(text))
        match = _YEAR.fullmatch(text)
        if not match or not FIRST_YEAR <= int(match[1]) <= LAST_YEAR:
            return None
        return int(match[1])

    what = f"none of {', '.join(known)}" if known else "not years"
    remedy = "Write years as 2015; a date belongs into a column of its own."
    if not required:
        remedy = "Write years as 2015, and leave the cell empty where there is none."
    return _read_each(
        table, column, problems, read, what, remedy, required=required, missing=missing
    )


def read_stated_years(table: Table, year: YearColumn | int, problems: Problems) -> Coded:
    """Read the years that a study states: a column, or one year for all rows."""
    if isinstance(year, int):
        return Coded(np.zeros(len(table.frame), np.int32), np.array([float(year)]))
    return read_years(table, year.column, problems, values=year.values)


def read_dates(
    table: Table, column: str, problems: Problems, *, missing: Sequence[str] = ()
) -> Coded:
    """Read a column of dates as their years; NaN where a cell is empty.

    A date is any text with exactly one four-digit year, in any order of day and month, or
    the digits 20190315.
    """

    def read(text: str) -> float | None:
        if match := _DAY.fullmatch(text):
            return int(match[1])
        years = set(_ANY_YEAR.findall(text))
        return int(years.pop()) if len(years) == 1 else None

    remedy = (
        "Write them with a year of four digits, as 2019-03-15; leave the cell empty if never."
    )
    return _read_each(
        table, column, problems, read, "no dates", remedy, required=False, missing=missing
    )


def read_truths(table: Table, column: str, problems: Problems) -> Coded:
    """Read a column of 1 and 0 (是 and 否, yes and no); NaN where a cell is empty."""

    def read(text: str) -> float | None:
        return _TRUTH.get(as_integer(text).lower())

    remedy = "Write 1 in treated years and 0 in the others."
    return _read_each(table, column, problems, read, "neither 1 nor 0", remedy, required=False)


def _read_each(
    table: Table,
    column: str,
    problems: Problems,
    read: Callable[[str], float | None],
    what: str,
    remedy: str,
    *,
    required: bool,
    missing: Sequence[str] = (),
) -> Coded:
    distinct, codes = distinct_cells(table.frame[column])
    if missing:
        distinct = ["" if half_width(text) in missing else text for text in distinct]
    found = [read(half_width(text)) if text else np.nan for text in distinct]
    wrong = {
        what: [i for i, value in enumerate(found) if value is None],
        "empty cells": [i for i, text in enumerate(distinct) if required and not text],
    }
    for message, places in wrong.items():
        report_rows(table, problems, column, _where(codes, places), message, remedy)
    values = [np.nan if value is None else value for value in found]
    return Coded(codes, np.array(values, dtype=np.float64))


def _where(codes: npt.NDArray[np.integer[Any]], places: list[int]) -> npt.NDArray[np.intp]:
    """Give the rows whose distinct value is one of those listed."""
    return np.flatnonzero(np.isin(codes, places)) if places else np.empty(0, np.intp)


def _read_printed(text: str, unit: str) -> float | Bounds | None:
    """Read a figure with words in it; None where it cannot be read."""
    if re.search(r"\d\s+\d", text):  # 1 2 is two numbers, or none
        return None
    try:
        figure = read_figure(text, unit=_chinese_unit(unit))
    except DataError:
        return None
    if figure.hedges or figure.is_limit or figure.every:
        return figure.strict
    return float(figure.value)


def _chinese_unit(unit: str) -> str:
    """Write a unit as a Chinese text prints it: "thousand USD" counts 千个, 户/村 counts 户."""
    money = parse_money(unit)
    if money:
        power = len(str(money.factor)) - 1
        scales = "亿" * (power // 8) + "万" * (power % 8 // 4)
        scales += "千" * (power % 4 == 3) + "百" * (power % 4 == 2) + "十" * (power % 4 == 1)
        return scales + ("元" if money.currency == "CNY" else "个")
    try:
        parse_unit(unit.partition("/")[0])
    except DataError:
        return "个"
    return unit.partition("/")[0]
