"""A file as a funding ledger: sources that add up, stages in order, pooled money shared."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.data.cells import read_numbers, read_stated_years
from evaluation.data.coded import read_words
from evaluation.data.income import printed_step
from evaluation.data.ledger import COLUMNS, FundingLedger
from evaluation.data.ledger_checks import (
    PLACE,
    check_totals,
    report_doubles,
    report_drift,
    report_stages,
    report_zero_gaps,
    warn_rows,
)
from evaluation.data.matching import match_villages
from evaluation.data.matrices import plain_amounts
from evaluation.data.opening import open_table
from evaluation.data.panel import VillagePanel
from evaluation.data.prices import study_deflators
from evaluation.data.problems import Problems
from evaluation.data.schema import LEDGER, check_contract
from evaluation.data.study import Study
from evaluation.data.study_files import Fixed, LedgerFile
from evaluation.data.tables import Table
from evaluation.data.villages import clean_name
from evaluation.language import say

# What the words of a ledger mean, where study.yml does not say.
SOURCE_WORDS = {
    "fiscal": "财政 财政资金 财政拨款 各级财政 上级财政 专项资金 财政专项 衔接资金 扶贫资金",
    "dispatching_unit": "派出单位 派驻单位 选派单位 帮扶单位 单位帮扶 派出单位资金 帮扶资金",
    "social": "社会 社会资金 社会捐赠 捐赠 企业 企业捐赠 社会资本 招商引资",
    "credit": "信贷 信贷资金 贷款 银行贷款 金融",
    "own": "自筹 村自筹 村集体 村集体自筹 自有资金 群众自筹",
    "total": "合计 总计 小计 共计 total",
}
STAGE_WORDS = {
    "committed": "计划 承诺 批复 下达 立项 意向 协议",
    "received": "到位 到账 已到位 拨付 争取 收到",
    "spent": "支出 已支出 使用 投入 完成 已使用",
}
_ROLES = {"source": "来源 争取", "use": "用途 使用 投入"}

_REMEDIES = {
    "source": "Write 财政资金, 派出单位, 社会资金, 信贷资金 or 村自筹, or say what it means "
    "under ledger.sources.",
    "stage": "Write 计划, 到位 or 支出, or say what the word means under ledger.stages.",
    "role": "Write source or use.",
    "amount": "Book a refund against the entry that it corrects.",
}


def read_ledger(
    study: Study, panel: VillagePanel | None, problems: Problems
) -> FundingLedger | None:
    """Read a study's ledger, for the villages of its panel.

    Parameters
    ----------
    study
        Its ``ledger`` says what the file holds.
    problems
        Takes all that is wrong; with an error of the ledger's the result is None.
    """
    spec = study.ledger
    if spec is None or study.prices is None:
        return None
    source = spec.source if isinstance(spec.source, str) else ""
    table = open_table(
        study, spec, _columns(spec), problems, may_be_empty=True, totals_in=source
    )
    if table is None or panel is None:
        return None
    before, since = len(problems.errors), len(problems.found)
    frame = pd.DataFrame(index=table.frame.index)
    position = match_villages(table, spec.village, panel.villages, problems, pooled=True)
    key_column = spec.village.code or spec.village.id or str(spec.village.name)
    named = read_words(table, key_column).to_array() != ""
    keys = np.append(panel.villages.index.to_numpy(object), "")
    frame["village"] = keys[position]
    for part in ("town", "county"):
        own = np.append(panel.villages[part].to_numpy(object), "")[position]
        column = getattr(spec.village, part)
        stated = read_words(table, column).map(clean_name).to_array() if column else own
        frame[part] = np.where(position >= 0, own, stated)
    frame["year"] = read_stated_years(table, spec.year, problems).to_array()
    frame["project"] = read_words(table, spec.project).to_array() if spec.project else ""
    frame["stage"] = _words(table, spec.stage, {**_known(STAGE_WORDS), **spec.stages})
    frame["role"] = _words(table, spec.role, _known(_ROLES))
    frame["row"] = table.frame.index
    lost = named & (position < 0)  # on villages that the panel lacks, which was reported
    long = _amounts(spec, table, frame, problems)
    long = long[~lost[long.pop("at")]]
    names = {"source": source or "source"}
    names |= {"amount": spec.amount.column if spec.amount else "amounts"}
    names |= {
        name: given if isinstance(given, str) else name
        for name, given in (("stage", spec.stage), ("role", spec.role))
    }
    checked = long[long["source"] != "total"].set_index("row")
    checked["amount"] = checked["printed"]  # as the file has it
    check_contract(
        checked, LEDGER, table.name, table.row_word, problems, columns=names, remedies=_REMEDIES
    )
    if long.empty and len(problems.errors) == before:
        problems.add(
            "error",
            table.name,
            "no money: every amount is empty, or on a village that the panel does not have",
            "Give amounts for the panel's villages, or take the ledger out of study.yml.",
        )
    if len(problems.errors) > before:
        return None
    entries = check_totals(table, long, problems)
    report_doubles(table, entries, problems)
    report_drift(table, entries, problems)
    report_stages(table, entries, problems)
    report_zero_gaps(table, entries, problems)
    entries["amount"] = entries["amount"] * study_deflators(study, entries["year"])
    _report_other_years(table, entries, panel, problems)
    entries = _share_out(table, spec, entries.assign(shared=False), panel, problems)
    entries["year"] = entries["year"].astype(int)
    return FundingLedger(
        entries=entries[list(COLUMNS)].reset_index(drop=True),
        shared_by=spec.shared_by,
        price_year=study.price_year,
        source=table.name,
        problems=tuple(problems.found[since:]),
    )


def _columns(spec: LedgerFile) -> list[str]:
    names = [*spec.village.model_dump().values(), spec.project]
    names += [c for c in (spec.source, spec.stage, spec.role) if isinstance(c, str)]
    names += [spec.year.column] if not isinstance(spec.year, int) else []
    names += [column.column for column in spec.amounts.values()]
    names += [spec.amount.column] if spec.amount else []
    return list(dict.fromkeys(name for name in names if name))


def _known(words: dict[str, str]) -> dict[str, str]:
    found = {alias: name for name, aliases in words.items() for alias in aliases.split()}
    return found | {name: name for name in words}


def _words(
    table: Table, given: str | Fixed | None, meanings: dict[str, str]
) -> npt.NDArray[np.object_]:
    """Give each row's word by its meaning; an unknown word stays, for the contract to name."""
    if isinstance(given, Fixed):
        return np.full(len(table.frame), meanings.get(given.value, given.value), dtype=object)
    return read_words(table, str(given)).map(lambda word: meanings.get(word, word)).to_array()


