"""Tests of the specification curve."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.data.panel import OutcomeScale, Variable
from evaluation.effects.check import Amounts, select_villages
from evaluation.effects.checks.curve import SpecificationCurve, specification_curve
from evaluation.effects.checks.specifications import KEYS, list_specifications, read_choices
from evaluation.effects.estimate import estimate_effects
from evaluation.errors import DesignError
from tests.effects.checks.subjects import (
    in_other_money,
    in_other_order,
    subject_of,
    world_panel,
)
from tests.recovery.worlds import SD

EXACT = 1e-12
SAME = 1e-8  # sums over villages in another order, or by another number of threads
MONEY = 100.0
MAIN = {
    "estimator": "imputation", "comparison": "not_yet_treated", "year_effects": "common",
    "covariates": (), "anticipation": 0, "trends": False, "scale": "level", "subsidies": "",
    "cohorts": (),
}  # fmt: skip


def imputed(panel, **options):
    return subject_of(panel, estimators=("imputation",), **options)


def positive(panel):
    return replace(panel, matrices={"income": 20 * SD + panel.matrix()})


def test_every_combination_that_differs_is_listed_once():
    choices = {key: (value,) for key, value in MAIN.items()} | {
        "estimator": ("imputation", "callaway_santanna", "twfe", "matched_did"),
        "comparison": ("not_yet_treated", "never_treated"),
        "covariates": ((), ("x",)),
        "trends": (False, True),
    }
    found = list_specifications(choices)
    counts = pd.Series([spec["estimator"] for spec in found]).value_counts()
    # Trends are the imputation's alone; TWFE compares with all; matching needs covariates.
    assert counts.to_dict() == {
        "imputation": 8, "callaway_santanna": 4, "twfe": 2, "matched_did": 2,
    }  # fmt: skip
    assert len({tuple(spec.items()) for spec in found}) == len(found)


def test_what_is_declared_by_default_begins_with_what_was_chosen():
    panel = world_panel(1, staggered=True)
    chosen = MAIN | {"year_effects": "county", "anticipation": 1}
    choices = read_choices(panel, chosen, None)
    assert {key: values[0] for key, values in choices.items()} == chosen
    assert choices["year_effects"] == ("county", "common")
    assert choices["scale"] == ("level",)  # some outcomes are below zero
    assert read_choices(positive(panel), chosen, None)["scale"] == ("level", "log")


@pytest.mark.parametrize(
    ("choices", "message"),
    [({"estimators": ["twfe"]}, "did you mean 'estimator'"), ({"scale": "log"}, "as a list")],
)
def test_choices_that_are_none_are_errors(choices, message):
    with pytest.raises(DesignError, match=message):
        specification_curve(world_panel(1, counties=10), choices=choices)


def test_rows_are_what_the_estimators_give():
    panel = world_panel(1, counties=32, staggered=True)
    subject = imputed(panel)
    curve = specification_curve(
        subject,
        choices={
            "estimator": ["imputation", "callaway_santanna", "twfe"], "anticipation": [0, 1],
        },
        n_jobs=1,
    )  # fmt: skip
    frame = curve.frame
    assert len(frame) == 6
    assert frame["main"].tolist() == [True] + [False] * 5
    both = ["estimate", "se", "conf_low", "conf_high"]
    np.testing.assert_allclose(
        frame.loc[0, both].to_numpy(float), subject.gains.att[both].to_numpy(float), rtol=EXACT
    )
    for name in ("callaway_santanna", "twfe"):
        for years in (0, 1):
            table = estimate_effects(panel, estimators=[name], anticipation=years)
            row = frame[(frame["estimator"] == name) & (frame["anticipation"] == years)].iloc[0]
            np.testing.assert_allclose(
                row[both].to_numpy(float),
                table.overall.loc[name, both].to_numpy(float),
                rtol=EXACT,
            )


def test_few_counties_have_no_interval_where_they_are_compared_with_one_another():
    panel = world_panel(2, counties=4, treated=12, comparison=24)
    towns = (np.arange(panel.n_villages) % 12).astype(str)
    panel = replace(panel, villages=panel.villages.assign(town=towns))
    choices = {"year_effects": ["county", "common"],
               "estimator": ["imputation", "callaway_santanna"]}  # fmt: skip
    subject = imputed(panel, year_effects="county")
    curve = specification_curve(subject, choices=choices, n_jobs=1)
    bare = curve.frame.set_index("year_effects")["conf_low"].isna()
    assert bare.loc["common"].all() and not bare.loc["county"].any()
    assert curve.frame["estimate"].notna().all()
    assert "of the 2 with an interval" in curve.summary()
    chosen = imputed(panel, year_effects="county", cluster="town")
    assert (
        specification_curve(chosen, choices=choices, n_jobs=1).frame["conf_low"].notna().all()
    )


def test_workers_give_what_one_process_gives_in_the_same_order():
    subject = imputed(world_panel(2, counties=31, staggered=True))
    choices = {"comparison": ["never_treated", "not_yet_treated"], "trends": [False, True],
               "estimator": ["imputation", "twfe"]}  # fmt: skip
    told = []
    one = specification_curve(subject, choices=choices, n_jobs=1)
    two = specification_curve(
        subject,
        choices=choices,
        n_jobs=2,
        progress=lambda done, total: told.append((done, total)),
    )
    pd.testing.assert_frame_equal(one.frame, two.frame, rtol=SAME)
    assert told == [(done, 5) for done in range(1, 6)]


def test_what_cannot_be_estimated_has_its_reason_and_the_rest_goes_on():
    panel = world_panel(3, counties=31, n_untreated=2)
    curve = specification_curve(imputed(panel), choices={"anticipation": [0, 1, 2]}, n_jobs=1)
    assert curve.frame["estimate"].isna().tolist() == [False, False, True]
    assert "no treated village has a gain" in curve.frame["reason"].iloc[2]
    assert "1 of which could not be estimated" in curve.summary()


def test_an_effect_on_logarithms_is_brought_to_levels():
    """Every treated village's income is half as large again: the same on both scales."""
    panel = world_panel(1, counties=32)
    base = np.full(panel.matrix().shape, 10 * SD)
    noise = np.exp(0.01 * np.random.default_rng(0).normal(size=base.shape))
    income = base * noise * np.where(panel.treated_cells, 1.5, 1.0)
    panel = replace(panel, matrices={"income": income})
    frame = specification_curve(
        imputed(panel), choices={"scale": ["level", "log"]}, n_jobs=1
    ).frame
    np.testing.assert_allclose(frame["estimate"], 5 * SD, rtol=0.005)
    log = imputed(replace(panel, analysis=OutcomeScale(form="log"))).gains.att
    mean = income[panel.treated_cells].mean()
    np.testing.assert_allclose(
        frame.loc[1, ["estimate", "conf_low", "conf_high"]].to_numpy(float),
        mean * (1 - np.exp(-log[["estimate", "conf_low", "conf_high"]].to_numpy(float))),
        rtol=SAME,
    )


