"""The table as journals print it: what its cells say, and files that are whole and escaped."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from zipfile import ZipFile

import docx
import numpy as np
import pytest
from docx.oxml.ns import qn

from evaluation.effects.estimate import estimate_effects
from evaluation.effects.journal_notes import JournalStyle
from evaluation.effects.journal_table import DASH, MINUS, lay_out
from evaluation.errors import DesignError
from evaluation.language import speaking
from tests.gains.panels import random_cells, to_panel

ATTACK = r"a_b & 50% $x$ #1 {~^} \input{x}"
SCRIPT = "<script>alert(1)</script>"
GROUPS = {"en": "All treated years", "zh": "全部处理年份"}
SPECIAL = re.compile(r"(?<!\\)[&%$#_]")
VOID = {"br", "meta", "col", "hr", "img"}


def estimate(*, name="x", label="income", **options):
    cells = random_cells(4, n=120, n_counties=35, missing=0.05).rename(columns={"x": name})
    panel = to_panel(cells, covariates=[name])
    outcome = replace(panel.variables["y"], label=label, unit="yuan")
    panel = replace(panel, variables={**panel.variables, "y": outcome})
    return estimate_effects(panel, **{"estimators": ["imputation", "twfe"], **options})


@pytest.fixture(scope="module")
def effects():
    return estimate()


def change(effects, name="imputation", **values):
    """Set what the overall row of an estimator says."""
    frame = effects.frame.copy()
    row = (frame["estimator"] == name) & (frame["period"] == "overall")
    frame.loc[row, list(values)] = list(values.values())
    return replace(effects, frame=frame)


def rows_of(effects, column=1, **style):
    cells = lay_out(effects, JournalStyle(**style)).cells
    return cells.iloc[:, column].droplevel(0)


# -- what it says --------------------------------------------------------------------------


def test_the_rows_stand_in_the_order_of_journals(effects):
    table = lay_out(effects, JournalStyle())
    assert table.cells.columns.to_list() == ["(1)\nTWFE", "(2)\nImputation"]
    assert table.cells.index.get_level_values(1).to_list() == [
        "Average effect", "Standard error", "95% interval", "p-value", "Comparison",
        "Covariates", "Year effects", "Clusters", "Treated villages", "Treated village-years",
        "Comparison mean before",
    ]  # fmt: skip


def test_amounts_are_divided_and_have_three_digits_of_the_largest(effects):
    told = {"estimate": -2_345.6, "se": 1_204, "conf_low": -4_705, "conf_high": -3.9}
    known = change(change(effects, **told), "twfe", estimate=43_120.0, se=9.0, p_value=0.0004)
    found = rows_of(known, divisor=10_000)
    assert found["Average effect"] == f"{MINUS}0.23"
    assert found["Standard error"] == "(0.12)"
    assert found["95% interval"] == f"[{MINUS}0.47, 0.00]"
    assert rows_of(known, 0, divisor=10_000)[["Average effect", "p-value"]].to_list() == [
        "4.31", "<0.001",
    ]  # fmt: skip
    assert rows_of(known, 0)["Average effect"] == "43,120"


def test_an_endless_interval_and_stars_are_shown(effects):
    known = change(effects, estimate=1.0, se=0.5, conf_low=0.25, conf_high=np.inf, p_value=0.03)
    found = rows_of(change(known, "twfe", estimate=1.0, se=0.5), stars=True)
    assert found["Average effect"] == "1.00**"
    assert found["95% interval"] == "[0.25, ∞]"
    notes = lay_out(known, JournalStyle(stars=True)).notes
    assert "** p < .05" in notes
    assert "*" not in lay_out(known, JournalStyle()).cells.to_string()


def test_what_has_no_interval_has_a_dash_and_its_reason_in_the_notes(effects):
    gone = dict.fromkeys(("se", "conf_low", "conf_high", "p_value"), np.nan)
    known = change(effects, **gone, method="", reason="4 clusters; 95% needs 6, whose signs")
    assert rows_of(known)[["Standard error", "95% interval", "p-value"]].to_list() == [DASH] * 3
    assert "(2): no interval: 4 clusters; 95% needs 6" in lay_out(known, JournalStyle()).notes


def test_the_sample_is_counted_by_hand(effects):
    found, panel = rows_of(effects), effects.panel
    known, never = np.isfinite(panel.matrix()), ~(panel.cohort <= panel.years[-1])
    first = np.nanmin(panel.cohort)
    row = effects.overall.loc["imputation"]
    assert found["Clusters"] == f"county ({row['n_clusters']})"
    assert found["Treated villages"] == str(row["n_villages"])
    assert found["Treated village-years"] == str(row["n_cells"])
    some = known.any(axis=1)
    assert (
        f"The panel has {known.sum()} village-years of {some.sum()} villages, "
        f"{(some & ~never).sum()} of them treated and {(some & never).sum()} not treated"
    ) in lay_out(effects, JournalStyle()).notes
    mean = np.nanmean(panel.matrix()[np.ix_(never, panel.years < first)])
    assert found["Comparison mean before"] == f"{mean:.2f}"
    assert found["Comparison"] == "not yet treated"
    assert rows_of(effects, 0)["Comparison"] == "all, also treated"


def test_event_times_are_rows_of_a_group_of_their_own(effects):
    cells = lay_out(effects, JournalStyle(events=True)).cells.loc["By years since treatment"]
    events = effects.event_study()
    times = sorted(events["event_time"].unique())
    assert cells.index[::2].to_list() == [str(t).replace("-", MINUS) for t in times]
    rows = events[events["estimator"] == "imputation"].set_index("event_time")
    assert cells["(2)\nImputation"].iloc[2 * times.index(0)] == f"{rows['estimate'][0]:.2f}"
    assert cells["(1)\nTWFE"].iloc[2 * times.index(-1)] == DASH  # measured from that year


def test_the_notes_say_the_unit_the_errors_the_sources_and_what_was_not_estimated(effects):
    known = replace(effects, reasons={"matched_did": "it needs covariates."})
    notes = lay_out(known, JournalStyle(simulated=True, unit="万元", note="The end.")).notes
    assert notes.startswith("SIMULATED data. Effects in 万元.")
    assert "Not estimated: Matched DiD: it needs covariates." in notes
    assert "(2) Borusyak, Jaravel, Spiess 2024" in notes
    assert notes.endswith("The end.")
    few = change(change(effects, method="wild bootstrap"), "twfe", method="wild bootstrap")
    assert (
        "All columns: as there are fewer than 30 clusters, jackknife"
        in lay_out(few, JournalStyle()).notes
    )


def noted(effects, name, **notes):
    found = {**effects.found, name: replace(effects.found[name], **notes)}
    return replace(effects, found=found)


def test_what_concerns_event_times_alone_is_noted_with_their_rows_alone(effects):
    notes = {"note": "3 villages left out.", "event_note": "Gaps are left."}
    known = noted(noted(effects, "twfe", **notes), "imputation", **notes)
    for events, says in (
        (False, "All columns: 3 villages left out. "),
        (True, "All columns: Gaps are left. 3 villages left out. "),
    ):
        assert says in lay_out(known, JournalStyle(events=events)).notes


def test_notes_have_no_code_and_no_advice():
    table = estimate(estimators=["imputation", "matched_did"])
    for language, says in (
        ("en", "Not estimated: Matched DiD: matching needs covariates to match villages on. "),
        ("zh", "未能估计：匹配双重差分：匹配需要协变量。"),
    ):
        with speaking(language):
            notes = lay_out(table, JournalStyle()).notes
        assert says in notes and "covariates=[" not in notes


def test_intervals_within_counties_say_what_they_take_as_given(effects):
    given = "take the counties as given and villages as independent of one another"
    within = estimate(year_effects="county", cluster="village")
    assert given in lay_out(within, JournalStyle()).notes
    assert given not in lay_out(effects, JournalStyle()).notes


def test_a_table_in_another_language_than_the_estimates_has_its_notes_in_its_own():
    few = estimate(
        label="集体收入", year_effects="county",
        estimators=["imputation", "twfe", "sun_abraham", "synthetic_did", "matched_did"],
    )  # fmt: skip
    with speaking("zh"):
        table = lay_out(few, JournalStyle(unit="元", events=True))
    assert table.caption == "项目对集体收入的平均处理效应"
    assert "剔除：" in table.notes and "采用分县年份效应的置信区间视各县为既定" in table.notes
    told = " ".join([*table.cells.to_numpy().ravel(), *map(" ".join, table.cells.index)])
    own = re.sub("方法来源：.*?。", "", told + table.notes)
    assert set(re.findall("[A-Za-z]+", own)) <= {"p", "t", "TWFE", "Sun", "Abraham", "inf"}


def test_in_the_language_of_the_estimates_nothing_is_estimated_anew(effects, monkeypatch):
    monkeypatch.setattr(
        "evaluation.effects.estimate.estimate_effects", lambda *_, **__: pytest.fail("anew")
    )
    assert lay_out(effects, JournalStyle()).notes


def test_covariates_are_named_by_their_labels():
    found = estimate(covariates=["x"])
    labelled = replace(found.panel.variables["x"], label="households")
    panel = replace(found.panel, variables={**found.panel.variables, "x": labelled})
    assert rows_of(replace(found, panel=panel))["Covariates"] == "households"


def test_a_style_that_is_not_possible_is_refused(effects):
    with pytest.raises(DesignError, match="give a number above 0"):
        effects.to_latex(divisor=0)


# -- LaTeX ---------------------------------------------------------------------------------


def check_latex(tex):
    """Check what a compiler would: environments, braces, columns, no stray special."""
    comment, *lines = tex.splitlines()
    assert comment.startswith("% Packages: booktabs, tabularx")
    body = "\n".join(lines)
    open_ones = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", body):
        if kind == "begin":
            open_ones.append(name)
        else:
            assert open_ones.pop() == name
    assert not open_ones
    bare = re.sub(r"\\[\\{}]", "", body)
    assert bare.count("{") == bare.count("}")
    inside = body.split("\\toprule")[1].split("\\bottomrule")[0]
    n_columns = re.search(r"\\begin\{tabularx\}(.*)", body)[1].count("X") + 1
    for line in inside.splitlines():
        if line.endswith(r"\\"):
            count = len(re.findall(r"(?<!\\)&", line)) + 1
            assert count == (1 if line.startswith(r"\emph") else n_columns), line
    for line in lines:
        plain = line.replace("$-$", "").replace(r"$\infty$", "")
        assert not SPECIAL.search(plain.replace("&", "") if line in inside else plain), line
    assert [body.count(rule) for rule in ("\\toprule", "\\bottomrule")] == [1, 1]
    assert "|" not in re.search(r"\\begin\{tabularx\}(.*)", body)[1]
    return body


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("events", [False, True])
def test_the_latex_is_well_formed(effects, language, events):
    with speaking(language):
        tex = effects.to_latex(events=events, stars=True, unit="万元")
    body = check_latex(tex)
    assert "ctex" in tex.splitlines()[0]
    assert body.count(r"\emph{") == 2 + events
    assert rf"\emph{{{GROUPS[language]}}}" in body


def test_the_chinese_table_has_three_rules_alone(effects):
    with speaking("zh"):
        tex = effects.to_latex()
    rules = [tex.count(rule) for rule in ("\\toprule", "\\midrule", "\\bottomrule", "cmidrule")]
    assert rules == [1, 1, 1, 0]
    assert "标准误" in tex and "平均处理效应" in tex


def test_a_table_without_chinese_asks_for_no_chinese_package(effects):
    assert "ctex" not in effects.to_latex()


def test_what_a_user_typed_does_nothing_in_latex():
    attacked = estimate(name=ATTACK, label=ATTACK, covariates=[ATTACK])
    attacked = replace(attacked, reasons={"matched_did": f"in {ATTACK} {SCRIPT}\n\n[1ex]"})
    for language in ("en", "zh"):
        with speaking(language):
            tex = attacked.to_latex(unit=ATTACK, note=f"{ATTACK} \x00\u2028")
        body = check_latex(tex)
        assert "\\input" not in body
        escaped = r"a\_b \& 50\% \$x\$ \#1 \{\textasciitilde{}\textasciicircum{}\} "
        assert body.count(escaped + r"\textbackslash{}input\{x\}") >= 5 - (language == "zh")
        # The reason that was put in is of English effects; in Chinese they are made anew.
        assert (r"\textless{}script\textgreater{}" in body) == (language == "en")
        assert "\n\n[1ex]" not in body


# -- Word and HTML -------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_word_file_opens_and_has_the_cells(effects, language):
    with speaking(language):
        file = effects.to_docx(unit="万元", simulated=True)
        layout = lay_out(effects, JournalStyle(unit="万元", simulated=True))
    document = docx.Document(BytesIO(file))
    (table,) = document.tables
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert texts[0][1:] == layout.cells.columns.to_list()
    assert texts[1][0] == GROUPS[language]
    assert texts[2][1:] == layout.cells.iloc[0].to_list()
    assert texts[-1][0] == layout.notes
    fonts = list(document.element.body.iter(qn("w:rFonts")))
    assert fonts and {font.get(qn("w:eastAsia")) for font in fonts} == {"SimSun"}
    heading = document.paragraphs[0].text
    assert heading.startswith({"en": "Table 1: ", "zh": "表 1: "}[language])
    assert heading.endswith(layout.caption)


def test_the_same_table_gives_the_same_bytes(effects):
    assert effects.to_docx() == effects.to_docx()
    assert effects.to_html() == effects.to_html()
    with ZipFile(BytesIO(effects.to_docx())) as file:
        assert file.testzip() is None
        assert {info.date_time[0] for info in file.infolist()} == {1980}


def test_what_no_word_file_can_hold_is_left_out(effects):
    document = docx.Document(BytesIO(effects.to_docx(note="a\x00b\x1bc\ud800")))
    assert document.tables[0].cell(-1, 0).text.endswith("a b c")


class Parsed(HTMLParser):
    """Checks that tags are closed in order, and keeps them and the text."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_html_parses_and_has_the_cells(effects, language):
    with speaking(language):
        page = Parsed(effects.to_html())
        layout = lay_out(effects, JournalStyle())
    assert page.tags.count("table") == 1
    text = "".join(page.texts)
    for cell in layout.cells.to_numpy().ravel():
        assert cell in text
    assert layout.notes in text


def test_what_a_user_typed_is_text_in_html():
    attacked = estimate(name=SCRIPT, label=SCRIPT, covariates=[SCRIPT])
    html = attacked.to_html(unit=SCRIPT, note=SCRIPT)
    page = Parsed(html)
    assert "script" not in page.tags
    assert "".join(page.texts).count(SCRIPT) >= 4
