"""Exhibits: tables and figures that show themselves in a notebook and carry their data."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from markupsafe import Markup

from evaluation.bounds import Bounds
from evaluation.errors import ReportError
from evaluation.language import mark, say, sentences
from evaluation.report.files.table_files import table_files

MIME = "application/vnd.evaluation.exhibit+json"
"""The notebook output that a run collects its tables, figures and numbers from."""

_PLAIN_ROWS = 100  # of the text that a terminal shows; the data has all


LEGEND = mark(
    "[ or ]: the end is a possible value; ( or ): it is not, which is said of the exact end. "
    "Printed ends are rounded outwards, single values to the nearest."
)

MONEY = mark("万元: 10,000 yuan. Money of the years reported, not deflated.")

NOTEBOOK_STYLE = Markup(
    "<style>.jp-RenderedHTMLCommon .exhibit{margin:0}"
    ".jp-RenderedHTMLCommon .exhibit figcaption{font-weight:600;margin:.3em 0}"
    ".jp-RenderedHTMLCommon .exhibit.figure img{background:#fff;max-width:50rem}"
    ".jp-RenderedHTMLCommon .exhibit .scroll{overflow-x:auto}"
    ".jp-RenderedHTMLCommon .exhibit table{margin:0;font-size:.9em;"
    "border-top:2px solid;border-bottom:2px solid}"
    ".jp-RenderedHTMLCommon .exhibit thead{border-bottom:1px solid}"
    ".jp-RenderedHTMLCommon .exhibit :is(th,td){text-align:left;vertical-align:top;"
    "white-space:normal;max-width:30em}"
    ".jp-RenderedHTMLCommon .exhibit tbody tr,"
    ".jp-RenderedHTMLCommon .exhibit tbody tr:nth-child(odd){background:none}"
    ".jp-RenderedHTMLCommon .exhibit tbody th{font-weight:500}"
    ".jp-RenderedHTMLCommon .exhibit tr.group th{font-weight:600;"
    "background:var(--jp-layout-color2)}"
    ".jp-RenderedHTMLCommon .exhibit .number{white-space:nowrap}"
    ".jp-RenderedHTMLCommon .exhibit :is(.note,.gap,.detail,.formula){font-size:.9em;"
    "color:var(--jp-ui-font-color2)}</style>"
)
"""What makes an exhibit in JupyterLab look like the report's; the report has its own style."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Exhibit:
    """A numbered table or figure of a report.

    Shown as the last value of a notebook's cell, it displays itself; a run then writes its
    data to tables/NAME.csv, its pictures to figures/ and its numbers to results.json.

    Attributes
    ----------
    name
        What its files are called, in letters, digits, _ and -; unique in a report.
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
        What a run writes beside the data, by the end of its name: ".tex" becomes
        tables/NAME.tex, in place of the table as displayed.

    Raises
    ------
    ReportError
        If its name, kind, pictures or columns are none that a run can write.
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

    def __post_init__(self) -> None:
        wrong = ""
        if not re.fullmatch(r"[\w-]+", self.name):
            wrong = "name it in letters, digits, _ and -, as its files are called so"
        elif self.kind not in ("table", "figure"):
            wrong = f"its kind is {self.kind!r}; give table or figure"
        elif self.kind == "figure" and not (self.svg and self.png):
            wrong = "it has no svg and png; make a figure by figure_exhibit"
        elif not self.data.columns.is_unique:
            wrong = "two columns of its data have one name; give one another"
        if wrong:
            raise ReportError(f"exhibit {self.name!r}: {wrong}.")

    def __repr__(self) -> str:
        """Name it: its picture would fill pages."""
        return f"<{self.kind} {self.name}: {self.caption}>"

    def to_html(self) -> Markup:
        """Give the exhibit as HTML, with caption and note."""
        note = sentences(say("SIMULATED data.") if self.simulated else "", self.note)
        foot = Markup('<p class="note">{}</p>').format(note) if note else ""
        return Markup(
            '<figure class="exhibit {}" id="{}"><figcaption>{}</figcaption>'
            '<div class="scroll" tabindex="0">{}</div>{}</figure>'
        ).format(self.kind, self.name, self.caption, self.body, foot)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        plain = self.data.to_string(index=False, max_rows=_PLAIN_ROWS)
        bundle: dict[str, Any] = {
            "text/html": str(NOTEBOOK_STYLE + self.to_html()),
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
    What results.json says of it, with the ends of its files' names and its numbers; None if
    the output is no exhibit.
    """
    if MIME not in output:
        return None
    exhibit = dict(output[MIME])
    stem = folder / f"{exhibit['kind']}s" / exhibit["name"]
    table = flatten_bounds(exhibit["columns"], exhibit["rows"])
    table.to_csv(f"{stem}.csv", index=False, encoding="utf-8-sig")
    if exhibit["kind"] == "figure":
        files = {
            ".svg": output["image/svg+xml"].encode(),
            ".png": base64.b64decode(output["image/png"]),
        }
    else:
        files = table_files(output["text/html"])
        if ".tex" in files and ".docx" not in files:
            exhibit["left_out"] = say("No Word file: the table is too long for one.")
    own = exhibit.pop("files", {})
    files |= {end: base64.b64decode(file) for end, file in own.items()}
    for end, file in files.items():
        Path(f"{stem}{end}").write_bytes(file)
    rows = [dict(zip(exhibit["columns"], row, strict=True)) for row in exhibit["rows"]]
    return {**exhibit, "files": [".csv", *files], "rows": rows}


def _encode(file: bytes) -> str:
    return base64.b64encode(file).decode()


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
    parts: dict[str, Any] = {}
    table = [[*cells] for cells in zip(*rows, strict=True)] or [[] for _ in columns]
    for name, cells in zip(columns, table, strict=True):
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
