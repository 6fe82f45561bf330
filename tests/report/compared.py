"""Two small runs to compare: written out by hand, to be altered."""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
from matplotlib.image import imsave

from evaluation.report.record.describe import hash_description
from evaluation.report.record.store import hash_outputs, read_record, write_json, write_record

SHA = "0" * 64
UNIT = "万元, prices of 2022"
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg"><metadata>Matplotlib v3.10.7</metadata>'
    '<defs><path id="m1a2b" d="M 0.500000 1.250000"/></defs><use href="#m1a2b"/></svg>'
)
PAGE = """<!DOCTYPE html><html><head><meta charset="utf-8"><title>The hills</title></head><body>
<nav><ul><li><a href="#main">Title</a></li></ul></nav>
<main id="main"><header><h1>The hills</h1>
<dl><div><dt>Run</dt><dd>{run}</dd></div></dl></header>
<section id="summary"><h2>Summary</h2><ul><li>The effect is 5.46. It holds in 82 villages.</li>
</ul></section>
<section class="chapter" id="4_effect"><h2>The effect</h2><p>Made with pandas 3.0.0.</p>
<figure class="exhibit table" id="effects"><figcaption>Table 1. Effects</figcaption>
<table><tr><th>imputation</th><td>5.46</td></tr></table></figure>
<p>All of it is simulated.</p></section>
<section id="appendix"><h2>Appendix</h2><p>An end.</p><h3 id="run">How it was made</h3>
<p>By Python {python}.</p><table><tr><td>numpy</td></tr></table></section>
</main></body></html>
"""
TEN_OR_MORE = {"lower": 10, "lower_closed": True, "upper": None, "upper_closed": False}
OPENBLAS = {"name": "openblas", "version": "0.3.30", "threads": 1, "architecture": "Zen"}
EXHIBITS = (
    {
        "name": "effects", "kind": "table", "caption": "Effects", "note": "A note.",
        "notebook": "4_effect", "files": [".csv"],
        "columns": ["estimator", "cohort", "estimate", "conf_low", "conf_high", "unit"],
        "rows": [
            ["imputation", "2019", 5.4585773, 4.9, 6.0, UNIT],
            ["imputation", "2020", 3.25, -0.1, 7.0, UNIT],
            ["twfe", "2019", 5.25, None, None, UNIT],
        ],
    },
    {
        "name": "findings", "kind": "table", "caption": "Findings", "note": "",
        "notebook": "4_effect", "files": [".csv"],
        "columns": ["county", "strict", "claims"],
        "rows": [
            ["East", TEN_OR_MORE, "C1"],
            ["West", None, ""],
        ],
    },
    {
        "name": "paths", "kind": "figure", "caption": "Paths", "note": "",
        "notebook": "3_gains", "files": [".csv", ".svg", ".png"],
        "columns": ["year", "mean"],
        "rows": [[2019, 1.5], [2020, 2.5]],
    },
)  # fmt: skip


def make_run(folder: Path, *, python="3.11.7", **changes) -> Path:
    """Write a run; changes are of its record."""
    for name in ("tables", "figures", "notebooks"):
        (folder / name).mkdir(parents=True)
    exhibits = copy.deepcopy(list(EXHIBITS))
    for exhibit in exhibits:
        rows = exhibit["rows"]
        exhibit["rows"] = [dict(zip(exhibit["columns"], row, strict=True)) for row in rows]
        lines = [",".join(map(str, row)) for row in (exhibit["columns"], *rows)]
        place = folder / f"{exhibit['kind']}s" / f"{exhibit['name']}.csv"
        place.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    results = {
        "study": "hills", "title": {"en": "The hills", "zh": "山区"}, "simulated": True,
        "language": "en", "exhibits": exhibits,
    }  # fmt: skip
    write_json(folder / "results.json", results)
    (folder / "report.html").write_text(PAGE.format(run=folder.name, python=python), "utf-8")
    (folder / "figures" / "paths.svg").write_text(DRAWING, encoding="utf-8")
    imsave(folder / "figures" / "paths.png", np.zeros((4, 5, 3)))
    notebook = {
        "cells": [
            {
                "cell_type": "code", "source": ["x = 1"], "metadata": {"took": 1.0}, "id": "a",
                "outputs": [{"output_type": "stream", "name": "stdout", "text": "1.25 of all"}],
            }
        ],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    write_json(folder / "notebooks" / "4_effect.ipynb", notebook)
    record = {
        "study": "hills",
        "inputs": {"villages.csv": {"sha256": SHA, "bytes": 10}},
        "parameters": {"4_effect": {"study": "hills/study.yml", "alpha": 0.05}},
        "notebooks": {"4_effect": SHA},
        "code": {"gains/estimate.py": SHA, "bounds.py": SHA},
        "python": python,
        "packages": {"village-evaluation": "0.1.0", "pandas": "3.0.0", "numpy": "2.3.0"},
        "chinese_font": "Noto Sans CJK SC",
        "package": "0.1.0",
        "git": None,
        "lock": None,
        "machine": {
            "system": "Linux", "machine": "x86_64", "processors": 2,
            "blas": [OPENBLAS],
        },
        "chapters": {"4_effect": SHA},
        "reused": [],
        "seconds": {"4_effect": 1.0},
        "start": "2026-01-01T00:00:00+00:00",
        "end": "2026-01-01T00:00:30+00:00",
        "author": None,
        **changes,
    }  # fmt: skip
    record["hash"] = hash_description(record)
    write_record(folder, {**record, "outputs": hash_outputs(folder)})
    return folder


def seal(folder: Path) -> Path:
    """Let a run's record take its files as they are now: they were written so."""
    record = read_record(folder)
    write_record(folder, {**record, "outputs": hash_outputs(folder)})
    return folder


def edit_results(folder: Path, change, *, honest: bool = True) -> None:
    """Change what results.json holds; honest: as if the run had found that."""
    path = folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    change({exhibit["name"]: exhibit for exhibit in results["exhibits"]}, results)
    write_json(path, results)
    if honest:
        seal(folder)


def copy_run(folder: Path, name: str) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(name)))
