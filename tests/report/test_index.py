"""One page over many runs: what a reader sees of them, and which are stale."""

import html
import json
import os
import re
import shutil
from pathlib import Path

import pytest

from evaluation.cli import main
from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report.chapters import notebook_folder
from evaluation.report.index import plots as index_plots
from evaluation.report.index.write import write_index
from evaluation.report.record.describe import package_versions, sha256
from evaluation.report.record.store import NAME, write_json, write_record
from tests.report.records import CODE, make_record

STUDY = """
version: 1
name: hills
title: {en: The hills, zh: 山区}
source: {title: {en: a file}, publisher: {en: the county}, date: 2024-01-01}
programme: {name: Hills, zh: 山区}
counties:
  - {name: East, zh: 东县}
  - {name: West, zh: 西县}
prices: {currency: CNY, basis: nominal, base_year: 2022}
panel:
  file: villages.csv
  village: {code: code}
  year: year
  income: {operating: {column: income, unit: 万元}}
"""
UNIT = "万元, prices of 2022"
GAINS = {"study": "hills/study.yml", "year_effects": "common", "anticipation": 0}
FULL = {
    "3_income_gains": {**GAINS, "trend_max": 10000.0},
    "4_programme_effect": GAINS,
}


def bounds(lower, upper, *, upper_closed=True):
    ends = {"lower": lower, "upper": upper}
    return {**ends, "lower_closed": lower is not None, "upper_closed": upper_closed}


def exhibit(name, *rows):
    return {"name": name, "columns": list(rows[0]), "rows": list(rows)}


def effect(estimator, estimate, low=None, high=None, *, reason="", effects="common"):
    return {
        "estimator": estimator, "year_effects": effects, "estimate": estimate,
        "conf_low": low, "conf_high": high, "reason": reason, "unit": UNIT,
    }  # fmt: skip


def gain(county, estimate, low=None, high=None, *, reason="", unit=UNIT):
    return {
        "county": county, "estimate": estimate, "conf_low": low, "conf_high": high,
        "reason": reason, "unit": unit,
    }  # fmt: skip


def outcome(label="collective income", role="outcome"):
    return exhibit("summary_statistics", {"variable": "income", "role": role, "label": label})


EFFECTS = (
    outcome(),
    exhibit("effects", effect("imputation", 5.455, 4.957, 5.958), effect("twfe", 5.25),
            effect("matched_did", None)),
    exhibit("gains_by_county", gain("East 东县", 5.064, reason="4 clusters"),
            gain("West 西县", -1.5, -2.5, -0.5)),
    exhibit("village_map", *({"county": county, "longitude": x, "latitude": y}
            for county, x, y in (("东县", 116, 35), ("东县", 118, 36), ("西县", 115, 35)))),
)  # fmt: skip
CHANGES = (
    outcome(),
    exhibit("trend_bounds", *(
        {"level": level, "county": county, "lower": low, "upper": low + 2, "unit": UNIT,
         "change_lower": change, "change_upper": change}
        for level, county, low, change in (
            ("programme", None, 1.0, 3.0), ("county", "东县", 2.0, 4.0),
            ("county", "西县", -1.0, 1.0), ("village", "西县", 9.0, 9.0))
    )),
)  # fmt: skip
CLAIMS = (
    exhibit("claimed_gains", *(
        {"county": county, "definition": definition, "unit": "万元", "rise_strict": strict,
         "rise_loose": loose}
        for county, definition, strict, loose in (
            ("East", "stated", bounds(10, 11, upper_closed=False), bounds(10, 20)),
            ("West", "stated", None, None),
            ("West", "total / villages", bounds(20.6, 20.6), bounds(20.6, 20.6)))
    )),
)  # fmt: skip


