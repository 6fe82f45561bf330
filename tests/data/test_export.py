"""Clean data for other programs: the same numbers, with labels, and nothing overwritten."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from evaluation.cli import main
from evaluation.data.export import export_panel, stata_names
from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.data.tables import read_table
from evaluation.errors import DataError
from tests.conftest import minimal_study, write_yaml

VILLAGES = """\
行政区划代码,县,村,年份,派驻年份,户数,经营收入,补助收入,人均可支配收入
370831100201,泗水县,东村,2019,2020,100,1.5,10,800
370831100201,泗水县,东村,2020,2020,100,12,10,
370831100202,泗水县,西村,2019,,300,1,0,10余
370831100202,泗水县,西村,2020,,300,2,0,950
"""
LEDGER = """\
行政区划代码,年份,项目,来源,金额
370831100201,2020,大棚,财政资金,20
370831100201,2020,道路,村自筹,3
"""


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "villages.csv").write_text(VILLAGES, encoding="utf-8")
    (folder / "ledger.csv").write_text(LEDGER, encoding="utf-8")
    content = minimal_study() | {
        "prices": {"basis": "nominal", "base_year": 2020},
        "panel": {
            "file": "villages.csv",
            "village": {"code": "行政区划代码", "county": "县", "name": "村"},
            "year": "年份",
            "income": {
                "operating": {"column": "经营收入", "unit": "万元"},
                "subsidy": {"column": "补助收入", "unit": "万元"},
            },
            "outcomes": {
                "人均可支配收入": {
                    "column": "人均可支配收入",
                    "unit": "元",
                    "label": {"en": "disposable income per head"},
                }
            },
            "treatment": {"first_year": "派驻年份"},
            "covariates": {"households": {"column": "户数", "unit": "户"}},
            "hedged": "bounds",
        },
        "ledger": {
            "file": "ledger.csv",
            "village": {"code": "行政区划代码"},
            "year": "年份",
            "project": "项目",
            "source": "来源",
            "amount": {"column": "金额", "unit": "万元"},
        },
    }
    write_yaml(folder / "study.yml", content)
    return folder


@pytest.fixture
def data(study):
    return load_data(Study.load(study))


def frame_of(data):
    return data.panel.to_frame().astype(
        {"year": "Int64", "cohort": "Int64", "event_time": "Int64"}
    )


def test_stata_holds_the_same_numbers_with_labels(data, tmp_path):
    export_panel(data, tmp_path / "out", to="dta")
    frame, about = pyreadstat.read_dta(tmp_path / "out" / "panel.dta")
    expected = data.panel.to_frame()
    for name in ("income", "income_subsidy", "households", "cohort", "event_time", "year"):
        np.testing.assert_array_equal(
            frame[name].to_numpy(float), expected[name].to_numpy(float)
        )
    assert frame["village"].tolist() == expected["village"].tolist()
    assert frame["name"].tolist() == ["东村", "东村", "西村", "西村"]
    assert frame["town"].tolist() == [""] * 4
    labels = about.column_names_to_labels
    assert labels["income"] == "collective income without subsidies, yuan, prices of 2020"
    assert labels["households"] == "households, 户"
    assert labels["cohort"] == "first treated year; missing: never treated"
    renamed = next(name for name in frame if labels[name].startswith("人均可支配收入: "))
    assert renamed == f"v{frame.columns.get_loc(renamed) + 1}"
    assert labels[renamed].endswith("disposable income per head, yuan, prices of 2020")
    assert (tmp_path / "out" / "panel.dta").read_bytes()[:50].count(b"<release>118") == 1


def test_words_of_the_ledger_are_labelled_codes_in_stata(data, tmp_path):
    export_panel(data, tmp_path, to="dta")
    frame, about = pyreadstat.read_dta(tmp_path / "ledger.dta")
    assert frame["source"].tolist() == [1, 5]
    assert about.variable_value_labels["source"][5] == "own"
    assert about.variable_value_labels["shared"] == {0: "no", 1: "yes"}
    np.testing.assert_array_equal(frame["amount"], data.ledger.entries["amount"])
    assert (
        read_table(tmp_path / "ledger.dta").labels["amount"] == "amount, yuan, prices of 2020"
    )


def test_parquet_and_csv_give_the_panel_back(data, tmp_path):
    export_panel(data, tmp_path / "p", to="parquet")
    back = pd.read_parquet(tmp_path / "p" / "panel.parquet")
    pd.testing.assert_frame_equal(back, frame_of(data).astype({"county": "str"}))
    export_panel(data, tmp_path / "c", to="csv")
    content = (tmp_path / "c" / "panel.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfvillage,year,") and b"\r" not in content
    read = pd.read_csv(tmp_path / "c" / "panel.csv", dtype=back.dtypes.to_dict())
    assert read["cohort"].tolist()[:2] == [2020, 2020] and read["cohort"].isna().sum() == 2
    numbers = back.columns[back.dtypes == "float64"]
    pd.testing.assert_frame_equal(read[numbers], back[numbers], check_exact=True)


def test_the_codebook_says_unit_prices_and_column(data, tmp_path):
    files = export_panel(data, tmp_path, to="csv")
    names = ["panel.csv", "ledger.csv", "hedged.csv", "codebook.csv"]
    assert [file.name for file in files] == names
    book = pd.read_csv(files[-1], dtype="str", keep_default_na=False)
    row = book.set_index(["table", "name"]).loc
    assert row["panel", "income"].tolist()[2:] == ["yuan", "2020", "level", "经营收入"]
    assert row["panel", "village"]["column"] == "行政区划代码"
    assert row["panel", "cohort"]["column"] == "派驻年份"
    assert row["ledger", "amount"]["column"] == "金额"
    assert row["panel", "households"]["price_year"] == ""
    for file in files[:-1]:
        table = pd.read_csv(file)
        assert book.loc[book["table"] == file.stem, "variable"].tolist() == list(table)


def test_money_that_no_index_deflates_is_called_nominal(data, tmp_path):
    prices = data.study.prices.model_copy(update={"index": None})
    study = data.study.model_copy(update={"prices": prices})
    export_panel(replace(data, study=study), tmp_path, to="dta")
    _, about = pyreadstat.read_dta(tmp_path / "panel.dta", metadataonly=True)
    assert about.column_names_to_labels["income"].endswith(", yuan, nominal")


def test_hedged_figures_go_along_under_the_name_in_the_file(data, tmp_path):
    export_panel(data, tmp_path, to="dta")
    hedged, _ = pyreadstat.read_dta(tmp_path / "hedged.dta")
    panel, _ = pyreadstat.read_dta(tmp_path / "panel.dta")
    assert hedged["printed"].tolist() == ["10余"]
    assert panel[hedged["variable"][0]].isna().sum() == 2


def test_simulated_data_says_so_wherever_it_goes(data, tmp_path):
    study = data.study.model_copy(update={"simulated": True})
    export_panel(replace(data, study=study), tmp_path, to="dta")
    _, about = pyreadstat.read_dta(tmp_path / "panel.dta", metadataonly=True)
    assert about.file_label == "SIMULATED: A tiny study"
    assert all(label.startswith("SIMULATED: ") for label in about.column_labels)


@pytest.mark.parametrize("to", ["dta", "parquet", "csv"])
def test_the_same_data_gives_the_same_bytes(data, tmp_path, to):
    one, two = (export_panel(data, tmp_path / name, to=to) for name in "ab")
    assert [a.read_bytes() for a in one] == [b.read_bytes() for b in two]


def test_names_that_stata_does_not_take_are_changed_and_stay_apart():
    long = "income_of_the_village_collective_per_head"
    given = [
        long,
        f"{long}_real",
        "net income",
        "net_income",
        "收入",
        "2019",
        "_n",
        "str8",
        "ok",
    ]
    names = stata_names(given)
    assert list(names) == given
    assert names["ok"] == "ok" and names["net_income"] == "net_income"
    assert names[long] == long[:32] and names[f"{long}_real"] == f"{long[:30]}_2"
    assert names["net income"] == "net_income_2" and names["收入"] == "v5"
    assert names["2019"] == "v_2019" and names["str8"] == "v_str8"
    assert len(set(names.values())) == len(given)
    assert all(len(name) <= 32 and name.isascii() for name in names.values())


def test_long_labels_keep_their_unit_and_long_texts_are_whole(data, tmp_path):
    variable = replace(data.panel.variables["income"], label="a long label " * 10)
    panel = replace(data.panel, variables={**data.panel.variables, "income": variable})
    text = "大棚" * 1_000  # 6,000 bytes
    ledger = replace(data.ledger, entries=data.ledger.entries.assign(project=text))
    export_panel(replace(data, panel=panel, ledger=ledger), tmp_path, to="dta")
    _, about = pyreadstat.read_dta(tmp_path / "panel.dta", metadataonly=True)
    label = about.column_names_to_labels["income"]
    assert len(label) == 80 and label.endswith("…, yuan, prices of 2020")
    assert pd.read_stata(tmp_path / "ledger.dta")["project"].tolist() == [text, text]


def test_nothing_is_overwritten(data, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "ledger.csv").write_text("mine")
    with pytest.raises(DataError, match=r"out: has ledger\.csv already; move them away"):
        export_panel(data, out, to="csv")
    assert [path.name for path in out.iterdir()] == ["ledger.csv"]
    assert (out / "ledger.csv").read_text() == "mine"
    export_panel(data, out, to="parquet")  # other files, so there is room for them
    with pytest.raises(DataError, match=r"panel\.parquet"):
        export_panel(data, out, to="parquet")
    assert not list(tmp_path.glob(".export-*"))


def test_formats_with_one_codebook_share_a_folder(data, tmp_path):
    export_panel(data, tmp_path, to="csv")
    export_panel(data, tmp_path, to="parquet")
    assert (tmp_path / "panel.parquet").is_file()


def test_claims_alone_are_no_panel(data, tmp_path):
    with pytest.raises(DataError, match="no village panel to export"):
        export_panel(replace(data, panel=None), tmp_path / "out", to="csv")
    assert not (tmp_path / "out").exists()


def test_the_verb_writes_to_exports_and_the_studys_name(study, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(study), "--to", "parquet"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0] == "exports/tiny/panel.parquet"
    assert "hedged figures are kept as bounds" in said.err
    (tmp_path / "exports").rename(tmp_path / "elsewhere")
    moved = study.rename(tmp_path / "moved")
    empty = tmp_path / "empty"
    empty.mkdir()
    (moved / "study.yml").rename(empty / "study.yml")
    given = ["export", str(empty), "--to", "csv", "--data", str(moved), "--out", "here"]
    assert main(given) == 0
    assert (tmp_path / "here" / "codebook.csv").is_file()
