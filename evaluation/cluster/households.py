"""Households or persons, larger than memory, as village-years of a panel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from evaluation.cluster.duck import making_folder, write_sorted
from evaluation.cluster.household_block import Counts, Wanted, aggregate_block
from evaluation.cluster.piece_columns import find_runs
from evaluation.data.study_panel import Statistic
from evaluation.errors import DataError

Taken = tuple[str, str] | tuple[str, str, float]

_GROUP = 1_000_000  # rows of the file made
_BATCH = 500_000  # rows looked at together, and those of a village that goes on


def aggregate_households(
    source: str | Path,
    to: str | Path,
    *,
    village: str,
    year: str,
    outcomes: Mapping[str, Taken],
    weights: str = "",
    minimum: int = 5,
    keep: Collection[str] = (),
    texts: Collection[str] = (),
    missing: Collection[float] = (),
    memory: str = "",
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Turn rows of households or persons into one row a village and year, sorted.

    Parameters
    ----------
    source
        A Parquet or CSV file (UTF-8), or a folder of either, in any order.
    to
        The folder to write: part-00000.parquet, whole or not at all. What does not fit into
        memory goes beside it meanwhile.
    village, year
        Whose and which year's a row is.
    outcomes
        What is taken, by name: ("mean", column), "median", "total" or "gini" likewise, or
        ("share_below", column, line).
    weights
        The column of weights, above zero; each row counts alike without one.
    minimum
        A village-year of which fewer rows have a value and a weight has no outcome.
    keep
        Columns that a village has one value of, such as cohort, county and town. In some rows
        a text may be empty; a number, such as the cohort, is there in all or in none.
    texts
        Columns of codes that are text in a CSV file even if they look like numbers; the
        village's always is.
    missing
        Numbers that stand for a missing value or weight, such as -8.
    memory
        What sorting may hold, such as "4GB"; by default .6 of what is available.
    force
        Whether an earlier one in that place is replaced.
    tell
        Takes what was left out, line by line.

    Returns
    -------
    The folder. Its file has the village, the year, the columns kept and the outcomes.

    Raises
    ------
    DataError
        If the source cannot be read, has CSV and Parquet files, or lacks a column; for a row
        without a village or year, an infinite value, a weight that is not positive, a negative
        value of which a Gini is asked for, and a village that has two values of a column kept.
    ReportError
        If the place is taken, cannot be written or is full, memory does not suffice, or
        duckdb is not installed.

    Notes
    -----
    DuckDB sorts the rows, on the disk where they do not fit; then each statistic is taken as
    a study's panel.aggregate takes it (evaluation.data.microdata.take_statistic). Equal rows,
    in whatever order, give equal bytes.
    """
    statistics = {name: _read_statistic(name, taken) for name, taken in outcomes.items()}
    if not statistics:
        raise DataError("name an outcome, such as outcomes={'income': ('mean', 'income')}.")
    for name in statistics:
        if name in (village, year, *keep):
            raise DataError(f"outcome {name!r}: a column kept has that name; take another.")
    numbers = [statistic.column for statistic in statistics.values()]
    numbers += [weights] if weights else []
    roles = {village: ("village", False), year: ("year", True)}
    roles |= {name: ("one to keep", False) for name in keep}
    roles |= {name: ("an outcome or weight", True) for name in numbers}
    counts = Counts(minimum=minimum)
    wanted = Wanted(
        village=village, year=year, weights=weights, statistics=statistics, keep=tuple(keep),
        missing=tuple(missing),
    )  # fmt: skip
    with making_folder(to, force=force) as beside:
        rows = beside / "rows.parquet"
        write_sorted(
            source, rows, spill=beside / "spill", order=list(roles), columns=roles,
            texts=[village, *texts], year=year, rows_a_group=_BATCH, memory=memory,
        )  # fmt: skip
        made = (
            aggregate_block(table, wanted, counts) for table in _whole_villages(rows, village)
        )
        groups = _join(made)
        first = next(groups, None)
        if first is None:
            raise DataError(f"{source}: there is no row.")
        part = beside / "data" / "part-00000.parquet"
        with pq.ParquetWriter(part, first.schema) as writer:
            for group in chain([first], groups):
                writer.write_table(group, row_group_size=len(group))
    for line in counts.lines():
        tell(line)
    return Path(to)


def _read_statistic(name: str, taken: Taken) -> Statistic:
    try:
        statistic, column, *line = taken
        given = {"column": column, "statistic": statistic, "line": line[0] if line else None}
        return Statistic.model_validate(given)
    except ValueError as error:
        raise DataError(
            f"outcome {name!r}: {taken!r} is to be (statistic, column), the statistic mean, "
            "median, total or gini, or ('share_below', column, line)."
        ) from error


def _join(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Join tables, one after the other, to row groups of about a million rows."""
    held: list[pa.Table] = []
    for table in tables:
        held.append(table)
        if sum(map(len, held)) >= _GROUP:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _whole_villages(path: Path, village: str) -> Iterator[pa.Table]:
    """Read sorted rows in blocks that end where a village ends."""
    held: list[pa.Table] = []
    with pq.ParquetFile(path, pre_buffer=False) as parquet:
        for batch in parquet.iter_batches(_BATCH):
            table = pa.Table.from_batches([batch])
            starts, _ = find_runs(table.column(village).chunks)
            before, last = table.slice(0, starts[-1]), table.slice(starts[-1])
            if held and _first(held[0], village) != _first(table, village):
                yield pa.concat_tables(held)
                held = []
            if len(before):
                yield pa.concat_tables([*held, before])
                held = []
            held.append(last)
    if held:
        yield pa.concat_tables(held)


def _first(table: pa.Table, column: str) -> object:
    return table.column(column)[0].as_py()
