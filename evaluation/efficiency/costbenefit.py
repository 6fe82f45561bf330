"""What is left of costs and benefits under stated horizons, discount rates and decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.display import ShowsSummary
from evaluation.efficiency.cashflows import SOCIETY, CashFlows, Perspective
from evaluation.efficiency.returns import (
    SAME,
    check_rate,
    internal_rate,
    net_present_value,
    payback,
)
from evaluation.errors import DesignError
from evaluation.language import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST = 1_000  # years looked ahead for a break-even


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CostBenefitGrid(ShowsSummary):
    """Net present values and their like, by horizon, discount rate and decay.

    Attributes
    ----------
    grid
        One row a combination: horizon (years from the first money), discount_rate, decay; npv,
        with npv_low and npv_high where the gains have an interval; bcr, the benefit-cost
        ratio; irr, and irr_unique, whether it is the only rate; payback, discounted, in years
        within the horizon; break_even_horizon, in years; reason, of what is missing or
        doubtful. Money in real yuan of year 0.
    perspective
        Whose costs and benefits.
    flows
        What was observed.
    """

    grid: pd.DataFrame
    perspective: Perspective
    flows: CashFlows

    def to_frame(self) -> pd.DataFrame:
        """Give the combinations, one row each."""
        return self.grid.copy()

    def summary(self) -> str:
        """Say in a few lines what the grid spans, and for whom."""
        grid, flows, whose = self.grid, self.flows, self.perspective
        years = flows.money.index
        spans = ", ".join(
            f"{words} {grid[name].min():{form}} to {grid[name].max():{form}}"
            for name, words, form in (
                ("horizon", "horizon", "d"),
                ("discount_rate", "discount rate", ".1%"),
                ("decay", "decay a year", ".0%"),
            )
        )
        payers, gainers = (
            ", ".join(name for name in names if name in frame) or "none recorded"
            for names, frame in ((whose.payers, flows.money), (whose.gainers, flows.gains))
        )
        sure = (
            f", at the low end of the gains in {(grid['npv_low'] >= 0).sum():,}"
            if flows.has_interval
            else ""
        )
        reasons = grid["reason"][grid["reason"] != ""].value_counts()
        return "\n".join(
            [
                f"NPV to {whose.name}: {grid['npv'].min():,.4g} to {grid['npv'].max():,.4g} "
                f"yuan of {years[0]}, zero or more in {(grid['npv'] >= 0).sum():,} of "
                f"{len(grid):,} combinations{sure} ({spans}).",
                f"Paid by: {payers}. Gained by: {gainers}. Observed {years[0]} to "
                f"{years[-1]}, then projected; secretaries until {flows.exit_year}.",
                *(f"{count:,} combinations: {reason}" for reason, count in reasons.items()),
            ]
        )

    def plot(self, ax: Axes | None = None, *, decay: float | None = None) -> Axes:
        """Draw NPV by horizon and discount rate at one decay, by default the least.

        The line is where NPV is zero, drawn between the combinations.
        """
        import matplotlib.pyplot as plt

        decay = float(self.grid["decay"].min()) if decay is None else decay
        rows = self.grid[self.grid["decay"] == decay]
        if rows.empty:
            raise DesignError(f"the grid has no decay of {decay}.")
        axes = ax if ax is not None else plt.subplots()[1]
        table = rows.pivot(index="discount_rate", columns="horizon", values="npv")
        cells = table.to_numpy(np.float64)
        most = np.abs(cells).max()
        image = axes.imshow(
            cells, cmap="RdBu", vmin=-most, vmax=most, aspect="auto", origin="lower"
        )
        if min(cells.shape) > 1 and cells.min() < 0 < cells.max():
            axes.contour(cells, levels=[0], colors="black")
        axes.figure.colorbar(image, ax=axes, label=f"NPV to {self.perspective.name}, yuan")
        axes.set_xticks(range(cells.shape[1]), labels=[str(years) for years in table.columns])
        axes.set_yticks(range(cells.shape[0]), labels=[f"{rate:.1%}" for rate in table.index])
        axes.set(xlabel="horizon, years", ylabel="discount rate", title=f"decay {decay:.0%}")
        return axes


def cost_benefit_grid(
    flows: CashFlows,
    *,
    horizons: Sequence[int],
    rates: Sequence[float],
    decays: Sequence[float] = (0.0,),
    perspective: Perspective = SOCIETY,
) -> CostBenefitGrid:
    """Work out net present values and their like for every horizon, discount rate and decay.

    Parameters
    ----------
    flows
        What was paid and gained in the years observed.
    horizons
        Years counted from the first, the observed ones included.
    rates
        Real discount rates a year, as shares.
    decays
        Shares of the gain lost a year after the secretaries leave.
    perspective
        Whose costs and benefits count.

    Raises
    ------
    DesignError
        For a horizon shorter than what is observed, a rate of -1 or less, a decay outside
        [0, 1], or none of one of them.

    Notes
    -----
    NPV = sum_t (b_t - c_t) / (1 + r)^t, t = 0 for the first year: linear in the gains, so
    that it carries their interval over. How gains go on: `CashFlows.project`. The
    benefit-cost ratio has gains, be they negative, above and money below; where nobody of the
    perspective pays there is none.

    Examples
    --------
    >>> from evaluation.efficiency.cashflows import build_cash_flows
    >>> flows = build_cash_flows({"fiscal": [100, 0]}, {"collective": [0, 60]})
    >>> found = cost_benefit_grid(flows, horizons=[2, 3], rates=[0.05])
    >>> found.to_frame()[["horizon", "npv", "bcr", "payback", "break_even_horizon"]].round(2)
       horizon    npv   bcr  payback  break_even_horizon
    0        2 -42.86  0.57      inf                 3.0
    1        3  11.56  1.12     1.79                 3.0
    """
    if not (len(horizons) and len(rates) and len(decays)):
        raise DesignError("give at least one horizon, one rate and one decay.")
    rows = []
    for decay, horizon in product(set(decays), set(horizons)):
        projected = flows.project(horizon=horizon, decay=decay)
        net, costs = projected.net(perspective), projected.costs(perspective)
        benefits, irr = projected.benefits(perspective), internal_rate(net)
        ends = projected.net_ends(perspective)
        unpaid = (
            ""
            if costs.any()
            else say("nobody pays who counts for {whom}", whom=say(perspective.name))
        )
        for rate in set(rates):
            low, high = (net_present_value(end, rate=rate) for end in ends)
            paid = net_present_value(costs, rate=rate)
            rows.append({
                "horizon": int(horizon), "discount_rate": rate, "decay": decay,
                "npv": net_present_value(net, rate=rate),
                "npv_low": low if flows.has_interval else np.nan,
                "npv_high": high if flows.has_interval else np.nan,
                "bcr": np.nan if unpaid else net_present_value(benefits, rate=rate) / paid,
                "irr": irr.value, "irr_unique": irr.unique,
                "payback": payback(net, rate=rate),
                "break_even_horizon": break_even_horizon(
                    projected, rate=rate, perspective=perspective
                ),
                "reason": say("; ").join(filter(None, (unpaid, irr.reason))),
            })  # fmt: skip
    grid = pd.DataFrame(rows).sort_values(["horizon", "discount_rate", "decay"])
    return CostBenefitGrid(
        grid=grid.reset_index(drop=True), perspective=perspective, flows=flows
    )


def break_even_horizon(
    flows: CashFlows, *, rate: float, perspective: Perspective = SOCIETY
) -> float:
    """Find the fewest years, from the first, over which the net present value is not negative.

    No fewer than are observed, so that all money counts; infinite if 1,000 are not enough.
    The gain goes on, and decays, as `CashFlows.project` says, with the decay of ``flows``.
    """
    check_rate(rate)
    n = flows.n_observed
    net = flows.net(perspective)[:n]
    total = net_present_value(net, rate=rate)
    enough = -SAME * net_present_value(np.abs(net), rate=rate)
    left = n - 1 + max(flows.exit_year - int(flows.money.index[n - 1]), 0)
    term = float(flows.benefits(perspective)[n - 1]) / (1 + rate) ** (n - 1)
    for years in range(n, _LONGEST + 1):
        if total >= enough:
            return float(years)
        if term <= 0:
            break
        term *= (1 - flows.decay if years > left else 1) / (1 + rate)
        total += term
    return np.inf
