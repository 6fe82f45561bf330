"""Tables of what claims imply: every number beside the claims that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from evaluation.claims.comparison import compare_counties
from evaluation.claims.crosscheck import crosscheck_frame, run_crosschecks
from evaluation.claims.figures import FUNDS
from evaluation.claims.measures import assess_counties, assessment_frame
from evaluation.claims.table import ClaimTable
from evaluation.data.hedges import READINGS, Reading
from evaluation.report.exhibits import (
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
    verdicts = pd.Series([result.verdict for result in results], dtype=object).value_counts()
    compared = compare_counties(table, assessments, reading=reading)["verdict"]
    ranked = int(compared.isin(["above", "below"]).sum())
    return Exhibit(
        name="findings",
        kind="table",
        simulated=table.study.simulated,
        caption="In short: what the published figures imply, if they are true",
        note=(
            f"{reading.capitalize()} reading of hedges. Of {len(results)} cross-checks "
            f"{verdicts.get('consistent', 0)} are consistent and "
            f"{verdicts.get('inconsistent', 0)} inconsistent; "
            f"{verdicts.get('cannot be checked', 0)} cannot be checked and "
            f"{verdicts.get('not comparable', 0)} compare unlike things. Of {len(compared)} "
            f"comparisons of two counties on one measure, {ranked} give an order. No effect of "
            "the programme is identified: there are no villages to compare with."
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object)),
    )


def measure_table(
    table: ClaimTable, measures: Sequence[str], *, name: str, caption: str
) -> Exhibit:
    """Show measures by county, each definition on a row of its own."""
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
        heading = f"{first['label']} ({first['unit']})"
        rule = html_lines(str(definition), html_formula(first["formula"]))
        rows.append({"measure": heading, "Definition": rule, **cells})
    return Exhibit(
        name=name,
        kind="table",
        simulated=table.study.simulated,
        caption=caption,
        note=(
            "Bounds in the strict reading; the loose one below where it differs; 'as printed' "
            "where the figures taken at their word give another value. 万元 is 10,000 yuan of "
            "the years reported, not deflated. Cells of one row share a formula; whether they "
            "may be ranked is said under 'What may be ranked'."
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
            "Verdict": told["verdict"],
            "Why": [_relabel(reason, table) for reason in told["reason"]],
        },
        dtype=object,
    )
    pairs = "; ".join(f"{label!s}: {n}" for label, n in untold.items())
    return Exhibit(
        name="comparisons",
        kind="table",
        simulated=table.study.simulated,
        caption="What may be ranked, and what may not",
        note=f"Pairs in which a county has no figure at all are left out ({pairs}).",
        data=frame,
        body=html_table(shown, group="measure"),
    )


def crosscheck_table(table: ClaimTable, *, reading: Reading | None = None) -> Exhibit:
    """Show every cross-check with its verdict, the numbers behind it, and why."""
    results = run_crosschecks(table, reading=reading)
    other: Reading = "loose" if (reading or table.study.reading) == "strict" else "strict"
    elsewhere = {r.check.id: r.verdict for r in run_crosschecks(table, reading=other)}
    frame = crosscheck_frame(results)
    rows = []
    for result in results:
        check = result.check
        lines = frame[frame["check"] == check.id].to_dict("records")
        differs = elsewhere[check.id] != result.verdict
        rows.append(
            {
                "Check": Markup("<strong>{}</strong> {}<br>{}").format(
                    check.id, check.title.en, check.county
                ),
                "Verdict": html_lines(
                    Markup('<span class="verdict {}">{}</span>').format(
                        result.verdict.replace(" ", "-"), result.verdict
                    ),
                    f"{other} reading: {elsewhere[check.id]}" if differs else "",
                ),
                "What was worked out": html_lines(*(_worked_out(line) for line in lines)),
                "Why": html_lines(
                    *(_relabel(reason, table) for reason in result.reasons), check.note.en
                ),
                "Claims": html_claims(" ".join(result.claims)),
            }
        )
    counts = pd.Series([r.verdict for r in results], dtype=object).value_counts()
    return Exhibit(
        name="crosschecks",
        kind="table",
        simulated=table.study.simulated,
        caption="Cross-checks: which claims can be true together",
        note=(
            f"{len(results)} checks: {', '.join(f'{n} {v}' for v, n in counts.items())}. "
            "Consistent means that the figures can all be true, not that they are."
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object)),
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
            "measure": moved["label"] + " (" + moved["unit"] + ")",
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
            f"All other measures are the same in both readings. Cross-checks whose verdict "
            f"changes: {', '.join(changed) or 'none'}."
        ),
        data=moved,
        body=html_table(shown, group="measure"),
    )


def _findings(known: pd.DataFrame, reading: Reading) -> list[Markup]:
    lines = []
    for label, block in known.groupby("label", sort=False):
        lines.append(Markup("<strong>{}</strong>").format(label))
        lines += [
            Markup("{}: {} {}").format(
                row["definition"],
                html_bounds(row[reading], row["unit"]),
                html_claims(row["claims"]),
            )
            for row in block.to_dict("records")
        ]
    return lines


def _measure_cell(row: dict[Any, Any], table: ClaimTable) -> Markup:
    strict, loose, printed = row["strict"], row["loose"], row["as_printed"]
    claims = html_claims(str(row["claims"]))
    if strict is None:
        return Markup('<span class="gap">not identified; missing: {}</span>').format(
            _relabel(str(row["missing"]), table)
        )
    lines = [Markup("<strong>{}</strong>").format(html_bounds(strict))]
    if loose != strict:
        lines.append(Markup("loosely {}").format(html_bounds(loose)))
    if printed != strict and str(printed) != str(strict):
        lines.append(Markup("as printed {}").format(html_bounds(printed)))
    return html_lines(*lines, claims)


def _worked_out(row: dict[Any, Any]) -> Markup:
    formula = html_formula(row["formula"])
    left, right, printed = row["left"], row["right"], row["left_printed"]
    if left is None:
        return formula
    unit = "" if row["unit"] == "个" else str(row["unit"])
    text = Markup("{}<br>{}").format(formula, html_bounds(left))
    if right is not None:
        relation = next(r for r in ("<=", ">=", "==", "<", ">") if r in str(row["formula"]))
        text += Markup(" {} {}").format(relation, html_bounds(right))
        text += {
            "yes": " holds for every value allowed",
            "no": " holds for none",
            "unknown": " can hold",
        }[str(row["answer"])]
    if unit:
        text += f" ({unit})"
    if printed != left and str(printed) != str(left):
        text += Markup("; {} as printed").format(html_bounds(printed))
    if row["common"] is not None and row["answer"] == "unknown":
        text += Markup("; both allow {}").format(html_bounds(row["common"]))
    return text


def _relabel(text: str, table: ClaimTable) -> Markup:
    """Replace indicators' names by what they are called, and link claims."""
    names = {**{n: i.label.en for n, i in table.indicators.items()}, **FUNDS}
    words = []
    for word in text.split(" "):
        core = word.strip("(),;:")
        bare = core.rpartition(".")[2]
        if core in table.claims:
            words.append(Markup("{}").format(word).replace(core, html_claims(core)))
        elif bare in names:
            named = names[bare] + (f" of {core.rpartition('.')[0]}" if "." in core else "")
            words.append(Markup("{}").format(word.replace(core, named)))
        else:
            words.append(Markup("{}").format(word))
    return Markup(" ").join(words)
