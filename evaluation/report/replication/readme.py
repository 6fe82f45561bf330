"""The README of a package, under the headings that the social science data editors ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import evaluation
from evaluation.data.study import Study
from evaluation.report.page.references import cite
from evaluation.report.parameters import read_parameters
from evaluation.report.replication.programs import list_programs, read_cells
from evaluation.report.replication.provenance import NOT_STATED, DataFile
from evaluation.report.replication.texts import render

_TIMES = (
    ("<10 minutes", 600), ("10-60 minutes", 3600), ("1-8 hours", 8 * 3600),
    ("8-24 hours", 24 * 3600), ("1-3 days", 3 * 86400), ("3-14 days", 14 * 86400),
)  # fmt: skip
_LITERATURE = {
    "numpy": "Harris, C. R., et al. 2020. Array programming with NumPy. Nature 585: 357-362. "
    "doi:10.1038/s41586-020-2649-2",
    "pandas": "McKinney, W. 2010. Data structures for statistical computing in Python. "
    "Proceedings of the 9th Python in Science Conference: 56-61. "
    "doi:10.25080/Majora-92bf1922-00a",
    "scipy": "Virtanen, P., et al. 2020. SciPy 1.0: fundamental algorithms for scientific "
    "computing in Python. Nature Methods 17: 261-272. doi:10.1038/s41592-019-0686-2",
    "matplotlib": "Hunter, J. D. 2007. Matplotlib: a 2D graphics environment. Computing in "
    "Science & Engineering 9 (3): 90-95. doi:10.1109/MCSE.2007.55",
    "seaborn": "Waskom, M. L. 2021. seaborn: statistical data visualization. Journal of Open "
    "Source Software 6 (60): 3021. doi:10.21105/joss.03021",
    "statsmodels": "Seabold, S., and J. Perktold. 2010. statsmodels: econometric and "
    "statistical modeling with Python. Proceedings of the 9th Python in Science Conference: "
    "92-96. doi:10.25080/Majora-92bf1922-011",
}
_ASKED = ("citation", "licence", "rights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a README is on.

    Attributes
    ----------
    run, record, results
        The run's folder, its record and its results.json.
    study, place
        The study, and its study.yml in the package.
    files
        Its data files.
    notebooks
        By chapter, the notebook's name in the package and where it is.
    requirements
        What the code calls, as pyproject.toml names it.
    wheels
        Which platform and Python the wheels in the package are for; '' if there are none.
    size
        Bytes of the package, unpacked, but for the README.
    """

    run: Path
    record: Mapping[str, Any]
    results: Mapping[str, Any]
    study: Study
    place: str
    files: Sequence[DataFile]
    notebooks: Mapping[str, tuple[str, Path]]
    requirements: Sequence[str]
    wheels: str
    size: int


def write_readme(subject: Subject) -> bytes:
    """Write README.md."""
    study, record, files = subject.study, subject.record, subject.files
    source = study.source
    withheld = [file for file in files if not file.included]
    programs = list_programs(subject.run, subject.results, subject.notebooks)
    codes = bool(record.get("pseudonyms"))
    needs = "Requires data that are not included" if withheld else ""
    needs = needs or ("Requires the file of codes" if codes else "")
    span = datetime.fromisoformat(record["end"]) - datetime.fromisoformat(record["start"])
    seconds = max(span.total_seconds(), 1.0)
    cited = cite(subject.results, parameters=record["parameters"])
    machine, git, author = (record.get(key) or {} for key in ("machine", "git", "author"))
    names = [name for name, _ in subject.notebooks.values()]
    return render(
        "README.md",
        title=study.title,
        simulated=study.simulated,
        record=record,
        run=subject.run.name,
        author=author.get("name", ""),
        study=subject.place,
        folder=Path(subject.place).parent.name,
        n_inputs=len(files),
        n_tables=sum(one.label.startswith("Table") for one in programs),
        n_figures=sum(one.label.startswith("Figure") for one in programs),
        duration=_say_seconds(seconds),
        withheld=withheld,
        codes=codes,
        files=files,
        own_chapters=[f"`{name}`" for name in names if not name.startswith("notebooks/")],
        notebooks=[f"`{name}`" for name in names],
        wheels=subject.wheels,
        publisher=source.publisher.en,
        source_title=source.title.en if source.title else "",
        source_date=source.date.isoformat() if source.date else "",
        what_it_is=[text.en.strip() for text in source.what_it_is],
        what_it_is_not=[text.en.strip() for text in source.what_it_is_not],
        minor=record["python"].rpartition(".")[0],
        direct=_direct(subject.requirements, record["packages"]),
        seeds=list(_list_seeds(subject.notebooks, record["parameters"])),
        settings=", ".join(f"{k}={v}" for k, v in machine.get("environment", {}).items()),
        times=_tick(seconds),
        storage=_say_bytes(subject.size),
        machine=_say_machine(machine),
        blas=_say_blas(machine),
        chapters=[
            (name, place, _say_chapter(name, record))
            for name, (place, _) in subject.notebooks.items()
        ],
        parameters=_say_parameters(subject.notebooks, record["parameters"]),
        needs=needs,
        programs=programs,
        summary_line=_summary_line(),
        citations=list(dict.fromkeys(file.says("citation") for file in files)),
        commit=git.get("commit", ""),
        software=[
            f"{_LITERATURE[name]} (version {version})"
            for name, version in record["packages"].items()
            if name in _LITERATURE
        ],
        methods=[
            f"{one.authors} {one.year}. {one.title}. {one.journal}. doi:{one.doi}"
            for one in cited
        ],
    )


