"""How unequally money is spread over villages, and whether it went to the poorer ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm

from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.language import commas, mark, say

_LEVERAGE = 0.999  # of a village whose residual is zero, whatever it got


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    """A concentration curve and its index; a Lorenz curve and Gini if ranked by money itself.

    Attributes
    ----------
    curve
        From the lowest ranked to the highest: population, share of villages (or of what they
        are weighed by); money, share of the money that they got.
    index
        Twice the area between the curve and equality, from -1 to 1: below zero if money went to
        those ranked low.
    n_villages, n_left_out
        Used; and left out because money or rank is not known.
    """

    curve: pd.DataFrame
    index: float
    n_villages: int
    n_left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """How money goes with income before the programme.

    Attributes
    ----------
    concentration
        Of money, villages ranked by income before.
    slope, se, conf_low, conf_high, p_value
        Money per village for one more unit of income before, by least squares with errors
        clustered (30 clusters or more), else robust to unequal variances: HC3, or HC1 where
        one village alone holds the slope.
    variance
        Which of these: "clustered", "HC3" or "HC1".
    """

    concentration: Concentration
    slope: float
    se: float
    conf_low: float
    conf_high: float
    p_value: float
    variance: str


def measure_inequality(
    money: pd.Series[float], *, weights: pd.Series[float] | None = None
) -> Concentration:
    """Give the Lorenz curve of villages' money, and its Gini coefficient.

    Parameters
    ----------
    money
        n, index "village", none negative.
    weights
        n: what villages count for (households; money is then ranked per household), by default
        one each.

    Raises
    ------
    DesignError
        If an amount or weight is negative or infinite, or all are zero.

    Notes
    -----
    G = 1 - sum_i (p_i - p_(i-1)) (L_i + L_(i-1)) over the curve's points, the exact area under
    the piecewise linear curve.

    Examples
    --------
    >>> round(measure_inequality(pd.Series([1.0, 1.0, 2.0])).index, 4)
    0.1667
    """
    per = money if weights is None else money / weights.where(weights != 0)
    return measure_concentration(money, rank_by=per, weights=weights)


def measure_concentration(
    money: pd.Series[float],
    *,
    rank_by: pd.Series[float],
    weights: pd.Series[float] | None = None,
) -> Concentration:
    """Give the concentration curve of money, villages ranked by something else.

    Parameters
    ----------
    money, weights
        As in `measure_inequality`.
    rank_by
        n: income before the programme, say. Villages of equal rank are joined.

    Raises
    ------
    DesignError
        If an amount or weight is negative or infinite, or all are zero.

    References
    ----------
    Kakwani, Wagstaff and van Doorslaer (1997), doi:10.1016/S0304-4076(96)01807-6.
    """
    frame = pd.DataFrame({"money": money, "rank": rank_by.reindex(money.index), "weight": 1.0})
    if weights is not None:
        frame["weight"] = weights.reindex(money.index)
    known = frame.notna().all(axis=1)
    frame = frame[known]
    for name in (mark("money"), mark("weight")):
        bad = ~frame[name].between(0, np.inf, inclusive="left")
        if bad.any():
            raise DesignError(
                say(
                    "negative or infinite {name} of {villages}: its shares have no meaning.",
                    name=say(name), villages=commas(map(str, frame.index[bad][:5])),
                )
            )  # fmt: skip
        if not frame[name].sum() > 0:
            raise DesignError(
                say(
                    "no village has {name} above zero: there is nothing to share.",
                    name=say(name),
                )
            )
    joined = frame.groupby("rank")[["weight", "money"]].sum()
    curve = pd.DataFrame(
        {
            "population": np.append(0.0, joined["weight"].cumsum() / joined["weight"].sum()),
            "money": np.append(0.0, joined["money"].cumsum() / joined["money"].sum()),
        }
    )
    steps = np.diff(curve["population"])
    area = float(
        (steps * (curve["money"].to_numpy()[1:] + curve["money"].to_numpy()[:-1])).sum()
    )
    return Concentration(
        curve=curve, index=1 - area, n_villages=len(frame), n_left_out=int((~known).sum())
    )


def measure_targeting(
    money: pd.Series[float],
    before: pd.Series[float],
    *,
    clusters: npt.ArrayLike | None = None,
    alpha: float = 0.05,
) -> Targeting:
    """Say whether villages that were poorer before the programme got more of its money.

    Parameters
    ----------
    money, before
        n, index "village": money received, and income before the programme.
    clusters
        n, in the order of ``money``: used where they are 30 or more.
    alpha
        1 less the coverage of the slope's interval.

    Raises
    ------
    DesignError
        As `measure_concentration`; or if fewer than 10 villages have both, or all had the same
        income before.
    """
    concentration = measure_concentration(money, rank_by=before)
    both = money.notna() & before.reindex(money.index).notna()
    income = before.reindex(money.index)[both]
    if both.sum() < 10 or income.nunique() < 2:
        raise DesignError(
            say(
                "{n} villages have money and a known income before, {different} different "
                "ones; a slope needs 10 villages that differ.",
                n=int(both.sum()), different=income.nunique(),
            )
        )  # fmt: skip
    # Incomes scaled, so that yuan in millions keep their digits.
    scale = float(income.abs().max())
    model = sm.OLS(money[both].to_numpy(float), sm.add_constant(income.to_numpy(float) / scale))
    around = (income - income.mean()) ** 2
    alone = 1 / len(income) + around.max() / around.sum() > _LEVERAGE
    variance: Literal["HC3", "HC1", "clustered"] = "HC1" if alone else "HC3"
    fitted = model.fit(cov_type=variance, use_t=True)
    if clusters is not None:
        groups = pd.factorize(np.asarray(clusters)[both.to_numpy()])[0]
        if groups.max() + 1 >= 30:
            variance = "clustered"
            fitted = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    ends: Floats = np.asarray(fitted.conf_int(alpha=alpha))[1] / scale
    return Targeting(
        concentration=concentration,
        slope=float(fitted.params[1]) / scale,
        se=float(fitted.bse[1]) / scale,
        conf_low=float(ends[0]),
        conf_high=float(ends[1]),
        p_value=float(fitted.pvalues[1]),
        variance=variance,
    )
