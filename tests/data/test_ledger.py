"""Ledgers, typed out: whose money reached which village, and where pooled money goes."""

import numpy as np
import pytest

from evaluation.errors import DataError, DesignError
from tests.data.typed_studies import find_problems, read_typed, type_study

EXACT = 1e-12  # the same arithmetic, in another order
NAN = np.nan
VILLAGES = """
    vill county town  name year since y hh poor
    a    East   North 东村 2018 2019  1 40 10
    a    East   North 东村 2019 2019  2 60 10
    b    East   North 西村 2018 2019  1 30 0
    b    East   North 西村 2019 2019  2 30 0
    c    East   South 南村 2018 2018  1 20 30
    c    East   South 南村 2019 2018  2 20 30
    d    East   South 北村 2018 -     1 90 5
    d    East   South 北村 2019 -     2 90 5
    e    West   Hill  上村 2018 -     1 50 5
    e    West   Hill  上村 2019 -     2 50 5
    """
INDEX = "year index\n2017 80\n2018 100\n2019 125"
COVARIATES = "covariates: {households: hh, poor_households: poor}"


def said(ledger, *, basis="real", covariates=COVARIATES):
    return f"""
        prices: {{basis: {basis}, base_year: 2019, index: prices.csv}}
        panel:
          file: villages.csv
          village: {{id: vill, county: county, town: town, name: name}}
          year: year
          outcomes: {{y: y}}
          treatment: {{first_year: since}}
          {covariates}
        ledger:
          file: ledger.csv
          village: {{id: vill, county: county, town: town}}
          year: year
          {ledger}
        """


LONG = """
          amount: {column: amount, unit: 万元}
          source: source
          stage: stage
    """


def read(folder, ledger, text, **options):
    data = read_typed(
        folder, said(ledger, **options), villages=VILLAGES, ledger=text, prices=INDEX
    )
    return data


def entries_of(folder, ledger, text, *columns, **options):
    """Give an entry's columns, sorted."""
    entries = read(folder, ledger, text, **options).ledger.entries
    return sorted(entries[list(columns)].itertuples(index=False, name=None))


def test_one_amount_a_row(tmp_path):
    text = """
        vill county town  year source   stage amount
        a    East   North 2018 财政资金 到位  30
        a    East   North 2018 派出单位 计划  5.5
        a    East   North 2018 派出单位 到位  -
        c    East   South 2019 own      spent 2
        """
    data = read(tmp_path, LONG, text)
    columns = ["village", "year", "source", "stage", "amount"]
    assert data.ledger.entries[columns].to_numpy().tolist() == [
        ["a", 2018, "fiscal", "received", 300_000.0],
        ["a", 2018, "dispatching_unit", "committed", 55_000.0],
        ["c", 2019, "own", "spent", 20_000.0],
    ]
    assert data.ledger.entries["row"].tolist() == [2, 3, 5]
    (problem,) = [p for p in data.problems if p.message == "empty amounts, taken as no entry"]
    assert [row for row, _ in problem.places] == [4]


def test_a_column_a_source_gives_the_same_entries(tmp_path):
    long = """
        vill county town  year source   amount
        a    East   North 2018 财政     3
        a    East   North 2018 派出单位 0.5
        b    East   North 2019 财政     4
        """
    wide = """
        vill county town  year gov unit sum
        a    East   North 2018 3   5    3.5
        b    East   North 2019 4   -    4
        """
    columns = ("village", "town", "county", "year", "source", "stage", "amount", "shared")
    one = entries_of(
        tmp_path / "long",
        "amount: {column: amount, unit: 万元}\n          source: source",
        long,
        *columns,
    )
    two = entries_of(
        tmp_path / "wide",
        """amounts:
            fiscal: {column: gov, unit: 万元}
            dispatching_unit: {column: unit, unit: 千元}
            total: {column: sum, unit: 万元}""",
        wide,
        *columns,
    )
    assert one == two == [
        ("a", "North", "East", 2018, "dispatching_unit", "received", 5_000, False),
        ("a", "North", "East", 2018, "fiscal", "received", 30_000, False),
        ("b", "North", "East", 2019, "fiscal", "received", 40_000, False),
    ]  # fmt: skip


