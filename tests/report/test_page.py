"""The report as a reader gets it: the real notebooks on the real study."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from evaluation.report.run import run_report
from tests.conftest import JINING


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
        "manifest.json",
        "notebooks",
        "report.html",
        "results.json",
        "tables",
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
    sources = re.findall(r'(?:src|href|action|data)="([^"#][^"]*)"', page)
    assert [s for s in sources if not s.startswith("data:")] == []
    assert "@import" not in page
    assert "url(" not in page
    assert "<script" not in page


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


@pytest.mark.browser
def test_the_page_opens_in_a_browser(folder, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    assert chromium, "CI installs Chromium: see .ci/run"
    picture = tmp_path / "page.png"
    options = [
        *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *(f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1440,900"),
        *("--enable-logging=stderr", f"--screenshot={picture}"),
    ]
    page = (folder / "report.html").as_uri()
    done = subprocess.run(
        [chromium, *options, page], capture_output=True, text=True, timeout=120, check=True
    )
    assert "CONSOLE" not in done.stderr
    with Image.open(picture) as image:
        assert image.size == (1440, 900)
        assert len(image.convert("RGB").getcolors(maxcolors=1 << 20)) > 100
