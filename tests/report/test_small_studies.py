"""Studies unlike the one in hand: few claims, words alone, one county, losses, zeros."""

import pytest

from evaluation.claims.table import load_claims
from evaluation.report.claims import measure_tables
from evaluation.report.claims import plots as claim_plots
from evaluation.report.claims import tables as claim_tables
from evaluation.report.claims.check_tables import crosscheck_table
from evaluation.report.run import run_report
from evaluation.report.words import PILLARS

STUDIES = {
    "words alone": """
        claim county indicator  unit printed
        C1    East   vitality   -    -
    """,
    "names of its own": """
        claim county indicator  unit printed
        C1    East   total      万元 80万元
        C2    West   total      万元 近90万元
    """,
    "no jobs": """
        claim county indicator   unit printed
        C1    East   jobs        人   0人
        C2    East   fund_spent  万元 80万元
    """,
    "a loss": """
        claim county indicator                     unit lower upper
        C1    East   collective_income_level_mean  万元 -50   -40
    """,
    "stated twice": """
        claim county indicator                     unit printed  as_of
        C1    East   collective_income_level_mean  万元 8万元    2020-12
        C2    East   collective_income_level_mean  万元 9.5万元  2022-12
    """,
}


@pytest.mark.parametrize("name", STUDIES)
def test_every_exhibit_shows_itself(write_study, name):
    money = {"fund_spent": "use"}
    claims = load_claims(write_study(STUDIES[name], money=money))
    measures = ["level_per_village", "funds", "cost_per_job"]
    exhibits = [
        claim_plots.plot_claim_counts(claims),
        claim_plots.plot_measures(claims, measures, name="x", caption=""),
        measure_tables.findings_table(claims),
        measure_tables.measure_table(claims, measures, name="y", caption=""),
        measure_tables.comparison_table(claims),
        measure_tables.readings_table(claims),
        crosscheck_table(claims),
        claim_tables.hedge_table(claims),
        claim_tables.claim_list(claims),
        *(claim_tables.pillar_table(claims, pillar) for pillar in PILLARS),
    ]
    for exhibit in exhibits:
        assert exhibit._repr_mimebundle_()["text/html"]


def test_what_is_stated_twice_is_a_gap_that_names_both(write_study):
    claims = load_claims(write_study(STUDIES["stated twice"]))
    table = measure_tables.measure_table(claims, ["level_per_village"], name="y", caption="")
    assert "stated more than once" in table.body


def test_a_study_of_two_claims_becomes_a_report(write_study, tmp_path):
    study = write_study(STUDIES["names of its own"])
    folder = run_report(study.folder, out=tmp_path / "out")
    assert "Nothing to show" in (folder / "report.html").read_text(encoding="utf-8")
