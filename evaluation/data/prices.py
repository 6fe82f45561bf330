"""Prices: an index, real money, and whether a column's unit drifts."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.shipped import shipped_index
from evaluation.data.study import Study
from evaluation.data.tables import Table, read_table
from evaluation.errors import DataError
from evaluation.language import commas, mark, say

# A group drifts where its mean (of logs) is this many times the others': 元 among 千元 is
# 1,000, 元 among 万元 10,000; a county may well be ten times another.
_DRIFT = 300.0
_MANY = 60
_FEW = 5
_BLOCK = 1 << 14  # rows
_STEPS = {
    1_000: mark("元 beside 千元"),
    10_000: mark("元 beside 万元"),
    100_000_000: mark("元 beside 亿元"),
}

Floats = npt.NDArray[np.float64]


def read_price_index(index: str | Path) -> dict[int, float]:
    """Read a price index as levels by year.

    Parameters
    ----------
    index
        "china", for the national consumer prices that ship with the package, or a file with
        columns year and either index (levels) or inflation_percent (change on the year
        before; the first level is then of the year before the first row).

    Raises
    ------
    DataError
        If the file does not read, a year is missing or doubled, or a level is not positive.

    Notes
    -----
    The shipped index is the World Bank's FP.CPI.TOTL.ZG for China, 1987 to 2024. It is
    national, urban and rural together.
    """
    path = shipped_index() if index == "china" else Path(index)
    table = read_table(path)
    frame = table.frame
    kind = next((name for name in ("index", "inflation_percent") if name in frame), "")
    if "year" not in frame or not kind:
        raise DataError(
            f"{table.name}: a price index has the columns year and index, or year and "
            f"inflation_percent; it has {', '.join(frame.columns)}."
        )
    years = [int(number) for number in _plain_numbers(table, "year")]
    values = _plain_numbers(table, kind)
    if odd := [year for year in years if not 1800 <= year <= 2200]:
        raise DataError(f"{table.name}: {odd[0]} is no year; write years as 2015.")
    order = np.argsort(years)
    first, last = years[order[0]], years[order[-1]]
    if sorted(years) != list(range(first, last + 1)):
        raise DataError(
            f"{table.name}: its years are not {first} to {last}, each once; give every year."
        )
    series = np.array(values)[order]
    if kind == "inflation_percent":
        with np.errstate(over="ignore", invalid="ignore"):
            levels = np.cumprod([1.0, *(1 + series / 100)])
        first -= 1
    else:
        levels = series
    if not (np.isfinite(levels).all() and (levels > 0).all()):
        raise DataError(f"{table.name}: prices must be positive numbers; look at {kind}.")
    return {first + i: float(level) for i, level in enumerate(levels)}


def _plain_numbers(table: Table, column: str) -> list[float]:
    numbers = []
    for row, cell in table.frame[column].items():
        try:
            numbers.append(float(cell))
        except ValueError:
            numbers.append(np.nan)
        if not np.isfinite(numbers[-1]) or (column == "year" and numbers[-1] % 1):
            raise DataError(
                f"{table.name}: column {column}: {table.row_word} {row} {cell!r} is no "
                f"{'year' if column == 'year' else 'number'}; give plain numbers."
            )
    return numbers


def deflators(levels: Mapping[int, float], years: Iterable[int], *, base_year: int) -> Floats:
    """Give the factors that turn each year's money into the base year's.

    real = nominal * level(base year) / level(year).

    Raises
    ------
    DataError
        If the index lacks a year.

    Examples
    --------
    >>> deflators({2020: 100.0, 2021: 110.0}, [2020, 2021], base_year=2021)
    array([1.1, 1. ])
    """
    wanted = list(years)
    if missing := sorted({*wanted, base_year} - set(levels)):
        raise DataError(
            say(
                "the price index has {first} to {last}, not {missing}; bring an index that has "
                "(prices.index), or choose another base_year.",
                first=min(levels),
                last=max(levels),
                missing=commas(map(str, missing[:10])),
            )
        )
    return np.array([levels[base_year] / levels[year] for year in wanted])


def study_deflators(study: Study, years: npt.ArrayLike) -> Floats:
    """Give the factors that turn each year's money into the prices that a study gives it in.

    Ones where its money is real already, or nominal and stays so.
    """
    wanted = np.asarray(years).astype(int)
    prices, index = study.prices, study.price_index()
    if prices is None or prices.basis == "real" or index is None:
        return np.ones(len(wanted))
    distinct, codes = np.unique(wanted, return_inverse=True)
    levels = read_price_index(index)
    return deflators(levels, distinct.tolist(), base_year=prices.base_year)[codes]


def find_unit_drift(
    amounts: Floats, years: npt.NDArray[np.int64], county: pd.Series[str]
) -> list[str]:
    """Look for counties and years whose money is in another unit than the others'.

    Parameters
    ----------
    amounts
        Village x year; zeros and missing values are passed over.
    years, county
        Of the columns and of the rows.

    Returns
    -------
    One line for each year, county, or year of a county whose geometric mean is 300 times
    that of the others, or a 300th.
    """
    # A drift is one of many villages: a hundred thousand of them show it.
    step = max(1, len(county) // 100_000)
    amounts, county = np.ascontiguousarray(amounts[::step].T), county.iloc[::step]
    code, names = pd.factorize(county)
    sums, counts = np.zeros((2, len(names), len(years)))
    for t in range(len(years)):
        column = np.abs(amounts[t])
        some = np.isfinite(column) & (column > 0)
        sums[:, t] = np.bincount(code[some], np.log10(column[some]), len(names))
        counts[:, t] = np.bincount(code[some], minlength=len(names))
    with np.errstate(invalid="ignore"):
        by_year = _distance(sums.sum(axis=0) / counts.sum(axis=0))
        by_county = _distance(sums.sum(axis=1) / counts.sum(axis=1))
        by_cell = _distance(sums / counts)
    found = [(say("year {year}", year=years[t]), by_year[t]) for t in _far(by_year)]
    found += [(say("county {county}", county=names[c]), by_county[c]) for c in _far(by_county)]
    if not found:
        cells = np.argwhere(np.abs(by_cell) >= np.log10(_DRIFT))
        found = [
            (say("county {county}, {year}", county=names[c], year=years[t]), by_cell[c, t])
            for c, t in cells
        ]
    return [_drift(where, distance) for where, distance in found]


def find_far_cells(amounts: Floats, *, times: float = _DRIFT) -> npt.NDArray[np.intp]:
    """Look for single amounts of another order than the others of their column.

    Parameters
    ----------
    amounts
        Village x year; zeros, negative and missing values are passed over.
    times
        How many times the column's median, or what part of it, is another order.

    Returns
    -------
    Rows and columns of such amounts, one pair a row.
    """
    sample = amounts[:: max(1, len(amounts) // 100_000)]
    low, high = np.zeros(amounts.shape[1]), np.full(amounts.shape[1], np.inf)
    for t, column in enumerate(sample.T):
        some = column[column > 0]
        if len(some) >= _FEW:
            median = np.median(some)
            low[t], high[t] = median / times, median * times
    found = [np.empty((0, 2), np.intp)]
    for start in range(0, len(amounts), _BLOCK):
        block = amounts[start : start + _BLOCK]
        far = (block > high) | ((block < low) & (block > 0))
        if far.any():
            found.append(np.argwhere(far) + np.array([start, 0]))
    return np.concatenate(found)


def _distance(logs: Floats) -> Floats:
    """Give each one's distance from the median of the others in its row; 0 if unknown."""
    n = logs.shape[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a row with nothing known
        if n > _MANY:  # where one more or less is no matter
            others = np.nanmedian(logs, axis=-1, keepdims=True)
        else:
            left_out = [np.nanmedian(np.delete(logs, i, axis=-1), axis=-1) for i in range(n)]
            others = np.stack(left_out, axis=-1) if n > 1 else np.full_like(logs, np.nan)
    return np.nan_to_num(logs - others)


def _far(distances: Floats) -> npt.NDArray[np.intp]:
    return np.flatnonzero(np.abs(distances) >= np.log10(_DRIFT))


def _drift(where: str, distance: float) -> str:
    step = min(_STEPS, key=lambda s: abs(np.log10(s) - abs(distance)))
    times = mark("{where}: {ratio:,.0f} times the others ({step}?)")
    part = mark("{where}: 1/{ratio:,.0f} of the others ({step}?)")
    return say(
        times if distance > 0 else part,
        where=where,
        ratio=10 ** abs(distance),
        step=say(_STEPS[step]),
    )
