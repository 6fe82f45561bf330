"""Intervals of single villages: by hand, against a loop, and what must not matter."""

import numpy as np
import pandas as pd
import pytest

from evaluation.gains import estimate
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.inference import order_statistic, placebo_intervals
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel

EXACT = 1e-12  # the same arithmetic, in another order
LOOP = 1e-7  # half the digits are left of the spread of placebos that lie nearly on their line
NAN = np.nan


def by_loop(gains, excess, own, used, placebos, untreated, *, trends, percent):
    """Take one village and one placebo at a time; rows of spread, half width, p-value, J."""
    years, degree = np.arange(excess.shape[1]), int(trends)

    def contrast(values, before, after):
        line = np.polyfit(years[before], values[before], degree)
        left = values - np.polyval(line, years)
        freedom = before.sum() - 1 - degree
        return left[after].mean(), np.sqrt((left[before] ** 2).sum() / freedom)

    rows = []
    for gain, village, before, after in zip(gains, excess, own, used, strict=True):
        known = untreated[:, before | after].all(axis=1)
        n, spread, half, p_value = known.sum(), NAN, NAN, NAN
        if before.sum() > 1 + degree:
            _, spread = contrast(village, before, after)
            if n + 1 >= 100 / percent:
                pairs = [contrast(placebo, before, after) for placebo in placebos[known]]
                ratios = sorted(abs(p) / s for p, s in pairs)
                rank = -(-(n + 1) * (100 - percent) // 100)
                half = ratios[rank - 1] * spread
                p_value = (1 + sum(r >= abs(gain) / spread for r in ratios)) / (1 + n)
        rows.append([spread, half, p_value, n])
    return np.array(rows)


def read(found):
    return np.column_stack([found.spread, found.half_width, found.p_value, found.n_placebos])


def random_input(seed, *, n=40, n_years=9, n_placebos=100):
    """Draw villages with many patterns of untreated, then treated years, both with holes."""
    rng = np.random.default_rng(seed)
    known = rng.random((n, n_years)) < 0.8
    before = np.arange(n_years) < rng.integers(3, 8, size=(n, 1))
    own, used = known & before, known & ~before
    kept = own.any(axis=1) & used.any(axis=1)
    excess = rng.normal(size=(n, n_years)) * rng.gamma(2, 1, size=(n, 1))
    placebos = rng.normal(size=(n_placebos, n_years)) * rng.gamma(2, 1, size=(n_placebos, 1))
    untreated = rng.random(placebos.shape) < 0.8
    gains = rng.normal(size=n) * 3
    return gains[kept], excess[kept], own[kept], used[kept], placebos, untreated


@pytest.mark.parametrize("trends", [False, True])
@pytest.mark.parametrize(("percent", "n_placebos"), [(5, 100), (10, 40)])
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_a_loop_over_patterns_with_missing_years(seed, percent, n_placebos, trends):
    given = random_input(seed, n_placebos=n_placebos)
    times = np.arange(9) - 4.0 if trends else None
    found = placebo_intervals(*given, times=times, alpha=percent / 100)
    expected = by_loop(*given, trends=trends, percent=percent)
    np.testing.assert_allclose(read(found), expected, rtol=LOOP)
    assert len(found.own) > 30 and np.isnan(expected[:, 1]).sum() not in (0, len(expected))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"trends": True},
        {"comparison": "never_treated", "anticipation": 1},
    ],
    ids=str,
)
def test_estimate_gains_gives_what_the_loop_gives_with_dense_least_squares(options):
    cells = random_cells(3, n=120, missing=0.1)
    panel = to_panel(cells)
    frame = estimate_gains(panel, **options).to_frame()
    dense = fit_dense(cells, **options)

    def matrix(values, villages):
        at = dense.cells.assign(value=values)
        wide = at.pivot(index="village", columns="year", values="value")
        return wide.reindex(index=villages, columns=panel.years).to_numpy(float)

    villages = frame.index[frame["gain"].notna()]
    never = panel.villages.index[~panel.is_treated]
    excess, placebos = (matrix(dense.excess, names) for names in (villages, never))
    own, used = (matrix(part, villages) == 1 for part in (dense.own, dense.has_gain))
    gains = np.nanmean(np.where(used, excess, NAN), axis=1)
    expected = by_loop(
        gains, excess, own, used, placebos, np.isfinite(placebos),
        trends=options.get("trends", False), percent=5,
    )  # fmt: skip
    found = frame.loc[villages]
    ours = found[["spread", "p_value", "n_placebos"]]
    np.testing.assert_allclose(ours, expected[:, [0, 2, 3]], rtol=LOOP)
    ends = gains[:, None] + expected[:, 1:2] * [-1, 1]
    np.testing.assert_allclose(found[["conf_low", "conf_high"]], ends, rtol=0, atol=LOOP * 100)
    assert np.isfinite(ends).all(axis=1).sum() > 20


