"""What a trend leaves of changes and claims: the figures, how they are told, and no more."""

import re
from fractions import Fraction

import pytest

from evaluation.bounds import Bounds
from evaluation.claims.table import load_claims
from evaluation.data.load import load_data
from evaluation.errors import DesignError
from evaluation.report.gains import before_after_tables
from evaluation.report.gains.before_after_tables import claimed_gains_table, trend_bounds_table
from tests.data.typed_studies import read_typed

EXACT = 1e-12  # the same arithmetic, in another order
SAID = """
    prices: {basis: real, base_year: 2020}
    panel:
      file: villages.csv
      village: {id: vill, county: county}
      year: year
      outcomes: {income: {column: y, unit: 万元, label: {en: collective income}}}
      treatment: {first_year: cohort}
      hedged: bounds
    """
# change 11 - 4 = 7 over 2 years, and 9 - 8 = 1 over 1; trend of at most 0.5 a year
ROWS = """
    vill county cohort year y
    a    East   2020   2018 4
    a    East   2020   2020 11
    b    West   2020   2019 8
    b    West   2020   2020 9
    c    West   2020   2020 9
    """
TREND = 5_000


def text(exhibit):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", exhibit.to_html()))


def lines(exhibit):
    """Give the cells of each row of the table."""
    rows = re.findall(r"<tr>(.*?)</tr>", exhibit.body)
    return [re.findall(r"<t[hd][^>]*>(?:<[^>]+>)?([^<]*)", row) for row in rows]


@pytest.fixture
def show(tmp_path):
    def make(rows=ROWS, **options):
        return trend_bounds_table(read_typed(tmp_path, SAID, villages=rows), **options)

    return make


def test_counties_and_all_villages_are_shown_in_wan(show):
    head, *rows = lines(show(trend_max=TREND))
    assert head == ["County", "Villages", "Years apart", "Before", "After", "Change",
                    "Less a trend", "Break-even"]  # fmt: skip
    assert rows == [
        ["East", "1", "2", "4", "11", "7", "[6, 7]", "3.5"],
        ["West", "1", "1", "8", "9", "1", "[0.5, 1.0]", "1"],
        ["all", "2", "1.50", "6", "10", "4", "[3.25, 4.00]", "2.67"],
    ]


def test_the_data_hold_the_programme_the_counties_and_the_villages(show):
    data = show(trend_max=TREND).data
    assert list(data["level"]) == ["programme", "county", "county", *["village"] * 3]
    assert list(data["village"][3:]) == ["a", "b", "c"]
    assert data["lower"][3] == pytest.approx(7 - 0.5 * 2, rel=EXACT)
    assert data["break_even_upper"][0] == pytest.approx(4 / 1.5, rel=EXACT)
    assert data["reason"][5] == "no untreated year with an outcome"
    assert set(data["unit"]) == {"万元, prices of 2020"}


def test_the_note_says_what_is_assumed_and_left_out(show):
    note = show(trend_max=TREND).note
    assert "between 0 and 5,000 yuan a village and year" in note
    assert "Left out: 1 with no untreated year with an outcome." in note
    assert "no comparison villages" in note


def test_comparison_villages_are_left_aside_in_the_open(show):
    rows = ROWS + "    n West - 2018 3\n    n West - 2019 3\n    n West - 2020 4\n"
    note = show(rows, trend_max=TREND).note
    assert "Comparison villages are left aside" in note
    assert "no comparison villages" not in note


def test_hedged_figures_are_shown_as_bounds_and_counted(show):
    exhibit = show(ROWS.replace("2020 11", "2020 超过11"), trend_max=TREND)
    assert lines(exhibit)[1][4:] == ["[11, ∞)", "[7, ∞)", "[6, ∞)", "[3.5, ∞)"]
    assert "1 hedged figures count with both of their ends" in exhibit.note


def test_noise_of_floating_point_is_not_rounded_outwards(show):
    # 0.3 - 0.1 is 0.19999999999999998
    rows = "vill county cohort year y\na E 2020 2019 0.1\na E 2020 2020 0.3"
    assert lines(show(rows, trend_max=1_000))[1][5:7] == ["0.2", "[0.1, 0.2]"]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("vill county cohort year y\na East - 2020 4", "No village of the panel is treated."),
        ("vill county cohort year y\na East 2020 2020 4", "has an outcome before and after"),
    ],
)
def test_without_changes_the_table_says_so(show, rows, says):
    assert says in text(show(rows, trend_max=TREND))


