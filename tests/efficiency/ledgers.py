"""Panels and ledgers for tests of efficiency: typed out, or random."""

from io import StringIO

import numpy as np
import pandas as pd

from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.data.panel import OutcomeScale, VillagePanel
from tests.gains.panels import to_panel, typed_cells

USUAL = {"source": "fiscal", "stage": "spent", "role": "source", "project": "", "county": ""}

# Without the programme each village would gain 1 a year, as the never treated do. Gains:
# A 2 in 2003 and 4 in 2004, B 10 and 10, C 6 in 2004; E none, as no year of it is untreated.
VILLAGES = """
    village cohort 2001 2002 2003 2004
    A       2003   5    6    9    12
    B       2003   1    2    13   14
    C       2004   7    8    9    16
    E       2001   3    4    5    6
    N       -      1    2    3    4
    M       -      8    9    10   11
    """
COUNTIES = {"A": "East", "B": "East", "C": "West", "E": "West", "N": "East", "M": "West"}


def typed_places(
    table: str = VILLAGES, counties=COUNTIES, *, covariates=(), analysis=None, **columns
) -> VillagePanel:
    """Type villages as `typed_cells` has them; ``columns`` name covariates by village."""
    cells = typed_cells(table)
    cells["county"] = cells["village"].map(counties)
    for name, values in columns.items():
        cells[name] = cells["village"].map(values)
    return to_panel(cells, covariates=[*columns, *covariates], analysis=analysis)


def typed_ledger(table: str, panel: VillagePanel, *, price_year=None) -> FundingLedger:
    """Type entries one a line; '-' for no village, and the columns left out as in `USUAL`."""
    rows = pd.read_csv(StringIO(table), sep=r"\s+", dtype={"village": str})
    return to_ledger(rows, panel, price_year=price_year)


def to_ledger(rows: pd.DataFrame, panel: VillagePanel, *, price_year=None) -> FundingLedger:
    """Make a ledger of village, year, amount, and what else there is."""
    rows = rows.assign(village=rows["village"].replace("-", ""))
    for name, value in USUAL.items():
        if name not in rows:
            rows[name] = value
    own = rows["village"].map(panel.villages["county"])
    rows["county"] = own.fillna(rows["county"])
    rows["town"] = rows["village"].map(panel.villages["town"]).fillna("")
    rows["amount"] = rows["amount"].astype(float)
    rows["shared"], rows["row"] = False, np.arange(2, len(rows) + 2)
    return FundingLedger(
        entries=rows[list(COLUMNS)], shared_by=None, price_year=price_year, source="ledger.csv"
    )


def random_ledger(panel: VillagePanel, seed: int = 0, *, size: float = 1.0) -> FundingLedger:
    """Draw money of two sources, lognormal, in each treated village's first year and later."""
    generator = np.random.default_rng(seed)
    treated = panel.villages.index[panel.cohort <= panel.years[-1]]
    rows = []
    for village in treated:
        first = int(panel.villages.loc[village, "cohort"])
        for source in ("fiscal", "social"):
            year = generator.integers(first, panel.years[-1] + 1)
            rows.append((village, year, source, size * generator.lognormal(0, 0.7)))
    frame = pd.DataFrame(rows, columns=["village", "year", "source", "amount"])
    return to_ledger(frame, panel)


PER_CAPITA = OutcomeScale(form="per_capita", per="people")
LOG = OutcomeScale(form="log")
