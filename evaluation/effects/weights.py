"""One cohort in one year: its change less that of comparison villages with its baseline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evaluation.errors import DesignError
from evaluation.gains.moments import Bools, Floats
from evaluation.language import say

Method = Literal["means", "doubly_robust", "entropy", "propensity"]

_SEPARATED = 0.999  # R did's: a cohort-year in which a propensity reaches it is left out
_TRIMMED = 0.995  # R DRDID's: comparison villages from here on get no weight
_RANK = 1e-12  # eigenvalues below, relative to the largest, are rounding
_SOLVED = 1e-10  # of a gradient; covariates have a standard deviation of 1
_ROUNDING = 1e-13  # of what is minimised; without it the last step would be refused
_FEWEST = 1.99  # equal villages that balancing weights count as: two, but for rounding
_NEWTON = 100
_HALVINGS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What n villages' changes give.

    Attributes
    ----------
    att
        The mean change of treated villages less the weighted one of comparison villages.
    parts
        n: what each village adds to the error; their squares add up to the variance where
        villages are independent.
    weights
        n: 1/n1 on treated villages; on comparison villages below zero, adding up to -1.
    """

    att: float
    parts: Floats
    weights: Floats


def contrast_changes(
    change: Floats, treated: Bools, covariates: Floats, *, method: Method
) -> Contrast:
    """Compare the change of treated villages with that of comparison villages.

    Parameters
    ----------
    change
        n: the outcome's change since the year before treatment; some treated, some not.
    covariates
        n x K, of that year; K is 0 for "means" alone.
    method
        "means": no weights. "propensity": the odds of treatment. "doubly_robust": the same,
        of what a regression on comparison villages leaves. "entropy": the weights nearest to
        equal ones that balance the covariates' means.

    Raises
    ------
    DesignError
        With a reason of a few words: comparison villages are too few or too unlike.

    Notes
    -----
    With weights a (1/n1 on treated, minus those of comparison villages), r the change or its
    residual and m the side's mean of r, att = sum a r and village i's part is
    a_i (r_i - m) - s_i'B^-1 g - c_i: s and B are scores and information of the weights'
    parameters, g = sum over comparison villages of |a| x (r - m), and c_i the regression's.
    "propensity": Abadie (2005, doi:10.1111/0034-6527.00321) with weights adding up to one;
    "doubly_robust": Sant'Anna, Zhao (2020, doi:10.1016/j.jeconom.2020.06.003), eq. 3.1, by
    logit and least squares, R's DRDID::drdid_panel; "entropy": Hainmueller (2012,
    doi:10.1093/pan/mpr025), for which r less its weighted regression on x takes r's place.

    Examples
    --------
    >>> change, treated = np.array([5.0, 7.0, 1.0, 2.0]), np.array([True, True, False, False])
    >>> contrast_changes(change, treated, np.empty((4, 0)), method="means").att
    4.5
    """
    n_treated = int(treated.sum())
    if method == "means":
        weights = np.where(treated, 1 / n_treated, -1 / (len(treated) - n_treated))
        left = change - _side_means(change, weights, treated)
        return Contrast(att=float(weights @ change), parts=weights * left, weights=weights)
    x = _standardise(covariates)
    _check_span(x, treated)
    find = _balance if method == "entropy" else _weigh_by_odds
    weights, scores, information = find(x, treated)
    if method == "entropy" and 1 / (weights[~treated] ** 2).sum() < _FEWEST:
        raise DesignError(say("balance rests on a single comparison village"))
    residual, regression = change, np.zeros(len(change))
    if method == "doubly_robust":
        compared = x[~treated]
        inverse = _invert(compared.T @ compared)
        residual = change - x @ (inverse @ (compared.T @ change[~treated]))
        regression[~treated] = residual[~treated] * (compared @ (inverse @ (x.T @ weights)))
    own = weights * (residual - _side_means(residual, weights, treated))
    moved = -(x[~treated].T @ own[~treated])
    return Contrast(
        att=float(weights @ residual),
        parts=own - scores @ (_invert(information) @ moved) - regression,
        weights=weights,
    )


def _side_means(values: Floats, weights: Floats, treated: Bools) -> Floats:
    weighted = weights * values
    means: Floats = np.where(treated, weighted[treated].sum(), -weighted[~treated].sum())
    return means


