"""Shared by all tests: the real study, copies of it to break, and tiny studies to type."""

import csv
import io
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import settings

from evaluation.claims.table import ClaimTable, load_claims
from evaluation.data.study import Study

REPO = Path(__file__).resolve().parents[1]
SHARED = REPO.parent / "shared"
JINING = REPO / "data" / "jining_2021"

# No time limit an example, and the same examples every time: a run on a slow or busy
# machine gives the same answer as any other.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

StudyWriter = Callable[..., Study]


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("shared") and not SHARED.is_dir():
        pytest.skip(f"the reference data is not there: {SHARED}")


@pytest.fixture(scope="session")
def jining() -> ClaimTable:
    """The claims of the real study."""
    return load_claims(Study.load(JINING))


@pytest.fixture
def jining_copy(tmp_path: Path) -> Path:
    """A copy of the real study's folder, to break."""
    return Path(shutil.copytree(JINING, tmp_path / "jining_2021"))


@pytest.fixture
def write_study(tmp_path: Path) -> StudyWriter:
    """Write a study folder with the claims given, and load it.

    ``claims`` is a table typed out, cells parted by blanks, '-' for an empty cell. Columns
    that it leaves out hold what any claim might: see `_USUAL`. ``indicators`` names those
    that no claim uses, ``money`` maps an indicator to "use" or "source kind".
    """

    def write(
        claims: str,
        *,
        checks: Sequence[dict[str, Any]] = (),
        indicators: Sequence[str] = (),
        money: dict[str, str] | None = None,
        unquantified: Sequence[dict[str, str]] = (),
        counties: Sequence[str] = ("East", "West"),
    ) -> Study:
        header, *rows = [line.split() for line in claims.splitlines() if line.strip()]
        cells = [
            _USUAL | {k: "" if v == "-" else v for k, v in zip(header, row, strict=True)}
            for row in rows
        ]
        names = dict.fromkeys([*(row["indicator"] for row in cells), *indicators])
        kinds = {name: (kind + " ").split(" ")[:2] for name, kind in (money or {}).items()}
        dictionary = [
            [name, name.upper(), name, *kinds.get(name, ["", ""])]
            for name in dict.fromkeys([*names, *kinds])
        ]
        columns = list(dict.fromkeys([*_USUAL, *header]))
        _write_csv(
            tmp_path / "claims.csv",
            [columns, *([row[name] for name in columns] for row in cells)],
        )
        _write_csv(
            tmp_path / "indicators.csv",
            [["indicator", "label_en", "label_zh", "money", "source"], *dictionary],
        )
        study = minimal_study(counties=counties)
        study["claims"] = {"unquantified": list(unquantified)}
        if checks:
            study["claims"]["crosschecks"] = "crosschecks.yml"
            usual = {"title": {"en": "A check"}, "note": {"en": "A note."}}
            content = {"version": 1, "checks": [usual | check for check in checks]}
            write_yaml(tmp_path / "crosschecks.yml", content)
        write_yaml(tmp_path / "study.yml", study)
        return Study.load(tmp_path)

    return write


_USUAL = {
    "claim": "", "county": "", "pillar": "industry", "stage": "outcome", "indicator": "",
    "unit": "", "scope": "county_total", "as_of": "2021-07-08", "status": "realised",
    "printed": "",
}  # fmt: skip


def minimal_study(*, counties: Sequence[str] = ("East", "West")) -> dict[str, Any]:
    """Give the content of a study.yml that says only what it must, but for the data."""
    return {
        "version": 1,
        "name": "tiny",
        "title": {"en": "A tiny study"},
        "source": {
            "publisher": {"en": "A paper"},
            "date": "2021-07-08",
            "what_it_is": [{"en": "Figures typed for a test."}],
            "what_it_is_not": [{"en": "Not data."}],
        },
        "programme": {"name": "All"},
        "counties": [{"name": name} for name in counties],
    }


def write_yaml(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return path


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that stands in a file, once."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path.name}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _write_csv(path: Path, rows: Sequence[Sequence[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")