@pytest.mark.parametrize(("total", "adds_up"), [("3.5", True), ("3.6", True), ("4.5", False)])
def test_totals_are_checked_and_left_out(tmp_path, total, adds_up):
    text = f"""
        vill county town  year source   stage amount
        a    East   North 2018 财政     到位  3.0
        a    East   North 2018 派出单位 到位  0.5
        a    East   North 2018 合计     到位  {total}
        """
    if adds_up:  # 3.0 + 0.5, and 0.1 more may be rounding
        assert entries_of(tmp_path, LONG, text, "amount") == [(5_000,), (30_000,)]
    else:
        with pytest.raises(DataError, match=r"line 4 '3\.5 instead of 4\.5'"):
            read(tmp_path, LONG, text)


def test_a_total_without_sources_is_an_error(tmp_path):
    text = "vill county town year source stage amount\na East North 2018 合计 到位 3"
    with pytest.raises(DataError, match="totals without any source: line 2"):
        read(tmp_path, LONG, text)


def test_more_spent_than_received_is_told(tmp_path):
    text = """
        vill county town  year source stage amount
        a    East   North 2018 财政   到位  3
        a    East   North 2018 财政   支出  2
        a    East   North 2019 财政   支出  2
        b    East   North 2019 财政   支出  9
        """
    data = read(tmp_path, LONG, text)
    (problem,) = [p for p in data.problems if p.message.startswith("more spent than received")]
    # 2 + 2 by 2019, of 3; what b received is not in the ledger at all
    assert [cell for _, cell in problem.places] == ["a North East fiscal source 2019"]


def test_entries_that_stand_twice_are_told_and_kept(tmp_path):
    text = "vill county town year source stage amount\n" + "a East North 2018 财政 到位 3\n" * 2
    data = read(tmp_path, LONG, text)
    assert data.ledger.entries["amount"].sum() == 60_000
    (problem,) = [p for p in data.problems if "counted twice?" in p.message]
    assert [row for row, _ in problem.places] == [2, 3]


def test_zeros_between_years_with_money_are_told(tmp_path):
    text = """
        vill county town  year source stage amount
        a    East   North 2017 财政   到位  3
        a    East   North 2018 财政   到位  0
        a    East   North 2019 财政   到位  2
        b    East   North 2018 财政   到位  0
        b    East   North 2019 财政   到位  1
        """
    data = read(tmp_path, LONG, text)
    (problem,) = [p for p in data.problems if p.message.startswith("zeros between years")]
    assert [row for row, _ in problem.places] == [3]


POOLED = """
    vill county town  year source stage amount
    a    East   North 2019 财政   到位  1
    -    East   North 2019 财政   到位  10
    -    East   -     2019 社会   到位  12
    """


def shares(folder, rule):
    ledger = read(folder, LONG + f"      shared_by: {rule}", POOLED).ledger
    assert ledger.shared_by == rule
    entries = ledger.entries[ledger.entries["shared"]]
    return entries.set_index(["source", "village"])["amount"].sort_index().to_dict()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        # The town has a and b treated, the county a, b and c; d is never treated.
        ("equal", [10 / 2, 10 / 2, 12 / 3, 12 / 3, 12 / 3]),
        # a has (40 + 60) / 2 = 50, b 30, c 20: 80 in the town, 100 in the county
        ("households", [10 * 50 / 80, 10 * 30 / 80, 12 * 0.5, 12 * 0.3, 12 * 0.2]),
        # a has 10, b 0, c 30
        ("poor_households", [10, 0, 12 * 10 / 40, 0, 12 * 30 / 40]),
    ],
)
def test_pooled_money_is_shared_out_to_treated_villages(tmp_path, rule, expected):
    got = shares(tmp_path, rule)
    assert list(got) == [("fiscal", v) for v in "ab"] + [("social", v) for v in "abc"]
    np.testing.assert_allclose(
        list(got.values()), 10_000 * np.array(expected), rtol=EXACT, atol=EXACT
    )
    assert sum(got.values()) == pytest.approx(220_000, rel=EXACT)  # 10 + 12 万元


def test_shares_are_marked_and_the_rows_of_villages_are_not(tmp_path):
    ledger = read(tmp_path, LONG + "      shared_by: equal", POOLED).ledger
    own = ledger.entries[~ledger.entries["shared"]]
    assert own[["village", "amount"]].to_numpy().tolist() == [["a", 10_000]]
    assert set(ledger.entries["row"]) == {2, 3, 4}
    assert not (ledger.entries["village"] == "").any()


