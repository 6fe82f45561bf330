"""Income gains of treated villages: the entry to the package's core."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.errors import DesignError
from evaluation.gains.design import build_design
from evaluation.gains.imputation import Counterfactual, Positions, fit_counterfactual
from evaluation.gains.inference import VillageIntervals, placebo_intervals
from evaluation.gains.moments import Floats
from evaluation.gains.options import Cluster, Comparison, GainOptions, YearEffects
from evaluation.gains.placebos import (
    MOST_PLACEBOS,
    hash_villages,
    n_needed,
    smallest_hashes,
)
from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import to_analysis_scale, to_yuan
from evaluation.gains.targets import TreatedCells
from evaluation.gains.villages import find_cells, gain_frame, mean_gains, why_no_gains


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
    cells = find_cells(design, np.isfinite(fit.excess), fit.excess)
    found = _find_intervals(fit, cells, panel, options)
    frame = gain_frame(panel.villages, design, cells, found, options)
    if not len(cells.rows):
        counts = frame["reason"].astype(str).value_counts()
        raise NoGainsError(why_no_gains(counts, options))
    yuan = np.where(cells.counted, _in_yuan(panel, fit, cells.rows), np.nan)
    mean_yuan = np.where(cells.counted, yuan, 0).sum(axis=1) / cells.counted.sum(axis=1)
    by_village = pd.Series(mean_yuan, panel.villages.index[cells.rows]).reindex(frame.index)
    frame.insert(list(frame.columns).index("gain") + 1, "gain_yuan", by_village)
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


def _find_intervals(
    fit: Counterfactual, cells: TreatedCells, panel: VillagePanel, options: GainOptions
) -> VillageIntervals:
    design, pool = fit.design, _choose_placebos(fit, panel, options)
    return placebo_intervals(
        mean_gains(cells),
        fit.excess[cells.rows],
        design.own[cells.rows],
        cells.counted,
        fit.excess[pool],
        design.own[pool] & np.isfinite(fit.excess[pool]),
        times=design.times,
        alpha=options.alpha,
        rounding=design.rounding,
    )


def _choose_placebos(
    fit: Counterfactual, panel: VillagePanel, options: GainOptions
) -> Positions:
    """Choose the villages that serve as placebos.

    Never treated ones, of very many those with the smallest hashes; where they are too few,
    all villages count, each for the years in which it is untreated.
    """
    known = fit.design.own.any(axis=1)
    rows = np.flatnonzero(known & np.isnan(fit.design.cohort))
    if len(rows) < n_needed(options.alpha):
        rows = np.flatnonzero(known)
    if len(rows) <= MOST_PLACEBOS:
        return rows
    keys = panel.villages.index[rows].astype(str).to_numpy(dtype=object)
    return rows[smallest_hashes(hash_villages(keys), MOST_PLACEBOS)]


def _in_yuan(panel: VillagePanel, fit: Counterfactual, rows: Positions) -> Floats:
    smearing = 1.0
    if panel.analysis.form == "log":
        smearing = float(np.nanmean(np.exp(fit.excess[fit.design.fitted])))
    excess = fit.excess[rows]
    counterfactual = fit.design.outcome[rows] - excess
    return to_yuan(panel, counterfactual, excess, smearing=smearing, rows=rows)
