"""The verbs on reports: make, open, index them, and work on their notebooks."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from evaluation.cli.done import (
    Done,
    Verbs,
    add_author,
    add_folder,
    add_formats,
    add_kernels,
    add_key,
    add_language,
    add_parameters,
    add_study,
    add_timeout,
    find_key,
    split_formats,
    tell,
)
from evaluation.errors import ReportError


def add_verbs(verbs: Verbs) -> None:
    """Add the verbs to the command."""
    report = verbs.add_parser(
        "report",
        help="run a study's notebooks into a report",
        description="Run the notebooks for which a study has data, and write "
        "OUT/STUDY-HASH/report.html with its tables, figures and numbers.",
    )
    add_study(report)
    add_parameters(
        report, "a parameter of the notebooks (in each, the cell tagged 'parameters')"
    )
    add_language(report)
    add_formats(report)
    add_folder(
        report, "--out", default=Path("reports"), help="where the run's folder goes (reports)"
    )
    add_key(report)
    add_timeout(report)
    add_kernels(report)
    add_author(report)
    report.add_argument(
        "--force", action="store_true", help="run again although nothing has changed"
    )
    report.set_defaults(run=_report)

    opened = verbs.add_parser("open", help="show a report in the browser")
    add_folder(opened, "run_folder", metavar="RUN", help="a run's folder, or one of runs")
    opened.set_defaults(run=_open)

    index = verbs.add_parser(
        "index",
        help="make one page over many runs",
        description="Write DIR/index.html: the runs below DIR, their estimates side by side, "
        "and which are stale.",
    )
    add_folder(index, "folder", metavar="DIR", nargs="?", default=Path("reports"))
    add_folder(
        index,
        "--studies",
        default=Path("data"),
        metavar="DIR",
        help="where the runs' studies lie, to tell which runs are stale (data)",
    )
    add_language(index)
    index.set_defaults(run=_index)

    lab = verbs.add_parser(
        "lab",
        help="open a study's notebooks in JupyterLab",
        description="Copy the notebooks for which a study has data into a folder, the study's "
        "parameters filled in, and open JupyterLab there. What is in the folder already stays.",
    )
    add_study(lab)
    add_parameters(lab, "a parameter of the notebooks")
    add_language(lab)
    add_folder(lab, "--folder", metavar="DIR", help="the working copy (lab/STUDY)")
    lab.add_argument("--no-browser", action="store_true", help="only start the server")
    lab.add_argument("--copy-only", action="store_true", help="do not start JupyterLab")
    lab.set_defaults(run=_lab)


def _report(options: argparse.Namespace) -> Done:
    from evaluation.cli.progress import show_progress
    from evaluation.report.files.documents import document_path
    from evaluation.report.parameters import split_assignments
    from evaluation.report.run import run_report

    clock = time.monotonic()
    formats = split_formats(options.to)
    with show_progress() as on_step:
        folder = run_report(
            options.study,
            parameters=split_assignments(options.parameters),
            language=options.lang,
            formats=formats,
            out=options.out,
            data=options.data,
            key=find_key(options),
            force=options.force,
            timeout=options.timeout,
            kernels=options.kernels,
            author=options.author,
            tell=tell,
            on_step=on_step,
        )
    page = folder / "report.html"
    documents = [document_path(folder, name) for name in formats]
    return Done(
        lines=[str(path) for path in (page, *documents)],
        data={
            "run": str(folder),
            "report": str(page),
            "documents": [str(path) for path in documents],
            "results": str(folder / "results.json"),
            "seconds": round(time.monotonic() - clock, 2),
        },
    )


def _open(options: argparse.Namespace) -> Done:
    import webbrowser

    page = _find_page(options.run_folder)
    webbrowser.open(page.resolve().as_uri())
    return Done(lines=[str(page)], data={"report": str(page)})


def _find_page(folder: Path) -> Path:
    """Find a run's page; in a folder of runs, that of the newest."""
    if (folder / "report.html").is_file():
        return folder / "report.html"
    pages = sorted(folder.glob("*/report.html"), key=lambda page: page.stat().st_mtime)
    # A run's name has no dot: NAME.failed has one, and NAME.partial-PROCESS, and NAME.old.
    pages = [page for page in pages if "." not in page.parent.name]
    if not pages:
        raise ReportError(f"{folder}: no report.html in it, nor in a folder of it.")
    return pages[-1]


def _index(options: argparse.Namespace) -> Done:
    from evaluation.language import speaking
    from evaluation.report.index.write import write_index

    with speaking(options.lang or "en"):
        page = write_index(options.folder, studies=options.studies)
    return Done(lines=[str(page)], data={"index": str(page)})


def _lab(options: argparse.Namespace) -> Done:
    from evaluation.report.lab import prepare_lab, start_lab
    from evaluation.report.parameters import split_assignments

    folder = prepare_lab(
        options.study,
        folder=options.folder,
        parameters=split_assignments(options.parameters),
        language=options.lang,
        data=options.data,
        tell=tell,
    )
    status = 0 if options.copy_only else start_lab(folder, browser=not options.no_browser)
    return Done(lines=[str(folder)], data={"folder": str(folder)}, status=status)
