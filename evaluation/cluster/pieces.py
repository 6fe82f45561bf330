"""A Parquet panel larger than memory, planned as pieces that fit: whole villages, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from evaluation.cluster.panel_files import (
    Kind,
    PanelFile,
    check_column,
    find_kinds,
    list_files,
    open_parquet,
    open_system,
)
from evaluation.cluster.row_groups import RowGroup, look_at_groups
from evaluation.display import ShowsSummary
from evaluation.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelColumns:
    """Which columns of the files hold what; "" where there is none.

    Raises
    ------
    DataError
        If a column is named for two things; covariates and weights may share one.
    """

    village: str
    year: str
    outcome: str
    cohort: str
    county: str = ""
    town: str = ""
    covariates: tuple[str, ...] = ()
    weights: str = ""

    def __post_init__(self) -> None:
        """Refuse a column that is named for two things."""
        keys = (self.village, self.year, self.cohort, self.county, self.town)
        named = [name for name in (*keys, *self.values) if name]
        for name in named:
            if named.count(name) > 1:
                raise DataError(f"column {name!r} is named for two things: name it once.")

    @property
    def values(self) -> tuple[str, ...]:
        """The columns that become matrices, each once."""
        names = (self.outcome, *self.covariates, self.weights)
        return tuple(dict.fromkeys(name for name in names if name))

    @property
    def texts(self) -> tuple[str, ...]:
        """The columns of a village's places, where named."""
        return tuple(dict.fromkeys(name for name in (self.county, self.town) if name))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The row groups from ``start`` up to ``stop`` of a plan, and the villages they begin."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PanelPlan(ShowsSummary):
    """A data set cut into pieces.

    Attributes
    ----------
    path
        The file or folder.
    columns
        Which columns hold what.
    files, groups, pieces
        In the order of villages. A village belongs to the piece in which its rows begin.
    years
        Every year from the first to the last one that a row is of.
    n_rows
        How many rows there are.
    """

    path: str
    columns: PanelColumns
    files: tuple[PanelFile, ...]
    groups: tuple[RowGroup, ...]
    pieces: tuple[Piece, ...]
    years: npt.NDArray[np.int64]
    n_rows: int

    def rows_of(self, piece: Piece) -> int:
        """Count the rows of a piece's row groups."""
        return sum(group.rows for group in self.groups[piece.start : piece.stop])

    def summary(self) -> str:
        """Say how much there is, and in how many pieces."""
        largest = max(self.rows_of(piece) for piece in self.pieces)
        return (
            f"{self.n_rows:,} rows, {self.years[0]}-{self.years[-1]}, in {len(self.files):,} "
            f"files\n{len(self.pieces):,} pieces of at most {largest:,} rows"
        )


def plan_pieces(
    path: str | Path, columns: PanelColumns, *, rows_a_piece: int = 1_000_000
) -> PanelPlan:
    """Cut a data set into pieces, from what its files say of themselves.

    Parameters
    ----------
    path
        A Parquet file, or a folder of them, nested or not; the key of a folder such as
        county=泗水县/ is a column of its files. Rows are sorted by village within a file, and
        no village is in two files.
    columns
        Which columns hold what.
    rows_a_piece
        How many rows a piece has at most, about: a piece is at least one row group.

    Raises
    ------
    DataError
        If a column is not there or of a wrong type, a year is none, or the rows are not in
        the order of villages.

    Notes
    -----
    Only footers are read, and the columns of villages and years of a row group that has no
    statistics. That rows are sorted within a row group is checked when a piece is read: both
    together are an exact check.
    """
    if rows_a_piece < 1:
        raise DataError(f"rows_a_piece is {rows_a_piece}: give 1 or more.")
    told = str(path)
    system, _ = open_system(told)
    files: list[PanelFile] = []
    found: list[list[RowGroup]] = []
    years: list[int] = []
    kind_of_all: Kind | None = None
    for file in list_files(path):
        number = len(files)
        with open_parquet(system, file) as parquet:
            if not parquet.metadata.num_rows:
                continue  # whatever the types of its columns
            kind = _check_schema(told, file, parquet, columns)
            if kind_of_all not in (None, kind):
                raise DataError(
                    f"{file.name}: column {columns.village!r} holds "
                    f"{'text' if kind == 'text' else 'numbers'}, in other files it does not. "
                    f"Write it alike in all."
                )
            kind_of_all = kind
            groups = list(
                look_at_groups(
                    file, number, parquet,
                    village=columns.village, year=columns.year, years=years,
                )
            )  # fmt: skip
        files.append(file)
        _check_order_in_file(told, file, groups, columns)
        found.append(groups)
    ordered = sorted((groups for groups in found if groups), key=lambda groups: groups[0].first)
    if not ordered:
        raise DataError(f"{told}: there is no row.")
    _check_order_of_files(told, files, ordered, columns)
    flat = [group for groups in ordered for group in groups]
    return PanelPlan(
        path=told if "://" in told else str(Path(told).absolute()),
        columns=columns,
        files=tuple(files),
        groups=tuple(flat),
        pieces=tuple(_cut(flat, rows_a_piece)),
        years=np.arange(min(years), max(years) + 1, dtype=np.int64),
        n_rows=sum(group.rows for group in flat),
    )


