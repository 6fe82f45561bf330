"""Tests of randomisation inference."""

from itertools import permutations

import numpy as np
import pytest

from evaluation.effects.checks import randomisation
from evaluation.effects.checks.randomisation import _deal, _log_ways, check_randomisation
from evaluation.effects.checks.side_by_side import average_error
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    same_tables,
    subject_of,
    world_panel,
)

EXACT = 1e-10
MONEY = 100.0
SMALL = {"counties": 3, "treated": 4, "comparison": 10, "n_untreated": 4, "n_treated": 2}
IMPUTATION = ["imputation"]


def subject(panel, **options):
    return subject_of(panel, estimators=IMPUTATION, **options)


@pytest.mark.parametrize(
    "options",
    [{}, {"year_effects": "county"}, {"comparison": "never_treated"}, {"anticipation": 1}],
)
def test_the_statistic_is_the_estimate_by_its_error_over_villages(options):
    gains = subject(
        world_panel(staggered=True, missing=0.05), cluster="village", **options
    ).gains
    found = randomisation._statistic(gains.fit.design, gains.options, gains.panel.cohort)
    estimate, parts = average_error(gains)
    n = int((parts != 0).sum())
    se = np.sqrt((parts**2).sum() * (n - 1) / n)
    np.testing.assert_allclose(found, (estimate, estimate / se), rtol=EXACT)


def test_counties_keep_their_numbers_in_each_cohort():
    rng = np.random.default_rng(0)
    county = rng.integers(0, 3, 50)
    cohort = rng.choice([2001.0, 2002.0, np.nan], 50)
    dealt = _deal(county, cohort, rng)
    assert not np.array_equal(dealt, cohort, equal_nan=True)
    for c in range(3):
        np.testing.assert_array_equal(np.sort(dealt[county == c]), np.sort(cohort[county == c]))


def test_ways_by_hand():
    # Two of four: 6 ways; one of three in each of two cohorts: 6 ways.
    county = np.array([0, 0, 0, 0, 1, 1, 1])
    cohort = np.array([2001, 2001, np.nan, np.nan, 2001, 2002, np.nan])
    assert np.exp(_log_ways(county, cohort)) == pytest.approx(36)
    assert len(set(permutations("aabb"))) * len(set(permutations("abc"))) == 36


def test_an_effect_is_no_chance():
    found = check_randomisation(subject(world_panel(gain=1.0)), draws=199)
    assert found.verdict == "passed" and found.statistic == 1 / 200
    assert "p = 0.005" in found.sentence


def test_p_is_uniform_where_no_village_was_changed():
    worlds, draws = 80, 19
    p = [
        check_randomisation(
            subject(world_panel(seed, gain=0.0, gain_sd=0.0, **SMALL)), draws=draws
        ).statistic
        for seed in range(worlds)
    ]
    counts = np.bincount(np.rint(np.array(p) * (draws + 1)).astype(int), minlength=21)[1:]
    assert counts.sum() == worlds
    # p is uniform on 1/20 ... 1: its mean and the number of 1/20 within three errors.
    assert np.mean(p) == pytest.approx(21 / 40, abs=3 * np.sqrt(1 / 12 / worlds))
    assert counts[0] <= worlds / 20 + 3 * np.sqrt(worlds * 0.05 * 0.95)


def test_without_an_effect_there_is_no_rule():
    found = check_randomisation(subject(world_panel(gain=0.0)), draws=39)
    assert found.statistic > 0.05
    assert found.verdict == "informational" and "nothing to explain away" in found.sentence


def test_an_effect_by_its_clusters_that_lots_give_too_fails(monkeypatch):
    monkeypatch.setattr(randomisation, "_deal", lambda county, cohort, rng: cohort)
    assert check_randomisation(subject(world_panel(gain=1.0)), draws=39).verdict == "failed"


def test_whole_counties_cannot_be_dealt_out_within():
    found = check_randomisation(subject(world_panel(treated_counties=8)))
    assert found.verdict == "not possible" and "only 1 ways" in found.sentence


def test_large_panels_get_fewer_draws(monkeypatch):
    panel = world_panel(**SMALL)
    monkeypatch.setattr(randomisation, "_MOST_CELLS", 50 * panel.matrix().size)
    found = check_randomisation(subject(panel))
    assert found.table["draws"].iloc[0] == 50 and "Of 50 ways" in found.sentence


def test_the_unit_of_money_does_not_matter():
    panel = world_panel(missing=0.05, **SMALL)
    one = check_randomisation(subject(panel), draws=39)
    other = check_randomisation(subject(in_other_money(panel, MONEY)), draws=39)
    same_tables(one, other, rtol=EXACT, factor=MONEY)
    assert_drawn(one)
