"""The chapter on the programme's effect in Chinese: no English is left for a reader."""

import pytest

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.language import speaking
from evaluation.report.effects.driver_exhibits import (
    drivers_table,
    heterogeneity_table,
    plot_drivers,
)
from evaluation.report.effects.plots import plot_effects, plot_event_studies
from evaluation.report.effects.study import estimate_study_effects
from evaluation.report.effects.tables import (
    decomposition_table,
    effects_event_table,
    effects_table,
)
from evaluation.report.gains.study import estimate_study_gains
from tests.chinese import english_left
from tests.conftest import REPO
from tests.report.test_effects_exhibits import drawn_panel, effects_of, in_towns, staggered

OF_EFFECTS = [
    effects_table, plot_effects, plot_event_studies, effects_event_table, decomposition_table,
]  # fmt: skip
LITERATURE = ["Goodman-Bacon", "de Chaisemartin, D'Haultfoeuille", "Romano-Wolf"]
FILES = ["effects.tex", "effects.docx", "zh"]


@pytest.fixture(scope="module")
def in_chinese():
    with speaking("zh"):
        yield


@pytest.fixture(scope="module")
def gains(in_chinese):
    study = Study.load(REPO / "data" / "jining_simulated")
    return estimate_study_gains(load_data(study), covariates="households")


@pytest.fixture(scope="module")
def studies(gains):
    """The simulated study, and drawn ones with many counties, with few, with one treated."""
    drawn = [
        effects_of(staggered()),
        effects_of(drawn_panel(counties=36), anticipation=1),
        effects_of(in_towns(drawn_panel(), county=["A"] * 120 + ["B"] * 60)),
        effects_of(in_towns(drawn_panel(), county=["A"] * 60 + ["B"] * 120)),
    ]
    return [estimate_study_effects(gains), *drawn]


@pytest.mark.parametrize("make", OF_EFFECTS)
def test_exhibits_of_effects(studies, make):
    for effects in studies:
        html = make(effects).to_html()
        assert english_left(html, allowed=[*LITERATURE, *FILES]) == []


@pytest.mark.parametrize("make", [drivers_table, plot_drivers])
def test_exhibits_of_drivers(gains, make):
    assert english_left(make(gains).to_html(), allowed=LITERATURE) == []


@pytest.mark.parametrize("by", ["", "county", "cohort", "project_type", "dispatch_level"])
def test_gains_by_group(gains, by):
    assert english_left(heterogeneity_table(gains, by).to_html(), allowed=LITERATURE) == []


def test_columns_of_data_stay_english(gains):
    with speaking("en"):
        english = drivers_table(gains)
    assert list(drivers_table(gains).data) == list(english.data)
