"""The file of a run's folder that makes the run again: workflow.py, of the library alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evaluation.report.record.describe import name_run

WORKFLOW = "workflow.py"

_PLACES = ("study", "data", "pseudonyms", "language")  # arguments of their own

_KEY = """\
parser.add_argument("--key", required=True, help="the file of codes that stand for names")
"""

_TEXT = '''\
"""Makes the report on {study} again.

It was made by village-evaluation {package} on Python {python} from the files that
ro-crate-metadata.json beside this one lists. The same files, parameters, code and
versions give a run of the same name, {run}, with the same numbers.
"""

import argparse

from evaluation import run_report

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("study", nargs="?", default={folder}, help="the study's folder")
parser.add_argument("--data", help="where its data files are, if not in that folder")
parser.add_argument("--out", default="reports", help="where the run's folder is put")
{add_key}given = parser.parse_args()

run = run_report(
    given.study,
    parameters={parameters},
{language}    data=given.data,
    out=given.out,
{key})
print(run)
'''


def workflow_text(record: Mapping[str, Any]) -> str:
    """Write the Python that makes a run again, from what its record says."""
    values = shared_parameters(record["parameters"])
    language = values.get("language")
    folder = str(values.get("study", record["study"])).partition("/")[0]
    hidden = "pseudonyms" in record
    return _TEXT.format(
        study=record["study"],
        package=record["package"],
        python=record["python"],
        run=name_run(record),
        folder=_literal(folder),
        parameters=_lay_out({n: v for n, v in values.items() if n not in _PLACES}),
        language=f"    language={_literal(language)},\n" if language else "",
        add_key=_KEY if hidden else "",
        key="    key=given.key,\n" if hidden else "",
    )


def shared_parameters(parameters: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Give the parameters that have one value in all the notebooks that declare them.

    One that differs was not given to the run: each notebook had its own default.
    """
    values: dict[str, list[Any]] = {}
    for chosen in parameters.values():
        for name, value in chosen.items():
            values.setdefault(name, []).append(value)
    return {
        name: all_of[0]
        for name, all_of in sorted(values.items())
        if len({_literal(value) for value in all_of}) == 1
    }


def _lay_out(values: Mapping[str, Any]) -> str:
    lines = [
        f"        {_literal(name)}: {_literal(value)},\n" for name, value in values.items()
    ]
    return "{\n" + "".join(lines) + "    }" if lines else "{}"


def _literal(value: Any) -> str:
    """Write a value as Python does, text within double quotes."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
