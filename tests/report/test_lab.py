"""A working copy of a study's notebooks: filled in, linked, kept, and run from its folder."""

import re
import shutil
import sys
from urllib.parse import unquote

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from evaluation.cli import main
from evaluation.errors import ReportError
from evaluation.report import lab
from evaluation.report.lab import START, fill_parameters, prepare_lab, start_lab
from evaluation.report.parameters import read_parameters
from tests.conftest import JINING, REPO, edit

CHAPTERS = ["1_data", "2_published_claims", "3_income_gains", "5_funding_efficiency"]


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The working copy of the real study, with a parameter chosen."""
    folder = tmp_path_factory.mktemp("lab") / "jining"
    return prepare_lab(JINING, folder=folder, parameters={"reading": "loose"})


def read(folder, name):
    return nbformat.read(folder / name, 4)


def source(folder, name):
    return "\n".join(cell.source for cell in read(folder, name).cells)


def links(folder):
    return [unquote(link) for link in re.findall(r"\]\((.*?)\)", source(folder, START))]


def test_the_start_links_what_is_there(copy):
    assert links(copy) == [f"{name}.ipynb" for name in CHAPTERS]
    assert sorted(path.name for path in copy.iterdir()) == sorted([START, *links(copy)])
    assert "## [What the published figures say](2_published_claims.ipynb)" in source(
        copy, START
    )
    nbformat.validate(read(copy, START))


def test_parameters_are_filled_in_and_all_else_in_their_cell_stays(copy):
    before = source(REPO / "notebooks", "2_published_claims.ipynb").splitlines()
    after = source(copy, "2_published_claims.ipynb").splitlines()
    changed = dict(pair for pair in zip(before, after, strict=True) if pair[0] != pair[1])
    (was_study, study), (was_reading, reading) = changed.items()
    place = re.search('"(.*)"', study)[1]
    assert (copy / place).resolve() == JINING
    assert study == was_study.replace("../data/jining_2021", place)
    assert '= "study"  #' in was_reading
    assert reading == was_reading.replace('= "study"', '= "loose"')
    assert read_parameters(copy / "2_published_claims.ipynb")["reading"].default == "loose"


def test_cells_on_parts_that_the_study_lacks_are_left_out(copy):
    before = read(REPO / "notebooks", "1_data.ipynb").cells
    after = {cell.source for cell in read(copy, "1_data.ipynb").cells}
    needing = {
        cell.source: {tag for tag in cell.metadata.get("tags", ()) if tag.startswith("needs-")}
        for cell in before
    }
    assert {tag for source in after for tag in needing.get(source, ())} <= {
        "needs-claims", "needs-glossary", "needs-limits",
    }  # fmt: skip
    assert [source for source, tags in needing.items() if "needs-panel" in tags]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_chapter_of_the_copy_runs_in_its_folder(copy):
    notebook = read(copy, "1_data.ipynb")
    NotebookClient(notebook, resources={"metadata": {"path": str(copy)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert any("Qilu Evening News" in str(output) for output in outputs)
    assert not [output for output in outputs if output.output_type in ("error", "stream")]


VALUES = {
    "name": 'the "old" 王家庄', "share": -0.25, "on": True, "low": 7, "text": "a\\b\nc",
}  # fmt: skip
DECLARED = (
    'name: str = "旧"; share: float = -1.0  # 村 "and" share\n'
    "on: bool = False; low: int = -3\n"
    'text: str = """x\ny"""; last: str = \'kept\'  # as it is'
)


def test_values_of_every_kind_are_written_where_the_defaults_stood():
    cell = new_code_cell(DECLARED, metadata={"tags": ["parameters"]})
    other = new_code_cell(DECLARED)
    fill_parameters(new_notebook(cells=[other, cell]), VALUES)
    assert other.source == DECLARED
    found = {}
    exec(cell.source, found)
    assert {name: found[name] for name in VALUES} == VALUES
    assert cell.source == (
        'name: str = "the \\"old\\" 王家庄"; share: float = -0.25  # 村 "and" share\n'
        "on: bool = True; low: int = 7\n"
        "text: str = \"a\\\\b\\nc\"; last: str = 'kept'  # as it is"
    )


def test_prose_is_in_the_language_asked_for(tmp_path):
    folder = prepare_lab(JINING, folder=tmp_path / "lab", language="zh")
    assert "# 数据\n" in source(folder, "1_data.ipynb")
    assert 'language: Literal["en", "zh"] = "zh"  # of what is shown' in source(
        folder, "1_data.ipynb"
    )
    assert "](1_data.ipynb)" in source(folder, START)
    assert "笔记本" in source(folder, START) and "These are" not in source(folder, START)


def test_an_edited_notebook_is_kept_and_told(tmp_path):
    folder = prepare_lab(JINING, folder=tmp_path / "lab")
    edited, gone = folder / "1_data.ipynb", folder / "2_published_claims.ipynb"
    edited.write_text("mine", encoding="utf-8")
    gone.unlink()
    told = []
    assert prepare_lab(JINING, folder=folder, tell=told.append) == folder
    assert edited.read_text(encoding="utf-8") == "mine"
    assert gone.is_file()
    assert f"kept: {edited} is there already" in told
    assert len(told) == len(CHAPTERS)  # the start, and all but the one that was gone


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path):
    (tmp_path / "lab").write_text("a file", encoding="utf-8")
    with pytest.raises(ReportError, match=r"cannot write to .*lab: .*Name another with --fold"):
        prepare_lab(JINING, folder=tmp_path / "lab")


def test_a_mistaken_parameter_leaves_no_folder(tmp_path):
    with pytest.raises(ReportError, match="-p readin: no notebook has this parameter"):
        prepare_lab(JINING, folder=tmp_path / "lab", parameters={"readin": "loose"})
    assert not (tmp_path / "lab").exists()


def test_a_chapter_of_ones_own_is_copied_and_linked(tmp_path):
    study = shutil.copytree(JINING, tmp_path / "study")
    name = "7 我们的(1).ipynb"
    node = new_notebook(
        cells=[
            new_markdown_cell("# Our survey\n\nWhat we asked.\n\n## Answers"),
            new_code_cell('study: str = "x"', metadata={"tags": ["parameters"]}),
        ]
    )
    nbformat.write(node, study / name)
    edit(study / "study.yml", "\nprogramme:", f'\nchapters: ["{name}"]\nprogramme:')
    folder = prepare_lab(study, folder=tmp_path / "lab")
    assert links(folder)[-1] == name
    assert "What we asked.\n\n- Answers" in source(folder, START)
    assert read_parameters(folder / name)["study"].default == "../study"


# -- JupyterLab ----------------------------------------------------------------------------


@pytest.fixture
def called(monkeypatch):
    calls = []

    def call(command, *, cwd):
        calls.append((command, cwd))
        return 3

    monkeypatch.setattr(lab.subprocess, "call", call)
    return calls


@pytest.mark.parametrize("browser", [True, False])
def test_jupyterlab_of_this_python_opens_the_start(called, tmp_path, browser):
    assert start_lab(tmp_path, browser=browser) == 3
    quiet = [] if browser else ["--no-browser"]
    assert called == [([sys.executable, "-m", "jupyterlab", START, *quiet], tmp_path)]


def test_the_command_copies_and_starts(called, tmp_path, capsys):
    folder = tmp_path / "lab"
    assert main(["lab", str(JINING), "--folder", str(folder), "--copy-only"]) == 0
    assert capsys.readouterr().out == f"{folder}\n" and not called
    assert main(["lab", str(JINING), "--folder", str(folder), "--no-browser"]) == 3
    assert "kept: " in capsys.readouterr().err
    assert called[0][0][-1] == "--no-browser" and called[0][1] == folder
