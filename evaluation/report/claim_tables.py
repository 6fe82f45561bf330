"""Tables on published claims: every number beside the claims that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.claims.crosscheck import crosscheck_frame, run_crosschecks
from evaluation.claims.figures import FUNDS
from evaluation.claims.measures import assess_counties, assessment_frame, compare_counties
from evaluation.claims.table import Claim, ClaimTable
from evaluation.data.hedges import READINGS, Reading
from evaluation.data.study import Study
from evaluation.report.exhibits import (
    Exhibit,
    html_bounds,
    html_claims,
    html_formula,
    html_lines,
    html_table,
)
from evaluation.report.words import LADDER, PILLARS, SCOPES, STAGES

# The measures that the report opens with.
_HEADLINES = ("level_per_village", "gain_per_village", "gain_per_yuan", "cost_per_job")


def evidence_ladder(study: Study) -> Exhibit:
    """Show the three rungs of evidence, and mark the one that the study's data reach."""
    reached = 0 if study.claims and not study.panel else None
    rows = [
        {
            "rung": number + 1,
            "evidence": name,
            "data": needs,
            "may_say": says,
            "reached": number == reached,
        }
        for number, (name, needs, says) in enumerate(LADDER)
    ]
    shown = pd.DataFrame(
        {
            "Rung": [r["rung"] for r in rows],
            "Evidence": [r["evidence"] for r in rows],
            "What the study has": [r["data"] for r in rows],
            "What may be said": [r["may_say"] for r in rows],
            "This study": [
                Markup("<strong>◀ here</strong>") if r["reached"] else "" for r in rows
            ],
        },
        dtype=object,
    )
    return Exhibit(
        name="evidence_ladder",
        kind="table",
        caption="The ladder of evidence, and the rung that these data reach",
        data=pd.DataFrame(rows, dtype=object),
        body=html_table(shown, row_headers=2),
    )


def source_table(study: Study) -> Exhibit:
    """Say where the figures come from, and what that is and is not."""
    source = study.source
    title = source.title.en if source.title else "not on record"
    title_zh = source.title.zh if source.title else ""
    facts = [
        ("Publisher", source.publisher.en, source.publisher.zh),
        ("Date", source.date.isoformat(), ""),
        ("Title", title, title_zh),
        *(("What it is", text.en, text.zh) for text in source.what_it_is),
        *(("What it is not", text.en, text.zh) for text in source.what_it_is_not),
    ]
    data = pd.DataFrame(facts, columns=["fact", "en", "zh"], dtype=object)
    shown = pd.DataFrame(
        {"Source": data["fact"], "": [html_lines(en, zh) for _, en, zh in facts]}, dtype=object
    )
    return Exhibit(
        name="source",
        kind="table",
        caption="The source, what it is and what it is not",
        data=data,
        body=html_table(shown),
    )


def limits_table(study: Study) -> Exhibit:
    """State the study's limits, as study.yml declares them."""
    data = pd.DataFrame(
        [(t.en, t.zh) for t in study.limits], columns=["en", "zh"], dtype=object
    )
    items = Markup("").join(
        Markup("<li>{}</li>").format(html_lines(t.en, t.zh)) for t in study.limits
    )
    return Exhibit(
        name="limits",
        kind="table",
        caption="Limits of these figures",
        data=data,
        body=Markup("<ul>{}</ul>").format(items),
    )


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
                "What the figures imply": html_lines(
                    *(
                        Markup("{} ({}): {} {}").format(
                            row["label"],
                            row["definition"],
                            html_bounds(row[reading], row["unit"]),
                            html_claims(row["claims"]),
                        )
                        for row in known.to_dict("records")
                    )
                ),
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
        caption="In short: what the published figures imply, if they are true",
        note=(
            f"{reading.capitalize()} reading of hedges. Of {len(results)} cross-checks "
            f"{verdicts.get('consistent', 0)} are consistent and "
            f"{verdicts.get('inconsistent', 0)} inconsistent; "
            f"{verdicts.get('cannot be checked', 0)} cannot be checked and "
            f"{verdicts.get('not comparable', 0)} compare unlike things. Pairs of counties that "
            f"can be ranked on some measure: {ranked} of {len(compared)}. No effect of the "
            "programme is identified: there are no villages to compare with."
        ),
        data=frame,
        body=html_table(pd.DataFrame(rows, dtype=object)),
    )


