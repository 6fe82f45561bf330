"""The parts that a study has: what its chapters' cells need, and whether its files hold."""

from __future__ import annotations

from evaluation.data.study import Study
from evaluation.report.record.describe import input_files

_HELD: dict[object, frozenset[str]] = {}  # what was found of files that have not changed since


def check_data(study: Study) -> frozenset[str]:
    """Read all that the chapters read, so that a mistake is told before a kernel starts.

    Files that held are not read again by this process while they are as they were.

    Returns
    -------
    The parts that the study has, whether its panel has villages to compare with, and whether
    its outcome is the village's, not a person's.
    """
    state = _state(study)
    if state not in _HELD:
        _HELD[state] = _read_parts(study)
    return _HELD[state]


def _state(study: Study) -> object:
    """Tell one state of a study and its files from another, without reading them."""
    chosen = (study.county, study.outcome, study.pseudonyms)
    files = {path.resolve() for path in input_files(study).values()}
    files |= {study.pseudonyms.resolve()} if study.pseudonyms else set()
    stats = [(path, path.stat()) for path in sorted(files) if path.is_file()]
    return (
        study.model_dump_json(),
        *map(str, chosen),
        *((p, s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns) for p, s in stats),
    )


def _read_parts(study: Study) -> frozenset[str]:
    from evaluation.data.load import load_data
    from evaluation.report.check_study import read_claims

    panel = load_data(study).panel
    if study.claims:
        read_claims(study)
    if panel is None:
        return study.parts
    parts = {"comparison" if panel.has_comparison else "no-comparison"}
    if not panel.variables[panel.outcome].per_head:
        parts.add("village-outcome")
    return study.parts | parts
