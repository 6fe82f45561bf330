"""The data chapter in Chinese: no English is left for a reader."""

import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.language import speaking
from evaluation.report import plots
from evaluation.report.data.income_plots import bunching_table, plot_bunching, plot_subsidies
from evaluation.report.data.ledger_plots import funds_table, plot_funds
from evaluation.report.data.panel_plots import plot_income_paths, plot_map
from evaluation.report.data.panel_tables import (
    panel_summary_table,
    problem_table,
    summary_table,
)
from evaluation.report.data.rollout_plots import (
    plot_balance,
    plot_rollout,
    years_observed_table,
)
from evaluation.report.data.study_tables import (
    evidence_ladder,
    glossary_table,
    limits_table,
    source_table,
)
from evaluation.report.gains.arm_tables import balance_table, indicator_table
from evaluation.report.village_words import show_money
from tests.chinese import english_left
from tests.conftest import REPO
from tests.data.typed_studies import read_typed

ON_STUDIES = [source_table, limits_table, glossary_table]
EXHIBITS = [
    evidence_ladder, panel_summary_table, problem_table, summary_table, balance_table,
    indicator_table, plot_map, plot_income_paths, plot_rollout, plot_balance,
    years_observed_table, plot_subsidies, plot_bunching, bunching_table, plot_funds,
    funds_table,
]  # fmt: skip

FILES = ["villages.csv ledger.csv projects.csv indicators.csv", "evaluation check"]
SETTINGS = ["ledger.shared_by panel.renamed treatment income"]

MESSY = """
    prices: {basis: nominal, base_year: 2020, index: china}
    panel:
      file: villages.csv
      village: {county: 县, town: 乡镇, name: 村}
      year: 年份
      income: {total: {column: 收入, unit: 万元}}
      treatment: {treated: 派驻, reversals: drop}
      traits: {unit: 单位}
      hedged: bounds
    ledger:
      file: ledger.csv
      village: {name: 村, town: 乡镇, county: 县}
      year: 年份
      source: 来源
      stage: 阶段
      amount: {column: 金额, unit: 万元}
"""
VILLAGES = """
    县 乡镇 村 年份 收入 派驻 单位
    汶上县 甲镇 东村 2017 6 0 财政局
    汶上县 甲镇 东村 2019 0 0 财政局
    汶上县 甲镇 东村 2020 7 1 教育局
    汶上县 甲镇 西村 2017 6 1 -
    汶上县 甲镇 西村 2019 10余万 0 -
    汶上县 甲镇 西村 2020 -3 1 -
    汶上县 甲镇 南村 2019 七 1 -
    汶上县 甲镇 南村 2020 8 1 -
    汶上县 甲镇 北村 2017 6 0 -
    汶上县 合计 - 2020 30 - -
"""
LEDGER = """
    县 乡镇 村 年份 来源 阶段 金额
    汶上县 甲镇 东村 2019 财政资金 到位 5
    汶上县 甲镇 东村 2019 财政资金 到位 5
    汶上县 甲镇 东村 2020 财政资金 支出 50
    汶上县 甲镇 东庄村 2020 财政资金 到位 5
    汶上县 甲镇 - 2018 社会资金 到位 5
    汶上县 甲镇 东村 2020 村自筹 到位 -
"""


@pytest.fixture(autouse=True)
def in_chinese():
    with speaking("zh"):
        yield


@pytest.mark.parametrize("name", ["jining_2021", "jining_simulated"])
def test_no_english_is_left(name):
    study_data = load_data(Study.load(REPO / "data" / name))
    made = [make(study_data.study) for make in ON_STUDIES]
    made += [
        make(study_data) for make in EXHIBITS if study_data.problems or make != problem_table
    ]
    for exhibit in made:
        assert english_left(exhibit.to_html(), allowed=FILES) == [], exhibit.name
    assert {exhibit.name: list(exhibit.data.columns) for exhibit in made}["source"] == [
        "fact", "en", "zh",
    ]  # fmt: skip


def test_what_was_found_on_reading_is_told_in_chinese(tmp_path):
    study_data = read_typed(tmp_path, MESSY, villages=VILLAGES, ledger=LEDGER)
    assert len(study_data.problems) > 12
    exhibit = problem_table(study_data)
    assert english_left(exhibit.to_html(), allowed=[*FILES, *SETTINGS]) == []
    assert set(exhibit.data["level"]) == {"warning", "note"}
    summary = panel_summary_table(study_data).data.set_index("item")
    left_out = "第 11 行：合计行“合计”；处理中止或重复的村，已略去"
    assert summary.loc["Left out"].tolist() == [2, left_out]
    assert english_left(plot_funds(study_data).to_html()) == []


def test_money_is_named_in_chinese_and_in_english_where_no_font_has_it(monkeypatch):
    shown = show_money("yuan", 2020)
    assert (shown.unit, shown.brief, shown.currency) == ("万元，2020 年价格", "万元", "元")
    assert shown.in_yuan
    monkeypatch.setattr(plots, "find_chinese_font", lambda: "")
    assert show_money("yuan", 2020).axis == "10,000 yuan, prices of 2020"
