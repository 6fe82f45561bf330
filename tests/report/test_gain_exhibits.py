"""Chapter 3's exhibits: numbers worked by hand, words that follow them, what may be missing."""

import dataclasses
import os
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml

from evaluation.data.panel import OutcomeScale
from evaluation.errors import ReportError
from evaluation.report.gains import ranks as gain_ranks
from evaluation.report.gains import spread as gain_spread
from evaluation.report.gains import tables as gain_tables
from evaluation.report.gains import villages as gain_villages
from evaluation.report.gains.before_after_tables import trend_bounds_table
from evaluation.report.gains.event_study import event_study_table, plot_event_study
from evaluation.report.gains.paths import find_village, plot_counterfactual
from evaluation.report.gains.ranks import plot_ranks, rank_table, selected_villages_table
from evaluation.report.gains.spread import plot_caterpillar, plot_gain_distribution
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.tables import gain_by_table, gains_summary_table
from evaluation.report.gains.villages import plot_gain_map, village_table
from evaluation.report.gains.words import interval_cells
from evaluation.report.run import run_report
from tests.conftest import REPO
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

LAST_DIGIT = 0.01  # of a coverage as it is told
EXACT = 1e-9  # sums of few numbers of size 1 to 10, through a least-squares solve
YEARS = [2018, 2019, 2020, 2021]
EXHIBITS = [
    gains_summary_table, plot_counterfactual, plot_event_study, event_study_table,
    lambda gains: gain_by_table(gains, "county"), plot_gain_distribution, plot_caterpillar,
    rank_table, plot_ranks, selected_villages_table, plot_gain_map, village_table,
]  # fmt: skip
SHRINKING = (
    plot_gain_distribution,
    plot_caterpillar,
    selected_villages_table,
    plot_gain_map,
)


def hand_panel(**options):
    """Two treated villages over twenty others whose mean never moves.

    Their noise cancels within each pair, and so does the treated villages' before 2021: year
    effects are zero, levels are 2, and the gains 9 - 2 and 5 - 2.
    """
    noise = np.array([[0, 1, -1, 1], [0, -1, 1, -1]])
    pairs = [6 + (1 + pair / 10) * noise for pair in range(10)]
    outcome = np.vstack([[[1, 3, 2, 9], [3, 1, 2, 5]], *pairs])
    cohort = [2021, 2021, *[NEVER] * 20]
    return panel_of(cohort, YEARS, outcome, **options)


def hand_gains(**options):
    return estimate_study_gains(data_of(panel=hand_panel(**options)))


def drawn_panel(*, dip=0.0, n_treated=60, n_never=120, counties=1, spread=1.0, **options):
    """Villages with independent noise; the treated gain 3 +- spread from 2020 on.

    ``dip``: how much less the treated have in 2019, the year before.
    """
    rng = np.random.default_rng(3)
    n, years = n_treated + n_never, np.arange(2012, 2023)
    cohort = np.where(np.arange(n) < n_treated, 2020.0, NEVER)
    after = years >= cohort[:, None]
    gain = 3 + rng.normal(0, spread, (n, 1))
    outcome = 8 + rng.normal(0, 0.5, (n, len(years))) + gain * after
    outcome[:n_treated, years == 2019] -= dip
    county = [f"C{i % counties:02d}" for i in range(n)]
    return panel_of(cohort, years, outcome, county=county, **options)


def drawn_gains(**options):
    return estimate_study_gains(data_of(panel=drawn_panel(**options)))


# -- how gains were estimated --------------------------------------------------------------


def test_the_summary_has_the_gains_worked_by_hand():
    exhibit = gains_summary_table(hand_gains())
    found = exhibit.data.set_index("item")["value"]
    assert found["Mean gain"] == pytest.approx((7 + 3) / 2, rel=EXACT)
    assert (found["Treated villages"], found["of them with a gain"]) == (2, 2)
    assert found["Comparison"] == 2 * 3 + 20 * 4
    assert re.search(
        r"the 2 treated villages with a gain had an estimated 5(.00)? more a year", exhibit.note
    )
    assert "万元, prices of 2020" in exhibit.note


