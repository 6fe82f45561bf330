import re

import pytest

from evaluation.data.study import Study
from evaluation.errors import DataError
from tests.conftest import JINING, edit, minimal_study, write_yaml

_WAN = {"column": "收入", "unit": "万元"}


def refused(path):
    """Load a study that has something wrong, and give what the error says."""
    with pytest.raises(DataError) as error:
        Study.load(path)
    return str(error.value)


def test_the_real_study():
    study = Study.load(JINING)
    assert [county.name for county in study.counties] == [
        "Sishui", "Weishan", "Yutai", "Liangshan",
    ]  # fmt: skip
    assert [area.name for area in study.areas][-1] == "Jining"
    assert study.file_names() == ["claims.csv", "indicators.csv", "crosschecks.yml"]
    assert study.path("claims.csv") == JINING / "claims.csv"
    assert (study.reading, study.simulated) == ("strict", False)


def test_a_study_is_read_from_its_folder_or_its_file():
    assert Study.load(JINING / "study.yml") == Study.load(str(JINING))


def test_a_study_that_is_not_there_names_those_near(jining_copy):
    message = refused(jining_copy.parent / "jinin")
    assert message.startswith(f"no study at {jining_copy.parent / 'jinin'}: ")
    assert str(jining_copy) in message.partition("Studies near: ")[2]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("reading: strict", "readin: strict", "readin: unknown key; did you mean 'reading'?"),
        (
            "  publisher:",
            "  publishr:",
            "source.publishr: unknown key; did you mean 'publisher'?",
        ),
        ("version: 1\n", "", "version: missing; it is required."),
        (
            "{name: Weishan, zh:",
            "{name: Weishan, nam: x, zh:",
            "counties.1.nam: unknown key; did you mean 'name'?",
        ),
        (
            "  indicators: indicators.csv",
            "  indicator: indicators.csv",
            "claims.indicator: unknown key; did you mean 'indicators'?",
        ),
        (
            "fund_social, claim: C024",
            "fund_social, clam: C024",
            "claims.unquantified.1.clam: unknown key; did you mean 'claim'?",
        ),
        ("version: 1", "version: 2", "version: Input should be 1 (given: '2')."),
        ("date: 2021-07-08", "date: July", "source.date: not a date; write YYYY-MM-DD"),
        ("simulated: false", "simulated: maybe", "simulated: Input should be a valid boolean"),
        ("reading: strict", "reading: broad", "reading: Input should be 'strict' or 'loose'"),
        ("name: jining_2021", "name: jining/2021", "name: String should match pattern"),
        (
            "file: claims.csv",
            "file: ../claims.csv",
            "claims.file: name a file inside the study's folder (given: '../claims.csv').",
        ),
        (
            "file: claims.csv",
            "file: /tmp/claims.csv",
            "claims.file: name a file inside the study's folder (given: '/tmp/claims.csv').",
        ),
        (
            "reading: strict",
            "confidential: [claim.csv]",
            "confidential: 'claim.csv' is none of its files; did you mean 'claims.csv'?",
        ),
        (
            "  crosschecks.yml: {holds:",
            "  crosscheck.yml: {holds:",
            "data: 'crosscheck.yml' is none of its files; did you mean 'crosschecks.yml'?",
        ),
        (
            "  crosschecks.yml: {holds:",
            "  crosschecks.yml: {hold:",
            "data.crosschecks.yml.hold: unknown key; did you mean 'holds'?",
        ),
        ("  licence:", "  license:", "source.license: unknown key; did you mean 'licence'?"),
        (
            "file: claims.csv",
            "file: claim.csv",
            "'claims.csv' is none of its files; did you mean",
        ),
        ("reading: strict", "reading: strict\nreading: loose", "the key 'reading' is given"),
        ("zh: 微山县}", "name: x}", "the key 'name' is given twice."),
        ("version: 1", "version: [1", "line "),
        ("version: 1", "version: 1\n\tname: x", "found character '\\t' that cannot start"),
        ("date: 2021-07-08", "date: 2021-13-08", "month must be in 1..12"),
        ("version: 1", "version: 1\n? [a, b]\n: c", "line "),
    ],
)
def test_a_broken_study_says_what_to_mend(jining_copy, old, new, says):
    edit(jining_copy / "study.yml", old, new)
    message = refused(jining_copy)
    assert message.startswith("study.yml: ")
    assert says in message


