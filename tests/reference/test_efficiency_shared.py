"""Efficiency in village data that others published: printed figures, and what they allow."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from evaluation.data.load import load_data
from evaluation.data.prices import read_price_index
from evaluation.data.study import Study
from evaluation.efficiency.dose import ASSUMPTION, estimate_dose_response
from evaluation.efficiency.inequality import measure_inequality
from evaluation.efficiency.ratios import funding_efficiency
from evaluation.efficiency.spending import match_spending
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.conftest import REPO, SHARED

pytestmark = pytest.mark.shared

DATA = SHARED / "data"
PRINTED = 0.0005  # three digits are printed
SINGLE = 1e-6  # Stata keeps these columns as 32-bit floats: seven digits
N_WITH_TRANSFERS = 62  # of 70 with a gain
EXACT = 1e-12  # the same arithmetic, in another order


def load(name):
    folder = "data" if name == "xu_yao_2015" else "tests/studies"
    return load_data(Study.load(REPO / folder / name, data=DATA / name))


# -- Olken (2007): audits of road projects in Indonesia --------------------------------------


@pytest.fixture(scope="module")
def olken():
    return load("olken_2007")


def test_audits_lower_missing_expenditure(olken):
    panel = olken.panel
    frame = panel.villages.assign(
        missing=panel.matrix("missing")[:, 0], audit=panel.is_treated.astype(float)
    ).dropna(subset="missing")
    fit = sm.OLS(frame["missing"], sm.add_constant(frame["audit"])).fit(
        cov_type="cluster", cov_kwds={"groups": pd.factorize(frame["county"])[0]}
    )
    # By subdistrict, which stand where other studies have counties.
    assert (fit.nobs, frame["county"].nunique()) == (477, 143)
    assert fit.params["const"] == pytest.approx(0.277, abs=PRINTED)
    assert fit.params["audit"] == pytest.approx(-0.085, abs=PRINTED)
    assert fit.bse["audit"] == pytest.approx(0.044, abs=PRINTED)


def test_budgets_are_matched_to_villages(olken):
    spending = match_spending(olken.panel, olken.ledger, stage="committed")
    raw = pd.read_stata(
        DATA / "olken_2007" / "jperandomizationdata.dta", convert_categoricals=False
    )
    budget = raw.set_index(raw["desaid"].astype("int64").astype(str))["totalallocation"]
    audited = olken.panel.villages.index[olken.panel.is_treated]
    expected = budget.reindex(audited).fillna(0) * 1e6  # the file has millions of rupiah
    found = spending.villages
    np.testing.assert_allclose(found["money"], expected, rtol=SINGLE)
    # One audited village has no budget in the file; the others' money is told apart.
    assert (len(found), (found["n_entries"] == 0).sum()) == (265, 1)
    (rest,) = spending.left_out.to_dict("records")
    assert rest["reason"] == "of villages that are never treated" and rest["n_villages"] == 301
    assert found["money"].sum() + rest["money"] == pytest.approx(
        olken.ledger.entries["amount"].sum(), rel=EXACT
    )
    spread = measure_inequality(found["money"])
    x = np.sort(found["money"].to_numpy())
    ranks = np.arange(1, len(x) + 1)
    gini = 2 * (ranks * x).sum() / (len(x) * x.sum()) - (len(x) + 1) / len(x)
    assert spread.index == pytest.approx(gini, rel=EXACT)


def test_a_cross_section_has_no_gain_to_divide_by_money(olken):
    with pytest.raises(DesignError, match="265 with no untreated year"):
        funding_efficiency(estimate_gains(olken.panel), olken.ledger, stage="committed")


# -- Village X: 22 projects in 13 villages of Malawi -----------------------------------------


@pytest.fixture(scope="module")
def village_x():
    return load("village_x")


def test_cost_per_village_against_its_harvest(village_x):
    gains = estimate_gains(village_x.panel)
    found = funding_efficiency(gains, village_x.ledger, stage="committed")
    projects = pd.read_csv(DATA / "village_x" / "projects.csv")
    names = projects["District"].str.strip() + "/" + projects["Village"].str.strip()
    cost = projects.groupby(names)["Cost"].sum()
    frame = found.villages
    np.testing.assert_allclose(frame["money"], cost[frame.index], rtol=EXACT)
    np.testing.assert_allclose(frame["per_yuan"], frame["gain"] / cost[frame.index], rtol=EXACT)
    total = found.total
    assert total["money"] == cost[frame.index].sum() == 80_700
    assert total["per_yuan"] == pytest.approx(frame["gain"].sum() / 80_700, rel=EXACT)
    # Harvests are no money, and nothing says in what they are measured.
    assert found.unit == "maize a year per unit of money"


def test_the_small_sample_is_stated(village_x):
    gains = estimate_gains(village_x.panel)
    found = funding_efficiency(gains, village_x.ledger, stage="committed")
    first, second, *_ = found.summary().splitlines()
    assert "(none: 4 clusters, which count as 2.3 equal ones; 95% needs 6)" in first
    assert second.startswith("13 villages, ")
    # Seven have one year before their project; the others' intervals rest on the 19 without.
    reasons = found.villages["reason"]
    assert (reasons == "1 untreated year: no spread to judge a gain by").sum() == 7
    assert (reasons == "").sum() == (found.villages["kind"] == "bounded").sum() == 6
    with pytest.raises(
        DesignError, match="13 villages have a gain and a dose; linear needs 20"
    ):
        estimate_dose_response(gains, found.villages["money"])


# -- Xu and Yao (2015): transfers from above -------------------------------------------------


@pytest.fixture(scope="module")
def xu_yao():
    data = load("xu_yao_2015")
    return estimate_gains(data.panel), data.ledger


def mean_transfers(gains, ledger):
    """Give villages' mean transfers over the treated years in which they are known."""
    entries = match_spending(gains.panel, ledger, stage="received").entries
    return entries.groupby("village")["amount"].mean()


