"""Which village a row is on: by code, or by county, town and name; and what became of it."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.coded import Coded, Words, compare_cells, read_words
from evaluation.data.problems import Level, Problems, report_rows
from evaluation.data.study_files import VillageKey
from evaluation.data.tables import Table
from evaluation.language import mark, say

NAMES = ("county", "town", "name")
_CHANGES = {
    "county": mark("the county changes over the years: taken as the same village, renamed"),
    "town": mark("the town changes over the years: taken as the same village, renamed"),
    "name": mark("the name changes over the years: taken as the same village, renamed"),
}

_REPEALED = r"[\[【（(]\s*已?(?:撤销|撤并|合并|并入[^\])】）]*)\s*[\])】）]"
_OFFICE = re.compile(r"(?:村民委员会|村委会|居民委员会|居委会)$")
_CODE = r"\d{12}"
_TOWN = "000"
_LOST_DIGITS = r"\d(?:\.\d+)?[eE]\+?\d+"

Positions = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True)
class Villages:
    """The villages of a file, and which one each of its rows is on.

    Attributes
    ----------
    frame
        One row a village, in the order of the keys: the key as index ("village"), and the
        columns county, town and name, empty where the file has none.
    of_row
        The village's position for every row of the file.
    """

    frame: pd.DataFrame
    of_row: Positions


def clean_name(name: str) -> str:
    """Write a village's name one way: no mark of repeal, no committee, no blanks in Chinese.

    Examples
    --------
    >>> [clean_name(name) for name in ("东村[已撤销]", "东 村村民委员会", "San Juan ")]
    ['东村', '东村', 'San Juan']
    """
    name = re.sub(_REPEALED, "", name).strip().replace("/", "／")  # keys are joined with it
    if re.search(r"[一-鿿]", name):
        name = re.sub(r"\s+", "", name)
    bare = _OFFICE.sub("", name)
    return bare if bare.endswith(("村", "社区")) else bare + "村" if bare != name else name


def read_villages(
    table: Table,
    key: VillageKey,
    years: Coded,
    problems: Problems,
    *,
    renamed: Mapping[str, str] | None = None,
) -> Villages:
    """Say which village every row of a panel's file is on.

    Parameters
    ----------
    table
        The file.
    key
        The columns that identify a village.
    years
        The year of every row.
    problems
        Takes rows without a village, codes that are none and codes under two names in one
        year (errors), and renamed, merged or repealed villages (warnings).
    renamed
        The names in use, by former name.
    """
    words = {
        part: read_words(table, column, labelled=part in NAMES)
        for part, column in key_columns(key).items()
    }
    repealed: list[str] = []
    if "name" in words:
        raw = words["name"].distinct
        repealed = sorted(raw[raw.str.contains(_REPEALED)].map(clean_name))
        former = {clean_name(old): new for old, new in (renamed or {}).items()}
        words["name"] = words["name"].map(lambda n: former.get(clean_name(n), clean_name(n)))
    for part in {"county", "town"} & words.keys():
        words[part] = words[part].map(clean_name)
    main = next(part for part in ("code", "id", "name") if part in words)
    by = [main] if main != "name" else [part for part in NAMES if part in words]
    unnamed = (words[main].distinct == "").to_numpy()
    if unnamed.any():
        told = "rows without a village"
        remedy = "Give the village of every row; take a row of totals out."
        column = str(getattr(key, main))
        report_rows(table, problems, column, words[main].is_in(unnamed), told, remedy)
    of_row, keys = _number([words[part] for part in by])
    starts = np.append(0, np.flatnonzero(of_row[1:] != of_row[:-1]) + 1)[::-1]
    first = np.empty(len(keys), np.intp)
    first[of_row[starts]] = starts
    frame = pd.DataFrame(index=pd.Index(keys, name="village"))
    for part in NAMES:
        frame[part] = words[part].take(first).array if part in words else ""
    if main == "code":
        _check_codes(table, str(key.code), frame.index, of_row, problems)
    # Codes that lost their digits make one village of many: no more is to be said of them.
    if main != "name" and not lost_digits(frame.index).any():
        for part in NAMES:
            if part in words and (words[part].codes != words[part].codes[first][of_row]).any():
                frame[part] = _names_over_time(
                    table,
                    str(getattr(key, part)),
                    part,
                    words[part],
                    of_row,
                    years,
                    keys,
                    problems,
                )
    if repealed:
        problems.add(
            "warning",
            table.name,
            say("villages marked as repealed"),
            say("Their rows are kept; the years after stay missing."),
            column=key.name or "",
            cells=repealed,
        )
    return Villages(frame, of_row)


def lost_digits(keys: pd.Index[str]) -> npt.NDArray[np.bool_]:
    """Mark the keys that Excel shortened (3.7083E+11)."""
    lost = np.zeros(len(keys), dtype=bool)
    if (odd := ~keys.str.isdigit()).any():
        lost[odd] = keys[odd].str.fullmatch(_LOST_DIGITS)
    return lost


def _check_codes(
    table: Table, column: str, keys: pd.Index[str], of_row: Positions, problems: Problems
) -> None:
    """Report keys that are no division codes of villages."""
    plain = keys.str.fullmatch(_CODE)
    lost = ~plain & lost_digits(keys)
    town = plain & keys.str.endswith(_TOWN)
    kinds: tuple[tuple[Level, npt.NDArray[np.bool_], str, str], ...] = (
        (
            "error",
            lost,
            "codes that lost digits, as Excel shortens long numbers",
            "Take the codes from their source again, as text: the digits are not in the file.",
        ),
        (
            "error",
            ~plain & ~lost & (keys != ""),
            "not codes of 12 digits",
            "Write the full division code (行政区划代码) as text; name any other identifier "
            "under village.id.",
        ),
        (
            "warning",
            town,
            say("codes of a town or county, not of a village (they end in 000)"),
            say("If Excel rounded them, take them from their source again, as text."),
        ),
    )
    for level, hits, message, remedy in kinds:
        if hits.any():
            rows = np.isin(of_row, np.flatnonzero(hits))
            report_rows(table, problems, column, rows, message, remedy, level=level)


def key_columns(key: VillageKey) -> dict[str, str]:
    """Give the columns that a village is known by: code, id, county, town, name."""
    parts = {part: getattr(key, part) for part in ("code", "id", *NAMES)}
    return {part: column for part, column in parts.items() if column}


def _number(words: list[Words]) -> tuple[Positions, pd.Series[str]]:
    """Give every row its village's number, in the order of the keys, and the keys."""
    codes, keys = words[0].codes, words[0].distinct
    for more in words[1:]:
        pairs, distinct = pd.factorize(codes * len(more.distinct) + more.codes)
        left, right = np.divmod(distinct, len(more.distinct))
        keys = pd.Series(
            keys.to_numpy(object)[left] + "/" + more.distinct.to_numpy(object)[right]
        )
        codes = pairs
    if compare_cells(keys.array[1:], keys.array[:-1], operator.gt).all():
        return codes, keys.astype("str")
    order = keys.argsort().to_numpy()
    place = np.empty(len(order), np.intp)
    place[order] = np.arange(len(order))
    return place[codes], keys.iloc[order].astype("str").reset_index(drop=True)