def hedge_table(table: ClaimTable) -> Exhibit:
    """Show every hedged or rounded figure, and both readings of it."""
    columns = ["claim", "county", "indicator", "printed", "unit", "strict", "loose"]
    frame = table.to_frame()[columns]
    figures = frame[frame["strict"].notna()]
    pairs: list[tuple[Bounds, Bounds]] = list(
        zip(figures["strict"], figures["loose"], strict=True)
    )
    inexact = [not strict.is_exact or strict != loose for strict, loose in pairs]
    data = figures[inexact]
    shown = pd.DataFrame(
        {
            "Claim": [html_claims(claim) for claim in data["claim"]],
            "County": data["county"],
            "Indicator": [table.indicators[name].label.en for name in data["indicator"]],
            "As printed": data["printed"],
            "Unit": data["unit"],
            "Strict reading": [html_bounds(bounds) for bounds in data["strict"]],
            "Loose reading": [html_bounds(bounds) for bounds in data["loose"]],
        },
        dtype=object,
    )
    return Exhibit(
        name="hedged_figures",
        kind="table",
        caption="Hedged and rounded figures, and how they are read",
        note=(
            "Strict: as grammar and law take the words (以上 includes the number, 超过 does "
            "not; 余 leaves a remainder below the last digit). Loose: as officials' prose "
            "often does. [ or ]: the end is a possible value; ( or ): it is not. Ends are "
            "rounded outwards."
        ),
        data=data,
        body=html_table(shown),
    )


def pillar_table(table: ClaimTable, pillar: str) -> Exhibit:
    """Set the counties side by side on one pillar, from inputs to outcomes."""
    areas = table.study.areas
    claims = [c for c in table.claims.values() if c.pillar == pillar]
    order = list(STAGES)
    claims.sort(key=lambda c: order.index(c.stage))
    keys = list(dict.fromkeys((c.stage, c.indicator) for c in claims))
    told: dict[tuple[str, str, str], list[Markup]] = {}
    for claim in claims:
        key = (claim.county, claim.stage, claim.indicator)
        told.setdefault(key, []).append(_claim_cell(claim))
    cells = {a.name: [html_lines(*told.get((a.name, *key), ())) for key in keys] for a in areas}
    shown = pd.DataFrame(
        {
            "stage": [STAGES[stage] for stage, _ in keys],
            "Indicator": [_bilingual(table, indicator) for _, indicator in keys],
            **{f"{a.name} {a.zh}": cells[a.name] for a in areas if any(cells[a.name])},
        },
        dtype=object,
    )
    data = table.to_frame()
    return Exhibit(
        name=f"pillar_{pillar}",
        kind="table",
        caption=f"{PILLARS[pillar]}: the counties side by side",
        note=(
            "Figures as printed, with their strict bounds where they are hedged or rounded. "
            "'Said': the text says so without a figure. An empty cell means that the text is "
            "silent, not that nothing was done."
        ),
        data=data[data["pillar"] == pillar].drop(columns="pillar"),
        body=html_table(shown, group="stage"),
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
        rule = Markup('{}<br><code class="formula">{}</code>').format(
            definition, first["formula"]
        )
        rows.append({"measure": heading, "Definition": rule, **cells})
    return Exhibit(
        name=name,
        kind="table",
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
        caption="What turns on the reading of hedges",
        note=(
            f"All other measures are the same in both readings. Cross-checks whose verdict "
            f"changes: {', '.join(changed) or 'none'}."
        ),
        data=moved,
        body=html_table(shown, group="measure"),
    )


def claim_list(table: ClaimTable) -> Exhibit:
    """List every claim with its figure, its bounds and its place in the article."""
    claims = list(table.claims.values())
    shown = pd.DataFrame(
        {
            "Claim": [Markup('<span id="{0}">{0}</span>').format(c.claim) for c in claims],
            "County": [html_lines(c.county, c.village) for c in claims],
            "Indicator": [_bilingual(table, c.indicator) for c in claims],
            "As printed": [
                html_lines(c.printed, c.hedge and f"words: {c.hedge}") for c in claims
            ],
            "Bounds": [
                html_bounds(c.figure.strict if c.figure else None, c.unit) for c in claims
            ],
            "Said of": [
                html_lines(SCOPES[c.scope], html_date(c.as_of), c.period, _status(c))
                for c in claims
            ],
            "Characters": [f"{c.start}-{c.end}" if c.start is not None else "" for c in claims],
            "Note": [c.note for c in claims],
        },
        dtype=object,
    )
    return Exhibit(
        name="claims",
        kind="table",
        caption="All claims, and where in the article they stand",
        note="Characters count from the start of the article's text.",
        data=table.to_frame(),
        body=html_table(shown),
    )


def _status(claim: Claim) -> str:
    return "" if claim.status == "realised" else claim.status


def _claim_cell(claim: Claim) -> Markup:
    figure, link = claim.figure, html_claims(claim.claim)
    where = claim.village or ("" if claim.is_county_wide else SCOPES[claim.scope])
    details = ", ".join(filter(None, (where, _status(claim))))
    if figure is None:
        text = Markup("said")
    elif not claim.printed:
        text = Markup("{} {} (coder's reading)").format(figure.strict, claim.unit)
    elif figure.strict.is_exact:
        text = Markup("{}").format(claim.printed)
    else:
        text = Markup("{} {}").format(claim.printed, html_bounds(figure.strict))
    return Markup("{} {}{}").format(
        text,
        link,
        Markup('<br><span class="detail">{}</span>').format(details) if details else "",
    )


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


def _bilingual(table: ClaimTable, indicator: str) -> Markup:
    text = table.indicators[indicator].label
    return html_lines(text.en, Markup('<span lang="zh">{}</span>').format(text.zh))


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
