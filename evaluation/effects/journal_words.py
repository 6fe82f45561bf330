"""The words of a journal's table, in English and in Chinese."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
    "villages": ("Villages: treated / in panel", "村庄数：处理组 / 面板"),
    "cells": ("Village-years: treated / in panel", "样本量（村庄-年）：处理组 / 面板"),
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
    "no_interval": ("no interval, as {reason}", "无置信区间：{reason}"),
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

_CHINESE = (
    (
        r"(\d+) clusters, which count as ([\d.]+) equal ones; (\d+%) needs (\d+)",
        r"\1 个聚类，相当于 \2 个等大的聚类；\3 置信区间至少需要 \4 个",
    ),
    (r"(\d+) clusters; (\d+%) needs (\d+).*", r"\1 个聚类；\2 置信区间至少需要 \3 个"),
    (
        r"without one of the clusters the average is not identified",
        "去掉其中一个聚类后效应不可识别",
    ),
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
        r"Left out: ([\d,]+) villages without an outcome in every year used; ([\d,]+) of these "
        r"treated",
        r"剔除 \1 个年份不全的村庄，其中处理组 \2 个",
    ),
    (
        r"([\d,]+) treated villages take no part: not known in the year that changes .*",
        r"\1 个处理组村庄因基准年或处理后年份缺失而未参与估计",
    ),
    (
        r"The weighted comparison villages count as ([\d.,]+) equal ones where they are fewest",
        r"加权后的对照村庄最少时相当于 \1 个等权村庄",
    ),
    (r"matched_did needs covariates to match villages on: .*", "需要指定用于匹配的协变量"),
    (
        r"Gaps before treatment are what the weights leave: no test of trends",
        "处理前的差距是权重拟合后的余差，不构成对趋势的检验",
    ),
)
"""What estimators and intervals say, and what that is in Chinese."""


def tell(text: str, language: Language) -> str:
    """Give sentences once each, in Chinese as far as they are known; without the last stop.

    Examples
    --------
    >>> tell("4 clusters; 95% needs 6, whose signs can be flipped", "zh")
    '4 个聚类；95% 置信区间至少需要 6 个'
    >>> tell("No cohort. One year. No cohort.", "en")
    'No cohort. One year'
    """
    sentences = dict.fromkeys(re.split(r"(?<=[^.]\.) ", text.strip()))
    told = [_translate(sentence.rstrip("."), language) for sentence in sentences]
    return WORDS[language]["next"].join(told)


def _translate(sentence: str, language: Language) -> str:
    for pattern, chinese in _CHINESE if language == "zh" else ():
        if match := re.fullmatch(pattern, sentence):
            return match.expand(chinese)
    return sentence
