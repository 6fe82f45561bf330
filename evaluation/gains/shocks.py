"""How comparison villages move by place, from sums that add up."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from evaluation.gains.moments import Bools, Floats
from evaluation.gains.targets import Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceShocks:
    """What comparison villages say of how places move apart.

    Attributes
    ----------
    means
        J x T: by place, the mean of the comparison villages' outcomes less counterfactual;
        NaN in years in which none is known.
    counts
        J x T: of how many.
    within
        T x T: covariance of villages around their place's mean.
    """

    means: Floats
    counts: Floats
    within: Floats


def find_shocks(excess: Floats, untreated: Bools, places: Codes) -> PlaceShocks:
    """Average comparison villages by place.

    Parameters
    ----------
    excess
        J x T: outcomes less counterfactual.
    untreated
        J x T: where these are known and untreated.
    places
        J: each village's place.
    """
    return sum_shocks(excess, untreated, places, int(places.max(initial=-1)) + 1).solve()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShockSums:
    """Sums over comparison villages by place, J x T x T, which add up over places' parts.

    Attributes
    ----------
    pairs
        How many villages are known in both years.
    sums
        Of the second year's outcomes less counterfactual, where both years are known.
    products
        Of both years' products.
    """

    pairs: Floats
    sums: Floats
    products: Floats

    def solve(self) -> PlaceShocks:
        """Give the places' means, and the covariance of villages around them."""
        counts = np.diagonal(self.pairs, axis1=1, axis2=2)
        totals = np.diagonal(self.sums, axis1=1, axis2=2)
        level = np.divide(totals, counts, out=np.zeros(counts.shape), where=counts > 0)
        # Of (x_t - m_t)(x_s - m_s), by place.
        crossed = level[:, :, None] * self.sums
        around = self.products - crossed - crossed.transpose(0, 2, 1)
        around += level[:, :, None] * level[:, None, :] * self.pairs
        inside = (counts > 1).astype(float)  # places that a within variance can be had from
        both = inside[:, :, None] * inside[:, None, :]
        freedom = (self.pairs * both).sum(axis=0) - inside.T @ inside
        freedom[self.pairs.sum(axis=0) == 0] = 0
        within = np.divide(
            around.sum(axis=0), freedom, out=np.zeros(freedom.shape), where=freedom > 0
        )
        means = np.where(counts > 0, level, np.nan)
        return PlaceShocks(means=means, counts=counts.copy(), within=within)


def sum_shocks(excess: Floats, untreated: Bools, places: Codes, n: int) -> ShockSums:
    """Sum what `find_shocks` needs over villages in n places."""
    n_years = excess.shape[1]
    pairs, sums, products = np.zeros((3, n, n_years, n_years))
    order = np.argsort(places, kind="stable")
    known = np.where(untreated, excess, 0)[order]
    there = untreated[order].astype(float)
    ends = np.cumsum(np.bincount(places, minlength=n))
    for place, (start, end) in enumerate(pairwise([0, *ends.tolist()])):
        if end > start:
            own, values = there[start:end], known[start:end]
            pairs[place], sums[place] = own.T @ own, own.T @ values
            products[place] = values.T @ values
    return ShockSums(pairs=pairs, sums=sums, products=products)
