"""Numbers as they stand in a text, with what their print says of them."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Mode = Literal["nearest", "down", "up", "below", "above", "size"]
"""How a number was brought to what is printed: "size" leaves out its sign."""

SCALES = (1.0, 100.0, 1e4, 1e-4)
"""What numbers are multiplied with to be shown: as they are, in per cent, out of or in 万."""

_TOKEN = re.compile(
    r"(?P<word>[A-Za-z_][A-Za-z_.]*\d[\w.]*)"
    r"|(?P<sign>(?<![\w)\]])[-+])?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?![\d])|\d+|(?=\.\d))(?P<rest>\.\d+)?"
    r"(?P<power>e[-+]?\d+)?(?P<percent> ?%)?",
    re.ASCII,
)
_LOWER = re.compile(r"[\[(]\s*$")
_UPPER = re.compile(r"\s*[])]")
_FEWEST = 10  # units of the last digit
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A number, or a word with digits in it, which has no value.

    Attributes
    ----------
    text, plain
        As it stands, and without sign, thousands' commas and per cent.
    decimals
        How many it is printed with.
    end
        Which end of an interval it is.
    relation
        "<" or ">" in front of it.
    bare
        Whether no word stands in its line.
    """

    text: str
    plain: str
    value: float
    decimals: int
    percent: bool
    end: Literal["", "lower", "upper"]
    relation: Literal["", "<", ">"]
    bare: bool

    @property
    def is_short(self) -> bool:
        """Whether it has too few digits to be known again in another unit."""
        return abs(self.value) < _FEWEST * 10.0**-self.decimals

    @property
    def is_word(self) -> bool:
        """Whether it is no number: "C048"."""
        return math.isnan(self.value)


@lru_cache(maxsize=50_000)
def read_tokens(text: str) -> tuple[str, tuple[Token, ...]]:
    """Read the numbers of a text, and the text with # in their places.

    Examples
    --------
    >>> shape, (low, high) = read_tokens("[1,250, 3.50) 万元")
    >>> shape, low.value, high.decimals, high.end
    ('[#, #) 万元', 1250.0, 2, 'upper')
    """
    text = plain_digits(text)
    matches = [*_TOKEN.finditer(text)]
    shape = _TOKEN.sub("#", text).strip()
    bare = not _LETTER.search(shape)
    return shape, tuple(_read(match, text, bare) for match in matches)


def plain_digits(text: str) -> str:
    """Write full-width digits and signs as plain ones, and leave out signs that don't show."""
    text = unicodedata.normalize("NFKC", text).replace("\u2212", "-").replace("\u200b", "")
    return re.sub(r"\s+", " ", text)


def _read(match: re.Match[str], text: str, bare: bool) -> Token:
    if match["word"]:
        return Token(
            text=match[0], plain=match[0], value=math.nan, decimals=0, percent=False, end="",
            relation="", bare=bare,
        )  # fmt: skip
    digits, rest = match["digits"].replace(",", ""), match["rest"] or ""
    size = f"{digits or '0'}{rest}{match['power'] or ''}"
    before = text[: match.start()].rstrip()
    in_brackets = match.end() < len(text) and _UPPER.match(text, match.end())
    end: Literal["", "lower", "upper"] = (
        "lower" if _LOWER.search(text[: match.start()]) else "upper" if in_brackets else ""
    )
    return Token(
        text=match[0],
        plain=size,
        value=float(size) * (-1 if match["sign"] == "-" else 1),
        decimals=max(len(rest) - 1, 0) - int((match["power"] or "e0")[1:]),
        percent=bool(match["percent"]),
        end=end,
        relation="<" if before.endswith("<") else ">" if before.endswith(">") else "",
        bare=bare,
    )
