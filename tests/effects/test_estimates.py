"""Errors, intervals and bands from what clusters add; averages over counties."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.effects.estimates import (
    TERMS,
    Estimates,
    effective_clusters,
    judge,
    uniform_critical,
)
from evaluation.effects.setup import EffectOptions, build_setup
from evaluation.errors import DesignError
from tests.gains.panels import random_cells, to_panel

EXACT = 1e-12  # the same arithmetic, in another order
DRAWN = 0.08  # of a quantile from 999 draws: three sampling errors at the 95th percentile


def setup_of(*, n=200, counties=40, seed=1, **options):
    cells = random_cells(seed, n=n, n_counties=counties, missing=0)
    return build_setup(to_panel(cells, covariates=("x", "z")), EffectOptions(**options))


def mean_change(setup):
    """A two-group difference in differences, with each village's part in its error."""
    after = setup.years >= np.nanmin(setup.cohort)
    change = setup.outcome[:, after].mean(axis=1) - setup.outcome[:, ~after].mean(axis=1)
    if setup.treated.all() or not setup.treated.any():
        raise DesignError("nothing to compare")
    value, part = 0.0, np.zeros(len(change))
    for some, sign in ((setup.treated, 1), (~setup.treated, -1)):
        value += sign * change[some].mean()
        part[some] = sign * (change[some] - change[some].mean()) / some.sum()
    parts = np.bincount(setup.clusters, part, setup.n_clusters)
    terms = pd.DataFrame(
        [("overall", np.nan, value, 1, 10), ("after", 0.0, 2 * value, 1, 10)], columns=TERMS
    )
    return Estimates(terms=terms, parts=np.stack([parts, 2 * parts], axis=1))


def test_with_many_clusters_the_parts_squares_are_the_variance():
    setup = setup_of()
    found, frame = judge(mean_change, setup)
    se = np.sqrt((found.parts**2).sum(axis=0))
    np.testing.assert_allclose(frame["se"], se, rtol=EXACT)
    freedom = min(40, effective_clusters(setup)) - 1
    half = stats.t.ppf(0.975, freedom) * se
    np.testing.assert_allclose(frame["conf_high"] - frame["estimate"], half, rtol=EXACT)
    assert (frame["method"] == "clustered").all() and (frame["n_clusters"] == 40).all()


def test_the_band_is_of_event_times_alone_and_no_narrower_than_the_interval():
    _, frame = judge(mean_change, setup_of())
    overall, event = frame.iloc[0], frame.iloc[1]
    assert np.isnan(overall["band_low"])
    assert event["band_high"] - event["band_low"] > 0
    # One event time: its band is its interval, but for the degrees of freedom.
    assert event["band_high"] - event["band_low"] == pytest.approx(
        event["conf_high"] - event["conf_low"], rel=DRAWN
    )


def test_with_few_clusters_estimates_are_made_anew_without_each():
    setup = setup_of(counties=8)
    found, frame = judge(mean_change, setup)
    assert (frame["method"] == "wild bootstrap").all() and (frame["n_clusters"] == 8).all()
    without = [
        mean_change(setup.take(setup.clusters != c)).terms["estimate"].iloc[0] for c in range(8)
    ]
    pseudo = 8 * frame["estimate"].iloc[0] - 7 * np.array(without)
    np.testing.assert_allclose(found.left_out[:, 0], without, rtol=EXACT)
    assert frame["se"].iloc[0] == pytest.approx(pseudo.std(ddof=1) / np.sqrt(8), rel=EXACT)
    assert frame["band_low"].isna().all()


def test_too_few_clusters_give_no_interval_but_the_reason():
    setup = setup_of(counties=4)
    found, frame = judge(mean_change, setup)
    assert found.left_out is None
    assert frame["conf_low"].isna().all() and frame["estimate"].notna().all()
    assert frame["reason"].str.contains("95% needs 6").all()


def test_four_treated_counties_among_forty_count_as_five():
    setup = setup_of(n=400)
    cohort = np.where(setup.clusters < 4, 2006.0, np.nan)
    clusters = np.repeat(np.arange(40), 10)
    alike = setup.take(np.ones(400, dtype=bool))
    object.__setattr__(alike, "clusters", clusters)
    object.__setattr__(alike, "cohort", np.where(clusters < 4, 2006.0, np.nan))
    assert cohort.shape == (400,)
    assert 4.5 < effective_clusters(alike) < 5.5


def test_independent_estimates_have_the_quantile_of_the_largest_of_them():
    parts = np.random.default_rng(0).standard_normal((4_000, 10))
    crit = uniform_critical(parts, alpha=0.05, seed=3)
    exact = stats.norm.ppf((1 + 0.95 ** (1 / 10)) / 2)
    assert crit == pytest.approx(exact, rel=DRAWN)
    alike = np.repeat(parts[:, :1], 5, axis=1)
    assert uniform_critical(alike, alpha=0.05, seed=3) == pytest.approx(1.96, rel=DRAWN)
    assert uniform_critical(parts, alpha=0.05, seed=3) == crit


def test_estimates_without_errors_have_no_interval():
    def exact(setup):
        found = mean_change(setup)
        return replace(found, parts=np.zeros_like(found.parts))

    _, frame = judge(exact, setup_of(counties=12))
    assert frame["conf_low"].isna().all() and frame["reason"].str.contains("exactly").all()
