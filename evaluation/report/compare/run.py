"""Hold two runs against each other: every number, figure and sentence, and the causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from evaluation.errors import ReportError
from evaluation.language import say
from evaluation.report.compare.causes import find_causes
from evaluation.report.compare.files import compare_files
from evaluation.report.compare.inputs import Files
from evaluation.report.compare.levels import TOLERANCE, Judge, Level, worst
from evaluation.report.compare.moves import find_moves
from evaluation.report.compare.parts import ExhibitDifference, Side, TextDifference
from evaluation.report.compare.pictures import compare_pictures
from evaluation.report.compare.prose import (
    Page,
    compare_sentences,
    compare_shown,
    read_page,
)
from evaluation.report.compare.result import Comparison
from evaluation.report.compare.tables import compare_exhibits
from evaluation.report.record.store import altered_outputs, hash_outputs, read_record
from evaluation.report.results import name_exhibits

_RESULTS = "results.json"
_PAGE = "report.html"
_MISFITS = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError)

Outputs = tuple[Mapping[str, str], Mapping[str, str]]


def compare_runs(
    before: str | Path,
    after: str | Path,
    *,
    tolerance: float = TOLERANCE,
    study_before: Files = None,
    study_after: Files = None,
) -> Comparison:
    """Compare two runs, in the language spoken.

    Parameters
    ----------
    before, after
        The runs' folders.
    tolerance
        Numbers a and b count as the same if ``|a - b| <= tolerance * max(|a|, |b|)``, or if
        both are below 1e-12 of the largest of their column.
    study_before, study_after
        Where the study that a run was made from lies, if it does: then the cells of files that
        changed are told, not their rows alone.

    Raises
    ------
    ReportError
        If a folder is no run, one of its files that are needed cannot be read, or the
        tolerance is none.

    Notes
    -----
    Files are hashed, and only those that are not equal are read. Where the runs are in two
    languages, numbers alone are compared.
    """
    if not 0 <= tolerance < 1:
        raise ReportError(f"tolerance is {tolerance}; give a number from 0 to below 1.")
    before, after = folders = (Path(before), Path(after))
    records = [_read_record(folder) for folder in folders]
    outputs: Outputs = (hash_outputs(before), hash_outputs(after))
    altered = {
        side: altered_outputs(record, now)
        for side, record, now in zip(("before", "after"), records, outputs, strict=True)
    }
    results = _read_results(folders, outputs)
    sides = [
        Side(
            folder=folder,
            name=folder.resolve().name,
            record=record,
            language=str(result.get("language", "en")),
            titles={k: str(v or "") for k, v in (result.get("title") or {}).items()},
            simulated=bool(result.get("simulated")),
        )
        for folder, record, result in zip(folders, records, results, strict=True)
    ]
    judge = Judge(
        tolerance=tolerance,
        own=frozenset(
            text for side in sides for text in (side.name, side.record["hash"]) if text
        ),
        packages=frozenset(
            name.lower() for record in records for name in (*record["packages"], "python")
        ),
        texts=sides[0].language == sides[1].language,
        rounding=not any(altered.values()),
    )
    exhibits = _compare_exhibits(results, folders, outputs, altered, judge)
    pages = _read_pages(folders, outputs, exhibits)
    sentences: list[TextDifference] = []
    if judge.texts and outputs[0].get(_PAGE) != outputs[1].get(_PAGE):
        sentences = compare_sentences(*pages, judge)
        exhibits = [_add_shown(exhibit, pages, judge) for exhibit in exhibits]
    known = {_RESULTS: _level_of(exhibits), _PAGE: _level_of([*exhibits, *sentences])}
    for exhibit in exhibits:
        if exhibit.kind == "figure" and exhibit.picture != "identical":
            told = say("{share:.2%} of the pixels", share=exhibit.pixels or 0.0)
            why = told if exhibit.pixels else ""
            for end in (".svg", ".png"):
                known[f"figures/{exhibit.name}{end}"] = (exhibit.picture, why)
    gone = sum(sentence.after is None for sentence in sentences)
    n_sentences = len(pages[1].sentences) + gone
    files, n_files = compare_files(before, after, outputs, known, judge)
    return Comparison(
        before=sides[0],
        after=sides[1],
        tolerance=tolerance,
        causes=find_causes(sides[0], sides[1], (study_before, study_after), altered),
        exhibits=exhibits,
        moves=find_moves(exhibits),
        sentences=sentences,
        n_sentences=n_sentences if judge.texts else 0,
        files=files,
        n_files=n_files,
        chapters={**pages[0].titles, **pages[1].titles},
    )


def _read_record(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ReportError(f"{folder}: no such folder; name the folder of a run.")
    record = read_record(folder)
    if "error" in record:
        raise ReportError(f"{folder}: a run that failed; there is nothing to compare.")
    for name in ("inputs", "parameters", "notebooks", "code", "packages", "outputs"):
        if not isinstance(record.get(name), dict):
            raise ReportError(f"{folder}: its record has no {name}; run the report again.")
    return record


def _read_results(folders: Sequence[Path], outputs: Outputs) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for folder in folders:
        if found and outputs[0].get(_RESULTS) == outputs[1].get(_RESULTS):
            return [found[0], found[0]]
        path = folder / _RESULTS
        try:
            content = from_json(path.read_bytes())
            for exhibit in name_exhibits(content).values():
                if not all(set(exhibit["columns"]) <= set(row) for row in exhibit["rows"]):
                    raise ValueError(f"rows of {exhibit['name']} lack columns")
            found.append(content)
        except _MISFITS as error:
            raise ReportError(
                f"{path}: cannot be read ({error}); make the run again, or take it from a copy."
            ) from error
    return found


def _compare_exhibits(
    results: Sequence[Mapping[str, Any]],
    folders: tuple[Path, Path],
    outputs: Outputs,
    altered: Mapping[str, list[str]],
    judge: Judge,
) -> list[ExhibitDifference]:
    """Compare the exhibits' numbers, and the pictures of figures."""
    found = compare_exhibits(name_exhibits(results[0]), name_exhibits(results[1]), judge)
    if not judge.texts:  # what is written in a figure is in its language
        return found
    touched = {*altered["before"], *altered["after"]}
    for place, exhibit in enumerate(found):
        files = [f"figures/{exhibit.name}{end}" for end in (".svg", ".png")]
        if exhibit.kind != "figure" or all(
            outputs[0].get(f) == outputs[1].get(f) for f in files
        ):
            continue
        if None in exhibit.captions or exhibit.level == "different":
            found[place] = replace(exhibit, picture="different")
            continue
        picture, pixels = compare_pictures(
            exhibit.name,
            folders[0] / "figures",
            folders[1] / "figures",
            judge,
            altered=not touched.isdisjoint(files),
        )
        found[place] = replace(exhibit, picture=picture, pixels=pixels)
    return found


