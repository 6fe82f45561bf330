"""Synthetic DiD: by hand, the authors' numbers, a peer, where DiD fails, invariances."""

import warnings

import diff_diff
import numpy as np
import pandas as pd
import pytest

from evaluation.effects.estimates import judge
from evaluation.effects.setup import EffectOptions, build_setup
from evaluation.effects.simplex import weigh_few, weigh_many
from evaluation.effects.synthetic import estimate_synthetic_did
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.gains.panels import random_cells, to_panel, typed_cells

EXACT = 1e-12  # the same arithmetic, in another order
WEIGHTS = 1e-9  # through the weights, whose own rounding is some 1e-11
FRANK_WOLFE = 5e-4  # of the sd of yearly changes: where the peer's search for weights stops

# Demeaned over 2001-2002 the comparison villages' paths are C 0 0, D -1 1, and the treated
# villages' mean goes like D. Yearly changes 0 and 2: variance 2; two treated villages and two
# treated years: zeta^2 = 4^(1/2) x 2 = 4. With w = w_C the objective is 2 w^2 + 4 x 2 (w^2 +
# (1 - w)^2), so w = 16 / 36 = 4/9. D lies 10 and 8 below C before, 12 on average after: of
# the two years 2001 is nearer, and has all the weight.
BY_HAND = """
    village cohort 2001 2002 2003 2004
    A       2003   4    6    11   15
    B       2003   6    8    13   17
    C       -      10   10   13   15
    D       -      0    2    2    2
    """
# Of 2001: treated mean 5, C 10, D 0. Changes since: treated 7, 11; C 3, 5; D 2, 2.
SYNTHETIC = np.array([4 / 9 * 3 + 5 / 9 * 2, 4 / 9 * 5 + 5 / 9 * 2])


def estimate(cells, **options):
    panel = to_panel(cells, covariates=options.get("covariates", ()))
    setup = build_setup(panel, EffectOptions(**{"cluster": "village"} | options))
    return estimate_synthetic_did(setup)


def overall(found):
    return float(found.terms["estimate"].iloc[0])


def test_by_hand():
    found = estimate(typed_cells(BY_HAND))
    after = np.array([7, 11]) - SYNTHETIC
    before = [0, 2 - 5 / 9 * 2]
    terms = found.terms
    np.testing.assert_allclose(terms["estimate"], [after.mean(), *before, *after], atol=WEIGHTS)
    assert terms["period"].tolist() == ["overall", "before", "before", "after", "after"]
    assert terms["event_time"].tolist()[1:] == [-2, -1, 0, 1]
    assert terms["n_villages"].tolist() == [2] * 5
    assert terms["n_cells"].tolist() == [4, 2, 2, 2, 2]


def test_jackknife_by_hand():
    found = estimate(typed_cells(BY_HAND))
    tau = 9 - SYNTHETIC.mean()
    # A and B each change by 7 and 11; without C there is D alone, and the other way round.
    left_out = np.array([tau, tau, 9 - 2, 9 - 4])
    expected = np.sqrt(3 / 4) * (left_out - tau)
    np.testing.assert_allclose(found.parts[:, 0], expected, atol=WEIGHTS)


def test_one_earlier_year_is_plain_did():
    cells = typed_cells(BY_HAND)
    found = estimate(cells[cells["year"] > 2001])
    np.testing.assert_allclose(overall(found), (5 + 9) / 2 - (3 + 5 + 0 + 0) / 4, rtol=EXACT)


def test_jackknife_over_clusters_leaves_out_with_weights_held():
    cells = random_cells(4, n=50, n_counties=12, missing=0)
    cells = cells[cells["cohort"].isna() | (cells["cohort"] == 2006)]
    found = estimate(cells, cluster="county")
    panel = to_panel(cells)
    treated, earlier = panel.is_treated, panel.years < 2006
    own, other = panel.matrix()[treated], panel.matrix()[~treated]
    spread = np.diff(other[:, earlier]).std(ddof=1)
    paths = other[:, earlier] - own[:, earlier].mean(axis=0)
    ridge = np.sqrt(len(own) * 3) * spread**2 * earlier.sum()
    w = weigh_many(paths - paths.mean(axis=1, keepdims=True), ridge)
    rises = other[:, earlier] - other[:, ~earlier].mean(axis=1, keepdims=True)
    v = weigh_few(rises - rises.mean(axis=0), len(other) * (1e-6 * spread) ** 2)

    def tau(rows, others):
        change = own[rows][:, ~earlier].mean(axis=1) - own[rows][:, earlier] @ v
        beside = other[others][:, ~earlier].mean(axis=1) - other[others][:, earlier] @ v
        return change.mean() - np.average(beside, weights=w[others])

    counties = panel.villages["county"].to_numpy()
    names = pd.unique(counties)
    left_out = [tau(counties[treated] != c, counties[~treated] != c) for c in names]
    every = tau(slice(None), slice(None))
    assert overall(found) == pytest.approx(every, abs=WEIGHTS)
    expected = np.sqrt((len(names) - 1) / len(names)) * (np.array(left_out) - every)
    np.testing.assert_allclose(found.parts[:, 0], expected, atol=WEIGHTS)


