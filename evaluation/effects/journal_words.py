"""The words of a journal's table, in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from evaluation.effects.setup import Estimator

Language = Literal["en", "zh"]

ORDER: tuple[Estimator, ...] = (
    "twfe", "imputation", "callaway_santanna", "sun_abraham", "synthetic_did", "matched_did",
)  # fmt: skip
"""The order of a table's columns: the oldest estimator first, as readers know it."""

_HEADS: Mapping[Estimator, tuple[str, str]] = {
    "twfe": ("TWFE", "双向\n固定效应"),
    "imputation": ("Imputation", "插补\n估计量"),
    "callaway_santanna": ("Callaway,\nSant'Anna", "Callaway,\nSant'Anna"),
    "sun_abraham": ("Sun,\nAbraham", "Sun,\nAbraham"),
    "synthetic_did": ("Synthetic\nDiD", "合成\n双重差分"),
    "matched_did": ("Matched\nDiD", "匹配\n双重差分"),
}

SOURCES: Mapping[Estimator, str] = {
    "imputation": "Borusyak, Jaravel, Spiess 2024, doi:10.1093/restud/rdae007",
    "callaway_santanna": "Callaway, Sant'Anna 2021, doi:10.1016/j.jeconom.2020.12.001",
    "sun_abraham": "Sun, Abraham 2021, doi:10.1016/j.jeconom.2020.09.006",
    "synthetic_did": "Arkhangelsky et al. 2021, doi:10.1257/aer.20190159",
}

MATCHING: Mapping[str, str] = {
    "entropy": "Hainmueller 2012, doi:10.1093/pan/mpr025",
    "propensity": "Abadie 2005, doi:10.1111/0034-6527.00321",
}

_WORDS: Mapping[str, tuple[str, str]] = {
    "caption": (
        "Average effect of the programme on {outcome}",
        "项目对{outcome}的平均处理效应",
    ),
    "caption_bare": ("Average effect of the programme", "项目的平均处理效应"),
    "outcome": ("Outcome: {outcome}.", "结果变量：{outcome}。"),
    "all": ("All treated years", "全部处理年份"),
    "events": ("By years since treatment", "按处理后年数"),
    "sample": ("Estimation and sample", "估计方法与样本"),
    "estimate": ("Average effect", "平均处理效应"),
    "se": ("Standard error", "标准误"),
    "interval": ("{level} interval", "{level} 置信区间"),
    "p": ("p-value", "p 值"),
    "comparison": ("Comparison", "对照组"),
    "not_yet_treated": ("not yet treated", "尚未处理"),
    "never_treated": ("never treated", "从未处理"),
    "last_treated": ("last treated", "最后处理"),
    "everybody": ("all, also treated", "全部（含已处理）"),
    "covariates": ("Covariates", "协变量"),
    "none": ("none", "无"),
    "year_effects": ("Year effects", "年份效应"),
    "common": ("common", "共同"),
    "by_county": ("by county", "分县"),
    "clusters": ("Clusters", "聚类层级（聚类数）"),
    "county": ("county", "县"),
    "town": ("town", "乡镇"),
    "village": ("village", "村"),
    "villages": ("Treated villages", "处理组村庄数"),
    "cells": ("Treated village-years", "处理组样本量（村庄-年）"),
    "panel": (
        "The panel has {cells} village-years of {villages} villages, {treated} of them treated "
        "and {others} not treated in these years; estimators use those that they can.",
        "面板含 {villages} 个村庄、{cells} 个村庄-年，其中处理组 {treated} 个、样本期内未处理 "
        "{others} 个；各估计量使用其中可用的部分。",
    ),
    "given": (
        "Intervals with year effects by county take counties as given and {places} as "
        "independent of one another.",
        "采用分县年份效应，置信区间视各县为既定，并假定各{places}相互独立。",
    ),
    "mean": ("Comparison mean before", "对照组处理前均值"),
    "simulated": ("SIMULATED data.", "模拟数据（SIMULATED）。"),
    "unit": ("Effects in {unit}.", "效应单位：{unit}。"),
    "brackets": (
        "Standard errors in parentheses, {level} intervals in brackets.",
        "圆括号内为标准误，方括号内为 {level} 置信区间。",
    ),
    "clustered": ("errors clustered, Student's t", "聚类稳健标准误，t 分布"),
    "wild bootstrap": (
        "as there are fewer than 30 clusters, jackknife standard errors, and intervals and "
        "p-values of a wild cluster bootstrap with the null imposed",
        "聚类数不足 30，标准误由刀切法、置信区间与 p 值由施加原假设的野聚类自助法得出",
    ),
    "placebos": (
        "intervals from the same contrast in untreated {places}",
        "置信区间由未处理的{places}的同一对比得出",
    ),
    "no_interval": ("no interval", "无置信区间"),
    "not_estimated": ("Not estimated: {told}.", "未能估计：{told}。"),
    "mean_note": (
        "Comparison mean before: of villages not treated in these years, before any other is.",
        "对照组处理前均值：样本期内未处理的村庄在首个村庄接受处理之前的均值。",
    ),
    "sources": ("Sources: {told}.", "方法来源：{told}。"),
    "stars": ("*** p < .01, ** p < .05, * p < .1.", "*** p < 0.01，** p < 0.05，* p < 0.1。"),
    "county_plural": ("counties", "县"),
    "town_plural": ("towns", "乡镇"),
    "village_plural": ("villages", "村"),
    ", ": (", ", "、"),
    "; ": ("; ", "；"),
    ": ": (": ", "："),
    "end": (".", "。"),
    "next": (". ", "。"),
    "every": ("All columns", "各列"),
    " ": (" ", ""),
}

