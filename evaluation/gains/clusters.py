"""Standard errors and intervals of averages from what each cluster adds to them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy import stats

from evaluation.language import mark, say

Floats = npt.NDArray[np.float64]

ENOUGH_CLUSTERS = 30
"""From so many on, the clustered variance is relied on; below, the wild bootstrap."""

_DRAWS = 9_999
_MOST_ENUMERATED = 13  # clusters: all 2^13 vectors of signs instead of draws
ROUNDING = 1e-12
"""Of the largest part: clusters whose parts are smaller have none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A standard error and an interval; NaN with the reason where there is none."""

    se: float = np.nan
    conf_low: float = np.nan
    conf_high: float = np.nan
    p_value: float = np.nan
    n_clusters: int = 0
    method: str = ""
    reason: str = ""


def fewest_clusters(alpha: float) -> int:
    """Give how many clusters an interval needs: as many as their signs can be flipped for.

    Examples
    --------
    >>> fewest_clusters(0.05), fewest_clusters(0.1)
    (6, 5)
    """
    return 1 + int(np.ceil(round(-np.log2(alpha), 9)))


def too_few(n: int, effective: float, alpha: float) -> str:
    """Say that clusters are too few for an interval, and as how many equal ones they count."""
    return say(
        "{n} clusters, which count as {effective:.1f} equal ones; {level:.0%} needs {needed}",
        n=n, effective=effective, level=1 - alpha, needed=fewest_clusters(alpha),
    )  # fmt: skip


def takes_part(parts: Floats) -> npt.NDArray[np.bool_]:
    """Whether each cluster (rows) has a part in any estimate, but for rounding."""
    size = np.abs(parts).reshape(len(parts), -1).max(axis=1, initial=0)
    return np.asarray(size > ROUNDING * size.max(initial=0))


def clustered_interval(
    estimate: float, parts: Floats, *, alpha: float, effective: float = np.inf
) -> Interval:
    """Give the interval from the clusters' parts in the estimate's error, at least 30 of them.

    Parameters
    ----------
    parts
        C, zero for clusters that have no part in the estimate.
    effective
        As how many equal clusters they count; see `effective_clusters`.

    Notes
    -----
    se^2 = C/(C - 1) sum_c parts_c^2, and Student's t with min(C, effective) - 1 degrees of
    freedom.
    """
    parts = parts[takes_part(parts)]
    return interval_of_squares(
        estimate, len(parts), float((parts**2).sum()), alpha=alpha, effective=effective
    )


def interval_of_squares(
    estimate: float, n: int, squares: float, *, alpha: float, effective: float
) -> Interval:
    """Give `clustered_interval` from how many clusters have a part, and the sum of squares."""
    se = float(np.sqrt(squares * n / (n - 1)))
    freedom = min(n, effective) - 1
    half = float(stats.t.ppf(1 - alpha / 2, freedom)) * se
    p_value = float(2 * stats.t.sf(abs(estimate) / se, freedom)) if se > 0 else np.nan
    return Interval(
        se=se, conf_low=estimate - half, conf_high=estimate + half, p_value=p_value,
        n_clusters=n, method="clustered",
    )  # fmt: skip


def wild_interval(
    estimate: float, left_out: Floats, *, alpha: float, seed: int = 0
) -> Interval:
    """Give the interval from estimates that leave out one cluster each, fewer than 30.

    Parameters
    ----------
    left_out
        C estimates, each without one cluster; NaN where there is none.

    Notes
    -----
    The null value v is imposed on the `pseudo_values`, whose signs around v are flipped in all
    2^C ways (above 13 clusters, in 9,999 drawn ones); the interval holds the v whose
    studentised mean is not among the largest alpha of them. se is the jackknife's. Where the
    pseudo-values had to be moved by more than that, the estimate is far from linear in its
    clusters, and there is no interval. This is the wild cluster bootstrap with Rademacher
    weights (Cameron, Gelbach, Miller 2008, doi:10.1162/rest.90.3.414), restricted and with
    jackknifed scores (MacKinnon, Nielsen, Webb 2023, doi:10.1002/jae.2969).
    """
    n = len(left_out)
    if np.isnan(left_out).any():
        return Interval(
            n_clusters=n,
            reason=say("without one of the clusters the average is not identified"),
        )
    if n < (needed := fewest_clusters(alpha)):
        reason = say(
            "{n} clusters; {level:.0%} needs {needed}, whose signs can be flipped",
            n=n, level=1 - alpha, needed=needed,
        )  # fmt: skip
        return Interval(n_clusters=n, reason=reason)
    pseudo = pseudo_values(estimate, left_out)
    se = float(pseudo.std(ddof=1) / np.sqrt(n))
    if se == 0:
        return Interval(n_clusters=n, reason=say("the clusters do not differ"))
    if (n - 1) * abs(left_out.mean() - estimate) > se:
        reason = say(
            "estimates without single clusters, {n} of them, lie on one side of it", n=n
        )
        return Interval(n_clusters=n, reason=reason)
    signs = draw_signs(n, seed)
    low, high = _find_ends(pseudo, signs, alpha)
    return Interval(
        se=se, conf_low=low, conf_high=high, p_value=_p_value(pseudo, signs, 0.0),
        n_clusters=n, method=mark("wild bootstrap"),
    )  # fmt: skip


def pseudo_values(estimates: float | Floats, left_out: Floats) -> Floats:
    """Give theta + (C - 1) (m - theta_(c)) for C estimates without one cluster each, mean m.

    The jackknife's pseudo-values, moved so that their mean is the estimate; for several
    estimates by column.
    """
    moved: Floats = estimates + (len(left_out) - 1) * (left_out.mean(axis=0) - left_out)
    return moved


def draw_signs(n: int, seed: int) -> Floats:
    """Give the signs of n clusters, a row a draw: all of them where they are few."""
    if n <= _MOST_ENUMERATED:
        return np.array(list(product((-1.0, 1.0), repeat=n)))
    return np.random.default_rng(seed).choice((-1.0, 1.0), (_DRAWS, n))


def _p_value(pseudo: Floats, signs: Floats, value: float) -> float:
    around = pseudo - value
    n = len(around)

    def statistic(means: Floats) -> Floats:
        spread = (around**2).sum() / n - means**2
        size: Floats = np.abs(means) / np.sqrt(np.maximum(spread, 1e-300))
        return size

    flipped = statistic(signs @ around / n)
    own = float(statistic(np.array([around.mean()]))[0])
    if len(signs) == 2**n:
        return float((flipped >= own * (1 - ROUNDING)).mean())
    return float((1 + (flipped >= own * (1 - ROUNDING)).sum()) / (1 + len(signs)))


def _find_ends(pseudo: Floats, signs: Floats, alpha: float) -> tuple[float, float]:
    """Find the values that are not rejected.

    Signs s reject v no more than the data if |sum s_c (J_c - v)| >= |sum J_c - v|, which holds
    for v between (A - A_s)/(n - B_s) and (A + A_s)/(n + B_s), A = sum J_c, A_s = sum s_c J_c,
    B_s = sum s_c: the ends are order statistics of these.
    """
    n, total, flipped, balance = len(pseudo), pseudo.sum(), signs @ pseudo, signs.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.stack([(total - flipped) / (n - balance), (total + flipped) / (n + balance)])
    ends = np.where(np.abs(balance) == n, [[-np.inf], [np.inf]], ends)
    # As many signs as may hold a value that is rejected; drawn ones count the data too.
    rejected = alpha * len(signs) if len(signs) == 2**n else alpha * (1 + len(signs)) - 1
    k = int(np.floor(rejected * (1 + ROUNDING)))
    low, high = np.sort(ends.min(axis=0)), np.sort(ends.max(axis=0))
    return float(low[k]), float(high[-1 - k])
