"""Chapter 6's exhibits: verdicts and what they mean, each check's findings, the curve."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.effects.check import Check, Subject
from evaluation.effects.checks.curve import specification_curve
from evaluation.effects.checks.run import CHECKS, THEMES, run_checks
from evaluation.errors import DesignError, ReportError
from evaluation.report.effects.robustness import (
    check_table,
    plot_check,
    plot_specifications,
    show_checks,
    verdict_table,
    verdict_words,
)
from evaluation.report.effects.robustness_study import StudyRobustness, check_effects
from evaluation.report.effects.study import estimate_study_effects
from evaluation.report.gains.study import estimate_study_gains
from tests.conftest import REPO

NAMES = ["comparison_groups", "placebo_dates", "attrition", "outcome_families"]
EXACT = 1e-12  # one division


@pytest.fixture(scope="module")
def effects():
    data = load_data(Study.load(REPO / "data/jining_simulated"))
    return estimate_study_effects(estimate_study_gains(data), estimators=("imputation",))


@pytest.fixture(scope="module")
def robustness(effects):
    subject = Subject(effects=effects.judged, amounts=effects.amounts)
    return StudyRobustness(
        effects=effects,
        checks=run_checks(subject, names=NAMES),
        curve=specification_curve(subject, choices={"anticipation": [0, 1]}, n_jobs=1),
    )


@pytest.fixture(scope="module")
def nothing():
    """The study of treated villages alone, or of none, has no effect to check."""
    gains = estimate_study_gains(load_data(Study.load(REPO / "data/jining_2021")))
    return check_effects(estimate_study_effects(gains))


def checks_of(**verdicts):
    return {
        name: Check(verdict=v, sentence="", title=name.title(), if_failed=f"{name} is bad")
        for name, v in verdicts.items()
    }


def test_checks_go_by_their_names_and_an_unknown_one_is_refused(robustness):
    assert {name: check.__name__ for name, check in CHECKS.items()} == {
        name: f"check_{name}" for name in CHECKS
    }
    for name, check in robustness.checks.items():
        assert check.name == name and check.theme in THEMES and check.if_failed
    with pytest.raises(DesignError, match="did you mean 'pre_trend'"):
        run_checks(None, names=["pre_trent"])


def test_verdicts_stand_by_theme_with_what_was_found(robustness):
    exhibit = verdict_table(robustness)
    data = exhibit.data
    assert list(data["check"]) == [robustness.checks[name].title for name in (
        "placebo_dates", "outcome_families", "attrition", "comparison_groups")]  # fmt: skip
    assert list(data["theme"]) == [
        THEMES[theme] for theme in ("trends", "chance", "data", "choices")
    ]
    for check in robustness.checks.values():
        assert check.sentence in data["finding"].tolist()
        assert check.question in data["question"].tolist()
    assert "✓ passed" in exhibit.body and "Of 4 checks " in exhibit.body
    assert exhibit.note.startswith(
        "Checked: the imputation estimate with year effects by county"
    )
    assert exhibit.simulated


def test_a_statistic_that_is_an_amount_is_shown_as_one(robustness):
    check = replace(
        robustness.checks["attrition"], statistic=20_000.0, money=("statistic",), theme="few"
    )
    data = verdict_table(replace(robustness, checks={"attrition": check})).data
    assert data["statistic"].iloc[0] == 2


def test_what_failed_is_named_with_what_it_means():
    told = verdict_words(checks_of(one="passed", two="failed", three="informational"))
    assert told == (
        "Of 3 checks 1 passed, 1 failed, 1 has no verdict, 0 are not possible. Two failed: two "
        "is bad. No verdict, which leaves it to you to judge: three."
    )


def test_passing_is_no_proof_and_what_is_not_possible_is_named():
    told = verdict_words(checks_of(one="passed", two="not possible"))
    assert "That none failed is no proof" in told
    assert told.endswith("Not possible with these data: two.")


def test_where_no_check_has_an_answer_none_speaks_for_the_claim():
    told = verdict_words(checks_of(one="not possible", two="informational"))
    assert "none failed" not in told
    assert "No verdict, which leaves it to you to judge: two." in told


def test_the_event_study_that_checks_of_trends_look_at_is_named(robustness):
    assert "Checks of trends" not in verdict_table(robustness).note  # imputation alone
    judged = robustness.effects.judged
    found = {**judged.found, "callaway_santanna": judged.found["imputation"]}
    both = replace(judged, found=found)
    effects = replace(robustness.effects, main=both, within=None)
    note = verdict_table(replace(robustness, effects=effects)).note
    assert "Checks of trends look at the event study of group-time averages" in note


def test_a_column_of_p_values_says_so(robustness):
    table = pd.DataFrame({"p_clustered": [0.5], "p_wild": [0.25], "p_value": [0.125]})
    check = Check(verdict="passed", sentence="", title="T", question="Q?", table=table)
    body = check_table(replace(robustness, checks={"c": check}), "c").body
    for head in ("p, clustered", "p, wild", "p"):
        assert f">{head}</th>" in body


def test_a_check_s_table_has_intervals_p_values_and_amounts_as_shown(robustness):
    check = robustness.checks["placebo_dates"]
    exhibit = check_table(robustness, "placebo_dates")
    np.testing.assert_allclose(
        exhibit.data["estimate"], check.table["estimate"] / 10_000, rtol=EXACT
    )
    np.testing.assert_allclose(exhibit.data["p_value"], check.table["p_value"], rtol=EXACT)
    assert exhibit.data["unit"].unique().tolist() == [robustness.shown.unit]
    assert '<th scope="col">95% interval</th>' in exhibit.body
    assert ">P</th>" not in exhibit.body  # "p" is a letter, not a word
    assert ">p</th>" in exhibit.body
    for absent in ("Conf low", "Conf high", "Reason", "Unit"):  # reasons are empty here
        assert f">{absent}</th>" not in exhibit.body
    assert exhibit.note.startswith("Passed. Average effect")
    assert "Amounts in 万元, prices of" in exhibit.note
    assert exhibit.caption == f"{check.title}: {check.question}"


def test_long_tables_are_cut_on_the_page_alone(robustness):
    table = pd.DataFrame({"estimate": np.arange(33.0), "kept": True, "n_villages": 12_345})
    long = Check(
        verdict="informational", sentence="Found.", title="T", question="Q?", table=table
    )
    exhibit = check_table(replace(robustness, checks={"long": long}), "long")
    assert len(exhibit.data) == 33 and exhibit.body.count("<tr>") == 31
    assert "3 more rows are in the table's file" in exhibit.note
    assert "Amounts" not in exhibit.note
    assert "<td>yes</td>" in exhibit.body and '<td class="n">12,345</td>' in exhibit.body


def test_a_check_without_an_answer_has_its_reason_as_data(robustness):
    none = Check(
        verdict="not possible", sentence="Not possible: no road.", title="T", question="Q?"
    )
    exhibit = check_table(replace(robustness, checks={"none": none}), "none")
    assert exhibit.data["finding"].tolist() == ["Not possible: no road."]
    assert "Not possible: no road." in exhibit.note


def test_a_figure_has_the_numbers_of_its_table(robustness):
    figure = plot_check(robustness, "comparison_groups")
    assert figure.kind == "figure" and figure.name == "check_comparison_groups_figure"
    pd.testing.assert_frame_equal(
        figure.data, check_table(robustness, "comparison_groups").data
    )
    bare = replace(robustness.checks["attrition"], draw=None)
    instead = plot_check(replace(robustness, checks={"attrition": bare}), "attrition")
    assert instead.kind == "table" and instead.name == "check_attrition"


def test_the_curve_is_drawn_in_the_unit_shown(robustness):
    exhibit = plot_specifications(robustness)
    frame = robustness.curve.frame
    for name in ("estimate", "se", "conf_low", "conf_high"):
        np.testing.assert_allclose(exhibit.data[name], frame[name] / 10_000, rtol=EXACT)
    assert exhibit.note == robustness.curve.summary()
    assert exhibit.note.startswith("2 combinations of choices")


def test_a_curve_of_nothing_says_so_instead_of_failing(robustness):
    frame = robustness.curve.frame.assign(estimate=np.nan, reason="no gains.")
    bare = replace(robustness, curve=replace(robustness.curve, frame=frame))
    assert "no combination of choices could be estimated" in plot_specifications(bare).body


def test_a_theme_is_shown_whole_and_an_unknown_one_is_refused(robustness, monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda exhibit: shown.append(exhibit.name))
    show_checks(robustness, "data")
    assert shown == ["check_attrition_figure", "check_attrition"]
    with pytest.raises(ReportError, match="no theme 'dada'; did you mean 'data'"):
        show_checks(robustness, "dada")


def test_a_study_without_comparison_villages_gives_the_reason(nothing, capsys):
    assert nothing.checks == {} and nothing.reason
    for exhibit in (verdict_table(nothing), plot_specifications(nothing)):
        assert nothing.reason in exhibit.body and exhibit.kind == "table"
    assert nothing.reason in check_table(nothing, "pre_trend").body
    show_checks(nothing, "trends")
    assert capsys.readouterr().out == ""
