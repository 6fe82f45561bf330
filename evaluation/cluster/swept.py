"""What came of a sweep: its reports, the list of them, and the page over all runs."""

from __future__ import annotations

import csv
import io
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.cluster.grid import tell_point
from evaluation.cluster.storage import Storage
from evaluation.cluster.sweep import Planned
from evaluation.display import ShowsSummary
from evaluation.report.record.store import NAME

_RESULTS = "results.json"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SweptReports(ShowsSummary):
    """What came of a sweep.

    Attributes
    ----------
    reports
        Each report: its parameters, run, state (unchanged, made, failed) and error.
    listed
        The table of them, a csv file; None for a part of a sweep.
    index
        The page over all runs; None if there is none, or for a part of a sweep.
    """

    reports: Sequence[Planned]
    listed: str | None
    index: str | None

    @property
    def failed(self) -> list[Planned]:
        """The reports that could not be made."""
        return [report for report in self.reports if report.state == "failed"]

    def summary(self) -> str:
        """Say how many were made, and why others were not, each reason once."""
        states = [report.state for report in self.reports]
        counts = [f"{states.count(s)} {s}" for s in ("made", "unchanged", "failed")]
        reasons: dict[str, list[Planned]] = {}
        for report in self.failed:
            without_folders = re.sub(r"/\S+/", "", report.error)
            reasons.setdefault(without_folders, []).append(report)
        lines = [f"{count(len(states), 'report')}: {', '.join(counts)}"]
        for first, *others in reasons.values():
            more = f" and {len(others)} more" if others else ""
            lines.append(f"failed: {tell_point(first.point)}{more}: {first.error}")
        return "\n".join(lines)


def count(n: int, what: str) -> str:
    """Say how many there are.

    Examples
    --------
    >>> count(1, "report"), count(1200, "report")
    ('1 report', '1,200 reports')
    """
    return f"{n:,} {what}{'s' * (n != 1)}"


def list_reports(planned: Sequence[Planned]) -> bytes:
    """Give a csv with a row a report: its parameters, run, state and error."""
    names = list(dict.fromkeys(name for report in planned for name in report.point))
    columns = [*names, "run", "state", "error"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for report in planned:
        row = {"run": report.run, "state": report.state, "error": report.error}
        writer.writerow({**report.point, **row})
    return text.getvalue().encode("utf-8-sig")


def write_index_page(storage: Storage, planned: Sequence[Planned], studies: Path) -> str | None:
    """Write the page over all runs, and give its name; None without a run."""
    from evaluation.report.index.write import PAGE, write_index

    runs = [report.run for report in planned if report.state in ("made", "unchanged")]
    if not runs:
        return None
    if storage.folder is not None:
        write_index(storage.folder, studies=studies)
        return PAGE
    with tempfile.TemporaryDirectory() as scratch:
        for run in runs:
            storage.fetch(run, (NAME, _RESULTS), Path(scratch))
            Path(scratch, run, "report.html").touch()  # so that it is linked to
        page = write_index(Path(scratch), studies=studies)
        storage.write(PAGE, page.read_bytes())
    return PAGE
