"""A whole report under codes: no name in any of its files, and the same numbers."""

import json
import re
import shutil
import zipfile

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from evaluation.data.load import load_data
from evaluation.data.pseudonyms import read_pseudonyms
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import SimulationOptions
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report import chapters, run
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.tables import gain_by_table, gains_summary_table
from evaluation.report.gains.villages import village_table
from evaluation.report.record.store import read_record
from tests.conftest import JINING, edit

SAME = 1e-8  # villages stand in another order, so that sums are made in another
FEW = 3  # villages of one county: too few to be told of
SHOWN = ("1_data", "3_income_gains", "5_funding_efficiency")
TRIVIAL = 'study: str = "x"; pseudonyms: str = ""'


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies") / "small"
    options = SimulationOptions(treated={"Sishui": 14, "Weishan": FEW}, comparison=2)
    return write_simulated_study(simulate_programme(options, seed=1), folder, name="small")


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return tmp_path_factory.mktemp("safe") / "key.csv"


@pytest.fixture(scope="module")
def folder(study, key, tmp_path_factory):
    out = tmp_path_factory.mktemp("reports")
    with pytest.MonkeyPatch.context() as patch:
        known = {name: chapters.CHAPTERS[name] for name in SHOWN}
        patch.setattr(chapters, "CHAPTERS", known)
        return run.run_report(study, out=out, key=key, formats=["docx"])


@pytest.fixture(scope="module")
def gains(study):
    """The gains with names, as chapter 3 estimates them."""
    return estimate_study_gains(load_data(Study.load(study)))


def rows(folder, name):
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    (exhibit,) = [e for e in results["exhibits"] if e["name"] == name]
    return exhibit["rows"]


def texts(folder):
    """Give the text of every file of a run; of a Word file, that of its parts."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".docx":
            with zipfile.ZipFile(path) as file:
                for part in file.namelist():
                    yield f"{path.name}/{part}", file.read(part).decode("utf-8", "replace")
        elif path.is_file():
            yield path.name, path.read_bytes().decode("utf-8", "replace")


def numbers(row):
    return [v for v in row.values() if isinstance(v, int | float)]


def test_no_file_of_the_run_holds_a_name(folder, key):
    pseudonyms = read_pseudonyms(key)
    assert len(pseudonyms.names) > 50
    found = {name: pseudonyms.find(text) for name, text in texts(folder)}
    assert len(found) > 50 and "report.docx/word/document.xml" in found
    assert not {name: code for name, code in found.items() if code}


def test_villages_are_told_by_their_codes_in_the_page_and_the_document(folder, key):
    told = dict(texts(folder))
    table = read_pseudonyms(key).table
    codes = {*table.loc[table["kind"] == "village", "code"]}
    for name in ("report.html", "report.docx/word/document.xml"):
        assert len({*re.findall(r"\bV-\w{5}\b", told[name])} & codes) > 10


def test_the_key_is_no_part_of_the_run(folder, key):
    assert not list(folder.rglob("key*"))
    assert oct(key.stat().st_mode)[-3:] == "600"
    record = read_record(folder)
    assert len(record["pseudonyms"]) == 64 and "key.csv" not in record["inputs"]


def test_the_numbers_are_those_under_names(folder, gains, key):
    under_names = gains_summary_table(gains).data.to_dict("records")
    found = rows(folder, "gains_summary")
    assert len(found) == len(under_names)
    for row, other in zip(found, under_names, strict=True):
        assert numbers(row) == pytest.approx([x for x in numbers(other) if x == x], rel=SAME)
    codes = dict(read_pseudonyms(key).table[["key", "code"]].itertuples(index=False))
    open_gains = village_table(gains).data.set_index("village")["gain"].rename(codes)
    hidden = {row["village"]: row["gain"] for row in rows(folder, "village_gains")}
    assert hidden == pytest.approx(open_gains.to_dict(), rel=SAME)


def test_counties_of_few_villages_are_not_told(folder, gains):
    under_names = gain_by_table(gains, by="county").data
    assert sorted(under_names["n_villages"]) == [FEW, 14]
    assert [numbers(row) for row in rows(folder, "gains_by_county")] == [[], []]


def test_no_map_is_drawn(folder):
    assert not [name for name, _ in texts(folder) if "map" in name and "cost" not in name]


# -- what is refused -----------------------------------------------------------------------


@pytest.fixture
def refuse(tmp_path, monkeypatch, study):
    """Run one chapter under codes, of the cell given, that is refused; what was told."""

    def call(cell, title, error, **options):
        notebooks = tmp_path / "notebooks"
        notebooks.mkdir()
        node = new_notebook(cells=[new_code_cell(TRIVIAL), new_code_cell(cell)])
        node.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(node, notebooks / "1_data.ipynb")
        monkeypatch.setattr(chapters, "notebook_folder", lambda: notebooks)
        monkeypatch.setattr(chapters, "CHAPTERS", {"1_data": ("panel",)})
        here = shutil.copytree(study, tmp_path / "study")
        edit(here / "study.yml", "en: a First", f"en: {title} a First")
        told = []
        with pytest.raises(ReportError, match=error):
            run.run_report(here, out=tmp_path / "out", tell=told.append, **options)
        assert not list((tmp_path / "out").glob("**/*"))
        return told

    return call


def test_a_name_in_the_studys_own_text_is_refused_and_nothing_is_kept(refuse, study, tmp_path):
    name = load_data(Study.load(study)).panel.villages["name"].iloc[0]
    told = refuse(
        "1",
        f"About {name},",
        r"report\.html names the village, .* V-\w{5}, although",
        key=tmp_path / "key.csv",
    )
    assert told == ["failed: nothing was kept, as not all is hidden yet that is to be"]


def test_a_run_that_fails_before_names_are_looked_for_keeps_nothing(refuse, tmp_path):
    told = refuse("1 / 0", "", "ZeroDivisionError", key=tmp_path / "key.csv")
    assert told[-1].startswith("failed: nothing was kept")


def test_a_chapter_of_ones_own_must_take_codes(study, tmp_path):
    node = new_notebook(cells=[new_code_cell('study: str = "x"')])
    node.cells[0].metadata["tags"] = ["parameters"]
    here = shutil.copytree(study, tmp_path / "study")
    nbformat.write(node, here / "7_own.ipynb")
    edit(here / "study.yml", "version: 1", "version: 1\nchapters: [7_own.ipynb]")
    with pytest.raises(ReportError, match=r"7_own: .* does not declare 'pseudonyms: str'"):
        run.run_report(here, out=tmp_path / "out", key=tmp_path / "key.csv")
    assert not (tmp_path / "out").exists()


def test_a_study_without_villages_needs_no_codes(tmp_path):
    with pytest.raises(ReportError, match="no villages that codes could stand for"):
        run.run_report(JINING, out=tmp_path / "out", key=tmp_path / "key.csv")
    assert not list(tmp_path.iterdir())


def test_the_key_may_not_lie_among_the_runs(study, tmp_path):
    with pytest.raises(ReportError, match=r"not among the runs in .*: it tells names"):
        run.run_report(study, out=tmp_path, key=tmp_path / "deep" / "key.csv")
    assert not list(tmp_path.iterdir())
