"""Tests of other prices and of other comparison villages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.data.panel import OutcomeScale
from evaluation.effects.check import select_villages
from evaluation.effects.checks.alternatives import (
    _common_support,
    check_comparison_groups,
    check_deflators,
)
from tests.effects.checks.subjects import (
    assert_drawn,
    in_other_money,
    in_other_order,
    same_tables,
    subject_of,
    world_panel,
)
from tests.recovery.worlds import SD

EXACT = 1e-12
SAME = 1e-8  # sums over villages in another order
MONEY = 100.0
YEARS = range(2005, 2025)
FLAT = dict.fromkeys(YEARS, 100.0)
STEEP = {year: 1.1 ** (year - 2005) for year in YEARS}


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def richer(panel, sds=60.0):
    """Make treated villages richer by a fixed amount, which parallel trends allow."""
    panel.matrices["income"][:] += sds * SD * panel.is_treated[:, None]
    return panel


def test_a_flat_index_changes_nothing():
    check = check_deflators(imputed(world_panel(1)), levels=FLAT, points=0)
    estimates = check.table["estimate"].to_numpy()
    np.testing.assert_allclose(estimates, estimates[0], rtol=EXACT)
    assert check.verdict == "passed"
    assert check.statistic == pytest.approx(0, abs=EXACT)


def test_the_money_that_effects_are_in_is_undone():
    """With no difference in levels and no growth a constant effect stays what it is."""
    panel = world_panel(1, gain_sd=0)
    gain = 0.5 * SD * panel.treated_cells
    flat = replace(panel, matrices={"income": 5 * SD + gain + 0 * panel.matrix()})
    check = check_deflators(imputed(flat), levels=STEEP)
    np.testing.assert_allclose(check.table["estimate"], 0.5 * SD, rtol=SAME)


def test_real_money_is_made_nominal_with_the_index():
    panel = replace(world_panel(1), price_year=2017)
    check = check_deflators(imputed(panel), levels=STEEP)
    assert check.table["prices"].iloc[1] == "nominal money, by the index given"
    nominal = panel.matrix() * 1.1 ** (panel.years - 2017)
    direct = imputed(replace(panel, matrices={"income": nominal})).gains
    shares = direct.cells.weights.sum(axis=0) / direct.cells.weights.sum()
    factor = shares @ 1.1 ** (panel.years - 2017)
    np.testing.assert_allclose(
        check.table["estimate"].iloc[1], direct.att["estimate"] / factor, rtol=SAME
    )


def test_much_richer_treated_villages_fail():
    check = check_deflators(imputed(richer(world_panel(1))))
    assert check.verdict == "failed"
    assert "Apart from it" in check.sentence
    assert_drawn(check)


def test_villages_alike_in_level_pass():
    check = check_deflators(imputed(world_panel(1)))
    assert check.verdict == "passed"
    assert list(check.table["prices"])[1] == "prices of 2017, by China's consumer prices"


def test_in_logarithms_prices_cancel_and_nothing_is_looked_at():
    panel = world_panel(1)
    positive = replace(
        panel,
        matrices={"income": 1e6 + panel.matrix()},
        analysis=OutcomeScale(form="log"),
    )
    variables = {"income": replace(panel.variables["income"], scale="log")}
    logs = replace(
        panel, matrices={"income": np.log(1e6 + panel.matrix())}, variables=variables
    )
    for other in (positive, logs):
        check = check_deflators(imputed(richer(other, sds=1e-5)), levels=STEEP)
        assert check.verdict == "not possible"
        assert "cancels in logarithms" in check.sentence
    variables = {"income": replace(panel.variables["income"], scale="log1p")}
    check = check_deflators(imputed(replace(logs, variables=variables)))
    assert check.sentence == "Not possible: the outcome is not money, nor its logarithm."


def test_an_outcome_that_is_not_money_has_no_prices():
    panel = world_panel(1)
    variable = replace(panel.variables["income"], unit="户")
    check = check_deflators(imputed(replace(panel, variables={"income": variable})))
    assert check.verdict == "not possible"


def test_money_whose_index_is_unknown_says_so():
    panel = world_panel(1)
    variable = replace(panel.variables["income"], unit="USD")
    check = check_deflators(imputed(replace(panel, variables={"income": variable})))
    assert len(check.table) == 3
    assert "no price index is known" in check.sentence


def parting(seed=1):
    """Give a world whose counties with many treated villages grow by themselves."""
    panel = world_panel(seed, counties=40, gain=0.3)
    county = panel.villages["county"].str[-3:].astype(int).to_numpy()
    order = panel.villages.groupby("county").cumcount().to_numpy()
    growing = county % 2 == 0
    panel.matrices["income"][:] += (
        0.4 * SD * growing[:, None] * np.maximum(panel.years - 2013, 0)
    )
    kept = panel.is_treated | ~growing | (order % 3 == 0)
    return select_villages(panel, kept)


def test_counties_that_grow_by_themselves_fail():
    check = check_comparison_groups(imputed(parting()))
    assert check.verdict == "failed"
    table = check.table.set_index("comparison")
    within = table.loc["villages of the same county"]
    assert within["conf_low"] < 0.3 * SD < within["conf_high"]
    assert table.loc["as chosen", "estimate"] > 0.5 * SD
    assert "villages of the same county" in check.sentence
    assert_drawn(check)


def test_villages_that_move_alike_pass():
    panel = world_panel(2, staggered=True)
    towns = np.where(np.arange(panel.n_villages) % 2, "t1", "t2")
    check = check_comparison_groups(
        imputed(replace(panel, villages=panel.villages.assign(town=towns)))
    )
    assert check.verdict == "passed"
    assert check.table["comparison"].tolist() == [
        "as chosen", "villages never treated", "villages of the same county",
        "villages of the same town", "villages of like income before",
        "each with a trend of its own",
    ]  # fmt: skip
    assert check.table["reason"].eq("").all()


def test_the_choice_made_is_not_an_alternative_to_itself():
    subject = imputed(
        world_panel(2), year_effects="county", comparison="never_treated", cluster="village"
    )
    names = check_comparison_groups(subject).table["comparison"].tolist()
    assert {"villages not yet treated", "villages of all counties"} < {*names}
    assert "villages never treated" not in names
    assert "villages of the same county" not in names


def test_few_counties_compared_with_one_another_have_no_interval():
    """Towns that are clusters within counties are none where counties' shocks differ."""
    panel = world_panel(2, counties=4, treated=12, comparison=24)
    towns = (np.arange(panel.n_villages) % 12).astype(str)
    panel = replace(panel, villages=panel.villages.assign(town=towns))
    subject = imputed(panel, year_effects="county")
    assert np.isfinite(subject.gains.att["conf_low"])
    row = check_comparison_groups(subject).table.set_index("comparison")
    common = row.loc["villages of all counties"]
    assert np.isfinite(common["estimate"]) and np.isnan(common["conf_low"])
    assert common["reason"]
    chosen = imputed(panel, year_effects="county", cluster="town")
    row = check_comparison_groups(chosen).table.set_index("comparison")
    assert np.isfinite(row.loc["villages of all counties", "conf_low"])


