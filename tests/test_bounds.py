import math
import operator
import re
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from evaluation.bounds import Bounds
from evaluation.errors import DataError

INF = math.inf


def closed(lower, upper):
    return Bounds(lower, upper)


def half_open(lower, upper):
    return Bounds(lower, upper, upper_closed=False)


def opened(lower, upper):
    return Bounds(lower, upper, lower_closed=False, upper_closed=False)


# -- hand-worked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (half_open(3300, 3400) + 2617, half_open(5917, 6017)),  # 3300 + 2617, 3400 + 2617
        (10 - half_open(1, 3), Bounds(7, 9, lower_closed=False)),  # 10 - 3 open, 10 - 1
        (closed(1, 2) - closed(1, 2), closed(-1, 1)),  # twice the same: wide, never wrong
        (closed(-2, 3) * half_open(4, 5), opened(-10, 15)),  # -2 * 5, 3 * 5, 5 never reached
        (closed(-2, 3) * closed(4, 5), closed(-10, 15)),
        (closed(-2, 3) * -1, closed(-3, 2)),
        (half_open(0, 1) * opened(5, 7), half_open(0, 7)),  # 0 * anything is reached
        (opened(0, 1) * closed(5, 7), opened(0, 7)),  # 0 is not
        (closed(0, 1) * Bounds.at_least(1), Bounds.at_least(0)),
        (Bounds.exactly(0) * Bounds(-INF, INF), Bounds.exactly(0)),
        # 2617 / 400 = 6.5425 and 2617 / 500 = 5.234, the 500 open
        (
            2617 / half_open(400, 500),
            Bounds(Fraction("5.234"), Fraction("6.5425"), lower_closed=False),
        ),
        (1 / closed(2, 4), closed(Fraction(1, 4), Fraction(1, 2))),
        (1 / Bounds.at_least(4), Bounds(0, Fraction(1, 4), lower_closed=False)),
        (-closed(1, 2), closed(-2, -1)),
        (0.1 + Bounds.exactly(0.2), Bounds.exactly(Fraction(3, 10))),  # decimals, not binary
        (Bounds.exactly(Decimal("313.5")) / 20, Bounds.exactly(Fraction("15.675"))),
    ],
)
def test_arithmetic_by_hand(result, expected):
    assert result == expected


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (closed(1, 3).maximum(closed(2, 5)), closed(2, 5)),
        (opened(1, 3).maximum(closed(1, 1)), opened(1, 3)),  # above 1, as the first is
        (half_open(1, 3).maximum(closed(2, 3)), closed(2, 3)),  # the second reaches 3
        (closed(1, 3).minimum(half_open(2, 5)), closed(1, 3)),
        (opened(2, 3).minimum(Bounds.at_least(2)), half_open(2, 3)),  # the second reaches 2
        (half_open(1, 2).hull(closed(4, 5)), closed(1, 5)),
        (opened(1, 2).hull(closed(1, 2)), closed(1, 2)),
        (half_open(1, 3).intersect(closed(2, 5)), half_open(2, 3)),
        (closed(1, 2).intersect(closed(2, 3)), Bounds.exactly(2)),
        (half_open(1, 2).intersect(closed(2, 3)), None),  # 2 is in one of them only
        (closed(1, 2).intersect(closed(3, 4)), None),
    ],
)
def test_joins_by_hand(result, expected):
    assert result == expected


@pytest.mark.parametrize(
    ("left", "relation", "right", "answer"),
    [
        (closed(10, 11), "<", Bounds(11, 12, lower_closed=False), "yes"),
        (closed(10, 11), "<", closed(11, 12), "unknown"),  # both may be 11
        (closed(10, 11), "<=", closed(11, 12), "yes"),
        (closed(11, 12), "<", closed(10, 11), "no"),  # at best 11 < 11
        (closed(11, 12), "<=", closed(10, 11), "unknown"),  # 11 <= 11
        (closed(11, 12), "<=", half_open(10, 11), "no"),
        (Bounds.at_least(3), ">", Bounds.exactly(2), "yes"),
        (Bounds.exactly(2), ">=", closed(2, 3), "unknown"),
        (Bounds.exactly(15), "==", Bounds.exactly(15.0), "yes"),
        (closed(10, 20), "==", Bounds.exactly(15), "unknown"),
        (half_open(10, 15), "==", Bounds.exactly(15), "no"),
        (Bounds(-INF, INF), "<", Bounds(-INF, INF), "unknown"),
    ],
)
def test_compare_by_hand(left, relation, right, answer):
    assert left.compare(relation, right) == answer


