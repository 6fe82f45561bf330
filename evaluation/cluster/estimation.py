"""The passes of an estimate on a panel in pieces, one after another."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from evaluation.cluster.applied import (
    Judged,
    Solved,
    judge_piece,
    resum_piece,
    sum_left_out,
)
from evaluation.cluster.averages import (
    MOST_COUNTIES,
    LeftOut,
    find_errors,
    leave_places_out,
    tabulate_averages,
    tabulate_counties,
)
from evaluation.cluster.gain_sums import GainSums
from evaluation.cluster.gains_folder import write_gains
from evaluation.cluster.kinds import KindSums
from evaluation.cluster.panel_parts import Setup
from evaluation.cluster.passes import Passes
from evaluation.cluster.posteriors import Shrinkage, shrink_parts
from evaluation.cluster.streamed import StreamedGains
from evaluation.cluster.sums import Totals, find_changing, sum_piece
from evaluation.cluster.village_left_out import errors_by_village, leave_villages_out
from evaluation.gains.design import check_counts
from evaluation.gains.estimate import NoGainsError
from evaluation.gains.imputation import rounding_of
from evaluation.gains.moments import Floats
from evaluation.gains.options import Cluster
from evaluation.gains.placebos import MOST_KEPT, Patterns, Placebos, from_keys
from evaluation.gains.system import System
from evaluation.gains.villages import why_no_gains


class Estimate:
    """The passes of one estimate, one after another."""

    def __init__(
        self,
        setup: Setup,
        passes: Passes,
        folder: Path,
        work: Path,
        target: Path,
        tell: Callable[[str], None],
    ) -> None:
        self.setup, self.passes, self.tell = setup, passes, tell
        self.folder, self.work, self.target = folder, work, target
        self.pieces = setup.plan.pieces

    def run(self) -> StreamedGains:
        """Do all, and write all."""
        options = self.setup.options
        totals = self._sum()
        level, common = self._level(totals), options.year_effects == "common"
        solved, totals = self._solve(totals)
        rounding = rounding_of(totals.largest)
        patterns = Patterns.of(
            *from_keys(sorted(totals.patterns), len(self.setup.years)),
            times=self._times(),
        )
        table = self._placebos(totals, solved, patterns, rounding)
        kinds = None
        if totals.treated:
            kinds = KindSums.of_totals(totals, solved.system, solved.groups, self.setup.years)
        judged = Judged(
            solved=replace(solved, system=solved.system.take(np.arange(len(solved.groups)))),
            table=table,
            folder=self.work,
            averages=kinds.for_villages() if kinds and level == "village" else None,
            shocks=common and bool(self.setup.plan.columns.county),
        )
        sums = GainSums(places=totals.places, n_years=len(self.setup.years))
        self.tell("gains and intervals")
        with closing(self.passes.run(judge_piece, judged, self.pieces)) as found:
            for piece in found:
                sums.add(piece)
        if kinds is None or not sums.counts[1]:
            raise NoGainsError(
                why_no_gains(pd.Series(dict(sums.reasons.most_common())), options)
            )
        averages = self._average(kinds, sums, totals, solved, level, rounding)
        self.tell("shrinkage")
        shrinkage = shrink_parts(
            self.passes, sums.parts, sums.precision, folder=self.work, out=self.folder,
            alpha=options.alpha,
        )  # fmt: skip
        gains = self._gather(totals, sums, averages, shrinkage, level)
        write_gains(gains, self.setup, self.folder)
        return gains

    def _sum(self) -> Totals:
        """Do the first pass, without years that no village has a row in."""
        setup = self.setup
        if setup.options.covariates:
            self.tell("which covariates change")
            changing: set[str] = set()
            with closing(self.passes.run(find_changing, setup, self.pieces)) as found:
                changing = changing.union(*found)
            setup = replace(setup, fixed=frozenset(setup.options.covariates) - changing)
        while True:
            totals = Totals(alpha=setup.options.alpha)
            self.tell("sums")
            with closing(self.passes.run(sum_piece, setup, self.pieces)) as sums:
                for one in sums:
                    totals.add(one)
            assert totals.years is not None  # there is a piece
            self.setup = setup
            if totals.years.all():
                break
            setup = replace(setup, years=setup.years[totals.years])
        _, _, n_treated, n_fitted, _ = totals.counts.tolist()
        cohort = setup.plan.columns.cohort
        check_counts(n_treated, n_fitted, setup.years, setup.options, cohort=cohort)
        return totals

    def _solve(self, totals: Totals) -> tuple[Solved, Totals]:
        """Solve for year effects and slopes; where years are not connected, see what is."""
        groups = {name: number for number, name in enumerate(totals.moments)}
        system = System.of([*totals.moments.values()], n_years=len(self.setup.years))
        solved = Solved(setup=self.setup, system=system, groups=groups)
        n_levels = 2 if self.setup.options.trends else 1
        if any(system.find_silent(g).shape[1] > n_levels for g in range(len(groups))):
            totals.without_cells()
            slim = replace(solved, system=system.take(np.arange(len(groups))))
            with closing(self.passes.run(resum_piece, slim, self.pieces)) as found:
                for cells, names in found:
                    totals.add_cells(cells, names)
        return solved, totals

    def _level(self, totals: Totals) -> Cluster:
        """Choose what errors are clustered by, as `IncomeGains.cluster` does."""
        options = self.setup.options
        counties = {county for county, _ in totals.places.names}
        level = options.cluster or ("county" if len(counties) > 1 else "village")
        if level == "county" and options.year_effects == "county":
            return "town" if totals.has_towns else "village"
        return level

    def _times(self) -> Floats | None:
        years = self.setup.years
        return years - years.mean() if self.setup.options.trends else None

    def _placebos(
        self, totals: Totals, solved: Solved, patterns: Patterns, rounding: float
    ) -> Placebos:
        panel = totals.sample.panel
        excess, untreated = np.empty((0, len(self.setup.years))), np.empty(0, dtype=bool)
        if panel is not None:
            fit = solved.fit(panel)
            excess, untreated = fit.excess, fit.design.own & np.isfinite(fit.excess)
        return Placebos.of(
            excess, untreated.reshape(excess.shape), patterns,
            alpha=self.setup.options.alpha, rounding=rounding, most_kept=MOST_KEPT,
        )  # fmt: skip

    def _average(
        self,
        kinds: KindSums,
        sums: GainSums,
        totals: Totals,
        solved: Solved,
        level: Cluster,
        rounding: float,
    ) -> dict[str, pd.DataFrame]:
        options, system = self.setup.options, solved.system
        common = options.year_effects == "common"
        left_out: dict[int, Floats] = {}
        if level == "village":
            assert sums.villages is not None
            errors = errors_by_village(sums.villages, sums.count_villages(kinds))
            if few := errors.few(options.alpha):
                left_out = leave_villages_out(
                    self.passes, solved, kinds, sums, few, self.pieces
                )
        else:
            errors = find_errors(kinds, sums)
            if few := errors.few(options.alpha):
                places = np.unique(np.concatenate([errors.taking_part[q] for q in few]))
                moments = self._leave_out(totals, solved, places.tolist())
                left_out = {
                    q: leave_places_out(kinds, system, q, errors.taking_part[q], moments)
                    for q in few
                }
        found = tabulate_averages(
            kinds, sums, totals, errors, left_out.__getitem__, level=level, common=common,
            alpha=options.alpha, rounding=rounding,
        )  # fmt: skip
        n_counties = len({county for county, _ in totals.places.names})
        if common and self.setup.plan.columns.county and n_counties <= MOST_COUNTIES:
            found["county"] = tabulate_counties(
                kinds, sums, totals, alpha=options.alpha, rounding=rounding
            )
        return found

    def _leave_out(self, totals: Totals, solved: Solved, places: list[int]) -> LeftOut:
        """Sum the equations of a few places."""
        names = totals.places.names
        given = self.setup, frozenset(names[place] for place in places)
        found: dict[int, tuple[int, Any]] = {}
        with closing(self.passes.run(sum_left_out, given, self.pieces)) as parts:
            for part in parts:
                for name, group, moments in part:
                    place = totals.places.numbers[name]
                    known = found.get(place)
                    total = moments if known is None else known[1] + moments
                    found[place] = solved.groups[group], total
        return found

    def _gather(
        self,
        totals: Totals,
        sums: GainSums,
        averages: dict[str, pd.DataFrame],
        shrinkage: Shrinkage,
        level: Cluster,
    ) -> StreamedGains:
        n_villages, n_rows, _, _, n_left_out = totals.counts.tolist()
        n_treated, n_gains, n_intervals, _ = sums.counts.tolist()
        return StreamedGains(
            folder=self.target, options=self.setup.options, cluster=level, averages=averages,
            shrinkage=shrinkage, n_rows=n_rows, n_villages=n_villages,
            n_pieces=len(self.pieces), n_treated=n_treated, n_gains=n_gains,
            n_intervals=n_intervals, n_cells_left_out=n_left_out,
            n_placebos=len(totals.sample), reasons=dict(sums.reasons.most_common()),
        )  # fmt: skip
