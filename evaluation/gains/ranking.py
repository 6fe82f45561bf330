"""Ranks of groups with confidence sets: which are certainly ahead of which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.display import ShowsSummary
from evaluation.errors import DesignError
from evaluation.gains.maxima import Errors, Positions, joint_value, own_values
from evaluation.gains.moments import Floats
from evaluation.language import commas, say, say_count

Counts = npt.NDArray[np.int64]

_SAME = 1e-12  # of a variance: as much is left of a difference's by rounding
_SHOWN = 3  # groups named in a sentence


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Ranks(ShowsSummary):
    """Ranks of groups, 1 for the largest estimate, with confidence sets.

    Attributes
    ----------
    groups
        One row a group, in the order given: group, estimate, se, rank, rank_low, rank_high (the
        best and worst rank in the set; missing where the group could not be ranked), reason.
    kind
        simultaneous: all sets cover at once with probability 1 - alpha; marginal: each does.
    stepdown, alpha
        How the sets were made.
    """

    groups: pd.DataFrame
    kind: Literal["marginal", "simultaneous"]
    stepdown: bool
    alpha: float

    def to_frame(self) -> pd.DataFrame:
        """Give the groups, one row each."""
        return self.groups.copy()

    def tau_best(self, tau: int) -> list[object]:
        """List the groups whose rank may be tau or better.

        From simultaneous sets, the list holds all of the true best tau with probability at
        least 1 - alpha.
        """
        return self.groups.loc[
            (self.groups["rank_low"] <= tau).fillna(False), "group"
        ].to_list()

    def summary(self) -> str:
        """Say in one sentence what is certain about the order of the groups."""
        ranked = self.groups[self.groups["rank"].notna()]
        width = (ranked["rank_high"] - ranked["rank_low"] + 1).median()
        best = int(ranked["rank_high"].min())
        certain = ranked.loc[ranked["rank_high"] == best, "group"].to_list()
        names = commas([*map(str, certain[:_SHOWN]), *(["..."] if certain[_SHOWN:] else [])])
        at_once = self.kind == "simultaneous"
        top = say_count(
            "{names} is certainly among the first {best}",
            "{names} are certainly among the first {best}",
            len(certain), names=names, best=best,
        )  # fmt: skip
        lost = len(self.groups) - len(ranked)
        return say(
            "Ranks of {n:,} groups, {level:.0%} sure {how}: a typical group may have "
            "{width:.0f} of the {n:,} ranks, {first:,} may be first, and {top}{lost}.",
            n=len(ranked), level=1 - self.alpha, width=width, first=len(self.tau_best(1)),
            how=say("all at once") if at_once else say("each on its own"),
            top=top if best < len(ranked) else say("none is certainly ahead of the last"),
            lost=say("; {n:,} could not be ranked", n=lost) if lost else "",
        )  # fmt: skip


def rank_groups(
    estimates: pd.Series[float],
    *,
    standard_errors: pd.Series[float] | Floats | None = None,
    covariance: Floats | None = None,
    alpha: float = 0.05,
    kind: Literal["marginal", "simultaneous"] = "simultaneous",
    stepdown: bool = True,
    seed: int = 0,
) -> Ranks:
    """Rank groups (counties, towns, dispatching units) with confidence sets for the ranks.

    Parameters
    ----------
    estimates
        G, indexed by group.
    standard_errors
        G, in the estimates' unit, if the groups are independent; a Series is matched by group.
    covariance
        G x G, if they are not. Either this or `standard_errors`.
    alpha
        Chance that a set misses the rank (marginal), or that any does (simultaneous).
    stepdown
        Whether groups once told apart make it easier to tell others apart.
    seed
        Of the draws that critical values come from, for simultaneous sets or a covariance.

    Returns
    -------
    Ranks. Groups without an estimate or a positive standard error are left out of the ranking
    and have the reason beside them.

    Raises
    ------
    DesignError
        With fewer than two groups to rank, or a covariance that is none.

    Notes
    -----
    Group i is certainly ahead of j if T_ij = (x_i - x_j) / se(x_i - x_j) > c; rank_low is 1 +
    the number of groups certainly ahead, rank_high is G - the number certainly behind. c is the
    1 - alpha quantile of the greatest T (i's own differences, both ways, for marginal sets)
    when all groups are equal; stepdown takes it again over the ordered pairs not yet told
    apart, until no more are (Mogstad, Romano, Shaikh, Wilhelm 2024,
    doi:10.1093/restud/rdad006). Estimates are taken as normal with known errors.

    Marginal sets of independent groups use a one-dimensional integral (above 64 groups with
    standard errors shared out among 64 values); simultaneous ones draw the tail only, and of
    each draw look at groups with large errors only: 3,000 groups take some ten seconds a step.
    A covariance is for hundreds; its marginal sets use plain draws.

    Examples
    --------
    >>> gains = pd.Series({"East": 9.0, "West": 2.0, "North": 1.0})
    >>> ranks = rank_groups(gains, standard_errors=np.array([0.5, 0.5, 0.5]))
    >>> ranks.to_frame()[["group", "rank", "rank_low", "rank_high"]]
       group  rank  rank_low  rank_high
    0   East     1         1          1
    1   West     2         2          3
    2  North     3         2          3
    """
    if not 0 < alpha < 0.5:
        raise DesignError(f"alpha is {alpha}; give a chance between 0 and .5, such as 0.05.")
    if not estimates.index.is_unique:
        twice = estimates.index[estimates.index.duplicated()][0]
        raise DesignError(f"group {twice!r} has two estimates; keep one row a group.")
    variance = _read_variance(estimates.index, standard_errors, covariance)
    own = variance if variance.ndim == 1 else variance.diagonal()
    values = estimates.to_numpy(np.float64)
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(own)
    reason = np.select(
        [~np.isfinite(values), ~np.isfinite(spread), spread <= 0],
        [say("no estimate"), say("no standard error"), say("standard error of zero")],
        default="",
    )
    ranked = np.flatnonzero(reason == "")
    if len(ranked) < 2:
        told = say(
            "{n} of {all} groups have an estimate and a positive standard error; ranks need "
            "two. Group by a finer unit.",
            n=len(ranked), all=len(values),
        )  # fmt: skip
        raise DesignError(told)
    errors = _make_errors(variance, ranked, estimates.index)
    apart = (values[ranked, None] - values[ranked]) / errors.difference_sd()
    find = _find_jointly if kind == "simultaneous" else _find_by_group
    ahead, behind = find(apart, errors, alpha=alpha, stepdown=stepdown, seed=seed)
    frame = pd.DataFrame({"group": estimates.index, "estimate": values, "se": spread})
    rank = frame["estimate"].iloc[ranked].rank(method="min", ascending=False)
    frame["rank"] = rank.reindex(frame.index).astype("Int64")
    for name, bound in {"rank_low": 1 + ahead, "rank_high": len(ranked) - behind}.items():
        frame[name] = pd.Series(bound, index=ranked).reindex(frame.index).astype("Int64")
    frame["reason"] = reason
    return Ranks(groups=frame, kind=kind, stepdown=stepdown, alpha=alpha)


def _read_variance(
    groups: pd.Index,
    standard_errors: pd.Series[float] | Floats | None,
    covariance: Floats | None,
) -> Floats:
    """Give the G variances or the G x G covariance, as far as known."""
    if (standard_errors is None) == (covariance is None):
        raise DesignError("give either standard_errors or covariance.")
    if isinstance(standard_errors, pd.Series):
        standard_errors = np.asarray(standard_errors.reindex(groups), dtype=np.float64)
    given = np.asarray(covariance if standard_errors is None else standard_errors, float)
    n = len(groups)
    wanted = (n, n) if standard_errors is None else (n,)
    if given.shape != wanted:
        raise DesignError(f"{n} estimates need an array of shape {wanted}, not {given.shape}.")
    if standard_errors is not None:
        return np.where(given < 0, np.nan, given**2)
    return given


def _make_errors(variance: Floats, ranked: Positions, groups: pd.Index) -> Errors:
    if variance.ndim == 1:
        return Errors(sd=np.sqrt(variance[ranked]))
    used = variance[np.ix_(ranked, ranked)]
    if not np.allclose(used, used.T) or np.linalg.eigvalsh(used)[0] < -1e-8 * used.max():
        raise DesignError("the covariance is not symmetric with variances of at least zero.")
    sd = np.sqrt(used.diagonal())
    if (used == np.diag(used.diagonal())).all():
        return Errors(sd=sd)
    errors = Errors(sd=sd, covariance=used)
    same = errors.difference_sd() ** 2 <= _SAME * used.max()
    if same.any():
        one, other = (groups[ranked[k]] for k in np.argwhere(same)[0])
        raise DesignError(f"the errors of {one!r} and {other!r} are the same; leave one out.")
    return errors


def _find_jointly(
    apart: Floats, errors: Errors, *, alpha: float, stepdown: bool, seed: int
) -> tuple[Counts, Counts]:
    """Count the groups certainly ahead of, and behind, each, all pairs being one family."""
    open_ = ~np.eye(len(apart), dtype=bool)
    while True:
        certain = open_ & (apart > joint_value(errors, open_, alpha=alpha, seed=seed))
        open_ &= ~certain
        if not (stepdown and certain.any()):
            break
    certain = ~open_
    np.fill_diagonal(certain, False)
    return certain.sum(axis=0), certain.sum(axis=1)


def _find_by_group(
    apart: Floats, errors: Errors, *, alpha: float, stepdown: bool, seed: int
) -> tuple[Counts, Counts]:
    """Count the same, each group's differences from the others being a family."""
    above = ~np.eye(len(apart), dtype=bool)  # open: whether the group is ahead of another
    below = above.copy()  # and whether the other is ahead of the group
    groups = np.arange(len(apart))
    while len(groups):
        values = own_values(
            errors, groups, above[groups], below[groups], alpha=alpha, seed=seed
        )[:, None]
        ahead = above[groups] & (apart[groups] > values)
        behind = below[groups] & (apart[groups] < -values)
        above[groups] &= ~ahead
        below[groups] &= ~behind
        groups = groups[(ahead | behind).any(axis=1)] if stepdown else groups[:0]
    return (~below).sum(axis=1) - 1, (~above).sum(axis=1) - 1
