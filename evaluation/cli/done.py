"""What a verb has done, and the arguments that verbs share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import shtab

from evaluation.errors import ReportError, plain_line

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


def add_kernels(verb: argparse.ArgumentParser) -> None:
    """Add ``--kernels KIND``."""
    verb.add_argument(
        "--kernels",
        choices=("warm", "plain"),
        help="forked from a process that has imported all, or started each by itself: what "
        "they give is the same (warm where the system can)",
    )


def add_timeout(verb: argparse.ArgumentParser) -> None:
    """Add ``--timeout SECONDS``."""
    verb.add_argument(
        "--timeout", type=int, metavar="SECONDS", help="how long a cell may take (no limit)"
    )


def add_key(verb: argparse.ArgumentParser) -> None:
    """Add ``--pseudonymise`` and ``--key FILE``."""
    verb.add_argument(
        "--pseudonymise",
        action="store_true",
        help="put codes in the place of villages' names, and suppress cells of few villages",
    )
    verb.add_argument(
        "--key", type=Path, metavar="FILE", help="where the codes are kept (STUDY/key.csv)"
    )


def find_key(options: argparse.Namespace) -> Path | None:
    """Give the file of codes, if names are to be codes."""
    if not options.pseudonymise:
        if options.key:
            raise ReportError("--key: only with --pseudonymise.")
        return None
    study: Path = options.study
    folder = study.parent if study.suffix in (".yml", ".yaml") else study
    return options.key or folder / "key.csv"


def add_author(verb: argparse.ArgumentParser) -> None:
    """Add ``--author NAME``."""
    verb.add_argument(
        "--author",
        default="",
        metavar="NAME",
        help='who makes the run, for its record: "Name" or "Name, https://orcid.org/..."',
    )


def add_formats(verb: argparse.ArgumentParser) -> None:
    """Add ``--to FORMATS``."""
    verb.add_argument("--to", metavar="FORMATS", default="", help="also: docx,pdf,latex")


def split_formats(text: str) -> list[Any]:
    """Split the formats as the command line gives them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def tell(line: str) -> None:
    """Print a line that a user should read while a verb works."""
    for part in line.split("\n"):
        print(plain_line(part), file=sys.stderr, flush=True)