def test_a_study_without_a_panel_says_so(write_study):
    study = write_study("claim county indicator unit printed\nC1 East jobs 人 3人")
    assert "no panel" in text(trend_bounds_table(load_data(study), trend_max=TREND))


def test_single_villages_are_listed_up_to_a_number(show, monkeypatch):
    monkeypatch.setattr(before_after_tables, "_MANY_VILLAGES", 2)
    exhibit = show(trend_max=TREND)
    assert "village" not in set(exhibit.data["level"])
    assert "3 villages are too many to be listed one by one" in exhibit.note


# -- claims ----------------------------------------------------------------------------------


def claimed(exhibit, county, definition):
    frame = exhibit.data
    (row,) = frame[
        (frame["county"] == county) & frame["definition"].str.startswith(definition)
    ].to_dict("records")
    return row


def test_the_real_claims_by_hand(jining):
    exhibit = claimed_gains_table(jining, trend_max=20_000)
    weishan = claimed(exhibit, "Weishan", "stated for each")
    below = {"upper_closed": False}
    # 10余万 in one year or in both; two years of 2万 at most come off it
    assert weishan["years_strict"] == Bounds(1, 2)
    assert weishan["left_strict"] == Bounds(10 - 2 * 2, 11, **below)
    assert weishan["left_loose"] == Bounds(10 - 2 * 2, 20, **below)
    assert weishan["break_even_strict"] == Bounds(Fraction(10, 2), 11, **below)
    yutai = claimed(exhibit, "Yutai", "total / villages, if")
    assert yutai["rise_strict"] == Bounds.exactly(Fraction(371, 18))
    assert yutai["left_strict"] == Bounds(Fraction(371, 18) - 4, Fraction(371, 18))
    assert yutai["break_even_strict"] == Bounds(Fraction(371, 36), Fraction(371, 18))
    assert yutai["claims"].split() == ["C055", "C048", "C092"]
    assert claimed(exhibit, "Sishui", "stated")["left_strict"] is None


def test_both_readings_are_shown_and_ends_rounded_outwards(jining):
    shown = text(claimed_gains_table(jining, trend_max=20_000))
    assert re.search(r"\[6, 11\) loosely \[6, 20\) \[5, 11\) loosely \[5, 20\)", shown)
    assert re.search(r"20\.61 \[1, 2\] \[16\.61, 20\.62\] \[10\.30, 20\.62\]", shown)
    assert shown.count("not identified") == 2  # Sishui and Liangshan


def test_claims_are_no_gains_and_both_ends_of_the_trend_are_assumed(jining, show):
    note = claimed_gains_table(jining, trend_max=20_000).note
    assert note.startswith("No gain is estimated here: these are claims")
    for told in (note, show(trend_max=TREND).note):
        assert "(trend_max), and that incomes would not have fallen" in told


def test_without_the_programmes_years_nothing_follows(write_study):
    study = write_study(
        """
        claim county indicator                               unit    printed
        C1    East   collective_income_gain_per_village_year 万元/年 8万元
        """
    )
    exhibit = claimed_gains_table(load_claims(study), trend_max=TREND)
    row = claimed(exhibit, "East", "stated")
    assert row["left_strict"] is None and row["missing"] == "programme_years: not stated"
    assert "Years of the programme: not stated" in text(exhibit)


def test_a_negative_trend_is_refused(jining, show):
    for make in (lambda t: claimed_gains_table(jining, trend_max=t),
                 lambda t: show(trend_max=t)):  # fmt: skip
        with pytest.raises(DesignError, match="give a number from 0 on"):
            make(-1)


def test_nothing_is_called_an_effect(jining, show):
    for exhibit in (show(trend_max=TREND), claimed_gains_table(jining, trend_max=TREND)):
        words = text(exhibit).lower()
        assert not re.search(r"effect|impact|caus|attribut", words)
        assert "no comparison villages" in words
