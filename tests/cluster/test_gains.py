"""Gains of a panel in pieces are those of the same panel in memory, however it is cut."""

import json

import numpy as np
import pandas as pd
import pytest

from evaluation.cluster import passes, sums
from evaluation.errors import DataError, DesignError, ReportError
from evaluation.gains import estimate
from evaluation.gains.estimate import NoGainsError
from evaluation.gains.placebos import hash_villages, smallest_hashes
from tests.cluster.streamed_panels import compare, stream, write_cells
from tests.gains.panels import random_cells

OPTIONS = [
    {},
    {"cluster": "village"},
    {"cluster": "town", "weights": "w"},
    {"year_effects": "county"},
    {"year_effects": "county", "cluster": "village", "weights": "w", "covariates": ("x",)},
    {"covariates": ("x",), "alpha": 0.1},
    {"covariates": ("z",), "comparison": "never_treated"},
    {"covariates": ("x", "z"), "trends": True, "weights": "w"},
    {"anticipation": 1, "comparison": "never_treated", "weights": "w", "cluster": "village"},
    {"trends": True, "anticipation": 1, "year_effects": "county", "covariates": ("z",)},
]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_equals_the_estimate_in_memory(options, tmp_path):
    cells = random_cells(1, n=250, missing=0.1, n_counties=12)
    found, _ = compare(cells, tmp_path, **options)
    assert found.n_pieces > 8 and found.n_intervals > 50


@pytest.mark.parametrize(
    ("n_counties", "options", "method"),
    [
        (4, {}, ""),
        (8, {}, "wild bootstrap"),
        (60, {}, "clustered"),
        (60, {"comparison": "never_treated", "cluster": "town"}, "clustered"),
    ],
)
def test_few_and_many_clusters(n_counties, options, method, tmp_path):
    cells = random_cells(2, n=300, missing=0.05, n_counties=n_counties, county_shocks=1)
    found, _ = compare(cells, tmp_path, **options)
    assert found.att["method"] == method


def test_few_treated_counties_are_judged_by_others_placebos(tmp_path):
    cells = random_cells(3, n=160, missing=0.03, county_shocks=1)
    number = cells["village"].str[1:].astype(int) // 4
    cells = cells.assign(
        county=[f"c{c:02}" for c in number], cohort=np.where(number < 2, 2005.0, np.nan)
    )
    found, _ = compare(cells, tmp_path)
    assert found.att["method"] == "county placebos"
    assert set(found.by("county")["method"]) == {"county placebos"}


@pytest.mark.parametrize("comparison", ["never_treated", "not_yet_treated"])
def test_few_clustered_villages_are_left_out_one_by_one(comparison, tmp_path):
    cells = random_cells(4, n=24, missing=0.05, n_counties=2)
    found, _ = compare(cells, tmp_path, comparison=comparison, cluster="village")
    assert found.att["method"] == "wild bootstrap"


@pytest.mark.parametrize("never", [0.05, 0.3])
def test_years_that_no_village_connects(never, tmp_path):
    # In single counties no village is untreated in some years: their gains are not identified.
    cells = random_cells(5, n=60, n_counties=25, missing=0.3, never=never)
    found, _ = compare(cells, tmp_path, year_effects="county", cluster="village")
    assert any("connects" in reason for reason in found.reasons)


def test_villages_not_yet_treated_serve_where_too_few_never_are(tmp_path):
    found, expected = compare(random_cells(6, n=150, missing=0.05, never=0.08), tmp_path)
    assert found.n_intervals > 0
    assert found.n_placebos > np.isnan(expected.panel.cohort).sum()


def test_of_very_many_placebos_those_with_the_smallest_hashes_serve(tmp_path, monkeypatch):
    monkeypatch.setattr(estimate, "MOST_PLACEBOS", 40)
    monkeypatch.setattr(sums, "MOST_PLACEBOS", 40)
    found, expected = compare(random_cells(7, n=200, missing=0), tmp_path)
    assert found.n_placebos == 40
    villages = expected.panel.villages
    never = villages.index[villages["cohort"].isna()]
    hashes = hash_villages(never.to_numpy(dtype=object))
    chosen = smallest_hashes(hashes, 40)
    assert hashes[chosen].max() < np.delete(hashes, chosen).min()


@pytest.mark.parametrize("dtype", ["str", object, "string[pyarrow]"])
def test_hashes_are_of_the_text(dtype):
    keys = pd.Series(["370829101201", "泗水"], dtype=dtype)
    assert hash_villages(keys.to_numpy(dtype=object)).tolist() == [
        16068078762400365926, 11859971372801850064,
    ]  # fmt: skip


def test_a_year_without_rows_is_no_year(tmp_path):
    cells = random_cells(8, n=120, missing=0.05)
    found, _ = compare(cells[cells["year"] != 2003], tmp_path, trends=True)
    record = json.loads((found.folder / "gains.json").read_text(encoding="utf-8"))
    assert 2003 not in record["years"] and record["n_villages"] == found.n_villages


@pytest.mark.parametrize("rows_a_piece", [1, 37, 100, 10_000])
@pytest.mark.parametrize("options", [{"cluster": "village", "weights": "w"}, {}], ids=str)
def test_how_it_is_cut_does_not_matter(rows_a_piece, options, tmp_path):
    cells = random_cells(9, n=70, missing=0.1, n_counties=9)
    write_cells(cells, tmp_path / "panel.parquet", rows_a_group=5)
    found, _ = compare(cells, tmp_path, rows_a_piece=rows_a_piece, **options)
    again = stream(
        write_cells(cells, tmp_path / "fine.parquet", rows_a_group=3), tmp_path / "fine",
        rows_a_piece=1, **options,
    )  # fmt: skip
    assert again.n_pieces > 50
    np.testing.assert_allclose(again.att["se"], found.att["se"], rtol=1e-10)
    np.testing.assert_allclose(again.read()["gain"], found.read()["gain"], rtol=1e-10)


