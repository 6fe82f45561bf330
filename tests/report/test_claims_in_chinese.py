"""What claims say in a report in Chinese: no English, one name a county, words for codes."""

import json
import re

import pytest

from evaluation.claims.definitions import MEASURES
from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.language import say, speaking
from evaluation.report.claims.check_tables import crosscheck_table
from evaluation.report.claims.measure_tables import (
    comparison_table,
    findings_table,
    measure_table,
    readings_table,
)
from evaluation.report.claims.plots import plot_claim_counts, plot_measures
from evaluation.report.claims.tables import claim_list, hedge_table, pillar_table, relabel
from evaluation.report.efficiency.bought_tables import (
    change_per_yuan_table,
    claimed_bought_table,
)
from evaluation.report.gains.arm_tables import balance_table, indicator_table
from evaluation.report.gains.before_after_tables import claimed_gains_table, trend_bounds_table
from evaluation.report.words import PILLARS
from tests.chinese import english_left, visible
from tests.conftest import REPO

MADE_UP_TREND = 10_000
EVERY = [measure.name for measure in MEASURES]
SHOWN = {
    "counts": plot_claim_counts,
    "hedges": hedge_table,
    "findings": findings_table,
    "plot": lambda table: plot_measures(table, EVERY, name="x", caption=""),
    "measures": lambda table: measure_table(table, EVERY, name="x", caption=""),
    "comparisons": comparison_table,
    "checks": crosscheck_table,
    "loose checks": lambda table: crosscheck_table(table, reading="loose"),
    "readings": readings_table,
    "claims": claim_list,
    "claimed gains": lambda table: claimed_gains_table(table, trend_max=MADE_UP_TREND),
    "claimed bought": claimed_bought_table,
    **{name: lambda table, name=name: pillar_table(table, name) for name in PILLARS},
}


@pytest.fixture(autouse=True)
def chinese():
    with speaking("zh"):
        yield


@pytest.fixture(scope="module")
def villages():
    with speaking("zh"):
        return load_data(Study.load(REPO / "data" / "jining_simulated"))


@pytest.mark.parametrize("name", SHOWN)
def test_claims_are_shown_without_english(jining, name):
    assert english_left(SHOWN[name](jining).to_html()) == []


@pytest.mark.parametrize(
    "make",
    [
        balance_table,
        indicator_table,
        lambda data: trend_bounds_table(data, trend_max=MADE_UP_TREND),
        lambda data: change_per_yuan_table(data, trend_max=MADE_UP_TREND),
    ],
    ids=["balance", "indicators", "trend", "per yuan"],
)
def test_village_tables_are_shown_without_english(villages, make):
    assert english_left(make(villages).to_html()) == []


def test_a_county_has_its_chinese_name_alone(jining):
    shown = visible(findings_table(jining).to_html() + comparison_table(jining).to_html())
    assert "鱼台县" in shown
    assert "Yutai" not in shown


def test_names_become_chinese_words_without_blanks_around_them(jining):
    shown = relabel("n_villages、Yutai.jobs：仅就team给出（C044）", jining)
    assert re.sub(r"<[^>]+>", "", shown) == (
        f"村数、鱼台县的带动就业：仅就{say('one team')}给出（C044）"
    )
    assert 'href="#C044"' in shown


def test_a_ratio_per_yuan_is_said_per_wan(jining):
    shown = visible(claimed_bought_table(jining).to_html())
    assert "每 1 万元项目资金对应的社会资金，若毫无重叠： | 45274 元" in shown
    assert "每元" not in shown


def test_the_notebooks_captions_are_translated():
    notebook = json.loads((REPO / "notebooks/2_published_claims.ipynb").read_text("utf-8"))
    source = "".join("".join(cell["source"]) for cell in notebook["cells"])
    captions = re.findall(r'caption="([^"]+)"', source)
    assert captions
    assert [caption for caption in captions if say(caption) == caption] == []


def test_the_studys_remarks_have_chinese(jining):
    assert [c.claim for c in jining.claims.values() if c.note and not c.note_zh] == []
