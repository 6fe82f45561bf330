"""A study: the folder that holds study.yml and the files that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, PrivateAttr, model_validator

from evaluation.data.config import is_file, read_config, studies_near
from evaluation.data.hedges import Reading
from evaluation.data.money import parse_money
from evaluation.data.restriction import restrict
from evaluation.data.study_files import (
    Area,
    ClaimFiles,
    Column,
    FileName,
    IndicatorsFile,
    LedgerFile,
    Part,
    Prices,
    ProjectsFile,
    Text,
)
from evaluation.data.study_panel import PanelFile
from evaluation.data.study_source import FileTerms, Source, Terms
from evaluation.display import ShowsSummary
from evaluation.errors import DataError, suggest
from evaluation.language import say


class Study(ShowsSummary, Part):
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
    counties: list[Area] = []
    reading: Reading = "strict"
    claims: ClaimFiles | None = None
    panel: PanelFile | None = None
    ledger: LedgerFile | None = None
    projects: ProjectsFile | None = None
    indicators: IndicatorsFile | None = None
    prices: Prices | None = None
    glossary: list[Text] = []
    limits: list[Text] = []
    chapters: list[FileName] = []
    reads: list[FileName] = []
    smallest_cell: int = Field(0, ge=0)
    confidential: list[FileName] = []
    data: dict[FileName, FileTerms] = {}
    _file: Path = PrivateAttr()
    _data: Path | None = PrivateAttr(default=None)
    _pseudonyms: Path | None = PrivateAttr(default=None)
    _whole: Study | None = PrivateAttr(default=None)
    _county: Area | None = PrivateAttr(default=None)
    _outcome: Text | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _areas_differ(self) -> Study:
        names = [area.name for area in self.areas]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two areas are called {doubled[0]!r}; give one another name")
        if self.claims and not self.counties:
            raise ValueError("claims need counties: name those that the text speaks of")
        return self

    @model_validator(mode="after")
    def _files_are_its_own(self) -> Study:
        for key, names in (("confidential", self.confidential), ("data", self.data)):
            for name in names:
                if name not in self.file_names():
                    raise ValueError(
                        f"{key}: {name!r} is none of its files; "
                        f"{suggest(name, self.file_names())}"
                    )
        return self

    @model_validator(mode="after")
    def _money_has_prices(self) -> Study:
        columns = self._money_columns()
        if columns and not self.prices:
            raise ValueError(
                f"money ({columns[0].column}, in {columns[0].unit}) needs prices: a basis "
                "(nominal or real) and a base_year"
            )
        for column in columns:
            unit = parse_money(column.unit)
            if unit and self.prices and unit.currency != self.prices.currency:
                raise ValueError(
                    f"{column.column} is in {unit.currency}, but prices.currency is "
                    f"{self.prices.currency}; convert it in the file, or mend the unit"
                )
        return self

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        data: str | Path | None = None,
        pseudonyms: str | Path | None = None,
        county: str = "",
        outcome: str = "",
    ) -> Study:
        """Read a study from its folder (or its study.yml).

        Parameters
        ----------
        path
            The folder; relative to the working directory.
        data
            Where the data files are, if not beside study.yml.
        pseudonyms
            A key file, whose codes take the place of villages' names.
        county, outcome
            As `restrict` takes them; empty for all counties, and for the study's own outcome.

        Raises
        ------
        DataError
            If there is no study, study.yml does not parse, a key is unknown or missing, a
            value has the wrong type, or a file that it names is not there.
        """
        file = Path(path)
        file = file if file.suffix in (".yml", ".yaml") else file / "study.yml"
        if not is_file(file):
            raise DataError(f"no study at {path}: {file} does not exist.{studies_near(file)}")
        study = read_config(file, cls)
        study._file = file
        study._data = Path(data) if data else None
        study._pseudonyms = Path(pseudonyms) if pseudonyms else None
        if not (study.claims or study.panel or study.ledger):
            raise DataError(f"{file.name}: no data; give claims, panel or ledger.")
        if study.ledger and not study.panel:
            raise DataError(
                f"{file.name}: a ledger needs a panel, which says which villages are."
            )
        for name in study.file_names():
            if not is_file(study.path(name)):
                obtain = study.source.obtain
                how = f" {obtain.en} Then name its folder with --data." if obtain else ""
                raise DataError(
                    f"{file.name}: names {name}, which is not in "
                    f"{study.path(name).parent}.{how}"
                )
        return study.restrict(county=county, outcome=outcome)

    def restrict(self, *, county: str = "", outcome: str = "") -> Study:
        """Give the study of one county alone, or on another outcome than its own.

        Parameters
        ----------
        county
            In English or in Chinese, as study.yml or a file has it. Files are read and checked
            whole; what is not the county's is then left out.
        outcome
            An outcome of the panel by its name, "income", or a kind of income ("operating").

        Raises
        ------
        DataError
            If there is no such county or outcome.
        """
        whole = self._whole or self
        county, outcome = county.strip(), outcome.strip()
        if not (county or outcome):
            return whole
        changed, area, label = restrict(whole, county=county, outcome=outcome)
        if area is None and label is None:
            return whole
        study = whole.model_copy(update=changed)
        study._whole, study._county, study._outcome = whole, area, label
        return study

    def summary(self) -> str:
        """Say the title, and the files that the study is read from."""
        banner = say("SIMULATED: ") if self.simulated else ""
        return f"{banner}{self.title.shown}\n{self.name}: {', '.join(self.file_names())}"

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

    @property
    def data_folder(self) -> Path | None:
        """Where the data files are, if not beside study.yml."""
        return self._data

    @property
    def pseudonyms(self) -> Path | None:
        """The key file whose codes take the place of villages' names, if any."""
        return self._pseudonyms

    @property
    def whole(self) -> Study:
        """The study with all of its counties, and its own outcome."""
        return self._whole or self

    @property
    def county(self) -> Area | None:
        """The county that it is restricted to, if any."""
        return self._county

    @property
    def outcome(self) -> Text | None:
        """What the outcome is called that was chosen in place of its own, if any."""
        return self._outcome

    @property
    def parts(self) -> frozenset[str]:
        """The parts that it has, as the notebooks' cells name those that they need."""
        panel = self.panel
        has = {
            **{name: getattr(self, name) for name in ("claims", "panel", "ledger")},
            **{name: getattr(self, name) for name in ("projects", "indicators")},
            **{name: getattr(self, name) for name in ("glossary", "limits")},
            "map": panel and (panel.coordinates or panel.boundaries) and not self.pseudonyms,
            "income-kinds": panel and panel.income,
        }
        return frozenset(name for name, given in has.items() if given)

    def path(self, name: str) -> Path:
        """Give the path of one of its files: where the data are, else beside study.yml."""
        place, beside = (self._data or self.folder) / name, self.folder / name
        return beside if not is_file(place) and is_file(beside) else place

    @property
    def price_year(self) -> int | None:
        """Whose prices money is in; None where it is nominal and stays so."""
        prices = self.prices
        real = prices and (prices.basis == "real" or prices.index)
        return prices.base_year if prices and real else None

    def price_index(self) -> str | Path | None:
        """Give the price index: "china", a file of the study, or none."""
        index = self.prices.index if self.prices else None
        return self.path(index) if index and index != "china" else index

    def file_names(self) -> list[str]:
        """List the data files that study.yml names, in its order, each once."""
        names: list[str | None] = []
        if self.claims:
            names += [self.claims.file, self.claims.indicators, self.claims.crosschecks]
        if self.panel:
            treatment = self.panel.treatment
            names += [self.panel.file, self.panel.boundaries]
            names += [treatment.file.file if treatment and treatment.file else None]
        names += [part.file for part in (self.ledger, self.projects, self.indicators) if part]
        if self.prices and self.prices.index != "china":
            names.append(self.prices.index)
        names += self.reads
        return list(dict.fromkeys(name for name in names if name))

    def terms(self, name: str) -> FileTerms:
        """Give the terms of one of its files: the file's own, and the source's for the rest."""
        own = self.data.get(name, FileTerms())
        shared = {key: getattr(self.source, key) for key in Terms.model_fields}
        return own.model_copy(
            update={key: text for key, text in shared.items() if getattr(own, key) is None}
        )

    def _money_columns(self) -> list[Column]:
        parts = (self.panel, self.ledger, self.projects)
        found = [column for part in parts if part for column in part.number_columns]
        return [column for column in found if parse_money(column.unit)]
