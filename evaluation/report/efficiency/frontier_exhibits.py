"""How near villages are to the best observed, and how much of that is luck."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.efficiency.frontier import Frontier
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency.frontier_units import (
    ALPHA,
    FrontierUnits,
    Level,
    frontier_units,
    share_reached,
    shrink_units,
)
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import name_with_all
from evaluation.report.gains.words import show_share
from evaluation.report.village_words import COLORS, label_counties

_TABLE = mark("How near villages are to the best observed: data envelopment analysis")
_PLOT = mark("Share of the best observed output that villages reach, by county")
_PEERS = 3  # named
_MOST = 20  # counties drawn
_HEIGHTS = (-0.12, 0.12, -0.06, 0.06, 0.0)  # of neighbouring dots within a row
_NOISE = mark(
    "The method knows no noise: whatever falls short of the frontier counts as inefficiency, "
    "and a gain estimated too high lifts the frontier for all others. It is made of the "
    "luckiest as well as of the best, and shares are too low where gains are noisy."
)


@NeedsFound("frontier", _TABLE)
def frontier_table(
    efficiency: StudyEfficiency, *, level: Level = "village", n_draws: int = 200
) -> Exhibit:
    """Show what share of the best observed outputs units reach: counties' means, no ranking.

    Parameters
    ----------
    efficiency
        As `estimate_study_efficiency` gives it.
    level
        What is measured; one higher where there are more than can be.
    n_draws
        Of the bootstrap; 0 for no intervals, at once.
    """
    units = frontier_units(efficiency, level, n_draws)
    found = units.measure(n_draws)
    shares = share_reached(found).assign(county=units.frame["county"])
    groups = {str(name): part for name, part in shares.groupby("county")}
    labels, rows = name_with_all(efficiency.study_data.study, pd.Index(list(groups)))
    parts = [*groups.items(), ("all", shares)][rows]
    data = pd.DataFrame([_summarise(part, name) for name, part in parts])
    cells = pd.DataFrame(
        {
            say("County"): labels,
            units.plural.capitalize(): [f"{n:,}" for n in data["n_units"]],
            say("On the frontier"): [f"{n:,}" for n in data["n_frontier"]],
            say("Share reached, mean"): [f"{x:.2f}" for x in data["reached"]],
            say("Middle half"): _between(data["quarter"], data["three_quarters"]),
            say("Corrected for bias"): [f"{x:.2f}" if x > 0 else "" for x in data["corrected"]],
            say("Interval of a {unit}", unit=say(units.level)): _between(
                data["conf_low"], data["conf_high"]
            ),
        },
        dtype=object,
    )
    if units.level == "village":  # so that rows of few are seen to be that
        data["n_villages"] = data["n_units"]
    note = sentences(
        *_reading(efficiency, units, data.iloc[-1]), _peer_words(efficiency, units, found),
        say(_NOISE), _luck_words(efficiency, units, shares), _interval_words(units, found),
        *(say("{text}.", text=text) for text in found.warnings), units.left_out,
    )  # fmt: skip
    caption = say(
        "How near {units} are to the best observed: data envelopment analysis",
        units=units.plural,
    )
    return efficiency.table(
        "frontier", caption, cells=cells, note=note,
        data=data.assign(
            level=units.level, inputs=", ".join(units.inputs), outputs=", ".join(units.outputs)
        ),
    )  # fmt: skip


@NeedsFound("frontier_plot", _PLOT)
def plot_frontier(efficiency: StudyEfficiency, *, level: Level = "village") -> Exhibit:
    """Draw the shares that units reach, by county, from raw and from shrunken gains."""
    units = frontier_units(efficiency, level, 0)
    data = share_reached(units.measure(0))[["reached", "best"]].assign(
        county=units.frame["county"]
    )
    series = [("reached", COLORS["treated"], "o", mark("mean, gains as estimated"), -0.17)]
    shrunken = shrink_units(efficiency, units)
    if shrunken is not None:
        data[["reached_shrunken", "best_shrunken"]] = share_reached(shrunken.measure(0))[
            ["reached", "best"]
        ]
        series.append(
            ("reached_shrunken", COLORS["2"], "s", mark("mean, shrunken gains"), 0.17)
        )
    order = data["county"].value_counts().index
    drawn = [str(name) for name in order[:_MOST]]
    labels, key = label_counties(efficiency.study_data.study, drawn)
    figure = plots.new_figure(7.2, 1.7 + 0.55 * len(drawn))
    with plots.in_style():
        axes = figure.subplots()
        for column, color, marker, words, shift in series:
            for place, county in enumerate(drawn):
                own = data.loc[data["county"] == county, column].sort_values()
                height = place + shift + np.resize(_HEIGHTS, len(own))
                axes.plot(own, height, ".", color=color, markersize=6, alpha=0.55)
                axes.plot(
                    own.mean(), place + shift, marker, color=color, markersize=8,
                    markeredgecolor="black", linestyle="none", zorder=4,
                    label=plots.inscribe(words) if place == 0 else "",
                )  # fmt: skip
        axes.set_yticks(range(len(drawn)), list(labels.values()))
        axes.set_ylim(len(drawn) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        axes.set_xlim(0, 1.02)
        axes.set_xlabel(plots.inscribe("share of the best observed output"))
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    rest = len(order) - len(drawn)
    note = sentences(
        *_compare_words(data, units, shrunken),
        say("Small dots: {units}.", units=units.plural), say(_NOISE),
        say("{n} counties with fewer are not drawn.", n=rest) if rest else "",
        units.left_out, efficiency.basis, key,
    )  # fmt: skip
    return plots.figure_exhibit(
        figure,
        name="frontier_plot",
        caption=say(
            "Share of the best observed output that {units} reach, by county",
            units=units.plural,
        ),
        alt=sentences(say("Dots of the share reached, a row a county, with means."), note),
        data=data.rename_axis("unit").reset_index().assign(level=units.level),
        simulated=efficiency.study_data.study.simulated,
        note=note,
    )


def _summarise(shares: pd.DataFrame, county: str) -> dict[str, object]:
    """Give counts, means and quartiles; the interval is the median unit's."""
    reached = shares["reached"]
    return {
        "county": county,
        "n_units": len(shares),
        "n_frontier": int(shares["best"].sum()),
        "reached": reached.mean(),
        "quarter": reached.quantile(0.25),
        "three_quarters": reached.quantile(0.75),
        "corrected": shares["corrected"].mean(),
        "conf_low": shares["conf_low"].median(),
        "conf_high": shares["conf_high"].median(),
    }


