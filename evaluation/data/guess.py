"""``evaluation new``: a first study.yml, guessed from the files, for a researcher to mend."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from python_calamine import CalamineWorkbook

from evaluation.data.coded import read_words
from evaluation.data.guess_text import COVARIATES, TRAITS, compose_study
from evaluation.data.guess_words import (
    CELL_WORDS,
    KEYS,
    KINDS,
    GuessedFile,
    is_number,
    join_years,
    named_unit,
    plain_name,
    score_name,
)
from evaluation.data.sheets import SHEET_SUFFIXES
from evaluation.data.tables import Table, read_table
from evaluation.errors import DataError

_FIRST = ("code", "id", "name", "town", "county", "year")
_NEXT = (
    *(*KINDS, "outcome", "first_year", "date", "treated", *COVARIATES, *TRAITS, "weights"),
    *("longitude", "latitude", "source", "amount", "stage", "project", "type", "start"),
    *("jobs", "expected_return", "pillar", "indicator", "value", "unit"),
)
_IN_CELLS = 2  # the score of a column that only its cells speak for
_CELLS = {"code": r"\d{12}", "first_year": r"(19|20)\d\d年?", "date": r".*(19|20)\d\d.*"}
_YEAR = re.compile(r"(19[5-9]\d|1949|20\d\d|2100)年?")
_EVENT = re.compile(
    "派驻|入驻|选派|任职|出生|成立|建|birth|born|first|treat|start|cohort|found"
)


def write_new_study(folder: Path, files: Sequence[Path]) -> Path:
    """Make a study of some files: copy them into a folder and guess its study.yml.

    Parameters
    ----------
    folder
        A new folder, or one without a study.yml; files that are in it already stay.
    files
        Village panels, ledgers, projects, indicators, households: any format that is read.

    Returns
    -------
    The study.yml. Its guesses have comments with what else they could be.

    Raises
    ------
    DataError
        If there is a study.yml, a file does not read, or no file has villages.
    """
    target = folder / "study.yml"
    if target.exists():
        raise DataError(f"{target} is there already; mend it, or name another folder.")
    names = [path.name for path in files]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"two of the files are called {doubled[0]}; rename one.")
    opened = [part for path in files for part in _open(path)]
    for part in opened:
        _guess_roles(part)
    text = compose_study(folder, opened)
    folder.mkdir(parents=True, exist_ok=True)
    away = [path for path in files if path.resolve().parent != folder.resolve()]
    for path in away:
        if (folder / path.name).exists():
            raise DataError(f"{folder / path.name} is there already; nothing was copied.")
    for path in away:
        shutil.copyfile(path, folder / path.name)
    target.write_text(text, encoding="utf-8")
    return target


def _open(path: Path) -> list[GuessedFile]:
    """Read a file, or every sheet of a workbook that holds a table."""
    if path.suffix.lower() not in SHEET_SUFFIXES:
        return [GuessedFile(path.name, read_table(path))]
    try:
        return [GuessedFile(path.name, read_table(path))]
    except DataError as error:
        if "sheets hold data" not in str(error):
            raise
    found = []
    for sheet in CalamineWorkbook.from_path(path).sheet_names:
        try:
            found.append(GuessedFile(path.name, read_table(path, sheet=sheet), sheet))
        except DataError:
            continue  # a sheet of notes
    return found


def _guess_roles(part: GuessedFile) -> None:
    _guess_columns(part, _FIRST)
    if not part.has("year"):
        part.table, part.years = join_years(part.table)
    _guess_columns(part, _NEXT)
    by_year = part.has("year") or part.years
    if by_year and part.has("treated") and not _varies(part, part.roles["treated"]):
        del part.roles["treated"]  # who is ever treated, not when
    if part.has("year") and not {"code", "id", "name"} & part.roles.keys():
        _guess_id(part)


def _guess_columns(part: GuessedFile, roles: Sequence[str]) -> None:
    columns = [str(column) for column in part.table.frame.columns]
    words = {c: {w for w in read_words(part.table, c).distinct if w} for c in columns}
    for role in roles:
        scored = [(_score(part, column, role, words[column]), column) for column in columns]
        fits = [
            column
            for score, column in sorted(scored, key=lambda pair: -pair[0])
            if score > 0
            and column not in part.roles.values()
            and _fits(part.table, column, role, words[column], is_named=score > _IN_CELLS)
        ]
        if fits:
            part.roles[role], part.others[role] = fits[0], fits[1:]


def _score(part: GuessedFile, column: str, role: str, words: set[str]) -> int:
    """Say how well a column fits a role, by its name, its label or its cells."""
    label = part.table.labels.get(column, "")
    score = max(score_name(column, role), score_name(label, role) - 50)
    plain = plain_name(column)
    if role in CELL_WORDS and words and words <= CELL_WORDS[role]:
        return 200
    if role == "outcome" and re.search(r"收入|消费|inc|consum|expend", plain):
        return 150 if re.search(r"人均|(^|_)pc(_|$)|per_?cap", plain) else max(score, 1)
    may_be = {
        "code": any(not word.endswith("000") for word in words),  # else of towns
        "year": bool(re.search("y|年", plain)) and _varies(part, column),
    }
    return max(score, _IN_CELLS) if may_be.get(role) else score


def _guess_id(part: GuessedFile) -> None:
    """Take for the village what, with the year, is different in every row."""
    frame, year = part.table.frame, part.roles["year"]
    fits = [
        column
        for column in map(str, frame.columns)
        if frame[column].nunique() < len(frame) and not frame.duplicated([column, year]).any()
    ]
    if fits:
        part.roles["id"], part.others["id"] = fits[0], fits[1:4]


def _varies(part: GuessedFile, column: str) -> bool:
    """Whether a column changes over the years of some village."""
    keys = part.columns(KEYS)
    return bool(keys and part.table.frame.groupby(keys)[column].nunique().max() > 1)


def _fits(table: Table, column: str, role: str, words: set[str], *, is_named: bool) -> bool:
    """Whether a column's cells can be what its name says."""
    if role in _CELLS:
        return all(re.fullmatch(_CELLS[role], word) for word in words)
    if role == "treated":
        return words <= {"0", "1", "是", "否", "yes", "no"}
    if role == "year" and not is_named:
        are_years = 2 <= len(words) <= 60 and all(map(_YEAR.fullmatch, words))
        return are_years and not _EVENT.search(plain_name(column))
    if role in (*KINDS, "outcome", "amount", "value", "weights", "longitude", "latitude"):
        return is_number(table, column)
    if role in TRAITS:
        return not is_number(table, column)
    if role in ("source", "stage", "project") and column not in table.value_labels:
        numbered = role == "project" and is_named and not named_unit(column)
        return numbered or not is_number(table, column)
    return True
