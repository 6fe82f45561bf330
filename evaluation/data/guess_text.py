"""The study.yml that guesses make: every guess in a line, with what else it could be."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from evaluation.data.cells import read_numbers
from evaluation.data.coded import read_words
from evaluation.data.guess_words import named_unit, plain_name, score_name
from evaluation.data.money import parse_money
from evaluation.data.problems import Problems
from evaluation.data.tables import Table
from evaluation.errors import DataError

KINDS = ("operating", "contracted", "investment", "subsidy", "other", "total")
COVARIATES = ("households", "poor_households", "population")
_WIDE = re.compile(r"(?P<before>.*?)(?P<year>(?:19|20)\d\d)(?P<after>.*)")
_HEAD = """\
# Guessed from the files by `evaluation new`. Every line that ends in a comment is a guess:
# mend it, then run `evaluation check {folder}`. All keys: docs/study.md of the package.
version: 1
name: {name}
title: {{en: {name}}}
source: {{publisher: {{en: "unknown: say who made these files"}}}}
programme: {{name: "the programme"}}
"""


@dataclass(slots=True)
class GuessedFile:
    """A file, or a sheet of it, with its columns' roles as far as they were guessed."""

    file: str
    table: Table
    sheet: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)

    def has(self, *roles: str) -> bool:
        """Whether columns were found for all these roles."""
        return all(role in self.roles for role in roles)


def compose_study(folder: Path, parts: list[GuessedFile]) -> str:
    """Write the study.yml of a folder's files."""
    ledger = next((p for p in parts if p.has("source", "amount")), None)
    rest = [p for p in parts if p is not ledger]
    indicators = next((p for p in rest if p.has("pillar", "indicator", "value")), None)
    rest = [p for p in rest if p is not indicators]
    keyed = [p for p in rest if {"code", "id", "name"} & p.roles.keys()]
    with_year = [p for p in keyed if p.has("year") or _wide_stems(p)] or keyed
    panel = max(with_year, key=lambda p: len(p.table.frame), default=None)
    if panel is None:
        raise DataError(
            "no file has a column that names villages (村, 行政区划代码, village, vill_id); "
            "rename it in the file, or write study.yml by hand."
        )
    projects = next((p for p in rest if p is not panel and p.has("project")), None)
    name = re.sub(r"\W", "_", folder.resolve().name, flags=re.ASCII).strip("_") or "study"
    lines = [_HEAD.format(folder=folder, name=_quote(name))]
    body = _panel_lines(panel)
    body += _ledger_lines(ledger) if ledger else []
    body += _projects_lines(projects) if projects else []
    body += _indicators_lines(indicators) if indicators else []
    if any(re.search(r"unit: ", line) for line in body):
        years = re.findall(r"# years \d+ to (\d+)", "\n".join(body))
        lines.append(
            f"prices: {{basis: nominal, base_year: {years[0] if years else 2020}}}"
            "  # nominal money, in prices of the last year; or basis: real\n"
        )
    return "\n".join([*lines, *body]) + "\n"


