import pytest

from evaluation.bounds import Bounds
from evaluation.claims.formula import Quantity, parse_formula
from evaluation.claims.lookup import Lookup, Missing
from evaluation.claims.table import load_claims
from evaluation.errors import DataError

CLAIMS = """
    claim county indicator unit  printed    scope        village stage
    C1    East   works     万元  100万元    county_total -       input
    C2    East   grants    万元  60余万元   county_total -       input
    C3    East   gifts     万元  30万元     county_total -       input
    C4    East   jobs      人    40人       team         Team1   outcome
    C5    East   visits    次    -          county_total -       outcome
    C6    East   ceiling   万元  10万元以下 county_total -       outcome
    C7    East   floor     万元  10万元以上 county_total -       outcome
    C8    East   houses    处    3处        county_total -       output
    C9    East   houses    处    4处        county_total -       output
    C10   All    programme_years     年    两年       city         -       context
    C11   West   gifts     万元  5万元      county_total -       input
    C12   All    total     个    7个        city         -       outcome
"""
MONEY = {"works": "use fiscal", "grants": "source fiscal", "gifts": "source social"}


@pytest.fixture
def east(write_study):
    def look(*, county_wide=False, **options):
        study = write_study(CLAIMS, money=MONEY, **options)
        return Lookup(load_claims(study), "East", county_wide)

    return look


@pytest.mark.parametrize(
    ("name", "strict"),
    [
        ("works", Bounds.exactly(1_000_000)),  # 100 * 10,000, in yuan
        ("C2", Bounds(600_000, 700_000, upper_closed=False)),
        ("West.gifts", Bounds.exactly(50_000)),
        ("programme_years", Bounds.exactly(2)),  # said once of all
        ("万元", Bounds.exactly(10_000)),
        ("个", Bounds.exactly(1)),
        ("funds_use", Bounds.exactly(1_000_000)),
        ("funds_sources", Bounds(900_000, 1_000_000, upper_closed=False)),  # [60, 70) + 30
        ("funds_social", Bounds.exactly(300_000)),
        # [max(100, [90, 100)), 100 + [90, 100))
        ("funds_total", Bounds(1_000_000, 2_000_000, upper_closed=False)),
        ("West.funds_total", Bounds.exactly(50_000)),
    ],
)
def test_a_name_stands_for_a_figure(east, name, strict):
    found = east().resolve(name)
    assert isinstance(found, Quantity)
    assert found.strict == strict


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("visits", "visits: said without a figure (C5)"),
        ("West.jobs", "West.jobs: not stated"),
        ("total", "total: not stated"),  # of all, but not as the context of each
        ("funds_credit", "funds_credit: not stated"),
    ],
)
def test_a_name_without_a_figure_says_why(east, name, says):
    found = east().resolve(name)
    assert isinstance(found, Missing)
    assert str(found) == says


def test_a_teams_figure_is_not_the_countys(east):
    assert str(east(county_wide=True).resolve("jobs")) == "jobs: stated for Team1 only (C4)"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("job", "no indicator or claim 'job'; did you mean 'jobs'?"),
        ("funds_socal", "no indicator or claim 'funds_socal'; did you mean 'funds_social'?"),
        ("Eas.jobs", "'Eas.jobs': no county 'Eas'; did you mean 'East'?"),
        (
            "houses",
            "'houses' is stated more than once for East; write the claim meant: C8,",
        ),
    ],
)
def test_a_name_that_means_nothing_is_an_error(east, name, says):
    with pytest.raises(DataError) as error:
        east().resolve(name)
    assert says in str(error.value)


def test_money_named_without_an_amount_has_no_upper_bound(east):
    lookup = east(unquantified=[{"county": "East", "indicator": "gifts", "claim": "C5"}])
    assert lookup.resolve("funds_total").strict == Bounds.at_least(1_000_000)
    for name in ("funds_social", "funds_sources"):
        assert str(lookup.resolve(name)) == f"{name}: named without an amount (C5)"
    assert lookup.resolve("funds_use").strict == Bounds.exactly(1_000_000)


def test_money_said_without_a_figure_is_never_left_out_of_a_sum(write_study):
    study = write_study(
        """
        claim county indicator unit  printed
        C1    East   grants    万元  100万元
        C2    East   gifts     -     -
        """,
        money={"grants": "source fiscal", "gifts": "source social"},
    )
    lookup = Lookup(load_claims(study), "East")
    assert isinstance(lookup.resolve("funds_sources"), Missing)
    assert lookup.resolve("funds_total").strict == Bounds.at_least(1_000_000)


def test_as_printed_leaves_hedges_aside(east):
    assert east().resolve("grants").printed == Bounds.exactly(600_000)


def test_as_printed_a_floor_stays_a_floor_and_a_ceiling_a_ceiling(east):
    assert east().resolve("floor").printed == Bounds.at_least(100_000)
    assert east().resolve("ceiling").printed == Bounds(0, 100_000)


def test_a_formula_lists_what_is_missing_and_what_was_found(east):
    result = east().evaluate(parse_formula("works / visits <= funds_credit"))
    assert result.terms == ()
    assert [gap.name for gap in result.missing] == ["visits", "funds_credit"]
    assert result.claims == ("C1", "C5")
    assert result.answer("strict") == ""


@pytest.mark.parametrize(
    ("formula", "answer"),
    [
        ("works > grants", "yes"),  # 100 > [60, 70)
        ("grants == 65 * 万元", "unknown"),
        ("gifts >= 31 * 万元", "no"),
        ("gifts", ""),
    ],
)
def test_answer(east, formula, answer):
    assert east().evaluate(parse_formula(formula)).answer("strict") == answer
