"""A run made again is the same, or what differs is named with its cause."""

import json
import re
import shutil

import pytest

from evaluation.cli import main
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import SimulationOptions
from evaluation.report import run
from evaluation.report.record.describe import hash_description
from evaluation.report.record.store import NAME, read_record, write_record
from tests.report.one_chapter import have_one_chapter

DECLARED = """\
study: str = "x"
data: str = ""
scale: float = 1.0
language: str = "en"
"""
CELL = """\
import matplotlib.pyplot as plt
from evaluation import Study, load_data
from evaluation.report.cells import html_table
from evaluation.report.exhibits import Exhibit
from evaluation.report.plots import figure_exhibit
panel = load_data(Study.load(study, data=data or None)).panel
incomes = panel.to_frame()[["village", "year", "income"]]
incomes["income"] *= scale
options = dict(caption="Incomes", data=incomes, simulated=False)
"""
TABLE = 'Exhibit(name="incomes", kind="table", body=html_table(incomes), **options)'
FIGURE = """\
figure, axes = plt.subplots()
axes.plot(incomes["year"], incomes["income"], ".")
figure_exhibit(figure, name="dots", alt="dots", **options)
"""


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory):
    """Give the folder of the one chapter, 1_data, which all runs here have."""
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        have_one_chapter(folder, patch, DECLARED, CELL, TABLE, FIGURE)
        yield folder


@pytest.fixture(scope="module")
def first(notebooks, tmp_path_factory):
    """A home with data/small and a run of it in reports/."""
    home = tmp_path_factory.mktemp("home")
    options = SimulationOptions(treated={"Sishui": 3, "Weishan": 3}, comparison=1)
    simulated = simulate_programme(options, seed=1)
    study = write_simulated_study(simulated, home / "data" / "small", name="small")
    return run.run_report(study, out=home / "reports")


