"""Least squares with village and year effects, exact, and each cluster's part in its errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

from evaluation.effects.setup import Codes, Setup
from evaluation.gains.design import first_known
from evaluation.gains.moments import NULL, Bools, Floats

_ABSORBED = 1e-9  # of a column's length: what rounding leaves of one that effects explain
_COLLINEAR = 1e-10  # of the largest eigenvalue of the columns' correlations
_IDENTIFIED = 1e-6  # of a coefficient's direction: what rounding leaves in the null space


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinFit:
    """Coefficients of K columns, with village effects and year effects taken out.

    Attributes
    ----------
    coefficients
        K; NaN for those that the data do not identify.
    parts
        C x K: what each cluster adds to their errors, so that parts' parts is the covariance;
        zero for coefficients that are not identified.
    residuals
        N x T; zero for cells left out.
    """

    coefficients: Floats
    parts: Floats = field(repr=False)
    residuals: Floats = field(repr=False)


def fit_within(
    setup: Setup, outcome: Floats, columns: Sequence[Floats | Bools], used: Bools
) -> WithinFit:
    """Regress an outcome on columns, village effects and (county by) year effects.

    Parameters
    ----------
    outcome
        N x T.
    columns
        K matrices, N x T.
    used
        N x T: the cells that take part, known in all of these.

    Notes
    -----
    The errors' covariance is q (X'X)^-1 (sum_c s_c s_c') (X'X)^-1, s_c a cluster's sum of
    x_it e_it, x with effects taken out. q = (N - 1)/(N - k) C/(C - 1), with k the columns and
    effects that count: village effects lie within clusters and count if options.fixed_effects
    is "full"; year effects by county lie within clusters of counties and count likewise. So do
    R's fixest, Stata's reghdfe and pyfixest, whose iterations this closed form spares.
    """
    values = np.zeros((1 + len(columns), *used.shape))
    for row, column in zip(values, (outcome, *columns), strict=True):
        np.copyto(row, column, where=used)
    lengths = np.sqrt(np.einsum("knt,knt->k", values, values))[1:]
    absorb(values, used, setup.group)
    y, x = values[0], values[1:]
    flat = values.reshape(len(values), -1)
    products = flat @ flat.T
    left = np.sqrt(np.diag(products))[1:]
    explained = left <= _ABSORBED * lengths
    x[explained] = 0
    scale = np.where(explained, np.where(lengths > 0, lengths, 1), left)
    gram = np.where(explained | explained[:, None], 0, products[1:, 1:])
    roots, vectors = np.linalg.eigh(gram / np.outer(scale, scale))
    kept = roots > _COLLINEAR * roots.max(initial=0)
    inverse = (vectors[:, kept] / roots[kept]) @ vectors[:, kept].T / np.outer(scale, scale)
    known = np.abs(vectors[:, ~kept]).max(axis=1, initial=0) < _IDENTIFIED
    coefficients = inverse @ np.where(explained, 0, products[1:, 0])
    residuals = y - np.tensordot(coefficients, x, axes=1)
    collect = sum_by(setup.clusters, setup.n_clusters)
    scores = collect @ np.einsum("knt,nt->nk", x, residuals)
    parts = scores @ inverse * np.sqrt(_small_sample(setup, used, int(kept.sum())))
    return WithinFit(
        coefficients=np.where(known, coefficients, np.nan),
        parts=np.where(known, parts, 0.0),
        residuals=residuals,
    )


def absorb(values: Floats, used: Bools, group: Codes) -> None:
    """Take village effects and year effects by group out of K x N x T values, in place.

    Notes
    -----
    Exact, as the counterfactual is: with M the 0/1 matrix of a group's used cells and n_i its
    row sums, year effects l solve (diag(colsum M) - sum_i m_i m_i'/n_i) l = sum_i (x_i -
    mean_i), of which the solution of least norm is taken. Values of cells not used are zero,
    and stay so.
    """
    count = np.maximum(used.sum(axis=1, keepdims=True), 1)
    share = used / count
    collect = sum_by(group)
    years = range(used.shape[1])
    systems = -np.stack([collect @ (used[:, [t]] * share) for t in years], axis=1)
    systems[:, years, years] += collect @ used.astype(float)
    solutions = np.linalg.pinv(systems, rcond=NULL, hermitian=True)
    for x in values:
        x -= share * x.sum(axis=1, keepdims=True)
        effects = np.einsum("gts,gs->gt", solutions, collect @ x)[group]
        x -= used * (effects - (share * effects).sum(axis=1, keepdims=True))


def sum_by(codes: Codes, n: int | None = None) -> sparse.csr_array:
    """Give the matrix (n x N) that sums rows by their code."""
    size = n or int(codes.max(initial=-1)) + 1
    return sparse.csr_array(
        (np.ones(len(codes)), (codes, np.arange(len(codes)))), shape=(size, len(codes))
    )


def without_singletons(used: Bools, group: Codes) -> Bools:
    """Leave out cells that are alone in their village or (county's) year, until none is."""
    collect, left = sum_by(group), used.copy()
    while True:
        in_year = (collect @ left.astype(float))[group]
        alone = left & ((left.sum(axis=1, keepdims=True) == 1) | (in_year == 1))
        if not alone.any():
            return left
        left &= ~alone


def find_cells(setup: Setup) -> tuple[Bools, list[Floats]]:
    """Give the cells with an outcome and all covariates, and the covariates' columns.

    Covariates that vary within villages enter as they are; the others, which village effects
    explain, with a slope a year.
    """
    used, columns = np.isfinite(setup.outcome), []
    for matrix in setup.covariates.values():
        values = first_known(matrix)[:, None]
        if ((matrix == values) | np.isnan(matrix)).all():
            used &= np.isfinite(values)
            columns += [values * (setup.years == year) for year in setup.years[1:]]
        else:
            used &= np.isfinite(matrix)
            columns.append(matrix)
    return used, columns


def _small_sample(setup: Setup, used: Bools, n_columns: int) -> float:
    village, year = np.nonzero(used)
    place = setup.group[village] * used.shape[1] + year
    cluster = setup.clusters[village]
    n_years, n_clusters = len(np.unique(place)), len(np.unique(cluster))
    if setup.options.fixed_effects == "full":
        counted = n_columns + int(used.any(axis=1).sum()) + n_years - 1
    elif len(np.unique(place * setup.n_clusters + cluster)) == n_years:
        counted = n_columns + 1  # year effects lie within clusters too
    else:
        counted = n_columns + n_years
    freedom = max(len(village) - counted, 1)
    return (len(village) - 1) / freedom * n_clusters / max(n_clusters - 1, 1)
