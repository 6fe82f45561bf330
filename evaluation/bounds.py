"""Bounds: all that is known of a number, as an interval with open or closed ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from numbers import Rational, Real
from typing import Any, Literal

from evaluation.errors import DataError
from evaluation.rounding import choose_decimals, print_rounded

Number = int | float | Fraction | Decimal
End = Fraction | float
"""An exact number, or -inf or inf."""
Answer = Literal["yes", "no", "unknown"]


@dataclass(frozen=True, slots=True, repr=False)
class Bounds:
    """The set of values that a number may have: an interval, each end open or closed.

    Arithmetic is exact (rational numbers; a float counts as the decimal it prints as) and
    the result holds every value that the operands allow. Where an operand occurs twice in
    a formula the result may be wider than need be, never narrower [1]_.

    Parameters
    ----------
    lower, upper
        The ends; ``-inf`` and ``inf`` for none.
    lower_closed, upper_closed
        Whether the end itself is a possible value. An infinite end is always open.

    Raises
    ------
    DataError
        If the interval is empty or an end is not a number.

    References
    ----------
    .. [1] Moore, Kearfott and Cloud (2009), Introduction to Interval Analysis, SIAM.
       https://doi.org/10.1137/1.9780898717716

    Examples
    --------
    >>> invested, jobs = Bounds.exactly(2617), Bounds(400, 500, upper_closed=False)
    >>> print(invested / jobs)
    (5.23, 6.55]
    >>> print(Bounds(3300, 3400, upper_closed=False) + invested)
    [5917, 6017)
    """

    lower: End
    upper: End
    lower_closed: bool = True
    upper_closed: bool = True

    # numpy scalars then leave `array * bounds` to this class, element by element.
    __array_ufunc__ = None

    def __post_init__(self) -> None:
        lower, upper = to_end(self.lower), to_end(self.upper)
        closed = (
            self.lower_closed and isinstance(lower, Fraction),
            self.upper_closed and isinstance(upper, Fraction),
        )
        if lower > upper:
            raise DataError(f"the lower bound {lower} is above the upper bound {upper}.")
        if lower == upper and not all(closed):
            raise DataError(
                f"no value lies between {lower} and {upper}: at least one end is open. "
                "Close both ends for an exact number."
            )
        object.__setattr__(self, "lower", lower)
        object.__setattr__(self, "upper", upper)
        object.__setattr__(self, "lower_closed", closed[0])
        object.__setattr__(self, "upper_closed", closed[1])

    @classmethod
    def exactly(cls, value: Number) -> Bounds:
        """Give the bounds of a number that is known."""
        return cls(to_end(value), to_end(value))

    @classmethod
    def at_least(cls, value: Number, *, strict: bool = False) -> Bounds:
        """Give the bounds of a number that is at least, or strictly more than, ``value``."""
        return cls(to_end(value), math.inf, lower_closed=not strict)

    @property
    def is_exact(self) -> bool:
        """Whether only one value is possible."""
        return self.lower == self.upper

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return isinstance(self.lower, Fraction) and isinstance(self.upper, Fraction)

    def __contains__(self, value: Number) -> bool:
        x = to_end(value)
        above = x > self.lower or (x == self.lower and self.lower_closed)
        below = x < self.upper or (x == self.upper and self.upper_closed)
        return above and below

    def __neg__(self) -> Bounds:
        return Bounds(-self.upper, -self.lower, self.upper_closed, self.lower_closed)

    def __add__(self, other: Bounds | Number) -> Bounds:
        if (that := as_bounds(other)) is None:
            return NotImplemented
        return Bounds(
            _add_ends(self.lower, that.lower),
            _add_ends(self.upper, that.upper),
            self.lower_closed and that.lower_closed,
            self.upper_closed and that.upper_closed,
        )

    def __sub__(self, other: Bounds | Number) -> Bounds:
        return NotImplemented if (that := as_bounds(other)) is None else self + (-that)

    def __mul__(self, other: Bounds | Number) -> Bounds:
        if (that := as_bounds(other)) is None:
            return NotImplemented
        products = [
            _multiply_ends(x, x_closed, y, y_closed)
            for x, x_closed in _ends(self)
            for y, y_closed in _ends(that)
        ]
        return _span(products)

    def __truediv__(self, other: Bounds | Number) -> Bounds:
        """Divide; a denominator that may be zero leaves the quotient unbounded.

        The result holds x / y for every possible x and every possible y but zero. A
        denominator on both sides of zero, or known to be zero, tells nothing: (-inf, inf).
        """
        if (that := as_bounds(other)) is None:
            return NotImplemented
        if that.lower == 0 == that.upper or that.lower < 0 < that.upper:
            return Bounds(-math.inf, math.inf)
        at_lower = -math.inf if that.upper == 0 else _reciprocal(that.upper)
        at_upper = math.inf if that.lower == 0 else _reciprocal(that.lower)
        return self * Bounds(at_lower, at_upper, that.upper_closed, that.lower_closed)

    def __radd__(self, other: Number) -> Bounds:
        return self + other

    def __rmul__(self, other: Number) -> Bounds:
        return self * other

    def __rsub__(self, other: Number) -> Bounds:
        return -self + other

    def __rtruediv__(self, other: Number) -> Bounds:
        return NotImplemented if (that := as_bounds(other)) is None else that / self

    def intersect(self, other: Bounds) -> Bounds | None:
        """Give the values possible in both, or None where there are none."""
        lower, lower_closed = max(self._low(), other._low(), key=lambda e: (e[0], not e[1]))
        upper, upper_closed = min(self._high(), other._high(), key=lambda e: (e[0], e[1]))
        if lower > upper or (lower == upper and not (lower_closed and upper_closed)):
            return None
        return Bounds(lower, upper, lower_closed, upper_closed)

    def hull(self, other: Bounds) -> Bounds:
        """Give the smallest interval that holds both."""
        return _span([*_ends(self), *_ends(other)])

    def maximum(self, other: Bounds) -> Bounds:
        """Give the bounds of the larger of two numbers."""
        # The larger is below an end that neither reaches: its lower end needs both closed.
        lower, lower_closed = max(self._low(), other._low(), key=lambda e: (e[0], not e[1]))
        upper, upper_closed = max(self._high(), other._high(), key=lambda e: (e[0], e[1]))
        return Bounds(lower, upper, lower_closed, upper_closed)

    def minimum(self, other: Bounds) -> Bounds:
        """Give the bounds of the smaller of two numbers."""
        return -(-self).maximum(-other)

    def compare(self, relation: Literal["<", "<=", ">", ">=", "=="], other: Bounds) -> Answer:
        """Say whether a relation holds for all, for none or for some of the possible values.

        Examples
        --------
        >>> Bounds(10, 11).compare("<", Bounds(11, 12, lower_closed=False))
        'yes'
        >>> Bounds(10, 20).compare("==", Bounds.exactly(15))
        'unknown'
        """
        if relation in (">", ">="):
            return other.compare("<" if relation == ">" else "<=", self)
        if relation == "==":
            if self.intersect(other) is None:
                return "no"
            return "yes" if self.is_exact and other.is_exact else "unknown"
        if relation == "<":
            holds, fails = _always_below(self, other), _never_above(other, self)
        else:
            holds, fails = _never_above(self, other), _always_below(other, self)
        return "yes" if holds else "no" if fails else "unknown"

    def _low(self) -> tuple[End, bool]:
        return self.lower, self.lower_closed

    def _high(self) -> tuple[End, bool]:
        return self.upper, self.upper_closed

    def __str__(self) -> str:
        return format(self, "")

    def __repr__(self) -> str:
        return f"Bounds({self})"

    def __format__(self, spec: str) -> str:
        """Print with ends rounded outwards; ``spec`` is '' or a number of decimals.

        An exact number is rounded to the nearest. How many decimals there are by default
        is said in evaluation.rounding.
        """
        finite = [end for end in (self.lower, self.upper) if isinstance(end, Fraction)]
        decimals = int(spec) if spec else choose_decimals(finite)
        if self.is_exact:
            return print_rounded(self.lower, decimals, "nearest")
        left, right = "[" if self.lower_closed else "(", "]" if self.upper_closed else ")"
        lower = print_rounded(self.lower, decimals, "down")
        upper = print_rounded(self.upper, decimals, "up")
        return f"{left}{lower}, {upper}{right}"


def to_end(value: Any) -> End:
    """Read a number exactly; a float counts as the decimal it prints as."""
    if isinstance(value, Rational):
        # numpy's integers would stay inside the fraction and overflow.
        return Fraction(int(value.numerator), int(value.denominator))
    if isinstance(value, Real):
        number = float(value)
        if math.isinf(number):
            return number
        if not math.isnan(number):
            return Fraction(repr(number))
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    raise DataError(f"{value!r} is not a number that can bound another.")


def as_bounds(value: object) -> Bounds | None:
    """Turn a number into bounds; None where the value is neither."""
    if isinstance(value, Bounds):
        return value
    return Bounds.exactly(value) if isinstance(value, Real | Decimal) else None  # type: ignore[arg-type]


def _ends(bounds: Bounds) -> list[tuple[End, bool]]:
    return [bounds._low(), bounds._high()]


def _span(ends: list[tuple[End, bool]]) -> Bounds:
    """Span the ends given; one that is closed once is closed."""
    lower = min(end for end, _ in ends)
    upper = max(end for end, _ in ends)
    return Bounds(lower, upper, (lower, True) in ends, (upper, True) in ends)


def _add_ends(x: End, y: End) -> End:
    """Add two lower or two upper ends: an infinite one swallows the other."""
    if isinstance(x, float):
        return x
    return y if isinstance(y, float) else x + y


def _multiply_ends(x: End, x_closed: bool, y: End, y_closed: bool) -> tuple[End, bool]:
    """Multiply two ends; a zero that is reached makes zero whatever the other is."""
    if x == 0 or y == 0:
        return Fraction(0), (x == 0 and x_closed) or (y == 0 and y_closed)
    if isinstance(x, float) or isinstance(y, float):
        return (math.inf if (x > 0) == (y > 0) else -math.inf), False
    return x * y, x_closed and y_closed


def _reciprocal(end: End) -> End:
    return Fraction(0) if isinstance(end, float) else 1 / end


def _always_below(a: Bounds, b: Bounds) -> bool:
    return a.upper < b.lower or (a.upper == b.lower and not (a.upper_closed and b.lower_closed))


def _never_above(a: Bounds, b: Bounds) -> bool:
    return a.upper <= b.lower
