"""Run a report again, years later, with the parameters of before, and compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluation.errors import ReportError
from evaluation.report.chapters import Step
from evaluation.report.files.documents import FORMATS, Format, check_extras, document_path
from evaluation.report.find_study import find_data, find_study
from evaluation.report.job import Job, declared_parameters, load_study
from evaluation.report.parameters import Value, resolve_parameters
from evaluation.report.record.store import read_record
from evaluation.report.run import make_run
from evaluation.report.run_folder import name_beside
from evaluation.report.warm import KernelKind

if TYPE_CHECKING:
    from evaluation.report.compare.result import Comparison


def rerun_report(
    run: str | Path,
    *,
    study: str | Path | None = None,
    data: str | Path | None = None,
    key: str | Path | None = None,
    out: str | Path | None = None,
    tolerance: float = 1e-8,
    timeout: int | None = None,
    kernels: KernelKind | None = None,
    tell: Callable[[str], None] = lambda line: None,
    on_step: Callable[[Step], None] = lambda step: None,
) -> tuple[Path, Path, Comparison]:
    """Run a run's study again with the run's parameters, and say whether it is the same.

    Parameters
    ----------
    run
        The run's folder.
    study, data
        The study's folder, and where its data files are. Without them they are looked for in
        the working folder and beside the run, and known by their sha256.
    key
        The file of codes, for a run whose villages go by codes (STUDY/key.csv).
    out
        Where the new run and the comparison go (RUN.rerun).
    tolerance
        As for `compare_runs`.
    timeout, kernels, tell, on_step
        As for `run_report`.

    Returns
    -------
    The new run's folder, the page that compares, and the comparison.

    Raises
    ------
    DataError
        If an input is missing or does not hold.
    ReportError
        If the run's record cannot be read, its study is not found, or it cannot be run.
    """
    from evaluation.report.compare.page import write_comparison
    from evaluation.report.compare.run import compare_runs

    run = Path(run)
    study, data, key, out = (Path(one) if one else None for one in (study, data, key, out))
    record = read_record(run)
    if "error" in record:
        raise ReportError(f"{run}: a run that failed ({record['error']}); nothing to compare.")
    formats = _formats_of(run, record)
    check_extras(formats)
    out = out or name_beside(run, ".rerun")
    file = find_study(run, record, study)
    data = data or find_data(run, record, file)
    if record.get("pseudonyms") and key is None:
        key = file.parent / "key.csv"
        if not key.is_file():
            raise ReportError(
                f"{run}: its villages go by codes; name the file of codes with --key."
            )
    loaded = load_study(file, data=data, key=key, out=out)
    if loaded.name != record["study"]:
        tell(f"another study: {file} is {loaded.name}, the run is of {record['study']}")
    notebooks, declared = declared_parameters(loaded)
    values = {
        name: resolve_parameters(
            {name: declared[name]}, _recorded(record, name, declared, tell)
        )[name]
        for name in notebooks
    }
    job = Job(
        study=loaded, notebooks=notebooks, values=values, out=out, force=True,
        timeout=timeout, kernels=kernels, tell=tell, on_step=on_step,
    )  # fmt: skip
    again = make_run(job, formats)
    comparison = compare_runs(run, again, tolerance=tolerance, study_after=loaded)
    page = out / "compare.html"
    write_comparison(comparison, page)
    return again, page, comparison


def _recorded(
    record: Mapping[str, Any],
    notebook: str,
    declared: Mapping[str, Mapping[str, Any]],
    tell: Callable[[str], None],
) -> dict[str, Value]:
    """Give the values that a run had for a notebook's parameters, those that are left."""
    places = ("study", "data", "pseudonyms")
    before = record["parameters"].get(notebook, {})
    gone = [name for name in before if name not in declared[notebook] and name not in places]
    if gone:
        tell(f"{notebook}: no longer declares {', '.join(gone)}: run without")
    return {n: v for n, v in before.items() if n in declared[notebook] and n not in places}


def _formats_of(run: Path, record: Mapping[str, Any]) -> list[Format]:
    """Give the documents that a run was written out as."""
    tops = {name.split("/")[0] for name in record["outputs"]}
    return [form for form in FORMATS if document_path(run, form).name in tops]
