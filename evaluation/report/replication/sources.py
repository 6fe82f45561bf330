"""Where the files lie that make a report: in a clone, or in the installed package."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import evaluation
from evaluation.data.shipped import shipped_index
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.chapters import choose_chapters
from evaluation.report.replication.archive import Content

_PACKAGE = Path(evaluation.__file__).parent
_INSIDE = Path(__file__).parent / "project"  # where a wheel has them


def project_file(name: str) -> Path:
    """Find pyproject.toml, requirements.lock or LICENSE.

    Raises
    ------
    ReportError
        If neither a clone nor the installed package has it.
    """
    for path in (_INSIDE / name, _PACKAGE.parent / name):
        if path.is_file():
            return path
    raise ReportError(
        f"{name} is not with this installation of village-evaluation, and a replication "
        "package needs it; make the package in a clone of the repository."
    )


def place_notebooks(study: Study, folder: str) -> dict[str, tuple[str, Path]]:
    """Give each chapter's notebook: its name in the package, and where it is.

    Parameters
    ----------
    study
        The study, whose own chapters are with it.
    folder
        The study's folder in the package.
    """
    own = {study.folder / file: f"{folder}/{file}" for file in study.chapters}
    return {
        name: (own.get(path, f"notebooks/{path.name}"), path)
        for name, path in choose_chapters(study).items()
    }


def code_files(code: Iterable[str]) -> dict[str, Content]:
    """Give evaluation/ and the prices that come with it, by their name in a clone.

    Parameters
    ----------
    code
        The files of evaluation/ that the run's record has.
    """
    names = {*code, *(path.relative_to(_PACKAGE).as_posix() for path in _PACKAGE.rglob("*.po"))}
    names.add("py.typed")
    files: dict[str, Content] = {f"evaluation/{name}": _PACKAGE / name for name in names}
    files["data/cpi_china.csv"] = shipped_index()
    return files


def study_files(study: Study, folder: str) -> dict[str, Path]:
    """Give what a study's folder has that its report depends on, and its README.

    Parameters
    ----------
    study
        The study. Its confidential files are left out.
    folder
        What the study's folder was called in the run.
    """
    files = {f"{folder}/{study.file.name}": study.file}
    for name in study.file_names():
        if name not in study.confidential:
            files[f"{folder}/{name}"] = study.path(name)
    if (study.folder / "README.md").is_file():
        files[f"{folder}/README.md"] = study.folder / "README.md"
    return files