def test_a_loss_is_called_less():
    panel = hand_panel()
    panel.matrices["income"][:2, -1] = 0  # gains of 0 - 2
    note = gains_summary_table(estimate_study_gains(data_of(panel=panel))).note
    assert re.search(r"had an estimated 2(.00)? less a year", note)


def test_reasons_are_counted_and_stand_beside_their_village():
    panel = panel_of(
        [2021, 2018, *[NEVER] * 20],
        YEARS,
        np.vstack([[[1, 3, 2, 9], [2, 2, 2, 2]], np.tile([[5, 6, 5, 6]], (20, 1))]),
    )
    gains = estimate_study_gains(data_of(panel=panel))
    rows = gains_summary_table(gains).data
    (row,) = rows[rows["item"] == "without a gain"].to_dict("records")
    assert (row["value"], row["what"]) == (1, "no untreated year with a known outcome")
    table = village_table(gains).data.set_index("village")
    assert np.isnan(table.loc["v1", "gain"])
    assert table.loc["v1", "reason"] == "no untreated year with a known outcome"


def test_village_years_left_out_for_a_covariate_are_counted():
    land = np.ones((22, 4)) + np.arange(22)[:, None] * np.arange(4)
    land[5, 1] = np.nan
    panel = hand_panel(land=land)
    gains = estimate_study_gains(data_of(panel=panel), covariates=" land ,")
    rows = gains_summary_table(gains).data.set_index("item")
    assert rows.loc["Village-years left out"].to_list() == [1, "a covariate is not known"]
    assert rows.loc["Covariates", "what"] == "land"


def test_gains_in_logarithms_are_given_as_a_share_and_in_money():
    panel = dataclasses.replace(drawn_panel(spread=0), analysis=OutcomeScale(form="log"))
    exhibit = gains_summary_table(estimate_study_gains(data_of(panel=panel)))
    found = exhibit.data.set_index("item")
    log = found.loc["Mean gain", "value"]
    assert found.loc["Mean gain in money", "value"] == pytest.approx(3, abs=0.2)  # 万元
    assert f"an estimated {np.expm1(log):.0%} more on average over their" in exhibit.note
    assert "log of yuan, prices of 2020" in exhibit.note


# -- with and without ----------------------------------------------------------------------


def test_the_paths_are_the_means_worked_by_hand():
    data = plot_counterfactual(hand_gains()).data
    all_ = data[data["panel"] == "programme"].set_index("year")
    assert all_["outcome"].to_list() == pytest.approx([2, 2, 2, 7], rel=EXACT)
    assert all_["counterfactual"].to_list() == pytest.approx([2, 2, 2, 2], rel=EXACT)
    assert all_["n_villages"].to_list() == [2, 2, 2, 2]


def test_paths_of_many_counties_are_those_with_most_villages():
    exhibit = plot_counterfactual(drawn_gains(counties=15))
    assert exhibit.data["panel"].nunique() == 12  # the programme, ten counties, a village
    assert "The 10 of 15 counties with most treated villages." in exhibit.note


def villages(**names):
    frame = pd.DataFrame(
        {"gain": [1.0, 5.0, 2.0, np.nan], "conf_low": [0, 0, 0, np.nan]}, index=list(names)
    ).assign(name=list(names.values()))
    return frame.assign(reason=["", "", "", "no untreated year"])


EVERYBODY = pd.DataFrame(
    {"name": ["Lone", "Late"], "cohort": [NEVER, 2030]}, index=["k8", "k9"]
)


def test_a_village_is_found_by_key_or_name_or_is_the_median_one():
    frame = villages(k1="East", k2="West", k3="North", k4="South")
    found = [find_village(frame, name, EVERYBODY) for name in ("k2", "West", "")]
    assert found == ["k2", "k2", "k3"]


def test_the_median_is_that_of_all_gains_not_of_those_with_an_interval():
    frame = villages(k1="East", k2="West", k3="North", k4="South")
    frame.loc[["k1", "k3"], "conf_low"] = np.nan
    assert find_village(frame, "", EVERYBODY) == "k3"  # of 1, 2 and 5
    frame.loc["k4", "gain"] = 3.0  # of 1, 2, 3 and 5: 2 and 3 are in the middle
    assert find_village(frame, "", EVERYBODY) == "k3"
    frame.loc["k4", "conf_low"] = 0
    assert find_village(frame, "", EVERYBODY) == "k4"


