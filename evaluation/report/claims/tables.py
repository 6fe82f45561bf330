"""Tables of published claims: what the text states, county beside county."""

from __future__ import annotations

import re

import pandas as pd
from markupsafe import Markup, escape

from evaluation.bounds import Bounds
from evaluation.claims.claim import Claim
from evaluation.claims.indicators import FUNDS
from evaluation.claims.table import ClaimTable
from evaluation.data.hedge_words import check_hedge_words
from evaluation.data.hedges import Reading
from evaluation.data.study import Study
from evaluation.data.study_files import Area
from evaluation.errors import DataError, suggest
from evaluation.language import choose, commas, mark, say, sentences, spoken
from evaluation.report.cells import html_bounds, html_claims, html_date, html_lines, html_table
from evaluation.report.exhibits import LEGEND, Exhibit
from evaluation.report.words import PILLARS, SCOPES, STAGES

READINGS: dict[Reading, tuple[str, str]] = {
    "strict": (mark("strict"), mark("strictly")),
    "loose": (mark("loose"), mark("loosely")),
}
"""How the readings of hedges are called, before a noun and before a number."""

_STATUSES = {"realised": mark("realised"), "projected": mark("projected")}
_NAME = re.compile(r"(?:([A-Za-z_]\w*)\.)?([A-Za-z_]\w*)", re.ASCII)


def pillar_table(table: ClaimTable, pillar: str) -> Exhibit:
    """Set the counties side by side on one pillar, from inputs to outcomes."""
    if pillar not in PILLARS:
        raise DataError(f"no pillar {pillar!r}; {suggest(pillar, PILLARS)}")
    areas = table.study.areas
    claims = [c for c in table.claims.values() if c.pillar == pillar]
    order = list(STAGES)
    claims.sort(key=lambda c: order.index(c.stage))
    if table.study.county and not claims:
        reason = say("The text says nothing on this of the county alone.")
        name, caption = f"pillar_{pillar}", _caption_pillar(table, pillar)
        return absent_claims(table, name, caption, reason)
    keys = list(dict.fromkeys((c.stage, c.indicator) for c in claims))
    told: dict[tuple[str, str, str], list[Markup]] = {}
    for claim in claims:
        key = (claim.county, claim.stage, claim.indicator)
        told.setdefault(key, []).append(_claim_cell(claim))
    cells = {a.name: [html_lines(*told.get((a.name, *key), ())) for key in keys] for a in areas}
    shown = pd.DataFrame(
        {
            "stage": [say(STAGES[stage]) for stage, _ in keys],
            say("Indicator"): [_name_indicator(table, indicator) for _, indicator in keys],
            **{" ".join(name_area(a)): cells[a.name] for a in areas},
        },
        dtype=object,
    )
    data = table.to_frame()
    bounded = any(claim.figure and not claim.figure.is_exact for claim in claims)
    return Exhibit(
        name=f"pillar_{pillar}",
        kind="table",
        simulated=table.study.simulated,
        caption=_caption_pillar(table, pillar),
        note=sentences(
            say(
                "Figures as printed, with their strict bounds where they are hedged or "
                "rounded. 'Said': the text says so without a figure. An empty cell means that "
                "the text is silent, not that nothing was done."
            ),
            say(LEGEND) if bounded else "",
        ),
        data=data[data["pillar"] == pillar].drop(columns="pillar"),
        body=html_table(shown, group="stage"),
    )


def absent_claims(table: ClaimTable, name: str, caption: str, reason: str) -> Exhibit:
    """Give the exhibit that says why there is nothing to show of claims."""
    return Exhibit(
        name=name,
        kind="table",
        simulated=table.study.simulated,
        caption=caption,
        data=pd.DataFrame({"absent": [reason]}, dtype=object),
        body=Markup("<p>{}</p>").format(reason),
    )


def _caption_pillar(table: ClaimTable, pillar: str) -> str:
    named = say(PILLARS[pillar])
    if table.study.county is None:
        return say("{pillar}: the counties side by side", pillar=named)
    county = table.name_area(table.study.county.name)
    return say("{pillar}: what the text says of {county}", pillar=named, county=county)


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
            say("Claim"): [html_claims(claim) for claim in data["claim"]],
            say("County"): [table.name_area(county) for county in data["county"]],
            say("Indicator"): [table.indicators[i].label.shown for i in data["indicator"]],
            say("As printed"): data["printed"],
            say("Unit"): data["unit"],
            say("Strict reading"): [html_bounds(bounds) for bounds in data["strict"]],
            say("Loose reading"): [html_bounds(bounds) for bounds in data["loose"]],
        },
        dtype=object,
    )
    return Exhibit(
        name="hedged_figures",
        kind="table",
        simulated=table.study.simulated,
        caption=say("Hedged and rounded figures, and how they are read"),
        note=sentences(
            say(
                "Strict: literally. 余 and 多 leave a remainder below one unit of the last "
                "digit that is not zero (3300余: below 3400), behind 万 of the last digit "
                "printed (10万余: below 11); the lower end is kept, out of caution. 以上 "
                "includes the number, 超过 does not (as in article 1259 of the Civil Code, "
                "here a guide to usage), nor do 过 and 突破. Loose: as officials' prose often "
                "takes them; wider, but for 过, 超 and 突破, where it adds a ceiling."
            ),
            say(LEGEND),
        ),
        data=data,
        body=html_table(shown),
    )


