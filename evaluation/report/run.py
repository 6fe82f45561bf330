"""Run a study's notebooks into a report that is whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.data.study import Study
from evaluation.errors import EvaluationError, ReportError
from evaluation.language import Language, speaking, spoken
from evaluation.report import manifest
from evaluation.report.chapters import Step, choose_chapters, execute_chapters
from evaluation.report.execute import Notebook
from evaluation.report.files.documents import Format, check_extras, write_documents
from evaluation.report.fonts import find_chinese_font
from evaluation.report.parameters import (
    Parameter,
    Value,
    choose_values,
    language_of,
    read_parameters,
)
from evaluation.report.run_folder import remove, replace_folder, start_folder
from evaluation.report.study_parts import check_data

# papermill, nbconvert and pandas take seconds to import: an unchanged run needs none of them.

_SHOWN = 3
_WHOSE = {
    "inputs": "of the study",
    "code": "of this package",
    "notebooks": "a notebook",
    "packages": "an installed package",
}


def run_report(
    study: str | Path,
    *,
    parameters: Mapping[str, Value] | None = None,
    language: Language | None = None,
    formats: Collection[Format] = (),
    out: str | Path = "reports",
    data: str | Path | None = None,
    key: str | Path | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Path:
    """Run the notebooks for which a study has data, and write the report.

    Parameters
    ----------
    study
        The study's folder.
    parameters
        Values for the notebooks' parameters; text is read as the declared type.
    language
        "en" or "zh": what the report is written in; the same as the parameter ``language``.
    formats
        What is written beside report.html: "docx", "pdf", "latex".
    out
        Where the run's folder, named by study and hash, is put.
    data
        Where the data files are, if not in the study's folder.
    key
        A file of codes that take the place of villages' names in all that the run holds; those
        without one are given one. Cells of few villages are then suppressed.
    force
        Run again although an unchanged run is there.
    tell
        Called with each line that a user should read.
    on_step
        Called as chapters begin and end, from several threads.

    Returns
    -------
    The run's folder, with report.html, notebooks/, tables/, figures/, results.json and
    manifest.json. It is moved into place when whole.

    Raises
    ------
    DataError
        If the study does not load or does not hold.
    ReportError
        If a parameter is not known or ill-typed, the folder cannot be written, or a cell
        fails: the notebooks so far are then in a folder named ``....failed``, unless names
        or small cells are to be hidden; a good run of before is left as it was.
    """
    check_extras(formats)
    loaded = Study.load(study, data=data)
    if key:
        loaded = _under_codes(loaded, Path(key), Path(out))
    notebooks = choose_chapters(loaded)
    declared = {name: read_parameters(path) for name, path in notebooks.items()}
    values = choose_values(declared, parameters or {}, language)
    for name in values:  # no path of this machine gets into a run
        values[name]["study"] = f"{loaded.folder.resolve().name}/{loaded.file.name}"
        for place in ("data", "pseudonyms"):  # the files' hashes say which they are
            values[name].pop(place, None)
    with speaking(language_of(values)):
        target = _run(loaded, notebooks, declared, values, Path(out), force, tell, on_step)
        if formats:
            write_documents(target, formats)
    return target


def _run(
    study: Study,
    notebooks: Mapping[str, Path],
    declared: Mapping[str, Mapping[str, Parameter]],
    values: Mapping[str, Mapping[str, Value]],
    out: Path,
    force: bool,
    tell: Callable[[str], None],
    on_step: Callable[[Step], None],
) -> Path:
    """Run the chapters into their folder, unless they lie there unchanged."""
    font = find_chinese_font()
    describe = partial(manifest.describe_run, study, notebooks, values, font=font)
    description = describe()
    target = out / f"{study.name}-{description['hash'][:8]}"
    if not force and manifest.is_whole(target, description["hash"]):
        tell(f"unchanged: {target} was made from the same inputs; --force runs it again")
        return target
    parts = check_data(study)
    given = _place_files(study, declared, values)
    started = start_folder(target, tell)
    failed = target.with_name(f"{target.name}.failed")
    try:
        start = _now()
        executed, seconds = execute_chapters(
            study,
            notebooks,
            given,
            folder=started / "notebooks",
            parts=parts,
            expected=manifest.past_seconds(out, study.name),
            on_step=on_step,
        )
        _write_run(started, target.name, study, executed, description)
        times = {"seconds": seconds, "start": start, "end": _now()}
        outputs = manifest.hash_outputs(started)
        manifest.write_json(
            started / manifest.NAME, {**description, "outputs": outputs, **times}
        )
        if (now := describe()) != description:
            changed = _name_changes(description, now)
            raise ReportError(
                f"{study.folder}: a file changed while the report ran: {changed}; run it again."
            )
        replace_folder(started, target)
    except BaseException as error:
        with suppress(ReportError):
            if study.pseudonyms or study.smallest_cell:
                remove(started)
                tell("failed: nothing was kept, as not all is hidden yet that is to be")
            else:
                replace_folder(started, failed)
                tell(f"failed: what was done so far is in {failed}")
        if isinstance(error, EvaluationError) or not isinstance(error, Exception):
            raise
        raise ReportError(f"the report failed: {type(error).__name__}: {error}") from error
    remove(failed)
    return target


def _name_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Name what differs between two descriptions of a run, and whose it is."""
    told = []
    for part, whose in _WHOSE.items():
        names = manifest.differing(before[part], after[part])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        told += [f"{', '.join(names[:_SHOWN])}{more} ({whose})"] if names else []
    return "; ".join(told) or "another of its inputs"


