"""Two-way fixed effects and Sun-Abraham: by hand, against pyfixest, and what they leave out."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.estimate import estimate_effects
from evaluation.effects.estimates import judge
from evaluation.effects.fixed_effects import estimate_sun_abraham, estimate_twfe
from evaluation.effects.setup import EffectOptions, build_setup
from evaluation.errors import DesignError
from tests.gains.panels import random_cells, to_panel, typed_panel

EXACT = 1e-12  # the same arithmetic, in another order
ROUNDED = 1e-9  # outcomes of 1e1 to 1e5, less what effects explain
PEER = 1e-7  # pyfixest takes effects out by iterating, here to 1e-12
BOTH = (estimate_twfe, estimate_sun_abraham)


def setup_of(panel, **options):
    return build_setup(panel, EffectOptions(**({"cluster": "village"} | options)))


def overall(found):
    return float(found.terms["estimate"].iloc[0])


def by_time(found):
    rows = found.terms[found.terms["period"] != "overall"]
    return dict(zip(rows["event_time"], rows["estimate"], strict=True))


TWO_BY_TWO = """
    village cohort 2001 2002
    a       2002   1    6
    b       2002   2    9
    c       -      3    4
    d       -      4    7
"""
STAGGERED = """
    village cohort 2001 2002 2003 2004
    early   2002   1    5    8    12
    early2  2002   3    7    10   14
    late    2004   2    3    5    11
    late2   2004   4    7    7    13
    never   -      5    6    7    8
    never2  -      7    8    9    10
