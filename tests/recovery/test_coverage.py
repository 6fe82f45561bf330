"""A fast version of `make coverage`: intervals cover about as often as they say."""

import pytest

from tests.recovery.coverage import CASES, run_case

NEAR = 0.03  # some thousand villages in a dozen panels: three sampling errors
BY_NAME = {(case.name, case.alpha): case for case in CASES}


def cover(name, *, alpha=0.05, repetitions):
    rows = run_case(BY_NAME[name, alpha], repetitions=repetitions)
    return {row["what"]: row for row in rows}


@pytest.mark.parametrize("rho", [0.0, 0.9])
def test_villages(rho):
    found = cover(f"villages, AR(1) {rho}, 5 untreated years", repetitions=60)
    assert found["villages"]["coverage"] == pytest.approx(0.95, abs=NEAR)
    noisiest = found["villages, the truly noisiest quarter"]
    assert noisiest["coverage"] == pytest.approx(0.95, abs=NEAR)


def test_four_counties_have_no_interval_but_with_year_effects_of_their_own():
    assert cover("4 counties", repetitions=2)["programme"]["given"] == 0
    within = cover("4 counties, year effects by county", repetitions=2)
    assert within["programme"]["given"] == 1


def test_county_averages():
    found = cover("40 counties", repetitions=15)
    assert found["county"]["coverage"] == pytest.approx(0.95, abs=NEAR)


def test_villages_chosen_for_a_bad_year_seem_to_gain():
    name = "villages chosen for a low income the year before"
    assert cover(name, repetitions=60)["villages"]["bias_in_sd"] > 0.03
