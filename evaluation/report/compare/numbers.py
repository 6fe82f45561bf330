"""Two values printed with as many digits as their difference needs."""

from __future__ import annotations

import math
from typing import Any

from evaluation.language import say
from evaluation.report.compare.levels import is_number

_KEPT = 4  # significant digits of a number
_OF_CHANGE = 2  # and of a change
_MOST = 17  # what a float holds
_LARGE = 1e15
_SMALL, _LARGE_SHARE = 1e-3, 100.0  # of what it was: others have two digits


def show_pair(before: Any, after: Any) -> tuple[str, str]:
    """Print two values so that one sees what differs.

    Examples
    --------
    >>> show_pair(5.4585773, 5.6121), show_pair(1234567.0, 1234568.0)
    (('5.459', '5.612'), ('1,234,567', '1,234,568'))
    >>> show_pair(0.1, 0.1 + 2e-9), show_pair(None, "a")
    (('0.1000000000', '0.1000000020'), ('—', 'a'))
    """
    if not (is_number(before) and is_number(after)):
        return show(before), show(after)
    if isinstance(before, int) and isinstance(after, int):
        return f"{before:,}", f"{after:,}"
    places = _places(float(before), float(after))
    if places is None:
        return repr(before), repr(after)
    return f"{before:,.{places}f}", f"{after:,.{places}f}"


def show(value: Any) -> str:
    """Print one value as results.json has it."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return say("yes") if value else say("no")
    if isinstance(value, dict):
        return _show_bounds(value)
    if isinstance(value, int):
        return str(value)  # it may be a year
    if is_number(value):
        places = _places(float(value), float(value))
        return f"{value:,.{places}f}" if places is not None else repr(value)
    return str(value)


def show_change(before: Any, after: Any) -> tuple[str, str]:
    """Print a number's change, and that relative to what it was; '' for what is no number.

    Examples
    --------
    >>> show_change(4.0, 5.0), show_change(0.0, 0.25), show_change("passed", "failed")
    (('+1.0', '+25.0%'), ('+0.25', ''), ('', ''))
    """
    if not (is_number(before) and is_number(after)):
        return "", ""
    change = float(after) - float(before)
    if not change or not math.isfinite(change):
        return ("0", "") if not change else ("", "")
    if isinstance(before, int) and isinstance(after, int):
        absolute = f"{after - before:+,}"
    else:
        digits = _OF_CHANGE - 1 - math.floor(math.log10(abs(change)))
        absolute = f"{change:+,.{max(digits, 0)}f}" if digits <= _MOST else f"{change:+.1e}"
    if before == 0:
        return absolute, ""
    share = change / abs(float(before))
    fine = _SMALL < abs(share) < _LARGE_SHARE
    return absolute, f"{share:+.1%}" if fine else f"{100 * share:+.2g}%"


def _places(before: float, after: float) -> int | None:
    """Give the decimals to print two numbers with; None where powers must do."""
    size = max(abs(before), abs(after))
    if size == 0:
        return 0
    if size >= _LARGE:
        return None
    digits = _KEPT - 1 - math.floor(math.log10(size))
    if before.is_integer() and after.is_integer():
        digits = 0
    elif before != after:
        digits = max(digits, _OF_CHANGE - 1 - math.floor(math.log10(abs(after - before))))
    return max(digits, 0) if digits <= _MOST else None


def _show_bounds(value: dict[str, Any]) -> str:
    lower, upper = value.get("lower"), value.get("upper")
    if lower == upper and lower is not None:
        return show(lower)
    left = "[" if value.get("lower_closed") else "("
    right = "]" if value.get("upper_closed") else ")"
    ends = ("-∞" if lower is None else show(lower), "∞" if upper is None else show(upper))
    return f"{left}{ends[0]}, {ends[1]}{right}"