def _between(low: pd.Series[float], high: pd.Series[float]) -> list[Markup]:
    return [
        Markup('<span class="number">{}</span>').format(
            say("{low:.2f} to {high:.2f}", low=a, high=b) if a > 0 else ""
        )
        for a, b in zip(low, high, strict=True)
    ]


def _reading(
    efficiency: StudyEfficiency, units: FrontierUnits, all_: pd.Series[Any]
) -> list[str]:
    inputs = mark("as much money")
    if "households" in units.inputs:
        inputs = mark("as much money and as many households")
    corrected = say(" ({mean:.2f} corrected for bias)", mean=all_["corrected"])
    return [
        say(
            "{units} reach on average {mean:.2f}{corrected} of what the best observed have "
            "with {inputs}: {best:,} of {n:,} are on the frontier.",
            units=units.plural.capitalize(), mean=all_["reached"], inputs=say(inputs),
            corrected=corrected if all_["corrected"] > 0 else "",
            best=all_["n_frontier"], n=all_["n_units"],
        ),
        say(
            "Inputs: {inputs}; outputs: {outputs}. A share says by how much all outputs "
            "together fall short, with variable returns to scale.",
            inputs=_amount_words(efficiency, units.inputs),
            outputs=_amount_words(efficiency, units.outputs),
        ),
    ]  # fmt: skip


