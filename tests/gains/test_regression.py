"""Regressions of gains: against every weight written out, and refits without a cluster."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from evaluation.errors import DesignError
from evaluation.gains.clusters import wild_interval
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.regression import regress_gains
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel, typed_panel
from tests.recovery.worlds import World, make_panel

EXACT = 1e-12  # the same arithmetic, in another order
DENSE = 1e-8  # pseudo-inverses of dummy matrices, whose rounding is divided by standard errors
BISECTED = 1e-7  # ends of the wild bootstrap are bisected
SIMULATED = 0.065  # three sampling errors of a share of .95 in 100 panels

OPTIONS = [
    {},
    {"covariates": ("x", "z")},
    {"comparison": "never_treated", "anticipation": 1},
    {"year_effects": "county"},
    {"weights": "w", "trends": True},
]


def regressors_of(villages, seed=0, *, n=2):
    """Give a constant and n columns that differ in their units."""
    generator = np.random.default_rng(seed)
    columns = {f"d{k}": 1e3**k * generator.lognormal(size=len(villages)) for k in range(n)}
    return pd.DataFrame({"one": 1.0, **columns}, index=villages)


class Weights:
    """The coefficients by brute force: every known cell's weight in each, and its error."""

    def __init__(self, cells, regressors, options):
        names = options.get("covariates", ())
        kinds = {"varying": tuple({"x"} & {*names}), "fixed": tuple({"z"} & {*names})}
        rest = {name: value for name, value in options.items() if name != "covariates"}
        self.dense = fit_dense(cells, **rest | kinds)
        known, has_gain = self.dense.cells, self.dense.has_gain
        gains = self.dense.gains
        villages = [v for v in regressors.index if v in set(gains["village"])]
        in_village = (known["village"].to_numpy() == np.array(villages)[:, None]) & has_gain
        means = in_village / in_village.sum(axis=1, keepdims=True)  # n x cells
        x = regressors.loc[villages].to_numpy()
        self.own = np.linalg.inv(x.T @ x) @ x.T  # K x n
        v = self.own @ means @ self.dense.operator  # K x cells
        y = known["y"].to_numpy()
        self.coefficients = v @ y
        gain = means @ np.nan_to_num(self.dense.excess)
        fitted = x @ self.coefficients
        self.residuals = pd.Series(gain - fitted, index=villages)
        # A village's treated cells carry its residual, spread as its mean is; others their own.
        errors = np.where(self.dense.own, np.nan_to_num(self.dense.excess), 0.0)
        self.parts_of_cells = v * errors + self.own @ (means * (gain - fitted)[:, None])
        self.villages = villages

    def parts(self, clusters):
        """Sum the parts by cluster, of clusters that have any."""
        frame = pd.DataFrame(self.parts_of_cells.T).groupby(np.asarray(clusters)).sum()
        size = (frame.abs() / frame.abs().max()).max(axis=1)
        return frame[size > EXACT].to_numpy()

    def by_village(self):
        return self.parts(self.dense.cells["village"])


@pytest.fixture(scope="module", params=OPTIONS, ids=str)
def case(request):
    cells = random_cells(2, n=100, n_counties=3)
    panel = to_panel(cells, covariates=["x", "z", "w"])
    gains = estimate_gains(panel, cluster="village", **request.param)
    regressors = regressors_of(panel.villages.index)
    return regress_gains(gains, regressors), Weights(cells, regressors, request.param)


def test_coefficients_and_residuals_are_those_of_the_weights(case):
    ours, weights = case
    np.testing.assert_allclose(ours.coefficients, weights.coefficients, rtol=DENSE)
    own = ours.residuals[weights.villages]
    np.testing.assert_allclose(own, weights.residuals, atol=DENSE)
    assert len(ours.residuals) == len(weights.villages)


def test_variance_has_the_year_effects_part(case):
    ours, weights = case
    parts = weights.by_village()
    n = len(parts)
    assert ours.n_clusters == n
    np.testing.assert_allclose(ours.covariance, parts.T @ parts * n / (n - 1), rtol=DENSE)
    # It is not the regression's alone: the constant shares the year effects' error.
    alone = weights.own * weights.residuals.to_numpy()
    assert not np.allclose(
        ours.covariance[0, 0], (alone[0] ** 2).sum() * n / (n - 1), rtol=0.01
    )


def test_intervals_of_combinations(case):
    ours, weights = case
    loads = np.array([[0, 1, 0], [1, 2, 1e-3]])
    frame = ours.combine(loads, ["slope", "level"])
    parts = weights.by_village() @ loads.T
    for q, (name, row) in enumerate(frame.iterrows()):
        load, own = loads[q], parts[:, q]
        n = (np.abs(own) > EXACT * np.abs(own).max()).sum()
        se = np.sqrt((own**2).sum() * n / (n - 1))
        # Each village is a cluster: k = 2 w^2
        k = (load @ weights.own) ** 2
        student = stats.t(min(n, k.sum() ** 2 / (k**2).sum()) - 1)
        estimate = load @ weights.coefficients
        half = student.ppf(0.975) * se
        expected = [estimate, se, estimate - half, estimate + half]
        numbers = row[["estimate", "se", "conf_low", "conf_high"]].astype(float)
        np.testing.assert_allclose(numbers, expected, rtol=DENSE, err_msg=name)
        assert row["p_value"] == pytest.approx(2 * student.sf(abs(estimate) / se), rel=DENSE)
        assert (row["n_clusters"], row["method"], row["reason"]) == (n, "clustered", "")