def claim_list(table: ClaimTable) -> Exhibit:
    """List every claim with its figure, its bounds and its place in the article."""
    claims = list(table.claims.values())
    shown = pd.DataFrame(
        {
            say("Claim"): [Markup('<span id="{0}">{0}</span>').format(c.claim) for c in claims],
            say("County"): [html_lines(table.name_area(c.county), c.place) for c in claims],
            say("Indicator"): [_name_indicator(table, c.indicator) for c in claims],
            say("As printed"): [html_lines(c.printed, _hedge(c)) for c in claims],
            say("Bounds"): [
                html_bounds(c.figure.strict if c.figure else None, c.unit) for c in claims
            ],
            say("Said of"): [
                html_lines(say(SCOPES[c.scope]), _date(c, table.study), c.period, _status(c))
                for c in claims
            ],
            say("Characters"): [
                f"{c.start}-{c.end}" if c.start is not None else "" for c in claims
            ],
            say("Note"): [choose(c.note, c.note_zh) for c in claims],
        },
        dtype=object,
    )
    return Exhibit(
        name="claims",
        kind="table",
        simulated=table.study.simulated,
        caption=say("All claims, and where in the article they stand"),
        note=say("Characters count from the start of the article's text."),
        data=table.to_frame(),
        body=html_table(shown),
    )


def relabel(text: str, table: ClaimTable) -> Markup:
    """Replace names by what they are called, and link claims."""
    codes = {**SCOPES, **_STATUSES}
    # Codes of one word stay as they are in English, where such words are not codes alone.
    codes = {code: said for code, said in codes.items() if "_" in code or spoken() != "en"}
    said = {name: say(called) for name, called in {**FUNDS, **codes}.items()}
    names = {n: i.label.shown for n, i in table.indicators.items()} | said
    areas = [area.name for area in table.study.areas]

    def call(match: re.Match[str]) -> str:
        county, name = match.groups()
        if match[0] in table.claims:
            return html_claims(match[0])
        if name not in names or county not in (None, *areas):
            return match[0]
        if county is None:
            return str(escape(names[name]))
        county = table.name_area(county)
        return str(escape(say("{indicator} of {county}", indicator=names[name], county=county)))

    return Markup(_NAME.sub(call, str(escape(text))))


def name_area(area: Area) -> list[str]:
    """Name a county in both languages to English readers, in Chinese alone to others."""
    return list(filter(None, dict.fromkeys((choose(area.name, area.zh), area.zh))))


def say_otherwise(reading: Reading, value: Markup) -> Markup:
    """Say what a number is in the other reading of hedges, behind the number itself."""
    return Markup(say(", {strictly} {value}")).format(
        strictly=say(READINGS[reading][1]), value=value
    )


def say_gap(why: Markup) -> Markup:
    """Say that a value is not identified, and why."""
    gap = Markup(say("not identified. {why}")).format(why=why)
    return Markup('<span class="gap">{}</span>').format(gap)


def _claim_cell(claim: Claim) -> Markup:
    figure, link = claim.figure, html_claims(claim.claim)
    where = claim.place or ("" if claim.is_county_wide else say(SCOPES[claim.scope]))
    details = commas(filter(None, (where, _status(claim))))
    if figure is None:
        text = Markup(say("said"))
    elif not claim.printed:
        text = Markup(say("said; coder's reading: {figure}")).format(
            figure=f"{figure.strict} {claim.unit}"
        )
    elif figure.is_exact:
        text = Markup("{}").format(claim.printed)
    else:
        text = Markup("{} {}").format(claim.printed, html_bounds(figure.strict, claim.unit))
        if figure.loose != figure.strict:
            text += say_otherwise("loose", html_bounds(figure.loose, claim.unit))
    return Markup("{} {}{}").format(
        text,
        link,
        Markup('<br><span class="detail">{}</span>').format(details) if details else "",
    )


def _date(claim: Claim, study: Study) -> Markup:
    date = study.source.date
    if date and claim.as_of == date.isoformat():
        return Markup(say("undated; the text's date"))
    return html_date(claim.as_of)


def _status(claim: Claim) -> str:
    return "" if claim.status == "realised" else say(_STATUSES[claim.status])


def _hedge(claim: Claim) -> str:
    """Give the words that qualify a claim; the file's remarks on them are in English."""
    words = choose(claim.hedge, commas(check_hedge_words(claim.hedge)))
    return say("words: {words}", words=words) if words else ""


def _name_indicator(table: ClaimTable, indicator: str) -> Markup:
    text = table.indicators[indicator].label
    chinese = Markup('<span lang="zh">{}</span>').format(text.zh)
    return html_lines(text.shown, "" if text.shown == text.zh else chinese)
