"""The words of a study that are no person's name, though they may look like one."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.data.study import Study
from evaluation.data.study_files import Fixed, TableFile, VillageKey
from evaluation.data.tables import read_table
from evaluation.errors import DataError


def known_words(study: Study) -> set[str]:
    """Give the names of a study's places and projects, and what else its columns list."""
    words = {name for area in study.areas for name in (area.name, area.zh) if name}
    if study.panel:
        words |= {name for pair in study.panel.renamed.items() for name in pair}
    for part, columns in _parts(study):
        try:
            table = read_table(
                study.path(part.file),
                sheet=part.sheet,
                encoding=part.encoding,
                header_rows=part.header_rows,
            )
        except DataError:
            continue  # said where the study is read
        for column in columns:
            if column in table.frame:
                words |= {str(word) for word in table.frame[column].unique()}
    return words


def word_columns(study: Study) -> dict[str, set[str]]:
    """Give the columns of a study's files that hold places, projects or kinds, by file."""
    found: dict[str, set[str]] = {}
    for part, columns in _parts(study):
        found.setdefault(part.file, set()).update(columns)
    return found


def encodings(study: Study) -> dict[str, str | None]:
    """Give the encodings that study.yml names, by file."""
    return {part.file: part.encoding for part, _ in _parts(study)}


def _parts(study: Study) -> Iterator[tuple[TableFile, list[str]]]:
    panel, ledger = study.panel, study.ledger
    if panel:
        yield panel, _key(panel.village)
        if panel.treatment and panel.treatment.file:
            yield panel.treatment.file, _key(panel.treatment.village)
    if ledger:
        named = [ledger.source, ledger.stage, ledger.role, ledger.project]
        yield ledger, [*_key(ledger.village), *_columns(*named)]
    if study.projects:
        named = [study.projects.project, study.projects.type]
        yield study.projects, [*_key(study.projects.village), *_columns(*named)]
    if study.indicators:
        part = study.indicators
        named = [part.pillar, part.indicator, part.unit]
        yield part, [*_key(part.village), *_columns(*named)]


def _key(village: VillageKey | None) -> list[str]:
    if village is None:
        return []
    return _columns(village.code, village.id, village.name, village.town, village.county)


def _columns(*named: str | Fixed | None) -> list[str]:
    return [name for name in named if isinstance(name, str)]
