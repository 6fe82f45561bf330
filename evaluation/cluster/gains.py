"""Income gains on a panel larger than memory, on one machine or by workers of Dask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.cluster.cost import check_room, estimate_cost
from evaluation.cluster.estimation import Estimate
from evaluation.cluster.gains_folder import making_gains
from evaluation.cluster.panel_parts import Setup
from evaluation.cluster.passes import Passes
from evaluation.cluster.pieces import PanelColumns, plan_pieces
from evaluation.cluster.streamed import StreamedGains
from evaluation.gains.options import Cluster, Comparison, GainOptions, YearEffects
from evaluation.report.chapters import processors

if TYPE_CHECKING:
    from distributed import Client


# Measured: the work is that of reading the panel so often, and holds so many bytes a row.
_PASSES, _BY_COVARIATE, _A_ROW = 14, 4, 150


def estimate_gains(
    parquet: str | Path,
    out: str | Path,
    *,
    village: str = "village",
    year: str = "year",
    outcome: str = "income",
    cohort: str = "cohort",
    county: str = "",
    town: str = "",
    comparison: Comparison = "not_yet_treated",
    covariates: Sequence[str] = (),
    anticipation: int = 0,
    weights: str | None = None,
    alpha: float = 0.05,
    year_effects: YearEffects = "common",
    trends: bool = False,
    cluster: Cluster | None = None,
    client: Client | None = None,
    rows_a_piece: int = 1_000_000,
    force: bool = False,
    tell: Callable[[str], None] = print,
) -> StreamedGains:
    """Estimate villages' gains from a Parquet data set of any size.

    Parameters
    ----------
    parquet
        A file, or a folder of files, sorted by village: see `sort_panel`.
    out
        The folder that is written: part-*.parquet with a row a treated village,
        averages.csv and gains.json.
    village, year, outcome, cohort, county, town
        The columns; county and town where there are any.
    comparison, covariates, anticipation, weights, alpha, year_effects, trends, cluster
        As in `evaluation.estimate_gains`; covariates and weights are columns.
    client
        Of Dask: its workers do the pieces, and see the same files at the same paths.
    rows_a_piece
        About how many rows are held at once, by each thread or worker.
    force
        Replace ``out``, if it holds gains.
    tell
        Takes lines on what it will take, and how far it is.

    Returns
    -------
    StreamedGains

    Raises
    ------
    DataError
        If the files cannot be used: see `plan_pieces` and `read_piece`.
    DesignError
        As `evaluation.estimate_gains` raises it.
    ReportError
        If ``out`` cannot be written, memory or disk are too small, or workers differ.

    Notes
    -----
    The same numbers as `evaluation.estimate_gains` gives on a panel in the same order. One
    pass sums the normal equations; after they are solved a second gives gains and intervals,
    writes them, and sums what averages need; two more over the written gains draw them
    towards their prior mean. Sums are added in the order of pieces, whoever is ready first.
    Of more than 10,000 comparison villages those with the smallest hashes of their keys are
    the placebos: an interval's coverage then has a standard deviation of
    (.05 x .95 / 10,000)^(1/2) = .0022 over such samples.
    """
    options = GainOptions(
        comparison=comparison, covariates=tuple(covariates), anticipation=anticipation,
        weights=weights, alpha=alpha, year_effects=year_effects, trends=trends,
        cluster=cluster or "",
    )  # fmt: skip
    columns = PanelColumns(
        village=village, year=year, outcome=outcome, cohort=cohort, county=county, town=town,
        covariates=options.covariates, weights=weights or "",
    )  # fmt: skip
    plan = plan_pieces(parquet, columns, rows_a_piece=rows_a_piece)
    target = Path(out).absolute()
    n_workers = len(client.nthreads()) if client is not None else processors()
    cost = estimate_cost(
        plan,
        workers=n_workers,
        passes=_PASSES + _BY_COVARIATE * len(options.covariates),
        bytes_a_row=_A_ROW,
    )
    check_room(cost, target)
    for line in cost.lines():
        tell(line)
    within = year_effects == "county" and options.cluster in ("", "county")
    by_town = bool(town) and (options.cluster == "town" or within)
    setup = Setup(
        plan=plan, options=options, years=plan.years, level="town" if by_town else "county"
    )
    with making_gains(target, force=force) as (folder, work):
        return Estimate(setup, Passes(work, client), folder, work, target, tell).run()