def test_cohorts_are_averaged_by_village_years():
    cells = random_cells(6, missing=0)
    cells = cells[~(cells["cohort"] > 2008)]
    found = estimate(cells)
    apart = [
        estimate(cells[cells["cohort"].isna() | (cells["cohort"] == cohort)])
        for cohort in cells["cohort"].dropna().unique()
    ]
    weights = [each.terms["n_cells"].iloc[0] for each in apart]
    assert len(apart) > 2 and found.terms["n_cells"].iloc[0] == sum(weights)
    expected = np.average([overall(each) for each in apart], weights=weights)
    assert overall(found) == pytest.approx(expected, rel=WEIGHTS)
    by_time = found.terms[found.terms["event_time"] >= 0]
    again = np.average(by_time["estimate"], weights=by_time["n_cells"])
    assert overall(found) == pytest.approx(again, rel=WEIGHTS)


@pytest.mark.parametrize("seed", range(4))
def test_the_peer_agrees(seed):
    cells = random_cells(seed, missing=0, never=0.5)
    cells = cells[cells["cohort"].isna() | (cells["cohort"] == 2006)]
    found = estimate(cells)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = diff_diff.SyntheticDiD(variance_method="jackknife").fit(
            cells.assign(treated=cells["cohort"].notna().astype(int)),
            outcome="y", treatment="treated", unit="village", time="year",
            post_periods=[2006, 2007, 2008],
        )  # fmt: skip
    before = to_panel(cells[cells["cohort"].isna() & (cells["year"] < 2006)]).matrix()
    tolerance = FRANK_WOLFE * np.diff(before).std()
    assert overall(found) == pytest.approx(peer.att, abs=tolerance)
    n = len(found.parts)
    left_out = found.parts[:, 0] / np.sqrt((n - 1) / n)
    around = left_out - left_out.mean()  # as R does; the paper takes them from the estimate
    assert np.sqrt((n - 1) / n * around @ around) == pytest.approx(peer.se, abs=tolerance)


def factor_cells(seed, *, n=300, n_years=20, first=2015):
    """Villages drawn to a common factor; treated ones more so than others; effect 2."""
    generator = np.random.default_rng(seed)
    years = np.arange(2000, 2000 + n_years)
    loading = generator.normal(size=n)
    treated = loading + generator.normal(size=n) > 1.2
    y = (
        generator.normal(20, 4, size=(n, 1))
        + generator.normal(size=n_years).cumsum()
        + np.outer(loading, 0.25 * (years - 2000) + np.sin(years))
        + generator.normal(size=(n, n_years))
        + 2 * np.outer(treated, years >= first)
    )
    return pd.DataFrame(
        {
            "village": np.repeat([f"v{i}" for i in range(n)], n_years),
            "year": np.tile(years, n),
            "cohort": np.repeat(np.where(treated, first, np.nan), n_years),
            "y": y.ravel(),
        }
    )


def test_factors_that_did_misses():
    draws = [factor_cells(seed) for seed in range(20)]
    found = [estimate(cells) for cells in draws]
    taus = np.array([overall(each) for each in found])
    did = np.array([estimate_gains(to_panel(cells)).att["estimate"] for cells in draws])
    assert did.mean() - 2 > 1.5  # parallel trends fail badly
    assert abs(taus.mean() - 2) < (did.mean() - 2) / 6  # the ridge leaves some
    ses = np.array([np.sqrt(each.covariance[0, 0]) for each in found])
    assert 0.6 < ses.mean() / taus.std(ddof=1) < 1.7  # sd of 20 draws: 16% of its own


@pytest.fixture(scope="module")
def cells():
    return random_cells(8, n=80, n_counties=40, missing=0)


CHANGES = {
    "order": lambda cells: cells.sample(frac=1, random_state=1),
    "names": lambda cells: cells.assign(village="n" + cells["village"]),
    "levels": lambda cells: cells.assign(y=cells["y"] + 1000 * (cells["village"] == "v003")),
    "trend": lambda cells: cells.assign(y=cells["y"] + 50 * cells["year"]),  # shocks are in d
    "unit": lambda cells: cells.assign(y=cells["y"] * 1e4),
}


