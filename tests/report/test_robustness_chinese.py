"""Chapter 6 in Chinese: nothing of what a reader sees is left in English."""

import re
from dataclasses import replace

import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.effects.check import Subject
from evaluation.effects.checks.curve import specification_curve
from evaluation.effects.checks.leave_out import check_leave_one_out
from evaluation.effects.checks.run import CHECKS, run_checks
from evaluation.language import speaking
from evaluation.report import plots
from evaluation.report.effects import robustness
from evaluation.report.effects.robustness_study import StudyRobustness
from evaluation.report.effects.study import estimate_study_effects
from evaluation.report.gains.study import estimate_study_gains
from tests.chinese import english_left
from tests.conftest import REPO

CHOICES = {
    "comparison": ["not_yet_treated", "never_treated"],
    "covariates": [[], ["households"]],
    "anticipation": [0, 1, 2],
    "cohorts": [(), (2017,)],
}
CHINESE = re.compile("[一-鿿]")


@pytest.fixture(scope="module")
def found():
    with speaking("zh"):
        gains = estimate_study_gains(load_data(Study.load(REPO / "data/jining_simulated")))
        effects = estimate_study_effects(gains, estimators=("imputation", "callaway_santanna"))
        subject = Subject(effects=effects.judged, amounts=effects.amounts)
        names = [name for name in CHECKS if name != "leave_one_out"]
        checks = run_checks(subject, names=names)
        checks["leave_one_out"] = check_leave_one_out(subject, most=3)
        curve = specification_curve(subject, choices=CHOICES, n_jobs=1)
    return StudyRobustness(effects=effects, checks=checks, curve=curve)


def drawn(exhibit):
    return [text.strip() for text in re.findall("<!--(.*?)-->", exhibit.svg, re.DOTALL)]


def test_no_english_is_left(found):
    with speaking("zh"):
        exhibits = [robustness.verdict_table(found), robustness.plot_specifications(found)]
        for name in found.checks:
            exhibits += [
                robustness.plot_check(found, name),
                robustness.check_table(found, name),
            ]
    assert len(exhibits) == 2 + 2 * len(CHECKS)
    for exhibit in exhibits:
        texts = "".join(f"<p>{text}</p>" for text in drawn(exhibit))
        assert english_left(str(exhibit.to_html()) + texts) == [], exhibit.name


def test_what_the_outcome_is_made_of_is_known_in_any_language(found):
    assert "结果变量不含补助" in found.checks["subsidies"].sentence


def test_keys_of_the_data_stay_english(found):
    with speaking("zh"):
        data = robustness.verdict_table(found).data
        assert robustness.check_table(found, "few_clusters").data["cluster"][0] == "village"
    assert set(data["verdict"]) <= {"passed", "failed", "informational", "not possible"}
    assert "Other prices" in data["check"].tolist()


def test_figures_are_in_english_where_no_font_has_chinese(found, monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    with speaking("zh"):
        prices = robustness.plot_check(found, "deflators")
        places = robustness.plot_check(found, "leave_one_out")
        curve = robustness.plot_specifications(found)
    assert CHINESE.search(prices.caption)
    assert "prices rising 2 points a year faster" in drawn(prices)
    assert {"1", "2", "3"} <= {*drawn(places)}  # rows of its table, for names in Chinese
    assert "with households" in drawn(curve)
    for exhibit in (prices, places, curve):
        assert not CHINESE.search("".join(drawn(exhibit)))


def test_workers_say_their_reasons_in_the_language_spoken(found):
    subject = Subject(effects=found.effects.judged)
    cohorts = tuple(sorted({*subject.panel.cohort[subject.panel.is_treated].tolist()}))
    choices = {"comparison": CHOICES["comparison"], "cohorts": [cohorts]}
    with speaking("zh"):
        curve = specification_curve(subject, choices=choices, n_jobs=2)
        assert CHINESE.search(curve.frame["reason"].iloc[0])
        bare = robustness.plot_specifications(replace(found, curve=curve))
    assert "所有设定组合均无法估计" in bare.body
