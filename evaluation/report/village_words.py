"""What exhibits on village data share: parts a study may lack, money as shown, colours."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.load import StudyData
from evaluation.data.money import parse_money
from evaluation.data.panel import Floats, Variable, VillagePanel
from evaluation.data.study import Study
from evaluation.errors import ReportError
from evaluation.language import choose, mark, say, spoken
from evaluation.report import plots
from evaluation.report.absent import NeedsFound, lacking

Part = Literal["panel", "ledger", "projects", "indicators", "map", "income-kinds"]

NEVER = mark("never treated")
STATES = (mark("treated"), mark("not yet treated"), NEVER)
"""What a village is in a year; said where it is shown."""

_NAMES = ("treated", "1", "2", "3", "4", "5", "6", NEVER, "7", "not yet treated")
COLORS = plots.palette(_NAMES)
"""The colours of states, the same in every figure; never treated is the palette's grey."""

COLORED = 7
"""More cohorts than these are grouped, as there are no more colours to tell apart."""
_BANDS = 4
_MOST_DIGITS = 6  # behind the point

_ABSENT: dict[Part, str] = {
    "panel": mark("This study has no panel."),
    "ledger": mark("This study has no funding ledger."),
    "projects": mark("This study has no projects."),
    "indicators": mark("This study has no indicators by pillar."),
    "map": mark("This study has no coordinates of villages."),
    "income-kinds": mark("This study has no income by kind, in money."),
}
_SCALED = {
    "level": "{unit}",
    "log": mark("log of {unit}"),
    "log1p": mark("log1p of {unit}"),
}
_NAMELESS = {"county": mark("no county"), "town": mark("no town"), "type": mark("no type")}
_NEEDS_CHINESE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How numbers are shown: divided by ``divisor``, in ``unit``; ``axis`` in a figure.

    In the language that was spoken when it was made.
    """

    divisor: float
    unit: str
    axis: str

    @property
    def brief(self) -> str:
        """The unit without its prices: "万元", "USD"."""
        return re.split("[,，]", self.unit)[0]

    @property
    def in_yuan(self) -> bool:
        """Whether it is money in 万元."""
        return "万元" in self.unit

    @property
    def currency(self) -> str:
        """What one unit of the money is called: "yuan", "USD"."""
        return say("yuan") if self.in_yuan else self.brief


def has_part(study_data: StudyData, part: Part) -> bool:
    """Whether a study has what the notebook cells tagged ``needs-PART`` show."""
    panel = study_data.panel
    if part == "map":
        return panel is not None and {"longitude", "latitude"} <= set(panel.villages)
    if part == "income-kinds":
        kinds = [v for v in panel.variables.values() if v.role == "income"] if panel else []
        return any(parse_money(kind.unit) for kind in kinds)
    return getattr(study_data, part) is not None


def needs(part: Part, name: str, caption: str) -> NeedsFound:
    """Make an exhibit say that its part is absent, where a study lacks it."""

    def reason_of(given: StudyData) -> str:
        return "" if has_part(given, part) else lacking(given.study, part, _ABSENT[part])

    return NeedsFound(name, caption, reason_of, errors=())


def panel_of(study_data: StudyData) -> VillagePanel:
    """Give the panel that an exhibit needs."""
    if study_data.panel is None:
        raise ReportError(_ABSENT["panel"])
    return study_data.panel


def show_variable(panel: VillagePanel, variable: Variable) -> Shown:
    """Say how a variable's numbers are shown; logarithms stay as they are."""
    if variable.scale == "level" and parse_money(variable.unit):
        return show_money(variable.unit, panel.price_year)
    unit, axis = (_unit_words(panel, variable, tell) for tell in (say, plots.inscribe))
    return Shown(divisor=1, unit=unit, axis=drawable(axis, ""))


def _unit_words(panel: VillagePanel, variable: Variable, tell: Callable[..., str]) -> str:
    is_money = parse_money(variable.unit)
    unit = tell(mark("yuan")) if variable.unit == "yuan" else variable.unit
    unit = scale_unit(unit, variable.scale, tell)
    prices = tell(_prices_of(panel.price_year), year=panel.price_year)
    return tell(mark("{unit}, {prices}"), unit=unit, prices=prices) if is_money else unit


def scale_unit(unit: str, scale: str, tell: Callable[..., str] = say) -> str:
    """Name the unit of logarithms: "log of yuan"; levels are in the unit itself."""
    unit = unit if scale == "level" else unit or tell(mark("the number"))
    return tell(_SCALED[scale], unit=unit)


def show_money(currency: str, price_year: int | None) -> Shown:
    """Say how money is shown: yuan in 万元, another currency in its own unit."""
    is_yuan = currency in ("yuan", "CNY")
    units = ("万元", plots.inscribe("10,000 yuan")) if is_yuan else (currency, currency)
    prices, told = _prices_of(price_year), mark("{unit}, {prices}")
    unit, axis = (
        tell(told, unit=name, prices=tell(prices, year=price_year))
        for name, tell in zip(units, (say, plots.inscribe), strict=True)
    )
    return Shown(divisor=10_000 if is_yuan else 1, unit=unit, axis=axis)


def _prices_of(year: int | None) -> str:
    return mark("prices of {year}") if year else mark("nominal")


