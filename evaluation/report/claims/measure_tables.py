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
from evaluation.claims.definitions import check_measures
from evaluation.claims.measures import assess_counties, assessment_frame
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, READINGS, Reading
from evaluation.language import commas, listing, mark, say, sentences
from evaluation.report.cells import (
    html_bounds,
    html_claims,
    html_formula,
    html_lines,
    html_phrase,
    html_table,
)
from evaluation.report.claims.check_tables import count_verdicts, say_left_out
from evaluation.report.claims.tables import READINGS as READ
from evaluation.report.claims.tables import (
    absent_claims,
    name_area,
    relabel,
    say_gap,
    say_otherwise,
)
from evaluation.report.exhibits import LEGEND, MONEY, Exhibit

# The measures that the report opens with.
_ORDERS = mark(
    "Of {n} comparisons of two counties on one measure, {ranked} give an order. No effect of "
    "the programme is identified: there are no villages to compare with."
)
_NO_EFFECT = mark(
    "No effect of the programme is identified: there are no villages to compare with."
)
_RANKED = mark("What may be ranked, and what may not")
_HEADLINES = ("level_per_village", "gain_per_village", "gain_per_yuan", "cost_per_job")


def findings_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Say in short what the figures imply for each county, and what they leave open.

    Its data are those of `assessment_frame`, with all_definitions: what a county's definitions
    of the gain per yuan span together, under the reading.
    """
    reading = reading or table.study.reading
    assessments = assess_counties(table)
    frame = assessment_frame(assessments)
    frame = frame[frame["measure"].isin(_HEADLINES)]
    frame = frame.assign(all_definitions=_span_definitions(frame, reading))
    rows = []
    for area in table.study.counties:
        block = frame[frame["county"] == area.name]
        known = block[block["strict"].notna()]
        gaps = [label for label in block["label"].unique() if label not in set(known["label"])]
        rows.append(
            {
                say("County"): html_lines(*name_area(area)),
                say("What the figures imply"): html_lines(*_findings(known, reading)),
                say("Not identified"): html_lines(*map(say, gaps)),
            }
        )
    results = run_crosschecks(table, reading=reading)
    counts = Counter(result.verdict for result in results)
    compared = compare_counties(table, assessments, reading=reading)["verdict"]
    n_pairs, ranked = len(compared), int(compared.isin(["above", "below"]).sum())
    return Exhibit(
        name="findings",
        kind="table",
        simulated=table.study.simulated,
        caption=say("In short: what the published figures imply, if they are true"),
        note=sentences(
            say("{reading} reading of hedges.", reading=say(READ[reading][0]).capitalize()),
            count_verdicts(counts) if results else "",
            say_left_out(table),
            say(
                _ORDERS if table.study.county is None else _NO_EFFECT, n=n_pairs, ranked=ranked
            ),
            say(MONEY),
            say(LEGEND),
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
            " ".join(name_area(area)): _measure_cell(
                block[block["county"] == area.name].iloc[0].to_dict(), table
            )
            for area in table.study.counties
        }
        rule = html_lines(say(str(definition)), html_formula(first["formula"]))
        rows.append({"measure": _heading(first), say("Definition"): rule, **cells})
    return Exhibit(
        name=name,
        kind="table",
        simulated=table.study.simulated,
        caption=say(caption),
        note=sentences(
            say(
                "Bounds in the strict reading, and in the loose one where it differs; "
                "'unhedged' is the value with hedges and rounding left aside. Cells of one row "
                "share a formula; whether they may be ranked is said under 'What may be "
                "ranked'."
            ),
            _uncounted(table) if frame["formula"].str.contains("funds_").any() else "",
            say(MONEY),
            say(LEGEND),
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object), group="measure"),
    )


def comparison_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Say which counties may be ranked on what, and why most may not."""
    if table.study.county:
        reason = say("This report is on one county: there is none to rank it with.")
        return absent_claims(table, "comparisons", say(_RANKED), reason)
    frame = compare_counties(table, assess_counties(table), reading=reading)
    told = frame[frame["verdict"] != "not identified"]
    untold = frame[frame["verdict"] == "not identified"]["label"].value_counts()
    shown = pd.DataFrame(
        {
            "measure": told["label"].map(say),
            say("Counties"): [
                html_phrase(listing([table.name_area(county), table.name_area(other)]))
                for county, other in zip(told["county"], told["other"], strict=True)
            ],
            say("Verdict"): [
                html_phrase(_order_text(row, table)) for row in told.to_dict("records")
            ],
            say("Why"): [relabel(reason, table) for reason in told["reason"]],
        },
        dtype=object,
    )
    pairs = say("; ").join(
        say("{measure}: {n}", measure=say(str(label)), n=n) for label, n in untold.items()
    )
    return Exhibit(
        name="comparisons",
        kind="table",
        simulated=table.study.simulated,
        caption=say(_RANKED),
        note=say(
            "Pairs in which a county has no figure at all are left out ({pairs}). Figures "
            "without a date of their own count as of the text's date.",
            pairs=pairs,
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
            "measure": [_heading(row) for _, row in moved.iterrows()],
            say("County"): moved["county"].map(table.name_area),
            say("Definition"): moved["definition"].map(say),
            say("Strict"): [html_bounds(b) for b in moved["strict"]],
            say("Loose"): [html_bounds(b) for b in moved["loose"]],
        },
        dtype=object,
    )
    return Exhibit(
        name="readings",
        kind="table",
        simulated=table.study.simulated,
        caption=say("What turns on the reading of hedges"),
        note=sentences(
            say(
                "All other measures are the same in both readings. Cross-checks whose verdict "
                "changes: {checks}; their values are in the table of cross-checks.",
                checks=commas(changed) or say("none"),
            ),
            say(LEGEND),
        ),
        data=moved,
        body=html_table(shown, group="measure"),
    )


