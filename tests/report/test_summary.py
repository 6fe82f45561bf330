"""The summary: a pure function of results.json, in words that no referee finds overstated."""

import json
import re
from pathlib import Path

import pytest

import evaluation
from evaluation.language import speaking
from evaluation.report.page.literature import REFERENCES
from evaluation.report.page.references import cite
from evaluation.report.page.summary import summarise
from evaluation.report.page.summary_effect import is_log
from evaluation.report.page.terms import TERMS, used_terms
from tests.chinese import english_left

UNIT = "万元, prices of 2022"


def exhibit(name, *rows, columns=None):
    return {
        "name": name, "kind": "table", "caption": name, "note": "", "notebook": "4",
        "columns": columns or list(rows[0] if rows else ()), "rows": list(rows),
    }  # fmt: skip


def ladder(reached):
    return exhibit("evidence_ladder", *({"reached": number == reached} for number in range(3)))


def effect(estimate, low=None, high=None, **more):
    return {
        "estimator": "imputation", "year_effects": "common", "estimate": estimate,
        "conf_low": low, "conf_high": high, "n_villages": 80.0, "n_clusters": 30.0,
        "method": "wild bootstrap", "reason": "", "cluster": "town", "note": "", "unit": UNIT,
    } | more  # fmt: skip


def check(title, verdict, if_failed="the effect is in doubt"):
    return {"check": title, "verdict": verdict, "if_failed": if_failed}


def results(*exhibits, reached=2, simulated=False):
    return {"study": "x", "simulated": simulated, "exhibits": [ladder(reached), *exhibits]}


def said(results, **options):
    summary = summarise(results, **options)
    return {
        "found": [point.text for point in summary.found],
        "sure": [point.text for point in summary.sure],
        "not": [point.text for point in summary.not_to_conclude],
    }


def test_an_effect_is_told_with_its_interval_as_finely_as_that_allows():
    found = said(results(exhibit("effects", effect(5.4553, 4.9569, 5.9576))))["found"]
    assert found == [
        "The average effect on the outcome is estimated at +5.5 a village and treated year "
        "(万元, prices of 2022; 95% interval +5.0 to +6.0; imputation, 80 treated villages). "
        "万元: 10,000 yuan. The interval excludes zero."
    ]


def test_the_level_of_intervals_is_the_parameters():
    parameters = {"3_income_gains": {"alpha": 0.1}}
    told = said(results(exhibit("effects", effect(5, 4, 6))), parameters=parameters)
    assert "90% interval" in told["found"][0]


def test_an_interval_with_zero_shows_no_effect_and_rules_none_out():
    told = said(results(exhibit("effects", effect(0.8, -0.9, 2.5))))
    assert "The interval includes zero: no effect is shown." in told["found"][0]
    assert any(text.startswith("Not that there is no effect") for text in told["not"])


def test_without_an_interval_the_reason_is_told():
    row = effect(5.4553, reason="4 clusters; 95% needs 6")
    told = said(results(exhibit("effects", row)))
    assert "no interval: 4 towns; 95% needs 6" in told["found"][0]
    assert "+5.5 a village" in told["found"][0]
    assert "not known whether this differs from chance" in told["found"][0]


def test_the_estimate_with_an_interval_is_the_one_that_is_told():
    rows = effect(5, reason="4 clusters"), effect(3, 2, 4, year_effects="county")
    told = said(results(exhibit("effects", *rows)))
    assert "+3.0 a village" in told["found"][0]
    assert "With year effects common to all counties there is none: 4 towns." in told["sure"][0]


def test_failed_checks_stand_beside_the_effect_and_say_what_they_mean():
    checks = exhibit("robustness", check("Leads", "failed"), check("Lots", "passed"))
    told = said(results(exhibit("effects", effect(5, 4, 6)), checks))
    assert "1 check failed, which puts it in doubt: “Leads”." in told["found"][0]
    assert "Of 2 checks 1 passed and 1 failed" in told["sure"][0]
    assert "“Leads” has failed: the effect is in doubt." in told["sure"][0]


def test_logarithms_are_told_in_per_cent():
    row = effect(0.0752, -0.086, 0.231, unit="log of yuan, prices of 2005")
    assert "+8%" in (text := said(results(exhibit("effects", row)))["found"][0])
    assert "-8% to +26%" in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_logarithms_are_told_from_levels_in_both_languages(language):
    with speaking(language):
        assert is_log({"en": "log of yuan, prices of 2005", "zh": "元的对数"}[language])
        assert not is_log({"en": UNIT, "zh": "万元，2022 年价格"}[language])


