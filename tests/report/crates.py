"""Records as a run writes them, and the crates that they become."""

import json
from pathlib import Path

from hypothesis import strategies as st

from evaluation.report.record.store import NAME, hash_outputs
from tests.report.records import make_record

PARAMETERS = {
    "1_data": {"study": "hills/study.yml", "language": "en", "reading": "strict"},
    "3_income_gains": {
        "study": "hills/study.yml", "language": "en", "village": "007", "alpha": 1e-300,
        "share": -0.5, "years": 5, "trends": False, "place": '山 "7"\n', "least": 2.0,
    },
    "6_robustness": {"language": "en", "village": "", "seed": 0, "trends": False},
}  # fmt: skip
MACHINE = {
    "system": "Linux", "machine": "x86_64", "processors": 2,
    "blas": [{"name": "openblas", "version": "0.3", "threads": 1, "architecture": "Zen"}],
    "environment": {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
}  # fmt: skip


def record_of(run, **parts):
    """Give a record with all that one can have, ``parts`` in place of its own."""
    made = {
        "study": "hills", "title": "The hills", "parameters": PARAMETERS,
        "notebooks": dict.fromkeys(PARAMETERS, "a" * 64),
        "inputs": {"study.yml": {"sha256": "b" * 64, "bytes": 7},
                   "村 1.csv": {"sha256": "c" * 64, "bytes": 0}},
        "code": {"cli.py": "d" * 64, "report/run.py": "e" * 64},
        "packages": {"numpy": "2.3.1", "odd": "1!2.0+local", "village-evaluation": "0.1.0"},
        "package": "0.1.0", "git": {"commit": "f" * 40, "clean": True}, "lock": "0" * 64,
        "machine": MACHINE, "chapters": dict.fromkeys(PARAMETERS, "1" * 64),
        "reused": ["6_robustness", "1_data"], "seconds": {"1_data": 1.25,
                    "3_income_gains": 3.0},
        "author": {"name": "Josiah Carberry", "orcid": "https://orcid.org/0000-0002-1825-0097"},
        "outputs": hash_outputs(run), **parts,
    }  # fmt: skip
    return make_record(run, **made)


def make_files(folder):
    """Lay files into a run's folder, before its record is written."""
    for name in ("report.html", "results.json", "notebooks/1_data.ipynb", "tables/村 a%.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def crate_of(folder):
    """Give the JSON that lies in a run's folder."""
    return json.loads((folder / NAME).read_text(encoding="utf-8"))


RECORD = record_of(
    Path("hills-12345678"), outputs={"workflow.py": "9" * 64, "a/b.csv": "8" * 64}
)

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="/\\:."),
    min_size=1, max_size=8,
)  # fmt: skip
TEXT = st.text(max_size=20)
VALUES = (
    TEXT
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([1e-300, -1e-300, -0.0, 5e-324, 1.7e308, 0.1, 1, True, 1.0, "1", "true"])
)
