"""Gains in a real panel with few villages that are never treated, and reasons for the rest."""

import numpy as np
import pandas as pd
import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.gains.estimate import estimate_gains
from tests.conftest import REPO, SHARED

pytestmark = pytest.mark.shared

DATA = SHARED / "data" / "xu_yao_2015"
NO_UNTREATED = "no untreated year with a known outcome"
STUDIES = {"study.yml": "postcont", "open_nomination.yml": "postopen"}


def load(file):
    return load_data(Study.load(REPO / "data" / "xu_yao_2015" / file, data=DATA)).panel


@pytest.fixture(scope="module")
def panels():
    return {file: load(file) for file in STUDIES}


@pytest.fixture(scope="module")
def gains(panels):
    return {file: estimate_gains(panel) for file, panel in panels.items()}


@pytest.fixture(scope="module")
def raw():
    rows = pd.read_stata(DATA / "xy2015.dta", convert_categoricals=False)
    return rows.assign(village=rows["vill_id"].astype(int).astype(str))


@pytest.mark.parametrize(("file", "never"), [("study.yml", 5), ("open_nomination.yml", 24)])
def test_all_but_the_never_treated_have_a_row(gains, file, never):
    found = gains[file]
    assert len(found.to_frame()) == 220 - never
    assert found.panel.n_villages == 220 and found.unit == "log of yuan"


@pytest.mark.parametrize(
    ("file", "in_every_row"), [("study.yml", 132), ("open_nomination.yml", 98)]
)
def test_villages_treated_in_every_row_have_no_gain(gains, raw, file, in_every_row):
    always = raw.groupby("village")[STUDIES[file]].min() == 1
    frame = gains[file].to_frame().loc[always.index[always]]
    assert len(frame) == in_every_row
    assert frame["gain"].isna().all() and (frame["reason"] == NO_UNTREATED).all()


@pytest.mark.parametrize(
    ("file", "no_untreated_income", "with_a_gain"),
    # 142 (110) have an income in treated years alone, three have none in any year.
    [("study.yml", 142 + 3, 215 - 145), ("open_nomination.yml", 110 + 3, 196 - 113)],
)
def test_villages_without_an_untreated_income_have_no_gain(
    gains, file, no_untreated_income, with_a_gain
):
    frame, panel = gains[file].to_frame(), gains[file].panel
    income = np.isfinite(panel.matrix("income"))
    before = (income & ~panel.treated_cells).any(axis=1)[panel.is_treated]
    assert (~before).sum() == no_untreated_income
    np.testing.assert_array_equal(frame["reason"] == NO_UNTREATED, ~before)
    np.testing.assert_array_equal(frame["gain"].notna(), before)
    assert before.sum() == with_a_gain


def check_reasons(panel, **options):
    frame = estimate_gains(panel, **options).to_frame()
    whole = np.isfinite(frame[["gain", "conf_low", "conf_high"]]).all(axis=1)
    np.testing.assert_array_equal(frame["reason"] == "", whole)
    ends = frame[["conf_low", "conf_high", "p_value"]].notna()
    assert (ends.all(axis=1) == ends.any(axis=1)).all()


@pytest.mark.parametrize("options", [{}, {"alpha": 0.1}, {"trends": True}], ids=str)
@pytest.mark.parametrize("file", STUDIES)
def test_what_is_missing_has_a_reason_and_nothing_else_has(panels, file, options):
    check_reasons(panels[file], **options)


def test_reasons_with_year_effects_by_province(panels):
    check_reasons(panels["study.yml"], year_effects="county")


def test_reasons_where_a_comparison_village_is_alone_in_its_province(panels):
    check_reasons(panels["open_nomination.yml"], year_effects="county")


def test_intervals_rest_on_nineteen_comparison_villages(gains):
    # Five never treated villages are too few, and so are those not yet treated.
    frame = gains["study.yml"].to_frame()
    assert frame["conf_low"].isna().all() and frame["n_placebos"].max() < 19
    frame = gains["open_nomination.yml"].to_frame()
    given = frame["conf_low"].notna()
    assert given.any() and frame.loc[given, "n_placebos"].between(19, 24).all()


def test_the_average_gain_has_an_interval_all_the_same(gains):
    for found in gains.values():
        att = found.att
        assert (att["method"], att["reason"]) == ("wild bootstrap", "")
        assert att["n_villages"] == found.to_frame()["gain"].notna().sum()
        assert att["conf_low"] < att["estimate"] < att["conf_high"]
