"""A small page in either language, of real exhibits, without a kernel."""

from functools import cache
from pathlib import Path

import nbformat

from evaluation.claims.table import load_claims
from evaluation.data.study import Study
from evaluation.language import speaking
from evaluation.report.claims import measure_tables
from evaluation.report.claims import plots as claim_plots
from evaluation.report.claims import tables as claim_tables
from evaluation.report.claims.check_tables import crosscheck_table
from evaluation.report.data.rollout_plots import plot_balance, plot_rollout
from evaluation.report.data.study_tables import evidence_ladder, source_table
from evaluation.report.effects.study import estimate_study_effects
from evaluation.report.effects.tables import effects_table
from evaluation.report.exhibits import save_exhibit
from evaluation.report.gains.event_study import plot_event_study
from evaluation.report.gains.spread import plot_gain_distribution
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.villages import village_table
from evaluation.report.page.site import build_page
from tests.conftest import JINING
from tests.report.test_gain_exhibits import drawn_panel
from tests.report.test_panel_exhibits import data_of

HEADINGS = {"en": ("The chapter", "A section"), "zh": ("这一章", "这一节")}


def write_page(folder: Path, language: str) -> Path:
    """Write a page with claims and villages into a folder, with the files beside it."""
    for name in ("tables", "figures"):
        (folder / name).mkdir()
    with speaking(language):
        notebooks = {
            name: _notebook(exhibits, language) for name, exhibits in _exhibits().items()
        }
        saved = [
            {**exhibit, "notebook": name}
            for name, notebook in notebooks.items()
            for cell in notebook.cells
            for output in cell.get("outputs", ())
            if (exhibit := save_exhibit(output["data"], folder))
        ]
        page = build_page(
            Study.load(JINING),
            notebooks,
            run_name="jining_2021-0000",
            description={
                "parameters": {name: {"language": language} for name in notebooks},
                "inputs": {"study.yml": {"bytes": 1234, "sha256": "0" * 64}},
                "packages": {"village-evaluation": "0", "numpy": "1"},
                "python": "3",
            },
            results={"study": "jining_2021", "simulated": False, "exhibits": saved},
        )
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


@cache
def _data():
    return data_of(panel=drawn_panel(n_treated=12, n_never=40))


def _exhibits():
    claims = load_claims(Study.load(JINING))
    gains = estimate_study_gains(_data())
    effects = estimate_study_effects(gains, estimators=("imputation", "twfe"))
    return {
        "1_data": [
            evidence_ladder(_data()), source_table(claims.study), plot_rollout(_data()),
            plot_balance(_data()),
        ],
        "2_published_claims": [
            claim_plots.plot_claim_counts(claims), measure_tables.findings_table(claims),
            crosscheck_table(claims), claim_tables.claim_list(claims),
        ],
        "3_income_gains": [
            plot_event_study(gains), plot_gain_distribution(gains), village_table(gains),
        ],
        "4_programme_effect": [effects_table(effects)],
    }  # fmt: skip


def _notebook(exhibits, language):
    title, section = HEADINGS[language]
    cells = [nbformat.v4.new_markdown_cell(f"# {title}\n\n## {section}")]
    for exhibit in exhibits:
        data = exhibit._repr_mimebundle_()
        cell = nbformat.v4.new_code_cell(f"show({exhibit.name!r})  # in the page")
        cell.outputs = [nbformat.v4.new_output("display_data", data)]
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)
