"""Contracts: what the columns of a checked table hold (pandera)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pandas as pd
import pandera.pandas as pa
from pandera.errors import SchemaErrors

from evaluation.data.cells import FIRST_YEAR, LAST_YEAR
from evaluation.data.problems import Problems
from evaluation.data.study_files import FundSource, Pillar, Role, Stage


def _number(low: float, high: float, *, what: str, nullable: bool = True) -> pa.Column:
    check = pa.Check.in_range(low, high, error=what)
    return pa.Column(float, check, nullable=nullable)


def _word(known: object, *, what: str) -> pa.Column:
    words = get_args(known)
    return pa.Column(str, pa.Check.isin(words, error=f"{what}; known: {', '.join(words)}"))


_LARGEST = 1e15
_YEAR = _number(FIRST_YEAR, LAST_YEAR, what=f"years not within {FIRST_YEAR}-{LAST_YEAR}")

COORDINATES = pa.DataFrameSchema(
    {
        "longitude": _number(-180, 180, what="longitudes not within -180 and 180 degrees"),
        "latitude": _number(-90, 90, what="latitudes not within -90 and 90 degrees"),
    }
)
LEDGER = pa.DataFrameSchema(
    {
        "year": _YEAR,
        "source": _word(FundSource, what="sources that are not known"),
        "stage": _word(Stage, what="stages that are not known"),
        "role": _word(Role, what="roles that are not known"),
        "amount": pa.Column(
            float,
            [
                pa.Check.ge(0, error="negative amounts"),
                pa.Check.le(_LARGEST, error="amounts beyond belief"),
            ],
            nullable=True,
        ),
    }
)
PROJECTS = pa.DataFrameSchema(
    {
        "start": _YEAR,
        "jobs": _number(0, _LARGEST, what="negative numbers of jobs"),
        "expected_return": _number(-_LARGEST, _LARGEST, what="returns beyond belief"),
    }
)
INDICATORS = pa.DataFrameSchema(
    {
        "year": _YEAR,
        "pillar": _word(Pillar, what="pillars that are not known"),
        "value": _number(-_LARGEST, _LARGEST, what="values beyond belief"),
    }
)


def check_contract(
    frame: pd.DataFrame,
    contract: pa.DataFrameSchema,
    file: str,
    row_word: str,
    problems: Problems,
    *,
    columns: dict[str, str] | None = None,
    remedies: Mapping[str, str] | None = None,
) -> None:
    """Check a table against its contract; all that breaks it joins the problems.

    Parameters
    ----------
    frame
        Its index is what a user would find the row by.
    columns
        What the file calls the contract's columns.
    remedies
        How to mend each of them.
    """
    try:
        contract.validate(frame, lazy=True)
    except SchemaErrors as error:
        broken = error.failure_cases
        for (column, check), cases in broken.groupby(["column", "check"], sort=False):
            problems.add(
                "error",
                file,
                str(check),
                (remedies or {}).get(str(column), ""),
                column=(columns or {}).get(str(column), str(column)),
                row_word=row_word,
                rows=list(cases["index"]),
                cells=cases["failure_case"],
            )
