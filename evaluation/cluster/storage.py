"""Where runs are put: a folder, or an address that fsspec knows, such as s3://bucket/reports."""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evaluation.errors import ReportError
from evaluation.report.record.store import NAME, is_whole, read_record
from evaluation.report.run_folder import name_process


@dataclass(frozen=True, slots=True)
class Storage:
    """A folder of runs, here or elsewhere.

    Attributes
    ----------
    address
        A folder's path, or an address with ``://`` in it.
    """

    address: str

    @property
    def folder(self) -> Path | None:
        """The folder, if it is one of this machine's file systems."""
        return None if "://" in self.address else Path(self.address)

    def name(self, name: str) -> str:
        """Give the path or address of a file."""
        if (folder := self.folder) is not None:
            return str(folder / name)
        return f"{self.address.rstrip('/')}/{name}"

    def read(self, name: str) -> bytes | None:
        """Give a file's bytes, None if it is not there."""
        with self._told():
            try:
                if (folder := self.folder) is not None:
                    return (folder / name).read_bytes()
                content: bytes = self._files().cat_file(self._place(name))
                return content
            except (FileNotFoundError, NotADirectoryError):
                return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, which is there whole or not at all."""
        with self._told():
            if (folder := self.folder) is None:
                files, place = self._files(), self._place(name)
                files.makedirs(str(PurePosixPath(place).parent), exist_ok=True)
                files.pipe_file(place, content)
                return
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            beside = path.with_name(f"{path.name}.{name_process()}")
            try:
                beside.write_bytes(content)
                beside.replace(path)
            except OSError:
                with suppress(OSError):
                    beside.unlink(missing_ok=True)
                raise

    def names(self, name: str) -> set[str]:
        """List what a folder of it has; nothing if it is not there."""
        with self._told():
            try:
                if (folder := self.folder) is not None:
                    return {path.name for path in (folder / name).iterdir()}
                listed = self._files().ls(self._place(name), detail=False)
                return {PurePosixPath(path).name for path in listed}
            except (FileNotFoundError, NotADirectoryError):
                return set()

    def has_run(self, name: str, wanted: str) -> bool:
        """Whether a run is there that has a hash, and is whole.

        Elsewhere than here its files are not read: its record was written last.
        """
        if (folder := self.folder) is not None:
            return is_whole(folder / name, wanted)
        content = self.read(f"{name}/{NAME}")
        if content is None:
            return False
        with tempfile.TemporaryDirectory() as scratch:
            Path(scratch, NAME).write_bytes(content)
            with suppress(ReportError):
                return bool(read_record(Path(scratch))["hash"] == wanted)
        return False

    def put_run(self, run: Path) -> None:
        """Copy a run's folder here, its record last: a run without one is none."""
        with self._told():
            files = self._files()
            names = [p.relative_to(run).as_posix() for p in run.rglob("*") if p.is_file()]
            for name in sorted(names, key=lambda name: (name == NAME, name)):
                place = self._place(f"{run.name}/{name}")
                files.makedirs(str(PurePosixPath(place).parent), exist_ok=True)
                files.put_file(str(run / name), place)

    def fetch(self, run: str, names: Iterable[str], folder: Path) -> None:
        """Copy files of a run into a folder."""
        for name in names:
            content = self.read(f"{run}/{name}")
            if content is not None:
                path = folder / run / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove a file or a folder, if it is there."""
        with suppress(OSError):
            if (folder := self.folder) is None:
                self._files().rm(self._place(name), recursive=True)
            elif (folder / name).is_dir():
                shutil.rmtree(folder / name)
            else:
                (folder / name).unlink()

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """Give a folder for a while: in one of it, if it is of this machine's file systems."""
        with self._told():
            if (folder := self.folder) is not None:
                (folder / name).mkdir(parents=True, exist_ok=True)
            made = tempfile.mkdtemp(dir=None if folder is None else folder / name)
        try:
            yield Path(made)
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def check(self) -> None:
        """Write a file and remove it.

        Raises
        ------
        ReportError
            If that cannot be done.
        """
        name = f".{name_process()}.try"
        self.write(name, b"")
        self.remove(name)

    def _place(self, name: str) -> str:
        """Give a file's place in its file system, without the protocol."""
        return f"{self._files()._strip_protocol(self.address).rstrip('/')}/{name}"

    def _files(self) -> Any:
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise ReportError(
                f"{self.address}: an address needs the extra cluster: pip install "
                "'village-evaluation[cluster]'"
            ) from error
        if self.address.startswith("memory:"):
            raise ReportError(f"{self.address}: other processes do not see it; name a folder.")
        try:
            return url_to_fs(self.address)[0]
        except (ImportError, ValueError) as error:
            raise ReportError(f"{self.address}: {error}") from error

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of a failure where it was, and how to mend it."""
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error) or type(error).__name__
            more = "Make room, or name" if error.errno == errno.ENOSPC else "Name"
            raise ReportError(
                f"cannot write to {self.address}: {why}. {more} another folder with --out."
            ) from error
