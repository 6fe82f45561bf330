"""Whether the effect rests on one place, or on a handful of villages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by, select_villages
from evaluation.effects.checks.side_by_side import (
    NOTHING_THERE,
    POINT,
    average_row,
    draw_points,
    draw_rows,
    estimate_row,
    excludes_zero,
    tell,
    tells_the_same,
)
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.language import commas, listing, mark, say, say_count, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST = 200  # places that are left out, each by an estimate of its own
_MOST_CELLS = 20_000_000  # village-years of all these estimates together
_SHOWN, _DRAWN, _NAMED = 20, 15, 5
_FEW = 0.01
"""The share of villages that must not overturn an effect; Broderick, Giordano, Meager 2020."""

_SHARES = (0.01, 0.05, 0.1)


@asks(
    mark("Leaving out one place"),
    mark("Does the effect rest on a single county, town or dispatching unit?"),
    theme="few",
    if_failed=mark("one place decides over the effect"),
)
def check_leave_one_out(subject: Subject, *, most: int = _MOST) -> Check:
    """Leave out each county, town and dispatching unit, and estimate the average anew.

    Parameters
    ----------
    most
        How many units are left out in turn, fewer in a large panel: those that move the
        average most by their villages' gains, the year effects being held.

    Notes
    -----
    Towns, and the panel's traits that are text, such as the unit that sent a secretary, are
    left out with their treated villages; counties once with these and once with all of theirs.
    Passed if, whatever place is left out, the average keeps its sign and its interval excludes
    zero if and only if it does with all of them; informational if it does not.
    """
    panel, main = _slim(subject), average_row(subject.gains)
    units = _list_units(subject)
    if not units:
        raise DesignError(say("all treated villages lie in one county and town."))
    cap = max(1, min(most, max(_SHOWN, _MOST_CELLS // panel.matrix().size)))
    rows = []
    for at in np.argsort([-abs(unit.move) for unit in units], kind="stable")[:cap]:
        unit = units[at]
        row = estimate_row(subject, select_villages(panel, unit.codes != unit.code))
        same = np.isfinite(row["estimate"]) and tells_the_same(row, main)
        change = row["estimate"] - main["estimate"]
        rows.append(
            {"left_out": unit.kind, "name": unit.name}
            | {"n_left_out": int((unit.codes == unit.code).sum())}
            | {column: row[column] for column in POINT}
            | {"change": change, "same_finding": same, "reason": row["reason"]}
        )
    table = pd.DataFrame(rows)
    order = table["change"].abs().sort_values(ascending=False, kind="stable").index
    table = table.loc[order].reset_index(drop=True)
    counts = table["left_out"].value_counts(sort=False)
    told = commas(say("{n} x {kind}", n=n, kind=say(str(k))) for k, n in counts.items())
    if (n := len(units)) > len(table):
        told = say("{told} (of {n:,} those that move the average most)", told=told, n=n)
    worst, changed = table.iloc[0], table[~table["same_finding"]]
    if len(changed):
        names, more = commas(_name(changed.head(_NAMED))), len(changed) - _NAMED
        finding = say(
            "Its sign, or whether its interval excludes zero, changes (or nothing is left to "
            "estimate) without {names}: one place decides over it.",
            names=say("{names} and {n} more", names=names, n=more) if more > 0 else names,
        )
    else:
        finding = say(
            "Its sign, and whether its interval excludes zero, change with no single place "
            "left out, which says nothing of places that differ together."
        )
    absent = excludes_zero(main) is False
    bare = int((table["estimate"].notna() & table["conf_low"].isna()).sum())
    lacking = say("In {n} of them there is no interval, and the sign alone counts.", n=bare)
    sentence = sentences(
        say("Left out in turn: {told}.", told=told),
        say(
            "The average effect of {effect} moves most without {place}, to {other}.",
            effect=tell(main, subject), place=_name(table)[0], other=tell(worst, subject),
        ),
        finding,
        say(NOTHING_THERE) if absent else "",
        lacking if bare else "",
    )  # fmt: skip
    return Check(
        verdict=judge_by(None if absent else changed.empty), sentence=sentence,
        statistic=float(worst["change"]), statistic_name="largest change of the average effect",
        table=table, money=(*POINT, "change", "statistic"),
        draw=partial(
            draw_rows, rows=table.head(_DRAWN), main=main["estimate"],
            labels=partial(_name, table.head(_DRAWN)),
        ),
    )  # fmt: skip


@asks(
    mark("A handful of villages"),
    mark("How many villages must be left out before the effect is no longer there?"),
    theme="few",
    if_failed=mark("a handful of villages make the effect"),
)
def check_influence(subject: Subject) -> Check:
    """Leave out the villages that move the average most, until its interval includes zero.

    Notes
    -----
    A village moves the average by w_i / (W - w_i) (g_i - theta), w_i being its weight and
    treated years; the year effects are held, which is exact where they are fitted on never
    treated villages alone. In that order villages are left out, twice as many each time and
    back by halves, and all is estimated anew. The number that overturns the effect is thus an
    upper bound: other villages may do it with fewer (Broderick, Giordano, Meager 2020,
    arXiv:2011.14999, whose line of 1% is the rule's).
    """
    main = average_row(subject.gains)
    total, weight, moves = _influences(subject)
    n, sign = len(moves), float(np.sign(main["estimate"]))
    if n < 2:
        raise DesignError(say("a single treated village has a gain."))
    order = np.argsort(-sign * moves, kind="stable")
    path = (total.sum() - total[order].cumsum()[:-1]) / (
        weight.sum() - weight[order].cumsum()[:-1]
    )
    clear = excludes_zero(main)
    found: dict[int, dict[str, Any]] = {}

    def overturned(k: int) -> bool:
        if k not in found:
            found[k] = _without(subject, order[:k])
        return not (sign * found[k]["estimate"] > 0 and excludes_zero(found[k]) is not False)

    if clear:
        needed = _find_first(overturned, n - 1)
    else:
        below = np.flatnonzero(sign * path <= 0)
        needed = int(below[0]) + 1 if len(below) else n
    shares = list(dict.fromkeys(max(1, int(share * n)) for share in _SHARES))
    rows, kept = [], sorted({1, *shares, needed} - {n})
    for k in kept:
        row = found.get(k) or _without(subject, order[:k])
        named = subject.panel.villages.index[subject.gains.cells.rows[order[:k]]]
        rows.append(
            {
                "n_left_out": k, "share_of_villages": k / n,
                "share_of_effect": float(total[order[:k]].sum() / total.sum()),
                **{column: row[column] for column in POINT},
                "villages": commas(named[:_NAMED]) + (" …" if k > _NAMED else ""),
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    of_effect = table.set_index("n_left_out")["share_of_effect"]
    what = mark("its interval includes zero") if clear else mark("its sign changes")
    most = max(1, int(_FEW * n))
    sentence = sentences(
        say(
            "Of {n:,} treated villages the {counts} that move the average effect of {effect} "
            "most make {shares} of it.",
            n=n, counts=listing(f"{k:,}" for k in shares), effect=tell(main, subject),
            shares=listing(f"{of_effect[k]:z.0%}" for k in shares),
        ),
        say(
            "Leaving out {n:,} of them ({share:.1%}) suffices that {what}; fewer others might "
            "do.", n=needed, share=needed / n, what=say(what),
        )
        if needed < n
        else say("However many are left out, {what} at no point.", what=say(what)),
        say_count(
            "Rule: it fails if {n:,} suffices (one in a hundred).",
            "Rule: it fails if {n:,} suffice (one in a hundred).", most,
        )
        if clear
        else say("No interval excludes zero to begin with, so there is no rule."),
    )  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        axes.plot(np.arange(1, n), path / amounts.divisor, color="C0", linewidth=1.4)
        draw_points(axes, amounts, table["n_left_out"], table)
        axes.set_xlim(0, 1.05 * max(kept) + 1)
        axes.set_xlabel(say("villages left out, the most influential first"))

    return Check(
        verdict=judge_by(needed > most if clear else None), sentence=sentence,
        statistic=float(needed) if needed < n else np.nan,
        statistic_name=f"villages left out until {what}", table=table, money=POINT, draw=draw,
    )  # fmt: skip


class _Unit(NamedTuple):
    """What is left out: the villages whose code it is, and how far that moves the average."""

    kind: str
    name: str
    codes: npt.NDArray[np.intp]
    code: int
    move: float


def _list_units(subject: Subject) -> list[_Unit]:
    """List places, with what each moves by its villages' gains, the year effects held."""
    panel, rows = subject.panel, subject.gains.cells.rows
    frame, towns = panel.villages, panel.villages["town"].astype(str)
    kinds: dict[str, pd.Series[Any]] = {mark("county"): frame["county"]}
    if subject.gains.options.year_effects == "common":  # else it is the same
        kinds[mark("treated villages of county")] = frame["county"]
    kinds[mark("town")] = (frame["county"].astype(str) + " " + towns).where(towns != "", "")
    for trait in panel.traits:
        if not pd.api.types.is_numeric_dtype(frame[trait]):
            kinds[trait.replace("_", " ")] = frame[trait]
    total, weight, _ = _influences(subject)
    units = []
    for kind, series in kinds.items():
        known = series.astype(object)
        codes, names = pd.factorize(known.where(known.notna() & (known != ""), None))
        own, n = codes[rows], len(names)
        if (own == own[0]).all():  # without it nothing is left
            continue
        sums, weights = (np.bincount(own[own >= 0], v[own >= 0], n) for v in (total, weight))
        moves = (total.sum() - sums) / (weight.sum() - weights) - total.sum() / weight.sum()
        if kind == "treated villages of county":  # which are not the whole county
            weights[~np.isin(np.arange(n), codes[~panel.is_treated])] = 0
        if kind != "county":
            codes = np.where(panel.is_treated, codes, -1)
        at = np.arange(n) if kind == "county" else np.flatnonzero(weights)
        units += [_Unit(kind, str(names[c]), codes, c, float(moves[c])) for c in at.tolist()]
    return units


def _influences(subject: Subject) -> tuple[Floats, Floats, Floats]:
    """Give each treated village's sum of weighted gains, its weight, and what it moves."""
    cells = subject.gains.cells
    total, weight = (cells.weights * cells.gains).sum(axis=1), cells.weights.sum(axis=1)
    average = total.sum() / weight.sum()
    rest = np.maximum(weight.sum() - weight, np.finfo(float).tiny)
    return total, weight, weight / rest * (total / weight - average)


def _without(subject: Subject, at: npt.NDArray[np.intp]) -> dict[str, Any]:
    """Estimate the average without some of the villages that have a gain."""
    kept = np.ones(subject.panel.n_villages, dtype=bool)
    kept[subject.gains.cells.rows[at]] = False
    return estimate_row(subject, select_villages(_slim(subject), kept))


def _slim(subject: Subject) -> VillagePanel:
    """Leave out variables that the estimate does not use: copies of them take time."""
    panel, options = subject.panel, subject.gains.options
    used = {panel.outcome, *options.covariates, options.weights, panel.analysis.per}
    matrices = {name: values for name, values in panel.matrices.items() if name in used}
    return replace(panel, matrices=matrices)


def _name(rows: pd.DataFrame) -> list[str]:
    """Name what is left out: "county Yutai"."""
    pairs = rows[["left_out", "name"]].to_numpy(object)
    return [say("{kind} {name}", kind=say(kind), name=name) for kind, name in pairs]


def _find_first(overturned: Callable[[int], bool], most: int) -> int:
    """Find the first number that overturns, by doubling and halving; most + 1 if none does.

    Exact up to 100, above to one in a hundred.
    """
    last, k = 0, 1
    while not overturned(k):
        if k == most:
            return most + 1
        last, k = k, min(2 * k, most)
    while k - last > max(1, k // 100):
        middle = (last + k) // 2
        last, k = (last, middle) if overturned(middle) else (middle, k)
    return k
