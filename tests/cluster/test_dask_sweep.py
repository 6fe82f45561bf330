"""The same sweeps over workers of Dask."""

import os
import signal

import dask
import distributed  # noqa: F401 - its settings come with it
import pytest

from evaluation.cli import main
from evaluation.cluster.dask_workers import open_client
from evaluation.errors import ReportError
from evaluation.report.record.store import NAME
from tests.cluster.swept import runs_in, states, tree


@pytest.fixture
def client(notebooks):
    """Two workers, which have the tests' chapters as they are forks."""
    with (
        dask.config.set({"distributed.worker.multiprocessing-method": "fork"}),
        open_client(local=2) as opened,
    ):
        yield opened


def without_record(files):
    return {path: content for path, content in files.items() if path.name != NAME}


def test_workers_of_dask_make_the_same_reports(sweep, client, out, tmp_path):
    here = sweep("n=1,2", "m=1,9", out=tmp_path / "here")
    there = sweep("n=1,2", "m=1,9", client=client)
    assert states(there) == states(here) == ["made", "failed", "made", "failed"]
    assert [report.error for report in there.reports] == [r.error for r in here.reports]
    assert runs_in(out) == runs_in(tmp_path / "here")
    for report in there.reports[::2]:
        mine, other = tree(out / report.run), tree(tmp_path / "here" / report.run)
        assert without_record(mine) == without_record(other)


def test_a_worker_of_dask_that_is_killed_loses_nothing(sweep, client, out):
    killed = []

    def kill(progress):
        if not killed and progress.chapters[0] >= 2:
            killed.append(next(iter(client.run(os.getpid).values())))
            os.kill(killed[0], signal.SIGKILL)

    swept = sweep("n=1,2,3", "m=1,2", "wait=0.3", client=client, on_progress=kill)
    assert killed
    assert states(swept) == ["made"] * 6
    assert runs_in(out) == {report.run for report in swept.reports}


def test_runs_are_put_where_an_address_says(sweep, tmp_path):
    store = f"file://{tmp_path}/store"
    swept = sweep("m=1,9", out=store)
    assert states(swept) == ["made", "failed"]
    assert swept.index == f"{store}/index.html"
    made = swept.reports[0].run
    folder = tmp_path / "store"
    assert {path.name for path in folder.iterdir()} == {
        made, "index.html", "jining_2021-sweep.csv",
    }  # fmt: skip
    alone = sweep("m=1", out=tmp_path / "alone").reports[0].run
    assert without_record(tree(folder / made)) == without_record(
        tree(tmp_path / "alone" / alone)
    )
    assert f"{made}/report.html" in (folder / "index.html").read_text(encoding="utf-8")
    assert states(sweep("m=1,9", out=store)) == ["unchanged", "failed"]
    (folder / made / NAME).unlink()  # as if the sweep had been killed while it copied
    assert states(sweep("m=1", out=store)) == ["made"]


def test_an_address_that_nobody_knows_is_told(sweep):
    with pytest.raises(ReportError, match="nowhere://x"):
        sweep("m=1", out="nowhere://x")


def test_a_worker_with_other_versions_is_refused(sweep, client):
    def change():
        from evaluation.report.record import describe

        real = describe.package_versions
        describe.package_versions = lambda: {**real(), "numpy": "1.0"}

    client.run(change)
    with pytest.raises(
        ReportError,
        match=r"the worker tcp://.* has another numpy \(an installed package\) than",
    ):
        sweep("m=1", client=client)


def test_a_scheduler_that_does_not_answer_is_told(study, notebooks, capsys, monkeypatch):
    monkeypatch.setattr("evaluation.cluster.dask_workers.PATIENCE", 0.2)
    given = ["sweep", str(study), "--over", "m=1", "--scheduler", "tcp://127.0.0.1:1"]
    assert main(given) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith("ReportError: --scheduler tcp://127.0.0.1:1: nobody answers there.")
