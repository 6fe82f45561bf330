"""What stays of gains, and how much is subsidy: by hand, by brute force, and how often."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.data.panel import OutcomeScale
from evaluation.efficiency.fieller import fieller_set
from evaluation.efficiency.sustainability import measure_retention, measure_subsidy_share
from evaluation.errors import DesignError
from evaluation.gains.estimate import estimate_gains
from evaluation.gains.targets import effective_clusters
from tests.efficiency.ledgers import VILLAGES, typed_places
from tests.gains.dense import fit_dense
from tests.gains.panels import random_cells, to_panel
from tests.recovery.worlds import World, make_panel

EXACT = 1e-12  # the same arithmetic, in another order
DENSE = 1e-8  # pseudo-inverses of dummy matrices, whose rounding is divided by standard errors
INVARIANT = 1e-9  # least squares in other units and orders
COVERED = 0.07  # three sampling errors of a share of .95 in 80 panels
COVERED_40 = 0.1  # in 40

# -- retention -------------------------------------------------------------------------------


def test_retention_by_hand():
    # A 2 and then 4, B 10 and 10, C 6 in its first year: it is in neither.
    gains = estimate_gains(typed_places())
    found = measure_retention(gains, term=1)
    assert found.numerator == pytest.approx((4 + 10) / 2, rel=EXACT)
    assert found.denominator == pytest.approx((2 + 10) / 2, rel=EXACT)
    assert found.found.ratio == pytest.approx(7 / 6, rel=EXACT)
    assert (found.n_villages, found.left_out) == (2, 1)
    assert found.found.kind == "none" and "95% needs 6" in found.found.reason
    (row,) = found.to_frame().to_dict("records")
    assert (row["ratio"], row["kind"]) == (found.found.ratio, "none")
    assert "7 / 6 = 1.17 (none: 2 clusters" in found.summary()


def test_villages_are_seen_during_the_term_and_after():
    unseen = VILLAGES.replace("5    6    9    12", "5    6    -    12")
    found = measure_retention(estimate_gains(typed_places(unseen)), term=1)
    assert found.found.ratio == pytest.approx(10 / 10, rel=EXACT)  # B alone
    assert (found.n_villages, found.left_out) == (1, 2)


def averages(cells, term):
    """Give by brute force the averages after and during, and the clusters' parts in both."""
    dense = fit_dense(cells)
    known, excess = dense.cells, np.nan_to_num(dense.excess)
    since = (known["year"] - known["cohort"]).to_numpy()
    during = dense.has_gain & (since < term)
    after = dense.has_gain & (since >= term)
    both = [set(known["village"][some]) for some in (during, after)]
    inside = known["village"].isin(both[0] & both[1]).to_numpy()
    means, parts = [], []
    for some in (after & inside, during & inside):
        share = some / some.sum()
        mean = share @ excess
        errors = np.where(some, excess - mean, np.where(dense.own, excess, 0.0))
        shared = pd.Series((share @ dense.operator) * errors)
        means.append(mean)
        parts.append(shared.groupby(known["county"].to_numpy()).sum())
    return np.array(means), np.array(parts), len(both[0] & both[1])


def count_effective(gains, term):
    """Give as how many equal counties those of the two averages count."""
    since = gains.panel.years - gains.cells.cohort[:, None]
    codes = np.where(gains.cells.counted, np.where(since >= term, 0, 1), -1)
    both = (codes == 0).any(axis=1) & (codes == 1).any(axis=1)
    counties = pd.factorize(gains.panel.villages["county"])[0]
    kept = gains.cells.take(both)
    return effective_clusters(gains.fit, kept, codes[both], 2, counties).min()


def check_set(found, covariance, effective):
    expected = fieller_set(
        found.numerator, found.denominator, var_numerator=covariance[0, 0],
        var_denominator=covariance[1, 1], covariance=covariance[0, 1], freedom=effective - 1,
    )  # fmt: skip
    assert found.found.kind == expected.kind == "bounded"
    ends = [found.found.low, found.found.high]
    np.testing.assert_allclose(ends, [expected.low, expected.high], rtol=DENSE)


def test_the_set_is_that_of_the_joint_covariance():
    cells = random_cells(11, n=160, n_counties=40)
    gains = estimate_gains(to_panel(cells))
    found = measure_retention(gains, term=2)
    means, parts, n_villages = averages(cells, 2)
    np.testing.assert_allclose([found.numerator, found.denominator], means, rtol=DENSE)
    n = parts.shape[1]
    assert (found.n_clusters, found.n_villages) == (n, n_villages)
    assert count_effective(gains, 2) < n - 1
    check_set(found, parts @ parts.T * n / (n - 1), count_effective(gains, 2))


