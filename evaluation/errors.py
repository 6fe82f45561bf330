"""The errors a user may see: each says what is wrong, where, and how to mend it."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from unicodedata import category

_SHOWN = 10
_STEERING = {"Cc", "Cf", "Zl", "Zp"}  # escapes, line ends, turns of the writing direction


class EvaluationError(Exception):
    """Base of all errors that this package raises on purpose."""


class DataError(EvaluationError, ValueError):
    """An input file, or a value read from one, cannot be used as it is."""


class DesignError(EvaluationError, ValueError):
    """The data cannot support the analysis that was asked for."""


class ReportError(EvaluationError, RuntimeError):
    """A report could not be written; the last good one is untouched."""


def suggest(unknown: str, known: Iterable[str]) -> str:
    """Say which known name is nearest to an unknown one, or list the first ten.

    Examples
    --------
    >>> suggest("cohrt", ["cohort", "year"])
    "did you mean 'cohort'?"
    >>> suggest("xyz", ["cohort", "year"])
    'known: cohort, year.'
    """
    names = sorted(known)
    nearest = get_close_matches(unknown, names, n=1)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    more = f", ... ({len(names)} in all)" if len(names) > _SHOWN else ""
    return f"known: {', '.join(names[:_SHOWN])}{more}."


def raise_problems(name: str, problems: Sequence[str]) -> None:
    """Raise one DataError that lists the first ten problems of a file and counts the rest.

    Does nothing where there are none.
    """
    if not problems:
        return
    rest = len(problems) - _SHOWN
    more = [f"... and {rest} more."] if rest > 0 else []
    raise DataError("\n".join([*(f"{name}: {text}" for text in problems[:_SHOWN]), *more]))


def plain_line(text: str) -> str:
    r"""Write a text for a terminal: what would steer it, or start a line, is spelled out.

    Examples
    --------
    >>> plain_line("a\x1b[2Jb")
    'a\\x1b[2Jb'
    """
    return "".join(
        one.encode("unicode_escape").decode()
        if category(one) in _STEERING and one != "\t"
        else one
        for one in text
    )
