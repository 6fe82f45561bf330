"""A study's notebooks as a working copy, opened in JupyterLab."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.language import Language, say, speaking
from evaluation.report.chapters import choose_chapters
from evaluation.report.execute import keep_parts
from evaluation.report.notebook_words import translate_notebook
from evaluation.report.parameters import Value, choose_values, language_of, read_parameters
from evaluation.report.study_parts import check_data

START = "0_start.ipynb"


def prepare_lab(
    study: str | Path,
    *,
    folder: str | Path | None = None,
    parameters: Mapping[str, Value] | None = None,
    language: Language | None = None,
    data: str | Path | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Copy the notebooks for which a study has data, the study's parameters filled in.

    Parameters
    ----------
    study, parameters, language, data
        As for `run_report`.
    folder
        The working copy, by default lab/STUDY; a notebook that is there already stays.
    tell
        Called with the name of each notebook that stays.

    Returns
    -------
    The working copy: the chapters, and a notebook that explains them.

    Raises
    ------
    DataError
        If the study does not load or does not hold.
    ReportError
        If a parameter is not known or ill-typed, or the folder cannot be written.
    """
    import nbformat

    loaded = Study.load(study, data=data)
    chapters = choose_chapters(loaded)
    values = choose_values(
        {name: read_parameters(path) for name, path in chapters.items()},
        parameters or {},
        language,
    )
    parts = check_data(loaded)
    target = Path(folder) if folder else Path("lab") / loaded.name
    places = {"study": _relative(loaded.folder, target)}
    if loaded.data_folder:
        places["data"] = _relative(loaded.data_folder, target)
    with speaking(language_of(values)):
        notebooks = {path.name: nbformat.read(path, 4) for path in chapters.values()}
        for notebook, given in zip(notebooks.values(), values.values(), strict=True):
            keep_parts(notebook, parts)
            translate_notebook(notebook)
            fill_parameters(notebook, given | places)
        pages = {START: _start(loaded, notebooks), **notebooks}
    try:
        target.mkdir(parents=True, exist_ok=True)
        for name, notebook in pages.items():
            if (target / name).exists():
                tell(f"kept: {target / name} is there already")
                continue
            nbformat.write(notebook, target / name)
    except OSError as error:
        raise ReportError(
            f"cannot write to {target}: {error.strerror}. Name another with --folder."
        ) from error
    return target


def start_lab(folder: Path, *, browser: bool = True) -> int:
    """Open JupyterLab in a working copy, until it is closed; its exit status."""
    command = [sys.executable, "-m", "jupyterlab", START]
    return subprocess.call([*command, *([] if browser else ["--no-browser"])], cwd=folder)


def fill_parameters(notebook: Any, values: Mapping[str, Value]) -> None:
    """Put values in place of the defaults in a notebook's cell of parameters."""
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", ()):
            cell.source = _fill(cell.source, values)


def _fill(source: str, values: Mapping[str, Value]) -> str:
    lines = [line.encode() for line in source.split("\n")]  # ast counts bytes
    for statement in reversed(ast.parse(source).body):
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as old):
                if name in values and values[name] != ast.literal_eval(old):
                    value = values[name]
                    text = json.dumps(value, ensure_ascii=False)  # quotes as in the notebooks
                    filled = (text if isinstance(value, str) else repr(value)).encode()
                    first, last = old.lineno - 1, old.end_lineno or old.lineno
                    rest = lines[last - 1][old.end_col_offset :]
                    lines[first:last] = [lines[first][: old.col_offset] + filled + rest]
    return b"\n".join(lines).decode()


def _relative(place: Path, folder: Path) -> str:
    """Give a place as a notebook in the folder names it."""
    try:
        return Path(os.path.relpath(place.resolve(), folder.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return str(place.resolve())


def _start(study: Study, notebooks: Mapping[str, Any]) -> Any:
    """Make the notebook that explains the chapters."""
    from nbformat.v4 import new_markdown_cell, new_notebook

    banner = say("SIMULATED: ") if study.simulated else ""
    texts = [
        f"# {banner}{study.title.shown}",
        say(
            "These are the notebooks of the study's report, with its parameters filled in. "
            "Open one, run it cell by cell, and change what you like: this is a copy, which "
            "the report that `evaluation report` makes does not read."
        ),
        *(_describe(name, notebook) for name, notebook in notebooks.items()),
        say(
            "The cell of parameters in each notebook says what can be chosen. A choice that "
            "should be in the report is given to the command: `evaluation report STUDY -p "
            "NAME=VALUE`. A notebook of your own becomes a further chapter when it is named "
            "under `chapters` in study.yml."
        ),
    ]
    cells = [new_markdown_cell(text) for text in texts]
    for number, cell in enumerate(cells):
        cell["id"] = f"start-{number}"
    return new_notebook(cells=cells)


def _describe(name: str, notebook: Any) -> str:
    """Link a notebook by its title, with the paragraph under it and its sections."""
    blocks = [
        block
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for block in cell.source.split("\n\n")
    ]
    title = next((b[2:] for b in blocks if b.startswith("# ")), name)
    said = next((b for b in blocks if not b.startswith("#")), "")
    sections = [f"- {block[3:]}" for block in blocks if block.startswith("## ")]
    return "\n\n".join([f"## [{title}]({quote(name)})", said, "\n".join(sections)]).strip()
