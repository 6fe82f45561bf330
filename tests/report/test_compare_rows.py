"""Rows matched by what names them, and rows of files by their digests."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.data.study import Study
from evaluation.report.compare.levels import Judge
from evaluation.report.compare.matching import match_rows
from evaluation.report.compare.tables import compare_rows as compare_table
from evaluation.report.record import rows as digests
from evaluation.report.record.rows import compare_rows, describe_rows, read_rows
from tests.conftest import JINING

COLUMNS = ["county", "cohort", "estimate"]
NAMES = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(2015, 2022)), unique=True, max_size=12
)


def to_rows(names, *, of=1.0):
    return [
        {"county": county, "cohort": cohort, "estimate": of * n + 0.5}
        for n, (county, cohort) in enumerate(names)
    ]


def partners(before, after):
    """Give which row of the first table each of the second is taken for, by name."""
    matched = match_rows(before, after, COLUMNS)
    pairs = [(i, j) for i, j in matched.pairs if i is not None and j is not None]
    return {
        (after[j]["county"], after[j]["cohort"]): (before[i]["county"], before[i]["cohort"])
        for i, j in pairs
    }


@given(NAMES, st.randoms(use_true_random=False))
def test_rows_in_another_order_are_the_same_rows(names, random):
    before = to_rows(names)
    after = random.sample(before, len(before))
    assert partners(before, after) == {name: name for name in names}
    _, differ, _ = compare_table(before, after, COLUMNS, Judge())
    assert differ == ()


@given(NAMES, NAMES)
def test_every_row_is_told_once_and_a_name_in_both_is_one_row(one, other):
    before, after = to_rows(one), to_rows(other, of=3.0)
    pairs = match_rows(before, after, COLUMNS).pairs
    assert sorted(i for i, _ in pairs if i is not None) == list(range(len(before)))
    assert sorted(j for _, j in pairs if j is not None) == list(range(len(after)))
    found = partners(before, after)
    if {*one, *other} and len({*one, *other}) > 1 and len(one) > 1 < len(other):
        for name in {*one} & {*other}:
            assert found[name] == name


@given(NAMES.filter(lambda names: len(names) > 2), st.data())
def test_one_inserted_row_leaves_the_others_as_they_are(names, data):
    place = data.draw(st.integers(0, len(names) - 1))
    after = to_rows(names)
    before = [row for n, row in enumerate(after) if n != place]
    _, differ, _ = compare_table(before, after, COLUMNS, Judge())
    assert [row.sides for row in differ] == [(None, after[place])]


@given(st.lists(st.integers(0, 3), max_size=15), st.integers(0, 15), st.integers(4, 9))
def test_rows_without_a_name_are_aligned_where_they_are_equal(values, place, new):
    before = [{"mean": float(value)} for value in values]
    after = [*before[:place], {"mean": float(new)}, *before[place:]]
    _, differ, _ = compare_table(before, after, ["mean"], Judge())
    assert [row.sides for row in differ] == [(None, {"mean": float(new)})]


def test_a_renamed_row_is_one_row_where_the_rest_of_it_is_as_it_was():
    before = [{"county": c, "n": 5, "mean": 1.25, "sd": 2.0} for c in ("East", "West")]
    after = [before[0], {**before[1], "county": "Far west"}]
    _, [row], _ = compare_table(before, after, ["county", "n", "mean", "sd"], Judge())
    assert [(c.column, c.before, c.after) for c in row.cells] == [
        ("county", "West", "Far west")
    ]
    after[1] = {"county": "North", "n": 7, "mean": 8.0, "sd": 1.0}
    _, differ, _ = compare_table(before, after, ["county", "n", "mean", "sd"], Judge())
    assert sorted(row.label for row in differ) == ["North", "West"]


def test_findings_name_no_row():
    rows = [
        {"n_villages": n, "reason": str(n), "county": c} for n, c in ((3, "East"), (4, "West"))
    ]
    matched = match_rows(rows, rows, ["n_villages", "reason", "county"])
    assert matched.keys == ("county",)


# Digests of a file's rows.


def digest(tmp_path, lines, name="rows.csv", end="\n"):
    path = tmp_path / name
    path.write_bytes(end.join(lines).encode())
    return read_rows(path)


LINES = st.lists(st.sampled_from("abcdefghij"), max_size=25)


def apply(changes, old, new):
    """Make the second version of the first by what is said to have changed."""
    changed = dict(changes.changed)
    kept = [
        new[changed[n] - 1] if n in changed else line
        for n, line in enumerate(old, 1)
        if n not in changes.removed
    ]
    return kept, [new[n - 1] for n in changes.inserted]


@given(LINES, LINES)
def test_what_is_said_to_have_changed_makes_one_file_of_the_other(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("rows", numbered=True)
    changes = compare_rows(digest(folder, old), digest(folder, new, "other.csv"))
    if "" in ("\n".join(old), "\n".join(new)):
        return
    kept, inserted = apply(changes, old, new)
    assert sorted([*kept, *inserted]) == sorted(new)
    if not changes.moved:
        for place in changes.inserted:
            kept.insert(place - 1, new[place - 1])
        assert kept == new
    if old == new:
        assert not (changes.changed or changes.removed or changes.inserted or changes.moved)


def test_lines_are_named_as_an_editor_counts_them(tmp_path):
    old = ["head", *(f"row {n}" for n in range(2, 12))]
    new = [*old]
    new[4] = "changed"  # line 5
    new.insert(7, "inserted")  # line 8
    del new[10]  # line 10 of the first
    changes = compare_rows(digest(tmp_path, old), digest(tmp_path, new, "b.csv", end="\r\n"))
    assert (changes.word, changes.changed) == ("line", [(5, 5)])
    assert (changes.removed, changes.inserted, changes.moved) == ([10], [8], 0)


def test_rows_in_another_order_stand_elsewhere(tmp_path):
    old = [f"row {n}" for n in range(6)]
    changes = compare_rows(digest(tmp_path, old), digest(tmp_path, old[::-1], "b.csv"))
    assert (changes.changed, changes.removed, changes.inserted) == ([], [], [])
    assert changes.moved == 5


def test_a_sheet_counts_by_its_rows_and_a_parquet_by_its_observations(tmp_path):
    frame = pd.DataFrame({"village": ["a", "b", "c"], "income": [1.5, 2.5, None]})
    changed = frame.assign(income=[1.5, 2.75, None])
    for suffix, word, place in ((".xlsx", "row", 3), (".parquet", "observation", 2)):
        paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
        for path, content in zip(paths, (frame, changed), strict=True):
            if suffix == ".xlsx":
                content.to_excel(path, index=False)
            else:
                content.to_parquet(path)
        changes = compare_rows(*map(read_rows, paths))
        assert (changes.word, changes.changed) == (word, [(place, place)])


def test_chinese_text_in_utf16_is_cut_at_its_lines(tmp_path):
    path = tmp_path / "ledger.txt"
    path.write_text("村\t金额\n上村\t1\n下村\t2\n", encoding="utf-16")
    other = digest(tmp_path, ["村\t金额", "上村\t1", "下村\t3"], "other.txt")
    assert compare_rows(read_rows(path), other).changed == [(3, 3)]


def test_no_digests_are_kept_of_what_is_confidential_large_or_under_codes(monkeypatch):
    study = Study.load(JINING)
    assert {*describe_rows(study)["files"]} == {
        "study.yml", "claims.csv", "indicators.csv", "crosschecks.yml",
    }  # fmt: skip
    monkeypatch.setattr(digests, "MOST_ROWS", 10)
    assert describe_rows(study)["files"] == {}
    monkeypatch.undo()
    secret = study.model_copy(update={"confidential": ["claims.csv"]})
    assert {*describe_rows(secret)["files"]} == {
        "study.yml", "indicators.csv", "crosschecks.yml",
    }  # fmt: skip
    coded = study.model_copy()
    coded._pseudonyms = JINING / "key.csv"
    assert describe_rows(coded) == {}


def test_a_file_that_cannot_be_read_has_no_digests(tmp_path):
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04")
    assert read_rows(tmp_path / "broken.xlsx") == {}
    assert read_rows(tmp_path / "nowhere.csv") == {}
    assert compare_rows({}, read_rows(JINING / "claims.csv")) is None


@pytest.mark.parametrize("n", [200_000])
def test_large_files_are_compared_in_linear_time(tmp_path, n):
    old = [f"{i},{i % 7}" for i in range(n)]
    new = [*old[: n // 2], "new", *old[n // 2 : -5], *(f"other {i}" for i in range(5))]
    changes = compare_rows(digest(tmp_path, old), digest(tmp_path, new, "b.csv"))
    assert changes.inserted == [n // 2 + 1]
    assert len(changes.changed) == 5
