"""The report on village data as a reader gets it: the real notebook on the simulated study."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from evaluation.data.prices import read_price_index
from evaluation.report.record.store import read_record
from evaluation.report.run import run_report
from tests.conftest import REPO, SHARED

SIMULATED = REPO / "data" / "jining_simulated"
# The page prints three digits; results.json has all of them.
EXACT = 1e-12
FEWEST_COVERED = 0.87  # of 82 villages; .95 less three standard errors
MOST_BYTES = 3_000_000
SHOWN_IN = 10_000  # yuan: exhibits show 万元


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return run_report(SIMULATED, out=tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def villages() -> pd.DataFrame:
    return pd.read_csv(SIMULATED / "villages.csv", encoding="gb18030")


@pytest.fixture(scope="module")
def real(villages) -> pd.Series:
    """Income without subsidies, in yuan of 2022, worked out from the file."""
    levels = read_price_index("china")
    kinds = ["经营收入", "发包收入", "投资收益", "其他收入"]
    nominal = villages[kinds].sum(axis=1, skipna=False) * 10_000
    return nominal * levels[2022] / villages["年份"].map(levels)


def rows(folder, name):
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    (exhibit,) = [e for e in results["exhibits"] if e["name"] == name]
    return exhibit["rows"]


def test_simulated_is_said_in_the_title_and_under_every_exhibit(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    title = re.search(r"<title>(.*?)</title>", page)
    assert title and title[1].count("SIMULATED") == 1
    exhibits = page.count('<figure class="exhibit')
    assert exhibits >= 15 and page.count("SIMULATED data.") >= exhibits


def test_the_page_can_be_sent(folder):
    assert (folder / "report.html").stat().st_size < MOST_BYTES


def test_the_third_rung_is_reached(folder):
    assert [row["reached"] for row in rows(folder, "evidence_ladder")] == [False, False, True]


def test_nothing_is_told_that_the_study_does_not_have(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert "This study has no" not in page and "Nothing to show" not in page


def test_the_summary_is_what_the_file_gives(folder, real):
    (income,) = [r for r in rows(folder, "summary_statistics") if r["variable"] == "income"]
    assert income["n"] == real.notna().sum()
    assert income["mean"] == pytest.approx(real.mean() / SHOWN_IN, rel=EXACT)
    assert income["median"] == pytest.approx(real.median() / SHOWN_IN, rel=EXACT)


def test_the_paths_are_the_cohorts_means(folder, villages, real):
    cohorts = villages["派驻年份"].map("{:.0f}".format, na_action="ignore")
    means = (
        (real / SHOWN_IN).groupby([cohorts.fillna("never treated"), villages["年份"]]).mean()
    )
    shown = {(row["cohort"], row["year"]): row["mean"] for row in rows(folder, "income_paths")}
    assert shown == pytest.approx(means.to_dict(), rel=EXACT)


def test_funds_are_the_ledgers(folder):
    ledger = pd.read_csv(SIMULATED / "ledger.csv", encoding="gb18030")
    levels = read_price_index("china")
    received = ledger[ledger["阶段"] == "到位"]
    real = received["金额"] * 10_000 * levels[2022] / received["年份"].map(levels)
    shown = pd.DataFrame(rows(folder, "ledger_funds"))
    assert shown["amount"].sum() == pytest.approx(real.sum() / SHOWN_IN, rel=EXACT)


def test_every_treated_village_has_a_gain_and_its_interval_covers_the_truth(folder):
    table = pd.read_csv(folder / "tables" / "village_gains.csv", dtype={"village": str})
    truth = pd.read_csv(SIMULATED / "truth.csv", dtype={"village": str})
    means = truth.groupby("village")["gain"].mean() / SHOWN_IN
    assert set(table["village"]) == set(means.index)
    true = means[table["village"]].to_numpy()
    covered = (table["conf_low"] <= true) & (true <= table["conf_high"])
    assert covered.mean() >= FEWEST_COVERED


def test_the_chapter_on_gains_is_whole(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("gains_summary", "counterfactual", "event_study", "gain_map", "village_gains"):
        assert f'id="{name}"' in page
    assert 'id="trend_bounds"' not in page and 'id="claimed_gains"' not in page
    summary = {row["item"]: row["value"] for row in rows(folder, "gains_summary")}
    assert summary["Treated villages"] == summary["of them with an interval"] == 82


def test_the_chapter_on_the_effect_is_whole_and_has_the_journals_files(folder):
    page = (folder / "report.html").read_text(encoding="utf-8")
    for name in ("effects", "effects_plot", "event_studies", "twfe_decomposition", "drivers"):
        assert f'id="{name}"' in page
    assert 'class="warning"' not in page
    assert 'href="tables/effects_zh.docx"' in page
    files = {path.name for path in (folder / "tables").glob("effects*")}
    assert {f"effects{end}" for end in (".tex", ".docx", "_zh.tex", "_zh.docx")} < files
    tex = (folder / "tables" / "effects_zh.tex").read_text(encoding="utf-8")
    assert "模拟数据" in tex and "平均处理效应" in tex


def test_every_estimators_interval_covers_the_true_effect(folder, villages, real):
    truth = pd.read_csv(SIMULATED / "truth.csv", dtype={"village": str})
    keys = villages.assign(village=villages["行政区划代码"].astype(str), real=real)
    known = truth.merge(
        keys[["village", "年份", "real"]],
        left_on=["village", "year"],
        right_on=["village", "年份"],
    ).dropna(subset="real")
    true = known["gain"].mean() / SHOWN_IN
    found = [r for r in rows(folder, "effects") if r["conf_low"] is not None]
    assert len(found) >= 5
    for row in found:
        assert row["conf_low"] <= true <= row["conf_high"], row["estimator"]


def test_the_price_index_is_among_the_inputs(folder):
    record = read_record(folder)
    assert {"villages.csv", "ledger.csv", "cpi_china.csv"} <= set(record["inputs"])


@pytest.mark.shared
def test_a_report_on_data_that_are_elsewhere_names_no_place_of_this_machine(tmp_path):
    data = SHARED / "data" / "xu_yao_2015"
    folder = run_report(REPO / "data" / "xu_yao_2015", data=data, out=tmp_path)
    made = [path for path in folder.rglob("*") if path.suffix in (".html", ".json")]
    assert made and not any(str(SHARED) in p.read_text(encoding="utf-8") for p in made)
    (income,) = [r for r in rows(folder, "summary_statistics") if r["variable"] == "income"]
    assert income["n"] == 3513
