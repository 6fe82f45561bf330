"""Many outcomes at once: p-values that hold for a family of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.data.panel import OutcomeScale, VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by, tell_p
from evaluation.effects.checks.side_by_side import (
    NOTHING_THERE,
    average_error,
    average_row,
    excludes_zero,
)
from evaluation.effects.clustered import adjust_holm
from evaluation.errors import DesignError
from evaluation.gains.clusters import takes_part
from evaluation.gains.moments import Floats
from evaluation.language import commas, mark, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_BLOCK = 2_000_000  # random signs held at once
_SMALLEST = 1e-6  # of the p-values that are drawn
_MARKS = (
    ("p_value", "o", 3, mark("by itself")), ("p_holm", "s", 6, "Holm"),
    ("p_romano_wolf", "D", 9, "Romano-Wolf"),
)  # fmt: skip


def romano_wolf(estimates: Floats, parts: Floats, *, seed: int, n_draws: int = 4_999) -> Floats:
    """Adjust p-values for the number of estimates, by Romano and Wolf's stepdown.

    Parameters
    ----------
    estimates
        K; NaN where there is none.
    parts
        C x K: what each cluster adds to the estimates' errors, so that their squares add up to
        the variances.
    seed
        Of the draws.
    n_draws
        How many.

    Returns
    -------
    K p-values; NaN where an estimate is, or its parts are all zero.

    Notes
    -----
    With t_k = |estimate_k| / se_k in descending order, p_k is the share of draws in which the
    largest t of the estimates from the k-th on is no smaller, and no smaller than p of those
    before (Romano, Wolf 2005, doi:10.1198/016214504000000539; computed as in Romano, Wolf
    2016, doi:10.1016/j.spl.2016.02.012, the estimate itself counted as a draw). Draws flip the
    signs of clusters (Rademacher), alike in all estimates, and so keep their correlation:
    that is what makes p-values smaller than Holm's. The family-wise error is held for many
    clusters, or errors symmetric about zero; C clusters have only 2^C signs.

    Examples
    --------
    >>> parts = np.random.default_rng(0).normal(size=(50, 1)) * np.ones(3)
    >>> romano_wolf(np.array([0.0, 60.0, np.nan]), parts, seed=1).tolist()
    [1.0, 0.0002, nan]
    """
    some = parts[takes_part(parts)]
    se = np.sqrt((some**2).sum(axis=0))
    known = np.flatnonzero(np.isfinite(estimates) & (se > 0))
    t = np.abs(estimates[known]) / se[known]
    order = np.argsort(-t, kind="stable")
    standard = some[:, known[order]] / se[known[order]]
    reached = np.zeros(len(order))
    rng, step = np.random.default_rng(seed), max(1, _BLOCK // max(len(some), 1))
    for start in range(0, n_draws, step):
        size = (min(step, n_draws - start), len(some))
        signs = rng.integers(0, 2, size, dtype=np.int8) * 2.0 - 1
        drawn = np.abs(signs @ standard)
        largest = np.maximum.accumulate(drawn[:, ::-1], axis=1)[:, ::-1]
        reached += (largest >= t[order] * (1 - 1e-12)).sum(axis=0)
    adjusted = np.full(len(estimates), np.nan)
    adjusted[known[order]] = np.maximum.accumulate((1 + reached) / (1 + n_draws))
    return adjusted


def adjust_p_values(
    p_values: Floats, estimates: Floats, parts: Floats, *, seed: int
) -> pd.DataFrame:
    """Give p-values (K, NaN where there is none) by themselves and adjusted in two ways.

    p_holm (Holm 1979) holds whatever the correlation; p_romano_wolf is at least p_value, which
    few clusters may make larger than signs do.
    """
    known = np.where(np.isfinite(p_values), estimates, np.nan)
    frame = pd.DataFrame({"p_value": p_values})
    stepdown = np.maximum(romano_wolf(known, parts, seed=seed), p_values)
    return frame.assign(p_holm=adjust_holm(frame["p_value"]), p_romano_wolf=stepdown)


@asks(
    mark("Many outcomes at once"),
    mark("Is the effect still more than chance, with all outcomes looked at counted?"),
    theme="chance",
    if_failed=mark(
        "with all outcomes that were looked at taken together, the effect may be the luckiest "
        "of them"
    ),
)
def check_outcome_families(subject: Subject) -> Check:
    """Adjust the effect's p-value for the other outcomes that were looked at.

    Notes
    -----
    Families: the outcome with all kinds of income, and with all other outcomes; each estimated
    in levels by the same imputation and clusters. Passed if the outcome's own p-value, adjusted
    by `romano_wolf`, stays below alpha in each; informational if the effect's interval holds
    zero anyway.
    """
    panel, alpha = subject.panel, subject.gains.options.alpha
    families = _list_families(panel)
    if not families:
        raise DesignError(say("the panel has no other outcome."))
    main = average_row(subject.gains)
    if np.isnan(main["p_value"]):
        raise DesignError(say("the effect has no p-value: {reason}.", reason=main["reason"]))
    found: dict[str, tuple[dict[str, Any], Floats]] = {
        panel.outcome: (main, average_error(subject.gains)[1])
    }
    for member in dict.fromkeys(n for names in families.values() for n in names[1:]):
        other = replace(panel, outcome=member, analysis=OutcomeScale())
        try:
            gains = subject.reestimate(other)
            found[member] = average_row(gains), average_error(gains)[1]
        except DesignError:
            continue  # named below as not estimated
    tables = []
    for family, names in families.items():
        members = [n for n in names if n in found]
        rows, parts = zip(*(found[n] for n in members), strict=True)
        adjusted = adjust_p_values(
            np.array([row["p_value"] for row in rows], dtype=float),
            np.array([row["estimate"] for row in rows], dtype=float),
            np.column_stack(parts), seed=subject.seed,
        )  # fmt: skip
        labels = [panel.variables[n].label.replace("_", " ") for n in members]
        adjusted.insert(0, "family", family)
        adjusted.insert(1, "outcome", labels)
        adjusted.insert(2, "main", [n == panel.outcome for n in members])
        tables.append(adjusted)
    table = pd.concat(tables, ignore_index=True)
    own = table[table["main"]]
    worst = own.sort_values("p_romano_wolf", kind="stable").iloc[-1]
    n_members = int((table["family"] == worst["family"]).sum())
    passed = bool(worst["p_romano_wolf"] < alpha)
    others = table[~table["main"] & table["p_value"].notna()]
    lost = commas(n for names in families.values() for n in names if n not in found)
    absent = excludes_zero(main) is False
    sentence = sentences(
        say(
            "The effect has {p} by itself and {adjusted} among {n} outcomes ({family}; Romano "
            "and Wolf's stepdown; Holm {holm}), which {side} {alpha:g}.",
            p=tell_p(worst["p_value"]), adjusted=tell_p(worst["p_romano_wolf"]),
            n=n_members, family=say(worst["family"]), holm=tell_p(worst["p_holm"]),
            side=say("stays below") if passed else say("is not below"), alpha=alpha,
        ),
        say(
            "Other outcomes: {alone} of {n} with a p-value below it by itself, {adjusted} "
            "adjusted.",
            n=len(others), alone=int((others["p_value"] < alpha).sum()),
            adjusted=int((others["p_romano_wolf"] < alpha).sum()),
        ),
        say("Outcomes that were looked at and are not in the panel do not count."),
        say("Not estimated: {names}.", names=lost) if lost else "",
        say(NOTHING_THERE) if absent else "",
    )  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        places = np.arange(len(table))[::-1]
        for column, sign, size, label in _MARKS:  # one inside the other where they agree
            shown = np.maximum(table[column].to_numpy(float), _SMALLEST)
            axes.plot(shown, places, sign, label=say(label), fillstyle="none", markersize=size)
        axes.axvline(alpha, color="0.3", linewidth=0.8, label=f"{alpha:g}")
        axes.set_ylim(-0.7, len(table) - 0.3)
        axes.set_yticks(places, [say(outcome) for outcome in table["outcome"]])
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel(say("p-value"))
        axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=4)

    return Check(
        verdict=judge_by(None if absent else passed), sentence=sentence,
        statistic=float(worst["p_romano_wolf"]),
        statistic_name="p-value adjusted for all outcomes", table=table, draw=draw,
    )  # fmt: skip


def _list_families(panel: VillagePanel) -> dict[str, list[str]]:
    """List the outcome with kinds of income, and with other outcomes."""
    others = [n for n, v in panel.variables.items() if n != panel.outcome]
    by_role = {
        mark("kinds of income"): [
            n for n in others
            if panel.variables[n].role == "income" and n != "income_total"
        ],
        mark("outcomes"): [n for n in others if panel.variables[n].role == "outcome"],
    }  # fmt: skip
    return {family: [panel.outcome, *names] for family, names in by_role.items() if names}
