"""`evaluation new`: a study.yml guessed from files loads, and names what else could be."""

import csv

import numpy as np
import openpyxl
import pandas as pd
import pytest
import yaml

from evaluation.data.guess import write_new_study
from evaluation.data.load import check_data
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.data.typed_studies import type_csv

EXACT = 1e-12  # the same arithmetic, in another order
NAN = np.nan

PANEL_ZH = """
    村代码 县 乡镇 村 年份 派驻年份 户数 经营收入（万元） 发包收入（万元） 补助收入（万元）
    370830100201 汶上县 南站镇 东村 2018 2019 40 3.5 1.2 2
    370830100201 汶上县 南站镇 东村 2019 2019 40 5 1 0
    370830100202 汶上县 南站镇 西村 2018 - 52 2 0 1
    370830100202 汶上县 南站镇 西村 2019 - 52 - 0 1
    """
LEDGER_ZH = """
    县     乡镇   村   年份 项目 资金来源 阶段 金额（万元）
    汶上县 南站镇 东村 2018 大棚 财政资金 到位 30
    汶上县 南站镇 东村 2019 大棚 派出单位 到位 5.5
    """


@pytest.fixture
def write(tmp_path):
    """Write typed files into a folder of sources and give their paths."""

    def to(**files):
        folder = tmp_path / "sources"
        folder.mkdir(exist_ok=True)
        for name, table in files.items():
            (folder / f"{name}.csv").write_text(type_csv(table), encoding="utf-8")
        return [folder / f"{name}.csv" for name in files]

    return to


def load(target):
    """Load the study that was written; it has no errors."""
    data, problems = check_data(Study.load(target.parent))
    assert not problems.errors, list(map(str, problems.errors))
    return data


def test_a_chinese_panel_and_a_ledger(tmp_path, write):
    target = write_new_study(tmp_path / "new", write(villages=PANEL_ZH, ledger=LEDGER_ZH))
    data = load(target)
    panel = data.panel
    assert panel.villages.loc["370830100201", "name"] == "东村"
    # 3.5 + 1.2 and 5 + 1 in prices of 2019; prices rose by 2.89923416358227 % in 2019
    rise = 1.0289923416358227
    np.testing.assert_allclose(
        panel.matrix("income"), [[47_000 * rise, 60_000], [20_000 * rise, NAN]], rtol=EXACT
    )
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])
    assert panel.matrix("households").tolist() == [[40, 40], [52, 52]]
    np.testing.assert_allclose(
        data.ledger.to_matrix(panel), [[300_000 * rise, 55_000], [0, 0]], rtol=EXACT
    )
    assert data.ledger.totals(["source"])["source"].tolist() == ["dispatching_unit", "fiscal"]


def test_the_files_are_copied_and_stay_where_they_were(tmp_path, write):
    (source,) = write(villages=PANEL_ZH)
    before = source.read_bytes()
    target = write_new_study(tmp_path / "new", [source])
    assert (target.parent / "villages.csv").read_bytes() == before == source.read_bytes()


def test_files_in_the_folder_itself_are_not_copied(tmp_path, write):
    (source,) = write(villages=PANEL_ZH)
    target = write_new_study(source.parent, [source])
    assert sorted(path.name for path in source.parent.iterdir()) == [
        "study.yml",
        "villages.csv",
    ]
    load(target)


def test_a_study_is_not_overwritten(tmp_path, write):
    files = write(villages=PANEL_ZH)
    target = write_new_study(tmp_path / "new", files)
    target.write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="is there already; mend it, or name another folder"):
        write_new_study(tmp_path / "new", files)
    assert target.read_text(encoding="utf-8") == "mine"


def test_a_file_of_the_same_name_is_not_overwritten(tmp_path, write):
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "villages.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"villages\.csv is there already; nothing was copied"):
        write_new_study(folder, write(villages=PANEL_ZH))
    assert (folder / "villages.csv").read_text(encoding="utf-8") == "mine"
    assert not (folder / "study.yml").exists()


