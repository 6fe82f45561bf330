"""The counterfactual: by hand, against dense least squares, and where it is not identified."""

import numpy as np
import pytest

from evaluation.gains.design import build_design
from evaluation.gains.estimate import NoGainsError, estimate_gains
from evaluation.gains.imputation import fit_counterfactual
from evaluation.gains.moments import Moments
from evaluation.gains.options import GainOptions
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel, typed_cells, typed_panel

EXACT = 1e-12  # the same arithmetic, in another order
DENSE = 1e-10  # against pseudo-inverses of dummy matrices, whose own rounding is some 1e-12
NAN = np.nan

# Levels 10, 20, 30, 40; year effects 0, 3, 5, 9; gains of A 4 and 6, of B 7; and errors
#   A   1 -1
#   B  -1  2 -1
#   C  -1  1  2 -2
#   D   1 -2 -1  2
# that add up to zero in each village and each year, so that least squares must find the rest.
BY_HAND = """
    village cohort 2001    2002    2003    2004
    A       2003   10+0+1  10+3-1  10+5+4  10+9+6
    B       2004   20+0-1  20+3+2  20+5-1  20+9+7
    C       -      30+0-1  30+3+1  30+5+2  30+9-2
    D       -      40+0+1  40+3-2  40+5-1  40+9+2
    """


def add_up(table):
    """Work out a table's sums, such as 10+3-1."""
    return "\n".join(
        " ".join(
            str(eval(cell)) if cell[1:2].isdigit() and "+" in cell else cell for cell in row
        )
        for row in map(str.split, table.splitlines())
    )


def fit(cells, covariates=(), **options):
    panel = to_panel(cells, covariates=(*covariates, *filter(None, [options.get("weights")])))
    options = GainOptions(covariates=tuple(covariates), **options)
    return fit_counterfactual(build_design(panel, panel.matrix(), options))


def of_cells(matrix, cells):
    """Give a fit's N x T matrix for each of the cells."""
    row = cells["village"].map({v: i for i, v in enumerate(dict.fromkeys(cells["village"]))})
    return matrix[row, cells["year"] - cells["year"].min()]


def test_by_hand_not_yet_treated():
    fitted = fit(typed_cells(add_up(BY_HAND)))
    expected = [[1, -1, 4, 6], [-1, 2, -1, 7], [-1, 1, 2, -2], [1, -2, -1, 2]]
    np.testing.assert_allclose(fitted.excess, expected, rtol=0, atol=EXACT * 40)
    effects = fitted.system.values[0]
    np.testing.assert_allclose(effects - effects[0], [0, 3, 5, 9], rtol=0, atol=EXACT * 40)


def test_by_hand_never_treated():
    # Means of C and D: 35, 37.5, 40.5, 44: year effects 0, 2.5, 5.5, 9. A's level is the
    # mean of 11 - 0 and 12 - 2.5, B's that of 19 - 0, 25 - 2.5 and 24 - 5.5.
    fitted = fit(typed_cells(add_up(BY_HAND)), comparison="never_treated")
    a, b = 10.25, 20
    expected = [
        [11 - a, 12 - a - 2.5, 19 - a - 5.5, 25 - a - 9],
        [19 - b, 25 - b - 2.5, 24 - b - 5.5, 36 - b - 9],
    ]
    np.testing.assert_allclose(fitted.excess[:2], expected, rtol=0, atol=EXACT * 40)


def test_by_hand_gains_and_why_there_is_no_interval():
    gains = estimate_gains(typed_panel(add_up(BY_HAND)))
    frame = gains.to_frame()
    assert list(frame.index) == ["A", "B"]
    np.testing.assert_allclose(frame["gain"], [(4 + 6) / 2, 7], rtol=EXACT)
    np.testing.assert_allclose(
        frame["spread"], np.sqrt([(1 + 1) / 1, (1 + 4 + 1) / 2]), rtol=EXACT * 40
    )
    assert gains.att["estimate"] == pytest.approx((4 + 6 + 7) / 3, rel=EXACT)
    assert list(frame["untreated_years"]) == ["2001-2002", "2001-2003"]
    assert list(frame["treated_years"]) == ["2003-2004", "2004"]
    assert (frame["reason"] == "fewer than 19 comparison villages are known in its years").all()