def _names_over_time(
    table: Table,
    column: str,
    part: str,
    words: Words,
    of_row: Positions,
    years: Coded,
    keys: pd.Series[str],
    problems: Problems,
) -> list[str]:
    """Report villages with several names, and give the name of each one's last year."""
    spells = find_spells(of_row, words.codes, years.to_array())
    report_spells(
        spells, words.distinct, keys, table, column, problems,
        mixed=f"more than one {part} for one village, in overlapping years",
        changed=say(_CHANGES[part]),
        mend=f"Write one {part} per village, or give two villages two codes.",
        mend_changed=say("If they are two villages, give them two codes."),
    )  # fmt: skip
    last = ~spells["village"].duplicated(keep="last")
    return list(words.distinct.to_numpy(object)[spells["word"][last]])


def find_spells(of_row: Positions, codes: Positions, years: npt.NDArray[Any]) -> pd.DataFrame:
    """Give each village's words in order: village, word (its code), first and last year."""
    spells = pd.DataFrame({"village": of_row, "word": codes, "year": years})
    spells = spells.groupby(["village", "word"], sort=True)["year"].agg(["min", "max"])
    return spells.reset_index().sort_values(["village", "min"], ignore_index=True)


def report_spells(
    spells: pd.DataFrame,
    distinct: pd.Series[str],
    keys: pd.Series[str],
    table: Table,
    column: str,
    problems: Problems,
    *,
    mixed: str,
    changed: str,
    mend: str,
    mend_changed: str = "",
) -> None:
    """Report villages with several words: an error in overlapping years, else a warning."""
    same = spells["village"].eq(spells["village"].shift())
    overlap = same & (spells["min"] <= spells["max"].shift())
    several = spells["village"].duplicated(keep=False)
    confused = spells["village"].isin(spells["village"][overlap])
    kinds: tuple[tuple[Level, pd.Series[bool], str, str], ...] = (
        ("error", several & confused, mixed, mend),
        ("warning", several & ~confused, changed, mend_changed or mend),
    )
    for level, hits, what, remedy in kinds:
        if hits.any():
            some = spells[hits]
            names = distinct.to_numpy(object)[some["word"]]
            cells = [
                f"{keys.iloc[v]}: {name} {low:.0f}-{high:.0f}"
                for v, name, low, high in zip(
                    some["village"], names, some["min"], some["max"], strict=True
                )
            ]
            problems.add(level, table.name, what, remedy, column=column, cells=cells)
