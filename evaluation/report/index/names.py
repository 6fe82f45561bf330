"""One name for one thing, in the language spoken, whatever language a run was told in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import get_args

from evaluation.data.study_files import Area
from evaluation.language import Language, choose, mark, say, speaking

_NUMBERED = mark("county {name}")
_PRICED = mark("{unit}, {prices}")
_PRICES = (mark("prices of {year}"), mark("nominal"))
_LOGS = (mark("log of {unit}"), mark("log1p of {unit}"))
_BOTH = re.compile(r"(.*[A-Za-z).])\s+([\u2e80-\u9fff].*)")


def read_fields(text: str, message: str) -> dict[str, str] | None:
    """Read a message's fields out of what was said in any language; None if it is another.

    Examples
    --------
    >>> read_fields("prices of 2022", "prices of {year}")
    {'year': '2022'}
    """
    for language in get_args(Language):
        if match := _pattern(message, language).fullmatch(text):
            return match.groupdict()
    return None


def split_unit(text: str) -> tuple[str, str]:
    """Part a unit of a run from its prices: the unit, and a year, "nominal" or nothing.

    Examples
    --------
    >>> split_unit("万元, prices of 2022"), split_unit("log of yuan, nominal"), split_unit("")
    (('万元', '2022'), ('log of yuan', 'nominal'), ('', ''))
    """
    real, nominal = _PRICES
    parts = read_fields(text, _PRICED)
    if parts is not None:
        if (year := read_fields(parts["prices"], real)) is not None:
            return _retell(parts["unit"]), year["year"]
        if read_fields(parts["prices"], nominal) is not None:
            return _retell(parts["unit"]), say(nominal)
    return _retell(text), ""


class CountyNames:
    """Counties' names: those of studies, and those that runs told in both languages."""

    def __init__(self, areas: Iterable[Area], told: Iterable[str]) -> None:
        pairs = [(area.name, area.zh) for area in areas]
        pairs += [(m[1], m[2]) for m in map(_BOTH.fullmatch, told) if m]
        self._known: dict[str, str] = {}
        for english, chinese in pairs:
            both = f"{english} {chinese if chinese != english else ''}".strip()
            for key in filter(None, (english, chinese, both)):
                self._known.setdefault(key, choose(both, chinese))

    def show(self, name: str) -> str:
        """Give a county's name as it is shown; "all" where there is none."""
        if not name:
            return say("all")
        if name in self._known:
            return self._known[name]
        number = {"name": name} if name.isdigit() else read_fields(name, _NUMBERED)
        return say(_NUMBERED, **number) if number else name


@cache
def _pattern(message: str, language: Language) -> re.Pattern[str]:
    with speaking(language):
        told = re.escape(say(message))
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", told))


def _retell(unit: str) -> str:
    """Say a unit: of logarithms, and yuan, in the language spoken."""
    for message in _LOGS:
        if parts := read_fields(unit, message):
            return say(message, unit=_retell(parts["unit"]))
    return say("yuan") if read_fields(unit, "yuan") is not None else unit
