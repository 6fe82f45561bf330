"""Run a study's notebooks into a report that is whole or absent."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import evaluation
from evaluation.data.study import Study
from evaluation.errors import EvaluationError, ReportError
from evaluation.report import manifest
from evaluation.report.execute import Notebook, execute_notebook
from evaluation.report.fonts import find_chinese_font
from evaluation.report.parameters import Value, read_parameters, resolve_parameters

# papermill, nbconvert and pandas take seconds to import: an unchanged run needs none of them.

# A chapter, and what a study must have one of for it.
CHAPTERS = {
    "1_data": ("claims", "panel"),
    "2_published_claims": ("claims",),
    "3_income_gains": ("claims", "panel"),
    "4_programme_effect": ("panel",),
    "5_funding_efficiency": ("claims", "ledger"),
    "6_robustness": ("panel",),
}
_A_DAY = 86_400  # seconds
_SHOWN = 3
_WHOSE = {
    "inputs": "of the study",
    "code": "of this package",
    "notebooks": "notebook of this package",
    "packages": "an installed package",
}


def run_report(
    study: str | Path,
    *,
    parameters: Mapping[str, Value] | None = None,
    out: str | Path = "reports",
    data: str | Path | None = None,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> Path:
    """Run the notebooks for which a study has data, and write the report.

    Parameters
    ----------
    study
        The study's folder.
    parameters
        Values for the notebooks' parameters; text is read as the declared type.
    out
        Where the run's folder, named by study and hash, is put.
    data
        Where the data files are, if not in the study's folder.
    force
        Run again although an unchanged run is there.
    tell
        Called with each line of progress.

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
        fails: the notebooks so far are then in a folder named ``....failed``, and a good
        run of before is left as it was.
    """
    loaded = Study.load(study, data=data)
    notebooks = _choose_notebooks(loaded)
    declared = {name: read_parameters(path) for name, path in notebooks.items()}
    # The study's own name, from its parent folder: no path of this machine gets into a run.
    values = resolve_parameters(declared, parameters or {})
    for name in values:
        values[name]["study"] = f"{loaded.folder.resolve().name}/{loaded.file.name}"
        values[name].pop("data", None)  # the files' hashes say which they are, not their place
    font = find_chinese_font()
    describe = partial(manifest.describe_run, loaded, notebooks, values, font=font)
    description = describe()
    target = Path(out) / f"{loaded.name}-{description['hash'][:8]}"
    if not force and manifest.is_whole(target, description["hash"]):
        tell(f"unchanged: {target} was made from the same inputs; --force runs it again")
        return target
    parts = _check_data(loaded)
    started = _start_folder(target, tell)
    failed = target.with_name(f"{target.name}.failed")
    try:
        _write_run(started, target.name, loaded, notebooks, values, parts, description, tell)
        if (now := describe()) != description:
            changed = _name_changes(description, now)
            raise ReportError(
                f"{study}: a file changed while the report ran: {changed}; run it again."
            )
        _replace(started, target)
    except BaseException as error:
        with suppress(ReportError):
            _replace(started, failed)
            tell(f"failed: what was done so far is in {failed}")
        if isinstance(error, EvaluationError) or not isinstance(error, Exception):
            raise
        raise ReportError(f"the report failed: {type(error).__name__}: {error}") from error
    _remove(failed)
    return target


def notebook_folder() -> Path:
    """Find the notebooks: in the installed package, or beside it in a clone."""
    package = Path(evaluation.__file__).parent
    inside, beside = package / "notebooks", package.parent / "notebooks"
    return inside if inside.is_dir() else beside


def _choose_notebooks(study: Study) -> dict[str, Path]:
    chosen = [
        name for name, needs in CHAPTERS.items() if any(getattr(study, need) for need in needs)
    ]
    return {name: notebook_folder() / f"{name}.ipynb" for name in chosen}


def _check_data(study: Study) -> frozenset[str]:
    """Read all that the chapters read, so that a mistake is told before a kernel starts.

    Returns
    -------
    The parts that the study has, whether its panel has villages to compare with, and whether
    its outcome is the village's, not a person's.
    """
    from evaluation.data.load import load_data
    from evaluation.report.check_study import read_claims

    panel = load_data(study).panel
    if study.claims:
        read_claims(study)
    if panel is None:
        return study.parts
    parts = {"comparison" if panel.has_comparison else "no-comparison"}
    if not panel.variables[panel.outcome].per_head:
        parts.add("village-outcome")
    return study.parts | parts


def _name_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Name what differs between two descriptions of a run, and whose it is."""
    told = []
    for part, whose in _WHOSE.items():
        old, new = before[part], after[part]
        names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        told += [f"{', '.join(names[:_SHOWN])}{more} ({whose})"] if names else []
    return "; ".join(told) or "another of its inputs"


