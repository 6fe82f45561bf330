"""A fast version of tests/recovery/effects_coverage.py, and what is kept of its run."""

import csv

import pytest

from tests.recovery.effects_coverage import REPETITIONS, TABLE, WORLDS, run_one, summarise

BIAS = 0.02  # of the effect
NEAR = 0.02  # of the nominal coverage
FEW = 0.04  # of the effect: eight panels' mean is a quarter as sure as one panel's estimate


@pytest.mark.parametrize("world", WORLDS)
def test_estimators_find_the_effect(world):
    found = summarise([row for seed in range(8) for row in run_one(world, seed)])
    assert {row["estimator"] for row in found} == set(WORLDS[world][1])
    for row in found:
        assert abs(row["bias_share"]) < FEW, row
        assert row["given"] == 1, row


def test_the_kept_run_has_small_biases_and_honest_intervals():
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(len(estimators) for _, estimators in WORLDS.values())
    for row in rows:
        assert int(row["repetitions"]) == REPETITIONS
        assert abs(float(row["bias_share"])) < BIAS, row
        assert abs(float(row["coverage_of_mean"]) - 0.95) <= NEAR, row
