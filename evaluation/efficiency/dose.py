"""Dose-response: how gains go with the money received, and what one more yuan would bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from patsy import build_design_matrices, dmatrix

from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.gains.regression import GainRegression, regress_gains
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Form = Literal["linear", "quadratic", "spline"]

ASSUMPTION = mark(
    "Read as an effect of the dose under strong parallel trends alone: villages that received "
    "little would have gained as much from a large dose as those that received it."
)

_FORMULAS = {
    mark("linear"): "1 + dose",
    mark("quadratic"): "1 + dose + I(dose ** 2)",
    mark("spline"): "bs(dose, df=4, degree=3, include_intercept=True) - 1",
}
_VILLAGES_EACH = 10  # for each coefficient
_GRID = 41
_STEP = 1e-6  # of the doses' range, for derivatives


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DoseResponse(ShowsSummary):
    """Gains as a function of the dose.

    Attributes
    ----------
    form
        linear, quadratic or spline.
    doses
        n: by village with a gain and a dose, index "village".
    regression
        The fit.
    curve
        Over the doses observed, and no others: dose, estimate, se, conf_low, conf_high, ....
    marginal
        Index "mean" (over villages), "25%", "50%", "75%" (of doses): dose, and the marginal
        gain for one more unit of dose: estimate, se, conf_low, conf_high, p_value, ....
    unit
        Of gains.
    n_left_out
        Villages with a gain and without a dose above zero.
    """

    form: Form
    doses: pd.Series[float]
    n_left_out: int
    regression: GainRegression = field(repr=False)
    curve: pd.DataFrame
    marginal: pd.DataFrame
    unit: str

    def to_frame(self) -> pd.DataFrame:
        """Give the marginal gains."""
        return self.marginal.copy()

    def summary(self) -> str:
        """Say the marginal gain, where doses are, and what it rests on."""
        mean, doses = self.marginal.iloc[0], self.doses
        interval = (
            f"no interval: {mean['reason']}"
            if np.isnan(mean["conf_low"])
            else f"{1 - self.regression.alpha:.0%} interval {mean['conf_low']:.3g} to "
            f"{mean['conf_high']:.3g}, {mean['method']}, {mean['n_clusters']} clusters"
        )
        return (
            f"{mean['estimate']:.3g} {self.unit} for one more unit of dose, on average over "
            f"{len(doses):,} villages ({self.form}; {interval})\n"
            f"doses from {doses.min():,.4g} to {doses.max():,.4g}, median "
            f"{doses.median():,.4g}; {self.n_left_out:,} villages with a gain received none\n"
            f"{ASSUMPTION}"
        )

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the curve with its pointwise intervals, and where the doses lie."""
        import matplotlib.pyplot as plt

        axes = ax if ax is not None else plt.subplots()[1]
        axes.plot(self.curve["dose"], self.curve["estimate"])
        axes.fill_between(
            self.curve["dose"], self.curve["conf_low"], self.curve["conf_high"], alpha=0.2
        )
        axes.plot(self.doses, np.zeros(len(self.doses)), "|", color="0.5")
        axes.set_xlabel("dose")
        axes.set_ylabel(f"gain, {self.unit}")
        return axes


def estimate_dose_response(
    gains: IncomeGains, dose: pd.Series[float], *, form: Form = "linear"
) -> DoseResponse:
    """Estimate how villages' mean gains go with the dose of the programme that they received.

    Parameters
    ----------
    gains
        Estimated gains.
    dose
        n, index "village": money received, say. Villages without a dose above zero are left
        out: they are no small dose.
    form
        "linear", "quadratic", or "spline": a cubic B-spline with one knot at the median.

    Returns
    -------
    DoseResponse.

    Raises
    ------
    DesignError
        If there are fewer than 10 villages for each coefficient, all doses are equal, or one
        is infinite.

    Notes
    -----
    Least squares of g_i on a basis of the dose d_i, of treated villages with a gain: ATT(d)
    is E[g | d] if trends without the programme are parallel, and its slope the average causal
    response of one more unit only under strong parallel trends, that is if villages of every
    dose would have responded alike (Callaway, Goodman-Bacon, Sant'Anna 2024,
    doi:10.3386/w32117). With two years it is their estimator. Errors are those of
    `regress_gains`: clustered, with the year effects' own.

    Examples
    --------
    >>> from evaluation import Study, estimate_gains, load_data
    >>> from evaluation.efficiency.spending import match_spending
    >>> data = load_data(Study.load("data/jining_simulated"))
    >>> money = match_spending(data.panel, data.ledger).villages["money"]
    >>> found = estimate_dose_response(estimate_gains(data.panel), money)
    >>> print(round(found.marginal.loc["mean", "estimate"], 4))
    0.0107
    """
    if form not in _FORMULAS:
        raise DesignError(f"form is {form!r}; give linear, quadratic or spline.")
    if not dose.index.is_unique:
        doubled = dose.index[dose.index.duplicated()][0]
        raise DesignError(f"village {doubled} has two doses; give one a village.")
    gained = gains.villages.index[gains.villages["gain"].notna()]
    doses = dose.reindex(gained)
    doses = doses[doses > 0].astype(float)
    if np.isinf(doses).any():
        raise DesignError(f"an infinite dose of {doses.idxmax()}: mend it, or leave it out.")
    if doses.nunique() < 2:
        raise DesignError(
            say(
                "{n} villages have a gain and a dose above zero, {different} different ones: "
                "there is no response to doses to see.",
                n=len(doses), different=doses.nunique(),
            )
        )  # fmt: skip
    low, high = float(doses.min()), float(doses.max())
    step = _STEP * (high - low)  # within the bounds of splines
    bounds = f", lower_bound={low - 2 * step!r}, upper_bound={high + 2 * step!r}"
    formula = _FORMULAS[form].replace(", include", f"{bounds}, include")
    design = dmatrix(formula, {"dose": doses}, return_type="dataframe")
    if len(doses) < _VILLAGES_EACH * design.shape[1]:
        raise DesignError(
            say(
                "{n} villages have a gain and a dose; {form} needs {needed}.",
                n=len(doses), form=say(form), needed=_VILLAGES_EACH * design.shape[1],
            )
        )  # fmt: skip
    regression = regress_gains(gains, design)

    def basis(at: Floats) -> Floats:
        return np.asarray(build_design_matrices([design.design_info], {"dose": at})[0])

    def slopes(at: Floats) -> Floats:
        return (basis(at + step) - basis(at - step)) / (2 * step)

    grid = np.linspace(low, high, _GRID)
    curve = regression.combine(basis(grid), range(_GRID))
    curve.insert(0, "dose", grid)
    quartiles = np.quantile(doses, [0.25, 0.5, 0.75])
    loads = np.vstack([slopes(np.asarray(doses)).mean(axis=0), slopes(quartiles)])
    marginal = regression.combine(loads, ["mean", "25%", "50%", "75%"])
    marginal.insert(0, "dose", [doses.mean(), *quartiles])
    return DoseResponse(
        form=form, doses=doses, n_left_out=len(gained) - len(doses), regression=regression,
        curve=curve, marginal=marginal, unit=gains.unit,
    )  # fmt: skip
