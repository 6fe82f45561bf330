"""Printed regressions of village panels, and the staggered example, by the package's calls."""

import numpy as np
import pandas as pd
import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.data.tables import read_table
from evaluation.effects.estimate import estimate_effects
from evaluation.effects.fixed_effects import estimate_sun_abraham, estimate_twfe
from evaluation.effects.regress import regress_outcome
from evaluation.effects.setup import EffectOptions, build_setup
from tests.conftest import REPO, SHARED
from tests.gains.panels import to_panel

pytestmark = pytest.mark.shared

DATA = SHARED / "data"
THREE = 0.0005  # three digits are printed
FOUR = 0.00005
TWO = 0.005
PRINTED = 5e-11  # ten digits are printed
PEER = 1e-7  # diff-diff solves sparse systems


# -- Xu and Yao (2015), Table 2: public investment and leaders of the two largest clans -------

CLANS = ["vcfirst", "vcsecond"]
CONTROLS = ["hhsize", "landpc", "logpopl", "logincome", "logasset"]


@pytest.fixture(scope="module")
def villages():
    return read_table(DATA / "xu_yao_2015" / "xy2015.dta").frame


def regress(villages, **options):
    found = regress_outcome(villages, "loginv", CLANS, cluster="vill_id", **options)
    return found, found.to_frame().loc[CLANS]


def test_xu_yao_column_1(villages):
    found, rows = regress(villages, effects=["year"])
    np.testing.assert_allclose(rows["estimate"], [0.332, 0.183], rtol=0, atol=THREE)
    assert (found.n_obs, found.n_clusters) == (3742, 220)


def test_xu_yao_column_2(villages):
    _, rows = regress(villages, effects=["vill_id", "year"], fixed_effects="full")
    np.testing.assert_allclose(rows["estimate"], [0.412, 0.303], rtol=0, atol=THREE)
    np.testing.assert_allclose(rows["se"], [0.148, 0.148], rtol=0, atol=THREE)
    # As fixest and reghdfe count, errors are smaller than printed.
    _, nested = regress(villages, effects=["vill_id", "year"])
    assert (nested["se"] < 0.1475).all()
    np.testing.assert_allclose(nested["se"], [0.144, 0.144], rtol=0, atol=THREE)


@pytest.mark.parametrize(
    # 3,513 rows are printed: three of them are alone in their village, which areg keeps.
    ("counted", "rows"), [("full", 3513), ("nested", 3510)]
)  # fmt: skip
def test_xu_yao_column_5(villages, counted, rows):
    found, clans = regress(
        villages, effects=["vill_id", "year"], trends_by="prov_id", controls=CONTROLS,
        fixed_effects=counted,
    )  # fmt: skip
    np.testing.assert_allclose(clans["estimate"], [0.378, 0.367], rtol=0, atol=THREE)
    assert (found.n_obs, found.n_single) == (rows, 3513 - rows)


def test_xu_yao_column_5_by_itself(villages):
    found, _ = regress(villages, effects=["vill_id", "year"], trends_by="prov_id",
                       controls=CONTROLS, fixed_effects="full")  # fmt: skip
    rows = villages[["loginv", *CLANS, *CONTROLS, "vill_id", "year", "prov_id"]].dropna()
    design = pd.concat(
        [
            rows[["loginv", *CLANS, *CONTROLS]],
            pd.get_dummies(rows["year"], dtype=float),
            pd.get_dummies(rows["prov_id"], dtype=float).mul(rows["year"] - 1986, axis=0),
        ],
        axis=1,
    )
    left = (design - design.groupby(rows["vill_id"]).transform("mean")).to_numpy()
    dense = np.linalg.lstsq(left[:, 1:], left[:, 0], rcond=None)[0][: len(CLANS + CONTROLS)]
    np.testing.assert_allclose(found.to_frame()["estimate"], dense, rtol=1e-6)


# -- Handbook on Impact Evaluation (2010): credit for women in Bangladesh ---------------------


@pytest.fixture(scope="module")
def households():
    frame = read_table(DATA / "bangladesh_9198" / "hh_9198.dta").frame
    later = frame[frame["year"] == 1].set_index("nh")["dfmfd"]
    frame["member"] = frame["nh"].map(later)
    return frame.assign(member_later=frame["member"] * frame["year"])


def test_bangladesh_double_difference(households):
    pooled = regress_outcome(
        households, "lexptot", ["member_later"], controls=["year", "member"], effects=(),
        cluster=None,
    )  # fmt: skip
    within = regress_outcome(
        households, "lexptot", ["member_later"], effects=["nh", "year"], cluster=None
    )
    for found in (pooled, within):
        estimate = found.to_frame().loc["member_later", "estimate"]
        assert estimate == pytest.approx(0.1114, abs=FOUR)


