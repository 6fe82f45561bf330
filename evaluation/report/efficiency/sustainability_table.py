"""What stays of the gains after the secretaries leave, and how much of them is subsidy."""

from __future__ import annotations

import numpy as np
import pandas as pd

from evaluation.efficiency.fieller import RatioSet
from evaluation.efficiency.sustainability import measure_retention, measure_subsidy_share
from evaluation.errors import DesignError
from evaluation.language import mark, say, sentences
from evaluation.report.absent import NeedsFound
from evaluation.report.efficiency.study import StudyEfficiency
from evaluation.report.efficiency.tables import set_cell
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import show_number

_CAPTION = mark("What lasts, and what is subsidy")


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
    label = say("Gain after {term} years, over that before", term=term)
    try:
        kept = measure_retention(gains, term=term)
    except DesignError as error:
        rows.append((label, None, str(error)))
        words.append(say("What lasts is not seen: {why}", why=str(error)))
    else:
        after, during = (
            show_number(x / shown.divisor) for x in (kept.numerator, kept.denominator)
        )
        detail = say(
            "{after} over {during} {unit}, {n:,} villages",
            after=after, during=during, unit=shown.unit, n=kept.n_villages,
        )  # fmt: skip
        rows.append((label, kept.found, detail))
        told = mark(
            "In the {n:,} villages that have both, the estimated mean went from {during} "
            "during the secretaries' term to {after} after it: with a loss in one of them the "
            "ratio says nothing of what lasts."
        )
        if min(kept.numerator, kept.denominator) > 0:
            told = mark(
                "After a secretary's term, taken to be {term} years, the gain was an estimated "
                "{ratio} times that during it, in the {n:,} villages that have both. Above one "
                "a gain grew after the term, as projects take years to bear fruit; it need not "
                "last."
            )
        words.append(
            say(
                told, n=kept.n_villages, during=during, after=after, term=term,
                ratio=show_number(kept.found.ratio),
            )
        )  # fmt: skip
    kind = say("Subsidies in the gain of income with subsidies")
    if "income_subsidy" in gains.panel.matrices and _leaves_out_subsidies(efficiency):
        try:
            share = measure_subsidy_share(gains)
        except DesignError as error:
            rows.append((kind, None, str(error)))
        else:
            of_what = say("mean gain in subsidies over that in all income")
            rows.append((kind, share, of_what))
            words.append(
                say(
                    "Of the gain in income with subsidies an estimated {share:.0%} is subsidy, "
                    "which the outcome of this report leaves out.",
                    share=share.ratio,
                )
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
            say("Ratio"): [show_number(x) for x in data["ratio"]],
            say("Set"): [set_cell(row) for row in data.to_dict("records")],
            say("Of what"): data["detail"].where(data["ratio"].notna(), ""),
        },
        dtype=object,
    )
    note = sentences(
        *words,
        say("Sets are Fieller's, from the joint covariance of numerator and denominator."),
    )
    return efficiency.table("sustainability", say(_CAPTION), data=data, cells=cells, note=note)


def _leaves_out_subsidies(efficiency: StudyEfficiency) -> bool:
    """Whether the study's outcome leaves subsidies out."""
    part = efficiency.study_data.study.panel
    own = part is not None and bool(part.income) and part.subsidies == "excluded"
    return own and efficiency.gains.panel.outcome == "income"
