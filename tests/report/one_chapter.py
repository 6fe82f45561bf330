"""Runs whose one chapter is written by the test: quick, and known to the last cell."""

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evaluation.report import chapters

# The command, but for the chapters that it has.
COMMAND = """
import sys
from pathlib import Path
from evaluation.cli import main
from evaluation.report import chapters
folder = Path(sys.argv[1])
chapters.notebook_folder = lambda: folder
chapters.CHAPTERS = {path.stem: ("claims",) for path in sorted(folder.glob("*.ipynb"))}
sys.exit(main(sys.argv[2:]))
"""


def have_one_chapter(folder, patch, *sources):
    """Let 1_data, of these cells, be the one chapter of all runs; the first has parameters."""
    node = new_notebook(cells=[new_markdown_cell("# Data\n\nAll of them.")])
    node.cells += [new_code_cell(source) for source in sources]
    node.cells[1].metadata["tags"] = ["parameters"]
    for number, cell in enumerate(node.cells):
        cell["id"] = f"cell-{number}"
    nbformat.write(node, folder / "1_data.ipynb")
    patch.setattr(chapters, "notebook_folder", lambda: folder)
    patch.setattr(chapters, "CHAPTERS", {"1_data": ("panel",)})
