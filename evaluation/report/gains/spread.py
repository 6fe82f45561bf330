"""How villages' gains differ: raw against shrunken, with their intervals."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.digits import show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import StudyGains, needs_gains
from evaluation.report.gains.words import show_share
from evaluation.report.village_words import COLORS, NEVER

_MOST_DRAWN = 150
_MANY_POINTS = 5_000
_DISTRIBUTION = mark("Villages' gains, raw and shrunken")
_CATERPILLAR = mark("Villages' gains with their intervals")
_RAW, _SHRUNKEN = COLORS[NEVER], COLORS["treated"]


@needs_gains("gain_distribution", _DISTRIBUTION, shrunken=True)
def plot_gain_distribution(gains: StudyGains) -> Exhibit:
    """Draw raw and shrunken gains as histograms, and one against the other."""
    shown, frame = gains.shown, gains.villages()
    known = frame[frame["gain"].notna() & frame["shrunken"].notna()]
    figure = plots.new_figure(8.0, 3.7)
    with plots.in_style():
        left, right = figure.subplots(1, 2)
        # A few extreme gains would leave the rest in one bar.
        low, high = np.quantile(known["gain"], [0.005, 0.995])
        n_bins = int(np.clip(1.5 * len(known) ** 0.5, 8, 40))
        bins = np.linspace(low, high, n_bins + 1) if low < high else 10
        left.hist(known["shrunken"].clip(low, high), bins=bins, color=_SHRUNKEN, alpha=0.5,
                  label=plots.inscribe("shrunken"))  # fmt: skip
        left.hist(known["gain"].clip(low, high), bins=bins, histtype="step", color="0.15",
                  linewidth=1.3, label=plots.inscribe("raw"))  # fmt: skip
        left.set_xlabel(plots.inscribe("gain, {axis}", axis=shown.axis))
        left.set_ylabel(plots.inscribe("number of villages"))
        left.yaxis.set_major_locator(MaxNLocator(integer=True))
        left.legend(frameon=False)
        right.axline((0, 0), slope=1, color="0.5", linewidth=1, linestyle="--")
        right.scatter(
            known["gain"], known["shrunken"], s=float(np.clip(4_000 / len(known), 1, 18)),
            color=_SHRUNKEN, alpha=0.6, linewidths=0, rasterized=len(known) > _MANY_POINTS,
        )  # fmt: skip
        right.set_xlabel(plots.inscribe("raw gain"))
        right.set_ylabel(plots.inscribe("shrunken gain"))
    data = known[["county", "name", "gain", "shrunken", "shrunken_sd"]].reset_index()
    note = sentences(
        *_curse_words(known),
        say(
            "Shrunken towards what villages measured as well gain on average (empirical Bayes)."
        ),
        _left_words(frame, known),
        say(
            "Dashed: where the two are equal; gains beyond the outermost half per cent are in "
            "the outermost bars."
        ),
        say("In {unit}.", unit=shown.unit),
        gains.prices,
    )
    return plots.figure_exhibit(
        figure,
        name="gain_distribution",
        caption=say(_DISTRIBUTION),
        alt=sentences(
            say("Histograms of raw and shrunken gains, and dots of one against the other."),
            note,
        ),
        data=data.assign(unit=shown.unit),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _curse_words(known: pd.DataFrame) -> list[str]:
    """Say in numbers how much too high the highest raw gains are (the winner's curse)."""
    share = 0.01 if len(known) >= 1_000 else 0.1
    n = math.ceil(share * len(known))
    top = known.nlargest(n, "gain")
    raw, left = float(top["gain"].mean()), float(top["shrunken"].mean())
    spread, less = show_alike([known["gain"].std(), known["shrunken"].std()])
    means = show_alike([raw, left, raw - left])
    return [
        say(
            "The {share} of villages with the highest raw gains ({n:,}) have {raw} on average; "
            "after shrinkage the same villages have {left}: {luck} is taken for luck (the "
            "winner's curse).",
            share=show_share(share), n=n, raw=means[0], left=means[1],
            luck=means[2],
        ),
        say(
            "The standard deviation between villages is {raw} raw and {shrunken} shrunken.",
            raw=spread, shrunken=less,
        ),
    ]  # fmt: skip


def _left_words(frame: pd.DataFrame, known: pd.DataFrame) -> str:
    lost = int(frame["gain"].notna().sum()) - len(known)
    told = mark("{n:,} villages with a gain have no variance to shrink by.")
    return say(told, n=lost) if lost else ""


@needs_gains("gain_intervals", _CATERPILLAR, shrunken=True)
def plot_caterpillar(gains: StudyGains) -> Exhibit:
    """Draw villages' gains in order, with raw and robust empirical Bayes intervals."""
    shown, frame = gains.shown, gains.villages()
    known = frame[frame["shrunken"].notna() & frame["conf_low"].notna()]
    known = known.sort_values("gain", kind="stable")
    drawn = known
    if len(known) > _MOST_DRAWN:
        drawn = known.iloc[np.linspace(0, len(known) - 1, _MOST_DRAWN).round().astype(int)]
    x = np.arange(len(drawn))
    figure = plots.new_figure(8.0, 4.2)
    with plots.in_style():
        axes = figure.subplots()
        axes.axhline(0, color="0.4", linewidth=1)
        for shift, color, gain, low, high, name in (
            (-0.2, _RAW, "gain", "conf_low", "conf_high", mark("raw, from placebos")),
            (0.2, _SHRUNKEN, "shrunken", "shrunken_low", "shrunken_high",
             mark("shrunken, robust")),
        ):  # fmt: skip
            axes.vlines(
                x + shift, drawn[low], drawn[high], color=color, linewidth=1.1,
                label=plots.inscribe(name),
            )  # fmt: skip
            axes.plot(x + shift, drawn[gain], "o", color=color, markersize=2.5)
        axes.set_xlabel(plots.inscribe("villages, by raw gain"))
        axes.set_ylabel(plots.inscribe("gain, {axis}", axis=shown.axis))
        axes.set_xticks([])
        axes.margins(x=0.01)
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    columns = ["county", "name", "gain", "conf_low", "conf_high", "spread", "shrunken",
               "shrunken_low", "shrunken_high"]  # fmt: skip
    cut = say(
        "{n} of {all:,} villages are drawn, evenly spaced in this order.",
        n=len(drawn), all=len(known),
    )  # fmt: skip
    note = sentences(
        *_above_words(known, gains.found.options.alpha),
        cut if len(drawn) < len(known) else "",
        say("Intervals are nominally {level}.", level=gains.level),
        say(
            "A raw one covers on average over villages and by a village's true noise; by its "
            "spread as estimated it does not: in simulations with five untreated years a "
            "nominal 95% covered about .99 in the noisiest quarter of villages and about .88 "
            "in the quietest."
        ),
        say(
            "Robust empirical Bayes intervals (Armstrong, Kolesár, Plagborg-Møller 2022, "
            "doi:10.3982/ECTA18597) cover on average over villages, whatever the distribution "
            "of true gains."
        ),
        say("In {unit}.", unit=shown.unit),
        gains.prices,
    )
    return plots.figure_exhibit(
        figure,
        name="gain_intervals",
        caption=say(_CATERPILLAR),
        alt=sentences(say("Bars of villages' intervals in order of the raw gain."), note),
        data=drawn[columns].reset_index().assign(unit=shown.unit),
        simulated=gains.study_data.study.simulated,
        note=note,
    )


def _above_words(known: pd.DataFrame, alpha: float) -> list[str]:
    """Say how many raw intervals leave out zero, and how wide both kinds are.

    Shrunken intervals cover on average over villages: counting those without zero tests none.
    """
    n = len(known)
    away = int(((known["conf_low"] > 0) | (known["conf_high"] < 0)).sum())
    widths = show_alike(
        (known[f"{side}_high"] - known[f"{side}_low"]).median() for side in ("conf", "shrunken")
    )
    return [
        say(
            "Of {n:,} villages' raw intervals {away:,} leave out zero; if nobody had gained, "
            "about {chance:.0f} would by chance.",
            n=n, away=away, chance=alpha * n,
        ),
        say(
            "The median width is {raw} raw and {shrunken} shrunken.",
            raw=widths[0], shrunken=widths[1],
        ),
    ]  # fmt: skip
