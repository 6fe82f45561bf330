"""From a village panel and options to the design that the counterfactual is fitted to."""

from __future__ import annotations

from collections.abc import Collection

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

_LARGEST = 1e30  # eighth powers, which shrinkage sums, are still numbers then


def build_design(
    panel: VillagePanel,
    outcome: Floats,
    options: GainOptions,
    *,
    fixed_names: Collection[str] | None = None,
) -> Design:
    """Say which cells are untreated, what they are weighed by, and what else is fitted.

    Parameters
    ----------
    outcome
        N x T, on the scale of the analysis.
    fixed_names
        The covariates that never change in a village. By default the panel is taken as a
        whole: those that do not change in it, and it must have what a gain takes.

    Raises
    ------
    DesignError
        If outcomes are too large, or a covariate or weight cannot serve; of a whole panel see
        also `check_counts`.
    """
    cohort = panel.cohort
    with np.errstate(invalid="ignore"):
        if (np.abs(outcome) > _LARGEST).any():
            raise DesignError(
                f"outcome {panel.outcome!r} is too large: some values are beyond "
                f"{_LARGEST:g}. Mend them, or give it in a larger unit."
            )
        untreated = ~(panel.years >= cohort[:, None] - options.anticipation)
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
        if never_changes(matrix) if fixed_names is None else name in fixed_names:
            fixed.append(np.nan_to_num(values))
            usable &= np.isfinite(values)[:, None]
        else:
            varying.append(matrix)
            usable &= np.isfinite(matrix)
    own = untreated & usable
    never = options.comparison == "never_treated"
    fitted = own & np.isnan(cohort)[:, None] if never else own
    counties = place_codes(panel, "county")
    if fixed_names is None:
        check_counts(
            int((cohort <= panel.years[-1]).sum()), int(fitted.sum()), panel.years, options
        )
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


def check_counts(
    n_treated: int,
    n_fitted: int,
    years: npt.NDArray[np.int64],
    options: GainOptions,
    *,
    cohort: str = "",
) -> None:
    """Refuse villages of which none is treated within the years, or no untreated cell is known.

    Parameters
    ----------
    cohort
        The column of first treated years, where there is no study that names it.

    Raises
    ------
    DesignError
        That says which.
    """
    if not n_treated and cohort:
        raise DesignError(
            f"no village is treated from {years[0]} to {years[-1]}: there is no gain to "
            f"estimate. Column {cohort!r} is to hold the first treated year."
        )
    if not n_treated:
        told = say(
            "no village is treated from {first} to {last}: there is no gain to estimate. Name "
            "the treatment in study.yml (panel.treatment).",
            first=years[0], last=years[-1],
        )  # fmt: skip
        raise DesignError(told)
    if not n_fitted:
        raise DesignError(
            say(
                "no never treated village has a known outcome; use "
                "comparison='not_yet_treated'."
            )
            if options.comparison == "never_treated"
            else say(
                "no village has a known outcome in an untreated year: nothing to compare with."
            )
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


def never_changes(matrix: Floats) -> bool:
    """Whether no village's known values differ over the years."""
    return bool(((matrix == first_known(matrix)[:, None]) | np.isnan(matrix)).all())


def first_known(matrix: Floats) -> Floats:
    """Give each row's first known value, NaN if there is none."""
    known = np.isfinite(matrix)
    first: Floats = matrix[np.arange(len(matrix)), known.argmax(axis=1)]
    return first
