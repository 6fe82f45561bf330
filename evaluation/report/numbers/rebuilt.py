"""Whether a run's files are those that its notebooks and record give when written anew.

Nothing is estimated: exhibits are saved, and chapters laid out, from the executed notebooks.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lxml import html

from evaluation.language import speaking
from evaluation.report.exhibits import MIME, save_exhibit
from evaluation.report.numbers.finding import Finding
from evaluation.report.record.workflow import WORKFLOW, workflow_text
from evaluation.report.template_files import read_template

_NAME = re.compile(r"[\w-]+")
_KINDS = ("table", "figure")


def check_rebuilt(
    file: str, run: Path, results: Mapping[str, Any], record: Mapping[str, Any]
) -> Iterator[Finding]:
    """Compare tables, figures, workflow.py and the page's chapters with those made anew.

    Parameters
    ----------
    file
        The page.
    run, results, record
        The run, and what it holds.
    """
    if _read(run / WORKFLOW) != workflow_text(record).encode():
        yield Finding(file=WORKFLOW, what="it is not the one that the record gives")
    if record.get("title", "") not in (results.get("title") or {}).values():
        yield Finding(file="results.json", what="its title is not the record's")
    notebooks = dict(_read_notebooks(run, record))
    with speaking(results["language"]):
        yield from _check_exhibits(run, notebooks, results)
        yield from _check_page(file, run, notebooks)


def _check_exhibits(
    run: Path, notebooks: Mapping[str, Any], results: Mapping[str, Any]
) -> Iterator[Finding]:
    exhibits: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as beside:
        folder = Path(beside)
        for kind in _KINDS:
            (folder / f"{kind}s").mkdir()
        written: dict[str, str] = {}
        for name, notebook in notebooks.items():
            for cell in notebook.cells:
                for output in cell.get("outputs", ()):
                    data = output.get("data", {})
                    own = data.get(MIME, {})
                    if own.get("kind") in _KINDS and _NAME.fullmatch(str(own.get("name"))):
                        saved = save_exhibit(_no_files_elsewhere(data), folder)
                        exhibits += [{**saved, "notebook": name}] if saved else []
            for path in folder.glob("*/*"):
                written.setdefault(path.relative_to(folder).as_posix(), name)
        for place, name in sorted(written.items()):
            if _read(run / place) != (folder / place).read_bytes():
                what = f"it is not the one that notebooks/{name}.ipynb gives, byte by byte"
                yield Finding(file=place, what=what)

    if json.loads(json.dumps(exhibits)) != results["exhibits"]:
        yield Finding(file="results.json", what="it is not what the notebooks give")


def _no_files_elsewhere(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out files of an exhibit's own that would be written into another folder."""
    own = data[MIME]
    files = {
        end: f for end, f in own.get("files", {}).items() if re.fullmatch(r"\w*\.\w+", end)
    }
    return {**data, MIME: {**own, "files": files}}


def _check_page(file: str, run: Path, notebooks: Mapping[str, Any]) -> Iterator[Finding]:
    from evaluation.report.page.site import code_style, lay_out_chapters

    page = _read(run / file).decode("utf-8", errors="replace").replace("\r\n", "\n")
    rest = page
    for name, body in lay_out_chapters(notebooks).items():
        if body not in page:
            what = f"it is not as notebooks/{name}.ipynb gives it, byte by byte"
            yield Finding(file=file, exhibit=f"chapter {name}", what=what)
        rest = rest.replace(body, "", 1)
    # Around the chapters, all that runs or styles is of the templates.
    scripts = _dense(read_template("page.html.j2") + read_template("page.js"))
    styles = _dense(read_template("page.css") + code_style())
    for element in html.document_fromstring(rest or "<p>").iter():
        if not isinstance(element.tag, str):
            continue
        if element.tag == "script" and _dense(element.text or "") not in scripts:
            yield Finding(file=file, what="it has a script that is none of a report's")
        if element.tag == "style" and _dense(element.text or "") != styles:
            yield Finding(file=file, what="it has styles that are none of a report's")
        if acts := [name for name in element.attrib if name.startswith("on")]:
            yield Finding(file=file, what=f"its {element.tag} has a script, {acts[0]}")


def _read_notebooks(run: Path, record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Give the executed notebooks that can be read, in their order: of others, others tell."""
    import nbformat

    for name in record["chapters"] or record["notebooks"]:
        try:
            yield name, nbformat.read(run / "notebooks" / f"{name}.ipynb", as_version=4)
        except (OSError, ValueError, RecursionError):
            continue


def _dense(text: str) -> str:
    return re.sub(r"\s+", "", text)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
