"""The prose of notebooks, in the language spoken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

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
                f"{mark}{say(text)}" for mark, text in split_blocks(cell.source)
            )


def split_blocks(source: str) -> Iterator[tuple[str, str]]:
    """Split markdown into paragraphs, headings and items: their mark, and their text."""
    for block in re.split(r"\n\s*\n", source.strip()):
        if match := _BLOCK.match(" ".join(block.split("\n"))):
            yield match[1] or "", match[2].strip()
