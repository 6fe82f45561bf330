"""Village data that other people published, read through studies that a user would write."""

import numpy as np
import pandas as pd
import pytest

from evaluation.data.guess import write_new_study
from evaluation.data.load import check_data, load_data
from evaluation.data.prices import read_price_index
from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import REPO, SHARED

pytestmark = pytest.mark.shared

DATA = SHARED / "data"
XU_YAO = REPO / "data" / "xu_yao_2015"
# Stata keeps these columns as 32-bit floats: seven digits.
SINGLE = 1e-6


def load(name):
    return load_data(Study.load(REPO / "tests" / "studies" / name, data=DATA / name))


def xu_yao(file="study.yml"):
    return load_data(Study.load(XU_YAO / file, data=DATA / "xu_yao_2015"))


def problem(data, words):
    (found,) = [p for p in data.problems if words in p.message]
    return found


def named(found):
    return {cell for _, cell in found.places}


@pytest.fixture(scope="module")
def raw_xu_yao():
    return pd.read_stata(DATA / "xu_yao_2015" / "xy2015.dta", convert_categoricals=False)


def test_xu_yao_has_its_rows_villages_and_incomes():
    panel = xu_yao().panel
    assert (panel.n_villages, panel.rows.sum()) == (220, 3742)
    assert np.isfinite(panel.matrix("income")).sum() == 3513
    assert (panel.years[0], panel.years[-1]) == (1986, 2005)


@pytest.mark.parametrize(
    ("file", "never", "reversed_", "no_untreated_row"),
    # Treated in every row, and those of the reversed ones whose first row is treated.
    [
        (
            "study.yml",
            5,
            {"15", "17", "25", "52", "74", "104", "143", "167", "174", "194", "218"},
            132 + 7,
        ),
        ("open_nomination.yml", 24, {"25", "28", "60", "123", "187", "204"}, 98 + 3),
    ],
)
def test_xu_yao_treatments(file, never, reversed_, no_untreated_row):
    data = xu_yao(file)
    assert (~data.panel.is_treated).sum() == never
    assert named(problem(data, "treatment ends or comes twice")) == reversed_
    untreated = data.panel.rows & ~data.panel.treated_cells
    assert (data.panel.is_treated & ~untreated.any(axis=1)).sum() == no_untreated_row
    assert problem(data, "without an untreated year").count >= no_untreated_row


def test_xu_yao_incomes_are_real_yuan_of_2005(raw_xu_yao):
    panel, levels = xu_yao().panel, read_price_index("china")
    row = raw_xu_yao[(raw_xu_yao.vill_id == 37) & (raw_xu_yao.year == 1996)].iloc[0]
    real = np.exp(row.logincome) * levels[2005] / levels[1996]
    village, year = panel.villages.index.get_loc("37"), list(panel.years).index(1996)
    assert panel.matrix("income")[village, year] == pytest.approx(real, rel=SINGLE)


def test_xu_yao_transfers_are_the_ledger(raw_xu_yao):
    ledger = xu_yao().ledger
    known = raw_xu_yao.logtransfer.dropna()
    assert len(ledger.entries) == len(known) == 2530
    in_2005 = raw_xu_yao[raw_xu_yao.year == 2005].logtransfer.dropna()
    amounts = ledger.entries.loc[ledger.entries.year == 2005, "amount"]
    assert amounts.sum() == pytest.approx(1000 * np.expm1(in_2005).sum(), rel=SINGLE)


def test_xu_yao_without_its_file_says_where_it_is_to_be_had(tmp_path):
    with pytest.raises(DataError) as error:
        Study.load(XU_YAO, data=tmp_path)
    told = str(error.value)
    assert "xy2015.dta" in told and "Informal Institutions" in told and "--data" in told
    assert len(told.splitlines()) == 1


def test_bangladesh_households_become_villages():
    panel = load("bangladesh_9198").panel
    raw = pd.read_stata(DATA / "bangladesh_9198" / "hh_9198.dta", convert_categoricals=False)
    assert (panel.n_villages, list(panel.years)) == (87, [1991, 1998])
    # 61 villages had a participant in both years, 21 only in 1998, five in neither.
    cohort = panel.villages["cohort"]
    assert ((cohort == 1991).sum(), (cohort == 1998).sum(), cohort.isna().sum()) == (61, 21, 5)
    here = raw[(raw.vill == 12) & (raw.year == 0)]
    mean = np.average(here.exptot, weights=here.weight)
    village = panel.villages.index.get_loc("12")
    assert panel.matrix("expenditure")[village, 0] == pytest.approx(mean, rel=SINGLE)
    poor = np.average(here.exptot < 5000, weights=here.weight)
    assert panel.matrix("poor")[village, 0] == pytest.approx(poor, rel=SINGLE)


def test_village_x_takes_its_treatment_from_the_projects_dates():
    data = load("village_x")
    assert (data.panel.n_villages, int(data.panel.is_treated.sum())) == (32, 13)
    lost = problem(data, "the panel does not have")
    assert lost.count == 6 and "(8)" in lost.message
    assert any("did you mean 'Chiradzulu/Likoswe'" in cell for cell in named(lost))
    cohort = data.panel.villages.set_index("name")["cohort"]
    # Two projects, completed on 9/25/2015 and 01/2/2016; one on 12/10/2016.
    assert (cohort["Kazembe"], cohort["Siyabu"]) == (2015, 2016)
    projects = pd.read_csv(DATA / "village_x" / "projects.csv")
    stats = pd.read_csv(DATA / "village_x" / "village_stats.csv")
    known = set(stats.District.str.strip() + stats.Village.str.strip())
    joins = (projects.District.str.strip() + projects.Village.str.strip()).isin(known)
    assert joins.sum() == len(data.ledger.entries) == 22
    assert data.ledger.entries["amount"].sum() == projects.Cost[joins].sum()


def test_olken_is_a_cross_section_with_budgets():
    data = load("olken_2007")
    panel = data.panel
    outcome = panel.matrix("missing")[:, 0]
    assert (panel.n_villages, np.isfinite(outcome).sum()) == (567, 477)
    # The published control mean is .277, of the 477 villages with a figure.
    assert np.nanmean(outcome[~panel.is_treated]) == pytest.approx(0.277, abs=0.0005)
    assert data.ledger.entries["amount"].median() > 1e6  # rupiah, not millions


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("bangladesh_9198", ["hh_9198.dta"]),
        ("village_x", ["village_stats.csv"]),
        ("village_x", ["comp_score.csv", "projects.csv"]),
        ("olken_2007", ["jperoaddata.dta"]),
        ("xu_yao_2015", ["xy2015.dta"]),
        ("mpdta", ["mpdta.csv"]),
    ],
)
def test_new_makes_a_study_that_is_read_or_says_what_is_missing(tmp_path, folder, files):
    paths = [DATA / folder / name for name in files]
    study = Study.load(write_new_study(tmp_path / "mine", paths))
    data, problems = check_data(study)
    assert data is not None or problems.errors
