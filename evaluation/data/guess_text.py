"""The study.yml that guesses make: every guess in a line, with what else it could be."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
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
    find_wide,
    is_number,
    named_unit,
    plain_name,
    score_name,
    year_pattern,
    year_stem,
)
from evaluation.data.money import parse_money
from evaluation.data.problems import Problems
from evaluation.errors import DataError

COVARIATES = ("households", "poor_households", "population")
_NO_YEAR = "0  # no column of years: write the year that the rows are of"
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
    ledgers = [p for p in parts if _is_ledger(p)]
    ledger = ledgers[0] if ledgers else None
    rest = [p for p in parts if p not in ledgers]
    indicators = next((p for p in rest if p.has("pillar", "indicator", "value")), None)
    rest = [p for p in rest if p is not indicators]
    keyed = [p for p in rest if {"code", "id", "name"} & p.roles.keys()]
    with_year = [p for p in keyed if p.has("year") or find_wide(p.table)] or keyed
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
    if any(re.search(r"unit: ", line) for line in body):
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
    by_row = part.has("source", "amount") or part.has("amount", "stage", "year")
    return by_row and (part.has("source") or not part.has("project")) or _is_staged(part)


def _is_staged(part: GuessedFile) -> bool:
    return not part.has("source", "amount") and bool(find_staged(part.table))


def _panel_lines(part: GuessedFile) -> list[str]:
    lines = ["panel:", *_file_lines(part), f"  village: {_key(part)}"]
    by_year = {} if part.has("year") else find_wide(part.table)
    wide = _name_wide(by_year)
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
        years = [year for pattern in wide.values() for year in by_year[pattern]]
        lines.append(f"  # years {min(years)} to {max(years)}: a column for each")
    else:
        lines.append(f"  year: {_NO_YEAR.replace(':', ': a cross-section;')}")
    households = part.has("year") and not part.has("operating") and _repeats(part)
    kinds = [k for k in KINDS if k in (wide or part.roles)]
    kinds = kinds if {*kinds} & {*EARNED} else []  # subsidies alone are no income
    if households:
        lines += [
            "  # several rows for a village and year: households or persons?",
            "  aggregate:",
        ]
        if part.has("weights"):
            lines.append(f"    weights: {_quote(part.roles['weights'])}")
        lines.append("    outcomes:")
        lines.append(f"      outcome: {{column: {_quote(_outcome(part))}, statistic: mean}}"
                     f"{_others(part, 'outcome')}; or median, total, share_below (with a line), "
                     "gini")  # fmt: skip
    elif kinds:
        lines.append("  income:")
        for kind in kinds:
            column = wide.get(kind) or part.roles[kind]
            lines.append(f"    {kind}: {_column(part, column)}{_others(part, kind)}")
    else:
        column = next(iter(wide.values()), "") or _outcome(part)
        lines.append("  outcomes:")
        lines.append(f"    outcome: {_column(part, column)}{_others(part, 'outcome')}")
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
    return lines + _unused_lines(part, lines, by_year)


def _ledger_lines(part: GuessedFile) -> list[str]:
    year = _quote(part.roles["year"]) if part.has("year") else _NO_YEAR
    lines = ["ledger:", *_file_lines(part), f"  village: {_key(part)}", f"  year: {year}"]
    if _is_staged(part):
        return [*lines, *_amounts_lines(part, lines)]
    lines.append(f"  amount: {_column(part, part.roles['amount'], money=True)}"
                 f"{_others(part, 'amount')}")  # fmt: skip
    lines += [_line(part, r, indent=2) for r in ("source", "stage", "project") if part.has(r)]
    if not part.has("source"):
        lines.append("  source: {value: unknown}  # no column of sources: whose money was it?")
    if not part.has("stage"):
        lines.append("  stage: {value: received}  # no column of stages: a guess to be "
                     "confirmed; or committed, spent")  # fmt: skip
    lines.append("  # shared_by: equal  # how pooled money is shared out: or households")
    return lines + _unused_lines(part, lines)


def _amounts_lines(part: GuessedFile, above: list[str]) -> list[str]:
    """Write the first stage that has sources; a source twice, to be added up, fails to load."""
    staged = find_staged(part.table)
    stage = next(s for s, pairs in staged.items() if len([1 for own, _ in pairs if own]) > 1)
    lines = ["  amounts:"]
    for source, column in staged.pop(stage):
        lines += [f"    {source}: {_column(part, column, money=True)}  # a guess; each source "
                  "once: add columns of one source up"] if source else []  # fmt: skip
    lines.append(f"  stage: {{value: {stage}}}  # a guess to be confirmed, by the names above")
    if left := [column for pairs in staged.values() for _, column in pairs]:
        lines.append(f"  # columns of other stages, left out: {_names(left)}")
    return lines + _unused_lines(part, [*above, *lines], left=left)


def _unused_lines(
    part: GuessedFile,
    lines: list[str],
    by_year: Collection[str] = (),
    left: Collection[str] = (),
) -> list[str]:
    """List the columns that the lines of study.yml do not name, once for all years."""
    used = {*_said(yaml.safe_load("\n".join(lines))), *left}
    rest = [c for c in map(str, part.table.frame.columns) if c not in used]
    rest = [p if (p := year_pattern(c)) in by_year else c for c in rest]
    rest = [c for c in dict.fromkeys(rest) if c not in used]
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
    stem = plain_name(column.replace("{year}", ""))
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
    return f"{{column: {_quote(column)}{scale}}}"


def _unit_by_size(part: GuessedFile, column: str) -> tuple[str, str]:
    """Guess 万元 or 元 by the median: villages' money is rarely below 500 yuan."""
    frame = part.table.frame
    columns = [c for c in map(str, frame.columns) if c == column or year_pattern(c) == column]
    values = [read_numbers(part.table, c, Problems(), keep_hedged=True).values for c in columns]
    known = np.concatenate(values) if values else np.array([])
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
    used = set(part.roles.values())
    free = (str(c) for c in part.table.frame.columns if c not in used)
    return next((c for c in free if is_number(part.table, c)), "?")


def _repeats(part: GuessedFile) -> bool:
    keys = part.columns((*KEYS, "year"))
    return bool(part.table.frame.duplicated(keys).mean() > 0.5)


def _name_wide(by_year: Iterable[str]) -> dict[str, str]:
    """Give names with {year} by kind of income; or else one, per head at best, as outcome."""
    found: dict[str, str] = {}
    for pattern in by_year:
        for kind in (*KINDS, "outcome"):
            if score_name(year_stem(pattern), kind):
                found.setdefault(kind, pattern)
                break
    return found or {"outcome": pattern for pattern in [*by_year][:1]}


def _quote(text: str) -> str:
    """Write a text as YAML reads it back, on one line, inside braces too."""
    if not text.isprintable():
        return json.dumps(text)
    listed = yaml.safe_dump([text], allow_unicode=True, width=10**6, default_flow_style=True)
    return str(listed).strip()[1:-1]


def _names(columns: list[str]) -> str:
    """List columns in a comment, on one line."""
    return ", ".join(" ".join(column.split()) for column in columns)
