"""A regression with fixed effects, as published tables print them: pyfixest, with its words."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.effects.setup import FixedEffectsCounted, check_choice
from evaluation.errors import DesignError, suggest
from evaluation.gains.clusters import ENOUGH_CLUSTERS
from evaluation.gains.scale import to_analysis_scale

_TOLERANCE = 1e-10  # of the iterations that take effects out: estimates keep nine digits
_FOLLOWS = "follows from the others and the effects"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class FixedEffectsRegression(ShowsSummary):
    """A regression with fixed effects, and how it was made.

    Attributes
    ----------
    outcome, regressors, controls, effects, trends_by, cluster, fixed_effects, alpha
        As they were asked for; see `regress_outcome`.
    coefficients
        One row a regressor, then the controls, index "regressor": estimate, se, conf_low,
        conf_high, p_value, reason (why there is none).
    n_obs, n_clusters
        Rows and clusters that it rests on; no clusters is 0.
    n_missing, n_single
        Rows left out: with a value missing, and alone in a village (or another effect).
    """

    outcome: str
    regressors: tuple[str, ...]
    controls: tuple[str, ...]
    effects: tuple[str, ...]
    trends_by: str | None
    cluster: str | None
    fixed_effects: FixedEffectsCounted
    alpha: float
    coefficients: pd.DataFrame
    n_obs: int
    n_clusters: int
    n_missing: int
    n_single: int

    def to_frame(self) -> pd.DataFrame:
        """Give the coefficients, one row each."""
        return self.coefficients.copy()

    def summary(self) -> str:
        """Say the regressors' coefficients, and how they were estimated."""
        lines = []
        for name, row in self.coefficients.loc[list(self.regressors)].iterrows():
            found = (
                f"{row['estimate']:.4g} (se {row['se']:.4g}, {1 - self.alpha:.0%} interval "
                f"{row['conf_low']:.4g} to {row['conf_high']:.4g})"
            )
            lines.append(f"{name}: {row['reason'] or found}")
        model = [f"{self.n_obs:,} rows", "no fixed effects"]
        if self.effects:
            model[1] = f"effects of {', '.join(self.effects)}"
        if self.trends_by:
            model.append(f"linear trends by {self.trends_by}")
        if self.controls:
            model.append(f"controls {', '.join(self.controls)}")
        errors = "taken as independent and alike"
        if self.cluster:
            errors = f"clustered by {self.cluster} ({self.n_clusters:,})"
        lines.append(f"{self.outcome}: {', '.join(model)}")
        lines.append(f"errors {errors}, effects counted: {self.fixed_effects}")
        if self.n_missing or self.n_single:
            lines.append(
                f"left out: {self.n_missing:,} rows with a value missing, {self.n_single:,} "
                "alone in one of the effects"
            )
        if self.cluster and self.n_clusters < ENOUGH_CLUSTERS:
            lines.append("fewer than 30 clusters: such intervals are too narrow")
        return "\n".join(lines)