OPTIONS = [
    {},
    {"comparison": "never_treated"},
    {"anticipation": 1},
    {"weights": "w"},
    {"trends": True},
    {"year_effects": "county"},
    {"covariates": ("x",)},
    {"covariates": ("z",)},
    {"covariates": ("x", "z"), "weights": "w", "trends": True},
    {"covariates": ("x", "z"), "comparison": "never_treated", "anticipation": 2},
    {"covariates": ("x",), "year_effects": "county", "weights": "w"},
    {"comparison": "never_treated", "year_effects": "county", "trends": True},
]


def dense_options(options):
    names = options.get("covariates", ())
    kinds = {
        "varying": tuple(n for n in names if n == "x"),
        "fixed": tuple(n for n in names if n == "z"),
    }
    return {key: value for key, value in options.items() if key != "covariates"} | kinds


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_equals_dense_least_squares(seed, options):
    cells = random_cells(seed)
    fitted = fit(cells, **options)
    dense = fit_dense(cells, **dense_options(options))
    # With a trend to fit, a single untreated cell is no more than fitted itself.
    n_own = dense.cells[dense.own].groupby("village").size()
    enough = dense.cells["village"].map(n_own).fillna(0) > options.get("trends", False)
    used = dense.identified & (dense.own | dense.has_gain) & enough.to_numpy()
    assert dense.has_gain.sum() > 40
    # Every cell that dense algebra identifies, and no other, has a counterfactual.
    whole = dense.cells.assign(excess=np.where(used, dense.excess, NAN))
    merged = cells[["village", "year"]].merge(whole, how="left", on=["village", "year"])
    of_years_used = of_cells(fitted.design.own | _treated(fitted), cells)
    ours = np.where(of_years_used, of_cells(fitted.excess, cells), NAN)
    np.testing.assert_allclose(ours, merged["excess"], rtol=0, atol=DENSE * 20)


@pytest.mark.parametrize("trends", [False, True])
def test_finds_what_is_identified_in_panels_full_of_holes(trends):
    # So few cells are known that years fall apart and villages lack untreated ones.
    n_silent = 0
    for seed in range(12):
        cells = random_cells(seed, n=7, n_years=7, missing=0.6)
        dense = fit_dense(cells, trends=trends)
        ours = of_cells(fit(cells, trends=trends).excess, cells)[cells["y"].notna()]
        # With a trend to fit, a single untreated cell is no more than fitted itself.
        n_own = dense.cells[dense.own].groupby("village").size()
        identified = (
            dense.identified & (dense.cells["village"].map(n_own).fillna(0) > trends).to_numpy()
        )
        np.testing.assert_array_equal(np.isfinite(ours), identified)
        expected = np.where(identified, dense.excess, NAN)
        np.testing.assert_allclose(ours, expected, rtol=0, atol=DENSE * 20)
        n_silent += (n_own.max() > 1) & (~identified[~dense.own]).any()
    assert n_silent > 3


def _treated(fitted):
    return fitted.design.years >= fitted.design.cohort[:, None]


@pytest.mark.parametrize("options", [{}, {"covariates": ("x", "z"), "trends": True}], ids=str)
def test_moments_add_up_over_any_split_of_villages(options):
    design = fit(random_cells(4, n=40), **options).design
    rows = np.random.default_rng(0).permutation(40)
    whole = design.moments(np.arange(40))
    for cut in (1, 13, 39):
        first, rest = design.moments(rows[:cut]), design.moments(rows[cut:])
        _assert_same(first + rest, whole)
        _assert_same(whole - first, rest)


def _assert_same(ours: Moments, others: Moments):
    size = np.abs(others.matrix).max()
    np.testing.assert_allclose(ours.matrix, others.matrix, rtol=0, atol=EXACT * size)
    size = np.abs(others.vector).max()
    np.testing.assert_allclose(ours.vector, others.vector, rtol=0, atol=EXACT * size)


