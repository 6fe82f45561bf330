"""Reports on one county or another outcome: what they say, and what they cannot say."""

import json
from dataclasses import replace

import pytest
from nbformat import read as read_notebook

from evaluation import Study, load_data, run_report
from evaluation.claims.table import load_claims
from evaluation.errors import DataError, ReportError
from evaluation.language import speaking
from evaluation.report.chapters import choose_chapters
from evaluation.report.claims.check_tables import crosscheck_table
from evaluation.report.claims.measure_tables import comparison_table, findings_table
from evaluation.report.claims.tables import pillar_table
from evaluation.report.compare.levels import Judge
from evaluation.report.compare.moves import find_moves
from evaluation.report.compare.tables import compare_exhibit
from evaluation.report.data.panel_tables import problem_table, summary_table
from evaluation.report.efficiency.funds_tables import execution_table
from evaluation.report.efficiency.plots import plot_efficiency
from evaluation.report.efficiency.study import estimate_study_efficiency
from evaluation.report.efficiency.sustainability_table import sustainability_table
from evaluation.report.efficiency.tables import efficiency_table
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.tables import gain_by_table
from evaluation.report.job import Job
from evaluation.report.page.summary import summarise
from evaluation.report.page.title_page import front_facts
from evaluation.report.parameters import read_parameters
from tests.conftest import JINING, REPO
from tests.data.county_study import write_hills
from tests.report.one_chapter import have_one_chapter

SIMULATED = REPO / "data" / "jining_simulated"
WHOLE = Study.load(SIMULATED)
NAMED = "Yutai 鱼台县"
PARAMETERS = """\
study: str = "."
data: str = ""; pseudonyms: str = ""
county: str = ""; outcome: str = ""
language: str = "en"
"""
CELL = """\
from evaluation import Study, load_data, summary_table
case = Study.load(study, data=data, pseudonyms=pseudonyms, county=county, outcome=outcome)
summary_table(load_data(case))
"""


@pytest.fixture(scope="module")
def yutai():
    """Its operating income, and what the money bought of it."""
    study = Study.load(SIMULATED, county="Yutai", outcome="operating")
    gains = estimate_study_gains(load_data(study))
    return estimate_study_efficiency(gains, stage="spent")


@pytest.fixture(scope="module")
def claims():
    return load_claims(Study.load(JINING, county="Sishui"))


def job(tmp_path, *, study=WHOLE, **values):
    """Give a job whose chapters have these values."""
    chosen = {
        name: {n: values.get(n, p.default) for n, p in read_parameters(path).items()}
        for name, path in choose_chapters(study).items()
    }
    return Job(study=study, notebooks=choose_chapters(study), values=chosen, out=tmp_path)


def reason(exhibit):
    return exhibit.data["absent"][0]


# -- parameters ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((REPO / "notebooks").glob("*.ipynb")), ids=str)
def test_chapters_declare_what_bears_on_them(path):
    declared = read_parameters(path)
    source = "".join(cell.source for cell in read_notebook(path, 4).cells)
    for name in ("county", "outcome"):
        wanted = name == "county" or not path.stem.startswith("2")
        assert (name in declared) == wanted == (f"{name}={name}" in source)
        assert not wanted or declared[name].default == ""


def test_a_job_is_on_what_its_parameters_say(tmp_path):
    made = job(tmp_path, county="鱼台县", outcome="operating")
    assert made.study.county.name == "Yutai"
    assert made.study.panel.outcome == "income_operating"
    assert {chosen["county"] for chosen in made.values.values()} == {"Yutai"}
    assert replace(made, timeout=9).study.title == made.study.title
    assert job(tmp_path).study is WHOLE


