"""Gains by group: means are those of `by`, differences by hand, and chance held in check."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from evaluation.effects.heterogeneity import compare_groups
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.effects.worlds import driven_panel
from tests.gains.panels import random_cells, to_panel, typed_panel
from tests.recovery.worlds import SD, World

SOLVED = 1e-9  # pseudo-inverses of small matrices
SIZE = 0.11  # 2.5 standard errors of a share of .05 in 25 simulations

COLUMNS = ["estimate", "se", "conf_low", "conf_high", "n_villages", "n_cells", "n_clusters"]


def labelled(seed=0, *, n_groups=5, **options):
    panel = to_panel(random_cells(seed, n=240, n_counties=40), covariates=["w"])
    gains = estimate_gains(panel, **options)
    number = np.random.default_rng(seed).integers(n_groups, size=panel.n_villages)
    labels = pd.Series([f"g{i}" for i in number], index=panel.villages.index, name="unit")
    return gains, labels


@pytest.mark.parametrize("options", [{}, {"weights": "w"}])
def test_means_are_those_of_by_and_differences_are_theirs(options):
    gains, labels = labelled(**options)
    found = compare_groups(gains, labels)
    by = gains.by(labels)
    pd.testing.assert_frame_equal(found[COLUMNS], by[COLUMNS])
    assert found.index.name == "unit"
    for name in found.index:
        rest = gains.by((labels == name).map({True: "own", False: "rest"}))["estimate"]
        assert found.loc[name, "difference"] == pytest.approx(
            rest["own"] - rest["rest"], rel=SOLVED
        )
    expected = multipletests(found["p_value"], method="holm")[1]
    np.testing.assert_allclose(found["p_holm"], expected, rtol=SOLVED)
    assert found.attrs["joint_p"] == found["p_romano_wolf"].min()
    assert found.attrs["n_left_out"] == 0


def test_by_hand():
    rows = [f"t{i:02} 2002 1 {2 + i}" for i in range(1, 11)] + ["n1 - 1 2", "n2 - 5 6"]
    panel = typed_panel("village cohort 2001 2002\n" + "\n".join(rows))
    labels = pd.Series(["a"] * 5 + ["b"] * 5, index=[f"t{i:02}" for i in range(1, 11)])
    found = compare_groups(estimate_gains(panel), labels)
    # gains of 1 to 5 and 6 to 10
    assert found["estimate"].tolist() == pytest.approx([3, 8], rel=SOLVED)
    assert found["difference"].tolist() == pytest.approx([-5, 5], rel=SOLVED)
    # One difference, told twice: nothing to adjust.
    assert (found["p_holm"] == found["p_value"]).all()
    assert found.attrs["joint_p"] == found["p_value"].iloc[0]


def test_few_villages_are_taken_together_and_unlabelled_ones_left_out():
    gains, labels = labelled(n_groups=3)
    gained = gains.villages.index[gains.villages["gain"].notna()]
    labels[gained[:3]], labels[gained[3:6]], labels[gained[6:10]] = "x", "y", ""
    found = compare_groups(gains, labels)
    assert list(found.index) == ["g0", "g1", "g2", "other"]
    assert found.loc["other", "n_villages"] == 6
    assert found.attrs["n_left_out"] == 4


def test_fewer_than_two_groups_are_none():
    gains, labels = labelled()
    with pytest.raises(DesignError, match="fewer than two groups of five villages"):
        compare_groups(gains, labels.where(labels == "g0", ""))


def test_few_clusters_leave_means_and_no_test():
    panel = to_panel(random_cells(1, n=120, n_counties=4))
    gains = estimate_gains(panel)
    labels = pd.Series([f"g{i % 3}" for i in range(120)], index=panel.villages.index)
    found = compare_groups(gains, labels)
    assert found["difference"].notna().all() and found["p_holm"].isna().all()
    assert (found["difference_reason"] == "villages of 4 clusters; 95% needs 6").all()
    assert found.attrs["joint_reason"] == "villages of 4 clusters; 95% needs 6"


def test_a_group_that_gained_more_is_found():
    panel, _, _ = driven_panel(1, slope=0.0, rest=0.3, world=World(treated=6))
    names = np.array([f"u{i % 8}" for i in range(panel.n_villages)])
    more = np.where((names == "u3")[:, None] & panel.treated_cells, 1.5 * SD, 0)
    panel.matrices["income"][:] += more
    labels = pd.Series(names, index=panel.villages.index)
    found = compare_groups(estimate_gains(panel), labels)
    assert found["p_holm"].idxmin() == "u3" and found.loc["u3", "p_holm"] < 0.05
    assert found.loc["u3", "p_romano_wolf"] < 0.05
    assert found.attrs["joint_p"] < 0.05
    row = found.loc["u3"]
    assert row["difference_low"] < 1.5 * SD < row["difference_high"]


def test_without_differences_few_are_found():
    seen = []
    for seed in range(25):
        panel, _, _ = driven_panel(seed, slope=0.0, rest=0.3, world=World(counties=60))
        unit = np.random.default_rng(seed).integers(4, size=panel.n_villages).astype(str)
        found = compare_groups(
            estimate_gains(panel), pd.Series(unit, index=panel.villages.index), seed=seed
        )
        smallest = found[["p_value", "p_holm", "p_romano_wolf"]].min()
        seen.append([*(smallest <= 0.05), found.attrs["joint_p"] <= 0.05])
    plain, holm, romano_wolf, joint = np.mean(seen, axis=0)
    assert plain > 0.05  # of four groups one often looks different
    assert max(holm, romano_wolf, joint) <= 0.05 + SIZE


def test_order_and_money_do_not_matter():
    gains, labels = labelled()
    own = compare_groups(gains, labels)
    more = replace(gains.panel, matrices={"y": gains.panel.matrix() * 1e4})
    other = compare_groups(estimate_gains(more), labels.sample(frac=1, random_state=0))
    for name in ("estimate", "difference", "difference_low"):
        np.testing.assert_allclose(other[name], own[name] * 1e4, rtol=1e-6)
    np.testing.assert_allclose(other["p_romano_wolf"], own["p_romano_wolf"], rtol=SOLVED)
