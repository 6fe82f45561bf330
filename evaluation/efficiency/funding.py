"""FundingEfficiency: gain per yuan by village, by groups of them, and by source."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from evaluation.data.money import parse_money
from evaluation.display import ShowsSummary
from evaluation.efficiency.fieller import RatioSet, add_sets
from evaluation.efficiency.spending import Spending
from evaluation.errors import DesignError
from evaluation.gains.design import first_known
from evaluation.gains.grouping import By, group_cells
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.gains.targets import Codes
from evaluation.language import commas, mark, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Horizon = Literal["annual", "cumulative"]

_LOGS = mark("gains brought back to money from logarithms have no interval")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FundingEfficiency(ShowsSummary):
    """What the programme's money bought, with how it was worked out.

    Attributes
    ----------
    gains, spending
        What it was worked out from; ``spending.left_out`` is the money in no ratio.
    villages
        One row a treated village, index "village": county, town, cohort; gain (yuan a year, or
        its sum over the years), conf_low, conf_high, money, money_sd; per_yuan with low, high
        and kind of its set (see `RatioSet`); group, why it is in no ratio, '' if it is in;
        reason, why there is no set.
    weights
        n x T: how often each treated cell's gain counts.
    horizon, discount_rate, money_error
        As given to `funding_efficiency`.
    """

    gains: IncomeGains
    spending: Spending
    villages: pd.DataFrame
    weights: Floats = field(repr=False)
    horizon: Horizon
    discount_rate: float
    money_error: float

    @property
    def unit(self) -> str:
        """What the ratio is in."""
        gain = say(self._outcome_unit) or self.gains.panel.outcome
        money = say(self._money)
        if self.horizon == "annual":
            return say("{gain} a year per {money}", gain=gain, money=money)
        return say("{gain} per {money}", gain=gain, money=money)

    @property
    def _outcome_unit(self) -> str:
        return self.gains.panel.variables[self.gains.panel.outcome].unit

    @property
    def _money(self) -> str:
        unit = self._outcome_unit
        return unit if parse_money(unit) else mark("unit of money")

    @property
    def total(self) -> pd.Series[Any]:
        """The whole programme's row of `by`."""
        return self.by("programme").iloc[0]

    def by(self, by: By | pd.Series[Any] = "programme") -> pd.DataFrame:
        """Give gain per yuan of groups of villages.

        Parameters
        ----------
        by
            programme, county, town, cohort; or a Series with a label for each village.

        Returns
        -------
        DataFrame indexed by group: n_villages, gain (their sum), conf_low, conf_high, money,
        money_sd, per_yuan, low, high, kind, mean_of_ratios (unweighted, over villages),
        n_clusters, method, reason.

        Raises
        ------
        DesignError
            If ``by`` is a year or event time: money is not of the year in which it bears fruit.
        """
        if isinstance(by, str) and by in ("year", "event_time"):
            raise DesignError(
                f"gain per yuan by {by} has no meaning: money bears fruit in later years. Give "
                "programme, county, town, cohort or a Series."
            )
        frame = self._sum_gains(by)
        counted = self.villages[self.villages["group"] == ""]
        code, n = self._village_codes(by, counted.index, frame.index)
        for name, values in (
            ("money", counted["money"]),
            ("money_sd", counted["money_sd"] ** 2),
            ("mean_of_ratios", counted["per_yuan"]),
        ):
            frame[name] = np.bincount(code[code >= 0], values[code >= 0], n)
        frame["money_sd"] **= 0.5
        frame["mean_of_ratios"] /= frame["n_villages"]
        return add_sets(frame, alpha=self.gains.options.alpha)

    def by_source(self) -> pd.DataFrame:
        """Give the whole gain over each source's money alone, which attributes no gain to it.

        Returns
        -------
        As `by`, indexed by source; ``share`` is the source's share of all money.
        """
        whole = self.total
        money = self.spending.villages.loc[self.villages.index[self.villages["group"] == ""]]
        sources = [name for name in money if name not in ("money", "n_entries", "n_before")]
        frame = pd.DataFrame([whole] * len(sources), index=pd.Index(sources, name="source"))
        frame["money"] = money[sources].sum()
        frame["share"] = frame["money"] / whole["money"]
        sd = (money[sources] ** 2).sum() ** 0.5
        frame["money_sd"] = sd * self.money_error / np.sqrt(1 + self.money_error**2)
        frame = frame.drop(columns=["mean_of_ratios"]).infer_objects()
        return add_sets(frame, counted=frame["money"] > 0, alpha=self.gains.options.alpha)

    def per(self, covariate: str, by: By | pd.Series[Any] = "county") -> pd.DataFrame:
        """Give gains and money per household, or per other unit that the panel counts.

        Parameters
        ----------
        covariate
            Counted at its first known value: "households", "poor_households".

        Returns
        -------
        DataFrame indexed by group: n_villages, n_units, gain, conf_low, conf_high and money,
        each per unit, and reason.
        """
        counted = self.villages.index[self.villages["group"] == ""]
        first = pd.Series(
            first_known(self.gains.panel.matrix(covariate)),
            index=self.gains.panel.villages.index,
        )[counted]
        if not (first >= 0).all():
            lacking = counted[~(first >= 0)]
            raise DesignError(
                say(
                    "{covariate} is not known, or negative, for {n:,} villages with money, "
                    "such as {names}; mend it, or take another count.",
                    covariate=covariate, n=len(lacking), names=commas(map(str, lacking[:5])),
                )
            )  # fmt: skip
        frame = self.by(by)
        code, n = self._village_codes(by, counted, frame.index)
        units = np.bincount(code[code >= 0], first[code >= 0], n)
        frame["n_units"] = units
        columns = ["gain", "conf_low", "conf_high", "money"]
        frame[columns] = frame[columns].div(np.where(units > 0, units, np.nan), axis=0)
        return frame[["n_villages", "n_units", *columns, "reason"]]

    def yearly(self) -> pd.DataFrame:
        """Give the money and the gains of the villages in the ratio by calendar year.

        Returns
        -------
        DataFrame indexed by year, from these villages' first treated one to the panel's last: a
        column of money for each source, and gain, conf_low, conf_high (their sums, not
        discounted). Villages not known in a year have the others' mean, and a year in which
        none is known that of the year before. The interval is the whole programme's, as much
        a village and year: one interval for one sum, as years' errors go together.
        """
        gains, counted = self.gains, self.villages[self.villages["group"] == ""]
        some = gains.panel.villages.index[gains.cells.rows].isin(counted.index)
        years = pd.RangeIndex(int(counted["cohort"].min()), int(gains.panel.years[-1]) + 1)
        entries = self.spending.entries
        money = entries[entries["village"].isin(counted.index)].pivot_table(
            index="year", columns="source", values="amount", aggfunc="sum"
        )
        frame = money.reindex(years).fillna(0.0)
        frame.columns.name, frame.index.name = None, "year"
        yuan = pd.DataFrame(gains.yuan[some], columns=gains.panel.years)
        treated = (gains.cells.cohort[some, None] <= gains.panel.years).sum(axis=0)
        n = pd.Series(treated, index=gains.panel.years)
        frame["gain"] = (yuan.mean().ffill().fillna(0.0) * n).reindex(years)
        whole = self.total
        for end in ("conf_low", "conf_high"):
            away = (float(whole[end]) - float(whole["gain"])) / self.weights[some].sum()
            frame[end] = frame["gain"] + away * n.reindex(years)
        return frame

    def groups(self) -> pd.DataFrame:
        """Count the villages in the ratio and, by reason, those that are not.

        Returns
        -------
        DataFrame indexed by group ("" for those in the ratio): n_villages, n_with_gain, gain
        (their sum), money.
        """
        groups = self.villages.groupby("group")
        return pd.DataFrame(
            {
                "n_villages": groups.size(),
                "n_with_gain": groups["gain"].count(),
                "gain": groups["gain"].sum(),
                "money": groups["money"].sum(),
            }
        )

    def to_frame(self) -> pd.DataFrame:
        """Give the villages, one row each."""
        return self.villages.copy()

    def summary(self) -> str:
        """Say in a few lines what a yuan bought, and what is not in the ratio."""
        total, spending = self.total, self.spending
        found = RatioSet(
            ratio=float(total["per_yuan"]), low=float(total["low"]), high=float(total["high"]),
            kind=total["kind"], reason=str(total["reason"]),
        )  # fmt: skip
        nominal = f"{1 - self.gains.options.alpha:.0%} set, " if found.kind != "none" else ""
        lines = [
            f"{found.ratio:.3g} {self.unit} {spending.stage} ({nominal}{found})",
            f"{total['n_villages']:,.0f} villages, {total['money']:,.0f} {self._money}; the "
            f"mean of the villages' own ratios is {total['mean_of_ratios']:.3g}",
        ]
        lines += [
            f"not in the ratio: {row.n_villages:,.0f} villages, {group}"
            for group, row in self.groups().iterrows()
            if group
        ]
        lines += [
            f"money left out: {row.money:,.0f} {self._money} {row.reason}"
            for row in spending.left_out.itertuples()
        ]
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw counties' gain per yuan with their sets, as far as these are bounded."""
        import matplotlib.pyplot as plt

        axes = ax if ax is not None else plt.subplots()[1]
        frame = self.by("county")
        axes.plot(frame["per_yuan"], range(len(frame)), "o")
        for row, (low, high, kind) in enumerate(
            zip(frame["low"], frame["high"], frame["kind"], strict=True)
        ):
            if kind == "bounded":
                axes.plot([low, high], [row, row], color="C0")
        axes.set_yticks(range(len(frame)), [str(name) for name in frame.index])
        axes.axvline(0, color="0.5", linewidth=1)
        axes.set_xlabel(self.unit)
        return axes

    def _sum_gains(self, by: By | pd.Series[Any]) -> pd.DataFrame:
        """Sum the gains of villages in the ratio, with intervals, by group."""
        gains, panel = self.gains, self.gains.panel
        named = panel.villages.index[gains.cells.rows]
        some = (self.villages["group"] == "").reindex(named).to_numpy(bool)
        weights = self.weights[some]
        if panel.analysis.form == "per_capita":
            weights = weights * np.nan_to_num(
                panel.matrix(panel.analysis.per or "")[gains.cells.rows[some]]
            )
        cells = replace(gains.cells.take(some), weights=weights)
        codes, index = group_cells(by, cells, panel)
        found = replace(gains, cells=cells).by(by)
        used = codes >= 0
        sums = np.bincount(codes[used], weights[used], len(index))
        found = found.rename(columns={"estimate": "gain"})
        money = ["gain", "conf_low", "conf_high"]
        found[money] = found[money].astype(float).mul(sums, axis=0)
        if panel.analysis.form == "log":
            yuan = np.nan_to_num(gains.yuan[some]) * weights
            found["gain"] = np.bincount(codes[used], yuan[used], len(index))
            found[["conf_low", "conf_high"]] = np.nan
            found["reason"] = say(_LOGS)
        return found[["n_villages", *money, "n_clusters", "method", "reason"]]

    def _village_codes(
        self, by: By | pd.Series[Any], villages: pd.Index[Any], groups: pd.Index[Any]
    ) -> tuple[Codes, int]:
        """Give each village's group as a number, -1 for none, and how many groups there are."""
        cells = self.gains.cells
        codes, index = group_cells(by, cells, self.gains.panel)
        named = self.gains.panel.villages.index[cells.rows]
        own = pd.Series(codes.max(axis=1), index=named).reindex(villages)
        place = groups.get_indexer(index)
        return np.where(own >= 0, place[own.to_numpy(int)], -1), len(groups)
