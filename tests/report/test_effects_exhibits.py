"""Chapter 4's exhibits: the effects of chapter 3's gains, words that follow them, files."""

import base64
import dataclasses
import json
import re
from io import BytesIO

import docx
import numpy as np
import pandas as pd
import pytest

from evaluation.data.study import Study
from evaluation.effects.estimate import ESTIMATORS
from evaluation.errors import ReportError
from evaluation.report.chapters import choose_chapters
from evaluation.report.effects.plots import (
    _choose_times,
    _find_bars,
    _find_limits,
    _paths_words,
    event_rows,
    plot_effects,
    plot_event_studies,
)
from evaluation.report.effects.study import estimate_study_effects
from evaluation.report.effects.tables import (
    decomposition_table,
    effects_event_table,
    effects_table,
)
from evaluation.report.effects.words import (
    agreement_words,
    difference_words,
    headline,
)
from evaluation.report.exhibits import MIME
from evaluation.report.gains.study import estimate_study_gains
from tests.conftest import REPO
from tests.report.test_gain_exhibits import drawn_panel, hand_panel
from tests.report.test_panel_exhibits import data_of, panel_of

EXACT = 1e-9  # sums of few numbers of size 1 to 10, through a least-squares solve
EXHIBITS = [
    effects_table, plot_effects, plot_event_studies, effects_event_table, decomposition_table,
]  # fmt: skip
SOME = ("imputation", "twfe", "sun_abraham")


def effects_of(panel, *, estimators=SOME, cluster="", study=(), **options):
    gains = estimate_study_gains(data_of(panel=panel, **dict(study)), **options)
    return estimate_study_effects(gains, estimators=estimators, cluster=cluster)


@pytest.fixture(scope="module")
def many():
    """Thirty-six counties, which is enough for clustered errors."""
    return effects_of(drawn_panel(counties=36), estimators=ESTIMATORS)


@pytest.fixture(scope="module")
def few():
    """Four counties, which is too few but for year effects by county."""
    return effects_of(in_towns(drawn_panel(counties=4)))


def in_towns(panel, **villages):
    """Put the villages in ten towns."""
    town = [f"T{k // 4 % 10}" for k in range(panel.n_villages)]
    return dataclasses.replace(panel, villages=panel.villages.assign(town=town, **villages))


def cells_of(exhibit):
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", str(exhibit.body))
    return [
        [re.sub(r"<[^>]+>", "", c) for c in re.findall(r"<t[hd].*?</t[hd]>", r)] for r in rows
    ]


# -- the study's effects -------------------------------------------------------------------


def test_the_effect_is_the_mean_gain_of_chapter_3(many):
    row = many.found.overall.loc["imputation"]
    att = many.gains.found.att
    for name in ("estimate", "se", "conf_low", "conf_high"):
        assert row[name] == pytest.approx(att[name], rel=EXACT)


def test_options_come_from_the_gains():
    rng = np.random.default_rng(0)
    panel = drawn_panel(counties=36, land=rng.normal(size=(180, 11)))
    effects = effects_of(
        panel, covariates="land", alpha=0.1, anticipation=1, comparison="never_treated"
    )
    options = effects.found.options
    assert options.covariates == ("land",)
    assert (options.alpha, options.anticipation) == (0.1, 1)
    assert options.comparison == "never_treated"
    assert effects.level == "90%"


def test_with_few_counties_effects_within_them_stand_beside(few):
    assert few.within is not None and few.judged is few.within
    assert few.found.overall["conf_low"].isna().all()
    assert few.within.overall["conf_low"].notna().any()
    assert [table.options.year_effects for table in few.tables] == ["common", "county"]


def test_with_many_counties_there_is_nothing_beside(many):
    assert many.within is None and many.judged is many.main


def test_where_all_treated_lie_in_one_county_effects_are_within_it():
    effects = effects_of(in_towns(drawn_panel(), county=["A"] * 120 + ["B"] * 60))
    assert effects.found.options.year_effects == "county"
    assert effects.why_not_common.startswith("All treated villages lie in one county (A)")
    assert effects.why_not_common in effects_table(effects).note


