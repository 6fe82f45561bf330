"""The Parquet files of a data set: which there are, and what type each column is of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from evaluation.errors import DataError, suggest

Kind = Literal["text", "whole", "number", "nothing", "other"]

ENDINGS = (".parquet", ".parq", ".pq")
NULL_KEY = "__HIVE_DEFAULT_PARTITION__"  # what Hive, Spark and DuckDB call an empty key


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelFile:
    """One file of a data set.

    Attributes
    ----------
    path
        Where it is, as its file system names it.
    name
        What an error calls it: its path within the data set, its keys without escapes.
    keys
        What the names of its folders say, such as ("county", "泗水县") of county=泗水县/.
    """

    path: str
    name: str
    keys: tuple[tuple[str, str], ...]


def list_files(path: str | Path) -> list[PanelFile]:
    """List the Parquet files of a path, in the order of their names.

    Parameters
    ----------
    path
        A file, a folder of any depth, or the address of one (s3://..., gs://..., whatever
        fsspec opens). Names that begin with "." or "_" are left out, as Spark writes such.

    Raises
    ------
    DataError
        If there is none.
    """
    told = str(path)
    system, root = open_system(told)
    with reading(told):
        found = system.get_file_info(root)
        if found.type == fs.FileType.NotFound:
            raise DataError(f"{told}: there is no such file or folder.")
        if found.is_file:
            return [PanelFile(path=root, name=found.base_name, keys=())]
        inside = system.get_file_info(fs.FileSelector(root, recursive=True))
    files = []
    for one in inside:
        name = one.path[len(root) :].strip("/")
        parts = name.split("/")
        if not one.is_file or not name.lower().endswith(ENDINGS):
            continue
        if any(part.startswith((".", "_")) for part in parts):
            continue
        plain = [unquote(part) if "=" in part else part for part in parts[:-1]]
        keys = tuple(_hive_keys(parts[:-1]))
        files.append(PanelFile(path=one.path, name="/".join([*plain, parts[-1]]), keys=keys))
    if not files:
        raise DataError(
            f"{told}: no Parquet file in this folder. evaluation.cluster.sort_panel() makes "
            "some of CSV files."
        )
    return sorted(files, key=lambda file: file.name)


def open_system(path: str) -> tuple[fs.FileSystem, str]:
    """Give the file system that a path or address is of, and the path in it."""
    if "://" not in path:
        return fs.LocalFileSystem(), Path(path).absolute().as_posix()
    try:
        system, root = fs.FileSystem.from_uri(path)
    except pa.ArrowInvalid:  # none of Arrow's own
        try:
            from fsspec.core import url_to_fs

            inner, root = url_to_fs(path)
        except (ImportError, ValueError) as error:
            raise DataError(
                f"{path}: cannot be opened: {error}. Is the package for such addresses "
                "installed? pip install 'village-evaluation[cluster]' has fsspec."
            ) from error
        system = fs.PyFileSystem(fs.FSSpecHandler(inner))
    return system, root.rstrip("/")


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Say of which file it is that it cannot be read."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        first = str(error).split("\n")[0].rstrip(".")
        raise DataError(f"{name}: cannot be read as Parquet: {first}.") from error


@contextmanager
def open_parquet(
    system: fs.FileSystem, file: PanelFile, texts: Sequence[str] = ()
) -> Iterator[pq.ParquetFile]:
    """Open a file; the columns ``texts`` are read as dictionaries, twice as fast as text."""
    with reading(file.name), system.open_input_file(file.path) as source:
        # Buffering whole row groups pays where each request is slow, and only there.
        away = not isinstance(system, fs.LocalFileSystem)
        inside = [name for name in texts if name not in dict(file.keys)]
        yield pq.ParquetFile(source, read_dictionary=inside or None, pre_buffer=away)


def find_kinds(file: PanelFile, schema: pa.Schema) -> Mapping[str, Kind]:
    """Say what kind each column of a file is of; the keys of its folders are text."""
    kinds: dict[str, Kind] = {name: "text" for name, _ in file.keys}
    for name in schema.names:
        if len(schema.get_all_field_indices(name)) > 1:
            kinds[name] = "other"
        else:
            kinds[name] = _kind(schema.field(name).type)
    return kinds


def check_column(
    file: PanelFile, kinds: Mapping[str, Kind], column: str, role: str, allowed: set[Kind]
) -> Kind:
    """Refuse a column that a file lacks, or that is of a wrong kind."""
    if column not in kinds:
        raise DataError(
            f"{file.name}: no column {column!r}, named as {role}; {suggest(column, kinds)}"
        )
    kind = kinds[column]
    if kind not in allowed:
        wanted = "whole numbers or text" if "text" in allowed else "numbers"
        if role == "year":
            wanted = "whole numbers such as 2015"
        raise DataError(
            f"{file.name}: column {column!r}, named as {role}, is to hold {wanted}. Convert it "
            "before, or name another column."
        )
    return kind


def _kind(type_: Any) -> Kind:
    types = pa.types
    if types.is_dictionary(type_):
        type_ = type_.value_type
    if types.is_string(type_) or types.is_large_string(type_) or types.is_string_view(type_):
        return "text"
    if types.is_integer(type_):
        return "whole"
    if types.is_floating(type_) or types.is_decimal(type_) or types.is_boolean(type_):
        return "number"
    return "nothing" if types.is_null(type_) else "other"


def _hive_keys(folders: Sequence[str]) -> Iterator[tuple[str, str]]:
    for folder in folders:
        name, is_key, value = folder.partition("=")
        if is_key:
            yield unquote(name), "" if value == NULL_KEY else unquote(value)
