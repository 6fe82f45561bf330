"""The regressions behind `regress_drivers`: one model of gains on some traits at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluation.effects.clustered import decided_by_one, joint_test, regress_clustered
from evaluation.effects.regressors import FEWEST, Regressors
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Floats
from evaluation.gains.regression import find_shares, is_regular, regress_gains
from evaluation.gains.result import IncomeGains
from evaluation.language import say

KEYS = ["trait", "level", "reference", "model", "weighting"]
INTERVAL = ["estimate", "se", "conf_low", "conf_high", "p_value"]
COLUMNS = [*KEYS, *INTERVAL, "n_villages", "n_clusters", "method", "reason", "sd"]
TESTS = ["trait", "model", "n_villages", "n_coefficients", "p_value", "p_holm", "explained",
         "explained_true", "reason"]  # fmt: skip
ALL = "all"
"""The trait of the test that all traits of a model are nothing."""

_KNOWN = 0.8  # of the villages: so many must be known of a trait to stand with the others
_MOST_TOGETHER = 25  # coefficients: with few clusters each is fitted anew without each
_FEWEST_COMPARED = 30  # comparison villages


def gained_villages(gains: IncomeGains) -> pd.DataFrame:
    """Give the treated villages that have a gain.

    Returns
    -------
    DataFrame, index "village": gain, variance (of its error; NaN where unknown), cluster (a
    number).
    """
    known = gains.villages.loc[gains.villages["gain"].notna(), ["gain", "variance"]]
    codes = pd.Series(place_codes(gains.panel, gains.cluster), index=gains.panel.villages.index)
    return known.assign(cluster=codes)


def compared_villages(gains: IncomeGains) -> pd.DataFrame:
    """Give never treated villages with what they gained between the years of treatment.

    The mean of their years from the commonest cohort's first on, less that of the years before,
    both after year effects: where incomes without the programme do not go apart, noise.

    Returns
    -------
    DataFrame, index "village": gain, cluster.
    """
    panel, excess = gains.panel, gains.fit.excess
    cohorts, counts = np.unique(gains.cells.cohort, return_counts=True)
    first = cohorts[counts.argmax()]
    after, before = panel.years >= first, panel.years < first - gains.options.anticipation
    known, never = np.isfinite(excess), np.isnan(gains.fit.design.cohort)
    never &= known[:, after].any(axis=1) & known[:, before].any(axis=1)
    change = [np.nanmean(excess[never][:, some], axis=1) for some in (after, before)]
    codes = place_codes(panel, gains.cluster)[never]
    return pd.DataFrame(
        {"gain": change[0] - change[1], "cluster": codes}, index=panel.villages.index[never]
    )


def fit_gains(
    gains: IncomeGains, laid: Regressors, traits: list[str], model: str, *, seed: int
) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Regress gains on some traits, each village alike and by precision, and test each trait.

    Returns
    -------
    Rows of `Drivers.frame` and of `Drivers.tests`; of a model with several traits the last
    test is of all.
    """
    about, x, villages = _prepare(gained_villages(gains), laid, traits)
    gain, variance, clusters = (
        villages[name].to_numpy() for name in ("gain", "variance", "cluster")
    )
    test = {
        "model": model, "n_villages": len(x), "n_coefficients": 0, "p_value": np.nan,
        "explained": np.nan, "explained_true": np.nan,
    }  # fmt: skip
    if reason := _why_not(x):
        none = pd.DataFrame(np.nan, index=about.index, columns=INTERVAL)
        none = none.assign(n_clusters=0, method="", reason=reason)
        tests = [test | {"trait": trait, "reason": reason} for trait in traits]
        return _rows(about, model, "equal", none, x), tests
    alpha = gains.options.alpha
    regressors = pd.DataFrame(x, index=villages.index, columns=["one", *about.index])
    equal = regress_gains(gains, regressors).to_frame().iloc[1:]
    frames = [_rows(about, model, "equal", equal, x)]
    own = variance > 0
    if not _why_not(x[own]):
        tau2 = max(true_variance(x[own], gain[own], variance[own]), 0.0)
        precise = regress_clustered(
            x[own], gain[own], clusters=clusters[own], weights=1 / (tau2 + variance[own]),
            alpha=alpha,
        )  # fmt: skip
        frames.append(_rows(about, model, "precision", precise.iloc[1:], x[own]))
    tests = []
    for trait in [*traits, ALL] if len(traits) > 1 else traits:
        tested = np.append(False, about["trait"].eq(trait) | (trait == ALL))
        joint = joint_test(
            x, np.eye(len(tested))[tested], gain, null=x[:, ~tested], clusters=clusters,
            alpha=alpha, seed=seed,
        )  # fmt: skip
        p_value, reason = joint.p_value, joint.reason
        if tested.sum() == 1:  # one coefficient's own test, so that no other stands beside it
            p_value, reason = equal[["p_value", "reason"]].to_numpy(object)[tested[1:]][0]
        found = {"trait": trait, "n_coefficients": int(tested.sum()), "reason": str(reason)}
        found |= {"p_value": float(p_value)}
        if tested[1:].all():
            found |= _explained(x, gain, variance)
        tests.append(test | found)
    return pd.concat(frames, ignore_index=True), tests


