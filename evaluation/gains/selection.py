"""Villages that are likely to be among the top, with the rate of wrong ones held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats

ENOUGH_RELIABILITY = 0.95
"""Below it, ranks of single villages say next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Selection(ShowsSummary):
    """Villages selected as being among the top, with the rate of wrong ones held.

    Attributes
    ----------
    villages
        One row a village, in the order given: tail_probability (that its true gain is among
        the top; NaN where its posterior is not known), selected.
    threshold
        The gain that the top share of true gains exceed.
    expected_fdr
        Expected share of wrong ones among the selected; NaN without any.
    reliability
        Share of the variance of true gains that the posteriors explain. Below
        `ENOUGH_RELIABILITY` ranks of single villages are uninformative.
    share, fdr
        What was asked for.
    """

    villages: pd.DataFrame
    threshold: float
    expected_fdr: float
    reliability: float
    share: float
    fdr: float

    @property
    def selected(self) -> pd.Series[bool]:
        """Whether each village is selected."""
        return self.villages["selected"]

    @property
    def tail_probability(self) -> pd.Series[float]:
        """Each village's probability of being among the top."""
        return self.villages["tail_probability"]

    @property
    def n_selected(self) -> int:
        """How many villages are selected."""
        return int(self.selected.sum())

    def to_frame(self) -> pd.DataFrame:
        """Give the villages, one row each."""
        return self.villages.copy()

    def summary(self) -> str:
        """Say in a sentence or two how many villages are selected and what it is worth."""
        wrong = (
            f", of whom {self.expected_fdr:.0%} are expected not to be"
            if self.n_selected
            else ""
        )
        rank = (
            f" With a reliability of {self.reliability:.2f}, ranks of single villages are "
            "uninformative."
            if not self.reliability >= ENOUGH_RELIABILITY
            else ""
        )
        return (
            f"{self.n_selected:,} of {int(self.tail_probability.notna().sum()):,} villages are "
            f"selected as being among the top {self.share:.0%} of true gains{wrong}.{rank}"
        )


def select_top(
    posterior_mean: pd.Series[float],
    posterior_sd: pd.Series[float],
    *,
    share: float,
    fdr: float,
) -> Selection:
    """Select the villages that are likely to be among the top share of true gains.

    Parameters
    ----------
    posterior_mean, posterior_sd
        N, of each village's gain given the data, in one unit and with one index.
    share
        The top that is sought, such as 0.1.
    fdr
        The expected share of wrong ones among the selected that is tolerated.

    Returns
    -------
    Selection. Villages without a posterior are never selected.

    Raises
    ------
    DesignError
        With a share or fdr that is not between 0 and 1, or with no village's posterior known.

    Notes
    -----
    theta_i ~ N(m_i, v_i) given the data; c solves mean P(theta_i > c) = share; villages are
    taken by falling p_i = P(theta_i > c) for as long as the mean of 1 - p_i among them is at
    most fdr (villages with equal p_i all or none). The rate holds on average over villages, if
    the posteriors are right. Reliability is 1 - mean v_i / (mean v_i + variance of m_i). Gu and
    Koenker (2023, doi:10.3982/ECTA19304) treat selection of the best as such a decision.

    Examples
    --------
    >>> mean = pd.Series({"a": 9.0, "b": 5.0, "c": 1.0, "d": 0.0})
    >>> sd = pd.Series({"a": 1.0, "b": 4.0, "c": 1.0, "d": 1.0})
    >>> select_top(mean, sd, share=0.3, fdr=0.2).selected.to_dict()
    {'a': True, 'b': False, 'c': False, 'd': False}
    """
    for name, value in {"share": share, "fdr": fdr}.items():
        if not 0 < value < 1:
            raise DesignError(f"{name} is {value}; give a share between 0 and 1, such as 0.1.")
    if not posterior_mean.index.equals(posterior_sd.index):
        raise DesignError("posterior_mean and posterior_sd differ in their index; align them.")
    mean, sd = (np.asarray(x, dtype=float) for x in (posterior_mean, posterior_sd))
    known = np.isfinite(mean) & (sd >= 0) & (sd < np.inf)
    if not known.any():
        raise DesignError("no village has a posterior mean and sd; shrink the gains first.")
    mean, sd = mean[known], sd[known]
    threshold = _find_threshold(mean, sd, share)
    tail = _tail(mean, sd, threshold)
    ordered = np.sort(tail)[::-1]
    wrong = np.cumsum(1 - ordered) / np.arange(1, len(ordered) + 1)
    n = int(np.searchsorted(wrong, fdr, side="right"))
    selected = tail > ordered[n] if n < len(tail) else np.ones(len(tail), dtype=bool)
    villages = pd.DataFrame(
        {"tail_probability": np.nan, "selected": False}, index=posterior_mean.index
    )
    villages.loc[known, "tail_probability"] = tail
    villages.loc[known, "selected"] = selected
    within, between = float((sd**2).mean()), float(mean.var())
    return Selection(
        villages=villages,
        threshold=threshold,
        expected_fdr=float(1 - tail[selected].mean()) if selected.any() else np.nan,
        reliability=between / (within + between) if within + between else np.nan,
        share=share,
        fdr=fdr,
    )


def _find_threshold(mean: Floats, sd: Floats, share: float) -> float:
    """Find the 1 - share quantile of the mixture of the villages' normals."""
    reach = 10 + abs(special.ndtri(share))
    low, high = float((mean - reach * sd).min()), float((mean + reach * sd).max())
    if low == high:
        return low
    return float(
        optimize.brentq(lambda value: _tail(mean, sd, value).mean() - share, low, high)
    )


def _tail(mean: Floats, sd: Floats, value: float) -> Floats:
    """Give P(theta > value); for a gain known exactly 1, 0, or a half at the value itself."""
    return np.asarray(special.ndtr((mean - value) / np.maximum(sd, np.finfo(float).tiny)))
