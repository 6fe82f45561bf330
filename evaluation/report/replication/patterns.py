"""Numbers and addresses that are a person's: what they look like, and what only looks so."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_PROVINCES = {
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55),
    *range(61, 66), 71, 81, 82, 83, 91,
}  # fmt: skip
# No part of a longer number, word, hash or decimal; 张三-138... is one, -138... a number.
_BEFORE = r"(?<![\w.])(?<!(?<![㐀-鿿])-)"
_AFTER = r"(?![\w%]|\.\d|-\d)"
_FEW = 5
"""From so many alike on, numbers in a column are judged together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of number or address.

    Attributes
    ----------
    name
        What a finding is called.
    form
        What it looks like; its whole match is the value.
    holds
        Whether what looks like one is one: check digits, dates.
    length
        Digits of a plain number that may be one by chance: a column that holds many of that
        length, most of which are none, holds none.
    """

    name: str
    form: re.Pattern[str]
    holds: Callable[[str], bool] = lambda value: True
    length: tuple[int, ...] = ()


def find_values(text: str) -> Iterator[tuple[Kind, re.Match[str]]]:
    """Find all numbers and addresses of persons in a text."""
    for kind in KINDS:
        for match in kind.form.finditer(text):
            if kind.holds(match[0]):
                yield kind, match


def judge_column(kind: Kind, cells: Sequence[str], found: Sequence[str]) -> bool:
    """Whether what was found in a column is more than chance.

    Examples
    --------
    >>> bank = next(kind for kind in KINDS if kind.name == "bank card")
    >>> judge_column(bank, [f"62{n:014}" for n in range(20)], ["6200000000000005"])
    False
    """
    alike = [cell for cell in cells if cell.isdigit() and len(cell) in kind.length]
    plain = [value for value in found if value.isdigit()]
    return len(alike) < _FEW or len(plain) < len(found) or 2 * len(plain) >= len(alike)


def is_identity_number(value: str) -> bool:
    """Whether 18 digits have a province, a date of birth and the check digit of GB 11643.

    Examples
    --------
    >>> is_identity_number("11010519491231002X"), is_identity_number("110105194912310021")
    (True, False)
    """
    total = sum(int(d) * w for d, w in zip(value[:17], _WEIGHTS, strict=True))
    return (
        int(value[:2]) in _PROVINCES
        and _is_date(value[6:14])
        and _CHECKS[total % 11] == value[17].upper()
    )


def _is_old_identity_number(value: str) -> bool:
    return int(value[:2]) in _PROVINCES and _is_date(f"19{value[6:12]}")


def _is_date(digits: str) -> bool:
    try:
        date = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1900 <= date.year <= datetime.date.max.year


def _passes_luhn(value: str) -> bool:
    digits = [int(d) for d in reversed(value) if d.isdigit()]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    return 16 <= len(digits) <= 19 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _form(text: str) -> re.Pattern[str]:
    return re.compile(f"{_BEFORE}(?:{text}){_AFTER}", re.ASCII)


_AREA = r"0(?:10|2\d|[3-9]\d\d)"
KINDS = (
    Kind(
        name="identity number",
        form=_form(r"[1-9]\d{5}(?:18|19|20)\d{9}[\dXx]"),
        holds=is_identity_number,
    ),
    Kind(
        name="identity number of 15 digits",
        form=_form(r"[1-9]\d{14}"),
        holds=_is_old_identity_number,
        length=(15,),
    ),
    Kind(
        name="mobile number",
        form=_form(r"(?:(?:\+|00)?86[- ]?)?1[3-9]\d(?:\d{8}|([- ])\d{4}\1\d{4})"),
        length=(11,),
    ),
    Kind(
        name="telephone number",
        form=_form(rf"(?:[(（]{_AREA}[)）] ?|{_AREA}[-－ ])[2-8]\d{{6,7}}"),
    ),
    Kind(
        name="e-mail address",
        form=re.compile(
            r"(?<![\w.+-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b", re.ASCII
        ),
    ),
    Kind(
        name="bank card",
        form=_form(
            r"(?:62|4\d|5[1-5]|35|9558|103\d)(?:\d{12,17}|\d\d(?: \d{4}){3}(?: \d{3})?)"
        ),
        holds=_passes_luhn,
        length=(16, 17, 18, 19),
    ),
)
