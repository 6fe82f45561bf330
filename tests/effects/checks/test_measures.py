"""Tests of other measures of the outcome, and of grants booked in it."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.data.load import load_data
from evaluation.data.panel import OutcomeScale, Variable
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulated_study import write_simulated_study
from evaluation.data.simulation_options import SimulationOptions
from evaluation.data.study import Study
from evaluation.effects.checks.measures import check_outcomes, check_subsidies
from tests.conftest import edit
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


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def simulated(folder, *, subsidies="excluded", **changes):
    """Give the panel of a simulated study, its income with or without subsidies."""
    options = SimulationOptions(comparison=3, **changes)
    folder = write_simulated_study(simulate_programme(options, seed=3), folder, name="grants")
    edit(folder / "study.yml", "  treatment:", f"  subsidies: {subsidies}\n  treatment:")
    return load_data(Study.load(folder)).panel


def add(panel, name, matrix, *, role="income", unit="yuan"):
    variable = Variable(name=name, role=role, label=name, unit=unit, scale="level", column=name)
    return replace(
        panel,
        matrices={**panel.matrices, name: matrix},
        variables={**panel.variables, name: variable},
    )


def test_a_grant_booked_as_income_fails(tmp_path):
    panel = simulated(tmp_path / "s", subsidies="included", subsidy_rate=0.05, gain_scale=0.0)
    check = check_subsidies(imputed(panel, year_effects="county"))
    assert check.verdict == "failed"
    assert check.statistic == pytest.approx(1, abs=0.35)  # nothing else moves income
    table = check.table.set_index("outcome")
    assert table.loc["subsidies alone", "conf_low"] > 0
    assert "the programme's own money" in check.sentence
    assert_drawn(check)


def test_a_grant_that_the_outcome_leaves_out_passes_and_is_told(tmp_path):
    panel = simulated(tmp_path / "s", subsidy_rate=0.05)
    check = check_subsidies(imputed(panel, year_effects="county"))
    assert check.verdict == "passed"
    assert check.table["conf_low"].iloc[2] > 0
    assert "leaves subsidies out" in check.sentence


def test_subsidies_that_the_programme_does_not_move_pass(tmp_path):
    panel = simulated(tmp_path / "s", subsidies="included", subsidy_rate=0.0)
    check = check_subsidies(imputed(panel, year_effects="county"))
    assert check.verdict == "passed"
    assert "does not show" in check.sentence


def test_a_grant_beside_a_loss_is_no_share_of_it():
    panel = world_panel(1, gain=-0.5)
    panel = add(panel, "income_subsidy", 500.0 * panel.treated_cells)
    label = replace(panel.variables["income"], label="collective income without subsidies")
    panel = replace(panel, variables={**panel.variables, "income": label})
    assert "is grant" not in check_subsidies(imputed(panel)).sentence


def test_income_with_subsidies_is_the_sum_of_its_parts():
    panel = world_panel(1, missing=0.1)
    grants = np.where(
        np.random.default_rng(0).random(panel.matrix().shape) < 0.1, np.nan, 500.0
    ) * (1 + panel.treated_cells)
    panel = add(panel, "income_subsidy", grants)
    label = replace(panel.variables["income"], label="collective income without subsidies")
    panel = replace(panel, variables={**panel.variables, "income": label})
    whole, own, grant = check_subsidies(imputed(panel)).table["estimate"]
    np.testing.assert_allclose(whole, own + grant, rtol=SAME)
    np.testing.assert_allclose(grant, 500, rtol=SAME)


def test_without_subsidies_by_themselves_there_is_no_answer():
    assert check_subsidies(imputed(world_panel(1))).verdict == "not possible"


def test_an_effect_on_all_scales_passes():
    panel = world_panel(1, level_sd=0.5)
    people = np.full(panel.matrix().shape, 200.0)
    panel = add(panel, "population", people, role="covariate", unit="人")
    panel = replace(panel, matrices={**panel.matrices, "income": 20 * SD + panel.matrix()})
    check = check_outcomes(imputed(panel))
    assert check.verdict == "passed"
    assert check.table["scale"].tolist() == ["level", "log", "per population"]
    # Divided by the same number everywhere, a share of the mean is the same.
    np.testing.assert_allclose(
        check.table.loc[2, "share"], check.table.loc[0, "share"], rtol=SAME
    )
    assert check.table.loc[1, "share"] == pytest.approx(check.statistic, rel=0.1)
    assert check.table["estimate"].notna().tolist() == [True, False, False]
    assert_drawn(check)


def test_the_share_is_of_treated_villages_mean_before():
    panel = world_panel(1)
    check = check_outcomes(imputed(panel))
    before = panel.matrix()[panel.is_treated][:, :5].mean()
    att = imputed(panel).gains.att["estimate"]
    np.testing.assert_allclose(check.table.loc[0, "share"], att / before, rtol=EXACT)


def test_an_effect_in_levels_alone_fails():
    """Where rich treated villages grow in proportion, there is no effect in logarithms."""
    panel = world_panel(1, gain=0, gain_sd=0, level_sd=0.2, spread=0)
    growth = np.where(panel.years >= np.nanmin(panel.cohort), 1.25, 1.0)
    level = np.where(panel.is_treated, 40.0, 10.0)[:, None] * SD
    income = (level + 0.2 * (panel.matrix() - 5 * SD)) * growth
    check = check_outcomes(imputed(replace(panel, matrices={"income": income})))
    assert check.verdict == "failed"
    assert "depends on the scale" in check.sentence


def test_kinds_of_income_are_told_without_a_rule():
    panel = world_panel(1)
    rng = np.random.default_rng(0)
    noise = 5 * SD + SD * rng.normal(size=panel.matrix().shape)
    panel = add(add(panel, "income_other", noise), "income_subsidy", noise)
    panel = add(panel, "cooperatives", noise, role="outcome", unit="户")  # no money
    panel = replace(panel, matrices={**panel.matrices, "income": 20 * SD + panel.matrix()})
    check = check_outcomes(imputed(panel))
    assert check.verdict == "passed"
    assert check.table["outcome"].tolist()[-1] == "income other"
    assert "income other" in check.sentence
    assert "subsidy" not in check.sentence


def test_a_main_outcome_in_logarithms_is_compared_with_its_level():
    panel = world_panel(1, level_sd=0.5)
    panel = replace(
        panel,
        matrices={"income": 20 * SD + panel.matrix()},
        analysis=OutcomeScale(form="log"),
    )
    check = check_outcomes(imputed(panel))
    assert check.table["scale"].tolist() == ["log", "level"]
    share = 100 * check.table.loc[0, "share"]
    assert f"The effect is {share:+.1f}% (exp(b) - 1). On 1 other" in check.sentence
    assert " to " not in check.sentence.partition("On 1 other scale")[2].partition(";")[0]
    att = imputed(panel).gains.att["estimate"]
    np.testing.assert_allclose(check.table.loc[0, "share"], np.expm1(att), rtol=EXACT)


@pytest.mark.parametrize("change", [in_other_order, lambda panel: in_other_money(panel, MONEY)])
def test_order_and_money_change_nothing(change):
    panel = replace(world_panel(5, counties=32), analysis=OutcomeScale())
    panel = replace(panel, matrices={"income": 20 * SD + panel.matrix()})
    panel = add(panel, "income_other", panel.matrix() ** 0.5)
    one, other = check_outcomes(imputed(panel)), check_outcomes(imputed(change(panel)))
    factor = MONEY if change is not in_other_order else 1.0
    same_tables(one, other, rtol=SAME, factor=factor)
