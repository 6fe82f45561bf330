"""Units as Chinese texts print them: how many of the plain unit one of them is."""

from dataclasses import dataclass

from evaluation.errors import DataError

SCALES = {"十": 10, "百": 100, "千": 1_000, "万": 10_000, "亿": 100_000_000}

# Spellings of one unit, to the one that is shown.
_SYNONYMS = {"平方米": "平米", "㎡": "平米", "m2": "平米", "圆": "元", "人民币": "元"}
# 人次 counts visits, 人 persons; 户 counts households, 处 places: never the same thing.
_WORDS = """
元 平米 亩 公顷 公里 米 吨 公斤 斤 个 支 次 人 人次 名 位 栋 座 株 棵 头 只 类 项 种
户 处 所 家 村 轮 届 期 条 盏 件 套 台 辆 场 眼 口 份 本 年 月 天 倍 %
"""
_PLAIN = frozenset(_WORDS.split())


_LARGEST = 10**16


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: ``factor`` of ``plain`` (万元: 10,000 of 元), perhaps ``per`` another."""

    plain: str
    factor: int
    per: str = ""

    @property
    def is_money(self) -> bool:
        """Whether an amount in this unit is a sum of money."""
        return self.plain == "元"

    def same_kind(self, other: "Unit") -> bool:
        """Whether amounts in both units can be compared once scaled."""
        return (self.plain, self.per) == (other.plain, other.per)


def parse_unit(text: str) -> Unit:
    """Read a unit such as 个, 万元, 万平米 or 万元/年.

    Raises
    ------
    DataError
        If the unit is not known.

    Examples
    --------
    >>> parse_unit("万元/年")
    Unit(plain='元', factor=10000, per='年')
    >>> parse_unit("平方米").same_kind(parse_unit("万平米"))
    True
    """
    head, _, per = text.partition("/")
    factor = 1
    while head not in _SYNONYMS and head not in _PLAIN and head[:1] in SCALES:
        factor *= SCALES[head[0]]
        head = head[1:]
    plain, per = _SYNONYMS.get(head, head), _SYNONYMS.get(per, per)
    if factor > _LARGEST:
        raise DataError(f"the unit {text!r} is larger than 亿亿.")
    for name in (plain, per) if "/" in text else (plain,):
        if name not in _PLAIN:
            raise DataError(
                f"unknown unit {text!r}; use one of {' '.join(sorted(_PLAIN))}, "
                "with 千, 万 or 亿 before it and '/年' or the like behind it."
            )
    return Unit(plain, factor, per)


def check_unit(text: str) -> str:
    """Give a unit back as it stands if it is known, or empty where there is none."""
    if text:
        parse_unit(text)
    return text


def unit_prefixes() -> tuple[str, ...]:
    """List every spelling of a plain unit, longest first (人次 before 人)."""
    return tuple(sorted(_PLAIN | set(_SYNONYMS), key=len, reverse=True))
