"""The outcome's scale: what becomes of zeros, and gains that come back to yuan as they were."""

from dataclasses import replace

import numpy as np
import pytest

from evaluation.data.panel import OutcomeScale
from evaluation.errors import DesignError
from evaluation.gains.scale import retransformation, to_analysis_scale, to_yuan
from tests.data.typed_studies import read_typed

EXACT = 1e-12  # the same arithmetic, in another order
SAMPLING = 0.0125  # five standard errors of the mean gain over 40,000 simulated villages
NAN = np.nan
LOG, ADD_ONE, ZEROS_OUT, PER_CAPITA = (
    OutcomeScale(form="log"),
    OutcomeScale(form="log", zeros="add_one"),
    OutcomeScale(form="log", zeros="missing"),
    OutcomeScale(form="per_capita", per="population"),
)
SAID = """
    prices: {basis: real, base_year: 2020}
    panel:
      file: villages.csv
      village: vill
      year: year
      outcomes: {income: {column: y, unit: 元}}
      covariates: {population: people}
      treatment: {first_year: cohort}
    """
ROWS = """
    vill cohort year y   people
    a    2020   2019 100 10
    a    2020   2020 300 20
    b    -      2019 -   -
    b    -      2020 50  25
    """


@pytest.fixture
def panel_on(tmp_path):
    """Read a panel typed out, to be analysed on a scale."""

    def read(scale, rows=ROWS, said=SAID):
        return replace(read_typed(tmp_path, said, villages=rows).panel, analysis=scale)

    return read


@pytest.mark.parametrize(
    ("scale", "values", "unit"),
    [
        (OutcomeScale(), [[100, 300], [NAN, 50]], "yuan"),
        (PER_CAPITA, [[100 / 10, 300 / 20], [NAN, 50 / 25]], "yuan / population"),
        (LOG, np.log([[100, 300], [NAN, 50]]), "log of yuan"),
        (ADD_ONE, np.log([[101, 301], [NAN, 51]]), "log(1 + yuan)"),
    ],
)
def test_each_scale_by_hand(panel_on, scale, values, unit):
    scaled = to_analysis_scale(panel_on(scale))
    np.testing.assert_allclose(scaled.matrix, values, rtol=EXACT)
    assert (scaled.unit, scaled.n_left_out) == (unit, 0)


def test_the_panel_is_not_changed(panel_on):
    for scale in (PER_CAPITA, LOG, ADD_ONE, ZEROS_OUT):
        panel = panel_on(scale, WITH_ZEROS if scale is ZEROS_OUT else ROWS)
        before = panel.matrix().copy()
        to_analysis_scale(panel)
        np.testing.assert_array_equal(panel.matrix(), before)


WITH_ZEROS = ROWS.replace("2020 50 ", "2020 0  ").replace("2019 100", "2019 0  ")


def test_zeros_are_an_error_that_says_what_to_do(panel_on):
    with pytest.raises(DesignError) as error:
        to_analysis_scale(panel_on(LOG, WITH_ZEROS))
    told = str(error.value)
    assert told.startswith("villages.csv: income: zeros have no logarithm (2): a 2019, b 2020.")
    assert "zeros: missing" in told and "zeros: add_one" in told and "log(1 + yuan)" in told


def test_zeros_may_be_left_out_and_are_counted(panel_on):
    scaled = to_analysis_scale(panel_on(ZEROS_OUT, WITH_ZEROS))
    np.testing.assert_allclose(scaled.matrix, [[NAN, np.log(300)], [NAN, NAN]], rtol=EXACT)
    assert scaled.n_left_out == 2  # b's missing year was never there


def test_a_zero_is_the_log_of_one_where_one_is_added(panel_on):
    scaled = to_analysis_scale(panel_on(ADD_ONE, WITH_ZEROS))
    assert scaled.matrix[0, 0] == 0 and scaled.n_left_out == 0


@pytest.mark.parametrize("scale", [LOG, ADD_ONE, ZEROS_OUT])
def test_a_loss_has_no_logarithm_whatever_zeros_do(panel_on, scale):
    rows = ROWS.replace("2020 50 ", "2020 -.5")
    with pytest.raises(DesignError, match=r"negative values have no logarithm \(1\): b 2020\."):
        to_analysis_scale(panel_on(scale, rows))


def test_many_cells_are_counted_and_the_first_named(panel_on):
    years = range(2000, 2007)
    rows = "vill cohort year y people\n" + "\n".join(f"a - {year} 0 1" for year in years)
    with pytest.raises(DesignError, match=r"\(7\): a 2000, a 2001, .*a 2004 and 2 more\."):
        to_analysis_scale(panel_on(LOG, rows))


@pytest.mark.parametrize("people", ["0 ", "- ", "-3"])
def test_nobody_to_divide_by_is_an_error(panel_on, people):
    rows = ROWS.replace("300 20", f"300 {people}")
    with pytest.raises(DesignError, match=r"no population above zero \(1\): a 2020\. Mend"):
        to_analysis_scale(panel_on(PER_CAPITA, rows))


def test_without_an_outcome_nobody_is_needed_to_divide_by(panel_on):
    assert np.isnan(to_analysis_scale(panel_on(PER_CAPITA)).matrix[1, 0])  # b in 2019


IN_LOGS = SAID.replace("unit: 元", "scale: log")


