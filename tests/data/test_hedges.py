import math
import re
from contextlib import suppress
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.bounds import Bounds
from evaluation.data.hedge_words import HEDGES, check_hedge_words
from evaluation.data.hedges import read_figure
from evaluation.errors import DataError

INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")


def interval(text: str) -> Bounds:
    """Read an interval typed as '[10, 11)', or a number."""
    if "," not in text:
        return Bounds.exactly(Fraction(text))
    left, lower, upper, right = INTERVAL.fullmatch(text).groups()
    ends = [math.inf if end == "inf" else Fraction(end) for end in (lower, upper)]
    return Bounds(*ends, left == "[", right == "]")


# Printed, and what it allows strictly and loosely, in the unit printed (10 of 10万).
FIGURES = [
    # 余, 多: below the last digit that is not zero; behind 万, below one 万
    ("3300余万元", "[3300, 3400)", "[3300, 4000)"),
    ("10万余元", "[10, 11)", "[10, 20)"),
    ("10余万元", "[10, 20)", "[10, 20)"),
    ("400余人", "[400, 500)", "[400, 500)"),
    ("150余人", "[150, 160)", "[150, 200)"),
    ("9.8万余元", "[9.8, 9.9)", "[9.8, 10)"),
    ("2万多平米", "[2, 3)", "[2, 3)"),
    ("2000多平方米", "[2000, 3000)", "[2000, 3000)"),
    ("两年多", "[2, 3)", "[2, 3)"),
    # above: the number left out; of every village no loose end either
    ("过亿元", "(1, inf)", "(1, 2)"),
    ("超过10万元", "(10, inf)", "(10, 20)"),
    ("超10万元", "(10, inf)", "(10, 20)"),
    ("超出12个", "(12, inf)", "(12, 20)"),
    ("突破300万元", "(300, inf)", "(300, 400)"),
    ("高于50%", "(50, inf)", "(50, 60)"),
    ("大于5亩", "(5, inf)", "(5, 6)"),
    ("多于5个", "(5, inf)", "(5, 6)"),
    ("逾千人", "(1000, inf)", "(1000, 2000)"),
    ("全部突破10万元", "(10, inf)", "(10, inf)"),
    ("每个超过10万元", "(10, inf)", "(10, inf)"),
    ("均超过10万元", "(10, inf)", "(10, inf)"),
    # at least, at most: the number included
    ("10万元以上", "[10, inf)", "[10, inf)"),
    ("10万元及以上", "[10, inf)", "[10, inf)"),
    ("全部达到10万元以上", "[10, inf)", "[10, inf)"),
    ("不少于5个", "[5, inf)", "[5, inf)"),
    ("不低于5个", "[5, inf)", "[5, inf)"),
    ("不小于5个", "[5, inf)", "[5, inf)"),
    ("至少5个", "[5, inf)", "[5, inf)"),
    ("10万元以下", "[0, 10]", "[0, 10]"),
    ("10万元及以下", "[0, 10]", "[0, 10]"),
    ("3天以内", "[0, 3]", "[0, 3]"),
    ("不超过5个", "[0, 5]", "[0, 5]"),
    ("不多于5个", "[0, 5]", "[0, 5]"),
    ("不高于5个", "[0, 5]", "[0, 5]"),
    ("至多5个", "[0, 5]", "[0, 5]"),
    ("最多5个", "[0, 5]", "[0, 5]"),
    # below: the number left out
    ("不足1.2亿元", "[0, 1.2)", "[0, 1.2)"),
    ("不到5个", "[0, 5)", "[0, 5)"),
    ("未满5年", "[0, 5)", "[0, 5)"),
    ("不满5年", "[0, 5)", "[0, 5)"),
    ("低于5个", "[0, 5)", "[0, 5)"),
    ("少于5个", "[0, 5)", "[0, 5)"),
    ("小于5个", "[0, 5)", "[0, 5)"),
    # nearly: within one of the last digit that is not zero
    ("近3300万元", "(3200, 3300)", "[3000, 3300)"),
    ("将近3300万元", "(3200, 3300)", "[3000, 3300)"),
    ("接近25人", "(24, 25)", "[20, 25)"),
    ("近千人", "(900, 1000)", "[900, 1000)"),
    # about: half of one either way, loosely one
    ("约3300万元", "[3250, 3350)", "[3200, 3400]"),
    ("大约25人", "[24.5, 25.5)", "[24, 26]"),
    ("大概25人", "[24.5, 25.5)", "[24, 26]"),
    ("3000人左右", "[2500, 3500)", "[2000, 4000]"),
    ("25人上下", "[24.5, 25.5)", "[24, 26]"),
    # reaches: loosely a floor, unless of a total or a mean
    ("达到20万元", "20", "[20, inf)"),
    ("达20万元", "20", "[20, inf)"),
    ("均达到10万元", "10", "[10, inf)"),
    ("合计达313万元", "313", "313"),
    # decimals and means are rounded
    ("合计达313.5万元", "[313.45, 313.55)", "[313.45, 313.55)"),
    ("平均达到15.68万元", "[15.675, 15.685)", "[15.675, 15.685)"),
    ("平均16万元", "[15.5, 16.5)", "[15.5, 16.5)"),
    ("人均5000元", "[4999.5, 5000.5)", "[4999.5, 5000.5)"),
    ("1.2亿元", "[1.15, 1.25)", "[1.15, 1.25)"),
    ("1.20亿元", "[1.195, 1.205)", "[1.195, 1.205)"),
    # totals, shares and filler words bound nothing
    ("共2617万元", "2617", "2617"),
    ("累计2617人次", "2617", "2617"),
    ("总计5个", "5", "5"),
    ("每个5万元", "5", "5"),
    ("经过两年", "2", "2"),
    ("通过3个", "3", "3"),
    ("每年可实现35万元", "35", "35"),
    ("第四轮", "4", "4"),
    # how numbers are written
    ("0个", "0", "0"),
    ("100%", "100", "100"),
    ("3千万元", "3", "3"),
    ("5百人", "5", "5"),
    ("百万元", "100", "100"),
    ("１０多家", "[10, 20)", "[10, 20)"),
    ("３３００万元", "3300", "3300"),
    ("1,132万元", "1132", "1132"),
    ("1，132万元", "1132", "1132"),
    ("3,300余万元", "[3300, 3400)", "[3300, 4000)"),
    ("1 132 万元", "1132", "1132"),
    # Chinese numerals
    ("两千余", "[2000, 3000)", "[2000, 3000)"),
    ("二十余人", "[20, 30)", "[20, 30)"),
    ("百余人", "[100, 200)", "[100, 200)"),
    ("一百二十人", "120", "120"),
    ("一百零五人", "105", "105"),
    ("一千零五人", "1005", "1005"),
    ("一千零五十人", "1050", "1050"),
    ("一千二百三十四人", "1234", "1234"),
    ("两百亿元", "200", "200"),
    ("十二个", "12", "12"),
    ("十几人", "[11, 20)", "[11, 20)"),
    ("几十人", "[20, 100)", "[20, 100)"),
    ("几个", "[2, 10)", "[2, 10)"),
    ("数百人", "[200, 1000)", "[200, 1000)"),
]


