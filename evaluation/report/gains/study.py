"""A study's income gains as exhibits share them, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.data.study import Study
from evaluation.display import ShowsSummary
from evaluation.errors import DesignError, ReportError, suggest
from evaluation.gains.estimate import NoGainsError, estimate_gains
from evaluation.gains.options import Cluster, Comparison, YearEffects
from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import name_unit
from evaluation.gains.shrinkage import SPARE_VILLAGES, ShrunkenGains
from evaluation.language import choose, mark, say, say_count
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.gains.words import show_share
from evaluation.report.village_words import (
    Shown,
    drawable,
    name_prices,
    panel_of,
    show_variable,
)

_NO_PANEL = mark("This study has no panel.")
_NOBODY = mark("No village of the panel is treated.")
_NOT_SHRUNKEN = mark(
    "There are no shrunken gains: the table of how gains were estimated says why."
)
_NOTHING_BESIDE = mark(
    "In no year is there an untreated village whose change can be compared: there are no "
    "gains to estimate."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyGains(ShowsSummary):
    """A study's gains.

    Attributes
    ----------
    study_data
        The study.
    main
        The gains; None with the ``reason``.
    within
        The same with year effects by county, where ``main`` has common ones and every treated
        village keeps its gain; None with ``why_not_within``.
    shrunken
        The gains after shrinkage; None with ``why_not_shrunken``.
    """

    study_data: StudyData
    main: IncomeGains | None = None
    within: IncomeGains | None = None
    shrunken: ShrunkenGains | None = None
    reason: str = ""
    why_not_within: str = ""
    why_not_shrunken: str = ""

    def summary(self) -> str:
        """Say what the gains are, or why there are none."""
        return self.main.summary() if self.main else self.reason

    @property
    def found(self) -> IncomeGains:
        """The gains, which an exhibit needs."""
        if self.main is None:
            raise ReportError(self.reason)
        return self.main

    @property
    def panel(self) -> VillagePanel:
        """The panel that they were estimated from."""
        return panel_of(self.study_data)

    @property
    def shown(self) -> Shown:
        """How gains are shown."""
        panel, unit = self.panel, name_unit(self.panel)
        if panel.analysis.form == "level":
            return show_variable(panel, panel.variables[panel.outcome])
        if panel.price_year:
            prices = say("prices of {year}", year=panel.price_year)
            unit = say("{unit}, {prices}", unit=unit, prices=prices)
        axis = drawable(unit, plots.inscribe("the outcome"))
        return Shown(divisor=1, unit=unit, axis=axis)

    @property
    def level(self) -> str:
        """The nominal coverage of intervals: "95%"."""
        return show_share(1 - self.found.options.alpha)

    @property
    def prices(self) -> str:
        """How money was deflated; '' where the outcome is none."""
        unit = self.panel.variables[self.panel.outcome].unit
        money = "yuan" in unit or unit == "CNY"
        return name_prices(self.study_data.study, brief=True) if money else ""

    def villages(self) -> pd.DataFrame:
        """Give the treated villages with raw and shrunken gains as they are shown.

        Returns
        -------
        The columns of `IncomeGains.villages`, and shrunken, shrunken_sd, shrunken_low and
        shrunken_high; money and its spread divided as `shown` says.
        """
        frame = self.found.to_frame()
        names = dict(zip(_POSTERIOR, _SHRUNKEN, strict=True))
        if self.shrunken is None:
            frame[list(_SHRUNKEN)] = np.nan
        else:
            frame = frame.join(self.shrunken.villages[list(_POSTERIOR)].rename(columns=names))
        scaled = ["gain", "conf_low", "conf_high", "spread", *_SHRUNKEN]
        frame[scaled] /= self.shown.divisor
        frame["reason"] = frame["reason"].astype(str)
        return frame


_POSTERIOR = ("posterior_mean", "posterior_sd", "conf_low", "conf_high")
_SHRUNKEN = ("shrunken", "shrunken_sd", "shrunken_low", "shrunken_high")


def estimate_study_gains(
    study_data: StudyData,
    *,
    comparison: Comparison = "not_yet_treated",
    covariates: str = "",
    anticipation: int = 0,
    alpha: float = 0.05,
    year_effects: YearEffects = "common",
    trends: bool = False,
    cluster: Cluster | Literal[""] = "",
) -> StudyGains:
    """Estimate a study's gains as `estimate_gains` does, once more by county, and shrunken.

    Parameters
    ----------
    study_data
        The study; villages count by the weights that it names.
    covariates
        Names in the panel, parted by commas; no income, as it has the outcome in it.

    Returns
    -------
    StudyGains, which has the reason where the study has no comparison villages, or the options
    leave no village a gain.
    """
    panel = study_data.panel
    if panel is None or not panel.has_comparison:
        reason = _NO_PANEL if panel is None else _NOTHING_BESIDE
        nobody = panel is not None and not panel.is_treated.any()
        return StudyGains(study_data=study_data, reason=say(_NOBODY if nobody else reason))
    names = _read_covariates(panel, covariates)

    def estimate(effects: YearEffects) -> IncomeGains:
        return estimate_gains(
            panel, comparison=comparison, covariates=names, anticipation=anticipation,
            weights=panel.weights, alpha=alpha, year_effects=effects, trends=trends,
            cluster=cluster or None,
        )  # fmt: skip

    try:
        main = estimate(year_effects)
    except NoGainsError as error:
        reason = str(error)
        return StudyGains(study_data=study_data, reason=reason[0].upper() + reason[1:])
    within, why_not = None, ""
    if year_effects == "common" and panel.villages["county"].nunique() > 1:
        within, why_not = _estimate_within(main, estimate)
    shrunken, why_not_shrunken = None, ""
    try:
        shrunken = main.shrink(precision=True)
    except DesignError as error:
        why_not_shrunken = _why_not_shrunken(main, error)
    return StudyGains(
        study_data=study_data, main=main, within=within, shrunken=shrunken,
        why_not_within=why_not, why_not_shrunken=why_not_shrunken,
    )  # fmt: skip


def _read_covariates(panel: VillagePanel, text: str) -> tuple[str, ...]:
    """Split the parameter's text, and refuse what cannot be a covariate of the outcome."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    known = [name for name, variable in panel.variables.items() if variable.role == "covariate"]
    for name in names:
        if name not in panel.variables:
            offer = suggest(name, known) if known else "the study names none."
            raise DesignError(f"covariates: the panel has no covariate {name!r}; {offer}")
        if panel.variables[name].role == "income":
            raise DesignError(
                f"covariates: {name!r} is a kind or sum of incomes, which the programme moves "
                "with the outcome: it would take gains out. Leave it out."
            )
    return names


