"""Efficiency of 70 schools, against the R package Benchmarking.

Figures: golden.json, id dea_charnes: R 4.2.2, Benchmarking 0.33, dea(x, y, RTS, ORIENTATION) on
charnes1981 (x1 to x5, y1 to y3); rDEA 1.2.8 and dealib 1.0.0 agree.
"""

import numpy as np
import pandas as pd
import pytest

from evaluation.efficiency.frontier import measure_frontier
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

GOLDEN = 1e-7  # as the entry says
FIRST_FIVE = 1e-7  # printed to 8 digits


@pytest.fixture(scope="module")
def schools():
    return pd.read_csv(SHARED / "reference" / "data" / "charnes1981.csv", index_col="firm")


@pytest.fixture(scope="module")
def measure(schools):
    def call(returns, orientation):
        found = measure_frontier(
            schools, inputs=["x1", "x2", "x3", "x4", "x5"], outputs=["y1", "y2", "y3"],
            returns=returns, orientation=orientation, n_draws=0,
        )  # fmt: skip
        return found.to_frame()["efficiency"]

    return call


@pytest.mark.parametrize(
    ("returns", "orientation", "mean"),
    [
        ("constant", "input", 0.9377651539),
        ("variable", "input", 0.9534310708),
        ("decreasing", "input", 0.9443788622),
        ("increasing", "input", 0.9468173626),
        ("constant", "output", 1.070034177),
        ("variable", "output", 1.052779672),
        ("decreasing", "output", 1.061719262),
        ("increasing", "output", 1.061094587),
    ],
)
def test_mean_efficiency(measure, returns, orientation, mean):
    assert measure(returns, orientation).mean() == pytest.approx(mean, abs=GOLDEN)


@pytest.mark.parametrize(
    ("returns", "n_efficient", "first_five"),
    [
        ("constant", 19, [0.91974549, 0.90079288, 0.92675522, 0.89330878, 0.92948544]),
        ("variable", 27, [0.96213709, 0.90104933, 0.93477526, 0.90159846, 1.0]),
    ],
)
def test_schools_one_by_one(measure, returns, n_efficient, first_five):
    found = measure(returns, "input")
    np.testing.assert_allclose(found[:5], first_five, rtol=0, atol=FIRST_FIVE)
    assert (found == 1).sum() == n_efficient