NO_UNTREATED = "no untreated year with a known outcome"
NO_TREATED = "no treated year with a known outcome"
NOT_CONNECTED = "no untreated village known then connects its treated to its untreated years"
COMPARISONS = """
    C       -      3       4       8       9
    D       -      5       7       4       3
    """


@pytest.mark.parametrize(
    ("rows", "gain", "reason"),
    [
        # Known in treated years alone, in untreated years alone.
        ("E 2002 - 1 2 3" + COMPARISONS, None, NO_UNTREATED),
        ("E 2001 1 1 2 3" + COMPARISONS, None, NO_UNTREATED),
        ("E 2003 1 1 - -" + COMPARISONS, None, NO_TREATED),
        # 2004 has no untreated village: the gain is that of 2003 alone.
        ("E 2003 1 1 9 8\nC - 3 4 8 -\nD - 5 7 4 -", (9 - 1) - ((8 - 3.5) + (4 - 6)) / 2, ""),
        ("E 2004 1 1 9 8\nC - 3 4 8 -\nD - 5 7 4 -", None, NOT_CONNECTED),
        # C knows the first two years, D the last two: nobody connects them.
        ("E 2003 1 1 9 8\nC - 3 4 - -\nD - - - 4 3", None, NOT_CONNECTED),
        # F, not yet treated in 2003, connects them: +1 from (2001, 2002) to 2003 by F (its
        # 2002 lies 1 above 2001, as C's does), and -1 on to 2004 by D.
        (
            "E 2003 1 2 9 8\nC - 3 4 - -\nD - - - 4 3\nF 2004 - 6 7 -",
            ((9 - 2 - 1) + (8 - 2 - 1 + 1)) / 2,
            "",
        ),
    ],
)
def test_identification(rows, gain, reason):
    panel = typed_panel("village cohort 2001 2002 2003 2004\n" + rows)
    if gain is None:
        with pytest.raises(NoGainsError, match=f"has a gain: 1 with {reason}"):
            estimate_gains(panel)
    else:
        village = estimate_gains(panel).to_frame().loc["E"]
        assert village["gain"] == pytest.approx(gain, rel=EXACT * 100)


def test_a_village_without_a_gain_has_the_reason_beside_those_that_have_one():
    rows = "E 2001 1 1 2 3\nF 2003 1 2 4 5" + COMPARISONS
    frame = estimate_gains(
        typed_panel("village cohort 2001 2002 2003 2004\n" + rows)
    ).to_frame()
    assert np.isnan(frame.loc["E", "gain"]) and np.isfinite(frame.loc["F", "gain"])
    assert frame.loc["E", "reason"] == NO_UNTREATED


def test_a_trend_of_its_own_needs_two_untreated_years():
    cells = random_cells(5, missing=0)
    cells.loc[(cells["village"] == "v000"), "cohort"] = 2002
    frame = estimate_gains(to_panel(cells), trends=True).to_frame()
    assert np.isnan(frame.loc["v000", "gain"])
    assert "a trend of its own needs two" in frame.loc["v000", "reason"]


def test_a_covariate_that_says_the_same_as_the_effects_changes_nothing():
    cells = random_cells(6).assign(x=lambda c: 3.0 * c["year"] - c["z"])
    np.testing.assert_allclose(
        fit(cells, covariates=("x",)).excess, fit(cells).excess, rtol=0, atol=DENSE * 20
    )


def test_a_covariate_that_moves_in_treated_cells_alone_is_not_identified():
    cells = random_cells(6, missing=0)
    here = (cells["village"].isin(["v000", "v001"])) & (cells["year"] >= 2006)
    cells.loc[cells["village"].isin(["v000", "v001"]), "cohort"] = 2006
    cells["x"] = np.where(here, 1.0, 0.0)
    gains = estimate_gains(to_panel(cells, covariates=("x",)), covariates=["x"]).to_frame()
    assert gains.loc[["v000", "v001"], "gain"].isna().all()
    assert (gains.loc[["v000", "v001"], "reason"] != "").all()
    others = gains.drop(["v000", "v001"])
    expected = estimate_gains(to_panel(cells)).to_frame()["gain"][others.index]
    np.testing.assert_allclose(others["gain"], expected, rtol=0, atol=DENSE * 20)
