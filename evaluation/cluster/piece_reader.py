"""A piece of a panel as matrices: every row checked, nothing dropped or filled in."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from evaluation.cluster.panel_files import PanelFile, open_parquet, open_system, reading
from evaluation.cluster.piece_checks import Rows, check_years, place_rows
from evaluation.cluster.piece_columns import (
    as_plain,
    compare_neighbours,
    find_runs,
    join_numbers,
)
from evaluation.cluster.pieces import PanelPlan, Piece, remedy_of_order
from evaluation.cluster.row_groups import RowGroup
from evaluation.errors import DataError, suggest

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_END = 1_024  # rows read together to find where a village ends


@dataclass(frozen=True, slots=True, kw_only=True)
class PieceOfPanel:
    """Some villages of a panel, N of them, over T years.

    Attributes
    ----------
    number
        The piece's.
    years
        The years of the whole plan.
    village
        Keys as text, ascending: by number where they are numbers, else by code point.
    cohort
        First treated year by village, NaN for never treated.
    county, town
        Text by village, "" where it is not known.
    matrices
        N x T by column, NaN where missing.
    rows
        N x T: whether there is a row for that village and year.

    What was not asked for has length 0, or is not among the matrices.
    """

    number: int
    years: npt.NDArray[np.int64]
    village: pa.Array
    cohort: Floats
    county: pa.Array
    town: pa.Array
    matrices: Mapping[str, Floats]
    rows: Bools

    @property
    def n_villages(self) -> int:
        """How many villages there are."""
        return len(self.village)


def read_piece(
    plan: PanelPlan,
    piece: Piece,
    *,
    only: Collection[str] | None = None,
    use_threads: bool = True,
) -> PieceOfPanel:
    """Read a piece: the villages whose rows begin in it, each with all of its rows.

    Parameters
    ----------
    plan, piece
        A plan and one of its pieces.
    only
        The columns to read beside those of village and year; all of the plan's by default.
    use_threads
        Whether columns are decoded side by side.

    Raises
    ------
    DataError
        For the first row that is out of order, has no village or year, is a second one of its
        village and year, has a year or cohort that is none, a cohort, county or town that
        other rows of its village have not, or an infinite value.
    """
    columns = plan.columns
    known = {*columns.values, *columns.texts, columns.cohort}
    for name in only or ():
        if name not in known:
            raise DataError(f"the plan has no column {name!r}; {suggest(name, known)}")
    wanted = known if only is None else set(only)
    names = [columns.village, columns.year, *sorted(wanted - {columns.village, columns.year})]
    rows, parts = _read_rows(plan, piece, names, use_threads)
    chunks = {name: [part.pop(name) for part in parts] for name in names}
    starts, keys = find_runs(chunks.pop(columns.village))
    rows = rows.of_villages(starts, keys)
    _check_villages(plan, piece, rows)
    years = check_years(rows, chunks.pop(columns.year), columns.year, plan.years)
    at, present = place_rows(rows, years, plan.years)
    del years
    cohort = np.empty(0)
    if columns.cohort in wanted:
        cohort = rows.take_cohorts(join_numbers(chunks.pop(columns.cohort)), columns.cohort)
    places = {}
    for name in columns.texts:
        if name in wanted:
            places[name] = rows.take_words(*find_runs(chunks.pop(name)), name)
    matrices = {}
    for name in columns.values:
        if name in wanted:
            values = join_numbers(chunks.pop(name))
            rows.check_finite(values, name)
            matrix = np.full(present.size, np.nan)
            matrix[at] = values
            matrices[name] = matrix.reshape(present.shape)
    none = pa.array([], pa.string())
    return PieceOfPanel(
        number=piece.number,
        years=plan.years,
        village=keys.cast(pa.string()),
        cohort=cohort,
        county=places.get(columns.county, none),
        town=places.get(columns.town, none),
        matrices=matrices,
        rows=present,
    )


def _read_rows(
    plan: PanelPlan, piece: Piece, names: Sequence[str], use_threads: bool
) -> tuple[Rows, list[dict[str, pa.Array]]]:
    """Read the rows of a piece's villages, in parts of one type each."""
    system, _ = open_system(plan.path)
    parts: list[dict[str, pa.Array]] = []
    spans: list[tuple[str, int, int]] = []
    groups = plan.groups[piece.start : piece.stop]
    texts = [plan.columns.village, *plan.columns.texts]
    for number, of_file in groupby(groups, key=lambda group: group.file):
        file, own = plan.files[number], list(of_file)
        inside = [name for name in names if name not in dict(file.keys)]
        with open_parquet(system, file, texts) as parquet, reading(file.name):
            _check_unchanged(plan, file, parquet, own)
            table = parquet.read_row_groups(
                [group.number for group in own], columns=inside, use_threads=use_threads
            )
            skipped = _count_head(plan, piece, table) if own[0] is groups[0] else 0
            tables = [table.slice(skipped)]
            if own[-1] is groups[-1]:
                tables += _read_tail(plan, piece, own[-1], parquet, inside)
        spans.append((file.name, own[0].offset + skipped, sum(map(len, tables))))
        for one in tables:
            for batch in one.to_batches():
                part = {name: as_plain(batch.column(name)) for name in inside}
                for name, value in file.keys:
                    if name in names:
                        part[name] = _constant(value, len(batch), name in texts, file, name)
                parts.append(part)
    return Rows(spans=tuple(spans)), parts


