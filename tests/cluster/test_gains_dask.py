"""Gains of a panel in pieces by workers of Dask: the same bytes, whoever is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from evaluation.cluster import passes
from evaluation.errors import ReportError
from tests.cluster.streamed_panels import stream, write_cells
from tests.gains.panels import random_cells

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    """Two workers, processes of a thread each, that are started again if they are killed."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    cells = random_cells(1, n=300, missing=0.1, n_counties=12)
    return write_cells(cells, tmp_path_factory.mktemp("panel") / "panel.parquet")


@pytest.fixture(scope="module")
def here(panel, tmp_path_factory):
    """What this process alone writes."""
    return read_folder(stream(panel, tmp_path_factory.mktemp("here") / "out").folder)


def read_folder(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_workers_write_the_same_bytes(client, panel, here, tmp_path):
    found = stream(panel, tmp_path / "out", client=client)
    assert read_folder(found.folder) == here and len(here) > 10
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_killed_worker_loses_nothing_and_counts_nothing_twice(client, panel, here, tmp_path):
    pids = client.run(os.getpid)
    killed = []

    def kill():
        # As soon as the first parts are written, in the middle of the second pass.
        while not list(tmp_path.glob("out.partial-*/work/part-*")):
            time.sleep(0.005)
        killed.append(min(pids.values()))
        os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    found = stream(panel, tmp_path / "out", client=client, rows_a_piece=200)
    thread.join(timeout=30)
    assert killed and read_folder(found.folder) == here
    client.wait_for_workers(2, timeout=30)
    assert killed[0] not in client.run(os.getpid).values()


def test_workers_with_other_versions_are_refused(client, panel, tmp_path, monkeypatch):
    own = passes._describe
    monkeypatch.setattr(passes, "_describe", lambda folder: own(folder) | {"numpy": "1.0"})
    theirs = {"tcp://there": own(str(tmp_path))}
    monkeypatch.setattr(client, "run", lambda function, *given, **options: theirs)
    with pytest.raises(ReportError, match=r"tcp://there has numpy 2.*, this process 1\.0"):
        stream(panel, tmp_path / "out", client=client)
    theirs = {"tcp://there": own(str(tmp_path / "elsewhere"))}
    with pytest.raises(ReportError, match="same files at the same paths"):
        stream(panel, tmp_path / "out", client=client)
    assert not list(tmp_path.iterdir())


KILLED = """\
import os, signal, sys
from evaluation.cluster import estimation
from tests.cluster.streamed_panels import stream
shrink = estimation.shrink_parts
estimation.shrink_parts = lambda *given, **options: os.kill(os.getpid(), signal.SIGKILL)
stream(sys.argv[1], sys.argv[2], force=True)
"""


def test_a_killed_driver_leaves_what_was_there(panel, here, tmp_path):
    stream(panel, tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(panel), str(tmp_path / "out")],
        cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert read_folder(tmp_path / "out") == here
    assert len(list(tmp_path.iterdir())) == 2
    assert read_folder(stream(panel, tmp_path / "out", force=True).folder) == here
    assert [path.name for path in tmp_path.iterdir()] == ["out"]  # what it left is cleared