@pytest.fixture
def studies(tmp_path):
    folder = tmp_path / "data" / "hills"
    folder.mkdir(parents=True)
    (folder / "study.yml").write_text(STUDY, encoding="utf-8")
    (folder / "villages.csv").write_text("code,year,income\n1,2020,3\n", encoding="utf-8")
    return tmp_path / "data"


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def write_run(
    reports, name, exhibits, *, studies=None, study="hills", language="en", simulated=False,
    end="2026-01-02T03:04:05+00:00", parameters=FULL, **record_parts,
) -> Path:  # fmt: skip
    """Write a run as it would be made now; ``record_parts`` are put in place of its own."""
    folder = reports / name
    folder.mkdir(parents=True)
    inputs = sorted((studies / study).iterdir()) if studies else []
    made = {
        "study": study,
        "inputs": {
            path.name: {"sha256": sha256(path), "bytes": path.stat().st_size} for path in inputs
        },
        "parameters": parameters,
        "notebooks": {
            chapter: sha256(notebook_folder() / f"{chapter}.ipynb") for chapter in parameters
        },
        "end": end,
        **record_parts,
    }
    results = {
        "study": study, "title": {"en": "The hills", "zh": "山区"}, "language": language,
        "simulated": simulated, "exhibits": list(exhibits),
    }  # fmt: skip
    write_record(folder, make_record(folder, **made))
    write_json(folder / "results.json", results)
    (folder / "report.html").write_text("a report", encoding="utf-8")
    return folder


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def read_tables(page: Path) -> list[list[list[str]]]:
    """Give the cells of each table of the page as text, its head first."""
    tables = re.findall(r"<table.*?</table>", read(page), re.DOTALL)
    return [
        [
            [
                html.unescape(re.sub(r"<span hidden>.*?</span>|<[^>]*>", "", cell))
                for cell in cells
            ]
            for row in re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
            if (cells := re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL))
        ]
        for table in tables
    ]


def read_rows(page: Path) -> list[dict[str, str]]:
    """Give the rows of the table of estimates."""
    head, *rows = read_tables(page)[0]
    return [dict(zip(head, row, strict=True)) for row in rows]


def columns(rows, *names):
    return [tuple(row[name] for name in names) for row in rows]


def index(reports, studies=Path("nowhere"), language="en"):
    with speaking(language):
        return write_index(reports, studies=studies)


def test_every_estimate_has_a_row_with_what_it_is(reports):
    write_run(reports, "hills-11111111", EFFECTS)
    rows = read_rows(index(reports))
    shown = columns(rows, "County", "What it is", "Estimate", "Interval or bounds",
                    "Estimator or definition", "Remark, or why no interval")  # fmt: skip
    imputed = "Imputation, common year effects"
    assert shown == [
        ("all", "causal estimate", "5.46", "4.96 to 5.96", imputed, ""),
        ("all", "causal estimate", "5.25", "", "TWFE, common year effects", ""),
        ("East 东县", "causal estimate", "5.06", "", imputed, "4 clusters"),
        ("West 西县", "causal estimate", "-1.50", "-2.50 to -0.50", imputed, ""),
    ]
    assert {(row["Outcome"], row["Unit"], row["Price year"]) for row in rows} == {
        ("collective income", "万元", "2022")
    }
    assert rows[0]["Made (UTC)"] == "2026-01-02 03:04"
    assert '<a href="hills-11111111/report.html">hills-11111111</a>' in read(
        reports / "index.html"
    )


def test_changes_are_told_apart_with_the_trend_that_they_allow_for(reports):
    write_run(reports, "hills-11111111", CHANGES)
    rows = read_rows(index(reports))
    assert columns(rows, "County", "What it is", "Estimate", "Interval or bounds") == [
        ("all", "before-after change", "3", "[1, 3]"),
        ("东县", "before-after change", "4", "[2, 4]"),
        ("西县", "before-after change", "1", "[-1, 1]"),
    ]
    assert {row["Estimator or definition"] for row in rows} == {
        "change less a trend of 0 to 10,000 yuan a year"
    }


def test_claims_are_bounds_by_definition(reports, studies):
    write_run(reports, "hills-11111111", CLAIMS)
    shown = columns(read_rows(index(reports, studies)), "County", "Estimate",
                    "Interval or bounds", "Estimator or definition",
                    "Remark, or why no interval", "Price year")  # fmt: skip
    assert shown == [
        ("East 东县", "", "[10, 11)", "stated", "loosely [10, 20]", "nominal"),
        ("West 西县", "20.6", "20.6", "total / villages", "", "nominal"),
    ]


def test_kinds_and_definitions_are_never_in_one_panel(reports):
    write_run(reports, "hills-11111111", [*EFFECTS, CHANGES[1], *CLAIMS])
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", read(index(reports)))
    claimed = "The hills; Gain in collective income per village and year; bounds of a claim"
    assert captions == [
        "The hills; collective income; causal estimate",
        "The hills; collective income; before-after change",
        f"{claimed}; stated",
        f"{claimed}; total / villages",
        "The hills; collective income; causal estimate",  # the maps
        "The hills; collective income; before-after change",
    ]


