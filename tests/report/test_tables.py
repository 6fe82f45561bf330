"""Tables say in words what the library says in names, and claim no more."""

import re

from evaluation.report.claims.check_tables import crosscheck_table
from evaluation.report.claims.measure_tables import (
    comparison_table,
    findings_table,
    measure_table,
)
from evaluation.report.claims.plots import plot_claim_counts
from evaluation.report.claims.tables import hedge_table, pillar_table, relabel


def text(exhibit):
    return re.sub(r"<[^>]+>", " ", exhibit.to_html())


def test_names_become_words_and_claims_links(jining):
    shown = relabel("jobs, n_villages: not stated (C024); scope: county_total", jining)
    assert re.sub(r"<[^>]+>", "", shown) == (
        "Jobs, Number of villages: not stated (C024); scope: county total"
    )
    assert 'href="#C024"' in shown
    assert relabel("the smallest village", jining) == "the smallest village"


def test_the_findings_name_both_readings_and_the_range_of_definitions(jining):
    shown = text(findings_table(jining))
    assert re.search(r"\[10, 11\) 万元\s*, loosely\s*\[10, 20\)", shown)
    assert re.search(r"over all definitions:\s*\[0\.0267, 0\.3278\]", shown)
    assert "26 cross-checks: 6 consistent, 0 inconsistent" in shown
    assert re.search(r"\[10, 20\) 万元\s*, strictly\s*\[10, 11\)", text(
        findings_table(jining, reading="loose")
    ))  # fmt: skip


def test_money_that_no_total_holds_is_named(jining):
    table = measure_table(jining, ["funds"], name="x", caption="")
    assert "C029, C042, C045, C081" in table.note
    assert "C029" not in measure_table(jining, ["gain_total"], name="x", caption="").note


def test_mean_and_total_meet_above_313_5(jining):
    assert "both allow [313.50, 313.55)" in re.sub(r"\s+", " ", text(crosscheck_table(jining)))


def test_a_claim_of_one_team_says_so(jining):
    assert "NXS team village(s)" in text(pillar_table(jining, "industry"))


def test_every_hedge_is_read_in_the_open(jining):
    # 13 figures of the article are hedged, rounded or may be floors
    assert len(hedge_table(jining).data) == 13
    assert plot_claim_counts(jining).data["hedged or rounded figure"].sum() == 13


def test_formulas_name_what_they_are_made_of(jining):
    shown = text(crosscheck_table(jining))
    assert "Collective income of all villages / Number of villages = Mean collective" in shown
    assert "371 ≤ (180, ∞)" in re.sub(r"\s+", " ", shown)


def test_only_a_table_with_bounds_says_how_they_are_read(jining):
    assert "rounded outwards" in pillar_table(jining, "industry").note
    assert "rounded outwards" not in pillar_table(jining, "context").note


def test_every_shared_definition_is_compared(jining):
    frame = comparison_table(jining).data.set_index(["measure", "county", "other"])
    reason = frame.loc[("funds", "Yutai", "Liangshan"), "reason"]
    assert reason.startswith("project funds (uses): below; all funds: uses and sources")
