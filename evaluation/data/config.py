"""YAML files as typed models: unknown keys, wrong types and doubled keys are errors."""

from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import pydantic
import yaml
from pydantic import BaseModel

from evaluation.errors import DataError, raise_problems, suggest

_LONGEST = 60
Model = TypeVar("Model", bound=BaseModel)


def read_config(file: Path, model: type[Model]) -> Model:
    """Read a YAML file as a model.

    Raises
    ------
    DataError
        If the file does not parse, or does not fit; all misfits are listed.
    """
    try:
        content = load_yaml(file.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        what = str(error.problem)
        if what.startswith("expected <block"):
            what = "its indentation does not fit the lines above, or a colon or quote is amiss"
        raise DataError(f"{file.name}: {line}{what}.") from error
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise DataError(f"{file.name}: cannot be read as UTF-8 YAML: {error}.") from error
    try:
        return model.model_validate(content)
    except pydantic.ValidationError as error:
        raise_problems(file.name, describe_errors(model, error))
        raise


def describe_errors(model: type[BaseModel], error: pydantic.ValidationError) -> list[str]:
    """Say of each misfit where it stands, what is wrong, and what would be right."""
    problems = []
    items = error.errors(include_url=False)
    misspelt = {item["loc"] for item in items if item["type"] == "extra_forbidden"}
    for item in items:
        place = ".".join(str(part) for part in item["loc"])
        if item["type"] == "extra_forbidden":
            owner = _model_at(model, item["loc"][:-1])
            known = list(owner.model_fields) if owner else []
            problems.append(f"{place}: unknown key; {suggest(str(item['loc'][-1]), known)}")
        elif item["type"] == "missing":
            # Said once: a required key that is there but misspelt.
            near = (str(loc[-1]) for loc in misspelt if loc[:-1] == item["loc"][:-1])
            if get_close_matches(str(item["loc"][-1]), near):
                continue
            problems.append(f"{place}: missing; it is required.")
        elif item["type"] in ("model_type", "dict_type"):
            owner = _model_at(model, item["loc"])
            keys = ", ".join(owner.model_fields) if owner else "name: value"
            problems.append(f"{place}: not a mapping; write the keys {keys} below it.")
        else:
            given = item["input"]
            plain = isinstance(given, str | int | float)
            shown = f" (given: {str(given)[:_LONGEST]!r})" if plain else ""
            message = item["msg"].removeprefix("Value error, ").rstrip(".")
            end = "" if f"{message}{shown}".endswith("?") else "."
            problems.append(f"{place + ': ' if place else ''}{message}{shown}{end}")
    return problems


def load_yaml(text: str) -> Any:
    """Read YAML, in which a key that is given twice, or is no word, is an error."""
    return yaml.load(text, Loader=_Loader)


class _Loader(yaml.SafeLoader):
    """YAML's safe loader, but a key given twice is an error instead of the last one's."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            problem = "" if isinstance(key, str) else f"the key {key!r} is not a word"
            if not problem and key in seen:
                problem = f"the key {key!r} is given twice"
            if problem:
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _model_at(
    model: type[BaseModel], location: tuple[int | str, ...]
) -> type[BaseModel] | None:
    """Find the model that a place in a file belongs to."""
    current: type[BaseModel] | None = model
    is_name = False  # of an entry in a mapping, such as an outcome's or a file's
    for part in location:
        if is_name or isinstance(part, int) or current is None:
            is_name = False
            continue
        field = current.model_fields.get(part)
        current = _model_in(field.annotation) if field else None
        is_name = field is not None and get_origin(field.annotation) is dict
    return current


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, dict, Union, UnionType):
        return next(filter(None, map(_model_in, get_args(annotation))), None)
    return None


def is_file(path: Path) -> bool:
    """Whether a path is a file; one too long for the file system is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def studies_near(file: Path) -> str:
    """Name the studies beside one that is not there."""
    places = [file.parent.parent, Path("data"), Path("../data")]
    near = sorted({str(p.parent) for place in places for p in place.glob("*/study.yml")})
    return f" Studies near: {', '.join(near)}." if near else ""
