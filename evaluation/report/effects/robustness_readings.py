"""How the figures of checks are to be read, by the name of the check."""

from __future__ import annotations

from collections.abc import Mapping

from evaluation.language import mark

ROWS = mark("Dots: estimates; bars: their intervals; dashed: the effect that is checked.")
"""Of figures that have the effect estimated in other ways one below the other."""

READINGS: Mapping[str, str] = {
    "pre_trend": mark("Dots: effects in years before treatment, which should be zero; bars: "
                      "their intervals."),
    "pre_trend_power": mark("Dots: effects by years since treatment; bars: their intervals; "
                            "red: straight trends that the test may miss."),
    "relative_magnitudes": mark("Orange: the interval if paths are parallel; blue: as "
                                "departures from that are allowed to grow."),
    "smoothness": mark("Orange: the interval if paths are parallel; blue: as the trend is "
                       "allowed to bend more."),
    "placebo_outcomes": mark("Dots: effects on what should not move; bars: their intervals."),
    "randomisation": mark("Grey: effects found with villages drawn by lot; orange: the effect "
                          "that is checked."),
    "outcome_families": mark("Circle: the p-value by itself; square, diamond: with the other "
                             "outcomes; left of the line it is below the threshold."),
    "influence": mark("Line: the effect without the villages that move it most, other things "
                      "being held; dots and bars: estimated anew."),
    "attrition": mark("The axis does not begin at zero."),
    "subsidies": mark("Dots: estimates; bars: their intervals; dashed: the effect on income "
                      "with subsidies."),
}  # fmt: skip