def _amount_words(efficiency: StudyEfficiency, names: list[str]) -> str:
    found = efficiency.found
    yearly = found.horizon == "annual"
    words = {
        "money": say("money {stage}", stage=say(found.spending.stage)),
        "households": say("households"),
        "gain": say("the gain a year") if yearly else say("the gain in all years"),
        "jobs": say("jobs of projects"),
    }
    return commas(words[name] for name in names)


def _peer_words(efficiency: StudyEfficiency, units: FrontierUnits, found: Frontier) -> str:
    """Name the units that most others are measured against."""
    others = found.lambdas[found.lambdas["unit"] != found.lambdas["peer"]]
    counts = others["peer"].value_counts()
    if counts.empty:
        return ""
    names = efficiency.found.gains.panel.villages["name"].astype(str)
    shown = [
        say(
            "{village} ({county})",
            village=names[peer] or peer, county=units.frame.loc[peer, "county"],
        )
        if units.level == "village"
        else str(peer)
        for peer in counts.index[:_PEERS]
    ]  # fmt: skip
    listed = [
        say("{name} of {n:,}", name=name, n=n) for name, n in zip(shown, counts, strict=False)
    ]
    return say(
        "Peers: {peers} of the other {n:,} {units}.",
        peers=commas(listed), n=len(units.frame) - 1, units=units.plural,
    )  # fmt: skip


def _luck_words(efficiency: StudyEfficiency, units: FrontierUnits, shares: pd.DataFrame) -> str:
    """Say how wide the intervals of the gains are that make the frontier."""
    if units.level != "village":
        return ""
    best = efficiency.found.villages.loc[shares.index[shares["best"]]]
    reach = (best["conf_high"] - best["conf_low"]).mean() / 2
    if np.isnan(reach):
        return ""
    return say(
        "Gains on the frontier have intervals that reach {share:.0%} of the gain to either "
        "side on average.",
        share=reach / best["gain"].mean(),
    )


def _interval_words(units: FrontierUnits, found: Frontier) -> str:
    """Say what the bootstrap's intervals are and are not, or why there are none."""
    reason = str(found.units["reason"].iloc[0])
    if reason:
        return say("No intervals: {why}.", why=reason)
    return say(
        "Bias and {level} intervals: bootstrap of Simar and Wilson (1998, "
        "doi:10.1287/mnsc.44.1.49), {draws:,} draws; correcting takes out more than the noise "
        "it adds for {worth:,} of {n:,}. Intervals (the median {unit}'s ends) hold for which "
        "units were observed, not for errors in gains, and cover less than they say where "
        "units are few.",
        level=show_share(1 - ALPHA), draws=found.n_draws, n=len(found.units),
        worth=int(found.units["worth_correcting"].sum()), unit=say(units.level),
    )  # fmt: skip


def _compare_words(
    data: pd.DataFrame, units: FrontierUnits, shrunken: FrontierUnits | None
) -> list[str]:
    """Say how the shares change once luck is taken out of the gains."""
    mean, n = data["reached"].mean(), len(data)
    if shrunken is None:
        return [
            say(
                "{n:,} {units} reach on average {mean:.2f} of the best observed.",
                n=n, units=units.plural, mean=mean,
            ),
            say(
                "Shrunken gains are not drawn: it takes villages' mean gains in levels, all "
                "above zero once shrunken."
            ),
        ]  # fmt: skip
    return [
        say(
            "{n:,} {units} reach on average {mean:.2f} of the best observed, and {other:.2f} "
            "where gains are shrunken towards what villages measured as well gain; {stay:,} of "
            "{best:,} on the frontier stay on it, and ranks go together with a correlation of "
            "{ranks:.2f}.",
            n=n, units=units.plural, mean=mean, other=data["reached_shrunken"].mean(),
            stay=int((data["best"] & data["best_shrunken"]).sum()),
            best=int(data["best"].sum()),
            ranks=data["reached"].corr(data["reached_shrunken"], method="spearman"),
        )
    ]  # fmt: skip
