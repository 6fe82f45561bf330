"""Tables of what claims imply: every number beside the claims that it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import Any

import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.claims.comparison import compare_counties
from evaluation.claims.crosscheck import run_crosschecks
from evaluation.claims.measures import assess_counties, assessment_frame, check_measures
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, READINGS, Reading
from evaluation.report.check_tables import count_verdicts
from evaluation.report.claim_tables import relabel
from evaluation.report.exhibits import (
    LEGEND,
    MONEY,
    Exhibit,
    html_bounds,
    html_claims,
    html_formula,
    html_lines,
    html_table,
)

# The measures that the report opens with.
_HEADLINES = ("level_per_village", "gain_per_village", "gain_per_yuan", "cost_per_job")


def findings_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Say in short what the figures imply for each county, and what they leave open."""
    reading = reading or table.study.reading
    assessments = assess_counties(table)
    frame = assessment_frame(assessments)
    frame = frame[frame["measure"].isin(_HEADLINES)]
    rows = []
    for area in table.study.counties:
        block = frame[frame["county"] == area.name]
        known = block[block["strict"].notna()]
        gaps = [label for label in block["label"].unique() if label not in set(known["label"])]
        rows.append(
            {
                "County": html_lines(area.name, area.zh),
                "What the figures imply": html_lines(*_findings(known, reading)),
                "Not identified": html_lines(*gaps),
            }
        )
    results = run_crosschecks(table, reading=reading)
    counts = Counter(result.verdict for result in results)
    compared = compare_counties(table, assessments, reading=reading)["verdict"]
    ranked = int(compared.isin(["above", "below"]).sum())
    return Exhibit(
        name="findings",
        kind="table",
        simulated=table.study.simulated,
        caption="In short: what the published figures imply, if they are true",
        note=(
            f"{reading.capitalize()} reading of hedges. {count_verdicts(counts)} Of "
            f"{len(compared)} comparisons of two counties on one measure, {ranked} give an "
            "order. No effect of the programme is identified: there are no villages to compare "
            f"with. {MONEY} {LEGEND}"
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object)),
    )


def measure_table(
    table: ClaimTable, measures: Sequence[str], *, name: str, caption: str
) -> Exhibit:
    """Show measures by county, each definition on a row of its own.

    Parameters
    ----------
    table
        The study's claims.
    measures
        Names of measures (evaluation.claims.measures.MEASURES), one group of rows each.
    name, caption
        Of the exhibit.
    """
    check_measures(measures)
    frame = assessment_frame(assess_counties(table))
    frame = frame[frame["measure"].isin(measures)]
    rows = []
    for (_, definition), block in frame.groupby(["measure", "definition"], sort=False):
        first = block.iloc[0]
        cells = {
            f"{area.name} {area.zh}": _measure_cell(
                block[block["county"] == area.name].iloc[0].to_dict(), table
            )
            for area in table.study.counties
        }
        heading = f"{first['label']} ({first['reads']})"
        rule = html_lines(str(definition), html_formula(first["formula"]))
        rows.append({"measure": heading, "Definition": rule, **cells})
    return Exhibit(
        name=name,
        kind="table",
        simulated=table.study.simulated,
        caption=caption,
        note=(
            "Bounds in the strict reading, and in the loose one where it differs; 'unhedged' "
            "is the value with hedges and rounding left aside. Cells of one row share a "
            "formula; whether they may be ranked is said under 'What may be ranked'. "
            f"{_uncounted(table)}{MONEY} {LEGEND}"
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object), group="measure"),
    )


