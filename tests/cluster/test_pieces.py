"""A panel read in pieces is the panel, however it is cut; what is wrong is named."""

import os
import pickle
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluation.cluster import PanelColumns, plan_pieces, read_piece
from evaluation.cluster.row_groups import _ends_told
from evaluation.errors import DataError

COLUMNS = PanelColumns(
    village="村", year="year", outcome="income", cohort="cohort",
    county="county", town="town", covariates=("pop", "a.b"), weights="pop",
)  # fmt: skip


def make_panel(seed, villages, *, text=True, missing=0.2):
    """Make an unbalanced panel, sorted by village alone."""
    generator = np.random.default_rng(seed)
    numbers = np.sort(generator.choice(10**6, villages, replace=False))
    keys = sorted(f"村'{number}" for number in numbers) if text else list(numbers)
    frame = pd.DataFrame({"村": np.repeat(np.array(keys, object if text else int), 5)})
    frame["year"] = np.tile(np.arange(2010, 2015), villages)
    at = np.arange(len(frame)) // 5
    frame["cohort"] = np.where(generator.random(villages) < 0.5, np.nan, 2012.0)[at]
    frame["county"] = pd.Series(np.array(["泗水县", "邹城市"], object)[at // 3 % 2])
    frame["town"] = pd.Series(np.array(["东镇", None, "西镇"], object)[at % 3])
    for name in ("income", "pop", "a.b"):
        values = generator.normal(size=len(frame))
        frame[name] = np.where(generator.random(len(frame)) < missing, np.nan, values)
    kept = generator.random(len(frame)) >= missing
    kept[0] = kept[-1] = True
    shuffled = frame[kept].sample(frac=1, random_state=seed)
    return shuffled.sort_values("村", kind="stable").reset_index(drop=True)


def write(frame, path, row_group_size=10**6, **options):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, path, row_group_size=row_group_size, **options)


def read_all(path, columns=COLUMNS, **options):
    plan = plan_pieces(path, columns, **options)
    return plan, [read_piece(plan, piece) for piece in plan.pieces]


def expect_equal(frame, plan, pieces, columns=COLUMNS):
    """Compare pieces, one after the other, with what pandas makes of the frame."""
    villages = frame["村"].drop_duplicates()
    keys = [key for piece in pieces for key in piece.village.to_pylist()]
    assert keys == villages.astype(str).tolist()
    assert plan.n_rows == len(frame) == sum(int(piece.rows.sum()) for piece in pieces)
    one = frame.drop_duplicates("村")
    for name in ("county", "town"):
        found = [word for piece in pieces for word in getattr(piece, name).to_pylist()]
        assert found == one[name].fillna("").astype(str).tolist()
    cohort = np.concatenate([piece.cohort for piece in pieces])
    np.testing.assert_array_equal(cohort, one["cohort"].to_numpy(float))
    for name in columns.values:
        wide = frame.pivot(index="村", columns="year", values=name)
        wide = wide.reindex(index=villages, columns=plan.years).to_numpy(float)
        np.testing.assert_array_equal(np.vstack([p.matrices[name] for p in pieces]), wide)
    rows = frame.assign(there=1.0).pivot(index="村", columns="year", values="there")
    rows = rows.reindex(index=villages, columns=plan.years).notna()
    np.testing.assert_array_equal(np.vstack([piece.rows for piece in pieces]), rows)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_cutting_gives_the_same_panel(data):
    villages = data.draw(st.integers(1, 12), "villages")
    text = data.draw(st.booleans(), "text")
    frame = make_panel(data.draw(st.integers(0, 99), "seed"), villages, text=text)
    ends = data.draw(st.sets(st.integers(1, villages), max_size=3), "ends of files")
    names = data.draw(st.permutations("abcd"), "names of files")
    options = {
        "row_group_size": data.draw(st.integers(1, 6), "rows a group"),
        "use_dictionary": data.draw(st.booleans(), "dictionary"),
        "write_statistics": data.draw(st.booleans(), "statistics"),
    }
    number = pd.factorize(frame["村"])[0]
    with tempfile.TemporaryDirectory() as folder:
        for name, (start, end) in zip(
            names, zip([0, *sorted(ends)], [*sorted(ends), villages], strict=True), strict=False
        ):
            part = frame[(number >= start) & (number < end)]
            if data.draw(st.booleans(), "categories"):
                part = part.astype({"村": "category"})
            write(part, Path(folder, f"{name}.parquet"), **options)
        plan, pieces = read_all(folder, rows_a_piece=data.draw(st.integers(1, 40), "piece"))
    assert all(piece.n_villages for piece in pieces)
    expect_equal(frame, pickle.loads(pickle.dumps(plan)), pieces)


def test_folders_named_by_a_key_are_columns(tmp_path):
    frame = make_panel(3, 12)
    frame["county"] = np.where(pd.factorize(frame["村"])[0] < 5, "01泗水/县", "02 曲阜=市")
    columns = PanelColumns(
        village="村", year="year", outcome="income", cohort="cohort", county="county",
        town="town",
    )  # fmt: skip
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_to_dataset(table, tmp_path / "data", partition_cols=["county"])
    (tmp_path / "data" / "_SUCCESS.parquet").write_text("")
    plan, pieces = read_all(tmp_path / "data", columns)
    assert len(plan.files) == 2
    expect_equal(frame, plan, pieces, columns)


def test_a_number_may_be_in_the_name_of_a_folder(tmp_path):
    for cohort in ("2012", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / f"cohort={cohort}").mkdir()
        frame = pd.DataFrame({"v": [cohort], "year": [2010], "income": [1.0]})
        write(frame, tmp_path / f"cohort={cohort}" / "a.parquet")
    columns = PanelColumns(village="v", year="year", outcome="income", cohort="cohort")
    _, [piece] = read_all(tmp_path, columns)
    np.testing.assert_array_equal(piece.cohort, [2012, np.nan])


def test_addresses_are_read_as_paths(tmp_path):
    import fsspec

    frame = make_panel(1, 6)
    write(frame, tmp_path / "a.parquet", 7)
    memory = fsspec.filesystem("memory")
    memory.pipe("/panel/a.parquet", (tmp_path / "a.parquet").read_bytes())
    for address in ((tmp_path / "a.parquet").as_uri(), tmp_path.as_uri(), "memory://panel"):
        expect_equal(frame, *read_all(address, rows_a_piece=8))
    with pytest.raises(DataError, match="nosuch://x: cannot be opened"):
        plan_pieces("nosuch://x", COLUMNS)


def test_only_the_columns_asked_for_are_read(tmp_path):
    write(make_panel(1, 6), tmp_path / "a.parquet")
    plan = plan_pieces(tmp_path, COLUMNS)
    piece = read_piece(plan, plan.pieces[0], only=["pop", "town"])
    assert list(piece.matrices) == ["pop"]
    assert len(piece.town) == piece.n_villages == 6
    assert len(piece.cohort) == len(piece.county) == 0
    with pytest.raises(DataError, match="no column 'popp'; did you mean 'pop'"):
        read_piece(plan, plan.pieces[0], only=["popp"])


def test_a_key_of_whole_numbers_goes_by_number(tmp_path):
    frame = pd.DataFrame(
        {"v": [9, 10, 100], "year": 2010, "income": 1, "cohort": None, "county": [1, 1, 2]}
    )
    write(frame.astype({"v": "category"}), tmp_path / "a.parquet", 1)
    columns = PanelColumns(
        village="v", year="year", outcome="income", cohort="cohort", county="county"
    )
    _, pieces = read_all(tmp_path, columns, rows_a_piece=1)
    assert [piece.village.to_pylist() for piece in pieces] == [["9"], ["10"], ["100"]]
    assert [piece.county.to_pylist() for piece in pieces] == [["1"], ["1"], ["2"]]


def test_long_and_null_types_are_read(tmp_path):
    table = pa.table(
        {
            "v": pa.array(["泗" * 20 + "a", "泗" * 20 + "b"], pa.large_string()),
            "y": pa.array([2010, 2011], pa.uint16()),
            "x": pa.array([True, None]),
            "c": pa.nulls(2),
            "place": pa.array(["a", None], pa.string_view()),
            "town": pa.nulls(2),
        }
    )
    columns = PanelColumns(
        village="v", year="y", outcome="x", cohort="c", county="place", town="town"
    )
    for size in (1, 2):
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=size)
        _, [piece] = read_all(tmp_path, columns)
        assert piece.village.to_pylist() == ["泗" * 20 + "a", "泗" * 20 + "b"]
        assert (piece.county.to_pylist(), piece.town.to_pylist()) == (["a", ""], ["", ""])
        np.testing.assert_array_equal(piece.matrices["x"], [[1, np.nan], [np.nan, np.nan]])
        assert np.isnan(piece.cohort).all()


