"""A report that is to be made: of which study, with which values, where and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.report.chapters import Step, choose_chapters
from evaluation.report.parameters import Parameter, Value, read_parameters
from evaluation.report.restricted import restrict_study
from evaluation.report.reuse import Ready
from evaluation.report.warm import KernelKind

Values = Mapping[str, Mapping[str, Value]]
"""Every notebook's parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A report that is to be made.

    Attributes
    ----------
    study
        What it is on.
    notebooks, values
        Its chapters, and the parameters of each.
    out
        Where the run's folder is put.
    force
        Run all chapters, whether or not they were run before.
    timeout
        The seconds that a cell may take; None for no limit.
    kernels
        "warm", "plain", or None for warm ones where the system has them.
    author
        Who makes it, as the record is to say.
    ready
        Chapters that were run for it already, by name.
    tell
        Called with each line that a user should read.
    on_step
        Called as chapters begin and end, from several threads.

    Raises
    ------
    DataError
        If the study has no such county or outcome as the parameters name.
    ReportError
        If the timeout is no time, or a chapter does not know of the county.
    """

    study: Study
    notebooks: Mapping[str, Path]
    values: Values
    out: Path
    force: bool = False
    timeout: int | None = None
    kernels: KernelKind | None = None
    author: Mapping[str, str] | None = None
    ready: Mapping[str, Ready] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda line: None
    on_step: Callable[[Step], None] = lambda step: None

    def __post_init__(self) -> None:
        if self.timeout is not None and self.timeout < 1:
            raise ReportError(f"--timeout {self.timeout}: give seconds, 1 or more.")
        study, values = restrict_study(self.study, self.values)
        object.__setattr__(self, "study", study)
        object.__setattr__(self, "values", values)

    @property
    def hides(self) -> bool:
        """Whether names or small cells are hidden in what the run holds."""
        return bool(self.study.pseudonyms or self.study.smallest_cell)


def load_study(study: Path, *, data: Path | None, key: Path | None, out: Path) -> Study:
    """Load a study; with a file of codes, its villages go by them and all have one."""
    loaded = Study.load(study, data=data)
    if key is None:
        return loaded
    if key.resolve().is_relative_to(out.resolve()):
        raise ReportError(f"--key {key}: not among the runs in {out}: it tells names.")
    from evaluation.data.load import load_data
    from evaluation.data.pseudonyms import extend_pseudonyms

    if not loaded.panel:
        raise ReportError(f"{loaded.name}: it has no villages that codes could stand for.")
    extend_pseudonyms(key, load_data(loaded))
    return Study.load(loaded.file, data=loaded.data_folder, pseudonyms=key)


def declared_parameters(
    study: Study,
) -> tuple[dict[str, Path], dict[str, dict[str, Parameter]]]:
    """Give the notebooks for which a study has data, and what each declares."""
    notebooks = choose_chapters(study)
    return notebooks, {name: read_parameters(path) for name, path in notebooks.items()}


def without_places(study: Study, values: Values) -> dict[str, dict[str, Value]]:
    """Give the parameters as a run records them: no path of this machine gets into it."""
    named = {"study": f"{study.folder.resolve().name}/{study.file.name}"}
    hidden = ("data", "pseudonyms")  # the files' hashes say which they are
    return {
        notebook: {**{n: v for n, v in chosen.items() if n not in hidden}, **named}
        for notebook, chosen in values.items()
    }


def with_places(job: Job, recorded: Values) -> dict[str, dict[str, Value]]:
    """Add to recorded parameters where files are that do not lie in the study's folder.

    Raises
    ------
    ReportError
        If a notebook could not be told.
    """
    study = job.study
    known = {"data": study.data_folder, "pseudonyms": study.pseudonyms}
    home = study.folder.resolve().parent
    given = {name: dict(chosen) for name, chosen in recorded.items()}
    for parameter, place in known.items():
        if place is None:
            continue
        for name in given:
            if parameter not in job.values[name]:
                raise ReportError(
                    f"{name}: its parameters cell does not declare '{parameter}: str', for "
                    "Study.load to be handed it."
                )
            given[name][parameter] = os.path.relpath(place.resolve(), home)
    return given