@pytest.mark.parametrize(
    "denominator", [closed(-1, 1), Bounds.exactly(0), opened(-1, 2), Bounds(-INF, INF)]
)
def test_dividing_by_what_may_be_zero_tells_nothing(denominator):
    assert closed(1, 2) / denominator == Bounds(-INF, INF)


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [
        (closed(1, 2), closed(0, 4), Bounds.at_least(Fraction(1, 4))),  # 1 / 4 and no end
        (closed(1, 2), Bounds.at_least(0), Bounds.at_least(0, strict=True)),  # above 0
        (closed(1, 2), closed(-4, 0), Bounds(-INF, Fraction(-1, 4))),
        (closed(-1, 2), closed(0, 4), Bounds(-INF, INF)),
        (Bounds.exactly(0), closed(0, 4), Bounds.exactly(0)),  # 0 / y is 0 for y > 0
    ],
)
def test_dividing_by_what_ends_at_zero_leaves_one_end(numerator, denominator, quotient):
    assert numerator / denominator == quotient


@pytest.mark.parametrize(
    ("bounds", "spec", "shown"),
    [
        (half_open(3300, 3400), "", "[3300, 3400)"),
        (Bounds.exactly(Fraction("15.675")), "", "15.675"),  # whole within three decimals
        (Bounds.exactly(Fraction(371, 18)), "", "20.61"),  # 20.611...
        (Bounds.exactly(Fraction(371, 1132)), "", "0.328"),  # 0.3277...
        (2617 / half_open(400, 500), "2", "(5.23, 6.55]"),  # 5.234 down, 6.5425 up
        (371 / closed(5809, 6941), "", "[0.0534, 0.0639]"),  # 0.05345 down, 0.06386 up
        (closed(5809, 6941) / 18, "", "[322.7, 385.7]"),  # 322.72 down, 385.61 up
        (Bounds.exactly(Fraction(1001, 3) * 10), "", "3337"),  # 3336.67
        (Bounds.at_least(10, strict=True), "", "(10, ∞)"),
        (Bounds(-INF, 5), "", "(-∞, 5]"),
        (Bounds(-INF, INF), "", "(-∞, ∞)"),
        (closed(Fraction(-1, 3), Fraction(1, 3)), "1", "[-0.4, 0.4]"),  # outwards both ways
        (Bounds.exactly(Fraction(5, 2)), "0", "3"),  # half away from zero
        (Bounds.exactly(Fraction(-5, 2)), "0", "-3"),
        (Bounds.exactly(Fraction(-1, 3)), "0", "0"),  # not -0
    ],
)
def test_format_by_hand(bounds, spec, shown):
    assert format(bounds, spec) == shown


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Bounds(2, 1), "the lower bound 2 is above the upper bound 1"),
        (lambda: Bounds(1, 1, upper_closed=False), "no value lies between 1 and 1"),
        (lambda: Bounds(INF, INF), "no value lies between inf and inf"),
        (lambda: Bounds(math.nan, 1), "nan is not a number"),
        (lambda: Bounds("1", 2), "'1' is not a number"),
        (lambda: Bounds(None, 2), "None is not a number"),
        (lambda: Bounds.exactly(Decimal("NaN")), "is not a number"),
    ],
)
def test_what_is_no_interval_is_an_error(make, says):
    with pytest.raises(DataError, match=re.escape(says)):
        make()


def test_an_infinite_end_is_open():
    assert Bounds(-INF, INF) == opened(-INF, INF)


@pytest.mark.parametrize("other", ["2", None, [1, 2]])
def test_arithmetic_with_what_is_no_number_is_a_type_error(other):
    with pytest.raises(TypeError):
        closed(1, 2) + other
    with pytest.raises(TypeError):
        other / closed(1, 2)


