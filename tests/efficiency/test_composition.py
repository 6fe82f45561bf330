"""Whose money it was and how far it got, typed out and worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.bounds import Bounds
from evaluation.efficiency.composition import (
    measure_cost_per_job,
    measure_execution,
    measure_leverage,
)
from evaluation.errors import DesignError
from tests.efficiency.ledgers import to_ledger, typed_ledger, typed_places

EXACT = 1e-12  # the same arithmetic, in another order

# A and B are in East, C in West.
SOURCES = """
    village year amount source           stage    role
    A       2003 40     fiscal           received source
    B       2003 10     fiscal           received source
    A       2003 30     social           received source
    B       2004 20     dispatching_unit received source
    -       2004 5      social           received source
    C       2004 7      social           received source
    C       2004 9      credit           received source
    A       2003 99     fiscal           spent    source
    A       2003 88     fiscal           received use
    """


def ledger_of(table):
    return typed_ledger(table, typed_places())


def pooled_in(ledger, county):
    """Say which county the money of no village is of."""
    rows = ledger.entries["village"] == ""
    ledger.entries.loc[rows, "county"] = county
    return ledger


# -- leverage --------------------------------------------------------------------------------


def test_leverage_by_hand():
    table = measure_leverage(pooled_in(ledger_of(SOURCES), "East"))
    assert list(table.index) == ["East", "West", "all"]
    assert table["fiscal"].tolist() == [50, 0, 50]
    assert table["social"].tolist() == [35, 7, 42]
    np.testing.assert_allclose(table["social_per_fiscal"], [35 / 50, np.nan, 42 / 50])
    np.testing.assert_allclose(table["dispatching_unit_per_fiscal"], [0.4, np.nan, 0.4])
    assert table["credit"].tolist() == [0, 9, 9] and table["own"].tolist() == [0, 0, 0]
    # 20 of units may be part of 35 from society; in all 7 more, which are of another county.
    assert table.loc["East", "both_per_fiscal"] == Bounds(35, 35 + 20) / Bounds.exactly(50)
    assert table.loc["all", "both_per_fiscal"] == Bounds(42, 42 + 20) / Bounds.exactly(50)
    assert table.loc["West", "both_per_fiscal"] is None  # no fiscal yuan to draw any in


def test_overlap_is_within_a_county():
    table = """
        village year amount source
        A       2003 10     fiscal
        A       2003 4      social
        C       2003 10     fiscal
        C       2003 6      dispatching_unit
        """
    found = measure_leverage(ledger_of(table), stage="spent")["both_per_fiscal"]
    # What society gave in East cannot be what a unit gave in West.
    assert found["all"] == Bounds(10, 10) / Bounds.exactly(20)


@pytest.mark.parametrize(
    ("stage", "role", "fiscal"),
    [("received", "source", 50), ("spent", "source", 99), ("received", "use", 88)],
)
def test_leverage_takes_one_stage_and_role(stage, role, fiscal):
    table = measure_leverage(ledger_of(SOURCES), stage=stage, role=role)
    assert table.loc["all", "fiscal"] == fiscal


def test_leverage_of_a_stage_that_the_ledger_lacks():
    with pytest.raises(DesignError, match="no money committed"):
        measure_leverage(ledger_of(SOURCES), stage="committed")


@given(st.floats(1e-6, 1e9))
def test_the_unit_of_money_cancels_out_of_leverage(unit):
    ledger = ledger_of(SOURCES)
    own = measure_leverage(ledger).loc["all", "social_per_fiscal"]
    ledger.entries["amount"] *= unit
    other = measure_leverage(ledger).loc["all", "social_per_fiscal"]
    assert other == pytest.approx(own, rel=EXACT)


# -- execution -------------------------------------------------------------------------------

STAGES = """
    village year amount source stage
    A       2003 100    fiscal committed
    A       2003 60     fiscal received
    B       2003 20     social received
    A       2004 50     fiscal spent
    C       2004 40     social committed
    """


def test_execution_by_hand():
    table = measure_execution(ledger_of(STAGES))
    assert table["committed"].to_dict() == {"East": 100, "West": 40, "all": 140}
    assert table["received"].to_dict() == {"East": 80, "West": 0, "all": 80}
    np.testing.assert_allclose(table["received_share"], [80 / 100, 0, 80 / 140], rtol=EXACT)
    np.testing.assert_allclose(table["spent_share"], [50 / 80, np.nan, 50 / 80], rtol=EXACT)


def test_execution_by_source():
    table = measure_execution(ledger_of(STAGES), by="source")
    assert list(table.index) == ["fiscal", "social", "all"]
    np.testing.assert_allclose(table["received_share"], [0.6, 20 / 40, 80 / 140], rtol=EXACT)


def test_a_stage_that_is_nowhere_recorded_is_not_zero():
    rows = "\n".join(line for line in STAGES.splitlines() if "committed" not in line)
    table = measure_execution(ledger_of(rows))
    assert table[["committed", "received_share"]].isna().all(axis=None)
    assert table.loc["all", "spent_share"] == pytest.approx(50 / 80, rel=EXACT)


def test_execution_of_a_role_that_is_nowhere_recorded():
    with pytest.raises(DesignError, match=r"ledger.csv: no money with the role use"):
        measure_execution(ledger_of(STAGES), role="use")


# -- cost per job ----------------------------------------------------------------------------

PAID = """
    village year amount project
    A       2003 30     mill
    A       2004 10     mill
    B       2004 20     farm
    B       2004 7      road
    C       2004 12     mill
    C       2004 1      none
    """
PROJECTS = pd.DataFrame(
    [
        ("A", "East", "mill", 4.0),
        ("B", "East", "farm", 6.0),
        ("B", "East", "road", np.nan),
        ("C", "West", "mill", 3.0),
        ("C", "West", "unpaid", 50.0),
    ],
    columns=["village", "county", "project", "jobs"],
)


def test_cost_per_job_by_hand():
    table = measure_cost_per_job(ledger_of(PAID), PROJECTS)
    # Roads have money and no jobs that are known, "unpaid" jobs and no money: in neither.
    assert table["n_projects"].to_dict() == {"East": 2, "West": 1, "all": 3}
    assert table["money"].to_dict() == {"East": 30 + 10 + 20, "West": 12, "all": 72}
    np.testing.assert_allclose(table["per_job"], [60 / 10, 12 / 3, 72 / 13], rtol=EXACT)
    assert table["money_without_jobs"].to_dict() == {"East": 7, "West": 1, "all": 8}
    assert table.attrs["jobs"] == "gross, head count"


def test_net_jobs_full_time():
    table = measure_cost_per_job(ledger_of(PAID), PROJECTS, displaced=0.2, full_time=0.5)
    assert table.loc["all", "jobs"] == pytest.approx(13 * 0.8 * 0.5, rel=EXACT)
    assert table.loc["all", "per_job"] == pytest.approx(72 / 5.2, rel=EXACT)
    assert table.attrs["jobs"] == "net, full time"


def test_pooled_projects_are_known_by_their_county():
    pooled = pooled_in(ledger_of("village year amount project\n- 2004 9 mill"), "West")
    table = measure_cost_per_job(pooled, PROJECTS)
    assert table.loc["West", "per_job"] == 9 / 3 and "East" not in table.index


def test_projects_without_jobs_cost_nothing_a_job():
    none = PROJECTS.assign(jobs=PROJECTS["jobs"].where(PROJECTS["county"] == "East", 0.0))
    table = measure_cost_per_job(ledger_of(PAID), none)
    assert np.isnan(table.loc["West", "per_job"])  # not infinity


@pytest.mark.parametrize("displaced", [-0.1, 1.0, np.nan])
def test_shares_of_jobs_are_shares(displaced):
    with pytest.raises(DesignError, match="give shares, displaced below 1"):
        measure_cost_per_job(ledger_of(PAID), PROJECTS, displaced=displaced)


@pytest.mark.parametrize("full_time", [0.0, 1.1, np.nan])
def test_full_time_is_a_share(full_time):
    with pytest.raises(DesignError, match="full_time above 0"):
        measure_cost_per_job(ledger_of(PAID), PROJECTS, full_time=full_time)


@pytest.mark.parametrize(
    "projects",
    [
        PROJECTS.assign(project="other"),
        PROJECTS.assign(jobs=np.nan),
        PROJECTS.assign(county="North"),
        PROJECTS.iloc[:0],
    ],
)
def test_jobs_that_no_money_is_for(projects):
    with pytest.raises(
        DesignError, match="no project with jobs has money spent under its name"
    ):
        measure_cost_per_job(ledger_of(PAID), projects)


def test_money_without_a_projects_name_is_not_that_of_projects_without_one():
    unnamed = PROJECTS.assign(project="")
    ledger = to_ledger(ledger_of(PAID).entries.assign(project=""), typed_places())
    with pytest.raises(DesignError, match="no project with jobs has money"):
        measure_cost_per_job(ledger, unnamed)


def test_bounds_of_all_counties_hold_whatever_the_rounding():
    panel = typed_places()
    for seed in range(40):
        amounts = np.random.default_rng(seed).uniform(1, 9e5, 12).round(2)
        rows = pd.DataFrame(
            {
                "village": "-", "year": 2003, "amount": amounts, "stage": "received",
                "source": ["fiscal"] * 6 + ["social", "dispatching_unit"] * 3,
                "county": [f"C{c}" for c in range(6)] * 2,
            }
        )  # fmt: skip
        table = measure_leverage(to_ledger(rows, panel))
        assert len(table) == 7 and table.loc["all", "both_per_fiscal"] is not None


def test_jobs_known_in_one_of_a_projects_rows_alone_are_not_known():
    ledger = ledger_of("village year amount project\nA 2003 10 p\nC 2003 4 q")
    projects = pd.DataFrame(
        {"county": ["East", "East", "West"], "project": ["p", "p", "q"], "jobs": [5, np.nan, 2]}
    )
    table = measure_cost_per_job(ledger, projects)
    assert list(table["jobs"]) == [0, 2, 2] and table.loc["East", "money_without_jobs"] == 10
