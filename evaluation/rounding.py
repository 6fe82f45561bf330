"""How exact numbers are printed: as many decimals as inform, rounded as asked."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

_MOST_WHOLE = 3
_MOST_SMALL = 15


def choose_decimals(numbers: Sequence[Fraction]) -> int:
    """Choose the decimals to print numbers with, the same for all of them.

    Numbers that end within three decimals are printed whole; else the smallest in size
    decides: none from 1000 on, one from 100, two from 1, and three digits below 1. Two
    ends get more where rounding outwards would widen their interval by half or more.

    Examples
    --------
    >>> choose_decimals([Fraction("15.675")]), choose_decimals([Fraction(371, 18)])
    (3, 2)
    """
    whole = [_decimals_needed(number) for number in numbers]
    if all(needed is not None for needed in whole):
        return max((needed for needed in whole if needed is not None), default=0)
    decimals = max(_decimals_informing(abs(number)) for number in numbers)
    width = max(numbers) - min(numbers)
    while width and _printed_width(numbers, decimals) >= width * Fraction(3, 2):
        decimals += 1
    return decimals


def print_rounded(
    number: Fraction | float, decimals: int, direction: Literal["down", "up", "nearest"]
) -> str:
    """Print a number with so many decimals; an infinite one as a sign.

    ``nearest`` rounds a half away from zero.

    Examples
    --------
    >>> print_rounded(Fraction(-1, 3), 2, "down"), print_rounded(Fraction(1, 8), 2, "nearest")
    ('-0.34', '0.13')
    """
    if isinstance(number, float):
        return "∞" if number > 0 else "-∞"
    scaled = number * 10**decimals
    if direction == "nearest":
        digits = math.floor(abs(scaled) + Fraction(1, 2)) * (-1 if scaled < 0 else 1)
    else:
        digits = math.floor(scaled) if direction == "down" else math.ceil(scaled)
    whole, rest = divmod(abs(digits), 10**decimals)
    tail = f".{rest:0{decimals}d}" if decimals else ""
    return f"{'-' if digits < 0 else ''}{whole}{tail}"


def _printed_width(numbers: Sequence[Fraction], decimals: int) -> Fraction:
    scale = 10**decimals
    return Fraction(math.ceil(max(numbers) * scale) - math.floor(min(numbers) * scale), scale)


def _decimals_needed(number: Fraction) -> int | None:
    exact = (n for n in range(_MOST_WHOLE + 1) if (number * 10**n).denominator == 1)
    return next(exact, None)


def _decimals_informing(size: Fraction) -> int:
    if size == 0 or size >= 1000:
        return 0
    if size >= 1:
        return 1 if size >= 100 else 2
    if size < Fraction(1, 10**_MOST_SMALL):
        return _MOST_SMALL
    return 2 - math.floor(math.log10(size))
