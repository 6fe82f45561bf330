"""One HTML page from the executed notebooks; it asks nothing of the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import jinja2
import nbformat
from markupsafe import Markup
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from evaluation.data.study import Study

_TEMPLATES = Path(__file__).parent / "templates"
_HEADING = re.compile(
    r'<h([12]) id="(.*?)">(.*?)<a class="anchor-link".*?</a></h\1>', re.DOTALL
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heading:
    id: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    id: str
    title: str
    headings: list[_Heading]
    body: Markup


def build_page(
    study: Study,
    notebooks: Mapping[str, nbformat.NotebookNode],
    *,
    run_name: str,
    description: Mapping[str, Any],
    results: Mapping[str, Any],
) -> str:
    """Put executed notebooks into one page.

    Parameters
    ----------
    study
        The study that they report on.
    notebooks
        The executed notebooks by name, in order.
    run_name
        The name of the run's folder.
    description
        What the run was made from, as in its manifest.
    results
        The numbers of every exhibit, as in results.json.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    return environment.get_template("page.html.j2").render(
        study=study,
        banner="SIMULATED: " if study.simulated else "",
        chapters=[_chapter(name, notebook) for name, notebook in notebooks.items()],
        run_name=run_name,
        description=description,
        css=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        code_css=Markup(
            HtmlFormatter(style="friendly").get_style_defs("details.code .highlight")
        ),
    )


def _chapter(name: str, notebook: nbformat.NotebookNode) -> _Chapter:
    exporter = HTMLExporter(template_name="chapter", extra_template_basedirs=[str(_TEMPLATES)])
    html, _ = exporter.from_notebook_node(notebook)
    headings: list[_Heading] = []
    title = name

    def number(match: re.Match[str]) -> str:
        nonlocal title
        level, identity, text = match.groups()
        place = re.sub(r"[^\w-]", "", f"{name}-{unescape(identity)}")
        if level == "1":
            title = unescape(text)
            return f"<h1>{text}</h1>"
        headings.append(_Heading(id=place, title=unescape(text)))
        return f'<h2 id="{place}">{text}</h2>'

    body = Markup(_HEADING.sub(number, html))
    return _Chapter(id=name, title=title, headings=headings, body=body)
