"""The study.yml that guesses make: every guess in a line, with what else it could be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import yaml

from evaluation.data.cells import read_numbers
from evaluation.data.coded import read_words
from evaluation.data.guess_words import (
    EARNED,
    KEYS,
    KINDS,
    GuessedFile,
    find_staged,
    is_number,
    named_unit,
    plain_name,
    score_name,
)
from evaluation.data.money import parse_money
from evaluation.data.problems import Problems
from evaluation.errors import DataError

COVARIATES = ("households", "poor_households", "population")
TRAITS = ("dispatching_unit", "dispatch_level")
_NO_YEAR = '"?"  # no column of years: a cross-section; write its year, as 2015'
_NOT_COLUMNS = ("file", "sheet", "unit", "scale", "statistic", "value")
_HEAD = """\
# Guessed from the files by `evaluation new`. Every line that ends in a comment is a guess:
# mend it, then run `evaluation check {folder}`. All keys: docs/study.md of the package.
version: 1
name: {name}
title: {{en: {name}}}
source: {{publisher: {{en: "unknown: say who made these files"}}}}
programme: {{name: "the programme"}}
"""


def compose_study(folder: Path, parts: list[GuessedFile]) -> str:
    """Write the study.yml of a folder's files."""
    ledger = next((p for p in parts if _is_ledger(p)), None)
    rest = [p for p in parts if not _is_ledger(p)]
    indicators = next((p for p in rest if p.has("pillar", "indicator", "value")), None)
    rest = [p for p in rest if p is not indicators]
    keyed = [p for p in rest if {"code", "id", "name"} & p.roles.keys()]
    with_year = [p for p in keyed if p.has("year") or p.years] or keyed
    panel = max(with_year, key=lambda p: len(p.table.frame), default=None)
    if panel is None and ledger:
        raise DataError(
            f"{ledger.file} looks like a ledger, and no file like a panel of villages and "
            "years; give the file of the villages' incomes by year too."
        )
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
    used = (panel, ledger, projects, indicators)
    lost = [f"{p.file} {p.sheet}".strip() for p in parts if all(p is not u for u in used)]
    body += [f"# files not used: {_names(lost)}"] if lost else []
    if any(", unit: " in line for line in body):
        years = re.findall(r"# years \d+ to (\d+)", "\n".join(body))
        lines.append(
            f"prices: {{basis: nominal, base_year: {years[0] if years else 2020}}}"
            "  # nominal money, in prices of the last year; or basis: real\n"
        )
    return "\n".join([*lines, *body]) + "\n"


def _is_ledger(part: GuessedFile) -> bool:
    """Whether a file has money by source or by stage, and no earnings by year."""
    if part.has("year") and any(part.has(kind) for kind in EARNED):
        return False
    by_stage = part.has("amount", "stage", "year") and not part.has("project")
    return by_stage or part.has("source", "amount") or bool(find_staged(part.table))


def _panel_lines(part: GuessedFile) -> list[str]:
    lines = ["panel:", *_file_lines(part), f"  village: {_key(part)}"]
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
    elif part.years:
        span = f"years {part.years[0]} to {part.years[-1]}"
        lines.append(f"  # {span}: a column for each")
    else:
        lines.append(f"  year: {_NO_YEAR}")
    households = part.has("year") and not part.has("operating") and _repeats(part)
    kinds = [k for k in KINDS if part.has(k)]
    if households:
        lines += [
            "  # several rows for a village and year: households or persons?",
            "  aggregate:",
        ]
        if part.has("weights"):
            lines.append(f"    weights: {_quote(part.roles['weights'])}")
        outcome = f"{{column: {_quote(_outcome(part))}, statistic: mean}}"
        told = f"{_others(part, 'outcome')}; or median, total, share_below (with a line), gini"
        lines += ["    outcomes:", f"      outcome: {outcome}{told}"]
    elif {*kinds} & {*EARNED}:  # subsidies alone are no income
        lines.append("  income:")
        lines += [f"    {k}: {_column(part, part.roles[k])}{_others(part, k)}" for k in kinds]
    else:
        told = f"{_column(part, _outcome(part))}{_others(part, 'outcome')}"
        lines += ["  outcomes:", f"    outcome: {told}"]
    treatment = next((r for r in ("first_year", "treated", "date") if part.has(r)), None)
    if treatment:
        column = _quote(part.roles[treatment])
        lines.append(f"  treatment: {{{treatment}: {column}}}{_others(part, treatment)}")
    else:
        lines.append(
            "  # treatment: {first_year: ...}, {treated: ...} or {date: ...}: none was found"
        )
    for key, roles in (("covariates", COVARIATES), ("traits", TRAITS)):
        if found := [role for role in roles if part.has(role)]:
            lines.append(f"  {key}:")
            lines += [_line(part, role, indent=4) for role in found]
    if part.has("longitude", "latitude"):
        lon, lat = _quote(part.roles["longitude"]), _quote(part.roles["latitude"])
        lines.append(f"  coordinates: {{longitude: {lon}, latitude: {lat}}}")
    return lines + _unused_lines(part, lines)


