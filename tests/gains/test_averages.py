"""Averages of gains: their clustered variance against every weight written out."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from evaluation.gains.averages import average_gains, average_points
from evaluation.gains.clusters import ENOUGH_CLUSTERS, fewest_clusters, wild_interval
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.targets import effective_clusters
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel, typed_panel

EXACT = 1e-12  # the same arithmetic, in another order
DENSE = 1e-8  # pseudo-inverses of dummy matrices, whose rounding is divided by standard errors
NUMBERS = ["estimate", "se", "conf_low", "conf_high", "p_value", "n_villages", "n_cells"]

OPTIONS = [
    {},
    {"weights": "w"},
    {"covariates": ("x", "z")},
    {"comparison": "never_treated"},
    {"year_effects": "county"},
    {"anticipation": 1},
    {"trends": True},
    {"covariates": ("x",), "weights": "w", "comparison": "never_treated", "anticipation": 1},
    {"covariates": ("z",), "weights": "w", "year_effects": "county"},
]


def unit_of(village):
    """Name the unit that sends its secretary: 16 small ones, and two large ones after them."""
    number = int(village[1:])
    return f"unit {number % 16 if number < 32 else 16 + number % 2:02}"


LABELS = {  # what a treated cell belongs to
    "programme": lambda cells: np.full(len(cells), "all"),
    "cohort": lambda cells: cells["cohort"].astype(int),
    "year": lambda cells: cells["year"],
    "event_time": lambda cells: (cells["year"] - cells["cohort"]).astype(int),
    "unit": lambda cells: cells["village"].map(unit_of),
}


def ask(gains, by):
    names = gains.panel.villages.index.to_series()
    return gains.by(names.map(unit_of) if by == "unit" else by)


class Weights:
    """The estimator by brute force: every known cell's weight in an average, and its error."""

    def __init__(self, cells, options):
        names = options.get("covariates", ())
        kinds = {"varying": tuple({"x"} & {*names}), "fixed": tuple({"z"} & {*names})}
        rest = {name: value for name, value in options.items() if name != "covariates"}
        self.dense = fit_dense(cells, **rest | kinds)
        self.cells = known = self.dense.cells
        means = cells.groupby("village")[options.get("weights", "w")].mean()
        self.weight = known["village"].map(means if "weights" in options else means * 0 + 1)
        never = known["cohort"].isna() | (options.get("comparison") != "never_treated")
        self.fitted = self.dense.own & never
        self.group = known["county"] if "year_effects" in options else known["village"] * 0

    def averages(self, by):
        """Give each average's name, its treated cells, and all cells' shares of it."""
        gains = self.dense.gains
        for name, inside in gains.groupby(np.asarray(LABELS[by](gains))):
            share = self.weight.where(self.cells.index.isin(inside.index), 0)
            yield name, inside, share / share.sum()

    def parts(self, inside, share, clusters, *, nested):
        """Sum v_it e_it by cluster.

        In untreated cells e are the residuals, in treated ones gains less their mean by cohort
        and year, each counting by its squared share; or less the average, if not nested.
        """
        v, errors = share @ self.dense.operator, np.nan_to_num(self.dense.excess)
        gain, squares = inside["gain"], share[inside.index] ** 2
        centre = (share[inside.index] * gain).sum()
        if nested:
            kind = [inside["cohort"], inside["year"]]
            sums = (squares * gain).groupby(kind).transform("sum")
            centre = sums / squares.groupby(kind).transform("sum")
        errors[inside.index] = gain - centre
        return pd.Series(v * errors).groupby(clusters).sum()

    def effective(self, share, clusters):
        """Give (sum k)^2 / sum k^2, k_c = w_c^2 + u_c^2."""
        kind = [self.group, self.cells["year"]]
        untreated = self.weight.where(self.fitted, 0)
        totals = untreated.groupby(kind).transform("sum")
        in_year = share.groupby(kind).transform("sum") * untreated / totals.where(totals > 0, 1)
        k = share.groupby(clusters).sum() ** 2 + in_year.groupby(clusters).sum() ** 2
        return k.sum() ** 2 / (k**2).sum()

    def clusters(self, level):
        names = ["county", "town"] if level == "town" else [level]
        return self.cells[names].agg(" ".join, axis=1).to_numpy()

    def clustered(self, inside, share, clusters, *, nested):
        """Give the row of numbers that an average has with 30 clusters or more."""
        parts = self.parts(inside, share, clusters, nested=nested)
        parts = parts[parts.abs() > EXACT * parts.abs().max()]
        n, estimate = len(parts), (share[inside.index] * inside["gain"]).sum()
        se = np.sqrt(n / (n - 1) * (parts**2).sum())
        student = stats.t(min(n, self.effective(share, clusters)) - 1)
        half, p_value = student.ppf(0.975) * se, 2 * student.sf(abs(estimate) / se)
        numbers = [estimate, se, estimate - half, estimate + half, p_value]
        return [*numbers, inside["village"].nunique(), len(inside)]


