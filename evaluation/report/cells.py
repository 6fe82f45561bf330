"""Tables as HTML, and what stands in their cells."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from evaluation.bounds import Bounds
from evaluation.language import say

_NUMBER = re.compile(r"[-+\u2212<]? ?[\d,]*\.?\d+%?|[\u2014\u2026]")
_RIGHT = Markup(' class="n"')


def html_table(
    frame: pd.DataFrame, *, row_headers: int = 1, group: str | None = None
) -> Markup:
    """Build an HTML table; cells that are not Markup are escaped, columns of numbers aligned.

    Parameters
    ----------
    frame
        The cells as shown.
    row_headers
        How many columns on the left head their row.
    group
        A column whose runs of equal values become headings inside the table.
    """
    if frame.empty:
        return Markup("<p>{}</p>").format(say("Nothing to show."))
    shown = frame.drop(columns=group) if group else frame
    numeric = [
        i >= row_headers and _is_numeric(shown.iloc[:, i]) for i in range(len(shown.columns))
    ]
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_RIGHT if right else "", c)
        for c, right in zip(shown.columns, numeric, strict=True)
    )
    lines = []
    last: Any = None
    for position, row in enumerate(shown.to_numpy(object)):
        if group and (title := frame[group].iloc[position]) != last:
            last = title
            lines.append(
                Markup(
                    '<tr class="group"><th colspan="{}" scope="rowgroup">{}</th></tr>'
                ).format(len(shown.columns), title)
            )
        cells = Markup("").join(
            (
                Markup('<th scope="row">{}</th>').format("" if cell is None else cell)
                if i < row_headers
                else Markup("<td{}>{}</td>").format(
                    _RIGHT if numeric[i] else "", "" if cell is None else cell
                )
            )
            for i, cell in enumerate(row)
        )
        lines.append(Markup("<tr>{}</tr>").format(cells))
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        head, Markup("").join(lines)
    )


def _is_numeric(column: pd.Series[Any]) -> bool:
    """Whether all that a column shows are numbers."""
    texts = [str(cell) for cell in column if cell is not None and cell != ""]
    return bool(texts) and all(_NUMBER.fullmatch(text) for text in texts)


def html_bounds(bounds: Bounds | None, unit: str = "") -> Markup:
    """Print bounds on one line, with their unit."""
    if bounds is None:
        return Markup("")
    return Markup('<span class="number">{}</span>').format(f"{bounds} {unit}".strip())


def html_phrase(phrase: str) -> Markup:
    """Print a short phrase on one line."""
    return Markup('<span class="phrase">{}</span>').format(phrase)


def html_formula(formula: str) -> Markup:
    """Print a formula that may be broken behind its underscores."""
    parts = Markup("_<wbr>").join(formula.split("_"))
    return Markup('<code class="formula">{}</code>').format(parts)


def html_date(date: str) -> Markup:
    """Print a date on one line."""
    return Markup('<span class="number">{}</span>').format(say("as of {date}", date=date))


def html_claims(ids: str) -> Markup:
    """Link claims' ids ("C048 C055") to their rows in the list of claims."""
    links = (
        Markup('<a class="claim" href="#{0}">{0}</a>').format(name) for name in ids.split()
    )
    return Markup(" ").join(links)


def html_lines(*lines: str) -> Markup:
    """Put lines below one another, leaving out the empty ones."""
    return Markup("<br>").join(escape(line) for line in lines if line)
