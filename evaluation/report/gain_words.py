"""How gains are told: intervals, p-values, places counted, an average as an estimate."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from evaluation.gains.clusters import fewest_clusters
from evaluation.gains.result import IncomeGains
from evaluation.report.village_words import Shown, show_number

Row = dict[str, Any] | pd.Series

_PLURALS = {"county": "counties", "town": "towns", "village": "villages"}
ONE_AT_A_TIME = "Each interval holds by itself; all of them at once hold less often."


def show_share(share: float) -> str:
    """Print a share as per cent: 95%, 0.5%."""
    return f"{round(100 * share, 6):g}%"


def show_chance(p: float) -> str:
    """Print a probability as per cent, one that is not certain never as if it were.

    Examples
    --------
    >>> [show_chance(p) for p in (0.934, 0.9999, 1.0, 0.0001)]
    ['93%', '>99%', '100%', '<1%']
    """
    if 0 < p < 1 and not 0.005 <= p < 0.995:
        return ">99%" if p > 0.5 else "<1%"
    return f"{p:.0%}"


def show_p(p: float) -> str:
    """Print a p-value with three digits, a smaller one as < .001."""
    return "" if np.isnan(p) else "< .001" if p < 0.001 else f"{p:.3f}".lstrip("0")


def show_interval(low: float, high: float) -> str:
    """Print an interval; '' where there is none.

    Examples
    --------
    >>> show_interval(1.0, 2.5), show_interval(1.0, np.inf), show_interval(-np.inf, np.inf)
    ('1 to 2.50', '1 or more', 'unbounded')
    """
    if np.isnan(low):
        return ""
    if np.isinf(low):
        return "unbounded" if np.isinf(high) else f"{show_number(high)} or less"
    return f"{show_number(low)} {'or more' if np.isinf(high) else f'to {show_number(high)}'}"


def interval_cells(
    frame: pd.DataFrame, divisor: float, cluster: str
) -> tuple[list[Markup], str]:
    """Give averages' intervals as cells, and a reason that all without one share."""
    reasons = frame.loc[frame["conf_low"].isna(), "reason"].fillna("").astype(str).unique()
    shared = str(reasons[0]) if len(reasons) == 1 and len(frame) > 1 else ""
    cells = []
    for row in frame.to_dict("records"):
        gap = "none" if shared else f"none: {reason_words(row['reason'], cluster)}"
        cells.append(
            Markup('<span class="gap">{}</span>').format(gap)
            if np.isnan(row["conf_low"])
            else Markup('<span class="number">{}</span>').format(
                show_interval(row["conf_low"] / divisor, row["conf_high"] / divisor)
            )
        )
    return cells, reason_words(shared, cluster)


def interval_words(row: Row, divisor: float, level: str, cluster: str) -> str:
    """Say an average's interval and its method, or why there is none."""
    if np.isnan(row["conf_low"]):
        return f"no interval: {reason_words(row['reason'], cluster)}"
    words = show_interval(row["conf_low"] / divisor, row["conf_high"] / divisor)
    return f"{level} interval {words}, {method_words(row, cluster)}"


def method_words(row: Row, cluster: str) -> str:
    """Say how an interval was made: "wild bootstrap, clustered by 17 towns"."""
    method, places = str(row["method"]), count_places(row["n_clusters"], cluster)
    if "placebos" in method:
        return f"{method} of {count_places(row['n_clusters'], method.split()[0])}"
    return f"{'' if method == 'clustered' else f'{method}, '}clustered by {places}"


def bars_words(frame: pd.DataFrame, level: str, cluster: str) -> str:
    """Say how the intervals of a table of averages were made, or why it has none."""
    known = frame[frame["conf_low"].notna()]
    if known.empty:
        reasons = [reason_words(r, cluster) for r in frame["reason"].unique() if r]
        return f"no intervals ({reasons[-1] if reasons else 'nothing to average'})"
    told = []
    for _, rows in known.groupby("method"):
        most = rows.iloc[int(rows["n_clusters"].to_numpy().argmax())]
        words = method_words(most, cluster)
        differ = rows["n_clusters"].nunique() > 1
        told.append(words.replace(" by ", " by up to ") if differ else words)
    return f"{level} intervals, {' and '.join(told)}"


def effects_words(found: IncomeGains) -> str:
    """Say which year effects gains were estimated with."""
    by_county = found.options.year_effects == "county"
    return "year effects by county" if by_county else "common year effects"


