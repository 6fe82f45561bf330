"""What two-way fixed effects compare: 2x2 comparisons, and the weights of single effects."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.effects.check import Amounts
from evaluation.effects.fixed_effects import NOTHING_TO_COMPARE, static_cells
from evaluation.effects.setup import EffectOptions, Setup, build_setup
from evaluation.effects.within import find_cells, fit_within
from evaluation.errors import DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import mark, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NEVER = mark("treated vs never treated")
EARLIER = mark("earlier vs later treated")
ALREADY = mark("later vs already treated")
_KINDS = (NEVER, EARLIER, ALREADY)
_ROUNDING = 1e-9  # of a weight: what rounding leaves of zero
_KEYS = ["kind", "cohort", "comparison"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TwoWayDecomposition(ShowsSummary):
    """What the coefficient of treatment with village and year effects is made of.

    Attributes
    ----------
    estimate
        The coefficient, as `estimate_twfe` gives it.
    weights
        Of the effects in treated village-years, one row a cohort and event time: cohort,
        event_time, n_cells, weight (which add up to 1), n_negative, negative (their sum).
    comparisons
        One row a kind, treated cohort and cohort compared with (NaN for never treated): kind,
        cohort, comparison, n_villages, n_comparison, weight (which add up to 1), estimate.
        A cohort treated before the first year stands at that. Empty where there is a reason.
    reason
        Why there are no comparisons; '' if there are.
    balanced
        The coefficient of villages known in every year, the sum of weight times estimate over
        ``comparisons``; NaN without them.
    n_unbalanced
        Villages left out of it because a year is missing.
    """

    estimate: float
    weights: pd.DataFrame
    comparisons: pd.DataFrame
    reason: str
    balanced: float
    n_unbalanced: int

    @property
    def by_kind(self) -> pd.DataFrame:
        """The comparisons by kind: weight, and estimate (its mean)."""
        rows = self.comparisons
        sums = rows.assign(estimate=rows["estimate"] * rows["weight"])
        found = sums.groupby("kind")[["weight", "estimate"]].sum()
        found["estimate"] /= found["weight"]
        return found.reindex([kind for kind in _KINDS if kind in found.index])

    @property
    def share_already_treated(self) -> float:
        """The weight of comparisons with villages treated already; NaN if not known."""
        if self.reason:
            return np.nan
        return float(self.by_kind["weight"].get(ALREADY, 0.0))

    def to_frame(self) -> pd.DataFrame:
        """Give the comparisons, one row each."""
        return self.comparisons.copy()

    def summary(self, amounts: Amounts | None = None) -> str:
        """Say what the coefficient compares, and why it may differ from the mean effect."""
        tell = (amounts or Amounts()).tell
        lines = [say("Two-way fixed effects give {amount}.", amount=tell(self.estimate))]
        if self.reason:
            lines.append(say("No 2x2 comparisons: {reason}.", reason=self.reason))
        else:
            told = [
                say("{weight:.0%} {kind} (mean {mean})", weight=weight, kind=say(kind),
                    mean=tell(mean))
                for kind, weight, mean in self.by_kind.itertuples()
            ]  # fmt: skip
            lines.append(
                say(
                    "{share:.0%} of the weight compares villages with ones treated earlier, "
                    "whose own effects are then subtracted. By kind: {kinds}.",
                    share=self.share_already_treated, kinds=say("; ").join(told),
                )
            )  # fmt: skip
            if self.n_unbalanced:
                lines.append(
                    say(
                        "That leaves out {n:,} villages not known in every year; without them "
                        "the coefficient is {amount}.",
                        n=self.n_unbalanced, amount=tell(self.balanced),
                    )
                )  # fmt: skip
        rows = self.weights
        own, alike = (
            np.average(rows["event_time"], weights=rows[name]) for name in ("weight", "n_cells")
        )
        n, n_all = int(rows["n_negative"].sum()), int(rows["n_cells"].sum())
        if n:
            lines.append(
                say(
                    "{n:,} of {n_all:,} weights of treated village-years are negative; they "
                    "add up to {sum:.2f}, all to 1. Those effects count the wrong way round: "
                    "where effects differ, the coefficient may lie outside all of them.",
                    n=n, n_all=n_all, sum=rows["negative"].sum(),
                )
            )  # fmt: skip
        else:
            lines.append(
                say(
                    "0 of {n_all:,} weights of treated village-years are negative: it is a "
                    "mean of effects, on average {own:.2f} years after treatment began (all "
                    "village-years alike: {alike:.2f}).",
                    n_all=n_all, own=own, alike=alike,
                )
            )  # fmt: skip
        return "\n".join(lines)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the comparisons' estimates against their weights.

        Raises
        ------
        DesignError
            If there are no comparisons.
        """
        import matplotlib.pyplot as plt

        if self.reason:
            raise DesignError(f"no 2x2 comparisons to draw: {self.reason}.")
        axes = ax if ax is not None else plt.subplots()[1]
        for kind, rows in self.comparisons.groupby("kind"):
            axes.scatter(rows["weight"], rows["estimate"], label=kind)
        axes.axhline(self.balanced, color="0.5", linewidth=1)
        axes.set_xlabel("weight")
        axes.set_ylabel("estimate of the 2x2 comparison")
        axes.legend(frameon=False)
        return axes


