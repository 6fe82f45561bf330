"""Some villages' rows of households or persons, sorted: checked, and summed by year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evaluation.cluster.piece_columns import find_runs, join_numbers
from evaluation.data.cells import FIRST_YEAR, LAST_YEAR
from evaluation.data.microdata import take_statistic
from evaluation.data.study_panel import Statistic
from evaluation.errors import DataError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]

_SHOWN = 10


@dataclass(slots=True, kw_only=True)
class Counts:
    """What was read, and what was left out of it."""

    minimum: int
    rows: int = 0
    cells: int = 0
    few: int = 0
    few_named: list[str] = field(default_factory=list)
    lacking: dict[str, int] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Say it, a line each."""
        lines = [f"{self.rows:,} rows became {self.cells:,} village-years"]
        lines += [
            f"{name}: {count:,} rows without a value or a weight were left out"
            for name, count in self.lacking.items()
            if count
        ]
        if self.few:
            rest = self.few - len(self.few_named)
            more = f" and {rest:,} more" if rest else ""
            lines.append(
                f"{self.few:,} village-years with fewer than {self.minimum} rows, their "
                f"outcomes are missing: {', '.join(self.few_named)}{more}. Lower minimum to "
                "keep them."
            )
        return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which columns are read, and what is taken of them; as aggregate_households has them."""

    village: str
    year: str
    weights: str
    statistics: Mapping[str, Statistic]
    keep: tuple[str, ...]
    missing: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cells:
    """The village-years that rows are of: which each is of, and their keys and years."""

    group: Positions
    keys: pa.Array
    years: npt.NDArray[np.int64]

    def refuse(self, wrong: Bools, what: str, remedy: str) -> None:
        """Raise the error of the first row that is wrong, if there is one."""
        if wrong.any():
            cell = int(self.group[wrong.argmax()])
            where = f"village {self.keys[cell]}, {self.years[cell]}"
            raise DataError(f"{where}: a row {what}. {remedy}")


def aggregate_block(table: pa.Table, wanted: Wanted, counts: Counts) -> pa.Table:
    """Sum the rows of some villages up.

    Parameters
    ----------
    table
        All rows of each of its villages, in the order of villages and years.
    wanted
        What is taken.
    counts
        Takes what was left out.

    Returns
    -------
    One row a village and year: its key and year, the columns kept, and the statistics.

    Raises
    ------
    DataError
        If a row has a fault, or a village two values of a column kept.
    """
    villages, words = find_runs(table.column(wanted.village).chunks)
    cells, of_village = _find_cells(table, wanted, villages, words)
    n = len(cells.years)
    made = {wanted.village: cells.keys, wanted.year: pa.array(cells.years)}
    for name in wanted.keep:
        made[name] = _keep(table, name, villages, words).take(pa.array(of_village))
    weights = np.ones(len(table))
    if wanted.weights:
        weights = _numbers(table, wanted.weights, wanted.missing, cells)
        remedy = "Leave the weight empty where a row does not count."
        cells.refuse(weights <= 0, "has a weight that is not positive", remedy)
    few = np.zeros(n, bool)
    for name, statistic in wanted.statistics.items():
        values = _numbers(table, statistic.column, wanted.missing, cells)
        used = ~np.isnan(values) & ~np.isnan(weights)
        if statistic.statistic == "gini":
            told = f"is negative in column {statistic.column!r}, which has no Gini then"
            cells.refuse(used & (values < 0), told, "Take another statistic.")
        taken = take_statistic(values[used], cells.group[used], n, statistic, weights[used])
        small = np.bincount(cells.group[used], minlength=n) < counts.minimum
        made[name] = pa.array(np.where(small, np.nan, taken), from_pandas=True)
        few |= small
        counts.lacking[name] = counts.lacking.get(name, 0) + int((~used).sum())
    counts.rows += len(table)
    counts.cells += n
    counts.few += int(few.sum())
    for cell in np.flatnonzero(few)[: _SHOWN - len(counts.few_named)]:
        counts.few_named.append(f"{cells.keys[int(cell)]} {cells.years[cell]}")
    return pa.table(made)


def _find_cells(
    table: pa.Table, wanted: Wanted, villages: Positions, words: pa.Array
) -> tuple[_Cells, Positions]:
    """Give the village-years, and which village each is of."""
    years = join_numbers(table.column(wanted.year).chunks)
    if (empty := np.array([word in ("", None) for word in words.to_pylist()])).any():
        count = np.diff(villages, append=len(years))[empty].sum()
        raise DataError(
            f"{count:,} rows have no village: fill column {wanted.village!r} in, or leave "
            "such rows out."
        )
    wrong = ~((years >= FIRST_YEAR) & (years <= LAST_YEAR) & (years % 1 == 0))
    if wrong.any():
        at = int(wrong.argmax())
        told = "no year" if np.isnan(years[at]) else f"the year {years[at]:g}"
        key = words[int(np.searchsorted(villages, at, side="right")) - 1]
        raise DataError(
            f"village {key}: a row has {told} in column {wanted.year!r}. Write years as 2015."
        )
    begins = np.concatenate([[True], years[1:] != years[:-1]])
    begins[villages] = True
    starts = np.flatnonzero(begins)
    of_village = np.searchsorted(villages, starts, side="right") - 1
    cells = _Cells(
        group=np.cumsum(begins) - 1,
        keys=words.take(pa.array(of_village)),
        years=years[starts].astype(np.int64),
    )
    return cells, of_village


def _numbers(table: pa.Table, column: str, missing: Sequence[float], cells: _Cells) -> Floats:
    """Give a column as numbers, NaN where missing."""
    values = join_numbers(table.column(column).chunks)
    if missing:
        values = np.where(np.isin(values, missing), np.nan, values)
    cells.refuse(
        np.isinf(values), f"is infinite in column {column!r}", "Mend it, or leave it empty."
    )
    return values


def _keep(table: pa.Table, column: str, villages: Positions, words: pa.Array) -> pa.Array:
    """Give each village's value of a column, once its rows are known to agree."""
    values = table.column(column).combine_chunks()
    if pa.types.is_floating(values.type):
        values = pa.array(values.to_numpy(zero_copy_only=False), from_pandas=True)
    is_text = pa.types.is_string(values.type)
    coded = (values.fill_null("") if is_text else values).dictionary_encode()
    codes = coded.indices.fill_null(-1).to_numpy()
    if is_text:  # an empty one says nothing
        codes = np.where(codes == coded.dictionary.index("").as_py(), -1, codes)
    high, low = np.maximum.reduceat(codes, villages), np.minimum.reduceat(codes, villages)
    if is_text:
        low = np.minimum.reduceat(np.where(codes < 0, len(codes), codes), villages)
    differ = (high >= 0) & (low != high)
    if differ.any():
        at = int(differ.argmax())
        one, other = (
            "none" if code < 0 else str(coded.dictionary[int(code)])
            for code in (low[at], high[at])
        )
        raise DataError(
            f"village {words[at]}: column {column!r} is {one} in one row and {other} in "
            "another. Write the same in all rows of a village, or do not keep the column."
        )
    return coded.dictionary.take(pa.array(high, mask=high < 0))
