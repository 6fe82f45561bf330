"""Tables on a village panel: what it holds, and what was noted on reading it."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import Variable, VillagePanel
from evaluation.data.study import Study
from evaluation.data.study_files import Column
from evaluation.data.study_panel import Statistic
from evaluation.report.exhibits import Exhibit, html_table
from evaluation.report.village_words import (
    group_cohorts,
    money_note,
    name_prices,
    needs,
    panel_of,
    show_number,
    show_variable,
    start_note,
)

_PLACES = 3
_NOT_IF_NONE = ("Counties", "Towns", "Hedged figures kept as bounds")
_MANY_ZEROS = 0.1
_LEFT_OUT = re.compile(r"\bleft out\b")


@needs("panel", "panel_summary", "What the panel holds")
def panel_summary_table(study_data: StudyData) -> Exhibit:
    """Show what a panel holds, and what was left out on reading it."""
    panel = panel_of(study_data)
    outcome = panel.variables[panel.outcome]
    shown = show_variable(panel, outcome)
    n_cells, n_rows = panel.rows.size, int(panel.rows.sum())
    code, names = group_cohorts(panel)
    cohorts = ", ".join(
        f"{name}: {count:,}"
        for name, count in zip(names, np.bincount(code), strict=True)
        if name.isdigit()
    )
    left_out = [p for p in panel.problems if _LEFT_OUT.search(p.message)]
    left = "; ".join(re.sub("^left out: ", "", p.message) for p in left_out)
    n_never = int((~panel.is_treated).sum())
    n_treated = panel.n_villages - n_never
    rows: list[tuple[str, int | None, str]] = [
        ("Villages", panel.n_villages, ""),
        ("Counties", _n_places(panel, "county"), ""),
        ("Towns", _n_places(panel, "county", "town"), ""),
        ("Years", len(panel.years), f"{panel.years[0]} to {panel.years[-1]}"),
        ("Village-years in the file", n_rows, f"of {n_cells:,} villages x years"),
        (
            "Values of the outcome",
            int(np.isfinite(panel.matrix()).sum()),
            f"{outcome.label}, from {outcome.column}; {shown.unit or 'no unit given'}",
        ),
        ("Prices", None, name_prices(study_data.study)),
        ("Hedged figures kept as bounds", len(panel.hedged), "missing as points"),
        ("Treated villages", n_treated, f"by first treated year: {cohorts}" if cohorts else ""),
        ("Never treated villages", n_never, ""),
        ("Left out", len(left_out), left or "nothing was left out on reading"),
    ]
    absent = [*_NOT_IF_NONE, *(() if name_prices(study_data.study) else ("Prices",))]
    facts = [row for row in rows if row[1] or row[0] not in absent]
    data = pd.DataFrame(facts, columns=["item", "count", "what"], dtype=object)
    cells = pd.DataFrame(
        {
            "": data["item"],
            "Number": ["" if count is None else f"{count:,}" for count in data["count"]],
            "What": data["what"],
        },
        dtype=object,
    )
    share = np.isfinite(panel.matrix()).sum() / n_cells
    note = (
        f"{n_treated:,} of {panel.n_villages:,} villages are treated at some time; the outcome "
        f"is known for {share:.1%} of villages and years. {start_note(study_data)} "
        f"{money_note(shown)}"
    )
    return Exhibit(
        name="panel_summary",
        kind="table",
        caption=f"What the panel holds ({panel.source or 'the file'})",
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=" ".join(note.split()),
    )


def _n_places(panel: VillagePanel, *columns: str) -> int:
    """Count places that have a name; towns of one name in two counties are two."""
    named = panel.villages[panel.villages[columns[-1]] != ""]
    return len(named[list(columns)].drop_duplicates())


def problem_table(study_data: StudyData) -> Exhibit:
    """List the warnings and notes on reading the study's files."""
    problems = sorted(study_data.problems, key=lambda p: p.level != "warning")
    rows = []
    for p in problems:
        places = [f"{p.row_word} {row} {cell}".strip() if row != "" else cell
                  for row, cell in p.places[:_PLACES]]  # fmt: skip
        rows.append(
            (p.level, p.file, p.column, p.message, p.count, "; ".join(places), p.remedy)
        )
    names = ["level", "file", "column", "what", "count", "first_places", "remedy"]
    data = pd.DataFrame(rows, columns=names, dtype=object)
    cells = pd.DataFrame(
        {
            "Level": data["level"],
            "File": data["file"],
            "Column": data["column"],
            "What": [f"{r[3]}. {r[6]}".strip() for r in rows],
            "How many": [f"{count:,}" if count else "" for count in data["count"]],
            "First places": data["first_places"],
        },
        dtype=object,
    )
    n_warnings = sum(p.level == "warning" for p in problems)
    return Exhibit(
        name="problems",
        kind="table",
        caption="Warnings and notes on reading the files",
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=(
            f"{n_warnings} warning(s), {len(problems) - n_warnings} note(s). Nothing was "
            "changed or filled in on their account; `evaluation check` lists every place."
        ),
    )