def test_what_the_design_refuses_is_the_reason_not_a_crash():
    effects = effects_of(in_towns(drawn_panel(), county=["A"] * 60 + ["B"] * 120))
    assert effects.main is None and not effects.tables
    for make in EXHIBITS:
        assert "All treated villages lie in one county (A)" in make(effects).body


@pytest.mark.parametrize("make", EXHIBITS)
def test_without_comparison_villages_every_exhibit_says_why(make):
    panel = panel_of([2020, 2020], [2018, 2019, 2020], [[1, 2, 3], [1, 2, 3]])
    effects = effects_of(panel)
    assert "an untreated village whose change can be compared" in make(effects).body
    with pytest.raises(ReportError, match="In no year is there an untreated village"):
        _ = effects.found


def test_a_study_whose_gains_weigh_villages_is_told_that_effects_do_not():
    land = np.repeat(1.0 + np.arange(180)[:, None] % 3, 11, axis=1)
    panel = dataclasses.replace(drawn_panel(counties=36, land=land), weights="land")
    assert (
        "The gains weigh villages by land; the effects here do not."
        in effects_table(effects_of(panel)).note
    )


# -- tables --------------------------------------------------------------------------------


def test_the_table_has_the_effect_worked_by_hand():
    exhibit = effects_table(effects_of(hand_panel()))
    rows = exhibit.data.set_index("estimator")
    assert rows["estimate"].to_list() == pytest.approx([(7 + 3) / 2] * 3, rel=EXACT)
    assert (rows["n_villages"] == 2).all() and (rows["n_cells"] == 2).all()
    assert rows["comparison"].to_list() == ["not_yet_treated", "everybody", "never_treated"]
    assert (rows["unit"] == "万元, prices of 2020").all()
    _, _, first, *_ = cells_of(exhibit)
    assert first[:2] == ["Imputation (Borusyak, Jaravel, Spiess 2024)", "5.00"]


def test_both_tables_stand_in_groups_with_their_reasons(few):
    exhibit = effects_table(few)
    texts = cells_of(exhibit)
    assert [row[0] for row in texts if len(row) == 1] == [
        "Common year effects", "Year effects by county",
    ]  # fmt: skip
    assert [row[3] for row in texts[2:5]] == ["none"] * 3
    assert "Common year effects: no intervals (4 counties" in exhibit.note
    assert exhibit.data["year_effects"].to_list() == ["common"] * 3 + ["county"] * 3


def test_an_estimator_that_gave_nothing_has_its_reason_in_its_row(many):
    assert "matched_did" in many.found.reasons  # there are no covariates
    exhibit = effects_table(many)
    (row,) = [row for row in cells_of(exhibit) if row[0].startswith("Matched")]
    assert row[1] == "" and row[3].startswith("not estimated: ")
    data = exhibit.data.set_index("estimator")
    assert data.loc["matched_did", "reason"] == many.found.reasons["matched_did"]


def test_event_times_are_rows_and_estimators_columns(many):
    exhibit = effects_event_table(many)
    head, *rows = cells_of(exhibit)
    assert head[:2] == ["Years since treatment", "Imputation"]
    events = many.found.event_study("imputation").set_index("event_time")
    (zero,) = [row for row in rows if row[0] == "0"]
    assert zero[1].startswith(f"{events.loc[0, 'estimate'] / 10_000:.2f}")
    assert {"band_low", "band_high"} <= set(exhibit.data)


def staggered():
    panel = drawn_panel(counties=36)
    cohort = np.where(np.arange(180) < 30, 2018.0, panel.cohort)
    return dataclasses.replace(panel, villages=panel.villages.assign(cohort=cohort))


def test_the_decomposition_adds_up_to_the_estimate_of_twfe():
    effects = effects_of(staggered())
    exhibit = decomposition_table(effects)
    comparisons, weights = (
        exhibit.data[exhibit.data["part"] == part] for part in ("comparison", "weight")
    )
    twfe = effects.found.overall.loc["twfe", "estimate"] / 10_000
    assert comparisons["weight"].sum() == pytest.approx(1, rel=EXACT)
    assert (comparisons["weight"] * comparisons["estimate"]).sum() == pytest.approx(twfe)
    assert weights["weight"].sum() == pytest.approx(1, rel=EXACT)
    heads = [row[0] for row in cells_of(exhibit)]
    assert heads[1:3] == ["Comparisons of cohorts", "treated vs never treated"]
    assert "of the weight compares villages with ones treated earlier" in exhibit.note
    assert "万元" in exhibit.note and "doi:10.1257/aer.20181169" in exhibit.note