def test_bounds_work_in_pandas_columns():
    funds = [Bounds.exactly(100), closed(200, 300)]
    frame = pd.DataFrame({"funds": funds, "jobs": [half_open(4, 5), closed(2, 2)]})
    assert list(frame["funds"] / frame["jobs"]) == [
        Bounds(20, 25, lower_closed=False),  # 100 / 5 open, 100 / 4
        closed(100, 150),  # 200 / 2, 300 / 2
    ]
    assert list(frame["funds"] * 2 + 1) == [Bounds.exactly(201), closed(401, 601)]
    assert frame["funds"].sum() == closed(300, 400)


@pytest.mark.parametrize("two", [np.float64(2), np.int64(2), np.int8(2), np.float32(2)])
def test_numpy_scalars_count_as_numbers(two):
    assert two * closed(1, 3) == closed(1, 3) * two == closed(2, 6)
    assert two - closed(1, 3) == closed(-1, 1)
    assert two / closed(1, 4) == closed(Fraction(1, 2), 2)


def test_numpy_arrays_are_taken_element_by_element():
    products = np.array([1.0, 2.0]) * pd.Series([closed(1, 3), closed(1, 3)])
    assert list(products) == [closed(1, 3), closed(2, 6)]


def test_numpy_integers_do_not_overflow():
    assert Bounds.exactly(np.int8(100)) + 100 == Bounds.exactly(200)
    assert Bounds.exactly(np.int64(2**62)) * 4 == Bounds.exactly(2**64)


def test_numbers_too_large_for_a_float_are_exact():
    large = 10**400
    assert Bounds.exactly(large) + 1 == Bounds.exactly(large + 1)
    assert Bounds.at_least(large) * large == Bounds.at_least(large**2)


# -- for any bounds ------------------------------------------------------------------------

NUMBERS = st.fractions(-20, 20, max_denominator=8)


@st.composite
def any_bounds(draw, *, infinite=True, zero=True):
    lower, upper = sorted([draw(NUMBERS), draw(NUMBERS)])
    if infinite:
        lower = draw(st.sampled_from([lower, lower, lower, -INF]))
        upper = draw(st.sampled_from([upper, upper, upper, INF]))
    if lower == upper:
        return Bounds.exactly(lower)
    bounds = Bounds(lower, upper, draw(st.booleans()), draw(st.booleans()))
    assume(zero or not bounds.lower <= 0 <= bounds.upper)
    return bounds


@st.composite
def bounds_and_member(draw):
    """Draw bounds and a value in them, often an end."""
    bounds = draw(any_bounds())
    low = bounds.lower if bounds.lower > -INF else min(bounds.upper, 0) - 100
    high = bounds.upper if bounds.upper < INF else max(bounds.lower, 0) + 100
    share = draw(st.sampled_from([0, 1]) | st.fractions(0, 1, max_denominator=50))
    value = Fraction(low + (high - low) * share)
    assume(value in bounds)
    return bounds, value


def larger(x, y):
    return x.maximum(y) if isinstance(x, Bounds) else max(x, y)


def smaller(x, y):
    return x.minimum(y) if isinstance(x, Bounds) else min(x, y)


ARITHMETIC = [operator.add, operator.sub, operator.mul, larger, smaller]
RELATIONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq,
}  # fmt: skip


@given(bounds_and_member(), bounds_and_member(), st.sampled_from(ARITHMETIC))
def test_the_result_holds_every_possible_value(first, second, operation):
    (a, x), (b, y) = first, second
    assert operation(x, y) in operation(a, b)


@given(bounds_and_member(), bounds_and_member())
@example((closed(0, 1), Fraction(0)), (closed(0, 1), Fraction(1)))
def test_the_quotient_holds_every_possible_value(first, second):
    (a, x), (b, y) = first, second
    quotient = a / b  # never an exception
    assert y == 0 or x / y in quotient


@given(any_bounds(), bounds_and_member())
def test_intersect_and_hull_hold_what_they_should(a, second):
    b, y = second
    common = a.intersect(b)
    assert (y in a) == (common is not None and y in common)
    assert y in a.hull(b) and y in b.hull(a)


