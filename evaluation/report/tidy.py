"""Equal runs give equal notebooks: times, places and random ids are taken out of them."""

from __future__ import annotations

import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import evaluation

_ADDRESS = re.compile(r"\bat 0x[0-9a-fA-F]{5,16}\b")
_STYLER = re.compile(r'\bid="(T_[0-9a-f]{5,32})')
_WIDGET = "application/vnd.jupyter.widget-view+json"
_PLACES = re.compile(r"^(data|pseudonyms) = .*\n?", re.MULTILINE)
# As statsmodels and linearmodels print their summaries, as text, HTML and LaTeX.
_SUMMARY = "No. Observations:"
_WHEN = re.compile(
    r"(\b(?:Date|Time):(?:</t[hd]>|\})?[\s&]*(?:<td>)?)"
    r"(\w{3}, [\w ]{6,} \d{4}|\d{4}-\d\d-\d\d \d\d:\d\d|\d\d:\d\d:\d\d)"
)


def tidy_notebook(notebook: Any, working_folder: Path) -> None:
    """Take out of an executed notebook what is not of its inputs, code and versions.

    Parameters
    ----------
    notebook
        The notebook, changed in place: times, random ids, addresses of objects, and where on
        this machine the package, the study and a cell's temporary file lie. So are widgets.
    working_folder
        Where its kernel ran.
    """
    for key in ("papermill", "widgets"):
        notebook.metadata.pop(key, None)
    tidy = _tidier(working_folder)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.source = _PLACES.sub("", cell.source)
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = _join_streams(cell.outputs)
        for place, output in enumerate(cell.get("outputs", ())):
            _tidy_output(output, f"T_{number}_{place}_", tidy)


def _join_streams(outputs: list[Any]) -> list[Any]:
    """Join what a cell printed between two outputs: a busy machine parts it elsewhere."""
    joined: list[Any] = []
    streams: dict[str, Any] = {}
    for output in outputs:
        if output.output_type != "stream":
            joined += [streams[name] for name in sorted(streams, reverse=True)]  # stdout first
            joined.append(output)
            streams = {}
        elif output.name in streams:
            streams[output.name].text += output.text
        else:
            streams[output.name] = output
    return joined + [streams[name] for name in sorted(streams, reverse=True)]


def _tidy_output(output: Any, styler: str, tidy: Callable[[str], str]) -> None:
    if output.output_type == "stream":
        output.text = tidy(output.text)
    elif output.output_type == "error":
        output.evalue = tidy(output.evalue)
        output.traceback = [tidy(line) for line in output.traceback]
    elif not any(kind.endswith("exhibit+json") for kind in output.data):  # which has none
        if len(output.data) > 1:  # a page that asks nothing of the network shows none
            output.data.pop(_WIDGET, None)
        for kind, text in output.data.items():
            if kind.startswith("text/"):
                output.data[kind] = _number_styles(tidy(text), styler)


def _tidier(working_folder: Path) -> Callable[[str], str]:
    """Give what takes places, addresses and times out of a text."""
    places = (
        sys.prefix, sysconfig.get_path("stdlib"), Path(evaluation.__file__).parents[1],
        working_folder,
    )  # fmt: skip
    both = {str(form) for place in places for form in (Path(place), Path(place).resolve())}
    # The longest first; none that is but the root of a disk.
    names = sorted((name for name in both if len(Path(name).parts) > 1), key=len, reverse=True)
    here = re.compile(rf"(?<![\w/\\.-])(?:{'|'.join(map(re.escape, names))})([/\\]|(?![\w.-]))")
    folder = re.escape(tempfile.gettempdir())
    source = re.compile(rf"{folder}[/\\]ipykernel_\d+[/\\]\d+\.py")

    def tidy(text: str) -> str:
        text = _ADDRESS.sub("at 0x0", here.sub(_relative, source.sub("cell.py", text)))
        if _SUMMARY in text:
            text = _WHEN.sub(lambda match: match[1] + " " * len(match[2]), text)
        return text

    return tidy


def _relative(place: re.Match[str]) -> str:
    return "" if place[1] else "."


def _number_styles(text: str, prefix: str) -> str:
    """Give the tables that pandas styles numbers for their random ids."""
    for number, name in enumerate(dict.fromkeys(_STYLER.findall(text))):
        text = text.replace(name, f"{prefix}{number}")
    return text