def list_gaps(record: Mapping[str, Any], files: Sequence[DataFile]) -> list[str]:
    """Say what data editors ask for and neither study.yml nor the run's record says."""
    gaps = [] if record.get("author") else ["the author: give --author when the report is made"]
    for file in files:
        asked = _ASKED if file.included else (*_ASKED, "obtain")
        if lacking := [key for key in asked if file.says(key) == NOT_STATED]:
            gaps.append(f"{file.name}: {', '.join(lacking)}: add it under source or data")
    return gaps


def _direct(requirements: Sequence[str], packages: Mapping[str, str]) -> list[tuple[str, str]]:
    names = sorted({canonicalize_name(Requirement(text).name) for text in requirements})
    return [(name, packages[name]) for name in names if name in packages]


def _list_seeds(
    notebooks: Mapping[str, tuple[str, Path]], parameters: Mapping[str, Mapping[str, Any]]
) -> list[tuple[str, int, Any]]:
    """Give the notebooks that declare a seed, the cell of their parameters, and its value."""
    found = []
    for chapter, (name, path) in notebooks.items():
        declared = read_parameters(path)
        if "seed" in declared:
            given = parameters.get(chapter, {}).get("seed", declared["seed"].default)
            found.append((name, _parameters_cell(path), given))
    return found


def _parameters_cell(path: Path) -> int:
    cells = enumerate(read_cells(path), 1)
    tagged = (n for n, cell in cells if "parameters" in cell["metadata"].get("tags", ()))
    return next(tagged, 0)


def _say_parameters(
    notebooks: Mapping[str, tuple[str, Path]], parameters: Mapping[str, Mapping[str, Any]]
) -> str:
    """Name the parameters that are not what the notebooks declare."""
    changed = {}
    for chapter, (_, path) in notebooks.items():
        declared = read_parameters(path)
        for name, value in parameters.get(chapter, {}).items():
            if name != "study" and name in declared and value != declared[name].default:
                changed[name] = value
    return ", ".join(f"`-p {name}={value}`" for name, value in changed.items())


def _tick(seconds: float) -> list[tuple[str, bool]]:
    below = next((label for label, most in _TIMES if seconds < most), "> 14 days")
    return [(label, label == below) for label in (*(label for label, _ in _TIMES), "> 14 days")]


def _say_seconds(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 6000 else f"{seconds / 3600:.1f} hours"


def _say_bytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _say_machine(machine: Mapping[str, Any]) -> str:
    system = " ".join(filter(None, [machine.get("system"), machine.get("machine")]))
    libc = f" ({machine['libc']})" if machine.get("libc") else ""
    n = machine.get("processors") or "an unknown number of"
    return f"{system or 'a machine that is not recorded'}{libc} with {n} processors"


def _say_blas(machine: Mapping[str, Any]) -> str:
    return "; ".join(
        f"{one['name']} {one['version']}, threads: {one['threads']}"
        + (f", for {one['architecture']}" if one.get("architecture") else "")
        for one in machine.get("blas", ())
    )


def _say_chapter(name: str, record: Mapping[str, Any]) -> str:
    seconds = record["seconds"].get(name)
    told = "not recorded" if seconds is None else f"{seconds:.1f}"
    return told + (" (in a run before; taken from it)" if name in record["reused"] else "")


def _summary_line() -> int:
    path = Path(evaluation.__file__).parent / "report" / "page" / "summary.py"
    text = path.read_text(encoding="utf-8")
    defined = re.search(r"^def summarise\b", text, re.MULTILINE)
    return text.count("\n", 0, defined.start()) + 1 if defined else 1
