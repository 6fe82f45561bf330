"""A study's clean data for other programs: Stata, Parquet or CSV, with a codebook."""

from __future__ import annotations

import datetime
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from evaluation.data.load import StudyData
from evaluation.data.money import parse_money
from evaluation.data.study import Study
from evaluation.data.study_files import FundSource, Part, Pillar, Role, Stage
from evaluation.data.text_files import shorten
from evaluation.errors import DataError

Format = Literal["dta", "parquet", "csv"]
_TIMINGS = ("first_year", "treated", "date")

_LABELS = {
    "village": "village (the study's key)",
    "cohort": "first treated year; missing: never treated",
    "event_time": "years since cohort",
    "source": "source: whose money",
    "stage": "stage: how far the money got",
    "role": "role: source or use of money",
    "shared": "share of pooled money, by the study's rule",
    "row": "row of the file it was read from",
    "start": "first year",
    "expected_return": "expected return a year",
    "printed": "hedged figure as printed",
    "lower": "lower bound, in the variable's unit",
    "upper": "upper bound, in the variable's unit",
}  # names that are not here say it themselves
_UNITS = {"longitude": "degrees", "latitude": "degrees"}
_WHOLE = {
    "panel": ("year", "cohort", "event_time"),
    "ledger": ("year", "row"),
    "projects": ("start",),
    "indicators": ("year",),
    "hedged": ("year",),
}
_CODES = {
    "source": get_args(FundSource),
    "stage": get_args(Stage),
    "role": get_args(Role),
    "pillar": get_args(Pillar),
}

_SIMULATED = "SIMULATED: "
_NO_DATE = datetime.datetime(1960, 1, 1)  # Stata's zero: the same bytes on every day
_STATA_LABEL = 80
_STATA_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")
_STATA_WORD = re.compile(
    r"_all|_b|byte|_coef|_cons|double|float|if|in|int|_n|_N|_pi|_pred|_rc|_skip|long|str\d+|"
    r"strL|using|with"
)
_LONG_TEXT = 511  # characters, of 4 bytes at most: Stata's plain text has 2,045 bytes


def export_panel(data: StudyData, folder: Path, *, to: Format) -> list[Path]:
    """Write the clean panel and what else a study has, each as a file, and a codebook.

    Parameters
    ----------
    data
        As `load_data` gives it.
    folder
        Where the files go; made if it is not there.
    to
        dta (Stata 14 and later, version 118), parquet, or csv (UTF-8 with a byte-order mark).

    Returns
    -------
    The files: panel, ledger, projects and indicators as far as the study has them, hedged
    (figures that are known as bounds, and missing in the panel), and codebook.csv, with a row
    a variable: table, variable (in the file), name (in the study), label, unit, price_year
    ("nominal" for money of the year it was paid in), scale and column (of the study's file).

    Raises
    ------
    DataError
        If the study has no panel, or one of the files is there already; nothing is written
        then.

    Notes
    -----
    Missing stays missing, so a village that was never treated has no cohort. Stata's names
    are ASCII and have at most 32 characters: other names are changed, and the codebook and
    the labels tell which.
    """
    if data.panel is None:
        raise DataError(
            f"{data.study.file.name}: no village panel to export; claims are tables already."
        )
    tables = _tables(data)
    codebook = _codebook(data, tables)
    if to == "dta":
        names = {table: stata_names(map(str, frame)) for table, frame in tables.items()}
        codebook["variable"] = [names[t][n] for t, n in zip(
            codebook["table"], codebook["name"], strict=True)]  # fmt: skip
        tables = {table: frame.rename(columns=names[table]) for table, frame in tables.items()}
        if "hedged" in tables:
            hedged = tables["hedged"]
            tables["hedged"] = hedged.assign(variable=hedged["variable"].map(names["panel"]))
    target = folder.resolve()
    files = [target / f"{table}.{to}" for table in tables] + [target / "codebook.csv"]
    text = codebook.to_csv(index=False, lineterminator="\n").encode("utf-8-sig")
    same = files[-1].is_file() and files[-1].read_bytes() == text  # of another format's export
    if there := [f.name for f in (files[:-1] if same else files) if f.exists()]:
        raise DataError(
            f"{folder}: has {', '.join(there)} already; move them away, or name another "
            "folder with --out."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".export-", dir=target.parent) as beside:
        for table, frame in tables.items():
            path = Path(beside) / f"{table}.{to}"
            if to == "dta":
                about = codebook[codebook["table"] == table].set_index("variable")
                _write_stata(frame, path, about, _title(data.study))
            elif to == "parquet":
                frame.to_parquet(path, index=False)
            else:
                frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")
        (Path(beside) / "codebook.csv").write_bytes(text)
        target.mkdir(exist_ok=True)
        for file in files:
            (Path(beside) / file.name).replace(file)
    return [folder / file.name for file in files]


def stata_names(names: Iterable[str]) -> dict[str, str]:
    """Give each name one that Stata takes: ASCII, 32 characters at most, none twice.

    Examples
    --------
    >>> stata_names(["income", "人均收入", "净收入 net", "if"])
    {'income': 'income', '人均收入': 'v2', '净收入 net': 'net', 'if': 'v_if'}
    """
    given = list(names)
    kept = [n for n in given if _STATA_NAME.fullmatch(n) and not _STATA_WORD.fullmatch(n)]
    named, taken = {name: name for name in kept}, set(kept)
    for number, name in enumerate(given, 1):
        if name in named:
            continue
        plain = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_")[:32] or f"v{number}"
        if _STATA_WORD.fullmatch(plain) or not plain[0].isalpha():
            plain = f"v_{plain}"[:32]
        free, turn = plain, 1
        while free in taken:
            turn += 1
            free = f"{plain[: 31 - len(str(turn))]}_{turn}"
        named[name] = free
        taken.add(free)
    return {name: named[name] for name in given}