@pytest.mark.parametrize(
    ("village", "says"),
    [
        ("Wset", "is no treated village; did you mean 'West'?"),
        ("zzz", "give one of the 3 treated villages with a gain, such as k1 (East), k2 (West)"),
        ("East", "2 villages are called so; name one by its key: k1, k3"),
        ("South", "has no gain: no untreated year"),
        ("Lone", "village 'Lone' is never treated; give one of the 3"),
        ("k9", "village 'k9' is not treated before 2030; give one of the 3"),
    ],
)
def test_a_village_that_cannot_be_drawn_says_why(village, says):
    with pytest.raises(ReportError, match=re.escape(says)):
        find_village(villages(k1="East", k2="West", k3="East", k4="South"), village, EVERYBODY)


def test_a_name_that_several_villages_share_stands_with_its_key():
    gains = hand_gains()
    gains.found.villages["name"] = ["Dongcun", "Xicun"]
    assert "one village: v0 " not in (alone := plot_counterfactual(gains, village="v0").svg)
    assert "one village: Dongcun " in alone
    gains.found.villages["name"] = "Dongcun"
    assert "one village: Dongcun (v0)" in plot_counterfactual(gains, village="v0").svg


def test_the_gap_in_words_is_of_treated_villages_by_their_weights():
    panel = dataclasses.replace(hand_panel(size=np.ones((22, 4))), weights="size")
    panel.matrices["size"][0] = 3
    note = plot_counterfactual(estimate_study_gains(data_of(panel=panel))).note
    # (3 x 9 + 5) / 4 = 8, and both would have had 2
    assert re.search(r"had 8(.00)? on average, against an estimated 2(.00)? without", note)
    assert re.search(r"an estimated 6(.00)? more in that year", note)


# -- before and since ----------------------------------------------------------------------


def test_a_dip_in_the_year_before_is_said_to_bias_gains_upwards():
    note = event_study_table(drawn_gains(dip=1)).note
    found = re.search(r"treated villages were ([\d.]+) below what the years before", note)
    assert found and float(found[1]) == pytest.approx(1, abs=0.2)
    assert "regress to the mean" in note and "biased upwards, which no interval covers" in note


def test_without_a_dip_it_is_said_what_was_looked_for():
    note = event_study_table(drawn_gains()).note
    assert "Selection on a low income in the year before was looked for" in note
    assert "It was not found" in note and "biased" not in note


def test_a_rise_in_the_year_before_is_no_dip():
    note = event_study_table(drawn_gains(dip=-1)).note
    assert "above what the years before lead to expect" in note and "biased" not in note


def test_the_joint_test_is_put_into_words():
    apart, alike = (event_study_table(drawn_gains(dip=dip)) for dip in (1, 0))
    assert "the paths of treated and comparison villages part" in apart.note
    assert apart.data["joint_p"].iloc[0] < 0.001 and "p < .001" in apart.note
    assert "no parting of paths was found" in alike.note


def test_too_few_counties_get_no_interval_under_common_year_effects():
    exhibit = plot_event_study(drawn_gains(counties=3))
    assert set(exhibit.data["cluster"]) == {"county"}
    assert exhibit.data["conf_low"].isna().all()
    assert "Common year effects: no intervals (3 counties" in exhibit.note


# -- by group ------------------------------------------------------------------------------


def test_means_by_county_are_worked_by_hand():
    county = ["East", "West", *["East", "West"] * 10]
    study_data = data_of(panel=hand_panel(county=county))
    gains = estimate_study_gains(study_data, comparison="never_treated")
    exhibit = gain_by_table(gains, "county")
    means = exhibit.data.set_index("county")
    assert means["estimate"].to_list() == pytest.approx([7, 3], rel=EXACT)
    assert means["n_villages"].to_list() == [1, 1]
    assert re.search(r"from 3(.00)? \(West\) to 7(.00)? \(East\); no group", exhibit.note)
    assert "needs 19" in text(exhibit)
    # East's others have 6 + 1.45 x [0, 1, -1, 1] on average, West's 6 less that.
    within = means["within_estimate"].to_list()
    assert within == pytest.approx([7 - 1.45, 3 + 1.45], rel=EXACT)
    assert "let each county go its own way" in exhibit.note


