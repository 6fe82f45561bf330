"""A study of one county alone: its villages, its money, its claims, and nothing of others."""

import numpy as np
import pytest

from evaluation import Study, load_data
from evaluation.claims.crosscheck import run_crosschecks
from evaluation.claims.measures import assess_counties
from evaluation.claims.table import load_claims
from evaluation.errors import DataError
from tests.conftest import JINING, REPO
from tests.data.county_study import VILLAGES, write_hills

SIMULATED = REPO / "data" / "jining_simulated"


@pytest.fixture(scope="module")
def hills(tmp_path_factory):
    return write_hills(tmp_path_factory.mktemp("hills"))


def load(folder, county, **options):
    return load_data(Study.load(folder, county=county, **options))


@pytest.mark.parametrize("county", ["East", "东县", " East "])
def test_a_county_goes_by_any_of_its_names(hills, county):
    study = Study.load(hills, county=county)
    assert (study.county.name, study.county.zh) == ("East", "东县")
    assert [area.name for area in study.counties] == ["East"]
    assert list(load_data(study).panel.villages.index) == ["e1", "e2", "e3"]


def test_a_county_that_only_the_files_name_is_found(hills):
    assert list(load(hills, "北县").panel.villages.index) == ["n1", "n2", "n3"]


def test_treated_and_comparison_villages_are_the_countys(hills):
    whole, part = load_data(Study.load(hills)).panel, load(hills, "East").panel
    assert list(part.is_treated) == [True, False, False]
    rows = whole.villages.index.get_indexer(part.villages.index)
    for name in whole.matrices:
        np.testing.assert_array_equal(part.matrix(name), whole.matrix(name)[rows])


def test_years_are_those_that_the_county_has(hills):
    panel = load(hills, "West").panel
    assert panel.years.tolist() == [2019, 2020, 2021]
    assert panel.rows.all() and panel.matrix().shape == (3, 3)


def test_money_of_several_counties_is_not_the_countys(hills):
    entries = load(hills, "东县").ledger.entries
    assert entries["amount"].sum() == (10 + 20 + 30) * 10_000
    assert load_data(Study.load(hills)).ledger.entries["amount"].sum() == 3_560 * 10_000


def test_a_county_without_money_has_no_ledger(hills):
    assert load(hills, "北县").ledger is None


def test_the_counties_of_a_study_make_up_its_files():
    whole = load_data(Study.load(SIMULATED))
    parts = [load(SIMULATED, area.name) for area in whole.study.counties]
    assert sum(part.panel.n_villages for part in parts) == whole.panel.n_villages
    for name in ("projects", "indicators"):
        assert sum(len(getattr(part, name)) for part in parts) == len(getattr(whole, name))
    money = [part.ledger.entries["amount"].sum() for part in parts]
    assert sum(money) == pytest.approx(whole.ledger.entries["amount"].sum(), rel=1e-12)


def test_an_unknown_county_is_one_error_that_names_the_nearest(hills):
    with pytest.raises(DataError, match=r"^no county 'Est'; did you mean 'East'\?$"):
        load(hills, "Est")
    with pytest.raises(DataError, match="known: East, West, 东县, 北县, 南县, 西县"):
        load(hills, "Nowhere")
    with pytest.raises(DataError, match=r"no county 'Yutay'; did you mean 'Yutai'\?"):
        Study.load(JINING, county="Yutay")


def test_a_county_without_treated_villages_is_an_error_that_says_which_have(hills):
    with pytest.raises(
        DataError, match=r"none of the 3 villages of 南县 is treated.*West, 东县"
    ):
        load(hills, "南县")


def test_a_county_of_study_yml_without_villages_is_an_error(tmp_path):
    own = {key: about for key, about in VILLAGES.items() if about[0] != "West"}
    ledger = "id,county,town,year,source,amount\ne1,东县,A,2020,财政,10\n"
    with pytest.raises(DataError, match="no village of West; it has villages of 东县, 北县"):
        load(write_hills(tmp_path, villages=own, ledger=ledger), "West")


def test_a_mistake_in_another_countys_row_is_still_an_error(tmp_path):
    folder = write_hills(tmp_path)
    file = folder / "villages.csv"
    file.write_text(
        file.read_text("utf-8").replace("w1,West,C,2019,2021,4.1", "w1,West,C,2019,2021,many"),
        "utf-8",
    )
    with pytest.raises(DataError, match="many"):
        load(folder, "East")


def test_title_and_limits_say_that_it_is_one_county(hills):
    study = Study.load(hills, county="East")
    assert study.title.en == "The hills (East alone)"
    assert study.title.zh == "山区（仅东县）"
    assert study.limits[0].en.startswith("This report is on East alone")
    assert "Money that is recorded for several counties" in study.limits[0].en
    assert "Claims" not in study.limits[0].en
    assert [text.en for text in study.limits[1:]] == ["A limit."]


def test_a_study_is_restricted_from_its_whole(hills):
    study = Study.load(hills, county="East")
    assert study.whole.title.en == "The hills"
    assert study.restrict(county="West").title.en == "The hills (West alone)"
    assert study.restrict() is study.whole
    again = study.restrict(county="East")
    assert again.title == study.title and again.limits == study.limits


# -- claims --------------------------------------------------------------------------------


def test_claims_are_the_countys_and_what_holds_for_each():
    whole = load_claims(Study.load(JINING))
    part = load_claims(Study.load(JINING, county="鱼台县"))
    own = {name for name, claim in whole.claims.items() if claim.county == "Yutai"}
    assert {*part.claims} == own | {"C092"}  # the programme took two years
    assert {gap.county for gap in part.unquantified} <= {"Yutai"}


def test_measures_are_those_of_the_report_on_all_counties():
    def measured(table):
        return {
            (a.measure.name, a.definition): (a.read("strict"), a.result.claims)
            for a in assess_counties(table)
            if a.county == "Yutai"
        }

    whole, part = (load_claims(Study.load(JINING, county=c)) for c in ("", "Yutai"))
    assert measured(part) == measured(whole)
    assert {a.county for a in assess_counties(part)} == {"Yutai"}


def test_crosschecks_of_several_counties_are_not_made():
    made = [
        r.check.id for r in run_crosschecks(load_claims(Study.load(JINING, county="Liangshan")))
    ]
    # X23 holds the county's years against what is said of all counties alike.
    assert made == ["X01", "X21", "X22", "X23", "X26"]
    sishui = load_claims(Study.load(JINING, county="Sishui"))
    assert [r.check.id for r in run_crosschecks(sishui)] == ["X17"]


def test_a_county_without_claims_is_an_error(write_study):
    study = write_study(
        """
        claim county indicator  unit printed
        C1    East   jobs       人   12人
        """
    )
    with pytest.raises(DataError, match="no claim on West; it has claims on East"):
        load_claims(study.restrict(county="West"))
