"""Whether untreated villages near treated ones change too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from evaluation.data.panel import VillagePanel
from evaluation.effects.check import Check, Subject, asks, judge_by, select_villages, tell_p
from evaluation.effects.checks.side_by_side import (
    COLUMNS,
    MONEY,
    average_row,
    draw_rows,
    estimate_row,
    excludes_zero,
    smallest_p,
    tell,
)
from evaluation.errors import DesignError
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Floats
from evaluation.gains.result import IncomeGains
from evaluation.language import mark, say, sentences

_RADIUS = 6_371.0  # km, of the earth
_LEFT = 0.1  # of the untreated villages must lie further away, to be compared with


@asks(
    mark("Spillovers to neighbours"),
    mark("Do untreated villages near treated ones change when these are treated?"),
    theme="neighbours",
    if_failed=mark(
        "villages near treated ones changed too, so that they are no untouched comparison"
    ),
)
def check_spillovers(
    subject: Subject, *, bands: Sequence[float] = (1.0, 2.0, 5.0, 10.0)
) -> Check:
    """Compare untreated villages near treated ones with untreated ones further away.

    Parameters
    ----------
    bands
        Ends of the bands of distance to the nearest treated village, km. Bands beyond which
        less than a tenth of the untreated villages lie are not used, nor are the widest of
        them while what they leave gives no interval. Where no coordinates are known, or
        treated villages are near everywhere, a village of the same town counts as near.

    Notes
    -----
    Never treated villages alone; exposed from the first year in which a treated village lies
    within the widest band used, which takes the place of the first treated year in the
    imputation; those never exposed are compared with. Estimand: the mean change of exposed
    villages since, if otherwise they had changed like those further away, to which nothing
    spills. Failed if its interval excludes zero, or a single band's p-value does, adjusted for
    the number of bands by Holm. The main effect is then estimated without exposed villages in
    the comparison, which a spillover to them does not touch.
    """
    panel = subject.panel
    exposures = _list_exposures(panel, sorted(bands))
    if not exposures:
        raise DesignError(
            say(
                "the untreated villages cannot be parted into near and far: neither "
                "coordinates nor towns leave a tenth of them away from treated villages."
            )
        )
    (since, ring, km), found = _compare(subject, exposures)
    never, not_judged, across = ~panel.is_treated, "", ""
    if km != exposures[0].km:
        not_judged = say(
            " (being {near} is not judged: it leaves no interval)", near=_near(exposures[0].km)
        )
    if found.options.year_effects != subject.gains.options.year_effects:
        across = say(" (compared across counties, as within them there is no interval)")
    rings = _by_ring(found, pd.Series(ring, index=panel.villages.index))
    main, spill = average_row(subject.gains), average_row(found)
    clean = estimate_row(subject, select_villages(panel, ~(never & np.isfinite(since))))

    def labels() -> list[str]:
        return [
            say("untreated villages {near}", near=_near(km)),
            *(_of_them(str(band)) for band in rings),
            say("treated villages"),
            say("treated villages, without those near"),
        ]

    table = pd.DataFrame([spill, *rings.values(), main, clean])[COLUMNS]
    table.insert(0, "group", labels())
    adjusted, n_bands = smallest_p(row["p_value"] for row in rings.values())
    clear = excludes_zero(spill)
    failed = bool(clear) or adjusted < subject.gains.options.alpha
    n_far = int((never & (ring == "far")).sum())
    told = [
        say(
            "{n:,} untreated villages {near} changed by {change} after that, beside {far:,} "
            "further away{not_judged}{across}.",
            n=spill["n_villages"], near=_near(km), change=tell(spill, subject), far=n_far,
            not_judged=not_judged, across=across,
        )
    ]  # fmt: skip
    if n_bands:
        told.append(
            say("Smallest p-value of {n} bands, adjusted: {p}.", n=n_bands, p=tell_p(adjusted))
        )
    effects = {"without": tell(clean, subject), "effect": tell(main, subject)}
    if failed:
        told += [
            _direction(spill, rings),
            say(
                "Without them the average effect is {without} rather than {effect}.", **effects
            ),
        ]
    elif clear is None:
        told.append(say("Without an interval there is no rule: {reason}.",
                        reason=spill["reason"]))  # fmt: skip
    else:
        told += [
            say(
                "That does not differ from zero, which is no proof that nothing spills over: "
                "the interval does not rule out up to {end}.", end=_farthest(spill, subject),
            ),
            say("Without them the average effect is {without}, with them {effect}.", **effects),
        ]  # fmt: skip

    return Check(
        verdict=judge_by(False if failed else None if clear is None else True),
        sentence=sentences(*told), statistic=spill["estimate"],
        statistic_name="change of untreated villages near treated ones",
        table=table, money=(*MONEY, "statistic"),
        draw=partial(draw_rows, rows=table, labels=labels, main=main["estimate"]),
    )  # fmt: skip


class _Exposure(NamedTuple):
    """From which year on each village is near a treated one, how near, and what near is.

    N first years (NaN: never), N names of the band ("far", "" where unknown), and within how
    many km; 0: in the same town.
    """

    since: Floats
    ring: Any
    km: float


def _compare(subject: Subject, exposures: Sequence[_Exposure]) -> tuple[_Exposure, IncomeGains]:
    """Compare near with far villages by the first exposure that gives an interval.

    Across counties only if none does within them, clustered as such a comparison is. Without
    any interval, the widest that gives an estimate.
    """
    panel, never = subject.panel, ~subject.panel.is_treated
    found: dict[int, tuple[_Exposure, IncomeGains]] = {}
    reason = DesignError(say("no untreated village lies near a treated one."))
    for effects in dict.fromkeys([subject.gains.options.year_effects, "common"]):
        for at, exposure in enumerate(exposures):
            since, ring, _ = exposure
            kept = never & (np.isfinite(since) | (ring == "far"))
            others = select_villages(panel, kept)
            others = replace(others, villages=others.villages.assign(cohort=since[kept]))
            try:
                gains = subject.reestimate(others, year_effects=effects)
            except DesignError as error:
                reason = error
                continue
            if np.isfinite(gains.att["conf_low"]):
                return exposure, gains
            found.setdefault(at, (exposure, gains))
    if not found:
        raise reason
    return found[min(found)]


def _list_exposures(panel: VillagePanel, bands: Sequence[float]) -> list[_Exposure]:
    """List what near may be, the widest first: bands, then the same town.

    Those that leave less than a tenth of the untreated villages far are not listed.
    """
    never, found = ~panel.is_treated, []
    distance = _nearest(panel)
    if distance is not None:
        n_known = int((never & np.isfinite(distance[:, -1])).sum())
        far = [int((never & (distance[:, -1] > band)).sum()) for band in bands]
        used = [band for band, n in zip(bands, far, strict=True) if n >= _LEFT * n_known > 0]
        while used and (never & (distance[:, -1] <= used[-1])).any():
            since = _first_year(panel, distance <= used[-1])
            ends = [0.0, *used]
            ring = np.where(np.isfinite(distance[:, -1]), "far", "").astype(object)
            for low, high in zip(ends[-2::-1], ends[:0:-1], strict=True):
                ring[distance[:, -1] <= high] = f"{low:g} to {high:g} km"
            found.append(_Exposure(since, ring, used.pop()))
    towns = place_codes(panel, "town")
    named = (panel.villages["town"].astype(str) != "").to_numpy()
    n_towns = int(towns.max()) + 1
    beside = np.stack(
        [
            (np.bincount(towns[panel.cohort <= year], minlength=n_towns) > 0)[towns] & named
            for year in panel.years
        ],
        axis=1,
    )
    far = (never & named & ~beside[:, -1]).sum()
    if (never & beside[:, -1]).any() and far >= _LEFT * (never & named).sum():
        ring = np.where(beside[:, -1], "in a treated one's town", np.where(named, "far", ""))
        found.append(_Exposure(_first_year(panel, beside), ring, 0.0))
    return found


def _nearest(panel: VillagePanel) -> Floats | None:
    """Give the distance to the nearest village treated by each year, N x T, km.

    Along the great circle, from chords in three dimensions; NaN without coordinates. None if
    no treated village has any.
    """
    if not {"longitude", "latitude"} <= {*panel.villages}:
        return None
    place = panel.villages[["longitude", "latitude"]].to_numpy(float)
    known = np.isfinite(place).all(axis=1)
    if not (known & (panel.cohort <= panel.years[-1])).any():
        return None
    east, north = np.radians(place[known]).T
    points = np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=1
    )
    distance = np.full((panel.n_villages, len(panel.years)), np.nan)
    distance[known] = np.inf
    for t, year in enumerate(panel.years):
        treated = panel.cohort[known] <= year
        if treated.any():
            chord = cKDTree(points[treated]).query(points)[0]
            distance[known, t] = 2 * _RADIUS * np.arcsin(chord.clip(0, 2) / 2)
    return distance


def _first_year(panel: VillagePanel, exposed: Any) -> Floats:
    first = panel.years[exposed.argmax(axis=1)].astype(float)
    return np.where(exposed.any(axis=1), first, np.nan)


def _by_ring(found: IncomeGains, ring: pd.Series[Any]) -> dict[str, dict[str, Any]]:
    """Average the exposed villages' changes by band; {} where there is one."""
    frame = found.by(ring)
    if len(frame) < 2:
        return {}
    order = sorted(frame.index, key=lambda name: float(str(name).partition(" ")[0]))
    return {name: frame.loc[name, COLUMNS].to_dict() for name in order}


def _direction(spill: dict[str, Any], rings: dict[str, dict[str, Any]]) -> str:
    clear = [row for row in (spill, *rings.values()) if excludes_zero(row)]
    if (clear or [spill])[0]["estimate"] > 0:
        return say(
            "They are no untouched comparison: a positive spillover hides part of the effect."
        )
    return say(
        "They are no untouched comparison: a negative spillover, as when income only moves "
        "over, passes for part of the effect."
    )


def _near(km: float) -> str:
    if km:
        return say("within {km:g} km of a treated one", km=km)
    return say("in the town of a treated one")


def _of_them(band: str) -> str:
    low, high = band.removesuffix(" km").split(" to ")
    return say("of them {low} to {high} km", low=low, high=high)


def _farthest(spill: dict[str, Any], subject: Subject) -> str:
    ends = spill["conf_low"], spill["conf_high"]
    return subject.amounts.tell(max(ends, key=abs), sign=True)
