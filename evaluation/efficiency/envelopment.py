"""The linear programmes of data envelopment analysis, many units to one sparse programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse

from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.language import say

Orientation = Literal["input", "output"]
Returns = Literal["constant", "variable", "decreasing", "increasing"]

SIGNS: dict[Returns, list[float]] = {
    "constant": [], "variable": [1, -1], "decreasing": [1], "increasing": [-1],
}  # fmt: skip
"""Each sign is a row of every programme: sign x sum of weights <= sign."""

ROUNDING = 1e-9  # of a distance, a weight or a slack relative to its amount: read as none

_COLUMNS = 6_000  # of a sparse programme: with fewer, calls cost more than the simplex
_OPTIONS = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}


@dataclass(frozen=True, slots=True, kw_only=True)
class Technology:
    """What units used and made: x (n x m) and y (n x s), none negative."""

    x: Floats
    y: Floats
    orientation: Orientation
    returns: Returns


@dataclass(frozen=True, slots=True, kw_only=True)
class _Programmes:
    """K programmes: choose score and weights, with score x radial + weights x peers <= bound.

    radial and bound are K x R, peers is K x R x n. A row is divided by the unit's own amount
    (`own`, 1 where that is zero), so that tolerances are relative to it.
    """

    radial: Floats
    peers: Floats
    bound: Floats
    own: Floats


def find_distances(technology: Technology, pulls: Floats) -> Floats:
    """Measure how far all units are from the frontier of the reference units.

    Parameters
    ----------
    pulls
        B x n: how far each reference unit is pulled back, by draw; 1 leaves it. Its inputs are
        multiplied by this (input orientation), or its outputs divided (output).

    Returns
    -------
    B x n: 1 / efficiency (input orientation), efficiency (output); 1 on the frontier, less
    beyond it.
    """
    n = len(technology.x)
    draw, row = np.divmod(np.arange(pulls.size), n)
    step = max(1, _COLUMNS // n)
    found = [
        _score(_write(technology, row[k : k + step], pulls[draw[k : k + step]]), technology)
        for k in range(0, pulls.size, step)
    ]
    score = np.concatenate(found).reshape(pulls.shape)
    return 1 / score if technology.orientation == "input" else score


def find_peers(technology: Technology, distances: Floats) -> tuple[Floats, Floats]:
    """Give each unit's peers and slacks: of all that reach its distance, those with most slack.

    Returns
    -------
    n x n weights of the peers, a row a unit; n x (m + s) slacks in the units of x and y.
    """
    n = len(technology.x)
    scores = 1 / distances if technology.orientation == "input" else distances
    amounts = np.concatenate([technology.x, technology.y], axis=1)
    step = max(1, _COLUMNS // n)
    weights, slacks = np.zeros((n, n)), np.zeros_like(amounts)
    for k in range(0, n, step):
        rows = np.arange(k, min(k + step, n))
        made = _write(technology, rows, np.ones((len(rows), n)))
        # Slacks are added up as shares of the mean amount: their units don't matter.
        share = made.own / amounts.mean(axis=0)
        cost = (share[:, None] @ made.peers[:, : amounts.shape[1]])[:, 0]
        found = _solve(made, np.insert(cost, 0, 0, axis=1), fixed=scores[rows])[:, 1:]
        weights[rows] = np.where(found > ROUNDING, found, 0)
        slack = made.bound - made.radial * scores[rows, None]
        slack -= (made.peers @ found[:, :, None])[:, :, 0]
        slack = slack[:, : amounts.shape[1]]
        slacks[rows] = np.where(slack > ROUNDING, slack, 0) * made.own
    return weights, slacks


def _write(technology: Technology, rows: npt.NDArray[np.intp], pulls: Floats) -> _Programmes:
    """Write the programme of each row, its reference units pulled back."""
    amounts = np.concatenate([-technology.x, technology.y], axis=1)  # more is better
    inward = np.arange(amounts.shape[1]) < technology.x.shape[1]
    has, own = amounts[rows] != 0, np.abs(amounts[rows])
    own = np.where(has, own, 1)
    peers = -amounts.T / own[:, :, None]
    signs = np.array(SIGNS[technology.returns])
    moved = inward if technology.orientation == "input" else ~inward
    factor = pulls if technology.orientation == "input" else 1 / pulls
    peers[:, moved] *= factor[:, None]
    side = np.where(inward, 1, -1) * has
    none = np.zeros((len(rows), len(signs)))
    sums = np.broadcast_to(signs[:, None], (len(rows), len(signs), len(technology.x)))
    return _Programmes(
        radial=np.concatenate([-side * moved, none], axis=1),
        peers=np.concatenate([peers, sums], axis=1),
        bound=np.concatenate([side * ~moved, none + signs], axis=1),
        own=own,
    )


def _score(made: _Programmes, technology: Technology) -> Floats:
    cost = np.zeros((len(made.bound), made.peers.shape[2] + 1))
    cost[:, 0] = 1 if technology.orientation == "input" else -1
    return _solve(made, cost)[:, 0]


def _solve(made: _Programmes, cost: Floats, *, fixed: Floats | None = None) -> Floats:
    """Minimise the sum of all costs; K x (1 + n), the score first."""
    blocks = np.insert(made.peers, 0, made.radial, axis=2)
    k, r, c = blocks.shape
    matrix = sparse.csc_array(
        (
            blocks.transpose(0, 2, 1).ravel(),
            np.broadcast_to(np.arange(k * r).reshape(k, 1, r), (k, c, r)).ravel(),
            np.arange(0, k * c * r + 1, r),
        ),
        shape=(k * r, k * c),
    )
    bounds = np.zeros((k, c, 2))
    bounds[:, :, 1] = np.inf
    if fixed is not None:
        bounds[:, 0] = fixed[:, None]
    found = optimize.linprog(
        cost.ravel(), A_ub=matrix, b_ub=made.bound.ravel(), bounds=bounds.reshape(-1, 2),
        method="highs-ds", options=_OPTIONS,
    )  # fmt: skip
    if found.status != 0:
        raise DesignError(
            say(
                "efficiency could not be computed ({why}). Leave out units whose inputs or "
                "outputs are millions of times larger or smaller than the others'.",
                why=found.message,
            )
        )
    values: Floats = found.x.reshape(k, c)
    return values
