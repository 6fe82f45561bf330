"""The process that kernels are forked from: it has imported what notebooks import."""

from __future__ import annotations

import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

BACKEND = "module://matplotlib_inline.backend_inline"
"""How matplotlib draws in a notebook."""

# What notebooks import, the package's own modules aside; a test tells what is missing here.
# IPython and its kernel come first, as in a kernel: others ask at import for them.
_MODULES = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "IPython.core.completerlib",
    "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg",
    "matplotlib.style.core", "numpy", "pandas", "scipy.stats", "scipy.optimize", "scipy.linalg",
    "seaborn", "statsmodels.api", "statsmodels.formula.api", "pandera.pandas", "pyfixest",
    "maketables", "joblib", "lxml.html", "sqlite3", "zmq.utils.garbage",
    "evaluation.effects.journal",
)  # fmt: skip
_IF_THERE = ("geopandas",)
# They ask at import which shell there is, and there is none yet: figures would be lost, and
# bars of progress be of another kind.
_TOO_EARLY = ("matplotlib_inline.backend_inline", "tqdm.auto", "tqdm.autonotebook")
_NOT_OF_NOTEBOOKS = tuple(
    f"evaluation.report.{part}" for part in ("run", "rerun", "compare", "verify", "replication")
)
# Threads that a fork may miss: jemalloc, of pyarrow and polars, prepares for it by itself, and
# polars has one that waits for files that queries too large for memory leave.
_HARMLESS_THREADS = ("jemalloc_bg_thd", "polars-ooc-clea")
_CHUNK = 1 << 16


def serve(descriptor: int, *, own_matplotlibrc: bool) -> Callable[[], None]:
    """Import what notebooks import, and fork a kernel at each request.

    Requests and answers are lines of JSON: ``{"argv", "env", "cwd"}`` is answered by
    ``{"pid"}`` or ``{"error"}``; ``{"ended": pid, "status"}`` follows when a kernel ends. When
    the other side closes the socket all kernels are killed, and this process ends.

    Parameters
    ----------
    descriptor
        One end of a pair of sockets.
    own_matplotlibrc
        Whether matplotlib is to read its own settings, and no user's.

    Returns
    -------
    In a forked process alone: what makes it a kernel, to be called where nothing of the server
    is left on the stack.
    """
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    variables: dict[str, str] = {}
    failed = ""
    try:
        variables = _preload(own_matplotlibrc=own_matplotlibrc)
    except Exception as error:
        failed = f"{type(error).__name__}: {error}"
    gc.collect()
    gc.freeze()  # what is here is never freed: a kernel that looks for garbage copies no page
    return _Server(connection, variables, failed).run()


class _Server:
    def __init__(
        self, connection: socket.socket, variables: Mapping[str, str], failed: str
    ) -> None:
        self.connection = connection
        self.variables = variables
        self.failed = failed
        self.kernels: set[int] = set()
        self.woken, self.wakes = socket.socketpair()
        for end in (self.woken, self.wakes):
            end.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(connection, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wakes.fileno(), warn_on_full_buffer=False)

    def run(self) -> Callable[[], None]:
        rest = b""
        while True:
            ready = {key.fileobj for key, _ in self.selector.select()}
            if self.woken in ready:
                with suppress(BlockingIOError):
                    self.woken.recv(_CHUNK)
                self.reap()
            if self.connection in ready:
                read = self.connection.recv(_CHUNK)
                if not read:
                    self.end()
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    kernel = self.fork(json.loads(line))
                    if kernel is not None:
                        return kernel

    def fork(self, request: Mapping[str, Any]) -> Callable[[], None] | None:
        """Fork a kernel: give what makes the forked process one, None in this process."""
        threads = _threads()
        if self.failed or threads:
            self.answer(error=self.failed or f"it has other threads: {', '.join(threads)}")
            return None
        server = os.getpid()
        told, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(told)
            return self.become(request, tells, server)
        os.close(tells)
        with open(told, "rb") as told_file:  # until the kernel leads a group of its own
            error = told_file.read().decode()
        if error:
            os.waitpid(pid, 0)
            self.answer(error=error)
        else:
            self.kernels.add(pid)
            self.answer(pid=pid)
        return None

    def become(self, request: Mapping[str, Any], tells: int, server: int) -> Callable[[], None]:
        try:
            self.close()
            os.setsid()
            # A kernel ends with its parent.
            _set_environment(
                {**self.variables, **request["env"], "JPY_PARENT_PID": str(server)}
            )
            os.chdir(request["cwd"])
            argv = _set_arguments(request["argv"])
            _draw_anew()
        except BaseException as error:
            os.write(tells, f"{type(error).__name__}: {error}".encode())
            os._exit(1)
        os.close(tells)
        return lambda: _run_kernel(argv, server)

    def answer(self, **told: Any) -> None:
        with suppress(BrokenPipeError):  # whoever asked is gone: the next read tells
            self.connection.sendall(json.dumps(told).encode() + b"\n")

    def reap(self) -> None:
        for pid in [*self.kernels]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self.kernels.remove(pid)
                self.answer(ended=pid, status=os.waitstatus_to_exitcode(status))

    def end(self) -> None:
        for pid in self.kernels:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        os._exit(0)

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.selector.close()
        for one in (self.connection, self.woken, self.wakes):
            one.close()


