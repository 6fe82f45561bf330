import re

import pytest

from evaluation.data.units import Unit, parse_unit, unit_prefixes
from evaluation.errors import DataError


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("个", Unit("个", 1)),
        ("万元", Unit("元", 10_000)),
        ("亿元", Unit("元", 100_000_000)),
        ("百万元", Unit("元", 1_000_000)),  # 100 * 10,000
        ("万元/年", Unit("元", 10_000, "年")),
        ("元/平方米", Unit("元", 1, "平米")),
        ("万平方米", Unit("平米", 10_000)),
        ("㎡", Unit("平米", 1)),
        ("千株", Unit("株", 1_000)),
        ("人次", Unit("人次", 1)),
        ("%", Unit("%", 1)),
    ],
)
def test_unit(text, unit):
    assert parse_unit(text) == unit


@pytest.mark.parametrize(
    "text", ["", "万", "万员", "元元", "元/", "元/周", "元/年/月", "/年", "万元 ", "元万"]
)
def test_unknown_unit_is_an_error(text):
    with pytest.raises(DataError, match=re.escape(f"unknown unit {text!r}; use one of ")):
        parse_unit(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("万元", "元", True),
        ("平方米", "万平米", True),
        ("万元", "万元/年", False),
        ("人", "人次", False),
        ("户", "处", False),
    ],
)
def test_same_kind(one, other, same):
    assert parse_unit(one).same_kind(parse_unit(other)) is same


def test_only_yuan_are_money():
    assert parse_unit("万元/年").is_money
    assert not parse_unit("万平米").is_money


def test_longer_spellings_come_first():
    spellings = unit_prefixes()
    assert spellings.index("人次") < spellings.index("人")
    assert spellings.index("平方米") < spellings.index("米")
