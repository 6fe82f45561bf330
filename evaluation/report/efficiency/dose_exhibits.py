"""Gains against the money received: the curve, marginal returns, and what sources may claim."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.efficiency.attribution import ASSUMPTION as SOURCE_ASSUMPTION
from evaluation.efficiency.attribution import attribute_gains
from evaluation.efficiency.dose import ASSUMPTION, DoseResponse, Form, estimate_dose_response
from evaluation.errors import DesignError
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.data.ledger_plots import SOURCES
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.words import show_interval, show_share
from evaluation.report.village_words import COLORS, NEVER, money_note, show_number

_CURVE = mark("Gain by money received")
_MARGINAL = mark("Marginal return to money")
_SOURCES = mark("What each source's money may have gained")
_RANGES = {"first_in": mark("First in"), "last_in": mark("Last in")}


@NeedsFound("dose_response", _CURVE)
def plot_dose_response(efficiency: StudyEfficiency, *, form: Form = "spline") -> Exhibit:
    """Draw mean gains by money received, with a straight line beside the curve."""
    found, shown, gains = efficiency.found, efficiency.money, efficiency.gains.shown
    responses = _responses(efficiency, form)
    main = responses[-1]
    villages = found.gains.villages["gain"].reindex(main.doses.index)
    figure = plots.new_figure(7.2, 4.0)
    with plots.in_style():
        axes = figure.subplots()
        axes.axhline(0, color="0.4", linewidth=1)
        x = main.curve["dose"] / shown.divisor
        ends = main.curve[["conf_low", "conf_high"]] / gains.divisor
        axes.fill_between(
            x, ends["conf_low"], ends["conf_high"], alpha=0.2, color=COLORS["treated"],
            linewidth=0,
        )  # fmt: skip
        axes.scatter(
            main.doses / shown.divisor, villages / gains.divisor, s=9, color=COLORS[NEVER],
            alpha=0.7, linewidths=0, rasterized=len(villages) > 5_000,
        )  # fmt: skip
        styles = {"linear": "--", "quadratic": "-", "spline": "-"}
        for response in responses:
            axes.plot(
                response.curve["dose"] / shown.divisor,
                response.curve["estimate"] / gains.divisor,
                styles[response.form], color=COLORS["treated"],
                label=plots.inscribe(response.form),
            )  # fmt: skip
        low, high = np.quantile(villages / gains.divisor, [0.01, 0.99])
        axes.set_ylim(min(low, 0) - 0.1 * (high - low), high + 0.2 * (high - low))
        stage = plots.inscribe(found.spending.stage)
        axes.set_xlabel(plots.inscribe("money {stage}, {unit}", stage=stage, unit=shown.axis))
        axes.set_ylabel(plots.inscribe("gain a year, {unit}", unit=gains.axis))
        axes.legend(frameon=False)
    quartiles = main.doses.quantile([0, 0.25, 0.5, 0.75, 1]) / shown.divisor
    note = sentences(
        _marginal_words(main, efficiency),
        say(
            "Grey: villages, {n:,} with a gain and money; the outermost are not all drawn. The "
            "curve is drawn where there are villages and no further; money has minimum, "
            "quartiles and maximum {support} ({unit}). Shaded: pointwise intervals.",
            n=len(main.doses), unit=shown.unit,
            support=commas(show_number(float(value)) for value in quartiles),
        ),
        say(ASSUMPTION), efficiency.basis,
    )  # fmt: skip
    note = efficiency.reword(note)
    return plots.figure_exhibit(
        figure,
        name="dose_response",
        caption=say(_CURVE),
        alt=sentences(say("A curve of gains over money received."), note),
        data=main.curve.assign(form=main.form, unit=main.unit),
        simulated=efficiency.study_data.study.simulated,
        note=note,
    )


@NeedsFound("marginal_returns", _MARGINAL)
def marginal_table(efficiency: StudyEfficiency, *, form: Form = "spline") -> Exhibit:
    """Show what one more yuan would bring, on average and at quartiles of money."""
    shown, (factor, one) = efficiency.money, _one_more(efficiency)
    frames = [
        response.marginal.assign(form=response.form, at=response.marginal.index)
        for response in _responses(efficiency, form)
    ]
    data = pd.concat(frames, ignore_index=True)
    numbers = ["estimate", "se", "conf_low", "conf_high"]
    data[numbers] *= factor
    data = data.assign(unit=efficiency.found.gains.unit, per=one)
    data = data[(data["form"] != "linear") | (data["at"] == "mean")]  # one slope everywhere
    decimals = shared_decimals(data["estimate"])
    cells = pd.DataFrame(
        {
            say("Form"): [say(form) for form in data["form"]],
            say("At"): [
                say("slope of a straight line")
                if form == "linear"
                else say("average over villages")
                if at == "mean"
                else say("{share} quantile", share=at)
                for form, at in zip(data["form"], data["at"], strict=True)
            ],
            say("Money, {unit}", unit=shown.unit): [
                show_number(x / shown.divisor) for x in data["dose"]
            ],
            say("Gain a year for {money}", money=one): show_alike(
                data["estimate"], decimals=decimals
            ),
            say("Interval"): [_interval_cell(row, decimals) for row in data.to_dict("records")],
        },
        dtype=object,
    )
    average = (
        say(
            "The average return, {ratio}, is what all yuan brought: it is larger where the "
            "first ones brought most, or where villages gained without money.",
            ratio=show_number(efficiency.found.total["per_yuan"]),
        )
        if factor == 1
        else say("Gains are in {unit}.", unit=efficiency.gains.shown.unit)
    )
    note = sentences(
        say("A marginal return is what {money} would bring.", money=one),
        average,
        say(ASSUMPTION),
        money_note(shown),
    )
    return efficiency.table(
        "marginal_returns",
        say(_MARGINAL),
        data=data,
        cells=cells,
        note=note,
        row_headers=2,
    )


@NeedsFound("sources_returns", _SOURCES)
def attribution_table(efficiency: StudyEfficiency) -> Exhibit:
    """Show marginal returns by source where the data identify them, and first and last in."""
    found, gains = efficiency.found, efficiency.gains.shown
    result = attribute_gains(found.gains, found.spending)
    frame = result.sources.loc[[name for name in SOURCES if name in result.sources.index]]
    frame = frame.rename(columns={"conf_low": "marginal_low", "conf_high": "marginal_high"})
    data = frame.reset_index().assign(
        extrapolated=result.extrapolated.reindex(frame.index).to_numpy(),
        identified=result.identified, reason=result.reason, unit=gains.unit,
    )  # fmt: skip
    scaled = [f"{name}{end}" for name in _RANGES for end in ("", "_low", "_high")]
    data[scaled] /= gains.divisor
    cells = {
        say("Money of"): [say(SOURCES[name]) for name in frame.index],
        **{
            say("{what}, {unit}", what=say(what), unit=gains.unit): show_alike(data[name])
            for name, what in _RANGES.items()
        },
        say("Villages with less than any total"): [f"{x:.0%}" for x in data["extrapolated"]],
    }
    if result.identified:
        cells[say("Gain a year for one more yuan")] = [
            _with_interval(row, "marginal") for row in data.to_dict("records")
        ]
    why = say("Marginal returns by source are not given: {why}.", why=result.reason)
    note = sentences(
        "" if result.identified else why,
        say(SOURCE_ASSUMPTION),
        say(
            "The form is assumed, which no interval would show. The last column: the share of "
            "villages that got less from this source than any got in all, for which first in "
            "is extrapolated: where it is large, first in may be far off."
        ),
    )
    return efficiency.table(
        "sources_returns",
        say(_SOURCES),
        data=data,
        cells=pd.DataFrame(cells, dtype=object),
        note=note,
    )


def _responses(efficiency: StudyEfficiency, form: Form) -> list[DoseResponse]:
    found = efficiency.found
    counted = found.villages.loc[found.villages["group"] == "", "money"]
    responses = [estimate_dose_response(found.gains, counted, form="linear")]
    if form != "linear":
        with suppress(DesignError):  # too few villages for a curve: the line stands alone
            responses.append(estimate_dose_response(found.gains, counted, form=form))
    return responses


def _one_more(efficiency: StudyEfficiency) -> tuple[float, str]:
    """Say what marginal returns are for: one more yuan, or more where gains are no money."""
    if efficiency.found.gains.panel.analysis.form == "level":
        return 1.0, say("one more {currency}", currency=efficiency.currency)
    return 1e4, say("{money} more", money=efficiency.ten_thousand)


def _marginal_words(response: DoseResponse, efficiency: StudyEfficiency) -> str:
    factor, one = _one_more(efficiency)
    columns = ["estimate", "conf_low", "conf_high"]
    mean: dict[Any, Any] = response.marginal.loc["mean"].to_dict()
    mean |= {name: mean[name] * factor for name in columns}
    quarter, three = (
        show_number(x * factor) for x in response.marginal.loc[["25%", "75%"], "estimate"]
    )
    method = str(mean["method"])
    if np.isnan(mean["conf_low"]):
        sure = say("no interval: {why}", why=mean["reason"])
    else:
        sure = say(
            "{level} interval {interval}, {method}",
            level=show_share(1 - response.regression.alpha), method=say(method),
            interval=show_interval(mean["conf_low"], mean["conf_high"]),
        )  # fmt: skip
    told = mark(
        "{money} goes with a gain a year higher by an estimated {gain} on average ({form}; "
        "{sure}; in {unit})."
    )
    if response.form != "linear":
        told = mark(
            "{money} goes with a gain a year higher by an estimated {gain} on average ({form}; "
            "{sure}; in {unit}): {quarter} at the lower and {three} at the upper quartile of "
            "money."
        )
    return say(
        told, money=one[0].upper() + one[1:], gain=show_number(mean["estimate"]),
        form=say(response.form), sure=sure, quarter=quarter, three=three,
        unit=efficiency.gains.shown.unit.replace("万元", say("yuan")),
    )  # fmt: skip


def _interval_cell(row: dict[Any, Any], decimals: int) -> Markup:
    if np.isnan(row["conf_low"]):
        why = say("none: {why}", why=row["reason"])
        return Markup('<span class="gap">{}</span>').format(why)
    shown = show_interval(row["conf_low"], row["conf_high"], decimals=decimals)
    return Markup('<span class="number">{}</span>').format(shown)


def _with_interval(row: dict[Any, Any], name: str) -> str:
    interval = show_interval(row[f"{name}_low"], row[f"{name}_high"])
    return f"{show_number(row[name])}{f' ({interval})' if interval else ''}"
