"""Counties' and towns' averages, judged by how comparison villages move there."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from evaluation.gains.estimate import estimate_gains
from evaluation.gains.places import PlaceShocks, drawn_interval, find_shocks, place_intervals
from evaluation.gains.targets import TreatedCells
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel

EXACT = 1e-12  # the same arithmetic, in another order
DENSE = 1e-8  # pseudo-inverses of dummy matrices, divided by standard errors
DRAWN = 0.01  # four sd of a share of .05 in 9,999 draws
NAN = np.nan


class Places:
    """The definition by loops over places, from dense least squares."""

    def __init__(self, cells, names, **options):
        dense = fit_dense(cells, **options)
        self.cells = dense.cells.assign(
            excess=dense.excess, own=dense.own, has_gain=dense.has_gain,
            place=[*dense.cells[names].itertuples(index=False, name=None)],
        )  # fmt: skip
        weights = options.get("weights")
        mean = cells.groupby("village")[weights].mean() if weights else None
        self.cells["weight"] = self.cells["village"].map(mean) if weights else 1.0
        self.years = np.sort(cells["year"].unique())
        self.never = self.cells[self.cells["cohort"].isna()]
        self.within = self.covariance()

    def covariance(self):
        """Give W: the covariance of villages around their place's mean, by pairs of years."""
        sums = np.zeros((len(self.years), len(self.years)))
        freedom = np.zeros_like(sums)
        for _, village in self.never.groupby("place"):
            wide = village.pivot(index="village", columns="year", values="excess")
            wide = wide.reindex(columns=self.years)
            around = (wide - wide.mean()).loc[:, wide.count() > 1].dropna(axis=1, how="all")
            for s, t in product(around, repeat=2):
                both = (around[s] * around[t]).dropna()
                at = np.searchsorted(self.years, (s, t))
                sums[*at] += both.sum()
                freedom[*at] += len(both) - 1
        return np.where(freedom > 0, sums / np.maximum(freedom, 1), 0)

    def contrast(self, treated, total):
        """Give d: how much of each year's outcome is in treated villages' share of an average.

        A gain is the outcome less the mean over the village's own untreated years.
        """
        d = pd.Series(0.0, index=self.years)
        for _, village in treated.groupby("village"):
            after, before = village[village["has_gain"]], village[village["own"]]
            for year in after["year"]:
                d[year] += after["weight"].iloc[0] / total
            for year in before["year"]:
                d[year] -= after["weight"].sum() / total / len(before)
        return d.to_numpy()

    def treated(self):
        some = self.cells[self.cells["has_gain"]]["village"]
        return self.cells[self.cells["village"].isin(some)]

    def placebos(self, d, treated, shared=1.0):
        """Give the sd of the place's error and every place's p_j over its own sd."""
        ratios, p, n = [], [], []
        for _, villages in self.never.groupby("place"):
            wide = villages.pivot(index="village", columns="year", values="excess")
            used = wide.reindex(columns=self.years).loc[:, d != 0]
            if (used.count() > 0).all():
                p.append((used.mean() * d[d != 0]).sum())
                n.append(used.count().mean())
        p, n, v = np.array(p), np.array(n), max(0.0, d @ self.within @ d)
        s2 = max(0.0, np.mean(p**2 - v / n))
        ratios = p / np.sqrt(s2 + v / n)
        weight = treated[treated["has_gain"]].groupby("village")["weight"].sum()
        share = ((weight / weight.sum()) ** 2).sum()
        j = len(p)
        return np.sqrt((s2 + v * share) * (j + shared) / (j - 1)), ratios


