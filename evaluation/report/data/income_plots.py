"""Figures on reported income: subsidies booked as income, and heaps above targets."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator, PercentFormatter

from evaluation.data.load import StudyData
from evaluation.data.money import parse_money
from evaluation.data.panel import Floats, Variable, VillagePanel
from evaluation.data.prices import study_deflators
from evaluation.data.study_panel import IncomeKind
from evaluation.language import mark, say, sentences
from evaluation.report import plots
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.digits import show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    COLORS,
    NEVER,
    STATES,
    mean_by_group,
    needs,
    panel_of,
    show_variable,
)

TARGETS = (5, 10)
"""Targets for a village's yearly collective income that programmes set, in 万元."""
_NEAR = 0.5  # 万元 from a target on, where heaps lie; bins as wide are what it is held against
_KINDS = [f"income_{kind}" for kind in get_args(IncomeKind)]
_FEW = 20  # village-years; where fewer are expected, no excess is given
_BIN, _TOP = 0.25, 15.0
_ARMS = (mark("treated villages"), mark("never treated villages"))
_SUBSIDIES = mark("Subsidies beside income")
_NEAR_TARGETS = mark("Reported income near targets")


@needs("income-kinds", "subsidies", _SUBSIDIES)
def plot_subsidies(study_data: StudyData) -> Exhibit:
    """Show subsidies beside the other income, for treated and never treated villages."""
    panel = panel_of(study_data)
    if "income_subsidy" not in panel.matrices:
        reason = say("This study does not give subsidies apart from other income.")
        return absent(study_data, "subsidies", say(_SUBSIDIES), reason)
    shown = show_variable(panel, panel.variables["income_subsidy"])
    subsidy = panel.matrix("income_subsidy") / shown.divisor
    total = _total_income(panel) / shown.divisor
    both = np.isfinite(subsidy) & np.isfinite(total)
    subsidy, total = np.where(both, subsidy, np.nan), np.where(both, total, np.nan)
    code = (~panel.is_treated).astype(np.intp)
    (aid, known), (whole, _) = (mean_by_group(m, code, 2) for m in (subsidy, total))
    share = np.divide(aid, whole, out=np.full_like(aid, np.nan), where=whole > 0)
    arms = [arm for arm in (0, 1) if (code == arm).any()]
    names = [plots.inscribe(name) for name in _ARMS]
    figure = plots.new_figure(7.6, 3.6)
    with plots.in_style():
        left, right = figure.subplots(1, 2)
        for arm in arms:
            style = {"color": COLORS[("treated", NEVER)[arm]], "markersize": 3}
            own = plots.inscribe("{arm}: without subsidies", arm=names[arm])
            aided = plots.inscribe("{arm}: subsidies", arm=names[arm])
            left.plot(panel.years, whole[arm] - aid[arm], "-o", label=own, **style)
            left.plot(panel.years, aid[arm], "--s", label=aided, **style)
            right.plot(panel.years, share[arm], "-o", **style)
        left.set_title(plots.inscribe("Mean income"))
        left.set_ylabel(shown.axis)
        right.set_title(plots.inscribe("Subsidies in all income"))
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        for axes in (left, right):
            axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
            axes.set_xlabel(plots.inscribe("year"))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
        figure.legend(loc="outside lower left", ncols=2, frameon=False)
    data = pd.DataFrame(
        [
            (_ARMS[arm], int(year), whole[arm, t] - aid[arm, t], aid[arm, t], share[arm, t],
             int(known[arm, t]), shown.unit)
            for arm in arms
            for t, year in enumerate(panel.years)
        ],
        columns=["villages", "year", "income_without_subsidies", "subsidies",
                 "share_of_subsidies", "n_villages", "unit"],
    )  # fmt: skip
    note = _subsidy_words(panel, aid, shown.unit)
    return plots.figure_exhibit(
        figure,
        name="subsidies",
        caption=say("Subsidies beside the other collective income"),
        alt=sentences(say("Lines of mean subsidies and other income by year."), note),
        data=data,
        simulated=study_data.study.simulated,
        note=note,
    )


