"""Which villages gained: regressions of gains on what villages were like before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from evaluation.display import ShowsSummary
from evaluation.effects.clustered import adjust_holm
from evaluation.effects.driver_models import (
    COLUMNS,
    TESTS,
    choose_together,
    fit_compared,
    fit_gains,
    gained_villages,
)
from evaluation.effects.regressors import baseline_traits, hold_out, lay_out
from evaluation.gains.result import IncomeGains


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Drivers(ShowsSummary):
    """How villages' gains differ with their traits.

    Attributes
    ----------
    gains
        What was regressed; with years held out, estimated without them.
    frame
        One row a regressor, model and weighting: trait, level (the group, "" of a number),
        reference (the group compared with), model ("alone"; "together", with the other traits;
        "comparison", the slope of what comparison villages gained in the same years, where the
        truth is zero), weighting ("equal", or "precision"), estimate (a year's gain for one
        unit more, or against the reference), se, conf_low, conf_high, p_value, n_villages,
        n_clusters, method, reason, sd (of a number).
    tests
        One row a trait and model, and one for all traits together (trait "all"): n_villages,
        n_coefficients, p_value (of the trait's coefficients all being zero), p_holm (over the
        traits alone), explained (adjusted R2 of gains), explained_true (of true gains), reason.
    held_out
        Years whose outcome is the baseline, which gains are not measured from.
    reasons
        Why a trait is in no model, or not in the one of all together.
    variance, error_variance
        Of the gains over villages whose errors' variance is known (over all where none is),
        and the mean of those variances.
    """

    gains: IncomeGains = field(repr=False)
    frame: pd.DataFrame
    tests: pd.DataFrame
    held_out: tuple[int, ...]
    reasons: Mapping[str, str]
    variance: float
    error_variance: float

    @property
    def true_share(self) -> float:
        """Share of the gains' variance that is true; below zero where errors exceed it."""
        return 1 - self.error_variance / self.variance if self.variance > 0 else np.nan

    def to_frame(self) -> pd.DataFrame:
        """Give the coefficients, one row each."""
        return self.frame.copy()

    def alone(self) -> pd.DataFrame:
        """Give the coefficients of each trait alone, every village counting once."""
        frame = self.frame
        return frame[(frame["model"] == "alone") & (frame["weighting"] == "equal")]

    def summary(self) -> str:
        """Say what each trait goes with, and how much of the gains' variance is true."""
        unit, lines = self.gains.unit, []
        for row in self.alone().to_dict("records"):
            what = f"{row['level']} against {row['reference']}" if row["level"] else "one more"
            sure = row["reason"] or f"{row['conf_low']:,.4g} to {row['conf_high']:,.4g}"
            lines.append(f"{row['trait']}, {what}: {row['estimate']:,.4g} {unit} ({sure})")
        lines += [f"{trait}: {reason}" for trait, reason in self.reasons.items()]
        share = f"{self.true_share:.0%}" if np.isfinite(self.true_share) else "an unknown share"
        return "\n".join([*lines, f"{share} of the variance of gains is true, the rest error"])


def regress_drivers(
    gains: IncomeGains,
    traits: pd.DataFrame | Sequence[str],
    *,
    hold_out_years: int = 0,
    seed: int = 0,
) -> Drivers:
    """Regress villages' gains on traits, one by one and all together.

    Parameters
    ----------
    gains
        Estimated gains.
    traits
        Names, see `baseline_traits`; or a DataFrame indexed by village, of numbers and words.
        What the programme may have moved (money, projects, later income) is no baseline: what
        goes with it need not have been brought by it.
    hold_out_years
        So many first years' mean outcome is a trait too, and gains are not measured from them;
        see `hold_out`.
    seed
        Of the joint tests' signs.

    Returns
    -------
    Drivers.

    Raises
    ------
    DesignError
        If a name is no trait, or no village has a gain without the years held out.

    Notes
    -----
    g_i = theta_i + e_i, theta_i = a + x_i b + u_i. Least squares of gains g on traits x gives b
    as the true gains theta would, if errors e have nothing to do with x; their noise only
    widens intervals. "equal" is `regress_gains`, each village counting once; "precision"
    weighs by 1 / (tau2 + s_i^2), s_i^2 being the variance of a gain's error and tau2 = (RSS -
    sum (1 - h_i) s_i^2) / (n - K) that of u, not below zero, by unweighted least squares
    (Lewis, Linzer 2005, doi:10.1093/pan/mpi026): where slopes differ between villages the two
    are of other villages. Intervals are clustered as those of averages are. explained_true is
    1 - tau2 / tau2(constant) (Thompson, Higgins 2002, doi:10.1002/sim.1187), which chance may
    bring below 0 or above 1. Slopes tell which villages gained more, not why: villages that
    differ in x differ in other things too. Slopes in comparison villages, over the years
    before and after the commonest cohort's first, say how far incomes went apart by x without
    the programme.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> from evaluation.gains.estimate import estimate_gains
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> gains = estimate_gains(panel, year_effects="county")
    >>> drivers = regress_drivers(gains, ["households", "dispatch_level"])
    >>> drivers.alone()[["trait", "level", "reference", "n_villages"]].values.tolist()
    [['households', '', '', 82], ['dispatch_level', '市派', '省派', 82]]
    >>> round(drivers.true_share, 1)
    0.9
    """
    given = traits if isinstance(traits, pd.DataFrame) else baseline_traits(gains, list(traits))
    years = tuple(int(year) for year in gains.panel.years[:hold_out_years])
    if hold_out_years:
        gains, baseline = hold_out(gains, n_years=hold_out_years)
        span = f"{years[0]}" if len(years) == 1 else f"{years[0]}-{years[-1]}"
        name = f"{gains.panel.outcome} {span}"
        given = given.reindex(gains.panel.villages.index)
        given.insert(0, name, baseline)
    villages = gained_villages(gains)
    laid = lay_out(given.reindex(gains.panel.villages.index), villages.index)
    models = [("alone", [trait]) for trait in dict.fromkeys(laid.about["trait"])]
    together, left_out = choose_together(villages, laid)
    if len(together) > 1:
        models.append(("together", together))
    fitted = [fit_gains(gains, laid, names, model, seed=seed) for model, names in models]
    frames = [frame for frame, _ in fitted]
    tests = pd.DataFrame([test for _, some in fitted for test in some], columns=TESTS)
    tests["p_holm"] = adjust_holm(tests["p_value"].where(tests["model"] == "alone"))
    if not gains.options.trends:  # whose own trend is fitted over all years, after ones too
        frames.append(fit_compared(gains, laid))
    frames = [frame for frame in frames if len(frame)] or [pd.DataFrame(columns=COLUMNS)]
    judged = villages[villages["variance"].notna()] if villages["variance"].any() else villages
    return Drivers(
        gains=gains,
        frame=pd.concat(frames, ignore_index=True),
        tests=tests,
        held_out=years,
        reasons=laid.reasons | left_out,
        variance=float(judged["gain"].var()),
        error_variance=float(judged["variance"].mean()),
    )
