"""Any Parquet or CSV data set, larger than memory, sorted as pieces are read of it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from evaluation.cluster.duck import making_folder, write_sorted


def sort_panel(
    source: str | Path,
    to: str | Path,
    *,
    village: str,
    year: str,
    texts: Collection[str] = (),
    rows_a_group: int = 1_000_000,
    memory: str = "",
    force: bool = False,
) -> Path:
    """Sort a panel by village and year.

    Parameters
    ----------
    source
        A Parquet or CSV file (UTF-8), or a folder of either; the keys of its folders
        (county=泗水县/) become columns, text but for the year.
    to
        The folder to write: part-00000.parquet, whole or not at all. What does not fit into
        memory goes beside it meanwhile.
    village, year
        The columns to sort by. Text goes by code point, numbers by number.
    texts
        Further columns of codes, such as those of county and town: in a CSV file these and
        the village's are text even if they look like numbers, so that 081 stays 081.
    rows_a_group
        How many rows a row group has, about; a piece of the panel is at least one.
    memory
        What may be held in memory, such as "4GB"; by default .6 of what is available.
    force
        Whether an earlier one in that place is replaced.

    Returns
    -------
    The folder.

    Raises
    ------
    DataError
        If the source cannot be read, has files of both kinds, or lacks a column.
    ReportError
        If the place is taken, cannot be written or is full, memory does not suffice or
        is no size, or duckdb is not installed.

    Notes
    -----
    Every row and column is kept as it is, and nothing is checked but that they can be read:
    two rows of one village and year, say, are found when a piece is read.
    """
    with making_folder(to, force=force) as beside:
        write_sorted(
            source,
            beside / "data" / "part-00000.parquet",
            spill=beside / "spill",
            order=[village, year],
            texts=[village, *texts],
            year=year,
            rows_a_group=rows_a_group,
            memory=memory,
        )
    return Path(to)