def _subsidy_words(panel: VillagePanel, aid: Floats, unit: str) -> str:
    """Say what would pass for a gain if subsidies were taken for income."""
    before = np.flatnonzero(panel.years < np.nanmin(panel.cohort, initial=np.inf))
    words = say("A grant that is booked as income makes the gain equal to the treatment.")
    if not len(before) or before[-1] == len(panel.years) - 1 or not panel.is_treated.any():
        return words
    turn = before[-1] + 1
    means = pd.DataFrame(aid)
    rise = (means.iloc[:, turn:].mean(axis=1) - means.iloc[:, :turn].mean(axis=1)).tolist()
    if not np.isfinite(rise[0]):
        return words
    treated, other = show_alike(rise)
    told = say(
        "From the years to {last} to those since, the mean subsidies of treated villages "
        "changed by {change}{never} ({unit}, a year); with subsidies counted as income, the "
        "difference would pass for a gain.",
        last=panel.years[turn - 1],
        change=treated,
        never=say(", those of never treated ones by {n}", n=other) if other else "",
        unit=unit,
    )
    return sentences(told, words)


def _total_income(panel: VillagePanel) -> Floats:
    """Give all income with subsidies: the file's total, or the sum of its kinds."""
    kinds = [name for name in panel.matrices if name in _KINDS]
    total = ["income_total"] if "income_total" in kinds else kinds
    return np.asarray(np.sum([panel.matrix(name) for name in total], axis=0))


@needs("income-kinds", "bunching", _NEAR_TARGETS)
def plot_bunching(study_data: StudyData) -> Exhibit:
    """Draw the distribution of reported income, with the targets of 5 and 10 万元."""
    if reason := _why_no_targets(study_data):
        return absent(study_data, "bunching", say(_NEAR_TARGETS), reason)
    reported, income = _reported_by_state(study_data), _reported_income(panel_of(study_data))
    edges = np.arange(0, _TOP + _BIN / 2, _BIN)
    figure = plots.new_figure(7.2, 1.3 + 1.5 * len(reported))
    parts = []
    with plots.in_style():
        panels = figure.subplots(len(reported), sharex=True, squeeze=False)[:, 0]
        for axes, (state, values) in zip(panels, reported.items(), strict=True):
            counts, _ = np.histogram(values[values < _TOP], bins=edges)
            axes.bar(edges[:-1], counts, width=_BIN, align="edge", color=COLORS[state],
                     edgecolor="white", linewidth=0.3)  # fmt: skip
            for target in TARGETS:
                axes.axvline(target, color="firebrick", linestyle="--", linewidth=1)
            told, n = plots.inscribe(state), len(values)
            axes.set_title(plots.inscribe("{state} ({n:,} village-years)", state=told, n=n))
            axes.set_ylabel(plots.inscribe("village-years"))
            parts.append(
                pd.DataFrame(
                    {"state": state, "lower": edges[:-1], "upper": edges[1:], "n": counts}
                )
            )
        panels[-1].set_xlabel(plots.inscribe("10,000 yuan, prices of each year"))
        panels[-1].set_xticks(range(0, int(_TOP) + 1))
        panels[-1].set_xlim(0, _TOP)
    n_outside = sum(int(((v < 0) | (v >= _TOP)).sum()) for v in reported.values())
    note = sentences(
        say(
            "{income} as reported (nominal). A bar is {width} 万元 wide and holds its lower "
            "end; dashed: targets of 5 and 10 万元. {n:,} village-years below 0 or from "
            "{top:.0f} 万元 on are not drawn. The next table counts.",
            income=_name(income),
            width=_BIN,
            n=n_outside,
            top=_TOP,
        ),
    )
    return plots.figure_exhibit(
        figure,
        name="bunching",
        caption=say("Reported income near the targets of 5 and 10 万元"),
        alt=sentences(say("Histograms of reported income."), note),
        data=pd.concat(parts, ignore_index=True),
        simulated=study_data.study.simulated,
        note=note,
    )


