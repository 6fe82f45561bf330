"""Group-time effects: panels typed out, known truth, invariances, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.effects.estimate import estimate_effects
from evaluation.effects.group_time import (
    average_by,
    estimate_callaway_santanna,
    estimate_matched_did,
    group_time_effects,
)
from evaluation.effects.setup import EffectOptions, Setup, build_setup
from evaluation.effects.weights import contrast_changes
from evaluation.errors import DesignError
from tests.gains.panels import random_cells, to_panel, typed_panel
from tests.recovery.worlds import World, make_panel

EXACT = 1e-12
ITERATED = 1e-9  # weights are found by Newton's method, to 1e-10 of a standard deviation
DERIVATIVE = 2e-3  # one village more among 500 copies of each: off by 1/500
FAR, NEAR = 5, 3.5  # standard errors from the truth
METHODS = ["doubly_robust", "entropy", "propensity"]


def lay_out(panel, **options):
    return build_setup(panel, EffectOptions(**{"cluster": "village", **options}))


def draw_setup(seed, *, n=2000, effect=2.0, slope=1.0, **options):
    """Villages with a high x are treated more often and grow faster by ``slope`` x a year."""
    rng = np.random.default_rng(seed)
    years = np.arange(2001, 2007)
    x = rng.normal(size=n)
    treated = rng.random(n) < 1 / (1 + np.exp(0.7 - 0.8 * x))
    cohort = np.where(treated, rng.choice([2004.0, 2005.0], n), np.nan)
    after = years >= cohort[:, None]
    outcome = rng.normal(size=(n, 1)) + slope * x[:, None] * (years - 2001) + effect * after
    return Setup(
        outcome=outcome + rng.normal(size=outcome.shape), years=years, cohort=cohort,
        covariates={"x": np.repeat(x[:, None], len(years), axis=1)}, clusters=np.arange(n),
        group=np.zeros(n, dtype=np.intp), options=EffectOptions(cluster="village", **options),
    )  # fmt: skip


def overall(found):
    return found.terms["estimate"].iloc[0], float(np.sqrt((found.parts[:, 0] ** 2).sum()))


TYPED = """
village cohort 2001 2002 2003 2004
a       2003   1    2    9    13
b       2003   3    4    8    10
c       2004   5    5    7    20
d       -      1    3    4    6
e       -      2    2    5    5
"""


def test_typed_panel():
    found = group_time_effects(lay_out(typed_panel(TYPED), comparison="never_treated"))
    never = {2001: (-2 + 0) / 2, 2003: (1 + 3) / 2, 2004: (3 + 3) / 2}  # since 2002
    late = {2001: (-3 - 3) / 2, 2002: (-1 - 3) / 2, 2004: (2 + 0) / 2}  # since 2003
    expected = [
        (2003, 2001, -2, (-1 - 1) / 2 - never[2001]),
        (2003, 2003, 0, (7 + 4) / 2 - never[2003]),
        (2003, 2004, 1, (11 + 6) / 2 - never[2004]),
        (2004, 2001, -3, -2 - late[2001]),
        (2004, 2002, -2, -2 - late[2002]),
        (2004, 2004, 0, 13 - late[2004]),
    ]
    values = found[["cohort", "year", "event_time", "att"]].to_numpy(float)
    np.testing.assert_allclose(values, expected, rtol=EXACT)
    assert found["n_treated"].tolist() == [2, 2, 2, 1, 1, 1]
    assert (found["n_comparison"] == 2).all()
    assert "single treated village" in found["reason"].iloc[-1]


def test_typed_panel_not_yet_treated():
    found = group_time_effects(lay_out(typed_panel(TYPED))).set_index(["cohort", "year"])
    # In 2003 the late cohort serves too; to compare 2001 with 2002 as well, not in 2004.
    assert found.loc[(2003, 2003), "att"] == pytest.approx(11 / 2 - (1 + 3 + 2) / 3, rel=EXACT)
    assert found.loc[(2003, 2001), "att"] == pytest.approx(-1 - (-2 + 0 + 0) / 3, rel=EXACT)
    assert found.loc[(2003, 2004), "att"] == pytest.approx(17 / 2 - 3, rel=EXACT)
    assert found["n_comparison"].tolist() == [3, 3, 2, 2, 2, 2]


def test_typed_averages_and_their_errors():
    found = estimate_callaway_santanna(lay_out(typed_panel(TYPED), comparison="never_treated"))
    first, second, third = 5.5 - 2, 8.5 - 3, 13 - 1
    mean = (2 * first + 2 * second + third) / 5
    terms = found.terms
    assert terms["estimate"].iloc[0] == pytest.approx(mean, rel=EXACT)
    assert terms.iloc[0][["n_villages", "n_cells"]].tolist() == [3, 5]
    at = terms.set_index("event_time")["estimate"]
    assert at[0] == pytest.approx((2 * first + third) / 3, rel=EXACT)
    assert at[-2] == pytest.approx((2 * -0 + (-2 + 2)) / 3, abs=EXACT)
    assert terms["period"].tolist() == ["overall", "before", "before", "after", "after"]
    # Villages' parts: own change less the side's mean, over the side's number, times the
    # cohort-year's weight; and that they make their cohort-year weigh more.
    a = (2 * (7 - 5.5) / 2 + 2 * (11 - 8.5) / 2 + (first - mean) + (second - mean)) / 5
    c = (third - mean) / 5
    d = -(2 * (1 - 2) / 2 + 2 * (3 - 3) / 2 + (2 - 1) / 2) / 5
    np.testing.assert_allclose(found.parts[[0, 2, 3], 0], [a, c, d], rtol=EXACT)


def test_typed_weights():
    # Three of four treated villages have x = 1, two of five comparison ones: these weigh 3/8
    # each, the three others 1/12. Every method finds that, x having two values.
    treated = np.array([True] * 4 + [False] * 5)
    x = np.array([1.0, 1, 1, 0, 1, 1, 0, 0, 0])[:, None]
    change = np.array([5.0, 6, 7, 2, 3, 1, 4, 2, 0])
    expected = (5 + 6 + 7 + 2) / 4 - (3 + 1) * 3 / 8 - (4 + 2 + 0) / 12
    weights = np.array([-3 / 8] * 2 + [-1 / 12] * 3)
    for method in METHODS:
        found = contrast_changes(change, treated, x, method=method)
        np.testing.assert_allclose(found.weights[4:], weights, rtol=ITERATED)
        assert found.att == pytest.approx(expected, rel=ITERATED)
        # The regression on x leaves its groups' deviations in both sides.
        left = change - np.where(x[:, 0] == 1, np.where(treated, 6, 2), 2)
        if method != "doubly_robust":
            np.testing.assert_allclose(found.parts[4:], weights * left[4:], atol=ITERATED)


def test_comparison_villages_that_are_all_but_treated_have_no_weight():
    # Of those with x = 1, one in 301 is not treated: a propensity of .9967, above .995.
    treated = np.array([True] * 301 + [False] * 11)
    x = np.array([1.0] * 300 + [0] + [1] + [0] * 10)[:, None]
    change = np.arange(312.0)
    found = contrast_changes(change, treated, x, method="propensity")
    assert found.weights[301] == 0
    assert found.att == pytest.approx(150 - (302 + 311) / 2, rel=ITERATED)


def test_balance_that_rests_on_one_village_is_refused():
    treated = np.array([True, True, False, False, False, False])
    x = np.array([1.0, 1, 1, 0, 0, 0])[:, None]
    with pytest.raises(DesignError, match="rests on a single comparison village"):
        contrast_changes(np.arange(6.0), treated, x, method="entropy")


@pytest.mark.parametrize("method", ["means", *METHODS])
def test_parts_are_derivatives(method):
    rng = np.random.default_rng(3)
    n, copies = 24, 500
    x = rng.normal(size=(n, 2))
    treated = rng.random(n) < 1 / (1 + np.exp(0.5 - x[:, 0]))
    change = x[:, 0] ** 2 + x[:, 1] + treated + rng.normal(size=n)
    x = x[:, :0] if method == "means" else x

    def att(rows):
        return contrast_changes(change[rows], treated[rows], x[rows], method=method).att

    many = np.tile(np.arange(n), copies)
    parts = contrast_changes(change, treated, x, method=method).parts
    for i in range(0, n, 3):
        more, fewer = np.append(many, i), np.delete(many, i)
        slope = (att(more) - att(fewer)) / 2 * copies
        assert slope == pytest.approx(parts[i], abs=DERIVATIVE * np.abs(parts).max())
    assert parts.sum() == pytest.approx(0, abs=ITERATED)


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_holes_leave_villages_known_in_both_years(comparison):
    panel = to_panel(random_cells(11, missing=0.3))
    setup = lay_out(panel, comparison=comparison)
    y, cohort, years = panel.matrix(), panel.cohort, panel.years.tolist()
    found = group_time_effects(setup)
    assert found["att"].notna().sum() > 10
    for row in found.itertuples():
        base = years.index(row.cohort - 1)
        change = y[:, years.index(row.year)] - y[:, base]
        free = cohort > max(row.year, row.cohort - 1)
        late = comparison == "not_yet_treated"
        others = np.isnan(cohort) | (late & free & (cohort != row.cohort))
        others |= cohort > years[-1]
        known = np.isfinite(change)
        own, others = known & (cohort == row.cohort), known & others
        if not (own.any() and others.any()):
            missing = "treated" if others.any() else "comparison"
            assert row.reason == f"no {missing} village is known in both years"
            continue
        assert row.att == pytest.approx(change[own].mean() - change[others].mean(), rel=EXACT)
        assert row.n_comparison == others.sum()


def test_selection_on_a_covariate():
    setup = draw_setup(1)
    estimate, se = overall(estimate_callaway_santanna(replace(setup, covariates={})))
    assert (estimate - 2) / se > FAR
    for found in (
        estimate_callaway_santanna(setup),
        estimate_matched_did(setup),
        estimate_matched_did(draw_setup(1, matching="propensity")),
    ):
        estimate, se = overall(found)
        assert abs(estimate - 2) < NEAR * se
        before = found.terms["period"] == "before"
        spread = np.sqrt(np.diag(found.covariance))
        assert (found.terms["estimate"].abs() < NEAR * spread)[before].all()
        assert (found.terms["estimate"] - 2).abs().lt(NEAR * spread)[~before].all()


@pytest.mark.parametrize("name", ["callaway_santanna", "entropy", "propensity"])
def test_standard_errors_are_the_spread_of_estimates(name):
    draws = []
    for seed in range(150):
        if name == "callaway_santanna":
            draws.append(overall(estimate_callaway_santanna(draw_setup(seed, n=300))))
        else:
            setup = draw_setup(seed, n=300, slope=0.1, matching=name)
            draws.append(overall(estimate_matched_did(setup)))
    values, errors = np.array(draws).T
    # Of 150 draws a spread is known to 1/sqrt(300) = 6%: three of these.
    assert np.sqrt((errors**2).mean()) == pytest.approx(values.std(), rel=0.18)
    assert (np.abs(values - 2) < 1.96 * errors).mean() > 0.89


@pytest.mark.parametrize("estimate", [estimate_callaway_santanna, estimate_matched_did])
def test_invariances(estimate):
    panel = to_panel(random_cells(5, n=150), covariates=["z"])
    setup = lay_out(panel, covariates=("z",), cluster="county")
    found = estimate(setup)

    def same(other, *, factor=1.0):
        again = estimate(other)
        np.testing.assert_allclose(
            again.terms["estimate"], factor * found.terms["estimate"], rtol=ITERATED
        )
        np.testing.assert_allclose(
            again.covariance, factor**2 * found.covariance, rtol=1e-7, atol=1e-12 * factor**2
        )
        assert again.terms["n_cells"].tolist() == found.terms["n_cells"].tolist()

    order = np.random.default_rng(0).permutation(150)
    same(
        replace(
            setup, outcome=setup.outcome[order], cohort=setup.cohort[order],
            covariates={"z": setup.covariates["z"][order]}, clusters=setup.clusters[order],
            group=setup.group[order],
        )
    )  # fmt: skip
    same(replace(setup, clusters=setup.clusters.max() - setup.clusters))
    same(replace(setup, outcome=10_000 * setup.outcome), factor=10_000.0)
    z = setup.covariates["z"]
    same(replace(setup, covariates={"z": 1e6 + 3 * z}))
    # What is said twice, or of every village alike, changes nothing.
    same(replace(setup, covariates={"z": z, "again": 2 - z, "alike": np.full_like(z, 7.3)}))


def test_averages_by_cohort_and_year():
    setup = lay_out(to_panel(random_cells(8, n=200, missing=0)))
    found = group_time_effects(setup).query("event_time >= 0")
    for by in ("cohort", "year"):
        means = average_by(setup, by)
        for row in means.itertuples():
            some = found[found[by] == getattr(row, by)]
            expected = np.average(some["att"], weights=some["n_treated"])
            assert row.estimate == pytest.approx(expected, rel=EXACT)
            assert row.n_cells == some["n_treated"].sum()
        assert means["se"].gt(0).all() and means["conf_low"].lt(means["conf_high"]).all()
    events, terms = average_by(setup, "event_time"), estimate_callaway_santanna(setup).terms
    assert events["estimate"].tolist() == terms["estimate"].tolist()[1:]
    with pytest.raises(DesignError, match="by is 'county'; give one of cohort, year"):
        average_by(setup, "county")


def test_anticipation_moves_the_base_year():
    setup = lay_out(typed_panel(TYPED), comparison="never_treated", anticipation=1)
    found = group_time_effects(setup).set_index(["cohort", "year"])["att"]
    assert found[2003, 2003] == pytest.approx((8 + 5) / 2 - (3 + 3) / 2, rel=EXACT)
    events = estimate_callaway_santanna(setup).terms["event_time"].dropna()
    assert setup.reference == -2 and setup.reference not in events.tolist()
    assert -1 in events.tolist()


def test_a_cohort_without_overlap_is_left_out_and_named():
    setup = draw_setup(2, n=400)
    x = setup.covariates["x"].copy()
    x[setup.cohort == 2004] += 20
    apart = replace(setup, covariates={"x": x})
    for estimate, reason in (
        (estimate_callaway_santanna, "the covariates separate treated from comparison"),
        (estimate_matched_did, "no weights of comparison villages balance the covariates"),
    ):
        found = estimate(apart)
        assert f"5 of 10 cohort-years left out: {reason}" in found.note
        assert f"{(setup.cohort == 2004).sum()} treated villages take no part" in found.note
        assert found.terms["n_villages"].iloc[0] == (setup.cohort == 2005).sum()
        with pytest.raises(DesignError, match="It may help to name fewer covariates"):
            estimate(apart.take(setup.cohort != 2005))
    effects = group_time_effects(apart)
    assert effects["att"].isna().sum() == 5
    assert effects["reason"].str.contains("separate").sum() == 5


def test_comparison_villages_without_the_covariates_spread():
    setup = draw_setup(2, n=400)
    x = np.where(np.isnan(setup.cohort)[:, None], 0.0, setup.covariates["x"])
    apart = replace(setup, covariates={"x": x}, options=EffectOptions(
        comparison="never_treated", cluster="village"))  # fmt: skip
    with pytest.raises(DesignError, match="too few comparison villages for the covariates"):
        estimate_callaway_santanna(apart)


def test_refusals():
    setup = draw_setup(3, n=200)
    with pytest.raises(DesignError, match="matching needs covariates"):
        estimate_matched_did(replace(setup, covariates={}))
    treated = setup.take(setup.treated)
    with pytest.raises(DesignError, match=r"no comparison village .*not_yet_treated"):
        estimate_callaway_santanna(
            replace(treated, covariates={}, options=EffectOptions(comparison="never_treated"))
        )
    with pytest.raises(DesignError, match="no cohort is known before its treatment"):
        first = np.where(setup.treated, 2001.0, np.nan)
        estimate_callaway_santanna(replace(setup, cohort=first))


def test_villages_treated_from_the_start_neither_count_nor_compare():
    setup = lay_out(to_panel(random_cells(9, n=80)))
    found = estimate_callaway_santanna(setup)
    cohort = setup.cohort.copy()
    always = np.flatnonzero(setup.treated)[:3]
    cohort[always] = 2001
    kept = np.ones(80, dtype=bool)
    kept[always] = False
    again = estimate_callaway_santanna(replace(setup, cohort=cohort))
    without = estimate_callaway_santanna(setup.take(kept))
    np.testing.assert_allclose(again.terms["estimate"], without.terms["estimate"], rtol=EXACT)
    assert "take no part" in again.note and found.note != again.note


def test_through_estimate_effects():
    world = World(counties=40, n_untreated=4, n_treated=2, gain=1.0, staggered=True)
    panel, gains, _ = make_panel(world, np.random.default_rng(4))
    found = estimate_effects(panel, estimators=["callaway_santanna", "matched_did"])
    row = found.overall.loc["callaway_santanna"]
    assert row["method"] == "clustered" and row["n_clusters"] == 40
    assert row["conf_low"] < np.nanmean(gains) < row["conf_high"]
    assert found.event_study()["band_low"].notna().all()
    assert "matching needs covariates" in found.reasons["matched_did"]