def test_a_logarithm_of_no_money_stays_as_it_is(panel_on):
    panel = panel_on(OutcomeScale(), said=IN_LOGS)
    scaled = to_analysis_scale(panel)
    np.testing.assert_array_equal(scaled.matrix, [[100, 300], [NAN, 50]])
    assert scaled.unit == "log of the number"
    assert np.isnan(to_yuan(panel, scaled.matrix, scaled.matrix, smearing=1.0)).all()
    assert "not retransformed" in retransformation(panel)
    with pytest.raises(DesignError, match="is a logarithm already: its scale cannot be log"):
        to_analysis_scale(replace(panel, analysis=LOG))


def test_a_logarithm_of_money_is_put_back(panel_on):
    said = SAID.replace("unit: 元", "unit: 元, scale: log")
    rows = ROWS.replace("300 20", "3.5 20").replace("100 10", "2.5 10").replace("50 ", "1.5")
    scaled = to_analysis_scale(panel_on(LOG, rows, said))
    np.testing.assert_allclose(scaled.matrix, [[2.5, 3.5], [NAN, 1.5]], rtol=EXACT)


# -- back to yuan ----------------------------------------------------------------------------

SMEARING = 1.25


@pytest.mark.parametrize(
    ("scale", "without", "gain"),
    [
        (OutcomeScale(), 120, 300 - 120),
        (PER_CAPITA, 6, (300 / 20 - 6) * 20),
        (LOG, np.log(80), 300 - 80 * SMEARING),
        # the counterfactual is 81 * 1.25 - 1
        (ADD_ONE, np.log(81), 300 - (81 * SMEARING - 1)),
        (ZEROS_OUT, np.log(80), 300 - 80 * SMEARING),
    ],
)
def test_gains_in_yuan_by_hand(panel_on, scale, without, gain):
    panel = panel_on(scale)
    counterfactual = np.array([[NAN, without]])
    gains = to_analysis_scale(panel).matrix[[0]] - counterfactual
    first = np.array([0])
    in_yuan = to_yuan(panel, counterfactual, gains, smearing=SMEARING, rows=first)
    np.testing.assert_allclose(in_yuan, [[NAN, gain]], rtol=EXACT)


def test_each_village_is_multiplied_by_its_own_people(panel_on):
    panel, ones = panel_on(PER_CAPITA), np.ones((2, 2))
    np.testing.assert_array_equal(
        to_yuan(panel, ones, ones, smearing=1.0), [[10, 20], [NAN, 25]]
    )
    second = to_yuan(panel, ones[[1]], ones[[1]], smearing=1.0, rows=np.array([False, True]))
    np.testing.assert_array_equal(second, [[NAN, 25]])


@pytest.mark.parametrize("scale", [OutcomeScale(), PER_CAPITA, LOG, ADD_ONE])
def test_without_errors_every_scale_gives_the_same_yuan(panel_on, scale):
    panel = panel_on(scale)
    scaled = to_analysis_scale(panel).matrix
    truth = to_analysis_scale(replace(panel, matrices=panel.matrices | {"income": FLAT})).matrix
    in_yuan = to_yuan(panel, truth, scaled - truth, smearing=1.0)
    np.testing.assert_allclose(in_yuan, [[100 - 40, 300 - 40], [NAN, 50 - 40]], rtol=EXACT)


FLAT = np.array([[40.0, 40.0], [NAN, 40.0]])


def test_the_mean_gain_is_recovered_from_logs(panel_on):
    """Income is exp(village + error), and the programme adds exactly 0.3 of the mean of that.

    The village's level is estimated from five noisy years: its error and the residuals'
    shrinking cancel in exp(yhat0) S.
    """
    rng = np.random.default_rng(7)
    n, years, sd = 40_000, 5, 0.4
    errors = rng.normal(0, sd, (n, years + 1))
    untreated, treated = errors[:, :years], errors[:, years:]
    level = untreated.mean(axis=1, keepdims=True)
    smearing = np.exp(untreated - level).mean()
    mean_without = np.exp(sd**2 / 2)
    income = np.exp(treated) + 0.3 * mean_without
    gains = to_yuan(panel_on(LOG), level, np.log(income) - level, smearing=float(smearing))
    assert gains.mean() == pytest.approx(0.3 * mean_without, abs=SAMPLING)
    naive = (income - np.exp(level)).mean()
    assert naive > 0.3 * mean_without + SAMPLING  # without the factor it is too high


@pytest.mark.parametrize(
    ("scale", "says"),
    [
        (OutcomeScale(), "Gains are estimated in yuan; nothing is retransformed."),
        (PER_CAPITA, "Gains in yuan are those per capita times population"),
        (LOG, "Gains in yuan are outcome - exp(counterfactual) x S."),
        (ADD_ONE, "Gains in yuan are outcome + 1 - exp(counterfactual) x S."),
        (ZEROS_OUT, "Village-years with an outcome of zero are left out."),
    ],
)
def test_the_words_say_how(panel_on, scale, says):
    assert says in retransformation(panel_on(scale))


@pytest.mark.parametrize("scale", [OutcomeScale(), PER_CAPITA, LOG, ADD_ONE, ZEROS_OUT])
def test_what_is_no_money_is_not_called_yuan(panel_on, scale):
    panel = panel_on(scale, said=SAID.replace("unit: 元", "unit: 户"))
    assert "yuan" not in retransformation(panel) and "levels" in retransformation(panel)
