"""Tests of missing outcomes, and of what they can do to the effect."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from evaluation.effects.check import Subject
from evaluation.effects.checks.attrition import _mark_known_before, _observe, check_attrition
from evaluation.effects.checks.lee import lee_bounds, trim
from evaluation.effects.estimate import estimate_effects
from evaluation.errors import DesignError
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)
from tests.gains.panels import random_cells, to_panel, typed_panel
from tests.recovery.worlds import SD

EXACT = 1e-12
SAME = 1e-8  # sums over villages in another order
LARGE = 0.03  # sds: four sampling errors of bounds from 24,000 villages
MONEY = 100.0

# All treated villages are known, and 8 in 10 of the comparison's: Lee leaves out 1 of 5.
MORE_KNOWN = """
village cohort 1 2
t1      2      0 1
t2      2      0 2
t3      2      0 3
t4      2      0 4
t5      2      0 10
n1      -      0 0
n2      -      0 0
n3      -      0 0
n4      -      0 0
n5      -      0 0
n6      -      0 0
n7      -      0 0
n8      -      0 0
n9      -      0 -
n10     -      0 -
"""

# 8 in 10 treated villages are known, all of the comparison's, whose changes have mean 1.
LESS_KNOWN = """
village cohort 1 2
t1      2      0 5
t2      2      0 5
t3      2      0 5
t4      2      0 5
t5      2      0 -
n1      -      0 -2
n2      -      0 -1
n3      -      0 0
n4      -      0 1
n5      -      0 7
"""

# Treated in 3: t2 and n2 are first seen then.
FIRST_SEEN = """
village cohort 1 2 3 4
t1      3      0 0 5 5
t2      3      - - 5 5
n0      -      0 0 0 0
n1      -      - 0 0 0
n2      -      - - 0 0
"""


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def bounds_of(panel, **options):
    subject = imputed(panel, **options)
    known = np.isfinite(subject.gains.fit.design.outcome)
    looked_at = _mark_known_before(subject.gains)
    return lee_bounds(subject.gains, subject.reestimate(_observe(panel, known, looked_at)))


def lose(panel, which):
    """Lose outcomes."""
    outcome = np.where(which, np.nan, panel.matrix())
    return replace(panel, matrices={panel.outcome: outcome})


def lose_losers(panel, *, share=0.25):
    """Lose treated years of villages whose outcome rose least, as where they stop reporting."""
    before = panel.years < np.nanmin(panel.cohort)
    change = panel.matrix() - np.nanmean(panel.matrix()[:, before], axis=1, keepdims=True)
    treated = panel.treated_cells
    lowest = [np.nanquantile(change[treated[:, t], t], share) for t in np.flatnonzero(~before)]
    bar = np.append(np.full(before.sum(), -np.inf), lowest)
    return lose(panel, treated & (change < bar))


def test_values_are_trimmed_by_hand():
    values, shares = np.array([3.0, 1.0, 2.0]), np.array([0.5, 0.25, 0.25])
    mean, cut, used = trim(values, shares, 0.75, lowest=True)  # 1, 2 and half of 3
    np.testing.assert_allclose(mean, (0.25 * 1 + 0.25 * 2 + 0.25 * 3) / 0.75, rtol=EXACT)
    assert cut == 3
    np.testing.assert_allclose(used, [1 / 3] * 3, rtol=EXACT)
    mean, cut, _ = trim(values, shares, 0.5, lowest=False)
    assert (mean, cut) == (3, 3)


def test_treated_villages_known_more_often_are_trimmed_as_by_hand():
    bounds = bounds_of(typed_panel(MORE_KNOWN), cluster="village")
    assert bounds.group == "treated"
    np.testing.assert_allclose(bounds.trimmed, 0.2, rtol=EXACT)
    np.testing.assert_allclose([bounds.low, bounds.high], [2.5, 4.75], rtol=EXACT)


def test_comparison_villages_known_more_often_are_trimmed_as_by_hand():
    bounds = bounds_of(typed_panel(LESS_KNOWN), cluster="village")
    assert bounds.group == "comparison"
    np.testing.assert_allclose(bounds.trimmed, 0.2, rtol=EXACT)
    # 5 less the mean of the four highest changes, 7/4, and of the four lowest, -2/4.
    np.testing.assert_allclose([bounds.low, bounds.high], [3.25, 5.5], rtol=EXACT)


def test_nothing_missing_in_another_way_trims_nothing():
    panel = typed_panel(MORE_KNOWN)
    bounds = bounds_of(lose(panel, panel.matrix() == 10), cluster="village")  # 8 in 10 too
    np.testing.assert_allclose([bounds.low, bounds.high], 2.5, rtol=EXACT)
    assert bounds.trimmed == pytest.approx(0, abs=EXACT)


def test_bounds_are_those_of_the_population():
    """Changes of comparison villages are N(0, s2): trimmed means have a closed form."""
    panel = world_panel(
        6, counties=2_000, treated=4, comparison=8, n_untreated=4, n_treated=1, rho=0.0,
        spread=0.0, county_share=0.0, gain_sd=0.0,
    )  # fmt: skip
    treated = panel.treated_cells
    rng = np.random.default_rng(0)
    bounds = bounds_of(lose(panel, treated & (rng.random(treated.shape) < 0.2)))
    sd = np.sqrt(1 + 1 / 4)  # of a year less the mean of four
    share = bounds.trimmed
    moved = sd * stats.norm.pdf(stats.norm.ppf(share)) / (1 - share)
    assert share == pytest.approx(0.2, abs=0.02)
    assert bounds.low / SD == pytest.approx(0.5 - moved, abs=LARGE)
    assert bounds.high / SD == pytest.approx(0.5 + moved, abs=LARGE)


def test_no_outcome_missing_passes():
    check = check_attrition(imputed(world_panel(1)))
    assert (check.verdict, check.statistic) == ("passed", 0)
    assert "No outcome is missing" in check.sentence


def test_selective_attrition_fails_and_the_bounds_hold_the_truth():
    panel = world_panel(1, gain_sd=0)
    subject = imputed(lose_losers(panel))
    check = check_attrition(subject)
    assert check.verdict == "failed"
    assert check.statistic == pytest.approx(-0.25, abs=0.02)
    table = check.table.set_index("finding")["estimate"]
    raw, truth = table["average effect"], 0.5 * SD
    assert raw > truth + 0.2 * SD
    assert table["lowest average effect (Lee)"] < truth < raw
    assert raw < table["highest average effect (Lee)"]
    assert "no accident" in check.sentence
    assert_drawn(check)


def test_outcomes_missing_at_random_pass():
    check = check_attrition(imputed(world_panel(2, missing=0.1)))
    assert check.verdict == "passed"
    assert "may be an accident" in check.sentence


def test_villages_first_seen_after_treatment_are_not_looked_at():
    """They are in no effect; that they are known from then on is no doing of the programme."""
    panel = world_panel(2, missing=0.1)
    plain = check_attrition(imputed(panel))
    order = panel.villages.groupby("county").cumcount().to_numpy()
    late = panel.is_treated & (order % 2 == order.min() % 2)
    check = check_attrition(imputed(lose(panel, late[:, None] & ~panel.treated_cells)))
    n_late, n_treated = late.sum(), panel.is_treated.sum()
    assert 0 < n_late < n_treated
    assert f"{n_late} of {n_treated} treated villages are known in no year" in check.sentence
    assert (plain.verdict, check.verdict) == ("passed", "passed")
    assert check.statistic == pytest.approx(plain.statistic, abs=0.05)


def test_both_kinds_are_looked_at_by_one_rule():
    panel = typed_panel(FIRST_SEEN)
    gains = imputed(panel, cluster="village").gains
    assert _mark_known_before(gains).tolist() == [True, False, True, True, False]


def test_without_never_treated_villages_to_trim_there_are_no_bounds_but_a_difference():
    panel = world_panel(3, staggered=True, n_treated=4)
    panel = replace(
        panel,
        villages=panel.villages.assign(cohort=panel.villages["cohort"].fillna(2018.0)),
    )
    check = check_attrition(imputed(lose_losers(panel)))
    assert "No Lee bounds" in check.sentence
    assert np.isfinite(check.statistic)


def test_a_share_that_leaves_nothing_is_an_error():
    panel = typed_panel(LESS_KNOWN)
    subject = imputed(panel, cluster="village")
    worse = replace(
        panel, matrices={"y": np.where(panel.matrix() == 7, np.nan, panel.matrix())}
    )
    known = np.isfinite(worse.matrix())
    known[:5, 1] = False
    gains = imputed(worse, cluster="village").gains
    with pytest.raises(DesignError, match="none known either way"):
        lee_bounds(
            replace(gains, fit=replace(gains.fit, design=replace(
                gains.fit.design, outcome=np.where(known, worse.matrix(), np.nan)))),
            subject.reestimate(_observe(panel, known, np.ones(10, dtype=bool))),
        )  # fmt: skip


@pytest.mark.parametrize("change", [in_other_order, lambda panel: in_other_money(panel, MONEY)])
def test_order_and_money_change_nothing(change):
    panel = lose_losers(world_panel(5, counties=32, missing=0.05, staggered=True))
    one, other = check_attrition(imputed(panel)), check_attrition(imputed(change(panel)))
    factor = MONEY if change is not in_other_order else 1.0
    same_tables(one, other, rtol=SAME, factor=factor)


def test_a_village_that_is_never_known_is_no_attrition():
    panel = to_panel(random_cells(2, n=240, n_counties=40, missing=0.0, never=0.6))
    outcome = panel.matrix().copy()
    outcome[0] = np.nan
    holed = replace(panel, matrices={"y": outcome})
    table = estimate_effects(holed, estimators=["imputation"])
    found = check_attrition(Subject(effects=table))
    assert found.verdict == "informational" and "Without an interval" in found.sentence