def remedy_of_order(path: str, columns: PanelColumns) -> str:
    """Say how to sort a data set."""
    return (
        f"Sort it first: evaluation.cluster.sort_panel({path!r}, TO, "
        f"village={columns.village!r}, year={columns.year!r})."
    )


def _check_schema(
    path: str, file: PanelFile, parquet: pq.ParquetFile, columns: PanelColumns
) -> Kind:
    kinds = find_kinds(file, parquet.schema_arrow)
    for column, role in ((columns.village, "village"), (columns.year, "year")):
        if column in dict(file.keys):
            raise DataError(
                f"{file.name}: the {role} is in the name of a folder; it is to be a column of "
                f"the file. {remedy_of_order(path, columns)}"
            )
    check_column(file, kinds, columns.year, "year", {"whole", "number"})
    numbers: set[Kind] = {"whole", "number", "nothing"}
    for column, role in (
        (columns.cohort, "cohort"), (columns.outcome, "outcome"), (columns.weights, "weights"),
        *((name, "covariate") for name in columns.covariates),
    ):  # fmt: skip
        if column:
            in_path = column in dict(file.keys)
            check_column(file, kinds, column, role, {*numbers, "text"} if in_path else numbers)
    for column, role in ((columns.county, "county"), (columns.town, "town")):
        if column:
            check_column(file, kinds, column, role, {"text", "whole", "nothing"})
    return check_column(file, kinds, columns.village, "village", {"text", "whole"})


def _check_order_in_file(
    path: str, file: PanelFile, groups: Sequence[RowGroup], columns: PanelColumns
) -> None:
    for before, group in pairwise(groups):
        if before.last > group.first:  # type: ignore[operator]  # one kind in all files
            raise DataError(
                f"{file.name}, row group {group.number + 1} (from row {group.offset + 1:,}): "
                f"village {group.first} comes after {before.last}, so the rows are not in the "
                f"order of villages. {remedy_of_order(path, columns)}"
            )


def _check_order_of_files(
    path: str,
    files: Sequence[PanelFile],
    ordered: Sequence[Sequence[RowGroup]],
    columns: PanelColumns,
) -> None:
    for before, groups in pairwise(ordered):
        last, first = before[-1].last, groups[0].first
        if last >= first:  # type: ignore[operator]
            raise DataError(
                f"{files[before[-1].file].name} ends with village {last}, and "
                f"{files[groups[0].file].name} begins with {first}: no village may be in two "
                f"files, nor between the villages of another. {remedy_of_order(path, columns)}"
            )


def _cut(groups: Sequence[RowGroup], rows_a_piece: int) -> Iterator[Piece]:
    start = number = rows = 0
    for i, group in enumerate(groups):
        before = groups[i - 1] if i else None
        # Rows of a village that began before belong to its piece, however many they are.
        begins_none = (
            before is not None and before.file == group.file and before.last == group.last
        )
        if before and not begins_none and rows + group.rows > rows_a_piece:
            yield Piece(number=number, start=start, stop=i)
            start, number, rows = i, number + 1, 0
        rows += group.rows
    yield Piece(number=number, start=start, stop=len(groups))
