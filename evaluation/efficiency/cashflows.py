"""Costs and benefits by year: who pays and who gains, as observed and as projected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pandas as pd

from evaluation.data.panel import Floats
from evaluation.data.study_files import FundSource
from evaluation.errors import DesignError, suggest
from evaluation.language import mark, say

PAYERS: tuple[str, ...] = get_args(FundSource)
GAINERS = ("collective", "households", "government")
"""Who may gain, each net of what the others get; government: taxes, and benefits saved."""

Years = pd.DataFrame | Mapping[str, "Sequence[float] | pd.Series[float]"]


def _check_names(kind: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in names:
        if name not in known:
            raise DesignError(f"no {kind} {name!r}; {suggest(name, known)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Perspective:
    """Whose costs and benefits count: a name, and some of `PAYERS` and of `GAINERS`."""

    name: str
    payers: tuple[str, ...]
    gainers: tuple[str, ...]

    def __post_init__(self) -> None:
        _check_names("payer", self.payers, PAYERS)
        _check_names("gainer", self.gainers, GAINERS)


SOCIETY = Perspective(name=mark("society"), payers=PAYERS, gainers=GAINERS)
GOVERNMENT = Perspective(
    name=mark("government"), payers=("fiscal", "dispatching_unit"), gainers=("government",)
)
VILLAGE = Perspective(
    name=mark("village"), payers=("credit", "own"), gainers=("collective", "households")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CashFlows:
    """What was paid and gained each year, in real yuan; made by `build_cash_flows`.

    Attributes
    ----------
    money
        One row a year, one column a payer.
    gains, gains_low, gains_high
        One row a year, one column a gainer; the ends of their interval are the gains
        themselves where none was given.
    n_observed
        How many years, from the first, are observed; those after are projected.
    exit_year
        The last year with secretaries in the villages.
    decay
        Share of the gain lost a year, in projected years after ``exit_year``.
    has_interval
        Whether the gains' interval was given.
    """

    money: pd.DataFrame
    gains: pd.DataFrame
    gains_low: pd.DataFrame
    gains_high: pd.DataFrame
    n_observed: int
    exit_year: int
    decay: float
    has_interval: bool

    def to_frame(self) -> pd.DataFrame:
        """Give the years, with columns (paid, payer) and (gained, gainer)."""
        return pd.concat({"paid": self.money, "gained": self.gains}, axis=1)

    def costs(self, perspective: Perspective = SOCIETY) -> Floats:
        """Sum what the perspective's payers pay, by year."""
        return _sum_over(self.money, perspective.payers)

    def benefits(self, perspective: Perspective = SOCIETY) -> Floats:
        """Sum what the perspective's gainers gain, by year."""
        return _sum_over(self.gains, perspective.gainers)

    def net(self, perspective: Perspective = SOCIETY) -> Floats:
        """Give benefits less costs, by year."""
        return self.benefits(perspective) - self.costs(perspective)

    def net_ends(self, perspective: Perspective = SOCIETY) -> tuple[Floats, Floats]:
        """Give benefits less costs at the low and the high end of the gains."""
        costs = self.costs(perspective)
        low, high = (
            _sum_over(gains, perspective.gainers) - costs
            for gains in (self.gains_low, self.gains_high)
        )
        return low, high

    def project(self, *, horizon: int, decay: float = 0.0) -> CashFlows:
        """Carry the last observed year's gain on.

        Parameters
        ----------
        horizon
            Years in all, the observed ones included.
        decay
            Share of the gain lost a year once the secretaries have left.

        Raises
        ------
        DesignError
            If the horizon is shorter than what is observed, or the decay is no share.

        Notes
        -----
        With g the last observed year's gain, year t after it has g (1 - decay)^k, k the
        years since the later of it and ``exit_year``. To carry a mean on, give it as the last
        year's gain. No money is added, so that upkeep or wages still to be paid are left
        out, and no value is put on what is left at the end.
        """
        n, first = self.n_observed, int(self.money.index[0])
        if horizon % 1 or horizon < n:
            raise DesignError(
                say(
                    "a horizon of {horizon} years: give whole years, no fewer than the {n} "
                    "that are observed.",
                    horizon=horizon, n=n,
                )
            )  # fmt: skip
        if not 0 <= decay <= 1:
            raise DesignError(
                say("decay is {decay}; give the share lost a year, such as 0.1.", decay=decay)
            )
        years = pd.RangeIndex(first, first + int(horizon), name="year")
        gone = np.maximum(np.arange(n, horizon) - max(self.exit_year - first, n - 1), 0)
        kept = np.append(np.ones(n), (1 - decay) ** gone)
        low, mid, high = (
            gains[:n].reindex(years).ffill().mul(kept, axis=0)
            for gains in (self.gains_low, self.gains, self.gains_high)
        )
        money = self.money[:n].reindex(years, fill_value=0.0)
        return replace(
            self, money=money, gains=mid, gains_low=low, gains_high=high, decay=decay
        )


