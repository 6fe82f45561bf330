"""A data request: an empty workbook that a county office fills in, and its study.yml."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from evaluation.errors import DataError

WORKBOOK = "数据.xlsx"


class _Field(NamedTuple):
    name: str
    english: str
    zh: str = ""
    en: str = ""
    rule: str = ""


_PLACE = (
    _Field("行政区划代码", "division code",
           "12位统计用区划代码，按文本填写，例：370831100201", "12 digits, as text", "code"),
    _Field("县", "county"),
    _Field("乡镇", "town"),
    _Field("村", "village"),
)  # fmt: skip
_YEAR = _Field("年份", "year", "四位数，例：2019", "4 digits, as 2019", "year")
_MONEY = (
    "万元，当年价；没有填0，不清楚留空",
    "10,000 yuan, nominal; 0 if none, empty if unknown",
)
_INCOMES = (
    ("经营收入", "operating income"),
    ("发包收入", "income from contracting out land and assets"),
    ("投资收益", "investment income"),
    ("补助收入", "subsidies and grants"),
    ("其他收入", "other income"),
    ("年集体经济收入", "collective income: the sum of the five"),
)
_SHEETS = {
    "收入 income": (
        *_PLACE, _YEAR,
        _Field("派驻年份", "dispatch year",
               "第一书记首次到任的年份，该村各行相同；从未派驻的对照村留空",
               "year the first secretary came, the same in all rows of a village; empty for "
               "comparison villages, which never had one", "year"),
        _Field("派出单位", "dispatching unit", "派驻村填写，同村各行相同；对照村留空",
               "treated villages, the same in all rows; empty for comparison villages"),
        _Field("派出层级", "its level", "从列表选择", "province, city, county", "level"),
        _Field("户数", "households", "户", "number", "count"),
        _Field("脱贫户数", "households lifted out of poverty", "户", "number", "count"),
        _Field("常住人口", "residents", "人", "persons", "count"),
        _Field("经度", "longitude", "度，WGS 84，例：117.25", "degrees, WGS 84", "longitude"),
        _Field("纬度", "latitude", "度，WGS 84，例：35.66", "degrees, WGS 84", "latitude"),
        *(_Field(zh, en, *_MONEY, "number") for zh, en in _INCOMES),
    ),
    "资金 ledger": (
        *_PLACE, _YEAR, _Field("项目", "project"),
        _Field("资金来源", "source", "从列表选择", "fiscal, dispatching unit, social, credit, "
               "the village's own", "source"),
        _Field("阶段", "stage", "同一笔钱的计划、到位、支出各填一行",
               "committed, received, spent: a row each", "stage"),
        _Field("金额", "amount", *_MONEY, "amount"),
    ),
    "项目 projects": (
        *_PLACE, _Field("项目", "project", "与资金表中的名称一致", "named as in the ledger"),
        _Field("项目类型", "type", "例：大棚种植", "such as greenhouses"),
        _Field("开始年份", "first year", "四位数", "4 digits", "year"),
        _Field("带动就业", "jobs", "人", "persons", "count"),
        _Field("预期年收益", "expected return a year", *_MONEY, "number"),
    ),
    "指标 indicators": (
        *_PLACE, _YEAR,
        _Field("方面", "pillar", "从列表选择",
               "party building, industry, livelihood, secretary and team", "pillar"),
        _Field("指标", "indicator", "例：硬化道路里程", "such as paved roads"),
        _Field("数值", "value", "只填数字", "a number alone", "number"),
        _Field("单位", "unit", "例：公里", "such as km"),
    ),
}  # fmt: skip
_RULES: dict[str, dict[str, Any]] = {
    "code": {"type": "textLength", "operator": "equal", "formula1": "12"},
    "year": {"type": "whole", "formula1": "1990", "formula2": "2100"},
    "count": {"type": "whole", "operator": "greaterThanOrEqual", "formula1": "0"},
    "amount": {"type": "decimal", "operator": "greaterThanOrEqual", "formula1": "0"},
    "number": {"type": "decimal", "formula1": "-1000000000", "formula2": "1000000000"},
    "longitude": {"type": "decimal", "formula1": "-180", "formula2": "180"},
    "latitude": {"type": "decimal", "formula1": "-90", "formula2": "90"},
    "level": {"type": "list", "formula1": '"省派,市派,县派"'},
    "source": {"type": "list", "formula1": '"财政资金,派出单位,社会资金,信贷资金,村自筹"'},
    "stage": {"type": "list", "formula1": '"计划,到位,支出"'},
    "pillar": {"type": "list", "formula1": '"抓党建,兴产业,惠民生,带队伍"'},
}

RUNGS = (
    ("第一级 公开表述：没有收入数据，只能核对已公布的数字",
     "Rung 1, published claims: without incomes, only figures that were published can be "
     "checked."),
    ("第二级 仅有派驻村：“收入”表有派驻村派驻前后各年，可比较前后变化，不能排除同期趋势",
     "Rung 2, treated villages only: the sheet 收入 income has villages with a secretary, in "
     "years before and after; their change can be told, not how much of it is due to the "
     "programme."),
    ("第三级 有对照村：“收入”表另有同一时期从未派驻的村，可估计每个村和整个项目的效果",
     "Rung 3, panel with comparison villages: the sheet 收入 income also has villages that "
     "never had a secretary, in the same years; the gains of each village and of the programme "
     "can be estimated."),
)  # fmt: skip
"""What filled-in data would reach, in Chinese and English."""

_READ_ME = (
    ("村级帮扶项目评估：数据需求表", "Evaluation of a village programme: data request"),
    ("提出单位、联系人（发送前填写）：____",
     "Who asks, and whom to call (fill in before sending): ____"),
    ("用途：评估派驻第一书记对村集体收入的作用和资金使用效果",
     "What for: what first secretaries did for villages' collective income, and what the "
     "money brought."),
    ("填写方法", "How to fill it in"),
    ("“收入”表每村每年一行，尽量包括派驻前至少三年和派驻后各年",
     "Sheet 收入 income: one row a village and year, if possible from three years before the "
     "secretary came."),
    ("请同时提供从未派驻的对照村，越多越好，至少与派驻村同数；对照村的“派驻年份”留空",
     "Give comparison villages too, which never had a secretary: as many as can be, no fewer "
     "than the treated ones. Their dispatch year stays empty."),
    ("金额一律为万元，当年价，不作物价调整", "Money is in 万元 (10,000 yuan), as booked in "
     "its year, not adjusted for prices."),
    ("不清楚的留空；只有确实没有时填0；不要填“约”“以上”等字样",
     "Leave unknown cells empty; write 0 only where there was none; no words such as “about”."),
    ("不要改动表头，不要合并单元格，不要加合计行；各列说明见表头批注",
     "Keep the header as it is, merge no cells, add no totals; each header has a comment that "
     "explains the column."),
    ("“资金”表每笔一行；归乡镇或县统筹的资金，代码和村留空，填写县和乡镇",
     "Sheet 资金 ledger: one row an amount; for money pooled by a town or county leave code "
     "and village empty. With it the report can say what the money brought."),
    ("“项目”“指标”表可选；没有就留空",
     "Sheets 项目 projects and 指标 indicators are optional; leave them empty if there is "
     "nothing."),
    ("数据能支持到哪一级证据", "What the data will be able to show"),
    *RUNGS,
)  # fmt: skip
_HEADINGS = (1, 4, 12)  # rows of the sheet

TEMPLATE_STUDY = """\
# The study of the workbook 数据.xlsx beside this file. Write your own title, name and source.
version: 1
name: village_study
title: {en: A village programme (write its title), zh: 村级帮扶项目（请填写标题）}
source:
  publisher: {en: The office that filled in the workbook, zh: 填报单位（请填写）}
