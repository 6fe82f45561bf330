"""Tables of published claims: what the text states, county beside county."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.claims.claim import Claim
from evaluation.claims.indicators import FUNDS
from evaluation.claims.table import ClaimTable
from evaluation.data.study import Study
from evaluation.errors import DataError, suggest
from evaluation.report.exhibits import (
    LEGEND,
    Exhibit,
    html_bounds,
    html_claims,
    html_date,
    html_lines,
    html_table,
)
from evaluation.report.words import PILLARS, SCOPES, STAGES


def pillar_table(table: ClaimTable, pillar: str) -> Exhibit:
    """Set the counties side by side on one pillar, from inputs to outcomes."""
    if pillar not in PILLARS:
        raise DataError(f"no pillar {pillar!r}; {suggest(pillar, PILLARS)}")
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
            **{f"{a.name} {a.zh}": cells[a.name] for a in areas},
        },
        dtype=object,
    )
    data = table.to_frame()
    return Exhibit(
        name=f"pillar_{pillar}",
        kind="table",
        simulated=table.study.simulated,
        caption=f"{PILLARS[pillar]}: the counties side by side",
        note=(
            "Figures as printed, with their strict bounds where they are hedged or rounded. "
            "'Said': the text says so without a figure. An empty cell means that the text is "
            f"silent, not that nothing was done. {LEGEND}"
        ),
        data=data[data["pillar"] == pillar].drop(columns="pillar"),
        body=html_table(shown, group="stage"),
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
    data = figures.loc[inexact]
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
        simulated=table.study.simulated,
        caption="Hedged and rounded figures, and how they are read",
        note=(
            "Strict: literally. 余 and 多 leave a remainder below one unit of the last digit "
            "that is not zero (3300余: below 3400), behind 万 of the last digit printed "
            "(10万余: below 11); the lower end is kept, out of caution. 以上 includes the "
            "number, 超过 does not (as in article 1259 of the Civil Code, here a guide to "
            "usage), nor do 过 and 突破. Loose: as officials' prose often takes them; wider, "
            "but for 过, 超 and 突破, where it adds a ceiling. "
            f"{LEGEND}"
        ),
        data=data,
        body=html_table(shown),
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
                html_lines(SCOPES[c.scope], _date(c, table.study), c.period, _status(c))
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
        simulated=table.study.simulated,
        caption="All claims, and where in the article they stand",
        note="Characters count from the start of the article's text.",
        data=table.to_frame(),
        body=html_table(shown),
    )


def relabel(text: str, table: ClaimTable) -> Markup:
    """Replace names by what they are called, and link claims."""
    codes = {code: said for code, said in SCOPES.items() if "_" in code}
    names = {**{n: i.label.en for n, i in table.indicators.items()}, **FUNDS, **codes}
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


def _claim_cell(claim: Claim) -> Markup:
    figure, link = claim.figure, html_claims(claim.claim)
    where = claim.village or ("" if claim.is_county_wide else SCOPES[claim.scope])
    details = ", ".join(filter(None, (where, _status(claim))))
    if figure is None:
        text = Markup("said")
    elif not claim.printed:
        text = Markup("said; coder's reading: {} {}").format(figure.strict, claim.unit)
    elif figure.strict.is_exact and figure.loose == figure.strict:
        text = Markup("{}").format(claim.printed)
    else:
        text = Markup("{} {}").format(claim.printed, html_bounds(figure.strict, claim.unit))
        if figure.loose != figure.strict:
            text += Markup(", loosely {}").format(html_bounds(figure.loose, claim.unit))
    return Markup("{} {}{}").format(
        text,
        link,
        Markup('<br><span class="detail">{}</span>').format(details) if details else "",
    )


def _date(claim: Claim, study: Study) -> Markup:
    date = study.source.date
    if date and claim.as_of == date.isoformat():
        return Markup("undated; the text's date")
    return html_date(claim.as_of)


def _status(claim: Claim) -> str:
    return "" if claim.status == "realised" else claim.status


def _bilingual(table: ClaimTable, indicator: str) -> Markup:
    text = table.indicators[indicator].label
    return html_lines(text.en, Markup('<span lang="zh">{}</span>').format(text.zh))
