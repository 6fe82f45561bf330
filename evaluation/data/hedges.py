"""A figure as printed in a Chinese text, with its hedge, as bounds.

Two readings are kept. The *strict* reading takes the words literally. 余 and 多 leave a
remainder below one unit of the last digit that is not zero: 3300余万 is [3300, 3400) 万. Behind
万 it is below one unit of the last digit printed: 10万余 is [10, 11) 万. The lower end is kept,
out of caution. 以上, 以下 and 以内 include the number, 超过 and 不满 leave it out, as in
article 1259 of the Civil Code of the PRC, which is taken as a guide to usage; 突破, 过, 逾 and
不足 leave it out by ordinary usage. 近 and 约 reach as far as one unit, or half of one, of the
last digit that is not zero (of 10, 100, ...: of the next digit).

The *loose* reading takes the words as officials' prose often does: 10万余 may be anything in
[10, 20) 万. It is wider, but for 过, 超, 突破 and the like, where it adds a ceiling: 过亿 is
below two 亿, or the text would have said so.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from evaluation.bounds import Bounds
from evaluation.data.hedge_words import AFTER, BEFORE, BOUNDING, LIMITS
from evaluation.data.units import SCALES, Unit, parse_unit, unit_prefixes
from evaluation.errors import DataError

Reading = Literal["strict", "loose"]
READINGS: tuple[Reading, ...] = ("strict", "loose")
OTHER_READING: dict[Reading, Reading] = {"strict": "loose", "loose": "strict"}

# Full-width forms only: all of NFKC would make digits of footnote marks (² and ①).
HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}


def _longest_first(words: dict[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_DIGITS = {d: n for n, d in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_ONE = f"[{''.join(_DIGITS).replace('零', '').replace('〇', '')}几数]"
_CHINESE = re.compile(
    rf"(?:(?P<千>{_ONE}?)千)?零?(?:(?P<百>{_ONE}?)百)?零?(?:(?P<十>{_ONE}?)十)?零?(?P<一>{_ONE})?"
)
_DECIMAL = r"\d{1,3}(?:,\d{3}){1,9}(?:\.\d{1,30})?|\d{1,30}(?:\.\d{1,30})?"
_FIGURE = re.compile(
    rf"(?P<before>(?:{_longest_first(BEFORE)})*)"
    rf"(?:(?P<number>{_DECIMAL}|[{''.join(_DIGITS)}十百千几数]+)"
    rf"(?:[-~—至到](?P<to>{_DECIMAL}))?)?"
    r"(?P<inner>余|多)?"
    r"(?P<scale>[十百千万亿]*)"
    r"(?P<outer>余|多)?"
    rf"(?P<unit>{'|'.join(map(re.escape, unit_prefixes()))})?"
    r"(?:(?<=个)(?:村|项目|合作社|企业|车间|县|乡镇|岗位)|/(?P<per>年))?"
    rf"(?P<after>{_longest_first(AFTER)})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A printed figure, read.

    Attributes
    ----------
    printed
        The text.
    value
        The number as it stands, in ``unit``.
    unit
        The unit that ``value``, ``strict`` and ``loose`` are in.
    strict, loose
        What the words allow, in either reading.
    hedges
        The words that bound the number, in the order printed.
    every
        Whether it is said of each village: it then bounds the smallest.
    is_limit
        Whether the text gives no one number but a floor (以上), a ceiling (不足) or a range
        (几十).
    """

    printed: str
    value: Fraction
    unit: Unit
    strict: Bounds
    loose: Bounds
    hedges: tuple[str, ...]
    every: bool
    is_limit: bool

    @property
    def is_exact(self) -> bool:
        """Whether its words leave one value, in either reading."""
        return self.strict.is_exact and self.loose == self.strict


