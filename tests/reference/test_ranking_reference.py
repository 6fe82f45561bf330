"""Rank sets of 38 countries in mathematics, PISA 2018, against R's csranks 1.2.3.

The figures are csranks' at 100,000 draws and seed 101; independent errors, coverage .95.
"""

import pandas as pd
import pytest

from evaluation.gains.ranking import rank_groups
from tests.conftest import SHARED

pytestmark = pytest.mark.shared

# fmt: off
MARGINAL = (
    [
        15, 10, 5, 4, 35, 37, 36, 10, 4, 1, 5, 12, 8, 32, 25, 12, 10, 32, 19,
        1, 1, 12, 25, 24, 35, 1, 12, 8, 2, 12, 20, 5, 25, 7, 2, 32, 7, 25,
    ],
    [
        26, 24, 18, 13, 36, 38, 38, 24, 16, 6, 18, 26, 24, 34, 31, 26, 24, 34, 31,
        4, 6, 26, 31, 31, 37, 7, 26, 23, 11, 26, 31, 16, 31, 23, 11, 34, 23, 31,
    ],
)
SIMULTANEOUS = (
    [
        12, 7, 4, 3, 35, 37, 35, 7, 4, 1, 4, 12, 7, 32, 23, 12, 8, 31, 15,
        1, 1, 12, 23, 23, 35, 1, 12, 7, 1, 12, 16, 4, 24, 5, 1, 32, 5, 23,
    ],
    [
        30, 26, 18, 17, 37, 38, 38, 26, 18, 6, 18, 26, 26, 34, 31, 26, 25, 34, 31,
        6, 7, 26, 31, 31, 37, 11, 26, 24, 13, 31, 31, 18, 31, 24, 13, 34, 24, 32,
    ],
)
STEPDOWN = (
    [
        12, 7, 4, 3, 35, 37, 35, 7, 4, 1, 4, 12, 7, 32, 23, 12, 8, 31, 15,
        1, 1, 12, 23, 23, 35, 1, 12, 7, 1, 12, 18, 4, 24, 5, 1, 32, 6, 23,
    ],
    [
        30, 26, 18, 17, 37, 38, 38, 25, 18, 6, 18, 26, 25, 34, 31, 26, 25, 34, 31,
        6, 7, 26, 31, 31, 37, 11, 26, 24, 12, 31, 31, 18, 31, 24, 13, 34, 24, 32,
    ],
)
BEST_FIVE = [3, 4, 9, 10, 11, 20, 21, 26, 29, 32, 34, 35]  # positions from 1
# fmt: on


@pytest.fixture(scope="module")
def scores():
    return pd.read_csv(SHARED / "reference" / "data" / "pisa2018.csv", index_col="jurisdiction")


@pytest.mark.parametrize(
    ("kind", "stepdown", "expected"),
    [
        ("marginal", False, MARGINAL),
        ("simultaneous", False, SIMULTANEOUS),
        ("simultaneous", True, STEPDOWN),
    ],
)
def test_all_bounds_are_those_of_csranks(scores, kind, stepdown, expected):
    ranks = rank_groups(
        scores["math_score"], standard_errors=scores["math_se"], kind=kind, stepdown=stepdown
    )
    frame = ranks.to_frame()
    assert (frame["rank_low"].to_list(), frame["rank_high"].to_list()) == expected


def test_the_best_five_are_those_of_csranks(scores):
    ranks = rank_groups(scores["math_score"], standard_errors=scores["math_se"])
    assert ranks.tau_best(5) == [scores.index[k - 1] for k in BEST_FIVE]
