"""What columns are called, and hold, in the files that researchers have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import pandas as pd

from evaluation.data.cells import read_numbers
from evaluation.data.ledger_reader import SOURCE_WORDS, STAGE_WORDS
from evaluation.data.problems import Problems
from evaluation.data.tables import Table

EARNED = ("operating", "contracted", "investment", "total")
KINDS = (*EARNED[:3], "subsidy", "other", "total")
KEYS = ("code", "id", "county", "town", "name")
_NAMES = {
    "code": "行政区划代码 区划代码 统计用区划代码 村代码 村级代码 行政村代码 "
    "village_code villcode vid",
    "id": "vill_id village_id villid vill vid 村编号 村庄编号 unit_id",
    "name": "村 村名 村庄 行政村 村名称 村庄名称 行政村名称 village village_name vname",
    "town": "乡镇 乡镇街道 镇 乡 街道 乡镇名称 town township",
    "county": "县 县区 区县 县市区 市县 县名 县名称 county district province prov_id 省",
    "year": "年份 年度 年 year yr",
    "operating": "经营收入 经营性收入 村集体经营收入 operating_income operating op_income op",
    "contracted": "发包收入 发包及上交收入 承包收入 contracted contract_income contract",
    "investment": "投资收益 投资收入 investment_income investment inv inv_income",
    "subsidy": "补助收入 补助 财政补助 财政补助收入 补贴收入 转移支付 subsidy "
    "subsidies subsidy_income sub_income",
    "other": "其他收入 其它收入 other_income other",
    "total": "年集体经济收入 集体经济收入 村集体经济收入 村集体收入 集体收入 总收入 "
    "收入合计 collective_income total_income",
    "outcome": "income 收入 人均纯收入 人均可支配收入 logincome lnincome income_pc "
    "exptot consumption",
    "first_year": "派驻年份 入驻年份 选派年份 派驻年度 cohort first_treat first_year "
    "treat_year gvar",
    "date": "派驻时间 派驻日期 入驻时间 选派时间 dispatch_date start_date",
    "treated": "是否派驻 处理 treated treat post d",
    "households": "户数 总户数 农户数 households hh #_of_hh n_hh",
    "poor_households": "脱贫户数 贫困户数 建档立卡户数 脱贫户 poor_households",
    "population": "常住人口 人口 总人口 户籍人口 population pop #_of_people zpop",
    "dispatching_unit": "派出单位 派驻单位 选派单位 帮扶单位 派出单位名称 dispatching_unit "
    "sending_unit",
    "dispatch_level": "派出层级 派驻层级 选派层级 单位层级 派出级别 dispatch_level",
    "weights": "weight weights 权重 hhweight",
    "longitude": "经度 longitude lon lng",
    "latitude": "纬度 latitude lat",
    "source": "资金来源 来源 经费来源 source funding_source",
    "amount": "金额 资金金额 资金 投入金额 amount cost",
    "stage": "阶段 资金阶段 环节 资金环节 资金状态 状态 进度 资金进度 使用情况 stage",
    "project": "项目 项目名称 project project_name",
    "type": "项目类型 项目类别 project_type type",
    "start": "开始年份 开工时间 开始时间 建设年份 start start_year",
    "jobs": "带动就业 就业人数 带动就业人数 jobs",
    "expected_return": "预期年收益 年收益 预期收益 expected_return",
    "pillar": "方面 支柱 类别 pillar",
    "indicator": "指标 指标名称 indicator",
    "value": "数值 指标值 值 value",
    "unit": "单位 计量单位 unit",
}
_STAGE_OF, _SOURCE_OF = (
    {word: name for name, words in known.items() for word in (name, *words.split())}
    for known in (STAGE_WORDS, SOURCE_WORDS)
)
CELL_WORDS = {"stage": set(_STAGE_OF), "source": set(_SOURCE_OF)}
_SOURCE_PART = re.compile("财政|派出单位|派驻单位|社会|捐赠|信贷|贷款|自筹|合计|总计|小计")
_WIDE = re.compile(r"(?P<before>.*?)(?<!\d)(?P<year>(?:19|20)\d\d)(?!\d)(?P<after>.*)")
_LEAST_YEARS = 3  # in a row, for columns of numbers to be one variable by year
_ALIASES = {role: names.split() for role, names in _NAMES.items()}
_BRACKETS = re.compile(r"[（(\[]\s*(?:单位[:：])?\s*([^()（）\[\]]+?)\s*[)）\]]\s*$")


@dataclass(slots=True)
class GuessedFile:
    """A file, or a sheet of it, with its columns' roles as far as they were guessed."""

    file: str
    table: Table
    sheet: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    others: dict[str, list[str]] = field(default_factory=dict)
    years: list[int] = field(default_factory=list)  # that columns of a wide file are named by

    def has(self, *roles: str) -> bool:
        """Whether columns were found for all these roles."""
        return all(role in self.roles for role in roles)

    def columns(self, roles: Iterable[str]) -> list[str]:
        """Give the columns of those of the roles that were found."""
        return [self.roles[role] for role in roles if role in self.roles]