def _ledger_lines(part: GuessedFile) -> list[str]:
    year = _quote(part.roles["year"]) if part.has("year") else _NO_YEAR
    lines = ["ledger:", *_file_lines(part), f"  village: {_key(part)}", f"  year: {year}"]
    staged = {} if part.has("source", "amount") else find_staged(part.table)
    if staged:
        stage, *others = staged
        left = [column for other in others for _, column in staged[other]]
        lines.append("  amounts:")
        lines += [
            f"    {source}: {_column(part, column, money=True)}  # a guess; each source once"
            for source, column in staged[stage]
            if source
        ]
        lines.append(f"  stage: {{value: {stage}}}  # a guess to be confirmed; columns of "
                     f"other stages: {_names(left) or 'none'}")  # fmt: skip
        return lines + _unused_lines(part, lines)
    amount = _column(part, part.roles["amount"], money=True)
    lines.append(f"  amount: {amount}{_others(part, 'amount')}")
    lines += [_line(part, r, indent=2) for r in ("source", "stage", "project") if part.has(r)]
    if not part.has("source"):
        lines.append("  source: {value: unknown}  # no column of sources: whose money was it?")
    if not part.has("stage"):
        told = "no column of stages: a guess to be confirmed; or committed, spent"
        lines.append(f"  stage: {{value: received}}  # {told}")
    lines.append("  # shared_by: equal  # how pooled money is shared out: or households")
    return lines + _unused_lines(part, lines)


def _unused_lines(part: GuessedFile, lines: list[str]) -> list[str]:
    used = _said(yaml.safe_load("\n".join(lines)))
    rest = [column for column in map(str, part.table.frame.columns) if column not in used]
    return [f"  # columns not used: {_names(rest)}"] if rest else []


def _said(given: object) -> list[str]:
    """Give the texts in a part of study.yml that can be columns."""
    if isinstance(given, dict):
        kept = (value for key, value in given.items() if key not in _NOT_COLUMNS)
        return [text for value in kept for text in _said(value)]
    return [given] if isinstance(given, str) else []


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
    roles = [r for r in KEYS if part.has(r) and not (r == "id" and part.has("code"))]
    inner = ", ".join(f"{role}: {_quote(part.roles[role])}" for role in roles)
    others = {role: _names(part.others.get(role, [])) for role in roles}
    told = "; ".join(f"{role} or: {names}" for role, names in others.items() if names)
    return f"{{{inner}}}" + (f"  # {told}" if told else "")


def _column(part: GuessedFile, column: str, *, money: bool = False) -> str:
    """Write a column with the unit and scale that its name or label gives."""
    label = part.table.labels.get(column, "")
    stem = plain_name(column)
    named = named_unit(column) or named_unit(column.partition("_")[0]) or named_unit(label)
    unit = named or _stated_unit(part)
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
    bare = re.search("收入|income", stem) and not log
    told = "  # no unit: taken as it stands; is it money?" if bare else ""
    return f"{{column: {_quote(column)}{scale}}}{told}"


def _unit_by_size(part: GuessedFile, column: str) -> tuple[str, str]:
    """Guess 万元 or 元 by the median: villages' money is rarely below 500 yuan."""
    if column not in part.table.frame:
        return "元", ": 元 or 万元?"
    known = read_numbers(part.table, column, Problems(), keep_hedged=True).values
    known = known[known > 0]
    if not len(known):
        return "元", ": 元 or 万元?"
    median = float(np.median(known))
    return ("万元" if median < 500 else "元"), f"; by the median, {median:,.4g}: 元 or 万元?"


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
    free = [str(c) for c in part.table.frame.columns if c not in part.roles.values()]
    free.sort(key=lambda column: "{year}" not in column)
    return next((c for c in free if is_number(part.table, c)), "?")


def _repeats(part: GuessedFile) -> bool:
    keys = part.columns((*KEYS, "year"))
    return bool(part.table.frame.duplicated(keys).mean() > 0.5)


def _quote(text: str) -> str:
    """Write a text as YAML reads it back, on one line, inside braces too."""
    if not text.isprintable():
        return json.dumps(text)
    listed = yaml.safe_dump([text], allow_unicode=True, width=10**6, default_flow_style=True)
    return str(listed).strip()[1:-1]


def _names(columns: Iterable[str]) -> str:
    """List columns in a comment, on one line."""
    return ", ".join(" ".join(column.split()) for column in columns)