def test_nothing_is_copied_if_any_file_is_there_already(tmp_path, write):
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "ledger.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=r"ledger\.csv is there already; nothing was copied"):
        write_new_study(folder, write(villages=PANEL_ZH, ledger=LEDGER_ZH))
    assert [path.name for path in folder.iterdir()] == ["ledger.csv"]


def test_two_files_of_one_name_are_an_error(tmp_path, write):
    (first,) = write(villages=PANEL_ZH)
    second = tmp_path / "villages.csv"
    second.write_bytes(first.read_bytes())
    with pytest.raises(DataError, match=r"two of the files are called villages\.csv"):
        write_new_study(tmp_path / "new", [first, second])


def test_what_else_a_column_could_be_is_in_a_comment(tmp_path, write):
    table = """
        村   年份 集体经济收入（元） 总收入（元） 村集体收入（元）
        东村 2018 100                120          130
        西村 2018 90                 95           99
        """
    text = write_new_study(tmp_path / "new", write(villages=table)).read_text("utf-8")
    (line,) = [line for line in text.splitlines() if line.strip().startswith("total:")]
    assert "column: 集体经济收入（元）, unit: 元" in line
    assert line.endswith("# or: 村集体收入（元）, 总收入（元）")


def test_a_unit_that_is_not_stated_is_said_to_be_a_guess(tmp_path, write):
    table = PANEL_ZH.replace("（万元）", "")
    target = write_new_study(tmp_path / "new", write(villages=table))
    lines = [line for line in target.read_text("utf-8").splitlines() if "经营收入" in line]
    assert "元 or 万元?" in lines[0]
    load(target)


def test_a_workbook_with_two_header_rows_and_a_row_of_totals(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["村", "年份", "收入", None],
        [None, None, "经营收入（万元）", "补助收入（万元）"],
        ["东村", 2018, 3.5, 1],
        ["东村", 2019, 4.5, 2],
        ["西村", 2018, 2, 0],
        ["西村", 2019, 3, 0],
        ["合计", None, 13, 3],
    ):
        sheet.append(row)
    for cells in ("A1:A2", "B1:B2", "C1:D1"):
        sheet.merge_cells(cells)
    book.save(tmp_path / "villages.xlsx")
    target = write_new_study(tmp_path / "new", [tmp_path / "villages.xlsx"])
    data = load(target)
    assert list(data.panel.villages.index) == ["东村", "西村"]  # 合计 is none
    rise = 1.0289923416358227  # of prices in 2019
    np.testing.assert_allclose(
        data.panel.matrix("income"),
        [[35_000 * rise, 45_000], [20_000 * rise, 30_000]],
        rtol=EXACT,
    )
    assert any("合计" in str(problem) for problem in data.problems)


def test_sheets_of_a_workbook_are_files_of_their_own(tmp_path):
    book = openpyxl.Workbook()
    for title, table in (("村庄", PANEL_ZH), ("资金", LEDGER_ZH)):
        sheet = book.create_sheet(title)
        for row in csv.reader(type_csv(table).splitlines()):
            sheet.append([cell or None for cell in row])
    del book["Sheet"]
    book.save(tmp_path / "data.xlsx")
    data = load(write_new_study(tmp_path / "new", [tmp_path / "data.xlsx"]))
    assert data.panel.n_villages == 2
    assert len(data.ledger.entries) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("2018年经营收入（万元）", "2019年经营收入（万元）"),
        ("经营收入2018（万元）", "经营收入2019（万元）"),
    ],
)
def test_a_wide_file(tmp_path, write, names):
    table = f"行政区划代码 村 {' '.join(names)}\n370830100201 东村 3 4\n370830100202 西村 2 -"
    target = write_new_study(tmp_path / "new", write(villages=table))
    study = yaml.safe_load(target.read_text("utf-8"))
    assert study["prices"]["base_year"] == 2019  # the last year that has a column
    panel = load(target).panel
    assert panel.years.tolist() == [2018, 2019]
    rise = 1.0289923416358227  # of prices in 2019
    np.testing.assert_allclose(
        panel.matrix("income"), [[30_000 * rise, 40_000], [20_000 * rise, NAN]], rtol=EXACT
    )