def _amounts(
    spec: LedgerFile, table: Table, frame: pd.DataFrame, problems: Problems
) -> pd.DataFrame:
    """Give one row an amount, in nominal units of the currency; empty cells are no amounts."""
    meanings = {**_known(SOURCE_WORDS), **spec.sources}
    columns = [
        (_words(table, Fixed(value=source), meanings), column)
        for source, column in spec.amounts.items()
    ]
    if spec.amount:
        columns = [(_words(table, spec.source, meanings), spec.amount)]
    before = len(problems.errors)
    parts = []
    for source, column in columns:
        values = read_numbers(
            table, column.column, problems, unit=column.unit, missing=spec.missing
        ).values
        step = plain_amounts(np.array([printed_step(values)]), column)[0]
        part = frame.assign(source=source, amount=plain_amounts(values, column), step=step)
        part["printed"] = values
        part["at"] = np.arange(len(part))
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    empty = long["amount"].isna()
    if len(problems.errors) > before:
        return long[~empty]  # cells that are no numbers are not empty
    if empty.any() and spec.amount:
        message = say("empty amounts, taken as no entry")
        warn_rows(table, problems, "warning", message, long[empty])
    elif empty.any():  # a village need not have money of every source
        message = say("{n} empty amounts, taken as no entry", n=int(empty.sum()))
        problems.add("note", table.name, message)
    return long[~empty]


def _share_out(
    table: Table,
    spec: LedgerFile,
    entries: pd.DataFrame,
    panel: VillagePanel,
    problems: Problems,
) -> pd.DataFrame:
    """Share pooled money out to the treated villages of its town or county."""
    pooled = entries[entries["village"] == ""]
    if pooled.empty:
        return entries
    if spec.shared_by is None:
        message = say("pooled money that is no village's (ledger.shared_by can share it out)")
        warn_rows(table, problems, "warning", message, pooled)
        return entries
    weights = _weights(spec.shared_by, panel)
    if weights is None:
        problems.add(
            "error",
            table.name,
            f"pooled money is shared by {spec.shared_by}, which is not among the covariates of "
            "the panel, or missing for some treated village",
            "Name it under panel.covariates, or use shared_by: equal.",
        )
        return entries
    parts = [entries[entries["village"] != ""]]
    stay = []
    for (town, county), rows in pooled.groupby(["town", "county"], sort=False):
        here = panel.is_treated & (panel.villages["county"] == county).to_numpy()
        here &= (panel.villages["town"] == town).to_numpy() if town else True
        if not (here.any() and weights[here].sum() > 0):
            stay.append(rows)
            continue
        share = weights[here] / weights[here].sum()
        villages = panel.villages[here]
        spread = rows.loc[rows.index.repeat(len(share))].copy()
        for column in PLACE:
            values = villages.index if column == "village" else villages[column]
            spread[column] = np.tile(np.asarray(values, object), len(rows))
        spread["amount"] *= np.tile(share, len(rows))
        spread["shared"] = True
        parts.append(spread)
    if stay:
        message = say(
            "pooled money of places without a treated village to share it among: it stays"
        )
        warn_rows(table, problems, "warning", message, pd.concat(stay))
    return pd.concat([*parts, *stay], ignore_index=True)


def _report_other_years(
    table: Table, entries: pd.DataFrame, panel: VillagePanel, problems: Problems
) -> None:
    outside = entries[~entries["year"].isin(panel.years)]
    message = say("money of years that the panel does not have: in no village-year of it")
    warn_rows(table, problems, "warning", message, outside)


def _weights(rule: str, panel: VillagePanel) -> npt.NDArray[np.float64] | None:
    if rule == "equal":
        return np.ones(panel.n_villages)
    if rule not in panel.matrices:
        return None
    values = pd.DataFrame(panel.matrices[rule]).mean(axis=1).to_numpy(np.float64)
    usable = np.isfinite(values[panel.is_treated]) & (values[panel.is_treated] >= 0)
    return values if usable.all() and values[panel.is_treated].sum() > 0 else None
