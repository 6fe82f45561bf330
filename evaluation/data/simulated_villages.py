"""Invented villages in the four counties: codes, names, places and households."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.simulation_options import COUNTIES, SimulationOptions

Floats = npt.NDArray[np.float64]

DISPATCHING_UNITS = tuple(f"{level}直单位{mark}" for level in "省市" for mark in "甲乙丙丁戊己")
_FIRST_TOWN = 700  # real towns have 001 to 399, so no real village has these codes
_MOST_TOWNS = 300


def make_villages(
    options: SimulationOptions, rng: np.random.Generator
) -> tuple[pd.DataFrame, Floats]:
    """Make invented villages, and how well off each is.

    Returns
    -------
    One row a village: village (12-digit code whose first six are the real county's), county,
    town, name, longitude, latitude (degrees), households, poor_households; and the log of
    each village's baseline income as a standard normal. Poor households are more where that
    is low.
    """
    frames = []
    for county, treated in options.treated.items():
        n, box = treated * (1 + options.comparison), COUNTIES[county]
        towns = min(-(-n // options.villages_per_town), _MOST_TOWNS)
        town = np.arange(n) * towns // n
        number = np.arange(n) - np.searchsorted(town, town) + 1
        east, north = rng.random(towns), rng.random(towns)
        frames.append(
            pd.DataFrame(
                {
                    "village": (int(box.code) * 1000 + _FIRST_TOWN + town) * 1000 + number,
                    "county": county,
                    "town": _names("镇", towns)[town],
                    "name": _names("村", number.max())[number - 1],
                    "longitude": _near(east[town], box.west, box.east, rng),
                    "latitude": _near(north[town], box.south, box.north, rng),
                }
            )
        )
    villages = pd.concat(frames, ignore_index=True)
    villages["village"] = villages["village"].astype(str)
    z = rng.standard_normal(len(villages))
    households = np.rint(rng.lognormal(np.log(280), 0.35, len(villages))).astype(int)
    poor = rng.binomial(households, 0.10 * np.exp(-0.4 * np.clip(z, -3, 3)))
    return villages.assign(households=households, poor_households=poor), z


def draw_units(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the invented units that sent the secretaries of n villages, and their levels."""
    unit = np.array(DISPATCHING_UNITS)[rng.integers(0, len(DISPATCHING_UNITS), n)]
    level = np.where(np.char.startswith(unit, "省"), "省派", "市派")
    return pd.DataFrame({"dispatching_unit": unit, "dispatch_level": level})


def _near(place: Floats, low: float, high: float, rng: np.random.Generator) -> Floats:
    """Place villages around their towns, inside the county's box; degrees."""
    spread = rng.normal(0, 0.04, len(place))
    return low + (high - low) * np.clip(0.05 + 0.9 * place + spread, 0, 1)


def _names(kind: str, n: int) -> npt.NDArray[np.object_]:
    return np.array([f"示例{_numeral(k)}{kind}" for k in range(1, n + 1)], dtype=object)


def _numeral(number: int) -> str:
    """Write a number from 1 to 999 in Chinese.

    Examples
    --------
    >>> [_numeral(number) for number in (3, 10, 12, 40, 105, 213)]
    ['三', '十', '十二', '四十', '一百零五', '二百一十三']
    """
    digits = "零一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (digits[ones] if ones else "")
