import math

import pytest

from evaluation.bounds import Bounds
from evaluation.claims.table import load_claims
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import edit, write_yaml


def refused(folder):
    """Load claims that have something wrong, and give what the error says."""
    with pytest.raises(DataError) as error:
        load_claims(Study.load(folder))
    return str(error.value)


def test_the_real_study_has_90_claims(jining):
    assert len(jining.claims) == 90


def test_a_claim_by_hand(jining):
    claim = jining.claims["C028"]  # 3300余万元 of social funds in Weishan
    assert claim.figure.strict == Bounds(3300, 3400, upper_closed=False)
    assert claim.figure.loose == Bounds(3300, 4000, upper_closed=False)
    assert (claim.county, claim.unit, claim.status) == ("Weishan", "万元", "realised")
    assert claim.figure.unit.factor == 10_000


def test_words_without_a_figure_have_no_bounds(jining):
    assert jining.claims["C003"].figure is None
    assert jining.claims["C069"].figure is None  # 超额: the target is not stated


def test_find(jining):
    assert [c.claim for c in jining.find("Yutai", "jobs")] == ["C044"]
    assert jining.find("Sishui", "jobs") == []


def test_to_frame_has_one_row_a_claim(jining):
    frame = jining.to_frame()
    assert list(frame["claim"]) == list(jining.claims)
    row = frame.set_index("claim").loc["C040"]  # 10万余元
    assert row["strict"] == Bounds(10, 11, upper_closed=False)
    assert row["loose"] == Bounds(10, 20, upper_closed=False)
    assert frame.set_index("claim").loc["C003", "strict"] is None


# What is broken in claims.csv (old, new), and what the error says.
BROKEN = [
    (
        "claim,county,village",
        "claim,cuonty,village",
        ["claims.csv: no column county; it has claim, cuonty, village, "],
    ),
    (
        "claim,county,village",
        "claim,county,vilage",
        ["claims.csv: unknown column 'vilage'; did you mean 'village'?"],
    ),
    (
        "余(before 万),3300,3400,",  # C028
        "余(before 万),3400,3300,",
        ["claims.csv: line 28 (C028): the lower bound 3400 is above the upper bound 3300."],
    ),
    (
        "余(before 万),3300,3400,",
        "余(before 万),3300,4000,",
        [
            "claims.csv: line 28 (C028): bounds [3300, 4000) are not those of the printed "
            "'3300余万元', [3300, 3400); mend them, or leave them empty to have them read."
        ],
    ),
    (
        "余(before 万),3300,3400,1,0",
        "余(before 万),3300,3400,1,1",
        ["claims.csv: line 28 (C028): bounds [3300, 3400] are not those of the printed"],
    ),
    (
        "余(before 万),3300,3400,1,0,4000",
        "余(before 万),3300,3400,1,0,3500",
        [
            "claims.csv: line 28 (C028): upper_loose is not that of the printed '3300余万元', "
            "[3300, 4000)."
        ],
    ),
    (
        "fund_social,3300,",
        "fund_social,3301,",
        ["claims.csv: line 28 (C028): value is not that of the printed '3300余万元'."],
    ),
    (
        "fund_social,3300,",
        "fund_social,3.300,",
        ["claims.csv: line 28 (C028): value is not that of the printed '3300余万元'."],
    ),
    (
        "fund_social,3300,",
        'fund_social,"3,300",',
        [
            "claims.csv: line 28 (C028): value: not a number; write digits, without separators "
            "or unit (given: '3,300')."
        ],
    ),
    (
        "3300余万元",
        "3300许万元",
        ["claims.csv: line 28 (C028): cannot read the figure '3300许万元': ", "'许万元'"],
    ),
    (
        "余(before 万),3300,3400,",
        "许,3300,3400,",
        ["claims.csv: line 28 (C028): hedge: the hedge '许' is not known; known: "],
    ),
    (
        "fund_social,3300,万元",
        "fund_social,3300,万员",
        ["claims.csv: line 28 (C028): unit: unknown unit '万员'; use one of "],
    ),
    (
        "fund_social,3300,万元",
        "fund_social,3300,个",
        ["claims.csv: line 28 (C028): '3300余万元' is printed in 元, but its unit is given"],
    ),
    (
        "fund_social,3300,万元",
        "fund_social,3300,",
        ["claims.csv: line 28 (C028): '3300余万元' is printed, but there is no unit."],
    ),
    (
        "余(before 万),3300,3400,",
        "余(before 万),3300,,",
        ["claims.csv: line 28 (C028): one bound without the other; write inf for no upper"],
    ),
    (
        "C028,Weishan",
        "C028,Weishen",
        [
            "claims.csv: line 28 (C028): county 'Weishen' is not in the counties of study.yml; "
            "did you mean 'Weishan'?"
        ],
    ),
    (
        "input,fund_social,3300",
        "input,fund_socal,3300",
        [
            "claims.csv: line 28 (C028): indicator 'fund_socal' is not in indicators.csv; "
            "did you mean 'fund_social'?"
        ],
    ),
    (
        "C028,Weishan",
        "C027,Weishan",
        ["claims.csv: line 28 (C027): a second row with this id; ids are given once."],
    ),
    ("C028,Weishan", ",Weishan", ["claims.csv: line 28 (no claim id): claim: String should"]),
    (
        "C028,Weishan,,industry,input",
        "C028,Weishan,,industri,input",
        ["claims.csv: line 28 (C028): pillar: Input should be ", "(given: 'industri')."],
    ),
    (
        "3300,3400,1,0,4000,county_total,,2021-07-08",
        "3300,3400,1,0,4000,county_total,,2021年",
        [
            "claims.csv: line 28 (C028): as_of: not a date; write YYYY, YYYY-MM or YYYY-MM-DD",
            "(given: '2021年').",
        ],
    ),
    (
        "3300,3400,1,0,4000,county_total,,2021-07-08",
        "3300,3400,1,0,4000,county_total,,2021-13-40",
        ["claims.csv: line 28 (C028): as_of: "],
    ),
    (
        "余(before 万),3300,3400,1,0",
        "余(before 万),3300,3400,1,2",
        ["claims.csv: line 28 (C028): upper_closed: 0 for an open end, 1 for a closed one"],
    ),
]


