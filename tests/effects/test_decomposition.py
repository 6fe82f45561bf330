"""What two-way fixed effects compare: by hand, against diff-diff, and exact sums."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from evaluation.effects.check import Amounts
from evaluation.effects.decomposition import ALREADY, EARLIER, NEVER, decompose_twfe
from evaluation.effects.fixed_effects import estimate_twfe
from evaluation.effects.setup import EffectOptions, build_setup
from evaluation.errors import DesignError
from tests.gains.panels import random_cells, to_panel, typed_panel

EXACT = 1e-12  # the same arithmetic, in another order
SUMS = 1e-9  # sums over all cells
THREE = """
    village cohort 2001 2002 2003
    early   2002   1    4    9
    late    2003   2    3    7
    never   -      5    6    8
"""


def setup_of(panel, **options):
    return build_setup(panel, EffectOptions(**({"cluster": "village"} | options)))


def twfe(setup):
    return float(estimate_twfe(setup).terms["estimate"].iloc[0])


def test_three_villages_by_hand():
    found = decompose_twfe(typed_panel(THREE))
    # Treated for 2/3, 1/3 and none of the years. Weights by the notes, times 9: against the
    # never treated 2 x 1 and 1 x 2, against one another 1 x 1 twice.
    expected = [
        (EARLIER, 2002, 2003, 1 / 6, (4 - 1) - (3 - 2)),
        (ALREADY, 2003, 2002, 1 / 6, (7 - 3) - (9 - 4)),
        (NEVER, 2002, np.nan, 2 / 6, (6.5 - 1) - (7 - 5)),
        (NEVER, 2003, np.nan, 2 / 6, (7 - 2.5) - (8 - 5.5)),
    ]
    columns = ["kind", "cohort", "comparison", "weight", "estimate"]
    frame = found.to_frame()
    pd.testing.assert_frame_equal(
        frame[columns], pd.DataFrame(expected, columns=columns), rtol=EXACT, check_dtype=False
    )
    assert (frame[["n_villages", "n_comparison"]] == 1).all(axis=None)
    assert found.estimate == pytest.approx((2 - 1 + 2 * 3.5 + 2 * 2) / 6, rel=EXACT)
    assert found.balanced == pytest.approx(found.estimate, rel=EXACT)
    assert found.share_already_treated == pytest.approx(1 / 6, rel=EXACT)
    # Residual treatment: D less the village's and the year's share, plus the mean of 1/3.
    left = {(2002, 0): 1 / 3, (2002, 1): 0, (2003, 0): 1 / 3}
    weights = found.weights.set_index(["cohort", "event_time"])["weight"]
    assert weights.to_dict() == pytest.approx(
        {k: v * 3 / 2 for k, v in left.items()}, abs=EXACT
    )
    assert found.weights["n_negative"].sum() == 0


def test_always_treated_villages_serve_as_comparison():
    found = decompose_twfe(typed_panel(THREE + "    always  1990   1    2    4\n"))
    rows = found.to_frame().set_index(["kind", "cohort", "comparison"])
    assert rows.loc[(ALREADY, 2003, 2001), "estimate"] == (7 - 2.5) - (4 - 1.5)
    assert set(found.by_kind.index) == {NEVER, EARLIER, ALREADY}
    assert found.balanced == pytest.approx(found.estimate, rel=EXACT)


@pytest.mark.parametrize("year_effects", ["common", "county"])
@pytest.mark.parametrize("seed", [1, 2])
def test_comparisons_add_up_to_the_coefficient(seed, year_effects):
    setup = setup_of(to_panel(random_cells(seed, missing=0.0)), year_effects=year_effects)
    found = decompose_twfe(setup)
    assert found.n_unbalanced == 0 and found.reason == ""
    assert found.comparisons["weight"].sum() == pytest.approx(1, rel=EXACT)
    assert found.estimate == pytest.approx(twfe(setup), rel=SUMS)
    assert found.balanced == pytest.approx(twfe(setup), rel=SUMS)
    assert found.weights["weight"].sum() == pytest.approx(1, rel=EXACT)
    kinds = found.by_kind
    assert (kinds["weight"] * kinds["estimate"]).sum() == pytest.approx(
        found.balanced, rel=SUMS
    )


def test_villages_not_known_in_every_year_are_counted():
    setup = setup_of(to_panel(random_cells(3, missing=0.05)))
    full = np.isfinite(setup.outcome).all(axis=1)
    found = decompose_twfe(setup)
    assert found.n_unbalanced == (~full).sum() > 0
    assert found.balanced == pytest.approx(twfe(setup.take(full)), rel=SUMS)
    assert found.estimate == pytest.approx(twfe(setup), rel=SUMS)
    assert f"leaves out {(~full).sum()} villages" in found.summary()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [4, 5])
def test_diff_diff(seed):
    diff_diff = pytest.importorskip("diff_diff")
    cells = random_cells(seed, missing=0.0)
    cells["cohort"] = cells["cohort"].where(cells["cohort"] <= cells["year"].max())
    found = decompose_twfe(to_panel(cells))
    peer = diff_diff.bacon_decompose(
        cells.assign(first=cells["cohort"].fillna(0)),
        outcome="y", unit="village", time="year", first_treat="first",
    )  # fmt: skip
    kinds = {
        "treated_vs_never": NEVER,
        "earlier_vs_later": EARLIER,
        "later_vs_earlier": ALREADY,
    }
    rows = found.to_frame().fillna(0).set_index(["kind", "cohort", "comparison"])
    assert len(rows) == len(peer.comparisons)
    for pair in peer.comparisons:
        other = 0 if pair.control_group == "never_treated" else pair.control_group
        row = rows.loc[(kinds[pair.comparison_type], pair.treated_group, other)]
        assert row["weight"] == pytest.approx(pair.weight, rel=SUMS)
        assert row["estimate"] == pytest.approx(pair.estimate, rel=SUMS)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", [6, 7])
def test_weights_as_twowayfeweights(seed):
    diff_diff = pytest.importorskip("diff_diff")
    cells = random_cells(seed, never=0.05).dropna(subset="y")
    cells = cells[cells.groupby("village")["y"].transform("size") > 1]
    cells = cells.assign(
        cohort=cells["cohort"] - 3
    )  # treated early: some weights turn negative
    cells["treated"] = (cells["year"] >= cells["cohort"]).astype(float)
    found = decompose_twfe(to_panel(cells))
    peer = diff_diff.twowayfeweights(
        cells, outcome="y", unit="village", time="year", treatment="treated"
    )
    assert found.estimate == pytest.approx(peer.beta_fe, rel=SUMS)
    n, negative = found.weights["n_cells"].sum(), found.weights["n_negative"].sum()
    assert negative > 0
    assert negative / n == pytest.approx(peer.fraction_negative, rel=SUMS)
    text = found.summary()
    assert f"{negative} of {n} weights of treated village-years are negative" in text
    assert "outside all of them" in text


def test_the_coefficient_is_the_weighted_sum_of_effects():
    # Levels and years alone change it by nothing; effects by their weights.
    cells = random_cells(8)
    known = cells["y"].notna()
    time = cells["year"] - cells["cohort"]
    cells["y"] = np.where(time >= 0, (cells["cohort"] - 2000) * (1 + time) ** 2, 0.0)
    cells["y"] = cells["y"].where(known)
    found = decompose_twfe(to_panel(cells))
    rows = found.weights
    effects = (rows["cohort"] - 2000) * (1 + rows["event_time"]) ** 2
    assert found.estimate == pytest.approx((rows["weight"] * effects).sum(), rel=SUMS)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"covariates": ("x",)}, "the regression has covariates"),
        ({"anticipation": 1}, "years that may be anticipated are left out"),
    ],
)
def test_weights_without_comparisons(options, reason):
    setup = setup_of(to_panel(random_cells(9, missing=0.0), covariates=["x"]), **options)
    found = decompose_twfe(setup)
    assert found.reason == reason and found.to_frame().empty
    assert np.isnan(found.balanced) and np.isnan(found.share_already_treated)
    assert found.estimate == pytest.approx(twfe(setup), rel=SUMS)
    assert reason in found.summary()
    with pytest.raises(DesignError, match=reason):
        found.plot()


def test_no_village_in_every_year():
    holed = THREE.replace("1    4    9", "1    4    -").replace("2    3    7", "2    -    7")
    found = decompose_twfe(typed_panel(holed))
    assert found.reason == "no two cohorts to compare are known in every year"


def test_nothing_to_compare():
    alone = "\n".join(line for line in THREE.splitlines() if "late" not in line)
    assert decompose_twfe(typed_panel(alone)).by_kind.index.tolist() == [NEVER]
    with pytest.raises(DesignError, match="nothing to compare"):
        decompose_twfe(typed_panel("\n".join(alone.splitlines()[:3])))


def test_order_and_unit_change_nothing():
    setup = setup_of(to_panel(random_cells(10)))
    order = np.random.default_rng(0).permutation(len(setup.outcome))
    other = replace(setup.take(order), outcome=setup.outcome[order] / 1e4)
    found, again = decompose_twfe(setup), decompose_twfe(other)
    pd.testing.assert_frame_equal(found.weights, again.weights, rtol=SUMS)
    np.testing.assert_allclose(
        found.comparisons["estimate"], again.comparisons["estimate"] * 1e4, rtol=SUMS
    )


def test_told_in_words_and_drawn():
    found = decompose_twfe(typed_panel(THREE))
    text = found.summary(Amounts(unit="yuan"))
    assert text.startswith("Two-way fixed effects give 2.00 yuan.")
    assert "17% of the weight compares villages with ones treated earlier" in text
    assert "0 of 3 weights of treated village-years are negative" in text
    axes = found.plot()
    assert len(axes.collections) == 3
    plt.close(axes.figure)