def test_a_doubled_key_is_named_with_its_line(tmp_path):
    (tmp_path / "study.yml").write_text("version: 1\nname: a\nname: b\n", encoding="utf-8")
    assert refused(tmp_path) == "study.yml: line 3: the key 'name' is given twice."


def test_all_misfits_are_listed(jining_copy):
    edit(jining_copy / "study.yml", "reading: strict", "reading: broad")
    edit(jining_copy / "study.yml", "simulated: false", "simulatd: false")
    lines = refused(jining_copy).splitlines()
    assert len(lines) == 2 and all(line.startswith("study.yml: ") for line in lines)


def test_a_study_without_data_is_an_error(tmp_path):
    write_yaml(tmp_path / "study.yml", minimal_study())
    assert refused(tmp_path) == "study.yml: no data; give claims, panel or ledger."


def test_claims_without_counties_are_an_error(tmp_path):
    write_yaml(tmp_path / "study.yml", minimal_study(counties=[]) | {"claims": {}})
    assert refused(tmp_path).startswith("study.yml: claims need counties: name those")


def test_money_without_prices_is_an_error(tmp_path):
    panel = {"file": "v.csv", "village": "v", "year": "y", "income": {"total": _WAN}}
    write_yaml(tmp_path / "study.yml", minimal_study() | {"panel": panel})
    assert "money (收入, in 万元) needs prices" in refused(tmp_path)


def test_money_in_another_currency_is_an_error(tmp_path):
    panel = {"file": "v.csv", "village": "v", "year": "y", "income": {"total": _WAN}}
    prices = {"basis": "nominal", "base_year": 2020, "currency": "USD"}
    write_yaml(tmp_path / "study.yml", minimal_study() | {"panel": panel, "prices": prices})
    assert "收入 is in CNY, but prices.currency is USD" in refused(tmp_path)


def test_a_ledger_needs_a_panel(tmp_path):
    ledger = {"file": "l.csv", "village": "v", "year": 2020, "amount": _WAN, "source": "s"}
    prices = {"basis": "nominal", "base_year": 2020}
    write_yaml(tmp_path / "study.yml", minimal_study() | {"ledger": ledger, "prices": prices})
    assert "a ledger needs a panel" in refused(tmp_path)


def test_data_may_be_elsewhere(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "v.csv").write_text("v,y,x\n1,2020,3\n")
    panel = {"file": "v.csv", "village": "v", "year": "y", "outcomes": {"x": "x"}}
    obtain = {"publisher": {"en": "A"}, "obtain": {"en": "Ask the author."}}
    content = minimal_study() | {"panel": panel, "source": obtain}
    write_yaml(tmp_path / "study.yml", content)
    assert refused(tmp_path).endswith("Ask the author. Then name its folder with --data.")
    assert Study.load(tmp_path, data=elsewhere).path("v.csv") == elsewhere / "v.csv"


@pytest.mark.parametrize("content", [b"", b"- a\n- b\n", "title: 标题".encode("gb18030")])
def test_a_file_that_is_no_study_is_an_error(tmp_path, content):
    (tmp_path / "study.yml").write_bytes(content)
    assert refused(tmp_path).startswith("study.yml: ")


def test_a_missing_file_is_named_with_its_folder(jining_copy):
    (jining_copy / "crosschecks.yml").unlink()
    expected = f"study.yml: names crosschecks.yml, which is not in {jining_copy}."
    assert re.fullmatch(re.escape(expected), refused(jining_copy))


def test_the_terms_of_a_file_are_its_own_and_else_the_sources(jining_copy):
    edit(
        jining_copy / "study.yml",
        "  claims.csv: {holds:",
        "  claims.csv: {rights: {en: Ask us}, holds:",
    )
    study = Study.load(jining_copy)
    claims, indicators = study.terms("claims.csv"), study.terms("indicators.csv")
    assert (claims.rights.en, claims.licence) == ("Ask us", study.source.licence)
    assert (indicators.rights, indicators.obtain) == (study.source.rights, None)
    assert claims.holds.en.startswith("90 claims") and study.confidential == []
