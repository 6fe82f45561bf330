"""The table of cross-checks: each with its verdict and the numbers behind it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd
from markupsafe import Markup

from evaluation.claims.crosscheck import VERDICTS, Verdict, crosscheck_frame, run_crosschecks
from evaluation.claims.formula import parse_formula
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, Reading
from evaluation.language import commas, mark, say, say_count, sentences
from evaluation.report.cells import html_bounds, html_claims, html_lines, html_table
from evaluation.report.claims.tables import READINGS, absent_claims, relabel
from evaluation.report.exhibits import LEGEND, MONEY, Exhibit

_CAPTION = mark("Cross-checks: which claims can be true together")
_ANSWERS = {
    "yes": mark("holds for every value allowed"),
    "no": mark("holds for none"),
    "unknown": mark("can hold"),
}
_SIDES = ("left", "right", "common")
_SIGNS = {"==": "=", "<=": "≤", ">=": "≥", "*": "×"}


def crosscheck_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Show every cross-check with its verdict, the numbers behind it, and why.

    Its data are those of `crosscheck_frame`, with left_other, right_other and common_other
    under the other reading.
    """
    reading = reading or table.study.reading
    left_out = say_left_out(table)
    if left_out and not run_crosschecks(table):
        return absent_claims(table, "crosschecks", say(_CAPTION), left_out)
    other = OTHER_READING[reading]
    read, reread = say(READINGS[reading][0]), say(READINGS[other][0])
    results = run_crosschecks(table, reading=reading)
    others = run_crosschecks(table, reading=other)
    frame, other_frame = crosscheck_frame(results), crosscheck_frame(others)
    lines = zip(frame.to_dict("records"), other_frame.to_dict("records"), strict=True)
    worked: dict[str, list[Markup]] = {}
    for line, other_line in lines:
        worked.setdefault(line["check"], []).append(_worked_out(line, other_line, other, table))
    rows = []
    for result, elsewhere in zip(results, others, strict=True):
        check = result.check
        differs = elsewhere.verdict != result.verdict
        rows.append(
            {
                say("Cross-check"): Markup("<strong>{}</strong> {}<br>{}").format(
                    check.id, check.title.shown, table.name_area(check.county)
                ),
                say("Verdict"): html_lines(
                    Markup('<span class="verdict {}">{}</span>').format(
                        result.verdict.replace(" ", "-"), say(VERDICTS[result.verdict])
                    ),
                    say(
                        "{reading} reading: {verdict}",
                        reading=reread,
                        verdict=say(VERDICTS[elsewhere.verdict]),
                    )
                    if differs
                    else "",
                ),
                say("What was worked out"): html_lines(*worked[check.id]),
                say("Why"): html_lines(
                    *(relabel(reason, table) for reason in result.reasons), check.note.shown
                ),
                say("Claims"): html_claims(" ".join(result.claims)),
            }
        )
    return Exhibit(
        name="crosschecks",
        kind="table",
        simulated=table.study.simulated,
        caption=say(_CAPTION),
        note=sentences(
            count_verdicts(Counter(result.verdict for result in results)),
            left_out,
            say(
                "Consistent means that no relation in the check rules itself out, not that the "
                "figures are true."
            ),
            say(
                "{reading} reading; the {other} one where it differs.",
                reading=read.capitalize(),
                other=reread,
            ),
            say(MONEY),
            say(LEGEND),
        ),
        data=frame.assign(**{f"{side}_other": other_frame[side] for side in _SIDES}),
        body=html_table(pd.DataFrame(rows, dtype=object)),
    )


def count_verdicts(counts: Counter[Verdict]) -> str:
    """Print how many checks have each verdict."""
    each = commas(
        say("{n} {kind}", n=counts[verdict], kind=say(said))
        for verdict, said in VERDICTS.items()
    )
    return say_count(
        "{n} cross-check: {each}.", "{n} cross-checks: {each}.", counts.total(), each=each
    )


def say_left_out(table: ClaimTable) -> str:
    """Say how many checks cannot be made on one county alone; '' if all were made."""
    if table.whole is None:
        return ""
    n = len(run_crosschecks(table.whole)) - len(run_crosschecks(table))
    return (
        say_count(
            "{n} cross-check is not made here: it is on another county or several.",
            "{n} cross-checks are not made here: they are on other counties or several.",
            n,
        )
        if n
        else ""
    )


def _worked_out(
    row: dict[Any, Any], other_row: dict[Any, Any], other: Reading, table: ClaimTable
) -> Markup:
    """Print a formula, its value, and what differs in the other reading."""
    named = relabel(_print_signs(row["formula"]), table)
    formula = Markup('<span class="formula">{}</span>').format(named)
    if row["left"] is None:
        return formula
    text = Markup("{}<br>{}").format(formula, _sides(row))
    if (row["left"], row["right"]) != (other_row["left"], other_row["right"]):
        text += Markup(say("; {strictly}: {sides}")).format(
            strictly=say(READINGS[other][1]), sides=_sides(other_row)
        )
    if row["left_printed"] != row["left"]:
        text += Markup(say("; unhedged {value}")).format(value=html_bounds(row["left_printed"]))
    return text


def _print_signs(formula: str) -> str:
    for typed, printed in _SIGNS.items():
        formula = formula.replace(typed, printed)
    return formula


def _sides(row: dict[Any, Any]) -> Markup:
    unit = "" if row["unit"] == "个" else str(row["unit"])
    if row["right"] is None:
        return html_bounds(row["left"], unit)
    relation, holds = parse_formula(row["formula"]).relation, _ANSWERS[row["answer"]]
    text = Markup(say("{left} {relation} {right} {holds}")).format(
        left=html_bounds(row["left"]),
        relation=_print_signs(relation or ""),
        right=html_bounds(row["right"], unit),
        holds=say(holds),
    )
    if row["common"] is not None and row["answer"] == "unknown":
        text += Markup(say("; both allow {values}")).format(
            values=html_bounds(row["common"], unit)
        )
    return text
