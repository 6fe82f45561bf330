"""Efficiency: by hand, the programmes' own properties, the bootstrap, and invariances."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from evaluation.efficiency.bootstrap import (
    correct_distances,
    draw_distances,
    find_bandwidth,
)
from evaluation.efficiency.envelopment import SIGNS, Technology, find_distances
from evaluation.efficiency.frontier import measure_frontier
from evaluation.errors import DesignError

EXACT = 1e-12  # vertices of small programmes, in floating point
SAME = 1e-8  # the same vertex from programmes scaled or ordered otherwise
BOTH = ["input", "output"]
ALL = list(SIGNS)


def measure(units, inputs="x", outputs="y", *, n_draws=0, **options):
    return measure_frontier(units, inputs=inputs, outputs=outputs, n_draws=n_draws, **options)


def efficiency(*args, **options):
    return measure(*args, **options).to_frame()["efficiency"].to_numpy()


def random_units(n=25, seed=0):
    """Give units with two inputs and two outputs, some of them zero."""
    generator = np.random.default_rng(seed)
    x = generator.uniform(1, 9, (n, 2))
    y = x.mean(axis=1, keepdims=True) ** 0.7 * generator.uniform(0.3, 1, (n, 2))
    y[::7, 1] = 0
    names = [f"u{k}" for k in range(n)]
    return pd.DataFrame(np.hstack([x, y]), columns=["x1", "x2", "y1", "y2"], index=names)


TWO = {"inputs": ["x1", "x2"], "outputs": ["y1", "y2"]}

# One input, one output


@pytest.fixture
def four():
    # y per x: 1, 1.5, .75, .9. The hull runs from A by B to D; C lies inside.
    return pd.DataFrame({"x": [2, 4, 4, 10], "y": [2, 6, 3, 9]}, index=["A", "B", "C", "D"])


@pytest.mark.parametrize(
    ("orientation", "returns", "expected"),
    [
        ("input", "constant", [1 / 1.5, 1, 0.75 / 1.5, 0.9 / 1.5]),
        # C makes 3, between A's 2 and B's 6: 3/4 A + 1/4 B use 2.5 of its 4.
        ("input", "variable", [1, 1, 2.5 / 4, 1]),
        ("input", "decreasing", [1 / 1.5, 1, 0.75 / 1.5, 1]),
        ("input", "increasing", [1, 1, 2.5 / 4, 0.9 / 1.5]),
        ("output", "constant", [1.5, 1, 1.5 / 0.75, 1.5 / 0.9]),
        ("output", "variable", [1, 1, 6 / 3, 1]),
        ("output", "decreasing", [1.5, 1, 6 / 3, 1]),
        ("output", "increasing", [1, 1, 6 / 3, 1.5 / 0.9]),
    ],
)
def test_four_units_by_hand(four, orientation, returns, expected):
    found = efficiency(four, orientation=orientation, returns=returns)
    np.testing.assert_allclose(found, expected, rtol=EXACT)


def test_peers_by_hand(four):
    frame = measure(four).to_frame()
    assert frame["peers"].to_list() == ["A 1.00", "B 1.00", "A 0.75, B 0.25", "D 1.00"]
    scaled = measure(four, returns="constant").lambdas.set_index("unit")
    assert scaled["peer"].to_list() == ["B"] * 4
    np.testing.assert_allclose(scaled["weight"], [2 / 6, 1, 3 / 6, 9 / 6], rtol=EXACT)


def by_pairs(x, y, at_x, at_y):
    """Give the least input for an output, over all pairs of units and their mixtures."""
    least = []
    for used, made in zip(at_x, at_y, strict=True):
        enough = y >= made
        j, k = np.meshgrid(np.flatnonzero(~enough), np.flatnonzero(enough))
        mixed = x[j] + (made - y[j]) / (y[k] - y[j]) * (x[k] - x[j])
        least.append(min([*x[enough], *mixed.ravel()]) / used)
    return 1 / np.array(least)


def test_variable_returns_are_those_of_all_pairs_also_when_units_are_pulled_back():
    units = random_units(n=20)
    x, y = units[["x1"]].to_numpy(), units[["y1"]].to_numpy()
    pulls = np.random.default_rng(1).uniform(1, 1.6, (3, 20))
    technology = Technology(x=x, y=y, orientation="input", returns="variable")
    expected = [by_pairs(x[:, 0] * pull, y[:, 0], x[:, 0], y[:, 0]) for pull in pulls]
    np.testing.assert_allclose(find_distances(technology, pulls), expected, rtol=SAME)


# Slacks


def test_slacks_by_hand():
    units = pd.DataFrame(
        {"x1": [2, 4, 6, 4, 8], "x2": [4, 2, 2, 8, 8], "y": [1, 1, 1, 1, 1]}, index=[*"ABCDE"]
    )
    found = measure(units, inputs=["x1", "x2"])
    frame = found.to_frame()
    # E: half A and half B use (3, 3), 3/8 of its (8, 8).
    np.testing.assert_allclose(frame["efficiency"], [1, 1, 1, 0.5, 3 / 8], rtol=EXACT)
    assert frame["peers"].to_list()[2:4] == ["B 1.00", "A 1.00"]
    # C uses 2 more of x1 than B, and as much of x2: on the frontier, yet not efficient.
    expected = pd.DataFrame(0.0, index=units.index, columns=["x1", "x2", "y"])
    expected.loc["C", "x1"] = 2
    pd.testing.assert_frame_equal(found.slacks, expected, rtol=EXACT)
    assert "3 on the frontier, 1 of them with slack" in found.summary()


def test_the_peers_chosen_have_most_slack():
    # Half of C's input would do, as A or B show: B makes twice as much of y2 with it.
    units = pd.DataFrame({"x": [1, 1, 2], "y1": [1, 1, 1], "y2": [1, 2, 1]}, index=[*"ABC"])
    found = measure(units, outputs=["y1", "y2"])
    assert found.to_frame()["peers"].to_list() == ["B 1.00", "B 1.00", "B 1.00"]
    assert found.slacks["y2"].to_list() == pytest.approx([1, 0, 1], rel=EXACT)


@pytest.mark.parametrize("orientation", BOTH)
@pytest.mark.parametrize("returns", ALL)
def test_targets_are_mixtures_of_peers_and_efficient_without_slack(orientation, returns):
    units = random_units()
    options = TWO | {"orientation": orientation, "returns": returns}
    found = measure(units, **options)
    score = found.to_frame()["efficiency"]
    shares = found.lambdas.pivot(index="unit", columns="peer", values="weight").fillna(0)
    mixed = (shares @ units.loc[shares.columns]).loc[units.index]
    target = units.copy()
    names = TWO["inputs"] if orientation == "input" else TWO["outputs"]
    target[names] = target[names].mul(score, axis=0)
    target[TWO["inputs"]] -= found.slacks[TWO["inputs"]]
    target[TWO["outputs"]] += found.slacks[TWO["outputs"]]
    np.testing.assert_allclose(mixed, target, rtol=SAME, atol=SAME)
    again = measure(pd.concat([units, target.add_prefix("t", axis=0)]), **options)
    new = again.to_frame().index.str.startswith("t")
    np.testing.assert_allclose(again.to_frame()["efficiency"][new], 1, rtol=SAME)
    np.testing.assert_allclose(again.slacks[new], 0, atol=SAME)


# What must hold between models


def test_models_nest():
    units = random_units()
    constant, variable, less, more = (efficiency(units, **TWO, returns=r) for r in ALL)
    np.testing.assert_allclose(np.minimum(less, more), constant, rtol=SAME)
    assert (less <= variable + SAME).all() and (more <= variable + SAME).all()
    assert (constant < variable - SAME).any()


def test_with_constant_returns_outputs_grow_as_inputs_shrink():
    units = random_units()
    inward = efficiency(units, **TWO, returns="constant")
    outward = efficiency(units, **TWO, returns="constant", orientation="output")
    np.testing.assert_allclose(inward, 1 / outward, rtol=SAME)


# Invariances


@pytest.mark.parametrize("orientation", BOTH)
def test_units_of_measurement_make_no_difference(orientation):
    units = random_units(n=12)
    options = TWO | {"orientation": orientation, "n_draws": 200}
    usual = measure(units, **options)
    factors = np.array([1e4, 1e-3, 7.0, 1e6])
    found = measure(units * factors, **options)
    pd.testing.assert_frame_equal(found.units, usual.units, rtol=1e-6)
    pd.testing.assert_frame_equal(found.slacks / factors, usual.slacks, rtol=1e-6)


@pytest.mark.parametrize("orientation", BOTH)
def test_order_makes_no_difference(orientation):
    units = random_units()
    usual = measure(units, **TWO, orientation=orientation)
    order = np.random.default_rng(3).permutation(len(units))
    found = measure(units.iloc[order], **TWO, orientation=orientation)
    pd.testing.assert_frame_equal(found.units.loc[units.index], usual.units, rtol=SAME)
    pd.testing.assert_frame_equal(found.slacks.loc[units.index], usual.slacks, atol=SAME)


def test_an_amount_added_to_an_output_makes_no_difference_where_the_error_says_so():
    units = random_units()
    more = units.assign(y1=units["y1"] + 5)
    np.testing.assert_allclose(efficiency(more, **TWO), efficiency(units, **TWO), rtol=SAME)
    for other in ({"orientation": "output"}, {"returns": "constant"}):
        moved = efficiency(more, **TWO, **other) - efficiency(units, **TWO, **other)
        assert np.abs(moved).max() > 0.01


def test_amounts_a_million_times_apart():
    generator = np.random.default_rng(2)
    x = 10 ** generator.uniform(0, 6, 30)
    units = pd.DataFrame({"x": x, "y": x * generator.uniform(0.2, 1, 30)})
    ratio = units["y"] / units["x"]
    for orientation, power in (("input", 1), ("output", -1)):
        found = efficiency(units, orientation=orientation, returns="constant")
        np.testing.assert_allclose(found, (ratio / ratio.max()) ** power, rtol=SAME)


def test_the_units_given_are_not_changed():
    units = random_units()
    before = units.copy()
    measure(units, **TWO)
    pd.testing.assert_frame_equal(units, before)


# Zeros


def test_zeros_by_hand():
    # B makes no y2: y1 alone counts. C is the only one that uses no x2.
    units = pd.DataFrame(
        {"x1": [2, 4, 9], "x2": [1, 1, 0], "y1": [2, 1, 1], "y2": [1, 0, 1]}, index=[*"ABC"]
    )
    found = measure(units, **TWO, returns="constant")
    frame = found.to_frame()
    # B: least t with 2 a + 9 c <= 4 t, a <= t, 2 a + c >= 1: all three hold as equations.
    np.testing.assert_allclose(frame["efficiency"], [1, 9 / 20, 1], rtol=EXACT)
    assert frame["peers"].to_list() == ["A 1.00", "A 0.45, C 0.10", "C 1.00"]
    assert "an input of zero are compared with such units alone: C" in found.summary()


# Bootstrap


def test_the_bandwidth_by_hand():
    # Off the frontier .1, .2, .4: median .2 / .6745 is above their root mean square .2646, so
    # that Silverman's rule takes the spread, of all four.
    spread = np.std([1, 1.1, 1.2, 1.4], ddof=1)
    found = find_bandwidth(np.array([1, 1.1, 1.2, 1.4]))
    assert found == pytest.approx(0.9 * spread * 4**-0.2, rel=EXACT)
    # .1, .1, .9: .1 / .6745 = .1483 against sqrt(.83 / 3) = .5260.
    spread = np.std([1, 1.1, 1.1, 1.9], ddof=1)
    narrow = 0.1 / 0.6745 / np.sqrt(0.83 / 3)
    found = find_bandwidth(np.array([1, 1.1, 1.1, 1.9]))
    assert found == pytest.approx(0.9 * narrow * spread * 4**-0.2, rel=EXACT)


def test_draws_spread_as_the_distances_do():
    distances = 1 + np.random.default_rng(5).exponential(0.3, 60)
    distances[:12] = 1
    drawn = draw_distances(distances, bandwidth=0.15, n_draws=20_000, seed=0)
    assert drawn.min() > 1  # the estimated frontier is never on it
    size = np.sqrt(((drawn - 1) ** 2).mean())
    assert size == pytest.approx(np.sqrt(((distances - 1) ** 2).mean()), rel=5e-3)  # 4 sd


@pytest.mark.parametrize("orientation", BOTH)
def test_the_bootstrap_of_constant_returns_by_hand(orientation):
    # One input, one output: against units pulled back by d*/d, each is d / min d* away.
    units = random_units()
    ratio = (units["y1"] / units["x1"]).to_numpy()
    away = ratio.max() / ratio
    drawn = draw_distances(away, bandwidth=find_bandwidth(away), n_draws=400, seed=7)
    shrunk = 1 / drawn.min(axis=1)
    corrected = away * (2 - shrunk.mean())
    ends = away[:, None] * (2 - np.quantile(shrunk, [0.95, 0.05]))
    power = -1 if orientation == "input" else 1
    frame = measure(
        units, "x1", "y1", orientation=orientation, returns="constant", n_draws=400, alpha=0.1,
        seed=7,
    ).to_frame()  # fmt: skip
    np.testing.assert_allclose(frame["bias_corrected"], corrected**power, rtol=SAME)
    np.testing.assert_allclose(
        frame[["conf_low", "conf_high"]], np.sort(ends**power, axis=1), rtol=SAME
    )
    np.testing.assert_allclose(
        frame["bias"], away**power - corrected**power, rtol=SAME, atol=SAME
    )
    ratio = (1 - shrunk.mean()) ** 2 / (3 * shrunk.var(ddof=1))
    np.testing.assert_allclose(frame["bias_ratio"], ratio, rtol=1e-6)


SAMPLES = 400


@pytest.mark.parametrize("kind", ["half_normal", "exponential"])
def test_intervals_cover_where_the_frontier_has_no_curve(kind):
    # The formulas of the test above, for samples of 50 units.
    generator = np.random.default_rng(11)
    covered = 0
    for seed in range(SAMPLES):
        truth = np.exp(0.3 * (
            np.abs(generator.standard_normal(50)) if kind == "half_normal"
            else generator.exponential(size=50)
        ))  # fmt: skip
        away = truth / truth.min()
        bandwidth = find_bandwidth(away)
        drawn = draw_distances(away, bandwidth=bandwidth, n_draws=400, seed=seed)
        found = correct_distances(away[:1], away[0] / drawn.min(axis=1)[:, None], alpha=0.05)
        covered += found.conf_low[0] <= truth[0] <= found.conf_high[0]
    # Three sd of the share, and what the bandwidth may cost.
    assert covered / SAMPLES == pytest.approx(0.95, abs=0.033 + 0.01)


def test_intervals_lie_beyond_what_is_observed_and_follow_the_seed():
    units = random_units(n=15)
    found = measure(units, **TWO, n_draws=200, seed=1)
    frame = found.to_frame()
    assert (frame["conf_low"] < frame["conf_high"]).all()
    assert (frame["conf_high"] <= frame["efficiency"]).all() and (frame["conf_low"] > 0).all()
    assert (frame["bias"] > 0).all()
    assert frame["worth_correcting"].equals((frame["bias_ratio"] > 1).astype("boolean"))
    pd.testing.assert_frame_equal(measure(units, **TWO, n_draws=200, seed=1).units, frame)
    assert not measure(units, **TWO, n_draws=200, seed=2).units.equals(frame)
    assert "95% intervals by Simar and Wilson's bootstrap, 200 draws" in found.summary()


@pytest.mark.parametrize(
    ("units", "n_draws", "reason"),
    [
        (pd.DataFrame({"x": [1, 2], "y": [1, 3]}), 0, "no draws were asked for"),
        (pd.DataFrame({"x": [1, 2], "y": [1, 3]}), 200, "all units are on the frontier"),
    ],
)
def test_no_interval_has_its_reason(units, n_draws, reason):
    found = measure(units, n_draws=n_draws)
    frame = found.to_frame()
    assert frame[["bias", "conf_low", "conf_high", "worth_correcting"]].isna().all(axis=None)
    assert frame["reason"].str.startswith(reason).all()
    assert f"no intervals: {reason}" in found.summary()


def test_few_units_are_said_to_be_few():
    # max(1 x 2, 3 (1 + 2)) = 9
    units = random_units(n=9)
    options = {"inputs": "x1", "outputs": ["y1", "y2"]}
    assert measure(units, **options).warnings == ()
    assert "8 units are few" in measure(units[:8], **options).summary()
    wide = pd.DataFrame(1.0, index=range(20), columns=[*"abcdefghij"])
    # max(5 x 5, 3 (5 + 5)) = 30
    assert "it takes 30" in measure(wide, inputs=[*"abcde"], outputs=[*"fghij"]).warnings[0]


def test_plot_shows_each_unit_by_name(four):
    axes = measure(four, n_draws=200).plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["C", "A", "B", "D"]
    assert axes.get_xlabel() == "input efficiency, variable returns"
    plt.close(axes.figure)


# What is refused

GOOD = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 1, 4], "z": [1.0, 0, 0]}, index=[*"ABC"])


@pytest.mark.parametrize(
    ("units", "options", "words"),
    [
        (GOOD, {"outputs": "yy"}, "no column 'yy'; did you mean 'y'"),
        (GOOD, {"returns": "variabel"}, "returns is 'variabel'; did you mean 'variable'"),
        (GOOD, {"orientation": "in"}, "orientation is 'in'"),
        (GOOD, {"inputs": []}, "at least one input"),
        (GOOD, {"inputs": ["x", "y"]}, "each column once"),
        (GOOD, {"outputs": "z"}, "no positive output in 2 rows: B, C"),
        (GOOD.assign(x=[1, np.nan, np.inf]), {}, "'x' is missing in 2 rows: B, C"),
        (GOOD.assign(y=[1, -2, 3]), {}, "'y' is negative in 1 rows: B.*gains per yuan"),
        (GOOD.assign(x=0), {}, "'x' is zero in all rows"),
        (GOOD.assign(x=["1", "many", "3"]), {}, "'x' is not a number"),
        (GOOD[:1], {}, "two rows or more"),
        (GOOD.set_axis([*"AAB"]), {}, "an index of its own"),
        (GOOD, {"alpha": 5}, "alpha is 5"),
        (GOOD, {"n_draws": 199}, "95% intervals need 200"),
        (pd.DataFrame(1.0, index=range(101), columns=[*"xy"]), {"n_draws": 2_000},
         r"101 units; at most 100 can be measured with 2,000 draws.*sample\(100"),
        (pd.DataFrame(1.0, index=range(1_001), columns=[*"xy"]), {}, "at most 1,000 can"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_an_error(units, options, words):
    with pytest.raises(DesignError, match=words):
        measure(units, **({"inputs": "x", "outputs": "y"} | options))
