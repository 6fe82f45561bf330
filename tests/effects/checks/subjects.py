"""Subjects for tests of checks: worlds with what a check should find, or without it."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.effects.check import Amounts, Subject
from evaluation.effects.checks.coefficients import EventStudy
from evaluation.effects.estimate import estimate_effects
from tests.recovery.worlds import SD, World, make_panel

QUIET = World(counties=35, treated=4, comparison=8, n_untreated=5, n_treated=3)


def subject_of(panel, *, estimators=("imputation", "callaway_santanna"), **options):
    effects = estimate_effects(panel, estimators=estimators, **options)
    return Subject(effects=effects, amounts=Amounts(divisor=10_000, unit="万元"), seed=1)


def world_panel(seed=1, *, drift=0.0, early=0.0, world=QUIET, **changes):
    """Give a world's panel; treated villages drift (sd a year) or gain a year early (sd)."""
    panel, _, _ = make_panel(replace(world, **changes), np.random.default_rng(seed))
    time = panel.years - panel.cohort[:, None]
    moved = drift * np.nan_to_num(time) + early * (time == -1)
    panel.matrices["income"][:] += SD * moved
    return panel


def in_other_order(panel, seed=0):
    """Give the same villages in another order."""
    order = np.random.default_rng(seed).permutation(panel.n_villages)
    return replace(
        panel,
        villages=panel.villages.iloc[order],
        matrices={name: values[order] for name, values in panel.matrices.items()},
        rows=panel.rows[order],
    )


def in_other_money(panel, factor):
    return replace(panel, matrices={k: factor * v for k, v in panel.matrices.items()})


def study_of(estimates, covariance, times, *, weights=None, pseudo=None, freedom=1e9):
    """Give an event study typed out, measured from -1."""
    times = np.asarray(times)
    after = (times >= 0).astype(float)
    return EventStudy(
        estimator="callaway_santanna",
        times=times,
        reference=-1,
        estimates=np.asarray(estimates, float),
        covariance=np.asarray(covariance, float),
        weights=after / max(after.sum(), 1) if weights is None else np.asarray(weights),
        pseudo=pseudo,
        n_clusters=100 if pseudo is None else len(pseudo),
        freedom=freedom,
        alpha=0.05,
    )


def assert_drawn(check):
    """Draw a check's figure, and look that it has an amount's unit and something in it."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots()
    check.draw(axes, Amounts(divisor=10_000, unit="万元"))
    assert axes.has_data()
    plt.close(figure)


def same_tables(one, other, *, rtol, factor=1.0):
    """Compare two checks' tables, the second one's money being ``factor`` times the first's."""
    scaled = one.table.copy()
    money = [column for column in one.money if column in scaled]
    scaled[money] = scaled[money].astype(float) * factor
    pd.testing.assert_frame_equal(scaled, other.table, rtol=rtol, atol=0)