def _start_folder(target: Path, tell: Callable[[str], None]) -> Path:
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    try:
        for left in target.parent.glob(f"{target.name}.partial-*"):
            if _is_abandoned(left):
                tell(f"cleared: {left}, left by a run that was killed")
                shutil.rmtree(left)
        for folder in ("notebooks", "tables", "figures"):
            (partial / folder).mkdir(parents=True)
    except OSError as error:
        raise ReportError(
            f"cannot write to {target.parent}: {error.strerror}. Name another folder with "
            "--out."
        ) from error
    return partial


def _write_run(
    folder: Path,
    run_name: str,
    study: Study,
    notebooks: Mapping[str, Path],
    values: Mapping[str, Mapping[str, Value]],
    parts: frozenset[str],
    description: Mapping[str, Any],
    tell: Callable[[str], None],
) -> None:
    from evaluation.report.site import build_page

    start = _now()
    executed: dict[str, Notebook] = {}
    exhibits: list[dict[str, Any]] = []
    for number, (name, source) in enumerate(notebooks.items(), start=1):
        clock = time.monotonic()
        tell(f"[{number}/{len(notebooks)}] {name} ...")
        executed[name] = execute_notebook(
            source,
            values[name],
            folder=folder / "notebooks",
            working_folder=study.folder.resolve().parent,
            data=study.data_folder,
            parts=parts,
        )
        exhibits += _save_exhibits(name, executed[name], folder)
        tell(f"[{number}/{len(notebooks)}] {name} done in {time.monotonic() - clock:.1f} s")
    names = [exhibit["name"] for exhibit in exhibits]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise ReportError(f"two exhibits are named {doubled[0]!r}; give one another name.")
    results = {"study": study.name, "simulated": study.simulated, "exhibits": exhibits}
    manifest.write_json(folder / "results.json", results)
    page = build_page(
        study, executed, run_name=run_name, description=description, results=results
    )
    (folder / "report.html").write_text(page, encoding="utf-8")
    outputs = manifest.hash_outputs(folder)
    manifest.write_json(
        folder / manifest.NAME,
        {**description, "outputs": outputs, "start": start, "end": _now()},
    )


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


def _replace(source: Path, target: Path) -> None:
    """Move a folder into another's place; the other goes only once this one is there."""
    old = target.with_name(f"{target.name}.old")
    try:
        _remove(old)
        if os.path.lexists(target):
            target.rename(old)
        try:
            source.rename(target)
        except OSError:
            if os.path.lexists(old):
                old.rename(target)
            raise
    except OSError as error:
        raise ReportError(
            f"cannot put the run in {target}: {error.strerror}; close what has it open and run "
            "again."
        ) from error
    _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_abandoned(partial: Path) -> bool:
    """Whether the process that a partial folder is named after has gone."""
    try:
        process = int(partial.name.rpartition("-")[2])
    except ValueError:
        return False
    if process == os.getpid():
        return True
    if os.name == "nt":  # where a signal of 0 would end the process
        return time.time() - partial.stat().st_mtime > _A_DAY
    try:
        os.kill(process, 0)
    except OSError as error:
        return error.errno == errno.ESRCH
    return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