def _under_codes(study: Study, key: Path, out: Path) -> Study:
    """Give a study whose villages go by the codes of a key file, all of which have one."""
    if key.resolve().is_relative_to(out.resolve()):
        raise ReportError(f"--key {key}: not among the runs in {out}: it tells names.")
    from evaluation.data.load import load_data
    from evaluation.data.pseudonyms import extend_pseudonyms

    if not study.panel:
        raise ReportError(f"{study.name}: it has no villages that codes could stand for.")
    extend_pseudonyms(key, load_data(study))
    return Study.load(study.file, data=study.data_folder, pseudonyms=key)


def _place_files(
    study: Study,
    declared: Mapping[str, Mapping[str, Parameter]],
    values: Mapping[str, Mapping[str, Value]],
) -> dict[str, dict[str, Value]]:
    """Add to the parameters where files are that do not lie in the study's folder."""
    known = {"data": study.data_folder, "pseudonyms": study.pseudonyms}
    places = {parameter: place for parameter, place in known.items() if place}
    home = study.folder.resolve().parent
    given = {name: dict(chosen) for name, chosen in values.items()}
    for parameter, place in places.items():
        for name in given:
            if parameter not in declared[name]:
                raise ReportError(
                    f"{name}: its parameters cell does not declare '{parameter}: str', for "
                    "Study.load to be handed it."
                )
            given[name][parameter] = os.path.relpath(place.resolve(), home)
    return given


def _write_run(
    folder: Path,
    run_name: str,
    study: Study,
    executed: Mapping[str, Notebook],
    description: Mapping[str, Any],
) -> None:
    """Write what the executed notebooks show: exhibits, numbers, the page."""
    import nbformat

    from evaluation.data.pseudonyms import read_pseudonyms
    from evaluation.report.disclosure import SMALLEST, check_names, protect_notebook
    from evaluation.report.page.site import build_page

    smallest = study.smallest_cell or (SMALLEST if study.pseudonyms else 0)
    exhibits: list[dict[str, Any]] = []
    for name, notebook in executed.items():
        if smallest:
            protect_notebook(notebook, smallest)
            nbformat.write(notebook, folder / "notebooks" / f"{name}.ipynb")
        exhibits += _save_exhibits(name, notebook, folder)
    names = [exhibit["name"] for exhibit in exhibits]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ReportError(f"two exhibits are named {doubled[0]!r}; give one another name.")
    results = {
        "study": study.name,
        "title": {"en": study.title.en, "zh": study.title.zh},
        "simulated": study.simulated,
        "language": spoken(),
        "exhibits": exhibits,
    }
    manifest.write_json(folder / "results.json", results)
    page = build_page(
        study, executed, run_name=run_name, description=description, results=results
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    if study.pseudonyms:
        check_names(folder, read_pseudonyms(study.pseudonyms))


def _save_exhibits(name: str, notebook: Notebook, folder: Path) -> list[dict[str, Any]]:
    """Write the exhibits that a notebook shows, and give their numbers."""
    from evaluation.report.exhibits import save_exhibit

    saved = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            exhibit = save_exhibit(output.get("data", {}), folder)
            if exhibit is not None:
                saved.append({**exhibit, "notebook": name})
    return saved


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
