"""Projects and a funding ledger of a simulated programme, to the cent of each county."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.simulation_options import SOURCES, SimulationOptions

Floats = npt.NDArray[np.float64]
Labels = dict[str, npt.NDArray[np.intp]]
STAGES = ("committed", "received", "spent")
_COLUMNS = [
    "village", "county", "town", "project", "type", "start", "jobs", "expected_return",
]  # fmt: skip
TYPES = ("大棚种植", "加工车间", "畜禽养殖", "乡村旅游", "仓储物流", "光伏发电")

_UNITS = 100  # amounts are whole multiples of 0.01 万元, of which 万元 has 100
_YUAN = 100  # and each of which is 100 yuan
_POOLED = ("fiscal", "social")
_JOBS_PER_MILLION = 6.0  # Weishan's 400 jobs on some 70 million yuan
_RETURN = 0.05  # a yuan and year, as project plans promise

_INDICATORS = [  # pillar, name, unit, mean before the programme, mean rise until its end
    ("party_building", "党群服务中心面积", "平米", 120, 80),
    ("party_building", "三会一课", "次", 8, 4),
    ("industry", "产业项目", "个", 1, 2),
    ("industry", "村民参股", "户", 20, 40),
    ("livelihood", "硬化道路", "公里", 2, 2),
    ("livelihood", "危房改造", "户", 0, 2),
    ("secretary_team", "驻村天数", "天", 0, 220),
    ("secretary_team", "走访农户", "户", 0, 70),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """What a simulated programme paid for.

    Attributes
    ----------
    ledger
        One row an amount: village (code), county, town and name (empty where pooled), year,
        project, source, stage, amount in nominal yuan.
    projects
        One row a project: village, county, town, project, type, start, jobs,
        expected_return in nominal yuan a year. A pooled one stands in the treated village
        with the most households of its town or county (whose town is then empty).
    received
        Nominal yuan by treated village, programme year and source, each village with its
        share of pooled money (by households).
    years
        The programme's years: those of ``received``.
    """

    ledger: pd.DataFrame
    projects: pd.DataFrame
    received: Floats
    years: range


def simulate_funding(
    treated: pd.DataFrame, options: SimulationOptions, rng: np.random.Generator
) -> Funding:
    """Make projects for treated villages and share each county's money out to them.

    Parameters
    ----------
    treated
        One row a treated village: village, county, town, name, households, cohort.
    options
        See `SimulationOptions`.
    rng
        Where randomness comes from.

    Notes
    -----
    What is received of a source adds up to ``options.funds`` exactly in every county. For a
    project and source let R be all that is received and F(k) the share of its time that has
    passed by the end of its k-th year; by then R F is received, R c F^0.4 is committed with
    c in [1, 1.2], and R s F^1.6 spent with s in [0.85, 1]: committed >= received >= spent.
    """
    projects, labels = _projects(treated, options, rng)
    total = _share_out(treated, projects, options, rng)
    years = range(min(options.cohorts), options.exit_year + 1)
    passed = _time_passed(projects["start"].to_numpy(), years)[:, None, :]
    shape = (*total.shape, 1)
    stages = np.stack(
        [
            total[:, :, None] * rng.uniform(1, 1.2, shape) * passed**0.4,
            total[:, :, None] * passed,
            total[:, :, None] * rng.uniform(0.85, 1, shape) * passed**1.6,
        ],
        axis=2,
    )  # project x source x stage x year, cumulative
    amounts = np.diff(np.rint(stages), axis=-1, prepend=0) * _YUAN
    received = amounts[:, :, STAGES.index("received"), :].transpose(0, 2, 1)
    at = np.nonzero(amounts)
    keys = projects[["village", "county", "town", "name"]].take(at[0]).reset_index(drop=True)
    ledger = keys.assign(
        year=np.array(years)[at[3]],
        project=projects["project"].to_numpy()[at[0]],
        source=np.array(SOURCES)[at[1]],
        stage=np.array(STAGES)[at[2]],
        amount=amounts[at],
    )
    money = received.sum(axis=(1, 2))
    projects = projects.assign(
        type=np.array(TYPES)[rng.integers(0, len(TYPES), len(projects))],
        jobs=rng.poisson(_JOBS_PER_MILLION * money / 1e6),
        expected_return=_RETURN * money * rng.lognormal(-0.02, 0.2, len(projects)),
    )
    return Funding(
        ledger=ledger,
        projects=projects.assign(village=projects["host"])[_COLUMNS],
        received=_by_village(treated, projects, received, labels),
        years=years,
    )


def simulate_indicators(
    treated: pd.DataFrame, options: SimulationOptions, rng: np.random.Generator
) -> pd.DataFrame:
    """Make a handful of indicators for each pillar, before the programme and at its end.

    Returns
    -------
    One row a treated village, indicator and year (that before its cohort, and exit_year):
    village, year, pillar, indicator, value, unit.
    """
    n = len(treated)
    pillars, names, units, before, rise = zip(*_INDICATORS, strict=True)
    start = rng.poisson(before, (n, len(names)))
    values = np.stack([start, start + rng.poisson(rise, start.shape)], axis=-1)
    ends = np.stack([treated["cohort"].to_numpy() - 1, np.full(n, options.exit_year)], axis=-1)

    def each(words: Sequence[str]) -> npt.NDArray[np.object_]:
        return np.tile(np.repeat(np.array(words, dtype=object), 2), n)

    return pd.DataFrame(
        {
            "village": np.repeat(treated["village"].to_numpy(), 2 * len(names)),
            "year": np.repeat(ends[:, None, :], len(names), axis=1).ravel().astype(int),
            "pillar": each(pillars),
            "indicator": each(names),
            "value": values.ravel(),
            "unit": each(units),
        }
    )


def _projects(
    treated: pd.DataFrame, options: SimulationOptions, rng: np.random.Generator
) -> tuple[pd.DataFrame, Labels]:
    """Make the projects, and say which one of each level every treated village is in.

    One or two for each village, and, where money is pooled, one a county and one for each
    town with two treated villages or more. A pooled one starts with its last village.
    """
    n = len(treated)
    count = rng.integers(1, 3, n)
    owner = np.repeat(np.arange(n), count)
    own = treated.take(owner)[["village", "county", "town", "name", "cohort"]]
    second = np.concatenate([[False], owner[1:] == owner[:-1]])
    late = second & (rng.random(len(own)) < 0.5)
    own = own.assign(
        start=np.minimum(own["cohort"] + late, options.exit_year).astype(int),
        level="village",
        owner=owner,
        host=own["village"],
    )
    frames, labels = [own], {}
    if options.pooled:
        for level, by in (("town", ["county", "town"]), ("county", ["county"])):
            groups = treated.groupby(by, observed=True)
            found = groups.agg(
                start=("cohort", "max"), n=("cohort", "size"), largest=("households", "idxmax")
            ).reset_index()
            found = found.assign(
                village="", name="", level=level, owner=-1, start=found["start"].astype(int),
                host=treated["village"].to_numpy()[found["largest"]],
            )  # fmt: skip
            if level == "county":
                found["town"] = ""
            kept = (found["n"] >= (2 if level == "town" else 1)).to_numpy()
            place = np.where(kept, np.cumsum(kept) - 1 + sum(map(len, frames)), -1)
            labels[level] = place[groups.ngroup().to_numpy()].astype(np.intp)
            frames.append(found[kept])
    projects = pd.concat(frames, ignore_index=True)
    projects["project"] = [f"示例项目{number:04d}" for number in range(1, len(projects) + 1)]
    return projects, labels


def _share_out(
    treated: pd.DataFrame,
    projects: pd.DataFrame,
    options: SimulationOptions,
    rng: np.random.Generator,
) -> Floats:
    """Share each county's money by source out to its projects, in whole 0.01 万元.

    Rounding the running sums keeps every county's total exact. A pooled level's money goes
    to its projects by their number of villages; villages' weights are lognormal.
    """
    own = (projects["level"] == "village").to_numpy()
    village = rng.lognormal(0, options.money_sd, (len(treated), 1))
    weights = np.zeros((len(projects), len(SOURCES)))
    owners = projects["owner"].to_numpy()[own]
    weights[own] = (village * rng.lognormal(0, 0.4, (len(treated), len(SOURCES))))[owners]
    weights[own] *= rng.uniform(0.5, 1.5, (own.sum(), 1))
    units = np.zeros_like(weights)
    for county in options.treated:
        inside = (projects["county"] == county).to_numpy()
        pools = [
            inside & (projects["level"] == level).to_numpy() for level in ("town", "county")
        ]
        pools = [pool for pool in pools if pool.any()]
        for column, source in enumerate(SOURCES):
            share = options.pooled if source in _POOLED and pools else 0.0
            mine = inside & own
            weights[mine, column] *= (1 - share) / weights[mine, column].sum()
            for pool in pools:
                size = projects["n"].to_numpy()[pool]
                weights[pool, column] = share / len(pools) * size / size.sum()
            running = np.cumsum(weights[inside, column])
            total = np.rint(options.funds[county].get(source, 0.0) * _UNITS)
            units[inside, column] = np.diff(np.rint(running / running[-1] * total), prepend=0)
    return units


def _time_passed(start: npt.NDArray[np.int64], years: range) -> Floats:
    """Give the share of each project's time that has passed at the end of each year."""
    length = years[-1] - start + 1
    return np.clip((np.array(years) - start[:, None] + 1) / length[:, None], 0, 1)


def _by_village(
    treated: pd.DataFrame, projects: pd.DataFrame, received: Floats, labels: Labels
) -> Floats:
    """Add up each village's own money and its share, by households, of what is pooled."""
    money = np.zeros((len(treated), *received.shape[1:]))
    owner = projects["owner"].to_numpy()
    np.add.at(money, owner[owner >= 0], received[owner >= 0])
    households = treated["households"].to_numpy(dtype=float)
    for label in labels.values():
        inside, pool = label >= 0, label[label >= 0]
        whole = np.bincount(pool, weights=households[inside], minlength=len(projects))
        money[inside] += (households[inside] / whole[pool])[:, None, None] * received[pool]
    return money
