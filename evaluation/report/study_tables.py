"""Tables on any study: the evidence it has, its source, its limits."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.data.study import Study
from evaluation.report.exhibits import Exhibit, html_lines, html_table
from evaluation.report.words import LADDER

_ENOUGH = 19  # 1 / (19 + 1) = .05


def evidence_ladder(study_data: StudyData) -> Exhibit:
    """Show the three rungs of evidence, and mark the one that the study's data reach."""
    study = study_data.study
    reached, why = _reach_rung(study_data)
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
            "What it needs": [r["data"] for r in rows],
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
        simulated=study.simulated,
        caption="The ladder of evidence, and the rung that these data reach",
        note=why,
        data=pd.DataFrame(rows, dtype=object),
        body=html_table(shown, row_headers=2),
    )


def _reach_rung(study_data: StudyData) -> tuple[int | None, str]:
    """Say which rung the data reach, None if there is no such, and why."""
    panel, claims = study_data.panel, study_data.study.claims
    claimed = "Figures of the published text stay on the first rung: they are claims."
    held = _held(panel) if panel else ""
    if panel is None or not panel.has_before_after.any():
        words = "On this rung a figure is a claim: what follows if it is true is worked out, "
        words = f"{words}and no effect is estimated." if claims else ""
        return (0 if claims else None), f"{held} {words}".strip()
    return (2 if panel.has_comparison else 1), f"{held} {claimed if claims else ''}".strip()


def _held(panel: VillagePanel) -> str:
    """Say what the panel has to compare, and what it lacks for a higher rung."""
    n_treated, n_both = int(panel.is_treated.sum()), int(panel.has_before_after.sum())
    n_never = panel.n_villages - n_treated
    if not n_treated:
        return "No village of the panel is treated: it describes, and no more."
    counts = (
        f"{n_both:,} of {n_treated:,} treated villages have an outcome both before and after "
        f"their first treated year; {n_never:,} villages are never treated."
    )
    if not n_both:
        why = "No treated village has an outcome both before and after: the panel describes, "
        return f"{why}and no more. {counts}"
    if not panel.has_comparison:
        counts += " In no year is there an untreated village whose change can be compared."
    if n_never < _ENOUGH:
        counts += (
            f" A 95% interval for a single village needs {_ENOUGH} comparison villages: "
            "1/(n+1) <= .05."
        )
    return counts


def source_table(study: Study) -> Exhibit:
    """Say where the figures come from, and what that is and is not."""
    source = study.source
    title = source.title.en if source.title else "not on record"
    title_zh = source.title.zh if source.title else ""
    facts = [
        ("Publisher", source.publisher.en, source.publisher.zh),
        ("Date", source.date.isoformat() if source.date else "not on record", ""),
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
        simulated=study.simulated,
        caption="The source, what it is and what it is not",
        data=data,
        body=html_table(shown),
    )


def glossary_table(study: Study) -> Exhibit:
    """Explain the terms of the text that a reader may not know."""
    terms = study.glossary
    return Exhibit(
        name="glossary",
        kind="table",
        simulated=study.simulated,
        caption="Terms of the text",
        data=pd.DataFrame(
            [(t.zh, t.en) for t in terms], columns=["term", "meaning"], dtype=object
        ),
        body=html_table(
            pd.DataFrame(
                {"Term": [t.zh for t in terms], "Meaning": [t.en for t in terms]}, dtype=object
            )
        ),
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
        simulated=study.simulated,
        caption="Limits of these figures",
        data=data,
        body=Markup("<ul>{}</ul>").format(items),
    )
