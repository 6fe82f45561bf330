"""Tables on any study: the evidence it has, its source, its limits."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import VillagePanel
from evaluation.data.study import Study
from evaluation.language import choose, commas, mark, say, sentences, spoken
from evaluation.report.cells import html_lines, html_table
from evaluation.report.exhibits import Exhibit
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
            say("Rung"): [r["rung"] for r in rows],
            say("Evidence"): [say(name) for name, _, _ in LADDER],
            say("What it needs"): [say(needs) for _, needs, _ in LADDER],
            say("What may be said"): [say(says) for _, _, says in LADDER],
            say("This study"): [
                Markup("<strong>◀ {}</strong>").format(say("here")) if r["reached"] else ""
                for r in rows
            ],
        },
        dtype=object,
    )
    return Exhibit(
        name="evidence_ladder",
        kind="table",
        simulated=study.simulated,
        caption=say("The ladder of evidence, and the rung that these data reach"),
        note=why,
        data=pd.DataFrame(rows, dtype=object),
        body=html_table(shown, row_headers=2),
    )


def _reach_rung(study_data: StudyData) -> tuple[int | None, str]:
    """Say which rung the data reach, None if there is no such, and why."""
    panel, claims = study_data.panel, study_data.study.claims
    held = _held(panel) if panel else ""
    if panel is None or not panel.has_before_after.any():
        words = say(
            "On this rung a figure is a claim: what follows if it is true is worked out, and "
            "no effect is estimated."
        )
        return (0 if claims else None), sentences(held, words if claims else "")
    claimed = say("Figures of the published text stay on the first rung: they are claims.")
    return (2 if panel.has_comparison else 1), sentences(held, claimed if claims else "")


def _held(panel: VillagePanel) -> str:
    """Say what the panel has to compare, and what it lacks for a higher rung."""
    n_treated, n_both = int(panel.is_treated.sum()), int(panel.has_before_after.sum())
    n_never = panel.n_villages - n_treated
    if not n_treated:
        return say("No village of the panel is treated: it describes, and no more.")
    counts = say(
        "{both:,} of {treated:,} treated villages have an outcome both before and after their "
        "first treated year; {never:,} villages are never treated.",
        both=n_both,
        treated=n_treated,
        never=n_never,
    )
    if not n_both:
        why = say(
            "No treated village has an outcome both before and after: the panel describes, and "
            "no more."
        )
        return sentences(why, counts)
    alone = say("In no year is there an untreated village whose change can be compared.")
    few = say(
        "A 95% interval for a single village needs {n} comparison villages: 1/(n+1) <= .05.",
        n=_ENOUGH,
    )
    return sentences(
        counts,
        "" if panel.has_comparison else alone,
        few if n_never < _ENOUGH else "",
    )


def source_table(study: Study) -> Exhibit:
    """Say where the figures come from, and what that is and is not."""
    source = study.source
    nothing = say("not on record")
    facts = [
        (mark("Publisher"), source.publisher.en, source.publisher.zh),
        (mark("Date"), source.date.isoformat() if source.date else nothing, ""),
        (
            mark("Title"),
            source.title.en if source.title else nothing,
            source.title.zh if source.title else "",
        ),
    ]
    told = [
        *((mark("What it is"), text) for text in source.what_it_is),
        *((mark("What it is not"), text) for text in source.what_it_is_not),
    ]
    data = pd.DataFrame(
        [*facts, *((fact, text.en, text.zh) for fact, text in told)],
        columns=["fact", "en", "zh"],
        dtype=object,
    )
    shown = pd.DataFrame(
        {
            say("Source"): [say(fact) for fact in data["fact"]],
            "": [
                *(_beside_original(en, zh) for _, en, zh in facts),
                *(text.shown for _, text in told),
            ],
        },
        dtype=object,
    )
    return Exhibit(
        name="source",
        kind="table",
        simulated=study.simulated,
        caption=say("The source, what it is and what it is not"),
        data=data,
        body=html_table(shown),
    )


def _beside_original(english: str, chinese: str) -> Markup:
    """Show a name of the source beside its Chinese original, which in Chinese stands alone."""
    shown = choose(english, chinese)
    return html_lines(shown, chinese if shown != chinese else "")


def glossary_table(study: Study) -> Exhibit:
    """Explain the terms of the text that a reader may not know."""
    terms = study.glossary
    return Exhibit(
        name="glossary",
        kind="table",
        simulated=study.simulated,
        caption=say("Terms of the text"),
        data=pd.DataFrame(
            [(t.zh, t.en) for t in terms], columns=["term", "meaning"], dtype=object
        ),
        body=_explain(study) if spoken() == "en" else _name_terms(study),
    )


def _explain(study: Study) -> Markup:
    cells = {"Term": [t.zh for t in study.glossary], "Meaning": [t.en for t in study.glossary]}
    return html_table(pd.DataFrame(cells, dtype=object))


def _name_terms(study: Study) -> Markup:
    """List the terms, which are explained to those who read no Chinese."""
    terms = commas(term.zh for term in study.glossary)
    told = say("Terms of the text, which the English report explains: {terms}.", terms=terms)
    return Markup("<p>{}</p>").format(told)


def limits_table(study: Study) -> Exhibit:
    """State the study's limits, as study.yml declares them."""
    data = pd.DataFrame(
        [(t.en, t.zh) for t in study.limits], columns=["en", "zh"], dtype=object
    )
    items = Markup("").join(Markup("<li>{}</li>").format(t.shown) for t in study.limits)
    return Exhibit(
        name="limits",
        kind="table",
        simulated=study.simulated,
        caption=say("Limits of these figures"),
        data=data,
        body=Markup("<ul>{}</ul>").format(items),
    )
