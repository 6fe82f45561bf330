"""What stands in the table of effects that a journal prints, before it is drawn."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from evaluation.effects.journal_words import (
    CHINESE,
    HEADS,
    MATCHING,
    OF_EVENTS,
    OF_TWFE_EVENTS,
    ORDER,
    SOURCES,
    WORDS,
    Language,
    tell,
)
from evaluation.effects.result import EffectsTable
from evaluation.effects.setup import Estimator
from evaluation.errors import DesignError

DASH, MINUS, NEW_LINE = "—", "−", "\n"
_STARS = (0.01, 0.05, 0.1)
_MOST_DIGITS = 6

Words = Mapping[str, str]
Row = tuple[str, str, list[str]]
"""A row's group, label and cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalStyle:
    """How a table of effects is printed.

    Attributes
    ----------
    language
        "en" or "zh".
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

    language: Language = "en"
    divisor: float = 1.0
    unit: str = ""
    events: bool = False
    stars: bool = False
    simulated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.language not in get_args(Language):
            raise DesignError(f"language is {self.language!r}; give 'en' or 'zh'.")
        if not 0 < self.divisor < math.inf:
            raise DesignError(f"divisor is {self.divisor!r}; give a number above 0.")


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
    words = WORDS[style.language]
    names = [name for name in ORDER if name in effects.found]
    overall = effects.overall.loc[names]
    largest = float(np.nanmax(overall[["estimate", "se"]].abs().to_numpy())) / style.divisor
    digits = 2 - math.floor(math.log10(largest)) if 0 < largest < math.inf else 0
    printer = _Printer(
        divisor=style.divisor, digits=min(max(digits, 0), _MOST_DIGITS), stars=style.stars
    )
    rows = _effect_rows(effects, overall, printer, words)
    if style.events:
        rows += _event_rows(effects, names, printer, words)
    rows += _sample_rows(effects, overall, printer, words)
    cells = pd.DataFrame(
        [cells for _, _, cells in rows],
        index=pd.MultiIndex.from_tuples([(group, label) for group, label, _ in rows]),
        columns=[f"({k})\n{HEADS[style.language][n]}" for k, n in enumerate(names, 1)],
    )
    outcome = effects.panel.variables[effects.panel.outcome].label
    bare = style.language == "zh" and not CHINESE.search(outcome)
    caption = words["caption_bare" if bare else "caption"].format(outcome=outcome)
    told = _notes(effects, overall, style, words)
    told.insert(1, words["outcome"].format(outcome=outcome) if bare else "")  # as none is named
    notes = words[" "].join(filter(None, told))
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


def _effect_rows(
    effects: EffectsTable, overall: pd.DataFrame, printer: _Printer, words: Words
) -> list[Row]:
    group, rows = words["all"], overall.to_dict("records")
    intervals = [printer.interval(row["conf_low"], row["conf_high"]) for row in rows]
    return [
        (group, words["estimate"], [printer.amount(r["estimate"], r["p_value"]) for r in rows]),
        (group, words["se"], [printer.error(row["se"]) for row in rows]),
        (group, words["interval"].format(level=_level(effects)), intervals),
        (group, words["p"], [_print_p(row["p_value"]) for row in rows]),
    ]


def _event_rows(
    effects: EffectsTable, names: list[Estimator], printer: _Printer, words: Words
) -> list[Row]:
    events, rows = effects.event_study().set_index(["event_time", "estimator"]), []
    for time in sorted(events.index.unique("event_time")):
        here = events.loc[time].reindex(names).to_dict("records")
        estimates = [printer.amount(row["estimate"], row["p_value"]) for row in here]
        errors = [printer.error(row["se"]) for row in here]
        rows += [(words["events"], str(time).replace("-", MINUS), estimates)]
        rows += [(words["events"], "", errors)]
    return rows


def _sample_rows(
    effects: EffectsTable, overall: pd.DataFrame, printer: _Printer, words: Words
) -> list[Row]:
    options, rows = effects.options, overall.to_dict("records")
    labels = [effects.panel.variables[name].label for name in options.covariates]
    covariates = words[", "].join(map(_clean, labels))
    by_county = options.year_effects == "county"
    told = {
        words["comparison"]: [words[compared_with(effects, name)] for name in overall.index],
        words["covariates"]: [
            words["none"] if name == "synthetic_did" else covariates or words["none"]
            for name in overall.index
        ],
        words["year_effects"]: [words["by_county" if by_county else "common"]] * len(rows),
        words["clusters"]: [
            f"{words[options.cluster]} ({row['n_clusters']:,.0f})" for row in rows
        ],
        words["villages"]: [f"{row['n_villages']:,.0f}" for row in rows],
        words["cells"]: [f"{row['n_cells']:,.0f}" for row in rows],
        words["mean"]: [printer.amount(_mean_before(effects))] * len(rows),
    }
    return [(words["sample"], label, texts) for label, texts in told.items()]


def compared_with(effects: EffectsTable, name: object) -> str:
    """Say with whom an estimator compares treated villages, as a key of `WORDS`."""
    if name == "twfe":
        return "everybody"
    if name in ("sun_abraham", "synthetic_did"):
        return "never_treated" if (~effects.setup.treated).any() else "last_treated"
    return effects.options.comparison


def _mean_before(effects: EffectsTable) -> float:
    """Average the outcome of villages not treated in these years before any is."""
    setup = effects.setup
    early = setup.years < np.nanmin(setup.cohort) - setup.options.anticipation
    values = setup.outcome[np.ix_(~setup.treated, early)]
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan


def _notes(
    effects: EffectsTable, overall: pd.DataFrame, style: JournalStyle, words: Words
) -> list[str]:
    """Say what amounts are in, how errors were made, why there are none, and the sources."""
    columns = {name: f"({k})" for k, name in enumerate(overall.index, 1)}
    told: dict[str, list[str]] = {}
    for name, row in overall.iterrows():
        how = _method(str(row["method"]), words)
        if row["reason"]:
            how = words["no_interval"] + _because(str(row["reason"]), style.language, words)
        told.setdefault(how, []).append(columns[name])
    for name, column in columns.items():
        without = () if style.events else OF_EVENTS + OF_TWFE_EVENTS * (name == "twfe")
        if note := tell(effects.found[name].note, style.language, without=without):
            told.setdefault(note, []).append(column)
    sources = {**SOURCES, "matched_did": MATCHING[effects.options.matching]}
    cited = [f"{columns[name]} {text}" for name, text in sources.items() if name in columns]
    missing = [
        f"{_clean(HEADS[style.language][name].replace(NEW_LINE, words[' ']))}"
        f"{_because(reason, style.language, words)}"
        for name, reason in effects.reasons.items()
    ]
    return [
        words["simulated"] if style.simulated else "",
        words["unit"].format(unit=style.unit or effects.unit),
        _panel_words(effects, words),
        words["brackets"].format(level=_level(effects)),
        *(
            f"{', '.join(where) if len(where) < max(len(columns), 2) else words['every']}"
            f"{words[': ']}{how}{words['end']}"
            for how, where in told.items()
        ),
        _given_words(effects, words),
        words["not_estimated"].format(told=words["; "].join(missing)) if missing else "",
        words["mean_note"] if math.isfinite(_mean_before(effects)) else "",
        words["sources"].format(told=words["; "].join(cited)) if cited else "",
        words["stars"] if style.stars else "",
        style.note,
    ]


def _because(reason: str, language: Language, words: Words) -> str:
    """Give a reason after a colon; nothing where there are no words for it."""
    told = tell(reason, language)
    return f"{words[': ']}{told}" if told else ""


def _panel_words(effects: EffectsTable, words: Words) -> str:
    """Say how many villages and village-years estimators choose from."""
    known = np.isfinite(effects.setup.outcome)
    some = known.any(axis=1)
    treated = int((some & effects.setup.treated).sum())
    return words["panel"].format(
        villages=f"{int(some.sum()):,}", treated=f"{treated:,}",
        others=f"{int(some.sum()) - treated:,}", cells=f"{int(known.sum()):,}",
    )  # fmt: skip


def _given_words(effects: EffectsTable, words: Words) -> str:
    """Say what intervals within counties take as given, if there are any."""
    options = effects.options
    if options.year_effects != "county" or options.cluster == "county":
        return ""
    if effects.overall["conf_low"].isna().all():
        return ""
    return words["given"].format(places=words[f"{options.cluster}_plural"])


def _method(method: str, words: Words) -> str:
    if method.endswith("placebos"):
        return words["placebos"].format(places=words[f"{method.split()[0]}_plural"])
    return words.get(method, method)


def _level(effects: EffectsTable) -> str:
    return f"{round(100 * (1 - effects.options.alpha), 6):g}%"


def _print_p(p_value: float) -> str:
    return DASH if math.isnan(p_value) else "<0.001" if p_value < 0.001 else f"{p_value:.3f}"


def _clean(text: str) -> str:
    """Put a text on one line, without characters that no file can hold."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
