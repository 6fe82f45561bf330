"""One page over many runs: their estimates side by side, and which runs are stale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from evaluation.errors import ReportError
from evaluation.language import commas, mark, say, say_count
from evaluation.report.index.entries import (
    Entry,
    make_entries,
    name_all_counties,
    title_of,
)
from evaluation.report.index.map import plot_maps
from evaluation.report.index.names import CountyNames
from evaluation.report.index.plots import plot_panels
from evaluation.report.index.rows import KINDS, Estimate, list_estimates
from evaluation.report.index.runs import MISFITS, RESULTS, Run, find_runs, tell_misfit
from evaluation.report.index.state import KINDS as STATES
from evaluation.report.index.state import Present, State, find_studies
from evaluation.report.record.store import NAME
from evaluation.report.template_files import read_template, render_page
from evaluation.report.village_words import show_number

PAGE = "index.html"

_LANGUAGES = {"en": "English", "zh": "中文"}
_HEADS = {
    "run": mark("Run"),
    "study": mark("Study"),
    "county": mark("County"),
    "outcome": mark("Outcome"),
    "kind": mark("What it is"),
    "estimate": mark("Estimate"),
    "interval": mark("Interval or bounds"),
    "unit": mark("Unit"),
    "prices": mark("Price year"),
    "how": mark("Estimator or definition"),
    "settings": mark("Settings"),
    "state": mark("State"),
    "made": mark("Made (UTC)"),
    "language": mark("Language"),
    "reason": mark("Remark, or why no interval"),
}
_RUN_HEADS = {
    **{name: _HEADS[name] for name in ("run", "study", "made", "language", "state")},
    "details": mark("What differs from now"),
}
_FILTERS = ("study", "county", "outcome", "kind", "state")
_NUMERIC = ("estimate", "interval")
_LONG = ("study", "outcome", "how", "settings", "reason", "details")
_WIDE = ' class="reason"'


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """A cell of a table: what is shown, and what it is sorted by if not by that."""

    shown: str | Markup = ""
    sort: str = ""


_Row = Mapping[str, _Cell]


def write_index(folder: Path, *, studies: Path) -> Path:
    """Write one page over the runs below a folder, in the language spoken.

    Parameters
    ----------
    folder
        Where runs are: any folder below it with a ro-crate-metadata.json and a results.json.
    studies
        Where the runs' studies are, to tell whether their inputs have changed.

    Returns
    -------
    The page, FOLDER/index.html. Equal runs, studies and code give equal bytes.

    Raises
    ------
    ReportError
        If there is no run, or the page cannot be written.
    """
    runs = find_runs(folder)
    if not runs:
        raise ReportError(
            f"{folder}: no run in it. Make one: evaluation report STUDY --out {folder}"
        )
    page = folder / PAGE
    beside = folder / f"{PAGE}.new"
    try:
        beside.write_text(_build(runs, Present(studies=find_studies(studies))), "utf-8")
        beside.replace(page)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ReportError(f"{page}: cannot be written: {error.strerror}.") from error
    return page


def _build(runs: Sequence[Run], present: Present) -> str:
    found: list[Estimate] = []
    checked = []
    for run in runs:
        run, estimates = _take(run)
        checked.append(run)
        found += estimates
    counties = name_all_counties(found, present.areas)
    entries = make_entries(found, counties)
    states = {run.place: _judge(run, present) for run in checked}
    panels, more_panels = plot_panels(entries)
    maps, more_maps = plot_maps(entries, counties)
    rows = _rows(checked, entries, states, counties)
    return render_page(
        "index.html.j2",
        facts=_facts(checked, states),
        heads={name: say(head) for name, head in _HEADS.items()},
        numeric=_NUMERIC,
        options=_options(rows),
        kinds=[kind for kind in KINDS if any(e.estimate.kind == kind for e in entries)],
        kind_names={kind: say(name) for kind, name in KINDS.items()},
        run_heads={name: say(head) for name, head in _RUN_HEADS.items()},
        body=_lines(rows, _HEADS),
        run_body=_lines([_run_cells(run, states[run.place]) for run in checked], _RUN_HEADS),
        panels=panels,
        more_panels=more_panels,
        maps=maps,
        more_maps=more_maps,
        css=read_template("page.css"),
        scripts=[read_template("table.js"), read_template("index.js")],
    )


def _take(run: Run) -> tuple[Run, list[Estimate]]:
    """Take a run's estimates; one that does not hold what it should is damaged."""
    if run.problem:
        return run, []
    try:
        return run, list_estimates(run)
    except MISFITS as error:
        return replace(run, problem=tell_misfit(RESULTS, error)), []


