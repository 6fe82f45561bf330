"""Tests of effects where there should be none."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.check import Subject
from evaluation.effects.checks.placebo import (
    _judge,
    check_anticipation,
    check_placebo_dates,
    check_placebo_outcomes,
)
from evaluation.effects.checks.side_by_side import judge_clustered, judge_wild
from evaluation.effects.estimate import estimate_effects
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)
from tests.effects.worlds import with_covariate
from tests.gains.panels import typed_panel

EXACT = 1e-12
SAME = 1e-8
MONEY = 100.0
IMPUTATION = ["imputation"]

TYPED = """
village cohort 2001 2002 2003 2004
a       2004   10   12   15   90
b       2004   20   23   25   80
c       -      5    6    8    9
d       -      7    8    10   12
"""


def subject(panel, **options):
    return subject_of(panel, estimators=IMPUTATION, **options)


def people(panel, seed=3, *, moved=0.0):
    """Give a population that treated villages lose or win a share of."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(500, 1500, panel.n_villages)[:, None]
    noise = rng.normal(1, 0.02, panel.matrix().shape)
    return size * noise * (1 + moved * panel.treated_cells)


def test_placebo_dates_by_hand():
    """2004 left out. Comparison villages changed by 1 and 2: by 2 from 2002 to 2003.

    From 2002 on a year earlier: a and b changed from their mean of 2001 and 2002 (11, 21.5) to
    15 and 25, by 4 and 3.5; c and d by 2.5 each: 1.25. Two years earlier, from 2001 to 2002 and
    2003: a by 2 and 5, b by 3 and 5, c and d by 1 and 3: 1.5 and 2, 1.75 on average.
    """
    found = check_placebo_dates(Subject(effects=effects_of_typed()))
    earlier = found.table.set_index("years_earlier")["estimate"]
    np.testing.assert_allclose(earlier.loc[[1, 2]], [1.25, 1.75], rtol=EXACT)
    assert np.isnan(earlier.loc[3])
    assert found.table["reason"].iloc[2]
    assert found.verdict == "informational" and np.isnan(found.statistic)


def effects_of_typed():
    return estimate_effects(typed_panel(TYPED), estimators=IMPUTATION, cluster="village")


def test_anticipation_by_hand():
    """From 2001-2003: a and b exceed their mean by 90 - 37/3 and 80 - 68/3, c and d by
    9 - 19/3 and 12 - 25/3; without 2003 from 11, 21.5 and 5.5, 7.5.
    """
    table = check_anticipation(Subject(effects=effects_of_typed())).table
    none = (90 - 37 / 3 + 80 - 68 / 3) / 2 - (9 - 19 / 3 + 12 - 25 / 3) / 2
    one = (79 + 58.5) / 2 - (3.5 + 4.5) / 2
    two = (80 + 60) / 2 - (4 + 5) / 2
    np.testing.assert_allclose(table["estimate"], [none, one, two], rtol=EXACT)
    np.testing.assert_allclose(
        table["difference"].iloc[1:], [one - none, two - none], rtol=EXACT
    )


def test_a_trend_before_treatment_shows_as_an_effect_and_its_absence_does_not():
    found = check_placebo_dates(subject(world_panel(drift=0.3)))
    assert found.verdict == "failed" and found.statistic < 0.01
    assert check_placebo_dates(subject(world_panel())).verdict == "passed"


def test_an_effect_a_year_early_is_seen():
    early = subject(world_panel(early=0.6))
    found = check_anticipation(early)
    assert found.verdict == "failed" and "chosen for a bad year" in found.sentence
    assert check_placebo_dates(early).verdict == "failed"
    assert check_anticipation(subject(world_panel())).verdict == "passed"
    # Counted as anticipated, it does not show any more.
    assert check_placebo_dates(subject(world_panel(early=0.6), anticipation=1)).passed


def test_few_clusters_are_judged_by_their_signs():
    few = {"counties": 12, "treated": 8, "comparison": 12}
    assert check_anticipation(subject(world_panel(early=0.8, **few))).verdict == "failed"
    assert check_anticipation(subject(world_panel(**few))).verdict == "passed"


def test_too_few_clusters_are_not_judged():
    found = check_anticipation(subject(world_panel(counties=4)))
    assert found.verdict == "informational" and "too few clusters" in found.sentence
    assert np.isnan(found.table["p_difference"]).all()


@pytest.mark.parametrize(("moved", "verdict"), [(0.0, "passed"), (-0.05, "failed")])
def test_a_covariate_that_moves_with_treatment_is_caught(moved, verdict):
    panel = world_panel()
    panel = with_covariate(panel, "people", people(panel, moved=moved))
    check = check_placebo_outcomes(subject(panel, covariates=["people"]))
    assert check.verdict == verdict
    row = check.table.iloc[0]
    assert row["outcome"] == "people"
    assert row["share_of_mean"] == pytest.approx(moved, abs=0.01)


def test_without_a_covariate_that_varies_nothing_can_be_said():
    panel = world_panel()
    assert check_placebo_outcomes(subject(panel)).verdict == "not possible"
    fixed = with_covariate(panel, "homes", np.ones(panel.matrix().shape))
    assert check_placebo_outcomes(subject(fixed)).verdict == "not possible"


def test_differences_have_the_variance_of_their_parts():
    parts = np.array([0.3, -0.1, 0.2, -0.4, 0.1, -0.1, 0.2, -0.2])
    found = judge_wild(0.5, parts, alpha=0.05, seed=0)
    assert found.method == "wild bootstrap"
    assert found.se**2 == pytest.approx((parts**2).sum(), rel=EXACT)
    many = np.tile(parts, 5)
    found = judge_clustered(0.5, many, alpha=0.05, effective=len(many))
    assert found.method == "clustered"
    assert found.se**2 == pytest.approx((many**2).sum(), rel=EXACT)
    fewer = judge_clustered(0.5, many, alpha=0.05, effective=8.0)
    assert fewer.se == found.se and fewer.p_value > found.p_value


def test_clusters_that_do_not_differ_give_no_interval():
    assert judge_clustered(0.5, np.zeros(40), alpha=0.05, effective=40.0).reason
    assert judge_wild(0.5, np.zeros(8), alpha=0.05, seed=0).reason


def test_the_smallest_p_is_told_and_never_as_zero():
    p, passed, told = _judge(pd.Series([0.04, np.nan, 0.02]), 0.05)
    assert (p, passed) == (0.04, False) and "times 2: p = 0.040, below 0.05" in told
    assert ": p < 0.001, below" in _judge(pd.Series([1e-9]), 0.05)[2]
    assert _judge(pd.Series([np.nan]), 0.05)[1] is None


@pytest.mark.parametrize("check", [check_placebo_dates, check_anticipation])
def test_neither_order_nor_unit_of_money_matters(check):
    panel = world_panel(missing=0.05)
    one = check(subject(panel))
    same_tables(one, check(subject(in_other_order(panel))), rtol=SAME)
    same_tables(one, check(subject(in_other_money(panel, MONEY))), rtol=SAME, factor=MONEY)
    assert_drawn(one)
