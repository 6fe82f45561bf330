"""DuckDB, embedded: files larger than memory sorted, with a limit and a place to spill."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import unquote

from evaluation.cluster.cost import available_memory
from evaluation.cluster.panel_files import ENDINGS, NULL_KEY, list_files
from evaluation.errors import DataError, ReportError, suggest

if TYPE_CHECKING:
    import duckdb

_SHARE = 0.6  # of the memory available; what DuckDB writes is held beside its limit
_PART = re.compile(r"part-\d+\.parquet")
_CSV = re.compile(r"\.(csv|tsv|txt)(\.gz)?$")
_NUMBER = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?\b|FLOAT|DOUBLE|DECIMAL|BOOLEAN")
_MEMORY = re.compile(r"(?=[\d.]*[1-9])\d+(\.\d+)? ?[KMGT]i?B", re.IGNORECASE)
_FULL = ("No space left", "max_temp_directory_size", "Disk quota", "File too large")


@contextmanager
def making_folder(to: str | Path, *, force: bool = False) -> Iterator[Path]:
    """Give a folder beside ``to`` to work in; its ``data`` becomes ``to`` once all is done.

    Raises
    ------
    ReportError
        If ``to`` is there and not to be replaced, duckdb is missing, the place cannot be
        written or is full. Nothing is left, and what was there before is as it was.
    """
    if find_spec("duckdb") is None:
        raise ReportError(
            "sorting files larger than memory needs duckdb: "
            "pip install 'village-evaluation[cluster]'"
        )
    target = Path(to).absolute()
    if os.path.lexists(target):
        if not force:
            raise ReportError(f"{target} is there already: name another place, or use force.")
        if not target.is_dir() or any(not _PART.fullmatch(p.name) for p in target.iterdir()):
            raise ReportError(f"{target} holds more than part-*.parquet: it is not replaced.")
    beside = target.with_name(f"{target.name}.partial-{os.getpid()}")
    try:
        (beside / "data").mkdir(parents=True)
        yield beside
        if os.path.lexists(target):
            target.rename(beside / "old")
        try:
            (beside / "data").rename(target)
        except OSError:
            if os.path.lexists(beside / "old"):
                (beside / "old").rename(target)
            raise
    except OSError as error:
        raise ReportError(
            f"cannot write to {target.parent}: {error.strerror or error}. Make room, or name "
            "another place."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def write_sorted(
    source: str | Path,
    to: Path,
    *,
    spill: Path,
    order: Sequence[str],
    texts: Sequence[str] = (),
    year: str,
    columns: Mapping[str, tuple[str, bool]] | None = None,
    rows_a_group: int,
    memory: str = "",
) -> None:
    """Sort a data set into one Parquet file.

    Parameters
    ----------
    source
        A Parquet or CSV file, or a folder of either, nested or not.
    to
        The file.
    spill
        The folder for what does not fit into memory.
    order
        The columns to sort by.
    texts
        The columns of a CSV file that are text even if they look like numbers (081 is no 81).
    year
        The column of years: whole numbers where it is in the names of folders (year=2001/).
    columns
        The columns to write, each with the role that an error names and whether it is to hold
        numbers; all by default.
    rows_a_group
        How many rows a row group has, about.
    memory
        What DuckDB may hold, such as "4GB"; by default .6 of what is available.

    Raises
    ------
    DataError
        If the source cannot be read, is of both kinds, or lacks a column.
    ReportError
        If memory or the disk is too small, or ``memory`` is no size.
    """
    import duckdb

    if memory and not _MEMORY.fullmatch(memory):
        raise ReportError(f'memory is {memory!r}; give a size with its unit, such as "4GB".')
    reader, files = _find_reader(source, year)
    settings: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory or f"{int(available_memory() * _SHARE) >> 20}MiB",
        "temp_directory": str(spill),
        # Nothing is fetched from the network.
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    try:
        with duckdb.connect(config=settings) as connection:
            connection.execute("set enable_progress_bar = false")
            found = _describe(connection, reader, files)
            if codes := [name for name in dict.fromkeys(texts) if name in found]:
                types = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in codes)
                reader = reader.replace("read_csv($1,", f"read_csv($1, types={{{types}}},")
                found = _describe(connection, reader, files)
            sorting = {name: ("a column to sort by", False) for name in order}
            for name, (role, is_number) in (columns or sorting).items():
                if name not in found:
                    raise DataError(
                        f"{source}: no column {name!r}, named as {role}; {suggest(name, found)}"
                    )
                if is_number and not _NUMBER.match(found[name]):
                    raise DataError(
                        f"{source}: column {name!r}, named as {role}, is to hold numbers, and "
                        f"holds {found[name]}. Convert it before, or name another column."
                    )
            wanted = ", ".join(map(quote, columns or found))
            by = ", ".join(f"{quote(name)} nulls first" for name in order)
            connection.execute(
                f"copy (select {wanted} from {reader} order by {by}) to $2 "
                f"(format parquet, row_group_size {int(rows_a_group)})",
                [files, str(to)],
            )
    except duckdb.Error as error:
        _tell(source, spill, error)


def quote(name: str) -> str:
    """Write a column's name for SQL, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def _describe(
    connection: duckdb.DuckDBPyConnection, reader: str, files: list[str]
) -> dict[str, str]:
    """Give the names and types of a data set's columns."""
    told = connection.execute(f"describe select * from {reader}", [files]).fetchall()
    return {name: kind for name, kind, *_ in told}


