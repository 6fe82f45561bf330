"""Chapter 3 in Chinese: no English is left, and reasons are still understood."""

import numpy as np
import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.gains.clusters import too_few
from evaluation.language import speaking
from evaluation.report import plots
from evaluation.report.gains.event_study import event_study_table, plot_event_study
from evaluation.report.gains.paths import plot_counterfactual
from evaluation.report.gains.ranks import plot_ranks, rank_table, selected_villages_table
from evaluation.report.gains.spread import plot_caterpillar, plot_gain_distribution
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.tables import gain_by_table, gains_summary_table
from evaluation.report.gains.villages import plot_gain_map, village_table
from evaluation.report.gains.words import few_words, reason_words, show_interval
from tests.chinese import english_left
from tests.report.test_gain_exhibits import REPO, drawn_gains
from tests.report.test_gain_words import log_gains

OF_ONE = (
    gains_summary_table, plot_counterfactual, plot_event_study, event_study_table,
    plot_gain_distribution, plot_caterpillar, rank_table, plot_ranks,
    selected_villages_table, plot_gain_map, village_table,
)  # fmt: skip
LITERATURE = (
    "Interpreting event-studies from recent difference-in-differences methods arXiv",
    "Kolesár Koles Møller ller",
)


def exhibits_of(gains):
    yield from (exhibit for make in OF_ONE if (exhibit := make(gains)) is not None)
    for by in ("county", "town", "cohort", "year", "event_time"):
        yield gain_by_table(gains, by)


@pytest.mark.parametrize("options", [{}, {"comparison": "never_treated"}])
def test_a_study_of_simulated_villages_is_told_in_chinese(options):
    allowed = (*LITERATURE, "comparison never")  # the parameter and its value
    with speaking("zh"):
        study_data = load_data(Study.load(REPO / "data" / "jining_simulated"))
        for exhibit in exhibits_of(estimate_study_gains(study_data, **options)):
            left = english_left(exhibit.to_html(), allowed=allowed)
            assert left == [], exhibit.name


@pytest.mark.parametrize("make", [lambda: drawn_gains(counties=30), log_gains])
def test_ranks_and_logarithms_are_told_in_chinese(make):
    with speaking("zh"):
        gains = make()
        for exhibit in exhibits_of(gains):
            # Names of invented counties and the label of their outcome are English.
            allowed = (*LITERATURE, gains.panel.variables["income"].label)
            assert english_left(exhibit.to_html(), allowed=allowed) == [], exhibit.name


def test_why_there_are_no_gains_is_told_in_chinese():
    with speaking("zh"):
        study_data = load_data(Study.load(REPO / "data" / "jining_simulated"))
        for options in ({"anticipation": 20}, {"year_effects": "county", "anticipation": 20}):
            gains = estimate_study_gains(study_data, **options)
            assert gains.main is None
            for exhibit in exhibits_of(gains):
                assert english_left(exhibit.to_html()) == [], exhibit.name


def test_reasons_speak_of_places_and_say_once_why_so_many_in_chinese():
    with speaking("zh"):
        reason = too_few(26, 1.1, 0.05)
        assert reason_words(reason, "county").startswith("26 个县，相当于 1.1 个")
        why = few_words([reason], 0.05, "county")
        assert "需要 6 个同等大小的县" in why and "不足 2 个" in why
        assert "不足 2 个" not in few_words([too_few(26, 3.8, 0.05)], 0.05, "county")
        assert show_interval(1.0, np.inf) == "1 及以上"


def test_without_a_chinese_font_figures_are_in_english(monkeypatch):
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    with speaking("zh"):
        gains = drawn_gains(places=True)
        for make in (plot_event_study, plot_counterfactual, plot_gain_map, plot_caterpillar):
            exhibit = make(gains)  # a character that no font has is an error
            assert exhibit.kind == "figure" and "增收额" in exhibit.note
