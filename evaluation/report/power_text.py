"""A study's power as the command line tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from evaluation.data.load import load_data
from evaluation.data.study import Study
from evaluation.effects.check import Amounts
from evaluation.effects.power import simulate_power
from evaluation.effects.power_result import Power
from evaluation.errors import DesignError
from evaluation.gains.options import Cluster, Comparison, YearEffects
from evaluation.report.gains.study import estimate_study_gains
from evaluation.report.gains.words import show_share
from evaluation.report.parameters import Parameter, resolve_parameters

_OPTIONS = (
    Parameter(
        name="comparison", type=str, default="not_yet_treated", choices=get_args(Comparison)
    ),
    Parameter(name="covariates", type=str, default=""),
    Parameter(name="anticipation", type=int, default=0),
    Parameter(name="alpha", type=float, default=0.05),
    Parameter(name="year_effects", type=str, default="common", choices=get_args(YearEffects)),
    Parameter(name="trends", type=bool, default=False),
    Parameter(name="cluster", type=str, default="", choices=(*get_args(Cluster), "")),
)


def tell_power(study: Study, *, parameters: Mapping[str, str], **planned: Any) -> str:
    """Say which effects a study, or a planned panel like it, would find.

    Parameters
    ----------
    study
        With a panel that has comparison villages.
    parameters
        Options of the estimate, as the notebook on the programme's effect has them.
    planned
        Options of `simulate_power`: n_treated, n_comparison, n_before, n_after, alpha, power,
        seed.

    Raises
    ------
    DesignError
        If the study has no gains, or no clustering gives an interval.
    ReportError
        If a parameter is unknown, or not of its type.
    """
    declared = {"power": {option.name: option for option in _OPTIONS}}
    options = resolve_parameters(declared, parameters)["power"]
    gains = estimate_study_gains(load_data(study), **options)  # type: ignore[arg-type]
    if gains.main is None:
        raise DesignError(f"power: {gains.reason}")
    found = simulate_power(gains.main, **planned)
    amounts = Amounts(divisor=gains.shown.divisor, unit=gains.shown.brief)
    simulated = " (SIMULATED data)" if study.simulated else ""
    return "\n".join([f"{study.name}{simulated}", *_lines(found, amounts)])


def _lines(found: Power, amounts: Amounts) -> list[str]:
    mean = found.comparison_mean
    of = f"the comparison villages' mean, {amounts.tell(mean)}" if mean > 0 else "the outcome"
    lines = [
        f"{found.plan.describe()}",
        "",
        f"smallest effect found in {show_share(found.power)} of samples: "
        f"{amounts.tell(found.minimum_detectable_effect)}, "
        f"{found.minimum_detectable_share:.1%} of {of}",
    ]
    if found.from_standard_error > 0:
        lines.append(
            "  by formula from the study's own standard error, which counts that effects "
            f"differ: {amounts.tell(found.from_standard_error)}"
        )
    lines += [
        f"found where there is none: {found.size:.1%} of samples "
        f"(± {1.96 * found.size_se:.1%}); should be {show_share(found.alpha)}",
        "",
        f"{'effect':>12}{'of mean':>10}{'found':>10}{'±':>8}",
    ]
    for effect, share, power, se in found.curve.itertuples(index=False):
        lines.append(
            f"{amounts.number(effect):>12}{share:>10.1%}{power:>10.1%}{1.96 * se:>8.1%}"
        )
    reason = [f"why: {found.reason}"] if found.reason else []
    lines += ["", f"how: {found.how}", *reason, "", "what this assumes:"]
    return lines + [f"- {sentence}" for sentence in found.assumes]
