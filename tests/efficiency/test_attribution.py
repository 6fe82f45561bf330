"""What sources' money may have gained: exact where known, and no number where it is not."""

import numpy as np
import pandas as pd
import pytest

from evaluation.efficiency.attribution import ASSUMPTION, attribute_gains, income_before
from evaluation.efficiency.spending import match_spending
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.regression import regress_gains
from tests.efficiency.ledgers import to_ledger, typed_places
from tests.efficiency.test_dose import panel_of
from tests.gains.panels import to_panel

EXACT = 1e-9  # least squares of gains known to 1e-14, on squares of money
NOISE = 0.01  # five standard errors, with errors of .01 in each village and year
COVERED = 0.06  # three sampling errors of a share of .95 in 120 coefficients


def money_of(n=40, *, seed=0, names=("fiscal", "social")):
    generator = np.random.default_rng(1_000 + seed)
    return {name: generator.lognormal(size=n) for name in names}


def attribute(money, gains, *, noise=0.0, seed=0, unit=1.0, level=None, counties=50):
    """Attribute gains by village (the rows of money) in a panel with as many counties."""
    n = len(gains)
    cells = panel_of(np.asarray(gains, float) * unit, noise=noise * unit, seed=seed, n_never=60)
    if level is not None:  # of incomes before treatment
        cells["y"] += np.repeat(np.append(level, np.zeros(60)), 5)
    number = cells["village"].str[1:].astype(int)
    cells["county"] = "c" + (number % counties).astype(str)
    panel = to_panel(cells)
    rows = [
        (panel.villages.index[i], 2004, name, unit * values[i])
        for name, values in money.items()
        for i in range(n)
        if values[i] > 0
    ]
    entries = pd.DataFrame(rows, columns=["village", "year", "source", "amount"])
    estimated = estimate_gains(panel)
    spending = match_spending(panel, to_ledger(entries, panel))
    return estimated, spending, attribute_gains(estimated, spending)


# -- ranges ----------------------------------------------------------------------------------


@pytest.mark.parametrize("squared", [0.0, -0.05])
def test_first_in_and_last_in_by_hand(squared):
    money = money_of()
    fiscal, social = money.values()
    total = fiscal + social
    _, _, found = attribute(money, 2 * total + squared * total**2)
    expected = {
        # What a source's money would have gained alone, and what would be lost without it.
        "fiscal": (
            (2 * fiscal + squared * fiscal**2).sum(),
            (2 * fiscal + squared * (total**2 - social**2)).sum(),
        ),
        "social": (
            (2 * social + squared * social**2).sum(),
            (2 * social + squared * (total**2 - fiscal**2)).sum(),
        ),
    }
    for name, (first, last) in expected.items():
        row = found.sources.loc[name]
        assert row["first_in"] == pytest.approx(first, rel=EXACT)
        assert row["last_in"] == pytest.approx(last, rel=EXACT)
        assert row["money"] == pytest.approx(money[name].sum(), rel=EXACT)
    # One source's first and the other's last place make up the whole.
    whole = (2 * total + squared * total**2).sum()
    sums = found.sources["first_in"].to_numpy() + found.sources["last_in"].to_numpy()[::-1]
    np.testing.assert_allclose(sums, whole, rtol=EXACT)


def test_ranges_have_the_intervals_of_the_fit_through_zero():
    money = money_of()
    total = sum(money.values())
    gains, spending, found = attribute(money, 2 * total, noise=0.5)
    frame = spending.villages.loc[gains.villages.index]
    fit = regress_gains(
        gains, pd.DataFrame({"money": frame["money"], "squared": frame["money"] ** 2})
    )
    social, rest = frame["social"], frame["fiscal"]
    loads = [social.sum(), (frame["money"] ** 2 - rest**2).sum()]
    row = fit.combine([loads], ["last"]).iloc[0]
    ours = found.sources.loc["social", ["last_in", "last_in_low", "last_in_high"]]
    expected = row[["estimate", "conf_low", "conf_high"]]
    np.testing.assert_allclose(ours.astype(float), expected.astype(float), rtol=EXACT)
    assert (found.sources["reason"] == "").all()


def test_villages_below_the_smallest_total_are_extrapolated():
    fiscal = np.append(np.full(20, 4.0), np.full(20, 1.0))
    social = np.append(np.full(10, 1.0), np.append(np.zeros(10), np.full(20, 5.0)))
    _, _, found = attribute({"fiscal": fiscal, "social": social}, fiscal + social)
    # Totals are 5, 4 and 6: below 4 are fiscal money of the last 20, social of the first 10.
    assert found.extrapolated.to_dict() == {"fiscal": 20 / 40, "social": 10 / 40}


# -- marginal returns ------------------------------------------------------------------------


def test_marginal_returns_that_are_known():
    money = money_of(seed=3)
    _, _, found = attribute(money, 2 * money["fiscal"] + 0.5 * money["social"], noise=0.01)
    assert found.identified and found.reason == ""
    np.testing.assert_allclose(found.sources["marginal"], [2, 0.5], atol=NOISE)
    assert "fiscal: " in found.summary() and "2 for one more yuan" in found.summary()
    assert found.summary().splitlines()[-1] == ASSUMPTION
    pd.testing.assert_frame_equal(found.to_frame(), found.sources)


