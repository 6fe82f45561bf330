"""Words that a report uses, in both languages, with what they mean."""

from __future__ import annotations

from typing import NamedTuple

from evaluation.language import mark, say, spoken


class Term(NamedTuple):
    """A word, its Chinese, and its meaning; the meaning is said where it is shown.

    ``signs`` are what shows, in either language, that a report uses it, parted by bars.
    """

    en: str
    zh: str
    meaning: str
    signs: str


def used_terms(text: str) -> list[Term]:
    """Give the terms that a text in the language spoken uses, in its alphabet's order."""
    text = text.lower()
    used = [term for term in TERMS if any(sign in text for sign in term.signs.split("|"))]
    return used if spoken() == "zh" else sorted(used, key=lambda term: term.en.lower())


def explain(term: Term) -> str:
    """Give a term's meaning in the language spoken."""
    return say(term.meaning)


TERMS = (
    Term(
        "average effect (ATT)", "平均处理效应（ATT）",
        mark("The mean gain over treated villages and their treated years."),
        "average effect|平均处理效应",
    ),
    Term(
        "before-after change", "前后变化",
        mark("Mean outcome after treatment less that before: no effect, as nothing is held "
             "against it."),
        "before-after|before to after|前后变化",
    ),
    Term(
        "bounds", "上下界",
        mark("The smallest and the largest value that a hedged figure or an assumption leaves "
             "possible; [ and ] include the end, ( and ) do not."),
        "bounds|上下界",
    ),
    Term(
        "break-even trend", "盈亏平衡趋势",
        mark("The rise a year without the programme that would explain the whole change."),
        "break-even|盈亏平衡",
    ),
    Term(
        "check", "检验",
        mark("A question put to the data that could show the effect to be wrong; it passes, "
             "fails, gives no verdict, or is not possible."),
        " checks|检验",
    ),
    Term(
        "claim", "陈述", mark("One statement of a text on one indicator."), "claim|陈述",
    ),
    Term(
        "clustered errors", "聚类误差",
        mark("Errors that allow for villages in one place going together."),
        "clustered|聚类",
    ),
    Term(
        "cohort", "处理批次", mark("The villages first treated in the same year."),
        "cohort|处理批次",
    ),
    Term(
        "collective income", "村集体收入",
        mark("Income of the village as an economic unit, not of its households."),
        "collective income|集体收入",
    ),
    Term(
        "comparison village", "对照村",
        mark("A village without the programme, or one not yet in it."),
        "comparison village|对照村",
    ),
    Term(
        "confidence interval", "置信区间",
        mark("A range made by a rule whose ranges hold the true value as often as stated, 95% "
             "say, if its assumptions are right."),
        "confidence interval|% interval|置信区间",
    ),
    Term(
        "counterfactual", "反事实",
        mark("What would have been without the programme; never observed."),
        "counterfactual|would have been|反事实",
    ),
    Term(
        "data envelopment analysis", "数据包络分析",
        mark("Holds each unit against the best observed ones with no more input."),
        "envelopment|数据包络",
    ),
    Term(
        "event time", "事件时间", mark("A year less the first treated year."),
        "event time|years since treatment|事件时间|距处理年数",
    ),
    Term(
        "false discovery rate", "错误发现率",
        mark("The expected share of wrong ones among those selected."),
        "false discovery|错误发现率",
    ),
    Term(
        "Fieller's set", "Fieller 置信集",
        mark("A confidence set of a ratio, which may have no end."), "fieller",
    ),
    Term(
        "gain", "增收额",
        mark("What a village has beyond what it is estimated to have had without the "
             "programme."),
        "gains|增收额",
    ),
    Term(
        "hedged figure", "模糊数字",
        mark("A figure that its text leaves open, such as 3300余万元 (over 33 million yuan)."),
        "hedge|模糊",
    ),
    Term(
        "imputation", "插补估计量",
        mark("An estimator that predicts what treated villages would have had from all "
             "untreated village-years."),
        "imputation|插补",
    ),
    Term(
        "leverage", "撬动比",
        mark("Other money for each fiscal yuan, as recorded; not money that was drawn in."),
        "leverage|other money|撬动比",
    ),
    Term(
        "marginal value of public funds (MVPF)", "公共资金边际价值（MVPF）",
        mark("What a policy is worth to those who gain by it, over what it costs the public "
             "purse in the end."),
        "marginal value of public funds|公共资金边际价值",
    ),
    Term(
        "net present value", "净现值",
        mark("Benefits less costs of all years, later ones discounted."),
        "net present value|净现值",
    ),
    Term(
        "parallel trends", "平行趋势",
        mark("The assumption that treated villages would have changed as the others did."),
        "parallel|平行趋势",
    ),
    Term(
        "placebo", "安慰剂",
        mark("The same estimate where the truth is known to be zero."), "placebo|安慰剂",
    ),
    Term(
        "prices of a year", "不变价",
        mark("Money with the rise in prices since, or until, that year taken out."),
        "prices of|年价格|不变价",
    ),
    Term(
        "rung of evidence", "证据层级",
        mark("How far the data of a study allow to conclude: claims, changes, or effects."),
        "rung|证据层级",
    ),
    Term(
        "shrinkage", "收缩",
        mark("Noisy gains of villages are drawn towards what villages like them gain."),
        "shrunken|shrinkage|收缩",
    ),
    Term(
        "strict, loose reading", "从严、从宽解读",
        mark("Of a hedge: what its words say literally, or what they may be meant to say."),
        "loose|从宽",
    ),
    Term(
        "TWFE", "双向固定效应（TWFE）",
        mark("Regression on village and year effects, which also compares with villages "
             "already treated."),
        "twfe|two-way fixed|双向固定效应",
    ),
    Term(
        "uses, sources of money", "投入、争取",
        mark("What was spent and what was raised: they may be the same money and are not added "
             "up."),
        "sources|争取",
    ),
    Term(
        "wild bootstrap", "野蛮自助法（wild bootstrap）",
        mark("Errors are flipped in sign at random, place by place, to see what chance alone "
             "would give."),
        "wild bootstrap",
    ),
)  # fmt: skip
"""Consistent with docs/glossary.md."""
