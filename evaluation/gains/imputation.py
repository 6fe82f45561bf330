"""What outcomes would have been without the programme: two-way effects, exact, two passes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.gains.moments import (
    Block,
    Bools,
    Floats,
    Moments,
    absorbed_covariates,
)
from evaluation.gains.system import System

Positions = npt.NDArray[np.intp]

_BLOCK = 8_192  # villages: a block of cells that stays in the processor's cache
_ROUNDING = 1e-12  # of the largest outcome
_UNMOVED = 1e-7  # of a null direction's size: predictions that move less are identified


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """What the counterfactual is fitted to, and for which cells it is made.

    Attributes
    ----------
    outcome
        N x T, NaN where unknown, or where a covariate is.
    fitted
        N x T: the untreated cells that year effects and slopes are fitted on.
    own
        N x T: each village's untreated cells, which its level (and trend) is fitted on. The
        same as `fitted`, but where year effects come from never treated villages alone.
    years
        T.
    cohort
        N: first treated years, NaN for never treated villages.
    weights
        N.
    group
        N: villages that have year effects in common; slopes are common to all.
    varying
        Covariates, N x T each.
    fixed
        Covariates that stay as they are, N each: they have a slope in every year.
    trends
        Whether each village has a linear trend of its own.
    leads
        Event times, negative, that get a coefficient of their own.
    """

    outcome: Floats
    fitted: Bools
    own: Bools
    years: npt.NDArray[np.int64]
    cohort: Floats
    weights: Floats
    group: Positions
    varying: tuple[Floats, ...] = ()
    fixed: tuple[Floats, ...] = ()
    trends: bool = False
    leads: tuple[int, ...] = ()

    @property
    def n_slopes(self) -> int:
        """How many coefficients there are besides the year effects."""
        return len(self.varying) + len(self.fixed) * (len(self.years) - 1) + len(self.leads)

    @property
    def times(self) -> Floats | None:
        """The years around their mean, if villages have trends."""
        return self.years - self.years.mean() if self.trends else None

    @property
    def rounding(self) -> float:
        """What rounding may leave of zero, by the largest outcome."""
        return rounding_of(max(np.nanmax(self.outcome), -np.nanmin(self.outcome)))

    def block(self, rows: Positions | slice, *, fitted: Bools) -> Block:
        """Give the cells of some villages, levels being fitted on the cells given."""
        outcome = self.outcome[rows]
        only_leads = self.n_slopes == len(self.leads)
        none = only_leads and np.isnan(self.cohort[rows]).all()
        covariates = np.zeros((*outcome.shape, 0 if none else self.n_slopes))
        k = 0
        for matrix in self.varying:
            covariates[:, :, k] = np.nan_to_num(matrix[rows])
            k += 1
        for values in self.fixed:
            for year in range(1, len(self.years)):
                covariates[:, year, k] = values[rows]
                k += 1
        for lead in () if none else self.leads:
            covariates[:, :, k] = self.years - self.cohort[rows, None] == lead
            k += 1
        return Block(
            outcome=outcome,
            fitted=fitted[rows],
            covariates=covariates,
            weights=self.weights[rows],
            times=self.times,
        )

    def moments(self, rows: Positions) -> Moments:
        """Sum the normal equations over some villages."""
        size = len(self.years) + self.n_slopes
        total = Moments(
            matrix=np.zeros((size, size)), vector=np.zeros(size), rounding=np.zeros(size)
        )
        for part in self.parts(rows):
            block = self.block(part, fitted=self.fitted)
            total += Moments.of(block, n_slopes=self.n_slopes)
        return total

    def parts(self, rows: Positions) -> Iterator[Positions | slice]:
        """Cut rows into blocks; with leads, never treated villages apart from the others."""
        if self.leads:
            never = np.isnan(self.cohort[rows])
            yield from blocks(rows[~never])
            yield from blocks(rows[never])
        else:
            yield from blocks(rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterfactual:
    """A fitted design.

    Attributes
    ----------
    system
        Year effects by group, and slopes.
    excess
        N x T: outcome less counterfactual; in fitted cells the residuals, in treated cells
        the gains tau_it. NaN where the outcome is unknown or the counterfactual not identified.
    identified
        N x T: whether the data identify the counterfactual, known outcome or not.
    """

    design: Design
    system: System
    excess: Floats
    identified: Bools

    def scores(self, rows: Positions | slice) -> Floats:
        """Give what some villages' residuals add to the normal equations, n x P."""
        block = self.design.block(rows, fitted=self.design.fitted)
        used = block.fitted & self.identified[rows]
        n, n_years = used.shape
        scores = np.zeros((n, n_years + self.design.n_slopes))
        scores[:, :n_years] = np.where(used, self.excess[rows], 0) * block.weights[:, None]
        if block.covariates.shape[2]:
            slopes = absorbed_covariates(block)
            scores[:, n_years:] = np.einsum("it,itk->ik", scores[:, :n_years], slopes)
        return scores

    def without(self, villages: Bools) -> System:
        """Solve for year effects and slopes without some villages (N)."""
        group = self.design.group
        dropped = {
            int(g): self.design.moments(np.flatnonzero(villages & (group == g)))
            for g in np.unique(group[villages])
        }
        return self.system.without(dropped)

    def error_parts(self, loads: Floats, codes: Positions, n: int) -> Floats:
        """Give what each cluster adds to the error of sums of year effects and slopes.

        Parameters
        ----------
        loads
            G x P x Q: what the Q sums take of each.
        codes
            N: each village's cluster, from 0 to n - 1.

        Returns
        -------
        n x Q.
        """
        sums = np.zeros((n, loads.shape[2]))
        solved, number = self.system.invert(loads), np.empty(len(codes), dtype=np.intp)
        for group, rows in enumerate(group_rows(self.design.group)):
            if solved[group].any():
                own, number[rows] = np.unique(codes[rows], return_inverse=True)
                sums[own] += self.sum_scores(rows, number, len(own)) @ solved[group]
        return sums

    def sum_scores(self, rows: Positions, codes: Positions, n: int) -> Floats:
        """Add up `scores` of some villages by cluster, n x P; codes are of all villages."""
        sums = np.zeros((n, self.system.values.shape[1]))
        for part in self.design.parts(rows):
            for p, column in enumerate(self.scores(part).T):
                sums[:, p] += np.bincount(codes[part], column, n)
        return sums


