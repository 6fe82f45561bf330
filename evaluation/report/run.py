"""Run a study's notebooks into a report that is whole or absent."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.errors import EvaluationError, ReportError
from evaluation.language import Language, choose, speaking
from evaluation.report.chapters import Step, execute_chapters
from evaluation.report.files.documents import Format, check_extras, write_documents
from evaluation.report.fonts import find_chinese_font
from evaluation.report.job import (
    Job,
    declared_parameters,
    load_study,
    with_places,
    without_places,
)
from evaluation.report.parameters import Value, choose_values, language_of
from evaluation.report.record.describe import describe_run, name_run, tell_changes
from evaluation.report.record.machine import (
    describe_git,
    describe_machine,
    lock_sha256,
    parse_author,
)
from evaluation.report.record.store import hash_outputs, is_whole, write_record
from evaluation.report.reuse import (
    Reused,
    chapter_keys,
    find_chapters,
    past_records,
    past_seconds,
    take_ready,
)
from evaluation.report.run_folder import remove, replace_folder, start_folder
from evaluation.report.study_parts import check_data
from evaluation.report.warm import KernelKind

# papermill, nbconvert and pandas take seconds to import: an unchanged run needs none of them.


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
    timeout: int | None = None,
    kernels: KernelKind | None = None,
    author: str = "",
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
        Run all chapters, although an unchanged run, or an unchanged chapter, is there.
    timeout
        The seconds that a cell of a notebook may take; no limit if None.
    kernels
        "warm": forked from a process that has imported what chapters import; "plain": each an
        interpreter of its own. What they give is the same. Warm if None and the system can.
    author
        Who makes the run, "Name" or "Name, https://orcid.org/...", for its record.
    tell
        Called with each line that a user should read.
    on_step
        Called as chapters begin and end, from several threads.

    Returns
    -------
    The run's folder, with report.html, notebooks/, tables/, figures/, results.json and
    ro-crate-metadata.json. It is moved into place when whole.

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
    loaded = load_study(
        Path(study),
        data=Path(data) if data else None,
        key=Path(key) if key else None,
        out=Path(out),
    )
    notebooks, declared = declared_parameters(loaded)
    job = Job(
        study=loaded,
        notebooks=notebooks,
        values=choose_values(declared, parameters or {}, language),
        out=Path(out),
        force=force,
        timeout=timeout,
        kernels=kernels,
        author=parse_author(author) if author else None,
        tell=tell,
        on_step=on_step,
    )
    return make_run(job, formats)


def make_run(job: Job, formats: Collection[Format]) -> Path:
    """Make a run of a job, or find it unchanged, and write it out as documents."""
    with speaking(language_of(job.values)):
        target = _make_folder(job)
        if formats:
            write_documents(target, formats)
    return target


def _make_folder(job: Job) -> Path:
    """Run the chapters into their folder, unless they lie there unchanged."""
    study, tell = job.study, job.tell
    values = without_places(study, job.values)
    describe = partial(describe_run, study, job.notebooks, values, font=find_chinese_font())
    description = describe()
    target = job.out / name_run(description)
    if not job.force and is_whole(target, description["hash"]):
        more = ", with --author too" if job.author else ""
        tell(f"unchanged: {target} was made from the same inputs; --force runs it again{more}")
        return target
    keys = chapter_keys(description)
    left = {name: key for name, key in keys.items() if name not in job.ready}
    parts = check_data(study) if left else frozenset()
    given = with_places(job, values)
    past = past_records(job.out, study.name) if left else {}
    started = start_folder(target, tell)
    record = _begin_record(job, description, keys)

    def note(step: Step) -> None:
        if step.state == "done":
            record["seconds"][step.chapter] = step.seconds
        job.on_step(step)

    with _kept_if_failed(job, started, target, record, describe):
        ready = take_ready(job.ready, keys, started / "notebooks")
        # What is hidden is hidden after a chapter has run: none is taken out of another run.
        reused = (
            Reused()
            if job.force or job.hides
            else find_chapters(left, past, started / "notebooks")
        )
        if reused.notebooks:
            names = ", ".join(reused.notebooks)
            tell(f"unchanged chapters: {names}; --force runs them again")
        seconds = {**ready.seconds, **reused.seconds}
        record |= {"reused": [*reused.notebooks], "seconds": seconds}
        executed = execute_chapters(
            study,
            {name: job.notebooks[name] for name in left if name not in reused.notebooks},
            given,
            folder=started / "notebooks",
            parts=parts,
            timeout=job.timeout,
            kernels=job.kernels,
            expected=past_seconds(past.values()),
            on_step=note,
        )
        chapters = {**ready.notebooks, **reused.notebooks, **executed}
        from evaluation.report.outputs import write_outputs, write_rows

        write_rows(started, study)
        write_outputs(
            started, target.name, study, {name: chapters[name] for name in keys}, description
        )
        if (now := describe()) != description:
            changed = tell_changes(description, now) or "another of its inputs"
            raise ReportError(
                f"{study.folder.name}: a file changed while the report ran: {changed}; run it "
                "again."
            )
        write_record(started, {**record, "outputs": hash_outputs(started), "end": _now()})
        replace_folder(started, target)
    remove(_failed(target))
    return target


def _begin_record(
    job: Job, description: Mapping[str, Any], keys: Mapping[str, str]
) -> dict[str, Any]:
    """Give what is known of a run before it has run."""
    return {
        **description,
        "title": choose(job.study.title.en, job.study.title.zh),
        "package": description["packages"]["village-evaluation"],
        "git": describe_git(),
        "lock": lock_sha256(),
        "machine": describe_machine(),
        "author": job.author,
        "chapters": keys,
        "reused": [],
        "seconds": {},
        "start": _now(),
    }


@contextmanager
def _kept_if_failed(
    job: Job,
    started: Path,
    target: Path,
    record: Mapping[str, Any],
    describe: Callable[[], Mapping[str, Any]],
) -> Iterator[None]:
    """Have what was done of a run that fails kept as such, with a record that says why."""
    failed = _failed(target)
    try:
        yield
    except BaseException as error:
        with suppress(ReportError, OSError):
            if job.hides:
                remove(started)
                job.tell("failed: nothing was kept, as not all is hidden yet that is to be")
            else:
                with suppress(ReportError, OSError):
                    ended = {
                        "outputs": hash_outputs(started), "end": _now(), "error": _tell(error),
                    }  # fmt: skip
                    if describe()["hash"] != record["hash"]:  # who knows what they were run on
                        ended["chapters"] = {}
                    write_record(started, {**record, **ended})
                replace_folder(started, failed)
                job.tell(f"failed: what was done so far is in {failed}")
        if isinstance(error, EvaluationError) or not isinstance(error, Exception):
            raise
        raise ReportError(_tell(error)) from error


def _tell(error: BaseException) -> str:
    """Say why a run failed."""
    if isinstance(error, EvaluationError):
        return str(error)
    if not isinstance(error, Exception):
        return "interrupted"
    if isinstance(error, OSError) and error.filename:
        return (
            f"cannot write {error.filename}: {error.strerror}. Make room, or name another "
            "folder with --out, and run again."
        )
    return f"the report failed: {type(error).__name__}: {error}"


def _failed(target: Path) -> Path:
    return target.with_name(f"{target.name}.failed")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
