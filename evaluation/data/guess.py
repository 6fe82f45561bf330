"""``evaluation new``: a first study.yml, guessed from the files, for a researcher to mend."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from python_calamine import CalamineWorkbook

from evaluation.data.coded import read_words
from evaluation.data.guess_text import COVARIATES, KINDS, GuessedFile, compose_study, is_number
from evaluation.data.guess_words import score_name
from evaluation.data.sheets import SHEET_SUFFIXES
from evaluation.data.tables import Table, read_table
from evaluation.errors import DataError


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
    opened = [part for path in files for part in _open(path)]
    for part in opened:
        _guess_roles(part)
    text = compose_study(folder, opened)
    folder.mkdir(parents=True, exist_ok=True)
    for path in files:
        if path.resolve().parent != folder.resolve():
            if (folder / path.name).exists():
                raise DataError(f"{folder / path.name} is there already; nothing was copied.")
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
    columns = [str(column) for column in part.table.frame.columns]
    for role in (
        *("code", "id", "name", "town", "county", "year", *KINDS, "outcome", "first_year"),
        *("date", "treated", *COVARIATES, "weights", "longitude", "latitude", "source", "amount"),
        *("stage", "project", "type", "start", "jobs", "expected_return", "pillar"),
        *("indicator", "value", "unit"),
    ):
        scored = [(score_name(column, role), column) for column in columns]
        fits = [
            column
            for score, column in sorted(scored, key=lambda pair: -pair[0])
            if score and column not in part.roles.values() and _fits(part.table, column, role)
        ]
        if fits:
            part.roles[role], part.others[role] = fits[0], fits[1:4]


def _fits(table: Table, column: str, role: str) -> bool:
    """Whether a column's cells can be what its name says."""
    words = read_words(table, column).distinct
    words = words[words != ""]
    if role == "code":
        return bool(words.str.fullmatch(r"\d{12}").all())
    if role == "treated":
        return set(words) <= {"0", "1", "是", "否", "yes", "no"}
    if role == "first_year":
        return bool(words.str.fullmatch(r"(19|20)\d\d年?").all())
    if role == "date":
        return bool(words.str.contains(r"(?:19|20)\d\d").all())
    if role in (*KINDS, "outcome", "amount", "value", "weights", "longitude", "latitude"):
        return is_number(table, column)
    return True