def test_alternative_texts_hold_the_numbers(reports):
    write_run(reports, "hills-11111111", EFFECTS)
    panel, chart = re.findall(r'<img alt="([^"]*)"', read(index(reports)))
    assert "all 5.46 (4.96 to 5.96), East 东县 5.06 (no interval), West" in panel
    assert "5.25" not in panel
    assert "Map of counties" in chart and "West 西县 -1.50 (-2.50 to -0.50)" in chart


def test_parameters_are_shown_where_they_differ_from_defaults_or_between_runs(reports):
    other = {**GAINS, "anticipation": 1}
    parameters = {"3_income_gains": other, "4_programme_effect": other}
    write_run(reports, "hills-11111111", EFFECTS)
    write_run(reports, "hills-22222222", EFFECTS, parameters=parameters)
    write_run(reports, "plains-33333333", EFFECTS, study="plains")
    settings = {(row["Run"], row["Settings"]) for row in read_rows(index(reports))}
    assert settings == {
        ("hills-11111111", "anticipation = 0"),
        ("hills-22222222", "anticipation = 1"),
        ("plains-33333333", ""),
    }


def test_runs_with_the_same_numbers_are_drawn_once(reports):
    other = [outcome(), exhibit("gains_by_county", gain("East 东县", 4.0), gain("West", 1.0))]
    write_run(reports, "hills-11111111", EFFECTS[:3])
    write_run(reports, "hills-22222222", EFFECTS[:3])
    write_run(reports, "hills-33333333", other)
    (panel,) = re.findall(r'<img alt="([^"]*)"', read(index(reports)))
    assert "11111111 and 1 more, Imputation" in panel
    assert "33333333, Imputation" in panel
    assert "22222222" not in panel


def test_more_than_can_be_drawn_is_counted(reports, monkeypatch):
    monkeypatch.setattr(index_plots, "_MOST_SERIES", 1)
    monkeypatch.setattr(index_plots, "_MOST_PANELS", 1)
    for number in range(3):
        rows = exhibit("gains_by_county", gain("East", float(number)))
        write_run(reports, f"hills-{number}", [outcome(), rows])
        write_run(reports, f"plains-{number}", [outcome(), rows], study=f"plains{number}")
    page = read(index(reports))
    assert page.count("<figcaption>") == 1
    assert "2 more runs are in the table." in page
    assert "3 more are not drawn" in page


# -- languages -----------------------------------------------------------------------------


def test_one_county_has_one_name_whatever_language_its_run_was_told_in(reports):
    chinese = [
        outcome("集体收入", role="结果变量"),
        exhibit("gains_by_county", gain("东县", 3.0, unit="万元，2022 年价格")),
    ]
    english = [outcome(), exhibit("gains_by_county", gain("East 东县", 3.0))]
    write_run(reports, "hills-11111111", english)
    write_run(reports, "hills-22222222", chinese, language="zh")
    names = ("County", "Outcome", "Unit", "Price year")
    assert columns(read_rows(index(reports)), *names) == 2 * [
        ("East 东县", "collective income", "万元", "2022")
    ]
    with speaking("zh"):
        rows = read_rows(write_index(reports, studies=Path("nowhere")))
    assert [[*row.values()][2:4] for row in rows] == 2 * [["东县", "集体收入"]]


def test_the_page_is_in_the_language_spoken(reports):
    write_run(reports, "hills-11111111", EFFECTS, simulated=True)
    page = read(index(reports, language="zh"))
    assert '<html lang="zh-CN">' in page
    assert "模拟数据：山区" in page
    assert "因果估计" in page
    assert "causal estimate" not in page


def test_simulated_data_is_labelled(reports):
    write_run(reports, "hills-11111111", EFFECTS, simulated=True)
    page = index(reports)
    assert {row["Study"] for row in read_rows(page)} == {"SIMULATED: The hills"}
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", read(page))
    assert captions and all(caption.startswith("SIMULATED: ") for caption in captions)


# -- which runs there are, and which are stale ---------------------------------------------


def differences(reports, studies):
    _, runs = read_tables(index(reports, studies))
    return [(run[-2], run[-1]) for run in runs[1:]]