programme: {name: All, zh: 全部}
# All money is given in prices of base_year.
prices: {basis: nominal, base_year: 2020, index: china}

# Without division codes take out "code: 行政区划代码" in every part: a village is then known
# by county, town and name. Where only the total and the subsidies are known, take out the
# lines of the other kinds of income.
panel:
  file: 数据.xlsx
  sheet: 收入 income
  village: {code: 行政区划代码, county: 县, town: 乡镇, name: 村}
  year: 年份
  treatment: {first_year: 派驻年份}
  income:
    operating: {column: 经营收入, unit: 万元}
    contracted: {column: 发包收入, unit: 万元}
    investment: {column: 投资收益, unit: 万元}
    subsidy: {column: 补助收入, unit: 万元}
    other: {column: 其他收入, unit: 万元}
    total: {column: 年集体经济收入, unit: 万元}
  covariates:
    households: {column: 户数, unit: 户}
    poor_households: {column: 脱贫户数, unit: 户}
    population: {column: 常住人口, unit: 人}
  traits: {dispatching_unit: 派出单位, dispatch_level: 派出层级}
  coordinates: {longitude: 经度, latitude: 纬度}

# Take out each of the parts below whose sheet stays empty.
ledger:
  file: 数据.xlsx
  sheet: 资金 ledger
  village: {code: 行政区划代码, county: 县, town: 乡镇, name: 村}
  year: 年份
  project: 项目
  source: 资金来源
  stage: 阶段
  amount: {column: 金额, unit: 万元}
  # To share pooled money out to villages: shared_by: households

