"""What estimates of gains refuse, and what they say then."""

import numpy as np
import pandas as pd
import pytest

from evaluation.errors import DesignError
from evaluation.gains.design import build_design, village_weights
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.grouping import group_cells
from evaluation.gains.options import GainOptions
from tests.gains.panels import random_cells, to_panel, typed_cells, typed_panel

NAN = np.nan
TYPED = """
    village cohort 2001 2002 2003
    A       2002   1    3    5
    B       2003   2    4    8
    C       -      3    4    6
    D       -      5    7    7
    """


def typed(**columns):
    """Give the typed villages with further columns, a value a village, in their order."""
    cells = typed_cells(TYPED)
    for name, values in columns.items():
        cells[name] = cells["village"].map(dict(zip("ABCD", values, strict=True)))
    return to_panel(cells, covariates=list(columns))


def refusal(ask, *given, **options):
    """Give what is said; messages are a line or two without a traceback's help."""
    with pytest.raises(DesignError) as error:
        ask(*given, **options)
    told = str(error.value)
    assert len(told.splitlines()) <= 2 and told.endswith(".")
    return told


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"comparison": "controls"},
            ["comparison is 'controls'", "give one of not_yet_treated, never_treated."],
        ),
        ({"year_effects": "town"}, ["year_effects is 'town'", "one of common, county."]),
        ({"cluster": "province"}, ["cluster is 'province'", "one of county, town, village."]),
        ({"anticipation": -1}, ["anticipation is -1", "years from 0 on"]),
        ({"anticipation": 1.0}, ["anticipation is 1.0", "years from 0 on"]),
        ({"anticipation": True}, ["anticipation is True", "years from 0 on"]),
        ({"alpha": 0}, ["alpha is 0", "such as 0.05"]),
        ({"alpha": 1}, ["alpha is 1", "such as 0.05"]),
        ({"alpha": 5}, ["alpha is 5", "such as 0.05"]),
        ({"alpha": 0.5}, ["alpha is 0.5", "give 0 < alpha < 0.5"]),
        ({"covariates": ("x", "z", "x")}, ["x is named twice"]),
        ({"alpha": NAN}, ["alpha is nan", "such as 0.05"]),
    ],
    ids=str,
)
def test_unknown_options_are_refused(options, words):
    told = refusal(GainOptions, **options)
    assert all(word in told for word in words)
    assert refusal(estimate_gains, typed(), **options) == told


def test_options_are_kept_with_the_gains():
    found = estimate_gains(typed(), comparison="never_treated", alpha=0.1, cluster="village")
    expected = GainOptions(comparison="never_treated", alpha=0.1, cluster="village")
    assert found.options == expected and GainOptions().cluster == ""


def design(panel, **options):
    return build_design(panel, panel.matrix(), GainOptions(**options))


@pytest.mark.parametrize("cohorts", [["-"] * 4, [2004, 2009, "-", "-"]])
def test_no_village_treated_within_the_years(cohorts):
    rows = [f"{v} {c} 1 2 3" for v, c in zip("ABCD", cohorts, strict=True)]
    told = refusal(design, typed_panel("\n".join(["village cohort 2001 2002 2003", *rows])))
    assert "no village is treated from 2001 to 2003" in told and "panel.treatment" in told


def test_nothing_untreated_is_known():
    told = refusal(design, typed_panel("village cohort 2001 2002\nA 2001 1 2\nB 2002 - 2"))
    assert "no village has a known outcome in an untreated year" in told
    # Two years of anticipation leave nothing of B's either.
    panel = typed_panel("village cohort 2001 2002 2003\nA 2001 1 2 3\nB 2003 4 4 4")
    assert design(panel).fitted.sum() == 2
    assert "nothing to compare with" in refusal(design, panel, anticipation=2)


def test_no_never_treated_village_is_known():
    panel = typed_panel("village cohort 2001 2002\nA 2002 1 2\nB 2003 1 2\nC - - -")
    told = refusal(design, panel, comparison="never_treated")
    assert "no never treated village" in told and "comparison='not_yet_treated'" in told
    assert design(panel).fitted.sum() == 1 + 2