def compare(gains, weights, by, level):
    """Hold all averages' rows against brute force; say how many had a clustered interval."""
    frame, n_clustered, names = ask(gains, by), 0, []
    clusters = weights.clusters(level)
    for name, inside, share in weights.averages(by):
        row, effective = frame.loc[name], weights.effective(share, clusters)
        names.append(name)
        if effective < fewest_clusters(0.05):
            words = f"clusters, which count as {effective:.1f} equal ones; 95% needs 6"
            assert words in row["reason"] and row[NUMBERS[1:5]].isna().all()
        elif row["n_clusters"] >= ENOUGH_CLUSTERS:
            expected = weights.clustered(inside, share, clusters, nested=by != "unit")
            np.testing.assert_allclose(row[NUMBERS].to_numpy(float), expected, rtol=DENSE)
            assert (row["method"], row["reason"]) == ("clustered", "")
            n_clustered += 1
    assert names == list(frame.index)
    return n_clustered


@pytest.fixture(scope="module", params=OPTIONS, ids=str)
def case(request):
    cells = random_cells(2, n=100, n_counties=3)
    panel = to_panel(cells, covariates=["x", "z", "w"])
    gains = estimate_gains(panel, cluster="village", **request.param)
    return gains, Weights(cells, request.param)


@pytest.mark.parametrize("by", LABELS)
def test_clustered_variance_is_that_of_the_weights(case, by):
    assert compare(*case, by, "village") > 0


@pytest.fixture(scope="module")
def forty_counties():
    cells = random_cells(3, n=160, n_counties=40)
    return to_panel(cells), Weights(cells, {})


@pytest.mark.parametrize(
    ("cluster", "level"),
    [(None, "county"), ("county", "county"), ("town", "town"), ("village", "village")],
)
def test_clusters_are_the_level_asked_for_and_by_default_the_county(
    forty_counties, cluster, level
):
    panel, weights = forty_counties
    gains = estimate_gains(panel, cluster=cluster)
    assert compare(gains, weights, "programme", level) == 1
    assert compare(gains, weights, "year", level) > 0


@pytest.mark.parametrize(
    ("options", "level", "n_counties"),
    [
        ({}, "county", 9),
        ({"comparison": "never_treated", "anticipation": 1}, "county", 9),
        ({"covariates": ("x", "z"), "weights": "w"}, "county", 9),
        ({"year_effects": "county"}, "town", 4),
    ],
    ids=str,
)
def test_few_clusters_are_left_out_one_by_one(options, level, n_counties):
    cells = random_cells(4, n=60, n_years=6)
    cells["county"] = "c" + (cells["village"].str[1:].astype(int) % n_counties).astype(str)
    panel = to_panel(cells, covariates=["x", "z", "w"])
    gains = estimate_gains(panel, cluster=level, **options)
    whole = Weights(cells, options)
    clusters = pd.Series(whole.clusters(level), index=whole.cells["village"])
    of_village = cells["village"].map(clusters[~clusters.index.duplicated()])
    rest = [Weights(cells[of_village != name], options) for name in sorted(set(clusters))]
    for by in ("programme", "event_time"):
        frame, n_wild = ask(gains, by), 0
        without = [{name: of for name, *of in part.averages(by)} for part in rest]
        for name, inside, share in whole.averages(by):
            if whole.effective(share, clusters.to_numpy()) < fewest_clusters(0.05):
                continue
            estimate = (share[inside.index] * inside["gain"]).sum()
            left_out = [
                (share[inside.index] * inside["gain"]).sum()
                for inside, share in (part[name] for part in without)
            ]
            expected = wild_interval(estimate, np.array(left_out), alpha=0.05)
            row = frame.loc[name]
            for field in ("se", "conf_low", "conf_high", "p_value"):
                assert row[field] == pytest.approx(getattr(expected, field), rel=DENSE)
            assert (row["method"], row["n_clusters"]) == ("wild bootstrap", len(rest))
            n_wild += 1
        assert n_wild > 0


@pytest.mark.parametrize(("alpha", "needed"), [(0.05, 6), (0.1, 5), (0.2, 4)])
def test_too_few_clusters_leave_an_estimate_with_its_reason(alpha, needed):
    att = estimate_gains(to_panel(random_cells(1, n_counties=5)), alpha=alpha).att
    assert np.isfinite(att["estimate"]) and att["n_cells"] > 0
    if needed > 4:  # five counties that are not of one size
        told = f"5 clusters, which count as 4.6 equal ones; {1 - alpha:.0%} needs {needed}"
        assert att["reason"] == told and att[["se", "conf_low", "p_value"]].isna().all()
    else:
        assert att["reason"] == "" and np.isfinite(att["conf_low"])


