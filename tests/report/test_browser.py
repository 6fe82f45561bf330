"""The page as a reader uses it: in a browser, wide and narrow, in both languages."""

import os
import shutil
from io import BytesIO

import pypdf
import pytest

from tests.report.pages import HEADINGS, write_page

pytestmark = pytest.mark.browser

WIDE, NARROW = 1440, 390
LANGUAGES = ("en", "zh")
GRAVE = {"serious", "critical"}


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    assert chromium, "CI installs Chromium: see .ci/run"
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return {
        language: write_page(tmp_path_factory.mktemp(language), language)
        for language in LANGUAGES
    }


@pytest.fixture
def open_page(browser, files):
    """Open a page; at the end, nothing was asked of the network and nothing went wrong."""
    opened, asked, wrong = [], [], []

    def open_one(language, width):
        page = browser.new_page(viewport={"width": width, "height": 900})
        opened.append(page)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(files[language].as_uri())
        return page

    yield open_one
    for page in opened:
        page.close()
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert wrong == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_screen_reader_finds_its_way(open_page, language, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(language, width)
    page.click("#all-code")
    found = axe.run(page).response["violations"]
    told = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in GRAVE]
    assert told == []


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_sticks_out_of_the_page(open_page, language, width):
    page = open_page(language, width)
    page.click("#all-code")
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("language", LANGUAGES)
def test_villages_are_searched_and_sorted(open_page, language):
    page = open_page(language, WIDE)
    table = page.locator("#village_gains")
    rows = table.locator("tbody tr:visible")
    assert rows.count() == 12
    table.get_by_role("searchbox").fill("v7")
    assert rows.count() == 1 and "v7" in rows.first.inner_text()
    table.get_by_role("searchbox").fill("")
    head = table.locator("thead th.n").first
    numbers = f"[...document.querySelectorAll('#village_gains tbody tr')].map((row) => \
        parseFloat(row.cells[{head.evaluate('(cell) => cell.cellIndex')}].textContent))"
    for sort, down in (("ascending", False), ("descending", True)):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == sort
        found = page.evaluate(numbers)
        assert found == sorted(found, reverse=down) and len(set(found)) > 2


def test_code_is_unfolded_one_by_one_and_all_at_once(open_page):
    page = open_page("en", WIDE)
    codes, is_open = page.locator("details.code"), page.locator("details.code[open]")
    codes.first.locator("summary").click()
    assert is_open.count() == 1 and codes.first.locator("pre").is_visible()
    button = page.locator("#all-code")
    button.click()
    assert is_open.count() == codes.count() > 5
    assert button.inner_text() == "Hide all code"
    button.click()
    assert is_open.count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_contents_lead_to_their_section_and_mark_it(open_page, language):
    page = open_page(language, WIDE)
    contents = page.get_by_role("navigation")
    contents.get_by_role("link", name=HEADINGS[language][1]).nth(2).click()
    heading = page.locator("#\\33 _income_gains h3").first
    assert heading.bounding_box()["y"] < 200
    page.wait_for_function("document.querySelector('nav a[aria-current]')")
    marked = contents.locator("a[aria-current]")
    assert marked.get_attribute("href").startswith("#3_income_gains-")


def test_on_a_phone_contents_are_folded_until_asked_for(open_page):
    page = open_page("en", NARROW)
    link = page.get_by_role("navigation").get_by_role("link", name="Appendix")
    assert not link.is_visible()
    page.get_by_text("Contents", exact=True).click()
    link.click()
    assert not link.is_visible()
    assert abs(page.locator("#appendix").bounding_box()["y"]) < 200


def test_the_keyboard_skips_to_the_report(open_page):
    page = open_page("en", WIDE)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_points_of_the_summary_lead_to_their_exhibit(open_page):
    page = open_page("en", WIDE)
    page.locator("#summary").get_by_role("link").first.click()
    target = page.url.partition("#")[2]
    assert page.locator(f"#{target}").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_print_has_all_villages_and_no_controls(open_page, language):
    page = open_page(language, WIDE)
    printed = page.pdf(prefer_css_page_size=True)
    with pypdf.PdfReader(BytesIO(printed)) as reader:
        pages = [one.extract_text() for one in reader.pages]
        assert {round(float(one.mediabox.width)) for one in reader.pages} == {595}  # A4
    text = "".join(pages)
    assert all(f"v{number}" in text for number in range(12))
    button = page.locator("#all-code").inner_text()
    assert button not in text and "show('effects')" not in text
    assert len(pages) >= 7  # a title, a summary, four chapters, what is behind them
