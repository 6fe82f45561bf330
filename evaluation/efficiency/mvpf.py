"""The marginal value of public funds: what people would pay, per yuan it costs the budget."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import Floats
from evaluation.display import ShowsSummary
from evaluation.efficiency.cashflows import GOVERNMENT, VILLAGE, CashFlows
from evaluation.efficiency.returns import net_present_value
from evaluation.errors import DesignError


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class MVPF(ShowsSummary):
    """A marginal value of public funds; present values in real yuan.

    Attributes
    ----------
    value
        Willingness to pay per yuan of net cost; infinite where the programme pays for itself.
    willingness_to_pay, programme_cost, net_cost
        Of those who gain; what the government spends; what is left of that after what comes
        back to it.
    offset_share
        Share of the programme's cost that comes back; NaN where it cost nothing.
    benefit_cost_ratio
        1 + (willingness to pay - net cost) / programme cost; NaN where it cost nothing.
    raises_revenue
        Whether both willingness to pay and net cost are negative: the value is then what
        people lose per yuan raised, and less of it is better.
    conf_low, conf_high
        NaN without draws; the whole line where too many draws have no value.
    share_missing, n_draws, alpha
        Share of draws in the quadrant opposite to the estimate's, where the ratio means the
        reverse; how many draws; one less the coverage.
    """

    value: float
    willingness_to_pay: float
    programme_cost: float
    net_cost: float
    offset_share: float
    benefit_cost_ratio: float
    raises_revenue: bool
    conf_low: float = np.nan
    conf_high: float = np.nan
    share_missing: float = np.nan
    n_draws: int = 0
    alpha: float = 0.05

    def to_frame(self) -> pd.DataFrame:
        """Give one row."""
        return pd.DataFrame([asdict(self)])

    def summary(self) -> str:
        """Say what the value is, of what, and how sure."""
        interval = (
            f"{1 - self.alpha:.0%} interval {self.conf_low:,.4g} to {self.conf_high:,.4g} from "
            f"{self.n_draws:,} draws, {self.share_missing:.1%} of them without a value"
            if self.n_draws
            else "no interval: no draws were given"
        )
        reverse = "; of money raised, so that less is better" if self.raises_revenue else ""
        return (
            f"MVPF {self.value:,.4g} ({interval}){reverse}: willingness to pay "
            f"{self.willingness_to_pay:,.4g}, net cost {self.net_cost:,.4g} of "
            f"{self.programme_cost:,.4g} yuan spent."
        )


def marginal_value(
    willingness_to_pay: float,
    programme_cost: float,
    *,
    returned: float = 0.0,
    draws: tuple[npt.ArrayLike, npt.ArrayLike] | None = None,
    alpha: float = 0.05,
) -> MVPF:
    """Give the marginal value of public funds, with an interval if there are draws.

    Parameters
    ----------
    willingness_to_pay
        Present value of the programme to those it reaches, net of what they pay themselves.
    programme_cost
        Present value of what the government spends on it.
    returned
        Present value of what comes back to the government: taxes, and benefits saved.
    draws
        Of willingness to pay and of net cost, the same number of each, drawn together.
    alpha
        One less the coverage.

    Raises
    ------
    DesignError
        For numbers that are missing, a negative programme cost, or too few draws.

    Notes
    -----
    With w the willingness to pay and c the net cost, the value is w / c but for w >= 0,
    c <= 0: +inf, and w < 0, c = 0: -inf. Draws with w < 0 and c < 0 have no value (where the
    estimate itself is there, those with w > 0 and c > 0). They count as outside of the
    interval: with m their share, its ends are the quantiles (alpha - m) / 2 from either end
    of the other draws, taken outwards; the whole line if m >= alpha. Hendren and
    Sprung-Keyser (2020), doi:10.1093/qje/qjaa006, and the code published with it.

    Examples
    --------
    >>> found = marginal_value(1_200, 1_000, returned=400)
    >>> found.value, found.net_cost, found.offset_share, found.benefit_cost_ratio
    (2.0, 600.0, 0.4, 1.6)
    >>> marginal_value(1_200, 1_000, returned=1_000).value
    inf
    """
    wtp, spent = float(willingness_to_pay), float(programme_cost)
    cost = spent - float(returned)
    if not np.isfinite([wtp, cost]).all() or spent < 0:
        raise DesignError(
            f"willingness to pay {wtp}, programme cost {spent}, returned {returned}: give "
            "numbers, and a cost from 0 on."
        )
    found = MVPF(
        value=float(_values(np.array(wtp), np.array(cost))),
        willingness_to_pay=wtp, programme_cost=spent, net_cost=cost,
        offset_share=1 - cost / spent if spent else np.nan,
        benefit_cost_ratio=1 + (wtp - cost) / spent if spent else np.nan,
        raises_revenue=wtp < 0 and cost < 0, alpha=alpha,
    )  # fmt: skip
    return found if draws is None else _add_interval(found, *draws)


def value_flows(flows: CashFlows, *, rate: float) -> MVPF:
    """Give the marginal value of the public funds in a programme's flows.

    Willingness to pay is what collective and households gain less the village's own money
    and loans; the cost is that of the budget and the units that send secretaries; what the
    government gains comes back. Gifts count for neither. No interval: give
    `marginal_value` draws for one.

    Examples
    --------
    >>> from evaluation.efficiency.cashflows import build_cash_flows
    >>> flows = build_cash_flows(
    ...     {"fiscal": [100, 0], "own": [10, 0]},
    ...     {"collective": [0, 132], "government": [0, 22]},
    ... )
    >>> round(value_flows(flows, rate=0.1).value, 9)  # (120 - 10) / (100 - 20)
    1.375
    """
    return marginal_value(
        net_present_value(flows.net(VILLAGE), rate=rate),
        net_present_value(flows.costs(GOVERNMENT), rate=rate),
        returned=net_present_value(flows.benefits(GOVERNMENT), rate=rate),
    )


def _add_interval(found: MVPF, wtp: npt.ArrayLike, net_cost: npt.ArrayLike) -> MVPF:
    w, c = np.asarray(wtp, np.float64), np.asarray(net_cost, np.float64)
    if not 0 < found.alpha < 1:
        raise DesignError(f"alpha is {found.alpha}; give a share, such as 0.05.")
    if w.ndim != 1 or w.shape != c.shape or not np.isfinite([w, c]).all():
        raise DesignError(
            "draws: give as many of willingness to pay as of net cost, all known."
        )
    if w.size < 2 / found.alpha:
        raise DesignError(
            f"{w.size} draws; an interval of {1 - found.alpha:.0%} takes {2 / found.alpha:.0f}."
        )
    missing = (w > 0) & (c > 0) if found.raises_revenue else (w < 0) & (c < 0)
    share = float(missing.mean())
    low, high = -np.inf, np.inf
    if share < found.alpha:
        values = np.sort(_values(w[~missing], c[~missing]))
        k = int(np.ceil(round(len(values) * (found.alpha - share) / 2, 9)))
        low, high = float(values[k - 1]), float(values[-k])
    return replace(
        found, conf_low=low, conf_high=high, share_missing=share, n_draws=int(w.size)
    )


def _values(w: Floats, c: Floats) -> Floats:
    """Divide where a ratio means something, and give what stands for it elsewhere."""
    otherwise = np.where(w >= 0, np.inf, -np.inf)
    return np.divide(w, c, out=otherwise, where=(c > 0) | ((w < 0) & (c < 0)))
