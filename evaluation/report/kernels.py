"""The kernels of a run: they depend on the installed packages alone, and can be stopped."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Any

from evaluation.errors import ReportError


@dataclass(frozen=True)
class Kernels:
    """Kernels that nbclient starts, so that all can be stopped at once."""

    started: list[Any] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    @property
    def manager(self) -> type:
        """The class that starts and remembers them."""
        from jupyter_client.manager import AsyncKernelManager

        kernels = self

        class Manager(AsyncKernelManager):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                kernels.started.append(self)

            async def _async_launch_kernel(self, *args: Any, **options: Any) -> None:
                if not kernels.stopped.is_set():
                    await super()._async_launch_kernel(*args, **options)
                if kernels.stopped.is_set():  # while this one was about to start
                    kernels.kill()
                    raise ReportError("another chapter failed before it began.")

            async def _async_kill_kernel(self, *args: Any, **options: Any) -> None:
                _kill(self)
                await super()._async_kill_kernel(*args, **options)

            _launch_kernel = _async_launch_kernel
            _kill_kernel = _async_kill_kernel

        return Manager

    def kill(self) -> None:
        """Stop all that run or start, and what they started: nobody waits for their results."""
        self.stopped.set()
        for manager in [*self.started]:
            _kill(manager)


def _kill(manager: Any) -> None:
    """End a kernel and what it started, such as workers."""
    process = getattr(manager.provisioner, "process", None)
    status = None if process is None else process.poll()
    # One that ended by itself is gone; one that was killed has left its workers.
    if process is None or (status is not None and status >= 0):
        return
    if os.name == "nt":
        process.kill()
    else:  # a kernel leads a group of processes
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def thread_loop() -> Iterator[None]:
    """Give a thread the event loop in which nbclient talks to a kernel, and close it."""
    from jupyter_core.utils import ensure_event_loop

    loop = ensure_event_loop()
    try:
        yield
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextmanager
def kernel_environment() -> Iterator[None]:
    """Start kernels that depend on the installed packages alone."""
    before = dict(os.environ)
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # of a kernel that dies an error tells
    with tempfile.TemporaryDirectory() as empty:
        for name in ("JUPYTER_PATH", "PYTHONPATH", "PYTHONSTARTUP"):
            os.environ.pop(name, None)
        os.environ.update(
            JUPYTER_PREFER_ENV_PATH="1",  # not a kernel registered for the user
            PYTHONHASHSEED="0",  # sets in the same order every time
            IPYTHONDIR=empty,  # no start-up files of the user
            PYDEVD_DISABLE_FILE_VALIDATION="1",
            # Chapters run side by side; and sums in another order differ in the last digits.
            OMP_NUM_THREADS="1",
            OPENBLAS_NUM_THREADS="1",
            MKL_NUM_THREADS="1",
        )
        try:
            yield
        finally:
            logger.setLevel(level)
            os.environ.clear()
            os.environ.update(before)