def test_estimators_are_compared_on_the_same_year_effects():
    rows = (
        effect(5, 4, 6), effect(4.2, 3, 5.4, estimator="twfe", n_villages=70.0),
        effect(9, 8, 10, estimator="twfe", year_effects="county"),
        effect(None, estimator="matched_did"),
    )  # fmt: skip
    text = said(results(exhibit("effects", *rows)))["found"][1]
    assert (
        "The 2 estimators that these data allow go from +4.2 to +5.0; lowest: Two-way" in text
    )
    assert "Intervals that exclude zero: 2 of 2." in text and "70 to 80" in text


def ratio(kind, low, high):
    return {
        "county": "all", "n_villages": 80, "per_yuan": 0.01861, "low": low, "high": high,
        "kind": kind, "reason": "no spread",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "low", "high", "told"),
    [
        ("bounded", 0.01699, 0.02026, "0.0186 yuan a year of gain (95% set 0.0170 to 0.0203)"),
        ("none", None, None, "0.019 yuan a year of gain (no interval: no spread)"),
        ("unbounded", 0.3, -0.1, "its 95% set has no end"),
        ("whole line", None, None, "its 95% set has no end"),
    ],
)
def test_gain_per_yuan_is_told_with_its_set(kind, low, high, told):
    ratios = exhibit("gain_per_yuan_by_county", ratio(kind, low, high))
    assert told in said(results(exhibit("effects", effect(5, 4, 6)), ratios))["found"][1]


def test_villages_are_counted_by_what_their_intervals_say():
    rows = [{"gain": 1, "conf_low": 0.5, "conf_high": 2}] * 3 + [
        {"gain": 1, "conf_low": -1, "conf_high": 2},
        {"gain": 1, "conf_low": None, "conf_high": None},
        {"gain": None, "conf_low": None, "conf_high": None},
    ]
    told = said(results(exhibit("effects", effect(5, 4, 6)), exhibit("village_gains", *rows)))
    assert "Of 6 treated villages 5 have a gain of their own, 4 of them" in told["found"][1]
    assert "3 of these intervals lie above zero and 0 below" in told["found"][1]


def test_where_no_village_has_an_interval_the_reason_is_told():
    rows = [{"gain": 1, "conf_low": None, "conf_high": None, "reason": "too few"}]
    told = said(results(exhibit("effects", effect(5, 4, 6)), exhibit("village_gains", *rows)))
    assert told["found"][1].endswith(
        "0 of them with an interval. The most frequent reason: too few."
    )


def test_an_absent_exhibit_gives_its_reason_or_nothing():
    absent = exhibit("effects", {"absent": "there are no treated villages."})
    told = said(results(absent))
    assert told["found"] == ["No effect can be estimated: there are no treated villages."]
    assert not told["sure"]
    assert not said(results())["found"]


def test_changes_of_treated_villages_are_no_effect():
    row = {
        "level": "programme", "n_villages": 40, "years_between": 3.0, "unit": UNIT,
        "change_lower": 6.0, "change_upper": 6.0, "lower": 3.0, "upper": 6.0,
        "break_even_lower": 2.0, "break_even_upper": 2.0,
    }  # fmt: skip
    told = said(
        results(exhibit("trend_bounds", row), reached=1),
        parameters={"3_income_gains": {"trend_max": 10_000.0}},
    )
    assert "40 treated villages changed by 6.00 (万元, prices of 2022)" in told["found"][0]
    assert "3.00 to 6.00 of the change would be left" in told["sure"][0]
    assert "A rise of 2.00 a year" in told["sure"][0]
    assert told["not"][0].startswith("Not that the programme made this change")


def test_data_on_no_rung_are_said_to_describe():
    told = said(results(exhibit("coverage"), reached=None))
    assert told == {
        "found": [],
        "sure": [],
        "not": ["Not what the programme did: these data are on no rung of evidence."],
    }


