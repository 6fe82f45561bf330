"""Income gains of treated villages: the entry to the package's core."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.errors import DesignError
from evaluation.gains.design import build_design
from evaluation.gains.imputation import Counterfactual, Positions, fit_counterfactual
from evaluation.gains.inference import (
    MOST_PLACEBOS,
    VillageIntervals,
    n_needed,
    placebo_intervals,
)
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.options import Cluster, Comparison, GainOptions, YearEffects
from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import to_analysis_scale, to_yuan
from evaluation.gains.targets import TreatedCells
from evaluation.language import say, say_count, sentences


class NoGainsError(DesignError):
    """Options and data that are sound leave no treated village with a gain."""


def estimate_gains(
    panel: VillagePanel,
    *,
    comparison: Comparison = "not_yet_treated",
    covariates: Sequence[str] = (),
    anticipation: int = 0,
    weights: str | None = None,
    alpha: float = 0.05,
    year_effects: YearEffects = "common",
    trends: bool = False,
    cluster: Cluster | None = None,
) -> IncomeGains:
    """Estimate how much income each treated village has above what it would have had.

    Parameters
    ----------
    panel
        N villages x T years, unbalanced or not; the outcome on the scale that its study
        names.
    comparison
        Whose untreated years the year effects are fitted on: "not_yet_treated", all
        untreated years of all villages, or "never_treated" villages alone.
    covariates
        Names in the panel. Those that never change within a village get a slope a year.
    anticipation
        Years before the first treated one that may be affected: not used as untreated.
    weights
        A covariate to weigh villages by, its mean over the years; by default all count alike.
    alpha
        1 less the nominal coverage of intervals.
    year_effects
        "common", or "county": each county has year effects of its own, so that villages are
        compared within their county.
    trends
        Give each village a linear trend of its own; needs two untreated years.
    cluster
        The level that errors are clustered at in averages: county, town, village. By default
        the county if there are several, else the village.

    Returns
    -------
    IncomeGains: gains, intervals, averages; a village without a gain or an interval has the
    reason beside it.

    Raises
    ------
    DesignError
        If an option is unknown, no village is treated within the years, nothing untreated is
        known, or the outcome has no value on its scale; NoGainsError if no treated village
        has a gain.

    Notes
    -----
    Without the programme y_it(0) = a_i + l_t + x_it b + e_it, fitted by least squares on
    untreated village-years (Borusyak, Jaravel, Spiess 2024, doi:10.1093/restud/rdae007); the
    gain of a village-year is tau_it = y_it - y_it(0), and g_i their mean over its treated
    years. Estimand: the effect on village i over the years observed, if without the programme
    villages would have changed alike (parallel trends) and what is done in one village does
    not reach another. Intervals of single villages: `placebo_intervals`; of averages:
    `average_gains`, and of counties and towns `place_intervals`.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> gains = estimate_gains(load_data(Study.load("data/jining_simulated")).panel)
    >>> print(gains.to_frame()[["gain", "conf_low", "conf_high"]].iloc[0].round(-2).to_dict())
    {'gain': 87100.0, 'conf_low': 57700.0, 'conf_high': 116500.0}
    """
    options = GainOptions(
        comparison=comparison, covariates=tuple(covariates), anticipation=anticipation,
        weights=weights, alpha=alpha, year_effects=year_effects, trends=trends,
        cluster=cluster or "",
    )  # fmt: skip
    scaled = to_analysis_scale(panel)
    design = build_design(panel, scaled.matrix, options)
    fit = fit_counterfactual(design)
    treated = np.flatnonzero(panel.cohort <= panel.years[-1])
    after = panel.years >= panel.cohort[treated, None]
    counted = after & np.isfinite(fit.excess[treated])
    some = counted.any(axis=1)
    rows = treated[some]
    cells = TreatedCells(
        rows=rows,
        counted=counted[some],
        gains=np.where(counted, fit.excess[treated], 0)[some],
        weights=counted[some] * design.weights[rows, None],
        cohort=panel.cohort[rows],
    )
    n_treated = cells.counted.sum(axis=1)
    gain = cells.gains.sum(axis=1) / n_treated
    found = _find_intervals(fit, cells, gain, options)
    yuan = np.where(cells.counted, _in_yuan(panel, fit, rows), np.nan)
    frame = pd.DataFrame(
        {
            "gain": gain,
            "gain_yuan": np.where(cells.counted, yuan, 0).sum(axis=1) / n_treated,
            "conf_low": gain - found.half_width,
            "conf_high": gain + found.half_width,
            "p_value": found.p_value,
            "spread": found.spread,
            "variance": found.variance,
            "n_placebos": found.n_placebos,
            "n_treated": n_treated,
            "untreated_years": _label_years(panel, found.own, found.pattern),
            "treated_years": _label_years(panel, found.used, found.pattern),
        },
        index=panel.villages.index[rows],
    ).reindex(panel.villages.index[treated])
    frame = panel.villages.iloc[treated].join(frame)
    frame["n_untreated"] = design.own[treated].sum(axis=1)
    for name in ("n_treated", "n_placebos"):
        frame[name] = frame[name].fillna(0).astype(int)
    known = np.asarray((after & np.isfinite(design.outcome[treated])).any(axis=1))
    frame["reason"] = _find_reasons(frame, known, options)
    if not some.any():
        raise NoGainsError(_why_no_gains(frame["reason"], options))
    return IncomeGains(
        panel=panel,
        options=options,
        villages=frame,
        fit=fit,
        cells=cells,
        yuan=yuan,
        unit=scaled.unit,
        n_zeros_left_out=scaled.n_left_out,
        n_cells_left_out=int((np.isfinite(scaled.matrix) & np.isnan(design.outcome)).sum()),
    )


def _why_no_gains(reasons: pd.Series[Any], options: GainOptions) -> str:
    counts = reasons.astype(str).value_counts()
    told = say("; ").join(
        say("{n:,} with {reason}", n=n, reason=reason) for reason, n in counts.items()
    )
    lower = say("Lower anticipation ({n}).", n=options.anticipation)
    return sentences(
        say("no treated village has a gain: {reasons}.", reasons=told),
        lower if options.anticipation else "",
    )


def _find_intervals(
    fit: Counterfactual, cells: TreatedCells, gain: Floats, options: GainOptions
) -> VillageIntervals:
    design, pool = fit.design, _choose_placebos(fit, options)
    return placebo_intervals(
        gain,
        fit.excess[cells.rows],
        design.own[cells.rows],
        cells.counted,
        fit.excess[pool],
        design.own[pool] & np.isfinite(fit.excess[pool]),
        times=design.years - design.years.mean() if design.trends else None,
        alpha=options.alpha,
        rounding=design.rounding,
    )


def _choose_placebos(fit: Counterfactual, options: GainOptions) -> Positions:
    """Choose the villages that serve as placebos.

    Never treated ones, every k-th where there are very many; where they are too few, all
    villages count, each for the years in which it is untreated.
    """
    known = fit.design.own.any(axis=1)
    rows = np.flatnonzero(known & np.isnan(fit.design.cohort))
    if len(rows) < n_needed(options.alpha):
        rows = np.flatnonzero(known)
    return rows[:: max(1, -(-len(rows) // MOST_PLACEBOS))]


def _in_yuan(panel: VillagePanel, fit: Counterfactual, rows: Positions) -> Floats:
    smearing = 1.0
    if panel.analysis.form == "log":
        smearing = float(np.nanmean(np.exp(fit.excess[fit.design.fitted])))
    excess = fit.excess[rows]
    counterfactual = fit.design.outcome[rows] - excess
    return to_yuan(panel, counterfactual, excess, smearing=smearing, rows=rows)


def _label_years(panel: VillagePanel, patterns: Bools, code: Positions) -> pd.Categorical[str]:
    """Name each village's years, such as "2014-2018, 2020"."""
    names = [_write_spans(panel.years[pattern].tolist()) for pattern in patterns]
    number, distinct = pd.factorize(pd.Index(names))
    return pd.Categorical.from_codes(number[code], categories=pd.Index(distinct))


