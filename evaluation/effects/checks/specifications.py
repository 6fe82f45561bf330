"""The choices behind an estimate: declared, combined, and each combination estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import select_villages
from evaluation.effects.checks.measures import split_subsidies, with_outcome
from evaluation.effects.checks.side_by_side import COLUMNS, average_row
from evaluation.effects.estimate import estimate_effects
from evaluation.errors import DesignError, suggest
from evaluation.gains.estimate import estimate_gains
from evaluation.language import say

KEYS = (
    "estimator", "comparison", "year_effects", "covariates", "anticipation", "trends", "scale",
    "subsidies", "cohorts",
)  # fmt: skip
_IGNORED: Mapping[str, tuple[str, ...]] = {
    "callaway_santanna": ("trends",),
    "sun_abraham": ("trends",),
    "twfe": ("trends", "comparison"),
    "synthetic_did": ("trends", "comparison", "covariates"),
    "matched_did": ("trends",),
}
"""Choices that an estimator does not know: it is not estimated once for each of them."""

Specification = Mapping[str, Any]


def declare_choices(panel: VillagePanel, main: Specification) -> dict[str, tuple[Any, ...]]:
    """Declare what else might have been chosen, the main choice first.

    Three estimators, all others being variants of them; comparison villages; year effects; no
    or all covariates; a year of anticipation; villages' own trends; and logarithms where the
    outcome is analysed in levels and is nowhere negative. Subsidies in the outcome, which
    would be the treatment itself, and cohorts left out are for the caller to declare.
    """
    covariates = tuple(n for n, v in panel.variables.items() if v.role == "covariate")
    outcome = panel.matrix()
    level = panel.analysis.form == "level" and panel.variables[panel.outcome].scale == "level"
    others: dict[str, tuple[Any, ...]] = {
        "estimator": ("imputation", "callaway_santanna", "twfe"),
        "comparison": ("not_yet_treated", "never_treated") if (~panel.is_treated).any() else (),
        "year_effects": ("common", "county") if panel.villages["county"].nunique() > 1 else (),
        "covariates": ((), covariates),
        "anticipation": (0, 1),
        "trends": (False, True),
        "scale": ("level", "log") if level and not (outcome < 0).any() else (),
    }
    return {key: _unique((main[key], *others.get(key, ()))) for key in KEYS}


def read_choices(
    panel: VillagePanel, main: Specification, choices: Mapping[str, Sequence[Any]] | None
) -> dict[str, tuple[Any, ...]]:
    """Give the choices declared; for what the caller's leave out, the main choice alone.

    Raises
    ------
    DesignError
        If a choice is not known, or has no value.
    """
    if choices is None:
        return declare_choices(panel, main)
    for key, values in choices.items():
        if key not in KEYS:
            raise DesignError(f"choices: no choice {key!r}; {suggest(key, KEYS)}")
        if isinstance(values, str) or not len(values):
            raise DesignError(f"choices: give {key} as a list of values.")
    nested = {
        key: [tuple(v) if key in ("covariates", "cohorts") else v for v in values]
        for key, values in choices.items()
    }
    return {key: _unique(nested.get(key, (main[key],))) for key in KEYS}


def list_specifications(choices: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """List all combinations that differ, in the order in which they are declared."""
    found = []
    for values in product(*(choices[key] for key in KEYS)):
        chosen = dict(zip(KEYS, values, strict=True))
        ignored = _IGNORED.get(chosen["estimator"], ())
        if all(chosen[key] == choices[key][0] for key in ignored) and (
            chosen["covariates"] or chosen["estimator"] != "matched_did"
        ):
            found.append(chosen)
    return found


def run_specification(
    panel: VillagePanel, chosen: Specification, options: Mapping[str, Any]
) -> dict[str, Any]:
    """Estimate the average effect under one combination of choices.

    Parameters
    ----------
    options
        What is the same in all: alpha, cluster, and weights, which the imputation alone takes.

    Returns
    -------
    Its row of `COLUMNS`, with the reason where there is none. An effect b on logarithms is
    brought to levels as m (1 - exp(-b)), m being the mean outcome of treated village-years.
    """
    try:
        other = _apply(panel, chosen)
        same = {key: chosen[key] for key in ("comparison", "covariates", "anticipation")} | {
            "year_effects": chosen["year_effects"],
            "alpha": options["alpha"],
            "cluster": options["cluster"],
        }
        if chosen["estimator"] == "imputation":
            row = average_row(
                estimate_gains(
                    other, **same, weights=options["weights"], trends=chosen["trends"]
                )
            )
        else:
            table = estimate_effects(other, estimators=[chosen["estimator"]], **same)
            overall = table.overall.iloc[0]
            row = {column: overall[column] for column in COLUMNS}
    except (DesignError, np.linalg.LinAlgError) as error:
        row = dict.fromkeys(COLUMNS, np.nan) | {"n_villages": 0, "n_clusters": 0}
        return row | {"reason": str(error)}
    if chosen["scale"] == "log" and panel.analysis.form == "level":
        treated = np.where(other.treated_cells & (other.matrix() > 0), other.matrix(), np.nan)
        mean = float(np.nanmean(treated))
        ends = {
            c: -mean * np.expm1(-float(row[c])) for c in ("estimate", "conf_low", "conf_high")
        }
        se = mean * np.exp(-float(row["estimate"])) * float(row["se"])
        row |= ends | {"se": se}
    return row


def _apply(panel: VillagePanel, chosen: Specification) -> VillagePanel:
    """Give the panel with the villages, the outcome and the scale that were chosen."""
    if chosen["cohorts"]:
        panel = select_villages(panel, ~np.isin(panel.cohort, chosen["cohorts"]))
    if chosen["subsidies"] != own_subsidies(panel):
        split = split_subsidies(panel)
        if split is None:
            raise DesignError(say("subsidies are not known by themselves."))
        earned, grants, included = split
        other = with_outcome(panel, earned if included else earned + grants)
        panel = replace(other, analysis=panel.analysis)
    if chosen["scale"] == "log" and panel.analysis.form == "level":
        panel = replace(panel, analysis=OutcomeScale(form="log", zeros="missing"))
    return panel


def own_subsidies(panel: VillagePanel) -> str:
    """Say whether the outcome is with or without subsidies; "" where that is not known."""
    split = split_subsidies(panel)
    return "" if split is None else "with" if split[2] else "without"


def _unique(values: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(dict.fromkeys(values))