@pytest.mark.parametrize("change", CHANGES)
def test_does_not_matter(cells, change):
    ours, theirs = estimate(cells, cluster="county"), estimate(
        CHANGES[change](cells), cluster="county"
    )  # fmt: skip
    scale = 1e4 if change == "unit" else 1.0
    np.testing.assert_allclose(
        theirs.terms["estimate"] / scale, ours.terms["estimate"], rtol=0, atol=WEIGHTS * 10
    )
    np.testing.assert_allclose(
        theirs.covariance / scale**2, ours.covariance, rtol=0, atol=WEIGHTS * 10
    )


def test_villages_with_holes_are_left_out_and_counted(cells):
    holes = cells["village"].isin(["v000", "v001", "v002"]) & (cells["year"] == 2003)
    found = estimate(cells.assign(y=cells["y"].where(~holes)))
    without = estimate(cells[~cells["village"].isin(["v000", "v001", "v002"])])
    assert overall(found) == pytest.approx(overall(without), rel=WEIGHTS)
    assert "3 villages without an outcome in every year used" in found.note


def test_a_year_that_nobody_knows_is_no_hole(cells):
    nowhere = cells.assign(y=cells["y"].where(cells["year"] != 2003))
    found = estimate(nowhere)
    assert overall(found) == pytest.approx(overall(estimate(nowhere.dropna(subset="y"))))
    assert "Left out" not in found.note


def test_the_last_cohort_serves_where_none_is_never_treated(cells):
    cells = cells[cells["cohort"] <= 2008]
    found = estimate(cells)
    last = cells["cohort"] == 2008
    early = cells[cells["year"] < 2008].assign(cohort=cells["cohort"].where(~last))
    assert overall(found) == pytest.approx(overall(estimate(early)), rel=WEIGHTS)
    assert f"{cells[last]['village'].nunique()} treated villages that serve" in found.note
    with pytest.raises(DesignError, match="no comparison village"):
        estimate(cells, comparison="never_treated")


def test_years_of_anticipation_are_neither(cells):
    cells = cells[cells["cohort"].isna() | (cells["cohort"] == 2006)]
    found = estimate(cells, anticipation=1)
    changed = cells.assign(
        y=cells["y"] + 99 * (cells["year"] == 2005) * cells["cohort"].notna()
    )
    assert overall(estimate(changed, anticipation=1)) == pytest.approx(overall(found))
    assert found.terms["event_time"].tolist()[1:] == [-5, -4, -3, -2, 0, 1, 2]


def test_counties_apart(cells):
    cells = cells.assign(county=np.where(cells["village"] < "v040", "a", "b"))
    found = estimate(cells, year_effects="county")
    apart = [estimate(part) for _, part in cells.groupby("county")]
    weights = [each.terms["n_cells"].iloc[0] for each in apart]
    expected = np.average([overall(each) for each in apart], weights=weights)
    assert overall(found) == pytest.approx(expected, rel=WEIGHTS)


def test_an_event_time_of_one_village_has_no_standard_error(cells):
    lone = cells["village"].eq(cells.loc[cells["cohort"] == 2006, "village"].iloc[0])
    cells = cells[cells["cohort"].isna() | (cells["cohort"] == 2007) | lone]
    cells = cells[cells["year"] > 2001]
    panel = to_panel(cells)
    setup = build_setup(panel, EffectOptions(cluster="village"))
    found, frame = judge(estimate_synthetic_did, setup)
    assert "all rests on one cluster: event time 2." in found.event_note
    frame = frame.set_index("event_time")
    assert np.isnan(frame.loc[2, "se"]) and frame.loc[[0, 1], "se"].gt(0).all()


def test_nothing_to_compare_with():
    cells = typed_cells(BY_HAND)
    with pytest.raises(DesignError, match="2 treated villages with nothing to compare with"):
        estimate(cells[cells["year"] > 2002])
    holed = cells.assign(y=cells["y"].where(cells["cohort"].notna() | (cells["year"] != 2002)))
    holed.loc[(holed["village"] == "C") & (holed["year"] == 2002), "y"] = 10
    holed.loc[(holed["village"] == "C") & (holed["year"] == 2001), "y"] = np.nan
    with pytest.raises(DesignError, match="Leave out years in which few are known"):
        estimate(holed)


def test_covariates_are_not_used(cells):
    found = estimate(cells, covariates=("x",))
    assert overall(found) == overall(estimate(cells))
    assert "Covariates are not used." in found.note