def decompose_twfe(data: Setup | VillagePanel) -> TwoWayDecomposition:
    """Take the two-way fixed effects coefficient apart.

    Parameters
    ----------
    data
        What the estimators took (`EffectsTable.setup`), or a panel, with common year effects.

    Returns
    -------
    TwoWayDecomposition.

    Raises
    ------
    DesignError
        If treatment follows from the village and the year.

    Notes
    -----
    With r_it what village effects, year effects and covariates leave of treatment D_it, the
    coefficient is sum_it r_it y_it / sum_it r_it D_it. If villages would have changed alike it
    estimates sum w_it tau_it over treated village-years, w_it = r_it / sum_(D = 1) r_it, some
    of which may be negative (de Chaisemartin, D'Haultfoeuille 2020,
    doi:10.1257/aer.20181169). In a balanced panel without covariates it is also the mean of
    all comparisons of two cohorts (Goodman-Bacon 2021, doi:10.1016/j.jeconom.2021.03.014):
    with n their villages and d their shares of treated years, an earlier cohort k against a
    later or never treated one l, until l is treated, weighs n_k n_l (d_k - d_l)(1 - d_k), and
    l against k, once k is treated, n_k n_l d_l (d_k - d_l). With year effects by county this
    holds in each; comparisons are added up over counties, each by 1/N villages.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> found = decompose_twfe(load_data(Study.load("data/jining_simulated")).panel)
    >>> found.by_kind["weight"].round(2).to_list()
    [0.97, 0.02, 0.01]
    """
    setup = build_setup(data, EffectOptions()) if isinstance(data, VillagePanel) else data
    cells, controls = find_cells(setup)
    treated, used = static_cells(setup, cells)
    left = fit_within(setup, treated.astype(float), controls, used).residuals
    if not (left**2).sum() > _ROUNDING**2 * used.sum():
        raise DesignError(say(NOTHING_TO_COMPARE))
    total = left[treated & used].sum()
    estimate = float((left[used] * setup.outcome[used]).sum() / total)
    comparisons, n_balanced = _compare_pairs(setup, used)
    reason = "" if n_balanced else say("no two cohorts to compare are known in every year")
    if controls:
        reason = say("the regression has covariates")
    elif setup.options.anticipation:
        reason = say("years that may be anticipated are left out")
    if reason:
        comparisons, n_balanced = comparisons[:0], 0
    balanced = float((comparisons["weight"] * comparisons["estimate"]).sum())
    return TwoWayDecomposition(
        estimate=estimate,
        weights=_sum_weights(setup, left / total, treated & used),
        comparisons=comparisons,
        reason=reason,
        balanced=np.nan if reason else balanced,
        n_unbalanced=int(used.any(axis=1).sum()) - n_balanced,
    )


def _compare_pairs(setup: Setup, used: Bools) -> tuple[pd.DataFrame, int]:
    """Compare all pairs of cohorts within counties; give also how many villages are in it."""
    rows: list[tuple[Any, ...]] = []
    n_balanced = 0
    order = np.argsort(setup.group, kind="stable")
    for villages in np.split(order, np.cumsum(np.bincount(setup.group))[:-1]):
        known = used[villages]
        years = known.any(axis=0)
        kept = villages[known[:, years].all(axis=1) & years.any()]
        cohort = np.nan_to_num(setup.cohort[kept], nan=np.inf)
        found = _compare_within(setup.outcome[kept][:, years], cohort, setup.years[years])
        n_balanced += len(kept) * bool(found)
        rows += found
    columns = [*_KEYS, "n_villages", "n_comparison", "weight", "estimate"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["estimate"] *= frame["weight"]
    sums = frame.groupby(_KEYS, dropna=False, sort=True).sum().reset_index()
    sums["estimate"] /= sums["weight"]
    sums["weight"] /= sums["weight"].sum()
    return sums, n_balanced


def _compare_within(
    outcome: Floats, cohort: Floats, years: npt.NDArray[np.int64]
) -> list[tuple[Any, ...]]:
    """Compare the pairs of cohorts of one county, known in all years."""
    n_years = len(years)
    # Of a cohort's first treated year among these years; n_years for the never treated.
    first = (years < cohort[:, None]).sum(axis=1)
    places, sizes = np.unique(first, return_counts=True)
    means = [outcome[first == place].mean(axis=0) for place in places]
    labels = [*years.astype(float), np.nan]
    share = 1 - places / max(n_years, 1)
    rows: list[tuple[Any, ...]] = []
    for i, j in combinations(range(len(places)), 2):  # i is treated earlier than j
        gap, both = share[i] - share[j], sizes[i] * sizes[j] * n_years / len(outcome)
        k, m = places[i], places[j]
        before, between, after = slice(0, k), slice(k, m), slice(m, n_years)
        change = means[i] - means[j]
        if k > 0:
            found = change[between].mean() - change[before].mean()
            kind = NEVER if m == n_years else EARLIER
            weight = both * gap * (1 - share[i])
            rows.append((kind, labels[k], labels[m], sizes[i], sizes[j], weight, found))
        if m < n_years:
            found = change[between].mean() - change[after].mean()
            weight = both * gap * share[j]
            rows.append((ALREADY, labels[m], labels[k], sizes[j], sizes[i], weight, found))
    return rows


def _sum_weights(setup: Setup, weights: Floats, treated: Bools) -> pd.DataFrame:
    """Sum the weights of treated village-years by cohort and event time."""
    village = np.nonzero(treated)[0]
    own = weights[treated]
    own = np.where(np.abs(own) > _ROUNDING * np.abs(own).max(initial=0), own, 0)
    frame = pd.DataFrame(
        {
            "cohort": setup.cohort[village].astype(int),
            "event_time": setup.event_time[treated].astype(int),
            "n_cells": 1,
            "weight": own,
            "n_negative": (own < 0).astype(int),
            "negative": np.minimum(own, 0),
        }
    )
    return frame.groupby(["cohort", "event_time"], as_index=False).sum()