@given(bounds_and_member())
def test_negation_holds_the_negative(first):
    a, x = first
    assert -x in -a
    assert operator.neg(-a) == a


def candidates(a, b):
    """Members of ``a`` among which an operation with ``b`` reaches each end it can reach.

    The operations are linear in each operand (or pick one), so that an end reached inside
    an interval is also reached at its middle or at an end of the other.
    """
    ends = [a.lower, a.upper, b.lower, b.upper, (a.lower + a.upper) / 2]
    return [x for x in ends if x in a]


@given(any_bounds(infinite=False), any_bounds(infinite=False), st.sampled_from(ARITHMETIC))
def test_the_ends_are_tight(a, b, operation):
    assert_tight(operation(a, b), a, b, operation)


@given(any_bounds(infinite=False), any_bounds(infinite=False, zero=False))
def test_the_ends_of_a_quotient_are_tight(a, b):
    assume(0 not in (b.lower, b.upper))
    assert_tight(a / b, a, b, operator.truediv)


def assert_tight(result, a, b, operation):
    """Each end is that of the corners, and closed if and only if it is reached."""
    corners = [operation(x, y) for x, y in product([a.lower, a.upper], [b.lower, b.upper])]
    reached = {operation(x, y) for x, y in product(candidates(a, b), candidates(b, a))}
    assert (result.lower, result.upper) == (min(corners), max(corners))
    assert result.lower_closed == (result.lower in reached)
    assert result.upper_closed == (result.upper in reached)


@given(any_bounds(infinite=False), any_bounds(infinite=False))
def test_the_hull_is_tight(a, b):
    hull = a.hull(b)
    assert (hull.lower, hull.upper) == (min(a.lower, b.lower), max(a.upper, b.upper))
    assert hull.lower_closed == (hull.lower in a or hull.lower in b)
    assert hull.upper_closed == (hull.upper in a or hull.upper in b)


@given(any_bounds(), any_bounds(), st.sampled_from(sorted(RELATIONS)))
def test_compare_says_what_holds_for_the_members(a, b, relation):
    # Whether a relation can hold depends only on the ends and the gaps between them: two
    # values from every gap show all that is possible.
    ends = sorted({end for end in (a.lower, a.upper, b.lower, b.upper) if abs(end) < INF} | {0})
    gaps = [
        (ends[0] - 3, ends[0]),
        *pairwise(ends),
        (ends[-1], ends[-1] + 3),
    ]
    grid = ends + [low + (high - low) * Fraction(n, 3) for low, high in gaps for n in (1, 2)]
    answers = {
        RELATIONS[relation](x, y)
        for x, y in product([x for x in grid if x in a], [y for y in grid if y in b])
    }
    assert a.compare(relation, b) == {(True,): "yes", (False,): "no"}.get(
        tuple(answers), "unknown"
    )


PRINTED = re.compile(r"(?P<left>[\[(])(?P<low>\S+), (?P<high>\S+)(?P<right>[\])])")


def read_end(text):
    return {"∞": INF, "-∞": -INF}.get(text) or Fraction(text)


@given(any_bounds(), st.sampled_from([1, 7, 999, 100_000]), st.sampled_from(["", "0", "2"]))
def test_format_rounds_outwards(bounds, divisor, spec):
    bounds = bounds / divisor
    assume(not bounds.is_exact)
    printed = PRINTED.fullmatch(format(bounds, spec))
    low, high = read_end(printed["low"]), read_end(printed["high"])
    assert low <= bounds.lower and bounds.upper <= high
    assert (printed["left"] == "[") == bounds.lower_closed
    assert (printed["right"] == "]") == bounds.upper_closed


@given(NUMBERS, st.sampled_from([1, 7, 999, 100_000]), st.sampled_from(["", "0", "2"]))
def test_format_rounds_an_exact_number_to_the_nearest(number, divisor, spec):
    printed = format(Bounds.exactly(number / divisor), spec)
    decimals = len(printed.partition(".")[2])
    assert abs(Fraction(printed) - number / divisor) <= Fraction(1, 2 * 10**decimals)