LANGUAGES: tuple[Language, ...] = get_args(Language)
HEADS: Mapping[Language, Mapping[Estimator, str]] = {
    language: {name: heads[at] for name, heads in _HEADS.items()}
    for at, language in enumerate(LANGUAGES)
}
WORDS: Mapping[Language, Mapping[str, str]] = {
    language: {key: told[at] for key, told in _WORDS.items()}
    for at, language in enumerate(LANGUAGES)
}

CHINESE = re.compile(r"[\u2e80-\u9fff\uf900-\ufaff]")
OF_EVENTS = (r"before treatment", r"event time -?\d", r"second reference")
OF_TWFE_EVENTS = (r"measured from event times", r"not identified")
"""Parts of notes that concern effects by years since treatment alone."""

_CODE = re.compile(r"\w+=['\[]|^(Add|Leave out|Name|Take|Compare) ")  # advice, not a finding
_PLAIN = (
    (r"^(\w+): (?=no )", ""),  # the estimator, which a note has named
    (r"^\w+ needs (covariates to match villages on): .*", r"it needs \1"),
)
_CHINESE = (
    (
        r"(\d+) clusters, which count as ([\d.]+) equal ones",
        r"\1 个聚类，相当于 \2 个等大的聚类",
    ),
    (r"(\d+) clusters", r"\1 个聚类"),
    (r"(\d+%) needs (\d+).*", r"\1 置信区间至少需要 \2 个"),
    (
        r"without one of the clusters the average is not identified",
        "去掉其中一个聚类后效应不可识别",
    ),
    (
        r"estimates without single clusters, (\d+) of them, lie on one side of it",
        r"逐一去掉 \1 个聚类所得的估计值偏在原估计值一侧",
    ),
    (
        r"one cluster holds all its treated or all its comparison villages",
        "处理组或对照组村庄全在同一个聚类",
    ),
    (r"it is fitted exactly: no error to judge by", "完全拟合，没有可据以推断的误差"),
    (r"no gain to average", "没有可平均的增收"),
    (r"the clusters do not differ", "各聚类之间没有差异"),
    (r"not identified", "不可识别"),
    (r"no variation", "没有变异"),
    (
        r"Effects are measured from all untreated years, coefficients before treatment from "
        r"the earliest ones",
        "处理后的效应以全部未处理年份为基准，处理前的系数以最早的年份为基准",
    ),
    (r"Covariates are not used", "不使用协变量"),
    (
        r"Left out: ([\d,]+) villages without an outcome in every year used",
        r"剔除 \1 个年份不全的村庄",
    ),
    (r"([\d,]+) villages without an outcome in every year used", r"剔除 \1 个年份不全的村庄"),
    (r"([\d,]+) of these treated", r"其中处理组 \1 个"),
    (
        r"(?:Left out: )?([\d,]+) treated villages with nothing to compare with",
        r"剔除 \1 个没有可比对照的处理组村庄",
    ),
    (
        r"(?:Left out: )?([\d,]+) treated villages that serve as comparison",
        r"\1 个处理组村庄用作对照",
    ),
    (
        r"([\d,]+) of ([\d,]+) cohort-years left out: no treated village is known in both "
        r"years \([\d,]+\)",
        r"\2 个组群-年份中剔除 \1 个：没有两年均有数据的处理组村庄",
    ),
    (
        r"([\d,]+) of ([\d,]+) cohort-years left out: .*",
        r"\2 个组群-年份中剔除 \1 个无法比较的",
    ),
    (
        r"([\d,]+) treated villages take no part: not known .*",
        r"\1 个处理组村庄因基准年或处理后年份缺失而未参与估计",
    ),
    (
        r"The weighted comparison villages count as ([\d.,]+) equal ones where they are fewest",
        r"加权后的对照村庄最少时相当于 \1 个等权村庄",
    ),
    (
        r"No standard error where all rests on one cluster: event time (.+)",
        r"全部依赖于一个聚类的时期没有标准误：处理后第 \1 年",
    ),
    (r"No standard errors: all rests on one cluster", "全部依赖于一个聚类，没有标准误"),
    (
        r"([\d,]+) village-years alone in their village or year left out",
        r"剔除 \1 个在其村庄或年份中唯一的村庄-年",
    ),
    (r"([\d,]+) village-years without a covariate left out", r"剔除 \1 个缺协变量的村庄-年"),
    (
        r"([\d,]+) villages of cohorts without an earlier year left out",
        r"剔除 \1 个所属组群没有处理前年份的村庄",
    ),
    (r"measured from event times (.+)", r"以处理后第 \1 年为基准"),
    (r"effects in ([\d,]+) village-years are not identified", r"\1 个村庄-年的效应不可识别"),
    (
        r"no village is never treated: the earliest event time is a second reference",
        "没有从未处理的村庄：最早的时期为第二个基准",
    ),
    (
        r"no village is never treated: compared with those treated in (\d+), the last, in the "
        r"years before",
        r"没有从未处理的村庄：以 \1 年最后一批处理的村庄在此之前的年份为对照",
    ),
    (r"it needs covariates to match villages on", "需要指定用于匹配的协变量"),
    (
        r"no cohort can be compared in a treated year: .*",
        "没有组群可在处理后的年份比较",
    ),
    (
        r"no treated cohort has an earlier year and, in its treated years, villages to compare "
        r"with",
        "没有处理组组群既有处理前年份又有可比的村庄",
    ),
    (
        r"no comparison village, or no earlier year, known in every year used",
        "没有在所用年份均有数据的对照村庄或处理前年份",
    ),
    (
        r"Gaps before treatment are what the weights leave: no test of trends",
        "处理前的差距是权重拟合后的余差，不构成对趋势的检验",
    ),
)
"""What estimators and intervals say, and what that is in Chinese."""


