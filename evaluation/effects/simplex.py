"""Weights that add up to one: the point of a hull nearest to zero, by two exact methods."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from evaluation.gains.moments import Floats

_STEPS = 500  # Newton's, of which a panel takes some ten
_TRIALS = 30  # of a step's length
_SMALL = 1e-10  # of the largest point: the gradient of the last steps


def weigh_many(points: Floats, ridge: float) -> Floats:
    """Weigh many points of few dimensions so that their mean is near zero.

    Returns
    -------
    N weights w that minimise |points' w|^2 + ridge |w|^2, none below zero, with sum one, for
    points N x D, N up to millions and D some tens, and a ridge above zero.

    Notes
    -----
    With r = points' w the dual is the largest of -|r|^2 / 2 + min_w (r'points' w + ridge |w|^2
    / 2), whose w(r) is the projection of -points r / ridge on the simplex: D dimensions,
    concave and quadratic between kinks. Newton's method with the active points' Hessian,
    I + points'(I - 11'/n) points / ridge, ends after finitely many steps at rounding.

    Examples
    --------
    >>> weigh_many(np.array([[-1.0], [3.0]]), 1e-9).round(6).tolist()
    [0.75, 0.25]
    """
    scale = float(np.abs(points).max(initial=0)) or 1.0
    points, ridge = points / scale, ridge / scale**2
    mean = points.mean(axis=0)
    weights, last = _project(points @ mean / -ridge), np.inf
    for _ in range(_STEPS):
        gradient = weights @ points - mean
        size = float(np.abs(gradient).max(initial=0))
        if size == 0 or (size < _SMALL and size > last / 2):
            return weights  # further steps are rounding
        last = size
        active = points[weights > 0]
        around = active - active.mean(axis=0)
        hessian = np.eye(len(mean)) + around.T @ around / ridge
        step = np.linalg.solve(hessian, gradient)
        slope, length = float(gradient @ step), 1.0
        for _ in range(_TRIALS):
            moved = mean + length * step
            weights = _project(points @ moved / -ridge)
            end = float((weights @ points - moved) @ step)
            if end >= -slope / 10:
                break
            length *= slope / (slope - end)  # where it would be flat, were it quadratic
        mean = moved
    raise ArithmeticError(f"the weights of {len(points):,} villages were not found")


def weigh_few(points: Floats, ridge: float) -> Floats:
    """Weigh few points of many dimensions so that their mean is near zero.

    Returns
    -------
    K weights w that minimise |points w|^2 + ridge |w|^2, none below zero, with sum one, for
    points D x K, D up to millions and K some tens, and a ridge above zero.

    Notes
    -----
    With Q'Q the quadratic form, x from 0 on that minimises |Q x|^2 + (sum x - 1)^2 is s w: for
    a given w the best s is 1 / (1 + |Q w|^2), and what is then left rises with |Q w|. Q is the
    triangle of points' QR factors, so that nothing is squared on the way.

    Examples
    --------
    >>> weigh_few(np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.0]]), 1e-9).round(6).tolist()
    [0.5, 0.0, 0.5]
    """
    n = points.shape[1]
    both = np.concatenate([np.linalg.qr(points, mode="r"), np.sqrt(ridge) * np.eye(n)], axis=0)
    both /= np.linalg.norm(both.mean(axis=1)) or 1.0
    found = nnls(np.vstack([both, np.ones(n)]), np.append(np.zeros(len(both)), 1.0))[0]
    return np.asarray(found / found.sum())


def _project(values: Floats) -> Floats:
    """Give the point of the simplex nearest to values."""
    ordered = np.sort(values)[::-1]
    levels = (np.cumsum(ordered) - 1) / np.arange(1, len(values) + 1)
    level = levels[np.flatnonzero(ordered > levels)[-1]]
    return np.asarray(np.maximum(values - level, 0))
