"""Simulated programmes have the features that their options name, and keep the truth."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from evaluation.data.prices import deflators, read_price_index
from evaluation.data.simulate import simulate_programme
from evaluation.data.simulation_options import (
    KINDS,
    SOURCES,
    SimulationOptions,
    read_options,
)
from evaluation.errors import DataError, DesignError

EXACT = 1e-9  # floating-point sums of a few hundred numbers
RHO = 0.03  # four standard errors of the ratio below over 30,000 differences
SHARE = 4  # standard errors of a binomial share
SELECTION = 0.15  # of the sd of log baselines: four standard errors of 820 villages' mean

CALM = {
    "noise_sd": 0.0, "county_sd": 0.0, "town_sd": 0.0, "rounding_up": 0.0, "missing": 0.0,
    "comparison": 2,
}  # fmt: skip
OWN = [f"income_{kind}" for kind in KINDS if kind != "subsidy"]


def simulate(seed=1, **features):
    return simulate_programme(SimulationOptions(**{"comparison": 2, **features}), seed=seed)


def own_income(simulation):
    """Give own income in yuan of base_year, village x year."""
    frame = simulation.villages
    levels = read_price_index("china")
    real = frame[OWN].sum(axis=1, skipna=False) * deflators(
        levels, frame["year"], base_year=simulation.options.base_year
    )
    table = frame.assign(real=real, village=frame["village"].astype(str))
    return table.pivot(index="village", columns="year", values="real")


def cohorts(simulation):
    return (
        simulation.villages["cohort"]
        .groupby(simulation.villages["village"].astype(str))
        .first()
    )


def fit_two_way(outcome, untreated):
    """Fit village and year effects to untreated cells with dummies, and predict all cells."""
    n, years = outcome.shape
    village, year = np.indices((n, years)).reshape(2, -1)
    dummies = np.hstack([np.eye(n)[village], np.eye(years)[year][:, 1:]])
    fit = untreated.ravel()
    effects = np.linalg.lstsq(dummies[fit], outcome.ravel()[fit], rcond=None)[0]
    return (dummies @ effects).reshape(n, years)


def effective(simulation):
    """Give effective yuan by village, and what the gain is in the last year."""
    truth, weights = simulation.truth, simulation.options.source_weights
    money = sum(weights[name] * truth[f"money_{name}"] for name in SOURCES)
    last = truth[truth["year"] == simulation.options.last_year]
    return money.groupby(truth["village"]).sum(), last.set_index("village")["gain"]


def test_the_same_seed_gives_the_same_numbers_and_another_gives_others():
    one, again, other = simulate(1), simulate(1), simulate(2)
    for name in ("villages", "ledger", "projects", "indicators", "truth"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(again, name))
        assert not getattr(one, name).equals(getattr(other, name))


def test_numbers_of_villages_and_years():
    frame = simulate().villages
    assert frame["village"].nunique() == 82 * 3
    assert len(frame) == 82 * 3 * 9
    codes = frame["village"].astype(str)
    assert codes.str.fullmatch(r"3708(?:31|26|27|32)\d{6}").all()
    first = frame.groupby("village", observed=True).first()
    counts = first[first["cohort"].notna()].groupby("county", observed=True).size()
    assert counts.to_dict() == {"Sishui": 20, "Weishan": 24, "Yutai": 18, "Liangshan": 20}


def test_cohorts_have_their_shares_in_every_county():
    simulation = simulate(cohorts={2018: 0.25, 2019: 0.25, 2021: 0.5})
    truth = simulation.truth.drop_duplicates("village")
    counts = truth.groupby(["county", "cohort"]).size().unstack()
    wanted = np.outer(counts.sum(axis=1), [0.25, 0.25, 0.5])
    assert np.abs(counts - wanted).to_numpy().max() < 1


def test_rho_is_recovered():
    # Var(y_t - y_t-2) / Var(y_t - y_t-1) = (1 - rho^2) / (1 - rho) = 1 + rho.
    for rho in (0.0, 0.6):
        simulation = simulate(
            comparison=20, first_year=1995, rho=rho, county_sd=0.0, town_sd=0.0,
            rounding_up=0.0, missing=0.0, baseline_sd=0.0, noise_spread=0.0,
        )  # fmt: skip
        income = own_income(simulation)[cohorts(simulation).isna().to_numpy()]
        noise = (income - income.mean()).to_numpy()
        one, two = (np.var(noise[:, k:] - noise[:, :-k]) for k in (1, 2))
        assert two / one - 1 == pytest.approx(rho, abs=RHO)


def test_village_noise_differs_between_villages():
    options = {"first_year": 1995, "county_sd": 0.0, "town_sd": 0.0, "rounding_up": 0.0}
    spread = []
    for noise_spread in (0.0, 0.8):
        simulation = simulate(**options, baseline_sd=0.0, noise_spread=noise_spread)
        income = own_income(simulation)[cohorts(simulation).isna().to_numpy()]
        spread.append(np.log((income - income.mean()).std(axis=1)).std())
    assert spread[1] > 2 * spread[0]


def test_returns_decrease_with_the_elasticity_given():
    simulation = simulate(gain_sd=0.0, phase_in=(1.0,), elasticity=0.6)
    money, gain = effective(simulation)
    slope, _ = np.polyfit(np.log(money), np.log(gain[money.index]), 1)
    assert slope == pytest.approx(0.6, abs=EXACT)
    per_yuan = (gain / money).loc[money.sort_values().index].to_numpy()
    assert (np.diff(per_yuan) < 0).all()


def test_gains_phase_in_and_decay_after_exit():
    simulation = simulate(cohorts={2019: 1.0}, last_year=2024, decay=0.2)
    gain = simulation.truth.pivot(index="village", columns="year", values="gain")
    shares = gain.div(gain[2021], axis=0)
    wanted = np.tile([0.35, 0.7, 1.0, 0.8, 0.64, 0.512], (82, 1))
    np.testing.assert_allclose(shares, wanted, rtol=EXACT)


def test_no_money_no_gain():
    nothing = {name: 0.0 for name in SOURCES}
    assert (simulate(gain_scale=0.0).truth["gain"] == 0).all()
    assert (simulate(source_weights=nothing).truth["gain"] == 0).all()


@pytest.mark.parametrize(("selection", "below"), [(0.0, False), (1.5, True)])
def test_poor_villages_are_chosen(selection, below):
    treated = {"Sishui": 200, "Weishan": 240, "Yutai": 180, "Liangshan": 200}
    simulation = simulate(selection=selection, treated=treated, **(CALM | {"comparison": 4}))
    baseline = np.log(own_income(simulation)[2014])
    chosen = cohorts(simulation).notna()
    gap = (baseline[chosen].mean() - baseline[~chosen].mean()) / baseline.std()
    assert (gap < -SELECTION) if below else abs(gap) < SELECTION


def test_selection_on_last_year_regresses_to_the_mean():
    treated = {"Sishui": 400, "Weishan": 400, "Yutai": 400, "Liangshan": 400}
    rises = {}
    for on in ("baseline", "last_year"):
        simulation = simulate(
            treated=treated, selection=3.0, selection_on=on, cohorts={2019: 1.0},
            gain_scale=0.0, noise_sd=0.3, rounding_up=0.0, missing=0.0,
        )  # fmt: skip
        income, chosen = own_income(simulation), cohorts(simulation).notna()
        rise = income[2021] - income[2018]
        rises[on] = rise[chosen].mean() - rise[~chosen].mean()
    assert rises["last_year"] > 5 * abs(rises["baseline"])


def test_incomes_are_missing_by_their_share():
    frame = simulate(missing=0.1).villages
    missing = frame["income_total"].isna()
    assert (frame[OWN].isna().all(axis=1) == missing).all()
    margin = SHARE * np.sqrt(0.1 * 0.9 / len(frame))
    assert missing.mean() == pytest.approx(0.1, abs=margin)
    assert not simulate(missing=0.0).villages["income_total"].isna().any()


def test_kinds_add_up_and_have_their_shares():
    simulation = simulate(gain_scale=0.0, subsidy_rate=0.0, **CALM)
    frame = simulation.villages
    kinds = frame[[f"income_{kind}" for kind in KINDS]]
    np.testing.assert_allclose(kinds.sum(axis=1), frame["income_total"], rtol=EXACT)
    first = frame["year"] == 2014
    shares = kinds[first].sum() / frame.loc[first, "income_total"].sum()
    wanted = [simulation.options.income_shares[kind] for kind in KINDS]
    np.testing.assert_allclose(shares, wanted, atol=0.02)  # 246 villages' Dirichlet draws


def test_villages_that_round_up_bunch_above_the_targets():
    def close_below(simulation):
        total = simulation.villages["income_total"]
        return ((total >= 40_000) & (total < 50_000)) | ((total >= 80_000) & (total < 100_000))

    honest, bunched = simulate(rounding_up=0.0), simulate(rounding_up=1.0)
    assert close_below(honest).sum() > 100
    assert not close_below(bunched).any()
    assert (honest.truth["rounded_up"] == 0).all()
    assert (bunched.truth["rounded_up"] > 0).any()
    columns = ["gain", "counterfactual"]
    pd.testing.assert_frame_equal(honest.truth[columns], bunched.truth[columns])


def test_what_is_reported_is_the_truth_and_what_was_rounded_up():
    simulation = simulate(missing=0.0, rounding_up=0.5)
    reported = own_income(simulation).stack()
    truth = simulation.truth.set_index(["village", "year"])
    made = truth["counterfactual"] + truth["gain"] + truth["rounded_up"]
    np.testing.assert_allclose(reported[made.index], made, rtol=EXACT)


def test_the_oracle_regression_finds_the_truth_and_before_after_does_not():
    simulation = simulate(**CALM)
    income, cohort = own_income(simulation), cohorts(simulation)
    event_time = income.columns.to_numpy() - cohort.to_numpy()[:, None]
    untreated = ~(event_time >= 0)
    tau = (income - fit_two_way(income.to_numpy(), untreated)).to_numpy()[~untreated]
    truth = simulation.truth.sort_values(["village", "year"])["gain"]
    np.testing.assert_allclose(tau, truth, rtol=1e-6)
    before = income.where(untreated).mean(axis=1)
    naive = income.where(~untreated).mean(axis=1) - before
    assert naive.mean() > 1.2 * truth.mean()  # the common rise of incomes


def test_subsidies_rise_with_the_programme_by_construction():
    truth = simulate().truth
    money = truth[[f"money_{name}" for name in SOURCES]].sum(axis=1)
    np.testing.assert_allclose(truth["subsidy_gain"], 0.03 * money, rtol=EXACT)
    assert (truth["subsidy"] >= truth["subsidy_gain"]).all()


def test_gains_and_money_by_source_add_up():
    simulation = simulate()
    truth = simulation.truth
    parts = truth[[f"gain_{name}" for name in SOURCES]].sum(axis=1)
    np.testing.assert_allclose(parts, truth["gain"], rtol=EXACT)
    received = simulation.ledger[simulation.ledger["stage"] == "received"]
    levels = read_price_index("china")
    real = received["amount"] * deflators(levels, received["year"], base_year=2022)
    in_ledger = real.groupby([received["county"], received["source"]]).sum().unstack()
    in_truth = truth.groupby("county")[[f"money_{name}" for name in SOURCES]].sum()
    np.testing.assert_allclose(in_truth, in_ledger[list(SOURCES)], rtol=EXACT)


PUBLISHED = [  # county, indicator, and the source that it is in the simulation
    ("Sishui", "fund_industrial_poverty", "fiscal"),
    ("Weishan", "fund_invested_total", "fiscal"),
    ("Weishan", "fund_social", "social"),
    ("Yutai", "fund_industry_project", "fiscal"),
    ("Yutai", "fund_dispatch_unit", "dispatching_unit"),
    ("Yutai", "fund_social", "social"),
    ("Liangshan", "fund_industry_project", "fiscal"),
]


@pytest.mark.parametrize("seed", [1, 2])
def test_funds_are_within_the_published_bounds(jining, seed):
    ledger = simulate(seed).ledger
    received = ledger[ledger["stage"] == "received"]
    totals = received.groupby(["county", "source"])["amount"].sum()
    for county, indicator, source in PUBLISHED:
        (claim,) = jining.find(county, indicator)
        yuan = totals[county, source]
        assert yuan == round(yuan)
        assert Fraction(int(yuan), claim.figure.unit.factor) in claim.figure.strict


def test_numbers_of_villages_are_those_published(jining):
    for county in ("Yutai", "Liangshan"):
        (claim,) = jining.find(county, "n_villages")
        assert SimulationOptions().treated[county] == claim.value


def test_stages_are_in_order_and_some_money_is_pooled():
    ledger = simulate().ledger
    amounts = ledger.pivot_table(
        index=["project", "source"], columns=["stage", "year"], values="amount", fill_value=0
    )
    by = {stage: amounts[stage].cumsum(axis=1) for stage in ("committed", "received", "spent")}
    assert (by["committed"] >= by["received"]).all(axis=None)
    assert (by["received"] >= by["spent"]).all(axis=None)
    assert (ledger["amount"] > 0).all()
    pooled = ledger["village"] == ""
    received = ledger["stage"] == "received"
    shared = ledger[received & ledger["source"].isin(["fiscal", "social"])]
    share = shared.loc[pooled, "amount"].sum() / shared["amount"].sum()
    assert share == pytest.approx(0.2, abs=1e-3)  # amounts are whole 100 yuan
    assert set(ledger.loc[pooled, "town"] == "") == {True, False}
    assert (simulate(pooled=0.0).ledger["village"] != "").all()


def test_money_comes_no_sooner_than_the_secretary():
    simulation = simulate()
    ledger = simulation.ledger[simulation.ledger["village"] != ""]
    cohort = cohorts(simulation)
    assert (ledger["year"].to_numpy() >= cohort[ledger["village"]].to_numpy()).all()
    assert ledger["year"].max() == 2021


def test_one_village_and_a_programme_of_one_year():
    simulation = simulate(
        treated={"Yutai": 1}, cohorts={2021: 1.0}, comparison=1, last_year=2021
    )
    assert len(simulation.truth) == 1
    money = simulation.truth[[f"money_{name}" for name in SOURCES]].sum(axis=1).item()
    to_real = deflators(read_price_index("china"), [2021], base_year=2022).item()
    assert money == pytest.approx((1132 + 684 + 5125 + 180 + 90) * 1e4 * to_real)


BAD = {
    "rho": (1.2, "rho is 1.2; give a number from -0.95 to 0.95."),
    "missing": (float("nan"), "missing is nan; give a number from 0 to 0.9."),
    "treated": ({"Yuta": 3}, "treated: no 'Yuta'; did you mean 'Yutai'"),
    "cohorts": ({2019: 0.5, 2020: 0.4}, "cohorts: give shares from 0 to 1 that add up to 1."),
    "exit_year": (2018, "years: give two years before the first of cohorts, and exit_year"),
    "first_year": (2018, "years: give two years before the first of cohorts, and exit_year"),
    "phase_in": ((), "phase_in: give a share from 0 to 1 for one year or more."),
    "comparison": (20_000, "a county has over 299,000 villages; lower treated or comparison."),
    "funds": ({"Yutai": {}}, "funds has no Sishui; give its money by source, in 万元."),
    "source_weights": (
        {"fiscal": 1.0},
        "source_weights: dispatching_unit, social, credit, own",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_options_say_how_to_mend_them(name):
    value, message = BAD[name]
    with pytest.raises(DesignError) as error:
        SimulationOptions(**{name: value})
    assert str(error.value).startswith(f"simulation: {message}")


def test_years_without_prices_are_refused():
    with pytest.raises(DataError, match="the price index has 1986 to 2024"):
        simulate(last_year=2030)


@pytest.mark.parametrize("seed", [-1, 1.5, True, None])
def test_bad_seeds(seed):
    with pytest.raises(DesignError, match="give a whole number from 0 on"):
        simulate_programme(seed=seed)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rh": "1"}, "no option 'rh'; did you mean 'rho'?"),
        ({"rho": "x"}, "rho: Input should be a valid number"),
        ({"rho": ""}, "rho has no value; write rho=VALUE."),
        ({"rho": "["}, "an option cannot be read as YAML"),
        ({"selection_on": "x"}, "selection_on: Input should be 'baseline' or 'last_year'"),
        ({"decay": "2"}, "decay is 2.0; give a number from 0 to 1."),
    ],
)
def test_options_from_text(given, message):
    with pytest.raises(DesignError) as error:
        read_options(given)
    assert str(error.value).startswith(f"simulation: {message}")


def test_options_from_text_have_their_types():
    options = read_options({"comparison": "3", "phase_in": "[1]", "treated": "{Yutai: 5}"})
    assert options == SimulationOptions(comparison=3, phase_in=(1.0,), treated={"Yutai": 5})
    assert set(options.changed()) == {"comparison", "phase_in", "treated"}
