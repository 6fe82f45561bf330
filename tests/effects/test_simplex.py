"""Weights on the simplex: conditions of the optimum, and a general optimiser's answer."""

import numpy as np
import pytest
from scipy.optimize import minimize

from evaluation.effects.simplex import weigh_few, weigh_many

OPTIMAL = 1e-10  # of the gradient: where it is flat, and not below where the weight is zero
GENERAL = 1e-6  # SLSQP's own tolerance on weights
MANY = 1e-8  # the same conditions on 20,000 villages with tails: rounding of the sums


def excess_gradient(points, weights, ridge):
    """Give the gradient less its level, over its size: zero where weights are above zero."""
    gradient = points @ (points.T @ weights) + ridge * weights
    return (gradient - gradient @ weights) / (np.abs(gradient).max() + ridge)


def slsqp(points, ridge):
    n = len(points)
    scale = (points**2).sum(axis=1).mean() + ridge
    found = minimize(
        lambda w: ((points.T @ w) @ (points.T @ w) + ridge * w @ w) / scale,
        np.full(n, 1 / n),
        jac=lambda w: 2 * (points @ (points.T @ w) + ridge * w) / scale,
        method="SLSQP",
        bounds=[(0, 1)] * n,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: 1 + 0 * w},
        options={"ftol": 1e-16, "maxiter": 2_000},
    )
    return found.x


def draw_points(seed, n, dimensions):
    generator = np.random.default_rng(seed)
    return generator.normal(size=(n, dimensions)) + generator.normal(size=dimensions)


@pytest.mark.parametrize("ridge", [0.05, 1.0, 30.0])
@pytest.mark.parametrize(("n", "dimensions"), [(2, 1), (12, 3), (30, 8), (8, 20)])
def test_many_is_the_optimum(n, dimensions, ridge):
    points = draw_points(n, n, dimensions)
    weights = weigh_many(points, ridge)
    assert weights.min() >= 0 and weights.sum() == pytest.approx(1, abs=OPTIMAL)
    excess = excess_gradient(points, weights, ridge)
    assert np.abs(excess[weights > 0]).max() < OPTIMAL and excess.min() > -OPTIMAL
    np.testing.assert_allclose(weights, slsqp(points, ridge), atol=GENERAL)


@pytest.mark.parametrize("tail", [2, 3, 30])
@pytest.mark.parametrize("ridge", [1.0, 100.0])
def test_many_is_the_optimum_with_tails(tail, ridge):
    points = np.random.default_rng(1).standard_t(tail, size=(20_000, 10)) + np.arange(10) / 5
    weights = weigh_many(points, ridge)
    excess = excess_gradient(points, weights, ridge)
    assert np.abs(excess[weights > 0]).max() < MANY and excess.min() > -MANY


@pytest.mark.parametrize(("dimensions", "n"), [(1, 2), (40, 4), (40, 15), (5, 12)])
def test_few_is_the_optimum(dimensions, n):
    points = draw_points(n, dimensions, n)
    ridge = 1e-12 * dimensions
    weights = weigh_few(points, ridge)
    assert weights.min() >= 0 and weights.sum() == pytest.approx(1, abs=OPTIMAL)
    excess = excess_gradient(points.T, weights, ridge)
    assert np.abs(excess[weights > 0]).max() < OPTIMAL and excess.min() > -OPTIMAL
    if dimensions > n:  # else the ridge alone decides, and SLSQP cannot see it
        np.testing.assert_allclose(weights, slsqp(points.T, ridge), atol=GENERAL)


def test_both_agree():
    points = draw_points(3, 6, 9)
    np.testing.assert_allclose(weigh_many(points, 0.5), weigh_few(points.T, 0.5), atol=OPTIMAL)


def test_points_at_one_place_weigh_alike():
    np.testing.assert_allclose(weigh_many(np.full((4, 2), 3.0), 1.0), 0.25, rtol=1e-12)
    np.testing.assert_allclose(weigh_many(np.zeros((4, 2)), 1.0), 0.25, rtol=1e-12)
    np.testing.assert_allclose(weigh_few(np.zeros((5, 4)), 1e-12), 0.25, rtol=1e-9)


def test_the_unit_does_not_matter():
    points = draw_points(5, 40, 6)
    for scale in (1e-6, 1e6):
        scaled = weigh_many(points * scale, 2.0 * scale**2)
        np.testing.assert_allclose(scaled, weigh_many(points, 2.0), atol=OPTIMAL)
