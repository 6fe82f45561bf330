"""Which program makes each exhibit of a run: its notebook, cell and function."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import evaluation
from evaluation.report.exhibits import MIME
from evaluation.report.results import is_absent

_CALL = re.compile(r"\b(\w+)\(")
_FIGURE = re.compile(r'<figure class="exhibit (table|figure)[^>]*? id="([^"]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What makes an exhibit.

    Attributes
    ----------
    label, name, caption
        "Table 3" as in report.html; what its files are called; its title, as the run has it.
    notebook, cell
        The notebook's file, and the cell in it, counted from 1.
    function, line
        What the cell calls, and where that is: "evaluation/report/x.py:10"; '' if unknown.
    files
        What it writes, in the run's folder.
    absent
        Why there is nothing to show; '' if there is.
    """

    label: str
    name: str
    caption: str
    notebook: str
    cell: int
    function: str
    line: str
    files: tuple[str, ...]
    absent: str


def list_programs(
    run: Path, results: Mapping[str, Any], notebooks: Mapping[str, tuple[str, Path]]
) -> list[Program]:
    """List what makes each exhibit of a run, in the order of its page.

    Parameters
    ----------
    run
        The run's folder.
    results
        Its results.json.
    notebooks
        By chapter, the notebook's name in the package and where it is.
    """
    labels = _number(run)
    cells = {name: _find_cells(run, name, path) for name, (_, path) in notebooks.items()}
    programs = []
    for exhibit in results["exhibits"]:
        name, chapter = exhibit["name"], exhibit["notebook"]
        cell, source = cells[chapter].get(name, (0, ""))
        function, line = _find_function(source)
        folder = f"{exhibit['kind']}s"
        absent = str(exhibit["rows"][0]["absent"]) if is_absent(exhibit) else ""
        programs.append(
            Program(
                label=labels.get(name, exhibit["kind"].capitalize()),
                name=name,
                caption=exhibit["caption"],
                notebook=notebooks[chapter][0],
                cell=cell,
                function=function,
                line=line,
                files=tuple(f"{folder}/{name}{end}" for end in exhibit["files"]),
                absent=absent,
            )
        )
    order = {name: place for place, name in enumerate(labels)}
    return sorted(programs, key=lambda program: order.get(program.name, len(order)))


def _number(run: Path) -> dict[str, str]:
    """Give what the page calls each exhibit: they are numbered in its order, by kind."""
    counts = {"table": 0, "figure": 0}
    labels = {}
    for kind, name in _FIGURE.findall((run / "report.html").read_text(encoding="utf-8")):
        counts[kind] += 1
        labels[name] = f"{kind.capitalize()} {counts[kind]}"
    return labels


def _find_cells(run: Path, chapter: str, notebook: Path) -> dict[str, tuple[int, str]]:
    """Find the cell that shows each exhibit: its place in the notebook, and its source.

    Cells of the run are held against the notebook's by their source: what the study lacks
    was left out of the run, and a cell of parameters was put in.
    """
    sources = [_source(cell) for cell in read_cells(notebook)]
    found = {}
    after = 0
    for cell in read_cells(run / "notebooks" / f"{chapter}.ipynb"):
        source = _source(cell)
        if source in sources[after:]:
            after = sources.index(source, after) + 1
        for output in cell.get("outputs", ()):
            if MIME in output.get("data", {}):
                found[output["data"][MIME]["name"]] = (after, source)
    return found


def _find_function(source: str) -> tuple[str, str]:
    """Find the function of the package that a cell calls, and the line that defines it."""
    homes: Mapping[str, str] = evaluation._HOMES
    name = next((name for name in _CALL.findall(source) if name in homes), "")
    if not name:
        return "", ""
    package = Path(evaluation.__file__).parent
    file = homes[name].replace(".", "/") + ".py"
    text = (package.parent / file).read_text(encoding="utf-8")
    defined = re.search(rf"^(?:def|class) {name}\b", text, re.MULTILINE)
    line = text.count("\n", 0, defined.start()) + 1 if defined else 1
    return name, f"{file}:{line}"


def read_cells(path: Path) -> list[dict[str, Any]]:
    """Give a notebook's cells as the file has them."""
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _source(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"]).strip()
