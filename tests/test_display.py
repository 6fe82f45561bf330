"""Results show their summary in a cell, and one line where a program prints them."""

import importlib
import inspect
import pkgutil

import pytest
from IPython.core.formatters import DisplayFormatter

import evaluation
from evaluation import Study, load_data
from evaluation.display import ShowsSummary
from evaluation.language import speaking
from tests.conftest import JINING, REPO
from tests.report.test_gain_exhibits import drawn_gains

SIMULATED = REPO / "data" / "jining_simulated"
LONGEST = 300  # characters of the one line


def classes():
    """Give every class of the package, by name."""
    for module in pkgutil.walk_packages(evaluation.__path__, "evaluation."):
        if module.name != "evaluation.__main__":
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            yield from (c for _, c in members if c.__module__ == module.name)


SUMMED_UP = sorted(
    (c for c in classes() if hasattr(c, "summary") and c is not ShowsSummary),
    key=lambda c: c.__qualname__,
)


@pytest.fixture(scope="module")
def shown(jining):
    data = load_data(Study.load(SIMULATED))
    gains = drawn_gains(n_treated=14, n_never=30)
    return {
        thing.__class__.__name__: thing
        for thing in (
            data.study, data, data.panel, data.ledger, jining, gains, gains.found,
            gains.shrunken,
        )
    }  # fmt: skip


def test_classes_are_found():
    assert {"IncomeGains", "Study", "StudyData", "ClaimTable"} <= {
        c.__name__ for c in SUMMED_UP
    }
    assert len(SUMMED_UP) > 25


@pytest.mark.parametrize("summed_up", SUMMED_UP, ids=lambda c: c.__name__)
def test_whatever_has_a_summary_shows_it(summed_up):
    assert issubclass(summed_up, ShowsSummary)
    assert summed_up.__repr__ is ShowsSummary.__repr__, "repr=False"
    assert "summary" in vars(summed_up)
    assert "__dict__" not in summed_up.__slots__ if hasattr(summed_up, "__slots__") else True


def test_a_cell_shows_the_summary_and_a_program_one_line(shown):
    assert len(shown) == 8
    for name, thing in shown.items():
        bundle, _ = DisplayFormatter().format(thing)
        assert set(bundle) == {"text/html", "text/plain"}
        for line in thing.summary().splitlines():
            assert line.replace("<", "&lt;") in bundle["text/html"].replace("&#x27;", "'")
        line = bundle["text/plain"]
        assert line == repr(thing) == f"<{name}: {thing.summary().splitlines()[0]}>"
        assert "\n" not in line and len(line) < LONGEST


def test_a_study_says_its_title_and_its_files(shown):
    assert shown["Study"].summary().splitlines()[1:] == [
        "jining_simulated: villages.csv, ledger.csv, projects.csv, indicators.csv"
    ]
    first, *lines = shown["StudyData"].summary().splitlines()
    assert first == f"SIMULATED: {shown['Study'].title.en}"
    assert lines[0] == "villages.csv: 328 villages, 2014-2022, 2,952 rows"
    assert lines[3].startswith("ledger.csv: ") and lines[-1].startswith("indicators: ")
    title, held = shown["ClaimTable"].summary().splitlines()
    claims = shown["ClaimTable"].to_frame()
    assert title.startswith("Shandong's First Secretaries")
    assert held == (
        f"{len(claims)} claims on {claims['indicator'].nunique()} indicators, "
        f"{claims['strict'].notna().sum()} with a figure"
    )


def test_titles_are_in_the_language_spoken():
    study = Study.load(JINING)
    with speaking("zh"):
        assert repr(study) == "<Study: 山东省派第一书记在济宁：2021年7月的公开数字>"


def test_text_is_not_read_as_html():
    class Small(ShowsSummary):
        def summary(self):
            return "a < b\nsecond"

    assert ">a &lt; b\nsecond</pre>" in Small()._repr_html_()
    assert repr(Small()) == "<Small: a < b>"


def test_gains_that_are_not_there_say_why():
    gains = evaluation.estimate_study_gains(load_data(Study.load(JINING)))
    assert gains.main is None
    assert gains.summary() == gains.reason != ""
