import csv
import math
from fractions import Fraction

import pytest

from evaluation.bounds import Bounds
from evaluation.claims.crosscheck import run_crosschecks
from evaluation.data.hedges import read_figure
from tests.conftest import JINING, SHARED

pytestmark = pytest.mark.shared

REFERENCE = SHARED / "reference" / "jining_2021"
# What the reference had for the date of seven claims ("over two years, the first of them
# not stated"); the words now stand under period, and the date is the article's.
WORDS_FOR_A_DATE = "两年来(起始年未注明)"
ARTICLE_DATE = "2021-07-08"
REDATED = ["C085", "C086", "C087", "C088", "C089", "C090", "C091"]


def read_rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def reference():
    return read_rows(REFERENCE / "claims.csv")


@pytest.fixture(scope="module")
def ours():
    return {row["claim"]: row for row in read_rows(JINING / "claims.csv")}


def test_every_reference_claim_is_here_with_the_same_cells(reference, ours):
    assert [row["claim"] for row in reference] == list(ours)
    for row in reference:
        period = WORDS_FOR_A_DATE if row["as_of"] == WORDS_FOR_A_DATE else ""
        expected = row | {
            "as_of": ARTICLE_DATE if period else row["as_of"],
            "note": row["note"].replace("’", "'"),
            "period": period,
        }
        assert {name: ours[row["claim"]][name] for name in expected} == expected


def test_seven_claims_have_words_for_a_date(reference):
    assert [row["claim"] for row in reference if row["as_of"] == WORDS_FOR_A_DATE] == REDATED


def test_every_bound_is_what_the_printed_figure_says(reference):
    checked = 0
    for row in reference:
        if not (row["lower"] and row["printed"]):
            continue
        ends = [math.inf if row[e] == "inf" else Fraction(row[e]) for e in ("lower", "upper")]
        closed = [row[e] == "1" for e in ("lower_closed", "upper_closed")]
        figure = read_figure(row["printed"], unit=row["unit"])
        assert figure.strict == Bounds(*ends, *closed), row["claim"]
        assert figure.value == Fraction(row["value"]), row["claim"]
        if row["upper_loose"]:
            loose = row["upper_loose"]
            assert figure.loose.upper == (math.inf if loose == "inf" else Fraction(loose))
        checked += 1
    assert checked == sum(bool(row["printed"]) for row in reference)


def test_every_reference_check_is_here_with_its_class(jining):
    expected = {
        row["xcheck_id"]: row["class"] for row in read_rows(REFERENCE / "crosschecks.csv")
    }
    assert len(expected) == 26
    assert {r.check.id: r.verdict for r in run_crosschecks(jining)} == expected
