"""Whether the sentences of a report's page have the numbers that they should."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any

from evaluation.language import speaking
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.page import Page
from evaluation.report.numbers.tokens import read_tokens
from evaluation.report.page.summary import summarise
from evaluation.report.results import name_exhibits, rows_of

_LINK = re.compile(r"\]\([^)]*\)")
_TAG = re.compile(r"<[^>]+>")
_LISTED = re.compile(r"^\s*\d+\.\s", re.MULTILINE)


def check_summary(
    file: str, page: Page, results: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare the summary's numbers with those of the summary that results.json gives anew.

    Its sentences are not compared: in Chinese they need the counties' names from the study.
    """
    findings = rows_of(name_exhibits(results), "findings")
    counties = {row["county"]: row["county"] for row in findings}  # in the study's order
    with speaking(results["language"]):
        summary = summarise(results, parameters=parameters, counties=counties)
    wanted = [*summary.found, *summary.sure, *summary.not_to_conclude]
    if len(page.points) != len(wanted):
        told = f"it makes {len(page.points)} points, where results.json gives {len(wanted)}"
        yield Finding(file=file, exhibit="summary", what=told)
        return
    for i, ((text, names), point) in enumerate(zip(page.points, wanted, strict=True), 1):
        at = {"file": file, "exhibit": "summary", "row": f"{i}"}
        yield from _compare(at, text, point.text, "results.json gives")
        if names != [*point.exhibits]:
            yield Finding(**at, what="it names other exhibits than it rests on")


def check_chapter(file: str, page: Page, run: Path, notebook: str) -> Iterator[Finding]:
    """Compare the numbers of a chapter's text with those of its notebook."""
    name = f"notebooks/{notebook}.ipynb"
    try:
        cells = json.loads((run / name).read_bytes())["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return  # which the check of exhibits tells
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    plain = (_LISTED.sub(" ", _TAG.sub(" ", _LINK.sub("]", text))) for text in texts)
    at = {"file": file, "exhibit": f"text of {notebook}"}
    yield from _compare(at, page.prose(notebook), "\n".join(plain), f"{name} has")


def _compare(at: Mapping[str, str], text: str, wanted: str, source: str) -> Iterator[Finding]:
    numbers = ([token.plain for token in read_tokens(part)[1]] for part in (text, wanted))
    for a, b in zip_longest(*numbers, fillvalue="nothing"):
        if a != b:
            what = f"{a} is printed, where {source} {b}"
            yield Finding(**at, printed=a, expected=b, what=what)
            return
