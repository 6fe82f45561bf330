"""A simulated programme as a study's folder, like one that a county office would send."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from evaluation.data.simulate import Simulation
from evaluation.data.simulated_readme import describe_simulation
from evaluation.data.simulation_options import COUNTIES, KINDS
from evaluation.data.study import Study
from evaluation.errors import DataError

_WAN = 10_000  # yuan in one 万元
_PLACE = {"village": "行政区划代码", "county": "县", "town": "乡镇", "name": "村"}
_VILLAGES = _PLACE | {
    "year": "年份", "cohort": "派驻年份", "dispatching_unit": "派出单位",
    "dispatch_level": "派出层级", "longitude": "经度", "latitude": "纬度",
    "households": "户数", "poor_households": "脱贫户数", "population": "常住人口",
    "income_operating": "经营收入", "income_contracted": "发包收入",
    "income_investment": "投资收益", "income_subsidy": "补助收入", "income_other": "其他收入",
    "income_total": "年集体经济收入",
}  # fmt: skip
_LEDGER = _PLACE | {
    "year": "年份", "project": "项目", "source": "资金来源", "stage": "阶段", "amount": "金额",
}  # fmt: skip
_PROJECTS = {
    "village": "行政区划代码", "project": "项目", "type": "项目类型", "start": "开始年份",
    "jobs": "带动就业", "expected_return": "预期年收益",
}  # fmt: skip
_INDICATORS = {
    "village": "行政区划代码", "year": "年份", "pillar": "方面", "indicator": "指标",
    "value": "数值", "unit": "单位",
}  # fmt: skip
_WORDS = {
    "source": {
        "fiscal": "财政资金", "dispatching_unit": "派出单位", "social": "社会资金",
        "credit": "信贷资金", "own": "村自筹",
    },
    "stage": {"committed": "计划", "received": "到位", "spent": "支出"},
    "pillar": {
        "party_building": "抓党建", "industry": "兴产业", "livelihood": "惠民生",
        "secretary_team": "带队伍",
    },
}  # fmt: skip

_HOLDS = {
    "villages.csv": ("the panel, one row a village and year", "面板，每行一村一年"),
    "ledger.csv": ("the funding ledger, one row an amount", "资金台账，每行一笔"),
    "projects.csv": ("projects, one row each", "项目，每行一个"),
    "indicators.csv": ("indicators by pillar, treated villages", "分方面的指标，派驻村"),
}


def write_simulated_study(simulation: Simulation, folder: Path, *, name: str) -> Path:
    """Write a simulated programme as a study that can be loaded, with its truth.

    Parameters
    ----------
    simulation
        What `simulate_programme` made.
    folder
        A folder that is not there yet, or is empty.
    name
        The study's name: letters, digits and _.

    Returns
    -------
    The folder. It has villages.csv, ledger.csv, projects.csv and indicators.csv (GB18030,
    Chinese headers, 万元 with two decimals), truth.csv (UTF-8, English headers, yuan of
    base_year), study.yml and README.md.

    Raises
    ------
    DataError
        If the folder holds anything, or the name is not one; nothing is written then.
    """
    folder = Path(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DataError(f"{folder}: is there already; name a folder that is new or empty.")
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".simulated-", dir=target.parent) as beside:
        whole = Path(beside) / target.name
        whole.mkdir()
        _write_tables(simulation, whole)
        text = yaml.safe_dump(
            _study(simulation, name), allow_unicode=True, sort_keys=False, width=96
        )
        head = "# SIMULATED data: invented villages and money, made to know the truth.\n"
        _write(whole / "study.yml", head + text)
        _write(whole / "README.md", describe_simulation(simulation, target.name, name))
        Study.load(whole)
        if target.is_dir():
            target.rmdir()
        whole.rename(target)
    return folder


def _write_tables(simulation: Simulation, folder: Path) -> None:
    villages = simulation.villages.copy()
    kinds = [f"income_{kind}" for kind in KINDS]
    villages[kinds] = (villages[kinds] / _WAN).round(2)
    # The total is printed as the sum of what is printed.
    villages["income_total"] = villages[kinds].sum(axis=1, skipna=False)
    villages["cohort"] = villages["cohort"].astype("Int64")
    for name in (*kinds, "income_total"):
        villages[name] = _decimals(villages[name], 2)
    for name in ("longitude", "latitude"):
        villages[name] = _decimals(villages[name], 5)
    ledger, projects = simulation.ledger.copy(), simulation.projects.copy()
    ledger["amount"] = _decimals(ledger["amount"] / _WAN, 2)
    projects["expected_return"] = _decimals(projects["expected_return"] / _WAN, 2)
    for frame, columns, file in (
        (villages, _VILLAGES, "villages.csv"),
        (ledger, _LEDGER, "ledger.csv"),
        (projects, _PROJECTS, "projects.csv"),
        (simulation.indicators.copy(), _INDICATORS, "indicators.csv"),
    ):
        words = _WORDS | {"county": {county: COUNTIES[county].zh for county in COUNTIES}}
        for name in set(words) & set(columns):
            frame[name] = frame[name].astype(str).map(words[name])
        text = frame[list(columns)].rename(columns=columns).to_csv(index=False)
        _write(folder / file, text, encoding="gb18030")
    truth = simulation.truth.copy()
    for name in truth.columns[truth.dtypes == "float64"]:
        truth[name] = _decimals(truth[name], 2)
    _write(folder / "truth.csv", truth.to_csv(index=False))


def _decimals(values: pd.Series[float], n: int) -> pd.Series[str]:
    """Print numbers with n decimals, missing ones as nothing."""
    return values.map(lambda value: "" if pd.isna(value) else f"{value:.{n}f}")


def _write(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    path.write_bytes(text.replace("\r\n", "\n").encode(encoding))


def _study(simulation: Simulation, name: str) -> dict[str, Any]:
    """Write what study.yml says."""
    options = simulation.options
    place = {"code": "行政区划代码", "county": "县", "town": "乡镇", "name": "村"}
    income = [*(f"income_{kind}" for kind in KINDS), "income_total"]
    return {
        "version": 1,
        "name": name,
        "simulated": True,
        "title": {
            "en": "a First Secretary programme with known effects in four counties",
            "zh": "效果已知的第一书记项目",
        },
        "source": {
            "publisher": {"en": "simulated by this package", "zh": "由本软件模拟生成"},
            "what_it_is": [
                {
                    "en": "Invented villages under the names of real counties, made by "
                    f"`evaluation simulate` with seed {simulation.seed}, to see whether "
                    "methods find the truth, which is in truth.csv.",
                    "zh": "县名真实、村庄虚构，用于检验方法能否找回已知真值。",
                }
            ],
            "what_it_is_not": [
                {
                    "en": "Not data: no number in it says anything on a real village, "
                    "secretary or county.",
                    "zh": "不是真实数据，不反映任何真实村庄、第一书记或县的情况。",
                }
            ],
            "citation": {
                "en": f"village-evaluation: {name}, a simulated programme, seed "
                f"{simulation.seed} [data set, made by evaluation simulate].",
                "zh": f"village-evaluation：{name}，模拟项目，随机种子 {simulation.seed}"
                "［数据集，由 evaluation simulate 生成］。",
            },
            "licence": {"en": "That of the package (MIT).", "zh": "同本软件（MIT）。"},
            "rights": {
                "en": "Invented: anybody may use the files and pass them on.",
                "zh": "虚构数据：任何人均可使用和转发。",
            },
        },
        "data": {file: {"holds": {"en": en, "zh": zh}} for file, (en, zh) in _HOLDS.items()},
        "programme": {"name": "Jining", "zh": "济宁市"},
        "counties": [{"name": c, "zh": COUNTIES[c].zh} for c in options.treated],
        "prices": {"basis": "nominal", "base_year": options.base_year, "index": "china"},
        "panel": {
            "file": "villages.csv",
            "village": dict(place),
            "year": "年份",
            "income": {n.removeprefix("income_"): _money(_VILLAGES[n]) for n in income},
            "treatment": {"first_year": "派驻年份"},
            "covariates": _some(_VILLAGES, "households poor_households population"),
            "traits": _some(_VILLAGES, "dispatching_unit dispatch_level"),
            "coordinates": _some(_VILLAGES, "longitude latitude"),
        },
        "ledger": {
            "file": "ledger.csv",
            "village": dict(place),
            **_some(_LEDGER, "year source stage project"),
            "amount": _money("金额"),
            "shared_by": "households",
        },
        "projects": {
            "file": "projects.csv",
            "village": {"code": "行政区划代码"},
            **_some(_PROJECTS, "project type start jobs"),
            "expected_return": _money("预期年收益"),
        },
        "indicators": {
            "file": "indicators.csv",
            "village": {"code": "行政区划代码"},
            **_some(_INDICATORS, "year pillar indicator value unit"),
        },
        "limits": [
            {
                "en": "Only the funds of the four counties were fitted to published totals, "
                "and some of those are assumptions; incomes and gains were not.",
                "zh": "仅资金总额参照公开数字（部分为假设），收入和增收未作拟合。",
            },
            {
                "en": "Subsidies rise with the money received by construction: gains in income "
                "with subsidies overstate the effect.",
                "zh": "补助收入随到位资金机械增加，含补助的收入会高估效果。",
            },
        ],
    }


def _some(columns: dict[str, str], names: str) -> dict[str, str]:
    return {name: columns[name] for name in names.split()}


def _money(column: str) -> dict[str, str]:
    return {"column": column, "unit": "万元"}