def name_prices(study: Study, *, brief: bool = False) -> str:
    """Say how money was brought to one year's prices; '' for a study without money."""
    prices = study.prices
    if prices is None:
        return ""
    if prices.basis == "real":
        if brief:
            return say("Money is as in the file, already deflated.")
        return say("as in the file: already prices of {year}", year=prices.base_year)
    if prices.index is None:
        return say("Money is not deflated.") if brief else say("nominal, not deflated")
    china = say("China's national consumer prices")
    index = china if prices.index == "china" else prices.index
    if brief:
        return say("Deflated by {index}.", index=index)
    currency = say("yuan") if prices.currency == "CNY" else prices.currency
    told = mark("real {currency} of {year}, by {index}")
    if prices.index == "china":
        told = mark(
            "real {currency} of {year}, by {index} (urban and rural together, not rural ones)"
        )
    return say(told, currency=currency, year=prices.base_year, index=index)


def start_note(study_data: StudyData) -> str:
    """Say how many villages are treated in their first row; '' if none is."""
    count = int(panel_of(study_data).treated_from_start.sum())
    part = study_data.study.panel
    if not count:
        return ""
    if part and part.treatment and not part.treatment.treated:  # the file gives the year
        return say(
            "{n:,} of the treated villages have no row before they are treated.", n=count
        )
    return say(
        "{n:,} of the treated villages are treated in their first row: their first treated "
        "year may be earlier.",
        n=count,
    )


def money_note(shown: Shown) -> str:
    """Explain the unit of a table's money to those who read no Chinese."""
    return "万元: 10,000 yuan." if shown.in_yuan and spoken() == "en" else ""


def show_number(value: float) -> str:
    """Print a number with three significant digits, a whole one in full, a tiny one in powers.

    Examples
    --------
    >>> [show_number(x) for x in (1234.5, 12.345, 0.012345, 1.2345e-7, 3.0, float("nan"))]
    ['1,234', '12.3', '0.0123', '1.23e-07', '3', '']
    """
    if not math.isfinite(value):
        return ""
    if float(value).is_integer():
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    if digits > _MOST_DIGITS:
        return f"{value:.2e}"
    return f"{value:,.{digits}f}"


def drawable(text: str, instead: str) -> str:
    """Give a text as a figure can show it; ``instead`` if only a Chinese font has it."""
    return instead if _NEEDS_CHINESE.search(text) and not plots.draws_chinese() else text


def outcome_label(panel: VillagePanel) -> str:
    """Name the main outcome in a figure."""
    return drawable(panel.variables[panel.outcome].label, drawable(panel.outcome, "outcome"))


def label_counties(
    study: Study, counties: Iterable[str], *, word: str = "county"
) -> tuple[dict[str, str], str]:
    """Give counties' (or towns') labels in figures, and a note on those that no font has."""
    known = {
        key: drawable(choose(area.name, area.zh), area.name)
        for area in study.counties
        for key in (area.name, area.zh)
    }
    names = list(counties)
    nameless = plots.inscribe(_NAMELESS[word] if names[1:] else mark("all villages"))
    for name in names:
        if word == "county" and name.isdigit():
            known.setdefault(name, plots.inscribe("county {name}", name=name))
    wanted = {name: known.get(name) or name or nameless for name in names}
    # A number stands for a name where no font has Chinese: it is in English.
    labels = {n: drawable(text, f"{word} {i}") for i, (n, text) in enumerate(wanted.items(), 1)}
    key = [f"{labels[name]}: {name}" for name in names if labels[name] != wanted[name]]
    return labels, f"{'; '.join(key)}." if key else ""


def group_counties(panel: VillagePanel) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Give each village's county as a number, and the counties' names."""
    code, names = pd.factorize(panel.villages["county"])
    return code, [str(name) for name in names]


def group_cohorts(
    panel: VillagePanel, *, most: int | None = None
) -> tuple[npt.NDArray[np.intp], list[str]]:
    """Give each village's cohort as a number, and the cohorts' names, never treated last.

    More than ``most`` cohorts become at most four bands of consecutive first years
    ("1986-1989"), with about equally many villages.
    """
    cohort = np.nan_to_num(panel.cohort, nan=np.inf)
    years, code, sizes = np.unique(cohort, return_inverse=True, return_counts=True)
    treated = np.isfinite(years)
    band = np.arange(len(years))
    if most is not None and treated.sum() > most:
        middle = np.cumsum(sizes) - sizes / 2
        band = np.where(treated, middle * _BANDS // sizes[treated].sum(), _BANDS)
    _, band = np.unique(band, return_inverse=True)
    names = []
    for number in range(band.max(initial=-1) + 1):
        first, last = years[band == number][[0, -1]]
        name = f"{first:.0f}" if first == last else f"{first:.0f}-{last:.0f}"
        names.append(NEVER if math.isinf(first) else name)
    return band[code], names


def count_members(code: npt.NDArray[np.intp], names: list[str]) -> list[str]:
    """Label groups in a figure by name and number of villages."""
    sizes = np.bincount(code, minlength=len(names))
    return [
        plots.inscribe("{name} ({n:,} villages)", name=plots.inscribe(name), n=n)
        for name, n in zip(names, sizes, strict=True)
    ]


def color_cohorts(names: Iterable[str]) -> dict[str, str]:
    """Give each of up to seven cohorts its colour; never treated is grey."""
    cohorts = [name for name in names if name != NEVER]
    colors = {name: COLORS[str(number)] for number, name in enumerate(cohorts, start=1)}
    return {**colors, NEVER: COLORS[NEVER]}


def mean_by_group(
    values: Floats, code: npt.NDArray[np.intp], n_groups: int
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Average village x year values by group and year: means, and how many are known."""
    known = np.isfinite(values)
    sums, counts = np.zeros((2, n_groups, values.shape[1]))
    for year in range(values.shape[1]):
        some = known[:, year]
        sums[:, year] = np.bincount(code[some], values[some, year], n_groups)
        counts[:, year] = np.bincount(code[some], minlength=n_groups)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return means, counts.astype(np.int64)
