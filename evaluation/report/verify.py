"""Whether a run is as it was written: its files, its record, and the numbers in both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.errors import ReportError, plain_line
from evaluation.report.intact import check_files
from evaluation.report.numbers.check import PAGE, RESULTS, Agreement, check_numbers
from evaluation.report.numbers.finding import Finding
from evaluation.report.record.store import NAME, read_record

_MOST_LINES = 60
# What reading a run raises where it does not hold what this package writes.
_MISFITS = (LookupError, TypeError, ValueError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a run was found to be.

    Attributes
    ----------
    run
        Its folder.
    findings
        What was altered, is missing or disagrees.
    remarks
        What is as well to know, and alters nothing.
    n_files
        How many files are as the record says.
    agreement
        What was compared of its numbers; None if they could not be.
    """

    run: Path
    findings: tuple[Finding, ...]
    remarks: tuple[str, ...]
    n_files: int
    agreement: Agreement | None

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def lines(self) -> list[str]:
        """What a terminal is to tell."""
        n = len(self.findings)
        head = "whole" if self.ok else f"not whole: {n} finding{'s' if n > 1 else ''}"
        shown = [f"  {finding}" for finding in self.findings[:_MOST_LINES]]
        more = [f"  ... and {n - _MOST_LINES:,} more"] if n > _MOST_LINES else []
        notes = [f"  note: {plain_line(remark)}" for remark in self.remarks]
        return [plain_line(f"{self.run}: {head}"), *shown, *more, *notes, *self._scope()]

    @property
    def data(self) -> dict[str, Any]:
        """The same for a program."""
        found = self.agreement
        return {
            "run": str(self.run),
            "whole": self.ok,
            "findings": [asdict(finding) for finding in self.findings],
            "remarks": [*self.remarks],
            "files": self.n_files,
            "numbers": found.n_numbers if found else None,
        }

    def _scope(self) -> Iterator[str]:
        yield f"  sha256: {self.n_files:,} files are as the record says."
        if (found := self.agreement) is None:
            return
        yield (
            f"  numbers: {found.n_numbers:,} in {found.n_tables} tables of {PAGE} were looked "
            f"up in the rows of {RESULTS}; {found.n_points} points of the summary were summed "
            f"up anew; {found.n_figures} figures, the notes, the text and all files of tables "
            "were held against the notebooks."
        )
        yield (
            "  by sha256 alone: words around the chapters, what figures draw, documents. "
            "What was altered in every file and the record alike shows only when the report "
            "is made again: evaluation rerun."
        )


def verify_run(run: str | Path) -> Verification:
    """Say whether a run was altered since it was written, and whether its numbers agree.

    Parameters
    ----------
    run
        The run's folder.

    Raises
    ------
    ReportError
        If the folder is not there, is no run's, or is that of a run that has not ended.

    Notes
    -----
    First, by sha256: every file that the record names is there and as it was; there is no
    other, and no link; and the record's own hash is that over what it says, so that no
    parameter, input or version in it was edited.

    Second, by the numbers, as one who alters a file may mend its sha256 in the record. Every
    number in a table of report.html must be, as printed, in the row of results.json that the
    table shows there, and come from the column that those printed alike come from; tables,
    captions, notes and the chapters' text must have the numbers that the notebooks have; CSV
    files the rows of results.json, and those the rows in the notebooks; files for LaTeX and
    Word the numbers displayed; the page the drawings in figures/, and the record's inputs,
    parameters and versions; and the summary and title the numbers that results.json gives when
    it is summed up anew. Where the run was made with other code than this, drawings, summary
    and title that differ are remarks, as that code may have written them so.

    Third, if the run was made with this code and these packages: files of tables and figures,
    results.json, workflow.py and the page's chapters are written anew from the notebooks and
    the record, and must be the same byte by byte.

    Words around the chapters, what is drawn in a figure, and documents are covered by sha256
    alone. What was altered in all files and in the record alike shows only when the
    report is run again.
    """
    run = Path(run)
    if not run.is_dir():
        raise ReportError(f"{run}: no such folder; name a run's, as reports/STUDY-HASH8.")
    if ".partial-" in run.resolve().name:
        raise ReportError(
            f"{run}: a run that has not ended or was killed: there is nothing to verify. Run "
            "the report again."
        )
    record, findings = _open(run)
    n_files, remarks = 0, []
    if record:
        intact = check_files(run, record)
        n_files, remarks = intact.n_files, [*intact.remarks]
        findings += intact.findings
        if record["reused"]:
            remarks.append(
                f"{', '.join(record['reused'])}: taken out of an earlier run; "
                "--force and evaluation rerun run them."
            )
    agreement = None
    if not (record and record.get("error")):
        try:
            agreement = check_numbers(run, record)
            findings += agreement.findings
            remarks += agreement.unknown
        except ReportError as error:
            findings.append(Finding(file="", what=_flat(error, run)))
        except _MISFITS as error:
            told = f"{type(error).__name__}: {error}"
            what = f"the numbers could not be compared, as no report has them so ({told:.200})"
            findings.append(Finding(file="", what=what))
    return Verification(
        run=run,
        findings=tuple(findings),
        remarks=tuple(remarks),
        n_files=n_files,
        agreement=agreement,
    )


def _open(run: Path) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Read a run's record, or say what is wrong with it.

    Raises
    ------
    ReportError
        If the folder is no run's, or that of one made before there were records.
    """
    try:
        record = read_record(run)
    except ReportError as error:
        if not (run / NAME).exists() and not (run / RESULTS).exists():
            raise
        return None, [Finding(file="", what=_flat(error, run))]
    if failure := record.get("error"):
        return record, [Finding(file="", what=f"the run failed: {failure.rstrip('.')}")]
    return record, []


def _flat(error: ReportError, run: Path) -> str:
    return str(error).removeprefix(f"{run}/").rstrip(".")