def _read_pages(
    folders: tuple[Path, Path], outputs: Outputs, exhibits: Sequence[ExhibitDifference]
) -> tuple[Page, Page]:
    """Read the pages, as far as anything of them is needed."""
    empty = Page(sentences=(), shown={}, titles={})
    same = outputs[0].get(_PAGE) == outputs[1].get(_PAGE)
    if same and all(exhibit.level == "identical" for exhibit in exhibits):
        return empty, empty
    pages = [
        read_page(folder / _PAGE) if _PAGE in side else empty
        for folder, side in zip(folders, outputs, strict=True)
    ]
    return pages[0], pages[1]


def _add_shown(
    exhibit: ExhibitDifference, pages: tuple[Page, Page], judge: Judge
) -> ExhibitDifference:
    """Add what the pages display otherwise, where an exhibit's numbers are the same."""
    if exhibit.level == "different":
        return exhibit
    shown = compare_shown(*pages, exhibit.name, judge)
    if exhibit.kind == "figure" and exhibit.picture != "identical":
        shown = [
            text
            for text in shown
            if not (text.before or text.after or "").startswith("picture ")
        ]
    return replace(exhibit, texts=(*exhibit.texts, *shown)) if shown else exhibit


def _level_of(parts: Sequence[ExhibitDifference | TextDifference]) -> tuple[Level, str]:
    """Give the level of a file that holds these; it is not identical in its bytes."""
    return worst(["canonical", *(part.level for part in parts)]), ""