def _standardise(covariates: Floats) -> Floats:
    """Give an intercept and the covariates with mean 0, sd 1; zeros for one without spread."""
    mean, sd = covariates.mean(axis=0), covariates.std(axis=0)
    varies = sd > _RANK * np.abs(mean)
    centred = np.where(varies, covariates - mean, 0) / np.where(varies, sd, 1)
    return np.column_stack([np.ones(len(covariates)), centred])


def _check_span(x: Floats, treated: Bools) -> None:
    """Refuse comparison villages whose covariates do not vary where the treated ones' do."""
    compared = x[~treated]
    ranks = [
        int(np.linalg.matrix_rank(some.T @ some, rtol=_RANK, hermitian=True))
        for some in (x, compared)
    ]
    if ranks[1] < ranks[0] or len(compared) <= ranks[0]:
        raise DesignError(say("too few comparison villages for the covariates"))


def _weigh_by_odds(x: Floats, treated: Bools) -> tuple[Floats, Floats, Floats]:
    """Weigh comparison villages by the odds of treatment, from a logit."""
    d = treated.astype(float)

    def measure(slopes: Floats) -> tuple[float, Floats, Floats]:
        index = x @ slopes
        chance = special.expit(index)
        curvature = x.T @ (x * (chance * (1 - chance))[:, None])
        loss = np.logaddexp(0, index) - d * index
        return float(loss.mean()), x.T @ (chance - d) / len(d), curvature / len(d)

    slopes, gradient, curvature = _minimise(measure, x.shape[1])
    index = x @ slopes
    chance = special.expit(index)
    odds = np.exp(np.where(treated | (chance >= _TRIMMED), -np.inf, index))
    solved = np.abs(gradient).max() < _SOLVED
    if chance.max() >= _SEPARATED or not solved or not odds.any():
        raise DesignError(say("the covariates separate treated from comparison villages"))
    weights = np.where(treated, 1 / d.sum(), -odds / odds.sum())
    return weights, x * (d - chance)[:, None], curvature * len(d)


def _balance(x: Floats, treated: Bools) -> tuple[Floats, Floats, Floats]:
    """Weigh comparison villages so that their means are those of treated villages.

    The dual, log sum exp(z'b) over comparison villages with z from the treated mean, is never
    below 0 where weights exist (it is their entropy at the least): below, there are none.
    """
    distance = x - x[treated].mean(axis=0)
    z = distance[~treated]

    def measure(slopes: Floats) -> tuple[float, Floats, Floats]:
        index = z @ slopes
        shares = special.softmax(index)
        gradient = z.T @ shares
        curvature = z.T @ (z * shares[:, None]) - np.outer(gradient, gradient)
        return float(special.logsumexp(index)), gradient, curvature

    slopes, gradient, _ = _minimise(measure, z.shape[1])
    if not np.abs(gradient).max() < _SOLVED:
        raise DesignError(say("no weights of comparison villages balance the covariates"))
    shares = special.softmax(z @ slopes)
    weights = np.full(len(x), 1 / treated.sum())
    weights[~treated] = -shares
    return weights, distance * weights[:, None], z.T @ (z * shares[:, None])


def _minimise(
    measure: Callable[[Floats], tuple[float, Floats, Floats]], n_slopes: int
) -> tuple[Floats, Floats, Floats]:
    """Minimise what is never below zero by Newton's method, steps halved until they help.

    Returns
    -------
    The slopes, and gradient and curvature there.
    """
    slopes = np.zeros(n_slopes)
    value, gradient, curvature = measure(slopes)
    for _ in range(_NEWTON):
        step = _invert(curvature) @ gradient
        gain = gradient @ step
        if not gain > _SOLVED**2 / 100 or value < -_SOLVED:
            break
        for halving in range(_HALVINGS):
            trial = slopes - 0.5**halving * step
            measured = measure(trial)
            if measured[0] <= value - 1e-4 * 0.5**halving * gain + _ROUNDING:
                break
        slopes, (value, gradient, curvature) = trial, measured
    return slopes, gradient, curvature


def _invert(gram: Floats) -> Floats:
    """Invert what can be: covariates that say the same share their slope."""
    values, vectors = np.linalg.eigh(gram)  # as numpy's pinv, in a third of its time
    known = np.abs(values) > _RANK * np.abs(values).max(initial=0)
    inverse = np.divide(1, values, out=np.zeros_like(values), where=known)
    return np.asarray((vectors * inverse) @ vectors.T, dtype=np.float64)