def _tables(data: StudyData) -> dict[str, pd.DataFrame]:
    """Give the tables that a study has: years as whole numbers or missing, words as text."""
    assert data.panel is not None
    given = {
        "panel": data.panel.to_frame(),
        "ledger": data.ledger.entries if data.ledger else None,
        "projects": data.projects,
        "indicators": data.indicators,
        "hedged": None if data.panel.hedged.empty else data.panel.hedged,
    }
    tables = {}
    for table, frame in given.items():
        if frame is not None:
            types = {name: "str" for name in frame.columns[frame.dtypes == "object"]}
            tables[table] = frame.astype(types | dict.fromkeys(_WHOLE[table], "Int64"))
    return tables


def _title(study: Study) -> str:
    title = study.title.en
    marked = not study.simulated or "SIMULATED" in title
    return title if marked else f"{_SIMULATED}{title}"


def _codebook(data: StudyData, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    assert data.panel is not None
    study, prices = data.study, data.study.prices
    in_prices_of = ""
    if prices:
        is_real = prices.basis == "real" or prices.index
        in_prices_of = str(prices.base_year) if is_real else "nominal"
    currency = prices.currency.replace("CNY", "yuan") if prices else ""
    rows = []
    for table, frame in tables.items():
        columns = _columns_of(getattr(study, table, None) or study.panel)
        for name in frame.columns:
            label, unit, scale = _LABELS.get(name, name), _UNITS.get(name, ""), ""
            column, price_year = columns.get(name, ""), ""
            if table == "panel" and (variable := data.panel.variables.get(name)):
                label, unit, scale = variable.label, variable.unit, variable.scale
                column, price_year = variable.column, in_prices_of if parse_money(unit) else ""
            elif (table, name) == ("ledger", "amount"):
                unit, scale, price_year = currency, "level", in_prices_of
            elif (table, name) == ("projects", "expected_return"):
                unit, scale, price_year = currency, "level", "nominal" if currency else ""
            label = f"{_SIMULATED}{label}" if study.simulated else label
            rows.append((table, name, name, label, unit, price_year, scale, column))
    header = ["table", "variable", "name", "label", "unit", "price_year", "scale", "column"]
    return pd.DataFrame(rows, columns=header, dtype="str")


def _columns_of(spec: Part | None) -> dict[str, str]:
    """Say which column of its file each variable of a part of study.yml comes from."""
    given: dict[str, Any] = spec.model_dump() if spec else {}
    key, treatment = given.pop("village", None) or {}, given.get("treatment") or {}
    found = {
        "village": key.get("code") or key.get("id") or key.get("name"),
        "cohort": next((treatment[by] for by in _TIMINGS if treatment.get(by)), None),
        **{part: key.get(part) for part in ("county", "town", "name")},
        **(given.get("coordinates") or {}),
        **(given.get("traits") or {}),
    }
    for name, value in given.items():
        found[name] = value.get("column") if isinstance(value, dict) else value
    if amounts := given.get("amounts"):
        found["amount"] = ", ".join(column["column"] for column in amounts.values())
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _write_stata(frame: pd.DataFrame, path: Path, about: pd.DataFrame, title: str) -> None:
    codes: dict[str, dict[int, str]] = {}
    text = [name for name in frame if pd.api.types.is_string_dtype(frame[name])]
    coded = not about["table"].eq("panel").any()  # a trait may be called a source
    for name in [name for name in text if coded and name in _CODES]:
        codes[name] = dict(enumerate(_CODES[name], 1))
        frame = frame.assign(**{name: pd.Categorical(frame[name], _CODES[name]).codes + 1})
    for name in frame.columns[frame.dtypes == "bool"]:
        codes[name] = {0: "no", 1: "yes"}
        frame = frame.assign(**{name: frame[name].astype("int8")})
    options: dict[str, Any] = {"value_labels": codes}
    frame.to_stata(
        path,
        write_index=False,
        version=118,
        time_stamp=_NO_DATE,
        data_label=shorten(title, _STATA_LABEL),
        variable_labels={name: _stata_label(row) for name, row in about.iterrows()},
        convert_strl=[
            name
            for name in text
            if name not in codes and frame[name].str.len().max() > _LONG_TEXT
        ],
        **options,
    )


def _stata_label(about: pd.Series[str]) -> str:
    """Write a variable's label with its unit and prices, which are never cut off."""
    scale = about["scale"] if about["scale"].startswith("log") else ""
    prices = about["price_year"]
    parts = [f"{scale} {about['unit']}".strip()]
    parts += ["nominal"] if prices == "nominal" else [f"prices of {prices}"] if prices else []
    unit = "".join(f", {part}" for part in parts if part)
    label = about["label"]
    if about.name != about["name"] and about["name"] not in label:
        mark = _SIMULATED if label.startswith(_SIMULATED) else ""
        label = f"{mark}{about['name']}: {label.removeprefix(mark)}"
    return shorten(label, _STATA_LABEL - len(unit)) + unit