def _write_spans(years: list[int]) -> str:
    """Write years as spans.

    Examples
    --------
    >>> _write_spans([2014, 2015, 2016, 2020])
    '2014-2016, 2020'
    """
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][-1] == year - 1:
            spans[-1] = [spans[-1][0], year]
        else:
            spans.append([year])
    return ", ".join("-".join(map(str, span)) for span in spans)


def _find_reasons(
    frame: pd.DataFrame, known: Bools, options: GainOptions
) -> pd.Categorical[str]:
    """Say for each village without a gain or an interval why; '' for the others.

    ``known`` says whether a village has an outcome in a treated year.
    """
    n_levels = 2 if options.trends else 1
    n_untreated, no_gain = frame["n_untreated"].to_numpy(), frame["gain"].isna().to_numpy()
    spread = frame["spread"].to_numpy()
    no_spread = say_count(
        "{n} untreated year: no spread to judge a gain by",
        "{n} untreated years: no spread to judge a gain by",
        n_levels,
    )
    few = say(
        "fewer than {n} comparison villages are known in its years", n=n_needed(options.alpha)
    )
    cases = {
        say("no untreated year with a known outcome"): n_untreated == 0,
        say("no treated year with a known outcome"): ~known,
        say("one untreated year; a trend of its own needs two"): (
            no_gain & (n_untreated < n_levels)
        ),
        say("no untreated village known then connects its treated to its untreated years"): (
            no_gain
        ),
        no_spread: n_untreated == n_levels,
        say("its outcome does not vary before treatment, or is fitted exactly"): spread == 0,
        few: frame["conf_low"].isna().to_numpy(),
    }
    code = np.select(list(cases.values()), range(1, len(cases) + 1), default=0)
    return pd.Categorical.from_codes(code, categories=pd.Index(["", *cases]))
