"""The average effect estimated anew under other choices, side by side with the one checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.effects.check import Amounts, Subject
from evaluation.effects.imputation import average_errors
from evaluation.errors import DesignError
from evaluation.gains.clusters import Interval, clustered_interval, takes_part, wild_interval
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    Row = Mapping[str, Any] | pd.Series[Any]

POINT = ("estimate", "conf_low", "conf_high")
MONEY = ("estimate", "se", "conf_low", "conf_high")
COLUMNS = [*MONEY, "p_value", "n_villages", "n_clusters", "reason"]


def estimate_row(
    subject: Subject, panel: VillagePanel | None = None, **changes: Any
) -> dict[str, Any]:
    """Estimate the average anew, as a row of `COLUMNS`.

    Where the data do not allow it, the row is NaN with the reason; an interval may lack alone.
    """
    try:
        return average_row(subject.reestimate(panel, **changes))
    except DesignError as error:
        return dict.fromkeys(COLUMNS, np.nan) | {
            "n_villages": 0, "n_clusters": 0, "reason": str(error),
        }  # fmt: skip


def average_row(gains: IncomeGains) -> dict[str, Any]:
    """Give the average of gains as a row of `COLUMNS`."""
    att = gains.att
    return {name: att[name] for name in COLUMNS}


def average_error(gains: IncomeGains) -> tuple[float, Floats]:
    """Give the average of gains, and what each cluster adds to its error (`average_errors`)."""
    estimates, parts = average_errors(gains, "programme")
    return float(estimates[0]), parts[:, 0]


def judge_clustered(
    estimate: float, parts: Floats, *, alpha: float, effective: float
) -> Interval:
    """Give the interval from parts as `average_error` scales them; see `clustered_interval`."""
    n = int(takes_part(parts).sum())
    if n < 2:
        return Interval(n_clusters=n, reason=say("the clusters do not differ"))
    unscaled = parts * np.sqrt((n - 1) / n)
    return clustered_interval(estimate, unscaled, alpha=alpha, effective=effective)


def judge_wild(estimate: float, parts: Floats, *, alpha: float, seed: int) -> Interval:
    """Give the interval by bootstrapping the scores (parts as `average_error` scales them).

    They are what estimates without one cluster are to first order; see `wild_interval`.
    """
    parts = parts[takes_part(parts)]
    left_out = estimate - parts * np.sqrt(len(parts) / max(len(parts) - 1, 1))
    return wild_interval(estimate, left_out, alpha=alpha, seed=seed)


def smallest_p(p_values: Iterable[float]) -> tuple[float, int]:
    """Give the smallest p-value times their number (Bonferroni), and how many are known.

    NaN where none is. Holm's adjustment of the smallest is the same.
    """
    known = [p for p in p_values if np.isfinite(p)]
    return min(1.0, min(known) * len(known)) if known else np.nan, len(known)


def excludes_zero(row: Row) -> bool | None:
    """Say whether a row's interval excludes zero; None where it has no interval."""
    if np.isnan(row["conf_low"]):
        return None
    return bool(row["conf_low"] > 0 or row["conf_high"] < 0)


NOTHING_THERE = mark(
    "The average effect's own interval includes zero: there is nothing to explain away, and no "
    "rule."
)
"""What a check that asks what else could explain an effect says where there is none."""


def tells_the_same(row: Row, main: Row) -> bool:
    """Say whether a row has the sign of the main one, and excludes zero if and only if it does.

    Where one of the two has no interval, the sign alone counts.
    """
    clear, main_clear = excludes_zero(row), excludes_zero(main)
    same = clear == main_clear or clear is None or main_clear is None
    return bool(same and np.sign(row["estimate"]) == np.sign(main["estimate"]))


def tell(row: Row, subject: Subject) -> str:
    """Tell a row's estimate and interval: "4.31 万元 (95% interval 3.90 to 4.72)"."""
    amounts, alpha = subject.amounts, subject.gains.options.alpha
    told = amounts.tell(row["estimate"])
    if np.isnan(row["conf_low"]):
        return say("{effect} (no interval)", effect=told)
    low, high = amounts.number(row["conf_low"]), amounts.number(row["conf_high"])
    return say(
        "{effect} ({level:.0%} interval {low} to {high})",
        effect=told, level=1 - alpha, low=low, high=high,
    )  # fmt: skip


def draw_rows(
    axes: Axes,
    amounts: Amounts,
    *,
    rows: pd.DataFrame,
    labels: Iterable[str] | Callable[[], Iterable[str]],
    main: float,
) -> None:
    """Draw estimates with their intervals one below the other, beside the main one and zero.

    Labels are said here, or by the function given.
    """
    known = rows["estimate"].notna().to_numpy()
    places = np.arange(known.sum())[::-1]
    points = rows.loc[known, [*POINT]].to_numpy(float) / amounts.divisor
    axes.hlines(places, points[:, 1], points[:, 2], color="0.45", linewidth=1.2)
    axes.plot(points[:, 0], places, "o", color="C0", markersize=4.5)
    axes.axvline(main / amounts.divisor, color="C1", linewidth=1, linestyle="--")
    axes.axvline(0, color="0.3", linewidth=0.8)
    said = labels() if callable(labels) else map(say, labels)
    told = [label for label, some in zip(said, known, strict=True) if some]
    axes.set_yticks(places, told)
    axes.set_ylim(-0.7, len(told) - 0.3)
    axes.set_xlabel(amounts.label(say("average effect")))


def draw_points(
    axes: Axes, amounts: Amounts, at: Any, rows: pd.DataFrame, *, what: str = ""
) -> None:
    """Draw estimates with their intervals side by side, at the places given, and zero."""
    points = rows[[*POINT]].to_numpy(float) / amounts.divisor
    axes.vlines(at, points[:, 1], points[:, 2], color="0.45", linewidth=1.2)
    axes.plot(at, points[:, 0], "o", color="C0", markersize=4.5)
    axes.axhline(0, color="0.3", linewidth=0.8)
    axes.set_ylabel(amounts.label(what or say("average effect")))
