"""Codes in the place of villages' names: what a report may show, and the key that stays."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.data.problems import Problem
from evaluation.errors import DataError

if TYPE_CHECKING:
    from evaluation.data.load import StudyData

COLUMNS = ("code", "kind", "county", "key", "name")

_LETTERS = "23456789BCDFGHJKMNPQRSTVWXZ"  # no code reads as a word, or as another
_LENGTH = 5
_SURE = 6  # digits that are a key, and not some other number
_PLACES = ("longitude", "latitude")


@dataclass(frozen=True)
class Pseudonyms:
    """The codes of a study's villages, towns and projects.

    Attributes
    ----------
    table
        One row a code: code, kind (village, town, project), county (of a town), key, name.
    """

    table: pd.DataFrame

    @cached_property
    def codes(self) -> dict[tuple[str, str, str], str]:
        """Codes by kind, county and key."""
        rows = self.table[["kind", "county", "key", "code"]].itertuples(index=False)
        return {(kind, county, key): code for kind, county, key, code in rows}

    @cached_property
    def names(self) -> dict[str, str]:
        """The keys and names that must not be seen, and their codes; short numbers apart."""
        return {
            name: code
            for column in ("key", "name")
            for name, code in zip(self.table[column], self.table["code"], strict=True)
            if len(name) >= (_SURE if name.isdigit() else 2)
        }

    def code(self, kind: str, keys: Sequence[str], counties: Sequence[str] = ()) -> list[str]:
        """Give the codes of keys, of towns with their counties; '' for ''.

        Raises
        ------
        DataError
            If one has no code.
        """
        counties = counties if len(counties) else [""] * len(keys)
        try:
            return [
                self.codes[kind, str(county), str(key)] if key else ""
                for key, county in zip(keys, counties, strict=True)
            ]
        except KeyError as error:
            raise DataError(
                f"the key file has no code for a {kind} of the study; run the report again "
                "with --pseudonymise, which adds it."
            ) from error

    def hide(self, text: str) -> str:
        """Put codes in the place of all names in a text, the longest first."""
        for name in sorted(self.names, key=len, reverse=True):
            if name in text:  # which is quicker to tell than what follows
                text = _standing(name).sub(self.names[name], text)
        return text

    def find(self, text: str) -> str:
        """Give the code of a name that stands in a text; '' if none does."""
        found = (n for n in self.names if n in text and _standing(n).search(text))
        return self.names.get(next(found, ""), "")


def read_pseudonyms(path: Path) -> Pseudonyms:
    """Read a key file.

    Raises
    ------
    DataError
        If it is not there, or has other columns, or gives one code twice.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a key file: {error}.") from error
    if tuple(table.columns) != COLUMNS:
        raise DataError(
            f"{path}: not a key file: its columns are {', '.join(table.columns)}, not "
            f"{', '.join(COLUMNS)}. Name another with --key."
        )
    if twice := table["code"][table["code"].duplicated()].to_list():
        raise DataError(f"{path}: the code {twice[0]} stands in two rows; give one another.")
    return Pseudonyms(table)


def extend_pseudonyms(path: Path, data: StudyData) -> Pseudonyms:
    """Give every village, town and project a code; those that the key file has keep theirs.

    Raises
    ------
    DataError
        If the key file is there and cannot be read, or has another name for a key of the
        study, as the study's would then not be looked for; or if it cannot be written.
    """
    known = read_pseudonyms(path) if path.exists() else Pseudonyms(_to_table([]))
    taken = set(known.table["code"])
    held = known.table.set_index("code")["name"]
    rows = []
    for kind, county, key, name in _things(data):
        if (kind, county, key) in known.codes:
            other = held[known.codes[kind, county, key]]
            if name != key and other not in ("", key, name):
                raise DataError(
                    f"{path}: {kind} {key} is {other} in it, and {name} in the study. Name "
                    "another file with --key if it is of another study, or mend the name in it."
                )
        else:
            code = _draw(kind, taken)
            taken.add(code)
            rows.append((code, kind, county, key, name))
    if not rows:
        return known
    # By code, as the order of the file would tell which village is which.
    table = pd.concat([known.table, _to_table(rows)]).sort_values("code", ignore_index=True)
    begun = path.with_name(f"{path.name}.partial")
    try:
        table.to_csv(begun, index=False, encoding="utf-8-sig")
        begun.chmod(0o600)
        os.replace(begun, path)
    except OSError as error:
        raise DataError(
            f"{path}: the key file cannot be written: {error.strerror or error}; name another "
            "place with --key."
        ) from error
    return Pseudonyms(table)


