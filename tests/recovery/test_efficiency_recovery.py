"""A fast version of efficiency_coverage.py: sets cover true gain per yuan as they say."""

import csv

import pytest

from tests.recovery.efficiency_coverage import CASES, TABLE, run_case

NEAR = 0.03  # 600 counties or 2,400 villages in 15 panels: three sampling errors
PROMISED = 0.015  # .935 to .965 in the whole table
BY_NAME = {case.name: case for case in CASES}


@pytest.mark.parametrize(
    "name",
    ["money known", "money with an error of .2", "money with an error of .2, large gains"],
)
def test_counties_and_villages(name):
    found = {row["what"]: row for row in run_case(BY_NAME[name], panels=15)}
    for what in ("county", "village"):
        assert found[what]["coverage"] == pytest.approx(0.95, abs=NEAR)
    assert found["county"]["given"] == 1


def test_the_error_of_money_must_be_told():
    # Taking money as known where it is not covers far less: .76 of counties, .71 of villages.
    case = BY_NAME["money with an error of .2, large gains"]
    deaf = {row["what"]: row["coverage"] for row in run_case(case, panels=15, told=0.0)}
    assert deaf["county"] < 0.95 - NEAR and deaf["village"] < 0.8


def test_the_table_holds_what_is_promised():
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["case"] for row in rows} == set(BY_NAME)
    for row in rows:
        if row["what"] != "programme":
            assert float(row["coverage"]) == pytest.approx(0.95, abs=PROMISED)