@pytest.mark.parametrize("level", ["county", "town"])
def test_clusters_are_counties_or_towns(level):
    cells = random_cells(3, n=160, n_counties=40)
    panel = to_panel(cells)
    regressors = regressors_of(panel.villages.index)
    ours = regress_gains(estimate_gains(panel, cluster=level), regressors)
    weights = Weights(cells, regressors, {})
    names = ["county", "town"] if level == "town" else ["county"]
    clusters = weights.dense.cells[names].agg(" ".join, axis=1)
    parts = weights.parts(clusters)
    n = len(parts)
    np.testing.assert_allclose(ours.covariance, parts.T @ parts * n / (n - 1), rtol=DENSE)
    # As many as they count: k = sum of squares and square of sums of the villages' weights.
    place = weights.dense.cells.assign(at=clusters).groupby("village")["at"].first()
    w = pd.Series(weights.own[1], index=weights.villages)
    at = place[weights.villages].to_numpy()
    k = (w**2).groupby(at).sum() + w.groupby(at).sum() ** 2
    row = ours.combine([[0, 1, 0]], ["slope"]).iloc[0]
    reach = (row["conf_high"] - row["estimate"]) / row["se"]
    freedom = min(n, k.sum() ** 2 / (k**2).sum()) - 1
    assert reach == pytest.approx(stats.t(freedom).ppf(0.975), rel=DENSE)
    assert freedom < n - 2


@pytest.mark.parametrize(
    ("options", "n_counties"),
    [
        ({}, 9),
        ({"covariates": ("x", "z"), "weights": "w"}, 9),
        ({"comparison": "never_treated"}, 8),
    ],
    ids=str,
)
def test_few_clusters_are_left_out_one_by_one(options, n_counties):
    cells = random_cells(4, n=90, n_years=6)
    cells["county"] = "c" + (cells["village"].str[1:].astype(int) % n_counties).astype(str)
    covariates = ["x", "z", "w"]
    panel = to_panel(cells, covariates=covariates)
    regressors = regressors_of(panel.villages.index)
    ours = regress_gains(estimate_gains(panel, **options), regressors)
    left_out = []
    for county in sorted(cells["county"].unique()):
        rest = to_panel(cells[cells["county"] != county], covariates=covariates)
        left_out.append(regress_gains(estimate_gains(rest, **options), regressors).coefficients)
    np.testing.assert_allclose(
        np.sort(ours.left_out, axis=0), np.sort(left_out, axis=0), rtol=DENSE
    )
    frame = ours.to_frame()
    assert list(frame.index) == ["one", "d0", "d1"]
    for k, (name, row) in enumerate(frame.iterrows()):
        expected = wild_interval(ours.coefficients[k], np.array(left_out)[:, k], alpha=0.05)
        for field in ("se", "conf_low", "conf_high", "p_value"):
            wanted = getattr(expected, field)
            assert row[field] == pytest.approx(wanted, rel=BISECTED), (name, field)
        assert (row["method"], row["n_clusters"]) == ("wild bootstrap", n_counties)


def balanced(n_counties, *, treated=0, seed=1):
    """Give gains in a panel where the year effects cancel out of slopes, but for rounding."""
    world = World(counties=n_counties, treated=4, comparison=4, treated_counties=treated)
    panel, _, _ = make_panel(world, np.random.default_rng(seed))
    return estimate_gains(panel)


def test_year_effects_that_cancel_out_are_no_sum_that_is_not_identified():
    gains = balanced(8)
    ours = regress_gains(gains, regressors_of(gains.villages.index))
    slope = ours.to_frame().loc["d0"]
    assert (slope["method"], slope["reason"]) == ("wild bootstrap", "")
    county = gains.villages["county"].to_numpy()
    frame = regressors_of(gains.villages.index)
    peers = [
        sm.OLS(gains.villages["gain"][county != c], frame[county != c]).fit().params["d0"]
        for c in np.unique(county)
    ]
    np.testing.assert_allclose(np.sort(ours.left_out[:, 1]), np.sort(peers), rtol=DENSE)


def test_slopes_rest_on_the_clusters_with_treated_villages():
    # In four whole counties among forty; the others have no part in a slope.
    gains = balanced(40, treated=4)
    frame = regress_gains(gains, regressors_of(gains.villages.index)).to_frame()
    assert frame[["se", "conf_low", "conf_high", "p_value"]].isna().all(axis=None)
    assert (frame["reason"] == "treated villages of 4 clusters; 95% needs 6").all()
    assert frame["n_clusters"].tolist() == [40, 4, 4]
    gains = balanced(40, treated=8)
    frame = regress_gains(gains, regressors_of(gains.villages.index)).to_frame()
    assert frame["n_clusters"].tolist() == [40, 8, 8]
    assert frame["method"].tolist() == ["clustered", "wild bootstrap", "wild bootstrap"]


