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
from evaluation.gains.grouping import By, group_cells
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

_NOTE = mark(
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
    parts = _find_parts(gains, frame)
    return Estimates(terms=frame[TERMS].copy(), parts=parts, event_note=say(_NOTE)), frame


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


def average_errors(gains: IncomeGains, by: By) -> tuple[Floats, Floats]:
    """Give averages of gains (Q), and what each cluster adds to their errors (C x Q).

    Scaled so that the squares add up to the clustered variance; zero for clusters that take
    no part.
    """
    clusters = place_codes(gains.panel, gains.cluster)
    codes, index = group_cells(by, gains.cells, gains.panel)
    estimates = average_points(gains.cells, codes, len(index))
    parts = average_parts(
        gains.fit, gains.cells, codes, estimates, clusters=clusters, nested=True
    )
    count = (parts != 0).sum(axis=0)
    return estimates, parts * np.sqrt(count / np.maximum(count - 1, 1))


def _find_parts(gains: IncomeGains, frame: pd.DataFrame) -> Floats:
    parts = [
        average_errors(gains, "programme")[1],
        average_errors(gains, "event_time")[1],
    ]
    n_clusters, before = len(parts[0]), int((frame["period"] == "before").sum())
    unknown = np.full((n_clusters, before), np.nan)
    return np.concatenate([parts[0], unknown, parts[1]], axis=1)
