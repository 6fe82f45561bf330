"""What a job takes is told before it starts, and a job that does not fit is refused."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.cluster import PanelColumns, cost, plan_pieces, read_piece
from evaluation.cluster.cost import available_memory, check_room, estimate_cost
from evaluation.errors import ReportError

COLUMNS = PanelColumns(village="v", year="y", outcome="x", cohort="c", covariates=("z",))
YEARS = 10


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    """A panel of 1.2 million rows, half of its villages treated, in groups of 120,000."""
    folder = tmp_path_factory.mktemp("panel")
    villages = 120_000
    at = np.repeat(np.arange(villages), YEARS)
    table = pa.table(
        {
            "v": pa.array([f"{i:012}" for i in range(villages)]).take(pa.array(at)),
            "y": np.tile(np.arange(2010, 2010 + YEARS), villages),
            "c": pa.array(np.where(at % 2, 2015.0, np.nan), from_pandas=True),
            "x": np.random.default_rng(0).normal(size=len(at)),
            "z": np.random.default_rng(1).normal(size=len(at)),
        }
    )
    pq.write_table(table, folder / "a.parquet", row_group_size=120_000)
    return plan_pieces(folder, COLUMNS, rows_a_piece=240_000)


def test_the_cost_is_told_in_two_lines(plan):
    told = estimate_cost(plan, workers=2, seconds_a_million=3, output_columns=20)
    assert told.seconds == pytest.approx(3 * 1.2 / 2)
    assert told.output == pytest.approx(60_000 * 20 * 8)
    first, second = told.lines()
    assert first == "1,200,000 rows in 5 pieces of at most 240,000"
    size = f"{told.memory / 1e6:.0f}"
    assert (
        second == f"about {size} MB of memory for each of 2 workers, 2 s and 10 MB on the disk"
    )


def test_time_is_that_of_the_first_piece(plan, monkeypatch):
    ticks = iter([0.0, 0.06])
    monkeypatch.setattr(cost, "time", SimpleNamespace(perf_counter=lambda: next(ticks)))
    assert estimate_cost(plan, passes=2).seconds == pytest.approx(
        2 * 0.06 * 1_200_000 / 240_000
    )


PEAK = r"""
import re, sys
from evaluation.cluster import PanelColumns, plan_pieces, read_piece
columns = PanelColumns(village="v", year="y", outcome="x", cohort="c", covariates=("z",))
plan = plan_pieces(sys.argv[1], columns, rows_a_piece=int(sys.argv[2]))
for piece in [*plan.pieces, *plan.pieces]:
    read = read_piece(plan, piece)
print(int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux counts memory")
@pytest.mark.parametrize("rows", [120_000, 1_200_000])
def test_memory_is_at_least_what_a_process_takes(plan, rows):
    call = [sys.executable, "-c", PEAK, plan.path, str(rows)]
    peak = int(subprocess.run(call, check=True, capture_output=True, text=True).stdout)
    told = estimate_cost(plan_pieces(plan.path, COLUMNS, rows_a_piece=rows)).memory
    assert peak < told < 2 * peak


def test_sparse_villages_take_more_memory(tmp_path):
    """With one row a village in 50 years, matrices hold 50 cells a row."""
    rows = 5_000
    year = np.where(np.arange(rows) % 2, 1960, 2010)
    table = pa.table({"v": np.arange(rows), "y": year, "c": np.full(rows, np.nan)})
    pq.write_table(table.append_column("x", table["c"]), tmp_path / "a.parquet")
    columns = PanelColumns(village="v", year="y", outcome="x", cohort="c")
    plan = plan_pieces(tmp_path, columns)
    piece = read_piece(plan, plan.pieces[0])
    cells = piece.rows.size
    assert cells == rows * 51
    assert estimate_cost(plan).memory == cost._BASE + rows * (70 + 30) + 2 * cells * (8 + 1)


def test_a_piece_that_does_not_fit_is_refused_before_the_start(plan, monkeypatch, tmp_path):
    told = estimate_cost(plan)
    check_room(told, tmp_path / "out")
    with pytest.raises(ReportError, match=r"240,000 rows, takes about .*rows_a_piece"):
        check_room(told, tmp_path, memory=1e6)
    single = estimate_cost(plan_pieces(plan.path, COLUMNS, rows_a_piece=1))
    with pytest.raises(ReportError, match=r"one row group; .*sort_panel .*\(rows_a_group\)"):
        check_room(single, tmp_path, memory=1e6)
    monkeypatch.setattr(cost, "available_memory", lambda: 1.5 * told.memory)
    check_room(told, tmp_path)
    with pytest.raises(ReportError, match="is available to a worker"):
        check_room(replace(told, workers=2), tmp_path)


def test_a_panel_too_large_to_read_is_not_read(plan, monkeypatch):
    monkeypatch.setattr(cost, "available_memory", lambda: 1e6)
    monkeypatch.setattr(cost, "read_piece", lambda *_: pytest.fail("it was read"))
    told = estimate_cost(plan)
    assert "unknown time" in told.lines()[1]


def test_a_disk_too_small_is_refused(plan, tmp_path):
    told = replace(estimate_cost(plan), output=1e18)
    with pytest.raises(ReportError, match=r"1000000000\.0 GB will be written, and .* is free"):
        check_room(told, tmp_path / "not" / "yet" / "there")
    check_room(told, "s3://bucket/out")


def write_group(folder, **files):
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"memory.{name}").write_text(str(text))


@pytest.mark.parametrize(
    ("files", "inner", "left"),
    [
        ({"max": 1000, "current": 700, "stat": "anon 9\ninactive_file 200\n"}, None, 500),
        ({"max": "max", "current": 700, "stat": ""}, None, None),
        (
            {"max": 1000, "current": 100, "stat": ""},
            {"max": 300, "current": 100, "stat": ""},
            200,
        ),
        (
            {"max": 300, "current": 250, "stat": ""},
            {"max": "max", "current": 9, "stat": ""},
            50,
        ),
    ],
)
def test_the_limit_of_a_container_or_job_counts(tmp_path, files, inner, left):
    write_group(tmp_path / "cgroup" / "slurm" / "job_1", **files)
    if inner:
        write_group(tmp_path / "cgroup" / "slurm" / "job_1" / "step_0", **inner)
    own = tmp_path / "own"
    own.write_text("0::/slurm/job_1/step_0\n" if inner else "0::/slurm/job_1\n")
    found = list(cost._left_in_cgroups(tmp_path / "cgroup", own))
    assert min(found, default=None) == left


def test_the_first_version_of_cgroups_counts(tmp_path):
    write_group(
        tmp_path / "memory" / "docker" / "x", limit_in_bytes=1000, usage_in_bytes=700,
        stat="total_inactive_file 100",
    )  # fmt: skip
    own = tmp_path / "own"
    own.write_text("12:cpu,cpuacct:/docker/x\n5:memory:/docker/x\n")
    assert list(cost._left_in_cgroups(tmp_path, own)) == [400]
    (tmp_path / "memory" / "docker" / "x" / "memory.limit_in_bytes").write_text(
        str(2**63 - 4096)
    )
    assert list(cost._left_in_cgroups(tmp_path, own)) == []
    assert list(cost._left_in_cgroups(tmp_path, tmp_path / "nothing")) == []


def test_memory_is_available():
    assert available_memory() > 10e6
