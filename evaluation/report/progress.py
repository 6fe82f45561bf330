"""Progress of long work in a notebook, of which nothing stays in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def show_progress() -> Iterator[Callable[[str], None]]:
    """Show what is being done on one line of the cell's output, and take it away at the end.

    A report must not depend on how long anything took, so that nothing is left of it.
    """
    from IPython.display import clear_output

    def tell(what: str) -> None:
        clear_output(wait=True)
        print(f"{what} ...", flush=True)

    try:
        yield tell
    finally:
        clear_output()