def claim_results(*more):
    bounds = {"lower": 10, "lower_closed": True, "upper": 11, "upper_closed": False}
    finding = {
        "county": "East", "measure": "gain_per_village", "label": "Gain",
        "definition": "stated", "reads": "万元", "strict": bounds,
        "loose": bounds | {"upper": 20},
    }  # fmt: skip
    kinds = {"exact figure": 3, "hedged or rounded figure": 2, "coder's reading": 0}
    return results(
        exhibit("claims_by_county", {"county": "East", **kinds, "words only": 1}),
        exhibit("claims", {"claim": "C1"}),
        exhibit("findings", finding, finding | {"strict": None}),
        exhibit("comparisons", {"verdict": "not comparable"}),
        *more,
        reached=0,
    )


def test_claims_are_counted_bounded_and_not_ranked():
    told = said(claim_results(), counties={"East": "Dong"})
    assert (
        "The text makes 6 claims: 3 with an exact figure, 2 with a hedged" in told["found"][0]
    )
    assert (
        told["found"][1]
        == "Gain, if the text is true (万元): Dong [10, 11), loosely [10, 20) (stated)."
    )
    assert "of 1 comparisons of two counties on one measure, 0 give an order" in told["not"][1]


def test_inconsistent_claims_are_named():
    row = {"check": "X1", "title": "Sum", "county": "East", "verdict": "inconsistent"}
    told = said(claim_results(exhibit("crosschecks", row, row)))
    assert "Of 1 cross-check of claims: 1 inconsistent." in told["sure"][1]
    assert "These cannot be true together: X1 Sum (East)." in told["sure"][1]


def test_simulated_data_say_nothing_of_any_village():
    made = results(exhibit("effects", effect(5, 4, 6)), exhibit("source"), simulated=True)
    assert said(made)["not"][0].startswith("Nothing on any real village")


def test_every_point_rests_on_exhibits_that_are_there():
    made = results(
        exhibit("effects", effect(5, 4, 6)), exhibit("robustness", check("A", "failed"))
    )
    summary = summarise(made)
    names = {one["name"] for one in made["exhibits"]}
    points = [*summary.found, *summary.sure, *summary.not_to_conclude]
    assert points and all(point.exhibits and {*point.exhibits} <= names for point in points)


def test_nothing_unknown_is_printed():
    made = results(exhibit("effects", effect(None), effect(5, 4, None)))
    assert not re.search(r"\bnan\b|None|\binf\b", json.dumps(said(made)))


def test_in_chinese_nothing_is_left_in_english():
    checks = exhibit("robustness", check("Paths before treatment", "failed", "未知"))
    with speaking("zh"):
        texts = said(results(exhibit("effects", effect(5, 4, 6, unit="万元")), checks))
        texts["claims"] = said(claim_results())["found"][:1]
    assert not english_left(" ".join(text for some in texts.values() for text in some))


def test_references_are_those_of_the_code():
    package = Path(evaluation.__file__).parent
    texts = [p.read_text("utf-8") for p in package.rglob("*.py") if p.name != "literature.py"]
    code = " ".join(texts).lower()
    assert [r.doi for r in REFERENCES if r.doi.lower() not in code] == []
    assert len({r.doi for r in REFERENCES}) == len(REFERENCES)


def test_references_are_given_for_what_is_there_and_has_numbers():
    there = exhibit("effects", effect(5, 4, 6), effect(None, estimator="synthetic_did"))
    gone = exhibit("county_ranks", {"absent": "no"})
    dois = {reference.doi: names for reference, names in cite(results(there, gone)).items()}
    assert dois["10.1093/restud/rdae007"] == ["effects"]
    assert "10.1162/rest.90.3.414" in dois  # the wild bootstrap
    assert "10.1257/aer.20190159" not in dois  # synthetic DiD has no estimate
    assert "10.1093/restud/rdad006" not in dois  # ranks are absent


def test_matching_is_cited_as_it_was_done():
    there = exhibit("effects", effect(5, 4, 6, estimator="matched_did"))
    dois = {r.doi for r in cite(results(there), parameters={"4": {"matching": "propensity"}})}
    assert "10.1111/0034-6527.00321" in dois and "10.1093/pan/mpr025" not in dois


def test_terms_are_those_that_a_text_uses():
    assert [term.zh for term in used_terms("By a wild bootstrap.")] == [
        "野蛮自助法（wild bootstrap）"
    ]
    with speaking("zh"):
        assert [term.en for term in used_terms("按平行趋势假设")] == ["parallel trends"]
    assert len({term.en for term in TERMS}) == len(TERMS)