def _find_reader(source: str | Path, year: str) -> tuple[str, list[str]]:
    """Give the call that reads a data set, and its files."""
    if "://" in str(source):
        raise DataError(f"{source}: copy it to this machine first; DuckDB reads files here.")
    path = Path(source)
    options = "union_by_name=true, hive_partitioning=true, hive_types_autocast=false"
    inside = [path] if path.is_file() else sorted(path.rglob("*"))
    files = [str(file) for file in inside if _CSV.search(file.name.lower())]
    kind = "csv" if files else "parquet"
    if files and (other := [f for f in inside if _is_parquet(f)]):
        first, second = (Path(file).relative_to(path) for file in (files[0], other[0]))
        raise DataError(
            f"{source}: holds {first} and {second}. Keep CSV and Parquet files in folders of "
            "their own, and name one."
        )
    files = files or [file.path for file in list_files(path)]
    if _is_key(year, files):
        options += f", hive_types={{{_text(year)}: BIGINT}}"
    return f"read_{kind}($1, {options})", [_plain_glob(file) for file in files]


def _is_parquet(file: Path) -> bool:
    name = file.name.lower()
    return name.endswith(ENDINGS) and not name.startswith((".", "_")) and file.is_file()


def _is_key(year: str, files: Sequence[str]) -> bool:
    """Say whether folders are named by the year, each by a whole number."""
    parts = {part for file in files for part in Path(file).parts[:-1]}
    keys = [part for part in parts if unquote(part.partition("=")[0]) == year and "=" in part]
    for key in sorted(keys):
        value = key.partition("=")[2]
        if not re.fullmatch(r"\d+", value) and value != NULL_KEY:
            raise DataError(f"folder {key}: the year is to be a whole number such as 2015.")
    return bool(keys)


def _text(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


def _plain_glob(path: str) -> str:
    """Write a path so that [, * and ? in it stand for themselves."""
    return re.sub(r"([\[*?])", r"[\1]", path)


def _tell(source: str | Path, spill: Path, error: Exception) -> NoReturn:
    """Raise what DuckDB could not do as one line."""
    import duckdb

    first = str(error).split("\n")[0].rstrip(".")
    if any(words in str(error) for words in _FULL):
        raise ReportError(
            f"no room left in {spill.parents[1]} for sorting {source}. It takes about three "
            "times the size of the data: make room, or name another place."
        ) from error
    if isinstance(error, duckdb.OutOfMemoryException):
        raise ReportError(
            f"{source}: sorting needs more memory than it may have ({first}). Give it more, "
            'such as memory="8GB".'
        ) from error
    if isinstance(error, duckdb.IOException) and str(spill.parent) in str(error):
        raise ReportError(f"cannot write to {spill.parents[1]}: {first}.") from error
    raise DataError(f"{source}: cannot be read: {first}.") from error