def test_an_english_file(tmp_path, write):
    table = """
        village_id county year cohort operating_income households
        1          East   2018 2019   3000             40
        1          East   2019 2019   4000             41
        2          East   2018 -      2000             52
        2          East   2019 -      2500             52
        """
    panel = load(write_new_study(tmp_path / "new", write(villages=table))).panel
    assert list(panel.villages.index) == ["1", "2"]
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])
    assert panel.matrix("households").tolist() == [[40, 41], [52, 52]]


def test_households_are_taken_together(tmp_path, write):
    rows = "\n".join(
        f"1 {year} {hh} {1_000 * hh} 1" for year in (2018, 2019) for hh in range(1, 7)
    )
    table = f"vill year hh_no income weight\n{rows}"
    data = load(write_new_study(tmp_path / "new", write(persons=table)))
    # the mean of 1,000 to 6,000
    assert data.panel.matrix().tolist() == [[3_500, 3_500]]


def test_projects_and_indicators_find_their_parts(tmp_path, write):
    projects = "村 项目名称 项目类型 开工时间 带动就业\n东村 大棚 种植 2019年3月 12"
    indicators = "村 年份 方面 指标 数值 单位\n东村 2018 党建 党员 32 人"
    files = write(villages=PANEL_ZH, projects=projects, indicators=indicators)
    data = load(write_new_study(tmp_path / "new", files))
    assert data.projects[["project", "type", "start", "jobs"]].to_numpy().tolist() == [
        ["大棚", "种植", 2019, 12]
    ]
    assert data.indicators[["pillar", "indicator", "value"]].to_numpy().tolist() == [
        ["party_building", "党员", 32]
    ]


def test_files_without_villages_are_an_error(tmp_path, write):
    with pytest.raises(DataError, match="no file has a column that names villages"):
        write_new_study(tmp_path / "new", write(prices="month price\n1 2"))
    assert not (tmp_path / "new").exists()


LEDGER = """
    县     乡镇   村   年份 {source} {stage} 金额（万元） 备注
    汶上县 南站镇 东村 2018 财政     到位    30           甲
    汶上县 南站镇 东村 2019 派出单位 使用    5.5          乙
    """


@pytest.mark.parametrize("stage", ["环节", "资金环节", "进度", "使用情况", "说明"])
@pytest.mark.parametrize("source", ["资金来源", "渠道"])
def test_stages_and_sources_are_known_by_their_cells(tmp_path, write, source, stage):
    files = write(villages=PANEL_ZH, ledger=LEDGER.format(source=source, stage=stage))
    target = write_new_study(tmp_path / "new", files)
    entries = load(target).ledger.entries
    assert entries[["source", "stage"]].to_numpy().tolist() == [
        ["fiscal", "received"],
        ["dispatching_unit", "spent"],
    ]
    assert target.read_text("utf-8").endswith("  # columns not used: 备注\n")


def test_a_named_stage_with_unknown_words_is_not_booked_as_received(tmp_path, write):
    table = LEDGER.format(source="资金来源", stage="环节").replace("使用", "结转")
    target = write_new_study(tmp_path / "new", write(v=PANEL_ZH, ledger=table))
    study = Study.load(target.parent)
    assert study.ledger.stage == "环节"
    assert any("结转" in str(problem) for problem in check_data(study)[1].errors)


def test_a_ledger_without_stages_or_sources_says_that_it_guesses(tmp_path, write):
    without = LEDGER_ZH.replace("阶段", "备注").replace("到位", "无")
    text = write_new_study(tmp_path / "a", write(v=PANEL_ZH, l=without)).read_text("utf-8")
    assert "stage: {value: received}  # no column of stages: a guess to be confirmed" in text
    without = LEDGER_ZH.replace("资金来源", "备注").replace("财政资金", "无")
    without = without.replace("派出单位", "无").replace("项目", "说明")
    target = write_new_study(tmp_path / "b", write(v=PANEL_ZH, l=without))
    assert "source: {value: unknown}" in target.read_text("utf-8")
    assert check_data(Study.load(target.parent))[1].errors