def _judge(run: Run, present: Present) -> State:
    if run.problem:
        return State(kind="damaged", details=(run.problem,))
    try:
        state = present.judge(run.study, run.record)
    except MISFITS as error:
        return State(kind="damaged", details=(tell_misfit(NAME, error),))
    gone = () if run.has_page else (say("report.html is not there"),)
    return replace(state, details=(*state.details, *gone))


def _facts(runs: Sequence[Run], states: dict[str, State]) -> list[tuple[str, str]]:
    n_studies = len({run.study for run in runs})
    counts = Counter(state.kind for state in states.values())
    return [
        (
            say("Runs"),
            say(
                "{runs} of {studies}",
                runs=say_count("{n} run", "{n:,} runs", len(runs)),
                studies=say_count("{n} study", "{n:,} studies", n_studies),
            ),
        ),
        (
            say("State"),
            commas(
                say("{n:,} {state}", n=counts[kind], state=say(name))
                for kind, name in STATES.items()
                if counts[kind]
            ),
        ),
    ]


def _rows(
    runs: Iterable[Run],
    entries: Iterable[Entry],
    states: dict[str, State],
    counties: CountyNames,
) -> list[_Row]:
    own: dict[str, list[Entry]] = {}
    for entry in entries:
        own.setdefault(entry.run.place, []).append(entry)
    rows: list[_Row] = []
    for run in runs:
        same = _run_cells(run, states[run.place])
        for entry in own.get(run.place, ()):
            rows.append({**same, **_entry_cells(entry)})
        if run.place not in own:
            why = run.problem or run.reason("effects") or run.reason("trend_bounds")
            county = counties.show(run.county) if run.county else ""
            of_what = {"county": _Cell(shown=county), "outcome": _Cell(shown=run.outcome)}
            rows.append({**same, **of_what, "reason": _Cell(shown=why or say("no estimate"))})
    return rows


def _run_cells(run: Run, state: State) -> dict[str, _Cell]:
    link = Markup('<a href="{}">{}</a>').format(quote(f"{run.place}/report.html"), run.name)
    return {
        "run": _Cell(shown=link if run.has_page else run.name),
        "study": _Cell(shown=title_of(run)),
        "made": _Cell(shown=run.end[:16].replace("T", " ")),
        "language": _Cell(shown=_LANGUAGES.get(run.language, run.language)),
        "state": _Cell(shown=say(STATES[state.kind])),
        "details": _Cell(shown=say("; ").join(state.details)),
    }


def _entry_cells(entry: Entry) -> dict[str, _Cell]:
    one = entry.estimate
    low = one.ends[0]
    exact = one.kind == "claim" and one.bounds is not None and one.bounds.is_exact
    return {
        "county": _Cell(shown=entry.county),
        "outcome": _Cell(shown=entry.outcome),
        "kind": _Cell(shown=say(KINDS[one.kind])),
        "estimate": _Cell(shown=one.interval if exact else show_number(one.value)),
        "interval": _Cell(
            shown=one.interval,
            sort="" if one.bounds is None else repr(max(low, -1e300)),
        ),
        "unit": _Cell(shown=entry.unit),
        "prices": _Cell(shown=entry.price_year),
        "how": _Cell(shown=one.how),
        "settings": _Cell(shown=commas(entry.settings)),
        "reason": _Cell(shown=one.reason or one.remark),
    }


def _options(rows: Sequence[_Row]) -> dict[str, list[str]]:
    """Give what columns can be filtered by, in order."""
    found = {}
    for name in _FILTERS:
        values = {str(row[name].shown) for row in rows if name in row} - {""}
        found[name] = sorted(values, key=lambda value: (value != say("all"), value))
    return found


def _lines(rows: Iterable[_Row], heads: Collection[str]) -> Markup:
    """Write rows; by plain text, as tens of thousands of cells cost seconds otherwise."""
    empty = _Cell()
    return Markup(
        "\n".join(
            f"<tr>{''.join(_format_cell(name, row.get(name, empty)) for name in heads)}</tr>"
            for row in rows
        )
    )


def _format_cell(name: str, cell: _Cell) -> str:
    shown = escape(cell.shown)
    if name == "run":
        return f'<th scope="row">{shown}</th>'
    # What bounds are sorted by is not seen, but the script reads it first.
    sort = f"<span hidden>{cell.sort} </span>" if cell.sort else ""
    return f"<td{_WIDE if name in _LONG and shown else ''}>{sort}{shown}</td>"
