"""The village that a figure draws: picked by whoever sits there, given where nobody does."""

import ipywidgets
import pytest
from jupyter_client.manager import start_new_kernel

from evaluation.errors import ReportError
from evaluation.language import speaking
from evaluation.report.exhibits import Exhibit
from evaluation.report.gains import village_picker
from evaluation.report.gains.paths import plot_counterfactual
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.village_picker import pick_village
from tests.report.test_gain_exhibits import drawn_gains
from tests.report.test_panel_exhibits import data_of, panel_of

ASK = "from evaluation.report.gains.village_picker import _is_watched; print(_is_watched())"


@pytest.fixture(scope="module")
def gains():
    return drawn_gains(n_treated=6, n_never=20)


@pytest.fixture
def watched(monkeypatch):
    monkeypatch.setattr(village_picker, "_is_watched", lambda: True)


def picture(box):
    return box.children[1].value


def test_a_run_that_nobody_watches_has_the_figure_alone(gains):
    figure = pick_village(gains, village="v3")
    assert isinstance(figure, Exhibit)
    assert str(figure.to_html()) == str(plot_counterfactual(gains, village="v3").to_html())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_only_a_person_can_answer_a_kernel():
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        for answers in (True, False):  # JupyterLab lets cells ask; nbclient and papermill not
            said = []
            client.execute_interactive(
                ASK, allow_stdin=answers, output_hook=said.append, timeout=120
            )
            texts = [message["content"].get("text", "") for message in said]
            assert "".join(texts) == f"{answers}\n"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_picking_a_village_draws_it_and_another_word_does_not(gains, watched):
    box = pick_village(gains, village="v3")
    field = box.children[0]
    assert isinstance(box, ipywidgets.VBox) and isinstance(field, ipywidgets.Combobox)
    assert field.options == tuple(f"v{i}" for i in range(6))  # the treated, by key as by name
    before = picture(box)
    assert before == str(plot_counterfactual(gains, village="v3").to_html())
    field.value = "v1"
    after = picture(box)
    assert after == str(plot_counterfactual(gains, village="v1").to_html()) != before
    for unknown in ("v", "v99", ""):
        field.value = unknown
        assert picture(box) == after


def test_the_field_speaks_the_notebooks_language(gains, watched):
    with speaking("zh"):
        field = pick_village(gains).children[0]
    assert field.description == "村"
    assert field.placeholder == "村名或村代码"


def test_a_village_that_is_not_there_is_an_error_with_or_without_a_person(gains, watched):
    with pytest.raises(ReportError, match="nowhere"):
        pick_village(gains, village="nowhere")


def test_gains_that_cannot_be_told_leave_the_reason_in_the_pickers_place(watched):
    alone = panel_of([2020, 2020], [2019, 2020], [[1, 2], [1, 2]])
    assert pick_village(estimate_study_gains(data_of(panel=alone))).kind == "table"
