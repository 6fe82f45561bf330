"""A zip whose bytes say only what is in it: the same files give the same archive."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Collection, Mapping
from pathlib import Path

from evaluation.errors import ReportError
from evaluation.report.run_folder import remove

Content = bytes | Path
"""A file that enters the package: its bytes, or where they are."""

_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell
_UNIX = 3  # so that the modes below are read wherever the archive was made
_PACKED = (".whl", ".png", ".docx", ".xlsx", ".parquet")  # are compressed already


def write_zip(
    out: Path, folder: str, files: Mapping[str, Content], *, executable: Collection[str] = ()
) -> None:
    """Write files below one folder of a zip, beside its place, and move it there when whole.

    Raises
    ------
    ReportError
        If it cannot be written; nothing is left of it then.
    """
    beside = out.with_name(f"{out.name}.partial-{os.getpid()}")
    try:
        with zipfile.ZipFile(beside, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(f"{folder}/{name}", _TIME)
                entry.create_system = _UNIX
                entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
                packed = name.endswith(_PACKED)
                entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                archive.writestr(entry, read_content(files[name]))
        os.replace(beside, out)
    except OSError as error:
        raise ReportError(
            f"{out}: cannot be written: {error.strerror or error}. Name another place with -o."
        ) from error
    finally:
        remove(beside)


def list_hashes(files: Mapping[str, Content]) -> bytes:
    """Give the sha256 of files as ``sha256sum -c`` reads them."""
    lines = [
        f"{hashlib.sha256(read_content(files[name])).hexdigest()}  {name}\n"
        for name in sorted(files)
    ]
    return "".join(lines).encode()


def read_content(content: Content) -> bytes:
    """Give the bytes of a file that enters the package."""
    return content if isinstance(content, bytes) else content.read_bytes()