def build_cash_flows(
    money: Years,
    gains: Years,
    *,
    gains_low: Years | None = None,
    gains_high: Years | None = None,
    exit_year: int | None = None,
) -> CashFlows:
    """Put what was paid and what was gained side by side, by year.

    Parameters
    ----------
    money
        Real yuan by year, one column or entry a payer: fiscal, dispatching_unit, social,
        credit, own. The first year, as a rule that of the first money, is year 0.
    gains
        The gain in real yuan of the same years, one column or entry a gainer: collective
        (the village's), households, government. No gain may stand in two of them.
    gains_low, gains_high
        The ends of the gains' interval, if known; a gainer that they leave out is taken as
        exact. All years are at the same end at once: right for one mean gain a year, wider
        than need be for years estimated apart.
    exit_year
        The last year with secretaries in the villages; by default the last year given.

    Raises
    ------
    DesignError
        For unlike or missing years, missing or negative money, unknown payers or gainers.

    Notes
    -----
    `SOCIETY` counts every payer and gainer; `GOVERNMENT` the budget and the units that send
    secretaries, public bodies all, against what comes back to the budget; `VILLAGE` its own
    money and its loans against what collective and households gain. Others are made as a
    `Perspective`.

    Credit is a loan. It counts when it is spent: for society that is when resources are
    used, and repayment only hands money on; for the village it is the present value of its
    repayments wherever the loan's rate is the discount rate. Repayments must therefore not
    stand in ``own`` too; an interest subsidy is fiscal money.

    Examples
    --------
    >>> flows = build_cash_flows(
    ...     {"fiscal": pd.Series({2016: 100.0, 2017: 0.0}), "own": pd.Series([5.0, 5.0],
    ...      index=[2016, 2017])},
    ...     {"collective": pd.Series({2016: 0.0, 2017: 40.0})},
    ... )
    >>> flows.project(horizon=4, decay=0.5).net()
    array([-105.,   35.,   20.,   10.])
    """
    paid = _read("money", money, "payer", PAYERS)
    if (paid < 0).any(axis=None):
        year, name = paid.stack()[lambda amounts: amounts < 0].index[0]
        raise DesignError(
            f"money: {name} is {paid.loc[year, name]:,.6g} in {year}; give amounts from 0 on, "
            "and what comes back as a gain."
        )
    gained = _read("gains", gains, "gainer", GAINERS)
    _check_years("gains", gained, paid)
    ends = []
    for name, given, sign in (("gains_low", gains_low, 1), ("gains_high", gains_high, -1)):
        end = gained if given is None else _read(name, given, "gainer", [*map(str, gained)])
        _check_years(name, end, paid)
        if ((end - gained[end.columns]) * sign > 0).any(axis=None):
            raise DesignError(f"{name} is on the wrong side of the gains; are they swapped?")
        ends.append(gained.assign(**{str(key): end[key] for key in end}))
    if (gains_low is None) != (gains_high is None):
        raise DesignError("only one end of the gains' interval is given; give both or none.")
    first, last = int(paid.index[0]), int(paid.index[-1])
    if exit_year is not None and exit_year < first:
        raise DesignError(
            say(
                "exit_year is {year}, before the first year, {first}.",
                year=exit_year, first=first,
            )
        )  # fmt: skip
    return CashFlows(
        money=paid, gains=gained, gains_low=ends[0], gains_high=ends[1],
        n_observed=len(paid), exit_year=last if exit_year is None else exit_year, decay=0.0,
        has_interval=gains_low is not None,
    )  # fmt: skip


def _read(name: str, given: Years, kind: str, known: Sequence[str]) -> pd.DataFrame:
    try:
        frame = pd.DataFrame(given).astype(np.float64)
        years = frame.index.to_numpy(np.float64)
    except (ValueError, TypeError) as error:
        raise DesignError(
            f"{name}: {error}; give each {kind} one number for each of the same years."
        ) from None
    _check_names(kind, map(str, frame), known)
    if frame.empty or not frame.columns.is_unique:
        raise DesignError(
            f"{name} has no years, no {kind}, or one twice; known: {', '.join(known)}."
        )
    if not np.isfinite(frame).all(axis=None):
        year, column = frame.stack()[lambda x: ~np.isfinite(x)].index[0]
        raise DesignError(f"{name}: {column} has no number in {year}; give 0 for nothing.")
    if years[0] % 1 or (np.diff(years) != 1).any():
        raise DesignError(f"{name}: years must follow one another, without gaps, in order.")
    return frame.set_axis(pd.RangeIndex(int(years[0]), int(years[-1]) + 1, name="year"))


def _check_years(name: str, frame: pd.DataFrame, money: pd.DataFrame) -> None:
    if not frame.index.equals(money.index):
        spans = [f"{part.index[0]} to {part.index[-1]}" for part in (money, frame)]
        raise DesignError(
            f"money is of the years {spans[0]}, {name} of {spans[1]}; give the same years."
        )


def _sum_over(frame: pd.DataFrame, names: Iterable[str]) -> Floats:
    cells = frame[[name for name in names if name in frame]].to_numpy(np.float64)
    return np.asarray(cells.sum(axis=1))
