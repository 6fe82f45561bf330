"""How large an effect must be to be found: by simulation from the study's own residuals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from evaluation.effects.imputation import reestimate_gains
from evaluation.effects.planned import Plan, Residuals, find_residuals, plan_panel
from evaluation.effects.power_result import Power
from evaluation.effects.setup import check_seed
from evaluation.errors import DesignError
from evaluation.gains.design import place_codes
from evaluation.gains.imputation import fit_counterfactual
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains

_MOST_CELLS = 1e8  # simulated in all, but for the fewest draws
_FEWEST_DRAWS = 100
_GRID = np.arange(9) / 4  # of the curve, in minimum detectable effects: 0, 1/4, ..., 2
_NARROWER: tuple[dict[str, Any], ...] = (
    {},
    {"year_effects": "county", "cluster": None},
    {"year_effects": "county", "cluster": "village"},
    {"cluster": "village"},
)
"""Options under which there is an interval, if under the former there is none."""


def simulate_power(
    gains: IncomeGains,
    *,
    n_treated: int | None = None,
    n_comparison: int | None = None,
    n_before: int | None = None,
    n_after: int | None = None,
    alpha: float | None = None,
    power: float = 0.8,
    n_draws: int = 500,
    seed: int = 0,
) -> Power:
    """Find the smallest effect that a panel, or a planned one, would detect.

    Parameters
    ----------
    gains
        The study's estimate, whose options and residuals serve.
    n_treated, n_comparison, n_before, n_after
        Villages and years of a planned panel, all treated at once; what is not given is as in
        the study. By default the study's own panel, holes and cohorts as they are.
    alpha
        1 less the coverage of intervals; by default as in ``gains``.
    power
        The probability with which the effect shall be found.
    n_draws
        Fewer, but at least 100, where villages and years are very many.
    seed
        Of the draws.

    Raises
    ------
    DesignError
        If an option is out of range, too few never treated villages are known in all years, or
        no clustering gives an interval.

    Notes
    -----
    A draw gives each cluster a shock and each village an error of its own, whole paths over the
    years drawn with replacement from the residuals of never treated villages: their clusters'
    means, and their deviations from these, scaled to variances without the means' own error
    (`find_residuals`; after the two-stage bootstrap of Davison, Hinkley 1997, section 3.8).
    Errors keep the correlation over years that they have, which formulas that assume it away
    get wrong (Burlig, Preonas, Woerman 2020, doi:10.1016/j.jdeveco.2020.102458). The effect is
    then estimated as `IncomeGains.by` does, interval and all. An effect that is the same for
    all shifts both by itself: it is found where conf_low >= -effect or conf_high <= -effect,
    and one set of draws gives the whole curve.

    Where the analysis gives no interval, as with four counties, the next one that does is
    simulated: within county by town, then by village; ``reason`` says so.

    A planned panel k times as large has k times as many places (k rounded, at least one).

    Examples
    --------
    >>> from evaluation import Study, estimate_gains, load_data
    >>> gains = estimate_gains(load_data(Study.load("data/jining_simulated")).panel)
    >>> found = simulate_power(gains, n_draws=100)
    >>> found.plan.describe()
    '82 treated and 246 comparison villages, 2014-2022'
    """
    check_seed(seed)
    for name, value in (("power", power), ("alpha", alpha)):
        if value is not None and not 0 < value < 1:
            raise DesignError(f"{name} is {value!r}; give a share, such as 0.8 or 0.05.")
    if n_draws < _FEWEST_DRAWS:
        raise DesignError(f"n_draws is {n_draws}; give at least {_FEWEST_DRAWS}.")
    if alpha is not None:
        gains = replace(gains, options=replace(gains.options, alpha=alpha))
    plan = Plan.of(gains, n_treated, n_comparison, n_before, n_after)
    reasons: list[str] = []
    for changes in _NARROWER:
        try:
            used, template, residuals = _lay_out(gains, plan, changes)
        except DesignError as error:
            reasons.append(str(error))
            continue
        first = judge_draw(template, residuals, np.random.default_rng(seed))
        if np.isfinite(first["conf_low"]):
            break
        reasons.append(f"no interval {_describe(used)}: {first['reason']}")
    else:
        raise DesignError(
            f"power: {'; '.join(dict.fromkeys(reasons))}. Plan more villages, in more places "
            "(n_treated, n_comparison), or fewer years (n_before, n_after)."
        )
    n_draws = min(n_draws, max(_FEWEST_DRAWS, int(_MOST_CELLS / template.fit.excess.size)))
    rng = np.random.default_rng(seed)
    found = [judge_draw(template, residuals, rng) for _ in range(n_draws)]
    draws = np.array([[row["conf_low"], row["conf_high"]] for row in found], dtype=float)
    minimum = _find_minimum(draws, power)
    panel, mean = used.panel, plan.comparison_mean(used)
    log = panel.analysis.form == "log" or panel.variables[panel.outcome].scale != "level"
    mean = np.nan if log or mean <= 0 else mean
    grid = _GRID * minimum if np.isfinite(minimum) else np.zeros(0)
    shares = np.expm1(grid) if log else grid / mean
    curve = pd.DataFrame({"effect": grid, "share": shares, "power": find_power(draws, grid)})
    curve["power_se"] = _binomial_se(curve["power"].to_numpy(), n_draws)
    size = float(find_power(draws, np.zeros(1))[0])
    if np.isnan(minimum):
        reasons.append(f"no effect is found with probability {power:g}: intervals have no end")
    return Power(
        minimum_detectable_effect=minimum,
        minimum_detectable_share=float(np.expm1(minimum)) if log else minimum / mean,
        from_standard_error=_from_standard_error(used, power) if plan.own else np.nan,
        comparison_mean=mean, curve=curve, size=size,
        size_se=float(_binomial_se(np.array([size]), n_draws)[0]), power=power,
        alpha=used.options.alpha, unit=used.unit, plan=plan,
        n_clusters=int(first["n_clusters"]), n_draws=n_draws, seed=seed,
        how=f"{n_draws:,} draws, imputation {_describe(used)}: {first['method']}, "
        f"{first['n_clusters']} clusters",
        reason="; ".join(dict.fromkeys(reasons)), draws=draws,
    )  # fmt: skip


def judge_draw(
    template: IncomeGains, residuals: Residuals, rng: np.random.Generator
) -> pd.Series[Any]:
    """Draw outcomes without effect and estimate it: a row of `IncomeGains.by`."""
    design = template.fit.design
    clusters = place_codes(template.panel, template.cluster)
    drawn = np.where(np.isnan(design.outcome), np.nan, residuals.draw(clusters, rng))
    fit = fit_counterfactual(replace(design, outcome=drawn))
    excess = np.where(template.cells.counted, fit.excess[template.cells.rows], 0)
    cells = replace(template.cells, gains=excess)
    return replace(template, fit=fit, cells=cells).by("programme").iloc[0]


def find_power(draws: Floats, effects: Floats) -> Floats:
    """Give the share of draws (n x 2, conf_low and conf_high) that find each effect."""
    low, high = draws[:, 0, None] + effects, draws[:, 1, None] + effects
    return np.asarray(((low >= 0) | (high <= 0)).mean(axis=0))


def _find_minimum(draws: Floats, power: float) -> float:
    """Give the smallest effect from zero on that is found with a probability; NaN if none."""
    ends = -draws[:, 0]
    candidates = np.sort(np.append(ends[(ends > 0) & np.isfinite(ends)], 0.0))
    enough = find_power(draws, candidates) >= power
    return float(candidates[enough.argmax()]) if enough.any() else np.nan


def _from_standard_error(gains: IncomeGains, power: float) -> float:
    att = gains.att
    freedom = max(int(att["n_clusters"]) - 1, 1)
    quantiles = stats.t.ppf([1 - gains.options.alpha / 2, power], freedom)
    return float(quantiles.sum() * att["se"])


def _binomial_se(share: Floats, n: int) -> Floats:
    """Give the error of a share of n draws; of none or all as of one draw."""
    share = np.clip(share, 1 / n, 1 - 1 / n)
    return np.asarray(np.sqrt(share * (1 - share) / n))


def _lay_out(
    gains: IncomeGains, plan: Plan, changes: dict[str, Any]
) -> tuple[IncomeGains, IncomeGains, Residuals]:
    """Give the analysis with some options changed, the design's, and residuals for it."""
    used = template = reestimate_gains(gains, **changes) if changes else gains
    if not plan.own:
        template = reestimate_gains(
            used, plan_panel(used, plan), covariates=(), weights=None, cluster=used.cluster
        )
    return used, template, find_residuals(used, np.isin(used.panel.years, plan.years))


def _describe(gains: IncomeGains) -> str:
    within = "within county" if gains.options.year_effects == "county" else "across counties"
    return f"with villages compared {within} and errors by {gains.cluster}"
