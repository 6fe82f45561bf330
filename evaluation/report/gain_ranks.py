"""Who gained most, as far as it can be told: ranks of counties, a selection of villages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from evaluation.errors import DesignError
from evaluation.gains.clusters import fewest_clusters
from evaluation.gains.inference import n_needed
from evaluation.gains.ranking import Ranks, rank_groups
from evaluation.gains.selection import ENOUGH_RELIABILITY, select_top
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.gain_study import StudyGains, name_counties, name_village, needs_gains
from evaluation.report.gain_words import (
    cluster_of,
    count_places,
    show_chance,
    show_interval,
    show_share,
)
from evaluation.report.village_words import COLORS, label_counties, money_note, show_number

_MOST_ROWS = 60
_RANKS = "Ranks of counties by mean gain, with confidence sets"
_SELECTED = "Villages that are likely to be among the top"


@needs_gains("county_ranks", _RANKS)
def rank_table(gains: StudyGains) -> Exhibit:
    """Rank counties by mean gain, with simultaneous confidence sets for the ranks."""
    ranks, how = _rank_counties(gains)
    if ranks is None:
        return absent(gains.study_data, "county_ranks", _RANKS, how)
    shown, data = gains.shown, _rank_data(ranks, gains)
    rows = data.head(_MOST_ROWS)
    cells = pd.DataFrame(
        {
            "County": name_counties(gains.study_data.study, pd.Index(rows["county"])),
            "Gain": [show_number(value) for value in rows["estimate"]],
            "Standard error": [show_number(value) for value in rows["se"]],
            "Rank": ["" if pd.isna(rank) else f"{rank}" for rank in rows["rank"]],
            "Ranks that it may have": [
                row["reason"]
                if pd.isna(row["rank"])
                else _ranks_words(row["rank_low"], row["rank_high"])
                for row in rows.to_dict("records")
            ],
        },
        dtype=object,
    )
    cut = f"The first {_MOST_ROWS} of {len(data):,}. " if len(rows) < len(data) else ""
    return Exhibit(
        name="county_ranks",
        kind="table",
        caption=_RANKS,
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=" ".join(
            f"{ranks.summary()} {cut} {how} Counties are taken as independent of one another "
            "(Mogstad, Romano, Shaikh, Wilhelm 2024, doi:10.1093/restud/rdad006). In "
            f"{shown.unit}. {money_note(shown)}".split()
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
        axes.set_xlabel("rank, 1 for the largest mean gain")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    cut = f"The first {len(drawn)} of {len(ranked):,}." if len(drawn) < len(ranked) else ""
    return plots.figure_exhibit(
        figure,
        name="county_ranks_plot",
        caption=_RANKS,
        alt=f"Bars of the ranks that each county may have. {ranks.summary()}",
        data=data,
        simulated=gains.study_data.study.simulated,
        note=" ".join(f"{ranks.summary()} {cut} {key} {how}".split()),
    )


def _rank_counties(gains: StudyGains) -> tuple[Ranks | None, str]:
    """Rank counties by the estimates that have standard errors; else say why there are none."""
    for found, words in (
        (gains.found, ""),
        (gains.within, "Gains are estimated with year effects by county."),
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
        return "Treated villages with a gain are in one county: there is nothing to rank."
    by_county = gains.within
    if gains.found.options.year_effects == "common":
        places = count_places(n_needed(alpha), "county")
        needs.append(f"comparison villages in {places} (here {_span(frame['n_clusters'])})")
    else:
        by_county = gains.found
    if by_county is not None:
        places = count_places(fewest_clusters(alpha), cluster_of(by_county, "county"))
        here = _span(by_county.by("county")["n_clusters"])
        needs.append(f"{places} within each county (here {here})")
    ways = ["read the table of gains by county as a description", "add counties"]
    ways += ["compare villages (next table)"] if gains.shrunken else []
    return (
        f"A rank needs a standard error of each county's mean gain: {', or '.join(needs)}. "
        f"What can be done: {', '.join(ways[:-1])}, or {ways[-1]}."
    )


def _span(counts: pd.Series[int]) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low}" if low == high else f"{low} to {high}"


def _rank_data(ranks: Ranks, gains: StudyGains) -> pd.DataFrame:
    frame = ranks.to_frame().rename(columns={"group": "county"})
    frame[["estimate", "se"]] /= gains.shown.divisor
    return frame.sort_values("rank", kind="stable").assign(unit=gains.shown.unit)


def _ranks_words(low: Any, high: Any) -> str:
    return f"{low}" if low == high else f"{low} to {high}"


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
    cells = pd.DataFrame(
        {
            "Village": names,
            **({"Key": keys} if keys != names else {}),
            "County": name_counties(gains.study_data.study, pd.Index(rows["county"])),
            "Town": rows["town"],
            "Among the top": [show_chance(p) for p in rows["tail_probability"]],
            "Shrunken gain": [show_number(value) for value in rows["shrunken"]],
            "Robust interval": [
                show_interval(*ends)
                for ends in rows[["shrunken_low", "shrunken_high"]].to_numpy()
            ],
            "Raw gain": [show_number(value) for value in rows["gain"]],
        },
        dtype=object,
    )
    wrong = (
        f"The expected false discovery rate among them is {chosen.expected_fdr:.1%}"
        if chosen.n_selected
        else "No village is certain enough to be selected"
    )
    say_little = (
        f"below {ENOUGH_RELIABILITY:.2f}: ranks of single villages say little"
        if not chosen.reliability > ENOUGH_RELIABILITY
        else f"above {ENOUGH_RELIABILITY:.2f}, so that ranks of single villages say something"
    )
    cut = f"The first {_MOST_ROWS} are shown. " if len(rows) < len(data) else ""
    return Exhibit(
        name="selected_villages",
        kind="table",
        caption=f"{_SELECTED} {show_share(top_share)}",
        data=data,
        body=html_table(cells),
        simulated=gains.study_data.study.simulated,
        note=(
            f"{chosen.n_selected:,} of {int(chosen.tail_probability.notna().sum()):,} villages "
            f"are selected as being among the top {show_share(top_share)}, those with a true "
            f"gain above {show_number(chosen.threshold)}. {wrong}; up to {show_share(fdr)} is "
            f"tolerated. The reliability of gains is {chosen.reliability:.2f}, {say_little}. "
            "Among the top: the probability of it, given the data. Raw gains stand beside the "
            "shrunken ones, never alone: by raw gain a list of the best is a list of the "
            f"lucky too. {cut}In {shown.unit}. {gains.prices} {money_note(shown)}"
        ).strip(),
    )