@pytest.mark.parametrize(
    ("covariates", "words"),
    [
        (("y",), ["covariate 'y' is the outcome itself", "leave it out"]),
        (("populaton",), ["no variable 'populaton'", "did you mean 'population'?"]),
    ],
)
def test_covariates_that_cannot_serve(covariates, words):
    told = refusal_of_name(covariates=covariates)
    assert all(word in told for word in words)


def refusal_of_name(**options):
    with pytest.raises(DesignError) as error:
        design(typed(population=[1.0, 2, 3, 4]), **options)
    return str(error.value)


def test_a_covariate_known_in_no_untreated_year_leaves_nothing():
    panel = typed(population=[NAN] * 4)
    assert "nothing to compare with" in refusal(design, panel, covariates=("population",))


def test_weights_that_are_not_in_the_panel():
    told = refusal_of_name(weights="populaton")
    assert "no variable 'populaton'" in told and "did you mean 'population'?" in told


@pytest.mark.parametrize(
    ("weights", "count", "named"),
    [
        ([1, 0, 2, 3], 1, "B"),
        ([NAN, 1, -2, 3], 2, "A, C"),
        ([0, 0, 0, 0], 4, "A, B, C, D"),
    ],
)
def test_weights_must_be_above_zero(weights, count, named):
    told = refusal(village_weights, typed(w=weights), "w")
    assert told.startswith(f"weights 'w': {count} village") and "none above zero" in told
    assert f"such as {named}." in told


def test_many_villages_without_a_weight_are_counted_and_five_named():
    rows = [f"v{i} 2002 1 2" for i in range(1200)]
    cells = typed_cells("\n".join(["village cohort 2001 2002", *rows])).assign(w=0.0)
    told = refusal(village_weights, to_panel(cells, covariates=["w"]), "w")
    assert "1,200 villages" in told and "such as v0, v1, v2, v3, v4." in told


def test_weights_are_means_over_the_years_known():
    cells = typed_cells(TYPED)
    cells["w"] = cells["year"].map({2001: 1.0, 2002: 2.0, 2003: 6.0})
    cells.loc[(cells["village"] == "B") & (cells["year"] == 2003), "w"] = NAN
    weights = village_weights(to_panel(cells, covariates=["w"]), "w")
    np.testing.assert_array_equal(weights, [9 / 3, 3 / 2, 9 / 3, 9 / 3])
    np.testing.assert_array_equal(village_weights(typed(), None), [1, 1, 1, 1])


@pytest.mark.parametrize("by", ["province", "village", ["county"], None, 3])
def test_what_cannot_be_averaged_by(by):
    gains = estimate_gains(typed())
    told = refusal(group_cells, by, gains.cells, gains.panel)
    assert told.startswith(f"by is {by!r}") and "county, town, cohort, year, event_time" in told
    assert "a Series" in told
    assert refusal(gains.by, by) == told


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series({"a": 1, "b": 2}),  # other names
        pd.Series(["u", "w"]),  # by position
        pd.Series({"C": "u", "D": "w"}),  # never treated ones alone
        pd.Series({"A": None, "B": None}, dtype=object),
    ],
    ids=["names", "positions", "never_treated", "empty"],
)
def test_labels_must_name_a_village_with_a_gain(labels):
    gains = estimate_gains(typed())
    told = refusal(gains.by, labels)
    assert "no village with a gain has a label" in told and "index them by village" in told


@pytest.mark.parametrize("value", [1e31, -1e300])
def test_outcomes_that_overflow_are_refused(value):
    cells = typed_cells(TYPED).astype({"y": float})
    cells.loc[0, "y"] = value
    told = refusal(estimate_gains, to_panel(cells))
    assert "outcome 'y' is too large" in told and "1e+30" in told


def test_outcomes_just_below_that_give_the_same_gains():
    cells = random_cells(1, n=250, missing=0, n_counties=12)
    unit = 1e29 / cells["y"].abs().max()
    small, large = (
        estimate_gains(to_panel(cells.assign(y=cells["y"] * one))).shrink().villages
        for one in (1, unit)
    )
    np.testing.assert_allclose(
        large["posterior_mean"] / unit, small["posterior_mean"], rtol=1e-6
    )
