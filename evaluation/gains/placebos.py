"""What comparison villages' outcomes give, in a village's years, where its gain is zero."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.gains.moments import Bools, Floats
from evaluation.gains.spreads import SpreadPrior, fit_spreads, variance_line

MOST_PLACEBOS = 10_000
"""More comparison villages than these are not drawn on: see `smallest_hashes`."""

_LOCK = Lock()  # of what is kept: pieces of a panel may be judged side by side

MOST_KEPT = 4_096
"""Patterns whose placebos are kept for further pieces: 330 MB, with 10,000 placebos each."""


Keys = npt.NDArray[np.void]


def n_needed(alpha: float) -> int:
    """Give how many placebos an interval needs.

    Examples
    --------
    >>> n_needed(0.05), n_needed(0.1)
    (19, 9)
    """
    return int(np.ceil(round(1 / alpha, 9))) - 1


def order_statistic(n: int, alpha: float) -> int:
    """Give the rank, from 1 on, of the placebo that the interval's quantile is."""
    return int(np.ceil(round((n + 1) * (1 - alpha), 9)))


def hash_villages(keys: npt.NDArray[np.object_]) -> npt.NDArray[np.uint64]:
    """Hash villages' keys, as text: SipHash, the same on every machine.

    Examples
    --------
    >>> hash_villages(np.array(["370829101201", "370829101202"], dtype=object))
    array([16068078762400365926,  8389640009921602070], dtype=uint64)
    """
    return np.asarray(pd.util.hash_array(keys, categorize=False), dtype=np.uint64)


def smallest_hashes(hashes: npt.NDArray[np.uint64], most: int) -> npt.NDArray[np.intp]:
    """Give the positions of the smallest hashes, ascending, at most as many as told.

    Notes
    -----
    A sample of villages that depends neither on their order nor on how a file of them is cut:
    the smallest of parts' smallest are the smallest of all. The .95 quantile of n placebos
    has coverage with a standard deviation of (.05 x .95 / n)^(1/2) over samples: .0022 with
    10,000.
    """
    if len(hashes) <= most:
        return np.arange(len(hashes))
    return np.sort(np.argpartition(hashes, most)[:most])


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Patterns of untreated and treated years, in the order of their keys.

    Attributes
    ----------
    keys
        P: the years as bits.
    own, used
        P x T: the untreated years, and the treated ones.
    contrasts
        P x T: the weight of each year's outcome in the gain.
    bases
        R x P x T: what levels, and trends, are made of: orthonormal on the untreated years,
        and zero in others.
    freedom
        P: degrees of freedom of the spread over the untreated years.
    """

    keys: Keys
    own: Bools
    used: Bools
    contrasts: Floats
    bases: Floats
    freedom: npt.NDArray[np.int64]

    @classmethod
    def of(cls, own: Bools, used: Bools, *, times: Floats | None) -> Patterns:
        """Give P x T patterns, which are distinct and in order, what follows from them."""
        contrasts, bases = _contrasts(own, used, times)
        freedom = own.sum(axis=1) - len(bases)
        return cls(
            keys=to_keys(own, used), own=own, used=used, contrasts=contrasts, bases=bases,
            freedom=freedom,
        )  # fmt: skip


def find_patterns(own: Bools, used: Bools) -> tuple[npt.NDArray[np.intp], Bools, Bools]:
    """Give each village's pattern of years as a number, and the patterns in order."""
    _, first, code = np.unique(to_keys(own, used), return_index=True, return_inverse=True)
    return code, own[first], used[first]


def to_keys(own: Bools, used: Bools) -> Keys:
    """Write patterns' years as bits, P keys."""
    bits = np.packbits(np.concatenate([own, used], axis=1), axis=1)
    return np.ascontiguousarray(bits).view(np.dtype((np.void, bits.shape[1]))).ravel()


