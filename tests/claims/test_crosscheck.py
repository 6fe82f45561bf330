import re

import pytest

from evaluation.bounds import Bounds
from evaluation.claims.crosscheck import crosscheck_frame, run_crosschecks
from evaluation.claims.table import load_claims
from evaluation.errors import DataError

CLAIMS = """
    claim county indicator  unit  printed   as_of
    C1    East   total      万元  313.5万元 2020-12
    C2    East   n_villages 个    20个      2020-12
    C3    East   mean       万元  15.68万元 2020-12
    C4    East   funds      万元  10万余元  2020-12
    C5    East   later      万元  9万元     2021-07
    C6    West   total      万元  100万元   2020-12
    C7    West   n_villages 个    10个      2020-12
    C8    West   houses     户    16户      2020-12
    C9    East   houses     处    57处      2020-12
"""


@pytest.fixture
def check(write_study):
    """Run one check on the claims above."""

    def run(*formulas, reading=None, county="East", claims=CLAIMS, **declared):
        content = {"id": "X1", "county": county, "formulas": list(formulas)} | declared
        table = load_claims(write_study(claims, checks=[content], indicators=["jobs"]))
        (result,) = run_crosschecks(table, reading=reading)
        return result

    return run


@pytest.mark.parametrize(
    ("formulas", "verdict"),
    [
        (["total / n_villages == mean"], "consistent"),  # [15.6725, 15.6775) meets [15.675, ..)
        (["total / n_villages < mean - 1 * 万元"], "inconsistent"),
        (["total > 0", "n_villages == 21"], "inconsistent"),  # one that fails is enough
        (["total / n_villages"], "arithmetic only"),
        (["total / jobs"], "cannot be checked"),
        (["total > 0", "total / jobs"], "cannot be checked"),  # one that is missing is enough
        (["funds > later"], "not comparable"),  # [10, 11) > 9, but half a year apart
    ],
)
def test_verdict(check, formulas, verdict):
    assert check(*formulas).verdict == verdict


@pytest.mark.parametrize(
    ("formula", "strict", "loose"),
    [
        ("funds == 15 * 万元", "inconsistent", "consistent"),  # 10万余: [10, 11) and [10, 20)
        ("funds < 10.5 * 万元", "consistent", "consistent"),
        ("funds >= 11 * 万元", "inconsistent", "consistent"),
    ],
)
def test_the_verdict_is_under_a_reading(check, formula, strict, loose):
    assert check(formula).verdict == strict  # the study's own
    assert check(formula, reading="strict").verdict == strict
    assert check(formula, reading="loose").verdict == loose


@pytest.mark.parametrize(
    ("compare", "reasons"),
    [
        (["East.total", "West.total"], []),
        (["East.total / East.n_villages", "West.total / West.n_villages"], []),
        (["East.total", "East.mean"], ["definition: total against mean"]),
        (["East.total / 2", "West.total / 3"], ["definition: total / 2 against total / 3"]),
        (["East.houses", "West.houses"], ["unit: 处 against 户"]),
        (
            ["East.funds", "East.later"],
            ["definition: funds against later", "date: 2020-12 against 2021-07"],
        ),
        ([" East.total", "West.total"], []),
    ],
)
def test_terms_are_comparable_if_alike(check, compare, reasons):
    result = check(compare=compare)
    assert list(result.reasons) == (reasons or ["the terms are alike and may be ranked"])
    assert result.verdict == ("not comparable" if reasons else "arithmetic only")


def test_scope_and_status_must_be_alike(check):
    claims = """
        claim county indicator unit printed scope          status
        C1    East   jobs      人   400人   county_total   realised
        C2    West   jobs      人   300人   every_village  projected
    """
    assert check(compare=["East.jobs", "West.jobs"], claims=claims).reasons == (
        "scope: county_total against every_village",
        "status: realised against projected",
    )


def test_a_missing_figure_is_named(check):
    result = check("total / jobs", compare=["East.total", "West.jobs"])
    assert result.reasons == ("West.jobs, jobs: not stated",)
    assert result.claims == ("C1",)


def test_the_claims_used_are_listed_in_order(check):
    assert check("total / n_villages == mean").claims == ("C1", "C2", "C3")


def test_frame(check):
    (row,) = crosscheck_frame([check("total / n_villages == mean", unit="万元")]).to_dict(
        "records"
    )
    assert (row["check"], row["verdict"], row["answer"]) == ("X1", "consistent", "unknown")
    assert row["left_printed"] == Bounds.exactly(15.675)  # 313.5 / 20
    assert row["left"] == Bounds(15.6725, 15.6775, upper_closed=False)  # [313.45, 313.55) / 20
    assert row["right"] == Bounds(15.675, 15.685, upper_closed=False)
    assert row["common"] == Bounds(15.675, 15.6775, upper_closed=False)


