"""What the notes of a journal's table of effects say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.effects.result import NAMES, EffectsTable
from evaluation.effects.setup import Estimator
from evaluation.errors import DesignError
from evaluation.language import mark, say, sentences

_SOURCES: Mapping[Estimator, str] = {
    "imputation": "Borusyak, Jaravel, Spiess 2024, doi:10.1093/restud/rdae007",
    "callaway_santanna": "Callaway, Sant'Anna 2021, doi:10.1016/j.jeconom.2020.12.001",
    "sun_abraham": "Sun, Abraham 2021, doi:10.1016/j.jeconom.2020.09.006",
    "synthetic_did": "Arkhangelsky et al. 2021, doi:10.1257/aer.20190159",
}
_MATCHING: Mapping[str, str] = {
    "entropy": "Hainmueller 2012, doi:10.1093/pan/mpr025",
    "propensity": "Abadie 2005, doi:10.1111/0034-6527.00321",
}
_PLURALS = {"county": mark("counties"), "town": mark("towns"), "village": mark("villages")}
_METHODS = {
    "clustered": mark("errors clustered, Student's t."),
    "wild bootstrap": mark(
        "as there are fewer than 30 clusters, jackknife standard errors, and intervals and "
        "p-values of a wild cluster bootstrap with the null imposed."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStyle:
    """How a table of effects is printed.

    Attributes
    ----------
    divisor, unit
        Amounts are divided by ``divisor`` and said to be in ``unit``, by default the effects'.
    events
        Whether effects by years since treatment follow.
    stars
        Whether stars stand beside the estimates, as well as intervals and p-values.
    simulated
        Whether the data are, which the notes then say first.
    note
        What the notes say last.
    """

    divisor: float = 1.0
    unit: str = ""
    events: bool = False
    stars: bool = False
    simulated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.divisor < math.inf:
            raise DesignError(f"divisor is {self.divisor!r}; give a number above 0.")


def tell_notes(effects: EffectsTable, overall: pd.DataFrame, style: JournalStyle) -> list[str]:
    """Say what amounts are in, how errors were made, why there are none, and the sources."""
    columns = {name: f"({k})" for k, name in enumerate(overall.index, 1)}
    told: dict[str, list[str]] = {}
    for name, row in overall.iterrows():
        how = _method(str(row["method"]))
        if row["reason"]:
            how = say("no interval: {reason}.", reason=row["reason"])
        told.setdefault(how, []).append(columns[name])
    for name, column in columns.items():
        found = effects.found[name]
        if note := sentences(found.event_note if style.events else "", found.note):
            told.setdefault(note, []).append(column)
    sources = {**_SOURCES, "matched_did": _MATCHING[effects.options.matching]}
    cited = [f"{columns[name]} {text}" for name, text in sources.items() if name in columns]
    missing = [
        say("{name}: {reason}", name=say(NAMES[name]), reason=_finding(reason))
        for name, reason in effects.reasons.items()
    ]
    level = name_level(effects)
    return [
        say("SIMULATED data.") if style.simulated else "",
        say("Effects in {unit}.", unit=style.unit or say(effects.unit)),
        _panel_words(effects),
        say("Standard errors in parentheses, {level} intervals in brackets.", level=level),
        *(
            say("{columns}: {told}", columns=_join(where, len(columns)), told=how)
            for how, where in told.items()
        ),
        _given_words(effects),
        say("Not estimated: {told}.", told=say("; ").join(missing)) if missing else "",
        say("Comparison mean before: of villages not treated in these years, before any other "
            "is.") if math.isfinite(mean_before(effects)) else "",
        say("Sources: {told}.", told=say("; ").join(cited)) if cited else "",
        say("*** p < .01, ** p < .05, * p < .1.") if style.stars else "",
        style.note,
    ]  # fmt: skip


def _join(columns: list[str], n: int) -> str:
    return ", ".join(columns) if len(columns) < max(n, 2) else say("All columns")


def _finding(reason: str) -> str:
    """Give the first sentence of a reason, which no advice on options is in."""
    return re.split(r"\. |。", reason)[0].rstrip(".")


def _panel_words(effects: EffectsTable) -> str:
    """Say how many villages and village-years estimators choose from."""
    known = np.isfinite(effects.setup.outcome)
    some = known.any(axis=1)
    treated = int((some & effects.setup.treated).sum())
    return say(
        "The panel has {cells:,} village-years of {villages:,} villages, {treated:,} of them "
        "treated and {others:,} not treated in these years; estimators use those that they "
        "can.",
        villages=int(some.sum()), treated=treated, others=int(some.sum()) - treated,
        cells=int(known.sum()),
    )  # fmt: skip


def _given_words(effects: EffectsTable) -> str:
    """Say what intervals within counties take as given, if there are any."""
    options = effects.options
    if options.year_effects != "county" or options.cluster == "county":
        return ""
    if effects.overall["conf_low"].isna().all():
        return ""
    return say(
        "Intervals with year effects by county take the counties as given and {places} as "
        "independent of one another.",
        places=say(_PLURALS[options.cluster]),
    )


def _method(method: str) -> str:
    if method.endswith("placebos"):
        places = say(_PLURALS[method.split()[0]])
        return say("intervals from the same contrast in untreated {places}.", places=places)
    return say(_METHODS.get(method, method))


def mean_before(effects: EffectsTable) -> float:
    """Average the outcome of villages not treated in these years before any is."""
    setup = effects.setup
    early = setup.years < np.nanmin(setup.cohort) - setup.options.anticipation
    values = setup.outcome[np.ix_(~setup.treated, early)]
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def name_level(effects: EffectsTable) -> str:
    """Give the nominal coverage of intervals: "95%"."""
    return f"{round(100 * (1 - effects.options.alpha), 6):g}%"
