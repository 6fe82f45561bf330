"""Gain per yuan: ledgers worked by hand, what is in no ratio and why, and claims."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from evaluation.bounds import Bounds
from evaluation.claims.measures import assess_counties, assessment_frame
from evaluation.data.panel import Variable
from evaluation.efficiency.claimed import MEASURES
from evaluation.efficiency.ratios import funding_efficiency
from evaluation.efficiency.spending import NO_TYPE, main_types, match_spending
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.efficiency.ledgers import (
    COUNTIES,
    LOG,
    PER_CAPITA,
    VILLAGES,
    random_ledger,
    to_ledger,
    typed_ledger,
    typed_places,
)
from tests.gains.panels import random_cells, to_panel
from tests.recovery.worlds import World, make_panel

EXACT = 1e-12  # the same arithmetic, in another order
LOGS = 1e-9  # logs and back
INVARIANT = 1e-9  # sums over other orders, and least squares in other units

# Gains (see ledgers.VILLAGES): A 2 + 4, B 10 + 10, C 6.
MONEY = """
    village year amount source           project
    A       2003 4      fiscal           greenhouse
    A       2004 2      social           road
    B       2003 30     fiscal           road
    C       2004 2      dispatching_unit greenhouse
    C       2004 1      social           mill
    """


@pytest.fixture(scope="module")
def gains():
    return estimate_gains(typed_places())


def efficiency(gains, table=MONEY, **options):
    return funding_efficiency(gains, typed_ledger(table, gains.panel), **options)


# -- by hand ---------------------------------------------------------------------------------


def test_villages_by_hand(gains):
    frame = efficiency(gains).to_frame()
    assert list(frame.index) == ["A", "B", "C", "E"]
    # mean gains a year: 3 / 6, 10 / 30, 6 / 3
    np.testing.assert_allclose(frame["gain"], [3, 10, 6, np.nan], rtol=EXACT)
    np.testing.assert_allclose(frame["money"], [4 + 2, 30, 2 + 1, 0], rtol=EXACT)
    np.testing.assert_allclose(frame["per_yuan"], [1 / 2, 1 / 3, 2, np.nan], rtol=EXACT)
    assert frame["group"].to_dict() == {
        "A": "",
        "B": "",
        "C": "",
        "E": "no money in the ledger",
    }


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        # The ratio of sums, and beside it the mean of villages' ratios.
        ("programme", {"all": ((3 + 10 + 6) / (6 + 30 + 3), (1 / 2 + 1 / 3 + 2) / 3)}),
        ("county", {"East": (13 / 36, 5 / 12), "West": (6 / 3, 2)}),
        ("cohort", {2003: (13 / 36, 5 / 12), 2004: (2, 2)}),
        (pd.Series({"A": "u", "C": "u", "N": "w"}), {"u": (9 / 9, 5 / 4)}),
    ],
    ids=str,
)
def test_groups_by_hand(gains, by, expected):
    frame = efficiency(gains).by(by)
    found = frame[["per_yuan", "mean_of_ratios"]]
    np.testing.assert_allclose(found, list(expected.values()), rtol=EXACT)
    assert list(frame.index) == list(expected)
    np.testing.assert_allclose(frame["gain"] / frame["money"], found["per_yuan"], rtol=EXACT)
    assert (frame["kind"] == "none").all() and (frame["reason"] != "").all()


def test_the_ratio_of_sums_is_the_mean_of_ratios_weighted_by_money(gains):
    found = efficiency(gains)
    counted = found.villages.query("group == ''")
    weighted = np.average(counted["per_yuan"], weights=counted["money"])
    assert found.total["per_yuan"] == pytest.approx(weighted, rel=EXACT)


def test_sources_each_have_the_whole_gain(gains):
    frame = efficiency(gains).by_source()
    expected = {"dispatching_unit": 2, "fiscal": 34, "social": 3}
    assert frame["money"].to_dict() == expected
    np.testing.assert_allclose(frame["per_yuan"], [19 / 2, 19 / 34, 19 / 3], rtol=EXACT)
    np.testing.assert_allclose(frame["share"], [2 / 39, 34 / 39, 3 / 39], rtol=EXACT)


def test_only_the_sources_asked_for(gains):
    found = efficiency(gains, sources=["fiscal"])
    assert found.villages["money"].tolist() == [4, 30, 0, 0]
    # C's gain was not bought with fiscal money: it is in no ratio.
    assert found.total["per_yuan"] == pytest.approx(13 / 34, rel=EXACT)
    assert found.spending.sources == ("fiscal",)


def test_horizons_by_hand(gains):
    total = efficiency(gains, horizon="cumulative").total
    assert total["gain"] == pytest.approx(2 + 4 + 10 + 10 + 6, rel=EXACT)
    assert total["per_yuan"] == pytest.approx(32 / 39, rel=EXACT)
    # Worth in 2001, the first cohort's year (E), at a quarter a year: 2003 counts 16/25.
    found = efficiency(gains, horizon="cumulative", discount_rate=0.25)
    assert found.spending.first_year == 2001
    earlier, later = 0.8**2, 0.8**3
    gain = [2 * earlier + 4 * later, 10 * earlier + 10 * later, 6 * later]
    money = [4 * earlier + 2 * later, 30 * earlier, 3 * later]
    np.testing.assert_allclose(found.villages["gain"][:3], gain, rtol=EXACT)
    np.testing.assert_allclose(found.villages["money"][:3], money, rtol=EXACT)
    assert found.total["per_yuan"] == pytest.approx(sum(gain) / sum(money), rel=EXACT)
    assert found.unit == "y per unit of money"


def test_years_by_hand(gains):
    frame = efficiency(gains).yearly()
    # From the first treated year of those in the ratio: E, treated in 2001, is in none.
    assert list(frame.index) == [2003, 2004]
    np.testing.assert_allclose(frame["gain"], [2 + 10, 4 + 10 + 6], rtol=EXACT)
    assert frame["fiscal"].tolist() == [34, 0]
    assert frame["social"].tolist() == [0, 3]
    assert frame["dispatching_unit"].tolist() == [0, 2]


def test_per_household(gains):
    households = {"A": 2, "B": 8, "C": 3, "E": 7, "N": 1, "M": 1}
    panel = typed_places(households=households, poor=dict.fromkeys("ABCENM", 0))
    found = efficiency(estimate_gains(panel))
    frame = found.per("households")
    assert frame["n_units"].to_dict() == {"East": 2 + 8, "West": 3}
    np.testing.assert_allclose(frame["gain"], [13 / 10, 6 / 3], rtol=EXACT)
    np.testing.assert_allclose(frame["money"], [36 / 10, 3 / 3], rtol=EXACT)
    whole = found.per("households", by="programme")
    np.testing.assert_allclose(whole["gain"], 19 / 13, rtol=EXACT)
    assert found.per("poor")["gain"].isna().all()  # nobody to share it, not infinity


@pytest.mark.parametrize("households", [{"A": 2}, {"A": 2, "B": 8, "C": -1}])
def test_per_household_needs_them_all(households):
    panel = typed_places(households=households)
    with pytest.raises(DesignError, match="households is not known, or negative"):
        efficiency(estimate_gains(panel)).per("households")


def test_types_of_projects(gains):
    spending = match_spending(gains.panel, typed_ledger(MONEY, gains.panel))
    projects = pd.DataFrame(
        [
            ("East", "greenhouse", "farming"),
            ("East", "road", "roads"),
            ("West", "greenhouse", "farming"),
            ("West", "", "farming"),
            ("West", "shed", ""),
        ],
        columns=["county", "project", "type"],
    )
    labels = main_types(spending, projects)
    # A has 4 of 6 for farming, B all for roads, C 2 of 3 for farming.
    assert labels.to_dict() == {"A": "farming", "B": "roads", "C": "farming"}
    frame = efficiency(gains).by(labels)
    assert frame.index.name == "type"
    np.testing.assert_allclose(frame["per_yuan"], [9 / 9, 10 / 30], rtol=EXACT)


def test_types_that_no_money_is_mostly_of(gains):
    table = """
        village year amount project
        A       2003 4      greenhouse
        A       2003 4      road
        B       2003 1      nowhere
        C       2004 1      greenhouse
        """
    spending = match_spending(gains.panel, typed_ledger(table, gains.panel))
    projects = pd.DataFrame(
        {"county": ["East", "East"], "project": ["greenhouse", "road"], "type": ["f", "r"]}
    )
    assert main_types(spending, projects).to_dict() == {
        "A": NO_TYPE,
        "B": NO_TYPE,
        "C": NO_TYPE,
    }
    unnamed = projects.assign(project="")
    for given in (None, unnamed, projects.assign(type=""), projects.assign(county="North")):
        with pytest.raises(DesignError, match="no money is under the name of a project"):
            main_types(spending, given)
    with pytest.raises(DesignError, match="no money is under the name of a project"):
        # Money without a project's name is not that of projects without one.
        main_types(match_spending(gains.panel, typed_ledger(
            "village year amount\nA 2003 1", gains.panel)), unnamed)  # fmt: skip


# -- scales of the outcome -------------------------------------------------------------------

PEOPLE = {"A": 10, "B": 20, "C": 5, "E": 10, "N": 4, "M": 2}


def test_gains_per_capita_count_their_people():
    panel = typed_places(analysis=PER_CAPITA, people=PEOPLE)
    whole = panel.matrix("y") * panel.matrix("people")  # the table holds incomes a head
    panel = replace(panel, matrices={**panel.matrices, "y": whole})
    found = efficiency(estimate_gains(panel))
    np.testing.assert_allclose(found.villages["gain"][:3], [30, 200, 30], rtol=EXACT)
    frame = found.by("county")
    np.testing.assert_allclose(frame["gain"], [230, 30], rtol=EXACT)
    np.testing.assert_allclose(frame["per_yuan"], [230 / 36, 30 / 3], rtol=EXACT)


def test_gains_of_logarithms_are_money_without_an_interval():
    cells = random_cells(7, n=80, n_counties=40)
    cells["y"] = np.exp(cells["y"] / 10)
    gains = estimate_gains(to_panel(cells, analysis=LOG))
    assert np.isfinite(gains.att["conf_low"])
    found = funding_efficiency(gains, random_ledger(gains.panel))
    frame = found.villages[found.villages["group"] == ""]
    own = gains.villages.loc[frame.index, "gain_yuan"]
    np.testing.assert_allclose(frame["gain"], own, rtol=LOGS)
    total = found.total
    assert total["gain"] == pytest.approx(own.sum(), rel=LOGS)
    assert total["kind"] == "none" and "logarithms" in total["reason"]
    assert (frame["kind"] == "none").all() and (frame["reason"] != "").all()
    county = found.by("county")
    sums = own.groupby(gains.villages["county"]).sum()
    np.testing.assert_allclose(county["gain"], sums[county.index], rtol=LOGS)


def test_logarithms_that_are_no_money_have_no_gain_per_yuan():
    panel = typed_places()
    panel.variables["y"] = Variable(
        name="y", role="outcome", label="y", unit="", scale="log", column="y"
    )
    with pytest.raises(DesignError, match="cannot be brought back to a level"):
        efficiency(estimate_gains(panel))


@pytest.mark.parametrize(
    ("unit", "reads"),
    [
        ("yuan", "yuan a year per yuan"),
        ("USD", "USD a year per USD"),
        ("kg", "kg a year per unit of money"),
        ("", "y a year per unit of money"),
    ],
)
def test_the_unit_is_the_outcomes(unit, reads):
    panel = typed_places()
    panel.variables["y"] = Variable(
        name="y", role="outcome", label="y", unit=unit, scale="level", column="y"
    )
    found = efficiency(estimate_gains(panel))
    assert found.unit == reads and f"0.487 {reads} spent" in found.summary()


# -- what is in no ratio ---------------------------------------------------------------------


def test_zero_and_missing_money_and_missing_gains_are_groups_of_their_own(gains):
    table = """
        village year amount
        A       2003 6
        B       2003 0
        E       2002 5
        """
    found = efficiency(gains, table)
    groups = found.groups()
    assert list(groups.index) == [
        "", "its money is zero", "money, but no gain", "no money in the ledger",
    ]  # fmt: skip
    assert groups["n_villages"].tolist() == [1, 1, 1, 1]
    assert groups["n_with_gain"].tolist() == [1, 1, 0, 1]
    np.testing.assert_allclose(groups["gain"], [3, 10, 0, 6], rtol=EXACT)
    np.testing.assert_allclose(groups["money"], [6, 0, 5, 0], rtol=EXACT)
    # No village without money makes a mean infinite, or is bought for nothing.
    total = found.total
    assert (total["n_villages"], total["per_yuan"]) == (1, pytest.approx(0.5, rel=EXACT))
    assert total["mean_of_ratios"] == pytest.approx(0.5, rel=EXACT)
    text = found.summary()
    for group in groups.index[1:]:
        assert f"not in the ratio: 1 villages, {group}" in text
        assert found.villages.query("group == @group")["per_yuan"].isna().all()
    np.testing.assert_array_equal(found.villages["reason"][1:], found.villages["group"][1:])


def test_money_that_is_no_villages_is_counted():
    late = "    L       2007   1    2    3    4\n"
    panel = typed_places(VILLAGES.rstrip(" ") + late, COUNTIES | {"L": "West"})
    table = """
        village year amount county
        A       2003 6      -
        A       2002 1      -
        B       2001 2      -
        B       2002 3      -
        N       2003 4      -
        -       2003 5      East
        C       2005 6      -
        L       2003 7      -
        X       2003 8      -
        """
    found = efficiency(estimate_gains(panel), table)
    left_out = found.spending.left_out.set_index("reason")
    assert left_out.to_dict("index") == {
        "before the village's first treated year": told(3, 2, 6),
        "of villages that are never treated": told(1, 1, 4),
        "pooled for a place, and not shared out": told(1, 0, 5),
        "of years after the panel's last": told(1, 1, 6),
        "of villages treated after the panel's last year": told(1, 1, 7),
        "of villages that the panel does not have": told(1, 1, 8),
    }
    for reason, row in left_out.iterrows():
        assert f"money left out: {row['money']:.0f} unit of money {reason}" in found.summary()
    assert found.total["per_yuan"] == pytest.approx(3 / 6, rel=EXACT)
    rows = found.spending.entries["amount"].sum() + left_out["money"].sum()
    assert rows == 6 + 1 + 2 + 3 + 4 + 5 + 6 + 7 + 8


def told(n_entries, n_villages, money):
    return {"n_entries": n_entries, "n_villages": n_villages, "money": money}


def test_stages_and_roles_are_never_added(gains):
    table = """
        village year amount stage     role
        A       2003 6      spent     source
        A       2003 9      committed source
        A       2003 8      received  source
        A       2003 5      spent     use
        """
    expected = {("spent", "source"): 6, ("committed", "source"): 9, ("received", "source"): 8,
                ("spent", "use"): 5}  # fmt: skip
    for (stage, role), money in expected.items():
        found = efficiency(gains, table, stage=stage, role=role)
        assert found.total["money"] == money
        assert (found.spending.stage, found.spending.role) == (stage, role)


# -- intervals -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world():
    panel, _, _ = make_panel(World(), np.random.default_rng(5))
    return estimate_gains(panel)


@pytest.mark.parametrize("by", ["programme", "county"])
def test_known_money_divides_the_interval_of_the_sum_of_gains(world, by):
    frame = funding_efficiency(world, random_ledger(world.panel)).by(by)
    own = world.by(by)
    n = own["n_villages"]
    assert (frame["kind"] == "bounded").all() and (frame["n_villages"] == n).all()
    for ours, theirs in (("per_yuan", "estimate"), ("low", "conf_low"), ("high", "conf_high")):
        expected = own[theirs] * n / frame["money"]
        np.testing.assert_allclose(frame[ours], expected, rtol=INVARIANT)


def test_villages_intervals_are_those_of_their_gains(world):
    ledger = random_ledger(world.panel)
    annual = funding_efficiency(world, ledger).villages
    whole = funding_efficiency(world, ledger, horizon="cumulative").villages
    for found, times in ((annual, 1), (whole, 3)):  # three treated years
        for ours, theirs in (("per_yuan", "gain"), ("low", "conf_low"), ("high", "conf_high")):
            expected = world.villages[theirs] * times / found["money"]
            np.testing.assert_allclose(found[ours], expected, rtol=INVARIANT)
    discounted = funding_efficiency(world, ledger, horizon="cumulative", discount_rate=0.05)
    assert (discounted.villages["kind"] == "none").all()
    assert discounted.villages["reason"].str.contains("not discounted ones").all()
    assert discounted.total["kind"] == "bounded"


def test_cumulative_intervals_weigh_village_years():
    gains = estimate_gains(to_panel(random_cells(3, n=160, n_counties=40)))
    found = funding_efficiency(gains, random_ledger(gains.panel), horizon="cumulative")
    whole, att = found.total, gains.att
    assert whole["n_villages"] == att["n_villages"]
    for ours, theirs in (("gain", "estimate"), ("conf_low", "conf_low")):
        assert whole[ours] == pytest.approx(att[theirs] * att["n_cells"], rel=INVARIANT)


def test_errors_of_money_make_sets_wider_and_at_last_unbounded(world):
    ledger = random_ledger(world.panel)
    known, some, most = (
        funding_efficiency(world, ledger, money_error=error) for error in (0, 0.2, 0.95)
    )
    for by in ("programme", "county"):
        inner, outer = known.by(by), some.by(by)
        assert (outer["low"] < inner["low"]).all() and (inner["high"] < outer["high"]).all()
        np.testing.assert_array_equal(outer["per_yuan"], inner["per_yuan"])
    # sd of money m measured with a relative error e: e m / (1 + e^2)^(1/2), independently
    squares = (some.villages["money"] ** 2).groupby(some.villages["county"]).sum()
    sd = 0.2 * np.sqrt(squares / 1.04)
    np.testing.assert_allclose(some.by("county")["money_sd"], sd, rtol=EXACT)
    np.testing.assert_allclose(
        some.by_source()["money_sd"],
        0.2 * np.sqrt((some.spending.villages[["fiscal", "social"]] ** 2).sum() / 1.04),
        rtol=EXACT,
    )
    kinds = most.villages["kind"]
    # .95 / (1 + .95^2)^(1/2) = .69 of the money: no more than 1.96 of it
    assert set(kinds) == {"unbounded", "whole line"}
    frame = most.by("county")
    assert (frame["money"] / frame["money_sd"] > 1.96).eq(frame["kind"] == "bounded").all()


def test_a_summary_names_an_unbounded_set_as_such(world):
    ledger = random_ledger(world.panel)
    one = ledger.entries["village"] == world.villages.index[0]
    ledger.entries["amount"] *= np.where(one, 1e6, 1)  # nearly all money is one village's
    found = funding_efficiency(world, ledger, money_error=0.9)
    assert found.total["kind"] in ("unbounded", "whole line")
    first = found.summary().splitlines()[0]
    assert "(95% set, unbounded: " in first or "(95% set, whole line)" in first


def test_it_is_drawn(world):
    axes = Figure().subplots()
    found = funding_efficiency(world, random_ledger(world.panel))
    assert found.plot(axes) is axes and axes.get_xlabel() == "yuan a year per yuan"
    frame = found.by("county")
    points, *bars = axes.lines
    np.testing.assert_array_equal(points.get_xdata(), frame["per_yuan"])
    assert [list(bar.get_xdata()) for bar in bars[:40]] == frame[
        ["low", "high"]
    ].to_numpy().tolist()


# -- what does not matter --------------------------------------------------------------------

NUMBERS = ["gain", "conf_low", "conf_high", "money", "money_sd"]
RATIOS = ["per_yuan", "low", "high", "mean_of_ratios"]


def ask(cells, entries, *, unit=1.0):
    panel = to_panel(cells.assign(y=cells["y"] * unit))
    ledger = to_ledger(entries.assign(amount=entries["amount"] * unit), panel)
    found = funding_efficiency(estimate_gains(panel), ledger, money_error=0.1)
    for by in ("programme", "county"):
        frame = found.by(by)
        yield pd.concat([frame[NUMBERS] / unit, frame[RATIOS]], axis=1), frame["kind"]


@pytest.fixture(scope="module")
def drawn():
    cells = random_cells(3, n=160, n_counties=40)
    return cells, random_ledger(to_panel(cells)).entries


def same(drawn, changed):
    for (own, kind), (other, other_kind) in zip(ask(*drawn), changed, strict=True):
        np.testing.assert_allclose(other, own, rtol=INVARIANT)
        assert list(other_kind) == list(kind)


@pytest.mark.parametrize("unit", [1e-4, 1e4, 1e8])
def test_the_unit_of_money_does_not_matter(drawn, unit):
    same(drawn, ask(*drawn, unit=unit))


def test_the_order_of_rows_does_not_matter(drawn):
    cells, entries = (frame.sample(frac=1, random_state=1) for frame in drawn)
    same(drawn, ask(cells, entries))


def test_names_of_villages_and_entries_in_parts_do_not_matter(drawn):
    cells, entries = (frame.assign(village="n" + frame["village"]) for frame in drawn)
    halves = pd.concat([entries.assign(amount=entries["amount"] / 2)] * 2)
    same(drawn, ask(cells, halves))


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"horizon": "monthly"}, "horizon is 'monthly'"),
        ({"discount_rate": 0.05}, "goes with horizon='cumulative'"),
        ({"horizon": "cumulative", "discount_rate": -1.0}, "discount_rate is -1.0"),
        ({"horizon": "cumulative", "discount_rate": np.nan}, "discount_rate is nan"),
        ({"money_error": -0.1}, "money_error is -0.1"),
        ({"money_error": 1.0}, "money_error is 1.0"),
        ({"money_error": np.nan}, "money_error is nan"),
        ({"stage": "received"}, r"no money received with the role source; it has spent \(sou"),
        ({"role": "use"}, "no money spent with the role use"),
        ({"sources": ["taxes"]}, "no source 'taxes'"),
        ({"sources": ["credit"]}, "no village with a gain has money spent"),
    ],
    ids=str,
)
def test_options_that_are_none(gains, options, says):
    with pytest.raises(DesignError, match=says):
        efficiency(gains, **options)


@pytest.mark.parametrize("by", ["year", "event_time", "month", pd.Series({"Z": "z"})], ids=str)
def test_groups_that_are_none(gains, by):
    with pytest.raises(
        DesignError, match=r"has no meaning|by is 'month'|no village with a gain"
    ):
        efficiency(gains).by(by)


@pytest.mark.parametrize(
    ("amount", "says"),
    [
        (-3, r"ledger.csv: 1 amounts are negative or missing: row 3 \(-3.0\)"),
        (np.nan, r"1 amounts are negative or missing: row 3 \(nan\)"),
        (np.inf, r"row 3 \(inf\)"),
    ],
)
def test_amounts_that_are_none(gains, amount, says):
    ledger = typed_ledger(MONEY, gains.panel)
    ledger.entries.loc[1, "amount"] = amount
    with pytest.raises(DesignError, match=says):
        funding_efficiency(gains, ledger)


def test_gains_need_a_ledger_with_money(gains):
    with pytest.raises(DesignError, match="gains need a ledger"):
        funding_efficiency(gains, None)
    empty = typed_ledger(MONEY, gains.panel).entries.iloc[:0]
    with pytest.raises(DesignError, match="no money spent"):
        funding_efficiency(gains, to_ledger(empty, gains.panel))
    with pytest.raises(DesignError, match="no village with a gain has money spent"):
        efficiency(gains, "village year amount\nX 2003 1\nA 2001 1")


@pytest.mark.parametrize(
    ("incomes", "money", "unit", "says"),
    [
        (2020, 2019, "yuan", "incomes are in prices of 2020, ledger.csv in prices of 2019"),
        (2020, None, "yuan", "incomes are in prices of 2020, ledger.csv in nominal money"),
        (None, 2020, "yuan", "incomes are in nominal money, ledger.csv in prices of 2020"),
        (2020, 2020, "yuan", ""),
        (None, None, "yuan", ""),
        (None, 2020, "kg", ""),
    ],
)
def test_prices_of_panel_and_ledger_are_of_one_year(incomes, money, unit, says):
    panel = replace(typed_places(), price_year=incomes)
    panel.variables["y"] = Variable(
        name="y", role="outcome", label="y", unit=unit, scale="level", column="y"
    )
    ledger = typed_ledger(MONEY, panel, price_year=money)
    if not says:
        assert match_spending(panel, ledger).villages["money"].sum() == 39
        return
    with pytest.raises(DesignError, match=says):
        match_spending(panel, ledger)


def test_nobody_treated():
    panel = typed_places("village cohort 2001 2002\nA - 1 2\nB 2005 1 2")
    with pytest.raises(DesignError, match="no village of the panel is treated"):
        match_spending(panel, typed_ledger("village year amount\nA 2001 1", panel))


# -- published claims ------------------------------------------------------------------------


def test_claims_give_the_bounds_of_their_own_chapter(jining):
    found = funding_efficiency(jining)
    own = tuple(a for a in assess_counties(jining) if a.measure.name in MEASURES)
    assert {a.measure.name for a in own} == set(MEASURES)
    pd.testing.assert_frame_equal(found.to_frame(), assessment_frame(own))


def test_yutais_gain_per_yuan(jining):
    found = {
        a.definition: a
        for a in funding_efficiency(jining).assessments
        if (a.county, a.measure.name) == ("Yutai", "gain_per_yuan") and a.quantity is not None
    }
    project = found["project funds, if the total is a yearly amount"].read("strict")
    # 3.71 million of 11.32 million yuan
    assert project == Bounds.exactly(371) / Bounds.exactly(1132)
    assert str(project) == "0.328"
    # With 6.84 and 51.25 million raised: all of it uses of the same money, or none.
    every = found["all funds, if the total is a yearly amount"].read("strict")
    assert every == Bounds.exactly(371) / Bounds(684 + 5125, 1132 + 684 + 5125)
    assert str(every) == "[0.0534, 0.0639]"


def test_counties_of_unlike_claims_are_not_ranked(jining):
    found = funding_efficiency(jining)
    frame = found.to_frame()
    text = " ".join(frame.columns) + " ".join(dir(found)) + found.summary()
    assert "rank" not in text.lower()
    # One county alone states what a gain per yuan takes; the others have what is missing.
    ratios = [a for a in found.assessments if a.measure.name == "gain_per_yuan"]
    assert {a.county for a in ratios} == {"Yutai", "Weishan", "Sishui", "Liangshan"}
    for assessment in ratios:
        assert (assessment.quantity is None) == bool(assessment.result.missing)


def test_claims_take_no_ledger(jining, gains):
    with pytest.raises(DesignError, match="claims state their own money"):
        funding_efficiency(jining, typed_ledger(MONEY, gains.panel))
