"""The language that a reader is told things in: English, or Chinese by a gettext catalogue."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from evaluation.errors import ReportError

Language = Literal["en", "zh"]

_LOCALE = Path(__file__).parent / "locale"
_DOMAIN = "evaluation"
_CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")

# One for the process, as in gettext.install: what is said in threads is in it too.
_spoken: Language = "en"


def use_language(language: Language) -> None:
    """Say everything from now on in a language.

    Raises
    ------
    ReportError
        If there is no catalogue of it.
    """
    global _spoken
    if language not in get_args(Language):
        raise ReportError(f"language is {language!r}; give 'en' or 'zh'.")
    _spoken = language


def spoken() -> Language:
    """Give the language that is spoken."""
    return _spoken


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Say everything in a language for as long as the context lasts."""
    before = _spoken
    use_language(language)
    try:
        yield
    finally:
        use_language(before)


def say(message: str, **values: Any) -> str:
    """Give a message in the language spoken, its fields filled in.

    Parameters
    ----------
    message
        The English text, a literal, as the catalogue has it; ``{fields}`` as in str.format.
    values
        The fields' values. Without any, braces stay as they are.

    Examples
    --------
    >>> say("{n:,} villages", n=1234)
    '1,234 villages'
    """
    return say_in(_spoken, message, **values)


def say_in(language: Language, message: str, **values: Any) -> str:
    """Give a message in a language, whichever is spoken: of a text that is kept in both."""
    told = _catalogue(language).gettext(message) if message else ""
    return told.format(**values) if values else told


def say_count(one: str, many: str, n: int, **values: Any) -> str:
    """Give the message for one thing or for many, its fields, with ``n``, filled in.

    Examples
    --------
    >>> say_count("{n} village", "{n:,} villages", 1)
    '1 village'
    """
    return _catalogue(_spoken).ngettext(one, many, int(n)).format(n=n, **values)


def mark(message: str) -> str:
    """Mark a literal for the catalogue; it is given in English, to be said later."""
    return message


def sentences(*parts: str) -> str:
    """Put sentences one after another, leaving out the empty ones."""
    return ("" if _spoken == "zh" else " ").join(filter(None, parts))


def listing(items: Iterable[str]) -> str:
    """List things: "a, b and c".

    Examples
    --------
    >>> listing(["a", "b", "c"]), listing(["a"])
    ('a, b and c', 'a')
    """
    *first, last = [*items] or [""]
    if not first:
        return last
    comma, final = ("、", "和") if _spoken == "zh" else (", ", " and ")
    return f"{comma.join(first)}{final}{last}"


def commas(items: Iterable[str]) -> str:
    """Put things after one another: "a, b, c"."""
    return ("、" if _spoken == "zh" else ", ").join(items)


def choose(english: str, chinese: str) -> str:
    """Give a text that the data have in both languages; English where there is no Chinese."""
    return chinese if _spoken == "zh" and chinese else english


def has_chinese(text: str) -> bool:
    """Whether there is a Chinese character, or punctuation mark, in a text."""
    return _CHINESE.search(text) is not None


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    if language == "en":
        return gettext.NullTranslations()
    return gettext.translation(_DOMAIN, _LOCALE, [language])
