"""Panels for tests of the gains: typed out, random, or from another project's data."""

from collections.abc import Sequence
from io import StringIO

import numpy as np
import pandas as pd

from evaluation.data.panel import OutcomeScale, Variable, VillagePanel


def to_panel(
    cells: pd.DataFrame, *, covariates: Sequence[str] = (), analysis: OutcomeScale | None = None
) -> VillagePanel:
    """Make a panel of cells with village, year, cohort, y, covariates; county, town if known.

    Villages stand in the order in which they first come up.
    """
    villages = cells.groupby("village", sort=False).first()
    years = np.sort(cells["year"].unique()).astype(np.int64)

    def matrix(name):
        wide = cells.pivot(index="village", columns="year", values=name)
        return wide.reindex(index=villages.index, columns=years).to_numpy(float)

    known = pd.DataFrame(index=villages.index.astype(str).rename("village"))
    for name in ("county", "town", "name"):
        known[name] = villages[name].astype(str).to_numpy() if name in cells else ""
    known["cohort"] = villages["cohort"].to_numpy(float)
    roles = {"y": "outcome"} | dict.fromkeys(covariates, "covariate")
    return VillagePanel(
        villages=known,
        years=years,
        matrices={name: matrix(name) for name in roles},
        variables={
            name: Variable(
                name=name, role=role, label=name, unit="", scale="level", column=name
            )
            for name, role in roles.items()
        },
        outcome="y",
        rows=np.isfinite(matrix("y")),
        hedged=pd.DataFrame(),
        analysis=analysis or OutcomeScale(),
    )


def typed_cells(table: str) -> pd.DataFrame:
    """Read villages typed one a line: village, cohort, a column a year; '-' for nothing."""
    wide = pd.read_csv(StringIO(table), sep=r"\s+", na_values="-", dtype={"village": str})
    cells = wide.melt(["village", "cohort"], var_name="year", value_name="y")
    return cells.assign(year=cells["year"].astype(int))


def typed_panel(table: str) -> VillagePanel:
    return to_panel(typed_cells(table))


def random_cells(
    seed: int,
    *,
    n: int = 60,
    n_years: int = 8,
    n_counties: int = 5,
    missing: float = 0.15,
    never: float = 0.4,
    county_shocks: float = 0.0,
) -> pd.DataFrame:
    """Draw a staggered panel with holes: x varies, z stays as it is, w are weights."""
    rng = np.random.default_rng(seed)
    years = np.arange(2001, 2001 + n_years)
    county = rng.integers(n_counties, size=n)
    cohort = np.where(
        rng.random(n) < never, np.nan, rng.choice(years[n_years // 2 :] + 1, size=n)
    )
    x, z = rng.normal(size=(n, n_years)), rng.normal(size=n)
    gains = np.where(years >= cohort[:, None], rng.normal(2, 1, size=(n, 1)) + years - 2004, 0)
    y = (
        rng.normal(20, 4, size=(n, 1))
        + rng.normal(size=n_years).cumsum()
        + 0.7 * x
        + 0.1 * z[:, None] * (years - 2001)
        + county_shocks * rng.normal(size=(n_counties, n_years))[county]
        + gains
        + rng.gamma(2, 0.5, size=(n, 1)) * rng.normal(size=(n, n_years))
    )
    y[rng.random(y.shape) < missing] = np.nan
    x[rng.random(x.shape) < missing / 4] = np.nan
    village, year = np.repeat(np.arange(n), n_years), np.tile(years, n)
    return pd.DataFrame(
        {
            "village": [f"v{i:03}" for i in village],
            "year": year,
            "cohort": cohort[village],
            "county": [f"c{i}" for i in county[village]],
            "town": [f"t{i % 3}" for i in village],
            "y": y.ravel(),
            "x": x.ravel(),
            "z": z[village],
            "w": np.exp(rng.normal(size=n) / 2)[village]
            * rng.uniform(0.9, 1.1, size=n * n_years),
        }
    )
