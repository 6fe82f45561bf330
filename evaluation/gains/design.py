"""From a village panel and options to the design that the counterfactual is fitted to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.errors import DesignError
from evaluation.gains.imputation import Design
from evaluation.gains.moments import Floats
from evaluation.gains.options import Cluster, GainOptions
from evaluation.language import say

Codes = npt.NDArray[np.intp]


def build_design(panel: VillagePanel, outcome: Floats, options: GainOptions) -> Design:
    """Say which cells are untreated, what they are weighed by, and what else is fitted.

    Parameters
    ----------
    outcome
        N x T, on the scale of the analysis.

    Raises
    ------
    DesignError
        If no village is treated within the years, no untreated cell is known, or a
        covariate or weight cannot serve.
    """
    cohort = panel.cohort
    with np.errstate(invalid="ignore"):
        untreated = ~(panel.years >= cohort[:, None] - options.anticipation)
    if not (cohort <= panel.years[-1]).any():
        told = say(
            "no village is treated from {first} to {last}: there is no gain to estimate. Name "
            "the treatment in study.yml (panel.treatment).",
            first=panel.years[0], last=panel.years[-1],
        )  # fmt: skip
        raise DesignError(told)
    varying: list[Floats] = []
    fixed: list[Floats] = []
    known = np.isfinite(outcome)
    usable = known.copy()
    for name in options.covariates:
        if name == panel.outcome:
            told = say("covariate {name!r} is the outcome itself; leave it out.", name=name)
            raise DesignError(told)
        matrix = panel.matrix(name)
        values = first_known(matrix)
        if ((matrix == values[:, None]) | np.isnan(matrix)).all():
            fixed.append(np.nan_to_num(values))
            usable &= np.isfinite(values)[:, None]
        else:
            varying.append(matrix)
            usable &= np.isfinite(matrix)
    own = untreated & usable
    never = options.comparison == "never_treated"
    fitted = own & np.isnan(cohort)[:, None] if never else own
    if not fitted.any():
        raise DesignError(
            say(
                "no never treated village has a known outcome; use "
                "comparison='not_yet_treated'."
            )
            if never
            else say(
                "no village has a known outcome in an untreated year: nothing to compare with."
            )
        )
    counties = place_codes(panel, "county")
    return Design(
        outcome=outcome if (usable == known).all() else np.where(usable, outcome, np.nan),
        fitted=fitted,
        own=own,
        years=panel.years,
        cohort=cohort,
        weights=village_weights(panel, options.weights),
        group=counties if options.year_effects == "county" else np.zeros_like(counties),
        varying=tuple(varying),
        fixed=tuple(fixed),
        trends=options.trends,
    )


def place_codes(panel: VillagePanel, level: Cluster) -> Codes:
    """Give each village's county, town (within its county) or itself as a number."""
    if level == "village":
        return np.arange(panel.n_villages)
    code = pd.factorize(panel.villages["county"])[0]
    if level == "town":
        towns, names = pd.factorize(panel.villages["town"])
        code = pd.factorize(code * len(names) + towns)[0]
    return code.astype(np.intp)


def cluster_level(panel: VillagePanel, cluster: Cluster | str) -> Cluster:
    """Choose the level at which errors are clustered, where the user has not."""
    if cluster in ("county", "town", "village"):
        return cluster
    return "county" if panel.villages["county"].nunique() > 1 else "village"


def village_weights(panel: VillagePanel, name: str | None) -> Floats:
    """Give each village's weight: the mean of a covariate over the years, or 1.

    Raises
    ------
    DesignError
        If a village has none above zero.
    """
    if name is None:
        return np.ones(panel.n_villages)
    matrix = panel.matrix(name)
    count = np.isfinite(matrix).sum(axis=1)
    weights: Floats = np.nansum(matrix, axis=1) / np.maximum(count, 1)
    if (bad := ~(weights > 0)).any():
        named = ", ".join(map(str, panel.villages.index[bad][:5]))
        told = say(
            "weights {name!r}: {n:,} villages have none above zero, such as {named}. Mend "
            "them, or leave weights out.",
            name=name, n=int(bad.sum()), named=named,
        )  # fmt: skip
        raise DesignError(told)
    return weights


def first_known(matrix: Floats) -> Floats:
    """Give each row's first known value, NaN if there is none."""
    known = np.isfinite(matrix)
    first: Floats = matrix[np.arange(len(matrix)), known.argmax(axis=1)]
    return first
