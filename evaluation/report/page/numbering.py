"""Exhibits numbered through the page, as text that every format of the report has."""

from __future__ import annotations

import re
from collections import Counter

from evaluation.language import say

_FIGURE = re.compile(
    r'<figure class="exhibit (?P<kind>table|figure)[^>]*? id="(?P<name>[^"]+)"[^>]*>'
    r".*?</figure>",
    re.DOTALL,
)


class Numbers:
    """Numbers of tables and of figures, in the order in which they are met.

    Attributes
    ----------
    labels
        What an exhibit is called, by its name: "Table 3".
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.labels: dict[str, str] = {}

    def number(self, html: str) -> str:
        """Give HTML with its exhibits numbered, its tables and scrollers named."""
        return _FIGURE.sub(self._number_one, html)

    def _number_one(self, match: re.Match[str]) -> str:
        kind, name, html = match["kind"], match["name"], match[0]
        self._counts[kind] += 1
        n = self._counts[kind]
        is_table = kind == "table"
        self.labels[name] = say("Table {n}", n=n) if is_table else say("Figure {n}", n=n)
        label = say("Table {n}.", n=n) if is_table else say("Figure {n}.", n=n)
        named = f'aria-labelledby="{name}-caption"'
        html = html.replace(
            "<figcaption>",
            f'<figcaption id="{name}-caption"><span class="label">{label}</span> ',
            1,
        )
        html = html.replace(
            '<div class="scroll"', f'<div class="scroll" role="group" {named}', 1
        )
        html = html.replace("<table", f"<table {named}")
        return html.replace('<th scope="col"></th>', "<td></td>")  # heads nothing
