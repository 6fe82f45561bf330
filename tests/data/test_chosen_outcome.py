"""Another outcome than the study's own: its name, its label, its scale, and its limits."""

import numpy as np
import pytest

from evaluation import Study, load_data
from evaluation.errors import DataError
from tests.conftest import JINING
from tests.data.county_study import write_hills


@pytest.fixture(scope="module")
def hills(tmp_path_factory):
    return write_hills(tmp_path_factory.mktemp("hills"))


def load(folder, outcome):
    return load_data(Study.load(folder, outcome=outcome))


@pytest.mark.parametrize(
    ("outcome", "name", "label"),
    [
        ("operating", "income_operating", "operating income"),
        ("income_operating", "income_operating", "operating income"),
        ("subsidy", "income_subsidy", "subsidies"),
        ("income", "income", "collective income without subsidies"),
        ("poor", "poor", "share of the poor"),
    ],
)
def test_the_outcome_is_the_main_one_and_comes_first(hills, outcome, name, label):
    panel = load(hills, outcome).panel
    assert panel.outcome == name == next(iter(panel.variables)) == next(iter(panel.matrices))
    chosen = panel.variables[name]
    assert (chosen.role, chosen.label) == ("outcome", label)
    whole = load_data(Study.load(hills)).panel
    np.testing.assert_array_equal(panel.matrix(), whole.matrix(name))


def test_the_studys_own_outcome_is_no_other(hills):
    whole = Study.load(hills)
    for name in ("income", " income "):
        assert Study.load(hills, outcome=name) == whole
        assert Study.load(hills, outcome=name).outcome is None
    assert Study.load(hills, outcome="poor").restrict(outcome="income").title == whole.title


def test_only_the_outcome_changes(hills):
    whole, part = load_data(Study.load(hills)).panel, load(hills, "poor").panel
    assert {*part.variables} == {*whole.variables}
    assert part.villages.equals(whole.villages)


@pytest.mark.parametrize(
    ("outcome", "form", "zeros"),
    [
        ("income", "log", "add_one"),  # the study's own
        ("subsidy", "log", "add_one"),  # a kind of it
        ("poor", "level", "error"),  # a share
        ("loans", "log", "add_one"),  # money that the file has as log1p
    ],
)
def test_the_scale_is_the_outcomes(hills, outcome, form, zeros):
    analysis = load(hills, outcome).panel.analysis
    assert (analysis.form, analysis.zeros) == (form, zeros)


def test_an_unknown_outcome_is_one_error_that_names_the_nearest(hills):
    with pytest.raises(DataError, match=r"^no outcome 'operatng' in the panel; did you mean"):
        Study.load(hills, outcome="operatng")
    with pytest.raises(DataError, match="known: income, loans, operating, poor, subsidy"):
        Study.load(hills, outcome="xyz")
    with pytest.raises(DataError, match="jining_2021 has no panel"):
        Study.load(JINING, outcome="operating")


def test_limits_say_what_a_kind_of_income_is_not(hills):
    def said(outcome):
        return Study.load(hills, outcome=outcome).limits[0].en

    assert "one kind of income" in said("operating") and "subsidies" not in said("operating")
    assert "holds subsidies" in said("subsidy")
    assert said("poor").endswith("chosen in place of the study's own.")


def test_the_title_says_it_in_both_languages(hills):
    title = Study.load(hills, county="West", outcome="poor").title
    assert title.en == "The hills (West alone; outcome: share of the poor)"
    assert title.zh == "山区（仅西县；结果变量：贫困率）"
