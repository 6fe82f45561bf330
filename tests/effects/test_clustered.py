"""Clustered least squares against other libraries, and how often the joint test rejects."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from evaluation.effects import clustered
from evaluation.effects.clustered import joint_test, regress_clustered
from evaluation.gains.clusters import wild_interval
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.regression import find_shares, is_regular, regress_gains
from tests.gains.panels import random_cells, to_panel

EXACT = 1e-12  # the same arithmetic, in another order
SOLVED = 1e-9  # normal equations and pseudo-inverses of small matrices
YEARS = 0.05  # of a standard error: the year effects' own, in a staggered panel
SIZE = 0.035  # 2.5 standard errors of a share of .05 in 240 simulations


def drawn(seed=0, *, n=120, n_clusters=40):
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(n), rng.normal(size=(n, 2))])
    clusters = np.arange(n) % n_clusters
    values = x @ [1, 2, 3] + rng.normal(size=n) + rng.normal(size=n_clusters)[clusters]
    return x, values, clusters, rng.uniform(0.5, 2, n)


@pytest.mark.parametrize("weighted", [False, True])
def test_many_clusters_are_those_of_statsmodels(weighted):
    x, values, clusters, weights = drawn()
    weights = weights if weighted else None
    found = regress_clustered(x, values, clusters=clusters, weights=weights, alpha=0.05)
    peer = sm.WLS(values, x, weights=1.0 if weights is None else weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    np.testing.assert_allclose(found["estimate"], peer.params, rtol=SOLVED)
    # C/(C - 1) is ours, and so are degrees of freedom: as many as the clusters count.
    np.testing.assert_allclose(found["se"], peer.bse * np.sqrt(40 / 39), rtol=SOLVED)
    shares = find_shares(x, weights)[1]
    size = np.bincount(clusters, shares**2) + np.bincount(clusters, shares) ** 2
    freedom = size.sum() ** 2 / (size**2).sum() - 1
    reach = (found["conf_high"] - found["estimate"])[1] / found["se"][1]
    assert reach == pytest.approx(stats.t(freedom).ppf(0.975), rel=SOLVED)


def test_few_clusters_are_left_out_one_by_one():
    x, values, clusters, weights = drawn(n=60, n_clusters=9)
    found = regress_clustered(x, values, clusters=clusters, weights=weights, alpha=0.1)
    left_out = np.array(
        [
            sm.WLS(values[kept], x[kept], weights=weights[kept]).fit().params
            for kept in (clusters != c for c in range(9))
        ]
    )
    for k in range(3):
        expected = wild_interval(found["estimate"][k], left_out[:, k], alpha=0.1)
        assert found["conf_low"][k] == pytest.approx(expected.conf_low, rel=1e-6)  # bisected
        assert found["p_value"][k] == pytest.approx(expected.p_value, abs=EXACT)


@pytest.mark.parametrize("n_counties", [9, 40])
def test_year_effects_add_little_to_what_regress_gains_has(n_counties):
    panel = to_panel(random_cells(3, n=400, n_counties=n_counties))
    gains = estimate_gains(panel)
    regressors = pd.DataFrame({"one": 1.0}, index=panel.villages.index)
    regressors["x"] = np.random.default_rng(1).normal(size=len(regressors))
    full = regress_gains(gains, regressors).to_frame().loc["x"]
    known = gains.villages[gains.villages["gain"].notna()]
    clusters = pd.factorize(known["county"])[0]
    matrix = regressors.loc[known.index].to_numpy()
    row = regress_clustered(
        matrix, known["gain"].to_numpy(), clusters=clusters, alpha=0.05
    ).iloc[1]
    assert row["estimate"] == pytest.approx(full["estimate"], rel=SOLVED)
    assert (row["method"], row["n_clusters"]) == (full["method"], full["n_clusters"])
    assert row["se"] == pytest.approx(full["se"], rel=YEARS)


def test_too_few_clusters_have_no_interval_and_no_test():
    x, values, clusters, _ = drawn(n=40, n_clusters=4)
    found = regress_clustered(x, values, clusters=clusters, alpha=0.05)
    assert (found["reason"] == "villages of 4 clusters; 95% needs 6").all()
    assert found[["se", "conf_low", "p_value"]].isna().all(axis=None)
    test = joint_all(x, values, clusters)
    assert np.isnan(test.p_value) and test.reason == "villages of 4 clusters; 95% needs 6"
    assert np.isnan(test.adjusted).all()


def joint_all(x, values, clusters, seed=0, **options):
    """Test all coefficients but the constant."""
    loads = np.eye(x.shape[1])[1:]
    return joint_test(
        x, loads, values, null=x[:, :1], clusters=clusters, alpha=0.05, seed=seed, **options
    )


def test_a_slope_that_one_cluster_decides_has_no_interval_and_no_part_in_the_test():
    x, values, clusters, _ = drawn()
    x = np.column_stack([np.ones(120), np.arange(120) == 7, x[:, 1]]).astype(float)
    row = regress_clustered(x, values, clusters=clusters, alpha=0.05).iloc[1]
    assert row["reason"] == "40 clusters, which count as 1.1 equal ones: one decides"
    found = joint_all(x, values, clusters)
    assert np.isnan(found.adjusted[0]) and found.p_value == found.adjusted[1]
    assert joint_all(x[:, :2], values, clusters).reason == "40 clusters, of which one decides"


def brute_force(x, values, clusters, weights):
    """Give all slopes' t by refits of outcomes whose clusters' signs are flipped."""

    def statistics(y):
        fit = sm.WLS(y, x, weights=weights).fit(
            cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
        )
        return np.abs(fit.params / fit.bse)[1:]

    mean = np.average(values, weights=weights)
    vectors = np.array(list(product((-1, 1), repeat=clusters.max() + 1)))
    return statistics(values), np.array(
        [statistics(mean + v[clusters] * (values - mean)) for v in vectors]
    )


def test_the_joint_test_is_that_of_all_refits():
    x, values, clusters, weights = drawn(3, n=30, n_clusters=7)
    own, flipped = brute_force(x, values, clusters, weights)
    found = joint_all(x, values, clusters, weights=weights)
    order = np.argsort(-own)
    first = (flipped.max(axis=1) >= own[order[0]] * (1 - 1e-9)).mean()
    second = (flipped[:, order[1]] >= own[order[1]] * (1 - 1e-9)).mean()
    assert found.p_value == found.adjusted[order[0]] == pytest.approx(first, abs=EXACT)
    assert found.adjusted[order[1]] == pytest.approx(max(first, second), abs=EXACT)


def test_contrasts_are_combinations_of_coefficients():
    # Whatever the reference, all groups together differ as much from their common mean.
    _, values, clusters, _ = drawn(5)
    groups = (np.arange(120) % 4)[:, None] == np.arange(4)
    centre = np.eye(4) - 0.25
    found = joint_test(
        groups.astype(float), centre, values, null=np.ones((120, 1)), clusters=clusters,
        alpha=0.05, seed=1,
    )  # fmt: skip
    dummies = np.column_stack([np.ones(120), groups[:, 1:]])
    again = joint_test(
        dummies, centre @ np.column_stack([np.ones(4), np.eye(4)[:, 1:]]), values,
        null=np.ones((120, 1)), clusters=clusters, alpha=0.05, seed=1,
    )  # fmt: skip
    np.testing.assert_allclose(found.adjusted, again.adjusted, rtol=SOLVED)


@pytest.mark.parametrize(("n_clusters", "shared"), [(12, 0.0), (12, 0.3), (40, 0.3)])
def test_the_joint_test_has_its_size(n_clusters, shared, monkeypatch):
    monkeypatch.setattr(clustered, "_DRAWS", 199)  # 5% is 10 of 200
    # Ten groups of eight villages, scattered over clusters: no difference is true.
    rejected = []
    for seed in range(240):
        rng = np.random.default_rng(seed)
        clusters, group = rng.permutation(80) % n_clusters, rng.permutation(80) % 10
        values = rng.normal(size=80) * rng.uniform(0.5, 1.5, 80)
        values += np.sqrt(shared) * rng.normal(size=n_clusters)[clusters]
        x = np.column_stack([np.ones(80), group[:, None] == np.arange(1, 10)]).astype(float)
        rejected.append(joint_all(x, values, clusters, seed).p_value <= 0.05)
    assert 0.01 <= np.mean(rejected) <= 0.05 + SIZE


def test_the_joint_test_finds_a_group_that_differs():
    rng = np.random.default_rng(2)
    group, clusters = np.arange(120) % 10, rng.permutation(120) % 40
    values = rng.normal(size=120) + 2 * (group == 3)
    x = np.column_stack([np.ones(120), group[:, None] == np.arange(1, 10)]).astype(float)
    test = joint_all(x, values, clusters)
    assert test.p_value < 0.02
    assert test.adjusted.argmin() == 2 and (np.delete(test.adjusted, 2) > 0.05).sum() >= 7


def test_what_is_regular():
    assert is_regular(np.array([[1.0, 1e9], [1, 2e9], [1, 5e9]]))
    assert not is_regular(np.array([[1.0, 2], [1, 2], [1, 2]]))
    assert not is_regular(np.array([[1.0, 0], [1, 0], [1, 0]]))
    assert not is_regular(np.array([[1.0, 2]]))


def test_very_many_clusters_are_merged():
    x, values, clusters, _ = drawn(n=2_400, n_clusters=1_200)
    found = joint_all(x, values, clusters)
    assert found.n_clusters == 1_000 and found.p_value <= 0.01
    assert found.p_value == joint_all(x, values, clusters).p_value
