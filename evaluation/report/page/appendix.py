"""What a report ends with: its files, what was left out, its inputs, how to make it again."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.data.study import Study
from evaluation.effects.result import NAMES
from evaluation.language import say
from evaluation.report.chapters import choose_chapters
from evaluation.report.parameters import read_parameters
from evaluation.report.results import Exhibits, is_absent, name_exhibits, reason_of, rows_of

OWN = ("study", "data", "language")
"""Parameters that are not told as such: the command's other arguments say them."""

_MAIN = (
    "village-evaluation", "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "papermill",
    "nbconvert", "jinja2",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An exhibit in the list of exhibits, with its files by the end of their name."""

    name: str
    caption: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appendix:
    """What the appendix shows.

    Attributes
    ----------
    exhibits
        All that are there.
    problems
        Rows of the table of what was found on reading the files.
    left_out
        What took no part, and why: subject and reason.
    missing
        Captions of exhibits that could not be made, and the reasons.
    command
        What makes the report again.
    parameters
        Each chapter's, by name.
    packages, all_packages
        Versions: of the main packages, and of all.
    """

    exhibits: Sequence[Listed]
    problems: Sequence[Mapping[str, Any]]
    left_out: Sequence[tuple[str, str]]
    missing: Sequence[tuple[str, str]]
    command: str
    parameters: Mapping[str, Mapping[str, Any]]
    packages: Mapping[str, str]
    all_packages: Mapping[str, str]


def make_appendix(
    study: Study,
    *,
    description: Mapping[str, Any],
    results: Mapping[str, Any],
) -> Appendix:
    """Gather the appendix of a report; arguments are those of `build_page`."""
    by_name = name_exhibits(results)
    packages: Mapping[str, str] = description["packages"]
    return Appendix(
        exhibits=[
            Listed(
                name=name,
                caption=exhibit["caption"],
                files={
                    end.lstrip("._"): f"{exhibit['kind']}s/{name}{end}"
                    for end in exhibit["files"]
                },
            )
            for name, exhibit in by_name.items()
        ],
        problems=rows_of(by_name, "problems"),
        left_out=[*_villages_left_out(by_name), *_estimators_left_out(by_name)],
        missing=[
            (exhibit["caption"], reason_of(by_name, name))
            for name, exhibit in by_name.items()
            if is_absent(exhibit)
        ],
        command=_command(study, description["parameters"]),
        parameters={
            name: {key: value for key, value in values.items() if key not in OWN}
            for name, values in description["parameters"].items()
        },
        packages={name: packages[name] for name in _MAIN if name in packages},
        all_packages=packages,
    )


def _villages_left_out(exhibits: Exhibits) -> list[tuple[str, str]]:
    rows = rows_of(exhibits, "village_gains")
    reasons = Counter(row["reason"] for row in rows if row["reason"])
    return [
        (say("{n:,} villages without a gain or an interval", n=n), reason)
        for reason, n in reasons.most_common()
    ]


def _estimators_left_out(exhibits: Exhibits) -> list[tuple[str, str]]:
    rows = rows_of(exhibits, "effects")
    names = {key: say(name) for key, name in NAMES.items()}
    told = {
        (names[row["estimator"]], text)
        for row in rows
        if (text := row["note"] if row["estimate"] is not None else row["reason"])
    }
    return sorted(told)


def _command(study: Study, parameters: Mapping[str, Mapping[str, Any]]) -> str:
    """Give the command that makes the report again, with all that isn't a default."""
    changed: dict[str, Any] = {}
    place, language = study.name, "en"
    for name, path in choose_chapters(study).items():
        values, declared = parameters.get(name, {}), read_parameters(path)
        place = str(values.get("study", place)).removesuffix("/study.yml")
        language = values.get("language", language)
        changed |= {
            key: value
            for key, value in values.items()
            if key not in OWN and key in declared and value != declared[key].default
        }
    given = [word for key, value in changed.items() for word in ("-p", f"{key}={value}")]
    spoken = ["--lang", language] if language != "en" else []
    data = ["--data", "FOLDER"] if study.data_folder else []
    codes = ["--pseudonymise"] if study.pseudonyms else []
    return shlex.join(["evaluation", "report", place, *data, *codes, *given, *spoken])