@needs("income-kinds", "bunching_excess", mark("Excess just above targets"))
def bunching_table(study_data: StudyData) -> Exhibit:
    """Count village-years just above each target against those in bins near by."""
    caption = say("Village-years just above a target, against bins near by")
    if reason := _why_no_targets(study_data):
        return absent(study_data, "bunching_excess", caption, reason)
    data, income = bunching_frame(study_data), _reported_income(panel_of(study_data))
    cells = pd.DataFrame(
        {
            say("Village-years, by state"): [say(state) for state in data["state"]],
            say("Target, 万元"): data["target"],
            say("Just above"): [f"{n:,}" for n in data["n_above"]],
            say("Expected"): show_alike(data["expected"]),
            say("Excess"): [
                f"{e:+.0%}" if np.isfinite(e) else say("too few") for e in data["excess_share"]
            ],
        },
        dtype=object,
    )
    return Exhibit(
        name="bunching_excess",
        kind="table",
        caption=caption,
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(
            _bunching_words(data),
            say(
                "{income} as reported (nominal), in 万元 (10,000 yuan). Just above: less than "
                "{near} 万元 above the target. Expected: the mean of two stretches as wide, "
                "which begin {twice:.0f} 万元 below and {near} 万元 above it; that just below "
                "is left out, as heaps draw from it. Excess: by how much more are just above "
                "than expected; too few: fewer than {few} are expected.",
                income=_name(income),
                near=_NEAR,
                twice=2 * _NEAR,
                few=_FEW,
            ),
        ),
    )


def bunching_frame(study_data: StudyData) -> pd.DataFrame:
    """Give the counts near targets.

    Returns
    -------
    DataFrame with state, target t, n_above (in [t, t + 0.5) 万元), n_below (in [t - 1,
    t - 0.5)), n_beyond (in [t + 0.5, t + 1)), expected (the mean of these two) and
    excess_share (n_above / expected - 1, NaN where fewer than 20 are expected).

    Notes
    -----
    The bin just below a target is not used: figures that are raised to the target leave it.
    """
    rows = []
    for state, values in _reported_by_state(study_data).items():
        for target in TARGETS:
            below, above, beyond = (
                int(((values >= low) & (values < low + _NEAR)).sum())
                for low in (target - 2 * _NEAR, target, target + _NEAR)
            )
            expected = (below + beyond) / 2
            excess = above / expected - 1 if expected >= _FEW else np.nan
            rows.append((state, target, above, below, beyond, expected, excess))
    columns = ["state", "target", "n_above", "n_below", "n_beyond", "expected", "excess_share"]
    return pd.DataFrame(rows, columns=columns)


def _reported_income(panel: VillagePanel) -> Variable:
    return panel.variables.get("income_total") or panel.variables["income"]


def _name(income: Variable) -> str:
    label = income.label.replace("_", " ").capitalize()
    return label if label == income.column else f"{label} ({income.column})"


def _why_no_targets(study_data: StudyData) -> str:
    """Say why nominal targets in yuan do not apply to reported income; '' if they do."""
    panel, prices = panel_of(study_data), study_data.study.prices
    income = _reported_income(panel)
    money = parse_money(income.unit)
    if money is None or money.currency != "CNY" or income.scale != "level":
        return say("Reported income is not in yuan: the targets of 5 and 10 万元 do not apply.")
    if prices and prices.basis == "real":
        return say(
            "The file's income is already in prices of {year}: the targets of 5 and 10 万元 "
            "are of money as reported each year, and do not apply.",
            year=prices.base_year,
        )
    known = np.isfinite(panel.matrix(income.name)).any()
    return "" if known else say("No village-year has a reported income.")


def _bunching_words(data: pd.DataFrame) -> str:
    known = data[np.isfinite(data["excess_share"])]
    if known.empty:
        return say("Fewer than {n} village-years are expected just above every target.", n=_FEW)
    shown = known.assign(state=known["state"].map(say), told=show_alike(known["expected"]))
    texts = [
        say("{state} at {target}: {n_above:,} against {told} ({excess_share:+.0%})", **row)
        for row in shown.to_dict("records")
    ]
    return say("Just above a target against expected: {texts}.", texts=say("; ").join(texts))


def _reported_by_state(study_data: StudyData) -> dict[str, Floats]:
    """Give income as reported, in 万元 of each year, by what a village is in the year."""
    panel = panel_of(study_data)
    factors = study_deflators(study_data.study, panel.years)
    # Rounded to whole yuan: 5 万元 deflated and back must not fall below 5.
    reported = np.round(panel.matrix(_reported_income(panel).name) / factors / 10_000, 4)
    treated, ever = panel.treated_cells, panel.is_treated[:, None]
    members, known = (treated, ever & ~treated, ~ever & ~treated), np.isfinite(reported)
    found = {s: reported[m & known] for s, m in zip(STATES, members, strict=True)}
    return {state: values for state, values in found.items() if len(values)}
