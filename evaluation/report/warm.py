"""Kernels forked from a process that has imported what notebooks import: they start at once."""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import RLock
from typing import Any, Literal

from evaluation.errors import ReportError
from evaluation.report.code_state import code_state

KernelKind = Literal["warm", "plain"]
"""How a kernel starts: forked from a warm process, or as an interpreter of its own."""

# What interpreter, C library, numbers and drawings read of the environment at their start.
_READ_AT_START = (
    "PYTHON", "LD_", "LANG", "LC_", "TZ", "OMP_", "KMP_", "OPENBLAS_", "GOTO_", "MKL_", "NPY_",
    "NUMEXPR_", "NUMBA_", "ARROW_", "POLARS_", "MPL", "MATPLOTLIB", "HOME", "XDG_",
)  # fmt: skip
# Threads of OpenBLAS, which a kernel starts itself: a process that has some is not forked.
_NO_THREADS = {"OPENBLAS_NUM_THREADS": "1"}
_CODE = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; "
    "from evaluation.report.warm_server import serve; serve({}, own_matplotlibrc={})()"
)
_MODULE = ["-m", "ipykernel_launcher"]
_START = 180  # seconds that imports may take, on a busy machine
_PAUSE = 0.002  # seconds


class NotWarmError(Exception):
    """A kernel cannot be forked, for a reason that is said: a plain one can be started."""


def shared_kernels(kind: KernelKind | None = None) -> WarmKernels | None:
    """Give the warm kernels of this process, which all its reports share; None for plain ones.

    Parameters
    ----------
    kind
        "warm", "plain", or None for "warm" where the system can fork.

    Raises
    ------
    ReportError
        If warm kernels are asked for where there can be none.
    """
    if kind not in ("warm", "plain", None):
        raise ReportError(f"--kernels {kind}: warm or plain.")
    if kind == "plain" or (kind is None and not can_fork()):
        return None
    if not can_fork():
        raise ReportError(f"--kernels warm: not on {sys.platform}; plain ones give the same.")
    return process_kernels(own_matplotlibrc=True)


def process_kernels(*, own_matplotlibrc: bool) -> WarmKernels:
    """Give the warm kernels of this process, in which matplotlib has its or a user's settings.

    They are closed when the process ends; one that is forked has its own.
    """
    return _of_process(os.getpid(), own_matplotlibrc)


def can_fork() -> bool:
    """Tell whether a process that has loaded libraries can be forked safely."""
    return sys.platform == "linux"


@cache
def _of_process(_: int, own_matplotlibrc: bool) -> WarmKernels:
    kernels = WarmKernels(own_matplotlibrc=own_matplotlibrc)
    atexit.register(kernels.close)
    return kernels


class Process:
    """A forked kernel, to be used as a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, server: _Server, pid: int) -> None:
        self._server = server
        self.pid = pid

    @property
    def returncode(self) -> int | None:
        """How it ended, as far as is known: its status, or the signal, negative."""
        return self._server.ended.get(self.pid)

    def poll(self) -> int | None:
        """Ask how it ended; None if it runs."""
        if self.returncode is None:
            self._server.read()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended."""
        clock = time.monotonic()
        while (status := self.poll()) is None:
            if timeout is not None and time.monotonic() > clock + timeout:
                raise subprocess.TimeoutExpired(["ipykernel_launcher"], timeout)
            time.sleep(_PAUSE)
        return status

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


