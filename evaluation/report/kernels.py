"""The kernels of a run: they depend on the installed packages alone, and can be stopped."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from subprocess import TimeoutExpired
from threading import Event
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.warm import WarmKernels

# What a user's shell may say of numbers, languages, times, terminals and start-up files.
_DROPPED = (
    "PYTHON", "IPYTHON", "JUPYTER", "MPL", "MATPLOTLIB", "LANG", "LC_", "TZ", "COLUMNS",
    "LINES", "NPY_", "OMP_", "OPENBLAS_", "MKL_", "NUMEXPR_", "FORCE_COLOR", "NO_COLOR",
)  # fmt: skip
_KEPT = ("PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
_FIXED = {
    "JUPYTER_PREFER_ENV_PATH": "1",  # not a kernel registered for the user
    "PYTHONHASHSEED": "0",  # sets in the same order every time
    "PYTHONUTF8": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": "315532800",  # the date in drawings: the first second of 1980
    "TQDM_DISABLE": "1",  # how quick it was
    # Chapters run side by side; and sums in another order differ in the last digits.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
_GONE = 2  # seconds that a killed kernel may take to be gone


@dataclass(frozen=True)
class Kernels:
    """Kernels that nbclient starts, so that all can be stopped at once.

    Attributes
    ----------
    warm
        What they are forked from; None for interpreters of their own.
    variables
        What they find set in their environment beside what this process has.
    """

    warm: WarmKernels | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    started: list[Kernel] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    def new(self) -> Kernel:
        """Give a kernel that is to be started, and remember it."""
        kernel = Kernel(self.stopped, self.warm, self.variables)
        self.started.append(kernel)
        return kernel

    def kill(self) -> None:
        """Stop all that run or start, and what they started: nobody waits for their results."""
        self.stopped.set()
        for kernel in [*self.started]:
            kernel.kill()


@dataclass
class Kernel:
    """The kernel of one notebook."""

    stopped: Event
    warm: WarmKernels | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    process: Any = None

    @property
    def manager(self) -> type:
        """The class by which nbclient starts and ends it."""
        from evaluation.report.warm_manager import WarmManager

        kernel = self

        class Manager(WarmManager):
            warm_kernels = kernel.warm

            async def _async_launch_kernel(self, *args: Any, **options: Any) -> None:
                if not kernel.stopped.is_set():
                    options["env"] = {**options["env"], **kernel.variables}
                    await super()._async_launch_kernel(*args, **options)
                    kernel.process = getattr(self.provisioner, "process", None)
                if kernel.stopped.is_set():  # while this one was about to start
                    kernel.kill()
                    raise ReportError("another chapter failed before it began.")

            async def _async_kill_kernel(self, *args: Any, **options: Any) -> None:
                kernel.kill()
                if kernel.process is not None:  # the manager looks every tenth of a second
                    with suppress(TimeoutExpired):
                        kernel.process.wait(_GONE)
                await super()._async_kill_kernel(*args, **options)

            _launch_kernel = _async_launch_kernel
            _kill_kernel = _async_kill_kernel  # type: ignore[assignment]

        return Manager

    @property
    def status(self) -> int | None:
        """How it ended: the status that it gave, or the signal, negative; None if it runs."""
        return None if self.process is None else self.process.poll()

    def kill(self) -> None:
        """End it and what it started, such as workers."""
        # One that ended by itself is gone; one that was killed has left its workers.
        if self.process is None or (self.status is not None and self.status >= 0):
            return
        if os.name == "nt":
            self.process.kill()
        else:  # a kernel leads a group of processes
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


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
def kernel_environment(**more: str) -> Iterator[None]:
    """Start kernels that depend on the installed packages alone, with variables more."""
    before = dict(os.environ)
    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # of a kernel that dies an error tells
    with tempfile.TemporaryDirectory() as empty:
        for name in before:
            if name not in _KEPT and name.startswith(_DROPPED):
                os.environ.pop(name, None)
        os.environ.update(_FIXED, **more, IPYTHONDIR=empty, JUPYTER_RUNTIME_DIR=empty)
        os.environ["MPLCONFIGDIR"] = _font_folder()
        try:
            yield
        finally:
            logger.setLevel(level)
            os.environ.clear()
            os.environ.update(before)


def _font_folder() -> str:
    """Give where this process has listed the fonts: a kernel that lists them says so."""
    import matplotlib as mpl

    return str(mpl.get_cachedir())
