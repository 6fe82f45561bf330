"""Whether all that a run shows of its numbers agrees: results, page, tables, figures, text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.numbers.copies import (
    check_csv,
    check_display,
    check_documents,
    check_files,
    check_picture,
    check_rows,
    read_bundles,
)
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.origin import check_labels, check_origin, check_title
from evaluation.report.numbers.page import Page, read_page
from evaluation.report.numbers.prose import check_chapter, check_summary
from evaluation.report.numbers.rebuilt import check_rebuilt
from evaluation.report.numbers.tables import check_tables
from evaluation.report.record.describe import describe_code, package_versions
from evaluation.report.results import name_exhibits

PAGE, RESULTS = "report.html", "results.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What was compared, and what does not agree.

    Attributes
    ----------
    n_numbers, n_tables
        How many numbers of the page were looked up in results.json, in how many tables.
    n_figures, n_points
        How many of the page's figures, and of its summary's points, were compared.
    findings
        What does not agree.
    unknown
        What could not be compared, and why.
    """

    n_numbers: int
    n_tables: int
    n_figures: int
    n_points: int
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]


def check_numbers(run: Path, record: Mapping[str, Any] | None) -> Agreement:
    """Compare the numbers of a run's files with one another.

    Parameters
    ----------
    record
        As `read_record` gives it; None if it cannot be read.

    Raises
    ------
    ReportError
        If the page or the results are not there or cannot be read.
    """
    results, page = _read(run)
    exhibits = name_exhibits(results)
    tables = [
        check_tables(PAGE, page.exhibits[name], exhibit)
        for name, exhibit in exhibits.items()
        if name in page.exhibits
    ]
    findings = [finding for table in tables for finding in table.findings]
    places = {_place(finding) for finding in findings}
    others = _check_exhibits(run, page, exhibits)
    findings += [finding for finding in others if _place(finding) not in places]
    for notebook in dict.fromkeys(exhibit["notebook"] for exhibit in exhibits.values()):
        findings += check_chapter(PAGE, page, run, notebook)
    findings += check_labels(PAGE, page)
    drawn = [
        finding
        for name, exhibit in exhibits.items()
        if name in page.exhibits
        for finding in check_picture(run, PAGE, page.exhibits[name], exhibit)
    ]
    if record:
        findings += check_origin(PAGE, page, record)
        drawn += check_title(PAGE, page, results, record)
        drawn += check_summary(PAGE, page, results, record["parameters"])
    same = record is None or (
        record["code"] == describe_code() and record["packages"] == package_versions()
    )
    if record and same:
        told = {finding.file for finding in findings + drawn}
        anew = check_rebuilt(PAGE, run, results, record)
        drawn += [finding for finding in anew if finding.file not in told]
    return Agreement(
        n_numbers=sum(table.n_numbers for table in tables),
        n_tables=sum(table.n_numbers > 0 for table in tables),
        n_figures=sum(exhibit["kind"] == "figure" for exhibit in exhibits.values()),
        n_points=len(page.points),
        findings=tuple(findings + (drawn if same else [])),
        unknown=() if same else tuple(_blame_code(drawn)),
    )


def _read(run: Path) -> tuple[dict[str, Any], Page]:
    file = RESULTS
    try:
        results = json.loads((run / RESULTS).read_bytes())
        [exhibit["rows"] for exhibit in results["exhibits"]]
        file = PAGE
        page = read_page(run / PAGE)
    except OSError as error:
        raise ReportError(f"{file}: cannot be read: {error.strerror}.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{file}: not whole, or of another kind: {error}.") from None
    return results, page


def _check_exhibits(
    run: Path, page: Page, exhibits: Mapping[str, Mapping[str, Any]]
) -> Iterator[Finding]:
    """Compare all files of all exhibits."""
    notebooks = dict.fromkeys(exhibit["notebook"] for exhibit in exhibits.values())
    bundles = {notebook: read_bundles(run, notebook) for notebook in notebooks}
    for name, exhibit in exhibits.items():
        yield from check_csv(run, exhibit)
        if (bundle := bundles[exhibit["notebook"]].get(name)) is None:
            told = f"it is in {RESULTS}, and not shown in it"
            yield Finding(
                file=f"notebooks/{exhibit['notebook']}.ipynb", exhibit=name, what=told
            )
            continue
        yield from check_rows(exhibit, bundle)
        yield from check_files(run, exhibit, bundle)
        yield from check_documents(run, exhibit, bundle)
        if name in page.exhibits:
            yield from check_display(PAGE, page.exhibits[name], exhibit, bundle)
        else:
            yield Finding(file=PAGE, exhibit=name, what=f"it is in {RESULTS}, and not shown")
    shown = {name for own in bundles.values() for name in own}
    for name in sorted((shown | {*page.exhibits}) - {*exhibits}):
        yield Finding(file=RESULTS, exhibit=name, what="it is shown, and not among the results")


def _place(finding: Finding) -> tuple[str, str, str, str]:
    return finding.file, finding.exhibit, finding.row, finding.column


def _blame_code(drawn: Iterable[Finding]) -> Iterator[str]:
    """Say what differs from what another version of the package would have written."""
    for finding in drawn:
        yield f"{finding} Other code or packages made the run, and may have written it so."
