"""Whether a report's page is of the run that it lies in, and its exhibits are numbered so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.language import speaking
from evaluation.report.numbers.finding import Finding
from evaluation.report.numbers.page import Page
from evaluation.report.numbers.tokens import plain_digits, read_tokens
from evaluation.report.page.appendix import OWN
from evaluation.report.page.title_page import tell_results
from evaluation.report.record.describe import name_run
from evaluation.report.results import name_exhibits, rows_of


def check_title(
    file: str, page: Page, results: Mapping[str, Any], record: Mapping[str, Any]
) -> Iterator[Finding]:
    """Look for the numbers under the title in the results, and for the run's name there."""
    name = name_run(record)
    facts = plain_digits(page.facts)
    if name not in facts:
        yield Finding(file=file, exhibit="title", what=f"it is not the page of the run {name}")
    with speaking(results["language"]):
        told = tell_results(results)
    source = [str(row) for row in rows_of(name_exhibits(results), "source")]
    known = {token.plain for text in (*told, *source, name) for token in read_tokens(text)[1]}
    for token in read_tokens(facts)[1]:
        if token.plain not in known and name in facts:
            what = f"{token.text} is printed, which is not in results.json"
            yield Finding(file=file, exhibit="title", printed=token.text, what=what)


def check_origin(file: str, page: Page, record: Mapping[str, Any]) -> Iterator[Finding]:
    """Compare what the page says that it was made from and with, with the run's record."""
    told = plain_digits(page.appendix)
    wanted: dict[str, tuple[str, ...]] = {
        f"input {name}": (facts["sha256"], f"{facts['bytes']:,}")
        for name, facts in record["inputs"].items()
    }
    wanted |= {name: (f"{name} {version}",) for name, version in record["packages"].items()}
    for chapter, values in record["parameters"].items():
        wanted |= {
            f"parameter {name} of {chapter}": (plain_digits(f"{name} = {value}"),)
            for name, value in values.items()
            if name not in OWN and value != ""
        }
    for what, facts in wanted.items():
        if not all(fact in told for fact in facts):
            about = f"it does not say of the {what} what the record says: {', '.join(facts)}"
            yield Finding(file=file, exhibit="appendix", what=about)


def check_labels(file: str, page: Page) -> Iterator[Finding]:
    """Check that exhibits are numbered on end, and called by their numbers."""
    counts: Counter[str] = Counter()
    for name, shown in page.exhibits.items():
        counts[shown.kind] += 1
        if shown.label and _numbers(shown.label) != [f"{counts[shown.kind]}"]:
            what = f"it is numbered {shown.label}, and comes {counts[shown.kind]}."
            yield Finding(file=file, exhibit=name, what=what.rstrip("."))
    for name, text in page.references:
        label = page.exhibits[name].label if name in page.exhibits else ""
        if label and _numbers(text) != _numbers(label):
            what = f"it is called {text} elsewhere, and numbered {label}"
            yield Finding(file=file, exhibit=name, what=what.rstrip("."))


def _numbers(text: str) -> list[str]:
    return [token.plain for token in read_tokens(text)[1]]
