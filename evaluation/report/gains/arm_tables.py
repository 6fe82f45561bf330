"""Tables that compare: treated with never treated villages, first with last years."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from evaluation.data.load import StudyData
from evaluation.data.panel import Floats
from evaluation.language import mark, say, say_count, sentences
from evaluation.report.absent import absent
from evaluation.report.cells import html_table
from evaluation.report.digits import shared_decimals, show_alike
from evaluation.report.exhibits import Exhibit
from evaluation.report.village_words import (
    money_note,
    needs,
    panel_of,
    show_variable,
)
from evaluation.report.words import PILLARS

_LARGE_DIFFERENCE = 0.25  # Imbens and Rubin 2015, ch. 14
_BALANCE = mark("Treated and never treated villages before treatment")
_INDICATORS = mark("Indicators by pillar")


@needs("panel", "arm_balance", _BALANCE)
def balance_table(study_data: StudyData) -> Exhibit:
    """Compare treated and never treated villages in the last year before any treatment.

    Notes
    -----
    Standardised difference (m1 - m0) / sqrt((s1^2 + s0^2) / 2); it does not grow with the
    number of villages, as a t statistic does. Beyond 0.25 in size a linear adjustment
    is sensitive to its specification.

    References
    ----------
    Austin (2009), doi:10.1002/sim.3697. Imbens and Rubin (2015), Causal Inference, ch. 14,
    doi:10.1017/CBO9781139025751.
    """
    panel = panel_of(study_data)
    treated = panel.is_treated
    if treated.all() or not treated.any():
        reason = say(
            "No comparison: the panel does not have both treated and never treated villages."
        )
        return absent(study_data, "arm_balance", say(_BALANCE), reason)
    before = np.flatnonzero(panel.years < np.nanmin(panel.cohort))
    if not len(before):
        reason = say("No comparison: villages are treated from the panel's first year on.")
        return absent(study_data, "arm_balance", say(_BALANCE), reason)
    last, year = before[-1], int(panel.years[before[-1]])
    outcome = panel.matrix()
    label = panel.variables[panel.outcome].label
    columns = [(panel.outcome, label, outcome[:, last])]
    if len(before) > 1:
        since = int(panel.years[before[-2]])
        change = outcome[:, last] - outcome[:, before[-2]]
        told = say(
            "change in {variable}, {since} to {year}", variable=label, since=since, year=year
        )
        columns.append((panel.outcome, told, change))
    columns += [
        (name, variable.label, panel.matrix(name)[:, last])
        for name, variable in panel.variables.items()
        if variable.role == "covariate"
    ]
    rows, notes = [], set()
    for name, label, values in columns:
        shown = show_variable(panel, panel.variables[name])
        notes.add(money_note(shown))
        rows.append((label, *_compare(values / shown.divisor, treated), shown.unit))
    names = ["variable", "n_treated", "mean_treated", "sd_treated", "n_never", "mean_never",
             "sd_never", "difference", "standardised", "unit"]  # fmt: skip
    data = pd.DataFrame(rows, columns=names)
    data.insert(0, "year", year)
    data["large"] = data["standardised"].abs() > _LARGE_DIFFERENCE
    cells = pd.DataFrame(
        {
            say("Variable"): data["variable"].str.replace("_", " "),
            say("Unit"): data["unit"],
        },
        dtype=object,
    )
    moments = data[["mean_treated", "sd_treated", "mean_never", "sd_never"]]
    places = [shared_decimals(row) for row in moments.to_numpy()]
    for arm, mean, count in (
        ("treated", say("Treated: mean (sd)"), say("n treated")),
        ("never", say("Never: mean (sd)"), say("n never")),
    ):
        both = data[[f"mean_{arm}", f"sd_{arm}"]].to_numpy()
        cells[mean] = [
            "{} ({})".format(*show_alike(row, decimals=n))
            for row, n in zip(both, places, strict=True)
        ]
        cells[count] = [f"{n:,}" for n in data[f"n_{arm}"]]
    cells[say("Difference")] = [
        show_alike([d], decimals=n)[0] for d, n in zip(data["difference"], places, strict=True)
    ]
    cells[say("Standardised")] = pd.Series(
        map(_show_standardised, data["standardised"]), dtype=object
    )
    return Exhibit(
        name="arm_balance",
        kind="table",
        caption=say(
            "Treated and never treated villages in {year}, before any treatment", year=year
        ),
        data=data,
        body=html_table(cells),
        simulated=study_data.study.simulated,
        note=sentences(
            say(
                "{year}: the last year in which nobody is treated. {large} of {n} standardised "
                "differences are beyond 0.25 in size (marked !): the difference of the means "
                "over the square root of the mean of the two variances (Austin 2009, "
                "doi:10.1002/sim.3697). sd: standard deviation; n: villages.",
                year=year,
                large=int(data["large"].sum()),
                n=len(data),
            ),
            *sorted(notes),
        ),
    )


_INDICATOR_COLUMNS = [
    "pillar", "indicator", "unit", "first_mean", "first_years", "last_mean", "last_years",
    "change", "n_villages", "n_seen_once",
]  # fmt: skip


def _show_standardised(d: float) -> Markup:
    """Print a standardised difference, a large one marked."""
    if np.isnan(d):
        return Markup(say("does not vary"))
    shown = Markup("<strong>{} !</strong>") if abs(d) > _LARGE_DIFFERENCE else Markup("{}")
    return shown.format(f"{d:+.2f}")


def _compare(values: Floats, treated: npt.NDArray[np.bool_]) -> list[float]:
    """Give n, mean and sd of both arms, their difference, and that over the pooled sd."""
    found: list[float] = []
    for arm in (values[treated], values[~treated]):
        arm = arm[np.isfinite(arm)]
        found += [len(arm), arm.mean() if len(arm) else np.nan]
        found += [arm.std(ddof=1) if len(arm) > 1 else np.nan]
    _, m1, s1, _, m0, s0 = found
    pooled = np.sqrt((s1**2 + s0**2) / 2)
    return [*found, m1 - m0, (m1 - m0) / pooled if pooled > 0 else np.nan]


@needs("indicators", "pillar_indicators", _INDICATORS)
def indicator_table(study_data: StudyData) -> Exhibit:
    """Show each indicator's mean in villages' own first and last year, by pillar."""
    frame = study_data.indicators
    assert frame is not None
    known = frame.dropna(subset="value").sort_values("year", kind="stable")
    rows = []
    for (pillar, name, unit), block in known.groupby(
        ["pillar", "indicator", "unit"], sort=False
    ):
        ends = block.groupby("village").agg(
            {"year": ["min", "max"], "value": ["first", "last"]}
        )
        both = ends[ends["year", "min"] < ends["year", "max"]]
        row: dict[str, Any] = {"pillar": pillar, "indicator": name, "unit": unit}
        for end, year in (("first", "min"), ("last", "max")):
            row[f"{end}_mean"] = both["value", end].mean()
            row[f"{end}_years"] = _span(both["year", year])
        row["change"] = row["last_mean"] - row["first_mean"]
        rows.append({**row, "n_villages": len(both), "n_seen_once": len(ends) - len(both)})
    data = pd.DataFrame(rows, columns=_INDICATOR_COLUMNS)
    order = {pillar: number for number, pillar in enumerate(PILLARS)}
    data = data.sort_values("pillar", key=lambda p: p.map(order), kind="stable")
    data = data.reset_index(drop=True)
    cells = pd.DataFrame(
        {
            "pillar": [say(PILLARS.get(pillar, pillar)) for pillar in data["pillar"]],
            say("Indicator"): data["indicator"],
            say("Unit"): data["unit"],
            say("Villages"): [f"{n:,}" for n in data["n_villages"]],
        },
        dtype=object,
    )
    sizes = data[["first_mean", "last_mean", "change"]].to_numpy(np.float64)
    firsts, lasts, changes = ([row[i] for row in map(show_alike, sizes)] for i in range(3))
    for means, years, head in (
        (firsts, data["first_years"], say("Mean, first year")),
        (lasts, data["last_years"], say("Mean, last year")),
    ):
        cells[head] = [
            f"{mean} ({when})" if when else "" for mean, when in zip(means, years, strict=True)
        ]
    cells[say("Change")] = changes
    return Exhibit(
        name="pillar_indicators",
        kind="table",
        caption=say(_INDICATORS),
        data=data,
        body=html_table(cells, group="pillar"),
        simulated=study_data.study.simulated,
        note=sentences(
            say(
                "{n} indicators of {villages:,} villages; the means are over villages with two "
                "years or more, each in its own first and last.",
                n=len(data),
                villages=frame["village"].nunique(),
            ),
            say_count(
                "{n} value of a village known in one year alone is left out.",
                "{n:,} values of villages known in one year alone are left out.",
                once,
            )
            if (once := int(data["n_seen_once"].sum()))
            else "",
            say("The change is no effect."),
        ),
    )


def _span(years: pd.Series[float]) -> str:
    """Give the first and last of some years."""
    if years.empty:
        return ""
    low, high = int(years.min()), int(years.max())
    return f"{low}" if low == high else f"{low}-{high}"