def _heading(row: pd.Series[Any]) -> str:
    """Name a measure with the unit that its values read in."""
    label, reads = row[["label", "reads"]]
    return say("{measure} ({unit})", measure=say(label), unit=say(reads))


def _order_text(row: dict[Any, Any], table: ClaimTable) -> str:
    verdict = row["verdict"]
    if verdict not in ("above", "below"):
        return say(verdict)
    county, other = table.name_area(row["county"]), table.name_area(row["other"])
    return say("{county} {above} {other}", county=county, above=say(verdict), other=other)


def _findings(known: pd.DataFrame, reading: Reading) -> list[Markup]:
    other = OTHER_READING[reading]
    lines = []
    for label, block in known.groupby("label", sort=False):
        lines.append(Markup("<strong>{}</strong>").format(say(str(label))))
        for row in block.to_dict("records"):
            definition, reads = row["definition"], row["reads"]
            value = html_bounds(row[reading], say(reads))
            if row[other] != row[reading]:
                value += say_otherwise(other, html_bounds(row[other]))
            lines.append(
                Markup(say("{definition}: {value} {claims}")).format(
                    definition=say(definition),
                    value=value,
                    claims=html_claims(row["claims"]),
                )
            )
        if isinstance(span := block["all_definitions"].iloc[0], Bounds):
            told = Markup(say("over all definitions: {span}"))
            lines.append(told.format(span=html_bounds(span)))
    return lines


def _span_definitions(frame: pd.DataFrame, reading: Reading) -> pd.Series[Any]:
    """Give the bounds over all of a county's definitions of the gain per yuan, in its rows."""
    known = frame[(frame["measure"] == "gain_per_yuan") & frame["strict"].notna()]
    spans = pd.Series(None, index=frame.index, dtype=object)
    for _, block in known.groupby("county"):
        span = reduce(Bounds.hull, block[reading])
        spans[block.index] = pd.Series([span] * len(block), index=block.index, dtype=object)
    return spans


def _measure_cell(row: dict[Any, Any], table: ClaimTable) -> Markup:
    strict, loose, printed = row["strict"], row["loose"], row["as_printed"]
    claims = html_claims(str(row["claims"]))
    if strict is None:
        return say_gap(relabel(str(row["missing"]), table))
    lines = [Markup("<strong>{}</strong>").format(html_bounds(strict))]
    if loose != strict:
        lines.append(Markup(say("loosely {value}")).format(value=html_bounds(loose)))
    if printed != strict and str(printed) != str(strict):
        lines.append(Markup(say("unhedged {value}")).format(value=html_bounds(printed)))
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
    return say(
        "In no total, for it is not the whole county's or not marked as a use or source: "
        "{claims}. A source that the text does not name is not a source of nothing.",
        claims=commas(claims),
    )
