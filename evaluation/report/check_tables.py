"""The table of cross-checks: each with its verdict and the numbers behind it."""

from __future__ import annotations

from collections import Counter
from typing import Any, get_args

import pandas as pd
from markupsafe import Markup

from evaluation.claims.crosscheck import Verdict, crosscheck_frame, run_crosschecks
from evaluation.claims.formula import parse_formula
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import OTHER_READING, Reading
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


def crosscheck_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Show every cross-check with its verdict, the numbers behind it, and why."""
    reading = reading or table.study.reading
    other = OTHER_READING[reading]
    results = run_crosschecks(table, reading=reading)
    others = run_crosschecks(table, reading=other)
    frame, other_frame = crosscheck_frame(results), crosscheck_frame(others)
    lines = zip(frame.to_dict("records"), other_frame.to_dict("records"), strict=True)
    worked: dict[str, list[Markup]] = {}
    for line, other_line in lines:
        worked.setdefault(line["check"], []).append(_worked_out(line, other_line, other))
    rows = []
    for result, elsewhere in zip(results, others, strict=True):
        check = result.check
        differs = elsewhere.verdict != result.verdict
        rows.append(
            {
                "Check": Markup("<strong>{}</strong> {}<br>{}").format(
                    check.id, check.title.en, check.county
                ),
                "Verdict": html_lines(
                    Markup('<span class="verdict {}">{}</span>').format(
                        result.verdict.replace(" ", "-"), result.verdict
                    ),
                    f"{other} reading: {elsewhere.verdict}" if differs else "",
                ),
                "What was worked out": html_lines(*worked[check.id]),
                "Why": html_lines(
                    *(relabel(reason, table) for reason in result.reasons), check.note.en
                ),
                "Claims": html_claims(" ".join(result.claims)),
            }
        )
    return Exhibit(
        name="crosschecks",
        kind="table",
        simulated=table.study.simulated,
        caption="Cross-checks: which claims can be true together",
        note=(
            f"{count_verdicts(Counter(result.verdict for result in results))} Consistent means "
            "that no relation in the check rules itself out, not that the figures are true. "
            f"{reading.capitalize()} reading; the {other} one where it differs. {MONEY} "
            f"{LEGEND}"
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object)),
    )


def count_verdicts(counts: Counter[Verdict]) -> str:
    """Print how many checks have each verdict."""
    each = [f"{counts[verdict]} {verdict}" for verdict in get_args(Verdict)]
    return f"{counts.total()} cross-checks: {', '.join(each)}."


def _worked_out(row: dict[Any, Any], other_row: dict[Any, Any], other: Reading) -> Markup:
    """Print a formula, its value, and what differs in the other reading."""
    formula = html_formula(row["formula"])
    if row["left"] is None:
        return formula
    text = Markup("{}<br>{}").format(formula, _sides(row))
    if (row["left"], row["right"]) != (other_row["left"], other_row["right"]):
        text += Markup("; {}: {}").format(f"{other}ly", _sides(other_row))
    if row["left_printed"] != row["left"]:
        text += Markup("; unhedged {}").format(html_bounds(row["left_printed"]))
    return text


def _sides(row: dict[Any, Any]) -> Markup:
    unit = "" if row["unit"] == "个" else str(row["unit"])
    if row["right"] is None:
        return html_bounds(row["left"], unit)
    relation = parse_formula(row["formula"]).relation
    said = {
        "yes": "holds for every value allowed",
        "no": "holds for none",
        "unknown": "can hold",
    }[row["answer"]]
    text = Markup("{} {} {} {}").format(
        html_bounds(row["left"]), relation, html_bounds(row["right"], unit), said
    )
    if row["common"] is not None and row["answer"] == "unknown":
        text += Markup("; both allow {}").format(html_bounds(row["common"], unit))
    return text
