"""What a simulated programme is like: every feature an option with a range and a default."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

import pydantic
import yaml

from evaluation.data.study_files import FundSource
from evaluation.errors import DesignError, suggest

SOURCES: tuple[FundSource, ...] = get_args(FundSource)
KINDS = ("operating", "contracted", "investment", "subsidy", "other")


@dataclass(frozen=True, slots=True)
class County:
    """A real county: Chinese name, division code, and a box (degrees) for made-up places."""

    zh: str
    code: str
    west: float
    east: float
    south: float
    north: float


COUNTIES = {
    "Sishui": County("泗水县", "370831", 117.10, 117.45, 35.55, 35.78),
    "Weishan": County("微山县", "370826", 116.75, 117.20, 34.55, 35.05),
    "Yutai": County("鱼台县", "370827", 116.45, 116.75, 34.93, 35.10),
    "Liangshan": County("梁山县", "370832", 115.92, 116.25, 35.65, 35.93),
}

# 万元 received up to mid-2021, all villages of a county together. Published (ids of claims
# in data/jining_2021/claims.csv): Sishui fiscal C019; Weishan C027 (whose money is not
# printed, here fiscal) and social C028, 3300余 read as 3,350; Yutai C052 (here fiscal),
# dispatching_unit C053, social C054; Liangshan C062 (here fiscal). All others are
# assumptions: 38 a village from dispatching units, as in Yutai; social money of 75 (Sishui)
# and 100 (Liangshan) a village; 10 a village of credit and 5 of the village's own.
_FUNDS = {  # in the order of SOURCES
    "Sishui": (2360, 760, 1500, 200, 100),
    "Weishan": (2617, 912, 3350, 240, 120),
    "Yutai": (1132, 684, 5125, 180, 90),
    "Liangshan": (2735, 760, 2000, 200, 100),
}

_SHARES = {
    "operating": 0.30, "contracted": 0.40, "investment": 0.12, "subsidy": 0.12, "other": 0.06,
}  # fmt: skip
_WEIGHTS = {"fiscal": 1.0, "dispatching_unit": 1.2, "social": 0.8, "credit": 1.0, "own": 1.0}

# Least and largest value of the options that are one number.
_RANGES: dict[str, tuple[float, float]] = {
    "comparison": (1, 20_000), "villages_per_town": (2, 900), "baseline_mean": (1e3, 1e8),
    "baseline_sd": (0, 1.5), "trend": (-1e6, 1e6), "year_sd": (0, 1e7), "county_sd": (0, 1e7),
    "town_sd": (0, 1e7), "noise_sd": (0, 1), "noise_spread": (0, 1.5), "rho": (-0.95, 0.95),
    "selection": (0, 10), "gain_scale": (0, 1e8), "elasticity": (0.05, 1), "decay": (0, 1),
    "gain_sd": (0, 1.5), "money_sd": (0, 1.5), "pooled": (0, 0.9), "subsidy_rate": (0, 1),
    "missing": (0, 0.9), "rounding_up": (0, 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOptions:
    """Features of a simulated programme; money is yuan of base_year unless said otherwise.

    Attributes
    ----------
    treated
        Villages with a secretary, by county. 18 for Yutai and 20 for Liangshan are
        published (C048, C066). 20 for Sishui and 24 for Weishan are assumptions: nothing is
        printed, and 18 cooperatives and 40 projects would go with about so many.
    comparison
        Villages never treated for each treated one.
    villages_per_town
        Villages of a town; more where a county would otherwise have over 300 towns.
    first_year, last_year, base_year
        Years of the panel, and the year of real prices.
    cohorts
        Share of the treated villages by first treated year. Which years and how many
        villages each is an assumption; the published programme has two years to mid-2021.
    exit_year
        Year in which the secretaries leave; money comes up to then, gains decay afterwards.
    baseline_mean, baseline_sd
        Mean own income (without subsidies) in first_year, and the sd of its logarithm.
    trend, year_sd
        Yearly rise of own income common to all villages, and sd of common shocks.
    county_sd, town_sd
        Sd of shocks to a county or town in a year, independent over years.
    noise_sd, noise_spread, rho
        Village noise: its sd as a share of the village's baseline, the sd of that share's
        logarithm across villages, and its AR(1) coefficient.
    selection, selection_on
        How strongly poor villages are chosen: the log odds fall by so much for one sd of
        log baseline, or of log income in the year before the first dispatch ("last_year":
        incomes of the chosen then regress to the mean).
    gain_scale, elasticity
        Long-run yearly gain of a village that received one million effective yuan, and its
        elasticity in money; below 1 returns decrease.
    source_weights
        Effective yuan for each yuan, by source.
    phase_in
        Share of the long-run gain in the first, second, ... treated year; the last holds on.
    decay
        Share of the gain lost each year after exit_year.
    gain_sd
        Sd of the logarithm of gains at equal money; their mean is unchanged.
    funds
        Money received by county and source over the whole programme, in nominal 万元.
    money_sd
        Sd of the logarithm of villages' shares in it.
    pooled
        Share of fiscal and social money spent at town or county level.
    income_shares
        Share of baseline income by kind; they add up to 1.
    subsidy_rate
        Part of the money received that is booked as that year's subsidy income: it makes
        income with subsidies rise whether or not the programme does any good.
    missing
        Share of village-years without incomes.
    rounding_up
        Share of villages that, 20 percent or less short of 5 or 10 万元 (nominal, with
        subsidies), report a little more than that.

    Raises
    ------
    DesignError
        If an option is out of range, or two do not go together.
    """

    treated: Mapping[str, int] = field(
        default_factory=lambda: {"Sishui": 20, "Weishan": 24, "Yutai": 18, "Liangshan": 20}
    )
    comparison: int = 10
    villages_per_town: int = 20
    first_year: int = 2014
    last_year: int = 2022
    base_year: int = 2022
    cohorts: Mapping[int, float] = field(default_factory=lambda: {2019: 0.6, 2020: 0.4})
    exit_year: int = 2021
    baseline_mean: float = 95_000.0
    baseline_sd: float = 0.4
    trend: float = 4_000.0
    year_sd: float = 2_000.0
    county_sd: float = 2_500.0
    town_sd: float = 3_000.0
    noise_sd: float = 0.12
    noise_spread: float = 0.3
    rho: float = 0.5
    selection: float = 1.0
    selection_on: Literal["baseline", "last_year"] = "baseline"
    gain_scale: float = 42_000.0
    elasticity: float = 0.6
    source_weights: Mapping[str, float] = field(default_factory=lambda: dict(_WEIGHTS))
    phase_in: tuple[float, ...] = (0.35, 0.7, 1.0)
    decay: float = 0.15
    gain_sd: float = 0.3
    funds: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {
            county: dict(zip(SOURCES, amounts, strict=True))
            for county, amounts in _FUNDS.items()
        }
    )
    money_sd: float = 0.5
    pooled: float = 0.2
    income_shares: Mapping[str, float] = field(default_factory=lambda: dict(_SHARES))
    subsidy_rate: float = 0.03
    missing: float = 0.03
    rounding_up: float = 0.05

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise DesignError(f"simulation: {problem}.")

    @property
    def years(self) -> range:
        """The panel's years."""
        return range(self.first_year, self.last_year + 1)

    def changed(self) -> dict[str, Any]:
        """Give the options that are not at their default."""
        usual = SimulationOptions()
        names = [part.name for part in fields(self)]
        return {n: getattr(self, n) for n in names if getattr(self, n) != getattr(usual, n)}

    def _problems(self) -> list[str]:
        found = []
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                found.append(
                    f"{name} is {getattr(self, name)}; give a number from {low:g} to {high:g}"
                )
        found += _bad_keys("treated", self.treated, COUNTIES)
        found += _bad_keys("source_weights", self.source_weights, SOURCES, every=True)
        found += _bad_keys("income_shares", self.income_shares, KINDS, every=True)
        found += _bad_keys("funds", self.funds, COUNTIES)
        for county in [county for county in self.treated if county not in self.funds]:
            found.append(f"funds has no {county}; give its money by source, in 万元")
        for county, by in self.funds.items():
            found += _bad_keys(f"funds of {county}", by, SOURCES, every=True)
            if not all(0 <= amount <= 1e8 for amount in by.values()) or not sum(by.values()):
                found.append(f"funds of {county} are not 0 to 1e8 万元, with some above 0")
        if not self.treated or min(self.treated.values()) < 1:
            found.append("treated: give each county at least one village, or leave it out")
        elif max(self.treated.values()) * (1 + self.comparison) > 299_000:
            found.append("a county has over 299,000 villages; lower treated or comparison")
        if not all(0 <= weight <= 100 for weight in self.source_weights.values()):
            found.append("source_weights: give numbers from 0 to 100")
        if not self.phase_in or not all(0 <= share <= 1 for share in self.phase_in):
            found.append("phase_in: give a share from 0 to 1 for one year or more")
        for name, shares in (("cohorts", self.cohorts), ("income_shares", self.income_shares)):
            whole = math.isclose(sum(shares.values()), 1, abs_tol=1e-9)
            if not whole or not all(share >= 0 for share in shares.values()):
                found.append(f"{name}: give shares from 0 to 1 that add up to 1")
        if self.income_shares.get("subsidy", 0) > 0.9:
            found.append("income_shares: give subsidy at most 0.9")
        if self.cohorts and not (
            self.first_year + 2 <= min(self.cohorts)
            and max(self.cohorts) <= self.exit_year <= self.last_year
        ):
            found.append(
                "years: give two years before the first of cohorts, and exit_year no sooner "
                "than the last of cohorts and no later than last_year"
            )
        return found


