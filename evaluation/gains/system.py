"""Year effects, by county if asked for, and slopes that all share: solved from the moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.gains.moments import NULL, Floats, Moments

_UNMOVED = 1e-7  # of a silent direction's size: sums that move less are identified


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """The solved normal equations of G groups of villages with year effects of their own.

    Attributes
    ----------
    moments
        By group.
    inverse
        G x T x T: a generalised inverse of each group's year effects' equations.
    silent
        G x T x T: directions of year effects in which the data say nothing; zero columns
        where there are fewer.
    cross
        G x T x K: how year effects move with slopes.
    slopes
        K x K: a generalised inverse of the slopes' equations.
    slopes_silent
        K x K: directions of slopes in which the data say nothing; zero columns as above.
    values
        G x P: T year effects and the K slopes, the same for all groups.
    """

    moments: tuple[Moments, ...]
    inverse: Floats
    silent: Floats
    cross: Floats
    slopes: Floats
    slopes_silent: Floats
    values: Floats

    @classmethod
    def of(cls, moments: Sequence[Moments], *, n_years: int) -> System:
        """Solve the equations: each group's year effects first, then the slopes."""
        inverse, silent, cross = _concentrate(moments, n_years)
        return cls._solve(tuple(moments), inverse, silent, cross)

    def without(self, dropped: Mapping[int, Moments]) -> System:
        """Solve again without some villages, whose moments are given by group."""
        n_years = self.inverse.shape[1]
        moments, groups = list(self.moments), list(dropped)
        for group in groups:
            moments[group] = moments[group] - dropped[group]
        parts = [part.copy() for part in (self.inverse, self.silent, self.cross)]
        new = _concentrate([moments[group] for group in groups], n_years)
        for part, of_groups in zip(parts, new, strict=True):
            part[groups] = of_groups
        return self._solve(tuple(moments), *parts)

    def take(self, groups: npt.NDArray[np.intp]) -> System:
        """Give what predictions in some of the groups need; the equations stay behind."""
        return System(
            moments=(), inverse=self.inverse[groups], silent=self.silent[groups],
            cross=self.cross[groups], slopes=self.slopes, slopes_silent=self.slopes_silent,
            values=self.values[groups],
        )  # fmt: skip

    def invert(self, loads: Floats) -> Floats:
        """Multiply by the generalised inverse of all equations.

        Parameters
        ----------
        loads
            G x P x Q, the slopes' rows being summed over groups.

        Returns
        -------
        G x P x Q, the slopes' rows the same for all groups.
        """
        n_years = self.inverse.shape[1]
        years, slopes = loads[:, :n_years], loads[:, n_years:]
        wanted = (slopes - np.einsum("gtk,gtq->gkq", self.cross, years)).sum(axis=0)
        solved = self.slopes @ wanted
        effects = np.einsum("gst,gtq->gsq", self.inverse, years) - self.cross @ solved
        shared = np.broadcast_to(solved, (len(loads), *solved.shape))
        return np.concatenate([effects, shared], axis=1)

    def find_silent(self, group: int) -> Floats:
        """Give the directions, P x d, in which a group's effects and slopes are unknown."""
        n_years, n_slopes = self.cross.shape[1:]
        years = np.concatenate([self.silent[group], np.zeros((n_slopes, n_years))])
        slopes = np.concatenate([-self.cross[group] @ self.slopes_silent, self.slopes_silent])
        both = np.concatenate([years, slopes], axis=1)
        return np.asarray(both[:, both.any(axis=0)])

    def identifies(self, loads: Floats) -> bool:
        """Whether the data identify a sum of year effects and slopes, with loads G x P."""
        for group in np.flatnonzero(loads.any(axis=1)):
            silent = self.find_silent(int(group))
            size = np.abs(loads[group]).max() * np.abs(silent).max(axis=0)
            if (np.abs(loads[group] @ silent) > _UNMOVED * size).any():
                return False
        return True

    @classmethod
    def _solve(
        cls, moments: tuple[Moments, ...], inverse: Floats, silent: Floats, cross: Floats
    ) -> System:
        n_years = cross.shape[1]
        matrix = np.array([part.matrix for part in moments])
        vector = np.array([part.vector for part in moments])[:, :, None]
        own = matrix[:, n_years:, n_years:]
        left = own - np.einsum("gtk,gtm->gkm", cross, matrix[:, :n_years, n_years:])
        rounding = np.array([part.rounding for part in moments])[:, n_years:]
        raw = np.diagonal(own, axis1=1, axis2=2)
        slopes, slopes_silent = _invert(
            left.sum(axis=0)[None], (rounding + NULL * raw).sum(axis=0)[None]
        )
        found = cls(
            moments=moments, inverse=inverse, silent=silent, cross=cross, slopes=slopes[0],
            slopes_silent=slopes_silent[0], values=np.empty((0, 0)),
        )  # fmt: skip
        values = found.invert(vector)[:, :, 0]
        return cls(
            moments=moments, inverse=inverse, silent=silent, cross=cross, slopes=slopes[0],
            slopes_silent=slopes_silent[0], values=values,
        )  # fmt: skip


def _concentrate(
    moments: Sequence[Moments], n_years: int
) -> tuple[Floats, Floats, npt.NDArray[np.float64]]:
    """Give each group's inverse and silent directions of year effects, and cross terms."""
    matrix = np.array([part.matrix for part in moments])
    rounding = np.array([part.rounding for part in moments])
    inverse, silent = _invert(matrix[:, :n_years, :n_years], rounding[:, :n_years])
    return inverse, silent, inverse @ matrix[:, :n_years, n_years:]


def _invert(matrix: Floats, rounding: Floats) -> tuple[Floats, Floats]:
    """Invert stacked symmetric matrices as far as they can be, whatever their units.

    Returns the generalised inverses, and the directions that the matrices make zero.
    """
    diagonal = np.diagonal(matrix, axis1=1, axis2=2)
    known = diagonal > rounding
    scale = np.where(known, 1 / np.sqrt(np.where(known, diagonal, 1)), 0)
    values, vectors = np.linalg.eigh(matrix * scale[:, :, None] * scale[:, None, :])
    real = values > NULL * np.maximum(values.max(axis=1, initial=0), 0)[:, None]
    size = np.where(real, values, 1)
    kept = np.where(real[:, None, :], vectors * scale[:, :, None], 0)
    scale = np.where(known, scale, 1)
    silent = np.where(real[:, None, :], 0, vectors * scale[:, :, None])
    return (kept / size[:, None, :]) @ kept.transpose(0, 2, 1), silent
