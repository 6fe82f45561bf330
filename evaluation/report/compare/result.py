"""Two runs held against each other: the verdict, and all that it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.display import ShowsSummary
from evaluation.report.compare.levels import Level, worst
from evaluation.report.compare.numbers import show_change
from evaluation.report.compare.parts import (
    Cause,
    ExhibitDifference,
    FileDifference,
    Move,
    Side,
    TextDifference,
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Comparison(ShowsSummary):
    """Two runs held against each other.

    Attributes
    ----------
    before, after
        The runs.
    tolerance
        Between two numbers, relative to the larger one.
    causes
        What differs between what they were made from.
    exhibits
        All tables and figures, in the order of the second run.
    moves
        The main numbers that changed, the most important first.
    sentences, n_sentences
        Those that are not identical, and how many there are in all.
    files, n_files
        Likewise, of those on which the verdict rests.
    chapters
        The chapters' titles, by name.
    """

    before: Side
    after: Side
    tolerance: float
    causes: Sequence[Cause]
    exhibits: Sequence[ExhibitDifference]
    moves: Sequence[Move]
    sentences: Sequence[TextDifference]
    n_sentences: int
    files: Sequence[FileDifference]
    n_files: int
    chapters: Mapping[str, str]

    @property
    def level(self) -> Level:
        """The verdict: the worst of all."""
        return worst(
            [
                *(exhibit.level for exhibit in self.exhibits),
                *(sentence.level for sentence in self.sentences),
                *(file.level for file in self.files if file.counts),
            ]
        )

    @property
    def same(self) -> bool:
        """Whether nothing differs beyond the tolerance."""
        return self.level != "different"

    @property
    def one_language(self) -> bool:
        """Whether both runs are in one language, so that texts were compared."""
        return self.before.language == self.after.language

    def count(self) -> dict[str, dict[Level, int]]:
        """Count exhibits, cells, sentences and files by level."""
        exhibits: dict[str, Counter[Level]] = {"table": Counter(), "figure": Counter()}
        cells: Counter[Level] = Counter()
        for exhibit in self.exhibits:
            exhibits.setdefault(exhibit.kind, Counter())[exhibit.level] += 1
            cells.update(exhibit.n_cells)
        sentences = Counter(sentence.level for sentence in self.sentences)
        sentences["identical"] += self.n_sentences - sentences.total()
        files = Counter(file.level for file in self.files if file.counts)
        files["identical"] += self.n_files - files.total()
        return {
            "tables": dict(exhibits["table"]),
            "figures": dict(exhibits["figure"]),
            "cells": dict(cells),
            "sentences": dict(sentences),
            "files": dict(files),
        }

    def lines(self) -> list[str]:
        """Give a few lines for a terminal: verdict, counts, causes, the worst differences."""
        from evaluation.report.compare.words import write_lines

        return write_lines(self)

    def summary(self) -> str:
        """Say the verdict first, then what differs most, and why."""
        return "\n".join(self.lines()[1:])

    def data(self) -> dict[str, Any]:
        """Give the verdict, the counts, the causes and the main moves for a program."""
        return {
            "verdict": self.level,
            "same": self.same,
            "tolerance": self.tolerance,
            "counts": self.count(),
            "causes": [
                {
                    "kind": cause.kind,
                    "name": cause.name,
                    "before": cause.before,
                    "after": cause.after,
                    "details": list(cause.details),
                }
                for cause in self.causes
            ],
            "moves": [
                {
                    "exhibit": move.exhibit,
                    "row": move.row,
                    "column": move.column,
                    "unit": move.unit,
                    "before": move.before,
                    "after": move.after,
                    "change": show_change(move.before, move.after)[0],
                }
                for move in self.moves
            ],
            "different": {
                "exhibits": [e.name for e in self.exhibits if e.level == "different"],
                "files": [f.name for f in self.files if f.level == "different" and f.counts],
            },
        }