def read_figure(printed: str, *, unit: str | None = None) -> Figure:
    """Read a printed figure and its hedge as bounds.

    Parameters
    ----------
    printed
        Such as "3300余万元", "全部突破10万元", "不足1.2亿元", "两年", "１０多家".
    unit
        The unit to give the bounds in, such as "万元"; by default the one printed.

    Raises
    ------
    DataError
        If a word is not known, the unit is of another kind, or the words contradict.

    Examples
    --------
    >>> figure = read_figure("10万余元", unit="万元")
    >>> print(figure.strict, figure.loose)
    [10, 11) [10, 20)
    >>> print(read_figure("平均达到15.68万元").strict)
    [15.675, 15.685)
    """
    text = printed.translate(HALF_WIDTH).replace(" ", "")
    match = _FIGURE.fullmatch(text)
    if (
        match is None
        or not (match["number"] or match["scale"])
        or (match["to"] and not match["number"].isascii())
    ):
        raise DataError(f"cannot read the figure {printed!r}: {_unread(text)}")
    per = f"/{match['per']}" if match["per"] else ""
    stated = parse_unit(match["scale"] + (match["unit"] or "个") + per)
    target = parse_unit(unit) if unit else stated
    if match["unit"] is None:
        stated = Unit(target.plain, stated.factor if match["scale"] else target.factor)
    # A rate (万元/年) may be printed without its period; a count never in another unit.
    if target.plain != stated.plain:
        raise DataError(
            f"{printed!r} is printed in {stated.plain}, but its unit is given as {unit}."
        )
    if per and target.per != match["per"]:
        raise DataError(f"{printed!r} is printed {per}, but its unit is given as {unit}.")
    before = re.findall(_longest_first(BEFORE), match["before"])
    words = [(word, BEFORE[word]) for word in before]
    words += [(word, "remainder") for word in (match["inner"], match["outer"]) if word]
    words += [(match["after"], AFTER[match["after"]])] if match["after"] else []
    number = _number(match, printed)
    strict, loose = _bounds(number, words, printed)
    factor = Fraction(stated.factor, target.factor)
    return Figure(
        printed=printed,
        value=number.value * factor,
        unit=target,
        strict=strict * factor,
        loose=loose * factor,
        hedges=tuple(word for word, kind in words if kind != "neutral"),
        every=any(kind == "every" for _, kind in words),
        is_limit=number.upper > number.value or any(kind in LIMITS for _, kind in words),
    )


@dataclass(frozen=True, slots=True)
class _Number:
    """A number in the printed scale, with the places that its hedge refers to."""

    value: Fraction
    upper: Fraction  # above value for 几 and 数, and for 20至25
    last_place: Fraction  # of the last digit that stands there
    last_nonzero: Fraction  # of the last digit that is not zero
    leading: Fraction  # of the first digit
    remainder: Fraction  # what 余 stays below, where it stands
    is_range: bool

    @property
    def step(self) -> Fraction:
        """How far 近 and 约 reach: one in the last digit (of 1000, one in the next)."""
        if self.value == self.leading and self.last_place == 1:
            return self.last_nonzero / 10
        return self.last_nonzero


def _number(match: re.Match[str], printed: str) -> _Number:
    text = match["number"] or "1"  # 过亿元: above one 亿
    if text[0].isascii():
        digits = text.replace(",", "")
        value = Fraction(digits)
        upper = Fraction((match["to"] or text).replace(",", ""))
        decimals = len(digits.partition(".")[2])
    else:
        value, upper = _chinese(text, printed)
        digits, decimals = str(int(value)), 0
    if upper < value or (match["to"] and upper == value):
        raise DataError(f"{printed!r}: the range does not run upwards.")
    plain = digits.replace(".", "").lstrip("0")
    last = Fraction(1, 10**decimals)
    zeros = 0 if decimals else len(plain) - len(plain.rstrip("0"))
    nonzero = last * 10**zeros
    leading = last * 10 ** max(len(plain) - 1, 0)
    # 10万余: below one 万. 10余万 and 400余人: below the last digit that is not zero.
    after_scale = bool(match["outer"] and match["scale"])
    remainder = last if after_scale else nonzero
    return _Number(value, upper, last, nonzero, leading, remainder, bool(match["to"]))


