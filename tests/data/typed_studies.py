"""Studies typed out in a test: what study.yml says, and its files as tables of words."""

import csv
import io
from pathlib import Path

import yaml

from evaluation.data.load import StudyData, check_data, load_data
from evaluation.data.problems import Problem
from evaluation.data.study import Study
from tests.conftest import minimal_study


def type_csv(table: str) -> str:
    """Write a table typed out, cells parted by blanks and '-' for an empty one, as CSV."""
    rows = [line.split() for line in table.splitlines() if line.strip()]
    assert len({len(row) for row in rows}) == 1, "a row is longer than the others"
    text = io.StringIO(newline="")
    cells = [["" if cell == "-" else cell for cell in row] for row in rows]
    csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue()


def type_study(folder: Path, said: str, files: dict[str, str]) -> Study:
    """Write a study: what study.yml says of its files, and the files, typed out."""
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(minimal_study() | yaml.safe_load(said), sort_keys=False)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    for name, table in files.items():
        (folder / name).write_text(type_csv(table), encoding="utf-8")
    return Study.load(folder)


def read_typed(folder: Path, said: str, **tables: str) -> StudyData:
    """Load a typed study; villages="..." is villages.csv."""
    return load_data(type_study(folder, said, {f"{k}.csv": v for k, v in tables.items()}))


def find_problems(folder: Path, said: str, **tables: str) -> list[Problem]:
    """Give the problems of a typed study."""
    study = type_study(folder, said, {f"{k}.csv": v for k, v in tables.items()})
    return list(check_data(study)[1])