# -- what is wrong -------------------------------------------------------------------------


def change(column, row, value):
    def changed(frame):
        frame = frame.astype({column: object}) if isinstance(value, str) else frame.copy()
        frame.loc[row, column] = value
        return frame

    return changed


def later_rows_first(frame):
    return pd.concat([frame[20:], frame[:20]])


BAD = {
    "no column": (lambda f: f.rename(columns={"income": "incme"}),
                  "a.parquet: no column 'income', named as outcome; did you mean 'incme'?"),
    "outcome is text": (lambda f: f.astype({"income": str}),
                        "'income', named as outcome, is to hold numbers"),
    "year is text": (lambda f: f.astype({"year": str}),
                     "'year', named as year, is to hold whole numbers such as 2015"),
    "county is a float": (lambda f: f.assign(county=1.5), "'county', named as county, is to"),
    "dates": (change("year", 7, 20180101), "which are no years. Write years as 2015"),
    "half a year": (lambda f: f.astype({"year": float}).pipe(change("year", 7, 2012.5)),
                    "a.parquet, row 8: village {7}: the year is 2012.5"),
    "no year": (change("year", 7, None), "a.parquet, row 8: village {7}: no year"),
    "no village": (change("村", 0, None), "a.parquet, row 1: no village. Fill column '村'"),
    "empty village": (change("村", 0, ""), "a.parquet, row 1: no village"),
    "two rows": (lambda f: pd.concat([f[:1], f]),
                 "a.parquet, row 2: village {0}: a second row for"),
    "cohort is a date": (change("cohort", 9, 20120101.0), "row 10: village {9}: column "
                         "'cohort' is 2.01201e+07, which is no year"),
    "cohort is zero": (change("cohort", 9, 0), "is 0, which is no year. Give the first"),
    "cohort differs": (change("cohort", 9, 2013), "column 'cohort' differs from"),
    "cohort partly empty": (lambda f: f.assign(cohort=np.where(f.index == 9, 2013, np.nan)),
                            "a.parquet, row 11: village {9}: column 'cohort' differs"),
    "town differs": (change("town", 9, "other"), "column 'town' differs from"),
    "infinite": (change("a.b", 9, np.inf), "row 10: village {9}: column 'a.b' is infinite"),
    "out of order": (later_rows_first, "so the rows are not in order. Sort it first: "
                     "evaluation.cluster.sort_panel('"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_each_fault_has_its_error(tmp_path, name):
    frame = make_panel(5, 12)
    spoil, message = BAD[name]
    write(spoil(frame), tmp_path / "a.parquet")
    with pytest.raises(DataError) as caught:
        read_all(tmp_path)
    expected = message
    for row in (0, 7, 9):
        expected = expected.replace(f"{{{row}}}", str(frame["村"][row]))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_row_is_counted_in_its_own_file(tmp_path):
    frame = make_panel(5, 12, missing=0)  # so that row groups begin within a village
    number = pd.factorize(frame["村"])[0]
    bad = frame[number >= 6].reset_index(drop=True)
    bad.loc[11, "pop"] = -np.inf
    write(frame[number < 6], tmp_path / "z.parquet", 4)
    write(bad, tmp_path / "b.parquet", 4)
    for rows in (1, 12, 1000):
        with pytest.raises(DataError, match=r"b\.parquet, row 12: village .*'pop' is infinite"):
            read_all(tmp_path, rows_a_piece=rows)


def test_row_groups_and_files_out_of_order_are_told_before_reading(tmp_path):
    frame = make_panel(5, 12, missing=0)
    write(later_rows_first(frame), tmp_path / "a.parquet", 10)
    with pytest.raises(DataError, match=r"a\.parquet, row group 5 \(from row 41\): village"):
        plan_pieces(tmp_path, COLUMNS)
    write(frame[:20], tmp_path / "a.parquet")
    write(frame[18:], tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"a\.parquet ends with village .* and b\.parquet"):
        plan_pieces(tmp_path, COLUMNS)
    (tmp_path / "b.parquet").unlink()
    write(make_panel(1, 3, text=False), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="holds numbers, in other files it does not"):
        plan_pieces(tmp_path, COLUMNS)


def test_an_error_names_a_folder_without_escapes(tmp_path):
    frame = make_panel(5, 12, missing=0).drop(columns="county")
    folder = tmp_path / "county=%E5%8E%BF"
    folder.mkdir()
    write(later_rows_first(frame), folder / "a%20.parquet", 10)
    with pytest.raises(DataError, match=r"^county=县/a%20\.parquet, row group 5"):
        plan_pieces(tmp_path, COLUMNS)


def test_a_village_that_comes_back_within_a_group_is_found(tmp_path):
    frame = make_panel(5, 12, missing=0)
    again = frame[frame["村"] == frame["村"].iloc[12]].assign(year=2009)
    for size in (3, 20, 100):  # 60 rows; the village's are 10 to 14
        write(pd.concat([frame[:40], again[:1], frame[40:]]), tmp_path / "a.parquet", size)
        for rows in (1, 1000):
            with pytest.raises(DataError, match="not in"):
                read_all(tmp_path, rows_a_piece=rows)


def test_a_file_changed_since_the_plan_is_an_error(tmp_path):
    frame = make_panel(5, 12, missing=0)
    write(frame, tmp_path / "a.parquet", 20)
    plan = plan_pieces(tmp_path, COLUMNS, rows_a_piece=20)
    write(frame[1:], tmp_path / "a.parquet", 19)
    with pytest.raises(DataError, match=r"a\.parquet: has changed since"):
        read_piece(plan, plan.pieces[1])
    other = frame.assign(**{"村": [f"x{i:03}" for i in np.arange(60) // 5]})
    write(other, tmp_path / "a.parquet", 20)
    for piece in plan.pieces:
        with pytest.raises(DataError, match=r"its footer says|not in order"):
            read_piece(plan, piece)


def test_a_column_is_named_once():
    with pytest.raises(DataError, match="'year' is named for two things"):
        PanelColumns(village="v", year="year", outcome="x", cohort="c", covariates=("year",))
    shared = PanelColumns(
        village="v", year="y", outcome="x", cohort="c", covariates=("p", "x"), weights="p"
    )
    assert shared.values == ("x", "p")


@pytest.mark.parametrize("missing", [0, 3])
def test_a_number_of_a_village_is_not_missing(tmp_path, missing):
    table = pa.table({"v": pa.array([None if i == missing else i for i in range(6)]),
                      "y": [2010] * 6, "x": [1.0] * 6, "c": pa.nulls(6)})  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    columns = PanelColumns(village="v", year="y", outcome="x", cohort="c")
    for rows in (1, 10):
        with pytest.raises(DataError, match=f"row {missing + 1}: no village"):
            read_all(tmp_path, columns, rows_a_piece=rows)


def test_a_head_that_changed_since_the_plan_is_an_error(tmp_path):
    columns = PanelColumns(village="v", year="y", outcome="x", cohort="c")
    for villages in ("aaabbbbc", "aaabbbac"):  # the second half: bbbc, then bbac
        table = pa.table({"v": list(villages), "y": [1, 2, 3, 1, 2, 3, 4, 4], "x": [1.0] * 8})
        table = table.set_column(1, "y", pa.array([2010 + y for y in table["y"].to_pylist()]))
        pq.write_table(
            table.append_column("c", pa.nulls(8)), tmp_path / "a.parquet", row_group_size=4
        )
        if villages == "aaabbbbc":
            plan = plan_pieces(tmp_path, columns, rows_a_piece=1)
    with pytest.raises(DataError, match=r"from row 5: its footer says villages b to c"):
        read_piece(plan, plan.pieces[1])


def test_statistics_that_may_be_cut_are_not_trusted():
    told = SimpleNamespace(has_min_max=True, min="a", max="泗" * 10)
    assert _ends_told(told) == ("a", "泗" * 10)
    assert _ends_told(SimpleNamespace(has_min_max=True, min="a", max="泗" * 11)) is None
    assert _ends_told(SimpleNamespace(has_min_max=True, min="a" * 64, max="b")) is None
    assert _ends_told(SimpleNamespace(has_min_max=False)) is None


def test_what_is_no_data_set_is_said(tmp_path):
    with pytest.raises(DataError, match="no such file or folder"):
        plan_pieces(tmp_path / "nothing", COLUMNS)
    with pytest.raises(DataError, match="no Parquet file in this folder"):
        plan_pieces(tmp_path, COLUMNS)
    (tmp_path / "a.parquet").write_text("no Parquet")
    with pytest.raises(DataError, match=r"a\.parquet: cannot be read as Parquet"):
        plan_pieces(tmp_path, COLUMNS)
    write(make_panel(1, 3)[:0], tmp_path / "a.parquet")
    with pytest.raises(DataError, match="there is no row"):
        plan_pieces(tmp_path, COLUMNS)
    with pytest.raises(DataError, match="rows_a_piece is 0"):
        plan_pieces(tmp_path, COLUMNS, rows_a_piece=0)


def test_a_truncated_file_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    write(make_panel(5, 2000), path, 1000, compression="none", use_dictionary=False)
    plan = plan_pieces(tmp_path, COLUMNS)
    with path.open("r+b") as file:  # a page is overwritten; the footer is whole
        file.seek(os.path.getsize(path) // 3)
        file.write(b"\0" * 20_000)
    with pytest.raises(DataError):
        for piece in plan.pieces:
            read_piece(plan, piece)