def test_pooled_money_stays_pooled_unless_a_rule_is_declared(tmp_path):
    data = read(tmp_path, LONG, POOLED)
    pooled = data.ledger.entries[data.ledger.entries["village"] == ""]
    assert pooled[["county", "town", "amount"]].to_numpy().tolist() == [
        ["East", "North", 100_000],
        ["East", "", 120_000],
    ]
    assert data.ledger.to_matrix(data.panel).sum() == 10_000
    assert any("pooled money that is no village's" in p.message for p in data.problems)


@pytest.mark.parametrize(
    ("place", "rule"),
    [("West -", "equal"), ("West Hill", "households"), ("East North", "poor_households")],
)
def test_money_of_a_place_with_nobody_to_share_it_stays_pooled(tmp_path, place, rule):
    text = f"vill county town year source stage amount\n- {place} 2019 财政 到位 10"
    # West has no treated village; without poor households in North no share can be worked out
    files = VILLAGES.replace("60 10", "60 0").replace("40 10", "40 0")
    ledger = LONG + f"      shared_by: {rule}"
    data = read_typed(tmp_path, said(ledger), villages=files, ledger=text, prices=INDEX)
    assert data.ledger.entries[["village", "amount", "shared"]].to_numpy().tolist() == [
        ["", 100_000, False]
    ]
    assert any("it stays" in p.message for p in data.problems)


@pytest.mark.parametrize("covariates", ["", "covariates: {households: hh}"])
def test_a_rule_needs_its_covariate(tmp_path, covariates):
    with pytest.raises(DataError, match="pooled money is shared by poor_households, which is"):
        read(tmp_path, LONG + "      shared_by: poor_households", POOLED, covariates=covariates)


MIXED = """
    vill county town  year source stage role amount
    a    East   North 2018 财政   到位  争取 3
    a    East   North 2018 财政   到位  投入 2
    a    East   North 2019 信贷   支出  争取 4
    a    East   North 2019 财政   到位  争取 5
    c    East   South 2019 社会   到位  争取 6
    c    East   South 2017 社会   到位  争取 7
    -    West   -     2019 社会   到位  争取 8
    """
ROLES = LONG + "      role: role\n"


def test_money_by_village_and_year(tmp_path):
    data = read(tmp_path, ROLES, MIXED)
    panel, ledger = data.panel, data.ledger
    # c's money of 2017 and the pooled money of West are in no cell of the panel
    expected = np.zeros((5, 2))
    expected[0], expected[2, 1] = [30_000, 50_000], 60_000
    np.testing.assert_allclose(ledger.to_matrix(panel), expected, rtol=EXACT)
    fiscal = ledger.to_matrix(panel, sources=["fiscal"])
    assert fiscal.sum() == 80_000
    spent = ledger.to_matrix(panel, stage="spent")
    assert (spent[0, 1], spent.sum()) == (40_000, 40_000)


def test_sources_and_uses_are_never_added(tmp_path):
    ledger = read(tmp_path, ROLES, MIXED).ledger
    received = {
        role: ledger.select(role=role)["amount"].sum() / 10_000 for role in ("source", "use")
    }
    assert received == {"source": 3 + 5 + 6 + 7 + 8, "use": 2}


def test_totals_hold_pooled_money_too(tmp_path):
    ledger = read(tmp_path, ROLES, MIXED).ledger
    assert ledger.totals().to_numpy().tolist() == [
        ["East", "fiscal", 80_000],
        ["East", "social", 130_000],  # 6 and 7
        ["West", "social", 80_000],
    ]
    assert ledger.totals(["year"]).to_numpy().tolist() == [
        [2017, 70_000],
        [2018, 30_000],
        [2019, 190_000],  # 5 + 6 + 8
    ]


def test_what_the_ledger_lacks_is_an_error(tmp_path):
    ledger = read(tmp_path, ROLES, MIXED).ledger
    with pytest.raises(DesignError, match=r"no money committed with the role source; it has "):
        ledger.select(stage="committed")
    with pytest.raises(DesignError, match="no source 'fiscl'; did you mean 'fiscal'"):
        ledger.select(sources=["fiscl"])


def test_every_year_has_its_own_deflator(tmp_path):
    text = """
        vill county town  year source stage amount
        a    East   North 2017 财政   到位  8
        a    East   North 2018 财政   到位  8
        a    East   North 2019 财政   到位  8
        """
    got = entries_of(tmp_path, LONG, text, "year", "amount", basis="nominal")
    # 80,000 * 125 / 80, * 125 / 100, * 125 / 125; the panel itself begins in 2018
    np.testing.assert_allclose(
        got, [(2017, 125_000), (2018, 100_000), (2019, 80_000)], rtol=EXACT
    )


