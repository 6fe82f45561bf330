"""What a run was made on, out of and by whom: recorded, though no output depends on it."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import evaluation
from evaluation.errors import ReportError
from evaluation.report.kernels import kernel_environment
from evaluation.report.record.describe import sha256

_SETTINGS = re.compile(r"PYTHONHASHSEED|LC_ALL|TZ|SOURCE_DATE_EPOCH|\w+_NUM_THREADS")
_OF_THE_PACKAGE = ("evaluation", "notebooks", "pyproject.toml", "requirements.lock")
_ORCID = re.compile(r"(?:https?://)?(?:orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")
_SECONDS = 10

# numpy and scipy each bring a library, which is seen once it is loaded.
_ASK = """
import json, scipy.linalg, threadpoolctl
named = dict(name="internal_api", version="version", threads="num_threads",
             architecture="architecture")
blas = [{n: i.get(k) or "unknown" for n, k in named.items()}
        for i in threadpoolctl.threadpool_info() if i["user_api"] == "blas"]
print(json.dumps(sorted(blas, key=lambda library: (library["name"], library["version"]))))
"""


def describe_machine() -> dict[str, Any]:
    """Describe the machine, without naming it, its users or its folders.

    Returns
    -------
    dict with system, libc where it is known, machine and processors; and, as kernels use them,
    blas (name, version, threads and the processor's kind that each library chose its code for)
    and environment (variables that fix hashes, threads and the like).
    """
    settings, blas = _ask_as_kernel()
    libc = " ".join(platform.libc_ver()).strip()
    return {
        "system": platform.system(),
        **({"libc": libc} if libc else {}),
        "machine": platform.machine(),
        "processors": os.cpu_count() or 1,
        "blas": [{**library} for library in blas],
        "environment": {**settings},
    }


def describe_git() -> dict[str, Any] | None:
    """Give the commit of the clone that the package stands in, and whether it is as committed.

    Returns
    -------
    dict with commit and clean; None if it stands in no clone, or git cannot tell.
    """
    clone = _home()
    if not (clone / ".git").exists():
        return None
    command = ["git", "-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch"]
    mine = {name: value for name, value in os.environ.items() if name[:4] != "GIT_"}
    try:
        told = subprocess.run(
            [*command, "--", *_OF_THE_PACKAGE],
            cwd=clone,
            env={**mine, "GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=True,
        ).stdout.splitlines()
    except (OSError, subprocess.SubprocessError):
        return None
    head = [line.split()[-1] for line in told if line.startswith("# branch.oid ")]
    if not head or not re.fullmatch(r"[0-9a-f]{40,64}", head[0]):  # nothing committed yet
        return None
    return {"commit": head[0], "clean": all(line.startswith("#") for line in told)}


def lock_sha256() -> str | None:
    """Give the sha256 of the requirements.lock that lies with the package, if one does."""
    lock = _home() / "requirements.lock"
    ours = (lock.parent / "pyproject.toml").is_file() and lock.is_file()
    return sha256(lock) if ours else None


def parse_author(text: str) -> dict[str, str]:
    """Read who makes a run: "Name" or "Name, https://orcid.org/0000-0002-1825-0097".

    Returns
    -------
    dict with name and, if it is given, orcid.

    Raises
    ------
    ReportError
        If there is no name, or the ORCID is not one.

    Examples
    --------
    >>> parse_author("Josiah Carberry, 0000-0002-1825-0097")
    {'name': 'Josiah Carberry', 'orcid': 'https://orcid.org/0000-0002-1825-0097'}
    """
    name, _, last = (" ".join(part.split()) for part in text.rpartition(","))
    if "orcid.org" not in last.lower() and not re.search(r"\d{4}-\d", last):
        name, last = " ".join(text.split()), ""
    if not name or "orcid.org" in name.lower():
        raise ReportError(
            f"author {text!r}: no name; write 'Name' or 'Name, https://orcid.org/....'."
        )
    if not last:
        return {"name": name}
    found = _ORCID.fullmatch(last)
    if not found or _check_digit(found[1]) != found[1][-1]:
        raise ReportError(
            f"author {text!r}: {last} is no ORCID; one reads "
            "https://orcid.org/0000-0002-1825-0097, its last digit checks the others."
        )
    return {"name": name, "orcid": f"https://orcid.org/{found[1]}"}


def _home() -> Path:
    """Give the folder that the package lies in: a clone, unless it was installed."""
    return Path(evaluation.__file__).resolve().parent.parent


@cache
def _ask_as_kernel() -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Give the settings of a process that starts as kernels do, and its BLAS libraries.

    What a user's shell says of BLAS holds in this process, but not in kernels.
    """
    with kernel_environment():
        settings = {n: v for n, v in sorted(os.environ.items()) if _SETTINGS.fullmatch(n)}
        try:
            told = subprocess.run(
                [sys.executable, "-c", _ASK], capture_output=True, timeout=60, check=True
            ).stdout
            return settings, json.loads(told)
        except (OSError, ValueError, subprocess.SubprocessError):
            return settings, []


def _check_digit(orcid: str) -> str:
    """Give the digit that an ORCID is to end in (ISO 7064, MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11]