@pytest.mark.parametrize(("old", "new", "says"), BROKEN)
def test_a_broken_row_says_where_and_what_to_mend(jining_copy, old, new, says):
    edit(jining_copy / "claims.csv", old, new)
    message = refused(jining_copy)
    for part in says:
        assert part in message


@pytest.mark.parametrize("new", ["3300许万元", "3300余人"])
def test_a_message_ends_with_one_full_stop(jining_copy, new):
    edit(jining_copy / "claims.csv", "3300余万元", new)
    assert not refused(jining_copy).endswith("..")


def test_a_broken_row_is_one_problem(jining_copy):
    edit(jining_copy / "claims.csv", "3300余万元", "3300许万元")
    assert len(refused(jining_copy).splitlines()) == 1


def test_a_broken_row_that_other_files_name_is_one_problem(jining_copy):
    # C024 is what study.yml names under claims.unquantified.
    edit(jining_copy / "claims.csv", "C024,Sishui,,industry", "C024,Sishui,,industri")
    assert len(refused(jining_copy).splitlines()) == 1


def test_all_broken_rows_are_listed(jining_copy):
    edit(jining_copy / "claims.csv", "3300余万元", "3300许万元")
    edit(jining_copy / "claims.csv", "C040,Weishan", "C040,Weishen")
    lines = refused(jining_copy).splitlines()
    assert [line.split(":")[1].strip() for line in lines] == [
        "line 28 (C028)",
        "line 40 (C040)",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "fund_social,Social",
            "fund_dispatch_unit,Social",
            "a second row for 'fund_dispatch_unit'",
        ),
        (
            "社会资金,source",
            "社会资金,sorce",
            "money 'sorce' is not known; did you mean 'source'?",
        ),
        (
            "社会资金,source,social",
            "社会资金,source,socal",
            "source 'socal' is not known; did you mean 'social'?",
        ),
        ("label_zh", "label_cn", "no column label_zh; it has indicator, label_en, label_cn"),
    ],
)
def test_a_broken_dictionary_says_what_to_mend(jining_copy, old, new, says):
    edit(jining_copy / "indicators.csv", old, new)
    message = refused(jining_copy)
    assert message.startswith("indicators.csv: ")
    assert says in message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("fund_social, claim: C024", "fund_social, claim: C999", "no claim 'C999' on Sishui"),
        (
            "{county: Sishui, indicator: fund_social",
            "{county: Yutai, indicator: fund_social",
            "no claim 'C024' on Yutai",
        ),
        (
            "indicator: fund_social, claim: C024",
            "indicator: fund_socal, claim: C024",
            "did you mean 'fund_social'?",
        ),
    ],
)
def test_money_without_an_amount_must_be_in_the_claims(jining_copy, old, new, says):
    edit(jining_copy / "study.yml", old, new)
    assert says in refused(jining_copy)


