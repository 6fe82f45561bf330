"""A replication package: whole, the same every time, and without what may not leave."""

import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from evaluation.cli import main
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import SimulationOptions
from evaluation.errors import ReportError
from evaluation.report import chapters, run
from evaluation.report.record.describe import hash_description, package_versions
from evaluation.report.record.store import NAME, read_record, write_record
from evaluation.report.replication import archive, sources, wheels
from evaluation.report.replication.lock import filter_lock, pins_here
from evaluation.report.replication.package import _check_copies, make_package
from tests.conftest import REPO, edit
from tests.report.one_chapter import have_one_chapter

LOCK = (REPO / "requirements.lock").read_text(encoding="utf-8")
PROJECT = (REPO / "pyproject.toml").read_text(encoding="utf-8")
CELLS = [
    'study: str = "x"\ndata: str = ""\npseudonyms: str = ""\n'
    'language: str = "en"\nseed: int = 7',
    "from evaluation import Study, load_data, funds_table, summary_table\n"
    "village_data = load_data(Study.load(study, data=data or None, pseudonyms=pseudonyms))",
    "summary_table(village_data)",
    "funds_table(village_data)",
]
HEADINGS = """\
## Overview
## Data Availability and Provenance Statements
### Statement about Rights
### License for Data
### Summary of Availability
### Details on each Data Source
## Dataset list
## Computational requirements
### Software Requirements
### Controlled Randomness
### Memory, Runtime, and Storage Requirements
## Description of programs/code
### License for Code
## Instructions to Replicators
### Details
## List of tables and programs
## References
"""


@pytest.fixture(scope="module", autouse=True)
def notebooks(tmp_path_factory):
    """Give the folder of the one chapter, 1_data, which all runs here have."""
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as patch:
        have_one_chapter(folder, patch, *CELLS)
        yield folder


