"""What a restricted study's files hold: of one county alone, the outcome chosen first."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.panel import VillagePanel
from evaluation.data.restriction import unknown_county
from evaluation.data.study import Study
from evaluation.errors import DataError

if TYPE_CHECKING:
    from evaluation.data.load import StudyData


def narrow_data(data: StudyData) -> StudyData:
    """Leave out of a study's data what is not of the county that it is restricted to.

    Villages are the county's, treated and not, and years those that one of them has a row of.
    Money is the county's villages' and what is pooled for the county or a town of it. A file
    with nothing of the county counts as one that the study has not.

    Raises
    ------
    DataError
        If the panel has no village of the county, or none of them is treated.
    """
    study, panel = data.study, data.panel
    if panel is None:
        return data
    if study.outcome:
        panel = _put_first(panel)
    if study.county is None:
        return replace(data, panel=panel)
    names = {study.county.name, study.county.zh} - {""}
    panel = _narrow_panel(panel, study, names)
    return replace(
        data,
        panel=panel,
        ledger=_narrow_ledger(data.ledger, names),
        projects=_narrow_rows(data.projects, names),
        indicators=_narrow_rows(data.indicators, names),
    )


def _put_first(panel: VillagePanel) -> VillagePanel:
    """Put the outcome chosen first, as an outcome although it is a kind of income."""
    chosen = replace(panel.variables[panel.outcome], role="outcome")
    variables = {chosen.name: chosen, **panel.variables, chosen.name: chosen}
    return replace(
        panel,
        variables=variables,
        matrices={name: panel.matrices[name] for name in variables},
    )


def _narrow_panel(panel: VillagePanel, study: Study, names: Collection[str]) -> VillagePanel:
    counties = panel.villages["county"].astype(str)
    here = counties.isin(names).to_numpy()
    assert study.county is not None
    if not here.any():
        known = sorted({*counties} - {""})
        given, areas = study.county.name, study.whole.counties
        if study.county in areas:
            raise DataError(
                f"{panel.source}: no village of {given}; it has villages of "
                f"{', '.join(known) or 'no county (name its column under panel.village)'}."
            )
        raise DataError(unknown_county(given, areas, known))
    if not panel.is_treated[here].any():
        treated = sorted({*counties[panel.is_treated]} - {""})
        others = f"it has treated ones in {', '.join(treated)}" if treated else "it has none"
        raise DataError(
            f"{panel.source}: none of the {here.sum():,} villages of {study.county.name} is "
            f"treated: there is nothing to evaluate; {others}."
        )
    years = panel.rows[here].any(axis=0)
    cells = np.ix_(here, years)
    villages = panel.villages[here]
    hedged = panel.hedged[panel.hedged["village"].isin(villages.index)]
    return replace(
        panel,
        villages=villages,
        years=panel.years[years],
        matrices={name: matrix[cells] for name, matrix in panel.matrices.items()},
        rows=panel.rows[cells],
        hedged=hedged.reset_index(drop=True),
    )


def _narrow_ledger(
    ledger: FundingLedger | None, names: Collection[str]
) -> FundingLedger | None:
    entries = _narrow_rows(ledger.entries, names) if ledger else None
    return replace(ledger, entries=entries) if ledger and entries is not None else None


def _narrow_rows(frame: pd.DataFrame | None, names: Collection[str]) -> pd.DataFrame | None:
    """Keep a county's rows; None where there are none."""
    if frame is None:
        return None
    rows = frame[frame["county"].isin(names)].reset_index(drop=True)
    return None if rows.empty else rows