def comparison_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Say which counties may be ranked on what, and why most may not."""
    frame = compare_counties(table, assess_counties(table), reading=reading)
    told = frame[frame["verdict"] != "not identified"]
    untold = frame[frame["verdict"] == "not identified"]["label"].value_counts()
    shown = pd.DataFrame(
        {
            "measure": told["label"],
            "Counties": told["county"] + " and " + told["other"],
            "Verdict": [_order_text(row) for row in told.to_dict("records")],
            "Why": [relabel(reason, table) for reason in told["reason"]],
        },
        dtype=object,
    )
    pairs = "; ".join(f"{label!s}: {n}" for label, n in untold.items())
    return Exhibit(
        name="comparisons",
        kind="table",
        simulated=table.study.simulated,
        caption="What may be ranked, and what may not",
        note=(
            f"Pairs in which a county has no figure at all are left out ({pairs}). Figures "
            "without a date of their own count as of the text's date."
        ),
        data=frame,
        body=html_table(shown, group="measure"),
    )


def readings_table(table: ClaimTable) -> Exhibit:
    """Show how much turns on reading the hedges strictly or loosely."""
    frame = assessment_frame(assess_counties(table))
    moved = frame[[s != o for s, o in zip(frame["strict"], frame["loose"], strict=True)]]
    verdicts = [
        {r.check.id: r.verdict for r in run_crosschecks(table, reading=x)} for x in READINGS
    ]
    changed = [name for name, verdict in verdicts[0].items() if verdicts[1][name] != verdict]
    shown = pd.DataFrame(
        {
            "measure": moved["label"] + " (" + moved["reads"] + ")",
            "County": moved["county"],
            "Definition": moved["definition"],
            "Strict": [html_bounds(b) for b in moved["strict"]],
            "Loose": [html_bounds(b) for b in moved["loose"]],
        },
        dtype=object,
    )
    return Exhibit(
        name="readings",
        kind="table",
        simulated=table.study.simulated,
        caption="What turns on the reading of hedges",
        note=(
            "All other measures are the same in both readings. Cross-checks whose verdict "
            f"changes: {', '.join(changed) or 'none'}; their values are in the table of "
            f"cross-checks. {LEGEND}"
        ),
        data=moved,
        body=html_table(shown, group="measure"),
    )


def _order_text(row: dict[Any, Any]) -> str:
    if row["verdict"] in ("above", "below"):
        return f"{row['county']} {row['verdict']} {row['other']}"
    return str(row["verdict"])


def _findings(known: pd.DataFrame, reading: Reading) -> list[Markup]:
    other = OTHER_READING[reading]
    lines = []
    for label, block in known.groupby("label", sort=False):
        lines.append(Markup("<strong>{}</strong>").format(label))
        for row in block.to_dict("records"):
            value = html_bounds(row[reading], row["reads"])
            if row[other] != row[reading]:
                value += Markup(", {}ly {}").format(other, html_bounds(row[other]))
            claims = html_claims(row["claims"])
            lines.append(Markup("{}: {} {}").format(row["definition"], value, claims))
        if block["measure"].iloc[0] == "gain_per_yuan":
            span = reduce(Bounds.hull, block[reading])
            lines.append(Markup("over all definitions: {}").format(html_bounds(span)))
    return lines


def _measure_cell(row: dict[Any, Any], table: ClaimTable) -> Markup:
    strict, loose, printed = row["strict"], row["loose"], row["as_printed"]
    claims = html_claims(str(row["claims"]))
    if strict is None:
        return Markup('<span class="gap">not identified. {}</span>').format(
            relabel(str(row["missing"]), table)
        )
    lines = [Markup("<strong>{}</strong>").format(html_bounds(strict))]
    if loose != strict:
        lines.append(Markup("loosely {}").format(html_bounds(loose)))
    if printed != strict and str(printed) != str(strict):
        lines.append(Markup("unhedged {}").format(html_bounds(printed)))
    return html_lines(*lines, claims)


def _uncounted(table: ClaimTable) -> str:
    """Name the money that is in the text and in no total."""
    claims = [
        claim.claim
        for claim in table.claims.values()
        if claim.stage == "input"
        and claim.figure
        and claim.figure.unit.is_money
        and not (table.indicators[claim.indicator].money and claim.is_county_wide)
    ]
    if not claims:
        return ""
    return (
        f"In no total, for it is not the whole county's or not marked as a use or source: "
        f"{', '.join(claims)}. "
        "A source that the text does not name is not a source of nothing. "
    )
