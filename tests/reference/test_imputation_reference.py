"""Gains against other implementations' printed numbers."""

import numpy as np
import pandas as pd
import pytest

from evaluation.gains.estimate import estimate_gains
from tests.conftest import SHARED
from tests.gains.panels import random_cells, to_panel

pytestmark = pytest.mark.shared

LEAST_SQUARES = 1e-11  # dense least squares, printed to 14 digits
PRINTED = 1e-8  # pre-period coefficients are printed to 8 digits
SE = 1e-6
PEER = 1e-8  # diff-diff solves sparse systems


def read_cells(path, names):
    cells = pd.read_csv(path).rename(columns=names)
    cells["cohort"] = cells["cohort"].where(cells["cohort"] > 0)
    return cells


@pytest.fixture(scope="module")
def mpdta():
    names = {"countyreal": "village", "first.treat": "cohort", "lemp": "y"}
    cells = read_cells(SHARED / "data" / "mpdta" / "mpdta.csv", names)
    return estimate_gains(to_panel(cells.astype({"village": str})))


def test_mpdta_average_and_standard_error(mpdta):
    att = mpdta.att
    assert att["estimate"] == pytest.approx(-0.04770991827845, abs=LEAST_SQUARES)
    n = att["n_clusters"]
    # didimputation leaves out the factor C/(C - 1).
    assert att["se"] * np.sqrt((n - 1) / n) == pytest.approx(0.0132224887, abs=SE)


def test_mpdta_event_times(mpdta):
    study = mpdta.event_study(leads=3)
    assert study.loc[0, "estimate"] == pytest.approx(-0.03106692719255, abs=LEAST_SQUARES)
    # R stops demeaning early: its later digits are off.
    printed = [-0.0310669240, -0.0522348536, -0.1360781135, -0.1047074668]
    np.testing.assert_allclose(study.loc[0:3, "estimate"], printed, rtol=0, atol=SE)
    # The printed ones are measured from event time -1, ours from the earliest, -4.
    before = study.loc[-3:-1, "estimate"]
    from_last = [-before[-1], before[-3] - before[-1], before[-2] - before[-1]]
    printed = [-0.00139535, 0.02384100, 0.02168227]
    np.testing.assert_allclose(from_last, printed, rtol=0, atol=PRINTED)


def test_contdid_data():
    # golden.json, id imputation: diff-diff 3.13.0; a T x T form and dense least squares agree.
    path = SHARED / "reference" / "data" / "contdid_sim1234.csv"
    columns = list(pd.read_csv(path, nrows=1))
    names = dict(zip(["id", "time_period", "G", "Y"], ["village", "year", "cohort", "y"],
                     strict=True))  # fmt: skip
    assert set(names) <= set(columns), columns
    found = estimate_gains(to_panel(read_cells(path, names).astype({"village": str})))
    assert found.att["estimate"] == pytest.approx(-0.00969869973, abs=1e-9)
    events = found.by("event_time")["estimate"]
    printed = [-0.00180199755, -0.00341788172, -0.04681619253]
    np.testing.assert_allclose(events, printed, rtol=0, atol=1e-9)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.filterwarnings("ignore")
def test_diff_diff(seed):
    diff_diff = pytest.importorskip("diff_diff")
    cells = random_cells(seed).dropna(subset="y").copy()
    cells = cells[cells["cohort"].isna() | (cells["cohort"] <= cells["year"].max())]
    ours = estimate_gains(to_panel(cells), cluster="village")
    known = ours.villages["gain"].notna()
    cells = cells[cells["cohort"].isna() | cells["village"].map(known).fillna(False)]
    first = cells["cohort"].fillna(0).astype(int)
    peer = diff_diff.ImputationDiD().fit(
        cells.assign(unit=pd.factorize(cells["village"])[0], first=first),
        outcome="y", unit="unit", time="year", first_treat="first", aggregate="event_study",
    )  # fmt: skip
    again = estimate_gains(to_panel(cells), cluster="village")
    assert again.att["estimate"] == pytest.approx(peer.overall_att, abs=PEER)
