"""Quantile regression of gains on a trait: whether it matters at the top or at the bottom."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.quantile_regression import QuantReg
from statsmodels.tools.sm_exceptions import IterationLimitWarning

from evaluation.effects.driver_models import gained_villages
from evaluation.effects.regressors import FEWEST
from evaluation.effects.setup import Codes
from evaluation.errors import DesignError
from evaluation.gains.clusters import fewest_clusters
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains

_MOST = 5_000  # villages, beyond which some are drawn
_FEWEST_BEYOND = 5  # villages beyond a quantile, for it to be told


def regress_quantiles(
    gains: IncomeGains,
    trait: pd.Series[float],
    *,
    quantiles: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 0.9),
    draws: int = 199,
    seed: int = 0,
) -> pd.DataFrame:
    """Regress quantiles of villages' gains on a trait.

    Parameters
    ----------
    gains
        Estimated gains.
    trait
        A number for each village, or 0 and 1; missing where not known.
    quantiles
        Between 0 and 1.
    draws
        Of the bootstrap.
    seed
        Of the draws; beyond 5,000 villages of which ones are taken too.

    Returns
    -------
    DataFrame indexed by quantile: estimate (the quantile's change for one unit more of the
    trait), se, conf_low, conf_high, n_villages, n_clusters, reason.

    Raises
    ------
    DesignError
        If the trait is the same in all villages or known of too few, or a quantile is none.

    Notes
    -----
    Koenker's regression (statsmodels' QuantReg) of g_i on a constant and x_i; whole clusters
    are drawn with replacement (Hagemann 2017, doi:10.1080/01621459.2016.1148610), and the
    interval is normal with the draws' standard deviation; year effects are taken as known. The
    quantiles are of estimated gains, true gains and noise: noise that is alike in all villages
    moves outer quantiles outwards and brings slopes nearer to one another, noise that grows
    with x raises upper and lowers lower slopes whatever the true gains do. Compare with the
    errors' variances before a fan is read as one.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> from evaluation.gains.estimate import estimate_gains
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> gains = estimate_gains(panel, year_effects="county")
    >>> city = (panel.villages["dispatch_level"] == "市派").astype(float)
    >>> list(regress_quantiles(gains, city, draws=20).index)
    [0.1, 0.25, 0.5, 0.75, 0.9]
    """
    if wrong := [q for q in quantiles if not 0 < q < 1]:
        raise DesignError(f"quantile {wrong[0]} is none; give numbers between 0 and 1.")
    villages = gained_villages(gains)
    x: Floats = np.asarray(trait.reindex(villages.index), dtype=np.float64)
    known = np.isfinite(x)
    if known.sum() < 4 * FEWEST or x[known].min() == x[known].max():
        raise DesignError(
            f"the trait is known of {int(known.sum()):,} villages with a gain, or the same in "
            f"all; a quantile regression takes {4 * FEWEST} that differ."
        )
    x, villages = x[known], villages[known]
    rng = np.random.default_rng(seed)
    taken = np.sort(rng.permutation(len(x))[:_MOST])
    x, gain = x[taken], villages["gain"].to_numpy()[taken]
    codes, _ = pd.factorize(villages["cluster"].to_numpy()[taken])
    n, alpha = int(codes.max()) + 1, gains.options.alpha
    frame = pd.DataFrame(index=pd.Index(quantiles, name="quantile"))
    frame["estimate"], frame["se"], reason = _fit(x, gain, quantiles), np.nan, ""
    if n < (needed := fewest_clusters(alpha)):
        reason = f"villages of {n} clusters; {1 - alpha:.0%} needs {needed}"
    else:
        frame["se"] = _bootstrap(x, gain, codes, quantiles, draws, rng).std(axis=0, ddof=1)
    few = np.minimum(quantiles, 1 - np.array(quantiles)) * len(x) < _FEWEST_BEYOND
    frame.loc[few, ["estimate", "se"]] = np.nan
    reach = stats.norm.ppf(1 - alpha / 2) * frame["se"]
    frame["conf_low"], frame["conf_high"] = frame["estimate"] - reach, frame["estimate"] + reach
    frame["n_villages"], frame["n_clusters"] = len(x), n
    frame["reason"] = np.where(few, f"fewer than {_FEWEST_BEYOND} villages beyond it", reason)
    return frame


def _bootstrap(
    x: Floats, gain: Floats, codes: Codes, quantiles: Sequence[float], draws: int,
    rng: np.random.Generator,
) -> Floats:  # fmt: skip
    """Give the slopes in samples of whole clusters, draws x quantiles."""
    order = np.argsort(codes, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    found: list[Floats] = []
    while len(found) < draws:
        drawn = rng.integers(0, len(members), len(members))
        some = np.concatenate([members[c] for c in drawn])
        if np.ptp(x[some]) > 0:  # else there is no slope to tell: drawn again
            found.append(_fit(x[some], gain[some], quantiles))
    return np.array(found)


def _fit(x: Floats, gain: Floats, quantiles: Sequence[float]) -> Floats:
    """Give the slopes; both sides are scaled, as convergence is judged in absolute terms."""
    size, height = float(x.std()), float(gain.std()) or 1.0
    matrix = np.column_stack([np.ones(len(x)), (x - x.mean()) / size])
    model = QuantReg((gain - gain.mean()) / height, matrix)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IterationLimitWarning)  # of steps far below the noise
        slopes = [model.fit(q=q).params[1] for q in quantiles]
    return np.array(slopes) * height / size
