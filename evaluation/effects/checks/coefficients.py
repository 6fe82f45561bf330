"""Event-study coefficients with their covariance: what checks of trends start from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from evaluation.effects.check import Subject
from evaluation.effects.estimates import effective_clusters
from evaluation.effects.setup import Estimator
from evaluation.errors import DesignError
from evaluation.gains.clusters import fewest_clusters, pseudo_values, takes_part, too_few
from evaluation.gains.moments import Bools, Floats
from evaluation.language import commas, say

_PREFERRED: tuple[Estimator, ...] = ("callaway_santanna", "sun_abraham", "twfe")
_MOST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStudy:
    """Coefficients of consecutive event times around the one that they are measured from.

    Attributes
    ----------
    estimator
        Whose.
    times
        K, ascending, without the reference.
    reference
        The event time that they are measured from.
    estimates
        K.
    covariance
        K x K, from the clusters' parts; the jackknife's where there are fewer than 30.
    weights
        K: each one's share in the average effect, by treated village-years; zero before
        treatment.
    pseudo
        C x K: the jackknife's pseudo-values where there are fewer than 30 clusters.
    n_clusters
        C.
    freedom
        One less than as many equal clusters as they count as.
    alpha
        1 less the coverage of intervals.
    left_out
        How many event times further off, before and after, are not looked at.
    """

    estimator: Estimator
    times: npt.NDArray[np.int64]
    reference: int
    estimates: Floats
    covariance: Floats
    weights: Floats
    pseudo: Floats | None
    n_clusters: int
    freedom: float
    alpha: float
    left_out: tuple[int, int] = (0, 0)

    @property
    def before(self) -> Bools:
        """K: whether an event time lies before the reference, where effects should be none."""
        return np.asarray(self.times < self.reference)

    @property
    def se(self) -> Floats:
        """K."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def critical(self) -> float:
        """Of a single coefficient, by Student's t."""
        return float(stats.t.ppf(1 - self.alpha / 2, self.freedom))

    @property
    def average(self) -> float:
        """The average effect over the event times from 0 on."""
        return float(self.weights @ self.estimates)

    @property
    def averaged(self) -> str:
        """Say which treated years the average is over: "the first 8 of 12 treated years"."""
        n, further = int((self.times >= 0).sum()), self.left_out[1]
        if not further:
            return say("all treated years")
        return say("the first {n} of {total} treated years", n=n, total=n + further)

    @property
    def looked_at(self) -> str:
        """Say how many coefficients before treatment there are: "the 8 nearest of 17"."""
        n, further = int(self.before.sum()), self.left_out[0]
        if not further:
            return str(n)
        return say("the {n} nearest of {total}", n=n, total=n + further)


def find_event_study(subject: Subject, *, invertible: bool = False) -> EventStudy:
    """Take the event study of the first of Callaway-Sant'Anna, Sun-Abraham, TWFE there is.

    Parameters
    ----------
    invertible
        Take, on either side of the reference, a third as many event times as there are clusters
        at most, so that the covariance can be inverted; eight in any case.

    Raises
    ------
    DesignError
        If there is none, clusters are too few for errors, or it has no coefficient next to
        the reference on either side.
    """
    effects = subject.effects
    setup, alpha = effects.setup, effects.options.alpha
    name = next((name for name in _PREFERRED if name in effects.found), None)
    if name is None:
        raise DesignError(
            say("it takes the event study of one of {names}.", names=commas(_PREFERRED))
        )
    found = effects.found[name]
    events = found.terms["period"].ne("overall").to_numpy()
    terms, parts = found.terms[events], found.parts[:, events]
    n = int(takes_part(found.parts).sum())
    effective = effective_clusters(setup.compared_by(name))
    if effective < fewest_clusters(alpha):
        raise DesignError(say("{reason}.", reason=too_few(n, effective, alpha)))
    values = terms["estimate"].to_numpy(float)
    known = np.isfinite(values) & (np.abs(parts).max(axis=0, initial=0) > 0)
    left_out = None if found.left_out is None else found.left_out[:, events]
    if left_out is not None:
        known &= np.isfinite(left_out).all(axis=0)
    place = {int(t): k for k, t in enumerate(terms["event_time"]) if known[k]}
    reference, most = setup.reference, min(_MOST, (n - 1) // 3) if invertible else _MOST
    earlier, later = (_run(place, reference, step, most) for step in (-1, 1))
    if not earlier or max(later, default=-1) < 0:
        raise DesignError(
            say(
                "the event study lacks coefficients beside year {year}, from which it is "
                "measured.",
                year=reference,
            )
        )
    times = np.array([*earlier[::-1], *later])
    n_before = sum(t < reference for t in place)
    at = [place[int(t)] for t in times]
    cells = np.where(times >= 0, terms["n_cells"].to_numpy(float)[at], 0)
    pseudo = None if left_out is None else pseudo_values(values[at], left_out[:, at])
    covariance = (
        parts[:, at].T @ parts[:, at] if pseudo is None else np.atleast_2d(np.cov(pseudo.T)) / n
    )
    return EventStudy(
        estimator=name, times=times, reference=reference, estimates=values[at],
        covariance=covariance, weights=cells / cells.sum(), pseudo=pseudo, n_clusters=n,
        freedom=min(n, effective) - 1, alpha=alpha,
        left_out=(n_before - len(earlier), len(place) - n_before - len(later)),
    )  # fmt: skip


def _run(place: dict[int, int], reference: int, step: int, most: int) -> list[int]:
    """List the event times that follow on the reference without a gap."""
    times = []
    for time in range(reference + step, reference + step * (most + 1), step):
        if time not in place:
            break
        times.append(time)
    return times
