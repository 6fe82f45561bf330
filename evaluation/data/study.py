"""A study: the folder that holds study.yml and the files that it names."""

from __future__ import annotations

import contextlib
import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    StringConstraints,
    model_validator,
)

from evaluation.data.config import read_config
from evaluation.data.hedges import Reading
from evaluation.errors import DataError


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Text(_Part):
    """A text in English, and in Chinese where there is one."""

    en: str
    zh: str = ""


def _date(given: object) -> object:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            given = datetime.date.fromisoformat(given)
    if type(given) is not datetime.date:
        raise ValueError("not a date; write YYYY-MM-DD")
    return given


class Source(_Part):
    """Where the figures come from, and what that is and is not."""

    publisher: Text
    date: Annotated[datetime.date, BeforeValidator(_date)]
    title: Text | None = None
    what_it_is: list[Text]
    what_it_is_not: list[Text]


class Area(_Part):
    """A county, or the whole programme, as the files name it."""

    name: Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
    zh: str = ""


def _inside(name: str) -> str:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError("name a file inside the study's folder")
    return name


FileName = Annotated[str, AfterValidator(_inside)]


class Unquantified(_Part):
    """Money that the text names without an amount: totals then have no upper bound."""

    county: str
    indicator: str
    claim: str


class ClaimFiles(_Part):
    """The published claims: the table, its dictionary of indicators, the cross-checks."""

    file: FileName = "claims.csv"
    indicators: FileName = "indicators.csv"
    crosschecks: FileName | None = None
    unquantified: list[Unquantified] = []


class PanelFile(_Part):
    """A village panel: one row a village and year, and what its columns are called."""

    file: FileName
    village: str = "village"
    year: str = "year"
    outcome: str = "outcome"
    cohort: str = "cohort"
    county: str | None = None
    unit: str | None = None


class LedgerFile(_Part):
    """A funding ledger: one row an amount of money, and what its columns are called."""

    file: FileName
    village: str = "village"
    year: str = "year"
    source: str = "source"
    stage: str = "stage"
    amount: str = "amount"
    unit: str


class Study(_Part):
    """What study.yml says: the files of a study, what they hold, and how to read them.

    Examples
    --------
    >>> study = Study.load("data/jining_2021")
    >>> study.title.zh
    '山东省派第一书记在济宁：2021年7月的公开数字'
    """

    version: Literal[1]
    name: str = Field(pattern=r"^[A-Za-z0-9_]+$")
    title: Text
    simulated: bool = False
    source: Source
    programme: Area
    counties: list[Area] = Field(min_length=1)
    reading: Reading = "strict"
    claims: ClaimFiles | None = None
    panel: PanelFile | None = None
    ledger: LedgerFile | None = None
    glossary: list[Text] = []
    limits: list[Text] = []
    _file: Path = PrivateAttr()

    @model_validator(mode="after")
    def _areas_differ(self) -> Study:
        names = [area.name for area in self.areas]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two areas are called {doubled[0]!r}; give one another name")
        return self

    @classmethod
    def load(cls, path: str | Path) -> Study:
        """Read a study from its folder (or its study.yml).

        Parameters
        ----------
        path
            The folder; relative to the working directory.

        Raises
        ------
        DataError
            If there is no study, study.yml does not parse, a key is unknown or missing, a
            value has the wrong type, or a file that it names is not there.
        """
        file = Path(path)
        file = file if file.suffix in (".yml", ".yaml") else file / "study.yml"
        if not _is_file(file):
            raise DataError(f"no study at {path}: {file} does not exist.{_others(file)}")
        study = read_config(file, cls)
        study._file = file
        if not (study.claims or study.panel or study.ledger):
            raise DataError(f"{file.name}: no data; give claims, panel or ledger.")
        for name in study.file_names():
            if not _is_file(study.path(name)):
                raise DataError(f"{file.name}: names {name}, which is not in {file.parent}.")
        return study

    @property
    def file(self) -> Path:
        """The study.yml that was read."""
        return self._file

    @property
    def folder(self) -> Path:
        """The folder that it stands in."""
        return self._file.parent

    @property
    def areas(self) -> list[Area]:
        """The counties, then the programme as a whole."""
        return [*self.counties, self.programme]

    def path(self, name: str) -> Path:
        """Give the path of one of the study's files."""
        return self.folder / name

    def file_names(self) -> list[str]:
        """List the data files that study.yml names, in its order."""
        names: list[str | None] = []
        if self.claims:
            names += [self.claims.file, self.claims.indicators, self.claims.crosschecks]
        names += [part.file for part in (self.panel, self.ledger) if part]
        return [name for name in names if name]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for the file system
        return False


def _others(file: Path) -> str:
    """Name the studies beside one that is not there."""
    places = [file.parent.parent, Path("data"), Path("../data")]
    near = sorted({str(p.parent) for place in places for p in place.glob("*/study.yml")})
    return f" Studies near: {', '.join(near)}." if near else ""