def make_home(home, **said):
    """Write data/small, with ``said`` in its study.yml, and give its folder."""
    options = SimulationOptions(treated={"Sishui": 3, "Weishan": 3}, comparison=1)
    study = write_simulated_study(
        simulate_programme(options, seed=1), home / "data" / "small", name="small"
    )
    content = yaml.safe_load((study / "study.yml").read_text(encoding="utf-8"))
    text = yaml.safe_dump(content | said, allow_unicode=True, sort_keys=False)
    (study / "study.yml").write_text(text, encoding="utf-8")
    return study


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run in a home with data/small."""
    home = tmp_path_factory.mktemp("home")
    study = make_home(home)
    return run.run_report(study, out=home / "reports", author="Josiah Carberry")


@pytest.fixture
def home(first, tmp_path):
    """A copy of the home, to break; give its run."""
    return shutil.copytree(first.parents[1], tmp_path / "home") / "reports" / first.name


@pytest.fixture(scope="module")
def package(first, tmp_path_factory):
    """The run's package, unpacked."""
    folder = tmp_path_factory.mktemp("package")
    with zipfile.ZipFile(make_package(first, out=folder / "r.zip")) as file:
        file.extractall(folder)
    return folder / f"replication-{first.name}"


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A run of a study whose ledger is confidential."""
    obtain = {"obtain": {"en": "Ask the county's office."}, "holds": {"en": "money"}}
    study = make_home(
        tmp_path_factory.mktemp("secret"),
        confidential=["ledger.csv"],
        data={"ledger.csv": obtain},
    )
    return run.run_report(study, out=study.parents[1] / "reports")


def read(path):
    """Give the files of a zip by their name below its folder."""
    with zipfile.ZipFile(path) as file:
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def refused(*arguments, **options):
    with pytest.raises(ReportError) as error:
        make_package(*arguments, **options)
    return str(error.value)


def test_the_same_run_gives_the_same_bytes(first, tmp_path):
    one = make_package(first, out=tmp_path / "one.zip")
    two = make_package(first, out=tmp_path / "two.zip")
    assert one.read_bytes() == two.read_bytes()


def test_its_entries_tell_no_time_and_have_fixed_modes(first, tmp_path):
    with zipfile.ZipFile(make_package(first, out=tmp_path / "r.zip")) as file:
        entries = file.infolist()
    assert [e.filename for e in entries] == sorted(e.filename for e in entries)
    assert {e.date_time for e in entries} == {(1980, 1, 1, 0, 0, 0)}
    modes = {e.filename.rpartition("/")[2]: e.external_attr >> 16 for e in entries}
    assert modes.pop("postBuild") == 0o100755 and set(modes.values()) == {0o100644}
    assert {e.filename.split("/")[0] for e in entries} == {f"replication-{first.name}"}


def test_the_manifest_has_every_file_that_nobody_completes_by_hand(package):
    lines = (package / "MANIFEST.sha256").read_text(encoding="utf-8").splitlines()
    told = dict(reversed(line.split("  ", 1)) for line in lines)
    files = {p.relative_to(package).as_posix(): p for p in package.rglob("*") if p.is_file()}
    assert told == {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for name, path in files.items()
        if name not in ("MANIFEST.sha256", "README.md", "CITATION.cff")
    }


def test_it_holds_what_making_the_run_again_takes(package, first):
    record = read_record(first)
    files = {p.relative_to(package).as_posix() for p in package.rglob("*") if p.is_file()}
    assert {f"evaluation/{name}" for name in record["code"]} <= files
    assert {f"expected/{first.name}/{name}" for name in record["outputs"]} <= files
    assert {f"data/small/{n}" for n in record["inputs"] if n != "cpi_china.csv"} <= files
    assert {
        "README.md", "Makefile", "Containerfile", "environment.yml", "postBuild", "LICENSE",
        "CITATION.cff", "pyproject.toml", "requirements.lock", "data/cpi_china.csv",
        "notebooks/1_data.ipynb", f"expected/{first.name}/{NAME}",
    } <= files  # fmt: skip
    assert not [name for name in files if re.search(r"truth|key\.csv|tests/|\.pyc", name)]


def test_it_is_made_again_and_is_the_same(package, notebooks, monkeypatch, capsys):
    (expected,) = (package / "expected").iterdir()
    monkeypatch.chdir(package)
    status = main(["rerun", f"expected/{expected.name}", "--study", "data/small/study.yml"])
    assert (status, "same" in capsys.readouterr().out) == (0, True)
    shutil.rmtree(package / "expected" / f"{expected.name}.rerun")


def test_the_makefile_reruns_the_run(package, first):
    text = (package / "Makefile").read_text(encoding="utf-8")
    assert f"rerun expected/{first.name} --study data/small/study.yml" in text
    assert "--require-hashes" in text and "\n    " not in text


def test_the_readme_has_every_heading_in_the_data_editors_order(package):
    text = (package / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^##+ .+$", text, re.MULTILINE)
    assert [h for h in headings if h in HEADINGS.splitlines()] == HEADINGS.splitlines()


def test_the_readme_names_the_program_of_every_exhibit(package, first, notebooks):
    text = (package / "README.md").read_text(encoding="utf-8")
    results = json.loads((first / "results.json").read_text(encoding="utf-8"))
    cells = json.loads((notebooks / "1_data.ipynb").read_text())["cells"]
    assert len(results["exhibits"]) == 2
    for number, exhibit in enumerate(results["exhibits"], 1):
        (row,) = re.findall(rf"^\| Table {number} \|.*$", text, re.MULTILINE)
        _, _, caption, notebook, cell, function, files, _, _ = row.split("|")
        assert exhibit["caption"] in caption and "notebooks/1_data.ipynb" in notebook
        name, place, line = re.findall(r"[\w/.]+", function)
        assert "".join(cells[int(cell) - 1]["source"]).startswith(name)
        defined = (REPO / place).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert defined.startswith(f"def {name}(")
        assert f"`tables/{exhibit['name']}.csv`" in files


def test_the_readme_says_what_was_measured_and_what_is_drawn(package, first):
    text = (package / "README.md").read_text(encoding="utf-8")
    record = read_record(first)
    assert f"| 1_data | `notebooks/1_data.ipynb` | {record['seconds']['1_data']:.1f} |" in text
    assert f"Python {record['python']}" in text
    assert "`seed` of `notebooks/1_data.ipynb`, cell 2 (7)" in text
    assert "by Josiah Carberry" in text and "SIMULATED" in text
    assert text.count("效果已知的第一书记项目") == 1
    assert "| `data/small/ledger.csv` | simulated" in text and "| Yes |" in text


def test_the_citation_is_of_the_package(package):
    cff = yaml.safe_load((package / "CITATION.cff").read_text(encoding="utf-8"))
    assert cff["authors"] == [{"name": "Josiah Carberry"}] and cff["cff-version"] == "1.2.0"
    assert {one["type"] for one in cff["references"]} == {"software", "data"}
    assert cff["references"][-1]["authors"] == [{"name": "World Bank"}]


def test_a_confidential_file_never_enters(secret, tmp_path):
    told = []
    files = read(make_package(secret, out=tmp_path / "r.zip", tell=told.append))
    ledger = (secret.parents[1] / "data/small/ledger.csv").read_bytes()
    assert "data/small/ledger.csv" not in files and ledger not in files.values()
    assert (
        "ledger.csv"
        not in json.loads(files[f"expected/{secret.name}/input-rows.json"])["files"]
    )
    note = files["data/small/DATA-NOT-INCLUDED.md"].decode()
    for part in (
        hashlib.sha256(ledger).hexdigest(), f"{len(ledger):,} bytes",
        f"{len(ledger.splitlines()) - 1:,} |", "Ask the county's office.",
    ):  # fmt: skip
        assert part in note
    readme = files["README.md"].decode()
    assert "| `data/small/ledger.csv` |" in readme and "| money | No |" in readme
    assert "- [x] Some data **cannot be made** publicly available" in readme
    assert "| Requires data that are not included |" in readme
    assert any("ledger.csv" in line for line in told)


def test_digests_of_a_confidential_files_rows_are_refused(secret, tmp_path):
    copy = shutil.copytree(secret.parents[1], tmp_path / "home") / "reports" / secret.name
    rows = {"version": 1, "files": {"ledger.csv": {"word": "line", "digests": ""}}}
    (copy / "input-rows.json").write_text(json.dumps(rows))
    again(copy, outputs={**read_record(copy)["outputs"], "input-rows.json": sha(copy, rows)})
    assert "digests of the rows of ledger.csv" in refused(copy, out=tmp_path / "r.zip")


def sha(copy, rows):
    return hashlib.sha256((copy / "input-rows.json").read_bytes()).hexdigest()


def again(folder, **parts):
    """Write a run's record with other parts."""
    record = {**read_record(folder), **parts}
    write_record(folder, {**record, "hash": hash_description(record)})


