"""A study's funding efficiency as exhibits share it, or why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluation.data.ledger import FundingLedger
from evaluation.data.load import StudyData
from evaluation.data.study_files import Stage
from evaluation.display import ShowsSummary
from evaluation.efficiency.funding import FundingEfficiency, Horizon
from evaluation.efficiency.ratios import check_options, funding_efficiency
from evaluation.efficiency.spending import POOLED
from evaluation.errors import DesignError, ReportError
from evaluation.language import mark, say, sentences, spoken
from evaluation.report.absent import lacking
from evaluation.report.cells import html_table
from evaluation.report.data.ledger_plots import ledger_of, role_of
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import StudyGains
from evaluation.report.village_words import Shown, money_note, show_number, show_variable


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class StudyEfficiency(ShowsSummary):
    """What a study's money bought.

    Attributes
    ----------
    gains
        The study's gains; their ``main`` is what efficiency was worked out from.
    by_county
        Whether year effects are by county where the study asked for common ones: with common
        ones the programme's gain has no interval, and with the others it has.
    result
        The efficiency; None with the ``reason``.
    """

    gains: StudyGains
    by_county: bool = False
    result: FundingEfficiency | None = None
    reason: str = ""

    def summary(self) -> str:
        """Say what the money bought, or why that is not known."""
        return self.result.summary() if self.result else self.reason

    @property
    def found(self) -> FundingEfficiency:
        """The efficiency, which an exhibit needs."""
        if self.result is None:
            raise ReportError(self.reason)
        return self.result

    @property
    def study_data(self) -> StudyData:
        """The study."""
        return self.gains.study_data

    @property
    def ledger(self) -> FundingLedger:
        """Its ledger, which an exhibit needs."""
        return ledger_of(self.study_data)[0]

    @property
    def money(self) -> Shown:
        """How money is shown."""
        return ledger_of(self.study_data)[1]

    @property
    def gain_shown(self) -> Shown:
        """How gains are shown, brought back to levels."""
        panel = self.gains.panel
        return show_variable(panel, panel.variables[panel.outcome])

    @property
    def currency(self) -> str:
        """What a unit of the ledger's money is called: "yuan", "USD"."""
        return self.money.currency

    @property
    def ten_thousand(self) -> str:
        """What ten thousand of it are called: "10,000 yuan", in Chinese "1 万元"."""
        in_wan = self.money.in_yuan and spoken() == "zh"
        return "1 万元" if in_wan else f"10,000 {self.currency}"

    def say_gain(self, value: float, span: str) -> str:
        """Say a gain in levels: "0.0186 yuan more income a year"."""
        panel, amount = self.gains.panel, show_number(value)
        chosen, name = self.study_data.study.outcome, panel.variables[panel.outcome].label
        if self.gain_shown.unit == self.money.unit:
            amount = f"{amount} {self.currency}"
            name = name if chosen else say("income")
        if value < 0:  # with its sign, as its set has it
            return say("{amount} of {name} {span}, a loss", amount=amount, name=name, span=span)
        return say("{amount} more {name} {span}", amount=amount, name=name, span=span)

    def units_note(self) -> str:
        """Say what money and gains are in."""
        money, gain = self.money.unit, self.gain_shown.unit
        label = self.gains.panel.variables[self.gains.panel.outcome].label
        both = (
            say("Money and gains in {unit}.", unit=money)
            if gain == money
            else say("Money in {money}; gains in {gain}.", money=money, gain=gain or label)
        )
        return sentences(both, money_note(self.money))

    @property
    def basis(self) -> str:
        """Say which gains are meant, where a reader may take them for others."""
        words = []
        if self.result is not None:
            left, villages = self.result.spending.left_out, self.result.villages
            pooled = float(left.loc[left["reason"] == POOLED, "money"].sum())
            if pooled > 0:
                money = float(villages.loc[villages["group"] == "", "money"].sum())
                words.append(
                    say(
                        "{pooled} ({unit}) are pooled for a place and in no ratio: were they "
                        "all these villages', the money would be {share:.0%} more.",
                        pooled=show_number(pooled / self.money.divisor), unit=self.money.unit,
                        share=pooled / money,
                    )
                )  # fmt: skip
        if self.by_county:
            words.append(
                say(
                    "Gains are those with year effects by county: with common ones the "
                    "programme's has no interval."
                )
            )
        return sentences(*words)

    def table(
        self, name: str, caption: str, *, data: pd.DataFrame, cells: pd.DataFrame, note: str,
        row_headers: int = 1,
    ) -> Exhibit:  # fmt: skip
        """Give a table; the note ends with which gains are meant."""
        return Exhibit(
            name=name,
            kind="table",
            caption=self.reword(caption),
            data=data,
            body=html_table(cells.rename(columns=self.reword), row_headers=row_headers),
            simulated=self.study_data.study.simulated,
            note=self.reword(sentences(note, self.basis)),
        )

    def reword(self, text: str) -> str:
        """Put the study's currency for yuan."""
        if self.money.in_yuan:
            return text
        return re.sub(r"\byuan\b|(?<!万)元", self.currency, text)


def estimate_study_efficiency(
    gains: StudyGains,
    *,
    stage: Stage = "spent",
    horizon: Horizon = "annual",
    discount_rate: float = 0.0,
    money_error: float = 0.0,
) -> StudyEfficiency:
    """Work out a study's efficiency as `funding_efficiency` does.

    Parameters
    ----------
    gains
        As `estimate_study_gains` gives them.

    Returns
    -------
    StudyEfficiency, with the reason where there is none.

    Raises
    ------
    DesignError
        If an option is not one.
    """
    check_options(horizon, discount_rate, money_error)
    ledger = gains.study_data.ledger
    if ledger is None or gains.main is None:
        none = mark("This study has no funding ledger.")
        study = gains.study_data.study
        reason = gains.reason if ledger is not None else lacking(study, "ledger", none)
        return StudyEfficiency(gains=gains, reason=reason)
    within = gains.within
    by_county = (
        within is not None
        and np.isnan(gains.main.att["conf_low"])
        and np.isfinite(within.att["conf_low"])
    )
    if by_county:
        gains = replace(gains, main=within, within=None)
    try:
        result = funding_efficiency(
            gains.found, ledger, stage=stage, role=role_of(ledger), horizon=horizon,
            discount_rate=discount_rate, money_error=money_error,
        )  # fmt: skip
    except DesignError as error:
        return StudyEfficiency(gains=gains, by_county=by_county, reason=str(error))
    return StudyEfficiency(gains=gains, by_county=by_county, result=result)
