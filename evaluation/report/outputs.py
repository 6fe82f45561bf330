"""What a run's folder holds of what its notebooks show: exhibits, numbers, the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat

from evaluation.data.pseudonyms import read_pseudonyms
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.language import spoken
from evaluation.report.disclosure import SMALLEST, check_names, protect_notebook
from evaluation.report.execute import Notebook
from evaluation.report.exhibits import save_exhibit
from evaluation.report.page.site import build_page
from evaluation.report.record.rows import FILE, describe_rows
from evaluation.report.record.store import write_json


def write_outputs(
    folder: Path,
    run_name: str,
    study: Study,
    executed: Mapping[str, Notebook],
    description: Mapping[str, Any],
) -> None:
    """Write the exhibits of executed notebooks, results.json and report.html.

    Parameters
    ----------
    folder
        The run's, which has notebooks/, tables/ and figures/.
    run_name
        What it is to be called.
    study, executed, description
        What it is on, what its chapters show, and what it was made from.

    Raises
    ------
    ReportError
        If two exhibits have one name, or a name stands that codes were to hide.
    """
    smallest = study.smallest_cell or (SMALLEST if study.pseudonyms else 0)
    exhibits: list[dict[str, Any]] = []
    for name, notebook in executed.items():
        if smallest:
            protect_notebook(notebook, smallest)
            nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
        exhibits += _save_exhibits(name, notebook, folder)
    names = [exhibit["name"] for exhibit in exhibits]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ReportError(f"two exhibits are named {doubled[0]!r}; give one another name.")
    results = {
        "study": study.name,
        "title": {"en": study.whole.title.en, "zh": study.whole.title.zh},
        **_restriction(study),
        "simulated": study.simulated,
        "language": spoken(),
        "exhibits": exhibits,
    }
    write_json(folder / "results.json", results)
    page = build_page(
        study, executed, run_name=run_name, description=description, results=results
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    if study.pseudonyms:
        check_names(folder, read_pseudonyms(study.pseudonyms))


def _restriction(study: Study) -> dict[str, Any]:
    """Give the county and the outcome that were chosen, if any, as results.json says them."""
    chosen = {"county": study.county, "outcome": study.outcome}
    told = {name: text for name, text in chosen.items() if text}
    return {name: text.model_dump() for name, text in told.items()}


def write_rows(folder: Path, study: Study) -> None:
    """Write the digests of the inputs' rows, by which a later run tells which changed."""
    rows = describe_rows(study)
    if rows.get("files"):
        write_json(folder / FILE, rows)


def _save_exhibits(name: str, notebook: Notebook, folder: Path) -> list[dict[str, Any]]:
    """Write the exhibits that a notebook shows, and give their numbers."""
    saved = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            exhibit = save_exhibit(output.get("data", {}), folder)
            if exhibit is not None:
                saved.append({**exhibit, "notebook": name})
    return saved
