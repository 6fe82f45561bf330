"""The programme's average effect by several estimators: the entry to `evaluation.effects`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, get_args

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.effects.estimates import COLUMNS, Estimate, Estimates, judge
from evaluation.effects.fixed_effects import estimate_sun_abraham, estimate_twfe
from evaluation.effects.group_time import estimate_callaway_santanna, estimate_matched_did
from evaluation.effects.imputation import estimate_imputation
from evaluation.effects.result import LABELS, EffectsTable
from evaluation.effects.setup import (
    EffectOptions,
    Estimator,
    FixedEffectsCounted,
    Matching,
    build_setup,
)
from evaluation.effects.synthetic import estimate_synthetic_did
from evaluation.errors import DesignError, suggest
from evaluation.gains.design import place_codes
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.options import Cluster, Comparison, YearEffects
from evaluation.language import mark, say, sentences, spoken

ESTIMATORS: tuple[Estimator, ...] = get_args(Estimator)
ESTIMATE: Mapping[Estimator, Estimate] = {
    "callaway_santanna": estimate_callaway_santanna,
    "sun_abraham": estimate_sun_abraham,
    "twfe": estimate_twfe,
    "synthetic_did": estimate_synthetic_did,
    "matched_did": estimate_matched_did,
}
"""Those that take a `Setup`: all but the imputation, which takes gains."""


def estimate_effects(
    panel: VillagePanel,
    *,
    estimators: Sequence[Estimator] = ESTIMATORS,
    comparison: Comparison = "not_yet_treated",
    covariates: Sequence[str] = (),
    anticipation: int = 0,
    alpha: float = 0.05,
    year_effects: YearEffects = "common",
    cluster: Cluster | None = None,
    matching: Matching = "entropy",
    fixed_effects: FixedEffectsCounted = "nested",
    seed: int = 0,
) -> EffectsTable:
    """Estimate the programme's average effect by several estimators, side by side.

    Parameters
    ----------
    panel
        N villages x T years; every village counts alike.
    estimators
        Which: imputation, callaway_santanna, sun_abraham, twfe, synthetic_did, matched_did
        (the last only with covariates).
    cluster
        The level at which villages were assigned, and at which errors may be correlated:
        county, town, village. By default that of `estimate_gains`: the county if there are
        several, the town where villages are compared within their county.
    comparison, covariates, anticipation, alpha, year_effects, matching, fixed_effects, seed
        See `EffectOptions`.

    Returns
    -------
    EffectsTable. An estimator that the data do not allow has its reason in ``reasons``.

    Raises
    ------
    DesignError
        If no village is treated within the years, no comparison village is left, all are
        treated at once without an earlier year, all treated villages lie in one cluster, or
        an option is unknown.

    Notes
    -----
    All estimate the mean effect on treated villages over the years observed, if without the
    programme villages would have changed alike (`synthetic_did`: like a weighted mean of
    comparison villages that moved as they did; `matched_did`: like villages with the same
    baseline). They average over villages and years with weights of their own: `imputation`,
    `callaway_santanna`, `sun_abraham` and `matched_did` by treated village-years,
    `synthetic_did` likewise, `twfe` with weights that may be negative (`decompose_twfe`).

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> table = estimate_effects(panel, estimators=["imputation"], year_effects="county")
    >>> table.overall.loc["imputation", ["estimate", "se"]].astype(float).round(-2).to_dict()
    {'estimate': 54600.0, 'se': 2300.0}
    """
    unknown = [name for name in estimators if name not in ESTIMATORS]
    if unknown or not estimators:
        named = suggest(unknown[0], ESTIMATORS) if unknown else "name at least one."
        raise DesignError(f"estimators: {named}")
    check_comparison(panel)
    gains = estimate_gains(
        panel, comparison=comparison, covariates=covariates, anticipation=anticipation,
        alpha=alpha, year_effects=year_effects, cluster=cluster,
    )  # fmt: skip
    options = EffectOptions(
        comparison=comparison, covariates=tuple(covariates), anticipation=anticipation,
        alpha=alpha, year_effects=year_effects, cluster=gains.cluster, matching=matching,
        fixed_effects=fixed_effects, seed=seed,
    )  # fmt: skip
    _check_clusters(panel, gains.cluster)
    setup = build_setup(panel, options)
    found: dict[Estimator, Estimates] = {}
    frames, reasons = [], {}
    for name in estimators:
        try:
            if name == "imputation":
                found[name], frame = estimate_imputation(gains)
            else:
                found[name], frame = judge(ESTIMATE[name], setup.compared_by(name))
        except DesignError as error:
            reasons[name] = str(error)
            continue
        frames.append(frame.assign(estimator=name))
    if not frames:
        told = [
            say("{name}: {reason}", name=say(LABELS[name]), reason=reason)
            for name, reason in reasons.items()
        ]
        raise DesignError(sentences(say("no estimator gives an effect."), *told))
    frame = pd.concat(frames, ignore_index=True)
    return EffectsTable(
        panel=panel, options=options, setup=setup, gains=gains, unit=gains.unit, found=found,
        frame=frame[["estimator", *COLUMNS]], reasons=reasons,
    )  # fmt: skip


def tell_again(effects: EffectsTable) -> EffectsTable:
    """Give effects with notes and reasons in the language spoken: made anew in another."""
    if effects.language == spoken():
        return effects
    names = [*effects.found, *effects.reasons]
    return estimate_effects(effects.panel, estimators=names, **asdict(effects.options))


def check_comparison(panel: VillagePanel) -> None:
    """Refuse a panel in which no change of treated villages can be compared with another."""
    known, treated = np.isfinite(panel.matrix()), panel.treated_cells
    if not (known & treated).any():
        raise DesignError(
            say(
                "no village is treated and known from {first} to {last}: there is no effect to "
                "estimate. Name the treatment in study.yml (panel.treatment).",
                first=panel.years[0], last=panel.years[-1],
            )
        )  # fmt: skip
    if panel.has_comparison:
        return
    if not (known & ~treated)[panel.is_treated].any():
        raise DesignError(
            say(
                "no treated village is known in a year before its treatment: levels cannot be "
                "told from effects. Add earlier years."
            )
        )
    raise DesignError(
        say(
            "no village is known untreated in a year in which others are treated and in an "
            "earlier one: how incomes would have moved anyway cannot be told. Add comparison "
            "villages, or bound the trend (bound_gains)."
        )
    )


def _check_clusters(panel: VillagePanel, cluster: Cluster) -> None:
    treated = panel.is_treated & (panel.cohort <= panel.years[-1])
    if cluster != "village" and len(np.unique(place_codes(panel, cluster)[treated])) == 1:
        name: Any = panel.villages.loc[treated, cluster].iloc[0]
        raise DesignError(
            say(
                "all treated villages lie in one {place} ({name}): what else happened there "
                "cannot be told from the programme. Compare within the county "
                "(year_effects='county'), or cluster by village if villages were assigned one "
                "by one.",
                place=say(mark("county") if cluster == "county" else mark("town")), name=name,
            )
        )  # fmt: skip
