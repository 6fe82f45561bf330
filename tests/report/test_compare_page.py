"""The page on two runs: what a reader sees of them."""

import os
import re
import shutil

import pytest

from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report.compare.numbers import show_change, show_pair
from evaluation.report.compare.page import mark_words, write_comparison
from evaluation.report.compare.run import compare_runs
from tests.chinese import english_left, visible
from tests.conftest import edit
from tests.report.compared import DRAWING, copy_run, edit_results, make_run, seal

EVIL = '<script>alert("x")</script>'
GRAVE = {"serious", "critical"}


def revise(exhibits, results):
    first, second, third = exhibits["effects"]["rows"]
    first |= {"estimate": 6.125, "conf_low": 5.5}
    second |= {"conf_low": 0.25, "estimate": 3.5}
    third |= {"unit": EVIL}
    exhibits["effects"]["note"] = f"A note with {EVIL}."
    exhibits["paths"]["rows"][0]["mean"] = 2.5
    exhibits["findings"]["rows"].append({"county": "North", "strict": None, "claims": EVIL})


@pytest.fixture
def runs(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    parameters = {"4_effect": {"study": "hills/study.yml", "alpha": 0.1}}
    after = make_run(tmp_path / "hills-11111111", parameters=parameters)
    edit_results(after, revise)
    edit(after / "report.html", "It holds in 82", "It holds in 79")
    svg = DRAWING.replace("1.25", "2.5").replace("</svg>", f"{EVIL}</svg>")
    (after / "figures" / "paths.svg").write_text(svg, encoding="utf-8")
    return before, seal(after)


def read_page(runs, path, language="en"):
    with speaking(language):
        comparison = compare_runs(*runs)
        write_comparison(comparison, path)
    return path.read_text(encoding="utf-8")


def test_the_verdict_the_cause_and_both_values_are_there(runs, tmp_path):
    text = visible(read_page(runs, tmp_path / "compare.html"))
    for told in (
        "Different: 2 of 2 tables, 1 of 1 figures and 1 of 11 sentences differ.",
        "Numbers count as the same if they differ by at most 1e-08",
        "Parameter: alpha",
        "5.459", "6.125", "+0.67", "+12.2%",
        "its interval no longer holds zero",
        "Only in the second run: North",
    ):  # fmt: skip
        assert told in text
    before = text.index("Different: ")
    assert before < text.index("Parameter: alpha") < text.rindex("What moved")


def test_of_two_studies_it_says_so_and_counts_nothing_of_one_alone_as_unmoved(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    after = make_run(tmp_path / "plains-11111111", study="plains")

    def leave_out(exhibits, results):
        results["title"] = {"en": "The plains"}
        results["exhibits"].remove(exhibits["effects"])

    edit_results(after, leave_out)
    text = visible(read_page((before, seal(after)), tmp_path / "compare.html"))
    assert "The runs are of two studies, hills and plains. Different: " in text
    assert "SIMULATED: The hills" in text and "SIMULATED: The plains" in text
    unmoved = text[text.index("No main number changed in:") :].partition("The effect")[0]
    assert "Findings" in unmoved and "Effects" not in unmoved


def test_what_users_files_hold_is_escaped(runs, tmp_path):
    html = read_page(runs, tmp_path / "compare.html")
    assert EVIL not in html
    assert html.count("<script>") == 1  # the page's own


def test_the_page_stands_alone_and_is_the_same_when_written_again(runs, tmp_path):
    html = read_page(runs, tmp_path / "compare.html")
    assert html == read_page(runs, tmp_path / "again.html")
    assert str(tmp_path) not in html
    links = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert {link[:5] for link in links if not link.startswith("#")} == {"data:"}
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    assert html.count("<img ") == 2


def test_in_chinese_nothing_of_the_page_is_english(runs, tmp_path):
    html = read_page(runs, tmp_path / "compare.html", "zh")
    allowed = ("The effect", "estimator cohort conf low", "workflow py hills", "prices of")
    body = re.sub(r"<td>[^<]*(?:<(?:del|ins)>.*?</td>|</td>)", "", html)
    assert english_left(body, allowed=allowed) == []
    assert "不同：表格 2 项中的 2 项" in html


def test_equal_runs_have_a_page_that_says_so(tmp_path):
    before = make_run(tmp_path / "hills-00000000")
    html = read_page((before, copy_run(before, "hills-copy")), tmp_path / "compare.html")
    assert "The same: all that both runs hold is identical" in html
    assert "Nothing that the runs record differs." in html
    assert "What moved" not in html


def test_a_page_that_cannot_be_written_leaves_nothing_behind(runs, tmp_path):
    (tmp_path / "compare.html").mkdir()
    with pytest.raises(ReportError, match=r"compare\.html: cannot be written"):
        read_page(runs, tmp_path / "compare.html")
    assert not (tmp_path / "compare.html.new").exists()


def test_a_table_of_many_rows_is_summed_up_and_cut(runs, tmp_path):
    before, after = runs
    for run, shift in ((before, 0.0), (after, 0.25)):
        rows = [{"village": f"v{n:04}", "gain": n / 7 + shift, "n": n} for n in range(500)]

        def fill(exhibits, results, rows=rows):
            exhibits["findings"] |= {"columns": ["village", "gain", "n"], "rows": rows}

        edit_results(run, fill)
    html = read_page((before, after), tmp_path / "compare.html")
    text = visible(html)
    assert "All 500 rows differ." in text
    assert "gain: 500 numbers changed, by +0.25 at the median" in text
    assert "The 20 that differ most are shown." in text
    assert len(re.findall(r">v\d{4}<", html)) == 20


def test_words_are_marked_in_both_languages_and_escaped():
    assert mark_words("a <b>", "a c") == ("a <del>&lt;b&gt;</del>", "a <ins>c</ins>")
    assert mark_words("增收5元", "增收6元") == ("增收<del>5</del>元", "增收<ins>6</ins>元")


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (0.05, 0.1, ("0.0500", "0.1000")),
        (1e-20, 2e-20, ("1e-20", "2e-20")),
        (3e16, 3.1e16, ("3e+16", "3.1e+16")),
        (0, 1.5, ("0.000", "1.500")),
        (True, False, ("yes", "no")),
        (2019, 2020, ("2,019", "2,020")),
    ],
)
def test_a_pair_is_printed_as_finely_as_it_differs(before, after, shown):
    assert show_pair(before, after) == shown


def test_a_change_beside_nothing_has_no_share():
    assert show_change(0.0, 2.0) == ("+2.0", "")
    assert show_change(-4.0, -5.0) == ("-1.0", "-25.0%")
    assert show_change(1.0, None) == ("", "")


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_a_browser_shows_it_whole_and_a_screen_reader_finds_its_way(runs, tmp_path, width):
    sync_api = pytest.importorskip("playwright.sync_api")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    read_page(runs, tmp_path / "compare.html")
    wrong = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto((tmp_path / "compare.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") == width
        found = axe.run(page).response["violations"]
        browser.close()
    told = [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found if v["impact"] in GRAVE]
    assert (told, wrong) == ([], [])


def test_a_run_whose_record_lacks_a_part_is_refused(runs, tmp_path, monkeypatch):
    before, after = runs
    monkeypatch.setattr("evaluation.report.compare.run.read_record", lambda run: {"hash": ""})
    with pytest.raises(ReportError, match="its record has no inputs"):
        compare_runs(before, after)
