"""A planned panel like the study's, and errors for it drawn from the study's residuals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.panel import Variable, VillagePanel
from evaluation.effects.within import sum_by
from evaluation.errors import DesignError
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.result import IncomeGains
from evaluation.gains.targets import Codes

_FEWEST_VILLAGES = 10  # whose residuals can be drawn from


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A design to simulate.

    Attributes
    ----------
    n_treated, n_comparison
        Villages.
    years
        T: those of the panel that are drawn from.
    n_after
        How many of them are treated; 0 where cohorts are the study's own.
    """

    n_treated: int
    n_comparison: int
    years: npt.NDArray[np.int64]
    n_after: int

    @property
    def own(self) -> bool:
        """Whether it is the study's own panel as it is."""
        return not self.n_after

    @classmethod
    def of(
        cls,
        gains: IncomeGains,
        n_treated: int | None,
        n_comparison: int | None,
        n_before: int | None,
        n_after: int | None,
    ) -> Plan:
        """Fill in what is not asked for from the study.

        Raises
        ------
        DesignError
            If a number is below one, or there are more years than the panel has.
        """
        asked = {
            "n_treated": n_treated, "n_comparison": n_comparison, "n_before": n_before,
            "n_after": n_after,
        }  # fmt: skip
        for name, value in asked.items():
            if value is not None and value < 1:
                raise DesignError(f"{name} is {value}; give a number from 1 on.")
        years = gains.panel.years
        own = all(value is None for value in asked.values())
        usual = round(float(gains.cells.counted.sum(axis=1).mean()))
        after = n_after or min(usual, len(years) - (n_before or 1))
        before = n_before or len(years) - after
        if before + after > len(years) or min(before, after) < 1:
            raise DesignError(
                f"n_before + n_after is more than the {len(years)} years of the panel, whose "
                "residuals are drawn from; plan fewer years."
            )
        return cls(
            n_treated=n_treated or len(gains.cells.rows),
            n_comparison=n_comparison or len(_find_comparison(gains)),
            years=years if own else years[-(before + after) :],
            n_after=0 if own else after,
        )

    def describe(self) -> str:
        """Say the design in words."""
        after = f", the last {self.n_after} treated" if self.n_after else ""
        return (
            f"{self.n_treated:,} treated and {self.n_comparison:,} comparison villages, "
            f"{self.years[0]}-{self.years[-1]}{after}"
        )

    def comparison_mean(self, gains: IncomeGains) -> float:
        """Give never treated villages' mean outcome over the treated years."""
        years = gains.panel.years
        first = gains.cells.cohort.min() if self.own else years[-self.n_after]
        outcome = gains.fit.design.outcome[~gains.panel.is_treated]
        return float(np.nanmean(outcome[:, years >= first]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """Paths over T years to draw from: clusters' shocks, G x T, and villages' own, J x T."""

    shocks: Floats
    own: Floats

    def draw(self, clusters: Codes, rng: np.random.Generator) -> Floats:
        """Draw errors, N x T: a shock for each cluster, a path of its own for each village."""
        shock = rng.integers(len(self.shocks), size=int(clusters.max()) + 1)
        drawn: Floats = self.shocks[shock][clusters]
        if self.own.any():
            drawn += self.own[rng.integers(len(self.own), size=len(clusters))]
        return drawn


def find_residuals(gains: IncomeGains, years: Bools) -> Residuals:
    """Part never treated villages' residuals into their clusters' shocks and their own.

    Parameters
    ----------
    years
        T: those that are drawn from; villages with a hole in them are left out.

    Raises
    ------
    DesignError
        If fewer than ten villages, or a single cluster, are left.

    Notes
    -----
    With J villages in C clusters of n_c and G groups with year effects of their own, deviations
    from clusters' means are scaled by (J / (J - C))^(1/2), so that their variance is v, that
    within clusters, and the means by (s / m)^(1/2), m their mean square and s = m C / (C - G) -
    v mean(1 / n_c), at least 0, what is left of it without villages' own errors: all by
    moments, summed over years.
    """
    never = np.isnan(gains.fit.design.cohort)
    paths = gains.fit.excess[never][:, years]
    complete = np.isfinite(paths).all(axis=1)
    paths, n = paths[complete], int(complete.sum())
    codes = pd.factorize(place_codes(gains.panel, gains.cluster)[never][complete])[0]
    n_clusters = int(codes.max(initial=-1)) + 1
    n_groups = len(np.unique(gains.fit.design.group[never][complete]))
    if n < _FEWEST_VILLAGES or n_clusters <= n_groups:
        raise DesignError(
            f"{n} never treated villages in {n_clusters} clusters are known in all of "
            f"{int(years.sum())} years; {_FEWEST_VILLAGES} are needed, in clusters that can be "
            "compared"
        )
    counts = np.bincount(codes)
    means = (sum_by(codes) @ paths) / counts[:, None]
    freedom = n - n_clusters
    own = (paths - means[codes]) * (np.sqrt(n / freedom) if freedom else 0)
    square = float((means**2).sum(axis=1).mean())
    noise = float((own**2).sum(axis=1).mean() * (1 / counts).mean())
    shock = max(0.0, square * n_clusters / (n_clusters - n_groups) - noise)
    return Residuals(shocks=means * np.sqrt(shock / square) if square else means, own=own)


def plan_panel(gains: IncomeGains, plan: Plan) -> VillagePanel:
    """Lay out a planned panel: complete, all treated at once, outcomes to be drawn.

    Its villages are spread over counties and towns as the study's are, treated and comparison
    villages each in proportion.
    """
    villages = gains.panel.villages[["county", "town"]]
    copies = max(1, round((plan.n_treated + plan.n_comparison) / len(villages)))
    arms = (gains.cells.rows, plan.n_treated), (_find_comparison(gains), plan.n_comparison)
    frames = []
    for rows, n in arms:
        places = villages.iloc[rows].sort_values(["county", "town"])
        # The middles of n equal shares of the places, copied.
        at = (2 * np.arange(n) + 1) * copies * len(places) // (2 * n)
        copy, place = np.divmod(at, len(places))
        frames.append(places.iloc[place].assign(copy=copy))
    frame = pd.concat(frames, ignore_index=True)
    frame["county"] += " #" + frame.pop("copy").astype(str)
    years = plan.years
    frame["name"] = ""
    frame["cohort"] = np.nan
    frame.loc[: plan.n_treated - 1, "cohort"] = float(years[-plan.n_after])
    frame.index = pd.Index([f"planned {i}" for i in range(len(frame))], name="village")
    outcome = np.zeros((len(frame), len(years)))
    variable = Variable(
        name="outcome", role="outcome", label="outcome", unit=gains.unit, scale="level",
        column="outcome",
    )  # fmt: skip
    return VillagePanel(
        villages=frame, years=years, matrices={"outcome": outcome},
        variables={"outcome": variable}, outcome="outcome",
        rows=np.ones(outcome.shape, dtype=bool), hedged=pd.DataFrame(),
    )  # fmt: skip


def _find_comparison(gains: IncomeGains) -> Codes:
    """Find the villages that are not treated within the years."""
    return np.flatnonzero(~(gains.panel.cohort <= gains.panel.years[-1]))