@pytest.mark.parametrize(("printed", "strict", "loose"), FIGURES)
def test_printed_figure(printed, strict, loose):
    figure = read_figure(printed)
    assert (figure.strict, figure.loose) == (interval(strict), interval(loose))


@pytest.mark.parametrize(
    ("printed", "unit", "strict"),
    [
        ("1.2亿元", "万元", "[11500, 12500)"),  # 1.15 and 1.25 times 10,000
        ("过亿元", "万元", "(10000, inf)"),
        ("9.8万余元", "元", "[98000, 99000)"),
        ("3300万", "万元", "3300"),  # the 元 left out
        ("3300", "万元", "3300"),  # the 万元 left out
        ("10万元", "万元/年", "10"),  # the period left out
        ("2万多平方米", "平米", "[20000, 30000)"),
        ("3千万元", "万元", "3000"),
    ],
)
def test_figure_in_another_unit(printed, unit, strict):
    assert read_figure(printed, unit=unit).strict == interval(strict)


@pytest.mark.parametrize(
    ("printed", "hedges", "every"),
    [
        ("全部突破10万元", ("全部", "突破"), True),
        ("3300余万元", ("余",), False),
        ("合计达313.5万元", ("合计", "达"), False),
        ("每户5亩以上", ("每户", "以上"), True),
        ("经过两年", (), False),
        ("通过3个", (), False),
    ],
)
def test_words_are_listed(printed, hedges, every):
    figure = read_figure(printed)
    assert (figure.hedges, figure.every) == (hedges, every)


@pytest.mark.parametrize(
    ("printed", "says"),
    [
        ("超市3个", "'市3个' is not known"),  # 超市 is a supermarket
        ("将近乎3300万元", "'乎3300万元' is not known"),
        ("3个苹果", "'苹果' is not known"),
        ("3400-3300万元", "the range does not run upwards"),
        ("约20至25万元", "bounds its figure twice"),
        ("均10万元", "均 may be 平均 or 每"),
        ("-5万元", "'-5万元' is not known"),
        ("12,34个", "',34个' is not known"),
        ("一百二", "cannot read the numeral '一百二'"),  # 120 or 102
        ("一千五", "cannot read the numeral '一千五'"),
        ("二〇二一", "cannot read the numeral '二〇二一'"),
        ("零", "cannot read the numeral '零'"),
        ("约10余人", "'约10余人' bounds its figure twice"),
        ("超过5个以上", "bounds its figure twice"),
        ("约几十人", "bounds its figure twice"),
        ("10余万多元", "bounds its figure twice"),
        ("全部", "it holds no number"),
        ("", "it holds no number"),
        ("以下", "it holds no number"),
        ("元", "it holds no number"),
    ],
)
def test_what_cannot_be_read_is_named(printed, says):
    with pytest.raises(DataError, match=re.escape(says)):
        read_figure(printed)


