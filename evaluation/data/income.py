"""Collective income from its kinds: subsidies apart, parts that add up, no gap filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import Variable
from evaluation.data.problems import Problems, name_cells
from evaluation.data.study_panel import PanelFile
from evaluation.data.tables import Table
from evaluation.language import say

Floats = npt.NDArray[np.float64]

# Printed money has at most this many decimals; the coarsest that all values fit is taken.
_DECIMALS = 4


def compose_income(
    panel: PanelFile,
    table: Table,
    matrices: Mapping[str, Floats],
    variables: Mapping[str, Variable],
    problems: Problems,
    *,
    factors: Mapping[str, Floats],
    villages: pd.Index[str],
    years: npt.NDArray[np.int64],
) -> tuple[Floats, Variable]:
    """Make the outcome of the kinds of income that the study names.

    Without subsidies, unless the study includes them: a grant that is booked as income
    makes the gain equal to the treatment. With a total and subsidies alone it is their
    difference; with a total alone it is the total, and a warning says what that may hold.

    Parameters
    ----------
    matrices, variables
        Of the kinds, as income_operating and so on.
    factors
        By year, what the file's numbers of each kind were multiplied by.
    villages, years
        Of the rows and columns, for messages.
    problems
        Takes kinds that do not add up to a total (an error), and village-years without an
        income because one kind is missing.

    Returns
    -------
    The outcome as a village x year matrix, and what it is.
    """
    given = {kind: matrices[f"income_{kind}"] for kind in panel.income}
    total = given.pop("total", None)
    included = panel.subsidies == "included"
    parts = {kind: m for kind, m in given.items() if included or kind != "subsidy"}
    earned = [kind for kind in given if kind != "subsidy"]
    if total is not None and earned:
        whole = {**given, "total": total}
        steps = [printed_step(m / factors[kind]) * factors[kind] for kind, m in whole.items()]
        wrong = disagree(list(given.values()), total, step=np.sum(steps, axis=0))
        _report_sums(table, panel, wrong, villages, years, problems)
    if earned:
        income = np.sum(list(parts.values()), axis=0)
        made_of = " + ".join(panel.income[kind].column for kind in parts)
    else:
        assert total is not None
        without = "subsidy" in given and not included
        income = total - given["subsidy"] if without else total.copy()
        made_of = panel.income["total"].column
        made_of += f" - {panel.income['subsidy'].column}" if without else ""
        parts = {"total": total, **(given if without else {})}
    some = np.any([np.isfinite(m) for m in parts.values()], axis=0)
    _warn_partial(table, some & np.isnan(income), made_of, villages, years, problems)
    if included or ("subsidy" not in given and total is not None and not earned):
        problems.add(
            "warning",
            table.name,
            say(
                "the outcome may hold subsidies: a grant booked as income makes the gain "
                "mechanically equal to the treatment"
            ),
            say("Give income by kind, or at least subsidies (补助收入), where it is known."),
            column=made_of,
        )
    first = next(iter(panel.income))
    return income, Variable(
        name="income",
        role="outcome",
        label=say("collective income")
        if included
        else say("collective income without subsidies"),
        unit=variables[f"income_{first}"].unit,
        scale="level",
        column=made_of,
    )


def printed_step(values: Floats) -> float:
    """Give one unit of the last decimal that a column of printed numbers has.

    Examples
    --------
    >>> printed_step(np.array([3.0, 12.5, np.nan]))
    0.1
    """
    values = values[np.isfinite(values)]
    for decimals in range(_DECIMALS):
        if np.allclose(values, np.round(values, decimals), rtol=1e-12, atol=1e-9):
            return 10.0**-decimals
    return 10.0**-_DECIMALS


def disagree(parts: list[Floats], total: Floats, *, step: Floats) -> npt.NDArray[np.bool_]:
    """Mark where parts do not add up to a total, beyond what rounding explains.

    Missing values agree with anything. ``step`` is the sum of the printed steps of the parts
    and the total: each may be off by half of its own.
    """
    slack = step / 2 + 1e-9 * np.abs(total)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(np.sum(parts, axis=0) - total) > slack)


def _report_sums(
    table: Table,
    panel: PanelFile,
    wrong: npt.NDArray[np.bool_],
    villages: pd.Index[str],
    years: npt.NDArray[np.int64],
    problems: Problems,
) -> None:
    if not wrong.any():
        return
    named = " + ".join(c.column for kind, c in panel.income.items() if kind != "total")
    problems.add(
        "error",
        table.name,
        f"{named} is not {panel.income['total'].column}",
        "Mend the cells, or name the kind that is missing under income.other.",
        cells=name_cells(villages, years, *np.nonzero(wrong)),
    )


def _warn_partial(
    table: Table,
    partial: npt.NDArray[np.bool_],
    made_of: str,
    villages: pd.Index[str],
    years: npt.NDArray[np.int64],
    problems: Problems,
) -> None:
    if partial.any():
        problems.add(
            "warning",
            table.name,
            say("village-years without an income because a kind of it is missing or hedged"),
            say("Nothing was filled in. Where there was none of a kind, write 0."),
            column=made_of,
            cells=name_cells(villages, years, *np.nonzero(partial)),
        )
