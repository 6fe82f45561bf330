"""Selected villages: by hand, wrong at the rate promised, and beside the naive list."""

import numpy as np
import pandas as pd
import pytest

from evaluation.errors import DesignError
from evaluation.gains.selection import select_top

VILLAGES = 100_000
SAMPLED = 0.015  # three sd of a share among the some 4,000 villages selected, and of the top's
EXACT = 1e-9  # the root is found to 1e-12, sums differ in their rounding


def posteriors(reliability, seed=0):
    """Give true gains of variance 1, measured with normal errors, and their posteriors."""
    generator = np.random.default_rng(seed)
    truth = generator.standard_normal(VILLAGES)
    noise = np.sqrt(1 / reliability - 1)
    measured = truth + noise * generator.standard_normal(VILLAGES)
    sd = np.full(VILLAGES, np.sqrt(1 - reliability))
    return truth, pd.Series(reliability * measured), pd.Series(sd)


def share_wrong(truth, selected, share):
    return (truth[selected] <= np.quantile(truth, 1 - share)).mean()


def test_three_villages_by_hand():
    mean = pd.Series({"x": 5.0, "y": 0.0, "z": -5.0})
    chosen = select_top(mean, pd.Series(1.0, index=mean.index), share=0.5, fdr=0.3)
    # By symmetry c = 0: x is above for certain, y with a half; mean of (0, .5) is .25 <= .3.
    assert chosen.threshold == pytest.approx(0, abs=EXACT)
    assert chosen.tail_probability["y"] == pytest.approx(0.5, abs=EXACT)
    assert chosen.selected.to_dict() == {"x": True, "y": True, "z": False}
    assert chosen.expected_fdr == pytest.approx(0.25, abs=1e-6)  # x: P(N > -5) = 1 - 3e-7
    # Variance of the means 50/3, posterior variance 1.
    assert chosen.reliability == pytest.approx(50 / 53, rel=EXACT)


@pytest.mark.parametrize("reliability", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("fdr", [0.1, 0.3])
def test_the_share_of_wrong_ones_is_held(reliability, fdr):
    truth, mean, sd = posteriors(reliability)
    chosen = select_top(mean, sd, share=0.1, fdr=fdr)
    n = chosen.n_selected
    slack = 3 * np.sqrt(fdr * (1 - fdr) / max(n, 1)) + SAMPLED
    assert n > 0 and chosen.expected_fdr <= fdr
    assert abs(share_wrong(truth, chosen.selected.to_numpy(), 0.1) - fdr) <= slack
    assert chosen.threshold == pytest.approx(1.2816, abs=SAMPLED)  # the normal's .9 quantile
    assert chosen.reliability == pytest.approx(reliability, abs=SAMPLED)


def test_the_rate_is_held_where_villages_are_measured_unequally_well():
    generator = np.random.default_rng(1)
    reliability = generator.uniform(0.2, 0.98, VILLAGES)
    truth = generator.standard_normal(VILLAGES)
    measured = truth + np.sqrt(1 / reliability - 1) * generator.standard_normal(VILLAGES)
    sd = pd.Series(np.sqrt(1 - reliability))
    chosen = select_top(pd.Series(reliability * measured), sd, share=0.1, fdr=0.2)
    wrong = share_wrong(truth, chosen.selected.to_numpy(), 0.1)
    assert wrong == pytest.approx(0.2, abs=SAMPLED)


def test_half_of_a_naive_list_is_wrong():
    truth, mean, _ = posteriors(0.5)
    naive = (mean >= mean.quantile(0.9)).to_numpy()
    assert share_wrong(truth, naive, 0.1) == pytest.approx(0.53, abs=SAMPLED)


def test_a_lower_rate_selects_a_part_of_the_same_villages():
    _, mean, sd = posteriors(0.8)
    few, many = (select_top(mean, sd, share=0.1, fdr=fdr).selected for fdr in (0.1, 0.3))
    assert few.sum() < many.sum() and (many | ~few).all()


def test_order_unit_and_origin_make_no_difference():
    _, mean, sd = posteriors(0.8)
    mean, sd = mean.iloc[:500], sd.iloc[:500]
    usual = select_top(mean, sd, share=0.1, fdr=0.25)
    assert 0 < usual.n_selected < 50
    money = select_top(1e4 * mean + 7, 1e4 * sd, share=0.1, fdr=0.25)
    pd.testing.assert_frame_equal(money.to_frame(), usual.to_frame(), rtol=EXACT)
    assert money.threshold == pytest.approx(1e4 * usual.threshold + 7, rel=EXACT)
    order = np.random.default_rng(2).permutation(500)
    other = select_top(mean.iloc[order], sd.iloc[order], share=0.1, fdr=0.25)
    pd.testing.assert_frame_equal(other.to_frame().sort_index(), usual.to_frame(), rtol=EXACT)


def test_villages_without_a_posterior_are_never_selected():
    mean = pd.Series({"a": 9.0, "b": np.nan, "c": 0.0, "d": 99.0, "e": 0.0})
    sd = pd.Series({"a": 0.1, "b": 1.0, "c": 0.1, "d": np.nan, "e": 0.1})
    chosen = select_top(mean, sd, share=0.4, fdr=0.1)
    assert chosen.selected.to_dict() == {
        "a": True,
        "b": False,
        "c": False,
        "d": False,
        "e": False,
    }
    assert chosen.tail_probability.isna().to_list() == [False, True, False, True, False]
    assert chosen.summary().startswith("1 of 3 villages are selected")


def test_equal_villages_are_selected_together_or_not_at_all():
    same = pd.Series(np.zeros(4))
    chosen = select_top(same, same, share=0.1, fdr=0.2)
    assert chosen.n_selected == 0
    assert np.isnan(chosen.expected_fdr) and np.isnan(chosen.reliability)
    # c leaves each with a chance of .5, so the first alone would pass no rate below it.
    assert select_top(same, same + 1, share=0.5, fdr=0.6).n_selected == 4


def test_the_summary_warns_of_single_ranks():
    _, mean, sd = posteriors(0.5)
    told = select_top(mean, sd, share=0.1, fdr=0.2).summary()
    assert "With a reliability of 0.50, ranks of single villages are uninformative." in told
    _, mean, sd = posteriors(0.98)
    assert "uninformative" not in select_top(mean, sd, share=0.1, fdr=0.2).summary()


@pytest.mark.parametrize(
    ("mean", "sd", "options", "words"),
    [
        ([1.0], [1.0], {"share": 10}, "share is 10"),
        ([1.0], [1.0], {"fdr": 0}, "fdr is 0"),
        ([np.nan], [1.0], {}, "no village has a posterior"),
        ([1.0, 2.0], [1.0], {}, "differ in their index"),
    ],
)
def test_what_cannot_be_selected_is_an_error(mean, sd, options, words):
    with pytest.raises(DesignError, match=words):
        select_top(pd.Series(mean), pd.Series(sd), **({"share": 0.1, "fdr": 0.1} | options))
