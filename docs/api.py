"""Write the page of the public functions, from their docstrings: make api."""

import sys
from pathlib import Path

import pdoc

import evaluation

# pdoc looks a module's names up without asking for them, and these come when asked for.
for name in evaluation.__all__:
    setattr(evaluation, name, getattr(evaluation, name))
pdoc.render.configure(docformat="numpy", math=False, show_source=False)
folder = Path(sys.argv[1])
pdoc.pdoc("evaluation", output_directory=folder)
print(folder / "evaluation.html")