def test_counties_without_comparison_villages_get_no_gain_within_them():
    gains = hand_gains(county=["East", "Alone", *["East"] * 20])
    assert gains.within is None
    assert "1 of the treated villages have no village to be compared" in (
        gains_summary_table(gains).note
    )


def test_a_shared_reason_is_told_once():
    frame = pd.DataFrame(
        {"conf_low": [np.nan, np.nan], "conf_high": [np.nan, np.nan], "reason": ["few", "few"]}
    )
    cells, shared = interval_cells(frame, 1, "county")
    assert shared == "few" and not any("few" in cell for cell in cells)
    cells, shared = interval_cells(frame.assign(reason=["few", "none"]), 1, "county")
    assert shared == "" and "none: few" in cells[0]


def test_many_groups_are_cut_in_the_table_and_not_in_the_data(monkeypatch):
    monkeypatch.setattr(gain_tables, "_MOST_ROWS", 5)
    exhibit = gain_by_table(drawn_gains(counties=8), "county")
    assert len(exhibit.data) == 8 and exhibit.body.count("<tr>") == 1 + 5
    assert "The 5 with most villages of 8" in exhibit.note


# -- villages among each other -------------------------------------------------------------


def test_the_winners_curse_is_said_in_numbers():
    exhibit = plot_gain_distribution(drawn_gains())
    top = exhibit.data.nlargest(6, "gain")  # a tenth of 60
    raw, left = top["gain"].mean(), top["shrunken"].mean()
    assert left < raw
    assert f"(6) have {raw:.2f} on average" in exhibit.note
    assert f"the same villages have {left:.2f}: {raw - left:.2f} is taken" in exhibit.note


def test_many_villages_are_drawn_evenly_spaced(monkeypatch):
    monkeypatch.setattr(gain_spread, "_MOST_DRAWN", 10)
    exhibit = plot_caterpillar(drawn_gains())
    gains = exhibit.data["gain"]
    assert len(gains) == 10 and gains.is_monotonic_increasing
    assert "10 of 60 villages are drawn" in exhibit.note


def test_the_coverage_told_is_that_of_the_simulations():
    coverage = pd.read_csv(REPO / "tests" / "recovery" / "coverage.csv")
    note = plot_caterpillar(drawn_gains()).note
    for quarter in ("noisiest", "quietest"):
        told = re.search(rf"about (\.\d\d) in the {quarter}", note)
        rows = coverage[
            coverage["case"].str.fullmatch(r"villages, AR\(1\) \d\.\d, 5 untreated years")
            & (coverage["what"] == f"villages, the {quarter} quarter by estimate")
            & (coverage["nominal"] == 0.95)
        ]
        assert told and len(rows) == 3
        assert (abs(rows["coverage"] - float(told[1])) < LAST_DIGIT).all()


def test_shrunken_intervals_without_zero_are_not_counted():
    for make in (plot_caterpillar, plot_gain_map):
        note = make(drawn_gains(places=True)).note
        assert "shrunken ones" not in note and "robust interval above zero" not in note
    exhibit = plot_caterpillar(drawn_gains())
    away = int((exhibit.data["conf_low"] > 0).sum())
    assert f"raw intervals {away} leave out zero; if nobody had gained, about 3" in exhibit.note


def test_counties_are_ranked_where_they_have_standard_errors():
    gains = drawn_gains(counties=30)
    exhibit = rank_table(gains)
    data = exhibit.data
    assert len(data) == 30 and data["rank"].to_list() == sorted(data["rank"])
    assert (data["rank_low"] <= data["rank"]).all() and (
        data["rank"] <= data["rank_high"]
    ).all()
    assert "Ranks of 30 groups, 95% sure all at once" in exhibit.note
    assert plot_ranks(gains).kind == "figure"