def test_frame_of_terms_has_no_right_side(check):
    (row,) = crosscheck_frame([check("total / n_villages")]).to_dict("records")
    assert (row["right"], row["common"], row["answer"]) == (None, None, "")


def test_the_frame_of_no_checks_has_its_columns():
    assert {"check", "verdict", "formula"} <= set(crosscheck_frame([]).columns)


def test_a_study_without_checks_has_no_results(write_study):
    assert run_crosschecks(load_claims(write_study(CLAIMS))) == ()


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        (
            {"formulas": ["totl / n_villages"]},
            "crosschecks.yml: X1: no indicator or claim 'totl'; did you mean 'total'?",
        ),
        (
            {"formulas": ["Est.total"]},
            "crosschecks.yml: X1: 'Est.total': no county 'Est'; did you mean 'East'?",
        ),
        (
            {"county": "Est", "formulas": ["total"]},
            "crosschecks.yml: X1: no county 'Est'; did you mean 'East'?",
        ),
        ({"county": "Est", "compare": ["East.total", "West.total"]}, "did you mean 'East'?"),
        (
            {"formulas": ["total ** 2"]},
            "crosschecks.yml: checks.0.formulas.0.formula: "
            "'total ** 2': 'total ** 2' is not allowed; ",
        ),
        (
            {"compare": ["total < 2"]},
            "crosschecks.yml: checks.0.compare.0: a term to compare holds no relation; ",
        ),
        ({"unit": "万员"}, "crosschecks.yml: checks.0.unit: unknown unit '万员'; use one of "),
        (
            {"formula": ["total"]},
            "crosschecks.yml: checks.0.formula: unknown key; did you mean 'formulas'?",
        ),
        ({"id": "1 2"}, "crosschecks.yml: checks.0.id: String should match pattern"),
    ],
)
def test_a_broken_check_says_what_to_mend(check, declared, says):
    with pytest.raises(DataError, match=re.escape(says)):
        check(**declared)


def test_ids_are_given_once_and_all_broken_checks_listed(write_study):
    checks = [
        {"id": "X1", "county": "East", "formulas": ["total"]},
        {"id": "X1", "county": "East", "formulas": ["mean"]},
        {"id": "X2", "county": "East", "formulas": ["meen"]},
    ]
    with pytest.raises(DataError) as error:
        run_crosschecks(load_claims(write_study(CLAIMS, checks=checks)))
    assert str(error.value).splitlines() == [
        "crosschecks.yml: X1: a second check with this id; ids are given once.",
        "crosschecks.yml: X2: no indicator or claim 'meen'; did you mean 'mean'?",
    ]


# -- the real study ------------------------------------------------------------------------


def test_the_real_studys_verdicts(jining):
    verdicts = {result.check.id: result.verdict for result in run_crosschecks(jining)}
    assert len(verdicts) == 26
    assert verdicts["X01"] == "consistent"  # 313.5 / 20 rounds to 15.68
    assert verdicts["X07"] == "cannot be checked"  # Weishan's villages are not counted
    assert verdicts["X25"] == "not comparable"  # a gain and a level
    assert "inconsistent" not in verdicts.values()


def test_mean_and_total_together_narrow_the_mean(jining):
    frame = crosscheck_frame(run_crosschecks(jining)).set_index("check")
    # [313.45, 313.55) / 20 = [15.6725, 15.6775), and [15.675, 15.685)
    # [313.45, 313.55), and 20 * [15.675, 15.685) = [313.5, 313.7)
    assert frame.loc["X01", "common"].tolist() == [
        Bounds(15.675, 15.6775, upper_closed=False),
        Bounds(313.5, 313.55, upper_closed=False),
    ]


def test_no_more_than_the_villages_there_are(jining):
    frame = crosscheck_frame(run_crosschecks(jining)).set_index(["check", "formula"])
    fewest = "min(n_villages, collective_income_level_total / (10 * 万元))"
    assert frame.loc[("X26", fewest), "left"] == Bounds.exactly(20)  # min(20, 31.35)


def test_a_relation_that_fails_is_not_hidden_by_another_that_is_missing(check):
    claims = """
        claim county indicator unit printed
        C1    East   jobs      人   5人
        C2    West   jobs      人   7人
    """
    both = check("East.jobs == West.jobs", "All.jobs == 1", claims=claims)
    assert both.verdict == "inconsistent"
    alike = check("East.jobs == West.jobs", compare=["East.jobs", "West.jobs"], claims=claims)
    assert alike.verdict == "inconsistent"
