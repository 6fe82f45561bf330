"""Files larger than memory: sorted, and summed to village-years as a study sums them."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from evaluation.cluster import (
    PanelColumns,
    aggregate_households,
    duck,
    plan_pieces,
    read_piece,
    sort_panel,
)
from evaluation.data.microdata import aggregate_rows
from evaluation.data.problems import Problems
from evaluation.data.study_panel import PanelFile
from evaluation.data.tables import Table
from evaluation.errors import DataError, ReportError

SAME = 1e-9  # the same arithmetic on the same rows, in another order
VILLAGE, YEAR, INCOME = '村 "代码"', "年'份", "income [yuan]"
OUTCOMES = {
    "mean": ("mean", INCOME),
    "median": ("median", INCOME),
    "total": ("total", INCOME),
    "poor": ("share_below", INCOME, 10.0),
    "gini": ("gini", INCOME),
    "size": ("mean", "size"),  # known in all rows
}


def make_households(seed=0, villages=40, rows=4000):
    """Make rows of households, in no order."""
    generator = np.random.default_rng(seed)
    at = generator.integers(0, villages, rows)
    frame = pd.DataFrame({VILLAGE: [f"0{i * 7 % villages:02}'村" for i in at]})
    frame[YEAR] = generator.integers(2010, 2014, rows)
    frame["cohort"] = np.where(at % 3 == 0, 2012.0, np.nan)
    frame["county"] = pd.Series(np.where(at % 2, "081", "082")).mask(
        generator.random(rows) < 0.5
    )
    frame[INCOME] = np.round(np.exp(generator.normal(2, 1, rows)), 1)
    frame["w"] = generator.integers(1, 4, rows) / 2
    frame["size"] = generator.integers(1, 9, rows)
    for name in (INCOME, "w"):
        frame.loc[generator.random(rows) < 0.1, name] = np.nan
    return frame


@pytest.fixture
def households(tmp_path):
    frame = make_households()
    frame.to_parquet(tmp_path / "households.parquet", row_group_size=700)
    return frame


def aggregate(path, **options):
    given = {
        "village": VILLAGE, "year": YEAR, "outcomes": OUTCOMES, "keep": ["cohort", "county"],
    }  # fmt: skip
    to = aggregate_households(path, path.parent / "out", **{**given, **options})
    return pd.read_parquet(to / "part-00000.parquet")


# -- sorting -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["parquet", "csv", "folder"])
def test_a_sorted_panel_holds_the_same_rows(tmp_path, kind):
    source = tmp_path / "a[1] *?'x"
    frame = make_households().drop_duplicates([VILLAGE, YEAR])
    if kind == "folder":
        for county, part in frame.fillna({"county": "-"}).groupby("county"):
            (source / f"county={county}").mkdir(parents=True)
            part.drop(columns="county").to_parquet(source / f"county={county}" / "[0].parquet")
        frame = frame.fillna({"county": "-"})
    elif kind == "csv":
        source = source.with_suffix(".csv")
        frame.to_csv(source, index=False)
    else:
        frame.to_parquet(source.with_suffix(".parquet"))
        source = source.with_suffix(".parquet")
    to = sort_panel(
        source, tmp_path / "to 'it'", village=VILLAGE, year=YEAR, texts=["county"],
        rows_a_group=2048,
    )  # fmt: skip
    assert [path.name for path in to.iterdir()] == ["part-00000.parquet"]
    found = pd.read_parquet(to / "part-00000.parquet")[list(frame)]
    expected = frame.sort_values([VILLAGE, YEAR], ignore_index=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    columns = PanelColumns(village=VILLAGE, year=YEAR, outcome=INCOME, cohort="cohort")
    plan = plan_pieces(to, columns)
    assert sum(read_piece(plan, piece).n_villages for piece in plan.pieces) == 40


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_year_in_the_names_of_folders_becomes_a_whole_number(tmp_path, kind):
    source, columns = (
        tmp_path / "raw",
        PanelColumns(village="v", year="y", outcome="x", cohort="c"),
    )
    for year in (2011, 2010):
        (source / f"y={year}").mkdir(parents=True)
        part = pd.DataFrame({"v": ["b", "a"], "x": [year, 1.0], "c": 2011})
        write = part.to_parquet if kind == "parquet" else part.to_csv
        write(source / f"y={year}" / f"0.{kind}", index=False)
    if kind == "parquet":
        with pytest.raises(DataError, match="year is in the name of a folder") as error:
            plan_pieces(source, columns)
        assert f"sort_panel({str(source)!r}, TO, village='v', year='y')" in str(error.value)
    plan = plan_pieces(sort_panel(source, tmp_path / "to", village="v", year="y"), columns)
    [piece] = [read_piece(plan, piece) for piece in plan.pieces]
    assert (plan.years.tolist(), piece.village.to_pylist()) == ([2010, 2011], ["a", "b"])
    assert piece.matrices["x"].tolist() == [[1, 1], [2010, 2011]]
    outcomes = {"mean": ("mean", "x")}
    summed = aggregate_households(
        source, tmp_path / "sums", village="v", year="y", outcomes=outcomes, minimum=1
    )
    assert pd.read_parquet(summed)["y"].tolist() == [2010, 2011] * 2
    (source / "y=2010").rename(source / "y=2010.5")
    with pytest.raises(DataError, match=r"folder y=2010\.5: the year is to be a whole number"):
        sort_panel(source, tmp_path / "to", village="v", year="y", force=True)


def test_a_folder_of_both_kinds_is_refused(tmp_path, households):
    (tmp_path / "more.csv").write_text("v,y\n1,2\n")
    for call in (
        lambda: sort_panel(tmp_path, tmp_path / "to", village=VILLAGE, year=YEAR),
        lambda: aggregate_households(
            tmp_path, tmp_path / "to", village=VILLAGE, year=YEAR, outcomes=OUTCOMES
        ),
    ):
        with pytest.raises(DataError, match=r"holds more\.csv and households\.parquet\. Keep"):
            call()
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize("memory", ["abc", "1", "-4GB", "0GB", "0.0GB", "4XB", "."])
def test_a_memory_that_is_no_size_is_told(tmp_path, households, memory):
    source = tmp_path / "households.parquet"
    with pytest.raises(ReportError, match=f"^memory is '{memory}'; give a size with its unit"):
        sort_panel(source, tmp_path / "to", village=VILLAGE, year=YEAR, memory=memory)


@pytest.mark.parametrize("memory", ["1GB", "0.5 gib", "100MB", "1.0TB"])
def test_a_memory_with_a_unit_is_taken(tmp_path, households, memory):
    source = tmp_path / "households.parquet"
    sort_panel(source, tmp_path / "to", village=VILLAGE, year=YEAR, memory=memory)


def test_numbers_are_sorted_by_number(tmp_path):
    pd.DataFrame({"v": [100, 9, 10], "y": 2010}).to_parquet(tmp_path / "a.parquet")
    to = sort_panel(tmp_path / "a.parquet", tmp_path / "to", village="v", year="y")
    assert pd.read_parquet(to)["v"].tolist() == [9, 10, 100]


def test_more_rows_than_the_memory_holds_are_sorted(tmp_path):
    import duckdb

    source = tmp_path / "a.parquet"
    village = "repeat(md5((range % 150000)::varchar), 2)"
    duckdb.execute(
        f"copy (select {village} v, 2010 + range // 150000 y, random() a, random() b, "
        f"random() c from range(1200000) order by hash(range)) to '{source}'"
    )  # a row takes 110 bytes in memory, so all rows 130 MB
    to = sort_panel(
        source, tmp_path / "to", village="v", year="y", memory="110MB", rows_a_group=200_000
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "to"]
    columns = PanelColumns(village="v", year="y", outcome="a", cohort="b", covariates=("c",))
    plan = plan_pieces(to, columns)
    pieces = [read_piece(plan, piece, only=["a"]) for piece in plan.pieces]
    assert sum(piece.n_villages for piece in pieces) == 150_000
    assert all(piece.rows.all() for piece in pieces)
    with pytest.raises(ReportError, match=r'needs more memory than it may have .*"8GB"'):
        sort_panel(source, tmp_path / "less", village="v", year="y", memory="20MB")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "to"]


def test_what_is_there_is_replaced_only_by_force(tmp_path, households):
    source, to = tmp_path / "households.parquet", tmp_path / "to"
    sort_panel(source, to, village=VILLAGE, year=YEAR)
    with pytest.raises(ReportError, match="is there already"):
        sort_panel(source, to, village=VILLAGE, year=YEAR)
    sort_panel(source, to, village=INCOME, year=YEAR, force=True)
    assert pd.read_parquet(to)[INCOME].dropna().is_monotonic_increasing
    with pytest.raises(DataError, match="no column 'yaer'"):
        sort_panel(source, to, village=VILLAGE, year="yaer", force=True)
    assert len(pd.read_parquet(to)) == len(households)
    (to / "thesis.docx").write_text("")
    with pytest.raises(ReportError, match="holds more than part-"):
        sort_panel(source, to, village=VILLAGE, year=YEAR, force=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["households.parquet", "to"]


def test_what_cannot_be_replaced_stays(tmp_path, households, monkeypatch):
    source, to = tmp_path / "households.parquet", tmp_path / "to"
    sort_panel(source, to, village=VILLAGE, year=YEAR)
    before = (to / "part-00000.parquet").read_bytes()
    rename = Path.rename

    def fail(path, target):
        if path.name == "data":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(ReportError, match="No space left on device"):
        sort_panel(source, to, village=INCOME, year=YEAR, force=True)
    assert (to / "part-00000.parquet").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["households.parquet", "to"]


def test_a_file_is_read_whose_name_looks_like_a_pattern(tmp_path):
    for name, value in (("*.csv", 1), ("a.csv", 2), ("[b].csv", 3), ("b.csv", 4)):
        (tmp_path / name).write_text(f"v,y\n{value},2010\n")
    for name, value in (("*.csv", "1"), ("[b].csv", "3")):
        to = sort_panel(tmp_path / name, tmp_path / "to", village="v", year="y", force=True)
        assert pd.read_parquet(to)["v"].tolist() == [value]


def test_a_source_that_cannot_be_read_is_told(tmp_path):
    for name, text, message in (
        ("a.parquet", "none", r"a\.parquet.*cannot be read"),
        ("a.csv", "v,y\n1,2\n", r"a\.csv: no column 'village', named as a column to sort by"),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(DataError, match=message) as caught:
            sort_panel(tmp_path / name, tmp_path / "to", village="village", year="y")
        assert "\n" not in str(caught.value)
    (tmp_path / "b.csv").write_bytes("村,y\n泗水,1\n".encode("gb18030") * 3)
    with pytest.raises(DataError, match=r"b\.csv: cannot be read"):
        sort_panel(tmp_path / "b.csv", tmp_path / "to", village="村", year="y")
    with pytest.raises(DataError, match="copy it to this machine first"):
        sort_panel("s3://bucket/a", tmp_path / "to", village="v", year="y")
    with pytest.raises(DataError, match="no such file"):
        sort_panel(tmp_path / "nothing", tmp_path / "to", village="v", year="y")


def test_a_place_that_cannot_be_written_is_told(tmp_path, households):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReportError, match=r"cannot write to .*file"):
        sort_panel(
            tmp_path / "households.parquet", tmp_path / "file" / "to", village="v", year="y"
        )


FULL = """
import resource, signal, sys
from evaluation.cluster import sort_panel
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))
sort_panel(sys.argv[1], sys.argv[2], village="w", year="cohort")
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="of Unix")
def test_a_full_disk_leaves_nothing(tmp_path, households):
    call = [sys.executable, "-c", FULL, tmp_path / "households.parquet", tmp_path / "to"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert "ReportError: no room left in" in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["households.parquet"]


def test_duckdb_missing_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr(duck, "find_spec", lambda name: None)
    with pytest.raises(ReportError, match=r"pip install 'village-evaluation\[cluster\]'"):
        sort_panel(tmp_path, tmp_path / "to", village="v", year="y")


# -- households ----------------------------------------------------------------------------


def aggregate_in_memory(frame, weights, minimum):
    """Aggregate as a study does."""
    panel = PanelFile.model_validate(
        {
            "file": "households.csv",
            "village": {"code": VILLAGE},
            "year": YEAR,
            "aggregate": {
                "minimum": minimum,
                "weights": weights,
                "outcomes": {
                    name: {"statistic": taken[0], "column": taken[1],
                           "line": taken[2] if taken[2:] else None}
                    for name, taken in OUTCOMES.items()
                },
            },
            "treatment": {"first_year": "cohort"},
            "traits": {"place": "county"},
        }
    )  # fmt: skip
    problems = Problems()
    made, _ = aggregate_rows(
        Table(name="households", frame=frame, every_row=True, row_word="row"), panel, problems
    )
    assert not problems.errors
    table = made.frame.sort_values([VILLAGE, YEAR], ignore_index=True)
    names = {column: column.split(":")[0] for column in table if ": " in column}
    return table.rename(columns={**names, "treatment: cohort": "cohort"})


@pytest.mark.parametrize("weights", ["", "w"])
@pytest.mark.parametrize("minimum", [1, 20])
def test_households_are_summed_as_in_memory(tmp_path, households, weights, minimum):
    told = []
    found = aggregate(
        tmp_path / "households.parquet", weights=weights, minimum=minimum, tell=told.append
    )
    expected = aggregate_in_memory(households, weights or None, minimum)
    assert found[VILLAGE].tolist() == expected[VILLAGE].tolist()
    assert found[YEAR].tolist() == expected[YEAR].astype(int).tolist()
    for name in [*OUTCOMES, "cohort"]:
        np.testing.assert_allclose(found[name], expected[name].astype(float), rtol=SAME)
    known = households.dropna(subset="county").drop_duplicates(VILLAGE).set_index(VILLAGE)
    assert found["county"].tolist() == known["county"][found[VILLAGE]].tolist()
    lacking = households[[INCOME, *([weights] if weights else [])]].isna().any(axis=1).sum()
    assert told[0] == f"4,000 rows became {len(found)} village-years"
    assert f"median: {lacking} rows without a value or a weight were left out" in told
    few = int(found["mean"].isna().sum())
    assert (few > 0) == (minimum == 20)
    assert any(f"{few} village-years with fewer than 20" in line for line in told) == (few > 0)


def test_equal_rows_in_any_order_give_equal_bytes(tmp_path, households, monkeypatch):
    from evaluation.cluster import households as module

    source = tmp_path / "households.parquet"
    one = aggregate(source, weights="w")
    first = (tmp_path / "out" / "part-00000.parquet").read_bytes()
    households.sample(frac=1, random_state=1).to_parquet(source)
    aggregate(source, weights="w", force=True)
    assert (tmp_path / "out" / "part-00000.parquet").read_bytes() == first
    for size in (7, 150):  # blocks smaller than a village, and larger
        monkeypatch.setattr(module, "_BATCH", size)
        monkeypatch.setattr(module, "_GROUP", 20)
        pd.testing.assert_frame_equal(aggregate(source, weights="w", force=True), one)


def test_codes_and_numbers_that_stand_for_missing(tmp_path):
    source = tmp_path / "a.csv"
    source.write_text("v,y,x,county\n" + "081,2010,4,01\n" * 5 + "081,2010,-8,\n")
    found = aggregate_households(
        source, tmp_path / "to", village="v", year="y", outcomes={"x_mean": ("mean", "x")},
        keep=["county"], texts=["county"], missing=[-8],
    )  # fmt: skip
    [row] = pq.read_table(found).to_pylist()
    assert row == {"v": "081", "y": 2010, "county": "01", "x_mean": 4.0}


WRONG = {
    "no village": ({VILLAGE: None}, "1 rows have no village"),
    "no year": ({YEAR: None}, "a row has no year in column"),
    "year": ({YEAR: 20120101}, r"a row has the year 2\.01201e\+07 in column"),
    "weight": ({"w": 0}, "village 000'村, 201.: a row has a weight that is not positive"),
    "infinite": ({INCOME: np.inf}, "a row is infinite in column"),
    "negative": ({INCOME: -1}, "a row is negative in column .* which has no Gini"),
    "two cohorts": ({"cohort": 2013}, "village 000'村: column 'cohort' is 2012.0 in one"),
    "half a cohort": ({"cohort": None}, "'cohort' is none in one row and 2012.0 in another"),
    "two counties": ({"county": "other"}, "village 000'村: column 'county' is"),
    "text": ({INCOME: "12元"}, "is to hold numbers, and holds VARCHAR"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_fault_of_households_has_its_error(tmp_path, name):
    changes, message = WRONG[name]
    frame = make_households()
    row = frame.index[frame[VILLAGE] == "000'村"][0]
    for column, value in changes.items():
        if isinstance(value, str) and column == INCOME:
            frame[column] = frame[column].astype(str)
        frame.loc[row, column] = value
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match=message) as caught:
        aggregate(tmp_path / "a.parquet", weights="w")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_households_without_a_row_are_an_error(tmp_path):
    make_households()[:0].to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="there is no row"):
        aggregate(tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize(
    ("outcomes", "message"),
    [
        ({}, "name an outcome"),
        ({"x": ("mode", INCOME)}, r"'x': \('mode', .* is to be \(statistic, column\)"),
        ({"x": ("share_below", INCOME)}, "is to be"),
        ({"x": ("mean", "incme")}, "no column 'incme', named as an outcome or weight"),
        ({"cohort": ("mean", INCOME)}, "a column kept has that name"),
    ],
)
def test_outcomes_that_cannot_be_taken_are_told(tmp_path, households, outcomes, message):
    with pytest.raises(DataError, match=message):
        aggregate(tmp_path / "households.parquet", outcomes=outcomes)