def test_counties_without_standard_errors_are_told_what_ranks_need():
    gains = drawn_gains(counties=3)
    exhibit = rank_table(gains)
    assert "comparison villages in 19 counties (here 3), or 6 towns of" in text(exhibit)
    assert "about equal weight within each county" in text(exhibit)
    assert "add counties, or compare villages (next table)" in text(exhibit)
    assert plot_ranks(gains) is None  # which a notebook shows as nothing


def test_a_selection_says_its_rate_of_wrong_ones_and_reliability():
    gains = drawn_gains(spread=4)
    exhibit = selected_villages_table(gains, top_share=0.2, fdr=0.1)
    p = exhibit.data["tail_probability"]
    assert 0 < len(p) <= 0.25 * 60 and 1 - p.mean() <= 0.1
    assert f"false discovery rate among them is {1 - p.mean():.1%}" in exhibit.note
    assert "ranks of single villages say something" in exhibit.note
    noisy = selected_villages_table(drawn_gains(spread=0.2))
    assert "ranks of single villages say little" in noisy.note


def test_a_league_table_by_raw_gain_is_never_alone():
    table = selected_villages_table(drawn_gains(spread=4))
    head = re.findall(r"<th scope=\"col\".*?>(.*?)</th>", table.body)
    assert head.index("Shrunken gain") < head.index("Raw gain")


def test_names_of_counties_stand_above_their_villages_on_the_map(monkeypatch):
    drawn = {}
    write = gain_villages.write_counties

    def keep(study_data, axes, placed):
        key = write(study_data, axes, placed)
        drawn.update({text.get_text(): text.xy for text in axes.texts})
        return key

    monkeypatch.setattr(gain_villages, "write_counties", keep)
    data = plot_gain_map(drawn_gains(places=True, counties=2)).data
    tops = data.groupby("county")["latitude"].max()
    assert {name: xy[1] for name, xy in drawn.items()} == tops.to_dict()


# -- the table of all villages -------------------------------------------------------------


def test_the_village_table_is_a_plain_table_of_all(monkeypatch):
    gains = hand_gains()
    gains.found.villages["name"] = ["<b>East</b>", "West"]
    exhibit = village_table(gains)
    assert exhibit.body.count("<tr>") == 1 + 2
    assert "&lt;b&gt;East" in exhibit.body and "<b>East" not in exhibit.body
    assert exhibit.data["gain"].to_list() == pytest.approx([7, 3], rel=EXACT)
    monkeypatch.setattr(gain_villages, "_MOST_ROWS", 20)
    many = village_table(drawn_gains())
    assert many.body.count("<tr>") == 1 + 20 and len(many.data) == 60
    assert "20 villages, evenly spaced, of 60" in many.note


def test_the_key_stands_beside_a_villages_name():
    gains = hand_gains()
    gains.found.villages["name"] = ["Dongcun", "Dongcun"]
    head = re.findall(r'<th scope="col".*?>(.*?)</th>', village_table(gains).body)
    assert head[:2] == ["Village", "Key"]


def test_places_that_are_numbers_are_in_the_order_of_the_numbers():
    gains = drawn_gains(n_treated=36, counties=12)
    for frame in (gains.panel.villages, gains.found.villages):
        frame["county"] = frame["county"].str.removeprefix("C").astype(int).astype(str)
    counties = gain_by_table(gains, "county").data["county"]
    assert counties.to_list() == [f"county {i}" for i in range(12)]
    assert village_table(gains).data["county"].unique().tolist() == [*map(str, range(12))]
    keys = village_table(gains).data["village"].to_list()
    assert keys[:3] == ["v0", "v12", "v24"]  # of county 0


ASK = """<script>
const names = () => [...document.querySelectorAll("tbody tr:not([hidden]) th")]
  .map((cell) => cell.textContent).join(" ");
const gain = [...document.querySelectorAll("thead button")]
  .find((button) => button.textContent === "Gain");
const told = [names()];
gain.click(); told.push(names());
gain.click(); told.push(names());
const search = document.querySelector("input[type=search]");
search.value = "v1 TOWN"; search.dispatchEvent(new Event("input")); told.push(names());
document.title = told.join("|") + "|" + document.querySelector("output").textContent;
</script>"""


