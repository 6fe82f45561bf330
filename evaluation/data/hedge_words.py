"""The words that hedge a figure in a Chinese text, by what they do to the number."""

import re

from evaluation.errors import DataError

# What a word does to the number beside it.
_BEFORE = {
    "above": "超过 超出 超 突破 高于 大于 多于 逾 过",
    "at_least": "不少于 不低于 不小于 至少 上",
    "below": "不足 不到 未满 不满 低于 少于 小于",
    "at_most": "不超过 不多于 不高于 至多 最多",
    "nearly": "将近 接近 近",
    "about": "大约 大概 约",
    "reaches": "达到 达",
    "mean": "平均 人均 户均 村均 年均",
    "total": "合计 总计 累计 共计 总共 共",
    "every": "全部 每个 每村 每户 每人 每 均 各 都",
    "neutral": "经过 通过 历时 过去 每年 可实现 实现 可 第 等",
}
_AFTER = {
    "remainder": "余 多",
    "at_least": "及以上 以上",
    "at_most": "及以下 以下 以内",
    "about": "左右 上下",
}
# Words in the hedge column that qualify a claim but bound no number.
_EVALUATIVE = "等 始终 显著 全面 有效 定期 有力 持续 超额 明显 更 各 基本 进一步"


def _kinds(table: dict[str, str]) -> dict[str, str]:
    return {word: kind for kind, words in table.items() for word in words.split()}


LIMITS = {"above", "at_least", "below", "at_most"}
BOUNDING = {*LIMITS, "nearly", "about", "remainder"}
BEFORE, AFTER = _kinds(_BEFORE), _kinds(_AFTER)
HEDGES = frozenset([*BEFORE, *AFTER, *_EVALUATIVE.split(), "几", "数"])
"""Every word that is understood around a figure or in a hedge column."""


def bounds_a_number(word: str) -> bool:
    """Whether a hedge word bounds the number that it stands beside."""
    return {BEFORE.get(word), AFTER.get(word)} & BOUNDING != set()


def check_hedge_words(cell: str) -> tuple[str, ...]:
    """Split a hedge column's cell ("全部;以上", "余(before 万)") into known words.

    Raises
    ------
    DataError
        If a word is not known.
    """
    words = [re.sub(r"[（(].*?[)）]", "", word).strip() for word in re.split("[;；]", cell)]
    for word in filter(None, words):
        if word not in HEDGES:
            raise DataError(
                f"the hedge {word!r} is not known; known: {' '.join(sorted(HEDGES))}. "
                "If it bounds no number, leave the hedge empty and keep the word in the note."
            )
    return tuple(filter(None, words))