def test_what_study_yml_does_not_say_is_told(tmp_path, secret, home):
    told = []
    make_package(secret, out=tmp_path / "r.zip", tell=told.append)
    assert any("author" in line for line in told)
    told.clear()
    make_package(home, out=tmp_path / "r.zip", tell=told.append)
    assert told == []


def test_other_code_is_refused_with_what_to_do(home, tmp_path):
    git = {"commit": "a" * 40, "clean": True}
    again(home, code={**read_record(home)["code"], "bounds.py": "0" * 64}, git=git)
    told = refused(home, out=tmp_path / "r.zip")
    assert "bounds.py (of this package)" in told
    assert "evaluation report" in told and "git checkout aaaaaaaaaaaa)" in told
    assert not (tmp_path / "r.zip").exists()


def test_other_notebooks_are_refused(home, tmp_path, notebooks, monkeypatch):
    other = shutil.copytree(notebooks, tmp_path / "other")
    edit(other / "1_data.ipynb", "# Data", "# Other")
    monkeypatch.setattr(chapters, "notebook_folder", lambda: other)
    assert "1_data (a notebook)" in refused(home, out=tmp_path / "r.zip")


def test_other_inputs_are_refused(home, tmp_path):
    edit(home.parents[1] / "data/small/study.yml", "version: 1", "version: 1 # changed")
    assert "study.yml (of the study)" in refused(home, out=tmp_path / "r.zip")


def test_versions_that_the_lock_does_not_pin_are_refused(home, tmp_path):
    again(home, packages={**read_record(home)["packages"], "numpy": "1.0"})
    assert "numpy 1.0, which requirements.lock does not pin" in refused(
        home, out=tmp_path / "r.zip"
    )


def test_an_altered_run_is_refused(home, tmp_path):
    (home / "results.json").write_text("{}")
    assert "not as it was written: results.json" in refused(home, out=tmp_path / "r.zip")


def test_a_failed_run_is_refused(home, tmp_path):
    again(home, error="a cell failed")
    assert "failed" in refused(home, out=tmp_path / "r.zip")


def test_personal_data_stop_it_unless_allowed(tmp_path):
    study = make_home(tmp_path / "home")
    ledger = (study / "ledger.csv").read_text(encoding="gb18030").splitlines()
    rows = [f"{ledger[0]},经手人", *(f"{row},王建国" for row in ledger[1:])]
    rows[1] = rows[1].replace("王建国", "13853712345")
    (study / "ledger.csv").write_text("\n".join(rows), encoding="gb18030")
    folder = run.run_report(study, out=tmp_path / "home" / "reports")
    out = tmp_path / "r.zip"
    told = refused(folder, out=out)
    assert "data/small/ledger.csv:经手人 (line 2): mobile number" in told
    assert not out.exists()
    assert make_package(folder, out=out, allow=["data/small/ledger.csv:经手人"]) == out


