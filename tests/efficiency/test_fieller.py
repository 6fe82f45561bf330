"""Fieller's sets: against R's mratios, by hand, by inversion of the test, and how often."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from evaluation.efficiency.fieller import RatioSet, add_sets, fieller_set, no_set
from evaluation.errors import DesignError

GOLDEN = 1e-9  # as the entry says
EXACT = 1e-12  # the same arithmetic, in another order
HAND = 1e-6  # alphas below are printed so that t is 2 or 1 to ten digits
INVARIANT = 1e-9  # ends divide by d^2 - t^2 v, of which rounding may be 1e-4
NEAR_AN_END = 1e-7  # of t: values of the grid so near an end are anybody's
SIMULATED = 0.006  # three sampling errors of a share of .95 in 20,000 draws, of .89 .0066
T_IS_2 = 2 * stats.norm.sf(2)
T_IS_1 = 2 * stats.norm.sf(1)
INF = np.inf

# Data of R: PlantGrowth, weights of plants; sleep, hours gained with two drugs.
CONTROL = [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]
TREATMENT_2 = [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]
DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]


# -- against mratios 1.4.4 (R 4.2.2), ttestratio(x, y, var.equal = TRUE and FALSE) ------------


def ratio_of_means(x, y, *, equal):
    """Give the set for means of two samples; Welch's freedom is that at the ratio estimated."""
    n, m = len(x), len(y)
    variances = np.var(x, ddof=1), np.var(y, ddof=1)
    freedom = n + m - 2
    if equal:
        variances = [((n - 1) * variances[0] + (m - 1) * variances[1]) / freedom] * 2
    parts = variances[0] / n, variances[1] / m
    if not equal:
        own, other = parts[0], (np.mean(x) / np.mean(y)) ** 2 * parts[1]
        freedom = (own + other) ** 2 / (own**2 / (n - 1) + other**2 / (m - 1))
    return fieller_set(
        np.mean(x), np.mean(y), var_numerator=parts[0], var_denominator=parts[1],
        freedom=freedom,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("equal", "low", "high"),
    [(True, 1.00145241891, 1.20519718729), (False, 1.0006119703, 1.20906508838)],
)
def test_plant_growth(equal, low, high):
    found = ratio_of_means(TREATMENT_2, CONTROL, equal=equal)
    assert found.kind == "bounded"
    assert found.ratio == pytest.approx(1.09817170111, abs=GOLDEN)
    assert (found.low, found.high) == pytest.approx((low, high), abs=GOLDEN)


@pytest.mark.parametrize("equal", [True, False])
def test_sleep_is_unbounded(equal):
    found = ratio_of_means(DRUG_2, DRUG_1, equal=equal)
    assert found.kind == "unbounded" and found.high < 0 < found.low < found.ratio
    # 2.33 = 0 x .75 would be rejected, and so would that drug 1 does twice as much harm
    assert 0 not in found and -2 not in found and 1 in found and -100 in found