def _panel_lines(part: GuessedFile) -> list[str]:
    lines = ["panel:", *_file_lines(part), f"  village: {_key(part)}"]
    wide = {} if part.has("year") else _wide_stems(part)
    if part.has("year"):
        words = read_words(part.table, part.roles["year"]).distinct
        years = sorted(int(float(w)) for w in words if re.fullmatch(r"\d+(\.0)?", w))
        if years and years[-1] < 1900:
            codes = ", ".join(f"'{year}': {1990 + i}" for i, year in enumerate(years))
            column = _quote(part.roles["year"])
            lines.append(f"  year: {{column: {column}, values: {{{codes}}}}}  # which years?")
        else:
            span = f"years {years[0]} to {years[-1]}" if years else "no years were read"
            lines.append(_line(part, "year", note=span, indent=2))
    elif wide:
        named = sorted({m["year"] for c in part.table.frame if (m := _WIDE.fullmatch(str(c)))})
        lines.append(f"  # years {named[0]} to {named[-1]}: a column for each")
    else:
        lines.append("  year: 2000  # no column of years: a cross-section; of which year?")
    households = part.has("year") and not part.has("operating") and _repeats(part)
    kinds = [k for k in KINDS if k in part.roles] or [k for k in KINDS if k in wide]
    if households:
        lines += [
            "  # several rows for a village and year: households or persons?",
            "  aggregate:",
        ]
        if part.has("weights"):
            lines.append(f"    weights: {_quote(part.roles['weights'])}")
        lines.append("    outcomes:")
        outcome = _outcome(part)
        lines.append(f"      outcome: {{column: {_quote(outcome)}, statistic: mean}}"
                     "  # or median, total, share_below (with a line), gini")  # fmt: skip
    elif kinds:
        lines.append("  income:")
        for kind in kinds:
            column = wide.get(kind) or part.roles[kind]
            lines.append(f"    {kind}: {_column(part, column)}{_others(part, kind)}")
    else:
        outcome = _outcome(part)
        lines += [
            "  outcomes:",
            f"    outcome: {_column(part, outcome)}{_others(part, 'outcome')}",
        ]
    treatment = next((r for r in ("first_year", "treated", "date") if part.has(r)), None)
    if treatment:
        column = _quote(part.roles[treatment])
        lines.append(f"  treatment: {{{treatment}: {column}}}{_others(part, treatment)}")
    else:
        lines.append(
            "  # treatment: {first_year: ...}, {treated: ...} or {date: ...}: none was found"
        )
    covariates = [role for role in COVARIATES if part.has(role)]
    if covariates:
        lines.append("  covariates:")
        lines += [
            f"    {role}: {_quote(part.roles[role])}{_others(part, role)}"
            for role in covariates
        ]
    if part.has("longitude", "latitude"):
        lon, lat = _quote(part.roles["longitude"]), _quote(part.roles["latitude"])
        lines.append(f"  coordinates: {{longitude: {lon}, latitude: {lat}}}")
    used = {*part.roles.values(), _outcome(part)}
    unused = [c for c in map(str, part.table.frame.columns) if c not in used]
    if unused and not wide:
        lines.append(f"  # columns not used: {_names(unused[:40])}")
    return lines


def _ledger_lines(part: GuessedFile) -> list[str]:
    lines = ["ledger:", *_file_lines(part), f"  village: {_key(part)}"]
    year = _quote(part.roles["year"]) if part.has("year") else "2000  # which?"
    lines += [f"  year: {year}", f"  amount: {_column(part, part.roles['amount'], money=True)}"
              f"{_others(part, 'amount')}"]  # fmt: skip
    for role in ("source", "stage", "project"):
        lines += [_line(part, role, indent=2)] if part.has(role) else []
    lines += [] if part.has("stage") else ["  stage: {value: received}  # or committed, spent"]
    lines.append("  # shared_by: equal  # how pooled money is shared out: or households")
    return lines


def _projects_lines(part: GuessedFile) -> list[str]:
    lines = ["projects:", *_file_lines(part), f"  village: {_key(part)}"]
    if "start" not in part.roles and part.has("year"):
        part.roles["start"] = part.roles["year"]
    roles = [r for r in ("project", "type", "start", "jobs") if part.has(r)]
    lines += [_line(part, role, indent=2) for role in roles]
    if part.has("expected_return"):
        column = _column(part, part.roles["expected_return"], money=True)
        lines.append(f"  expected_return: {column}")
    return lines


def _indicators_lines(part: GuessedFile) -> list[str]:
    lines = ["indicators:", *_file_lines(part), f"  village: {_key(part)}"]
    roles = [r for r in ("year", "pillar", "indicator", "value", "unit") if part.has(r)]
    return lines + [_line(part, role, indent=2) for role in roles]


def _file_lines(part: GuessedFile) -> list[str]:
    lines = [f"  file: {_quote(part.file)}"]
    return lines + ([f"  sheet: {_quote(part.sheet)}"] if part.sheet else [])


def _key(part: GuessedFile) -> str:
    roles = [r for r in ("code", "id", "county", "town", "name") if part.has(r)]
    roles = [r for r in roles if r != "id" or "code" not in roles]
    inner = ", ".join(f"{role}: {_quote(part.roles[role])}" for role in roles)
    others = {role: _names(part.others.get(role, [])) for role in roles}
    told = "; ".join(f"{role} or: {names}" for role, names in others.items() if names)
    return f"{{{inner}}}" + (f"  # {told}" if told else "")