STACKED = """
    县     乡镇   村   年度 到位资金_县财政 到位资金_派出单位 到位资金_合计 已使用_产业项目 备注
    汶上县 南站镇 东村 2018 19.5            9                 28.5          16              甲
    汶上县 南站镇 东村 2019 6               14                20            12              乙
    """


def test_a_ledger_with_a_column_for_each_stage_and_source(tmp_path, write):
    stacked = STACKED.replace("财政 ", "财政（万元） ").replace("单位 ", "单位（万元） ")
    stacked = stacked.replace("合计 ", "合计（万元） ")
    files = write(villages=PANEL_ZH, ledger=stacked)
    target = write_new_study(tmp_path / "new", files)
    assert "confirmed; columns of other stages: 已使用_产业项目\n" in target.read_text("utf-8")
    assert "projects:" not in target.read_text("utf-8")
    entries = load(target).ledger.entries
    assert set(entries["stage"]) == {"received"}
    rise = 1.0289923416358227  # of prices in 2019
    total = entries.groupby("source")["amount"].sum()
    assert total["fiscal"] == pytest.approx(195_000 * rise + 60_000, rel=EXACT)
    assert total["dispatching_unit"] == pytest.approx(90_000 * rise + 140_000, rel=EXACT)


def test_two_columns_of_one_source_do_not_load(tmp_path, write):
    files = write(villages=PANEL_ZH, ledger=STACKED.replace("派出单位", "省财政"))
    target = write_new_study(tmp_path / "new", files)
    with pytest.raises(DataError, match="'fiscal' is given twice"):
        Study.load(target.parent)


@pytest.mark.parametrize("table", [STACKED, LEDGER_ZH])
def test_a_ledger_alone_is_no_panel(tmp_path, write, table):
    with pytest.raises(
        DataError, match=r"ledger\.csv looks like a ledger, .* panel of villages"
    ):
        write_new_study(tmp_path / "new", write(ledger=table))


def test_money_is_no_name_of_a_project(tmp_path, write):
    table = "村 年份 使用_产业项目\n东村 2018 30.5\n东村 2019 20"
    text = write_new_study(tmp_path / "new", write(v=PANEL_ZH, x=table)).read_text("utf-8")
    assert "projects:" not in text and "# files not used: x.csv" in text


@pytest.mark.parametrize("stem", ["income", "收入", "score"])
def test_a_wide_file_of_any_stem(tmp_path, write, stem):
    header = " ".join(f"{stem}{year} nurses{year}" for year in (2018, 2019, 2020))
    table = f"vill {header} treat_year born1950\na 1 7 2 7 3 7 2019 5\nb 4 7 5 7 6 7 - 6"
    target = write_new_study(tmp_path / "new", write(villages=table))
    panel = load(target).panel
    assert panel.matrix().tolist() == [[1, 2, 3], [4, 5, 6]]
    np.testing.assert_array_equal(panel.cohort, [2019, NAN])
    text = target.read_text("utf-8")
    assert "# columns not used: nurses{year}, born1950" in text and "\n  year:" not in text


def test_a_cross_section_is_refused_until_its_year_is_written(tmp_path, write):
    table = "vill income\na 1\nb 2"
    target = write_new_study(tmp_path / "new", write(villages=table))
    text = target.read_text("utf-8")
    assert "cross-section; write its year" in text
    assert check_data(Study.load(target.parent))[1].errors
    target.write_text(text.replace('year: "?"', "year: 2015"), encoding="utf-8")
    assert load(target).panel.years.tolist() == [2015]


@pytest.mark.parametrize(("key", "year"), [("vid", "yr"), ("gb", "wave_y")])
def test_a_parquet_panel_with_short_names(tmp_path, key, year):
    frame = pd.DataFrame(
        {
            key: [370830100201, 370830100201, 370830100202, 370830100202],
            year: [2018, 2019, 2018, 2019],
            "op_income": [3.5, 4, 2, 1],
            "contract": [1.5, 1, 0, 0],
            "inv": [0.5, 0, 0, 0],
            "subsidy": [9.5, 9, 9, 9],
            "other": [0.5, 0, 0, 0],
            "built_y": [1990, 1990, 2001, 2001],
        }
    )
    frame.to_parquet(tmp_path / "panel.parquet")
    target = write_new_study(tmp_path / "new", [tmp_path / "panel.parquet"])
    panel = load(target).panel
    assert list(panel.villages.index) == ["370830100201", "370830100202"]
    rise = 1.0289923416358227  # of prices in 2019; 3.5 + 1.5 + 0.5 + 0.5 and 4 + 1 in 万元
    wanted = [[60_000 * rise, 50_000], [20_000 * rise, 10_000]]
    np.testing.assert_allclose(panel.matrix("income"), wanted, rtol=EXACT)
    text = target.read_text("utf-8")
    assert "columns not used: built_y\n" in text and "none was found" in text