def test_a_cluster_that_alone_knows_a_year_cannot_be_left_out():
    # Twelve counties of a treated and a never treated village; only one of the latter is known
    # in 2012, when all twelve treated ones have a gain.
    cells = random_cells(5, n=24, n_years=12, missing=0)
    number = cells["village"].str[1:].astype(int)
    cells["county"] = "c" + (number // 2).astype(str)
    cells["cohort"] = np.where(number % 2 == 0, 2003.0, np.nan)
    cells.loc[(number % 2 == 1) & (number > 1) & (cells["year"] == 2012), "y"] = np.nan
    gains = estimate_gains(to_panel(cells))
    assert gains.att["reason"] == "without one of the clusters the average is not identified"
    assert np.isfinite(gains.att["estimate"]) and gains.att["n_clusters"] == 12
    until_2011 = estimate_gains(to_panel(cells[cells["year"] < 2012])).att
    assert until_2011["method"] == "wild bootstrap"


def of_equal_counties(n_counties, n_treated):
    """Give each of the first counties two treated villages, each of the others two never so."""
    names = [f"c{c}-{v}" for c in range(n_counties) for v in range(2)]
    cohort = ["2002" if i < 2 * n_treated else "-" for i in range(len(names))]
    rows = [f"{name} {first} 1 2" for name, first in zip(names, cohort, strict=True)]
    panel = typed_panel("\n".join(["village cohort 2001 2002", *rows]))
    panel.villages["county"] = [name.split("-")[0] for name in names]
    return estimate_gains(panel)


@pytest.mark.parametrize(
    ("n_counties", "n_treated", "expected"),
    [
        # k = 1/16 four times and 1/36^2 36 times: (1/4 + 1/36)^2 / (1/64 + 1/36^3)
        (40, 4, (1 / 4 + 1 / 36) ** 2 / (1 / 64 + 1 / 36**3)),
        # one treated county among many is one; as many of both are all
        (400, 1, (1 + 1 / 399) ** 2 / (1 + 1 / 399**3)),
        (40, 20, 40),
    ],
)
def test_effective_clusters_by_hand(n_counties, n_treated, expected):
    gains = of_equal_counties(n_counties, n_treated)
    clusters = pd.factorize(gains.panel.villages["county"])[0]
    codes = np.where(gains.cells.counted, 0, -1)
    found = effective_clusters(gains.fit, gains.cells, codes, 1, clusters)
    assert found[0] == pytest.approx(expected, rel=EXACT * 10)


COUNTED = """
    village cohort 2001 2002 2003 2004
    A       2003   1    2    -    4
    B       2003   1    3    5    4
    C       2004   2    2    3    8
    E       2001   7    7    8    9
    D       -      3    1    4    1
    F       -      5    9    2    6
    """


@pytest.mark.parametrize(
    ("by", "n_villages", "n_cells"),
    [
        # A has a gain in 2004, B in 2003 and 2004, C in 2004, E in none.
        ("programme", {"all": 3}, {"all": 1 + 2 + 1}),
        ("cohort", {2003: 2, 2004: 1}, {2003: 1 + 2, 2004: 1}),
        ("year", {2003: 1, 2004: 3}, {2003: 1, 2004: 3}),
        ("event_time", {0: 2, 1: 2}, {0: 2, 1: 2}),
        (pd.Series({"A": "u", "C": "u", "D": "w", "E": "w"}), {"u": 2}, {"u": 2}),
        (pd.Series({"B": 2, "A": 1, "C": 2}), {1: 1, 2: 2}, {1: 1, 2: 2 + 1}),
    ],
    ids=str,
)
def test_rows_count_their_villages_and_cells(by, n_villages, n_cells):
    frame = estimate_gains(typed_panel(COUNTED)).by(by)
    assert frame["n_villages"].to_dict() == n_villages
    assert frame["n_cells"].to_dict() == n_cells


def test_an_average_over_nothing_is_no_number():
    gains = estimate_gains(typed_panel(COUNTED))
    codes = np.where(gains.cells.counted, 1, -1)
    frame = average_gains(
        gains.fit, gains.cells, codes, ["none", "all"], clusters=np.arange(6), nested=True,
        alpha=0.05,
    )  # fmt: skip
    none, all_ = frame.to_dict("records")
    assert np.isnan(none["estimate"]) and none["reason"] == "no gain to average"
    assert (none["n_villages"], none["n_cells"]) == (0, 0)
    assert all_["estimate"] == pytest.approx(gains.att["estimate"], rel=EXACT)
    assert np.isnan(average_points(gains.cells, codes, 2)[0])
