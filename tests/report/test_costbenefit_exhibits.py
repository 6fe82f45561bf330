"""Costs and benefits as shown: worked by hand, words that follow, what may be missing."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.errors import ReportError
from evaluation.report.efficiency.costbenefit_exhibits import (
    _draw_panel,
    cost_benefit_table,
    plot_cost_benefit,
)
from evaluation.report.efficiency.costbenefit_study import cost_benefit
from evaluation.report.efficiency.public_value import value_table
from evaluation.report.efficiency.study import estimate_study_efficiency
from evaluation.report.gains.study import estimate_study_gains
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

EXACT = 1e-9  # sums of few numbers of size 1 to 100, through a least-squares solve
EXHIBITS = [plot_cost_benefit, cost_benefit_table, value_table]
HAND = {"v0": {"fiscal": 40, "own": 10}, "v1": {"social": 19}}


def exact_panel(gains, **options):
    """Villages treated from 2021 on with the gains typed, a row each, over twenty others.

    The others' noise cancels within each pair: year effects are zero, and gains are exact.
    """
    gains = np.array(gains, dtype=float)
    years = np.arange(2018, 2021 + gains.shape[1])
    treated = np.hstack([np.full((len(gains), 3), 2.0), 2 + gains])
    noise = np.resize([0.0, 1, -1, 1], len(years))
    pairs = [6 + (1 + pair / 10) * sign * noise for pair in range(10) for sign in (1, -1)]
    cohort = [2021] * len(gains) + [NEVER] * 20
    return panel_of(cohort, years, np.vstack([treated, pairs]), **options)


def drawn_panel(*, gain=3.0, **options):
    """60 villages treated from 2020 to 2022 and 120 others, in 30 counties, with noise."""
    rng = np.random.default_rng(3)
    years, cohort = np.arange(2012, 2023), np.where(np.arange(180) < 60, 2020.0, NEVER)
    outcome = 8 + rng.normal(0, 0.5, (180, 11))
    outcome += (gain + rng.normal(0, 1, (180, 1))) * (years >= cohort[:, None])
    county = [f"C{i % 30:02d}" for i in range(180)]
    return panel_of(cohort, years, outcome, county=county, **options)


def efficiency_of(panel, money, *, year=2021, projects=None, **study):
    """Give what money bought that was spent in one year, in 万元 by village and source."""
    rows = [
        {
            "village": village, "town": "", "county": "East", "year": year, "project": "p",
            "source": source, "stage": "spent", "role": "source", "amount": amount * 10_000,
            "shared": False, "row": 2,
        }
        for village, sources in money.items()
        for source, amount in sources.items()
    ]  # fmt: skip
    ledger = FundingLedger(
        entries=pd.DataFrame(rows, columns=list(COLUMNS)), shared_by="equal",
        price_year=panel.price_year, source="l.csv",
    )  # fmt: skip
    study_data = dataclasses.replace(
        data_of(panel=panel, ledger=ledger, **study), projects=projects
    )
    return estimate_study_efficiency(estimate_study_gains(study_data))


def drawn_efficiency(*, amount=3.0, **options):
    money = {f"v{i}": {"fiscal": amount} for i in range(60)}
    return efficiency_of(drawn_panel(**options), money, year=2020)


def hand_grid(**options):
    """Gains of 7 and 3 in 2021, the first treated and the last year, for 69, all in 万元."""
    options = {"horizons": "1,3,7", "discount_rates": "0,0.1", "decays": "0,0.5"} | options
    return cost_benefit(efficiency_of(exact_panel([[7], [3]]), HAND), **options)


# -- the grid ------------------------------------------------------------------------------


def test_the_grid_is_worked_by_hand():
    exhibit = cost_benefit_table(hand_grid())
    rows = exhibit.data.set_index(["horizon", "discount_rate", "decay"])
    npv = rows["npv"]
    assert npv[1, 0, 0] == pytest.approx(10 - 69, rel=EXACT)
    assert npv[3, 0.1, 0] == pytest.approx(10 * (1 + 1 / 1.1 + 1 / 1.21) - 69, rel=EXACT)
    assert npv[3, 0, 0.5] == pytest.approx(10 * (1 + 0.5 + 0.25) - 69, rel=EXACT)
    assert npv[7, 0, 0] == pytest.approx(7 * 10 - 69, rel=69 * EXACT)
    assert rows["bcr"][3, 0, 0] == pytest.approx(30 / 69, rel=EXACT)
    assert rows["break_even_horizon"][3, 0, 0] == 7
    assert np.isinf(rows["break_even_horizon"][3, 0, 0.5])  # 10 / (1 - 0.5) < 69
    assert set(rows["unit"]) == {"万元, prices of 2020"}
    assert exhibit.body.count("not within") == 12 - 1 and "never" in exhibit.body


def test_rows_stand_in_the_order_of_the_table():
    data = cost_benefit_table(hand_grid()).data
    keys = ["decay", "horizon", "discount_rate"]
    assert data[keys].to_numpy().tolist() == data.sort_values(keys)[keys].to_numpy().tolist()


def test_the_reading_says_the_ends_and_the_break_even():
    note = plot_cost_benefit(hand_grid()).note
    assert "from -59 (1 years, discount rate 0%, decay 0%) to 1 (7 years" in note
    assert "zero or more in 1 of 12 combinations" in note
    assert "discount rate of 0% and a decay of 0% the money is back after 7 years" in note
    assert "The gain has no interval." in note and "interval of the gains" not in note


def test_decay_starts_when_secretaries_leave():
    given = hand_grid(exit_year=2023, horizons="4")
    npv = cost_benefit_table(given).data.set_index(["discount_rate", "decay"])["npv"]
    assert npv[0, 0.5] == pytest.approx(10 + 10 + 10 + 5 - 69, rel=EXACT)
    assert "each year after 2023, and nothing" in plot_cost_benefit(given).note
    assert (
        "after 2021, taken as the secretaries' last year" in plot_cost_benefit(hand_grid()).note
    )


def test_an_exit_before_the_programme_is_told():
    assert "exit_year is 1999" in text(cost_benefit_table(hand_grid(exit_year=1999)))


def test_horizons_shorter_than_what_is_observed_are_left_out_and_told():
    found = cost_benefit(drawn_efficiency(), horizons="2,1,5")
    exhibit = plot_cost_benefit(found)
    assert set(exhibit.data["horizon"]) == {5}
    assert "Horizons of 1, 2 years are left out: 3 are observed." in exhibit.note
    none = cost_benefit(drawn_efficiency(), horizons="2")
    assert "give a horizon of 3 years or more" in text(plot_cost_benefit(none))


def test_several_internal_rates_are_flagged():
    efficiency = efficiency_of(exact_panel([[0, 5, -6]]), {"v0": {"fiscal": 1}})
    exhibit = cost_benefit_table(cost_benefit(efficiency, horizons="3", decays="0"))
    # net flows -1, 5, -6, and -1 + 5 x - 6 x^2 = 0 at x = 1/2 and 1/3: rates of 100% and 200%
    assert not exhibit.data["irr_unique"].any()
    assert "100.0% (not the only one)" in exhibit.body
    assert "several rates: 100.00%, 200.00%" in exhibit.note


# -- what is not sure ----------------------------------------------------------------------


def test_combinations_whose_sign_the_interval_leaves_open_are_marked():
    efficiency = drawn_efficiency(amount=32)
    found = cost_benefit(efficiency, horizons="5,10,20", discount_rates="0", decays="0")
    exhibit = plot_cost_benefit(found)
    yearly, whole = efficiency.found.yearly(), efficiency.found.total
    away = (whole["gain"] - whole["conf_low"]) / 10_000  # in each of the years alike
    data = exhibit.data.set_index("horizon")
    gains = data["npv"] + 60 * 32
    low = gains - data.index * away - 60 * 32
    assert data["npv_low"].to_list() == pytest.approx(low.to_list(), rel=EXACT)
    assert gains[5] == pytest.approx(
        (yearly["gain"].sum() + 2 * yearly["gain"].iloc[-1]) / 10_000, rel=EXACT
    )
    assert data["sign_open"].to_list() == [False, True, False]
    assert "in 1 the 95% interval of the gains leaves open" in exhibit.note


def test_a_loss_has_its_ends_in_order():
    data = plot_cost_benefit(cost_benefit(drawn_efficiency(gain=-3.0), horizons="5")).data
    assert (data["npv_low"] < data["npv"]).all() and (data["npv"] < data["npv_high"]).all()


def test_villages_unknown_in_the_last_year_are_counted():
    panel = exact_panel([[7, 7], [3, 3]])
    panel.matrices["income"][1, -1] = np.nan
    found = cost_benefit(efficiency_of(panel, HAND), horizons="3", decays="0")
    note = plot_cost_benefit(found).note
    assert "1 of 2 villages have a known gain in that last year" in note
    npv = found.found.grid.set_index("discount_rate")["npv"]
    # The unknown village counts with the mean of those known, here the other one.
    assert npv[0] == pytest.approx((10 + 14 + 14 - 69) * 10_000, rel=EXACT)


# -- the picture ---------------------------------------------------------------------------


def test_the_break_even_line_parts_what_is_below_zero_from_what_is_not():
    rows = pd.DataFrame(
        [
            (5, 0.0, -2.0, True), (10, 0.0, 1.0, False),
            (5, 0.1, -3.0, False), (10, 0.1, -1.0, False),
        ],
        columns=["horizon", "discount_rate", "npv", "sign_open"],
    ).assign(break_even_horizon=[8.0, 8.0, np.inf, np.inf])  # fmt: skip
    axes = Figure().subplots()
    _draw_panel(axes, rows, most=3)
    _, *lines = axes.collections
    segments = [segment.tolist() for line in lines for segment in line.get_segments()]
    # right of the lower left cell, and above the lower right one
    assert segments == [[[1, 0], [1, 1]], [[1, 1], [2, 1]]]
    assert [text.get_text() for text in axes.texts] == ["-2", "1", "-3", "-1"]
    (ring,) = axes.lines
    assert ring.get_xydata().tolist() == [[0.9, 0.5]]
    (right,) = axes.child_axes
    assert [tick.get_text() for tick in right.get_yticklabels()] == ["8", "never"]


# -- who pays and who gains ----------------------------------------------------------------


def shown_values(exhibit, horizon=2):
    data = exhibit.data
    return data[data["horizon"] == horizon].set_index(["group", "item"])["value"]


def test_who_pays_and_who_gains_are_worked_by_hand():
    exhibit = value_table(hand_grid(horizons="2"), discount_rate=0.1, decay=0.5)
    value = shown_values(exhibit)
    gain = 10 + 5 / 1.1
    assert value["Who pays"].to_list() == pytest.approx([40, 19, 10, 69], rel=EXACT)
    assert value["Who gains", "Village collectives"] == pytest.approx(gain, rel=EXACT)
    net = value["Gains less costs"].to_list()
    assert net == pytest.approx([-40, gain - 10, gain - 69], rel=EXACT)
    mvpf = value["Marginal value of public funds (MVPF)"].to_list()
    assert mvpf == pytest.approx([gain - 10, 40, 0, (gain - 10) / 40], rel=EXACT)
    bought = value["Cost-effectiveness"].to_list()
    assert bought == pytest.approx([1_000 * gain / 69], rel=EXACT)
    assert f"is worth {(gain - 10) / 40:.3f} yuan to the villages (no interval)" in exhibit.note
    assert "Discount rate 10%; the gain falls by 50% a year after 2021" in exhibit.note


def test_what_is_not_counted_is_named():
    exhibit = value_table(hand_grid(horizons="2"))
    assert exhibit.body.count("not counted</span>") == 2
    assert "Households' incomes and taxes are not counted" in exhibit.note
    assert "Gifts (social money) are in neither" in exhibit.note


def test_dollars_are_shown_at_a_rate_and_not_without():
    plain, dollars = (value_table(hand_grid(), yuan_per_usd=rate) for rate in (0.0, 6.5))
    assert "USD" not in text(plain)
    rows = dollars.data[dollars.data["horizon"] == 3].set_index("item")["value"]
    assert rows["Gain per 1,000 USD"] == pytest.approx(
        6.5 * rows["Gain per 1,000 yuan"], rel=EXACT
    )
    assert "6.5 yuan to the dollar." in dollars.note


def test_the_interval_of_the_gains_is_carried_to_the_value():
    efficiency = drawn_efficiency()
    exhibit = value_table(cost_benefit(efficiency, horizons="5"), discount_rate=0, decay=0)
    rows = exhibit.data.set_index("item")
    row = rows.loc["MVPF: willingness to pay over net cost"]
    whole = efficiency.found.total
    for end in ("conf_low", "conf_high"):
        away = 5 * (whole[end] - whole["gain"]) / (60 * 3 * 10_000)
        assert row[end] == pytest.approx(row["value"] + away, rel=EXACT)
    assert rows.loc["Fiscal", ["conf_low", "conf_high"]].isna().all()


def test_without_public_money_there_is_no_value_of_public_funds():
    efficiency = efficiency_of(exact_panel([[7]]), {"v0": {"own": 10}})
    exhibit = value_table(cost_benefit(efficiency, horizons="2"))
    assert exhibit.body.count("no public money") == 2
    assert "No money is public" in exhibit.note


# -- what may be missing -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"horizons": "5;10"}, "horizons: '5;10'; give numbers parted by commas"),
        ({"horizons": "7.5"}, "horizons: 7.5 is no whole number of years"),
        ({"discount_rates": ""}, "discount_rates: ''; give numbers"),
        ({"decays": "inf"}, "decays: 'inf'; give numbers"),
    ],
)
def test_lists_that_are_none_are_refused(options, says):
    with pytest.raises(ReportError, match=says):
        hand_grid(**options)


@pytest.mark.parametrize("make", EXHIBITS)
def test_without_a_ledger_every_exhibit_says_so(make):
    gains = estimate_study_gains(data_of(panel=exact_panel([[7]])))
    found = cost_benefit(estimate_study_efficiency(gains))
    assert "This study has no funding ledger." in text(make(found))
    with pytest.raises(ReportError, match="no funding ledger"):
        _ = found.flows


@pytest.mark.parametrize("make", EXHIBITS)
def test_an_outcome_that_is_no_money_has_no_costs_and_benefits(make):
    panel = exact_panel([[7], [3]], unit="jobs")
    assert "The outcome, income, is not money." in text(
        make(cost_benefit(efficiency_of(panel, HAND)))
    )


@pytest.mark.parametrize("make", EXHIBITS)
def test_units_and_simulated_are_said(make):
    found = cost_benefit(efficiency_of(exact_panel([[7], [3]]), HAND, simulated=True))
    shown = text(make(found))
    assert "SIMULATED" in shown and "In 万元, prices of 2020, as worth in 2021" in shown


@pytest.mark.parametrize("make", EXHIBITS)
def test_nominal_money_has_nominal_discount_rates(make):
    panel = dataclasses.replace(exact_panel([[7], [3]]), price_year=None)
    shown = text(make(cost_benefit(efficiency_of(panel, HAND))))
    assert "In 万元, nominal" in shown and "Discount rates are nominal ones, too." in shown
