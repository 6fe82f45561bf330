"""What a mean gain rests on: how many villages, single extreme figures, a logarithm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.gains.imputation import fit_counterfactual
from evaluation.gains.moments import Bools, Floats
from evaluation.gains.result import IncomeGains
from evaluation.gains.scale import retransformation, to_yuan
from evaluation.language import commas, mark, say, sentences
from evaluation.report.gains.study import StudyGains, name_village
from evaluation.report.gains.words import holds_zero
from evaluation.report.village_words import show_money, show_number

Row = tuple[str, float | None, str]

_NORMAL = 1.4826  # median absolute deviations in a normal distribution's sd
_FAR = 5  # robust sd
_SHOWN = 5
_ENOUGH = 0.9  # of the treated villages: a mean over fewer says whom it speaks for
_MOVES = 1 / 3  # of a gain: more is too much to leave a retransformation unmentioned
ASSUMPTIONS = mark(
    "Common year effects take all counties' incomes to change alike without the programme; "
    "year effects by county let each county go its own way and compare villages within it "
    "alone, so that a shock to a whole county is no gain, but what reached its other villages "
    "too is not seen."
)


def count_comparison(found: IncomeGains) -> npt.NDArray[np.int64]:
    """Count by year the untreated villages with a known outcome, from which others' follow."""
    return np.asarray(found.fit.design.fitted.sum(axis=0), dtype=np.int64)


def speaks_for(found: IncomeGains) -> str:
    """Say how many of the treated villages a mean is over, where many are not."""
    n, known = len(found.villages), int(found.villages["gain"].notna().sum())
    if known >= _ENOUGH * n:
        return ""
    return say("It speaks for {known:,} of {n:,} treated villages.", known=known, n=n)


def option_rows(gains: StudyGains) -> list[Row]:
    """Say how gains were estimated, and of how many villages."""
    main, panel = gains.found, gains.panel
    options, outcome = main.options, panel.variables[panel.outcome]
    source = (
        say("village-years: never treated villages alone")
        if options.comparison == "never_treated"
        else say(
            "village-years: the untreated years of all villages, a village's own until it is "
            "treated"
        )
    )
    estimator = say(
        "imputation: what a village would have had is its own level{trend} and its {effects}, "
        "fitted on untreated village-years (Borusyak, Jaravel, Spiess 2024, "
        "doi:10.1093/restud/rdae007). Its gain is the mean, over its treated years, of what it "
        "had less what it would have had.",
        trend=say(" and a linear trend of its own") if options.trends else "",
        effects=say("county year effects")
        if options.year_effects == "county"
        else say("common year effects"),
    )
    errors = say(
        "clustered by {place}; intervals of villages: from the same contrast in comparison "
        "villages, nominally {level} (alpha {alpha:g})",
        place=say(main.cluster), level=gains.level, alpha=options.alpha,
    )  # fmt: skip
    treated = say("treated by {year}", year=panel.years[-1])
    measured = say("{label}; {unit}.", label=outcome.label, unit=gains.shown.unit)
    return [
        (say("Estimator"), None, estimator),
        (say("Outcome"), None, sentences(measured, retransformation(panel))),
        (say("Comparison"), int(main.fit.design.fitted.sum()), source),
        fewest_row(main),
        (
            say("Covariates"),
            len(options.covariates),
            commas(panel.variables[name].label for name in options.covariates) or say("none"),
        ),
        (
            say("Years of anticipation"),
            options.anticipation,
            say("before the first treated one"),
        ),
        (say("Weights"), None, options.weights or say("every village counts alike")),
        (say("Errors of means"), None, errors),
        (say("Treated villages"), len(main.villages), treated),
    ]


def reason_rows(frame: pd.DataFrame) -> list[Row]:
    """Count the villages without a gain, and those without an interval, by reason."""
    rows: list[Row] = []
    for name, some in {
        say("without a gain"): frame["gain"].isna(),
        say("without an interval"): frame["gain"].notna() & frame["conf_low"].isna(),
    }.items():
        counts = frame.loc[some, "reason"].astype(str).value_counts()
        rows += [(name, int(count), str(reason)) for reason, count in counts.items()]
    return rows


def left_out_rows(main: IncomeGains) -> list[Row]:
    """Count the village-years with an outcome that are left out, by reason."""
    found = {
        say("an outcome of zero has no logarithm"): main.n_zeros_left_out,
        say("a covariate is not known"): main.n_cells_left_out,
    }
    item = say("Village-years left out")
    rows: list[Row] = [(item, float(n), why) for why, n in found.items() if n]
    return rows or [(item, 0, "")]


def fewest_row(found: IncomeGains) -> Row:
    """Give the fewest comparison villages that a year with gains has."""
    design, cells = found.fit.design, found.cells
    years = np.arange(len(design.years))
    n_groups = int(design.group.max()) + 1
    counts = np.stack([np.bincount(design.group, f, n_groups) for f in design.fitted.T], axis=1)
    village, year = np.nonzero(cells.counted)
    own = counts[design.group[cells.rows[village]], years[year]]
    at = design.years[year[own.argmin()]]
    what = mark(
        "untreated villages known in {year}, of the years with gains the one with fewest"
    )
    if n_groups > 1:
        what = mark(
            "untreated villages known in {year} in one county, of the years with gains the one "
            "with fewest"
        )
    return (say("Fewest comparison villages"), float(own.min()), say(what, year=at))