def test_cohorts_are_left_out_and_subsidies_put_in():
    panel = world_panel(4, counties=32, staggered=True)
    grants = np.where(panel.treated_cells, 700.0, 100.0)
    label = replace(panel.variables["income"], label="collective income without subsidies")
    subsidy = Variable(
        name="income_subsidy", role="income", label="s", unit="yuan", scale="level", column="s"
    )
    panel = replace(
        panel,
        matrices={**panel.matrices, "income_subsidy": grants},
        variables={"income": label, "income_subsidy": subsidy},
    )
    subject = imputed(panel)
    late = np.nanmax(panel.cohort)
    frame = specification_curve(
        subject,
        choices={"cohorts": [(), (late,)], "subsidies": ["without", "with"]},
        n_jobs=1,
    ).frame
    without = subject.reestimate(select_villages(panel, panel.cohort != late)).att["estimate"]
    np.testing.assert_allclose(frame["estimate"].iloc[1], without, rtol=EXACT)
    np.testing.assert_allclose(
        frame["estimate"].to_numpy()[2:] - frame["estimate"].to_numpy()[:2], 600,
        rtol=SAME,
    )  # fmt: skip


def test_of_too_many_some_are_drawn_and_the_one_chosen_is_among_them():
    panel = positive(world_panel(5, counties=31))
    curve = specification_curve(panel, most=6, n_jobs=1)
    assert curve.n_combinations == 56
    assert len(curve.frame) in (6, 7)
    assert curve.frame["main"].sum() == 1
    assert "drawn from" in curve.summary()


def test_the_summary_counts_signs_and_intervals():
    frame = pd.DataFrame(
        {
            "estimator": ["a", "b", "c", "d"],
            "main": [True, False, False, False],
            "estimate": [2.0, 3.0, -1.0, np.nan],
            "conf_low": [1.0, np.nan, -2.0, np.nan],
            "conf_high": [3.0, np.nan, 0.5, np.nan],
            "reason": ["", "few", "", "none"],
        }
    )
    told = SpecificationCurve(
        frame=frame, choices={}, n_combinations=4, amounts=Amounts(unit="yuan"), alpha=0.05
    ).summary()
    assert "4 combinations of choices, 1 of which could not be estimated" in told
    assert "median effect is 2.00 yuan, the range -1.00 to 3.00 yuan" in told
    assert "67% are positive" in told
    assert "of the 2 with an interval 50% exclude zero, 1 have none" in told
    assert "number 2 from below of 3" in told


def test_the_figure_has_the_curve_and_a_mark_for_each_choice():
    import matplotlib.pyplot as plt

    curve = specification_curve(
        imputed(world_panel(1, counties=31)),
        choices={"trends": [False, True], "anticipation": [0, 1]},
        n_jobs=1,
    )
    figure = plt.figure()
    curve.draw(figure)
    top, below = figure.axes
    assert top.get_ylabel() == "average effect, 万元"
    assert [label.get_text() for label in below.get_yticklabels()] == [
        "no anticipation", "1 year of anticipation", "no trends", "trends by village",
    ]  # fmt: skip
    heights = np.concatenate([line.get_ydata() for line in top.lines])
    assert np.abs(heights).max() < 10  # in 万元, not in yuan
    plt.close(figure)


@pytest.mark.parametrize("change", [in_other_order, lambda panel: in_other_money(panel, MONEY)])
def test_order_and_money_change_nothing(change):
    choices = {"scale": ["level", "log"], "estimator": ["imputation", "twfe"]}
    panel = positive(world_panel(6, counties=31))
    one = specification_curve(panel, choices=choices, n_jobs=1).frame
    other = specification_curve(change(panel), choices=choices, n_jobs=1).frame
    factor = MONEY if change is not in_other_order else 1.0
    money = ["estimate", "se", "conf_low", "conf_high"]
    np.testing.assert_allclose(
        other[money].to_numpy(float), factor * one[money].to_numpy(float), rtol=SAME
    )
    pd.testing.assert_frame_equal(one[list(KEYS)], other[list(KEYS)])