def ladder(n, *, gain=20.0, alpha=0.05):
    """Give placebos 1, -1, then j = 1 to n, of spread sqrt(2); the village has 2, -2."""
    placebos = np.array([[1, -1, j] for j in range(1, n + 1)], float)
    excess, own = np.array([[2.0, -2.0, gain]]), np.array([[True, True, False]])
    known = np.ones_like(placebos, dtype=bool)
    given = [np.array([float(gain)]), excess, own, ~own, placebos, known]
    return placebo_intervals(*given, times=None, alpha=alpha)


@pytest.mark.parametrize(
    ("n", "alpha", "rank"),
    # ceil(20 x .95) and ceil(20 x .9); ceil(21 x .95), ceil(40 x .95), ceil(10 x .9)
    [(19, 0.05, 19), (19, 0.1, 18), (20, 0.05, 20), (39, 0.05, 38), (9, 0.1, 9)],
)
def test_half_width_by_hand(n, alpha, rank):
    # q = rank / sqrt(2), s = sqrt(8 / 1)
    assert ladder(n, alpha=alpha).half_width[0] == pytest.approx(rank * 2, rel=EXACT)
    assert order_statistic(n, alpha) == rank


@pytest.mark.parametrize(
    ("gain", "at_least"),
    # |gain| / sqrt(8) against j / sqrt(2): 20 ties with j = 10, so that 10 to 19 count.
    [(20, 10), (-20, 10), (20.1, 9), (0, 19), (38, 1), (39, 0)],
)
def test_p_value_by_hand_counts_ties(gain, at_least):
    found = ladder(19, gain=gain)
    assert found.p_value[0] == pytest.approx((1 + at_least) / 20, rel=EXACT)
    # The gain is inside its interval around zero exactly where p is above .05.
    assert (abs(gain) <= found.half_width[0] * (1 + EXACT)) == (found.p_value[0] > 0.05)


@pytest.mark.parametrize(("n", "alpha"), [(18, 0.05), (8, 0.1), (98, 0.01)])
def test_one_placebo_too_few_gives_no_interval(n, alpha):
    found = ladder(n, alpha=alpha)
    assert np.isnan([found.half_width[0], found.p_value[0], found.variance[0]]).all()
    assert (found.n_placebos[0], found.spread[0]) == (n, pytest.approx(np.sqrt(8), rel=EXACT))
    assert np.isfinite(ladder(n + 1, alpha=alpha).half_width[0])


def test_of_twenty_that_take_turns_one_is_outside():
    # Each in turn is judged by the 19 others: whatever the data, ranks are 1 to 20.
    rng = np.random.default_rng(4)
    excess = rng.standard_t(2, size=(20, 6)) * rng.gamma(1, 1, size=(20, 1))
    own = np.broadcast_to(np.arange(6) < 4, (1, 6))
    outside, p_values = [], []
    for i in range(20):
        others = np.delete(excess, i, axis=0)
        gain = excess[[i], 4:].mean(axis=1) - excess[[i], :4].mean(axis=1)
        known = np.ones_like(others, dtype=bool)
        found = placebo_intervals(
            gain, excess[[i]], own, ~own, others, known, times=None, alpha=0.05
        )
        outside.append(abs(gain[0]) > found.half_width[0])
        p_values.append(found.p_value[0])
    assert sum(outside) == 1
    np.testing.assert_allclose(sorted(p_values), np.arange(1, 21) / 20, rtol=EXACT)


def with_levels(gains, excess, own, used, placebos, untreated):
    level = np.linspace(-5, 5, len(excess))[:, None]
    return gains, excess + level, own, used, placebos + 3, untreated


def with_signs(gains, excess, own, used, placebos, untreated):
    return -gains, excess, own, used, -placebos, untreated


def with_placebos_shuffled(*given):
    *rest, placebos, untreated = given
    order = np.random.default_rng(0).permutation(len(placebos))
    return *rest, placebos[order], untreated[order]


def with_nothing_in_other_years(gains, excess, own, used, placebos, untreated):
    known = np.where(untreated, placebos, NAN)
    return gains, np.where(own, excess, NAN), own, used, known, untreated


@pytest.mark.parametrize(
    "change", [with_levels, with_signs, with_placebos_shuffled, with_nothing_in_other_years]
)
def test_does_not_matter(change):
    given = random_input(5)
    before, after = (
        read(placebo_intervals(*g, times=None, alpha=0.05)) for g in (given, change(*given))
    )
    np.testing.assert_allclose(after, before, rtol=LOOP)


def test_trends_of_villages_do_not_matter_where_they_are_fitted():
    gains, excess, own, used, placebos, untreated = given = random_input(6)
    times = np.arange(9) - 4.0
    slopes = np.linspace(-2, 2, len(placebos))[:, None] * times
    changed = gains, excess + 7 * times, own, used, placebos + slopes, untreated
    before, after = (
        read(placebo_intervals(*g, times=times, alpha=0.05)) for g in (given, changed)
    )
    np.testing.assert_allclose(after, before, rtol=LOOP)


