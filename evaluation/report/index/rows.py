"""A run's estimates, each with what it is: an effect, a change, or the bounds of a claim."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from evaluation.bounds import Bounds
from evaluation.effects.result import NAMES
from evaluation.language import mark, say
from evaluation.report.gains.words import show_interval
from evaluation.report.index.names import read_fields, split_unit
from evaluation.report.index.runs import Run
from evaluation.report.results import to_bounds
from evaluation.report.village_words import show_number

Kind = Literal["effect", "change", "claim"]
Row = Mapping[str, Any]

KINDS: Mapping[Kind, str] = {
    "effect": mark("causal estimate"),
    "change": mark("before-after change"),
    "claim": mark("bounds of a claim"),
}
"""What an estimate may be; said where it is shown."""

_YEAR_EFFECTS = {
    "common": mark("common year effects"),
    "county": mark("year effects by county"),
}
_EFFECTS, _GAINS = "4_programme_effect", "3_income_gains"
_PRECISION = 12  # digits; what floating point adds behind them is not to be rounded outwards
_WAN = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One estimate of a run.

    Attributes
    ----------
    run, kind, notebook
        Whose it is, what it is, and the chapter whose parameters it was made with.
    county
        As the run names it; '' for all.
    outcome
        The variable's name and its label; of claims both are the label.
    how
        The estimator, the trend, or the claim's definition.
    drawn
        Whether it stands for its run in figures, beside estimates by county.
    value
        NaN where there are bounds alone.
    bounds
        The interval or the bounds; None where there is none, with the ``reason``.
    remark
        What else there is to say.
    unit
        As the run says it.
    """

    run: Run
    kind: Kind
    notebook: str
    county: str
    outcome: tuple[str, str]
    how: str
    value: float
    bounds: Bounds | None
    unit: str
    drawn: bool = True
    reason: str = ""
    remark: str = ""

    @property
    def interval(self) -> str:
        """The interval or the bounds as they are shown."""
        if self.bounds is None or self.kind != "effect":
            return "" if self.bounds is None else str(self.bounds)
        return show_interval(*self.ends)

    @property
    def ends(self) -> tuple[float, float]:
        """The ends of the interval or the bounds; NaN where there is none."""
        if self.bounds is None:
            return math.nan, math.nan
        return float(self.bounds.lower), float(self.bounds.upper)


def list_estimates(run: Run) -> list[Estimate]:
    """Give a run's estimates.

    Raises
    ------
    KeyError, TypeError, ValueError
        If results.json does not hold what this version would have written.
    """
    return [*_effects(run), *_gains(run), *_changes(run), *_claims(run)]


def find_outcome(run: Run) -> tuple[str, str]:
    """Give the name and the label of a panel's main outcome."""
    for row in run.rows("summary_statistics"):
        if read_fields(str(row["role"]), "outcome") is not None:
            return str(row["variable"]), str(row["label"])
    return "", say("the outcome")


def _effects(run: Run) -> Iterator[Estimate]:
    """Give the average effects, by estimator; where there is no estimate there is no row."""
    for row in run.rows("effects"):
        if row["estimate"] is not None:
            yield Estimate(
                run=run,
                kind="effect",
                notebook=_EFFECTS,
                county=run.county,
                outcome=find_outcome(run),
                how=_name(row["estimator"], row["year_effects"]),
                drawn=row["estimator"] == "imputation",
                **_number(row, ""),
            )


def _gains(run: Run) -> Iterator[Estimate]:
    main = run.parameters(_GAINS).get("year_effects", "common")
    for row in run.rows("gains_by_county"):
        for side, effects in (("", main), ("within_", "county")):
            if row.get(f"{side}estimate") is not None:
                yield Estimate(
                    run=run,
                    kind="effect",
                    notebook=_GAINS,
                    county=str(row["county"]),
                    outcome=find_outcome(run),
                    how=_name("imputation", effects),
                    **_number(row, side),
                )


def _changes(run: Run) -> Iterator[Estimate]:
    most = run.parameters(_GAINS).get("trend_max", _WAN)
    rows = [row for row in run.rows("trend_bounds") if row["level"] != "village"]
    for row in rows:
        if row["lower"] is None or (row["level"] == "county" and len(rows) <= 2):
            continue
        low, high = _trim(row["change_lower"]), _trim(row["change_upper"])
        unit = str(row["unit"] or "")
        currency = split_unit(unit)[0].replace("万元", say("yuan"))
        yield Estimate(
            run=run,
            kind="change",
            notebook=_GAINS,
            county=str(row["county"] or "") if row["level"] == "county" else run.county,
            outcome=find_outcome(run),
            how=say(
                "change less a trend of 0 to {most} a year",
                most=f"{show_number(most)} {currency}".strip(),
            ),
            value=low if low == high else math.nan,
            bounds=Bounds(_trim(row["lower"]), _trim(row["upper"])),
            unit=unit,
        )


def _claims(run: Run) -> Iterator[Estimate]:
    label = say("Gain in collective income per village and year")
    for row in run.rows("claimed_gains"):
        if row["rise_strict"] is None:
            continue
        strict, loose = to_bounds(row["rise_strict"]), to_bounds(row["rise_loose"])
        yield Estimate(
            run=run,
            kind="claim",
            notebook=_GAINS,
            county=str(row["county"]),
            outcome=("claimed", label),
            how=say(str(row["definition"])),
            value=float(strict.lower) if strict.is_exact else math.nan,
            bounds=strict,
            unit=say("{unit}, {prices}", unit=row["unit"], prices=say("nominal")),
            remark="" if loose == strict else say("loosely {value}", value=loose),
        )


def _name(estimator: str, year_effects: str) -> str:
    return say(
        "{estimator}, {effects}",
        estimator=say(NAMES[estimator]),  # type: ignore[index]
        effects=say(_YEAR_EFFECTS[year_effects]),
    )


def _number(row: Row, side: str) -> dict[str, Any]:
    low, high = row[f"{side}conf_low"], row[f"{side}conf_high"]
    known = low is not None or high is not None
    ends = (-math.inf if low is None else low, math.inf if high is None else high)
    return {
        "value": float(row[f"{side}estimate"]),
        "bounds": Bounds(*ends) if known else None,
        "reason": "" if known else str(row[f"{side}reason"] or ""),
        "unit": str(row.get("unit") or ""),
    }


def _trim(number: float) -> float:
    return float(f"{number:.{_PRECISION}g}")
