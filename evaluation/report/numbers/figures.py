"""The numbers of an exhibit, and which of them a printed one can be."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from evaluation.report.numbers.tokens import SCALES, Mode, Token, read_tokens

_LAST_DIGITS = 1e-9
_NEARLY_ALL = 99.0  # per cent
_WORD = re.compile(r"[^\W\d_]")
_FEWEST_WORDS = 6  # letters, for words to be known again


class Source(NamedTuple):
    """Where a printed number can come from: a column of results.json, and how it is shown."""

    column: str
    scale: float
    mode: Mode | str


class Figures:
    """The numbers in the rows of an exhibit of results.json.

    Attributes
    ----------
    n_rows
        How many rows there are.
    names
        Columns of words, as of counties, that two rows or more share.
    """

    def __init__(self, rows: list[Mapping[str, Any]]) -> None:
        self.n_rows = len(rows)
        columns = rows[0] if rows else ()
        shared = {name: [row[name] for row in rows] for name in columns}
        self.names = {
            name: cells
            for name, cells in shared.items()
            if all(isinstance(cell, str | int) for cell in cells)
            and 1 < len({*cells}) < len(cells)
        }
        self._quotes: list[list[tuple[str, list[str]]]] = [[] for _ in rows]
        numbers: dict[str, dict[int, float]] = defaultdict(dict)
        self._words: dict[str, list[tuple[int, Source]]] = defaultdict(list)
        for i, row in enumerate(rows):
            for column, value in _leaves(row):
                if isinstance(value, str):
                    shape, tokens = read_tokens(value)
                    for token in tokens:
                        self._words[token.plain].append((i, Source(column, 1.0, "text")))
                    if tokens and len(_WORD.findall(shape)) >= _FEWEST_WORDS:
                        self._quotes[i].append((shape, [token.plain for token in tokens]))
                else:
                    numbers[column][i] = value
        self._columns = list(numbers)
        self._values = np.full((self.n_rows, len(numbers)), np.nan)
        for j, known in enumerate(numbers.values()):
            self._values[list(known), j] = list(known.values())
        self._found: dict[Token, dict[int, frozenset[Source]]] = {}

    def find(self, token: Token) -> dict[int, frozenset[Source]]:
        """Give the rows that have a printed number, and from where in them it can be."""
        if token not in self._found:
            found: dict[int, set[Source]] = defaultdict(set)
            for row, source in self._words.get(token.plain, ()):
                found[row].add(source)
            if not token.is_word and self._values.size:
                for source, at in self._match(token):
                    for row in at:
                        found[row].add(source)
            self._found[token] = {row: frozenset(sources) for row, sources in found.items()}
        return self._found[token]

    def misquoted(
        self, rows: Iterable[int], shape: str, numbers: Sequence[str]
    ) -> dict[int, str]:
        """Give what other numbers stand in a line's words, where some rows have the same words.

        Returns
        -------
        By the number's place in the line, of the words that are nearest to it; empty if some
        words have its numbers.
        """
        found = []
        for row in rows:
            for words, said in self._quotes[row] if row >= 0 else ():
                if (at := shape.find(words)) >= 0:
                    first = shape[:at].count("#")
                    pairs = zip(numbers[first:], said, strict=False)
                    found.append({first + i: b for i, (a, b) in enumerate(pairs) if a != b})
        return min(found, key=len, default={})

    def nearest(self, token: Token, rows: Iterable[int], usual: Iterable[Source]) -> str:
        """Give the number that a printed one should be: of the usual columns, else the next."""
        at = [row for row in rows if row >= 0]
        if token.is_word or not at or not self._values.size:
            return ""
        values = self._values[at]
        columns = {source.column: source.scale for source in usual}
        if own := [i for i, name in enumerate(self._columns) if name in columns]:
            scales = np.array([columns[self._columns[i]] for i in own])
            if np.isfinite(values[:, own]).any():
                values = values[:, own] * scales
        if not np.isfinite(values).any():
            return ""
        return f"{values.flat[int(np.nanargmin(np.abs(values - token.value)))]:.10g}"

    def _match(self, token: Token) -> Iterator[tuple[Source, list[int]]]:
        unit = 10.0**-token.decimals
        slack = unit * 1e-6
        for scale in SCALES[:2] if token.percent else SCALES:
            values = self._values * scale
            gaps = values - token.value
            near = unit / 2 + slack + np.abs(values) * _LAST_DIGITS
            modes: dict[Mode, Any] = {"nearest": np.abs(gaps) <= near}
            if token.relation == "<" and abs(token.value - unit) < slack:
                modes = {"below": (gaps < 0) & (values >= 0)}
            elif token.relation == ">" and token.percent and token.value == _NEARLY_ALL:
                modes = {"above": (gaps > 0) & (values <= 100)}
            elif token.end == "lower":
                modes["down"] = (gaps >= -slack) & (gaps < unit + slack)
            elif token.end == "upper":
                modes["up"] = (gaps <= slack) & (gaps > -unit - slack)
            if token.value > 0 and not token.bare and not token.text.startswith("+"):
                modes["size"] = (np.abs(values + token.value) <= near) & (values < 0)
            for mode, fits in modes.items():
                for column in np.flatnonzero(fits.any(axis=0)).tolist():
                    at = np.flatnonzero(fits[:, column]).tolist()
                    yield Source(self._columns[column], scale, mode), at


def _leaves(row: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, float | str]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{name}.")
        elif isinstance(value, str):
            yield f"{above}{name}", value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)