def test_bangladesh_household_effects(households):
    # The printed .0917 (t 2.49) come without the household's land; with it, as the exercise's
    # command has it, .0906 (t 2.47). Errors are taken as independent, as in print.
    head = ["sexhead", "agehead", "educhead"]
    village = ["vaccess", "pcirr", "rice", "wheat", "milk", "oil", "egg"]
    for land, estimate, t in ([], 0.0917, 2.49), (["lnland"], 0.0906, 2.47):
        found = regress_outcome(
            households, "lexptot", ["member_later"], controls=[*head, *land, *village],
            effects=["nh", "year"], cluster=None,
        )  # fmt: skip
        row = found.to_frame().loc["member_later"]
        assert row["estimate"] == pytest.approx(estimate, abs=FOUR)
        assert row["estimate"] / row["se"] == pytest.approx(t, abs=TWO)


def test_bangladesh_programme_placement():
    frame = read_table(DATA / "bangladesh_9198" / "hh_98.dta").frame
    place = frame.groupby(["thanaid", "villid"])["dfmfd"].transform("max")
    frame = frame.assign(programme=place, spending=np.log1p(frame["exptot"]))
    found = regress_outcome(frame, "spending", ["programme"], effects=(), cluster=None)
    assert found.to_frame().loc["programme", "estimate"] == pytest.approx(0.130, abs=THREE)
    assert found.n_obs == 1129


# -- Olken (2007): audits of road projects in Indonesia ---------------------------------------


@pytest.mark.parametrize(
    ("outcome", "effects", "estimate", "se"),
    [
        ("lndiffeall4", [], -0.085, 0.044),
        ("lndiffeall4mainancil", [], -0.091, 0.043),
        ("lndiffeall4mainancil", ["auditstratnum"], -0.090, 0.035),
    ],
)
def test_olken_audits(outcome, effects, estimate, se):
    roads = read_table(DATA / "olken_2007" / "jperoaddata.dta").frame
    # Invitations and comment forms were drawn in the same villages.
    found = regress_outcome(
        roads, outcome, ["audit"], controls=["und", "fpm"], effects=effects, cluster="kecid"
    )
    row = found.to_frame().loc["audit"]
    assert row["estimate"] == pytest.approx(estimate, abs=THREE)
    assert row["se"] == pytest.approx(se, abs=THREE)


# -- mpdta: 500 US counties, the example of R's did -------------------------------------------


@pytest.fixture(scope="module")
def mpdta():
    names = {"countyreal": "village", "first.treat": "cohort", "lemp": "y"}
    cells = pd.read_csv(DATA / "mpdta" / "mpdta.csv").rename(columns=names)
    cells["cohort"] = cells["cohort"].where(cells["cohort"] > 0)
    return cells.astype({"village": str})


def test_mpdta_sun_abraham_as_fixest(mpdta):
    found = estimate_sun_abraham(build_setup(to_panel(mpdta), EffectOptions(cluster="village")))
    assert found.terms["estimate"].iloc[0] == pytest.approx(-0.0399512752, abs=PRINTED)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(0.0117962774, abs=PRINTED)


@pytest.mark.filterwarnings("ignore")
def test_mpdta_event_times_as_diff_diff(mpdta):
    diff_diff = pytest.importorskip("diff_diff")
    peer = diff_diff.SunAbraham().fit(
        mpdta.assign(first=mpdta["cohort"].fillna(0)),
        outcome="y", unit="village", time="year", first_treat="first",
    )  # fmt: skip
    found = estimate_sun_abraham(build_setup(to_panel(mpdta), EffectOptions(cluster="village")))
    rows = found.terms.iloc[1:].set_index("event_time")["estimate"]
    expected = {k: value["effect"] for k, value in peer.event_study_effects.items()}
    assert rows.to_dict() == pytest.approx({k: expected[k] for k in rows.index}, rel=PEER)


def test_mpdta_twfe_is_the_regression(mpdta):
    cells = mpdta.assign(d=(mpdta["year"] >= mpdta["cohort"]).astype(float))
    row = regress_outcome(cells, "y", ["d"], cluster="village").to_frame().loc["d"]
    found = estimate_twfe(build_setup(to_panel(mpdta), EffectOptions(cluster="village")))
    assert found.terms["estimate"].iloc[0] == pytest.approx(row["estimate"], rel=PEER)
    assert np.sqrt(found.covariance[0, 0]) == pytest.approx(row["se"], rel=PEER)


# -- both, from a study to a table ------------------------------------------------------------


def test_xu_yao_study_has_both():
    study = Study.load(REPO / "data" / "xu_yao_2015", data=DATA / "xu_yao_2015")
    table = estimate_effects(
        load_data(study).panel, estimators=["twfe", "sun_abraham"], cluster="village"
    )
    assert table.reasons == {} and table.overall["estimate"].notna().all()
    assert "without an earlier year left out" in table.found["sun_abraham"].note
