"""A study's drivers of gains as exhibits share them: its traits, and what they go with."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.load import StudyData
from evaluation.display import ShowsSummary
from evaluation.effects.drivers import Drivers, regress_drivers
from evaluation.effects.regressors import baseline_traits
from evaluation.efficiency.spending import main_types, match_spending
from evaluation.errors import DesignError
from evaluation.gains.result import IncomeGains
from evaluation.language import choose, mark, say
from evaluation.report.data.ledger_plots import choose_stage, role_of
from evaluation.report.gains.study import StudyGains, name_counties
from evaluation.report.village_words import Shown, show_variable
from evaluation.report.words import PILLARS

_ENOUGH_YEARS = 3  # untreated ones, for one of them to be held out
_NOT_HELD_OUT = mark(
    "The outcome before the programme is no trait: with fewer than {n} years before, it is in "
    "the gains' own error, and would seem to lower them."
)
_NAMES = {
    "county": mark("County"),
    "town": mark("Town"),
    "cohort": mark("First treated year"),
    "dispatch_level": mark("Level of the dispatching unit"),
    "dispatching_unit": mark("Dispatching unit"),
    "project_type": mark("Main type of project"),
}


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyDrivers(ShowsSummary):
    """Which of a study's villages gained.

    Attributes
    ----------
    found
        The gains that were regressed: those with year effects by county where the others have
        no interval.
    drivers
        The regressions.
    labels, units
        What each trait is called, and how numbers are shown.
    during
        Traits that are part of the programme, and so no baseline.
    why_not_held_out
        Why the outcome before the programme is not among the traits.
    """

    found: IncomeGains
    drivers: Drivers
    labels: Mapping[str, str]
    units: Mapping[str, Shown]
    during: tuple[str, ...]
    why_not_held_out: str = ""

    def summary(self) -> str:
        """Say what goes with the gains."""
        return self.drivers.summary()


def estimate_study_drivers(gains: StudyGains) -> StudyDrivers:
    """Regress a study's gains on what it knows of villages, as `regress_drivers` does.

    Parameters
    ----------
    gains
        As `estimate_study_gains` gives them, with gains.

    Raises
    ------
    DesignError
        If the study knows no trait of its villages.
    """
    found = choose_gains(gains)
    traits, labels, units = collect_traits(gains.study_data, found)
    gained = found.villages[found.villages["gain"].notna()]
    n_years, why = 1, ""
    if gained["n_untreated"].median() < _ENOUGH_YEARS:
        n_years, why = 0, say(_NOT_HELD_OUT, n=_ENOUGH_YEARS)
    outcome = found.panel.variables[found.panel.outcome].label
    drivers = regress_drivers(found, traits, hold_out_years=n_years)
    for name in dict.fromkeys(drivers.tests["trait"]):
        if n_years and name not in labels and name != "all":
            labels[name] = say(
                "{outcome} in {year}",
                outcome=f"{outcome[:1].upper()}{outcome[1:]}", year=drivers.held_out[0],
            )  # fmt: skip
            units[name] = gains.shown
    if drivers.tests.empty:
        raise DesignError(say("the study knows of no trait by which its villages differ."))
    return StudyDrivers(
        found=found, drivers=drivers, labels=labels, units=units, why_not_held_out=why,
        during=tuple(name for name in ("project_type",) if name in traits),
    )  # fmt: skip


def choose_gains(gains: StudyGains) -> IncomeGains:
    """Give the main gains, or those by county where only these have intervals."""
    main, within = gains.found, gains.within
    if within is None or np.isfinite(main.att["conf_low"]):
        return main
    return within if np.isfinite(within.att["conf_low"]) else main


def collect_traits(
    study_data: StudyData, found: IncomeGains
) -> tuple[pd.DataFrame, dict[str, str], dict[str, Shown]]:
    """Give what a study knows of its villages, what traits are called, how they are shown.

    Covariates before the programme, first treated year, county, the panel's traits, indicators
    before the programme and the type of project that took most money; the ones with most groups
    last.
    """
    panel = found.panel
    covariates = [name for name, v in panel.variables.items() if v.role == "covariate"]
    frame = baseline_traits(found, [*covariates, "cohort", "county", *panel.traits])
    labels = {name: label_trait(found, name) for name in map(str, frame)}
    units = {name: show_variable(panel, panel.variables[name]) for name in covariates}
    if study_data.indicators is not None:
        early, told = _first_indicators(study_data.indicators, panel.villages["cohort"])
        frame = frame.join(early)
        labels |= {name: label for name, (label, _) in told.items()}
        units |= {n: Shown(divisor=1, unit=unit, axis=unit) for n, (_, unit) in told.items()}
    if study_data.ledger is not None:
        with suppress(DesignError):  # no money of a project whose type is known
            frame["project_type"] = name_types(study_data, study_data.ledger, found)
            labels["project_type"] = label_trait(found, "project_type")
    sizes = frame.loc[found.villages.index].select_dtypes(exclude="number").nunique()
    words = list(sizes.sort_values(kind="stable").index)
    return frame[[name for name in frame if name not in sizes] + words], labels, units


def choose_groups(found: IncomeGains) -> tuple[str, str]:
    """Choose by what villages are grouped where nobody says: a trait, county, or cohort.

    Returns
    -------
    The name, and a sentence why it is no trait; '' where it is one.
    """
    if found.panel.traits:
        return found.panel.traits[0], ""
    if found.panel.villages["county"].nunique() > 1:
        return "county", say("By county, as the study names no trait of its villages.")
    told = say("By first treated year, as the study names no trait of its villages.")
    return "cohort", told


def find_groups(gains: StudyGains, found: IncomeGains, by: str) -> pd.Series[str]:
    """Give each village's group: of a trait of the panel, a place, a cohort, a type of project.

    Raises
    ------
    DesignError
        If there is none such.
    """
    if by != "project_type":
        groups = baseline_traits(found, [by])[by]
        if by == "county":
            names = name_counties(gains.study_data.study, pd.Index(groups))
            return pd.Series(names, index=groups.index, name=by)
        return groups
    if gains.study_data.ledger is None:
        raise DesignError(say("this study has no funding ledger that types of project are in."))
    return name_types(gains.study_data, gains.study_data.ledger, found)


def name_types(
    study_data: StudyData, ledger: FundingLedger, found: IncomeGains
) -> pd.Series[str]:
    """Name the type of project that took over half of each village's money."""
    stage = choose_stage(study_data, "furthest")
    spending = match_spending(found.panel, ledger, stage=stage, role=role_of(ledger))
    return main_types(spending, study_data.projects)


def label_trait(found: IncomeGains, name: str) -> str:
    """Say what a trait is called."""
    if name in found.panel.variables:
        variable = found.panel.variables[name]
        return variable.label.replace("_", " ").capitalize()
    return say(_NAMES[name]) if name in _NAMES else name.replace("_", " ").capitalize()


def _first_indicators(
    indicators: pd.DataFrame, cohort: pd.Series[float]
) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """Give each indicator's first known value from before the programme; its label and unit."""
    known = indicators.dropna(subset="value").sort_values("year", kind="stable")
    known = known[known["year"] < known["village"].map(cohort)]
    pillar = known["pillar"].str.replace("_", " ")
    known = known.assign(name=known["indicator"] + " (" + pillar + ")")
    wide = known.pivot_table(
        index="village", columns="name", values="value", aggfunc="first", sort=False
    )
    wide.columns.name = None
    told = {}
    for row in known.drop_duplicates("name", keep="last").to_dict("records"):
        what = say(PILLARS.get(row["pillar"], row["pillar"]))
        label = choose(row["name"], say("{name} ({what})", name=row["indicator"], what=what))
        told[row["name"]] = label, str(row["unit"])
    return wide, told