def _chinese(text: str, printed: str) -> tuple[Fraction, Fraction]:
    """Read a Chinese numeral below 10,000; 几 and 数 span 2 to 9, behind 十 1 to 9."""
    match = _CHINESE.fullmatch(text)
    # 一百二 is 120 to some and 102 to others: a rank left out needs its 零.
    skipped = match and re.search("千[^百零]+$|百[^十零]$|百十|千百", text)
    if match is None or skipped or text in "零〇":
        raise DataError(f"cannot read the numeral {text!r} in {printed!r}; write it in digits.")
    ranks = "千百十一"

    def lower_ranks(rank: str) -> bool:
        return any(match[lower] is not None for lower in ranks[ranks.index(rank) + 1 :])

    low = high = 0
    for rank in ranks:
        digit = match[rank]
        if digit is None:
            continue
        scale = SCALES.get(rank, 1)
        if digit in ("几", "数"):
            low += (1 if low else 2) * scale
            high += (9 if lower_ranks(rank) else 10) * scale
        else:
            low += _DIGITS.get(digit, 1) * scale
            high += _DIGITS.get(digit, 1) * scale
    return Fraction(low), Fraction(high)


def _bounds(
    number: _Number, words: list[tuple[str, str]], printed: str
) -> tuple[Bounds, Bounds]:
    """Apply the hedge to the number: the strict and the loose reading."""
    value = number.value
    kinds = {kind for _, kind in words}
    bounding = [kind for _, kind in words if kind in BOUNDING]
    if len(bounding) > 1 or (number.upper > value and bounding):
        raise DataError(
            f"{printed!r} bounds its figure twice; "
            "give the figure with one hedge and keep the rest in the note."
        )
    kind = bounding[0] if bounding else ""
    if not kind and words and words[-1][0] == "均":
        raise DataError(f"{printed!r}: 均 may be 平均 or 每; give the figure with one of them.")
    if not value and kind in ("nearly", "about", "remainder"):
        raise DataError(f"{printed!r} hedges a zero; give the figure, or none.")
    next_leading = (value // number.leading + 1) * number.leading
    open_end = Bounds(value, math.inf, lower_closed=False)
    if kind == "remainder":
        strict = Bounds(value, value + number.remainder, upper_closed=False)
        place = 10 * number.remainder
        carried = min(next_leading, (value // place + 1) * place)
        return strict, strict.hull(Bounds(value, carried, upper_closed=False))
    if kind == "above":
        # Of every village it bounds the smallest, and the others have no loose end either.
        if "every" in kinds or not value:
            return open_end, open_end
        return open_end, Bounds(value, next_leading, False, False)
    if kind == "at_least":
        return (both := Bounds.at_least(value)), both
    if kind in ("below", "at_most"):
        return (both := Bounds(0, value, upper_closed=kind == "at_most")), both
    if kind == "nearly":
        low = value - number.step
        previous = (math.ceil(value / number.leading) - 1) * number.leading
        loose = Bounds(min(previous, low) if previous else low, value, True, False)
        return Bounds(low, value, False, False), loose
    if kind == "about":
        half = number.step / 2
        strict = Bounds(value - half, value + half, upper_closed=False)
        return strict, Bounds(value - 2 * half, value + 2 * half)
    if number.upper > value:
        # 20至25 reaches 25; 几十 stays below 100.
        return (both := Bounds(value, number.upper, upper_closed=number.is_range)), both
    strict = Bounds.exactly(value)
    if number.last_place < 1 or "mean" in kinds:
        half = number.last_place / 2
        strict = Bounds(value - half, value + half, upper_closed=False)
    # 达到20万元 may be a floor; a total or a mean that reaches a figure is that figure.
    floor = "reaches" in kinds and not kinds & {"total", "mean"}
    return strict, Bounds(strict.lower, math.inf) if floor else strict


def _unread(text: str) -> str:
    """Name the part of a figure that no rule reads."""
    read = _FIGURE.match(text)
    tail = text[read.end() :] if read else text
    if not tail:
        return "it holds no number."
    before, behind = (
        " ".join(word for word, kind in words.items() if kind in BOUNDING)
        for words in (BEFORE, AFTER)
    )
    return (
        f"the hedge or unit {tail!r} is not known. Hedges read are {before}, and behind a "
        f"number {behind}. For another, leave printed empty and give lower and upper."
    )
