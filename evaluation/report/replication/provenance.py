"""What a package says of every data file: what it holds, its terms, and how to get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evaluation.data.shipped import shipped_index
from evaluation.data.study import Study
from evaluation.data.study_files import Text
from evaluation.data.study_source import FileTerms
from evaluation.data.tables import read_table
from evaluation.errors import DataError
from evaluation.report.record.rows import find_options

NOT_STATED = "Not stated in study.yml."

_PRICES = FileTerms(
    holds=Text(
        en="China's consumer prices, change on the year before in percent, from 1987 on."
    ),
    citation=Text(
        en="World Bank. Inflation, consumer prices (annual %), FP.CPI.TOTL.ZG, China "
        "[data set], by way of the open data set datasets/cpi."
    ),
    licence=Text(en="Open Data Commons Public Domain Dedication and License 1.0."),
    rights=Text(en="Public domain: anybody may use the file and pass it on."),
)
_KINDS = {
    ".csv": "text, comma-separated", ".tsv": "text, tab-separated", ".txt": "text",
    ".tab": "text, tab-separated", ".xlsx": "Excel workbook", ".xlsm": "Excel workbook",
    ".xls": "Excel workbook (97-2003)", ".ods": "OpenDocument sheet", ".dta": "Stata",
    ".sav": "SPSS", ".parquet": "Apache Parquet", ".feather": "Apache Arrow", ".yml": "YAML",
    ".geojson": "GeoJSON", ".json": "JSON",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFile:
    """A data file of a run.

    Attributes
    ----------
    name, place
        As study.yml names it; where it is, or belongs, in the package.
    publisher
        Who it is from.
    kind
        Its format.
    included
        Whether the package holds it.
    sha256, bytes
        As the run's record has them.
    rows
        How many rows it has, where that can be told; "" if not.
    dictionary
        Where its columns are explained.
    terms
        What it holds, its citation, licence, rights, and how to get it.
    """

    name: str
    place: str
    publisher: str
    kind: str
    included: bool
    sha256: str
    bytes: int
    rows: str
    dictionary: str
    terms: FileTerms

    def says(self, key: str) -> str:
        """Give one of its terms in English, or that it is not stated."""
        text: Text | None = getattr(self.terms, key)
        return text.en.strip() if text else NOT_STATED


def list_data(study: Study, record: Mapping[str, Any], folder: str) -> list[DataFile]:
    """List the data files of a run.

    Parameters
    ----------
    study, record
        The study, and the run's record.
    folder
        Where the study is in the package.
    """
    told = [f"`{folder}/{name}`" for name in ("README.md", study.file.name)]
    dictionary = " and ".join(told if (study.folder / "README.md").is_file() else told[1:])
    files = []
    for name, entry in record["inputs"].items():
        if name == study.file.name:
            continue
        ours = name not in study.file_names()
        path = shipped_index() if ours else study.path(name)
        files.append(
            DataFile(
                name=name,
                place="data/cpi_china.csv" if ours else f"{folder}/{name}",
                publisher="World Bank" if ours else study.source.publisher.en,
                kind=_KINDS.get(path.suffix.lower(), path.suffix.lstrip(".")),
                included=ours or name not in study.confidential,
                sha256=entry["sha256"],
                bytes=entry["bytes"],
                rows=_count_rows(study, name) if not ours else "",
                dictionary="the names of its two columns" if ours else dictionary,
                terms=_PRICES if ours else study.terms(name),
            )
        )
    return files


def _count_rows(study: Study, name: str) -> str:
    """Count the rows of a table under its header; '' of what is none."""
    options = find_options(study, name)
    names = ("sheet", "encoding", "header_rows") if options else ()
    try:
        table = read_table(study.path(name), **{key: getattr(options, key) for key in names})
    except DataError:
        return ""
    return f"{len(table.every_row):,}"