def test_a_slope_that_one_village_alone_decides_has_no_interval():
    gains = balanced(40)
    frame = regressors_of(gains.villages.index, n=1)
    frame["d0"] = np.where(np.arange(len(frame)) == 7, 9.0, 1.0)
    row = regress_gains(gains, frame).to_frame().loc["d0"]
    assert np.isnan(row["conf_low"]) and np.isfinite(row["estimate"])
    # k is 1 for its county and about 1/160 for each of the others
    assert row["reason"] == "40 clusters, which count as 1.0 equal ones: one decides"


@pytest.mark.parametrize("n_counties", [8, 40])
def test_intervals_cover_where_a_few_counties_had_most_of_the_dose(n_counties):
    covered = []
    for seed in range(100):
        gains = balanced(n_counties, seed=seed)
        county = pd.factorize(gains.villages["county"])[0]
        dose = np.exp(np.random.default_rng(seed).normal(size=n_counties))[county]
        frame = pd.DataFrame({"one": 1.0, "dose": dose}, index=gains.villages.index)
        row = regress_gains(gains, frame).to_frame().loc["dose"]
        if row["reason"] == "":
            covered.append(row["conf_low"] <= 0 <= row["conf_high"])
    assert len(covered) > 80
    assert np.mean(covered) == pytest.approx(0.95, abs=SIMULATED)


def test_the_programmes_mean_is_a_regression_on_a_constant():
    # Where all villages have as many treated years.
    gains = balanced(40)
    row = regress_gains(
        gains, pd.DataFrame({"one": 1.0}, index=gains.villages.index)
    ).to_frame()
    att = gains.att
    assert row.loc["one", "estimate"] == pytest.approx(att["estimate"], rel=DENSE)
    # That of `by` compares treated cells with the mean of their year, this one villages alone.
    assert row.loc["one", "se"] == pytest.approx(att["se"], rel=DENSE)


HAND = """
    village cohort 2001 2002
    A       2002   1    3
    B       2002   1    5
    C       2002   1    9
    N       -      1    2
    M       -      1    2
    """


def test_by_hand():
    # Gains 2 - 1, 4 - 1, 8 - 1 on doses 0, 1, 2: slope (7 - 1) / 2, mean 11/3
    gains = estimate_gains(typed_panel(HAND))
    frame = pd.DataFrame({"one": 1.0, "dose": [0.0, 1, 2]}, index=list("ABC"))
    found = regress_gains(gains, frame)
    np.testing.assert_allclose(found.coefficients, [11 / 3 - 3, 3], rtol=EXACT)
    np.testing.assert_allclose(found.residuals, [1 - 2 / 3, 3 - 11 / 3, 7 - 20 / 3], rtol=1e-10)
    assert found.names == ("one", "dose") and found.cluster == "village"
    # Villages without a gain, and gains without a regressor's row, are not in it.
    more = pd.concat([frame, pd.DataFrame({"one": 1.0, "dose": 5.0}, index=["N", "Z"])])
    np.testing.assert_array_equal(regress_gains(gains, more).coefficients, found.coefficients)


def test_units_and_order_do_not_matter():
    cells = random_cells(2, n=100, n_counties=40)
    gains = estimate_gains(to_panel(cells))
    frame = regressors_of(gains.panel.villages.index)
    own = regress_gains(gains, frame).to_frame()
    scale = np.array([1, 1e-8, 1e8])
    other = regress_gains(gains, (frame * scale).sample(frac=1, random_state=1)).to_frame()
    numbers = ["estimate", "se", "conf_low", "conf_high"]
    np.testing.assert_allclose(other[numbers].mul(scale, axis=0), own[numbers], rtol=DENSE)


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (
            {"one": 1.0, "d": [1, np.nan, 3]},
            r"1 villages with a gain lack a regressor: B \(d\)",
        ),
        ({"one": 1.0, "d": [1, np.inf, 3]}, r"lack a regressor: B \(d\)"),
        ({"one": 1.0, "d": 2.0}, "of one, d one follows from the others"),
        ({"one": 1.0, "d": [1.0, 2, 3], "e": [1.0, 2, 9]}, "cannot tell 3 coefficients apart"),
    ],
    ids=str,
)
def test_regressors_that_cannot_serve(frame, says):
    gains = estimate_gains(typed_panel(HAND))
    with pytest.raises(DesignError, match=says):
        regress_gains(gains, pd.DataFrame(frame, index=list("ABC")))


def test_a_coefficient_that_one_cluster_alone_tells_has_no_interval():
    gains = balanced(8)
    frame = regressors_of(gains.villages.index, n=1)
    first = gains.villages["county"] == gains.villages["county"].iloc[0]
    frame["d0"] = np.where(first, frame["d0"], 1.0)
    rows = regress_gains(gains, frame).to_frame()
    assert rows["conf_low"].isna().all()
    assert rows.loc["d0", "reason"].startswith("without one of the clusters")
