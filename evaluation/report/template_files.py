"""The files in templates/ that pages and documents are made from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from evaluation.language import say, spoken

TEMPLATES = Path(__file__).parent / "templates"


def read_template(name: str) -> Markup:
    """Give a file's text, which no page escapes: it is the package's own."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def fill_template(name: str, values: Mapping[str, str]) -> str:
    """Put values in the place of a file's ``<<names>>``, as LaTeX and typst use braces."""
    source = str(read_template(name))
    for key, value in values.items():
        source = source.replace(f"<<{key}>>", value)
    return source


def render_page(name: str, **values: Any) -> str:
    """Render a page of HTML in the language spoken; what is not Markup is escaped."""
    language = {"en": "en", "zh": "zh-CN"}[spoken()]
    page: str = _environment().get_template(name).render(language=language, **values)
    return page


@cache
def _environment() -> Any:
    """Give what renders pages, their templates compiled once."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["say"] = say
    return environment