# -- words ---------------------------------------------------------------------------------


def with_overall(effects, **rows):
    """Set estimate, conf_low and conf_high of estimators, in the outcome's own unit."""
    table = effects.found
    frame = table.frame.copy()
    for name, values in rows.items():
        row = (frame["estimator"] == name) & (frame["period"] == "overall")
        frame.loc[row, ["estimate", "conf_low", "conf_high"]] = np.array(values) * 10_000
        frame.loc[row, "se"] = 10_000.0
    frame = frame[frame["estimator"].isin(rows)]
    return dataclasses.replace(table, frame=frame)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            {"imputation": (2, 1, 3), "twfe": (4, 3.5, 4.5), "sun_abraham": (2, 1, 3)},
            "go from 2 (imputation) to 4 (TWFE). 1 of the other 2 intervals overlaps that of "
            "imputation; not that of TWFE. The furthest estimate (TWFE) is 2.0 standard errors",
        ),
        (
            {"imputation": (2, 1, 3), "twfe": (2.5, 2, 3), "sun_abraham": (1, 0, 2)},
            "Both other intervals overlap that of imputation.",
        ),
        (
            {"imputation": (2, 1, 3), "twfe": (-2, -3, -1)},
            "go from -2 (TWFE) to 2 (imputation): they do not agree on the sign. No other "
            "interval overlaps that of imputation.",
        ),
        ({"imputation": (2, 1, 3), "twfe": (3, 2, 4)}, "The other interval overlaps that"),
    ],
)
def test_words_say_how_far_estimators_agree(many, rows, says):
    assert says in agreement_words(with_overall(many, **rows), many.shown)


def test_words_say_what_is_preferred_and_warn_of_twfe_where_cohorts_differ(many):
    assert "As all treated villages start in one year" in difference_words(many.found)
    words = difference_words(effects_of(staggered()).found)
    assert "Prefer imputation where paths before treatment are parallel" in words
    assert "TWFE also compares with villages already treated" in words


def test_the_headline_is_of_the_estimates_that_have_intervals(few, many):
    assert headline(few).startswith("By imputation, with year effects by county, treated")
    assert re.match(
        r"By imputation treated villages had an estimated [\d.]+ more a year \(万元, prices of "
        r"2020; 95% interval [\d.]+ to [\d.]+, clustered by 36 counties\)",
        headline(many),
    )


def test_an_effect_on_some_of_the_treated_says_on_how_many(many):
    frame = many.found.frame.copy()
    lead = (frame["estimator"] == "imputation") & (frame["period"] == "overall")
    frame.loc[lead, ["n_villages", "n_cells"]] = [47, 48]
    told = headline(
        dataclasses.replace(many, main=dataclasses.replace(many.found, frame=frame))
    )
    treated = many.found.setup.event_time >= 0
    assert told.startswith(
        f"By imputation for 47 of 60 treated villages, in 48 of their {treated.sum()} treated "
        "village-years (it says nothing of the others), these had an estimated"
    )
    assert "They rest on 47 to 60 treated villages" in agreement_words(
        dataclasses.replace(many.found, frame=frame), many.shown
    )


# -- figures -------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [plot_effects, plot_event_studies])
@pytest.mark.parametrize("name", ["few", "many"])
def test_figures_are_drawn_with_their_data(request, make, name):
    exhibit = make(request.getfixturevalue(name))
    assert exhibit.png[1:4] == b"PNG" and exhibit.svg.count("<svg") == 1
    assert {"estimator", "estimate", "conf_low", "conf_high", "unit"} <= set(exhibit.data)
    assert "SIMULATED" not in exhibit.to_html()


def test_the_figure_says_whether_there_is_a_band(few, many):
    assert "Shaded: the 95% band of Callaway" in plot_event_studies(many).note
    assert "no band that holds at all times at once" in plot_event_studies(few).note


