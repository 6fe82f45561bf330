"""What chapter 3 says of its numbers: estimates told as such, and what they rest on."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest

from evaluation.data.panel import OutcomeScale
from evaluation.errors import DesignError
from evaluation.report.gains import paths as gain_paths
from evaluation.report.gains import tables as gain_tables
from evaluation.report.gains.event_study import event_study_table, plot_event_study
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.support import (
    extreme_rows,
    fewest_row,
    money_rows,
    speaks_for,
)
from evaluation.report.gains.tables import gain_by_table, gains_summary_table
from evaluation.report.gains.words import (
    bars_words,
    few_words,
    interval_words,
    reason_words,
    tell_gain,
)
from evaluation.report.village_words import COLORS
from tests.report.test_gain_exhibits import YEARS, drawn_gains, drawn_panel, hand_gains
from tests.report.test_panel_exhibits import NEVER, data_of, panel_of, text

EXACT = 1e-9  # sums of few numbers of size 1 to 10, through a least-squares solve


def towns_panel(*, towns=12, gain=2.0, **options):
    """Two counties with towns, each with treated and never treated villages."""
    panel = drawn_panel(counties=2, n_treated=96, n_never=96, **options)
    panel.villages["town"] = [f"T{i // 2 % (towns // 2)}" for i in range(panel.n_villages)]
    return panel


def towns_gains(**options):
    return estimate_study_gains(data_of(panel=towns_panel(**options)))


def row_of(estimate=2.0, low=1.0, high=3.0, method="wild bootstrap", n=17, reason=""):
    return {
        "estimate": estimate, "conf_low": low, "conf_high": high, "method": method,
        "n_clusters": n, "reason": reason,
    }  # fmt: skip


# -- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "cluster", "says"),
    [
        ("wild bootstrap", "town", "wild bootstrap, clustered by 17 towns"),
        ("clustered", "county", "95% interval 1 to 3, clustered by 17 counties"),
        ("county placebos", "town", "95% interval 1 to 3, county placebos of 17 counties"),
    ],
)
def test_an_interval_says_its_method_level_and_number(method, cluster, says):
    assert interval_words(row_of(method=method), 1, "95%", cluster).endswith(says)


def test_bars_of_many_rows_say_the_most_places():
    frame = pd.DataFrame([row_of(n=15), row_of(n=17), row_of(low=np.nan, reason="x")])
    assert bars_words(frame, "95%", "town") == (
        "95% intervals, wild bootstrap, clustered by up to 17 towns"
    )


def test_reasons_speak_of_places_and_say_once_why_so_many():
    reason = "26 clusters, which count as 1.1 equal ones; 95% needs 6"
    assert reason_words(reason, "county").startswith("26 counties, which count as 1.1")
    # 2 / 2^5: the smallest p-value of five clusters' signs
    assert "takes 6 equal counties: flipping the signs of 5 gives no p-value below 0.0625" in (
        few_words([reason], 0.05, "county")
    )
    assert "one county carries nearly all" in few_words([reason], 0.05, "county")
    milder = [reason.replace("1.1", "3.8")]
    assert "nearly all" not in few_words(milder, 0.05, "county")
    assert few_words(["no gain to average"], 0.05, "county") == ""


def log_gains(**options):
    panel = dataclasses.replace(drawn_panel(**options), analysis=OutcomeScale(form="log"))
    return estimate_study_gains(data_of(panel=panel))


def test_a_gain_of_logarithms_is_told_in_per_cent_with_its_interval():
    gains = log_gains()
    row = pd.Series(row_of(0.0752, -0.0892, 0.228, n=22))
    told = tell_gain(row, gains.found, gains.shown, "95%")
    # exp - 1: 1.078, 0.915, 1.256
    assert told.startswith(
        "an estimated 8% more on average over their treated years (95% interval -9% to +26%"
    )
    assert "0.0752 in log of yuan" in told


def test_the_interval_of_a_loss_is_one_of_the_difference():
    gains, loss = hand_gains(), row_of(-1.46e4, -1.7e4, -1.19e4)
    told = tell_gain(loss, gains.found, gains.shown, "95%")
    assert "1.46 less a year" in told
    assert "95% interval of the difference -1.70 to -1.19, wild bootstrap" in told
    logs = log_gains()
    told = tell_gain(row_of(-0.2, -0.3, -0.1), logs.found, logs.shown, "95%")
    # exp - 1: -0.181, -0.259, -0.095
    assert "18% less on average" in told and "of the difference -26% to -10%" in told


def test_with_a_one_added_a_logarithm_is_no_per_cent():
    scale = OutcomeScale(form="log", zeros="add_one")
    panel = dataclasses.replace(drawn_panel(), analysis=scale)
    gains = estimate_study_gains(data_of(panel=panel))
    assert "%" not in tell_gain(row_of(), gains.found, gains.shown, "").replace("95%", "")


def test_an_interval_with_zero_shows_no_gain():
    panel = drawn_panel(spread=0)
    panel.matrices["income"][:60, panel.years >= 2020] -= 30_000  # the gain of 3
    note = gains_summary_table(estimate_study_gains(data_of(panel=panel))).note
    assert re.search(r"The interval includes zero: no (gain|loss) is shown\.", note)
    assert "includes zero" not in gains_summary_table(drawn_gains()).note


def test_intervals_within_counties_say_what_they_take_as_given():
    given = "take the counties as given and towns as independent"
    for make in (gains_summary_table, gain_paths.plot_counterfactual, plot_event_study):
        assert given in make(towns_gains()).note
        assert given not in make(drawn_gains()).note


# -- the event study -----------------------------------------------------------------------


def test_the_figure_says_of_each_series_what_its_bars_are():
    note = plot_event_study(towns_gains()).note
    assert "Common year effects: no intervals (2 counties" in note
    assert (
        "Year effects by county: 95% intervals, wild bootstrap, clustered by 12 towns" in note
    )
    assert "clustered by 2 counties" not in note and "12 clusters" not in note


def test_a_series_without_intervals_has_no_bars_in_the_legend(monkeypatch):
    from matplotlib.axes import Axes

    drawn = []
    draw = Axes.errorbar

    def keep(self, x, *args, **options):
        drawn.append((len(x), options.get("label")))
        return draw(self, x, *args, **options)

    monkeypatch.setattr(Axes, "errorbar", keep)
    plot_event_study(towns_gains())
    assert drawn == [(0, None), (7, None)]  # 4 leads and 3 treated years


def test_the_table_has_p_values_and_reasons_of_both_series():
    exhibit = event_study_table(towns_gains())
    head = re.findall(r'<th scope="col".*?>(.*?)</th>', exhibit.body)
    assert head[-3:] == ["Year effects by county", "Interval, by county", "p, by county"]
    assert exhibit.data["within_p_value"].notna().all()
    assert exhibit.body.count("&lt; .001") == 3 and "&lt;span" not in exhibit.body
    few = event_study_table(towns_gains(towns=4))
    assert "none: 4 towns; 95% needs 6" in few.body  # a lead
    assert "none: 4 towns, which count as 4.0 equal ones; 95% needs 6" in few.body


def test_what_leads_are_measured_from_is_said():
    note = plot_event_study(drawn_gains()).note  # eight years before: half of them
    assert "those before it from event times -8 to -5 (60 villages)" in note
    assert "arXiv:2401.12309" in note


def test_never_treated_villages_alone_give_no_leads_and_it_is_said_why():
    gains = estimate_study_gains(data_of(panel=drawn_panel()), comparison="never_treated")
    note = event_study_table(gains).note
    assert note.count("with comparison never_treated treated villages' untreated years") == 2


def test_the_headline_ends_where_enough_villages_have_an_interval():
    panel = drawn_panel(n_never=150)
    cohort = np.where(np.arange(210) < 52, 2020.0, 2018.0)  # eight are treated two years more
    panel.villages["cohort"] = np.where(np.arange(210) < 60, cohort, NEVER)
    exhibit = plot_event_study(estimate_study_gains(data_of(panel=panel)))
    assert exhibit.data["n_villages"].iloc[-1] == 8
    assert re.search(r"in the first treated year and, 2 years on,", exhibit.note)
    assert "Known so long" not in exhibit.note


# -- groups --------------------------------------------------------------------------------


def test_extremes_are_named_among_groups_with_an_interval_if_any_has_one():
    data = pd.DataFrame(
        {"county": ["A", "B", "C"], "estimate": [9.0, 2, 1],
         "conf_low": [np.nan, 1, 0], "conf_high": [np.nan, 3, 2]}
    )  # fmt: skip
    told = gain_tables._extremes(data, "county", "95%")
    assert "from 1 (C) to 2 (B), of the 2 with an interval; 1 of 2 95% intervals" in told
    assert "Each interval holds by itself" in told
    told = gain_tables._extremes(data.assign(conf_low=np.nan), "county", "95%")
    assert "from 1 (C) to 9 (A); no group has an interval" in told
    within = {"estimate": [8.0, 3, 1], "conf_low": [7.0, 2, 0], "conf_high": [9.0, 4, 2]}
    beside = data.assign(
        conf_low=np.nan, **{f"within_{name}": values for name, values in within.items()}
    )
    told = gain_tables._extremes(beside, "county", "95%")
    assert "from 1 (C) to 8 (A) with year effects by county; 2 of 3" in told


def test_comparison_villages_are_counted_by_year():
    outcome = np.vstack([[[1, 3, 2, 9], [3, 1, 2, 5]], np.tile([[5.0, 6, 5, 6]], (20, 1))])
    outcome[2:10, 3] = np.nan
    panel = panel_of([2021, 2020, *[NEVER] * 20], YEARS, outcome)
    gains = estimate_study_gains(data_of(panel=panel))
    table = gain_by_table(gains, "year").data.set_index("year")
    assert table["n_comparison"].to_dict() == {"2020": 20 + 1, "2021": 20 - 8}
    assert "n_comparison" not in gain_by_table(gains, "cohort").data
    item, count, what = fewest_row(gains.found)
    assert (item, count) == ("Fewest comparison villages", 12) and "in 2021" in what


def test_within_counties_the_fewest_are_of_one_county():
    gains = hand_gains(county=["East", "West", *["East"] * 12, *["West"] * 8])
    assert gains.within is not None
    assert fewest_row(gains.within)[1] == 8
    assert fewest_row(gains.found)[1] == 20


# -- what a mean rests on ------------------------------------------------------------------


def test_a_mean_over_few_of_the_treated_says_so():
    panel = panel_of(
        [2021, 2018, *[NEVER] * 20],
        YEARS,
        np.vstack([[[1, 3, 2, 9], [2, 2, 2, 2]], np.tile([[5, 6, 5, 6]], (20, 1))]),
    )
    gains = estimate_study_gains(data_of(panel=panel))
    assert "It speaks for 1 of 2 treated villages." in gains_summary_table(gains).note
    assert speaks_for(hand_gains().found) == ""


def test_an_extreme_year_is_named_and_the_gain_given_without_it():
    panel = drawn_panel(spread=0)
    panel.matrices["income"][0, 0] = 3_000_000  # 300 in a year in which others have 8
    gains = estimate_study_gains(data_of(panel=panel))
    (_, count, what), (_, mean, _) = extreme_rows(gains)
    assert count == 1 and "(the outcome, 万元, prices of 2020): v0 in 2012: 300" in what
    panel.matrices["income"][0, 0] = np.nan
    without = estimate_study_gains(data_of(panel=panel)).found.att["estimate"]
    assert mean == pytest.approx(without / 10_000, rel=EXACT)
    assert extreme_rows(drawn_gains(spread=0)) == []


def test_more_than_five_extreme_years_are_counted():
    panel = drawn_panel()
    panel.matrices["income"][:7, 0] = 3_000_000
    (_, count, what), _ = extreme_rows(estimate_study_gains(data_of(panel=panel)))
    assert count == 7 and what.count(" in 2012: 300") == 5 and "and 2 more" in what


def test_money_from_logarithms_is_given_without_the_factor_where_it_moves_much():
    assert len(money_rows(log_gains())) == 1
    panel = dataclasses.replace(drawn_panel(), analysis=OutcomeScale(form="log"))
    panel.matrices["income"][100:110, 3] *= 2_000  # never treated villages' single errors
    gains = estimate_study_gains(data_of(panel=panel))
    smeared, bare = money_rows(gains)
    main, n = gains.found, gains.found.cells.rows
    factor = np.exp(main.fit.excess[main.fit.design.fitted]).mean()
    assert f"smearing factor {factor:.3f}" in smeared[2]
    without = np.exp(main.fit.design.outcome[n] - main.fit.excess[n])
    actual = panel.matrices["income"][n]
    cells = main.cells.counted
    assert bare[1] * 10_000 == pytest.approx((actual - without)[cells].mean(), rel=EXACT)
    assert smeared[1] * 10_000 == pytest.approx(
        (actual - factor * without)[cells].mean(), rel=EXACT
    )


# -- the counterfactual --------------------------------------------------------------------


def test_what_lies_below_is_shaded_in_another_colour_and_from_treatment_on():
    from matplotlib.figure import Figure

    mean = pd.DataFrame(
        {"outcome": [5.0, 1, 3, 2], "counterfactual": [1.0, 2, 2, 4]}, index=YEARS
    )
    axes = Figure().subplots()
    gain_paths._draw(axes, mean, pd.Series([2020.0]))
    shaded = {part.get_label(): part for part in axes.collections}
    above, below = shaded["more than without"], shaded["less than without"]
    assert above.get_facecolor()[0].tolist() != below.get_facecolor()[0].tolist()
    assert COLORS["treated"] != COLORS["3"]
    reach = {name: part.get_paths()[0].vertices[:, 0] for name, part in shaded.items()}
    # The lines cross a third of the way from 2020 to 2021: 1 / (1 + 2).
    assert reach["more than without"].min() == 2020
    assert reach["more than without"].max() == pytest.approx(2020 + 1 / 3)
    assert reach["less than without"].min() == pytest.approx(2020 + 1 / 3)
    assert "gain" not in shaded


# -- options that cannot serve -------------------------------------------------------------


@pytest.mark.parametrize(
    ("covariates", "says"),
    [
        ("lnad", "covariates: the panel has no covariate 'lnad'; did you mean 'land'?"),
        ("zzz", "covariates: the panel has no covariate 'zzz'; known: land."),
        ("land, income_total", "'income_total' is a kind or sum of incomes"),
    ],
)
def test_covariates_that_cannot_serve_are_refused_by_name(covariates, says):
    panel = drawn_panel(land=np.ones((180, 11)), income_total=np.ones((180, 11)))
    with pytest.raises(DesignError, match=re.escape(says)):
        estimate_study_gains(data_of(panel=panel), covariates=covariates)


def test_without_any_covariate_none_is_offered():
    with pytest.raises(DesignError, match="no covariate 'zzz'; the study names none"):
        estimate_study_gains(data_of(panel=drawn_panel()), covariates="zzz")


def test_so_much_anticipation_that_nothing_is_left_is_the_reason():
    gains = estimate_study_gains(data_of(panel=drawn_panel()), anticipation=20)
    why = "No treated village has a gain: 60 with no untreated year with a known outcome."
    assert why in text(gains_summary_table(gains))
    assert "Lower anticipation (20)" in text(plot_event_study(gains))
    tables = [gain_by_table(gains, by) for by in ("county", "cohort", "year")]
    assert len({table.name for table in tables}) == 3  # a report's names are unique