@pytest.mark.parametrize(
    ("by", "names", "options"),
    [
        ("county", ["county"], {}),
        ("county", ["county"], {"weights": "w", "comparison": "never_treated"}),
        ("county", ["county"], {"anticipation": 1}),
        ("town", ["county", "town"], {}),
    ],
    ids=str,
)
def test_equals_loops_over_places(by, names, options):
    cells = random_cells(1, n=160, n_years=6, n_counties=24, missing=0.05, county_shocks=1)
    frame = estimate_gains(to_panel(cells, covariates=["w"]), **options).by(by)
    brute, n_given = Places(cells, names, **options), 0
    for place, treated in brute.treated().groupby("place"):
        gains = treated[treated["has_gain"]]
        estimate = np.average(gains["excess"], weights=gains["weight"])
        row = frame.iloc[list(frame.index).index(place if by == "town" else place[0])]
        counts = (gains["village"].nunique(), len(gains))
        assert (row["n_villages"], row["n_cells"]) == counts
        assert row["estimate"] == pytest.approx(estimate, abs=DENSE)
        scale, ratios = brute.placebos(brute.contrast(treated, gains["weight"].sum()), treated)
        j = len(ratios)
        assert row["n_clusters"] == j
        if j < 19:
            assert np.isnan(row["se"]) and "95% needs 19" in row["reason"]
            continue
        sizes = sorted(abs(ratios))
        rank, part = divmod((j + 1) * 95 / 100, 1)
        half = sizes[int(rank) - 1] * scale
        if part:
            half += part * (sizes[int(rank)] - sizes[int(rank) - 1]) * scale
        below = sum(size * scale < abs(estimate) for size in sizes)
        if 0 < below < j:
            last, following = (size * scale for size in sizes[below - 1 : below + 1])
            below += (abs(estimate) - last) / (following - last)
        elif below == 0:
            below = abs(estimate) / (sizes[0] * scale)
        p_value = 1 - below / (1 + j)
        numbers = row[["se", "conf_low", "conf_high", "p_value"]].to_numpy(float)
        expected = [scale, estimate - half, estimate + half, p_value]
        np.testing.assert_allclose(numbers, expected, rtol=0, atol=DENSE * 20)
        assert (row["method"], row["reason"]) == (f"{by} placebos", "")
        n_given += 1
    assert n_given > 10


def one_place(n_villages):
    """Give a treated place of villages that count alike, with a gain in the second year."""
    inside = np.tile([False, True], (n_villages, 1))
    return TreatedCells(
        rows=np.arange(n_villages), counted=inside, gains=inside * 1.0, weights=inside * 1.0,
        cohort=np.full(n_villages, 2002.0),
    )  # fmt: skip


def ladder(n, *, variance=0.0, n_comparison=4.0, n_villages=1, estimate=0.0, alpha=0.05):
    """Judge a place by n others that moved by 1 to n, their villages by sd around them."""
    shocks = PlaceShocks(
        means=np.array([[0.0, j] for j in range(1, n + 1)]),
        counts=np.full((n, 2), n_comparison),
        within=np.diag([variance / 2, variance / 2]),
    )
    (found,) = place_intervals(
        one_place(n_villages), np.zeros(n_villages, dtype=np.intp), np.array([estimate]),
        np.array([[-1.0], [1.0]]), shocks, alpha=alpha, level="county",
    )  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("variance", "n_villages", "scale"),
    # The mean of j^2 for 1 to 19 is 130 = s2 + v/4, the sd of each placebo the root of that.
    [
        (0, 1, np.sqrt(130 / 130)),
        (40, 1, np.sqrt((130 - 10 + 40) / 130)),
        (40, 2, np.sqrt((130 - 10 + 40 / 2) / 130)),
        # v/4 = 200 is more than 130: nothing is left for shocks.
        (800, 1, np.sqrt((0 + 800) / 200)),
    ],
)
def test_half_width_by_hand(variance, n_villages, scale):
    found = ladder(19, variance=variance, n_villages=n_villages, estimate=3.0)
    half = 19 * scale * np.sqrt((19 + 1) / (19 - 1))
    assert (found.conf_low, found.conf_high) == pytest.approx((3 - half, 3 + half), rel=EXACT)
    narrower = ladder(19, variance=variance, n_villages=n_villages, alpha=0.1)
    assert narrower.conf_high == pytest.approx(half * 18 / 19, rel=EXACT)
    assert (found.n_clusters, found.method) == (19, "county placebos")


@pytest.mark.parametrize(
    ("at", "larger"), [(0, 19), (9.5, 9.5), (-9.5, 9.5), (18.5, 0.5), (19.5, 0)]
)
def test_p_value_by_hand(at, larger):
    found = ladder(19, estimate=at * np.sqrt(20 / 18))
    assert found.p_value == pytest.approx((1 + larger) / 20, rel=EXACT)


@pytest.mark.parametrize(
    ("n", "alpha", "told"),
    [
        (18, 0.05, "comparison villages of 18 counties known in its years; 95% needs 19"),
        (8, 0.1, "comparison villages of 8 counties known in its years; 90% needs 9"),
    ],
)
def test_one_place_too_few_gives_no_interval(n, alpha, told):
    found = ladder(n, alpha=alpha)
    assert (found.reason, found.n_clusters) == (told, n)
    assert np.isnan([found.se, found.conf_low, found.conf_high, found.p_value]).all()
    assert ladder(n + 1, alpha=alpha).reason == ""
    assert ladder(n + 1, estimate=NAN).reason == "no gain to average"


