"""Treated villages' gains: which cells they rest on, and the table of them with reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.gains.imputation import Design, Positions
from evaluation.gains.inference import VillageIntervals
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.options import GainOptions
from evaluation.gains.placebos import n_needed
from evaluation.gains.targets import TreatedCells
from evaluation.language import say, say_count, sentences


def treated_villages(design: Design) -> Positions:
    """Give the positions of the villages treated within the years."""
    return np.flatnonzero(design.cohort <= design.years[-1])


def find_cells(design: Design, known: Bools, excess: Floats | None = None) -> TreatedCells:
    """Give the treated cells that have a gain.

    Parameters
    ----------
    known
        N x T: cells with a known outcome and counterfactual.
    excess
        N x T: outcomes less counterfactual; without it gains are zero.
    """
    rows = treated_villages(design)
    counted = (design.years >= design.cohort[rows, None]) & known[rows]
    some = counted.any(axis=1)
    rows, counted = rows[some], counted[some]
    gains = np.zeros(counted.shape) if excess is None else np.where(counted, excess[rows], 0)
    return TreatedCells(
        rows=rows,
        counted=counted,
        gains=gains,
        weights=counted * design.weights[rows, None],
        cohort=design.cohort[rows],
    )


def mean_gains(cells: TreatedCells) -> Floats:
    """Give each village's gain: the mean over its treated years."""
    means: Floats = cells.gains.sum(axis=1) / cells.counted.sum(axis=1)
    return means


def gain_frame(
    villages: pd.DataFrame,
    design: Design,
    cells: TreatedCells,
    found: VillageIntervals,
    options: GainOptions,
) -> pd.DataFrame:
    """Tabulate treated villages' gains, with the reason where gain or interval is missing.

    Parameters
    ----------
    villages
        Of the design's villages, what is known of them.
    """
    treated, rows = treated_villages(design), cells.rows
    gain, after = mean_gains(cells), design.years >= design.cohort[treated, None]
    frame = pd.DataFrame(
        {
            "gain": gain,
            "conf_low": gain - found.half_width,
            "conf_high": gain + found.half_width,
            "p_value": found.p_value,
            "spread": found.spread,
            "variance": found.variance,
            "n_placebos": found.n_placebos,
            "n_treated": cells.counted.sum(axis=1),
            "untreated_years": _label_years(design.years, found.own, found.pattern),
            "treated_years": _label_years(design.years, found.used, found.pattern),
        },
        index=villages.index[rows],
    ).reindex(villages.index[treated])
    frame = villages.iloc[treated].join(frame)
    frame["n_untreated"] = design.own[treated].sum(axis=1)
    for name in ("n_treated", "n_placebos"):
        frame[name] = frame[name].fillna(0).astype(int)
    known = np.asarray((after & np.isfinite(design.outcome[treated])).any(axis=1))
    frame["reason"] = _find_reasons(frame, known, options)
    return frame


def why_no_gains(counts: pd.Series[Any], options: GainOptions) -> str:
    """Say why no treated village has a gain, from how many have each reason."""
    told = say("; ").join(
        say("{n:,} with {reason}", n=n, reason=reason) for reason, n in counts.items()
    )
    lower = say("Lower anticipation ({n}).", n=options.anticipation)
    return sentences(
        say("no treated village has a gain: {reasons}.", reasons=told),
        lower if options.anticipation else "",
    )


def _label_years(
    years: npt.NDArray[np.int64], patterns: Bools, code: Positions
) -> pd.Categorical[str]:
    """Name each village's years, such as "2014-2018, 2020"."""
    names = [_write_spans(years[pattern].tolist()) for pattern in patterns]
    number, distinct = pd.factorize(pd.Index(names))
    return pd.Categorical.from_codes(number[code], categories=pd.Index(distinct))


def _write_spans(years: list[int]) -> str:
    """Write years as spans.

    Examples
    --------
    >>> _write_spans([2014, 2015, 2016, 2020])
    '2014-2016, 2020'
    """
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][-1] == year - 1:
            spans[-1] = [spans[-1][0], year]
        else:
            spans.append([year])
    return ", ".join("-".join(map(str, span)) for span in spans)


def _find_reasons(
    frame: pd.DataFrame, known: Bools, options: GainOptions
) -> pd.Categorical[str]:
    """Say for each village without a gain or an interval why; '' for the others.

    ``known`` says whether a village has an outcome in a treated year.
    """
    n_levels = 2 if options.trends else 1
    n_untreated, no_gain = frame["n_untreated"].to_numpy(), frame["gain"].isna().to_numpy()
    spread = frame["spread"].to_numpy()
    no_spread = say_count(
        "{n} untreated year: no spread to judge a gain by",
        "{n} untreated years: no spread to judge a gain by",
        n_levels,
    )
    few = say(
        "fewer than {n} comparison villages are known in its years", n=n_needed(options.alpha)
    )
    cases = {
        say("no untreated year with a known outcome"): n_untreated == 0,
        say("no treated year with a known outcome"): ~known,
        say("one untreated year; a trend of its own needs two"): (
            no_gain & (n_untreated < n_levels)
        ),
        say("no untreated village known then connects its treated to its untreated years"): (
            no_gain
        ),
        no_spread: n_untreated == n_levels,
        say("its outcome does not vary before treatment, or is fitted exactly"): spread == 0,
        few: frame["conf_low"].isna().to_numpy(),
    }
    code = np.select(list(cases.values()), range(1, len(cases) + 1), default=0)
    return pd.Categorical.from_codes(code, categories=pd.Index(["", *cases]))