def _preload(*, own_matplotlibrc: bool) -> dict[str, str]:
    """Import what notebooks import, and give the variables that this sets."""
    import evaluation
    from evaluation.report.kernel_start import import_matplotlib

    before = dict(os.environ)
    os.environ.setdefault("MPLBACKEND", BACKEND)
    if own_matplotlibrc:
        import_matplotlib()
    homes = [
        home for home in evaluation._HOMES.values() if not home.startswith(_NOT_OF_NOTEBOOKS)
    ]
    for name in (*_MODULES, *dict.fromkeys(homes)):
        import_module(name)
    for name in _IF_THERE:
        with suppress(ImportError):
            import_module(name)
    if early := [name for name in _TOO_EARLY if name in sys.modules]:
        raise ImportError(f"imported before there is a shell: {', '.join(early)}")
    _warm_caches()
    # What packages say to those that are loaded later; IPython sets the backend itself.
    return {
        name: os.environ[name] for name in os.environ.keys() - before.keys() - {"MPLBACKEND"}
    }


def _warm_caches() -> None:
    """Have what is loaded at first use loaded now: kinds of pictures, checks of columns."""
    import charset_normalizer
    import pandas as pd
    import pandera.pandas as pa
    from PIL import Image

    charset_normalizer.from_bytes("村,元\n".encode("gb18030"))
    Image.preinit()
    pa.DataFrameSchema({"x": pa.Column(float, pa.Check.ge(0))}).validate(
        pd.DataFrame({"x": [0.0]})
    )


def _threads() -> list[str]:
    """Name the threads of this process but for the one that asks, and those without harm."""
    tasks = Path("/proc/self/task")
    names = [
        (tasks / thread / "comm").read_text(encoding="utf-8").strip()
        for thread in os.listdir(tasks)
        if int(thread) != os.getpid()
    ]
    return [name for name in names if name not in _HARMLESS_THREADS]


def _set_environment(env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    tempfile.tempdir = None


def _set_arguments(argv: list[str]) -> list[str]:
    """Have arguments, path and ``__main__`` as ``python -m ipykernel_launcher`` has them."""
    spec = find_spec("ipykernel_launcher")
    assert isinstance(spec, ModuleSpec) and spec.origin is not None
    given = argv[argv.index("ipykernel_launcher") + 1 :]
    sys.orig_argv = argv
    sys.argv = [spec.origin, *given]
    main = ModuleType("__main__")
    main.__file__, main.__spec__, main.__package__ = spec.origin, spec, ""
    sys.modules["__main__"] = main
    return given


def _draw_anew() -> None:
    """Have random numbers that no other kernel draws."""
    import numpy as np

    random.seed()
    np.random.seed()  # noqa: NPY002 - the global generator that forks would share


def _run_kernel(argv: list[str], server: int) -> None:
    from ipykernel.kernelapp import IPKernelApp

    if (threads := _blas_threads()) != 1:
        from threadpoolctl import threadpool_limits

        threadpool_limits(threads, user_api="blas")
    kernel: Any = IPKernelApp.instance(parent_handle=server)
    kernel.initialize(argv)
    if "ipywidgets" in sys.modules:  # which does it at import where there is a shell
        sys.modules["ipywidgets"].register_comm_target()
    kernel.start()


def _blas_threads() -> int:
    """Give how many threads OpenBLAS would have started with."""
    names = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")
    given = [os.environ[name] for name in names if os.environ.get(name, "").isdigit()]
    return int(given[0]) if given else len(os.sched_getaffinity(0))
