"""Exhibits: tables and figures that show themselves in a notebook and carry their data."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from markupsafe import Markup, escape

from evaluation.bounds import Bounds

MIME = "application/vnd.evaluation.exhibit+json"
"""The notebook output that a run collects its tables, figures and numbers from."""


_PLAIN_ROWS = 100  # of the text that a terminal shows; the data has all

LEGEND = (
    "[ or ]: the end is a possible value; ( or ): it is not, which is said of the exact end. "
    "Printed ends are rounded outwards."
)

MONEY = "万元: 10,000 yuan. Money of the years reported, not deflated."


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A numbered table or figure of a report.

    Shown as the last value of a notebook's cell, it displays itself; a run then writes its
    data to tables/NAME.csv, its pictures to figures/ and its numbers to results.json.

    Attributes
    ----------
    name
        What its files are called; unique in a report.
    kind
        "table" or "figure".
    caption, note
        Plain text.
    data
        The numbers shown, one row an item, at full precision.
    body
        The table, or the picture, as HTML.
    simulated
        Whether the study's data are: the note then says so first.
    svg, png
        A figure's picture.
    files
        What else may be downloaded and is written by a run, by the end of its name: ".tex"
        becomes tables/NAME.tex.
    """

    name: str
    kind: Literal["table", "figure"]
    caption: str
    data: pd.DataFrame
    body: Markup
    simulated: bool
    note: str = ""
    svg: str = ""
    png: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)

    def to_html(self) -> Markup:
        """Give the exhibit as HTML, with caption and note."""
        note = " ".join(filter(None, ("SIMULATED data." if self.simulated else "", self.note)))
        foot = Markup('<p class="note">{}</p>').format(note) if note else ""
        if self.files:
            links = [_download(self.name + end, file) for end, file in self.files.items()]
            foot += Markup('<p class="note">Files: {}.</p>').format(Markup(", ").join(links))
        return Markup(
            '<figure class="exhibit {}" id="{}"><figcaption>{}</figcaption>'
            '<div class="scroll" tabindex="0">{}</div>{}</figure>'
        ).format(self.kind, self.name, self.caption, self.body, foot)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = self.data.to_string(index=False, max_rows=_PLAIN_ROWS)
        bundle: dict[str, Any] = {
            "text/html": str(self.to_html()),
            "text/plain": f"{self.caption}\n{plain}",
            MIME: {
                "name": self.name,
                "kind": self.kind,
                "caption": self.caption,
                "note": self.note,
                "columns": list(self.data.columns),
                "rows": [[to_json(v) for v in row] for row in self.data.to_numpy(object)],
            },
        }
        if self.files:
            bundle[MIME]["files"] = {end: _encode(file) for end, file in self.files.items()}
        if self.kind == "figure":
            bundle["image/svg+xml"] = self.svg
            bundle["image/png"] = _encode(self.png)
        return bundle


def save_exhibit(output: Mapping[str, Any], folder: Path) -> dict[str, Any] | None:
    """Write the files of an exhibit that a notebook shows.

    Parameters
    ----------
    output
        A cell's output, by type.
    folder
        The run's, which has tables/ and figures/.

    Returns
    -------
    What results.json says of it, with its numbers; None if the output is no exhibit.
    """
    if MIME not in output:
        return None
    exhibit = dict(output[MIME])
    stem = folder / f"{exhibit['kind']}s" / exhibit["name"]
    table = flatten_bounds(exhibit["columns"], exhibit["rows"])
    table.to_csv(f"{stem}.csv", index=False, encoding="utf-8-sig")
    files = {end: base64.b64decode(file) for end, file in exhibit.pop("files", {}).items()}
    if exhibit["kind"] == "figure":
        files[".svg"] = output["image/svg+xml"].encode()
        files[".png"] = base64.b64decode(output["image/png"])
    for end, file in files.items():
        Path(f"{stem}{end}").write_bytes(file)
    rows = [dict(zip(exhibit["columns"], row, strict=True)) for row in exhibit["rows"]]
    return {**exhibit, "rows": rows}


def _encode(file: bytes) -> str:
    return base64.b64encode(file).decode()


def _download(name: str, file: bytes) -> Markup:
    """Link a file that the page itself holds."""
    return Markup(
        '<a download="{0}" href="data:application/octet-stream;base64,{1}">{0}</a>'
    ).format(name, _encode(file))


def to_json(value: Any) -> Any:
    """Give a value as JSON holds it; bounds as their ends, null where there is none."""
    if isinstance(value, Bounds):
        return {
            "lower": to_json(value.lower),
            "upper": to_json(value.upper),
            "lower_closed": value.lower_closed,
            "upper_closed": value.upper_closed,
        }
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    if (
        value is None
        or value is pd.NA
        or (isinstance(value, float) and not math.isfinite(value))
    ):
        return None
    return value.item() if hasattr(value, "item") else value


def flatten_bounds(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> pd.DataFrame:
    """Give an exhibit's rows as a plain table: bounds in four columns, for CSV."""
    frame = pd.DataFrame(list(rows), columns=list(columns), dtype=object)
    parts: dict[str, Any] = {}
    for name in columns:
        cells = frame[name]
        if any(isinstance(cell, dict) for cell in cells):
            for end in ("lower", "upper", "lower_closed", "upper_closed"):
                parts[f"{name}_{end}"] = [_end_cell(cell, end) for cell in cells]
        else:
            parts[name] = cells
    return pd.DataFrame(parts, dtype=object)


def _end_cell(cell: Any, end: str) -> Any:
    if not isinstance(cell, dict):
        return None
    missing = {"lower": "-inf", "upper": "inf"}.get(end)
    return missing if cell[end] is None else int(cell[end]) if "closed" in end else cell[end]


def html_table(
    frame: pd.DataFrame, *, row_headers: int = 1, group: str | None = None
) -> Markup:
    """Build an HTML table; cells that are not Markup are escaped.

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
        return Markup("<p>Nothing to show.</p>")
    shown = frame.drop(columns=group) if group else frame
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(c) for c in shown.columns)
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
                Markup('<th scope="row">{}</th>') if i < row_headers else Markup("<td>{}</td>")
            ).format("" if cell is None else cell)
            for i, cell in enumerate(row)
        )
        lines.append(Markup("<tr>{}</tr>").format(cells))
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        head, Markup("").join(lines)
    )


def html_bounds(bounds: Bounds | None, unit: str = "") -> Markup:
    """Print bounds on one line, with their unit."""
    if bounds is None:
        return Markup("")
    shown = f"{bounds} {unit}".strip()
    return Markup('<span class="number">{}</span>').format(shown)


def html_formula(formula: str) -> Markup:
    """Print a formula that may be broken behind its underscores."""
    parts = Markup("_<wbr>").join(formula.split("_"))
    return Markup('<code class="formula">{}</code>').format(parts)


def html_date(date: str) -> Markup:
    """Print a date on one line."""
    return Markup('<span class="number">as of {}</span>').format(date)


def html_claims(ids: str) -> Markup:
    """Link claims' ids ("C048 C055") to their rows in the list of claims."""
    links = (
        Markup('<a class="claim" href="#{0}">{0}</a>').format(name) for name in ids.split()
    )
    return Markup(" ").join(links)


def html_lines(*lines: str) -> Markup:
    """Put lines below one another, leaving out the empty ones."""
    return Markup("<br>").join(escape(line) for line in lines if line)
