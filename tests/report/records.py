"""A run's record as one would be made now, for runs that no notebook made."""

import platform
from pathlib import Path

from evaluation.report.fonts import find_chinese_font
from evaluation.report.record.describe import describe_code, hash_description, package_versions
from evaluation.report.record.machine import describe_machine

CODE = describe_code()
VERSIONS = package_versions()


def make_record(run: Path, **parts):
    """Give a record for a run's folder, with ``parts`` in place of its own."""
    study, _, _ = run.name.rpartition("-")
    record = {
        "study": study or "tiny",
        "inputs": {},
        "parameters": {},
        "notebooks": {},
        "code": CODE,
        "python": platform.python_version(),
        "packages": VERSIONS,
        "chinese_font": find_chinese_font(),
        "package": VERSIONS["village-evaluation"],
        "git": None,
        "lock": None,
        "machine": describe_machine(),
        "author": None,
        "chapters": {},
        "reused": [],
        "seconds": {},
        "start": "2026-01-02T03:04:05+00:00",
        "outputs": {},
        "end": "2026-01-02T03:05:05+00:00",
        **parts,
    }
    return {"hash": hash_description(record), **record}
