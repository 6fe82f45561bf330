"""Villages that may be one village: renamed, recoded or merged between two years."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.problems import Problems
from evaluation.data.tables import Table
from evaluation.data.villages import NAMES
from evaluation.language import commas, say


def report_successions(
    table: Table,
    villages: pd.DataFrame,
    years: npt.NDArray[np.int64],
    rows: npt.NDArray[np.bool_],
    problems: Problems,
) -> None:
    """Report villages that end where others of the same town begin, and names used twice.

    Nothing is joined: which of them are one village is the researcher's to say.

    Parameters
    ----------
    table
        The panel's file.
    villages
        One row a village: county, town, name.
    years, rows
        The years, and village x year whether the file has a row.
    """
    first, last = years[rows.argmax(axis=1)], years[::-1][rows[:, ::-1].argmax(axis=1)]
    frame = villages[list(NAMES)].assign(first=first, last=last)
    if not (frame["town"] != "").any():
        return
    frame = frame.reset_index()
    _report_shared_names(table, frame, problems)
    ended = frame[frame["last"] < frame["last"].max()]
    begun = frame[frame["first"] > frame["first"].min()].assign(last=lambda f: f["first"] - 1)
    if ended.empty or begun.empty:
        return
    place = ["county", "town", "last"]
    old = ended.groupby(place)["village"].agg(list).rename("old")
    new = begun.groupby(place)["village"].agg(list).rename("new")
    pairs = pd.concat([old, new], axis=1, join="inner").reset_index()
    if pairs.empty:
        return
    problems.add(
        "warning",
        table.name,
        say("villages end where others of the town begin: renamed or merged?"),
        say(
            "If renamed, write the former name under panel.renamed (or use one code "
            "throughout); they are kept apart as they are."
        ),
        cells=[
            f"{town} {last:.0f}/{last + 1:.0f}: {'+'.join(old)} -> {'+'.join(new)}"
            for _, town, last, old, new in pairs.to_numpy(object)
        ],
    )


def _report_shared_names(table: Table, frame: pd.DataFrame, problems: Problems) -> None:
    """Report names that stand under two codes in one town (or county, without towns)."""
    place = ["county", "town", "name"]
    named = frame[frame["name"] != ""]
    shared = named[named.duplicated(place, keep=False)].groupby(place)["village"]
    codes = shared.agg(list).reset_index().to_numpy(object)
    if not len(codes):
        return
    problems.add(
        "warning",
        table.name,
        say("one village name under two codes in one town"),
        say("If it is one village, give it one code throughout."),
        cells=[f"{name}: {commas(keys)}" for _, _, name, keys in codes],
    )
