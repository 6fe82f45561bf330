"""A notebook's parameters: declared once, typed, in its parameters cell.

papermill would take any name, guess at types (``007`` becomes 7) and only warn of a name that
no notebook declares. Here a value is read as the type that its cell declares, or refused.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from evaluation.errors import ReportError, suggest
from evaluation.language import Language

Value = str | int | float | bool
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


_PLACES = {
    "study": "the study is the command's own argument",
    "data": "give the folder as --data",
    "pseudonyms": "give --pseudonymise, and the file as --key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter as a notebook declares it: ``reading: Literal["a", "b"] = "a"``."""

    name: str
    type: type
    default: Value
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        return f"one of {', '.join(self.choices)}" if self.choices else self.type.__name__


def read_parameters(path: Path) -> dict[str, Parameter]:
    """Read the declarations in a notebook's cell tagged ``parameters``.

    Raises
    ------
    ReportError
        If there is no such cell, or it holds anything but typed names with a value.
    """
    name = path.stem
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        cells = [c for c in cells if "parameters" in (c["metadata"].get("tags") or ())]
    except (OSError, ValueError, RecursionError) as error:
        raise ReportError(f"{path.name}: not a notebook: {error}.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ReportError(f"{path.name}: not a notebook of format 4 (nbformat).") from error
    if len(cells) != 1:
        raise ReportError(
            f"{name}: {len(cells)} cells are tagged 'parameters'; tag the one that declares "
            "them."
        )
    try:
        statements = ast.parse("".join(cells[0]["source"])).body
    except SyntaxError as error:
        raise ReportError(f"{name}: the parameters cell is not Python: {error.msg}.") from None
    declared = [_declaration(statement, name) for statement in statements]
    return {parameter.name: parameter for parameter in declared}


def split_assignments(pairs: Sequence[str]) -> dict[str, str]:
    """Split ``name=value`` as the command line gives it; values stay text.

    Raises
    ------
    ReportError
        If one has no ``=`` or a name is given twice.
    """
    values: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ReportError(f"-p {pair}: write name=value.")
        if name in values:
            raise ReportError(f"-p {name}: given twice.")
        values[name] = value
    return values


def resolve_parameters(
    declared: Mapping[str, Mapping[str, Parameter]], given: Mapping[str, Value]
) -> dict[str, dict[str, Value]]:
    """Give every notebook the values that it declares: those given, else its defaults.

    Parameters
    ----------
    declared
        Each notebook's parameters.
    given
        Values by name; text is read as the declared type.

    Raises
    ------
    ReportError
        If no notebook declares a name, or a value is not of its type.
    """
    known = {name for parameters in declared.values() for name in parameters} - {*_PLACES}
    for name in given:
        if name in _PLACES:
            raise ReportError(f"-p {name}: {_PLACES[name]}.")
        if name not in known:
            raise ReportError(
                f"-p {name}: no notebook has this parameter; {suggest(name, known)}"
            )
    return {
        notebook: {
            name: _read_value(parameter, given[name]) if name in given else parameter.default
            for name, parameter in parameters.items()
        }
        for notebook, parameters in declared.items()
    }


def choose_values(
    declared: Mapping[str, Mapping[str, Parameter]],
    given: Mapping[str, Value],
    language: Language | None,
) -> dict[str, dict[str, Value]]:
    """Give every notebook its values, with the language as one of those given.

    Raises
    ------
    ReportError
        As `resolve_parameters`, or if another language is among those given.
    """
    if language and given.get("language", language) != language:
        raise ReportError(
            f"--lang {language}: -p language={given['language']} says another; give one."
        )
    return resolve_parameters(
        declared, {**given, **({"language": language} if language else {})}
    )


def language_of(values: Mapping[str, Mapping[str, Value]]) -> Language:
    """Give the language that the first notebook's values say, which all share."""
    return cast(Language, next(iter(values.values())).get("language", "en"))


def _declaration(statement: ast.stmt, notebook: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr()):
            default: Any = _literal(statement.value)
            match annotation:
                case ast.Name(id=kind) if type(default) is _TYPES.get(kind):
                    return Parameter(name=name, type=_TYPES[kind], default=cast(Value, default))
                case ast.Subscript(value=ast.Name(id="Literal"), slice=options):
                    choices = _literal(options)
                    choices = choices if isinstance(choices, tuple) else (choices,)
                    strings = all(isinstance(choice, str) for choice in (default, *choices))
                    if strings and default in choices:
                        return Parameter(name=name, type=str, default=default, choices=choices)
    raise ReportError(
        f"{notebook}: the parameters cell holds {ast.unparse(statement)!r}; each line declares "
        "one as 'name: type = value', with type str, int, float, bool or Literal['a', 'b'] and "
        "a value of it."
    )


def _literal(node: ast.expr | None) -> Any:
    try:
        return None if node is None else ast.literal_eval(node)
    except ValueError:
        return None


def _read_value(parameter: Parameter, given: Value) -> Value:
    value: Any = given
    if isinstance(value, str) and parameter.type is not str:
        value = _read_text(parameter.type, value.strip())
    if type(value) is int and parameter.type is float:
        value = float(value)
    known = not parameter.choices or value in parameter.choices
    if type(value) is not parameter.type or not known:
        raise ReportError(f"-p {parameter.name}: {given!r} is not {parameter.expected}.")
    return cast(Value, value)


def _read_text(kind: type, text: str) -> Value:
    """Read text as a number or a truth value; leave it as text where it is neither."""
    if kind is bool:
        truths: dict[str, Value] = {"true": True, "false": False}
        return truths.get(text.lower(), text)
    if kind is int and re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
        return int(text)
    decimal = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
    if kind is float and re.fullmatch(decimal, text, re.ASCII):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