def test_logs_of_amounts_become_levels(tmp_path):
    ledger = (
        "amount: {column: amount, unit: 元, scale: log1p}\n          source: {value: fiscal}"
    )
    text = (
        f"vill county town year amount\na East North 2018 {np.log(1_001)}\nb East North 2018 0"
    )
    got = entries_of(tmp_path, ledger, text, "village", "amount")
    assert got == [("a", pytest.approx(1_000, rel=EXACT)), ("b", 0)]


def test_words_of_the_study(tmp_path):
    ledger = """
          amount: {column: amount, unit: 元}
          source: source
          sources: {县里的钱: fiscal}
          stage: stage
          stages: {板上钉钉: committed}
    """
    text = "vill county town year source stage amount\na East North 2018 县里的钱 板上钉钉 3"
    got = entries_of(tmp_path, ledger, text, "source", "stage")
    assert got == [("fiscal", "committed")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("a East North 2018 县里的钱 到位 3", "sources that are not known"),
        ("a East North 2018 财政 听说 3", "stages that are not known"),
        ("a East North 2018 财政 到位 -3", "negative amounts"),
        ("a East North - 财政 到位 3", "empty cells"),
    ],
)
def test_what_breaks_the_contract_is_an_error(tmp_path, row, says):
    rows = f"vill county town year source stage amount\nb East North 2018 财政 到位 1\n{row}"
    found = find_problems(tmp_path, said(LONG), villages=VILLAGES, ledger=rows, prices=INDEX)
    (problem,) = [p for p in found if p.level == "error"]
    assert problem.message.startswith(says)
    assert [place for place, _ in problem.places] == [3]


def test_amounts_need_a_unit_of_money(tmp_path):
    ledger = LONG.replace(", unit: 万元", "")
    files = {"villages.csv": VILLAGES, "ledger.csv": POOLED, "prices.csv": INDEX}
    with pytest.raises(DataError, match="amount: say what money it is in"):
        type_study(tmp_path, said(ledger), files)


def test_money_of_unknown_villages_is_left_out_and_told(tmp_path):
    text = """
        vill county town  year source stage amount
        a    East   North 2018 财政   到位  3
        z    East   North 2018 财政   到位  9
        """
    data = read(tmp_path, LONG + "      shared_by: equal", text)
    # z is a village, if not one of the panel: its money is not pooled
    assert data.ledger.entries[["village", "amount"]].to_numpy().tolist() == [["a", 30_000]]
    assert any("the panel does not have" in p.message for p in data.problems)


def test_totals_beside_their_sources_are_held_row_by_row(tmp_path):
    # 10 + 5 is not 20 and 9 + 6 not 10, but together they are 30.
    parts = "fiscal: {column: f, unit: 元}, social: {column: s, unit: 元}"
    wide = f"amounts: {{{parts}, total: {{column: t, unit: 元}}}}"
    rows = "vill county town year f s t\na East North 2019 10 5 20\na East North 2019 9 6 10"
    with pytest.raises(DataError, match=r"15 instead of 20.*15 instead of 10"):
        read(tmp_path, wide, rows)


def test_a_total_without_a_project_is_of_all_projects(tmp_path):
    rows = """
        vill county town year project source amount
        a    East   North 2019 A      fiscal 10
        a    East   North 2019 B      social 5
        a    East   North 2019 -      合计   15
        """
    said = ["amount: {column: amount, unit: 元}", "source: source", "project: project"]
    ledger = ("\n" + 10 * " ").join(said)
    assert entries_of(tmp_path, ledger, rows, "source") == [("fiscal",), ("social",)]


def test_money_spent_under_another_project_is_still_money_spent(tmp_path):
    rows = """
        vill county town  year project source stage    amount
        a    East   North 2019 A       fiscal received 20
        a    East   North 2019 B       fiscal spent    100
        """
    said = (
        "amount: {column: amount, unit: 元}\n          source: source\n          stage: stage"
        "\n          project: project"
    )
    ledger = read(tmp_path, said, rows).ledger
    assert any("more spent than received" in p.message for p in ledger.problems)


def test_money_of_years_beyond_the_panel_is_told(tmp_path):
    rows = "vill county town year source amount\na East North 2031 fiscal 10"
    prices = "amount: {column: amount, unit: 元}\n          source: source"
    ledger = read(tmp_path, prices, rows).ledger
    assert any("years that the panel does not have" in p.message for p in ledger.problems)
