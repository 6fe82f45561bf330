"""A grid of reports: every combination of some parameters' values, and specifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, cast

import yaml

from evaluation.data.config import load_yaml
from evaluation.data.restriction import outcome_names
from evaluation.data.study import Study
from evaluation.errors import ReportError, suggest
from evaluation.report.parameters import Parameter, Value

Point = Mapping[str, Value]
"""The parameters of one report of a grid, those that the others may not share."""

_PARTS = ("over", "specifications")
_ALL = "all"
_EXAMPLE = "specifications: [{}, {comparison: never_treated}]"


def read_grid(
    over: Sequence[str],
    file: Path | None,
    declared: Mapping[str, Mapping[str, Parameter]],
    study: Study,
) -> tuple[Point, ...]:
    """Give the reports of a grid, each once.

    Parameters
    ----------
    over
        Texts as the command line gives them: ``county`` (all that there are), or
        ``outcome=income,operating``.
    file
        A grid.yml with more of them: ``over``, parameters with the list of their values or
        ``all``; ``specifications``, a list of parameters that belong together. Each
        specification is combined with every combination of the others.
    declared
        Each notebook's parameters.
    study
        Whose counties and outcomes are meant by all that there are.

    Returns
    -------
    The parameters of each report; the last that was named varies quickest.

    Raises
    ------
    ReportError
        If nothing varies, a name is no parameter or given twice, or it has no list of values.
    """
    known = {name: p for parameters in declared.values() for name, p in parameters.items()}
    axes: dict[str, list[Value]] = {}
    specifications: list[Point] = [{}]

    def add(where: str, name: str, values: Any) -> None:
        _check_name(where, name, known)
        if name in axes:
            raise ReportError(f"{where}: {name} is named twice; once is enough.")
        if values == _ALL or values is None:
            axes[name] = _all_values(where, known[name], study)
        elif isinstance(values, list) and values and all(map(_is_value, values)):
            axes[name] = values
        else:
            raise ReportError(f"{where}: {name}: give a list of its values, or all.")

    for text in over:
        name, equals, given = text.partition("=")
        values = [value.strip() for value in given.split(",")]
        if equals and not all(values):
            raise ReportError(f"--over {text}: write name=value,value; a value is missing.")
        add(f"--over {text}", name, values if equals and values != [_ALL] else None)
    if file is not None:
        grid = _read_file(file)
        for name, values in grid.get("over", {}).items():
            add(f"{file}: over", name, values)
        specifications = grid.get("specifications", specifications)
        for specification in specifications:
            for name in specification:
                _check_name(f"{file}: specifications", name, known)
                if name in axes:
                    raise ReportError(
                        f"{file}: {name} is under over and in a specification; leave it in one."
                    )
    combinations = [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]
    points = [{**point, **chosen} for point in combinations for chosen in specifications]
    if not any(points):
        raise ReportError(
            "nothing to vary: name a parameter with --over, as in --over county, or a file "
            "with --grid."
        )
    return tuple({_key(point): point for point in points}.values())


def tell_point(point: Point) -> str:
    """Name a report of a grid by its parameters."""
    return ", ".join(f"{name}={value}" for name, value in point.items()) or "as declared"


def _key(point: Point) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in point.items()))


def _check_name(where: str, name: Any, known: Mapping[str, Parameter]) -> None:
    if name not in known:
        raise ReportError(f"{where}: no notebook has {name!r}; {suggest(str(name), known)}")


def _is_value(value: Any) -> bool:
    return isinstance(value, str | int | float | bool)


def _all_values(where: str, parameter: Parameter, study: Study) -> list[Value]:
    """Give all values that a parameter can have, where they can be counted."""
    lists = {"county": _list_counties, "outcome": _list_outcomes}
    if (list_values := lists.get(parameter.name)) and (values := list_values(study)):
        return values
    if parameter.choices:
        return [*parameter.choices]
    if parameter.type is bool:
        return [False, True]
    raise ReportError(
        f"{where}: the values of {parameter.name} cannot be listed; give them, as in "
        f"{parameter.name}=A,B"
    )


def _list_counties(study: Study) -> list[Value]:
    if study.counties or not study.panel:
        return [area.name for area in study.counties]
    from evaluation.data.load import load_data

    panel = load_data(study).panel
    return sorted({*panel.villages["county"]} - {""}) if panel is not None else []


def _list_outcomes(study: Study) -> list[Value]:
    return [*outcome_names(study.panel)] if study.panel else []


def _read_file(file: Path) -> dict[str, Any]:
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{file}: cannot be read: {error.strerror}.") from error
    except (ValueError, yaml.YAMLError) as error:
        told = " ".join(str(error).split())
        raise ReportError(f"{file}: not YAML in UTF-8: {told}.") from error
    if not isinstance(content, dict):
        raise ReportError(f"{file}: give over, specifications or both: {_EXAMPLE}")
    for name in content:
        if name not in _PARTS:
            raise ReportError(f"{file}: {name!r}; {suggest(str(name), _PARTS)}")
    over, given = content.get("over", {}), content.get("specifications", [{}])
    if not isinstance(over, dict):
        raise ReportError(f"{file}: over: give parameters with their values: {{county: all}}")
    alright = isinstance(given, list) and all(
        isinstance(one, dict) and all(map(_is_value, one.values())) for one in given
    )
    if not given or not alright:
        raise ReportError(f"{file}: specifications: give a list of parameters: {_EXAMPLE}")
    return cast(dict[str, Any], content)
