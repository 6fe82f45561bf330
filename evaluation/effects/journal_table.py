"""What stands in the table of effects that a journal prints, before it is drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.effects.estimate import tell_again
from evaluation.effects.journal_notes import JournalStyle, mean_before, name_level, tell_notes
from evaluation.effects.result import EffectsTable
from evaluation.effects.setup import Estimator
from evaluation.language import commas, mark, say, sentences

DASH, MINUS = "—", "−"
_STARS = (0.01, 0.05, 0.1)
_MOST_DIGITS = 6

_HEADS: Mapping[Estimator, str] = {
    "twfe": mark("TWFE"),
    "imputation": mark("Imputation"),
    "callaway_santanna": mark("Callaway,\nSant'Anna"),
    "sun_abraham": mark("Sun,\nAbraham"),
    "synthetic_did": mark("Synthetic\nDiD"),
    "matched_did": mark("Matched\nDiD"),
}
"""The columns, the oldest estimator first, as readers know it."""

COMPARED: Mapping[str, str] = {
    "not_yet_treated": mark("not yet treated"),
    "never_treated": mark("never treated"),
    "last_treated": mark("last treated"),
    "everybody": mark("all, also treated"),
}
"""With whom estimators compare treated villages; said where it is shown."""

_PLACES = {"county": mark("county"), "town": mark("town"), "village": mark("village")}
Row = tuple[str, str, list[str]]
"""A row's group, label and cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalTable:
    """A table's text, not yet escaped for a format.

    Attributes
    ----------
    cells
        Rows by group and label, a column an estimator, headed by its number and name.
    caption, notes
        One line each.
    """

    cells: pd.DataFrame
    caption: str
    notes: str


def lay_out(effects: EffectsTable, style: JournalStyle) -> JournalTable:
    """Give a table's text; amounts have as many digits as the largest average needs."""
    effects = tell_again(effects)
    names = [name for name in _HEADS if name in effects.found]
    overall = effects.overall.loc[names]
    largest = float(np.nanmax(overall[["estimate", "se"]].abs().to_numpy())) / style.divisor
    digits = 2 - math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    printer = _Printer(
        divisor=style.divisor, digits=min(max(digits, 0), _MOST_DIGITS), stars=style.stars
    )
    rows = _effect_rows(effects, overall, printer)
    if style.events:
        rows += _event_rows(effects, names, printer)
    rows += _sample_rows(effects, overall, printer)
    cells = pd.DataFrame(
        [cells for _, _, cells in rows],
        index=pd.MultiIndex.from_tuples([(group, label) for group, label, _ in rows]),
        columns=[f"({k})\n{say(_HEADS[name])}" for k, name in enumerate(names, 1)],
    )
    outcome = effects.panel.variables[effects.panel.outcome].label
    caption = say("Average effect of the programme on {outcome}", outcome=say(outcome))
    notes = sentences(*tell_notes(effects, overall, style))
    return JournalTable(cells=cells, caption=_clean(caption), notes=_clean(notes))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Printer:
    """How numbers of a table are printed."""

    divisor: float
    digits: int
    stars: bool

    def amount(self, value: float, p_value: float = math.nan) -> str:
        if math.isnan(value):
            return DASH
        text = f"{abs(value) / self.divisor:,.{self.digits}f}".replace("inf", "∞")
        negative = value < 0 and re.search("[1-9∞]", text)  # no minus before a 0.00
        stars = sum(p_value < limit for limit in _STARS) if self.stars else 0
        return f"{MINUS if negative else ''}{text}{'*' * stars}"

    def error(self, value: float) -> str:
        return DASH if math.isnan(value) else f"({self.amount(value)})"

    def interval(self, low: float, high: float) -> str:
        return DASH if math.isnan(low) else f"[{self.amount(low)}, {self.amount(high)}]"


def _effect_rows(effects: EffectsTable, overall: pd.DataFrame, printer: _Printer) -> list[Row]:
    group, rows = say("All treated years"), overall.to_dict("records")
    intervals = [printer.interval(row["conf_low"], row["conf_high"]) for row in rows]
    estimates = [printer.amount(row["estimate"], row["p_value"]) for row in rows]
    return [
        (group, say("Average effect"), estimates),
        (group, say("Standard error"), [printer.error(row["se"]) for row in rows]),
        (group, say("{level} interval", level=name_level(effects)), intervals),
        (group, say("p-value"), [_print_p(row["p_value"]) for row in rows]),
    ]


def _event_rows(effects: EffectsTable, names: list[Estimator], printer: _Printer) -> list[Row]:
    events, rows = effects.event_study().set_index(["event_time", "estimator"]), []
    group = say("By years since treatment")
    for time in sorted(events.index.unique("event_time")):
        here = events.loc[time].reindex(names).to_dict("records")
        estimates = [printer.amount(row["estimate"], row["p_value"]) for row in here]
        errors = [printer.error(row["se"]) for row in here]
        rows += [(group, str(time).replace("-", MINUS), estimates), (group, "", errors)]
    return rows


def _sample_rows(effects: EffectsTable, overall: pd.DataFrame, printer: _Printer) -> list[Row]:
    options, rows = effects.options, overall.to_dict("records")
    labels = [effects.panel.variables[name].label for name in options.covariates]
    covariates = commas(map(_clean, labels)) or say("none")
    by_county = options.year_effects == "county"
    told = {
        say("Comparison"): [
            say(COMPARED[compared_with(effects, name)]) for name in overall.index
        ],
        say("Covariates"): [
            say("none") if name == "synthetic_did" else covariates for name in overall.index
        ],
        say("Year effects"): [say("by county") if by_county else say("common")] * len(rows),
        say("Clusters"): [
            say("{place} ({n:,.0f})", place=say(_PLACES[options.cluster]), n=row["n_clusters"])
            for row in rows
        ],
        say("Treated villages"): [f"{row['n_villages']:,.0f}" for row in rows],
        say("Treated village-years"): [f"{row['n_cells']:,.0f}" for row in rows],
        say("Comparison mean before"): [printer.amount(mean_before(effects))] * len(rows),
    }
    group = say("Estimation and sample")
    return [(group, label, texts) for label, texts in told.items()]


def compared_with(effects: EffectsTable, name: object) -> str:
    """Say with whom an estimator compares treated villages, as a key of `COMPARED`."""
    if name == "twfe":
        return "everybody"
    if name in ("sun_abraham", "synthetic_did"):
        return "never_treated" if (~effects.setup.treated).any() else "last_treated"
    return effects.options.comparison


def _print_p(p_value: float) -> str:
    return DASH if math.isnan(p_value) else "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _clean(text: str) -> str:
    """Put a text on one line, without characters that no file can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