def _estimate_within(
    main: IncomeGains, estimate: Callable[[YearEffects], IncomeGains]
) -> tuple[IncomeGains | None, str]:
    """Estimate with year effects by county, if every village keeps its gain."""
    n_lost, within = int(main.villages["gain"].notna().sum()), None
    with suppress(NoGainsError):
        within = estimate("county")
        lost = main.villages["gain"].notna() & within.villages["gain"].isna()
        n_lost = int(lost.sum())
    if not n_lost:
        return within, ""
    return None, say(
        "With year effects by county {n:,} of the treated villages have no village to be "
        "compared with, so that gains are not given that way.",
        n=n_lost,
    )


def _why_not_shrunken(main: IncomeGains, error: DesignError) -> str:
    count, needed = int(main.villages["variance"].notna().sum()), SPARE_VILLAGES + 2
    if count >= needed:
        return str(error)
    return say_count(
        "shrinkage needs {needed} villages with an interval, {n} has one",
        "shrinkage needs {needed} villages with an interval, {n} have one",
        count, needed=needed,
    )  # fmt: skip


def needs_gains(name: str, caption: str, *, shrunken: bool = False) -> NeedsFound:
    """Make an exhibit say why there are no gains, or none after shrinkage, where it is so."""

    def reason_of(gains: StudyGains) -> str:
        lacking = shrunken and gains.shrunken is None
        return gains.reason or (say(_NOT_SHRUNKEN) if lacking else "")

    return NeedsFound(name, caption, reason_of, errors=())


def name_counties(study: Study, names: pd.Index[Any]) -> list[str]:
    """Name counties, in English in both languages; numbers as "county 12"."""
    known = {
        key: choose(f"{area.name} {area.zh if area.zh != area.name else ''}".strip(), area.zh)
        for area in study.counties
        for key in (area.name, area.zh)
    }
    return [
        known.get(
            str(name), say("county {name}", name=name) if str(name).isdigit() else str(name)
        )
        or say("no county")
        for name in names
    ]


def name_with_all(study: Study, names: pd.Index[Any]) -> tuple[list[str], slice]:
    """Name counties, and all of them together after them; and say which of these rows to show.

    All of a report on one county is that county: it stands once, under its own name.
    """
    if study.county is None:
        return [*name_counties(study, names), say("all")], slice(None)
    return name_counties(study, pd.Index([study.county.name])), slice(-1, None)


def name_village(frame: pd.DataFrame) -> list[str]:
    """Name villages: by name where there is one, else by key."""
    return [str(name or key) for key, name in zip(frame.index, frame["name"], strict=True)]