def test_an_interval_beside_its_estimate_is_not_drawn_on_the_other_side():
    rows = pd.DataFrame(
        {
            "estimate": [2.0, 2.0, 2.0],
            "conf_low": [1.0, 3.0, np.nan],
            "conf_high": [5.0, 4.0, 9.0],
        }
    )
    barred, reach = _find_bars(rows)
    assert barred.tolist() == [True, True, False]
    assert reach.T.tolist() == [[1, 3], [0, 2]]  # 3 to 4 is right of 2: nothing to its left


def events_of(times, half=1.0):
    times = np.asarray(times)
    return pd.DataFrame(
        {"event_time": times, "estimate": 0.0, "conf_low": -half, "conf_high": half}
    )


def test_at_most_ten_event_times_are_drawn_on_either_side():
    events, told = _choose_times(events_of(np.arange(-18, 20)))
    assert events["event_time"].tolist() == list(range(-10, 10))
    assert told.startswith("Not drawn: 18 event times before -10 or after +9")
    events, told = _choose_times(events_of([-2, -1, 0, 1]))
    assert len(events) == 4 and told == ""


def test_a_few_wide_intervals_do_not_set_the_scale():
    events = events_of(range(8), half=np.array([1.0] * 7 + [50.0]))
    low, high, cut = _find_limits(events)
    assert (low, high) == (pytest.approx(-1.1), pytest.approx(1.1))  # 5% of 2 on either side
    assert cut.startswith("1 intervals go on beyond the figure")
    assert _find_limits(events_of(range(8), half=np.array([1.0] * 7 + [1.2])))[2] == ""
    assert _find_limits(events_of([0]).assign(conf_low=np.nan, conf_high=np.nan))[2] == ""


def test_gaps_of_synthetic_did_before_treatment_are_no_test(many):
    events = event_rows(many.judged, 1)
    events.loc[events["estimator"] == "synthetic_did", ["conf_low", "conf_high"]] = [1, 2]
    others = events[events["estimator"] != "synthetic_did"]
    told, *_ = _paths_words(many.judged, events, many)
    assert "those of synthetic DiD" in told
    assert told.split(" (")[0] == _paths_words(many.judged, others, many)[0].split(";")[0]


# -- files ---------------------------------------------------------------------------------


def test_the_table_can_be_downloaded_as_journals_print_it(few):
    exhibit = effects_table(few)
    assert list(exhibit.files) == [".tex", ".docx", "_zh.tex", "_zh.docx"]
    tex, chinese = (exhibit.files[end].decode() for end in (".tex", "_zh.tex"))
    assert "Year effects & by county & by county & by county" in tex
    assert "Effects in 10,000 yuan, prices of 2020." in tex and "ctex" not in tex
    assert "效应单位：万元，2020 年价格。" in chinese
    assert "平均处理效应" in chinese and "errors" not in chinese
    assert docx.Document(BytesIO(exhibit.files[".docx"])).tables
    carried = exhibit._repr_mimebundle_()[MIME]["files"]
    assert base64.b64decode(carried[".docx"]) == exhibit.files[".docx"]
    assert json.dumps(carried)


def test_simulated_data_are_said_to_be_in_every_file():
    study = {"simulated": True}
    effects = effects_of(drawn_panel(counties=36), study=study)
    exhibit = effects_table(effects)
    assert "SIMULATED" in exhibit.files[".tex"].decode()
    assert "模拟数据" in exhibit.files["_zh.tex"].decode()
    document = docx.Document(BytesIO(exhibit.files["_zh.docx"]))
    assert "模拟数据" in document.tables[0].cell(-1, 0).text


# -- the chapter ---------------------------------------------------------------------------


def test_only_a_study_with_a_panel_gets_the_chapter():
    chapters = {
        name: list(choose_chapters(Study.load(REPO / "data" / name)))
        for name in ("jining_2021", "jining_simulated")
    }
    assert "4_programme_effect" not in chapters["jining_2021"]
    assert chapters["jining_simulated"][1:3] == ["3_income_gains", "4_programme_effect"]
