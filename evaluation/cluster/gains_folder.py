"""The folder of a streamed estimate: made beside its place, and moved there when whole."""

from __future__ import annotations

import glob
import json
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.cluster.panel_parts import Setup
from evaluation.cluster.streamed import StreamedGains
from evaluation.errors import ReportError
from evaluation.report.run_folder import is_abandoned, name_process

RECORD = "gains.json"
_KIND = "gains of villages"
_OWN = re.compile(r"part-\d+\.parquet|averages\.csv|gains\.json")


@contextmanager
def making_gains(out: Path, *, force: bool) -> Iterator[tuple[Path, Path]]:
    """Give a folder that becomes ``out`` once all is done, and one to work in.

    Raises
    ------
    ReportError
        If ``out`` is there and not to be replaced, or the place cannot be written or is full.
        Nothing is left then, and what was there before is as it was.
    """
    if os.path.lexists(out):
        if not force:
            raise ReportError(f"{out} is there already: name another place, or use force=True.")
        _refuse_others(out)
    beside = out.with_name(f"{out.name}.partial-{name_process()}")
    try:
        for left in out.parent.glob(f"{glob.escape(out.name)}.partial-*"):
            if is_abandoned(left):
                shutil.rmtree(left, ignore_errors=True)
        (beside / "gains").mkdir(parents=True)
        (beside / "work").mkdir()
        yield beside / "gains", beside / "work"
        old = beside / "old"
        if os.path.lexists(out):
            _refuse_others(out)  # it may have been put there meanwhile
            out.rename(old)
        try:
            (beside / "gains").rename(out)
        except OSError:
            if old.exists():
                old.rename(out)
            raise
    except OSError as error:
        raise ReportError(
            f"cannot write to {out.parent}: {error.strerror or error}. Make room, or name "
            "another place."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _refuse_others(out: Path) -> None:
    """Refuse to replace what holds no gains, or files beside them."""
    if not is_gains(out):
        raise ReportError(f"{out} holds no gains that were estimated: it is not replaced.")
    others = sorted(one.name for one in out.iterdir() if not _OWN.fullmatch(one.name))
    if others:
        raise ReportError(
            f"{out} holds {others[0]}, which is no part of its gains: it is not replaced. Move "
            "that away, or name another place."
        )


def write_gains(gains: StreamedGains, setup: Setup, folder: Path) -> None:
    """Write what was found and done into a folder, beside the villages: see `RECORD`."""
    frames = [
        frame.rename_axis("value").reset_index().astype({"value": str}).assign(by=by)
        for by, frame in gains.averages.items()
    ]
    table = pd.concat(frames)
    table.insert(0, "by", table.pop("by"))
    table.to_csv(folder / "averages.csv", index=False, encoding="utf-8", lineterminator="\n")
    counts = {f.name: getattr(gains, f.name) for f in fields(gains) if f.name[:2] == "n_"}
    content = {
        "kind": _KIND,
        "source": setup.plan.path,
        "columns": asdict(setup.plan.columns),
        "options": asdict(gains.options),
        "cluster": gains.cluster,
        "years": setup.years.tolist(),
        **counts,
        "reasons": gains.reasons,
        "att": gains.att.to_dict(),
        "shrinkage": asdict(gains.shrinkage),
        "versions": {name: version(name) for name in ("numpy", "pandas", "pyarrow", "scipy")},
    }
    text = json.dumps(_as_json(content), indent=1, ensure_ascii=False)
    (folder / RECORD).write_text(f"{text}\n", encoding="utf-8")


def _as_json(value: Any) -> Any:
    """Give plain numbers; NaN, which JSON has not, is null."""
    if isinstance(value, Mapping):
        return {str(key): _as_json(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_json(one) for one in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def is_gains(folder: Path) -> bool:
    """Whether a folder holds an estimate's gains."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and record.get("kind") == _KIND
