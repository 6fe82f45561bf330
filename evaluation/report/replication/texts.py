"""The texts of a package that are filled in: README, Makefile, environments, citation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import yaml

from evaluation.data.study import Study
from evaluation.report.replication.provenance import DataFile
from evaluation.report.template_files import TEMPLATES


def render(name: str, **values: Any) -> bytes:
    """Fill in a template of the package; unlike a page's, its text is not HTML."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES / "replication"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "cell": to_cell,
        "code": lambda text: f"`{text}`",
        "by": _group,
    }
    return environment.get_template(f"{name}.j2").render(**values).encode()


def _group(files: Sequence[DataFile], key: str) -> list[tuple[str, str]]:
    """Give each of the terms that files have, once, and the files that have it."""
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(to_cell(file.says(key)), []).append(f"`{file.place}`")
    return [(text, ", ".join(places)) for text, places in groups.items()]


def to_cell(text: str) -> str:
    """Write a text so that it fits into a line, or a cell, of Markdown."""
    return " ".join(text.split()).replace("|", "\\|")


def cite_package(
    study: Study, record: Mapping[str, Any], run: str, files: Sequence[DataFile]
) -> bytes:
    """Write CITATION.cff: the package, its author, and the data and software that it uses."""
    author = record.get("author") or {}
    cited = {file.says("citation"): file.publisher for file in files}
    name = author.get("name") or "The authors of the report"
    content = {
        "cff-version": "1.2.0",
        "message": "If you use this package, please cite it, and the data that it is on.",
        "type": "dataset",
        "title": f"Replication package: {study.title.en}",
        "abstract": f"{study.title.zh or study.title.en} (run {run})",
        "version": run,
        "date-released": record["end"][:10],
        "authors": [
            {"name": name, **({"orcid": author["orcid"]} if author.get("orcid") else {})}
        ],
        "references": [
            {
                "type": "software",
                "title": "village-evaluation",
                "version": record["package"],
                "authors": [{"name": "The village-evaluation authors"}],
                "license": "MIT",
            },
            *(
                {"type": "data", "title": title, "authors": [{"name": publisher}]}
                for title, publisher in cited.items()
            ),
        ],
    }
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=96).encode()
