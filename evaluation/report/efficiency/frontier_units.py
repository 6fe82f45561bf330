"""Villages, towns or counties to be measured against the best observed of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from evaluation.efficiency.amounts import check_size
from evaluation.efficiency.bootstrap import ON_FRONTIER
from evaluation.efficiency.frontier import Frontier, measure_frontier
from evaluation.errors import DesignError, suggest
from evaluation.gains.design import first_known
from evaluation.language import mark, say, sentences
from evaluation.report.efficiency.study import StudyEfficiency

Level = Literal["county", "town", "village"]

PLURALS = {
    mark("county"): mark("counties"), mark("town"): mark("towns"),
    mark("village"): mark("villages"),
}  # fmt: skip
"""Said where they are shown."""

ALPHA = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierUnits:
    """Villages, towns or counties to measure; made by `frontier_units`.

    Attributes
    ----------
    frame
        One row a unit: county, and the amounts of inputs and outputs.
    level
        What a unit is.
    inputs, outputs
        Columns of ``frame``.
    left_out
        What is not measured, and why, in words.
    """

    frame: pd.DataFrame
    level: Level
    inputs: list[str]
    outputs: list[str]
    left_out: str

    @property
    def plural(self) -> str:
        """The units' name."""
        return say(PLURALS[self.level])

    def measure(self, n_draws: int) -> Frontier:
        """Measure by how much outputs could grow, with variable returns to scale."""
        return measure_frontier(
            self.frame, inputs=self.inputs, outputs=self.outputs, orientation="output",
            returns="variable", n_draws=n_draws, alpha=ALPHA,
        )  # fmt: skip


def frontier_units(efficiency: StudyEfficiency, level: Level, n_draws: int) -> FrontierUnits:
    """Sum the villages in the ratio to units of a level, or of a higher one if they are many.

    Money is an input, and so are households where the panel knows them for all; the gain is an
    output, and so are jobs where all projects of these villages have them. Units without a
    gain above zero are left out.

    Raises
    ------
    DesignError
        If there are too many units, or too few draws, at every level.
    """
    if level not in get_args(Level):
        raise DesignError(f"level is {level!r}; {suggest(str(level), get_args(Level))}")
    found = efficiency.found
    villages = found.villages[found.villages["group"] == ""]
    frame = villages[["county", "town", "money", "gain"]].copy()
    words = []
    if rest := len(found.villages) - len(villages):
        words.append(
            say("Left out: {n:,} treated villages without money or without a gain.", n=rest)
        )
    for name, values in ((mark("households"), _households), (mark("jobs"), _jobs)):
        column = values(efficiency, villages.index)
        if column is not None and column.notna().all() and column.sum() > 0:
            frame[name] = column
        elif name == "jobs" and column is not None and found.spending.entries["shared"].any():
            words.append(
                say("Jobs are not used: those of pooled projects are booked on one village.")
            )
        elif column is not None:
            words.append(
                say(
                    "{what} are not used: not known for every village.",
                    what=say(name).capitalize(),
                )
            )
    amounts = [name for name in ("money", "households", "gain", "jobs") if name in frame]
    levels: list[Level] = ["village", "town", "county"]
    for at in levels[levels.index(level) :]:
        units = frame[["county", *amounts]] if at == "village" else _sum_up(frame, amounts, at)
        kept = units[units["gain"] > 0]
        try:
            check_size(len(kept), n_draws=n_draws, alpha=ALPHA)
            break
        except DesignError:
            if at == "county":
                raise
            words.append(
                say(
                    "{n:,} {units} are more than can be measured.",
                    n=len(kept), units=say(PLURALS[at]),
                )
            )  # fmt: skip
    inputs = [name for name in ("money", "households") if name in frame]
    outputs = [name for name in ("gain", "jobs") if name in frame]
    if len(kept) < len(units) / 2:
        raise DesignError(
            say(
                "{n:,} of {all:,} {units} have a gain above zero: a frontier of these would be "
                "one of the luckiest.",
                n=len(kept), all=len(units), units=say(PLURALS[at]),
            )
        )  # fmt: skip
    if lost := len(units) - len(kept):
        words.append(
            say(
                "Left out: {n:,} of {all:,} {units}, whose gain is not above zero and thus no "
                "share of another; with them go the least lucky.",
                n=lost, all=len(units), units=say(PLURALS[at]),
            )
        )  # fmt: skip
    return FrontierUnits(
        frame=kept, level=at, left_out=sentences(*words),
        inputs=inputs, outputs=outputs,
    )  # fmt: skip


def shrink_units(efficiency: StudyEfficiency, units: FrontierUnits) -> FrontierUnits | None:
    """Give the same villages with shrunken gains, if these are in money and above zero."""
    found = efficiency.found
    yearly = found.horizon == "annual" and found.gains.panel.analysis.form == "level"
    if units.level != "village" or not yearly:
        return None
    try:
        shrunken = found.gains.shrink(precision=True).villages["posterior_mean"]
    except DesignError:
        return None
    gain = shrunken.reindex(units.frame.index)
    return replace(units, frame=units.frame.assign(gain=gain)) if (gain > 0).all() else None


def share_reached(found: Frontier) -> pd.DataFrame:
    """Turn efficiencies, by how much outputs could grow, into the shares that are reached.

    Returns
    -------
    One row a unit: reached, corrected for bias, conf_low, conf_high, and best, whether it is
    on the frontier.
    """
    units = found.units
    return pd.DataFrame(
        {
            "reached": 1 / units["efficiency"],
            "corrected": 1 / units["bias_corrected"],
            "conf_low": 1 / units["conf_high"],
            "conf_high": 1 / units["conf_low"],
            "best": units["efficiency"] <= 1 + ON_FRONTIER,
        }
    )


def _households(
    efficiency: StudyEfficiency, villages: pd.Index[str]
) -> pd.Series[float] | None:
    panel = efficiency.found.gains.panel
    if "households" not in panel.variables:
        return None
    first = pd.Series(first_known(panel.matrix("households")), index=panel.villages.index)
    return first.reindex(villages).where(lambda count: count > 0)


def _jobs(efficiency: StudyEfficiency, villages: pd.Index[str]) -> pd.Series[float] | None:
    """Sum the jobs of villages' projects since they were treated; NaN if any is not known."""
    projects = efficiency.study_data.projects
    if projects is None or projects["jobs"].isna().all():
        return None
    if efficiency.found.spending.entries["shared"].any():
        return pd.Series(np.nan, index=villages)
    cohort = efficiency.found.villages["cohort"].reindex(projects["village"]).to_numpy(float)
    since = projects[~(projects["start"].to_numpy(float) < cohort)]
    sums = since.groupby("village")["jobs"].agg(lambda jobs: jobs.sum(skipna=False))
    has_none = pd.Series(0.0, index=villages.difference(sums.index))
    return pd.concat([sums, has_none]).reindex(villages)


def _sum_up(frame: pd.DataFrame, amounts: list[str], level: Level) -> pd.DataFrame:
    keys = ["county", "town"] if level == "town" else ["county"]
    sums = frame.groupby(keys)[amounts].sum().reset_index()
    return sums.set_index(pd.Index(sums[keys].agg(" ".join, axis=1), name="unit"))[
        ["county", *amounts]
    ]