@pytest.fixture
def again(first, tmp_path, capsys, monkeypatch):
    """A copy of the home, where ``again()`` reruns the run and gives status and words."""
    home = shutil.copytree(first.parents[1], tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    folder = home / "reports" / first.name

    def rerun(*more):
        status = main(["rerun", str(folder), *map(str, more)])
        told = capsys.readouterr()
        return status, f"{told.out}\n{told.err}"

    rerun.home, rerun.run = home, folder
    return rerun


def test_an_unchanged_run_is_the_same_to_the_byte(again, capsys):
    status, told = again("--json")
    assert status == 0
    data = json.loads(told[: told.rindex("}") + 1])
    assert data["verdict"] == "identical" and data["causes"] == []
    assert data["run"] == f"{again.run}.rerun/{again.run.name}"
    before, after = (read_record(folder) for folder in (again.run, again.run.with_name(
        f"{again.run.name}.rerun") / again.run.name))  # fmt: skip
    assert before["outputs"] == after["outputs"] and before["hash"] == after["hash"]
    assert after["reused"] == []


def test_one_cell_of_an_input_changed_by_a_millionth_is_named_by_its_row(again):
    file = again.home / "data" / "small" / "villages.csv"
    lines = file.read_text(encoding="gb18030").splitlines(keepends=True)
    cells = lines[4].split(",")
    for column in (-6, -1):  # a kind of income and the total
        cells[column] = f"{float(cells[column]) + 1e-6:.6f}"
    lines[4] = ",".join(cells) + "\n" * (not cells[-1].endswith("\n"))
    file.write_text("".join(lines), encoding="gb18030")
    status, told = again()
    assert status == 1
    assert "different" in told.lower() and "villages.csv" in told and "line 5" in told
    assert "incomes" in told


@pytest.mark.parametrize("end", [".csv", ".tex"])
def test_a_digit_in_a_table_of_the_old_run_is_named(again, end):
    table = again.run / "tables" / f"incomes{end}"
    text = table.read_text(encoding="utf-8-sig")
    number = max(re.findall(r"\d+\.\d\d+", text), key=len)
    place = number.index(".") + 1
    other = f"{number[:place]}{(int(number[place]) + 1) % 10}{number[place + 1 :]}"
    table.write_text(text.replace(number, other, 1), encoding="utf-8-sig")
    status, told = again()
    assert status == 1
    assert "altered since it was written" in told.lower() and f"tables/incomes{end}" in told


def test_a_replaced_figure_of_the_old_run_is_named(again):
    figure = again.run / "figures" / "dots.svg"
    figure.write_text(figure.read_text().replace("#", "#0", 1))
    status, told = again()
    assert status == 1 and "figures/dots.svg" in told


def test_a_parameter_of_the_run_is_used_again(again, first):
    other = run.run_report(
        again.home / "data" / "small", out=again.home / "reports", parameters={"scale": 2.0}
    )
    assert main(["rerun", str(other)]) == 0
    made = read_record(other.with_name(f"{other.name}.rerun") / other.name)
    assert made["parameters"]["1_data"]["scale"] == 2.0


def test_a_parameter_set_by_hand_in_the_record_is_no_record(again):
    record = read_record(again.run)
    record["parameters"]["1_data"]["scale"] = 3.0
    write_record(again.run, record)
    status, told = again()
    assert status == 2 and f"{NAME}: it was changed after the run was made" in told


def test_two_runs_with_another_parameter_differ_by_it(again, capsys):
    other = run.run_report(
        again.home / "data" / "small", out=again.home / "reports", parameters={"scale": 2.0}
    )
    assert main(["compare", str(again.run), str(other)]) == 1
    told = capsys.readouterr().out
    assert "scale" in told and "1.0" in told and "2.0" in told
    assert (other.parent / "compare.html").is_file()


def test_an_edited_notebook_is_named(again, notebooks):
    path = notebooks / "1_data.ipynb"
    text = path.read_text(encoding="utf-8")
    try:
        path.write_text(text.replace("*= scale", "*= scale * 1.5"), encoding="utf-8")
        status, told = again()
    finally:
        path.write_text(text, encoding="utf-8")
    assert status == 1 and "1_data" in told and "notebook" in told


def test_another_version_of_a_package_is_named_with_both(again):
    record = read_record(again.run)
    now = record["packages"]["pandas"]
    record["packages"]["pandas"] = "2.0.1"
    record["hash"] = hash_description(record)
    write_record(again.run, record)
    status, told = again()
    assert "pandas 2.0.1" in told and now in told
    assert status == 0  # the numbers are the same


def test_a_missing_input_stops_it_with_its_name(again):
    (again.home / "data" / "small" / "ledger.csv").unlink()
    status, told = again()
    assert status == 2 and "ledger.csv" in told
    assert not again.run.with_name(f"{again.run.name}.rerun").exists()


def test_inputs_that_lie_elsewhere_are_found_by_their_content(again, first):
    elsewhere = again.home / "attic" / "deep"
    elsewhere.mkdir(parents=True)
    for name in ("villages.csv", "ledger.csv", "projects.csv", "indicators.csv"):
        shutil.move(again.home / "data" / "small" / name, elsewhere / name)
    status, told = again()
    assert status == 0, told


def test_a_study_is_found_in_the_working_folder_or_named(again, tmp_path, monkeypatch):
    shutil.move(again.home / "data", tmp_path / "else")
    status, told = again()
    assert status == 2 and "name its folder with --study" in told
    assert again("--study", tmp_path / "else" / "small")[0] == 0
    assert "study.yml is not there" in again("--study", tmp_path / "nowhere")[1]
    monkeypatch.chdir(tmp_path / "else")
    assert again()[0] == 0


@pytest.mark.parametrize("keep", [0.5, 0.0])
def test_a_truncated_record_is_an_error_that_names_it(again, keep):
    path = again.run / NAME
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: int(len(text) * keep)], encoding="utf-8")
    status, told = again()
    assert status == 2 and NAME in told and len(told.strip().splitlines()) == 1


def test_a_run_that_failed_is_not_run_again(again, notebooks):
    failed = again.run.with_name(f"{again.run.name}.failed")
    shutil.copytree(again.run, failed)
    write_record(failed, {**read_record(failed), "error": "1_data, cell [3]: 1 / 0"})
    assert main(["rerun", str(failed)]) == 2
