"""A study's income gains as exhibits share them, or why there are none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, Literal, ParamSpec

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.data.study import Study
from evaluation.errors import DesignError, ReportError
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.options import Cluster, Comparison, YearEffects
from evaluation.gains.result import IncomeGains
from evaluation.gains.shrinkage import ShrunkenGains
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    Shown,
    absent,
    drawable,
    name_prices,
    panel_of,
    show_number,
    show_variable,
)

Options = ParamSpec("Options")

_NO_PANEL = "This study has no panel."
_NOBODY = "No village of the panel is treated."
_NOTHING_BESIDE = (
    "In no year is there an untreated village whose change can be compared: there are no "
    "gains to estimate."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyGains:
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
        panel, unit = self.panel, self.found.unit
        if panel.analysis.form == "level":
            return show_variable(panel, panel.variables[panel.outcome])
        prices = f", prices of {panel.price_year}" if panel.price_year else ""
        return Shown(divisor=1, unit=unit + prices, axis=drawable(unit + prices, "the outcome"))

    @property
    def level(self) -> str:
        """The nominal coverage of intervals: "95%"."""
        return show_share(1 - self.found.options.alpha)

    @property
    def prices(self) -> str:
        """How money was deflated; '' where the outcome is none."""
        money = "yuan" in self.found.unit or "万元" in self.shown.unit
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
        Names in the panel, parted by commas.

    Returns
    -------
    StudyGains, which has the reason where the study has no comparison villages.
    """
    panel = study_data.panel
    if panel is None or not panel.has_comparison:
        reason = _NO_PANEL if panel is None else _NOTHING_BESIDE
        nobody = panel is not None and not panel.is_treated.any()
        return StudyGains(study_data=study_data, reason=_NOBODY if nobody else reason)
    names = tuple(name.strip() for name in covariates.split(",") if name.strip())

    def estimate(effects: YearEffects) -> IncomeGains:
        return estimate_gains(
            panel, comparison=comparison, covariates=names, anticipation=anticipation,
            weights=panel.weights, alpha=alpha, year_effects=effects, trends=trends,
            cluster=cluster or None,
        )  # fmt: skip

    main, within, why_not = estimate(year_effects), None, ""
    if year_effects == "common" and panel.villages["county"].nunique() > 1:
        within = estimate("county")
        lost = main.villages["gain"].notna() & within.villages["gain"].isna()
        if lost.any():
            why_not = (
                f"With year effects by county {int(lost.sum()):,} of the treated villages have "
                "no village to be compared with, so that gains are not given that way."
            )
            within = None
    shrunken, why_not_shrunken = None, ""
    try:
        shrunken = main.shrink(precision=True)
    except DesignError as error:
        why_not_shrunken = str(error)
    return StudyGains(
        study_data=study_data, main=main, within=within, shrunken=shrunken,
        why_not_within=why_not, why_not_shrunken=why_not_shrunken,
    )  # fmt: skip


def needs_gains(
    name: str, caption: str, *, shrunken: bool = False
) -> Callable[
    [Callable[Concatenate[StudyGains, Options], Exhibit]],
    Callable[Concatenate[StudyGains, Options], Exhibit],
]:
    """Make an exhibit say why there are no gains, or none after shrinkage, where it is so."""

    def decorate(
        make: Callable[Concatenate[StudyGains, Options], Exhibit],
    ) -> Callable[Concatenate[StudyGains, Options], Exhibit]:
        @wraps(make)
        def exhibit(
            gains: StudyGains, /, *args: Options.args, **options: Options.kwargs
        ) -> Exhibit:
            if gains.main is None:
                return absent(gains.study_data, name, caption, gains.reason)
            if shrunken and gains.shrunken is None:
                reason = f"Gains cannot be shrunken: {gains.why_not_shrunken}"
                return absent(gains.study_data, name, caption, reason)
            return make(gains, *args, **options)

        return exhibit

    return decorate


def name_counties(study: Study, names: pd.Index[Any]) -> list[str]:
    """Name counties in both languages, as far as the study does; numbers as "county 12"."""
    known = {
        key: f"{area.name} {area.zh if area.zh != area.name else ''}".strip()
        for area in study.counties
        for key in (area.name, area.zh)
    }
    return [
        known.get(str(name), f"county {name}" if str(name).isdigit() else str(name))
        or "no county"
        for name in names
    ]


def name_village(frame: pd.DataFrame) -> list[str]:
    """Name villages: by name where there is one, else by key."""
    return [str(name or key) for key, name in zip(frame.index, frame["name"], strict=True)]


def show_share(share: float) -> str:
    """Print a share as per cent: 95%, 0.5%."""
    return f"{round(100 * share, 6):g}%"


def show_p(p: float) -> str:
    """Print a p-value with three digits, a smaller one as < .001."""
    return "" if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0")


def show_interval(low: float, high: float) -> str:
    """Print an interval; '' where there is none."""
    return "" if np.isnan(low) else f"{show_number(low)} to {show_number(high)}"


def interval_cells(frame: pd.DataFrame, divisor: float) -> tuple[list[Markup], str]:
    """Give averages' intervals as cells, and a reason that all without one share."""
    reasons = frame.loc[frame["conf_low"].isna(), "reason"].astype(str).unique()
    shared = str(reasons[0]) if len(reasons) == 1 and len(frame) > 1 else ""
    cells = []
    for row in frame.to_dict("records"):
        gap = "none" if shared else f"none: {row['reason']}"
        cells.append(
            Markup('<span class="gap">{}</span>').format(gap)
            if np.isnan(row["conf_low"])
            else Markup('<span class="number">{}</span>').format(
                show_interval(row["conf_low"] / divisor, row["conf_high"] / divisor)
            )
        )
    return cells, shared


def interval_words(row: dict[str, Any] | pd.Series[Any], divisor: float, level: str) -> str:
    """Say an average's interval and its method, or why there is none."""
    if np.isnan(row["conf_low"]):
        return f"no interval: {row['reason']}"
    words = show_interval(row["conf_low"] / divisor, row["conf_high"] / divisor)
    return f"{level} interval {words}, {row['method']}, {row['n_clusters']:,.0f} clusters"