def from_keys(keys: Sequence[bytes], n_years: int) -> tuple[Bools, Bools]:
    """Read keys as patterns' untreated and treated years, P x T each."""
    joined = np.frombuffer(b"".join(keys), dtype=np.uint8)
    joined = joined.reshape(len(keys), -(-2 * n_years // 8))
    both = np.unpackbits(joined, axis=1, count=2 * n_years).astype(bool)
    return both[:, :n_years], both[:, n_years:]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternPlacebos:
    """The placebos of one pattern of years.

    Attributes
    ----------
    n
        Comparison villages known in all of its years; those that vary, where spreads are known.
    ratios
        The n sizes |p_j|/s_j, ascending; none where n is too few for an interval.
    line
        c0, c1: the mean-unbiased variance of a gain is c0 + c1 s_i^2.
    """

    n: int
    ratios: Floats
    line: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placebos:
    """A table of placebos by pattern of years, made as it is asked for.

    Attributes
    ----------
    known
        T x J: the comparison villages' outcomes less counterfactual; zero where not known.
    absent
        T x J: where they are not known, or treated.
    squares
        T x J: of `known`.
    alpha
        1 less the coverage of intervals.
    rounding
        Spreads up to this are none.
    most_kept
        Patterns whose placebos are kept, to be looked up again.
    priors
        By degrees of freedom, how villages' variances differ.
    """

    known: Floats
    absent: Bools
    squares: Floats
    alpha: float
    rounding: float
    most_kept: int = 0
    priors: dict[int, SpreadPrior] = field(default_factory=dict)
    kept: OrderedDict[bytes, PatternPlacebos] = field(default_factory=OrderedDict, repr=False)

    @classmethod
    def of(
        cls, excess: Floats, untreated: Bools, patterns: Patterns, *, alpha: float,
        rounding: float, most_kept: int = 0,
    ) -> Placebos:  # fmt: skip
        """Start the table of some comparison villages (J x T) and of all patterns there are.

        How villages' variances differ is fitted, for each number of degrees of freedom, on
        the first pattern with enough placebos.
        """
        known = np.ascontiguousarray(np.where(untreated, excess, 0).T)
        found = cls(
            known=known, absent=np.ascontiguousarray(~untreated.T), squares=known**2,
            alpha=alpha, rounding=rounding, most_kept=most_kept,
        )  # fmt: skip
        needed = n_needed(alpha)
        for p, df in enumerate(patterns.freedom.tolist()):
            if df < 1 or df in found.priors:
                continue
            if found._complete(patterns, p).sum() >= needed:
                _, spreads = found._draw(patterns, p)
                if len(spreads) >= needed:
                    found.priors[df] = fit_spreads(spreads, df)
        return found

    def look_up(self, patterns: Patterns, p: int) -> PatternPlacebos:
        """Give the placebos of the p-th of some patterns."""
        key = patterns.keys[p].tobytes()
        with _LOCK:
            if found := self.kept.get(key):
                self.kept.move_to_end(key)
                return found
        found = self._make(patterns, p)
        with _LOCK:
            self.kept[key] = found
            if len(self.kept) > self.most_kept:
                self.kept.popitem(last=False)
        return found

    def _make(self, patterns: Patterns, p: int) -> PatternPlacebos:
        df, none = int(patterns.freedom[p]), np.empty(0)
        if df < 1:
            n = int(self._complete(patterns, p).sum())
            return PatternPlacebos(n=n, ratios=none, line=(np.nan, np.nan))
        shifts, spreads = self._draw(patterns, p)
        n = len(shifts)
        if n < n_needed(self.alpha):
            return PatternPlacebos(n=n, ratios=none, line=(np.nan, np.nan))
        line = variance_line(spreads, shifts, df, self.priors[df])
        return PatternPlacebos(n=n, ratios=np.sort(np.abs(shifts) / spreads), line=line)

    def _complete(self, patterns: Patterns, p: int) -> Bools:
        years = patterns.own[p] | patterns.used[p]
        return np.asarray(~self.absent[years].any(axis=0))

    def _draw(self, patterns: Patterns, p: int) -> tuple[Floats, Floats]:
        """Give the gains and spreads of villages that are known in all of a pattern's years."""
        # One pattern at a time: its numbers must not depend on which others are asked for.
        sums = patterns.own[p].astype(float) @ self.squares
        for basis in patterns.bases[:, p]:
            sums -= (basis @ self.known) ** 2
        spreads = np.sqrt(np.maximum(sums, 0) / patterns.freedom[p])
        varied = self._complete(patterns, p) & (spreads > self.rounding)
        return (patterns.contrasts[p] @ self.known)[varied], spreads[varied]


def _contrasts(own: Bools, used: Bools, times: Floats | None) -> tuple[Floats, Floats]:
    """Give patterns' contrasts (P x T), and what levels and trends are made of (R x P x T)."""
    columns = [np.ones(own.shape[1])] + ([times] if times is not None else [])
    bases = np.zeros((len(columns), *own.shape))
    contrasts = used / np.maximum(used.sum(axis=1, keepdims=True), 1)
    extrapolated = contrasts.copy()
    for r, column in enumerate(columns):
        raw = np.broadcast_to(column, own.shape).copy()
        for before in range(r):
            basis = bases[before]
            # The earlier bases at all years are constants; see above.
            level = (basis * raw).sum(axis=1, keepdims=True) * basis.max(axis=1, keepdims=True)
            raw -= level
        size = np.sqrt(np.where(own, raw**2, 0).sum(axis=1, keepdims=True))
        raw = np.divide(raw, size, out=np.zeros_like(raw), where=size > 0)
        bases[r] = np.where(own, raw, 0)
        contrasts = contrasts - bases[r] * (extrapolated * raw).sum(axis=1, keepdims=True)
    return contrasts, bases