def test_under_codes_the_key_never_enters_and_its_names_are_looked_for(tmp_path):
    files = ["villages.csv", "ledger.csv", "projects.csv", "indicators.csv"]
    study = make_home(tmp_path / "home", confidential=files[1:])
    key, reports, out = study / "key.csv", tmp_path / "home" / "reports", tmp_path / "r.zip"
    told = refused(run.run_report(study, out=reports, key=key), out=out)
    assert "data/small/villages.csv:" in told and "a name of the key" in told
    edit(study / "study.yml", "- ledger.csv", "- villages.csv\n- ledger.csv")
    folder = run.run_report(study, out=reports, key=key)
    held = read(make_package(folder, out=out))
    assert not [name for name in held if "key" in name and name.endswith(".csv")]
    names = [line.split(",")[4] for line in key.read_text("utf-8-sig").splitlines()[1:]]
    everything = b"\n".join(
        content for name, content in held.items() if not name.startswith("evaluation/")
    ).decode("utf-8", "replace")
    assert not [name for name in names if len(name) > 2 and name in everything]
    assert "go by codes" in held["README.md"].decode()
    key.rename(tmp_path / "elsewhere.csv")
    assert "--key" in refused(folder, out=out)
    make_package(folder, out=out, key=tmp_path / "elsewhere.csv")
    other = tmp_path / "other.csv"
    lines = (tmp_path / "elsewhere.csv").read_text("utf-8-sig").splitlines()
    other.write_text("\n".join(lines[:-1]) + "\n", encoding="utf-8-sig")
    assert "is not the file of codes" in refused(folder, out=out, key=other)


def test_a_confidential_file_does_not_enter_under_another_name():
    names = ["ledger.csv", "./ledger.csv", "villages.csv"]
    study = SimpleNamespace(confidential=names[:1], file_names=lambda: names)
    held = dict(zip(names, ({"sha256": sha} for sha in "aab"), strict=True))
    with pytest.raises(ReportError, match=r"^\./ledger\.csv is the same as"):
        _check_copies({"inputs": held}, study)
    held["./ledger.csv"] = {"sha256": "c"}
    _check_copies({"inputs": held}, study)


def test_nothing_is_left_of_a_zip_that_cannot_be_written(first, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    assert "cannot be written" in refused(first, out=tmp_path / "none" / "r.zip")
    (tmp_path / "r.zip").write_bytes(b"before")
    monkeypatch.setattr(archive.zipfile.ZipFile, "writestr", full)
    assert "No space left" in refused(first, out=tmp_path / "r.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["r.zip"]
    assert (tmp_path / "r.zip").read_bytes() == b"before"


def kept(lock):
    return set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))


def test_the_lock_is_what_running_needs_on_any_platform():
    versions = package_versions()
    lock = filter_lock(LOCK, project=PROJECT, packages=versions, extras=(), made_by="x")
    assert versions.keys() - {"village-evaluation"} <= kept(lock)
    assert {"uv", "hatchling", "colorama", "pywinpty", "aiohttp"} <= kept(lock)
    assert not kept(lock) & {"pytest", "mypy", "playwright", "diff-diff", "typst"}
    assert lock.count("\nnumpy==") == LOCK.count("\nnumpy==") > 1
    assert lock.count("--hash") < LOCK.count("--hash")
    assert all(pins_here(LOCK)[name] == version for name, version in pins_here(lock).items())


def test_the_lock_has_the_extras_that_the_run_used():
    options = {"project": PROJECT, "packages": package_versions(), "made_by": "x"}
    assert {"typst", "pypandoc-binary"} <= kept(
        filter_lock(LOCK, extras=["documents"], **options)
    )


def test_without_the_projects_files_it_says_so(first, tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_PACKAGE", tmp_path / "evaluation")
    assert "make the package in a clone" in refused(first, out=tmp_path / "r.zip")


def test_wheels_that_cannot_be_had_are_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(wheels.sys, "executable", shutil.which("false"))
    with pytest.raises(ReportError, match="could not be downloaded"):
        wheels.fetch_wheels("numpy==2.0\n", Path(tmp_path))
