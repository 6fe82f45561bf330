"""The claims of a published text, found by county and indicator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd
import pydantic

from evaluation.claims.claim import Claim
from evaluation.claims.indicators import Indicator, read_indicators
from evaluation.data.config import describe_errors
from evaluation.data.study import Study
from evaluation.data.study_files import ClaimFiles, Unquantified
from evaluation.data.tables import read_table
from evaluation.display import ShowsSummary
from evaluation.errors import DataError, raise_problems, suggest
from evaluation.language import choose

HOLDS_FOR_EACH = "programme_years"
"""The indicator that holds for each county where it is said once of the whole programme."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClaimTable(ShowsSummary):
    """All claims of a study.

    Attributes
    ----------
    study
        The study that they belong to.
    claims
        The claims by id, in the order of the file.
    indicators
        The dictionary of indicators by name.
    unquantified
        The money that the text names without an amount.
    whole
        All claims of the study, where these are those of one county alone.
    """

    study: Study
    claims: Mapping[str, Claim]
    indicators: Mapping[str, Indicator]
    unquantified: tuple[Unquantified, ...] = ()
    whole: ClaimTable | None = None

    def summary(self) -> str:
        """Say the title, and how many claims there are."""
        figures = sum(claim.figure is not None for claim in self.claims.values())
        indicators = {claim.indicator for claim in self.claims.values()}
        return (
            f"{self.study.title.shown}\n{len(self.claims):,} claims on {len(indicators):,} "
            f"indicators, {figures:,} with a figure"
        )

    def find(self, county: str, indicator: str) -> list[Claim]:
        """Find the claims on an indicator that speak of a county."""
        return [
            claim
            for claim in self.claims.values()
            if (claim.county, claim.indicator) == (county, indicator)
        ]

    def name_area(self, name: str) -> str:
        """Name a county, or the programme, in the language spoken."""
        area = next(area for area in self.study.areas if area.name == name)
        return choose(area.name, area.zh)

    def to_frame(self) -> pd.DataFrame:
        """Give one row a claim, with its bounds in both readings as printed in its unit.

        Columns: claim, county, village, pillar, stage, indicator, printed, unit, hedge, strict,
        loose (Bounds or None), scope, as_of, period, status, start, end, note.
        """
        rows = [
            {
                "claim": c.claim, "county": c.county, "village": c.village,
                "pillar": c.pillar, "stage": c.stage, "indicator": c.indicator,
                "printed": c.printed, "unit": c.unit, "hedge": c.hedge,
                "strict": c.figure.strict if c.figure else None,
                "loose": c.figure.loose if c.figure else None,
                "scope": c.scope, "as_of": c.as_of, "period": c.period,
                "status": c.status, "start": c.start, "end": c.end, "note": c.note,
            }
            for c in self.claims.values()
        ]  # fmt: skip
        return pd.DataFrame(rows, dtype=object)


def load_claims(study: Study) -> ClaimTable:
    """Read a study's claims and check every row; of one county alone if it is restricted so.

    Raises
    ------
    DataError
        If the study has no claims, or a row does not hold: the rows are listed, each with
        its line, its claim and what is wrong; or if no claim speaks of the county.
    """
    table = _read_claims(study.whole)
    return _narrow_claims(table, study) if study.county else replace(table, study=study)


def _narrow_claims(table: ClaimTable, study: Study) -> ClaimTable:
    """Keep the claims on a county and its villages, and what is said of each county alike."""
    county = study.county.name if study.county else ""
    programme = (study.programme.name, HOLDS_FOR_EACH)
    claims = {
        name: claim
        for name, claim in table.claims.items()
        if claim.county == county or (claim.county, claim.indicator) == programme
    }
    if not any(claim.county == county for claim in claims.values()):
        known = sorted({claim.county for claim in table.claims.values()} - {programme[0]})
        file = study.claims.file if study.claims else ""
        raise DataError(f"{file}: no claim on {county}; it has claims on {', '.join(known)}.")
    return ClaimTable(
        study=study,
        claims=claims,
        indicators=table.indicators,
        unquantified=tuple(gap for gap in table.unquantified if gap.county == county),
        whole=table,
    )


def _read_claims(study: Study) -> ClaimTable:
    if study.claims is None:
        raise DataError("study.yml: the study has no claims; add 'claims: {file: claims.csv}'.")
    indicators = read_indicators(study.path(study.claims.indicators))
    path = study.path(study.claims.file)
    fields = Claim.model_fields
    rows = read_table(path).select(
        required=[name for name, field in fields.items() if field.is_required()],
        optional=[name for name, field in fields.items() if not field.is_required()],
    )
    known = {"county": [a.name for a in study.areas], "indicator": list(indicators)}
    where = {"county": "the counties of study.yml", "indicator": study.claims.indicators}
    claims: dict[str, Claim] = {}
    problems: list[str] = []
    for line, row in zip(rows.index, rows.to_dict("records"), strict=True):
        place = f"line {line} ({row['claim'] or 'no claim id'})"
        cells = {str(name): cell for name, cell in row.items()}
        for name, names in known.items():
            if cells[name] not in names:
                hint = suggest(cells[name], names)
                problems.append(
                    f"{place}: {name} {cells[name]!r} is not in {where[name]}; {hint}"
                )
        try:
            claim = Claim.model_validate(cells)
        except pydantic.ValidationError as error:
            problems += [f"{place}: {text}" for text in describe_errors(Claim, error)]
            continue
        known_as, figure = indicators.get(claim.indicator), claim.figure
        if known_as and known_as.is_money and figure and not figure.unit.is_money:
            problems.append(
                f"{place}: {claim.indicator} is money, but its unit is {claim.unit}; give it "
                "in 元, 万元 or 亿元."
            )
        counted = claim.indicator in ("n_villages", "jobs", "n_industry_projects")
        if counted and figure and figure.unit.is_money:
            problems.append(f"{place}: {claim.indicator} is a count, not {claim.unit}.")
        if claim.indicator.endswith("_per_village_year") and figure and figure.unit.per != "年":
            problems.append(f"{place}: {claim.indicator} is yearly; give its unit as 万元/年.")
        if claim.claim in claims:
            problems.append(f"{place}: a second row with this id; ids are given once.")
        claims[claim.claim] = claim
    raise_problems(path.name, problems)
    raise_problems(study.file.name, _unquantified_problems(study.claims, claims, indicators))
    return ClaimTable(
        study=study,
        claims=claims,
        indicators=indicators,
        unquantified=tuple(study.claims.unquantified),
    )


def _unquantified_problems(
    files: ClaimFiles, claims: Mapping[str, Claim], indicators: Mapping[str, Indicator]
) -> list[str]:
    problems = []
    for item in files.unquantified:
        place = "claims.unquantified"
        if item.claim not in claims or claims[item.claim].county != item.county:
            problems.append(f"{place}: no claim {item.claim!r} on {item.county}.")
        money = [name for name, indicator in indicators.items() if indicator.money]
        if item.indicator not in money:
            hint = suggest(item.indicator, money)
            problems.append(f"{place}: {item.indicator!r} is not money; {hint}")
    return problems
