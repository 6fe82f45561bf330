"""Regressions with fixed effects: by hand, against dense least squares, and what is told."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evaluation.effects.fixed_effects import estimate_twfe
from evaluation.effects.regress import regress_outcome
from evaluation.effects.setup import EffectOptions, build_setup
from evaluation.errors import DesignError
from tests.gains.panels import random_cells, to_panel

EXACT = 1e-12
ITERATED = 1e-7  # effects are taken out by iterating to 1e-10
TWO_BY_TWO = pd.DataFrame(
    {
        "village": ["a", "a", "b", "b", "c", "c", "d", "d"],
        "year": [2001, 2002] * 4,
        "d": [0, 1, 0, 1, 0, 0, 0, 0],
        "y": [1.0, 6, 2, 9, 3, 4, 4, 7],
    }
)


@pytest.fixture(scope="module")
def cells():
    return random_cells(1, n=80).assign(d=lambda f: (f["year"] >= f["cohort"]).astype(float))


@pytest.mark.parametrize(("counted", "factor"), [("nested", 7 / 5 * 4 / 3), ("full", 14 / 3)])
def test_two_by_two(counted, factor):
    # The arithmetic is in test_fixed_effects.test_two_by_two.
    found = regress_outcome(TWO_BY_TWO, "y", ["d"], cluster="village", fixed_effects=counted)
    row = found.to_frame().loc["d"]
    assert row["estimate"] == pytest.approx(4, rel=EXACT)
    assert row["se"] == pytest.approx(np.sqrt(factor), rel=EXACT)
    # Student's t with 3 degrees of freedom.
    assert row["conf_high"] == pytest.approx(4 + 3.182446305284263 * row["se"], rel=EXACT)
    assert (found.n_obs, found.n_clusters, found.n_missing, found.n_single) == (8, 4, 0, 0)


@pytest.mark.parametrize("counted", ["nested", "full"])
@pytest.mark.parametrize("cluster", ["village", "county", "town"])
def test_a_panel_as_the_estimators_take_it(cells, cluster, counted):
    panel = to_panel(cells, covariates=["x"])
    options = EffectOptions(cluster=cluster, covariates=("x",), fixed_effects=counted)
    one = estimate_twfe(build_setup(panel, options))
    other = regress_outcome(
        panel, "y", ["treated"], controls=["x"], cluster=cluster, fixed_effects=counted
    ).to_frame()
    assert one.terms["estimate"].iloc[0] == pytest.approx(
        other.loc["treated", "estimate"], rel=ITERATED
    )
    assert np.sqrt(one.covariance[0, 0]) == pytest.approx(
        other.loc["treated", "se"], rel=ITERATED
    )


def test_trends_and_effects_of_two_columns_as_dense_least_squares(cells):
    rows = cells.dropna().assign(year2=lambda f: f["year"] % 2)
    found = regress_outcome(
        rows, "y", ["d", "x"], cluster=None, effects=("village", "county^year2"),
        trends_by="county", fixed_effects="full",
    )  # fmt: skip
    county = pd.get_dummies(rows["county"], dtype=float)
    design = np.column_stack(
        [
            rows[["d", "x"]],
            pd.get_dummies(rows["village"], dtype=float),
            pd.get_dummies(rows["county"] + rows["year2"].astype(str), dtype=float),
            county.mul(rows["year"] - 2000, axis=0),
        ]
    )
    coefficients = np.linalg.lstsq(design, rows["y"], rcond=None)[0]
    np.testing.assert_allclose(found.to_frame()["estimate"], coefficients[:2], rtol=ITERATED)


def test_without_effects_and_clusters_it_is_least_squares(cells):
    rows = cells.dropna(subset=["y", "x"])
    found = regress_outcome(rows, "y", ["x"], cluster=None, effects=()).to_frame().loc["x"]
    fit = sm.OLS(rows["y"], sm.add_constant(rows[["x"]])).fit()
    assert found["estimate"] == pytest.approx(fit.params["x"], rel=ITERATED)
    assert found["se"] == pytest.approx(fit.bse["x"], rel=ITERATED)
    assert found["p_value"] == pytest.approx(fit.pvalues["x"], rel=ITERATED)


def test_a_regressors_unit_decides_nothing(cells):
    def regress(rows):
        return regress_outcome(rows, "y", ["d", "x"], cluster="village").to_frame()

    one, other = regress(cells), regress(cells.assign(x=cells["x"] * 1e-9, y=cells["y"] * 1e4))
    np.testing.assert_allclose(other["p_value"], one["p_value"], rtol=ITERATED)
    for name in ("estimate", "se", "conf_low", "conf_high"):
        np.testing.assert_allclose(other[name] / [1e4, 1e13], one[name], rtol=ITERATED)


def test_order_changes_nothing(cells):
    one, other = (
        regress_outcome(rows, "y", ["d"], cluster="county").to_frame()
        for rows in (cells, cells.sample(frac=1, random_state=1))
    )
    np.testing.assert_allclose(one["se"], other["se"], rtol=ITERATED)


def test_what_follows_from_others_has_no_estimate(cells):
    found = regress_outcome(cells, "y", ["d", "z"], cluster="village")
    row = found.to_frame().loc["z"]
    assert np.isnan(row["estimate"]) and row["reason"].startswith("follows from the others")
    assert "z: follows from the others and the effects" in found.summary()
    with pytest.raises(DesignError, match="nothing to regress"):
        regress_outcome(cells, "y", ["z"], cluster="village")


def test_what_is_left_out_is_counted(cells):
    rows = cells.dropna(subset=["y", "x"])
    alone = rows["village"].ne("v000") | ~rows["village"].duplicated()
    found = regress_outcome(cells[alone.reindex(cells.index, fill_value=True)], "y", ["d", "x"],
                            cluster="village")  # fmt: skip
    assert found.n_obs == alone.sum() - 1 and found.n_single == 1
    assert found.n_missing == len(cells) - len(rows)
    text = found.summary()
    assert f"left out: {found.n_missing} rows with a value missing, 1 alone" in text


def test_towns_of_one_name_in_two_counties_are_two(cells):
    found = regress_outcome(to_panel(cells), "y", ["treated"], cluster="town")
    towns = cells.groupby(["county", "town"]).ngroups
    assert found.n_clusters == towns > cells["town"].nunique()
    assert "fewer than 30 clusters: such intervals are too narrow" in found.summary()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"regressors": ["dd"]}, "there is no column 'dd'; did you mean 'd'"),
        ({"cluster": "contry"}, "did you mean 'county'"),
        ({"effects": ("village^yaer",)}, "did you mean 'year'"),
        ({"regressors": []}, "name one or more regressors"),
        ({"regressors": ["d", "y"]}, "the outcome not among them"),
        ({"regressors": ["county"]}, "'county' holds no numbers"),
        ({"cluster": "same"}, "errors cannot be clustered"),
        ({"controls": ["none"]}, "0 rows are complete"),
        ({"fixed_effects": "all"}, "fixed_effects is 'all'; give one of nested, full"),
    ],
)
def test_errors_say_what_to_mend(cells, changes, match):
    options = {"outcome": "y", "regressors": ["d"], "cluster": "village"} | changes
    with pytest.raises(DesignError, match=match):
        regress_outcome(cells.assign(same=1, none=np.nan), **options)


def test_rows_that_are_all_alone_are_refused():
    rows = {"y": range(10), "x": [i % 3 for i in range(10)], "village": list("abcdefghij")}
    with pytest.raises(DesignError, match="alone in one of the effects"):
        regress_outcome(pd.DataFrame(rows).assign(year=2020), "y", ["x"], cluster="village")
