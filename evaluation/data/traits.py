"""Traits: words that a village has whatever the year, such as its dispatching unit."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.coded import Coded, Words, read_words
from evaluation.data.problems import Problems, report_rows
from evaluation.data.study_panel import PanelFile
from evaluation.data.tables import Table
from evaluation.data.villages import Villages, find_spells, report_spells
from evaluation.language import say


def read_traits(
    table: Table, panel: PanelFile, villages: Villages, years: Coded, problems: Problems
) -> pd.DataFrame:
    """Read the traits that a study names.

    Returns
    -------
    One row a village, a column of words a trait: its first one, as later ones may answer to
    what the programme did; "" where it is not known.

    Notes
    -----
    An empty cell says nothing, so a trait may stand in one row of a village alone. Two words in
    overlapping years are an error, in other years a warning.
    """
    keys, frame = villages.frame.index, pd.DataFrame(index=villages.frame.index)
    for name, column in panel.traits.items():
        words = _known_words(table, panel, column)
        said = (words.distinct != "").to_numpy()[words.codes]
        spells = find_spells(villages.of_row[said], words.codes[said], years.to_array()[said])
        report_spells(
            spells, words.distinct, keys.to_series(), table, column, problems,
            mixed=f"more than one {name} for one village, in overlapping years",
            changed=say("the {name} changes over the years: the first is taken", name=name),
            mend=say(
                "Write one {name} per village, or take the column as it was at the start.",
                name=name,
            ),
        )  # fmt: skip
        first = spells.drop_duplicates("village")
        found = np.full(len(keys), "", dtype=object)
        found[first["village"]] = words.distinct.to_numpy(object)[first["word"]]
        frame[name] = pd.Series(found, index=keys, dtype="str")
    return frame


def agree_on_words(
    table: Table,
    panel: PanelFile,
    column: str,
    group: npt.NDArray[np.integer[Any]],
    n: int,
    problems: Problems,
) -> npt.NDArray[np.object_]:
    """Give each of n groups of rows the word that its rows have; two are an error."""
    words = _known_words(table, panel, column)
    rows = np.flatnonzero((words.distinct != "").to_numpy()[words.codes])[::-1]
    code = np.full(n, -1)
    code[group[rows]] = words.codes[rows]  # the first row's, which is written last
    differ = rows[words.codes[rows] != code[group[rows]]][::-1]
    told = "differs between the rows of a village and year"
    report_rows(table, problems, column, differ, told, "Write one word in all of them.")
    return np.asarray(np.append(words.distinct.to_numpy(object), "")[code])


def _known_words(table: Table, panel: PanelFile, column: str) -> Words:
    return read_words(table, column).map(lambda word: "" if word in panel.missing else word)
