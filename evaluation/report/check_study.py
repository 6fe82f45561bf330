"""``evaluation check``: what a study's files hold, and all that is wrong with them."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

from evaluation.claims.crosscheck import run_crosschecks
from evaluation.claims.measures import assess_counties
from evaluation.claims.table import ClaimTable, load_claims
from evaluation.data.load import StudyData, check_data
from evaluation.data.problems import Problem, Problems
from evaluation.data.study import Study
from evaluation.errors import DataError


def check_study(
    study: Study, listing: Path, *, tell: Callable[[str], None] = print
) -> StudyData | None:
    """Read all files of a study and tell what is in them and what is wrong.

    Parameters
    ----------
    study
        The study.
    listing
        A CSV file that lists every row with a problem; written where there are any, and
        emptied of old ones where there are none.
    tell
        Takes the lines of the report.

    Returns
    -------
    The study's data; None if there are errors.
    """
    data, problems = check_data(study)
    if study.claims:
        try:
            tell(f"{study.claims.file}: {len(read_claims(study).claims)} claims")
        except DataError as error:
            problems.take(error, study.claims.file)
    for line in data.summary().split("\n")[1:] if data else ():  # its title apart
        tell(line)
    for problem in sorted(problems, key=lambda p: ("error", "warning", "note").index(p.level)):
        tell(_lay_out(problem))
    rows = [problem for problem in problems if problem.level != "note"]
    if rows or listing.exists():
        Problems(rows).to_frame().to_csv(listing, index=False, encoding="utf-8-sig")
    counts = {
        level: sum(problem.level == level for problem in problems)
        for level in ("error", "warning", "note")
    }
    told = ", ".join(f"{n} {level}{'s' * (n != 1)}" for level, n in counts.items())
    tell(f"{told}{f'; every row is in {listing}' if rows else ''}")
    return None if problems.errors else data


def read_claims(study: Study) -> ClaimTable:
    """Load a study's claims and work out all that its report does, so that mistakes show."""
    claims = load_claims(study)
    run_crosschecks(claims)
    assess_counties(claims)
    return claims


def _lay_out(problem: Problem) -> str:
    """Wrap a problem to the terminal, its level in front."""
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    return textwrap.fill(
        str(problem),
        width=width,
        initial_indent=f"{problem.level:<9}",
        subsequent_indent=" " * 9,
        break_long_words=False,
    )
