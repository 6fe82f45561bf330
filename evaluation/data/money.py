"""Units of money: 元, 千元, 万元, 亿元, or a currency by its code."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evaluation.data.units import SCALES
from evaluation.errors import DataError

_WORDS = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_YUAN = {"元", "圆", "人民币", "yuan", "RMB", "CNY"}
_MONEY = re.compile(
    r"(?:(?P<word>hundred|thousand|million|billion)\s+|(?P<number>1[0,]*)\s+)?"
    r"(?P<scale>[十百千万亿]*)(?P<name>元|圆|人民币|yuan|RMB|[A-Z]{3})(?P<per>/.+)?"
)
_SOUNDS_LIKE_MONEY = re.compile(
    r"(?i:元|圆|人民币|yuan|RMB|[块角]钱|dollar|rupiah|\b(?:usd|cny|eur|gbp|jpy|hkd|idr)\b)"
    r"|\b[A-Z]{3}\b"  # "log" and "ton" are no currencies
)


@dataclass(frozen=True, slots=True)
class MoneyUnit:
    """A unit of money: ``factor`` of the currency's own unit (万元: 10,000 of CNY)."""

    currency: str
    factor: int


def parse_money(unit: str) -> MoneyUnit | None:
    """Read a unit of money; None where a unit is not one of money.

    Raises
    ------
    DataError
        If it speaks of money in a way that is not read.

    Examples
    --------
    >>> parse_money("万元")
    MoneyUnit(currency='CNY', factor=10000)
    >>> parse_money("million IDR")
    MoneyUnit(currency='IDR', factor=1000000)
    >>> parse_money("户") is None
    True
    """
    match = _MONEY.fullmatch(unit.strip())
    if match is None:
        if _SOUNDS_LIKE_MONEY.search(unit):
            raise DataError(
                f"the unit {unit!r} is not read; write 元, 千元, 万元, 亿元, or a currency's "
                "code, as in USD, thousand USD, million IDR."
            )
        return None
    factor = _WORDS.get(match["word"] or "", 1)
    if match["number"]:
        factor = int(match["number"].replace(",", ""))
    for scale in match["scale"]:
        factor *= SCALES[scale]
    return MoneyUnit("CNY" if match["name"] in _YUAN else match["name"], factor)


def check_unit(unit: str) -> str:
    """Give a unit back as it stands, if it is not money or money that is read."""
    try:
        parse_money(unit)
    except DataError as error:
        raise ValueError(str(error)) from None
    return unit
