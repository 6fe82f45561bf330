"""Which claims can be true together: checks declared as formulas, evaluated on bounds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from evaluation.claims.comparison import join_traits, unlike
from evaluation.claims.formula import parse_formula
from evaluation.claims.lookup import Evaluated, Lookup, describe_missing
from evaluation.claims.table import ClaimTable
from evaluation.data.config import read_config
from evaluation.data.hedges import Reading
from evaluation.data.study_files import Text
from evaluation.data.units import check_unit, parse_unit
from evaluation.errors import DataError, raise_problems, suggest
from evaluation.language import mark, say

Verdict = Literal[
    "consistent", "inconsistent", "not comparable", "cannot be checked", "arithmetic only"
]
VERDICTS: dict[Verdict, str] = {
    "consistent": mark("consistent"),
    "inconsistent": mark("inconsistent"),
    "not comparable": mark("not comparable"),
    "cannot be checked": mark("cannot be checked"),
    "arithmetic only": mark("arithmetic only"),
}
"""The verdicts, as they are said."""


def _formula(text: str) -> str:
    parse_formula(text)
    return text


def _term(text: str) -> str:
    if parse_formula(text).relation:
        raise ValueError("a term to compare holds no relation; put relations under formulas")
    return text


class Line(BaseModel):
    """A formula of a check, and the unit that its value is shown in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    formula: Annotated[str, AfterValidator(_formula)]
    unit: Annotated[str, AfterValidator(check_unit)] = ""


def _line(given: Any) -> Any:
    return {"formula": given} if isinstance(given, str) else given


