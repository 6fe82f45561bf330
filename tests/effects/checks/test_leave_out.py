"""Tests of leaving out places, and the villages that move the average most."""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.check import select_villages
from evaluation.effects.checks.leave_out import (
    _find_first,
    _influences,
    check_influence,
    check_leave_one_out,
)
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)
from tests.gains.panels import typed_panel
from tests.recovery.worlds import SD

EXACT = 1e-12
SAME = 1e-8  # sums over villages in another order
MONEY = 100.0

# Gains by hand, the comparison's outcome being 0 in all years: a 2, b 4, c 12 a year, c's in
# one treated year only. Average (2 + 2 + 4 + 4 + 12) / 5 = 4.8.
TYPED = """
village cohort 2001 2002 2003
a       2002   10   12   12
b       2002   20   24   24
c       2003   30   30   42
n1      -      5    5    5
n2      -      7    7    7
"""


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def barely(panel):
    """Shift treated years until the interval only just excludes zero."""
    att = imputed(panel).gains.att
    shift = att["conf_low"] - 0.01 * (att["conf_high"] - att["conf_low"])
    outcome = panel.matrix() - shift * panel.treated_cells
    return replace(panel, matrices={"income": outcome})


def one_county(seed=2):
    """Give a world in which one county gains much and all others lose a little."""
    panel = world_panel(seed, gain=-0.15, gain_sd=0)
    there = (panel.villages["county"] == "county 007").to_numpy()
    panel.matrices["income"][:] += 12 * SD * (there[:, None] & panel.treated_cells)
    return panel


def test_a_village_moves_the_average_as_worked_by_hand():
    subject = imputed(typed_panel(TYPED), cluster="village", comparison="never_treated")
    total, weight, moves = _influences(subject)
    np.testing.assert_allclose(total, [4, 8, 12], rtol=EXACT)
    np.testing.assert_allclose(weight, [2, 2, 1], rtol=EXACT)
    # Without a the average is (4 + 4 + 12) / 3, without b 16 / 3, without c 12 / 4.
    np.testing.assert_allclose(moves, 4.8 - np.array([20 / 3, 16 / 3, 3]), rtol=EXACT)


def test_influence_is_exact_where_year_effects_are_of_never_treated_villages():
    panel = world_panel(3, counties=10, missing=0.1, staggered=True)
    subject = imputed(panel, comparison="never_treated")
    moves, rows = _influences(subject)[2], subject.gains.cells.rows
    for at in (0, 7):
        kept = np.arange(panel.n_villages) != rows[at]
        without = subject.reestimate(select_villages(panel, kept)).att["estimate"]
        np.testing.assert_allclose(
            subject.gains.att["estimate"] - without, moves[at], rtol=SAME
        )


def test_one_village_that_makes_the_effect_is_found():
    check = check_influence(imputed(barely(world_panel(4))))
    assert check.verdict == "failed"
    assert check.statistic == 1
    first = check.table.iloc[0]
    assert first["n_left_out"] == 1
    assert first["conf_low"] < 0 < first["conf_high"]
    assert "Leaving out 1 of them" in check.sentence
    assert_drawn(check)


def test_an_effect_of_all_villages_passes():
    check = check_influence(imputed(world_panel(4, gain=1)))
    assert check.verdict == "passed"
    assert check.statistic > 14  # of 140 villages
    shares = check.table["share_of_effect"]
    assert (shares.diff().iloc[1:] > 0).all()
    assert shares.iloc[0] < 0.05


def test_an_effect_that_is_not_there_has_no_rule_but_a_number_for_its_sign():
    check = check_influence(imputed(world_panel(4, gain=0.02)))
    assert check.verdict == "informational"
    assert "its sign changes" in check.sentence


def test_the_search_goes_up_and_comes_back():
    asked = []

    def overturned(k):
        asked.append(k)
        return k >= 23

    assert _find_first(overturned, 1_000) == 23
    assert len(asked) < 15
    assert _find_first(lambda k: False, 40) == 41
    assert _find_first(lambda k: k >= 40, 40) == 40


def test_one_county_that_makes_the_effect_fails():
    panel = world_panel(2, gain_sd=0)
    there = (panel.villages["county"] == "county 007").to_numpy()
    panel.matrices["income"][:] += 3 * SD * (there[:, None] & panel.treated_cells)
    check = check_leave_one_out(imputed(barely(panel)), most=8)
    assert check.verdict == "failed"
    worst = check.table.iloc[0]
    assert (worst["name"], worst["same_finding"]) == ("county 007", False)
    assert "county 007" in check.sentence
    assert_drawn(check)


def test_without_an_effect_no_place_decides_over_it():
    check = check_leave_one_out(imputed(world_panel(2, gain=0.0)), most=4)
    assert check.verdict == "informational" and "nothing to explain away" in check.sentence


def test_all_that_was_left_out_is_in_the_table():
    assert len(check_leave_one_out(imputed(world_panel(2)), most=30).table) == 30


def test_of_few_villages_each_number_is_told_once():
    subject = imputed(typed_panel(TYPED), cluster="village", comparison="never_treated")
    assert "Of 3 treated villages the 1 that move" in check_influence(subject).sentence


def test_an_effect_of_all_places_passes():
    check = check_leave_one_out(imputed(world_panel(2)), most=12)
    assert check.verdict == "passed"
    assert set(check.table["left_out"]) == {"county", "treated villages of county"}


def test_units_are_left_out_by_their_labels_with_their_treated_villages():
    panel = one_county()
    names = panel.villages["county"].map(lambda name: f"unit {name[-3:]}")
    named = replace(panel, villages=panel.villages.assign(unit=names), traits=("unit",))
    check = check_leave_one_out(imputed(named), most=6)
    row = check.table[check.table["name"] == "unit 007"].iloc[0]
    assert (row["left_out"], row["n_left_out"]) == ("unit", 4)
    assert not row["same_finding"]


def test_towns_that_are_named_are_left_out_within_their_county():
    panel = world_panel(2, counties=31)
    villages = panel.villages.assign(town=["t1", "t2"] * (panel.n_villages // 2))
    check = check_leave_one_out(imputed(replace(panel, villages=villages)), most=20)
    towns = check.table[check.table["left_out"] == "town"]
    assert len(towns)
    assert towns["name"].str.fullmatch(r"county \d+ t[12]").all()


def test_no_more_than_so_many_are_left_out_and_those_that_move_most():
    subject = imputed(one_county())
    check = check_leave_one_out(subject, most=3)
    assert len(check.table) == 3
    assert check.table["name"].iloc[0] == "county 007"
    assert "of 70 those that move the average most" in check.sentence


def test_a_single_place_is_no_answer():
    panel = world_panel(2, counties=1, comparison=40)
    check = check_leave_one_out(imputed(panel))
    assert check.verdict == "not possible"


@pytest.mark.parametrize("check", [partial(check_leave_one_out, most=8), check_influence])
def test_order_and_money_change_nothing(check):
    panel = world_panel(5, counties=32)
    one = check(imputed(panel))
    other = check(imputed(in_other_order(panel)))
    same_tables(one, replace(other, money=one.money), rtol=SAME)
    rich = check(imputed(in_other_money(panel, MONEY)))
    same_tables(one, rich, rtol=SAME, factor=MONEY)
    pd.testing.assert_series_equal(one.table.iloc[:, 0], other.table.iloc[:, 0])
