"""How unequally money is spread over treated villages, and whether poorer ones got more."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from evaluation.efficiency.attribution import income_before
from evaluation.efficiency.inequality import (
    Concentration,
    Targeting,
    measure_concentration,
    measure_inequality,
    measure_targeting,
)
from evaluation.errors import DesignError
from evaluation.gains.design import first_known, place_codes
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency_study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gain_words import count_places, show_interval, show_p
from evaluation.report.village_words import COLORS, money_note, name_prices, show_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = "How money is spread over treated villages"
_MOST_POINTS = 500  # of a curve
_STYLES = {
    "per village": (("per village", "按村"), COLORS["treated"], "-"),
    "per household": (("per household", "按户"), COLORS["1"], "--"),
    "by income before": (("villages", "按村"), COLORS["treated"], "-"),
}


@NeedsFound("funds_spread", _CAPTION)
def plot_funds_spread(efficiency: StudyEfficiency) -> Exhibit:
    """Draw the Lorenz curve of villages' money, and its concentration by income before.

    All treated villages count, those without money in the ledger as having got none.
    """
    found, shown = efficiency.found, efficiency.money
    money = found.spending.villages["money"]
    lorenz = {"per village": measure_inequality(money), **_by_household(efficiency, money)}
    targeting, concentration, why_not = _target(efficiency, money)
    curves = lorenz | {"by income before": concentration}
    figure = plots.new_figure(8.2, 4.4)
    with plots.in_style():
        left, right = figure.subplots(1, 2, sharey=True)
        _draw_curves(left, lorenz, ("Gini", "基尼系数"))
        _draw_curves(right, {"by income before": concentration}, ("index", "集中指数"))
        left.set_title(plots.label("Lorenz curve", "洛伦兹曲线"))
        right.set_title(plots.label("Concentration curve", "集中曲线"))
        left.set_xlabel(plots.label("share, least money first", "资金由少到多"))
        right.set_xlabel(plots.label("share, lowest income before first", "原收入由低到高"))
        left.set_ylabel(plots.label("share of money", "资金占比"))
    data = pd.concat([_rows(name, curve) for name, curve in curves.items()])
    scale = efficiency.gains.shown.divisor / shown.divisor
    for name in ("slope", "conf_low", "conf_high", "p_value"):
        value = getattr(targeting, name) if targeting else np.nan
        factor = 1 if name == "p_value" else scale
        data[name] = np.where(data["curve"] == "by income before", value * factor, np.nan)
    data["slope_unit"] = f"{shown.unit}, per {efficiency.gains.shown.unit}"
    note = (
        f"{_spread_words(efficiency, money, lorenz)} {_index_words(concentration)} "
        f"{_slope_words(efficiency, targeting, scale) if targeting else why_not} "
        f"{_left_words(efficiency, concentration)} "
        f"{name_prices(efficiency.study_data.study, brief=True)} {money_note(shown)}"
    )
    note = " ".join(note.split())
    return plots.figure_exhibit(
        figure,
        name="funds_spread",
        caption=f"{_CAPTION}: money {found.spending.stage}",
        alt=f"Lorenz curve of money, and its concentration curve by income before. {note}",
        data=data.reset_index(drop=True),
        simulated=efficiency.study_data.study.simulated,
        note=note,
    )


def _by_household(
    efficiency: StudyEfficiency, money: pd.Series[float]
) -> dict[str, Concentration]:
    """Give the Lorenz curve per household, where the panel counts households."""
    panel = efficiency.found.gains.panel
    if "households" not in panel.variables:
        return {}
    first = first_known(panel.matrix("households"))
    households = pd.Series(first, index=panel.villages.index)[money.index]
    households = households.where(households > 0)
    if not money[households.notna()].sum() > 0:
        return {}
    return {"per household": measure_inequality(money, weights=households)}


def _target(
    efficiency: StudyEfficiency, money: pd.Series[float]
) -> tuple[Targeting | None, Concentration, str]:
    """Give targeting, or the concentration alone and why there is no slope."""
    before, alpha = income_before(efficiency.found.gains), efficiency.found.gains.options.alpha
    clusters = _clusters(efficiency, money.index)
    try:
        found = measure_targeting(money, before, clusters=clusters, alpha=alpha)
    except DesignError as error:
        return None, measure_concentration(money, rank_by=before), f"No slope: {error}"
    return found, found.concentration, ""


def _clusters(efficiency: StudyEfficiency, villages: pd.Index[str]) -> pd.Series[int]:
    """Give the places that villages' errors are clustered by, as for the gains."""
    gains = efficiency.found.gains
    codes = place_codes(gains.panel, gains.cluster)
    return pd.Series(codes, index=gains.panel.villages.index)[villages]


