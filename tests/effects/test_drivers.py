"""Regressions of gains on traits: by hand, known slopes found, errors told from true gains."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.effects.driver_models import true_variance
from evaluation.effects.drivers import regress_drivers
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.regression import regress_gains
from tests.conftest import REPO
from tests.effects.worlds import driven_panel, with_covariate
from tests.gains.panels import typed_panel
from tests.recovery.worlds import SD, World

EXACT = 1e-12  # the same arithmetic, in another order
SOLVED = 1e-9  # pseudo-inverses of small matrices
SLOPE = 0.06  # three standard errors of a mean of 12 slopes, of SD
SHARE = 0.07  # the same, of shares of variance
MEAN = 0.05  # the same, of slopes on chance

NUMBERS = ["estimate", "se", "conf_low", "conf_high", "p_value"]


def of(drivers, trait, *, model="alone", weighting="equal"):
    frame = drivers.frame
    some = (frame["trait"] == trait) & (frame["model"] == model)
    return frame[some & (frame["weighting"] == weighting)]


def one(drivers, trait, **which):
    (row,) = of(drivers, trait, **which).to_dict("records")
    return row


def hand_panel():
    """Give twelve treated villages with gains of 1 to 12, and two others that change by 1."""
    rows = [f"t{i:02} 2002 1 {2 + i}" for i in range(1, 13)] + ["n1 - 1 2", "n2 - 5 6"]
    return typed_panel("village cohort 2001 2002\n" + "\n".join(rows))


def test_by_hand():
    gains = estimate_gains(hand_panel())
    gained = [f"t{i:02}" for i in range(1, 13)]
    traits = pd.DataFrame(
        {"late": [0.0] * 6 + [1.0] * 6, "sent": ["市派"] * 7 + ["省派"] * 5}, index=gained
    )
    found = regress_drivers(gains, traits)
    # 7 to 12 less 1 to 6: 9.5 - 3.5; 8 to 12 less 1 to 7: 10 - 4
    assert one(found, "late")["estimate"] == pytest.approx(6, rel=SOLVED)
    sent = one(found, "sent")
    assert (sent["level"], sent["reference"]) == ("省派", "市派")
    assert sent["estimate"] == pytest.approx(6, rel=SOLVED)
    # Sum of squares 143 in all, 2 x 17.5 within halves: R2 of 10 and 11 degrees of freedom
    late = found.tests.set_index(["model", "trait"]).loc[("alone", "late")]
    assert late["explained"] == pytest.approx(1 - (35 / 10) / (143 / 11), rel=SOLVED)
    assert found.variance == pytest.approx(13, rel=SOLVED)
    # No village has two untreated years, so that nothing is known of errors.
    assert np.isnan(found.true_share) and np.isnan(late["explained_true"])
    assert of(found, "late", weighting="precision").empty
    assert "an unknown share of the variance" in found.summary()


def test_coefficients_alone_are_those_of_regress_gains():
    panel, x, _ = driven_panel(1)
    gains = estimate_gains(panel)
    found = regress_drivers(gains, pd.DataFrame({"x": x}))
    frame = pd.DataFrame({"one": 1.0, "x": x}).loc[gains.villages.index]
    expected = regress_gains(gains, frame).to_frame().loc["x"]
    row = one(found, "x")
    for name in NUMBERS:
        assert row[name] == pytest.approx(expected[name], rel=EXACT)
    assert row["sd"] == pytest.approx(x[gains.villages.index].std(), rel=EXACT)
    assert (found.tests["p_value"] == expected["p_value"]).all()  # one coefficient's own


def test_precision_weights_are_those_of_a_random_effects_regression():
    panel, x, _ = driven_panel(2, rest=1.5)
    gains = estimate_gains(panel)
    row = one(regress_drivers(gains, pd.DataFrame({"x": x})), "x", weighting="precision")
    known = gains.villages
    matrix = sm.add_constant(x[known.index].to_numpy())
    ols = sm.OLS(known["gain"].to_numpy(), matrix).fit()
    free = 1 - ols.get_influence().hat_matrix_diag
    tau2 = (ols.ssr - (free * known["variance"]).sum()) / ols.df_resid
    assert tau2 > 0
    weights = 1 / (tau2 + known["variance"])
    peer = sm.WLS(known["gain"].to_numpy(), matrix, weights=weights)
    assert row["estimate"] == pytest.approx(peer.fit().params[1], rel=SOLVED)


def test_a_known_slope_and_the_true_share_are_found():
    world = World(rho=0.0, county_share=0.0, treated=6)
    seen = []
    for seed in range(12):
        panel, x, true = driven_panel(seed, slope=0.8, rest=0.6, world=world)
        found = regress_drivers(estimate_gains(panel), pd.DataFrame({"x": x}))
        treated = found.gains.villages.index
        test = found.tests.iloc[0]
        r2 = np.corrcoef(x[treated], true[treated])[0, 1] ** 2
        seen.append(
            (
                one(found, "x")["estimate"] / SD,
                one(found, "x", weighting="precision")["estimate"] / SD,
                found.true_share - true[treated].var() / found.variance,
                test["explained_true"] - r2,
                test["explained"] - r2,
            )
        )
    slope, precise, share, explained_true, explained = np.mean(seen, axis=0)
    assert slope == pytest.approx(0.8, abs=SLOPE)
    assert precise == pytest.approx(0.8, abs=SLOPE)
    assert share == pytest.approx(0, abs=SHARE)
    assert explained_true == pytest.approx(0, abs=SHARE)
    assert explained < -2 * SHARE  # noise in gains hides part of what is explained


def test_true_variance_is_unbiased():
    rng = np.random.default_rng(3)
    x = np.column_stack([np.ones(15), rng.normal(size=(15, 4))])
    s2 = rng.uniform(0.2, 2, 15)
    drawn = [
        true_variance(x, x @ np.arange(5) + rng.normal(0, np.sqrt(0.7 + s2)), s2)
        for _ in range(4_000)
    ]
    assert np.mean(drawn) == pytest.approx(0.7, abs=4 * np.std(drawn) / np.sqrt(4_000))


# -- regression to the mean ----------------------------------------------------------------


def test_a_year_that_gains_are_measured_from_is_no_baseline():
    # No gain depends on anything; villages' levels hardly differ, so that chance decides.
    world = World(rho=0.0, county_share=0.0, spread=0.0, level_sd=0.3, treated=6)
    naive, held_out, beside = [], [], []
    for seed in range(12):
        panel, _, _ = driven_panel(seed, slope=0.0, rest=0.0, world=world)
        gains = estimate_gains(panel)
        first = pd.DataFrame({"first": panel.matrix()[:, 0]}, index=panel.villages.index)
        found = regress_drivers(gains, first)
        naive.append(one(found, "first")["estimate"])
        beside.append(one(found, "first", model="comparison")["estimate"])
        rest = regress_drivers(gains, [], hold_out_years=1)
        assert rest.held_out == (2010,)
        held_out.append(one(rest, "income 2010")["estimate"])
    # -1/5 of the noise's variance, 1, over that of levels and noise, 1 + .09
    expected = -1 / 5 / 1.09
    assert np.mean(naive) == pytest.approx(expected, abs=MEAN)
    assert np.mean(beside) == pytest.approx(expected, abs=MEAN)  # the comparison shows it
    assert np.mean(held_out) == pytest.approx(0, abs=MEAN)


def test_villages_that_grow_apart_by_a_trait_do_so_without_the_programme_too():
    panel, x, _ = driven_panel(4, slope=0.0)
    growing = np.maximum(panel.years - panel.years[0], 0) * x.to_numpy()[:, None] * SD / 4
    panel.matrices["income"][:] += growing
    found = regress_drivers(estimate_gains(panel), pd.DataFrame({"x": x}))
    row, beside = one(found, "x"), one(found, "x", model="comparison")
    assert row["conf_low"] > 0 and beside["conf_low"] > 0
    assert row["estimate"] == pytest.approx(beside["estimate"], rel=0.2)
    # 2015-2017 less 2010-2014: 4 years apart, of which each adds a quarter
    assert beside["estimate"] == pytest.approx(SD, rel=0.1)


def test_with_trends_of_their_own_there_is_no_comparison():
    panel, x, _ = driven_panel(4)
    found = regress_drivers(estimate_gains(panel, trends=True), pd.DataFrame({"x": x}))
    assert set(found.frame["model"]) == {"alone"}


# -- all together --------------------------------------------------------------------------


def test_traits_together_are_told_apart():
    panel, x, _ = driven_panel(5, slope=1.0, rest=0.2)
    near = x + np.random.default_rng(0).normal(size=len(x))
    found = regress_drivers(estimate_gains(panel), pd.DataFrame({"near": near, "x": x}))
    assert one(found, "near")["conf_low"] > 0
    together = one(found, "near", model="together")
    assert together["conf_low"] < 0 < together["conf_high"]
    tests = found.tests.set_index(["model", "trait"])
    assert tests.loc[("together", "all"), "n_coefficients"] == 2
    assert tests.loc[("together", "all"), "p_value"] <= 0.01
    assert tests.loc[("together", "near"), "p_value"] == together["p_value"]
    some = tests.loc["alone", "p_holm"]
    assert (some >= tests.loc["alone", "p_value"]).all()
    assert tests.loc["together", "p_holm"].isna().all()


def test_traits_that_cannot_stand_with_the_others_are_named():
    panel, x, _ = driven_panel(6, world=World(counties=10, treated=4))
    treated = panel.villages.index[panel.is_treated]
    unit = pd.Series([f"u{i % 8}" for i in range(len(treated))], index=treated)
    traits = pd.DataFrame(
        {
            "x": x[treated],
            "double": 2 * x[treated],
            "level": unit.where(unit < "u4", "high").where(unit >= "u4", "low"),
            "unit": unit,
            "rare": x[treated].where(np.arange(len(treated)) % 2 == 0),
            "same": "a",
        }
    )
    found = regress_drivers(estimate_gains(panel), traits)
    assert found.reasons == {
        "double": "not among all together (it follows from the others)",
        "unit": "not among all together, as villages are too few",
        "rare": "not among all together (known of 50% of the villages)",
        "same": "it is the same in all villages, or known of none",
    }
    assert set(of(found, "x", model="together")["n_villages"]) == {40}
    assert set(of(found, "rare")["n_villages"]) == {20}
    assert of(found, "double", model="together").empty


def test_too_few_villages_are_a_reason():
    gains = estimate_gains(hand_panel())
    few = pd.DataFrame({"x": np.arange(7.0)}, index=[f"t{i:02}" for i in range(1, 8)])
    found = regress_drivers(gains, few)
    row = one(found, "x")
    assert np.isnan(row["estimate"]) and row["n_villages"] == 7
    assert row["reason"] == "7 villages are too few for 2 coefficients, which take 10"
    assert found.tests.loc[0, "reason"] == row["reason"]


def test_without_any_trait_nothing_is_regressed():
    found = regress_drivers(estimate_gains(hand_panel()), pd.DataFrame(index=["t01"]))
    assert found.frame.empty and found.tests.empty


# -- invariances ---------------------------------------------------------------------------


def test_order_names_and_units_do_not_matter():
    panel, x, _ = driven_panel(7)
    treated = panel.villages.index[panel.is_treated]
    rng = np.random.default_rng(0)
    words = pd.Series(rng.choice(["a", "b", "b", "c"], len(treated)), index=treated)
    traits = pd.DataFrame({"x": x[treated], "word": words})
    own = regress_drivers(estimate_gains(panel), traits)
    panel.matrices["income"][:] /= 1e4
    renamed = words.map({"a": "z", "b": "y", "c": "x"})
    changed = traits.assign(x=traits["x"] * 1e6, word=renamed).sample(frac=1, random_state=1)
    other = regress_drivers(estimate_gains(panel), changed)
    for model in ("alone", "together"):
        for weighting in ("equal", "precision"):
            which = {"model": model, "weighting": weighting}
            first, second = one(own, "x", **which), one(other, "x", **which)
            for name in NUMBERS:
                factor = 1 if name == "p_value" else 1e10
                assert second[name] * factor == pytest.approx(first[name], rel=1e-6), name
            first = of(own, "word", **which).set_index("level")["estimate"]
            second = of(other, "word", **which).set_index("level")["estimate"]
            assert second["z"] * 1e4 == pytest.approx(first["a"], rel=1e-6)
    joined = ["n_villages", "n_coefficients", "explained", "explained_true"]
    np.testing.assert_allclose(
        own.tests[joined].astype(float), other.tests[joined].astype(float), rtol=1e-6
    )


# -- the study data ------------------------------------------------------------------------


def test_the_simulated_study_has_its_traits():
    panel = load_data(Study.load(REPO / "data" / "jining_simulated")).panel
    gains = estimate_gains(panel, year_effects="county")
    names = ["households", "dispatch_level", "dispatching_unit"]
    found = regress_drivers(gains, names, hold_out_years=1)
    assert set(found.tests["trait"]) == {*names, "income 2014", "all"}
    assert not found.reasons
    # Units were drawn at random and gains do not depend on them.
    assert (found.tests["p_value"].dropna() > 0.01).all()
    assert of(found, "dispatch_level", model="comparison").empty  # nobody sent a secretary
    assert 0.5 < found.true_share < 1


def test_four_counties_are_too_few_for_intervals():
    panel = load_data(Study.load(REPO / "data" / "jining_simulated")).panel
    found = regress_drivers(estimate_gains(panel), ["households", "dispatch_level"])
    rows = found.frame
    assert rows["estimate"].notna().all() and rows["conf_low"].isna().all()
    assert rows["reason"].str.contains("villages of 4 clusters; 95% needs 6").all()
    assert found.tests["p_value"].isna().all()
    assert (found.tests["reason"] != "").all()


def test_covariates_may_be_named():
    panel, x, _ = driven_panel(8)
    wide = np.repeat(x.to_numpy()[:, None], len(panel.years), axis=1)
    gains = estimate_gains(with_covariate(panel, "x", wide))
    named = regress_drivers(gains, ["x"])
    given = regress_drivers(gains, pd.DataFrame({"x": x}))
    pd.testing.assert_frame_equal(named.frame, given.frame)
