"""What is known of villages before the programme, laid out to regress gains on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from evaluation.effects.imputation import reestimate_gains
from evaluation.errors import DesignError, suggest
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

OTHER = mark("other")
"""What the groups are called that have too few villages to stand alone."""

FEWEST = 5
"""Villages that a group needs to stand alone, and that each coefficient needs."""

_MOST_GROUPS = 20
_ALIKE = mark("it is the same in all villages, or known of none")
_PLACES = ("county", "town", "cohort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Regressors:
    """Traits as regressors.

    Attributes
    ----------
    matrix
        Villages x regressors, NaN where the trait is not known.
    about
        One row a regressor: trait, level (the group; "" of a number), reference (the group it
        is compared with), sd (of a number, over villages with a gain; NaN of a group).
    reasons
        Why a trait gives no regressor.
    """

    matrix: pd.DataFrame
    about: pd.DataFrame
    reasons: dict[str, str]


def baseline_traits(gains: IncomeGains, names: Sequence[str]) -> pd.DataFrame:
    """Give villages' traits, and covariates as they were before the programme.

    Parameters
    ----------
    names
        Traits of the panel; county, town or cohort; covariates, of which each village's last
        value before its first treated year counts (less anticipation), of villages never
        treated the last before the earliest cohort.

    Returns
    -------
    DataFrame indexed by all villages of the panel, a column a name; NaN or "" where unknown.

    Raises
    ------
    DesignError
        If a name is none of these, or is the outcome or a kind of income.
    """
    panel = gains.panel
    found: dict[str, Any] = {}
    covariates = [name for name, v in panel.variables.items() if v.role == "covariate"]
    known = [*panel.traits, *_PLACES, *covariates]
    for name in names:
        if name in panel.variables and name not in covariates:
            raise DesignError(
                f"{name!r} is an outcome: before the programme it is in the gains' own error. "
                "Use hold_out, which takes it from years that gains are then not measured from."
            )
        if name not in known:
            raise DesignError(f"villages have no trait {name!r}; {suggest(name, known)}")
        if name in covariates:
            found[name] = _last_before(gains, panel.matrix(name))
        elif name == "cohort":
            cohort = panel.villages[name]
            found[name] = cohort.astype("Int64").astype("str").where(cohort.notna(), "")
        else:
            found[name] = panel.villages[name]
    return pd.DataFrame(found, index=panel.villages.index)


def hold_out(gains: IncomeGains, *, n_years: int = 1) -> tuple[IncomeGains, pd.Series[float]]:
    """Take the outcome of the first years for a baseline, and estimate gains without them.

    Returns
    -------
    The gains, estimated anew with the same options, and each village's mean outcome over the
    first ``n_years``, on the scale of the analysis.

    Notes
    -----
    A gain is measured from a village's own level before the programme. Where chance made the
    outcome of a year before high, the gain is low: -1/T0 of that chance, with T0 years before.
    A regression of gains on that year's outcome then finds regression to the mean. Years that
    gains are not measured from have no such part, if errors of one year say nothing of another
    year's; where they do, some of it is left.

    Raises
    ------
    DesignError
        If without those years there is nothing to estimate.
    """
    panel, design = gains.panel, gains.fit.design
    if not 0 < n_years < len(panel.years):
        raise DesignError(
            f"hold_out is {n_years}; give a number of years, from 1 to {len(panel.years) - 1}."
        )
    early = design.own[:, :n_years]
    sums = np.where(early, design.outcome[:, :n_years], 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        baseline = sums / np.where(early.any(axis=1), early.sum(axis=1), np.nan)
    masked = panel.matrix().copy()
    masked[:, :n_years] = np.nan
    matrices = {**panel.matrices, panel.outcome: masked}
    again = reestimate_gains(gains, replace(panel, matrices=matrices))
    return again, pd.Series(baseline, index=panel.villages.index)


def lay_out(traits: pd.DataFrame, gained: pd.Index[Any]) -> Regressors:
    """Make regressors of traits: numbers as they are, groups against the commonest one.

    Words are "" or missing where not known. Groups are counted by the villages ``gained``.
    """
    columns: dict[str, pd.Series[float]] = {}
    rows, reasons = [], {}
    for name in map(str, traits):
        values = traits[name]
        if is_numeric_dtype(values) or is_bool_dtype(values):
            values = values.astype(float)
            sd = float(values.reindex(gained).std())
            if sd > 0:
                columns[name] = values
                rows.append((name, name, "", "", sd))
            else:
                reasons[name] = say(_ALIKE)
            continue
        groups = group_villages(values, gained)
        counts = groups.reindex(gained).value_counts().sort_index()
        counts = counts.sort_values(ascending=False, kind="stable")
        if len(counts) < 2:
            small = say("no group has {n} villages", n=FEWEST)
            reasons[name] = small if OTHER in counts else say(_ALIKE)
            continue
        named = [level for level in counts.index if level != OTHER]
        for level in [*named[1:], OTHER] if OTHER in counts else named[1:]:
            column = f"{name}: {level}"
            columns[column] = (groups == level).astype(float).where(groups.notna())
            rows.append((column, name, level, named[0], np.nan))
    about = pd.DataFrame(rows, columns=["regressor", "trait", "level", "reference", "sd"])
    return Regressors(
        matrix=pd.DataFrame(columns, index=traits.index),
        about=about.set_index("regressor"),
        reasons=reasons,
    )


def group_villages(labels: pd.Series[Any], gained: pd.Index[Any]) -> pd.Series[Any]:
    """Give villages' groups as words, missing where "": those of few villages become `OTHER`.

    So do groups beyond the twenty largest.

    Examples
    --------
    >>> labels = pd.Series(["a"] * 5 + ["b", "c", ""], index=list("12345678"))
    >>> group_villages(labels, labels.index).tolist()[4:]
    ['a', 'other', 'other', nan]
    """
    words = labels.astype("object").where(labels.notna(), "").astype("str")
    counts = words[words != ""].reindex(gained).value_counts().sort_index()
    large = counts[counts >= FEWEST].nlargest(_MOST_GROUPS).index
    return words.where(words.isin(large), OTHER).where(words != "")


def _last_before(gains: IncomeGains, values: Floats) -> Floats:
    """Take each village's last known value from before it, or anybody, may be affected."""
    panel = gains.panel
    cohort = np.where(np.isnan(panel.cohort), np.nanmin(panel.cohort), panel.cohort)
    before = panel.years < (cohort - gains.options.anticipation)[:, None]
    known = np.isfinite(values) & before
    last = values.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.where(known.any(axis=1), values[np.arange(len(values)), last], np.nan)
