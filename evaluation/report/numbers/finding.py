"""What is wrong with a run: in which file, where, what stands there and what should."""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.errors import plain_line

_LONGEST = 60  # characters of what is told of a cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a run that is not as it was written, or not as its other files say.

    Attributes
    ----------
    file
        Within the run's folder; "" for the folder itself.
    what
        What is wrong, as a sentence without its end.
    exhibit, row, column
        Where in the file; "" if it has none.
    printed, expected
        What stands there, and what should; "" if not known.
    """

    file: str
    what: str
    exhibit: str = ""
    row: str = ""
    column: str = ""
    printed: str = ""
    expected: str = ""

    def __str__(self) -> str:
        """Tell it on a line."""
        where = [self.exhibit]
        where += [f"row {_cut(self.row)!r}"] if self.row else []
        where += [f"column {_cut(self.column)!r}"] if self.column else []
        place = ", ".join(str(part) for part in where if part)
        head = ": ".join(filter(None, (self.file, place)))
        return plain_line(f"{head}: {self.what}." if head else f"{self.what}.")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
