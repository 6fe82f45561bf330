"""What a sweep takes: memory, and time as chapters took before; told before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluation.cluster.cost import available_memory, tell_bytes, tell_seconds
from evaluation.cluster.sweep import Planned
from evaluation.report.chapters import processors

# Peaks measured on Linux with data/jining_simulated: a process, what its kernels are forked
# from, and a kernel.
_A_WORKER = 600e6  # bytes
_A_BYTE = 20  # bytes of memory for each byte of the study's files
_A_REPORT = 2.5  # seconds of putting a report together


def worker_memory(n_bytes: int) -> float:
    """Give the bytes of memory that a worker takes, on a study with files of so many bytes."""
    return _A_WORKER + _A_BYTE * n_bytes


def count_workers(n_bytes: int) -> int:
    """Give one worker more than there are processors, or fewer, as memory allows."""
    fitting = int(available_memory() // worker_memory(n_bytes))
    return max(1, min(processors() + 1, fitting))


def tell_cost(
    reports: Sequence[Planned], took: Mapping[str, float], *, n_bytes: int, n_workers: int
) -> str:
    """Say what reports will take on so many workers of this machine.

    Parameters
    ----------
    took
        The seconds of chapters, by name, when they were last run.
    """
    memory = tell_bytes(n_workers * worker_memory(n_bytes))
    told = f"{n_workers} process{'es' * (n_workers != 1)} may take {memory}"
    chapters = {key: name for report in reports for name, key in report.keys.items()}
    if not took or not chapters:
        return f"{told}; no earlier run tells how long"
    usual = sum(took.values()) / len(took)
    seconds = sum(took.get(name, usual) for name in chapters.values())
    seconds += _A_REPORT * len(reports)
    return f"{told} and {tell_seconds(seconds / min(n_workers, processors()))}"