def test_a_run_made_of_what_is_here_is_current(reports, studies):
    write_run(reports, "hills-11111111", EFFECTS, studies=studies)
    assert differences(reports, studies) == [("current", "")]


def test_a_changed_input_makes_a_run_stale(reports, studies):
    write_run(reports, "hills-11111111", EFFECTS, studies=studies)
    (studies / "hills" / "villages.csv").write_text("code,year,income\n", encoding="utf-8")
    assert differences(reports, studies) == [("stale", "inputs changed (villages.csv)")]


def test_data_elsewhere_and_a_study_that_is_not_found_are_said(reports, studies):
    write_run(reports, "hills-11111111", EFFECTS, studies=studies)
    assert differences(reports, studies / "other") == [
        ("inputs not compared", "study not found: inputs not compared")
    ]
    (studies / "hills" / "villages.csv").unlink()
    assert differences(reports, studies) == [
        ("inputs not compared", "inputs not here (villages.csv)")
    ]


def test_changed_code_notebooks_and_packages_are_named(reports, studies):
    code = CODE | dict.fromkeys(["bounds.py", "errors.py", "language.py"], "0" * 64)
    packages = {**package_versions(), "numpy": "0"}
    write_run(
        reports, "hills-11111111", EFFECTS, studies=studies, code=code, packages=packages,
        parameters={"3_income_gains": {}}, notebooks={"3_income_gains": "0" * 64},
    )  # fmt: skip
    assert differences(reports, studies) == [
        (
            "stale",
            "code of this package changed (bounds.py, errors.py and 1 more); notebooks changed "
            "(3_income_gains); packages changed (numpy)",
        )
    ]


def test_failed_and_half_written_runs_are_left_out(reports):
    for name in ("a-1.failed", "a-1.old", "a-1.partial-77", "deeper/a-1"):
        write_run(reports, name, EFFECTS)
    shutil.copytree(reports / "deeper" / "a-1", reports / "deeper" / "a-1" / "figures" / "b")
    assert {row["Run"] for row in read_rows(index(reports))} == {"a-1"}
    assert 'href="deeper/a-1/report.html"' in read(reports / "index.html")


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("results.json", '{"study": ', "results.json: EOF while parsing a value"),
        ("results.json", '{"study": "hills"}', "results.json: no 'exhibits' in it"),
        (NAME, "[]", f"{NAME}: "),
        (NAME, '{"end": "2026"}', f"{NAME}: "),
    ],
)
def test_a_damaged_run_is_listed_with_what_is_wrong(reports, file, text, told):
    write_run(reports, "hills-11111111", EFFECTS)
    folder = write_run(reports, "hills-22222222", EFFECTS)
    (folder / file).write_text(text, encoding="utf-8")
    _, runs = read_tables(index(reports))
    state, why = next(run[-2:] for run in runs if run[0] == "hills-22222222")
    assert state == "cannot be read"
    assert why.startswith(told)


def test_an_exhibit_of_another_version_is_damage_too(reports):
    write_run(reports, "hills-11111111", [exhibit("effects", {"estimator": "imputation"})])
    (row,) = read_rows(index(reports))
    assert row["State"] == "cannot be read"
    assert "estimate" in row["Remark, or why no interval"]


def test_a_run_without_estimates_has_a_row_with_the_reason(reports):
    write_run(reports, "hills-11111111", [exhibit("effects", {"absent": "Nobody is treated."})])
    (row,) = read_rows(index(reports))
    assert (row["Estimate"], row["Remark, or why no interval"]) == ("", "Nobody is treated.")


def test_no_run_is_an_error_that_names_the_command(reports):
    with pytest.raises(
        ReportError, match=r"reports: no run in it. Make one: evaluation report"
    ):
        index(reports)
    assert list(reports.iterdir()) == []


def test_equal_runs_give_equal_bytes(reports):
    write_run(reports, "hills-11111111", EFFECTS)
    first = read(index(reports))
    assert read(index(reports)) == first


def test_the_command_writes_the_page(reports, studies, capsys):
    write_run(reports, "hills-11111111", EFFECTS, studies=studies)
    assert main(["index", str(reports), "--studies", str(studies), "--lang", "zh"]) == 0
    page = reports / "index.html"
    assert capsys.readouterr().out.strip() == str(page)
    assert "各项评估并列" in read(page)


# -- in a browser --------------------------------------------------------------------------


