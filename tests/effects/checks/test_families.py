"""Tests of p-values of many outcomes at once."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from evaluation.data.panel import Variable
from evaluation.effects.checks.families import (
    adjust_p_values,
    check_outcome_families,
    romano_wolf,
)
from evaluation.effects.checks.side_by_side import average_error
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    subject_of,
    world_panel,
)
from tests.recovery.worlds import SD

EXACT = 1e-12
DRAWN = 0.01  # four sampling errors of a p-value of .05 from 9,999 draws
SAME = 1e-8  # sums over villages in another order
N_DRAWS = 9_999


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def independent(n_estimates, seed=0, n_clusters=2_000):
    """Give parts whose columns are orthogonal, each of standard error 1."""
    parts = np.random.default_rng(seed).normal(size=(n_clusters, n_estimates))
    orthogonal, _ = np.linalg.qr(parts)
    return orthogonal


def two_sided(t):
    return 2 * stats.norm.sf(t)


def test_signs_of_few_clusters_by_hand():
    """Three clusters with parts 1, 1, 1: |sum| is 3 for two of eight signs, else 1."""
    p = romano_wolf(np.array([3.0, 1.0]), np.ones((3, 2)), seed=0, n_draws=N_DRAWS)
    assert p[0] == pytest.approx(0.25, abs=2 * DRAWN)
    assert p[1] == 1


def test_for_independent_estimates_the_first_is_the_largest_of_all_and_so_on():
    t = np.array([1.0, 3.0, 2.4, 0.2])
    p = romano_wolf(t, independent(4), seed=1, n_draws=N_DRAWS)
    # Of 4, then of the 3 and 2 that are left, the largest of independent normals.
    expected = [
        1 - (1 - two_sided(x)) ** k for x, k in ((3.0, 4), (2.4, 3), (1.0, 2), (0.2, 1))
    ]
    np.testing.assert_allclose(p[[1, 2]], expected[:2], atol=DRAWN)
    np.testing.assert_allclose(p[[0, 3]], expected[2:], atol=4 * DRAWN)


def test_for_estimates_that_move_as_one_nothing_is_lost():
    parts = np.repeat(independent(1), 6, axis=1)
    p = romano_wolf(np.full(6, 2.1), parts, seed=1, n_draws=N_DRAWS)
    np.testing.assert_allclose(p, two_sided(2.1), atol=DRAWN)


def test_family_wise_errors_are_held_and_more_is_found_than_by_holm():
    rng = np.random.default_rng(3)
    loading = rng.normal(size=(200, 1)) + 0.5 * rng.normal(size=(200, 8))
    found = []
    for _ in range(300):
        parts = loading * rng.normal(size=(200, 1)) / np.sqrt(200)
        estimates = (rng.choice([-1, 1], (200, 1)) * parts).sum(axis=0)
        raw = two_sided(np.abs(estimates) / np.sqrt((parts**2).sum(axis=0)))
        stepdown = romano_wolf(estimates, parts, seed=0, n_draws=199)
        found.append(np.array([raw.min(), 8 * raw.min(), stepdown.min()]) < 0.05)
    raw_share, holm_share, stepdown_share = np.mean(found, axis=0)
    limit = 0.05 + 4 * np.sqrt(0.05 * 0.95 / 300)
    assert holm_share <= stepdown_share <= limit < raw_share


def test_holm_is_statsmodels_and_missing_p_values_stay_missing():
    p = np.array([0.01, np.nan, 0.04, 0.03])
    found = adjust_p_values(p, np.array([2.6, 9.0, 2.1, 2.2]), independent(4), seed=0)
    expected = multipletests(p[[0, 2, 3]], method="holm")[1]
    np.testing.assert_allclose(found["p_holm"].to_numpy()[[0, 2, 3]], expected, rtol=EXACT)
    assert found.iloc[1].isna().all()
    known = found.dropna()
    assert (known["p_romano_wolf"] >= known["p_value"]).all()


def test_estimates_in_another_order_and_money_have_the_same_p_values():
    estimates, parts = np.array([2.0, 1.5, 3.0]), independent(3)
    order, scale = [2, 0, 1], np.array([1.0, 100.0, 7.0])
    one = romano_wolf(estimates, parts, seed=0)
    other = romano_wolf((estimates * scale)[order], (parts * scale)[:, order], seed=0)
    np.testing.assert_allclose(other, one[order], rtol=EXACT)


def test_parts_of_the_average_are_its_clustered_error():
    gains = imputed(world_panel(1)).gains
    estimate, parts = average_error(gains)
    np.testing.assert_allclose(estimate, gains.att["estimate"], rtol=EXACT)
    np.testing.assert_allclose(np.sqrt((parts**2).sum()), gains.att["se"], rtol=EXACT)


def with_outcomes(panel, n, seed=0):
    """Add outcomes that the programme does not move."""
    rng = np.random.default_rng(seed)
    for k in range(n):
        name = f"outcome_{k}"
        noise = 5 * SD + SD * rng.normal(size=panel.matrix().shape)
        variable = Variable(
            name=name, role="outcome", label=name, unit="yuan", scale="level", column=name
        )
        panel = replace(
            panel,
            matrices={**panel.matrices, name: noise},
            variables={**panel.variables, name: variable},
        )
    return panel


def barely(panel):
    """Shift treated years until the average's p-value is .04 or so."""
    att = imputed(panel).gains.att
    shift = att["conf_low"] - 0.05 * (att["conf_high"] - att["conf_low"])
    matrices = {**panel.matrices, "income": panel.matrix() - shift * panel.treated_cells}
    return replace(panel, matrices=matrices)


def test_the_luckiest_of_many_outcomes_fails():
    check = check_outcome_families(imputed(with_outcomes(barely(world_panel(1)), 12)))
    assert check.verdict == "failed"
    main = check.table[check.table["main"]].iloc[0]
    assert main["p_value"] < 0.05 < main["p_romano_wolf"] < 13 * main["p_value"]
    assert "among 13 outcomes" in check.sentence
    assert_drawn(check)


def test_an_effect_that_holds_among_many_outcomes_passes():
    check = check_outcome_families(imputed(with_outcomes(world_panel(1), 12)))
    assert check.verdict == "passed"
    assert (check.table.loc[~check.table["main"], "p_romano_wolf"] > 0.05).all()


def test_without_an_effect_there_is_no_rule():
    check = check_outcome_families(imputed(with_outcomes(world_panel(1, gain=0.0), 2)))
    assert check.verdict == "informational" and "nothing to explain away" in check.sentence


def test_a_single_outcome_is_no_family():
    assert check_outcome_families(imputed(world_panel(1))).verdict == "not possible"


def test_an_effect_without_a_p_value_has_none_to_adjust():
    panel = with_outcomes(world_panel(1, counties=4), 1)
    check = check_outcome_families(imputed(panel))
    assert check.verdict == "not possible"
    assert "no p-value" in check.sentence


@pytest.mark.parametrize("change", [in_other_order, lambda panel: in_other_money(panel, 100.0)])
def test_order_and_money_change_nothing(change):
    panel = with_outcomes(world_panel(5, counties=32, gain=0.1), 2)
    one = check_outcome_families(imputed(panel)).table
    other = check_outcome_families(imputed(change(panel))).table
    np.testing.assert_allclose(one["p_value"], other["p_value"], rtol=1e-6)
    np.testing.assert_allclose(one["p_romano_wolf"], other["p_romano_wolf"], atol=2 * DRAWN)
