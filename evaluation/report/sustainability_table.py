"""What stays of the gains after the secretaries leave, and how much of them is subsidy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.efficiency.fieller import RatioSet
from evaluation.efficiency.sustainability import measure_retention, measure_subsidy_share
from evaluation.errors import DesignError
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency_study import StudyEfficiency
from evaluation.report.efficiency_tables import set_cell
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import show_number

_CAPTION = "What lasts, and what is subsidy"


@NeedsFound("sustainability", _CAPTION)
def sustainability_table(efficiency: StudyEfficiency, *, term: int = 2) -> Exhibit:
    """Show the gains after the secretaries' term against during it, and the subsidies' share.

    Parameters
    ----------
    term
        How many years a secretary stays, from a village's first treated year on.
    """
    gains, shown = efficiency.found.gains, efficiency.gains.shown
    rows: list[tuple[str, RatioSet | None, str]] = []
    words = []
    label = f"Gain after {term} years, over that before"
    try:
        kept = measure_retention(gains, term=term)
    except DesignError as error:
        rows.append((label, None, str(error)))
        words.append(f"What lasts is not seen: {error}")
    else:
        after, during = (
            show_number(x / shown.divisor) for x in (kept.numerator, kept.denominator)
        )
        detail = f"{after} over {during} {shown.unit}, {kept.n_villages:,} villages"
        rows.append((label, kept.found, detail))
        words.append(
            f"After a secretary's term, taken to be {term} years, the gain was an estimated "
            f"{show_number(kept.found.ratio)} times that during it, in the {kept.n_villages:,} "
            "villages that have both. Above one a gain grew after the term, as projects take "
            "years to bear fruit; it need not last."
            if min(kept.numerator, kept.denominator) > 0
            else f"In the {kept.n_villages:,} villages that have both, the estimated mean went "
            f"from {during} during the secretaries' term to {after} after it: with a loss in "
            "one of them the ratio says nothing of what lasts."
        )
    kind = "Subsidies in the gain of income with subsidies"
    if "income_subsidy" in gains.panel.matrices and _leaves_out_subsidies(efficiency):
        try:
            share = measure_subsidy_share(gains)
        except DesignError as error:
            rows.append((kind, None, str(error)))
        else:
            rows.append((kind, share, "mean gain in subsidies over that in all income"))
            words.append(
                f"Of the gain in income with subsidies an estimated {share.ratio:.0%} is "
                "subsidy, which the outcome of this report leaves out."
            )
    data = pd.DataFrame(
        [
            {
                "what": what,
                "ratio": found.ratio if found else np.nan,
                "low": found.low if found else np.nan,
                "high": found.high if found else np.nan,
                "kind": found.kind if found else "none",
                "reason": (found.reason if found else detail) or "",
                "detail": detail,
            }
            for what, found, detail in rows
        ]
    )
    cells = pd.DataFrame(
        {
            "": data["what"],
            "Ratio": [show_number(x) for x in data["ratio"]],
            "Set": [set_cell(row) for row in data.to_dict("records")],
            "Of what": data["detail"].where(data["ratio"].notna(), ""),
        },
        dtype=object,
    )
    note = (
        f"{' '.join(words)} Sets are Fieller's, from the joint covariance of numerator and "
        "denominator."
    )
    return efficiency.table("sustainability", _CAPTION, data=data, cells=cells, note=note)


def _leaves_out_subsidies(efficiency: StudyEfficiency) -> bool:
    """Whether the study's outcome leaves subsidies out."""
    part = efficiency.study_data.study.panel
    return part is not None and bool(part.income) and part.subsidies == "excluded"
