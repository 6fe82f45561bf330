"""What a job on a large panel takes: memory, time and disk, told before it starts."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.cluster.piece_reader import read_piece
from evaluation.cluster.pieces import PanelPlan
from evaluation.errors import ReportError

# Peaks measured on Linux with pyarrow 26 and numpy 2.4, of processes that read 20 million
# rows in pieces of 1, 4 and 8 million; the piece before is held while the next is read.
_BASE = 200e6  # bytes of a process that has read a small piece
_A_ROW, _A_VALUE = 70, 30  # bytes of a row, and of each of its values
_MATRICES = 2  # held at once
_MB, _GB = 1e6, 1e9
_CGROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60  # what the first version of cgroups writes for no limit is above


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a job is expected to take.

    Attributes
    ----------
    rows, pieces, largest
        Rows, pieces, and the rows of the largest piece.
    of_one_group
        Whether the largest piece is a single row group.
    workers
        How many pieces are worked on at once.
    memory
        Bytes that a worker holds at most.
    seconds
        Time with that many workers.
    output
        Bytes written.
    """

    rows: int
    pieces: int
    largest: int
    of_one_group: bool
    workers: int
    memory: float
    seconds: float
    output: float

    def lines(self) -> list[str]:
        """Say it in two lines."""
        each = f" for each of {self.workers} workers" if self.workers > 1 else ""
        return [
            f"{self.rows:,} rows in {self.pieces:,} pieces of at most {self.largest:,}",
            f"about {tell_bytes(self.memory)} of memory{each}, {tell_seconds(self.seconds)} "
            f"and {tell_bytes(self.output)} on the disk",
        ]


def estimate_cost(
    plan: PanelPlan,
    *,
    workers: int = 1,
    passes: float = 2,
    seconds_a_million: float | None = None,
    bytes_a_row: float = 0,
    output_columns: int = 20,
) -> Cost:
    """Estimate what a job takes that reads a panel in pieces.

    Parameters
    ----------
    plan
        The pieces.
    workers
        How many pieces are worked on at once.
    passes
        How often the panel is read; used where ``seconds_a_million`` is not known.
    seconds_a_million
        Time for a million rows, over all passes; by default that of reading the first piece,
        as often as there are passes.
    bytes_a_row
        What the job holds beside the piece itself.
    output_columns
        How many numbers are written for each treated village.

    Raises
    ------
    DataError
        If the first piece has a fault.

    Notes
    -----
    How many villages there are to a row, and the share of them that is treated, is taken from
    the first piece, which is read unless it is too large for the memory available.
    """
    largest = max(plan.pieces, key=plan.rows_of)
    rows, width = plan.rows_of(largest), len(plan.years)
    villages_a_row, treated = 1 / width, 1.0

    def memory_of() -> float:
        values = len(plan.columns.values)
        cells = rows * villages_a_row * width
        matrices = _MATRICES * cells * (8 * values + 1)
        return _BASE + rows * (_A_ROW + _A_VALUE * values + bytes_a_row) + matrices

    seconds = float("nan")
    if memory_of() < available_memory():
        first = plan.pieces[0]
        start = time.perf_counter()
        piece = read_piece(plan, first)
        seconds = passes * (time.perf_counter() - start) / plan.rows_of(first) * 1e6
        villages_a_row = piece.n_villages / max(int(piece.rows.sum()), 1)
        treated = float(np.isfinite(piece.cohort).mean())
    if seconds_a_million is not None:
        seconds = seconds_a_million
    return Cost(
        rows=plan.n_rows,
        pieces=len(plan.pieces),
        largest=rows,
        of_one_group=largest.stop - largest.start == 1,
        workers=workers,
        memory=memory_of(),
        seconds=seconds * plan.n_rows / 1e6 / min(workers, len(plan.pieces)),
        output=plan.n_rows * villages_a_row * treated * output_columns * 8,
    )


def check_room(cost: Cost, out: str | Path, *, memory: float | None = None) -> None:
    """Refuse a job that does not fit, before it starts.

    Parameters
    ----------
    cost
        What it takes.
    out
        Where it writes; of an address the room is not known.
    memory
        Bytes that each worker may hold; by default this machine's, shared among them.

    Raises
    ------
    ReportError
        If the largest piece does not fit into memory, or what is written not on the disk.
    """
    share = available_memory() / cost.workers if memory is None else memory
    if cost.memory > share:
        mend = "Read smaller pieces (rows_a_piece), or take fewer workers."
        if cost.of_one_group:
            mend = (
                "It is one row group; evaluation.cluster.sort_panel writes smaller ones "
                "(rows_a_group). Or take fewer workers."
            )
        raise ReportError(
            f"the largest piece, {cost.largest:,} rows, takes about {tell_bytes(cost.memory)} "
            f"of memory; {tell_bytes(share)} is available to a worker. {mend}"
        )
    if "://" in str(out):
        return
    place = Path(out).absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if cost.output > free:
        raise ReportError(
            f"{out}: about {tell_bytes(cost.output)} will be written, and {tell_bytes(free)} "
            "is free there. Make room, or name another place."
        )


def available_memory() -> float:
    """Give the bytes that this process may still take.

    It is the machine's, or less where a container or a job of Slurm is held to a limit.
    """
    import psutil  # type: ignore[import-untyped]

    return min([float(psutil.virtual_memory().available), *_left_in_cgroups(_CGROUP)])


def _left_in_cgroups(root: Path, own: Path = Path("/proc/self/cgroup")) -> Iterator[float]:
    """Give what is left below each limit that this process is held to."""
    try:
        lines = own.read_text(encoding="ascii").splitlines()
    except OSError:
        return  # not Linux
    for line in lines:
        _, kinds, inside = line.split(":", 2)
        if kinds and "memory" not in kinds.split(","):
            continue
        first = root / "memory" if kinds else root
        names = ("limit_in_bytes", "usage_in_bytes") if kinds else ("max", "current")
        group = Path(inside.strip("/"))
        for part in (group, *group.parents):
            left = _left(first / part, *names)
            if left is not None:
                yield left


def _left(folder: Path, limit_name: str, used_name: str) -> float | None:
    try:
        limit = (folder / f"memory.{limit_name}").read_text(encoding="ascii").strip()
        used = float((folder / f"memory.{used_name}").read_text(encoding="ascii"))
        told = (folder / "memory.stat").read_text(encoding="ascii").split()
    except OSError:
        return None
    if limit == "max" or float(limit) > _UNLIMITED:
        return None
    # Pages of files that were read can go at any time.
    stat = dict(zip(told[::2], told[1::2], strict=False))
    cached = float(stat.get("total_inactive_file", stat.get("inactive_file", 0)))
    return max(float(limit) - used + cached, 0.0)


def tell_bytes(count: float) -> str:
    """Say how much memory or disk that is."""
    return f"{count / _GB:.1f} GB" if count >= _GB else f"{max(count / _MB, 1):.0f} MB"


def tell_seconds(seconds: float) -> str:
    """Say how long that is."""
    if np.isnan(seconds):
        return "unknown time"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{max(seconds, 1):.0f} s"
