"""The pins that running needs, out of those of requirements.lock."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from itertools import product

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from evaluation.errors import ReportError
from evaluation.report.record.describe import first_few

INSTALLERS = ("uv", "hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
"""What installs the package: uv, and the build backend with all that it needs."""

_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)\s*(?:;(?P<marker>[^\\]*))?"
)
_SYSTEMS = (
    {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
)
_PYTHONS = tuple(
    {"python_version": version, "python_full_version": f"{version}.9"}
    for version in ("3.11", "3.12", "3.13", "3.14")
)
_EVERYWHERE = tuple(one | other for one, other in product(_SYSTEMS, _PYTHONS))


def filter_lock(
    lock: str, *, project: str, packages: Mapping[str, str], extras: Iterable[str], made_by: str
) -> str:
    """Keep of a lock what running needs, on any platform and Python that it is for.

    Parameters
    ----------
    lock, project
        The texts of requirements.lock and pyproject.toml.
    packages
        The versions that the run was made with: all must be those of the lock.
    extras
        The extras of pyproject.toml that the run used.
    made_by
        What the first line says of where the pins come from.

    Raises
    ------
    ReportError
        If the run was made with another version than the lock has.

    Notes
    -----
    Kept is what the requirements of this package lead to, whatever platform a requirement is
    for, and what the lock pins for other platforms only: its requirements are not known here.
    """
    entries = list(_split(lock))
    pinned = {(name, version) for name, version, *_ in entries}
    astray = [
        f"{name} {version}"
        for name, version in packages.items()
        if name != "village-evaluation" and (canonicalize_name(name), version) not in pinned
    ]
    if astray:
        raise ReportError(
            f"the run was made with {first_few(astray)}, which "
            "requirements.lock does not pin: nobody could install the same. Make the report "
            "again in the environment of the lock (make report), and package that run."
        )
    declared = tomllib.loads(project)["project"]
    wanted = [*declared["dependencies"], *INSTALLERS]
    wanted += [text for extra in extras for text in declared["optional-dependencies"][extra]]
    here = pins_here(lock)
    needed = _close(wanted) | {canonicalize_name(name) for name in packages}
    kept = [text for name, _, _, text in entries if name in needed or name not in here]
    return f"# {made_by}\n" + "".join(kept)


def pins_here(lock: str) -> dict[str, str]:
    """Give the versions that a lock pins for this platform and Python, by name."""
    return {
        name: version
        for name, version, marker, _ in _split(lock)
        if not marker or Marker(marker).evaluate()
    }


def _split(lock: str) -> Iterator[tuple[str, str, str, str]]:
    """Give each pin's name, version, marker and its lines."""
    for text in re.split(r"\n(?=[^\s#])", f"\n{lock.strip()}"):
        if pin := _PIN.match(text.lstrip()):
            marker = (pin["marker"] or "").strip()
            yield canonicalize_name(pin["name"]), pin["version"], marker, f"{text.strip()}\n"


def _close(requirements: Iterable[str]) -> set[str]:
    """Give the names of all that requirements lead to, on any platform."""
    found: set[tuple[str, frozenset[str]]] = set()
    waiting = [(Requirement(text), frozenset[str]()) for text in requirements]
    while waiting:
        requirement, extras = waiting.pop()
        if not _holds_somewhere(requirement.marker, extras):
            continue
        one = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if one in found:
            continue
        found.add(one)
        try:
            further = metadata.requires(requirement.name) or []
        except metadata.PackageNotFoundError:
            continue  # another platform's
        waiting += [(Requirement(text), one[1]) for text in further]
    return {name for name, _ in found}


def _holds_somewhere(marker: Marker | None, extras: frozenset[str]) -> bool:
    return marker is None or any(
        marker.evaluate({**place, "extra": extra})
        for extra in {"", *extras}
        for place in _EVERYWHERE
    )