def tell(text: str, language: Language, *, without: Sequence[str] = ()) -> str:
    """Give sentences once each, without the last stop, and without advice on options.

    In Chinese, what has no Chinese words is left out; so is, in both, what is like a pattern of
    ``without``.

    Examples
    --------
    >>> tell("4 clusters; 95% needs 6, whose signs can be flipped", "zh")
    '4 个聚类；95% 置信区间至少需要 6 个'
    >>> tell("No cohort. One year. No cohort. Add years.", "en")
    'No cohort. One year'
    """
    told = []
    for sentence in dict.fromkeys(re.split(r"(?<=[^.]\.) ", text.strip())):
        plain = sentence.rstrip(".")
        for pattern, instead in _PLAIN:
            plain = re.sub(pattern, instead, plain)
        if _CODE.search(plain):
            continue
        parts = [
            p for p in plain.split("; ") if not any(re.search(w, p, re.I) for w in without)
        ]
        parts = [_translate(part) if language == "zh" else part for part in parts]
        told.append(WORDS[language]["; "].join(filter(None, parts)))
    joined = WORDS[language]["next"].join(filter(None, told))
    return f"{joined[:1].upper()}{joined[1:]}" if without else joined


def _translate(part: str) -> str:
    for pattern, chinese in _CHINESE:
        if match := re.fullmatch(pattern, part, re.IGNORECASE):
            return match.expand(chinese)
    return ""