@pytest.mark.browser
def test_the_village_table_sorts_by_number_and_searches(tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    assert chromium, "CI installs Chromium: see .ci/run"
    outcome = np.vstack([[[1, 3, 2, 12], [3, 1, 2, 5], [2, 2, 2, 1]], np.full((20, 4), 6)])
    panel = panel_of([2021] * 3 + [NEVER] * 20, YEARS, outcome)  # gains 10, 3, -1
    page = tmp_path / "page.html"
    body = village_table(estimate_study_gains(data_of(panel=panel))).to_html()
    page.write_text(f"<meta charset=utf-8>{body}{ASK}", encoding="utf-8")
    done = subprocess.run(
        [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", page.as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    title = re.search("<title>(.*?)</title>", done.stdout)
    assert title and title[1] == "v0 v1 v2|v2 v1 v0|v0 v1 v2|v1| 1 of 3"


# -- what may be missing -------------------------------------------------------------------


def alone(**options):
    panel = panel_of([2020, 2020], YEARS, [[1, 2, 5, 6], [3, 4, 5, 6]], places=True, **options)
    return data_of(panel=panel)


@pytest.mark.parametrize("make", EXHIBITS)
@pytest.mark.parametrize(
    ("study_data", "says"),
    [
        (data_of(claims={}), "This study has no panel."),
        (alone(), "In no year is there an untreated village"),
        (data_of(panel=panel_of([NEVER], YEARS, [[1, 2, 3, 4]])), "No village of the panel"),
    ],
)
def test_without_comparison_villages_every_exhibit_says_so(make, study_data, says):
    exhibit = make(estimate_study_gains(study_data))
    assert says in text(exhibit) and "effect" not in text(exhibit)


def test_too_few_gains_to_shrink_are_shown_raw_and_why_is_told_once():
    gains = hand_gains(places=True)
    assert gains.shrunken is None
    assert all("There are no shrunken gains" in text(make(gains)) for make in SHRINKING)
    assert "shrunken_low" in village_table(gains).data
    why = "shrinkage needs 12 villages with an interval, 2 have one"
    assert why in text(gains_summary_table(gains))
    assert not any(why in text(make(gains)) for make in (*SHRINKING, village_table))


@pytest.mark.parametrize("make", EXHIBITS)
def test_simulated_is_said(make):
    study_data = data_of(panel=drawn_panel(counties=30, places=True), simulated=True)
    assert "SIMULATED" in text(make(estimate_study_gains(study_data)))


# -- the chapter ---------------------------------------------------------------------------


def test_a_study_of_treated_villages_alone_gets_bounds_and_no_effect(tmp_path):
    source, study = REPO / "data" / "jining_simulated", tmp_path / "alone"
    study.mkdir()
    frame = pd.read_csv(source / "villages.csv", encoding="gb18030", dtype=str)
    frame[frame["派驻年份"] == "2019"].to_csv(study / "villages.csv", index=False)
    content = yaml.safe_load((source / "study.yml").read_text(encoding="utf-8"))
    content = {
        k: v
        for k, v in content.items()
        if k not in ("ledger", "projects", "indicators", "data")
    }
    (study / "study.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    folder = run_report(study, out=tmp_path / "out", parameters={"trend_max": "5000"})
    page = (folder / "report.html").read_text(encoding="utf-8")
    chapter, after = page[page.index('id="3_income_gains"') :].split(
        'id="4_programme_effect"', 1
    )
    chapter = re.sub(r'<details class="code">.*?</details>', "", chapter, flags=re.DOTALL)
    assert 'id="trend_bounds"' in chapter and 'id="gains_summary"' not in chapter
    assert "between 0 and 5,000 yuan a year" in chapter
    assert "effect" not in re.sub(r"<[^>]+>", " ", chapter)
    assert "In no year is there an untreated village" in after[: after.index("</section>")]
    assert 'id="effects"' in after and 'id="event_studies"' not in after


def test_bounds_are_offered_where_there_is_no_comparison():
    assert trend_bounds_table(alone(), trend_max=1_000).name == "trend_bounds"
    assert gain_ranks.rank_table(estimate_study_gains(alone())).data.columns[0] == "absent"
