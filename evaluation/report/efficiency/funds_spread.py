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
from evaluation.language import listing, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import count_places, show_interval, show_p
from evaluation.report.village_words import COLORS, money_note, name_prices, show_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CAPTION = mark("How money is spread over treated villages")
_MOST_POINTS = 500  # of a curve
_STYLES = {
    "per village": (mark("per village"), COLORS["treated"], "-"),
    "per household": (mark("per household"), COLORS["1"], "--"),
    "by income before": (mark("villages"), COLORS["treated"], "-"),
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
        _draw_curves(left, lorenz, plots.inscribe("Gini"))
        _draw_curves(right, {"by income before": concentration}, plots.inscribe("index"))
        left.set_title(plots.inscribe("Lorenz curve"))
        right.set_title(plots.inscribe("Concentration curve"))
        left.set_xlabel(plots.inscribe("share, least money first"))
        right.set_xlabel(plots.inscribe("share, lowest income before first"))
        left.set_ylabel(plots.inscribe("share of money"))
    data = pd.concat([_rows(name, curve) for name, curve in curves.items()])
    scale = efficiency.gains.shown.divisor / shown.divisor
    for name in ("slope", "conf_low", "conf_high", "p_value"):
        value = getattr(targeting, name) if targeting else np.nan
        factor = 1 if name == "p_value" else scale
        data[name] = np.where(data["curve"] == "by income before", value * factor, np.nan)
    data["slope_unit"] = f"{shown.unit}, per {efficiency.gains.shown.unit}"
    note = sentences(
        *_spread_words(efficiency, money, lorenz), _index_words(concentration),
        *(_slope_words(efficiency, targeting, scale) if targeting else [why_not]),
        _left_words(efficiency, concentration),
        name_prices(efficiency.study_data.study, brief=True), money_note(shown),
    )  # fmt: skip
    stage = say(found.spending.stage)
    return plots.figure_exhibit(
        figure,
        name="funds_spread",
        caption=say("How money is spread over treated villages: money {stage}", stage=stage),
        alt=sentences(
            say("Lorenz curve of money, and its concentration curve by income before."), note
        ),
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
        why = say("No slope: {why}", why=str(error))
        return None, measure_concentration(money, rank_by=before), why
    return found, found.concentration, ""


def _clusters(efficiency: StudyEfficiency, villages: pd.Index[str]) -> pd.Series[int]:
    """Give the places that villages' errors are clustered by, as for the gains."""
    gains = efficiency.found.gains
    codes = place_codes(gains.panel, gains.cluster)
    return pd.Series(codes, index=gains.panel.villages.index)[villages]


def _draw_curves(axes: Axes, curves: dict[str, Concentration], measure: str) -> None:
    axes.plot([0, 1], [0, 1], color="0.5", linewidth=1)
    for name, found in curves.items():
        words, color, line = _STYLES[name]
        label = f"{plots.inscribe(words)} {_show_index(found.index)}"
        points = _thin(found.curve)
        axes.plot(points["population"], points["money"], line, color=color, label=label)
    below = next(iter(curves.values())).index >= 0
    axes.legend(loc="upper left" if below else "lower right", title=measure, frameon=False)
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
) -> list[str]:
    """Say whose money is meant, the Gini, and how few villages got half of it."""
    spending, shown = efficiency.found.spending, efficiency.money
    curve = lorenz["per village"].curve
    half = 1 - float(np.interp(0.5, curve["money"], curve["population"]))
    ginis = []
    for name, found in lorenz.items():
        told = mark("{index} {name}")
        if found.n_left_out:
            told = mark("{index} {name} ({n:,} without them left out)")
        index = _show_index(found.index)
        ginis.append(say(told, index=index, name=say(name), n=found.n_left_out))
    rate = efficiency.found.discount_rate
    worth = say(
        ", as its value of {year} at {rate:.1%} a year", year=spending.first_year, rate=rate
    )
    return [
        say(
            "{total} {unit}, {stage} for {n:,} treated villages since they were first "
            "treated{worth}; {none:,} of them got none.",
            total=show_number(round(money.sum() / shown.divisor, 2)), unit=shown.unit,
            stage=say(spending.stage), n=len(money), worth=worth if rate else "",
            none=int((money == 0).sum()),
        ),
        say(
            "The Gini is {ginis} (0, the grey line: all got the same); the {half:.0%} of "
            "villages with most money got half of it.",
            ginis=listing(ginis), half=half,
        ),
    ]  # fmt: skip


def _index_words(found: Concentration) -> str:
    fifth = float(np.interp(0.2, found.curve["population"], found.curve["money"]))
    return say(
        "The fifth of villages with the lowest income before treatment got {fifth:.0%} of the "
        "money; the concentration index is {index} (from -1 to 1, below zero if those with "
        "lower incomes got more).",
        fifth=fifth, index=_show_index(found.index),
    )  # fmt: skip


def _slope_words(efficiency: StudyEfficiency, found: Targeting, scale: float) -> list[str]:
    """Say what the slope means, with its interval and how that was had."""
    gains, income = efficiency.found.gains, efficiency.gains.shown
    # 1 万元 more is a step that readers know; of other units, one that villages differ by.
    sd = float(income_before(gains).std())
    step = 1.0 if income.divisor > 1 else 10.0 ** math.floor(math.log10(sd))
    slope, *ends = (step * scale * x for x in (found.slope, found.conf_low, found.conf_high))
    money, unit = (each.brief for each in (efficiency.money, income))
    p = show_p(found.p_value)
    if found.variance == "clustered":
        how = say("errors clustered by {cluster}", cluster=say(gains.cluster))
    elif gains.cluster == "village":
        how = found.variance
    else:
        n = _clusters(efficiency, gains.villages.index).nunique()
        how = say(
            "{variance}, villages taken as independent: {places} are too few to cluster by",
            variance=found.variance, places=count_places(n, gains.cluster),
        )  # fmt: skip
    told = mark(
        "Villages with {step:,.10g} {unit} more income before got {amount} {money} more "
        "({level} interval {interval}, p {p}{unsure}; {how})."
    )
    if slope < 0:
        told = mark(
            "Villages with {step:,.10g} {unit} more income before got {amount} {money} less "
            "({level} interval {interval}, p {p}{unsure}; {how})."
        )
    unsure = ends[0] <= 0 <= ends[1]
    return [
        say(
            told, step=step, unit=unit, amount=show_number(abs(slope)), money=money,
            level=efficiency.gains.level, interval=show_interval(*ends),
            p=p if p.startswith("<") else f"= {p}",
            unsure=say("; less cannot be told from more") if unsure else "", how=how,
        ),
        say(
            "Income before is {outcome}, averaged over a village's untreated years. The slope "
            "says who got money, not why.",
            outcome=gains.panel.variables[gains.panel.outcome].label,
        ),
    ]  # fmt: skip


def _left_words(efficiency: StudyEfficiency, concentration: Concentration) -> str:
    """Say what money and which villages are in no curve, or not in the right one."""
    rest, shown = efficiency.found.spending.left_out, efficiency.money
    told = [
        say("{money} {reason}", money=show_number(money / shown.divisor), reason=say(reason))
        for money, reason in zip(rest["money"], rest["reason"], strict=True)
    ]
    parts, n = say("; ").join(told), concentration.n_left_out
    return sentences(
        say("Money in no village's: {parts}.", parts=parts) if told else "",
        say("On the right {n:,} without income before are left out.", n=n) if n else "",
    )
