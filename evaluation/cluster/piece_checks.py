"""The rows of a piece: where each is in its file, and what must hold of those of a village."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evaluation.data.cells import FIRST_YEAR, LAST_YEAR
from evaluation.errors import DataError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Positions = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows in the order of villages.

    Attributes
    ----------
    spans
        Name of a file, the first row in it, and how many rows are of it.
    starts, villages
        Where the rows of each village begin, and its key.
    """

    spans: tuple[tuple[str, int, int], ...]
    starts: Positions = field(default_factory=lambda: np.empty(0, np.intp))
    villages: pa.Array = None

    def __len__(self) -> int:
        """Count the rows."""
        return sum(count for _, _, count in self.spans)

    def of_villages(self, starts: Positions, villages: pa.Array) -> Rows:
        """Give the same rows, once it is known which are of which village."""
        return replace(self, starts=starts, villages=villages)

    def refuse(self, row: int | np.integer[Any], what: str, remedy: str) -> NoReturn:
        """Raise the error of a row: file, row in it, village, what is wrong, what to do."""
        after = np.cumsum([count for _, _, count in self.spans])
        at = int(np.searchsorted(after, row, side="right"))
        name, first, count = self.spans[at]
        in_file = first + int(row) - int(after[at]) + count
        village = self.villages[int(np.searchsorted(self.starts, row, side="right")) - 1]
        told = f"village {village}: " if str(village) else ""
        raise DataError(f"{name}, row {in_file + 1:,}: {told}{what}. {remedy}")

    def take_cohorts(self, values: Floats, column: str) -> Floats:
        """Give each village's cohort, once all of its rows are known to have it."""
        with np.errstate(invalid="ignore"):
            no_year = (
                (values != np.floor(values)) | (values < FIRST_YEAR) | (values > LAST_YEAR)
            )
        no_year &= ~np.isnan(values)
        if no_year.any():
            row = no_year.argmax()
            self.refuse(
                row, f"column {column!r} is {values[row]:g}, which is no year",
                "Give the first treated year, and nothing for a village never treated.",
            )  # fmt: skip
        missing = np.isnan(values)
        changes = (values[1:] != values[:-1]) & ~(missing[1:] & missing[:-1])
        self._check_constant(np.flatnonzero(changes) + 1, column)
        return np.asarray(values[self.starts])

    def take_words(self, starts: Positions, words: pa.Array, column: str) -> pa.Array:
        """Give each village's word, once all of its rows are known to have it."""
        self._check_constant(starts, column)
        at = np.searchsorted(starts, self.starts, side="right") - 1
        return words.take(pa.array(at)).cast(pa.string())

    def check_finite(self, values: Floats, column: str) -> None:
        """Refuse a value that is infinite."""
        infinite = np.isinf(values)
        if infinite.any():
            self.refuse(
                infinite.argmax(), f"column {column!r} is infinite",
                "Mend the value, or leave it empty if it is not known.",
            )  # fmt: skip

    def _check_constant(self, changes: Positions, column: str) -> None:
        begins = np.zeros(len(self), bool)
        begins[self.starts] = True
        within = changes[~begins[changes]]
        if len(within):
            self.refuse(
                within[0], f"column {column!r} differs from the village's row before",
                "Write the same in all rows of a village, or nothing in any.",
            )  # fmt: skip


def check_years(
    rows: Rows, chunks: Sequence[pa.Array], column: str, known: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Give each row's year, once all are known to be years of the plan."""
    before = 0
    for chunk in chunks:
        if chunk.null_count:
            empty = chunk.is_null().to_numpy(zero_copy_only=False)
            rows.refuse(before + empty.argmax(), "no year", f"Fill column {column!r} in.")
        before += len(chunk)
    values = np.concatenate([
        (chunk.cast(pa.float64()) if pa.types.is_decimal(chunk.type) else chunk).to_numpy()
        for chunk in chunks
    ])  # fmt: skip
    if values.dtype.kind == "f":
        wrong = values != np.floor(values)  # NaN too
        if wrong.any():
            row = wrong.argmax()
            what = "no year" if np.isnan(values[row]) else f"the year is {values[row]:g}"
            rows.refuse(row, what, "Write years as whole numbers such as 2015.")
    wrong = (values < known[0]) | (values > known[-1])
    if wrong.any():
        row = wrong.argmax()
        rows.refuse(
            row, f"the year is {values[row]:g}, the file's statistics say {known[0]} to "
            f"{known[-1]}", "Has the file changed? If not, write it anew.",
        )  # fmt: skip
    return values.astype(np.int64, copy=False)


def place_rows(
    rows: Rows, years: npt.NDArray[np.int64], known: npt.NDArray[np.int64]
) -> tuple[Positions, Bools]:
    """Say at which place of a village x year matrix each row is, and which places have one."""
    n, width = len(rows.starts), len(known)
    at = np.repeat(np.arange(n) * width - known[0], np.diff(rows.starts, append=len(rows)))
    at += years
    present = np.zeros(n * width, bool)
    present[at] = True
    if np.count_nonzero(present) < len(at):
        order = np.argsort(at, kind="stable")
        second = order[1:][at[order][1:] == at[order][:-1]].min()
        rows.refuse(
            second, f"a second row for {years[second]}",
            "Keep one row per village and year; if these are households, sum them up first: "
            "evaluation.cluster.aggregate_households.",
        )  # fmt: skip
    return at, present.reshape(n, width)