@pytest.fixture(scope="module")
def raw():
    rows = pd.read_stata(DATA / "xu_yao_2015" / "xy2015.dta", convert_categoricals=False)
    return rows.assign(village=rows["vill_id"].astype(int).astype(str))


def test_transfers_of_treated_years(xu_yao, raw):
    gains, ledger = xu_yao
    dose = mean_transfers(gains, ledger)
    first = raw[raw["postcont"] == 1].groupby("village")["year"].min()
    after = raw[raw["year"] >= raw["village"].map(first)].dropna(subset="logtransfer")
    # log(1 + thousands of yuan), brought to prices of 2005
    levels = read_price_index("china")
    real = 1_000 * np.expm1(after["logtransfer"]) * levels[2005]
    real /= after["year"].map(lambda year: levels[int(year)])
    expected = real.groupby(after["village"]).mean()
    assert len(dose) == len(expected)
    np.testing.assert_allclose(dose, expected[dose.index], rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("form", ["linear", "quadratic", "spline"])
def test_transfers_as_dose(xu_yao, form):
    gains, ledger = xu_yao
    dose = mean_transfers(gains, ledger) / 10_000  # a unit of dose is 10,000 yuan a year
    found = estimate_dose_response(gains, dose, form=form)
    gained = gains.villages["gain"].dropna()
    received = dose.reindex(gained.index)
    # Of 70 villages with a gain; some had no transfers, or none that are known.
    assert (len(found.doses), found.n_left_out) == (
        (received > 0).sum(),
        70 - (received > 0).sum(),
    )
    assert len(found.doses) == N_WITH_TRANSFERS
    design = found.regression
    some = found.doses.index
    assert gains.unit == found.unit == "log of yuan"
    if form == "linear":
        fit = sm.OLS(gained[some], sm.add_constant(received[some])).fit()
        np.testing.assert_allclose(design.coefficients, fit.params, rtol=1e-9)
    mean = found.marginal.loc["mean"]
    assert mean["method"] == "wild bootstrap" and mean["reason"] == ""
    assert mean["conf_low"] < mean["estimate"] < mean["conf_high"]
    text = found.summary()
    assert f"over {N_WITH_TRANSFERS} villages" in text and text.endswith(ASSUMPTION)


def test_a_heads_income_has_no_ratio_to_a_villages_transfers(xu_yao):
    gains, ledger = xu_yao
    with pytest.raises(DesignError, match="income is per head, money of whole villages"):
        funding_efficiency(gains, ledger, stage="received")
