"""The prose of notebooks: its blocks, for the catalogue and for a report in Chinese."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from evaluation.language import say, spoken

_BLOCK = re.compile(r"^(#+ |- |\d+\. )?(.*)$", re.DOTALL)


def translate_notebook(notebook: Any) -> None:
    """Put a notebook's markdown cells into the language spoken, in place.

    Blocks that the catalogue does not have, such as those of a user's own chapter, stay.
    """
    if spoken() == "en":
        return
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = "\n\n".join(
                f"{mark}{say(text)}" for mark, text in _blocks(cell.source)
            )


def extract_messages(
    file: IO[bytes], keywords: object, comments: object, options: object
) -> Iterator[tuple[int, None, str, list[str]]]:
    """Give a notebook's blocks to Babel, which asks for them in this form."""
    for cell in json.load(file)["cells"]:
        if cell["cell_type"] == "markdown":
            for _, text in _blocks("".join(cell["source"])):
                yield 0, None, text, []


def _blocks(source: str) -> Iterator[tuple[str, str]]:
    """Split markdown into paragraphs, headings and items: their mark, and their text."""
    for block in re.split(r"\n\s*\n", source.strip()):
        if match := _BLOCK.match(" ".join(block.split("\n"))):
            yield match[1] or "", match[2].strip()
