"""Columns by their distinct values: what is done to a value is done once, not in every row.

A panel of millions of rows has a dozen years and one code a village.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.hedges import HALF_WIDTH
from evaluation.data.tables import Table

Floats = npt.NDArray[np.float64]
_FEW = 1_000


@dataclass(frozen=True, slots=True)
class Coded:
    """A column of years or truths: the distinct values, and which one every row has."""

    codes: npt.NDArray[np.integer[Any]]
    values: Floats

    def to_array(self) -> Floats:
        """Give every row's value."""
        return np.asarray(self.values[self.codes])


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words: the distinct ones, and which of them every row has."""

    codes: npt.NDArray[np.intp]
    distinct: pd.Series[str]

    def to_array(self) -> npt.NDArray[np.object_]:
        """Give every row's word."""
        return self.distinct.to_numpy(object)[self.codes]

    def take(self, rows: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.object_]:
        """Give the words of some rows."""
        return np.asarray(self.distinct.to_numpy(object)[self.codes[rows]])

    def is_in(self, hits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Say of every row whether its word is one of those marked."""
        return hits[self.codes]

    def map(self, change: Callable[[str], str]) -> Words:
        """Change every distinct word; words that become equal are one."""
        again, distinct = pd.factorize(self.distinct.map(change).astype("str"))
        return Words(again[self.codes], pd.Series(distinct, dtype="str"))


def half_width(text: str) -> str:
    """Write full-width letters, digits and signs as half-width ones, without outer blanks."""
    return text.translate(HALF_WIDTH).strip()


def read_words(table: Table, column: str) -> Words:
    """Read a column as words: labelled codes by their labels, whole numbers without '.0'."""
    codes, values = pd.factorize(table.frame[column], use_na_sentinel=False)
    labels = table.value_labels.get(column, {})
    words = pd.Series(values).map(lambda code: labels.get(code, code)) if labels else values
    return _clean_words(codes, _as_text(words))


def distinct_cells(series: pd.Series[Any]) -> tuple[list[str], npt.NDArray[np.integer[Any]]]:
    """Give a column's distinct cells as text, '' where missing, and which one each row has."""
    if pd.api.types.is_numeric_dtype(series) and len(series):
        numbers = series.to_numpy(np.float64, na_value=np.nan)
        low, high = np.nanmin(numbers, initial=np.inf), np.nanmax(numbers, initial=-np.inf)
        if 0 <= high - low < _FEW:
            # Years, cohorts, 0 and 1: a table instead of a hash for each of millions of rows.
            gone = np.isnan(numbers)
            codes = np.where(gone, high - low + 1, numbers - low).astype(np.int32)
            if (gone | (codes + low == numbers)).all():
                span = np.arange(low, high + 1)
                return [*(f"{value:.0f}" for value in span), ""], codes
    found, values = pd.factorize(series, use_na_sentinel=False)
    texts = ["" if pd.isna(value) else as_integer(str(value)) for value in values]
    return texts, found


def as_integer(text: str) -> str:
    """Write a whole number without its ".0"."""
    return text[:-2] if re.fullmatch(r"-?\d+\.0", text) else text


def _as_text(values: pd.Series[Any] | pd.Index[Any]) -> pd.Series[str]:
    series = pd.Series(values)
    if pd.api.types.is_float_dtype(series) and (series.dropna() % 1 == 0).all():
        series = series.astype("Int64")
    return series.astype("str").where(series.notna(), "").astype("str")


def _clean_words(codes: npt.NDArray[np.intp], words: pd.Series[str]) -> Words:
    odd = words.str.contains(r"[^\x21-\x7e]", regex=True).to_numpy(bool)
    if odd.any():
        cleaned = words.to_numpy(object, copy=True)
        cleaned[odd] = [half_width(word) for word in cleaned[odd]]
        again, distinct = pd.factorize(cleaned)
        codes, words = again[codes], pd.Series(distinct, dtype="str")
    return Words(codes, words)
