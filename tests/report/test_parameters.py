"""Parameters are declared once, typed, and a value is read as declared or refused."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.errors import ReportError
from evaluation.report.parameters import read_parameters, resolve_parameters, split_assignments


def write_notebook(folder: Path, *cells: str) -> Path:
    notebook = new_notebook()
    for source in cells:
        cell = new_code_cell(source)
        cell.metadata["tags"] = ["parameters"]
        notebook.cells.append(cell)
    path = folder / "3_income_gains.ipynb"
    nbformat.write(notebook, path)
    return path


DECLARED = """\
study: str = "data/x"  # the folder
village: str = "012345"
lags: int = -2
alpha: float = 0.05
robust: bool = False
scale: Literal["level", "log"] = "level"
"""


@pytest.fixture
def declared(tmp_path):
    return {"3_income_gains": read_parameters(write_notebook(tmp_path, DECLARED))}


def resolve(declared, **given):
    return resolve_parameters(declared, given)["3_income_gains"]


def test_defaults_are_those_of_the_cell(declared):
    assert resolve(declared) == {
        "study": "data/x",
        "village": "012345",
        "lags": -2,
        "alpha": 0.05,
        "robust": False,
        "scale": "level",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("village", "007", "007"),  # a code stays text
        ("village", "NO", "NO"),
        ("village", '1"; import os #', '1"; import os #'),
        ("lags", "3", 3),
        ("lags", "-1", -1),
        ("alpha", "1e-3", 0.001),
        ("alpha", "1", 1.0),
        ("robust", "true", True),
        ("robust", "False", False),
        ("scale", "log", "log"),
    ],
)
def test_text_is_read_as_the_declared_type(declared, name, text, value):
    result = resolve(declared, **{name: text})[name]
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lag", "3", "-p lag: no notebook has this parameter; did you mean 'lags'?"),
        ("study", "x", "-p study: the study is the command's own argument."),
        ("lags", "3.5", "-p lags: '3.5' is not int."),
        ("lags", "１", "-p lags: '１' is not int."),
        ("lags", True, "-p lags: True is not int."),
        ("alpha", "nan", "-p alpha: 'nan' is not float."),
        ("robust", "NO", "-p robust: 'NO' is not bool."),
        ("scale", "logs", "-p scale: 'logs' is not one of level, log."),
    ],
)
def test_what_does_not_fit_is_refused(declared, name, value, message):
    with pytest.raises(ReportError) as error:
        resolve(declared, **{name: value})
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    "cell",
    [
        "alpha = 0.05",
        "alpha: float = 1",
        "alpha: float = compute()",
        "alpha: list = [1]",
        "import os",
        'scale: Literal["a", "b"] = "c"',
        "alpha: float",
    ],
)
def test_a_cell_that_declares_no_types_is_refused(tmp_path, cell):
    with pytest.raises(ReportError, match="each line declares one as 'name: type = value'"):
        read_parameters(write_notebook(tmp_path, cell))


@pytest.mark.parametrize("cells", [(), ("a: int = 1", "b: int = 2")])
def test_one_cell_declares_them(tmp_path, cells):
    with pytest.raises(ReportError, match=f"{len(cells)} cells are tagged 'parameters'"):
        read_parameters(write_notebook(tmp_path, *cells))


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    path = tmp_path / "1_data.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ReportError, match=r"1_data\.ipynb: not a notebook"):
        read_parameters(path)


def test_assignments_are_split_at_the_first_equals_sign():
    assert split_assignments(["a=b=c", "d="]) == {"a": "b=c", "d": ""}
    with pytest.raises(ReportError, match="-p a: write name=value"):
        split_assignments(["a"])
    with pytest.raises(ReportError, match="-p a: given twice"):
        split_assignments(["a=1", "a=2"])
