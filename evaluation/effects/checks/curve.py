"""The specification curve: the average effect under all combinations of declared choices."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor

from evaluation.data.panel import VillagePanel
from evaluation.display import ShowsSummary
from evaluation.effects.check import Amounts, Subject
from evaluation.effects.checks.curve_plot import draw_curve, text_of
from evaluation.effects.checks.specifications import (
    KEYS,
    list_specifications,
    own_subsidies,
    read_choices,
    run_specification,
)
from evaluation.gains.options import GainOptions
from evaluation.language import Language, say, sentences, speaking, spoken

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MANY_CELLS = 500_000  # village-years: from so many on no more than two at once, for memory
_WORTH = 1_000_000  # village-years of all combinations that are worth two workers' start
_MOST = 1_000


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SpecificationCurve(ShowsSummary):
    """The average effect under every combination of choices.

    Attributes
    ----------
    frame
        One row a combination, in the order declared: the choices (`KEYS`), main (whether it is
        the one that was chosen), estimate, se, conf_low, conf_high, p_value, n_villages,
        n_clusters, reason (why there is no estimate or interval). All in the outcome's unit.
    choices
        The values of each choice.
    n_combinations
        How many there are; more than rows where some were drawn.
    amounts
        How amounts are told.
    alpha
        1 less the coverage of intervals.
    labels
        What a reader sees of covariates, by name.
    """

    frame: pd.DataFrame
    choices: Mapping[str, Sequence[Any]]
    n_combinations: int
    amounts: Amounts = field(default=Amounts())
    alpha: float
    labels: Mapping[str, str] = field(default_factory=dict)

    def to_frame(self) -> pd.DataFrame:
        """Give all combinations."""
        return self.frame.copy()

    def summary(self) -> str:
        """Say how far the effect hangs on the choices."""
        frame, amounts = self.frame, self.amounts
        known = frame[frame["estimate"].notna()]
        lost = len(frame) - len(known)
        told = say("{n} combinations of choices", n=len(frame))
        if self.n_combinations > len(frame):
            told = say("{n} combinations of choices, drawn from {total:,}", n=len(frame),
                       total=self.n_combinations)  # fmt: skip
        if known.empty:
            return say("{combinations}, none of which could be estimated: {reason}",
                       combinations=told, reason=frame["reason"].iloc[0])  # fmt: skip
        if lost:
            told = say("{combinations}, {n} of which could not be estimated",
                       combinations=told, n=lost)  # fmt: skip
        values = known["estimate"]
        judged = known[known["conf_low"].notna()]
        clear = (judged["conf_low"] > 0) | (judged["conf_high"] < 0)
        main = known[known["main"]]
        middle = float(values.median())
        sign = float(np.sign(main["estimate"].iloc[0] if len(main) else middle))
        signs = say(
            "{share:.0%} are {sign}, as is {reference}",
            share=float((np.sign(values) == sign).mean()),
            sign=say("positive") if sign > 0 else say("negative"),
            reference=say("the one chosen") if len(main) else say("the median"),
        )  # fmt: skip
        if not len(judged):
            signs = say("{signs}; none has an interval.", signs=signs)
        else:
            exclude = {"signs": signs, "n": len(judged), "share": clear.mean()}
            bare = len(known) - len(judged)
            signs = (
                say(
                    "{signs}; of the {n} with an interval {share:.0%} exclude zero, {bare} "
                    "have none.", **exclude, bare=bare,
                )
                if bare
                else say("{signs}; of the {n} with an interval {share:.0%} exclude zero.",
                         **exclude)
            )  # fmt: skip
        placed = ""
        if len(main):
            own = float(main["estimate"].iloc[0])
            placed = say(
                "The one chosen, {effect}, is number {rank} from below of {n}.",
                effect=amounts.tell(own), rank=int((values < own).sum()) + 1, n=len(known),
            )  # fmt: skip
        return sentences(
            say(
                "{combinations}: the median effect is {middle}, the range {low} to {high}.",
                combinations=told, middle=amounts.tell(middle),
                low=amounts.number(values.min()), high=amounts.tell(values.max()),
            ),
            signs,
            placed,
            say(
                "The combinations are not independent and not all equally good, so that shares "
                "are no probabilities; there is no p-value for the curve, which would need "
                "treatment drawn anew under each of them."
            ),
        )  # fmt: skip

    def plot(self) -> Figure:
        """Draw the curve on a new figure."""
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(7.6, 6.4), layout="constrained")
        self.draw(figure)
        return figure

    def draw(self, figure: Figure) -> None:
        """Draw the curve on a figure; see `draw_curve`."""
        draw_curve(figure, self.frame, self.choices, self.amounts, self.labels)


def specification_curve(
    subject: Subject | VillagePanel,
    *,
    choices: Mapping[str, Sequence[Any]] | None = None,
    n_jobs: int | None = None,
    most: int = _MOST,
    progress: Callable[[int, int], None] | None = None,
) -> SpecificationCurve:
    """Estimate the average effect under every combination of declared choices.

    Parameters
    ----------
    subject
        The estimate whose choices are varied, or a panel, whose defaults are then the main
        choices.
    choices
        Values by choice: estimator, comparison, year_effects, covariates (tuples of names),
        anticipation, trends (imputation alone), scale (level, log), subsidies (with, without),
        cohorts (tuples of first treated years left out). By default `declare_choices`; where
        some are given, the others stay as they are in the main one. A combination that an
        estimator does not tell from another is estimated once.
    n_jobs
        How many are estimated at once; by default 2, or 1 where there is little to do.
    most
        How many combinations are estimated; of more, so many are drawn.
    progress
        Called with how many are done, and of how many.

    Raises
    ------
    DesignError
        If a choice is not known.

    Notes
    -----
    Simonsohn, Simmons, Nelson (2020, doi:10.1038/s41562-020-0912-z): all defensible
    specifications instead of one. What is declared should be what one would have defended
    before seeing the effect. Errors are clustered at the level chosen, or else at the default
    one of each combination's year effects: few counties that are compared with one another
    give an estimate without an interval. Effects on logarithms
    are brought to levels (`run_specification`); estimands differ somewhat between estimators
    and scales. There is no joint test, for which treatment would be drawn anew under each
    specification.

    Examples
    --------
    >>> from evaluation import Study, load_data
    >>> panel = load_data(Study.load("data/jining_simulated")).panel
    >>> curve = specification_curve(panel, choices={"trends": [False, True]})
    >>> len(curve.frame), int((curve.frame["estimate"] > 0).sum())
    (2, 2)
    """
    if isinstance(subject, Subject):
        panel, options, seed = subject.panel, subject.gains.options, subject.seed
        amounts, cluster = subject.amounts, options.cluster or None
    else:
        panel, options, seed = subject, GainOptions(), 0
        amounts, cluster = Amounts(unit=panel.variables[panel.outcome].unit), None
    main: dict[str, Any] = {
        key: getattr(options, key) for key in KEYS if hasattr(options, key)
    } | {
        "estimator": "imputation",
        "scale": panel.analysis.form,
        "subsidies": own_subsidies(panel),
        "cohorts": (),
    }
    declared = read_choices(panel, main, choices)
    found = list_specifications(declared)
    n_combinations = len(found)
    if n_combinations > most:
        drawn = np.random.default_rng(seed).choice(n_combinations, most, replace=False)
        own = [at for at, spec in enumerate(found) if spec == main]
        found = [found[at] for at in sorted({*drawn.tolist(), *own})]
    same = {"alpha": options.alpha, "cluster": cluster, "weights": options.weights}
    rows = _run_all(panel, found, same, n_jobs, progress)
    frame = pd.DataFrame(
        [
            {key: text_of(value) for key, value in spec.items()} | {"main": spec == main} | row
            for spec, row in zip(found, rows, strict=True)
        ]
    )
    return SpecificationCurve(
        frame=frame, choices=declared, n_combinations=n_combinations, amounts=amounts,
        alpha=options.alpha, labels={n: v.label for n, v in panel.variables.items()},
    )  # fmt: skip


def _run_all(
    panel: VillagePanel,
    found: Sequence[Mapping[str, Any]],
    same: Mapping[str, Any],
    n_jobs: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[dict[str, Any]]:
    """Estimate all combinations, in worker processes where that pays; in order."""
    cells, total = panel.matrix().size, len(found)
    workers = n_jobs or (2 if total * cells >= _WORTH else 1)
    workers = min(workers, int(cpu_count()), total)
    if cells >= _MANY_CELLS:
        workers = min(workers, 2)
    done: Iterable[dict[str, Any]]
    if workers > 1:  # large matrices are written once, and all workers read them there
        # Reasons are said where they are made, and a worker speaks English unless told.
        tasks = (delayed(_run_speaking)(spoken(), panel, chosen, same) for chosen in found)
        done = Parallel(n_jobs=workers, return_as="generator")(tasks)
    else:
        done = (run_specification(panel, chosen, same) for chosen in found)
    rows = []
    with warnings.catch_warnings():
        # A worker that has grown is ended and its work given to another: nothing is lost.
        warnings.filterwarnings("ignore", "A worker stopped while some jobs were given")
        for row in done:
            rows.append(row)
            if progress is not None:
                progress(len(rows), total)
    if workers > 1 and cells >= _MANY_CELLS:
        get_reusable_executor().shutdown()  # idle workers would keep their memory
    return rows


def _run_speaking(
    language: Language, panel: VillagePanel, chosen: Mapping[str, Any], same: Mapping[str, Any]
) -> dict[str, Any]:
    with speaking(language):
        return run_specification(panel, chosen, same)
