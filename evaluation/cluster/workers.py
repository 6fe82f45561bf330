"""Processes of this machine that do a sweep's tasks: any may be killed, and no task is lost."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import Any, Protocol

from evaluation.report.kernel_start import end_with


class Workers(Protocol):
    """What does tasks, whatever machine it is on."""

    def count(self) -> int:
        """Give how many tasks are done at once, now."""

    def submit(self, task: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a task done; what it needs and gives can be pickled."""

    def lost(self, error: BaseException) -> bool:
        """Whether an error says that a worker was lost, and its task is to be done again."""

    def close(self, *, at_once: bool) -> None:
        """End the workers; at once, whatever they do."""


class LocalWorkers:
    """As many processes as are asked for; new ones take the place of those that are killed."""

    def __init__(self, n: int) -> None:
        self.n = n
        self._pool = self._start()

    def count(self) -> int:
        """Give the number of processes."""
        return self.n

    def submit(self, task: Callable[..., Any], *given: Any) -> Future[Any]:
        """Have a task done by the next process that is free."""
        try:
            return self._pool.submit(task, *given)
        except BrokenProcessPool:
            self.close(at_once=True)
            self._pool = self._start()
            return self._pool.submit(task, *given)

    def lost(self, error: BaseException) -> bool:
        """Whether a process was killed: all that the others did is then lost, too."""
        return isinstance(error, BrokenProcessPool)

    def close(self, *, at_once: bool) -> None:
        """End the processes, and with them their kernels."""
        if at_once:
            for process in multiprocessing.active_children():
                process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _start(self) -> ProcessPoolExecutor:
        if _forks():
            import nbconvert  # noqa: F401 - which the forks then have
            import papermill  # noqa: F401
        return ProcessPoolExecutor(
            self.n,
            mp_context=multiprocessing.get_context("fork" if _forks() else "spawn"),
            initializer=_begin,
            initargs=(os.getpid(),),
        )


def _forks() -> bool:
    """Whether processes are forked: one that has threads may hang in its forks."""
    return sys.platform == "linux" and threading.active_count() == 1


def _begin(parent: int) -> None:
    """Leave it to the process that began this one to end it, and end with that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # what is imported stays: it need not be looked through again and again
    end = partial(os._exit, 1)
    threading.Thread(target=end_with, args=(parent, end), daemon=True).start()