def test_a_choice_that_leaves_nothing_out_is_no_alternative():
    panel = world_panel(2)
    panel.matrices["income"][:] += 9 * SD * (panel.villages["county"] == "county 007").to_numpy(
    )[:, None]  # fmt: skip
    alike = "villages of like income before"
    some = imputed(richer(panel, sds=3))
    assert alike in check_comparison_groups(some).table["comparison"].tolist()
    at_once = panel.villages.assign(cohort=panel.villages["cohort"].where(
        panel.villages["county"] != "county 001", panel.years[0]))  # fmt: skip
    early = imputed(replace(panel, villages=at_once))  # no year before the first cohort
    assert alike not in check_comparison_groups(early).table["comparison"].tolist()


def test_common_support_is_where_both_kinds_are():
    panel = richer(world_panel(3, level_sd=2), sds=3)
    marked = _common_support(imputed(panel))
    before = panel.matrix()[:, :5].mean(axis=1)
    kinds = pd.Series(before).groupby(panel.is_treated).agg(["min", "max"])
    low, high = kinds["min"].max(), kinds["max"].min()
    np.testing.assert_array_equal(marked, (before >= low) & (before <= high))
    assert 0 < marked.sum() < len(marked)


@pytest.mark.parametrize("check", [check_deflators, check_comparison_groups])
def test_order_and_money_change_nothing(check):
    panel = world_panel(5, counties=32, staggered=True)
    one = check(imputed(panel))
    same_tables(one, check(imputed(in_other_order(panel))), rtol=SAME)
    same_tables(one, check(imputed(in_other_money(panel, MONEY))), rtol=SAME, factor=MONEY)