def read_folder(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_any_number_of_threads_writes_the_same_bytes(tmp_path, monkeypatch):
    cells = random_cells(10, n=150, missing=0.1, n_counties=40)
    path = write_cells(cells, tmp_path / "panel.parquet")
    written = []
    for n in (1, 3):
        monkeypatch.setattr(passes, "processors", lambda n=n: n)
        written.append(read_folder(stream(path, tmp_path / f"out{n}").folder))
    assert written[0] == written[1] and len(written[0]) > 5


@pytest.mark.parametrize(
    ("cohorts", "options", "error"),
    [
        ([2001.0], {}, DesignError),
        ([2005.0], {"comparison": "never_treated"}, DesignError),
        ([2002.0, np.nan], {"anticipation": 3}, NoGainsError),
    ],
)
def test_the_same_errors_as_in_memory(cohorts, options, error, tmp_path):
    cells = random_cells(11, n=40, missing=0)
    number = cells["village"].str[1:].astype(int)
    cells["cohort"] = np.resize(cohorts, 40)[number]
    assert compare(cells, tmp_path, **options) is None
    with pytest.raises(error):
        stream(tmp_path / "panel.parquet", tmp_path / "out", **options)
    assert [path.name for path in tmp_path.iterdir()] == ["panel.parquet"]


def test_without_a_study_the_column_of_cohorts_is_named(tmp_path):
    cells = random_cells(11, n=40, missing=0).assign(cohort=np.nan)
    with pytest.raises(DesignError, match="Column 'cohort' is to hold the first") as error:
        stream(write_cells(cells, tmp_path / "panel.parquet"), tmp_path / "out")
    assert "study.yml" not in str(error.value)


@pytest.mark.parametrize("options", [{"covariates": ("x", "x")}, {"alpha": 0.5}], ids=str)
def test_options_are_refused_before_anything_is_read(options, tmp_path):
    with pytest.raises(DesignError, match=r"x is named twice|0 < alpha < 0\.5"):
        stream(tmp_path / "nothing", tmp_path / "out", **options)


def test_outcomes_that_overflow_are_refused_as_in_memory(tmp_path):
    cells = random_cells(11, n=40, missing=0)
    cells.loc[3, "y"] = 1e300
    assert compare(cells, tmp_path) is None
    with pytest.raises(DesignError, match="outcome 'y' is too large"):
        stream(tmp_path / "panel.parquet", tmp_path / "out")


def test_an_unknown_column_is_named(tmp_path):
    path = write_cells(random_cells(12, n=10), tmp_path / "panel.parquet")
    with pytest.raises(DataError, match="countyy"):
        stream(path, tmp_path / "out", covariates=("countyy",))


def test_what_is_there_is_replaced_only_if_it_holds_gains(tmp_path):
    path = write_cells(random_cells(13, n=60), tmp_path / "panel.parquet")
    first = stream(path, tmp_path / "out")
    before = read_folder(first.folder)
    with pytest.raises(ReportError, match="is there already"):
        stream(path, tmp_path / "out", alpha=0.1)
    assert read_folder(first.folder) == before
    assert stream(path, tmp_path / "out", alpha=0.1, force=True).options.alpha == 0.1
    (first.folder / "mynotes.txt").write_text("mine", encoding="utf-8")
    before = read_folder(first.folder)
    with pytest.raises(ReportError, match=r"holds mynotes\.txt, which is no part of its gains"):
        stream(path, tmp_path / "out", force=True)
    assert read_folder(first.folder) == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ReportError, match="holds no gains"):
        stream(path, tmp_path / "other", force=True)
    assert {one.name for one in tmp_path.iterdir()} == {"panel.parquet", "out", "other"}


def test_a_full_disk_gives_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    path = write_cells(random_cells(14, n=60), tmp_path / "panel.parquet")

    def full(*given, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("evaluation.cluster.applied.feather.write_feather", full)
    with pytest.raises(ReportError, match="No space left on device") as error:
        stream(path, tmp_path / "out")
    assert "\n" not in str(error.value)
    assert [one.name for one in tmp_path.iterdir()] == ["panel.parquet"]


def test_a_place_that_cannot_be_written_gives_one_line(tmp_path):
    path = write_cells(random_cells(14, n=60), tmp_path / "panel.parquet")
    with pytest.raises(ReportError, match=r"cannot write to .*nowhere") as error:
        stream(path, path / "nowhere" / "out")
    assert "\n" not in str(error.value)


def test_summary_and_tables(tmp_path):
    cells = random_cells(15, n=200, missing=0.05, n_counties=40)
    found = stream(write_cells(cells, tmp_path / "panel.parquet"), tmp_path / "out")
    assert "clustered, 40 clusters" in found.summary() and "with an interval" in repr(found)
    table = pd.read_csv(found.folder / "averages.csv")
    assert list(table["by"].unique()) == ["programme", "cohort", "year", "event_time", "county"]
    np.testing.assert_allclose(table["estimate"][0], found.att["estimate"], rtol=1e-12)
    assert list(found.read(["gain"]).columns) == ["gain"]
    with pytest.raises(DesignError, match="no averages by 'counti'"):
        found.by("counti")
