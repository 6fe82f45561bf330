"""The parts that a study has: what its chapters' cells need, and whether its files hold."""

from __future__ import annotations

from evaluation.data.study import Study


def check_data(study: Study) -> frozenset[str]:
    """Read all that the chapters read, so that a mistake is told before a kernel starts.

    Returns
    -------
    The parts that the study has, whether its panel has villages to compare with, and whether
    its outcome is the village's, not a person's.
    """
    from evaluation.data.load import load_data
    from evaluation.report.check_study import read_claims

    panel = load_data(study).panel
    if study.claims:
        read_claims(study)
    if panel is None:
        return study.parts
    parts = {"comparison" if panel.has_comparison else "no-comparison"}
    if not panel.variables[panel.outcome].per_head:
        parts.add("village-outcome")
    return study.parts | parts