@needs("panel", "summary_statistics", "Summary statistics")
def summary_table(study_data: StudyData) -> Exhibit:
    """Give the distribution of every variable over villages and years."""
    panel = panel_of(study_data)
    rows, notes = [], set()
    n_rows = int(panel.rows.sum())
    for name, variable in panel.variables.items():
        shown = show_variable(panel, variable)
        notes.add(money_note(shown))
        values = panel.matrix(name)
        values = values[np.isfinite(values)] / shown.divisor
        n = len(values)
        spread = float(values.std(ddof=1)) if n > 1 else np.nan
        quantiles = np.percentile(values, [0, 25, 50, 75, 100]) if n else np.full(5, np.nan)
        mean = float(values.mean()) if n else np.nan
        zeros = float((values == 0).mean()) if n else np.nan
        declared = _declared_unit(study_data.study, variable)
        rows.append((name, variable.label, variable.column, declared, variable.role, n, mean,
                     spread, *quantiles, zeros, 1 - n / n_rows, shown.unit))  # fmt: skip
    numbers = ["n", "mean", "sd", "min", "p25", "median", "p75", "max"]
    names = ["variable", "label", "column", "declared_unit", "role", *numbers, "zero_share",
             "missing_share", "unit"]  # fmt: skip
    data = pd.DataFrame(rows, columns=names)
    cells = pd.DataFrame({"Variable": _label(data), "Unit": data["unit"]}, dtype=object)
    for name in numbers:
        cells[name.capitalize() if name in ("mean", "min", "median", "max") else name] = [
            show_number(value) for value in data[name]
        ]
    if (data["zero_share"] > _MANY_ZEROS).any():
        cells["Zeros"] = [f"{z:.0%}" if z > _MANY_ZEROS else "" for z in data["zero_share"]]
    cells["Missing"] = [f"{share:.1%}" for share in data["missing_share"]]
    worst = max(data.to_dict("records"), key=lambda row: row["missing_share"])
    return Exhibit(
        name="summary_statistics",
        kind="table",
        caption="Summary statistics over villages and years",
        data=data,
        body=html_table(cells, row_headers=1),
        simulated=study_data.study.simulated,
        note=(
            f"Missing: share of the {n_rows:,} village-years in the file without a value; the "
            f"largest is {worst['missing_share']:.1%}, of {worst['label']}. p25, p75: "
            "quartiles. Below a name: its column, and the unit there if it has one. "
            f"{'Zeros: their share of the values, if above 10%. ' if 'Zeros' in cells else ''}"
            + "".join(sorted(notes))
        ).strip(),
    )


def _declared_unit(study: Study, variable: Variable) -> str:
    """Give the unit that the study declares for a variable's column in the file."""
    part = study.panel
    if part is None:
        return ""
    kinds = {f"income_{kind}": column for kind, column in part.income.items()}
    declared: dict[str, Column | Statistic] = {**part.outcomes, **part.covariates, **kinds}
    declared |= part.aggregate.outcomes if part.aggregate else {}
    # The outcome income is made of kinds that all have one currency.
    column = declared.get(variable.name) or next(iter(kinds.values()), None)
    unit, scale = (column.unit if column else ""), getattr(column, "scale", "level")
    return unit if scale == "level" else f"{scale} of {unit or 'the number'}"


def _label(data: pd.DataFrame) -> list[Markup]:
    """Name variables by label, and by their column in the file and its unit below it."""
    return [
        Markup("{}<br><small>{}{}</small>").format(
            label.replace("_", " "), column, f" ({unit})" if unit else ""
        )
        for label, column, unit in zip(
            data["label"], data["column"], data["declared_unit"], strict=True
        )
    ]