def fit_compared(gains: IncomeGains, laid: Regressors) -> pd.DataFrame:
    """Regress comparison villages' changes on each trait that is known of them."""
    compared, frames = compared_villages(gains), [pd.DataFrame(columns=COLUMNS)]
    for trait in dict.fromkeys(laid.about["trait"]):
        about, x, villages = _prepare(compared, laid, [trait])
        if len(x) >= _FEWEST_COMPARED and not _why_not(x):
            found = regress_clustered(
                x, villages["gain"].to_numpy(), clusters=villages["cluster"].to_numpy(),
                alpha=gains.options.alpha,
            )  # fmt: skip
            frames.append(_rows(about, "comparison", "equal", found.iloc[1:], x))
    return pd.concat(frames[1:] or frames, ignore_index=True)


def choose_together(gained: pd.DataFrame, laid: Regressors) -> tuple[list[str], dict[str, str]]:
    """Take traits one after the other, as far as villages suffice and none follows.

    Returns
    -------
    The traits, and why others are left out.
    """
    chosen: list[str] = []
    reasons = {}
    for trait in dict.fromkeys(laid.about["trait"]):
        known = len(_prepare(gained, laid, [trait])[1]) / len(gained)
        _, x, villages = _prepare(gained, laid, [*chosen, trait])
        codes = villages["cluster"].to_numpy()
        if known < _KNOWN:
            reason = say("known of {share:.0%} of the villages", share=known)
        elif len(x) < FEWEST * x.shape[1]:
            reasons[trait] = say("not among all together, as villages are too few")
            continue
        elif reason := _why_not(x):
            pass
        elif x.shape[1] > _MOST_TOGETHER:
            reason = say("that would be more than {n} coefficients", n=_MOST_TOGETHER)
        elif decided_by_one(x, np.eye(x.shape[1]), clusters=codes).any():
            reason = say("without one of the clusters it cannot be told")  # nor could others
        if reason:
            reasons[trait] = say("not among all together ({reason})", reason=reason)
        else:
            chosen.append(trait)
    return chosen, reasons


def true_variance(x: Floats, gain: Floats, variance: Floats) -> float:
    """Give the variance of true gains around a regression; chance may bring it below zero.

    Notes
    -----
    (RSS - sum (1 - h_i) s_i^2) / (n - K), h_i the leverage, s_i^2 the errors' variances.
    """
    free = 1 - (x * find_shares(x).T).sum(axis=1)
    return float((_left(x, gain) - (free * variance).sum()) / (len(x) - x.shape[1]))


def _prepare(
    villages: pd.DataFrame, laid: Regressors, traits: list[str]
) -> tuple[pd.DataFrame, Floats, pd.DataFrame]:
    """Give what the traits' regressors are, them with a constant, and the villages."""
    about = laid.about[laid.about["trait"].isin(traits)]
    known = laid.matrix[about.index].reindex(villages.index).dropna()
    x = np.column_stack([np.ones(len(known)), known.to_numpy(float)])
    return about, x, villages.loc[known.index]


def _why_not(x: Floats) -> str:
    n, k = x.shape
    if n < FEWEST * k:
        return say(
            "{n:,} villages are too few for {k} coefficients, which take {needed}",
            n=n, k=k, needed=FEWEST * k,
        )  # fmt: skip
    return "" if is_regular(x) else say("it follows from the others")


def _rows(
    about: pd.DataFrame, model: str, weighting: str, found: pd.DataFrame, x: Floats
) -> pd.DataFrame:
    rows = about.reset_index(drop=True).join(found.reset_index(drop=True))
    return rows.assign(model=model, weighting=weighting, n_villages=len(x))[COLUMNS]


def _explained(x: Floats, gain: Floats, variance: Floats) -> dict[str, float]:
    """Give the adjusted R2 of gains, and that of true gains."""
    one, own = x[:, :1], variance > 0
    freedom = (len(x) - 1) / (len(x) - x.shape[1])
    found = {"explained": 1 - _left(x, gain) / _left(one, gain) * freedom}
    if not _why_not(x[own]):
        around, whole = (true_variance(z[own], gain[own], variance[own]) for z in (x, one))
        if whole > 0:
            found["explained_true"] = 1 - around / whole
    return found


def _left(x: Floats, gain: Floats) -> float:
    """Give the sum of squares that a regression leaves."""
    return float(((gain - x @ (find_shares(x) @ gain)) ** 2).sum())