def extreme_rows(gains: StudyGains) -> list[Row]:
    """Name untreated village-years far off their counterfactual, and the gain without them."""
    found, shown, panel = gains.found, gains.shown, gains.panel
    far, distance = _find_extremes(found)
    if not (count := int(far.sum())):
        return []
    order = np.argsort(-distance[far], kind="stable")[:_SHOWN]
    rows, years = (index[order] for index in np.nonzero(far))
    levels = panel.analysis.form != "level"
    unit = say(panel.variables[panel.outcome].unit) if levels else shown.unit
    values = panel.matrix()[rows, years] / (1 if levels else shown.divisor)
    villages = panel.villages.iloc[rows]
    told = []
    for row, name in enumerate(name_village(villages)):
        key = villages.index[row]
        called = name if name == key else say("{name} ({what})", name=name, what=key)
        told.append(
            say(
                "{village} in {year}: {value}",
                village=called, year=panel.years[years[row]],
                value=show_number(values[row]),
            )
        )  # fmt: skip
    what = say(
        "untreated ones whose residual is beyond {n} robust standard deviations of its "
        "village's and year's median (the outcome, {unit}): {named}{more}",
        n=_FAR, unit=unit, named=say("; ").join(told),
        more=say(" and {n:,} more", n=count - _SHOWN) if count > _SHOWN else "",
    )  # fmt: skip
    mean, n_lost = _mean_without(found, far)
    point = mark("{unit}, a point estimate")
    if n_lost:
        point = mark("{unit}, a point estimate; {n:,} treated village-years lose their gain")
    return [
        (say("Extreme village-years"), float(count), what),
        (
            say("Mean gain without them"),
            mean / shown.divisor,
            say(point, unit=shown.unit, n=n_lost),
        ),
    ]


def money_rows(gains: StudyGains) -> list[Row]:
    """Give the mean gain brought back from the analysis's scale, with its unit.

    Of a logarithm it is given with and without the smearing factor where the factor moves it
    much, or where the logarithms' interval includes zero.
    """
    found, panel = gains.found, gains.panel
    if panel.analysis.form == "level" or not np.isfinite(found.yuan).any():
        return []
    mean = _mean(found, found.yuan)
    divisor, unit = _money_unit(gains, mean)
    item, bare_item = say("Mean gain in money"), say("The same without smearing")
    row: Row = (item, mean / divisor, say("{unit}; no interval: retransformed", unit=unit))
    if panel.analysis.form != "log":
        return [row]
    design, rows = found.fit.design, found.cells.rows
    excess = found.fit.excess[rows]
    bare = to_yuan(panel, design.outcome[rows] - excess, excess, smearing=1.0, rows=rows)
    without = _mean(found, np.where(found.cells.counted, bare, np.nan))
    factor = float(np.nanmean(np.exp(found.fit.excess[design.fitted])))
    moves = abs(mean - without) > _MOVES * abs(without)
    if not (moves or holds_zero(found.att)):
        return [row]
    smeared = say(
        "{unit}; no interval: retransformed with the smearing factor {factor:.3f}",
        unit=unit, factor=factor,
    )  # fmt: skip
    why = say(
        "{unit}; the factor is a mean of exp(residual), which single large errors drive: how "
        "far the two are apart is how little is known of the gain in money",
        unit=unit,
    )
    return [(item, mean / divisor, smeared), (bare_item, without / divisor, why)]


def _find_extremes(found: IncomeGains) -> tuple[Bools, Floats]:
    """Find untreated cells far from their counterfactual: which they are, and how far off.

    Residuals are taken from their year's and their village's median, as an extreme one moves
    the year effect and the level that least squares give to its neighbours.
    """
    design, excess = found.fit.design, found.fit.excess
    own = design.own & np.isfinite(excess)
    # A village with no year to spare fits exactly, which says nothing.
    free = own & (own.sum(axis=1) > (2 if design.trends else 1))[:, None]
    distance = np.zeros_like(excess)
    rows, years = free.any(axis=1), free.any(axis=0)
    if rows.any():
        some = np.ix_(rows, years)
        left = np.where(free, excess, np.nan)[some]
        left -= np.nanmedian(left, axis=0)
        left -= np.nanmedian(left, axis=1)[:, None]
        distance[some] = np.nan_to_num(np.abs(left))
    moved = distance[distance > 0]  # not a village's median itself
    spread = _NORMAL * float(np.median(moved)) if len(moved) else np.inf
    return distance > _FAR * spread, distance


def _mean_without(found: IncomeGains, cells: Bools) -> tuple[float, int]:
    """Estimate the mean gain without some untreated cells; count the gains that go too."""
    design = found.fit.design
    kept = replace(design, fitted=design.fitted & ~cells, own=design.own & ~cells)
    excess = fit_counterfactual(kept).excess[found.cells.rows]
    gains = np.where(found.cells.counted, excess, np.nan)
    return _mean(found, gains), int((found.cells.counted & np.isnan(gains)).sum())


def _mean(found: IncomeGains, gains: Floats) -> float:
    """Average treated cells' gains by their weights; NaN where none is known."""
    weights = np.where(np.isfinite(gains), found.cells.weights, 0)
    total = weights.sum()
    return float((weights * np.nan_to_num(gains)).sum() / total) if total > 0 else np.nan


def _money_unit(gains: StudyGains, mean: float) -> tuple[float, str]:
    panel = gains.panel
    money = show_money(panel.variables[panel.outcome].unit, panel.price_year)
    if money.divisor > 1 and abs(mean) < money.divisor:  # an income per head
        return 1, money.unit.replace("万元", say("yuan"))
    return money.divisor, money.unit or say("levels")
