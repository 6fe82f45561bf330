"""Yearly flows in one number: present value, rates of return, payback, outcome per yuan."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import numpy_financial as npf
import pandas as pd

from evaluation.data.panel import Floats
from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.language import commas, say

SAME = 1e-12
"""Of the money moved: what is nearer to zero is zero but for rounding."""

_TWINS = 1e-6  # roots nearer to each other, relatively, are one that rounding took apart
_LEAST = 1e-290  # of the largest flow: smaller ones overflow on the way to the roots


def net_present_value(flows: npt.ArrayLike, *, rate: float) -> float:
    """Sum yearly flows discounted to the first year, which itself is not discounted.

    Examples
    --------
    >>> round(net_present_value([-100, 60, 60.5], rate=0.1), 9)
    4.545454545
    """
    check_rate(rate)
    return float(npf.npv(rate, _read_flows(flows)))


@dataclass(frozen=True, slots=True, kw_only=True)
class InternalRate:
    """Internal rates of return: those at which flows are worth nothing.

    Attributes
    ----------
    value
        The rate nearest to zero; NaN where there is none.
    rates
        All rates above -1, ascending.
    n_sign_changes
        How often the flows change sign: there are at most as many rates.
    reason
        Why there is no rate, or why the value is not a plain rate of return.
    """

    value: float
    rates: tuple[float, ...]
    n_sign_changes: int
    reason: str

    @property
    def unique(self) -> bool:
        """Whether there is one rate, and no other."""
        return len(self.rates) == 1


def internal_rate(flows: npt.ArrayLike) -> InternalRate:
    """Find every internal rate of return of yearly flows.

    Notes
    -----
    By Descartes' rule one change of sign means one rate, which numpy-financial gives. With
    more it picks one by a rule that differs between its versions, and misses a rate at which
    the net present value touches zero; all roots are then taken from the polynomial.

    Examples
    --------
    >>> found = internal_rate([-100, 230, -132])
    >>> [round(rate, 9) for rate in found.rates], found.unique
    ([0.1, 0.2], False)
    """
    net = _read_flows(flows)
    net = np.where(np.abs(net) < _LEAST * np.abs(net).max(), 0.0, net)
    signs = np.sign(net[net != 0])
    changes = int((np.diff(signs) != 0).sum())
    if changes == 0:
        reason = say("no rate: gains never exceed costs")
        if not signs.size:
            reason = say("no rate: no money flows")
        elif signs[0] > 0:
            reason = say("no rate: gains are never below costs")
        return InternalRate(value=np.nan, rates=(), n_sign_changes=0, reason=reason)
    rates = (float(npf.irr(net)),) if changes == 1 else _all_rates(net)
    reason = ""
    if not rates:
        reason = say("no rate: {n} changes of sign, but NPV is never zero", n=changes)
    elif len(rates) > 1:
        reason = say("several rates: {rates}", rates=commas(f"{rate:.2%}" for rate in rates))
    elif signs[0] > 0:
        reason = say("gains come first: the rate is what it costs to borrow them, not a return")
    return InternalRate(
        value=min(rates, key=abs, default=np.nan), rates=rates, n_sign_changes=changes,
        reason=reason,
    )  # fmt: skip


def payback(flows: npt.ArrayLike, *, rate: float = 0.0) -> float:
    """Find after how many years the money is back, for good.

    Parameters
    ----------
    flows
        Benefits less costs by year.
    rate
        At which they are discounted first; 0 for the plain payback.

    Returns
    -------
    Years from year 0 until the cumulative flow is zero or more and stays so to the end of
    the flows, within a year as if the year's flow came evenly; infinite if it never does.

    Examples
    --------
    >>> payback([-100, 40, 80])
    1.75
    """
    check_rate(rate)
    net = _read_flows(flows)
    net = net / (1 + rate) ** np.arange(len(net))
    total = net.cumsum()
    short = np.flatnonzero(total < -SAME * np.abs(net).cumsum())
    if not short.size:
        return 0.0
    last = int(short[-1])
    if last == len(net) - 1:
        return np.inf
    return last + float(-total[last] / net[last + 1])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class CostEffectiveness(ShowsSummary):
    """What 1,000 yuan, and 1,000 US dollars, bought of an outcome.

    Attributes
    ----------
    per_1000_yuan, per_1000_usd
        In ``unit``.
    cost, outcome
        Present values, in yuan of year 0 and in ``unit``.
    rate, yuan_per_usd, unit
        The discount rate, the exchange rate, and what the outcome is counted in.
    """

    per_1000_yuan: float
    per_1000_usd: float
    cost: float
    outcome: float
    rate: float
    yuan_per_usd: float
    unit: str

    def to_frame(self) -> pd.DataFrame:
        """Give one row."""
        return pd.DataFrame([asdict(self)])

    def summary(self) -> str:
        """Say what was bought, and at which rates."""
        return (
            f"{self.per_1000_yuan:,.4g} {self.unit} per 1,000 yuan, {self.per_1000_usd:,.4g} "
            f"per 1,000 USD at {self.yuan_per_usd:g} yuan to the dollar; costs and outcomes "
            f"discounted at {self.rate:.1%} a year."
        )


def cost_effectiveness(
    costs: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    *,
    rate: float,
    yuan_per_usd: float,
    unit: str = "yuan",
) -> CostEffectiveness:
    """Give how much of an outcome 1,000 yuan and 1,000 US dollars bought.

    Parameters
    ----------
    costs
        Real yuan by year, of all who pay: `CashFlows.costs`.
    outcomes
        What the programme added, by the same years: yuan, or households, jobs, in ``unit``.
    rate
        At which costs and outcomes alike are discounted to the first year.
    yuan_per_usd
        The market exchange rate of the year whose prices the yuan are in.

    Raises
    ------
    DesignError
        For unlike numbers of years, missing numbers, no cost, or rates that are none.

    References
    ----------
    J-PAL's practice: Dhaliwal, Duflo, Glennerster, Tulloch (2013), Comparative
    Cost-Effectiveness Analysis to Inform Policy in Developing Countries.

    Examples
    --------
    >>> found = cost_effectiveness([2000, 0], [0, 121], rate=0.1, yuan_per_usd=6.5)
    >>> round(found.per_1000_yuan, 9), round(found.per_1000_usd, 9)
    (55.0, 357.5)
    """
    paid, bought = _read_flows(costs), _read_flows(outcomes)
    if paid.shape != bought.shape:
        raise DesignError(
            f"{paid.size} years of costs and {bought.size} of outcomes; give the same years."
        )
    if not 0 < yuan_per_usd < np.inf:
        raise DesignError(f"an exchange rate of {yuan_per_usd}; give yuan to the dollar.")
    cost, outcome = (net_present_value(x, rate=rate) for x in (paid, bought))
    if (paid < 0).any() or cost == 0:
        raise DesignError(say("costs must be amounts from 0 on, in every year, and not all 0."))
    per_yuan = outcome / cost
    return CostEffectiveness(
        per_1000_yuan=1000 * per_yuan, per_1000_usd=1000 * per_yuan * yuan_per_usd,
        cost=cost, outcome=outcome, rate=rate, yuan_per_usd=yuan_per_usd, unit=unit,
    )  # fmt: skip


def check_rate(rate: float) -> None:
    """Refuse a discount rate at which nothing can be discounted."""
    if not -1 < rate < np.inf:
        raise DesignError(
            say("a discount rate of {rate}; give a share above -1, such as 0.05.", rate=rate)
        )


def _read_flows(flows: npt.ArrayLike) -> Floats:
    read = np.asarray(flows, np.float64)
    if read.ndim != 1 or not read.size or not np.isfinite(read).all():
        raise DesignError(
            "flows: give one number a year, 0 for nothing, and at least one year."
        )
    return read


def _all_rates(net: Floats) -> tuple[float, ...]:
    roots = np.roots(net[::-1])  # of sum net_t x^t, x = 1 / (1 + rate)
    near = (roots.real > 0) & (np.abs(roots.imag) <= _TWINS * np.abs(roots))
    x = np.sort(roots[near].real)
    groups = np.split(x, np.flatnonzero(np.diff(x) > _TWINS * x[1:]) + 1)
    return tuple(float(1 / group.mean() - 1) for group in reversed(groups) if group.size)