projects:
  file: 数据.xlsx
  sheet: 项目 projects
  village: {code: 行政区划代码, county: 县, town: 乡镇, name: 村}
  project: 项目
  type: 项目类型
  start: 开始年份
  jobs: 带动就业
  expected_return: {column: 预期年收益, unit: 万元}

indicators:
  file: 数据.xlsx
  sheet: 指标 indicators
  village: {code: 行政区划代码, county: 县, town: 乡镇, name: 村}
  year: 年份
  pillar: 方面
  indicator: 指标
  value: 数值
  unit: 单位
"""
"""The study.yml that reads the workbook once it is filled in."""


def write_template_study(folder: Path) -> list[Path]:
    """Write the workbook and its study.yml into a folder, which is made if it is not there.

    Returns
    -------
    The two files.

    Raises
    ------
    DataError
        If one of them is there already; nothing is written then.
    """
    files = [folder / WORKBOOK, folder / "study.yml"]
    if there := [file.name for file in files if file.exists()]:
        raise DataError(f"{folder}: has {', '.join(there)} already; name another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    write_template(files[0])
    files[1].write_text(TEMPLATE_STUDY, encoding="utf-8", newline="\n")
    return files


def write_template(path: Path) -> None:
    """Write the empty workbook: a Read me and four sheets, in Chinese and English.

    Each sheet of data has one header row, whose comments explain the columns, and rules on
    what its cells may hold; no row of it is an example.

    Raises
    ------
    DataError
        If the file is there already.
    """
    workbook = Workbook()
    workbook.properties.creator = "village-evaluation"
    _fill_read_me(workbook.worksheets[0])
    for title, fields in _SHEETS.items():
        _fill_sheet(workbook.create_sheet(title), fields)
    content = io.BytesIO()
    workbook.save(content)
    try:
        with path.open("xb") as file:
            file.write(content.getvalue())
    except FileExistsError:
        raise DataError(f"{path}: is there already; name another folder.") from None


def _fill_read_me(sheet: Worksheet) -> None:
    sheet.title = "说明 Read me"
    for number, texts in enumerate(_READ_ME, 1):
        for column, text in enumerate(texts, 1):
            cell = sheet.cell(number, column, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(bold=number in _HEADINGS)
    for letter in "AB":
        sheet.column_dimensions[letter].width = 70


def _fill_sheet(sheet: Worksheet, fields: tuple[_Field, ...]) -> None:
    sheet.freeze_panes = "E2"  # the header, and the village's code and names
    for number, field in enumerate(fields, 1):
        letter = get_column_letter(number)
        cell = sheet.cell(1, number, field.name)
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE8F3")
        lines = filter(None, (field.english, field.zh, field.en))
        cell.comment = Comment("\n".join(lines), "village-evaluation", width=300, height=120)
        column = sheet.column_dimensions[letter]
        column.width = max(12, 2 * len(field.name) + 4)
        if field.rule == "code":
            column.number_format = "@"
        if field.rule:
            rule = DataValidation(
                **_RULES[field.rule],
                allow_blank=True,
                showErrorMessage=True,
                errorTitle=field.name,
                error=field.zh,
            )
            rule.add(f"{letter}2:{letter}1048576")
            sheet.add_data_validation(rule)