def plain_name(column: str) -> str:
    """Write a column's name without its unit and {year}, in small letters and underscores.

    Examples
    --------
    >>> plain_name("经营收入（万元）"), plain_name("Date Project Completed")
    ('经营收入', 'date_project_completed')
    """
    name = re.sub(r"\{year\}(年度?)?", "", _BRACKETS.sub("", column))
    return re.sub(r"[\s.]+", "_", name.strip("_ \t\n")).lower()


def named_unit(text: str) -> str:
    """Give the unit that a header or a title ends in, in brackets; '' without one."""
    match = _BRACKETS.search(text)
    return match[1] if match else ""


def score_name(column: str, role: str) -> int:
    """Say how well a column's name fits a role: 3 as it stands, 1 as a part of it, else 0."""
    name = plain_name(column)
    aliases = _ALIASES[role]
    if name in aliases:
        return 100 - aliases.index(name)
    parts = [alias for alias in aliases if len(alias) > 1 and not alias.isascii()]
    return 1 if any(alias in name for alias in parts) else 0


def join_years(table: Table) -> tuple[Table, list[int]]:
    """Take columns that stand once a year for one, with {year} in its name; give the years."""
    found: dict[str, dict[int, str]] = {}
    for column in map(str, table.frame.columns):
        if (match := _WIDE.fullmatch(column)) and is_number(table, column):
            pattern = f"{match['before']}{{year}}{match['after']}"
            found.setdefault(pattern, {})[int(match["year"])] = column
    named: dict[str, str] = {}
    joined: set[int] = set()
    for pattern, years in found.items():
        is_income = any(score_name(pattern, role) for role in (*KINDS, "outcome"))
        if is_income or any({y + i for i in range(_LEAST_YEARS)} <= {*years} for y in years):
            joined |= {*years}
            named |= dict.fromkeys(years.values(), pattern)
    frame = table.frame.rename(columns=named)
    return replace(table, frame=frame.loc[:, ~frame.columns.duplicated()]), sorted(joined)


def find_staged(table: Table) -> dict[str, list[tuple[str, str]]]:
    """Give columns such as 到位资金_县财政 by stage, each with its source ('' if it has none).

    The first stage has two sources or more; empty where none has, but for totals.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for column in map(str, table.frame.columns):
        first, *rest = re.split(r"[_—:：-]+", plain_name(column))
        stage, source = _stage_of(first), _source_of(rest[-1] if rest else "")
        if not stage and rest and _source_of(first):
            stage, source = _stage_of(rest[-1]), _source_of(first)
        if stage and rest and is_number(table, column):
            found.setdefault(stage, []).append((source, column))
    named = {stage: [s for s, _ in pairs if s] for stage, pairs in found.items()}
    first = next((s for s, n in named.items() if len(n) > 1 and {*n} != {"total"}), "")
    return {first: found.pop(first), **found} if first else {}


def _stage_of(text: str) -> str:
    at = [(text.index(word), -len(word), word) for word in _STAGE_OF if word in text]
    return _STAGE_OF[min(at)[2]] if at else ""


def _source_of(text: str) -> str:
    part = _SOURCE_PART.search(text)
    return _SOURCE_OF.get(text) or (_SOURCE_OF[part[0]] if part else "")


def is_number(table: Table, column: str) -> bool:
    """Whether nine cells of ten are numbers."""
    if pd.api.types.is_numeric_dtype(table.frame[column]):
        return True
    problems = Problems()
    numbers = read_numbers(table, column, problems, keep_hedged=True)
    wrong = sum(problem.count for problem in problems.errors)
    return wrong <= len(numbers.values) / 10 and len(numbers.values) > wrong