# -- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "alpha", "expected"),
    [
        # (4 - 2 r)^2 <= 4 x .25: between 3/2 and 5/2
        ((4, 2, 0.25, 0, 0), T_IS_2, ("bounded", 1.5, 2.5)),
        # (3 - 5 r)^2 <= 4 (1 + r^2): 21 r^2 - 30 r + 5 <= 0
        (
            (3, 5, 1, 1, 0),
            T_IS_2,
            ("bounded", (15 - 120**0.5) / 21, (15 + 120**0.5) / 21),
        ),
        # (3 - 5 r)^2 <= 4 (1 - r + r^2): 21 r^2 - 26 r + 5 <= 0, 5/21 and 1
        ((3, 5, 1, 1, 0.5), T_IS_2, ("bounded", 5 / 21, 1)),
        # a negative denominator: (4 + 2 r)^2 <= 1
        ((4, -2, 0.25, 0, 0), T_IS_2, ("bounded", -2.5, -1.5)),
        # (4 - r)^2 <= 4 (1 + r^2): 3 r^2 + 8 r - 12 >= 0
        (
            (4, 1, 1, 1, 0),
            T_IS_2,
            ("unbounded", (-4 + 52**0.5) / 3, (-4 - 52**0.5) / 3),
        ),
        # (3 - r)^2 <= 1 + r^2 is 8 <= 6 r; with r for -r it is r <= -4/3
        ((3, 1, 1, 1, 0), T_IS_1, ("unbounded", 4 / 3, -INF)),
        ((-3, 1, 1, 1, 0), T_IS_1, ("unbounded", INF, -4 / 3)),
        # (1 - r)^2 <= 4 (1 + r^2) is 3 r^2 + 2 r + 3 >= 0: always
        ((1, 1, 1, 1, 0), T_IS_2, ("whole line", -INF, INF)),
        ((0, 0, 1, 1, 0), T_IS_2, ("whole line", -INF, INF)),
        # nothing but the denominator's error: (0 - r)^2 <= 4 x .01 r^2 is r = 0 alone
        ((0, 1, 0, 0.01, 0), T_IS_2, ("bounded", 0, 0)),
        # a denominator of zero: 4 (1 + r^2) >= 9 from r^2 = 5/4 on
        ((3, 0, 1, 1, 0), T_IS_2, ("unbounded", 1.25**0.5, -(1.25**0.5))),
    ],
    ids=str,
)
def test_kinds_by_hand(numbers, alpha, expected):
    n, d, v, w, c = numbers
    found = fieller_set(
        n, d, var_numerator=v, var_denominator=w, covariance=c,
        alpha=alpha if alpha != T_IS_1 else exactly_one(v, w),
    )  # fmt: skip
    assert found.kind == expected[0] and found.reason == ""
    np.testing.assert_allclose([found.low, found.high], expected[1:], rtol=HAND)
    np.testing.assert_equal(found.ratio, n / d if d else np.nan)


def exactly_one(v, w):
    """Give an alpha at which t^2 is 1 in floating point, so that d^2 - t^2 v is zero."""
    for alpha in (T_IS_1, *np.nextafter(T_IS_1, [0, 1]).tolist()):
        if stats.norm.ppf(1 - alpha / 2) ** 2 * w == v:
            return alpha
    pytest.fail("no alpha near .3173 gives t = 1")


def test_student_for_the_normal_distribution():
    wide = fieller_set(4.0, 2.0, var_numerator=0.25, freedom=5)
    half = stats.t(5).ppf(0.975) * 0.5 / 2
    assert (wide.low, wide.high) == pytest.approx((2 - half, 2 + half), rel=EXACT)


@pytest.mark.parametrize(
    ("found", "inside", "outside", "text"),
    [
        (RatioSet(ratio=1, low=0.5, high=2, kind="bounded"), [0.5, 1, 2], [0.4, 2.1, -INF],
         "bounded: 0.5 to 2"),
        (RatioSet(ratio=1, low=0.5, high=-2, kind="unbounded"), [0.5, 9, -2, -9], [-1.9, 0.4],
         "unbounded: up to -2 and from 0.5 on"),
        (RatioSet(ratio=1, low=0.5, high=-INF, kind="unbounded"), [0.5, 9], [0.4, -9],
         "unbounded: from 0.5 on"),
        (RatioSet(ratio=-1, low=INF, high=-0.5, kind="unbounded"), [-0.5, -9], [-0.4, 9],
         "unbounded: up to -0.5"),
        (RatioSet(ratio=1, low=-INF, high=INF, kind="whole line"), [0, 9, -9], [],
         "whole line"),
        (no_set("no money"), [], [0, 1, np.nan], "none: no money"),
    ],
    ids=str,
)  # fmt: skip
def test_what_is_in_a_set_and_how_it_reads(found, inside, outside, text):
    assert all(value in found for value in inside)
    assert not any(value in found for value in outside)
    assert str(found) == text


# -- by direct inversion ---------------------------------------------------------------------

NUMBERS = st.floats(-10, 10).filter(lambda x: x == 0 or abs(x) > 1e-3)
VARIANCES = st.floats(0.01, 10)
SHARES = st.floats(-0.99, 0.99)


