"""The verbs new and check: what they print, what they write, and how they exit."""

import csv

import pytest

from evaluation.cli import main
from tests.conftest import edit
from tests.data.test_guess import LEDGER_ZH, PANEL_ZH
from tests.data.typed_studies import type_csv, type_study

SAID = "panel: {file: villages.csv, village: vill, year: year, outcomes: {y: y}}"
GOOD = "vill year y\na 2018 1\na 2019 2\nb 2018 3\nb 2019 4"
BAD = "vill year y\na 2018 abc\na 2019 2\n- 2018 3\nb 20x9 4\n"


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


def listed(folder):
    """Give the rows of problems.csv, which spreadsheets read as UTF-8 by its mark."""
    raw = (folder / "problems.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))


def test_a_good_study_exits_with_0_and_says_what_it_holds(tmp_path, capsys):
    type_study(tmp_path, SAID, {"villages.csv": GOOD})
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "villages.csv: 2 villages, 2018-2019, 4 rows" in out
    assert out.endswith("0 errors, 0 warnings, 0 notes\n")
    assert not (tmp_path / "problems.csv").exists()


def test_a_broken_study_exits_with_2_and_lists_every_row(tmp_path, capsys):
    type_study(tmp_path, SAID, {"villages.csv": BAD})
    assert main(["check", str(tmp_path)]) == 2
    out = capsys.readouterr().out
    assert "error    villages.csv: column year: not years: line 5 '20x9'." in out
    assert "error    villages.csv: column vill: rows without a village: line 4." in out
    assert f"every row is in {tmp_path / 'problems.csv'}" in " ".join(out.split())
    rows = {(row["column"], row["row"]): row for row in listed(tmp_path)}
    assert set(rows) >= {("year", "5"), ("vill", "4")}
    row = rows["year", "5"]
    assert list(row) == ["level", "file", "row", "column", "cell", "message", "remedy"]
    assert (row["level"], row["file"], row["cell"]) == ("error", "villages.csv", "20x9")
    assert (row["message"], row["remedy"]) == (
        "not years",
        "Write years as 2015; a date belongs into a column of its own.",
    )


def test_a_thousand_bad_cells_are_listed(tmp_path, capsys):
    rows = "".join(f"v{i} 2018 x{i}\n" for i in range(1_200))
    type_study(tmp_path, SAID, {"villages.csv": f"vill year y\n{rows}"})
    assert main(["check", str(tmp_path)]) == 2
    assert "and 1,190 more (1,200 in all)" in " ".join(capsys.readouterr().out.split())
    cells = [row["cell"] for row in listed(tmp_path) if row["message"] == "not numbers"]
    assert cells == [f"x{i}" for i in range(1_000)]


def test_warnings_do_not_stop_a_study(tmp_path, capsys):
    type_study(tmp_path, SAID, {"villages.csv": "vill year y\na 2015 1\na 2018 2"})
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "warning  villages.csv: years that no village has: '2016', '2017'." in out
    assert "0 errors, 1 warning, 0 notes; every row is in" in " ".join(out.split())
    assert [row["cell"] for row in listed(tmp_path)] == ["2016", "2017"]


def test_notes_are_told_and_not_listed(tmp_path, capsys):
    type_study(tmp_path, SAID, {"villages.csv": "vill year y\na 2018 两千\na 2019 2"})
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "note     villages.csv: column y: figures in words, read as numbers" in out
    assert "0 errors, 0 warnings, 1 note\n" in out
    assert not (tmp_path / "problems.csv").exists()


def test_the_list_is_emptied_when_all_is_mended(tmp_path, capsys):
    type_study(tmp_path, SAID, {"villages.csv": BAD})
    assert main(["check", str(tmp_path)]) == 2
    assert listed(tmp_path)
    (tmp_path / "villages.csv").write_text(type_csv(GOOD), encoding="utf-8")
    assert main(["check", str(tmp_path)]) == 0
    assert listed(tmp_path) == []
    header = (tmp_path / "problems.csv").read_text(encoding="utf-8-sig")
    assert header == "level,file,row,column,cell,message,remedy\n"


def test_the_list_goes_where_it_is_wanted(tmp_path, capsys):
    type_study(tmp_path / "study", SAID, {"villages.csv": BAD})
    listing = tmp_path / "elsewhere.csv"
    assert main(["check", str(tmp_path / "study"), "--problems", str(listing)]) == 2
    assert listing.exists()
    assert not (tmp_path / "study" / "problems.csv").exists()


def test_files_may_be_elsewhere(tmp_path, capsys):
    type_study(tmp_path / "study", SAID, {"villages.csv": GOOD})
    (tmp_path / "data").mkdir()
    (tmp_path / "study" / "villages.csv").rename(tmp_path / "data" / "villages.csv")
    assert main(["check", str(tmp_path / "study")]) == 2
    assert "names villages.csv, which is not in" in capsys.readouterr().err
    assert main(["check", str(tmp_path / "study"), "--data", str(tmp_path / "data")]) == 0


def test_all_files_are_checked_at_once(tmp_path, capsys):
    said = f"""
        {SAID}
        prices: {{basis: real, base_year: 2019}}
        ledger:
          file: ledger.csv
          village: vill
          year: year
          amount: {{column: amount, unit: 元}}
          source: {{value: fiscal}}
        indicators:
          {{file: more.csv, village: vill, year: year, pillar: p, indicator: i, value: v}}
        """
    files = {
        "villages.csv": GOOD,
        "ledger.csv": "vill year amount\na 2018 -5",
        "more.csv": "vill year p i v\na 2018 党建 党员 x",
    }
    type_study(tmp_path, said, files)
    assert main(["check", str(tmp_path)]) == 2
    assert {row["file"] for row in listed(tmp_path)} == {"ledger.csv", "more.csv"}


def test_the_published_claims_are_checked_too(jining_copy, capsys):
    assert main(["check", str(jining_copy)]) == 0
    assert "claims.csv: " in capsys.readouterr().out
    edit(jining_copy / "claims.csv", ",2360,2360,", ",2361,2360,")
    assert main(["check", str(jining_copy)]) == 2
    assert "the lower bound 2361 is above" in " ".join(capsys.readouterr().out.split())


def test_a_study_that_is_not_there(tmp_path, capsys):
    assert main(["check", str(tmp_path / "none")]) == 2
    assert "DataError: no study at" in capsys.readouterr().err


@pytest.fixture
def sources(tmp_path):
    """Write the typed files that a researcher has."""
    for name, table in (("villages", PANEL_ZH), ("ledger", LEDGER_ZH)):
        (tmp_path / f"{name}.csv").write_text(type_csv(table), encoding="utf-8")
    return [str(tmp_path / "villages.csv"), str(tmp_path / "ledger.csv")]


def test_new_then_check(tmp_path, sources, capsys):
    folder = tmp_path / "mystudy"
    assert main(["new", str(folder), *sources]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{folder / 'study.yml'}\n")
    assert "villages.csv: 2 villages, 2018-2019, 4 rows" in out
    assert out.endswith(f"then: evaluation check {folder}\n")
    assert main(["check", str(folder)]) == 0
    assert "ledger.csv: 2 amounts, sources dispatching_unit, fiscal" in capsys.readouterr().out


def test_new_says_at_once_what_is_wrong(tmp_path, capsys):
    (tmp_path / "villages.csv").write_text(
        type_csv("vill year income\na 2018 1\na 2018 2\nb 2018 3\nb 2019 4\nc 2019 5"),
        encoding="utf-8",
    )
    folder = tmp_path / "mystudy"
    assert main(["new", str(folder), str(tmp_path / "villages.csv")]) == 2
    assert "several rows for one village and year" in capsys.readouterr().out
    assert (folder / "study.yml").exists()


def test_new_does_not_overwrite(tmp_path, sources, capsys):
    folder = tmp_path / "mystudy"
    assert main(["new", str(folder), *sources]) == 0
    before = (folder / "study.yml").read_bytes()
    assert main(["new", str(folder), *sources]) == 2
    assert "study.yml is there already" in capsys.readouterr().err
    assert (folder / "study.yml").read_bytes() == before


def test_new_asks_nothing(tmp_path, sources, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("asked"))
    assert main(["new", str(tmp_path / "mystudy"), *sources]) == 0
