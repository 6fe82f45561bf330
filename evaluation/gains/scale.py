"""The outcome on the scale that it is analysed on, and gains brought back from it to yuan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.data.money import parse_money
from evaluation.data.panel import Bools, Floats, VillagePanel
from evaluation.data.problems import name_cells
from evaluation.errors import DesignError
from evaluation.language import commas, mark, say, sentences

Rows = npt.NDArray[np.intp] | npt.NDArray[np.bool_] | slice

_ALL = slice(None)
_SHOWN = 5
_LOGS = {"log": mark("log of {unit}"), "log1p": mark("log1p of {unit}")}
_MEND_ZEROS = mark(
    "In study.yml (panel.analysis) write zeros: missing, which leaves them out and counts "
    "them, or zeros: add_one, which takes log(1 + {unit}) and so depends on the unit; or "
    "leave the outcome in levels."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScaledOutcome:
    """A panel's outcome on the scale of its analysis.

    Attributes
    ----------
    matrix
        N x T, NaN where missing or left out.
    unit
        What it is in: "yuan", "yuan / population", "log of yuan", "log(1 + yuan)".
    n_left_out
        How many village-years are left out because their outcome is zero.
    """

    matrix: Floats
    unit: str
    n_left_out: int = 0


def to_analysis_scale(panel: VillagePanel) -> ScaledOutcome:
    """Put a panel's main outcome on the scale that its study analyses it on.

    Raises
    ------
    DesignError
        If a village-year has no value on that scale: a negative outcome, or a zero that the
        study does not say what to do about, has no logarithm; an outcome without something
        above zero to divide it by is not per capita.
    """
    outcome, analysis, variable = panel.matrix(), panel.analysis, panel.variables[panel.outcome]
    unit = name_unit(panel)
    if analysis.form == "level":
        return ScaledOutcome(matrix=outcome, unit=unit)
    if _stays_log(panel):
        told = say(
            "{outcome} is a logarithm already: its scale cannot be {form}. Leave "
            "panel.analysis out of study.yml.",
            outcome=panel.outcome, form=analysis.form,
        )  # fmt: skip
        raise DesignError(told)
    if analysis.form == "per_capita":
        per = panel.matrix(analysis.per or "")
        with np.errstate(divide="ignore", invalid="ignore"):
            _refuse(
                panel,
                np.isfinite(outcome) & ~(per > 0),
                say("village-years have an outcome but no {per} above zero", per=analysis.per),
                say(
                    "Mend {per}, or empty the outcome where it is not known.", per=analysis.per
                ),
            )
            return ScaledOutcome(matrix=outcome / per, unit=unit)
    _refuse(
        panel,
        outcome < 0,
        say("negative values have no logarithm"),
        say("Mend them, or take the level: in study.yml leave panel.analysis out."),
    )
    if analysis.zeros == "add_one":
        return ScaledOutcome(matrix=np.log1p(outcome), unit=unit)
    zero = outcome == 0
    if analysis.zeros == "error":
        number = say(variable.unit or "the number")
        _refuse(panel, zero, say("zeros have no logarithm"), say(_MEND_ZEROS, unit=number))
    logs = np.log(outcome, out=np.full_like(outcome, np.nan), where=~zero)
    return ScaledOutcome(matrix=logs, unit=unit, n_left_out=int(zero.sum()))


def name_unit(panel: VillagePanel) -> str:
    """Say what a panel's main outcome is in on the scale that its study analyses it on."""
    analysis, variable = panel.analysis, panel.variables[panel.outcome]
    unit = say(variable.unit or "the number")
    if analysis.form == "per_capita":
        return f"{unit} / {analysis.per}"
    if analysis.form == "level":
        if not _stays_log(panel):
            return say(variable.unit)
        return say(_LOGS[variable.scale], unit=unit)
    if analysis.zeros == "add_one":
        return f"log(1 + {unit})"
    return say(_LOGS["log"], unit=unit)


