"""A study's costs and benefits as exhibits share them, or why there are none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.data.money import parse_money
from evaluation.display import ShowsSummary
from evaluation.efficiency.cashflows import CashFlows, build_cash_flows
from evaluation.efficiency.costbenefit import CostBenefitGrid, cost_benefit_grid
from evaluation.errors import DesignError, ReportError
from evaluation.language import commas, mark, say, sentences
from evaluation.report.data.ledger_plots import SOURCES
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.gains.words import show_share
from evaluation.report.village_words import money_note, name_prices

_NOT_COUNTED = mark(
    "Not counted: what households earn, taxes, what upkeep and secretaries cost beyond the "
    "ledger, and what is left of the assets at the end."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyCostBenefit(ShowsSummary):
    """A study's costs and benefits, made once by `cost_benefit`.

    Attributes
    ----------
    efficiency
        What they were worked out from.
    grid
        To society as a whole; None with the ``reason``.
    exit_given
        Whether it was said when secretaries left; else it is taken to be the last year.
    too_short
        Horizons left out, as they end before what is observed.
    """

    efficiency: StudyEfficiency
    grid: CostBenefitGrid | None = None
    exit_given: bool = False
    too_short: tuple[int, ...] = ()
    reason: str = ""

    def summary(self) -> str:
        """Say whether it pays, or why that is not known."""
        return self.grid.summary() if self.grid else self.reason

    @property
    def found(self) -> CostBenefitGrid:
        """The grid, which an exhibit needs."""
        if self.grid is None:
            raise ReportError(self.reason)
        return self.grid

    @property
    def flows(self) -> CashFlows:
        """What was paid and gained by year."""
        return self.found.flows

    @property
    def level(self) -> str:
        """The nominal coverage of intervals: "95%"."""
        return show_share(1 - self.efficiency.found.gains.options.alpha)

    @property
    def units(self) -> str:
        """Say of which years and prices the values are."""
        shown, first = self.efficiency.money, self.flows.money.index[0]
        prices = name_prices(self.efficiency.study_data.study, brief=True)
        real = self.efficiency.ledger.price_year is not None
        return sentences(
            say(
                "In {unit}, as worth in {year}, from which horizons count.",
                unit=shown.unit, year=first,
            ),
            prices,
            "" if real else say("Discount rates are nominal ones, too."),
            money_note(shown),
        )  # fmt: skip

    @property
    def basis(self) -> str:
        """Say what is paid and gained, how gains go on, and what is not counted."""
        flows, found = self.flows, self.efficiency.found
        years, panel = flows.money.index, found.gains.panel
        first, last = int(years[0]), int(years[-1])
        payers = [say(SOURCES[name]).lower() for name in SOURCES if name in flows.money]
        left = say(
            "Horizons of {short} years are left out: {n} are observed.",
            short=commas(map(str, self.too_short)), n=len(years),
        )  # fmt: skip
        return sentences(
            say(
                "Paid: money {stage} ({payers}). Gained: the villages' {outcome}. Both as "
                "observed {first} to {last}; then the gain of {last} goes on, less the decay "
                "for each year after {exit}{why}, and nothing more is paid.",
                stage=say(found.spending.stage), payers=commas(payers),
                outcome=panel.variables[panel.outcome].label, first=first, last=last,
                exit=max(flows.exit_year, last),
                why="" if self.exit_given else say(", taken as the secretaries' last year"),
            ),
            say("Its interval is in proportion the same in all years.")
            if flows.has_interval
            else say("The gain has no interval."),
            self._last_year_words(),
            left if self.too_short else "",
            say(_NOT_COUNTED),
            self.efficiency.basis,
        )  # fmt: skip

    def _last_year_words(self) -> str:
        """Warn where the gain carried on is not that of all villages."""
        villages, gains = self.efficiency.found.villages, self.efficiency.found.gains
        counted = villages.index[villages["group"] == ""]
        some = gains.panel.villages.index[gains.cells.rows].isin(counted)
        known = int(np.isfinite(gains.yuan[some, -1]).sum())
        if known == len(counted):
            return ""
        return say(
            "{known:,} of {n:,} villages have a known gain in that last year; the others are "
            "given its mean.",
            known=known, n=len(counted),
        )  # fmt: skip


def cost_benefit(
    efficiency: StudyEfficiency,
    *,
    exit_year: int = 0,
    horizons: str = "5,10,15,20,30",
    discount_rates: str = "0,0.03,0.05,0.08",
    decays: str = "0,0.1,0.2",
) -> StudyCostBenefit:
    """Set a study's gains against its money, over horizons, discount rates and decays.

    Parameters
    ----------
    efficiency
        As `estimate_study_efficiency` gives it.
    exit_year
        The last year with secretaries in the villages; 0: the panel's last.
    horizons
        Years from the first treated one, parted by commas; those that end before what is
        observed are left out.
    discount_rates, decays
        Shares a year, parted by commas.

    Returns
    -------
    StudyCostBenefit, with the reason where there is none.

    Raises
    ------
    ReportError
        If a list is not one of numbers.
    """
    spans = [_whole(span) for span in _read_list("horizons", horizons)]
    rates = _read_list("discount_rates", discount_rates)
    losses = _read_list("decays", decays)
    if efficiency.result is None:
        return StudyCostBenefit(efficiency=efficiency, reason=efficiency.reason)
    panel = efficiency.found.gains.panel
    if parse_money(panel.variables[panel.outcome].unit) is None:
        label = panel.variables[panel.outcome].label
        reason = say("The outcome, {outcome}, is not money.", outcome=label)
        return StudyCostBenefit(efficiency=efficiency, reason=reason)
    yearly = efficiency.found.yearly()
    ends = yearly[["conf_low", "conf_high"]]
    known = bool(ends.notna().all(axis=None))
    n = len(yearly)
    short = tuple(sorted(span for span in spans if span < n))
    if len(short) == len(spans):
        reason = say("{n} years are observed: give a horizon of {n} years or more.", n=n)
        return StudyCostBenefit(efficiency=efficiency, too_short=short, reason=reason)
    try:
        flows = build_cash_flows(
            yearly.drop(columns=["gain", "conf_low", "conf_high"]),
            {"collective": yearly["gain"]},
            # Shares of a loss, or of a year's loss in a gain, have their ends reversed.
            gains_low={"collective": ends.min(axis=1)} if known else None,
            gains_high={"collective": ends.max(axis=1)} if known else None,
            exit_year=exit_year or None,
        )
        grid = cost_benefit_grid(
            flows, horizons=[span for span in spans if span >= n], rates=rates, decays=losses
        )
    except DesignError as error:
        return StudyCostBenefit(efficiency=efficiency, reason=str(error))
    return StudyCostBenefit(
        efficiency=efficiency, grid=grid, exit_given=bool(exit_year), too_short=short
    )


def _read_list(name: str, text: str) -> list[float]:
    try:
        values = [float(part) for part in text.split(",") if part.strip()]
    except ValueError:
        values = []
    if not values or not np.isfinite(values).all():
        raise ReportError(f"{name}: {text!r}; give numbers parted by commas, such as 0,0.05.")
    return values


def _whole(span: float) -> int:
    if span % 1:
        raise ReportError(f"horizons: {span} is no whole number of years.")
    return int(span)