"""


# -- by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize("estimate", BOTH)
@pytest.mark.parametrize(("counted", "factor"), [("nested", 7 / 5 * 4 / 3), ("full", 14 / 3)])
def test_two_by_two(estimate, counted, factor):
    # Treated villages change by 5 and 7, others by 1 and 3: 6 - 2. A village's treatment is
    # +-1/4 in each year without effects, its residual half of +-1: its part is +-1/2. With
    # 8 cells, 1 regressor and 2 years count (nested), and 4 - 1 village effects too (full).
    found = estimate(setup_of(typed_panel(TWO_BY_TWO), fixed_effects=counted))
    assert overall(found) == by_time(found)[0] == pytest.approx(4, rel=EXACT)
    assert found.terms[["n_villages", "n_cells"]].to_numpy().tolist() == [[2, 2], [2, 2]]
    np.testing.assert_allclose(found.parts**2, factor / 4, rtol=EXACT)
    assert found.covariance[0, 0] == pytest.approx(factor, rel=EXACT)
    assert found.note == ""


def test_sun_abraham_averages_cohorts_by_their_cells():
    found = estimate_sun_abraham(setup_of(typed_panel(STAGGERED)))
    # The never treated grow by 1 a year. Cohort means: 2, 6, 9, 13 and 3, 5, 6, 12.
    early = {0: 6 - 2 - 1, 1: 9 - 2 - 2, 2: 13 - 2 - 3}
    late = {-3: 3 - 6 + 2, -2: 5 - 6 + 1, 0: 12 - 6 - 1}
    events = by_time(found)
    assert events == pytest.approx(
        {-3: late[-3], -2: late[-2], 0: (early[0] + late[0]) / 2, 1: early[1], 2: early[2]},
        rel=EXACT, abs=EXACT,
    )  # fmt: skip
    assert overall(found) == pytest.approx((sum(early.values()) + late[0]) / 4, rel=EXACT)
    assert found.terms["period"].tolist() == ["overall", *["before"] * 2, *["after"] * 3]
    assert found.terms["n_villages"].tolist() == [4, 2, 2, 4, 2, 2]
    assert found.terms["n_cells"].tolist() == [8, 2, 2, 4, 2, 2]


def test_without_never_treated_the_last_cohort_is_compared():
    cells = "\n".join(line for line in STAGGERED.splitlines() if "never" not in line)
    found = estimate_sun_abraham(setup_of(typed_panel(cells)))
    # Until 2003, against 3, 5, 6.
    assert by_time(found) == pytest.approx({0: 4 - 2, 1: 7 - 3}, rel=EXACT)
    assert overall(found) == pytest.approx(3, rel=EXACT)
    assert "compared with those treated in 2004, the last" in found.note
    twfe = estimate_twfe(setup_of(typed_panel(cells)))
    assert set(by_time(twfe)) == {-2, 0, 1, 2} and "second reference" in twfe.event_note
    assert "Measured from event times -3, -1" in twfe.event_note


def test_all_treated_at_once_cannot_be_compared():
    cells = "\n".join(TWO_BY_TWO.splitlines()[:4])
    for estimate in BOTH:
        with pytest.raises(DesignError, match="compare"):
            estimate(setup_of(typed_panel(cells)))


# -- known truth -----------------------------------------------------------------------------


def exact_cells(seed, effect):
    """Outcomes without error, and effects by cohort and event time."""
    cells = random_cells(seed, missing=0.0)
    rng = np.random.default_rng(seed)
    levels = rng.normal(size=(cells["village"].nunique(), 1)) * 100
    years = rng.normal(size=cells["year"].nunique())
    time = cells["year"] - cells["cohort"]
    cells["y"] = (levels + years).ravel() + np.where(
        time >= 0, effect(cells["cohort"], time), 0
    )
    return cells[rng.random(len(cells)) > 0.1]


def test_a_constant_effect_is_found():
    cells = exact_cells(3, lambda cohort, time: 7.0)
    for estimate in BOTH:
        found = estimate(setup_of(to_panel(cells)))
        assert overall(found) == pytest.approx(7, rel=ROUNDED)
        for k, value in by_time(found).items():
            assert value == pytest.approx(7 if k >= 0 else 0, abs=7 * ROUNDED)


def test_sun_abraham_finds_effects_that_differ_and_grow():
    def effect(cohort, time):
        return (cohort - 2000) * (1 + time)

    cells = exact_cells(4, effect)
    found = estimate_sun_abraham(setup_of(to_panel(cells)))
    treated = cells[cells["year"] >= cells["cohort"]]
    truth = effect(treated["cohort"], treated["year"] - treated["cohort"])
    assert overall(found) == pytest.approx(truth.mean(), rel=ROUNDED)
    means = truth.groupby(treated["year"] - treated["cohort"]).mean()
    events = by_time(found)
    for k, value in means.items():
        assert events[k] == pytest.approx(value, rel=ROUNDED)
    # Two-way fixed effects do not.
    assert abs(overall(estimate_twfe(setup_of(to_panel(cells)))) - truth.mean()) > 0.5


# -- pyfixest --------------------------------------------------------------------------------


def peer(setup, columns, used):
    """Fit the same columns with pyfixest; county by year effects as one column."""
    import pyfixest as pf

    village, year = np.nonzero(used)
    table = pd.DataFrame({"y": setup.outcome[used], "v": village})
    table["t"] = setup.group[village] * 100 + year
    table["c"] = setup.clusters[village]
    for at, column in enumerate(columns):
        table[f"x{at}"] = np.asarray(column, float)[used]
    full = setup.options.fixed_effects == "full"
    names = [f"x{at}" for at in range(len(columns))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pf.feols(
            f"y ~ {' + '.join(names)} | v + t", table, vcov={"CRV1": "c"},
            ssc=pf.ssc(k_fixef="full" if full else "nonnested"),
            fixef_rm="none" if full else "singleton",
            demeaner=pf.MapDemeaner(fixef_tol=1e-12),
        )  # fmt: skip
    covariance = pd.DataFrame(fit._vcov, index=fit._coefnames, columns=fit._coefnames)
    return fit.coef().reindex(names).to_numpy(), covariance.reindex(names)[names[:1]]


def controls_of(setup, used):
    """Give x as it is, and z with a slope a year."""
    z = setup.covariates["z"]
    return [setup.covariates["x"], *(z * (setup.years == year) for year in setup.years[1:])]


@pytest.mark.parametrize("counted", ["nested", "full"])
@pytest.mark.parametrize(
    ("year_effects", "cluster"),
    [("common", "village"), ("common", "county"), ("county", "county"), ("county", "town")],
)
def test_static_coefficient_as_pyfixest(year_effects, cluster, counted):
    panel = to_panel(random_cells(5, n=120, missing=0.4), covariates=["x", "z"])
    setup = setup_of(
        panel, year_effects=year_effects, cluster=cluster, fixed_effects=counted,
        covariates=("x", "z"),
    )  # fmt: skip
    used = np.isfinite(setup.outcome) & np.isfinite(setup.covariates["x"])
    treated = setup.event_time >= 0
    found = estimate_twfe(setup)
    estimates, covariance = peer(setup, [treated, *controls_of(setup, used)], used)
    assert overall(found) == pytest.approx(estimates[0], rel=PEER)
    assert found.covariance[0, 0] == pytest.approx(covariance.iloc[0, 0], rel=PEER)
    assert "village-years without a covariate left out" in found.note
    assert ("alone in their village or year" in found.note) == (counted == "nested")


@pytest.mark.parametrize("year_effects", ["common", "county"])
def test_event_times_as_pyfixest(year_effects):
    panel = to_panel(random_cells(6, n=150))
    setup = setup_of(panel, year_effects=year_effects)
    found = estimate_twfe(setup)
    times = list(by_time(found))
    used = np.isfinite(setup.outcome)
    estimates, covariance = peer(setup, [setup.event_time == k for k in times], used)
    np.testing.assert_allclose(list(by_time(found).values()), estimates, rtol=PEER)
    np.testing.assert_allclose(found.covariance[1:, 1], covariance["x0"], rtol=PEER, atol=PEER)


@pytest.mark.parametrize("year_effects", ["common", "county"])
def test_sun_abraham_as_pyfixest(year_effects):
    panel = to_panel(random_cells(7, n=150))
    setup = setup_of(panel, year_effects=year_effects)
    used = np.isfinite(setup.outcome)
    pairs = [
        (c, t)
        for c in np.unique(setup.cohort[setup.treated])
        for t in setup.years
        if t != c - 1
    ]
    columns = [(setup.cohort == c)[:, None] & (setup.years == t) & used for c, t in pairs]
    estimates, _ = peer(setup, columns, used)
    after = np.array([t >= c for c, t in pairs])
    sizes = np.array([column.sum() for column in columns])[after]
    expected = (estimates[after] * sizes).sum() / sizes.sum()
    assert overall(estimate_sun_abraham(setup)) == pytest.approx(expected, rel=PEER)


# -- what changes nothing --------------------------------------------------------------------


@pytest.mark.parametrize("estimate", BOTH)
def test_order_labels_and_units_change_nothing(estimate):
    setup = setup_of(
        to_panel(random_cells(8), covariates=["x"]), covariates=("x",), cluster="county"
    )
    found = estimate(setup)
    order = np.random.default_rng(0).permutation(len(setup.outcome))
    renamed = np.random.default_rng(1).permutation(setup.n_clusters)
    other = replace(setup.take(order), outcome=setup.outcome[order] / 1e4 + 3)
    other = replace(
        other,
        years=setup.years + 7,
        cohort=other.cohort + 7,
        covariates={"x": other.covariates["x"] * 1e-8},
        clusters=renamed[other.clusters],
    )
    again = estimate(other)
    np.testing.assert_allclose(
        again.terms["estimate"] * 1e4, found.terms["estimate"], rtol=1e-8, atol=1e-8
    )
    np.testing.assert_allclose(
        again.parts[renamed] * 1e4, found.parts, rtol=1e-7, atol=1e-8 * found.parts.max()
    )
    assert again.terms.drop(columns="estimate").equals(found.terms.drop(columns="estimate"))


# -- references, and what is left out --------------------------------------------------------


def test_anticipation_moves_the_reference():
    setup = setup_of(typed_panel(STAGGERED), anticipation=1)
    found = estimate_sun_abraham(setup)
    # The early cohort has no year before 2001: what is left is the late one, from 2002.
    late = {-3: 3 - 5 + 1, -1: 6 - 5 - 1, 0: 12 - 5 - 2}
    assert by_time(found) == pytest.approx(late, rel=EXACT, abs=EXACT)
    assert "2 villages of cohorts without an earlier year left out" in found.note
    # 2001 of the early cohort and 2003 of the late one take no part in the static coefficient.
    holed = STAGGERED
    for known, unknown in {
        "2002   1 ": "2002   - ", "2002   3 ": "2002   - ", "3    5 ": "3    - ",
        "7    7    13": "7    -    13",
    }.items():  # fmt: skip
        assert known in holed
        holed = holed.replace(known, unknown)
    assert overall(estimate_twfe(setup)) == overall(estimate_twfe(setup_of(typed_panel(holed))))


def test_years_apart_are_measured_from_the_last_one_before():
    panel = replace(typed_panel(STAGGERED), years=np.array([2001, 2003, 2006, 2009]))
    panel = replace(
        panel, villages=panel.villages.assign(cohort=[2003.0, 2003, 2009, 2009, np.nan, np.nan])
    )
    found = estimate_sun_abraham(setup_of(panel))
    assert "Measured from event times -3, -2" in found.note
    same = by_time(estimate_sun_abraham(setup_of(typed_panel(STAGGERED))))
    assert by_time(found)[3] == pytest.approx(same[1], rel=EXACT)


def test_an_unknown_covariate_leaves_the_cell_out():
    cells = random_cells(9).dropna(subset="x")
    holed = cells.assign(x=cells["x"].where(cells.index % 7 > 0))
    dropped = cells.assign(y=cells["y"].where(cells.index % 7 > 0))
    for estimate in BOTH:
        one, other = (
            estimate(setup_of(to_panel(c, covariates=["x"]), covariates=("x",)))
            for c in (holed, dropped)
        )
        np.testing.assert_allclose(one.terms["estimate"], other.terms["estimate"], rtol=EXACT)
        assert "without a covariate left out" in one.note


def test_what_is_not_identified_is_nan_and_told():
    # In 2004 no untreated village is known: effects in that year are not told from the year.
    holed = STAGGERED.replace("7    8\n", "7    -\n").replace("9    10\n", "9    -\n")
    found = estimate_sun_abraham(setup_of(typed_panel(holed)))
    assert by_time(found) == pytest.approx(
        {-3: -1, -2: 0, 0: 3, 1: 5, 2: np.nan}, rel=EXACT, abs=EXACT, nan_ok=True
    )
    assert overall(found) == pytest.approx((3 + 5) / 2, rel=EXACT)
    assert found.note == "Effects in 4 village-years are not identified."
    unknown = found.terms["estimate"].isna().to_numpy()
    assert (found.parts[:, unknown] == 0).all() and np.isfinite(found.parts).all()


# -- intervals -------------------------------------------------------------------------------


@pytest.mark.parametrize("estimate", BOTH)
def test_refits_without_a_cluster(estimate):
    setup = setup_of(to_panel(random_cells(10, n_counties=9, n=150)), cluster="county")
    _, frame = judge(estimate, setup)
    row = frame.iloc[0]
    assert row["method"] == "wild bootstrap" and row["n_clusters"] == 9
    left_out = [overall(estimate(setup.take(setup.clusters != c))) for c in range(9)]
    pseudo = 9 * row["estimate"] - 8 * np.array(left_out)
    assert row["se"] == pytest.approx(pseudo.std(ddof=1) / 3, rel=ROUNDED)


def test_both_in_one_table():
    panel = to_panel(random_cells(11, n=200))
    table = estimate_effects(panel, estimators=["twfe", "sun_abraham"], cluster="village")
    assert table.reasons == {} and (table.overall["method"] == "clustered").all()
    events = table.event_study("sun_abraham")
    assert -1 not in set(events["event_time"])
    assert (events["band_high"] >= events["conf_high"]).all()