@pytest.mark.parametrize(
    ("printed", "unit", "says"),
    [
        ("10万元", "人", "'10万元' is printed in 元, but its unit is given as 人."),
        ("10人次", "人", "'10人次' is printed in 人次, but its unit is given as 人."),
        ("16户", "处", "'16户' is printed in 户, but its unit is given as 处."),
        ("10万元", "万员", "unknown unit '万员'; use one of "),
    ],
)
def test_unit_of_another_kind_is_an_error(printed, unit, says):
    with pytest.raises(DataError, match=re.escape(says)):
        read_figure(printed, unit=unit)


def test_a_number_too_large_for_a_float_is_read_or_refused():
    digits = "9" * 350
    with suppress(DataError):
        assert read_figure(digits).value == int(digits)


@pytest.mark.parametrize("printed", ["10²人", "①个", "4①个"])
def test_a_footnote_mark_is_not_a_digit(printed):
    with pytest.raises(DataError):
        read_figure(printed)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", ()),
        ("余(before 万)", ("余",)),
        ("全部;以上", ("全部", "以上")),
        ("每个；余（after 万）", ("每个", "余")),
        ("始终", ("始终",)),
    ],
)
def test_hedge_column(cell, words):
    assert check_hedge_words(cell) == words


def test_unknown_word_in_the_hedge_column_is_named():
    with pytest.raises(DataError, match=r"the hedge '大致' is not known; known: .*以上"):
        check_hedge_words("全部;大致")


# -- for any text --------------------------------------------------------------------------

PIECES = [*"0123456789零一二两三四五六七八九十百千万亿几数余多.,，%元人年个/-〇市乎苹", *HEDGES]
PIECES += ["平方米", "人次", "１", "㎡", "½", "²", "①", "٣", " ", "　", "\n"]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join) | st.text(max_size=8))
def test_any_text_is_read_or_refused(text):
    try:
        figure = read_figure(text)
    except DataError:
        return
    # Loose is wider, but for 过 and 超, where it is narrower: one holds the other.
    assert figure.strict.hull(figure.loose) in (figure.strict, figure.loose)


COUNTS = st.integers(0, 99_999)
SCALES = st.sampled_from(["", "十", "百", "千", "万", "亿"])


@given(COUNTS, SCALES, st.sampled_from(["元", "人", "亩", ""]))
def test_a_number_without_a_hedge_is_itself(count, scale, unit):
    figure = read_figure(f"{count}{scale}{unit}")
    assert figure.strict == figure.loose == Bounds.exactly(count)


@given(st.decimals(0, 10_000, places=2), SCALES)
def test_a_decimal_is_rounded_half_up(number, scale):
    figure = read_figure(f"{number}{scale}元")
    half = Fraction(1, 200)
    assert figure.strict == Bounds(figure.value - half, figure.value + half, upper_closed=False)
    assert number in figure.strict


@given(st.integers(1, 99_999), st.sampled_from(["余人", "多人", "人以上", "人以下", "人左右"]))
def test_strict_holds_the_number_where_the_words_include_it(count, words):
    figure = read_figure(f"{count}{words}")
    assert count in figure.strict and count in figure.loose


@given(st.integers(1, 99_999), st.sampled_from(["超过", "突破", "不足", "不到", "近", "接近"]))
def test_strict_leaves_the_number_out_where_the_words_do(count, words):
    figure = read_figure(f"{words}{count}人")
    assert count not in figure.strict and count not in figure.loose


@pytest.mark.parametrize(
    ("printed", "strict", "loose"),
    [
        ("20至25万元", "[20, 25]", "[20, 25]"),
        ("3300-3400万元", "[3300, 3400]", "[3300, 3400]"),
        ("上千人", "[1000, ∞)", "[1000, ∞)"),
        ("25个村", "25", "25"),
        ("5万元/年", "5", "5"),
        ("达到20.5万元", "[20.45, 20.55)", "[20.45, ∞)"),
        ("101余人", "[101, 102)", "[101, 110)"),
    ],
)
def test_other_forms_usual_in_such_texts(printed, strict, loose):
    figure = read_figure(printed)
    assert (str(figure.strict), str(figure.loose)) == (strict, loose)


@pytest.mark.parametrize("printed", ["几十人", "10万元以下", "20至25万元", "过亿元"])
def test_a_range_or_a_limit_is_no_one_number(printed):
    assert read_figure(printed).is_limit
