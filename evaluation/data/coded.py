"""Columns by their distinct values: what is done to a value is done once, not in every row.

A panel of millions of rows has a dozen years and one code a village.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evaluation.data.hedges import HALF_WIDTH
from evaluation.data.tables import Table

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer[Any]]
_FEW = 1_000
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of years or truths: the distinct values, and which one every row has."""

    codes: Codes
    values: Floats

    def to_array(self) -> Floats:
        """Give every row's value."""
        return np.asarray(self.values[self.codes])


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words: the distinct ones, and which of them every row has."""

    codes: Codes
    distinct: pd.Series[str]

    def to_array(self) -> npt.NDArray[np.object_]:
        """Give every row's word."""
        return self.distinct.to_numpy(object)[self.codes]

    def take(self, rows: Codes) -> pd.Series[str]:
        """Give the words of some rows."""
        return self.distinct.take(self.codes[rows]).reset_index(drop=True)

    def is_in(self, hits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Say of every row whether its word is one of those marked."""
        return hits[self.codes]

    def map(self, change: Callable[[str], str]) -> Words:
        """Change every distinct word; words that become equal are one."""
        changed = self.distinct.map(change).astype("str")
        if changed.equals(self.distinct):
            return self
        again, distinct = pd.factorize(changed)
        return Words(again[self.codes], pd.Series(distinct, dtype="str"))


def half_width(text: str) -> str:
    """Write full-width letters, digits and signs as half-width ones, without outer blanks."""
    return text.translate(HALF_WIDTH).strip()


def read_words(table: Table, column: str, *, labelled: bool = True) -> Words:
    """Read a column as words, whole numbers without '.0'.

    Codes are read by their labels (Stata, SPSS), unless ``labelled`` is False: two codes may
    have one label.
    """
    codes, values = factorize(table.frame[column])
    words = _clean_words(codes, _as_text(values))
    labels = table.value_labels.get(column, {}) if labelled else {}
    by_text = {as_integer(str(code)): label for code, label in labels.items()}
    return words.map(lambda word: by_text.get(word, word)) if labels else words


def distinct_cells(series: pd.Series[Any]) -> tuple[list[str], Codes]:
    """Give a column's distinct cells as text, '' where missing, and which one each row has."""
    if pd.api.types.is_numeric_dtype(series) and len(series):
        numbers = series.to_numpy() if series.dtype.kind in "if" else series.to_numpy(float)
        low, high = np.fmin.reduce(numbers), np.fmax.reduce(numbers)
        whole = np.isfinite(low) and low == int(low)
        codes = _count_from(numbers, low) if whole and high - low < _FEW else None
        if codes is not None:
            span = range(int(low), int(high) + 1)
            return ["", *(str(value) for value in span)], codes
    codes, values = factorize(series)
    return ["" if pd.isna(value) else as_integer(str(value)) for value in values], codes


def factorize(series: pd.Series[Any]) -> tuple[Codes, pd.Index[Any]]:
    """Give every row the number of its value, in the order of first rows, missing ones too.

    Rows of one village mostly follow one another, so only the first of each run is looked up.
    """
    cells = series.array
    begins = np.ones(len(cells), dtype=bool)
    begins[1:] = compare_cells(cells[1:], cells[:-1], operator.ne)
    values: Any = cells[begins]  # a mask: to take by position is slow in Arrow's chunks
    codes = np.arange(len(values), dtype=np.int32)
    lengths = np.diff(np.append(np.flatnonzero(begins), len(cells)))
    if not compare_cells(values[1:], values[:-1], operator.gt).all():
        found, values = pd.factorize(values, use_na_sentinel=False)
        codes = found.astype(np.int32)
    return np.repeat(codes, lengths), pd.Index(values)


def compare_cells(
    left: Any, right: Any, how: Callable[[Any, Any], Any]
) -> npt.NDArray[np.bool_]:
    """Compare cells; missing ones differ, and are in no order."""
    result = how(left, right)
    if isinstance(result, np.ndarray):
        return result.astype(bool)
    return np.asarray(result.to_numpy(bool, na_value=how is operator.ne))


def _count_from(numbers: npt.NDArray[Any], low: float) -> Codes | None:
    """Give whole values numbers from ``low`` up, beginning with 1; 0 where missing.

    Years, cohorts and indicators need no hash for each of millions of rows, and blocks no
    second copy of the column.
    """
    codes = np.zeros(len(numbers), np.int16)
    for start in range(0, len(numbers), _BLOCK):
        block = slice(start, start + _BLOCK)
        shifted = numbers[block] - (low - 1)
        known = shifted == shifted
        np.copyto(codes[block], shifted, where=known, casting="unsafe")
        if (codes[block][known] != shifted[known]).any():
            return None
    return codes


def as_integer(text: str) -> str:
    """Write a whole number without its ".0"."""
    return text[:-2] if text.endswith(".0") and re.fullmatch(r"-?\d+\.0", text) else text


def _as_text(values: pd.Series[Any] | pd.Index[Any]) -> pd.Series[str]:
    series = pd.Series(values)
    if pd.api.types.is_float_dtype(series) and (series.dropna() % 1 == 0).all():
        series = series.astype("Int64")
    return series.astype("str").where(series.notna(), "").astype("str")


def _clean_words(codes: Codes, words: pd.Series[str]) -> Words:
    odd = ~np.asarray(pc.ascii_is_alnum(pa.array(words, pa.large_string())))
    odd[odd] = words[odd].str.contains(r"[^\x21-\x7e]", regex=True)
    if odd.any():
        cleaned = words.to_numpy(object, copy=True)
        cleaned[odd] = [half_width(word) for word in cleaned[odd]]
        again, distinct = pd.factorize(cleaned)
        codes, words = again[codes], pd.Series(distinct, dtype="str")
    return Words(codes, words)
