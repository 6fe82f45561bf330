"""The kernels of a run: they depend on the installed packages alone, and can be stopped."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Kernels:
    """Kernels that nbclient starts, so that all can be stopped at once."""

    started: list[Any] = field(default_factory=list)

    @property
    def manager(self) -> type:
        """The class that starts and remembers them."""
        from jupyter_client.manager import AsyncKernelManager

        started = self.started

        class Manager(AsyncKernelManager):
            def __init__(self, *args: Any, **options: Any) -> None:
                super().__init__(*args, **options)
                started.append(self)

        return Manager

    def kill(self) -> None:
        """Stop all that still run, and what they started: nobody waits for what they find."""
        for manager in self.started:
            process = getattr(manager.provisioner, "process", None)
            if process is None or process.poll() is not None:
                continue
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
            os.environ.clear()
            os.environ.update(before)
