"""How gains are told: intervals, p-values, places counted, an average as an estimate."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from markupsafe import Markup

from evaluation.gains.clusters import fewest_clusters
from evaluation.gains.result import IncomeGains
from evaluation.language import listing, mark, say, sentences
from evaluation.report.digits import show_alike
from evaluation.report.village_words import Shown, show_number

Row = dict[str, Any] | pd.Series

_PLURALS = {
    mark("county"): mark("counties"),
    mark("town"): mark("towns"),
    mark("village"): mark("villages"),
}
ONE_AT_A_TIME = mark("Each interval holds by itself; all of them at once hold less often.")


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


def show_interval(low: float, high: float, *, decimals: int | None = None) -> str:
    """Print an interval, both ends with the same decimals; '' where there is none.

    Examples
    --------
    >>> show_interval(1.0, 2.5), show_interval(1.0, np.inf), show_interval(-np.inf, np.inf)
    ('1.00 to 2.50', '1 or more', 'unbounded')
    """
    if np.isnan(low):
        return ""
    if np.isinf(low):
        return say("unbounded") if np.isinf(high) else say("{n} or less", n=show_number(high))
    if np.isinf(high):
        return say("{n} or more", n=show_number(low))
    least, most = show_alike([low, high], decimals=decimals)
    return say("{low} to {high}", low=least, high=most)


def interval_cells(
    frame: pd.DataFrame, divisor: float, cluster: str, *, decimals: int | None = None
) -> tuple[list[Markup], str]:
    """Give averages' intervals as cells, and a reason that all without one share."""
    reasons = frame.loc[frame["conf_low"].isna(), "reason"].fillna("").astype(str).unique()
    shared = str(reasons[0]) if len(reasons) == 1 and len(frame) > 1 else ""
    cells = []
    for row in frame.to_dict("records"):
        why = reason_words(row["reason"], cluster)
        gap = say("none") if shared else say("none: {why}", why=why)
        cells.append(
            Markup('<span class="gap">{}</span>').format(gap)
            if np.isnan(row["conf_low"])
            else Markup('<span class="number">{}</span>').format(
                show_interval(
                    row["conf_low"] / divisor, row["conf_high"] / divisor, decimals=decimals
                )
            )
        )
    return cells, reason_words(shared, cluster)


def interval_words(row: Row, divisor: float, level: str, cluster: str) -> str:
    """Say an average's interval and its method, or why there is none."""
    if np.isnan(row["conf_low"]):
        return say("no interval: {why}", why=reason_words(row["reason"], cluster))
    ends = show_interval(row["conf_low"] / divisor, row["conf_high"] / divisor)
    how = method_words(row, cluster)
    return say("{level} interval {ends}, {how}", level=level, ends=ends, how=how)


def method_words(row: Row, cluster: str, *, at_most: bool = False) -> str:
    """Say how an interval was made: "wild bootstrap, clustered by 17 towns"."""
    method, places = str(row["method"]), count_places(row["n_clusters"], cluster)
    if "placebos" in method:
        level = method.split()[0]
        places = count_places(row["n_clusters"], level)
        return say("{level} placebos of {places}", level=say(level), places=places)
    by = mark("clustered by up to {places}") if at_most else mark("clustered by {places}")
    told = say(by, places=places)
    return told if method == "clustered" else say("{how}, {by}", how=say(method), by=told)


def bars_words(frame: pd.DataFrame, level: str, cluster: str) -> str:
    """Say how the intervals of a table of averages were made, or why it has none."""
    known = frame[frame["conf_low"].notna()]
    if known.empty:
        reasons = [reason_words(r, cluster) for r in frame["reason"].unique() if r]
        return say("no intervals ({why})", why=[say("nothing to average"), *reasons][-1])
    told = []
    for _, rows in known.groupby("method"):
        most = rows.iloc[int(rows["n_clusters"].to_numpy().argmax())]
        differ = rows["n_clusters"].nunique() > 1
        told.append(method_words(most, cluster, at_most=differ))
    return say("{level} intervals, {how}", level=level, how=listing(told))


def effects_words(found: IncomeGains, tell: Callable[[str], str] = say) -> str:
    """Say which year effects gains were estimated with; in a figure by `plots.inscribe`."""
    by_county = found.options.year_effects == "county"
    return tell(mark("year effects by county") if by_county else mark("common year effects"))


