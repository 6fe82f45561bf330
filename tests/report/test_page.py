"""The report as a reader gets it: the real notebooks on the real study."""

import json
import os
import re
from html import unescape
from itertools import pairwise
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from evaluation.report.page.numbering import Numbers
from evaluation.report.page.site import _chapter
from evaluation.report.run import run_report
from tests.chinese import english_left
from tests.conftest import JINING
from tests.report.pages import write_page


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return run_report(JINING, out=tmp_path_factory.mktemp("reports"))


@pytest.fixture(scope="module")
def page(folder) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


def read_table(folder: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(folder / "tables" / f"{name}.csv")


def value(table: pd.DataFrame, county: str, measure: str, definition: str, end: str) -> float:
    rows = table[
        (table["county"] == county)
        & (table["measure"] == measure)
        & (table["definition"] == definition)
    ]
    return float(rows[end].item())


def test_the_run_folder_is_whole(folder):
    names = sorted(path.name for path in folder.iterdir())
    assert names == [
        "figures",
        "input-rows.json",
        "notebooks",
        "report.html",
        "results.json",
        "ro-crate-metadata.json",
        "tables",
        "workflow.py",
    ]
    figures = {path.suffix for path in (folder / "figures").iterdir()}
    assert figures == {".csv", ".svg", ".png"}


def test_tables_hold_the_numbers_at_full_precision(folder):
    table = read_table(folder, "ratios_by_county")
    one_year = "if the total is a yearly amount"
    assert value(
        table, "Yutai", "gain_per_yuan", f"project funds, {one_year}", "strict_lower"
    ) == (371 / 1132)
    assert value(table, "Yutai", "gain_per_yuan", f"all funds, {one_year}", "strict_lower") == (
        371 / (1132 + 684 + 5125)
    )
    assert (
        value(table, "Weishan", "cost_per_job", "project funds", "strict_upper") == 2617 / 400
    )


SHOWN = (
    "20.61|0.328|[0.0534, 0.0639]|4.53|5.13|(5.23, 6.55]|15.675|15.68|[10, 11)|loosely [10, 20)"
)


@pytest.mark.parametrize("shown", SHOWN.split("|"))
def test_the_page_shows_what_the_article_implies(page, shown):
    assert shown in re.sub(r"<[^>]+>", "", page)


def test_every_number_leads_to_its_claim(page):
    links = set(re.findall(r'href="#(C\d+)"', page))
    places = re.findall(r'id="(C\d+)"', page)
    assert len(places) == len(set(places)) == 90
    assert links <= set(places)


def test_every_link_leads_somewhere_once(page):
    places = re.findall(r'\sid="([^"]+)"', page)
    assert len(places) == len(set(places))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(places)


def test_the_page_asks_nothing_of_the_network(page):
    sources = re.findall(r'(?:src|action|data|srcset|poster)="([^"]*)"', page)
    assert sources and [s for s in sources if not s.startswith("data:")] == []
    assert "@import" not in page and not re.search(r"url\((?!%23|#)", page)
    assert "<script src" not in page and "default-src 'none'" in page


def test_links_lead_into_the_page_to_files_beside_it_and_to_sources(folder, page):
    links = [unescape(link) for link in re.findall(r'href="([^"#][^"]*)"', page)]
    outside = [link for link in links if "://" in link]
    assert outside and all(link.startswith("https://doi.org/10.") for link in outside)
    beside = [link for link in links if "://" not in link and not link.startswith("data:")]
    assert len(beside) > 50 and all((folder / link).is_file() for link in beside)
    written = {path.relative_to(folder).as_posix() for path in folder.glob("*s/*")}
    assert {name for name in written if not name.startswith("notebooks/")} == {*beside}


def test_exhibits_are_numbered_as_text_in_the_order_of_the_page(page):
    figures = re.findall(r'<figure class="exhibit (\w+)".*?<span class="label">(.*?)<', page)
    for kind, word in (("table", "Table"), ("figure", "Figure")):
        labels = [label for one, label in figures if one == kind]
        assert labels == [f"{word} {n}." for n in range(1, len(labels) + 1)]


def test_headings_go_down_one_level_at_a_time(page):
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", page)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_title_page_says_how_far_the_data_reach(page):
    text = re.sub(r"<[^>]+>", " ", page[page.index("<header>") : page.index("</header>")])
    for told in ("Rung 1 of 3: published claims.", "Qilu Evening News, 2021-07-08", "山东省派"):
        assert told in unescape(text)
    assert '<p class="other-title" lang="zh-CN">' in page


def test_the_report_says_how_to_make_it_again(page):
    assert "evaluation report jining_2021</code>" in page


def test_code_is_folded_and_nothing_warned(page):
    assert page.count('<details class="code">') > 10
    assert 'class="warning"' not in page


def test_results_hold_every_exhibit(folder, page):
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    names = [exhibit["name"] for exhibit in results["exhibits"]]
    assert len(names) == len(set(names)) == page.count("<figure ")
    assert all(f'id="{name}"' in page for name in names)


def test_nothing_tells_of_this_machine(folder):
    here = [str(folder.parent), str(JINING.parents[1]), str(Path.home())]
    for path in folder.rglob("*"):
        if path.suffix in {".html", ".json", ".ipynb", ".csv", ".svg"}:
            text = path.read_text(encoding="utf-8")
            assert not [place for place in here if f"{place}{os.sep}" in text], path.name


def test_a_page_in_chinese_has_no_english_but_names_and_literature(tmp_path):
    page = write_page(tmp_path, "zh").read_text(encoding="utf-8")
    assert '<html lang="zh-CN">' in page and "表 1" in page and "图 1" in page
    english = r'<(\w+)[^>]* lang="en">.*?</\1>|<details class="code">.*?</details>'
    text = re.sub(english, " ", page, flags=re.DOTALL)
    arxiv = "Interpreting event-studies from recent difference-in-differences methods arXiv"
    files = "study yml ro crate metadata results json csv tex docx zh"
    assert not english_left(text, allowed=(arxiv, files))


def test_a_chapter_without_a_title_is_called_by_its_name():
    text = "## One\n\n## One\n\n#### Deep"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])
    chapter = _chapter("own", notebook, Numbers())
    assert chapter.title == "own"
    assert re.findall("<h(.) id=", chapter.body) == ["2", "3", "3", "5"]
    places = re.findall('id="(.*?)"', chapter.body)
    assert len(places) == len(set(places)) == 4
