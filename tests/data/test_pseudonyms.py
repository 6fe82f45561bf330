"""Codes for villages: stable, told by the key file alone, and the same numbers under them."""

import pandas as pd
import pytest

from evaluation import Study, estimate_gains, load_data
from evaluation.data.pseudonyms import COLUMNS, Pseudonyms, extend_pseudonyms, read_pseudonyms
from evaluation.errors import DataError
from tests.conftest import REPO

STUDY = REPO / "data" / "jining_simulated"
SAME = 1e-9  # sums are made in another order


@pytest.fixture(scope="module")
def data():
    return load_data(Study.load(STUDY))


@pytest.fixture
def key(tmp_path, data):
    path = tmp_path / "key.csv"
    extend_pseudonyms(path, data)
    return path


def test_every_village_has_a_code_of_its_own_and_keeps_it(key, data):
    first = key.read_bytes()
    table = extend_pseudonyms(key, data).table
    assert key.read_bytes() == first
    assert (table["kind"] == "village").sum() == data.panel.n_villages
    assert table["code"].is_unique
    assert table["code"].is_monotonic_increasing  # the order tells nothing
    assert oct(key.stat().st_mode)[-3:] == "600"


def test_a_new_village_gets_a_code_and_the_others_keep_theirs(key, data):
    table = pd.read_csv(key, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    table.drop(index=0).to_csv(key, index=False, encoding="utf-8-sig")
    before = dict(zip(table["key"], table["code"], strict=True))
    after = extend_pseudonyms(key, data).table
    assert len(after) == len(table)
    kept = {key: code for key, code in before.items() if key != table["key"][0]}
    assert kept.items() <= dict(zip(after["key"], after["code"], strict=True)).items()


def test_a_key_file_of_another_study_is_not_taken_for_this_ones(key, data):
    table = pd.read_csv(key, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    village = table.index[table["kind"] == "village"][0]
    name = table.loc[village, "name"]
    for other, refused in (("李庄", True), ("", False), (table.loc[village, "key"], False)):
        table.loc[village, "name"] = other
        table.to_csv(key, index=False, encoding="utf-8-sig")
        if refused:
            with pytest.raises(DataError, match=f"is 李庄 in it, and {name} in the study"):
                extend_pseudonyms(key, data)
        else:  # a key without a name, as of a village that only a ledger knew
            extend_pseudonyms(key, data)


def test_the_data_hold_no_name_and_give_the_same_numbers(key, data):
    hidden = load_data(Study.load(STUDY, pseudonyms=key))
    names = read_pseudonyms(key).names
    assert len(names) > data.panel.n_villages
    frames = (hidden.panel.villages.reset_index(), hidden.ledger.entries, hidden.projects)
    for frame in (*frames, hidden.indicators):
        seen = set(frame.select_dtypes(exclude="number").astype(str).to_numpy().ravel())
        assert not seen & set(names)
    assert not {"longitude", "latitude"} & set(hidden.panel.villages)
    assert list(hidden.panel.villages.index) == sorted(hidden.panel.villages.index)

    codes = {row.key: row.code for row in read_pseudonyms(key).table.itertuples()}
    open_gains = estimate_gains(data.panel).villages["gain"].rename(codes)
    gains = estimate_gains(hidden.panel).villages["gain"]
    pd.testing.assert_series_equal(
        gains, open_gains.reindex(gains.index), rtol=SAME, check_names=False
    )
    money = data.ledger.entries.groupby("village")["amount"].sum().rename(codes)
    moved = hidden.ledger.entries.groupby("village")["amount"].sum()
    pd.testing.assert_series_equal(
        moved, money.reindex(moved.index), rtol=SAME, check_names=False
    )


def test_a_text_loses_its_names_the_longest_first(key, data):
    pseudonyms = read_pseudonyms(key)
    name = data.panel.villages.index[0]
    assert pseudonyms.hide(f"row {name}.") == f"row {pseudonyms.names[name]}."


def test_a_name_within_a_word_or_a_number_is_none():
    rows = [("V-1", "village", "", "370831", "Li"), ("V-2", "village", "", "王庄", "大王庄")]
    pseudonyms = Pseudonyms(pd.DataFrame(rows, columns=list(COLUMNS)))
    for text in ("Listed: 0.370831, a370831", "v1", ""):
        assert pseudonyms.hide(text) == text
        assert pseudonyms.find(text) == ""
    assert pseudonyms.hide("Li (370831), 大王庄与王庄村.") == "V-1 (V-1), V-2与V-2村."
    assert pseudonyms.find("Listed: 王庄村") == "V-2"


def test_a_key_that_cannot_be_written_is_one_error(tmp_path, data):
    with pytest.raises(DataError, match=r"key.csv: the key file cannot be written: .* --key"):
        extend_pseudonyms(tmp_path / "none" / "key.csv", data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "not a key file: its columns are a, b, not code, kind"),
        (
            "code,kind,county,key,name\nV-1,village,,1,a\nV-1,village,,2,b\n",
            "the code V-1 stands in two rows",
        ),
        ("code,kind,county,key,name\n", "no code for a village of the study; run the report"),
    ],
)
def test_a_key_file_that_does_not_fit_is_named(tmp_path, text, message):
    path = tmp_path / "key.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load_data(Study.load(STUDY, pseudonyms=path))
