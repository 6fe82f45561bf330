"""The same estimator by brute force: a column a dummy, and every weight written out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

_ZERO = 1e-9  # what the singular values of these small matrices leave of zero


@dataclass(frozen=True)
class Dense:
    """Least squares by pseudo-inverses over the known cells.

    Attributes
    ----------
    cells
        The n known cells.
    own
        Which of them are untreated.
    operator
        n x n: makes outcomes less counterfactual of outcomes, so that its rows are the v_it of
        Borusyak, Jaravel and Spiess.
    slopes
        P x n: makes year effects and slopes of outcomes.
    identified
        n.
    """

    cells: pd.DataFrame
    own: np.ndarray
    operator: np.ndarray
    slopes: np.ndarray
    identified: np.ndarray

    @property
    def excess(self):
        return np.where(self.identified, self.operator @ self.cells["y"].to_numpy(), np.nan)

    @property
    def has_gain(self):
        return (self.cells["year"] >= self.cells["cohort"]).to_numpy() & self.identified

    @property
    def gains(self):
        """The treated cells, with their gains."""
        return self.cells[self.has_gain].assign(gain=self.excess[self.has_gain])


def fit_dense(
    cells, *, varying=(), fixed=(), weights=None, comparison="not_yet_treated",
    year_effects="common", trends=False, anticipation=0, leads=(),
):  # fmt: skip
    known = cells[["y", *varying, *fixed]].notna().all(axis=1)
    weight = np.ones(len(cells))
    if weights:
        weight = cells.groupby("village")[weights].transform("mean").to_numpy()
    root = np.sqrt(weight[known])
    cells = cells[known].reset_index(drop=True)
    year = cells["year"].to_numpy()
    own = ~(year >= cells["cohort"].to_numpy() - anticipation)
    never = cells["cohort"].isna().to_numpy()
    fitted = own & never if comparison == "never_treated" else own
    levels = _dummies(cells["village"])
    if trends:
        levels = np.hstack([levels, levels * (year - year.mean())[:, None]])
    effects = _dummies(cells["year"])
    if year_effects == "county":
        effects = np.hstack([effects * part[:, None] for part in _dummies(cells["county"]).T])
    common = np.hstack(
        [
            effects,
            *[cells[[name]] for name in varying],
            *[_dummies(cells["year"]) * cells[[name]].to_numpy() for name in fixed],
            *[(year - cells[["cohort"]].to_numpy().T == lead).T for lead in leads],
        ]
    ).astype(float)
    n_levels = levels.shape[1]
    used = np.hstack([levels, common]) * (fitted * root)[:, None]
    padded = np.vstack([used, np.zeros((used.shape[1], used.shape[1]))])  # a whole basis
    left, size, right = np.linalg.svd(padded, full_matrices=False)
    left = left[: len(used)]
    rank = int((size > _ZERO * size[0]).sum())
    inverse = (right[:rank].T / size[:rank]) @ left[:, :rank].T
    slopes = (inverse * (fitted * root))[n_levels:]
    to_levels = np.linalg.pinv(levels * own[:, None], rcond=_ZERO) * own
    rest = np.eye(len(cells)) - common @ slopes
    silent = common @ right[rank:, n_levels:].T
    moved = np.hstack(
        [silent - levels @ to_levels @ silent, levels - levels @ to_levels @ levels]
    )
    return Dense(
        cells=cells,
        own=own,
        operator=rest - levels @ to_levels @ rest,
        slopes=slopes,
        identified=(np.abs(moved) < 1e-7).all(axis=1),
    )


def _dummies(values):
    return pd.get_dummies(values).to_numpy(float)
