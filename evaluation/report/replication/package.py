"""Make a replication package: the run, its code and data, and one command that reruns it."""

from __future__ import annotations

import json
import tempfile
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.data.pseudonyms import read_pseudonyms
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.find_study import find_data, find_study
from evaluation.report.record.describe import sha256
from evaluation.report.record.rows import FILE as ROWS
from evaluation.report.record.store import NAME, read_record
from evaluation.report.replication.archive import (
    Content,
    list_hashes,
    read_content,
    write_zip,
)
from evaluation.report.replication.lock import filter_lock
from evaluation.report.replication.present import check_present, check_run
from evaluation.report.replication.provenance import DataFile, list_data
from evaluation.report.replication.readme import Subject, list_gaps, write_readme
from evaluation.report.replication.scan import refuse_findings, scan_files
from evaluation.report.replication.sources import (
    code_files,
    place_notebooks,
    project_file,
    study_files,
)
from evaluation.report.replication.texts import cite_package, render
from evaluation.report.replication.wheels import fetch_wheels, say_platform
from evaluation.report.replication.words import encodings, known_words, word_columns

MANIFEST = "MANIFEST.sha256"
_EXECUTABLE = ("postBuild",)
_COMPLETED = ("README.md", "CITATION.cff")  # by the authors, by hand
_DOCUMENTS = ("report.docx", "report.pdf", "latex")


