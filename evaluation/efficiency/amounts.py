"""What units used and made, if efficiency is defined for it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.errors import DesignError, suggest
from evaluation.gains.moments import Floats
from evaluation.language import commas, say

MOST_UNITS = 1_000
"""Each unit's programme has a column for every unit: more than these take minutes."""

MOST_WORK = 2e7
"""Of units^2 x draws, which take about two minutes: 100 units with 2,000 draws."""

_BEYOND_AN_END = 5  # draws that the end of an interval needs beyond it
_SHOWN = 5  # units named in a sentence


def check_size(n: int, *, n_draws: int, alpha: float) -> None:
    """Raise a DesignError if there are more units than can be measured, or too few draws."""
    if not 0 < alpha < 1:
        raise DesignError(f"alpha is {alpha}; give a share between 0 and 1, such as 0.05.")
    needed = int(np.ceil(round(2 * _BEYOND_AN_END / alpha, 9)))
    if n_draws and n_draws < needed:
        raise DesignError(
            f"n_draws is {n_draws}; {1 - alpha:.0%} intervals need {needed:,}; 0 does without."
        )
    most = min(MOST_UNITS, int(np.sqrt(MOST_WORK / n_draws))) if n_draws else MOST_UNITS
    if n > most:
        how = (
            ""
            if n_draws == 0
            else say(" with {n:,} draws (n_draws=0 does without intervals)", n=n_draws)
        )
        raise DesignError(
            say(
                "{n:,} units; at most {most:,} can be measured{how}. Measure counties or "
                "towns, or a sample: units.sample({most}, random_state=0).",
                n=n, most=most, how=how,
            )
        )  # fmt: skip


def read_amounts(
    units: pd.DataFrame, *, inputs: list[str], outputs: list[str]
) -> tuple[Floats, Floats]:
    """Give inputs (n x m) and outputs (n x s), if efficiency is defined for them.

    Notes
    -----
    Zeros are allowed as in Charnes, Cooper and Thrall (1991, doi:10.1007/BF00159732): no unit
    and no column may consist of zeros, else a programme is unbounded or efficiency is zero.
    """
    columns = [*inputs, *outputs]
    if not inputs or not outputs or len(set(columns)) < len(columns):
        raise DesignError("name at least one input and one output, each column once.")
    for name in columns:
        if name not in units.columns:
            raise DesignError(f"units: no column {name!r}; {suggest(name, units.columns)}")
    if len(units) < 2 or not units.index.is_unique:
        raise DesignError(say("units: give two rows or more, each with an index of its own."))
    read = [_read_column(units[name], name) for name in columns]
    x, y = np.column_stack(read[: len(inputs)]), np.column_stack(read[len(inputs) :])
    for kind, part in (("input", x), ("output", y)):
        none = part.max(axis=1) == 0
        if none.any():
            raise DesignError(
                f"units: no positive {kind} in {none.sum()} rows: "
                f"{_name_units(none, units.index)}. Leave them out, and say so."
            )
    return x, y


def _read_column(column: pd.Series, name: str) -> Floats:
    try:
        values = np.asarray(pd.to_numeric(column), dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise DesignError(f"units: {name!r} is not a number in all rows: {error}.") from None
    unknown, negative = ~np.isfinite(values), values < 0
    if unknown.any():
        raise DesignError(
            f"units: {name!r} is missing in {unknown.sum()} rows: "
            f"{_name_units(unknown, column.index)}. Leave them out or fill them in."
        )
    if negative.any():
        raise DesignError(
            f"units: {name!r} is negative in {negative.sum()} rows: "
            f"{_name_units(negative, column.index)}. A proportion of it has no meaning. "
            "Measure what can't be negative (income, jobs), or compare gains per yuan; only "
            "with orientation='input' and returns='variable', one amount may be added to an "
            "output of all units."
        )
    if not values.any():
        raise DesignError(f"units: {name!r} is zero in all rows; leave the column out.")
    return values


def warn_of_amounts(x: Floats, y: Floats, names: pd.Index) -> tuple[str, ...]:
    """Say where units are few, or have few they can be compared with."""
    n, m, s = len(x), x.shape[1], y.shape[1]
    texts = []
    needed = max(m * s, 3 * (m + s))
    if n < needed:
        texts.append(
            say(
                "{n} units are few for {m} inputs and {s} outputs: by the rule of thumb "
                "max(m s, 3 (m + s)) it takes {needed}, else many are efficient for want of "
                "peers",
                n=n, m=m, s=s, needed=needed,
            )
        )  # fmt: skip
    zero = x.min(axis=1) == 0
    if zero.any():
        texts.append(
            say(
                "units with an input of zero are compared with such units alone: {names}",
                names=_name_units(zero, names),
            )
        )
    return tuple(texts)


def _name_units(where: npt.NDArray[np.bool_], names: pd.Index) -> str:
    found = [str(name) for name in names[where]]
    return commas([*found[:_SHOWN], *(["..."] if found[_SHOWN:] else [])])