def cluster_of(found: IncomeGains, by: str) -> str:
    """Say what the clusters are in averages by some word: for places what is within them."""
    if by in ("county", "town"):
        return "town" if (found.panel.villages["town"] != "").any() else "village"
    return found.cluster


def count_places(n: float, cluster: str) -> str:
    """Count counties, towns or villages: "1 county", "17 towns"."""
    return f"{n:,.0f} {cluster if n == 1 else _PLURALS[cluster]}"


def reason_words(reason: object, cluster: str) -> str:
    """Say what the clusters are that a reason speaks of: "4 counties" for "4 clusters"."""
    told = re.sub(r"(\d+) clusters", lambda n: count_places(int(n[1]), cluster), str(reason))
    return told.replace("clusters", _PLURALS[cluster])


def few_words(reasons: Iterable[object], alpha: float, cluster: str) -> str:
    """Explain once why so many clusters are needed, where a reason says that they lack."""
    told = [re.search(r"count as ([\d.]+) equal", str(reason)) for reason in reasons]
    counts = [float(match[1]) for match in told if match]
    if not counts:
        return ""
    needed = fewest_clusters(alpha)
    one = f", as fewer than 2 where one {cluster} carries nearly all" if min(counts) < 2 else ""
    plural = _PLURALS[cluster]
    return (
        f"An interval takes {needed} equal {plural}: flipping the signs of {needed - 1} gives "
        f"no p-value below {2 ** (2 - needed):.3g}. {plural.capitalize()} count as fewer equal "
        f"ones where few of them carry an average{one}."
    )


def holds_zero(row: Row) -> bool:
    """Whether an interval is there and includes zero."""
    return bool(row["conf_low"] <= 0 <= row["conf_high"])


def zero_words(row: Row) -> str:
    """Say that no gain is shown where the interval includes zero."""
    what = "gain" if row["estimate"] >= 0 else "loss"
    return f"The interval includes zero: no {what} is shown." if holds_zero(row) else ""


def given_words(found: IncomeGains) -> str:
    """Say what intervals within counties take as given."""
    if found.options.year_effects != "county" or found.cluster == "county":
        return ""
    return (
        "Intervals with year effects by county take the counties as given and "
        f"{_PLURALS[found.cluster]} as independent of one another."
    )


def tell_gain(
    row: Row, found: IncomeGains, shown: Shown, level: str, *, when: str = "a year"
) -> str:
    """Tell an average gain as an estimate, of logarithms in per cent, with its interval.

    Of logarithms a year's gain is no growth: it is told against the same year without.
    """
    mean = float(row["estimate"])
    more = "more" if mean >= 0 else "less"
    what = f"{level} interval{' of the difference' if mean < 0 else ''} "  # signed, as it is
    how = interval_words(row, shown.divisor, level, found.cluster)
    how = how.replace(f"{level} interval ", what, 1)
    if not _in_per_cent(found):
        size = show_number(abs(mean) / shown.divisor)
        return f"an estimated {size} {more} {when} ({shown.unit}; {how})"
    ends = [np.expm1(float(row[name])) for name in ("conf_low", "conf_high")]
    if np.isfinite(ends).all():
        how = f"{what}{_signed(ends[0])} to {_signed(ends[1])}, "
        how += method_words(row, found.cluster)
    size = _signed(np.expm1(mean)).lstrip("+-")
    when = when.replace("a year", "on average over their treated years")
    return f"an estimated {size} {more} {when} ({how}; {show_number(mean)} in {shown.unit})"


def natural_order(*columns: Iterable[object]) -> npt.NDArray[np.intp]:
    """Give the order by columns, the first one first, with numbers in names as numbers.

    Examples
    --------
    >>> natural_order(["county 2", "county 12", "county 1"]).tolist()
    [2, 0, 1]
    """
    ranks = []
    for column in columns:
        code, names = pd.factorize(np.array([str(name) for name in column], dtype=object))
        place = {name: i for i, name in enumerate(sorted(names, key=_natural))}
        ranks.append(np.array([place[name] for name in names], dtype=np.intp)[code])
    return np.lexsort(ranks[::-1])


def _natural(name: str) -> list[Any]:
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _in_per_cent(found: IncomeGains) -> bool:
    """Whether gains are differences of logarithms, without a one that was added."""
    analysis = found.panel.analysis
    if analysis.form == "log":
        return analysis.zeros != "add_one"
    return found.panel.variables[found.panel.outcome].scale == "log"


def _signed(share: float) -> str:
    return f"{share:+.1%}" if abs(share) < 0.01 else f"{share:+.0%}"
