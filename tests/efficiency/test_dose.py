"""Dose-response: a peer's printed figures, a curve that is known, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from evaluation.efficiency.dose import ASSUMPTION, estimate_dose_response
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.conftest import SHARED
from tests.gains.panels import to_panel

GOLDEN = 1e-9  # as the entry says
EXACT = 1e-9  # derivatives of curves are differences over a millionth of the doses' range
NOISE = 0.15  # four se of a mean gain of a tenth of 400 villages, whose errors have sd .5


# -- golden.json, id contdid_att: contdid 0.1.0 (R); se from diff-diff 3.13.0 and statspai ----


@pytest.fixture(scope="module")
def cells():
    path = SHARED / "reference" / "data" / "contdid_sim42.csv"
    names = {"id": "village", "time_period": "year", "Y": "y"}
    cells = pd.read_csv(path).rename(columns=names).astype({"village": str})
    return cells.assign(cohort=cells["G"].where(cells["G"] > 0))


@pytest.fixture(scope="module")
def simulated(cells):
    return estimate_gains(to_panel(cells)), cells.groupby("village")["D"].first()


def without_factor(row):
    """Give a standard error without the factor C/(C - 1) of its variance."""
    return row["se"] * np.sqrt(1 - 1 / row["n_clusters"])


@pytest.mark.shared
def test_average_of_contdid(simulated):
    att = simulated[0].att
    assert att["estimate"] == pytest.approx(0.708208278762, abs=GOLDEN)
    assert without_factor(att) == pytest.approx(0.0648337854946, abs=GOLDEN)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("form", "slope", "se"),
    [("linear", 1.50623464164, 0.149471672581), ("quadratic", 1.51195087549, None)],
)
def test_average_causal_responses_of_contdid(simulated, form, slope, se):
    gains, dose = simulated
    mean = estimate_dose_response(gains, dose, form=form).marginal.loc["mean"]
    assert mean["estimate"] == pytest.approx(slope, abs=GOLDEN)
    if se:
        assert without_factor(mean) == pytest.approx(se, abs=GOLDEN)


@pytest.mark.shared
@pytest.mark.parametrize(("form", "degree"), [("linear", 1), ("quadratic", 2)])
def test_diff_diff(cells, simulated, form, degree):
    diff_diff = pytest.importorskip("diff_diff")
    peer = diff_diff.ContinuousDiD(degree=degree, num_knots=0).fit(
        cells, outcome="y", unit="village", time="year", first_treat="G", dose="D"
    )
    gains, dose = simulated
    found = estimate_dose_response(gains, dose, form=form)
    mean = found.marginal.loc["mean"]
    assert gains.att["estimate"] == pytest.approx(peer.overall_att, abs=GOLDEN)
    assert mean["estimate"] == pytest.approx(peer.overall_acrt, abs=GOLDEN)
    assert without_factor(mean) == pytest.approx(peer.overall_acrt_se, abs=GOLDEN)


# -- known curves ----------------------------------------------------------------------------


def panel_of(gains, *, noise=0.0, seed=0, n_never=40):
    """Give gains by village in two treated years, after three untreated ones, and counties."""
    generator = np.random.default_rng(seed)
    n, years = len(gains) + n_never, np.arange(2001, 2006)
    cohort = np.append(np.full(len(gains), 2004.0), np.full(n_never, np.nan))
    treated = np.append(gains, np.zeros(n_never))[:, None] * (years >= 2004)
    y = generator.normal(size=(n, 1)) + years % 3 + treated
    y += noise * generator.normal(size=y.shape)
    village = np.repeat(np.arange(n), len(years))
    cells = pd.DataFrame({"village": [f"v{i:04}" for i in village], "y": y.ravel()})
    return cells.assign(
        year=np.tile(years, n), cohort=cohort[village], county=[f"c{i % 50}" for i in village]
    )


def respond(gains, doses, *, form="linear", **options):
    panel = to_panel(panel_of(np.asarray(gains, float), **options))
    dose = pd.Series(np.asarray(doses, float), index=panel.villages.index[: len(doses)])
    return estimate_dose_response(estimate_gains(panel), dose, form=form)


def test_a_line_by_hand():
    # Two doses, mean gains (1 + 3) / 2 = 2 and (6 + 10) / 2 = 8: slope 6 / 2, 2 = b + 3 x 1.
    found = respond([1, 3] * 5 + [6, 10] * 5, [1] * 10 + [3] * 10)
    np.testing.assert_allclose(found.regression.coefficients, [-1, 3], rtol=EXACT)
    np.testing.assert_allclose(found.marginal["estimate"], 3, rtol=EXACT)
    assert found.marginal["dose"].tolist() == [2, 1, 2, 3]
    assert list(found.marginal.index) == ["mean", "25%", "50%", "75%"]
    np.testing.assert_allclose(found.curve["estimate"], 3 * found.curve["dose"] - 1, atol=EXACT)
    assert (found.curve["dose"].min(), found.curve["dose"].max()) == (1, 3)
    pd.testing.assert_frame_equal(found.to_frame(), found.marginal)


@pytest.mark.parametrize(
    ("form", "curve", "slope"),
    [
        ("linear", lambda d: 2 + 3 * d, lambda d: 3 + 0 * d),
        ("quadratic", lambda d: 1 + 5 * d - d**2 / 2, lambda d: 5 - d),
        ("spline", lambda d: d**3 / 9 - 2 * d**2 + 7 * d, lambda d: d**2 / 3 - 4 * d + 7),
    ],
)
def test_curves_of_the_form_are_recovered_exactly(form, curve, slope):
    doses = np.random.default_rng(1).uniform(0.5, 4, 80)
    found = respond(curve(doses), doses, form=form)
    np.testing.assert_allclose(found.curve["estimate"], curve(found.curve["dose"]), atol=1e-8)
    marginal = found.marginal
    quartiles = np.quantile(doses, [0.25, 0.5, 0.75])
    np.testing.assert_allclose(marginal["dose"][1:], quartiles, rtol=EXACT)
    np.testing.assert_allclose(marginal["estimate"].iloc[1:], slope(quartiles), atol=1e-7)
    assert marginal.loc["mean", "estimate"] == pytest.approx(slope(doses).mean(), abs=1e-7)


def test_a_spline_follows_a_concave_curve():
    doses = np.random.default_rng(2).uniform(0.5, 4, 400)
    found = respond(4 * np.log(1 + doses), doses, form="spline", noise=0.5, n_never=400)
    inner = found.curve[found.curve["dose"].between(0.8, 3.7)]
    true = 4 * np.log(1 + inner["dose"])
    np.testing.assert_allclose(inner["estimate"], true, rtol=0, atol=NOISE)
    assert (inner["conf_low"] <= true).mean() > 0.8 and (
        inner["conf_high"] >= true
    ).mean() > 0.8
    marginal = found.marginal
    assert marginal["estimate"].iloc[1:].is_monotonic_decreasing
    covers = (marginal["conf_low"] <= 4 / (1 + marginal["dose"])).iloc[1:]
    assert (covers & (marginal["conf_high"] >= 4 / (1 + marginal["dose"])).iloc[1:]).all()


# -- what does not matter, and what is said --------------------------------------------------


@pytest.mark.parametrize("form", ["linear", "quadratic", "spline"])
def test_the_unit_of_the_dose_does_not_matter(form):
    doses = np.random.default_rng(3).uniform(0.5, 4, 80)
    gains = np.log(doses) + np.random.default_rng(4).normal(size=80)
    own = respond(gains, doses, form=form)
    other = respond(gains, doses * 1e6, form=form)
    numbers = ["estimate", "se", "conf_low", "conf_high"]
    np.testing.assert_allclose(other.curve[numbers], own.curve[numbers], rtol=1e-7, atol=1e-7)
    scaled = other.marginal[numbers] * 1e6
    np.testing.assert_allclose(scaled, own.marginal[numbers], rtol=1e-6, atol=1e-6)


def test_the_order_of_doses_does_not_matter():
    doses = np.random.default_rng(5).uniform(0.5, 4, 30)
    panel = to_panel(panel_of(np.sqrt(doses), noise=0.3))
    dose = pd.Series(doses, index=panel.villages.index[:30])
    gains = estimate_gains(panel)
    shuffled = dose.sample(frac=1, random_state=1)
    own, other = (estimate_dose_response(gains, d).marginal for d in (dose, shuffled))
    pd.testing.assert_frame_equal(own, other)


def test_villages_without_a_dose_are_left_out_and_counted():
    doses = np.append(np.linspace(1, 3, 25), [0, np.nan, -1, 0, 2.5])
    found = respond(2 * np.nan_to_num(doses), doses)
    assert (len(found.doses), found.n_left_out) == (26, 4)
    assert found.marginal.loc["mean", "estimate"] == pytest.approx(2, rel=EXACT)
    assert "over 26 villages" in found.summary() and "; 4 villages with" in found.summary()


def test_the_summary_states_the_assumption_and_the_support():
    doses = np.linspace(1, 3, 25)
    text = respond(doses + np.arange(25) % 3, doses, noise=0.2).summary()
    assert text.splitlines()[-1] == ASSUMPTION
    assert "strong parallel trends alone" in text
    assert "doses from 1 to 3, median 2" in text and "95% interval" in text


def test_too_few_clusters_leave_no_interval_with_its_reason():
    cells = panel_of(np.linspace(1, 3, 25))
    panel = to_panel(cells.assign(county="c" + (cells["year"] * 0 + 1).astype(str)))
    villages = panel.villages.assign(county=["a", "b", "c", "d", "e"] * 13)
    gains = estimate_gains(replace(panel, villages=villages))
    dose = pd.Series(np.linspace(1, 3, 25), index=panel.villages.index[:25])
    found = estimate_dose_response(gains, dose)
    assert found.marginal["conf_low"].isna().all()
    assert (found.marginal["reason"] == "treated villages of 5 clusters; 95% needs 6").all()
    assert "no interval: treated villages of 5 clusters" in found.summary()


def test_it_is_drawn_over_the_doses_seen_alone():
    doses = np.linspace(1, 3, 25)
    found = respond(doses, doses, noise=0.2)
    axes = Figure().subplots()
    assert found.plot(axes) is axes
    curve, rug = axes.lines
    assert (min(curve.get_xdata()), max(curve.get_xdata())) == (1, 3)
    np.testing.assert_array_equal(rug.get_xdata(), doses)


# -- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("doses", "form", "says"),
    [
        (
            np.linspace(1, 2, 19),
            "linear",
            "19 villages have a gain and a dose; linear needs 20",
        ),
        (np.linspace(1, 2, 29), "quadratic", "quadratic needs 30"),
        (np.linspace(1, 2, 39), "spline", "spline needs 40"),
        (np.full(40, 2.0), "linear", "40 villages .* 1 different ones: there is no response"),
        (np.zeros(40), "linear", "0 villages have a gain and a dose above zero"),
        (np.repeat([1.0, 2.0], 20), "quadratic", "one follows from the others"),
        (np.append(np.linspace(1, 2, 29), np.inf), "linear", "an infinite dose of v0029"),
        (np.linspace(1, 2, 40), "cubic", "form is 'cubic'; give linear"),
    ],
    ids=str,
)
def test_doses_that_tell_nothing(doses, form, says):
    with pytest.raises(DesignError, match=says):
        respond(np.arange(len(doses)), doses, form=form)


def test_doses_of_other_villages():
    gains = estimate_gains(to_panel(panel_of(np.arange(30.0))))
    with pytest.raises(DesignError, match="0 villages have a gain and a dose above zero"):
        estimate_dose_response(gains, pd.Series(np.arange(1.0, 31), index=range(30)))