def test_subsidies_alone_are_no_income(tmp_path, write):
    table = "vill year subsidy yield\na 2018 1 7\na 2019 1 8"
    panel = load(write_new_study(tmp_path / "new", write(villages=table))).panel
    assert panel.matrix().tolist() == [[7, 8]]


def test_every_column_that_is_not_used_is_listed(tmp_path, write):
    extra = [f"x{number}" for number in range(60)]
    table = f"vill year income {' '.join(extra)}\na 2018 3 {'a ' * 60}"
    text = write_new_study(tmp_path / "new", write(villages=table)).read_text("utf-8")
    assert f"# columns not used: {', '.join(extra)}\n" in text


@pytest.mark.parametrize("column", ["pc_income", "人均纯收入", "income_percapita"])
def test_households_outcome_is_per_head(tmp_path, write, column):
    rows = "\n".join(
        f"1 {y} {9_000 * n} {1_000 * n}" for y in (2018, 2019) for n in range(1, 7)
    )
    target = write_new_study(
        tmp_path / "new", write(persons=f"vill year hh_income {column}\n{rows}")
    )
    assert load(target).panel.matrix().tolist() == [[3_500, 3_500]]  # mean of 1,000 to 6,000
    assert "statistic: mean}  # or: hh_income; or median" in target.read_text("utf-8")


TRAPS = [
    *("on", "off", "no", "yes", "null", "~", "1", "1.5", "2015", "0x1F", "1e3", "2019-01-01"),
    *("a: b", "a #b", "#a", "'a'", '"a"', "a'b", "[a]", "a, b", "{a}", "a [b]", "*a", "&a"),
    *("!a", "%a", "@a", "`a`", "- a", "-", "? a", "|", ">", "a:", "a\\b", "a|b", "true", "="),
    *("收入，元", "收入\n万元", "a{b", "a]b", "<<", "a\tb"),
]


@pytest.mark.parametrize("column", TRAPS)
def test_any_name_of_a_column_comes_back_from_the_yaml(tmp_path, column):
    folder = tmp_path / "sources"
    folder.mkdir()
    with (folder / "villages.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [["vill", "year", column, "x"], ["a", "2018", "3", "7"], ["b", "2018", "4", "8"]]
        csv.writer(file).writerows(rows)
    target = write_new_study(tmp_path / "new", [folder / "villages.csv"])
    study = Study.load(target.parent)
    (outcome,) = study.panel.outcomes.values()
    assert " ".join(outcome.column.split()) == " ".join(column.split()), target.read_text(
        "utf-8"
    )
    panel = load(target).panel
    assert panel.matrix().tolist() == [[3], [4]]


@pytest.mark.parametrize("column", TRAPS)
def test_a_column_that_is_not_used_breaks_nothing(tmp_path, column):
    folder = tmp_path / "sources"
    folder.mkdir()
    with (folder / "villages.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [["vill", "year", "income", column], ["a", "2018", "3", "x"]]
        csv.writer(file).writerows(rows)
    target = write_new_study(tmp_path / "new", [folder / "villages.csv"])
    assert load(target).panel.matrix().tolist() == [[3]]


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("2020", "2020"),
        ("on", "on"),
        ("my study", "my_study"),
        ("济宁", "study"),
        ("1e3", "1e3"),
    ],
)
def test_any_folder_names_a_study(tmp_path, write, folder, name):
    target = write_new_study(tmp_path / folder, write(villages=PANEL_ZH))
    assert Study.load(target.parent).name == name
