"""A finished report as a document: Word, PDF, or LaTeX with its tables and figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, get_args

from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report.files.document_parts import Parts, read_report
from evaluation.report.record.store import add_outputs
from evaluation.report.run_folder import name_process, remove

Format = Literal["docx", "pdf", "latex"]
FORMATS: tuple[Format, ...] = get_args(Format)

_NEEDS = {"docx": ("pypandoc",), "pdf": ("pypandoc", "typst"), "latex": ("pypandoc", "typst")}
_PACKAGES = {"pypandoc": "pypandoc-binary", "typst": "typst"}
_EPOCH = "315532800"  # the first second of 1980, where the dates of zip files begin


def write_documents(run: Path, formats: Collection[Format]) -> list[Path]:
    """Write a finished report as documents, into its folder and its record.

    Parameters
    ----------
    run
        The run's folder.
    formats
        "docx" makes report.docx; "pdf" report.pdf; "latex" the folder latex/, with report.tex
        and the tables and figures that a paper can input.

    Returns
    -------
    What was written, in the order of the formats. Equal runs give equal bytes.

    Raises
    ------
    ReportError
        If the extra "documents" is not installed, the run has no page, a font for Chinese is
        wanted and not there, or the folder cannot be written.
    """
    check_extras(formats)
    from evaluation.report.files.document_latex import write_latex
    from evaluation.report.files.document_pdf import write_pdf
    from evaluation.report.files.document_word import write_word

    writers: dict[Format, Callable[[Parts, Path, Path], None]] = {
        "docx": write_word, "pdf": write_pdf, "latex": write_latex,
    }  # fmt: skip
    chosen = list(dict.fromkeys(formats))
    with _same_dates(), _folder_beside(run) as beside:
        parts = read_report(run)
        with speaking(parts.language):
            for form in chosen:
                writers[form](parts, run, document_path(beside, form))
        written = [_move(document_path(beside, form), run) for form in chosen]
    add_outputs(run, written)
    return written


def document_path(folder: Path, form: str) -> Path:
    """Give the place of a document in a folder."""
    return folder / ("latex" if form == "latex" else f"report.{form}")


def check_extras(formats: Collection[Format]) -> None:
    """Refuse formats for which a package is missing, before anything is run.

    Raises
    ------
    ReportError
        If one is, with the command that installs it.
    """
    for form in formats:
        if form not in _NEEDS:
            raise ReportError(f"--to {form}: give docx, pdf or latex.")
        if any(find_spec(module) is None for module in _NEEDS[form]):
            names = " and ".join(_PACKAGES[module] for module in _NEEDS[form])
            raise ReportError(
                f"--to {form} needs {names}: pip install 'village-evaluation[documents]'"
            )


@contextmanager
def _folder_beside(run: Path) -> Iterator[Path]:
    """Give a folder on the run's disk that goes when all is moved, or when it fails.

    One that a killed process left is cleared by the next run, as its name has the process.
    """
    folder = run.with_name(f"{run.name}.documents-{name_process()}")
    try:
        remove(folder)
        folder.mkdir()
        yield folder
    except OSError as error:
        raise ReportError(
            f"cannot write documents to {run}: {error.strerror}. The report itself is whole; "
            "make room, close what has the documents open, and try again."
        ) from error
    finally:
        remove(folder)


@contextmanager
def _same_dates() -> Iterator[None]:
    """Have pandoc write the same dates at all times."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = _EPOCH
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


def _move(source: Path, folder: Path) -> Path:
    target = folder / source.name
    if target.is_dir():
        target.rename(source.with_name("old"))  # goes with the folder beside
    source.replace(target)
    return target
