"""The measures that published figures allow, each with its definitions as formulas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.errors import DataError, suggest
from evaluation.language import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A measure, the unit that it is shown in, and its definitions as formulas.

    ``unit`` scales the value; ``reads`` says it in words. Label, definitions and words are
    said where they are shown.
    """

    name: str
    label: str
    unit: str
    reads: str
    definitions: dict[str, str]


_WAN = "万元"
_GAIN = "collective_income_gain_total"
_YEARLY_GAIN = f"{_GAIN} / programme_years"
_GAIN_STATED = "n_villages * collective_income_gain_per_village_year"
_BOTH = "(funds_social + funds_dispatching_unit)"


def _outside(money: str) -> str:
    """Divide by the uses what of some money may lie outside them."""
    return f"between(max({money} - funds_use, 0), {money}) / funds_use"


def _beside(money: str) -> str:
    """Divide some money by what of the uses may not be that money."""
    return f"{money} / between(max(funds_use - {money}, 0), funds_use)"


MEASURES = (
    Measure(
        name="level_per_village",
        label=mark("Collective income per village, taken as yearly"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("mean, from the text"): "collective_income_level_mean",
            mark("total / villages"): "collective_income_level_total / n_villages",
            mark("the smallest village, so at least this on average"): (
                "at_least(collective_income_level_min)"
            ),
        },
    ),
    Measure(
        name="level_total",
        label=mark("Collective income of all villages, taken as yearly"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("total, from the text"): "collective_income_level_total",
            mark("villages x mean"): "n_villages * collective_income_level_mean",
            mark("villages x smallest"): "n_villages * at_least(collective_income_level_min)",
        },
    ),
    Measure(
        name="gain_per_village",
        label=mark("Gain in collective income per village and year"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("stated for each village and year"): "collective_income_gain_per_village_year",
            mark("total / villages, if the total is a yearly amount"): f"{_GAIN} / n_villages",
            mark(
                "total / villages / years, if the total is the programme's sum (mean a year)"
            ): f"{_GAIN} / n_villages / programme_years",
        },
    ),
    Measure(
        name="gain_total",
        label=mark("Gain in collective income of all villages per year"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("total, from the text, if the total is a yearly amount"): _GAIN,
            mark("total / years, if the total is the programme's sum (mean a year)"): (
                _YEARLY_GAIN
            ),
            mark("villages x gain stated for each"): _GAIN_STATED,
        },
    ),
    Measure(
        name="funds",
        label=mark("Funds"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("project funds (uses)"): "funds_use",
            mark("fiscal"): "funds_fiscal",
            mark("dispatching units"): "funds_dispatching_unit",
            mark("social"): "funds_social",
            mark("raised (sources)"): "funds_sources",
            mark("all funds: uses and sources, which may overlap"): "funds_total",
        },
    ),
    Measure(
        name="funds_per_village",
        label=mark("Funds per village"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("project funds"): "funds_use / n_villages",
            mark("all funds"): "funds_total / n_villages",
        },
    ),
    Measure(
        name="gain_per_yuan",
        label=mark("Gain in collective income per yuan of funds"),
        unit="元",
        reads=mark("yuan a year per yuan"),
        definitions={
            mark("project funds, if the total is a yearly amount"): f"{_GAIN} / funds_use",
            mark("project funds, if the total is the programme's sum (mean a year)"): (
                f"{_YEARLY_GAIN} / funds_use"
            ),
            mark("project funds, villages x gain stated for each"): (
                f"{_GAIN_STATED} / funds_use"
            ),
            mark("funds raised, if the total is a yearly amount"): f"{_GAIN} / funds_sources",
            mark("funds raised, if the total is the programme's sum (mean a year)"): (
                f"{_YEARLY_GAIN} / funds_sources"
            ),
            mark("funds raised, villages x gain stated for each"): (
                f"{_GAIN_STATED} / funds_sources"
            ),
            mark("all funds, if the total is a yearly amount"): f"{_GAIN} / funds_total",
            mark("all funds, if the total is the programme's sum (mean a year)"): (
                f"{_YEARLY_GAIN} / funds_total"
            ),
            mark("all funds, villages x gain stated for each"): f"{_GAIN_STATED} / funds_total",
        },
    ),
    # Other money per yuan; uses may hold some of it, and nobody says how much.
    Measure(
        name="leverage",
        label=mark("Other money per yuan (recorded, not crowding-in)"),
        unit="元",
        reads=mark("yuan per yuan"),
        definitions={
            mark("social, per yuan of project funds, if nothing overlaps"): (
                "funds_social / funds_use"
            ),
            mark(
                "social outside the project funds, per yuan of them, whatever overlaps"
            ): _outside("funds_social"),
            mark("social, per yuan of project funds that are not, whatever overlaps"): _beside(
                "funds_social"
            ),
            mark("social, per fiscal yuan"): "funds_social / funds_fiscal",
            mark(
                "social and dispatching units, per yuan of project funds, if nothing overlaps"
            ): f"{_BOTH} / funds_use",
            mark(
                "social and dispatching units outside the project funds, per yuan of them, "
                "whatever overlaps"
            ): _outside(_BOTH),
            mark(
                "social and dispatching units, per yuan of project funds that are not, "
                "whatever overlaps"
            ): _beside(_BOTH),
            mark("social and dispatching units, per fiscal yuan"): f"{_BOTH} / funds_fiscal",
        },
    ),
    Measure(
        name="cost_per_job",
        label=mark("Funds per reported job (gross, head count)"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("project funds"): "funds_use / jobs",
            mark("all funds"): "funds_total / jobs",
        },
    ),
    Measure(
        name="funds_per_project",
        label=mark("Funds per industry project"),
        unit="万元",
        reads=_WAN,
        definitions={
            mark("project funds"): "funds_use / n_industry_projects",
            mark("project funds, if those pooled in towns or within villages are all"): (
                "funds_use / (n_projects_township_pooled + n_projects_in_village)"
            ),
            mark("all funds"): "funds_total / n_industry_projects",
        },
    ),
)
"""Every measure, by the definitions that published figures allow."""


def check_measures(names: Sequence[str]) -> None:
    """Raise a DataError if no measure has one of the names."""
    known = [measure.name for measure in MEASURES]
    for name in names:
        if name not in known:
            raise DataError(f"no measure {name!r}; {suggest(name, known)}")