def read_options(given: Mapping[str, str]) -> SimulationOptions:
    """Read options from text, each value as YAML, of the type that its field has.

    Raises
    ------
    DesignError
        If a name is unknown, a value of another type or out of range.

    Examples
    --------
    >>> read_options({"rho": "0.3", "cohorts": "{2019: 1.0}"}).cohorts
    {2019: 1.0}
    """
    known = [part.name for part in fields(SimulationOptions)]
    for name, text in given.items():
        if name not in known:
            raise DesignError(f"simulation: no option {name!r}; {suggest(name, known)}")
        if not text.strip():
            raise DesignError(f"simulation: {name} has no value; write {name}=VALUE.")
    try:
        values = {name: yaml.safe_load(text) for name, text in given.items()}
        checked = pydantic.TypeAdapter(SimulationOptions).validate_python(values)
    except yaml.YAMLError as error:
        raise DesignError(f"simulation: an option cannot be read as YAML: {error}.") from None
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise DesignError(f"simulation: {place}: {message}." if place else message) from None
    return checked


def _bad_keys(
    name: str, given: Mapping[str, object], known: Mapping[str, object] | tuple[str, ...],
    *, every: bool = False,
) -> list[str]:  # fmt: skip
    unknown = [
        f"{name}: no {key!r}; {suggest(key, known)[:-1]}" for key in given if key not in known
    ]
    lacking = [key for key in known if key not in given] if every else []
    return unknown + (
        [f"{name}: {', '.join(lacking)} not given; give 0 for none"] if lacking else []
    )