class Crosscheck(BaseModel):
    """A check as crosschecks.yml declares it.

    ``formulas`` are relations that should hold, or terms whose value informs; ``compare``
    lists terms that someone might rank, to see whether they are alike; ``claims`` are ids of
    claims that it rests on without a formula. Values are shown in ``unit``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z]\w*$")
    title: Text
    county: str
    formulas: list[Annotated[Line, BeforeValidator(_line)]] = []
    compare: list[Annotated[str, AfterValidator(_term)]] = []
    claims: list[str] = []
    unit: Annotated[str, AfterValidator(check_unit)] = ""
    note: Text

    @model_validator(mode="after")
    def _has_work(self) -> Crosscheck:
        if not (self.formulas or self.compare):
            raise ValueError("neither formulas nor compare; a check needs one of them")
        if len(self.compare) == 1:
            raise ValueError("compare holds one term; give two or more, or put it in formulas")
        return self


class _CrosscheckFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1]
    checks: list[Crosscheck] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """A check's verdict, why, and the numbers behind it.

    Attributes
    ----------
    check
        The check as declared.
    reading
        The reading of hedges that the verdict is under.
    verdict
        consistent: every relation holds for some possible values. inconsistent: one holds
        for none. not comparable: the terms of ``compare`` differ in definition, unit,
        scope, date or status, or a relation's sides in date. cannot be checked: a figure
        is missing. arithmetic only: there is nothing to hold the result against.
    reasons
        What is missing, or in what the terms differ.
    evaluated, units
        The formulas with their values, and what each is shown in.
    claims
        The ids of all claims used.
    """

    check: Crosscheck
    reading: Reading
    verdict: Verdict
    reasons: tuple[str, ...]
    evaluated: tuple[Evaluated, ...]
    units: tuple[str, ...]
    claims: tuple[str, ...]


def run_crosschecks(
    table: ClaimTable, *, reading: Reading | None = None
) -> tuple[CheckResult, ...]:
    """Evaluate every cross-check of a study; of claims on one county, those of that alone.

    Parameters
    ----------
    table
        The study's claims.
    reading
        How hedges are read; by default as the study says.

    Raises
    ------
    DataError
        If a check does not parse or names an indicator, claim or county that is not known.
    """
    if table.whole:  # checks are read and checked whole
        results = run_crosschecks(table.whole, reading=reading)
        return tuple(result for result in results if _is_own(result, table))
    files = table.study.claims
    if files is None or files.crosschecks is None:
        return ()
    path = table.study.path(files.crosschecks)
    checks = read_config(path, _CrosscheckFile).checks
    found: list[CheckResult] = []
    problems: list[str] = []
    for check in checks:
        try:
            if check.id in {result.check.id for result in found}:
                raise DataError("a second check with this id; ids are given once.")
            areas = [area.name for area in table.study.areas]
            if check.county not in areas:
                raise DataError(f"no county {check.county!r}; {suggest(check.county, areas)}")
            found.append(_run(check, table, reading or table.study.reading))
        except DataError as error:
            problems.append(f"{check.id}: {error}")
    raise_problems(path.name, problems)
    return tuple(found)


def _is_own(result: CheckResult, table: ClaimTable) -> bool:
    """Whether a check is on a county, and rests on no claim but its own."""
    whole = table.whole or table
    others = {area.name for area in whole.study.counties} - {result.check.county}
    names = (name for item in result.evaluated for name in item.formula.names)
    return (
        result.check.county in {area.name for area in table.study.counties}
        and {*result.claims} <= {*table.claims}
        and not any(name.rpartition(".")[0] in others for name in names)
    )


_COLUMNS = [
    "check", "title", "county", "verdict", "reasons", "formula", "answer", "unit",
    "left_printed", "left", "right", "common", "claims", "note",
]  # fmt: skip


def crosscheck_frame(results: Iterable[CheckResult]) -> pd.DataFrame:
    """Give one row a formula, with its check's verdict.

    Columns: check, title, county, verdict, reasons, formula, answer, unit, left_printed,
    left, right (Bounds in the unit, under the reading), common (values that both sides
    of == allow), claims, note.
    """
    rows = []
    for result in results:
        for item, unit in zip(result.evaluated, result.units, strict=True):
            factor = parse_unit(unit).factor
            sides = [term.read(result.reading) / factor for term in item.terms]
            left, right = (*sides, None, None)[:2]
            rows.append(
                {
                    "check": result.check.id,
                    "title": result.check.title.shown,
                    "county": result.check.county,
                    "verdict": result.verdict,
                    "reasons": say("; ").join(result.reasons),
                    "formula": item.formula.text,
                    "answer": item.answer(result.reading),
                    "unit": unit,
                    "left_printed": item.terms[0].printed / factor if item.terms else None,
                    "left": left,
                    "right": right,
                    "common": left.intersect(right)
                    if item.formula.relation == "==" and left and right
                    else None,
                    "claims": " ".join(result.claims),
                    "note": result.check.note.shown,
                }
            )
    return pd.DataFrame(rows, columns=_COLUMNS, dtype=object)


def _run(check: Crosscheck, table: ClaimTable, reading: Reading) -> CheckResult:
    if unknown := [name for name in check.claims if name not in table.claims]:
        raise DataError(f"no claim {unknown[0]!r}; {suggest(unknown[0], table.claims)}")
    lookup = Lookup(table, check.county)
    compared = [lookup.evaluate(parse_formula(text)) for text in check.compare]
    stated = [lookup.evaluate(parse_formula(line.formula)) for line in check.formulas]
    evaluated = compared + stated
    missing = list(dict.fromkeys(gap for item in evaluated for gap in item.missing))
    answers = [answer for item in evaluated if (answer := item.answer(reading))]
    unlike_dates = _unlike_dates(evaluated, table)
    verdict: Verdict
    reasons: list[str] = []
    if "no" in answers and not unlike_dates:
        verdict = "inconsistent"
    elif missing:
        verdict, reasons = "cannot be checked", [describe_missing(missing)]
    elif reasons := unlike(table, compared) or unlike_dates:
        verdict = "not comparable"
    elif answers:
        verdict = "consistent"
    else:
        verdict = "arithmetic only"
        reasons = [say("the terms are alike and may be ranked")] if compared else []
    return CheckResult(
        check=check,
        reading=reading,
        verdict=verdict,
        reasons=tuple(reasons),
        evaluated=tuple(evaluated),
        units=tuple(_choose_units(check, evaluated)),
        claims=tuple(dict.fromkeys([*check.claims, *(c for e in evaluated for c in e.claims)])),
    )


def _choose_units(check: Crosscheck, evaluated: Sequence[Evaluated]) -> list[str]:
    """Choose what each line is shown in: its own unit, the check's, or one that fits."""
    own = [*("" for _ in check.compare), *(line.unit for line in check.formulas)]
    units = []
    for item, line_unit in zip(evaluated, own, strict=True):
        money = next((t.money for t in item.terms if t.money is not None), None)
        unit = line_unit or check.unit or ("万元" if money == 1 else "个")
        if money is not None and money != int(parse_unit(unit).is_money):
            raise DataError(
                f"{item.formula.text!r} is {'' if money else 'not '}an amount of money, but "
                f"its unit is {unit}; give the formula a unit of its own."
            )
        units.append(unit)
    return units


def _unlike_dates(evaluated: Sequence[Evaluated], table: ClaimTable) -> list[str]:
    """Say where a relation joins figures of different dates."""
    for item in evaluated:
        dates = [
            join_traits((table.claims[c].as_of,) for c in term.claims) for term in item.terms
        ]
        if item.formula.relation and len(set(filter(None, dates))) > 1:
            return [say("date: {dates}", dates=" / ".join(dates))]
    return []
