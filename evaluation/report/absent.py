"""Exhibits that say why there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from operator import attrgetter
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.study import Study
from evaluation.errors import DesignError
from evaluation.language import say
from evaluation.report.exhibits import Exhibit


class Found(Protocol):
    """What a study's exhibits share, or the ``reason`` why there is none; else ''."""

    @property
    def study_data(self) -> StudyData: ...  # noqa: D102

    @property
    def reason(self) -> str: ...  # noqa: D102


Given = TypeVar("Given", bound=StudyData | Found)
Options = ParamSpec("Options")
Result = TypeVar("Result", bound=Exhibit | None)


@dataclass(frozen=True)
class NeedsFound:
    """Make an exhibit say why there is nothing to show, where it is so.

    Attributes
    ----------
    name, caption
        The exhibit's.
    reason_of
        Why there is nothing to show of what the exhibit is given; '' if there is something.
    errors
        Those that say the same later on.
    """

    name: str
    caption: str
    reason_of: Callable[[Any], str] = attrgetter("reason")
    errors: tuple[type[Exception], ...] = (DesignError,)

    def __call__(
        self, make: Callable[Concatenate[Given, Options], Result]
    ) -> Callable[Concatenate[Given, Options], Exhibit | Result]:
        """Decorate the function that makes it."""

        @wraps(make)
        def exhibit(
            given: Given, /, *args: Options.args, **options: Options.kwargs
        ) -> Exhibit | Result:
            study_data = given if isinstance(given, StudyData) else given.study_data
            if reason := self.reason_of(given):
                return absent(study_data, self.name, say(self.caption), reason)
            try:
                return make(given, *args, **options)
            except self.errors as error:
                return absent(study_data, self.name, say(self.caption), str(error))

        return exhibit


def lacking(study: Study, part: str, message: str) -> str:
    """Say that a study has not a part, or that it has nothing in it on the report's county."""
    if study.county and getattr(study, part, None):
        return say("The study's files have nothing of this on the county.")
    return say(message)


def absent(study_data: StudyData, name: str, caption: str, reason: str) -> Exhibit:
    """Give the exhibit that says why there is nothing to show."""
    return Exhibit(
        name=name,
        kind="table",
        caption=caption,
        data=pd.DataFrame({"absent": [reason]}, dtype=object),
        body=Markup("<p>{}</p>").format(reason),
        simulated=study_data.study.simulated,
    )
