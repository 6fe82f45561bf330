"""EffectsTable: the average effect by every estimator, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.effects.estimates import Estimates
from evaluation.effects.setup import EffectOptions, Estimator, Setup
from evaluation.gains.result import IncomeGains
from evaluation.language import Language, mark, spoken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES: Mapping[Estimator, str] = {
    "imputation": mark("Imputation"),
    "callaway_santanna": mark("Callaway, Sant'Anna"),
    "sun_abraham": mark("Sun, Abraham"),
    "twfe": mark("TWFE"),
    "synthetic_did": mark("Synthetic DiD"),
    "matched_did": mark("Matched DiD"),
}
"""Estimators as tables and figures name them; said where they are shown."""

LABELS: Mapping[Estimator, str] = {
    "imputation": mark("Imputation (Borusyak, Jaravel, Spiess 2024)"),
    "callaway_santanna": mark("Group-time averages (Callaway, Sant'Anna 2021)"),
    "sun_abraham": mark("Interaction-weighted (Sun, Abraham 2021)"),
    "twfe": mark("Two-way fixed effects"),
    "synthetic_did": mark("Synthetic difference-in-differences (Arkhangelsky et al. 2021)"),
    "matched_did": mark("Matched difference-in-differences"),
}
"""Their names with their authors."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class EffectsTable(ShowsSummary):
    """The programme's average effect and its event study, by several estimators.

    Attributes
    ----------
    panel, options
        What was estimated from, and how.
    setup
        The panel as estimators took it.
    gains
        The villages' gains that the imputation averages.
    unit
        Of effects: "yuan", "log of yuan".
    found
        What each estimator gave.
    frame
        One row an estimator and term: estimator, period (overall, before, after), event_time,
        estimate, se, conf_low, conf_high, p_value, band_low, band_high, n_villages, n_cells,
        n_clusters, method (of the interval), reason (why there is none).
    reasons
        Why estimators that were asked for gave nothing, by estimator.
    language
        That of notes and reasons.
    """

    panel: VillagePanel
    options: EffectOptions
    setup: Setup = field(repr=False)
    gains: IncomeGains = field(repr=False)
    unit: str
    found: Mapping[Estimator, Estimates] = field(repr=False)
    frame: pd.DataFrame
    reasons: Mapping[Estimator, str]
    language: Language = field(default_factory=spoken)

    @property
    def overall(self) -> pd.DataFrame:
        """The average effects, a row an estimator, index "estimator"."""
        rows = self.frame[self.frame["period"] == "overall"]
        return rows.drop(columns=["period", "event_time"]).set_index("estimator")

    def event_study(self, estimator: Estimator | None = None) -> pd.DataFrame:
        """Give the effects by years since treatment, of one estimator or of all."""
        rows = self.frame[self.frame["period"] != "overall"].astype({"event_time": int})
        rows = rows if estimator is None else rows[rows["estimator"] == estimator]
        return rows.reset_index(drop=True)

    def to_frame(self) -> pd.DataFrame:
        """Give all rows of `frame`."""
        return self.frame.copy()

    def summary(self) -> str:
        """Say each estimator's average effect and its interval."""
        lines = []
        for name, row in self.overall.iterrows():
            interval = (
                f"{1 - self.options.alpha:.0%} interval {row['conf_low']:,.4g} to "
                f"{row['conf_high']:,.4g}, {row['method']}, {row['n_clusters']} clusters"
                if row["reason"] == ""
                else f"no interval: {row['reason']}"
            )
            lines.append(
                f"{LABELS[name]}: {row['estimate']:,.4g} {self.unit} ({interval})"  # type: ignore[index]
            )
        lines += [f"{LABELS[name]}: none, {reason}" for name, reason in self.reasons.items()]
        return "\n".join(lines)

    def to_latex(self, **style: Any) -> str:
        r"""Give the table as a journal prints it, in LaTeX.

        Parameters
        ----------
        style
            divisor and unit (of amounts), events (by years since treatment too), stars,
            simulated, note; see `JournalStyle`.

        Raises
        ------
        DesignError
            If an option's value is not possible.

        Notes
        -----
        In the language spoken (`use_language`), whichever the effects were estimated in.

        Examples
        --------
        >>> from evaluation import Study, estimate_effects, load_data
        >>> panel = load_data(Study.load("data/jining_simulated")).panel
        >>> effects = estimate_effects(panel, estimators=["imputation"], year_effects="county")
        >>> tex = effects.to_latex(divisor=10_000, unit="万元", simulated=True)
        >>> print("\n".join(line for line in tex.splitlines() if "error &" in line))
        Standard error & (0.23) \\
        """
        from evaluation.effects.journal import write_latex
        from evaluation.effects.journal_notes import JournalStyle

        return write_latex(self, JournalStyle(**style))

    def to_docx(self, **style: Any) -> bytes:
        """Give the same table as a Word document; options as in `to_latex`."""
        from evaluation.effects.journal import write_docx
        from evaluation.effects.journal_notes import JournalStyle

        return write_docx(self, JournalStyle(**style))

    def to_html(self, **style: Any) -> str:
        """Give the same table as an HTML fragment; options as in `to_latex`."""
        from evaluation.effects.journal import write_html
        from evaluation.effects.journal_notes import JournalStyle

        return write_html(self, JournalStyle(**style))

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw all event studies beside one another, with their intervals."""
        import matplotlib.pyplot as plt

        axes = ax if ax is not None else plt.subplots()[1]
        events = self.event_study()
        names = list(dict.fromkeys(events["estimator"]))
        for at, name in enumerate(names):
            rows = events[events["estimator"] == name]
            reach = rows[["conf_low", "conf_high"]].sub(rows["estimate"], axis=0).abs()
            axes.errorbar(
                rows["event_time"] + 0.6 * (at / max(len(names) - 1, 1) - 0.5),
                rows["estimate"], yerr=reach.to_numpy().T, fmt="o", markersize=4,
                label=LABELS[name],
            )  # fmt: skip
        axes.axhline(0, color="0.5", linewidth=1)
        axes.set_xlabel("years since treatment")
        axes.set_ylabel(f"effect, {self.unit}")
        axes.legend(frameon=False)
        return axes