def _draw_curves(
    axes: Axes, curves: dict[str, Concentration], measure: tuple[str, str]
) -> None:
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=1)
    for name, found in curves.items():
        words, color, line = _STYLES[name]
        label = f"{plots.label(*words)} {_show_index(found.index)}"
        points = _thin(found.curve)
        axes.plot(points["population"], points["money"], line, color=color, label=label)
    below = next(iter(curves.values())).index >= 0
    axes.legend(
        loc="upper left" if below else "lower right", title=plots.label(*measure),
        frameon=False,
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    axes.yaxis.set_major_formatter(PercentFormatter(1))


def _thin(curve: pd.DataFrame) -> pd.DataFrame:
    """Take points evenly along a curve that has too many to draw."""
    places = np.linspace(0, len(curve) - 1, min(len(curve), _MOST_POINTS)).round()
    return curve.iloc[np.unique(places.astype(int))]


def _rows(name: str, found: Concentration) -> pd.DataFrame:
    return _thin(found.curve).assign(
        curve=name, index=found.index, n_villages=found.n_villages, n_left_out=found.n_left_out
    )


def _show_index(index: float) -> str:
    return f"{round(index, 3) + 0.0:.3f}"


def _spread_words(
    efficiency: StudyEfficiency, money: pd.Series[float], lorenz: dict[str, Concentration]
) -> str:
    """Say whose money is meant, the Gini, and how few villages got half of it."""
    spending, shown = efficiency.found.spending, efficiency.money
    curve = lorenz["per village"].curve
    half = 1 - float(np.interp(0.5, curve["money"], curve["population"]))
    ginis = " and ".join(
        f"{_show_index(found.index)} {name}"
        f"{f' ({found.n_left_out:,} without them left out)' if found.n_left_out else ''}"
        for name, found in lorenz.items()
    )
    rate = efficiency.found.discount_rate
    worth = f", as its value of {spending.first_year} at {rate:.1%} a year" if rate else ""
    return (
        f"{show_number(round(money.sum() / shown.divisor, 2))} {shown.unit}, {spending.stage} "
        f"for {len(money):,} treated villages since they were first treated{worth}; "
        f"{int((money == 0).sum()):,} of them got none. The Gini is {ginis} (0, the grey line: "
        f"all got the same); the {half:.0%} of villages with most money got half of it."
    )


def _index_words(found: Concentration) -> str:
    fifth = float(np.interp(0.2, found.curve["population"], found.curve["money"]))
    return (
        f"The fifth of villages with the lowest income before treatment got {fifth:.0%} of the "
        f"money; the concentration index is {_show_index(found.index)} (from -1 to 1, below "
        "zero if those with lower incomes got more)."
    )


def _slope_words(efficiency: StudyEfficiency, found: Targeting, scale: float) -> str:
    """Say what the slope means, with its interval and how that was had."""
    gains, income = efficiency.found.gains, efficiency.gains.shown
    # 1 万元 more is a step that readers know; of other units, one that villages differ by.
    sd = float(income_before(gains).std())
    step = 1.0 if income.divisor > 1 else 10.0 ** math.floor(math.log10(sd))
    slope, *ends = (step * scale * x for x in (found.slope, found.conf_low, found.conf_high))
    money, unit = (each.brief for each in (efficiency.money, income))
    p = show_p(found.p_value)
    unsure = "; less cannot be told from more" if ends[0] <= 0 <= ends[1] else ""
    how = f"errors clustered by {gains.cluster}"
    if found.variance == "HC3":
        n = _clusters(efficiency, gains.villages.index).nunique()
        few = f": {count_places(n, gains.cluster)} are too few to cluster by"
        alone = f", villages taken as independent{few}"
        how = f"HC3{'' if gains.cluster == 'village' else alone}"
    return (
        f"Villages with {step:,.10g} {unit} more income before got {show_number(abs(slope))} "
        f"{money} {'less' if slope < 0 else 'more'} ({efficiency.gains.level} interval "
        f"{show_interval(*ends)}, p {p if p.startswith('<') else f'= {p}'}{unsure}; {how}). "
        f"Income before is {gains.panel.variables[gains.panel.outcome].label}, averaged over a "
        "village's untreated years. The slope says who got money, not why."
    )


def _left_words(efficiency: StudyEfficiency, concentration: Concentration) -> str:
    """Say what money and which villages are in no curve, or not in the right one."""
    rest, shown = efficiency.found.spending.left_out, efficiency.money
    told = [
        f"{show_number(money / shown.divisor)} {reason}"
        for money, reason in zip(rest["money"], rest["reason"], strict=True)
    ]
    money = f"Money in no village's: {'; '.join(told)}." if told else ""
    n = concentration.n_left_out
    return f"{money} {f'On the right {n:,} without income before are left out.' if n else ''}"