def make_package(
    run: str | Path,
    *,
    study: str | Path | None = None,
    data: str | Path | None = None,
    out: str | Path,
    key: str | Path | None = None,
    wheels: bool = False,
    allow: Collection[str] = (),
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write a zip from which anybody can make a run again, and see whether it is the same.

    Parameters
    ----------
    run
        The run's folder.
    study, data
        The study's folder, and where its data files are; found by their sha256 if not given.
    out
        The zip. It is written beside its place, and moved there when whole.
    key
        The file of codes of a run under codes (STUDY/key.csv): its names are looked for in all
        that enters. It never enters itself.
    wheels
        Add the installed packages as wheels, for this platform and Python.
    allow
        What the scan for personal data found and may stay: "FILE:COLUMN" as it names it.
    tell
        Called with each line that a user should read.

    Returns
    -------
    The zip. The same run gives the same bytes.

    Raises
    ------
    ReportError
        If the run is not whole, or was not made from the code, notebooks and inputs that are
        here; if something that enters looks like a person's; or if the zip cannot be written.
    DataError
        If the study does not load.
    """
    run, out = Path(run), Path(out)
    study, data, key = (Path(one) if one else None for one in (study, data, key))
    record = read_record(run)
    check_run(run, record)
    file = find_study(run, record, study)
    loaded = Study.load(file, data=data or find_data(run, record, file))
    check_present(record, loaded)
    place = f"data/{_study_place(record)}"
    folder = place.rpartition("/")[0]
    lock = _lock(run, record, loaded)
    held = {f"expected/{run.name}/{name}": run / name for name in (*record["outputs"], NAME)}
    _check_rows(run, loaded)
    _check_copies(record, loaded)
    notebooks = place_notebooks(loaded, folder)
    own = {**study_files(loaded, folder), **held, **dict(notebooks.values())}
    _check_persons(own, loaded, folder, _find_key(record, loaded, key), allow)
    described = list_data(loaded, record, folder)
    files: dict[str, Content] = {**code_files(record["code"]), **own}
    files |= _texts(run, record, loaded, place, described, lock)
    with _wheels(lock, wheels, tell) as fetched:
        files |= fetched
        subject = Subject(
            run=run,
            record=record,
            results=json.loads((run / "results.json").read_text(encoding="utf-8")),
            study=loaded,
            place=place,
            files=described,
            notebooks=notebooks,
            requirements=_project()["project"]["dependencies"],
            wheels=say_platform() if wheels else "",
            size=sum(len(read_content(content)) for content in files.values()),
        )
        files["README.md"] = write_readme(subject)
        fixed = {name: content for name, content in files.items() if name not in _COMPLETED}
        files[MANIFEST] = list_hashes(fixed)
        write_zip(out, f"replication-{run.name}", files, executable=_EXECUTABLE)
    for gap in list_gaps(record, described):
        tell(f"README.md does not say {gap}")
    for one in described:
        if not one.included:
            tell(f"not included: {one.name}; see DATA-NOT-INCLUDED.md")
    return out


def _study_place(record: Mapping[str, Any]) -> str:
    """Give the study's folder and file as the run's notebooks were told them."""
    told = {values["study"] for values in record["parameters"].values() if "study" in values}
    if not told:
        raise ReportError("no notebook of the run was told which study it is on.")
    return str(min(told))


def _lock(run: Path, record: Mapping[str, Any], study: Study) -> str:
    extras = ["documents"] if any((run / name).exists() for name in _DOCUMENTS) else []
    extras += ["map"] if study.panel and study.panel.boundaries else []
    return filter_lock(
        project_file("requirements.lock").read_text(encoding="utf-8"),
        project=project_file("pyproject.toml").read_text(encoding="utf-8"),
        packages=record["packages"],
        extras=extras,
        made_by="What running needs of the requirements.lock that the report was made with.",
    )


def _check_rows(run: Path, study: Study) -> None:
    """Refuse digests of the rows of a confidential file: they confirm a guess."""
    path = run / ROWS
    kept = json.loads(path.read_text(encoding="utf-8"))["files"] if path.is_file() else {}
    if told := sorted({*kept} & {*study.confidential}):
        raise ReportError(
            f"{run}: {ROWS} has digests of the rows of {', '.join(told)}, which study.yml says "
            "is confidential; make the report again with --force."
        )


def _check_copies(record: Mapping[str, Any], study: Study) -> None:
    """Refuse a file that enters and is a confidential one, under another name or by a link."""
    held = {name: entry["sha256"] for name, entry in record["inputs"].items()}
    secret = {held[name]: name for name in study.confidential}
    for name in study.file_names():
        if name not in study.confidential and (same := secret.get(held[name])):
            raise ReportError(
                f"{name} is the same as {same}, which study.yml says is confidential; name "
                "both, or neither."
            )


def _find_key(record: Mapping[str, Any], study: Study, key: Path | None) -> Path | None:
    if not record.get("pseudonyms"):
        return None
    path = key or study.folder / "key.csv"
    if not path.is_file():
        raise ReportError(
            f"the run's villages go by codes, and {path} is not there: name the file of codes "
            "with --key, for its names to be looked for in all that would enter the package."
        )
    if sha256(path) != record["pseudonyms"]:
        raise ReportError(
            f"{path} is not the file of codes that the run was made with, or was added to "
            "since: its names cannot tell what would leak. Name that file with --key, or make "
            "the report again."
        )
    return path


def _check_persons(
    files: Mapping[str, Path],
    study: Study,
    folder: str,
    key: Path | None,
    allow: Collection[str],
) -> None:
    findings = scan_files(
        files,
        known=known_words(study),
        word_columns={f"{folder}/{name}": held for name, held in word_columns(study).items()},
        encodings={f"{folder}/{name}": one for name, one in encodings(study).items()},
        pseudonyms=read_pseudonyms(key) if key else None,
    )
    refuse_findings(findings, allow)


def _texts(
    run: Path,
    record: Mapping[str, Any],
    study: Study,
    place: str,
    described: list[DataFile],
    lock: str,
) -> dict[str, Content]:
    """Give the files at the top of the package but README.md and the manifest."""
    values = {
        "run": run.name,
        "study": place,
        "python": record["python"],
        "codes": bool(record.get("pseudonyms")),
    }
    made: dict[str, Content] = {
        name: render(name, **values)
        for name in ("Makefile", "Containerfile", "environment.yml", "postBuild")
    }
    made |= {name: project_file(name) for name in ("pyproject.toml", "LICENSE")}
    made["requirements.lock"] = lock.encode()
    made["CITATION.cff"] = cite_package(study, record, run.name, described)
    if withheld := [file for file in described if not file.included]:
        note = f"{place.rpartition('/')[0]}/DATA-NOT-INCLUDED.md"
        made[note] = render("DATA-NOT-INCLUDED.md", withheld=withheld)
    return made


@contextmanager
def _wheels(
    lock: str, wanted: bool, tell: Callable[[str], None]
) -> Iterator[Mapping[str, Content]]:
    if not wanted:
        yield {}
        return
    with tempfile.TemporaryDirectory(prefix="wheels-") as folder:
        tell("downloading wheels")
        yield {f"wheels/{path.name}": path for path in fetch_wheels(lock, Path(folder))}


def _project() -> dict[str, Any]:
    return tomllib.loads(project_file("pyproject.toml").read_text(encoding="utf-8"))
