"""Results that show their summary in a notebook's cell, and in one line elsewhere."""

from __future__ import annotations

from html import escape


class ShowsSummary:
    """A result whose ``summary()`` is what a cell shows.

    A dataclass says ``repr=False``, as its own would print every array that it holds.
    """

    __slots__ = ()

    def summary(self) -> str:
        """Say in a few lines what was found."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """Give the class and the first line of the summary."""
        first, *_ = self.summary().split("\n")
        return f"<{type(self).__name__}: {first}>"

    def _repr_html_(self) -> str:
        return f'<pre style="white-space: pre-wrap">{escape(self.summary())}</pre>'