@dataclass
class WarmKernels:
    """Kernels that are forked, from any thread.

    Attributes
    ----------
    own_matplotlibrc
        Whether matplotlib's own settings hold, and no user's.
    """

    own_matplotlibrc: bool = True
    _lock: Any = field(default_factory=RLock, repr=False)
    _servers: dict[Any, _Server] = field(default_factory=dict, repr=False)

    def prepare(self) -> None:
        """Have what kernels are forked from start now, as this process's environment is."""
        argv = [sys.executable, *_MODULE]
        with suppress(NotWarmError):
            self._server(argv, os.environ)

    def start(self, argv: Sequence[str], *, env: Mapping[str, str], cwd: str) -> Process:
        """Fork a kernel.

        Parameters
        ----------
        argv
            The command that would start it.
        env, cwd
            Its environment and working folder.

        Raises
        ------
        NotWarmError
            If it cannot be forked.
        """
        for _ in range(2):  # a server that was killed is found out by asking
            server = self._server(argv, env)
            with suppress(ConnectionError):
                return server.fork(argv, env, cwd)
        raise NotWarmError("the process that they are forked from does not start")

    def close(self) -> None:
        """End what kernels are forked from, and those that run."""
        with self._lock:
            for server in self._servers.values():
                server.close()
            self._servers.clear()

    def _server(self, argv: Sequence[str], env: Mapping[str, str]) -> _Server:
        """Give a process whose interpreter has read the same environment and the same code."""
        options = _interpreter_options(argv)
        read = {name: env[name] for name in env if name.startswith(_READ_AT_START)}
        if not all(map(os.path.isabs, filter(None, read.get("PYTHONPATH", "").split(":")))):
            raise NotWarmError("PYTHONPATH names a folder relative to another")
        key = (*options, *sorted(read.items()), code_state())
        with self._lock:
            server = self._servers.get(key)
            if server is None or not server.runs():
                for other in [k for k, s in self._servers.items() if not s.kernels()]:
                    self._servers.pop(other).close()
                server = _Server(options, env, own_matplotlibrc=self.own_matplotlibrc)
                self._servers[key] = server
            return server


class _Server:
    """The process that kernels are forked from, seen from here."""

    def __init__(
        self, options: Sequence[str], env: Mapping[str, str], *, own_matplotlibrc: bool
    ) -> None:
        self.ended: dict[int, int] = {}
        self._running: set[int] = set()
        self._lock = RLock()
        self._rest = b""
        self._socket, other = socket.socketpair()
        self._socket.settimeout(_START)
        with other:
            code = _CODE.format(other.fileno(), own_matplotlibrc)
            self._process = subprocess.Popen(
                [sys.executable, *options, "-c", code], pass_fds=[other.fileno()],
                env={**env, **_NO_THREADS}, cwd="/", stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip

    def fork(self, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> Process:
        request = {"argv": [*argv], "env": dict(env), "cwd": cwd}
        with self._lock:
            try:
                self._socket.sendall(json.dumps(request).encode() + b"\n")
                while True:
                    for told in self._receive():
                        if error := told.get("error"):
                            raise NotWarmError(error)
                        if pid := told.get("pid"):
                            return Process(self, pid)
            except OSError as error:
                self.close()
                raise ConnectionError from error

    def kernels(self) -> set[int]:
        """Give the kernels that run."""
        self.read()
        return {*self._running}

    def runs(self) -> bool:
        self.read()
        return self._socket.fileno() >= 0

    def read(self) -> None:
        """Take note of what has ended."""
        with self._lock:
            if self._socket.fileno() < 0:
                return
            self._socket.setblocking(False)
            try:
                with suppress(BlockingIOError):
                    while True:
                        self._receive()
            except OSError:
                self.close()
            finally:
                if self._socket.fileno() >= 0:
                    self._socket.settimeout(_START)

    def close(self) -> None:
        """End it and what it has forked: whoever asks is told that these were killed."""
        with self._lock:
            self._socket.close()
            self._process.kill()
            self._process.wait()
            for pid in self._running:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                self.ended[pid] = -signal.SIGKILL
            self._running.clear()

    def _receive(self) -> list[dict[str, Any]]:
        """Read what it tells next, and note what has ended."""
        read = self._socket.recv(1 << 16)
        if not read:
            raise ConnectionError
        *lines, self._rest = (self._rest + read).split(b"\n")
        told = [json.loads(line) for line in lines]
        for one in told:
            if pid := one.get("pid"):  # which another may have had before
                self.ended.pop(pid, None)
                self._running.add(pid)
            elif pid := one.get("ended"):
                self.ended[pid] = one["status"]
                self._running.discard(pid)
        return told


def _interpreter_options(argv: Sequence[str]) -> list[str]:
    """Give the options of the interpreter in a kernel's command.

    Raises
    ------
    NotWarmError
        If the command is not that of this interpreter's own kernel.
    """
    program, *rest = argv
    place = rest.index("-m") if "-m" in rest else -1
    if program != sys.executable or place < 0 or rest[place : place + 2] != _MODULE:
        raise NotWarmError("the notebook's kernel is not that of this Python")
    return rest[:place]
