"""What the code may look like: which part may use which, and how long a part may be."""

import ast
import json
from pathlib import Path

import pytest

from tests.conftest import REPO

PACKAGE = REPO / "evaluation"
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((REPO / "notebooks").glob("*.ipynb"))

# A part uses itself and those in lower layers; two parts of one layer don't know each other.
LAYERS = [
    ["display", "errors"], ["language"], ["rounding"], ["bounds"],
    ["data"], ["claims", "gains"], ["efficiency", "effects"],
    ["report"], ["cluster"], ["cli"], ["__main__"],
]  # fmt: skip
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}
ESTIMATORS = {"claims", "gains", "efficiency", "effects"}

LONGEST_MODULE = 300
LONGEST_CELL = 10

TOUCHES_FILES = {
    "open", "read_bytes", "read_text", "write_bytes", "write_text", "unlink", "mkdir",
    "read_csv", "read_excel", "read_parquet", "read_stata", "read_json", "read_pickle",
    "to_csv", "to_excel", "to_parquet", "to_stata", "to_json", "to_pickle", "savefig",
    "load", "loadtxt", "genfromtxt", "save", "savetxt", "safe_load", "safe_dump",
}  # fmt: skip


def name_of(path):
    return path.relative_to(REPO).as_posix()


def part_of(path):
    """Give the part of the package that a module belongs to, '' for its __init__."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0].removeprefix("__init__")


def imported_parts(tree):
    """List the parts of the package that a module imports, wherever in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write imports in full"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("evaluation.")}


def called(tree):
    """List the names of all functions and methods called."""
    functions = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {getattr(function, "attr", getattr(function, "id", "")) for function in functions}


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_the_package_is_found():
    assert PACKAGE / "bounds.py" in MODULES


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_downward_only(path):
    part = part_of(path)
    if not part:
        return  # evaluation/__init__.py gathers the public names
    assert part in LAYER, f"{part}: say in LAYERS which layer it is in"
    for other in imported_parts(parse(path)) - {part}:
        assert LAYER.get(other, len(LAYERS)) < LAYER[part], f"{part} must not use {other}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", [p for p in MODULES if part_of(p) in ESTIMATORS], ids=name_of)
def test_estimators_touch_no_file(path):
    assert not called(parse(path)) & TOUCHES_FILES


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("import evaluation.data.study", {"data"}),
        ("from evaluation.bounds import Bounds", {"bounds"}),
        ("from evaluation import cli", {"cli"}),
        ("def f():\n    from evaluation.report import run", {"report"}),
        ("import pandas as pd\nfrom pathlib import Path", set()),
    ],
)
def test_imports_are_found(source, parts):
    assert imported_parts(ast.parse(source)) == parts


# -- notebooks -----------------------------------------------------------------------------


def code_cells(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_store_no_outputs(path):
    for cell in code_cells(path):
        assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebook_cells_are_short(path):
    for cell in code_cells(path):
        assert len(source(cell).splitlines()) <= LONGEST_CELL, source(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_have_one_parameters_cell(path):
    tagged = [c for c in code_cells(path) if "parameters" in c["metadata"].get("tags", [])]
    assert len(tagged) == 1


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_notebooks_only_call_and_show(path):
    not_allowed = (
        ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.For, ast.AsyncFor, ast.While,
    )  # fmt: skip
    for cell in code_cells(path):
        nodes = list(ast.walk(ast.parse(source(cell))))
        assert not [node for node in nodes if isinstance(node, not_allowed)], source(cell)
        imports = [n.names for n in nodes if isinstance(n, ast.Import)]
        modules = [alias.name for names in imports for alias in names]
        modules += [str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)]
        roots = {module.split(".")[0] for module in modules}
        assert not roots & {"os", "pathlib", "sys"}, source(cell)
