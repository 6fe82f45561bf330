"""How alike two values or texts are: the levels, and the tolerance between numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from evaluation.language import mark

Level = Literal["identical", "canonical", "close", "different"]

LEVELS: tuple[Level, ...] = get_args(Level)
"""From the best to the worst."""

LEVEL_NAMES: Mapping[Level, str] = {
    "identical": mark("identical"),
    "canonical": mark("the same but for form"),
    "close": mark("within the tolerance"),
    "different": mark("different"),
}
"""What a level is called; said where it is shown."""

TOLERANCE = 1e-8
"""Between two numbers, relative to the larger one, unless another is given."""

NEGLIGIBLE = 1e-12
"""Two numbers that are both below this share of their column's largest count as equal."""

_DECIMAL = re.compile(r"(?<![\w.,])[-+\u2212]?\d[\d,]*\.\d+(?![\w.]*\d)")
_SHA256 = re.compile(r"\b[0-9a-f]{64}\b")
_BLANKS = re.compile(r"\s+")


def worst(levels: Iterable[Level]) -> Level:
    """Give the worst of some levels; "identical" of none.

    Examples
    --------
    >>> worst(["close", "identical"])
    'close'
    """
    return max(levels, key=LEVELS.index, default="identical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """What counts as the same.

    Attributes
    ----------
    tolerance
        Numbers a and b are close if ``|a - b| <= tolerance * max(|a|, |b|)``.
    own
        What a text may say of the run that it is in: the run's name and hash.
    packages
        Names of packages, whose versions a text may name.
    texts
        Whether texts are compared: not where the runs are in two languages.
    rounding
        Whether printed numbers may differ by a unit of their last digit: not where a run was
        altered since it was written.
    """

    tolerance: float = TOLERANCE
    own: frozenset[str] = frozenset()
    packages: frozenset[str] = frozenset()
    texts: bool = True
    rounding: bool = True

    def values(self, before: Any, after: Any, *, largest: float = 0.0) -> Level:
        """Say how alike two values are, as results.json has them.

        Parameters
        ----------
        before, after
            Numbers, texts, true or false, null, or bounds as their ends.
        largest
            The largest absolute value of their column.
        """
        if isinstance(before, dict) and isinstance(after, dict):
            return worst(
                self.values(before.get(end), after.get(end), largest=largest)
                for end in {*before, *after}
            )
        if is_number(before) and is_number(after):
            return self.numbers(float(before), float(after), largest=largest)
        if isinstance(before, str) and isinstance(after, str):
            return self.phrases(before, after) if self.texts else "identical"
        same = before == after and type(before) is type(after)
        return "identical" if same else "different"

    def numbers(self, before: float, after: float, *, largest: float = 0.0) -> Level:
        """Say how alike two numbers are.

        Examples
        --------
        >>> Judge().numbers(1.0, 1.0 + 1e-9), Judge().numbers(1.0, 1.001)
        ('close', 'different')
        """
        if before == after:
            return "identical"
        size = max(abs(before), abs(after))
        if abs(before - after) <= self.tolerance * size or size < NEGLIGIBLE * largest:
            return "close"
        return "different"

    def phrases(self, before: str, after: str) -> Level:
        """Say how alike two texts are.

        They are close if nothing differs but numbers with decimals, each by no more than one
        unit of its last digit: rounding may do that. A whole number may be a count, or a year.

        Examples
        --------
        >>> Judge().phrases("a rise of 5.46", "a rise of 5.45")
        'close'
        >>> Judge().phrases("in 82 villages", "in 83 villages")
        'different'
        """
        if before == after:
            return "identical"
        before, after = self.canonical(before), self.canonical(after)
        if before == after:
            return "canonical"
        if not self.rounding or _DECIMAL.sub("#", before) != _DECIMAL.sub("#", after):
            return "different"
        pairs = zip(_DECIMAL.findall(before), _DECIMAL.findall(after), strict=True)
        return "close" if all(_within_a_unit(*pair) for pair in pairs) else "different"

    def canonical(self, text: str) -> str:
        """Give a text without what a run says of itself, and blanks alike.

        Examples
        --------
        >>> judge = Judge(own=frozenset({"hills-12345678"}), packages=frozenset({"pandas"}))
        >>> judge.canonical("Run  hills-12345678 with pandas 3.0.1")
        'Run RUN with pandas VERSION'
        """
        text = _SHA256.sub("SHA256", _BLANKS.sub(" ", text).strip())
        for name in sorted(self.own, key=len, reverse=True):
            text = text.replace(name, "RUN")
        return self._name_versions(text)

    def _name_versions(self, text: str) -> str:
        folded = text.lower()
        named = [name for name in self.packages if name in folded]
        if not named:
            return text
        names = "|".join(map(re.escape, sorted(named, key=len, reverse=True)))
        versions = re.compile(rf"(?<![\w-])({names})([ =]{{1,3}}v?)\d[\w.]*\w", re.IGNORECASE)
        return versions.sub(r"\1\2VERSION", text)


def is_number(value: Any) -> bool:
    """Whether a value is a number; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer that no float can hold
        return False


def _within_a_unit(before: str, after: str) -> bool:
    """Whether two printed numbers are apart by one unit of the last digit at the most."""
    first, second = (
        Decimal(text.replace(",", "").replace("\u2212", "-")) for text in (before, after)
    )
    exponent = first.as_tuple().exponent
    if exponent != second.as_tuple().exponent or not isinstance(exponent, int):
        return False
    return abs(first - second) <= Decimal(1).scaleb(exponent)
