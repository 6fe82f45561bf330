"""Fieller's sets: the values of a ratio that the data do not reject, which may have no end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from evaluation.errors import DesignError
from evaluation.language import say

Kind = Literal["bounded", "unbounded", "whole line", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioSet:
    """A ratio and the set of its values that are not rejected.

    Attributes
    ----------
    ratio
        The estimate; NaN where there is none.
    low, high
        Ends of the set, in the sense that ``kind`` gives them.
    kind
        "bounded": from low to high. "unbounded": all values but those between ``high`` and
        ``low``, that is up to ``high`` and from ``low`` on, one of which may be infinite.
        "whole line": every value. "none": there is no set, for the ``reason``.
    reason
        Why there is no ratio or no set, '' where there are both.

    Examples
    --------
    >>> print(fieller_set(4.0, 2.0, var_numerator=0.25))
    bounded: 1.51 to 2.49
    >>> print(fieller_set(4.0, 2.0, var_numerator=0.25, var_denominator=2.0))
    unbounded: up to -5.14 and from 0.795 on
    >>> print(fieller_set(0.4, 0.2, var_numerator=1.0, var_denominator=1.0))
    whole line
    """

    ratio: float
    low: float
    high: float
    kind: Kind
    reason: str = ""

    def __contains__(self, value: float) -> bool:
        if self.kind == "bounded":
            return self.low <= value <= self.high
        return self.kind == "whole line" or (
            self.kind == "unbounded" and (value <= self.high or value >= self.low)
        )

    def __str__(self) -> str:
        if self.kind == "bounded":
            return f"bounded: {self.low:.3g} to {self.high:.3g}"
        if self.kind == "unbounded":
            parts = [f"up to {self.high:.3g}"] if self.high > -np.inf else []
            parts += [f"from {self.low:.3g} on"] if self.low < np.inf else []
            return f"unbounded: {' and '.join(parts)}"
        return f"none: {self.reason}" if self.kind == "none" else self.kind


def no_set(reason: str, *, ratio: float = np.nan) -> RatioSet:
    """Give what stands where there is no set."""
    return RatioSet(ratio=ratio, low=np.nan, high=np.nan, kind="none", reason=reason)


def fieller_set(
    numerator: float,
    denominator: float,
    *,
    var_numerator: float,
    var_denominator: float = 0.0,
    covariance: float = 0.0,
    alpha: float = 0.05,
    freedom: float = np.inf,
) -> RatioSet:
    """Give the values r for which numerator - r denominator = 0 is not rejected.

    Parameters
    ----------
    numerator, denominator
        Estimates.
    var_numerator, var_denominator, covariance
        Of the estimates; a denominator that is known has variance 0.
    alpha
        1 less the coverage.
    freedom
        Degrees of freedom of Student's t; infinite for the normal distribution.

    Raises
    ------
    DesignError
        If a variance is negative, or the covariance larger than the variances allow.

    Notes
    -----
    The set {r: (N - r D)^2 <= t^2 (v_N - 2 r c + r^2 v_D)} of Fieller (1954,
    doi:10.1111/j.2517-6161.1954.tb00159.x) covers N/D as often as t says if N - r D is normal.
    It is an interval only if D differs from zero at level alpha. Else it is all but an
    interval or the whole line; any method that always gives a bounded set can have coverage
    zero (Gleser and Hwang 1987, doi:10.1214/aos/1176350597).
    """
    values = (numerator, denominator, var_numerator, var_denominator, covariance)
    if not np.isfinite(values).all():
        return no_set(say("numerator, denominator or their variances are not known"))
    limit = np.sqrt(max(var_numerator, 0) * max(var_denominator, 0)) * (1 + 1e-9)
    if min(var_numerator, var_denominator) < 0 or abs(covariance) > limit:
        raise DesignError(
            f"variances {var_numerator:.4g} and {var_denominator:.4g} with covariance "
            f"{covariance:.4g} are those of no two estimates; give variances, not standard "
            "errors, and their covariance."
        )
    if denominator == 0 and var_denominator == 0:
        return no_set(say("the denominator is zero"))
    ratio = numerator / denominator if denominator else np.nan
    square = stats.t.ppf(1 - alpha / 2, freedom) ** 2
    # Scaled to a ratio and a denominator near one, so that rounding does not depend on units.
    unit = max(abs(denominator), np.sqrt(var_denominator))
    size = max(abs(numerator), np.sqrt(var_numerator)) or 1.0
    n, d, c = numerator / size, denominator / unit, covariance / size / unit
    v_n, v_d = var_numerator / size**2, var_denominator / unit**2
    a, b, e = d**2 - square * v_d, n * d - square * c, n**2 - square * v_n
    root = np.sqrt(max(b**2 - a * e, 0.0))
    scale = size / unit
    if a > 0:
        ends = (b - root) / a * scale, (b + root) / a * scale
        return RatioSet(ratio=ratio, low=ends[0], high=ends[1], kind="bounded")
    if a == 0 and b != 0:  # one side alone has no end
        end = e / (2 * b) * scale
        low, high = (end, -np.inf) if b > 0 else (np.inf, end)
        return RatioSet(ratio=ratio, low=low, high=high, kind="unbounded")
    if a == 0 or b**2 - a * e <= 0:
        return RatioSet(ratio=ratio, low=-np.inf, high=np.inf, kind="whole line")
    ends = (b + root) / a * scale, (b - root) / a * scale
    return RatioSet(ratio=ratio, low=ends[1], high=ends[0], kind="unbounded")


def add_sets(
    frame: pd.DataFrame, *, alpha: float, counted: pd.Series[bool] | None = None
) -> pd.DataFrame:
    """Add per_yuan, low, high and kind to rows with gain, conf_low, conf_high and money.

    Parameters
    ----------
    frame
        Its ``money_sd`` is zero where money is known; ``reason`` says why there is no interval.
    counted
        Which rows have a ratio at all; all by default.
    """
    some = np.ones(len(frame), dtype=bool) if counted is None else counted.to_numpy(bool)
    money = frame["money"].where(some & (frame["money"] > 0)).to_numpy(float)
    frame = frame.assign(per_yuan=frame["gain"] / money)
    known = some & frame["conf_low"].notna().to_numpy() & np.isfinite(money)
    low, high = (
        np.where(known, frame[end] / money, np.nan) for end in ("conf_low", "conf_high")
    )
    both = np.isfinite(low) & np.isfinite(high)
    neither = np.isinf(low) & np.isinf(high)
    kind = np.select(
        [~known, both, neither], ["none", "bounded", "whole line"], "unbounded"
    ).astype(object)
    one = kind == "unbounded"  # to a side alone, which has no end
    low, high = (
        np.where(one & np.isinf(low), np.inf, low),
        np.where(one & np.isinf(high), -np.inf, high),
    )
    z = stats.norm.ppf(1 - alpha / 2)
    for row in np.flatnonzero(known & (frame["money_sd"] > 0).to_numpy()):
        gain, *ends = frame[["gain", "conf_low", "conf_high"]].iloc[row].astype(float)
        half = max(gain - ends[0], ends[1] - gain)
        if np.isinf(half):
            low[row], high[row], kind[row] = -np.inf, np.inf, "whole line"
            continue
        found = fieller_set(
            gain, float(money[row]), var_numerator=(half / z) ** 2,
            var_denominator=float(frame["money_sd"].iloc[row]) ** 2, alpha=alpha,
        )  # fmt: skip
        low[row], high[row], kind[row] = found.low, found.high, found.kind
    return frame.assign(low=low, high=high, kind=kind)