def series_words(found: IncomeGains, bars: str) -> str:
    """Say of one set of year effects, in a sentence, how its intervals were made."""
    told = say("{effects}: {bars}.", effects=effects_words(found), bars=bars)
    return f"{told[0].upper()}{told[1:]}"


def cluster_of(found: IncomeGains, by: str) -> str:
    """Say what the clusters are in averages by some word: for places what is within them."""
    if by in ("county", "town"):
        return "town" if (found.panel.villages["town"] != "").any() else "village"
    return found.cluster


def count_places(n: float, cluster: str) -> str:
    """Count counties, towns or villages: "1 county", "17 towns"."""
    return say("{n:,.0f} {places}", n=n, places=say(cluster if n == 1 else _PLURALS[cluster]))


def reason_words(reason: object, cluster: str) -> str:
    """Say what the clusters are that a reason speaks of: "4 counties" for "4 clusters"."""
    told = re.sub(r"(\d+) clusters", lambda n: count_places(int(n[1]), cluster), str(reason))
    return told.replace(say("clusters"), say(_PLURALS[cluster]))


def few_words(reasons: Iterable[object], alpha: float, cluster: str) -> str:
    """Explain once why so many clusters are needed, where a reason says that they lack."""
    few = say("count as ([0-9.]+) equal")
    told = [re.search(few, str(reason)) for reason in reasons]
    counts = [float(match[1]) for match in told if match]
    if not counts:
        return ""
    needed, places = fewest_clusters(alpha), say(_PLURALS[cluster])
    why = say(
        "An interval takes {needed} equal {places}: flipping the signs of {fewer} gives no "
        "p-value below {p:.3g}.",
        needed=needed, places=places, fewer=needed - 1, p=2 ** (2 - needed),
    )  # fmt: skip
    one = mark("{places} count as fewer equal ones where few of them carry an average.")
    if min(counts) < 2:
        one = mark(
            "{places} count as fewer equal ones where few of them carry an average, as fewer "
            "than 2 where one {place} carries nearly all."
        )
    return sentences(why, say(one, places=places.capitalize(), place=say(cluster)))


def holds_zero(row: Row) -> bool:
    """Whether an interval is there and includes zero."""
    return bool(row["conf_low"] <= 0 <= row["conf_high"])


def zero_words(row: Row) -> str:
    """Say that no gain is shown where the interval includes zero."""
    if not holds_zero(row):
        return ""
    if row["estimate"] >= 0:
        return say("The interval includes zero: no gain is shown.")
    return say("The interval includes zero: no loss is shown.")


def given_words(found: IncomeGains) -> str:
    """Say what intervals within counties take as given."""
    if found.options.year_effects != "county" or found.cluster == "county":
        return ""
    return say(
        "Intervals with year effects by county take the counties as given and {places} as "
        "independent of one another.",
        places=say(_PLURALS[found.cluster]),
    )


def tell_gain(
    row: Row, found: IncomeGains, shown: Shown, level: str, *, in_that_year: bool = False
) -> str:
    """Tell an average gain as an estimate, of logarithms in per cent, with its interval.

    Of logarithms a year's gain is no growth: it is told against the same year without.
    """
    mean, per_cent = float(row["estimate"]), _in_per_cent(found)
    low, high = float(row["conf_low"]), float(row["conf_high"])
    ends = show_interval(low / shown.divisor, high / shown.divisor)
    if per_cent and np.isfinite([low, high]).all():
        ends = say("{low} to {high}", low=_signed(np.expm1(low)), high=_signed(np.expm1(high)))
    how = interval_words(row, shown.divisor, level, found.cluster)
    if ends:
        signed = mark("{level} interval of the difference {ends}, {how}")  # signed, as it is
        told = signed if mean < 0 else mark("{level} interval {ends}, {how}")
        how = say(told, level=level, ends=ends, how=method_words(row, found.cluster))
    over = mark("on average over their treated years") if per_cent else mark("a year")
    words = {
        "more": say("more") if mean >= 0 else say("less"),
        "when": say("in that year") if in_that_year else say(over),
        "how": how,
        "unit": shown.unit,
    }
    if not per_cent:
        size = show_number(abs(mean) / shown.divisor)
        return say("an estimated {size} {more} {when} ({unit}; {how})", size=size, **words)
    return say(
        "an estimated {size} {more} {when} ({how}; {log} in {unit})",
        size=_signed(np.expm1(mean)).lstrip("+-"), log=show_number(mean), **words,
    )  # fmt: skip


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
