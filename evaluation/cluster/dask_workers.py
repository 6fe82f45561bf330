"""Workers of Dask that do a sweep's tasks, on this machine or on many."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.cluster.storage import Storage
from evaluation.cluster.tasks import Sweep, describe_job
from evaluation.errors import EvaluationError, ReportError
from evaluation.report.record.describe import tell_changes

if TYPE_CHECKING:
    from distributed import Client

PATIENCE = 10.0
"""Seconds that a scheduler may take to answer."""

_EXTRA = "pip install 'village-evaluation[cluster]'"


class DaskWorkers:
    """What a client of Dask gives work to. A worker that is lost loses no task.

    Raises
    ------
    ReportError
        If a worker has more than one thread, or other files or versions than this process.
    """

    def __init__(self, client: Client, sweep: Sweep, *, retries: int = 2) -> None:
        self.client = client
        self._pool = client.get_executor(pure=False, retries=retries)
        self._check(sweep)

    def count(self) -> int:
        """Give the number of workers that are there now."""
        return len(self.client.nthreads())

    def submit(self, task: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a task done by a worker."""
        future: Future[Any] = self._pool.submit(task, *given)
        return future

    def lost(self, error: BaseException) -> bool:
        """Dask itself does a task again whose worker was lost; when it gives up, it is lost."""
        return False

    def close(self, *, at_once: bool) -> None:
        """Give up what is under way, if at once; the workers are the client's."""
        self._pool.shutdown(wait=not at_once)

    def _check(self, sweep: Sweep) -> None:
        own = _describe(sweep)
        for worker, threads in self.client.nthreads().items():
            if threads > 1:
                raise ReportError(
                    f"the worker {worker} has {threads} threads: reports need a process each. "
                    "Start it with --nthreads 1, and with more workers instead."
                )
        for worker, theirs in self.client.run(_describe_there, sweep).items():
            if isinstance(theirs, str):
                raise ReportError(f"the worker {worker}: {theirs}")
            if changed := tell_changes(own, theirs) or _other_python(own, theirs):
                raise ReportError(
                    f"the worker {worker} has another {changed} than this process; install the "
                    "same versions and give both the same files."
                )


@contextmanager
def open_client(*, scheduler: str = "", local: int = 0) -> Iterator[Client]:
    """Connect to a scheduler of Dask, or start workers on this machine.

    Parameters
    ----------
    scheduler
        Its address: "tcp://host:8786".
    local
        How many workers to start here, if there is no scheduler.

    Raises
    ------
    ReportError
        If Dask is not installed, or nobody answers at the address.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise ReportError(f"Dask is not installed: {_EXTRA}") from error
    if not scheduler:
        with (
            LocalCluster(
                n_workers=local, threads_per_worker=1, processes=True, dashboard_address=":0"
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ReportError(
            f"--scheduler {scheduler}: nobody answers there. Start one with `dask scheduler`, "
            "and workers with `dask worker ADDRESS --nthreads 1`."
        ) from error
    with client:
        if not client.nthreads():
            raise ReportError(
                f"--scheduler {scheduler}: it has no workers. Start some: dask worker "
                f"{scheduler} --nthreads 1"
            )
        yield client


def _describe(sweep: Sweep) -> dict[str, Any]:
    """Describe what the first report depends on, as this process sees it."""
    return describe_job(sweep.job(sweep.points[0], out=Storage(sweep.out).folder or Path()))


def _describe_there(sweep: Sweep) -> dict[str, Any] | str:
    try:
        Storage(sweep.out).check()
        return _describe(sweep)
    except EvaluationError as error:
        return str(error)


def _other_python(own: dict[str, Any], theirs: dict[str, Any]) -> str:
    parts = {"python": "Python", "chinese_font": "Chinese font"}
    return ", ".join(word for part, word in parts.items() if own[part] != theirs[part])
