"""What a verb has done, and the arguments that verbs share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import shtab

from evaluation.errors import plain_line

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a verb says: lines for a person, data for a program, and its exit status."""

    lines: Sequence[str] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    status: int = 0


def add_folder(verb: argparse.ArgumentParser, name: str, **options: Any) -> None:
    """Add an argument that is a folder, which shells complete."""
    action = verb.add_argument(name, type=Path, **options)
    action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def add_study(verb: argparse.ArgumentParser) -> None:
    """Add the study, and where its files are."""
    add_folder(verb, "study", metavar="STUDY", help="folder with a study.yml")
    add_folder(verb, "--data", metavar="DIR", help="where the study's files are")


def add_parameters(verb: argparse.ArgumentParser, what: str) -> None:
    """Add ``-p NAME=VALUE``."""
    verb.add_argument(
        "-p", dest="parameters", action="append", default=[], metavar="NAME=VALUE", help=what
    )


def add_language(verb: argparse.ArgumentParser) -> None:
    """Add ``--lang``."""
    verb.add_argument("--lang", choices=("en", "zh"), help="what is shown is in (en)")


def add_timeout(verb: argparse.ArgumentParser) -> None:
    """Add ``--timeout SECONDS``."""
    verb.add_argument(
        "--timeout", type=int, metavar="SECONDS", help="how long a cell may take (no limit)"
    )


def tell(line: str) -> None:
    """Print a line that a user should read while a verb works."""
    for part in line.split("\n"):
        print(plain_line(part), file=sys.stderr, flush=True)