def test_shocks_by_hand():
    excess = np.array([[1, 2], [2, 4], [3, 9], [5, NAN], [7, 6], [4, NAN]])
    shocks = find_shocks(excess, np.isfinite(excess), np.array([0, 0, 0, 1, 1, 2]))
    np.testing.assert_array_equal(shocks.means, [[2, 5], [6, 6], [4, NAN]])
    np.testing.assert_array_equal(shocks.counts, [[3, 3], [2, 1], [1, 0]])
    # Around their means: (-1, 0, 1) and (-3, -1, 4); (-1, 1) in the first year alone. Two
    # places' means are lost of five villages in the first year, else one of three.
    expected = [[(2 + 2) / (5 - 2), 7 / 2], [7 / 2, 26 / 2]]
    np.testing.assert_allclose(shocks.within, expected, rtol=EXACT)


def treated_counties(n_treated, n_others, seed=2):
    """Give counties of four villages, all treated in 2004 in the first few, else none."""
    cells = random_cells(
        seed, n=4 * (n_treated + n_others), n_years=6, missing=0.03, county_shocks=1
    )
    number = cells["village"].str[1:].astype(int) // 4
    cells["county"] = [f"c{c:02}" for c in number]
    return cells.assign(cohort=np.where(number < n_treated, 2004.0, NAN))


@pytest.mark.parametrize("n_treated", [1, 2])
def test_few_treated_counties_are_judged_by_sums_of_others_placebos(n_treated):
    cells = treated_counties(n_treated, 34)
    att = estimate_gains(to_panel(cells)).att
    brute = Places(cells, ["county"])
    treated = brute.treated()
    total = treated["has_gain"].sum()
    parts = [part for _, part in treated.groupby("place")]
    d = np.array([brute.contrast(part, total) for part in parts])
    shared = (d.sum(axis=0) ** 2).sum() / (d**2).sum()
    placebos = [brute.placebos(*of, shared) for of in zip(d, parts, strict=True)]
    assert att["se"] == pytest.approx(np.sqrt(sum(s**2 for s, _ in placebos)), rel=DENSE)
    # Every way to draw one of the 34 others for each treated county.
    ways = product(*(scale * ratios for scale, ratios in placebos))
    errors = np.abs([sum(way) for way in ways])
    half = att["conf_high"] - att["estimate"]
    assert att["estimate"] - att["conf_low"] == pytest.approx(half, rel=EXACT)
    assert (errors < half * (1 - DENSE)).mean() <= 0.95 + DRAWN
    assert (errors <= half * (1 + DENSE)).mean() >= 0.95 - DRAWN
    beyond = (errors >= abs(att["estimate"])).mean()
    assert att["p_value"] == pytest.approx(beyond, abs=DRAWN)
    assert (att["n_clusters"], att["method"], att["reason"]) == (34, "county placebos", "")


def test_few_treated_counties_among_few_others_have_no_interval():
    gains = estimate_gains(to_panel(treated_counties(2, 29)))
    assert "31 clusters, which count as" in gains.att["reason"] and np.isnan(gains.att["se"])
    never = np.flatnonzero(~gains.panel.is_treated)
    county = pd.factorize(gains.panel.villages["county"])[0]
    excess, own = gains.fit.excess[never], gains.fit.design.own[never]
    found = drawn_interval(
        gains.fit, gains.cells, gains.cells.counted, 1.0, county,
        find_shocks(excess, own, county[never]), alpha=0.05, level="county",
    )  # fmt: skip
    told = "comparison villages of 29 counties known in its years; 95% needs 30"
    assert (found.reason, found.n_clusters) == (told, 29)


@pytest.fixture(scope="module")
def by_town():
    return estimate_gains(to_panel(random_cells(1, n=60, n_counties=2)), cluster="village")


def test_towns_are_told_apart_by_their_county(by_town):
    frame = by_town.by("town")
    assert list(frame.index) == [(c, t) for c in ("c0", "c1") for t in ("t0", "t1", "t2")]


def test_a_town_is_found_by_its_county_and_name(by_town):
    frame = by_town.by("town")
    assert frame.index.names == ["county", "town"]
    assert frame.loc[("c1", "t2"), "n_villages"] > 0


def test_with_year_effects_of_their_own_counties_are_clustered_within():
    cells = random_cells(3, n=160, n_counties=2)
    for by, level in (("county", "town"), ("county", "village")):
        known = cells if level == "town" else cells.assign(town="")
        frame = estimate_gains(to_panel(known), year_effects="county").by(by)
        clusters = 3 if level == "town" else 70
        assert (frame["n_clusters"] >= clusters).all()
        assert not frame["method"].str.contains("placebos").any()
