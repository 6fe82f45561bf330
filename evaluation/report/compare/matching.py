"""Which row of one table is which of another: by what names them, not by where they stand."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

Row = Mapping[str, Any]
Pair = tuple[int | None, int | None]
"""The places of a row in both tables; None where it is not."""

# Such columns hold what was found, or words about it: they name no row.
_FINDINGS = re.compile(
    r"n|n_.*|se|.*_se|sd|estimate|.*_low|.*_high|p_.*|reasons?|notes?|.*unit|method|detail|"
    r"finding|value|amount|means?|gain|verdict|remark|gap|words|missing|.*share"
)
_DECIMAL = re.compile(r"\d[\d,]*\.\d+")
_LIKE = 0.5  # of the other cells that must agree, for a row under another name to be the same
_FEW = 400  # rows without a name that are aligned one by one


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """Rows of two tables, matched.

    Attributes
    ----------
    keys
        The columns that name a row; none where nothing does.
    pairs
        In the order of the second table, rows of the first alone at their old place.
    """

    keys: tuple[str, ...]
    pairs: tuple[Pair, ...]


def match_rows(
    before: Sequence[Row], after: Sequence[Row], columns: Sequence[str], *, named: bool = True
) -> Matched:
    """Match the rows of two tables.

    Parameters
    ----------
    before, after
        The rows, each with the columns.
    columns
        Those of both tables, in their order.
    named
        Whether a row's name is the same in both tables: not if they are in two languages.

    Notes
    -----
    A row is named by the first column that tells all rows apart, else by the first that do
    together, of those that hold words, whole numbers, or numbers that come again. Rows of one
    name are aligned in their order. Those left over between the same neighbours are paired
    where their number is the same and half of their other cells are.
    """
    keys = _find_keys(before, after, columns)
    used = [key for key in keys if named or not _has_text(before, key)]
    pairs = _pair_by_name(before, after, used)
    pairs = _pair_renamed(pairs, before, after, columns, used, named=named)
    return Matched(keys=tuple(keys), pairs=tuple(pairs))


def _find_keys(
    before: Sequence[Row], after: Sequence[Row], columns: Sequence[str]
) -> list[str]:
    whole = [len(before), len(after)]
    able = [column for column in columns if _may_name(before, after, column)]
    for column in able:
        if _count_names(before, after, [column]) == whole:
            return [column]
    keys: list[str] = []
    told = [min(n, 1) for n in whole]
    for column in able:
        now = _count_names(before, after, [*keys, column])
        if now > told or now[1] > told[1]:
            keys.append(column)
            told = now
        if told == whole:
            break
    return keys


def _count_names(before: Sequence[Row], after: Sequence[Row], keys: Sequence[str]) -> list[int]:
    return [len({_name(row, keys) for row in rows}) for rows in (before, after)]


def _may_name(before: Sequence[Row], after: Sequence[Row], column: str) -> bool:
    if _FINDINGS.fullmatch(column):
        return False
    for rows in (before, after):
        values = [row[column] for row in rows if row[column] is not None]
        if any(isinstance(value, dict | list) for value in values):
            return False
        numbers = [value for value in values if isinstance(value, float)]
        broken = [value for value in numbers if not value.is_integer()]
        if broken and 2 * len(set(numbers)) > len(numbers):
            return False
    return True


def _has_text(rows: Sequence[Row], column: str) -> bool:
    return any(isinstance(row[column], str) for row in rows)


def _name(row: Row, keys: Sequence[str]) -> tuple[Any, ...]:
    """Give what names a row; a number in words ("1 sd more (3.81)") is not part of it."""
    values = [row[key] for key in keys]
    return tuple(_DECIMAL.sub("#", v) if isinstance(v, str) else v for v in values)


def _pair_by_name(
    before: Sequence[Row], after: Sequence[Row], keys: Sequence[str]
) -> list[Pair]:
    places: tuple[defaultdict[Any, list[int]], ...] = (defaultdict(list), defaultdict(list))
    for known, rows in zip(places, (before, after), strict=True):
        for place, row in enumerate(rows):
            known[_name(row, keys)].append(place)
    partner: dict[int, int] = {}
    for name, mine in places[0].items():
        others = places[1].get(name, [])
        for one, other in _align(before, after, mine, others):
            partner[other] = one
    return _in_order(partner, len(before), len(after))


def _in_order(partner: Mapping[int, int], n_before: int, n_after: int) -> list[Pair]:
    """Put pairs in the order of the second table; a row of the first alone at its place."""
    gone = iter(sorted(set(range(n_before)) - set(partner.values())))
    waiting = next(gone, None)
    pairs: list[Pair] = []
    for place in range(n_after):
        one = partner.get(place)
        while waiting is not None and one is not None and waiting < one:
            pairs.append((waiting, None))
            waiting = next(gone, None)
        pairs.append((one, place))
    pairs += [(waiting, None)] if waiting is not None else []
    return [*pairs, *((place, None) for place in gone)]


def _align(
    before: Sequence[Row], after: Sequence[Row], mine: list[int], others: list[int]
) -> Iterator[tuple[int, int]]:
    """Align rows of one name: equal ones first, then in their order."""
    if len(mine) == 1 == len(others):
        yield mine[0], others[0]
        return
    first = 0
    while first < min(len(mine), len(others)) and before[mine[first]] == after[others[first]]:
        yield mine[first], others[first]
        first += 1
    mine, others = mine[first:], others[first:]
    while mine and others and before[mine[-1]] == after[others[-1]]:
        yield mine.pop(), others.pop()
    if len(mine) == len(others) or max(len(mine), len(others)) > _FEW:
        yield from zip(mine, others, strict=False)
        return
    old = [repr(before[place]) for place in mine]
    new = [repr(after[place]) for place in others]
    matcher: SequenceMatcher[str] = SequenceMatcher(None, old, new, autojunk=False)
    for kind, i0, i1, j0, j1 in matcher.get_opcodes():
        if kind == "equal" or i1 - i0 == j1 - j0:
            yield from zip(mine[i0:i1], others[j0:j1], strict=True)


def _pair_renamed(
    pairs: Sequence[Pair],
    before: Sequence[Row],
    after: Sequence[Row],
    columns: Sequence[str],
    keys: Sequence[str],
    *,
    named: bool,
) -> list[Pair]:
    """Pair rows left over between the same neighbours, as many on either side."""
    found: list[Pair] = []
    gone: list[int] = []
    come: list[int] = []

    def settle() -> None:
        together = len(gone) == len(come)
        for one, other in zip(gone, come, strict=False):
            if together and (not named or _alike(before[one], after[other], columns, keys)):
                found.append((one, other))
            else:
                found.extend([(one, None), (None, other)])
        shorter = min(len(gone), len(come))
        found.extend((one, None) for one in gone[shorter:])
        found.extend((None, other) for other in come[shorter:])
        gone.clear()
        come.clear()

    for one, other in pairs:
        if one is not None and other is not None:
            settle()
            found.append((one, other))
        elif one is not None:
            gone.append(one)
        elif other is not None:
            come.append(other)
    settle()
    return found


def _alike(one: Row, other: Row, columns: Sequence[str], keys: Sequence[str]) -> bool:
    cells = [(one[name], other[name]) for name in columns if name not in keys]
    known = [(a, b) for a, b in cells if a is not None or b is not None]
    return sum(bool(a == b) for a, b in known) > _LIKE * len(known)
