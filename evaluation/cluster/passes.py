"""One function over all pieces: by threads of this process, or by workers of Dask."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from threadpoolctl import ThreadpoolController

from evaluation.errors import ReportError
from evaluation.language import speaking, spoken
from evaluation.report.chapters import processors

if TYPE_CHECKING:
    from distributed import Client

Given = TypeVar("Given")
Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_THREADS = 4  # more read and compute little faster, and hold a piece each
_RETRIES = 3


class Passes:
    """Does the work of a pass, piece by piece, and gives the results in the pieces' order.

    Parameters
    ----------
    folder
        Where what all pieces are given is put for workers to read.
    client
        Of Dask; without one the work is done here.
    """

    def __init__(self, folder: Path, client: Client | None = None) -> None:
        self.folder, self.client = folder, client
        self._job, self._passes = uuid4().hex[:8], 0
        if client is not None:
            check_workers(client, folder)

    def run(
        self,
        function: Callable[[Given, Item], Result],
        given: Given,
        items: Sequence[Item],
    ) -> Generator[Result]:
        """Call a function with what is given and each item.

        The function depends on nothing else and changes nothing, but for files that it moves
        into place whole: a call may be repeated.
        """
        if self.client is not None:
            return self._run_there(self.client, function, given, items)
        return self._run_here(function, given, items)

    def _run_here(
        self,
        function: Callable[[Given, Item], Result],
        given: Given,
        items: Sequence[Item],
    ) -> Generator[Result]:
        n = min(processors(), _MOST_THREADS)
        # The same numbers whatever number of threads a product of matrices is shared among.
        with _controller().limit(limits=1), ThreadPoolExecutor(n) as pool:
            ahead = iter(items)
            waiting = deque(pool.submit(function, given, item) for item in islice(ahead, n + 1))
            try:
                while waiting:
                    result = waiting.popleft().result()
                    for item in islice(ahead, 1):
                        waiting.append(pool.submit(function, given, item))
                    yield result
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _run_there(
        self,
        client: Client,
        function: Callable[[Given, Item], Result],
        given: Given,
        items: Sequence[Item],
    ) -> Generator[Result]:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        self._passes += 1
        path = self.folder / f"given-{self._passes}.pickle"
        path.write_bytes(pickle.dumps((spoken(), given), protocol=pickle.HIGHEST_PROTOCOL))
        futures = deque(
            client.submit(
                _call, function, str(path), item, retries=_RETRIES, pure=False,
                key=f"{function.__name__}-{self._job}-{self._passes}-{number}",
            )
            for number, item in enumerate(items)
        )  # fmt: skip
        try:
            while futures:
                yield futures[0].result()
                futures.popleft().release()
        except KilledWorker as error:
            raise ReportError(
                "workers were killed again and again on the same piece, most likely for want "
                "of memory: give them more, or take smaller pieces (rows_a_piece)."
            ) from error
        except FutureCancelledError as error:
            raise ReportError(f"the scheduler gave the work up: {error}.") from error
        finally:
            if futures:
                client.cancel(list(futures))
            path.unlink(missing_ok=True)


def check_workers(client: Client, folder: Path) -> None:
    """Check that every worker sees the folder and has this process's versions.

    Raises
    ------
    ReportError
        That names the worker and says what differs.
    """
    theirs = client.run(_describe, str(folder), on_error="return")
    if not theirs:
        raise ReportError("the client has no workers: start some, with --nthreads 1.")
    own = _describe(str(folder))
    for worker, found in theirs.items():
        if isinstance(found, BaseException):
            raise ReportError(
                f"the worker {worker} cannot use this package: {found}. Install it there, in "
                "the same version."
            )
        if not found.pop("sees the folder"):
            raise ReportError(
                f"the worker {worker} does not see {folder}: workers read and write the same "
                "files at the same paths."
            )
        for name, version in found.items():
            if version != own[name]:
                raise ReportError(
                    f"the worker {worker} has {name} {version}, this process {own[name]}; "
                    "install the same versions."
                )


def _describe(folder: str) -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    from evaluation.report.record.describe import describe_code

    code = repr(sorted(describe_code().items()))
    packages = ("numpy", "pandas", "pyarrow", "scipy")
    return {
        "sees the folder": Path(folder).is_dir(),
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
        "village-evaluation": sha256(code.encode()).hexdigest()[:12],
    }


def _call(function: Callable[[Any, Any], Any], path: str, item: Any) -> Any:
    language, given = _read_given(path)
    with _controller().limit(limits=1), speaking(language):
        return function(given, item)


_LAST: dict[str, Any] = {}


def _read_given(path: str) -> Any:
    """Read what all pieces are given, once a worker; the last is kept."""
    try:
        return _LAST[path]
    except KeyError:
        given = pickle.loads(Path(path).read_bytes())
        _LAST.clear()
        _LAST[path] = given
        return given


@cache
def _controller() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  # its BLAS, too

    return ThreadpoolController()
