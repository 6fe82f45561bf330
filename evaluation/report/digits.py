"""Numbers that are read side by side: as many decimals for all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

_KEPT = 3  # significant digits
_MOST_DECIMALS = 6


def shared_decimals(values: Iterable[float]) -> int:
    """Give the decimals that leave three significant digits of the upper quartile's size.

    Whole numbers have none.

    Examples
    --------
    >>> shared_decimals([0.00202, 8.61]), shared_decimals([3, 12]), shared_decimals([345.6])
    (2, 0, 0)
    """
    known = np.abs(np.array([*values], dtype=np.float64))
    known = known[np.isfinite(known) & (known > 0)]
    if not len(known) or (known == np.floor(known)).all():
        return 0
    size = float(np.quantile(known, 0.75, method="higher"))
    return min(max(0, _KEPT - 1 - math.floor(math.log10(size))), _MOST_DECIMALS)


def show_alike(values: Iterable[float], *, decimals: int | None = None) -> list[str]:
    """Print numbers with the same decimals; '' for one that is not known.

    Examples
    --------
    >>> show_alike([0.546, -0.0004, 13.04]), show_alike([1, 2000]), show_alike([float("nan")])
    (['0.5', '0.0', '13.0'], ['1', '2,000'], [''])
    """
    numbers = [float(value) for value in values]
    places = shared_decimals(numbers) if decimals is None else decimals
    return [f"{n:z,.{places}f}" if math.isfinite(n) else "" for n in numbers]