def _column(part: GuessedFile, column: str, *, money: bool = False) -> str:
    """Write a column with the unit and scale that its name or label gives."""
    label = part.table.labels.get(column, "")
    stem = plain_name(column.replace("{year}", ""))
    unit = named_unit(column) or named_unit(label) or _stated_unit(part)
    try:
        known = parse_money(unit)
    except DataError:
        known = None
    log = bool(re.match(r"log|ln", stem) or re.match(r"log\b", label, re.I))
    scale = ", scale: log" if log else ""
    asked = money or any(score_name(stem, kind) for kind in KINDS)
    if known:
        return f"{{column: {_quote(column)}, unit: {_quote(unit)}{scale}}}"
    if asked:
        guess, why = _unit_by_size(part, column)
        return f"{{column: {_quote(column)}, unit: {guess}{scale}}}  # unit not stated{why}"
    return f"{{column: {_quote(column)}{scale}}}"


def _unit_by_size(part: GuessedFile, column: str) -> tuple[str, str]:
    """Guess 万元 or 元 by the median: villages' money is rarely below 500 yuan."""
    frame = part.table.frame
    columns = [c for c in map(str, frame.columns) if c == column or _pattern(c) == column]
    values = [read_numbers(part.table, c, Problems(), keep_hedged=True).values for c in columns]
    known = np.concatenate(values) if values else np.array([])
    known = known[known > 0]
    if not len(known):
        return "元", ": 元 or 万元?"
    median = float(np.median(known))
    return ("万元" if median < 500 else "元"), f"; by the median, {median:,.4g}: 元 or 万元?"


def _pattern(column: str) -> str:
    match = _WIDE.fullmatch(column)
    return f"{match['before']}{{year}}{match['after']}" if match else ""


def _stated_unit(part: GuessedFile) -> str:
    """Give the unit that a title above the table states (单位：万元)."""
    match = re.search(r"单位[:：]\s*([十百千万亿]*元)", " ".join(part.table.left_out))
    return match[1] if match else ""


def _line(part: GuessedFile, role: str, *, indent: int, note: str = "") -> str:
    told = _others(part, role)
    told = f"  # {note}{told.replace('  # ', '; ')}" if note else told
    return f"{' ' * indent}{role}: {_quote(part.roles[role])}{told}"


def _others(part: GuessedFile, role: str) -> str:
    others = part.others.get(role, [])
    return f"  # or: {_names(others)}" if others else "  # a guess"


def _outcome(part: GuessedFile) -> str:
    """Give the outcome's column: by name, or else the first number that nothing else uses."""
    if part.has("outcome"):
        return part.roles["outcome"]
    used = set(part.roles.values())
    free = (str(c) for c in part.table.frame.columns if c not in used)
    return next((c for c in free if is_number(part.table, c)), "?")


def _repeats(part: GuessedFile) -> bool:
    keys = [
        part.roles[r] for r in ("code", "id", "county", "town", "name", "year") if part.has(r)
    ]
    return bool(part.table.frame.duplicated(keys).mean() > 0.5)


def _wide_stems(part: GuessedFile) -> dict[str, str]:
    """Give the columns that have a year in their name, as patterns with {year}, by role."""
    found: dict[str, str] = {}
    for column in map(str, part.table.frame.columns):
        if match := _WIDE.fullmatch(column):
            stem = f"{match['before']}{match['after'].removeprefix('年')}".strip("_ ")
            for kind in KINDS:
                if score_name(stem, kind) and kind not in found:
                    found[kind] = _pattern(column)
    return found


def _quote(text: str) -> str:
    """Write a text as YAML reads it back, on one line, inside braces too."""
    if not text.isprintable():
        return json.dumps(text)
    listed = yaml.safe_dump([text], allow_unicode=True, width=10**6, default_flow_style=True)
    return str(listed).strip()[1:-1]


def _names(columns: list[str]) -> str:
    """List columns in a comment, on one line."""
    return ", ".join(" ".join(column.split()) for column in columns)


def is_number(table: Table, column: str) -> bool:
    """Whether nine cells of ten are numbers."""
    if pd.api.types.is_numeric_dtype(table.frame[column]):
        return True
    problems = Problems()
    numbers = read_numbers(table, column, problems, keep_hedged=True)
    wrong = sum(problem.count for problem in problems.errors)
    return wrong <= len(numbers.values) / 10 and len(numbers.values) > wrong
