"""Who gained most, as far as it can be told: ranks of counties, a selection of villages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.errors import DesignError
from evaluation.gains.clusters import fewest_clusters
from evaluation.gains.placebos import n_needed
from evaluation.gains.ranking import Ranks, rank_groups
from evaluation.gains.selection import ENOUGH_RELIABILITY, select_top
from evaluation.language import commas, mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains.study import (
    StudyGains,
    name_counties,
    name_village,
    needs_gains,
)
from evaluation.report.gains.words import (
    cluster_of,
    count_places,
    show_chance,
    show_interval,
    show_share,
)
from evaluation.report.village_words import COLORS, label_counties, money_note

_MOST_ROWS = 60
_RANKS = mark("Ranks of counties by mean gain, with confidence sets")
_SELECTED = mark("Villages that are likely to be among the top")


@needs_gains("county_ranks", _RANKS)
def rank_table(gains: StudyGains) -> Exhibit:
    """Rank counties by mean gain, with simultaneous confidence sets for the ranks."""
    ranks, how = _rank_counties(gains)
    if ranks is None:
        return absent(gains.study_data, "county_ranks", say(_RANKS), how)
    shown, data = gains.shown, _rank_data(ranks, gains)
    rows = data.head(_MOST_ROWS)
    cells = pd.DataFrame(
        {
            say("County"): name_counties(gains.study_data.study, pd.Index(rows["county"])),
            say("Gain"): show_alike(rows["estimate"]),
            say("Standard error"): show_alike(rows["se"]),
            say("Rank"): ["" if pd.isna(rank) else f"{rank}" for rank in rows["rank"]],
            say("Ranks that it may have"): [
                row["reason"]
                if pd.isna(row["rank"])
                else _span(row["rank_low"], row["rank_high"])
                for row in rows.to_dict("records")
            ],
        },
        dtype=object,
    )
    return Exhibit(
        name="county_ranks",
        kind="table",
        caption=say(_RANKS),
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=sentences(
            ranks.summary(),
            _cut(len(rows), len(data)),
            how,
            say(
                "Counties are taken as independent of one another (Mogstad, Romano, Shaikh, "
                "Wilhelm 2024, doi:10.1093/restud/rdad006)."
            ),
            say("In {unit}.", unit=shown.unit),
            money_note(shown),
        ),
    )


@needs_gains("county_ranks_plot", _RANKS)
def plot_ranks(gains: StudyGains) -> Exhibit | None:
    """Draw counties' ranks with their confidence sets; nothing where `rank_table` has none."""
    ranks, how = _rank_counties(gains)
    if ranks is None:
        return None
    data = _rank_data(ranks, gains)
    ranked = data[data["rank"].notna()]
    drawn = ranked.head(_MOST_ROWS)
    labels, key = label_counties(gains.study_data.study, drawn["county"])
    y = np.arange(len(drawn))
    figure = plots.new_figure(6.8, 1.1 + 0.27 * len(drawn))
    with plots.in_style():
        axes = figure.subplots()
        low, high = (drawn[name].astype(float) for name in ("rank_low", "rank_high"))
        axes.hlines(y, low, high, color=COLORS["treated"], linewidth=4, alpha=0.35)
        axes.plot(drawn["rank"].astype(float), y, "o", color=COLORS["treated"], markersize=5)
        axes.set_yticks(y, [labels[name] for name in drawn["county"]])
        axes.set_ylim(len(drawn) - 0.3, -0.7)
        axes.set_xlim(0.5, len(ranked) + 0.5)
        axes.set_xlabel(plots.inscribe("rank, 1 for the largest mean gain"))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return plots.figure_exhibit(
        figure,
        name="county_ranks_plot",
        caption=say(_RANKS),
        alt=sentences(say("Bars of the ranks that each county may have."), ranks.summary()),
        data=data,
        simulated=gains.study_data.study.simulated,
        note=sentences(ranks.summary(), _cut(len(drawn), len(ranked)), key, how),
    )


def _cut(n: int, of: int) -> str:
    return say("The first {n} of {all:,}.", n=n, all=of) if n < of else ""


def _rank_counties(gains: StudyGains) -> tuple[Ranks | None, str]:
    """Rank counties by the estimates that have standard errors; else say why there are none."""
    for found, words in (
        (gains.found, ""),
        (gains.within, say("Gains are estimated with year effects by county.")),
    ):
        if found is None:
            continue
        frame = found.by("county")
        with suppress(DesignError):
            ranks = rank_groups(
                frame["estimate"], standard_errors=frame["se"], alpha=found.options.alpha
            )
            return ranks, words
    return None, _why_no_ranks(gains)


