"""Tests of what checks of trends take from an estimator."""

import numpy as np
import pytest

from evaluation.effects.checks.coefficients import find_event_study
from evaluation.errors import DesignError
from tests.effects.checks.subjects import subject_of, world_panel

EXACT = 1e-10


@pytest.mark.parametrize("estimator", ["callaway_santanna", "sun_abraham"])
def test_coefficients_and_covariance_are_the_estimator_s(estimator):
    subject = subject_of(world_panel(staggered=True), estimators=[estimator])
    study, effects = find_event_study(subject), subject.effects
    events = effects.event_study(estimator)
    assert study.estimator == estimator and study.reference == -1
    assert study.times.tolist() == events["event_time"].tolist()
    np.testing.assert_allclose(study.estimates, events["estimate"], rtol=EXACT)
    np.testing.assert_allclose(study.se, events["se"], rtol=EXACT)
    np.testing.assert_allclose(
        study.estimates + study.critical * study.se, events["conf_high"], rtol=EXACT
    )
    overall = effects.overall.loc[estimator, "estimate"]
    assert study.average == pytest.approx(overall, rel=EXACT)


def test_with_few_clusters_errors_are_the_jackknife_s():
    subject = subject_of(world_panel(counties=12, treated=8))
    study = find_event_study(subject)
    events = subject.effects.event_study("callaway_santanna")
    np.testing.assert_allclose(study.se, events["se"], rtol=EXACT)
    assert study.pseudo.shape == (12, len(events))


def test_years_that_may_be_anticipated_lie_after_the_reference_and_count_for_nothing():
    study = find_event_study(subject_of(world_panel(), anticipation=1))
    assert study.reference == -2
    assert study.times.tolist() == [-5, -4, -3, -1, 0, 1, 2]
    assert study.before.tolist() == [True] * 3 + [False] * 4
    np.testing.assert_allclose(study.weights, [0, 0, 0, 0, 1 / 3, 1 / 3, 1 / 3], rtol=EXACT)


def test_a_covariance_that_is_to_be_inverted_has_few_coefficients():
    subject = subject_of(world_panel(counties=10, treated=8))
    assert len(find_event_study(subject).times) == 7
    study = find_event_study(subject, invertible=True)
    assert study.times.tolist() == [-4, -3, -2, 0, 1, 2] and study.left_out == (1, 0)


def test_how_many_of_how_many_years_are_looked_at_is_told():
    long = world_panel(n_untreated=11, n_treated=10)
    study = find_event_study(subject_of(long))
    assert study.left_out == (2, 2)
    assert study.looked_at == "the 8 nearest of 10"
    assert study.averaged == "the first 8 of 10 treated years"
    short = find_event_study(subject_of(world_panel()))
    assert (short.looked_at, short.averaged) == ("4", "all treated years")


def test_event_times_beyond_a_gap_are_left_out():
    panel = world_panel()
    panel.matrices["income"][:, 1] = np.nan  # four years before treatment
    study = find_event_study(subject_of(panel))
    assert study.times.tolist() == [-3, -2, 0, 1, 2] and study.left_out == (1, 0)


def test_without_an_event_study_the_reason_is_told():
    with pytest.raises(DesignError, match="callaway_santanna"):
        find_event_study(subject_of(world_panel(), estimators=["imputation"]))
    with pytest.raises(DesignError, match="beside year -1"):
        find_event_study(subject_of(world_panel(n_untreated=1)))
