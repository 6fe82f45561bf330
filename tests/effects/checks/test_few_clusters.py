"""Tests of what the level of clusters does."""

import numpy as np
import pytest

from evaluation.effects.checks.few_clusters import check_few_clusters
from evaluation.effects.estimates import effective_clusters
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)

EXACT = 1e-10
SAME = 1e-6
MONEY = 100.0
BOTH = ["imputation", "twfe"]


def rows_of(check, estimator="imputation"):
    table = check.table
    return table[table["estimator"] == estimator].set_index("cluster")


def test_shocks_that_counties_share_make_the_level_decide():
    """Eight of forty counties treated whole, no effect, shocks that a county's villages share:
    by village every shock is an effect.
    """
    world = {"counties": 40, "treated_counties": 8, "county_share": 0.4, "gain": 0.0}
    found = check_few_clusters(subject_of(world_panel(4, **world), estimators=BOTH))
    rows = rows_of(found)
    assert found.verdict == "failed"
    assert rows.loc["village", "p_clustered"] < 0.01 < 0.1 < rows.loc["county", "p_clustered"]
    assert rows.loc["county", "n_treated_clusters"] == 8


def test_a_clear_effect_does_not_depend_on_the_level():
    found = check_few_clusters(subject_of(world_panel(), estimators=BOTH))
    assert found.verdict == "passed"
    assert set(found.table["cluster"]) == {"village", "county"}
    assert set(found.table["estimator"]) == {"imputation", "twfe"}


def test_without_an_effect_there_is_nothing_to_depend():
    found = check_few_clusters(subject_of(world_panel(gain=0.0), estimators=BOTH))
    assert found.verdict == "informational" and "at any level" in found.sentence


def test_levels_with_too_few_clusters_have_none():
    subject = subject_of(world_panel(counties=4, treated=8), estimators=BOTH)
    found = check_few_clusters(subject)
    rows = rows_of(found)
    assert "needs 6" in rows.loc["county", "reason"]
    assert np.isnan(rows.loc["county", ["p_clustered", "p_wild"]].astype(float)).all()
    assert "None by county" in found.sentence


def test_within_counties_counties_are_no_clusters():
    subject = subject_of(world_panel(), estimators=BOTH, year_effects="county")
    check = check_few_clusters(subject)
    assert check.table["cluster"].unique().tolist() == ["village"]
    assert check.verdict == "informational"  # a single level
    assert "by village alone" in check.sentence
    assert "None by county (villages are compared within their county)" in check.sentence


@pytest.mark.parametrize("counties", [20, 35])
def test_the_own_level_s_row_is_the_estimate_s_own(counties):
    subject = subject_of(world_panel(counties=counties, comparison=5), estimators=BOTH)
    row, att = rows_of(check_few_clusters(subject)).loc["county"], subject.gains.att
    for name in ("estimate", "se", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(att[name], rel=EXACT)
    own = "p_wild" if counties < 30 else "p_clustered"
    assert row[own] == pytest.approx(att["p_value"], rel=EXACT)
    assert row["effective_clusters"] == effective_clusters(subject.effects.setup)


def test_without_any_errors_there_is_nothing_to_judge():
    """Where every village's path is the same, clusters do not differ: no p-value, no pass."""
    panel = world_panel()
    panel.matrices["income"][:] = 1.0 * panel.treated_cells
    check = check_few_clusters(subject_of(panel, estimators=["imputation"]))
    assert check.sentence == "Not possible: the clusters do not differ."


def test_neither_order_nor_unit_of_money_matters():
    panel = world_panel(counties=8, treated=6, comparison=8, missing=0.05)
    one = check_few_clusters(subject_of(panel, estimators=BOTH))
    scaled = check_few_clusters(subject_of(in_other_money(panel, MONEY), estimators=BOTH))
    same_tables(one, scaled, rtol=SAME, factor=MONEY)
    other = check_few_clusters(subject_of(in_other_order(panel), estimators=BOTH))
    columns = ["estimate", "p_clustered", "effective_clusters"]  # the bootstrap draws by order
    np.testing.assert_allclose(one.table[columns], other.table[columns], rtol=SAME)
    assert_drawn(one)