def _why_no_ranks(gains: StudyGains) -> str:
    """Say what ranks of counties need, what there is, and what can be done."""
    alpha, needs = gains.found.options.alpha, []
    frame = gains.found.by("county")
    if len(frame) < 2:
        return say("Treated villages with a gain are in one county: there is nothing to rank.")
    by_county = gains.within
    if gains.found.options.year_effects == "common":
        places = count_places(n_needed(alpha), "county")
        here = _span(frame["n_clusters"].min(), frame["n_clusters"].max())
        needs.append(say("comparison villages in {places} (here {n})", places=places, n=here))
    else:
        by_county = gains.found
    if by_county is not None:
        places = count_places(fewest_clusters(alpha), cluster_of(by_county, "county"))
        needs.append(say("{places} of about equal weight within each county", places=places))
    ways = [say("read the table of gains by county as a description"), say("add counties")]
    ways += [say("compare villages (next table)")] if gains.shrunken else []
    return sentences(
        say(
            "A rank needs a standard error of each county's mean gain: {needs}.",
            needs=_either(needs),
        ),
        say("What can be done: {ways}.", ways=_either(ways)),
    )


def _either(items: list[str]) -> str:
    """List alternatives: "a, b, or c"."""
    *first, last = items
    return say("{first}, or {last}", first=commas(first), last=last) if first else last


def _rank_data(ranks: Ranks, gains: StudyGains) -> pd.DataFrame:
    frame = ranks.to_frame().rename(columns={"group": "county"})
    frame[["estimate", "se"]] /= gains.shown.divisor
    return frame.sort_values("rank", kind="stable").assign(unit=gains.shown.unit)


def _span(low: Any, high: Any) -> str:
    return f"{low}" if low == high else say("{low} to {high}", low=low, high=high)


@needs_gains("selected_villages", _SELECTED, shrunken=True)
def selected_villages_table(
    gains: StudyGains, *, top_share: float = 0.1, fdr: float = 0.1
) -> Exhibit:
    """Select villages that are likely to be among the top by true gain.

    Parameters
    ----------
    top_share
        The top that is sought.
    fdr
        The expected share of wrong ones among the selected that is tolerated.
    """
    frame, shown = gains.villages(), gains.shown
    chosen = select_top(frame["shrunken"], frame["shrunken_sd"], share=top_share, fdr=fdr)
    data = frame.join(chosen.to_frame())
    data = data[data["selected"]].sort_values("tail_probability", ascending=False)
    columns = ["county", "town", "name", "shrunken", "shrunken_low", "shrunken_high", "gain",
               "conf_low", "conf_high", "tail_probability"]  # fmt: skip
    data = data[columns].reset_index().assign(unit=shown.unit)
    rows = data.head(_MOST_ROWS)
    keys, names = rows["village"].astype(str).to_list(), name_village(rows.set_index("village"))
    decimals = shared_decimals(np.ravel(rows[["gain", "shrunken", "shrunken_low"]]))
    [threshold] = show_alike([chosen.threshold], decimals=decimals)
    cells = pd.DataFrame(
        {
            say("Village"): names,
            **({say("Key"): keys} if keys != names else {}),
            say("County"): name_counties(gains.study_data.study, pd.Index(rows["county"])),
            say("Town"): rows["town"],
            say("Among the top"): [show_chance(p) for p in rows["tail_probability"]],
            say("Shrunken gain"): show_alike(rows["shrunken"], decimals=decimals),
            say("Robust interval"): [
                show_interval(*ends, decimals=decimals)
                for ends in rows[["shrunken_low", "shrunken_high"]].to_numpy()
            ],
            say("Raw gain"): show_alike(rows["gain"], decimals=decimals),
        },
        dtype=object,
    )
    wrong = mark("No village is certain enough to be selected; up to {fdr} is tolerated.")
    if chosen.n_selected:
        wrong = mark(
            "The expected false discovery rate among them is {rate:.1%}; up to {fdr} is "
            "tolerated."
        )
    reliable = mark(
        "The reliability of gains is {r:.2f}, below {enough:.2f}: ranks of single villages say "
        "little."
    )
    if chosen.reliability > ENOUGH_RELIABILITY:
        reliable = mark(
            "The reliability of gains is {r:.2f}, above {enough:.2f}, so that ranks of single "
            "villages say something."
        )
    top, known = show_share(top_share), int(chosen.tail_probability.notna().sum())
    note = sentences(
        say(
            "{n:,} of {all:,} villages are selected as being among the top {share}, those with "
            "a true gain above {threshold}.",
            n=chosen.n_selected, all=known, share=top, threshold=threshold,
        ),
        say(wrong, rate=chosen.expected_fdr, fdr=show_share(fdr)),
        say(reliable, r=chosen.reliability, enough=ENOUGH_RELIABILITY),
        say("Among the top: the probability of it, given the data."),
        say(
            "Raw gains stand beside the shrunken ones, never alone: by raw gain a list of the "
            "best is a list of the lucky too."
        ),
        say("The first {n} are shown.", n=_MOST_ROWS) if len(rows) < len(data) else "",
        say("In {unit}.", unit=shown.unit),
        gains.prices,
        money_note(shown),
    )  # fmt: skip
    return Exhibit(
        name="selected_villages",
        kind="table",
        caption=say("Villages that are likely to be among the top {share}", share=top),
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=note,
    )
