"""The marginal value of public funds: its conventions, one by one, and its intervals."""

from dataclasses import astuple

import numpy as np
import pytest

from evaluation.efficiency.cashflows import build_cash_flows
from evaluation.efficiency.mvpf import marginal_value, value_flows
from evaluation.errors import DesignError

EXACT = 1e-12  # the same arithmetic, in another order
INF, NAN = np.inf, np.nan


def at(wtp, cost, **options):
    """A programme that cost 10 in the first place, and ``cost`` in the end."""
    return marginal_value(wtp, 10, returned=10 - cost, **options)


def test_perry_preschool_as_printed():
    """golden.json, mvpf_perry: costs per child, and what comes back of them."""
    found = marginal_value(1, 17_759, returned=9_607 + 3_941 + 2_805)
    assert found.net_cost == 1_406
    assert round(found.offset_share, 2) == 0.92


@pytest.mark.parametrize(
    ("wtp", "cost", "value"),
    [
        (6, 3, 2), (-6, 3, -2), (0, 3, 0),
        (6, 0, INF), (6, -3, INF), (0, 0, INF), (0, -3, INF), (-0.0, -3, INF),
        (-6, 0, -INF),
        (-6, -3, 2),  # people lose 2 per yuan raised
    ],
)  # fmt: skip
def test_each_quadrant_has_its_value(wtp, cost, value):
    """golden.json, mvpf_inf."""
    found = at(wtp, cost)
    assert found.value == value
    assert found.raises_revenue == (wtp < 0 and cost < 0)
    assert found.benefit_cost_ratio == pytest.approx(1 + (wtp - cost) / 10, rel=EXACT)


def test_a_programme_that_cost_nothing_has_no_share_of_its_cost():
    found = marginal_value(5, 0)
    assert found.value == INF
    assert np.isnan([found.offset_share, found.benefit_cost_ratio]).all()


def test_an_interval_without_missing_draws_by_hand():
    wtp = np.random.default_rng(1).permutation(np.arange(1.0, 201))
    found = at(6, 2, draws=(wtp, np.full(200, 2.0)))
    # 2.5% of 200 draws are 5: the fifth from either end
    assert (found.conf_low, found.conf_high) == (5 / 2, 196 / 2)
    assert (found.share_missing, found.n_draws) == (0, 200)
    assert "95% interval 2.5 to 98 from 200 draws, 0.0% of them" in found.summary()


def test_missing_draws_widen_the_interval_to_the_whole_line():
    wtp, cost = np.arange(1.0, 201), np.full(200, 2.0)
    for n_missing, ends in [(0, (5, 196)), (4, (3 + 4, 198)), (9, (1 + 9, 200)), (10, None)]:
        # m missing of 200 leave (5% - m) / 2 of the other 200 - m at either end
        w, c = wtp.copy(), cost.copy()
        w[:n_missing], c[:n_missing] = -1, -1
        found = at(6, 2, draws=(w, c))
        assert found.share_missing == n_missing / 200
        expected = (-INF, INF) if ends is None else (ends[0] / 2, ends[1] / 2)
        assert (found.conf_low, found.conf_high) == expected


def test_infinite_draws_are_the_ends_of_the_line():
    wtp, cost = np.full(100, 1.0), np.full(100, 1.0)
    cost[:10] = -1  # +inf
    wtp[90:], cost[90:] = -1, 0  # -inf
    found = at(1, 1, draws=(wtp, cost))
    assert (found.conf_low, found.value, found.conf_high) == (-INF, 1, INF)


def test_where_money_is_raised_the_opposite_draws_are_missing():
    wtp, cost = np.full(100, -2.0), np.full(100, -1.0)
    wtp[:3], cost[:3] = 2, 1
    found = at(-2, -1, draws=(wtp, cost))
    assert (found.value, found.conf_low, found.conf_high, found.share_missing) == (
        2,
        2,
        2,
        0.03,
    )
    assert "less is better" in found.summary()
    for_it = at(2, 1, draws=(-wtp, -cost))
    assert (for_it.conf_low, for_it.share_missing) == (2, 0.03)


def test_the_interval_covers_a_ratio_of_normals():
    """Net cost well away from zero: near its nominal 95% in 400 programmes of 1,000 draws."""
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(400):
        w, c = rng.normal([3.0, 2.0], 0.3)
        draws = rng.normal([[w], [c]], 0.3, size=(2, 1000))
        found = at(w, c, draws=tuple(draws))
        covered += found.conf_low <= 1.5 <= found.conf_high
    # binomial standard error 1.1%; three of them, and what outward ends add
    assert 0.917 < covered / 400 < 0.985


def test_flows_by_hand():
    flows = build_cash_flows(
        {"fiscal": [100, 11], "dispatching_unit": [20, 0], "social": [40, 0], "own": [5, 0],
         "credit": [0, 11]},
        {"collective": [0, 110], "households": [1, 0], "government": [0, 33]},
    )  # fmt: skip
    found = value_flows(flows, rate=0.1)
    # gifts count for neither: 100 + 1 - 5 - 10 over 100 + 10 + 20 - 30
    expected = (86, 130, 100, 30 / 130)
    names = ("willingness_to_pay", "programme_cost", "net_cost", "offset_share")
    for name, value in zip(names, expected, strict=True):
        assert getattr(found, name) == pytest.approx(value, rel=EXACT)
    assert found.value == pytest.approx(0.86, rel=EXACT)
    assert "no interval: no draws were given" in found.summary()
    assert found.to_frame().loc[0, "value"] == found.value


def test_the_unit_of_money_and_the_order_of_draws_make_no_difference():
    rng = np.random.default_rng(3)
    draws = rng.normal([[3.0], [1.0]], 1, size=(2, 500))
    one = at(3, 1, draws=tuple(draws), alpha=0.2)
    two = marginal_value(3e4, 10e4, returned=9e4, draws=tuple(1e4 * draws[:, ::-1]), alpha=0.2)
    money = {1, 2, 3}  # willingness to pay, programme cost, net cost
    pairs = [p for k, p in enumerate(zip(astuple(one), astuple(two), strict=True))
             if k not in money]  # fmt: skip
    np.testing.assert_allclose(*zip(*pairs, strict=True), rtol=EXACT)
    assert 0 < one.share_missing < 0.2 and np.isfinite(one.conf_low)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"willingness_to_pay": NAN}, "give numbers"),
        ({"programme_cost": -1}, "a cost from 0 on"),
        ({"returned": INF}, "give numbers"),
        ({"draws": ([1, 2], [1])}, "as many of willingness to pay as of net cost"),
        ({"draws": ([1, NAN], [1, 1])}, "all known"),
        ({"draws": (np.ones(39), np.ones(39))}, "39 draws; an interval of 95% takes 40"),
        ({"draws": (np.ones(40), np.ones(40)), "alpha": 1.0}, "alpha is 1.0"),
    ],
)
def test_what_has_no_value_is_refused(options, message):
    with pytest.raises(DesignError, match=message):
        marginal_value(**{"willingness_to_pay": 1, "programme_cost": 1} | options)