@pytest.mark.browser
def test_the_page_filters_and_sorts_in_a_browser(reports):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None and not os.environ.get("CI"):
        pytest.skip("no Chromium here")
    assert chromium, "CI installs Chromium: see .ci/run"
    from playwright.sync_api import expect, sync_playwright

    write_run(reports, "hills-11111111", EFFECTS)
    write_run(reports, "plains-22222222", CLAIMS, study="plains")
    page = index(reports)
    told: list[str] = []
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        tab.on("console", lambda message: told.append(message.text))
        tab.on("pageerror", lambda error: told.append(str(error)))
        tab.on("request", lambda request: told.append(request.url))
        tab.goto(page.as_uri())
        shown = tab.locator("#estimates tbody tr:visible")
        count = tab.locator("#estimates output")
        expect(count).to_have_text("6 of 6")

        tab.get_by_label("What it is").select_option("causal estimate")
        tab.locator("#estimates input").fill("imputation")
        expect(count).to_have_text("3 of 6")
        tab.locator("label", has_text="County").locator("select").select_option("all")
        assert shown.count() == 1
        tab.get_by_role("button", name="Show all").click()
        expect(count).to_have_text("6 of 6")

        head = tab.locator("#estimates").get_by_role("button", name="Interval or bounds")
        head.focus()
        tab.keyboard.press("Enter")
        cells = [row.locator("td").nth(5).inner_text() for row in shown.all()]
        assert cells == ["-2.50 to -0.50", "4.96 to 5.96", "[10, 11)", "20.6", "", ""]
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert [line for line in told if not line.startswith(("data:", page.as_uri()))] == []


# -- runs on one county, or on another outcome -------------------------------------------------


def restrict_run(folder, **said):
    results = json.loads((folder / "results.json").read_text("utf-8"))
    write_json(folder / "results.json", {**results, **said})


def test_an_effect_of_a_run_on_one_county_is_that_countys(reports, studies):
    chosen = {name: {**values, "county": "East"} for name, values in FULL.items()}
    plain = {name: {**values, "county": ""} for name, values in FULL.items()}
    alone = write_run(reports, "hills-11111111", EFFECTS[:2], parameters=chosen)
    restrict_run(alone, county={"name": "East", "zh": "东县"})
    write_run(reports, "hills-22222222", EFFECTS[:2], parameters=plain)
    rows = read_rows(index(reports, studies))
    assert {columns([row], "Run", "Study", "County", "Settings")[0] for row in rows} == {
        ("hills-11111111", "The hills", "East 东县", "county = East"),
        ("hills-22222222", "The hills", "all", ""),
    }


def test_a_run_without_an_estimate_says_of_what_there_is_none(reports):
    alone = write_run(reports, "hills-11111111", ())
    chosen = {
        "county": {"name": "East", "zh": "东县"},
        "outcome": {"en": "grants", "zh": "补助"},
    }
    restrict_run(alone, **chosen)
    assert columns(read_rows(index(reports)), "County", "Outcome") == [("East", "grants")]
    assert columns(read_rows(index(reports, language="zh")), "县", "结果变量") == [
        ("East", "补助")
    ]


def test_runs_on_one_county_each_are_one_series_and_one_map(reports):
    for number, name in enumerate(("East", "West"), start=1):
        chosen = {chapter: {**values, "county": name} for chapter, values in FULL.items()}
        alone = write_run(reports, f"hills-{number:08}", EFFECTS, parameters=chosen)
        restrict_run(alone, county={"name": name})
    page = index(reports)
    texts = [html.unescape(text) for text in re.findall('<img alt="([^"]+)"', read(page))]
    series = [text for text in texts if "00000001 and 1 more, " in text]
    assert len(series) == 1
    assert "county =" not in series[0]
    assert re.search(r"and 1 more, [^:]*: East [^:]*, West [^:]*\.", series[0])
    (drawn,) = [text for text in texts if "Map of counties" in text]
    assert re.search(r"(East .*, West )|(West .*, East )", drawn)


def test_a_map_is_of_a_run_on_all_counties(reports):
    write_run(reports, "hills-11111111", EFFECTS, end="2026-01-01T00:00:00+00:00")
    alone = write_run(reports, "hills-22222222", EFFECTS)
    restrict_run(alone, county={"name": "East", "zh": "东县"})
    assert "; run hills-11111111." in read(index(reports))
