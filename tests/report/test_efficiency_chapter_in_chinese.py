"""The chapter on funding efficiency in Chinese: no English is left for a reader."""

import dataclasses
import re

import numpy as np
import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.language import speaking
from evaluation.report import plots
from evaluation.report.efficiency.costbenefit_exhibits import (
    cost_benefit_table,
    plot_cost_benefit,
)
from evaluation.report.efficiency.costbenefit_study import cost_benefit
from evaluation.report.efficiency.dose_exhibits import (
    attribution_table,
    marginal_table,
    plot_dose_response,
)
from evaluation.report.efficiency.frontier_exhibits import frontier_table, plot_frontier
from evaluation.report.efficiency.funds_flow import plot_funds_flow
from evaluation.report.efficiency.funds_spread import plot_funds_spread
from evaluation.report.efficiency.funds_tables import (
    cost_per_job_table,
    execution_table,
    leverage_table,
)
from evaluation.report.efficiency.plots import plot_efficiency
from evaluation.report.efficiency.public_value import value_table
from evaluation.report.efficiency.study import estimate_study_efficiency
from evaluation.report.efficiency.sustainability_table import sustainability_table
from evaluation.report.efficiency.tables import (
    efficiency_groups_table,
    efficiency_table,
    household_table,
)
from evaluation.report.gains.study import estimate_study_gains
from tests.chinese import english_left, visible
from tests.conftest import REPO
from tests.report.test_efficiency_exhibits import doses, hand
from tests.report.test_funds_exhibits import FUNDS, ledger, projects, study
from tests.report.test_panel_exhibits import NEVER, panel_of

ON_EFFICIENCY = [
    plot_efficiency, efficiency_table,
    lambda efficiency: efficiency_table(efficiency, by="source"),
    lambda efficiency: efficiency_table(efficiency, by="type"),
    household_table, efficiency_groups_table, plot_dose_response, marginal_table,
    attribution_table, plot_funds_spread, plot_frontier, sustainability_table,
    lambda efficiency: frontier_table(efficiency, n_draws=0),
]  # fmt: skip
ON_BENEFITS = [plot_cost_benefit, cost_benefit_table, value_table]
ON_STUDIES = [plot_funds_flow, leverage_table, execution_table, cost_per_job_table]
ALLOWED = [
    "study.yml panel.outcomes ledger.project projects.project projects.type",  # files
    "households poor_households estimate_dose_response",
]
PLACES = ["East West C T"]  # of villages that the tests make up


@pytest.fixture(autouse=True)
def in_chinese():
    with speaking("zh"):
        yield


def efficiency_of_study():
    study_data = load_data(Study.load(REPO / "data/jining_simulated"))
    return estimate_study_efficiency(estimate_study_gains(study_data))


def test_no_english_is_left():
    efficiency = efficiency_of_study()
    benefits = cost_benefit(efficiency)
    made = [make(efficiency.study_data) for make in ON_STUDIES]
    made += [make(efficiency) for make in ON_EFFICIENCY]
    made += [frontier_table(efficiency), *(make(benefits) for make in ON_BENEFITS)]
    for exhibit in made:
        assert english_left(exhibit.to_html()) == [], exhibit.name
        assert "yuan" not in visible(exhibit.to_html()), exhibit.name
    assert {"funds_flow", "public_value", "sustainability"} <= {each.name for each in made}
    with speaking("en"):
        assert list(efficiency_table(efficiency).data) == list(made[5].data)


@pytest.mark.parametrize("make", ON_EFFICIENCY)
@pytest.mark.parametrize(
    "found",
    [
        lambda: hand(gains=[[-7, -9], [-3, -1]]),
        lambda: hand({"v0": {"fiscal": 40}, "v5": {"social": 3}, "": {"fiscal": 25}}),
        lambda: estimate_study_efficiency(doses().gains, money_error=0.9),
        lambda: dataclasses.replace(hand(), result=None, reason="无"),
    ],
)
def test_losses_money_left_out_and_sets_without_an_end_are_told_in_chinese(make, found):
    assert english_left(make(found()).to_html(), allowed=[*ALLOWED, *PLACES]) == []


def test_why_there_is_no_efficiency_is_told_in_chinese():
    gains = hand().gains
    lonely = dataclasses.replace(
        hand().study_data, panel=panel_of([NEVER], [2020], np.array([[1.0]]))
    )
    for given in (
        dataclasses.replace(gains, study_data=dataclasses.replace(lonely, ledger=None)),
        estimate_study_gains(lonely),
        hand({"v5": {"fiscal": 3}}).gains,
    ):
        exhibit = efficiency_table(estimate_study_efficiency(given))
        assert english_left(exhibit.to_html(), allowed=ALLOWED) == []


@pytest.mark.parametrize("make", ON_STUDIES)
@pytest.mark.parametrize(
    "entries",
    [
        FUNDS,
        ledger(("v0", "East", "road", "fiscal", "received", 30)),
        ledger(("v0", "East", "road", "social", "received", 0)),
    ],
)
def test_small_ledgers_are_told_in_chinese(make, entries):
    works = projects(("East", "road", "道路", 4), ("East", "park", "公园", 3))
    for given in (study(entries, works), study(entries)):
        stage = {} if make is execution_table else {"stage": "received"}
        html = make(given, **stage).to_html()
        assert english_left(html, allowed=[*ALLOWED, *PLACES]) == []


def test_another_currency_is_put_for_yuan_in_chinese():
    found = hand(prices={"basis": "real", "base_year": 2020, "currency": "USD"})
    exhibit = efficiency_table(found)
    assert exhibit.caption == "各县每USD资金增收额" and "每支出 1 USD，2 个村" in exhibit.note
    shown = visible(value_table(cost_benefit(found)).to_html())
    assert "每 1,000 USD的增收额" in shown and not re.search("(?<!万)元", shown)


def test_figures_are_drawn_in_english_where_no_font_has_chinese(monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    for make in (plot_efficiency, plot_funds_spread, plot_frontier):
        assert make(hand()).png  # a sign that no font has is an error
    assert plot_dose_response(doses()).png
    assert plot_cost_benefit(cost_benefit(hand())).png
