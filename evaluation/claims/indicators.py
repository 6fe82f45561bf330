"""The dictionary of indicators: what each is called, and which are money."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from evaluation.claims.formula import FUNCTIONS
from evaluation.data.study_files import Text
from evaluation.data.tables import read_table
from evaluation.errors import raise_problems, suggest
from evaluation.language import mark

FUNDS = {
    "funds_fiscal": mark("fiscal funds"),
    "funds_dispatching_unit": mark("dispatching units' funds"),
    "funds_social": mark("social funds"),
    "funds_credit": mark("credit"),
    "funds_own": mark("villages' own funds"),
    "funds_use": mark("project funds (uses)"),
    "funds_sources": mark("funds raised (sources)"),
    "funds_total": mark("all funds"),
}
"""Sums of a county's money: by source, all uses, all sources, and in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """What an indicator is called, and the part it plays in the money's arithmetic."""

    name: str
    label: Text
    money: str = ""  # "use", "source" or ""
    source: str = ""  # fiscal, dispatching_unit, social, credit, own or ""

    @property
    def is_money(self) -> bool:
        """Whether its figures are amounts of money."""
        return bool(self.money) or self.name.startswith("collective_income_")


STANDARD_INDICATORS = {
    name: Indicator(name=name, label=Text(en=english, zh=chinese))
    for name, english, chinese in (
        ("n_villages", "Number of villages", "村数"),
        ("programme_years", "Years of the programme", "帮扶年数"),
        (
            "collective_income_level_mean",
            "Mean collective income per village",
            "村集体收入平均",
        ),
        (
            "collective_income_level_total",
            "Collective income of all villages",
            "村集体收入合计",
        ),
        ("collective_income_level_min", "Collective income of every village", "各村集体收入"),
        ("collective_income_gain_total", "Gain of all villages", "村集体增收合计"),
        ("collective_income_gain_per_village_year", "Gain per village and year", "每村年增收"),
        ("jobs", "Jobs", "带动就业"),
        ("n_industry_projects", "Industry projects", "产业项目"),
        ("n_projects_township_pooled", "Projects pooled in towns", "镇域联建项目"),
        ("n_projects_in_village", "Projects within single villages", "村内项目"),
    )
}
"""What measures are made of; a study's indicators.csv may call them otherwise."""


def read_indicators(path: Path) -> dict[str, Indicator]:
    """Read an indicators.csv over the standard indicators.

    Raises
    ------
    DataError
        If a column is missing, a value is not known or an indicator is given twice.
    """
    rows = read_table(path).select(
        required=["indicator", "label_en", "label_zh"], optional=["money", "source"]
    )
    allowed = {
        "money": ["", "use", "source"],
        "source": ["", "fiscal", "dispatching_unit", "social", "credit", "own"],
    }
    problems = [
        f"line {line}: {column} {cell!r} is not known; {suggest(cell, values[1:])}"
        for column, values in allowed.items()
        for line, cell in rows[column].items()
        if cell not in values
    ]
    for line, row in rows.iterrows():
        name = row["indicator"]
        if not re.fullmatch("[a-z_][a-z0-9_]*", name) or name in (*FUNDS, *FUNCTIONS):
            problems.append(
                f"line {line}: {name!r} cannot name an indicator; write small letters, digits "
                "and _, and no name of a sum or function."
            )
        if not row["label_en"]:
            problems.append(f"line {line}: {name} has no label_en; say what a reader sees.")
        if row["source"] and not row["money"]:
            problems.append(f"line {line}: {name} has a source but is no money; fill in money.")
    doubled = rows["indicator"][rows["indicator"].duplicated()]
    problems += [f"line {line}: a second row for {name!r}." for line, name in doubled.items()]
    raise_problems(path.name, problems)
    return STANDARD_INDICATORS | {
        row["indicator"]: Indicator(
            name=row["indicator"],
            label=Text(en=row["label_en"], zh=row["label_zh"]),
            money=row["money"],
            source=row["source"],
        )
        for row in rows.to_dict("records")
    }
