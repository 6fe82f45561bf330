"""Whether significance hangs on the level at which errors are clustered."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from evaluation.effects.check import Check, Subject, asks, judge_by, tell_p
from evaluation.effects.checks.side_by_side import (
    MONEY,
    average_error,
    draw_rows,
    judge_clustered,
    judge_wild,
)
from evaluation.effects.estimates import effective_clusters
from evaluation.effects.fixed_effects import estimate_twfe
from evaluation.effects.result import NAMES
from evaluation.errors import DesignError
from evaluation.gains.clusters import (
    ENOUGH_CLUSTERS,
    Interval,
    fewest_clusters,
    takes_part,
    too_few,
)
from evaluation.gains.design import place_codes
from evaluation.gains.moments import Floats
from evaluation.gains.options import Cluster
from evaluation.language import mark, say, sentences

_MOST_WILD = 200  # clusters, with more of which the bootstrap has nothing to add


@asks(
    mark("The level of clusters"),
    mark("Does it depend on the level of clusters whether the effect differs from zero?"),
    theme="chance",
    if_failed=mark("whether the effect differs from zero depends on how errors are clustered"),
)
def check_few_clusters(subject: Subject) -> Check:
    """Judge the average effect by clusters of every level, clustered and by wild bootstrap.

    Notes
    -----
    For villages, towns and counties (these only with common year effects): how many clusters
    there are, how many have treated villages, as how many equal ones they count
    (`effective_clusters`; Carter, Schnepel, Steigerwald 2017, doi:10.1162/REST_a_00639), and
    two p-values: clustered, Student's t with one degree of freedom less than they count as;
    and the wild cluster bootstrap, jackknifed for the imputation below 30 clusters
    (`wild_interval`), else of the scores (Kline, Santos 2012, doi:10.1515/2156-6674.1006).
    Levels that count as too few for any test have none. Passed if all p-values of the
    imputation are below alpha; failed if only some are; informational if none is, or a single
    level is possible. Levels below that at which villages were assigned understate errors
    (MacKinnon, Nielsen, Webb 2023, doi:10.1016/j.jeconom.2022.04.001).
    """
    alpha, level = subject.gains.options.alpha, subject.gains.cluster
    rows = [row for cluster in _levels(subject) for row in _judge_level(subject, cluster)]
    table = pd.DataFrame(rows)
    own = table[table["estimator"] == "imputation"]
    known = own[own["reason"] == ""]
    if known.empty:
        raise DesignError(say("{reason}.", reason=own["reason"].iloc[-1]))
    p = known[["p_clustered", "p_wild"]].to_numpy(float)
    clear = p[np.isfinite(p)] < alpha
    alone = len(known) == 1
    passed = bool(clear.all()) if clear.any() and not alone else None
    main = own[own["cluster"] == level].iloc[0]
    without = own[own["reason"] != ""]
    lacking = [
        say("{cluster} ({reason})", cluster=say(cluster), reason=reason)
        for cluster, reason in zip(without["cluster"], without["reason"], strict=True)
    ]
    if "county" not in [*own["cluster"]] and subject.panel.villages["county"].nunique() > 1:
        lacking.append(say("county (villages are compared within their county)"))
    sentence = sentences(
        say(
            "The estimate is clustered by {cluster}: {n:,} clusters, of which {treated:,} have "
            "treated villages, count as {equal:,.1f} equal ones.",
            cluster=say(level), n=main["n_clusters"], treated=main["n_treated_clusters"],
            equal=main["effective_clusters"],
        ),
        say(
            "p-values of no effect: {told}.",
            told=say("; ").join(_tell_row(row) for _, row in known.iterrows()),
        ),
        say("None by {lacking}.", lacking=say(", or by ").join(lacking)) if lacking else "",
        {
            True: say("All are below {alpha:g}: it does not depend on the level.", alpha=alpha),
            False: say(
                "Some are below {alpha:g} and some are not: take the level at which villages "
                "were assigned, or above.", alpha=alpha,
            ),
            None: say(
                "There is a test by {cluster} alone: whether it depends on the level cannot be "
                "seen.", cluster=say(known["cluster"].iloc[0]),
            )
            if alone
            else say(
                "None is below {alpha:g}: the effect does not differ from zero at any level.",
                alpha=alpha,
            ),
        }[passed],
    )  # fmt: skip

    def labels() -> list[str]:
        pairs = zip(table["estimator"], table["cluster"], strict=True)
        return [
            say("{estimator}, by {cluster}", estimator=say(NAMES[name]), cluster=say(cluster))
            for name, cluster in pairs
        ]

    return Check(
        verdict=judge_by(passed), sentence=sentence, statistic=float(np.nanmax(p)),
        statistic_name="largest p-value", table=table, money=MONEY,
        draw=partial(draw_rows, rows=table, labels=labels, main=main["estimate"]),
    )  # fmt: skip


def _levels(subject: Subject) -> list[Cluster]:
    villages = subject.panel.villages
    levels: list[Cluster] = ["village"]
    if (villages["town"] != "").any():
        levels.append("town")
    if villages["county"].nunique() > 1 and subject.gains.options.year_effects == "common":
        levels.append("county")
    own = subject.gains.cluster
    return levels if own in levels else [*levels, own]


def _judge_level(subject: Subject, cluster: Cluster) -> list[dict[str, Any]]:
    """Judge the imputation, and two-way fixed effects if there, by clusters of a level."""
    codes = place_codes(subject.panel, cluster)
    setup = replace(subject.effects.setup, clusters=codes)
    options = replace(subject.gains.options, cluster=cluster)
    gains, alpha = replace(subject.gains, options=options), options.alpha
    found: dict[str, tuple[float, Floats]] = {mark("imputation"): average_error(gains)}
    if "twfe" in subject.effects.found:
        try:
            twfe = estimate_twfe(setup)
            found[mark("twfe")] = float(twfe.terms["estimate"].iloc[0]), twfe.parts[:, 0]
        except DesignError:
            pass
    effective = effective_clusters(setup)
    counts = {
        "cluster": cluster, "n_clusters": len(np.unique(codes)),
        "n_treated_clusters": len(np.unique(codes[setup.treated])),
        "effective_clusters": effective,
    }  # fmt: skip
    rows = []
    for estimator, (estimate, parts) in found.items():
        n = int(takes_part(parts).sum())
        reason = too_few(n, effective, alpha) if effective < fewest_clusters(alpha) else ""
        clustered = wild = Interval()
        if not reason:
            clustered = judge_clustered(estimate, parts, alpha=alpha, effective=effective)
            reason = clustered.reason
            if estimator == "imputation" and n < ENOUGH_CLUSTERS:
                wild = _jackknifed(gains.att)
            elif n <= _MOST_WILD:
                wild = judge_wild(estimate, parts, alpha=alpha, seed=subject.seed)
        taken = wild if np.isfinite(wild.p_value) and n < ENOUGH_CLUSTERS else clustered
        rows.append(
            {
                "estimator": estimator, **counts, "estimate": estimate, "se": taken.se,
                "conf_low": taken.conf_low, "conf_high": taken.conf_high,
                "p_clustered": clustered.p_value, "p_wild": wild.p_value, "reason": reason,
            }
        )  # fmt: skip
    return rows


def _jackknifed(att: pd.Series[Any]) -> Interval:
    se, low, high, p = map(float, att[["se", "conf_low", "conf_high", "p_value"]])
    return Interval(se=se, conf_low=low, conf_high=high, p_value=p)


def _tell_row(row: pd.Series[Any]) -> str:
    told = {"cluster": say(row["cluster"]), "p": tell_p(row["p_clustered"])}
    if np.isnan(row["p_wild"]):
        return say("by {cluster} {p}", **told)
    return say("by {cluster} {p}, wild bootstrap {wild}", **told, wild=tell_p(row["p_wild"]))
