"""The row groups of a panel's file: which villages and years are in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evaluation.cluster.panel_files import PanelFile
from evaluation.data.cells import FIRST_YEAR, LAST_YEAR
from evaluation.errors import DataError

_BATCH = 65_536  # rows looked at together where a file has no statistics
_LONGEST_EXACT = 32  # bytes; some writers cut longer statistics without a mark


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """A row group of a file: how many rows, how many before it, first and last village."""

    file: int
    number: int
    rows: int
    offset: int
    first: str | int
    last: str | int


def look_at_groups(
    file: PanelFile,
    number: int,
    parquet: pq.ParquetFile,
    *,
    village: str,
    year: str,
    years: list[int],
) -> Iterator[RowGroup]:
    """Give a file's row groups that hold rows; ``years`` takes the first and last year."""
    at = {parquet.schema.column(i).path: i for i in range(len(parquet.schema))}
    offset = 0
    for i in range(parquet.metadata.num_row_groups):
        told = parquet.metadata.row_group(i)
        if not told.num_rows:
            continue
        where = f"{file.name}, rows {offset + 1:,} to {offset + told.num_rows:,}"
        ends = {}
        for column in (village, year):
            known = _ends_told(told.column(at[column]).statistics)
            ends[column] = known or _ends_read(parquet, i, column)
            if ends[column][0] is None:
                raise DataError(f"{where}: column {column!r} is empty.")
        early, late = ends[year]
        if not FIRST_YEAR <= early <= late <= LAST_YEAR:
            raise DataError(
                f"{where}: column {year!r} goes from {early} to {late}, which are no "
                "years. Write years as 2015, or name another column."
            )
        years += [int(np.floor(early)), int(np.ceil(late))]
        first, last = ends[village]
        yield RowGroup(
            file=number, number=i, rows=told.num_rows, offset=offset, first=first, last=last
        )
        offset += told.num_rows


def _ends_told(statistics: Any) -> tuple[Any, Any] | None:
    """Give the least and greatest value that a footer tells; None where it may be rounded."""
    if statistics is None or not statistics.has_min_max:
        return None
    for end in (statistics.min, statistics.max):
        cut = isinstance(end, str) and len(end.encode()) >= _LONGEST_EXACT
        if cut or isinstance(end, bytes):
            return None
    return statistics.min, statistics.max


def _ends_read(parquet: pq.ParquetFile, group: int, column: str) -> tuple[Any, Any]:
    ends = []
    for batch in parquet.iter_batches(_BATCH, row_groups=[group], columns=[column]):
        values = batch.column(column)
        if hasattr(values, "dictionary"):
            values = values.dictionary_decode()
        both = pc.min_max(values).as_py()
        ends += [end for end in both.values() if end is not None and end == end]
    return (min(ends), max(ends)) if ends else (None, None)