def test_few_clusters_are_left_out_one_by_one():
    cells = random_cells(12, n=90, n_years=8)
    cells["county"] = "c" + (cells["village"].str[1:].astype(int) % 9).astype(str)
    gains = estimate_gains(to_panel(cells))
    found = measure_retention(gains, term=2)
    counties = cells["county"].unique()
    left_out = [averages(cells[cells["county"] != county], 2)[0] for county in counties]
    around = np.array(left_out) - np.mean(left_out, axis=0)
    assert found.n_clusters == 9
    check_set(found, around.T @ around * 8 / 9, count_effective(gains, 2))


def fading(world, seed, *, kept, term):
    """Give a panel whose gains fall to a share after the term, and what the ratio then is."""
    panel, gains, _ = make_panel(world, np.random.default_rng(seed))
    since = panel.years - panel.cohort[:, None]
    true = np.where(since >= term, kept * gains, gains)
    outcome = panel.matrix() - np.nan_to_num(gains) + np.nan_to_num(true)
    ratio = np.nanmean(true[since >= term]) / np.nanmean(true[(since >= 0) & (since < term)])
    return replace(panel, matrices={"income": outcome}), ratio


@pytest.mark.parametrize(("kept", "gain"), [(0.5, 0.8), (0.0, 0.8), (0.5, 0.05)])
def test_the_share_that_stays_is_inside(kept, gain):
    world = World(treated=3, comparison=5, n_treated=4, gain=gain)
    kinds, covered = [], []
    for seed in range(80):
        panel, true = fading(world, seed, kept=kept, term=2)
        found = measure_retention(estimate_gains(panel), term=2).found
        kinds.append(found.kind)
        covered.append(true in found)
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERED)
    # Where there was hardly a gain to keep the data do not say how much of it stayed.
    bounded = np.mean([kind == "bounded" for kind in kinds])
    assert bounded > 0.9 if gain == 0.8 else bounded < 0.3


def test_few_treated_counties_among_many_count_as_few():
    world = World(treated_counties=4, treated=8, comparison=8, n_treated=4)
    panel, _ = fading(world, 1, kept=0.5, term=2)
    found = measure_retention(estimate_gains(panel), term=2)
    assert found.found.kind == "none" and found.n_clusters == 40
    assert found.found.reason == "40 clusters, which count as 4.9 equal ones; 95% needs 6"
    assert np.isfinite(found.found.ratio)


def test_units_and_order_of_retention_do_not_matter():
    cells = random_cells(11, n=160, n_counties=40)
    own = measure_retention(estimate_gains(to_panel(cells)), term=2)
    cells = cells.assign(y=cells["y"] * 1e4).sample(frac=1, random_state=1)
    other = measure_retention(estimate_gains(to_panel(cells)), term=2)
    assert other.denominator == pytest.approx(own.denominator * 1e4, rel=INVARIANT)
    for end in ("ratio", "low", "high"):
        expected = getattr(own.found, end)
        assert getattr(other.found, end) == pytest.approx(expected, rel=INVARIANT)


@pytest.mark.parametrize("term", [0, -1, 2.0, True, "2"])
def test_a_term_is_a_number_of_years(term):
    with pytest.raises(DesignError, match="give how many years a secretary stays"):
        measure_retention(estimate_gains(typed_places()), term=term)


def test_years_after_the_term_must_be_seen():
    with pytest.raises(DesignError, match="what stays of them is not seen yet"):
        measure_retention(estimate_gains(typed_places()), term=2)


# -- the share of subsidies ------------------------------------------------------------------

SUBSIDIES = """
    village cohort 2001 2002 2003 2004
    A       2003   0    1    3    4
    B       2003   2    2    5    5
    C       2004   1    1    1    5
    N       -      0    0    0    0
    M       -      3    3    3    3
    """


def with_subsidies(panel, subsidies):
    return replace(panel, matrices={**panel.matrices, "income_subsidy": subsidies})


