"""Bad ledgers, from the file to gain per yuan: one clear error, or a counted exclusion."""

import pytest

from evaluation.data.load import check_data
from evaluation.efficiency.ratios import funding_efficiency
from evaluation.errors import DataError, DesignError
from evaluation.gains.estimate import estimate_gains
from tests.data.typed_studies import read_typed, type_study

EXACT = 1e-12  # the same arithmetic, in another order

# Villages a and c gain 3 a year (2 and 4) and 6 in their treated years, in 10,000 yuan.
VILLAGES = """
    vill county since 2001 2002 2003 2004
    a    East   2003  5    6    9    12
    c    West   2004  7    8    9    16
    n    East   -     1    2    3    4
    m    West   -     8    9    10   11
    """
SAID = """
    prices: {basis: real, base_year: 2004}
    panel:
      file: villages.csv
      village: {id: vill, county: county}
      year: year
      outcomes: {y: {column: y, unit: 万元}}
      treatment: {first_year: since}
    ledger:
      file: ledger.csv
      village: {id: vill}
      year: year
      amount: {column: amount, unit: 万元}
      source: source
      stage: {value: spent}
    """
GOOD = ["a 2003 fiscal 4", "c 2004 social 3"]


def long_villages():
    header, *rows = [line.split() for line in VILLAGES.splitlines() if line.strip()]
    cells = [
        " ".join([*row[:3], year, y])
        for row in rows
        for year, y in zip(header[3:], row[3:], strict=True)
    ]
    return "\n".join(["vill county since year y", *cells])


def files(rows):
    return {
        "villages": long_villages(),
        "ledger": "\n".join(["vill year source amount", *rows]),
    }


def efficiency(folder, rows):
    data = read_typed(folder, SAID, **files(rows))
    return data, funding_efficiency(estimate_gains(data.panel), data.ledger)


def problems(folder, rows, said=SAID):
    named = {f"{name}.csv": text for name, text in files(rows).items()}
    data, found = check_data(type_study(folder, said, named))
    return data, [(p.level, p.message, [place for place, _ in p.places]) for p in found]


def test_a_good_ledger(tmp_path):
    _, found = efficiency(tmp_path, GOOD)
    assert found.total["per_yuan"] == pytest.approx((3 + 6) / (4 + 3), rel=EXACT)
    assert found.unit == "yuan a year per yuan" and found.total["money"] == 70_000


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a 2003 fiscal -4", "negative amounts"),
        ("a 2003 fiscal nan", "not numbers"),
        ("a 2003 fiscal inf", "not numbers"),
        ("a 2003 fiscal 4USD", "not numbers"),
        ("a 2003 fiscal 4e15", "amounts beyond belief"),
        ("a 2003 taxes 4", "sources that are not known"),
        ("a soon fiscal 4", "not years"),
        ("a - fiscal 4", "empty cells"),
    ],
)
def test_a_row_that_cannot_be_is_one_error_that_names_it(tmp_path, row, message):
    data, found = problems(tmp_path, [*GOOD, row])
    ((level, text, rows),) = found
    assert data is None and level == "error" and text.startswith(message) and rows == [4]


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        ("USD", "amount is in USD, but prices.currency is CNY; convert it in the file"),
        ("户", "amount: say what money it is in"),
        ("dollars", "is not read; write 元"),
    ],
)
def test_currencies_are_not_mixed(tmp_path, unit, says):
    named = {f"{name}.csv": text for name, text in files(GOOD).items()}
    said = SAID.replace("amount, unit: 万元", f"amount, unit: {unit}")
    with pytest.raises(DataError, match=says):
        type_study(tmp_path, said, named)


def test_prices_are_of_one_year_by_construction(tmp_path):
    data, _ = efficiency(tmp_path, GOOD)
    assert data.panel.price_year == data.ledger.price_year == 2004


@pytest.mark.parametrize(
    ("row", "warned", "left_out"),
    [
        ("z 2003 fiscal 9", "1 villages that the panel does not have", None),
        ("a 2002 fiscal 9", "", "before the village's first treated year"),
        ("n 2003 fiscal 9", "", "of villages that are never treated"),
        ("a 2031 fiscal 9", "money of years that the panel", "of years after the panel's last"),
        ("- 2003 fiscal 9", "pooled money that is no village's", "pooled for a place, and not "
         "shared out"),
        ("a 2003 fiscal -", "empty amounts, taken as no entry", None),
    ],
)  # fmt: skip
def test_money_that_does_not_count_is_told_and_changes_nothing(tmp_path, row, warned, left_out):
    data, found = efficiency(tmp_path, [*GOOD, row])
    assert found.total["per_yuan"] == pytest.approx(9 / 7, rel=EXACT)
    messages = [p.message for p in data.problems]
    assert any(text.startswith(warned) for text in messages) if warned else not messages
    told = found.spending.left_out.to_dict("records")
    if left_out is None:
        assert told == []
    else:
        (only,) = told
        assert (only["reason"], only["n_entries"]) == (left_out, 1)
        assert only["money"] == pytest.approx(90_000)
        assert f"90,000 yuan {left_out}" in found.summary()


def test_entries_that_stand_twice_are_told_by_row_and_kept(tmp_path):
    data, found = efficiency(tmp_path, [*GOOD, GOOD[0]])
    (problem,) = data.problems
    assert problem.message.endswith("counted twice?")
    assert [row for row, _ in problem.places] == [2, 4]
    assert found.total["money"] == 110_000


def test_a_total_is_no_source(tmp_path):
    rows = ["a 2003 fiscal 4", "a 2003 social 3", "a 2003 合计 7"]
    _, found = efficiency(tmp_path, rows)
    assert found.villages.loc["a", "money"] == 70_000


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (["a 2002 fiscal 4"], "Left out: 40,000 before the village's first treated year."),
        (["n 2003 fiscal 4"], "Left out: 40,000 of villages that are never treated."),
        (["a 2003 fiscal 0", "c 2004 fiscal 0"], "no village with a gain has money spent"),
    ],
)
def test_a_ledger_without_money_for_the_treated(tmp_path, rows, says):
    with pytest.raises(DesignError, match=says):
        efficiency(tmp_path, rows)


@pytest.mark.parametrize(
    "rows", [["y 2003 fiscal 4", "z 2003 fiscal 4"], ["a 2003 fiscal -", "c 2004 fiscal -"]]
)
def test_a_ledger_of_nobody_is_an_error(tmp_path, rows):
    data, found = problems(tmp_path, rows)
    assert data is None and [level for level, *_ in found].count("error") == 1


def test_an_empty_ledger_is_none_and_told(tmp_path):
    data, found = problems(tmp_path, [])
    assert data.ledger is None
    assert [message for _, message, _ in found] == ["no rows; the first row names the columns"]
    with pytest.raises(DesignError, match="gains need a ledger"):
        funding_efficiency(estimate_gains(data.panel), data.ledger)