def regress_outcome(
    data: VillagePanel | pd.DataFrame,
    outcome: str,
    regressors: Sequence[str],
    *,
    cluster: str | None,
    effects: Sequence[str] = ("village", "year"),
    trends_by: str | None = None,
    controls: Sequence[str] = (),
    fixed_effects: FixedEffectsCounted = "nested",
    alpha: float = 0.05,
) -> FixedEffectsRegression:
    """Regress an outcome with fixed effects and, if wanted, linear trends.

    Parameters
    ----------
    data
        A panel, or one row a village and year (or household, or whatever the effects name).
        Of a panel the outcome is on the scale of its analysis, and besides its variables it
        has village, year, county, town, and treated (0/1).
    outcome, regressors, controls
        Columns of numbers. Rows with one missing are left out and counted.
    cluster
        The column that errors may be correlated within. None takes errors as independent and
        of one variance, which in a panel they are not; some published tables do.
    effects
        Columns whose every value has an effect; "county^year" for those of two columns
        together; () for a constant alone.
    trends_by
        A column whose every value has a linear trend over "year".
    fixed_effects
        Which effects count in the degrees of freedom of clustered errors; see Notes.
    alpha
        1 less the coverage.

    Returns
    -------
    FixedEffectsRegression. A regressor that follows from the others and the effects has no
    estimate, and that reason.

    Raises
    ------
    DesignError
        If a column is not there or holds no numbers, or no row or regressor is left.

    Notes
    -----
    Clustered variances are multiplied by (N - 1)/(N - k) C/(C - 1), with N rows and C
    clusters; t has C - 1 degrees of freedom. k counts the columns and effects. "nested" does
    not count effects that lie within clusters (villages, clustered by village), as R's fixest
    and Stata's reghdfe, and leaves out rows that are alone in an effect, as reghdfe; "full"
    counts all effects and keeps those rows, as Stata's areg. With T years, village effects and
    clusters, "full" errors are larger by about the root of T/(T - 1): a choice between
    published conventions, of which neither is wrong, and no difference with many years.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> found = regress_outcome(panel, panel.outcome, ["treated"], cluster="town")
    >>> found.to_frame().loc["treated", ["estimate", "se"]].astype(float).round(-2).to_dict()
    {'estimate': 53200.0, 'se': 2200.0}
    >>> found.n_obs, found.n_clusters
    (2870, 17)
    """
    check_choice("fixed_effects", fixed_effects, FixedEffectsCounted)
    names = (*regressors, *controls)
    frame = _read(data, outcome)
    clusters = [cluster] if cluster else []
    places = [part for effect in effects for part in effect.split("^")]
    by = [trends_by, "year"] if trends_by else []
    for name in (outcome, *names, *clusters, *places, *by):
        if name not in frame:
            raise DesignError(f"there is no column {name!r}; {suggest(name, frame.columns)}")
    if not regressors or len(set(names)) < len(names) or outcome in names:
        raise DesignError("name one or more regressors, each once, the outcome not among them.")
    used = list(dict.fromkeys((outcome, *names, *clusters, *places, *by)))
    rows = frame[used].replace([np.inf, -np.inf], np.nan).dropna()
    if cluster and rows[cluster].nunique() < 2:
        raise DesignError(
            f"{len(rows):,} rows are complete, of {rows[cluster].nunique()} {cluster}: errors "
            "cannot be clustered by it; take a finer one."
        )
    values = pd.DataFrame({name: _numbers(rows, name) for name in (outcome, *names)})
    # pyfixest tells columns that follow from others by an absolute size.
    spread = values.std(ddof=0).to_numpy()
    size = np.where(spread > 0, spread, 1.0)
    table = pd.DataFrame(values / size)
    table.columns = ["y", *(f"x{at}" for at in range(len(names)))]
    if trends_by:
        # Of all places but the first, where years have effects.
        code, year = pd.factorize(rows[trends_by], sort=True)[0], _numbers(rows, "year")
        own = range(int("year" in effects), code.max(initial=0) + 1)
        trends = {f"t{at}": (year - year.mean()).where(code == at, 0) for at in own}
        table = pd.concat([table, pd.DataFrame(trends, index=table.index)], axis=1)
    for at, effect in enumerate(effects):
        table[f"f{at}"] = rows.groupby(effect.split("^")).ngroup()
    table["c"] = pd.factorize(rows[cluster])[0] if cluster else 0
    if effects and fixed_effects == "nested" and _all_alone(table, len(effects)):
        raise DesignError(
            f"every one of {len(table):,} rows is alone in one of the effects "
            f"({', '.join(effects)}): nothing is left to compare. Leave that effect out."
        )
    fit = _fit(table, n_effects=len(effects), clustered=bool(clusters), counted=fixed_effects)
    found = pd.DataFrame({"estimate": fit.coef(), "se": fit.se()})
    found[["conf_low", "conf_high"]] = fit.confint(alpha=alpha).to_numpy()
    found = found.reindex([f"x{at}" for at in range(len(names))])
    found = found.mul(size[0] / size[1:], axis=0).assign(p_value=fit.pvalue())
    found["reason"] = np.where(found["estimate"].isna(), _FOLLOWS, "")
    found.index = pd.Index(names, name="regressor")
    return FixedEffectsRegression(
        outcome=outcome, regressors=tuple(regressors), controls=tuple(controls),
        effects=tuple(effects), trends_by=trends_by, cluster=cluster,
        fixed_effects=fixed_effects, alpha=alpha, n_obs=int(fit._N),
        coefficients=found, n_clusters=int(fit._G[0]) if cluster else 0,
        n_missing=len(frame) - len(rows), n_single=len(rows) - int(fit._N),
    )  # fmt: skip


def _read(data: VillagePanel | pd.DataFrame, outcome: str) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    frame = data.to_frame()
    if outcome == data.outcome:
        frame[outcome] = to_analysis_scale(data).matrix[data.rows]
    frame["town"] = frame["county"] + "/" + frame["town"]  # names that two counties share
    return frame.assign(treated=data.treated_cells[data.rows].astype(float))


def _numbers(rows: pd.DataFrame, name: str) -> pd.Series[float]:
    try:
        return rows[name].astype(float)
    except (TypeError, ValueError) as error:
        raise DesignError(f"column {name!r} holds no numbers: {error}") from error


def _all_alone(table: pd.DataFrame, n_effects: int) -> bool:
    """Whether no row is left once those alone in an effect are out, one after another."""
    names = [f"f{at}" for at in range(n_effects)]
    left = table[names]
    while len(left):
        sizes = [left.groupby(name)[name].transform("size") for name in names]
        alone = np.min(sizes, axis=0) == 1
        if not bool(np.any(alone)):
            return False
        left = left[~np.asarray(alone)]
    return True


def _fit(table: pd.DataFrame, *, n_effects: int, clustered: bool, counted: str) -> Any:
    """Call pyfixest; what it warns of is told by the result.

    The names are ours: it miscounts the effects of a column named as the clusters are.
    """
    import pyfixest as pf

    columns = [name for name in map(str, table) if name[0] in "xt"]
    effects = "+".join(f"f{at}" for at in range(n_effects))
    full = counted == "full"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return pf.feols(
                f"y ~ {' + '.join(columns)}{' | ' * bool(effects)}{effects}",
                table,
                vcov={"CRV1": "c"} if clustered else "iid",
                ssc=pf.ssc(k_fixef="full" if full else "nonnested"),
                fixef_rm="none" if full else "singleton",
                demeaner=pf.MapDemeaner(fixef_tol=_TOLERANCE),
            )
        except ValueError as error:
            raise DesignError(
                f"{len(table):,} rows leave nothing to regress: {' '.join(str(error).split())}"
            ) from error
