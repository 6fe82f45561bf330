"""What the summary is made of: points, the exhibits that they rest on, numbers rounded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluation.language import choose, say
from evaluation.report.results import Exhibits, reason_of, rows_of

Row = Mapping[str, Any]

_COARSE = 3  # a width that begins with less than this is told with a digit more


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One sentence or two of a summary, and the exhibits that they rest on."""

    text: str
    exhibits: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was found, how sure one can be of it, and what not to conclude."""

    found: tuple[Point, ...]
    sure: tuple[Point, ...]
    not_to_conclude: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The exhibits of a report, by name, and what the sentences on them need to know.

    Attributes
    ----------
    exhibits
        As in results.json.
    alpha
        One less the nominal coverage of intervals.
    trend_max
        The steepest trend allowed, yuan a village and year.
    counties
        Counties' names as they are shown.
    county
        That of the report's county, where it is on one alone.
    """

    exhibits: Exhibits
    alpha: float = 0.05
    trend_max: float = 10_000
    counties: Mapping[str, str] = field(default_factory=dict)
    county: str = ""

    @property
    def level(self) -> str:
        """The nominal coverage of intervals: "95%"."""
        return f"{round(100 * (1 - self.alpha), 6):g}%"

    def rows(self, name: str) -> list[Row]:
        """Give an exhibit's rows; none if it is not there, or only says why it is not."""
        return rows_of(self.exhibits, name)

    def reason(self, name: str) -> str:
        """Give the reason for which an exhibit has nothing to show; '' if it has."""
        return reason_of(self.exhibits, name)

    def first(self, name: str, **values: Any) -> Row | None:
        """Give the first row with these values, as the data have them or as they are said."""
        for row in self.rows(name):
            if all(
                row.get(key) in (value, say(value) if isinstance(value, str) else value)
                for key, value in values.items()
            ):
                return row
        return None

    def point(self, text: str, *names: str) -> list[Point]:
        """Give a point on those of some exhibits that are there; none if there is no text."""
        there = tuple(name for name in names if name in self.exhibits)
        return [Point(text=text, exhibits=there)] if text and there else []


def name_county(name: str, zh: str) -> str:
    """Name a county in the language spoken; a number as "county 12"."""
    return say("county {name}", name=name) if name.isdigit() else choose(name, zh)


def is_known(row: Row, *names: str) -> bool:
    """Whether a row has all these numbers."""
    return all(
        isinstance(row.get(name), int | float) and math.isfinite(row[name]) for name in names
    )


def tell_share(share: float) -> str:
    """Tell a share in whole per cent, none that is not so as none or all.

    Examples
    --------
    >>> tell_share(0.972), tell_share(0.9999), tell_share(0.001), tell_share(1)
    ('97%', '>99%', '<1%', '100%')
    """
    if 0 < share < 1 and not 0.005 <= share < 0.995:
        return ">99%" if share > 0.5 else "<1%"
    return f"{share:.0%}"


def tell_numbers(
    numbers: Iterable[float],
    low: float | None = None,
    high: float | None = None,
    *,
    digits: int = 2,
    sign: bool = False,
) -> list[str]:
    """Tell numbers with no more digits than their interval supports.

    The half of the interval's width decides: it keeps two digits where it begins with 1 or
    2, else one. Without an interval numbers are told with so many ``digits``.

    Examples
    --------
    >>> tell_numbers([5.4553, 4.9569, 5.9576], 4.9569, 5.9576)
    ['5.5', '5.0', '6.0']
    >>> tell_numbers([12345.6], 11000, 13700), tell_numbers([0.012345])
    (['12,300'], ['0.012'])
    """
    if low is None or high is None or not math.isfinite(high - low) or high <= low:
        return [_tell(number, _decimals(number, digits), sign) for number in numbers]
    half = (high - low) / 2
    decimals = _decimals(half, 1 if int(f"{half:e}"[0]) >= _COARSE else 2)
    return [_tell(number, decimals, sign) for number in numbers]


def _decimals(size: float, digits: int) -> int:
    return digits - 1 - math.floor(math.log10(abs(size))) if size else 0


def _tell(number: float, decimals: int, sign: bool) -> str:
    rounded = round(number, decimals)
    return f"{rounded:{'+' if sign else ''}z,.{max(decimals, 0)}f}"