def test_marginal_returns_are_inside_their_intervals_where_they_are_given():
    covered = []
    for seed in range(80):
        money = money_of(60, seed=seed)
        gains = 2 * money["fiscal"] + 0.5 * money["social"]
        _, _, found = attribute(money, gains, noise=1.0, seed=seed)
        if found.identified:
            for name, true in (("fiscal", 2), ("social", 0.5)):
                row = found.sources.loc[name]
                covered.append(row["conf_low"] <= true <= row["conf_high"])
    assert 100 < len(covered) < 160  # two tests at a tenth each turn some away
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERED)


@pytest.mark.parametrize("unit", [1e-4, 1e7])
def test_the_unit_of_money_does_not_matter(unit):
    money = money_of(60, seed=2)
    gains = 2 * money["fiscal"] + 0.5 * money["social"]
    own, other = (attribute(money, gains, noise=0.5, unit=u)[2] for u in (1.0, unit))
    assert (other.identified, other.reason) == (own.identified, own.reason)
    names = ["marginal", "se", "conf_low", "conf_high", "inflation"]
    np.testing.assert_allclose(other.sources[names], own.sources[names], rtol=1e-6)
    names = ["money", "first_in", "first_in_low", "last_in", "last_in_high"]
    np.testing.assert_allclose(other.sources[names] / unit, own.sources[names], rtol=1e-6)


def test_inflation_is_that_of_a_regression_on_the_others():
    money = money_of(60, names=("fiscal", "social", "own"))
    money["own"] = money["own"] + money["fiscal"] + 0.3 * money["social"]
    _, _, found = attribute(money, sum(money.values()))
    frame = pd.DataFrame(money)
    expected = np.diag(np.linalg.inv(np.corrcoef(frame.to_numpy().T)))
    order = [list(frame).index(name) for name in found.sources.index]
    np.testing.assert_allclose(found.sources["inflation"], expected[order], rtol=EXACT)


# -- what shows that they are not identified -------------------------------------------------


def not_identified(money, gains, **options):
    _, _, found = attribute(money, gains, **options)
    assert not found.identified
    marginal = found.sources[["marginal", "se", "conf_low", "conf_high"]]
    assert marginal.isna().all(axis=None)
    assert found.sources[["first_in", "last_in"]].notna().all(axis=None)
    assert found.summary().startswith(f"marginal returns: {found.reason}\n")
    assert "for one more yuan" not in found.summary()
    return found.reason


def test_one_source():
    money = {"fiscal": money_of()["fiscal"]}
    assert not_identified(money, money["fiscal"]) == "there is one source alone"


def test_few_villages_for_many_sources():
    money = money_of(25, names=("fiscal", "social", "own"))
    reason = not_identified(money, sum(money.values()))
    assert reason == "25 villages are too few for 3 sources"


def test_a_source_that_reached_few_villages():
    money = money_of(30)
    money["credit"] = np.append([3.0], np.zeros(29))
    reason = not_identified(money, sum(money.values()))
    assert reason == "money of credit reached 1 villages; its return is told from 10 on"


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_sources_that_come_together(noise):
    money = money_of()
    money["social"] = 2 * money["fiscal"] + noise * money["social"]
    reason = not_identified(money, sum(money.values()))
    assert (
        reason.startswith("sources come together: money of ") and "from the others'" in reason
    )


def test_a_source_that_gave_every_village_the_same():
    money = money_of()
    money["social"] = np.full(40, 2.0)
    assert "variance inflation inf" in not_identified(money, sum(money.values()))


def test_money_that_goes_with_income_before():
    money = money_of()
    gains = sum(money.values())
    reason = not_identified(money, gains, level=20 * money["fiscal"])
    assert reason.startswith("money goes with income before treatment (F test, p ")


@pytest.mark.parametrize("change", [lambda g: g + 5, lambda g: 4 * np.sqrt(g)])
def test_returns_that_change_with_the_amount(change):
    money = money_of(seed=3)
    reason = not_identified(money, change(sum(money.values())))
    assert reason.startswith("at no money the fitted gain is not zero (p ")


def test_few_clusters_leave_ranges_without_ends_and_say_so():
    money = money_of()
    _, _, found = attribute(money, sum(money.values()), noise=0.5, counties=5)
    ends = [f"{name}_{end}" for name in ("first_in", "last_in") for end in ("low", "high")]
    assert found.sources[ends].isna().all(axis=None)
    assert (found.sources["reason"] == "treated villages of 5 clusters; 95% needs 6").all()


def test_too_few_villages_with_money():
    with pytest.raises(DesignError, match="19 villages have a gain and money"):
        attribute(money_of(19), np.ones(19))


def test_the_same_money_everywhere_has_no_ranges():
    with pytest.raises(DesignError, match="one follows from the others"):
        attribute({"fiscal": np.full(40, 2.0)}, np.ones(40))


def test_income_before_is_the_mean_of_untreated_years():
    before = income_before(estimate_gains(typed_places()))
    # A 5, 6; B 1, 2; C 7, 8, 9; E is treated in all years.
    np.testing.assert_array_equal(before[["A", "B", "C", "E"]], [5.5, 1.5, 8, np.nan])
