"""Group-time effects against printed numbers and another implementation."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.group_time import (
    average_by,
    estimate_callaway_santanna,
    estimate_matched_did,
    group_time_effects,
)
from evaluation.effects.setup import EffectOptions, build_setup
from tests.conftest import SHARED
from tests.gains.panels import to_panel

PRINTED = 1e-9  # agreed on by csdid, differences, moderndid and diff-diff to 11 digits
FOUR_DIGITS = 5e-5
PEER = 1e-9  # two logits that stop at 1e-8 of the deviance and at 1e-10 of the gradient


def lay_out(cells, **options):
    panel = to_panel(cells.astype({"village": str}), covariates=["x"])
    return build_setup(panel, EffectOptions(**{"cluster": "village", **options}))


@pytest.fixture(scope="module")
def mpdta():
    names = {"countyreal": "village", "first.treat": "cohort", "lemp": "y", "lpop": "x"}
    cells = pd.read_csv(SHARED / "data" / "mpdta" / "mpdta.csv").rename(columns=names)
    return cells.assign(cohort=cells["cohort"].where(cells["cohort"] > 0))


@pytest.mark.shared
def test_printed_without_covariates(mpdta):
    setup = lay_out(mpdta, comparison="never_treated")
    found = estimate_callaway_santanna(setup)
    assert found.terms["estimate"].iloc[0] == pytest.approx(-0.039951275155, abs=PRINTED)
    se = np.sqrt(np.diag(found.covariance))
    assert se[0] == pytest.approx(0.01203401277, abs=PRINTED)
    groups = average_by(setup, "cohort")["estimate"]
    np.testing.assert_allclose(groups, [-0.0797, -0.0229, -0.0261], rtol=0, atol=FOUR_DIGITS)
    after = found.terms.loc[found.terms["period"] == "after", "estimate"]
    assert after.mean() == pytest.approx(-0.0772, abs=FOUR_DIGITS)


@pytest.mark.shared
def test_printed_doubly_robust(mpdta):
    setup = lay_out(mpdta, comparison="never_treated", covariates=("x",))
    found = estimate_callaway_santanna(setup)
    assert found.terms["estimate"].iloc[0] == pytest.approx(-0.041751772059, abs=PRINTED)


def simulate(seed=5, n=400):
    """Four cohorts and the never treated; x varies by village and selects."""
    rng = np.random.default_rng(seed)
    years = np.arange(2001, 2009)
    x = rng.normal(size=n)
    cohort = rng.choice([np.nan, np.nan, 2003, 2004, 2006, 2008], n)
    x = x + 0.4 * np.isnan(cohort)
    y = rng.normal(size=(n, len(years))) + 0.3 * x[:, None] * (years - 2001)
    y += np.where(years >= cohort[:, None], years - 2002.0, 0)
    return pd.DataFrame(
        {
            "village": np.repeat(np.arange(n), len(years)), "year": np.tile(years, n),
            "cohort": np.repeat(cohort, len(years)), "x": np.repeat(x, len(years)),
            "y": y.ravel(),
        }
    )  # fmt: skip


def compare(cells, *, comparison, method, anticipation):
    pl = pytest.importorskip("polars")
    moderndid = pytest.importorskip("moderndid")
    groups = {"never_treated": "nevertreated", "not_yet_treated": "notyettreated"}
    peer = moderndid.att_gt(
        pl.from_pandas(cells.assign(cohort=cells["cohort"].fillna(0))), yname="y",
        tname="year", idname="village", gname="cohort",
        xformla=None if method == "means" else "~ x",
        est_method="ipw" if method == "propensity" else "dr",
        control_group=groups[comparison], anticipation=anticipation,
        base_period="universal", boot=False, cband=False,
    )  # fmt: skip
    estimator = "matched_did" if method == "propensity" else "callaway_santanna"
    setup = lay_out(
        cells, comparison=comparison, anticipation=anticipation, matching="propensity",
        covariates=() if method == "means" else ("x",),
    )  # fmt: skip
    ours = group_time_effects(setup, estimator=estimator).set_index(["cohort", "year"])
    index = pd.MultiIndex.from_arrays([peer.groups.astype(int), peer.times.astype(int)])
    theirs = pd.DataFrame({"att": peer.att_gt, "se": peer.se_gt}, index=index)
    theirs = theirs[theirs["att"].ne(0) & theirs["att"].notna()]  # 0 in the base year
    assert len(theirs) == ours["att"].notna().sum() > 5
    for name in ("att", "se"):
        np.testing.assert_allclose(
            ours.loc[theirs.index, name], theirs[name], rtol=0, atol=PEER
        )
    estimate = estimate_matched_did if method == "propensity" else estimate_callaway_santanna
    found = estimate(setup)
    simple = moderndid.aggte(peer, type="simple", boot=False, cband=False, na_rm=True)
    se = np.sqrt(np.diag(found.covariance))
    assert found.terms["estimate"].iloc[0] == pytest.approx(simple.overall_att, abs=PEER)
    assert se[0] == pytest.approx(simple.overall_se, abs=PEER)
    for kind, by in (("group", "cohort"), ("calendar", "year"), ("dynamic", "event_time")):
        peer_by = moderndid.aggte(peer, type=kind, boot=False, cband=False, na_rm=True)
        means = average_by(setup, by, estimator=estimator).set_index(by)
        rows = pd.DataFrame(
            {"estimate": peer_by.att_by_event, "se": peer_by.se_by_event},
            index=peer_by.event_times.astype(int),
        )
        rows = rows[rows["se"].notna()]  # the base year has none
        assert rows.index.tolist() == means.index.tolist()
        np.testing.assert_allclose(means[["estimate", "se"]], rows, rtol=0, atol=PEER)


CASES = pytest.mark.parametrize(
    "case",
    [
        {"comparison": comparison, "method": method, "anticipation": anticipation}
        for comparison in ("never_treated", "not_yet_treated")
        for method in ("means", "doubly_robust", "propensity")
        for anticipation in (0, 1)
    ],
    ids=lambda case: "-".join(map(str, case.values())),
)


@pytest.mark.shared
@CASES
@pytest.mark.filterwarnings("ignore")  # moderndid's
def test_moderndid_mpdta(mpdta, case):
    compare(mpdta, **case)


@CASES
@pytest.mark.filterwarnings("ignore")
def test_moderndid_simulated(case):
    compare(simulate(), **case)
