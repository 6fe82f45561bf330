"""Imputation (Borusyak, Jaravel, Spiess 2024): the average of the villages' own gains."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.effects.estimates import TERMS, Estimates
from evaluation.gains.averages import average_parts, average_points
from evaluation.gains.design import place_codes
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.grouping import group_cells
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains

NOTE = (
    "Effects are measured from all untreated years, coefficients before treatment from the "
    "earliest ones."
)


def estimate_imputation(gains: IncomeGains) -> tuple[Estimates, pd.DataFrame]:
    """Give the average of gains and their event study, as `IncomeGains` judges them.

    Returns
    -------
    Estimates, whose parts before treatment are not known (NaN), and the frame of intervals,
    which has no uniform band.

    Notes
    -----
    The estimand is the mean effect over all treated village-years with a gain. Borusyak,
    Jaravel, Spiess (2024, doi:10.1093/restud/rdae007).
    """
    overall = gains.by("programme").assign(period="overall", event_time=np.nan)
    events = gains.event_study()
    events = events.assign(event_time=events.index.astype(float))
    frame = pd.concat([overall, events], ignore_index=True)
    frame[["band_low", "band_high"]] = np.nan
    estimates = Estimates(terms=frame[TERMS].copy(), parts=_find_parts(gains, frame), note=NOTE)
    return estimates, frame


def reestimate_gains(
    gains: IncomeGains, panel: VillagePanel | None = None, **changes: Any
) -> IncomeGains:
    """Estimate gains anew, of another panel or with some options of `estimate_gains` changed.

    Raises
    ------
    DesignError
        If that leaves nothing to estimate.
    """
    options = asdict(gains.options) | {"cluster": gains.options.cluster or None} | changes
    return estimate_gains(gains.panel if panel is None else panel, **options)


def _find_parts(gains: IncomeGains, frame: pd.DataFrame) -> Floats:
    """Give the clusters' parts, scaled so that their squares add up to the variance."""
    clusters = place_codes(gains.panel, gains.cluster)
    parts = np.full((int(clusters.max()) + 1, len(frame)), np.nan)
    for by, rows in (("programme", "overall"), ("event_time", "after")):
        codes, index = group_cells(by, gains.cells, gains.panel)  # type: ignore[arg-type]
        estimates = average_points(gains.cells, codes, len(index))
        found = average_parts(
            gains.fit, gains.cells, codes, estimates, clusters=clusters, nested=True
        )
        count = (np.abs(found) > 0).sum(axis=0)
        found *= np.sqrt(count / np.maximum(count - 1, 1))
        parts[:, (frame["period"] == rows).to_numpy()] = found
    return parts
