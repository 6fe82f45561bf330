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
    columns = [str(column) for column in part.table.frame.columns]
    for role in (
        *("code", "id", "name", "town", "county", "year", *KINDS, "outcome", "first_year"),
        *(
            "date",
            "treated",
            *COVARIATES,
            "weights",
            "longitude",
            "latitude",
            "source",
            "amount",
        ),
        *("stage", "project", "type", "start", "jobs", "expected_return", "pillar"),
        *("indicator", "value", "unit"),
    ):
        labels = part.table.labels
        scored = [
            (
                max(score_name(column, role), score_name(labels.get(column, ""), role) - 50),
                column,
            )
            for column in columns
        ]
        fits = [
            column
            for score, column in sorted(scored, key=lambda pair: -pair[0])
            if score > 0
            and column not in part.roles.values()
            and _fits(part.table, column, role)
        ]
        if fits:
            part.roles[role], part.others[role] = fits[0], fits[1:4]
    if part.has("treated", "year") and not _varies(part, part.roles["treated"]):
        del part.roles["treated"]  # who is ever treated, not when
    if part.has("year") and not {"code", "id", "name"} & part.roles.keys():
        _guess_id(part)


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
    keys = [
        part.roles[role] for role in ("code", "id", "county", "town", "name") if part.has(role)
    ]
    return bool(keys and part.table.frame.groupby(keys)[column].nunique().max() > 1)


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
