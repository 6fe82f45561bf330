"""The README.md of a simulated study: what it is, how it was made, what each column is."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

import yaml

from evaluation.data.simulate import Simulation

_TEXT = """\
# SIMULATED: {name}, a First Secretary programme whose effect is known

No number here says anything on a real village, secretary or county. The counties' names and
the published totals of their funds are real; villages, towns, places, incomes and gains are
invented. The folder is for trying methods out: `truth.csv` says what they should find.

Made by

```sh
{command}
```

The same command with the same version of the package (and of numpy) gives the same files.
Features are fields of `evaluation.data.simulation_options.SimulationOptions`, each set with
`--set FIELD=VALUE`; the equations are in `evaluation.data.simulate.simulate_programme`.

{n_treated} villages have a secretary ({by_county}), {n_comparison} have none; {first}
to {last}. That Yutai has 18 and Liangshan 20 is published; other numbers of villages, the years
of dispatch, and all funds that the article does not give are assumptions. Licence: that of the
package.

| file | what | encoding |
|---|---|---|
| `study.yml` | which files there are, and what their columns are | UTF-8 |
| `villages.csv` | the panel, one row a village and year | GB18030 |
| `ledger.csv` | the funding ledger, one row an amount | GB18030 |
| `projects.csv` | projects, one row each | GB18030 |
| `indicators.csv` | indicators by pillar, treated villages before and at the end | GB18030 |
| `truth.csv` | true gains, treated villages and years | UTF-8 |

## villages.csv

Income is nominal, in 万元 (10,000 yuan). An empty cell is missing: the village did not report.

| column | what | unit |
|---|---|---|
| 行政区划代码 | division code; all but its first six digits invented | 12 digits |
| 县, 乡镇, 村 | county, town, village | |
| 年份 | year | |
| 派驻年份 | year in which the secretary came; empty: never | year |
| 派出单位, 派出层级 | unit that sent the secretary, invented, and its level (省派 province, \
市派 city); gains do not depend on them; empty: never | |
| 经度, 纬度 | longitude and latitude, invented | degrees |
| 户数, 脱贫户数 | households, and those lifted out of poverty | 户 |
| 常住人口 | residents | 人 |
| 经营收入 | operating income | 万元 |
| 发包收入 | income from contracting out land and assets | 万元 |
| 投资收益 | investment income | 万元 |
| 补助收入 | subsidies; they rise with the programme by construction | 万元 |
| 其他收入 | other income; villages that round up to 5 or 10 万元 do so here | 万元 |
| 年集体经济收入 | the sum of the five as printed | 万元 |

## ledger.csv

Only the rows of one stage may be added up: the stages are of the same money. The yearly amounts
of a stage add up to what was committed, received or spent by then.

| column | what | unit |
|---|---|---|
| 行政区划代码, 县, 乡镇, 村 | whose money; empty code: pooled for the town or county | |
| 年份 | year | |
| 项目 | project | |
| 资金来源 | source: 财政资金 fiscal, 派出单位 dispatching unit, 社会资金 social, \
信贷资金 credit, 村自筹 own | |
| 阶段 | stage: 计划 committed, 到位 received, 支出 spent | |
| 金额 | amount, nominal | 万元 |

## projects.csv

| column | what | unit |
|---|---|---|
| 行政区划代码 | village; of a pooled project the largest treated one | 12 digits |
| 项目, 项目类型 | project, and its type | |
| 开始年份 | first year | year |
| 带动就业 | jobs | 人 |
| 预期年收益 | return that was expected, nominal | 万元 a year |

## indicators.csv

| column | what | unit |
|---|---|---|
| 行政区划代码 | village | 12 digits |
| 年份 | the year before dispatch, or that in which the secretaries left | |
| 方面 | pillar: 抓党建 party building, 兴产业 industry, 惠民生 livelihood, \
带队伍 secretary team | |
| 指标, 数值, 单位 | indicator, value, its unit | as given |

## truth.csv

Money is yuan in prices of {base_year}, by China's consumer prices. One row a treated village
and year from its cohort on.

| column | what | unit |
|---|---|---|
| village, county | division code, county | |
| cohort, year, event_time | first treated year, year, years since cohort | years |
| gain | effect on own income (without subsidies) in that year | yuan |
| counterfactual | own income without the programme | yuan |
| subsidy, subsidy_gain | subsidy income, and what the programme added to it | yuan |
| rounded_up | income reported but never earned | yuan |
| money_fiscal, ..._dispatching_unit, ..._social, ..._credit, ..._own | money received in \
that year by source, with the village's share (by households) of pooled money | yuan |
| gain_fiscal, ..._dispatching_unit, ..._social, ..._credit, ..._own | part of the gain \
by source; they add up to gain | yuan |
"""


def describe_simulation(simulation: Simulation, folder: str, name: str) -> str:
    """Write the README of a simulated study.

    Parameters
    ----------
    simulation
        What the folder holds.
    folder, name
        The folder's own name, and the study's.
    """
    options = simulation.options
    n_treated = sum(options.treated.values())
    return _TEXT.format(
        name=name,
        command=_command(simulation, folder, name),
        n_treated=n_treated,
        n_comparison=n_treated * options.comparison,
        by_county=", ".join(f"{county} {n}" for county, n in options.treated.items()),
        first=options.first_year,
        last=options.last_year,
        base_year=options.base_year,
    )


def _command(simulation: Simulation, folder: str, name: str) -> str:
    """Write the command that makes the same folder again."""
    words = ["evaluation", "simulate", folder, "--seed", str(simulation.seed)]
    words += ["--name", name] if name != folder else []
    for option, value in simulation.options.changed().items():
        if option == "comparison":
            words += ["--comparison", str(value)]
        else:
            words += ["--set", f"{option}={_flow(value)}"]
    return shlex.join(words)


def _flow(value: Any) -> str:
    """Write a value as YAML on one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return yaml.safe_dump(value).split("\n")[0]
