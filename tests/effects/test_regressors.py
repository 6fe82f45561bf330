"""Traits as regressors: what counts as before, which groups stand alone, what is held out."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.regressors import baseline_traits, hold_out, lay_out
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from tests.effects.worlds import with_covariate
from tests.gains.panels import typed_panel

EXACT = 1e-12  # the same arithmetic, in another order

HAND = """
    village cohort 2001 2002 2003 2004
    A       2003   1    2    9    9
    B       2004   1    4    5    9
    C       -      3    5    6    8
    D       -      2    3    4    6
    """
HOUSEHOLDS = [[10, 11, 12, 13], [20, np.nan, np.nan, 23], [30, 31, 32, 33], [40, 41, 42, 43]]


def hand(**options):
    panel = with_covariate(typed_panel(HAND), "households", HOUSEHOLDS)
    panel.villages["town"] = ["t", "t", "u", ""]
    return estimate_gains(panel, **options)


def test_covariates_are_the_last_known_before_the_programme():
    found = baseline_traits(hand(), ["households", "town", "cohort"])
    # A in 2002, B in 2001 (2002 and 2003 are not known), C and D before the first cohort
    assert found["households"].to_dict() == {"A": 11, "B": 20, "C": 31, "D": 41}
    assert found["town"].tolist() == ["t", "t", "u", ""]
    assert found["cohort"].tolist() == ["2003", "2004", "", ""]
    earlier = baseline_traits(hand(anticipation=1), ["households"])
    assert earlier["households"].to_dict() == {"A": 10, "B": 20, "C": 30, "D": 40}


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("y", "'y' is an outcome: before the programme it is in the gains' own error"),
        ("household", "no trait 'household'; did you mean 'households'"),
    ],
)
def test_names_that_are_no_baseline(name, says):
    with pytest.raises(DesignError, match=says):
        baseline_traits(hand(), [name])


def test_years_held_out_are_the_baseline_and_in_no_gain():
    gains, baseline = hold_out(hand())
    assert baseline.to_dict() == {"A": 1, "B": 1, "C": 3, "D": 2}
    # In 2002 to 2004: C and D rise by 1 and 2 and 3.
    assert gains.villages["gain"].to_dict() == pytest.approx(hand_without_2001(), rel=EXACT)
    panel = gains.panel
    assert np.isnan(panel.matrix()[:, 0]).all()
    assert hand().panel.matrix()[0, 0] == 1  # nothing was changed in place


def hand_without_2001():
    rows = [line.split() for line in HAND.strip().splitlines()]
    rest = "\n".join(" ".join([*row[:2], *row[3:]]) for row in rows)
    return estimate_gains(typed_panel(rest)).villages["gain"].to_dict()


def test_options_stay_when_years_are_held_out():
    again, _ = hold_out(hand(comparison="never_treated", alpha=0.1, cluster="village"))
    assert (
        again.options == hand(comparison="never_treated", alpha=0.1, cluster="village").options
    )


@pytest.mark.parametrize("n_years", [0, 4])
def test_how_many_years_can_be_held_out(n_years):
    with pytest.raises(DesignError, match="give a number of years, from 1 to 3"):
        hold_out(hand(), n_years=n_years)


def test_groups_are_counted_by_villages_with_a_gain():
    gained = pd.Index([f"v{i}" for i in range(20)])
    words = ["b"] * 9 + ["a"] * 6 + ["c"] * 2 + ["d"] * 2 + [""]
    never = pd.Series(["c"] * 7 + ["b"], index=[f"n{i}" for i in range(8)])
    traits = pd.DataFrame(
        {
            "unit": pd.concat([pd.Series(words, index=gained), never]),
            "size": np.arange(28.0),
            "same": 3.0,
            "flag": [True, False] * 14,
        }
    )
    laid = lay_out(traits, gained)
    assert laid.reasons == {"same": "it is the same in all villages, or known of none"}
    assert list(laid.matrix) == ["unit: a", "unit: other", "size", "flag"]
    unit = laid.about.loc["unit: other"]
    assert (unit["level"], unit["reference"]) == ("other", "b")
    assert laid.matrix["unit: other"].sum() == 4 + 7  # never treated ones are in the group
    assert laid.matrix.loc["v19", ["unit: a", "unit: other"]].isna().all()
    # over villages with a gain alone: the sd of 0 to 19
    assert laid.about.loc["size", "sd"] == pytest.approx(np.arange(20).std(ddof=1), rel=EXACT)
    assert np.isnan(unit["sd"])


def test_beyond_twenty_groups_the_smallest_are_taken_together():
    gained = pd.Index([f"v{i:03}" for i in range(23 * 6 - 1)])
    words = pd.Series([f"g{i % 23:02}" for i in range(len(gained))], index=gained)
    laid = lay_out(pd.DataFrame({"unit": words}), gained)
    # g22 has five villages, of the others with six the first twenty by name stay
    assert laid.about["level"].tolist()[-1] == "other" and len(laid.about) == 20
    assert laid.matrix["unit: other"].sum() == 6 + 6 + 5
