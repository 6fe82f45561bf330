"""IncomeGains: what the estimate of villages' gains gives, and what can be asked of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.gains.averages import (
    average_gains,
    average_points,
    count_averaged,
    finish_averages,
)
from evaluation.gains.design import cluster_level, place_codes
from evaluation.gains.event_study import choose_leads, estimate_leads
from evaluation.gains.grouping import By, group_cells
from evaluation.gains.imputation import Counterfactual
from evaluation.gains.moments import Floats
from evaluation.gains.options import Cluster, GainOptions
from evaluation.gains.places import (
    PLURALS,
    PlaceShocks,
    drawn_interval,
    find_shocks,
    place_intervals,
)
from evaluation.gains.scale import retransformation
from evaluation.gains.shrinkage import ShrunkenGains, shrink_gains
from evaluation.gains.targets import Codes, TreatedCells, find_targets

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class IncomeGains(ShowsSummary):
    """Gains of treated villages, with how they were estimated.

    Attributes
    ----------
    panel, options
        What they were estimated from, and how.
    villages
        One row a treated village, index "village": what the panel knows of it, and gain (mean
        of tau_it over its treated years, in `unit`), gain_yuan (the same in yuan, or in levels
        where the outcome is no money), conf_low and conf_high (of the gain), p_value
        (of no gain, from placebos), spread (sd over the untreated years), variance
        (mean-unbiased, of the gain), n_untreated and n_treated (years used), n_placebos,
        untreated_years, treated_years, and the reason where gain or interval is NaN.
    fit
        The counterfactual of all villages.
    cells
        The treated cells that have a gain.
    yuan
        n x T: their gains in yuan, NaN in other cells.
    unit
        Of gains: "yuan", "log of yuan".
    n_zeros_left_out, n_cells_left_out
        Village-years with an outcome that were left out because it is zero and has no
        logarithm; because a covariate is unknown.
    """

    panel: VillagePanel
    options: GainOptions
    villages: pd.DataFrame
    fit: Counterfactual = field(repr=False)
    cells: TreatedCells = field(repr=False)
    yuan: Floats = field(repr=False)
    unit: str
    n_zeros_left_out: int
    n_cells_left_out: int

    @property
    def att(self) -> pd.Series[Any]:
        """The mean gain over all treated village-years, as a row of `by`."""
        return self.by("programme").iloc[0]

    @property
    def cluster(self) -> Cluster:
        """The level that errors of averages are clustered at; by town within counties."""
        level = cluster_level(self.panel, self.options.cluster)
        if level == "county" and self.options.year_effects == "county":
            return self._level_within()
        return level

    def by(self, by: By | pd.Series[Any] = "programme") -> pd.DataFrame:
        """Average gains over village-years, each by its village's weight.

        Parameters
        ----------
        by
            programme, county, town, cohort, year, event_time; or a Series with a label for
            each village (dispatching units, say), missing for those that have none.

        Returns
        -------
        DataFrame indexed by what was averaged over: estimate, se, conf_low, conf_high, p_value,
        n_villages, n_cells, n_clusters, method (of the interval), reason (why there is none).

        Raises
        ------
        DesignError
            If ``by`` is no such word, or labels villages that have no gain.
        """
        codes, index = group_cells(by, self.cells, self.panel)
        place = isinstance(by, str) and by in PLURALS
        common = self.options.year_effects == "common"
        if place and common:
            level: Cluster = "town" if str(by) == "town" else "county"
            frame = self._by_place(level, codes, len(index))
        else:
            level = self._level_within() if place else self.cluster
            frame = average_gains(
                self.fit,
                self.cells,
                codes,
                list(range(len(index))),
                clusters=place_codes(self.panel, level),
                nested=isinstance(by, str) and not place,
                alpha=self.options.alpha,
            )
            if level in PLURALS and common:
                self._draw_placebos(frame, codes, level)
        return finish_averages(frame, index, rounding=self.fit.design.rounding)

    def event_study(self, *, leads: int | None = None) -> pd.DataFrame:
        """Give mean gains by years since treatment, and pre-period coefficients.

        Parameters
        ----------
        leads
            How many event times before treatment get a coefficient; by default up to five.
            They are measured from all earlier years.

        Returns
        -------
        DataFrame indexed by event_time, with the columns of `by` and ``period`` (before,
        after). ``attrs["joint_p"]`` is the p-value of all coefficients before being zero.
        """
        after = self.by("event_time").assign(period="after")
        before = estimate_leads(
            self.fit.design,
            choose_leads(self.fit.design, leads),
            clusters=place_codes(self.panel, self.cluster),
            alpha=self.options.alpha,
        )
        joint = before.attrs.get("joint_p", np.nan)
        if len(before):
            before = before.set_index("event_time").assign(period="before")
            after = pd.concat([before.reindex(columns=after.columns), after])
        after.attrs["joint_p"] = joint
        return after

    def paths(self) -> pd.DataFrame:
        """Give each village's years: outcome, what it would have been, and the gain.

        Returns
        -------
        DataFrame with a row a village with a gain and a year known: village, year, event_time,
        outcome and counterfactual (in `unit`), gain (NaN before treatment), gain_yuan.
        """
        rows = self.cells.rows
        outcome = self.fit.design.outcome[rows]
        at, year = np.nonzero(np.isfinite(self.fit.excess[rows]))
        return pd.DataFrame(
            {
                "village": self.panel.villages.index[rows[at]],
                "year": self.panel.years[year],
                "event_time": self.panel.years[year] - self.cells.cohort[at].astype(int),
                "outcome": outcome[at, year],
                "counterfactual": (outcome - self.fit.excess[rows])[at, year],
                "gain": np.where(self.cells.counted, self.cells.gains, np.nan)[at, year],
                "gain_yuan": self.yuan[at, year],
            }
        )

    def shrink(
        self, *, covariates: pd.DataFrame | None = None, precision: bool = True
    ) -> ShrunkenGains:
        """Shrink gains towards what villages like them gain; see `shrink_gains`."""
        frame = self.villages
        return shrink_gains(
            frame["gain"], frame["variance"], covariates=covariates, precision=precision,
            alpha=self.options.alpha,
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """Give the villages' gains, one row a treated village."""
        return self.villages.copy()

    def summary(self) -> str:
        """Say in a few lines what was found, and how."""
        frame, att, options = self.villages, self.att, self.options
        interval = (
            f"{1 - options.alpha:.0%} interval {att['conf_low']:,.4g} to "
            f"{att['conf_high']:,.4g}, {att['method']}, {att['n_clusters']} clusters"
            if np.isfinite(att["conf_low"])
            else f"no interval: {att['reason']}"
        )
        effects = {"common": "common year effects", "county": "year effects by county"}
        reasons = frame["reason"].astype(str)
        counts = reasons[reasons != ""].value_counts()
        return "\n".join(
            [
                f"{len(frame):,} treated villages: {frame['gain'].count():,} with a gain, "
                f"{frame['conf_low'].count():,} with an interval",
                f"mean gain over {att['n_cells']:,} village-years: {att['estimate']:,.4g} "
                f"{self.unit} ({interval})",
                f"imputation from {options.comparison.replace('_', ' ')} villages, "
                f"{effects[options.year_effects]}. {retransformation(self.panel)}",
                *(f"{count:,} villages: {reason}" for reason, count in counts.items()),
            ]
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw mean gains by event time with their intervals."""
        import matplotlib.pyplot as plt

        axes = ax if ax is not None else plt.subplots()[1]
        study = self.event_study()
        reach = (study[["conf_low", "conf_high"]].sub(study["estimate"], axis=0)).abs()
        axes.errorbar(study.index, study["estimate"], yerr=reach.to_numpy().T, fmt="o")
        axes.axhline(0, color="0.5", linewidth=1)
        axes.set_xlabel("years since treatment")
        axes.set_ylabel(f"gain, {self.unit}")
        return axes

    def _draw_placebos(self, frame: pd.DataFrame, codes: Codes, level: Cluster) -> None:
        """Give averages over too few clusters the interval from comparison places' placebos."""
        lacking = frame.index[frame["conf_low"].isna() & frame["estimate"].notna()]
        for q in lacking:
            found = drawn_interval(
                self.fit, self.cells, codes == q, float(frame.loc[q, "estimate"]),
                place_codes(self.panel, level), self._shocks(level),
                alpha=self.options.alpha, level=level,
            )  # fmt: skip
            if not found.reason:
                frame.loc[q, list(asdict(found))] = list(asdict(found).values())

    def _shocks(self, level: Cluster) -> PlaceShocks:
        design = self.fit.design
        never = np.flatnonzero(np.isnan(design.cohort))
        return find_shocks(
            self.fit.excess[never], design.own[never], place_codes(self.panel, level)[never]
        )

    def _by_place(self, by: Cluster, codes: Codes, n: int) -> pd.DataFrame:
        targets = find_targets(self.fit, self.cells, codes, n)
        contrasts = targets.loads[0, : len(self.panel.years)] / targets.totals
        estimates = average_points(self.cells, codes, n)
        intervals = place_intervals(
            self.cells, codes.max(axis=1), estimates, contrasts, self._shocks(by),
            alpha=self.options.alpha, level=by,
        )  # fmt: skip
        villages, counts = count_averaged(codes, n)
        return pd.DataFrame([*map(asdict, intervals)]).assign(
            estimate=estimates, n_villages=villages, n_cells=counts
        )

    def _level_within(self) -> Literal["town", "village"]:
        """Cluster by town within counties, or by village where no towns are known."""
        return "town" if (self.panel.villages["town"] != "").any() else "village"
