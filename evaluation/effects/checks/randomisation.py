"""Whether the effect is larger than those of villages drawn by lot within their county."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from evaluation.effects.check import Amounts, Check, Subject, asks, judge_by, tell_p
from evaluation.effects.checks.side_by_side import NOTHING_THERE, average_row, excludes_zero
from evaluation.errors import DesignError
from evaluation.gains.averages import average_parts
from evaluation.gains.design import place_codes
from evaluation.gains.imputation import Design, fit_counterfactual
from evaluation.gains.moments import Floats
from evaluation.gains.options import GainOptions
from evaluation.gains.targets import TreatedCells
from evaluation.language import mark, say, sentences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DRAWS = 999
_FEWEST = 39  # draws, with which p can be below 0.05
_MOST_CELLS = 60_000_000  # village-years of all draws together
_ENOUGH_WAYS = 100  # of dealing treatment out, below which draws repeat one another


@asks(
    mark("Villages drawn by lot"),
    mark("Would villages drawn at random show an effect as large?"),
    theme="chance",
    if_failed=mark(
        "an effect of this size often comes about when villages are drawn at random"
    ),
)
def check_randomisation(subject: Subject, *, draws: int | None = None) -> Check:
    """Deal treatment out anew among each county's villages, and compare the effect.

    Parameters
    ----------
    draws
        How many; by default 999, and fewer, at least 39, from 60,000 village-years on.

    Notes
    -----
    Sharp null hypothesis: no village's outcome was changed in any year. Under it outcomes are
    what they would have been however treatment had been dealt out; first treated years are
    permuted among the villages of a county, so that each county keeps its number in each
    cohort, and the imputation is fitted anew. The statistic is the average effect by its
    standard error over villages, which makes the test hold to first order too where only the
    mean effect is zero (Wu, Ding 2021, doi:10.1080/01621459.2020.1750415); p = (1 + number at
    least as large) / (1 + draws). Passed if p is below alpha, failed if it is not although the
    effect's own interval excludes zero; informational if that holds zero. The test is exact if
    villages were drawn by lot within their county, and else as good as parallel paths make
    them alike.
    pyfixest's ritest permutes village-years rather than cohorts and is not used.
    """
    panel, options, design = subject.panel, subject.gains.options, subject.gains.fit.design
    county, cohort = place_codes(panel, "county"), panel.cohort
    ways = _log_ways(county, cohort)
    if ways < np.log(_ENOUGH_WAYS):
        raise DesignError(
            say(
                "within counties treatment can be dealt out in only {n:.0f} ways.",
                n=np.exp(ways),
            )
        )
    if draws is None:
        draws = int(np.clip(_MOST_CELLS // design.outcome.size, _FEWEST, _DRAWS))
    estimate, own = _statistic(design, options, cohort)
    if np.isnan(own):
        raise DesignError(say("villages' gains do not vary at all."))
    rng = np.random.default_rng(subject.seed)
    found = np.array(
        [_statistic(design, options, _deal(county, cohort, rng)) for _ in range(draws)]
    )
    # A draw that identifies nothing counts as large.
    above = ~(np.abs(found) < np.abs([estimate, own]) * (1 - 1e-12))
    n_above = int(above[:, 1].sum())
    plain, p = (1 + above.sum(axis=0)) / (1 + draws)
    below, clear = bool(p < options.alpha), excludes_zero(average_row(subject.gains))
    passed = None if clear is False or (clear is None and not below) else below
    tell = subject.amounts.tell
    low, high = np.nanquantile(found[:, 0], [0.025, 0.975])
    sentence = sentences(
        say(
            "Of {draws:,} ways to deal treatment out among each county's villages, {n:,} give "
            "a studentised effect as large as the {effect} found ({p}); 95% of them lie "
            "between {low} and {high}.",
            draws=draws, n=n_above, effect=tell(estimate), p=tell_p(p), low=tell(low),
            high=tell(high),
        ),
        say(
            "Below {alpha:g}: that no village was changed at all is not what the data say, if "
            "villages were as good as drawn by lot within their county; it rules out chance, "
            "not other causes.", alpha=options.alpha,
        )
        if below
        else say(
            "Not below {alpha:g}: villages picked at random often show as much, so that chance "
            "may have made this effect.", alpha=options.alpha,
        ),
        "" if passed is not None
        else say(NOTHING_THERE) if clear is False else say("The effect has no interval."),
    )  # fmt: skip
    row = {
        "estimate": estimate, "drawn_low": low, "drawn_high": high, "t": own, "draws": draws,
        "n_as_large": n_above, "p_value": float(p), "p_not_studentised": float(plain),
    }  # fmt: skip

    def draw(axes: Axes, amounts: Amounts) -> None:
        known = found[np.isfinite(found[:, 0]), 0]
        axes.hist(known / amounts.divisor, bins=40, color="0.7")
        axes.axvline(estimate / amounts.divisor, color="C1", linewidth=2, label=say("found"))
        axes.set_xlabel(amounts.label(say("average effect of villages drawn by lot")))
        axes.set_ylabel(say("draws"))
        axes.legend(frameon=False)

    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=float(p),
        statistic_name="p-value of no effect in any village", table=pd.DataFrame([row]),
        money=("estimate", "drawn_low", "drawn_high"), draw=draw,
    )  # fmt: skip


def _statistic(design: Design, options: GainOptions, cohort: Floats) -> tuple[float, float]:
    """Give the average effect, and by its standard error, if ``cohort`` had been treated.

    NaN where nothing is identified.
    """
    with np.errstate(invalid="ignore"):
        untreated = ~(design.years >= cohort[:, None] - options.anticipation)
    own = untreated & np.isfinite(design.outcome)
    never = options.comparison == "never_treated"
    fitted = own & np.isnan(cohort)[:, None] if never else own
    fit = fit_counterfactual(replace(design, own=own, fitted=fitted, cohort=cohort))
    rows = np.flatnonzero(cohort <= design.years[-1])
    counted = (design.years >= cohort[rows, None]) & np.isfinite(fit.excess[rows])
    rows, counted = rows[counted.any(axis=1)], counted[counted.any(axis=1)]
    if not len(rows):
        return np.nan, np.nan
    cells = TreatedCells(
        rows=rows, counted=counted, gains=np.where(counted, fit.excess[rows], 0),
        weights=counted * design.weights[rows, None], cohort=cohort[rows],
    )  # fmt: skip
    estimate = float((cells.weights * cells.gains).sum() / cells.weights.sum())
    parts = average_parts(
        fit, cells, np.where(counted, 0, -1), np.array([estimate]),
        clusters=np.arange(len(cohort)), nested=True,
    )  # fmt: skip
    se = float(np.sqrt((parts**2).sum()))
    return estimate, estimate / se if se > 0 else np.nan


def _deal(county: npt.NDArray[np.intp], cohort: Floats, rng: np.random.Generator) -> Floats:
    """Permute cohorts among the villages of each county."""
    dealt = np.empty_like(cohort)
    order = np.lexsort((rng.random(len(county)), county))
    dealt[np.argsort(county, kind="stable")] = cohort[order]
    return dealt


def _log_ways(county: npt.NDArray[np.intp], cohort: Floats) -> float:
    """Give the logarithm of the number of ways to deal cohorts out within counties."""
    kinds = pd.factorize(cohort, use_na_sentinel=False)[0]
    together = pd.factorize(county * (kinds.max() + 1) + kinds)[0]
    villages, of_a_kind = np.bincount(county), np.bincount(together)
    return float(special.gammaln(villages + 1).sum() - special.gammaln(of_a_kind + 1).sum())