@given(NUMBERS, NUMBERS, VARIANCES, VARIANCES, SHARES, st.sampled_from([0.05, 0.1, 0.4]))
def test_a_set_is_what_the_test_does_not_reject(n, d, v, w, rho, alpha):
    c = rho * np.sqrt(v * w)
    found = fieller_set(n, d, var_numerator=v, var_denominator=w, covariance=c, alpha=alpha)
    t = stats.norm.ppf(1 - alpha / 2)
    for r in [
        *np.linspace(-12, 12, 97),
        *np.geomspace(12, 1e6, 12),
        *-np.geomspace(12, 1e6, 12),
    ]:
        size = abs(n - r * d) / np.sqrt(v - 2 * r * c + r**2 * w)
        if abs(size - t) > NEAR_AN_END * t:
            assert (r in found) == (size <= t), r
    rejects_zero = d**2 > t**2 * w
    assert (found.kind == "bounded") == rejects_zero
    if not np.isnan(found.ratio):
        assert found.ratio in found


@given(
    NUMBERS, NUMBERS, VARIANCES, VARIANCES, SHARES,
    st.floats(-9, 9), st.floats(-9, 9), st.booleans(),
)  # fmt: skip
def test_units_and_signs_do_not_matter(n, d, v, w, rho, e, f, turned):
    """Gains in units of 10^e, money in units of 10^f; both with their signs turned."""
    z2, c = stats.norm.ppf(0.975) ** 2, rho * np.sqrt(v * w)
    assume(abs(d**2 - z2 * w) > 1e-3 * d**2)  # where its kind is not a matter of rounding
    assume(abs((n * d - z2 * c) ** 2 - (d**2 - z2 * w) * (n**2 - z2 * v)) > 1e-3)
    own = fieller_set(n, d, var_numerator=v, var_denominator=w, covariance=c)
    g, m = 10.0**e, 10.0**f * (-1 if turned else 1)
    other = fieller_set(
        n * g, d * m, var_numerator=v * g**2, var_denominator=w * m**2, covariance=c * g * m
    )
    assert other.kind == own.kind
    ends = (own.high, own.low) if turned else (own.low, own.high)
    np.testing.assert_allclose([other.low, other.high], np.array(ends) * g / m, rtol=INVARIANT)
    np.testing.assert_allclose(other.ratio, own.ratio * g / m, rtol=INVARIANT)


@given(NUMBERS.filter(bool), NUMBERS.filter(bool), VARIANCES, VARIANCES, SHARES)
def test_the_inverse_ratio_has_the_inverse_set(n, d, v, w, rho):
    c = rho * np.sqrt(v * w)
    own = fieller_set(n, d, var_numerator=v, var_denominator=w, covariance=c)
    other = fieller_set(d, n, var_numerator=w, var_denominator=v, covariance=c)
    for r in np.geomspace(0.01, 100, 30):
        for value in (r, -r):
            z = abs(n - value * d) / np.sqrt(v - 2 * value * c + value**2 * w)
            if abs(z - stats.norm.ppf(0.975)) > NEAR_AN_END:
                assert (value in own) == (1 / value in other)


# -- how often -------------------------------------------------------------------------------


def draw(numerator, denominator, *, n):
    generator = np.random.default_rng(1954)
    return np.array([numerator, denominator]) + generator.normal(size=(n, 2))


@pytest.mark.parametrize("true", [0.5, 5.0, 20.0])
def test_coverage_with_a_denominator_of_two_standard_errors(true):
    draws = draw(2 * true, 2, n=20_000)
    sets = [fieller_set(n, d, var_numerator=1, var_denominator=1) for n, d in draws]
    covered = np.mean([true in found for found in sets])
    assert covered == pytest.approx(0.95, abs=SIMULATED)
    # Where the denominator is not told from zero no set has two ends, and only there.
    far = np.abs(draws[:, 1]) > stats.norm.ppf(0.975)
    assert [found.kind == "bounded" for found in sets] == far.tolist()
    assert 0.4 < far.mean() < 0.6
    # A numerator of ten standard errors and more rules out that the ratio is zero.
    kinds = {"bounded", "unbounded"} | ({"whole line"} if true == 0.5 else set())
    assert {found.kind for found in sets} == kinds


def test_the_delta_method_covers_less():
    true, draws = 20.0, draw(40, 2, n=20_000)
    ratio = draws[:, 0] / draws[:, 1]
    reach = stats.norm.ppf(0.975) * np.sqrt(1 + ratio**2) / np.abs(draws[:, 1])
    assert np.mean(np.abs(ratio - true) <= reach) == pytest.approx(0.89, abs=SIMULATED)


