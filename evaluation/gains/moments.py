"""The normal equations of the counterfactual: sums over villages, which add up in any order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

NULL = 1e-11
"""Eigenvalues below this share of the largest are zero but for rounding."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """Villages' cells, as the normal equations need them.

    Attributes
    ----------
    outcome
        n x T, NaN where unknown.
    fitted
        n x T: the untreated cells that the counterfactual is fitted on, all of them known.
    covariates
        n x T x K, known in the fitted cells; n x T x 0 where all K are zero.
    weights
        n, positive.
    times
        The T years, if each village has a trend of its own besides its level.
    """

    outcome: Floats
    fitted: Bools
    covariates: Floats
    weights: Floats
    times: Floats | None = None

    @cached_property
    def bases(self) -> list[Floats]:
        """What each village's level and trend are made of, at all years (n x T or n x 1).

        They are orthonormal on the village's fitted cells.
        """
        count = np.maximum(self.fitted.sum(axis=1, keepdims=True), 1)
        bases = [1 / np.sqrt(count)]
        if self.times is not None:
            slope = self.times - (self.fitted @ self.times)[:, None] / count
            size = np.sqrt(np.where(self.fitted, slope**2, 0).sum(axis=1, keepdims=True))
            bases.append(np.divide(slope, size, out=np.zeros_like(slope), where=size > 0))
        return bases

    def absorb(self, values: Floats) -> Floats:
        """Take out each village's level (and trend), fitted on its fitted cells."""
        left = values
        for base in self.bases:
            left = left - base * _sum_rows(np.where(self.fitted, left, 0), base)
        return left

    def spread(self, target: Floats) -> Floats:
        """Give the weights of each village's own cells in the sum of target x absorbed values.

        The transpose of `absorb`: target is n x T, zero in cells that do not count.
        """
        weights = target
        for base in self.bases:
            weights = weights - np.where(self.fitted, base, 0) * _sum_rows(target, base)
        return weights

    def take(self, rows: npt.NDArray[np.intp]) -> Block:
        """Give the cells of some of the villages."""
        return replace(
            self, outcome=self.outcome[rows], fitted=self.fitted[rows],
            covariates=self.covariates[rows], weights=self.weights[rows],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Sums over villages from which the year effects and slopes follow.

    Attributes
    ----------
    matrix
        P x P with P = T + K, the year effects first.
    vector
        P.
    rounding
        P: what rounding may leave of the matrix's diagonal where it is zero.

    Notes
    -----
    y_it(0) = a_i + l_t + x_it b, by least squares on the untreated cells (Borusyak, Jaravel,
    Spiess 2024, doi:10.1093/restud/rdae007), the a_i concentrated out: with M the 0/1 matrix
    of the fitted cells, n_i its row sums, and w_i the villages' weights,
    matrix = sum_i w_i (diag(M_i) - M_i M_i'/n_i), vector = sum_i w_i M_i (y_i - mean of y_i);
    covariates enter as further rows and columns.
    """

    matrix: Floats
    vector: Floats
    rounding: Floats

    @classmethod
    def of(cls, block: Block, *, n_slopes: int) -> Moments:
        """Sum over the villages of one block, K being n_slopes."""
        n_years = block.fitted.shape[1]
        outcome = np.where(
            block.fitted, block.absorb(np.where(block.fitted, block.outcome, 0)), 0
        )
        matrix = np.zeros((n_years + n_slopes, n_years + n_slopes))
        vector, rounding = np.zeros((2, n_years + n_slopes))
        weights = block.weights
        vector[:n_years] = weights @ outcome
        counts = weights @ block.fitted
        np.fill_diagonal(matrix[:n_years, :n_years], counts)
        rounding[:n_years] = NULL * counts
        for base in block.bases:
            part = np.where(block.fitted, base, 0)
            matrix[:n_years, :n_years] -= (part * weights[:, None]).T @ part
        slopes = absorbed_covariates(block)
        for k in range(slopes.shape[2]):
            weighted = slopes[:, :, k] * weights[:, None]
            column = np.concatenate(
                [weighted.sum(axis=0), np.einsum("it,itk->k", weighted, slopes)]
            )
            matrix[:, n_years + k] = matrix[n_years + k] = column
            vector[n_years + k] = (weighted * outcome).sum()
            squares = np.where(block.fitted, block.covariates[:, :, k], 0) ** 2
            rounding[n_years + k] = NULL**2 * (weights @ squares).sum()
        return cls(matrix=matrix, vector=vector, rounding=rounding)

    def __add__(self, other: Moments) -> Moments:
        return Moments(
            matrix=self.matrix + other.matrix,
            vector=self.vector + other.vector,
            rounding=self.rounding + other.rounding,
        )

    def __sub__(self, other: Moments) -> Moments:
        return Moments(
            matrix=self.matrix - other.matrix,
            vector=self.vector - other.vector,
            rounding=self.rounding,
        )


def absorbed_covariates(block: Block) -> Floats:
    """Give the covariates with the villages' levels taken out, zero in cells not fitted."""
    found = np.zeros_like(block.covariates)
    for k in range(block.covariates.shape[2]):
        values = np.where(block.fitted, block.covariates[:, :, k], 0)
        rows = np.flatnonzero(values.any(axis=1))
        if len(rows):
            part = block.take(rows)
            found[rows, :, k] = np.where(part.fitted, part.absorb(values[rows]), 0)
    return found


def _sum_rows(values: Floats, base: Floats) -> Floats:
    """Sum values x base over the years, n x 1."""
    if base.shape[1] == 1:
        return (values @ np.ones(values.shape[1]))[:, None] * base
    sums: Floats = np.einsum("it,it->i", values, base)[:, None]
    return sums
