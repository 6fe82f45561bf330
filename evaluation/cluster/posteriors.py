"""The last passes: the written gains are drawn towards what like villages gain."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import feather

from evaluation.cluster.applied import part_name
from evaluation.cluster.passes import Passes
from evaluation.errors import DesignError
from evaluation.gains.moments import Floats
from evaluation.gains.shrinkage import (
    ALIKE,
    SPARE_VILLAGES,
    TrueMoments,
    find_posteriors,
    too_few_to_shrink,
)

_WRITTEN = {
    "prior_mean": "prior_mean", "weight": "weight", "posterior_mean": "posterior_mean",
    "posterior_sd": "posterior_sd", "conf_low": "posterior_low", "conf_high": "posterior_high",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """How gains were shrunken; see `ShrunkenGains`.

    Attributes
    ----------
    coefficients
        Of the prior mean: constant and, unless all villages are measured alike, log_se.
    mu2, kappa
        Variance of true gains around the prior mean, and their kurtosis.
    n
        How many villages have a posterior.
    reason
        Why none has.
    """

    coefficients: dict[str, float]
    mu2: float = np.nan
    kappa: float = np.nan
    n: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prior:
    """What a pass over the parts goes by: the prior mean is constant + slope x log se."""

    folder: Path
    out: Path
    constant: float
    slope: float
    mu2: float = np.nan
    kappa: float = np.nan
    alpha: float = 0.05


def shrink_parts(
    passes: Passes,
    parts: Sequence[int],
    precision: Floats,
    *,
    folder: Path,
    out: Path,
    alpha: float,
) -> Shrinkage:
    """Shrink the gains in the parts of a folder, and write these as Parquet into ``out``.

    Parameters
    ----------
    parts
        The numbers of the pieces that have one.
    precision
        See `PieceGains`, over all pieces.
    """
    try:
        found, prior = _fit(passes, parts, precision, folder=folder, out=out, alpha=alpha)
    except DesignError as error:
        found = Shrinkage(coefficients={}, reason=str(error))
        nothing = {"constant": np.nan, "slope": np.nan}
        prior = _Prior(folder=folder, out=out, alpha=alpha, **nothing)
    for _ in passes.run(_write_part, prior, parts):
        pass
    return found


def _fit(
    passes: Passes,
    parts: Sequence[int],
    precision: Floats,
    *,
    folder: Path,
    out: Path,
    alpha: float,
) -> tuple[Shrinkage, _Prior]:
    n, least, most = int(precision[0]), precision[3], precision[4]
    if least <= 0:
        raise DesignError("a village's variance is not positive.")
    alike = n == 0 or np.sqrt(most) <= np.sqrt(least) * (1 + ALIKE)
    terms = ["constant"] if alike else ["constant", "log_se"]
    if n < len(terms) + SPARE_VILLAGES:
        raise too_few_to_shrink(n, terms)
    mean_log, mean_gain = precision[1] / n, precision[2] / n
    slope = 0.0
    centre = _Prior(folder=folder, out=out, constant=mean_gain, slope=mean_log, alpha=alpha)
    if not alike:
        around = sum(passes.run(_sum_around, centre, parts), np.zeros(2))
        slope = float(around[1] / around[0])
    constant = float(mean_gain - slope * mean_log)
    prior = _Prior(folder=folder, out=out, constant=constant, slope=slope, alpha=alpha)
    moments: TrueMoments | None = None
    for found in passes.run(_sum_moments, prior, parts):
        moments = found if moments is None else moments + found
    assert moments is not None  # there are villages
    mu2, kappa = moments.solve()
    known = dict(zip(terms, (constant, slope), strict=False))
    prior = _Prior(
        folder=folder, out=out, constant=constant, slope=slope, mu2=mu2, kappa=kappa,
        alpha=alpha,
    )  # fmt: skip
    return Shrinkage(coefficients=known, mu2=mu2, kappa=kappa, n=n), prior


def _read(prior: _Prior, number: int) -> tuple[Floats, Floats]:
    path = str(prior.folder / part_name(number))
    table = feather.read_table(path, columns=["gain", "variance"], memory_map=True)
    gain, variance = (column.to_numpy() for column in table.columns)
    known = np.isfinite(variance)
    return gain[known], variance[known]


def _sum_around(centre: _Prior, number: int) -> Floats:
    gain, variance = _read(centre, number)
    around = np.log(np.sqrt(variance)) - centre.slope
    return np.array([around @ around, around @ (gain - centre.constant)])


def _sum_moments(prior: _Prior, number: int) -> TrueMoments:
    gain, variance = _read(prior, number)
    mean = prior.constant + prior.slope * np.log(np.sqrt(variance))
    return TrueMoments.of(gain - mean, variance, np.ones(len(gain)))


def _write_part(prior: _Prior, number: int) -> None:
    table = feather.read_table(str(prior.folder / part_name(number)))
    gain, variance = (
        np.asarray(pd.Series(table[name].to_numpy()), np.float64)
        for name in ("gain", "variance")
    )
    if np.isfinite(prior.mu2):
        mean = prior.constant + prior.slope * np.log(np.sqrt(variance))
        found = find_posteriors(gain, variance, mean, prior.mu2, prior.kappa, alpha=prior.alpha)
    else:
        nothing: npt.NDArray[np.float64] = np.full(len(gain), np.nan)
        found = dict.fromkeys(_WRITTEN, nothing)
    for name, written in _WRITTEN.items():
        table = table.append_column(written, pa.array(found[name], from_pandas=True))
    path = prior.out / f"part-{number:05}.parquet"
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(table.replace_schema_metadata(None), beside)
    beside.replace(path)