def _count_head(plan: PanelPlan, piece: Piece, table: pa.Table) -> int:
    """Count the rows at the start whose village began in the piece before."""
    if not _began_before(plan, piece):
        return 0
    count = 0
    for chunk in table.column(plan.columns.village).chunks:
        same = _equals(as_plain(chunk), plan.groups[piece.start].first)
        if not same.all():
            return count + int(same.argmin())
        count += len(chunk)
    _refuse_footer(plan, piece)


def _read_tail(
    plan: PanelPlan,
    piece: Piece,
    last: RowGroup,
    parquet: pq.ParquetFile,
    names: Sequence[str],
) -> Iterator[pa.Table]:
    """Read on until the last village of a piece ends."""
    for group in plan.groups[piece.stop :]:
        if group.file != last.file or group.first != last.last:
            return
        batches = parquet.iter_batches(_END, row_groups=[group.number], columns=list(names))
        for batch in batches:
            same = _equals(as_plain(batch.column(plan.columns.village)), last.last)
            count = len(same) if same.all() else int(same.argmin())
            yield pa.Table.from_batches([batch.slice(0, count)])
            if count < len(same):
                return


def _equals(chunk: pa.Array, village: str | int) -> Bools:
    if pa.types.is_dictionary(chunk.type):
        code = chunk.dictionary.cast(pa.string()).index(village).as_py()  # -1 for none
        result: Bools = chunk.indices.fill_null(-2).to_numpy() == code
        return result
    equal = pc.equal(chunk, pa.scalar(village, chunk.type)).fill_null(False)
    return np.asarray(equal.to_numpy(zero_copy_only=False))


def _constant(value: str, n: int, is_text: bool, file: PanelFile, name: str) -> pa.Array:
    """Repeat what a folder's name says, as a column."""
    if is_text:
        return pa.DictionaryArray.from_arrays(np.zeros(n, np.int32), pa.array([value]))
    try:
        number = float(value) if value else np.nan
    except ValueError:
        raise DataError(
            f"{file.name}: the folder's {name} is {value!r}, which is no number."
        ) from None
    return pa.repeat(pa.scalar(number), n)


def _check_unchanged(
    plan: PanelPlan, file: PanelFile, parquet: pq.ParquetFile, groups: Sequence[RowGroup]
) -> None:
    metadata = parquet.metadata
    for group in groups:
        if (
            group.number >= metadata.num_row_groups
            or metadata.row_group(group.number).num_rows != group.rows
        ):
            raise DataError(
                f"{file.name}: has changed since its pieces were planned. Start again."
            )


def _check_villages(plan: PanelPlan, piece: Piece, rows: Rows) -> None:
    """Refuse a missing key, rows out of order, and footers that tell other villages."""
    columns, keys = plan.columns, rows.villages
    empty = np.asarray(pc.equal(keys.cast(pa.string()), "").to_numpy(zero_copy_only=False))
    if empty.any():
        rows.refuse(
            rows.starts[empty.argmax()], "no village",
            f"Fill column {columns.village!r} in, or leave such rows out of the file.",
        )  # fmt: skip
    fallen = np.flatnonzero(compare_neighbours(pc.less, keys))
    if len(fallen):
        at = rows.starts[fallen[0] + 1]
        rows.refuse(
            at, f"comes after village {keys[int(fallen[0])]}, so the rows are not in order",
            remedy_of_order(plan.path, columns),
        )  # fmt: skip
    first, last = plan.groups[piece.start], plan.groups[piece.stop - 1]
    begins = first.first == keys[0].as_py()
    if _began_before(plan, piece):
        begins = first.first < keys[0].as_py()
    if not begins or last.last != keys[-1].as_py():
        _refuse_footer(plan, piece)


def _began_before(plan: PanelPlan, piece: Piece) -> bool:
    """Say whether the first village of a piece's rows belongs to the piece before."""
    if not piece.start:
        return False
    before, first = plan.groups[piece.start - 1], plan.groups[piece.start]
    return before.file == first.file and before.last == first.first


def _refuse_footer(plan: PanelPlan, piece: Piece) -> NoReturn:
    first, last = plan.groups[piece.start], plan.groups[piece.stop - 1]
    raise DataError(
        f"{plan.files[first.file].name}, from row {first.offset + 1:,}: its footer says "
        f"villages {first.first} to {last.last}, its rows say others. Has it changed? If not, "
        f"its rows are out of order: {remedy_of_order(plan.path, plan.columns)}"
    )