def fit_counterfactual(design: Design) -> Counterfactual:
    """Fit year effects and slopes to untreated cells and predict every village's outcome.

    Notes
    -----
    See `Moments`. One pass sums the equations, one takes predictions from the outcome. A
    cell's counterfactual is identified if no direction that the data are silent on changes
    it: villages need an untreated year (two with trends), and years a chain of villages,
    untreated in both, that connects them.
    """
    moments = [design.moments(rows) for rows in group_rows(design.group)]
    return predict_outcomes(design, System.of(moments, n_years=len(design.years)))


def predict_outcomes(design: Design, system: System) -> Counterfactual:
    """Predict what outcomes would have been, from year effects and slopes that are solved for.

    Parameters
    ----------
    design
        Of all villages, or of some of them.
    system
        With the design's groups, in their order.
    """
    excess = np.empty_like(design.outcome)
    identified = np.ones(design.outcome.shape, dtype=bool)
    for group, rows in enumerate(group_rows(design.group)):
        values, silent = system.values[group], system.find_silent(group)
        for part in design.parts(rows):
            block = design.block(part, fitted=design.own)
            excess[part] = block.absorb(block.outcome - _predict(block, values))
            identified[part] = _is_identified(block, silent, trends=design.trends)
    excess[~identified] = np.nan
    return Counterfactual(design=design, system=system, excess=excess, identified=identified)


def rounding_of(largest: float) -> float:
    """Give what rounding may leave of zero, by the largest outcome."""
    return _ROUNDING * float(largest)


def blocks(rows: Positions) -> Iterator[Positions | slice]:
    """Cut rows into blocks; a slice where they lie beside one another, which is not copied."""
    together = bool(len(rows)) and int(rows[-1]) - int(rows[0]) == len(rows) - 1
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        yield slice(int(part[0]), int(part[-1]) + 1) if together else part


def group_rows(codes: Positions) -> list[Positions]:
    """List the rows of each group, in the order of the groups' codes."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def _predict(block: Block, values: Floats) -> Floats:
    """Give year effects and slopes' part of the prediction, n x T."""
    n_years = block.fitted.shape[1]
    predicted = np.broadcast_to(values[:n_years], block.fitted.shape)
    if block.covariates.shape[2]:
        predicted = block.covariates @ values[n_years:] + predicted
    return predicted


def _is_identified(block: Block, silent: Floats, *, trends: bool) -> Bools:
    n_levels = 2 if trends else 1
    enough = block.fitted.sum(axis=1) >= n_levels
    identified = np.broadcast_to(enough[:, None], block.fitted.shape).copy()
    if silent.shape[1] > n_levels:  # more than what villages' own levels take up
        for direction in silent.T:
            predicted = _predict(block, direction)
            moved = block.absorb(predicted)
            identified &= np.abs(moved) <= _UNMOVED * np.abs(predicted).max(initial=0)
    return identified