def to_yuan(
    panel: VillagePanel,
    counterfactual: Floats,
    gains: Floats,
    *,
    smearing: float,
    rows: Rows = _ALL,
) -> Floats:
    """Bring gains on the analysis's scale back to yuan, or to levels where it is not money.

    Parameters
    ----------
    panel
        Whose outcome was analysed.
    counterfactual, gains
        n x T on the analysis's scale, for the n villages of ``rows``: the outcome without
        treatment, and the outcome less that. NaN where there is none.
    smearing
        The mean of exp(residual) over the untreated village-years that the counterfactual
        was fitted on; only a logarithm needs it.
    rows
        Which villages of the panel; all by default.

    Returns
    -------
    n x T; all NaN for a logarithm that is not of money and stays one.

    Notes
    -----
    From logarithms the gain is y - exp(yhat0) S, with Duan's smearing factor S [1]_: exp(yhat0)
    is the median rather than the mean of what y would have been. S holds for the mean of
    villages whose errors are spread alike; with every error zero it is 1. Taking log(1 + y)
    changes nothing in it: the two ones cancel.

    References
    ----------
    .. [1] Duan (1983), Smearing Estimate: A Nonparametric Retransformation Method.
       doi:10.1080/01621459.1983.10478017
    """
    if _stays_log(panel):
        return np.full_like(gains, np.nan)
    analysis = panel.analysis
    if analysis.form == "level":
        return gains.copy()
    if analysis.form == "per_capita":
        return gains * panel.matrix(analysis.per or "")[rows]
    return np.asarray(np.exp(counterfactual + gains) - np.exp(counterfactual) * smearing)


def retransformation(panel: VillagePanel) -> str:
    """Say in words what `to_yuan` does to a panel's gains."""
    analysis, variable = panel.analysis, panel.variables[panel.outcome]
    unit = say(variable.unit) if parse_money(variable.unit) else say("levels")
    if _stays_log(panel):
        return say(
            "The outcome is a logarithm in the file, and not of money: gains stay in "
            "logarithms and are not retransformed."
        )
    if analysis.form == "level":
        return say("Gains are estimated in {unit}; nothing is retransformed.", unit=unit)
    if analysis.form == "per_capita":
        return say(
            "Gains in {unit} are those per capita times {per} of the same village and year.",
            unit=unit, per=analysis.per,
        )  # fmt: skip
    told = {
        "error": "",
        "missing": say("Village-years with an outcome of zero are left out."),
        "add_one": say("Gains in logarithms depend on the unit that 1 is added in."),
    }[analysis.zeros]
    how = say(
        "Gains in {unit} are outcome{one} - exp(counterfactual) x S. S, the smearing factor "
        "of Duan 1983 (doi:10.1080/01621459.1983.10478017), is the mean of exp(residual) over "
        "the untreated village-years; it takes errors to be spread alike in all villages and "
        "years. It is right on average: a single village's gain may differ in sign from its "
        "gain in logarithms.",
        unit=unit, one=" + 1" if analysis.zeros == "add_one" else "",
    )  # fmt: skip
    return sentences(how, told)


def _stays_log(panel: VillagePanel) -> bool:
    return panel.variables[panel.outcome].scale != "level"


def _refuse(panel: VillagePanel, cells: Bools, what: str, remedy: str) -> None:
    """Raise an error that counts cells and names the first of them, if there are any."""
    village, year = np.nonzero(cells)
    if not len(village):
        return
    named = commas(
        name_cells(panel.villages.index, panel.years, village[:_SHOWN], year[:_SHOWN])
    )
    more = len(village) - _SHOWN
    told = say(
        "{where}{outcome}: {what} ({n:,}): {named}{more}. {remedy}",
        where=f"{panel.source}: " if panel.source else "", outcome=panel.outcome, what=what,
        n=len(village), named=named, remedy=remedy,
        more=say(" and {n:,} more", n=more) if more > 0 else "",
    )  # fmt: skip
    raise DesignError(told)
