"""What columns are called in the files that researchers have, in Chinese and English."""

import re

_NAMES = {
    "code": "行政区划代码 区划代码 统计用区划代码 村代码 村级代码 行政村代码 "
    "village_code villcode",
    "id": "vill_id village_id villid vill 村编号 村庄编号 unit_id",
    "name": "村 村名 村庄 行政村 村名称 村庄名称 行政村名称 village village_name",
    "town": "乡镇 乡镇街道 镇 乡 街道 乡镇名称 town township",
    "county": "县 县区 区县 县市区 市县 县名 县名称 county district province prov_id 省",
    "year": "年份 年度 年 year",
    "operating": "经营收入 经营性收入 村集体经营收入 operating_income operating",
    "contracted": "发包收入 发包及上交收入 承包收入 contracted contract_income",
    "investment": "投资收益 投资收入 investment_income",
    "subsidy": "补助收入 补助 财政补助 财政补助收入 补贴收入 转移支付 subsidy "
    "subsidies subsidy_income",
    "other": "其他收入 其它收入 other_income",
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
    "weights": "weight weights 权重 hhweight",
    "longitude": "经度 longitude lon lng",
    "latitude": "纬度 latitude lat",
    "source": "资金来源 来源 经费来源 source funding_source",
    "amount": "金额 资金金额 资金 投入金额 amount cost",
    "stage": "阶段 资金阶段 资金状态 状态 stage",
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
_ALIASES = {role: names.split() for role, names in _NAMES.items()}
_BRACKETS = re.compile(r"[（(\[]\s*(?:单位[:：])?\s*([^()（）\[\]]+?)\s*[)）\]]\s*$")


def plain_name(column: str) -> str:
    """Write a column's name without its unit, in small letters and underscores.

    Examples
    --------
    >>> plain_name("经营收入（万元）"), plain_name("Date Project Completed")
    ('经营收入', 'date_project_completed')
    """
    name = re.sub(r"\s+", " ", _BRACKETS.sub("", column)).strip().lower()
    return re.sub(r"[ .]", "_", name)


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
