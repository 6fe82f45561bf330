"""What must not matter: order, names, the unit of money, constants, common shocks."""

import numpy as np
import pytest

from evaluation.gains.estimate import estimate_gains
from tests.gains.panels import random_cells, to_panel

ROUNDING = 1e-9
NUMBERS = ["gain", "conf_low", "conf_high", "p_value"]


@pytest.fixture(scope="module")
def cells():
    return random_cells(5, n=120, n_counties=40, missing=0.05)


def read(cells, *, scale=1.0):
    found = estimate_gains(to_panel(cells))
    frame = found.villages.sort_index()[NUMBERS].to_numpy() / [scale, scale, scale, 1]
    att = found.att[["estimate", "se", "conf_low"]].to_numpy(float) / scale
    return frame, att


def shuffled(cells):
    return cells.sample(frac=1, random_state=1)


def with_a_constant(cells):
    return cells.assign(y=cells["y"] + 1000 * (cells["village"] == "v003"))


def with_a_shock(cells):
    return cells.assign(y=cells["y"] + 50 * (cells["year"] == 2006))


@pytest.mark.parametrize("change", [shuffled, with_a_constant, with_a_shock])
def test_does_not_matter(cells, change):
    for ours, theirs in zip(read(cells), read(change(cells)), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=ROUNDING * 100)


def test_unit_of_money(cells):
    changed = read(cells.assign(y=cells["y"] * 1e4), scale=1e4)
    for ours, theirs in zip(read(cells), changed, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=ROUNDING)


def test_names_of_villages(cells):
    renamed = cells.assign(village="n" + cells["village"])
    for ours, theirs in zip(read(cells), read(renamed), strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=0, atol=ROUNDING)