def test_a_county_or_outcome_that_is_not_there_is_told_at_once(tmp_path):
    with pytest.raises(DataError, match="did you mean 'operating'"):
        run_report(SIMULATED, parameters={"outcome": "operatin"}, out=tmp_path)
    with pytest.raises(DataError, match="did you mean 'Yutai'"):
        run_report(SIMULATED, parameters={"county": "Yutay"}, out=tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_own_chapter_must_know_of_the_county(tmp_path):
    own = {"7_own": {"study": ".", "county": "Yutai"}, "8_own": {"study": "."}}
    with pytest.raises(ReportError, match="8_own: its parameters cell does not declare"):
        Job(study=WHOLE, notebooks={}, values=own, out=tmp_path)


# -- what a report says --------------------------------------------------------------------


def test_tables_by_county_have_one_row_with_the_interval_of_all(yutai):
    table = efficiency_table(yutai, by="county")
    assert table.data["county"].tolist() == [NAMED]
    whole = yutai.found.total
    assert table.data.loc[0, ["low", "high"]].tolist() == [whole["low"], whole["high"]]
    assert execution_table(yutai.study_data).data["county"].tolist() == [NAMED]
    figure = plot_efficiency(yutai)
    assert len(figure.data) == 1 and figure.data["kind"].tolist() == ["bounded"]


def test_the_gain_of_the_county_is_not_told_without_the_interval_of_all(yutai):
    assert "its mean gain is that of all its villages" in reason(
        gain_by_table(yutai.gains, by="county")
    )


def test_the_chosen_outcome_is_named(yutai):
    assert "more operating income a year" in efficiency_table(yutai).note
    first = summary_table(yutai.study_data).data.iloc[0]
    assert (first["variable"], first["role"]) == ("income_operating", "outcome")
    # Subsidies are no part of it, so that there is no share of them.
    assert not sustainability_table(yutai).data.astype(str).eq("Subsidies").any().any()
    assert "Subsidies" not in sustainability_table(yutai).body


def test_problems_are_said_to_be_of_all_counties(yutai):
    assert "these are of all counties" in problem_table(yutai.study_data).note
    assert "all counties" not in problem_table(load_data(WHOLE)).note


def test_claims_on_one_county_are_ranked_with_none(claims):
    assert "none to rank it with" in reason(comparison_table(claims))
    assert "nothing on this" in reason(pillar_table(claims, "party_building"))
    assert "what the text says of Sishui" in pillar_table(claims, "industry").caption
    note = findings_table(claims).note
    assert "comparisons" not in note and "nan" not in findings_table(claims).body


def test_crosschecks_that_cannot_be_made_are_counted(claims):
    assert "1 cross-check: " in crosscheck_table(claims).note
    assert "25 cross-checks are not made here" in crosscheck_table(claims).note
    without = replace(claims, claims={"C092": claims.claims["C092"]})
    assert reason(crosscheck_table(without)).startswith("26 cross-checks are not made here")


@pytest.mark.parametrize(
    ("language", "facts", "said"),
    [
        ("en", [("County", NAMED + " alone"), ("Outcome", "operating income")], "of Yutai"),
        ("zh", [("县", "仅鱼台县"), ("结果变量", "经营收入")], "鱼台县"),
    ],
)
def test_title_page_and_summary_say_it(yutai, language, facts, said):
    study = yutai.study_data.study
    limits = {"name": "limits", "columns": ["en"], "rows": [{"en": ""}]}
    results = {
        "simulated": False, "exhibits": [limits],
        "county": study.county.model_dump(), "outcome": study.outcome.model_dump(),
    }  # fmt: skip
    with speaking(language):
        assert set(facts) <= set(front_facts(study, results, run_name="x"))
        told = [point.text for point in summarise(results).not_to_conclude]
        assert any(said in text for text in told) and facts[1][1] in "".join(told)
        plain = summarise({**results, "county": None, "outcome": None}).not_to_conclude
    assert len(told) == len(plain) + 2


# -- a whole run ---------------------------------------------------------------------------


def test_runs_of_two_counties_differ_and_say_whose_they_are(tmp_path, monkeypatch):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    have_one_chapter(folder, monkeypatch, PARAMETERS, CELL)

    def run(**parameters):
        return run_report(SIMULATED, parameters=parameters, out=tmp_path / "reports")

    east, again, west = run(county="Yutai"), run(county="鱼台县"), run(county="Weishan")
    assert east == again != west
    results = json.loads((east / "results.json").read_text("utf-8"))
    assert results["county"] == {"name": "Yutai", "zh": "鱼台县"}
    assert results["title"]["en"] == WHOLE.title.en and "outcome" not in results
    (rows,) = [e["rows"] for e in results["exhibits"] if e["name"] == "summary_statistics"]
    assert rows[0]["n"] == 631  # of 648 village-years
    page = (east / "report.html").read_text("utf-8")
    assert f"<title>SIMULATED: {WHOLE.title.en} (Yutai alone)</title>" in page
    assert "-p county=Yutai" in page
    assert '"county": "Yutai"' in (east / "workflow.py").read_text("utf-8")


def test_a_county_without_money_says_so(tmp_path):
    hills = write_hills(tmp_path)
    study_data = load_data(Study.load(hills, county="北县"))
    nothing = "The study's files have nothing of this on the county."
    assert reason(execution_table(study_data)) == nothing
    assert estimate_study_efficiency(estimate_study_gains(study_data)).reason == nothing
    plain = replace(study_data, study=study_data.study.whole)
    assert reason(execution_table(plain)) == "This study has no funding ledger."


def test_bounds_that_only_one_county_has_are_told_as_a_move():
    bounds = {"lower": 1.0, "upper": 2.0, "lower_closed": True, "upper_closed": True}
    sides = [
        {
            "name": "findings", "kind": "table", "caption": "", "note": "", "notebook": "2",
            "columns": ["measure", "definition", "strict"],
            "rows": [{"measure": "m", "definition": "d", "strict": strict}],
        }
        for strict in (None, bounds)
    ]  # fmt: skip
    (move,) = find_moves([compare_exhibit(*sides, Judge())])
    assert (move.before, move.after) == (None, bounds)
