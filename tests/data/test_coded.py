"""Columns by their distinct values: any shortcut gives what going row by row gives."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.coded import Coded, Words, distinct_cells, factorize, read_words
from evaluation.data.tables import Table


def type_column(cells, *, name="x", labels=None):
    """Give a table of one column."""
    index = pd.RangeIndex(2, len(cells) + 2)
    text = all(isinstance(cell, str) for cell in cells)
    frame = pd.DataFrame({name: pd.Series(cells, index=index, dtype="str" if text else None)})
    return Table(
        name="t.csv",
        frame=frame,
        every_row=frame,
        row_word="line",
        value_labels={name: labels} if labels else {},
    )


def test_coded_gives_every_row_its_value():
    coded = Coded(np.array([1, 0, 1]), np.array([2015.0, 2016.0]))
    assert coded.to_array().tolist() == [2016, 2015, 2016]


@given(st.lists(st.sampled_from(["a", "b", "", "c"]), max_size=30))
def test_words_are_numbered_in_the_order_of_their_first_rows(cells):
    codes, values = factorize(pd.Series(cells, dtype="str"))
    assert [values[code] for code in codes] == cells
    assert list(values) == list(dict.fromkeys(cells))


@given(st.lists(st.sampled_from([1.0, 2.0, 2.5, np.nan, -3.0]), min_size=1, max_size=30))
def test_numbers_with_gaps_are_told_apart(cells):
    codes, values = factorize(pd.Series(cells))
    np.testing.assert_array_equal(values.to_numpy()[codes], cells)
    assert len(values) == len({"nan" if cell != cell else cell for cell in cells})


@given(
    st.lists(
        st.one_of(st.none(), st.integers(1990, 2030), st.sampled_from([0.5, 2015.5, 1e9])),
        min_size=1,
        max_size=30,
    )
)
def test_cells_of_numbers_as_text(cells):
    series = pd.Series([np.nan if cell is None else float(cell) for cell in cells])
    texts, codes = distinct_cells(series)

    def as_text(cell):
        if cell is None:
            return ""
        return str(int(cell)) if cell == int(cell) else str(float(cell))

    assert [texts[code].removesuffix(".0") for code in codes] == [as_text(c) for c in cells]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int64", "float32", "float64"])
def test_cells_of_any_kind_of_number(dtype):
    texts, codes = distinct_cells(pd.Series([3, 1, 3, 100], dtype=dtype))
    assert [texts[code] for code in codes] == ["3", "1", "3", "100"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["Ａ１", " b ", "　东村　"], ["A1", "b", "东村"]),  # full width, blanks of both kinds
        ([1.0, 2.0, np.nan], ["1", "2", ""]),
        ([370830100201.0], ["370830100201"]),  # a code that a typed file keeps as a number
        ([1.5, 2.0], ["1.5", "2.0"]),
        (["a", "", "a"], ["a", "", "a"]),
    ],
)
def test_words(cells, words):
    assert read_words(type_column(cells), "x").to_array().tolist() == words


def test_labelled_codes_are_read_by_their_labels():
    table = type_column([1.0, 2.0, 1.0, 9.0], labels={1.0: "汶上县", 2.0: "泗水县"})
    assert read_words(table, "x").to_array().tolist() == ["汶上县", "泗水县", "汶上县", "9"]


def test_words_that_become_equal_are_one():
    words = read_words(type_column(["东村", "东村委会", "西村"]), "x")
    mapped = words.map(lambda word: word.replace("委会", ""))
    assert isinstance(mapped, Words)
    assert list(mapped.distinct) == ["东村", "西村"]
    assert mapped.to_array().tolist() == ["东村", "东村", "西村"]