def test_the_share_of_subsidies_by_hand():
    rows = [line.split()[2:] for line in SUBSIDIES.split("\n")[2:7]]
    panel = typed_places()
    keep = panel.villages.index != "E"
    panel = replace(
        panel, villages=panel.villages[keep], rows=panel.rows[keep],
        matrices={"y": panel.matrix()[keep]},
    )  # fmt: skip
    found = measure_subsidy_share(estimate_gains(with_subsidies(panel, np.array(rows, float))))
    # Gains in subsidies: A 2.5 and 3.5, B 3 and 3, C 4; in income 2, 4, 10, 10, 6.
    subsidies, income = 2.5 + 3.5 + 3 + 3 + 4, 2 + 4 + 10 + 10 + 6
    assert found.ratio == pytest.approx(subsidies / (subsidies + income), rel=EXACT)
    assert found.kind == "none" and "95% needs" in found.reason


def subsidised(world, seed, *, together=0.0):
    """Give a panel with subsidies that move with incomes or against, and the true share."""
    generator = np.random.default_rng(seed)
    panel, gains, _ = make_panel(world, generator)
    errors = panel.matrix() - np.nan_to_num(gains)
    errors = errors - errors.mean(axis=1, keepdims=True)
    own = generator.lognormal(7.5, 0.5, (panel.n_villages, 1)) * np.ones(len(panel.years))
    own = np.where(panel.treated_cells, own, 0.0)
    noise = 2_000 * generator.normal(size=own.shape)
    subsidy = 5_000 + together * errors + noise + own
    share = own.sum() / (own.sum() + np.nansum(gains))
    return with_subsidies(panel, subsidy), share


def refit(panel, matrix):
    return estimate_gains(replace(panel, matrices={"income": matrix})).att


@pytest.mark.parametrize("together", [0.4, -0.4])
def test_the_covariance_is_that_of_the_two_gains(together):
    panel, _ = subsidised(World(treated=3, comparison=5), 3, together=together)
    found = measure_subsidy_share(estimate_gains(panel))
    income, subsidy = panel.matrix(), panel.matrix("income_subsidy")
    point, whole = refit(panel, subsidy), refit(panel, income + subsidy)
    # Cov(S, D + S) from the variance of a difference, rather than of a sum.
    other = refit(panel, subsidy - (income + subsidy))
    covariance = (point["se"] ** 2 + whole["se"] ** 2 - other["se"] ** 2) / 2
    assert point["method"] == "clustered"
    expected = fieller_set(
        point["estimate"], whole["estimate"], var_numerator=point["se"] ** 2,
        var_denominator=whole["se"] ** 2, covariance=covariance, freedom=39,
    )  # fmt: skip
    # Forty counties of the same numbers of villages count as forty.
    np.testing.assert_allclose(
        [found.ratio, found.low, found.high],
        [expected.ratio, expected.low, expected.high],
        rtol=DENSE,
    )


@pytest.mark.parametrize(
    "world",
    [World(treated=3, comparison=5), World(treated_counties=4, treated=4, comparison=4)],
    ids=["40 counties", "4 of 40 counties"],
)
def test_the_true_share_of_subsidies_is_inside(world):
    covered = []
    for seed in range(40):
        panel, share = subsidised(world, seed, together=0.2)
        covered.append(share in measure_subsidy_share(estimate_gains(panel)))
    assert np.mean(covered) == pytest.approx(0.95, abs=COVERED_40)


def test_village_years_without_a_subsidy_or_an_income_are_in_neither():
    panel, _ = subsidised(World(treated=3, comparison=5), 4)
    income, subsidy = panel.matrix().copy(), panel.matrix("income_subsidy").copy()
    generator = np.random.default_rng(1)
    lost = generator.random(income.shape) < 0.05
    alone = generator.random(income.shape) < 0.05
    holes = replace(
        panel,
        matrices={
            "income": np.where(lost, np.nan, income),
            "income_subsidy": np.where(alone, np.nan, subsidy),
        },
    )
    both = replace(
        panel,
        matrices={
            "income": np.where(lost | alone, np.nan, income),
            "income_subsidy": np.where(lost | alone, np.nan, subsidy),
        },
    )
    found, expected = (measure_subsidy_share(estimate_gains(p)) for p in (holes, both))
    assert found == expected


def test_subsidies_need_levels_and_a_variable():
    panel = typed_places(analysis=OutcomeScale(form="log"))
    with pytest.raises(DesignError, match="needs gains in levels, not log of the number"):
        measure_subsidy_share(estimate_gains(panel))
    with pytest.raises(DesignError, match="no variable 'income_subsidy'"):
        measure_subsidy_share(estimate_gains(typed_places()))