def test_a_study_without_claims_says_what_to_add(jining_copy):
    study = Study.load(jining_copy).model_copy(update={"claims": None})
    with pytest.raises(DataError, match=r"has no claims; add 'claims: \{file: claims.csv\}'"):
        load_claims(study)


# -- tiny tables ---------------------------------------------------------------------------


def test_bounds_are_read_from_what_is_printed(write_study):
    study = write_study("""
        claim county indicator unit  printed
        C1    East   funds     万元  3300余万元
        C2    East   grants    万元  过亿元
    """)
    claims = load_claims(study).claims
    assert claims["C1"].figure.strict == Bounds(3300, 3400, upper_closed=False)
    assert claims["C2"].figure.strict == Bounds.at_least(10_000, strict=True)


def test_the_coder_may_give_bounds_without_a_printed_figure(write_study):
    study = write_study("""
        claim county indicator unit lower upper lower_closed upper_closed
        C1    East   jobs      人   5     9     1            0
        C2    East   visits    次   5     inf   0            -
    """)
    claims = load_claims(study).claims
    assert claims["C1"].figure.strict == Bounds(5, 9, upper_closed=False)
    assert claims["C1"].figure.loose == claims["C1"].figure.strict
    assert claims["C2"].figure.strict == Bounds(5, math.inf, lower_closed=False)


def test_bounds_without_a_unit_are_an_error(write_study, tmp_path):
    write_study("""
        claim county indicator lower upper
        C1    East   jobs      5     9
    """)
    expected = "claims.csv: line 2 (C1): bounds without a unit; write 个 for a plain count."
    assert refused(tmp_path) == expected


def test_a_value_alone_is_used_or_refused(write_study):
    study = write_study("""
        claim county indicator unit value
        C1    East   jobs      人   5
    """)
    try:
        claim = load_claims(study).claims["C1"]
    except DataError:
        return
    assert claim.figure is not None and claim.figure.strict == Bounds.exactly(5)


def test_a_hedge_that_the_printed_figure_does_not_have_is_an_error(write_study, tmp_path):
    write_study("""
        claim county indicator unit  printed   hedge
        C1    East   funds     万元  3300万元  余
    """)
    assert "line 2 (C1)" in refused(tmp_path)


def test_a_doubled_indicator_column_is_named(jining_copy):
    edit(jining_copy / "claims.csv", "claim,county,village", "claim,county,county")
    assert "claims.csv: two columns are named 'county'." in refused(jining_copy)


def test_a_claim_may_speak_of_the_whole_programme(write_study):
    study = write_study("""
        claim county indicator        unit printed stage
        C1    All    programme_years  年   两年    context
    """)
    assert load_claims(study).find("All", "programme_years")[0].figure.value == 2


def test_another_file_name_is_used(write_study, tmp_path):
    study = write_study("""
        claim county indicator unit printed
        C1    East   jobs      人   5人
    """)
    (tmp_path / "claims.csv").rename(tmp_path / "text.csv")
    content = study.model_dump(mode="json")
    content["claims"]["file"] = "text.csv"
    write_yaml(tmp_path / "study.yml", content)
    assert list(load_claims(Study.load(tmp_path)).claims) == ["C1"]
