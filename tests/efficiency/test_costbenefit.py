"""Flows over the years: worked by hand, against printed figures, and what must not matter."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from evaluation.efficiency.cashflows import (
    GOVERNMENT,
    SOCIETY,
    VILLAGE,
    Perspective,
    build_cash_flows,
)
from evaluation.efficiency.costbenefit import break_even_horizon, cost_benefit_grid
from evaluation.efficiency.returns import (
    cost_effectiveness,
    internal_rate,
    net_present_value,
    payback,
)
from evaluation.errors import DesignError

EXACT = 1e-12  # the same arithmetic, in another order
PRINTED = 1e-5  # golden.json, finance: five digits are printed
TOUCHING = 1e-7  # where two rates meet, rounding of 1e-16 moves them by its root
SEVERAL = 1e-9  # six roots of one polynomial, each sensitive to rounding of its coefficients
INF, NAN = np.inf, np.nan


def flows_of(money, gain, **options):
    return build_cash_flows({"fiscal": money}, {"collective": gain}, **options)


# -- one series of flows ---------------------------------------------------------------------


def test_printed_figures_of_numpy_financial():
    assert internal_rate([-100, 39, 59, 55, 20]).value == pytest.approx(0.28095, abs=PRINTED)
    flows = [-40_000, 5_000, 8_000, 12_000, 30_000]
    assert net_present_value(flows, rate=0.08) == pytest.approx(3065.22267, abs=PRINTED)
    several = internal_rate([-5, 10.5, 1, -8, 1])
    assert several.value == pytest.approx(0.0886, abs=PRINTED)
    assert (several.n_sign_changes, several.unique) == (3, False)
    for rate in several.rates:
        assert net_present_value([-5, 10.5, 1, -8, 1], rate=rate) == pytest.approx(0, abs=1e-9)


def test_present_value_by_hand():
    # year 0 is not discounted: -100 + 55 / 1.1 + 121 / 1.21
    assert net_present_value([-100, 55, 121], rate=0.1) == pytest.approx(50, rel=EXACT)
    assert net_present_value([-100, 55, 121], rate=0) == 76
    assert net_present_value([-100, 55, 121], rate=-0.5) == -100 + 110 + 484


@pytest.mark.parametrize(
    ("flows", "rates"),
    [
        ([-100, 110], [0.1]),
        ([0, 0, -100, 110, 0], [0.1]),
        ([-100, 50], [-0.5]),
        ([-100, 230, -132], [0.1, 0.2]),
        ([100, -230, 132], [0.1, 0.2]),
        # (x - 1)(x - 2)(x - 4) with x = 1 + rate
        ([1, -7, 14, -8], [0, 1, 3]),
    ],
)
def test_every_internal_rate_by_hand(flows, rates):
    found = internal_rate(flows)
    np.testing.assert_allclose(found.rates, rates, rtol=0, atol=EXACT)
    assert found.value == pytest.approx(min(rates, key=abs), abs=EXACT)
    assert found.unique == (len(rates) == 1)
    assert ("several rates" in found.reason) == (len(rates) > 1)


def test_a_rate_at_which_npv_only_touches_zero_is_found_once():
    found = internal_rate([-100, 220, -121])  # -100 (1 - 1.1 / (1 + r))^2
    assert found.rates == pytest.approx([0.1], abs=TOUCHING)
    assert (found.unique, found.n_sign_changes) == (True, 2)


@pytest.mark.parametrize(
    ("flows", "reason"),
    [
        ([-100, 0, -5], "gains never exceed costs"),
        ([0, 5, 5], "gains are never below costs"),
        ([0, 0], "no money flows"),
        ([-100, 200, -101], "2 changes of sign, but NPV is never zero"),  # 200^2 < 4 * 10,100
    ],
)
def test_without_a_rate_there_is_a_reason(flows, reason):
    found = internal_rate(flows)
    assert np.isnan(found.value) and found.rates == () and not found.unique
    assert reason in found.reason


def test_a_loan_s_rate_is_not_called_a_return():
    found = internal_rate([100, -110])
    assert found.value == pytest.approx(0.1, abs=EXACT)
    assert found.reason.startswith("gains come first")


def test_gains_that_decay_beyond_what_floats_hold_have_their_rate():
    # 30 + .03 + ... = 30 / (1 - .001 / (1 + r)) / (1 + r) = 100 at 1 + r = .301
    gains = 30 * 0.001 ** np.arange(120)
    found = internal_rate(np.append(-100, gains))
    assert found.value == pytest.approx(0.301 - 1, abs=EXACT)


@given(
    costs=st.lists(st.integers(1, 1000), min_size=1, max_size=5),
    gains=st.lists(st.integers(0, 1000), min_size=1, max_size=30),
)
def test_one_change_of_sign_means_one_rate(costs, gains):
    assume(any(gains))
    flows = np.array([*(-cost for cost in costs), *gains])
    found = internal_rate(flows)
    assert (found.n_sign_changes, found.unique, found.reason) == (1, True, "")
    moved = net_present_value(abs(flows), rate=found.value)
    assert abs(net_present_value(flows, rate=found.value)) < 1e-8 * moved


@given(
    costs=st.lists(st.floats(0.01, 1e6), min_size=1, max_size=5),
    gains=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
    rates=st.tuples(st.floats(-0.5, 1), st.floats(-0.5, 1)),
)
def test_discounting_harder_leaves_less_where_one_cost_comes_first(costs, gains, rates):
    """In year 0: what is paid later than that is itself worth less."""
    low, high = sorted(rates)
    flows = [-sum(costs), *gains]
    less = net_present_value(flows, rate=high)
    more = net_present_value(flows, rate=low)
    assert less <= more + EXACT * net_present_value(np.abs(flows), rate=low)


@given(
    rates=st.lists(st.sampled_from([-0.5, -0.2, 0, 0.1, 0.3, 0.8]), min_size=2, unique=True),
    no_root=st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9)),
)
def test_all_of_several_rates_are_found(rates, no_root):
    """Flows made to be worth nothing at these rates; their other factor is never zero."""
    flows = np.convolve(np.poly(1 + np.array(rates)), no_root)
    found = internal_rate(flows)
    np.testing.assert_allclose(found.rates, sorted(rates), rtol=0, atol=SEVERAL)
    assert found.n_sign_changes >= len(rates)


@pytest.mark.parametrize(
    ("flows", "rate", "years"),
    [
        ([-100, 50, 50], 0, 2),
        ([-100, 40, 80], 0, 1 + 60 / 80),
        ([-100, 40, 80], 0.1, 1 + (100 - 40 / 1.1) / (80 / 1.21)),
        ([-100, 55, 121], 0.1, 1 + 50 / 100),
        ([-100, 110], 0.1, 1),
        ([-100, 150, -100, 100], 0, 2 + 50 / 100),  # back in year 1, but not for good
        ([-100, 150, -100], 0, INF),
        ([0, 5], 0, 0),
        ([-100, 0], 0, INF),
    ],
)
def test_payback_by_hand(flows, rate, years):
    assert payback(flows, rate=rate) == pytest.approx(years, rel=EXACT)


# -- projection ------------------------------------------------------------------------------


def test_gains_go_on_until_the_secretaries_leave_and_then_decay():
    flows = flows_of(
        pd.Series({2016: 100.0, 2017: 20.0}), pd.Series({2016: 5.0, 2017: 40.0}), exit_year=2018
    ).project(horizon=5, decay=0.25)
    assert list(flows.money.index) == [2016, 2017, 2018, 2019, 2020]
    assert flows.costs().tolist() == [100, 20, 0, 0, 0]
    assert flows.benefits().tolist() == [5, 40, 40, 40 * 0.75, 40 * 0.75**2]
    assert flows.to_frame().columns.tolist() == [("paid", "fiscal"), ("gained", "collective")]


@pytest.mark.parametrize("exit_year", [None, 1, 0])
def test_years_observed_after_the_exit_stand_as_they_are(exit_year):
    flows = flows_of([100, 0], [5, 40], exit_year=exit_year).project(horizon=4, decay=0.5)
    assert flows.benefits().tolist() == [5, 40, 20, 10]


def test_projecting_again_starts_from_what_is_observed():
    flows = flows_of([100, 0], [5, 40])
    again = flows.project(horizon=9, decay=1).project(horizon=3, decay=0.5)
    pd.testing.assert_frame_equal(again.gains, flows.project(horizon=3, decay=0.5).gains)


def test_who_pays_and_who_gains_are_kept_apart():
    flows = build_cash_flows(
        {"fiscal": [100], "dispatching_unit": [20], "social": [5], "credit": [30], "own": [2]},
        {"collective": [40], "households": [50], "government": [7]},
    )
    assert flows.net(SOCIETY) == 40 + 50 + 7 - (100 + 20 + 5 + 30 + 2)
    assert flows.net(GOVERNMENT) == 7 - (100 + 20)
    assert flows.net(VILLAGE) == 40 + 50 - (30 + 2)
    donors = Perspective(name="donors", payers=("social",), gainers=())
    assert (flows.costs(donors), flows.benefits(donors)) == (5, 0)


# -- the grid --------------------------------------------------------------------------------


def cells(grid, **where):
    frame = grid.to_frame()
    for name, value in where.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_the_grid_by_hand():
    flows = flows_of(
        [100, 0], [0, 55], gains_low={"collective": [0, 11]}, gains_high={"collective": [0, 66]}
    )
    grid = cost_benefit_grid(flows, horizons=[3, 2], rates=[0.1, 0], decays=[0, 0.5])
    assert len(grid.to_frame()) == 8
    row = cells(grid, horizon=3, discount_rate=0.1, decay=0.5)
    # 55 / 1.1 + 27.5 / 1.21; the break-even: 50 + 50 k + 50 k^2 + ..., k = .5 / 1.1
    gained = 50 + 27.5 / 1.21
    assert row["npv"] == pytest.approx(gained - 100, rel=EXACT)
    assert row["npv_low"] == pytest.approx(gained / 5 - 100, rel=EXACT)
    assert row["npv_high"] == pytest.approx(gained * 1.2 - 100, rel=EXACT)
    assert row["bcr"] == pytest.approx(gained / 100, rel=EXACT)
    # 100 x^2 = 55 x + 27.5
    x = (55 + np.sqrt(55**2 + 4 * 100 * 27.5)) / 200
    assert row["irr"] == pytest.approx(x - 1, abs=EXACT)
    assert (row["irr_unique"], row["payback"], row["break_even_horizon"]) == (True, INF, INF)
    row = cells(grid, horizon=3, discount_rate=0, decay=0)
    assert (row["npv"], row["payback"], row["break_even_horizon"]) == (10, 1 + 45 / 55, 3)
    assert (row["bcr"], row["reason"]) == (1.1, "")
    words = grid.summary()
    assert words.startswith("NPV to society: -50 to 10 yuan of 0, zero or more in 1 of 8 comb")
    assert "at the low end of the gains in 0 (" in words
    assert "Paid by: fiscal. Gained by: collective. Observed 0 to 1, then" in words


def test_what_is_missing_or_doubtful_has_its_reason():
    flows = flows_of([100, 0, 132], [0, 230, 0])
    row = cells(cost_benefit_grid(flows, horizons=[3], rates=[0.15]), horizon=3)
    assert row["irr"] == pytest.approx(0.1, abs=EXACT) and not row["irr_unique"]
    assert row["reason"] == "several rates: 10.00%, 20.00%"
    assert np.isnan(row["npv_low"]) and np.isnan(row["npv_high"])
    village = cost_benefit_grid(flows, horizons=[3], rates=[0.15], perspective=VILLAGE)
    row = cells(village, horizon=3)
    assert np.isnan(row["bcr"]) and np.isnan(row["irr"])
    assert row["reason"].startswith("nobody pays who counts for village; no rate: gains are")
    assert "1 combinations: nobody pays" in village.summary()
    assert "Paid by: none recorded." in village.summary()


@pytest.mark.parametrize(
    ("money", "gain", "rate", "decay", "exit_year", "years"),
    [
        ([100, 0], [0, 50], 0, 0, None, 3),  # reached exactly
        ([1, 0], [0, 0.1], 0, 0, None, 11),  # reached but for rounding
        ([100, 0], [0, 49], 0, 0, None, 4),
        ([100, 0], [0, 100], 0, 0, None, 2),
        ([100, 0], [200, 0], 0, 0, None, 2),  # no fewer than observed
        ([100, 50], [200, -60], 0, 0, None, INF),
        ([100, 0], [0, 49], 0, 0.5, None, INF),  # 49 + 24.5 + ... < 98
        ([100, 0], [0, 50], 0, 0.5, 2, 3),  # 50, 50: they stay until year 2
        ([100, 0], [0, 51], 0, 0.5, None, 7),  # 51 (2 - 2^-k) >= 100 first at k = 5
        ([100, 0], [0, 9], 0.1, 0, None, INF),  # 9 / .1 = 90
        ([100, 0], [0, 11], 0.1, 0, None, 27),  # 110 (1 - 1.1^-t) >= 100 first at t = 26
        ([100, 0], [0, 55], 0.1, 0, None, 4),  # 50 + 45.5 + 41.3
        ([100, 0], [0, 0], 0, 0, None, INF),
    ],
)
def test_break_even_horizon_by_hand(money, gain, rate, decay, exit_year, years):
    flows = flows_of(money, gain, exit_year=exit_year).project(horizon=2, decay=decay)
    assert break_even_horizon(flows, rate=rate) == years
    if years < INF:
        last = int(years)
        at = [flows.project(horizon=h, decay=decay).net() for h in (last, max(last - 1, 2))]
        assert net_present_value(at[0], rate=rate) >= -1e-9
        assert last == 2 or net_present_value(at[1], rate=rate) < 0


def test_the_break_even_horizon_does_not_depend_on_the_horizon():
    flows = flows_of([100, 0], [0, 30])
    found = cost_benefit_grid(flows, horizons=[2, 5, 40], rates=[0.05], decays=[0.02])
    assert found.to_frame()["break_even_horizon"].nunique() == 1


def test_the_heat_map_has_the_line_where_npv_is_zero():
    grid = cost_benefit_grid(
        flows_of([100, 0], [0, 30]), horizons=[2, 5, 9], rates=[0, 0.1], decays=[0, 0.3]
    )
    axes = grid.plot(Figure().subplots())
    assert axes.get_title() == "decay 0%"
    assert axes.images[0].get_array()[0].tolist() == [-70, 20, 140]  # undiscounted
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "5", "9"]
    (line,) = axes.collections
    places = line.get_paths()[0].vertices
    on_first_row = places[places[:, 1] == 0]
    assert on_first_row[:, 0] == pytest.approx([70 / 90])  # from 2 years to 5
    assert grid.plot(Figure().subplots(), decay=0.3).get_title() == "decay 30%"
    with pytest.raises(DesignError, match=r"the grid has no decay of 0\.2"):
        grid.plot(decay=0.2)


# -- invariances -----------------------------------------------------------------------------

MONEY_COLUMNS = ["npv", "npv_low", "npv_high"]


def random_flows(factor=1.0):
    rng = np.random.default_rng(5)
    money, gain, half = rng.uniform(size=(3, 4)) * [[100, 50, 0, 0], [0, 20, 40, 60], [9] * 4]
    return flows_of(
        money * factor, gain * factor, gains_low={"collective": (gain - half) * factor},
        gains_high={"collective": (gain + half) * factor},
    )  # fmt: skip


GRID = {"horizons": [4, 9, 15], "rates": [0, 0.03, 0.2], "decays": [0, 0.1, 1]}


def test_the_unit_of_money_makes_no_difference():
    one = cost_benefit_grid(random_flows(), **GRID).to_frame()
    two = cost_benefit_grid(random_flows(1e4), **GRID).to_frame()
    one[MONEY_COLUMNS] *= 1e4
    pd.testing.assert_frame_equal(one, two, rtol=1e-10)


def test_the_interval_is_the_same_grid_at_its_ends():
    flows = random_flows()
    grid = cost_benefit_grid(flows, **GRID).to_frame()
    for end in ("low", "high"):
        alone = flows_of(flows.money["fiscal"], getattr(flows, f"gains_{end}")["collective"])
        found = cost_benefit_grid(alone, **GRID).to_frame()["npv"]
        np.testing.assert_allclose(grid[f"npv_{end}"], found, rtol=EXACT)


def test_a_year_of_nothing_at_the_end_makes_no_difference():
    flows = [-100.0, 40.0, 80.0]
    longer = [*flows, 0.0]
    assert internal_rate(longer) == internal_rate(flows)
    assert payback(longer, rate=0.05) == payback(flows, rate=0.05)
    one, two = (net_present_value(some, rate=0.05) for some in (flows, longer))
    assert one == pytest.approx(two, rel=EXACT)


def test_a_year_of_nothing_at_the_start_only_discounts_once_more():
    flows = [-100, 40, 80]
    later = [0, *flows]
    assert internal_rate(later).value == pytest.approx(internal_rate(flows).value, abs=EXACT)
    assert payback(later) == pytest.approx(payback(flows) + 1, rel=EXACT)
    once = net_present_value(flows, rate=0.05) / 1.05
    assert net_present_value(later, rate=0.05) == pytest.approx(once, rel=EXACT)


# -- cost-effectiveness ----------------------------------------------------------------------


def test_cost_effectiveness_by_hand():
    found = cost_effectiveness(
        [1000, 1100], [0, 11, 12.1][:2], rate=0.1, yuan_per_usd=6.9, unit="jobs"
    )
    # 11 / 1.1 = 10 jobs for 1000 + 1100 / 1.1 yuan
    assert found.per_1000_yuan == pytest.approx(10 / 2, rel=EXACT)
    assert found.per_1000_usd == pytest.approx(10 / 2 * 6.9, rel=EXACT)
    assert (found.cost, found.outcome) == pytest.approx((2000, 10), rel=EXACT)
    assert found.summary().startswith("5 jobs per 1,000 yuan, 34.5 per 1,000 USD at 6.9 yuan")
    assert found.to_frame().loc[0, "yuan_per_usd"] == 6.9


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"costs": [1]}, "1 years of costs and 2 of outcomes"),
        ({"costs": [0, 0]}, "not all 0"),
        ({"costs": [2, -1]}, "amounts from 0 on"),
        ({"outcomes": [1, NAN]}, "one number a year"),
        ({"rate": -1}, "discount rate of -1"),
        ({"yuan_per_usd": 0}, "exchange rate of 0"),
        ({"yuan_per_usd": NAN}, "exchange rate of nan"),
    ],
)
def test_cost_effectiveness_of_what_is_none(change, message):
    options = {"costs": [1, 1], "outcomes": [1, 1], "rate": 0, "yuan_per_usd": 7} | change
    with pytest.raises(DesignError, match=message):
        cost_effectiveness(**options)


# -- errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("money", "gains", "options", "message"),
    [
        ({"fiscl": [1]}, {"collective": [1]}, {}, "no payer 'fiscl'; did you mean 'fiscal'"),
        ({"fiscal": [1]}, {"village": [1]}, {}, "no gainer 'village'; known: collective, gov"),
        ({"fiscal": [1, 2], "own": [1]}, {"collective": [1, 2]}, {}, "money: .*same length"),
        ({"fiscal": [1, 2]}, {"collective": [1]}, {}, "of the years 0 to 1, gains of 0 to 0"),
        ({"fiscal": [1, -2]}, {"collective": [1, 2]}, {}, "fiscal is -2 in 1; give amounts"),
        ({"fiscal": [1, NAN]}, {"collective": [1, 2]}, {}, "fiscal has no number in 1"),
        ({"fiscal": [1, 2]}, {"collective": [INF, 2]}, {}, "collective has no number in 0"),
        ({"fiscal": ["many"]}, {"collective": [1]}, {}, "money: could not convert"),
        ({}, {"collective": [1]}, {}, "money has no years"),
        (
            {"fiscal": pd.Series([1, 2], index=[2016, 2018])},
            {"collective": [1, 2]}, {}, "money: years must follow one another",
        ),
        (
            {"fiscal": pd.Series([1.0, 2], index=[2016, 2017]),
             "own": pd.Series([1.0, 2], index=[2017, 2018])},
            {"collective": [1, 2, 3]}, {}, "own has no number in 2016",
        ),
        (
            {"fiscal": [1]}, {"collective": [1]},
            {"gains_low": {"collective": [2]}, "gains_high": {"collective": [3]}},
            "gains_low is on the wrong side",
        ),
        (
            {"fiscal": [1]}, {"collective": [1]}, {"gains_low": {"collective": [0]}},
            "only one end",
        ),
        (
            {"fiscal": [1]}, {"collective": [1]}, {"gains_low": {"households": [0]}},
            "no gainer 'households'; known: collective",
        ),
        ({"fiscal": [1]}, {"collective": [1]}, {"exit_year": -1}, "before the first year, 0"),
    ],
)  # fmt: skip
def test_what_cannot_be_put_side_by_side_is_refused(money, gains, options, message):
    with pytest.raises(DesignError, match=message):
        build_cash_flows(money, gains, **options)


def test_a_payer_in_two_columns_is_refused():
    twice = pd.DataFrame([[1.0, 2.0]], columns=["fiscal", "fiscal"])
    with pytest.raises(DesignError, match="or one twice"):
        build_cash_flows(twice, {"collective": [1]})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizons": [1]}, "a horizon of 1 years: .* fewer than the 2"),
        ({"horizons": [0]}, "a horizon of 0 years"),
        ({"horizons": [2.5]}, "a horizon of 2.5 years: give whole years"),
        ({"horizons": []}, "at least one horizon"),
        ({"rates": [0.05, -1]}, "a discount rate of -1; give a share above -1"),
        ({"rates": [NAN]}, "a discount rate of nan"),
        ({"rates": []}, "one rate"),
        ({"decays": [1.1]}, "decay is 1.1"),
        ({"decays": [-0.1]}, "decay is -0.1"),
    ],
)
def test_what_cannot_be_projected_or_discounted_is_refused(change, message):
    options = {"horizons": [3], "rates": [0.05]} | change
    with pytest.raises(DesignError, match=message):
        cost_benefit_grid(flows_of([100, 0], [0, 60]), **options)


@pytest.mark.parametrize("flows", [[], [[1, 2]], [1, NAN]])
def test_flows_that_are_none_are_refused(flows):
    for measure in (internal_rate, payback):
        with pytest.raises(DesignError, match="one number a year"):
            measure(flows)
    with pytest.raises(DesignError, match="discount rate of -1"):
        payback([-1, 2], rate=-1)
    with pytest.raises(DesignError, match="no payer 'socal'; did you mean 'social'"):
        Perspective(name="donors", payers=("socal",), gainers=())
