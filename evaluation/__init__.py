"""Evaluation reports on village programmes that anyone can rerun.

The names below are what the notebooks import. Each is loaded when it is first used, so that
the command line starts quickly.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "Bounds": "evaluation.bounds",
    "read_figure": "evaluation.data.hedges",
    "Study": "evaluation.data.study",
    "load_data": "evaluation.data.load",
    "check_data": "evaluation.data.load",
    "load_claims": "evaluation.claims.table",
    "run_crosschecks": "evaluation.claims.crosscheck",
    "crosscheck_frame": "evaluation.claims.crosscheck",
    "assess_counties": "evaluation.claims.measures",
    "assessment_frame": "evaluation.claims.measures",
    "compare_counties": "evaluation.claims.comparison",
    "evidence_ladder": "evaluation.report.study_tables",
    "source_table": "evaluation.report.study_tables",
    "glossary_table": "evaluation.report.study_tables",
    "limits_table": "evaluation.report.study_tables",
    "panel_summary_table": "evaluation.report.panel_tables",
    "problem_table": "evaluation.report.panel_tables",
    "summary_table": "evaluation.report.panel_tables",
    "balance_table": "evaluation.report.arm_tables",
    "indicator_table": "evaluation.report.arm_tables",
    "plot_map": "evaluation.report.panel_plots",
    "plot_income_paths": "evaluation.report.panel_plots",
    "plot_rollout": "evaluation.report.rollout_plots",
    "plot_balance": "evaluation.report.rollout_plots",
    "years_observed_table": "evaluation.report.rollout_plots",
    "plot_subsidies": "evaluation.report.income_plots",
    "plot_bunching": "evaluation.report.income_plots",
    "bunching_table": "evaluation.report.income_plots",
    "plot_funds": "evaluation.report.ledger_plots",
    "funds_table": "evaluation.report.ledger_plots",
    "findings_table": "evaluation.report.measure_tables",
    "hedge_table": "evaluation.report.claim_tables",
    "pillar_table": "evaluation.report.claim_tables",
    "measure_table": "evaluation.report.measure_tables",
    "comparison_table": "evaluation.report.measure_tables",
    "crosscheck_table": "evaluation.report.check_tables",
    "readings_table": "evaluation.report.measure_tables",
    "claim_list": "evaluation.report.claim_tables",
    "plot_claim_counts": "evaluation.report.claim_plots",
    "plot_measures": "evaluation.report.claim_plots",
    "estimate_gains": "evaluation.gains.estimate",
    "estimate_study_gains": "evaluation.report.gain_study",
    "gains_summary_table": "evaluation.report.gain_tables",
    "gain_by_table": "evaluation.report.gain_tables",
    "plot_counterfactual": "evaluation.report.gain_paths",
    "plot_event_study": "evaluation.report.gain_event_study",
    "event_study_table": "evaluation.report.gain_event_study",
    "plot_gain_distribution": "evaluation.report.gain_spread",
    "plot_caterpillar": "evaluation.report.gain_spread",
    "rank_table": "evaluation.report.gain_ranks",
    "plot_ranks": "evaluation.report.gain_ranks",
    "selected_villages_table": "evaluation.report.gain_ranks",
    "plot_gain_map": "evaluation.report.gain_villages",
    "village_table": "evaluation.report.gain_villages",
    "trend_bounds_table": "evaluation.report.before_after_tables",
    "claimed_gains_table": "evaluation.report.before_after_tables",
    "estimate_study_efficiency": "evaluation.report.efficiency_study",
    "choose_stage": "evaluation.report.ledger_plots",
    "plot_funds_flow": "evaluation.report.funds_flow",
    "leverage_table": "evaluation.report.funds_tables",
    "execution_table": "evaluation.report.funds_tables",
    "cost_per_job_table": "evaluation.report.funds_tables",
    "claimed_bought_table": "evaluation.report.bought_tables",
    "bought_table": "evaluation.report.bought_tables",
    "change_per_yuan_table": "evaluation.report.bought_tables",
    "plot_efficiency": "evaluation.report.efficiency_plots",
    "efficiency_table": "evaluation.report.efficiency_tables",
    "efficiency_groups_table": "evaluation.report.efficiency_tables",
    "household_table": "evaluation.report.efficiency_tables",
    "plot_dose_response": "evaluation.report.dose_exhibits",
    "marginal_table": "evaluation.report.dose_exhibits",
    "attribution_table": "evaluation.report.dose_exhibits",
    "plot_funds_spread": "evaluation.report.funds_spread",
    "cost_benefit": "evaluation.report.costbenefit_study",
    "plot_cost_benefit": "evaluation.report.costbenefit_exhibits",
    "cost_benefit_table": "evaluation.report.costbenefit_exhibits",
    "value_table": "evaluation.report.public_value",
    "frontier_table": "evaluation.report.frontier_exhibits",
    "plot_frontier": "evaluation.report.frontier_exhibits",
    "sustainability_table": "evaluation.report.sustainability_table",
    "funding_efficiency": "evaluation.efficiency.ratios",
    "match_spending": "evaluation.efficiency.spending",
    "estimate_dose_response": "evaluation.efficiency.dose",
    "attribute_gains": "evaluation.efficiency.attribution",
    "build_cash_flows": "evaluation.efficiency.cashflows",
    "cost_benefit_grid": "evaluation.efficiency.costbenefit",
    "marginal_value": "evaluation.efficiency.mvpf",
    "measure_frontier": "evaluation.efficiency.frontier",
    "rank_groups": "evaluation.gains.ranking",
    "select_top": "evaluation.gains.selection",
    "bound_gains": "evaluation.gains.before_after",
    "run_report": "evaluation.report.run",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evaluation' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
