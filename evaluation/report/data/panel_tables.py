"""Tables on a village panel: what it holds, and what was noted on reading it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import Variable, VillagePanel
from evaluation.data.study import Study
from evaluation.data.study_files import Column
from evaluation.data.study_panel import Statistic
from evaluation.language import commas, mark, say, say_count, sentences
from evaluation.report.cells import html_table
from evaluation.report.digits import show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    group_cohorts,
    money_note,
    name_prices,
    needs,
    panel_of,
    scale_unit,
    show_variable,
    start_note,
)

_PLACES = 3
_NOT_IF_NONE = ("Counties", "Towns", "Hedged figures kept as bounds")
_MANY_ZEROS = 0.1
_LEVELS = {"warning": mark("warning"), "note": mark("note")}
_PLACES_IN = {
    "row": mark("row {row} {cell}"),
    "line": mark("line {row} {cell}"),
    "observation": mark("observation {row} {cell}"),
    "village-year": mark("village-year {row} {cell}"),
}
_NUMBERS = {
    "mean": mark("Mean"),
    "sd": mark("sd"),
    "min": mark("Min"),
    "p25": "p25",
    "median": mark("Median"),
    "p75": "p75",
    "max": mark("Max"),
}


@needs("panel", "panel_summary", mark("What the panel holds"))
def panel_summary_table(study_data: StudyData) -> Exhibit:
    """Show what a panel holds, and what was left out on reading it."""
    panel = panel_of(study_data)
    outcome = panel.variables[panel.outcome]
    shown = show_variable(panel, outcome)
    n_cells, n_rows = panel.rows.size, int(panel.rows.sum())
    code, names = group_cohorts(panel)
    cohorts = commas(
        say("{name}: {n:,}", name=name, n=count)
        for name, count in zip(names, np.bincount(code), strict=True)
        if name.isdigit()
    )
    left_out = [p.message for p in panel.problems if p.left_out]
    left = say("; ").join(p.removeprefix(say("left out: {what}", what="")) for p in left_out)
    n_never = int((~panel.is_treated).sum())
    n_treated = panel.n_villages - n_never
    rows: list[tuple[str, int | None, str]] = [
        (mark("Villages"), panel.n_villages, ""),
        (mark("Counties"), _n_places(panel, "county"), ""),
        (mark("Towns"), _n_places(panel, "county", "town"), ""),
        (
            mark("Years"),
            len(panel.years),
            say("{first} to {last}", first=panel.years[0], last=panel.years[-1]),
        ),
        (
            mark("Village-years in the file"),
            n_rows,
            say("of {n:,} villages x years", n=n_cells),
        ),
        (
            mark("Values of the outcome"),
            int(np.isfinite(panel.matrix()).sum()),
            say(
                "{label}, from {column}; {unit}",
                label=outcome.label,
                column=outcome.column,
                unit=shown.unit or say("no unit given"),
            ),
        ),
        (mark("Prices"), None, name_prices(study_data.study)),
        (
            mark("Hedged figures kept as bounds"),
            len(panel.hedged),
            say("missing as points"),
        ),
        (
            mark("Treated villages"),
            n_treated,
            say("by first treated year: {cohorts}", cohorts=cohorts) if cohorts else "",
        ),
        (mark("Never treated villages"), n_never, ""),
        (mark("Left out"), len(left_out), left or say("nothing was left out on reading")),
    ]
    absent = [*_NOT_IF_NONE, *(() if name_prices(study_data.study) else ("Prices",))]
    facts = [row for row in rows if row[1] or row[0] not in absent]
    data = pd.DataFrame(facts, columns=["item", "count", "what"], dtype=object)
    cells = pd.DataFrame(
        {
            "": [say(item) for item in data["item"]],
            say("Number"): ["" if count is None else f"{count:,}" for count in data["count"]],
            say("What"): data["what"],
        },
        dtype=object,
    )
    share = np.isfinite(panel.matrix()).sum() / n_cells
    return Exhibit(
        name="panel_summary",
        kind="table",
        caption=say("What the panel holds ({file})", file=panel.source or say("the file")),
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(
            say(
                "{treated:,} of {n:,} villages are treated at some time; the outcome is known "
                "for {share:.1%} of villages and years.",
                treated=n_treated,
                n=panel.n_villages,
                share=share,
            ),
            start_note(study_data),
            money_note(shown),
        ),
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
        places = [
            say(_PLACES_IN[p.row_word], row=row, cell=cell).strip() if row != "" else cell
            for row, cell in p.places[:_PLACES]
        ]
        listed = say("; ").join(places)
        rows.append((p.level, p.file, p.column, p.message, p.count, listed, p.remedy))
    names = ["level", "file", "column", "what", "count", "first_places", "remedy"]
    data = pd.DataFrame(rows, columns=names, dtype=object)
    cells = pd.DataFrame(
        {
            say("Level"): [say(_LEVELS[level]) for level in data["level"]],
            say("File"): data["file"],
            say("Column"): data["column"],
            say("What"): [
                sentences(_end(what), remedy)
                for what, remedy in zip(data["what"], data["remedy"], strict=True)
            ],
            say("How many"): [f"{count:,}" if count else "" for count in data["count"]],
            say("First places"): data["first_places"],
        },
        dtype=object,
    )
    n_warnings = sum(p.level == "warning" for p in problems)
    return Exhibit(
        name="problems",
        kind="table",
        caption=say("Warnings and notes on reading the files"),
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(
            say_count("{n} warning.", "{n:,} warnings.", n_warnings),
            say_count("{n} note.", "{n:,} notes.", len(problems) - n_warnings),
            say(
                "Nothing was changed or filled in on their account; the command “evaluation "
                "check” lists every place."
            ),
            say("Files are read and checked whole: these are of all counties.")
            if study_data.study.county
            else "",
        ),
    )


def _end(message: str) -> str:
    """End a message as a sentence, unless it asks something."""
    return message if message.endswith(("?", "？")) else say("{what}.", what=message)


@needs("panel", "summary_statistics", mark("Summary statistics"))
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
    names = ["variable", "label", "column", "declared_unit", "role", "n", *_NUMBERS,
             "zero_share", "missing_share", "unit"]  # fmt: skip
    data = pd.DataFrame(rows, columns=names)
    cells = pd.DataFrame(
        {say("Variable"): _label(data), say("Unit"): data["unit"]}, dtype=object
    )
    cells[say("n")] = [f"{n:,}" for n in data["n"]]
    numbers = [show_alike(row) for row in data[[*_NUMBERS]].to_numpy()]
    for head, column in zip(_NUMBERS.values(), zip(*numbers, strict=True), strict=True):
        cells[say(head)] = column
    many_zeros = (data["zero_share"] > _MANY_ZEROS).any()
    if many_zeros:
        cells[say("Zeros")] = [
            f"{z:.0%}" if z > _MANY_ZEROS else "" for z in data["zero_share"]
        ]
    cells[say("Missing")] = [f"{share:.1%}" for share in data["missing_share"]]
    worst = max(data.to_dict("records"), key=lambda row: row["missing_share"])
    return Exhibit(
        name="summary_statistics",
        kind="table",
        caption=say("Summary statistics over villages and years"),
        data=data,
        body=html_table(cells, row_headers=1),
        simulated=study_data.study.simulated,
        note=sentences(
            say(
                "Missing: share of the {n:,} village-years in the file without a value; the "
                "largest is {share:.1%}, of {label}. n: known values; sd: standard deviation; "
                "p25, p75: quartiles. Below a name: its column in the file, and its unit there "
                "if it has one.",
                n=n_rows,
                share=worst["missing_share"],
                label=worst["label"],
            ),
            say("Zeros: their share of the values, if above 10%.") if many_zeros else "",
            *sorted(notes),
        ),
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
    return scale_unit(column.unit if column else "", getattr(column, "scale", "level"))


def _label(data: pd.DataFrame) -> list[Markup]:
    """Name variables by label, and by their column in the file and its unit below it."""
    told = [
        ("" if column == label else column, say("({unit})", unit=unit) if unit else "")
        for label, column, unit in zip(
            data["label"], data["column"], data["declared_unit"], strict=True
        )
    ]
    return [
        Markup("{}<br><small>{}</small>").format(
            label.replace("_", " "), " ".join(filter(None, below))
        )
        for label, below in zip(data["label"], told, strict=True)
    ]
