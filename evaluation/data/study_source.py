"""What study.yml says of where the data come from, and on which terms they may be had."""

from __future__ import annotations

import contextlib
import datetime
from typing import Annotated

from pydantic import BeforeValidator

from evaluation.data.study_files import Part, Text


def _date(given: object) -> object:
    if isinstance(given, str):
        with contextlib.suppress(ValueError):
            given = datetime.date.fromisoformat(given)
    if type(given) is not datetime.date:
        raise ValueError("not a date; write YYYY-MM-DD")
    return given


class Terms(Part):
    """On which terms data may be had: of a study's source, or of one of its files.

    Attributes
    ----------
    citation
        As a list of references has it.
    licence
        Under which the data may be used and passed on.
    rights
        Who may use them, who may pass them on, and by whose permission.
    obtain
        How others get them.
    """

    citation: Text | None = None
    licence: Text | None = None
    rights: Text | None = None
    obtain: Text | None = None


class FileTerms(Terms):
    """What holds for one file: what is in it, and the terms that are not the source's."""

    holds: Text | None = None


class Source(Terms):
    """Where the figures come from, what that is and is not, and how to get the files."""

    publisher: Text
    date: Annotated[datetime.date, BeforeValidator(_date)] | None = None
    title: Text | None = None
    what_it_is: list[Text] = []
    what_it_is_not: list[Text] = []
