"""Changes of treated villages from before to after, and what a secular trend leaves of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd

from evaluation.bounds import Bounds
from evaluation.data.panel import Bools, Floats, VillagePanel
from evaluation.errors import DesignError
from evaluation.language import mark, say

ENDS = (
    "before_lower", "before_upper", "after_lower", "after_upper", "change_lower",
    "change_upper", "lower", "upper", "break_even_lower", "break_even_upper",
)  # fmt: skip
"""The columns that are in the outcome's unit."""

_AVERAGED = [*ENDS[:8], "years_between"]
_NO_CHANGE = {
    (True, False): mark("no treated year with an outcome"),
    (False, True): mark("no untreated year with an outcome"),
    (False, False): mark("no year with an outcome"),
    (True, True): "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendBounds:
    """Before-after changes of treated villages, and their bounds under a secular trend.

    Attributes
    ----------
    villages
        One row a treated village, index "village": county, town, cohort; n_before and n_after,
        its years with an outcome; before, after and change, each with a lower and an upper
        end, which differ where a figure is hedged; years_between; lower and upper, what the
        trend leaves of the change; break_even, the trend that explains all of it, with both
        ends; reason, why there is no change to give, "" where there is.
    trend_max
        The steepest trend allowed, in ``unit`` per village and year.
    unit
        What the outcome is in; on the level scale, whatever the study analyses.
    """

    villages: pd.DataFrame
    trend_max: float
    unit: str

    def by(self, *columns: str) -> pd.DataFrame:
        """Average over the villages of each county, or by other columns of ``villages``.

        Returns
        -------
        n_villages, how many have a change; n_without, how many treated villages have none;
        and the columns of ``villages`` as means over those that have one, each village
        counting once. break_even is the one trend that explains the mean change.
        """
        frame = self.villages.assign(n_villages=self.villages["reason"] == "")
        frame["n_without"] = ~frame["n_villages"]
        frame[_AVERAGED] = frame[_AVERAGED].where(frame["n_villages"])
        groups = frame.groupby(list(columns), sort=False)
        means = groups[["n_villages", "n_without"]].sum().join(groups[_AVERAGED].mean())
        for end in ("lower", "upper"):
            means[f"break_even_{end}"] = means[f"change_{end}"] / means["years_between"]
        return means

    def programme(self) -> pd.Series[float]:
        """Average over all villages, as `by` does over some."""
        everywhere = self.villages.assign(programme="all")
        bounds = TrendBounds(villages=everywhere, trend_max=self.trend_max, unit=self.unit)
        return bounds.by("programme").iloc[0]


def bound_gains(panel: VillagePanel, *, trend_max: float) -> TrendBounds:
    """Bound what a secular trend leaves of each treated village's before-after change.

    Parameters
    ----------
    panel
        Only its treated villages are used. The outcome is taken in levels. Hedged figures of
        the outcome count with both of their ends; a year in which only a kind of income is
        hedged has no outcome, and is not used.
    trend_max
        How much the outcome may at most have risen on its own, in its unit (yuan) per village
        and year. A fall on its own is not allowed for.

    Raises
    ------
    DesignError
        If ``trend_max`` is negative or not finite, or no village is treated.

    Notes
    -----
    With b_i and a_i the village's mean outcome over its untreated and its treated years, d_i
    the distance of the means of these years, and a rise of g a year without the programme,
    the gain is a_i - b_i - g d_i. For g in [0, trend_max] it lies in
    [a_i - b_i - trend_max d_i, a_i - b_i], an assumption of bounded variation [1]_; at
    g = (a_i - b_i) / d_i it is zero. The bounds hold as well if g differs between villages
    and from year to year: no year's rise counts more than once. d_i is above zero, as
    treatment stays on. Nothing in the data of treated villages says what g is.

    References
    ----------
    .. [1] Manski and Pepper (2018), How Do Right-to-Carry Laws Affect Crime Rates? Coping with
       Ambiguity Using Bounded-Variation Assumptions. doi:10.1162/REST_a_00689
    """
    _check_trend(trend_max)
    treated = panel.is_treated
    if not treated.any():
        told = say("no village of the panel is treated: there is no before and after.")
        raise DesignError(told)
    low, high = (ends[treated] for ends in _outcome_ends(panel))
    known, after = ~np.isnan(low), panel.treated_cells[treated]
    cells = {"before": known & ~after, "after": known & after}
    frame = panel.villages.loc[treated, ["county", "town", "cohort"]].copy()
    for name, some in cells.items():
        frame[f"n_{name}"] = some.sum(axis=1)
        frame[f"{name}_lower"], frame[f"{name}_upper"] = _mean(low, some), _mean(high, some)
    years = np.broadcast_to(panel.years.astype(float), low.shape)
    frame["change_lower"] = frame["after_lower"] - frame["before_upper"]
    frame["change_upper"] = frame["after_upper"] - frame["before_lower"]
    frame["years_between"] = _mean(years, cells["after"]) - _mean(years, cells["before"])
    frame["lower"] = frame["change_lower"] - trend_max * frame["years_between"]
    frame["upper"] = frame["change_upper"]
    for end in ("lower", "upper"):
        frame[f"break_even_{end}"] = frame[f"change_{end}"] / frame["years_between"]
    frame["reason"] = [
        say(_NO_CHANGE[n_before > 0, n_after > 0])
        for n_before, n_after in zip(frame["n_before"], frame["n_after"], strict=True)
    ]
    unit = panel.variables[panel.outcome].unit
    return TrendBounds(villages=frame, trend_max=trend_max, unit=unit)


def bound_change(
    change: Bounds, years: Bounds | Fraction | int, *, trend_max: Fraction | float
) -> tuple[Bounds, Bounds]:
    """Bound what a secular trend leaves of a change that is known in bounds itself.

    Parameters
    ----------
    change
        The rise from before to after.
    years
        Over how many years, above zero.
    trend_max
        The steepest trend allowed, in the change's unit a year.

    Returns
    -------
    What a trend between 0 and ``trend_max`` leaves of the change, and the trend that explains
    all of it. Both are exact: they hold every value that the operands allow, and no other.

    Raises
    ------
    DesignError
        If ``trend_max`` is negative or not finite, or ``years`` may be zero.

    Examples
    --------
    >>> left, break_even = bound_change(Bounds(10, 11, upper_closed=False), 2, trend_max=3)
    >>> print(left, break_even)
    [4, 11) [5.0, 5.5)
    """
    _check_trend(trend_max)
    span = years if isinstance(years, Bounds) else Bounds.exactly(years)
    if span.compare(">", Bounds.exactly(0)) != "yes":
        raise DesignError(f"a change over {span} years: there must be time between.")
    return change - Bounds(0, trend_max) * span, change / span


def _check_trend(trend_max: Fraction | float) -> None:
    if not (math.isfinite(trend_max) and trend_max >= 0):
        raise DesignError(
            f"a trend of at most {trend_max} a year: give a number from 0 on, in the outcome's "
            "unit per village and year."
        )


def _outcome_ends(panel: VillagePanel) -> tuple[Floats, Floats]:
    """Give the outcome twice, with the lower and with the upper ends of hedged figures."""
    low, high = panel.matrix().copy(), panel.matrix().copy()
    hedged = panel.hedged[panel.hedged["variable"] == panel.outcome]
    at = panel.villages.index.get_indexer(pd.Index(hedged["village"]))
    year = np.searchsorted(panel.years, hedged["year"].to_numpy(np.int64))
    low[at, year], high[at, year] = hedged["lower"], hedged["upper"]
    return low, high


def _mean(values: Floats, cells: Bools) -> Floats:
    """Average each row over some of its cells; NaN where there is none."""
    count = cells.sum(axis=1)
    total = np.where(cells, values, 0).sum(axis=1)
    means: Floats = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return means