def test_spreads_and_widths_scale_with_money():
    gains, excess, own, used, placebos, untreated = given = random_input(7)
    in_fen = gains * 100, excess * 100, own, used, placebos * 100, untreated
    before, after = (
        read(placebo_intervals(*g, times=None, alpha=0.05)) for g in (given, in_fen)
    )
    np.testing.assert_allclose(after, before * [100, 100, 1, 1], rtol=LOOP)


def staged_cells(*, known_last_year):
    """Give 5 villages treated in 2004, 15 in 2008 and 10 never, over 2001 to 2008."""
    cells = random_cells(8, n=30, missing=0)
    number = cells["village"].str[1:].astype(int)
    cells["cohort"] = np.select([number < 5, number < 20], [2004.0, 2008.0], NAN)
    if not known_last_year:
        cells.loc[(number < 5) & (cells["year"] == 2008), "y"] = NAN
    return cells


@pytest.mark.parametrize(
    ("known_last_year", "n_placebos", "reason"),
    [
        (True, 10, "fewer than 19 comparison villages are known in its years"),
        # Its years end before the 15 others are treated: they serve too.
        (False, 10 + 15, ""),
    ],
)
def test_villages_not_yet_treated_serve_where_too_few_never_are(
    known_last_year, n_placebos, reason
):
    gains = estimate_gains(to_panel(staged_cells(known_last_year=known_last_year)))
    village = gains.to_frame().loc["v000"]
    assert (village["n_placebos"], village["reason"]) == (n_placebos, reason)
    lacking = village[["conf_low", "conf_high", "p_value", "variance"]].isna()
    assert np.isfinite(village["gain"]) and (lacking == (reason != "")).all()


def test_alpha_says_how_many_comparison_villages_are_needed():
    frame = estimate_gains(to_panel(staged_cells(known_last_year=True)), alpha=0.1).to_frame()
    assert frame.loc["v000", "reason"] == "" and frame.loc["v000", "n_placebos"] == 10


@pytest.mark.parametrize(("trends", "levels"), [(False, "1 untreated year"), (True, "2 untre")])
def test_as_many_untreated_years_as_are_fitted_leave_no_spread(trends, levels):
    cells = random_cells(9, n=90, missing=0)
    cells.loc[cells["village"] == "v000", "cohort"] = 2003 if trends else 2002
    village = estimate_gains(to_panel(cells), trends=trends).to_frame().loc["v000"]
    assert np.isfinite(village["gain"]) and np.isnan(village["conf_low"])
    assert village["reason"].startswith(levels) and "no spread" in village["reason"]


def test_of_very_many_comparison_villages_some_serve(monkeypatch):
    monkeypatch.setattr(estimate, "MOST_PLACEBOS", 30)
    cells = random_cells(10, n=110, missing=0)
    number = cells["village"].str[1:].astype(int)
    cells["cohort"] = pd.Series(2006.0, index=cells.index).where(number < 20)
    frame = estimate_gains(to_panel(cells)).to_frame()
    assert (frame["n_placebos"] == 90 / 3).all() and frame["conf_low"].notna().all()


@pytest.mark.parametrize("n_still", [0, 3])  # placebos without a spread: their |p|/s is inf
def test_a_village_without_a_spread_has_no_interval(n_still):
    placebos = np.array([[1, -1, j] for j in range(1, 31)], float)
    placebos[:n_still, :2] = 0
    own, known = np.array([[True, True, False]]), np.ones_like(placebos, dtype=bool)
    found = placebo_intervals(
        np.array([5.0]), np.array([[0, 0, 5.0]]), own, ~own, placebos, known,
        times=None, alpha=0.05,
    )  # fmt: skip
    assert found.spread[0] == 0 and np.isnan([found.half_width[0], found.p_value[0]]).all()


def test_a_village_whose_untreated_years_are_fitted_exactly_has_no_interval():
    # In its county A alone is known in 2001 and 2002, and shares 2003 with C, which knows the
    # rest: every year effect is one village's, and what is left is rounding.
    cells = random_cells(11, n=30, n_years=5, n_counties=1, missing=0)
    cells["cohort"] = np.where(cells["village"] == "v000", 2004.0, NAN)
    cells.loc[cells["village"].isin(["v000", "v001"]), "county"] = "apart"
    cells.loc[(cells["village"] == "v001") & (cells["year"] < 2003), "y"] = NAN
    village = estimate_gains(to_panel(cells), year_effects="county").to_frame().loc["v000"]
    assert np.isfinite(village["gain"]) and village["n_placebos"] >= 19
    assert np.isnan(village["conf_low"]) and village["reason"] != ""
