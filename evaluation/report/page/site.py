"""One HTML page from the executed notebooks; it asks nothing of the network."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.paths import ENV_JUPYTER_PATH, jupyter_path
from markupsafe import Markup
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from evaluation.data.study import Study
from evaluation.language import choose, say
from evaluation.report.exhibits import NOTEBOOK_STYLE
from evaluation.report.files.pictures import slim_pictures
from evaluation.report.page.appendix import make_appendix
from evaluation.report.page.numbering import Numbers
from evaluation.report.page.references import cite
from evaluation.report.page.summary import summarise
from evaluation.report.page.terms import explain, used_terms
from evaluation.report.page.title_page import front_facts
from evaluation.report.template_files import TEMPLATES, read_template, render_page

_HEADING = re.compile(
    r'<h([1-5]) id="(.*?)">(.*?)<a class="anchor-link".*?</a></h\1>', re.DOTALL
)
_TAG = re.compile(r"<[^>]*>")


class _Exporter(HTMLExporter):
    """One that fills in the templates that nbconvert brought, whatever a user has put over."""

    def get_prefix_root_dirs(self) -> list[str]:
        own = [
            p for p in ENV_JUPYTER_PATH if Path(p, "nbconvert", "templates", "base").is_dir()
        ]
        return own or jupyter_path()


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
    """Put executed notebooks into one page, in the language spoken.

    Parameters
    ----------
    study
        The study that they report on.
    notebooks
        The executed notebooks by name, in order.
    run_name
        The name of the run's folder.
    description
        What the run was made from, as in its record.
    results
        The numbers of every exhibit, as in results.json.
    """
    numbers = Numbers()
    chapters = [_chapter(name, notebook, numbers) for name, notebook in notebooks.items()]
    parameters = description["parameters"]
    counties = {area.name: choose(area.name, area.zh) for area in study.areas}
    text = unescape(" ".join(_TAG.sub(" ", chapter.body) for chapter in chapters))
    return render_page(
        "page.html.j2",
        explain=explain,
        study=study,
        facts=front_facts(study, results, run_name=run_name),
        summary=summarise(results, parameters=parameters, counties=counties),
        chapters=chapters,
        titles={chapter.id: chapter.title for chapter in chapters},
        labels=numbers.labels,
        references=cite(results, parameters=parameters),
        terms=used_terms(text),
        appendix=make_appendix(study, description=description, results=results),
        description=description,
        css=read_template("page.css"),
        script=read_template("page.js"),
        code_css=Markup(code_style()),
    )


def code_style() -> str:
    """Give the styles of code in the page."""
    return str(HtmlFormatter(style="xcode").get_style_defs("details.code .highlight"))


def lay_out_chapters(notebooks: Mapping[str, nbformat.NotebookNode]) -> dict[str, str]:
    """Give the HTML of chapters as the page has it, by name, in the language spoken."""
    numbers = Numbers()
    return {
        name: str(_chapter(name, notebook, numbers).body)
        for name, notebook in notebooks.items()
    }


def _chapter(name: str, notebook: nbformat.NotebookNode, numbers: Numbers) -> _Chapter:
    """Make a chapter: its title a level below the page's, its exhibits numbered."""
    html, _ = _exporter().from_notebook_node(notebook)
    html = html.replace(NOTEBOOK_STYLE, "")  # the page has its own
    headings: list[_Heading] = []
    title = ""

    def lower(match: re.Match[str]) -> str:
        nonlocal title
        level, identity, text = int(match[1]), unescape(match[2]), match[3]
        plain = unescape(_TAG.sub("", text))
        if level == 1 and not title:
            title = plain
            return f'<h2 id="{name}-title">{text}</h2>'
        place = re.sub(r"[^\w-]", "", f"{name}-{identity}")
        if place in {heading.id for heading in headings}:
            place = f"{place}-{len(headings)}"
        if level < 3:
            headings.append(_Heading(id=place, title=plain))
        deeper = max(level, 2) + 1
        return f'<h{deeper} id="{place}">{text}</h{deeper}>'

    body = Markup(slim_pictures(numbers.number(_HEADING.sub(lower, html))))
    if not title:
        title = name
        body = Markup('<h2 id="{}-title">{}</h2>').format(name, name) + body
    return _Chapter(id=name, title=title, headings=headings, body=body)


@cache
def _exporter() -> _Exporter:
    """Give what lays out chapters, its templates compiled once."""
    exporter = _Exporter(  # type: ignore[no-untyped-call]
        template_name="chapter",
        extra_template_basedirs=[str(TEMPLATES)],
        optimistic_validation=True,  # at the end, not after each step
    )
    exporter.environment.globals["say"] = say
    return exporter