def pseudonymise(data: StudyData, pseudonyms: Pseudonyms) -> StudyData:
    """Put codes in the place of villages, towns and projects; coordinates are left out.

    Villages are put in the order of their codes, as theirs in the file tells who they are.

    Raises
    ------
    DataError
        If a village has no code.
    """
    panel = _hide_panel(data.panel, pseudonyms) if data.panel else None
    ledger = data.ledger
    if ledger is not None:
        ledger = replace(
            ledger,
            entries=_hide_frame(ledger.entries, pseudonyms),
            problems=_hide_problems(ledger.problems, pseudonyms),
        )
    projects, indicators = (
        None if frame is None else _hide_frame(frame, pseudonyms)
        for frame in (data.projects, data.indicators)
    )
    return replace(
        data,
        panel=panel,
        ledger=ledger,
        projects=projects,
        indicators=indicators,
        problems=_hide_problems(data.problems, pseudonyms),
    )


def _hide_panel(panel: VillagePanel, pseudonyms: Pseudonyms) -> VillagePanel:
    villages = panel.villages.drop(columns=[c for c in _PLACES if c in panel.villages])
    keys = pseudonyms.code("village", list(villages.index))
    towns = pseudonyms.code("town", list(villages["town"]), list(villages["county"]))
    order = np.argsort(keys)
    index = pd.Index(keys, name=villages.index.name)
    villages = villages.assign(name=keys, town=towns).set_axis(index).iloc[order]
    return replace(
        panel,
        villages=villages,
        matrices={name: matrix[order] for name, matrix in panel.matrices.items()},
        rows=panel.rows[order],
        hedged=panel.hedged.assign(
            village=pseudonyms.code("village", list(panel.hedged["village"]))
        ),
        problems=_hide_problems(panel.problems, pseudonyms),
    )


def _hide_frame(frame: pd.DataFrame, pseudonyms: Pseudonyms) -> pd.DataFrame:
    hidden = {"village": pseudonyms.code("village", list(frame["village"]))}
    if "town" in frame:
        hidden["town"] = pseudonyms.code("town", list(frame["town"]), list(frame["county"]))
    if "project" in frame:
        hidden["project"] = pseudonyms.code("project", list(frame["project"]))
    frame = frame.assign(**hidden).sort_values([*hidden], kind="stable", ignore_index=True)
    return frame.assign(row=range(len(frame))) if "row" in frame else frame


def _hide_problems(problems: Sequence[Problem], pseudonyms: Pseudonyms) -> tuple[Problem, ...]:
    """Leave out the cells and rows in which problems were found: they tell of villages."""
    return tuple(
        replace(problem, message=pseudonyms.hide(problem.message), places=())
        for problem in problems
    )


def _standing(name: str) -> re.Pattern[str]:
    """Match a name, not a part of another word or number: Li in Listed, 370831 in 0.370831."""
    before = r"(?<![A-Za-z0-9.])" if name[0].isascii() else ""
    after = r"(?![A-Za-z0-9]|\.[0-9])" if name[-1].isascii() else ""
    return re.compile(f"{before}{re.escape(name)}{after}")


def _things(data: StudyData) -> Iterator[tuple[str, str, str, str]]:
    """List kind, county, key and name of all that gets a code, each once."""
    frames = [data.ledger.entries if data.ledger else None, data.projects, data.indicators]
    found: dict[tuple[str, str, str], str] = {}
    if data.panel:
        villages = data.panel.villages
        for key, row in zip(villages.index, villages.to_dict("records"), strict=True):
            found["village", "", str(key)] = str(row["name"])
            found["town", str(row["county"]), str(row["town"])] = str(row["town"])
    for frame in frames:
        if frame is None:
            continue
        for column in ("village", "town", "project"):
            if column in frame:
                counties = frame["county"] if column == "town" else [""] * len(frame)
                for key, county in zip(frame[column], counties, strict=True):
                    found.setdefault((column, str(county), str(key)), str(key))
    for (kind, county, key), name in found.items():
        if key:
            yield kind, county, key, name


def _draw(kind: str, taken: set[str]) -> str:
    """Draw a code that nobody can work out from the name, or from another run's seed."""
    while True:
        code = f"{kind[0].upper()}-{''.join(secrets.choice(_LETTERS) for _ in range(_LENGTH))}"
        if code not in taken:
            return code


def _to_table(rows: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)
