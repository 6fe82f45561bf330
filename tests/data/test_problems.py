import pytest

from evaluation.data.problems import Problems
from evaluation.errors import DataError


def test_a_problem_says_where_what_and_how_to_mend_it():
    problems = Problems()
    problems.add(
        "error",
        "villages.csv",
        "not numbers",
        "Write the number.",
        column="经营收入",
        row_word="line",
        rows=[4, 9],
        cells=["十余", "abc"],
    )
    assert str(problems.found[0]) == (
        "villages.csv: column 经营收入: not numbers: line 4 '十余', line 9 'abc'. "
        "Write the number."
    )


@pytest.mark.parametrize(
    ("rows", "cells", "told"),
    [
        ([], None, "f.csv: wrong."),
        ([3], None, "f.csv: wrong: line 3."),
        (["", ""], ["a", "b"], "f.csv: wrong: 'a', 'b'."),
        (
            range(1, 13),
            None,
            "f.csv: wrong: line 1, line 2, line 3, line 4, line 5, line 6, line 7, line 8, "
            "line 9, line 10 and 2 more (12 in all).",  # 12 - 10
        ),
    ],
)
def test_ten_places_are_shown_and_the_rest_counted(rows, cells, told):
    problems = Problems()
    problems.add("warning", "f.csv", "wrong.", rows=list(rows), cells=cells, row_word="line")
    assert str(problems.found[0]) == told


def test_a_thousand_places_are_kept_and_all_counted():
    problems = Problems()
    problems.add("error", "f.csv", "wrong", rows=list(range(2_500)), cells=["x"] * 1_000)
    (problem,) = problems
    assert (len(problem.places), problem.count) == (1_000, 2_500)
    assert str(problem).endswith(" and 2,490 more (2,500 in all).")  # 2,500 - 10
    assert len(problems.to_frame()) == 1_000


def test_the_same_problem_is_told_once():
    problems = Problems()
    for _ in range(2):
        problems.add("warning", "f.csv", "left out: line 9: totals row '合计'")
    assert len(problems.found) == 1


def test_all_errors_are_raised_at_once_and_warnings_are_not():
    problems = Problems()
    problems.add("warning", "f.csv", "odd")
    problems.raise_errors()
    problems.add("error", "f.csv", "wrong")
    problems.add("error", "g.csv", "wrong too")
    with pytest.raises(DataError, match=r"^f\.csv: wrong\.\ng\.csv: wrong too\.$"):
        problems.raise_errors()


def test_an_error_on_reading_becomes_one_problem_a_line():
    problems = Problems()
    problems.take(DataError("f.csv: no column a.\nf.csv: no column b."), "f.csv")
    assert list(map(str, problems)) == ["f.csv: no column a.", "f.csv: no column b."]


def test_the_frame_has_a_row_a_place():
    problems = Problems()
    problems.add("error", "f.csv", "wrong", "Mend.", column="y", rows=[3, 5], cells=["a", "b"])
    problems.add("note", "g.csv", "odd")
    assert problems.to_frame().to_numpy().tolist() == [
        ["error", "f.csv", 3, "y", "a", "wrong", "Mend."],
        ["error", "f.csv", 5, "y", "b", "wrong", "Mend."],
        ["note", "g.csv", "", "", "", "odd", ""],
    ]