def test_without_unbounded_sets_it_would_cover_less():
    draws = draw(10, 0.5, n=5_000)
    sets = [fieller_set(n, d, var_numerator=1, var_denominator=1) for n, d in draws]
    bounded = np.array([found.kind == "bounded" for found in sets])
    covered = np.array([20 in found for found in sets])
    assert covered.mean() == pytest.approx(0.95, abs=0.01)  # three sampling errors
    assert covered[bounded].mean() < 0.8 and bounded.mean() < 0.2


# -- what is no ratio, and rows of a table ---------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((4, 0, 1, 0, 0), "the denominator is zero"),
        ((np.nan, 2, 1, 0, 0), "not known"),
        ((4, 2, np.nan, 0, 0), "not known"),
        ((4, 2, np.inf, 0, 0), "not known"),
        ((4, np.inf, 1, 0, 0), "not known"),
    ],
)
def test_no_set_has_a_reason(numbers, says):
    n, d, v, w, c = numbers
    found = fieller_set(n, d, var_numerator=v, var_denominator=w, covariance=c)
    assert found.kind == "none" and says in found.reason
    assert np.isnan([found.ratio, found.low, found.high]).all()


@pytest.mark.parametrize(
    ("v", "w", "c"), [(-1, 1, 0), (1, -1, 0), (1, 1, 1.1), (1, 0, 0.1), (1, 4, -2.1)]
)
def test_variances_of_no_two_estimates(v, w, c):
    with pytest.raises(DesignError, match="no two estimates; give variances"):
        fieller_set(4, 2, var_numerator=v, var_denominator=w, covariance=c)


def rows(**columns):
    usual = {"gain": 4.0, "conf_low": 3.0, "conf_high": 5.0, "money": 2.0, "money_sd": 0.0}
    n = max(np.size(values) for values in columns.values())
    frame = {name: np.broadcast_to(v, n).astype(float) for name, v in (usual | columns).items()}
    return pd.DataFrame(frame).assign(reason="")


def test_rows_with_known_money_keep_their_interval():
    (row,) = add_sets(rows(conf_low=3.5), alpha=0.05).to_dict("records")
    assert (row["per_yuan"], row["low"], row["high"]) == (2, 1.75, 2.5)
    assert row["kind"] == "bounded"


def test_rows_with_errors_of_money_have_fiellers_set():
    (row,) = add_sets(rows(money_sd=0.5), alpha=T_IS_2).to_dict("records")
    # the wider side, 1, is two standard errors: (4 - 2 r)^2 <= 4 (1/4 + r^2 / 4)
    # 3 r^2 - 16 r + 15 <= 0
    np.testing.assert_allclose(
        [row["low"], row["high"]], [(8 - 19**0.5) / 3, (8 + 19**0.5) / 3], rtol=EXACT
    )
    (row,) = add_sets(rows(money_sd=1.5), alpha=T_IS_2).to_dict("records")
    assert row["kind"] == "unbounded" and row["per_yuan"] == 2 and row["low"] > row["high"]


def test_rows_without_money_or_interval_have_none():
    frame = rows(money=[0.0, np.nan, -1.0, 2.0, 2.0], conf_low=[3, 3, 3, np.nan, 3])
    found = add_sets(frame, alpha=0.05, counted=pd.Series([True] * 4 + [False]))
    assert (found["kind"] == "none").all() and found[["low", "high"]].isna().all(axis=None)
    np.testing.assert_array_equal(found["per_yuan"], [np.nan] * 3 + [2.0, np.nan])


@pytest.mark.parametrize(
    ("ends", "sd", "expected"),
    [
        ((-INF, INF), 0.0, ("whole line", -INF, INF)),
        ((3.0, INF), 0.0, ("unbounded", 1.5, -INF)),
        ((-INF, 5.0), 0.0, ("unbounded", INF, 2.5)),
        ((3.0, INF), 0.5, ("whole line", -INF, INF)),
    ],
)
def test_an_interval_without_an_end_gives_no_bounded_set(ends, sd, expected):
    frame = rows(conf_low=ends[0], conf_high=ends[1], money_sd=sd)
    (row,) = add_sets(frame, alpha=0.05).to_dict("records")
    assert (row["kind"], row["low"], row["high"]) == expected
