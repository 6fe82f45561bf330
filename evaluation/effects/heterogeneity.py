"""Gains by group, their differences, and what is left of them where many are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from evaluation.effects.clustered import adjust_holm, joint_test, regress_clustered
from evaluation.effects.regressors import group_villages
from evaluation.errors import DesignError
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import say

_DIFFERENCE = {
    "estimate": "difference", "se": "difference_se", "conf_low": "difference_low",
    "conf_high": "difference_high", "p_value": "p_value", "reason": "difference_reason",
}  # fmt: skip


def compare_groups(
    gains: IncomeGains, labels: pd.Series[Any], *, seed: int = 0
) -> pd.DataFrame:
    """Compare the mean gains of groups of villages, each with the rest.

    Parameters
    ----------
    labels
        A word for each village, "" or missing for those of no group: dispatching units, types
        of project. Groups with fewer than five villages are taken together as "other".
    seed
        Of the signs.

    Returns
    -------
    DataFrame indexed by group: the columns of `IncomeGains.by`; difference (to the mean of all
    other villages with a label), difference_se, difference_low, difference_high, p_value,
    difference_reason; p_holm and p_romano_wolf, with the rate of any false rejection over the
    groups held. ``attrs``: joint_p, of no difference between groups, or joint_reason;
    n_left_out, villages with a gain and no label.

    Raises
    ------
    DesignError
        With fewer than two groups.

    Notes
    -----
    Villages count as in `IncomeGains.by`, by their treated years and weights. p_holm is Holm's;
    p_romano_wolf and joint_p take in how groups hang together, by `joint_test`: its bootstrap
    imposes the null, as groups of a few villages need, for which flipping the signs of the
    clusters' parts in errors rejects far too often. p_value comes from the difference's own
    interval, so that in small samples they may disagree. Of many groups the largest is likely
    to be so by chance: shrink before ranking (`IncomeGains.shrink`, `rank_places`).

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> from evaluation.gains.estimate import estimate_gains
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> gains = estimate_gains(panel, year_effects="county")
    >>> found = compare_groups(gains, panel.villages["dispatch_level"])
    >>> found[["estimate", "difference"]].round(-2).to_dict("index")["省派"]
    {'estimate': 55100.0, 'difference': 1300.0}
    """
    rows = gains.cells.rows
    named = gains.panel.villages.index[rows]
    groups = group_villages(labels.reindex(named), named)
    groups.name = labels.name
    known = groups.notna().to_numpy()
    names = sorted(groups[known].unique())
    if len(names) < 2:
        raise DesignError(
            say("fewer than two groups of five villages with a gain: nothing to compare.")
        )
    frame = gains.by(groups)
    counted = gains.cells.counted[known]
    weights = gains.cells.weights[known].sum(axis=1)
    gain = gains.cells.gains[known].sum(axis=1) / counted.sum(axis=1)
    codes, alpha = place_codes(gains.panel, gains.cluster)[rows][known], gains.options.alpha
    member = (groups[known].to_numpy()[:, None] == np.array(names, dtype=object)).astype(float)
    differences = []
    for own in member.T:
        x = np.column_stack([np.ones(len(gain)), own])
        found = regress_clustered(x, gain, clusters=codes, weights=weights, alpha=alpha)
        differences.append(found.iloc[1])
    differ = pd.DataFrame(differences).set_axis(names)[list(_DIFFERENCE)]
    frame = frame.drop(columns="p_value").join(differ.rename(columns=_DIFFERENCE))
    test = joint_test(
        member, _against_rest(weights @ member), gain, null=np.ones((len(gain), 1)),
        clusters=codes, weights=weights, alpha=alpha, seed=seed,
    )  # fmt: skip
    joint, why = test.p_value, test.reason
    frame["p_holm"], frame["p_romano_wolf"] = adjust_holm(frame["p_value"]), test.adjusted
    if len(names) == 2:  # the one difference is the other's negative
        frame["p_holm"] = frame["p_romano_wolf"] = frame["p_value"]
        joint, why = float(frame["p_value"].iloc[0]), str(frame["difference_reason"].iloc[0])
    frame.attrs = {
        "joint_p": joint, "joint_reason": why, "n_left_out": int((~known).sum()),
    }  # fmt: skip
    return frame


def _against_rest(totals: Floats) -> Floats:
    """Give each group's difference to the mean of the others as a combination of all means."""
    rest = np.broadcast_to(totals, (len(totals), len(totals))).copy()
    np.fill_diagonal(rest, 0)
    return np.asarray(np.eye(len(totals)) - rest / rest.sum(axis=1, keepdims=True))
