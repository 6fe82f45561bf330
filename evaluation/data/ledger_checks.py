"""What a ledger's entries must hold to: totals, stages in order, nothing twice."""

from __future__ import annotations

import pandas as pd

from evaluation.data.income import disagree
from evaluation.data.prices import find_far_cells, find_unit_drift
from evaluation.data.problems import Level, Problems
from evaluation.data.tables import Table
from evaluation.language import mark, say

PLACE = ["village", "town", "county"]
_MORE = {
    "spent": mark("more spent than received, cumulated over the years"),
    "received": mark("more received than committed, cumulated over the years"),
}
_KEYS = (  # sources and roles, which stand in the cells that are named
    mark("fiscal"), mark("dispatching_unit"), mark("social"), mark("credit"), mark("own"),
    mark("source"), mark("use"),
)  # fmt: skip
_FAR = 3_000.0  # projects differ by more than villages do


def check_totals(table: Table, long: pd.DataFrame, problems: Problems) -> pd.DataFrame:
    """Hold the sources to the totals that the file gives, and leave the totals out.

    A total in a row of its sources (a column for each) is that row's; one in a row of its own
    is of all rows of the same place, year, stage and role, and of its project if it names one.
    """
    is_total = long["source"] == "total"
    entries = long[~is_total].copy()
    key = [*PLACE, "year", "stage", "role"]
    totals = long[is_total]
    beside = totals["row"].isin(entries["row"])
    named = totals["project"] != ""
    for whole, columns in (
        (totals[beside], [*key, "project", "row"]),
        (totals[~beside & named], [*key, "project"]),
        (totals[~beside & ~named], key),
    ):
        if len(whole):
            _check_sums(table, whole, entries, columns, problems)
    return entries


def _check_sums(
    table: Table,
    whole: pd.DataFrame,
    entries: pd.DataFrame,
    key: list[str],
    problems: Problems,
) -> None:
    totals = whole.groupby(key)[["amount", "step", "printed"]].sum()
    rows = whole.assign(at=whole["row"]).groupby(key)["at"].first()
    sums = entries.groupby(key)[["amount", "step"]].sum()
    both = totals.join(sums.add_suffix("_parts"), how="inner")
    step = (both["step"] + both["step_parts"]).to_numpy()
    wrong = disagree([both["amount_parts"].to_numpy()], both["amount"].to_numpy(), step=step)
    if wrong.any():
        bad = both[wrong]
        problems.add(
            "error",
            table.name,
            "sources that do not add up to the total",
            "Mend the amounts, or add the source that is missing.",
            row_word=table.row_word,
            rows=list(rows.loc[bad.index]),
            cells=[f"{p * (t / a if a else 1):,.10g} instead of {t:,.10g}" for p, a, t in
                   zip(bad["amount_parts"], bad["amount"], bad["printed"], strict=True)],
        )  # fmt: skip
    alone = totals.index.difference(sums.index)
    if len(alone):
        problems.add(
            "error",
            table.name,
            "totals without any source",
            "Give the amounts by source; money of unknown source cannot be used.",
            row_word=table.row_word,
            rows=list(rows.loc[alone]),
        )


def report_doubles(table: Table, entries: pd.DataFrame, problems: Problems) -> None:
    """Report entries that agree in everything: they may be counted twice."""
    key = [*PLACE, "year", "project", "source", "stage", "role", "amount"]
    doubled = entries[entries.duplicated(key, keep=False) & (entries["amount"] > 0)]
    message = say("entries that stand more than once: counted twice?")
    warn_rows(table, problems, "warning", message, doubled)


def report_stages(table: Table, entries: pd.DataFrame, problems: Problems) -> None:
    """Report money spent beyond what was received, or received beyond what was committed.

    Held together by place, source and project, and by place and source alone, for a project
    may be named at one stage and not at another.
    """
    place = [*PLACE, "source", "role"]
    finely, coarsely = (_sum_stages(entries, key) for key in ([*place, "project"], place))
    for more, less in (("spent", "received"), ("received", "committed")):
        fine = _exceeding(*finely, more, less)
        told = {parts[: len(place)] for parts in fine}
        coarse = _exceeding(*coarsely, more, less)
        found = fine + [parts for parts in coarse if parts[: len(place)] not in told]
        if found:
            problems.add(
                "warning",
                table.name,
                say(_MORE[more]),
                say("Nothing was changed."),
                cells=[" ".join(say(part) for part in parts if part) for parts in found],
            )


def _sum_stages(entries: pd.DataFrame, key: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Sum money by key, year and stage: that of each year, and that of all years up to it."""
    sums = entries.pivot_table(
        index=[*key, "year"], columns="stage", values="amount", aggfunc="sum"
    )
    return sums, sums.fillna(0).groupby(level=key).cumsum()


def _exceeding(
    sums: pd.DataFrame, cumulated: pd.DataFrame, more: str, less: str
) -> list[tuple[str, ...]]:
    """Give the keys and years in which more money had got to one stage than to another."""
    if more not in sums or less not in sums:
        return []
    key = [name for name in sums.index.names if name != "year"]
    recorded = sums[less].notna().groupby(level=key).transform("any")
    over = recorded & (cumulated[more] > cumulated[less] * (1 + 1e-9) + 1e-6)
    return [(*map(str, parts), str(int(year))) for *parts, year in cumulated.index[over]]


def report_drift(table: Table, entries: pd.DataFrame, problems: Problems) -> None:
    """Report counties and years whose amounts are of another order than the others'."""
    key = ["county", "village", "project", "source", "stage", "role"]
    amounts = entries.pivot_table(index=key, columns="year", values="amount", aggfunc="sum")
    if amounts.empty:
        return
    years = amounts.columns.to_numpy().astype(int)
    county = amounts.index.to_frame(index=False)["county"].astype("str")
    found = find_unit_drift(amounts.to_numpy(float), years, county)
    far = find_far_cells(entries[["amount"]].to_numpy(float), times=_FAR)
    if not found and len(far):
        message = say(
            "amounts thousands of times the others, or thousandths: is the unit another?"
        )
        warn_rows(table, problems, "warning", message, entries.iloc[far[:, 0]])
    if found:
        problems.add(
            "warning",
            table.name,
            say("amounts of another order than the others: is the unit another there?"),
            say("Nothing was changed. Mend the file, or split it by unit."),
            cells=found,
        )


def report_zero_gaps(table: Table, entries: pd.DataFrame, problems: Problems) -> None:
    """Report zeros between years with money: they may be gaps that were filled with 0."""
    key = [*PLACE, "project", "source", "stage", "role"]
    positive = entries[entries["amount"] > 0].groupby(key)["year"].agg(["min", "max"])
    zeros = entries[entries["amount"] == 0].join(positive, on=key)
    between = zeros[(zeros["year"] > zeros["min"]) & (zeros["year"] < zeros["max"])]
    message = say("zeros between years with money: gaps filled with 0?")
    warn_rows(table, problems, "warning", message, between)


def warn_rows(
    table: Table, problems: Problems, level: Level, message: str, rows: pd.DataFrame
) -> None:
    """Report entries by their rows in the file."""
    if len(rows):
        problems.add(
            level,
            table.name,
            message,
            say("Nothing was changed."),
            row_word=table.row_word,
            rows=list(rows["row"]),
        )
