"""Which source's money bought the gains: marginal returns where the data tell, else ranges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm

from evaluation.display import ShowsSummary
from evaluation.efficiency.spending import Spending
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.gains.regression import GainRegression, regress_gains
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

_MOST_INFLATION = 5.0
_VILLAGES_EACH = 10
_REJECTED = 0.1  # the p-value of the tests below
_FOLLOWS = 1e-12  # of the squares of a source's money: what rounding leaves of nothing

ASSUMPTION = mark(
    "First in: what a source's money would have gained alone; last in: what would have been "
    "lost without it, the others staying. Both from gain = b1 money + b2 money^2 through zero, "
    "fitted over all money; neither is a share, and they do not add up to the gain."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SourceReturns(ShowsSummary):
    """What each source's money may have gained.

    Attributes
    ----------
    sources
        Index "source": money; marginal, the gain for one more yuan of it, with se, conf_low,
        conf_high, NaN unless `identified`; first_in and last_in (gains of all villages in the
        gains' unit, with _low and _high), why these have no ends, '' if they have, as reason,
        and inflation (the variance inflation factor).
    identified
        Whether marginal returns are given.
    reason
        Why they are not, '' if they are.
    extrapolated
        By source, the share of villages whose money from it is below the smallest total seen.
    """

    sources: pd.DataFrame
    identified: bool
    reason: str
    extrapolated: pd.Series[float]

    def to_frame(self) -> pd.DataFrame:
        """Give the sources, one row each."""
        return self.sources.copy()

    def summary(self) -> str:
        """Say what each source's money may have gained."""
        lines = [f"marginal returns: {self.reason}"] if self.reason else []
        for source, row in self.sources.iterrows():
            ends = sorted((row["first_in"], row["last_in"]))
            line = f"{source}: {ends[0]:,.4g} to {ends[1]:,.4g}, first in or last in"
            if self.identified:
                line += f"; {row['marginal']:.3g} for one more yuan"
            lines.append(line)
        return "\n".join([*lines, ASSUMPTION])


def attribute_gains(gains: IncomeGains, spending: Spending) -> SourceReturns:
    """Say what each source's money may have gained, as far as the data tell.

    Parameters
    ----------
    gains, spending
        Of the same panel; villages with a gain and money.

    Returns
    -------
    SourceReturns.

    Raises
    ------
    DesignError
        If fewer than 20 villages have a gain and money, or gains are not in levels.

    Notes
    -----
    g_i = a + sum_s b_s m_is identifies the marginal return b_s of source s only if villages
    got more or less of its money for no reason that moves gains. That cannot be shown, but it
    can be seen to fail: marginal returns are not given where sources come together (a variance
    inflation factor above 5), there are fewer than 10 villages a source or one reached fewer,
    money goes with income before treatment (F test, p < .1), or the fitted gain at no money is
    not zero (p < .1), so that returns change with the amount. The ranges need no such
    variation between sources but a form: see `ASSUMPTION`.
    """
    if gains.panel.analysis.form != "level":
        raise DesignError(
            say(
                "gains in {unit} cannot be added up over villages, and so not be set against "
                "sources' money; take the level of the outcome.",
                unit=gains.unit,
            )
        )
    gained = gains.villages.index[gains.villages["gain"].notna()]
    frame = spending.villages.reindex(gained)
    frame = frame[frame["money"] > 0]
    if len(frame) < 2 * _VILLAGES_EACH:
        raise DesignError(
            say(
                "{n} villages have a gain and money; sources are told apart from {needed} on.",
                n=len(frame), needed=2 * _VILLAGES_EACH,
            )
        )  # fmt: skip
    money = frame.drop(columns=["money", "n_entries", "n_before"])
    money = money.loc[:, (money > 0).any()]
    whole = pd.DataFrame({"money": frame["money"], "squared": frame["money"] ** 2})
    through_zero = regress_gains(gains, whole)
    table = pd.DataFrame({"money": money.sum()})
    table.index.name = "source"
    for name, loads in _ranges(money.to_numpy(float), frame["money"].to_numpy(float)).items():
        found = through_zero.combine(loads, list(money))
        table[name] = found["estimate"]
        table[f"{name}_low"], table[f"{name}_high"] = found["conf_low"], found["conf_high"]
        table["reason"] = found["reason"]
    table["inflation"] = _inflation(money.to_numpy(float))
    reason = _why_not(gains, money, table["inflation"])
    constant = sm.add_constant(money, has_constant="add")
    marginal = _marginal(regress_gains(gains, constant) if not reason else None, table.index)
    smallest = frame["money"].min()
    return SourceReturns(
        sources=table.join(marginal),
        identified=not reason,
        reason=reason,
        extrapolated=((money > 0) & (money < smallest)).mean(),
    )


def _ranges(money: Floats, total: Floats) -> dict[str, Floats]:
    """Give what first-in and last-in gains take of b1 and b2, S x 2 each."""
    first = np.stack([money.sum(axis=0), (money**2).sum(axis=0)], axis=1)
    rest = total[:, None] - money
    squares = (total[:, None] ** 2 - rest**2).sum(axis=0)
    return {"first_in": first, "last_in": np.stack([money.sum(axis=0), squares], axis=1)}


def _inflation(money: Floats) -> Floats:
    """Give 1 / (1 - R^2) of each source on the others; infinite if it follows from them."""
    centred = money - money.mean(axis=0)
    found = np.full(money.shape[1], np.inf)
    for k, own in enumerate(centred.T):
        others = np.delete(centred, k, axis=1)
        left = own - others @ np.linalg.lstsq(others, own)[0]
        if left @ left > _FOLLOWS * (money[:, k] ** 2).sum():
            found[k] = own @ own / (left @ left)
    return found


def _marginal(regression: GainRegression | None, sources: pd.Index[str]) -> pd.DataFrame:
    columns = ["estimate", "se", "conf_low", "conf_high"]
    found = (
        pd.DataFrame(np.nan, index=sources, columns=columns)
        if regression is None
        else regression.to_frame().loc[list(sources), columns]
    )
    return found.rename(columns={"estimate": "marginal"})


def _why_not(gains: IncomeGains, money: pd.DataFrame, inflation: pd.Series[float]) -> str:
    """Say what shows that marginal returns by source are not identified; '' if nothing does."""
    if money.shape[1] < 2:
        return say("there is one source alone")
    if len(money) < _VILLAGES_EACH * money.shape[1]:
        return say(
            "{n} villages are too few for {sources} sources",
            n=len(money), sources=money.shape[1],
        )  # fmt: skip
    reached = (money > 0).sum()
    if reached.min() < _VILLAGES_EACH:
        return say(
            "money of {source} reached {n} villages; its return is told from {needed} on",
            source=say(str(reached.idxmin())), n=reached.min(), needed=_VILLAGES_EACH,
        )  # fmt: skip
    if inflation.max() > _MOST_INFLATION:
        return say(
            "sources come together: money of {source} follows from the others' (variance "
            "inflation {inflation:.1f})",
            source=say(str(inflation.idxmax())), inflation=inflation.max(),
        )  # fmt: skip
    scaled = sm.add_constant(money / money.mean())
    before = income_before(gains).reindex(money.index)
    quality = sm.OLS(before, scaled, missing="drop").fit(cov_type="HC3")
    p = float(quality.f_test(np.eye(money.shape[1] + 1)[1:]).pvalue)
    if p < _REJECTED:
        return say(
            "money goes with income before treatment (F test, {p}), and so with what else "
            "makes villages gain",
            p=_tell(p),
        )
    gain = gains.villages["gain"].reindex(money.index)
    p = float(sm.OLS(gain, scaled).fit(cov_type="HC3").pvalues["const"])
    if p < _REJECTED:
        return say(
            "at no money the fitted gain is not zero ({p}): returns change with the amount, or "
            "villages gained without money",
            p=_tell(p),
        )
    return ""


def _tell(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def income_before(gains: IncomeGains) -> pd.Series[float]:
    """Give treated villages' mean outcome over their untreated years, index "village"."""
    panel, design = gains.panel, gains.fit.design
    own = np.where(design.own, design.outcome, 0.0).sum(axis=1)
    count = design.own.sum(axis=1)
    means = np.divide(own, count, out=np.full(len(own), np.nan), where=count > 0)
    return pd.Series(means, index=panel.villages.index)[gains.villages.index]
